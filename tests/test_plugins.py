"""Words of other distributions: they work wherever a text is read, and no file from elsewhere imports them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from guards.registry import own_objectives
from plugin_packages import KINDS, install, source

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, ExpressionError, LucidtorchWarning, UntrustedError
from lucidtorch.base.images import encode_png, read_png_text
from lucidtorch.base.plugins import import_named
from lucidtorch.base.records import read_settings, settings_text
from lucidtorch.cli.commands.render_command import is_negated
from lucidtorch.cli.main import run
from lucidtorch.cli.shell import objective_completion
from lucidtorch.galleries import work
from lucidtorch.objectives.term import DEFINITIONS

TEXTS = {
    "objective": "tallest('conv1_1', unit=2)",
    "param": "image(24, spatial=columns())",
    "transforms": "inverted()",
    "constraints": "darkened(0.75)",
}
ORIGIN = {"module": "tinywords.words", "distribution": "tiny-words", "version": "1.0"}
OPTIONS = [word for name in ("param", "transforms", "constraints") for word in (f"--{name}", TEXTS[name])]
RENDER = ["render", "demo", TEXTS["objective"], *OPTIONS, "--steps", "2", "-q"]


def forget() -> None:
    """Be a process that imported none of the words."""
    for name in [
        one for one in sys.modules if one.startswith(("tinywords", "otherwords", "plainwords", "_lucidtorch_"))
    ]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LUCIDTORCH_CACHE", str(tmp_path / "cache"))
    with own_objectives(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* workers of .* share")
        yield
    forget()


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that is written when the words are imported."""
    return tmp_path / "canary"


