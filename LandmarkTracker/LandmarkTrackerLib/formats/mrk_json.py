"""Slicer's Markups file, `.mrk.json` or plain `.json`, and the `.markups.json` of Slicer 4.7 to 4.9.

Uncertainty is kept where Slicer shows it: in the per-point measurements `score` (0 to 1), `sigma_mm`, and
`sigma_i_mm`, `sigma_j_mm`, `sigma_k_mm` along the image's axes. An uncertain landmark is a point that is not
selected, so that no other module takes it, with a score below 1. A missing landmark has no position, status
"missing", score 0 and, as Slicer itself writes it, NaN for sigma.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import read_text, written
from LandmarkTrackerLib.formats.points import Coordinates, Point, PointFile, coordinate_system, in_system
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
    return parse(path).landmarks()


def parse(path: Path) -> PointFile:
    """The control points of a file. Raises as `read_mrk_json`."""
    return _parsed(read_text(path), path)


def landmarks_of(text: str, path: Path) -> LandmarkSet:
    """The landmarks that a `.mrk.json` text holds; `path` is its file, for messages."""
    return _parsed(text, path).landmarks()


def _parsed(text: str, path: Path) -> PointFile:
    document = _document(text, path)
    if "Markups" in document:
        return _older(document["Markups"], path)
    markup = _point_list(document, path)
    if markup.get("coordinateUnits", "mm") not in ("mm", ["mm"] * 3):
        raise InputError(f"{path} is in {markup['coordinateUnits']}; save it in mm")
    system = coordinate_system(path, str(markup.get("coordinateSystem", "LPS")))
    source = "as the file states" if "coordinateSystem" in markup else "Slicer's default"
    controls = markup["controlPoints"]
    sigmas, scores = _doubt(markup, len(controls))
    points = tuple(
        Point(
            str(control.get("label") or ""),
            _position(path, control),
            sigma,
            score,
            uncertain=control.get("selected") is False and score < 1,
        )
        for control, sigma, score in zip(controls, sigmas.tolist(), scores.tolist(), strict=True)
    )
    return PointFile(path, "Slicer Markups", Coordinates(system, source), {"": points})


def _document(text: str, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is damaged or cut short (line {error.lineno}); save it again") from error
    except RecursionError as error:
        raise InputError(f"{path} is not a Markups file: it is nested too deeply") from error
    if not isinstance(document, dict):
        raise InputError(f"{path} is not a Markups file; save a point list from Slicer as .mrk.json")
    return document


def _integer(digits: str) -> float:
    """Long ones as float: numpy holds no others, and Python converts no more than some thousand digits."""
    return int(digits) if len(digits) < 19 else float(digits)


def _older(markups: object, path: Path) -> PointFile:
    """The layout before the schema: every markup has a label and its points, in Slicer's own RAS."""
    if not isinstance(markups, list) or not all(isinstance(markup, dict) for markup in markups):
        raise InputError(f"{path} has control points that are none; save it again from Slicer")
    points = []
    for markup in markups:
        places = markup.get("Points")
        label = str(markup.get("Label") or "")
        first = places[0] if isinstance(places, list) and len(places) == 1 else None
        position: list[Any] = [first.get(axis) for axis in "xyz"] if isinstance(first, dict) else []
        if not _numbers(position, 3):
            raise InputError(f"{path}: '{label}' is not one point; save a point list")
        points.append(Point(label, [float(x) for x in position]))
    source = "as Slicer 4.7 to 4.9 wrote it; the file does not state it"
    coordinates = Coordinates("RAS", source, stated=False)
    return PointFile(path, "Slicer markups before the schema", coordinates, {"": tuple(points)})


def _point_list(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """The one list of control points in a document."""
    lists = document.get("markups")
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
    measurements = markup.get("measurements")
    found = {
        _in_mm(str(measurement.get("name"))): np.array(measurement["controlPointValues"], dtype=float)
        for measurement in (measurements if isinstance(measurements, list) else [])
        if isinstance(measurement, dict) and _numbers(measurement.get("controlPointValues"), count)
    }
    sigma_mm = found.get("sigma_mm", np.zeros(count))
    sigmas = np.stack([found.get(axis, sigma_mm) for axis in SIGMA_AXES], axis=1)
    scores = found.get("score", np.ones(count)).copy()
    # A lost point has no sigma; if it has a position now, then a person placed it there.
    placed = ~np.isfinite(sigmas).all(axis=1) | ~np.isfinite(scores)
    sigmas[placed], scores[placed] = 0.0, 1.0
    return sigmas, scores


def _in_mm(name: str) -> str:
    """The name of a measurement as an image that is calibrated has it."""
    return name.removesuffix("_px") + "_mm" if name.endswith("_px") else name


def length_unit_of(text: str) -> str:
    """The unit of lengths in the text of a file that was written here."""
    return "px" if '"sigma_px"' in text else "mm"


def _numbers(values: object, count: int) -> bool:
    """Whether these are `count` numbers."""
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    )


def write_mrk_json(path: Path, landmarks: LandmarkSet, *, overwrite: bool = False, unit: str = "mm") -> None:
    """Write a point list that Slicer opens; a missing landmark stays in the list, without a position.

    Args:
        unit: of positions and sigma: "mm", or "px" of an image that is not calibrated.

    Raises:
        InputError: the file exists and `overwrite` is False.
    """
    with written(path, overwrite) as partial:
        partial.write_text(json.dumps(document_of(landmarks, unit), indent=1), encoding="utf-8")


def document_of(landmarks: LandmarkSet, unit: str = "mm") -> dict[str, Any]:
    """What a `.mrk.json` file holds, as plain data; `unit` as for `write_mrk_json`.

    Slicer knows no pixels: in one that is not calibrated, its mm are pixels, which the measurements say.
    """
    controls = []
    for n, landmark in enumerate(landmarks, start=1):
        found = landmark.status != "missing"
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
                "selected": landmark.status == "defined",
                "locked": False,
                "visibility": True,
                "positionStatus": "defined" if found else "missing",
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
                        {
                            "name": name.replace("_mm", f"_{unit}"),
                            "enabled": True,
                            "units": unit,
                            "controlPointValues": values.tolist(),
                        }
                        for name, values in {"sigma_mm": landmarks.sigma_mm, **sigmas}.items()
                    ),
                ],
            }
        ],
    }
