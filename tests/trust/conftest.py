from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import save_file
from trust.forgery import python_file

import lucidtorch as lt
from lucidtorch.cli.main import run


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the one that hostile files lie in."""
    path = tmp_path / "outside"
    path.mkdir()
    return path


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that hostile files lie in; the command line runs in another one."""
    path = tmp_path / "inside"
    path.mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return path


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that is written if code runs."""
    return tmp_path / "canary"


@pytest.fixture
def code(inside: Path, canary: Path) -> Path:
    """A Python file that writes the canary, and builds a network."""
    return python_file(inside / "net.py", canary)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command; gives its exit code and what it said on stderr."""

    def call(*words: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = run([str(word) for word in words])
        return code, capsys.readouterr().err

    return call


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of the network that ships, as lucidtorch makes it."""
    rendering = lt.render("demo", "conv1_1:3", param=lt.param.image(16), steps=1, progress=False)
    return Path(rendering.save(tmp_path_factory.mktemp("plain") / "plain.png"))


@pytest.fixture(scope="session")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sheet of a run, which carries the whole recipe."""
    folder = tmp_path_factory.mktemp("run") / "run"
    run = lt.recipes.layer_sheet("demo", layers="conv1_1", units="0-1", size=16, steps=1, output=folder, progress=False)
    return next(path for path in sorted(run.folder.glob("*.png")))


@pytest.fixture
def weights(outside: Path) -> Path:
    """A file of weights outside."""
    module = lt.load_model("demo", weights="random", device="cpu").module
    save_file({name: value.clone() for name, value in module.state_dict().items()}, outside / "w.safetensors")
    return outside / "w.safetensors"
