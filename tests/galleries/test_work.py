"""A gallery that was killed, interrupted or resumed has the bytes of one that ran through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from gallery_runs import LARGE, LARGE_BATCHES, SMALL, Killed, Steps, contents, made, pictures, recorded, stopping
from PIL import Image
from small_networks import Threshold, as_model, mixing
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.models.model import Model, network_key
from lucidtorch.models.networks.shipped import card


def test_two_runs_give_the_same_bytes(demo: Model, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    torch.rand(5)
    made(demo, tmp_path)
    assert contents(tmp_path) == unbroken
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("after", [1, 9])
def test_a_run_that_broke_off_goes_on_to_the_same_bytes(
    demo: Model, unbroken_large: dict[str, bytes], tmp_path: Path, after: int
) -> None:
    with pytest.raises(Killed):
        made(demo, tmp_path, LARGE, report=stopping(after, Killed()))
    assert len(list((tmp_path / "batches").iterdir())) == after
    assert contents(tmp_path).items() <= unbroken_large.items()
    made(demo, tmp_path, LARGE)
    assert contents(tmp_path) == unbroken_large


def test_killed_at_any_write_nothing_half_written_has_its_name(
    demo: Model, unbroken: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []
    limit = 0
    replace = Path.replace

    def replaced(self: Path, target: Path) -> Path:
        if len(written) == limit:
            raise Killed
        written.append(Path(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replaced)
    for limit in range(len(unbroken)):
        written.clear()
        folder = tmp_path / str(limit)
        with pytest.raises(Killed):
            made(demo, folder)
        assert contents(folder).items() <= unbroken.items()
        assert len(contents(folder)) == limit
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace)
            made(demo, folder)
        assert contents(folder) == unbroken
    written.clear()
    limit = len(unbroken)
    made(demo, tmp_path / "whole")
    assert len(written) == len(unbroken)
    assert written[-1] == tmp_path / "whole" / "index.html"


def test_a_batch_has_its_record_only_when_its_pictures_stand(
    demo: Model, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    def look(done: int, total: int, batch: object) -> None:
        for path in (tmp_path / "batches").iterdir():
            for picture in json.loads(path.read_text())["pictures"]:
                with Image.open(tmp_path / picture["file"]) as image:
                    image.load()

    made(demo, tmp_path, report=look)


def test_finished_batches_are_not_rendered_again(demo: Model, steps: Steps, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        made(demo, tmp_path, LARGE, report=stopping(7, Killed()))
    first = steps.count
    made(demo, tmp_path, LARGE)
    both = steps.count
    made(demo, tmp_path, LARGE)
    each = LARGE["steps"] + 1  # the updates and the look at the final picture
    assert (first, both, steps.count) == (7 * each, LARGE_BATCHES * each, LARGE_BATCHES * each)


def test_an_interrupt_between_batches_publishes_what_there_is(
    demo: Model, unbroken_large: dict[str, bytes], tmp_path: Path
) -> None:
    found = made(demo, tmp_path, LARGE, report=stopping(3, KeyboardInterrupt()))
    assert found.interrupted
    assert found.units == 3 + 2 + 3  # the two batches of channels, and one of negatives
    assert found.index.is_file()
    shown = json.loads((tmp_path / "data.json").read_text())["layers"]
    files = {picture["file"] for layer in shown for unit in layer["units"] for picture in unit["pictures"]}
    assert files == set(pictures(tmp_path))
    assert pictures(tmp_path).items() <= unbroken_large.items()
    again = made(demo, tmp_path, LARGE)
    assert not again.interrupted
    assert again.units == 2 * 5 * 3
    assert contents(tmp_path) == unbroken_large


def test_an_interrupt_shows_all_that_was_finished_before(
    demo: Model, unbroken_large: dict[str, bytes], tmp_path: Path
) -> None:
    made(demo, tmp_path, LARGE, report=stopping(12, KeyboardInterrupt()))
    before = (tmp_path / "data.json").read_bytes()
    again = made(demo, tmp_path, LARGE, report=stopping(1, KeyboardInterrupt()))
    assert again.interrupted
    assert (tmp_path / "data.json").read_bytes() == before
    assert again.units == len(recorded(tmp_path))


@pytest.mark.parametrize("at", [1, 2, 4, 5])
def test_an_interrupt_within_a_batch_leaves_that_batch_out(
    demo: Model, steps: Steps, unbroken: dict[str, bytes], tmp_path: Path, at: int
) -> None:
    steps.error = (at, KeyboardInterrupt())
    found = made(demo, tmp_path)
    assert found.interrupted
    assert found.units == (0 if at <= SMALL["steps"] else 2)
    assert pictures(tmp_path).items() <= unbroken.items()
    assert not made(demo, tmp_path).interrupted
    assert contents(tmp_path) == unbroken


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 3},
        {"lr": 0.1},
        {"seed": 1},
        {"batch": 3},
        {"param": "image(24, decay=0.5)"},
        {"transforms": "jitter(2)"},
        {"threads": 2},
    ],
    ids=str,
)
def test_a_changed_setting_is_rendered_anew(demo: Model, steps: Steps, tmp_path: Path, change: dict[str, Any]) -> None:
    made(demo, tmp_path / "one")
    before = steps.count
    made(demo, tmp_path / "one", **change)
    assert steps.count > before
    made(demo, tmp_path / "two", **change)
    assert pictures(tmp_path / "one") == pictures(tmp_path / "two")
    made(demo, tmp_path / "three")
    made(demo, tmp_path / "one")
    assert pictures(tmp_path / "one") == pictures(tmp_path / "three")


def test_more_units_keep_what_is_there(demo: Model, steps: Steps, tmp_path: Path) -> None:
    made(demo, tmp_path, units="0-1")
    before = steps.count
    made(demo, tmp_path, units="0-3")
    assert steps.count == 2 * before


def test_a_record_speaks_of_its_own_pictures_only(demo: Model, tmp_path: Path) -> None:
    made(demo, tmp_path, units="0-3")
    first = pictures(tmp_path)
    made(demo, tmp_path, units="2-3", steps=3)  # other pictures of two of the units, under another number of batch
    assert pictures(tmp_path) != first
    made(demo, tmp_path, units="0-3")
    assert pictures(tmp_path) == first


def test_another_module_of_the_same_name_is_rendered_anew(tmp_path: Path) -> None:
    settings = {"layers": ["0"], "param": lt.param.image(16)}
    made(as_model(mixing(seed=0)), tmp_path / "one", **settings)
    first = pictures(tmp_path / "one")
    made(as_model(mixing(seed=1)), tmp_path / "one", **settings)
    made(as_model(mixing(seed=1)), tmp_path / "two", **settings)
    assert pictures(tmp_path / "one") == pictures(tmp_path / "two")
    assert pictures(tmp_path / "one") != first
    made(as_model(mixing(seed=0)), tmp_path / "one", **settings)
    assert pictures(tmp_path / "one") == first


def test_a_module_of_ones_own_is_resumed(tmp_path: Path) -> None:
    model = as_model(Threshold(0.1, 0.2, 0.3))
    counter = Steps(model)
    settings = {"layers": ["after"], "param": lt.param.image(16)}
    with pytest.raises(Killed):
        made(model, tmp_path / "one", **settings, report=stopping(1, Killed()))
    made(model, tmp_path / "one", **settings)
    assert counter.count == 2 * (SMALL["steps"] + 1)
    made(model, tmp_path / "two", **settings)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_other_functions_as_transforms_are_rendered_anew(demo: Model, tmp_path: Path) -> None:
    made(demo, tmp_path / "one", transforms=[lambda images: images])
    made(demo, tmp_path / "one", transforms=[lambda images: 0.2 * images])
    made(demo, tmp_path / "two", transforms=[lambda images: 0.2 * images])
    assert pictures(tmp_path / "one") == pictures(tmp_path / "two")
    assert not [name for name, data in contents(tmp_path / "one").items() if b"0x" in data and name.endswith("html")]


@pytest.mark.parametrize("harm", ["picture", "cut picture", "no json", "other json", "no record"])
def test_what_is_gone_or_broken_is_rendered_again(
    demo: Model, unbroken: dict[str, bytes], tmp_path: Path, harm: str
) -> None:
    made(demo, tmp_path)
    record = tmp_path / "batches" / "conv1_1-channel-00000-00001.json"
    picture = tmp_path / "pictures" / "conv1_1" / "channel" / "00001.png"
    if harm == "picture":
        picture.unlink()
    elif harm == "cut picture":
        picture.write_bytes(picture.read_bytes()[:-40])
    elif harm == "no record":
        record.unlink()
    else:
        record.write_text('{"key": "' if harm == "no json" else "[]")
    made(demo, tmp_path)
    assert contents(tmp_path) == unbroken


def test_a_network_of_which_another_output_is_meant_is_another_network() -> None:
    class Two(nn.Module):
        def forward(self, images: Tensor) -> dict[str, Tensor]:
            return {"a": images, "b": images * 2}

    net = Two()
    keys = {network_key(lt.load_model(net, mean=0.0, size=8, output=output)) for output in ("a", "b", None)}
    assert len(keys) == 3
    assert network_key(lt.load_model(net, mean=0.0, size=8, output=lambda given: given["a"])) is None


def test_a_network_is_the_same_wherever_the_file_of_its_weights_lies_and_whatever_its_classes_are_called(
    tmp_path: Path,
) -> None:
    file = card("digits").weights
    copied = tmp_path / "copy.safetensors"
    copied.write_bytes(file.read_bytes())
    models = [
        lt.load_model("digits", weights=file),
        lt.load_model("digits", weights=copied, labels=[f"class {number}" for number in range(10)]),
    ]
    assert len({network_key(model) for model in models}) == 1
    assert network_key(lt.load_model("digits", weights="random")) != network_key(models[0])
