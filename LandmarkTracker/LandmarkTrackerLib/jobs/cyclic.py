"""The reliability of clicks in each of some images: errors through themselves and through others."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from LandmarkTrackerLib.appearance import turn_like
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.evaluation.cyclic import ErrorMap, body, cyclic_error, template_error
from LandmarkTrackerLib.formats import read_image
from LandmarkTrackerLib.formats.files import stem
from LandmarkTrackerLib.formats.tables import write_table
from LandmarkTrackerLib.geometry import Grid
from LandmarkTrackerLib.images import as_volume
from LandmarkTrackerLib.jobs.export import all_or_nothing, refuse_existing
from LandmarkTrackerLib.landmarks import Array
from LandmarkTrackerLib.methods.protocols import Locator
from LandmarkTrackerLib.step import Step

TABLE, PICTURE = "cyclic.csv", "cyclic.png"
PARTS = 1000  # of the whole work, that progress counts


@dataclass(frozen=True)
class Reliability:
    """One source image: its error sought in itself, and through other images; mm."""

    name: str
    image: sitk.Image
    template: ErrorMap
    cyclic: ErrorMap
    targets: tuple[str, ...]


def reliability_of(
    sources: Mapping[str, Callable[[], sitk.Image]],
    targets: Mapping[str, Callable[[], sitk.Image]],
    locator: Locator,
    count: int = 10,
    step: int = 2,
    seed: int = 0,
) -> Iterator[Step[Reliability]]:
    """Template matching and the cyclic error of every source, over `count` targets drawn at random.

    A target is turned like its source. A source that is among the targets is not sought in itself.

    Raises:
        InputError: no target is left for a source, or an image cannot be used.
    """
    for number, (name, read) in enumerate(sources.items()):
        image = as_volume(read())
        others = sorted(set(targets) - {name})
        drawn = np.random.default_rng((seed, number)).permutation(len(others))[:count]
        chosen = tuple(others[n] for n in sorted(drawn))
        like = partial(turned_like, Grid.of(image))
        maps: list[ErrorMap] = []
        parts = (
            template_error(locator, image, step),
            cyclic_error(locator, image, {t: partial(like, targets[t]) for t in chosen}, step),
        )
        # Seeking in itself is one search, through another image two.
        weights = np.array([1, 2 * len(chosen)]) / (1 + 2 * len(chosen))
        for part, weight, before in zip(parts, weights, (0, weights[0]), strict=True):
            for now in part:
                share = (number + before + weight * now.done / now.total) / len(sources)
                if now.result is not None:
                    maps.append(now.result)
                if len(maps) < 2:
                    yield Step(int(PARTS * share), PARTS)
        found = Reliability(name, image, maps[0], maps[1], chosen)
        yield Step(round(PARTS * (number + 1) / len(sources)), PARTS, found)


def reliability_of_files(
    sources: Sequence[Path],
    targets: Sequence[Path],
    locator: Locator,
    folder: Path,
    *,
    count: int = 10,
    step: int = 2,
    seed: int = 0,
    overwrite: bool = False,
) -> Iterator[Step[Reliability]]:
    """`reliability_of` over files. At the end, also after a stop, it writes `cyclic.csv`, one
    `STEM-error.nrrd` (mean cyclic error in mm, to lay over the image) a source and, where matplotlib is
    installed, `cyclic.png`.

    Raises:
        InputError: two images have one name, a result is there already, or as `reliability_of`.
    """
    opened = {stem(path): partial(read_image, path) for path in sources}
    others = {stem(path): partial(read_image, path) for path in targets}
    if len(opened) < len(sources) or len(others) < len(targets):
        raise InputError("two of the images have the same name; rename one of them")
    refuse_existing(folder, (TABLE, PICTURE, *(f"{name}-error.nrrd" for name in opened)), overwrite)
    finished: list[Reliability] = []
    try:
        for now in reliability_of(opened, others, locator, count, step, seed):
            if now.result is not None:
                finished.append(now.result)
            yield now
    finally:
        if finished:
            names = (TABLE, PICTURE, *(f"{found.name}-error.nrrd" for found in finished))
            with all_or_nothing(folder, names) as scratch:
                _write(scratch, finished)


def _write(folder: Path, finished: Sequence[Reliability]) -> None:
    summaries = [
        {f"{kind}_{key}": value for kind in ("template", "cyclic") for key, value in _of(found, kind).items()}
        for found in finished
    ]
    columns = list(dict.fromkeys(key for summary in summaries for key in summary))
    rows = [
        [found.name, len(found.targets), *(f"{summary.get(key, np.nan):.4g}" for key in columns)]
        for found, summary in zip(finished, summaries, strict=True)
    ]
    write_table(folder / TABLE, ("image", "targets", *columns), rows)
    for found in finished:
        sitk.WriteImage(as_overlay(found.cyclic, found.image), str(folder / f"{found.name}-error.nrrd"), True)
    if importlib.util.find_spec("matplotlib"):
        from LandmarkTrackerLib.evaluation.cyclic_picture import draw_trust

        tiles = [(found.name, found.image, found.template, found.cyclic) for found in finished]
        draw_trust(folder / PICTURE, tiles)


def as_overlay(errors: ErrorMap, image: sitk.Image) -> sitk.Image:
    """The mean error, mm, on every pixel of the image; -1 in the background, and where it was not found again
    through half of the targets.
    """
    found = np.isfinite(errors.errors).mean(axis=0) >= 0.5
    step = errors.lattice.step
    down, across = (
        _between(n, count, step) for n, count in zip(image.GetSize()[1::-1], found.shape, strict=True)
    )
    weight = down @ found @ across.T
    with np.errstate(invalid="ignore", divide="ignore"):
        values = down @ np.where(found, errors.mean, 0) @ across.T / weight
    values = np.where((weight >= 0.5) & body(image), values, -1)
    overlay = sitk.GetImageFromArray(values[None].astype(np.float32))
    overlay.CopyInformation(image)
    return overlay


def _between(pixels: int, points: int, step: int) -> Array:
    """(pixels, points) weights that interpolate along one axis between every `step`-th pixel."""
    at = np.minimum(np.arange(pixels) / step, points - 1)
    return np.asarray(np.clip(1 - np.abs(at[:, None] - np.arange(points)), 0, None))


def _of(found: Reliability, kind: str) -> dict[str, float]:
    errors: ErrorMap = getattr(found, kind)
    return errors.summary()


def turned_like(reference: Grid, read: Callable[[], sitk.Image]) -> sitk.Image:
    """An image with its axes stored as those of the reference.

    Raises:
        InputError: they are slices of different planes of the body.
    """
    image = as_volume(read())
    return turn_like(Grid.of(image), reference)(image)
