"""The frames of DICOM files, one by one, whatever kind of file they come in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from LandmarkTrackerLib.formats.dicom.clocks import (
    FRAME_CLOCKS,
    STORED_ORDER,
    VECTORS,
    Clock,
    frame_times,
    stamp_of,
)
from LandmarkTrackerLib.formats.dicom.geometry import Pixel, Place, pixel_of, place_of
from LandmarkTrackerLib.formats.dicom.headers import Groups, NotAnImageError, Source, Tags
from LandmarkTrackerLib.geometry import Grid

STORAGE = "1.2.840.10008.5.1.4.1.1."
NUCLEAR_MEDICINE = STORAGE + "20"
# Kinds of image whose frames are frames in time: ultrasound, X-ray, visible light.
IN_TIME = tuple(
    STORAGE + kind
    for kind in (
        *("3", "3.1", "6", "6.1"),
        *("12.1", "12.1.1", "12.2", "12.2.1", "12.3"),
        *("77.1.1.1", "77.1.2.1", "77.1.4.1"),
    )
)
GUESSED = "neither times nor places of the frames are stated; they are taken as frames in time"
# Indices of a frame that say where or when it was taken; others (echo, b-value) tell kinds of image apart.
PLACE_AND_TIME = (
    *(0x00209056, 0x00209057, 0x00200032, 0x00209301, 0x0020930C),
    *(0x00209128, 0x0020930D, 0x00209153, 0x00189074, 0x00189151, 0x00209241, 0x00209245),
)


@dataclass(frozen=True)
class Series:
    """What the frames of one series have in common.

    Attributes:
        uid: of the series.
        number, description: as the file states them; may be empty.
        alike: what the series of the phases of one motion share: study, frame of reference, kernel and so on.
    """

    uid: str
    number: str
    description: str
    alike: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """One image in a file.

    Attributes:
        instance: UID of the file's object.
        number: which frame of the file.
        kind: what the frames of a cine or volume have in common beside their series; the name of the file
            where each file is a cine of its own.
        grid: where it lies, one slice.
        calibrated: whether the file states the size of a pixel in mm.
        notes: what should be known of its size and place.
        stamp: when it was taken.
    """

    path: Path
    instance: str
    number: int
    series: Series
    kind: tuple[object, ...]
    grid: Grid
    calibrated: bool
    notes: tuple[str, ...]
    stamp: dict[Clock, float]

    @property
    def normal(self) -> np.ndarray:
        """(3,) LPS, through the plane."""
        return np.array(self.grid.direction).reshape(3, 3)[:, 2]

    @property
    def depth(self) -> float:
        """Position along the normal, mm."""
        return float(self.normal @ np.array(self.grid.origin))


def frames_of(source: Source) -> list[Frame]:
    """Every frame of a file.

    Raises:
        NotAnImageError: it is cut into tiles.
    """
    tags = source.tags
    if "TILED" in tags.text("DimensionOrganizationType"):
        raise NotAnImageError(
            f"{source.path} is a whole-slide image in tiles, which is not read; export a part of it as TIFF",
            "whole-slide images",
        )
    series = Series(
        tags.text("SeriesInstanceUID"),
        tags.text("SeriesNumber"),
        tags.text("SeriesDescription"),
        tuple(
            tags.text(keyword)
            for keyword in (
                *("PatientID", "StudyInstanceUID", "FrameOfReferenceUID", "SOPClassUID"),
                *("ConvolutionKernel", "ImageType", "SliceThickness", "EchoTime"),
            )
        ),
    )
    if tags.items("PerFrameFunctionalGroupsSequence"):
        parts = list(_enhanced(source))
    elif source.count > 1:
        parts = list(_several(source))
    else:
        groups = Groups.of(tags, 0)
        parts = [_Part((), place_of(tags, groups), pixel_of(tags, groups), stamp_of(tags, groups))]
    guessed = len(parts) > 1 and tags.text("SOPClassUID") not in IN_TIME and _say_nothing(parts)
    common = (tags.text("ImageType"), tags.text("EchoTime"), source.size)
    instance = tags.text("SOPInstanceUID")
    return [
        Frame(
            source.path,
            instance,
            number,
            series,
            (*common, *part.kind),
            part.place.grid(source.size, part.pixel),
            part.pixel.calibrated,
            (*_notes(part), *((GUESSED,) if guessed else ())),
            part.stamp,
        )
        for number, part in enumerate(parts)
    ]


def _say_nothing(parts: Sequence[_Part]) -> bool:
    """Whether a file states neither when nor where its frames were taken."""
    return all(set(part.stamp) == {STORED_ORDER} and part.place == parts[0].place for part in parts)


def _notes(part: _Part) -> tuple[str, ...]:
    """What should be known of the size and the place of a frame. Pixels without a size lie nowhere."""
    lost = part.pixel.calibrated and not part.place.stated
    notes = (
        part.pixel.note,
        "no position in the patient is stated; the first pixel counts as 0" if lost else "",
    )
    return tuple(note for note in notes if note)


@dataclass(frozen=True)
class _Part:
    """What tells the frames of one file apart."""

    kind: tuple[object, ...]
    place: Place
    pixel: Pixel
    stamp: dict[Clock, float]


def _enhanced(source: Source) -> Iterator[_Part]:
    """Frames with functional groups. Those that state no position, as of X-rays, are a cine of their own."""
    tags = source.tags
    pointers = [_pointer(item) for item in tags.items("DimensionIndexSequence")]
    kinds = [n for n, pointer in enumerate(pointers) if pointer not in PLACE_AND_TIME]
    times = _frame_stamps(source)
    for n in range(source.count):
        groups = Groups.of(tags, n)
        content, place = groups["FrameContentSequence"], place_of(tags, groups)
        indices = content.text("DimensionIndexValues").split("\\")
        kind: tuple[object, ...] = (
            content.text("StackID"),
            *(indices[k] for k in kinds if k < len(indices)),
            *(groups[f"{what}FrameTypeSequence"].text("FrameType") for what in ("MRImage", "CTImage", "PET")),
            groups["MREchoSequence"].text("EffectiveEchoTime"),
            groups["MRDiffusionSequence"].text("DiffusionBValue"),
        )
        stamp = stamp_of(tags, groups)
        if place.stated:
            stamp[STORED_ORDER] = float(n)
        else:
            kind, stamp = (source.path,), {**times[n], **stamp}
        yield _Part(kind, place, pixel_of(tags, groups), stamp)


def _pointer(item: Tags) -> int:
    try:
        return int(item.data.get("DimensionIndexPointer") or 0)
    except (TypeError, ValueError):
        return 0


def _several(source: Source) -> Iterator[_Part]:
    """Frames without functional groups; each file is a cine or a volume of its own."""
    tags = source.tags
    groups = Groups.of(tags, 0)
    place, pixel, stamps = place_of(tags, groups), pixel_of(tags, groups), _frame_stamps(source)
    timed = any(clock in FRAME_CLOCKS.values() for clock in stamps[0])
    kinds: list[tuple[object, ...]] = [(source.path,)] * source.count
    offsets = _vector(source, "GridFrameOffsetVector")
    if tags.text("SOPClassUID") == NUCLEAR_MEDICINE:
        detector = tags.item("DetectorInformationSequence")
        place = place_of(detector, groups) if not place.stated else place
        step = tags.number("SpacingBetweenSlices") or 1.0
        offsets = [(number - 1) * step for number in _vector(source, "SliceVector")]
        windows = [
            _vector(source, name) for name in ("EnergyWindowVector", "DetectorVector", "RotationVector")
        ]
        kinds = [(source.path, *(window[n] for window in windows if window)) for n in range(source.count)]
    elif not offsets and not timed and tags.text("SOPClassUID") not in IN_TIME and place.stated:
        step = tags.number("SpacingBetweenSlices") or tags.number("SliceThickness") or 0.0
        offsets = [n * step for n in range(source.count)] if step else []
    if offsets and offsets[0] != 0 and not tags.items("DetectorInformationSequence"):
        # The offsets of a dose grid may be positions themselves.
        offsets = [offset - offsets[0] for offset in offsets]
    for n in range(source.count):
        yield _Part(kinds[n], place.moved(offsets[n] if offsets else 0.0), pixel, stamps[n])


def _frame_stamps(source: Source) -> list[dict[Clock, float]]:
    """What a file states of the time of its frames without functional groups."""
    count = source.count
    stamps: list[dict[Clock, float]] = [{STORED_ORDER: float(n)} for n in range(count)]
    times, tag = frame_times(source.tags, count)
    vectors = {clock: _vector(source, name) for name, clock in VECTORS.items()}
    for n, stamp in enumerate(stamps):
        if any(vectors.values()):
            stamp.update({clock: vector[n] for clock, vector in vectors.items() if vector})
        elif times:
            stamp[FRAME_CLOCKS[tag]] = times[n]
    return stamps


def _vector(source: Source, keyword: str) -> list[float]:
    """One number a frame; nothing if the file does not state it."""
    return list(source.tags.numbers(keyword, source.count) or ())
