"""What one layer did with one image: its sources, its rule, its values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnvis.capture.calls import Call, channels_first
from cnnvis.capture.explaining.rules import MAKERS, Reading, before_padding
from cnnvis.capture.inputs import ForwardCall, as_call, as_example, as_module, with_images
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.naming import operation_name
from cnnvis.capture.state import evaluating
from cnnvis.capture.tracer import Tracer
from cnnvis.core import LayerRole, ModelGraph, Provenance
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.operation import LayerOperation, LayerValues
from cnnvis.core.operation_rules import Concatenation, Merge, PointFunction, Rule, Softmax

SOFTMAX = "softmax"
"""Name of what makes probabilities of the network's answer, where no layer of the network has that name."""

_SIGNS: dict[str, Any] = {"add": "+", "sub": "-", "mul": "x"}
_PASSED = (LayerRole.RESHAPE, LayerRole.IDENTITY)
_FOLLOWS = (LayerRole.NORM, LayerRole.ACTIVATION)


def explain(model: Any, image: Any, layer: str) -> LayerOperation:
    """Return what one layer of a network did with one image: `.at(channel, position)` is the working of one value.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    image : image file, or tensor or ndarray (1, ...), or None
        As for `record`; of several images the first. None: the Network's own example.
    layer : str
        A layer, named as in `trace`; or "softmax" for what makes probabilities of the network's answer.

    Returns
    -------
    LayerOperation
        Convolutions (strided, padded, dilated, grouped, transposed), dense layers, poolings, batch norms, activations,
        softmax, sums, products and concatenations of layers have a rule. Any other layer has its sources and values
        alone, and `note` says so.

    Raises
    ------
    LayerNotFoundError
        For a layer that the network has not; near matches are listed.
    InvalidInputError
        For an input, a layer without values, and a softmax of something else than class scores.

    Notes
    -----
    The rule is read from the call of the torch function whose result the layer returned, so a module of one's own that
    pads or makes its weights before it convolves is explained by what it really convolved.
    Cost: two forward passes. The model is left as it was.
    """
    return explain_layers(model, image, [layer])[layer]


def explain_layers(model: Any, image: Any, layers: Iterable[str]) -> dict[str, LayerOperation]:
    """Return what several layers of a network did with one image; parameters and errors as for `explain`.

    Cost: two forward passes for all of them together, and a third for "softmax".
    """
    module = as_module(model)
    call, names = first_call(model, image, "explain")
    graph = _trace(module, call)
    wanted = tuple(dict.fromkeys(layers))
    real = [layer for layer in wanted if layer != SOFTMAX or SOFTMAX in graph]
    for layer in real:
        _require_computed(graph, layer)
    following = {layer: _following(graph, layer) for layer in real}
    needed = set(real).union(*following.values(), *(_sources(graph, layer) for layer in real))
    watch = _Watch(set(real), needed)
    tree = ModuleTree(module)
    if real:
        with evaluating(tree), watch, Tracer(tree, watch.listen):
            given = call.copy()
            module(*given.args, **given.kwargs)
    provenance = _provenance(model, module, names)
    found = {}
    for layer in real:
        rule, sources, note = _explained(graph, layer, watch)
        found[layer] = LayerOperation(
            output=_values(graph, layer, watch.kept[layer]),
            sources=sources,
            rule=rule,
            following=tuple(_values(graph, name, watch.kept[name]) for name in following[layer]),
            class_names=_class_names(model, graph, layer),
            note=note,
            provenance=provenance,
        )
    return {
        layer: found[layer] if layer in found else _answer(model, module, call, graph, provenance) for layer in wanted
    }


def _require_computed(graph: ModelGraph, layer: str) -> None:
    node = graph[layer]
    if node.role is LayerRole.INPUT:
        raise InvalidInputError(f"{layer!r} is an input of the network: nothing computes it. Name a layer behind it.")
    if not node.recordable:
        raise InvalidInputError(f"Layer {layer!r} ({node.type}) has no values for each image, so nothing to explain.")


