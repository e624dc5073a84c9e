"""The study of importance curves on small inputs: its files, its numbers, its controls, and what bad input gets."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from cnnvis.core import CurveComparison
from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.io import load
from cnnvis.pruning import prune_curve
from cnnvis.studies import ImportanceCurves, importance_curves
from cnnvis.studies.curve_report import answers, verdicts

METHODS = ("weight", "gradient", "batchnorm")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    study = ImportanceCurves(methods=METHODS, n_networks=2, n_random=2, n_points=5, n_images=500, steps=10)
    out = tmp_path_factory.mktemp("curves")
    stages, told = [], []
    result = importance_curves.run(
        [study],
        out,
        command="python x.py",
        on_stage=lambda name, _: stages.append(name),
        on_progress=lambda *call: told.append(call),
    )
    return result, out, stages, told


def test_every_file_is_there_and_said(done):
    result, out, stages, _ = done
    written = {path for path in out.rglob("*") if path.is_file()}
    assert set(result.files) == written
    names = {path.name for path in written}
    for setting in ("units", "units_by_layer", "links", "links_by_layer", "all_units"):
        assert {f"curves_{setting}.csv", f"curves_{setting}.png", f"loss_{setting}.png"} <= names
    assert {"index.html", "agreement.png", "importance_grid.png", "classes_units.png", "classes_links.png"} <= names
    assert {"networks", "curves", "checks", "report", "importance: batchnorm"} <= set(stages)


def test_long_stages_say_how_far_they_are(done):
    ends = {name: (done, total) for name, done, total in done[3]}
    assert {"importance: gradient", "importance: batchnorm", "curves", "curves by class", "checks"} <= set(ends)
    assert all(reached == total for reached, total in ends.values())
    assert all(count <= total for _, count, total in done[3])


def test_curves_are_those_of_the_networks_and_saved_whole(done):
    result, out, *_ = done
    part = result.parts[0]
    first = part.networks[0]
    testing = (part.testing.images, part.testing.labels)
    again = prune_curve(first.network, testing, first.scores["gradient"], shares=np.linspace(0, 1, 5))
    np.testing.assert_array_equal(first.curves["units"]["gradient"][0].accuracy, again.accuracy)
    saved = load(out / "curves_units.csv")
    assert {name: len(runs) for name, runs in saved.items()} == {
        **dict.fromkeys(METHODS, 2),
        **{f"{name} reversed": 2 for name in METHODS},
        "random": 4,
    }
    np.testing.assert_allclose(saved["gradient"][0].accuracy, again.accuracy)


def test_networks_come_from_different_seeds_and_the_first_is_the_shipped_one(done):
    part = done[0].parts[0]
    names = [one.network.name for one in part.networks]
    assert names == ["mnist-mlp", "perceptron, seed 1"]
    weights = [one.network.module.fc1.weight for one in part.networks]
    assert not torch.equal(*weights)


def test_comparisons_name_the_controls_and_links_have_no_random_opponent(done):
    part = done[0].parts[0]
    units, links = part.comparisons["units"], part.comparisons["links"]
    assert {"gradient − random", "gradient − its reverse", "gradient − weight", "weight − random"} <= set(units)
    assert "weight − weight" not in units
    assert not any(name.endswith("random") for name in links)
    one = units["gradient − random"]
    by_hand = [
        network.curves["units"]["gradient"][0].area - np.mean([c.area for c in network.curves["units"]["random"]])
        for network in part.networks
    ]
    np.testing.assert_allclose(one.differences, by_hand)
    assert sum("gradient against random" in sentence for sentence in verdicts(part)) == 1


def comparison(*differences):
    spread = 0.01
    mean = sum(differences) / len(differences)
    return CurveComparison(np.array(differences), (mean - spread, mean + spread), measure="area")


def test_the_answer_names_who_beats_random_orders(done):
    units = {
        "weight − random": comparison(0.2, 0.3),
        "taylor − random": comparison(-0.2, -0.3),
        "gradient − random": comparison(0.001, -0.001),
        "ablation − random": comparison(0.1, 0.3),
        "weight − its reverse": comparison(0.2, 0.3),
    }
    part = replace(done[0].parts[0], comparisons={"units": units, "units_by_layer": {}})
    answer = next(answers(part))
    assert answer.endswith(": weight and ablation are better; taylor is worse; gradient is not told apart.")
    alone = replace(part, networks=part.networks[:1])
    assert "a single network" in next(answers(alone))


def test_links_by_weight_are_weight_alone(done):
    part = done[0].parts[0]
    first = part.networks[0]
    again = prune_curve(
        first.network, part.testing.pair, "weight", kind="links", shares=np.linspace(0, 1, 5), random_state=0
    )
    np.testing.assert_array_equal(first.curves["links"]["weight"][0].accuracy, again.accuracy)
    assert not np.array_equal(
        prune_curve(
            first.network, part.testing.pair, first.scores["weight"], kind="links", shares=np.linspace(0, 1, 5)
        ).accuracy,
        again.accuracy,
    )


def test_inputs_and_outputs_are_only_in_the_setting_that_says_so(done):
    part = done[0].parts[0]
    assert part.networks[0].curves["units"]["random"][0].n_total == 81 + 49
    assert part.networks[0].curves["all_units"]["random"][0].n_total == 784 + 81 + 49 + 10


def test_the_page_says_what_was_measured(done):
    result, out, *_ = done
    page = (out / "index.html").read_text(encoding="utf-8")
    part = result.parts[0]
    assert not re.search(r"(src|href)=[\"']https?:", page)
    areas = [curve.area for curve in part.gathered("units")["gradient"]]
    assert f"{np.mean(areas):.3f} ± {np.std(areas, ddof=1):.3f}" in page
    assert "hardly tell units apart" in page  # ten steps: the warning stands on the page
    assert "python x.py" in page
    assert "Weight-randomisation check" in page


def test_scores_of_the_first_network_are_tables(done):
    _, out, *_ = done
    with (out / "importance_gradient.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["layer"] for row in rows} >= {"fc1", "fc2"}


def test_one_network_gets_no_interval_and_few_images_are_of_all_classes(tmp_path):
    study = ImportanceCurves(model="mnist-mlp-l1", methods=("weight",), n_random=1, n_points=3, n_images=100)
    result = importance_curves.run([study], tmp_path)
    testing = result.parts[0].testing
    assert len(testing.labels) == len(set(testing.names)) == 100
    assert len(testing.labels.unique()) == 10
    assert len(result.parts[0].networks) == 1
    assert not (tmp_path / "differences_units.png").exists()
    assert all("no interval" in sentence for sentence in verdicts(result.parts[0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ("weigth",)}, "Did you mean: weight"),
        ({"methods": ()}, "at least one method"),
        ({"n_points": 2}, "n_points must be at least 3"),
        ({"n_random": 0}, "n_random must be at least 1"),
    ],
)
def test_what_cannot_be_studied_is_said_before_the_work(options, message):
    with pytest.raises(InvalidInputError, match=message):
        ImportanceCurves(**options)


def test_a_network_of_other_classes_is_refused(tmp_path):
    study = ImportanceCurves(model="efficientnet-lite0", methods=("weight",))
    with pytest.raises(InvalidInputError, match="name a folder of labelled images"):
        importance_curves.run([study], tmp_path)
    assert not any(tmp_path.iterdir())


def test_it_stops_when_told_to(tmp_path):
    def stop(name, _):
        raise CancelledError(name)

    with pytest.raises(CancelledError):
        importance_curves.run([ImportanceCurves(n_networks=1)], tmp_path, on_stage=stop)
    assert not any(tmp_path.iterdir())
