from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.base.errors import BadInputError, ImageError, SizeError
from lucidtorch.models.convention import InputConvention
from lucidtorch.models.normalization import Normalization

NUMBERS = st.floats(-300, 300)


@given(st.data())
def test_normalization_is_the_formula(data: st.DataObject) -> None:
    channels = data.draw(st.integers(1, 5))
    low = data.draw(NUMBERS)
    high = low + data.draw(st.floats(0.5, 300))
    mean = data.draw(st.lists(NUMBERS, min_size=channels, max_size=channels))
    std = data.draw(st.lists(st.floats(0.1, 300), min_size=channels, max_size=channels))
    images = torch.rand(2, channels, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(channels))
    normalize = Normalization(InputConvention(channels, (3, 4), (low, high), tuple(mean), tuple(std)), "net")
    columns = [torch.tensor(column, dtype=torch.float64).view(1, -1, 1, 1) for column in (mean, std)]
    expected = ((images * (high - low) + low) - columns[0]) / columns[1]
    torch.testing.assert_close(normalize(images), expected, rtol=1e-9, atol=1e-9)


def test_normalization_gives_a_new_tensor_that_a_network_may_spoil() -> None:
    images = torch.rand(1, 3, 2, 2)
    kept = images.clone()
    Normalization(InputConvention(), "net")(images).fill_(7)
    assert torch.equal(images, kept)


def test_normalization_is_differentiable_also_after_inference_mode() -> None:
    normalize = Normalization(InputConvention(std=(0.5, 0.25, 0.125)), "net")
    with torch.inference_mode():
        normalize(torch.rand(1, 3, 2, 2))
    images = torch.rand(1, 3, 2, 2, requires_grad=True)
    normalize(images).sum().backward()
    assert images.grad is not None
    assert images.grad[0, :, 0, 0].tolist() == [2, 4, 8]


def test_columns_are_made_once_per_device_and_type() -> None:
    normalize = Normalization(InputConvention(), "net")
    for dtype in (torch.float32, torch.float64, torch.float32):
        assert normalize(torch.zeros(1, 3, 1, 1, dtype=dtype)).dtype == dtype
    assert len(normalize._columns) == 2


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 4, 4), r"shape \[3, 4, 4\]"),
        (torch.zeros(1, 1, 4, 4), "net takes images of 3 channels, but images of 1 were given"),
        (torch.zeros(1, 3, 4, 4, dtype=torch.uint8), "images / 255"),
    ],
)
def test_other_things_than_images_are_refused(images: torch.Tensor, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        Normalization(InputConvention(), "net")(images)


def test_one_number_stands_for_all_channels() -> None:
    said = InputConvention(stated=False).overridden(mean=0.5, std=[0.25], value_range=(-1, 1), size=(10, 12))
    assert said == InputConvention(3, (10, 12), (-1.0, 1.0), (0.5,) * 3, (0.25,) * 3, stated=True)


def test_size_and_channels_alone_say_nothing_about_numbers() -> None:
    said = InputConvention(stated=False).overridden(size=64, channels=2)
    assert said == InputConvention(2, (64, 64), (0.0, 1.0), (0.0, 0.0), (1.0, 1.0), stated=False)


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"mean": [0.1, 0.2]}, BadInputError, "mean has 2 numbers for 3 channels"),
        ({"std": [1.0, 0.0, 1.0]}, BadInputError, "above 0"),
        ({"std": float("nan")}, BadInputError, "finite"),
        ({"value_range": (1, 0)}, BadInputError, "lo below hi"),
        ({"value_range": (0, 1, 2)}, BadInputError, "pair"),
        ({"size": 0}, SizeError, "from 1"),
        ({"size": (3, 4, 5)}, SizeError, "height and width"),
        ({"channels": 0}, BadInputError, "from 1"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(words: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        InputConvention().overridden(**words)  # type: ignore[arg-type]
