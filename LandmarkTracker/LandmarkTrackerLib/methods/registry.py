"""From a name to a method: a trained model of `models/`, a model file, or a method that needs no training."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Literal

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.methods.protocols import Detector, Locator, Matcher
from LandmarkTrackerLib.weights import Model, load_model

# What runs unless another is asked for: it needs no training on the modality at hand.
DEFAULT_LOCATOR = "tracker"
# The same for `locate`, in other subjects.
DEFAULT_ACROSS = "pictorial"
UNTRAINED = {
    "ncc": "normalised cross-correlation of a patch around each landmark; needs no training",
    "pictorial": "a constellation of points, coarse to fine, in other subjects; needs no training",
}
# What matches volumes of any modality; it needs no training either.
VOLUME_MATCHER = "volume-matcher"


def _tmn(model: Model, device: str) -> Locator:
    from LandmarkTrackerLib.methods.tmn import TmnLocator

    return TmnLocator(model, device)


def _tracker(model: Model, device: str) -> Locator:
    from LandmarkTrackerLib.methods.tracker.locator import TrackerLocator
    from LandmarkTrackerLib.methods.tracker.volume import VolumeTracker

    return VolumeTracker(TrackerLocator(model, device))


def _heatmap(model: Model, device: str) -> Detector:
    from LandmarkTrackerLib.methods.heatmap.detector import HeatmapDetector

    return HeatmapDetector(model, device)


# From the method that a model file names to the class that runs it, and on which device. Baselines that are
# not part of the library add themselves.
LOCATORS: dict[str, Callable[[Model, str], Locator]] = {"tmn": _tmn, "tracker": _tracker}
DETECTORS: dict[str, Callable[[Model, str], Detector]] = {"heatmap": _heatmap}


def make_locator(model: str, device: str = "auto") -> Locator:
    """The Locator of this name or model file.

    Args:
        model: "ncc", "pictorial", the name of a model in `models/`, or the path of a `.pt` file.
        device: "auto", "cpu" or "cuda".

    Raises:
        InputError: there is no such model, or it is of another kind.
    """
    if model == "ncc":
        from LandmarkTrackerLib.methods.ncc import NccLocator

        return NccLocator()
    if model == "pictorial":
        if importlib.util.find_spec("torch") is None:
            raise InputError(
                "'pictorial' needs no training, but it needs PyTorch; install it or choose 'ncc'"
            )
        from LandmarkTrackerLib.methods.pictorial.locator import PictorialLocator

        return PictorialLocator(device)
    loaded = load_model(model)
    if loaded.method in LOCATORS:
        return LOCATORS[loaded.method](loaded, device)
    raise InputError(f"model '{model}' is a {loaded.method} model and does not locate shown landmarks")


def make_detector(model: str, device: str = "auto") -> Detector:
    """The Detector of this name or model file.

    Args:
        model: the name of a model in `models/`, or the path of a `.pt` file.
        device: "auto", "cpu" or "cuda".

    Raises:
        InputError: there is no such model, or it is of another kind.
    """
    loaded = load_model(model)
    if loaded.method in DETECTORS:
        return DETECTORS[loaded.method](loaded, device)
    raise InputError(f"model '{model}' is a {loaded.method} model and does not detect landmarks by itself")


def make_matcher(
    model: str, device: str = "auto", filtering: Literal["consistent", "smooth"] = "smooth"
) -> Matcher:
    """The Matcher of this name or model file.

    Args:
        model: "volume-matcher", the name of a model in `models/`, or the path of a `.pt` file.
        device: "auto", "cpu" or "cuda"; the volume matcher runs on the CPU.
        filtering: "smooth" or "consistent"; see `CorrespondenceMatcher`; without effect on the
            volume matcher.

    Raises:
        InputError: there is no such model, or it is of another kind.
    """
    if model == VOLUME_MATCHER:
        if importlib.util.find_spec("torch") is None:
            raise InputError("matching volumes needs PyTorch; install it")
        from LandmarkTrackerLib.methods.volume_matcher.matcher import VolumeMatcher

        return VolumeMatcher()
    loaded = load_model(model)
    if loaded.method == "correspondence":
        from LandmarkTrackerLib.methods.correspondence.matcher import CorrespondenceMatcher

        return CorrespondenceMatcher(loaded, device, filtering)
    raise InputError(f"model '{model}' is a {loaded.method} model and does not match two images")
