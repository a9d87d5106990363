from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError, ImageError, SizeError
from lucidtorch.models.inputs.convention import InputConvention, Normalization

NUMBERS = st.floats(-300, 300)


@given(st.data())
def test_normalization_is_the_formula(data: st.DataObject) -> None:
    channels = data.draw(st.integers(1, 5))
    order = data.draw(st.sampled_from(["rgb", "bgr"] if channels == 3 else ["rgb"]))
    sides = data.draw(st.sampled_from([(3, 4), (1, 1), (2, 3, 4)]))
    low = data.draw(NUMBERS)
    high = low + data.draw(st.floats(0.5, 300))
    mean = data.draw(st.lists(NUMBERS, min_size=channels, max_size=channels))
    std = data.draw(st.lists(st.floats(0.1, 300), min_size=channels, max_size=channels))
    images = torch.rand(2, channels, *sides, dtype=torch.float64, generator=torch.Generator().manual_seed(channels))
    convention = InputConvention(channels, sides, (low, high), tuple(mean), tuple(std), channel_order=order)
    expected = torch.empty_like(images)
    for channel in range(channels):
        plane = images[:, channels - 1 - channel if order == "bgr" else channel]
        expected[:, channel] = ((plane * (high - low) + low) - mean[channel]) / std[channel]
    torch.testing.assert_close(Normalization(convention, "net")(images), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 2, 4, 5)])
def test_a_mean_image_is_subtracted_pixel_by_pixel(order: str, shape: tuple[int, ...]) -> None:
    mean = torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).float()
    convention = InputConvention(
        3, (2, 4, 5), (0.0, 255.0), std=(1.0, 2.0, 4.0), channel_order=order, mean_image=Array.of(mean)
    )
    images = torch.rand(2, 3, 2, 4, 5, generator=torch.Generator().manual_seed(2))
    found = Normalization(convention, "net")(images)
    for place in ((0, 0, 1, 2, 3), (1, 1, 0, 3, 4), (0, 2, 1, 0, 0)):
        image, channel, time, row, column = place
        seen = images[image, 2 - channel if order == "bgr" else channel, time, row, column] * 255
        taken = mean[(channel, time, row, column) if len(shape) == 4 else (channel, row, column)]
        torch.testing.assert_close(found[place], (seen - taken) / (1, 2, 4)[channel])


def test_a_mean_image_follows_the_size_of_the_images() -> None:
    ramp = torch.linspace(0, 1, 8).expand(1, 8, 8)
    normalize = Normalization(InputConvention(1, (8, 8), mean=(0.5,), std=(1.0,), mean_image=Array.of(ramp)), "net")
    assert torch.equal(normalize(torch.zeros(1, 1, 8, 8)), -ramp[None])
    larger = normalize(torch.zeros(1, 1, 16, 24))
    assert larger.shape == (1, 1, 16, 24)
    assert -larger[0, 0, 0].diff().min() >= 0
    torch.testing.assert_close(larger.mean(), torch.tensor(-0.5), rtol=0, atol=1e-4)
    assert torch.equal(normalize(torch.zeros(1, 1, 8, 8)), -ramp[None])


def test_two_conventions_with_the_same_mean_image_are_equal_and_hash_alike() -> None:
    one, other = (InputConvention(mean_image=Array.of(torch.ones(3, 9, 9) * 0.5)) for _ in range(2))
    assert (one, hash(one)) == (other, hash(other))
    assert one != InputConvention(mean_image=Array.of(torch.ones(3, 9, 9) * 0.25))


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
        (torch.zeros(1, 3, 2, 4, 4), r"shape \[1, 3, 2, 4, 4\] was given. For clips and volumes, .*size=\(t, h, w\)"),
    ],
)
def test_other_things_than_images_are_refused(images: torch.Tensor, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        Normalization(InputConvention(), "net")(images)


def test_a_network_for_clips_refuses_images() -> None:
    with pytest.raises(ImageError, match=r"net takes clips or volumes \[B, C, T, H, W\], but .*\[1, 3, 4, 4\]"):
        Normalization(InputConvention(size=(2, 4, 4)), "net")(torch.zeros(1, 3, 4, 4))


@pytest.mark.parametrize(
    ("known", "given_size", "size"),
    [
        ((224, 224), 64, (64, 64)),
        ((224, 224), (16, 64, 48), (16, 64, 48)),
        ((16, 112, 112), 64, (16, 64, 64)),
        ((16, 112, 112), [32, 48], (16, 32, 48)),
        ((16, 112, 112), (8, 32, 48), (8, 32, 48)),
    ],
)
def test_a_size_of_a_network_for_clips_leaves_their_length(
    known: tuple[int, ...], given_size: object, size: tuple[int, ...]
) -> None:
    said = InputConvention(size=known).overridden(size=given_size)  # type: ignore[arg-type]
    assert (said.size, said.dims) == (size, len(size))


def test_numbers_take_the_place_of_a_mean_image() -> None:
    said = InputConvention(mean_image=Array.of(torch.ones(3, 9, 9))).overridden(mean=0.25)
    assert (said.mean, said.mean_image) == ((0.25,) * 3, None)


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
        ({"size": (3, 4, 5, 6)}, SizeError, "height, width"),
        ({"channel_order": "grb"}, BadInputError, "channel_order is 'rgb' or 'bgr', but 'grb' was given"),
        ({"channel_order": "bgr", "channels": 1}, BadInputError, "for images of 3 channels, not 1; leave it out"),
        ({"mean": "none.npy"}, BadInputError, "no file none.npy for the mean; give numbers"),
        ({"channels": 0}, BadInputError, "from 1"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(words: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        InputConvention().overridden(**words)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 2, 4, 4), (3, 4)])
def test_a_mean_image_of_another_kind_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInputError, match=r"A mean image is \[C, H, W\] with 3 channels here"):
        InputConvention(mean_image=Array.of(torch.zeros(shape)))
