"""The size of the package in figures: lines, tokens, importers, class names, files entered, parameters, places to edit.

    python benchmarks/figures.py [--root CHECKOUT] [--list] [--json] [--coverage coverage.json]

Counts the text files of the wheel, Python and templates alike. Tokens are those of Python's own tokenizer without
comments, docstrings and layout; Python 3.12 splits f-strings into more of them, so compare figures of one Python only.
What needs the package imported (`entered.py`) is measured in a fresh process that finds it in the checkout.
`--coverage` takes what `coverage json` writes of a run with `--branch`, and prints the share of branches taken.
"""

from __future__ import annotations

import argparse
import ast
import functools
import io
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import tokenize
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "lucidtorch"
# Everything at or below `rendering` in the layer table, with names that the table will have.
CORE = (
    *("base", "models", "objectives", "param", "transforms", "constraints", "analysis", "datasets", "concepts"),
    *("rendering", "attribution"),
)
RECIPES = "recipes"
TEXTS = (".py", ".html", ".css", ".js", ".yaml", ".yml", ".json", ".toml", ".txt", ".md", ".svg", ".jinja", ".j2")
LAYOUT = (tokenize.ENCODING, tokenize.ENDMARKER, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
LONG_MODULE, SHORT_MODULE = 400, 60  # lines: a module above the first is too long; below the second it is a fragment
NETWORKS = "models/networks/"  # one module per embedded network, each of which has one importer by nature
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
# What must be read to say what an objective, a term, the decorator and a trace are; what these ask the annotations of
# arguments (objectives/arguments.py) and how they print (base/notation.py) is one call each.
IDEA = (
    "objectives/algebra.py",  # Objective: arithmetic makes expressions, calling one on activations fills a Trace
    "objectives/term.py",  # Term, the node that reads activations; @objective and the table of what it defined
)


@dataclass(frozen=True)
class File:
    """A text file of the package: its path inside it, and what it holds."""

    path: str
    text: str

    @property
    def part(self) -> str:
        """The first folder of the path; empty for a file directly in the package."""
        return self.path.rpartition("/")[0].split("/")[0]

    @property
    def is_python(self) -> bool:
        return self.path.endswith(".py")

    @property
    def module(self) -> str:
        parts = PurePosixPath(self.path).with_suffix("").parts
        return ".".join((PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts)))

    @functools.cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @functools.cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """The tokens of a module that are no layout, comments or docstrings."""
        nodes = (one for one in ast.walk(self.tree) if isinstance(one, DOCUMENTED) and ast.get_docstring(one, False))
        documented = {(one.body[0].lineno, one.body[0].col_offset) for one in nodes}
        found = tokenize.generate_tokens(io.StringIO(self.text).readline)
        wanted = (one for one in found if one.type not in (*LAYOUT, tokenize.COMMENT))
        return [one for one in wanted if one.type != tokenize.STRING or one.start not in documented]

    @functools.cached_property
    def words(self) -> frozenset[str]:
        """The words of its code and strings, docstrings and comments left out; all words where it is no module."""
        texts = (one.string for one in self.tokens) if self.is_python else self.lines
        return frozenset(word for text in texts for word in re.findall(r"\w+", text))


