"""Bundling at the sizes that the project promises, and what it saves against what it costs.

`python tests/benchmarks/bench_bundling.py` prints the trade-off of ink against length, with ambiguity and separation by
class: by number of hubs and, without hubs, by first bandwidth; for units by class, as they stand by default, and on the
raster.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from cnnvis import connect
from cnnvis.attribution import unit_importance
from cnnvis.layout import BundleOptions, advect_units, bundle, measure, place, random_network
from cnnvis.models import load
from cnnvis.studies import score_units

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="bundling")]

PERCEPTRON = (784, 81, 49, 10)
OF_NN_VIS = BundleOptions(hubs=4, bandwidth=0.5)
"""23 iterations, as nn_vis does by default."""

SEED = {(100, 40, 20, 10): 0.24, (196, 49, 25, 10): 0.20, PERCEPTRON: 0.23}
"""Ink left by nn_vis, at mean lengths of 1.15, 1.18 and 1.36."""

PEAK = """
import json, resource, sys, time
from cnnvis.layout import BundleOptions, advect_units, bundle, place, random_network
sizes, bandwidth, classes, moved = json.loads(sys.argv[1])
edges, profiles = random_network(sizes, n_classes=classes)
layout = place(edges)
small, few = random_network([4, 3])
bundle(small, place(small), profiles=few)
start = time.perf_counter()
if moved:
    layout = advect_units(layout, profiles, fixed=layout.layers[:1])
lines = bundle(edges, layout, profiles=profiles, options=BundleOptions(bandwidth=bandwidth))
seconds = time.perf_counter() - start
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, len(edges)]))
"""
FIRST = """
import time
from cnnvis.layout import bundle, place, random_network
edges, profiles = random_network([4, 3])
layout = place(edges)
start = time.perf_counter()
bundle(edges, layout, profiles=profiles)
print(time.perf_counter() - start)
"""
VGG16 = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512, 10)


def say(text):
    sys.stdout.write(text + "\n")


def in_a_process_of_its_own(sizes, bandwidth, classes=10, *, moved=True):
    """Return (seconds, bytes at the peak, links) of moving units and bundling, loops compiled before."""
    arguments = json.dumps([sizes, bandwidth, classes, moved])
    done = subprocess.run([sys.executable, "-c", PEAK, arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def perceptron():
    edges, profiles = random_network(PERCEPTRON)
    return edges, place(edges), profiles


def test_the_perceptron_with_the_iterations_of_nn_vis(benchmark, perceptron):
    edges, layout, profiles = perceptron

    def units_and_edges():
        moved = advect_units(layout, profiles, fixed=layout.layers[:1])
        return bundle(edges, moved, profiles=profiles, options=OF_NN_VIS)

    lines = benchmark.pedantic(units_and_edges, rounds=5, warmup_rounds=1)
    assert len(lines) == 67_963
    assert benchmark.stats.stats.median < 2.5


def test_the_perceptron_by_default(benchmark, perceptron):
    edges, layout, profiles = perceptron
    benchmark.pedantic(bundle, (edges, layout), {"profiles": profiles}, rounds=5, warmup_rounds=1)


def test_memory_of_the_perceptron():
    _, peak, _ = in_a_process_of_its_own(PERCEPTRON, 0.5)
    say(f"perceptron, at the peak: {peak / 1e9:.2f} GB")
    assert peak < 1.5e9


def test_vgg16_in_a_minute():
    seconds, peak, links = in_a_process_of_its_own(VGG16, 0.15, 1, moved=False)
    say(f"VGG-16, {links:,} links, one class: {seconds:.1f} s, {peak / 1e9:.2f} GB at the peak")
    assert links > 1_600_000
    assert seconds < 60
    assert peak < 6e9


def test_time_grows_as_the_number_of_edges():
    sizes = ((400, 100, 100), (800, 200, 200))
    (small, _, few), (large, _, many) = (in_a_process_of_its_own(each, 0.15) for each in sizes)
    say(f"{many / few:.2f} times the edges take {large / small:.2f} times as long")
    assert large / small < 1.1 * many / few


def test_the_first_call_ever_and_the_first_of_later_sessions(tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    compiling, cached = (
        float(subprocess.check_output([sys.executable, "-c", FIRST], env=environment, text=True)) for _ in range(2)
    )
    say(f"first call ever: {compiling:.1f} s; first of a later session: {cached:.2f} s")
    assert compiling < 15
    assert cached < 1


def networks():
    """Yield name, links, layout, and profiles of the networks whose quality is measured."""
    for sizes in SEED:
        edges, profiles = random_network(sizes)
        yield "-".join(map(str, sizes)), edges, place(edges), profiles
    network = load("mnist-mlp")
    scores = score_units(network).importance
    edges = connect(network, scores)
    yield "mnist-mlp", edges, place(edges), unit_importance(edges.units, scores)[1]


def trade_off(hubs=(2, 3, 4, 5, 6, 8, 12), bandwidths=(0.15, 0.3, 0.5)):
    """Return rows: network, units, hubs, bandwidth, ink, mean and 95 % length, monotone share, ambiguity, separation.

    All numbers of hubs at the first bandwidth, and all bandwidths without hubs.
    """
    settings = [(n, bandwidths[0]) for n in hubs] + [(0, bandwidth) for bandwidth in bandwidths[1:]]
    rows = []
    for name, edges, layout, profiles in networks():
        by_class = place(edges, arrangement="classes", scores=profiles)
        for units, places in (("classes", by_class), ("raster", layout)):
            for n, bandwidth in settings:
                options = BundleOptions(hubs=n, bandwidth=bandwidth)
                found = measure(bundle(edges, places, profiles=profiles, options=options))
                lengths = found.length_ratio_mean, found.length_ratio_95
                quality = (found.ink_ratio, *lengths, found.monotone_share, found.ambiguity, found.separation)
                rows.append((name, units, n, bandwidth, *quality))
    return rows


def test_ink_and_length_by_default():
    rows = {(name, units): row for name, units, *row in trade_off(hubs=(4,), bandwidths=(0.15,))}
    for sizes, ink in SEED.items():
        _, _, found, length, _, monotone, _, _ = rows["-".join(map(str, sizes)), "classes"]
        assert found <= ink
        assert length <= 1.15
        assert monotone >= 0.99
    assert np.all([row[3] < 1.16 for row in rows.values()])
    for (_, units), (*_, separation) in rows.items():
        assert separation > (0.38 if units == "classes" else 0.1)


if __name__ == "__main__":
    say(f"{'network':16} {'units':7} hubs  bandwidth    ink  length   95 %  never back  ambiguity  separation")
    for name, units, n, bandwidth, *found in trade_off():
        ink, length, long, monotone, *by_class = found
        settings = f"{name:16} {units:7} {n:4}  {bandwidth:9}"
        ambiguity, separation = (f"{value:9.2f}" for value in by_class)
        say(f"{settings}  {ink:.3f}  {length:6.3f} {long:6.2f} {100 * monotone:9.1f} %  {ambiguity}  {separation}")
