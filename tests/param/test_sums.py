"""Sums of parts, stacks of params, and the batches whose images belong together."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Generator, Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.seeds import generators
from lucidtorch.param import Basis, Param, aligned, animation, fft, image, parse, pixels, pyramid, shared, stack


def test_a_sum_adds_pixels_before_colour_and_bounds() -> None:
    param = image(8, batch=4) + shared([2, 3, 3, 3], sd=0.5) + pyramid(levels=2, sd=0.5)
    param.fill([5, 6, 7, 8])
    total = torch.zeros(4, 3, 8, 8)
    for place, word in enumerate((fft(), shared([2, 3, 3, 3], sd=0.5), pyramid(levels=2, sd=0.5))):
        basis = word.basis(4, 3, (8, 8))
        basis.fill(generators([5, 6, 7, 8], f"start {place}" if place else "start"))
        total += basis()
    matrix = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0, -0.05], [0.27, -0.09, 0.03]]) / 0.4619524
    expected = torch.sigmoid(torch.einsum("ij,bjhw->bihw", matrix, total))
    assert torch.allclose(param(), expected, atol=1e-5)


def test_adding_changes_neither_side() -> None:
    plain = image(8, batch=2)
    summed = plain + shared([1, 3, 2, 2])
    assert (repr(plain), len(plain.parts)) == ("image(8, batch=2)", 1)
    assert repr(summed + pixels()) == "image(8, batch=2) + shared([1, 3, 2, 2]) + pixels()"
    assert repr(summed) == "image(8, batch=2) + shared([1, 3, 2, 2])"


@pytest.mark.parametrize("main", [fft(), pixels(), pyramid()])
@pytest.mark.parametrize("bounds", ["sigmoid", "clip"])
def test_a_start_image_comes_out_of_a_sum(main: Any, bounds: str) -> None:
    start = torch.rand(2, 3, 12, 15, generator=Generator().manual_seed(0))
    param = image((12, 15), batch=2, init=start, spatial=main, bounds=bounds)
    for more in (shared([1, 3, 4, 4], sd=0.5), pyramid(sd=0.3), shared([2, 1, 12, 2], offset=True)):
        param = param + more
        assert param.invertible
        assert (param() - start).abs().max() < 1e-3


def test_what_is_shared_holds_while_the_main_part_takes_the_rest() -> None:
    param = image(8, batch=2) + shared([1, 3, 2, 2])
    param.fill([0, 1])
    kept = param.parts[1].numbers.detach().clone()
    param.assign(torch.rand(2, 3, 8, 8, generator=Generator().manual_seed(0)))
    assert torch.equal(param.parts[1].numbers, kept)


def test_of_more_rows_than_images_none_is_made() -> None:
    param = image(8, batch=6) + shared([3, 3, 2, 2])
    one = param.resized(batch=1)
    assert repr(one) == "image(8) + shared([3, 3, 2, 2])"
    assert one().shape == (1, 3, 8, 8)
    assert [len(numbers) for numbers in one.parameters()] == [1, 1]


def test_a_stack_is_its_params_one_after_the_other() -> None:
    first, second = image(8, batch=2), image(8, batch=3, fft=False) + shared([1, 3, 2, 2])
    both = stack(first, second)
    both.fill([4, 5, 6, 7, 8])
    first.fill([4, 5]), second.fill([6, 7, 8])
    assert torch.equal(both(), torch.cat([first(), second()]))
    assert (both.batch, both.channels, both.size, both.held) == (5, 3, (8, 8), ())
    reads = {name: both.reads(name).int().tolist() for name, _ in both.named_parameters()}
    assert reads == {
        "params.0.parts.0.numbers": [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]],
        "params.1.parts.0.numbers": [[0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]],
        "params.1.parts.1.numbers": [[0, 0, 1, 1, 1]],
    }
    own = stack(image(8, batch=2), image(8))
    filled = stack(image(8, batch=2), image(8))
    filled.fill([0, 1, 2])
    assert torch.equal(own(), filled())


def test_a_stack_leaves_the_params_it_was_made_of_alone() -> None:
    one = image(8)
    twice = stack(one, one)
    twice.fill([1, 2])
    assert list(one.parameters()) == []
    assert not torch.equal(twice()[0], twice()[1])
    with pytest.raises(BadInputError, match="multiple"):
        twice.resized(batch=3)


def test_a_stack_keeps_the_arrays_of_all() -> None:
    start = torch.rand(3, 9, 8)
    assert len(stack(image((9, 8), init=start), image((9, 8), init=start), image((9, 8))).arrays) == 1
    assert stack(image(8, init=start[:, :8]), image(8, fft=False)).invertible
    assert not stack(image(8), image(8, spatial=shared([1, 3, 2, 2]))).invertible


def test_aligned_images_are_more_alike_than_others_of_their_kind() -> None:
    param = aligned(32, 4)
    assert [word.shape[0] for word in param.added] == [1, 1, 1, 2, 1, 2]
    assert [32 // word.shape[-1] for word in param.added] == [2, 4, 8, 8, 16, 16]
    coarse = torch.stack([part() for part in param.parts[1:]] if param().numel() else []).sum(0)
    assert (coarse - coarse.mean(0)).square().mean() < coarse.square().mean()
    assert repr(parse("aligned(32, 4)")) == repr(param)
    assert aligned((5, 9), 1)().shape == (1, 3, 5, 9)


def test_frames_glide() -> None:
    param = animation((32, 48), 12)
    frames = param().detach()
    assert frames.shape == (12, 3, 32, 48)
    near = (frames[1:] - frames[:-1]).square().mean()
    far = (frames[6:] - frames[:-6]).square().mean()
    assert 0 < near < 0.2 * far
    readers = [param.reads(name).sum(1) for name, _ in param.named_parameters()]
    assert [len(one) for one in readers] == [6, 3, 3, 3]
    assert min(int(one.min()) for one in readers) > 1


def test_a_sum_and_a_stack_can_be_rendered(demo: Any) -> None:
    text = "stack(image(24, batch=2) + shared([1, 3, 6, 6]), image(24, spatial=pyramid()))"
    found = lt.render(demo, "conv1_1:0", param=text, steps=2, seed=3, progress=False)
    assert repr(lt.param.parse(found.recipe["param"])) == text
    assert found.images.shape == (3, 3, 24, 24)
    alone = lt.render(demo, "conv1_1:0", param="image(24, spatial=pyramid())", steps=2, seed=5, progress=False)
    assert torch.allclose(found.images[2], alone.images[0], atol=1e-3)


class OneNumber(Basis):
    """A user's own basis: one grey per image."""

    def __init__(self, batch: int, channels: int, size: tuple[int, ...]) -> None:
        super().__init__(batch, channels, size)
        self.register_parameter("grey", None)

    def fill(self, generators: Any) -> None:
        self.put("grey", torch.stack([torch.randn((), generator=one) for one in generators]))

    def forward(self) -> Tensor:
        return self.grey.view(-1, 1, 1, 1).expand(-1, self.channels, *self.size)

    def at(self, size: tuple[int, ...]) -> Tensor:
        return self.grey.view(-1, 1, 1, 1).expand(-1, self.channels, *size)


