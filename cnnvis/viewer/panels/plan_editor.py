"""Networks built by hand: steps that are added, removed and moved, their shapes, a Python file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from cnnvis.core.errors import CnnvisError
from cnnvis.core.plan import (
    KINDS,
    MOST,
    ConvolutionStep,
    DenseStep,
    NetworkPlan,
    PoolingStep,
    Step,
    StepActivation,
    StepCost,
    name_of,
)
from cnnvis.viewer.fields import ChoiceField, add_row, leave_wheel
from cnnvis.viewer.panels.column_area import ColumnArea
from cnnvis.viewer.timers import single_shot
from cnnvis.viewer.workspace import Workspace

if TYPE_CHECKING:
    from cnnvis.viewer.plans import PlanDrawing

DIGITS = tuple("0123456789")

PLANS: dict[str, NetworkPlan] = {
    "three convolutions": NetworkPlan(
        (
            *(ConvolutionStep(4), PoolingStep(), ConvolutionStep(8), PoolingStep(), ConvolutionStep(16), PoolingStep()),
            *(DenseStep(16), DenseStep(10, "none")),
        ),
        class_names=DIGITS,
    ),
    "like VGG": NetworkPlan(
        (
            *(ConvolutionStep(8), ConvolutionStep(8), PoolingStep(), ConvolutionStep(16), ConvolutionStep(16)),
            *(PoolingStep(), ConvolutionStep(32), ConvolutionStep(32), PoolingStep()),
            *(DenseStep(64), DenseStep(10, "none")),
        ),
        class_names=DIGITS,
    ),
    "a perceptron": NetworkPlan((DenseStep(81), DenseStep(49), DenseStep(10, "none")), class_names=DIGITS),
}
"""To begin with; the first is the network that the Unity visualizer trained on digits."""

REST_MS = 400
"""After the last change, until the network is drawn."""

PER_LINE = 2
"""Numbers of a step beside each other."""

MOST_PRODUCTS = 300_000_000
"""Products of a network that is drawn while it is built; a larger one is drawn when it is asked for."""


class PlanEditor(ColumnArea):
    """A list of steps, each with its numbers and what it makes.

    Parameters
    ----------
    workspace : Workspace
    drawing : PlanDrawing
        Shows the network, and follows its file.
    """

    def __init__(self, workspace: Workspace, drawing: PlanDrawing) -> None:
        super().__init__()
        self.workspace, self.drawing = workspace, drawing
        self.plan = next(iter(PLANS.values()))
        self._before: list[NetworkPlan] = []
        self._after: list[NetworkPlan] = []
        self.rows: list[StepRow] = []
        body = QWidget()
        layout = QVBoxLayout(body)
        form = QFormLayout()
        self.begin = ChoiceField(tuple(PLANS), tooltip="A network to begin with; it takes the place of this one.")
        self.begin.changed.connect(lambda name: self.change(PLANS[name]))
        add_row(form, "&Begin with", self.begin)
        self.sides = [self._side(number) for number in range(3)]
        sides = QWidget()
        line = QHBoxLayout(sides)
        line.setContentsMargins(0, 0, 0, 0)
        for box in self.sides:
            line.addWidget(box)
        add_row(form, "&Input", sides)
        self.classes = QLineEdit()
        self.classes.setToolTip("Names of the last layer's units, with commas between; none if it tells none apart.")
        self.classes.editingFinished.connect(self._name_classes)
        add_row(form, "C&lasses", self.classes)
        layout.addLayout(form)
        self.list = QVBoxLayout()
        self.list.setSpacing(2)
        layout.addLayout(self.list)
        layout.addLayout(self._buttons())
        self.state = QLabel()
        self.state.setWordWrap(True)
        layout.addWidget(self.state)
        layout.addLayout(self._ends())
        layout.addStretch(1)
        self.setWidget(body)
        self._rest = single_shot(self, REST_MS, self._draw_if_small)
        drawing.edited.connect(self._take_file)
        self._show()

    def _side(self, number: int) -> QSpinBox:
        box = QSpinBox()
        box.setRange(1, MOST)
        what = ("Channels", "Rows", "Columns")[number]
        box.setToolTip(f"{what} of the input.")
        box.setAccessibleName(f"{what} of the input")
        box.setKeyboardTracking(False)
        leave_wheel(box)
        box.valueChanged.connect(lambda _: self.change(replace(self.plan, input=tuple(b.value() for b in self.sides))))
        return box

    def _buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        for kind in KINDS:
            line.addWidget(
                _button(f"+ {kind}", f"Add a {kind} as the last step that can read maps.", self.add_step, kind)
            )
        return line

    def _ends(self) -> QGridLayout:
        grid = QGridLayout()
        self.undo = _button("Undo", "Take the last change of the plan back.", self.step_back)
        self.redo = _button("Redo", "Make it again.", self.step_forward)
        self.draw_button = _button("Draw", "Show the network with random weights, layer by layer.", self.draw)
        self.write_button = _button("Write Python…", "Write the network as a Python file.", self.ask_write)
        self.read_button = _button("Read…", "Take the plan of a file that was written here.", self.ask_read)
        buttons = (self.undo, self.redo, self.draw_button, self.write_button, self.read_button)
        for number, button in enumerate(buttons):
            grid.addWidget(button, *divmod(number, 3))
        return grid

    # -- changes ---------------------------------------------------------------------------------

    def change(self, plan: NetworkPlan) -> None:
        """Take another plan, as one step of the editor's own undo."""
        if plan == self.plan:
            return
        self._before.append(self.plan)
        self._after.clear()
        self._set(plan)

    def step_back(self) -> None:
        """Take the last change back."""
        if self._before:
            self._after.append(self.plan)
            self._set(self._before.pop())

    def step_forward(self) -> None:
        """Make a change again that was taken back."""
        if self._after:
            self._before.append(self.plan)
            self._set(self._after.pop())

    def _set(self, plan: NetworkPlan) -> None:
        self.plan = plan
        self._show()
        self._rest.start()

    def add_step(self, kind: str) -> None:
        """Add a step: a dense layer at the end, what reads maps before the first dense layer."""
        steps = list(self.plan.steps)
        first_dense = next((n for n, step in enumerate(steps) if isinstance(step, DenseStep)), len(steps))
        place = len(steps) if KINDS[kind] is DenseStep else first_dense
        self.change(replace(self.plan, steps=(*steps[:place], KINDS[kind](), *steps[place:])))

    def remove_step(self, number: int) -> None:
        """Remove a step."""
        self.change(replace(self.plan, steps=(*self.plan.steps[:number], *self.plan.steps[number + 1 :])))

    def move_step(self, number: int, by: int) -> None:
        """Move a step up or down."""
        steps = list(self.plan.steps)
        if 0 <= number + by < len(steps):
            steps.insert(number + by, steps.pop(number))
            self.change(replace(self.plan, steps=tuple(steps)))

    def set_step(self, number: int, step: Step) -> None:
        """Give a step other numbers."""
        self.change(replace(self.plan, steps=(*self.plan.steps[:number], step, *self.plan.steps[number + 1 :])))

    def _name_classes(self) -> None:
        names = tuple(name.strip() for name in self.classes.text().split(",") if name.strip())
        self.change(replace(self.plan, class_names=names))

    # -- what is shown ---------------------------------------------------------------------------

    def _show(self) -> None:
        """Show the plan: rows are made anew where other kinds of steps stand there."""
        kinds = [type(step) for step in self.plan.steps]
        if kinds != [type(row.step) for row in self.rows]:
            for row in self.rows:
                row.hide()
                row.deleteLater()
            self.rows = [StepRow(self, number, step) for number, step in enumerate(self.plan.steps)]
            for row in self.rows:
                self.list.addWidget(row)
        found = self.plan.check()
        for number, (row, step) in enumerate(zip(self.rows, self.plan.steps, strict=True)):
            here = number == len(found.costs)  # the first that does not fit says why
            row.show_step(step, found.costs[number] if number < len(found.costs) else None, found.problem * here)
        for box, side in zip(self.sides, self.plan.input, strict=True):
            box.blockSignals(True)
            box.setValue(side)
            box.blockSignals(False)
        self.classes.setText(", ".join(self.plan.class_names))
        parameters, products = (sum(getattr(cost, name) for cost in found.costs) for name in ("parameters", "products"))
        at_a_step = len(found.costs) < len(self.plan.steps)
        self.state.setText(
            "" if at_a_step else found.problem or f"{parameters:,} parameters, {products:,} products for one image"
        )
        self.draw_button.setEnabled(found.fits)
        self.write_button.setEnabled(found.fits)
        self.undo.setEnabled(bool(self._before))
        self.redo.setEnabled(bool(self._after))

    def _draw_if_small(self) -> None:
        found = self.plan.check()
        if found.fits and self.drawing.is_shown and sum(cost.products for cost in found.costs) <= MOST_PRODUCTS:
            self.drawing.draw(self.plan)

    def draw(self) -> None:
        """Show the network; from then on every change that fits is drawn."""
        self.drawing.draw(self.plan)

    # -- files -----------------------------------------------------------------------------------

    def ask_write(self) -> None:
        """Ask where to, and write the Python file."""
        start = self.drawing.path or Path.cwd() / "built.py"
        name, _ = QFileDialog.getSaveFileName(
            self, "Write Python", str(start), "Python (*.py)", options=QFileDialog.Option.DontConfirmOverwrite
        )
        if name:
            path = Path(name)
            self.write(path if path.suffix else path.with_suffix(".py"))

    def write(self, path: Path) -> None:
        """Write the Python file, and show it again whenever it is saved; ask where code would be lost."""
        from cnnvis.models.plan_files import is_edited, write_plan

        edited = path.exists() and is_edited(path)
        if edited and not self._may_lose(path):
            return
        try:
            write_plan(self.plan, path, overwrite=edited)
        except (CnnvisError, OSError) as error:
            self.workspace.problem.emit(f"Writing {path.name}", error)
            return
        self.drawing.follow(path)
        self.workspace.message.emit(f"Wrote {path}. Edit it in any editor: it is shown again when it is saved.")

    def _may_lose(self, path: Path) -> bool:
        question = f"{path.name} has code that was not written here, or was edited since. Replace it?"
        box = QMessageBox(QMessageBox.Icon.Question, "Write Python", question, parent=self)
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No)
        return bool(box.exec() == QMessageBox.StandardButton.Yes)

    def ask_read(self) -> None:
        """Ask for a file, and take its plan."""
        name, _ = QFileDialog.getOpenFileName(self, "Read a plan", "", "Python (*.py)")
        if name:
            self.read(Path(name))

    def read(self, path: Path) -> None:
        """Take the plan of a file; the file is run only to show it, if it was edited by hand."""
        from cnnvis.models.plan_files import read_plan

        try:
            found = read_plan(path)
        except CnnvisError as error:
            self.workspace.problem.emit(f"Reading {path.name}", error)
            return
        self.change(found.plan)
        self.drawing.follow(path)
        if found.edited:
            self.workspace.message.emit(f"{path.name} was edited by hand: this is the plan it began with.")
            self.drawing.reload()
        else:
            self.drawing.draw(found.plan)

    def _take_file(self, plan: NetworkPlan) -> None:
        """Take the plan of the file that is followed, which somebody has saved unedited."""
        self.change(plan)


