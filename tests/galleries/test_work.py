"""A gallery that was killed, interrupted, resumed or spread over workers has the bytes of one that ran through."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from small_networks import Threshold, as_model, mixing
from torch import Tensor

import lucidtorch as lt
from lucidtorch.galleries import Gallery
from lucidtorch.models.model import Model

VARIANTS = ("channel", "negative", "diversity")
SMALL: dict[str, Any] = {"layers": ["conv1_1"], "units": "0-2", "batch": 2, "variants": ["channel"], "steps": 2}
LARGE: dict[str, Any] = SMALL | {"layers": ["conv1_1", "relu2_1"], "units": "0-4", "batch": 3, "variants": VARIANTS}
SMALL_BATCHES, LARGE_BATCHES = 2, 2 * (2 + 2 + 5)


class Killed(BaseException):
    """Stands for the end of the process."""


def made(model: Model | str, folder: Path, settings: dict[str, Any] = SMALL, **changes: Any) -> Gallery:
    return lt.gallery(model, folder, **({"param": lt.param.image(24)} | settings | changes))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its name in the folder, but for what never got its final name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".part")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def pictures(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(folder).items() if name.endswith(".png")}


def stopping(after: int, error: BaseException) -> Callable[[int, int, object], None]:
    """A report that raises when so many batches are done."""

    def report(done: int, total: int, batch: object) -> None:
        if done == after:
            raise error

    return report


class Steps:
    """Counts the forward passes that are made for an update, and may raise at one of them."""

    def __init__(self, model: Model) -> None:
        self.count = 0
        self.error: tuple[int, BaseException] | None = None
        self.handle = model.module.register_forward_pre_hook(self._count)

    def _count(self, module: object, inputs: tuple[Tensor, ...]) -> None:
        if torch.is_grad_enabled() and inputs[0].requires_grad:
            self.count += 1
            if self.error is not None and self.count == self.error[0]:
                raise self.error[1]


@pytest.fixture
def steps(demo: Model) -> Iterator[Steps]:
    counter = Steps(demo)
    yield counter
    counter.handle.remove()


@pytest.fixture(scope="module")
def unbroken(demo: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What `made(demo, folder)` gives when nothing happens to it."""
    folder = tmp_path_factory.mktemp("unbroken") / "new"
    made(demo, folder)
    return contents(folder)


@pytest.fixture(scope="module")
def unbroken_large(demo: Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("unbroken") / "new"
    made(demo, folder, LARGE)
    return contents(folder)


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
            for unit in json.loads(path.read_text())["units"]:
                with Image.open(tmp_path / unit["file"]) as image:
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
    record = tmp_path / "batches" / "conv1_1-channel-00000.json"
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


def spoken(model: Model) -> str:
    """A program's line that loads the same network."""
    assert model.source is not None
    return f"lt.load_model({model.source.spec!r}, weights={model.source.weights!r}, device='cpu')"


def program(model: Model, folder: Path, settings: dict[str, Any], workers: int) -> list[str]:
    lines = (
        "import lucidtorch as lt, sys",
        "if __name__ == '__main__':",
        f"    found = lt.gallery({spoken(model)}, {str(folder)!r}, param='image(24)', workers={workers}, **{settings})",
        "    sys.exit(130 if found.interrupted else 0)",
    )
    path = folder.with_suffix(".py")
    path.write_text("\n".join(lines))
    return [sys.executable, str(path)]


def recorded(folder: Path) -> set[str]:
    """The pictures of all batches that are finished."""
    records = (json.loads(path.read_text()) for path in folder.glob("batches/*.json"))
    return {unit["file"] for record in records for unit in record["units"]}


def count_of(folder: Path) -> int:
    return len(list(folder.glob("batches/*.json")))


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)


@pytest.mark.slow
def test_two_workers_make_the_same_bytes(
    demo: Model, unbroken_large: dict[str, bytes], tmp_path: Path, steps: Steps
) -> None:
    program_of_two = program(demo, tmp_path / "two", LARGE, workers=2)
    subprocess.run(program_of_two, check=True, timeout=300)
    assert contents(tmp_path / "two") == unbroken_large
    with pytest.raises(Killed):
        made(demo, tmp_path / "mixed", LARGE, report=stopping(5, Killed()))
    before = steps.count
    subprocess.run(program(demo, tmp_path / "mixed", LARGE, workers=2), check=True, timeout=300)
    assert contents(tmp_path / "mixed") == unbroken_large
    made(demo, tmp_path / "two", LARGE)
    assert steps.count == before


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    demo: Model, unbroken_large: dict[str, bytes], tmp_path: Path, workers: int
) -> None:
    folder = tmp_path / "killed"
    for least in (1, 5, 11):
        moment = random.SystemRandom().uniform(0, 0.2)
        process = subprocess.Popen(program(demo, folder, LARGE, workers), start_new_session=True)
        wait_for(lambda least=least: count_of(folder) >= least, process)  # type: ignore[misc]
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert contents(folder).items() <= unbroken_large.items(), (least, moment)
    made(demo, folder, LARGE)
    assert contents(folder) == unbroken_large


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_a_gallery_with_what_there_is(demo: Model, tmp_path: Path, workers: int) -> None:
    """As a terminal does it: the whole group of processes gets the signal."""
    folder = tmp_path / "interrupted"
    settings = LARGE | {"steps": 30}
    command = program(demo, folder, settings, workers)
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
    wait_for(lambda: count_of(folder) >= 2, process)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said.decode()) == (130, "")
    shown = json.loads((folder / "data.json").read_text())["layers"]
    files = {picture["file"] for layer in shown for unit in layer["units"] for picture in unit["pictures"]}
    assert files == recorded(folder)
    assert len(files) >= 2
    assert (folder / "index.html").is_file()
    subprocess.run(command, check=True, timeout=300)
    made(demo, tmp_path / "whole", settings)
    assert contents(folder) == contents(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_ctrl_c_while_the_workers_start(demo: Model, tmp_path: Path, seconds: float) -> None:
    folder = tmp_path / "interrupted"
    process = subprocess.Popen(program(demo, folder, LARGE, workers=2), start_new_session=True, stderr=subprocess.PIPE)
    wait_for(folder.is_dir, process)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said.decode()) == (130, "")
    assert (folder / "index.html").is_file()
