"""Transfer functions as files: of our own, and ParaView's."""

import json

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

import cnnvis
from cnnvis.core.errors import FileFormatError, MissingFileError, OutputError
from cnnvis.io.transfer_json import load_transfer, save_transfer
from cnnvis.scene import Scene, TransferFunction

OWN = TransferFunction(
    normalisation="log",
    clip=(2, 98),
    span=(-1.5, 4),
    centre=0.5,
    colour_map="cividis",
    colour_points=((0, "#000000"), (0.25, "#0072b2"), (1, "#ffffff")),
    opacity=((0, 0), (0.3, 0.8), (1, 0.1)),
    weight=((0, 0.5), (1, 1)),
)


def test_what_is_saved_is_loaded(tmp_path):
    path = save_transfer(OWN, tmp_path / "deep" / "mine.json")
    assert load_transfer(path) == OWN
    document = json.loads(path.read_text("utf-8"))
    assert (document["format"], document["version"], document["name"]) == ("cnnvis-transfer", 1, "mine")


curves = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=5).map(
    lambda points: tuple(sorted(points))
)


@given(curves, curves, st.none() | st.floats(-1e9, 1e9), st.sampled_from(["viridis", "RdBu_r"]))
def test_any_transfer_function_survives(tmp_path_factory, opacity, weight, centre, colour_map):
    transfer = TransferFunction(opacity=opacity, weight=weight, centre=centre, colour_map=colour_map)
    path = tmp_path_factory.mktemp("transfer") / "any.json"
    assert load_transfer(save_transfer(transfer, path)) == transfer


def test_a_scene_keeps_colour_points(tmp_path):
    cnnvis.save(Scene.of(np.ones((2, 3, 3)), name="maps", transfer=OWN), tmp_path / "scene.json")
    assert cnnvis.load(tmp_path / "scene.json")["maps"].transfer == OWN


# -- ParaView --------------------------------------------------------------------------------------


def test_a_preset_of_paraview_by_hand(tmp_path):
    path = save_transfer(OWN.with_changes(centre=None), tmp_path / "mine.json", paraview=True)
    assert json.loads(path.read_text("utf-8")) == [
        {
            "ColorSpace": "RGB",
            "Name": "mine",
            "RGBPoints": [0, 0, 0, 0, 0.25, 0, 0.447059, 0.698039, 1, 1, 1, 1],
            "Points": [0, 0, 0.5, 0, 0.3, 0.8, 0.5, 0, 1, 0.1, 0.5, 0],
        }
    ]


@pytest.mark.parametrize("transfer", [TransferFunction(), OWN.with_changes(centre=None), TransferFunction(centre=0.0)])
def test_a_round_trip_through_paraview_looks_the_same(tmp_path, transfer):
    loaded = load_transfer(save_transfer(transfer, tmp_path / "map.json", paraview=True))
    positions = np.linspace(0, 1, 101)
    np.testing.assert_allclose(loaded.colours(positions), transfer.colours(positions), atol=0.02)
    np.testing.assert_allclose(loaded.opacity_at(positions), transfer.opacity_at(positions), atol=1e-4)


def test_values_of_a_preset_become_positions(tmp_path):
    path = tmp_path / "kelvin.json"
    preset = {"Name": "k", "RGBPoints": [200, 0, 0, 0, 250, 1, 0, 0, 400, 1, 1, 1], "Points": [200, 0, 0.5, 0, 400, 1]}
    preset["Points"] += [0.5, 0]
    path.write_text(json.dumps([preset]))
    loaded = load_transfer(path)
    assert loaded.colour_points == ((0, "#000000"), (0.25, "#ff0000"), (1, "#ffffff"))
    assert loaded.opacity == ((0, 0), (1, 1))


# -- what is refused -------------------------------------------------------------------------------

OURS = {"format": "cnnvis-transfer", "version": 1, "transfer": {}}
THREE = [0, 0, 0, 0, 1, 1, 1, 1, 2, 1, 0, 0]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "not JSON, or cut short"),
        ([], 'lacks "format": "cnnvis-transfer"'),
        ({"format": "cnnvis-scene"}, 'lacks "format": "cnnvis-transfer"'),
        (OURS | {"version": 2}, "version 2, this cnnvis reads 1; update"),
        (OURS | {"transfer": {"opacity": [[0, 0]]}}, "opacity: .*at least two points"),
        (OURS | {"transfer": {"gamma": 1}}, "gamma"),
        (OURS | {"transfer": [1]}, "transfer: Input should be"),
        ([{"Name": "x"}], 'lacks "RGBPoints"'),
        ([{"RGBPoints": [0, 1, 2]}], "two or more times four numbers"),
        ([{"RGBPoints": [0, 0, 0, 0, 0, 1, 1, 1]}], "rising values, got 0 to 0"),
        ([{"RGBPoints": ["a"] * 8}], "no transfer function"),
        ([{"RGBPoints": THREE, "ColorSpace": "Diverging"}], "'Diverging', allowed is 'RGB'"),
        ([{"RGBPoints": THREE, "Points": [0, 0, 0.5, 0, 1, 1, 0.2, 0, 2, 0, 0.5, 0]}], "bent by midpoints"),
    ],
)
def test_bad_files_are_named_with_the_reason(tmp_path, document, message):
    path = tmp_path / "bad.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    with pytest.raises(FileFormatError, match=message) as caught:
        load_transfer(path)
    assert "bad.json" in str(caught.value)


def test_no_file_and_no_place(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.json"):
        load_transfer(tmp_path / "none.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save_transfer(OWN, tmp_path / "file" / "a.json")
