"""Images reduced chunk by chunk, with the same bits however they are read and by whom.

A *leaf* is a block of 64³ voxels aligned at the origin, a *node* one of 4³ leaves.  What is known
of each region in a leaf is added up leaf after leaf in a node, and nodes along a fixed binary
tree.  Tasks are nodes, or some that stand next to each other in the tree; how arrays are chunked,
and who reads them, is nowhere in what is computed.

- Counts, extremes, and sums of integers are exact; so means of integers are correctly rounded, and
  their variances up to 32 bits.
- Sums of floats, and variances of these and of integers of 64 bits, are those of the tree, with
  the formula of Chan, which loses nothing where values are large and differ little.
- Percentiles are exact: keys, which sort as the values do, are counted in bins of a range of each
  region, of which the bin with the wanted rank is the next range, until so few keys are left in
  the ranges that they are collected and sorted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np

from ..engine import encoding
from ..engine._kernels import leaves as kernels
from ..engine._kernels.reduce import Nonfinite
from ..engine.threads import each_in_turn, n_cpus, threads_of
from ..errors import InputTooLargeError
from ..executors import each_done
from ..io.volume.nifti import is_inside

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from ..engine.extraction import Nan
    from .voxels import Box, Voxels

Item = TypeVar("Item")
Part = TypeVar("Part")

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

# Where there are so many nodes for each worker, a task has several: a scheduler takes about a
# millisecond for each.
_NODES_PER_TASK = 8
_MANY_NODES = 1 << 10

# So many keys are collected, in 12 bytes each.
_MOST_COLLECTED = 1 << 22

# So many bins are counted in all, in 8 bytes each, unless the fewest for each range are more.
_MOST_COUNTS = 1 << 22
_FEWEST_BINS = 1 << 4
_MOST_BINS = 1 << 11

# So many different values, each as often as there are regions that have it, take 24 bytes each.
_MOST_VALUES = 1 << 24

# Pairs of a region and a value are counted in a table where it has no more places than this.
_WIDEST_TABLE = 1 << 21


@dataclass(frozen=True)
class Blocks:
    """How an image is divided.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels along z, y and x.
    leaf : int, default=64
        Voxels along an edge of a leaf.
    node : int, default=256
        Voxels along an edge of a node.
    """

    shape: tuple[int, int, int]
    leaf: int = 64
    node: int = 256

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return math.prod(self._nodes)

    @property
    def _nodes(self) -> tuple[int, ...]:
        return tuple(-(-n // self.node) for n in self.shape)

    def box(self, number: int) -> Box:
        """Return where a node is; they are numbered in C order."""
        z, y, x = (
            slice(int(at) * self.node, min((int(at) + 1) * self.node, n))
            for at, n in zip(np.unravel_index(number, self._nodes), self.shape, strict=True)
        )
        return z, y, x

    def leaves(self, shape: Sequence[int]) -> Iterator[Box]:
        """Return where leaves are in a node of some shape, in C order."""
        edges = [
            [slice(start, min(start + self.leaf, n)) for start in range(0, n, self.leaf)]
            for n in shape
        ]
        for z, y, x in product(*edges):
            yield z, y, x


@dataclass(frozen=True, eq=False)
class Sources:
    """What is reduced: one map in the regions of labels.

    Parameters
    ----------
    labels : Voxels
    background : number
        The label of no region; NaN: there is none.
    image : Voxels
    nan : {"omit", "propagate", "zero"}
    mask : Voxels, default=None
        Voxels where it is zero are of no region.
    number : int, default=0
        Of the map.
    blocks : Blocks
    """

    labels: Voxels
    background: float
    image: Voxels
    nan: Nan
    mask: Voxels | None
    blocks: Blocks
    number: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype in which values are reduced."""
        return _known(np.empty(0, self.image.dtype)).dtype

    def leaves(self, node: int) -> Iterator[_Leaf]:
        """Read a node, and return the leaves in which there are regions."""
        box = self.blocks.box(node)
        labels = self.labels.read(box)
        if (labels == self.background).all():
            return
        values = _known(self.image.read(box, self.number))
        inside = None if self.mask is None else is_inside(self.mask.read(box))
        for leaf in self.blocks.leaves(labels.shape):
            encoded = encoding.encode(np.ascontiguousarray(labels[leaf]), self.background)
            if not len(encoded.labels):
                continue
            codes = encoded.codes
            voxels = encoding.count(codes, len(encoded.labels) + 1)[1:]
            if inside is not None:
                codes = encoding.masked(codes, np.ascontiguousarray(inside[leaf]))
            yield _Leaf(
                encoded.labels,
                voxels,
                encoding.flat(codes),
                np.ascontiguousarray(values[leaf]).reshape(-1),
            )


class _Leaf(NamedTuple):
    """The voxels of a leaf: their codes, and what the labels are for which these stand."""

    labels: NDArray[np.int64]
    voxels: NDArray[np.int64]
    codes: NDArray[Any]
    values: NDArray[Any]


