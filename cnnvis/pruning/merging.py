"""Merge redundant channels, and cut out those that went."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from cnnvis.core import Merge, MergeRule, MergeStep, Redundancy
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.models import Network
from cnnvis.pruning.cutting import (
    Followed,
    as_network,
    checked_difference,
    follow,
    multiply_adds,
    n_parameters,
    outputs,
    without,
)
from cnnvis.pruning.judge import Judge, Verdict
from cnnvis.pruning.merge_plan import Planned, in_order, planned_merges
from cnnvis.pruning.merger import Merger, channels_gone
from cnnvis.pruning.options import MergeOptions
from cnnvis.pruning.structural import Pruned


@dataclass(frozen=True, slots=True, eq=False)
class MergedNetwork:
    """A smaller network whose redundant channels were merged, and how it came about.

    Parameters
    ----------
    pruned : Pruned
        The smaller network, as `prune` gives it and `save_pruned` writes it; its `largest_difference` is that between
        the smaller network and the one of the original's size in which the same channels were merged.
    merges : tuple of Merge
        In the order in which they were done.
    steps : tuple of MergeStep
        The whole network first, then each step that was done.
    too_costly : MergeStep or None
        The step that was tried last and not done, because it lost too much accuracy; None where all were done.
    redundancy : Redundancy
        What was merged by.
    has_labels : bool
        Whether steps were judged by labels, or by the whole network's answers.
    """

    pruned: Pruned
    merges: tuple[Merge, ...]
    steps: tuple[MergeStep, ...]
    too_costly: MergeStep | None
    redundancy: Redundancy
    has_labels: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "merges", tuple(self.merges))
        object.__setattr__(self, "steps", tuple(self.steps))

    @property
    def network(self) -> Network:
        """The smaller network."""
        return self.pruned.network


def merge_channels(
    model: Any,
    redundancy: Redundancy,
    data: Any,
    *,
    example: Any = None,
    progress: Progress = silent,
    **options: Any,
) -> MergedNetwork:
    """Return a copy of `model` in which redundant channels are merged and gone.

    Where x_j ~ a x_i + b, layers that read channel j read channel i in its place: W_i += a W_j, and b times the sum
    of W_j over the kernel goes into the bias (a layer without one gets it). Then j is cut out of all layers that share
    it. By the rule "joint", x_j ~ a sum over all channels that stay, and each of these takes its part over. Channels go
    cheapest first; of each step, that rule is kept which gives the least loss.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Left as it was; nothing is trained.
    redundancy : Redundancy
        Of this network; its verified pairs are merged.
    data : pair (inputs, labels), inputs alone, or a DataLoader
        Validation images, never test images: they choose the rules and say when to stop. Without labels, the logits'
        distance from those of the whole network does.
    example : tensor, tuple or dict, optional
        Input of one forward pass; a Network brings its own.
    progress : callable, optional
        Called as progress(networks judged, networks to judge).
    **options
        Of `MergeOptions`: max_drop (default 0.01), max_share, n_steps (default 12), rules.

    Returns
    -------
    MergedNetwork
        Its outputs on the example equal those of the network with the same channels merged and not cut out: this is
        checked before it is returned. Where nothing was verified, nothing is merged.

    Raises
    ------
    InvalidInputError
        When the redundancy is that of another network, an option is out of range, or the network has no class output.

    Notes
    -----
    Fits are those of the original network; they are not made anew behind layers that were merged. Cost: a pass over
    the images per step and rule.
    """
    chosen = MergeOptions(**options)
    followed = follow(model, example, "merge_channels")
    merger = Merger(followed, redundancy.moments)
    parts = _parts(_planned(followed, merger, redundancy), merger.n_hidden, chosen)
    judge = Judge(model, data)
    state = _State(followed.module, (), judge(followed.module))
    steps, too_costly = [MergeStep(0, 0.0, None, {}, *state.verdict)], None
    for number, part in enumerate(parts):
        trials = {}
        for rule in chosen.rules:
            merges = [_merge(planned, redundancy, rule, number + 1) for planned in part]
            trials[rule] = _merged(state, merger, merges, judge)
            progress(number * len(chosen.rules) + len(trials), len(parts) * len(chosen.rules))
        rule, tried = min(trials.items(), key=lambda trial: np.nan_to_num(trial[1].verdict.loss, nan=np.inf))
        losses = {str(name): trial.verdict.loss for name, trial in trials.items()}
        n_merged = len(tried.merges)
        step = MergeStep(n_merged, n_merged / merger.n_hidden, rule, losses, *tried.verdict)
        if _is_too_costly(step, steps[0], chosen.max_drop):
            too_costly = step
            break
        steps.append(step)
        state = tried
    settings = {"method": "merging", **dataclasses.asdict(chosen), "images": judge.n_images}
    return MergedNetwork(
        pruned=_cut(model, followed, state, redundancy, settings),
        merges=state.merges,
        steps=tuple(steps),
        too_costly=too_costly,
        redundancy=redundancy,
        has_labels=judge.has_labels,
    )


def merged_until(model: Any, merged: MergedNetwork, *, max_drop: float, example: Any = None) -> MergedNetwork:
    """Return the same merging, ended before the first step that loses more accuracy than allowed.

    What `merge_channels` gives with this `max_drop`, to the bit, without judging anything again: its steps are taken
    from a run that went further.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        The one that was merged; left as it was.
    merged : MergedNetwork
        Made with max_drop=None, or a larger one.
    max_drop : float
        As in `MergeOptions`.
    example : tensor, tuple or dict, optional
        Input of one forward pass; a Network brings its own.
    """
    options = {name: merged.pruned.options[name] for name in ("max_share", "n_steps", "rules")}
    chosen = MergeOptions(max_drop=max_drop, **options)
    costly = [_is_too_costly(step, merged.steps[0], chosen.max_drop) for step in merged.steps]
    end = costly.index(True) if any(costly) else len(costly)
    last = merged.steps[end - 1]
    followed = follow(model, example, "merged_until")
    network, merges = copy.deepcopy(followed.module), merged.merges[: last.n_merged]
    for _ in Merger(followed, merged.redundancy.moments).steps(network, merges):
        pass
    state = _State(network, merges, Verdict(last.loss, last.accuracy))
    return dataclasses.replace(
        merged,
        pruned=_cut(model, followed, state, merged.redundancy, {**merged.pruned.options, "max_drop": max_drop}),
        merges=merges,
        steps=merged.steps[:end],
        too_costly=merged.steps[end] if any(costly) else merged.too_costly,
    )


def _is_too_costly(step: MergeStep, whole: MergeStep, max_drop: float | None) -> bool:
    return max_drop is not None and step.accuracy < whole.accuracy - max_drop - 1e-12


class _State(NamedTuple):
    """A network of the original's size in which channels were merged."""

    network: nn.Module
    merges: tuple[Merge, ...]
    verdict: Verdict


