"""Training files: TOML to frozen dataclasses, and clear words where something is wrong."""

from __future__ import annotations

import difflib
import math
import os
import tomllib
import types
import typing
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.formats.subjects import check_rule

T = TypeVar("T")

# Keys of older training files, by table ("" is the file itself, "*" any): what to write now.
RENAMED = {
    ("", "field"): "[input]",
    ("", "pairs"): "[input] size, and [learning] count and cell",
    ("", "extent"): "[augmentation]",
    ("", "motion"): "[input] size; the rest is fixed",
    ("", "loss"): "part of [learning]",
    ("", "optimiser"): '[learning], with optimiser = "adamw" or "nesterov" for the method',
    ("", "image_augmentation"): "fixed, as in the paper; remove the table",
    ("", "patch_augmentation"): "fixed, as in the paper; remove the table",
    ("", "filters"): "[network] filters",
    ("", "learning_rate"): "[learning] rate",
    ("", "weight_decay"): "[learning] weight_decay",
    ("data", "patient"): "'subject'",
    ("data", "table"): "'subject'",
    ("data", "subject_until"): "'subject', a regular expression: \"^(.+)-\" for the name up to a hyphen",
    ("data", "held_out"): "'test' in [split]",
    ("data", "validation"): "'validation' in [split]",
    ("data", "training"): "'folder' and 'files', with the subjects to leave out in [split]",
    ("*", "spacing_mm"): "'spacing'",
    ("input", "dimension"): "told by the number of values of 'size'",
}


@dataclass(frozen=True)
class DataConfig:
    """The `[data]` table, or one of several `[[data]]` tables: a folder of files, or simulated patients.

    Attributes:
        folder: absolute, or below the folder that the environment variable LANDMARKTRACKER_DATA names, or
            below the current folder.
        files: which, as a pattern; each is an image, a volume or a cine.
        subject: whose image a file is: a regular expression whose first group, found in the path below
            `folder` without its suffix, is the subject; or a CSV file in the folder with the columns `file`
            and `subject`. Every file is a subject of its own if not given. Images of one subject are never
            split.
        landmarks: of annotated images, the names to train, in this order; all that occur if not given.
        spacing: mm a pixel of images whose files state none (PNG, JPEG); 0 uses what the files state.
        every: of a volume that a network for slices is trained on, every n-th axial slice is used.
        phantoms: instead of a folder, the number of simulated patients, "phantom-1000" and so on: seeds below
            1000 are left to demonstrations and tests.
        frames: of each phantom, spread over its cine.
    """

    folder: str = ""
    files: str = "*"
    subject: str = ""
    landmarks: tuple[str, ...] = ()
    spacing: float = 0.0
    every: int = 1
    phantoms: int = 0
    frames: int = 8

    def __post_init__(self) -> None:
        if bool(self.folder) == bool(self.phantoms):
            raise InputError("give either a folder or a number of phantoms")
        if not (math.isfinite(self.spacing) and self.spacing >= 0):
            raise InputError(f"spacing = {self.spacing} must be mm a pixel, or 0")
        require_at_least(self, 1, "every", "frames")
        check_rule(self.subject)

    @property
    def path(self) -> Path:
        """The folder.

        Raises:
            InputError: it does not exist.
        """
        below = data_folder() / self.folder
        for path in (below, Path(self.folder)):
            if path.is_dir():
                return path
        raise InputError(
            f"there is no folder {below}; set LANDMARKTRACKER_DATA to the folder that holds {self.folder}"
        )


