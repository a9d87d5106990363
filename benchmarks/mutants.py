"""How many small faults of the core the tests notice: seeded mutants (`mutations.py`), each run against some tests.

    export PYTHONPATH=.bench-packages     # coverage and pytest-cov, as `make bench` installs them: requirements.txt
    COVERAGE_FILE=contexts.db pytest --cov=lucidtorch --cov-branch --cov-context=test --cov-report=json:coverage.json \\
        --junitxml=times.xml -o junit_family=xunit1     # which test touches which line; the whole suite, so an hour
    python benchmarks/mutants.py --contexts contexts.db --times times.xml [--count 300] [--seed 0] [--output FILE]

At most 40 tests are asked: of those that touch the changed line, or stand in the test file of the module, the nearest
to the module and then the quickest, and none that fails without the change; a mutant without any is `untouched`. They
run in a fork of this process, which has loaded what the package and the tests need, but neither of these. With
`--output`, a run goes on where it was stopped. Tests write files and start processes, and so do mutants: use a clone or
worktree in which nothing can be lost. It needs Linux.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import importlib.machinery
import importlib.util
import itertools
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import types
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias
from xml.etree import ElementTree

from figures import PACKAGE, ROOT, package_files
from mutations import Mutant, drawn
from peers.packages import make_importable

MOST_TESTS, MOST_SECONDS = 40, 20.0  # of the tests of one mutant, together
LEAST_LIMIT, SLOWER = 30.0, 10.0  # seconds until tests are ended: so many, and so many times what they take unchanged
LONGEST = 3600.0  # seconds, for all tests unchanged
MEMORY = 12 << 30  # bytes that the process of a mutant may write to
OUTCOME = "outcome.json"  # what the process of a mutant writes
NO_TESTS = 5  # the exit code of pytest where there was none
PAUSE = 0.02  # seconds between looks at whether a process has ended
UNKNOWN = 1.0  # seconds, of a test whose time was not noted
PRELOADED = """
    torch torch._dynamo torch.export torchvision.transforms.v2 kornia timm numpy yaml transformers.modeling_utils
    scipy.io scipy.optimize scipy.ndimage sklearn.datasets sklearn.decomposition sklearn.manifold sklearn.cluster
    pydantic.dataclasses PIL.Image imageio safetensors.torch jinja2 click rich.progress threadpoolctl jsonschema
    prompt_toolkit nbformat pytest hypothesis.strategies hypothesis.extra.numpy
