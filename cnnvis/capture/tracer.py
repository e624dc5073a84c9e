"""Follows forward passes: which layers run, on what, and what comes out.

Hooks on the modules give the layers and the module whose forward is running; a
`torch.overrides.TorchFunctionMode` sees the functional operations between them. Data flow is followed
by the identity of tensors. So the graph is that of the run itself: control flow that depends on data,
nested inputs and outputs, and modules called twice need no special care.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnvis.capture.axes import BATCH_FIRST, Axes, follow_axes, module_axes, operation_axes
from cnnvis.capture.calls import Arguments, Call, Flow, Listener, Origin, Value, named_inputs, value_name
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.naming import Namer, operation_name
from cnnvis.capture.nested import replace_tensor, tensors_in
from cnnvis.capture.roles import PASSED_THROUGH, is_leaf, module_role, operation_role
from cnnvis.core import LayerRole


class _Frame(NamedTuple):
    """A module whose forward is running; a layer's has arguments, and nothing inside it is traced."""

    name: str
    module: nn.Module
    arguments: Arguments | None

    @property
    def is_layer(self) -> bool:
        return self.arguments is not None


class _OperationMode(TorchFunctionMode):
    """Hands every torch function to `run`."""

    def __init__(self, run: Callable[..., Any]) -> None:
        super().__init__()
        self._run = run

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._run(func, args, kwargs or {})


