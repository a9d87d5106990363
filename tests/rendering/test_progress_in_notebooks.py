"""The output of a notebook that shows how far a render is, with a clock and a kernel made for the test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small_networks import as_model, mixing

import lucidtorch as lt
from lucidtorch.models.model import Model
from lucidtorch.rendering.loop import Loop, Step

pytest.importorskip("IPython", reason="IPython is not installed; the dev extra has it")

from lucidtorch.rendering import progress
from lucidtorch.rendering.progress import PAUSE, SHARE, NotebookDisplay, duration

SETTINGS: dict[str, Any] = {"param": "image(16, batch=2)", "steps": 4, "transforms": "identity()"}
PNG_START = "data:image/png;base64,"
EMPTY = {"text/html": "", "text/plain": ""}


@pytest.fixture(scope="module")
def model() -> Model:
    """A small network."""
    return as_model(mixing())


class Output:
    """What a notebook got: the first drawing of an output, and what came in its place."""

    def __init__(self) -> None:
        self.drawn: list[dict[str, str]] = []
        self.opened = 0

    def display(self, data: dict[str, str], *, raw: bool, display_id: bool) -> Output:
        assert raw
        assert display_id
        self.opened += 1
        self.drawn.append(data)
        return self

    def update(self, data: dict[str, str], *, raw: bool) -> None:
        assert raw
        self.drawn.append(data)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Output:
    found = Output()
    monkeypatch.setattr("IPython.display.display", found.display)
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(progress, "time", found)
    return found


@pytest.fixture
def notebook(output: Output, monkeypatch: pytest.MonkeyPatch) -> Output:
    """A kernel in which everything is drawn that can be."""
    kernel = SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    monkeypatch.setattr(progress, "SHARE", float("inf"))
    return output


def test_short_work_leaves_nothing_at_all(output: Output, clock: Clock) -> None:
    display = NotebookDisplay("work", 4, "steps")
    clock.now += PAUSE * 0.99
    display.show(4, lambda: pytest.fail("nobody asked for a picture"))
    display.close()
    assert output.opened == 0


def test_one_output_is_drawn_again_and_emptied(output: Output, clock: Clock) -> None:
    display = NotebookDisplay("work", 4, "steps")
    for done in range(1, 5):
        clock.now += PAUSE
        display.show(done, bytes)
    display.close()
    assert output.opened == 1
    assert len(output.drawn) == 5
    assert output.drawn[-1] == EMPTY
    assert 'value="3" max="4"' in output.drawn[2]["text/html"]
    assert output.drawn[2]["text/plain"] == f"work: 3 of 4 steps, {duration(PAUSE)} left"


def test_drawing_takes_no_more_than_its_share_of_the_time(output: Output, clock: Clock) -> None:
    display = NotebookDisplay("work", 10_000, "steps")
    cost = 0.7

    def costly() -> bytes:
        clock.now += cost
        return b""

    began = clock.now
    for done in range(10_000):
        clock.now += 0.01
        display.show(done, costly)
    spent = cost * len(output.drawn)
    assert 0.8 * SHARE < spent / (clock.now - began) <= SHARE + cost / 100


def test_cheap_drawings_come_twice_a_second(output: Output, clock: Clock) -> None:
    display = NotebookDisplay("work", 1000, "steps")
    for done in range(1000):
        clock.now += 0.01
        display.show(done, bytes)
    assert 10 / PAUSE * 0.9 <= len(output.drawn) <= 10 / PAUSE


def test_what_is_made_is_escaped(output: Output, clock: Clock) -> None:
    display = NotebookDisplay("<script>alert('x')</script>", 2, "steps")
    clock.now += 1
    display.show(1, bytes)
    assert "<script>" not in output.drawn[0]["text/html"]
    assert "&lt;script&gt;" in output.drawn[0]["text/html"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.1, "1 s"), (99, "99 s"), (100, "2 min"), (99 * 60, "99 min"), (6000, "1 h 40 min"), (90_000, "25 h 0 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_render_shows_its_pictures_and_is_the_same(notebook: Output, model: Model) -> None:
    state = torch.get_rng_state()
    shown = lt.render(model, "4:0", **SETTINGS)
    assert torch.equal(torch.get_rng_state(), state)
    assert notebook.opened == 1
    assert len(notebook.drawn) == SETTINGS["steps"] + 1
    pictures = [one["text/html"].split(PNG_START)[1] for one in notebook.drawn[:-1]]
    assert len(set(pictures)) == SETTINGS["steps"]
    assert notebook.drawn[-1] == EMPTY
    silent = lt.render(model, "4:0", progress=False, **SETTINGS)
    assert notebook.opened == 1
    assert torch.equal(shown.images, silent.images)
    assert torch.equal(shown.history["objective"], silent.history["objective"])


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_after_an_error_or_an_interrupt(
    notebook: Output, model: Model, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = Loop.run

    def run(self: Loop) -> Iterator[Step]:
        for step in steps(self):
            yield step
            if step.number == 2:
                raise error

    monkeypatch.setattr(Loop, "run", run)
    if error is KeyboardInterrupt:
        assert lt.render(model, "4:0", **SETTINGS).interrupted
    else:
        with pytest.raises(error):
            lt.render(model, "4:0", **SETTINGS)
    assert len(notebook.drawn) == 3
    assert notebook.drawn[-1] == EMPTY


def test_a_run_counts_its_tasks_and_shows_the_steps_between(notebook: Output, demo: Model) -> None:
    settings: dict[str, Any] = {"layers": "conv1_1", "units": "0-2", "size": 16, "steps": 2, "batch": 2}
    lt.recipes.layer_sheet(demo, **settings)
    said = [one["text/html"] for one in notebook.drawn]
    assert [f'value="{done}" max="2"' in one for done, one in zip(["0.5", "1", "1", "1.5", "2", "2"], said)] == [
        True
    ] * 6
    assert all(PNG_START in one for one in said[:-1])
    assert "layer_sheet of demo" in said[0]
    assert said[-1] == ""
    assert notebook.opened == 1
    lt.recipes.layer_sheet(demo, progress=False, **settings)
    assert notebook.opened == 1
