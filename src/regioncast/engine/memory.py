"""Memory for intermediate results, and how kernels see it."""

from __future__ import annotations

import contextlib
import mmap
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

# Below this a page or two more do not count, and asking the system takes longer than using them.
_LEAST_BYTES = 1 << 17

# The size of a huge page on most machines; memory comes faster in these.
_HUGE_BYTES = 1 << 21

# Shared memory, which is the default where there is a choice, is slower.
_PRIVATE = {"flags": mmap.MAP_PRIVATE} if hasattr(mmap, "MAP_PRIVATE") else {}

# All pages at once, which is quicker than one by one as they are used.
_AT_ONCE = {name: flags | getattr(mmap, "MAP_POPULATE", 0) for name, flags in _PRIVATE.items()}

# By the bytes of an item.
BIT_PATTERNS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64, 16: np.complex128}


def passing(length: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return memory that goes back to the system as soon as it is freed.

    The C library keeps what NumPy frees, tens of megabytes of it, and what is kept counts in the
    peak of memory.  Contents are arbitrary.
    """
    n_bytes = length * np.dtype(dtype).itemsize
    if n_bytes < _LEAST_BYTES:
        return np.empty(length, dtype)
    if n_bytes < _HUGE_BYTES:
        return np.frombuffer(mmap.mmap(-1, n_bytes, **_AT_ONCE), dtype)
    # Some more than is asked for, to begin where a huge page does; what is left over at the end
    # has small ones.
    memory = mmap.mmap(-1, n_bytes + 2 * _HUGE_BYTES, **_PRIVATE)
    start = -np.frombuffer(memory, np.uint8).ctypes.data % _HUGE_BYTES
    if hasattr(mmap, "MADV_HUGEPAGE"):
        # A system without huge pages says no.
        with contextlib.suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE, start, round(n_bytes / _HUGE_BYTES) * _HUGE_BYTES)
    return np.frombuffer(memory, dtype, length, start)


def bits(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as the bit patterns that kernels move, which know item sizes and no dtypes."""
    pattern: Any = BIT_PATTERNS[values.dtype.itemsize]
    patterns: NDArray[Any] = values.view(pattern)
    return patterns
