"""The model card of trained weights: written beside the weights file, and as JSON into its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from lucidtorch.base.files import atomic_write_bytes, atomic_write_text

KEY = "certificate"  # in the metadata; a single one, because a file does not fix the order of several


@dataclass(frozen=True)
class ModelCard:
    """What was used and measured in one training.

    Args:
        name: The network.
        data: What the images were.
        architecture: The modules, as torch prints them.
        parameters: The number of parameters.
        accuracy: Of each head, on held-out images.
        held_out: The number of held-out images.
        steps: The number of batches.
        seed: Seed of the initial weights and of all random draws.
        disturbance: Largest L2 norm of the adversarial perturbations, for an image of side 64 in [0, 1].
    """

    name: str
    data: str
    architecture: str
    parameters: int
    accuracy: dict[str, float]
    held_out: int
    steps: int
    seed: int
    disturbance: float

    @property
    def command(self) -> str:
        """The command line that trains the same weights again."""
        return f"python -m training {self.name} --steps {self.steps} --seed {self.seed}"

    def metadata(self) -> dict[str, str]:
        """The metadata of the safetensors file: JSON under one key."""
        return {KEY: json.dumps(asdict(self) | {"command": self.command}, sort_keys=True)}

    def markdown(self) -> str:
        """The card as a Markdown page."""
        measured = "\n".join(f"- {head}: {share:.2%}" for head, share in self.accuracy.items())
        return (
            f"# {self.name}\n\n"
            f"Weights of the network `{self.name}`, {self.parameters:,} numbers in half precision.\n\n"
            f"## Data\n\n{self.data[0].upper()}{self.data[1:]}.\n\n"
            f"## Training\n\n{self.steps:,} steps from seed {self.seed}, on images changed by up to {self.disturbance} "
            "(L2, for a side of 64) to where the network errs most. The same weights, bit for bit on one machine:\n\n"
            f"```console\n$ {self.command}\n```\n\n"
            f"## Accuracy\n\nOn {self.held_out:,} images that the network had not seen:\n\n{measured}\n\n"
            f"## Architecture\n\n```text\n{self.architecture}\n```\n"
        )


def write(target: Path, weights: Mapping[str, Tensor], card: ModelCard) -> None:
    """Write weights in half precision, and the card beside them."""
    halves = {name: weight.half().contiguous() for name, weight in weights.items()}
    atomic_write_bytes(target, save(halves, metadata=card.metadata()))
    atomic_write_text(target.with_suffix(".md"), card.markdown())