@pytest.fixture
def installed(tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the distribution, which is on the path."""
    folder = install(tmp_path / "site", canary)
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def made(installed: Path, canary: Path, tmp_path: Path) -> Path:
    """A picture that the words made, on a machine where nobody imported them yet."""
    with own_objectives():
        assert run([*RENDER, "-o", "made.png"]) == 0
    forget()
    canary.unlink()
    return tmp_path / "made.png"


def record_of(path: Path) -> dict[str, Any]:
    return read_settings(read_png_text(path), str(path))


def again(path: Path, changes: Callable[[dict[str, Any]], None]) -> Path:
    """The same picture with another record."""
    record = record_of(path)
    changes(record)
    path.write_bytes(encode_png(torch.full((3, 6, 6), 0.5), settings_text(record)))
    return path


def test_words_are_imported_when_a_text_of_the_users_names_them(installed: Path, canary: Path) -> None:
    lt.parse("conv1_1:0 - 0.1 * diversity('conv1_1')")
    assert not canary.exists()
    assert repr(lt.parse("tallest('conv1_1', 2)")) == TEXTS["objective"]
    assert repr(lt.param.parse(TEXTS["param"])) == TEXTS["param"]
    assert repr(lt.transforms.parse("inverted() | pad(2)")) == "inverted() | pad(2)"
    assert repr(lt.constraints.parse("darkened()")) == "darkened()"
    assert canary.read_text() == "sang "
    rendering = lt.render("demo", **TEXTS, steps=2, progress=False)  # type: ignore[arg-type]  # by name
    assert rendering.images.max() <= 0.75
    assert rendering.recipe["defined_by"] == dict.fromkeys(KINDS.values(), ORIGIN)


def test_pictures_of_words_that_ship_name_no_module(installed: Path) -> None:
    assert "defined_by" not in lt.render("demo", "conv1_1:0", param="image(24)", steps=1, progress=False).recipe


def test_a_misspelt_word_suggests_those_that_are_installed(installed: Path, canary: Path) -> None:
    with pytest.raises(ExpressionError, match=r"no 'talles' in an objective\. Did you mean 'tallest'"):
        lt.parse("talles('conv1_1')")
    assert "tallest" in DEFINITIONS.declared
    assert not canary.exists()


def test_the_tab_key_offers_installed_words_without_importing_them(installed: Path, canary: Path) -> None:
    objective_completion._declared.cache_clear()
    offered = [one.text for one in objective_completion.complete_objective("tall", lt.load_model("demo", device="cpu"))]
    objective_completion._declared.cache_clear()
    assert "tallest(" in offered
    assert not canary.exists()


def test_a_word_that_is_imported_by_the_same_line_may_have_a_minus() -> None:
    assert is_negated("-tallest('conv1_1')")
    assert not is_negated("-o(1).png")


def test_a_word_that_ships_is_not_replaced(installed: Path, canary: Path) -> None:
    points = installed / "tiny_words-1.dist-info" / "entry_points.txt"
    points.write_text(points.read_text().replace("tallest =", "channel ="))
    assert lt.parse("channel('conv1_1', 3)") == lt.objectives.channel("conv1_1", 3)
    assert not canary.exists()


def test_a_word_of_two_distributions_is_refused(installed: Path, canary: Path) -> None:
    install(installed, canary, name="other-words", module="otherwords", version="2.0")
    both = r"'tallest' is defined by .*\((tiny-words 1|other-words 2)\.0\) and .*\((tiny-words 1|other-words 2)\.0\)"
    with pytest.raises(BadInputError, match=both):
        lt.parse("tallest('conv1_1')")
    assert not canary.exists()


def test_an_entry_point_bears_the_name_of_its_word(installed: Path) -> None:
    points = installed / "tiny_words-1.dist-info" / "entry_points.txt"
    points.write_text(points.read_text().replace("inverted =", "turned ="))
    with pytest.raises(BadInputError, match=r"entry point 'turned' leads to .*inverted"):
        lt.transforms.parse("turned()")


def test_what_an_entry_point_raises_passes_with_a_note(installed: Path) -> None:
    (installed / "tinywords" / "words.py").write_text("raise KeyError('gone')")
    with pytest.raises(KeyError, match="gone") as caught:
        lt.parse("tallest('conv1_1')")
    assert caught.value.__notes__ == ["raised while tinywords.words (tiny-words 1.0) was imported"]


def test_a_picture_imports_its_words_only_where_it_is_trusted(
    made: Path, canary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record_of(made)["defined_by"] == dict.fromkeys(KINDS.values(), ORIGIN)
    assert run(["rerun", str(made), "-o", "again.png"]) == 2
    said = capsys.readouterr().err
    assert "made.png uses the word 'columns' of tinywords.words (tiny-words 1.0), and nothing was imported" in said
    assert "--trust" in said
    with pytest.raises(UntrustedError):
        lt.recipes.rerun(made)
    assert not canary.exists()
    assert not Path("again.png").exists()
    assert run(["rerun", str(made), "-o", "again.png", "--trust", "-q"]) == 0
    assert canary.read_text() == "sang "
    assert Path("again.png").read_bytes() == made.read_bytes()


def test_a_picture_that_hides_where_its_words_come_from_imports_nothing(made: Path, canary: Path) -> None:
    again(made, lambda record: record.pop("defined_by"))
    with pytest.raises(UntrustedError, match=r"'tallest' of tinywords.words \(tiny-words 1.0\), and nothing was imp"):
        lt.recipes.rerun(made)
    assert not canary.exists()


def test_the_user_may_import_the_words_of_a_picture(made: Path) -> None:
    assert run(["rerun", str(made), "-o", "again.png", "--import", "tinywords.words", "-q"]) == 2  # undecorated
    (Path("site") / "tinywords" / "words.py").write_text(source(Path("canary"), decorated=True))
    forget()
    assert run(["rerun", str(made), "-o", "again.png", "--import", "tinywords.words", "-q"]) == 0
    assert Path("again.png").read_bytes() == made.read_bytes()


def test_another_version_of_a_word_is_warned_of(made: Path, canary: Path) -> None:
    again(made, lambda record: [one.update(version="0.9") for one in record["defined_by"].values()])
    with pytest.raises(
        UntrustedError, match=r"\(tiny-words 0\.9\) \(tinywords.words \(tiny-words 1\.0\) is installed\)"
    ):
        lt.recipes.rerun(made)
    assert not canary.exists()
    with pytest.warns(LucidtorchWarning, match=r"words of .*\(tiny-words 0\.9\) come from .*\(tiny-words 1\.0\) now"):
        lt.recipes.rerun(made, trust=True)


def test_a_record_imports_no_module_that_is_not_installed_as_words(made: Path, canary: Path) -> None:
    harmful = Path("site") / "harmful.py"
    harmful.write_text(f"from pathlib import Path; Path({str(canary)!r}).write_text('sang')")
    again(made, lambda record: record.update(defined_by={"unheard": {"module": "harmful"}}))
    with pytest.raises(UntrustedError, match="'unheard' of harmful, and nothing was imported"):
        lt.recipes.rerun(made)
    assert not canary.exists()


RECIPE = """\
recipe: render
model: demo
objective: "tallest('conv1_1', 2)"
param: image(24, spatial=columns())
transforms: inverted()
constraints: darkened(0.75)
steps: 2
"""


def test_a_recipe_uses_installed_words_and_its_pictures_say_which(installed: Path, canary: Path) -> None:
    Path("mine.yaml").write_text(RECIPE)
    with own_objectives():
        assert run(["run", "mine.yaml", "-o", "out", "-q"]) == 0
    pictures = sorted(Path("out").rglob("*.png"))
    assert pictures
    assert all(record_of(one)["defined_by"]["tallest"] == ORIGIN for one in pictures if "objective" in record_of(one))
    assert "defined_by" in (Path("out") / "recipe.yaml").read_text()


def test_a_sheet_imports_its_words_only_where_it_is_trusted(installed: Path, canary: Path) -> None:
    words = {name: TEXTS[name] for name in ("param", "transforms", "constraints")}
    with own_objectives():
        made = lt.recipes.layer_sheet(
            "demo", layers="conv1_1", units="0-1", steps=1, output="out", progress=False, **words
        )
    sheet = next(path for path in sorted(made.folder.glob("*.png")) if "picture" in record_of(path))
    forget()
    canary.unlink()
    assert run(["rerun", str(sheet), "-o", "again.png", "-q"]) == 2
    assert not canary.exists()
    assert run(["rerun", str(sheet), "-o", "again.png", "--trust", "-q"]) == 0
    assert Path("again.png").read_bytes() == sheet.read_bytes()


TOTAL = """
@objective
def whole(activations, layer: str, unit: int):
    "The sum of a channel."
    return activations[layer][:, unit].flatten(1).sum(1)
"""
GALLERY = ["gallery", "demo", "--layers", "conv1_1", "--units", "0-3", "--batch", "2", *OPTIONS, "--steps", "1", "-q"]
VARIANT = ["--variants", "tallest({layer}, {unit})"]


def pictures(folder: str) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(Path(folder).rglob("*.png"))}


def test_workers_import_what_defines_the_words_of_their_tasks(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Any] = []

    def refuse(start: Any, *_: object) -> None:
        started.append(start.args[0])
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "side_by_side", refuse)
    lt.gallery("demo", "out", layers=["conv1_1"], units="0-8", steps=1, workers=2)
    lt.gallery("demo", "own", layers=["conv1_1"], units="0-8", steps=1, workers=2, transforms="inverted()")
    Path("plainwords.py").write_text("from lucidtorch.objectives import objective\n" + TOTAL)
    import_named("plainwords.py")
    lt.gallery("demo", "file", layers=["conv1_1"], units="0-8", steps=1, workers=2, variants=["whole({layer}, {unit})"])
    file = str(Path("plainwords.py").resolve())
    by_entry_point = ("lucidtorch.transforms", "inverted", "tinywords.words")
    assert started == [(), (by_entry_point,), (("lucidtorch.objectives", "whole", file),)]


@pytest.mark.slow
@pytest.mark.parametrize("way", ["entry points", "a file"])
def test_worker_processes_know_the_words(
    way: str, tmp_path: Path, canary: Path, request: pytest.FixtureRequest
) -> None:
    imports = ["--import", "plainwords.py"] if way == "a file" else []
    if imports:
        Path("plainwords.py").write_text(source(canary, decorated=True))
    else:
        request.getfixturevalue("installed")
    assert run([*GALLERY, *VARIANT, *imports, "-o", "one", "--workers", "1"]) == 0
    assert run([*GALLERY, *VARIANT, *imports, "-o", "two", "--workers", "2"]) == 0
    assert len(pictures("one")) == 4
    assert pictures("two") == pictures("one")
    assert canary.read_text().count("sang") >= 3  # here, and in each worker


def test_a_gallery_imports_the_words_of_its_variants_only_where_it_is_trusted(installed: Path, canary: Path) -> None:
    plain = [
        "gallery",
        "demo",
        "--layers",
        "conv1_1",
        "--units",
        "0",
        "--size",
        "24",
        "--steps",
        "1",
        "-o",
        "one",
        "-q",
    ]
    with own_objectives():
        assert run([*plain, *VARIANT]) == 0
    forget()
    canary.unlink()
    assert run(plain) == 2
    assert not canary.exists()
    assert run([*plain, "--trust"]) == 0
    assert len(pictures("one")) == 2


def test_a_file_is_imported_by_its_path(canary: Path) -> None:
    (Path("folder")).mkdir()
    file = Path("folder") / "plainwords.py"
    file.write_text("import beside\n" + source(canary, decorated=True))
    (Path("folder") / "beside.py").write_text("")
    with own_objectives():
        assert run([*RENDER, "-o", "made.png", "--import", str(file)]) == 0
    said = record_of(Path("made.png"))["defined_by"]["tallest"]
    assert said["module"] == "plainwords.py"
    assert len(said["sha256"]) == 64
    forget()
    canary.unlink()
    with own_objectives():
        assert run(["rerun", "made.png", "-o", "again.png", "-q"]) == 2
        assert not canary.exists()
        assert run(["rerun", "made.png", "-o", "again.png", "--trust", "-q"]) == 0  # known by its checksum
        assert Path("again.png").read_bytes() == Path("made.png").read_bytes()
    forget()
    assert run(["rerun", "made.png", "-o", "again.png", "--import", str(file), "-q"]) == 0


def test_a_module_that_is_not_installed_is_imported_by_its_name(
    canary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "path").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "path"))
    (tmp_path / "path" / "plainwords.py").write_text("__version__ = '3.1'\n" + source(canary, decorated=True))
    assert run([*RENDER, "-o", "made.png", "--import", "plainwords"]) == 0
    assert record_of(Path("made.png"))["defined_by"]["columns"] == {"module": "plainwords", "version": "3.1"}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("nowhere_words", "There is no module 'nowhere_words' where Python looks for modules."),
        ("nowhere/words.py", "There is no file 'nowhere/words.py'"),
        ("plainwords", "plainwords.py names the file in this folder"),
        ("two words", "'two words' is no module; name one such as package.module"),
        ("", "'' is no module"),
    ],
)
def test_what_is_no_module_is_refused_in_one_line(
    spec: str, said: str, canary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("plainwords.py").write_text(source(canary, decorated=True))
    assert run([*RENDER, "-o", "made.png", "--import", spec]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import missing_module_of_mine", "ModuleNotFoundError: No module named 'missing_module_of_mine'"),
        ("x = 1 / 0", "ZeroDivisionError: division by zero"),
        ("def (:", "SyntaxError"),
    ],
)
def test_what_a_module_raises_fails_with_its_line(code: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("plainwords.py").write_text(f"\n{code}\n")
    assert run([*RENDER, "-o", "made.png", "--import", "plainwords.py"]) == 1
    err = capsys.readouterr().err
    assert said in err
    assert "raised while plainwords.py was imported" in err
    assert "plainwords.py, line 2" in err


@pytest.mark.parametrize("register", [lt.param.register, lt.transforms.register, lt.constraints.register])
@pytest.mark.parametrize("word", [3, "text", None, lambda: None])
def test_only_what_has_a_name_is_registered(register: Callable[..., object], word: object) -> None:
    with pytest.raises(BadInputError, match="A word is a function or class with a name"):
        register(word)
