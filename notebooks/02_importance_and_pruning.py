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
# # Importance, and whether to believe it
#
# Which channels of a network matter? There are many ways to put a number on it, and they disagree. This notebook asks
# several of them, shows what they say, and then puts them to the test: take away what is said not to matter, and see
# what is left.
#
# The network is a small one for Fashion-MNIST, trained on 58,000 pictures of clothes; it comes with cnnvis, and so do
# the pictures below. None of them was used to train it. Importance is scored on one part of them and tested on
# another: a score may not be judged by the pictures that it was made from.

# %%
import cnnvis

network = cnnvis.models.load("fashion-cnn")
scoring = cnnvis.models.labelled_images("fashion-mnist", "importance")
test = cnnvis.models.labelled_images("fashion-mnist", "test")

print(network)
print("to score:", len(scoring), " to test:", len(test))
print(f"accuracy: {cnnvis.pruning.evaluate(network, test.pair).accuracy:.1%}")

# %% [markdown]
# ## Gradients
#
# How would the output for *Shirt* change if a weight were a little larger? That is the gradient of this class neuron
# by the weight. `record` takes it when it is given a target; here it is the mean over ten pictures of each of three
# classes.


# %%
def pictures_of(name):
    return scoring.images[scoring.labels == scoring.class_names.index(name)]


gradients = {
    name: cnnvis.record(network, pictures_of(name)[:10], "conv2", target="Shirt")
    for name in ("Shirt", "T-shirt/top", "Ankle boot")
}
print(gradients["Shirt"].weight_gradients["conv2"].shape, "filters, input channels, rows, columns")

# %% [markdown]
# All filters of a layer make one volume: filters run into the depth, and each is the mean of its kernels for the 16
# inputs. (`inputs="norm"` or `"blocks"` takes their norm, or shows all of them side by side.) A larger weight raises
# the neuron where it is red and lowers it where it is blue; what is transparent does nothing.

# %%
scenes = []
for name, recording in gradients.items():
    scenes.append(cnnvis.Scene.of(cnnvis.capture.gradient_volume(recording, "conv2")))
    scenes[-1].title = f"Neuron Shirt, pictures of {name}"
cnnvis.show(cnnvis.SceneGrid(scenes), size=(1080, 400))

# %% [markdown]
# Are these numbers right? A gradient says what a small step does, so take the step, in double precision, and look.
# Where a ReLU or a maximum switches on the way there is no gradient to compare with; such weights are left out, and
# counted.

# %%
print(cnnvis.capture.check_gradients(network, pictures_of("Shirt")[:4], "Shirt", "conv2", n_weights=8))

# %% [markdown]
# ## Importance by five methods
#
# - `weight`: the size of the filter. Needs no pictures.
# - `activation`: how strongly the channel answers.
# - `gradient`: how strongly the right class depends on the filter.
# - `taylor`: what the channel adds to the right class, to first order.
# - `ablation`: how much the loss grows when this channel alone is switched off. No estimate but the deed, and so the
#   slowest; a hundred pictures have to do here.

# %%
scores = {
    method: cnnvis.importance(network, scoring.pair, method, layers="conv*")
    for method in ("weight", "activation", "gradient", "taylor")
}
tenth = scoring.images[::10], scoring.labels[::10]
scores["ablation"] = cnnvis.importance(network, tenth, "ablation", layers="conv*")

grids = [cnnvis.Scene() for _ in scores]
for scene, importance in zip(grids, scores.values(), strict=True):
    scene.add_importance(importance, "conv2")
cnnvis.show(cnnvis.SceneGrid(grids, link=[], columns=3), size=(1080, 560))

# %% [markdown]
# Every tile is a channel of `conv2`; the most important one is yellow. To see *what* the important channels see, let
# their importance drive the opacity of the activations. Both stacks are sorted by importance, the most important
# channel in front; on the right those at the back, which add little to the class, fade.

# %%
shirt = cnnvis.record(network, pictures_of("Shirt")[:1], "conv2")["conv2"]
order = cnnvis.order(shirt, "importance", importance=scores["taylor"])
plain, driven = cnnvis.Scene.of(shirt, order), cnnvis.Scene.of(shirt, order, importance=scores["taylor"])
plain.title, driven.title = "A shirt in conv2", "Opacity by importance (taylor)"
cnnvis.show(cnnvis.SceneGrid([plain, driven]), size=(1080, 430))

# %% [markdown]
# ## Do they agree?
#
# Rank correlation: 1 is the same order of the channels, 0 is nothing in common.

# %%
from IPython.display import Image

agreement = cnnvis.analysis.compare_importance(scores)
Image(cnnvis.report.to_png(cnnvis.report.agreement_matrix_figure(agreement)), width=900)