def package_files(root: Path) -> list[File]:
    """Read the text files of the package in a checkout, in the order of their paths."""
    folder = root / PACKAGE
    paths = (path for path in sorted(folder.rglob("*")) if path.suffix in TEXTS and path.is_file())
    return [File(path.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


def groups(files: Iterable[File]) -> dict[str, list[File]]:
    """Sort files by where they stand; recipes are a part of what is above `rendering`."""
    every = list(files)
    return {
        "at or below rendering": [one for one in every if one.part in CORE],
        "above rendering": [one for one in every if one.part not in CORE],
        "recipes alone": [one for one in every if one.part == RECIPES],
        "whole package": every,
    }


def size(files: Iterable[File]) -> dict[str, float]:
    """Count files, lines and tokens; the mean length is that of all lines of modules that are not empty."""
    every = list(files)
    modules = [one for one in every if one.is_python]
    lengths = [len(line) for one in modules for line in one.lines if line.strip()]
    return {
        "files": len(every),
        "lines": sum(len(one.lines) for one in every),
        "modules": len(modules),
        "lines of modules": sum(len(one.lines) for one in modules),
        "tokens": sum(len(one.tokens) for one in modules),
        "mean line": round(statistics.fmean(lengths), 2) if lengths else 0.0,
    }


def importers(files: Iterable[File]) -> dict[str, set[str]]:
    """Find who imports each module: by a statement anywhere in it, or by the module's whole name as a text."""
    modules = {one.module: one for one in files if one.is_python}
    found: dict[str, set[str]] = {name: set() for name in modules}
    for name, file in modules.items():
        for target in (one for node in ast.walk(file.tree) for one in _imported(node)):
            while target and target not in modules:  # `from module import name`
                target = target.rpartition(".")[0]
            if target and target != name:
                found[target].add(name)
    return found


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    is_name = isinstance(node, ast.Constant) and re.fullmatch(rf"{PACKAGE}(\.\w+)+", str(node.value))
    return [node.value] if is_name else []


def singles(files: Iterable[File]) -> list[File]:
    """List the modules that one other module alone imports, but for faces of packages and embedded networks."""
    users = importers(files)
    modules = (one for one in files if one.is_python and not one.path.startswith(NETWORKS))
    return [one for one in modules if len(users[one.module]) == 1 and not one.path.endswith("__init__.py")]


def repeated_classes(files: Iterable[File]) -> list[str]:
    """List the names that two classes or more have."""
    nodes = (node for one in files if one.is_python for node in ast.walk(one.tree) if isinstance(node, ast.ClassDef))
    return sorted(name for name, count in Counter(node.name for node in nodes).items() if count > 1)


def objective_names(files: Iterable[File]) -> list[str]:
    """List the functions that a decorator whose name ends in `objective` makes objectives of."""
    nodes = (node for one in files if one.is_python for node in ast.walk(one.tree) if isinstance(node, ast.FunctionDef))
    return [node.name for node in nodes if any(_decorator(one).endswith("objective") for one in node.decorator_list)]


def _decorator(node: ast.expr) -> str:
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def recipe_names(files: Iterable[File]) -> list[str]:
    """List the kinds of recipes, which are those that the files to start from are of."""
    texts = [one.text for one in files if one.part == RECIPES and one.path.endswith(".yaml")]
    return sorted({name for text in texts for name in re.findall(r"^recipe: (\w+)", text, re.MULTILINE)})


def places(files: Iterable[File], names: Iterable[str]) -> str:
    """Say in how many files each name stands as a word, in code or texts: the median, and the name with the most."""
    every = list(files)
    counts = {name: sum(name in one.words for one in every) for name in names}
    most = max(counts, key=lambda name: counts[name], default="")
    return f"{statistics.median(counts.values()):g}, at most {counts[most]} ({most})" if counts else "none"


def branches(files: Iterable[File], report: dict[str, Any]) -> str:
    """Say which share of the branches of some files was taken, by the report of coverage.py."""
    summaries = {name.replace("\\", "/"): one["summary"] for name, one in report["files"].items()}
    own = [one for name, one in summaries.items() if name.rpartition(f"{PACKAGE}/")[2] in {one.path for one in files}]
    total, taken = (sum(one[key] for one in own) for key in ("num_branches", "covered_branches"))
    return f"{taken / total:.1%} of {total}" if total else "none"


def of_imported(root: Path) -> dict[str, Any]:
    """Measure what needs the package imported, in a fresh process that finds it in the checkout."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.json"
        given = {"PYTHONPATH": str(root), "LUCIDTORCH_CACHE": folder, "OMP_NUM_THREADS": "1"}
        words = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("entered.py")), str(root), str(path)]
        subprocess.run(words, check=True, cwd=folder, env={**os.environ, **given}, stdout=subprocess.DEVNULL)
        figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return figures


def counted(files: list[File]) -> dict[str, Any]:
    """Count what the text of the files says by itself; a list stands for its length."""
    modules = [one for one in files if one.is_python]
    longest = max(modules, key=lambda one: len(one.lines))
    single = singles(files)
    short = [one for one in single if len(one.lines) < SHORT_MODULE]
    idea = {one.path: len(one.lines) for one in files if one.path in IDEA}
    absent = f", but not there: {', '.join(sorted({*IDEA} - {*idea}))}" if len(idea) < len(IDEA) else ""
    return {
        "longest module": f"{len(longest.lines)} lines ({longest.path})",
        f"modules above {LONG_MODULE} lines": [one.path for one in modules if len(one.lines) > LONG_MODULE],
        "modules with one importer": [one.path for one in single],
        f"... and below {SHORT_MODULE} lines": [one.path for one in short],
        "... and at or below rendering": [one.path for one in short if one.part in CORE],
        "class names defined twice": repeated_classes(files),
        "lines to read for the core idea": f"{sum(idea.values())} in {len(idea)} modules{absent}",
        "files that name an objective": places(files, objective_names(files)),
        "files that name a kind of recipe": places(files, recipe_names(files)),
    }


def table(sizes: dict[str, dict[str, float]], figures: dict[str, Any], *, names: bool) -> str:
    """Write the figures as Markdown; with names, what a number counts stands in lines below it."""
    columns = list(next(iter(sizes.values())))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(f"{one:,}" for one in row.values()) + " |" for name, row in sizes.items()]
    lines += ["", "| figure | |", "|---|---|"]
    shown = {name: len(one) if isinstance(one, list) else one for name, one in figures.items()}
    lines += [f"| {name} | {one} |" for name, one in shown.items()]
    lists = {name: one for name, one in figures.items() if isinstance(one, list)} if names else {}
    return "\n".join([*lines, *(f"\n{name}: {', '.join(one)}" for name, one in lists.items())])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout whose package is measured")
    parser.add_argument("--json", action="store_true", help="print JSON, which names everything that is counted")
    parser.add_argument("--list", action="store_true", help="name what is counted below the table")
    parser.add_argument("--coverage", type=Path, help="what `coverage json` wrote")
    given = parser.parse_args()
    root = given.root.resolve()
    files = package_files(root)
    sizes = {name: size(group) for name, group in groups(files).items()}
    figures = counted(files) | of_imported(root)
    if given.coverage:
        report = json.loads(given.coverage.read_text(encoding="utf-8"))
        figures |= {f"branches taken, {name}": branches(group, report) for name, group in groups(files).items()}
    print(json.dumps(sizes | figures, indent=1) if given.json else table(sizes, figures, names=given.list))


if __name__ == "__main__":
    main()
