"""Looking inside a network: the only place that hooks into a forward pass to take activations."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import FunctionType
from typing import Any, TypeAlias, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from lucidtorch.base.errors import RenderError, WeightsError, noting_layer
from lucidtorch.base.surroundings import one_at_a_time
from lucidtorch.models.layouts.layout import TOKENS
from lucidtorch.models.running.address import CLASS, HEADS, Address, Pass, read
from lucidtorch.models.running.frozen import uncompiled, without_checkpoints

PLANAR = 4  # dimensions of maps
PRODUCTS = ("matmul", "__matmul__", "bmm", "einsum")
FEWEST_AXES = 3  # of attention weights: a softmax over classes `[B, K]` has fewer
RECURRENCES = ("lstm", "gru", "rnn_tanh", "rnn_relu")  # of torch, behind `nn.LSTM`, `nn.GRU` and `nn.RNN`
Run: TypeAlias = Callable[[Tensor], dict[str, Tensor]]
Hook: TypeAlias = Callable[[nn.Module, tuple[Any, ...], dict[str, Any], object], Tensor | None]
Reader: TypeAlias = Callable[[Tensor], Tensor]  # selects numbers and moves them, as reading tokens as a map does


class _Stop(BaseException):
    """Ends a pass once everything asked for is there; a network's own `except Exception` does not catch it."""

    def __init__(self, hooks: _Hooks) -> None:
        super().__init__()
        self.hooks = hooks


@contextlib.contextmanager
def capture(
    module: nn.Module, addresses: Mapping[str, Address], feed: Callable[[Tensor], object] | None = None
) -> Iterator[Run]:
    """Hook into the named layers while the block runs.

    Inside the block, calling what is yielded runs the network on a normalized input up to the deepest named layer and
    gives the layers' own outputs, in float32 or better, also where the next operation works in place. The hooks are
    gone afterwards, after an error or an interrupt too.
    """
    hooks = _Hooks(module, addresses, module if feed is None else feed)
    attached = contextlib.ExitStack()
    try:
        with one_at_a_time():  # no other thread copies or runs the network meanwhile
            hooks.attach(attached)
        yield hooks.run
    finally:
        with one_at_a_time():
            attached.close()
        hooks.taken.clear()