def _known(values: NDArray[Any]) -> NDArray[Any]:
    """Return values in a dtype that the kernels know."""
    if values.dtype.kind == "b":
        return values.view(np.uint8)
    if values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8):
        return values.astype(np.float64)
    return values


# --- where it is done, and the tree ----------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Side:
    """Who works.

    Parameters
    ----------
    executor : concurrent.futures.Executor, default=None
        Threads of this process when not given.
    n_jobs : int, default=None
        Number of threads.
    tell : callable
        Called with a number of nodes when they are done.
    """

    executor: Executor | None
    n_jobs: int | None
    tell: Callable[[int], None]

    def done(
        self, work: Callable[[range], Part], blocks: Blocks
    ) -> Generator[Part, None, None]:
        """Yield what a function makes of all nodes, some at a time, as they are done."""
        n_nodes = blocks.n_nodes
        step = _NODES_PER_TASK if n_nodes >= _MANY_NODES else 1
        tasks = [range(start, min(start + step, n_nodes)) for start in range(0, n_nodes, step)]
        if self.executor is None:
            results = each_in_turn(work, tasks, min(threads_of(self.n_jobs), len(tasks)))
            for task, part in zip(tasks, results, strict=True):
                self.tell(len(task))
                yield part
            return
        for task, future in each_done(self.executor, work, tasks, n_workers=n_cpus()):
            part = future.result()
            self.tell(len(task))
            yield part


