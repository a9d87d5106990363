"""Every kind of recipe as a Python function with the same fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from torch import nn

from lucidtorch.base.checks import Threads, fitting
from lucidtorch.base.surroundings import pinned
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes.fields.checking import checked
from lucidtorch.recipes.network import network_fields
from lucidtorch.recipes.paths import whole_path
from lucidtorch.recipes.recipe import RenderingRecipe
from lucidtorch.recipes.runs.kind import RecipeKind
from lucidtorch.recipes.runs.result import Run, scratch_folder
from lucidtorch.recipes.runs.running import run_recipe
from lucidtorch.rendering.settings import Engine, options_of, pop_old_words

MODEL_WORDS = ("weights", "device")  # fields that say something of a network that is named, and not handed over
# Fields that are no plain arguments of the function.
SAID_OTHERWISE = ("recipe", "model", "output", "made_with", *options_of(Engine))
ENGINE_WORDS: dict[str, tuple[Any, str]] = {
    "engine": (Engine(), "How the network is executed: its precision, how many images at once, and in which form."),
}
RUN_WORDS: dict[str, tuple[Any, str]] = {
    "output": (None, "The folder of the run; one that is gone when the program ends where None."),
    "workers": (1, "How many processes work side by side; more than one needs a network that is loaded by name."),
    "report": (None, "Called as the work goes on with the number done, the number of all, and what is counted."),
    "progress": (True, "Whether a notebook or a terminal shows how far the run is, and its pictures as they grow."),
}
RUN_TYPES: dict[str, Any] = {
    "engine": Engine,
    "output": str | Path | None,
    "workers": Threads,
    "report": Callable[..., object] | None,
    "progress": bool,
}


class RecipeFunction:
    """A kind of recipe as a function: its fields as named arguments, and what came of the run as its result.

    Args:
        kind: The kind.
    """

    def __init__(self, kind: type[RecipeKind]) -> None:
        self.kind = kind
        self.__name__ = self.__qualname__ = kind.model_fields["recipe"].default
        self.__module__ = kind.__module__
        self.__doc__ = _described(kind)
        self.__signature__ = _signature(kind)

    @pinned()
    def __call__(self, *args: Any, **words: Any) -> Run:
        run_words = _run_words(self.kind)
        old = pop_old_words(self.__name__, words) if "engine" in run_words else {}
        given = dict(self.__signature__.bind(*args, **words).arguments)
        network, fields = _network(given.pop("model"), given)
        own = {name: given.pop(name, default) for name, (default, _) in run_words.items()}
        own = fitting(self.__name__, self.__signature__, RUN_TYPES, own)
        engine = own.get("engine", Engine()).to_dict()
        changed = {name: value for name, value in engine.items() if value != getattr(Engine, name)}
        recipe = checked(self.kind, {**given, **changed, **old, **fields, "recipe": self.__name__})
        folder = scratch_folder() if own["output"] is None else Path(own["output"])
        said = {name: own[name] for name in ("workers", "report", "progress")}
        return run_recipe(recipe, folder, network=network, **said)

    def __repr__(self) -> str:
        return f"<recipe {self.__name__}>"


def _network(model: Any, given: Mapping[str, Any]) -> tuple[Model | None, dict[str, Any]]:
    """Take a network as `render` does: one that is handed over is used as it is, and named where it can be."""
    if not isinstance(model, Model | nn.Module):
        return None, _whole({"model": model} | {name: given[name] for name in ("weights",) if name in given})
    words = {name: given[name] for name in MODEL_WORDS if name in given}
    network = load_model(model, **words)
    if network.source is None:
        return network, {"model": None, "weights": "default"}
    fields = network_fields(network.source)
    return network, {"model": fields["model"], "weights": fields["weights"], "device": network.device.type}


def _whole(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Make paths whole, as in a recipe's file, so that what is written down means the same wherever it is read."""
    found = {}
    for name, value in fields.items():
        text = str(value) if isinstance(value, Path) else value
        whole = whole_path(text, Path.cwd()) if isinstance(text, str) else text
        found[name] = _whole(whole) if isinstance(whole, Mapping) else whole
    return found


def _arguments(kind: type[RecipeKind]) -> list[tuple[str, FieldInfo]]:
    """The fields that are arguments, those that are needed first."""
    fields = [(name, one) for name, one in kind.model_fields.items() if name not in SAID_OTHERWISE]
    return sorted(fields, key=lambda pair: not pair[1].is_required())


def _run_words(kind: type[RecipeKind]) -> dict[str, tuple[Any, str]]:
    """The arguments that are no fields, each with its default and what it is."""
    return (ENGINE_WORDS if issubclass(kind, RenderingRecipe) else {}) | RUN_WORDS


def _signature(kind: type[RecipeKind]) -> inspect.Signature:
    parameters = [inspect.Parameter("model", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    for name, one in _arguments(kind):
        default = inspect.Parameter.empty if one.is_required() else one.get_default(call_default_factory=True)
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=one.annotation)
        )
    for name, (default, _) in _run_words(kind).items():
        parameters.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
    return inspect.Signature(parameters, return_annotation=Run)


def _described(kind: type[RecipeKind]) -> str:
    lines = [kind.summary, "", "Args:", "    model: A `Model`, a module, a name for `load_model`, or a mapping."]
    for name, one in _arguments(kind):
        lines.append(f"    {name}: {one.description}")
    lines += [f"    {name}: {text}" for name, (_, text) in _run_words(kind).items()]
    lines += ["", "Returns:", "    The run: its folder, its pictures, and its recipe with every default filled in.", ""]
    lines += ["Raises:", "    BadInputError: Anything does not fit; nothing was rendered or written then.", ""]
    return "\n".join(lines)
