# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Networks as bundled tubes
#
# A network is thousands of links between units. Drawn straight they hide one another; bundled, as cables are, they
# show where much of what matters runs. cnnvis draws any network so: dense, convolutional, with skip connections. The
# idea is that of nn_vis: *opacity is importance*, and links that serve the same classes go together.
#
# The first network is a perceptron for digits; it comes with cnnvis, and so does the importance of its units.
#
# ## Units and links

# %%
import cnnvis

perceptron = cnnvis.models.load("mnist-mlp")
scores = cnnvis.studies.score_units(perceptron).importance
edges = cnnvis.connect(perceptron, scores)

print(perceptron)
print(dict(zip(edges.units.layers, edges.units.sizes, strict=True)))
print(edges.caption)

# %% [markdown]
# Units are pixels, neurons and, in other networks, channels. A link weighs as much as the size of its weight, and is
# as important as its weight times the importance of the unit where it starts. Most links matter little. The important
# ones are chosen by `top_k` or `prune_percentage`, and the caption, which also stands in every picture, says what is
# left:

# %%
for top_k in (20_000, 5_000, 500):
    print(cnnvis.connect(perceptron, scores, top_k=top_k).caption)

# %% [markdown]
# ## Straight and bundled
#
# `build` does it all: links, places, bundles. Left every link goes straight from unit to unit, right it is bundled.
# Links, colours and opacities are the same, and both end at the same points.

# %%
from cnnvis.studies import DrawingOptions, bundled_network

drawn = bundled_network.build(perceptron, scores, DrawingOptions(top_k=5_000))

straight, bundled = cnnvis.Scene.of_network(drawn, blend=0), cnnvis.Scene.of_network(drawn)
straight.title, bundled.title = "Straight", "Bundled"
cnnvis.show(cnnvis.SceneGrid([straight, bundled]), size=(1080, 430))

# %% [markdown]
# The picture goes from the pixels on the left to the ten digits on the right. Each layer is a square of its units,
# seen from the side; the pixels lie as in the picture of a digit. A link is as thick and as opaque as it is
# important. Colours are those of the digits, mixed as a unit matters to them: grey brown is what serves many.
#
# ## One class
#
# What matters to one class comes forward, all else fades. Nothing is computed anew, the bundles are the same.

# %%
by_class = [cnnvis.Scene.of_network(drawn, shown_class=digit) for digit in ("0", "3", "8")]
for scene, digit in zip(by_class, ("0", "3", "8"), strict=True):
    scene.title = f"What matters to the {digit}"
cnnvis.show(cnnvis.SceneGrid(by_class), size=(1080, 330))

# %% [markdown]
# A scene is state, and can be changed at any time: `scene["bundle"].shown_class = "5"`; `.blend`, from 0 for straight
# to 1 for bundled, and all between; `.mode`, tubes, lines, ellipsoids or points; and the six sliders of nn_vis,
# `.size`, `.base_opacity`, `.importance_opacity`, `.depth_opacity`, `.depth_exponent` and `.importance_threshold`.
# The units, `scene["units"]`, have the same six.

# %% [markdown]
# ## What bundling costs
#
# Bundles save ink, but the ways become longer, and where many lines share a way it cannot be seen which of them leads
# where. `ambiguity` measures that: of the lines that run together, how many have neither a unit nor a class in
# common. Straight lines have some, too, where they cross. There is no best setting, only a choice: the fewer `hubs`,
# places where the lines of a gap meet, the more is saved, and the longer are the ways. With `hubs=0` the lines decide
# themselves, as in nn_vis: they meet wherever many run. Units stay where they are.

# %%
ways = {"straight": drawn.lines.blended(0)}
for hubs in (1, 4, 16, 0):
    options = cnnvis.layout.BundleOptions(hubs=hubs)
    ways[f"{hubs} hubs"] = cnnvis.bundle(
        drawn.edges, drawn.layout, profiles=drawn.profiles, importance=drawn.importance, options=options
    )

print(f"{'':10} ink left   length  turning back  ambiguity")
for name, lines in ways.items():
    cost = cnnvis.layout.measure(lines)
    turning = 1 - cost.monotone_share
    print(f"{name:10} {cost.ink_ratio:8.2f} {cost.length_ratio_mean:8.2f} {turning:13.1%} {cost.ambiguity:10.2f}")

# %% [markdown]
# What is inside a bundle can be listed. These are the bundles between the second hidden layer and the digits, with
# the summed weight of their links and the digits that they serve most.

# %%
last = [bundle for bundle in cnnvis.layout.bundles(drawn.lines) if bundle.layers == (2, 3)]
for bundle in last:
    most = bundle.class_shares.argsort()[::-1][:3]
    served = ", ".join(f"{drawn.class_names[label]} {bundle.class_shares[label]:.0%}" for label in most)
    print(
        f"{len(bundle):4} links from {bundle.n_sources:2} units to {bundle.n_targets:2},"
        f" summed weight {bundle.weight:5.1f}: {served}"
    )

