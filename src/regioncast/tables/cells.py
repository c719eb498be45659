"""Cells: the only place that says number, integer, nothing.

A *cell* of a file is text, and stays text until somebody needs a number: ``001``, ``1.1`` and
``NaN`` may be names of regions.  A cell of a DataFrame or another object is what it is there.
A cell is *missing* when it is empty or one of the words that pandas, R, spreadsheets and databases
write there, in any case of letters; but only nothing at all and BIDS' ``n/a`` are no name, as
``NA`` abbreviates a nucleus.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.region_table import EXACT
from ..errors import FileFormatError, SignalsError, examples, plural

if TYPE_CHECKING:
    from numpy.typing import NDArray

# What pandas reads as nothing, so that a file says what the DataFrame read from it does.
MISSING = frozenset([
    "", "n/a", "na", "nan", "-nan", "none", "null", "<na>", "#n/a", "#na", "#n/a n/a",
    "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan",
])  # fmt: skip
_FLAGS_BY_WORD = {"true": True, "false": False}

_FLAGS = re.ASCII | re.IGNORECASE
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?", _FLAGS)
_WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?", re.ASCII)
_INT64 = np.iinfo(np.int64)
# Longer ones are no numbers; Python itself reads no integer of more than 4,300 digits.
_MAX_DIGITS = 1000


def is_missing(cell: object) -> bool:
    """Return whether a cell says that there is no value."""
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING
    # By the name of the type: pandas may not be there, and its NA answers neither yes nor no.
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating) and bool(np.isnan(cell))


def is_absent(cell: object) -> bool:
    """Return whether a cell holds no name: nothing, or BIDS' ``n/a``."""
    return cell.strip() in ("", "n/a") if isinstance(cell, str) else is_missing(cell)


def are_flags(cells: Sequence[str]) -> bool:
    """Return whether cells are true or false, of which some may be missing."""
    words = {cell.strip().lower() for cell in cells} - MISSING
    return bool(words) and words <= _FLAGS_BY_WORD.keys()


def is_number(text: str) -> bool:
    """Return whether text is a number: decimal, in powers of ten, or infinite."""
    return len(text) <= _MAX_DIGITS and _NUMBER.fullmatch(text.strip()) is not None


def parse_number(cell: str, *, decimal_comma: bool = False) -> int | float | None:
    """Return a cell as a number, `None` when it is missing.

    Raises `FileFormatError` when it is neither.

    Parameters
    ----------
    cell : str
    decimal_comma : bool, default=False
        Whether ``0,5`` is a half, as in tables separated by semicolons.

    Examples
    --------
    >>> parse_number("9007199254740993"), parse_number("3.0"), parse_number("n/a")
    (9007199254740993, 3.0, None)
    """
    text = cell.strip()
    if decimal_comma:
        text = text.replace(",", ".")
    if is_missing(text):
        return None
    if not is_number(text):
        raise FileFormatError(f"{cell!r} is not a number.")
    # Through int() first: a float cannot hold integers beyond 2**53.
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def parse_number_column(
    cells: Iterable[str], *, decimal_comma: bool = False
) -> tuple[int | float | None, ...] | None:
    """Return the cells as numbers, or `None` when they are not all numbers.

    All are integers or all are floats; missing cells are `None`.  Cells that are all missing
    are no numbers.
    """
    try:
        numbers = [parse_number(cell, decimal_comma=decimal_comma) for cell in cells]
    except FileFormatError:
        return None
    if all(number is None for number in numbers):
        return None
    if any(isinstance(number, float) for number in numbers):
        return tuple(None if number is None else float(number) for number in numbers)
    return tuple(numbers)


def parse_integer(cell: str) -> int | None:
    """Return a cell as an integer, exact at any size, or `None` when it is none.

    >>> parse_integer(" 3.0 "), parse_integer("9007199254740993"), parse_integer("3.5")
    (3, 9007199254740993, None)
    """
    text = cell.strip()
    whole = _WHOLE.fullmatch(text)
    if whole is not None and len(text) <= _MAX_DIGITS:
        return int(whole[1])
    number = float(text) if is_number(text) else math.nan
    # Digits of larger numbers may have been lost before they were written like this.
    return int(number) if number.is_integer() and abs(number) < EXACT else None