def test_a_basis_may_have_any_resolution() -> None:
    class grey(type(pixels())):  # noqa: N801
        def basis(self, batch: int, channels: int, size: tuple[int, ...]) -> Basis:
            return OneNumber(batch, channels, size)

    param = image(8, batch=2, spatial=grey())
    assert param.at((5, 9)).shape == (2, 3, 5, 9)
    assert torch.equal(param.at(8), param())
    assert torch.equal(param.at((3, 4))[..., 0, 0], param()[..., 0, 0])
    assert not param.invertible
    for fixed in (param + pixels(), image(8, spatial=grey(), channels=4, hold={0: 0.5}), image(8), image(8) + pixels()):
        with pytest.raises(BadInputError, match=r"resolution|one size"):
            fixed.at(16)


class Own(Param):
    """The least that a user's param says."""

    batch = property(lambda self: 2)
    channels = property(lambda self: 1)
    size = property(lambda self: (4, 4))
    arrays = property(lambda self: ())

    def __init__(self) -> None:
        super().__init__()
        self.grey = nn.Parameter(torch.zeros(2, 1, 4, 4))

    def fill(self, seeds: Any) -> None:
        pass

    def forward(self) -> Tensor:
        return torch.sigmoid(self.grey)

    def resized(self, *, batch: int) -> Param:
        return self


