"""Videos as cines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import open_cine, read_image

av = pytest.importorskip("av")
COUNT = 30


def write(path: Path, codec: str, colour: bool = False, options: dict[str, str] | None = None) -> None:
    """Frames of one brightness each, 25 a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "rgb8" if codec == "gif" else "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for n in range(COUNT):
            pixels = np.full((48, 64, 3), 8 * n, np.uint8)
            if colour:
                pixels[..., 2] = 0
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        container.mux(stream.encode())


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "mpeg4"), ("a.avi", "mjpeg"), ("a.mov", "mpeg4"), ("a.mkv", "mpeg4")]
)
def test_a_video_is_a_cine_with_the_times_of_its_rate(tmp_path: Path, name: str, codec: str) -> None:
    write(tmp_path / name, codec)
    cine = open_cine(tmp_path / name)
    assert (len(cine), cine.time_unit, cine.calibrated) == (COUNT, "s", False)
    np.testing.assert_allclose(cine.times, np.arange(COUNT) / 25, atol=2e-3)
    assert cine.grid.size == (64, 48, 1)


def test_frames_are_the_same_in_any_order(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", "mpeg4", options={"g": "12"})
    cine = open_cine(tmp_path / "a.mp4")
    for n in (*range(COUNT), *range(COUNT - 1, -1, -1), 3, 27, 0):
        assert abs(float(sitk.GetArrayViewFromImage(cine[n]).mean()) - 8 * n) < 6


def test_an_animated_gif_is_a_cine(tmp_path: Path) -> None:
    write(tmp_path / "a.gif", "gif")
    assert len(open_cine(tmp_path / "a.gif")) == COUNT


def test_colour_is_kept_for_those_who_show_it_and_is_grey_for_methods(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", "mpeg4", colour=True)
    cine = open_cine(tmp_path / "a.mp4")
    assert cine.read(20).GetNumberOfComponentsPerPixel() == 3
    assert cine[20].GetNumberOfComponentsPerPixel() == 1
    write(tmp_path / "b.mp4", "mpeg4")
    assert open_cine(tmp_path / "b.mp4").read(20).GetNumberOfComponentsPerPixel() == 1


def test_what_is_no_video_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"not a video" * 100)
    with pytest.raises(InputError, match=r"a\.mp4 is damaged or no video"):
        open_cine(tmp_path / "a.mp4")
    write(tmp_path / "b.mp4", "mpeg4")
    with pytest.raises(InputError, match="is a cine of 30 frames; give one image"):
        read_image(tmp_path / "b.mp4")
