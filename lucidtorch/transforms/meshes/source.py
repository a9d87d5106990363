"""Where a mesh comes from: the package's own by name, others from a file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from lucidtorch.base.errors import BadInputError, suggestion
from lucidtorch.base.files import read_bytes
from lucidtorch.base.known_files import recall_file, remember
from lucidtorch.base.shown import shown
from lucidtorch.base.trust import allow, beside, check_read
from lucidtorch.transforms.meshes.mesh import Mesh
from lucidtorch.transforms.meshes.obj import read_obj
from lucidtorch.transforms.meshes.shapes import SHAPES

SUFFIX = ".obj"


def named_mesh(name: object, sha256: object = None) -> tuple[Mesh, str | None]:
    """Find the mesh that a text names."""
    if isinstance(name, str) and name in SHAPES:
        if sha256 is not None:
            raise BadInputError(
                f"sha256= is the checksum of a file, and {name!r} comes with the package; leave it out."
            )
        return SHAPES[name](), None
    if not isinstance(name, str) or not name.lower().endswith(SUFFIX):
        hint = suggestion(name, SHAPES) if isinstance(name, str) else ""
        message = f"A mesh is one of {', '.join(SHAPES)}, or the path of an {SUFFIX} file, but {shown(name)} was given."
        raise BadInputError(f"{message} {hint}".rstrip())
    path = _found(name, sha256)
    content = _content(path, name)
    found = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, found):
        raise BadInputError(f"The mesh {name} has changed: its sha256 is {found}, and {sha256!r:.80} was expected.")
    remember(found, str(path.resolve()))
    return read_obj(content, name), found


def _found(name: str, sha256: object) -> Path:
    """Find the file: as it is named, or where the user named the file of that checksum before."""
    path, known = beside(name), recall_file(sha256 if isinstance(sha256, str) else None)
    if known is not None and not os.path.isfile(path):  # a NUL in the name is no error here
        allow(known)
        return known
    return path


def _content(path: Path, name: str) -> bytes:
    check_read(path)
    try:
        return read_bytes(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInputError(
            f"The mesh {name!r} cannot be read: {reason}. Name an {SUFFIX} file, or one of {', '.join(SHAPES)}."
        ) from error
