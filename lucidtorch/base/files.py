"""Writing files so that they appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from lucidtorch.base.errors import OutputError

BEGUN = ".*.part"  # the names of files that are not finished


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside it and then give it its name.

    Args:
        path: Where the file shall stand; its folder is made when missing.
        data: What it shall hold.

    Raises:
        OutputError: The folder cannot be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}. Choose another place to write to.") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror}. Choose another place to write to.") from error
    finally:
        temporary.unlink(missing_ok=True)


def atomic_write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 so that it appears whole or not at all.

    Args:
        path: Where the file shall stand; its folder is made when missing.
        text: What it shall hold.

    Raises:
        OutputError: The folder cannot be made or written to.
    """
    atomic_write_bytes(path, text.encode("utf-8"))


def check_output_file(path: Path) -> None:
    """Make sure, by trying, that a file can be written at a path.

    Args:
        path: The file that shall be written later; one that stands there already is left as it is.

    Raises:
        OutputError: The path is a folder, its parent is a file, or writing there fails.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it, for example {path / 'picture.png'}.")
    _try_writing(path.parent)


def check_output_folder(path: Path) -> None:
    """Make sure, by trying, that files can be written into a folder.

    Args:
        path: The folder that shall be filled later; it is made when missing.

    Raises:
        OutputError: The path is a file, or writing there fails.
    """
    if path.exists() and not path.is_dir():
        raise OutputError(f"{path} is a file, and a folder is needed; choose another name.")
    _try_writing(path)


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed had begun to write into a folder.

    Args:
        folder: The folder, with all that is in it; or such a file itself.
    """
    for leftover in (folder, *folder.rglob(BEGUN)):
        if leftover.match(BEGUN):
            leftover.unlink(missing_ok=True)


def _try_writing(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(f"Cannot write into {folder}: {error.strerror}. Choose another place to write to.") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