@dataclass(frozen=True)
class SplitConfig:
    """The `[split]` table. Every subject who is not named is trained on.

    Attributes:
        validation: subjects who choose the best model and calibrate it; or their share, drawn with the seed
            of `[run]`.
        test: subjects whom training never sees.
    """

    validation: tuple[str, ...] | float = 0.2
    test: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.validation, float):
            if not 0 < self.validation < 1:
                raise InputError(f"validation = {self.validation} must lie between 0 and 1")
            return
        if not self.validation:
            raise InputError("validation must name at least one subject")
        both = set(self.validation) & set(self.test)
        if both:
            raise InputError(f"subject '{min(both)}' is in validation and in test")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The `[run]` table, the same for every task.

    Attributes:
        steps: optimiser steps in all.
        epochs: instead of steps, passes over the training images; `warmup` and `decay_every` then count
            epochs too.
        minutes: stop earlier, after this much training time (resumed time included); 0 sets no limit.
        batch_size: samples a step, over all processes together.
        seed: everything random follows from it.
        device: "auto", "cpu" or "cuda".
        precision: "32-true", or "bf16-mixed" for GPUs that have it.
        threads: CPU threads of this process; 0 leaves torch's choice.
        workers: loader processes; 0 loads in the training process.
        validate_every, checkpoint_every, log_every: in steps.
        schedule: learning rate over the steps: "constant"; "cosine" down to zero at the last step; or
            "staircase", multiplied by `decay` every `decay_every` steps.
        warmup: steps over which the learning rate rises from zero.
        clip: largest norm of the gradient; 0 does not clip.
    """

    steps: int = 0
    epochs: float = 0.0
    batch_size: int
    minutes: float = 0.0
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    threads: int = 0
    workers: int = 0
    validate_every: int = 500
    checkpoint_every: int = 500
    log_every: int = 20
    schedule: Literal["constant", "cosine", "staircase"] = "constant"
    warmup: int = 0
    decay: float = 0.85
    decay_every: int = 10000
    clip: float = 0.0

    def __post_init__(self) -> None:
        if bool(self.steps) == bool(self.epochs):
            raise InputError("give either steps, or epochs (passes over the training images)")
        require_at_least(
            self, 1, "batch_size", "validate_every", "checkpoint_every", "log_every", "decay_every"
        )
        require_at_least(
            self, 0, "steps", "epochs", "minutes", "seed", "threads", "workers", "warmup", "decay", "clip"
        )
        if self.threads > 4 * (os.cpu_count() or 1):
            raise InputError(f"threads = {self.threads} is far more than this computer has cores")

    def counted(self, images: int) -> RunConfig:
        """The same in steps, for so many training images: the last step of an epoch is a whole one."""
        if not self.epochs:
            return self

        def steps(epochs: float) -> int:
            return max(1, math.ceil(round(epochs * images / self.batch_size, 6)))

        return replace(
            self,
            epochs=0.0,
            steps=steps(self.epochs),
            warmup=steps(self.warmup) if self.warmup else 0,
            decay_every=steps(self.decay_every),
        )


def require_at_least(config: Any, least: float, *names: str) -> None:
    """Raises InputError naming the first of these keys whose value is smaller, or no finite number."""
    for name in names:
        if not (math.isfinite(getattr(config, name)) and getattr(config, name) >= least):
            raise InputError(f"{name} = {getattr(config, name)} must be at least {least:g}")


def data_folder() -> Path:
    """Where relative data folders start."""
    return Path(os.environ.get("LANDMARKTRACKER_DATA", "data"))


def read_config(path: str | Path, kind: type[T]) -> T:
    """The training file as the dataclass `kind`, one field a table.

    Raises:
        InputError: the file is missing or not TOML, a key is unknown or missing, or a value has a wrong type;
            the message names the file and the key.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the training file {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the training file {path} is not valid TOML: {error}") from error
    try:
        return _build(kind, table, "")
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _build(kind: type[T], table: dict[str, Any], where: str) -> T:
    hints = typing.get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise InputError(f"unknown key '{where}{key}'; {_hint(key, where, tuple(known))}")
    for name, field in known.items():
        if name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise InputError(f"'{where}{name}' is missing")
    values = {key: _value(hints[key], value, f"{where}{key}") for key, value in table.items()}
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(f"{where.rstrip('.') or 'the file'}: {error}") from error


def _hint(key: str, where: str, known: tuple[str, ...]) -> str:
    """What to write instead of an unknown key."""
    table = where.rstrip(".").rpartition(".")[2].partition("[")[0]
    renamed = RENAMED.get((table, key)) or RENAMED.get(("*", key))
    if renamed:
        return f"it is now {renamed}"
    close = difflib.get_close_matches(key, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"


def _value(hint: Any, value: Any, where: str) -> Any:
    """`value` as `hint` asks for it: bool, int, float, str, Literal, X | None, tuples and dataclasses."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        if isinstance(value, dict):
            return _build(typing.cast(type, hint), value, f"{where}.")
    elif origin in (typing.Union, types.UnionType):
        wanted = [a for a in arguments if a is not types.NoneType]
        lists = [a for a in wanted if typing.get_origin(a) is tuple]
        fitting = lists if isinstance(value, list) and lists else [a for a in wanted if a not in lists]
        return _value(fitting[0], value, where)
    elif origin is Literal:
        if value in arguments:
            return value
        choices = ", ".join(repr(a) for a in arguments)
        raise InputError(f"'{where}' is {value!r}, which is not one of {choices}")
    elif origin is tuple:
        endless = arguments[-1] is Ellipsis
        # One table is a list of one.
        value = [value] if isinstance(value, dict) and is_dataclass(arguments[0]) else value
        if isinstance(value, list) and (endless or len(value) == len(arguments)):
            kinds = [arguments[0]] * len(value) if endless else arguments
            return tuple(
                _value(kind, item, f"{where}[{n}]")
                for n, (kind, item) in enumerate(zip(kinds, value, strict=True))
            )
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif type(value) is hint:
        return value
    raise InputError(f"'{where}' must be {_plain(hint)}, not {value!r}")


def _plain(hint: Any) -> str:
    if is_dataclass(hint):
        return "a table"
    if typing.get_origin(hint) is tuple:
        arguments = typing.get_args(hint)
        many = "several" if arguments[-1] is Ellipsis else str(len(arguments))
        return f"a list of {many}, each {_plain(arguments[0])}"
    return {int: "a whole number", float: "a number", str: "text", bool: "true or false"}.get(hint, str(hint))
