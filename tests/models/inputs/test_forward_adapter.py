from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lucidtorch.base.errors import BadInputError
from lucidtorch.models.inputs.forward_adapter import ForwardAdapter


class Masked(nn.Module):
    """Images times a mask, plus a number."""

    def forward(self, image: Tensor, mask: Tensor, offset: float = 0.0) -> Tensor:
        return image * mask + offset


class MaskFirst(nn.Module):
    def forward(self, mask: Tensor, image: Tensor) -> Tensor:
        return image - 2 * mask


class Keyword(nn.Module):
    def forward(self, *, image: Tensor, mask: Tensor) -> Tensor:
        return image - 2 * mask


class Positional(nn.Module):
    def forward(self, mask: Tensor, image: Tensor, /) -> Tensor:
        return image - 2 * mask


class Spoiling(nn.Module):
    def forward(self, image: Tensor, state: Tensor) -> Tensor:
        state += 1
        return image + state


class Anything(nn.Module):
    def forward(self, *args: Tensor, **kwargs: Tensor) -> Tensor:
        return args[0] - 2 * kwargs["mask"]


IMAGES = torch.rand(2, 1, 3, 3, generator=torch.Generator().manual_seed(0))
MASK = torch.rand(1, 1, 3, 3, generator=torch.Generator().manual_seed(1))


def test_a_plain_module_is_just_called() -> None:
    net = nn.Conv2d(1, 2, 3)
    found = ForwardAdapter(net, {}, "net")(IMAGES)
    assert isinstance(found, Tensor)
    assert torch.equal(found, net(IMAGES))


def test_tensors_functions_and_plain_values_are_handed_over() -> None:
    assert torch.equal(ForwardAdapter(Masked(), {"mask": MASK}, "net")(IMAGES), IMAGES * MASK)  # type: ignore[arg-type]
    both = ForwardAdapter(Masked(), {"mask": lambda images: images.flip(3), "offset": 2.0}, "net")(IMAGES)
    assert torch.equal(both, IMAGES * IMAGES.flip(3) + 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("net", [MaskFirst(), Keyword(), Positional(), Anything()])
def test_images_go_to_the_first_parameter_that_is_left(net: nn.Module) -> None:
    found = ForwardAdapter(net, {"mask": MASK}, "net")(IMAGES)
    assert torch.equal(found, IMAGES - 2 * MASK)  # type: ignore[arg-type]


def test_a_function_is_called_at_each_pass_and_passes_gradients_on() -> None:
    seen: list[Tensor] = []

    def mask(images: Tensor) -> Tensor:
        seen.append(images)
        return images * 3

    feed = ForwardAdapter(Masked(), {"mask": mask}, "net")
    images = IMAGES.clone().requires_grad_()
    feed(images.detach())
    feed(images).sum().backward()  # type: ignore[attr-defined]
    assert len(seen) == 2
    assert torch.equal(images.grad, 6 * IMAGES)  # type: ignore[arg-type]


def test_tensors_take_the_type_of_the_images_but_whole_numbers_stay() -> None:
    class Types(nn.Module):
        def forward(self, image: Tensor, half: Tensor, index: Tensor, scalar: Tensor) -> list[torch.dtype]:
            return [half.dtype, index.dtype, scalar.dtype]

    inputs = {"half": MASK.half(), "index": torch.zeros(1, dtype=torch.long), "scalar": torch.tensor(1.0)}
    feed = ForwardAdapter(Types(), inputs, "net")
    assert feed(IMAGES.double()) == [torch.float64, torch.int64, torch.float64]
    assert feed(IMAGES) == [torch.float32, torch.int64, torch.float32]


def test_a_network_that_works_in_place_cannot_spoil_what_it_is_given() -> None:
    for rows in (1, 2):
        state = torch.zeros(rows, 1, 1, 1, requires_grad=True)
        feed = ForwardAdapter(Spoiling(), {"state": state}, "net")
        for _ in range(3):
            found = feed(IMAGES)
            assert torch.equal(found, IMAGES + 1)  # type: ignore[arg-type]
            assert not found.requires_grad  # type: ignore[attr-defined]
        assert torch.equal(state, torch.zeros(rows, 1, 1, 1))


def test_rows_that_fit_no_batch_are_refused() -> None:
    feed = ForwardAdapter(Masked(), {"mask": MASK.expand(3, -1, -1, -1)}, "net")
    for run in (lambda: feed(IMAGES), lambda: feed.check_batch(2)):
        with pytest.raises(BadInputError, match=r"inputs\['mask'\] of net has 3 rows for 2 images; .*lambda images"):
            run()
    feed.check_batch(3)
    ForwardAdapter(Masked(), {"mask": MASK, "offset": torch.tensor(1.0)}, "net").check_batch(2)


def test_a_feed_for_any_batch_repeats_rows_or_leaves_them_out() -> None:
    rows = torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1, 1)
    feed = ForwardAdapter(Masked(), {"mask": rows}, "net").with_any_batch()
    for batch in (1, 2, 5):
        found = feed(torch.ones(batch, 1, 1, 1))
        assert found.flatten().tolist() == [1, 2, 3, 1, 2][:batch]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (Masked(), {}, r"forward of net needs 'mask' beside the images; .*inputs=\{'mask': ...\}"),
        (Masked(), {"mast": MASK}, "inputs names 'mast', but the forward of net takes 'image', 'mask', 'offset'"),
        (Masked(), {"mask": MASK, "image": MASK, "offset": 1}, "no parameter is left for the images"),
        (nn.Conv2d(1, 1, 1), {"input": MASK}, "no parameter is left for the images"),
        (Masked(), [MASK], "inputs maps names of parameters to tensors or functions, but list was given"),
        (Masked(), {0: MASK}, "inputs maps names"),
    ],
)
def test_what_does_not_fit_forward_is_refused_before_any_pass(net: nn.Module, inputs: dict, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        ForwardAdapter(net, inputs, "net")


class TwoImages(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        return self.conv(image * mask)


def scripted(net: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(net)


def exported(net: nn.Module) -> nn.Module:
    return torch.export.unflatten(torch.export.export(net, (IMAGES, MASK.expand(2, -1, -1, -1))))


@pytest.mark.parametrize("make", [scripted, exported, torch.fx.symbolic_trace, nn.DataParallel])
def test_programs_and_wrappers_take_extra_inputs_too(make: Callable[[nn.Module], nn.Module]) -> None:
    net = TwoImages().eval()
    with torch.no_grad():
        found = ForwardAdapter(make(net), {"mask": MASK}, "net")(IMAGES)
        assert torch.equal(found, net(IMAGES, MASK.expand(2, -1, -1, -1)))  # type: ignore[arg-type]


def test_images_go_by_name_where_forward_takes_them_so() -> None:
    class ByName(nn.Module):
        def forward(self, *, pixels: Tensor) -> Tensor:
            return pixels * 2

    images = torch.rand(1, 3, 4, 4)
    assert torch.equal(ForwardAdapter(ByName(), {}, "net")(images), images * 2)  # type: ignore[arg-type]
