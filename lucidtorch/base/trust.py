"""Whose word is followed: what the user types may name any file; what a file from elsewhere says may not.

A picture, a recipe or a scan can come from anybody. While one is followed (`following`), files are read in its folder
alone, and no code is imported and nothing is downloaded on its word. The readers of named files ask here before they
open anything: one question per reader, wherever the name came from.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from lucidtorch.base.errors import UntrustedError

LONGEST = 45  # characters of a path in a message
PACKAGE = Path(__file__).resolve().parents[1]  # what ships with the package is always read
ADVICE = "if you trust it, add --trust (in Python trust=True)"


@dataclass
class _Scope:
    """What may be opened while a file is followed."""

    name: str
    folders: tuple[Path, ...]
    typed: frozenset[Path] = frozenset()  # named by the user in this call: code in them may run
    earlier: set[Path] = field(default_factory=set)  # named by the user before: they are read
    downloads: bool = False
    plugins: bool = False  # words of installed distributions may be imported

    @property
    def of_user(self) -> tuple[Path, ...]:
        """The files and folders that the user named."""
        return (*self.typed, *self.earlier)


_TRUSTED = _Scope("", ())
_scope: ContextVar[_Scope | None] = ContextVar("lucidtorch-trust", default=None)


def _followed() -> _Scope | None:
    """The scope of the file that is followed; None where the user is, or trusts it."""
    scope = _scope.get()
    return None if scope is _TRUSTED else scope


@contextlib.contextmanager
def following(
    source: Path, folder: Path, *, typed: Iterable[Path] = (), downloads: bool = False, plugins: bool = False
) -> Iterator[None]:
    """Follow what a file says: within the block, only files in its folder are opened."""
    if _scope.get() is _TRUSTED:
        yield
        return
    named = frozenset(one.resolve() for one in typed)
    token = _scope.set(_Scope(source.name, (folder.resolve(), PACKAGE), named, downloads=downloads, plugins=plugins))
    try:
        yield
    finally:
        _scope.reset(token)


@contextlib.contextmanager
def trusting(given: bool = True) -> Iterator[None]:
    """Trust what files say within the block: code in programs, files anywhere, downloads."""
    token = _scope.set(_TRUSTED if given else _scope.get())
    try:
        yield
    finally:
        _scope.reset(token)


def is_named_by_user(path: str | Path) -> bool:
    """Say whether the user named a file, and not a file from elsewhere."""
    scope = _followed()
    return scope is None or any(_resolved(path).is_relative_to(one) for one in scope.of_user)


def may_download() -> bool:
    """Whether weights may be fetched: the user named the network, or trusts the file that does."""
    scope = _followed()
    return scope is None or scope.downloads


def beside(name: str | Path) -> Path:
    """Say which file a name means: a relative path in a file that is followed starts from that file's folder."""
    scope = _followed()
    return scope.folders[0] / name if scope is not None else Path(name)


def allow(path: Path) -> None:
    """Let a file or folder be read that the user names, or named on this machine before."""
    scope = _followed()
    if scope is not None:
        scope.earlier.add(path.resolve())


def check_read(path: str | Path) -> None:
    """Refuse to open a file outside of the folder of what is followed; links count as what they lead to."""
    scope = _followed()
    if scope is not None and not any(_resolved(path).is_relative_to(one) for one in (*scope.folders, *scope.of_user)):
        raise UntrustedError(
            f"{scope.name} names {_short(path)} outside of its folder; it was not opened: copy it there, or, {ADVICE}."
        )


def check_code(path: Path) -> None:
    """Refuse to import a Python file that a file from elsewhere names."""
    scope = _followed()
    if scope is not None and _resolved(path) not in scope.typed:
        raise UntrustedError(
            f"{scope.name} asks to run the code in {_short(path)}, and nothing was run: name the network yourself with "
            f"--model, or, {ADVICE}."
        )


def check_import(what: str, *, installed: bool) -> None:
    """Refuse to import a module for a word in a file from elsewhere; a recipe may use those that are installed."""
    scope = _followed()
    if scope is not None and not (installed and scope.plugins):
        raise UntrustedError(
            f"{scope.name} uses {what}, and nothing was imported: name its module with --import, or, {ADVICE}."
        )


def check_program(path: Path) -> None:
    """Refuse to open a saved program, whose file format runs code when it is read."""
    if _scope.get() is not _TRUSTED:
        raise UntrustedError(
            f"{_short(path)} is a program, and reading one can run code that it hides; it was not opened: {ADVICE}."
        )


def check_download(what: str) -> None:
    """Refuse to fetch what a file from elsewhere names."""
    scope = _followed()
    if scope is not None and not scope.downloads:
        raise UntrustedError(
            f"{scope.name} asks for {what}, which would be downloaded, and nothing was fetched: {ADVICE}."
        )


def _resolved(path: str | Path) -> Path:
    try:
        return Path(os.path.expanduser(path)).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # no such user, a circle of links, a NUL
        raise UntrustedError(f"{_short(path)} is not a path that can be followed ({error}).") from error


def _short(path: str | Path) -> str:
    text = str(path)
    return repr(text if len(text) <= LONGEST else f"{text[:10]}...{text[-32:]}")
