"""Keys: unsigned integers of 64 bits, which sort as the values do for which they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIGN = np.uint64(1 << 63)


def values_of_keys(keys: NDArray[np.uint64], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return the values, as floats, of a dtype for which keys stand."""
    if dtype.kind == "u":
        return keys.astype(np.float64)
    if dtype.kind == "i":
        return (keys ^ SIGN).view(np.int64).astype(np.float64)
    # Bits of floats sort as these do, and those of negative ones the other way round.
    word: Any = np.uint64 if dtype.itemsize == 8 else np.uint32
    words = keys.astype(word)
    sign = word(1 << (8 * dtype.itemsize - 1))
    return np.where(words & sign, words ^ sign, ~words).view(dtype).astype(np.float64)


def key_of_infinity(dtype: np.dtype[Any], *, positive: bool) -> np.uint64:
    """Return the key of an infinite value; there is none of integers."""
    if dtype.kind != "f":
        return np.uint64(0)
    keys = {(8, True): 0xFFF0 << 48, (8, False): 0x000F_FFFF_FFFF_FFFF}
    keys |= {(4, True): 0xFF80 << 16, (4, False): 0x007F_FFFF}
    return np.uint64(keys[dtype.itemsize, positive])
