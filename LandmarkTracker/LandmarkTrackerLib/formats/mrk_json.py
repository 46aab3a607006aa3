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
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is damaged or cut short (line {error.lineno}); save it again") from error
    lists = document.get("markups") if isinstance(document, dict) else None
    if not isinstance(lists, list) or not lists or not all(isinstance(markup, dict) for markup in lists):
        raise InputError(f"{path} is not a Markups file; save a point list from Slicer as .mrk.json")
    if len(lists) > 1:
        raise InputError(f"{path} holds {len(lists)} markups; save each in a file of its own")
    markup = lists[0]
    if markup.get("coordinateUnits", "mm") != "mm":
        raise InputError(f"{path} is in {markup['coordinateUnits']}; save it in mm")
    system = coordinate_system(path, str(markup.get("coordinateSystem", "LPS")))
    controls = markup.get("controlPoints") or []
    if not all(isinstance(control, dict) for control in controls):
        raise InputError(f"{path} has control points that are none; save it again from Slicer")
    values = _measurements(markup, len(controls))
    sigmas = np.array(
        [values.get(axis, values.get("sigma_mm", np.zeros(len(controls)))) for axis in SIGMA_AXES]
    )
    scores = values.get("score", np.ones(len(controls)))
    points = [
        Point(str(control.get("label", "")), _position(path, control), sigmas[:, n], scores[n])
        for n, control in enumerate(controls)
    ]
    return landmark_set(path, points, system)


def _position(path: Path, control: dict[str, Any]) -> list[float] | None:
    position = control.get("position")
    if control.get("positionStatus", "defined") != "defined" or position in (None, ""):
        return None
    numbers = isinstance(position, list) and all(isinstance(x, int | float) for x in position)
    if not numbers or len(position) != 3:
        raise InputError(
            f"{path}: the position of '{control.get('label')}' is not three numbers; place it again"
        )
    return [float(x) for x in position]


def _measurements(markup: dict[str, Any], count: int) -> dict[str, np.ndarray]:
    """The per-point measurements that hold one number a point."""
    found = {}
    for measurement in markup.get("measurements") or []:
        values = measurement.get("controlPointValues")
        if isinstance(values, list) and len(values) == count:
            found[str(measurement.get("name"))] = np.array(values, dtype=float)
    return found


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
