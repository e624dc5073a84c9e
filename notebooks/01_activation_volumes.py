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
# # Activation volumes
#
# A convolution turns a picture into a stack of maps, one per channel. cnnvis shows the whole stack as one
# volume, with similar channels side by side, and hands it over as an ordinary VTK data set.
#
# The network is EfficientNet-Lite0, trained on ImageNet; the photos come with scikit-image. Nothing is downloaded.

# %%
import cnnvis

network = cnnvis.models.load("efficientnet-lite0")
layer = "_conv_stem"
cat = cnnvis.record(network, "chelsea", layer)[layer]
kmeans = cnnvis.order(cat, "kmeans", normalize="zscore")
cnnvis.show(cnnvis.Scene.of(cat, kmeans), size=(720, 450))

# %% [markdown]
# Rows and columns are those of the photo, channels run into the depth. Red is positive, blue negative, and zero is
# transparent. The coloured bar marks the k-means groups; the numbers with `#` are the network's own channel numbers.
# `cat` holds plain arrays, so everything else you know still works:

# %%
print(cat.activations.shape, cat.activations.dtype)
for guess in network.predict("chelsea", k=3):
    print(f"{guess.probability:4.0%}  {guess.name}")

# %% [markdown]
# ## What an order is worth
#
# An order is good when neighbouring channels look alike. Its *smoothness* is their mean correlation; orders drawn at
# random say what chance would give. *Brightness* is how far the order merely follows the mean activation, as PCA of the
# raw values does (`normalize="none"`); with `normalize="zscore"` only the pattern counts.

# %%
orders = {
    "original": cnnvis.order(cat, "original"),
    "k-means": kmeans,
    "PCA": cnnvis.order(cat, "pca", normalize="zscore"),
    "PCA, raw values": cnnvis.order(cat, "pca", normalize="none"),
}
chance = kmeans.quality
print(f"{'':16} smoothness  brightness")
for name, order in orders.items():
    print(f"{name:16} {order.quality.smoothness:10.2f}  {order.quality.brightness:10.2f}")
print(f"{'random':16} {chance.random_mean:10.2f} ± {chance.random_std:.2f}")


# %%
by_order = cnnvis.SceneGrid([cnnvis.Scene.of(cat, orders[name]) for name in ("original", "k-means", "PCA")])
cnnvis.show(by_order, size=(1080, 430))

# %% [markdown]
# ## The same order for another photo
#
# An order is a result of its own: found on one photo, it can be applied to others, so that every channel stays where it
# was. Here the order of the cat is applied to a cup of coffee. The groups hold together there too, about as smoothly as
# those that k-means finds on the coffee itself.

# %%
coffee = cnnvis.record(network, "coffee", layer)[layer]
own = cnnvis.order(coffee, "kmeans", normalize="zscore")
frozen = cnnvis.analysis.order_quality(coffee, kmeans, held_out=True)
print(f"smoothness on coffee: {frozen.smoothness:.2f} in the cat's order, {own.quality.smoothness:.2f} in its own")

# Each volume keeps a colour range of its own, since the coffee reaches twice as far.
cnnvis.show(
    cnnvis.SceneGrid([cnnvis.Scene.of(cat, kmeans), cnnvis.Scene.of(coffee, kmeans)], link=["camera"]), size=(1080, 430)
)

# %% [markdown]
# ## Opacity by importance
#
# A second array, one number per channel, can drive the opacity: what matters little fades away. It may be an
# importance that cnnvis computes, here the mean absolute activation, or any numbers of your own. On the right it is the
# correlation with channel 1, so that only those channels remain that see what channel 1 sees.

# %%
strength = cnnvis.importance(network, "chelsea", "activation", layers=layer)
likeness = cnnvis.similarity(cat)[1].clip(min=0) ** 2  # opposite channels count as unlike

by_strength = cnnvis.Scene.of(cat, kmeans, importance=strength)
by_likeness = cnnvis.Scene.of(cat, kmeans, importance=likeness)
by_strength.title = "Opacity by mean activation"
by_likeness.title = "Opacity by likeness to channel 1"
cnnvis.show(cnnvis.SceneGrid([by_strength, by_likeness]), size=(1080, 430))

# %% [markdown]
# ## A render of your own
#
# `cnnvis.to_pyvista` returns a real `pyvista.ImageData` (a `vtkImageData`), so every VTK algorithm works on it. Below,
# one channel is cut out of the stack and contoured, and its contour is drawn as tubes inside the translucent whole.
#
# z is the channel's position in the order, y the row, x the column. Rows run downwards, as in any image array, while
# pyvista takes +y for up: `viewup=(0, -1, 0)` puts the photo upright, and a viewer on the -z side has the first channel
# in front. The values are shared with `cat`, not copied, so leave `inplace=True` alone here.

# %%
import pyvista as pv

