"""Labelled images: what comes with cnnvis, that its parts are disjoint, and what bad input gets."""

import itertools
import json
import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnvis.core.errors import DataMismatchError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.models import LabelledImages, data_path, labelled_images
from cnnvis.models.datasets import CLASS_NAMES, GREY_28
from cnnvis.models.idx import write_idx
from cnnvis.training import split_by_class

SHIPPED = {
    ("mnist", "train"): 7000,
    ("mnist", "importance"): 1000,
    ("mnist", "test"): 2000,
    ("fashion-mnist", "importance"): 1000,
    ("fashion-mnist", "selection"): 1000,
    ("fashion-mnist", "test"): 3000,
}


@pytest.fixture(scope="module")
def parts():
    return {key: labelled_images(*key) for key in SHIPPED}


def _bytes(part):
    """Return the images as they lie in the file, (N, 28, 28) uint8."""
    return (part.images[:, 0] * 255).round().to(torch.uint8).numpy()


def _publish(array, path):
    """Write an IDX file without compression: fast, and allowed."""
    sides = b"".join(side.to_bytes(4, "big") for side in array.shape)
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sides + array.tobytes())


def _split(name):
    return json.loads(data_path(f"{name}/split.json").read_text(encoding="utf-8"))["parts"]


# ------------------------------------------------------------------------------------------------ what is shipped


@pytest.mark.parametrize(("key", "size"), SHIPPED.items(), ids=str)
def test_every_part_is_as_networks_take_it(parts, key, size):
    part = parts[key]
    assert part.images.shape == (size, 1, 28, 28)
    assert (part.images.dtype, part.labels.dtype) == (torch.float32, torch.int64)
    assert (part.images.min(), part.images.max()) == (0, 1)
    assert set(part.labels.tolist()) == set(range(10))
    assert part.class_names == CLASS_NAMES[key[0]]
    assert (part.names[17], part.names[-1]) == (f"{key[0]} {key[1]} 0017", f"{key[0]} {key[1]} {size - 1:04d}")
    assert len(part) == len(set(part.names)) == size


