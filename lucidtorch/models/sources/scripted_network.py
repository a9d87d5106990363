"""A TorchScript program as a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lucidtorch.models.sources.found_network import FoundNetwork
from lucidtorch.models.sources.guesses import COLOURS, USUAL_CLIP, USUAL_SIDE, guess

CONVOLUTION_DIMENSIONS = (4, 5)  # of a weight: [out, in, h, w] and [out, in, t, h, w]
CLOSED = (
    "TorchScript keeps its inner layers to itself: load the Python class with its state dict, or export the "
    "network with torch.export."
)


def scripted_network(program: nn.Module, name: str, file: Path | None) -> FoundNetwork:
    """Take a TorchScript program as a network."""
    first = next((one.shape for one in program.parameters() if one.dim() in CONVOLUTION_DIMENSIONS), None)
    size = USUAL_CLIP if first is not None and len(first) == max(CONVOLUTION_DIMENSIONS) else (USUAL_SIDE, USUAL_SIDE)
    expected = guess(COLOURS if first is None else first[1], size)
    return FoundNetwork(name, ScriptedNetwork(program), expected, None, file, size_known=False, note=CLOSED)


class ScriptedNetwork(nn.Module):
    """A TorchScript program, whose parts take no hooks and are therefore not among its modules.

    Args:
        program: What `torch.jit.load` gave.
    """

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, images: Tensor) -> Any:
        """Run the program."""
        return self.program(images)

    def named_modules(
        self, memo: set[nn.Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Module]]:
        """List only the network itself."""
        yield prefix, self

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """List the weights of the program."""
        return self.program.named_parameters(prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """List the buffers of the program."""
        return self.program.named_buffers(prefix, recurse, remove_duplicate)