class _Primitive(NamedTuple):
    """One call of a torch function."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Tensor


class _Read(NamedTuple):
    """The rule of a layer, and what it read of the image, (C, *S)."""

    rule: Rule
    fed: np.ndarray


class _Watch(TorchFunctionMode):
    """Keeps values of some layers, and what others called torch with.

    Entered before the tracer it hears every call of a torch function that the tracer lets pass. Layers that work in
    place change what came before, so all is copied as soon as its layer is done.
    """

    def __init__(self, layers: set[str], wanted: set[str]) -> None:
        super().__init__()
        self._layers, self._wanted = layers, wanted
        self._recent: list[_Primitive] = []
        self.kept: dict[str, np.ndarray] = {}
        self.reads: dict[str, _Read] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = operation_name(func)
        if (name in MAKERS or name == "pad") and isinstance(result, Tensor):
            self._recent.append(_Primitive(name, args, kwargs or {}, result))
        return result

    def listen(self, call: Call) -> None:
        """Keep what is wanted of a layer that has run."""
        if call.name in self._wanted and call.values:
            value = call.values[0]
            self.kept[call.name] = _first_image(channels_first(value.tensor, value.axes))
        if call.is_block:
            return
        if call.name in self._layers:
            reading = _reading(self._recent, call.values[0].tensor)
            if reading is not None:
                self.reads[call.name] = _Read(reading.rule, _first_image(reading.fed))
        self._recent.clear()


def _explained(graph: ModelGraph, layer: str, watch: _Watch) -> tuple[Rule | None, tuple[LayerValues, ...], str]:
    """Return the rule of a layer, what it read, and what is to be said of it."""
    names = list(dict.fromkeys(graph.sources(layer)))
    own = tuple(_values(graph, name, watch.kept[name]) for name in names if name in watch.kept)
    if layer in watch.reads:
        rule, fed = watch.reads[layer]
        source = _unflattened(graph, names[0], fed, watch) if names else None
        return rule, (source or LayerValues(names[0] if names else "constants", "", fed),), ""
    node, made = graph[layer], watch.kept[layer]
    same = [source for source in own if source.values.shape == made.shape]
    operands = tuple(_values(graph, name, watch.kept[name]) for name in graph.sources(layer) if name in watch.kept)
    if node.role is LayerRole.ACTIVATION and len(own) == len(same) == 1 and _is_point_function(same[0].values, made):
        return PointFunction(made), own, ""
    if node.role is LayerRole.MERGE and node.type in _SIGNS and _broadcast(operands, made.shape):
        merge = Merge(_SIGNS[node.type])
        if _holds(merge, operands, made):
            return merge, operands, ""
    if node.type == "cat" and _lie_behind_each_other(operands, made):
        return Concatenation(), operands, ""
    if node.role in _PASSED:
        return None, own, f"A {node.type} computes nothing: it hands on what it reads, in the same or another shape."
    return None, own, f"How a {node.type} computes is not known here: what it read and what it made is all there is."


def _reading(primitives: Sequence[_Primitive], made: Tensor) -> Reading | None:
    """Return what was read by the torch function whose result the layer returned."""
    found = next((one for one in reversed(primitives) if one.result is made and one.name in MAKERS), None)
    if found is None:
        return None
    try:
        reading = MAKERS[found.name](*found.args, **found.kwargs, out=found.result)
    except TypeError:
        return None  # called in a way of which nothing is known
    if reading is None:
        return None
    padding = next((one for one in primitives if one.name == "pad" and one.result is reading.fed), None)
    if padding is None:
        return reading
    rule = before_padding(reading.rule, *padding.args, **padding.kwargs)
    return reading if rule is None else Reading(padding.args[0], rule)


def _unflattened(graph: ModelGraph, name: str, fed: np.ndarray, watch: _Watch) -> LayerValues | None:
    """Return the layer that `fed` is the values of, also where they were flattened on the way; None where none is."""
    while True:
        values = watch.kept.get(name)
        if values is None:
            return None
        same = values.size == fed.size and np.array_equal(values.reshape(-1), fed.reshape(-1), equal_nan=True)
        if same and graph[name].role not in _PASSED:
            return _values(graph, name, values if fed.ndim == 1 else fed)
        sources = graph.sources(name)
        if graph[name].role not in _PASSED or len(sources) != 1:
            return _values(graph, name, values) if values.shape == fed.shape else None
        name = sources[0]


def _sources(graph: ModelGraph, layer: str) -> set[str]:
    """Return the layers that feed `layer`, and those before reshapes on the way."""
    found, waiting = set(), list(graph.sources(layer))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += graph.sources(name) if graph[name].role in _PASSED else ()
    return found


def _following(graph: ModelGraph, layer: str) -> list[str]:
    """Return norm and activation behind a layer, as long as they alone read what is before and keep its shape."""
    found, last = [], layer
    while len(targets := graph.targets(last)) == 1:
        node = graph[targets[0]]
        if node.role not in (*_FOLLOWS, LayerRole.IDENTITY) or node.shape != graph[layer].shape or not node.recordable:
            break
        last = node.name
        if node.role in _FOLLOWS:
            found.append(last)
    return found


def _answer(model: Any, module: Any, call: ForwardCall, graph: ModelGraph, provenance: Provenance) -> LayerOperation:
    """Return the softmax of what the network returns."""
    with evaluating(ModuleTree(module)):
        given = call.copy()
        output = module(*given.args, **given.kwargs)
    if not isinstance(output, Tensor) or output.ndim != 2:
        found = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
        raise InvalidInputError(
            f"A softmax is taken of class scores (1, K), but {type(module).__name__} returns {found}. Name a layer."
        )
    scores = _first_image(output)
    shares = torch.softmax(output[0].double(), 0).cpu().numpy()
    return LayerOperation(
        output=LayerValues(SOFTMAX, "softmax", shares),
        sources=(LayerValues(graph.names[-1], graph.layers[-1].type, scores),),
        rule=Softmax(),
        class_names=tuple(getattr(model, "class_names", None) or ()),
        provenance=provenance,
    )


def _trace(module: Any, call: ForwardCall) -> ModelGraph:
    from cnnvis.capture.graph import trace

    return trace(module, call.kwargs or call.args)


def first_call(model: Any, image: Any, what: str) -> tuple[ForwardCall, tuple[str, ...]]:
    """Return the forward pass of the first image alone, and its name; of the Network's example for None."""
    if image is None:
        return next(iter(as_example(model, None, what).images())), ()
    inputs, names = with_images(model, image, ())
    return next(iter(as_call(as_module(model), inputs).images())), names[:1]


