"""Make annotated folders, as a user of Slicer would have them, from the research data beside the project.

    python Benchmarks/annotated_sets.py DATA --output data/annotated

DATA holds `cardiac_edes/`, `cardiac_cine/`, `hand_xray/` and `mouse_skull/`; each becomes a folder of images
with a point list NAME.mrk.json beside every image. What is missing in DATA is left out.

The cardiac landmarks are computed from masks of the left ventricle's blood pool, or from its contours: the
centroid, and the extreme points along image columns and rows. `lv_left` has the smallest column index: the
patient's right in these images, which are stored as they are displayed.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.formats import open_cine, read_image, write_landmarks
from LandmarkTrackerLib.formats.files import stem
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.landmarks import LandmarkSet

CARDIAC = ("lv_centroid", "lv_left", "lv_right", "lv_top", "lv_bottom")


def cardiac_landmarks(mask: np.ndarray) -> dict[str, tuple[float, float]]:
    """Index (i, j) of the five landmarks in a mask (j, i); extreme points are the middle of their pixels."""
    rows, columns = np.nonzero(mask)

    def middle(on: np.ndarray) -> tuple[float, float]:
        return float(np.median(columns[on])), float(np.median(rows[on]))

    points = (
        (float(columns.mean()), float(rows.mean())),
        middle(columns == columns.min()),
        middle(columns == columns.max()),
        middle(rows == rows.min()),
        middle(rows == rows.max()),
    )
    return dict(zip(CARDIAC, points, strict=True))


def cardiac(data: Path) -> Iterator[tuple[Path, LandmarkSet]]:
    for mask in sorted((data / "lv_masks").glob("*.png")):
        points = cardiac_landmarks(sitk.GetArrayFromImage(sitk.ReadImage(str(mask))) > 0)
        grid = Grid.of(read_image(data / "images" / mask.name))
        yield (
            data / "images" / mask.name,
            LandmarkSet.of({n: grid.to_world((*p, 0.0)) for n, p in points.items()}),
        )


def hands(data: Path) -> Iterator[tuple[Path, LandmarkSet]]:
    """Landmarks "0" to "36", counted as their authors do."""
    with (data / "landmarks_px.csv").open(encoding="utf-8") as file:
        for name, *numbers in csv.reader(file):
            image = data / f"{name}.mha"
            if image.is_file():
                index = np.array(numbers, dtype=float).reshape(-1, 2)
                world = Grid.of(read_image(image)).to_world(np.pad(index, ((0, 0), (0, 1))))
                yield image, LandmarkSet(tuple(str(n) for n in range(len(world))), world)


def skulls(data: Path) -> Iterator[tuple[Path, LandmarkSet]]:
    from LandmarkTrackerLib.formats import read_landmarks

    for image in sorted(data.glob("*.nii.gz")):
        yield image, read_landmarks(image.with_name(image.name.replace(".nii.gz", ".mrk.json")))


def cine_frames(data: Path) -> Iterator[tuple[sitk.Image, str, LandmarkSet]]:
    """Frames of other patients' cines that have an expert's endocardial contour, with their own geometry."""
    from matplotlib.path import Path as Polygon

    for file in sorted(data.glob("*_contours.json")):
        for entry in json.loads(file.read_text(encoding="utf-8"))["contours"]:
            if entry["contour"] != "endocardium":
                continue
            frame = open_cine(data / f"{entry['sequence']}.seq.nrrd")[entry["frame"]]
            grid = Grid.of(frame)
            j, i = np.mgrid[: grid.size[1], : grid.size[0]]
            inside = Polygon(entry["points_px"]).contains_points(np.stack([i.ravel(), j.ravel()], axis=1))
            points = cardiac_landmarks(inside.reshape(i.shape))
            name = f"{entry['sequence']}-frame{entry['frame']:02d}"
            yield frame, name, LandmarkSet.of({n: grid.to_world((*p, 0.0)) for n, p in points.items()})


SETS = {"cardiac_edes": cardiac, "hand_xray": hands, "mouse_skull": skulls}


def make(data: Path, output: Path) -> None:
    """Write the sets that DATA holds. Files that are there already are kept."""
    for name, items in SETS.items():
        if (data / name).is_dir():
            folder = output / name
            folder.mkdir(parents=True, exist_ok=True)
            for image, landmarks in items(data / name):
                points = folder / f"{stem(image)}.mrk.json"
                if not points.exists():
                    shutil.copyfile(image, folder / image.name)
                    write_landmarks(points, landmarks)
            print(folder, len(list(folder.glob("*.mrk.json"))), "images")
    if (data / "cardiac_cine").is_dir():
        folder = output / "cardiac_cine"
        folder.mkdir(parents=True, exist_ok=True)
        for frame, name, landmarks in cine_frames(data / "cardiac_cine"):
            if not (folder / f"{name}.mrk.json").exists():
                sitk.WriteImage(frame, str(folder / f"{name}.nrrd"))
                write_landmarks(folder / f"{name}.mrk.json", landmarks)
        print(folder, len(list(folder.glob("*.mrk.json"))), "images")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--output", type=Path, default=Path("data/annotated"))
    arguments = parser.parse_args()
    make(arguments.data, arguments.output)
