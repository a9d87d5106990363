"""Whether a change keeps what the package does: renders, data of recipes, messages and records, before and after it.

    python benchmarks/baseline.py check OLD_CHECKOUT          make both sides on this machine, and compare them
    python benchmarks/baseline.py make FOLDER --part renders  make one side, with the lucidtorch that PYTHONPATH names
    python benchmarks/baseline.py compare OLD NEW             print every difference, and exit with 1 if there is any

`baseline.yaml` says what is made. Renders are made with defaults and executed plainly, and both stay the same to the
byte; with `--loose`, rounding may change those with defaults. All else is executed plainly.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import functools
import importlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from string import Template
from typing import Any
from unittest import mock

import numpy as np
import torch
import yaml
from PIL import Image, ImageSequence
from threadpoolctl import threadpool_limits

import lucidtorch as lt

try:
    from lucidtorch.cli.main import run as command_line
except ImportError:  # the command line has moved: it is run as a module then
    command_line = None

ROOT = Path(__file__).resolve().parents[1]
CASES: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
# Words that the newer side writes otherwise, in messages, data, records and names of files: {old: new}.
RENAMED: dict[str, str] = {}
# What is not kept of data and records: it differs from run to run, or is a checksum of a text that holds versions.
DROPPED = {"began", "ended", "seconds", "processor_seconds", "command", "folder", "machine", "recipe_id", "key"}
RELATIVE = 1e-6  # how far the numbers of data may be apart
NEAR, ALIKE = 1e-4, 0.02  # with --loose: how far an image may be after one step, and values in the end, by their size
PROGRESS = re.compile(r".*: \d+ of \d+.*\n?")  # what is printed by the clock


def make(folder: Path, parts: list[str]) -> None:
    """Make parts of the baseline in a new folder."""
    torch.set_num_threads(1)
    (folder := folder.resolve()).mkdir(parents=True)
    (folder / "package.txt").write_text(str(Path(lt.__file__).resolve().parent), encoding="utf-8")
    print(f"lucidtorch {lt.__version__} of {Path(lt.__file__).parent}", flush=True)
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch), threadpool_limits(1):
        words = {"LUCIDTORCH_CACHE": str(Path(scratch, "cache")), "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
        with mock.patch.dict(os.environ, words), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.fromarray((things()["photo"] * 255).byte().permute(1, 2, 0).numpy()).save("photo.png")
            for part in parts:
                began, used = time.monotonic(), time.process_time()
                (folder / part).mkdir()
                PARTS[part](folder / part)
                took = time.monotonic() - began, time.process_time() - used
                print(f"{part}: {took[0]:.0f} s, of CPU time {took[1]:.0f} s", flush=True)


def make_renders(folder: Path) -> None:
    """Render each case twice, and keep what a few other calls give."""
    for name, row in CASES["renders"].items():
        for half, engine in {"default": {}, "plain": CASES["plain"]}.items():
            keep(folder / f"{name}.{half}", partial(rendered, {**CASES["usual"], **row, **engine}))
    for name, code in CASES["values"].items():
        keep(folder / f"value.{name}", partial(read, f"={code}"))


def rendered(row: dict[str, Any]) -> dict[str, Any]:
    """Render a row of the table and give all that came of it."""
    settings = {word: read(value) for word, value in row.items()}
    found = lt.render(settings.pop("model"), settings.pop("goal"), **settings)
    names = ("images", "values", "dead", "interrupted", "snapshots", "history", "recipe")
    return {name: getattr(found, name) for name in names}


def keep(path: Path, call: Callable[[], Any]) -> None:
    """Write the arrays of what a call gives as .npz, and the rest, or what it raises, as .json."""
    arrays: dict[str, np.ndarray] = {}
    write_json(Path(f"{path}.json"), lasting(without_arrays(attempt(call), arrays)))
    np.savez(f"{path}.npz", **arrays)


def attempt(call: Callable[[], Any]) -> Any:
    """Give what a call gives, or the text of what it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  # whatever fails is compared, too
        return f"{type(error).__name__}: {error}"


