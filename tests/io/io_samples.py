"""Small objects to save, one kind per suffix."""

import numpy as np

from cnnvis.core import FeatureMaps, NetworkMaps, Ordering, PointSet, PolylineSet, Provenance, Recording, Volume
from cnnvis.scene import Scene


def small_volume(seed=0, *, layer="features.0", shape=(3, 4, 5)):
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return Volume(values, layer=layer, spacing=(1.0, 1.0, 2.5), provenance=Provenance(model="net", inputs=("cat.png",)))


def small_recording(seed=0, images=2):
    rng = np.random.default_rng(seed)
    maps = {
        "conv": FeatureMaps(
            rng.random((images, 3, 4, 5)).astype(np.float16), "conv", rng.random((images, 3, 4, 5)).astype(np.float32)
        ),
        "fc": FeatureMaps(rng.random((images, 10)), "fc"),
    }
    return Recording(maps, logits=rng.random((images, 10)), inputs=tuple(f"{n}.png" for n in range(images)), target=3)


def small_scene(seed=0):
    scene = Scene(title="small")
    scene.add_volume(small_volume(seed), name="stack").mode = "mip"
    scene.add_matrix([[seed, np.nan], [1.0, -2.0]], rows=("a", "b"), style="bars")
    scene.add_image(np.full((4, 6, 3), seed, dtype=np.uint8))
    scene.add_labels([[0, 0, 0], [1, 2, 3]], ["a", "b"])
    scene.add_bundle(small_lines(seed), blend=0.5)
    scene.add_glyphs(PointSet(np.eye(3), {"class_shares": np.eye(3)}), shown_class=1)
    scene.add_tiles(small_network_maps(seed), arrangement=1.5)
    return scene


def small_network_maps(seed=0):
    generator = np.random.default_rng(seed)
    return NetworkMaps(
        layers=("input", "features.0", "fc"),
        roles=("input", "convolution", "dense"),
        values=tuple(generator.standard_normal(shape) for shape in ((1, 6, 5), (4, 3, 3), (2, 1, 1))),
        depths=[0, 1, 2],
        flow=[[0, 1], [1, 2]],
        link_ends=[[0, 1], [0, 4], [2, 6]],
        link_weights=[1.0, -0.5, 0.25],
        caption="links 3 of 12",
        provenance=Provenance(model="net", inputs=("cat.png",)),
    )


def small_lines(seed=0):
    points = np.random.default_rng(seed).random((5, 3)).astype(np.float32)
    return PolylineSet(points, [0, 2, 5], {"importance": np.arange(5.0)}, {"weight": np.array([1, 2])})


MAKE = {
    ".vti": small_volume,
    ".vox": small_volume,
    ".vtm": lambda seed=0: {"a": small_volume(seed), "b": small_volume(seed + 1)},
    ".pvd": lambda seed=0: {0: small_volume(seed), 10: small_volume(seed + 1)},
    ".vtp": small_lines,
    ".npy": lambda seed=0: small_volume(seed).values,
    ".safetensors": small_recording,
    ".csv": lambda seed=0: {"random": Ordering(np.random.default_rng(seed).permutation(400), "random")},
    ".json": small_scene,
}
"""One function per suffix that makes an object to save; another seed gives another object."""


def content(folder):
    """Every file below `folder` with its bytes."""
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
