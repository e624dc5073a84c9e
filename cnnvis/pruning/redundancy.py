"""Which channels say the same: averages or groups propose pairs, maps verify them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.capture import read_moments
from cnnvis.core import ChannelMoments, ChannelPair, ChannelSpaces, Redundancy
from cnnvis.core.checks import as_numbers, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.core.redundancy import ALONE
from cnnvis.pruning.consumers import merge_obstacles
from cnnvis.pruning.cutting import follow
from cnnvis.pruning.options import RedundancyOptions
from cnnvis.pruning.switches import chosen_spaces


def find_redundant(
    model: Any,
    data: Any,
    *,
    correlation: Mapping[str, ArrayLike] | None = None,
    labels: Mapping[str, ArrayLike] | None = None,
    example: Any = None,
    progress: Progress = silent,
    **options: Any,
) -> Redundancy:
    """Return which channels of `model` say the same as another one of their layer.

    What is proposed by averages is verified on maps: for each pair, x_j ~ a x_i + b is fitted by least squares over all
    positions of all images, in every value in which layers read the two channels: behind norm, activation and
    pooling, as those layers receive it.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Left as it was.
    data : pair (inputs, labels), inputs alone, or a DataLoader
        Images to verify on; their labels are not read.
    correlation : mapping of str to (C, C) array_like
        By layer: correlation of averages, as a survey has it. A channel with NaN on its diagonal was constant on
        average; it is proposed to be replaced by a constant. Where several layers of one channel space are given, all
        of them must propose a pair.
    labels : mapping of str to (C,) array_like
        Instead of `correlation`, by layer: the group of each channel. Every pair of a group is proposed.
    example : tensor, tuple or dict, optional
        Input of one forward pass; a Network brings its own.
    progress : callable, optional
        Called as progress(images done, images in all).
    **options
        Of `RedundancyOptions`: correlation_above (default 0.9), explained (default 0.5), layers.

    Returns
    -------
    Redundancy

    Raises
    ------
    InvalidInputError
        When neither or both of correlation and labels are given, an array is not that of its layer, or an option is
        out of range.
    LayerNotFoundError
        For a layer without channels of its own.

    Notes
    -----
    Cost: that of `cnnvis.capture.read_moments`: a forward pass over the images, and C^2 products per position.
    """
    chosen = RedundancyOptions(**options)
    module, _, graph, spaces = follow(model, example, "find_redundant")
    if correlation is not None and labels is None:
        proposed = _by_correlation(spaces, correlation, chosen.correlation_above)
    elif labels is not None and correlation is None:
        proposed = _by_group(spaces, labels)
    else:
        raise InvalidInputError("Pairs are proposed by correlation or by labels: give one of the two.")
    if chosen.layers is not None:
        names = {space.name for space in chosen_spaces(spaces, layers=chosen.layers)}
        proposed = {name: proposal for name, proposal in proposed.items() if name in names}
    why_not = merge_obstacles(module, graph, spaces)
    left_whole = {name: why_not[name] for name in proposed if name in why_not}
    wanted = [space for space in spaces if space.name in proposed and space.name not in left_whole]
    moments, n_images = read_moments(model, data, wanted, progress=progress) if wanted else ({}, 0)
    pairs = [pair for name, found in moments.items() for pair in _verified(name, proposed[name], found, chosen)]
    return Redundancy(tuple(pairs), moments, left_whole, n_images, dataclasses.asdict(chosen))


class _Proposal(NamedTuple):
    """Pairs of one channel space.

    Parameters
    ----------
    pairs : (C, C) ndarray of bool
        True above the diagonal where a pair is proposed.
    alone : (C,) ndarray of bool
        Channels proposed to be constant.
    correlation : (C, C) ndarray of float64
        NaN where it is not known.
    """

    pairs: NDArray[np.bool_]
    alone: NDArray[np.bool_]
    correlation: NDArray[np.float64]


def _by_correlation(spaces: ChannelSpaces, correlation: Mapping[str, ArrayLike], above: float) -> dict[str, _Proposal]:
    """Return what averages propose, by space; of several layers of one space, the least correlation counts."""
    least: dict[str, NDArray[np.float64]] = {}
    for layer, array in correlation.items():
        space = spaces.of(layer)
        matrix = as_numbers(f"correlation of {layer!r}", array)
        require_shape(f"correlation of {layer!r}", matrix, (space.size, space.size))
        if np.any(np.abs(matrix) > 1 + 1e-6):
            raise InvalidInputError(
                f"The correlation of {layer!r} must lie within -1 to 1; it goes up to {np.nanmax(np.abs(matrix)):g}. "
                "Give the correlation itself, not a graph's weights made of it."
            )
        known = least.get(space.name)
        least[space.name] = matrix if known is None else np.minimum(known, matrix)
    proposals = {}
    for name, matrix in least.items():
        alone = np.isnan(np.diagonal(matrix))
        proposals[name] = _Proposal(np.triu(np.nan_to_num(matrix, nan=-1.0) > above, 1), alone, matrix)
    return proposals


def _by_group(spaces: ChannelSpaces, labels: Mapping[str, ArrayLike]) -> dict[str, _Proposal]:
    """Return what groups propose, by space; of several layers of one space, all must have both in one group."""
    together: dict[str, NDArray[np.bool_]] = {}
    for layer, array in labels.items():
        space = spaces.of(layer)
        groups = np.asarray(array)
        require_shape(f"labels of {layer!r}", groups, (space.size,))
        same = np.triu(groups[:, None] == groups, 1)
        together[space.name] = together.get(space.name, True) & same
    return {
        name: _Proposal(same, np.zeros(len(same), dtype=bool), np.full(same.shape, np.nan))
        for name, same in together.items()
    }


def _verified(
    layer: str, proposal: _Proposal, moments: ChannelMoments, options: RedundancyOptions
) -> Iterator[ChannelPair]:
    """Yield every pair proposed with what its maps say."""
    broken, constant = moments.is_broken, moments.is_constant.all(axis=0)
    least = moments.explained().min(axis=0)
    explained = np.maximum(least, least.T)
    for channel in np.flatnonzero(proposal.alone | (constant & _is_paired(proposal))).tolist():
        reason = "" if constant[channel] else "NaN or infinite" if broken[channel] else "constant on average only"
        yield ChannelPair(layer, ALONE, channel, np.nan, float(constant[channel]), reason)
    for first, second in np.argwhere(proposal.pairs).tolist():
        share = float(explained[first, second])
        reason = ""
        if np.isnan(share):
            reason = "NaN or infinite"
        elif share < options.explained:
            reason = f"maps disagree: a straight line explains {share:.2f}, wanted {options.explained:g}"
        yield ChannelPair(layer, first, second, float(proposal.correlation[first, second]), share, reason)


def _is_paired(proposal: _Proposal) -> NDArray[np.bool_]:
    paired: NDArray[np.bool_] = proposal.pairs.any(axis=0) | proposal.pairs.any(axis=1)
    return paired
