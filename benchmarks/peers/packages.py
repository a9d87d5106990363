"""Where the other tools are installed: a folder of their own, which the project's environment never sees."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".bench-packages"


def make_importable(folder: Path = FOLDER) -> None:
    """Let imports find the other tools, behind everything else, so that they shadow nothing.

    Args:
        folder: Where they were installed.
    """
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def stand_in(name: str) -> None:
    """Put an empty module in the place of one that a tool imports for showing and saving alone, where it is absent.

    Args:
        name: Of the module; of a submodule with its package, `IPython.display`.
    """
    try:
        importlib.import_module(name)
    except ImportError:
        package, _, submodule = name.partition(".")
        made = sys.modules.setdefault(package, types.ModuleType(package))
        if submodule:
            sys.modules[name] = types.ModuleType(name)
            setattr(made, submodule, sys.modules[name])
