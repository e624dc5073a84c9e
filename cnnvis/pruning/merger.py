"""Merge channels of a network in place: weights of the layers behind take over what the channels gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
import torch
from torch import nn

from cnnvis.core import ChannelMoments, Merge, MergeRule
from cnnvis.pruning.consumers import consumers, merge_obstacles
from cnnvis.pruning.cutting import Followed
from cnnvis.pruning.removal import Removed


class Merger:
    """Merges channels of a network, or of copies of it.

    Parameters
    ----------
    followed : Followed
        The network whose structure it is.
    moments : mapping of str to ChannelMoments
        By channel space; needed for the rule "joint" only.

    Attributes
    ----------
    readers : dict of str to tuple of Consumer
        The layers that read the channels of each hidden space that can be merged, by its name.
    n_hidden : int
        Number of hidden channels, those that cannot be merged included.
    """

    def __init__(self, followed: Followed, moments: Mapping[str, ChannelMoments]) -> None:
        network, graph, spaces = followed.module, followed.graph, followed.spaces
        why_not = merge_obstacles(network, graph, spaces)
        self.readers = {
            space.name: consumers(network, graph, space) for space in spaces.hidden if space.name not in why_not
        }
        self.n_hidden = sum(space.size for space in spaces.hidden)
        self._stretch = {space.name: space.size // space.groups for space in spaces.hidden}
        self._moments = moments

    def merge(self, network: nn.Module, merges: Sequence[Merge], before: Sequence[Merge] = ()) -> list[Merge]:
        """Let layers read in the place of the channels merged what the rules say, in place.

        W_kept += a W_merged, bias += b times the sum of W_merged over the kernel, W_merged = 0: the network computes
        what it will without the channels. A layer without bias gets one where b is not 0.

        Parameters
        ----------
        network : nn.Module
            Changed.
        merges : sequence of Merge
        before : sequence of Merge
            What was merged in this network already.

        Returns
        -------
        list of Merge
            The same with their border errors, of each layer's stretch together.
        """
        parts: dict[tuple[str, int, MergeRule], list[Merge]] = {}
        for merge in merges:
            parts.setdefault((merge.layer, merge.merged // self._stretch[merge.layer], merge.rule), []).append(merge)
        gone = {(merge.layer, merge.merged) for merge in (*before, *merges)}
        done = []
        for (layer, stretch, rule), part in parts.items():
            if rule is MergeRule.JOINT:
                size = self._stretch[layer]
                staying = [c for c in range(stretch * size, (stretch + 1) * size) if (layer, c) not in gone]
                done += self._jointly(network, part, staying)
            else:
                done += [self._one(network, merge) for merge in part]
        return done

    def steps(self, network: nn.Module, merges: Sequence[Merge]) -> Iterator[list[Merge]]:
        """Merge step by step in `network`, which is changed; yield all that is merged in it after each step."""
        done: list[Merge] = []
        for _, part in groupby(merges, key=lambda merge: merge.step):
            done = done + self.merge(network, list(part), done)
            yield done

    def _one(self, network: nn.Module, merge: Merge) -> Merge:
        scales, shifts = merge.taken_over
        errors = [0.0]
        for reader in self.readers[merge.layer]:
            weights = reader.weights(network, [merge.merged])
            if scales[reader.place]:
                reader.add(network, [merge.kept], scales[reader.place] * weights)
            if shifts[reader.place]:
                errors.append(reader.add_constant(network, merge.merged, weights[0], shifts[reader.place]))
            reader.clear(network, [merge.merged])
        return merge._replace(border_error=max(errors))

    def _jointly(self, network: nn.Module, part: Sequence[Merge], staying: Sequence[int]) -> list[Merge]:
        """Merge channels of one stretch of one layer into all that stay there."""
        moments, going = self._moments[part[0].layer], [merge.merged for merge in part]
        taking = np.array([channel for channel in staying if not moments.is_broken[channel]], dtype=np.int64)
        scale, shift = moments.joint_fit(taking, np.array(going, dtype=np.int64))
        errors = np.zeros(len(part))
        for reader in self.readers[part[0].layer]:
            weights = reader.weights(network, going)
            parts = torch.from_numpy(scale[reader.place]).to(weights)
            if taking.size:
                reader.add(network, taking.tolist(), torch.tensordot(parts, weights, dims=1))
            for index, channel in enumerate(going):
                error = reader.add_constant(network, channel, weights[index], float(shift[reader.place, index]))
                errors[index] = max(errors[index], error)
            reader.clear(network, going)
        return [merge._replace(border_error=float(error)) for merge, error in zip(part, errors, strict=True)]


def channels_gone(merges: Sequence[Merge]) -> Removed:
    """Return the channels of which nothing is read any more, by channel space."""
    gone: dict[str, list[int]] = {}
    for merge in merges:
        gone.setdefault(merge.layer, []).append(merge.merged)
    return {name: np.array(sorted(channels), dtype=np.int64) for name, channels in gone.items()}
