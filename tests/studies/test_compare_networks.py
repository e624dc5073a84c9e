"""The comparison of networks on small ones: its files, its numbers, its control, what it says, and bad input."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnvis.attribution import importance, permuted
from cnnvis.core import Compactness, EdgeSet, Units
from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.io import load
from cnnvis.layout import edge_compactness
from cnnvis.models import LabelledImages, Network, labelled_images
from cnnvis.models.datasets import CLASS_NAMES, GREY_28
from cnnvis.studies import CompareNetworks, compare_networks
from cnnvis.studies.compare_networks import draw, strongest_by_gap
from cnnvis.studies.compare_report import answers, side_by_side_caption
from cnnvis.studies.compare_results import BUNDLING, COMPACTNESS, PERCEPTRONS, CompareResult, Kind, MeasuredNetwork
from cnnvis.training import train_perceptron

FEW = {
    "method": "weight",
    "n_controls": 2,
    "share": 0.01,
    "size": (960, 320),
    "bundling": replace(BUNDLING, max_iterations=3),
}


def tiny(name, n_hidden=9, seed=0):
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, n_hidden), nn.ReLU(), nn.Linear(n_hidden, 10)).eval()
    return Network(module, name=name, weights="random", image=GREY_28, class_names=CLASS_NAMES["mnist"])


@pytest.fixture(scope="module")
def few_digits():
    """Networks of further seeds are trained on 300 digits."""
    digits = labelled_images("mnist", "train")
    part = LabelledImages(digits.images[:300], digits.labels[:300], digits.class_names, digits.names[:300])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare_networks, "train_perceptron", lambda **options: train_perceptron(part, **options))
        yield


@pytest.fixture(scope="module")
def seeds(few_digits, tmp_path_factory):
    out = tmp_path_factory.mktemp("seeds")
    stages = []
    study = CompareNetworks(n_seeds=2, **FEW)
    result = compare_networks.run(study, out, command="python x.py", on_stage=lambda name, _: stages.append(name))
    return result, out, stages


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    out = tmp_path_factory.mktemp("pair")
    result = compare_networks.run(CompareNetworks(models=(tiny("one"), tiny("two", seed=1)), **FEW), out)
    return result, out


def test_every_file_is_there_and_said(seeds):
    result, out, stages = seeds
    written = {path for path in out.iterdir() if path.is_file()}
    assert set(result.files) == written
    names = {path.name for path in written}
    assert names == {"networks.png", "compactness.png", "differences.png", "compactness.csv", "index.html"}
    assert {"networks", "importance: weight", "bundling and measuring", "accuracy", "report"} <= set(stages)
    assert len(list((out / "importance").iterdir())) == 6


def test_kinds_are_those_of_the_figure_and_the_first_seed_is_shipped(seeds):
    result = seeds[0]
    assert [kind.name for kind in result.kinds] == ["untrained", "trained", "trained + L1"]
    assert [kind.networks[0].name for kind in result.kinds] == list(PERCEPTRONS.values())
    assert [kind.networks[0].drawn is None for kind in result.kinds] == [False] * 3
    assert [kind.networks[1].drawn is None for kind in result.kinds] == [True] * 3
    trained = result.kinds[1].networks[0]
    assert trained.train_accuracy > trained.test_accuracy > 0.9
    assert result.kinds[0].networks[1].test_accuracy < 0.3


def test_networks_are_drawn_alike(seeds):
    result = seeds[0]
    drawn = [kind.networks[0].drawn for kind in result.kinds]
    for one in drawn[1:]:
        np.testing.assert_array_equal(one.layout.positions, drawn[0].layout.positions)
        assert len(one.edges) == len(drawn[0].edges) == sum(result.n_links)
    assert result.n_links == (round(0.01 * 784 * 81), round(0.01 * 81 * 49), round(0.01 * 49 * 10))
    assert result.n_total == 784 * 81 + 81 * 49 + 49 * 10


def test_the_picture_shows_both_networks_from_one_place(pair):
    picture = np.asarray(Image.open(pair[1] / "networks.png").convert("L")).astype(int)
    assert picture.shape == (320, 960)
    one, two = picture[:, :480], picture[:, 480:]
    for pane in (one, two):
        assert 0.03 < (pane < 128).mean() < 0.3
    name_of_layer = (slice(265, 290), slice(262, 325))  # "3 (10)", which stands below the last layer
    assert (one[name_of_layer] < 250).sum() > 50  # letters this small are mostly grey
    np.testing.assert_array_equal(one[name_of_layer], two[name_of_layer])
    assert not np.array_equal(one, two)


def test_the_control_is_the_network_with_permuted_importances(pair):
    result, out = pair
    one = result.kinds[0].networks[0]
    scores = load(out / "importance" / "one_0.safetensors")
    network = tiny("one")
    for seed, found in enumerate(one.controls):
        lines = draw(network, permuted(scores, random_state=seed), result.study).lines
        assert edge_compactness(lines, width=1).value == pytest.approx(found.value)
    lines = draw(network, scores, result.study).lines
    assert edge_compactness(lines, width=1).value == pytest.approx(one.compactness.value)
    assert one.controls[0].value != one.controls[1].value != one.compactness.value


def test_numbers_in_the_table_are_those_found(seeds):
    result, out, _ = seeds
    with (out / "compactness.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 2 * (1 + 2)
    for kind in result.kinds:
        for seed, one in enumerate(kind.networks):
            own = [row for row in rows if (row["kind"], row["seed"]) == (kind.name, str(seed))]
            assert [row["permutation"] for row in own] == ["", "0", "1"]
            assert [float(row["compactness"]) for row in own] == [
                found.value for found in (one.compactness, *one.controls)
            ]
            by_gap = [float(own[0][f"compactness[{gap}-{gap + 1}]"]) for gap in range(3)]
            assert np.exp(np.mean(np.log(by_gap))) == pytest.approx(one.compactness.value)
            assert float(own[0]["test_accuracy"]) == one.test_accuracy


def test_differences_are_paired_by_seed(seeds):
    result = seeds[0]
    found = result.comparisons["edge compactness"]
    values = {kind.name: kind.runs().values for kind in result.kinds}
    np.testing.assert_allclose(found["trained + L1 − trained"].differences, values["trained + L1"] - values["trained"])
    control = np.mean([[one.value for one in network.controls] for network in result.kinds[0].networks], axis=1)
    np.testing.assert_allclose(found["untrained − permuted"].differences, values["untrained"] - control)
    assert result.steps == ("trained − untrained", "trained + L1 − trained")


def test_the_page_says_compactness_and_never_more_in_captions(seeds):
    result, out, _ = seeds
    page = (out / "index.html").read_text(encoding="utf-8")
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page, flags=re.S)
    assert len(captions) >= 5
    assert not any("generali" in caption.lower() for caption in captions)
    assert "Edge compactness: untrained" in captions[0]
    assert f"{sum(result.n_links):,} of {result.n_total:,} links" in captions[0]
    assert "options of bundling were not fixed beforehand" in page
    assert "hubs 0, bandwidth 0.5, smoothing_iterations 12, class_separation 1" in page
    assert "python x.py" in page
    assert not re.search(r"(src|href)=[\"']https?:", page)


def found_with(*values):
    """Return a result whose kinds have these numbers of each seed."""
    gap = ((0, 1),)
    kinds = [
        Kind(
            name,
            tuple(
                MeasuredNetwork(name, "trained", Compactness(gap, [1.0], [value]), (), 0.9, 0.95) for value in numbers
            ),
        )
        for name, numbers in zip(PERCEPTRONS, values, strict=True)
    ]
    compared = compare_networks.compare_kinds(tuple(kinds), with_controls=False)
    return CompareResult(CompareNetworks(n_controls=0), tuple(kinds), compared, (10,), 100)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (([1.0, 1.1, 1.2], [2.0, 2.1, 2.2], [3.0, 3.2, 3.1]), "is borne out on these networks."),
        (
            ([3.0, 3.1, 3.2], [2.0, 2.1, 2.2], [4.0, 4.2, 4.1]),
            "is not borne out on these networks. The other way round is trained − untrained.",
        ),
        (([1.0, 1.1, 1.2], [2.0, 2.1, 2.2], [1.9, 2.2, 2.1]), "is not borne out on these networks."),
        (([1.0], [2.0], [3.0]), "cannot be told from chance."),
    ],
)
def test_the_claim_is_borne_out_only_where_both_steps_are_clear(values, verdict):
    assert next(answers(found_with(*values))).endswith(verdict)


def test_rank_correlations_with_accuracy_are_said():
    result = found_with([1.0, 1.1, 1.4], [2.0, 2.1, 2.4], [3.0, 3.2, 3.3])
    kinds = [
        replace(kind, networks=tuple(replace(one, test_accuracy=-one.compactness.value) for one in kind.networks))
        for kind in result.kinds
    ]
    said = list(answers(replace(result, kinds=tuple(kinds))))[-1]
    assert "over all 9 networks: with accuracy on held-out images −1.00, with the train-test gap +1.00" in said


@pytest.mark.parametrize("n_seeds", [1, 2])
def test_of_few_seeds_no_rank_correlation_is_said(n_seeds):
    said = list(answers(found_with(*([value + 0.1 * seed for seed in range(n_seeds)] for value in (1.0, 2.0, 3.0)))))
    assert said[-1] == f"Rank correlations with accuracy need at least 3 training seeds, here: {n_seeds}."


def test_kept_scores_are_taken_and_those_of_other_weights_are_not(pair, tmp_path, monkeypatch):
    study = pair[0].study
    (tmp_path / "importance").mkdir()
    for path in (pair[1] / "importance").iterdir():
        (tmp_path / "importance" / path.name).write_bytes(path.read_bytes())
    made = []
    original = compare_networks.importance
    monkeypatch.setattr(
        compare_networks,
        "importance",
        lambda network, *rest, **more: made.append(network) or original(network, *rest, **more),
    )
    again = compare_networks.run(study, tmp_path)
    assert not made
    assert again.kinds[0].networks[0].compactness.value == pair[0].kinds[0].networks[0].compactness.value
    compare_networks.run(replace(study, models=(tiny("one", seed=5), tiny("two", seed=1))), tmp_path)
    assert [network.name for network in made] == ["one"]


def test_two_networks_get_no_interval_and_no_gap(pair):
    result, out = pair
    assert [kind.name for kind in result.kinds] == ["one", "two"]
    assert not (out / "differences.png").exists()
    said = " ".join(answers(result))
    assert "two − one" in said
    assert "no interval" in said
    assert "nn_vis" not in said
    assert "RANDOM" not in side_by_side_caption(result)
    assert result.kinds[0].runs(COMPACTNESS).gap is None


def test_lines_are_bundled_and_their_number_is_left_to_the_network():
    """Options that only draw lines back to straight ones would make all networks alike."""
    network = tiny("one", n_hidden=25)
    scores = importance(network, method="weight")
    drawn = draw(network, scores, CompareNetworks(share=0.05))
    assert CompareNetworks().bundling.hubs == 0
    assert edge_compactness(drawn.lines, width=1).value > 1.4


def test_strongest_links_of_each_gap_by_hand():
    units = Units(("in", "mid", "out"), (2, 2, 2))
    edges = EdgeSet(
        source=[0, 0, 1, 1, 2, 2, 3, 3],
        target=[2, 3, 2, 3, 4, 5, 4, 5],
        weight=np.ones(8),
        units=units,
        importance=[0.1, 0.4, 0.3, 0.2, 90, 80, 70, 60],
    )
    assert strongest_by_gap(edges, 0.5).importance.tolist() == [0.4, 0.3, 90, 80]
    assert len(strongest_by_gap(edges, 0.01)) == 4  # at least two of each gap
    assert len(strongest_by_gap(edges, 1)) == 8
    assert strongest_by_gap(edges, 0.5).n_total == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"models": ("mnist-mlp",)}, "two networks or more"),
        ({"method": "gradiant"}, "Did you mean: gradient"),
        ({"n_seeds": 0}, "n_seeds must be at least 1"),
        ({"share": 0}, "share of the links"),
        ({"size": (10, 10)}, "64 to 8192 pixels"),
    ],
)
def test_what_cannot_be_compared_is_said_before_the_work(options, message):
    with pytest.raises(InvalidInputError, match=message):
        CompareNetworks(**options)


def test_networks_of_other_layers_and_of_one_name_are_refused(tmp_path):
    few = {**FEW, "n_controls": 0}
    with pytest.raises(InvalidInputError, match="Compare networks of the same layers"):
        compare_networks.run(CompareNetworks(models=(tiny("one"), tiny("two", n_hidden=12)), **few), tmp_path / "a")
    with pytest.raises(InvalidInputError, match="need a name each"):
        compare_networks.run(CompareNetworks(models=(tiny("one"), tiny("one")), **few), tmp_path / "b")


def test_it_stops_when_told_to(tmp_path):
    def stop(name, _):
        raise CancelledError(name)

    with pytest.raises(CancelledError):
        compare_networks.run(CompareNetworks(n_seeds=1, **FEW), tmp_path, on_stage=stop)
    assert not any(tmp_path.iterdir())