def test_parts_to_score_to_select_and_to_test_digits_have_equally_many_of_each_class(parts):
    for key in (
        ("mnist", "importance"),
        ("mnist", "test"),
        ("fashion-mnist", "importance"),
        ("fashion-mnist", "selection"),
    ):
        assert set(Counter(parts[key].labels.tolist()).values()) == {SHIPPED[key] // 10}


def test_classes_are_mixed_so_that_any_slice_has_all_of_them(parts):
    for part in parts.values():
        assert set(part.labels[:100].tolist()) == set(range(10))


def test_the_same_picture_reaches_the_network_by_either_door(parts):
    image = _bytes(parts["mnist", "test"])[0]
    assert np.array_equal(GREY_28.apply(np.stack([image] * 3, axis=-1)), parts["mnist", "test"].images[0].numpy())


def test_names_of_data_sets_are_tolerant():
    assert labelled_images("Fashion_MNIST", "selection").names[0] == "fashion-mnist selection 0000"


# ------------------------------------------------------------------------------------------------ disjoint


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_no_picture_is_in_two_parts_nor_twice_in_one(parts, name):
    images = np.concatenate([_bytes(part) for (of, _), part in parts.items() if of == name])
    assert len({image.tobytes() for image in images}) == len(images)


def test_indices_of_digits_are_disjoint_and_all_there():
    split = _split("mnist")
    assert sorted(itertools.chain(*split.values())) == list(range(10_000))
    assert {part: len(chosen) for part, chosen in split.items()} == {"importance": 1000, "test": 2000, "train": 7000}


def test_indices_of_fashion_are_disjoint_within_their_file():
    split = _split("fashion-mnist")
    from_training = split["importance"] + split["selection"]
    assert len(set(from_training)) == 2000
    assert 0 <= min(from_training) <= max(from_training) < 60_000
    assert split["test"] == list(range(3000))


def test_the_stated_rule_gives_the_indices_of_the_digits(parts):
    # The source holds the digits by class: labels in the source's order follow from how many there are of each.
    split = _split("mnist")
    labels = np.empty(10_000, int)
    for part, chosen in split.items():
        labels[chosen] = parts["mnist", part].labels.numpy()
    assert (np.diff(labels) >= 0).all()
    again = split_by_class(labels, {"importance": 100, "test": 200}, rest="train")
    assert {part: chosen.tolist() for part, chosen in again.items()} == split


# ------------------------------------------------------------------------------------------------ from a folder


@pytest.fixture(scope="module")
def folder(parts, tmp_path_factory):
    """Files as published but smaller: the shipped pictures at their places, grey elsewhere."""
    place, split, generator = tmp_path_factory.mktemp("published"), _split("fashion-mnist"), np.random.default_rng(0)
    images, labels = np.full((60_000, 28, 28), 9, np.uint8), generator.integers(0, 10, 60_000).astype(np.uint8)
    for part in ("importance", "selection"):
        images[split[part]] = _bytes(parts["fashion-mnist", part])
        labels[split[part]] = parts["fashion-mnist", part].labels
    write_idx(labels, place / "train-labels-idx1-ubyte.gz")
    _publish(images, place / "train-images-idx3-ubyte")
    test = _bytes(parts["fashion-mnist", "test"])
    _publish(np.concatenate([test, test[:5] // 2]), place / "t10k-images-idx3-ubyte")
    _publish(np.zeros(3005, np.uint8), place / "t10k-labels-idx1-ubyte")
    return place


def test_the_training_part_is_all_that_no_other_part_has(folder):
    train = labelled_images("fashion-mnist", "train", folder=folder)
    assert len(train) == 58_000
    assert (_bytes(train)[:1000] == 9).all()
    assert train.names[-1] == "fashion-mnist train 57999"


def test_a_part_from_the_folder_is_the_shipped_one(folder, parts):
    for part in ("importance", "selection"):
        found = labelled_images("fashion-mnist", part, folder=folder)
        assert torch.equal(found.images, parts["fashion-mnist", part].images)
        assert torch.equal(found.labels, parts["fashion-mnist", part].labels)
        assert found.names == parts["fashion-mnist", part].names


def test_the_whole_test_set_begins_with_the_shipped_slice(folder, parts):
    found, shipped = labelled_images("fashion-mnist", "test", folder=folder), parts["fashion-mnist", "test"]
    assert len(found) == 3005
    assert torch.equal(found.images[:3000], shipped.images)
    assert found.names[:3000] == shipped.names


def test_another_data_set_in_files_of_the_same_names_is_refused(tmp_path, parts):
    # MNIST is published under the very names of Fashion-MNIST's files.
    _publish(_bytes(parts["mnist", "train"]), tmp_path / "t10k-images-idx3-ubyte")
    _publish(np.zeros(7000, np.uint8), tmp_path / "t10k-labels-idx1-ubyte")
    with pytest.raises(DataMismatchError, match="does not hold fashion-mnist: its t10k-images-idx3-ubyte has other"):
        labelled_images("fashion-mnist", "test", folder=tmp_path)


@pytest.mark.parametrize("shape", [(10, 28, 28), (3000, 20, 28), (3000,)])
def test_files_of_other_shapes_are_refused(tmp_path, shape):
    _publish(np.zeros(shape, np.uint8), tmp_path / "t10k-images-idx3-ubyte")
    _publish(np.zeros(len(np.empty(shape)), np.uint8), tmp_path / "t10k-labels-idx1-ubyte")
    with pytest.raises(DataMismatchError, match="does not hold fashion-mnist"):
        labelled_images("fashion-mnist", "test", folder=tmp_path)


def test_images_without_all_their_labels_are_named(tmp_path, parts):
    _publish(_bytes(parts["fashion-mnist", "test"]), tmp_path / "t10k-images-idx3-ubyte")
    _publish(np.zeros(2999, np.uint8), tmp_path / "t10k-labels-idx1-ubyte")
    with pytest.raises(FileFormatError, match="3000 images but 2999 labels"):
        labelled_images("fashion-mnist", "test", folder=tmp_path)


def test_a_folder_without_the_files_names_the_missing_one(tmp_path):
    with pytest.raises(MissingFileError, match="train-images-idx3-ubyte"):
        labelled_images("fashion-mnist", "train", folder=tmp_path)


# ------------------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("name", "part", "message"),
    [
        ("mnits", "test", r"no data set 'mnits'\. Did you mean: mnist"),
        ("cifar", "test", r"no data set 'cifar'\. Available data sets: mnist, fashion-mnist\."),
        ("mnist", "tset", r"mnist has no part 'tset'\. Did you mean: test"),
        ("mnist", "selection", r"mnist has no part 'selection'\..*: train, importance, test\."),
        ("fashion-mnist", "train", r"does not come with cnnvis\..*train-images-idx3-ubyte.*folder=FOLDER"),
    ],
)
def test_what_is_not_there_is_explained(name, part, message):
    with pytest.raises(InvalidInputError, match=message):
        labelled_images(name, part)


def test_digits_need_no_folder(tmp_path):
    with pytest.raises(InvalidInputError, match="leave out the folder"):
        labelled_images("mnist", "test", folder=tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": torch.zeros(2, 28, 28)}, r"floats \(N, C, H, W\), got torch\.float32 \(2, 28, 28\)"),
        ({"images": torch.zeros(2, 1, 4, 4, dtype=torch.uint8)}, r"got torch\.uint8"),
        ({"labels": torch.zeros(3, dtype=torch.int64)}, r"int64 \(2,\), got torch\.int64 \(3,\)"),
        ({"labels": torch.zeros(2)}, r"int64 \(2,\), got torch\.float32"),
        ({"labels": torch.tensor([0, 2])}, r"Labels \[2\] are none of the classes 0 to 1"),
        ({"labels": torch.tensor([-1, 0])}, r"Labels \[-1\] are none"),
        ({"names": ("a",)}, "1 names for 2 images"),
    ],
)
def test_labelled_images_check_themselves(change, message):
    right = {"images": torch.zeros(2, 1, 4, 4), "labels": torch.tensor([0, 1])}
    with pytest.raises(InvalidInputError, match=message):
        LabelledImages(**{**right, "class_names": ("a", "b"), "names": ("1", "2"), **change})


# ------------------------------------------------------------------------------------------------ the script


def test_the_script_turns_sources_into_parts(tmp_path, capsys):
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (10, 301, 28, 28))
    for digit in range(10):
        values = (pictures[digit] / 255).round(3).ravel().tolist()  # as the source rounds them
        (tmp_path / f"{digit}.json").write_text(json.dumps({"data": values}))
    for prefix, count in (("train", 2000), ("t10k", 3000)):
        _publish(generator.integers(0, 256, (count, 28, 28)).astype(np.uint8), tmp_path / f"{prefix}-images-idx3-ubyte")
        _publish((np.arange(count) % 10).astype(np.uint8), tmp_path / f"{prefix}-labels-idx1-ubyte")
    script = runpy.run_path(str(Path(__file__).parents[2] / "pipelines" / "ship_images.py"))
    script["ship_images"](digits=tmp_path, fashion=tmp_path, out=tmp_path / "data")
    listed = json.loads((tmp_path / "data" / "manifest.json").read_text())["files"]
    assert len(listed) == 14
    from cnnvis.models.idx import read_idx

    train = read_idx(tmp_path / "data" / "mnist" / "train-images-idx3-ubyte.gz")
    split = json.loads((tmp_path / "data" / "mnist" / "split.json").read_text())["parts"]
    assert len(train) == 10
    assert np.array_equal(train, pictures.reshape(-1, 28, 28)[split["train"]])  # rounding lost nothing
    assert "mnist/train-images-idx3-ubyte.gz: 10 of 3,010" in capsys.readouterr().out