"""
PRELOADED_PLUGIN = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
KILLED, TIMED_OUT, SURVIVED, UNTOUCHED = OUTCOMES = ("killed", "timed out", "survived", "untouched")
Lines: TypeAlias = dict[int, set[str]]  # the tests that touch each line of a file
Tests: TypeAlias = dict[str, float]  # tests, with the seconds that they take


def touching(path: Path, files: set[str]) -> dict[str, Lines]:
    """Read which tests touch which lines of some files of the package."""
    make_importable()
    from coverage import CoverageData

    data = CoverageData(basename=str(path))
    data.read()
    paths = {name.replace("\\", "/").rpartition(f"/{PACKAGE}/")[2]: name for name in data.measured_files()}
    found = {path: data.contexts_by_lineno(name).items() for path, name in paths.items() if path in files}
    return {
        path: {line: {one.rpartition("|")[0] for one in contexts} - {""} for line, contexts in lines}
        for path, lines in found.items()
    }


def times_of(path: Path | None) -> dict[str, float]:
    """Read how many seconds each test took from the XML of pytest."""
    cases = ElementTree.parse(path).iter("testcase") if path is not None else []
    return {f"{one.get('file')}::{one.get('name')}": float(one.get("time", UNKNOWN)) for one in cases}


def asked(mutant: Mutant, touched: Lines, times: dict[str, float]) -> tuple[str, ...]:
    """Choose the tests of a mutant: those that stand where its module does come first, and then the quickest."""
    own = PurePosixPath(mutant.file.path).with_suffix("").parts
    # Those of the module's own test file may have taken from a cache what a test before them had computed.
    own_tests = {test for test in times if test.startswith("/".join(("tests", *own[:-1], f"test_{own[-1]}.py::")))}
    touching = {test for line in mutant.lines for test in touched.get(line, ())}

    def rank(test: str) -> tuple[int, bool, float, str]:
        parts = PurePosixPath(test.partition("::")[0]).with_suffix("").parts[1:]
        pairs = zip(own, (part.removeprefix("test_") for part in parts), strict=False)
        near = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))
        return -near, test not in touching, times.get(test, UNKNOWN), test

    chosen: list[str] = []
    left = MOST_SECONDS
    for test in sorted(touching | own_tests, key=rank):
        if len(chosen) < MOST_TESTS and (not chosen or times.get(test, UNKNOWN) <= left):
            chosen.append(test)
            left -= times.get(test, UNKNOWN)
    return tuple(chosen)


class Chosen:
    """A plugin of pytest that runs some tests in a given order, and keeps which failed, and how long others took."""

    def __init__(self, tests: Iterable[str]) -> None:
        self.order = {test: place for place, test in enumerate(tests)}
        self.times: dict[str, float] = {}
        self.failed: list[str] = []

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = sorted((one for one in items if one.nodeid in self.order), key=lambda one: self.order[one.nodeid])

    def pytest_collectreport(self, report: Any) -> None:
        self.failed += [report.nodeid] if report.failed else []

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed += [report.nodeid] if report.failed else []
        if report.passed and report.when == "call":
            self.times[report.nodeid] = report.duration


class Changed(importlib.machinery.SourceFileLoader):
    """An import hook and loader that gives one module from a tree and not from its file."""

    def __init__(self, name: str, path: Path, tree: ast.Module) -> None:
        super().__init__(name, str(path))
        self.tree = tree

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(ast.fix_missing_locations(self.tree), self.path, "exec", dont_inherit=True)

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None


@dataclass
class Run:
    """Tests that run in a process of their own: what they run on, its id, its folder, and when it must end."""

    mutant: Mutant | None
    process: int
    folder: Path
    end: float

    @classmethod
    def started(cls, root: Path, mutant: Mutant | None, tests: Iterable[str], limit: float, folder: Path) -> Run:
        """Fork, and run tests in the fork: on a mutant until one fails, or without a change to the end."""
        folder.mkdir()
        process = os.fork()
        if not process:
            try:
                _run_tests(root, mutant, list(tests), folder)
            except BaseException:
                traceback.print_exc()
                raise
            finally:
                sys.stdout.flush()
                os._exit(1)  # without what is done at a regular exit, which is the business of the first process
        return cls(mutant, process, folder, time.monotonic() + limit)

    def outcome(self) -> tuple[str, list[str], dict[str, float]] | None:
        """What came of it: how it ended, which tests failed, and how long each took; None while it runs."""
        is_late = time.monotonic() > self.end
        if not is_late and os.waitid(os.P_PID, self.process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)  # what the tests left behind, too
        os.waitpid(self.process, 0)
        if not (self.folder / OUTCOME).exists():
            return TIMED_OUT if is_late else KILLED, ["the end of the process"], {}
        code, failed, times = json.loads((self.folder / OUTCOME).read_text(encoding="utf-8"))
        shutil.rmtree(self.folder, ignore_errors=True)
        return (SURVIVED, [], times) if code in (0, NO_TESTS) else (KILLED, failed or ["an import"], times)


def _run_tests(root: Path, mutant: Mutant | None, tests: list[str], folder: Path) -> None:
    """Run tests in this forked process, and write what came of them into a folder."""
    os.setsid()  # so that what the tests start can be ended with it
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.argv, sys.modules["__main__"] = ["pytest"], types.ModuleType("__main__")  # which spawned processes import
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    os.chdir(root)
    if mutant is not None:
        setattr(mutant.node, mutant.field, mutant.value)
        sys.meta_path.insert(0, Changed(mutant.file.module, root / PACKAGE / mutant.file.path, mutant.file.tree))
    import pytest

    plugin = Chosen(tests)
    files = sorted({test.partition("::")[0] for test in tests})
    words = ["-p", "no:cacheprovider", "-p", "no:xdist", "-W", PRELOADED_PLUGIN, "--basetemp", str(folder / "pytest")]
    code = pytest.main([*words, "-x" if mutant else "--continue-on-collection-errors", *files], plugins=[plugin])
    (folder / OUTCOME).write_text(json.dumps([int(code), plugin.failed, plugin.times]), encoding="utf-8")


def run_all(root: Path, plan: Iterable[tuple[Mutant, Tests]], jobs: int) -> Iterator[tuple[Mutant, str, list[str]]]:
    """Run the tests of each mutant, some side by side, and say how each ended and which tests failed."""
    waiting, running = list(plan)[::-1], []
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < jobs:
                mutant, tests = waiting.pop()
                limit = LEAST_LIMIT + SLOWER * sum(tests.values())
                running.append(Run.started(root, mutant, tests, limit, Path(folder) / str(len(waiting))))
            time.sleep(PAUSE)
            ended = [(run, outcome) for run in running if (outcome := run.outcome()) is not None]
            running = [run for run in running if all(run is not other for other, _ in ended)]
            yield from ((run.mutant, outcome[0], outcome[1]) for run, outcome in ended)


def passing(root: Path, tests: list[str]) -> Tests:
    """Run tests without a change, and give those that pass, with their seconds."""
    if not tests:
        return {}
    print(f"{len(tests)} tests are run without a change first ...", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        run = Run.started(root, None, tests, LONGEST, Path(folder) / "run")
        while (outcome := run.outcome()) is None:
            time.sleep(PAUSE)
    _, failed, times = outcome
    if not times:
        raise SystemExit(f"None of {len(tests)} tests, such as {tests[0]}, passes without a change.")
    return {test: seconds for test, seconds in times.items() if test not in failed}


def summary(outcomes: Iterable[tuple[str, str]]) -> str:
    """Write how many mutants of each kind ended in each way, as Markdown."""
    counts = Counter(outcomes)
    kinds = sorted({kind for kind, _ in counts})
    rows = {kind: [counts[kind, outcome] for outcome in OUTCOMES] for kind in kinds}
    rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)] or [0] * len(OUTCOMES)
    lines = [f"| | {' | '.join(OUTCOMES)} |", "|---" * (len(OUTCOMES) + 1) + "|"]
    lines += [f"| {kind} | {' | '.join(map(str, row))} |" for kind, row in rows.items()]
    noticed, total = sum(rows["all"][:2]), sum(rows["all"])
    return "\n".join((*lines, "", f"{noticed} of {total} were noticed ({noticed / max(1, total):.1%})."))


def preload() -> None:
    """Load what the package and the tests need, as far as it is installed, but nothing of the package."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for name in PRELOADED.split():
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    if PACKAGE in sys.modules:
        raise SystemExit(f"{PACKAGE} was loaded with one of {PRELOADED}, so that no mutant of it could be")