def parse_integer_column(cells: Iterable[str]) -> NDArray[np.int64] | None:
    """Return the cells as integers, or `None` when one is missing, fractional or not a number."""
    integers = [parse_integer(cell) for cell in cells]
    # A second list, because a comprehension tells the type checker what `all` cannot.
    fitting = [n for n in integers if n is not None and _INT64.min <= n <= _INT64.max]
    if not fitting or len(fitting) < len(integers):
        return None
    return np.array(fitting, dtype=np.int64)


def are_distinct(cells: Collection[object]) -> bool:
    """Return whether no cell stands twice."""
    return len(set(cells)) == len(cells)


def integer_of(cell: object) -> int | None:
    """Return a cell of any type as an integer, or `None` when it is none.

    Floats from 2**53 on may have been rounded, and are none.
    """
    if isinstance(cell, str):
        return parse_integer(cell)
    if isinstance(cell, bool | np.bool_ | np.timedelta64):
        return None
    if isinstance(cell, int | np.integer):
        return int(cell)
    if isinstance(cell, float | np.floating | Decimal):
        is_small = math.isfinite(cell) and abs(float(cell)) < EXACT
        return int(cell) if is_small and cell == int(cell) else None
    return None


def text_of(cell: object) -> str | None:
    """Return a cell as a name would be written, `None` where there is nothing.

    Examples
    --------
    >>> text_of("001"), text_of(7), text_of(7.0), text_of("n/a")
    ('001', '7', '7', None)
    """
    if is_absent(cell):
        return None
    if isinstance(cell, str):
        return cell
    integer = integer_of(cell)
    return str(cell) if integer is None else str(integer)


def is_number_or_gap(cell: object) -> bool:
    """Return whether a cell is a number of Python or NumPy, or says that there is none."""
    if isinstance(cell, np.timedelta64):  # an integer by its class
        return False
    is_a_number = isinstance(cell, int | float | complex | Decimal | np.number | np.bool_)
    return is_a_number or (not isinstance(cell, str) and is_missing(cell))


def plain(cell: Any) -> Any:
    """Return a scalar of NumPy as what it is in Python, anything else as it is."""
    return cell.item() if isinstance(cell, np.generic) else cell


# --- columns of cells as arrays ------------------------------------------------------------------


def numbers_of_text(
    cells: Sequence[str], what: str, *, decimal_comma: bool = False
) -> NDArray[Any] | None:
    """Return cells of text as integers or floats, NaN where one is missing; None for other text.

    Raises `SignalsError` when an integer would be rounded, or a number is beyond the range of
    float64.
    """
    if all(map(is_missing, cells)):
        return np.full(len(cells), np.nan)
    if are_flags(cells):
        flags = [_FLAGS_BY_WORD.get(cell.strip().lower(), np.nan) for cell in cells]
        return numbers_with_gaps(flags, what)
    numbers = None if decimal_comma else _floats(cells)
    if numbers is None:
        parsed = parse_number_column(cells, decimal_comma=decimal_comma)
        if parsed is None:
            return None
        numbers = numbers_with_gaps(parsed, what)
    if numbers.dtype.kind == "f":
        _check_range(numbers, cells, what)
    return numbers


def _floats(cells: Sequence[str]) -> NDArray[Any] | None:
    """Return cells as floats where all are numbers: most tables, read the fastest way."""
    # Without a point they may all be integers, and only Python takes "1_000" for a number.
    if not any("." in cell for cell in cells) or any("_" in cell for cell in cells):
        return None
    try:
        return np.array([float(cell) for cell in cells])
    except ValueError:
        return None


def _check_range(numbers: NDArray[Any], cells: Sequence[str], what: str) -> None:
    rounded, too_large = [], []
    for row in np.flatnonzero(np.abs(numbers) >= EXACT).tolist():
        cell, number = cells[row], float(numbers[row])
        if math.isinf(number):
            if "inf" not in cell.lower():
                too_large.append(cell)
        elif parse_integer(cell) not in (None, number):
            rounded.append(cell)
    if rounded:
        raise SignalsError(
            f"{plural(len(rounded), 'integer')} in {what} cannot be held by float64, which gaps or "
            f"other values need: {examples(rounded)}. Give the columns one by one, or rescale."
        )
    if too_large:
        raise _beyond_float64(too_large, what)


