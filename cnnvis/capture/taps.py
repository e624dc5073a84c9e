"""Listens at single modules: all that is needed where the layers of interest speak for themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch import nn

from cnnvis.capture.axes import BATCH_FIRST
from cnnvis.capture.calls import Call, Listener, Value, named_inputs, value_name
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.naming import Namer
from cnnvis.capture.nested import replace_tensor, tensors_in
from cnnvis.capture.roles import module_role


class ModuleTaps:
    """Context manager that tells a listener of each call of some modules, with one hook on each.

    The cheap stand-in for a Tracer: same names, but no operations, blocks, inputs and sources, and values
    must be (N, C, *S) by themselves (`has_own_axes`).

    Parameters
    ----------
    tree : ModuleTree
    listener : callable
        Called with each Call; may return a tensor that takes the place of the layer's value.
    modules : collection of str
        Dotted names of layers among `tree.traced`.
    on_end : callable, optional
        Called when a forward pass is over; not after one that raised.
    """

    def __init__(
        self,
        tree: ModuleTree,
        listener: Listener,
        modules: Collection[str],
        *,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self._tree = tree
        self._listener = listener
        self._names = modules
        self._on_end = on_end
        self._namer = Namer(type(tree.model).__name__, tree.all)
        self._is_running = False
        self._cleanup = ExitStack()

    def __enter__(self) -> ModuleTaps:
        model = self._tree.model
        with ExitStack() as stack:
            stack.callback(model.register_forward_pre_hook(self._begin, with_kwargs=True).remove)
            for name in self._names:
                module = self._tree.traced[name]
                tell = partial(self._tell, name, module_role(module))
                stack.callback(module.register_forward_hook(tell).remove)
            stack.callback(model.register_forward_hook(self._end, always_call=True).remove)
            self._cleanup = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._cleanup.close()

    def _begin(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._is_running = True
        self._namer.restart()
        for argument, _ in named_inputs(model, args, kwargs):
            self._namer.input(argument)

    def _end(self, _model: nn.Module, _args: Any, output: Any) -> None:
        self._is_running = False
        if output is not None and self._on_end is not None:
            self._on_end()

    def _tell(self, name: str, role: Any, module: nn.Module, _args: Any, output: Any) -> Any:
        if not self._is_running:  # a part of the model, called by itself
            return None
        with torch._C.DisableTorchFunction():  # what is computed here is not the model's
            layer = self._namer.module_call(name)
            values = tuple(
                Value(value_name(layer, index, path), tensor, BATCH_FIRST)
                for index, (path, tensor) in enumerate(tensors_in(output))
            )
            told = self._listener(Call(layer, type(module).__name__, role, name, module, values=values))
            return None if told is None else replace_tensor(output, values[0].tensor, told)
