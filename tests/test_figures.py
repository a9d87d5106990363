"""The counting of `benchmarks/figures.py`, on a small invented package whose figures are known, and on the package."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import entered
import figures
import pytest
from figures import File
from guards.imports import ROWS
from guards.sources import ROOT, library

import lucidtorch as lt
from lucidtorch.objectives.term import DEFINITIONS

UNITS = '''"""Docstring, not counted."""

from lucidtorch.base import checks


@view_objective("tokens")
def peak(activations, layer):
    "Neither is this one."
    return activations[layer]  # nor this


@objective
def edge(activations):
    return "edge of a \\
peak"


class Reader:
    class Part: ...
'''
PACKAGE = {
    "__init__.py": '_SOURCES = {"peak": "lucidtorch.objectives.units"}\n',
    "base/__init__.py": "",
    "base/checks.py": "class Part:\n    pass\n",
    "base/single.py": "x = 1\n" * 59,
    "base/long_single.py": "x = 1\n" * 401,
    "models/networks/one.py": "",
    "objectives/__init__.py": "from lucidtorch.objectives.units import edge, peak\n",
    "objectives/units.py": UNITS,
    "recipes/main.py": (
        "import lucidtorch.base.checks\n\n\ndef main():\n"
        "    from lucidtorch.base import long_single\n    from lucidtorch.base.single import x\n"
        "    from lucidtorch.models.networks import one\n"
    ),
    "recipes/start.yaml": "recipe: figure\nshows: peak  # or edge\n",
    "recipes/page.html": "<p>figure</p>\n",
    "recipes/picture.png": "no text",
}


@pytest.fixture
def invented(tmp_path: Path) -> list[File]:
    for path, text in PACKAGE.items():
        file = tmp_path / "lucidtorch" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return figures.package_files(tmp_path)


def file_of(files: list[File], path: str) -> File:
    return next(one for one in files if one.path == path)


def test_files_and_lines_are_counted_by_where_they_stand(invented):
    counts = {name: figures.size(group) for name, group in figures.groups(invented).items()}
    found = {
        name: (one["files"], one["lines"], one["modules"], one["lines of modules"]) for name, one in counts.items()
    }
    assert found == {
        "at or below rendering": (7, 482, 7, 482),
        "above rendering": (4, 11, 2, 8),
        "recipes alone": (3, 10, 1, 7),
        "whole package": (11, 493, 9, 490),
    }


def test_tokens_leave_docstrings_comments_and_layout_out(invented):
    tokens = [one.string for one in file_of(invented, "objectives/units.py").tokens]
    lines = (
        "from lucidtorch . base import checks",
        '@ view_objective ( "tokens" ) def peak ( activations , layer ) : return activations [ layer ]',
        "@ objective def edge ( activations ) : return",
        "class Reader : class Part : ...",
    )
    wanted = [word for line in lines for word in line.split()]
    assert tokens == [*wanted[:-7], '"edge of a \\\npeak"', *wanted[-7:]]
    assert figures.size(invented)["tokens"] == 7 + 4 + 3 * 59 + 3 * 401 + 10 + len(tokens) + 33


def test_the_mean_line_is_that_of_lines_that_hold_something():
    assert figures.size([File("a.py", "x = 1\n\n\ny = 22\n"), File("b.css", "a long line of another language")])[
        "mean line"
    ] == pytest.approx(5.5)


def test_modules_are_imported_by_statements_anywhere_and_by_their_names_as_texts(invented):
    assert figures.importers(invented) == {
        "lucidtorch": set(),
        "lucidtorch.base": set(),
        "lucidtorch.base.checks": {"lucidtorch.objectives.units", "lucidtorch.recipes.main"},
        "lucidtorch.base.long_single": {"lucidtorch.recipes.main"},
        "lucidtorch.base.single": {"lucidtorch.recipes.main"},
        "lucidtorch.models.networks.one": {"lucidtorch.recipes.main"},
        "lucidtorch.objectives": set(),
        "lucidtorch.objectives.units": {"lucidtorch", "lucidtorch.objectives"},
        "lucidtorch.recipes.main": set(),
    }


def test_the_figures_of_the_invented_package_are_known(invented):
    found = figures.counted(invented)
    assert found["longest module"] == "401 lines (base/long_single.py)"
    assert found["modules above 400 lines"] == ["base/long_single.py"]
    assert found["modules with one importer"] == ["base/long_single.py", "base/single.py"]
    assert found["... and below 60 lines"] == found["... and at or below rendering"] == ["base/single.py"]
    assert found["class names defined twice"] == ["Part"]
    assert found["lines to read for the core idea"].startswith("0 in 0 modules, but not there: objectives/algebra.py, ")
    assert found["files that name an objective"] == "3.5, at most 4 (peak)"
    assert found["files that name a kind of recipe"] == "2, at most 2 (figure)"


def test_words_are_those_of_code_and_texts(invented):
    units = file_of(invented, "objectives/units.py")
    assert {"peak", "edge", "tokens", "of"} <= units.words
    assert not {"Docstring", "Neither", "nor"} & units.words


def test_a_table_has_a_row_for_each_group_and_figure():
    text = figures.table(
        {"whole": {"files": 1, "lines": 12345}}, {"longest": "9 lines", "twice": ["A", "B"]}, names=True
    )
    assert text == (
        "| | files | lines |\n|---|---|---|\n| whole | 1 | 12,345 |\n\n"
        "| figure | |\n|---|---|\n| longest | 9 lines |\n| twice | 2 |\n\ntwice: A, B"
    )


def test_branches_are_summed_over_the_files_of_a_group(invented):
    report = {
        "files": {
            "/home/lucidtorch/lucidtorch/base/checks.py": {"summary": {"num_branches": 6, "covered_branches": 3}},
            "lucidtorch\\base\\single.py": {"summary": {"num_branches": 2, "covered_branches": 2}},
            "lucidtorch/recipes/main.py": {"summary": {"num_branches": 4, "covered_branches": 0}},
        }
    }
    assert figures.branches(figures.groups(invented)["at or below rendering"], report) == "62.5% of 8"
    assert figures.branches([], report) == "none"


def test_files_are_entered_where_a_function_of_theirs_is_called(tmp_path):
    names = {}
    for name in ("entered", "left"):
        path = tmp_path / f"{name}.py"
        exec(compile("def call(): return [one for one in range(3)]", str(path), "exec"), names)
        names[name] = names.pop("call")
    assert entered.entered(names["entered"], tmp_path) == {tmp_path / "entered.py"}
    assert entered.entered(names["left"], tmp_path / "other") == set()
    assert sys.getprofile() is None


def test_parameters_are_those_of_all_that_is_public():
    class Public:
        def __init__(self, a, b): ...
        def method(self, a, b, *, c): ...
        @classmethod
        def of(cls, a): ...
        def _hidden(self, a, b, c, d, e): ...

    Public.__module__ = "lucidtorch.recipes.runs"
    package, inner = ModuleType("lucidtorch"), ModuleType("lucidtorch.param")
    package.__all__, inner.__all__ = ["inner", "Public", "size"], ["drawn", "foreign"]
    inner.drawn, inner.foreign = (lambda a, *b: a), inspect.signature
    inner.drawn.__module__ = "lucidtorch.param.drawn"
    package.inner, package.Public, package.size = inner, Public, 3
    found = {(one.name, one.part, one.is_class, one.count) for one in entered.parameters(package)}
    assert found == {
        ("inner.drawn", "param", False, 2),
        ("Public", "recipes", True, 2),
        ("Public.method", "recipes", False, 3),
        ("Public.of", "recipes", False, 1),
    }
    assert entered.most_parameters(list(entered.parameters(package))) == {
        "most of another function at or below rendering": "2 (inner.drawn)",
        "most of another function above rendering": "3 (Public.method)",
        "most of a constructor": "2 (Public)",
    }


def test_the_front_doors_are_counted_with_every_parameter():
    found = entered.most_parameters(list(entered.parameters(lt)))
    assert found["parameters of `render`"] == len(inspect.signature(lt.render).parameters)
    assert found["parameters of `gallery`"] == len(inspect.signature(lt.gallery).parameters)


def test_the_core_is_what_the_layer_table_has_at_or_below_rendering():
    height = next(number for number, row in enumerate(ROWS) if "rendering" in row)
    below = {name for row in ROWS[height:] for name in row} - {"runs"}  # which belongs above: it shares out work
    above = {name for row in ROWS[:height] for name in row}
    assert below <= set(figures.CORE)
    assert not above & set(figures.CORE)


def test_the_package_is_read_whole():
    files = figures.package_files(ROOT)
    assert {one.module: one.text for one in files if one.is_python} == {one.module: one.text for one in library()}
    assert set(figures.IDEA) <= {one.path for one in files}
    own = {name for name, one in DEFINITIONS.items() if one.function.__module__.startswith("lucidtorch.")}
    assert set(figures.objective_names(files)) == own
    kinds = {name for name in lt.recipes.__all__ if hasattr(getattr(lt.recipes, name), "kind")}
    assert set(figures.recipe_names(files)) == kinds


@pytest.mark.slow
def test_the_script_prints_every_figure_of_the_package():
    words = [sys.executable, str(ROOT / "benchmarks" / "figures.py"), "--json"]
    found = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    render, command = found["files entered by a warm render"], found["files entered by a warm command render"]
    assert {"rendering/loop.py", "objectives/term.py"} <= set(render)
    assert "cli/main.py" in set(command) - set(render)
    assert "recipes/kinds/diversity.py" in found["files entered by a warm command run diversity"]
    assert "galleries/entry.py" in found["files entered by a warm gallery"]
    assert found["whole package"]["files"] == len(figures.package_files(ROOT))