def without_arrays(value: Any, arrays: dict[str, np.ndarray], place: str = "") -> Any:
    """Move the arrays of a value into a dictionary, by their place in it, and give the rest as plain data."""
    if isinstance(value, Mapping):
        return {str(key): without_arrays(one, arrays, f"{place}.{key}") for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_arrays(one, arrays, f"{place}.{number}") for number, one in enumerate(value)]
    if hasattr(value, "__array__"):
        arrays[place[1:] or "value"] = np.asarray(value)
        return "array"
    return value if isinstance(value, str | int | float | None) else str(value)


def make_data(folder: Path) -> None:
    """Keep what the starters, a scan, a gallery and a few commands gave: data.json, arrays and pictures."""
    write_json(folder / "said.json", finished_runs())
    for path in kept_files("data.json", "*.npy", "*.npz", "*.png", "*.gif"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            write_json(folder / path, lasting(path.read_text(encoding="utf-8")))
        else:
            shutil.copyfile(path, folder / path)


def make_messages(folder: Path) -> None:
    """Keep what is said of wrong recipes, those of the tests, and of wrong command lines and calls."""
    sys.path.append(str(ROOT / "tests"))
    table = importlib.import_module("wrong_recipes")
    files = {f"here/{name}": data for name, data in table.FILES.items()} | {"outside.yaml": table.FILES["base.yaml"]}
    said: dict[str, dict[str, Any]] = {"recipes": {}, "commands": {}, "calls": {}}
    with tempfile.TemporaryDirectory() as outside, contextlib.chdir(outside):
        for name, data in files.items():
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_bytes(data)
        Path("here", "link.yaml").symlink_to(Path("outside.yaml").resolve())
        os.chdir("here")
        for name, case in table.WRONG.items():
            Path("r.yaml").write_text(case.yaml, encoding="utf-8")
            said["recipes"][name] = command("run r.yaml", *(word for one in case.settings for word in ("--set", one)))
        said["commands"] = {line: command(line) for line in CASES["wrong_commands"]}
        said["calls"] = {code: tidy(str(attempt(partial(read, f"={code}")))) for code in CASES["wrong_calls"]}
    for name, one in said.items():
        write_json(folder / f"{name}.json", one)


def make_records(folder: Path) -> None:
    """Keep what the commands print, and what files say of how they were made."""
    said = {line: command(line) for line in [*CASES["commands"], *(f"{name} --help" for name in CASES["helped"])]}
    shipped = re.findall(r"(?m)^  (\S+) ", said["recipes"]["out"])
    said |= {f"recipes {name}": command(f"recipes {name}") for name in shipped}
    write_json(folder / "printed.json", said | {"typed": command("shell demo", typed=CASES["typed"])})
    finished_runs()
    found = {str(path): yaml.safe_load(path.read_text("utf-8")) for path in kept_files("*.yaml", "[!d]*.json")}
    first = {path.parent: path for path in sorted(kept_files("*.png"), reverse=True)}  # one picture of each folder
    found |= {str(path): Image.open(path).info for path in first.values()}
    write_json(folder / "records.json", lasting(found))


@functools.cache
def finished_runs() -> dict[str, Any]:
    """Run everything once, in the current folder; what each command said."""
    lines = {name: f"run {name} --workers 1 -q {more}" for name, more in CASES["starters"].items()}
    lines |= {name: f"run {name} --workers 1 -q $small --set weights=random" for name in CASES["random_starters"]}
    return {name: command(f"{line} -o runs/{name}") for name, line in (lines | CASES["runs"]).items()}


def kept_files(*patterns: str) -> list[Path]:
    return [path for pattern in patterns for path in Path("runs").rglob(pattern) if "batches" not in path.parts]


def command(line: str, *words: str, typed: str = "") -> dict[str, Any]:
    """Run a command line; give its exit code and what it said, without the places of this run."""
    words = (*shlex.split(Template(line).safe_substitute(CASES["names"])), *words)
    if command_line is None:
        done = subprocess.run([sys.executable, "-m", "lucidtorch", *words], input=typed, capture_output=True, text=True)
        return {"code": done.returncode, "out": tidy(done.stdout), "err": tidy(done.stderr)}
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    streams = mock.patch.multiple("sys", stdin=io.StringIO(typed), stdout=out, stderr=err)
    with warnings.catch_warnings(), streams:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        code = attempt(lambda: command_line(words))
    return {"code": code, **{name: tidy(one.buffer.getvalue().decode()) for name, one in (("out", out), ("err", err))}}


def read(value: Any) -> Any:
    """Read a value of the table: Python behind a =, and names in texts."""
    text = Template(value).safe_substitute(CASES["names"]) if isinstance(value, str) else value
    return eval(text[1:], things()) if isinstance(text, str) and text.startswith("=") else text


@functools.cache
def things() -> dict[str, Any]:
    """The modules, networks and arrays that the Python of the table may use; random weights have a fixed seed."""
    found: dict[str, Any] = {"lt": lt, "torch": torch, "nn": torch.nn}
    for name, code in CASES["things"].items():
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            found[name] = eval(code, found)
    return found


def lasting(value: Any) -> Any:
    """Leave out of data what differs from run to run; a text that holds JSON counts as what it holds."""
    if isinstance(value, dict):
        return {key: lasting(one) for key, one in value.items() if key not in DROPPED}
    if isinstance(value, list | tuple):
        return [lasting(one) for one in value]
    if isinstance(value, str) and value.startswith("{"):
        with contextlib.suppress(ValueError):
            return lasting(json.loads(value))
    return tidy(value) if isinstance(value, str) else value


def tidy(text: str) -> str:
    """Take the places of this run, the version of the package and lines of progress out of a text."""
    text = PROGRESS.sub("", text.replace(str(Path(lt.__file__).parents[1]), "CHECKOUT"))
    text = re.sub(re.escape(tempfile.gettempdir()) + r"[/\\]\w+", "FOLDER", text)
    return re.sub(rf"(?<![\d.]){re.escape(lt.__version__)}(?![\d.])", "VERSION", text)


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False, default=str), encoding="utf-8")


