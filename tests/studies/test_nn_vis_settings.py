"""Files of settings as nn_vis writes them: what is taken over, and what wrong ones get."""

import json
import logging

import pytest

from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError
from cnnvis.layout import BundleOptions
from cnnvis.studies import DrawingOptions, NetworkLook, NetworkSettings, read_settings
from cnnvis.studies.bundled_network import build_random

PROCESSING = {
    "edge_bandwidth_reduction": 0.8,
    "edge_importance_type": 2,
    "layer_distance": 0.6,
    "layer_width": 0.7,
    "node_bandwidth_reduction": 0.85,
    "prune_percentage": 0.25,
    "sampling_rate": 12.0,
    "smoothing": True,
    "smoothing_iterations": 5,
}
RENDERING = {
    "edge_object_radius": 0.03,
    "edge_base_opacity": 0.1,
    "edge_importance_opacity": 1.5,
    "edge_depth_opacity": 0.3,
    "edge_opacity_exponent": 0.75,
    "edge_importance_threshold": 0.05,
    "edge_render_mode": 3,
    "node_object_radius": 0.06,
    "node_base_opacity": 0.2,
    "node_importance_opacity": 0.9,
    "node_depth_opacity": 0.4,
    "node_opacity_exponent": 2.5,
    "node_importance_threshold": 0.02,
    "node_render_mode": 2,
    "grid_render_mode": 0,
    "screen_width": 1280.0,
    "screen_height": 720.0,
}


@pytest.fixture
def written(tmp_path):
    """Write a file of settings and return its path."""

    def write(settings, name="settings.json"):
        path = tmp_path / name
        path.write_text(json.dumps(settings, indent=4))
        return path

    return write


def test_every_key_of_processing_reaches_its_option(written):
    bundling = BundleOptions(
        edge_bandwidth_reduction=0.8, edge_importance_type="both", sampling_rate=12, smoothing_iterations=5
    )
    options = DrawingOptions(
        layer_distance=0.6,
        layer_width=0.7,
        node_bandwidth_reduction=0.85,
        prune_percentage=0.25,
        bundling=bundling,
    )
    assert read_settings(written(PROCESSING)) == NetworkSettings(options, NetworkLook())


def test_every_parameter_of_the_shaders_reaches_lines_and_units(written, caplog):
    caplog.set_level(logging.WARNING)
    found = read_settings([written(RENDERING)])
    assert found.options == DrawingOptions()
    assert not caplog.records
    scene = found.look.scene(build_random((4, 3)))
    names = ("size", "base_opacity", "importance_opacity", "depth_opacity", "depth_exponent", "importance_threshold")
    assert [getattr(scene["bundle"], name) for name in names] == [0.03, 0.1, 1.5, 0.3, 0.75, 0.05]
    assert [getattr(scene["units"], name) for name in names] == [0.06, 0.2, 0.9, 0.4, 2.5, 0.02]
    assert (scene["bundle"].mode, scene["units"].mode) == ("ellipsoids", "spheres")


@pytest.mark.parametrize(
    ("number", "visible", "mode"),
    [(0, False, "tubes"), (1, True, "points"), (3, True, "ellipsoids"), (4, True, "lines"), (5, True, "points")],
)
def test_modes_go_by_their_numbers(written, number, visible, mode):
    bundle = read_settings(written({"edge_render_mode": number})).look.scene(build_random((4, 3)))["bundle"]
    assert (bundle.visible, bundle.mode) == (visible, mode)


def test_without_smoothing_there_are_no_iterations_of_it(written):
    found = read_settings(written(PROCESSING | {"smoothing": False}))
    assert found.options.bundling.smoothing_iterations == 0


def test_of_the_same_key_the_last_file_counts_and_others_stay(written):
    first, second = written(PROCESSING | RENDERING, "a"), written({"layer_width": 0.9, "node_base_opacity": 0}, "b")
    found = read_settings([first, second])
    assert (found.options.layer_width, found.options.layer_distance) == (0.9, 0.6)
    assert (found.look.units["base_opacity"], found.look.units["size"]) == (0.0, 0.06)
    assert read_settings([]) == NetworkSettings()


def test_a_key_that_nn_vis_does_not_have_is_named_and_skipped(written, caplog):
    path = written(PROCESSING | {"sampling_rat": 3})
    assert read_settings(path).options.bundling.sampling_rate == 12
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{path}: unknown key 'sampling_rat' is skipped. Did you mean: sampling_rate")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"sampling_rate": 1}, "sampling_rate must be from 2 to 200, got 1"),
        ({"sampling_rate": "15"}, "sampling_rate must be from 2 to 200, got '15'"),
        ({"layer_distance": 0}, "layer_distance must be above 0 and at most 10, got 0"),
        ({"layer_width": None}, "layer_width must be above 0 and at most 10, got None"),
        ({"prune_percentage": 90}, "prune_percentage must be from 0 to 1, got 90"),
        ({"node_bandwidth_reduction": 1}, "node_bandwidth_reduction must be from 0 to 0.999, got 1"),
        ({"edge_importance_type": 4}, "edge_importance_type 4. Allowed: interpolate, start, both, end"),
        ({"smoothing": 1}, "smoothing must be true or false, got 1"),
        ({"smoothing_iterations": 2.5}, "smoothing_iterations must be a whole number from 0 to 64, got 2.5"),
        ({"edge_importance_opacity": 2.5}, "edge_importance_opacity must be from 0 to 2, got 2.5"),
        ({"node_opacity_exponent": -1}, "node_opacity_exponent must be from 0 to 10, got -1"),
        ({"node_object_radius": float("nan")}, "node_object_radius must be from 0 to 1, got nan"),
        ({"edge_base_opacity": True}, "edge_base_opacity must be from 0 to 1, got True"),
        ({"edge_render_mode": 6}, "edge_render_mode must be a whole number from 0 to 5, got 6"),
        ({"node_render_mode": 4}, "node_render_mode must be a whole number from 0 to 3, got 4"),
    ],
)
def test_a_wrong_value_is_refused_with_file_key_and_what_is_allowed(written, settings, said):
    path = written(settings)
    with pytest.raises(InvalidInputError) as error:
        read_settings(path)
    assert str(error.value).startswith(f"{path}: ")
    assert said in str(error.value)


def test_a_picture_of_nothing_is_refused(written):
    with pytest.raises(InvalidInputError, match="nothing would be drawn"):
        read_settings(written({"edge_render_mode": 0, "node_render_mode": 0}))


def test_files_that_are_no_settings_are_refused_by_name(tmp_path, written):
    with pytest.raises(MissingFileError, match=r"gone\.json"):
        read_settings(tmp_path / "gone.json")
    with pytest.raises(FileFormatError, match=r"list\.json holds a list"):
        read_settings(written([1, 2], "list.json"))
    broken = tmp_path / "broken.json"
    broken.write_bytes(b'{"layer_width": 1')
    with pytest.raises(FileFormatError, match=r"broken\.json is not JSON"):
        read_settings(broken)
    broken.write_bytes(b"\xff\xfe")
    with pytest.raises(FileFormatError, match=r"broken\.json is not JSON"):
        read_settings(broken)
    with pytest.raises(FileFormatError, match="is not JSON"):
        read_settings(tmp_path)
