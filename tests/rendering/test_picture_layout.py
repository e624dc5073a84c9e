"""Pictures carry their title, legend and axes, legible and whole, in panes of any size."""

from types import SimpleNamespace

import numpy as np
import pytest
from shots import shoot

from cnnvis.core import Ordering, Provenance, Volume
from cnnvis.core.axes import stack_spacing
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import group_colour
from cnnvis.rendering import OffscreenWindow, SceneRenderer, _vtk, render
from cnnvis.rendering.axes_box import round_ticks
from cnnvis.rendering.legend import Legend, Title
from cnnvis.rendering.pane import Pane
from cnnvis.rendering.scene_renderer import _distinct_legends
from cnnvis.rendering.style import THEMES, format_values, text_width
from cnnvis.scene import Camera, Scene, SceneGrid, TransferFunction

LONG = "backbone.stage4.block12.depthwise_separable_convolution.pointwise.conv2d"


def scene(shape=(12, 20, 20), *, view="three_quarter", groups=True, layer=LONG, **fields):
    rng = np.random.default_rng(0)
    volume = Volume(
        rng.standard_normal(shape).astype(np.float32),
        layer=layer,
        spacing=stack_spacing(shape),
        provenance=Provenance("a-network-with-a-long-name", "random", inputs=("my holidays 2024-07-12 001.jpeg",)),
    )
    labels = rng.integers(-1, 4, shape[0]) if groups else None
    built = Scene(camera=Camera(view=view), **fields)
    built.add_volume(volume.reordered(Ordering(rng.permutation(shape[0]), "kmeans", groups=labels)))
    return built


