"""What will go wrong with a network, said before it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from torch import nn

from lucidtorch.base.checks import checked
from lucidtorch.base.sizes import size_text
from lucidtorch.models.inputs.norm_stats import contradiction
from lucidtorch.models.layers.directory import LOGITS, WHOLE_NETWORK
from lucidtorch.models.layers.dry_run import ROOT
from lucidtorch.models.layers.table import LayerRecord
from lucidtorch.models.layers.views import advice_on
from lucidtorch.models.model import Model
from lucidtorch.models.running.address import written

NAMES_SHOWN = 3
OTHER_SIZE = 32  # pixels more on each side, to learn whether a network takes other sizes
COMPUTING = ("Conv1d", "Conv2d", "Conv3d", "Linear")
NO_ACTIVATION = (nn.MultiheadAttention, nn.Softmax, nn.LogSoftmax, nn.Softmax2d, nn.Softmin)
ACTIVATIONS = frozenset(
    name
    for name, kind in vars(nn.modules.activation).items()
    if isinstance(kind, type) and issubclass(kind, nn.Module) and kind not in (nn.Module, *NO_ACTIVATION)
)


@checked
def expectation(model: Model) -> str:
    """Say in a line what a network expects of its input.

    Args:
        model: The network.

    Returns:
        Channels, size, range, mean and std as the command line takes them, and whether somebody stated them or they
        are a guess.
    """
    known = model.convention
    colours = f" ({known.channel_order.upper()})" if known.channels == 3 else ""
    plural = "s" * (known.channels != 1)
    mean = _numbers(known.mean) if known.mean_image is None else f"image of {size_text(known.mean_image.shape)}"
    origin = "stated" if known.stated else "a guess"
    return (
        f"{known.channels} channel{plural}{colours}, {size_text(known.size)} pixels, "
        f"range {_numbers(known.value_range)}, mean {mean}, std {_numbers(known.std)} ({origin})"
    )


def _numbers(values: Sequence[float]) -> str:
    """Write numbers as the command line takes them, and one where all are the same."""
    distinct = values[:1] if len(set(values)) == 1 else values
    return ",".join(f"{value:g}" for value in distinct)


@checked
def findings(model: Model) -> list[str]:
    """Look for what will go wrong with a network, or is worth knowing before a render.

    Runs the network on one grey image of another size, to learn whether it takes one. The network is afterwards as it
    was.

    Args:
        model: The network.

    Returns:
        A sentence or two for each thing found, with what to write instead; none where all is well.
    """
    looks: tuple[Callable[[Model], str | None], ...] = (
        _broken,
        _contradicted,
        _fixed_size,
        _one_by_one,
        _labels,
        _called_again,
        _no_targets,
        _parted_output,
        _other_layouts,
        _tokens,
        _unordered,
        _silent,
        _functional,
    )
    return [found for found in (look(model) for look in looks) if found is not None]


def _broken(model: Model) -> str | None:
    reason = model.layers.broken
    if reason is None:
        return None
    table = model.layers
    advice = advice_on(reason, table.size) or "if the size is wrong, say what it was made for with size= (--input-size)"
    begun = "The table ends early" if len(table) else "The table is empty"
    before = "The layers before can be used; " * bool(len(table))
    said = f"{begun}: at {size_text(table.size)} pixels the network raises {_cause(reason)}. {before}{advice}."
    return said if before else said.replace(f". {advice}", f"; {advice}")


def _contradicted(model: Model) -> str | None:
    return contradiction(model.module, model.feed, model.convention, model.name)


def _fixed_size(model: Model) -> str | None:
    table = model.layers
    *frames, height, width = table.size
    other = (*frames, height + OTHER_SIZE, width + OTHER_SIZE)
    reason = None if table.broken is not None else model.refusal(other)
    if reason is None:
        return None
    return (
        f"Its input is of a fixed size, {size_text(table.size)}: at {size_text(other)} it raises {_cause(reason)}. "
        "By default a picture of any size is cropped or padded to it; transforms of yours end with "
        f"crop_or_pad_to({height}, {width})."
    )


def _one_by_one(model: Model) -> str | None:
    if model.layers.broken is not None or model.takes_batches:
        return None
    return "It takes one image at a time: leave batch out, and give galleries batch=1 (--batch 1)."


def _labels(model: Model) -> str | None:
    if LOGITS not in model.layers:
        return None
    classes = model.layers[LOGITS].channels
    if model.labels is None:
        return f"Its {classes} classes go by number, such as logit(0); give them names with labels= (--labels FILE)."
    if len(model.labels) == classes:
        return None
    return (
        f"It has {classes} classes and {len(model.labels)} labels, so that a name may stand for a wrong class; "
        "check labels= (--labels)."
    )


def _called_again(model: Model) -> str | None:
    calls = {name: count for name, count in model.layers.directory.calls.items() if name != ROOT and count > 1}
    if not calls:
        return None
    listed = _listed([f"{name}@0 {'to' if count > 2 else 'and'} @{count - 1}" for name, count in calls.items()])
    return f"{_count(calls, 'layer is', 'layers are')} called several times; write which call you mean: {listed}."


def _no_targets(model: Model) -> str | None:
    records = model.layers.values()
    refused = [record for record in records if record.refused is not None]
    if not refused:
        return None
    parts = [record.address for record in records if record.address.endswith("]") and record.refused is None]
    advice = (
        f"a part of one, such as {parts[0]}, or a layer inside or after it" if parts else "a layer inside or after it"
    )
    why = _listed([f"{record.address} {record.refused}" for record in refused], "; ")
    return f"{_count(refused, 'layer', 'layers')} cannot be a target ({why}); name {advice}."


def _parted_output(model: Model) -> str | None:
    place = model.layers.directory.places.get(ROOT)
    if place is None or place.leaf is not None:
        return None
    known = [WHOLE_NETWORK + written(parts) for parts in place.call.leaves]
    advice = f"; name a part of it, such as {known[0]}, or say with output= which is meant" if known else ""
    return f"The network {place.refused}, and nothing says which part is its output{advice}."


def _other_layouts(model: Model) -> str | None:
    kinds = {record.address: record.layout for record in model.layers.values() if record.layout}
    if not kinds:
        return None
    words = _listed(list(dict.fromkeys(kinds.values())))
    return (
        f"{_count(kinds, 'layer has its', 'layers have their')} channels in another place than the second ({words}); "
        "their activations are brought to [B, C, ...], so that `channel` means the feature everywhere."
    )


def _tokens(model: Model) -> str | None:
    held: list[LayerRecord] = [record for record in model.layers.values() if record.tokens]
    if not held:
        return None
    last = held[-1]
    return (
        f"{_count(held, 'layer holds', 'layers hold')} class or register tokens beside the image's ({last.tokens} in "
        f"{last.address}), left out of the activations; all tokens are {last.address}[tokens]."
    )


def _unordered(model: Model) -> str | None:
    places = model.layers.directory.places.items()
    loose = [text for text, place in places if place.leaf is not None and place.leaf.is_unordered]
    if not loose:
        return None
    return (
        f"{_count(loose, 'layer has', 'layers have')} channels, but no known order of places ({_listed(loose)}): "
        f"channel({loose[0]!r}, 0) and token({loose[0]!r}, 0, 0) read them, neuron does not."
    )


def _silent(model: Model) -> str | None:
    silent = [] if model.layers.broken is not None else model.layers.directory.silent()
    if not silent:
        return None
    return (
        f"{_count(silent, 'part of it never fires', 'parts of it never fire')} and cannot be a target: heads for "
        f"training alone, or parts whose weights are used without calling them ({_listed(silent)})."
    )


def _functional(model: Model) -> str | None:
    kinds = [record.kind for record in model.layers.values()]
    traced = any(kind.islower() for kind in kinds)
    if traced or any(kind in ACTIVATIONS for kind in kinds) or sum(kind in COMPUTING for kind in kinds) < 2:
        return None
    return (
        "No activation function of it is a module: what happens between its layers has no address. trace=True "
        "(--trace) makes layers of it."
    )


def _count(things: Sequence[object] | Iterable[object], one: str, many: str) -> str:
    number = len(list(things))
    return f"{number} {one if number == 1 else many}"


def _listed(words: Sequence[str], joint: str = ", ") -> str:
    rest = len(words) - NAMES_SHOWN
    return joint.join(words[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _cause(reason: str) -> str:
    return reason.rstrip(".! ")
