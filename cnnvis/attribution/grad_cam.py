"""Grad-CAM: the maps of a layer, weighed by how much the score of a class depends on each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.attribution._one_image import ClassScore, ClassScoreName, OneImage, chosen_class, facts
from cnnvis.capture import trace
from cnnvis.capture.axes import Axes
from cnnvis.capture.calls import Call, channels_first
from cnnvis.capture.gradients import Tape, run_from_inputs
from cnnvis.capture.inputs import as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.capture.state import differentiating
from cnnvis.capture.targets import Quantity, differentiable_scores, quantity_of
from cnnvis.core import LayerRole, ModelGraph, SaliencyMap
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError, NoSpatialMapsError

_WITHOUT_MAPS_OF_THEIR_OWN = (LayerRole.INPUT, LayerRole.POOLING, LayerRole.RESHAPE, LayerRole.IDENTITY)


def grad_cam(
    model: Any,
    image: Any = None,
    target: int | str | None = None,
    *,
    layer: str | None = None,
    of: ClassScoreName = "logit",
) -> SaliencyMap:
    """Return where in an image a class is seen, by Grad-CAM (Selvaraju et al., 2017).

    The maps A_k of a layer are summed, each weighed by the mean over its places of d score / d A_k; what is negative is
    set to 0, and the sum is enlarged to the input's size, bilinearly.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Comes back as it was.
    image : image file or sample, or tensor or ndarray (1, C, H, W), optional
        As for `record`. Default: the Network's own example.
    target : int or str, optional
        Class by index or name, also one the network does not answer. Default: the likeliest.
    layer : str, optional
        A layer with maps. Default: the last one behind (or at) a convolution whose maps have more than one pixel,
        poolings aside.
    of : {"logit", "margin"}
        The score: the logit, as in the paper, or the log-odds of the class. Where maps are all 0 by the logit, which
        happens in networks whose answer lies in what speaks against the others, the margin shows something.

    Returns
    -------
    SaliencyMap
        `values` are in the unit of the score, not negative, all 0 where nothing in the layer speaks for the class.

    Raises
    ------
    NoSpatialMapsError
        When the network, or the layer, has no maps.
    LayerNotFoundError
        For a layer that is not there; near matches are listed.
    InvalidInputError
        For another class, more than one image, and a network without class scores, or one that cannot be
        differentiated.

    Notes
    -----
    Cost: a forward and a backward pass, and one more forward where no layer is named. The map is as coarse as the layer
    (`options["layer_size"]`), however smooth it looks. It says where, not why: a network with shuffled weights has maps
    too (`cnnvis.attribution.shuffled` makes one to compare with; Adebayo et al., "Sanity checks for saliency maps",
    2018).
    """
    score = parse_choice(ClassScore, of, what="score `of` a class")
    one = OneImage.of(model, image, "grad_cam")
    if layer is None:
        with one.first_pass():
            layer = _last_maps(trace(model, one.call.kwargs or one.call.args))
    found = _differentiated(model, one, layer, target, score)
    if found.maps.ndim != 3:
        raise NoSpatialMapsError(
            f"Layer {layer!r} gives values {found.maps.shape}; Grad-CAM needs maps (channels, rows, columns). Name a "
            "convolution, or leave the layer out."
        )
    return SaliencyMap(
        values=_enlarged(weighed_maps(found.maps, found.gradients), one.size),
        method="grad_cam",
        target=found.target,
        layer=layer,
        options={"layer_size": list(found.maps.shape[1:]), "of": score.value},
        **facts(model, one, found.scores),
    )


class _Differentiated(NamedTuple):
    """Class scores (K,), the class, the maps of a layer (C, *S) and the gradients of the class's score in them."""

    scores: NDArray[np.float64]
    target: int
    maps: NDArray[np.float64]
    gradients: NDArray[np.float64]


def _differentiated(
    model: Any, one: OneImage, layer: str, target: int | str | None, score: ClassScore
) -> _Differentiated:
    """Run the network once forwards and once backwards."""
    module = as_module(model)
    tree, tape = ModuleTree(module), Tape()
    selection = Selection(tree, layer)
    ran: list[str] = []
    values: dict[str, tuple[Tensor, Axes]] = {}

    def keep(call: Call) -> None:
        ran.append(call.name)
        for value in selection.values(call, 1):
            tape.note(value.name, value.tensor, name=f"Layer {value.name!r}")
            values[value.name] = value.tensor.detach().clone(), value.axes  # what follows may change it in place

    with differentiating(tree), selection.listen(keep):
        with one.first_pass():
            output = run_from_inputs(module, one.call)
        selection.check(values, ran)
        if len(values) > 1:
            raise InvalidInputError(f"Grad-CAM weighs the maps of one layer, {layer!r} names {len(values)}.")
        scores = differentiable_scores(model, output, 1)
        numbers = scores[0].detach().double().cpu().numpy()
        index = chosen_class(model, target, numbers)
        gradients = tape.gradients(quantity_of(scores, torch.tensor([index]), Quantity(score.value)))
    ((name, (maps, axes)),) = values.items()
    first = (channels_first(tensor, axes)[0].double().cpu().numpy() for tensor in (maps, gradients[name]))
    return _Differentiated(numbers, index, *first)


def weighed_maps(maps: NDArray[np.float64], gradients: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return max(0, sum over k of mean(gradients_k) maps_k), (h, w), of maps and gradients (C, h, w)."""
    found: NDArray[np.float64] = np.maximum(np.tensordot(gradients.mean(axis=(1, 2)), maps, axes=1), 0)
    return found


def _last_maps(graph: ModelGraph) -> str:
    """Return the last layer with maps of more than one pixel, from the first convolution with such maps on."""
    with_maps = [node for node in graph.layers if len(node.shape) == 3 and max(node.shape[1:]) > 1 and node.recordable]
    first = next((n for n, node in enumerate(with_maps) if node.role is LayerRole.CONVOLUTION), len(with_maps))
    own = [node.name for node in with_maps[first:] if node.role not in _WITHOUT_MAPS_OF_THEIR_OWN]
    if not own:
        raise NoSpatialMapsError(
            "No convolution of this network gives maps of more than one pixel, and Grad-CAM weighs maps. "
            "cnnvis.occlusion needs none."
        )
    return own[-1]


def _enlarged(values: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float32]:
    tensor = torch.from_numpy(values)[None, None]
    larger = torch.nn.functional.interpolate(tensor, size, mode="bilinear", align_corners=False)
    return larger[0, 0].float().numpy()
