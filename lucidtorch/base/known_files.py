"""Files that the user named on this machine, found again by their SHA-256.

Pictures and recipes say which weights, labels or images they were made with by file name and checksum, so that no
path of anybody's machine travels with them. What the user once named is remembered here, in one small file per
checksum in the user's cache folder, so that a picture finds its weights again without being told. Where the folder
cannot be written to, nothing is remembered.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

from lucidtorch.base.errors import OutputError
from lucidtorch.base.files import atomic_write_text
from lucidtorch.base.trust import is_named_by_user

VARIABLE = "LUCIDTORCH_CACHE"
CHECKSUM = re.compile(r"[0-9a-f]{16,64}")
LONGEST = 1 << 20  # bytes of an entry


def file_name(path: str) -> str:
    """Take the folders off a path, of whatever system it is."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def remember(checksum: str | None, name: Any) -> None:
    """Note where the user found something; not what a file from elsewhere names."""
    if checksum is None or not CHECKSUM.fullmatch(checksum) or recall(checksum) == name:
        return
    texts = [name] if isinstance(name, str) else name.values() if isinstance(name, dict) else name
    if not all(is_named_by_user(one) for one in texts if isinstance(one, str)):
        return
    with contextlib.suppress(OutputError, OSError, RuntimeError):  # RuntimeError: the user has no home
        atomic_write_text(_folder() / checksum, json.dumps(name))


def recall(checksum: str | None) -> Any:
    """Say where the user found something before."""
    if checksum is None or not CHECKSUM.fullmatch(checksum):
        return None
    try:
        with (_folder() / checksum).open(encoding="utf-8") as file:
            return json.loads(file.read(LONGEST))
    except (OSError, ValueError, RuntimeError):  # RecursionError is a kind of the last
        return None


def recall_file(checksum: str | None) -> Path | None:
    """Find a file that the user named before and that is still there."""
    name = recall(checksum)
    path = Path(name) if isinstance(name, str) else None
    try:
        return path if path is not None and path.is_file() else None
    except (OSError, ValueError):
        return None


def _folder() -> Path:
    said = os.environ.get(VARIABLE)
    if said:
        return Path(said) / "known"
    caches = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(caches) if caches else Path.home() / ".cache") / "lucidtorch" / "known"
