"""Where a class is seen in a photo of 224 x 224, by EfficientNet-Lite0: Grad-CAM, and occlusion with 169 windows."""

import pytest

import cnnvis

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def network():
    return cnnvis.models.load("efficientnet-lite0")


def test_grad_cam(benchmark, network):
    found = benchmark.pedantic(cnnvis.grad_cam, (network, "chelsea"), rounds=5, warmup_rounds=1)
    benchmark.extra_info["layer"] = found.layer


def test_occlusion(benchmark, network):
    windows = []
    benchmark.pedantic(
        cnnvis.occlusion,
        (network, "chelsea"),
        {"progress": lambda _, total: windows.append(total)},
        rounds=3,
        warmup_rounds=1,
    )
    benchmark.extra_info["windows"] = windows[-1]
