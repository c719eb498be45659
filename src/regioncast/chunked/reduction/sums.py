"""What is known of regions in the same few bytes, however many voxels they have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...engine._kernels import leaves as kernels
from .tasks import Tree, along_tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .blocks import Sources
    from .tasks import Side, Task

SUMS = np.dtype(
    [
        ("voxels", np.int64),  # of the region
        ("in_mask", np.int64),
        ("finite", np.int64),
        ("used", np.int64),  # values that all that follows the next three is of
        ("nans", np.int64),  # these three where they are propagated
        ("positive", np.int64),  # infinite
        ("negative", np.int64),
        ("least", np.uint64),  # keys
        ("largest", np.uint64),
        ("sum_low", np.uint64),  # of integers, in two words, in two's complement
        ("sum_high", np.uint64),
        ("squares_low", np.uint64),  # of integers up to 32 bits
        ("squares_high", np.uint64),
        ("total", np.float64),  # of floats
        ("mean", np.float64),  # of floats and of integers of 64 bits
        ("rest", np.float64),  # of the squares about the mean
    ]
)
"""What is known of a region; `Sums` to the kernels."""


class RegionSums(NamedTuple):
    """What is known of regions.

    Parameters
    ----------
    labels : array of int64, shape (n_regions,)
        Distinct and ascending.
    sums : array of `SUMS`, shape (n_regions,)
    """

    labels: NDArray[np.int64]
    sums: NDArray[Any]

    @classmethod
    def of_none(cls, labels: NDArray[np.int64]) -> RegionSums:
        """Return what is known of regions without a voxel."""
        sums = np.zeros(len(labels), SUMS)
        sums["least"] = np.iinfo(np.uint64).max
        return cls(labels, sums)

    @classmethod
    def joined(cls, parts: Sequence[RegionSums]) -> RegionSums:
        """Return what is known from all parts, added up one after the other."""
        labels = np.concatenate([part.labels for part in parts] or [np.empty(0, np.int64)])
        whole = cls.of_none(np.unique(labels))
        for part in parts:
            kernels.add_sums(whole.sums, np.searchsorted(whole.labels, part.labels), part.sums)
        return whole

    def take(self, which: NDArray[Any]) -> RegionSums:
        """Return what is known of some regions."""
        return RegionSums(self.labels[which], self.sums[which])

    def by_rows(self, rows: NDArray[np.int64], n_rows: int) -> NDArray[Any]:
        """Return what is known of rows, of which each label has one; several are added up."""
        whole = self.of_none(np.arange(n_rows))
        kernels.add_sums(whole.sums, rows, self.sums)
        return whole.sums


def sums_of(sources: Sources, side: Side, *, with_rest: bool) -> RegionSums:
    """Return what is known of all labels in the image.

    Parameters
    ----------
    sources : Sources
    side : Side
    with_rest : bool
        Whether variances are wanted.
    """
    return along_tree(side, sources, partial(_sums_of_nodes, with_rest), _two_sums)


def _two_sums(first: RegionSums, second: RegionSums) -> RegionSums:
    return RegionSums.joined([first, second])


def _sums_of_nodes(
    with_rest: bool,  # noqa: FBT001  by position to `partial`
    task: Task,
) -> list[tuple[int, int, RegionSums]]:
    sources, nodes = task
    # A task joins what it can of the tree, so that little is sent back of a task of many nodes.
    tree = Tree(sources.blocks.n_nodes, _two_sums)
    nonfinite = sources.nonfinite
    for node in nodes:
        parts = []
        for leaf in sources.leaves(node):
            part = RegionSums.of_none(leaf.labels)
            kernels.sum_leaf(leaf.codes, leaf.values, nonfinite, with_rest, part.sums)
            part.sums["voxels"] = part.sums["in_mask"] if leaf.voxels is None else leaf.voxels
            parts.append(part)
        tree.add(0, node, RegionSums.joined(parts))
    return tree.parts()


def integers(low: NDArray[np.uint64], high: NDArray[np.uint64]) -> list[int]:
    """Return the integers that stand in two words each, in two's complement."""
    words = zip(high.view(np.int64).tolist(), low.tolist(), strict=True)
    return [(above << 64) + below for above, below in words]
