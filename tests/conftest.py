"""What all tests share: networks, and a look at everything that a render must leave alone."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from torch import nn

from lucidtorch.base.errors import WeightsError
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model

ROOT = Path(__file__).resolve().parents[1]

torch.set_num_threads(1)
settings.register_profile("lucidtorch", deadline=None, derandomize=True)
settings.load_profile("lucidtorch")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing is remembered in the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUCIDTORCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real networks and photographs; the test is skipped where there is none."""
    folder = ROOT / os.environ.get("LUCIDTORCH_TEST_DATA", "../shared")
    if not (folder / "weights").is_dir():
        pytest.skip(f"no real networks in {folder}; set LUCIDTORCH_TEST_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def demo() -> Model:
    """The network `demo`, with the weights that ship or, before they do, random ones."""
    try:
        return load_model("demo", device="cpu")
    except WeightsError:
        return load_model("demo", weights="random", device="cpu")


@pytest.fixture(scope="session")
def resnet18() -> Model:
    """A ResNet-18 with random weights."""
    return load_model("resnet18", weights="random", device="cpu")


@pytest.fixture(scope="session")
def inceptionv1(test_data: Path) -> Model:
    """Lucid's network with its real weights."""
    return load_model("inceptionv1", weights=test_data / "weights" / "inceptionv1_lucid.safetensors", device="cpu")


def fingerprint_of(module: nn.Module) -> dict[str, object]:
    """Everything about a network, and the global random state, that a render must give back."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    parts = dict(module.named_modules())
    return {
        "state": {name: value.detach().clone().numpy().tobytes() for name, value in module.state_dict().items()},
        "requires_grad": {name: weight.requires_grad for name, weight in module.named_parameters()},
        "grads": {name: weight.grad for name, weight in module.named_parameters()},
        "training": {name: part.training for name, part in parts.items()},
        "hooks": {name: [list(getattr(part, kind)) for kind in kinds] for name, part in parts.items()},
        "inplace": {name: part.inplace for name, part in parts.items() if hasattr(part, "inplace")},
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": repr(np.random.get_state()),
        "python": random.getstate(),
        "grad mode": torch.is_grad_enabled(),
    }


@pytest.fixture
def fingerprint() -> Callable[[nn.Module], dict[str, object]]:
    """A function from a module to all that a render must give back as it was."""
    return fingerprint_of