# %% [markdown]
# Hardly: only `gradient` and `taylor` have something in common in the deeper layers. So which of them is right?
#
# ## Switch channels off
#
# `taylor` has scores by class. Within `switch_off` the network runs without some channels, as if they had been
# removed; after it, it is as it was. Here it runs without the five channels of `conv3` (of 64) that matter most to
# shirts, and without the five that matter least.

# %%
for_shirts = scores["taylor"].of_class("Shirt")["conv3"].argsort()
shirts = pictures_of("Shirt")
labels = scoring.labels[scoring.labels == scoring.class_names.index("Shirt")]


def tell(state):
    found = cnnvis.pruning.evaluate(network, (shirts, labels)).accuracy
    guesses = ", ".join(f"{guess.name} {guess.probability:.0%}" for guess in network.predict(shirts[3:4], k=2))
    print(f"{state:22} {found:.0%} of {len(shirts)} shirts found; one of them: {guesses}")


tell("whole")
with cnnvis.capture.switch_off(network, {"conv3": for_shirts[-5:]}):
    tell("without the five most")
with cnnvis.capture.switch_off(network, {"conv3": for_shirts[:5]}):
    tell("without the five least")
tell("whole again")

# %% [markdown]
# That looks good, but these are the pictures that the scores were made from.
#
# ## The test
#
# A pruning curve removes more and more channels, least important first, and measures the accuracy on pictures that the
# scores have not seen. It means something only beside its controls: the same order backwards, and channels removed at
# random. Here all three layers are ranked together.

# %%
asked = {name: scores[name] for name in ("taylor", "gradient", "weight", "ablation")}
unseen = test.images[:300], test.labels[:300]
shares = [0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1]
curves = cnnvis.pruning.curves_with_controls(network, unseen, asked, n_random=3, shares=shares)
Image(cnnvis.report.to_png(cnnvis.report.prune_curve_chart(curves)), width=900)

# %% [markdown]
# A good order stays up for long, while its reverse falls at once. `taylor` passes by a wide margin, `ablation` by a
# narrow one. `gradient` and `weight` fail: they do worse than chance, and better backwards. Both begin with most of
# `conv1`, which everything after it stands on. Its scores are low beside their layer's largest, but that says nothing
# about other layers.
#
# So let each layer lose the same share, and compare channels with those of their own layer only:

# %%
by_layer = cnnvis.pruning.curves_with_controls(network, unseen, asked, n_random=3, shares=shares, scope="layer")


def area(runs):
    return sum(curve.area for curve in runs) / len(runs)


print(f"{'mean accuracy':20} layers together  each layer")
for name in curves:
    print(f"{name:20} {area(curves[name]):15.2f} {area(by_layer[name]):11.2f}")

# %% [markdown]
# Now `gradient` and `weight` are about as good as chance, and so is `taylor`: what it knew was which layer has channels
# to spare. Which of its own channels a layer can spare is the harder question, and only `ablation` has something of an
# answer to it. (Batch norm undoes the size of a filter whatever that is, so no wonder that `weight` has none.)
#
# This is one network, 300 pictures and three random orders: an example, no result. `cnnvis importance-curves` does it
# properly, over five trainings with intervals; what came out is in README.

# %% [markdown]
# ## Make it smaller
#
# Switching off leaves a network as large as it was. `prune` makes a smaller one of it and checks, before it returns,
# that both compute the same. Nothing is trained afterwards.

# %%
pruned = cnnvis.pruning.prune(network, scores["taylor"], keep=0.85)


def thousand(numbers):
    return f"{numbers[0] / 1000:,.0f} -> {numbers[1] / 1000:,.0f} thousand"


print("channels removed:", {layer: len(channels) for layer, channels in pruned.removed.items()})
print("parameters:", thousand(pruned.n_parameters), "  multiply-adds:", thousand(pruned.multiply_adds))
print(f"differs from the network with these channels off by at most {pruned.largest_difference:.0e}")
for each in (network, pruned.network):
    print(f"{each.name:20} accuracy {cnnvis.pruning.evaluate(each, test.pair).accuracy:.1%}")

# %% [markdown]
# It is saved as a program, which `cnnvis.models.load` and `torch.export.load` run without the original and its code.
# To train it on, or prune it again, `cnnvis.pruning.load_pruned(folder, architecture=...)` gives back its layers.

# %%
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    for file in cnnvis.pruning.save_pruned(pruned, folder):
        print(f"{file.name:20} {file.stat().st_size / 1000:4.0f} kB")
    again = cnnvis.models.load(Path(folder) / "network.pt2")

print(f"{again.name}: accuracy {cnnvis.pruning.evaluate(again, test.pair).accuracy:.1%}")

