"""Find the points that pairs of images share, pair by pair."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import SimpleITK as sitk

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats import holds_dicom, read_image
from LandmarkTrackerLib.formats.scans import Scan, ScanPair
from LandmarkTrackerLib.images import as_volume, is_calibrated, length_unit
from LandmarkTrackerLib.jobs.batch import Case, Done, images_in
from LandmarkTrackerLib.jobs.export import all_or_nothing
from LandmarkTrackerLib.jobs.pairs import PAIR_FILES, export_pairs
from LandmarkTrackerLib.landmarks import LandmarkPairs
from LandmarkTrackerLib.methods.fit import doubt_of
from LandmarkTrackerLib.methods.protocols import Matcher, SteppedMatcher
from LandmarkTrackerLib.methods.registry import VOLUME_MATCHER
from LandmarkTrackerLib.step import Step
from LandmarkTrackerLib.weights import model_names

PICTURE = "overview.png"
MATCH_FILES = (*PAIR_FILES, PICTURE)
# What matches slices, and what matches volumes, unless another model is asked for.
SLICES, VOLUMES = "correspondence-ct", VOLUME_MATCHER


def default_model(image: sitk.Image) -> str:
    """What matches images like this one: the volume matcher, or a model for slices.

    Raises:
        InputError: the model does not come with the program.
    """
    if as_volume(image).GetSize()[2] > 1:
        return VOLUMES
    if SLICES not in model_names():
        raise InputError(
            f"no model that matches slices comes with the program; train one with Docs/recipes/{SLICES}.toml "
            "and give its file"
        )
    return SLICES


@dataclass(frozen=True)
class Matched:
    """One finished pair of images.

    Attributes:
        pairs: None where the images could not be used; `failure` says why.
    """

    name: str
    fixed: sitk.Image | None
    moving: sitk.Image | None
    pairs: LandmarkPairs | None
    failure: str = ""


def match(
    images: Mapping[str, Callable[[], tuple[sitk.Image, sitk.Image]]], matcher: Matcher
) -> Iterator[Step[Matched]]:
    """Yield every pair of images in turn. A pair that cannot be used does not stop the others.

    Args:
        images: name to what reads the fixed and the moving image, called when it is their turn.
    """
    for done, (name, read) in enumerate(images.items(), start=1):
        try:
            fixed, moving = map(as_volume, read())
            matched = Matched(name, fixed, moving, matcher.match(fixed, moving))
        except InputError as error:
            matched = Matched(name, None, None, None, str(error))
        yield Step(done, len(images), matched)


def matching(fixed: sitk.Image, moving: sitk.Image, matcher: Matcher) -> Iterator[Step[LandmarkPairs]]:
    """Match two images step by step: volumes take a while. The last step holds the pairs.

    Raises:
        InputError: the matcher cannot use these images.
    """
    fixed, moving = as_volume(fixed), as_volume(moving)
    if isinstance(matcher, SteppedMatcher):
        yield from matcher.steps(fixed, moving)
    else:
        yield Step(0, 1)
        yield Step(1, 1, matcher.match(fixed, moving))


def write_match(
    folder: Path,
    fixed: Scan,
    moving: Scan,
    pairs: LandmarkPairs,
    title: str,
    programs: Sequence[str] = (),
) -> list[Path]:
    """`MATCH_FILES` and one folder a program, replacing those that are there. Returns their paths.

    Args:
        title: headline of the picture: what ran on what.
        programs: of `EXPORTS`.

    Raises:
        InputError: there are no pairs, or a program cannot take these scans.
    """
    from LandmarkTrackerLib.evaluation.pair_overview import draw_pairs

    scans = ScanPair(fixed, moving, pairs)
    written = export_pairs(folder, scans, programs)
    # Slicer's Python has no matplotlib, and its user sees the points in the slice views instead.
    if importlib.util.find_spec("matplotlib"):
        with all_or_nothing(folder, (PICTURE,)) as scratch:
            draw_pairs(scans.fixed.image, scans.moving.image, pairs, scratch / PICTURE, title)
        written.append(folder / PICTURE)
    return written


def scan_at(path: Path, spacing: Sequence[float] = ()) -> Scan:
    """An image to register; its file too, where that says all that the image does.

    Args:
        spacing: of an image that is not calibrated, see `formats.read_image`.

    Raises:
        InputError: it cannot be read.
    """
    # Registration programs read no folders, each its own of DICOM, and not what the user says.
    whole = path.is_file() and not spacing and not holds_dicom(path)
    return Scan(read_image(path, spacing), path if whole else None)


def match_cases(
    folder: Path,
    output: Path,
    matcher: Matcher,
    title: str,
    programs: Sequence[str] = (),
    spacing: Sequence[float] = (),
) -> list[Case]:
    """Every folder in `folder` holds two images, the fixed one first by name; results in a folder each.

    Args:
        title: what runs, for the pictures.
        programs: of `EXPORTS`.
        spacing: of images that are not calibrated, see `formats.read_image`.
    """

    def work(pair: Path) -> Done:
        paths = images_in(pair, output)
        if len(paths) != 2:
            raise InputError(f"{pair} holds {len(paths)} images; give each pair a folder of its own")
        fixed, moving = (scan_at(path, spacing) for path in paths)
        pairs = matcher.match(fixed.image, moving.image)
        write_match(output / pair.name, fixed, moving, pairs, f"{pair.name}: {title}", programs)
        calibrated = is_calibrated(fixed.image) and is_calibrated(moving.image)
        doubt = doubt_of(matcher, fixed.image) or doubt_of(matcher, moving.image)
        return Done(len(pairs), 0, length_unit(calibrated), doubt)

    pairs = [path for path in images_in(folder, output) if path.is_dir()]
    return [Case(pair.name, output / pair.name / PAIR_FILES[-1], partial(work, pair)) for pair in pairs]
