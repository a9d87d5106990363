"""What networks are called on pages and in files that are passed on: without places on this machine."""

from __future__ import annotations

import re

from lucidtorch.base.known_files import file_name
from lucidtorch.models.sources.model_source import ModelSource

FILES = re.compile(r".*\.(py|pt2|pt|pth|safetensors)(:[^/\\:]+)?", re.DOTALL)
LOCAL = re.compile(r"(hf/|timm/)?([/~.]|[A-Za-z]:[/\\]).*", re.DOTALL)


def display_name(spec: str) -> str:
    """Shorten the name of a network that is the path of a file or folder to the last part of the path."""
    local = LOCAL.fullmatch(spec)
    if FILES.fullmatch(spec) is None and local is None:
        return spec
    head = (local[1] or "") if local is not None else ""
    return head + file_name(spec)


def file_facts(source: ModelSource | None) -> dict[str, str]:
    """Say which files a network was loaded from."""
    if source is None:
        return {"weights": "given in Python"}
    found = {} if source.code_sha256 is None else {"code": f"{display_name(source.spec)}, SHA-256 {source.code_sha256}"}
    weights = file_name(source.weights)
    return found | {"weights": weights if source.sha256 is None else f"{weights}, SHA-256 {source.sha256}"}
