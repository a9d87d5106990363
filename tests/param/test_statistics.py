"""Statistics of images: colours, spectrum and magnitude against what was put in."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.images import photo
from lucidtorch.base.natural_images import IMAGENET_ROOT, amplitudes, radial_amplitudes
from lucidtorch.param import image
from lucidtorch.param.fixed_magnitude import maco
from lucidtorch.param.statistics import Statistics, fit_statistics


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).uniform(size=shape), dtype=torch.float32)


def fading(count: int, side: int, decay: float) -> torch.Tensor:
    """Grey images whose magnitude is 1 / f ** decay and whose phases are random."""
    dice = np.random.default_rng(5)
    found = np.empty((count, 1, side, side))
    weights = amplitudes((side, side), decay).numpy()
    for one in found:
        phases = np.angle(np.fft.rfft2(dice.normal(size=(side, side))))
        spectrum = weights * np.exp(1j * phases)
        spectrum[0, 0] = 0
        one[0] = np.fft.irfft2(spectrum, s=(side, side))
    return torch.tensor(0.5 + 0.45 * found / np.abs(found).max())


def test_mean_and_colour_are_those_of_all_pixels() -> None:
    pictures = noise(6, 4, 8, 10)
    pictures[:, 1] = 0.5 * pictures[:, 0] + 0.2 * pictures[:, 1]
    found = fit_statistics(pictures)
    pixels = pictures.double().numpy().transpose(1, 0, 2, 3).reshape(4, -1)
    np.testing.assert_allclose(found.mean.numpy(), pixels.mean(1), atol=1e-12)
    root = found.colour.numpy()
    np.testing.assert_allclose(root @ root.T, np.cov(pixels, bias=True), atol=1e-12)


def test_numpy_takes_each_field_as_an_array_of_numbers() -> None:
    pictures = noise(6, 3, 8, 10)
    found = fit_statistics(pictures)
    pixels = pictures.double().numpy().transpose(1, 0, 2, 3).reshape(3, -1)
    colour = np.asarray(found.colour)
    assert (colour.shape, colour.dtype) == ((3, 3), np.float64)
    np.testing.assert_allclose(colour @ colour.T, np.cov(pixels, bias=True), atol=1e-12)
    assert np.asarray(found.magnitude, dtype=np.float64).shape == (3, 8, 5)
    assert np.mean(found.mean) == pytest.approx(pixels.mean())  # type: ignore[arg-type]
    own = np.array(found.colour)
    own[:] = 0
    assert np.asarray(found.colour).any()  # what is copied is the caller's own


def test_a_known_root_comes_out_columns_by_strength_and_sign() -> None:
    """Lucid's root put in comes out again: its columns are almost at right angles."""
    axes, lengths, _ = np.linalg.svd(np.array(IMAGENET_ROOT))
    known = axes * np.where(axes[0] < 0, -1, 1) * lengths
    dice = np.random.default_rng(0)
    numbers = dice.choice([-1.0, 1.0], size=(3, 400_000))
    pixels = torch.tensor(0.5 + 0.5 * known @ numbers).reshape(3, 400, 1000)
    found = fit_statistics([pixels], side=16).colour.numpy()
    np.testing.assert_allclose(found, 0.5 * known, atol=1e-3)
    along = [abs(found[:, k] @ np.array(IMAGENET_ROOT)[:, k]) / np.linalg.norm(found[:, k]) for k in range(3)]
    np.testing.assert_allclose(along, np.linalg.norm(IMAGENET_ROOT, axis=0), rtol=0.02)


def test_lengths_of_columns_fall_and_first_numbers_are_not_negative() -> None:
    root = fit_statistics(noise(3, 5, 9, 9) * torch.linspace(0.2, 1, 5)[:, None, None]).colour.numpy()
    lengths = np.linalg.norm(root, axis=0)
    assert (np.diff(lengths) <= 0).all()
    assert (root[0] >= 0).all()
    np.testing.assert_allclose(root.T @ root, np.diag(lengths**2), atol=1e-12)


def test_every_image_counts_the_same_whatever_its_size() -> None:
    large, small = noise(3, 40, 20), 0.5 * noise(3, 8, 8, seed=1)
    found = fit_statistics([large, small], side=8)
    expected = (large.double().mean((1, 2)) + small.double().mean((1, 2))) / 2
    np.testing.assert_allclose(found.mean.numpy(), expected.numpy(), atol=1e-12)


@pytest.mark.parametrize("form", ["list", "tensor", "batches", "generator"])
def test_any_form_gives_the_same(form: str) -> None:
    pictures = noise(6, 3, 8, 8)
    forms: dict[str, Any] = {
        "list": list(pictures),
        "tensor": pictures,
        "batches": [pictures[:4], pictures[4], pictures[5:]],
        "generator": (one for one in pictures),
    }
    assert fit_statistics(forms[form]) == fit_statistics(pictures)


def test_images_are_seen_once_and_not_kept() -> None:
    alive: list[Any] = []

    def stream() -> Iterator[torch.Tensor]:
        for number in range(20):
            one = noise(3, 8, 8, seed=number)
            alive.append(weakref.ref(one))
            yield one
            assert sum(ref() is not None for ref in alive) <= 2

    fit_statistics(stream())
    assert len(alive) == 20


def test_the_magnitude_is_the_root_mean_square_in_decorrelated_colours() -> None:
    pictures = noise(5, 3, 12, 12)
    pictures[:, 0] = 0.3 * pictures[:, 0] + 0.6 * pictures[:, 1]
    found = fit_statistics(pictures)
    root = found.colour.numpy()
    inverse = np.linalg.inv(root / np.linalg.norm(root, axis=0).max())
    apart = np.einsum("ij,bjhw->bihw", inverse, pictures.double().numpy())
    expected = np.sqrt((np.abs(np.fft.rfft2(apart)) ** 2).mean(0))
    np.testing.assert_allclose(found.magnitude.numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.7, 1.0, 1.6])
