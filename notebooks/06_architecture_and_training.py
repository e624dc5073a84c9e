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
# # A network in space and time, and where it looks
#
# How does a picture become an answer, how did the network learn that, and where in the picture is the answer? This
# notebook shows a whole network as the maps that its layers make of one image, explains one of its numbers, plays its
# training back, watches another training while it goes on, and lays over the image where a class is seen.
#
# The network is a small one for Fashion-MNIST. It comes with cnnvis, as do its weights after each epoch of its training
# and the images below, none of which it was trained on.

# %%
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import cnnvis

network = cnnvis.models.load("fashion-cnn")
test = cnnvis.models.labelled_images("fashion-mnist", "test")
boot = test.images[:1]


def shown(picture):
    """A figure or pixels as a small picture."""
    pixels = picture if isinstance(picture, np.ndarray) else cnnvis.report.to_rgb(picture)
    small = Image.fromarray(pixels)
    small.thumbnail((900, 900))
    return small.quantize(255, kmeans=1)


print(network)
for guess in network.predict(boot, k=3):
    print(f"{guess.probability:7.2%}  {guess.name}")

# %% [markdown]
# ## The whole network
#
# Every tile is what one channel makes of the image; a unit of the last layer is a tile of one pixel. Data flow from
# the input at the upper left to the ten classes at the lower left. Lines are the strongest kernels from map to map,
# orange for positive weights on the whole and purple for negative ones.

# %%
maps = cnnvis.network_maps(network, boot)
scene = cnnvis.Scene.of_tiles(maps)
scene.title = "A boot on its way through fashion-cnn"
shown(cnnvis.render(scene, size=(900, 460)))

# %% [markdown]
# `cnnvis.show(scene)` in place of the last line turns it with the mouse. Layers can be arranged in other ways, which
# go over into each other, and folded to save room: `arrangement` is 0 for a line, 1 for a circle, 2 for a grid.

# %%
for layer, role, values in zip(maps.layers, maps.roles, maps.values, strict=True):
    print(f"{layer:8} {role:12} {values.shape[0]:3} maps of {values.shape[1]:2} x {values.shape[2]}")

# %% [markdown]
# Links expand as well: at 1 they go from map to map, at 2 from the pixels that a window reads to the pixel that it
# makes of them, at one place, and at 3 at all places. This is the place in the middle, coloured by weight times pixel.

# %%
scene["network"].update({"expansion": 2.0, "links_by": "product", "link_brightness": 2.5})
shown(cnnvis.render(scene, size=(900, 460)))

# %% [markdown]
# ## One number, explained
#
# Every number in these maps is made of others by a simple rule. Here is one of the second convolution, with everything
# that went into it: windows of the maps before times a kernel each, all added up, and what norm and activation make of
# that. On the left, the part of the image that the number can know about.

# %%
operation = cnnvis.explain(network, boot, "conv2")
unit = operation.at(channel=5)  # where this channel is strongest
fields = cnnvis.capture.receptive_fields(network, boot, "conv2")["conv2"]
grey = (255 * (boot[0, 0] - boot.min()) / (boot.max() - boot.min())).numpy().astype(np.uint8)
shown(
    cnnvis.report.operation_figure(
        operation, unit.channel, unit.position, fields=fields, picture=np.repeat(grey[..., None], 3, axis=2)
    )
)

# %% [markdown]
# The rule is not a drawing of one: it gives the network's own number, here and at every other place.

# %%
print(f"by the rule {unit.working.result:.6f}, by the network {unit.value:.6f}")
errors = [operation.at(channel, place).error for channel in range(0, 32, 8) for place in operation.positions()[::9]]
print(f"largest difference at {len(errors)} places: {max(errors):.1e}")
off, same = cnnvis.capture.scaled_probabilities(network, boot, "conv2", unit.channel, [0.0, 1.0])
print(f"probability of a boot: {same[9]:.1%}, with channel {unit.channel} switched off {off[9]:.1%}")

# %% [markdown]
# ## A training, played back
#
# A *run* is a folder with the weights of each epoch and what the layers made of some samples. This one is the training
# of the network above.

