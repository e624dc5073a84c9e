"""The Unity visualizer's JSON, both forms: what comes out computes what was stored, and what is wrong is named."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from unity_writer import CLASSES, MNIST, SMALL, edit, write_first_version, write_run

from cnnvis.core.errors import CnnvisError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.models import import_network, load
from cnnvis.models.importers import is_unity, read_unity


def channels_first(array):
    return np.moveaxis(array, -1, 1) if array.ndim == 4 else array


@pytest.mark.parametrize("epoch", [0, 1])
@pytest.mark.parametrize("form", ["present", "first"])
def test_the_network_computes_the_stored_activations(form, epoch, tmp_path):
    kept = write_run(tmp_path / "net") if form == "present" else write_first_version(tmp_path / "net")
    run = read_unity(tmp_path / "net")
    assert run.epochs == (0, 1)
    network, recording = run.network(epoch), run.recording(epoch)
    x = torch.from_numpy(run.values(epoch).images)
    for name, part in network.module.named_children():
        x = part(x)
        if name in recording:
            np.testing.assert_allclose(x.detach().numpy(), recording[name].activations, atol=1e-5)
    seen = {layer.removesuffix("_relu") for layer in recording}
    assert seen == set(kept[epoch][0]) - {"input"}
    for name, array in kept[epoch][0].items():
        if name != "input":
            layer = next(layer for layer in recording if layer.removesuffix("_relu") == name)
            np.testing.assert_array_equal(recording[layer].activations, channels_first(array))


def test_what_a_network_says_of_itself(tmp_path):
    write_run(tmp_path / "net", SMALL, side=8, channels=3)
    network = load(tmp_path / "net")
    assert [name for name, _ in network.module.named_children()] == [
        "conv0", "conv0_relu", "maxpool0", "flatten", "fc0", "fc0_relu", "fc_out",
    ]  # fmt: skip
    assert (network.name, network.weights, network.class_names) == ("net", "epoch 1", CLASSES)
    assert (network.image.size, network.image.colour, network.image.max_value) == ((8, 8), "RGB", 1)
    assert network.default_layers == ("conv0_relu",)
    assert not network.module.training


def test_images_labels_and_answers(tmp_path):
    kept = write_run(tmp_path / "net", SMALL, side=8)
    values = read_unity(tmp_path / "net").values(0)
    np.testing.assert_array_equal(values.images, channels_first(kept[0][0]["input"]))
    assert values.truth == ("zero", "one", "two")
    assert values.prediction == tuple(CLASSES[row.argmax()] for row in kept[0][0]["fc_out"])
    recording = read_unity(tmp_path / "net").recording(0)
    np.testing.assert_array_equal(recording.logits, kept[0][0]["fc_out"])
    assert recording.inputs == ("sample 0", "sample 1", "sample 2")


def test_a_folder_called_as_an_epoch_is_a_folder(tmp_path, monkeypatch):
    write_first_version(tmp_path / "5", epochs=1)
    write_first_version(tmp_path, epochs=7)
    monkeypatch.chdir(tmp_path)
    assert load("5").weights == "epoch 0"


def test_the_first_form_knows_one_class_name_only(tmp_path):
    kept = write_first_version(tmp_path / "5")
    run = read_unity(tmp_path / "5")
    assert run.class_names is None
    assert run.values(1).truth == ("ship",)
    assert run.values(1).prediction == (str(kept[1][0]["fc_out"].argmax()),)
    assert read_unity(tmp_path / "5" / "epoch0.json").epochs == (0,)


def test_epochs_by_load_and_import(tmp_path):
    kept = write_run(tmp_path / "net", SMALL, side=8)
    for epoch, network in ((0, load(f"{tmp_path}/net@0")), (1, load(tmp_path / "net"))):
        weight = network.module.conv0.weight.detach().numpy()
        np.testing.assert_array_equal(weight, kept[epoch][1]["conv0"].transpose(3, 2, 0, 1))
    found = import_network(tmp_path / "net" / "model_structure.json", epoch=0)
    assert (found.epoch, found.epochs) == (0, (0, 1))
    assert "Biases and batch norms" in found.left_out[0]
    assert "Of the 3 stored images 3 are answered as the files say" in found.left_out[1]
    with pytest.raises(InvalidInputError, match=r"no epoch 7\. It has 0, 1"):
        load(f"{tmp_path}/net@7")
    with pytest.raises(InvalidInputError, match="leave --structure and --names out"):
        import_network(tmp_path / "net", names={})


def test_answers_that_differ_are_counted(tmp_path):
    write_run(tmp_path / "net", SMALL, side=8)

    def wrong(rows):
        rows[-1][1] = [next(name for name in CLASSES if name != answer) for answer in rows[-1][1]]

    edit(tmp_path / "net" / "model_activations_epoch001.json", wrong)
    assert "Of the 3 stored images 0 are answered" in import_network(tmp_path / "net").left_out[1]


@pytest.mark.parametrize("values", [True, False])
def test_the_usual_padding_and_windows_are_taken_where_they_fit(values, tmp_path):
    # 7 pixels to 3 could be windows of 3 with padding as well.
    write_run(tmp_path / "net", MNIST, values=values)
    module = read_unity(tmp_path / "net").network().module
    assert module.conv2.padding == "same"
    assert (module.maxpool2.kernel_size, module.maxpool2.ceil_mode) == (2, False)


@pytest.mark.parametrize("values", [True, False])
@pytest.mark.parametrize(
    ("rows", "side", "options"),
    [
        ((("conv0", 2), ("maxpool0", 2), ("fc0", 4)), 10, {"padding": "valid"}),
        ((("conv0", 2), ("maxpool0", 3), ("fc0", 4)), 12, {}),
        ((("conv0", 2), ("maxpool0", 2), ("fc0", 4)), 9, {"ceil": True}),
        ((("conv0", 2), ("maxpool0", 2)), 6, {"kernel": 2}),
    ],
)
def test_other_settings_follow_from_the_shapes(rows, side, options, values, tmp_path):
    kept = write_run(tmp_path / "net", rows, side=side, epochs=1, values=values, **options)
    with torch.no_grad():
        got = load(tmp_path / "net").module(torch.from_numpy(channels_first(kept[0][0]["input"])))
    np.testing.assert_allclose(got.numpy(), kept[0][0]["fc_out"], atol=1e-5)


def test_what_can_be_meant_in_several_ways_is_refused_without_values_and_settled_with_them(tmp_path):
    rows = (("conv0", 2), ("conv1", 2), ("maxpool0", 4))  # to 4 pixels: windows of 4 over 16, or of 3 over 12
    write_run(tmp_path / "net", rows, side=16, values=False)
    with pytest.raises(FileFormatError, match=r"conv\d can be meant in several ways \(not padded or padded\)"):
        load(tmp_path / "net")
    kept = write_run(tmp_path / "net", rows, side=16, epochs=1)
    with torch.no_grad():
        got = load(f"{tmp_path}/net@0").module(torch.from_numpy(channels_first(kept[0][0]["input"])))
    np.testing.assert_allclose(got.numpy(), kept[0][0]["fc_out"], atol=1e-5)


def test_pooled_values_that_are_no_maxima_are_refused(tmp_path):
    write_run(tmp_path / "net", SMALL, side=8)

    def average(rows):
        rows[2][2][0][0][0][0] += 1.0

    edit(tmp_path / "net" / "model_activations_epoch000.json", average)
    with pytest.raises(FileFormatError, match="maxpool0 of shape 4x4 does not fit"):
        load(tmp_path / "net")


def structure(change):
    return "model_structure.json", change


def weights(change):
    return "model_weights_epoch001.json", change


def conv0(shape, values):
    return weights(lambda rows: [rows[0], ["conv0", shape, values], *rows[2:]])


def renamed(old, new):
    return lambda rows: [[new if cell == old else cell for cell in row] for row in rows]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (weights(renamed("conv0", "conf0")), r"epoch001.json has a layer 'conf0' that the network has not.*conv0"),
        (weights(lambda rows: rows[:-1]), r"has the layers input, conv0, maxpool0, fc0; the network has"),
        (conv0([3, 3, 1, 3], np.zeros((3, 3, 1, 3)).tolist()), "epoch001.json: conv0 has the shape 3x3x1x3"),
        (conv0([3, 3, 1, 2], [1, 2]), "weights of conv0 have the shape 2, but are said to have 3x3x1x2"),
        (conv0([3, 3, 1, 2], [[1], [2, 3]]), "weights of conv0 are no array of numbers"),
        (conv0([3, 3, 1, 2], "one"), "weights of conv0 are no array of numbers"),
        (conv0("3x3", 1), "conv0 needs a shape and values"),
        (weights(lambda rows: {"conv0": 1}), r"must be a list of layers, got dict"),
        (weights(lambda rows: [rows[0], 5, *rows[2:]]), r"a row that is no list of name, shape and values"),
        (structure(lambda rows: rows[:-1]), r"model_structure.json must end with a row of class names"),
        (structure(lambda rows: [["conv0", [3, 3, 1, 2]], *rows[1:]]), r"does not begin with a layer called input"),
        (structure(lambda rows: [rows[0], ["conv0", [3, 3, 1]], *rows[2:]]), "3x3x1; 4 numbers are needed"),
        (structure(lambda rows: [["input", [1, 9**9, 9, 1]], *rows[1:]]), "input of 1x387420489x9x1 values"),
        (structure(lambda rows: [rows[0], ["conv0", [3, -1]], *rows[2:]]), "needs a shape, a list of whole numbers"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named(change, message, tmp_path):
    write_run(tmp_path / "net", SMALL, side=8, values=False)
    edit(tmp_path / "net" / change[0], change[1])
    with pytest.raises(FileFormatError, match=message):
        load(tmp_path / "net")


def test_layers_that_do_not_follow_each_other(tmp_path):
    write_run(tmp_path / "net", SMALL, side=8, values=False, epochs=1)
    folder = tmp_path / "net"
    for file in folder.iterdir():
        edit(file, lambda rows: [row for row in rows if row[0] != "maxpool0"])
    with pytest.raises(FileFormatError, match=r"fc0 of shape 32x4 does not fit what comes before it, 6x6x2 or 8x8x2"):
        load(folder)


def test_layers_of_an_unknown_kind_are_named_and_their_values_read(tmp_path):
    write_run(tmp_path / "net", SMALL, side=8, epochs=1)
    for file in (tmp_path / "net").iterdir():
        edit(file, renamed("maxpool0", "blur0"))
    with pytest.raises(
        FileFormatError, match=r"a layer 'blur0' of an unknown kind.*its values can be read all the same"
    ):
        load(tmp_path / "net")
    assert read_unity(tmp_path / "net").recording()["blur0"].activations.shape == (3, 2, 4, 4)


@pytest.mark.parametrize("share", [0, 0.3, 0.7, 0.99])
@pytest.mark.parametrize(
    "file", ["model_structure.json", "model_weights_epoch001.json", "model_activations_epoch001.json"]
)
def test_truncated_files_are_named(file, share, tmp_path):
    write_run(tmp_path / "net", SMALL, side=8)
    path = tmp_path / "net" / file
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    run = read_unity(tmp_path / "net")
    with pytest.raises(FileFormatError, match=rf"{file} is no JSON or cut short"):
        run.recording(1) if "activations" in file else run.network(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[:-1], "must end with the true and the predicted class of its 3 images"),
        (lambda rows: [*rows[:-1], [["a"], ["b"]]], "must end with the true and the predicted class of its 3 images"),
        (lambda rows: rows[1:], "no activations of an input"),
        (lambda rows: [rows[0], [rows[1][0], [2, 8, 8, 2], rows[1][2][:2]], *rows[2:]], "for as many images"),
    ],
)
def test_what_is_wrong_with_activations(change, message, tmp_path):
    write_run(tmp_path / "net", SMALL, side=8)
    edit(tmp_path / "net" / "model_activations_epoch001.json", change)
    with pytest.raises(FileFormatError, match=message):
        read_unity(tmp_path / "net").values(1)


def test_missing_pieces(tmp_path):
    write_run(tmp_path / "net", SMALL, side=8)
    (tmp_path / "net" / "model_activations_epoch001.json").unlink()
    assert load(tmp_path / "net").weights == "epoch 1"
    with pytest.raises(MissingFileError, match="no activations of epoch 1"):
        read_unity(tmp_path / "net").recording()
    for file in (tmp_path / "net").glob("model_weights*"):
        file.unlink()
    with pytest.raises(MissingFileError, match="has no weights"):
        load(tmp_path / "net")
    assert not is_unity(tmp_path)
    with pytest.raises(MissingFileError, match="no folder of the Unity visualizer"):
        read_unity(tmp_path)


def test_an_epoch_with_other_shapes_than_the_rest_of_the_first_form(tmp_path):
    write_first_version(tmp_path / "5")
    write_first_version(tmp_path / "6", (("conv0", 3), ("maxpool0", 2), ("fc0", 4)), epochs=1)
    (tmp_path / "6" / "epoch0.json").rename(tmp_path / "5" / "epoch2.json")
    assert load(f"{tmp_path}/5@1")
    with pytest.raises(FileFormatError, match=r"epoch2\.json: conv0 has the shape 3x3x1x3, the network has 3x3x1x2"):
        load(f"{tmp_path}/5@2")


def test_grey_levels_of_more_channels_need_no_picture(tmp_path):
    write_run(tmp_path / "net", SMALL, side=8, channels=2)
    network = load(tmp_path / "net")
    assert network.image is None
    assert network.example[0].shape == (1, 2, 8, 8)
    assert isinstance(network.module.conv0, nn.Conv2d)
    assert json.loads((tmp_path / "net" / "model_structure.json").read_text())[0] == ["input", [1, 8, 8, 2]]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 40)
    | st.just(10**400)
    | st.floats()
    | st.sampled_from(["conv0", "fc", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("a"), inner),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """A folder of both forms' files, and their rows."""
    folder = tmp_path_factory.mktemp("unity")
    write_run(folder / "net", SMALL, side=8, epochs=1)
    write_first_version(folder / "5", epochs=1)
    return folder


@settings(max_examples=200)
@given(st.data())
def test_any_json_in_place_of_a_part_is_an_error_or_a_network(small_run, data):
    path = data.draw(st.sampled_from(sorted(small_run.rglob("*.json"))))
    before = path.read_text()
    rows = json.loads(before)
    place = rows
    while data.draw(st.booleans()) and any(isinstance(part, list) and part for part in place):
        place = data.draw(st.sampled_from([part for part in place if isinstance(part, list) and part]))
    place[data.draw(st.integers(0, len(place) - 1))] = data.draw(JSON)
    path.write_text(json.dumps(rows))
    try:
        for read in (load, lambda folder: read_unity(folder).recording()):
            try:
                read(path.parent)
            except CnnvisError as error:
                assert str(path.parent) in str(error)  # noqa: PT017 - one of two allowed ends
    finally:
        path.write_text(before)
