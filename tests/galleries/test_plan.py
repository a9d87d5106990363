"""The plan of a gallery: decided from its arguments alone, in batches of one size, with a seed for each picture."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_networks import Threshold, as_model
from torch import Tensor, nn

from lucidtorch.base.errors import BadInputError, UnitError, UnknownLayerError
from lucidtorch.galleries.plan import VARIANTS, Batch, chosen_units, plan, slug
from lucidtorch.models.model import Model, default_layers

COUNT = 24  # channels of conv1_1 in demo
LAYERS = ("conv1_1", "relu1_2", "conv2_1")
SOME_UNITS = st.sets(st.integers(0, COUNT - 1), min_size=1, max_size=9).map(sorted)
Key = tuple[str, str, int, int]


def seeds_of(batches: Sequence[Batch]) -> dict[Key, int]:
    """Each picture's seed by (layer, variant, unit, copy); the padding, which nobody sees, is left out."""
    found: dict[Key, int] = {}
    for batch in batches:
        for place, unit in enumerate(batch.units):
            for copy in range(batch.copies):
                found[batch.layer, batch.variant, unit, copy] = batch.seeds[place * batch.copies + copy]
    return found


def test_the_same_arguments_give_the_same_plan(demo: Model) -> None:
    first = plan(demo, LAYERS, "0-9", VARIANTS, 4, 7)
    torch.rand(3)
    assert plan(demo, LAYERS, "0-9", VARIANTS, 4, 7) == first
    assert [batch.name for batch in first] == [batch.name for batch in plan(demo, LAYERS, "0-9", VARIANTS, 4, 8)]


@settings(max_examples=30)
@given(units=SOME_UNITS, size=st.integers(1, 6), variants=st.sets(st.sampled_from(VARIANTS), min_size=1).map(sorted))
def test_batches_have_one_size_and_hold_every_unit_once(
    demo: Model, units: list[int], size: int, variants: list[str]
) -> None:
    batches = plan(demo, ["conv1_1", "conv2_1"], units, variants, size, 0)
    for layer in ("conv1_1", "conv2_1"):
        for variant in variants:
            own = [batch for batch in batches if (batch.layer, batch.variant) == (layer, variant)]
            assert [unit for batch in own for unit in batch.units] == units
            assert {len(batch.seeds) for batch in own} == {4 if variant == "diversity" else size}
            assert all(len(batch.units) == size for batch in own[:-1]) or variant == "diversity"
    assert len({batch.name for batch in batches}) == len(batches)
    files = [batch.file(unit) for batch in batches for unit in batch.units]
    assert len(set(files)) == len(files)


@settings(max_examples=30)
@given(units=SOME_UNITS, size=st.integers(1, 6), layers=st.permutations(LAYERS).map(lambda some: some[:2]))
def test_a_seed_depends_on_run_layer_unit_variant_and_copy_only(
    demo: Model, units: list[int], size: int, layers: list[str]
) -> None:
    everything = seeds_of(plan(demo, LAYERS, "all", VARIANTS, 8, 3))
    some = seeds_of(plan(demo, layers, units, VARIANTS, size, 3))
    assert some == {key: everything[key] for key in some}
    assert len(some) == len(layers) * len(units) * (1 + 1 + 4)


def test_all_seeds_of_a_gallery_differ_and_another_run_has_others(demo: Model) -> None:
    first = seeds_of(plan(demo, LAYERS, "all", VARIANTS, 8, 0))
    second = seeds_of(plan(demo, LAYERS, "all", VARIANTS, 8, 1))
    assert len({*first.values(), *second.values()}) == len(first) + len(second)
    assert all(0 <= seed < 2**53 for seed in first.values())


def test_a_short_batch_is_padded_with_its_last_unit(demo: Model) -> None:
    first, second = plan(demo, ["conv1_1"], [0, 2, 5, 9], ["channel"], 3, 0)
    assert (first.units, repr(first.objective)) == ((0, 2, 5), "channel('conv1_1', [0, 2, 5])")
    assert (second.units, repr(second.objective)) == ((9,), "channel('conv1_1', [9, 9, 9])")
    assert len(set(second.seeds)) == 1
    assert first.seeds[0] != second.seeds[0]


