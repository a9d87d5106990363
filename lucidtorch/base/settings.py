"""The record of resolved settings that a picture carries: everything that decides its bytes, and nothing else."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any, TypeAlias

import torch

from lucidtorch.base.errors import RecipeError
from lucidtorch.base.records import read_json

Settings: TypeAlias = dict[str, Any]
PACKAGES = ("lucidtorch", "torchvision", "numpy", "kornia", "pillow")


def versions(more: Sequence[str] = ()) -> dict[str, str]:
    """Say which versions decide the bytes of a picture."""
    found = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }  # with the build, which decides bytes
    for package in (*PACKAGES, *more):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def settings_text(settings: Mapping[str, Any]) -> str:
    """Write settings as text, the same for the same settings."""
    return json.dumps(settings, sort_keys=True, ensure_ascii=False, indent=1)


def read_settings(text: str, where: str) -> Settings:
    """Read settings back."""
    found = read_json(text, f"The recipe in {where}")
    if not isinstance(found, dict) or "kind" not in found:
        raise RecipeError(f"The text in {where} is no recipe of lucidtorch.")
    return found