# %%
folder = Path(tempfile.mkdtemp())
run = cnnvis.training.shipped_run(folder / "shipped")
print(f"epochs {run.epochs[0]} to {run.epochs[-1]}, {len(run.facts.samples)} samples, {run.state}")
shown(cnnvis.report.training_chart(run.curves, run.epoch_curves))

# %% [markdown]
# The second convolution for the boot, before the training and after epochs 1, 3 and 10: in one order of the channels,
# that of the last epoch, and in one range of colours. So what differs is what the training did.

# %%
epochs = (0, 1, 3, 10)
sample = run.facts.samples.index(test.names[0])
learnt = {epoch: run.recording(epoch)["conv2"] for epoch in epochs}
last = cnnvis.core.FeatureMaps(learnt[10].activations[sample : sample + 1], "conv2")
order = cnnvis.order(last, "kmeans", normalize="zscore")
volumes = [learnt[epoch].volume(order, image=sample) for epoch in epochs]
series = cnnvis.Scene.of_series("epoch", [str(epoch) for epoch in epochs], volumes)
panes = [cnnvis.Scene.of(volume, transfer=series["conv2"].transfer) for volume in volumes]
for pane, epoch in zip(panes, epochs, strict=True):
    pane.title = f"epoch {epoch}"
shown(cnnvis.render(cnnvis.SceneGrid(panes, columns=2), size=(1000, 700)))

# %% [markdown]
# What was the boot taken for on the way?

# %%
said = run.predictions
for epoch, label, share in zip(said.numbers, said.predicted[:, sample], said.truth[:, sample], strict=True):
    print(f"epoch {epoch:2}: {test.class_names[label]:12} probability of a boot {share:8.3%}")

# %% [markdown]
# ## A training, watched while it goes on
#
# Two lines in a training loop of your own write such a run: `Watcher(...)`, and `step` after each batch. Another
# process, or the window of `cnnvis view`, reads the same folder meanwhile; what it sees of an epoch is whole. Here a
# perceptron learns from 1,000 images, and after each epoch the notebook looks into the folder.

# %%
torch.manual_seed(0)
images, labels = cnnvis.models.labelled_images("fashion-mnist", "importance").pair
small = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
optimiser = torch.optim.Adam(small.parameters(), lr=2e-3)