number = last[0].lines[drawn.edges.weight[last[0].lines].argmax()]
names = [drawn.edges.units.split(int(end[number])) for end in (drawn.edges.source, drawn.edges.target)]
print("heaviest link of the first:", " -> ".join(f"{layer}[{unit}]" for layer, unit in names))

# %% [markdown]
# ## How not to read it
#
# - **A bundle is no unit of the network.** Lines share a way because their ends are near each other and they serve
#   like classes. Where two bundles meet or cross, nothing happens in the network.
# - **Where a unit stands is a choice.** In other places the same network has other bundles. Compare pictures only of
#   the same layout, the same number of links, the same threshold and the same camera.
# - **Compact is not good.** nn_vis reads bundles that run close together as a sign that a network generalises. That
#   is a claim, and `cnnvis compare-networks` puts it to the test: trained and untrained networks from several seeds,
#   permuted importances as a control, accuracy beside it. Whatever comes out, a picture alone says nothing about
#   unseen images.
# - **Importance is an opinion.** Another method shows another network; notebook 02 tells how far they agree.
#
# ## A convolutional network, in blocks
#
# The units of a convolution are its channels, a link is the norm of its kernel, and layers without channels of their
# own (norms, activations, pooling) are passed through. EfficientNet-Lite0 has 51 layers with six million links.
# `fold` makes one slab of each block, and what is drawn is important to a tiger cat. Links past a block are its skip
# connections.

# %%
efficientnet = cnnvis.models.load("efficientnet-lite0")
for_cats = cnnvis.importance(efficientnet, "chelsea", "taylor", target="tiger cat")
blocks = DrawingOptions(top_k=6_000, fold=("_blocks.*",), layer_distance=0.4)
folded = bundled_network.build(efficientnet, for_cats, blocks)

print(folded.edges.caption)
cnnvis.show(cnnvis.Scene.of_network(folded), size=(1080, 360))

# %% [markdown]
# Without classes there is one ink, and of many layers some are named.
#
# ## A graph of your own
#
# `connect` is one way to get links; plain arrays are another. Here they are from scikit-learn, which trains a
# perceptron for digits of 8 x 8 pixels. Units are numbered layer by layer; whatever is called importance is up to
# you.

# %%
import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

digits = load_digits()
other = MLPClassifier(24, max_iter=60, tol=1e-2, random_state=0).fit(digits.data / 16, digits.target)
first, second = (np.abs(matrix) for matrix in other.coefs_)  # (64, 24) and (24, 10)

units = cnnvis.core.Units(("pixels", "hidden", "digits"), (64, 24, 10), n_inputs=1)
source, target, weight = [], [], []
for layer, matrix in enumerate((first, second)):
    rows, columns = np.indices(matrix.shape).reshape(2, -1)
    source.append(rows + units.offsets[layer])
    target.append(columns + units.offsets[layer + 1])
    weight.append(matrix.ravel() / matrix.max())
links = cnnvis.core.EdgeSet(*map(np.concatenate, (source, target, weight)), units=units)

by_digit = np.concatenate([first @ second / (first @ second).max(), second / second.max(), np.eye(10)])  # (98, 10)
places = cnnvis.layout.place(links)
lines = cnnvis.bundle(links, places, profiles=by_digit)
own = cnnvis.core.BundledNetwork(links, places, lines, importance=by_digit.max(axis=1), profiles=by_digit)

scene = cnnvis.Scene.of_network(own, importance_threshold=0.1)
scene.title = "A perceptron of scikit-learn"
cnnvis.show(scene, size=(720, 400))

# %% [markdown]
# `place` also takes circles, lines and squares sorted by importance or likeness; `cnnvis.core.Layout` takes any
# places. Layers are not needed either: links of one layer are bundled by their density alone.
#
# ## A render of your own
#
# `cnnvis.to_pyvista` returns lines and units as VTK data sets with all their arrays. Below a plane cuts through the
# gap before the first hidden layer: over four thousand lines go through it, in four places.

# %%
import pyvista as pv

pv.OFF_SCREEN = True
pv.set_jupyter_backend("static")

lines = drawn.lines
important = cnnvis.to_pyvista(lines.take(lines.line_arrays["importance"] > 0.2))
middle = (0, 0, drawn.layout.slabs[:2, 0, 2].mean())
crossings = cnnvis.to_pyvista(lines).slice(normal="z", origin=middle)