class Tree(Generic[Part]):
    """Joins the parts of nodes along a fixed binary tree, in whatever order they come.

    As many parts wait as the tree has levels, and those of tasks that came early.

    Parameters
    ----------
    n_nodes : int
    join : callable
        Returns one part of two that follow one another.
    """

    def __init__(self, n_nodes: int, join: Callable[[Part, Part], Part]) -> None:
        self._n_nodes = n_nodes
        self._join = join
        self._waiting: dict[tuple[int, int], Part] = {}

    def add(self, level: int, number: int, part: Part) -> None:
        """Add the part of a node, on level 0, or of what is above some."""
        while (n_on_level := -(-self._n_nodes // (1 << level))) > 1:
            sibling = number ^ 1
            if sibling < n_on_level:
                other = self._waiting.pop((level, sibling), None)
                if other is None:
                    break
                part = self._join(part, other) if number < sibling else self._join(other, part)
            level, number = level + 1, number // 2
        self._waiting[level, number] = part

    def parts(self) -> list[tuple[int, int, Part]]:
        """Return what is not joined yet, with its level and number there."""
        return [(level, number, part) for (level, number), part in self._waiting.items()]


def _along_tree(
    side: Side,
    blocks: Blocks,
    of_nodes: Callable[[range], list[tuple[int, int, Part]]],
    join: Callable[[Part, Part], Part],
) -> Part:
    """Return what is joined of all nodes."""
    tree = Tree(blocks.n_nodes, join)
    for parts in side.done(of_nodes, blocks):
        for level, number, part in parts:
            tree.add(level, number, part)
    ((_, _, whole),) = tree.parts()
    return whole


# --- sums ------------------------------------------------------------------------------------


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
    work = partial(_sums_of_nodes, sources, with_rest)
    return _along_tree(side, sources.blocks, work, _two_sums)


def _two_sums(first: RegionSums, second: RegionSums) -> RegionSums:
    return RegionSums.joined([first, second])


def _sums_of_nodes(
    sources: Sources, with_rest: bool, nodes: range  # noqa: FBT001  by position to `partial`
) -> list[tuple[int, int, RegionSums]]:
    tree = Tree(sources.blocks.n_nodes, _two_sums)
    nonfinite = Nonfinite[sources.nan.upper()]
    for node in nodes:
        parts = []
        for leaf in sources.leaves(node):
            part = RegionSums.of_none(leaf.labels)
            kernels.sum_leaf(leaf.codes, leaf.values, nonfinite, with_rest, part.sums)
            part.sums["voxels"] = leaf.voxels
            parts.append(part)
        tree.add(0, node, RegionSums.joined(parts))
    return tree.parts()


def integers(low: NDArray[np.uint64], high: NDArray[np.uint64]) -> list[int]:
    """Return the integers that stand in two words each, in two's complement."""
    words = zip(high.view(np.int64).tolist(), low.tolist(), strict=True)
    return [(above << 64) + below for above, below in words]


# --- keys ------------------------------------------------------------------------------------

_SIGN = np.uint64(1 << 63)


def values_of_keys(keys: NDArray[np.uint64], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return the values, as floats, of a dtype for which keys stand."""
    if dtype.kind == "u":
        return keys.astype(np.float64)
    if dtype.kind == "i":
        return (keys ^ _SIGN).view(np.int64).astype(np.float64)
    word: Any = np.uint64 if dtype.itemsize == 8 else np.uint32
    words = keys.astype(word)
    sign = word(1 << (8 * dtype.itemsize - 1))
    return np.where(words & sign, words ^ sign, ~words).view(dtype).astype(np.float64)


def _key_of_infinity(dtype: np.dtype[Any], *, positive: bool) -> np.uint64:
    """Return the key of an infinite value; there is none of integers."""
    if dtype.kind != "f":
        return np.uint64(0)
    keys = {(8, True): 0xFFF0 << 48, (8, False): 0x000F_FFFF_FFFF_FFFF}
    keys |= {(4, True): 0xFF80 << 16, (4, False): 0x007F_FFFF}
    return np.uint64(keys[dtype.itemsize, positive])


# --- percentiles -----------------------------------------------------------------------------


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
    wanted: Wanted, owners: Owners, sources: Sources, side: Side, limits: Limits = Limits()
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
            found[left] = _collected(wanted, numbers, ranges, of_range, sources, side)
            break
        n_bins = _n_bins(len(ranges.labels), limits)
        shifts = _shifts(shared.widths, n_bins)
        counts = np.zeros((len(firsts), n_bins), np.int64)
        work = partial(_counts_of_nodes, sources, ranges, shifts[of_range], n_bins)
        for places, more in side.done(work, sources.blocks):
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
    sources: Sources, ranges: Ranges, shifts: NDArray[np.uint8], n_bins: int, nodes: range
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return which bins have keys, counted over all ranges, and how many."""
    counts = np.zeros((len(ranges.labels), n_bins), np.int64)
    nonfinite = Nonfinite[sources.nan.upper()]
    for node in nodes:
        for leaf in sources.leaves(node):
            kernels.count_keys(
                leaf.codes, leaf.values, nonfinite, *ranges.of(leaf.labels), ranges.lows,
                ranges.widths, shifts, counts,
            )  # fmt: skip
    places = np.flatnonzero(counts)
    return places, counts.reshape(-1)[places]


def _collected(
    wanted: Wanted,
    numbers: NDArray[np.intp],
    ranges: Ranges,
    of_range: NDArray[np.intp],
    sources: Sources,
    side: Side,
) -> NDArray[np.uint64]:
    """Return the wanted keys, from all of the ranges."""
    parts = list(side.done(partial(_keys_of_nodes, sources, ranges), sources.blocks))
    of_keys = of_range[np.concatenate([at for at, _ in parts])]
    keys = np.concatenate([part for _, part in parts])
    order = np.lexsort((keys, of_keys))
    starts = np.searchsorted(of_keys[order], numbers)
    found: NDArray[np.uint64] = keys[order][starts + wanted.ranks]
    return found


def _keys_of_nodes(
    sources: Sources, ranges: Ranges, nodes: range
) -> tuple[NDArray[np.uint32], NDArray[np.uint64]]:
    """Return the keys in ranges, and the numbers of these."""
    parts = [(np.empty(0, np.uint32), np.empty(0, np.uint64))]
    nonfinite = Nonfinite[sources.nan.upper()]
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


# --- modes -----------------------------------------------------------------------------------


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

    def modes(self, n_rows: int) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return which rows have a value, and the most frequent one, the smallest of several.

        Here `labels` are rows.
        """
        order = np.lexsort((self.keys, -self.counts, self.labels))
        rows, firsts = np.unique(self.labels[order], return_index=True)
        assert not len(rows) or rows[-1] < n_rows, "labels are rows"
        return rows, self.keys[order][firsts]


def value_counts(sources: Sources, side: Side) -> ValueCounts:
    """Return how often each label has each integer in the image."""
    work = partial(_value_counts_of_nodes, sources)
    return _along_tree(side, sources.blocks, work, _two_counts)


def _two_counts(first: ValueCounts, second: ValueCounts) -> ValueCounts:
    return ValueCounts.joined([first, second])


def _value_counts_of_nodes(
    sources: Sources, nodes: range
) -> list[tuple[int, int, ValueCounts]]:
    tree = Tree(sources.blocks.n_nodes, _two_counts)
    for node in nodes:
        parts = list(map(_value_counts_of_leaf, sources.leaves(node)))
        tree.add(0, node, ValueCounts.joined(parts))
    return tree.parts()


def _value_counts_of_leaf(leaf: _Leaf) -> ValueCounts:
    values = leaf.values
    if values.dtype == np.uint64:
        values = (values ^ _SIGN).view(np.int64)
    encoded = encoding.encode(values, np.nan)
    n_values = len(encoded.labels) + 1
    pairs = leaf.codes.astype(np.int64) * n_values + encoded.codes
    n_pairs = (len(leaf.labels) + 1) * n_values
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
    keys = distinct.view(np.uint64) ^ _SIGN if is_signed else distinct.astype(np.uint64)
    return ValueCounts(leaf.labels[codes[is_region] - 1], keys, counts[is_region])
