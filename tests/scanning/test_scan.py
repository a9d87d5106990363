from __future__ import annotations

import numpy as np
import pytest
import torch
from small_networks import as_model, mixing
from torch import nn

from lucidtorch.base.errors import UnitError, UnknownLayerError
from lucidtorch.datasets import drawings, load_scan, scan

COUNT, TOP, BOTTOM, RANKED = 60, 4, 3, 20
LAYERS = ["conv1_1", "relu1_2", "conv3_1", "logits"]


@pytest.fixture(scope="module")
def images():
    return drawings("test", length=COUNT, size=96)


@pytest.fixture(scope="module")
def found(demo, images, tmp_path_factory):
    settings = {"top": TOP, "bottom": BOTTOM, "ranked": RANKED, "batch": COUNT, "samples": 500}
    return scan(demo, images, tmp_path_factory.mktemp("scan"), layers=LAYERS, **settings)


@pytest.fixture(scope="module")
def all_values(demo, images):
    """Every activation of every layer, `[N, C, S]`, from a single pass with all of them in memory."""
    given = demo.activations(images.batch(range(COUNT))[0], LAYERS)
    return {layer: values.reshape(COUNT, values.shape[1], -1).numpy() for layer, values in given.items()}


def ranking(values: np.ndarray, count: int, sign: int) -> list[tuple[int, float, int]]:
    """The images of one unit `[N, S]` in order: value, then number; each with the first place where it is reached."""
    rows = []
    for image, own in enumerate(values):
        place = min(range(len(own)), key=lambda at: (-sign * own[at], at))
        rows.append((image, float(own[place]), place))
    return sorted(rows, key=lambda row: (-sign * row[1], row[0]))[:count]


@pytest.mark.parametrize("layer", LAYERS)
def test_the_best_and_the_worst_are_those_of_a_brute_force_pass(found, all_values, layer):
    width = found[layer].shape[-1] if len(found[layer].shape) > 1 else 1
    for unit in range(0, found[layer].units, 3):
        for examples, count, sign in ((found[layer].top(unit), TOP, 1), (found[layer].bottom(unit), BOTTOM, -1)):
            said = [(one.image, one.value, one.row * width + one.column) for one in examples]
            assert said == ranking(all_values[layer][:, unit], count, sign)


