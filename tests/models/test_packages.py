"""torchvision and timm, played by modules with the same functions: neither is needed to test how they are used."""

import enum
import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch
from torch import nn

from cnnvis.core.errors import MissingDependencyError, ModelNotFoundError
from cnnvis.models import Fit, imagenet_classes, load


def make_net(n_classes=1000):
    return nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, n_classes))


def resnet18(*, weights=None, progress=True, **kwargs):
    assert weights is None
    assert not kwargs
    return make_net()


def fcn_resnet50(*, weights=None, progress=True, num_classes=None, weights_backbone="IMAGENET1K_V1"):
    assert weights is weights_backbone is None, "this would download"
    return nn.Conv2d(3, 21, 1)


class Interpolation(enum.Enum):
    """As torchvision.transforms.InterpolationMode."""

    BILINEAR = "bilinear"


PRESET = SimpleNamespace(
    crop_size=[224],
    resize_size=[232],
    mean=[0.485, 0.456, 0.406],
    std=[0.229, 0.224, 0.225],
    interpolation=Interpolation.BILINEAR,
)


@pytest.fixture
def torchvision(monkeypatch):
    """Install what cnnvis uses of torchvision.models, with its signatures."""
    builders = {"resnet18": resnet18, "fcn_resnet50": fcn_resnet50}
    models = ModuleType("torchvision.models")
    models.get_model_builder = builders.__getitem__
    models.list_models = lambda module=None, include=None, exclude=None: (
        ["resnet18"] if module is models else sorted(builders)
    )
    models.get_model = lambda name, **config: builders[name](**config)
    models.get_model_weights = lambda name: SimpleNamespace(DEFAULT=SimpleNamespace(transforms=lambda: PRESET))
    package = ModuleType("torchvision")
    package.models = models
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.models", models)


@pytest.fixture
def timm(monkeypatch):
    """Install what cnnvis uses of timm, with its signatures."""
    config = {
        "input_size": (3, 240, 256),
        "interpolation": "bicubic",
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "crop_pct": 0.9,
        "crop_mode": "squash",
    }

    def create_model(name, pretrained=False, **kwargs):
        assert pretrained is False, "this would download"
        module = make_net(1000 if name == "resnet18.a1_in1k" else 12)
        module.num_classes = module[-1].out_features
        module.pretrained_cfg = config
        return module

    package, data = ModuleType("timm"), ModuleType("timm.data")
    package.create_model = create_model
    package.list_models = lambda *args, **kwargs: ["resnet18", "resnet50", "vit_base"]
    package.is_model = lambda name: name.split(".")[0] in package.list_models()
    data.resolve_model_data_config = lambda model, **kwargs: dict(model.pretrained_cfg)
    package.data = data
    monkeypatch.setitem(sys.modules, "timm", package)
    monkeypatch.setitem(sys.modules, "timm.data", data)


def test_torchvision_gives_random_weights_and_its_own_preprocessing(torchvision):
    network = load("torchvision:resnet18")
    assert (network.name, network.weights) == ("torchvision:resnet18", "random")
    assert network.image.size == (224, 224)
    assert network.image.crop == pytest.approx(224 / 232)
    assert network.image.interpolation == "bilinear"
    assert network.image.mean == tuple(PRESET.mean)
    assert not network.image.assumed
    assert network.class_names == imagenet_classes()
    assert network.predict("coffee", k=1)


def test_a_torchvision_network_that_classifies_nothing_downloads_no_backbone(torchvision):
    network = load("torchvision:fcn_resnet50")
    assert network.image.assumed
    assert network.class_names is None


def test_timm_gives_random_weights_and_its_own_preprocessing(timm):
    network = load("timm:resnet18.a1_in1k")
    assert (network.name, network.weights) == ("timm:resnet18.a1_in1k", "random")
    assert network.image.size == (240, 256)
    assert (network.image.crop, network.image.fit) == (0.9, Fit.STRETCH)
    assert network.class_names == imagenet_classes()


def test_timm_networks_of_other_classes_have_no_names(timm):
    assert load("timm:resnet50").class_names is None


@pytest.mark.parametrize("package", ["torchvision", "timm"])
def test_random_weights_are_seeded_and_the_global_state_is_untouched(package, request):
    request.getfixturevalue(package)
    state = torch.get_rng_state()
    one, same, other = (load(f"{package}:resnet18", random_state=seed).sha256 for seed in (0, 0, 1))
    assert one == same != other
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("package", ["torchvision", "timm"])
def test_weights_from_a_file(package, request, tmp_path):
    request.getfixturevalue(package)
    trained = load(f"{package}:resnet18", random_state=9)
    torch.save({"state_dict": trained.module.state_dict()}, tmp_path / "mine.pth")
    network = load(f"{package}:resnet18", weights=tmp_path / "mine.pth")
    assert (network.weights, network.sha256) == ("mine.pth", trained.sha256)


@pytest.mark.parametrize("package", ["torchvision", "timm"])
@pytest.mark.parametrize("name", ["resnet81", "hf-hub:someone/resnet18"])
def test_an_unknown_name_lists_near_matches(package, name, request):
    request.getfixturevalue(package)
    with pytest.raises(ModelNotFoundError, match=rf"{package} has no model '{name}'\. .*resnet18"):
        load(f"{package}:{name}")


@pytest.mark.parametrize("package", ["torchvision", "timm"])
def test_without_the_package_the_install_line_is_named(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.models", None)
    with pytest.raises(MissingDependencyError, match=f"pip install {package}"):
        load(f"{package}:resnet18")


def test_a_package_that_breaks_on_import_is_explained(monkeypatch):
    # What a torchvision built for another torch does.
    class Broken:
        def find_spec(self, name, path=None, target=None):
            if name.startswith("torchvision"):
                raise RuntimeError("operator torchvision::nms does not exist")

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    with pytest.raises(MissingDependencyError, match=r"torchvision::nms does not exist.*pip install torchvision"):
        load("torchvision:resnet18")
