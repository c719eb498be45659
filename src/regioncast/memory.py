"""Memory for intermediate results."""

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


def passing(length: int, dtype: DTypeLike) -> NDArray[Any]:
    """Return memory that goes back to the system as soon as it is freed.

    The C library keeps what NumPy frees, tens of megabytes of it, and what is kept counts in the
    peak of memory.  Contents are arbitrary.
    """
    n_bytes = length * np.dtype(dtype).itemsize
    if n_bytes < _LEAST_BYTES:
        return np.empty(length, dtype)
    memory = mmap.mmap(-1, n_bytes, **_PRIVATE)
    if n_bytes >= _HUGE_BYTES and hasattr(mmap, "MADV_HUGEPAGE"):
        # A system without huge pages says no.
        with contextlib.suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype)
