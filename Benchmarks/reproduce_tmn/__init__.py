"""The comparisons of Frueh et al. 2022 on other images: what is trained, measured and reported.

Importing the package adds the paper's baselines, SimCLR and regression, to what the library trains and runs.
"""

from __future__ import annotations

from LandmarkTrackerLib.methods.protocols import Detector, Locator
from LandmarkTrackerLib.methods.registry import DETECTORS, LOCATORS
from LandmarkTrackerLib.training.tasks import TASKS, TrainingKind
from LandmarkTrackerLib.weights import Model


def _simclr(model: Model, device: str) -> Locator:
    from reproduce_tmn.simclr.locator import SimClrLocator

    return SimClrLocator(model, device)


def _regression(model: Model, device: str) -> Detector:
    from reproduce_tmn.regression.detector import RegressionDetector

    return RegressionDetector(model, device)


LOCATORS["simclr"] = _simclr
DETECTORS["regression"] = _regression
_SIMCLR, _REGRESSION = "reproduce_tmn.simclr.training", "reproduce_tmn.regression.training"
TASKS["simclr"] = TrainingKind(f"{_SIMCLR}:SimClrConfig", f"{_SIMCLR}:SimClrTask")
TASKS["regression"] = TrainingKind(f"{_REGRESSION}:RegressionConfig", f"{_REGRESSION}:RegressionTask")
