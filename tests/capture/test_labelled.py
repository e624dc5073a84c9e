"""Images with labels: the same of tensors, arrays and loaders, batch by batch and at once; what is wrong is said."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cnnvis.capture.labelled import BATCH_SIZE, BATCH_VALUES, all_labelled, image_batches, labelled_batches
from cnnvis.capture.targets import class_scores
from cnnvis.core.errors import InvalidInputError

IMAGES, LABELS = torch.arange(10.0).view(5, 2), torch.tensor([0, 2, 1, 1, 0])
DENSE = nn.Linear(2, 3)


class Two(nn.Module):
    def forward(self, left, right, scale=1):
        return scale * (left + right)


class Reader:
    """A Network as far as image files go: each is a picture of the length of its name."""

    module = DENSE

    def preprocess(self, file):
        return torch.full((1, 2), float(len(file)))


@given(st.integers(1, 7), st.integers(1, 4))
def test_a_pair_arrays_and_a_loader_give_the_same_in_batches_and_at_once(n_images, size):
    images, labels = torch.rand(n_images, 2), torch.arange(n_images) % 3
    loader = DataLoader(TensorDataset(images, labels), batch_size=size)
    for data in ((images, labels), (images.numpy(), labels.numpy()), loader):
        batches = labelled_batches(DENSE, data)
        assert batches.n_images == n_images
        parts = list(batches)
        whole = all_labelled(DENSE, data)
        assert whole.call.n_images == n_images == sum(part.call.n_images for part in parts)
        for found in (whole.call.args[0], torch.cat([part.call.args[0] for part in parts])):
            assert torch.equal(found, images)
        for found in (whole.labels, np.concatenate([part.labels for part in parts])):
            assert found.dtype == np.int64
            assert found.tolist() == labels.tolist()
        assert torch.equal(torch.cat([call.args[0] for call in image_batches(DENSE, data)]), images)


def test_several_inputs_and_named_ones_stay_apart():
    left, right = IMAGES, 10 * IMAGES
    loader = DataLoader(TensorDataset(left, right, LABELS), batch_size=2)
    for data in (((left, right), LABELS), loader):
        call, labels = all_labelled(Two(), data)
        assert [part.tolist() for part in call.args] == [left.tolist(), right.tolist()]
        assert labels.tolist() == LABELS.tolist()
    named = all_labelled(Two(), ({"left": left, "right": right}, LABELS)).call
    assert named.args == ()
    assert torch.equal(named.kwargs["right"], right)


def test_image_files_are_read_by_the_network_they_are_for():
    files = ["a.png", "long.png"]
    assert all_labelled(Reader(), (files, [0, 1])).call.args[0].tolist() == [[5, 5], [8, 8]]
    for data in (files, tuple(files), (files, [0, 1])):
        assert [call.n_images for call in image_batches(Reader(), data)] == [2]


def test_labels_may_be_missing_where_that_is_said():
    for data in (IMAGES, [IMAGES]):
        assert [part.labels for part in labelled_batches(DENSE, data, optional=True)] == [None]
    odd = (IMAGES, LABELS / 2)  # no classes: unread
    assert [call.n_images for call in image_batches(DENSE, odd)] == [5]


def test_batches_are_small_where_images_are_large():
    large = torch.zeros(3, BATCH_VALUES // 2)
    assert [part.call.n_images for part in labelled_batches(nn.Identity(), (large, [0, 0, 1]))] == [2, 1]
    many = torch.zeros(BATCH_SIZE + 1, 2)
    assert [part.call.n_images for part in labelled_batches(DENSE, (many, [0] * len(many)))] == [BATCH_SIZE, 1]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "There are no images: data must be"),
        (IMAGES, "There are no labels: data must be"),
        ([IMAGES], "There are no labels: data must be"),
        ((IMAGES, LABELS.float()), r"whole numbers \(N,\).*float32"),
        ((IMAGES, LABELS[:, None]), r"whole numbers \(N,\).*shape \(5, 1\)"),
        ((IMAGES, LABELS - 1), "from 0, got -1"),
        ((IMAGES, LABELS[:3]), "3 labels for 5 images; give one label per image"),
        ([(IMAGES, LABELS[:3])], "3 labels for 5 images; give one label per image"),
        ((IMAGES[:0], LABELS[:0]), "zero images"),
        ([], "zero images: the list gave no batch"),
        (3, "got int"),
        (["a.png"], "does not say how image files are preprocessed"),
    ],
)
def test_bad_data_is_the_same_error_in_batches_and_at_once(data, message):
    for read in (lambda: list(labelled_batches(DENSE, data)), lambda: all_labelled(DENSE, data)):
        with pytest.raises(InvalidInputError, match=message):
            read()


def test_images_of_several_sizes_cannot_be_one_pass():
    batches = [(IMAGES, LABELS), (IMAGES[:, :1], LABELS)]
    assert len(list(labelled_batches(DENSE, batches))) == 2
    with pytest.raises(InvalidInputError, match="must have one size"):
        all_labelled(DENSE, batches)


@pytest.mark.parametrize(
    ("output", "got"),
    [
        (torch.zeros(5, 3, 2), r"a tensor of shape \(5, 3, 2\)"),
        (torch.zeros(4, 3), r"a tensor of shape \(4, 3\)"),
        ([torch.zeros(5, 3)], "list"),
    ],
)
def test_class_scores_are_one_tensor_with_a_row_per_image(output, got):
    with pytest.raises(InvalidInputError, match=f"Net returns {got} for 5 images; one tensor of class scores"):
        class_scores(output, 5, network="Net")
    scores = torch.zeros(5, 3)
    assert class_scores(scores, 5) is scores