plotter = pv.Plotter(window_size=(720, 420))
plotter.add_mesh(
    important,
    scalars="importance",
    cmap="viridis_r",
    clim=(0, 1),
    opacity=0.5,
    line_width=2,
    scalar_bar_args={"title": "importance", "vertical": True, "position_x": 0.87, "position_y": 0.25, "height": 0.5},
)
plotter.add_mesh(
    pv.Plane(center=middle, direction=(0, 0, 1), i_size=0.9, j_size=0.9), color="lightsteelblue", opacity=0.5
)
plotter.add_mesh(crossings, color="black", style="points", point_size=5)
plotter.view_vector((0.9, -0.4, -0.7), viewup=(0, -1, 0))
plotter.camera.zoom(1.2)
plotter.show()

# %% [markdown]
# ## Files
#
# One `.safetensors` file holds the drawn network with graph, importance, places and lines, and loads in a moment. For
# ParaView there are `.vtp` (lines or units) and `.vtm` (both), for other 3-D programs glTF
# (`cnnvis.rendering.export_gltf`), and for everybody the page that turns in a browser.

# %%
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    files = [
        cnnvis.save(drawn, Path(folder) / "digits.safetensors"),
        cnnvis.save(drawn.lines, Path(folder) / "digits.vtp"),
    ]
    files.append(cnnvis.rendering.export_html(cnnvis.Scene.of_network(drawn), Path(folder) / "digits.html"))
    for file in files:
        print(f"{file.name:20} {file.stat().st_size / 1e6:4.1f} MB")
    again = cnnvis.load(files[0])

print(again.edges.caption, "of", again.provenance.caption)
print("same lines:", np.array_equal(again.lines.points, drawn.lines.points))

# %% [markdown]
# ## The whole study
#
# `cnnvis bundle` does all of this from the command line, and leaves pictures of all classes and each, a film, these
# files and a page. It takes any network that `cnnvis.models.load` takes:
#
#     cnnvis bundle
#     cnnvis bundle --model fashion-cnn --move-units --stages
#     cnnvis bundle --model my_net.py:build --weights my_net.safetensors --importance taylor --data pictures
#     cnnvis compare-networks

# %% [markdown]
# ## Exercises
#
# 1. Where in the picture are the pixels that the perceptron listens to? Compare the rim of the picture with its middle.
# 2. Of the 5,000 links drawn, how many end at each digit? Is a digit with few links recognised worse?
# 3. How many of the links hold half of all importance? What does that say about `top_k`?
# 4. Draw the untrained perceptron (`mnist-mlp-untrained`) in the same way. Is it less compact? What may one conclude?
# 5. Move the threshold: how much of what is drawn is left at 0.05, 0.1 and 0.2? Why must two pictures that are compared
#    have the same?
#
# Answers are below; each is a cell that runs with what is defined above.

# %%
# 1. In the middle: the rim is black in all digits, so its weights never mattered.
pixel_scores = drawn.importance[:784].reshape(28, 28)
rim = np.ones((28, 28), bool)
rim[6:-6, 6:-6] = False
print(f"mean importance: rim {pixel_scores[rim].mean():.3f}, middle {pixel_scores[~rim].mean():.3f}")

# %%
# 2. No: the 3 and the 9 have the fewest links, the 8 and the 2 are found least.
test = cnnvis.models.labelled_images("mnist", "test")
answers = perceptron.module(test.images).argmax(1)
first_digit = drawn.edges.units.offsets[-2]
for digit in range(10):
    own = test.labels == digit
    ending = int((drawn.edges.target == first_digit + digit).sum())
    print(f"{digit}: {ending:3} links, {(answers[own] == digit).float().mean():.1%} of {int(own.sum())} found")

# %%
# 3. A third of them: there is no gap between what matters and what does not, so any `top_k` leaves out something.
ranked = np.sort(drawn.edges.importance)[::-1]
needed = int(np.searchsorted(np.cumsum(ranked), ranked.sum() / 2)) + 1
print(f"{needed} of {len(ranked)} links hold half of the importance")

# %%
# 4. It is not: this untrained one is as compact. One network beside one other is an anecdote all the same;
# `cnnvis compare-networks` asks several, with controls.
untrained = cnnvis.models.load("mnist-mlp-untrained")
same = bundled_network.build(untrained, cnnvis.studies.score_units(untrained).importance, DrawingOptions(top_k=5_000))
for name, each in (("trained", drawn), ("untrained", same)):
    cost = cnnvis.layout.measure(each.lines)
    print(f"{name:10} ink left {cost.ink_ratio:.2f}, length {cost.length_ratio_mean:.2f}")

# %%
# 5. A threshold decides what is seen: the same network looks dense or sparse by it alone.
shares = drawn.lines.line_arrays["importance"]
for threshold in (0.05, 0.1, 0.2):
    print(f"above {threshold}: {int((shares > threshold).sum()):4} of {len(shares)} links")
