"""Memory of a survey does not grow with the number of images."""

import tracemalloc

import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.capture import SurveyOptions


class Generated:
    """Batches that are made when their turn comes, as a DataLoader reads them."""

    def __init__(self, n_batches):
        self.n_batches = n_batches

    def __iter__(self):
        random = torch.Generator().manual_seed(0)
        for _ in range(self.n_batches):
            yield torch.rand(50, 1, 8, 8, generator=random), torch.randint(4, (50,), generator=random)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4))


def bytes_of(model, n_batches):
    """Bytes of Python and of arrays that stay, and at most."""
    options = SurveyOptions(window=100, shard_size=50, space=True)
    tracemalloc.start()
    try:
        found = cnnvis.survey(model, Generated(n_batches), options=options)
        assert found.n_images == 50 * n_batches
        return tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()


def test_twenty_times_as_many_images_take_no_more(model):
    bytes_of(model, 20)  # what is loaded and compiled the first time
    few, many = bytes_of(model, 20), bytes_of(model, 400)
    kept = 19_000 * 8 * 8  # were one number kept for each further image and channel of the first layer: 1.2 MB
    for before, after in zip(few, many, strict=True):
        assert after - before < kept / 4  # rings of objects that Python has not collected yet
