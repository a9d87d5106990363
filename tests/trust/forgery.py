"""Files as a hostile stranger would make them: pictures, programs, recipes and scans with a canary inside."""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lucidtorch.base.images import encode_png, read_png_text

CODE = """
from pathlib import Path
from torch import nn
Path({canary!r}).write_text("sang")
def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
"""
# Where programs keep them: torch from 2.8, and before it.
SAMPLES = ("sample_inputs/model.pt", "serialized_example_inputs.pt")
GRAPH = ("models/model.json", "serialized_exported_program.json")
_watched: list[list[str]] = []


def _heard(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _watched and isinstance(arguments[0], str | bytes | os.PathLike):
        _watched[-1].append(os.fsdecode(arguments[0]))


sys.addaudithook(_heard)


@contextmanager
def opened() -> Iterator[list[str]]:
    """List every file that this process opens within the block."""
    found: list[str] = []
    _watched.append(found)
    try:
        yield found
    finally:
        _watched.pop()


def picture(path: Path, record: object) -> Path:
    """Write a picture that carries a record, or a text."""
    text = record if isinstance(record, str) else json.dumps(record)
    path.write_bytes(encode_png(torch.full((3, 6, 6), 0.5), text))
    return path


def record_of(path: Path, **changes: Any) -> dict[str, Any]:
    """Read what a picture carries, with other values."""
    return {**json.loads(read_png_text(path)), **changes}


def python_file(path: Path, canary: Path) -> Path:
    """Write a Python file that leaves a canary when it is imported, and builds a network."""
    path.write_text(CODE.format(canary=str(canary)), encoding="utf-8")
    return path


class _Singing:
    def __init__(self, canary: str) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"open({self.canary!r}, 'w').write('sang')",)


def pickled_program(path: Path, canary: Path) -> Path:
    """Export a program, and hide a pickle that writes the canary in its sample inputs."""
    _export(path)
    inner = io.BytesIO()
    torch.save(_Singing(str(canary)), inner, pickle_module=pickle)
    return _replaced(path, SAMPLES, lambda _: inner.getvalue())


def evaluated_program(path: Path, canary: Path) -> Path:
    """Export a program, and hide an expression that writes the canary where its sizes are written."""
    shapes = {"input": {0: torch.export.Dim.DYNAMIC}}
    _export(path, dynamic_shapes=shapes)
    song = f"__import__('pathlib').Path({str(canary)!r}).write_text('sang')"

    def changed(content: bytes) -> bytes:
        found = json.loads(content)
        _sing(found, song)
        return json.dumps(found).encode()

    return _replaced(path, GRAPH, changed)


def _sing(value: Any, song: str) -> None:
    if isinstance(value, dict):
        if "expr_str" in value:
            value["expr_str"] = song
        for one in value.values():
            _sing(one, song)
    elif isinstance(value, list):
        for one in value:
            _sing(one, song)


def script(path: Path) -> Path:
    """Save a TorchScript program; it needs no canary, for it is refused like the others."""
    torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())).save(str(path))
    return path


def _export(path: Path, **words: Any) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
    torch.export.save(torch.export.export(net, (torch.rand(2, 3, 12, 12),), **words), path)


def _replaced(path: Path, endings: tuple[str, ...], change: Any) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = [(one, archive.read(one)) for one in archive.infolist()]
    assert any(one.filename.endswith(endings) for one, _ in members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for one, content in members:
            archive.writestr(one.filename, change(content) if one.filename.endswith(endings) else content)
    return path
