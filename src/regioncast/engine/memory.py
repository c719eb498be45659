"""Memory for intermediate results, and how kernels see it."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

# Below this a page or two more do not count, and asking the system takes longer than using them.
_LEAST_BYTES = 1 << 17

# Shared memory, which is the default where there is a choice, is slower.
_PRIVATE = {"flags": mmap.MAP_PRIVATE} if hasattr(mmap, "MAP_PRIVATE") else {}

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
    return np.frombuffer(mmap.mmap(-1, n_bytes, **_PRIVATE), dtype)


def bits(values: NDArray[Any]) -> NDArray[Any]:
    """Return values as the bit patterns that kernels move, which know item sizes and no dtypes."""
    pattern: Any = BIT_PATTERNS[values.dtype.itemsize]
    patterns: NDArray[Any] = values.view(pattern)
    return patterns