def judged(given: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Draw mutants, and give what came of each: its text, its kind, how it ended and what noticed it."""
    found = drawn(package_files(given.root), given.count, given.seed)
    touched, times = touching(given.contexts, {one.file.path for one in found}), times_of(given.times)
    lines = given.output.read_text(encoding="utf-8").splitlines() if given.output and given.output.exists() else []
    known = {one["mutant"]: one for one in map(json.loads, lines)}
    yield from (known[one.text] for one in found if one.text in known)
    left = [one for one in found if one.text not in known]
    wanted = {one: asked(one, touched.get(one.file.path, {}), times) for one in left}
    passed = passing(given.root, sorted(set().union(*wanted.values())))
    plan = {one: {test: passed[test] for test in tests if test in passed} for one, tests in wanted.items()}
    untouched = [(one, UNTOUCHED, []) for one, tests in plan.items() if not tests]
    ended = run_all(given.root, [(one, tests) for one, tests in plan.items() if tests], given.jobs)
    for mutant, outcome, failed in itertools.chain(untouched, ended):
        line = {"mutant": mutant.text, "kind": mutant.kind, "outcome": outcome, "by": " ".join(failed[:1])}
        if given.output:
            with given.output.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
        yield line


def main() -> None:
    """Draw, run, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", type=Path, required=True, help="the data of coverage.py, with a context per test")
    parser.add_argument("--times", type=Path, help="the XML of pytest, with the seconds of each test")
    parser.add_argument("--count", type=int, default=300, help="how many mutants; fewer are the first of more")
    parser.add_argument("--seed", type=int, default=0, help="of the drawing")
    parser.add_argument("--jobs", type=int, default=1, help="how many run side by side")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout whose package is changed and tested")
    parser.add_argument("--output", type=Path, help="takes a line for each mutant; those that it has are not run again")
    given = parser.parse_args()
    given.root = given.root.resolve()
    sys.path.insert(0, str(given.root))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(given.root), *filter(None, [os.environ.get("PYTHONPATH")])])
    preload()
    outcomes = []
    for one in judged(given):
        outcomes.append((one["kind"], one["outcome"]))
        print(f"{one['outcome']:9} {one['mutant']}{' by ' * bool(one['by'])}{one['by']}", flush=True)
    print(f"\n{summary(outcomes)}")


if __name__ == "__main__":
    main()
