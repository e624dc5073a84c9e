"""Classes by name or index, and folders of pictures by class."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnvis.core.classes import class_index
from cnnvis.core.errors import InvalidInputError, MissingFileError
from cnnvis.models import ImageSpec, Network
from cnnvis.models.folders import LabelledFiles, labelled_files, pictures_by_class, read_pictures

NAMES = ("Shirt", "Ankle boot", "0")


@pytest.mark.parametrize(
    ("wanted", "index"),
    [("Shirt", 0), ("shirt", 0), (" ankle BOOT ", 1), ("1", 1), (1, 1), ("0", 2), (0, 0)],
)
def test_names_come_before_indices(wanted, index):
    assert class_index(wanted, NAMES) == index


def test_without_names_only_an_index_is_understood():
    assert class_index("7") == 7
    with pytest.raises(InvalidInputError, match="give an index from 0"):
        class_index("Shirt")


@pytest.mark.parametrize("wanted", ["Shirts", "3", -1, "-1", ""])
def test_an_unknown_class_lists_near_matches(wanted):
    with pytest.raises(InvalidInputError, match=r"no class .*By index: 0 to 2") as caught:
        class_index(wanted, NAMES)
    if wanted == "Shirts":
        assert "Did you mean: Shirt?" in str(caught.value)


def fill(folder, **parts):
    """Make a subfolder for each name with pictures of the given greys."""
    for name, greys in parts.items():
        (folder / name).mkdir(parents=True)
        for number, grey in enumerate(greys):
            Image.fromarray(np.full((4, 4), grey, np.uint8)).save(folder / name / f"{number}.png")
    return folder


def test_subfolders_are_named_after_classes(tmp_path):
    fill(tmp_path, **{"ankle boot": [1], "Shirt": [2, 3], ".hidden": [9]})
    (tmp_path / "Shirt" / ".thumbs").write_text("no picture")
    (tmp_path / "readme.txt").write_text("no folder")
    found = pictures_by_class(tmp_path, NAMES)
    assert {index: [file.name for file in files] for index, files in found.items()} == {
        0: ["0.png", "1.png"],
        1: ["0.png"],
    }


@pytest.mark.parametrize(
    ("parts", "classes"), [(["cat", "ant"], {0: "ant", 1: "cat"}), (["10", "2"], {2: "2", 10: "10"})]
)
def test_a_network_without_names_counts_them_or_reads_numbers(parts, classes, tmp_path):
    fill(tmp_path, **{name: [1] for name in parts})
    found = pictures_by_class(tmp_path)
    assert {index: files[0].parent.name for index, files in found.items()} == classes
    assert list(found) == sorted(found)


def test_bad_folders_are_explained(tmp_path):
    with pytest.raises(MissingFileError, match="no folder"):
        pictures_by_class(tmp_path / "nowhere")
    with pytest.raises(InvalidInputError, match="no subfolders"):
        pictures_by_class(tmp_path)
    fill(tmp_path, Shirt=[1], Shrit=[1])
    with pytest.raises(InvalidInputError, match=r"Shrit is named after no class .*Did you mean: Shirt\?"):
        pictures_by_class(tmp_path, NAMES)
    with pytest.raises(InvalidInputError, match=r"Two subfolders .* class 1"):
        pictures_by_class(fill(tmp_path / "twice", **{"Ankle boot": [1], "1": [1]}), NAMES)
    with pytest.raises(InvalidInputError, match=r"no images of a class: .*Shirt is empty"):
        pictures_by_class(fill(tmp_path / "empty", Shirt=[]), NAMES)


def test_pictures_become_inputs_with_labels(tmp_path):
    network = Network(nn.Flatten(), image=ImageSpec((4, 4), colour="L"))
    images, labels = read_pictures(network, labelled_files(network, fill(tmp_path, a=[0, 255], b=[51]))).pair
    assert (images.shape, labels.dtype, labels.tolist()) == ((3, 1, 4, 4), torch.int64, [0, 0, 1])
    np.testing.assert_allclose(images.mean((1, 2, 3)), [0, 1, 0.2], rtol=1e-6)


def test_what_is_no_picture_is_left_out_and_named(tmp_path, caplog):
    network = Network(nn.Flatten(), image=ImageSpec((4, 4), colour="L"))
    fill(tmp_path, a=[0, 255], b=[51])
    (tmp_path / "a" / "0.png").write_text("no picture")
    found = read_pictures(network, labelled_files(network, tmp_path))
    assert found.labels.tolist() == [0, 1]
    assert [name[-7:] for name in found.names] == ["a/1.png", "b/0.png"]
    assert "1 of 3 pictures were left out" in caplog.text
    assert "0.png is not a picture" in caplog.text
    for file in tmp_path.glob("*/*.png"):
        file.write_text("no picture")
    with pytest.raises(InvalidInputError, match=r"None of 3 pictures could be read\. .*0\.png is not a picture"):
        read_pictures(network, labelled_files(network, tmp_path))


def test_some_files_are_evenly_chosen():
    every = LabelledFiles(tuple(Path(f"{i}.png") for i in range(10)), tuple(i // 5 for i in range(10)), ("a", "b"))
    few = every.some(4)
    assert [file.stem for file in few.files] == ["0", "2", "5", "7"]
    assert few.labels == (0, 0, 1, 1)
    assert every.some(10) is every


def test_names_that_no_folder_can_have_are_found_without_their_punctuation(tmp_path):
    fill(tmp_path, **{"T-shirt_top": [1], "ankle-boot": [2]})
    assert list(pictures_by_class(tmp_path, ("T-shirt/top", "Ankle boot"))) == [0, 1]
    with pytest.raises(InvalidInputError, match="no class"):
        pictures_by_class(tmp_path, ("T-shirt/top", "T shirt, top", "Ankle boot"))  # either could be meant
