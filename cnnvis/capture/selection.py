"""Which values of a forward pass a user asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from torch import nn

from cnnvis.capture.axes import has_own_axes
from cnnvis.capture.calls import Call, Listener, Value
from cnnvis.capture.graph import unrecordable
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.naming import called_module
from cnnvis.capture.roles import module_role
from cnnvis.capture.taps import ModuleTaps
from cnnvis.capture.tracer import Tracer
from cnnvis.core import LayerRole
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, LayerNotRunError, did_you_mean

_WITHOUT_OWN_VALUES = (LayerRole.INPUT, LayerRole.RESHAPE, LayerRole.IDENTITY)


class Selection:
    """Names and globs of layers, resolved while the model runs.

    Parameters
    ----------
    tree : ModuleTree
    layers : None, str or iterable of str
        None selects every layer with values of its own (no input, reshape, identity); a glob every
        layer whose name matches, both without those that cannot be recorded. A name selects one layer,
        block, or further output of a layer (`lstm:1.0`).

    Raises
    ------
    InvalidInputError
        For an empty list.
    LayerNotFoundError
        For a name that can be no layer: a module inside a layer, or a second name of a module.
    """

    def __init__(self, tree: ModuleTree, layers: str | Iterable[str] | None) -> None:
        wanted = None if layers is None else dict.fromkeys([layers] if isinstance(layers, str) else layers)
        if wanted is not None and not wanted:
            raise InvalidInputError("No layers to record: the list of layers is empty. Leave it out to record all.")
        self._kind = type(tree.model).__name__
        self._tree = tree
        self._modules = tree.traced
        self._takes_all = wanted is None
        self._globs = [name for name in wanted or () if set(name) & set("*?[") and name not in tree.all]
        self._names = dict.fromkeys(name for name in wanted or () if name not in self._globs)
        for name in self._names:
            if name in tree.all and name not in self._modules:
                self._refuse(name, tree.all[name])

    @property
    def modules(self) -> tuple[str, ...] | None:
        """Modules that are enough to watch; None when the whole forward pass must be followed.

        They are enough where each layer is asked for by name, is the call of a module, and the place of its channel
        axis depends on nothing but the module.
        """
        if self._takes_all or self._globs:
            return None
        called = [called_module(name, self._modules) for name in self._names]
        if not all(name and self._speaks_for_itself(self._modules[name]) for name in called):
            return None
        return tuple(dict.fromkeys(called))

    def _speaks_for_itself(self, module: nn.Module) -> bool:
        return has_own_axes(module, module_role(module)) and module not in self._tree.shared

    def listen(self, listener: Listener, *, on_end: Callable[[], None] | None = None) -> ModuleTaps | Tracer:
        """Return the cheapest context manager that tells `listener` of everything selected, each forward pass."""
        modules = self.modules
        if modules is None:
            return Tracer(self._tree, listener, on_end=on_end)
        return ModuleTaps(self._tree, listener, modules, on_end=on_end)

    def values(self, call: Call, n_images: int) -> list[Value]:
        """Return those values of `call` to record.

        Raises
        ------
        InvalidInputError
            When a value was asked for by name and cannot be recorded.
        """
        found = []
        for index, value in enumerate(call.values):
            is_named = value.name in self._names
            if not is_named and (index or not self._takes(call)):
                continue
            obstacle = unrecordable(value, n_images)
            if not obstacle:
                found.append(value)
            elif is_named:
                raise InvalidInputError(f"Layer {value.name!r} ({call.type}) cannot be recorded: {obstacle}.")
        if not call.values and call.name in self._names:
            raise InvalidInputError(f"Layer {call.name!r} ({call.type}) cannot be recorded: it returns no tensor.")
        return found

    def _takes(self, call: Call) -> bool:
        """Whether the value of `call` is selected without being named."""
        if call.is_block:
            return False
        if self._takes_all:
            return call.role not in _WITHOUT_OWN_VALUES
        return any(fnmatchcase(call.name, glob) for glob in self._globs)

    def check(self, recorded: Iterable[str], ran: Iterable[str]) -> None:
        """Raise unless everything selected was recorded in a forward pass in which the layers `ran` ran.

        Raises
        ------
        LayerNotFoundError, LayerNotRunError
        """
        recorded, ran = set(recorded), list(ran)
        for name in self._names:
            if name not in recorded:
                self._explain(name, ran)
        for glob in self._globs:
            if not any(fnmatchcase(name, glob) for name in recorded):
                hint = did_you_mean(glob.strip("*?"), ran, what="layers")
                raise LayerNotFoundError(f"No layer of {self._kind} that can be recorded matches {glob!r}. {hint}")
        if not recorded:
            raise LayerNotFoundError(f"{self._kind} ran no layer with values of its own; there is nothing to record.")

    def _explain(self, name: str, ran: list[str]) -> None:
        module = called_module(name, self._modules)
        if not module:
            hint = did_you_mean(name, ran, what="layers")
            raise LayerNotFoundError(f"No layer {name!r} in {self._kind}. {hint}")
        n_calls = sum(called_module(other, self._modules) == module for other in ran)
        if n_calls:
            hint = f"module {module!r} was called {n_calls} time{'s' if n_calls > 1 else ''}, as "
            hint += ", ".join(other for other in ran if called_module(other, self._modules) == module)
        elif isinstance(self._modules[module], (nn.ModuleList, nn.ModuleDict)):
            hint = f"a {type(self._modules[module]).__name__} is never called, its parts are; try {module + '.*'!r}"
        else:
            hint = f"the forward pass of {self._kind} on this input does not go through it"
        raise LayerNotRunError(f"Layer {name!r} has no values: {hint}.")

    def _refuse(self, name: str, module: nn.Module) -> None:
        """Raise for a module that is no layer of its own."""
        for other, same in self._modules.items():
            if same is module:
                raise LayerNotFoundError(f"{name!r} is another name of the module {other!r}; record {other!r}.")
        layer = max((other for other in self._modules if name.startswith(f"{other}.")), key=len, default="")
        raise LayerNotFoundError(
            f"{name!r} lies inside the layer {layer or self._kind!r}, which is recorded as a whole; record that."
        )