def _values(graph: ModelGraph, name: str, values: np.ndarray) -> LayerValues:
    return LayerValues(name, graph[name].type, values)


def _first_image(tensor: Tensor) -> np.ndarray:
    return np.array(tensor[0].detach().float().cpu().numpy())


def _is_point_function(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether, channel by channel, equal values become equal ones: of a softmax or a norm that would be chance."""
    for one, other in zip(before.reshape(len(before), -1), after.reshape(len(after), -1), strict=True):
        order = np.argsort(one, kind="stable")
        same = np.diff(one[order]) == 0
        if (np.diff(other[order])[same] != 0).any():
            return False
    return True


def _broadcast(parts: tuple[LayerValues, ...], shape: tuple[int, ...]) -> bool:
    try:
        return len(parts) > 1 and np.broadcast_shapes(*(part.values.shape for part in parts)) == shape
    except ValueError:
        return False


def _lie_behind_each_other(parts: tuple[LayerValues, ...], made: np.ndarray) -> bool:
    if len(parts) < 2 or any(part.values.shape[1:] != made.shape[1:] for part in parts):
        return False
    return np.array_equal(np.concatenate([part.values for part in parts]), made, equal_nan=True)


def _holds(rule: Rule, parts: tuple[LayerValues, ...], made: np.ndarray) -> bool:
    """Whether a rule gives what was made, at the largest value: an `add` may have scaled what it added."""
    place = np.unravel_index(int(np.argmax(np.abs(np.nan_to_num(made)))), made.shape)
    channel, *position = (int(index) for index in place)
    working = rule.at([part.values for part in parts], channel, tuple(position))
    return bool(np.isclose(working.result, made[place], rtol=1e-4, atol=1e-6, equal_nan=True))


def _class_names(model: Any, graph: ModelGraph, layer: str) -> tuple[str, ...]:
    """Return the network's classes where the layer's channels are these: nothing but a softmax follows it."""
    names = tuple(getattr(model, "class_names", None) or ())
    ends = not [name for name in graph.targets(layer) if graph[name].role is not LayerRole.ACTIVATION]
    return names if ends and len(names) == graph[layer].channels else ()


def _provenance(model: Any, module: Any, names: tuple[str, ...]) -> Provenance:
    describe = getattr(model, "provenance", None)
    return describe(names) if describe else replace(Provenance(), model=type(module).__name__, inputs=names)
