"""A whole network as bundled links: what is built, which files are left, and what the report says."""

import re
import sys
import textwrap
from itertools import pairwise

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from cnnvis import load, save
from cnnvis.cli import run as run_command
from cnnvis.cli.bundle import bundle as bundle_command
from cnnvis.core import Importance
from cnnvis.core.errors import CancelledError, CnnvisError, InvalidInputError
from cnnvis.layout import BundleOptions
from cnnvis.models import load as load_network
from cnnvis.studies import bundled_network
from cnnvis.studies.bundle_results import BundleStudy, DrawingOptions
from cnnvis.studies.bundled_network import build, build_random

SIZE = (320, 200)
QUICK = DrawingOptions(bundling=BundleOptions(max_iterations=2))

NETWORKS = """
    import torch
    from torch import nn
    from cnnvis.models import ImageSpec, Network

    NAMES = ("cat", "dog", "owl in the wood")

    def network(*layers):
        torch.manual_seed(3)
        for layer in layers:
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
        return Network(nn.Sequential(*layers), name="tiny", weights="random", class_names=NAMES,
                       image=ImageSpec((4, 4), colour="L"))

    def dense():
        return network(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))

    def convolutional():
        return network(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 2), nn.Flatten(), nn.Linear(5, 3))
"""


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "networks.py"
    path.write_text(textwrap.dedent(NETWORKS))
    return path


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    """Importance by class of the dense network, as a file."""
    random = np.random.default_rng(0)
    per_class = {layer: random.random((size, 3)) for layer, size in (("0", 16), ("1", 8), ("3", 3))}
    found = Importance(
        {layer: values.mean(axis=1) for layer, values in per_class.items()},
        method="batchnorm",
        per_class=per_class,
        class_names=("cat", "dog", "owl in the wood"),
    )
    return save(found, tmp_path_factory.mktemp("scores") / "batchnorm.safetensors")


def asked(networks, name="dense", **changes):
    return BundleStudy(**({"model": f"{networks}:{name}", "options": QUICK, "size": SIZE, "film_frames": 3} | changes))


# -- one good run, looked at from all sides --------------------------------------------------------

FILES = {"all.png", "pair.png", "classes.png", "class_0_cat.png", "class_1_dog.png", "class_2_owl_in_the_wood.png"}
FILES |= {"turn.mp4", "view3d.html", "network.safetensors", "network.vtm", "network.glb", "scene.json", "bundles.csv"}
STEPS = {"stages.pvd", "stages.mp4"}
STEP_NAMES = ["unbundled", "units moved", "iteration 1", "iteration 2"]


