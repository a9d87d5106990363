"""What of `figures.py` needs the package imported: parameters of public functions, and files that calls enter.

    PYTHONPATH=CHECKOUT python benchmarks/entered.py CHECKOUT figures.json

Measures the package of the checkout, on the network `demo`, and writes JSON. Each call is made twice in this process,
and the files are those of the second, when everything is loaded and remembered.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import inspect
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from figures import CORE, PACKAGE

UNIT, SIZE, STEPS = "conv2_1:3", 32, 2  # of the small pictures whose making is followed
RECIPE = "recipe: diversity\nmodel: demo\nobjectives: ['conv2_1:3']\nversions: 2\nsize: 32\nsteps: 2\n"


@dataclass(frozen=True)
class Taken:
    """How many parameters something public takes: its name, its part of the package, whether it is a class."""

    name: str
    part: str
    is_class: bool
    count: int


def entered(call: Callable[[], object], folder: Path) -> set[Path]:
    """Run a call and list the files of a folder whose functions it enters."""
    seen = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            seen.add(frame.f_code.co_filename)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return {Path(name) for name in seen if Path(name).is_relative_to(folder)}


def parameters(module: ModuleType, prefix: str = "") -> Iterator[Taken]:
    """Go through the functions, classes and public methods that `__all__` leads to, in its modules too."""
    for name in module.__all__:
        value, whole = getattr(module, name), f"{prefix}{name}"
        if isinstance(value, ModuleType):
            yield from parameters(value, f"{whole}.")
        elif callable(value) and str(getattr(value, "__module__", "")).startswith(f"{PACKAGE}."):
            own = [key for key in vars(value) if key[0] != "_"] if isinstance(value, type) else []
            methods = [(f"{whole}.{key}", getattr(value, key)) for key in own]
            methods = [(label, one) for label, one in methods if inspect.isfunction(one) or inspect.ismethod(one)]
            for label, one in [(whole, value), *methods]:
                with contextlib.suppress(ValueError):  # an alias of a type has no signature
                    names = [key for key in inspect.signature(one).parameters if key != "self"]
                    yield Taken(label, value.__module__.split(".")[1], isinstance(one, type), len(names))


def most(found: Iterable[Taken]) -> str:
    """Say how many parameters the one with the most has, and its name."""
    one = max(found, key=lambda one: one.count, default=Taken("none", "", False, 0))
    return f"{one.count} ({one.name})"


def _walks(folder: Path) -> dict[str, Callable[[str], object]]:
    """What is followed, each as a call that takes the name of a file or folder that is not there yet."""
    import lucidtorch as lt
    from lucidtorch.cli.main import run

    model, picture = lt.load_model("demo", device="cpu"), lt.param.image(SIZE)
    recipe = folder / "tiny.yaml"
    recipe.write_text(RECIPE, encoding="utf-8")

    def command(*words: str) -> None:
        if run([*words, "--quiet"]):
            raise RuntimeError(f"`{PACKAGE} {' '.join(words)}` failed")

    few = {"layers": ["conv1_1"], "units": "0-1", "batch": 2}
    drawn = {"param": picture, "steps": STEPS}
    made = ("--size", str(SIZE), "--steps", str(STEPS))
    return {
        "render": lambda name: lt.render(model, UNIT, **drawn, progress=False),
        "command render": lambda name: command("render", "demo", UNIT, *made, "-o", f"{name}.png"),
        "command run diversity": lambda name: command("run", str(recipe), "-o", name, "--workers", "1"),
        "gallery": lambda name: lt.gallery(model, name, **few, **drawn),
    }


def most_parameters(found: list[Taken]) -> dict[str, Any]:
    """Count the parameters of the front doors, and the most of any other function, below and above, and constructor."""
    doors = {one.name: one.count for one in found if one.name in ("render", "gallery")}
    others = [one for one in found if one.name not in doors]
    functions = [one for one in others if not one.is_class]
    return {
        **{f"parameters of `{name}`": count for name, count in doors.items()},
        "most of another function at or below rendering": most(one for one in functions if one.part in CORE),
        "most of another function above rendering": most(one for one in functions if one.part not in CORE),
        "most of a constructor": most(one for one in others if one.is_class),
    }


def files_entered(home: Path) -> dict[str, Any]:
    """Follow the second of two calls of each kind."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, call in _walks(Path(folder)).items():
            call(str(Path(folder) / f"{name} first"))
            second = functools.partial(call, str(Path(folder) / f"{name} second"))
            files = sorted(path.relative_to(home).as_posix() for path in entered(second, home))
            figures[f"files entered by a warm {name}"] = files
    return figures


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="the checkout that the package must come from")
    parser.add_argument("file", type=Path, help="what is written")
    given = parser.parse_args()
    package = importlib.import_module(PACKAGE)
    home = Path(package.__file__ or "").parent
    if home != given.root / PACKAGE:
        raise SystemExit(f"{PACKAGE} is imported from {home}, not from {given.root / PACKAGE}")
    figures = most_parameters(list(parameters(package))) | files_entered(home)
    given.file.write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
