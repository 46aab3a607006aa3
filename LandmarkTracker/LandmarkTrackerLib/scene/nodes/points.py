"""Point lists <-> landmarks.

Slicer keeps the last coordinates of a point that has no position any more. They are never read here, and
never left behind when a landmark is missing.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import slicer
import vtk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.mrk_json import SIGMA_AXES
from LandmarkTrackerLib.formats.points import TO_LPS
from LandmarkTrackerLib.landmarks import LandmarkSet
from LandmarkTrackerLib.scene.i18n import _

LPS = TO_LPS["RAS"]
MARKUPS = slicer.vtkMRMLMarkupsNode


def read_points(node) -> tuple[tuple[str, ...], LandmarkSet]:
    """Every label, and what is known of them: LPS mm in the world.

    A point that is not placed yet has a label and is not in the set; one whose position status is "missing"
    is in the set and missing; one that is not selected and has a score below 1 is uncertain. A point that
    still follows the mouse is not there at all, unless it has been given a label before it was placed (a
    landmark protocol).

    Raises:
        InputError: two points have one label, or a point has none.
    """
    labels, rows, places = [], [], []
    for n in range(node.GetNumberOfControlPoints()):
        status = node.GetNthControlPointPositionStatus(n)
        if status == MARKUPS.PositionPreview and node.GetNthControlPointAutoCreated(n):
            continue
        labels.append(node.GetNthControlPointLabel(n))
        if status in (MARKUPS.PositionDefined, MARKUPS.PositionMissing):
            place = np.full(3, np.nan)
            if status == MARKUPS.PositionDefined:
                place = np.array(node.GetNthControlPointPositionWorld(n)) * LPS
            rows.append(n)
            places.append(place)
    _require_distinct(node, labels)
    positions = np.array(places).reshape(-1, 3)
    sigma_mm = _measured(node, "sigma_mm", rows, 0.0)
    sigmas = np.array([_measured(node, axis, rows, sigma_mm) for axis in SIGMA_AXES]).T
    scores = _measured(node, "score", rows, 1.0)
    selected = np.array([bool(node.GetNthControlPointSelected(n)) for n in rows], dtype=bool)
    known = LandmarkSet(
        tuple(node.GetNthControlPointLabel(n) for n in rows),
        positions,
        sigmas.reshape(-1, 3),
        scores,
        ~np.isnan(positions[:, 0]),
        ~selected & (scores < 1),
    )
    return tuple(labels), known


def write_points(node, names: Sequence[str], known: LandmarkSet) -> None:
    """Make a point list show these landmarks, in this order.

    A name that is not in `known` becomes a point that is not placed yet, which Slicer's placement fills. A
    missing one gets the position status "missing". It and an uncertain one are not selected, so that no other
    module takes them.
    """
    with slicer.util.NodeModify(node):
        fixed = node.GetFixedNumberOfControlPoints()
        node.SetFixedNumberOfControlPoints(False)
        while node.GetNumberOfControlPoints() > len(names):
            node.RemoveNthControlPoint(node.GetNumberOfControlPoints() - 1)
        for n, name in enumerate(names):
            if n == node.GetNumberOfControlPoints():
                node.AddControlPoint(0.0, 0.0, 0.0, name)
            elif node.GetNthControlPointLabel(n) != name:
                node.SetNthControlPointLabel(n, name)
            _place(node, n, name, known)
        node.SetFixedNumberOfControlPoints(fixed)
        # Most frames of a long cine hold nothing while its landmarks are being placed.
        if len(known) or node.GetNumberOfMeasurements():
            at = known.select(names)
            _measure(node, "score", at.scores)
            _measure(node, "sigma_mm", at.sigma_mm)
            for axis, values in zip(SIGMA_AXES, at.sigmas.T, strict=True):
                _measure(node, axis, values)


def _place(node, n: int, name: str, known: LandmarkSet) -> None:
    found = name in known and known[name].status != "missing"
    if found:
        node.SetNthControlPointPositionWorld(n, *(known[name].position * LPS))
    else:
        # Other modules read the coordinates of a point without looking whether it has any.
        node.SetNthControlPointPosition(n, 0.0, 0.0, 0.0, MARKUPS.PositionUndefined)
        if name in known:
            node.SetNthControlPointPositionMissing(n)
    node.SetNthControlPointSelected(n, name not in known or known[name].status == "defined")


def name_new_points(node, names: Sequence[str]) -> None:
    """Give points that were added to these landmarks a name of their own.

    Slicer numbers new points, but forgets how far it had counted when a browser shows another frame.
    """
    taken = list(names)
    for n in range(len(names), node.GetNumberOfControlPoints()):
        label = node.GetNthControlPointLabel(n)
        if label in taken:
            stem = label.rstrip("0123456789")
            label = next(name for k in itertools.count(1) if (name := f"{stem}{k}") not in taken)
            node.SetNthControlPointLabel(n, label)
        taken.append(label)


def _require_distinct(node, labels: Sequence[str]) -> None:
    for label, count in Counter(labels).items():
        if not label.strip():
            raise InputError(_("a point of '{list}' has no name; type one").format(list=node.GetName()))
        if count > 1:
            raise InputError(
                _("two points of '{list}' are named '{name}'; give one of them another name").format(
                    list=node.GetName(), name=label
                )
            )


def _measured(node, name: str, rows: Sequence[int], default) -> np.ndarray:
    """(len(rows),) one measurement of these points; what is missing or no number is `default`."""
    values = np.full(len(rows), np.nan)
    # A file of an image that is not calibrated states pixels.
    measurement = node.GetMeasurement(name) or node.GetMeasurement(name.replace("_mm", "_px"))
    stored = measurement.GetControlPointValues() if measurement is not None else None
    if stored is not None:
        there = [n for n, row in enumerate(rows) if row < stored.GetNumberOfTuples()]
        values[there] = [stored.GetTuple1(rows[n]) for n in there]
    return np.where(np.isfinite(values), values, default)


def _measure(node, name: str, values: np.ndarray) -> None:
    stored = vtk.vtkDoubleArray()
    stored.SetName(name)
    for value in values:
        stored.InsertNextValue(value)
    measurement = node.GetMeasurement(name)
    if measurement is None:
        measurement = slicer.vtkMRMLStaticMeasurement()
        measurement.SetName(name)
        if name != "score":
            measurement.SetUnits("mm")
        measurement.SetControlPointValues(stored)
        node.AddMeasurement(measurement)
    else:
        measurement.SetControlPointValues(stored)
