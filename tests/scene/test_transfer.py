"""Values -> positions on the colour map -> colours and opacity, for whatever values there are."""

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from pydantic import ValidationError

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.scene import TransferFunction
from cnnvis.scene.transfer import colour_table, is_signed, percentiles

NAN, INF = np.nan, np.inf
LIMIT = {np.float16: 65504.0, np.float32: float(np.float32(3e38)), np.float64: 1e300}


@st.composite
def arrays(draw):
    """Arrays of any precision and magnitude, subnormal to huge, with missing values, down to nothing but those."""
    dtype = draw(st.sampled_from(list(LIMIT)))
    width = 8 * np.dtype(dtype).itemsize
    finite = st.floats(-LIMIT[dtype], LIMIT[dtype], width=width)
    elements = finite | st.sampled_from([0.0, NAN, INF, -INF])
    return draw(hnp.arrays(dtype, hnp.array_shapes(max_dims=2, max_side=12), elements=elements))


transfers = st.builds(
    TransferFunction,
    normalisation=st.sampled_from(["linear", "log", "cbrt"]),
    clip=st.sampled_from([(0, 100), (1, 99), (25, 60)]),
    centre=st.none() | st.sampled_from([0.0, 2.5]),
    span=st.none() | st.tuples(st.floats(-1e6, 0), st.floats(0, 1e6)),
)


@given(arrays(), transfers)
def test_positions_rise_with_the_values_within_0_and_1(values, transfer):
    positions = transfer.normalise(values)
    assert positions.dtype == np.float32
    assert positions.shape == values.shape
    finite = np.isfinite(values)
    assert np.isnan(positions[~finite]).all()
    along = positions[finite][np.argsort(values[finite], kind="stable")]
    assert ((along >= 0) & (along <= 1)).all()  # NaN would fail, too
    assert (np.diff(along) >= -1e-6).all()


@given(arrays(), transfers)
def test_denormalise_is_the_inverse_within_the_range(values, transfer):
    low, high = transfer.span_of(values)
    assert np.isfinite([low, high]).all()
    assert low < high
    positions = transfer.normalise(values, (low, high))
    back = transfer.denormalise(positions, (low, high))
    finite = np.isfinite(values)
    expected = np.clip(values[finite].astype(np.float64), low, high)
    tolerance = 3e-6 * max(abs(low), abs(high))  # single precision of the positions
    np.testing.assert_allclose(back[finite], expected, rtol=0, atol=tolerance)