@pytest.mark.parametrize("side", [32, 64])
def test_a_known_decay_is_found(decay: float, side: int) -> None:
    found = fit_statistics(fading(4, side, decay))
    assert found.spectrum.shape == (64,)
    assert found.spectrum.is_inline
    weights = radial_amplitudes((side, side), found.spectrum.numpy()).numpy()
    expected = amplitudes((side, side), decay).numpy()
    shares = (weights / expected).ravel()[1:]
    assert np.abs(shares / np.median(shares) - 1).max() < 0.1
    assert np.median(np.abs(shares / np.median(shares) - 1)) < 0.01


def test_the_spectrum_goes_on_below_one_cycle_per_picture() -> None:
    """What was fitted to 32 pixels serves larger pictures: 1 / f goes on, within a third, down to one cycle in 128."""
    found = fit_statistics(fading(4, 32, 1.0)).spectrum.numpy()
    shares = (radial_amplitudes((128, 128), found) / amplitudes((128, 128), 1)).numpy().ravel()[1:]
    assert np.abs(shares / np.median(shares) - 1).max() < 1 / 3


def test_the_side_is_that_of_the_first_image_or_as_given() -> None:
    assert fit_statistics([noise(3, 15, 22), noise(3, 40, 40)]).magnitude.shape == (3, 14, 8)
    assert fit_statistics([noise(2, 300, 270)]).magnitude.shape == (2, 256, 129)
    assert fit_statistics([noise(1, 20, 20)], side=8).magnitude.shape == (1, 8, 5)


def test_params_take_them() -> None:
    found = fit_statistics(noise(6, 3, 16, 16))
    plain = image(20, colour=found.colour, spectrum=found.spectrum)
    assert plain().shape == (1, 3, 20, 20)
    bound = image((18, 24), spatial=maco(magnitude=found.magnitude), colour=found.colour)
    assert bound().shape == (1, 3, 18, 24)
    assert bound.arrays


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    found = fit_statistics(noise(6, 3, 16, 16))
    path = found.save(tmp_path / "of" / "noise.safetensors")
    assert Statistics.load(path) == found
    assert [one.name for one in path.parent.iterdir()] == ["noise.safetensors"]
    before = path.read_bytes()
    found.save(path)
    assert path.read_bytes() == before
    with pytest.raises(AttributeError):
        found.mean = Array.of([1.0])  # type: ignore[misc]


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be read"):
        Statistics.load(tmp_path / "missing")
    (tmp_path / "text").write_text("no statistics")
    with pytest.raises(BadInputError, match="safetensors"):
        Statistics.load(tmp_path / "text")
    other = {"mean": np.zeros(3)}
    (tmp_path / "other").write_bytes(safetensors.numpy.save(other))
    with pytest.raises(BadInputError, match="colour"):
        Statistics.load(tmp_path / "other")
    whole = {"mean": np.zeros((3, 1)), "colour": np.eye(3), "spectrum": np.ones(4), "magnitude": np.ones((3, 4, 3))}
    (tmp_path / "axes").write_bytes(safetensors.numpy.save(whole))
    with pytest.raises(BadInputError, match=r"\[3, 1\]"):
        Statistics.load(tmp_path / "axes")


def test_photographs_have_colours_like_imagenets(test_data: Path) -> None:
    """Each axis of a few photographs points within 7 degrees of ImageNet's."""
    photos = (torch.from_numpy(photo(path).numpy().copy()) for path in sorted((test_data / "photos").glob("*.jpg")))
    found = fit_statistics((one.expand(3, -1, -1) for one in photos), side=64)
    root, known = found.colour.numpy(), np.array(IMAGENET_ROOT)
    along = np.abs((root * known).sum(0)) / np.linalg.norm(root, axis=0) / np.linalg.norm(known, axis=0)
    assert np.degrees(np.arccos(along)).max() < 7
    radial = found.spectrum.numpy()
    places = np.linspace(0, np.sqrt(0.5), 64)[4:40]
    assert -1.7 < np.polyfit(np.log(places), np.log(radial[4:40]), 1)[0] < -1.0


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "no image"),
        ([noise(3, 8, 8) + 0.5], "Image 0 .* runs from"),
        ([noise(3, 8, 8), -noise(3, 8, 8)], "Image 1 .* runs from"),
        ([255 * noise(3, 8, 8)], "255"),
        ([noise(3, 8, 8), noise(4, 8, 8)], "Image 1 has 4 channels, those before it 3"),
        ([torch.full((3, 8, 8), float("nan"))], "inf or nan"),
        ([torch.zeros(3, 0, 8)], "empty"),
        (noise(3, 8, 8), r"\[8, 8\]"),
        ([(noise(3, 8, 8), 5)], "a list of tensors"),
        ([np.zeros((3, 8, 8))], "a list of tensors, but"),
        ([torch.cat([noise(2, 8, 8), torch.full((1, 8, 8), 0.3)])], "Channel 2 is constant"),
        ([noise(1, 8, 8).expand(3, 8, 8)], "repeat each other"),
    ],
)
def test_images_that_do_not_fit_are_refused(images: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        fit_statistics(images)


@pytest.mark.parametrize("side", [0, 2, 7, 8.0, "8", True])
def test_sides_that_are_none_are_refused(side: Any) -> None:
    with pytest.raises(BadInputError, match="side"):
        fit_statistics([noise(3, 8, 8)], side=side)
