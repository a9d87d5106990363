"""What all pages have in common: their templates and stylesheets, and the pictures that they may show."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

import jinja2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.galleries.curve import number_text

TEMPLATES = Path(__file__).with_name("templates")


def page_environment(*folders: Path) -> jinja2.Environment:
    """Make what fills in the templates of pages."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, TEMPLATES]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"number": number_text, "path": urllib.parse.quote}
    return environment


def asset_text(names: Sequence[str], *folders: Path) -> str:
    """Put a stylesheet or a script together."""
    places = (next(one / name for one in (*folders, TEMPLATES) if (one / name).is_file()) for name in names)
    return "\n".join(place.read_text(encoding="utf-8") for place in places)


def check_inside(files: Iterable[str], whole: str) -> None:
    """Make sure that pictures lie in the folder of their pages."""
    for file in files:
        parts = PurePosixPath(file).parts
        if not parts or parts[0] == "/" or ".." in parts or "\\" in file or ":" in parts[0]:
            raise BadInputError(f"The picture {file!r} is not in {whole}; give a path relative to its folder.")


def picture_sizes(files: Iterable[str], folder: Path) -> dict[str, tuple[int, int]]:
    """Read the sizes of pictures."""
    sizes = {}
    for file in dict.fromkeys(files):
        try:
            with Image.open(folder / file) as image:
                sizes[file] = image.size
        except OSError as error:
            raise ImageError(f"The picture {folder / file} cannot be read; write it before the pages.") from error
    return sizes


def picture_pixels(path: Path) -> Tensor:
    """Read a picture."""
    with Image.open(path) as picture:
        found = np.array(picture)
    return torch.from_numpy(found.reshape(*found.shape[:2], -1)).permute(2, 0, 1).float() / 255
