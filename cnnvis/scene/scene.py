"""The display state of one view, and the ways to fill it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import (
    BundledNetwork,
    ChannelGraph,
    FeatureMaps,
    Importance,
    NetworkMaps,
    Ordering,
    PointSet,
    PolylineSet,
    Volume,
)
from cnnvis.core.axes import FILTER_AXES
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene.camera import Camera, View
from cnnvis.scene.contents import importance_by_class, importance_grid, matrix_to_show, volume_to_show
from cnnvis.scene.graph_contents import channels_to_show, graph_state, group_labels, links_to_show
from cnnvis.scene.items import ImageItem, LabelsItem, MatrixItem, VolumeItem
from cnnvis.scene.network_contents import layer_labels, lines_to_show, network_state, points_to_show
from cnnvis.scene.network_items import BundleItem, GlyphsItem
from cnnvis.scene.scene_state import SceneState
from cnnvis.scene.tiles_item import TilesItem
from cnnvis.scene.transfer import SOLID, TransferFunction

TILES_CAMERA = Camera(azimuth=8.0, elevation=-14.0, parallel=True)
"""On the maps of a network: from the side, so far from the front that maps can be seen, and all in one size."""


class Scene(SceneState):
    """What one view shows: items, camera, background, selection, frames.

    Parameters
    ----------
    title : str
        Shown at the top; "" lets the first volume speak: layer, order, model, image.
    background : {"light", "dark"}
    size : (width, height) in pixels, or None
        Size in which it is meant to be rendered; None leaves it to who renders.
    camera : Camera
    selection : Selection
    series : Series
    frame : int
        Frame of the series that is shown.

    Examples
    --------
    >>> import numpy as np, cnnvis
    >>> scene = cnnvis.Scene()
    >>> item = scene.add_volume(np.random.default_rng(0).random((8, 16, 16)), name="noise")
    >>> item.mode = "mip"
    """

    def add_volume(
        self,
        maps: Volume | FeatureMaps | ArrayLike,
        ordering: Ordering | None = None,
        *,
        importance: Importance | ArrayLike | None = None,
        name: str = "",
        transfer: TransferFunction | None = None,
        **state: Any,
    ) -> VolumeItem:
        """Add a stack of feature maps.

        Parameters
        ----------
        maps : Volume, FeatureMaps, or (C, H, W) / (N, C, H, W) array_like
            Of several images the first is shown; `set_frames` plays them all.
        ordering : Ordering, optional
        importance : Importance or (C,) array_like, optional
            Weights of the channels; they drive the opacity unless `drive` says otherwise.
        name : str
            Default: the layer's name. One that is taken gets a number.
        transfer : TransferFunction, optional
            Default: the preset "linear", fitted to the sign of the data.
        **state
            Any other field of `VolumeItem`.

        Returns
        -------
        VolumeItem
        """
        volume = volume_to_show(maps, ordering, importance)
        driven = importance is not None
        if transfer is None:
            transfer = TransferFunction.preset("linear", values=volume.values)
        state.setdefault("drive", "importance" if driven else "none")
        if volume.axis_names == FILTER_AXES:  # kernels are a few voxels wide; blended, filters would run together
            state.setdefault("interpolation", "nearest")
        name = self._free_name(name or volume.layer or "volume")
        item = VolumeItem(name=name, transfer=transfer, **state)
        self.add(item, volume)
        return item

    @classmethod
    def of(
        cls,
        maps: Volume | FeatureMaps | ArrayLike,
        ordering: Ordering | None = None,
        *,
        importance: Importance | ArrayLike | None = None,
        **state: Any,
    ) -> Scene:
        """Return a scene of one volume; arguments as for `add_volume`."""
        scene = cls()
        scene.add_volume(maps, ordering, importance=importance, **state)
        return scene

    def add_matrix(
        self,
        values: ArrayLike,
        *,
        rows: Sequence[object] = (),
        columns: Sequence[object] = (),
        name: str = "matrix",
        transfer: TransferFunction | None = None,
        **state: Any,
    ) -> MatrixItem:
        """Add a table of numbers as coloured cells or as bars.

        As the first item of a scene whose camera is as new, it is looked at as it is meant to be: cells from the
        front, bars from above a corner.

        Parameters
        ----------
        values : (R, C) array_like
            NaN and infinity are missing.
        rows, columns : sequence, optional
            Labels, one per row and column; without them both are numbered.
        name : str
            One that is taken gets a number.
        transfer : TransferFunction, optional
            Default: opaque colours over all values, fitted to their sign.
        **state
            Any other field of `MatrixItem`.

        Returns
        -------
        MatrixItem
        """
        data = matrix_to_show(values)
        if transfer is None:
            transfer = TransferFunction.preset("linear", values=data, clip=(0.0, 100.0), opacity=SOLID)
        state |= {"rows": tuple(map(str, rows)), "columns": tuple(map(str, columns))}
        item = MatrixItem(name=self._free_name(name), transfer=transfer, **state)
        alone = not self.items and self.camera == Camera()
        self.add(item, data)
        if alone:
            self.camera.update({"view": View.FRONT if item.style == "cells" else View.ISOMETRIC, "parallel": True})
        return item

    def add_importance(
        self,
        importance: Importance,
        layer: str,
        *,
        classes: Sequence[str | int] | Literal["all"] | None = None,
        columns: int | None = None,
        **state: Any,
    ) -> MatrixItem:
        """Add the importance of a layer's channels as a matrix: a grid of channels, or class by channel.

        Parameters
        ----------
        importance : Importance
        layer : str
        classes : sequence of str or int, "all" or None
            One row for each of these classes, by name or index; None: the scores over all classes, on a grid.
        columns : int, optional
            Of the grid; default: near-rectangular.
        **state
            Any other field of `MatrixItem`: `style="bars"` ...

        Returns
        -------
        MatrixItem
        """
        if classes is None:
            values, shown = importance_grid(importance, layer, columns)
        else:
            values, shown = importance_by_class(importance, layer, classes)
        return self.add_matrix(values, **({"name": layer} | shown | state))

    @classmethod
    def of_series(cls, axis: str, labels: Sequence[str], volumes: Sequence[Volume], **state: Any) -> Scene:
        """Return a scene that plays one volume per frame, in colours fitted to all of them.

        `add_volume` and `set_frames` would fit them to the sign of the first frame.

        Parameters
        ----------
        axis, labels
            As for `set_frames`.
        volumes : sequence of Volume
            One per label.
        **state
            As for `add_volume`.
        """
        if not volumes:
            raise InvalidInputError(f"A series over {axis!r} needs at least one volume, got none.")
        ranges = np.array([volume.finite_range for volume in volumes])
        state.setdefault("transfer", TransferFunction.preset("linear", values=ranges))
        scene = cls()
        item = scene.add_volume(volumes[0], **state)
        scene.set_frames(axis, labels, {item.name: volumes})
        return scene

    def add_image(self, image: NDArray[np.uint8], *, name: str = "image", **state: Any) -> ImageItem:
        """Add an (H, W, 3) uint8 picture; see `ImageItem`."""
        item = ImageItem(name=self._free_name(name), **state)
        self.add(item, np.asarray(image))
        return item

    def add_labels(
        self, positions: ArrayLike, texts: Sequence[str], *, name: str = "labels", **state: Any
    ) -> LabelsItem:
        """Add one text at each of the (L, 3) positions."""
        positions = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
        item = LabelsItem(name=self._free_name(name), texts=tuple(texts), **state)
        self.add(item, positions)
        return item

    def add_bundle(self, lines: PolylineSet | BundledNetwork, *, name: str = "bundle", **state: Any) -> BundleItem:
        """Add bundled lines.

        Parameters
        ----------
        lines : PolylineSet or BundledNetwork
            As `cnnvis.bundle` returns them. A network brings the names of its classes and what it leaves out with it.
            Importances above 1 are divided by the largest.
        name : str
            One that is taken gets a number.
        **state
            Any other field of `BundleItem`.

        Returns
        -------
        BundleItem
        """
        shown, fitting = lines_to_show(lines)
        item = BundleItem(name=self._free_name(name), **(fitting | state))
        self.add(item, shown)
        return item

    def add_glyphs(self, points: PointSet | BundledNetwork, *, name: str = "units", **state: Any) -> GlyphsItem:
        """Add units as balls; arguments as for `add_bundle`, fields are those of `GlyphsItem`."""
        shown, fitting = points_to_show(points)
        item = GlyphsItem(name=self._free_name(name), **(fitting | state))
        self.add(item, shown)
        return item

    @classmethod
    def of_network(
        cls, network: BundledNetwork, *, shown_class: int | str | None = None, units: bool = True, **state: Any
    ) -> Scene:
        """Return a scene of a drawn network: its lines, its units, the names and sizes of its layers.

        Parameters
        ----------
        network : BundledNetwork
        shown_class : int or str, optional
            Whose colours lines and units have: "none", "all", or a class by name or number. Default: all where there
            are classes.
        units : bool
            Whether units are drawn.
        **state
            Any field of `BundleItem`.

        Returns
        -------
        Scene
        """
        scene = cls(**network_state(network))
        if shown_class is None:
            shown_class = "none" if network.profiles is None else "all"
        # of one ink only density tells lines apart: they must not be black before they run together
        look = {"shown_class": shown_class, "opacity": 0.5 if shown_class == "none" else 1.0}
        scene.add_bundle(network, **(look | state))
        if units:
            scene.add_glyphs(network, shown_class=shown_class, legend=False)
        positions, texts = layer_labels(network)
        scene.add_labels(positions, texts, name="layers", size=None)
        return scene

    def add_tiles(
        self, maps: NetworkMaps, *, name: str = "network", transfer: TransferFunction | None = None, **state: Any
    ) -> TilesItem:
        """Add the maps of a whole network as tiles, layer after layer along the data flow.

        Parameters
        ----------
        maps : NetworkMaps
            As `cnnvis.network_maps` makes them.
        name : str
            One that is taken gets a number.
        transfer : TransferFunction, optional
            Of values as shares of their layer's limit. Default: opaque colours from 0 to the limit, to both sides of 0
            where values have both signs.
        **state
            Any other field of `TilesItem`.

        Returns
        -------
        TilesItem
        """
        if not isinstance(maps, NetworkMaps):
            raise InvalidInputError(
                f"Tiles show NetworkMaps, got {type(maps).__name__}. cnnvis.network_maps(model, image) makes them."
            )
        if transfer is None:
            values = TilesItem.values_of(maps)
            low = -1.0 if (values < 0).any() else 0.0
            transfer = TransferFunction.preset("linear", values=values, span=(low, 1.0), opacity=SOLID)
        item = TilesItem(name=self._free_name(name), transfer=transfer, **state)
        self.add(item, maps)
        return item

    @classmethod
    def of_tiles(cls, maps: NetworkMaps, **state: Any) -> Scene:
        """Return a scene of a network's maps, seen from the side; arguments as for `add_tiles`."""
        scene = cls(title=maps.provenance.caption, camera=TILES_CAMERA.model_copy())
        scene.add_tiles(maps, **state)
        return scene

    def add_graph(self, graph: ChannelGraph, **state: Any) -> tuple[BundleItem, GlyphsItem]:
        """Add the channels of a layer as balls, the links between like ones as tubes, and the numbers of the groups.

        Parameters
        ----------
        graph : ChannelGraph
            As `cnnvis.layout.channel_graph` makes it.
        **state
            Any field of `BundleItem`, for the tubes.

        Returns
        -------
        BundleItem, GlyphsItem
            Tubes and balls. What is selected in one stands out in both.
        """
        lines, look = links_to_show(graph)
        tubes = BundleItem(name=self._free_name("links"), **(look | {"legend": bool(graph.n_groups)} | state))
        self.add(tubes, lines)
        points, look = channels_to_show(graph)
        balls = GlyphsItem(name=self._free_name("channels"), legend=False, **look)
        self.add(balls, points)
        self.add_labels(*group_labels(graph), name="groups", size=20)
        return tubes, balls

    @classmethod
    def of_graph(cls, graph: ChannelGraph, **state: Any) -> Scene:
        """Return a scene of the channels of a layer and of who is like whom; arguments as for `add_graph`."""
        scene = cls(**graph_state(graph))
        scene.add_graph(graph, **state)
        return scene
