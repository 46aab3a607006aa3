"""Model files: half precision at rest, single precision in use."""

from __future__ import annotations

import pytest
import torch
from LandmarkTrackerLib.errors import InputError
from LandmarkTrackerLib.weights import LARGE, load_model, model_names, model_path, save_model


def stored(path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["state"]


def test_matrices_and_large_kernels_take_half_the_bytes_and_come_back_in_single_precision(tmp_path):
    state = {
        "matrix": torch.randn(300, 200),
        "large": torch.randn(LARGE // 9 + 1, 1, 3, 3),
        "kernel": torch.randn(8, 4, 3, 3),
        "bias": torch.randn(300),
        "count": torch.tensor(7),
    }
    save_model(tmp_path / "m.pt", "tmn", {}, state)
    kinds = {name: value.dtype for name, value in stored(tmp_path / "m.pt").items()}
    half, single = torch.float16, torch.float32
    assert kinds == {"matrix": half, "large": half, "kernel": single, "bias": single, "count": torch.int64}
    read = load_model(tmp_path / "m.pt").state
    assert {value.dtype for name, value in read.items() if name != "count"} == {single}
    for name in ("kernel", "bias", "count"):
        assert torch.equal(read[name], state[name])
    # A half has 11 binary digits.
    torch.testing.assert_close(read["matrix"], state["matrix"], rtol=2**-11, atol=1e-7)


def test_what_was_read_is_saved_again_without_any_change(tmp_path):
    save_model(tmp_path / "a.pt", "tmn", {}, {"matrix": torch.randn(30, 20)})
    save_model(tmp_path / "b.pt", "tmn", {}, load_model(tmp_path / "a.pt").state)
    assert torch.equal(stored(tmp_path / "a.pt")["matrix"], stored(tmp_path / "b.pt")["matrix"])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 7e4])
def test_weights_of_a_training_that_diverged_are_refused(tmp_path, value):
    with pytest.raises(InputError, match=r"first\.weight .* diverged"):
        save_model(tmp_path / "m.pt", "tmn", {}, {"first.weight": torch.full((2, 2), value)})
    assert not (tmp_path / "m.pt").exists()


@pytest.mark.parametrize("name", model_names())
def test_the_large_kernels_of_a_shipped_model_are_in_half_precision(name):
    large = {key: value.dtype for key, value in stored(model_path(name)).items() if value.numel() > LARGE}
    assert set(large.values()) <= {torch.float16}
    assert model_path(name).stat().st_size < 8e6
