"""A track as a Slicer sequence of point lists: `.seq.mrb`, a zip with a scene and one `.mrk.json` a frame."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number, require_new, stem, written
from LandmarkTrackerLib.formats.mrk_json import document_of, write_mrk_json
from LandmarkTrackerLib.formats.times import UNSTATED_UNIT
from LandmarkTrackerLib.landmarks import Track

SUFFIX = ".seq.mrb"


def write_seq_mrb(path: Path, track: Track, *, overwrite: bool = False) -> None:
    """Write a track that Slicer's Sequences module opens: every frame's time, points, status and sigma.

    Raises:
        InputError: the name does not end with .seq.mrb, or the file exists and `overwrite` is False.
    """
    if not path.name.lower().endswith(SUFFIX):
        raise InputError(f"{path} is not a name for a sequence of landmarks; end it with {SUFFIX}")
    name = stem(path)
    # Slicer shows this as the name of the point list that is browsed.
    files = [f"Data/{name}_{frame}.mrk.json" for frame in range(len(track))]
    with written(path, overwrite) as partial, zipfile.ZipFile(partial, "w") as bundle:
        for file, landmarks in zip(files, track, strict=True):
            _add(bundle, f"{name}.seq/{file}", json.dumps(document_of(landmarks)))
        _add(bundle, f"{name}.seq/{name}.mrml", "\n".join(_scene(name, files, track)))


def _add(bundle: zipfile.ZipFile, name: str, text: str) -> None:
    # ZipInfo has a fixed date, so that the same track makes the same file.
    bundle.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)


def _scene(name: str, files: list[str], track: Track) -> Iterator[str]:
    """The lines of the MRML scene: a point list and its file for every frame, and the sequence of them."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<MRML>'
    for n, file in enumerate(files, start=1):
        yield (
            f'<MarkupsFiducial id="vtkMRMLMarkupsFiducialNode{n}" name={quoteattr(name)}'
            f" attributes={quoteattr('Sequences.BaseName:' + name)}"
            f' references="storage:vtkMRMLMarkupsJsonStorageNode{n};"></MarkupsFiducial>'
        )
        yield (
            f'<MarkupsJsonStorage id="vtkMRMLMarkupsJsonStorageNode{n}" name="MarkupsJsonStorage"'
            f' hideFromEditors="true" fileName={quoteattr(file)} coordinateSystem="LPS"></MarkupsJsonStorage>'
        )
    values = ";".join(
        f"vtkMRMLMarkupsFiducialNode{n}:{number(time)}" for n, time in enumerate(track.times, start=1)
    )
    unit = track.time_unit
    yield (
        f'<Sequence id="vtkMRMLSequenceNodeSequenceIndex" name={quoteattr(name)} singletonTag="SequenceIndex"'
        f' indexName="{"frame" if unit == "frame" else "time"}"'
        f" indexUnit={quoteattr('' if unit in ('frame', UNSTATED_UNIT) else unit)}"
        f' indexType="numeric" indexValues="{values}"></Sequence>'
    )
    yield "</MRML>"


def write_frames(folder: Path, track: Track, *, overwrite: bool = False) -> list[Path]:
    """Write one `.mrk.json` a frame, `frame_0000.mrk.json` and on. Returns their paths.

    Raises:
        InputError: one of the files exists and `overwrite` is False; then none is written.
    """
    digits = max(4, len(str(len(track) - 1)))
    files = [folder / f"frame_{frame:0{digits}d}.mrk.json" for frame in range(len(track))]
    for file in files:
        require_new(file, overwrite)
    for file, landmarks in zip(files, track, strict=True):
        write_mrk_json(file, landmarks, overwrite=overwrite)
    return files
