from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import lucidtorch.models as models
from lucidtorch.base.errors import UnknownModelError, WeightsError
from lucidtorch.models.sources.finding import find

NET = """
import dataclasses

from torch import nn
from parts_of_net import Block


@dataclasses.dataclass
class Size:
    width: int = 4


class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(2, Size().width, 3), Block())


def build():
    from parts_of_net import Block
    return Net()


def number():
    return 3


def breaks():
    raise OSError("no such disk")


ready = nn.Conv2d(5, 1, 1)
"""
LINE = NET.splitlines().index('    raise OSError("no such disk")') + 1
PARTS = "from torch import nn\n\n\nclass Block(nn.ReLU):\n    pass\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(NET, encoding="utf-8")
    (tmp_path / "parts_of_net.py").write_text(PARTS, encoding="utf-8")
    return tmp_path / "net.py"


@pytest.mark.parametrize(("factory", "channels"), [("build", 2), ("Net", 2), ("ready", 5)])
def test_functions_classes_and_modules_of_a_file_give_networks(file: Path, factory: str, channels: int) -> None:
    found = find(f"{file}:{factory}", "default")
    assert (found.name, found.code, found.file) == (f"net.py:{factory}", file, None)
    assert (found.convention.channels, found.convention.stated, found.size_known) == (channels, False, False)


def test_relative_paths_work(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    model = models.load_model("net.py:build", mean=0.0)
    assert model.source is not None
    assert model.source.spec == "net.py:build"
    assert list(model.activations(torch.rand(1, 2, 8, 8), "0")["0"].shape) == [1, 4, 6, 6]


def test_random_weights_of_a_factory_are_the_same_at_each_call_and_take_no_dice(file: Path) -> None:
    before = torch.get_rng_state()
    first, second = (find(f"{file}:build", "default").module.state_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_nothing_of_it_stays_importable(file: Path) -> None:
    path = list(sys.path)
    find(f"{file}:build", "default")
    assert sys.path == path
    assert not {"net", "parts_of_net"} & set(sys.modules)


def test_a_changed_file_is_read_anew(file: Path) -> None:
    find(f"{file}:build", "default")
    file.write_text("from torch import nn\n\ndef build():\n    return nn.Conv2d(7, 1, 1)\n", encoding="utf-8")
    assert find(f"{file}:build", "default").convention.channels == 7


def test_a_file_of_weights_is_loaded_into_it(file: Path, tmp_path: Path) -> None:
    state = nn.Sequential(nn.Conv2d(2, 4, 3)).state_dict()
    torch.save(state, tmp_path / "net.pth")
    found = find(f"{file}:build", tmp_path / "net.pth")
    assert torch.equal(found.module[0].weight, state["0.weight"])
    assert found.file == tmp_path / "net.pth"
    with pytest.raises(WeightsError, match="leave weights='random' out"):
        find(f"{file}:build", "random")


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("biuld", r"no function 'biuld'\. Did you mean 'build'"),
        ("number", r"net\.py:number gives a int; it must return a torch\.nn\.Module"),
        ("breaks", rf"net\.py, line {LINE}, raised OSError: no such disk"),
        ("", "write FILE.py:FUNCTION"),
        ("a b", "write FILE.py:FUNCTION"),
    ],
)
def test_a_factory_that_gives_no_network_is_refused(file: Path, factory: str, message: str) -> None:
    with pytest.raises(UnknownModelError, match=message):
        find(f"{file}:{factory}", "default")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\nimport no_such_thing\n", r"line 2, raised ModuleNotFoundError: No module named 'no_such_thing'"),
        ("x = 1\n\ndef build(:\n", r"line 3, raised SyntaxError"),
        ("import sys\nsys.exit('enough')\n", r"line 2, raised SystemExit: enough"),
        ("raise ValueError\n", r"line 1, raised ValueError: no reason given"),
    ],
)
def test_a_file_that_raises_is_refused_and_forgotten(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "broken.py").write_text(text, encoding="utf-8")
    before, path = set(sys.modules), list(sys.path)
    with pytest.raises(UnknownModelError, match=message):
        find(f"{tmp_path}/broken.py:build", "default")
    assert not {name for name in set(sys.modules) - before if "broken" in name}
    assert sys.path == path


def test_files_that_are_not_there_are_named() -> None:
    for spec in ("nowhere/net.py:build", "C:\\nets\\net.py:build"):
        with pytest.raises(UnknownModelError, match="There is no file"):
            find(spec, "default")
    with pytest.raises(UnknownModelError, match=r"write FILE\.py:FUNCTION"):
        find("net.py", "default")
