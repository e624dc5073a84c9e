"""Gradients of a class neuron for images of several classes: which cases, which files, and numbers that hold."""

import re
import sys
import textwrap
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from cnnvis import record
from cnnvis.cli import run as run_command
from cnnvis.cli.gradients import gradients
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, MissingFileError
from cnnvis.io import load
from cnnvis.models import load as load_network
from cnnvis.rendering import render
from cnnvis.studies import gradient_classes
from cnnvis.studies.gradient_cases import choose
from cnnvis.studies.gradient_results import GradientClasses, LabelledCases, PhotoCases

NETWORKS = """
    import torch
    from torch import nn
    from cnnvis.models import ImageSpec, Network

    NAMES = ("red", "green", "blue")

    def network(*layers, names=NAMES):
        return Network(nn.Sequential(*layers), name="colours", weights="random", class_names=names,
                       image=ImageSpec((8, 8), interpolation="nearest"))

    def averaging():
        convolution = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        with torch.no_grad():
            convolution.weight.zero_()
            for channel in range(3):
                convolution.weight[channel, channel, 1, 1] = 5.0
        return convolution

    def colours():  # each class by the mean of its own colour
        return network(averaging(), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def deeper():
        torch.manual_seed(0)
        return network(averaging(), nn.ReLU(), nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                       nn.Linear(6, 3))

    def blind():
        class Ones(nn.Module):
            def forward(self, x):
                return x * 0
        return network(averaging(), Ones(), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def maps():
        return network(averaging())

    def broken():
        convolution = averaging()
        nn.init.constant_(convolution.weight, float("nan"))
        return network(convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def flat():
        return network(nn.Flatten(), nn.Linear(192, 3))
"""

COLOURS = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}
SIZE = (320, 200)


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "networks.py"
    path.write_text(textwrap.dedent(NETWORKS))
    return path


def write(folder, name, colour, seed):
    """Write a noisy picture of one colour; noise of 20 never changes which colour is strongest."""
    noise = np.random.default_rng(seed).integers(0, 20, (8, 8, 3))
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray((noise + colour).astype(np.uint8)).save(folder / f"{name}.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four pictures of each class, two of them (b, d) for testing; b is right and d wrong, but for blue: both right."""
    folder = tmp_path_factory.mktemp("data")
    wrong = {"red": "green", "green": "red", "blue": "blue"}
    for number, name in enumerate(COLOURS):
        for letter, seed in zip("abcd", range(4), strict=True):
            colour = COLOURS[wrong[name] if letter == "d" else name]
            write(folder / name, f"{name}-{letter}", colour, 10 * number + seed)
    return folder


def row_of(page, name):
    """Return the cells behind a row's name in the first table that has such a row."""
    cells = re.search(rf'<th scope="row">{re.escape(name)}</th>(.*?)</tr>', page).group(1)
    return re.findall(r">([^<]*)</td>", cells)


def asked(networks, name, cases, **changes):
    return GradientClasses(model=f"{networks}:{name}", cases=cases, **({"size": SIZE} | changes))


def by_colour(folder, **changes):
    return LabelledCases(**({"data": folder, "reference": "red", "similar": "green", "dissimilar": "blue"} | changes))


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


def test_given_targets_are_those_of_every_photo(networks, folder):
    network = load_network(f"{networks}:colours")
    photos = tuple(folder / name / f"{name}-b.png" for name in ("red", "blue"))
    chosen = choose(network, PhotoCases(photos, targets=("blue", 1)))
    assert [case.target.name for case in chosen.cases] == ["blue", "green", "blue", "green"]


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


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cases", "changes", "error", "message"),
    [
        ("colours", {"reference": "purple"}, {}, InvalidInputError, "no class 'purple'.*red"),
        ("colours", {"reference": None}, {}, InvalidInputError, "Name the class whose neuron is under inspection"),
        ("colours", {"similar": "red"}, {}, InvalidInputError, "three classes, got red, red, blue"),
        ("colours", {"data": "mnits"}, {}, MissingFileError, "mnist"),
        ("colours", {"data": "mnist"}, {}, InvalidInputError, "takes inputs of shape"),
        ("colours", {}, {"layers": ("nowhere",)}, LayerNotFoundError, "'nowhere'"),
        ("colours", {}, {"layers": ("1",)}, InvalidInputError, "no filters"),
        ("colours", {}, {"of": "slope"}, InvalidInputError, "slope"),
        ("colours", {}, {"inputs": 3}, InvalidInputError, "have 3, from 0, got 3"),
        ("maps", {}, {}, InvalidInputError, "returns a tensor of shape.*class scores"),
        ("broken", {}, {}, InvalidInputError, "NaN or infinite"),
    ],
)
def test_bad_input_is_explained_before_anything_is_written(
    name, cases, changes, error, message, networks, folder, tmp_path
):
    out = tmp_path / "out"
    with pytest.raises(error, match=message):
        gradient_classes.run([asked(networks, name, by_colour(folder, **cases), **changes)], out)
    assert not out.exists()


def test_a_class_without_images_is_an_error(networks, folder, tmp_path):
    for name in ("red", "green"):
        for letter in "ab":
            write(tmp_path / name, letter, COLOURS[name], 1)
    network = load_network(f"{networks}:colours")
    with pytest.raises(InvalidInputError, match="no images of class blue"):
        choose(network, by_colour(tmp_path))
    with pytest.raises(InvalidInputError, match="too few classes"):
        choose(network, LabelledCases(tmp_path, reference="red"))


def test_without_a_class_that_is_known_by_default_one_must_be_named(networks, folder):
    network = load_network(f"{networks}:colours")
    with pytest.raises(InvalidInputError, match="such as by --class: red, green, blue"):
        choose(network, LabelledCases(folder))


def test_without_data_a_network_gets_the_images_of_its_own_classes():
    chosen = choose(load_network("mnist-mlp"), LabelledCases(reference="3"))
    assert chosen.cases[0].image.startswith("mnist test")
    assert {case.truth for case in chosen.cases} <= set("0123456789")
    assert chosen.cases[0].truth == "3"


@pytest.mark.parametrize(
    ("cases", "error", "message"),
    [
        (PhotoCases(()), InvalidInputError, "no photo"),
        (PhotoCases(("no-such-photo.jpg",)), InvalidInputError, "no-such-photo.jpg"),
        (PhotoCases(targets=("purple",)), InvalidInputError, "purple"),
        (PhotoCases(targets=(3,)), InvalidInputError, "3"),
    ],
)
def test_photos_and_targets_that_are_not_there(cases, error, message, networks):
    with pytest.raises(error, match=message):
        choose(load_network(f"{networks}:colours"), cases)


def test_nothing_to_do_is_an_error(tmp_path):
    with pytest.raises(InvalidInputError, match="one study at least"):
        gradient_classes.run([], tmp_path)


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
