"""Arrays as values: compared, hashed, printed, kept in files and read back."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lucidtorch.base.arrays import INLINE_NUMBERS, Array, load_array
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.base.notation import bind, format_call, format_value, freeze, usage

shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6)
finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(hnp.arrays("float64", shapes, elements=finite))
def test_numbers_in_any_form_are_the_same_value(numbers: np.ndarray) -> None:
    forms = [numbers, numbers.tolist(), torch.tensor(numbers), Array.of(numbers), np.asfortranarray(numbers)]
    arrays = [Array.of(one) for one in forms]
    assert all(one == arrays[0] for one in arrays)
    assert len({hash(one) for one in arrays}) == 1
    assert arrays[0].shape == numbers.shape
    assert np.array_equal(arrays[0].numpy(), numbers)
    assert pickle.loads(pickle.dumps(arrays[0])) == arrays[0]


@given(hnp.arrays("float64", shapes, elements=finite))
def test_small_ones_print_their_numbers_and_large_ones_their_file(numbers: np.ndarray) -> None:
    array = Array.of(numbers)
    assert array.is_inline == (numbers.size <= INLINE_NUMBERS)
    if array.is_inline:
        assert repr(array) == repr(numbers.tolist())
    else:
        assert repr(array) == f"array('{array.sha256[:16]}.npy', sha256='{array.sha256}')"


def test_small_ones_are_float64_and_large_ones_float32() -> None:
    assert Array.of([0.1] * 64).numpy()[0] == 0.1
    assert Array.of([0.1] * 65).numpy()[0] == np.float32(0.1)


def test_an_array_does_not_change() -> None:
    numbers = np.ones(3)
    array = Array.of(numbers)
    numbers[:] = 5
    assert array.numpy().tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="read-only"):
        array.numpy()[0] = 3
    array.tensor(torch.zeros(())).zero_()
    assert array.numpy().tolist() == [1, 1, 1]
    assert array.tensor(torch.zeros((), dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize(
    "numbers", [[], [[1], [2, 3]], "abc", ["a"], [float("nan")], [float("inf")], [None], [1j], object(), {}]
)
def test_what_is_no_array_is_refused(numbers: Any) -> None:
    with pytest.raises(BadInputError):
        Array.of(numbers)


def test_a_file_reads_back_bit_for_bit(tmp_path: Path) -> None:
    array = Array.of(np.random.default_rng(1).normal(size=(5, 40)))
    path = array.save(tmp_path / "new")
    assert path.name == array.file_name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == array.sha256
    assert load_array(path, array.sha256) == array
    assert np.array_equal(np.load(path), array.numpy())
    assert array.save(tmp_path / "new").read_bytes() == path.read_bytes()
    assert [one.name for one in (tmp_path / "new").iterdir()] == [path.name]


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = Array.of(np.arange(70.0)).save(tmp_path)
    with pytest.raises(ExpressionError, match="cannot be read"):
        load_array(tmp_path / "missing.npy")
    with pytest.raises(ExpressionError, match="changed"):
        load_array(path, "0" * 64)
    for content in (b"", b"no array", pickle.dumps([1, 2])):
        path.write_bytes(content)
        with pytest.raises(ExpressionError):
            load_array(path)


def sample(layer: str, index: int | list[object], x: int | None = None, *, power: float = 1.0) -> None:
    """A signature."""


def test_calls_are_written_with_the_fewest_words() -> None:
    import inspect

    def text(*args: object, **kwargs: object) -> str:
        return format_call("sample", inspect.signature(sample), bind(sample, args, kwargs))

    assert text("a", 1) == "sample('a', 1)"
    assert text(index=1, layer="a") == "sample('a', 1)"
    assert text("a", [1, (2, 3)]) == "sample('a', [1, [2, 3]])"
    assert text("a", 1, None, power=1.0) == "sample('a', 1)"
    assert text("a", 1, 0) == "sample('a', 1, x=0)"
    assert text("a", 1, power=1) == "sample('a', 1, power=1)"
    assert text("it's", np.int64(3), torch.tensor(2)) == 'sample("it\'s", 3, x=2)'
    assert usage("sample", sample) == "sample(layer, index, x=None, power=1.0)"
    with pytest.raises(TypeError):
        bind(sample, ("a",), {})
    with pytest.raises(TypeError):
        bind(sample, ("a", 1), {"banana": 3})


def test_frozen_values_are_plain() -> None:
    assert freeze([1, [2.5, "a"], range(2)]) == (1, (2.5, "a"), (0, 1))
    assert freeze(np.float64(0.5)) == 0.5
    assert type(freeze(np.int32(3))) is int
    assert type(freeze(torch.tensor(0.5))) is float
    assert format_value((1, ("a", None), True)) == "[1, ['a', None], True]"
    for value in (float("nan"), [float("inf")], np.float32("nan")):
        with pytest.raises(BadInputError, match="finite"):
            freeze(value)
