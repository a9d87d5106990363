"""How far a render is: told where somebody looks, gone afterwards, and without a trace in the pictures."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from small_networks import as_model, mixing

import lucidtorch as lt
from lucidtorch.base.terminal_bar import WIDTH
from lucidtorch.cli.console import Voice
from lucidtorch.models.model import Model
from lucidtorch.rendering.progress import WATCHED, WATCHED_PIXELS, in_notebook, pictures_now, progress_of

SETTINGS: dict[str, Any] = {"steps": 3, "transforms": "identity()"}


@pytest.fixture(scope="module")
def model() -> Model:
    """A small network."""
    return as_model(mixing())


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise io.UnsupportedOperation


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal in the place of the stream of errors."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    return stream


def last_step(model: Model, **more: Any) -> lt.rendering.Step:
    return list(lt.optimize(model, "4:0", **({"steps": 2, "transforms": "identity()"} | more)))[-1]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (SimpleNamespace(), False),
        (SimpleNamespace(get_ipython=lambda: None), False),
        (SimpleNamespace(get_ipython=SimpleNamespace), False),
        (SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=None)), False),
        (SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object())), True),
    ],
    ids=["half loaded", "no shell", "a terminal's shell", "no kernel", "a kernel"],
)
def test_a_notebook_is_where_a_kernel_runs(module: Any, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert in_notebook() is expected


def test_nothing_is_loaded_to_find_out() -> None:
    code = "import sys, lucidtorch as lt\n"
    code += "lt.render('demo', 'conv1_1:0', param='image(16)', transforms='identity()', steps=1)\n"
    code += "print(*sorted({name.split('.')[0] for name in sys.modules} & {'IPython', 'rich', 'ipykernel'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_a_terminal_shows_a_bar_that_is_gone_afterwards(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    threads: list[int] = []
    note = [lambda step: threads.append(threading.active_count())]
    before = threading.active_count()
    shown = lt.render(model, "4:0", param=lt.param.image(16), callbacks=note, **SETTINGS)
    said = stream.getvalue()
    assert "channel('4', 0)" in said
    assert "3/3" in said
    assert said.rstrip().endswith("\x1b[2K")  # the line is wiped
    assert threads == [before] * SETTINGS["steps"]
    silent = lt.render(model, "4:0", param=lt.param.image(16), progress=False, **SETTINGS)
    assert stream.getvalue() == said
    assert torch.equal(shown.images, silent.images)


def test_a_bar_is_gone_after_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    before = sys.stderr
    with pytest.raises(KeyError), progress_of("work", 3, "steps", shown=True):
        raise KeyError
    assert sys.stderr is before  # while it is shown, rich stands between the stream and what is printed


def test_a_long_description_is_cut_and_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    with progress_of("[red]" + "x" * 100, 2, "steps", shown=True) as show:
        show(1, bytes)
    assert f"[red]{'x' * (WIDTH - 6)}…" in re.sub(r"\x1b\[[0-9;]*[mK]", "", stream.getvalue())


def test_the_voice_of_a_command_has_the_same_bar_and_says_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    voice = Voice(quiet=False)
    voice.progress(1, 2, "step of digits, loss 3.1")
    voice.progress(2, 2, "step of digits, loss 0.4")
    voice.close()
    assert "loss 3.1" in stream.getvalue()
    assert "loss 0.4" in stream.getvalue()


@pytest.mark.parametrize(
    ("param", "size", "mode"),
    [
        (lambda: lt.param.image((16, 20)), (20, 16), "RGB"),
        (lambda: lt.param.image(16, batch=3), (34, 34), "RGB"),
        (lambda: lt.param.image(16, batch=WATCHED + 9), (16 * 4 + 6, 16 * 4 + 6), "RGB"),
        (lambda: lt.param.image(16, alpha=True), (16, 16), "RGBA"),
        (lambda: lt.param.image(600), (300, 300), "RGB"),
    ],
    ids=["one", "several", "many", "see-through", "large"],
)
def test_the_pictures_as_they_are_now(
    model: Model, param: Callable[[], lt.param.Param], size: tuple[int, int], mode: str
) -> None:
    step = last_step(model, param=param(), transforms=None if mode == "RGBA" else "identity()")
    with opened(pictures_now(step)) as picture:
        assert (picture.size, picture.mode) == (size, mode)
        assert picture.width * picture.height <= max(WATCHED_PIXELS, size[0] * size[1])


def test_small_pictures_are_shown_as_they_are(model: Model) -> None:
    step = last_step(model, param=lt.param.image(16))
    with opened(pictures_now(step)) as picture:
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)
    assert torch.equal(pixels, (step.images[0].double() * 255).round().long())


def test_looking_draws_no_random_numbers(model: Model) -> None:
    step = last_step(model, param=lt.param.image(16))
    before = torch.get_rng_state()
    pictures_now(step)
    assert torch.equal(torch.get_rng_state(), before)
