"""The one door from core objects to pyvista and back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import pyvista as pv
from numpy.typing import NDArray

from cnnvis.core.bundled import BundledNetwork
from cnnvis.core.errors import InvalidInputError, NoSpatialMapsError
from cnnvis.core.maps import FeatureMaps, Recording, as_volume
from cnnvis.core.network import PointSet, PolylineSet
from cnnvis.core.volume import Volume
from cnnvis.geometry.image_data import image_data, volume_from_image
from cnnvis.geometry.network_data import network_blocks
from cnnvis.geometry.poly_data import core_object, poly_data, vertex_data

logger = logging.getLogger(__name__)

GAP = 0.1
"""Room left between two layers side by side, as a part of the widest layer."""


def layers_with_maps(recording: Recording) -> dict[str, FeatureMaps]:
    """Return the layers of a recording that have (row, column) maps.

    Raises
    ------
    NoSpatialMapsError
        When none has.
    """
    found = {name: maps for name, maps in recording.maps.items() if len(maps.spatial_shape) == 2}
    if not found:
        raise NoSpatialMapsError(
            f"No recorded layer has maps (C, H, W); recorded are: {', '.join(recording.layers) or 'none'}. "
            "Record a convolution, pooling or activation layer before the flatten."
        )
    left_out = [name for name in recording.layers if name not in found]
    if left_out:
        logger.info("Left out, since they have no maps: %s", ", ".join(left_out))
    return found


Drawn = Volume | FeatureMaps | NDArray[Any] | PolylineSet | PointSet | BundledNetwork
"""What `to_pyvista` makes a data set of, alone or by name."""


def to_pyvista(
    obj: Drawn | Recording | Mapping[str, Any], *, image: int = 0
) -> pv.ImageData | pv.PolyData | pv.MultiBlock:
    """Return a core object as the pyvista data set that holds all of it.

    Parameters
    ----------
    obj : Volume, FeatureMaps, array, PolylineSet, PointSet, BundledNetwork, Recording, or mapping
        Arrays are (C, H, W) or (N, C, H, W). A mapping names volumes, polylines and points.
    image : int, default: 0
        Which image of FeatureMaps, a Recording or a 4-D array. All images: a mapping of their volumes.

    Returns
    -------
    pyvista.ImageData
        For maps: z = channel, y = row, x = column; one point array named after the quantity; layer, permutation,
        groups, weights and provenance as field data.
    pyvista.PolyData
        For polylines, with point and cell arrays; for points, as vertices with point arrays.
    pyvista.MultiBlock
        For a Recording or a mapping, one named block each, side by side along x in the order given, centred
        in y, front faces at z = 0. Layers of a Recording without (row, column) maps are left out.
        For a BundledNetwork, the blocks "lines" and "units", with names, parameters and provenance as field data.

    Notes
    -----
    Arrays are shared with VTK where they are C-contiguous, and kept alive by it: 100 MB in under 10 ms. What
    works in place on the result would therefore change `obj`.
    """
    if isinstance(obj, PolylineSet | PointSet):
        return _mesh(obj)
    if isinstance(obj, BundledNetwork):
        return network_blocks(obj)
    if isinstance(obj, Recording):
        return _side_by_side(layers_with_maps(obj), image=image)
    if isinstance(obj, Mapping):
        return _side_by_side(obj, image=image)
    return image_data(as_volume(obj, image=image))


def from_pyvista(data: pv.DataObject) -> Volume | PolylineSet | PointSet | dict[str, Any]:
    """Return what `to_pyvista` was given: a Volume, a PolylineSet, a PointSet, or a dict of these by name.

    Data sets of other programs are accepted too: an ImageData with one scalar point array, the lines of a
    PolyData, or its vertices where it has no lines, a MultiBlock of these (nested or not; empty blocks are left
    out). Values are views. Of a BundledNetwork come the lines and the units: the whole of it is kept by its own
    .safetensors file.

    Raises
    ------
    InvalidInputError
        For another kind of data set, or an image whose values are not one scalar per point.
    """
    if isinstance(data, pv.ImageData):
        return volume_from_image(data)
    if isinstance(data, pv.PolyData):
        return core_object(data)
    if isinstance(data, pv.MultiBlock):
        names = (data.get_block_name(i) or str(i) for i in range(len(data)))
        return {name: from_pyvista(block) for name, block in zip(names, data, strict=True) if block is not None}
    raise InvalidInputError(
        f"Cannot make a core object of {type(data).__name__}; allowed are ImageData, PolyData and MultiBlock."
    )


def _side_by_side(items: Mapping[str, Any], *, image: int) -> pv.MultiBlock:
    """Return named blocks; images are placed along x without overlap, polylines and points stay where they are."""
    if not items:
        raise InvalidInputError("There is nothing to convert: the mapping is empty.")
    parts = {
        name: obj if isinstance(obj, PolylineSet | PointSet) else as_volume(obj, image=image)
        for name, obj in items.items()
    }
    volumes = [part for part in parts.values() if isinstance(part, Volume)]
    gap = GAP * max((_extent(volume)[0] for volume in volumes), default=0.0)
    blocks, x = {}, 0.0
    for name, part in parts.items():
        if isinstance(part, PolylineSet | PointSet):
            blocks[name] = _mesh(part)
            continue
        width, height = _extent(part)
        blocks[name] = image_data(part, origin=(x, -height / 2, 0.0))
        x += width + gap
    return pv.MultiBlock(blocks)


def _mesh(obj: PolylineSet | PointSet) -> pv.PolyData:
    return poly_data(obj) if isinstance(obj, PolylineSet) else vertex_data(obj)


def _extent(volume: Volume) -> tuple[float, float]:
    """Return width and height in scene units; one pixel at least, so that 1 x 1 maps do not coincide."""
    _, height, width = volume.shape
    return max(width - 1, 1) * volume.spacing[0], max(height - 1, 1) * volume.spacing[1]
