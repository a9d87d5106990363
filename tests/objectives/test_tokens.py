"""`token` and `head` on plain mappings, with values by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lucidtorch.base.errors import ObjectiveError, UnitError, UnknownLayerError
from lucidtorch.objectives import each, head, parse, token

VALUES = torch.arange(2 * 3 * 4).reshape(2, 3, 4).double()  # [B, C, N]
HEADS = {f"a[heads][{k}]": torch.arange(2 * 2 * 6).reshape(2, 2, 2, 3).double() * (k + 1) for k in range(3)}


@pytest.mark.parametrize("address", ["a[tokens]", "a"])
def test_a_token_is_one_number_for_each_image(address: str) -> None:
    given = {address: VALUES}
    assert token("a", 1, 2)(given).tolist() == [6, 18]
    assert token("a", 1)(given).tolist() == [4, 16]
    assert token("a", [1, 0], 3)(given).tolist() == [7, 15]
    assert token("a", 2, [3, 0])(given).tolist() == [11, 20]
    assert token("a", [0, 2], [1, 2])(given).tolist() == [1, 22]


def test_tokens_come_before_the_layer_itself() -> None:
    assert token("a", 0)({"a": VALUES + 100, "a[tokens]": VALUES}).tolist() == [0, 12]


def test_a_head_is_its_mean_square_or_the_mean_of_a_channel() -> None:
    first = HEADS["a[heads][0]"]
    assert torch.equal(head("a", 0)(HEADS), first.square().mean((1, 2, 3)))
    assert torch.equal(head("a", 2, channel=1)(HEADS), 3 * first[:, 1].mean((1, 2)))
    assert head("a", [2, 1], 0)(HEADS).tolist() == [3 * first[0, 0].mean(), 2 * first[1, 0].mean()]
    assert head("a", [2, 1], [0, 1])(HEADS).tolist() == [3 * first[0, 0].mean(), 2 * first[1, 1].mean()]
    assert head("a", 1)({"a[heads][1]": first[:, :, 0, 0]}).tolist() == first[:, :, 0, 0].square().mean(1).tolist()


def test_they_ask_for_what_they_read() -> None:
    assert token("a.b@2", 1).layers == ("a.b@2[tokens]",)
    assert token("a[0]", 1).layers == ("a[0][tokens]",)
    assert head("a", 3).layers == ("a[heads][3]",)
    assert head("a", [3, 1, 3]).layers == ("a[heads][3]", "a[heads][1]")
    assert (token("a", [1, 2]).batch, head("a", [3, 1, 3]).batch, token("a", 1, [2, 3]).batch) == (2, 3, 2)
    assert each(token("a", 1), head("a", 0)).layers == ("a[tokens]", "a[heads][0]")


@pytest.mark.parametrize(
    "text",
    [
        "token('a.b@2', 1)",
        "token('a', [1, 2], position=3)",
        "token('a', 1, position=[3, 0])",
        "head('a', 1)",
        "head('a', [1, 2], channel=[3, 4])",
        "head('a', 1, channel=3) - 2 * token('b[0]', 1)",
    ],
)
def test_their_texts_read_back(text: str) -> None:
    assert repr(parse(text)) == text


@pytest.mark.parametrize(
    ("text", "long"),
    [
        ("enc.3[class]:5", "channel('enc.3[class]', 5)"),
        ("lstm[cell][-1]:5", "channel('lstm[cell][-1]', 5)"),
        ("lstm@2[1][0]:[5, 6]", "channel('lstm@2[1][0]', [5, 6])"),
        ("-enc.3[tokens][12]:5 + attn[heads][2]:1", "-channel('enc.3[tokens][12]', 5) + channel('attn[heads][2]', 1)"),
    ],
)
def test_brackets_are_part_of_an_address(text: str, long: str) -> None:
    assert repr(parse(text)) == long
    assert parse(long) == parse(text)


def test_what_does_not_fit_is_refused() -> None:
    given = {"a[tokens]": VALUES, "flat": VALUES[:, :, 0], **HEADS}
    for goal, error, reason in (
        (token("a", 3), UnitError, "3 channels, 0 to 2"),
        (token("a", 1, 4), UnitError, "4 tokens, 0 to 3"),
        (token("a", 1, -1), UnitError, "4 tokens, 0 to 3, but -1"),
        (token("a", [1, 2, 0]), ObjectiveError, "3 channels"),
        (token("a", 1, [1, 2, 0]), ObjectiveError, "3 tokens of 'a' are named for 2 images"),
        (token("flat", 1), UnitError, "no tokens.*use `neuron`"),
        (token("b", 1), UnknownLayerError, r"needs the activations of 'b\[tokens\]'"),
        (head("a", 3), UnknownLayerError, r"'a\[heads\]\[3\]'.*'a\[heads\]\[2\]'"),
        (head("a", [0, 1, 2]), ObjectiveError, "3 heads of 'a' are named for 2 images"),
        (head("a", 1, channel=2), UnitError, "2 channels, 0 to 1"),
        (head("a", 1, channel=[0, 1, 1]), ObjectiveError, "3 channels"),
    ):
        with pytest.raises(error, match=reason):
            goal(given)
    with pytest.raises(ObjectiveError, match=r"token\(position=\) takes .* but True was given"):
        token("a", 1, True)
    with pytest.raises(ObjectiveError, match="names a layer by a Conv2d"):
        _ = token(nn.Conv2d(1, 1, 1), 1).layers  # type: ignore[arg-type]
