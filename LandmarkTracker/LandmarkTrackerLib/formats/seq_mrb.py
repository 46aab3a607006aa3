"""A track as a Slicer sequence of point lists: `.seq.mrb`, a zip with a scene and one `.mrk.json` a frame."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.files import number, require_file, stem, written
from LandmarkTrackerLib.formats.mrk_json import document_of, landmarks_of, length_unit_of
from LandmarkTrackerLib.formats.times import UNSTATED_UNIT, unit_of
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
    files = [f"Data/{name}_{frame}.mrk.json" for frame in track.numbers]
    with written(path, overwrite) as partial, zipfile.ZipFile(partial, "w") as bundle:
        for file, landmarks in zip(files, track, strict=True):
            _add(bundle, f"{name}.seq/{file}", json.dumps(document_of(landmarks, track.length_unit)))
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


def read_seq_mrb(path: Path) -> Track:
    """Read a sequence of point lists, written here or by Slicer. What a frame lacks is missing in it.

    Raises:
        InputError: the file is damaged, or holds something else than a sequence of point lists.
    """
    try:
        with zipfile.ZipFile(require_file(path)) as bundle:
            scene_file = next(name for name in bundle.namelist() if name.endswith(".mrml"))
            scene = ElementTree.fromstring(bundle.read(scene_file))
            sequence = next(scene.iter("Sequence"))
            values = [item.rpartition(":") for item in sequence.attrib["indexValues"].split(";")]
            times = np.array([float(time) for _, _, time in values])
            files = _files_in(scene)
            folder = PurePosixPath(scene_file).parent
            texts = [bundle.read(str(folder / files[node])).decode() for node, _, _ in values]
    except InputError:
        raise
    # zipfile raises OSError for an entry before the file, NotImplementedError for an unknown compression, and
    # RuntimeError for an encrypted one.
    except (
        zipfile.BadZipFile,
        zlib.error,
        ElementTree.ParseError,
        StopIteration,
        KeyError,
        ValueError,
    ) as error:
        raise InputError(f"{path} is damaged or no sequence of point lists; save it again") from error
    except (OSError, RuntimeError, EOFError) as error:
        raise InputError(f"{path} is damaged or encrypted ({error}); save it again") from error
    frames = [landmarks_of(text, path) for text in texts]
    names = tuple(dict.fromkeys(name for frame in frames for name in frame.names))
    unit = unit_of(sequence.get("indexUnit", ""), sequence.get("indexName", ""))
    length_unit = length_unit_of(texts[0]) if texts else "mm"
    return Track(times, tuple(frame.select(names) for frame in frames), unit, length_unit=length_unit)


def _files_in(scene: ElementTree.Element) -> dict[str, str]:
    """The file of each node of a scene, which names it through a storage node."""
    stored = {node.get("id", ""): unquote(node.attrib["fileName"]) for node in scene if node.get("fileName")}
    files = {}
    for node in scene:
        for reference in node.get("references", "").split(";"):
            role, _, target = reference.partition(":")
            if role == "storage" and target in stored:
                files[node.attrib["id"]] = stored[target]
    return files
