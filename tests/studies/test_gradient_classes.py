"""Gradients of a class neuron for images of several classes: which cases, which files, and numbers that hold."""

import re
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from gradient_samples import COLOURS, asked, by_colour, write, write_networks, write_pictures
from PIL import Image

from cnnvis import record
from cnnvis.cli import run as run_command
from cnnvis.cli.gradients import gradients
from cnnvis.io import load
from cnnvis.models import load as load_network
from cnnvis.rendering import render
from cnnvis.studies import gradient_classes
from cnnvis.studies.gradient_cases import choose
from cnnvis.studies.gradient_results import LabelledCases, PhotoCases


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    return write_networks(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("data"))


def row_of(page, name):
    """Return the cells behind a row's name in the first table that has such a row."""
    cells = re.search(rf'<th scope="row">{re.escape(name)}</th>(.*?)</tr>', page).group(1)
    return re.findall(r">([^<]*)</td>", cells)


# -- one good run, looked at from all sides --------------------------------------------------------


LAYER = {"gradients.pvd", "differences.pvd", "means.pvd", "volumes.png", "differences.png", "tiles.png"}
LAYER |= {"difference_tiles.png", "mean_tiles.png", "importance.png", "gradients.mp4", "differences.mp4"}
ONCE = {"cases.png", "scene.json", "view3d.html"}

LABELS = [
    "red, rightly classified",
    "green, rightly classified",
    "blue, rightly classified",
    "red, taken for green",
    "green, taken for red",
]


