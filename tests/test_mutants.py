"""The changes of `benchmarks/mutations.py`, and how `benchmarks/mutants.py` runs tests on them, on invented code."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import mutations
import pytest
from figures import File
from guards.sources import ROOT

mutants = pytest.importorskip("mutants", reason="it bounds memory and forks, as Linux does")


def texts(code: str, path: str = "base/a.py") -> list[str]:
    """Every change of some code, without the path and the number."""
    found = mutations.mutants(File(path, textwrap.dedent(code)))
    return [" ".join(one.text.partition(":")[2].replace(f" {one.number}:", ":", 1).split()) for one in found]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("a < b", ["1 comparison: a < b -> a <= b", "1 comparison: a < b -> a >= b"]),
        ("a >= b", ["1 comparison: a >= b -> a > b", "1 comparison: a >= b -> a < b"]),
        ("a is b", ["1 comparison: a is b -> a is not b"]),
        (
            "a == b not in c",
            ["1 comparison: a == b not in c -> a != b not in c", "1 comparison: a == b not in c -> a == b in c"],
        ),
        ("a // b", ["1 arithmetic: a // b -> a * b"]),
        ("a += b", ["1 arithmetic: a += b -> a -= b"]),
        ("a += 'text'", []),
        ("f'{a}' + b", []),
        ("'%d' % a", []),
        ("a | b", []),
        ("a and b and c", ["1 and, or: a and b and c -> a or b or c"]),
        ("not a", ["1 not: not a -> not not a"]),
        ("a if b else c", ["1 not: a if b else c -> a if not b else c"]),
        ("-a", ["1 sign: -a -> +a"]),
        ("a[0]", ["1 constant: a[0] -> a[1]"]),
        ("a = True", ["1 constant: a = True -> a = False"]),
        ("a = 0.5", ["1 constant: a = 0.5 -> a = 1.5"]),
        ("a = 'text'", []),
        ("a = b(c, d=e, **f)", ["1 argument: b(c, d=e, **f) -> b(c, **f)"]),
        ("a(b)", ["1 call: a(b) -> None"]),
        ("if a:\n    b = c", ["1 not: if a: -> if not a:"]),
        ("if a == b:\n    b = c", ["1 comparison: a == b -> a != b"]),
    ],
)
def test_each_kind_of_change_is_made_once(code, changes):
    assert texts(code) == changes


def test_what_says_and_describes_is_left_alone():
    assert (
        texts('''
        """Docstring of 3 words."""
        @decorated(size=3)
        def call(a: Annotated[int, 3], b: int) -> Literal[1]:
            "Docstring of 3 words."
            warnings.warn("deep", stacklevel=2)
            error.add_note(f"at {a + 1}")
            fault = ValueError(f"{a + 1} and not {a}")
            if TYPE_CHECKING:
                a = 3
            raise KeyError(f"{a + 1}", size=3) from fault
        ''')
        == []
    )


def test_a_long_change_is_shown_where_it_is():
    assert texts(f"return_value = {'a' * 60}({'b' * 60}, c + d)") == [
        "1 arithmetic: c + d -> c - d",
    ]
    (only,) = texts(f"a = {'b' * 90}(0, {'c' * 90})")
    assert only == f"1 constant: {'b' * 39}(0, {'c' * 27} -> {'b' * 39}(1, {'c' * 27}"


def test_a_change_is_undone_after_it_was_shown():
    file = File("base/a.py", "a = b < 3\n")
    before = [one.text for one in mutations.mutants(file)]
    assert [one.text for one in mutations.mutants(file)] == before
    assert before[0] == "base/a.py:1 comparison 0: b < 3 -> b <= 3"


def test_tests_touch_a_change_by_its_statement_or_by_what_stands_around_an_import_time_one():
    code = """\
    LIMIT = 3


    class Reader:
        size: int = 4

        def call(self, a=5):
            "Docstring."
            if (a +
                    b):
                return self.size(
                    a - b)
            for c in a:
                c -= b
    """
    file = File("base/a.py", textwrap.dedent(code))
    lines = {one.text.partition(": ")[2]: (one.lines.start, one.lines.stop - 1) for one in mutations.mutants(file)}
    assert lines == {
        "LIMIT = 3 -> LIMIT = 4": (1, 14),
        "size: int = 4 -> size: int = 5": (1, 14),
        "self, a=5 -> self, a=6": (8, 14),
        "if a + b: -> if not a + b:": (9, 10),
        "a + b -> a - b": (9, 10),
        "return self.size(a - b) -> return None": (11, 12),
        "a - b -> a + b": (11, 12),
        "c -= b -> c += b": (14, 14),
    }


def test_a_smaller_draw_is_the_beginning_of_a_larger_one_from_the_core_alone():
    code = "\n".join(f"a{number} = {number}" for number in range(40))
    files = [File(path, code) for path in ("base/a.py", "models/networks/b.py", "recipes/c.py", "models/d.css")]
    files.append(File("rendering/e.py", code))
    many, few, others = (mutations.drawn(files, count, seed) for count, seed in ((99, 0), (7, 0), (99, 1)))
    texts_of = [[one.text for one in found] for found in (many, few, others)]
    assert texts_of[1] == texts_of[0][:7]
    assert texts_of[0] != texts_of[2]
    assert sorted(texts_of[0]) == sorted(texts_of[2])
    assert {one.file.path for one in many} == {"base/a.py", "rendering/e.py"}
    assert len(set(texts_of[0])) == 80


def test_the_tests_of_the_own_folder_come_first_and_then_the_quickest():
    mutant = next(mutations.mutants(File("models/running/folding.py", "a = 1\n")))
    times = {
        "tests/base/test_quick.py::a": 0.1,
        "tests/models/test_layers.py::b": 3.0,
        "tests/models/running/test_folding.py::c": 6.0,
        "tests/models/running/test_folding.py::cached": 3.0,
        "tests/models/running/test_other.py::d": 4.0,
        "tests/models/running/test_other.py::e": 2.0,
        "tests/models/running/test_other.py::f": 6.0,
    }
    touched = {1: {test for test in times if "cached" not in test}, 2: {"tests/base/test_quick.py::elsewhere"}}
    chosen = mutants.asked(mutant, touched, times)
    assert [test.rpartition(":")[2] for test in chosen] == ["c", "cached", "e", "d", "b", "a"]  # f would take too long
    many = {1: {f"tests/base/test_a.py::{number}" for number in range(99)}}
    assert len(mutants.asked(mutant, many, dict.fromkeys(many[1], 0.001))) == mutants.MOST_TESTS
    assert mutants.asked(mutant, {1: {"tests/test_slow.py::a"}}, {"tests/test_slow.py::a": 99.0}) == (
        "tests/test_slow.py::a",
    )
    assert mutants.asked(mutant, {}, {"tests/base/test_quick.py::a": 0.1}) == ()


def test_times_are_those_of_the_xml(tmp_path):
    file = tmp_path / "times.xml"
    file.write_text(
        '<testsuites><testsuite><testcase classname="tests.a" file="tests/a.py" name="test_b[&lt;c]" time="0.25"/>'
        "</testsuite></testsuites>"
    )
    assert mutants.times_of(file) == {"tests/a.py::test_b[<c]": 0.25}
    assert mutants.times_of(None) == {}


def test_a_summary_counts_by_kind_and_outcome():
    assert mutants.summary([("sign", "killed"), ("not", "survived"), ("sign", "timed out"), ("sign", "untouched")]) == (
        "| | killed | timed out | survived | untouched |\n|---|---|---|---|---|\n"
        "| not | 0 | 0 | 1 | 0 |\n| sign | 1 | 1 | 0 | 1 |\n| all | 1 | 1 | 1 | 1 |\n\n2 of 4 were noticed (50.0%)."
    )


PROJECT = {
    "pytest.ini": "[pytest]\naddopts = --import-mode=importlib\n",
    "lucidtorch/__init__.py": "",
    "lucidtorch/base/__init__.py": "",
    "lucidtorch/base/sums.py": (
        "import os\n\nFIRST = (5, 6)[1]\nUNUSED = 7\n\n\ndef counted(number):\n    while number:\n"
        "        number = number - 1\n    return bool(number)\n\n\ndef ended(wanted):\n    if wanted > 1:\n"
        "        os._exit(0)\n"
    ),
    "tests/test_sums.py": (
        "import pytest\nfrom lucidtorch.base import sums\n\n\ndef test_counted():\n"
        "    assert sums.counted(2) is False\n    sums.ended(1)\n\n\n"
        "def test_failing():\n    assert sums.UNUSED == 8\n\n\n"
        "def test_skipped():\n    pytest.skip('no')\n"
    ),
}
RUN = """
import json, sys
from pathlib import Path
import mutants
from figures import package_files
from mutations import drawn