def test_what_each_variant_maximizes(demo: Model) -> None:
    shown = {batch.variant: batch for batch in plan(demo, ["conv1_1"], [1, 3], VARIANTS, 2, 0)[::-1]}
    values = torch.randn(2, COUNT, 5, 4, generator=torch.Generator().manual_seed(0)).double()
    mean = torch.stack([values[0, 1].mean(), values[1, 3].mean()])
    assert torch.allclose(shown["channel"].objective({"conv1_1": values}), mean)
    assert torch.allclose(shown["negative"].objective({"conv1_1": values}), -mean)
    text = "channel('conv1_1', [1, 1, 1, 1]) - 100 * diversity('conv1_1')"
    assert repr(shown["diversity"].objective) == text
    assert [repr(shown[variant].objective_of(3)) for variant in VARIANTS] == [
        "channel('conv1_1', 3)",
        "-channel('conv1_1', 3)",
        "channel('conv1_1', 3) - 100 * diversity('conv1_1')",
    ]


def test_a_negative_takes_the_pre_activation_and_says_so(demo: Model) -> None:
    (behind,) = plan(demo, ["relu1_2"], [0], ["negative"], 1, 0)
    assert behind.objective.layers == ("conv1_2",)
    assert "conv1_2" in behind.note
    assert "ReLU" in behind.note
    assert repr(behind.objective_of(0)) == "-channel('conv1_2', 0)"
    for layer in ("conv1_2", "logits", "pool1"):
        (plain,) = plan(demo, [layer], [0], ["negative"], 1, 0)
        assert (tuple(plain.objective.layers), plain.note) == ((layer,), "")
    for variant in ("channel", "diversity"):
        assert {batch.note for batch in plan(demo, ["relu1_2"], [0, 1], [variant], 1, 0)} == {""}


def test_variants_come_once_and_in_the_order_given(demo: Model) -> None:
    batches = plan(demo, ["conv1_1"], [0], ["negative", "channel", "negative"], 2, 0)
    assert [batch.variant for batch in batches] == ["negative", "channel"]


def test_the_default_layers_are_the_convolutions_and_dense_layers(demo: Model, resnet18: Model) -> None:
    for model in (demo, resnet18):
        kinds = (nn.Conv2d, nn.Linear)
        own = [name for name, part in model.module.named_modules() if isinstance(part, kinds)]
        assert sorted(default_layers(model, None)) == sorted(own)
    assert default_layers(demo, None)[0] == "conv1_1"
    assert default_layers(demo, None)[-1] == "logits"


def test_layers_come_once_and_in_the_order_of_the_network(demo: Model) -> None:
    assert default_layers(demo, ["logits", "conv2_1", "conv1_1", "logits"]) == ("conv1_1", "conv2_1", "logits")


class Pair(nn.Module):
    """Gives two tensors, so that none of them is its output."""

    def forward(self, images: Tensor) -> list[Tensor]:
        return [images, images + 1]


class TwoWays(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()
        self.last = nn.Conv2d(3, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.pair(images)[1])


def test_a_layer_must_be_there_and_have_channels(demo: Model) -> None:
    with pytest.raises(UnknownLayerError, match=r"conv9_9.*Did you mean"):
        default_layers(demo, ["conv1_1", "conv9_9"])
    with pytest.raises(UnknownLayerError, match=r"pair.*'pair\[0\]', 'pair\[1\]'"):
        default_layers(as_model(TwoWays()), ["pair"])


def test_a_gallery_needs_a_layer(demo: Model) -> None:
    with pytest.raises(BadInputError, match="layer"):
        plan(demo, [], "all", ["channel"], 4, 0)
    with torch.random.fork_rng(devices=[]):
        without = as_model(nn.Sequential(nn.ReLU(), nn.AvgPool2d(2)))
    with pytest.raises(BadInputError, match="layer"):
        plan(without, None, "all", ["channel"], 4, 0)


@given(
    ranges=st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, 40) | st.none()), min_size=1, max_size=5),
    blank=st.sampled_from(["", " "]),
)
def test_a_text_of_units_is_read_and_ends_at_the_last_unit(
    demo: Model, ranges: list[tuple[int, int | None]], blank: str
) -> None:
    parts, wanted = [], set()
    for first, more in ranges:
        if more is None:
            parts.append(f"{first}")
            wanted.add(first)
        else:
            parts.append(f"{first}{blank}-{blank}{first + more}")
            wanted |= {unit for unit in range(COUNT) if first <= unit <= first + more}
    assert chosen_units(demo, "conv1_1", f"{blank},{blank}".join(parts)) == tuple(sorted(wanted))


