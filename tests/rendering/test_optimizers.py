"""Optimizers: their formulas by hand, and that a row's numbers are the same whatever stands beside it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError
from lucidtorch.rendering.rules import WIDEST, Optimizer, adam, can_fuse, parse_optimizer, sgd

UPDATES = 6


def gradients(*shape: int, dtype: torch.dtype = torch.float32) -> list[Tensor]:
    dice = torch.Generator().manual_seed(0)
    return [torch.randn(shape, generator=dice, dtype=dtype) for _ in range(UPDATES)]


def optimized(rule: Optimizer, start: Tensor, pulls: list[Tensor], lr: float = 0.1) -> Tensor:
    numbers = torch.nn.Parameter(start.clone())
    optimizer = rule.build([numbers], lr)
    for pull in pulls:
        numbers.grad = pull.clone()
        optimizer.step()
    return numbers.detach()


def adam_by_hand(rule: adam, start: Tensor, pulls: list[Tensor], lr: float) -> Tensor:
    """The formula of the paper, with whole sums in the place of running means."""
    numbers = start.clone()
    for count in range(1, len(pulls) + 1):
        seen = list(enumerate(reversed(pulls[:count])))
        first, second = ([base**age for age, _ in seen] for base in (rule.beta1, rule.beta2))
        mean = sum(weight * pull for weight, (_, pull) in zip(first, seen, strict=True)) / sum(first)
        square = sum(weight * pull**2 for weight, (_, pull) in zip(second, seen, strict=True)) / sum(second)
        numbers = numbers * (1 - lr * rule.weight_decay) - lr * mean / (square.sqrt() + rule.eps)
    return numbers


@pytest.mark.parametrize(
    "rule", [adam(), adam(beta1=0.5), adam(0, 0.9), adam(eps=0.1), adam(beta1=0.5, weight_decay=0.3)]
)
@pytest.mark.parametrize("width", [3, WIDEST])
def test_adam_is_its_formula(rule: adam, width: int) -> None:
    start, pulls = torch.ones(2, width), gradients(2, width)
    expected = adam_by_hand(rule, start.double(), [one.double() for one in pulls], 0.1)
    torch.testing.assert_close(optimized(rule, start, pulls).double(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_is_its_formula(momentum: float) -> None:
    start, pulls = torch.ones(2, 3, dtype=torch.float64), gradients(2, 3, dtype=torch.float64)
    numbers, pace = start.clone(), torch.zeros(2, 3, dtype=torch.float64)
    for pull in pulls:
        pace = momentum * pace + pull
        numbers = numbers - 0.1 * pace
    torch.testing.assert_close(optimized(sgd(momentum), start, pulls), numbers)


@pytest.mark.parametrize("shape", [(1,), (3, 3), (3, 17, 9, 2), (3, 16, 9, 2), (1, WIDEST)])
@pytest.mark.parametrize("rule", [adam(), adam(beta1=0.5, weight_decay=0.03), sgd(0.5)])
def test_a_row_is_the_same_alone_and_among_others(shape: tuple[int, ...], rule: Optimizer) -> None:
    start, pulls = torch.ones(5, *shape), gradients(5, *shape)
    together = optimized(rule, start, pulls)
    alone = [optimized(rule, start[[row]], [pull[[row]] for pull in pulls]) for row in range(5)]
    assert torch.equal(together, torch.cat(alone))


def test_all_arithmetic_is_one_pass_only_where_rows_fill_registers() -> None:
    assert can_fuse([torch.zeros(3, WIDEST), torch.zeros(1, 2, WIDEST)])
    assert not can_fuse([torch.zeros(3, WIDEST), torch.zeros(1, WIDEST + 1)])
    assert not can_fuse([torch.zeros(3, WIDEST, dtype=torch.float64)])
    assert not can_fuse([torch.zeros(WIDEST, 3).T])
    assert not can_fuse([torch.zeros(3, WIDEST, device="meta")])


@pytest.mark.parametrize("rule", [adam(), adam(0.5, weight_decay=0.03), adam(eps=1e-6), sgd(), sgd(0.9)])
def test_the_text_reads_back(rule: Optimizer) -> None:
    assert parse_optimizer(repr(rule)) == rule


def test_without_arguments_the_text_is_the_name() -> None:
    assert (repr(adam()), repr(sgd()), repr(adam(beta1=0.5))) == ("adam", "sgd", "adam(beta1=0.5)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adamw", "Did you mean 'adam'"),
        ("adam(beta1=1)", "below 1"),
        ("adam(beta2=1.0)", "below 1"),
        ("adam(beta1=-0.1)", "from 0 to 1"),
        ("adam(weight_decay=-1)", "from 0"),
        ("adam(eps='small')", "from 0"),
        ("adam(momentum=0.5)", "write adam\\(beta1=0.9"),
        ("sgd(momentum=1)", "below 1"),
        (0.9, "is a text"),
    ],
)
def test_what_is_refused(text: object, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        parse_optimizer(text)
