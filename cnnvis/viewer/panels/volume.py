"""How a volume is drawn, cut, and in which order its channels stand."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QAbstractSlider,
    QFormLayout,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledRangeSlider

from cnnvis.core import Volume
from cnnvis.scene import ClipBox, Drive, Slices, VolumeItem, VolumeMode
from cnnvis.viewer.fields import CheckField, ChoiceField, NumberField, add_row, bind, leave_wheel, listen
from cnnvis.viewer.reordering import methods_for, reorder
from cnnvis.viewer.workspace import Workspace

MODES = (
    (VolumeMode.RAYCAST, "ray cast"),
    (VolumeMode.MIP, "maximum projection"),
    (VolumeMode.ISOSURFACE, "isosurfaces"),
    (VolumeMode.SLICES, "slices"),
)
AXES = ("channel", "row", "column")


class VolumePanel(QWidget):
    """Controls of a stack of feature maps."""

    def __init__(self, workspace: Workspace, item: VolumeItem) -> None:
        super().__init__()
        self.workspace, self.item = workspace, item
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self._look(), self._order(), self._cuts()):
            layout.addWidget(part)
        listen(self, item.data_changed, VolumePanel._show_data)
        self._show_data()

    # -- look ------------------------------------------------------------------------------------

    def _look(self) -> QWidget:
        box = QGroupBox("Look")
        form = QFormLayout(box)
        item = self.item
        tip = "Ray cast: emission and absorption. Maximum projection: the largest value along each ray."
        self.mode = ChoiceField(MODES, tooltip=tip)
        add_row(form, "&Mode", bind(self.mode, item, "mode"))
        density = NumberField(0.05, 10, 1, tooltip="Multiplies how much a ray absorbs on its way.")
        add_row(form, "&Density", bind(density, item, "density"))
        self.drive = ChoiceField(tooltip="What multiplies the opacity: nothing, the channels' importance, or groups.")
        add_row(form, "Opacity &by", bind(self.drive, item, "drive"))
        context = NumberField(0, 1, 0.03, tooltip="Opacity of the groups that are not shown.")
        add_row(form, "Other &groups", bind(context, item, "context"))
        smooth = ChoiceField(("linear", "nearest"), tooltip="Nearest shows voxels as they are.")
        add_row(form, "I&nterpolation", bind(smooth, item, "interpolation"))
        for text, name, tip in (
            ("&Shading", "shade", "Light from the camera; off for reading values."),
            ("&Axes", "axes", "Names and ticks of the axes."),
            ("&Legend", "legend", "What the colours mean."),
        ):
            add_row(form, text, bind(CheckField("on", tooltip=tip), item, name))
        return box

    # -- order -----------------------------------------------------------------------------------

    def _order(self) -> QWidget:
        box = QGroupBox("Order of channels")
        form = QFormLayout(box)
        self.method = ChoiceField(tooltip="What puts similar channels side by side.")
        self.method.changed.connect(self._reorder)
        add_row(form, "Me&thod", self.method)
        self.groups = NumberField(0, 20, 0, whole=True, tooltip="Groups of the k-means methods; 0: as many as suit.")
        self.groups.finished.connect(self._regroup)
        add_row(form, "Gro&ups", self.groups)
        self.ordered = QLabel()
        self.ordered.setWordWrap(True)
        form.addRow(self.ordered)
        return box

    def _reorder(self, *_: object) -> None:
        groups = int(self.groups.value) or None
        reorder(self.workspace, self.workspace.scene, self.item, self.method.value, groups)

    def _regroup(self) -> None:
        if self.method.value in ("kmeans", "kmeans_rows"):
            self._reorder()

    # -- cuts ------------------------------------------------------------------------------------

    def _cuts(self) -> QWidget:
        box = QGroupBox("Slices and clip box")
        form = QFormLayout(box)
        self.planes: dict[str, NumberField] = {}
        self.clips: dict[str, QLabeledRangeSlider] = {}
        for axis, length in zip(AXES, self.item.data.shape, strict=True):
            plane = NumberField(0, max(length - 1, 1), 0, whole=True, tooltip=f"Plane across the {axis}s, in slices.")
            plane.changed.connect(partial(self._slice, axis))
            add_row(form, f"Slice, {axis}", plane)
            self.planes[axis] = plane
        for axis, length in zip(AXES, self.item.data.shape, strict=True):
            clip = _range_slider(axis, length)
            clip.valueChanged.connect(partial(self._clip, axis))
            add_row(form, f"Clip, {axis}", clip)
            self.clips[axis] = clip
        whole = QPushButton("Show all")
        whole.setToolTip("Clip nothing away.")
        whole.clicked.connect(lambda: setattr(self.item, "clip_box", ClipBox()))
        form.addRow(whole)
        for signal in (self.item.events.slices, self.item.events.clip_box):
            listen(self, signal, VolumePanel._show_cuts)
        return box

    def _slice(self, axis: str, place: float) -> None:
        planes = self.item.slices.model_dump() | {axis: int(place)}
        self.item.slices = Slices(**planes)

    def _clip(self, axis: str, ends: tuple[int, int]) -> None:
        whole = (0, self.item.data.shape[AXES.index(axis)] - 1)
        ends = tuple(int(end) for end in ends)
        clips = self.item.clip_box.model_dump() | {axis: None if ends == whole else ends}
        self.item.clip_box = ClipBox(**clips)

    # -- what the item says ----------------------------------------------------------------------

    def _show_cuts(self, *_: object) -> None:
        for axis, length in zip(AXES, self.item.data.shape, strict=True):
            place = getattr(self.item.slices, axis)
            self.planes[axis].set_value(length // 2 if place is None else min(place, length - 1))
            ends = getattr(self.item.clip_box, axis) or (0, length - 1)
            with QSignalBlocker(self.clips[axis]):
                self.clips[axis].setValue(tuple(int(end) for end in ends))

    def _show_data(self, *_: object) -> None:
        volume: Volume = self.item.data
        drives = [(Drive.NONE, "nothing")]
        if volume.weights is not None:
            drives.append((Drive.IMPORTANCE, "importance"))
        if volume.groups is not None:
            drives.append((Drive.GROUP, "group"))
        self.drive.set_choices(drives)
        self.drive.set_value(str(self.item.drive))
        self.method.set_choices(methods_for(volume))
        self.method.set_value(volume.method)
        groups = "" if volume.groups is None else f", {len(volume.group_spans)} groups"
        self.ordered.setText(f"{volume.shape[0]:,} channels, shown in the order “{volume.method}”{groups}.")
        self._show_cuts()


def _range_slider(axis: str, length: int) -> QLabeledRangeSlider:
    """Return a slider of two handles between two numbers, its ends, which are typed: arrow keys it does not know."""
    slider = QLabeledRangeSlider(Qt.Orientation.Horizontal)
    slider.setHandleLabelPosition(QLabeledRangeSlider.LabelPosition.NoLabel)
    slider.setEdgeLabelMode(QLabeledRangeSlider.EdgeLabelMode.LabelIsValue)
    slider.setRange(0, max(length - 1, 1))
    slider.setToolTip(f"First and last {axis} that are drawn, 0 to {length - 1}.")
    leave_wheel(slider)
    for part in slider.findChildren(QWidget):
        part.setAccessibleName(f"Clip, {axis}")
        if isinstance(part, QLineEdit):
            part.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if isinstance(part, QAbstractSlider):
            leave_wheel(part)
            part.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    return slider
