"""Checks of a network before rendering."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized

from torch import nn

from lucidtorch.base.checks import checked
from lucidtorch.base.sizes import size_text
from lucidtorch.models.inputs.norm_stats import contradiction
from lucidtorch.models.layers.directory import LOGITS, WHOLE_NETWORK
from lucidtorch.models.layers.dry_run import ROOT
from lucidtorch.models.layers.views import advice_on
from lucidtorch.models.model import Model
from lucidtorch.models.running.address import written

NAMES_SHOWN = 3
OTHER_SIZE = 32  # pixels added to each side, to test whether a network accepts other sizes
COMPUTING = ("Conv1d", "Conv2d", "Conv3d", "Linear")
NO_ACTIVATION = (nn.MultiheadAttention, nn.Softmax, nn.LogSoftmax, nn.Softmax2d, nn.Softmin)
ACTIVATIONS = frozenset(
    name
    for name, kind in vars(nn.modules.activation).items()
    if isinstance(kind, type) and issubclass(kind, nn.Module) and kind not in (nn.Module, *NO_ACTIVATION)
)


@checked
def expectation(model: Model) -> str:
    """Describe the expected input of a network in one line.

    Args:
        model: The network.

    Returns:
        Channels, size, range, mean and std in the format of the command line, and whether they are stated or guessed.
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
    """Write numbers in the format of the command line."""
    distinct = values[:1] if len(set(values)) == 1 else values
    return ",".join(f"{value:g}" for value in distinct)


@checked
def findings(model: Model) -> list[str]:
    """Check a network for problems, and for what is worth knowing before a render.

    Runs the network on one grey image of another size, to test whether it accepts it. The network is not changed.

    Args:
        model: The network.

    Returns:
        One or two sentences per finding, with what to write instead; empty if there is none.
    """
    looks = (_of_runs, _of_addresses, _of_layouts, _of_silence)
    return [said for look in looks for said in look(model)]


def _of_runs(model: Model) -> Iterator[str]:
    table, reason = model.layers, model.layers.broken
    if reason is not None:
        advice = advice_on(reason, table.size)
        advice = advice or "if the size is wrong, say what it was made for with size= (--input-size)"
        begun = "ends early" if len(table) else "is empty"
        then = ". The layers before can be used; " if len(table) else "; "
        yield f"The table {begun}: at {size_text(table.size)} pixels the network raises {_cause(reason)}{then}{advice}."
    against = contradiction(model.module, model.feed, model.convention, model.name)
    if against is not None:
        yield against
    if reason is not None:
        return
    *frames, height, width = table.size
    other = (*frames, height + OTHER_SIZE, width + OTHER_SIZE)
    refusal = model.refusal(other)
    if refusal is not None:
        yield (
            f"Its input is of a fixed size, {size_text(table.size)}: at {size_text(other)} it raises "
            f"{_cause(refusal)}. By default a picture of any size is cropped or padded to it; transforms of yours end "
            f"with crop_or_pad_to({height}, {width})."
        )
    if not model.takes_batches:
        yield "It takes one image at a time: leave batch out, and give galleries batch=1 (--batch 1)."


def _of_addresses(model: Model) -> Iterator[str]:
    classes = model.layers[LOGITS].channels if LOGITS in model.layers else None
    if classes is not None and model.labels is None:
        yield f"Its {classes} classes go by number, such as logit(0); give them names with labels= (--labels FILE)."
    elif classes is not None and model.labels is not None and len(model.labels) != classes:
        yield (
            f"It has {classes} classes and {len(model.labels)} labels, so that a name may stand for a wrong class; "
            "check labels= (--labels)."
        )
    calls = {name: count for name, count in model.layers.directory.calls.items() if name != ROOT and count > 1}
    if calls:
        listed = _listed([f"{name}@0 {'to' if count > 2 else 'and'} @{count - 1}" for name, count in calls.items()])
        yield f"{_count(calls, 'layer is', 'layers are')} called several times; write which call you mean: {listed}."
    records = model.layers.values()
    refused = [record for record in records if record.refused is not None]
    if refused:
        parts = [record.address for record in records if record.address.endswith("]") and record.refused is None]
        part = f"a part of one, such as {parts[0]}, or " if parts else ""
        why = _listed([f"{record.address} {record.refused}" for record in refused], "; ")
        yield f"{_count(refused, 'layer', 'layers')} cannot be a target ({why}); name {part}a layer inside or after it."
    place = model.layers.directory.places.get(ROOT)
    if place is not None and place.leaf is None:
        known = [WHOLE_NETWORK + written(parts) for parts in place.call.leaves]
        advice = f"; name a part of it, such as {known[0]}, or say with output= which is meant" if known else ""
        yield f"The network {place.refused}, and nothing says which part is its output{advice}."


def _of_layouts(model: Model) -> Iterator[str]:
    kinds = {record.address: record.layout for record in model.layers.values() if record.layout}
    if kinds:
        words = _listed(list(dict.fromkeys(kinds.values())))
        yield (
            f"{_count(kinds, 'layer has its', 'layers have their')} channels in another place than the second "
            f"({words}); their activations are brought to [B, C, ...], so that `channel` means the feature everywhere."
        )
    held = [record for record in model.layers.values() if record.tokens]
    if held:
        last = held[-1]
        yield (
            f"{_count(held, 'layer holds', 'layers hold')} class or register tokens beside the image's "
            f"({last.tokens} in {last.address}), left out of the activations; all tokens are {last.address}[tokens]."
        )
    places = model.layers.directory.places.items()
    loose = [text for text, place in places if place.leaf is not None and place.leaf.is_unordered]
    if loose:
        yield (
            f"{_count(loose, 'layer has', 'layers have')} channels, but no known order of places ({_listed(loose)}): "
            f"channel({loose[0]!r}, 0) and token({loose[0]!r}, 0, 0) read them, neuron does not."
        )


def _of_silence(model: Model) -> Iterator[str]:
    silent = [] if model.layers.broken is not None else model.layers.directory.silent()
    if silent:
        yield (
            f"{_count(silent, 'part of it never fires', 'parts of it never fire')} and cannot be a target: heads for "
            f"training alone, or parts whose weights are used without calling them ({_listed(silent)})."
        )
    kinds = [record.kind for record in model.layers.values()]
    traced = any(kind.islower() for kind in kinds)
    if not traced and ACTIVATIONS.isdisjoint(kinds) and sum(kind in COMPUTING for kind in kinds) > 1:
        yield (
            "No activation function of it is a module: what happens between its layers has no address. trace=True "
            "(--trace) makes layers of it."
        )


def _count(things: Sized, one: str, many: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else many}"


def _listed(words: Sequence[str], joint: str = ", ") -> str:
    rest = len(words) - NAMES_SHOWN
    return joint.join(words[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _cause(reason: str) -> str:
    return reason.rstrip(".! ")
