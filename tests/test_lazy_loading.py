"""What is loaded: faces of packages load next to nothing, a kind of recipe no other, a command only what it uses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FACES = ("recipes", "galleries", "scanning", "datasets")
ABOVE = {"recipes", "galleries", "scanning", "analysis", "datasets", "runs"}  # what a render alone does not use
HEAVY = {"torch", "torchvision", "numpy", "pydantic", "PIL"}
OPTIONAL = {
    "torchvision",
    "timm",
    "transformers",
    "kornia",
    "sklearn",
    "umap",
    "scipy",
    "imageio",
    "pyvista",
    "IPython",
}
RENDER = ["render", "demo", "conv1_1:0", "--size", "32", "--steps", "1", "--quiet", "-o"]


def loaded(code: str) -> set[str]:
    """The names of all modules that a fresh process has after some lines of Python."""
    whole = f"{code}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True, timeout=300)
    return set(done.stdout.splitlines()[-1].split())


def inside(names: set[str], package: str) -> set[str]:
    """The modules directly in a package of the library, without the others."""
    start = f"lucidtorch.{package}."
    return {name.removeprefix(start).split(".")[0] for name in names if name.startswith(start)}


@pytest.mark.parametrize("face", FACES)
def test_the_face_of_a_package_loads_nothing_that_it_gives(face: str) -> None:
    names = loaded(f"import lucidtorch; import lucidtorch.{face}")
    own = {name for name in names if name.partition(".")[0] == "lucidtorch"}
    assert own == {"lucidtorch", "lucidtorch.base", "lucidtorch.base.lazy", f"lucidtorch.{face}"}
    assert not names & HEAVY


@pytest.mark.parametrize(("kind", "parts"), [("diversity", {"likeness", "unit_pictures"}), ("filters", None)])
def test_a_kind_of_recipe_loads_no_other(kind: str, parts: set[str] | None) -> None:
    names = loaded(f"from lucidtorch.recipes import {kind}")
    assert inside(names, "recipes.kinds") == {kind}
    assert parts is None or inside(names, "recipes.parts") == parts
    assert not inside(names, "galleries") & {"entry", "site", "folder"}
    assert not inside(names, "scanning") & {"entry"}
    assert not inside(names, "analysis")
    assert not names & OPTIONAL


@pytest.mark.parametrize("words", [["layers", "demo", "--quiet"], RENDER], ids=lambda words: words[0])
def test_a_command_loads_no_part_that_it_does_not_use(words: list[str], tmp_path: Path) -> None:
    given = [*words, str(tmp_path / "one.png")] if words[-1] == "-o" else words
    names = loaded(f"from lucidtorch.cli.main import run\nif run({given!r}): raise SystemExit(1)")
    assert inside(names, "cli.commands") == {f"{words[0]}_command"}
    assert not {name.split(".")[1] for name in names if name.startswith("lucidtorch.")} & ABOVE
    assert not names & OPTIONAL
