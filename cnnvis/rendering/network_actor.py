"""Draws the lines and units of all items of a scene together: what is translucent is blended from far to near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PointSet, PolylineSet
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import RGB, group_colour
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.network_geometry import MAX_PIECES, NetworkGeometry, network_geometry
from cnnvis.rendering.network_seen import seen_pairs
from cnnvis.scene import BundleItem, GlyphsItem, Selection, stances

MAX_ITEMS = 16
"""Bundles and sets of units of one scene: 16 uniforms for each."""

FIGURES = {
    ("bundle", "lines"): 0,
    ("bundle", "tubes"): 1,
    ("bundle", "ellipsoids"): 2,
    ("bundle", "points"): 3,
    ("glyphs", "spheres"): 3,
    ("glyphs", "points"): 4,
}
"""Number of the figure in network.geom.glsl, by kind and mode."""

MAX_PEELED = 100_000
"""Pieces that are drawn beside volumes, layer after layer: 18 times over, or more."""

FIRST = 25_000
"""Pieces that are drawn at an effort of 1, while the camera moves."""


NOTHING = Selection()


@dataclass(frozen=True, slots=True, eq=False)
class DrawnItem:
    """One item of a scene as it is drawn.

    Parameters
    ----------
    item : BundleItem or GlyphsItem
        Read for its looks.
    data : PolylineSet or PointSet
        In scene units; the same object as long as nothing has to be built anew.
    ink : (r, g, b)
        Colour without classes.
    """

    item: BundleItem | GlyphsItem
    data: PolylineSet | PointSet
    ink: RGB

    @property
    def look(self) -> list[float]:
        """The numbers of the item's look, in the order of network.geom.glsl."""
        item, number = self.item, self.item.class_index
        classes = 2 if item.shown_class == "all" else 0 if number is None else 1
        colour = self.ink if number is None else group_colour(number)
        shared = (item.size, item.opacity, item.base_opacity, item.importance_opacity, item.depth_opacity)
        figure, others = FIGURES[item.kind, str(item.mode)], (item.depth_exponent, item.importance_threshold)
        return [figure, *shared, *others, self.blend, classes, *colour, item.light, *item.light_from[:2]]

    @property
    def blend(self) -> float:
        """How far the item is bundled; units always stand where they stand."""
        return self.item.blend if isinstance(self.item, BundleItem) else 1.0


