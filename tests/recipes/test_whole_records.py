"""What records say: every argument, so that a changed default changes no picture; and what those of 0.1.0 meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from old_files import command, record

import lucidtorch as lt
from lucidtorch.base.defaults import key_text, record_text
from lucidtorch.base.images import encode_png
from lucidtorch.base.records import settings_text
from lucidtorch.param.text import VOCABULARY as PARAM_WORDS
from lucidtorch.recipes import rerun
from lucidtorch.transforms.text import VOCABULARY as TRANSFORM_WORDS

CROPPED = "jitter(2) | crop_or_pad_to(19, 19)"  # of 24 pixels, 5 are too many


def drawn(transforms: str, param: str = "image(24)") -> lt.Rendering:
    return lt.render("demo", "conv2_1:3 - L1()", param=param, transforms=transforms, steps=2, progress=False)


def with_default(word: Callable[..., Any], **changed: Any) -> Callable[..., Any]:
    """What a word would be in a later version with other defaults."""
    return lambda *args, **kwargs: word(*args, **{**changed, **kwargs})


def test_a_picture_says_every_argument(tmp_path: Path) -> None:
    drawn("pad(3)").save(tmp_path / "a.png")
    said = record(tmp_path / "a.png")
    assert said["objective"] == "channel('conv2_1', 3) - L1(layer='input', constant=0)"
    assert said["param"] == (
        "image(24, batch=1, channels=3, fft=True, decorrelate=True, alpha=False, sd=0.01, decay=1.0, init=None, "
        "hold=None, mask=None, bounds='sigmoid', spatial=None, colour=None, spectrum=None)"
    )
    assert said["transforms"] == "pad(3, value=0.5, mode='constant')"
    assert said["optimizer"] == "adam(beta1=0.9, beta2=0.999, eps=1e-08, weight_decay=0.0)"


def test_what_people_read_stays_short() -> None:
    found = drawn("pad(3)")
    assert repr(found) == "<Rendering of channel('conv2_1', 3) - L1(): 1 x 3 x 24 x 24, 2 steps>"
    assert "constant" not in found._repr_html_()


def test_a_part_says_what_image_need_not_repeat() -> None:
    found = lt.param.parse("image(24, spatial=fft(decay=1.5))")
    assert "spatial=fft(sd=0.01, decay=1.5, spectrum=None)" in record_text(found)
    assert repr(lt.param.parse(record_text(found))) == repr(found)


def test_a_later_version_with_other_defaults_makes_the_same_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = drawn("random_crop(0.5, 0.6)")
    made.save(tmp_path / "a.png")
    own, shown = PARAM_WORDS.names["image"], TRANSFORM_WORDS.names["random_crop"]
    monkeypatch.setitem(PARAM_WORDS.names, "image", with_default(own, sd=0.5, decay=2.0))  # type: ignore[arg-type]
    monkeypatch.setitem(TRANSFORM_WORDS.names, "random_crop", with_default(shown, sd=0.2, views=3))  # type: ignore[arg-type]
    again = rerun(tmp_path / "a.png")
    assert isinstance(again, lt.Rendering)
    assert torch.equal(again.images, made.images)
    assert again.recipe == made.recipe


def test_a_picture_of_0_1_0_is_made_again_as_that_version_cut_it(tmp_path: Path) -> None:
    before, now = drawn(CROPPED.replace("19)", "19, odd_cut='start')")), drawn(CROPPED)
    old = {name: value for name, value in before.recipe.items() if name != "complete"}
    texts = {"objective": "channel('conv2_1', 3) - L1()", "param": "image(24)", "transforms": CROPPED}
    old |= texts | {"optimizer": "adam"}
    (tmp_path / "old.png").write_bytes(encode_png(before.images[0], settings_text(old)))
    again = rerun(tmp_path / "old.png", tmp_path / "again.png")
    assert isinstance(again, lt.Rendering)
    assert torch.equal(again.images, before.images)
    assert not torch.equal(again.images, now.images)
    assert record(tmp_path / "again.png") == json.loads(settings_text(old))  # it can be made again, and again


@pytest.mark.parametrize("named", [CROPPED, "strong(19)", "atlas(19)"])
def test_a_run_of_0_1_0_goes_on_as_that_version_cut_it(named: str, tmp_path: Path) -> None:
    fields: dict[str, Any] = {"objective": "conv2_1:3", "size": 24, "steps": 1, "transforms": named, "model": "demo"}
    words = {"recipe": "render", **fields}
    found: dict[str, str] = {}
    for name, more in (("new", {}), ("old", {"made_with": {"versions": {}, "files": {}}})):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(words | more), encoding="utf-8")
        folder = tmp_path / name
        command("run", path, "--workers", "1", "-q", "-o", folder)
        said = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
        assert said["made_with"].get("complete") is (True if name == "new" else None)
        found[name] = said["transforms"]
        (picture,) = folder.glob("pictures/**/*.png")
        assert f"odd_cut='{'end' if name == 'new' else 'start'}'" in record(picture)["transforms"]
    assert found["new"].endswith("crop_or_pad_to(19, 19, odd_cut='end')")
    assert found["old"].endswith("crop_or_pad_to(19, 19)")


def test_checksums_and_seeds_leave_out_what_had_its_default_in_the_first_version() -> None:
    old, new = lt.transforms.crop_or_pad_to(9, 9, odd_cut="start"), lt.transforms.crop_or_pad_to(9, 9)
    assert [key_text(one) for one in (old, new)] == ["crop_or_pad_to(9, 9)", "crop_or_pad_to(9, 9, odd_cut='end')"]
    assert [repr(one) for one in (old, new)] == ["crop_or_pad_to(9, 9, odd_cut='start')", "crop_or_pad_to(9, 9)"]
    assert key_text(lt.param.image(24)) == "image(24)"
