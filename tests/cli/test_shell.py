"""A shell does what its lines say, in this process, on a network that is loaded once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lucidtorch as lt
from lucidtorch.cli.shell.group import ShellGroup
from lucidtorch.rendering.loop import Loop, Step

Cli = Callable[..., Any]
OPEN = ("shell", "demo", "--weights", "random", "--device", "cpu")
QUICK = "set steps 1\nset size 24\n"


@pytest.fixture
def script(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Gives lines to a shell that has no terminal."""

    def call(*lines: str, words: tuple[str, ...] = OPEN) -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
        return cli(*words)

    return call


def test_it_writes_what_the_command_writes(script: Cli, cli: Cli, tmp_path: Path) -> None:
    line = "--steps 2 --size 24 --seed 3 --batch 2"
    found = script(f'render "conv2_1:3" {line} -o shell.png')
    assert (found.code, found.out) == (0, "wrote shell.png\n")
    assert found.err.splitlines()[-1] == "step of demo: 2 of 2"
    cli("render", "demo", "conv2_1:3", *OPEN[2:], *line.split(), "-o", "command.png")
    assert (tmp_path / "shell.png").read_bytes() == (tmp_path / "command.png").read_bytes()


def test_weights_are_read_once(script: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    load = lt.load_model

    def counted(spec: str, **words: Any) -> lt.Model:
        loaded.append(spec)
        return load(spec, **words)

    monkeypatch.setattr("lucidtorch.cli.loading.load_model", counted)
    lines = ("conv1_1:0 -o a.png", "render conv1_1:1 -o b.png", "layers -q", "labels star")
    assert script(QUICK, *lines).code == 0
    assert loaded == ["demo"]


def test_no_default_is_set_for_an_option_of_the_shell_itself(script: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    main = ShellGroup.main

    def heard(self: ShellGroup, *words: Any, **settings: Any) -> Any:
        given.append(settings["default_map"])
        return main(self, *words, **settings)

    monkeypatch.setattr(ShellGroup, "main", heard)
    assert script("layers -q").code == 0
    assert "layers" in given[0]
    assert "help" not in given[0]  # click before 8.5 takes it for `--help`


def test_an_objective_alone_is_rendered_with_the_settings(script: Cli, tmp_path: Path) -> None:
    settings = ("set steps 2", "set size 20x24", "set batch 2", "set seed 5", "set lr 0.1")
    more = ("set transforms pad(2) | jitter(1)", "set precision bfloat16")
    found = script(*settings, *more, "channel('conv2_1', 3) - 0.1 * diversity('conv2_1') -o x.png")
    assert found.code == 0, found.err
    recipe = lt.recipes.read_recipe(tmp_path / "x.png")
    assert recipe.objective == "channel('conv2_1', 3) - 0.1 * diversity('conv2_1')"
    assert (recipe.steps, recipe.batch, list(recipe.seed), recipe.lr) == (2, 2, [5, 6], 0.1)
    assert recipe.param.startswith("image([20, 24], batch=2,")
    assert recipe.transforms.startswith("pad(2")


def test_an_option_goes_before_a_setting(script: Cli, tmp_path: Path) -> None:
    script(QUICK, "conv2_1:3 --steps 2 -o x.png", "unset steps", "set", "unset", "set")
    assert lt.recipes.read_recipe(tmp_path / "x.png").steps == 2


def test_settings_are_shown_and_taken_back(script: Cli) -> None:
    rest = ("unset steps", "set", "unset", "set")
    found = script("set steps 64", "set lr", "set --size 32", "set param image(24)", *rest)
    lines = [line.split() for line in found.out.splitlines()]
    assert lines[:4] == [["steps", "64"], ["lr", "(default)"], ["size", "32"], ["param", "image(24)"]]
    shown = dict(lines[4 : 4 + len(lines[4:]) // 2])
    assert (shown["steps"], shown["size"], shown["param"]) == ("(default)", "(default)", "image(24)")
    assert {value for _, value in lines[4 + len(shown) :]} == {"(default)"}


def test_the_seed_of_the_command_is_the_first_setting(script: Cli) -> None:
    assert script("set seed", words=(*OPEN, "--seed", "7")).out.split() == ["seed", "7"]


def test_galleries_go_by_the_settings_too(script: Cli, tmp_path: Path) -> None:
    found = script(QUICK, "set batch 3", "gallery --layers conv1_1 --units 0-1 --workers 1 -o pages")
    assert found.out.splitlines()[-1] == "wrote pages/index.html (2 pictures)"
    data = json.loads((tmp_path / "pages" / "data.json").read_text())
    recipe = lt.recipes.read_recipe(tmp_path / "pages" / data["layers"][0]["units"][0]["pictures"][0]["file"])
    assert (recipe.steps, recipe.canvas[0]) == (1, 24 + 24)


def test_another_network_takes_the_place(script: Cli, tmp_path: Path) -> None:
    found = script(
        "set steps 1", "model digits --device cpu --mean 0.25", "logit(3) -o x.png", "model --device cpu", "model"
    )
    assert found.code == 0, found.err
    source = lt.recipes.read_recipe(tmp_path / "x.png").model
    assert source is not None
    assert (source.spec, source.weights, source.mean) == ("digits", "default", (0.25,))
    said = [line for line in found.out.splitlines() if line.startswith("digits on cpu, 14 layers; input: ")]
    assert ["mean 0.25" in line for line in said] == [True, False, False]


def test_a_network_that_cannot_be_loaded_leaves_the_one_there_is(script: Cli) -> None:
    found = script("model demmo", "model")
    assert found.code == 2
    assert "Did you mean 'demo'" in found.err
    assert found.out.startswith("demo on cpu")


def test_words_of_one_command_load_another_network_for_it_alone(script: Cli, tmp_path: Path) -> None:
    assert script(QUICK, "conv1_1:0 --mean 0.25 -o a.png", "conv1_1:0 -o b.png").code == 0
    means = [getattr(lt.recipes.read_recipe(tmp_path / name).model, "mean", "?") for name in ("a.png", "b.png")]
    assert means == [(0.25, 0.25, 0.25), None]


def test_labels_are_searched(script: Cli) -> None:
    assert script("labels STAR").out == "   27  star\n"
    assert len(script("labels").out.splitlines()) == 51
    found = script("labels zzz", "model lines", "labels")
    assert found.code == 2
    assert "None of the 51 classes has 'zzz'" in found.err
    assert "lines has no labels" in found.err


BAD = {
    "unknown command": ("rendr x", "no command 'rendr'"),
    "unknown layer": ("conv2_l:3", "Did you mean 'conv2_1'"),
    "no objective": ("render", "OBJECTIVE"),
    "unknown option": ("layers --color", "--color.*help layers"),
    "option without a value": ("render conv2_1:3 --steps", "--steps"),
    "number": ("render conv2_1:3 --steps many", "many"),
    "unknown setting": ("set stps 3", "no setting 'stps'. Did you mean 'steps'"),
    "setting steps": ("set steps 0", "from 1"),
    "setting steps text": ("set steps many", "'many'"),
    "setting size": ("set size big", "'big'"),
    "setting batch": ("set batch 0", "from 1"),
    "setting seed": ("set seed -1", "-1"),
    "setting lr": ("set lr fast", "'fast'"),
    "setting lr nan": ("set lr nan", "nan"),
    "setting param": ("set param 3", "param"),
    "setting transforms": ("set transforms blur(3)", "blur"),
    "setting precision": ("set precision float8", "float8"),
    "unset": ("unset stps", "Did you mean 'steps'"),
    "help of nothing": ("help rendr", "'rendr'"),
    "quotation": ("labels 'a", "No closing quotation"),
    "a shell in a shell": ("shell demo", "no command 'shell'"),
    "more words": ("layers a b", "unexpected"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_and_the_shell_goes_on(case: str, script: Cli, no_steps: None) -> None:
    import re

    line, said = BAD[case]
    found = script(line, "labels star")
    assert (found.code, found.out) == (2, "   27  star\n")
    assert re.search(said, found.err, re.DOTALL), found.err
    assert found.err.startswith("lucidtorch: ")
    assert len(found.err.splitlines()) <= 3
    assert "Traceback" not in found.err


def test_the_code_is_that_of_the_first_line_that_failed(script: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: Loop) -> Iterator[Step]:
        raise RuntimeError("out of luck")
        yield

    monkeypatch.setattr(Loop, "run", run)
    assert script(QUICK, "conv1_1:0", "conv9:0").code == 1
    assert script(QUICK, "conv9:0", "conv1_1:0").code == 2


def test_an_interrupt_ends_a_script_and_keeps_the_picture(
    script: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    steps = Loop.run

    def run(self: Loop) -> Iterator[Step]:
        for step in steps(self):
            yield step
            raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "run", run)
    found = script("set steps 3", "set size 24", "conv1_1:0 -o x.png", "labels star")
    assert found.code == 130
    assert found.out.splitlines()[-1] == "wrote x.png"
    assert found.err == "lucidtorch: interrupted; the picture as it was then is in x.png\n"
    assert (tmp_path / "x.png").is_file()


@pytest.mark.parametrize("word", ["exit", "quit"])
def test_exit_ends_it(word: str, script: Cli) -> None:
    found = script("labels star", word, "labels zebra")
    assert (found.code, found.out) == (0, "   27  star\n")


def test_help_lists_the_commands_and_what_one_takes(script: Cli) -> None:
    found = script("help")
    for name in ("render", "layers", "gallery", "rerun", "model", "labels", "set", "unset", "help", "exit"):
        assert f"\n  {name} " in found.out
    assert "  shell " not in found.out
    assert found.err == ""
    said = script("help render").out
    assert said.startswith("Usage: render [OPTIONS] OBJECTIVE\n")
    assert "--steps" in said
    assert "MODEL is one of" not in said
    assert script("render --help").out == said
    assert "MODEL is one of" in script("help model").out


def test_a_note_is_told_each_time_and_quiet_speaks_for_one_line(script: Cli) -> None:
    line = "-relu1_1:3 -o x.png"
    found = script(QUICK, line, f"{line} -q", line)
    assert found.code == 0
    assert len([one for one in found.err.splitlines() if "is behind a ReLU" in one]) == 2


def test_without_weights_it_says_what_to_do(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from urllib.error import URLError

    def refuse(*facts: object, **more: object) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    monkeypatch.setattr("urllib.request.urlopen", refuse)
    found = cli("shell")
    assert (found.code, found.out) == (2, "")
    assert "vgg16" in found.err
    assert "`lucidtorch shell vgg16 --weights FILE` or `--weights random`" in found.err
    assert len(found.err.splitlines()) == 2


def test_input_that_is_no_text_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"labels star\n\xff\xfe\n"), encoding="utf-8"))
    found = cli(*OPEN)
    assert found.code == 2
    assert "no UTF-8 text" in found.err


def test_it_is_for_one_network_of_ones_own_too(script: Cli, tmp_path: Path) -> None:
    code = "from torch import nn\ndef net():\n    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())\n"
    (tmp_path / "mine.py").write_text(code)
    words = ("shell", "mine.py:net", "--mean", "0.5", "--std", "0.5", "--input-size", "20", "--device", "cpu")
    found = script("set steps 1", "0:2", "layers", words=words)
    assert found.code == 0, found.err
    assert found.out.splitlines()[1] == "wrote mine.py-net-channel-0-2.png"
    assert "input: 1 channel, 20 x 20 pixels, range 0,1, mean 0.5, std 0.5 (stated)" in found.out
