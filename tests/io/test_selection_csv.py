"""Selected units as a table, read back as text."""

import csv

import numpy as np
import pytest
from network_samples import sagging_network

from cnnvis.core import Volume
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.io.selection_csv import HEADER, save_selection
from cnnvis.scene import Scene, Selection
from cnnvis.scene.selection import unit_text


def rows_of(scene, path):
    with save_selection(scene, path).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(tuple(row) == HEADER for row in rows)
    return rows


@pytest.fixture
def network():
    return sagging_network((4, 3, 2))


def test_units_with_their_strongest_links(network, tmp_path):
    scene = Scene.of_network(network)
    scene.selection = Selection(units={("fc1", 2), ("fc0", 1), ("fc2", 0)})
    rows = rows_of(scene, tmp_path / "s.csv")
    assert [(row["layer"], row["channel"]) for row in rows] == [("fc0", "1"), ("fc1", "2"), ("fc2", "0")]
    units, lines = network.edges.units, network.lines.line_arrays
    for row in rows:
        number = units.id(row["layer"], int(row["channel"]))
        points = scene["units"].data.arrays
        assert float(row["importance"]) == pytest.approx(points["importance"][number])
        main = points["class_shares"][number].argmax()
        assert (row["class"], float(row["share"])) == (f"class {main}", points["class_shares"][number, main])
        for name, here, there in (("input", "target", "source"), ("output", "source", "target")):
            links = np.flatnonzero(lines[here] == number)
            if not links.size:
                assert row[name] == row[f"{name}.weight"] == row[f"{name}.importance"] == ""
                continue
            best = links[scene["bundle"].data.line_arrays["importance"][links].argmax()]
            assert row[name] == unit_text(units.split(lines[there][best]))
            assert float(row[f"{name}.weight"]) == lines["weight"][best]
    assert rows[0]["input"] == rows[2]["output"] == ""


def test_whole_layers_and_classes(network, tmp_path):
    scene = Scene.of_network(network)
    scene.selection = Selection(layers={"fc1"})
    assert [(row["layer"], row["channel"]) for row in rows_of(scene, tmp_path / "s.csv")] == [
        ("fc1", str(channel)) for channel in range(3)
    ]
    main = scene["units"].data.arrays["class_shares"].argmax(axis=1)
    scene.selection = Selection(classes={1})
    rows = rows_of(scene, tmp_path / "s.csv")
    assert [scene["units"].units.id(row["layer"], int(row["channel"])) for row in rows] == np.flatnonzero(
        main == 1
    ).tolist()
    assert all(row["input"] or row["output"] for row in rows)


def test_channels_of_volumes(tmp_path):
    volume = Volume(np.zeros((3, 2, 2), np.float32), layer="conv", channels=[2, 0, 1], weights=[0.5, 0.25, 0.125])
    scene = Scene()
    scene.add_volume(volume)
    scene.selection = Selection(units={("conv", 2), ("other", 7)})
    rows = rows_of(scene, tmp_path / "s.csv")
    assert [(row["layer"], row["channel"], row["importance"]) for row in rows] == [
        ("conv", "2", "0.5"),
        ("other", "7", ""),
    ]
    scene.selection = Selection(layers={"conv"})
    assert [row["importance"] for row in rows_of(scene, tmp_path / "s.csv")] == ["0.25", "0.125", "0.5"]


def test_bad_input(network, tmp_path):
    scene = Scene.of_network(network)
    with pytest.raises(InvalidInputError, match="No unit of the scene is selected"):
        save_selection(scene, tmp_path / "s.csv")
    with pytest.raises(FileFormatError, match=r"must end in \.csv"):
        save_selection(scene, tmp_path / "s.txt")
    assert not list(tmp_path.iterdir())