def _planned(followed: Followed, merger: Merger, redundancy: Redundancy) -> list[tuple[Planned, ...]]:
    """Return what to merge, cheapest first."""
    explained = float(redundancy.options.get("explained", 0.0))
    plans = {}
    for name, found in redundancy.moments.items():
        space = followed.spaces.of(name)
        if name not in merger.readers or found.mean.shape != (len(space.reads), space.size):
            raise InvalidInputError(
                f"The redundancy of {name!r} is that of another network: here it has {space.size} channels in "
                f"{len(space.reads)} values. Find the redundant channels of this one."
            )
        energy = np.zeros(found.mean.shape)
        for reader in merger.readers[name]:
            energy[reader.place] += reader.energy(followed.module, space.size)
        pairs = [pair for pair in redundancy.verified if pair.layer == name]
        plans[name] = planned_merges(space, pairs, found, energy, explained)
    return in_order(plans)


def _parts(bundles: list[tuple[Planned, ...]], n_hidden: int, options: MergeOptions) -> list[list[Planned]]:
    """Return the merges of each step."""
    allowed = np.cumsum([len(bundle) for bundle in bundles]) <= options.max_share * n_hidden + 1e-9
    bundles = bundles[: int(allowed.sum())]
    places = np.array_split(np.arange(len(bundles)), max(1, min(options.n_steps, len(bundles))))
    return [[planned for place in part for planned in bundles[place]] for part in places if part.size]


def _merge(planned: Planned, redundancy: Redundancy, rule: MergeRule, step: int) -> Merge:
    moments = redundancy.moments[planned.layer]
    scale, shift = moments.fit(planned.kept, planned.merged)
    return Merge(planned.layer, planned.kept, planned.merged, scale, shift, planned.explained, rule, step, 0.0)


def _merged(state: _State, merger: Merger, merges: Sequence[Merge], judge: Judge) -> _State:
    network = copy.deepcopy(state.network)
    done = merger.merge(network, merges, state.merges)
    return _State(network, (*state.merges, *done), judge(network))


def _cut(model: Any, followed: Followed, state: _State, redundancy: Redundancy, settings: dict[str, Any]) -> Pruned:
    """Return the network without the channels that nothing is read of any more."""
    module, call = followed.module, followed.call
    removed = channels_gone(state.merges)
    smaller = without(state.network, followed, removed)
    return Pruned(
        network=as_network(model, smaller, call, "merged"),
        removed=removed,
        left_whole=dict(redundancy.left_whole),
        n_parameters=(n_parameters(module), n_parameters(smaller)),
        multiply_adds=(multiply_adds(module, call), multiply_adds(smaller, call)),
        largest_difference=checked_difference(outputs(state.network, call), smaller, call),
        original=getattr(model, "name", type(module).__name__),
        options={**settings, "merges": [merge._asdict() for merge in state.merges]},
    )
