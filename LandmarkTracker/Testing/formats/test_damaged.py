"""Files that are damaged, hostile or out of reach: a value, or one sentence that says the true cause."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as draw
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image, read_landmarks, write_cine, write_landmarks
from LandmarkTrackerLib.formats.describe import describe_file
from LandmarkTrackerLib.formats.files import unpack
from LandmarkTrackerLib.landmarks import LandmarkSet

NAMES = ("a.nii", "b.nii.gz", "c.mha", "d.nrrd", "e.png", "f.mrk.json", "g.fcsv", "h.csv")
PIXELS = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
MHD = """ObjectType = Image
NDims = 3
DimSize = 5 4 3
ElementSpacing = 1 1 1
ElementType = MET_SHORT
ElementDataFile = LOCAL
"""
NRRD = """NRRD0004
type: short
dimension: 3
sizes: 5 4 3
kinds: domain domain domain
encoding: raw
endian: little
"""


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> dict[str, bytes]:
    """A small valid file of several formats, by name."""
    folder = tmp_path_factory.mktemp("good")
    volume = sitk.GetImageFromArray(PIXELS)
    for name in ("a.nii", "b.nii.gz", "c.mha", "d.nrrd"):
        sitk.WriteImage(volume, str(folder / name))
    sitk.WriteImage(sitk.Cast(volume[:, :, 0], sitk.sitkUInt8), str(folder / "e.png"))
    for name in ("f.mrk.json", "g.fcsv", "h.csv"):
        write_landmarks(folder / name, LandmarkSet.of({"a": (1.0, 2.0, 3.0), "b": (4.0, 5.0, 6.0)}))
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=draw.data())
def test_changed_bytes_give_a_value_or_a_sentence(originals, tmp_path, name, data) -> None:
    content = bytearray(originals[name])
    for place in data.draw(draw.lists(draw.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(draw.integers(0, 255))
    end = data.draw(draw.integers(0, len(content)))
    path = tmp_path / name
    path.write_bytes(bytes(content[:end]))
    try:
        answer = describe_file(path)
    except InputError as error:
        answer = [str(error)]
    assert answer
    assert not any("\n" in line for line in answer)


@pytest.mark.parametrize("axes", ["-1", "99", "1000000", "x"])
def test_a_meta_image_with_impossible_axes_is_refused(tmp_path: Path, axes: str) -> None:
    header = MHD.replace("NDims = 3", f"NDims = {axes}")
    (tmp_path / "a.mha").write_bytes(header.encode() + PIXELS.tobytes())
    with pytest.raises(InputError, match="MetaImage header"):
        read_image(tmp_path / "a.mha")


@pytest.mark.parametrize("outside", ["absolute", "above"])
def test_a_header_reads_no_file_that_nobody_has_named(tmp_path: Path, outside: str) -> None:
    (tmp_path / "secret.raw").write_bytes(PIXELS.tobytes())
    below = tmp_path / "study"
    below.mkdir()
    name = str(tmp_path / "secret.raw") if outside == "absolute" else "../secret.raw"
    (below / "a.mhd").write_text(MHD.replace("LOCAL", name))
    (below / "b.nhdr").write_text(f"{NRRD}data file: {name}\n\n")
    for file in ("a.mhd", "b.nhdr"):
        with pytest.raises(InputError, match="does not lie beside or below it"):
            read_image(below / file)
    (below / "data").mkdir()
    (below / "data" / "mine.raw").write_bytes(PIXELS.tobytes())
    (below / "a.mhd").write_text(MHD.replace("LOCAL", "data/mine.raw"))
    (below / "b.nhdr").write_text(f"{NRRD}data file: data/mine.raw\n\n")
    for file in ("a.mhd", "b.nhdr"):
        assert (sitk.GetArrayFromImage(read_image(below / file)) == PIXELS).all()


def test_unpacking_stops_at_the_declared_size(tmp_path: Path, monkeypatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    bomb = zlib.compress(PIXELS.tobytes() + bytes(50_000_000), 1)
    header = MHD.replace("ElementType", "CompressedData = True\nElementType")
    (tmp_path / "a.mha").write_bytes(header.encode() + bomb)
    largest = 0
    write = Path.open

    def watched(self: Path, *arguments, **named):
        nonlocal largest
        largest = max([largest, *(p.stat().st_size for p in scratch.rglob("*") if p.is_file())])
        return write(self, *arguments, **named)

    monkeypatch.setattr(Path, "open", watched)
    assert (sitk.GetArrayFromImage(read_image(tmp_path / "a.mha")) == PIXELS).all()
    assert largest <= PIXELS.nbytes


def test_skipping_more_lines_than_there_are_ends(tmp_path: Path) -> None:
    header = NRRD.replace("dimension: 3", "dimension: 4").replace("5 4 3", "5 4 1 3")
    header = header.replace("domain domain domain", "domain domain domain list")
    (tmp_path / "a.seq.nrrd").write_bytes(f"{header}line skip: 10000000000\n\n".encode() + PIXELS.tobytes())
    with pytest.raises(InputError, match="cut short"):
        open_cine(tmp_path / "a.seq.nrrd")[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in this system's folders")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.nii")
    with pytest.raises(InputError, match="is a pipe or a device"):
        read_image(tmp_path / "a.nii")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow UTF-8 names only")
def test_a_name_that_is_not_utf_8_is_said_to_be_so(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.nii"))
    path.write_bytes(b"x")
    for read in (read_image, read_landmarks, describe_file):
        with pytest.raises(InputError, match="not valid UTF-8; rename"):
            read(path)


def test_a_full_temporary_folder_is_not_blamed_on_the_file() -> None:
    class Full(io.BytesIO):
        def write(self, _block: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InputError) as caught:
        unpack(io.BytesIO(b"pixels"), Full(), Path("a.nii.gz"), 10)
    assert f"the temporary folder {tempfile.gettempdir()} is full" in str(caught.value)


def test_what_imagej_states_is_taken(tmp_path: Path) -> None:
    frames = np.arange(3 * 8 * 9, dtype=np.uint16).reshape(3, 8, 9)
    tifffile.imwrite(
        tmp_path / "a.tif",
        frames,
        imagej=True,
        resolution=(0.8, 0.8),
        metadata={"axes": "TYX", "finterval": 0.04, "unit": "mm"},
    )
    cine = open_cine(tmp_path / "a.tif")
    assert cine.times == pytest.approx([0.0, 0.04, 0.08])
    assert (cine.time_unit, cine.calibrated) == ("s", True)
    assert cine.grid.spacing[:2] == pytest.approx((1.25, 1.25))
    assert (sitk.GetArrayFromImage(cine[2])[0] == frames[2]).all()


def scene_with(path: Path, cines: list[bytes]) -> None:
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("scene/scene.mrml", "<MRML/>")
        for n, content in enumerate(cines):
            bundle.writestr(f"scene/Data/cine {n}.seq.nrrd", content)


def test_a_scene_with_one_cine_is_that_cine(tmp_path: Path, oblique_cine) -> None:
    write_cine(tmp_path / "a.seq.nrrd", oblique_cine[0])
    content = (tmp_path / "a.seq.nrrd").read_bytes()
    scene_with(tmp_path / "one.mrb", [content])
    cine = open_cine(tmp_path / "one.mrb")
    assert len(cine) == len(oblique_cine[0])
    assert cine.grid.same_place(oblique_cine[0].grid)
    assert sitk.Hash(cine[1]) == sitk.Hash(open_cine(tmp_path / "a.seq.nrrd")[1])
    scene_with(tmp_path / "two.mrb", [content, content])
    with pytest.raises(InputError, match=r"holds 2 cines .cine 0\.seq\.nrrd, cine 1\.seq\.nrrd., not one"):
        open_cine(tmp_path / "two.mrb")
    scene_with(tmp_path / "none.mrb", [])
    with pytest.raises(InputError, match="holds 0 cines"):
        open_cine(tmp_path / "none.mrb")
    (tmp_path / "no.mrb").write_bytes(b"no zip")
    with pytest.raises(InputError, match="no saved scene"):
        open_cine(tmp_path / "no.mrb")


def test_a_reader_that_has_seen_enough_ends_info_quietly(tmp_path: Path, root: Path) -> None:
    points = LandmarkSet.of({f"point {n}": (n, 0.0, 0.0) for n in range(3000)})
    write_landmarks(tmp_path / "many.mrk.json", points)
    environment = os.environ | {"PYTHONPATH": str(root / "LandmarkTracker")}
    command = [sys.executable, "-m", "LandmarkTrackerLib", "info", str(tmp_path / "many.mrk.json")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == 0