with cnnvis.Watcher(small, folder / "live", samples=test.images[:8], labels=test.labels[:8]) as watcher:
    for _ in range(4):
        for rows in torch.randperm(len(images)).split(50):
            loss = torch.nn.functional.cross_entropy(small(images[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            watcher.step(loss=loss)
        watcher.epoch(accuracy=(small(test.images).argmax(1) == test.labels).float().mean())

live = cnnvis.load(folder / "live")
print("state:", live.state, "· epochs:", *live.epochs)
print("accuracy on test images:", *(f"{value:.0%}" for value in live.epoch_curves.accuracy if np.isfinite(value)))
print("steps:", len(live.curves.loss), f"· loss from {live.curves.loss[0]:.2f} to {live.curves.loss[-1]:.2f}")

# %% [markdown]
# While it goes on, `for run in live.follow():` gives the run again whenever there is something new.
#
# ## Where it looks
#
# *Grad-CAM* weighs the maps of the last layer that has some by how much the score of a class depends on each, and adds
# them up. *Occlusion* covers a part of the image, and looks how far the score falls. The one is as coarse as the layer,
# the other as its window. The score here is the *margin* of the class over all others, since that is what decides.

# %%
bag = int(np.flatnonzero(test.labels == test.class_names.index("Bag"))[0])
pixels = test.images[bag : bag + 1]
seen = [cnnvis.grad_cam(network, pixels, name, of="margin") for name in ("Bag", "Shirt")]
seen += [cnnvis.occlusion(network, pixels, name, of="margin") for name in ("Bag", "Shirt")]
grey = (255 * (pixels[0, 0] - pixels.min()) / (pixels.max() - pixels.min())).numpy().astype(np.uint8)
picture = np.repeat(grey[..., None], 3, axis=2)
shown(cnnvis.report.saliency_figure(seen, picture, title=test.names[bag]))

# %% [markdown]
# ## Should one believe it?
#
# A map says where, not why. And it is drawn whatever the network: shuffle its weights, so that it knows nothing, and
# there is one as well (Adebayo et al., "Sanity checks for saliency maps", 2018). A method whose maps stay the same then
# shows the image, not what was learnt. How alike are the maps of the network and of five shuffled ones?

# %%
nothing = [cnnvis.attribution.shuffled(network, random_state=seed) for seed in range(5)]
for find in (cnnvis.grad_cam, cnnvis.occlusion):
    trained = find(network, pixels, "Bag", of="margin").values.ravel()
    others = [find(each, pixels, "Bag", of="margin").values.ravel() for each in nothing]
    alike = [np.corrcoef(trained, other)[0, 1] if other.std() else 0 for other in others]
    print(f"{find.__name__:10} correlation with shuffled networks:", *(f"{value:+.2f}" for value in alike))

# %% [markdown]
# ## Exercises
#
# 1. A convolution of `conv2` sees 16 maps with kernels of 3 x 3. How many numbers does one of its channels learn, and
#    the whole layer? Count them, and compare.
# 2. In which epoch did the run get most samples right? Did any sample get lost again?
# 3. Train the perceptron once more with a learning rate a hundred times as large. What do you see in the curve?
# 4. Occlusion found something in the empty corner beside the bag. Cover with black, the colour of the background, and
#    look again: what was that?
# 5. What size of window finds the part of the boot that matters? Try 2, 4, 8 and 14 pixels, and say what goes wrong at
#    both ends.
#
# Answers are below; each is a cell that runs with what is defined above.

# %%
# 1. 16 x 3 x 3 weights and, where a layer has one, a bias; times 32 channels.
conv = network.module.get_submodule("conv2")
print("weights of one channel:", conv.weight[0].numel(), "= 16 x 3 x 3; of the layer:", conv.weight.numel())
print("bias:", None if conv.bias is None else conv.bias.numel())

# %%
# 2. Epochs are not all steps forward: accuracy is a sum over samples, and some go back while others come.
hits = said.right
print("right by epoch:", *hits.sum(axis=1))
lost = [test.class_names[said.labels[n]] for n in range(hits.shape[1]) if (hits[:-1, n] & ~hits[1:, n]).any()]
print("lost again in some epoch:", ", ".join(lost) or "none")

# %%
# 3. The loss jumps about and settles higher, if at all: steps are larger than the valley.
torch.manual_seed(0)
hasty = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
optimiser = torch.optim.Adam(hasty.parameters(), lr=0.2)
with cnnvis.Watcher(hasty, folder / "hasty", samples=test.images[:8]) as watcher:
    for _ in range(4):
        for rows in torch.randperm(len(images)).split(50):
            loss = torch.nn.functional.cross_entropy(hasty(images[rows]), labels[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            watcher.step(loss=loss)
        watcher.epoch()
for name, curve in (("0.002", live.curves.loss), ("0.2", cnnvis.load(folder / "hasty").curves.loss)):
    print(f"lr {name:5}: largest loss {curve.max():.2f}, last ten {curve[-10:].mean():.2f} ± {curve[-10:].std():.2f}")

# %%
# 4. Mostly the window itself: a grey square on black is a shape, and the network answers to it. What black leaves there
# comes of windows that reach into the bag.
corner = np.s_[:6, 16:26]
for name, baseline in (("mean colour", "mean"), ("black", float(pixels.min()))):
    found = cnnvis.occlusion(network, pixels, "Bag", of="margin", baseline=baseline).values
    print(f"covered by {name:11}: corner {found[corner].max():+.2f}, whole image up to {found.max():+.2f}")

# %%
# 5. Small windows leave enough for the rest to fill in, so little falls; large ones cover several parts at once, and
# their place says less and less.
for window in (2, 4, 8, 14):
    found = cnnvis.occlusion(network, boot, "Ankle boot", of="margin", window=window).values
    row, column = np.unravel_index(found.argmax(), found.shape)
    print(f"window {window:2}: largest fall {found.max():6.2f} at row {row:2}, column {column:2}")
