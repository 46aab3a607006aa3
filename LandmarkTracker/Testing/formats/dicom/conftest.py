"""DICOM files made by code: of one frame, of several, and with functional groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

STORAGE = "1.2.840.10008.5.1.4.1.1."
KINDS = {
    "CT": "2",
    "ECT": "2.1",
    "MR": "4",
    "EMR": "4.1",
    "US": "3.1",
    "XA": "12.1",
    "SC": "7",
    "NM": "20",
    "SR": "88.11",
    "DOSE": "481.2",
    "CR": "1",
}
AXIAL, SAGITTAL, CORONAL = (1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1)
OBLIQUE = (0.8, 0.0, -0.6, 0.0, 1.0, 0.0)

Write = Callable[..., Path]


def dataset(items: dict[str, Any]) -> Dataset:
    """Tags by keyword; a list of dictionaries is a sequence."""
    data = Dataset()
    for keyword, value in items.items():
        nested = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
        setattr(data, keyword, [dataset(item) for item in value] if nested else value)
    return data


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a DICOM file in the folder of the test. Tags by keyword; one that is None is left out.

    Args:
        pixels: (rows, columns) or (frames, rows, columns), and three colours at the end; a number fills one
            of 5 x 7 pixels; None for a file without.
    """
    numbers = count(1)

    def one(pixels: Any, kind: str = "MR", name: str = "", **tags: Any) -> Path:
        n = next(numbers)
        path = tmp_path / (name or f"{n:04d}.dcm")
        path.parent.mkdir(parents=True, exist_ok=True)
        stated: dict[str, Any] = {
            "SOPClassUID": STORAGE + KINDS[kind],
            "SOPInstanceUID": f"1.2.3.4.{n}",
            "Modality": kind.removeprefix("E") if kind != "DOSE" else "RTDOSE",
            "SeriesInstanceUID": "1.2.3",
            "StudyInstanceUID": "1.2",
            "SeriesNumber": 5,
            "SeriesDescription": "SSFP SA",
        }
        if kind in ("MR", "CT", "DOSE"):
            stated |= {
                "ImagePositionPatient": [-30.5, 12.25, 7.0],
                "ImageOrientationPatient": list(OBLIQUE),
                "PixelSpacing": [1 / 3, 1.25],
                "SliceThickness": 8.0,
            }
        data = dataset({key: value for key, value in (stated | tags).items() if value is not None})
        if pixels is not None:
            _add_pixels(data, np.full((5, 7), pixels) if np.isscalar(pixels) else np.asarray(pixels), tags)
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = UID(stated["SOPClassUID"])
        data.file_meta.MediaStorageSOPInstanceUID = UID(data.get("SOPInstanceUID", "1.2"))
        data.save_as(path, enforce_file_format=True)
        return path

    return one


def _add_pixels(data: Dataset, pixels: np.ndarray, tags: dict[str, Any]) -> None:
    colour = pixels.shape[-1] == 3 and pixels.dtype == np.uint8 and pixels.ndim > 2
    shape = pixels.shape[:-1] if colour else pixels.shape
    pixels = pixels if pixels.dtype == np.uint8 else pixels.astype("<i2")
    bits = pixels.dtype.itemsize * 8
    layout = {
        "Rows": shape[-2],
        "Columns": shape[-1],
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(bits == 16),
        **({"PlanarConfiguration": 0} if colour else {}),
        **({"NumberOfFrames": shape[0]} if len(shape) == 3 else {}),
    }
    for keyword, value in layout.items():
        if keyword not in tags:
            setattr(data, keyword, value)
    data.add_new("PixelData", "OB" if bits == 8 else "OW", pixels.tobytes() + b"\0" * (pixels.nbytes % 2))


@pytest.fixture
def enhanced(write: Write) -> Callable[..., Path]:
    """Write an enhanced MR file of 1.25 mm pixels.

    Args:
        places: z (mm) of every frame, in stored order; None leaves positions out.
        content: tags of each frame's FrameContentSequence.
        cardiac: trigger delay of each frame, ms.
        dimensions: keywords of the pointers of the dimension indices.
    """

    def one(
        places: Sequence[float] | None,
        content: Sequence[dict[str, Any]] = (),
        cardiac: Sequence[float] = (),
        dimensions: Sequence[int] = (),
        kind: str = "EMR",
        frames: int = 0,
        **tags: Any,
    ) -> Path:
        count_ = frames or len(places or content)
        groups: list[dict[str, Any]] = []
        for n in range(count_):
            group: dict[str, Any] = {"FrameContentSequence": [content[n] if content else {"StackID": "1"}]}
            if places is not None:
                group["PlanePositionSequence"] = [{"ImagePositionPatient": [-40.0, -40.0, float(places[n])]}]
            if cardiac:
                group["CardiacSynchronizationSequence"] = [
                    {"NominalCardiacTriggerDelayTime": float(cardiac[n])}
                ]
            groups.append(group)
        shared = {
            "PlaneOrientationSequence": [{"ImageOrientationPatient": list(AXIAL)}],
            "PixelMeasuresSequence": [{"PixelSpacing": [1.25, 1.25], "SliceThickness": 8.0}],
        }
        pixels = np.arange(count_)[:, None, None] * 10 + np.arange(35).reshape(5, 7) % 10
        pointers = [{"DimensionIndexPointer": tag} for tag in dimensions]
        return write(
            pixels,
            kind,
            SharedFunctionalGroupsSequence=[shared],
            PerFrameFunctionalGroupsSequence=groups,
            **({"DimensionIndexSequence": pointers} if pointers else {}),
            **tags,
        )

    return one
