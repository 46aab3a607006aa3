"""Frames that a file keeps as the slices of a volume."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.cli.main import main
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine
from LandmarkTrackerLib.geometry import Grid

SHAPE = (4, 5, 6)  # k, j, i


@pytest.fixture
def volume() -> sitk.Image:
    image = sitk.GetImageFromArray(np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE))
    image.SetSpacing((1.5, 2.0, 3.0))
    image.SetOrigin((10.0, 20.0, 30.0))
    image.SetDirection((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1))
    return image


@pytest.mark.parametrize(("axis", "count"), [("i", 6), ("j", 5), ("k", 4)])
def test_any_axis_may_count_frames(tmp_path: Path, volume: sitk.Image, axis: str, count: int) -> None:
    sitk.WriteImage(volume, str(tmp_path / "a.mha"))
    cine = open_cine(tmp_path / "a.mha", frames_axis=axis, frame_rate=4.0)
    assert cine.times == [n / 4 for n in range(count)]
    assert cine.time_unit == "s"
    array = sitk.GetArrayFromImage(volume)
    for n in (0, count - 1):
        expected = array.take(n, {"i": 2, "j": 1, "k": 0}[axis])
        assert (sitk.GetArrayFromImage(cine[n])[0] == expected).all()
    # A pixel of a frame lies where it lay in the first slice of the volume.
    index = {"i": (0, 3, 2), "j": (3, 0, 2), "k": (3, 2, 0)}[axis]
    within = {"i": (3, 2, 0), "j": (3, 2, 0), "k": (3, 2, 0)}[axis]
    np.testing.assert_allclose(cine.grid.to_world(within), Grid.of(volume).to_world(index))


def test_a_volume_is_no_cine_unless_said_so_and_the_sentence_says_how(
    tmp_path: Path, volume: sitk.Image
) -> None:
    sitk.WriteImage(volume, str(tmp_path / "a.nrrd"))
    sitk.WriteImage(volume, str(tmp_path / "a.mha"))
    with pytest.raises(InputError, match="--frames-axis k"):
        open_cine(tmp_path / "a.mha")


@pytest.mark.parametrize("content", [4, {"frame_rate": 4.0}])
@pytest.mark.parametrize("name", ["frame-rate.json", "A_001_frame-rate.json"])
def test_the_rate_is_read_from_a_file_beside(
    tmp_path: Path, volume: sitk.Image, content: object, name: str
) -> None:
    sitk.WriteImage(volume, str(tmp_path / "A_001_frames.mha"))
    (tmp_path / name).write_text(json.dumps(content))
    assert open_cine(tmp_path / "A_001_frames.mha", frames_axis="k").times == [0, 0.25, 0.5, 0.75]
    (tmp_path / name).write_text('"fast"')
    with pytest.raises(InputError, match="must hold the frames a second"):
        open_cine(tmp_path / "A_001_frames.mha", frames_axis="k")


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_an_impossible_rate_is_refused(tmp_path: Path, volume: sitk.Image, rate: float) -> None:
    sitk.WriteImage(volume, str(tmp_path / "a.mha"))
    with pytest.raises(InputError, match="give a number above 0"):
        open_cine(tmp_path / "a.mha", frames_axis="k", frame_rate=rate)


def test_the_shell_knows_both_options(tmp_path: Path, volume: sitk.Image, capsys) -> None:
    sitk.WriteImage(volume, str(tmp_path / "a.mha"))
    assert main(["info", str(tmp_path / "a.mha"), "--frames-axis", "i", "--frame-rate", "10"]) == 0
    assert "cine of 6 frames, 0 to 0.5 s" in capsys.readouterr().out


def plus(path: Path, stamps: list[float]) -> None:
    """A sequence as PLUS writes it."""
    lines = ["ObjectType = Image", "NDims = 3", "BinaryData = True", "BinaryDataByteOrderMSB = False"]
    lines += ["CompressedData = False", f"DimSize = 6 5 {len(stamps)}", "ElementSpacing = 1 1 1"]
    lines += ["Offset = 0 0 0", "TransformMatrix = 1 0 0 0 1 0 0 0 1", "ElementType = MET_UCHAR"]
    lines += ["Kinds = domain domain list"]
    lines += [f"Seq_Frame{n:04d}_Timestamp = {stamp}" for n, stamp in enumerate(stamps)]
    pixels = np.arange(30 * len(stamps), dtype=np.uint8)
    path.write_bytes("\n".join([*lines, "ElementDataFile = LOCAL", ""]).encode() + pixels.tobytes())


def test_a_sequence_of_plus_is_a_cine_with_its_time_stamps_and_not_calibrated(tmp_path: Path) -> None:
    plus(tmp_path / "probe.igs.mha", [0.0, 0.1, 0.25])
    cine = open_cine(tmp_path / "probe.igs.mha")
    assert (cine.times, cine.time_unit, cine.calibrated, cine.name) == ([0.0, 0.1, 0.25], "s", False, "probe")
    assert sitk.GetArrayFromImage(cine[1])[0, 0, 0] == 30


def test_time_stamps_that_do_not_rise_are_frame_numbers_and_it_is_said(tmp_path: Path) -> None:
    plus(tmp_path / "probe.igs.mha", [0.0, 0.2, 0.2])
    cine = open_cine(tmp_path / "probe.igs.mha")
    assert (cine.times, cine.time_unit) == ([0.0, 1.0, 2.0], "frame")
    assert any("do not rise" in note for note in cine.notes)


def test_frame_labels_of_slicers_multivolume_are_times(tmp_path: Path) -> None:
    header = (
        "NRRD0005\ntype: int16\ndimension: 4\nspace: left-posterior-superior\nsizes: 3 4 5 1\n"
        "space directions: none (1.25,0,0) (0,1.25,0) (0,0,8)\nkinds: list domain domain domain\n"
        "endian: little\nencoding: raw\nspace origin: (0,0,0)\nMultiVolume.FrameLabels:=0,40,80\n"
        "MultiVolume.FrameIdentifyingUnits:=ms\n\n"
    )
    path = tmp_path / "multi.nrrd"
    path.write_bytes(header.encode() + np.arange(60, dtype="<i2").tobytes())
    cine = open_cine(path)
    assert (cine.times, cine.time_unit) == ([0.0, 40.0, 80.0], "ms")
    stamps = "".join(f"Seq_Frame{n:04d}_Timestamp:={t}\n" for n, t in enumerate((1.0, 1.5, 2.5)))
    plain = re.sub("MultiVolume.*\n", "", header.rstrip("\n"))
    path.write_bytes((plain + "\n" + stamps + "\n").encode() + np.arange(60, dtype="<i2").tobytes())
    assert open_cine(path).times == [1.0, 1.5, 2.5]
