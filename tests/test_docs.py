"""Every snippet of the documentation does what it says, offline, on the networks that ship."""

from __future__ import annotations

import doctest
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest
from guards.pages import LANGUAGES, Snippet, dangling, pages, snippets
from guards.registry import own_objectives
from guards.sources import ROOT

from lucidtorch.cli.main import run

PAGES = [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in pages()]


@pytest.mark.parametrize("path", PAGES)
def test_the_snippets_of_a_page_run_one_after_the_other(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = ModuleType(f"page_{path.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # the command line puts its own in this place
    monkeypatch.chdir(tmp_path)
    with own_objectives():
        for snippet in snippets(path):
            if snippet.excuse is None and snippet.language == "python":
                _run_python(snippet, module)
            elif snippet.excuse is None and snippet.language == "console":
                _run_console(snippet, capsys)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_marks_its_snippets_and_links_to_files_that_exist(path: Path) -> None:
    unknown = [snippet.place for snippet in snippets(path) if snippet.language not in LANGUAGES]
    assert not unknown, f"write one of {', '.join(LANGUAGES)} behind the fence"
    assert not dangling(path)


def _run_python(snippet: Snippet, module: ModuleType) -> None:
    if ">>> " not in snippet.text:
        exec(compile(snippet.code, str(snippet.path), "exec", dont_inherit=True), vars(module))
        return
    case = doctest.DocTestParser().get_doctest(
        snippet.text, vars(module), snippet.place, str(snippet.path), snippet.line
    )
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(
        case, out=said.append, clear_globs=False
    )
    vars(module).update(case.globs)
    if result.failed:
        pytest.fail(f"{snippet.place}\n{''.join(said)}", pytrace=False)


def _run_console(snippet: Snippet, capsys: pytest.CaptureFixture[str]) -> None:
    for words, promised in snippet.commands():
        assert words[0] == "lucidtorch", (
            f"{snippet.place}: only lucidtorch is run; mark others with <!-- not run: why -->"
        )
        file = Path(words[-1]) if words[-2:-1] == [">"] else None
        capsys.readouterr()
        code = run(words[1:] if file is None else words[1:-2])
        said = capsys.readouterr()
        if file is not None:
            file.write_text(said.out, encoding="utf-8")
        assert code == 0, f"{snippet.place}: {' '.join(words)} ended with {code}: {said.err}"
        missing = [line for line in promised if line not in said.out.splitlines() and "..." not in line]
        assert not missing, f"{snippet.place}: {' '.join(words)} printed\n{said.out}"
