"""The lowest versions that pyproject.toml allows, as constraints for pip."""

from __future__ import annotations

import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[a-z0-9,_-]+\])?>=([0-9][0-9.]*)")


def lowest_versions() -> dict[str, str]:
    """The lowest version of each package that the project and its extras ask for, except what only checks its text.

    Raises:
        ValueError: A requirement says no lowest version, or more than that.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {extra: asked for extra, asked in project["optional-dependencies"].items() if extra != "dev"}
    found: dict[str, str] = {}
    for requirement in chain(project["dependencies"], *extras.values()):
        if requirement.startswith(f"{project['name']}["):  # an extra that stands for others
            continue
        match = REQUIREMENT.fullmatch(requirement)
        if match is None:
            raise ValueError(f"pyproject.toml asks for {requirement!r}; write it as NAME>=VERSION")
        name, version = match.groups()
        if found.setdefault(name, version) != version:
            raise ValueError(f"pyproject.toml asks for {name} {found[name]} and {version}; write one of the two")
    return found


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in lowest_versions().items())
