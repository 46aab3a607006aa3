"""What each extra of the package is for, run for real: `python extras.py EXTRA FOLDER`.

`test_dependencies.py` runs this with everything hidden that the extra does not bring; `make extras` runs it
in an environment into which only the extra was installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import SimpleITK as sitk

TRAINING = """
[[data]]
phantoms = 2
frames = 2

[split]
validation = ["phantom-1001"]

[input]
size = [64, 64]
spacing = 5.0

[network]
layers = 2
width = 32

[learning]
loss = "gaussian"
patches = 4

[run]
steps = 2
batch_size = 1
validate_every = 2
threads = 1
device = "cpu"
"""


def image(seed: int, shift: int = 0) -> sitk.Image:
    """A smooth random slice of 64 x 64 pixels of 1.5 mm, moved to the left by some pixels."""
    noise = sitk.GetImageFromArray(np.random.default_rng(seed).normal(size=(64, 80)).astype(np.float32))
    smooth = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 2.0))
    found = sitk.GetImageFromArray(1000 * smooth[None, :, shift : shift + 64])
    found.SetSpacing((1.5, 1.5, 5.0))
    return found


def command(*words: object) -> None:
    """Run `landmark-tracker` in this process."""
    from LandmarkTrackerLib.cli.main import main

    code = main([str(word) for word in words])
    if code:
        raise SystemExit(f"landmark-tracker {words[0]} ended with {code}")


def base(folder: Path) -> None:
    """Track, and measure the reliability of clicks: neither needs an extra."""
    command("demo", "--output", folder / "demo")
    files = [folder / f"subject-{n}.nrrd" for n in range(2)]
    for n, file in enumerate(files):
        sitk.WriteImage(image(n), str(file))
    out = folder / "cyclic"
    command(
        "evaluate", "cyclic", files[0], "--targets", files[1], "--model", "ncc", "--step", 8, "--output", out
    )


def train(folder: Path) -> None:
    """Two steps of a training."""
    file = folder / "training.toml"
    file.write_text(TRAINING)
    command("train", "tmn", file, "--output", folder / "run")


def slicer(folder: Path) -> None:
    """The workbench in a MRML scene without a window."""
    import slicer
    from LandmarkTrackerLib.scene.workbench import workbench_of

    scene = slicer.vtkMRMLScene()
    bench = workbench_of(scene)
    scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    bench.close()


def web(folder: Path) -> None:
    """The page, asked for by its address."""
    words = [sys.executable, "-m", "LandmarkTrackerLib", "serve", "--port", "0", "--data-root", folder]
    with subprocess.Popen([*map(str, words)], stdout=subprocess.PIPE, text=True) as server:
        try:
            address = next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
            # A cookie remembers the address's token.
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            page = browser.open(address, timeout=60).read().decode()
            assert "<html" in page.lower(), page
        finally:
            server.terminate()


def video(folder: Path) -> None:
    """A video of five frames, read as a cine."""
    import av
    from LandmarkTrackerLib.formats import open_cine

    file = folder / "cine.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for n in range(5):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 * n, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    command("info", file)
    assert len(open_cine(file)) == 5


def benchmark(folder: Path) -> None:
    """The peers, on a slice that moves by 3 pixels."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Benchmarks"))
    from LandmarkTrackerLib.landmarks import LandmarkSet
    from peers import elastix_frames  # noqa: F401  (the first registration would take 12 s)
    from peers.dis_flow import DisFlow
    from peers.lucas_kanade import LucasKanade
    from peers.sift import Sift

    fixed, moving = image(0), image(0, 3)
    clicked = LandmarkSet(("a", "b"), np.array([[48.0, 48.0, 0.0], [60.0, 36.0, 0.0]]))
    for peer in (DisFlow(), LucasKanade()):
        found = peer.locate(peer.describe(fixed, clicked), moving)
        errors = found.positions - clicked.positions - (-4.5, 0, 0)
        assert np.abs(errors).max() < 1, (peer, errors)
    Sift("consistent").match(fixed, moving)


def docs(folder: Path) -> None:
    """The site; what mkdocs warns of is an error."""
    root = Path(__file__).resolve().parents[2]
    site = ["--config-file", root / "mkdocs.yml", "--site-dir", folder / "site"]
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", *map(str, site)], check=True)
    for page in ("index.html", "tracking/index.html", "python/index.html", "command_line/index.html"):
        assert (folder / "site" / page).is_file()


EXTRAS = {f.__name__: f for f in (base, train, slicer, web, video, benchmark, docs)}

if __name__ == "__main__":
    name, place = sys.argv[1:]
    Path(place).mkdir(parents=True, exist_ok=True)
    EXTRAS[name](Path(place).resolve())
    print(f"{name}: done")
