"""Figures of one operation: what they show, for every kind of layer, and that numbers can be read."""

import numpy as np
import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.capture import receptive_fields
from cnnvis.core.errors import InvalidInputError
from cnnvis.report import operation_figure, operation_sheet, scaling_chart, to_rgb
from cnnvis.report.operation_parts import BLOCK, formatted


class Net(nn.Module):
    """A layer of every kind, and one that is not known."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.mean = nn.AdaptiveAvgPool2d(2)
        self.big = nn.Conv2d(3, 3, 7, padding=3)
        self.deep = nn.Conv3d(1, 2, (2, 2, 2))
        self.group = nn.GroupNorm(1, 3)
        self.fc = nn.Linear(12, 4)

    def forward(self, x):
        x = self.pool(self.relu(self.norm(self.conv(x))))
        x = x + self.big(x)
        self.deep(x[:, None])
        return self.fc(self.mean(torch.cat([self.group(x)], 1)).flatten(1))


LAYERS = ("conv", "norm", "relu", "pool", "big", "add", "deep", "group", "mean", "fc", "softmax")


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Net().eval(), torch.randn(1, 2, 8, 8)


def words(sheet):
    return " | ".join(text for _, _, text, _ in sheet._texts)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_kind_has_a_figure_with_its_own_numbers(net, layer):
    operation = cnnvis.explain(*net, layer)
    sheet = operation_sheet(operation)
    unit = operation.at()
    assert f"{unit.value:.3g}".replace("-", "−") in words(sheet)
    assert ("is all there is" in words(sheet)) == (layer == "group")
    pixels = sheet.pixels()
    assert pixels.shape == (sheet.height, sheet.width, 3)
    used = np.flatnonzero((pixels < 250).any(axis=(1, 2)))
    assert used.max() > 0.8 * sheet.height  # it is filled, not cut
    assert used.max() < sheet.height - 4
    narrow = operation_sheet(operation, width=BLOCK, header=False)
    assert narrow.height > sheet.height - 120


def test_products_and_their_sum_are_written(net):
    operation = cnnvis.explain(*net, "conv")
    unit = operation.at(1, (0, 0))
    said = words(operation_sheet(operation, 1, (0, 0)))
    assert "pad" in said
    for channel in range(2):
        assert f"{unit.working.sums[channel]:.3g}".replace("-", "−") in said
    assert "norm (BatchNorm2d)" in said
    assert "relu (ReLU)" in said


def test_maps_are_marked_where_it_looks(net):
    model, image = net
    operation, fields = cnnvis.explain(model, image, "pool"), receptive_fields(model, image, "pool")["pool"]
    picture = np.zeros((8, 8, 3), np.uint8)
    plain = operation_sheet(operation, 0, (1, 2), picture=picture).pixels().astype(int)
    marked = operation_sheet(operation, 0, (1, 2), picture=picture, fields=fields).pixels().astype(int)
    assert (plain != marked).any()
    assert "sees 4 × 4 pixels" in words(operation_sheet(operation, 0, (1, 2), picture=picture, fields=fields))


def test_what_is_not_yet_computed_is_hidden_in_a_film(net):
    operation = cnnvis.explain(*net, "conv")
    first, last = (operation_sheet(operation, 0, place, so_far=True).pixels() for place in ((0, 0), (7, 7)))
    whole = operation_sheet(operation, 0, (7, 7)).pixels()
    np.testing.assert_array_equal(last, whole)
    assert (first != operation_sheet(operation, 0, (0, 0)).pixels()).any()


def test_the_figure_and_the_pixels_show_the_same(net):
    operation = cnnvis.explain(*net, "conv")
    figure, pixels = to_rgb(operation_figure(operation)), operation_sheet(operation).pixels()
    assert figure.shape == pixels.shape
    # letters have other edges, and the same ink at the same place
    height, width = (side // 16 * 16 for side in figure.shape[:2])
    ink = [
        image[:height, :width].mean(axis=2).reshape(height // 16, 16, width // 16, 16).mean(axis=(1, 3))
        for image in (figure, pixels)
    ]
    assert np.abs(ink[0] - ink[1]).mean() < 2
    assert np.corrcoef(ink[0].ravel(), ink[1].ravel())[0, 1] > 0.98
    small = operation_sheet(operation).pixels(0.5)
    assert small.shape[1] == pixels.shape[1] // 2


def test_numbers_fit_their_cells():
    assert formatted(np.array([[0.0004, -0.0631]])) == [["0", "−.063"]]
    assert formatted(np.array([[1.234, -0.5, np.nan]]))[0][:2] == ["1.23", "−0.50"]
    assert formatted(np.array([[12.34, -5.0]])) == [["12.3", "−5.0"]]


def test_the_chart_of_scaling():
    found = np.array([[0.2, 0.8], [0.5, 0.5], [0.9, 0.1]])
    figure = scaling_chart((0, 1, 2), found, class_names=("cat", "dog"))
    lines = [line for line in figure.axes[-1].lines if len(line.get_xdata()) == 3]
    assert {tuple(line.get_ydata()) for line in lines} == {(0.2, 0.5, 0.9), (0.8, 0.5, 0.1)}
    with pytest.raises(InvalidInputError, match="2 factors and 3 rows"):
        scaling_chart((0, 1), found)


def test_inputs_are_named_by_their_place_in_the_source():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(6, 4, 1), nn.Flatten(), nn.Linear(4 * 5 * 5, 2)).eval()
    image = torch.randn(1, 6, 5, 5)
    one_pixel, dense = cnnvis.explain(net, image, "0"), cnnvis.explain(net, image, "2")
    working = one_pixel.at(1, (2, 3)).working
    strongest = int(working.channels[working.strongest(1)[0]])
    value = f"{working.patch.ravel()[strongest]:.3g}".replace("-", "−")
    assert f"#{strongest}: {value} ×" in words(operation_sheet(one_pixel, 1, (2, 3)))
    working = dense.at(0).working
    channel, row, column = np.unravel_index(working.strongest(1)[0], (4, 5, 5))
    assert f"#{channel} ({row}, {column}): " in words(operation_sheet(dense, 0))