def test_units_by_word_text_and_number(demo: Model) -> None:
    assert chosen_units(demo, "conv1_1", "all") == tuple(range(COUNT))
    assert chosen_units(demo, "conv1_1", "0-63") == tuple(range(COUNT))
    assert chosen_units(demo, "conv1_1", "5") == (5,)
    assert chosen_units(demo, "conv1_1", "0-3,7") == (0, 1, 2, 3, 7)
    assert chosen_units(demo, "conv1_1", [7, 0, 7]) == (0, 7)
    assert chosen_units(demo, "logits", "all") == tuple(range(demo.layers["logits"].channels or 0))


@pytest.mark.parametrize(
    "text", ["", " ", "a", "1-", "-1", "1--3", "0:3", "1 2", "1.5", "0-3,,5", ",", "some", "0-3-5"]
)
def test_texts_that_are_no_units_are_refused(demo: Model, text: str) -> None:
    with pytest.raises(BadInputError, match=re.escape(repr(text))) as caught:
        chosen_units(demo, "conv1_1", text)
    assert "0-63" in str(caught.value)


@pytest.mark.parametrize("units", ["24", "30-40", "3-1", "0,99", [24], [-1], [0, 99], [1.5], [True], ["1"]])
def test_units_that_are_not_there_are_refused_with_their_number(demo: Model, units: str | list[int]) -> None:
    with pytest.raises(UnitError, match=r"24 channels, 0 to 23"):
        chosen_units(demo, "conv1_1", units)


def test_no_units_no_variants_and_no_size_are_refused(demo: Model) -> None:
    with pytest.raises(BadInputError, match="units"):
        chosen_units(demo, "conv1_1", [])
    for variants in ([], ["chanel"], ["channel", ""]):
        with pytest.raises(BadInputError, match="channel, negative, diversity"):
            plan(demo, None, "all", variants, 4, 0)
    for size in (0, -1, 1.5, True, None, "3"):
        with pytest.raises(BadInputError, match="batch"):
            plan(demo, None, "all", ["channel"], size, 0)  # type: ignore[arg-type]


def test_a_range_is_looked_at_in_each_layer(demo: Model) -> None:
    batches = plan(demo, ["conv1_1", "conv2_1"], "20-30", ["channel"], 100, 0)
    assert [batch.units for batch in batches] == [tuple(range(20, 24)), tuple(range(20, 31))]
    with pytest.raises(UnitError, match="'conv1_1' has 24 channels"):
        plan(demo, ["conv1_1", "conv2_1"], "30", ["channel"], 4, 0)


ADDRESSES = st.text(st.sampled_from("aB.-_@/ :é0"), min_size=1, max_size=6) | st.text(min_size=1)


@given(first=ADDRESSES, second=ADDRESSES)
def test_a_slug_is_a_file_name_and_no_two_addresses_share_one(first: str, second: str) -> None:
    for address in (first, second):
        assert re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", slug(address))
    assert (slug(first) == slug(second)) == (first == second)


def test_plain_addresses_are_their_own_slugs(resnet18: Model) -> None:
    assert slug("layer1.0.conv1") == "layer1.0.conv1"
    assert len({slug(layer) for layer in resnet18.layers}) == len(resnet18.layers)
    assert slug("relu@0") != slug("relu@1")


def test_calls_of_one_module_have_files_of_their_own(resnet18: Model) -> None:
    calls = ["layer1.0.relu@0", "layer1.0.relu@1"]
    first, second = plan(resnet18, calls, [0], ["channel"], 1, 0)
    assert first.file(0) != second.file(0)
    assert first.name != second.name
    assert first.seeds != second.seeds


def test_a_module_of_ones_own_is_planned_too() -> None:
    (batch,) = plan(as_model(Threshold(0.1, 0.2, 0.3)), None, "all", ["channel"], 3, 0)
    assert (batch.layer, batch.units) == ("before", (0, 1, 2))


def test_modules_name_layers_too(demo: Model) -> None:
    module = demo.module.get_submodule("conv2_1")
    assert default_layers(demo, [module, "conv1_1", "conv2_1"]) == ("conv1_1", "conv2_1")
