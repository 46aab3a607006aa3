"""Re-encode pictures with 256 colours, at about half the size: `python palette.py PICTURE.png ...`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = 256


def with_palette(picture: Image.Image) -> Image.Image:
    """The picture in 256 colours. Rare ones, such as small markers, count for more than their area."""
    pixels = np.asarray(picture.convert("RGB"))
    colours, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    sample = np.repeat(colours, np.ceil(counts**0.4).astype(int), axis=0)[None]
    palette = Image.fromarray(sample).quantize(COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=2)
    return Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE)


for path in map(Path, sys.argv[1:]):
    before = path.stat().st_size
    with Image.open(path) as picture:
        done = None if picture.mode == "P" else with_palette(picture)
    if done is not None:
        done.save(path, "PNG", optimize=True)
        print(f"{path}: {before // 1000} kB, now {path.stat().st_size // 1000} kB")
