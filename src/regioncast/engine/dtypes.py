"""The dtypes in which images hold values, and values brought to them."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SignalsError, SignalsTypeError, examples, plural

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray


# Bytes of the largest number of each kind that is painted.
_LARGEST_ITEM = {"i": 8, "u": 8, "f": 8, "c": 16}


def storable(values: NDArray[Any]) -> NDArray[Any]:
    """Return values in a dtype that NIfTI can hold.

    bool becomes uint8, float16 becomes float32, another byte order the native one; every
    other integer, float and complex dtype stays as it is.

    Raises `SignalsTypeError` for object, text, dates, structures, and floats wider than 64 bits.

    Examples
    --------
    >>> storable(np.array([True, False])).dtype
    dtype('uint8')
    """
    try:
        dtype = storage_dtype(values.dtype)
    except SignalsTypeError as error:
        # Objects and text are mostly numbers, and a few cells that are none.
        raise SignalsTypeError(f"{error}{_what_is_no_number(values)}") from None
    return values.astype(dtype, copy=False)


def storage_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the dtype in which NIfTI holds values of `dtype`, in native byte order."""
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        raise SignalsTypeError(
            f"There is no dtype {dtype!r}. Name one such as 'float32', 'float64' or 'int16'."
        ) from None
    if wanted.kind == "b":
        return np.dtype(np.uint8)
    if wanted.kind == "f" and wanted.itemsize == 2:
        return np.dtype(np.float32)
    if wanted.kind in _LARGEST_ITEM and wanted.itemsize <= _LARGEST_ITEM[wanted.kind]:
        return wanted.newbyteorder("=")
    raise SignalsTypeError(
        f"Signals of dtype {wanted} cannot be painted: an image holds bool, integers, floats "
        "up to float64 and complex numbers up to complex128. Convert them first, for example "
        "with numpy.asarray(signals, dtype='float64')."
    )


def cast(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return values in `dtype`; rounding to a float is fine, anything lost otherwise is not.

    Raises `SignalsError` when a value does not fit, naming up to five.
    """
    if values.dtype == dtype:
        return values
    with np.errstate(all="ignore"):  # of values that do not fit, which are looked for below
        converted = (values if dtype.kind == "c" else values.real).astype(dtype)
        if dtype.kind in "fc":
            changed = np.isfinite(values) & ~np.isfinite(converted)
        else:
            changed = (converted != values) | _is_beyond(values.real, dtype)
        if values.dtype.kind == "c" and dtype.kind != "c":
            changed |= values.imag != 0
    if not changed.any():
        return np.asarray(converted)
    lost = np.unique(values[changed])
    shown = ", ".join(f"{value:g}" for value in lost[:5])
    if len(lost) > 5:
        shown += " …"
    raise SignalsError(
        f"{plural(int(changed.sum()), 'value')} cannot be held by {dtype}: {shown}. "
        f"Pass another dtype, such as {values.dtype}."
    )


def first_that_holds(
    integers: Sequence[int], dtypes: Sequence[str]
) -> np.dtype[np.integer[Any]] | None:
    """Return the first of some dtypes of integers that holds all of these; None if none does."""
    lowest, highest = min(integers), max(integers)
    for name in dtypes:
        limits = np.iinfo(name)
        if limits.min <= lowest and highest <= limits.max:
            return limits.dtype
    return None


def _is_beyond(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    """Return where floats are NaN or beyond the limits of an integer dtype.

    Some processors convert 2.0**63 to the largest int64, which as a float is 2.0**63 again.
    """
    if values.dtype.kind != "f":
        return np.zeros(values.shape, bool)
    limits = np.iinfo(dtype)
    # Both are powers of two, or 0, and so exact as floats.
    inside: NDArray[np.bool_] = (values >= float(limits.min)) & (values < float(limits.max + 1))
    return ~inside


def _what_is_no_number(values: NDArray[Any]) -> str:
    if values.dtype.kind not in "OUS" or not values.ndim:
        return ""
    listed = values.reshape(-1).tolist()
    wrong = [value for value in listed if not isinstance(value, numbers.Number)]
    if not wrong:
        return ""
    verb = "is" if len(wrong) == 1 else "are"
    advice = ""
    if any(isinstance(value, str) for value in wrong):
        advice = (
            " Titles with columns are a table, pandas.DataFrame(values), and pairs of a name and a "
            "number a dict, dict(values). Text is painted as categories: categories=True "
            "(--categories)."
        )
    return (
        f" {len(wrong):,} of {plural(len(listed), 'value')} {verb} no number: {examples(wrong)}."
        f"{advice}"
    )
