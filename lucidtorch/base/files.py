"""Files: written so that they appear whole or not at all, and read as data that anybody may have written."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import platform
import re
import secrets
import shutil
import tempfile
import time
import tokenize
import zipfile
from pathlib import Path

import numpy as np

from lucidtorch.base.errors import BadInputError, LucidtorchError, OutputError, WriteError

LONGEST_NAME = 255  # bytes, of most file systems
# A temporary file is named after the file that it becomes, the machine and the process that writes it.
TEMPORARY = re.compile(
    r"\.(?P<target>.+)\.lucidtorch-(?P<host>[0-9a-f]{4})-(?P<process>\d+)-[0-9a-f]{8}\.part", re.DOTALL
)
SCRATCH = re.compile(r"lucidtorch-[a-z]+-(?P<host>[0-9a-f]{4})-(?P<process>\d+)-.{8}")
LONGEST_TARGET = 160  # bytes of a file's name in that of its temporary file: most systems allow 255 in all
ABANDONED = 86_400.0  # seconds after which a temporary file is nobody's, whatever its process or machine
# The place is right and writing failed all the same: there is no room, or the disk is broken.
FAILURES = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EIO", "ESTALE") if hasattr(errno, name)}

BROKEN_ARRAY = (ValueError, EOFError, TypeError, KeyError, MemoryError, RecursionError, SyntaxError)
BROKEN_HEADER = (tokenize.TokenError, zipfile.BadZipFile)

_own: set[str] = set()  # the names of temporary files and folders of this process


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it and then give it its name.

    Temporary files of the same file that killed processes left are removed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_failure(path, error) from error
    remove_stale(path.parent, path.name)
    replace_file(path, data)


def atomic_write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 so that it appears whole or not at all."""
    atomic_write_bytes(path, text.encode("utf-8"))


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, into a folder that must be there.

    Nobody looks for temporary files of killed processes: that lists the folder, which may hold many files.
    """
    temporary = temporary_path(path)
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
        temporary.replace(path)
    except FileNotFoundError as error:
        raise WriteError(f"Cannot write {path}: its folder was removed meanwhile; give the command again.") from error
    except OSError as error:
        raise write_failure(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        _own.discard(temporary.name)


def temporary_path(path: Path) -> Path:
    """Name the temporary file that becomes another file."""
    name = f".{_target(path.name)}.lucidtorch-{_host()}-{os.getpid()}-{secrets.token_hex(4)}.part"
    _own.add(name)
    return path.with_name(name)


def temporary_folder(word: str) -> Path:
    """Make a folder for temporary files in that of the system; those that killed processes left are removed."""
    place = Path(tempfile.gettempdir())
    for name in _names(place):
        found = SCRATCH.fullmatch(name)
        if found is not None and name not in _own and _is_stale(place / name, found):
            shutil.rmtree(place / name, ignore_errors=True)
    made = place / f"lucidtorch-{word}-{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    _own.add(made.name)  # before it is there: another thread may be looking for what was left behind
    made.mkdir(mode=0o700)
    return made


def remove_stale(folder: Path, target: str | None = None) -> None:
    """Remove temporary files whose process has ended: by their exact names, which nobody else gives."""
    wanted = None if target is None else _target(target)
    for name in _names(folder):
        found, entry = TEMPORARY.fullmatch(name), folder / name
        if found is None or name in _own or wanted not in (None, found["target"]) or not _is_stale(entry, found):
            continue
        with contextlib.suppress(OSError):  # another process was faster
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def check_output_file(path: Path) -> None:
    """Make sure, by trying, that a file can be written at a path."""
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise OutputError(f"The name of a file has at most {LONGEST_NAME} bytes, but {path.name[:40]!r}... has more.")
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it, for example {path / 'picture.png'}.")
    _try_writing(path.parent)


def check_output_folder(path: Path) -> None:
    """Make sure, by trying, that files can be written into a folder."""
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file, and a folder is needed; choose another name.")
    _try_writing(path)


def write_failure(path: Path, error: OSError, into: str = "") -> LucidtorchError:
    """Say why something cannot be written."""
    reason = f"Cannot write {into}{path}: {error.strerror or error}."
    if error.errno in FAILURES:
        return WriteError(f"{reason} Make room, or choose another place to write to, and give the command again.")
    return OutputError(f"{reason} Choose another place to write to.")


def _try_writing(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise write_failure(folder, error, "into ") from error


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _target(name: str) -> str:
    """The name of a file in that of its temporary file: of a long one, its checksum."""
    data = os.fsencode(name)
    return name if len(data) <= LONGEST_TARGET else hashlib.sha256(data).hexdigest()


def _host() -> str:
    """The machine, in a few letters: a process number says nothing about the processes of another one."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:4]


def _is_stale(entry: Path, found: re.Match[str]) -> bool:
    """Whether the process that wrote a temporary file, or folder, has ended."""
    try:
        if time.time() - entry.lstat().st_mtime > ABANDONED:
            return True
    except OSError:
        return False
    return found["host"] == _host() and not _is_alive(int(found["process"]))


def _is_alive(process: int) -> bool:
    if process == os.getpid():
        return False  # an earlier process of this number: what this one writes is known
    if os.name != "posix":
        return False  # there a file that is open cannot be removed, and signal 0 would be Ctrl-C
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return False  # no number of a process
    except OSError:
        return True  # it is another user's
    return True


def user_path(text: str | Path) -> Path:
    """Take a path, with the user's folder in the place of ``~``."""
    if "\0" in str(text):
        raise BadInputError(f"A path has no null characters, but {str(text)[:60]!r} was given.")
    return Path(os.path.expanduser(text))  # Path.expanduser raises where there is no such user


def read_bytes(path: Path) -> bytes:
    """Read a regular file: a pipe or a device could be endless."""
    return regular(path).read_bytes()


def regular(path: Path) -> Path:
    """Make sure that a path is no pipe and no device, which could be endless; what is missing is left to the reader."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "not a file", str(path))
    return path


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """Read a regular file of text."""
    return read_bytes(path).decode(encoding)


def read_npy(source: Path | bytes, *, mapped: bool = False) -> np.ndarray:
    """Read an array of a `.npy` file, without pickles."""
    if isinstance(source, Path) and not mapped:
        source = read_bytes(source)
    try:
        if isinstance(source, bytes):
            found = np.lib.format.read_array(io.BytesIO(source), allow_pickle=False)
        else:
            found = np.lib.format.open_memmap(regular(source), mode="r")
    except (*BROKEN_ARRAY, *BROKEN_HEADER) as error:
        raise ValueError(str(error).split("\n")[0][:100] or type(error).__name__) from error
    return found
