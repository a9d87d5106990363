"""A traced view of a network, in which every operation has a name; imported when it is needed, as torchvision is."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection, Mapping
from inspect import Parameter
from operator import attrgetter
from typing import Any

import torchvision
from torch import Tensor, fx, nn
from torchvision.models.feature_extraction import NodePathTracer

from lucidtorch.base.errors import BadInputError
from lucidtorch.models.running.frozen import probing
from lucidtorch.models.running.traced_layers import TracedLayer, layers_of, place

LEAVES = [kind for _, kind in inspect.getmembers(torchvision.ops, inspect.isclass) if issubclass(kind, nn.Module)]
ANY_NUMBER: dict[object, Any] = {Parameter.VAR_POSITIONAL: (), Parameter.VAR_KEYWORD: {}}


def traced(module: nn.Module, inputs: Collection[str] = ()) -> nn.Module:
    """Give a view of a network whose layers are its single operations, functional ones too.

    The view computes what the network computes in eval mode, with the network's own parameters and buffers, which it
    shares. Each operation is a layer named as torchvision's `get_graph_node_names` names it (`layer1.0.relu_1`,
    `layer1.0.add`, `flatten`): an identity through which the operation's value passes, so that forward hooks see it.
    Its attribute `kind` says what it is (`Conv2d`, `add`). What lies inside a module that is called as a whole, such
    as the convolution in torchvision's `Conv2dNormActivation`, is a layer under its own name.
    """
    before = set(vars(module))
    tracer = _Tracer(inputs)
    with probing(module) as attempt:
        graph = tracer.trace(module)
    # The tracer leaves tensors that the forward pass itself makes with the network, which is to stay as it was.
    constants = {name: vars(module).pop(name) for name in set(vars(module)) - before}
    if attempt.reason is not None:
        raise BadInputError(
            f"{type(module).__name__} cannot be traced ({attempt.reason}). Load it without trace=True: every module "
            "of it has an address all the same, only functional operations have none."
        )
    return _TracedView(module, graph, tracer, constants)


class _Tracer(NodePathTracer):  # type: ignore[misc]  # torchvision has no types
    """torchvision's tracer, which lets parameters that have a default keep it."""

    def __init__(self, inputs: Collection[str]) -> None:
        super().__init__(leaf_modules=LEAVES, autowrap_modules=(math, torchvision.ops))
        self.inputs = inputs

    def create_args_for_root(self, root_fn: Any, is_module: bool, concrete_args: Any = None) -> tuple[Any, list[Any]]:
        """Leave out what has a default: as a symbol, `None` would not be `None`."""
        function, arguments = super().create_args_for_root(root_fn, is_module, concrete_args)
        parameters = inspect.signature(inspect.unwrap(root_fn)).parameters
        for at, argument in enumerate(arguments):
            if isinstance(argument, fx.Proxy):
                parameter = parameters[_parameter_of(argument.node)]
                arguments[at] = argument if self.asks_for(parameter) else _default(parameter)
        return function, arguments

    def asks_for(self, parameter: Parameter) -> bool:
        """Whether a parameter of the network's forward is one of the view's."""
        return parameter.name in self.inputs or (
            parameter.default is Parameter.empty and parameter.kind not in ANY_NUMBER
        )


