"""Volumes, polylines, sets and series in VTK's files: exact, and readable without cnnvis."""

import json
import subprocess
import sys

import numpy as np
import pytest
import pyvista as pv
from hypothesis import given, settings
from io_samples import content, small_lines, small_recording, small_volume
from object_samples import assert_same_lines, assert_same_volume, volumes

from cnnvis.core import FeatureMaps, PolylineSet, Provenance
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError
from cnnvis.io import load, save

# What ParaView does: VTK's readers, in a process that has never heard of cnnvis.
READ_WITHOUT_CNNVIS = """
import json, sys
import numpy as np
from vtkmodules.vtkIOXML import vtkXMLGenericDataObjectReader
from vtkmodules.util.numpy_support import vtk_to_numpy
def read(path):
    reader = vtkXMLGenericDataObjectReader()
    reader.SetFileName(path)
    reader.Update()
    return reader.GetOutput()
def fields(data):
    arrays = (data.GetFieldData().GetAbstractArray(i) for i in range(data.GetFieldData().GetNumberOfArrays()))
    return {a.GetName(): [a.GetValue(i) for i in range(a.GetNumberOfValues())] for a in arrays}
image, blocks = read(sys.argv[1]), read(sys.argv[2])
scalars = image.GetPointData().GetScalars()
print(json.dumps({
    "class": image.GetClassName(), "dimensions": image.GetDimensions(), "spacing": image.GetSpacing(),
    "scalars": scalars.GetName(), "values": vtk_to_numpy(scalars).tolist(), "fields": fields(image),
    "blocks": {blocks.GetMetaData(i).Get(blocks.NAME()): blocks.GetBlock(i).GetBounds()
               for i in range(blocks.GetNumberOfBlocks())},
    "cnnvis": [name for name in sys.modules if name.startswith("cnnvis")],
}))
"""


@given(volumes())
@settings(max_examples=40)
def test_a_volume_survives_its_file(tmp_path_factory, volume):
    path = tmp_path_factory.mktemp("vti") / "x.vti"
    save(volume, path)
    assert_same_volume(load(path), volume)