def test_of_equal_images_the_lower_number_is_first_and_of_equal_places_the_first(tmp_path):
    generator = torch.Generator().manual_seed(1)
    data = torch.randint(0, 3, (50, 3, 16, 16), generator=generator) / 4
    data[::5] = 0
    net = nn.Sequential(nn.Conv2d(3, 6, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.randint(-1, 2, (6, 3, 1, 1), generator=generator))
        net[0].bias.zero_()
    model = as_model(net)
    values = model.activations(data, "0")["0"].flatten(2).numpy()
    for batch in (1, 7, 50):
        layer = scan(model, data, tmp_path / str(batch), top=12, bottom=12, ranked=0, batch=batch, chunk=21)["0"]
        for unit in range(6):
            for examples, sign in ((layer.top(unit), 1), (layer.bottom(unit), -1)):
                said = [(one.image, one.value, one.row * 16 + one.column) for one in examples]
                assert said == ranking(values[:, unit], 12, sign)


@pytest.mark.parametrize("layer", LAYERS)
def test_moments_and_histograms_are_those_of_all_values(found, all_values, layer):
    values = all_values[layer].swapaxes(0, 1).reshape(found[layer].units, -1)
    moments = found[layer].moments
    assert (moments.count == values.shape[1]).all()
    assert np.allclose(moments.mean, values.mean(1, dtype=np.float64), rtol=1e-10, atol=1e-12)
    assert np.allclose(moments.variance, values.var(1, dtype=np.float64), rtol=1e-9)
    assert np.array_equal(moments.low, values.min(1))
    assert np.array_equal(moments.high, values.max(1))
    assert np.array_equal(moments.zeros, (values == 0).sum(1))
    for unit in range(found[layer].units):
        counts, edges = found[layer].histogram(unit)
        assert np.array_equal(counts, np.histogram(values[unit], edges)[0])
        assert counts.sum() == values.shape[1]
        assert counts[0] > 0
        assert counts[len(counts) // 2 - 1 :].sum() > 0 or (values[unit] == values[unit, 0]).all()


@pytest.mark.parametrize("layer", LAYERS)
def test_percentiles_are_right_to_a_bin(found, all_values, layer):
    for unit in range(0, found[layer].units, 5):
        values = np.sort(all_values[layer][:, unit].ravel())
        counts, edges = found[layer].histogram(unit)
        assert found[layer].percentile(unit, float(values[0])) == 0
        assert found[layer].percentile(unit, float(values[-1]) + 1) == 100
        for value in np.linspace(values[0], values[-1], 23):
            inside = counts[np.clip(np.searchsorted(edges, value, "right") - 1, 0, len(counts) - 1)]
            inside -= (values == 0).sum() * bool(edges[0] <= 0 <= edges[-1] and 0 <= value < edges[1] - edges[0])
            exact = 100 * np.searchsorted(values, value) / len(values)
            assert abs(found[layer].percentile(unit, float(value)) - exact) <= 100 * inside / len(values) + 1e-9


def test_classes_are_counted_over_the_best_images(found, all_values, images):
    for layer in LAYERS:
        for unit in range(0, found[layer].units, 7):
            best = [image for image, _, _ in ranking(all_values[layer][:, unit], RANKED, 1)]
            expected = [sum(image % 51 == label for image in best) for label in range(51)]  # image i is of class i % 51
            assert found[layer].classes(unit).tolist() == expected
    assert found.class_counts.tolist() == [2] * 9 + [1] * 42
    first = found["logits"].top(0)[0]
    assert first.class_name == images.classes[first.label]


@pytest.mark.parametrize("layer", LAYERS)
def test_boxes_hold_every_pixel_with_a_gradient(demo, found, images, layer):
    for example in (*found[layer].top(1)[:2], *found[layer].bottom(2)[:1]):
        unit = 1 if example in found[layer].top(1) else 2
        pixels = images[example.image][0][None].requires_grad_()
        kept = []
        address = demo.layers.resolve(layer)
        watched = demo.module.get_submodule(address.module)
        handle = watched.register_forward_hook(lambda _, __, output, kept=kept: kept.append(output.clone()))
        demo.module(demo.normalize(pixels))
        handle.remove()
        values = kept[address.call][0, unit]
        value = values if values.dim() == 0 else values[example.row, example.column]
        (gradient,) = torch.autograd.grad(value, pixels)  # and none of the weights, which others look at too
        rows, columns = torch.nonzero(gradient[0].abs().sum(0), as_tuple=True)
        top, left, bottom, right = example.box
        assert 0 <= top < bottom <= 96
        assert 0 <= left < right <= 96
        if len(rows):
            assert top <= int(rows.min())
            assert int(rows.max()) < bottom
            assert left <= int(columns.min())
            assert int(columns.max()) < right
    if layer == "logits":
        assert found[layer].box(0, 0) == (0, 0, 96, 96)
    if layer == "conv1_1":
        assert found[layer].box(0, 0) != (0, 0, 96, 96)


def test_the_sample_holds_what_the_units_say_at_its_places(found, all_values):
    for layer in LAYERS:
        values, images, rows, columns, labels = found[layer].sample
        places = COUNT * all_values[layer].shape[2]
        assert len(values) == min(500, places)
        width = found[layer].shape[-1] if len(found[layer].shape) > 1 else 1
        at = rows * width + columns
        assert len({*zip(images.tolist(), at.tolist(), strict=True)}) == len(values)
        assert np.array_equal(values, all_values[layer][images, :, at])
        assert (labels == images % 51).all()


def test_the_sample_does_not_depend_on_the_batch_and_is_even(tmp_path):
    model = as_model(mixing())
    data = torch.rand(40, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    samples = [
        scan(model, data, tmp_path / f"{batch}", layers=["0"], samples=2000, batch=batch, chunk=chunk)["0"].sample
        for batch, chunk in ((1, 512), (7, 10), (32, 33))
    ]
    for other in samples[1:]:
        for ours, theirs in zip(samples[0][1:], other[1:], strict=True):
            assert np.array_equal(ours, theirs)
        assert np.allclose(samples[0].values, other.values, atol=1e-5)
    _, images, rows, columns, _ = samples[0]
    for numbers, kinds in ((images, 40), (rows, 16), (columns, 16)):
        counts = np.bincount(numbers, minlength=kinds)
        chi_square = ((counts - 2000 / kinds) ** 2 / (2000 / kinds)).sum()
        assert chi_square < kinds + 4 * np.sqrt(2 * kinds)
    drawn = scan(model, data, tmp_path / "seed", layers=["0"], samples=2000, seed=1)["0"].sample
    assert not np.array_equal(drawn.images, images)


def test_a_scan_opens_again_as_it_was(found):
    again = load_scan(found.folder)
    assert (again.done, again.images, again.classes, again.skipped) == (COUNT, COUNT, found.classes, ())
    assert list(again.layers) == LAYERS
    for layer in LAYERS:
        assert again[layer].top(0) == found[layer].top(0)
        assert again[layer].bottom(1) == found[layer].bottom(1)
        for name, array in found[layer].stats.arrays().items():
            assert np.array_equal(array, again[layer].stats.arrays()[name]), name


def test_what_a_scan_does_not_know_is_refused(found):
    with pytest.raises(UnknownLayerError, match="conv1_1"):
        found["conv1_2"]
    for unit in (-1, 51, 2.0):
        with pytest.raises(UnitError, match="0 to 50"):
            found["logits"].top(unit)
