"""Memory for intermediate results goes back to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from regioncast.engine import memory

SIZES = [0, 1, 1000, 100_003, 1_000_003]


@pytest.mark.parametrize("length", SIZES)
@pytest.mark.parametrize("dtype", ["u1", "u4", "i8", "f8", "c16"])
def test_it_is_an_array_to_write_to(length, dtype):
    array = memory.passing(length, dtype)
    assert (array.shape, array.dtype) == ((length,), np.dtype(dtype))
    array[:] = np.arange(length).astype(dtype)
    np.testing.assert_array_equal(array, np.arange(length).astype(dtype))


def resident():
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="the resident set is read from /proc")
def test_it_goes_back_when_it_is_freed():
    np.empty(30_000_000, np.uint8).fill(1)  # from here on the C library keeps so much
    before = resident()
    arrays = [memory.passing(1_000_000, np.uint8) for _ in range(20)]
    for array in arrays:
        array.fill(1)
    assert resident() - before > 15_000_000
    del array, arrays
    assert resident() - before < 5_000_000