root = Path(sys.argv[1])
sys.path.insert(0, str(root))
mutants.LEAST_LIMIT = 10.0
import pytest  # so that it is loaded once

tests = mutants.passing(root, [f"tests/test_sums.py::test_{name}" for name in ("counted", "failing", "skipped")])
found = drawn(package_files(root), 99, 0)
ended = mutants.run_all(root, [(one, tests) for one in found], 2)
print(json.dumps([list(tests), {one.text: [how, *by] for one, how, by in ended}]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs forks that can be waited for")
def test_tests_run_on_each_mutant_in_a_process_of_its_own(tmp_path: Path):
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    words = [sys.executable, "-c", RUN, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT / "benchmarks", check=True, capture_output=True, text=True)
    tests, outcomes = json.loads(done.stdout)
    assert tests == ["tests/test_sums.py::test_counted"]
    test = ["killed", "tests/test_sums.py::test_counted"]
    assert {text.partition(": ")[2]: how for text, how in outcomes.items()} == {
        "(5, 6)[1] -> (5, 6)[2]": ["killed", "tests/test_sums.py"],
        "(5, 6) -> (6, 6)": ["survived"],
        "(5, 6) -> (5, 7)": ["survived"],
        "UNUSED = 7 -> UNUSED = 8": ["survived"],
        "while number: -> while not number:": test,
        "number - 1 -> number + 1": ["timed out", "the end of the process"],
        "number - 1 -> number - 2": ["survived"],
        "return bool(number) -> return None": test,
        "wanted > 1 -> wanted >= 1": ["killed", "the end of the process"],
        "wanted > 1 -> wanted <= 1": ["killed", "the end of the process"],
        "wanted > 1 -> wanted > 2": ["survived"],
        "os._exit(0) -> None": ["survived"],
        "os._exit(0) -> os._exit(1)": ["survived"],
    }
    assert (tmp_path / "lucidtorch/base/sums.py").read_text(encoding="utf-8") == PROJECT["lucidtorch/base/sums.py"]