@pytest.fixture(scope="module")
def done(networks, scores, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "new"
    stages, reached = [], []
    options = DrawingOptions(move_units=True, prune_percentage=0.25, bundling=BundleOptions(max_iterations=2))
    result = bundled_network.run(
        asked(networks, scores=scores, options=options, stages=True),
        out,
        command="cnnvis bundle -x",
        on_stage=lambda *told: stages.append(told),
        on_progress=lambda *told: reached.append(told),
    )
    return result, out, stages, reached


def test_exactly_the_stated_files_are_left(done):
    result, out, _, _ = done
    listed = {path.relative_to(out).as_posix() for path in result.files}
    assert listed == FILES | STEPS | {"index.html"}
    assert all((out / name).stat().st_size for name in listed)


def test_the_saved_network_is_the_one_that_was_drawn(done):
    result, out, _, _ = done
    saved, network = load(out / "network.safetensors"), result.network
    assert len(network.edges) == len(saved.lines) == 16 * 8 + 8 * 3 - (16 * 8 + 8 * 3) // 4
    np.testing.assert_array_equal(saved.lines.points, network.lines.points)
    np.testing.assert_array_equal(saved.layout.positions, network.layout.positions)
    assert saved.class_names == ("cat", "dog", "owl in the wood")
    assert saved.parameters["prune_percentage"] == 0.25
    assert saved.parameters["max_iterations"] == 2
    assert saved.parameters["importance"] == "batchnorm"
    assert saved.quality == network.quality


def test_the_steps_lead_from_straight_lines_to_the_network(done):
    result, out, _, _ = done
    steps = load(out / "stages.pvd")
    assert list(steps) == STEP_NAMES
    for name in ("unbundled", "units moved"):
        np.testing.assert_allclose(steps[name].points, steps[name].blended(0).points, atol=1e-6)
    np.testing.assert_array_equal(steps["iteration 2"].points, result.network.lines.points)
    ends = {name: steps[name].points[steps[name].offsets[1:] - 1] for name in STEP_NAMES}
    assert np.abs(ends["units moved"] - ends["unbundled"]).max() > 1e-3
    for before, after in pairwise(STEP_NAMES[1:]):
        assert np.abs(steps[after].points - steps[before].points).max() > 1e-3


def test_films_have_the_frames_asked_for(done):
    _, out, _, _ = done
    turn, steps = iio.imread(out / "turn.mp4"), iio.imread(out / "stages.mp4")
    assert turn.shape == (3, 120, 192, 3)
    assert len(steps) == len(STEP_NAMES)
    assert (turn[0] != turn[1]).any()


def test_pictures_are_not_blank_and_each_class_has_its_own(done):
    result, _, _, _ = done
    paths = [path for path in result.files if path.suffix == ".png"]
    pictures = {path.name: np.asarray(Image.open(path).convert("RGB")) for path in paths}
    for name, picture in pictures.items():
        assert (picture.min(axis=2) < 200).mean() > 0.005, name
    of_classes = [picture for name, picture in pictures.items() if name.startswith("class_")]
    assert len(of_classes) == 3
    assert len({picture.tobytes() for picture in [*of_classes, pictures["all.png"]]}) == 4
    assert pictures["all.png"].shape == (200, 320, 3)


def test_the_overview_of_classes_has_room_for_its_notes(done):
    """Three classes side by side, at a size of which a third would cut them."""
    _, out, _, _ = done
    assert Image.open(out / "classes.png").size == (3 * 320, 220)


def test_the_table_of_bundles_has_every_link_once(done):
    result, out, _, _ = done
    header, *rows = [line.split(",") for line in (out / "bundles.csv").read_text().splitlines()]
    links = [int(row[header.index("links")]) for row in rows]
    assert sum(links) == len(result.network.edges)
    weights = [float(row[header.index("weight")]) for row in rows]
    assert sum(weights) == pytest.approx(result.network.edges.weight.sum())


def test_the_report_says_what_was_drawn_and_what_it_cost(done):
    result, out, _, _ = done
    text = (out / "index.html").read_text(encoding="utf-8")
    quality = result.network.quality
    said = [result.network.edges.caption, "RANDOM WEIGHTS", "cnnvis bundle -x", "batchnorm, from batchnorm.safetensors"]
    said += [
        f"{quality.ink_after:,}",
        f"{quality.separation:.3f}",
        f"separate to {quality.separation:.2f}",
        f"{quality.ink_before:,}",
        f"{quality.length_ratio_mean:.3f}",
        f"{quality.ambiguity:.3f}",
    ]
    for words in said:
        assert words in text, words
    assert text.count("data:video/mp4;base64") == 2
    links = re.findall(r'(?:src|href)="([^"#][^"]*)"', text)
    assert all(link.startswith("data:") or (out / link).exists() for link in links)


def test_stages_are_told_with_how_far_they_are(done):
    result, _, stages, reached = done
    assert {"links", "bundle", "measure", "pictures", "turntable", "report"} <= {name for name, _ in stages}
    assert ("bundle", 2, 2) in reached
    assert ("turntable", 3, 3) in reached
    assert set(result.seconds) == {name for name, _ in stages}


# -- variants --------------------------------------------------------------------------------------


def test_without_classes_there_is_one_picture_and_the_report_says_why(networks, tmp_path):
    result = bundled_network.run(asked(networks, scores="weight", film_frames=0), tmp_path)
    found = {path.name for path in result.files}
    assert not any(name.startswith("class") for name in found)
    assert "turn.mp4" not in found
    assert "no classes" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_only_the_classes_asked_for_are_drawn(networks, scores, tmp_path):
    result = bundled_network.run(asked(networks, scores=scores, classes=("Dog", 0), film_frames=0), tmp_path)
    drawn = {path.name for path in result.files if path.name.startswith("class_")}
    assert drawn == {"class_1_dog.png", "class_0_cat.png"}


def test_a_convolutional_network_is_drawn_the_same_way(networks, tmp_path):
    result = bundled_network.run(asked(networks, "convolutional", film_frames=0), tmp_path)
    assert result.network.edges.units.sizes == (1, 4, 5, 3)
    assert len(result.network.edges) == 4 + 20 + 15
    assert result.origin == "weight"


def test_the_same_seed_gives_the_same_files(tmp_path):
    study = BundleStudy(layers=(6, 4, 3), options=QUICK, size=SIZE, film_frames=0, random_state=4)
    for name in "ab":
        bundled_network.run(study, tmp_path / name)
    for name in ("network.safetensors", "all.png", "bundles.csv", "scene.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


# -- build, without files --------------------------------------------------------------------------


def test_a_network_with_fewer_links_has_the_same_places(networks):
    network = load_network(f"{networks}:dense")
    every = build(network, options=QUICK)
    few = build(network, options=DrawingOptions(top_k=2))
    np.testing.assert_array_equal(every.layout.positions, few.layout.positions)
    assert len(few.edges) == 2
    assert few.edges.n_total == 16 * 8 + 8 * 3
    strongest = np.sort(every.edges.weight)[-2:]
    np.testing.assert_array_equal(np.sort(few.edges.weight), strongest)


def test_deep_networks_are_no_longer_than_six_layers_are_wide_unless_asked():
    deep, asked_for = (build_random((2,) * 21, DrawingOptions(layer_width=0.5, layer_distance=d)) for d in (None, 0.4))
    assert np.ptp(deep.layout.positions[:, 2]) == pytest.approx(6 * 0.5)
    assert np.ptp(deep.layout.slabs[:, :, 2]) == pytest.approx(6 * 0.5)
    assert np.ptp(asked_for.layout.positions[:, 2]) == pytest.approx(20 * 0.4)
    assert np.ptp(build_random((2, 2, 2)).layout.positions[:, 2]) == pytest.approx(1)


def test_moving_units_keeps_those_of_the_input(scores, networks):
    network = load_network(f"{networks}:dense")
    kept, moved = (
        build(network, load(scores), DrawingOptions(move_units=move, bundling=QUICK.bundling)) for move in (False, True)
    )
    np.testing.assert_array_equal(kept.layout.positions[:16], moved.layout.positions[:16])
    assert np.abs(kept.layout.positions[16:] - moved.layout.positions[16:]).max() > 1e-3


def test_units_stand_by_class_where_the_importance_has_any_else_on_the_raster(scores, networks):
    network = load_network(f"{networks}:dense")
    raster = DrawingOptions(arrangement="raster", bundling=QUICK.bundling)
    kept, by_class = (build(network, load(scores), options).layout for options in (raster, QUICK))
    np.testing.assert_array_equal(kept.positions[:16], by_class.positions[:16])
    assert np.abs(kept.positions[16:] - by_class.positions[16:]).max() > 1e-3
    without = build(network, options=QUICK)
    np.testing.assert_array_equal(without.layout.positions, kept.positions)
    assert without.quality.separation is None
    with pytest.raises(InvalidInputError, match="Unknown arrangement 'rooster'"):
        build(network, options=DrawingOptions(arrangement="rooster"))


def test_a_random_network_is_drawn_by_its_seed():
    first, again, other = (build_random((8, 5, 3), QUICK, random_state=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.lines.points, again.lines.points)
    assert not np.array_equal(first.edges.weight, other.edges.weight)
    assert first.provenance.model == "random network 8-5-3"
    assert len(build_random((8, 5, 3), DrawingOptions(top_k=10)).edges) == 10


def test_building_leaves_the_module_as_it_was(networks):
    network = load_network(f"{networks}:dense")
    before = {name: tensor.clone() for name, tensor in network.module.state_dict().items()}
    build(network, options=QUICK)
    assert not network.module.training
    for name, tensor in network.module.state_dict().items():
        assert tensor.equal(before[name])


# -- bad input -------------------------------------------------------------------------------------


def test_cancelling_leaves_nothing(networks, tmp_path):
    def stop(stage, done, total):
        if stage == "bundle" and done == 1:
            raise CancelledError("stopped")

    out = tmp_path / "out"
    with pytest.raises(CancelledError):
        bundled_network.run(asked(networks), out, on_progress=stop)
    assert not list(out.glob("**/*"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scores": "weight", "classes": ("cat",)}, "no classes"),
        ({"layers": (4, 3), "classes": ("7",)}, "0 to 2"),
        ({"layers": (4, 0)}, "at least 1"),
        ({"scores": "gradeint"}, "gradient"),
        ({"model": "mnist-mpl"}, "mnist-mlp"),
    ],
)
def test_bad_input_is_named_before_the_work(networks, tmp_path, changes, said):
    with pytest.raises(CnnvisError, match=said):
        bundled_network.run(asked(networks, **changes), tmp_path / "out")
    assert not list(tmp_path.glob("**/*.png"))


def test_wrong_sizes_are_refused():
    with pytest.raises(InvalidInputError, match="8192"):
        BundleStudy(size=(10, 10))
    with pytest.raises(InvalidInputError, match="film_frames"):
        BundleStudy(film_frames=-1)


# -- the command -----------------------------------------------------------------------------------


def test_the_command_draws_a_random_network(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["cnnvis", "bundle", "--random", "6,4,3"])
    arguments = ["--random", "6,4,3", "--iterations", "1", "--frames", "0", "--size", "320x200", "--out", str(tmp_path)]
    assert run_command(bundle_command, arguments) == 0
    shown = capsys.readouterr().out
    assert "edges 36 of 36, importance kept 100.0 %" in shown
    assert "index.html" in shown
    assert "cnnvis bundle --random 6,4,3" in (tmp_path / "index.html").read_text(encoding="utf-8")
