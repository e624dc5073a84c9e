"""What a diagnosis says and shows: the verdict in each case, the image, bars of the likeliest classes, wide notes."""

import numpy as np
import pytest

from cnnvis.core import Departure, Diagnosis, Patch
from cnnvis.report import diagnosis_figure, to_rgb
from cnnvis.report.figure_diagnosis import BAR, PICTURE
from cnnvis.report.parts import HEADER_HEIGHT
from cnnvis.report.style import ALARM, MARGIN

LAYERS = ("one", "two", "three")


def patch(layer, n_channels, answer, margin=-1.0):
    return Patch(layer, tuple(range(n_channels)), answer, 0.3, margin)


def diagnosis(*, together=(0, 0), whole=(0, 0, 0), unpatched=0, true=1):
    """Return one of three classes: 0 answered, 1 right; the answers with channels and with whole layers patched."""
    off = {layer: Departure([1.0, 5.0, 2.0], 3.0, 0.2) for layer in LAYERS}
    return Diagnosis(
        image="a.png",
        probabilities=[0.75, 0.2, 0.05],
        predicted=0,
        true=true,
        values=dict(zip(LAYERS, LAYERS, strict=True)),
        from_predicted=off,
        from_true={} if true is None else off,
        first_layer="two",
        n_compared=200,
        level=0.01,
        layer="two",
        single=(patch("two", 1, 0, -0.5), patch("two", 1, 0, -0.9)),
        together=tuple(patch("two", n, answer) for n, answer in enumerate(together, start=1)),
        whole={
            name: patch(name, 3, answer, 0.25 * n) for n, (name, answer) in enumerate(zip(LAYERS, whole, strict=True))
        },
        unpatched=patch("two", 0, unpatched),
        class_names=("cat", "dog", "eel"),
    )


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"unpatched": 1}, "The answer is dog, with and without patches."),
        ({"together": (1, 1)}, "With the averages of dog in 1 channel of two the answer is dog: here it went wrong."),
        ({"together": (0, 1)}, "With the averages of dog in 2 channels of two the answer is dog: here it went wrong."),
        (
            {"whole": (0, 1, 0)},
            "in 2 of two it is still cat. All averages of two together give dog: what went wrong is there by then.",
        ),
        ({"whole": (1, 1, 1)}, "All averages of one together give dog, and so do those of 2 later layers"),
        ({}, "does not give dog in any of the 3 layers tried (best: three, margin -1.00 -> +0.50)"),
    ],
)
def test_the_verdict_of_each_case(answers, said):
    assert said in diagnosis(**answers).verdict


def test_image_and_bars_are_where_they_belong():
    picture = np.full((28, 28, 3), (10, 200, 90), np.uint8)
    pixels = to_rgb(diagnosis_figure(diagnosis(), picture=picture)).astype(int)
    rows, columns = np.nonzero((pixels == (10, 200, 90)).all(axis=2))
    assert (rows.min(), rows.max()) == (HEADER_HEIGHT, HEADER_HEIGHT + PICTURE - 1)
    assert (columns.min(), columns.max()) == (MARGIN, MARGIN + PICTURE - 1)
    first_bar = pixels[HEADER_HEIGHT + 22, MARGIN + PICTURE + 40 :][:BAR]
    wrong = np.abs(first_bar - np.round(255 * np.array(ALARM))).max(axis=1) <= 1
    assert wrong.mean() == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("shape", [(600, 300, 3), (40, 90, 3), (1, 1, 3)])
def test_any_picture_fits_its_place(shape):
    pixels = to_rgb(diagnosis_figure(diagnosis(), picture=np.full(shape, (10, 200, 90), np.uint8))).astype(int)
    rows, columns = np.nonzero((pixels == (10, 200, 90)).all(axis=2))
    assert PICTURE / 2 < max(np.ptp(rows), np.ptp(columns)) + 1 <= PICTURE


def test_without_picture_and_class_it_is_drawn_as_well():
    pixels = to_rgb(diagnosis_figure(diagnosis(true=None)))
    assert pixels.shape[1] == 1600
    assert (pixels < 100).any()