class NetworkActor:
    """The one VTK actor of all lines and units of a renderer.

    Pieces of lines are handed to the shaders sorted by depth, most distant first, whenever the camera has moved. What
    the items look like is uniforms: nothing is built when it changes, and nothing sent but the list of pieces, where
    others can be seen at all. While something moves, only so many of the most important pieces are drawn as the effort
    allows, those of what is selected before all others.

    Parameters
    ----------
    renderer : vtkRenderer

    Attributes
    ----------
    builds, version : int
        How often it was built, and how often anything of the picture changed but the camera.
    prepared : NetworkGeometry or None
        Made beforehand of data that are about to be shown; what is of others is dropped.
    effort : float
        How much may be drawn, `FIRST` pieces being 1; infinity at rest.

    Notes
    -----
    VTK's order-independent translucency washes lines out, and depth peeling takes up to twenty times as long for the
    same picture; it serves where a volume has to be blended as well.
    """

    def __init__(self, renderer: vtk.vtkRenderer) -> None:
        self.renderer = renderer
        self.effort = np.inf
        self.prepared: NetworkGeometry | None = None
        self.peeled = False
        self.builds = 0
        self.version = 0
        self._drawn: tuple[DrawnItem, ...] = ()
        self._classes: list[int | None] = []
        self._stances: list[tuple[Any, ...] | None] = []
        self._geometry = network_geometry([])
        self._pairs = self._geometry.pairs  # those that are seen, what is chosen first
        self._unsure = False  # whether others may be seen now
        self._box = [0.0] * 6
        self._looks = np.zeros((0, LOOK), np.float32)
        self._order: tuple[Any, ...] = ()
        self._data = vtk.vtkPolyData()
        self._actor = _actor(self._data)
        self._observer = renderer.AddObserver("StartEvent", self._before)

    @property
    def pieces(self) -> int:
        """Number of pieces that the next frame draws."""
        return int(min(len(self._seen()), MAX_PEELED if self.peeled else MAX_PIECES, max(FIRST * self.effort, 1)))

    @property
    def full_effort(self) -> float:
        """The effort that draws as much as a frame at rest."""
        return min(len(self._seen()), MAX_PEELED if self.peeled else MAX_PIECES) / FIRST

    @property
    def share(self) -> float:
        """Share of the lines that a frame at rest draws, of those that are seen."""
        n = len(self._seen()) if self.peeled else 0
        return self._geometry.share * (min(n, MAX_PEELED) / n if n and self.peeled else 1.0)

    @property
    def geometry(self) -> NetworkGeometry:
        """The buffers of what is drawn."""
        return self._geometry

    @property
    def drawn(self) -> tuple[DrawnItem, ...]:
        """The items that are drawn, in the order of the buffers."""
        return self._drawn

    def bounds(self) -> NDArray[np.float64]:
        """Return the lowest and highest corner (2, 3) of what is drawn, as thick as it is."""
        middle, half = self.box
        half = half + max((one.item.size for one in self._drawn), default=0.0)
        return np.array([middle - half, middle + half])

    @property
    def box(self) -> NDArray[np.float64]:
        """Middle and half sides (2, 3) of all that is drawn."""
        return np.reshape(self._box, (2, 3))

    def knows(self, data: Sequence[PolylineSet | PointSet]) -> bool:
        """Whether `show` has nothing to build for these data."""
        return any(each is not None and each.is_of(data) for each in (self._geometry, self.prepared))

    def show(self, drawn: Sequence[DrawnItem], selection: Selection = NOTHING) -> None:
        """Draw these items from now on, what is selected of them so that it stands out.

        Only other data are a reason to build anything: of another class or selection, one number per point is sent.

        Raises
        ------
        InvalidInputError
            For more than `MAX_ITEMS` items.
        """
        if len(drawn) > MAX_ITEMS:
            raise InvalidInputError(f"A scene shows at most {MAX_ITEMS} bundles and sets of units, got {len(drawn)}.")
        self._drawn = tuple(drawn)
        if not self._geometry.is_of([one.data for one in drawn]):
            self._build()
        self._set_classes()
        self._set_stances(selection)
        self._set_looks()

    def _build(self) -> None:
        self.builds += 1
        self.version += 1
        data, prepared, self.prepared = [one.data for one in self._drawn], self.prepared, None
        ready = prepared is not None and prepared.is_of(data)
        self._geometry = geometry = prepared if ready else network_geometry(data)
        self._classes = [None] * len(self._drawn)
        self._stances = [None] * len(self._drawn)
        low, high = geometry.bounds()
        self._box = [*(low + high) / 2, *(high - low) / 2]
        points = vtk.vtkPoints()
        points.SetData(vtk.numpy_to_vtk(geometry.bundled))
        self._data.Initialize()
        self._data.SetPoints(points)
        for name in ATTRIBUTES:
            array = vtk.numpy_to_vtk(getattr(geometry, name))
            array.SetName(name)
            self._data.GetPointData().AddArray(array)
        self._order, self._unsure = (), True
        self._set_pairs(geometry.pairs)
        shown = self.renderer.HasViewProp(self._actor)
        if len(geometry.pairs) and not shown:
            self.renderer.AddViewProp(self._actor)
        elif shown and not len(geometry.pairs):
            self.renderer.RemoveViewProp(self._actor)

    def _set_classes(self) -> None:
        """Send the shares of the classes that are shown now, where they changed."""
        wanted = [one.item.class_index for one in self._drawn]
        if wanted == self._classes:
            return
        for number, (new, old) in enumerate(zip(wanted, self._classes, strict=True)):
            if new != old:
                self._geometry.set_class(number, new)
        self._classes, self._unsure = wanted, True
        self._changed("tone")

    def _set_stances(self, selection: Selection) -> None:
        """Send what stands out, fades or is hidden now, where it changed."""
        wanted: list[tuple[Any, ...] | None] = [_stance_key(one.item, selection) for one in self._drawn]
        if wanted == self._stances:
            return
        for number, (new, old) in enumerate(zip(wanted, self._stances, strict=True)):
            if new != old:
                self._geometry.set_stances(number, stances(self._drawn[number].item, selection))
        self._stances, self._order, self._unsure = wanted, (), True
        self._changed("mixed")

    def _changed(self, attribute: str) -> None:
        self.version += 1
        self._data.GetPointData().GetArray(attribute).Modified()
        self._data.Modified()

    def _set_looks(self) -> None:
        uniforms = self._actor.GetShaderProperty().GetGeometryCustomUniforms()
        looks = np.zeros((MAX_ITEMS, LOOK), np.float32)
        looks[: len(self._drawn)] = np.reshape([one.look for one in self._drawn], (-1, LOOK))
        uniforms.SetUniform1fv("looks", looks.size, looks.ravel().tolist())
        self.version += not np.array_equal(looks, self._looks)
        if not np.array_equal(looks[:, HIDING], self._looks[:, HIDING]):
            self._unsure = True
        self._looks = looks
        uniforms.SetUniform1fv("box", 6, self._box)
        uniforms.SetUniform3f("paper", self.renderer.GetBackground())

    # -- each frame ------------------------------------------------------------------------------

    def _seen(self) -> NDArray[np.int32]:
        """Return the pairs that can be seen, what is chosen first, the most important first."""
        if self._unsure:
            self._unsure = False
            pairs = seen_pairs(self._geometry, self._geometry.chosen_first(), [one.item for one in self._drawn])
            if not np.array_equal(pairs, self._pairs):
                self._pairs, self._order = pairs, ()
        return self._pairs

    def _before(self, *_: Any) -> None:
        """Sort what the next frame draws, if it is seen from elsewhere or other parts of it are."""
        if not self._drawn:
            return
        uniforms = self._actor.GetShaderProperty().GetGeometryCustomUniforms()
        uniforms.SetUniformf("pane", float(self.renderer.GetSize()[1]))
        forward = np.array(self.renderer.GetActiveCamera().GetDirectionOfProjection())
        blends = np.array([one.blend for one in self._drawn])
        sizes = np.array([one.item.size for one in self._drawn])
        pairs = self._seen()[: self.pieces]
        order = (len(pairs), *forward, *blends, *sizes)
        if order != self._order:
            self._order = order
            self._set_pairs(self._geometry.far_to_near(pairs, forward, blends, sizes))

    def _set_pairs(self, pairs: NDArray[np.int32]) -> None:
        cells = vtk.vtkCellArray()
        ends = np.arange(0, pairs.size + 1, 2, dtype=np.int32)
        cells.SetData(vtk.numpy_to_vtk(ends), vtk.numpy_to_vtk(np.ascontiguousarray(pairs).ravel()))
        self._data.SetLines(cells)
        self._data.Modified()

    def close(self) -> None:
        """Let go of the renderer; idempotent."""
        self.renderer.RemoveObserver(self._observer)
        self.renderer.RemoveViewProp(self._actor)


