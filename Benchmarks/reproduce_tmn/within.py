"""The within-subject rows of Table 1 and Fig. 7A (sections III.B and III.C.1), on cines of known motion.

The paper's cines are not public. In their place: simulated breathing torsos, which know where every landmark
is in every frame, and short-axis hearts, in two frames of which an expert drew the endocardium. There errors
are distances to the drawn contour, along which a point may slide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from LandmarkTrackerLib.evaluation.cyclic import ErrorMap, cyclic_error, template_error
from LandmarkTrackerLib.field import Field
from LandmarkTrackerLib.formats import open_cine, read_image
from LandmarkTrackerLib.images import Cine, pixels
from LandmarkTrackerLib.landmarks import Array, LandmarkSet
from LandmarkTrackerLib.methods.protocols import Locator
from LandmarkTrackerLib.simulation.phantom import Phantom
from LandmarkTrackerLib.step import Step
from LandmarkTrackerLib.training.config import SplitConfig, data_folder, read_config
from LandmarkTrackerLib.training.tmn_data import TmnConfig
from metrics import distance_to_contour
from scipy.ndimage import binary_fill_holes, map_coordinates

from reproduce_tmn.config import MapsConfig, WithinName
from reproduce_tmn.spread import Spread

RECIPES = Path(__file__).parents[2] / "Docs" / "recipes"
# Where the images, their split and the network's field are from.
FILES: dict[WithinName, str] = {"phantom": "tmn-phantom-torso.toml", "cardiac": "tmn-cardiac-cine.toml"}
CONTOUR_POINTS, RAYS = 8, 90
# Of a hole in a myocardium mask that is smaller, no contour can be told: pixels.
LEAST_HOLE = 20


@dataclass(frozen=True)
class Within:
    """A cine of a test patient.

    Attributes:
        row: of Table 1.
        source, target: frames at rest, and of most motion.
        landmarks: in the source frame.
        truth: frame to where they are (N, 3) LPS mm; or to the contour (M, 3) that they are on.
        contour: whether it is one.
    """

    row: str
    cine: Cine
    source: int
    target: int
    landmarks: LandmarkSet
    truth: Mapping[int, Array]
    contour: bool

    def errors(self, frame: int, found: Array) -> Array:
        """(N,) mm."""
        truth = self.truth[frame]
        return distance_to_contour(found, truth) if self.contour else np.linalg.norm(found - truth, axis=1)


def training_of(name: WithinName) -> TmnConfig:
    """The training file whose images, split and field are used."""
    return read_config(RECIPES / FILES[name], TmnConfig)


def cases_of(name: WithinName) -> list[Within]:
    """The cines of the test patients. Raises InputError if the images are nowhere."""
    split = training_of(name).split
    if name == "phantom":
        return [_torso(patient) for patient in split.test]
    return [*_sunnybrook(training_of(name).data[0].path, split), *_acdc(data_folder() / "acdc_cine")]


def measured(
    locator: Locator, cases: list[Within], config: MapsConfig, field: Field
) -> Iterator[tuple[float, dict[str, dict[str, float]]]]:
    """Share done, and a row's figures of what is measured: landmarks with one example from the source frame,
    template matching, and the cyclic error of `images` pairs of source and target."""
    spreads: dict[tuple[str, str], Spread] = {}

    def spread(row: str, kind: str) -> Spread:
        return spreads.setdefault((row, kind), Spread())

    of_row: dict[str, int] = {}
    for number, case in enumerate(cases):
        examples = locator.describe(case.cine[case.source], case.landmarks)
        pitch = field.pitch(case.cine.grid)
        for frame in sorted(set(case.truth) - {case.source}):
            # The paper's answer: by the example alone, in every frame anew.
            found = locator.locate(examples, case.cine[frame]).positions
            spread(case.row, "").add(case.errors(frame, found) / pitch)
            # What a patient's cine would be off if nothing moved, the paper's motion-induced displacement.
            spread(case.row, "still").add(case.errors(frame, case.landmarks.positions) / pitch)
        before = of_row.get(case.row, 0)
        of_row[case.row] = before + 1
        for image in _template_images(case, before, config):
            last = _last(template_error(locator, image, config.template_step))
            spread(case.row, "template").add(last.errors / pitch)
        if before < config.images:
            source, targets = case.cine[case.source], {"target": partial(case.cine.__getitem__, case.target)}
            last = _last(cyclic_error(locator, source, targets, config.step))
            spread(case.row, "cyclic").add(last.errors / pitch)
        figures: dict[str, dict[str, float]] = {}
        for (row, kind), one in spreads.items():
            figures.setdefault(row, {}).update(one.figures(kind))
        yield (number + 1) / len(cases), figures


def _template_images(case: Within, before: int, config: MapsConfig) -> list[sitk.Image]:
    if not config.template_images:
        return list(case.cine)
    return [case.cine[case.source]] if before < config.template_images else []


def _last(steps: Iterator[Step[ErrorMap]]) -> ErrorMap:
    *_, last = steps
    assert last.result is not None
    return last.result


def _torso(patient: str) -> Within:
    phantom = Phantom(int(patient.removeprefix("phantom-")))
    track = phantom.track()
    height = track.positions[:, :, 2].mean(axis=1)
    # The organs go down as the patient breathes in.
    source, target = int(height.argmax()), int(height.argmin())
    truth = dict(enumerate(track.positions))
    return Within("phantom", phantom.cine(), source, target, track[source], truth, contour=False)


def _sunnybrook(folder: Path, split: SplitConfig) -> Iterator[Within]:
    for patient in split.test:
        file = folder / f"{patient}_contours.json"
        if not file.exists():
            continue
        by_slice: dict[str, dict[int, Array]] = {}
        for contour in json.loads(file.read_text(encoding="utf-8"))["contours"]:
            if contour["contour"] == "endocardium":
                points = np.pad(np.array(contour["points_px"], dtype=float), ((0, 0), (0, 1)))
                by_slice.setdefault(contour["sequence"], {})[contour["frame"]] = points
        for name, frames in sorted(by_slice.items()):
            cine = open_cine(folder / f"{name}.seq.nrrd")
            if len(frames) == 2:
                yield _heart("cardiac_cine", cine, {f: cine.grid.to_world(p) for f, p in frames.items()})


def _acdc(folder: Path) -> Iterator[Within]:
    """None where the folder is not there: the network is not trained on it."""
    for place in sorted(folder.glob("patient*")):
        cine = open_cine(place / "frames")
        order = {path.name: n for n, path in enumerate(sorted((place / "frames").iterdir()))}
        contours = {}
        for mask in sorted((place / "myocardium").iterdir()):
            points = _hole(pixels(read_image(mask))[0] > 0)
            if points is not None:
                contours[order[mask.name]] = cine.grid.to_world(np.pad(points, ((0, 0), (0, 1))))
        if len(contours) == 2:
            yield _heart("acdc_cine", cine, contours)


def _hole(mask: np.ndarray) -> Array | None:
    """(RAYS, 2) columns and rows of the border of what a ring encloses, seen from its middle."""
    hole = binary_fill_holes(mask) & ~mask
    if hole.sum() < LEAST_HOLE:
        return None
    middle = np.argwhere(hole).mean(axis=0)
    turn = np.arange(RAYS) * 2 * np.pi / RAYS
    away = np.arange(0, max(mask.shape), 0.1)
    places = middle[:, None, None] + np.stack([np.sin(turn), np.cos(turn)])[:, :, None] * away
    inside = map_coordinates(hole.astype(float), places, order=1) >= 0.5
    reach = away[np.argmin(inside, axis=1)]
    return np.stack([middle[1] + np.cos(turn) * reach, middle[0] + np.sin(turn) * reach], axis=1)


def _heart(row: str, cine: Cine, contours: Mapping[int, Array]) -> Within:
    """From the frame with the larger contour, end-diastole, to the other."""
    systole, diastole = sorted(contours, key=lambda frame: _length(contours[frame]))
    contour = contours[diastole]
    chosen = contour[np.linspace(0, len(contour), CONTOUR_POINTS, endpoint=False).astype(int)]
    names = tuple(f"endocardium {n + 1}" for n in range(CONTOUR_POINTS))
    return Within(row, cine, diastole, systole, LandmarkSet(names, chosen), contours, contour=True)


def _length(contour: Array) -> float:
    return float(np.linalg.norm(np.roll(contour, -1, axis=0) - contour, axis=1).sum())


def draw_tracks(path: Path, locator: Locator, case: Within) -> None:
    """Fig. 7A: frames of one cine with the landmark that moves most, as found (red) and as known (green), and
    how far it has moved by the time."""
    from matplotlib.figure import Figure

    examples = locator.describe(case.cine[case.source], case.landmarks)
    found = np.stack([locator.locate(examples, image).positions for image in case.cine])
    home = case.landmarks.positions
    moved = np.linalg.norm(found - home, axis=2)
    row = int(np.nan_to_num(moved).max(axis=0).argmax())
    if not case.contour:
        row = int(np.linalg.norm(case.truth[case.target] - home, axis=1).argmax())
        known = {f: float(np.linalg.norm(p[row] - home[row])) for f, p in case.truth.items()}
    figure = Figure(figsize=(9.0, 4.6), layout="constrained")
    grid = figure.add_gridspec(2, 5, height_ratios=(1.3, 1))
    for column, frame in enumerate(np.linspace(case.source, case.target, 5).round().astype(int)):
        ax = figure.add_subplot(grid[0, column])
        ax.imshow(pixels(case.cine[int(frame)])[0], cmap="gray")
        truth = case.truth.get(int(frame))
        if truth is not None:
            index = case.cine.grid.to_index(truth if case.contour else truth[row : row + 1])
            ax.plot(*index.T[:2], "-" if case.contour else "o", color="#009E73", ms=5, lw=1)
        ax.plot(*case.cine.grid.to_index(found[frame, row])[:2], "o", color="#D55E00", ms=3.5)
        ax.set_title(f"frame {frame}", fontsize=9)
        ax.set_axis_off()
    ax = figure.add_subplot(grid[1, :])
    times = np.asarray(case.cine.times, dtype=float)
    ax.plot(times, moved[:, row], color="#D55E00", label="found")
    if not case.contour:
        ax.plot(times[list(known)], list(known.values()), color="#009E73", lw=1, label="known")
    ax.set_xlabel(f"time ({case.cine.time_unit})")
    ax.set_ylabel("displacement (mm)")
    ax.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=110, format="png")