def test_a_small_param_of_ones_own_has_sensible_answers() -> None:
    param = Own()
    assert (param.alpha, param.invertible, param.is_text, param.held) == (False, False, True, ())
    assert torch.equal(param.reads("grey"), torch.eye(2, dtype=torch.bool))
    assert torch.equal(param.at(4), param())
    with pytest.raises(BadInputError, match="one resolution"):
        param.at(5)
    with pytest.raises(BadInputError, match="no inverse"):
        param.assign(param())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: image(8) + image(8), r"stack\(a, b\)"),
        (lambda: image(8) + 1, "part"),
        (lambda: image(8) + shared([1, 3, 2]), "3 axes"),
        (lambda: image(8) + shared([1, 3, 9, 2]), "finer"),
        (lambda: image(8) + shared([1, 4, 2, 2]), "finer"),
        (lambda: image(8) + shared([1, 3, 2, 2], offset=[0, 0, 9, 0]), "further"),
        (lambda: image((3, 8, 8)) + shared([1, 3, 2, 2]), "4 axes"),
        (lambda: shared(3), "takes a list of whole numbers"),
        (lambda: shared([1, 3, 0, 2]), "whole number"),
        (lambda: shared([1, 3, 2.5, 2]), "whole number"),
        (lambda: shared([1, 3, 2, 2], offset=[1, 2]), "4 axes"),
        (lambda: shared([1, 3, 2, 2], offset=[0, 0, -1, 0]), "whole numbers from 0"),
        (lambda: shared([1, 3, 2, 2], offset=3), "True"),
        (lambda: shared([1, 3, 2, 2], sd=0), "positive"),
        (lambda: pyramid(levels=0), "levels"),
        (lambda: pyramid(sd=-1), "sd"),
        (lambda: pixels(sd="a"), "sd"),
        (lambda: fft(decay="a"), "decay"),
        (lambda: fft(spectrum=[1, 0]), "positive"),
        (lambda: fft(spectrum=[1]), "at least two"),
        (lambda: fft(spectrum=[[1, 2], [3, 4]]), r"\[2, 2\]"),
        (lambda: fft(spectrum=[1, 2], decay=2.0), "decay"),
        (lambda: image(8, spectrum=[1, 2], decay=2.0), "decay"),
        (lambda: image(8, spectrum=[1, 2], fft=False), "fft=False"),
        (lambda: image(8, spatial=pyramid(), sd=0.1), "leave sd= out"),
        (lambda: image(8, spatial=pyramid(), fft=False), "leave fft= out"),
        (lambda: image(8, spatial=fft(), decay=2.0), "leave decay= out"),
        (lambda: image(8, spatial=fft(), spectrum=[1, 2]), "leave spectrum= out"),
        (lambda: image(8, spatial="pyramid"), "takes a part"),
        (lambda: image(8, spatial=pyramid), "takes a part"),
        (lambda: image(8, spatial=shared([1, 3, 2, 2]), init=torch.zeros(3, 8, 8)), "init= needs"),
        (lambda: stack(), "at least one"),
        (lambda: stack(image(8), pixels()), "takes a param, but pixels"),
        (lambda: stack(image(8), image(9)), "one size"),
        (lambda: stack(image(8), image(8, channels=1)), "same channels"),
        (lambda: stack(image(8, channels=4), image(8, alpha=True)), "same channels"),
        (lambda: stack(image(8), image(8, hold={0: 1.0})), "same channels"),
        (lambda: aligned(8, 0), "count"),
        (lambda: aligned((2, 8, 8), 2), "height and width"),
        (lambda: animation(8, 1), "whole number from 2"),
        (lambda: animation(0, 4), "positive|from 1"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, message: str) -> None:
    with pytest.raises((BadInputError, SizeError), match=message):
        make()
