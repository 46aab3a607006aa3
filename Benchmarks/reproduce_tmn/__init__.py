"""The comparisons of Frueh et al. 2022 on other images: what is trained, measured and reported.

Importing the package adds the paper's baselines, SimCLR and regression, to what the library trains and runs.
"""

from __future__ import annotations

from pathlib import Path

from LandmarkTrackerLib.cli.train import TASKS, Prepared
from LandmarkTrackerLib.methods.protocols import Detector, Locator
from LandmarkTrackerLib.methods.registry import DETECTORS, LOCATORS
from LandmarkTrackerLib.weights import Model


def _simclr(model: Model, device: str) -> Locator:
    from reproduce_tmn.simclr.locator import SimClrLocator

    return SimClrLocator(model, device)


def _regression(model: Model, device: str) -> Detector:
    from reproduce_tmn.regression.detector import RegressionDetector

    return RegressionDetector(model, device)


def _train_simclr(path: Path) -> Prepared:
    from LandmarkTrackerLib.training.config import read_config

    from reproduce_tmn.simclr.training import SimClrConfig, SimClrTask

    config = read_config(path, SimClrConfig)
    return Prepared(config.run, lambda: SimClrTask(config))


def _train_regression(path: Path) -> Prepared:
    from LandmarkTrackerLib.training.config import read_config

    from reproduce_tmn.regression.training import RegressionConfig, RegressionTask

    config = read_config(path, RegressionConfig)
    return Prepared(config.run, lambda: RegressionTask(config))


LOCATORS["simclr"] = _simclr
DETECTORS["regression"] = _regression
TASKS.update(simclr=_train_simclr, regression=_train_regression)