def compare(old: Path, new: Path, *, loose: bool = False) -> Iterator[str]:
    """Say everything that differs between two folders that `make` made."""
    before = {renamed(path.relative_to(old).as_posix()): path for path in old.glob("*/**/*") if path.is_file()}
    after = {path.relative_to(new).as_posix(): path for path in new.glob("*/**/*") if path.is_file()}
    for name in sorted(before.keys() | after.keys()):
        if name not in after or name not in before:
            yield f"{name}: only in the {'old' if name in before else 'new'}"
        elif name.endswith((".json", ".npz")) or before[name].read_bytes() != after[name].read_bytes():
            rounding = loose and name.startswith("renders/") and name.endswith(".default.npz")
            compared = roughly if rounding else partial(differences, exact=name.startswith("renders/"))
            yield from compared(contents(before[name], renamed), contents(after[name], str), name)


def renamed(text: str) -> str:
    """Put the new words in the place of the old ones."""
    words = "|".join(map(re.escape, sorted(RENAMED, key=len, reverse=True)))
    return re.sub(rf"(?<!\w)({words})(?!\w)", lambda found: RENAMED[found[0]], text) if words else text


def contents(path: Path, rename: Callable[[str], str]) -> Any:
    """Read a file: data, arrays or the pixels of each frame."""
    if path.suffix == ".json":
        return json.loads(rename(path.read_text(encoding="utf-8")))
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {rename(name): arrays[name] for name in arrays.files}
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    with Image.open(path) as picture:
        return [np.asarray(frame.convert("RGBA")) for frame in ImageSequence.Iterator(picture)]


def roughly(old: dict[str, Any], new: dict[str, Any], place: str) -> Iterator[str]:
    """Say where a render differs by more than rounding: after its first step, and in what its pictures are worth."""
    for name in ("snapshots.1", "values"):
        one, other = (side.get(name, np.zeros(0)) for side in (old, new))
        bound = NEAR if name != "values" else ALIKE * np.abs(one).max(initial=0)
        if one.shape != other.shape or not np.abs(one - other).max(initial=0) <= bound:
            yield f"{place}: {name}: {told(one, other)}, and {bound:.3g} is allowed"