def numbers_of_objects(cells: Sequence[object], what: str) -> NDArray[Any] | None:
    """Return Python numbers with gaps as an array, or None where there is anything else."""
    return numbers_with_gaps(cells, what) if all(map(is_number_or_gap, cells)) else None


def numbers_with_gaps(cells: Sequence[Any], what: str) -> NDArray[Any]:
    """Return Python numbers as an array, NaN where there is none.

    A `Decimal` without decimals is an integer, any other a float.

    Raises `SignalsError` when a gap makes floats of integers that a float cannot hold, or a number
    is too large.

    Examples
    --------
    >>> numbers_with_gaps([1, None, 3], "the column 'n'")
    array([ 1., nan,  3.])
    """
    if any(isinstance(cell, Decimal) for cell in cells):
        cells = _without_decimals(cells, what)
    array = np.array([np.nan if is_missing(cell) else cell for cell in cells])
    if array.dtype.kind == "f":
        array = _unwidened(array, cells)
    if array.dtype == object:
        raise _beyond_64_bits(cells, what)
    check_exact(array, cells, what)
    return array


def _unwidened(array: NDArray[Any], numbers: Sequence[Any]) -> NDArray[Any]:
    """Return floats in the dtype of their numbers, where NumPy took a wider one than it needs."""
    present = [number for number in numbers if not is_missing(number)]
    if present and all(isinstance(number, np.floating) for number in present):
        # Gaps widen nothing.
        return array.astype(np.result_type(*{number.dtype for number in present}))
    are_whole = all(isinstance(plain(number), int) for number in numbers)
    if are_whole and min(numbers, default=-1) >= 0:
        # NumPy makes floats of integers on both sides of 2**63.
        return np.array(numbers, np.uint64)
    return array


def check_exact(made: NDArray[Any], cells: Sequence[Any], what: str) -> None:
    """Raise `SignalsError` where floats were made of integers among the cells that they round."""
    if made.dtype.kind != "f":
        return
    pairs = zip(made.tolist(), map(plain, cells), strict=True)
    rounded = [cell for number, cell in pairs if isinstance(cell, int) and number != cell]
    if rounded:
        raise SignalsError(
            f"{plural(len(rounded), 'integer')} in {what} cannot be held by {made.dtype}, which "
            f"gaps or other values need: {examples(rounded)}. "
            "Fill the gaps, or give the columns one by one."
        )


def one_array(rows: Sequence[tuple[str, NDArray[Any]]]) -> NDArray[Any]:
    """Return arrays, each with what it is in messages, as rows of one array that holds them all.

    Raises `SignalsError` when an integer would be rounded.
    """
    arrays = [numbers for _, numbers in rows]
    stacked = np.stack(arrays)
    are_whole = all(a.dtype.kind in "iu" and a.min(initial=0) >= 0 for a in arrays)
    if stacked.dtype.kind == "f" and are_whole:
        # NumPy makes floats of signed and unsigned integers.
        stacked = np.stack([numbers.astype(np.uint64) for numbers in arrays])
    for (what, numbers), row in zip(rows, stacked, strict=True):
        if numbers.dtype.kind in "iu":
            check_exact(row, numbers.tolist(), what)
    return stacked


def _without_decimals(cells: Sequence[Any], what: str) -> list[Any]:
    """Return what a column of a database means: integers where they have no decimals."""
    made: list[Any] = []
    too_large = []
    for cell in cells:
        if not isinstance(cell, Decimal):
            made.append(cell)
        elif cell.as_tuple().exponent == 0:
            made.append(int(cell))
        else:
            made.append(float(cell))
            if cell.is_finite() and not math.isfinite(made[-1]):
                too_large.append(cell)
    if too_large:
        raise _beyond_float64(too_large, what)
    return made


def _beyond_float64(numbers: Sequence[object], what: str) -> SignalsError:
    return SignalsError(
        f"{plural(len(numbers), 'number')} in {what} beyond the range of float64: "
        f"{examples(numbers)}. Rescale the values."
    )


def _beyond_64_bits(numbers: Sequence[Any], what: str) -> SignalsError:
    integers = [number for number in map(plain, numbers) if isinstance(number, int)]
    large = [integer for integer in integers if not _INT64.min <= integer <= _INT64.max]
    return SignalsError(
        f"{plural(len(large), 'integer')} in {what} beyond 64 bits: {examples(large)}. "
        "Rescale the values."
    )
