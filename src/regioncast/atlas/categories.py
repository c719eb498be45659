"""Categories: names that regions share, such as those of networks, as labels of an image.

The *code* of a category is its label there: an integer from 1 on, and 0 for none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SignalsError, examples, plural
from ..files import natural_order
from .region_table import RegionTable, is_inexact, is_whole, new_color

if TYPE_CHECKING:
    from numpy.typing import NDArray


def categorized(
    cells: Sequence[str | None], levels: Sequence[str] | None = None
) -> tuple[NDArray[Any], RegionTable]:
    """Return the code of each cell, and the categories.

    Parameters
    ----------
    cells : sequence of str or None
        None: of no category.
    levels : sequence of str, default=None
        All categories, in the order of their codes 1, 2, …; in natural order when not given,
        whatever that of the cells, so that "n2" comes before "n10" and a before B.

    Returns
    -------
    codes : array of the smallest unsigned integers
    categories : RegionTable
        With a column ``color``: a colour for each that follows from its code.

    Raises
    ------
    SignalsError
        When there is no category.

    Examples
    --------
    >>> codes, categories = categorized(["Vis", "n10", None, "n2"])
    >>> codes, categories.names
    (array([3, 2, 0, 1], dtype=uint8), ('n2', 'n10', 'Vis'))
    """
    if levels is None:
        names = {cell for cell in cells if cell is not None}
        levels = sorted(names, key=lambda name: (natural_order(name.casefold()), name))
    code_of: dict[str | None, int] = {name: code for code, name in enumerate(levels, start=1)}
    code_of[None] = 0
    codes = [code_of[cell] for cell in cells]
    return _with_table(codes, dict(enumerate(levels, start=1)))


def numbered(values: NDArray[Any]) -> tuple[NDArray[Any], RegionTable]:
    """Return integers as codes that are their own categories; see `categorized`.

    Parameters
    ----------
    values : array, shape (n_regions,)
        From 1 on; 0 and NaN are no category.

    Raises
    ------
    SignalsError
        When one is no such integer.
    """
    numbers = [0 if number != number else number for number in values.tolist()]  # noqa: PLR0124  NaN
    wrong = [n for n in numbers if not is_whole(n) or is_inexact(n) or n < 0]
    if wrong:
        raise SignalsError(
            "Categories are text, or integers from 1 on (0 is none); "
            f"{plural(len(wrong), 'value')} of {len(numbers):,} neither: {examples(wrong)}. Paint "
            "numbers as such, or name the categories."
        )
    codes = list(map(int, numbers))
    return _with_table(codes, {code: str(code) for code in sorted(set(codes)) if code})


def _with_table(codes: Sequence[int], names: Mapping[int, str]) -> tuple[NDArray[Any], RegionTable]:
    if not any(codes):
        raise SignalsError(
            f"None of {plural(len(codes), 'value')} is a category: all are missing. Check the "
            "column, or choose another (columns=, --columns)."
        )
    table = RegionTable(list(names), list(names.values()), {"color": list(map(new_color, names))})
    return np.array(codes, np.min_scalar_type(max(codes))), table
