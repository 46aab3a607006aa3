"""How many frames a second a page shows while its slider is dragged.

    python Benchmarks/browser.py [--seconds 10] [--chromium /usr/bin/chromium]

A cine of 256 x 256 pixels is drawn in which every frame carries its number as a bar code. The workbench is
served on this computer, a real mouse drags the slider in headless Chromium, and the numbers are read from the
pixels that the page shows.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.formats import write_cine
from LandmarkTrackerLib.images import Cine
from playwright.sync_api import Page, sync_playwright

SIZE, FRAMES, BITS, BAR = 256, 60, 6, 16
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]

# Runs in the page: notes when which frame came into view.
WATCH = f"""() => {{
  const image = document.querySelector('.layout-grid-item img');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', {{ willReadFrequently: true }});
  window.seen = [];
  image.addEventListener('load', () => {{
    const {{ naturalWidth: w, naturalHeight: h }} = image;
    canvas.width = w; canvas.height = h;
    context.drawImage(image, 0, 0);
    const scale = Math.min(w, h) / {SIZE}, left = (w - scale * {SIZE}) / 2, top = (h - scale * {SIZE}) / 2;
    let frame = 0;
    for (let bit = 0; bit < {BITS}; bit++) {{
      const x = left + scale * {BAR} * (bit + .5), y = top + scale * {BAR} / 2;
      frame += (context.getImageData(x, y, 1, 1).data[0] > 127) << bit;
    }}
    window.seen.push([performance.now(), frame]);
  }});
}}"""


def draw_cine() -> Cine:
    """Texture that moves, and the number of the frame as bright and dark bars at its top left."""
    rng = np.random.default_rng(0)
    noise = sitk.GetImageFromArray(rng.normal(size=(SIZE, SIZE + FRAMES)).astype(np.float32))
    texture = sitk.GetArrayFromImage(sitk.SmoothingRecursiveGaussian(noise, 2.0))
    texture = 128 + 40 * texture / texture.std()
    frames = []
    for t in range(FRAMES):
        pixels = texture[:, t : t + SIZE].clip(30, 225)
        for bit in range(BITS):
            pixels[:BAR, bit * BAR : (bit + 1) * BAR] = 255 if t >> bit & 1 else 0
        frames.append(sitk.GetImageFromArray(pixels[None].astype(np.uint8)))
    return Cine.of(frames, "bars")


def drag(page: Page, seconds: float) -> tuple[float, list[tuple[float, int]]]:
    """Drag the slider to and fro, one frame every 1/30 s; returns the seconds and what was seen when."""
    track = page.locator(".lt-frame .v-slider-track").bounding_box()
    assert track is not None
    y = track["y"] + track["height"] / 2
    page.mouse.move(track["x"], y)
    page.mouse.down()
    page.evaluate("window.seen = []")
    begin, step = time.perf_counter(), 0
    while (now := time.perf_counter()) < begin + seconds:
        place = step % (2 * FRAMES)
        place = min(place, 2 * FRAMES - place) / FRAMES
        page.mouse.move(track["x"] + place * track["width"], y)
        step += 1
        time.sleep(max(0.0, begin + step / 30 - now))
    page.mouse.up()
    taken = time.perf_counter() - begin
    return taken, [(at / 1000, frame) for at, frame in page.evaluate("window.seen")]


def _cpu_seconds(pid: int) -> float:
    """Processor time that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "bars.seq.nrrd"
        write_cine(file, draw_cine())
        command = [sys.executable, "-m", "LandmarkTrackerLib", "serve", str(file), "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            line = next(line for line in server.stdout if "http://" in line)
            browser = playwright.chromium.launch(executable_path=args.chromium, args=CHROMIUM)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            page.goto(re.search(r"http://\S+", line)[0])
            page.wait_for_selector(".layout-grid-item img")
            page.wait_for_timeout(2000)
            page.evaluate(WATCH)
            before = _cpu_seconds(server.pid)
            taken, seen = drag(page, args.seconds)
            cpu = _cpu_seconds(server.pid) - before
            browser.close()
        finally:
            server.terminate()
            server.wait()
    shown = [now for before, now in itertools.pairwise(seen) if now[1] != before[1]]
    gaps = 1000 * np.diff([at for at, _ in shown])
    different = len({frame for _, frame in shown})
    print(f"{len(shown) / taken:.1f} frames a second shown for {taken:.0f} s, {different} of {FRAMES} frames")
    print(f"between frames: median {np.median(gaps):.0f} ms, 95 % {np.quantile(gaps, 0.95):.0f} ms")
    print(f"{1000 * cpu / max(len(shown), 1):.0f} ms of the server's processor a frame")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