ATTRIBUTES = ("straight", "tangent", "tone", "mixed", "grain")
"""Arrays that the vertex shader reads beside the points."""

LOOK = 16
"""Numbers of the look of an item."""

HIDING = [3, 4, 7]
"""Of them, those by which something may be seen from nowhere: base and importance of its opacity, threshold."""


def _stance_key(item: BundleItem | GlyphsItem, selection: Selection) -> tuple[Any, ...]:
    """Return what the stances of an item depend on, beside its data."""
    return selection, item.hidden_layers, item.layers, item.layer_sizes, item.class_names


def _actor(data: vtk.vtkPolyData) -> vtk.vtkActor:
    """Return the actor with shaders of its own."""
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(data)
    mapper.ScalarVisibilityOff()
    mapper.SetVBOShiftScaleMethod(0)  # shaders blend the points with places of the same scale
    for name in ATTRIBUTES:
        mapper.MapDataArrayToVertexAttribute(name, name, vtk.vtkDataObject.FIELD_ASSOCIATION_POINTS, -1)
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    actor.ForceTranslucentOn()
    actor.PickableOff()
    shaders = actor.GetShaderProperty()
    folder = files("cnnvis.rendering") / "shaders"
    shaders.SetVertexShaderCode((folder / "network.vert.glsl").read_text(encoding="utf-8"))
    shaders.SetGeometryShaderCode((folder / "network.geom.glsl").read_text(encoding="utf-8"))
    shaders.SetFragmentShaderCode((folder / "network.frag.glsl").read_text(encoding="utf-8"))
    return actor