pv.OFF_SCREEN = True
pv.set_jupyter_backend("static")

stack = cnnvis.to_pyvista(cat.volume(kmeans))
columns, rows, _ = stack.dimensions
position = int(kmeans.inverse[1])  # where this order shows channel 1
plane = stack.extract_subset((0, columns - 1, 0, rows - 1, position, position))
contour = plane.contour([5.0])

plotter = pv.Plotter(window_size=(720, 450))
plotter.add_volume(
    stack,
    cmap="RdBu_r",
    clim=(-6, 6),
    opacity=[0.5, 0.15, 0.0, 0.15, 0.5],  # from -6 to 6: zero is transparent
    opacity_unit_distance=10,
    scalar_bar_args={"title": "activation", "vertical": True, "position_x": 0.88, "position_y": 0.25, "height": 0.5},
)
plotter.add_mesh(contour.tube(radius=0.6), color="black")
plotter.add_mesh(plane.outline(), color="black", line_width=2)
plotter.add_mesh(stack.outline(), color="grey")
plotter.add_text("Channel 1 at activation 5, inside the whole stack", font_size=10, color="black")
plotter.view_vector((1, -0.5, -1), viewup=(0, -1, 0))
plotter.show()

# %% [markdown]
# ## Files
#
# The suffix decides on the format. A `.vti` file opens in ParaView as it is, and keeps the order, the groups, and which
# network and photo it came from.

# %%
import tempfile
from pathlib import Path

import numpy as np

with tempfile.TemporaryDirectory() as folder:
    file = cnnvis.save(cat.volume(kmeans), Path(folder) / "stem.vti")
    print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB")
    back = cnnvis.load(file)

print(back.layer, back.method, back.provenance.caption)
print("same values:", np.array_equal(back.values, cat.volume(kmeans).values))

# %% [markdown]
# ## Turn it yourself
#
# `interactive=True` puts a page in place of the picture: drag to turn, scroll to zoom. It needs neither an extension
# nor a server. The stored copy of this notebook has a picture here all the same, since a code host shows nothing else
# (it was run with the environment variable `CNNVIS_BACKEND=static`); run the cell, and it turns.
#
# This is a deeper layer, in which 16 channels become 96.

# %%
layer = "_blocks.1._expand_conv"
deep = cnnvis.record(network, "chelsea", layer)[layer]
cnnvis.show(cnnvis.Scene.of(deep, cnnvis.order(deep, "kmeans", normalize="zscore")), size=(720, 450), interactive=True)

# %% [markdown]
# ## Exercises
#
# 1. The photo has 224 rows when the network sees it. Why has the volume of `_conv_stem` half as many?
# 2. Which two channels are most alike on the cat, and how much? Which are most nearly opposites?
# 3. `cnnvis.order(cat, "kmeans", n_groups=...)` takes any number of groups. Does the order become smoother with more?
# 4. The cat's order holds on the coffee. How much of that would an order drawn at random give, and does the order of
#    the coffee hold on the cat, too?
# 5. Which channels are strongest on the cat, the coffee and the astronaut? What does that say about choosing "the
#    important channel" by one photo?
#
# Answers are below; each is a cell that runs with what is defined above.

# %%
# 1. The convolution makes steps of two pixels, so 224 rows become 112.
print("volume:", cat.activations.shape, " stride:", network.module._conv_stem.stride)

# %%
# 2. The matrix holds the correlation of every two channels; its diagonal is each with itself.
alike = cnnvis.similarity(cat)
pairs = np.triu(np.ones_like(alike, dtype=bool), 1)
for name, value in (("most alike", alike[pairs].max()), ("most opposite", alike[pairs].min())):
    first, second = np.argwhere(pairs & (alike == value))[0]
    print(f"{name}: #{first} and #{second}, correlation {value:+.2f}")

# %%
# 3. A little, up to a point: groups part what is unlike, and within each the order is a second question.
for n_groups in (2, 4, 8, 16):
    found = cnnvis.order(cat, "kmeans", normalize="zscore", n_groups=n_groups)
    print(f"{n_groups:2} groups: smoothness {found.quality.smoothness:.2f}")

# %%
# 4. Nothing of it is chance, in either direction: what is alike in this layer is so on both photos.
back = cnnvis.analysis.order_quality(cat, own, held_out=True)
print(f"the cat's order on the coffee {frozen.smoothness:.2f}, at random {frozen.random_mean:.2f}")
print(f"the coffee's order on the cat {back.smoothness:.2f}, at random {back.random_mean:.2f}")

# %%
# 5. Look before you name one: score many photos, and see how much the answer changes from one to the next.
for name in ("chelsea", "coffee", "astronaut"):
    scores = cnnvis.importance(network, name, "activation", layers="_conv_stem")["_conv_stem"]
    print(f"{name:9} strongest channels:", *(f"#{channel}" for channel in scores.argsort()[::-1][:4]))