@pytest.fixture(scope="module")
def done(networks, folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "new"
    stages = []
    study = asked(networks, "colours", by_colour(folder))
    result = gradient_classes.run(
        [study], out, command="cnnvis gradients -x", on_stage=lambda *told: stages.append(told)
    )
    return result, out, stages


def test_the_first_right_and_the_first_wrong_image_of_each_class_are_chosen(done):
    result, _, _ = done
    cases = result.parts[0].cases
    assert [case.label for case in cases] == LABELS
    assert [case.image for case in cases] == ["red-b.png", "green-b.png", "blue-b.png", "red-d.png", "green-d.png"]
    assert [case.truth for case in cases] == ["red", "green", "blue", "red", "green"]
    assert {case.target.name for case in cases} == {"red"}
    assert {case.reference for case in cases} == {0}
    assert cases[3].predicted.name == "green"


def test_where_no_wrong_image_is_this_is_said(done):
    result, out, _ = done
    (sentence,) = result.parts[0].chosen.missing
    assert "blue" in sentence
    assert "wrongly" in sentence
    assert sentence in (out / "index.html").read_text(encoding="utf-8")


def test_exactly_the_stated_files_are_left(done):
    result, out, _ = done
    listed = {path.relative_to(out).as_posix() for path in result.files}
    assert listed == LAYER | ONCE | {"index.html"}
    assert all((out / name).stat().st_size for name in listed)


def test_gradients_are_those_worked_out_by_hand(done):
    """The logit is the mean of a filter's map, so d logit / d weight[class, i, centre] is the mean of input i."""
    result, _, _ = done
    gradient = result.parts[0].recording.weight_gradients["0"][0]
    image = result.parts[0].cases[0].inputs[0].numpy()
    np.testing.assert_allclose(gradient[0, :, 1, 1], image.mean(axis=(1, 2)), rtol=1e-5)
    assert not gradient[1:].any()


def test_series_hold_the_recording_and_its_differences(done):
    result, out, _ = done
    part = result.parts[0]
    gradients_ = part.recording.weight_gradients["0"]
    series, differences = load(out / "gradients.pvd"), load(out / "differences.pvd")
    assert list(series) == LABELS
    assert list(differences) == LABELS[1:]
    for gradient, label in zip(gradients_, LABELS, strict=True):
        np.testing.assert_array_equal(series[label].values, gradient.mean(axis=1))
    for label in LABELS[1:]:
        np.testing.assert_array_equal(differences[label].values, series[label].values - series[LABELS[0]].values)


def test_every_volume_says_its_class_and_how_well_it_was_checked(done):
    result, out, _ = done
    checks = result.parts[0].layers[0].checks
    assert list(checks) == LABELS
    for label, volume in load(out / "gradients.pvd").items():
        notes = dict(volume.provenance.notes)
        assert notes["target"] == "red (0)"
        assert notes["gradient of"] == "logit"
        assert notes["gradient check"] == str(checks[label])
        assert checks[label].n_checked + checks[label].n_excluded == 10
        assert checks[label].max_error < 1e-6
    text = (out / "index.html").read_text(encoding="utf-8")
    assert f"{checks[LABELS[0]].max_error:.1e}" in text


def test_means_are_over_the_other_images_of_each_class(done, networks, folder):
    _, out, _ = done
    network = load_network(f"{networks}:colours")
    means = load(out / "means.pvd")
    assert list(means) == [f"{name}, mean of 2 images" for name in COLOURS]
    for name, volume in zip(COLOURS, means.values(), strict=True):
        pictures = [folder / name / f"{name}-{letter}.png" for letter in "ac"]
        mean = record(network, pictures, "0", target="red").weight_gradients["0"]
        np.testing.assert_allclose(volume.values, mean.mean(axis=1), rtol=1e-6)


def test_importance_is_of_the_reference_class(done, networks, folder):
    result, _, _ = done
    network = load_network(f"{networks}:colours")
    pictures = [folder / "red" / f"red-{letter}.png" for letter in "ac"]
    each = record(network, pictures, "0", target="red", per_image=True).weight_gradients["0"]
    expected = np.linalg.norm(each.reshape(2, 3, -1), axis=2).mean(axis=0)
    np.testing.assert_allclose(result.parts[0].importance["0"], expected, rtol=1e-5)


def test_norms_and_cosines_of_the_page_are_those_of_the_recording(done):
    result, out, _ = done
    flat = result.parts[0].recording.weight_gradients["0"].reshape(len(LABELS), -1).astype(np.float64)
    text = (out / "index.html").read_text(encoding="utf-8")
    for case, row in zip(result.parts[0].cases, flat, strict=True):
        values = row_of(text, case.label)
        assert values[0] == case.image
        assert float(values[2]) == pytest.approx(case.target.probability, rel=5e-3)
        assert float(values[3]) == pytest.approx(np.linalg.norm(row), rel=1e-3)
        if case.label != LABELS[0]:
            cosine = row @ flat[0] / np.linalg.norm(row) / np.linalg.norm(flat[0])
            assert float(values[4].replace("−", "-")) == pytest.approx(cosine, abs=6e-4)


def test_films_have_a_frame_per_case(done):
    _, out, _ = done
    film = iio.imread(out / "gradients.mp4")
    assert film.shape == (5, 200, 320, 3)
    assert (film[0] != film[2]).any()
    assert len(iio.imread(out / "differences.mp4")) == 4


def test_pictures_are_not_blank(done):
    result, _, _ = done
    for path in result.files:
        if path.suffix == ".png":
            assert (np.asarray(Image.open(path).convert("L")) < 200).mean() > 0.005, path.name


def test_the_scene_renders_to_the_picture(done):
    _, out, _ = done
    scene = load(out / "scene.json")
    np.testing.assert_array_equal(render(scene), np.asarray(Image.open(out / "volumes.png").convert("RGB")))
    spans = {item.transfer.span for item in scene.volumes}
    assert len(spans) == 1


def test_the_report_says_what_was_done(done):
    _, out, _ = done
    text = (out / "index.html").read_text(encoding="utf-8")
    for said in ("RANDOM WEIGHTS", "the neuron red", "cnnvis gradients -x", "logit", "gradients.pvd", "mean over red"):
        assert said in text, said
    assert text.count("data:video/mp4;base64") == 2
    links = re.findall(r'(?:src|href)="([^"#][^"]*)"', text)
    assert all(link.startswith("data:") or (out / link).exists() for link in links)


def test_stages_are_told(done):
    result, _, stages = done
    assert {"load network", "choose cases", "gradients of the cases", "films", "report"} <= {name for name, _ in stages}
    assert result.total_seconds > 0


# -- variants --------------------------------------------------------------------------------------


def test_photos_under_several_class_neurons(networks, folder, tmp_path):
    photos = tuple(folder / name / f"{name}-b.png" for name in ("red", "blue"))
    study = asked(networks, "deeper", PhotoCases(photos), layers=("0", "2"), of="margin", inputs="norm")
    result = gradient_classes.run([study], tmp_path)
    cases = result.parts[0].cases
    assert len(cases) == 6
    assert [case.reference for case in cases] == [0, 0, 0, 3, 3, 3]
    assert [case.target.name for case in cases if "1st" in case.label] == [case.predicted.name for case in cases[::3]]
    for photo in (cases[:3], cases[3:]):
        assert np.all(np.diff([case.target.probability for case in photo]) <= 0)
    found = {path.relative_to(tmp_path).as_posix() for path in result.files}
    layer = {name for name in LAYER if "mean" not in name and name != "importance.png"}
    assert found == layer | {f"2/{name}" for name in layer} | ONCE | {"index.html"}
    assert len(load(tmp_path / "2" / "differences.pvd")) == 4


def test_photos_of_one_name_are_told_apart(networks, folder, tmp_path):
    write(tmp_path / "other", "red-b", COLOURS["blue"], 99)
    network = load_network(f"{networks}:colours")
    chosen = choose(network, PhotoCases((folder / "red" / "red-b.png", tmp_path / "other" / "red-b.png"), targets=(0,)))
    assert len({case.label for case in chosen.cases}) == 2


def test_similar_and_dissimilar_follow_from_the_probabilities(networks, folder, tmp_path):
    """Pictures of class blue are violet here, so they give red more probability than those of class green do."""
    for name in ("red", "green"):
        for letter in "ab":
            write(tmp_path / name, letter, COLOURS[name], 1)
    for letter in "ab":
        write(tmp_path / "blue", letter, (120, 20, 200), 2)
    network = load_network(f"{networks}:colours")
    chosen = choose(network, LabelledCases(tmp_path, reference="red"))
    assert list(chosen.by_class) == ["red", "blue", "green"]
    named = choose(network, LabelledCases(tmp_path, reference="red", similar="green"))
    assert list(named.by_class) == ["red", "green", "blue"]


def test_gradients_of_zeros_have_no_direction(networks, folder, tmp_path):
    result = gradient_classes.run([asked(networks, "blind", by_colour(folder))], tmp_path)
    layer = result.parts[0].layers[0]
    assert not layer.norms.any()
    assert np.isnan(layer.cosines).all()
    assert "NaN" not in re.sub(
        "data:[^\"']*", "", (tmp_path / "index.html").read_text(encoding="utf-8").split("<main>")[1].split("<script")[0]
    )


def test_several_studies_share_one_page(networks, folder, tmp_path):
    studies = [asked(networks, "colours", by_colour(folder), of=of) for of in ("logit", "loss")]
    result = gradient_classes.run(studies, tmp_path)
    assert [part.folder.name for part in result.parts] == ["1-colours", "2-colours"]
    assert [path.name for path in result.files].count("index.html") == 1


def test_the_same_seed_gives_the_same_files(networks, folder, tmp_path):
    for name in "ab":
        gradient_classes.run([asked(networks, "deeper", by_colour(folder), layers=("2",))], tmp_path / name)
    for name in ("gradients.pvd", "volumes.png", "tiles.png", "view3d.html", "scene.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    pieces = sorted((tmp_path / "a" / "gradients").iterdir())
    assert [piece.read_bytes() for piece in pieces] == [
        (tmp_path / "b" / "gradients" / piece.name).read_bytes() for piece in pieces
    ]


# -- command line ----------------------------------------------------------------------------------


def test_the_verb_does_it_and_says_what_it_did(networks, folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["cnnvis"])
    options = ["--model", f"{networks}:colours", "--data", str(folder), "--class", "red", "--out", str(tmp_path)]
    assert run_command(gradients, [*options, "--size", "320x200"]) == 0
    said = capsys.readouterr().out
    assert "red, taken for green (red-d.png): likeliest green" in said
    assert "classified wrongly" in said
    assert str(tmp_path / "index.html") in said


def test_a_layer_needs_its_network(capsys, tmp_path):
    assert run_command(gradients, ["--layer", "conv1", "--out", str(tmp_path / "out")]) == 1
    assert "--model" in capsys.readouterr().err
    assert not Path(tmp_path / "out").exists()