class _TracedView(TracedLayer):
    """The whole view, which runs the operations one after the other, each value through its layer."""

    def __init__(self, original: nn.Module, graph: fx.Graph, tracer: _Tracer, constants: Mapping[str, Tensor]) -> None:
        super().__init__(original, type(original).__name__)
        parameters = inspect.signature(original.forward).parameters
        called = {str(node.target) for node in graph.nodes if node.op == "call_module"}
        self._modules.update(layers_of(original, called, tracer.is_leaf_module)._modules)
        self._layers = {node: self._layer(node, name) for node, name in tracer.node_to_qualname.items()}
        for node, layer in self._layers.items():
            feeders = node.all_input_nodes
            layer.fed_by = tracer.node_to_qualname.get(feeders[0]) if len(feeders) == 1 else None
        self._constants = nn.Module()
        for name, constant in constants.items():
            self._constants.register_buffer(name, constant, persistent=False)
        self._nodes = list(graph.nodes)
        self._spent = _spent(graph)
        self._signature = inspect.Signature([one for one in parameters.values() if tracer.asks_for(one)])
        self._defaults = {one.name: _default(one) for one in parameters.values() if not tracer.asks_for(one)}
        self.__dict__["forward"] = _signed(self._run, self._signature)

    @property
    def traced_from(self) -> nn.Module:
        """The network itself."""
        network: nn.Module = self.__dict__["_original"]
        return network

    def get_submodule(self, target: str) -> nn.Module:
        """Find a layer, also one that is called as a method or a parameter is, such as `float`."""
        part: nn.Module | None = self
        for name in filter(None, target.split(".")):
            part = None if part is None else part._modules.get(name)
        if part is None:
            raise AttributeError(f"{self.kind} has no layer {target!r}")
        return part

    def state_dict(  # type: ignore[override]
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Give the network's own state dict."""
        return self.traced_from.state_dict(
            destination=destination,  # type: ignore[arg-type]  # None is what torch's own default is
            prefix=prefix,
            keep_vars=keep_vars,
        )

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load a state dict into the network itself."""
        return self.traced_from.load_state_dict(state_dict, strict, assign)

    def _layer(self, node: fx.Node, name: str) -> TracedLayer:
        if node.op == "call_module":
            called = self.traced_from.get_submodule(str(node.target))
            return place(self, name, called, type(called).__name__)
        kind = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
        return place(self, name, None, {"placeholder": "input", "get_attr": "parameter"}.get(node.op, kind))

    def _run(self, *inputs: Any, **named: Any) -> Any:
        given = self._defaults | self._signature.bind(*inputs, **named).arguments
        values: dict[fx.Node, Any] = {}
        for node in self._nodes:
            if node.op == "output":
                return fx.node.map_arg(node.args[0], values.__getitem__)
            value = self._result(node, values, given)
            if node in self._layers:  # torchvision names no buffers
                value = self._layers[node](value)
            if node.users:
                values[node] = value
            for spent in self._spent[node]:
                del values[spent]
        return None

    def _result(self, node: fx.Node, values: dict[fx.Node, Any], given: Mapping[str, Any]) -> Any:
        target: Any = node.target
        if node.op == "placeholder":
            return given[_parameter_of(node)]
        if node.op == "get_attr":
            return attrgetter(target)(self._constants if hasattr(self._constants, target) else self.traced_from)
        args: Any = fx.node.map_arg(node.args, values.__getitem__)
        kwargs: Any = fx.node.map_arg(node.kwargs, values.__getitem__)
        if node.op == "call_module":
            return self.traced_from.get_submodule(target)(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], target)(*args[1:], **kwargs)
        return target(*args, **kwargs)


def _parameter_of(node: fx.Node) -> str:
    return str(node.target).lstrip("*")


def _default(parameter: Parameter) -> Any:
    return ANY_NUMBER.get(parameter.kind, parameter.default)


def _spent(graph: fx.Graph) -> dict[fx.Node, list[fx.Node]]:
    """Say which values nobody needs any more after an operation."""
    spent: dict[fx.Node, list[fx.Node]] = {}
    seen: set[fx.Node] = set()
    for node in reversed(list(graph.nodes)):
        spent[node] = [one for one in node.all_input_nodes if one not in seen]
        seen.update(node.all_input_nodes)
    return spent


def _signed(function: Any, signature: inspect.Signature) -> Any:
    """Let a function say what it takes."""

    def signed(*inputs: Any, **named: Any) -> Any:
        return function(*inputs, **named)

    signed.__dict__["__signature__"] = signature
    return signed
