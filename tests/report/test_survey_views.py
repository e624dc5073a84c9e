"""The linked views of a survey as a page: what is stored."""

from dataclasses import replace

import numpy as np
import pytest
from views_samples import N_CHANNELS, Script, array, data_of, views

from cnnvis.core import EdgeSet
from cnnvis.core.errors import InvalidInputError
from cnnvis.report.survey_views import LayerView, SurveyViews, survey_views_page


def same_groups(groups, stored):
    order = np.array(stored["order"])
    assert np.all(np.diff(groups.labels[order]) >= 0)
    assert len(stored["colours"]) == groups.labels.max() + 2
    side = stored["side"]
    assert side == len(groups.matrix)
    matrix = array(stored["matrix"], np.uint8).reshape(side, side) / 127.5 - 1
    assert np.abs(matrix - groups.matrix).max() <= 1 / 255 + 1e-9
    assert np.array_equal(array(stored["places"], "<f4").reshape(-1, 2), groups.places.astype(np.float32))
    ends = array(stored["ends"], "<u2").reshape(-1, 2)
    assert np.array_equal(ends, np.stack([groups.links.source, groups.links.target], axis=1))
    shares = groups.links.weight / groups.links.weight.max()
    assert np.abs(array(stored["weights"], np.uint8) / 255 - shares).max() <= 0.5 / 255 + 1e-9


def test_what_is_stored_is_what_was_given():
    shown = views()
    data = data_of(survey_views_page(shown))
    for layer, stored in zip(shown.layers, data["layers"], strict=True):
        assert np.array_equal(array(stored["mean"], "<f4"), layer.mean.astype(np.float32))
        if layer.groups is not None:
            same_groups(layer.groups, stored["groups"])
    image, stored = shown.images[1], data["images"][1]
    assert np.array_equal(array(stored["pixels"], np.uint8).reshape(5, 4, 3), image.picture)
    maps = stored["maps"][1]
    low, high = array(maps["low"], "<f4")[:, None, None], array(maps["high"], "<f4")[:, None, None]
    levels = array(maps["levels"], np.uint8).reshape(300, 4, 6)
    assert np.abs(low + levels / 255 * (high - low) - image.maps["b"]).max() < 1 / 500
    assert survey_views_page(shown) == survey_views_page(shown)


def test_values_that_are_not_finite_leave_the_page_whole():
    shown = views(1)
    maps = dict(shown.images[0].maps)
    maps["a"] = np.array([[[np.inf, 1.0, 3.0]], [[-np.inf, np.inf, 2.0]], *[[[np.nan] * 3]] * 8], np.float32)
    image = replace(shown.images[0], maps=maps, probabilities=np.array([np.nan, 0.5, 0.5]))
    stored = data_of(survey_views_page(replace(shown, images=(image,))))["images"][0]
    assert stored["probabilities"] == []
    packed = stored["maps"][0]
    assert array(packed["low"], "<f4").tolist() == [1, 2] + [0] * 8
    assert array(packed["high"], "<f4").tolist() == [3, 2] + [0] * 8
    assert array(packed["levels"], np.uint8).reshape(10, 3)[:2].tolist() == [[255, 0, 255], [0, 0, 0]]


def test_names_cannot_end_the_script():
    names = ("</script><script>alert(1)</script>", "<!--", '"&amp;')
    page = survey_views_page(views(names=names))
    assert page.count("</script>") == 4
    assert [layer["name"] for layer in data_of(page)["layers"]] == list(names)


@pytest.mark.parametrize("groups", [True, False])
def test_without_images_means_are_shown(groups):
    script = Script(views(0, groups=groups))
    assert script.value("Array.from(averagesOf(data, -1, 2))") == pytest.approx(
        views(0, groups=groups).layers[2].mean.astype(np.float32)
    )
    calls = script.drawn("drawGrid", {"image": -1})
    assert sum(call[0] == "fillRect" for call in calls) == sum(N_CHANNELS)
    said = [call[1][0] for call in script.drawn("drawMatrix", {"image": -1}) if call[0] == "fillText"]
    assert said == ([] if groups else ["no groups were looked for"])


def test_wrong_contents_are_refused():
    good = views()
    with pytest.raises(InvalidInputError, match="no layer"):
        SurveyViews("title", 1, ())
    groups = good.layers[0].groups
    with pytest.raises(InvalidInputError, match="or a link another end"):
        replace(groups, links=EdgeSet([0], [10], [1.0]))
    with pytest.raises(InvalidInputError, match="the matrix has more rows"):
        replace(groups, matrix=np.zeros((11, 11)))
    with pytest.raises(InvalidInputError, match="places"):
        replace(groups, places=np.zeros((10, 3)))
    with pytest.raises(InvalidInputError, match="65,536 channels can be shown, got 65,537"):
        replace(groups, labels=np.zeros(65537, int))
    with pytest.raises(InvalidInputError, match="groups of 'a'"):
        LayerView("a", np.zeros(2), np.zeros(2), groups)
    with pytest.raises(InvalidInputError, match="no averages of the channels of 'other'"):
        SurveyViews("title", 1, (LayerView("other", np.zeros(2), np.zeros(2)),), good.images)