class _Hooks:
    """The hooks of one `capture`, and what the forward pass has given so far."""

    def __init__(self, module: nn.Module, addresses: Mapping[str, Address], feed: Callable[[Tensor], object]) -> None:
        weight = next(module.parameters(), None)
        if weight is not None and weight.is_meta:  # which is enough for a table
            raise WeightsError(
                f"The weights of {type(module).__name__} are on the meta device, which holds no numbers; load them "
                "first."
            )
        self.module = module
        self.feed = feed
        self.addresses = addresses
        self.calls: Counter[str] = Counter()
        self.taken: dict[Address, Tensor] = {}
        self.runner: int | None = None  # the thread whose forward pass is looked at
        self.wanted: dict[tuple[str, int], list[Address]] = {}
        for address in dict.fromkeys(addresses.values()):
            self.wanted.setdefault((address.module, address.call), []).append(address)
        self.missing: set[tuple[str, int]] = set()
        self.headed = {address.module for address in addresses.values() if address.view == HEADS}
        self.watch = AttentionWatch()
        self.recurs = any(isinstance(part, nn.RNNBase) for part in module.modules())

    def attach(self, attached: contextlib.ExitStack) -> None:
        for name in sorted({name for name, _ in self.wanted}):
            layer = self.module.get_submodule(name)
            if name in self.headed:
                attached.callback(layer.register_forward_pre_hook(self._enter).remove)
            hook = self._hook_of(name)
            if _listens_backward(layer):
                attached.callback(_called_around(layer, hook))
            else:
                attached.callback(layer.register_forward_hook(hook, with_kwargs=True).remove)

    def run(self, images: Tensor) -> dict[str, Tensor]:
        self.calls.clear()
        self.taken.clear()
        self.missing = set(self.wanted)
        if self.wanted:
            self._refuse_inference(images)
            self._forward(images)
        for name, address in self.addresses.items():
            if address not in self.taken:
                raise RenderError(
                    f"Layer {name!r} was not reached in this forward pass; it may depend on the input or its size."
                )
        found = {name: self.taken[address] for name, address in self.addresses.items()}
        self.taken.clear()
        return found

    def _refuse_inference(self, images: Tensor) -> None:
        weights = self.module.parameters() if torch.is_grad_enabled() and images.requires_grad else ()
        if any(one.is_inference() for one in weights):
            raise WeightsError(
                f"The weights of {type(self.module).__name__} were made under torch.inference_mode(), so that no "
                "gradient goes through them; build or load the network outside of it, or under torch.no_grad()."
            )

    def _forward(self, images: Tensor) -> None:
        self.watch = AttentionWatch()
        with one_at_a_time():
            self.runner = threading.get_ident()
            try:
                with contextlib.ExitStack() as modes:
                    modes.enter_context(without_checkpoints())
                    modes.enter_context(uncompiled())
                    if self.recurs:
                        modes.enter_context(native_recurrence())
                    if self.headed:
                        modes.enter_context(self.watch)
                    modes.enter_context(noting_layer(self.module))
                    self.feed(images)
            except _Stop as stop:
                if stop.hooks is not self:
                    raise
            finally:
                self.runner = None

    def _enter(self, layer: nn.Module, inputs: object) -> None:
        if self.runner == threading.get_ident():
            self.watch.enter(layer)

    def _hook_of(self, name: str) -> Hook:
        def hook(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: object) -> Tensor | None:
            if self.runner is None or self.runner != threading.get_ident():  # somebody else's forward pass
                return None
            heads = self.watch.leave(layer) if name in self.headed else None
            call = (name, self.calls[name])
            self.calls[name] += 1
            return self._take(call, Pass(layer, args, kwargs, output, heads)) if call in self.missing else None

        return hook

    def _take(self, call: tuple[str, int], seen: Pass) -> Tensor | None:
        """Keep what is asked for; give what the network shall go on with, where that is no longer its own output.

        It may go on and work on its output in place. A plain output is kept as it is, so that the deeper layers'
        gradients to it can be taken, and the network goes on with a copy. So it does with the first reading of tokens
        as a map, or of some of them, where gradients are wanted; of anything else a copy is kept.
        """
        self.missing.discard(call)
        goes_on: Tensor | None = None
        for address in self.wanted[call]:
            own = read(address, seen)
            values = widened(own)
            if self.missing and own is seen.output:
                goes_on = values.to(own.dtype, copy=True) if goes_on is None else goes_on
            elif self.missing:
                values = values.clone() if values is own else values
                output = seen.output
                if goes_on is None and values.requires_grad and isinstance(output, Tensor) and _is_moved(address):
                    goes_on = _gradient_alias(output, values, partial(_read_again, address, seen))
            _keep_layout(values)
            self.taken[address] = torch.softmax(values, dim=1) if address.softmax else values
        if not self.missing:
            raise _Stop(self)
        return goes_on


def _called_around(layer: nn.Module, hook: Hook) -> Callable[[], None]:
    """Read a layer's output after torch has attached the user's full backward hooks to it; give what undoes that."""
    before = layer._compiled_call_impl

    def call(*args: Any, **kwargs: Any) -> object:
        output = (before or layer._call_impl)(*args, **kwargs)
        goes_on = hook(layer, args, kwargs, output)
        return output if goes_on is None else goes_on

    def restore() -> None:
        if before is None:
            vars(layer).pop("_compiled_call_impl", None)
        else:
            layer._compiled_call_impl = before

    layer._compiled_call_impl = call
    return restore


def _keep_layout(values: Tensor) -> None:
    """Keep a gradient in the memory format of the values: with two formats, every operation is slow."""
    if values.requires_grad and values.dim() == PLANAR and values.is_contiguous(memory_format=torch.channels_last):
        hook: Callable[[Tensor], Tensor] = partial(Tensor.contiguous, memory_format=torch.channels_last)
        values.register_hook(hook)  # type: ignore[no-untyped-call]