def assert_frame_is_clear(pixels, background):
    """No text, line or bar is cut off by the border."""
    expected = np.round(255 * np.array(THEMES[background].background))
    for strip in (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:]):
        assert np.abs(strip.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("view", ["three_quarter", "front", "side", "top", "isometric"])
@pytest.mark.parametrize("size", [(320, 200), (640, 400), (200, 320), (1600, 1000)])
def test_nothing_is_cut_off_at_the_border(size, view):
    pixels = render(scene(view=view), size=size)
    assert_frame_is_clear(pixels, "light")


@pytest.mark.parametrize("shape", [(512, 7, 7), (3, 224, 20), (40, 1, 1), (1, 30, 30)])
def test_nothing_is_cut_off_whatever_the_shape(shape):
    assert_frame_is_clear(render(scene(shape), size=(640, 400)), "light")


def test_nothing_is_cut_off_on_a_dark_background():
    assert_frame_is_clear(render(scene(background="dark"), size=(480, 300)), "dark")


@pytest.mark.parametrize(
    ("n", "columns", "size"), [(4, 2, (320, 200)), (5, 5, (640, 200)), (3, 3, (1200, 450)), (2, 1, (300, 600))]
)
def test_no_pane_of_a_grid_writes_over_the_next(n, columns, size):
    pixels = render(SceneGrid([scene() for _ in range(n)], columns=columns), size=size)
    width, height = size[0] // columns, size[1] // -(-n // columns)
    for index in range(n):
        row, column = divmod(index, columns)
        pane = pixels[row * height : (row + 1) * height, column * width : (column + 1) * width]
        assert_frame_is_clear(pane, "light")
        assert (pane < 128).any()


def test_a_turn_is_never_cut_off_and_keeps_its_distance():
    turned = scene((60, 20, 20))
    distances = []
    with OffscreenWindow(turned, (400, 250), turning=True) as window:
        for azimuth in (0.0, 45.0, 90.0, 130.0):
            turned.camera.azimuth = azimuth
            assert_frame_is_clear(window.draw(), "light")
            distances.append(window.panes[0][0].renderer.GetActiveCamera().GetDistance())
    assert distances == pytest.approx([distances[0]] * 4)


def changed(first, second):
    return np.abs(first.astype(int) - second.astype(int)).max(axis=2) > 8


@pytest.mark.parametrize(("size", "region"), [((480, 300), np.s_[60:, 400:]), ((300, 400), np.s_[340:])])
def test_legend_stands_at_the_right_and_in_narrow_panes_below(size, region):
    built = scene(groups=False)
    built[LONG].update({"axes": False, "opacity": 0.0})
    inked = []
    for built[LONG].legend in (True, False):
        picture = render(built, size=size)
        inked.append(changed(picture, np.full_like(picture, 255))[region].sum())
    assert inked[0] > 500
    assert inked[1] == 0


def test_legend_shows_the_colours_of_the_map_and_under_them_the_opacity():
    built = Scene()
    item = built.add_volume(np.zeros((4, 4, 4)), transfer=TransferFunction(span=(0, 1), colour_map="gray_r"))
    item.transfer = TransferFunction(span=(0, 1), colour_map="viridis", opacity=((0, 0), (1, 0)))
    pixels = render(built, size=(480, 300))
    strip = pixels[:, 380:].reshape(-1, 3)
    for position in (0.2, 0.5, 0.8):  # all shown solid, though nothing of it is opaque
        wanted = 255 * item.transfer.colours([position])[0]
        assert np.abs(strip - wanted).max(axis=1).min() < 8


def test_title_stands_at_the_top_left():
    empty = np.full((200, 320, 3), 255, np.uint8)
    ink = changed(render(Scene(title="A title"), size=(320, 200)), empty)
    assert ink[:30, :120].sum() > 100
    assert not ink[30:].any()
    assert not changed(render(Scene(), size=(320, 200)), empty).any()


def test_axes_add_names_below_and_beside_the_stack():
    built = scene(groups=False, layer="conv")
    built["conv"].update({"legend": False, "opacity": 0.0})
    framed = shoot(built).ink()[100:]  # below the title
    built["conv"].axes = False
    assert framed.sum() > 300
    assert not shoot(built).ink()[100:].any()


def test_group_marks_have_the_colours_of_their_groups():
    built = scene()
    groups = np.unique(built[LONG].data.groups)
    pixels = render(built, size=(640, 400)).reshape(-1, 3).astype(int)
    for group in groups:
        wanted = np.round(255 * np.array(group_colour(group)))
        assert (np.abs(pixels - wanted).max(axis=1) <= 2).sum() > 10
    built[LONG].group_marks = False
    pixels = render(built, size=(640, 400)).reshape(-1, 3).astype(int)
    orange = np.round(255 * np.array(group_colour(1)))
    assert (np.abs(pixels - orange).max(axis=1) <= 2).sum() == 0


def test_all_orders_of_a_layer_are_drawn_at_one_scale():
    with_groups, without = shoot(scene(), (640, 400)), shoot(scene(groups=False), (640, 400))
    np.testing.assert_allclose(with_groups.projection.matrix, without.projection.matrix)


# -- texts -----------------------------------------------------------------------------------------


def pane(width, height):
    return Pane.of(width, height, THEMES["light"])


@pytest.mark.parametrize("width", [120, 160, 320, 800])
def test_long_lines_are_broken_and_shortened_until_they_fit(width):
    caption = Provenance("a-network-with-a-long-name", "random", inputs=("my holidays 2024-07-12 001.jpeg",)).caption
    title = Title([f"{LONG}: k-means order", caption], pane(width, 600))
    texts = [text for text, _, _ in title.lines]
    for text, size, _ in title.lines:
        assert text_width(text, round(size * title.pane.font)) <= width - 10
    assert any("k-means order" in text for text in texts)
    assert any("RANDOM WEIGHTS" in text for text in texts)
    assert texts[0].startswith("back")
    assert any("convolution" in text or "\N{HORIZONTAL ELLIPSIS}" in text for text in texts)


def test_shortening_keeps_both_ends():
    text = "features.12.conv.projection"
    short = pane(110, 200).shorten(text, 10)
    head, tail = short.split("\N{HORIZONTAL ELLIPSIS}")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert abs(len(head) - len(tail)) <= 1
    assert pane(800, 200).shorten(text, 10) == text


def test_titles_leave_room_for_the_scene():
    title = Title([f"line {number}" for number in range(40)], pane(300, 200))
    assert title.height <= 0.5
    assert len(title.lines) > 3


def test_scenes_speak_for_themselves_unless_they_have_a_title():
    built = scene(layer="conv")
    built.set_frames("epoch", ["0", "5"], {"conv": [built["conv"].data] * 2})
    built.frame = 1
    renderer = SceneRenderer(built, _vtk.vtkRenderer())
    lines = renderer._title([built["conv"]])
    assert lines == [
        "conv: k-means order",
        "epoch: 5",
        "a-network-with-a-long-name (RANDOM WEIGHTS) · my holidays 2024-07-12 001.jpeg",
    ]
    built.title = "Mine"
    assert renderer._title([built["conv"]])[0] == "Mine"
    renderer.close()


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0, 0.5, 1], ["0", "0.5", "1"]),
        ([-1, 1e-17, 1], ["\N{MINUS SIGN}1", "0", "1"]),
        ([0, 1e-20], ["0", "1e\N{MINUS SIGN}20"]),  # small is not zero
        ([100.0, 100.1, 100.2], ["100", "100.1", "100.2"]),  # as many digits as tell them apart
        ([1e8, 1e8 + 1], ["100000000", "100000001"]),
        ([0, 0], ["0", "0"]),
    ],
)
def test_numbers_of_a_legend_can_be_told_apart(values, texts):
    assert format_values(values) == texts


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12, 32, 55, 96, 112, 512, 2049])
def test_ticks_are_round_and_end_at_the_last_index(n):
    ticks = round_ticks(n)
    assert ticks[0] == 0
    assert ticks[-1] == n - 1
    assert len(ticks) <= 9
    assert (np.diff(ticks) > 0).all()


