"""The main job on tiny networks: which files it leaves, what they say, and what bad input gets."""

import csv
import json
import re
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from PIL import Image

from cnnvis.core.errors import CancelledError, InvalidInputError, LayerNotFoundError, NoSpatialMapsError, OutputError
from cnnvis.io import load
from cnnvis.models import load as load_network
from cnnvis.rendering import render
from cnnvis.studies import ActivationVolumes, activation_volumes
from cnnvis.studies.stages import Stages, timed

ROOT = Path(__file__).parents[2]
PHOTO = np.random.default_rng(0).integers(0, 255, (20, 24, 3), dtype=np.uint8)

NETWORKS = """
    import torch
    from torch import nn
    from cnnvis.models import ImageSpec, Network

    def network(*layers):
        return Network(nn.Sequential(*layers), image=ImageSpec((16, 16), mean=0.5, std=0.5), weights="random")

    def tiny():
        return network(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 6, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(216, 4))

    def one_channel():
        return network(nn.Conv2d(3, 1, 3), nn.Sigmoid())

    def one_pixel():
        return network(nn.Conv2d(3, 5, 16))

    def flat():
        return network(nn.Flatten(), nn.Linear(768, 4))

    class Logarithm(nn.Module):
        def forward(self, x):
            x = torch.log(x)  # NaN where x is negative
            x[:, 1] = float("nan")
            return x

    def holes():
        return network(nn.Conv2d(3, 6, 3), Logarithm(), nn.Conv2d(6, 5, 3))

    def constant():
        convolution = nn.Conv2d(3, 6, 3)
        nn.init.zeros_(convolution.weight)
        return network(convolution)
"""

EACH = {"activations.vti", "original.png", "comparison.png", "importance.png", "mosaic.png", "row_slices.png"}
EACH |= {"orders.csv"}
ONCE = {"scene.json", "view3d.html", "index.html"}


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "networks.py"
    path.write_text(textwrap.dedent(NETWORKS))
    return path


def study(networks, name, **changes):
    fields = {"orders": ("pca",), "size": (320, 200), "film_frames": 0, "image": PHOTO}
    return ActivationVolumes(model=f"{networks}:{name}", **(fields | changes))


def files(folder, *, data=False):
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found if data else {name for name in found if "s.data/" not in name and "scene.data/" not in name}


# -- one good run, looked at from all sides --------------------------------------------------------


@pytest.fixture(scope="module")
def done(networks, tmp_path_factory):
    photo = tmp_path_factory.mktemp("photo") / "my photo.png"
    Image.fromarray(PHOTO).save(photo)
    out = tmp_path_factory.mktemp("out") / "new" / "folder"
    stages = []
    settings = study(
        networks,
        "tiny",
        layers=("0", "2"),
        orders=("kmeans", "pca"),
        film_frames=2,
        n_groups=3,
        image=photo,
        command="cnnvis volume --model tiny",
    )
    result = activation_volumes.run(settings, out, on_stage=lambda name, seconds: stages.append((name, seconds)))
    return result, out, stages


def test_exactly_the_stated_files_are_left(done):
    result, out, _ = done
    layer = EACH | {"kmeans.vti", "kmeans.png", "pca.vti", "pca.png", "filters.png"}
    expected = layer | {f"2/{name}" for name in layer} | ONCE | {"turntable.mp4", "layers.vtm"}
    assert files(out) - {name for name in files(out) if name.startswith("layers/")} == expected
    listed = {path.relative_to(out).as_posix() for path in result.files}
    assert listed == expected
    assert all(result.files.values())


def test_pictures_have_their_size_and_are_not_blank(done):
    _, out, _ = done
    sizes = {"kmeans": (320, 200), "original": (320, 200), "importance": (320, 200), "comparison": (384, 144)}
    for name, size in sizes.items():
        for folder in (out, out / "2"):
            picture = Image.open(folder / f"{name}.png")
            assert picture.size == size
            assert (np.asarray(picture.convert("L")) < 200).mean() > 0.005
    film = iio.imread(out / "turntable.mp4")
    assert film.shape == (2, 80, 128, 3)
    assert (film[0] != film[1]).any()


