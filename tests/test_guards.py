"""The rules that the whole project keeps; each test names the places that break one."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from guards import exports, habits, imports, words
from guards.registry import own_objectives
from guards.sources import PACKAGE, ROOT, Source, documented, everything, library

import lucidtorch

HEAVY = {"torchvision", "kornia", "sklearn", "matplotlib", "imageio", "rich", "typer"}
FOREIGN_PLACES = re.compile("/(" + "|".join(("wo" + "rk", "tm" + "p", "ro" + "ot")) + ")/")
TEXTS = (".py", ".md", ".toml", ".yaml", ".html", ".css", ".js", ".txt", "Makefile", "run", "LICENSE", ".gitignore")
TOP = (PACKAGE, "tests", "docs", "benchmarks", "training", ".ci")
DOCTEST_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

Rule = Callable[[Source], Iterable[str]]
LIBRARY_RULES: tuple[tuple[Rule, str], ...] = (
    (imports.wrong_direction, "Imports go down the layer table, never up and never to a sibling"),
    (words.undocumented, "Everything public has a docstring"),
    (words.misdescribed, "Args: lists each public parameter, and no other"),
    (words.unhelpful, "Every option of a command says what it is"),
    (words.unannotated, "Every public parameter and result has a type"),
    (habits.unfinished, "The library holds no promises: finish it or leave it out"),
    (habits.asserted, "Input is refused by an error of base/errors.py, not by assert"),
    (habits.swallowed, "Errors are caught by their kind"),
    (habits.passed_on, "Arguments are named, not passed on by **kwargs"),
)
PROJECT_RULES: tuple[tuple[Rule, str], ...] = (
    (habits.long_file, f"A file has at most {habits.LONGEST_FILE} lines; split it by nouns"),
    (habits.long_functions, f"A function has at most {habits.LONGEST_FUNCTION} lines below its docstring"),
)


@pytest.mark.parametrize(("rule", "saying"), LIBRARY_RULES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_library_keeps_the_rule(rule: Rule, saying: str) -> None:
    _refuse(saying, (offence for source in library() for offence in rule(source)))


@pytest.mark.parametrize(("rule", "saying"), PROJECT_RULES, ids=lambda value: getattr(value, "__name__", ""))
def test_the_whole_project_keeps_the_rule(rule: Rule, saying: str) -> None:
    _refuse(saying, (offence for source in everything() for offence in rule(source)))


def test_only_the_command_line_prints() -> None:
    quiet = (source for source in library() if source.row != "cli")
    _refuse("Only lucidtorch.cli prints", (offence for source in quiet for offence in habits.printed(source)))


def test_no_modules_import_each_other_in_a_circle() -> None:
    _refuse("Modules import each other in a circle", [" -> ".join(imports.cycle())] if imports.cycle() else [])


@pytest.mark.parametrize("row", imports.DIRECTED)
def test_no_folders_of_a_package_import_each_other_in_a_circle(row: str) -> None:
    circle = imports.circle_of_folders(row)
    _refuse(f"Folders of {row} import each other in a circle", [" -> ".join(circle)] if circle else [])


@pytest.mark.parametrize("face", exports.faces(), ids=lambda face: face.module)
def test_all_is_what_the_package_exposes(face: Source) -> None:
    stated = exports.stated(face) or []
    assert len(stated) == len(set(stated))
    assert set(stated) == exports.exposed(face)
    module = importlib.import_module(face.module)
    missing = [name for name in stated if not hasattr(module, name)]
    assert not missing, f"{face.module}.__all__ names what cannot be imported: {missing}"


@pytest.mark.parametrize("face", exports.faces(), ids=lambda face: face.module)
def test_no_module_bears_the_name_of_a_public_function(face: Source) -> None:
    for one in pkgutil.walk_packages(lucidtorch.__path__, f"{PACKAGE}."):
        importlib.import_module(one.name)
    replaced = exports.replaced(face)
    assert not replaced, f"{face.module}: modules stand in the place of {replaced}; rename them"


def test_importing_the_package_is_light() -> None:
    code = f"import sys, {PACKAGE}; print(*(name.split('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = HEAVY & set(done.stdout.split())
    assert not loaded, f"`import {PACKAGE}` loads {sorted(loaded)}; import them where they are needed"


def test_the_project_speaks_only_of_itself() -> None:
    offences = (
        f"{path.relative_to(ROOT)}:{number} {line.strip()[:80]}"
        for path in _texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if FOREIGN_PLACES.search(line)
    )
    _refuse("Paths of one machine mean nothing on another", offences)


def test_one_version_is_told_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert lucidtorch.__version__ == project["version"]
    released = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert released[:1] == [project["version"]]


def _examples() -> Iterator[tuple[Source, ast.AST, str]]:
    for source in library():
        yield from ((source, node, text) for node, text in documented(source) if ">>>" in text)


@pytest.mark.parametrize(
    ("source", "node", "text"),
    [pytest.param(*one, id=f"{one[0].module}.{getattr(one[1], 'name', '')}") for one in _examples()],
)
def test_the_examples_in_docstrings_run(
    source: Source, node: ast.AST, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = dict(vars(importlib.import_module(source.module)))
    case = doctest.DocTestParser().get_doctest(text, names, source.module, source.at(node), getattr(node, "lineno", 1))
    said: list[str] = []
    with own_objectives():
        result = doctest.DocTestRunner(optionflags=DOCTEST_OPTIONS).run(case, out=said.append)
    _refuse("Examples do what they say", said if result.failed else [])


def _refuse(saying: str, offences: Iterable[str]) -> None:
    found = list(offences)
    if found:
        pytest.fail("\n  ".join([f"{saying}:", *found]), pytrace=False)


def _texts() -> Iterator[Path]:
    places = [path for path in ROOT.iterdir() if path.is_file()]
    places += [path for folder in TOP for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts]
    return (path for path in places if path.is_file() and path.name.endswith(TEXTS))
