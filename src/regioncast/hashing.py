"""Numbers for labels of any kind, by hash tables, piece by piece and side by side in threads."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ._kernels import encode as kernels
from .memory import passing
from .threads import in_threads, n_cpus, shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Each thread has a hash table of its own, so many threads would take memory of note.
_MOST_THREADS = 8

# Cubes of two voxels to a side fit, also where those at the border are cut.
_SAMPLES_PER_LABEL = 7


def number_pieces(
    labels: NDArray[Any], codes: NDArray[Any], parts: Sequence[slice], none: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.int64]] | None:
    """Fill `codes` piece by piece, each numbered by itself.

    Parameters
    ----------
    labels : array of int, in C order
    codes : array of uint16 or uint32, shape of `labels`, in C order
        In each piece 0 for a label of no region, else from 1 in the order in which labels are
        first seen.
    parts : sequence of slice
        The pieces: slices of the first axis.
    none : array of int64
        The labels of no region.

    Returns
    -------
    begins : array of int
        The place in `seen` that number 0 of each piece stands for.
    seen : array of int64
        For each piece some label, and then its own by their numbers.

    `None` is returned where the labels of a piece are too many for the dtype of the codes.
    """
    row = labels.shape[-1]
    slab = row * (labels.shape[-2] if labels.ndim > 1 else 1)
    seen = _Seen(labels.size // _SAMPLES_PER_LABEL + len(parts))

    def number_run(run: slice) -> list[int | None]:
        table = _HashTable(none, labels[parts[run.start]].size // _SAMPLES_PER_LABEL + 1)
        return [number_piece(part, table) for part in parts[run]]

    def number_piece(part: slice, table: _HashTable) -> int | None:
        found = table.number(labels[part].reshape(-1), row, slab, codes[part].reshape(-1))
        return None if found is None else seen.add(found)

    n_threads = min(n_cpus(), len(parts), _MOST_THREADS)
    runs = in_threads(number_run, shares(len(parts), n_threads))
    begins = [begin for run in runs for begin in run if begin is not None]
    return (np.array(begins), seen.labels(begins)) if len(begins) == len(parts) else None


class _HashTable:
    """A hash table that numbers the labels of piece after piece, and so stays in the cache.

    Parameters
    ----------
    none : array of int64
        Labels of no region.
    room : int
        How many other labels it has room for; it grows.
    """

    def __init__(self, none: NDArray[np.int64], room: int) -> None:
        self._none = none
        self._make(room)

    def _make(self, room: int) -> None:
        self._room = room
        length = len(self._none) + room
        self._slots = np.empty(2 << length.bit_length(), np.uint32)
        self._first_seen = passing(length, np.int64)
        self._first_seen[: len(self._none)] = self._none

    def number(
        self, piece: NDArray[Any], row: int, slab: int, codes: NDArray[Any]
    ) -> NDArray[np.int64] | None:
        """Fill `codes` with numbers, and return the labels in the order of their numbers.

        None where they are too many for the dtype of the codes.  What is returned is written over
        by the next piece.
        """
        most = min(piece.size, np.iinfo(codes.dtype).max)
        n_none = len(self._none)
        while True:
            room = min(self._room, most)
            first_seen = self._first_seen[: n_none + room]
            n_seen = kernels.hash_labels(piece, row, slab, self._slots, first_seen, n_none, codes)
            if n_seen >= 0:
                return first_seen[n_none:n_seen]
            if room == most:
                return None
            self._make(min(most, 4 * room))


class _Seen:
    """The labels that pieces have, one piece behind the other; threads add to it.

    Parameters
    ----------
    room : int
        How many labels and pieces it has room for; it grows.
    """

    def __init__(self, room: int) -> None:
        self._labels = passing(room, np.int64)
        self._length = 0
        self._lock = Lock()
        self._last = 0

    def add(self, labels: NDArray[np.int64]) -> int:
        """Add the labels of a piece behind a free place, and return that place."""
        with self._lock:
            begin, end = self._length, self._length + 1 + len(labels)
            if end > len(self._labels):
                longer = passing(2 * end, np.int64)
                longer[:begin] = self._labels[:begin]
                self._labels = longer
            self._labels[begin + 1 : end] = labels
            if len(labels):
                self._last = labels[-1]
            self._length = end
        return begin

    def labels(self, free: Sequence[int]) -> NDArray[np.int64]:
        """Return what is there, with some label or other in the free places."""
        labels = self._labels[: self._length]
        labels[free] = self._last
        return labels