def test_volumes_hold_what_was_recorded(done):
    result, out, _ = done
    for layer, folder in zip(result.layers, (out, out / "2"), strict=True):
        maps = result.recording[layer.layer].activations[0]
        original = load(folder / "activations.vti")
        np.testing.assert_array_equal(original.values, maps)
        for method in ("kmeans", "pca"):
            volume = load(folder / f"{method}.vti")
            np.testing.assert_array_equal(volume.values, maps[volume.channels])
            np.testing.assert_array_equal(volume.channels, layer.orderings[method].permutation)
            assert volume.provenance.weights == "random"
            assert volume.provenance.inputs == ("my photo.png",)
    with (out / "orders.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 8
    assert list(load(out / "layers.vtm")) == ["0", "2"]


def test_the_scene_renders_to_the_comparison(done):
    _, out, _ = done
    picture = np.asarray(Image.open(out / "comparison.png").convert("RGB"))
    np.testing.assert_array_equal(render(load(out / "scene.json"), size=(384, 144)), picture)


def test_the_report_is_one_file_that_says_everything(done):
    result, out, _ = done
    text = (out / "index.html").read_text(encoding="utf-8")
    assert "RANDOM WEIGHTS" in text
    for said in ("my photo.png", "k-means", "PCA", "Layer 0", "Layer 2", "cnnvis volume --model tiny", "turntable.mp4"):
        assert said in text, said
    assert text.count("data:image/png;base64") >= 12
    assert "data:video/mp4;base64" in text
    links = re.findall(r'(?:src|href)="([^"#][^"]*)"', text)
    assert all(link.startswith("data:") or (out / link).exists() for link in links)
    assert len(result.predictions) == 4


def test_random_weights_are_said_on_the_pictures(done):
    result, _, _ = done
    assert all("RANDOM WEIGHTS" in volume.provenance.caption for volume in result.layers[0].volumes.values())


def test_stages_are_told_once_each(done):
    result, _, stages = done
    names = [name for name, _ in stages]
    assert len(names) == len(set(names))
    assert dict(stages) == dict(result.seconds)
    assert {"load network", "record", "order", "save volumes", "draw volumes", "film", "report"} <= set(names)
    assert result.total_seconds > 0


# -- variants --------------------------------------------------------------------------------------


def test_values_after_the_activation(networks, tmp_path):
    result = activation_volumes.run(study(networks, "tiny", after_activation=True), tmp_path)
    assert [layer.layer for layer in result.layers] == ["1"]
    assert result.layers[0].maps.activations.min() >= 0
    assert files(tmp_path) == EACH | ONCE | {"pca.vti", "pca.png"}  # no film, no filters of an activation


@pytest.mark.parametrize(
    ("name", "channels", "orders"),
    [
        ("one_channel", 1, ("pca", "kmeans", "leaf")),
        ("one_pixel", 5, ("importance",)),
        ("constant", 6, ("pca",)),
    ],
)
def test_odd_layers_go_through_to_the_end(name, channels, orders, networks, tmp_path):
    result = activation_volumes.run(study(networks, name, orders=orders), tmp_path)
    layer = result.layers[0]
    assert layer.maps.n_channels == channels
    assert {f"{order}.png" for order in orders} <= files(tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert ("dead, or missing throughout" in text) == (name == "constant")
    for order in orders:
        assert (np.asarray(Image.open(tmp_path / f"{order}.png").convert("L")) < 200).mean() > 0.005


def test_missing_values_are_counted_shown_and_never_blank(networks, tmp_path):
    orders = ("kmeans", "pca", "leaf", "importance")
    result = activation_volumes.run(study(networks, "holes", layers=("1",), orders=orders), tmp_path)
    missing = result.layers[0].maps.n_missing
    assert missing > 14 * 14
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f"{missing} values are NaN or infinite" in text
    for name in orders:
        picture = np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB")).astype(int)
        assert (np.abs(picture - [255, 0, 255]).max(axis=2) < 60).sum() > 20, name
    volume = load(tmp_path / "activations.vti")
    assert volume.n_missing == missing


def test_nothing_but_missing_values(networks, tmp_path):
    result = activation_volumes.run(study(networks, "holes", layers=("2",)), tmp_path)
    assert result.layers[0].maps.n_missing == result.layers[0].maps.activations.size
    assert (tmp_path / "index.html").exists()


def test_orders_by_importance_put_the_strongest_first(networks, tmp_path):
    result = activation_volumes.run(study(networks, "tiny", orders=("importance",)), tmp_path)
    layer = result.layers[0]
    scores = layer.importance[layer.layer][layer.orderings["importance"].permutation]
    assert (np.diff(scores) <= 0).all() or (np.diff(scores) >= 0).all()


def test_the_same_seed_gives_the_same_files(networks, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for out in (first, second):
        activation_volumes.run(study(networks, "tiny", orders=("kmeans",), random_state=3), out)
    for name in ("kmeans.png", "kmeans.vti", "orders.csv", "view3d.html", "comparison.png"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes", "error", "message"),
    [
        ("flat", {}, NoSpatialMapsError, "no convolution"),
        ("tiny", {"layers": ("5",)}, NoSpatialMapsError, "'5'"),
        ("tiny", {"layers": ("conv",)}, LayerNotFoundError, "'conv'"),
        ("tiny", {"n_groups": 99, "orders": ("kmeans",)}, InvalidInputError, "99"),
        ("one_pixel", {}, InvalidInputError, "at least two values per channel"),
        ("tiny", {"image": "no-such-photo.jpg"}, Exception, "no-such-photo.jpg"),
    ],
)
def test_bad_input_is_explained_before_anything_is_written(name, changes, error, message, networks, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(error, match=message):
        activation_volumes.run(study(networks, name, **changes), out)
    assert not out.exists()


def test_unknown_orders_list_near_ones():
    with pytest.raises(InvalidInputError, match=r"'kmean'\. Did you mean: kmeans, .*Allowed: .*pca"):
        ActivationVolumes(orders=("kmean",))


@pytest.mark.parametrize("size", [(40, 300), (300, 20), (40000, 300)])
def test_sizes_that_no_picture_can_have_are_refused_at_once(size):
    with pytest.raises(InvalidInputError, match=f"got {size[0]} x {size[1]}"):
        ActivationVolumes(size=size)


def test_a_folder_that_cannot_be_is_an_output_error(networks, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="file"):
        activation_volumes.run(study(networks, "tiny"), tmp_path / "file" / "out")
    assert (tmp_path / "file").read_text() == "mine"


def test_stopping_leaves_what_is_whole(networks, tmp_path):
    def stop(name, _):
        if name == "save volumes":
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        activation_volumes.run(study(networks, "tiny"), tmp_path, on_stage=stop)
    assert "index.html" not in files(tmp_path)
    assert not [name for name in files(tmp_path) if name.endswith(".tmp")]
    assert load(tmp_path / "pca.vti").shape == (8, 14, 14)


def test_the_network_is_as_it_was(networks, tmp_path):
    network = load_network(f"{networks}:tiny")
    before = {name: tensor.clone() for name, tensor in network.module.state_dict().items()}
    settings = replace(study(networks, "tiny"), model=network, size=(160, 100))
    activation_volumes.run(settings, tmp_path)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.module.state_dict().items())
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in network.module.modules())


# -- stages ----------------------------------------------------------------------------------------


def test_stages_add_up_and_failed_ones_are_not_told():
    told = []
    stages = Stages(lambda name, seconds: told.append(name))
    for _ in range(2):
        with stages("twice"):
            pass
    with pytest.raises(ZeroDivisionError), stages("fails"):
        1 / 0  # noqa: B018
    result, seconds = timed(lambda x, *, y: x + y, 1, y=2)
    stages.add("once", seconds)
    assert (result, stages.seconds["once"]) == (3, seconds)
    assert told == ["twice", "twice", "once"]
    assert set(stages.seconds) == {"twice", "once"}


# -- command line ----------------------------------------------------------------------------------


def script(*arguments, cwd):
    command = [sys.executable, str(ROOT / "pipelines" / "conv1_volume.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd, check=False)


def test_the_pipeline_explains_its_options(tmp_path):
    done = script("--help", cwd=tmp_path)
    assert done.returncode == 0
    for option in ("--model", "--layer", "--image", "--order", "--size", "--out", "--seed", "--frames", "--post"):
        assert option in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_pipeline_runs_from_anywhere(networks, tmp_path):
    photo = tmp_path / "photo.png"
    Image.fromarray(PHOTO).save(photo)
    done = script(
        *("--model", f"{networks}:tiny", "--image", str(photo), "--order", "pca", "--frames", "0"),
        *("--size", "320x200", "--out", "here"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "draw volumes" in done.stderr
    assert "index.html" in done.stdout
    assert {"pca.png", "index.html"} <= files(tmp_path / "here")
    assert json.loads((tmp_path / "here" / "scene.json").read_text())["format"] == "cnnvis-scene"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--order", "kmean"), 1, "Did you mean: kmeans"),
        (("--model", "no-such-network"), 1, "no-such-network"),
        (("--size", "big"), 2, "WIDTHxHEIGHT"),
        (("--fog", "1"), 2, "--fog"),
    ],
)
def test_the_pipelines_errors_are_one_line(arguments, code, message, tmp_path):
    done = script(*arguments, cwd=tmp_path)
    assert done.returncode == code
    error = done.stderr.strip().splitlines()[-1]
    assert error.startswith("conv1_volume.py: error: ")
    assert message in error
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
