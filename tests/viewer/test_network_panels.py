"""Panels of networks by mouse and keyboard: each control moves the state it names."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QComboBox, QPushButton
from viewer_scenes import network_scene, random_network

from cnnvis.core import Provenance
from cnnvis.core.palette import group_colour
from cnnvis.layout import Arrangement, BundleMode, BundleOptions
from cnnvis.scene import GlyphsItem, Scene, Selection, Stance, VolumeItem, stances
from cnnvis.viewer import density_grid
from cnnvis.viewer.density_grid import NAME, DensityGrid
from cnnvis.viewer.kept import Kept
from cnnvis.viewer.panels import processing
from cnnvis.viewer.panels.builder import BuilderPanel
from cnnvis.viewer.panels.bundling_form import OPTIONS
from cnnvis.viewer.panels.importance import METHODS, NO_CLASSES, ImportancePanel
from cnnvis.viewer.panels.network import PARAMETERS, BundlePanel, GlyphsPanel
from cnnvis.viewer.panels.network_dock import NetworkDock
from cnnvis.viewer.panels.processing import ProcessingPanel
from cnnvis.viewer.workspace import Workspace

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton


def shown(qtbot, panel):
    panel.resize(380, 900)
    qtbot.addWidget(panel)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def click(button):
    assert button.isEnabled(), button.text()
    QTest.mouseClick(button, LEFT)


def type_into(box, text):
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def choose(box: QComboBox, text):
    """Choose by keyboard, as one who does not want to open the list."""
    box.setFocus()
    wanted = next(index for index in range(box.count()) if box.itemText(index).startswith(text))
    QTest.keyClick(box, Qt.Key.Key_Home)
    for _ in range(wanted):
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText().startswith(text)


def wait(qtbot, workspace):
    qtbot.waitUntil(lambda: not workspace.jobs.slots, timeout=30_000)
    qtbot.wait(30)


# -- processing ----------------------------------------------------------------------------------


def test_options_are_those_of_the_library():
    """Names, defaults and ranges; the form names them, so that no library has to be loaded for it."""
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.studies.rebundling import NetworkStep, drawing_options

    options = {option.name: option for group in OPTIONS.values() for option in group}
    known = drawing_options({}).as_parameters()
    assert set(options) == set(known) - {"fold"}
    for name, option in options.items():
        assert (known[name] or 0) == option.value or name == "layer_distance"
    assert set(options["arrangement"].choices) == set(Arrangement)
    assert set(options["mode"].choices) == set(BundleMode)
    for name in ("prune_percentage", "layer_width", "node_bandwidth_reduction", "sampling_rate", "hubs", "bandwidth",
                 "edge_bandwidth_reduction", "smoothing_iterations", "class_separation", "tolerance"):  # fmt: skip
        low, high = options[name].low, options[name].high
        drawing_options({name: low})
        drawing_options({name: high})
        with pytest.raises(InvalidInputError):
            drawing_options({name: high + 1})
    assert {f"{what} {how}" for what, steps in processing.STEPS.items() for how, _ in steps} == set(NetworkStep)


def test_run_draws_with_what_was_typed(workspace, qtbot):
    panel = shown(qtbot, ProcessingPanel(workspace))
    fields = panel.form.fields
    type_into(fields["hubs"].box, "1")
    type_into(fields["prune_percentage"].box, "0.5")
    type_into(fields["max_iterations"].box, "3")
    choose(fields["arrangement"], "circle")
    click(panel.run_button)
    assert panel.cancel_button.isEnabled()
    wait(qtbot, workspace)
    found = workspace.network
    expected = {"hubs": 1, "prune_percentage": 0.5, "max_iterations": 3, "arrangement": "circle"}
    assert {name: found.parameters[name] for name in expected} == expected
    assert found.parameters["layer_distance"] is None  # as it was, since nobody touched it
    assert f"{len(found.edges)} of {len(random_network().edges)}" in panel.facts.text()
    assert f"{100 * found.quality.ink_ratio:.0f} %" in panel.facts.text()
    assert not panel.cancel_button.isEnabled()


def test_the_form_shows_the_network_and_its_undo(workspace, qtbot):
    panel = shown(qtbot, ProcessingPanel(workspace))
    type_into(panel.form.fields["bandwidth"].box, "0.3")
    click(panel.run_button)
    wait(qtbot, workspace)
    assert panel.form.fields["bandwidth"].value == 0.3
    workspace.history.undo()
    assert panel.form.fields["bandwidth"].value == BundleOptions().bandwidth
    type_into(panel.form.fields["layer_distance"].box, "1.25")
    assert panel.form.values()["layer_distance"] == 1.25
    click(panel.defaults_button)
    assert panel.form.values() == {
        name: value for name, value in workspace.network.parameters.items() if name in panel.form.fields
    }


@pytest.mark.parametrize("step", [f"{what} {how}" for what, steps in processing.STEPS.items() for how, _ in steps])
def test_each_step_has_its_button(workspace, qtbot, step):
    panel = shown(qtbot, ProcessingPanel(workspace))
    click(panel.step_buttons[step])
    wait(qtbot, workspace)
    assert workspace.network.parameters["steps"] == [step]


def test_pause_and_cancel(workspace, qtbot):
    panel = shown(qtbot, ProcessingPanel(workspace))
    before = workspace.network
    type_into(panel.form.fields["edge_bandwidth_reduction"].box, "0.995")
    type_into(panel.form.fields["sampling_rate"].box, "60")
    click(panel.run_button)
    qtbot.waitUntil(lambda: panel.bar.value() > 1, timeout=20_000)
    click(panel.pause_button)
    assert (panel.pause_button.text(), panel.pause_button.isChecked()) == ("Res&ume", True)
    qtbot.wait(150)
    at = panel.bar.value()
    qtbot.wait(150)
    assert panel.bar.value() == at
    assert "paused" in panel.state.text()
    click(panel.pause_button)
    qtbot.waitUntil(lambda: panel.bar.value() > at)
    assert f"iteration {panel.bar.value()} of {panel.bar.maximum()}" in panel.state.text()
    click(panel.cancel_button)
    assert panel.state.text() == ""
    wait(qtbot, workspace)
    assert workspace.network is before


def test_without_a_network_there_is_nothing_to_run(qtbot):
    workspace = Workspace()
    panel = shown(qtbot, ProcessingPanel(workspace))
    assert not panel.run_button.isEnabled()
    assert not panel.form.isEnabled()
    assert "No network" in panel.state.text()
    workspace.close()


# -- random networks -----------------------------------------------------------------------------


def test_layers_are_added_and_removed(workspace, qtbot):
    panel = shown(qtbot, BuilderPanel(workspace))
    assert panel.sizes == (4, 9, 10)
    buttons = {button.text(): button for button in panel.findChildren(QPushButton)}
    click(buttons["&Add"])
    type_into(panel.table.cellWidget(3, 0), "7")
    assert panel.sizes == (4, 9, 10, 7)
    assert panel.links.text() == "196 links"
    panel.table.setCurrentCell(1, 0)
    click(buttons["&Remove"])
    assert panel.sizes == (4, 10, 7)
    click(buttons["C&lear"])
    assert panel.sizes == ()
    assert not panel.generate_button.isEnabled()
    for _ in range(2):
        click(buttons["&Add"])
    assert panel.sizes == (4, 4)
    for row in range(2):
        type_into(panel.table.cellWidget(row, 0), "9000")
    assert "most" in panel.links.text()
    assert not panel.generate_button.isEnabled()


def test_generate_opens_the_network_of_the_seed(workspace, qtbot):
    panel = shown(qtbot, BuilderPanel(workspace))
    found = []
    for seed in ("3", "4", "3"):
        type_into(panel.seed, seed)
        click(panel.generate_button)
        wait(qtbot, workspace)
        found.append(workspace.network)
    assert found[0].edges.units.sizes == (4, 9, 10)
    np.testing.assert_array_equal(found[0].lines.points, found[2].lines.points)
    assert not np.array_equal(found[0].edges.weight, found[1].edges.weight)
    assert {item.kind for item in workspace.scene} == {"bundle", "glyphs", "labels"}


# -- importance ----------------------------------------------------------------------------------


def test_methods_are_those_of_the_library():
    from cnnvis.attribution import ImportanceMethod

    assert {name for name, _ in METHODS[1:]} == set(ImportanceMethod)
    assert set(NO_CLASSES) <= set(ImportanceMethod)


def test_importance_of_some_classes_redraws_the_network(qtbot):
    from cnnvis.models import load
    from cnnvis.studies import DrawingOptions, score_units
    from cnnvis.studies.bundled_network import build

    model = load("fashion-cnn")
    options = DrawingOptions(top_k=300, bundling=BundleOptions(max_iterations=1))
    network = build(model, score_units(model).importance, options)
    workspace = Workspace()
    workspace.show(Scene.of_network(network), network)
    panel = shown(qtbot, ImportancePanel(workspace))
    assert panel.model.text() == "fashion-cnn"
    assert panel.chosen == network.class_names
    for row in range(2, panel.classes.count()):
        panel.classes.item(row).setCheckState(Qt.CheckState.Unchecked)
    click(panel.run_button)
    wait(qtbot, workspace)
    found = workspace.network
    assert found.class_names == network.class_names[:2]
    assert found.parameters["max_iterations"] == 1
    assert workspace.scene["bundle"].class_names == found.class_names
    assert panel.classes.count() == len(network.class_names)  # the others can come back
    assert panel.chosen == found.class_names
    choose(panel.method, "weight")
    assert not panel.classes.isEnabled()
    click(panel.run_button)
    wait(qtbot, workspace)
    assert workspace.network.parameters["importance"] == "weight"
    assert workspace.network.profiles is None
    workspace.history.undo()
    workspace.history.undo()
    assert workspace.network is network
    workspace.close()


def test_classes_belong_to_the_model_that_is_shown(workspace, qtbot):
    panel = shown(qtbot, ImportancePanel(workspace))
    assert panel.model.text() == ""  # it is a random one
    assert not panel.run_button.isEnabled()
    trained = replace(random_network(), provenance=Provenance("mnist-mlp", "trained"))
    workspace.show(Scene.of_network(trained), trained)
    assert panel.model.text() == "mnist-mlp"
    assert panel.classes.isEnabled()
    for row in range(panel.classes.count()):
        panel.classes.item(row).setCheckState(Qt.CheckState.Unchecked)
    assert not panel.run_button.isEnabled()
    type_into(panel.model, "fashion-cnn")
    assert not panel.classes.isEnabled()
    assert panel.run_button.isEnabled()


def test_a_model_that_is_not_there_is_a_problem_in_words(workspace, qtbot):
    panel = shown(qtbot, ImportancePanel(workspace))
    before, problems = workspace.network, []
    workspace.problem.connect(lambda what, error: problems.append(str(error)))
    type_into(panel.model, "mnist-mpl")
    click(panel.run_button)
    wait(qtbot, workspace)
    assert len(problems) == 1
    assert "mnist-mlp" in problems[0]
    assert workspace.network is before


def test_panels_load_nothing_heavy(run_python):
    text = (
        "import sys, cnnvis.viewer.panels.network_dock, cnnvis.viewer.panels.network; "
        "print([name for name in ('torch', 'numba', 'scipy', 'sklearn') if name in sys.modules])"
    )
    assert run_python(text) == "[]"


@pytest.fixture
def run_python():
    import subprocess

    def run(text):
        return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.strip()

    return run


# -- look ----------------------------------------------------------------------------------------


@pytest.fixture
def bundle_panel(workspace, qtbot):
    return shown(qtbot, BundlePanel(workspace, workspace.scene["bundle"]))


@pytest.mark.parametrize(("name", "high"), [(name, high) for _, name, high, _ in PARAMETERS])
@pytest.mark.parametrize(("kind", "item"), [(BundlePanel, "bundle"), (GlyphsPanel, "units")])
def test_each_parameter_is_typed_slid_and_reset(workspace, qtbot, kind, item, name, high):
    item = workspace.scene[item]
    panel = shown(qtbot, kind(workspace, item))
    before, field = getattr(item, name), panel.parameters[name]
    assert (field.low, field.high) == (0, high)
    type_into(field.box, f"{0.5 * high}")
    assert getattr(item, name) == 0.5 * high
    field.slider.setFocus()
    QTest.keyClick(field.slider, Qt.Key.Key_End)
    assert getattr(item, name) == high
    setattr(item, name, 0.25)  # a script
    assert field.value == 0.25
    click(next(button for button in panel.findChildren(QPushButton) if button.text() == "Defa&ults"))
    assert getattr(item, name) == pytest.approx(before)


def test_one_class_is_shown_by_lines_and_units(bundle_panel, workspace):
    choose(bundle_panel.classes, "2")
    assert [workspace.scene[name].shown_class for name in ("bundle", "units")] == [2, 2]
    index = bundle_panel.classes.currentIndex()
    patch = bundle_panel.classes.itemIcon(index).pixmap(14, 14).toImage().pixelColor(7, 7)
    np.testing.assert_allclose(patch.getRgbF()[:3], group_colour(2), atol=1 / 255)
    choose(bundle_panel.classes, "independent")
    assert workspace.scene["units"].shown_class == "none"
    workspace.scene["bundle"].shown_class = "all"
    assert bundle_panel.classes.value == "all"


@pytest.mark.parametrize("mode", ["lines", "ellipsoids", "points", "tubes"])
def test_modes(bundle_panel, workspace, mode):
    choose(bundle_panel.mode, mode)
    assert workspace.scene["bundle"].mode == mode


@pytest.mark.parametrize(("name", "value"), [("light", 0.9), ("light_azimuth", -60), ("light_elevation", 45)])
def test_one_light_shines_on_lines_and_units(bundle_panel, workspace, name, value):
    type_into(bundle_panel.light[name].box, f"{value:g}")
    assert [getattr(workspace.scene[item], name) for item in ("bundle", "units")] == [value, value]
    setattr(workspace.scene["bundle"], name, 0.0)
    assert bundle_panel.light[name].value == 0


def test_the_threshold_says_what_it_leaves(bundle_panel, workspace):
    network, item = workspace.network, workspace.scene["bundle"]
    type_into(bundle_panel.parameters["importance_threshold"].box, "0.2")
    stays = item.data.line_arrays["importance"] >= np.float32(0.2)
    share = 100 * network.edges.importance[stays].sum() / network.edges.importance.sum()
    assert 0 < stays.sum() < len(stays)
    assert bundle_panel.kept.text() == f"drawn: {stays.sum()} of {len(stays)} edges, importance kept {share:.1f} %"


def test_what_a_hidden_layer_takes_along_is_not_called_drawn(bundle_panel, workspace):
    item = workspace.scene["bundle"]
    item.importance_threshold = 0.0
    assert bundle_panel.kept.text().startswith(f"drawn: {len(item.data)} of {len(item.data)} edges")
    item.hidden_layers = item.layers[-1:]
    left = int((stances(item, Selection()) != Stance.HIDDEN).sum())
    assert 0 < left < len(item.data)
    assert bundle_panel.kept.text().startswith(f"drawn: {left} of {len(item.data)} edges")
    assert "100.0" not in bundle_panel.kept.text()


def test_kept_by_hand():
    network = random_network()
    few = replace(network, edges=network.edges.take(np.arange(5)), lines=network.lines.take(np.arange(5)))
    kept = Kept.of(Scene.of_network(few)["bundle"], few)
    share = 100 * network.edges.importance[:5].sum() / network.edges.importance.sum()
    n = len(network.edges)
    bundled = f"\nbundled: edges 5 of {n}, importance kept {share:.1f} %"
    assert kept.text(0.0) == f"drawn: 5 of {n} edges, importance kept {share:.1f} %" + bundled
    assert kept.text(1.1) == f"drawn: 0 of {n} edges, importance kept 0.0 %" + bundled
    units, n = Kept.of(Scene.of_network(network)["units"]), len(network.points)
    assert units.text(0) == f"drawn: {n} of {n} units, importance kept 100.0 %"


def test_layers_move_apart(bundle_panel, workspace, qtbot):
    before = workspace.network
    type_into(bundle_panel.distance.box, "1.5")
    qtbot.waitUntil(lambda: workspace.network is not before, timeout=10_000)
    assert workspace.network.layout.distance == pytest.approx(1.5)
    workspace.history.undo()
    assert bundle_panel.distance.value == pytest.approx(0.5)


def test_a_panel_that_is_gone_listens_no_more(workspace, qtbot):
    item = workspace.scene["bundle"]
    panel = BundlePanel(workspace, item)
    panel.deleteLater()
    qtbot.wait(20)
    item.shown_class = "none"
    item.importance_threshold = 0.3
    item.data = item.data.blended(0.5)
    workspace.network = replace(workspace.network)


# -- density -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "kind"), [("cubes", VolumeItem), ("cloud", VolumeItem), ("points", GlyphsItem)])
def test_density_comes_and_goes(bundle_panel, workspace, qtbot, text, kind):
    choose(bundle_panel.density, text)
    qtbot.waitUntil(lambda: NAME in workspace.scene, timeout=20_000)
    item = workspace.scene[NAME]
    assert isinstance(item, kind)
    assert bundle_panel.density.currentText().startswith(text)
    choose(bundle_panel.density, "none")
    wait(qtbot, workspace)
    assert NAME not in workspace.scene
    workspace.history.undo()
    assert bundle_panel.density.currentText().startswith(text)


def test_densities_of_long_ago_are_forgotten_with_their_lines(workspace, monkeypatch):
    monkeypatch.setattr(density_grid, "KEPT", 2)
    density = DensityGrid.of(workspace)
    made = [object() for _ in range(4)]
    for each in made:
        density._remember(each, None)
    assert list(density._lines_of_density) == [id(each) for each in made[2:]]


def test_density_follows_the_lines(bundle_panel, workspace, qtbot):
    choose(bundle_panel.density, "cloud")
    qtbot.waitUntil(lambda: NAME in workspace.scene, timeout=20_000)
    workspace.scene[NAME].opacity = 0.4
    depth = workspace.scene[NAME].data.shape[0] * workspace.scene[NAME].data.spacing[2]
    type_into(bundle_panel.distance.box, "1.5")

    def followed():
        now = workspace.scene[NAME].data if NAME in workspace.scene else None
        return now is not None and now.shape[0] * now.spacing[2] > 2 * depth

    qtbot.waitUntil(followed, timeout=20_000)
    assert workspace.scene[NAME].opacity == 0.4
    workspace.history.undo()  # lines and density together, and none of it is made anew
    short = workspace.scene[NAME].data
    assert short.shape[0] * short.spacing[2] == pytest.approx(depth)
    qtbot.wait(600)
    assert workspace.scene[NAME].data is short
    assert workspace.history.can_redo
    assert DensityGrid.of(workspace).mode == "cloud"


def test_the_dock_has_all_four(workspace, qtbot):
    dock = shown(qtbot, NetworkDock(workspace))
    assert [dock.tabText(index) for index in range(dock.count())] == ["Bundling", "Importance", "Build", "Random"]


@pytest.mark.parametrize("panel", [ProcessingPanel, ImportancePanel, BuilderPanel])
def test_every_control_says_what_it_does(workspace, qtbot, panel):
    from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QLineEdit

    panel = shown(qtbot, panel(workspace))
    for kind in (QPushButton, QAbstractSpinBox, QComboBox):
        for control in panel.findChildren(kind):
            explained = control.toolTip() or control.parentWidget().toolTip()
            assert explained, (control, control.accessibleName())
            named = control.accessibleName() or (isinstance(control, QAbstractButton) and control.text())
            assert named or control.findChildren(QLineEdit), control


# -- pixels --------------------------------------------------------------------------------------


def shape_of(pixels):
    """Width by height of what is coloured, the key of the classes below left out."""
    coloured = np.ptp(pixels[: int(0.75 * len(pixels))], axis=2) > 60
    rows, columns = np.nonzero(coloured)
    return np.ptp(columns) / np.ptp(rows)


def test_the_picture_follows(driver):
    driver.workspace.show(network_scene(), random_network())
    first = driver.pixels()
    panel = BundlePanel(driver.workspace, driver.scene["bundle"])
    type_into(panel.parameters["importance_threshold"].box, "0.7")
    fewer = driver.pixels()
    assert (255 - fewer).sum() < 0.9 * (255 - first).sum()
    type_into(panel.parameters["importance_threshold"].box, "0.01")
    np.testing.assert_array_equal(driver.pixels(), first)
    choose(panel.classes, "0")
    coloured = driver.pixels()
    blue = (coloured[..., 2] - coloured[..., 0] > 60).sum()
    assert blue > (coloured[..., 0] - coloured[..., 2] > 60).sum()  # class 0 is blue, and alone
    choose(panel.classes, "all")
    type_into(panel.distance.box, "1.5")
    driver.settle()
    wide = driver.pixels()
    assert shape_of(wide) > 1.5 * shape_of(first)
    panel.deleteLater()


def test_density_is_where_the_lines_are(driver):
    driver.workspace.show(network_scene(), random_network())
    lines = driver.pixels()
    grid = DensityGrid.of(driver.workspace)
    grid.show("cloud")
    driver.settle()
    for name in ("bundle", "units"):
        driver.scene[name].visible = False
    cloud = driver.pixels()
    assert (cloud.min(axis=2) < 240).sum() > 2000
    grid.show("none")
    for name in ("bundle", "units"):
        driver.scene[name].visible = True
    np.testing.assert_array_equal(driver.pixels(), lines)


def test_bundling_is_seen_on_its_way_and_undone(driver):
    driver.workspace.show(network_scene(), random_network())
    first = driver.pixels()
    panel = driver.window.network.processing
    driver.window.docks["network"].raise_()
    click(panel.step_buttons["lines reset"])
    straight = driver.pixels()
    assert np.abs(straight - first).max() > 50
    driver.workspace.history.undo()
    np.testing.assert_array_equal(driver.pixels(), first)
