"""Which layers share their channels, and where the channels are read: found by following one run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import compress
from math import gcd
from operator import not_
from typing import Any, NamedTuple

from torch import Tensor, nn

from cnnvis.capture.axes import Axes
from cnnvis.capture.calls import Call, Origin
from cnnvis.capture.channel_rules import Kind, groups_of, keeps_axis, kind_of, mixes_statistics
from cnnvis.capture.channels import Content, Segment, Space, cut, forbid, join, length, read, reshaped, stretches
from cnnvis.capture.inputs import as_example, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.nested import tensors_in
from cnnvis.capture.state import evaluating
from cnnvis.capture.tracer import Tracer
from cnnvis.core import ChannelSpace, ChannelSpaces, LayerRole, Read

_BY_VALUE = (Kind.ELEMENTWISE, Kind.NORM, Kind.ACTIVATION)


def channel_spaces(model: Any, example: Any = None) -> ChannelSpaces:
    """Return which layers of `model` share their channels, and in which values the channels are read.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    example : tensor or ndarray, tuple or dict of these, optional
        As for `trace`. May be left out for a Network, which brings its own.

    Returns
    -------
    ChannelSpaces
        Convolutions and dense layers open a space; norms, activations, pooling, padding, upsampling and
        depthwise convolutions keep it; sums and products make one of those they merge; concatenations lay
        them side by side. Anything else (attention, a split or shuffle of channels, layers that are not
        known) reads what it is fed with, and the spaces it touches have an `obstacle`: their channels can be switched
        off, but not removed. So have those in a norm over channels or a softmax: there, single channels depend on
        each other. A grouped convolution cuts the channels that it reads and gives into `groups`.

        A module that is called twice, or two that share weights, make one space of what goes into their calls and
        one of what comes out: a filter is in all of them or in none.

        An input has a space without layers. Its units are its channels, or its single entries (pixels)
        where it is read only as a flattened value, as by a perceptron. A depthwise convolution of several spaces at
        once, behind a concatenation, is listed in none.

    Raises
    ------
    InvalidInputError
        When `model` is no network, or there is no example.

    Notes
    -----
    Costs one forward pass as `trace` does. Layers that the example does not reach are left out, and so are integer
    inputs such as tokens. A mean, sum or extremum that drops axes is told from its values to be one
    over positions; with an example whose channels are all alike it cannot be.
    """
    module = as_module(model)
    call = as_example(model, example, "channel_spaces")
    tree = ModuleTree(module)
    builder = _Builder()
    with evaluating(tree), Tracer(tree, builder.add) as tracer:
        output = module(*call.args, **call.kwargs)
        builder.end((tensor, tracer.origin(tensor)) for _, tensor in tensors_in(output))
    return builder.result()


class _Fed(NamedTuple):
    """A tensor that goes into a call: the layers it comes from (mostly one), and what its channels are."""

    sources: tuple[str, ...]
    tensor: Tensor
    axes: Axes
    content: Content

    @property
    def place(self) -> int:
        """The channel axis, counted from the last as in broadcasting."""
        return self.axes.channel - self.tensor.ndim


class _Builder:
    """Listens to a tracer and follows the channels from value to value."""

    def __init__(self) -> None:
        self._contents: dict[str, Content] = {}
        self._axes: dict[str, int] = {}
        self._spaces: list[Space] = []
        self._consumers: dict[str, dict[str, bool]] = {}
        self._owners: dict[int, tuple[str, list[Content]]] = {}

    def add(self, call: Call) -> None:
        if call.is_block:
            return
        self._axes[call.name] = call.values[0].axes.channel if call.values else 1
        if call.role is LayerRole.INPUT:
            self._contents[call.name] = self._opened_by_input(call)
            return
        fed = [self._fed(tensor, origin) for tensor, origin in call.tracked]
        kind = kind_of(call)
        content = self._kept(call, kind, fed) if fed and call.values and call.values[0].tensor.ndim > 1 else None
        for source in fed:
            is_seen_through = kind in _BY_VALUE and content is not None and length(source.content) == length(content)
            self._note_consumer(source, call.name, is_seen_through)
        self._contents[call.name] = self._mixed(call, kind, fed) if content is None else content
        self._tie(call, [*(source.content for source in fed), self._contents[call.name]])

    def end(self, outputs: Iterable[tuple[Tensor, Origin | None]]) -> None:
        """Note what the network returns."""
        for tensor, origin in outputs:
            if origin is not None:
                fed = self._fed(tensor, origin)
                self._read(*fed.sources)
                self._note_consumer(fed, "", is_seen_through=False)
                for segment in fed.content:
                    segment.space.root.is_output = True

    def _note_consumer(self, fed: _Fed, consumer: str, is_seen_through: bool) -> None:
        for name in fed.sources:
            consumers = self._consumers.setdefault(name, {})
            consumers[consumer] = consumers.get(consumer, True) and is_seen_through

    # What goes in

    def _opened(self, size: int, layer: str = "", *, obstacle: str = "", network_input: str = "") -> Content:
        self._spaces.append(Space(size, layer=layer, obstacle=obstacle, network_input=network_input))
        return (Segment(self._spaces[-1]),)

    def _opened_by_input(self, call: Call) -> Content:
        tensor = call.values[0].tensor
        if tensor.ndim < 2:
            return ()
        return self._opened(tensor.shape[1], network_input=call.name if tensor.is_floating_point() else "")

    def _fed(self, tensor: Tensor, origin: Origin) -> _Fed:
        """Return what is known of a tensor; the channels of one that is not simply what a layer gave are not."""
        axis, content = origin.axes.channel, self._contents[origin.sources[0]]
        has_channels = tensor.ndim > max(axis, 1)
        if len(origin.sources) == 1 and has_channels and length(content) == tensor.shape[axis]:
            return _Fed(origin.sources, tensor, origin.axes, content)
        for source in origin.sources:  # a number from a whole layer such as its norm, a further output
            self._read(source)
            forbid(self._contents[source], f"what {source} gives is used in a way that is not followed")
        obstacle = f"made of {' and '.join(origin.sources)} in a way that is not followed"
        unknown = self._opened(tensor.shape[axis], obstacle=obstacle) if has_channels else ()
        return _Fed(origin.sources, tensor, origin.axes, unknown)

    def _read(self, *values: str) -> None:
        for value in values:
            read(self._contents[value], value, self._axes[value])

    # What comes out

    def _kept(self, call: Call, kind: Kind, fed: list[_Fed]) -> Content | None:
        """Return what the value of `call` holds where it has the channels of what went in, None where not."""
        value, (_, tensor, axes, content) = call.values[0], fed[0]
        if kind in _BY_VALUE:
            return self._merged(call, kind, fed)
        if kind is Kind.CONCATENATION:
            return self._concatenated(call, fed)
        if kind is Kind.RESHAPE:
            return reshaped(content, tensor.shape, axes.channel, value.tensor.shape, value.axes.channel)
        if kind is Kind.DEPTHWISE:
            if len(content) == 1 and content[0].block == 1:
                content[0].space.root.layers.append(call.name)
            return content
        return content if keeps_axis(call, kind) else None

    def _merged(self, call: Call, kind: Kind, fed: list[_Fed]) -> Content | None:
        """Return the one content of all that is merged value by value; a single channel is spread over all."""
        value = call.values[0]
        axis = value.axes.channel
        place, size = axis - value.tensor.ndim, value.tensor.shape[axis]
        is_whole = [source.place == place and length(source.content) == size for source in fed]
        whole = [source.content for source in compress(fed, is_whole)]
        if not whole or not join(whole):
            return None
        content = whole[0]
        for source in compress(fed, map(not_, is_whole)):
            self._read(*source.sources)
            forbid(source.content, f"{call.name} spreads it over all channels")
        if kind is Kind.ELEMENTWISE and _has_constants(call, place, size):
            forbid(content, f"{call.name} combines them with numbers of its own per channel")
        if mixes_statistics(call):
            forbid(content, f"{call.name} ({call.type}) makes each channel depend on the others")
        return content

    def _concatenated(self, call: Call, fed: list[_Fed]) -> Content | None:
        """Return the contents side by side, or the one content where other axes are joined: positions, tokens."""
        value = call.values[0]
        size = value.tensor.shape[value.axes.channel]
        by_tensor = {id(source.tensor): source.content for source in fed}
        if any(source.place != value.axes.channel - value.tensor.ndim for source in fed):
            return None
        parts = [by_tensor.get(id(tensor)) for tensor in call.arguments]
        if all(length(source.content) == size for source in fed):
            if None in parts:  # a class token
                forbid(fed[0].content, f"{call.name} joins them with numbers of its own per channel")
            return fed[0].content if join([source.content for source in fed]) else None
        if None in parts or sum(map(length, parts)) != size:
            return None
        return tuple(segment for part in parts for segment in part)

    def _mixed(self, call: Call, kind: Kind, fed: list[_Fed]) -> Content:
        """Read what goes in; return the new channels that come out."""
        for source in fed:
            self._read(*source.sources)
        obstacle, groups = "", 1
        if kind is not Kind.MIXED:
            obstacle = f"{call.name} ({call.type}) uses them in a way that is not followed"
        elif any(source.place != (-1 if call.role is LayerRole.DENSE else 1 - source.tensor.ndim) for source in fed):
            obstacle = f"{call.name} ({call.type}) mixes positions"
        elif call.role is LayerRole.CONVOLUTION:
            groups = groups_of(call)
            if not all(cut(source.content, groups) for source in fed) and groups > 1:
                obstacle = f"{call.name} is a grouped convolution of several kinds of channels at once"
        for source in fed:
            if obstacle:
                forbid(source.content, obstacle)
        if not call.values or call.values[0].tensor.ndim < 2:
            return ()
        size = call.values[0].tensor.shape[call.values[0].axes.channel]
        opened = self._opened(size, call.name if kind is Kind.MIXED else "", obstacle=obstacle)
        cut(opened, groups)
        return opened

    def _tie(self, call: Call, contents: list[Content]) -> None:
        """Make one of the spaces of calls that share weights; a single number, as of PReLU, ties nothing."""
        if isinstance(call.origin, nn.Module):
            weights = [*call.origin.parameters(), *call.origin.buffers()]
        else:
            weights = [tensor for tensor in call.arguments if isinstance(tensor, nn.Parameter)]
        for weight in weights:
            if weight.numel() < 2:
                continue
            owner, others = self._owners.setdefault(weight.data_ptr(), (call.name, contents))
            if owner == call.name:
                continue
            if len(others) != len(contents) or not all(join(pair) for pair in zip(others, contents, strict=True)):
                for content in (*others, *contents):
                    forbid(content, f"{owner} and {call.name} share weights")

    # What was found

    def result(self) -> ChannelSpaces:
        """Return the spaces that have layers or are an input that is read."""
        held: dict[Space, list[Read]] = {space.root: [] for space in self._spaces}
        for value, content in self._contents.items():
            for root, place in stretches(content, value, self._axes[value]):
                held[root].append(place)
        found = [space for root, places in held.items() if (space := self._space(root, places)) is not None]
        found.sort(key=lambda space: bool(space.layers))  # stable: inputs first
        sites = {layer: self._site(layer) for space in found for layer in space.layers}
        sites |= {read.value: read for space in found if not space.layers for read in space.reads}
        return ChannelSpaces(tuple(found), sites)

    def _space(self, root: Space, held: list[Read]) -> ChannelSpace | None:
        order = {name: place for place, name in enumerate(self._contents)}
        layers = tuple(sorted(root.layers, key=order.__getitem__))
        reads = tuple(sorted(root.reads, key=lambda read: (order[read.value], read.start)))
        obstacles = list(root.obstacles)
        if layers and root.network_inputs:
            obstacles.insert(0, f"they are merged with the network's input {root.network_inputs[0]}")
        size = root.size
        if not layers:
            if not (root.network_inputs and reads):
                return None
            fine = gcd(*(read.block for read in reads))
            size, reads = size * fine, tuple(replace(read, block=read.block // fine) for read in reads)
            held = list(reads)
        if size % root.groups:
            obstacles.append(f"grouped convolutions cut the {size} channels in ways that do not fit together")
        return ChannelSpace(layers, size, reads, root.is_output, next(iter(obstacles), ""), tuple(held), root.groups)

    def _site(self, layer: str) -> Read:
        """Return the last value that only passes on what `layer` gives, value by value."""
        consumers = self._consumers.get(layer, {})
        while list(consumers.values()) == [True]:
            layer = next(iter(consumers))
            consumers = self._consumers.get(layer, {})
        return Read(layer, axis=self._axes[layer])


def _has_constants(call: Call, place: int, size: int) -> bool:
    """Whether an operation has an argument of its own with one number per channel."""
    tracked = {id(tensor) for tensor, _ in call.tracked}
    own = (tensor for tensor in call.arguments if id(tensor) not in tracked)
    return any(tensor.ndim >= -place and size > 1 and tensor.shape[place] == size for tensor in own)