@given(arrays(), transfers)
def test_colours_and_opacities_are_always_drawable(values, transfer):
    rgba = transfer.apply(values)
    assert rgba.shape == (*values.shape, 4)
    assert ((rgba >= 0) & (rgba <= 1)).all()
    missing = ~np.isfinite(values)
    assert (rgba[missing][:, 3] == 0).all()
    np.testing.assert_allclose(rgba[missing][:, :3], np.broadcast_to(MISSING_COLOUR, (missing.sum(), 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-44, 1e-39, 1e-20, 1.0, 1e20, 1e38])
def test_three_values_are_told_apart_at_any_magnitude(size, dtype):
    values = np.array([0, 0.5, 1], dtype) * dtype(size)
    positions = TransferFunction(clip=(0, 100)).normalise(values)
    np.testing.assert_allclose(positions, [0, 0.5, 1], atol=0.2 if size < 1e-40 else 1e-6)


def test_double_precision_far_from_zero_keeps_its_differences():
    values = 1e9 + np.array([0.0, 1.0, 4.0])
    np.testing.assert_allclose(TransferFunction(clip=(0, 100)).normalise(values), [0, 0.25, 1], atol=1e-6)


@pytest.mark.parametrize("constant", [0.0, 5.0, -3e-7, 1e8, 1e20, -1e300])
def test_a_constant_array_lies_in_the_middle(constant):
    values = np.full(4, constant)
    low, high = TransferFunction().span_of(values)
    assert low < constant < high
    np.testing.assert_allclose(TransferFunction().normalise(values), 0.5, atol=1e-6)
    if abs(constant) < 1e4:
        assert (low, high) == pytest.approx((constant - 0.5, constant + 0.5))


@pytest.mark.parametrize("values", [np.full(3, NAN), np.array([INF, -INF]), np.zeros(0)])
def test_without_any_finite_value(values):
    assert TransferFunction().span_of(values) == (0, 1)
    assert np.isnan(TransferFunction().normalise(values)).all()


def test_hand_computed_positions():
    assert TransferFunction(span=(2, 6)).normalise([1, 2, 3, 6, 9]).tolist() == [0, 0, 0.25, 1, 1]
    # Cube roots of 0, 1/8 and 1; logarithms of 1 + 1000 x.
    np.testing.assert_allclose(
        TransferFunction(span=(0, 8), normalisation="cbrt").normalise([0, 1, 8]), [0, 0.5, 1], atol=1e-6
    )
    log = TransferFunction(span=(0, 1), normalisation="log").normalise([0.1])
    np.testing.assert_allclose(log, np.log(101) / np.log(1001), atol=1e-6)


@pytest.mark.parametrize("normalisation", ["linear", "log", "cbrt"])
def test_a_centre_lies_in_the_middle_and_signs_mirror(normalisation):
    transfer = TransferFunction(centre=0, span=(-1, 4), normalisation=normalisation)
    assert transfer.span_of([]) == (-4, 4)
    values = np.array([-4.0, -1, 0, 1, 4])
    positions = transfer.normalise(values)
    assert positions[2] == pytest.approx(0.5)
    np.testing.assert_allclose(positions + positions[::-1], 1, atol=1e-6)
    opacity = transfer.opacity_at(positions)
    np.testing.assert_allclose(opacity, opacity[::-1], atol=1e-6)
    assert opacity[2] == pytest.approx(0, abs=1e-6)
    assert opacity[0] == pytest.approx(1)


def test_clip_takes_percentiles_of_the_finite_values():
    values = np.append(np.arange(101.0), [NAN, INF])
    assert TransferFunction(clip=(10, 90)).span_of(values) == (10, 90)
    assert TransferFunction(clip=(10, 90), centre=50.0).span_of(values) == (5, 95)  # 90 % lie within 45
    sparse = np.zeros(1000)
    sparse[0] = 7.0
    assert percentiles(sparse, (1, 99)) == (0, 7)  # both percentiles are 0: nothing is clipped


def test_half_precision_reaches_from_end_to_end():
    assert TransferFunction(clip=(0, 100)).span_of(np.array([-65504, 65504], np.float16)) == (-65504, 65504)


def test_opacity_curve_is_piecewise_linear():
    transfer = TransferFunction(opacity=((0, 0), (0.5, 0.2), (0.5, 0.8), (1, 1)))
    np.testing.assert_allclose(transfer.opacity_at([0, 0.25, 0.75, 1, NAN]), [0, 0.1, 0.9, 1, 0], atol=1e-6)


def test_weights_count_relative_to_the_largest():
    assert TransferFunction().weight_at([0, 1, 4]).tolist() == [0, 0.25, 1]
    assert TransferFunction().weight_at([0, 0]).tolist() == [1, 1]
    assert TransferFunction(weight=((0, 0.5), (1, 1))).weight_at([0, 2]).tolist() == [0.5, 1]


@pytest.mark.parametrize("name", ["linear", "sigmoid", "band", "importance"])
def test_presets_fit_the_sign_of_the_data(name):
    plain = TransferFunction.preset(name, values=[0.0, 1, 2])
    signed = TransferFunction.preset(name, values=[-1.0, 2], clip=(0, 100))
    assert (plain.centre, plain.colour_map) == (None, "viridis")
    assert (signed.centre, signed.colour_map, signed.clip) == (0, "RdBu_r", (0, 100))
    assert plain.opacity == signed.opacity


def test_presets_differ_and_unknown_ones_are_named():
    names = ("linear", "sigmoid", "band", "importance")
    assert len({TransferFunction.preset(name).opacity for name in names}) == 4
    with pytest.raises(InvalidInputError, match="'ramp'; allowed are linear, sigmoid, band, importance"):
        TransferFunction.preset("ramp")


@pytest.mark.parametrize(
    ("values", "signed"),
    [([-1, 1], True), ([0, 1], False), ([-1, 0], False), ([-0.01, 1], False), ([-1, 0.05], True), ([NAN], False)],
)
def test_small_negatives_do_not_make_data_signed(values, signed):
    assert is_signed(np.array(values, float)) is signed


def test_colour_points_are_a_map_of_ones_own():
    transfer = TransferFunction(
        colour_map="viridis", colour_points=((0.2, "#000000"), (0.6, "#FF0000"), (1, "#ff00ff"))
    )
    assert transfer.colour_points[1] == (0.6, "#ff0000")
    rgb = transfer.colours([0.0, 0.2, 0.4, 0.6, 0.8, 1.0, NAN])
    expected = [(0, 0, 0), (0, 0, 0), (0.5, 0, 0), (1, 0, 0), (1, 0, 0.5), (1, 0, 1), MISSING_COLOUR]
    np.testing.assert_allclose(rgb, expected, atol=0.006)  # 256 places in a table
    assert TransferFunction.model_validate_json(transfer.model_dump_json()) == transfer
    assert not TransferFunction().colour_points


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6), arrays())
def test_colour_points_are_always_drawable(positions, values):
    points = tuple((position, f"#{index * 40:06x}") for index, position in enumerate(sorted(positions)))
    rgba = TransferFunction(colour_points=points).apply(values)
    assert rgba.shape == (*values.shape, 4)
    assert ((rgba >= 0) & (rgba <= 1)).all()


