"""The modules of a network: which are layers, which are blocks of layers, which lie inside a layer."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.lazy import LazyModuleMixin

from cnnvis.capture.roles import is_leaf
from cnnvis.core.errors import InvalidInputError


class ModuleTree:
    """The modules of a model by dotted name, looked up once for all who need them.

    Not a plain result type: it refers to the living model. It is stale once the model's structure changes.

    Parameters
    ----------
    model : nn.Module

    Attributes
    ----------
    model : nn.Module
    all : dict of str to nn.Module
        Every name of every module; "" is the model. A module that is held twice has two names.
    traced : dict of str to nn.Module
        The model, its blocks and its layers, each once, by its first name; nothing that lies inside a layer.
    shared : set of nn.Module
        Modules with several names.

    Raises
    ------
    InvalidInputError
        When parameters of lazy layers have no shape yet: a forward pass would change the model for good.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.all = dict(model.named_modules(remove_duplicate=False))
        for name, module in self.all.items():
            if isinstance(module, LazyModuleMixin) and module.has_uninitialized_params():
                raise InvalidInputError(
                    f"The parameters of the lazy layer {name!r} have no shape yet; "
                    f"run {type(model).__name__} once on an input before tracing or recording it."
                )
        self.traced: dict[str, nn.Module] = {}
        placed: set[nn.Module] = set()
        inside: tuple[str, ...] = ()
        seen: set[nn.Module] = set()
        self.shared: set[nn.Module] = set()
        for name, module in self.all.items():
            if module in seen:
                self.shared.add(module)
            seen.add(module)
            if name.startswith(inside) or module in placed:
                continue
            placed.add(module)
            self.traced[name] = module
            if is_leaf(module, root=not name):
                inside += (f"{name}." if name else "",)