# -- viewpoint -------------------------------------------------------------------------------------


def test_zoom_enlarges_in_proportion_in_both_projections():
    for parallel in (True, False):
        spans = []
        for zoom in (0.5, 1.0, 2.0):
            built = Scene(camera=Camera(view="front", parallel=parallel, zoom=zoom))
            built.add_volume(np.ones((4, 10, 10)), axes=False, legend=False)
            shot = shoot(built)
            spans.append(shot.at(0, 9, 0)[0] - shot.at(0, 0, 0)[0])
        assert spans == pytest.approx([spans[1] / 2, spans[1], spans[1] * 2])


def test_azimuth_and_elevation_turn_the_named_view():
    built = scene(view="front", layer="c")
    built.camera.azimuth = 180.0
    back = shoot(scene(view="back", layer="c"))
    np.testing.assert_allclose(shoot(built).projection.matrix, back.projection.matrix, atol=1e-9)
    built.camera.update({"azimuth": 0.0, "elevation": 30.0})
    raised = shoot(built)
    assert raised.at(0, 0, 0)[0] > raised.at(0, 0, 20)[0]  # from above, the back stands higher
    built.camera.elevation = 90.0
    assert shoot(built).ink().sum() > 1000


def test_custom_cameras_stand_where_they_say():
    built = Scene(
        camera=Camera(view="custom", position=(5, 5, -40), focal_point=(5, 5, 5), view_up=(0, -1, 0), parallel=True)
    )
    built.add_volume(np.ones((10, 10, 10)), axes=False, legend=False)
    front = shoot(built)
    assert front.at(0, 0, 0)[0] < front.at(0, 9, 0)[0]
    assert front.at(0, 0, 0)[1] < front.at(9, 0, 0)[1]


@pytest.mark.parametrize(
    "wrong",
    [{"position": (0, 0, 0)}, {"position": (0, -5, 0)}, {"position": (0, 0, -5), "view_up": (0, 0, 0)}],
)
def test_custom_cameras_that_see_nothing_are_explained(wrong):
    built = Scene(camera=Camera(view="custom", focal_point=(0, 0, 0), **wrong))
    built.add_volume(np.ones((3, 3, 3)))
    with pytest.raises(InvalidInputError, match="sees nothing"):
        render(built, size=(64, 64))


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (900, ["mnist-mlp-untrained (RANDOM WEIGHTS) · 4 layers"]),
        (400, ["mnist-mlp-untrained (RANDOM WEIGHTS)", "4 layers"]),
        (330, ["mnist-mlp-untrained", "(RANDOM WEIGHTS) · 4 layers"]),
    ],
)
def test_a_long_title_is_broken_no_oftener_than_it_must_be(width, lines):
    pane = Pane(width, 320, THEMES["light"], 14)
    title = Title(["mnist-mlp-untrained (RANDOM WEIGHTS) · 4 layers"], pane)
    assert [text for text, _, _ in title.lines] == lines


def test_a_difference_is_broken_before_its_minus():
    pane = Pane(330, 320, THEMES["light"], 14)
    assert [text for text, _, _ in Title(["mnist-mlp-untrained − mnist-mlp-trained"], pane).lines] == [
        "mnist-mlp-untrained",
        "− mnist-mlp-trained",
    ]


def test_bars_of_several_layers_say_whose_they_are():
    """What a projection shows of signed values, |activation|, reads like the activation beside it."""

    def shown(*quantities):
        legends = [Legend(TransferFunction(), (0.0, high + 1.0), text) for high, text in enumerate(quantities)]
        artists = [
            SimpleNamespace(legend=each, item=SimpleNamespace(name=name))
            for each, name in zip(legends, "ab", strict=True)
        ]
        return [legend.quantity for legend in _distinct_legends(artists)]

    assert shown("activation", "|activation|") == ["a: activation", "b: |activation|"]
    assert shown("activation", "activation") == ["a: activation", "b: activation"]
    assert shown("activation", "gradient") == ["activation", "gradient"]
