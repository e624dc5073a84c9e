"""The survey study, from pictures to page: planted twins are merged, odd channels named, verbs and page say so."""

import csv
import shutil
import textwrap
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import cnnvis
from cnnvis.cli import main
from cnnvis.core.errors import InvalidInputError, MissingFileError
from cnnvis.models import load
from cnnvis.models.folders import labelled_parts
from cnnvis.pruning import load_pruned
from cnnvis.studies import ChannelSurvey, channel_survey, survey_report
from cnnvis.studies.survey_report import findings

FACTORY = '''
import torch
from torch import nn

from cnnvis.models import ImageSpec, Network


def network():
    """Eight channels: 4 is channel 0 twice as strong, 5 is dead, and scores follow brightness left and right."""
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 6, 3)
    conv.weight.data[4] = 2 * conv.weight.data[0]
    conv.bias.data[4] = 2 * conv.bias.data[0]
    conv.weight.data[5] = 0
    conv.bias.data[5] = -1
    second = nn.Conv2d(6, 5, 3)
    module = nn.Sequential(conv, nn.ReLU(), second, nn.ReLU(), nn.Flatten(), nn.Linear(5 * 8 * 8, 2))
    return Network(module, name="small", image=ImageSpec((12, 12), colour="L"), class_names=("left", "right"))
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the network's file and 24 pictures of each of two classes."""
    folder = tmp_path_factory.mktemp("survey")
    (folder / "small.py").write_text(textwrap.dedent(FACTORY))
    random = np.random.default_rng(0)
    for name, half in (("left", slice(0, 6)), ("right", slice(6, 12))):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(24):
            image = random.integers(0, 120, (12, 12))
            image[:, half] += 120
            Image.fromarray(image.astype(np.uint8)).save(folder / "pictures" / name / f"{number:02d}.png")
    return folder


@pytest.fixture(scope="module")
def study(place):
    return ChannelSurvey(model=f"{place / 'small.py'}:network", data=place / "pictures", max_drop=1.0)


@pytest.fixture(scope="module")
def result(study, place):
    return channel_survey.run(study, place / "out", command="cnnvis survey")


def test_every_file_is_there_and_the_page_shows_it(result, place):
    names = {path.relative_to(place / "out").as_posix() for path in result.files}
    expected = {"survey.safetensors", "channels.csv", "grid.png", "groups_0.png", "counts_0.png", "alignment.png"}
    expected |= {"graph.png", "graphs.html", "views.html"}
    assert expected | {"merging.png", "merging.csv", "merged/network.pt2", "index.html"} <= names
    assert all(path.stat().st_size for path in result.files)
    assert not (place / "out" / "survey.checkpoint").exists()
    page = (place / "out" / "index.html").read_text(encoding="utf-8")
    for text in ("Odd channels", "dead", "Redundant channels, merged", "What was found", "cnnvis survey"):
        assert text in page
    assert page.count("<img") >= 6


def test_planted_twins_are_merged_and_the_smaller_network_runs(result, place):
    merging = result.merging
    confirmed = {(pair.layer, pair.first, pair.second) for pair in merging.redundancy.pairs if not pair.reason}
    assert ("0", 0, 4) in confirmed
    merged = {(merge.layer, merge.merged) for merge in merging.merged.merges}
    assert ("0", 5) in merged  # dead
    assert ("0", 0) in merged or ("0", 4) in merged
    smaller = load_pruned(place / "out" / "merged")
    with torch.no_grad():
        assert smaller.module(torch.zeros(1, 1, 12, 12)).shape == (1, 2)
    assert result.merging.curves["random"][0].shares[0] == 0


def test_what_was_found_is_said(result):
    said = "\n".join(findings(result))
    assert "% of 24 images were answered rightly" in said
    assert "layers they are further apart than those of shuffled images" in said
    assert f"{sum(odd.kind == 'dead' for odd in result.anomalies)} dead" in said
    assert "groups of like channels" in said
    assert "the maps bear out" in said


def test_the_page_has_figures_of_the_most_stable_layers_only(result, place, tmp_path, monkeypatch):
    steady = {"0": np.array([0.9, 0.1]), "2": np.array([0.9, 0.9])}
    groups = {
        name: replace(groups, labels=np.arange(groups.labels.size) % 2, stability=steady[name])
        for name, groups in result.groups.items()
        if name in steady
    }
    shutil.copytree(place / "out", tmp_path, dirs_exist_ok=True)
    files = {tmp_path / path.relative_to(place / "out"): content for path, content in result.files.items()}

    def captions(n_drawn):
        monkeypatch.setattr(survey_report, "N_DRAWN", n_drawn)
        survey_report.write_report(replace(result, groups=groups, files=files), tmp_path)
        page = (tmp_path / "index.html").read_text(encoding="utf-8")
        assert (f"Here are the {n_drawn} layers" in page) is (n_drawn < len(groups))
        return [name for name in groups if f"{name}: 2 groups." in page]

    assert captions(6) == ["0", "2"]
    assert captions(1) == ["2"]


def test_a_picture_of_an_earlier_run_in_the_folder_is_not_shown(result, place, tmp_path):
    shutil.copytree(place / "out", tmp_path, dirs_exist_ok=True)
    survey_report.write_report(replace(result, files={}), tmp_path)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "groups of like channels" in page
    assert "how much of this is chance" not in page
    assert "Accuracy on test images" not in page


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"alike": "map"}, "Unknown alike 'map'. Did you mean: maps"),
        ({"links": "powre"}, "Unknown weights 'powre'. Did you mean: power"),
        ({"exponent": 1001.0}, "exponent must be above 0 and at most 1000, got 1001"),
        ({"resolution": 0.0}, "resolution must be above 0"),
        ({"recent": True, "alike": "maps"}, "Leave --recent out"),
    ],
)
def test_a_rule_that_there_is_not_is_refused_before_anything_is_done(options, words):
    with pytest.raises(InvalidInputError) as refused:
        ChannelSurvey(**options)
    assert words in str(refused.value)


def test_the_verb_refuses_such_a_rule_before_the_network_is_read(tmp_path, capsys):
    words = ["survey", "--model", "no-such-network", "--out", str(tmp_path / "out"), "--recent", "--alike", "maps"]
    assert main(words) == 1
    assert "have averages only" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_fails_behind_the_survey_loses_neither_it_nor_the_page(study, place, tmp_path, monkeypatch):
    def failing(*_args, **_options):
        raise InvalidInputError("The channels cannot be followed. Name layers.")

    monkeypatch.setattr(channel_survey, "find_redundant", failing)
    found = channel_survey.run(study, tmp_path)
    assert found.merging is None
    assert "Nothing was merged. The channels cannot be followed." in "\n".join(findings(found))
    assert cnnvis.load(tmp_path / "survey.safetensors").n_images == 24
    assert "The channels cannot be followed" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_smaller_network_that_cannot_be_exported_is_said_and_the_curves_are_kept(study, tmp_path, monkeypatch):
    def failing(*_args):
        raise InvalidInputError("small cannot be exported. A long story.")

    monkeypatch.setattr(channel_survey, "save_smaller", failing)
    found = channel_survey.run(study, tmp_path)
    assert found.problem == "The smaller network was not written. small cannot be exported."
    assert (tmp_path / "merging.png").exists()
    assert (tmp_path / "index.html").exists()


def test_a_channel_of_nan_is_named_and_nothing_fails(place, tmp_path):
    text = FACTORY.replace("conv.bias.data[5] = -1", "conv.bias.data[5] = float('nan')")
    (tmp_path / "broken.py").write_text(textwrap.dedent(text))
    found = channel_survey.run(
        ChannelSurvey(model=f"{tmp_path / 'broken.py'}:network", data=place / "pictures", max_drop=1.0),
        tmp_path / "out",
    )
    kinds = {(odd.layer, odd.channel): str(odd.kind) for odd in found.anomalies}
    assert kinds["0", 5] == "missing"
    assert (tmp_path / "out" / "index.html").exists()


def test_a_network_without_class_scores_is_surveyed_and_that_is_said(place, tmp_path):
    text = """
        import torch
        from torch import nn
        from cnnvis.models import ImageSpec, Network

        def network():
            torch.manual_seed(0)
            module = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 3, padding=1))
            return Network(module, name="auto", image=ImageSpec((12, 12), colour="L"), class_names=("left", "right"))
    """
    (tmp_path / "auto.py").write_text(textwrap.dedent(text))
    study = ChannelSurvey(model=f"{tmp_path / 'auto.py'}:network", data=place / "pictures")
    found = channel_survey.run(study, tmp_path / "out")
    assert found.merging is None or found.merging.merged is None
    assert "or the network gives no class scores" in "\n".join(findings(found))
    assert (tmp_path / "out" / "index.html").exists()


def test_files_of_an_earlier_run_are_named_and_left(study, result, place, tmp_path):
    shutil.copytree(place / "out", tmp_path, dirs_exist_ok=True)
    found = channel_survey.run(replace(study, merge=False), tmp_path)
    assert "merged/network.pt2" in found.left_over
    assert "merging.png" in found.left_over
    assert (tmp_path / "merged" / "network.pt2").exists()
    assert "files of an earlier run" in "\n".join(findings(found))


def test_of_the_last_images_alone_it_is_said_of_how_many(study, tmp_path):
    found = channel_survey.run(replace(study, merge=False, recent=True, window=20), tmp_path)
    said = "\n".join(findings(found))
    assert "All of this is about the last 20 of 48 images" in said
    assert "% of the last 20 of 48 images were answered rightly" in said


def test_the_table_has_a_row_per_channel(result, place):
    with (place / "out" / "channels.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 + 5 + 2
    dead = rows[5]
    assert (dead["layer"], dead["channel"], dead["values_of"]) == ("0", "5", "1")
    assert dead["anomalies"] == "dead: 0 everywhere"
    assert rows[0]["group"] == rows[4]["group"] != dead["group"]
    assert len(rows[0]["top_images"].split("; ")) == 9


def test_the_survey_can_be_read_back_and_diagnosed(result, place):
    survey = cnnvis.load(place / "out" / "survey.safetensors")
    network = load(f"{place / 'small.py'}:network")
    found = cnnvis.diagnose(network, place / "pictures" / "left" / "01.png", survey, true="left")
    assert found.named(found.reference) == "left"
    assert set(found.whole) == {"0", "2"}


def test_pictures_without_classes_are_surveyed_and_nothing_is_merged(study, place, tmp_path):
    flat = tmp_path / "flat"
    shutil.copytree(place / "pictures" / "left", flat)
    (flat / "broken.png").write_text("x")
    found = channel_survey.run(ChannelSurvey(model=study.model, data=flat), tmp_path / "out")
    assert found.merging is None
    assert found.survey.n_skipped == 1
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "no labels" in page
    assert "broken.png" in page


def test_a_broken_picture_among_classes_is_skipped_counted_and_named(study, place, tmp_path):
    pictures = tmp_path / "pictures"
    shutil.copytree(place / "pictures", pictures)
    (pictures / "left" / "04.png").write_text("x")  # of the surveyed half
    (pictures / "right" / "05.png").write_text("x")  # of the half that tests
    found = channel_survey.run(ChannelSurvey(model=study.model, data=pictures, max_drop=1.0), tmp_path / "out")
    assert (found.survey.n_images, found.survey.n_skipped) == (23, 1)
    assert found.survey.skipped[0].name.endswith("04.png")
    assert found.merging.merged.merges
    assert "04.png" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_single_file_is_surveyed_and_is_on_the_page(study, place, tmp_path):
    single = place / "pictures" / "left" / "00.png"
    found = channel_survey.run(ChannelSurvey(model=study.model, data=single), tmp_path / "out")
    assert (found.survey.n_images, found.merging) == (1, None)
    assert "00.png" in (tmp_path / "out" / "views.html").read_text(encoding="utf-8")


def test_an_interrupted_survey_says_how_to_go_on_and_does(place, tmp_path, capsys, caplog, monkeypatch):
    """More pictures than one shard holds; interrupted in the fifth."""
    flat, out = tmp_path / "flat", tmp_path / "out"
    flat.mkdir()
    one = (place / "pictures" / "left" / "00.png").read_bytes()
    for number in range(1200):
        (flat / f"{number:04d}.png").write_bytes(one)
    words = ["survey", "--model", f"{place / 'small.py'}:network", "--out", str(out), "--data"]
    taken = channel_survey.survey

    def interrupted(*args, **options):
        def stop(done, _total):
            if done > 1100:
                raise KeyboardInterrupt

        return taken(*args, **{**options, "progress": stop})

    caplog.set_level("INFO")
    with monkeypatch.context() as patch:
        patch.setattr(channel_survey, "survey", interrupted)
        assert main([*words, str(flat)]) == 130
    assert "run it again to go on" in caplog.text
    assert main([*words, str(place / "pictures" / "left")]) == 1
    assert "different are: n_images" in capsys.readouterr().err
    assert main([*words, str(flat)]) == 0
    assert "from image 1024" in caplog.text
    assert cnnvis.load(out / "survey.safetensors").n_images == 1200
    assert not (out / "survey.checkpoint").exists()


def test_one_picture_has_no_groups_and_the_page_says_so(study, place, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    shutil.copy(place / "pictures" / "left" / "00.png", flat)
    found = channel_survey.run(ChannelSurvey(model=study.model, data=flat), tmp_path / "out")
    assert not found.groups
    assert "A single image" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_missing_folder_is_named(study, tmp_path):
    with pytest.raises(MissingFileError, match="nowhere"):
        channel_survey.run(ChannelSurvey(model=study.model, data=tmp_path / "nowhere"), tmp_path / "out")


# ----------------------------------------------------------------------------------------------------------- verbs


def test_the_verbs_say_what_they_found(place, tmp_path, capsys):
    model = f"{place / 'small.py'}:network"
    data = str(place / "pictures")
    out = tmp_path / "out"
    assert main(["survey", "--model", model, "--data", data, "--no-merge", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "groups of like channels" in said
    assert str(out / "index.html") in said
    picture = tmp_path / "diagnosis.png"
    words = ["diagnose", "3", "--model", model, "--data", data, "--survey", str(out / "survey.safetensors")]
    assert main([*words, "--out", str(picture)]) == 0
    said = capsys.readouterr().out
    assert "left" in said
    assert "one by one" in said
    assert Image.open(picture).size[0] == 1600
    own = ["diagnose", str(place / "pictures" / "left" / "00.png"), "--class", "left", *words[2:]]
    assert main([*own, "--out", str(picture)]) == 0
    assert capsys.readouterr().out.startswith("\n00.png: ")


def test_the_rule_of_groups_and_the_window_are_asked_for_by_the_verb(place, tmp_path, capsys):
    model, data, out = f"{place / 'small.py'}:network", str(place / "pictures"), tmp_path / "out"
    words = ["survey", "--model", model, "--data", data, "--no-merge", "--out", str(out), "--window", "20", "--recent"]
    assert main([*words, "--links", "exponential", "--algorithm", "louvain"]) == 0
    found = cnnvis.load(out / "survey.safetensors")
    assert (found.n_images, found.grouping.weights, found.grouping.algorithm) == (20, "exponential", "louvain")
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Louvain, links exp(20 r) of the correlation r of averages over images" in page
    assert main([*words[:-1], "--alike", "maps", "--exponent", "4"]) == 0
    found = cnnvis.load(out / "survey.safetensors")
    assert (found.n_images, found.grouping.alike, found["0"].spatial.shape) == (48, "maps", (6, 6))
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "links max(r, 0)^4 of the correlation r of maps over images and positions" in page
    assert "how stable groups are is known of averages only" in page
    assert "no evidence" not in page
    assert "how much of this is chance" not in page  # of the run before
    assert "stable" not in capsys.readouterr().out


def test_diagnose_finds_an_image_that_is_answered_wrongly(place, result, capsys):
    network = load(f"{place / 'small.py'}:network")
    testing = labelled_parts(network, place / "pictures").testing
    wrong = [
        name
        for name, image, label in zip(testing.names, testing.images, testing.labels, strict=True)
        if network.predict(image[None], k=1)[0].index != label
    ]
    words = ["--model", f"{place / 'small.py'}:network", "--data", str(place / "pictures")]
    assert main(["diagnose", *words, "--survey", str(place / "out" / "survey.safetensors")]) == 0
    said = capsys.readouterr().out
    assert wrong[0] in said
    assert "but it is" in said


def test_diagnose_says_what_is_wrong(place, tmp_path, capsys):
    model = f"{place / 'small.py'}:network"
    data = str(place / "pictures")
    assert main(["diagnose", "9999", "--model", model, "--data", data, "--quiet"]) == 1
    assert "test images 0 to 23" in capsys.readouterr().err
    assert main(["diagnose", str(place / "small.py"), "--model", model, "--data", data, "--quiet"]) == 1
    assert "not a picture" in capsys.readouterr().err
    np.save(tmp_path / "a.npy", np.zeros(3))
    words = ["diagnose", "0", "--model", model, "--data", data, "--survey", str(tmp_path / "a.npy"), "--quiet"]
    assert main(words) == 1
    assert "no survey" in capsys.readouterr().err
    assert main(["diagnose", "0", "--model", model, "--data", data, "--class", "up", "--quiet"]) == 1
    assert "up" in capsys.readouterr().err
