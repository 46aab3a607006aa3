"""Training files: TOML to frozen dataclasses, and clear words where something is wrong."""

from __future__ import annotations

import difflib
import tomllib
import types
import typing
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from LandmarkTrackerLib.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class RunConfig:
    """The `[run]` table, the same for every task.

    Attributes:
        steps: optimiser steps in all.
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

    steps: int
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
        for name in ("steps", "batch_size", "validate_every", "checkpoint_every", "log_every", "decay_every"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} = {getattr(self, name)} must be at least 1")


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
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
            raise InputError(f"unknown key '{where}{key}'; {hint}")
    for name, field in known.items():
        if name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise InputError(f"'{where}{name}' is missing")
    values = {key: _value(hints[key], value, f"{where}{key}") for key, value in table.items()}
    try:
        return kind(**values)
    except InputError as error:
        raise InputError(f"{where.rstrip('.') or 'the file'}: {error}") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    """`value` as `hint` asks for it: bool, int, float, str, Literal, X | None, tuples and dataclasses."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        if isinstance(value, dict):
            return _build(typing.cast(type, hint), value, f"{where}.")
    elif origin in (typing.Union, types.UnionType):
        return _value(next(a for a in arguments if a is not types.NoneType), value, where)
    elif origin is Literal:
        if value in arguments:
            return value
        choices = ", ".join(repr(a) for a in arguments)
        raise InputError(f"'{where}' is {value!r}, which is not one of {choices}")
    elif origin is tuple:
        endless = arguments[-1] is Ellipsis
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
