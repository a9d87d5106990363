"""Texts that do not parse: each is refused, nothing is run, and a caret stands under the column."""

from __future__ import annotations

import builtins
import contextlib
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.objectives import Objective, direction, parse
from lucidtorch.objectives.text import parse as parse_text


def refusal(text: str) -> str:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    return str(caught.value)


# The caret stands under the last character before the mark "¶", which is taken out of the text.
CARETS = [
    "c¶hanel('a', 1)",
    "a:1 + f¶oo",
    "a:1 + b:2 + f¶oo(3)",
    "a:[1, 2] - 3 * b:17.on(0) + c¶hanel('a', 1)",
    "f¶oo + a:1",
    "a:1 + )¶",
    "a:1 + b:2 )¶",
    "logit('é') + f¶oo",
    "logit('ééé') + a:1 + f¶oo",
    "logit('ééé') + + )¶",
    "logit('日本語') * a:1 - )¶",
    "logit('😀') + c¶hanel('a', 1)",
    "a:1 + c¶hannel('b', 1, 2, 3)",
    "a:1 + i¶f:3",
    "T¶rue:1",
    "a:1 @ b¶:2",
    "a:1 // 2¶",
    "a:1 + (¶lambda: 3)()",
    "a:1 + x¶.y",
    "a:1 * 1¶j",
    "a¶:1.foo(3)",
    "each(a:1, n¶euron('a', 1, z=3))",
    "a:1 + i¶nterpolate(a:1, b:2, 1)",
    "1¶ / 0 * a:1",
]


@pytest.mark.parametrize("marked", CARETS)
def test_the_caret_stands_under_the_column(marked: str) -> None:
    column, text = marked.index("¶") - 1, marked.replace("¶", "")
    _, shown, pointer = refusal(text).rsplit("\n", 2)
    assert shown == f"  {text}"
    assert pointer == f"  {' ' * column}^"
    assert f"(column {column + 1})" in refusal(text)


FORBIDDEN = [
    "__import__('os').system('true')",
    "open('x')",
    "exec('1')",
    "().__class__.__bases__",
    "channel.__globals__",
    "channel('a', 0).__class__",
    "channel('a', 0).layers",
    "channel('a', 0).evaluate({}, {})",
    "channel('a', 0).walk()",
    "channel",
    "DEFINITIONS",
    "[channel('a', i) for i in [1]]",
    "(lambda: 1)()",
    "a:1 if 1 else b:2",
    "a:1 and b:2",
    "not a:1",
    "~a:1",
    "a:1 < b:2",
    "a:1 == b:2",
    "a:1 | b:2",
    "a:1 & b:2",
    "a:1 << 3",
    "a:1 % 2",
    "a:1 @ b:2",
    "f'{1}'",
    "'a' 'b'",
    "b'a'",
    "{'a': 1}",
    "{a:1}",
    "[a:1][0]",
    "(x := 3)",
    "a:1; b:2",
    "import os",
    "x = a:1",
    "await a:1",
    "channel('a', *[1])",
    "channel(**{'layer': 'a', 'index': 1})",
    "channel(layer='a', layer='b', index=0)",
    "...",
    "None",
    "5",
    "'a:1'",
    "a:1, b:2",
    "[a:1]",
    "a:-1",
    "a: 1",
    "a :1",
    "a:1.5",
    "a:1_0",
    "if:3",
    "lambda:3",
    "None:3",
    "",
    "   ",
    "\n",
    "\x00",
    "a:1\x00",
    "a:1 \ud800",
    "channel('a' * 3, 0)",
    "channel('a' + 'b', 0)",
    "channel('a', [1] * 3)",
    "direction('a', [1] + [2])",
    "array('x.npy')",
    "direction('a', array('../x.npy', sha256='0'))",
    "direction('a', array('missing.npy', sha256='0'))",
    "direction('a', [])",
    "direction('a', ['b'])",
    "direction('a', [[1], [2, 3]])",
    "each()",
    "each(a:1, 3)",
    "interpolate(a:1, b:2)",
    "each(a:1, b:2) + each(a:1, b:2, c:3)",
    "each(a:1, b:2).on(2)",
    "a:1.on(-1)",
    "a:1.on(True)",
    "a:1 * 1e999",
    "channel('a', 1e999)",
]


@pytest.mark.parametrize("text", FORBIDDEN)
def test_what_is_not_in_the_notation_is_refused(text: str) -> None:
    assert refusal(text)


