"""Where the pixels of a DICOM frame lie, how large they are, and who says so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from LandmarkTrackerLib.formats.dicom.headers import Groups, Tags
from LandmarkTrackerLib.geometry import Grid

# Projections of X-rays: what they state may be the size of a pixel at the detector, behind the patient.
PROJECTIONS = ("CR", "DX", "IO", "MG", "PX", "RF", "RG", "XA")
CM = 3  # PhysicalUnitsXDirection
TWO_DIMENSIONAL = 1  # RegionSpatialFormat


@dataclass(frozen=True)
class Pixel:
    """How large a pixel is.

    Attributes:
        spacing: mm along i and j; 1 and 1, or the ratio that is stated, where it is not calibrated.
        calibrated: whether the file states it in mm.
        note: what should be known of it; empty for the spacing of a scanner that measures in the patient.
    """

    spacing: tuple[float, float]
    calibrated: bool = True
    note: str = ""


def pixel_of(tags: Tags, groups: Groups) -> Pixel:
    """The size of a pixel, from the first tag that states it."""
    stated = _pair(groups["PixelMeasuresSequence"], "PixelSpacing") or _pair(tags, "PixelSpacing")
    detector = _pair(groups["FramePixelDataPropertiesSequence"], "ImagerPixelSpacing") or _pair(
        tags, "ImagerPixelSpacing"
    )
    regions = _regions(tags)
    if len(regions) == 1:
        return Pixel(regions[0], note="spacing from SequenceOfUltrasoundRegions")
    projection = tags.text("Modality") in PROJECTIONS
    if stated and not (projection and stated == detector and not tags.text("PixelSpacingCalibrationType")):
        return Pixel(stated)
    if detector:
        return Pixel(
            detector, note="spacing at the detector (ImagerPixelSpacing); lengths in the patient are smaller"
        )
    scanned = _pair(tags, "NominalScannedPixelSpacing")
    if scanned:
        return Pixel(scanned, note="spacing of the scanned film (NominalScannedPixelSpacing)")
    note = ""
    if regions:
        sizes = ", ".join(f"{x:g} x {y:g}" for x, y in regions)
        note = f"its ultrasound regions have pixels of different sizes ({sizes} mm)"
    ratio = tags.numbers("PixelAspectRatio", 2)
    tall = ratio[0] / ratio[1] if ratio and min(ratio) > 0 else 1.0
    return Pixel((1.0, tall), False, note)


def _pair(tags: Tags, keyword: str) -> tuple[float, float] | None:
    """Spacing along i and j; DICOM states that of rows, which is along j, first."""
    values = tags.numbers(keyword, 2)
    return (values[1], values[0]) if values and min(values) > 0 else None


def _regions(tags: Tags) -> list[tuple[float, float]]:
    """The different pixel sizes (mm) of the regions of an ultrasound image that are pictures in cm."""
    sizes: list[tuple[float, float]] = []
    for region in tags.items("SequenceOfUltrasoundRegions"):
        units = [region.number(f"PhysicalUnits{axis}Direction") for axis in "XY"]
        # The reference of some regions is at the bottom, and y then grows upward.
        deltas = [abs(region.number(f"PhysicalDelta{axis}") or 0.0) * 10 for axis in "XY"]
        picture = region.number("RegionSpatialFormat") == TWO_DIMENSIONAL and units == [CM, CM]
        if picture and min(deltas) > 0 and not any(np.allclose(deltas, size, 1e-3) for size in sizes):
            sizes.append((deltas[0], deltas[1]))
    return sizes


@dataclass(frozen=True)
class Place:
    """Where a frame is in the patient, LPS; at the origin and axial where the file does not state it.

    Attributes:
        position: mm, of the centre of the first pixel.
        direction: 9 numbers as in `Grid`.
        thickness: mm through the plane; 1 if it is not stated.
        stated: whether position and orientation are.
    """

    position: tuple[float, float, float]
    direction: tuple[float, ...]
    thickness: float
    stated: bool

    def moved(self, offset: float) -> Place:
        """The same plane, `offset` mm further along its normal."""
        normal = np.reshape(self.direction, (3, 3))[:, 2]
        x, y, z = (np.array(self.position) + offset * normal).tolist()
        return replace(self, position=(x, y, z))

    def grid(self, size: tuple[int, int], pixel: Pixel) -> Grid:
        """That of a slice of `size` pixels."""
        return Grid((*size, 1), (*pixel.spacing, self.thickness), self.position, self.direction)


def place_of(tags: Tags, groups: Groups) -> Place:
    """Position and orientation of a frame, from its functional groups or the file's own tags."""
    measures = groups["PixelMeasuresSequence"]
    thickness = next(
        (
            abs(value)
            for keyword in ("SpacingBetweenSlices", "SliceThickness")
            for value in (measures.number(keyword), tags.number(keyword))
            if value
        ),
        1.0,
    )
    position = (
        groups["PlanePositionSequence"].numbers("ImagePositionPatient", 3)
        or groups["PlanePositionVolumeSequence"].numbers("ImagePositionVolume", 3)
        or tags.numbers("ImagePositionPatient", 3)
    )
    orientation = (
        groups["PlaneOrientationSequence"].numbers("ImageOrientationPatient", 6)
        or groups["PlaneOrientationVolumeSequence"].numbers("ImageOrientationVolume", 6)
        or tags.numbers("ImageOrientationPatient", 6)
    )
    direction = _direction(orientation) if orientation else None
    if position is None or direction is None:
        return Place((0.0, 0.0, 0.0), tuple(np.eye(3).ravel().tolist()), thickness, False)
    return Place((position[0], position[1], position[2]), direction, thickness, True)


def _direction(orientation: tuple[float, ...]) -> tuple[float, ...] | None:
    """Row-major matrix of the axes i, j and through the plane; None if i and j are not perpendicular."""
    i, j = np.reshape(orientation, (2, 3))
    if abs(np.linalg.norm(i) - 1) > 0.01 or abs(np.linalg.norm(j) - 1) > 0.01 or abs(i @ j) > 0.01:
        return None
    i = i / np.linalg.norm(i)
    j = j - i * (i @ j)
    j = j / np.linalg.norm(j)
    return tuple(np.column_stack([i, j, np.cross(i, j)]).ravel().tolist())
