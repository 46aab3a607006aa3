"""Slicer's Markups file, `.mrk.json`.

Uncertainty is kept where Slicer shows it: in the per-point measurements `score` (0 to 1), `sigma_mm`, and
`sigma_i_mm`, `sigma_j_mm`, `sigma_k_mm` along the image's axes. A missing landmark has no position, status
"missing", score 0 and, as Slicer itself writes it, NaN for sigma.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text, written
from LandmarkTrackerLib.formats.points import Point, coordinate_system, in_system, landmark_set
from LandmarkTrackerLib.landmarks import LandmarkSet

SUFFIX = ".mrk.json"
SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
SIGMA_AXES = ("sigma_i_mm", "sigma_j_mm", "sigma_k_mm")
SLICER_AXES = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0]


def read_mrk_json(path: Path) -> LandmarkSet:
    """Read every control point, in LPS. A point without a defined position is missing.

    Raises:
        InputError: not a Markups file, no control point, two of one name, or a position that is no position.
    """
    return landmarks_of(read_text(path), path)


def landmarks_of(text: str, path: Path) -> LandmarkSet:
    """The landmarks that a `.mrk.json` text holds; `path` is its file, for messages."""
    markup = _point_list(text, path)
    if markup.get("coordinateUnits", "mm") not in ("mm", ["mm"] * 3):
        raise InputError(f"{path} is in {markup['coordinateUnits']}; save it in mm")
    system = coordinate_system(path, str(markup.get("coordinateSystem", "LPS")))
    controls = markup["controlPoints"]
    sigmas, scores = _doubt(markup, len(controls))
    points = [
        Point(str(control.get("label", "")), _position(path, control), sigma, score)
        for control, sigma, score in zip(controls, sigmas, scores, strict=True)
    ]
    return landmark_set(path, points, system)


def _point_list(text: str, path: Path) -> dict[str, Any]:
    """The one list of control points in a document."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is damaged or cut short (line {error.lineno}); save it again") from error
    lists = document.get("markups") if isinstance(document, dict) else None
    if not isinstance(lists, list) or not all(isinstance(markup, dict) for markup in lists) or not lists:
        raise InputError(f"{path} is not a Markups file; save a point list from Slicer as .mrk.json")
    if len(lists) > 1:
        raise InputError(f"{path} holds {len(lists)} markups; save each in a file of its own")
    controls = lists[0].get("controlPoints", [])
    if not isinstance(controls, list) or not all(isinstance(control, dict) for control in controls):
        raise InputError(f"{path} has control points that are none; save it again from Slicer")
    return {**lists[0], "controlPoints": controls}


def _position(path: Path, control: dict[str, Any]) -> list[float] | None:
    position = control.get("position")
    if control.get("positionStatus", "defined") != "defined" or position in (None, ""):
        return None
    if not _numbers(position, 3):
        raise InputError(
            f"{path}: the position of '{control.get('label')}' is not three numbers; place it again"
        )
    return [float(x) for x in position]


def _doubt(markup: dict[str, Any], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sigma (N, 3) in mm and score (N,) from the measurements that hold one number a point."""
    found = {
        measurement.get("name"): np.array(measurement["controlPointValues"], dtype=float)
        for measurement in markup.get("measurements") or []
        if _numbers(measurement.get("controlPointValues"), count)
    }
    sigma_mm = found.get("sigma_mm", np.zeros(count))
    sigmas = np.stack([found.get(axis, sigma_mm) for axis in SIGMA_AXES], axis=1)
    scores = found.get("score", np.ones(count)).copy()
    # A lost point has no sigma; if it has a position now, then a person placed it there.
    placed = ~np.isfinite(sigmas).all(axis=1)
    sigmas[placed], scores[placed] = 0.0, 1.0
    return sigmas, scores


def _numbers(values: object, count: int) -> bool:
    """Whether these are `count` numbers."""
    return (
        isinstance(values, list) and len(values) == count and all(isinstance(v, int | float) for v in values)
    )


def write_mrk_json(path: Path, landmarks: LandmarkSet, *, overwrite: bool = False) -> None:
    """Write a point list that Slicer opens; a missing landmark stays in the list, without a position.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    with written(path, overwrite) as partial:
        partial.write_text(json.dumps(document_of(landmarks), indent=1), encoding="utf-8")


def document_of(landmarks: LandmarkSet) -> dict[str, Any]:
    """What a `.mrk.json` file holds, as plain data."""
    controls = []
    for n, landmark in enumerate(landmarks, start=1):
        found = landmark.status == "defined"
        place = {"position": in_system(landmark.position, "LPS")} if found else {}
        controls.append(
            {
                "id": str(n),
                "label": landmark.name,
                "description": "",
                "associatedNodeID": "",
                **place,
                "orientation": SLICER_AXES,
                # Slicer hands only selected points to its registration modules.
                "selected": found,
                "locked": False,
                "visibility": True,
                "positionStatus": landmark.status,
            }
        )
    sigmas = {axis: landmarks.sigmas[:, n] for n, axis in enumerate(SIGMA_AXES)}
    return {
        "@schema": SCHEMA,
        "markups": [
            {
                "type": "Fiducial",
                "coordinateSystem": "LPS",
                "coordinateUnits": "mm",
                "locked": False,
                "fixedNumberOfControlPoints": False,
                "labelFormat": "%N-%d",
                "lastUsedControlPointNumber": len(landmarks),
                "controlPoints": controls,
                "measurements": [
                    {"name": "score", "enabled": True, "controlPointValues": landmarks.scores.tolist()},
                    *(
                        {"name": name, "enabled": True, "units": "mm", "controlPointValues": values.tolist()}
                        for name, values in {"sigma_mm": landmarks.sigma_mm, **sigmas}.items()
                    ),
                ],
            }
        ],
    }
