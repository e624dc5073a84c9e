"""The table of all commands: what is in which menu, and under which key."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from cnnvis.viewer import comparing
from cnnvis.viewer.acts import architecture, cameras, comparisons, items, saliency, surveys
from cnnvis.viewer.commands import Command

if TYPE_CHECKING:
    pass


def _dock(name: str, text: str, keys: str, tip: str) -> Command:
    """Return the switch of a dock."""
    return Command(
        f"docks.{name}",
        text,
        lambda window: window.toggle_dock(name),
        keys,
        tip,
        checked=lambda window: window.docks[name].isVisible(),
    )


def camera_commands() -> list[Command | None]:
    """Return the commands of the menu of cameras."""
    positions = [
        Command(
            f"camera.position_{number}",
            f"{number}: {name}",
            partial(cameras.take_position, number=number),
            str(number),
            f"Look from the position: {name}.",
        )
        for number, (name, _) in cameras.POSITIONS.items()
    ]
    return [
        *positions,
        None,
        Command("camera.reset", "&Reset", cameras.reset, "R", "Look as the scene did when it was opened."),
        Command(
            "camera.rotate",
            "Turn by &itself",
            lambda window: window.toggle_rotation(),
            "H",
            "Turn the scene around what is up, until told to stop.",
            checked=lambda window: window.rotating,
        ),
        Command(
            "camera.parallel",
            "&Parallel rays",
            cameras.toggle_parallel,
            "P",
            "Without perspective, equal things look equal.",
            checked=lambda window: window.workspace.scene.camera.parallel,
        ),
    ]


def file_commands() -> list[Command | None]:
    """Return the commands of the menu of files."""
    return [
        Command("file.open", "&Open…", lambda window: window.files.ask_open(), "Ctrl+O", "Open a file or several."),
        Command(
            "file.model",
            "Open a &model…",
            lambda window: window.files.ask_model(),
            "Ctrl+M",
            "A network that comes along, a Python file or a checkpoint: all of it, or what it makes of an image.",
        ),
        Command(
            "file.training",
            "Open a &training…",
            lambda window: window.files.ask_run(),
            "",
            "The folder that cnnvis.Watcher writes: finished, or followed while it goes on.",
        ),
        Command(
            "file.build",
            "&Build a network…",
            lambda window: window.build_network(),
            "Ctrl+B",
            "Convolutions, poolings and dense layers, one after the other; as a Python file, too.",
        ),
        Command("file.save", "&Save scene", lambda window: window.files.save(), "Ctrl+S", "Save what is shown."),
        Command("file.save_as", "Save scene &as…", lambda window: window.files.ask_save(), "Ctrl+Shift+S"),
        None,
        *_survey_commands(),
        Command(
            "file.saliency",
            "Explain the &image…",
            saliency.explain_image,
            "Ctrl+I",
            "Show where in an image the network sees a class: Grad-CAM or occlusion over the picture.",
        ),
        None,
        Command("file.picture", "S&creenshot…", lambda window: window.exports.ask_picture(), "K", "Of any size."),
        Command("file.film", "&Film…", lambda window: window.exports.ask_film(), "", "Of a turn, or of the series."),
        Command("file.page", "&Web page…", lambda window: window.exports.ask_page(), "", "Turns in any browser."),
        Command("file.paraview", "&ParaView…", lambda window: window.exports.ask_paraview(), "", "Volumes and lines."),
        Command("file.gltf", "&glTF…", lambda window: window.exports.ask_gltf(), "", "Lines and units of networks."),
        Command(
            "file.python",
            "Copy as P&ython",
            lambda window: window.exports.copy_python(),
            "Ctrl+Shift+C",
            "Put Python that makes this picture on the clipboard.",
        ),
        None,
        Command("file.start", "S&tart page", lambda window: window.show_start(), "", "Recent files and examples."),
        Command("file.quit", "&Quit", lambda window: window.close(), "Ctrl+Q", "Close the window."),
    ]


def _survey_commands() -> list[Command]:
    """Return the commands of the menu of files that make and keep surveys."""
    return [
        Command(
            "file.survey",
            "S&urvey this network…",
            surveys.ask_survey,
            "Ctrl+U",
            "Follow every channel of the network that is open over many images.",
        ),
        Command(
            "file.save_survey",
            "Sa&ve survey…",
            surveys.ask_save_survey,
            "",
            "Keep the survey that is looked at.",
            possible=lambda window: window.workspace.survey is not None,
        ),
    ]


def edit_commands() -> list[Command | None]:
    """Return the commands of the menu of edits."""
    return [
        Command(
            "edit.undo",
            "&Undo",
            lambda window: window.workspace.history.undo(),
            "Ctrl+Z",
            "Take a change back.",
            possible=lambda window: window.workspace.history.can_undo,
        ),
        Command(
            "edit.redo",
            "&Redo",
            lambda window: window.workspace.history.redo(),
            "Ctrl+Y; Ctrl+Shift+Z",
            "Make a change again that was taken back.",
            possible=lambda window: window.workspace.history.can_redo,
        ),
        None,
        Command(
            "edit.deselect",
            "&Clear selection",
            lambda window: window.workspace.select(),
            "Esc",
            "Select no unit, layer or class.",
        ),
        Command(
            "edit.path",
            "Strongest &path to a class…",
            lambda window: window.show_paths(),
            "Shift+P",
            "From any input to an output, along the links that hand on most.",
        ),
    ]


def view_commands() -> list[Command | None]:
    """Return the commands of the menu of views: what is shown, and the docks."""
    return [
        Command("view.next_channel", "Next channel", partial(items.step_channel, step=1), "Right; Up", in_view=True),
        Command(
            "view.last_channel", "Channel before", partial(items.step_channel, step=-1), "Left; Down", in_view=True
        ),
        Command("view.next_layer", "Next layer", partial(items.step_layer, step=1), "PgDown", in_view=True),
        Command("view.last_layer", "Layer before", partial(items.step_layer, step=-1), "PgUp", in_view=True),
        Command("view.play", "&Play", lambda window: window.timeline.play.toggle(), "Space", in_view=True),
        None,
        Command("view.find", "&Find a layer…", items.find_layer, "Ctrl+F", "Choose or select a layer by its name."),
        Command("view.order", "Next &order", items.step_order, "O", "Put the channels of a volume into another order."),
        Command("view.class", "Next &class", items.step_class, "C", "All classes, none, then one after the other."),
        Command("view.bundled", "Straight or &bundled", items.toggle_bundled, "B"),
        Command(
            "view.architecture",
            "&Network, layer by layer",
            architecture.show_architecture,
            "Ctrl+L",
            "All maps of all layers of the network that is open, in space; undo goes back.",
        ),
        Command(
            "view.explain",
            "E&xplain an operation",
            lambda window: window.show_operation(),
            "Ctrl+E",
            "How a value of the network is computed, with its numbers: click a unit or a pixel, or choose a layer.",
        ),
        Command("view.clip", "Clip", items.toggle_clip, "X", "Cut half of a volume away, or show all of it."),
        None,
        Command(
            "view.dark",
            "&Dark",
            lambda window: window.toggle_theme(),
            "",
            "Light letters on a dark ground, in the window and in the picture.",
            checked=lambda window: window.theme == "dark",
        ),
        None,
        _dock("scene", "Scene", "", "The tree of what is open."),
        _dock("properties", "Properties", "", "What the chosen item looks like."),
        _dock("transfer", "Transfer function", "T", "What values look like: colours and opacity."),
        _dock("ask", "Selection", "", "What is selected, and what it is linked with."),
        _dock("survey", "Survey", "", "Averages of all channels, who is like whom, images passing through."),
        _dock("operation", "Operation", "", "How one value of the network is computed."),
        _dock("saliency", "Saliency", "", "Where in an image a class is seen."),
        _dock("network", "Network", "", "Bundling, importance, and random networks."),
        _dock("timeline", "Timeline", "", "The frames of a series."),
        _dock("log", "Log", "", "What happened."),
    ]


def compare_commands() -> list[Command | None]:
    """Return the commands of the menu of comparisons."""
    return [
        Command(
            "compare.untrained",
            "Trained with &untrained",
            comparisons.add_untrained,
            "",
            "Draw the same network with the weights that it began with beside it.",
        ),
        Command("compare.files", "With &files…", comparisons.ask_files, "", "Open files beside what is open."),
        Command("compare.model", "With a &network…", comparisons.ask_model, "", "Draw a network that comes along."),
        Command("compare.frames", "F&rames…", comparisons.ask_frames, "", "Images, classes or epochs of the series."),
        Command("compare.orders", "&Orders…", comparisons.ask_orders, "", "One volume, its channels in other orders."),
        None,
        Command(
            "compare.difference",
            "Signed &difference",
            comparisons.add_difference,
            "",
            "Add a pane with the second minus the first of two.",
        ),
        Command("compare.links", "&Links…", comparisons.ask_links, "", "Camera, range, order, selection and look."),
        Command(
            "compare.close",
            "&Keep the active pane",
            lambda window: comparing.keep_active(window.workspace),
            "",
            "Close the other panes.",
        ),
    ]


def help_commands() -> list[Command | None]:
    """Return the commands of the menu of help."""
    return [
        Command("help.keys", "&Keys…", lambda window: window.show_keys(), "F1; ?", "List all keys, and change them."),
    ]


def all_menus() -> dict[str, list[Command | None]]:
    """Return every command by menu."""
    return {
        "&File": file_commands(),
        "&Edit": edit_commands(),
        "&View": view_commands(),
        "&Camera": camera_commands(),
        "C&ompare": compare_commands(),
        "&Help": help_commands(),
    }
