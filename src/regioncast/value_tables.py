"""Tables of values, as people keep them, to signals.

A *long* table has one row per region, a *key column* that says which, and one column of
numbers per map.  A *wide* table has one column per region, titled by its key, and one row per
map or time point.  Which it is, and which column is the key, is found by looking for the
regions' names and labels, so it is decided here, where the regions are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import MatchError, SignalsError, examples, plural
from .matching import as_integers, identities_of, integer_of
from .signals import Key, Signals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .region_table import RegionTable

# Titles that people give to a column of labels; such integers are no values.
_LABEL_TITLES = frozenset(
    ["index", "label", "labels", "id", "region_id", "roi", "roi_id", "parcel", "key", "no", "no."]
)


@dataclass(frozen=True, eq=False)
class ValueColumn:
    """One column of a table of values.

    Parameters
    ----------
    title : str or int
    cells : tuple
        As they are in the table; None where there is nothing.
    numbers : array or None
        The cells as numbers, NaN where there is nothing; None for text.
    is_index : bool, default=False
        Whether it is the index of a DataFrame, which may be a key and is never a value.
    """

    title: Key
    cells: tuple[Any, ...]
    numbers: NDArray[Any] | None
    is_index: bool = False

    def below_header(self, label: int | None) -> ValueColumn:
        """Return the column whose first cell is its title: a label, other text, or nothing."""
        first = self.cells[0]
        title = label if label is not None else "index" if first is None else str(first)
        numbers = None if self.numbers is None else self.numbers[1:]
        return ValueColumn(title, self.cells[1:], numbers, is_index=first is None)


@dataclass(frozen=True, eq=False)
class ValueTable:
    """Columns of one length, and the name of the table for messages."""

    columns: tuple[ValueColumn, ...]
    source: str
    has_header: bool = True

    def column(self, title: Key) -> ValueColumn:
        """Return the column of this title; raise `MatchError` listing those there are."""
        found = [column for column in self.columns if column.title == title]
        if len(found) != 1:
            raise MatchError(
                f"{self.source} has {plural(len(found), 'column')} {title!r}; "
                f"its columns are {examples(_titles(self.columns), show=20)}."
            )
        return found[0]


def numbers_with_gaps(cells: Sequence[Any], what: str) -> NDArray[Any]:
    """Return Python numbers as an array, NaN for None.

    Raises
    ------
    SignalsError
        When a gap makes floats of integers that a float cannot hold.

    Examples
    --------
    >>> numbers_with_gaps([1, None, 3], "the column 'n'")
    array([ 1., nan,  3.])
    """
    numbers = np.array([np.nan if cell is None else cell for cell in cells])
    return _one_dtype(numbers, cells, what)


def signals_of(
    table: ValueTable,
    regions: RegionTable,
    *,
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    t_r: float | None = None,
) -> Signals:
    """Return the signals that a table holds.

    Parameters
    ----------
    table : ValueTable
    regions : RegionTable
        The regions that keys are looked for in.
    key : str or int, default=None
        Title of the key column, which makes the table a long one; found when not given.
    columns : str, int or sequence of them, default=None
        Titles of the columns of a long table that become maps; all columns of numbers, other
        than labels, when not given.
    t_r : float, default=None
        Repetition time in seconds, where the maps are time points.

    Raises
    ------
    MatchError
        When no column and no header names regions, when two could, or when a key is missing.
    SignalsError
        When there are no rows, no numbers, or text where numbers are needed.
    """
    if not table.columns or not len(table.columns[0].cells):
        raise SignalsError(f"{table.source} is empty: it has no row of values.")
    if not table.has_header:
        table = _with_labels_as_header(table, regions)
    if key is None and not table.has_header and all(c.numbers is not None for c in table.columns):
        return _array_signals(table, regions, t_r)
    identities = identities_of(regions)
    key_column = _key_column(table, identities) if key is None else table.column(key)
    if key_column is None:
        if columns is not None:
            raise SignalsError(
                f"columns= chooses the maps of a table with one row per region; {table.source} "
                "has one column per region."
            )
        return _wide_signals(table, identities, t_r)
    return _long_signals(table, key_column, regions, columns, t_r)


def _with_labels_as_header(table: ValueTable, regions: RegionTable) -> ValueTable:
    """Return the table with its first row as header, where that row lists labels of regions.

    A first row of labels over numbers looks like one more row of numbers, until the regions
    are known.
    """
    labels = set(regions.labels.tolist())
    first = [integer_of(str(column.cells[0])) for column in table.columns]
    given = [label for label in first if label is not None]
    names = set(regions.names)
    if (
        len(given) < 2
        or len(table.columns[0].cells) < 2
        or len(set(given)) < len(given)
        or not labels.issuperset(given)
        or any(names.intersection(map(str, c.cells)) for c in table.columns if c.numbers is None)
    ):
        return table
    pairs = zip(table.columns, first, strict=True)
    columns = tuple(column.below_header(label) for column, label in pairs)
    return ValueTable(columns, table.source)


def _array_signals(table: ValueTable, regions: RegionTable, t_r: float | None) -> Signals:
    """Return the signals of a table of numbers without a header: by position, or (label, value)."""
    numbers = [column.numbers for column in table.columns if column.numbers is not None]
    labels = _keys(table.columns[0])
    if len(numbers) == 2 and labels and set(labels) <= set(regions.labels.tolist()):
        return Signals(numbers[1], labels, t_r=t_r)
    values = np.column_stack(numbers)
    return Signals(values[:, 0] if values.shape[1] == 1 else values, t_r=t_r)


def _key_column(table: ValueTable, identities: Mapping[str, Sequence[Any]]) -> ValueColumn | None:
    """Return the column that names regions, or None where the titles do."""
    found = {column: _n_named(_keys(column), identities) for column in table.columns}
    best = max(found.values())
    in_titles = _n_named([c.title for c in table.columns if not c.is_index], identities)
    if in_titles >= best and in_titles > 0:
        return None
    if best == 0:
        raise MatchError(
            f"{table.source} has no column of regions: none of its columns "
            f"({examples(_titles(table.columns))}) holds, and none of them is, a name or label. "
            f"Names: {examples(identities['name'])}. Labels: {examples(identities['label'])}. "
            "Pass key= to name the column."
        )
    return _preferred([column for column, count in found.items() if count == best], table)


def _preferred(candidates: list[ValueColumn], table: ValueTable) -> ValueColumn:
    """Return the one of several key columns: text first, then by its title."""
    text = [column for column in candidates if column.numbers is None]
    if text:
        return text[0]
    titled = [column for column in candidates if _is_label_title(column.title)]
    if len(candidates) > 1 and len(titled) != 1:
        raise MatchError(
            f"{plural(len(candidates), 'column')} of {table.source} could be the labels: "
            f"{examples(_titles(candidates))}. Pass key= to name the right one."
        )
    return titled[0] if titled else candidates[0]


def _n_named(keys: Sequence[Key] | None, identities: Mapping[str, Sequence[Any]]) -> int:
    """Return how many regions these keys name, in the column that has most of them."""
    if not keys:
        return 0
    integers = as_integers(keys)
    columns = [identities["label"]] if integers else []
    if isinstance(keys[0], str):
        columns += [column for title, column in identities.items() if title != "label"]
    wanted = {*keys, *(integers or [])}
    return max(len(wanted.intersection(column)) for column in columns)


def _wide_signals(
    table: ValueTable, identities: Mapping[str, Sequence[Any]], t_r: float | None
) -> Signals:
    columns = [column for column in table.columns if not column.is_index]
    named = {key for column in identities.values() for key in column}
    text = [c for c in columns if c.numbers is None and c.title in named]
    if text:
        raise _text_error(text[0], table)
    # Text beside the regions is no value, but its title is reported as a key without region.
    n_rows = len(columns[0].cells)
    nothing = np.zeros(n_rows, np.uint8)
    values = _stacked([(c.title, nothing if c.numbers is None else c.numbers) for c in columns]).T
    return Signals(values, _titles(columns), t_r=t_r, single=n_rows == 1)


def _long_signals(
    table: ValueTable,
    key_column: ValueColumn,
    regions: RegionTable,
    columns: Key | Sequence[Key] | None,
    t_r: float | None,
) -> Signals:
    keys = _complete_keys(key_column, table)
    if columns is None:
        chosen = [c for c in table.columns if _is_value(c, key_column, keys, regions)]
    else:
        titles = [columns] if isinstance(columns, str | int) else list(columns)
        chosen = [table.column(title) for title in titles]
    if not chosen:
        raise SignalsError(
            f"{table.source} has no column of numbers beside its key column "
            f"{key_column.title!r}; its columns are {examples(_titles(table.columns))}."
        )
    values = _stacked([(column.title, _numbers(column, table)) for column in chosen])
    return Signals(
        values[0] if len(chosen) == 1 else values,
        keys,
        map_names=[str(column.title) for column in chosen],
        t_r=t_r,
    )


def _is_value(
    column: ValueColumn, key_column: ValueColumn, keys: list[Key], regions: RegionTable
) -> bool:
    """Return whether a column of a long table holds values, rather than says who regions are."""
    if column is key_column or column.is_index or column.numbers is None:
        return False
    labels = _keys(column)
    if labels is None or not all(isinstance(label, int) for label in labels):
        return True
    if _is_label_title(column.title) and len(set(labels)) == len(labels):
        return False
    label_of = dict(zip(regions.names, regions.labels.tolist(), strict=True))
    return [label_of.get(str(key)) for key in keys] != labels


def _stacked(columns: Sequence[tuple[Key, NDArray[Any]]]) -> NDArray[Any]:
    """Return columns as rows of one array, in a dtype that holds them all."""
    stacked = np.stack([numbers for _, numbers in columns])
    for (title, numbers), row in zip(columns, stacked, strict=True):
        if numbers.dtype.kind in "iu":
            _one_dtype(row, numbers.tolist(), f"the column {title!r}")
    return stacked


def _one_dtype(numbers: NDArray[Any], cells: Sequence[Any], what: str) -> NDArray[Any]:
    """Return numbers made of cells, if no integer was rounded on the way."""
    if numbers.dtype.kind == "f":
        pairs = zip(numbers.tolist(), cells, strict=True)
        rounded = [cell for made, cell in pairs if isinstance(cell, int) and made != cell]
        if rounded:
            raise SignalsError(
                f"{plural(len(rounded), 'integer')} in {what} cannot be held by "
                f"{numbers.dtype}, which gaps or other values need: {examples(rounded)}. "
                "Fill the gaps, or give the columns one by one."
            )
    return numbers


def _complete_keys(column: ValueColumn, table: ValueTable) -> list[Key]:
    empty = [row for row, cell in enumerate(column.cells, start=1) if cell in (None, "")]
    if empty:
        raise MatchError(
            f"{plural(len(empty), 'row')} of {table.source} without a key in the column "
            f"{column.title!r}: {examples(empty)}. Fill in the region, or remove the row."
        )
    keys = _keys(column)
    if keys is None:
        raise MatchError(
            f"The key column {column.title!r} of {table.source} holds neither names nor integer "
            f"labels: {examples(column.cells)}."
        )
    return keys


def _keys(column: ValueColumn) -> list[Key] | None:
    """Return the cells as keys: text, or integers; None where they are neither."""
    if column.numbers is None:
        return [cell for cell in column.cells if isinstance(cell, str) and cell]
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(column.numbers) & (column.numbers == np.rint(column.numbers))
    if column.numbers.dtype.kind not in "iuf" or not whole.all():
        return None
    return [int(number) for number in column.numbers.tolist()]


def _numbers(column: ValueColumn, table: ValueTable) -> NDArray[Any]:
    if column.numbers is None:
        raise _text_error(column, table)
    return column.numbers


def _text_error(column: ValueColumn, table: ValueTable) -> SignalsError:
    return SignalsError(
        f"The column {column.title!r} of {table.source} holds text: "
        f"{examples(dict.fromkeys(map(str, column.cells)))}. Values must be numbers; write n/a "
        "where there is none."
    )


def _is_label_title(title: Key) -> bool:
    return str(title).lower() in _LABEL_TITLES


def _titles(columns: Iterable[ValueColumn]) -> list[Key]:
    return [column.title for column in columns]