# %% [markdown]
# ## Importance for each class
#
# A sixth method, `batchnorm`, is nn_vis's idea. It puts a scale on every unit, freezes the network, and trains the
# scales to tell one class from the rest, while a penalty draws every scale to zero that does nothing for it. What is
# left is the importance for this class. It trains 2,000 steps for each class (`steps=`), and the 300 for two digits
# below are far too few to mean anything; they show how it is called and what it reports. The network is the perceptron
# for digits.

# %%
perceptron = cnnvis.models.load("mnist-mlp")
digits = cnnvis.models.labelled_images("mnist", "importance")
scales = cnnvis.importance(perceptron, digits.pair, "batchnorm", classes=["3", "8"], steps=300, inputs=False)

for layer, found in scales.options["report"]["gamma"].items():
    print(f"{layer}: scales span {found['range']:.2f}, {found['share_near_zero']:.0%} of them near zero")

scene = cnnvis.Scene()
scene.add_importance(scales, "fc2", classes="all")
cnnvis.show(scene, size=(960, 330))

# %% [markdown]
# ## Your own network
#
# Any network that `cnnvis.models.load` takes, or any `nn.Module`, goes in place of `network`; in place of
# `scoring.pair` a pair of tensors (images, labels) or a `DataLoader` of such pairs. From the command line, `--data`
# takes a folder with one subfolder of pictures per class:
#
#     cnnvis importance --model my_net.py:build --weights my_net.safetensors --data pictures --method taylor
#     cnnvis prune-curve --model my_net.py:build --weights my_net.safetensors --data pictures
#     cnnvis prune --model my_net.py:build --weights my_net.safetensors --data pictures --keep 0.8

# %% [markdown]
# ## Exercises
#
# 1. Without the five channels of `conv3` that matter most to shirts, which other class suffers, and does any gain?
# 2. Take the two channels of `conv3` that shirts need most. Is what is lost without both the sum of what is lost
#    without each?
# 3. For which class are the important channels of `conv3` most like those of *Shirt*? Use `taylor` by class.
# 4. Would a network that learnt nothing get the same scores? `cnnvis.attribution.randomisation_check` shuffles the
#    weights and compares. Try `weight` and `activation`.
# 5. Prune to 95 %, 85 % and 70 % of the units. Where would you stop, and on which pictures should you decide it?
#
# Answers are below; each is a cell that runs with what is defined above.

# %%
# 1. Classes share channels: coats lose as well, and what was between shirts and tops or pullovers goes to these.
most = for_shirts[-5:]
for name in network.class_names:
    own = test.labels == test.class_names.index(name)
    data = test.images[own], test.labels[own]
    whole, without = (cnnvis.pruning.evaluate(network, data, without=off).accuracy for off in (None, {"conv3": most}))
    print(f"{name:12} {whole:5.0%} -> {without:4.0%}  {without - whole:+.0%}")

# %%
# 2. Nearly, but not quite: each stands in for the other in part. Scores of single units do not add up.
two = for_shirts[-2:]
data = shirts, labels
loss = cnnvis.pruning.evaluate(network, data).loss
lost = [cnnvis.pruning.evaluate(network, data, without={"conv3": off}).loss - loss for off in (two[:1], two[1:], two)]
print("each alone: {:+.3f} and {:+.3f}, sum {:+.3f}; both together: {:+.3f}".format(*lost[:2], sum(lost[:2]), lost[2]))

# %%
# 3. For none, really: by this score each class stands on channels of its own.
import numpy as np

by_class = scores["taylor"].per_class["conv3"]
ranks = by_class.argsort(axis=0).argsort(axis=0)
shirt_column = network.class_names.index("Shirt")
likeness = np.corrcoef(ranks.T)[shirt_column]
for column in likeness.argsort()[::-1][1:4]:
    print(f"{network.class_names[column]:12} rank correlation {likeness[column]:.2f}")

# %%
# 4. At 1 a score would not depend on what was learnt; both are near 0. (Shuffled filters keep their layer's values.)
for method in ("weight", "activation"):
    check = cnnvis.attribution.randomisation_check(network, tenth, method, n_shuffles=3, layers="conv*")
    print(f"{method:10}", {name: round(value, 2) for name, value in check.mean.items()})

# %%
# 5. Decide on pictures that were neither used for the scores nor for the accuracy you publish: a third part.
halves = (test.images[::2], test.labels[::2]), (test.images[1::2], test.labels[1::2])
for keep in (0.95, 0.85, 0.7):
    smaller = cnnvis.pruning.prune(network, scores["taylor"], keep=keep)
    decided, published = (cnnvis.pruning.evaluate(smaller.network, half).accuracy for half in halves)
    size = smaller.n_parameters[1]
    print(f"keep {keep:.0%}: {size:6,} parameters, {decided:.1%} to decide by, {published:.1%} to tell")