class Tracer:
    """Context manager that tells a listener of each layer of each forward pass of a model.

    Parameters
    ----------
    tree : ModuleTree
        The model, as it is now.
    listener : callable
        Called with each Call; may return a tensor that takes the place of the layer's value.
    on_end : callable, optional
        Called when a forward pass is over; not after one that raised.

    Notes
    -----
    Costs about 0.1 ms per layer and operation. Hooks are gone on exit, also when forward raises.
    Not thread-safe: one forward pass at a time.
    """

    def __init__(
        self,
        tree: ModuleTree,
        listener: Listener,
        *,
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self._tree = tree
        self._listener = listener
        self._on_end = on_end
        self._namer = Namer(type(tree.model).__name__, tree.all)
        self._flow = Flow()
        self._frames: list[_Frame] = []
        self._cleanup = ExitStack()

    def __enter__(self) -> Tracer:
        with ExitStack() as stack:
            for name, module in self._tree.traced.items():
                enter = module.register_forward_pre_hook(partial(self._enter_module, name), with_kwargs=True)
                stack.callback(enter.remove)
                # always_call: a model may catch what a layer raises, and go on
                leave = module.register_forward_hook(partial(self._leave_module, name), always_call=True)
                stack.callback(leave.remove)
            stack.enter_context(_OperationMode(self._run_operation))
            self._cleanup = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._cleanup.close()
        self._frames.clear()
        self._flow.clear()

    def origin(self, tensor: Tensor) -> Origin | None:
        """Return where a tensor of the forward pass that ran last comes from; None where it depends on no input."""
        return self._flow.get(tensor)

    # Modules. Whatever is computed here is not the model's, so it is hidden from every TorchFunctionMode.

    def _enter_module(self, name: str, module: nn.Module, args: Any, kwargs: Any) -> Any:
        if self._frames and self._frames[-1].is_layer:
            return None
        replaced = None
        with torch._C.DisableTorchFunction():
            if not self._frames:
                if name:
                    return None  # a part of the model, called by itself
                args, kwargs = replaced = self._begin(args, kwargs)
            arguments = Arguments(args, kwargs, self._flow) if is_leaf(module, root=not name) else None
            self._frames.append(_Frame(name, module, arguments))
        return replaced

    def _leave_module(self, name: str, module: nn.Module, _args: Any, output: Any) -> Any:
        if not self._frames or self._frames[-1].module is not module:
            return None
        frame = self._frames.pop()
        if output is None:  # forward raised, or there is nothing to tell
            return None
        with torch._C.DisableTorchFunction():
            replaced = self._publish_block(frame, output) if not frame.is_layer else self._publish_layer(frame, output)
            if not name and self._on_end is not None:
                self._on_end()
        return replaced

    def _begin(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Start a forward pass: its inputs come first. Return its arguments with what the listener put in place."""
        self._namer.restart()
        self._flow.clear()
        for argument, tensor in named_inputs(self._tree.model, args, kwargs):
            name = self._namer.input(argument)
            self._flow.set(tensor, Origin((name,), BATCH_FIRST, is_input=True, value=name))
            told = self._listener(Call(name, "Input", LayerRole.INPUT, values=(Value(name, tensor, BATCH_FIRST),)))
            if told is not None:
                self._flow.set(told, Origin((name,), BATCH_FIRST, is_input=True, value=name))
                args, kwargs = replace_tensor((args, kwargs), tensor, told)
        return args, kwargs

    def _publish_layer(self, frame: _Frame, output: Any) -> Any:
        role = module_role(frame.module)
        call = Call(self._namer.module_call(frame.name), type(frame.module).__name__, role, frame.name, frame.module)
        return self._publish(call, frame.arguments, output, partial(module_axes, frame.module, role))

    def _publish_block(self, frame: _Frame, output: Any) -> Any:
        if not frame.name:
            return None
        name = self._namer.module_call(frame.name)
        values = []
        for index, (path, tensor) in enumerate(tensors_in(output)):
            origin = self._flow.get(tensor)
            values.append(Value(value_name(name, index, path), tensor, origin.axes if origin else BATCH_FIRST))
        kind = type(frame.module).__name__
        call = Call(name, kind, LayerRole.OTHER, frame.name, frame.module, values=tuple(values), is_block=True)
        return self._tell(call, output)

    # Functional operations

    def _run_operation(self, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
        if not self._frames or self._frames[-1].is_layer:
            return function(*args, **kwargs)
        with torch._C.DisableTorchFunction():
            before = Arguments(args, kwargs, self._flow)
        result = function(*args, **kwargs)
        if not before.tracked:
            return result
        operation = operation_name(function)
        output = args[0] if operation == "setitem" else result
        with torch._C.DisableTorchFunction():
            replaced = self._publish_operation(operation, function, before, output)
        return result if replaced is None or operation == "setitem" else replaced

    def _publish_operation(self, operation: str, function: Any, before: Arguments, output: Any) -> Any:
        tensors = [tensor for _, tensor in tensors_in(output)]
        if operation in PASSED_THROUGH or all(tensor.ndim == 0 for tensor in tensors):
            self._pass_through(before, tensors)
            return None
        role = operation_role(operation, len(before.sources))
        name = self._namer.operation(self._frames[-1].name, operation)
        call = Call(name, operation, role, origin=function)
        return self._publish(call, before, output, partial(operation_axes, role, operation))

    def _pass_through(self, before: Arguments, tensors: list[Tensor]) -> None:
        source, origin = before.tracked[0]
        sources = tuple(dict.fromkeys(before.sources))
        value = origin.value if before.args and before.args[0] is source else ""
        for tensor in tensors:
            if not before.hands_through(tensor):
                axes = follow_axes(tensor, source, origin.axes)
                self._flow.set(tensor, Origin(sources, axes, origin.is_input, value))

    # Both

    def _publish(self, call: Call, before: Arguments, output: Any, axes_of: Callable[..., Axes]) -> Any:
        """Tell the listener of `call`, note where its tensors come from; return what replaces `output`, or None."""
        replaced = None
        if isinstance(output, Tensor) and before.hands_through(output):
            # Identity, dropout in eval mode: one tensor object for two layers would merge two paths into one
            replaced = output = output.view_as(output)
        leading, values = before.leading(), []
        for index, (path, tensor) in enumerate(tensors_in(output)):
            axes = axes_of(path, tensor, *(leading or (tensor, BATCH_FIRST)))
            values.append(Value(value_name(call.name, index, path), tensor, axes))
            self._note(tensor, Origin((call.name,), axes, value=values[-1].name), before)
        call.args, call.kwargs = before.args, before.kwargs
        call.arguments, call.tracked = before.tensors, tuple(before.tracked)
        call.sources, call.values = before.sources, tuple(values)
        told = self._tell(call, output, overwrite=bool(values) and _may_overwrite(call, before))
        return replaced if told is None else told

    def _note(self, tensor: Tensor, origin: Origin, before: Arguments) -> None:
        """Note the origin of a result; one that changed a view in place also changed what it is a view of."""
        if before.hands_through(tensor):
            return
        base = tensor._base if before.changes(tensor) else None
        self._flow.set(tensor, origin)
        of_base = self._flow.get(base) if base is not None else None
        if of_base is not None:
            self._flow.set(base, Origin(of_base.sources + origin.sources, of_base.axes))

    def _tell(self, call: Call, output: Any, *, overwrite: bool = False) -> Any:
        """Return `output` with the listener's tensor in the place of the layer's value; None where it stays."""
        told = self._listener(call)
        if told is None:
            return None
        if overwrite:
            call.values[0].tensor.copy_(told)
            return None
        self._flow.set(told, Origin((call.name,), call.values[0].axes, value=call.name))
        return replace_tensor(output, call.values[0].tensor, told)


def _may_overwrite(call: Call, before: Arguments) -> bool:
    """Whether the layer worked in place, so that the model may hold on to what it passed in, not to what came back.

    Not where a backward pass may need the value as it is: an activation in place keeps its result for that.
    """
    tensor = call.values[0].tensor
    return before.changes(tensor) and (call.type == "setitem" or not tensor.requires_grad)
