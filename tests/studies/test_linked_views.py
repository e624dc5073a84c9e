"""What the linked views of a survey show: which images, how small, and what the page says of it."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core import LayerSurvey, Survey
from cnnvis.core.survey import LEVELS
from cnnvis.report.survey_views import survey_views_page
from cnnvis.studies.image_stream import ImageAnswer
from cnnvis.studies.page_room import MAP_SIDES, PAGE_BYTES, Room, page_room, plane, within
from cnnvis.studies.survey_pictures import save_views
from cnnvis.studies.survey_results import LayerGroups, SurveyResult
from cnnvis.studies.survey_views import survey_views, telling

VGG16 = [64, 64, 128, 128, *[256] * 3, *[512] * 6]
VGG16_SIDES = [224, 224, 112, 112, *[56] * 3, *[28] * 3, *[14] * 3]
LITE0 = [32, 16, *[96, 96, 24], *[144, 144, 24], *[240, 240, 40] * 2, *[480, 480, 80] * 3, *[672, 672, 112] * 3]
LITE0 += [*[1152, 1152, 192] * 5, 1280, 1000]
"""Channels of 49 layers of about EfficientNet-Lite0's widths."""


class Stream:
    """Images by number, as `ImageStream` gives them."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.network = SimpleNamespace(name="net")
        self.asked = []

    def __len__(self):
        return len(self.answers)

    def at(self, number):
        self.asked.append(number)
        return self.answers[number]


def answer(number, label=None, probabilities=(0.1, 0.9), averages=None, **parts):
    """Return an answer without maps, of one layer."""
    values = np.array([float(number)] if averages is None else averages)
    given = {"maps": {}, "averages": {"a": values}, "image": np.zeros((3, 3, 3), np.uint8)} | parts
    return ImageAnswer(name=f"image {number}", probabilities=np.array(probabilities), label=label, **given)


def layer_survey(n):
    random = np.random.default_rng(n)
    return LayerSurvey(
        value="v",
        mean=random.random(n),
        std=random.random(n),
        correlation=np.eye(n),
        quantiles=np.zeros((n, len(LEVELS))),
        window=np.zeros((2, n), np.float32),
        top_images=np.zeros((n, 1), int),
        top_averages=np.zeros((n, 1)),
        n_missing=np.zeros(n, int),
    )


def layer_groups(n):
    random = np.random.default_rng(n)
    weights = random.random((n, n))
    weights += weights.T
    labels = np.sort(random.integers(0, 9, n))
    return LayerGroups(weights - 1, weights, labels, random.random((n, 2)), np.ones(9), None)


def survey_of(sizes, n_images=100, class_names=None):
    return Survey(
        {f"blocks.{i}.conv": layer_survey(n) for i, n in enumerate(sizes)}, "post", n_images, class_names=class_names
    )


def result_of(survey, *, groups=True):
    found = {name: layer_groups(layer.n_channels) for name, layer in survey.items()} if groups else {}
    return SurveyResult(
        network=SimpleNamespace(name="net"),
        survey=survey,
        groups=found,
        alignment=None,
        anomalies=(),
        merging=None,
        n_surveyed=survey.n_images,
        problem="",
        left_over=(),
        files={},
        seconds={},
        total_seconds=0.0,
    )


def stream_of(survey, sides, *, n_images=30, picture=224, label=None):
    """Return images with noise for maps: the same for all of them, which is enough for their sizes."""
    random = np.random.default_rng(0)
    names = survey.class_names or ("x", "y")
    sizes = zip(survey, sides, strict=True)
    maps = {name: random.random((survey[name].n_channels, side, side)).astype(np.float32) for name, side in sizes}
    parts = {
        "probabilities": random.dirichlet(np.ones(len(names))),
        "image": random.integers(0, 256, (picture, picture, 3)).astype(np.uint8),
        "maps": maps,
        "averages": {name: values.mean(axis=(1, 2), dtype=float) for name, values in maps.items()},
    }
    return Stream(replace(answer(number, label), **parts) for number in range(n_images))


# ----------------------------------------------------------------------------------------------------- the budget


@pytest.mark.parametrize(
    ("sizes", "sides", "n_classes"),
    [(VGG16, VGG16_SIDES, 10), (LITE0, [14] * len(LITE0), 1000)],
    ids=["vgg16", "49 layers"],
)
def test_the_page_keeps_its_budget_and_uses_it(sizes, sides, n_classes):
    assert len(sizes) in (13, 49)
    survey = survey_of(sizes, class_names=tuple(f"class with a long name {number}" for number in range(n_classes)))
    page = survey_views_page(survey_views(result_of(survey), stream_of(survey, sides)))
    assert 0.75 * PAGE_BYTES < len(page) <= PAGE_BYTES


def test_of_full_width_vgg16_it_is_said_what_was_made_small():
    survey = survey_of(VGG16)
    shown = survey_views(result_of(survey), stream_of(survey, VGG16_SIDES))
    assert len(shown.images) == 12
    assert shown.images[0].picture.shape == (112, 112, 3)
    assert shown.images[0].maps["blocks.0.conv"].shape == (64, 7, 7)
    assert shown.layers[-1].groups.matrix.shape == (256, 256)
    assert shown.layers[0].groups.matrix.shape == (64, 64)
    assert shown.note == (
        "12 of 30 images are on the page, half of them those that drive the most channels. A matrix of more than 256 "
        "channels shows means of neighbouring rows and columns, in the order of the groups (6 of 13 layers). Pictures "
        "are made small, 112 pixels at most. Maps are made small, 7 x 7 at most. `cnnvis view` shows all."
    )


def test_what_is_small_stays_as_it_is_and_nothing_is_said_of_it():
    survey = survey_of([8, 16])
    result, stream = result_of(survey), stream_of(survey, [6, 3], picture=28)
    shown = survey_views(result, stream)
    assert np.array_equal(shown.images[3].maps["blocks.1.conv"], stream.answers[0].maps["blocks.1.conv"])
    assert np.array_equal(shown.images[3].picture, stream.answers[0].image)
    groups = result.groups["blocks.0.conv"]
    order = shown.layers[0].groups.order
    assert np.array_equal(shown.layers[0].groups.matrix, groups.similarity[np.ix_(order, order)])
    assert "made small" not in shown.note
    assert "matrix" not in shown.note


def test_where_there_is_no_room_for_maps_it_is_said():
    survey = survey_of([64] * 700)
    shown = survey_views(result_of(survey), stream_of(survey, [4] * 700, n_images=3))
    assert "There was no room for maps." in shown.note
    assert all(not image.maps for image in shown.images)
    assert len(shown.images) == 3
    assert len(survey_views_page(shown)) <= PAGE_BYTES


def test_rooms_shrink_with_the_network():
    rooms = []
    for repeated in (1, 2, 4, 8, 16):
        survey = survey_of([64] * repeated * 16)
        stream = stream_of(survey, [16] * repeated * 16, n_images=1, picture=32)
        rooms.append(page_room(survey, survey, 100, stream.at(0)))
    assert rooms[0] == Room(12, 224, 256, 16)
    for wider, narrower in pairwise(rooms):
        assert (wider.n_images, wider.map) >= (narrower.n_images, narrower.map)
        assert wider.matrix >= narrower.matrix
    assert rooms[-1].n_images < 12
    assert rooms[-1].map in MAP_SIDES


@given(rows=st.integers(1, 500), columns=st.integers(1, 500), side=st.integers(1, 300))
def test_planes_keep_their_proportions(rows, columns, side):
    found = within((rows, columns), side)
    assert min(found) >= 1
    assert max(found) == min(side, max(rows, columns))
    assert abs(found[0] * columns - found[1] * rows) <= max(rows, columns)


def test_maps_of_any_number_of_dimensions_are_planes():
    assert [plane(shape) for shape in ((), (5,), (4, 5), (2, 4, 5))] == [(1, 1), (1, 5), (4, 5), (8, 5)]


def test_made_small_means_of_neighbours():
    survey = survey_of([2])
    picture = np.zeros((448, 448, 3), np.uint8)
    picture[:2, :2] = [[[0], [10]], [[20], [30]]]
    maps = np.arange(2 * 32 * 32, dtype=np.float32).reshape(2, 32, 32)
    only = answer(0, image=picture, maps={"blocks.0.conv": maps}, averages=[1, 2])
    only = replace(only, averages={"blocks.0.conv": np.array([1.0, 2.0])})
    shown = survey_views(result_of(survey), Stream([only]))
    assert shown.images[0].picture.shape == (224, 224, 3)
    assert shown.images[0].picture[0, 0].tolist() == [15, 15, 15]
    assert shown.images[0].maps["blocks.0.conv"][0, 0, 0] == np.mean([0, 1, 32, 33])


# ------------------------------------------------------------------------------------------------ which images


def test_wrong_and_right_answers_take_turns_and_so_do_classes():
    labels = [0] * 20 + [1] * 20
    wrong = {3, 4, 25}
    answers = [
        answer(number, label, (0.9, 0.1) if (label == 0) != (number in wrong) else (0.1, 0.9))
        for number, label in enumerate(labels)
    ]
    chosen = telling(Stream(answers), 8)
    assert chosen == [0, 3, 20, 25, 1, 4, 21, 2]
    assert telling(Stream(answers), 2) == [0, 3]
    assert chosen == telling(Stream(answers), 8)


@pytest.mark.parametrize("label", [0, 1])
def test_where_all_are_wrong_or_right_there_are_as_many_of_them(label):
    answers = [answer(number, label) for number in range(20)]
    assert telling(Stream(answers), 8) == list(range(8))


def test_unlabelled_images_are_spread_and_drive_channels():
    averages = np.zeros((40, 6))
    averages[17, :3] = 1  # drives three channels
    averages[31, 3:5] = 1  # two; the last channel is dead
    chosen = telling(Stream(answer(number, averages=averages[number]) for number in range(40)), 4)
    assert {17, 31} < set(chosen)
    assert chosen == sorted(chosen) == [0, 17, 20, 31]


def test_images_that_give_nan_drive_nothing():
    averages = np.ones((10, 3))
    averages[4] = np.nan
    averages[6] = 2
    chosen = telling(Stream(answer(number, averages=averages[number]) for number in range(10)), 2)
    assert 6 in chosen
    assert 4 not in chosen


def test_networks_without_class_scores_have_no_wrong_answers():
    answers = [answer(number, 1, ()) for number in range(10)]
    assert telling(Stream(answers), 2) == [0, 9]  # 9 has the largest average


def test_few_images_are_all_shown_and_many_are_not_all_looked_at():
    stream = Stream([answer(number, 0) for number in range(3)])
    assert telling(stream, 12) == [0, 1, 2]
    assert not stream.asked
    stream = Stream([answer(number) for number in range(1000)])
    telling(stream, 12)
    assert stream.asked == list(range(0, 1000, 5))


def test_unlabelled_images_make_a_page(tmp_path):
    survey = survey_of([8, 4])
    stream = stream_of(survey, [6, 3])
    shown = survey_views(result_of(survey), stream)
    assert len(shown.images) == 12
    assert {image.label for image in shown.images} == {None}
    assert shown.note.startswith("12 of 30 images are on the page, half of them those that drive the most channels.")
    (path,) = save_views(result_of(survey), stream, tmp_path)
    assert path.read_text("utf-8") == survey_views_page(shown)


def test_it_is_said_how_many_are_answered_wrongly():
    survey = survey_of([8, 4])
    stream = stream_of(survey, [6, 3])
    right = int(stream.answers[0].probabilities.argmax())
    for n_wrong, said in ((3, "3 of them"), (20, "6 of them"), (30, "12 of them"), (0, "0 of them")):
        labelled = Stream(
            replace(one, label=right if number >= n_wrong else 1 - right) for number, one in enumerate(stream.answers)
        )
        note = survey_views(result_of(survey), labelled).note
        assert note.startswith(f"12 of 30 images are on the page, {said} answered wrongly.")


def test_one_image_and_none():
    survey = survey_of([8, 4], n_images=1)
    result = result_of(survey, groups=False)
    shown = survey_views(result, stream_of(survey, [6, 3], n_images=1))
    assert [image.name for image in shown.images] == ["image 0"]
    assert shown.note.startswith("The only image is on the page.")
    assert all(layer.groups is None for layer in shown.layers)
    assert "</html>" in survey_views_page(shown)
    for stream in (None, Stream([])):
        shown = survey_views(result, stream)
        assert shown.images == ()
        assert shown.note.startswith("There are no images of this data to look at")
