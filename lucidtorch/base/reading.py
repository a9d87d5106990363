"""Reading files that anybody may have written: regular files alone, and every way in which one can be broken as one."""

from __future__ import annotations

import errno
import functools
import io
import os
import tokenize
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from lucidtorch.base.errors import BadInputError

# Formats of pictures; others that Pillow knows start programs (EPS runs Ghostscript) or are no pictures.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000", "TGA", "PCX", "ICO", "QOI", "DDS")
BROKEN_PICTURE = (OSError, ValueError, SyntaxError, RuntimeError, MemoryError, Image.DecompressionBombError)
BROKEN_ARRAY = (ValueError, EOFError, TypeError, KeyError, MemoryError, RecursionError, SyntaxError)
BROKEN_HEADER = (tokenize.TokenError, zipfile.BadZipFile)


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


@functools.cache
def picture_formats() -> tuple[str, ...]:
    """Say which formats of pictures are read: those of `FORMATS` that Pillow has here."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)
