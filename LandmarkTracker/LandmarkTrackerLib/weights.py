"""Model files: NAME.pt holds configuration and weights and runs no code; NAME.json beside it is the card.

Matrices and large kernels, most of a file, are stored in half precision; networks run in single precision.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from LandmarkTrackerLib.errors import InputError

if TYPE_CHECKING:
    import torch

FORMAT = "landmark-tracker-model-1"
# Weights of a kernel, from which on it is stored in half precision.
LARGE = 200_000


@dataclass(frozen=True)
class Model:
    """A trained network at rest.

    Attributes:
        name: file name without `.pt`.
        method: which class of `methods/` runs it: "tmn", "scn", ...
        config: what that class needs to build the network and to pre-process.
        state: the network's state_dict, on the CPU, in single precision.
        card: the model card; empty if the file stands alone.
    """

    name: str
    method: str
    config: Mapping[str, Any]
    state: Mapping[str, Any]
    card: Mapping[str, Any]


def model_folder() -> Path:
    """`models/` beside the library (as installed) or at the root of the checkout."""
    here = Path(__file__).resolve().parent
    installed = here / "models"
    return installed if installed.is_dir() else here.parents[1] / "models"


def model_names() -> list[str]:
    """The models that ship, in alphabetical order."""
    return sorted(path.stem for path in model_folder().glob("*.pt"))


def model_path(model: str | Path) -> Path:
    """The file of a model named, or given as a path.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    for path in (Path(model), model_folder() / f"{model}.pt"):
        if path.suffix == ".pt" and path.is_file():
            return path
    known = ", ".join(model_names()) or "none"
    raise InputError(f"there is no model '{model}'; give the path of a .pt file or one of: {known}")


def read_card(model: str | Path) -> dict[str, Any]:
    """The model card, without loading the weights (and without torch); {} if the file has none."""
    card = model_path(model).with_suffix(".json")
    if not card.is_file():
        return {}
    try:
        return dict(json.loads(card.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, ValueError) as error:
        raise InputError(f"{card} is not a readable model card: {error}") from error


def load_model(model: str | Path) -> Model:
    """Read a model without running any code that it may carry.

    Raises:
        InputError: no such model, or the file is not one of ours.
    """
    import torch

    path = model_path(model)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(f"{path} is damaged or not a model file: {str(error).splitlines()[0]}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(f"{path} is not a LandmarkTracker model; train one with `landmark-tracker train`")
    state = {
        key: value.float() if value.is_floating_point() else value for key, value in content["state"].items()
    }
    return Model(path.stem, content["method"], content["config"], state, read_card(path))


def save_model(path: Path, method: str, config: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Write a model file, whole or not at all.

    Raises:
        InputError: a weight is too large for half precision; the training has diverged.
    """
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    torch.save(
        {
            "format": FORMAT,
            "method": method,
            "config": dict(config),
            "state": {key: _at_rest(key, value) for key, value in state.items()},
        },
        partial,
    )
    partial.replace(path)


def _at_rest(key: str, value: torch.Tensor) -> torch.Tensor:
    """Matrices and large kernels in half precision; the small kernels of the first layers stay exact."""
    value = value.detach().cpu().contiguous()
    if not value.is_floating_point() or not (value.ndim == 2 or value.numel() > LARGE):
        return value
    half = value.half()
    if not half.isfinite().all():
        raise InputError(f"the weights {key} are not finite or above 65504: the training has diverged")
    return half


def pick_device(device: str = "auto") -> str:
    """ "auto" becomes "cuda" where there is one.

    Raises:
        InputError: "cuda" was asked for and there is none.
    """
    import torch

    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"device '{device}' is not one of auto, cpu, cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("there is no CUDA device here; use --device cpu or auto")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
