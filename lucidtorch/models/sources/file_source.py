"""A network that a function in a Python file of the caller's own builds: `path/to/file.py:function`."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from lucidtorch.base.errors import UnknownModelError, WeightsError, suggestion
from lucidtorch.base.files import user_path
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.trust import check_code
from lucidtorch.models.sources.found_network import FoundNetwork
from lucidtorch.models.sources.module_source import find_in_module

SUFFIX = ".py"


def find_in_file(spec: str, weights: str | Path, seed: int) -> FoundNetwork:
    """Import a Python file and let one of its functions build a network.

    The file is run anew at each call, and other files beside it can be imported by it. What it draws at random comes
    from streams of its own, so that it is the same at each call.
    """
    text, _, factory = spec.rpartition(":")
    path = user_path(text)
    if not text.endswith(SUFFIX) or not factory.isidentifier():
        raise UnknownModelError(f"{spec} names no function: write FILE{SUFFIX}:FUNCTION, such as net{SUFFIX}:build.")
    check_code(path)
    if not path.is_file():
        raise UnknownModelError(f"There is no file {path}, so {factory!r} of it cannot build a network.")
    if weights == "random":
        raise WeightsError(f"{spec} gives the network its weights itself; leave weights='random' out.")
    with OwnRandomState(seed)(), _importable(path.resolve().parent), _told(path):
        network = _built(_imported(path), factory, spec)
    return replace(find_in_module(network, weights, f"{path.name}:{factory}"), code=path)


def _imported(path: Path) -> Any:
    name = f"_lucidtorch_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]}"
    plan = importlib.util.spec_from_file_location(name, path)
    if plan is None or plan.loader is None:
        raise UnknownModelError(f"{path} cannot be imported as Python code.")
    module = importlib.util.module_from_spec(plan)
    sys.modules[name] = module  # data classes look themselves up there
    try:
        plan.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _built(module: Any, factory: str, spec: str) -> nn.Module:
    maker = getattr(module, factory, None)
    if maker is None or not callable(maker):
        known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise UnknownModelError(f"{module.__file__} has no function {factory!r}. {suggestion(factory, known)}".rstrip())
    network = maker if isinstance(maker, nn.Module) else maker()
    if not isinstance(network, nn.Module):
        raise UnknownModelError(f"{spec} gives a {type(network).__name__}; it must return a torch.nn.Module.")
    return network


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let files in a folder import each other; none of them stays under its bare name, which others may have too."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            place = getattr(sys.modules[name], "__file__", None)
            if place and Path(place).parent == folder and "." not in name and not name.startswith("_lucidtorch_"):
                del sys.modules[name]


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn whatever the caller's code raises into one message."""
    try:
        yield
    except UnknownModelError:
        raise
    except (Exception, SystemExit) as error:
        line = _line_of(error, path)
        where = str(path) if line is None else f"{path}, line {line},"
        lines = str(error).strip().splitlines() or ["no reason given"]
        raise UnknownModelError(f"{where} raised {type(error).__name__}: {lines[0]}") from error


def _line_of(error: BaseException, path: Path) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), None)
