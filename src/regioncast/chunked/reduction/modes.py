"""How often each region has each value, for the most frequent one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...engine import encoding
from ...errors import InputTooLargeError
from .keys import SIGN
from .tasks import Tree, along_tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .blocks import Leaf, Sources
    from .tasks import Side, Task

# So many different values, each as often as there are regions that have it, take 24 bytes each.
_MOST_VALUES = 1 << 24

# Pairs of a region and a value are counted in a table where it has no more places than this.
_WIDEST_TABLE = 1 << 21


class ValueCounts(NamedTuple):
    """How often each region has each value.

    Parameters
    ----------
    labels : array of int64
        Of regions, ascending.
    keys : array of uint64
        Of values, ascending in each region.
    counts : array of int64
    """

    labels: NDArray[np.int64]
    keys: NDArray[np.uint64]
    counts: NDArray[np.int64]

    @classmethod
    def joined(cls, parts: Sequence[ValueCounts]) -> ValueCounts:
        """Return the counts of all parts.

        Raises `InputTooLargeError` where there are too many values.
        """
        none = cls(np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0, np.int64))
        labels, keys, counts = map(np.concatenate, zip(none, *parts, strict=True))
        order = np.lexsort((keys, labels))
        labels, keys = labels[order], keys[order]
        is_new = np.ones(len(labels), bool)
        is_new[1:] = (labels[1:] != labels[:-1]) | (keys[1:] != keys[:-1])
        firsts = np.flatnonzero(is_new)
        if len(firsts) > _MOST_VALUES:
            raise InputTooLargeError(
                f"The mode needs to count how often each region has each value, and there are more "
                f"than {_MOST_VALUES:,} of both. Take the median, or an image of categories."
            )
        summed = np.add.reduceat(counts[order], firsts) if len(firsts) else counts
        return cls(labels[firsts], keys[firsts], summed)

    def modes(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return the regions, and of each the most frequent key, the smallest of several."""
        order = np.lexsort((self.keys, -self.counts, self.labels))
        labels, firsts = np.unique(self.labels[order], return_index=True)
        return labels, self.keys[order][firsts]


def value_counts(sources: Sources, side: Side) -> ValueCounts:
    """Return how often each label has each integer in the image."""
    return along_tree(side, sources, _value_counts_of_nodes, _two_counts)


def _two_counts(first: ValueCounts, second: ValueCounts) -> ValueCounts:
    return ValueCounts.joined([first, second])


def _value_counts_of_nodes(task: Task) -> list[tuple[int, int, ValueCounts]]:
    sources, nodes = task
    tree = Tree(sources.blocks.n_nodes, _two_counts)
    for node in nodes:
        parts = list(map(_value_counts_of_leaf, sources.leaves(node)))
        tree.add(0, node, ValueCounts.joined(parts))
    return tree.parts()


def _value_counts_of_leaf(leaf: Leaf) -> ValueCounts:
    values = leaf.values
    # The encoder takes integers for labels, which have a sign; keys are made back from them.
    if values.dtype == np.uint64:
        values = (values ^ SIGN).view(np.int64)
    encoded = encoding.encode(values, np.nan)
    n_values = len(encoded.labels) + 1
    pairs = leaf.codes.astype(np.int64) * n_values + encoded.codes
    n_pairs = (len(leaf.labels) + 1) * n_values
    # To count in a table is many times as fast as to sort, as long as it stays in the cache.
    if n_pairs <= _WIDEST_TABLE:
        table = np.bincount(pairs)
        pairs = np.flatnonzero(table)
        counts = table[pairs]
    else:
        pairs, counts = np.unique(pairs, return_counts=True)
    codes, numbers = np.divmod(pairs, n_values)
    is_region = codes > 0
    distinct = encoded.labels[numbers[is_region] - 1]
    is_signed = leaf.values.dtype.kind == "i" or leaf.values.dtype == np.uint64
    keys = distinct.view(np.uint64) ^ SIGN if is_signed else distinct.astype(np.uint64)
    return ValueCounts(leaf.labels[codes[is_region] - 1], keys, counts[is_region])
