"""Networks that a picture or a recipe names: their files are found and verified before they are opened."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from lucidtorch.base.errors import BadInputError, UntrustedError, WeightsError
from lucidtorch.base.files import user_path
from lucidtorch.base.known_files import file_name, recall_file
from lucidtorch.base.plugins import SUFFIX
from lucidtorch.base.trust import allow, check_code, check_program, check_read
from lucidtorch.models.loading import NAMED_WEIGHTS, load_source
from lucidtorch.models.model import Model
from lucidtorch.models.sources.model_source import HF, ModelSource
from lucidtorch.models.sources.program_source import EXPORTED, SCRIPTED
from lucidtorch.models.sources.weights import file_sha256

CONFIG = "config.json"  # beside the weights, in a folder of a pretrained network
DIGITS = 16  # of a checksum in a message
WEIGHTS = "model.safetensors"  # in a folder that `save_pretrained` wrote


def follow_source(source: ModelSource, folder: Path, *, device: str | torch.device = "auto") -> Model:
    """Load the network that a picture, a recipe or a scan names, within the limits of `base.trust`.

    Files are searched in `folder`, and then where the user last opened the file of that checksum on this machine.
    Checksums are compared before a file is parsed.
    """
    found = located(source, folder)
    return load_source(found, device=device, trust=False)


def located(source: ModelSource, folder: Path, *, typed: Collection[str] = ()) -> ModelSource:
    """Find the files that a record names, and verify their checksums."""
    paths: dict[str, Any] = {} if "spec" in typed else {"spec": _spec(source, folder)}
    if source.weights not in NAMED_WEIGHTS and "weights" not in typed:
        paths["weights"] = _found("weights", source.weights, source.sha256, folder, check_read)
    for word in ("mean", "labels"):
        value = getattr(source, word)
        if isinstance(value, str):
            paths[word] = _found(word, value, getattr(source, f"{word}_sha256"), folder, check_read)
    return replace(source, **paths)


def _spec(source: ModelSource, folder: Path) -> str:
    file, _, function = source.spec.rpartition(":")
    if file.endswith(SUFFIX):
        return f"{_found('code', file, source.code_sha256, folder, check_code)}:{function}"
    if source.spec.endswith((EXPORTED, SCRIPTED)):
        return _found("program", source.spec, source.sha256, folder, check_program)
    if source.spec.startswith(HF) and source.sha256 is not None and source.weights == "default":
        return _folder_of_hub(source, folder)
    return source.spec


def _folder_of_hub(source: ModelSource, folder: Path) -> str:
    """Find a folder that `save_pretrained` wrote, by the checksum of its weights."""
    name = source.spec.removeprefix(HF)
    for place in (folder / name, folder / file_name(name)):
        if place.is_dir():
            _found("weights", str(place / WEIGHTS), source.sha256, folder, check_read)
            return f"{HF}{place}"
    known = recall_file(source.sha256)
    if known is None or known.name != WEIGHTS or not (known.parent / CONFIG).is_file():
        check_read(Path(name))
        return source.spec
    allow(known.parent)
    return f"{HF}{known.parent}"


def _found(what: str, named: str, sha256: str | None, folder: Path, check: Callable[[Path], None]) -> str:
    """Find a file beside the file that names it, or by its checksum where the user last opened it."""
    known, said = recall_file(sha256), user_path(named)
    if known is not None:
        allow(known)
    places = [folder / said, folder / file_name(named), *([] if known is None else [known]), said]
    there = [place for place in places if _is_file(place)] or places[:1]
    refused: BadInputError | None = None
    for place in there:
        try:
            check(place)
        except UntrustedError as error:
            refused = refused or error
            continue
        if _is_file(place) and sha256 in (None, file_sha256(place)):
            return str(place)
    raise refused or _lost(what, there[0], sha256)


def _lost(what: str, path: Path, sha256: str | None) -> WeightsError:
    advice = {"weights": "name it with --weights", "code": "name the network with --model"}.get(what, "put it there")
    if _is_file(path):
        return WeightsError(
            f"The {what} file '{path}' is another than the one that was used (SHA-256 {file_sha256(path)[:DIGITS]} "
            f"instead of {(sha256 or '')[:DIGITS]}); put that one back, or {advice}."
        )
    return WeightsError(
        f"There is no {what} file {path.name!r} ({(sha256 or 'no SHA-256 noted')[:DIGITS]}) beside the file that names "
        f"it, nor where it was last used on this machine; put it there, or {advice}."
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, or with a NUL
        return False