def differences(old: Any, new: Any, place: str, *, exact: bool) -> Iterator[str]:
    """Say where two structures of data and arrays differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(new.keys() - old.keys())]:
            if key in old and key in new:
                yield from differences(old[key], new[key], f"{place}: {key}", exact=exact)
            else:
                yield f"{place}: {key} is only in the {'old' if key in old else 'new'}"
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            yield f"{place}: {len(old)} items, now {len(new)}"
        for number, (one, other) in enumerate(zip(old, new, strict=False)):
            yield from differences(one, other, f"{place}[{number}]", exact=exact)
    elif isinstance(old, str) and isinstance(new, str):
        lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), n=0)
        yield from (f"{place}: {line[0]} {line[1:]!r}" for line in list(lines)[2:] if not line.startswith("@@"))
    elif not equal(old, new, exact=exact):
        yield f"{place}: {told(old, new)}"


def equal(old: Any, new: Any, *, exact: bool) -> bool:
    """Whether two numbers or arrays are the same, or as near as those of data must be."""
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray) and (exact or old.dtype.kind != "f"):
        return (old.dtype, old.shape, old.tobytes()) == (new.dtype, new.shape, new.tobytes())
    if exact or type(old) is not type(new) or not isinstance(old, np.ndarray | float):
        return repr(old) == repr(new)
    same_kind = np.shape(old) == np.shape(new) and np.asarray(old).dtype == np.asarray(new).dtype
    return same_kind and np.allclose(old, new, rtol=RELATIVE, atol=0, equal_nan=True)


def told(old: Any, new: Any) -> str:
    """Say how two numbers or arrays differ."""
    shapes = [f"{one.dtype} {one.shape}" for one in (old, new) if isinstance(one, np.ndarray)]
    if len(shapes) < len((old, new)):
        return f"{old!r}, now {new!r}"
    if shapes[0] != shapes[1]:
        return f"{shapes[0]}, now {shapes[1]}"
    apart = np.abs(np.subtract(old, new, dtype=float))
    return f"{np.count_nonzero(apart)} of {old.size} numbers differ, by up to {apart.max():.3g}"


def check(checkout: Path, *, parts: list[str], loose: bool) -> Iterator[str]:
    """Make both sides, with a checkout and with the one that this script belongs to, and say what differs."""
    with tempfile.TemporaryDirectory() as folder:
        for name, place in {"old": checkout.resolve(), "new": ROOT}.items():
            words = [sys.executable, __file__, "make", f"{folder}/{name}", *(f"--part={part}" for part in parts)]
            subprocess.run(words, env={**os.environ, "PYTHONPATH": str(place), "OMP_NUM_THREADS": "1"}, check=True)
            package = Path(Path(folder, name, "package.txt").read_text(encoding="utf-8"))
            assert package.parent == place, f"lucidtorch comes from {package}, not from {place}"
        yield from compare(Path(folder, "old"), Path(folder, "new"), loose=loose)


PARTS = {"renders": make_renders, "data": make_data, "messages": make_messages, "records": make_records}


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare what two versions of the package do.")
    parser.add_argument("action", choices=("make", "compare", "check"))
    parser.add_argument("folders", nargs="+", type=Path, help="FOLDER, OLD NEW, or OLD_CHECKOUT")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this part; may be given several times")
    parser.add_argument("--loose", action="store_true", help="let rounding change the renders with defaults")
    given = parser.parse_args()
    if len(given.folders) != (2 if given.action == "compare" else 1):
        parser.error("make FOLDER, compare OLD NEW, check OLD_CHECKOUT")
    if given.action == "make":
        return make(given.folders[0], given.part or list(PARTS))
    work = compare if given.action == "compare" else partial(check, parts=given.part or list(PARTS))
    found = list(work(*given.folders, loose=given.loose))
    print(*found, f"differences: {len(found)}", sep="\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
