"""Under which conditions a comparison was made, in sentences: what its reader has to know first."""

from __future__ import annotations

from pathlib import Path

import torch
from LandmarkTrackerLib.geometry import Grid

from reproduce_tmn.config import ReproduceConfig
from reproduce_tmn.data import PARTS, Cases
from reproduce_tmn.trainings import Trainings

PAPER = ReproduceConfig()


def conditions(config: ReproduceConfig, cases: Cases, trainings: Trainings) -> list[str]:
    """Images and patients, what was reduced against the paper, and how to read the figures."""
    return [
        _images(config, cases),
        _pixel(config, cases),
        *_training(config, cases, trainings),
        _shown(config, trainings),
        *_notes(),
    ]


def _images(config: ReproduceConfig, cases: Cases) -> str:
    counts = [sum(1 for where in cases.parts.values() if where == part) for part in PARTS]
    labelled = len(cases.annotated)
    alone = len(cases.parts) == len(cases.patients)
    text = (
        f"{len(cases.patients)} images of {len(cases.parts)} patients, {labelled} of them with landmarks "
        f"({', '.join(cases.names)}). {counts[0]} patients to train on, {counts[1]} for validation, "
        f"{counts[2]} to test."
    )
    return text + (" Every image counts as a patient of its own." if alone else "")


def _pixel(config: ReproduceConfig, cases: Cases) -> str:
    """What a pixel is."""
    field = config.input.field
    targets = cases.targets(config.examples.targets, config.data.seed)
    pitches = [field.pitch(Grid.of(item.read())) for item in targets]
    low, high = min(pitches), max(pitches)
    mm = f"{low:.2f}" if high - low < 0.005 else f"{low:.2f} to {high:.2f}"
    columns, rows = config.input.size
    return (
        f"Every image is shown to the networks with {columns} x {rows} pixels (the paper: "
        f"{PAPER.input.size[0]} x {PAPER.input.size[1]}), and errors count these pixels. One is {mm} mm by "
        "what the files state; a file that states no spacing counts as 1 mm a pixel."
    )


def _training(config: ReproduceConfig, cases: Cases, trainings: Trainings) -> list[str]:
    tmn, steps = config.tmn, trainings.all[trainings.base].steps
    epochs = int(PAPER.tmn.run.epochs)
    seen, their = steps * tmn.run.batch_size * tmn.learning.patches, epochs * cases.trained
    sentences = []
    if seen < their:
        sentences.append(
            f"TMN was trained for {steps} steps on {seen:,} patches, {seen / their:.1%} of the {their:,} "
            f"that the paper's {epochs} epochs of these {cases.trained} images are; the paper has far more."
        )
    if config.regression.run.steps < PAPER.regression.run.steps:
        sentences.append(
            f"Regression: {config.regression.run.steps} steps of {config.regression.run.batch_size} images "
            f"(the paper: {PAPER.regression.run.steps} of {PAPER.regression.run.batch_size}). It may choose "
            "its best step by the validation patients' landmarks, which TMN and SimCLR: patch do not need."
        )
    if (tmn.network.encoder, config.regression.network.encoder) != ("vgg16", "resnet50"):
        sentences.append(
            f"Encoders: {tmn.network.encoder} for TMN, {config.simclr.network.encoder} for SimCLR and "
            f"{config.regression.network.encoder} for regression (the paper: VGG16, ResNet50, ResNet50)."
        )
    wanted: set[str] = (
        {e.name for e in tmn.encoders if e.name != "light"} if tmn.network.pretrained else set()
    )
    if config.regression.network.pretrained == "imagenet":
        wanted.add(config.regression.network.encoder)
    missing = sorted(name for name in wanted if not _at_hand(name))
    if missing:
        sentences.append(
            f"No ImageNet weights could be had for {', '.join(missing)}: random weights instead."
        )
    elif not wanted:
        sentences.append("No encoder starts from ImageNet weights, as all of the paper's do.")
    return sentences


def _at_hand(encoder: str) -> bool:
    from torchvision.models import get_model_weights

    url = get_model_weights(encoder)["IMAGENET1K_V1"].url
    return (Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]).is_file()


def _shown(config: ReproduceConfig, trainings: Trainings) -> str:
    left_out = [count for count in config.examples.counts if count not in trainings.counts]
    text = (
        f"Examples are training images, one of every patient before a second of any; {config.examples.draws} "
        f"draw{'s' * (config.examples.draws > 1)} for each number, the same for all methods."
    )
    if left_out:
        text += f" There are not enough for {', '.join(map(str, left_out))}."
    return text


def _notes() -> list[str]:
    threads = torch.get_num_threads()
    return [
        f"Inference times are for all landmarks in one image, with the examples encoded before: the fastest "
        f"of ten images on {threads} CPU thread{'s' * (threads > 1)}"
        + (
            f" and {torch.cuda.get_device_name()}."
            if torch.cuda.is_available()
            else "; there is no GPU here."
        ),
        "± is the standard deviation over landmarks, images and draws. A method's answer counts however "
        "unsure it is, as in the paper.",
    ]
