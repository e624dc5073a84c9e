"""The script that trained the shipped VGG-16: what it leaves, the same each time, and after an interruption."""

import json
import runpy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from cnnvis.core.errors import CancelledError
from cnnvis.models import LabelledImages, labelled_images
from cnnvis.models.vgg import VGG
from cnnvis.training import accuracy, train_vgg16

TINY = {"width": 0.03, "epochs": 2}  # 2 to 15 channels
FILE = "networks/vgg16-fashion-0.03.safetensors"


@pytest.fixture(scope="module")
def parts():
    data = labelled_images("fashion-mnist", "selection")
    sizes = {"train": slice(0, 300), "selection": slice(300, 340), "test": slice(340, 380)}
    return {
        part: LabelledImages(data.images[few], data.labels[few], data.class_names, data.names[few])
        for part, few in sizes.items()
    }


@pytest.fixture
def script(parts, monkeypatch):
    """The script's function on few images; it asks for them as it would for all."""
    path = Path(__file__).parents[2] / "pipelines" / "train_vgg16.py"
    function = runpy.run_path(str(path))["train_vgg16"]
    monkeypatch.setitem(function.__globals__, "labelled_images", lambda name, part, folder: parts[part])
    return lambda out, **options: function(Path("fashion"), out=out, quiet=True, **(TINY | options))


def _stop_in_epoch(number):
    def stop(step, _total):
        if step == 3 * number - 1:  # the second of the epoch's three steps
            raise CancelledError

    return stop


def test_weights_and_card_are_left_behind(script, parts, tmp_path, capsys):
    script(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["manifest.json", "networks", Path(FILE).name]
    (card,) = json.loads((tmp_path / "manifest.json").read_text())["files"]
    assert (card["name"], card["licence"], card["threads"]) == (FILE, "MIT", torch.get_num_threads())
    assert (card["width"], card["epoch"], card["random_state"]) == (0.03, 2, 0)
    assert card["origin"] == "pipelines/train_vgg16.py --width 0.03 --epochs 2 --seed 0"
    assert card["trained_on"] == "fashion-mnist train, 300 images"
    state = load_file(tmp_path / FILE)
    assert {tensor.dtype for tensor in state.values()} == {torch.float16, torch.int64}  # int64 counts batches
    module = VGG(0.03).eval()
    module.load_state_dict(state)
    right = accuracy(module, parts["test"].pair)
    assert card["accuracy"]["fashion-mnist test, 40 images"] == pytest.approx(right)
    assert set(card["accuracy_float32"]) == set(card["accuracy"])
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in told] == [f"epoch {n}" for n in (0, 1, 2, "last", "last, float16")]


def test_a_seed_gives_its_weights(script, tmp_path):
    for folder, seed in (("one", 0), ("same", 0), ("other", 1)):
        script(tmp_path / folder, seed=seed)
    one, same, other = ((tmp_path / folder / FILE).read_bytes() for folder in ("one", "same", "other"))
    assert one == same != other


def test_an_interrupted_script_ends_with_the_same_weights(script, parts, tmp_path):
    script(tmp_path / "whole")
    cut = tmp_path / "cut"
    cut.mkdir()
    checkpoint = cut / "vgg16-fashion-0.03.checkpoint"
    with pytest.raises(CancelledError):
        train_vgg16(parts["train"], **TINY, checkpoint=checkpoint, progress=_stop_in_epoch(2))
    assert checkpoint.exists()
    script(cut)
    assert (cut / FILE).read_bytes() == (tmp_path / "whole" / FILE).read_bytes()
    assert not checkpoint.exists()


def test_the_recipe_learns_a_few_clothes(parts):
    network = train_vgg16(parts["train"], width=0.125, epochs=20)
    assert (network.name, network.weights) == ("VGG-16 at width 0.125, seed 0", "trained")
    assert not network.module.training
    assert accuracy(network.module, parts["train"].pair) > 0.5
