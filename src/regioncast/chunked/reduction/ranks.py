"""Keys of certain ranks, which percentiles lie between, without all keys in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...engine._kernels import leaves as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .blocks import Sources
    from .tasks import Side, Task

# So many keys are collected, in 12 bytes each.
_MOST_COLLECTED = 1 << 22

# So many bins are counted in all, in 8 bytes each, unless the fewest for each range are more.
_MOST_COUNTS = 1 << 22
_FEWEST_BINS = 1 << 4
_MOST_BINS = 1 << 11


@dataclass(frozen=True, eq=False)
class Owners:
    """Which region each label is of.

    Parameters
    ----------
    labels : array of int64
        Distinct and ascending.
    rows : array of int64
        The row of the region of each.
    """

    labels: NDArray[np.int64]
    rows: NDArray[np.int64]

    def each(self, ranges: Ranges, rows: NDArray[np.int64]) -> tuple[Ranges, NDArray[np.int64]]:
        """Return ranges of rows as those of their labels, and the number of the range of each."""
        order = np.argsort(rows, kind="stable")
        firsts = np.searchsorted(rows[order], self.rows, "left")
        n_of_label = np.searchsorted(rows[order], self.rows, "right") - firsts
        # The ranges of a label follow one another: 0, 1, … from the first one of its row on.
        starts = np.cumsum(n_of_label) - n_of_label
        within = np.arange(n_of_label.sum()) - np.repeat(starts, n_of_label)
        numbers = order[np.repeat(firsts, n_of_label) + within]
        of_labels = Ranges(
            np.repeat(self.labels, n_of_label), ranges.lows[numbers], ranges.widths[numbers]
        )
        return of_labels, numbers


@dataclass(frozen=True, eq=False)
class Ranges:
    """Ranges of keys, none of which overlap in a region.

    Parameters
    ----------
    labels : array of int64, shape (n_ranges,)
        The region of each, ascending.
    lows, widths : array of uint64, shape (n_ranges,)
        The first key of each, and how far the last one is above that.
    """

    labels: NDArray[np.int64]
    lows: NDArray[np.uint64]
    widths: NDArray[np.uint64]

    def of(self, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the number of the first range of each label, and that after its last one."""
        firsts = np.searchsorted(self.labels, labels, "left")
        return firsts, np.searchsorted(self.labels, labels, "right")


@dataclass(frozen=True, eq=False)
class Wanted:
    """Keys that are looked for: of each the region, its rank, and between which keys it is.

    Parameters
    ----------
    rows : array of int64
        Rows of regions.
    ranks : array of int64
        How many keys of the range are before it.
    lows, widths : array of uint64
        The range: its first key, and how far the last one is above that.
    counts : array of int64
        How many keys there are in the range.
    """

    rows: NDArray[np.int64]
    ranks: NDArray[np.int64]
    lows: NDArray[np.uint64]
    widths: NDArray[np.uint64]
    counts: NDArray[np.int64]

    def take(self, which: NDArray[Any]) -> Wanted:
        """Return some of them."""
        fields = (self.rows, self.ranks, self.lows, self.widths, self.counts)
        return Wanted(*(field[which] for field in fields))


class Limits(NamedTuple):
    """How much is kept at once.

    Parameters
    ----------
    collected : int, default=2**22
        Keys that are collected, rather than counted.
    counts : int, default=2**22
        Bins of all ranges.
    bins : int, default=2**11
        Bins of one range.
    """

    collected: int = _MOST_COLLECTED
    counts: int = _MOST_COUNTS
    bins: int = _MOST_BINS


def keys_of_ranks(
    wanted: Wanted, owners: Owners, sources: Sources, side: Side, limits: Limits
) -> NDArray[np.uint64]:
    """Return the wanted keys, in as many passes over the image as it takes."""
    found = wanted.lows.copy()
    left = np.flatnonzero(wanted.widths)
    wanted = wanted.take(left)
    while len(left):
        # Several of one range, which they share whole, are looked for in the same bins.
        ids = np.empty(len(left), [("row", np.int64), ("low", np.uint64)])
        ids["row"], ids["low"] = wanted.rows, wanted.lows
        _, firsts, numbers = np.unique(ids, return_index=True, return_inverse=True)
        shared = wanted.take(firsts)
        of_rows = Ranges(shared.rows, shared.lows, shared.widths)
        ranges, of_range = owners.each(of_rows, shared.rows)
        if shared.counts.sum() <= limits.collected:
            all_keys = _collected(ranges, sources, side)
            found[left] = _ranked(wanted, numbers, of_range, *all_keys)
            break
        n_bins = _n_bins(len(ranges.labels), limits)
        shifts = _shifts(shared.widths, n_bins)
        counts = np.zeros((len(firsts), n_bins), np.int64)
        work = partial(_counts_of_nodes, ranges, shifts[of_range], n_bins)
        for places, more in side.done(work, sources):
            at, bins = np.divmod(places, n_bins)
            np.add.at(counts, (of_range[at], bins), more)
        wanted = _narrowed(wanted, numbers, counts, shifts)
        found[left] = wanted.lows
        is_open = wanted.widths > 0
        left, wanted = left[is_open], wanted.take(is_open)
    return found


