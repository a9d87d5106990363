"""In what precision a network computes; images, params and objectives are in float32 whatever it is."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, suggestion

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LOSS_SCALE = 2.0**7  # the gradients of a float16 network pass through it enlarged, so that small ones do not vanish


@dataclass(frozen=True, slots=True)
class Precision:
    """A precision by its name.

    Args:
        name: ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        BadInputError: There is no such precision.
    """

    name: str = "float32"

    def __post_init__(self) -> None:
        if self.name not in TYPES:
            raise BadInputError(f"There is no precision {self.name!r}. {suggestion(str(self.name), TYPES)}")

    @property
    def loss_scale(self) -> float:
        """By what gradients are enlarged on their way through the network."""
        return LOSS_SCALE if self.name == "float16" else 1.0

    def check(self, device: torch.device) -> None:
        """Make sure that a device computes in this precision."""
        if device.type == "meta":
            raise BadInputError("The weights of the network are on the meta device, which holds no numbers; load them.")
        try:
            with self.on(device):
                torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3, device=device), torch.ones(1, 1, 3, 3, device=device))
        except (RuntimeError, TypeError) as error:
            raise BadInputError(
                f"{device.type} does not compute in {self.name} here; write precision='float32'."
            ) from error

    def on(self, device: torch.device) -> contextlib.AbstractContextManager[object]:
        """Let a network compute in this precision while the block runs."""
        if self.name == "float32":
            return contextlib.nullcontext()
        return torch.autocast(device.type, dtype=TYPES[self.name])


def widened(values: Tensor) -> Tensor:
    """Bring activations to float32, or leave them where they are better."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values
