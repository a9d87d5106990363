"""Code of others that brings words: modules that the user names, and entry points of installed distributions."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

from lucidtorch.base.errors import BadInputError, noting
from lucidtorch.base.files import read_bytes, user_path
from lucidtorch.base.known_files import recall_file, remember
from lucidtorch.base.shown import shown

OWN = "lucidtorch"
PROGRAM = "__main__"  # what Python calls a script
IN_WORKERS = "__mp_main__"  # what a worker calls the script that started it
SUFFIX = ".py"
DIGITS = 8  # of a checksum in a message
_files: dict[str, tuple[Path, str]] = {}  # by module: the file that it is, and its SHA-256


@dataclass(frozen=True)
class Origin:
    """The module that defines a word, and which one of that name it is: a file by its SHA-256."""

    module: str
    distribution: str | None = None
    version: str | None = None
    sha256: str | None = None

    @classmethod
    def of_module(cls, module: str) -> Origin:
        """Find out where an imported module comes from."""
        if module in _files:
            path, sha256 = _files[module]
            return cls(path.name, sha256=sha256)
        if module in (PROGRAM, IN_WORKERS):
            return cls(PROGRAM)
        top = module.partition(".")[0]
        groups = (points for group, points in _entry_points() if group.startswith(f"{OWN}."))
        points = [point for own in groups for point in own if point.module.partition(".")[0] == top]
        points.sort(key=lambda point: point.module != module)  # packages of several distributions can share a name
        if points:
            return cls.of_entry_point(points[0], module)
        with contextlib.suppress(metadata.PackageNotFoundError):
            return cls(module, top, metadata.version(top))
        version = getattr(sys.modules.get(top), "__version__", None)
        return cls(module, version=None if version is None else str(version))

    @classmethod
    def of_entry_point(cls, point: EntryPoint, module: str = "") -> Origin:
        """Say where an entry point leads to, without importing it."""
        known = () if point.dist is None else (point.dist.name, point.dist.version)
        return cls(module or point.module, *known)

    def to_dict(self) -> dict[str, str]:
        """Write it as plain data, without what is not known."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def __str__(self) -> str:
        checksum = self.sha256 and f"SHA-256 {self.sha256[:DIGITS]}"
        known = [one for one in (self.distribution, self.version, checksum) if one]
        return f"{self.module} ({' '.join(known)})" if known else self.module


def import_named(spec: str) -> None:
    """Import a module that the user names: a file, or what Python finds under that name.

    Raises:
        BadInputError: There is none. What the module itself raises passes, with a note.
    """
    note = f"raised while {spec} was imported"
    if spec.endswith(SUFFIX):
        path = user_path(spec)
        if not path.is_file():
            raise BadInputError(f"There is no file {shown(spec)}, so that its words cannot be imported.")
        with noting(note), _importable(path.resolve().parent):
            module = import_file(path)
        resolved, sha256 = _files[module.__name__]
        remember(sha256, str(resolved))
        return
    if not all(part.isidentifier() for part in spec.split(".")):
        raise BadInputError(f"{shown(spec)} is no module; name one such as package.module, or a file such as words.py.")
    try:
        with noting(note):
            importlib.import_module(spec)
    except ModuleNotFoundError as error:
        if not f"{spec}.".startswith(f"{error.name}."):
            raise  # the module is there, and one that it needs is not
        beside = f"; {spec}{SUFFIX} names the file in this folder" if Path(f"{spec}{SUFFIX}").is_file() else ""
        raise BadInputError(f"There is no module {shown(spec)} where Python looks for modules{beside}.") from error


def import_file(path: Path) -> ModuleType:
    """Run a Python file as a module, anew at each call; its name is the same in every process."""
    resolved = path.resolve()
    name = f"_lucidtorch_{path.stem}_{hashlib.sha256(str(resolved).encode()).hexdigest()[:16]}"
    plan = importlib.util.spec_from_file_location(name, path)
    if plan is None or plan.loader is None:
        raise BadInputError(f"{path} cannot be imported as Python code.")
    _files[name] = resolved, hashlib.sha256(read_bytes(path)).hexdigest()
    module = importlib.util.module_from_spec(plan)
    sys.modules[name] = module  # data classes look themselves up there
    try:
        plan.loader.exec_module(module)
    except BaseException:
        del sys.modules[name], _files[name]
        raise
    return module


def import_recorded(origin: Origin, folder: Path) -> None:
    """Import the module that a file names: a file beside it, or the one of that checksum that the user named before."""
    if not origin.module.endswith(SUFFIX):
        return import_named(origin.module)
    name = Path(origin.module).name
    places = (folder / name, recall_file(origin.sha256), Path(name))
    there = [place for place in places if place is not None and place.is_file()] or [folder / name]
    same = [place for place in there if place.is_file() and _checksum(place) == origin.sha256]
    return import_named(str((same or there)[0]))


def name_to_import(module: str) -> str | None:
    """Say how a worker imports a module of this process; None for a program, whose script it runs by itself."""
    if module in (PROGRAM, IN_WORKERS):
        return None
    return str(_files[module][0]) if module in _files else module


def find_entry_point(group: str, name: str) -> EntryPoint | None:
    """Find an entry point by its name, without importing anything."""
    found = list(metadata.entry_points(group=group, name=name))
    if len(found) > 1:
        places = " and ".join(str(Origin.of_entry_point(point)) for point in found[:2])
        raise BadInputError(f"{name!r} is defined by {places}; uninstall one of them.")
    return found[0] if found else None


def entry_point_names(group: str) -> tuple[str, ...]:
    """List the names in a group of entry points, without importing anything."""
    return tuple(sorted(metadata.entry_points(group=group).names))


def load(point: EntryPoint) -> Any:
    """Import what an entry point names."""
    with noting(f"raised while {Origin.of_entry_point(point)} was imported"):
        return point.load()


def _entry_points() -> list[tuple[str, metadata.EntryPoints]]:
    every = metadata.entry_points()
    return [(group, every.select(group=group)) for group in every.groups]


def _checksum(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let a file import those beside it."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