def _n_bins(n_ranges: int, limits: Limits) -> int:
    """Return how many bins each range has, a power of two."""
    most = max(_FEWEST_BINS, min(limits.bins, limits.counts // n_ranges))
    return 1 << (most.bit_length() - 1)


def _shifts(widths: NDArray[np.uint64], n_bins: int) -> NDArray[np.uint8]:
    """Return how many keys a bin has to have, as powers of two, for all of a range to have one."""
    shifts = np.zeros(len(widths), np.uint8)
    while (is_wide := widths >> shifts.astype(np.uint64) >= np.uint64(n_bins)).any():
        shifts += is_wide
    return shifts


def _narrowed(
    wanted: Wanted,
    numbers: NDArray[np.intp],
    counts: NDArray[np.int64],
    shifts: NDArray[np.uint8],
) -> Wanted:
    """Return what is wanted in the bins in which it is.

    `numbers` are those of the ranges, of which `counts` are the bins.
    """
    up_to = np.cumsum(counts, axis=1)
    bins = (up_to[numbers] <= wanted.ranks[:, np.newaxis]).sum(axis=1)
    inside = counts[numbers, bins]
    shift = shifts[numbers].astype(np.uint64)
    start = bins.astype(np.uint64) << shift
    return replace(
        wanted,
        ranks=wanted.ranks - (up_to[numbers, bins] - inside),
        lows=wanted.lows + start,
        widths=np.minimum((np.uint64(1) << shift) - np.uint64(1), wanted.widths - start),
        counts=inside,
    )


def _counts_of_nodes(
    ranges: Ranges, shifts: NDArray[np.uint8], n_bins: int, task: Task
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return which bins have keys, counted over all ranges, and how many."""
    sources, nodes = task
    counts = np.zeros((len(ranges.labels), n_bins), np.int64)
    nonfinite = sources.nonfinite
    for node in nodes:
        for leaf in sources.leaves(node):
            kernels.count_keys(
                leaf.codes, leaf.values, nonfinite, *ranges.of(leaf.labels), ranges.lows,
                ranges.widths, shifts, counts,
            )  # fmt: skip
    places = np.flatnonzero(counts)
    return places, counts.reshape(-1)[places]


def _collected(
    ranges: Ranges, sources: Sources, side: Side
) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Return all keys in ranges, and the numbers of these."""
    parts = list(side.done(partial(_keys_of_nodes, ranges), sources))
    ats, keys = zip(*parts, strict=True)
    return np.concatenate(ats), np.concatenate(keys)


def _ranked(
    wanted: Wanted,
    numbers: NDArray[np.intp],
    of_range: NDArray[np.intp],
    ats: NDArray[np.uint32],
    keys: NDArray[np.uint64],
) -> NDArray[np.uint64]:
    """Return the wanted keys from all of their ranges, of which `numbers` are the numbers."""
    of_keys = of_range[ats]
    order = np.lexsort((keys, of_keys))
    starts = np.searchsorted(of_keys[order], numbers)
    found: NDArray[np.uint64] = keys[order][starts + wanted.ranks]
    return found


def _keys_of_nodes(ranges: Ranges, task: Task) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Return the keys in ranges, and the numbers of these."""
    sources, nodes = task
    parts = [(np.empty(0, np.uint32), np.empty(0, np.uint64))]
    nonfinite = sources.nonfinite
    for node in nodes:
        for leaf in sources.leaves(node):
            at, keys = np.empty(leaf.codes.size, np.uint32), np.empty(leaf.codes.size, np.uint64)
            n = kernels.collect_keys(
                leaf.codes, leaf.values, nonfinite, *ranges.of(leaf.labels), ranges.lows,
                ranges.widths, at, keys,
            )  # fmt: skip
            parts.append((at[:n].copy(), keys[:n].copy()))
    ats, all_keys = zip(*parts, strict=True)
    return np.concatenate(ats), np.concatenate(all_keys)
