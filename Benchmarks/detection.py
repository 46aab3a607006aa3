"""How long a detector takes for one image: milliseconds, at the paper's width and at the shipped width.

    python Benchmarks/detection.py [--threads 2]

The networks have random weights where none are shipped: time does not depend on them. Everything between an
image and its landmarks is counted: resampling, network, peaks. The fastest of the repeats is what the machine
does when nothing else runs on it. CUDA is measured where there is a device.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
import torch
from LandmarkTrackerLib.methods.heatmap.detector import HeatmapConfig, HeatmapDetector
from LandmarkTrackerLib.methods.network_grid import InputConfig
from LandmarkTrackerLib.networks.heatmap import Architecture, HeatmapNetwork, NetworkConfig
from LandmarkTrackerLib.weights import Model, load_model, model_names

SHIPPED = "scn-cardiac-lv"


@dataclass(frozen=True)
class Case:
    """A network, its input, and an image of `image` pixels (i, j, k)."""

    title: str
    network: NetworkConfig
    size: tuple[int, ...]
    image: tuple[int, int, int]
    landmarks: int


def cases() -> list[Case]:
    hand, brain = (512, 512, 1), (96, 128, 32)
    titles: dict[Architecture, str] = {"scn": "SCN", "unet": "Localization U-Net", "la": "LA-Net"}
    return [
        Case(f"{title}, width {width}", NetworkConfig(name, width), size[:d], size, count)
        for size, d, count, width in ((hand, 2, 37, 128), (brain, 3, 28, 64))
        for name, title in titles.items()
    ]


def random_detector(case: Case, device: str) -> HeatmapDetector:
    names = tuple(str(n) for n in range(case.landmarks))
    config = HeatmapConfig(names, case.network, InputConfig(case.size), 100.0, (0.0, 1.0))
    network = HeatmapNetwork(case.network, len(case.size), case.landmarks)
    return HeatmapDetector(Model("random", "heatmap", config.to_dict(), network.state_dict(), {}), device)


def milliseconds(detector: HeatmapDetector, size: tuple[int, int, int], repeats: int) -> list[float]:
    """Of `repeats` images after one to warm up."""
    rng = np.random.default_rng(0)
    image = sitk.GetImageFromArray(rng.random(size[::-1], dtype=np.float32))
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        detector.detect(image)
        times.append(1000 * (time.perf_counter() - began))
    return times[1:]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    print("| network | image | landmarks | parameters | device | median ms | fastest ms |")
    print("| --- | --- | ---: | ---: | --- | ---: | ---: |")
    for device in devices:
        rows = [(case.title, random_detector(case, device), case.image) for case in cases()]
        if SHIPPED in model_names():
            rows.append((SHIPPED, HeatmapDetector(load_model(SHIPPED), device), (512, 512, 1)))
        for title, detector, size in rows:
            times = milliseconds(detector, size, args.repeats)
            count = sum(p.numel() for p in detector.network.parameters())
            shown = " × ".join(str(n) for n in size if n > 1)
            where = "cuda" if device == "cuda" else f"cpu, {args.threads} threads"
            median, fastest = statistics.median(times), min(times)
            cells = (
                title,
                shown,
                len(detector.names),
                f"{count:,}",
                where,
                f"{median:.0f}",
                f"{fastest:.0f}",
            )
            print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


if __name__ == "__main__":
    main()
