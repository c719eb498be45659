"""Numbers for labels of any kind, by hash tables, piece by piece and side by side in threads."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ._kernels import encode as kernels
from .memory import passing
from .threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Each thread has a hash table of its own, so many threads would take memory of note.
_MOST_THREADS = 8

# Cubes of two voxels to a side fit, also where those at the border are cut.
_SAMPLES_PER_LABEL = 7


class Numbered(NamedTuple):
    """What numbers of pieces stand for.

    Parameters
    ----------
    begins : array of int
        The place in `label_of` that number 0 of each piece stands for.
    label_of : array of int64
        For each piece any label, and then its own by their numbers.
    limits : tuple of int
        The lowest label and the highest.
    """

    begins: NDArray[np.intp]
    label_of: NDArray[np.int64]
    limits: tuple[int, int]


def number_pieces(
    labels: NDArray[Any], codes: NDArray[Any], parts: Sequence[slice], none: NDArray[np.int64]
) -> Numbered | None:
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
    Numbered
        `None` where the labels of a piece are too many for the dtype of the codes.
    """
    row = labels.shape[-1]
    slab = row * (labels.shape[-2] if labels.ndim > 1 else 1)
    seen = _Seen(labels.size // _SAMPLES_PER_LABEL + len(parts))
    room = labels[parts[0]].size // _SAMPLES_PER_LABEL + 1
    idle: list[_HashTable] = []

    def number_piece(part: slice) -> int:
        try:
            table = idle.pop()
        except IndexError:
            table = _HashTable(none, room, codes.dtype)
        found = table.number(labels[part].reshape(-1), row, slab, codes[part].reshape(-1))
        begin = seen.add(found)
        idle.append(table)
        return begin

    try:
        begins = in_threads(number_piece, parts, _MOST_THREADS)
    except _TooManyError:
        return None
    return seen.numbered(begins)


class _TooManyError(Exception):
    """The labels of a piece are too many for the dtype of the codes."""


class _HashTable:
    """A hash table that numbers the labels of piece after piece, and so stays in the cache.

    Parameters
    ----------
    none : array of int64
        Labels of no region.
    room : int
        How many other labels it has room for; it grows.
    dtype : dtype
        That of the numbers.
    """

    def __init__(self, none: NDArray[np.int64], room: int, dtype: np.dtype[Any]) -> None:
        self._none = none
        self._dtype = dtype
        self._make(room)

    def _make(self, room: int) -> None:
        self._slots = passing(2 << room.bit_length(), self._dtype)
        self._first_seen = passing(room, np.int64)

    def number(
        self, piece: NDArray[Any], row: int, slab: int, codes: NDArray[Any]
    ) -> NDArray[np.int64]:
        """Fill `codes` with numbers, and return the labels in the order of their numbers.

        What is returned is written over by the next piece.
        """
        most = min(piece.size, np.iinfo(self._dtype).max)
        while True:
            seen = self._first_seen[:most]
            n_seen = kernels.hash_labels(piece, row, slab, self._none, self._slots, seen, codes)
            if n_seen >= 0:
                return seen[:n_seen]
            if len(seen) == most:
                raise _TooManyError
            self._make(min(most, 4 * len(seen)))


class _Seen:
    """The labels that pieces have, one piece behind the other; threads add to it.

    Parameters
    ----------
    room : int
        How many labels and pieces there are, as far as is known.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._blocks: list[NDArray[np.int64]] = []
        self._block = passing(room, np.int64)
        self._begin = self._length = 0
        self._limits: list[int] = []
        self._lock = Lock()

    def add(self, labels: NDArray[np.int64]) -> int:
        """Add the labels of a piece behind a free place, and return that place."""
        with self._lock:
            begin, place = self._begin + self._length, self._reserved(1 + len(labels))
        place[1:] = labels
        if len(labels):
            self._limits += kernels.limits(labels)
        return begin

    def _reserved(self, length: int) -> NDArray[np.int64]:
        """Return places that no other thread gets, in a block that stays where it is."""
        if self._length + length > len(self._block):
            self._blocks.append(self._block[: self._length])
            self._begin += self._length
            self._block, self._length = passing(max(self._room, length), np.int64), 0
        self._length += length
        return self._block[self._length - length : self._length]

    def numbered(self, free: Sequence[int]) -> Numbered:
        """Return what is there, with some label or other in the free places."""
        labels = self._block[: self._length]
        if self._blocks:
            room = passing(self._begin + self._length, np.int64)
            labels = np.concatenate([*self._blocks, labels], out=room)
        limits = min(self._limits, default=0), max(self._limits, default=0)
        labels[free] = limits[0]
        return Numbered(np.array(free), labels, limits)
