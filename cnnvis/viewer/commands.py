"""What the window can be told to do: one table for menus, keys and the list of keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QAction, QKeySequence
from qtpy.QtWidgets import QMenu, QMenuBar, QWidget

if TYPE_CHECKING:
    from cnnvis.viewer.window import ViewerWindow


class Command(NamedTuple):
    """One thing the window can do.

    Parameters
    ----------
    name : str
        By which settings remember its keys: "camera.reset".
    text : str
        In menus, with & before the letter that chooses it.
    run : callable
        Called with the window.
    keys : str
        As QKeySequence reads them, several parted by "; "; "" for none.
    tip : str
        In one sentence, what it does.
    in_view : bool
        Its keys mean it only while the 3-D view has the focus: other widgets need arrows, space and pages themselves.
    checked : callable, optional
        Called with the window, says whether the command is switched on; of a command that is a switch.
    possible : callable, optional
        Called with the window, says whether it would do anything now; grey in an open menu where not. Its keys work
        always.
    """

    name: str
    text: str
    run: Callable[[ViewerWindow], object]
    keys: str = ""
    tip: str = ""
    in_view: bool = False
    checked: Callable[[ViewerWindow], bool] | None = None
    possible: Callable[[ViewerWindow], bool] | None = None

    @property
    def plain_text(self) -> str:
        """The text without the mark of its letter."""
        return self.text.replace("&", "").rstrip("…")


class Commands(QObject):
    """The actions of a window.

    Parameters
    ----------
    window : ViewerWindow
    view : QWidget
        That commands with `in_view` are bound to.
    menus : mapping of menu title to commands
        None is a line between two.
    keys : mapping of command name to str
        Keys that the user chose in place of those of the table.
    """

    def __init__(
        self,
        window: ViewerWindow,
        view: QWidget,
        menus: Mapping[str, Iterable[Command | None]],
        keys: Mapping[str, str],
    ) -> None:
        super().__init__(window)
        self.window = window
        self.menus = {title: tuple(commands) for title, commands in menus.items()}
        self.actions: dict[str, QAction] = {}
        self.commands: dict[str, Command] = {}
        bar = QMenuBar(window)  # made here, as menus and separators are: see `qt_parts.let_go`
        window.setMenuBar(bar)
        for title, commands in self.menus.items():
            menu = QMenu(title, bar)
            bar.addMenu(menu)
            menu.aboutToShow.connect(self.show_checks)
            menu.aboutToShow.connect(partial(self._show_possible, title))
            menu.aboutToHide.connect(partial(self._allow_all, title))
            for command in commands:
                self._add(menu, command, view, keys)

    def _add(self, menu: QMenu, command: Command | None, view: QWidget, keys: Mapping[str, str]) -> None:
        if command is None:
            separator = QAction(menu)
            separator.setSeparator(True)
            menu.addAction(separator)
            return
        action = QAction(command.text, self.window)
        action.setToolTip(command.tip)
        action.setStatusTip(command.tip)
        action.setCheckable(command.checked is not None)
        action.triggered.connect(partial(self.run, command.name))
        if command.in_view:
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            view.addAction(action)
        menu.addAction(action)
        self.actions[command.name], self.commands[command.name] = action, command
        self.set_keys(command.name, keys.get(command.name, command.keys))

    def run(self, name: str, *_: object) -> None:
        """Do it, as one step of undo; an error becomes a message."""
        history = self.window.workspace.history
        history.commit()
        try:
            self.commands[name].run(self.window)
            history.commit()
        except Exception as error:  # noqa: BLE001 - an exception that leaves a slot of Qt ends the program
            self.window.workspace.problem.emit(self.commands[name].plain_text, error)
        self.show_checks()

    def show_checks(self) -> None:
        """Bring the marks of all switches up to date."""
        for name, command in self.commands.items():
            if command.checked is not None:
                self.actions[name].setChecked(command.checked(self.window))

    def _show_possible(self, title: str) -> None:
        for command in self.menus[title]:
            if command is not None and command.possible is not None:
                self.actions[command.name].setEnabled(command.possible(self.window))

    def _allow_all(self, title: str) -> None:
        """Let keys work again: whether there is anything to undo is known only when they are pressed."""
        for command in self.menus[title]:
            if command is not None:
                self.actions[command.name].setEnabled(True)

    def keys(self, name: str) -> str:
        """Return the keys of a command, several parted by "; "."""
        return QKeySequence.listToString(self.actions[name].shortcuts(), QKeySequence.SequenceFormat.PortableText)

    def set_keys(self, name: str, keys: str) -> None:
        """Give a command other keys."""
        self.actions[name].setShortcuts(QKeySequence.listFromString(keys, QKeySequence.SequenceFormat.PortableText))

    def with_keys(self, keys: str) -> str | None:
        """Return the name of the command that has one of these keys; None where they are free."""
        wanted = set(keys.split("; ")) - {""}
        return next((name for name in self.commands if wanted & set(self.keys(name).split("; "))), None)
