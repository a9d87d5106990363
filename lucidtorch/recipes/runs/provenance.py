"""Where and when a run was made: the one file of its folder that is not the same each time."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import torch

from lucidtorch.models.model import Model
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.runs.folder import write_file

FILE = "provenance.json"


class Watch:
    """Takes the time of a run from its making on."""

    def __init__(self) -> None:
        self.began = datetime.datetime.now(datetime.UTC)
        self.clock, self.processor = time.monotonic(), time.process_time()

    def write(self, folder: Path, recipe: Recipe, model: Model, workers: int) -> None:
        """Write ``provenance.json``."""
        facts: dict[str, Any] = {
            "recipe_id": recipe.id,
            "kind": recipe.recipe,
            "began": self.began.isoformat(timespec="seconds"),
            "ended": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - self.clock, 3),
            "processor_seconds": round(time.process_time() - self.processor, 3),
            "workers": workers,
            "command": sys.argv,
            "folder": str(folder.resolve()),
            "machine": _machine(model),
            "network": {"name": model.name, "source": None if model.source is None else model.source.to_dict()},
            "made_with": None if recipe.made_with is None else recipe.made_with.model_dump(mode="json"),
        }
        write_file(folder, FILE, json.dumps(facts, indent=1, ensure_ascii=False) + "\n")


def _machine(model: Model) -> dict[str, Any]:
    found = {
        "system": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "python": sys.version,
        "device": str(model.device),
    }
    if model.device.type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(model.device)
    return found