class StepRow(QFrame):
    """One step: its numbers, what it makes, and buttons.

    Parameters
    ----------
    editor : PlanEditor
    number : int
    step : Step
    """

    def __init__(self, editor: PlanEditor, number: int, step: Step) -> None:
        super().__init__()
        self.editor, self.number, self.step = editor, number, step
        self.setFrameShape(QFrame.Shape.StyledPanel)
        grid = QGridLayout(self)
        grid.setContentsMargins(4, 2, 4, 2)
        self.title = QLabel(f"<b>{number + 1}</b> {name_of(step)}")
        self.makes = QLabel()
        self.makes.setMinimumWidth(1)
        self.makes.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        buttons = QHBoxLayout()
        for text, tip, call in (
            ("▲", "Move it up", partial(editor.move_step, number, -1)),
            ("▼", "Move it down", partial(editor.move_step, number, 1)),
            ("✕", "Remove it", partial(editor.remove_step, number)),
        ):
            button = _button(text, f"{tip}.", call)
            button.setAccessibleName(f"{tip}: step {number + 1}")
            button.setFixedWidth(28)
            buttons.addWidget(button)
        grid.addWidget(self.title, 0, 0)
        grid.addWidget(self.makes, 0, 1)
        grid.addLayout(buttons, 0, 2)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        grid.addWidget(self.problem, 1, 0, 1, 3)
        self.boxes: dict[str, QSpinBox] = {}
        numbers = QGridLayout()
        for field in fields(step):
            if not isinstance(step, PoolingStep) and field.name == "activation":
                self.activation = ChoiceField(tuple(StepActivation), step.activation, tooltip="What stands behind it.")
                self.activation.setAccessibleName(f"Activation of step {number + 1}")
                self.activation.changed.connect(lambda name: self._change("activation", str(name)))
                numbers.addWidget(self.activation, *divmod(len(self.boxes), PER_LINE))
                continue
            box = QSpinBox()
            box.setRange(0 if field.name == "padding" else 1, MOST)
            box.setPrefix(f"{field.name} ")
            box.setAccessibleName(f"{field.name} of step {number + 1}")
            box.setKeyboardTracking(False)
            leave_wheel(box)
            box.valueChanged.connect(partial(self._change, field.name))
            numbers.addWidget(box, *divmod(len(self.boxes), PER_LINE))
            self.boxes[field.name] = box
        grid.addLayout(numbers, 2, 0, 1, 3)
        self.show_step(step, None, "")

    def _change(self, name: str, value: int | str) -> None:
        self.editor.set_step(self.number, replace(self.step, **{name: value}))

    def show_step(self, step: Step, cost: StepCost | None, problem: str) -> None:
        """Show the numbers of a step of the same kind, and what it makes, or why it does not fit."""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self.step = step
        for name, box in self.boxes.items():
            box.blockSignals(True)
            box.setValue(getattr(step, name))
            box.blockSignals(False)
        if not isinstance(step, PoolingStep):
            self.activation.set_value(step.activation)
        if cost is None:
            self.makes.setText("<b>does not fit</b>" if problem else "–")
            return
        text = " × ".join(map(str, cost.shape))
        self.makes.setText(f"{text}, {cost.parameters:,} parameters" if cost.parameters else text)


def _button(text: str, tip: str, call: Callable[..., None], *values: object) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _: call(*values))
    return button
