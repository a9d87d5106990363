"""Where a network comes from: the record that loads it again, its name on pages, and what a source hands over."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from torch import nn

from lucidtorch.base.errors import RecipeError, WeightsError
from lucidtorch.base.known_files import file_name
from lucidtorch.models.inputs.convention import ChannelOrder, InputConvention

HF = "hf/"
FILES = (".py", ".pt2", ".pt", ".pth", ".safetensors")  # what a spec ends in that names a file
FILE_SPEC = re.compile(r".*\.(py|pt2|pt|pth|safetensors)(:[^/\\:]+)?", re.DOTALL)
LOCAL = re.compile(r"(hf/|timm/)?([/~.]|[A-Za-z]:[/\\]).*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ModelSource:
    """What was said to `load_model`, so that a picture can name the network it was made with.

    Args:
        spec: The network's name, or the path of the file that makes or holds it.
        weights: `default`, `random`, or the path of a file as it was given.
        sha256: Of the weights file, or None where no file was read.
        code_sha256: Of the file with the network's code, or None where it has a name of its own.
        mean: What was given in the place of the network's own, or None; likewise the ones below. Numbers, or the path
            of a mean image as it was given.
        mean_sha256: Of the file of the mean, or None where numbers were given.
        std: One number per channel.
        value_range: The pair (lo, hi).
        channel_order: ``rgb`` or ``bgr``.
        size: Height and width, or (time, height, width).
        channels: The number of image channels.
        labels: The path of a file, or the names themselves.
        labels_sha256: Of the file of the labels, or None where names were given.
        output: The key or the place of the part of the network's output that is meant.
        trace: Whether the traced view of the network was taken.
    """

    spec: str
    weights: str = "default"
    sha256: str | None = None
    code_sha256: str | None = None
    mean: tuple[float, ...] | str | None = None
    mean_sha256: str | None = None
    std: tuple[float, ...] | None = None
    value_range: tuple[float, float] | None = None
    channel_order: ChannelOrder | None = None
    size: tuple[int, ...] | None = None
    channels: int | None = None
    labels: str | tuple[str, ...] | None = None
    labels_sha256: str | None = None
    output: str | int | None = None
    trace: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Write the record as plain data.

        Returns:
            Names and values that JSON and YAML can hold; what was not given is left out.
        """
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: _plain(value) for name, value in given.items() if value is not None and value is not False}

    def portable(self) -> ModelSource:
        """Leave out where files lie on this machine, as pictures and recipes name a network.

        Returns:
            The same with file names in the place of paths; the checksums say which files are meant.
        """
        paths: dict[str, Any] = {"spec": _portable_spec(self.spec), "weights": file_name(self.weights)}
        paths |= {
            word: file_name(value) for word in ("mean", "labels") if isinstance(value := getattr(self, word), str)
        }
        return replace(self, **paths)

    def check_unchanged(self, now: ModelSource) -> None:
        """Make sure that the files this record names hold what they held.

        Args:
            now: The record of the network as it was loaded again.

        Raises:
            WeightsError: The weights file, the code's or the mean's holds something else.
        """
        for what, before, after in (
            (f"The weights {self.weights!r} of {self.spec} are not those that were", self.sha256, now.sha256),
            (f"The code of {self.spec} is not the one that was", self.code_sha256, now.code_sha256),
            (f"The mean {self.mean!r} of {self.spec} is not the one that was", self.mean_sha256, now.mean_sha256),
            (
                f"The labels {self.labels!r} of {self.spec} are not those that were",
                self.labels_sha256,
                now.labels_sha256,
            ),
        ):
            if before not in (None, after):  # a record may note none
                raise WeightsError(f"{what} used (SHA-256 {after} instead of {before}); put the file back that was.")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelSource:
        """Read what `to_dict` wrote.

        Args:
            data: Names and values.

        Returns:
            The record.

        Raises:
            RecipeError: A name is missing or unknown.
        """
        known = [one.name for one in fields(cls)]
        unknown = [name for name in data if name not in known]
        if unknown or not isinstance(data.get("spec"), str):
            what = f"has no field {unknown[0]!r}" if unknown else "needs 'spec', the network's name"
            raise RecipeError(f"The record of a network {what}; its fields are {', '.join(known)}.")
        return cls(**{name: _frozen(value) for name, value in data.items()})


def _portable_spec(spec: str) -> str:
    """Take the folders off a spec that names a file or folder; names of libraries have a slash too."""
    if spec.startswith(HF):
        return HF + file_name(spec) if Path(spec.removeprefix(HF)).is_dir() else spec
    file = spec.rpartition(":")[0] or spec
    return file_name(spec) if Path(file).suffix in FILES else spec


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class FoundNetwork:
    """A network with its weights in it, before the caller's own words about its input are heard.

    Args:
        name: What messages call it.
        module: The network.
        convention: What it expects of its input.
        labels: The names of its classes, or None.
        file: The weights file that was read, or None.
        size_known: Whether the convention's size is more than a guess.
        code: The caller's own file of Python code that built it, or None.
        note: What whoever asks for a layer that it does not have should know; empty where that is nothing.
        heads: The names of the classes of each head by the address of its layer, where there are several heads.
    """

    name: str
    module: nn.Module
    convention: InputConvention
    labels: tuple[str, ...] | None = None
    file: Path | None = None
    size_known: bool = True
    code: Path | None = None
    note: str = ""
    heads: Mapping[str, tuple[str, ...]] | None = None


def display_name(spec: str) -> str:
    """Shorten the name of a network that is the path of a file or folder to the last part of the path."""
    local = LOCAL.fullmatch(spec)
    if FILE_SPEC.fullmatch(spec) is None and local is None:
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
