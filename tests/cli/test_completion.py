"""What the Tab key offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document

import lucidtorch as lt
from lucidtorch.cli.loading import Loading, Workbench
from lucidtorch.cli.main import application
from lucidtorch.cli.shell.completion import ShellCompleter
from lucidtorch.cli.shell.shell import Shell

Offers = Callable[[str], list[Completion]]


@pytest.fixture
def offers(demo: lt.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Offers:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.png").write_bytes(b"")
    (tmp_path / "net.py").write_bytes(b"")
    completer = ShellCompleter(Shell(application, Workbench(Loading("demo"), demo)))
    return lambda text: list(completer.get_completions(Document(text), CompleteEvent(completion_requested=True)))


def lines(text: str, offered: list[Completion]) -> list[str]:
    """The lines that would stand there, were each accepted."""
    return [text[: len(text) + one.start_position] + one.text for one in offered]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("ren", "render"),
        ("  lab", "  labels"),
        ("chan", "channel("),
        ("conv4_1", "conv4_1:"),
        ("4_1", "conv4_1:"),
        ("conv4_1:12", "conv4_1:127"),
        ("conv4_1:[1, 12", "conv4_1:[1, 127"),
        ("logits:2", "logits:27"),
        ("channel('conv4", "channel('conv4_1'"),
        ('channel("conv4', 'channel("conv4_1"'),
        ("channel('conv4_1', 12", "channel('conv4_1', 127"),
        ("channel('conv4_1', [1, 12", "channel('conv4_1', [1, 127"),
        ("neuron('conv4_1', 3, ", "neuron('conv4_1', 3, x="),
        ("logit('st", "logit('star'"),
        ("logit(['star', 'st", "logit(['star', 'stripes'"),
        ("logit(2", "logit(27"),
        ("logit('star', layer='lo", "logit('star', layer='logits'"),
        ("conv1_1:0 - 2 * diver", "conv1_1:0 - 2 * diversity("),
        ("2 * conv1_1:0 - conv4_", "2 * conv1_1:0 - conv4_1:"),
        ("conv1_1:0 --st", "conv1_1:0 --steps"),
        ("conv1_1:0 --precision b", "conv1_1:0 --precision bfloat16"),
        ("render conv4_", "render conv4_1:"),
        ("render \"channel('conv4", "render \"channel('conv4_1'"),
        ("render --size 24 conv4_", "render --size 24 conv4_1:"),
        ("render conv1_1:0 --weights r", "render conv1_1:0 --weights random"),
        ("render conv1_1:0 -o ph", "render conv1_1:0 -o photo.png"),
        ("render conv1_1:0 --channel-order b", "render conv1_1:0 --channel-order bgr"),
        ("layers --j", "layers --json"),
        ("gallery --layers conv1_1,conv4", "gallery --layers conv1_1,conv4_1"),
        ("gallery --variants channel,ne", "gallery --variants channel,negative"),
        ("gallery --device c", "gallery --device cuda"),
        ("rerun ph", "rerun photo.png"),
        ("set st", "set steps"),
        ("set precision f", "set precision float16"),
        ("help ga", "help gallery"),
        ("labels ze", "labels zebra"),
        ("model dig", "model digits"),
        ("model resnet1", "model resnet18"),
        ("model ne", "model net.py"),
        ("model --weights ph", "model --weights photo.png"),
    ],
)
def test_it_offers(text: str, wanted: str, offers: Offers) -> None:
    assert wanted in lines(text, offers(text))


@pytest.mark.parametrize(
    "text",
    [
        "conv9_9:1",
        "conv4_1:999",
        "relu_fc:3 - nothing_like_this",
        "layers x",
        "labels zzz",
        "unset st",
        "render conv1_1:0 --steps 1",
        "logit('no such class",
        "# ",
        "help render x",
    ],
)
def test_it_offers_nothing_where_nothing_fits(text: str, offers: Offers) -> None:
    assert lines(text, offers(text)) == []


def test_an_empty_line_offers_commands_objectives_and_layers(offers: Offers) -> None:
    words = lines("", offers(""))
    assert {"render", "help", "channel(", "conv4_1:", "logits:"} <= set(words)
    assert "shell" not in words
    assert len(words) == len(set(words))


def test_a_word_is_offered_with_what_it_is(offers: Offers) -> None:
    (layer,) = [one for one in offers("conv4_1") if one.text == "conv4_1:"]
    assert layer.display_meta_text == "Conv2d, 128 channels"
    (term,) = [one for one in offers("neur") if one.text == "neuron("]
    assert term.display_meta_text.startswith("neuron(layer, index, x=None, y=None")
    assert [one.display_meta_text for one in offers("logits:27")] == ["star"]
    (option,) = list(offers("layers --js"))
    assert "JSON" in option.display_meta_text


def test_an_option_that_stands_there_is_not_offered_again(offers: Offers) -> None:
    text = "conv1_1:0 --steps 4 --s"
    assert [one.text for one in offers(text)] == ["--size", "--stop", "--seed", "--snapshots", "--std"]


def test_a_class_with_a_quote_in_its_name_stays_a_text(demo: lt.Model) -> None:
    model = lt.load_model("demo", labels=[f"jack-o'-lantern {number}" for number in range(51)])
    completer = ShellCompleter(Shell(application, Workbench(Loading("demo"), model)))
    offered = completer.get_completions(Document("logit('lantern 7"), CompleteEvent())
    (line,) = lines("logit('lantern 7", list(offered))
    assert line == "logit('jack-o\\'-lantern 7'"
    assert lt.parse(f"{line})") == lt.objectives.logit("jack-o'-lantern 7")
