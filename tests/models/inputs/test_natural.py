from __future__ import annotations

import numpy as np
import pytest
import torch

from lucidtorch.models.inputs.norm_stats import natural_images


@pytest.mark.parametrize("channels", [1, 3, 7])
@pytest.mark.parametrize("sides", [(32, 32), (17, 40), (5, 16, 24)])
def test_pictures_have_the_shape_that_was_asked_for_and_are_the_same_for_a_seed(
    channels: int, sides: tuple[int, ...]
) -> None:
    state = torch.get_rng_state()
    images = natural_images(channels, sides, 3)
    assert images.shape == (3, channels, *sides)
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert torch.equal(images, natural_images(channels, sides, 3))
    assert not torch.equal(images, natural_images(channels, sides, 3, seed=1))
    assert torch.equal(state, torch.get_rng_state())


def test_colours_are_as_bright_and_as_varied_as_photographs() -> None:
    images = natural_images(3, (64, 64), 32).double()
    assert images.mean((0, 2, 3)).tolist() == pytest.approx([0.485, 0.456, 0.406], abs=0.04)
    assert images.std((0, 2, 3)).tolist() == pytest.approx([0.26, 0.26, 0.26], abs=0.03)
    channels = np.corrcoef(images.transpose(0, 1).flatten(1).numpy())
    assert channels[0, 1] > 0.85
    assert 0.6 < channels[0, 2] < channels[0, 1]


def test_the_power_of_a_frequency_falls_with_its_square() -> None:
    images = natural_images(1, (64, 64), 64)[:, 0].double().numpy()
    power = (np.abs(np.fft.fft2(images)) ** 2).mean(0)
    falls = [power[0, low] / power[0, 2 * low] for low in (2, 4, 8)]
    assert np.exp(np.mean(np.log(falls))) == pytest.approx(4, rel=0.25)


def test_the_pictures_of_a_clip_move_steadily() -> None:
    clips = natural_images(3, (4, 16, 16), 6)
    shifts = [(down, right) for down in range(-2, 3) for right in range(-2, 3)]
    for clip in clips:
        fitting = [one for one in shifts if torch.equal(clip[:, 1], clip[:, 0].roll(one, (1, 2)))]
        assert fitting
        assert torch.equal(clip[:, 3], clip[:, 2].roll(fitting[0], (1, 2)))