def test_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*args: object, **kwargs: object) -> object:
        raise AssertionError("something was run")

    monkeypatch.setattr(builtins, "eval", refuse)
    monkeypatch.setattr(builtins, "exec", refuse)
    proof = tmp_path / "proof"
    refusal(f"open({str(proof)!r}, 'w')")
    refusal(f"__import__('pathlib').Path({str(proof)!r}).touch()")
    assert not proof.exists()
    assert isinstance(parse("a:1 + 2 * b:3"), Objective)


@pytest.mark.parametrize(
    "text",
    [
        "9 ** 9 ** 9 ** 9 * a:1",
        "10 ** 10000000 * a:1",
        "(-8) ** 0.5 * a:1",
        "0 ** -1 * a:1",
        "1 / 0 * a:1",
        "9" * 5000 + " * a:1",
    ],
)
def test_huge_powers_are_refused_at_once(text: str) -> None:
    start = time.perf_counter()
    refusal(text)
    assert time.perf_counter() - start < 60  # not a timing: the naive way takes hours or all memory


def test_a_keyword_is_told_how_to_be_written() -> None:
    assert "channel('if', 3)" in refusal("if:3")


def test_a_misspelt_word_gets_its_neighbours() -> None:
    assert "Did you mean 'channel'" in refusal("chanel('a', 1)")


def test_arguments_that_do_not_fit_are_answered_with_the_signature() -> None:
    assert "neuron(layer, index, x=None, y=None, t=None)" in refusal("neuron('a', 5, z=3)")
    assert "channel(layer, index)" in refusal("channel('a')")


def test_no_private_name_stands_in_a_message() -> None:
    assert "_Reader" not in refusal("array('x.npy')")


DEEP = {
    "signs": lambda n: "-" * n + "a:1",
    "products": lambda n: " * ".join(["a:1"] * n),
    "powers": lambda n: " ** ".join(["a:1"] * n),
    "parentheses": lambda n: "(" * n + "a:1" + ")" * n,
    "on": lambda n: "a:1" + ".on(0)" * n,
    "each": lambda n: "each(" * n + "a:1" + ")" * n,
    "negatives": lambda n: "negative(" * n + "a:1" + ")" * n,
    "differences": lambda n: "(a:1 - " * n + "a:1" + ")" * n,
    "lists": lambda n: "direction('a', " + "[" * n + "1" + "]" * n + ")",
    "sums": lambda n: " + ".join(["a:1"] * n),
}


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("depth", [50, 150, 300, 600, 1200, 4000])
def test_deep_nesting_is_either_refused_or_works_in_full(kind: str, depth: int) -> None:
    try:
        objective = parse(DEEP[kind](depth))
    except ExpressionError:
        return
    assert parse(repr(objective)) == objective
    assert isinstance(hash(objective), int)
    assert objective.layers == ("a",)
    try:
        value = objective({"a": torch.ones(1, 2, dtype=torch.float64)})
    except BadInputError:
        return  # a direction that is too deep a list
    assert value.shape == (1,)


def test_a_sum_of_400_terms_parses() -> None:
    text = " + ".join(f"a:{k}" for k in range(400))
    assert len(repr(parse(text)).split(" + ")) == 400


@settings(max_examples=300)
@given(st.text(alphabet="ab:1.,()[]'\"+-*/@ é\n\\|{}=#", max_size=24))
def test_any_text_parses_or_is_refused_with_our_error(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        objective = parse(text)
        assert parse(repr(objective)) == objective


def test_large_arrays_stand_beside_the_text(tmp_path: Path) -> None:
    vector = np.random.default_rng(0).normal(size=65)
    objective = direction("a", vector)
    text = repr(objective)
    assert "array('" in text
    assert "sha256='" in text
    array = dict(objective.arguments)["vector"]
    array.save(tmp_path)
    again = parse_text(text, tmp_path)
    assert again == objective
    assert repr(again) == text
    activations = {"a": torch.rand(1, 65, 2, 2, dtype=torch.float64)}
    assert torch.equal(again(activations), objective(activations))
    expected = (activations["a"][0].mean((1, 2)) * torch.tensor(vector.astype(np.float32)).double()).sum()
    assert again(activations).item() == pytest.approx(expected.item(), abs=1e-10)


def test_a_changed_array_file_is_refused(tmp_path: Path) -> None:
    objective = direction("a", np.arange(65.0))
    path = dict(objective.arguments)["vector"].save(tmp_path)
    np.save(path, np.zeros(65))
    with pytest.raises(ExpressionError, match="has changed"):
        parse_text(repr(objective), tmp_path)


def test_a_pickle_in_an_array_file_is_refused(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "x.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(ExpressionError):
        parse_text(f"direction('a', array('x.npy', sha256='{digest}'))", tmp_path)