def test_vtk_alone_reads_everything(tmp_path):
    volume = small_volume(layer="größe.0")
    image = save(volume, tmp_path / "x.vti")
    blocks = save({"first": volume, "second/é": small_volume(1)}, tmp_path / "y.vtm")
    done = subprocess.run(
        [sys.executable, "-c", READ_WITHOUT_CNNVIS, str(image), str(blocks)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    seen = json.loads(done.stdout)
    assert seen["cnnvis"] == []
    assert (seen["class"], seen["scalars"]) == ("vtkImageData", "activation")
    assert seen["dimensions"] == [5, 4, 3]
    assert seen["spacing"] == [1.0, 1.0, 2.5]
    np.testing.assert_array_equal(np.float32(seen["values"]).reshape(3, 4, 5), volume.values)
    fields = seen["fields"]
    assert fields["layer"] == ["größe.0"]
    assert fields["channels"] == fields["inverse"] == [0, 1, 2]
    assert fields["value_range"] == [float(volume.values.min()), float(volume.values.max())]
    assert fields["n_missing"] == [0]
    assert Provenance.from_json(fields["provenance"][0]) == volume.provenance
    assert list(seen["blocks"]) == ["first", "second/é"]
    (_, end, *_), (start, *_) = seen["blocks"].values()
    assert end < start  # side by side


def test_pyvista_plays_a_series(tmp_path):
    first, second = small_volume(1), small_volume(2)
    path = save({0: first, 2.5: second}, tmp_path / "epochs.pvd")
    reader = pv.get_reader(path)
    assert reader.time_values == [0.0, 2.5]
    reader.set_active_time_value(2.5)
    np.testing.assert_array_equal(reader.read()[0]["activation"], second.values.ravel())


def test_lines_survive_their_file(tmp_path):
    lines = small_lines()
    assert_same_lines(load(save(lines, tmp_path / "x.vtp")), lines)
    empty = PolylineSet(np.zeros((0, 3)), [0])
    assert_same_lines(load(save(empty, tmp_path / "empty.vtp")), empty)
    named = PolylineSet(lines.points, lines.offsets, {"a<b": np.arange(5)})
    with pytest.raises(InvalidInputError, match="'a<b' cannot stand in a VTK file; 'a_b' can"):
        save(named, tmp_path / "x.vtp")
    with pytest.raises(InvalidInputError, match="holds a PolylineSet or a PointSet, got Volume"):
        save(small_volume(), tmp_path / "x.vtp")


def test_missing_values_are_counted_in_the_file(tmp_path):
    values = np.array([[[np.nan, 1.0], [-np.inf, 2.0]]])
    path = save(values, tmp_path / "x.vti")
    grid = pv.read(path)
    assert grid.field_data["n_missing"].tolist() == [2]
    assert grid.field_data["value_range"].tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(load(path).values, values)


def test_several_images_are_no_volume(tmp_path):
    maps = small_recording(images=2)["conv"]
    for obj in (maps, maps.activations):
        with pytest.raises(InvalidInputError, match="2 images do not fit"):
            save(obj, tmp_path / "x.vti")


def test_a_set_keeps_names_kinds_and_order(tmp_path):
    parts = {"z": small_volume(), "a b/ü": small_volume(1), "net": small_lines()}
    back = load(save(parts, tmp_path / "set.vtm"))
    assert list(back) == list(parts)
    assert_same_volume(back["a b/ü"], parts["a b/ü"])
    assert_same_lines(back["net"], parts["net"])


def test_a_recording_becomes_a_set_of_its_layers_with_maps(tmp_path):
    back = load(save(small_recording(images=1), tmp_path / "set.vtm"))
    assert list(back) == ["conv"]


def test_old_pieces_go_and_strangers_stay(tmp_path):
    path = tmp_path / "set.vtm"
    save({"a": small_volume(), "b": small_volume(1)}, path)
    (tmp_path / "set" / "mine.txt").write_text("keep")
    kept = {piece for piece in (tmp_path / "set").iterdir() if "-b-" not in piece.name}
    save({"a": small_volume()}, path)
    assert set((tmp_path / "set").iterdir()) == kept
    save([small_volume(2)], tmp_path / "set.pvd")  # the same folder
    assert list(load(path)) == ["a"]


@pytest.mark.parametrize(
    ("frames", "keys"),
    [
        ([small_volume(1), small_volume(2)], [0, 1]),
        ({"cat": small_volume(1), "ant": small_volume(2)}, ["cat", "ant"]),
        ({10: small_volume(2), 2: small_volume(1)}, [2, 10]),
        (np.stack([small_volume(1).values, small_volume(2).values]), [0, 1]),
    ],
)
def test_a_series_by_label_or_time(frames, keys, tmp_path):
    back = load(save(frames, tmp_path / "x.pvd"))
    assert list(back) == keys
    for seed, volume in enumerate(back.values(), start=1):
        np.testing.assert_array_equal(volume.values, small_volume(seed).values)


def test_images_of_a_layer_are_labelled_by_their_inputs(tmp_path):
    maps = FeatureMaps(np.zeros((2, 1, 2, 2)), "conv", provenance=Provenance(inputs=("cat.png", "dog.png")))
    back = load(save(maps, tmp_path / "x.pvd"))
    assert list(back) == ["cat.png", "dog.png"]
    assert back["dog.png"].provenance.inputs == ("dog.png",)


@pytest.mark.parametrize(
    ("frames", "message"),
    [({}, "at least one"), (small_volume(), "got Volume"), ({"a": small_volume(), 1: small_volume()}, "not by both")],
)
def test_what_is_no_series(frames, message, tmp_path):
    with pytest.raises(InvalidInputError, match=message):
        save(frames, tmp_path / "x.pvd")


@pytest.mark.parametrize("suffix", [".vtm", ".pvd"])
def test_a_missing_piece_is_named(suffix, tmp_path):
    path = save({"a": small_volume()}, tmp_path / f"x{suffix}")
    piece = next((tmp_path / "x").iterdir())
    piece.unlink()
    with pytest.raises(MissingFileError, match=piece.name):
        load(path)


SET = "vtkMultiBlockDataSet"
INDEX = '<VTKFile type="{kind}"><{kind}><Block>{entries}</Block></{kind}></VTKFile>'


@pytest.mark.parametrize(
    ("suffix", "text", "message"),
    [
        (".vtm", "<VTKFile", "not XML, or cut short"),
        (".vtm", '<VTKFile type="Collection"/>', "not a vtkMultiBlockDataSet"),
        (".pvd", "<html/>", "not a Collection"),
        (".vtm", INDEX.format(kind=SET, entries='<DataSet name="a" file="a.vti"/>' * 2), "two blocks"),
        (".vtm", INDEX.format(kind=SET, entries='<DataSet file="b.vtu"/>'), "only .vti and .vtp"),
        (".pvd", INDEX.format(kind="Collection", entries='<DataSet file="a.vti"/>' * 2), "two data sets at 0"),
        (".pvd", INDEX.format(kind="Collection", entries='<DataSet timestep="x" file="a.vti"/>'), "'x' of a"),
        (".pvd", INDEX.format(kind="Collection", entries='<DataSet file="b.vtu"/>'), "only series of .vti and .vtp"),
    ],
)  # fmt: skip
def test_a_bad_index_is_explained(suffix, text, message, tmp_path):
    save(small_volume(), tmp_path / "a.vti")
    (tmp_path / "b.vtu").write_text("")
    path = tmp_path / f"x{suffix}"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=message):
        load(path)


def test_nested_and_empty_blocks_of_other_programs(tmp_path):
    save(small_volume(), tmp_path / "a.vti")
    entries = '<DataSet index="0"/><Block name="inner"><DataSet file="a.vti"/></Block>'
    (tmp_path / "x.vtm").write_text(INDEX.format(kind=SET, entries=entries))
    assert list(load(tmp_path / "x.vtm")) == ["0"]


@pytest.mark.parametrize("suffix", [".vti", ".vtp"])
def test_a_damaged_file_is_an_error_and_prints_nothing(suffix, tmp_path, capfd):
    obj = small_volume(shape=(8, 32, 32)) if suffix == ".vti" else small_lines()
    path = save(obj, tmp_path / f"x{suffix}")
    whole = path.read_bytes()
    for part in (b"", b"hello", whole[:100], whole[: len(whole) // 2]):
        path.write_bytes(part)
        with pytest.raises(FileFormatError, match=f"x{suffix} is"):
            load(path)
    assert capfd.readouterr() == ("", "")


def test_a_foreign_image_without_values_is_explained(tmp_path):
    pv.ImageData(dimensions=(2, 2, 2)).save(tmp_path / "x.vti")
    with pytest.raises(FileFormatError, match=r"x\.vti holds no volume: .*needs one point array"):
        load(tmp_path / "x.vti")


def test_the_same_object_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save({"x": small_volume()}, tmp_path / name / "s.vtm")
    assert content(tmp_path / "a") == content(tmp_path / "b")