def _is_moved(address: Address) -> bool:
    """Whether it names a module's one output, or a part, with its numbers in other places, such as tokens as a map."""
    plain = address.view in ("", CLASS, TOKENS) and not address.parts and not address.softmax
    return plain and address.layout is not None


def _listens_backward(layer: nn.Module) -> bool:
    return bool(layer._backward_pre_hooks) or bool(layer._backward_hooks and layer._is_full_backward_hook)


def _read_again(address: Address, seen: Pass, output: Tensor) -> Tensor:
    return read(address, replace(seen, output=output))


def _gradient_alias(output: Tensor, values: Tensor, reader: Reader) -> Tensor:
    found: Tensor = _GradientAlias.apply(output, values, reader)
    return found


class _GradientAlias(torch.autograd.Function):
    """The identity in `output`; the gradient of what was read goes through `values`."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, values: Tensor, reader: Reader) -> Tensor:
        ctx.reader, ctx.dtype = reader, values.dtype
        return output.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        with torch.enable_grad():
            ground = torch.zeros_like(grad, requires_grad=True)
            read = ctx.reader(ground)
        part = ctx.reader(grad)
        (put_back,) = torch.autograd.grad(read, ground, part)
        return grad - put_back, part.to(ctx.dtype), None


def widened(values: Tensor) -> Tensor:
    """Bring activations to float32, or leave them where they are better."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


class AttentionWatch(TorchFunctionMode):
    """Notes, while the block runs, what each computation of attention gives before the output projection.

    That is the result of `scaled_dot_product_attention`, or the product of a softmax with the values. Spans say which
    module computed it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._spans: list[tuple[nn.Module, list[Tensor | None]]] = []  # None: computed by a module inside
        self._weights: Any = WeakTensorKeyDictionary()

    def enter(self, module: nn.Module) -> None:
        """Say that a module's forward pass begins."""
        self._spans.append((module, []))

    def leave(self, module: nn.Module) -> Tensor | None:
        """Say that a module's forward pass has ended."""
        found: list[Tensor | None] = []
        while self._spans:
            owner, found = self._spans.pop()
            if owner is module:  # the spans above it were left by an error that the network caught
                break
        if found and self._spans:
            self._spans[-1][1].append(None)
        return found[0] if len(found) == 1 else None

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is F.multi_head_attention_forward:
            with self:  # which is off in here, and would not see what happens inside
                return _MULTI_HEAD_ATTENTION(*args, **kwargs)
        result = func(*args, **kwargs)
        if self._spans and isinstance(result, Tensor) and result.dim() >= FEWEST_AXES:
            self._note(func, (*args, *kwargs.values()), result)
        return result

    def _note(self, func: Callable[..., Any], given: tuple[Any, ...], result: Tensor) -> None:
        name = getattr(func, "__name__", "")
        if func is F.scaled_dot_product_attention:
            self._spans[-1][1].append(result.clone())
        elif name == "softmax":
            self._weights[result] = True
        elif (weights := next((one for one in _tensors(given) if one in self._weights), None)) is not None:
            if name in PRODUCTS:
                self._spans[-1][1].append(result.clone())
            elif result.shape == weights.shape:  # dropout, another type, a mask
                self._weights[result] = True


def _tensors(given: tuple[Any, ...]) -> Iterator[Tensor]:
    for one in given:
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, list | tuple):
            yield from _tensors(tuple(one))


def _unwatched(function: FunctionType) -> Callable[..., Any]:
    """Copy one of torch's functions so that it runs without handing itself to a `TorchFunctionMode`."""
    names = {**function.__globals__, "has_torch_function": lambda _: False}
    copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


_MULTI_HEAD_ATTENTION = _unwatched(cast(FunctionType, F.multi_head_attention_forward))


class native_recurrence(TorchFunctionMode):  # noqa: N801  # used as `with native_recurrence():`
    """While the block runs, recurrent layers do without cuDNN, which has no gradient for them in eval mode."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") not in RECURRENCES:
            return func(*args, **(kwargs or {}))
        with torch.backends.cudnn.flags(enabled=False):
            return func(*args, **(kwargs or {}))
