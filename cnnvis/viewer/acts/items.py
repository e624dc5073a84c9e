"""What keys change of the chosen item: channel, layer, class, bundling, clip box."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cnnvis.scene import BundleItem, ClipBox, NetworkItem, SceneItem, Selection, Slices, VolumeItem, VolumeMode
from cnnvis.viewer.choice_dialogs import FindOne, is_accepted
from cnnvis.viewer.reordering import methods_for, reorder

if TYPE_CHECKING:
    from cnnvis.viewer.window import ViewerWindow

Kind = TypeVar("Kind", bound=SceneItem)


def step_channel(window: ViewerWindow, step: int) -> None:
    """Show the next channel of a volume as a slice, in the order that is shown."""
    item = chosen_of(window, VolumeItem)
    if item is None:
        window.workspace.message.emit("Arrows go through the channels of a volume; choose one in the tree.")
        return
    n_channels = item.data.shape[0]
    planes = item.slices
    if item.mode is not VolumeMode.SLICES:
        item.mode = VolumeMode.SLICES
        channel = n_channels // 2 if planes.channel is None else planes.channel
    else:
        channel = (n_channels // 2 if planes.channel is None else planes.channel) + step
    item.slices = Slices(channel=min(max(channel, 0), n_channels - 1), row=planes.row, column=planes.column)


def step_layer(window: ViewerWindow, step: int) -> None:
    """Choose the next item of the scene; where only one volume is seen, show the next in its place."""
    items = window.workspace.scene.items
    if not items:
        return
    names = [item.name for item in items]
    chosen = window.workspace.item
    old = names.index(chosen.name) if chosen is not None else 0
    new = items[min(max(old + step, 0), len(items) - 1)]
    volumes = [item for item in items if isinstance(item, VolumeItem)]
    alone = [item for item in volumes if item.visible]
    if isinstance(new, VolumeItem) and len(volumes) > 1 and len(alone) == 1 and alone[0] is chosen:
        chosen.visible, new.visible = False, True
    window.workspace.item = new


def step_class(window: ViewerWindow) -> None:
    """Show the next class of a network: all, none, then one after the other."""
    items = [item for item in window.workspace.scene if isinstance(item, NetworkItem) and item.class_names]
    if not items:
        window.workspace.message.emit("There are no classes here: they come with the importance of a network.")
        return
    first = items[0]
    looks: list[str | int] = ["all", "none", *range(len(first.class_names))]
    shown = first.class_index if first.class_index is not None else first.shown_class
    new = looks[(looks.index(shown) + 1) % len(looks)]
    for item in items:
        item.shown_class = new
    said = new if isinstance(new, str) else first.class_names[new]
    window.workspace.message.emit(f"Class: {said}")


def toggle_bundled(window: ViewerWindow) -> None:
    """Change between straight and bundled lines."""
    bundles = [item for item in window.workspace.scene if isinstance(item, BundleItem)]
    if not bundles:
        window.workspace.message.emit("There are no lines of a network here.")
    straight = any(item.blend > 0 for item in bundles)
    for item in bundles:
        item.blend = 0.0 if straight else 1.0


def toggle_clip(window: ViewerWindow) -> None:
    """Cut the nearer half of a volume's rows away, or show all of it again."""
    item = chosen_of(window, VolumeItem)
    if item is None:
        window.workspace.message.emit("X clips a volume; there is none here.")
        return
    if item.clip_box != ClipBox():
        item.clip_box = ClipBox()
    else:
        item.clip_box = ClipBox(column=(0, (item.data.shape[2] - 1) // 2))


def step_order(window: ViewerWindow) -> None:
    """Put the channels of a volume into the next order."""
    item = chosen_of(window, VolumeItem)
    if item is None:
        window.workspace.message.emit("O orders the channels of a volume; there is none here.")
        return
    methods = methods_for(item.data)
    shown = item.data.method
    following = methods.index(shown) + 1 if shown in methods else 0
    reorder(window.workspace, window.workspace.scene, item, methods[following % len(methods)])


def find_layer(window: ViewerWindow) -> None:
    """Ask for a layer by a part of its name, and select it: its volume is chosen, its units stand out."""
    scene = window.workspace.scene
    networks = [item.layers for item in scene if isinstance(item, NetworkItem)]
    volumes = {item.data.layer or item.name: item for item in scene if isinstance(item, VolumeItem)}
    names = list(dict.fromkeys([*volumes, *(name for layers in networks for name in layers)]))
    if not names:
        window.workspace.message.emit("There are no layers here.")
        return
    dialog = FindOne("Find a layer", names, window)
    if not is_accepted(dialog) or dialog.chosen is None:
        return
    name = names[dialog.chosen]
    if name in volumes:
        volumes[name].visible = True
        window.workspace.item = volumes[name]
    else:
        window.workspace.select(Selection(layers=frozenset({name})))


def chosen_of(window: ViewerWindow, kind: type[Kind]) -> Kind | None:
    """Return the chosen item if it is of that kind, else the first visible one that is."""
    chosen = window.workspace.item
    if isinstance(chosen, kind):
        return chosen
    return next((item for item in window.workspace.scene if isinstance(item, kind) and item.visible), None)
