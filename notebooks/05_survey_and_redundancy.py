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
# # What the channels do, which of them can go, and what went wrong on one image
#
# A channel of a convolution gives a map for each image. How bright that map is on average says how strongly the channel
# answers. This notebook follows these averages over a thousand images through all layers of a network: which
# channels answer to the same images, which are superfluous, and where a wrong answer comes from.
#
# The network is a VGG-16 for Fashion-MNIST, half as wide as the original; it comes with cnnvis, and so do the images.
# None of them was used to train it. One part is surveyed, and chooses what is merged below; what that costs is
# measured on the other.

# %%
import numpy as np
from PIL import Image

import cnnvis


def shown(figure):
    """A figure, or an array (rows, columns) from 0 to 1, as a small picture."""
    if isinstance(figure, np.ndarray):
        return Image.fromarray((255 * figure).astype(np.uint8)).resize((900, 900 * len(figure) // figure.shape[1]), 0)
    picture = Image.fromarray(cnnvis.report.to_rgb(figure))
    picture.thumbnail((900, 900))
    return picture.quantize(96)


network = cnnvis.models.load("vgg16-fashion")
known = cnnvis.models.labelled_images("fashion-mnist", "importance")
test = cnnvis.models.labelled_images("fashion-mnist", "test")

survey = cnnvis.survey(network, known.pair)
print(survey.n_channels, "channels of", len(survey), "layers over", survey.n_images, "images")
print(f"answered rightly: {survey.accuracy:.1%}")

# %% [markdown]
# ## Every channel at a glance
#
# One cell for each channel, eight in a row, layer after layer; yellow ones answer most strongly of their layer. A red
# stripe would be a channel that gives the same for every image.

# %%
shown(cnnvis.report.survey_grid(survey))

# %% [markdown]
# What does a channel look for? The survey has kept the images that drive each one most. Here are those of three
# channels of the layer `features.37`, a row for each:

# %%
LAYER = "features.37"
alike = cnnvis.similarity(survey[LAYER])
groups = cnnvis.communities(alike)
largest = survey[LAYER].std.argsort()[::-1]
channels = [next(channel for channel in largest if groups[channel] == group) for group in range(3)]

images = known.images[survey[LAYER].top_images[channels]].numpy()  # (channel, image, 1, 28, 28)
print("channels", *channels)
shown(np.vstack([np.hstack(list(row[:, 0])) for row in images]))

# %% [markdown]
# ## Who is like whom
#
# `similarity` says how the averages of every two channels correlate over the images, and `communities` finds groups
# with it: channels that answer to the same images. In space, like ones stand near each other; a ball is as large as its
# channel varies from image to image, and tubes join each one with those that are most like it.

# %%
graph = cnnvis.studies.survey_graph(survey, LAYER, groups)
cnnvis.show(cnnvis.Scene.of_graph(graph), size=(760, 480))

# %% [markdown]
# In a running notebook it turns with the mouse. The colours are groups; above, each row of images was of another one.
#
# Should one believe in these groups? Two checks. First, draw the images anew, ten times, and look whether the groups
# come back: 1 is the very same group, above 0.75 counts as stable. Second, shuffle the images of each channel by
# itself, so that channels have nothing in common any more, and look how many groups there are then.

# %%
window = survey[LAYER].window  # the averages themselves, image by image
stability = cnnvis.analysis.community_stability(window, groups, n_draws=10)
print("come back:", *(f"{share:.2f}" for share in stability.mean[: graph.n_groups]))
counts = cnnvis.analysis.group_counts(window, n_draws=3)
shown(cnnvis.report.group_count_chart(counts, 6.0))  # the exponent by default

# %% [markdown]
# A word of caution, then: random averages give groups as well, and more of them. What they do not give is groups that
# hang together as firmly, for the lower exponents; and some of the groups found here come back, others hardly do.
#
# ## Which channels can go
#
# Two channels with the same averages need not be the same: one may answer at the left, the other at the right. So
# averages only propose, and the maps that later layers receive have to confirm, position by position.

# %%
from cnnvis.pruning import evaluate, find_redundant, merge_channels, merge_curve, merged_until

correlation = {name: layer.correlation for name, layer in survey.layers.items()}
redundancy = find_redundant(network, known.pair, correlation=correlation, correlation_above=0.3, explained=0.2)
proposed = [pair for pair in redundancy.pairs if pair.correlation > 0.9]
confirmed = [pair for pair in proposed if pair.explained > 0.5]
print(f"{len(proposed)} pairs have averages that correlate above 0.9")
print(f"of {len(confirmed)} of them one map explains half of the other, or more")

# %% [markdown]
# Here is a pair that averages would have called the same, on six images, one channel above the other. They are
# strong on the same images, but at other places: at edges that face another way.

# %%
pair = min(proposed, key=lambda pair: pair.explained)
print(f"{pair.layer} #{pair.first} and #{pair.second}: averages correlate {pair.correlation:.2f}, ", end="")
print(f"maps explain {pair.explained:.0%} of each other")
maps = cnnvis.record(network, known.images[:6], survey[pair.layer].value)[survey[pair.layer].value].activations
rows = [np.hstack(list(maps[:, channel])) / maps[:, channel].max() for channel in (pair.first, pair.second)]
shown(np.sqrt(np.vstack(rows)))  # the root: weak answers are seen as well

# %% [markdown]
# A channel that goes is taken over by its partner, or by all that stay, in every layer that reads it. How far can one
# go? Further than to pairs that are nearly equal, and accuracy says when to stop. The limits above were low for that
# reason. The images surveyed choose what is done; test images only measure it, beside simply removing the same
# channels, and beside removing random ones.

# %%
choosing = known.images[::2], known.labels[::2]
merged = merge_channels(network, redundancy, choosing, max_drop=None, n_steps=6, rules=("affine", "joint"))
measured = test.images[:400], test.labels[:400]
curves = merge_curve(network, merged, measured, n_random=2)
shown(cnnvis.report.merge_curve_chart(curves))

# %% [markdown]
# The smaller network is the merging up to the first step that costs more than one point of accuracy on the images that
# choose. It is a network like any other, without the channels.

# %%
smaller = merged_until(network, merged, max_drop=0.01)
print(f"{len(smaller.merges)} channels went into others")
print("parameters: {:,} -> {:,}".format(*smaller.pruned.n_parameters))
for name, each in (("whole", network), ("merged", smaller.pruned.network)):
    print(f"{name:>7}: {evaluate(each, measured).accuracy:.1%} of the test images right")

# %% [markdown]
# `cnnvis.pruning.save_pruned(smaller.pruned, folder)` stores it.
#
# ## What went wrong on one image
#
# `diagnose` holds an image against the images of its class: the first test image that is answered wrongly. Which is the
# first layer whose averages are unlike those of the class, and what does the network answer when they are set right?

# %%
for number, label in enumerate(test.labels):
    image = test.images[number : number + 1]
    if network.predict(image)[0].index != label:
        break
found = cnnvis.diagnose(network, image, survey, true=int(label))
print(found.verdict)
pixels = np.repeat((255 * image[0, 0].numpy()).astype(np.uint8)[..., None], 3, axis=2)
shown(cnnvis.report.diagnosis_figure(found, title=test.names[number], picture=pixels))

# %% [markdown]
# Read from the left above: in the lower layers the image is like others of its class, in the upper ones less and less,
# and red layers are further off than 99 % of its class. On the right, where a bar is right of 0, setting this
# layer's averages to those of the class mends the answer.
#
# All of this at once, with every layer, as a page: `cnnvis survey`, and `cnnvis diagnose` for an image. In the window
# of `cnnvis view` the same survey can be clicked through, cell by cell.

# %% [markdown]
# ## Exercises
#
# 1. Which layers have channels that never change, whatever the image? What do these cost, and what do they do?
# 2. Which class is answered worst on the test images, and what is it taken for?
# 3. Find the groups of `features.37` with other seeds. How alike are they? (Use the adjusted Rand index: 1 is the same
#    grouping, 0 is chance.)
# 4. How many pairs of channels would go if averages alone decided, at 0.8, 0.9 and 0.95? And how many of these are
#    confirmed by their maps?
# 5. Diagnose the next image that is answered wrongly. Does it go wrong in the same layer?
#
# Answers are below; each is a cell that runs with what is defined above.

# %%
# 1. They cost as much as any other, and do what a bias can do: they are the first that may go.
constant = {name: int((layer.std == 0).sum()) for name, layer in survey.layers.items()}
print({name: f"{count} of {survey[name].n_channels}" for name, count in constant.items() if count} or "none")

# %%
# 2. Look at the pictures before you blame the network: at 28 x 28 pixels coats and dresses are hard for people, too.
answers = cnnvis.record(network, test.images[:400], network.default_layers[:1]).logits.argmax(axis=1)
true = np.asarray(test.labels[:400])
right = [(answers[true == label] == label).mean() for label in range(10)]
worst = int(np.argmin(right))
taken = np.bincount(answers[(true == worst) & (answers != worst)], minlength=10).argmax()
print(f"{test.class_names[worst]}: {right[worst]:.0%} right, else mostly {test.class_names[taken]}")

# %%
# 3. If seeds disagree, so would you with a colleague: say how stable a grouping is whenever you show one.
from sklearn.metrics import adjusted_rand_score

others = [cnnvis.communities(alike, random_state=seed) for seed in range(1, 6)]
print("adjusted Rand index:", *(f"{adjusted_rand_score(groups, other):.2f}" for other in others))

# %%
# 4. A higher limit leaves fewer pairs, more of them good, but a quarter stays wrong: averages cannot see where.
for limit in (0.8, 0.9, 0.95):
    alone = [each for each in redundancy.pairs if each.correlation > limit]
    good = sum(each.explained > 0.5 for each in alone)
    print(f"averages above {limit}: {len(alone):4} pairs, {good / max(len(alone), 1):.0%} confirmed by their maps")

# %%
# 5. These are in no layer further off than 99 % of their class: a diagnosis is a case, and no rule.
wrong = [n for n in np.flatnonzero(answers != true) if n != number][:3]
for n in wrong:
    case = cnnvis.diagnose(network, test.images[n : n + 1], survey, true=int(true[n]))
    said = f"{case.named(case.predicted)} instead of {case.named(case.true)}"
    print(f"image {n}: {said}; first departs in {case.first_layer or 'no layer'}")
