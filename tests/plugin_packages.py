"""A tiny distribution as pip would install it: words of all four kinds, and a canary that its import writes."""

from __future__ import annotations

from pathlib import Path

WORDS = '''
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lucidtorch import constraints, param, transforms
from lucidtorch.constraints import Constraint
from lucidtorch.objectives import objective
from lucidtorch.param import Basis, Part
from lucidtorch.transforms import Transform

with Path({canary!r}).open("a") as canary:
    canary.write("sang ")


@objective
def tallest(activations, layer: str, unit: int = 0) -> Tensor:
    """The largest activation of a channel."""
    return activations[layer][:, unit].flatten(1).amax(1)


class Columns(Basis):
    """One number per pixel, at first the same in each column."""

    invertible = True

    def fill(self, generators):
        starts = [torch.randn(self.channels, 1, self.size[-1], generator=one) for one in generators]
        self.put("numbers", 0.01 * torch.stack(starts).repeat(1, 1, self.size[0], 1))

    def forward(self):
        return self.numbers

    def assign(self, pixels):
        self.put("numbers", pixels)


{param}
@dataclass(frozen=True, repr=False)
class columns(Part):
    """Pictures that begin with columns."""

    def basis(self, batch, channels, size):
        return Columns(batch, channels, size)


{transform}
@dataclass(frozen=True, repr=False)
class inverted(Transform):
    """The negative of the picture."""

    def apply(self, images, draws):
        return 1 - images


{constraint}
@dataclass(frozen=True, repr=False)
class darkened(Constraint):
    """No value above a bound."""

    most: float = 0.5

    def apply(self, images, moment):
        return images.clamp(max=self.most)
'''
KINDS = {"objectives": "tallest", "params": "columns", "transforms": "inverted", "constraints": "darkened"}


def source(canary: Path, *, decorated: bool) -> str:
    """Write the module; entry points need no decorators, `--import` does."""
    marks = {"param": "@param.register", "transform": "@transforms.register", "constraint": "@constraints.register"}
    return WORDS.format(canary=str(canary), **(marks if decorated else dict.fromkeys(marks, "")))


def install(
    folder: Path, canary: Path, *, name: str = "tiny-words", module: str = "tinywords", version: str = "1.0"
) -> Path:
    """Write a package and what pip notes of its distribution; the folder belongs on the path."""
    package = folder / module
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "words.py").write_text(source(canary, decorated=False))
    facts = folder / f"{name.replace('-', '_')}-1.dist-info"
    facts.mkdir(exist_ok=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    points = (f"[lucidtorch.{group}]\n{word} = {module}.words:{word}\n" for group, word in KINDS.items())
    (facts / "entry_points.txt").write_text("\n".join(points))
    return folder
