"""Networks built by hand: shapes and costs, by hand and against torch; their files; what does not fit."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import cnnvis
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError
from cnnvis.core.plan import ConvolutionStep, DenseStep, NetworkPlan, PoolingStep
from cnnvis.models.plan_files import is_edited, planned_module, planned_network, read_plan, text_of, write_plan

DIGITS = NetworkPlan(
    (ConvolutionStep(4), PoolingStep(), DenseStep(16), DenseStep(10, "none")), class_names=tuple("0123456789")
)

CONVOLUTIONS = st.builds(
    ConvolutionStep,
    channels=st.integers(1, 5),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    activation=st.sampled_from(["relu", "tanh", "none"]),
)
STEPS = st.tuples(
    st.lists(CONVOLUTIONS | st.builds(PoolingStep, st.integers(1, 3), st.integers(1, 3)), max_size=4),
    st.lists(st.builds(DenseStep, st.integers(1, 9), st.sampled_from(["sigmoid", "none"])), max_size=2),
).map(lambda parts: (*parts[0], *parts[1]))


def test_shapes_and_costs_by_hand():
    found = DIGITS.check()
    assert found.fits
    assert [cost.shape for cost in found.costs] == [(4, 28, 28), (4, 14, 14), (16,), (10,)]
    assert [cost.parameters for cost in found.costs] == [4 * 9 + 4, 0, 784 * 16 + 16, 170]
    assert [cost.products for cost in found.costs] == [36 * 784, 0, 784 * 16, 160]


@settings(max_examples=60, deadline=None)
@given(STEPS, st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(1, 12)))
def test_a_plan_fits_where_torch_can_run_it_and_says_the_same_shapes(steps, size):
    plan = NetworkPlan(steps, size)
    found = plan.check()
    if not steps:
        assert "no step yet" in found.problem
        return
    if not found.fits:
        good = NetworkPlan(steps[: len(found.costs)], size)
        assert f"Step {len(found.costs) + 1}," in found.problem
        with pytest.raises(InvalidInputError, match="no room"):
            planned_module(plan)
        plan, found = good, good.check()
        if not good.steps:
            return
    module = planned_module(plan)
    value, shapes = torch.zeros(1, *size), {}
    for name, layer in module.named_children():
        value = layer(value)
        shapes[name] = tuple(value.shape[1:])
    for cost, (_, name, _) in zip(found.costs, plan.layer_names(), strict=True):
        assert shapes[name] == cost.shape
        layer = module.get_submodule(name)
        assert sum(parameter.numel() for parameter in layer.parameters()) == cost.parameters


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((DenseStep(3), PoolingStep()), "Step 2, max pooling: it reads maps"),
        ((PoolingStep(), ConvolutionStep(2, kernel=17)), "17 x 17 has no room in 14 x 14 with padding 1"),
        ((ConvolutionStep(2),), "10 classes, but the last step makes 2 x 28 x 28"),
        ((DenseStep(9),), "10 classes, but the last step makes 9"),
    ],
)
def test_what_does_not_fit_is_said(steps, said):
    plan = NetworkPlan(steps, class_names=DIGITS.class_names)
    assert said in plan.check().problem
    with pytest.raises(InvalidInputError):
        planned_module(plan)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ConvolutionStep(0),
        lambda: ConvolutionStep(2, padding=-1),
        lambda: PoolingStep(2.5),
        lambda: DenseStep(10**6),
        lambda: DenseStep(2, "softplus"),
        lambda: NetworkPlan((), (1, 0, 3)),
    ],
)
def test_numbers_out_of_range_are_refused(make):
    with pytest.raises(InvalidInputError):
        make()


@pytest.mark.parametrize("names", [(), ("one",), ("a, b", 'say "x"', "back\\slash", "two  spaces", "é")])
def test_a_file_comes_back_as_the_plan_and_makes_the_same_network(tmp_path, names):
    plan = NetworkPlan((ConvolutionStep(2), DenseStep(max(len(names), 1), "none")), (1, 9, 8), names)
    path = write_plan(plan, tmp_path / "net.py")
    assert read_plan(path) == (plan, False)
    network = cnnvis.models.load(f"{path}:network")
    assert network.class_names == (names or None)
    assert [str(layer) for layer in network.module.children()] == [
        str(layer) for layer in planned_module(plan).children()
    ]
    assert network.image.size == (9, 8)


def test_the_file_needs_no_cnnvis_to_build_the_network(tmp_path):
    write_plan(DIGITS, tmp_path / "net.py")
    code = (
        "import sys; sys.modules['cnnvis'] = None; import net; print(sum(p.numel() for p in net.build().parameters()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(done.stdout) == sum(cost.parameters for cost in DIGITS.check().costs)


def test_ruff_leaves_the_file_as_it_is(tmp_path):
    many = NetworkPlan(DIGITS.steps, class_names=tuple(f"a rather long name {number}" for number in range(10)))
    plans = (DIGITS, many, NetworkPlan((DenseStep(2),), (4, 3, 3)))
    for number, plan in enumerate(plans):
        write_plan(plan, tmp_path / f"net{number}.py")
    command = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)


def test_an_input_of_other_maps_has_an_example(tmp_path):
    plan = NetworkPlan((DenseStep(2),), (4, 3, 3))
    network = cnnvis.models.load(f"{write_plan(plan, tmp_path / 'net.py')}:network")
    assert network.example[0].shape == (1, 4, 3, 3)
    assert planned_network(plan).image is None


class TestFilesOfOthers:
    def test_code_that_was_edited_is_not_lost(self, tmp_path):
        path = write_plan(DIGITS, tmp_path / "net.py")
        assert not is_edited(path)
        path.write_text(path.read_text().replace("nn.ReLU()", "nn.GELU()"))
        assert read_plan(path) == (DIGITS, True)
        with pytest.raises(InvalidInputError, match="edited since"):
            write_plan(DIGITS, path)
        assert "GELU" in path.read_text()
        write_plan(DIGITS, path, overwrite=True)
        assert path.read_text() == text_of(DIGITS)

    def test_other_code_is_not_lost_and_not_run(self, tmp_path):
        path = tmp_path / "other.py"
        path.write_text("raise SystemExit('was run')\n")
        with pytest.raises(FileFormatError, match="no plan of cnnvis"):
            read_plan(path)
        with pytest.raises(InvalidInputError, match="not written by cnnvis"):
            write_plan(DIGITS, path)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda text: text.replace('"kind": "dense"', '"kind": "deep"', 1), "no plan of a network"),
            (lambda text: text.replace('{"input"', '{"output"'), "no plan of a network"),
            (lambda text: text.replace('"units": 16', '"units": -1'), "whole number"),
            (lambda text: text[: len(text) // 3], "no Python that can be read"),
        ],
    )
    def test_a_damaged_plan_is_named(self, tmp_path, change, said):
        path = tmp_path / "net.py"
        path.write_text(change(text_of(DIGITS)))
        with pytest.raises(FileFormatError, match=said):
            read_plan(path)

    def test_files_that_are_not_there_or_no_python(self, tmp_path):
        with pytest.raises(MissingFileError):
            read_plan(tmp_path / "none.py")
        with pytest.raises(InvalidInputError, match=r"NAME\.py"):
            write_plan(DIGITS, tmp_path / "net.txt")


def test_the_same_network_is_made_each_time():
    one, other = (cnnvis.models.load(planned_network(DIGITS)) for _ in range(2))
    assert one.n_parameters == other.n_parameters
    assert np.array_equal([cost.shape for cost in DIGITS.check().costs[:2]], [(4, 28, 28), (4, 14, 14)])