def test_changes_are_checked():
    transfer = TransferFunction(span=(0, 2))
    assert transfer.with_changes(clip=(5, 95)) == TransferFunction(span=(0, 2), clip=(5, 95))
    with pytest.raises(ValidationError, match="rising numbers"):
        transfer.with_changes(span=(2, 0))


def test_colour_tables():
    assert colour_table("viridis").shape == (256, 3)
    assert TransferFunction(colour_map="gray").colours([0.0, 1.0]).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert TransferFunction(colour_map="gray").colours(NAN).tolist() == list(MISSING_COLOUR)
    with pytest.raises(InvalidInputError, match=r"'viridus'.*viridis"):
        colour_table("viridus")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clip": (99, 1)}, "rising percentiles"),
        ({"clip": (-1, 50)}, "rising percentiles"),
        ({"opacity": ((0, 0),)}, "at least two points"),
        ({"opacity": ((0.5, 0), (0.2, 1))}, "must not fall"),
        ({"weight": ((0, 0), (1, 2))}, r"lie in \[0, 1\]"),
        ({"span": (2, 1)}, "rising numbers"),
        ({"opacity": ((0, 0), (1.5, 1))}, r"positions must lie in \[0, 1\]"),
        ({"colour_points": ((0, "#000000"),)}, "at least two points"),
        ({"colour_points": ((1, "#000000"), (0, "#ffffff"))}, "must not fall"),
        ({"colour_points": ((0, "#000000"), (1, "white"))}, "written as #rrggbb, got 'white'"),
        ({"span": (0, INF)}, "finite"),
        ({"centre": NAN}, "finite"),
        ({"normalisation": "sqrt"}, "linear"),
        ({"gamma": 2}, "gamma"),
    ],
)
def test_fields_are_checked(fields, message):
    with pytest.raises(ValidationError, match=message):
        TransferFunction(**fields)


def test_a_transfer_function_is_never_changed():
    transfer = TransferFunction()
    with pytest.raises(ValidationError, match="frozen"):
        transfer.centre = 1.0
    assert transfer.with_span([3.0, 3.5, 4.0]).span == pytest.approx((3.01, 3.99))
    assert transfer.span is None
