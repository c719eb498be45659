"""Which of the distinct labels, in ascending order, the label in each of many places is.

Where there is a region for every eight voxels this takes as long as painting them does, so it is
done by a table that stays in the cache, or by sorting in threads.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from ..errors import LabelsError
from ._kernels import encode as kernels
from ._kernels.paint import put_columns, take_columns
from .memory import bits, passing
from .threads import in_threads, n_cpus, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# A table (1 byte each) may have so many entries per label that is ranked: no more memory than
# sorting takes, which needs 8 bytes per label.
_TABLE_PER_LABEL = 8

# So many labels are sorted by one thread, which is faster than to start another.
_SORTED_BY_ONE = 1 << 15

# So many columns are moved by one thread, for the same reason.
_MOVED_BY_ONE = 1 << 17

# Set in an order of places where a place has the label of the one before.
_REPEATED = 1 << 31


class Ranking(Protocol):
    """Which of the distinct labels, in ascending order, the label in each place is."""

    @property
    def n_places(self) -> int:
        """Number of places."""
        ...

    @property
    def n_distinct(self) -> int:
        """Number of distinct labels."""
        ...

    def numbers(self) -> NDArray[np.uint32]:
        """Return for each place the number of its label, from 1, or 0 where it has none."""
        ...

    def distinct(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the distinct ones of the labels in the places, ascending."""
        ...

    def put(self, values: NDArray[Any], out: NDArray[Any]) -> None:
        """Set the columns of `out`, one per place, to those of `values`, one per distinct label.

        They are set to zero where a place has no label.
        """
        ...


