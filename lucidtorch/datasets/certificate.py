"""Where weights come from: the facts that go into a weights file and onto the card beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from lucidtorch.base.files import atomic_write_bytes, atomic_write_text

KEY = "certificate"  # of the metadata; one key, because the order of several is not fixed in a file


@dataclass(frozen=True)
class Certificate:
    """What has been measured and used in one training.

    Args:
        name: The network.
        data: What the images were.
        architecture: The modules, as torch prints them.
        parameters: How many numbers the network has.
        accuracy: Share of right answers of each head on images that it had not seen.
        held_out: The number of these images.
        steps: Batches learnt.
        seed: Of the weights' start and of all draws.
        disturbance: L2 length of the changes, for an image of side 64 in [0, 1], that the network learnt to withstand.
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
        return f"lucidtorch train {self.name} --steps {self.steps} --seed {self.seed}"

    def metadata(self) -> dict[str, str]:
        """The facts as a safetensors file carries them: JSON under one key."""
        return {KEY: json.dumps(asdict(self) | {"command": self.command}, sort_keys=True)}

    def markdown(self) -> str:
        """The facts as a page to read."""
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


def write(target: Path, weights: Mapping[str, Tensor], facts: Certificate) -> None:
    """Write weights in half precision, and the card beside them."""
    halves = {name: weight.half().contiguous() for name, weight in weights.items()}
    atomic_write_bytes(target, save(halves, metadata=facts.metadata()))
    atomic_write_text(target.with_suffix(".md"), facts.markdown())