@dataclass(frozen=True, eq=False)
class Ranks:
    """A ranking by the number of the label in each place.

    Parameters
    ----------
    ranks : array of uint32
        For each place the number of its label, from 1, or 0 where it has none.
    n_distinct : int

    Examples
    --------
    >>> ranks = Ranks(np.array([0, 2, 1, 2], np.uint32), n_distinct=2)
    >>> out = np.empty((1, 4))
    >>> ranks.put(np.array([[0.5, 1.5]]), out)
    >>> out
    array([[0. , 1.5, 0.5, 1.5]])
    """

    ranks: NDArray[np.uint32]
    n_distinct: int

    @property
    def n_places(self) -> int:
        """Number of places."""
        return len(self.ranks)

    def numbers(self) -> NDArray[np.uint32]:
        """Return for each place the number of its label, from 1, or 0 where it has none."""
        return self.ranks

    def distinct(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the distinct ones of the labels in the places, ascending."""
        distinct = np.empty(self.n_distinct, labels.dtype)
        has_label = self.ranks > 0
        distinct[self.ranks[has_label] - 1] = labels[has_label]
        return distinct

    def put(self, values: NDArray[Any], out: NDArray[Any]) -> None:
        """Set the columns of `out`, one per place, to those of `values`, one per distinct label."""
        source, target = bits(values), bits(out)

        def take(part: slice) -> None:
            take_columns(self.ranks[part], source, target[:, part])

        in_threads(take, _parts(self.n_places, _MOVED_BY_ONE))


@dataclass(frozen=True, eq=False)
class OrderedPlaces:
    """A ranking by the places in ascending order of their labels.

    It is had sooner than the numbers are, and to move values by it takes less time: memory is
    written here and there, for which the processor does not wait as it does for what it reads.

    Parameters
    ----------
    places : array of uint32
        ``2**31`` is added where the label is that of the place before.
    none : array of int
        The places of no label, which are among the others with any label.
    n_distinct : int

    Examples
    --------
    >>> places = np.array([2, 0, 1, 3 + 2**31], np.uint32)
    >>> order = OrderedPlaces(places, none=np.array([0]), n_distinct=3)
    >>> order.numbers()
    array([0, 3, 1, 3], dtype=uint32)
    """

    places: NDArray[np.uint32]
    none: NDArray[np.intp]
    n_distinct: int

    @property
    def n_places(self) -> int:
        """Number of places."""
        return len(self.places)

    def numbers(self) -> NDArray[np.uint32]:
        """Return for each place the number of its label, from 1, or 0 where it has none."""
        numbers = passing(self.n_places, np.uint32)
        self.put(
            np.arange(1, 1 + self.n_distinct, dtype=np.uint32)[np.newaxis], numbers[np.newaxis]
        )
        return numbers

    def distinct(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the distinct ones of the labels in the places, ascending."""
        return labels[self.places[self.places < _REPEATED]]

    def put(self, values: NDArray[Any], out: NDArray[Any]) -> None:
        """Set the columns of `out`, one per place, to those of `values`, one per distinct label."""
        source, target = bits(values), bits(out)
        parts = _parts(self.n_places, _MOVED_BY_ONE)
        n_new = [int(np.count_nonzero(self.places[part] < _REPEATED)) for part in parts[:-1]]
        befores = accumulate(n_new, initial=0)

        def put_part(job: tuple[slice, int]) -> None:
            part, before = job
            put_columns(self.places[part], before, source, target)

        in_threads(put_part, list(zip(parts, befores, strict=True)))
        out[:, self.none] = 0


def ranked(
    labels: NDArray[np.int64],
    none: Sequence[int] | NDArray[np.intp] = (),
    limits: tuple[int, int] | None = None,
) -> Ranking:
    """Rank the labels of places.

    Parameters
    ----------
    labels : array of int64
    none : sequence of int, default=()
        Places that have no label, where the array holds that of another place.
    limits : tuple of int, default=None
        The lowest label and the highest, if they are known.
    """
    if not len(labels):
        return Ranks(np.empty(0, np.uint32), 0)
    low, high = kernels.limits(labels) if limits is None else limits
    without_label = np.asarray(none, np.intp)
    if high - low < _TABLE_PER_LABEL * len(labels):
        return _ranked_by_table(labels, without_label, low, high)
    return _ranked_by_sorting(labels, without_label, low, high)


def _parts(length: int, by_one: int, most: int | None = None) -> list[slice]:
    """Divide what one thread does up to a length."""
    n_threads = n_cpus() if most is None else min(most, n_cpus())
    return shares(length, max(1, min(n_threads, length // by_one)))


def _ranked_by_table(
    labels: NDArray[np.int64], none: NDArray[np.intp], low: int, high: int
) -> Ranks:
    n_places = high - low + 1
    table, before = np.zeros(n_places, np.uint8), np.empty(n_places // 256 + 2, np.uint32)
    numbers = passing(len(labels), np.uint32)
    n_distinct = kernels.rank_by_table(labels, low, table, before, numbers)
    numbers[none] = 0
    return Ranks(numbers, n_distinct)


def _ranked_by_sorting(
    labels: NDArray[np.int64], none: NDArray[np.intp], low: int, high: int
) -> OrderedPlaces:
    """Rank labels that lie far apart.

    `numpy.argsort` takes several times as long: here the leading bits of the labels are sorted with
    the places packed in the bits below, one half in each of two threads; then each merges a half
    of the result.  Should two different labels share their leading bits, `numpy.argsort` decides.
    """
    if len(labels) > _REPEATED:
        raise LabelsError(f"More than {_REPEATED:,} labels are not supported.")
    place_bits = len(labels).bit_length()
    excess = max(0, (high - low).bit_length() + place_bits - 64)
    # NumPy's memory for what is packed serves again for the table of values.
    packed, places = np.empty(len(labels), np.uint64), passing(len(labels), np.uint32)
    parts = _parts(len(labels), _SORTED_BY_ONE, most=2)

    def sort(part: slice) -> NDArray[np.uint64]:
        kernels.pack(labels[part], part.start, low, excess, place_bits, packed[part])
        packed[part].sort()
        return packed[part]

    some, *others = in_threads(sort, parts)
    rest = others[0] if others else packed[:0]

    def merge(part: slice) -> int:
        start, stop = _lowest(some, rest, part.start), _lowest(some, rest, part.stop)
        before = [*some[: start.some][-1:], *rest[: start.rest][-1:]]
        # Where there is none before, one that has all bits of the first but inverted.
        last = max(before) if before else ~min([*some[:1], *rest[:1]])
        first, second = some[start.some : stop.some], rest[start.rest : stop.rest]
        return kernels.merge(first, second, last, place_bits, labels, places[part])

    n_distinct = in_threads(merge, parts)
    if min(n_distinct) < 0:
        del packed, places, some, others, rest
        return _ranked_by_argsort(labels, none)
    return OrderedPlaces(places, none, sum(n_distinct))


class _Lowest(NamedTuple):
    """How many of the lowest numbers of two sorted arrays are from each."""

    some: int
    rest: int


def _lowest(some: NDArray[np.uint64], rest: NDArray[np.uint64], n: int) -> _Lowest:
    """Return from where the `n` lowest numbers of two sorted arrays are."""
    fewest, most = max(0, n - len(rest)), min(n, len(some))
    # With `k` of `some`, the next of them must be above the last of the rest.
    found = bisect_left(range(fewest, most), 1, key=lambda k: int(some[k] > rest[n - 1 - k]))
    return _Lowest(fewest + found, n - fewest - found)


def _ranked_by_argsort(labels: NDArray[np.int64], none: NDArray[np.intp]) -> OrderedPlaces:
    places = np.argsort(labels)
    ordered = labels[places]
    is_repeated = np.concatenate([[False], ordered[1:] == ordered[:-1]])
    n_distinct = len(labels) - int(np.count_nonzero(is_repeated))
    return OrderedPlaces(
        (places + np.where(is_repeated, _REPEATED, 0)).astype(np.uint32), none, n_distinct
    )
