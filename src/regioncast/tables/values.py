"""Tables of values, as people keep them, to signals.

A *long* table has one row per region, a *key column* that says which, and one column of
numbers per map.  A *wide* table has one column per region, titled by its key, and one row per
map or time point.  Which it is, and which column is the key, is found by looking for the
regions' names and labels, so it is decided here, where the regions are known.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..atlas.hemispheres import is_hemisphere_title, side_of_word
from ..errors import MatchError, SignalsError, capitalized, examples, plural
from ..identity import (
    QUALIFIED_LABEL,
    QUALIFIED_NAME,
    as_integers,
    as_spelt,
    identities_of,
    integer_of,
    text_identities,
)
from ..signals import MAP_TITLE, Key, Signals, as_keys, map_titles
from .keys import (
    counts_rows,
    find_key_column,
    is_distinct,
    is_exact_label_title,
    is_label_title,
    is_name_title,
    is_null,
    keys_of,
    may_index_regions,
    rows_by_key,
    titles_of,
)

Kind = Literal["index", "text", "values", "labels", "other labels", "unclear"]

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..atlas.region_table import RegionTable

# A first row 0, 1, 2, … that is this long counts columns; a shorter one may well be values.
_COUNTED = 3

# A label as pandas writes it where labels became floats.
_WHOLE = re.compile(r"[+-]?\d+\.0*")


# What `by` may be beside the title of a column.
_STANDARD = frozenset(["auto", "name", "label", "position"])


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
        title = label if label is not None else "column 1" if first is None else str(first)
        numbers = None if self.numbers is None else self.numbers[1:]
        return ValueColumn(title, self.cells[1:], numbers, is_index=first is None)


@dataclass(frozen=True, eq=False)
class ValueTable:
    """Columns of one length, and the name of the table for messages.

    Parameters
    ----------
    columns : tuple of ValueColumn
    source : str
    has_header : bool or None, default=True
        None where the first row may be a header of numbers.
    comments : tuple of tuple of str or int, default=()
        Words of comments, which are the titles of the columns if they name regions.
    """

    columns: tuple[ValueColumn, ...]
    source: str
    has_header: bool | None = True
    comments: tuple[tuple[Key, ...], ...] = ()

    @property
    def subject(self) -> str:
        """The name of the table at the beginning of a sentence; files keep theirs."""
        is_file = not self.source.startswith(("the ", "standard "))
        return self.source if is_file else capitalized(self.source)

    def column(self, title: Key) -> ValueColumn:
        """Return the column of this title; raise `MatchError` listing those there are."""
        # A shell knows text only.
        found = [column for column in self.columns if str(column.title) == str(title)]
        if len(found) != 1:
            raise MatchError(
                f"{self.subject} has {_counted(len(found))} {title!r}; "
                f"its columns are {examples(titles_of(self.columns), show=20)}."
            )
        return found[0]


def numbers_with_gaps(cells: Sequence[Any], what: str) -> NDArray[Any]:
    """Return Python numbers as an array, NaN for None.

    A `Decimal` without decimals is an integer, any other a float.

    Raises
    ------
    SignalsError
        When a gap makes floats of integers that a float cannot hold, or a number is too large.

    Examples
    --------
    >>> numbers_with_gaps([1, None, 3], "the column 'n'")
    array([ 1., nan,  3.])
    """
    if any(isinstance(cell, Decimal) for cell in cells):
        cells = _without_decimals(cells, what)
    numbers = np.array([np.nan if is_null(cell) else cell for cell in cells])
    if numbers.dtype.kind == "f" and all(isinstance(plain(cell), int) for cell in cells):
        # NumPy makes floats of integers on both sides of 2**63.
        numbers = np.array(cells, np.uint64) if cells and min(cells) >= 0 else numbers
    if numbers.dtype == object:
        bounds = np.iinfo(np.int64).min, np.iinfo(np.int64).max
        given = [plain(cell) for cell in cells if not is_null(cell)]
        large = [
            cell for cell in given if isinstance(cell, int) and not bounds[0] <= cell <= bounds[1]
        ]
        raise SignalsError(
            f"{plural(len(large), 'integer')} in {what} beyond 64 bits: {examples(large)}. "
            "Rescale the values."
        )
    return _one_dtype(numbers, cells, what)


def _without_decimals(cells: Sequence[Any], what: str) -> list[Any]:
    made = [_number_of_decimal(cell) if isinstance(cell, Decimal) else cell for cell in cells]
    pairs = zip(made, cells, strict=True)
    large = [
        cell
        for number, cell in pairs
        if isinstance(cell, Decimal) and cell.is_finite() and not math.isfinite(number)
    ]
    if large:
        raise SignalsError(
            f"{plural(len(large), 'number')} in {what} beyond the range of float64: "
            f"{examples(large)}. Rescale the values."
        )
    return made


def _number_of_decimal(cell: Decimal) -> int | float:
    """Return what a column of a database means: an integer where it has no decimals."""
    return int(cell) if cell.as_tuple().exponent == 0 else float(cell)


def is_number_or_gap(cell: object) -> bool:
    """Return whether a cell is a number of Python or NumPy, or says that there is none."""
    if isinstance(cell, np.timedelta64):  # an integer by its class
        return False
    is_number = isinstance(cell, int | float | complex | Decimal | np.number | np.bool_)
    return is_number or is_null(cell)


def check_exact(dtype: np.dtype[Any], cells: Any, what: str) -> None:
    """Raise `SignalsError` where integers among cells become other numbers in a dtype."""
    if dtype.kind != "f" or getattr(cells, "dtype", dtype).kind == "f":
        return
    plain_cells = map(plain, np.ravel(np.array(cells, object)))
    integers = [cell for cell in plain_cells if isinstance(cell, int)]
    if integers:
        _one_dtype(np.array(integers, object).astype(dtype), integers, what)


def signals_of(
    table: ValueTable,
    regions: RegionTable,
    *,
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    by: str = "auto",
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
    by : str, default="auto"
        What the keys are to be, as in `matching.match`; it has a say in which column is the key.
    t_r : float, default=None
        Repetition time in seconds, where the maps are time points.

    Raises
    ------
    MatchError
        When no column and no header names regions, when two could, or when a key is missing.
    SignalsError
        When there are no rows, no numbers, or text where numbers are needed.
    """
    if all(c.is_index for c in table.columns) or not len(table.columns[0].cells):
        raise SignalsError(f"{table.subject} is empty: it has no row or no column of values.")
    table = _with_names_as_text(_with_header(table, regions, by), regions)
    if key is None and columns is None and _holds_an_array(table):
        return _array_signals(table, regions, by, t_r)
    table = _as_spelt(_with_titles_as_text(table, regions), identities_of(regions))
    if key is None and by == "auto":
        _check_index_is_key(table, regions)
    if regions.hemispheres is not None:
        table = _with_hemispheres(table, key, regions)
    if key is None and by == "position" and _has_one_row_per_region(table, regions):
        chosen = _chosen([c for c in table.columns if not c.is_index], columns, table)
        return _by_position(chosen, table, t_r)
    if key is None and by not in _STANDARD and by in titles_of(table.columns):
        key = by
    key_column = find_key_column(table, regions, by) if key is None else table.column(key)
    if key_column is None:
        if columns is not None:
            raise SignalsError(
                f"columns= chooses the maps of a table with one row per region; {table.source} "
                "has one column per region."
            )
        return _wide_signals(table, identities_of(regions), t_r)
    return _long_signals(table, key_column, columns, regions, t_r)


def _with_header(table: ValueTable, regions: RegionTable, by: str) -> ValueTable:
    """Return the table with a comment or its first row as header, where they name regions."""
    if table.comments and by != "position":
        table = _with_comment_as_header(table, regions)
    if table.has_header is None:
        table = _with_labels_as_header(_without_counting_header(table, regions), regions, by)
    return table


def _with_names_as_text(table: ValueTable, regions: RegionTable) -> ValueTable:
    """Return the table with integers as text where they are the names of regions, by their title.

    So they are in region tables that have no names, and where atlases number their regions.
    Integers that are the labels of other regions too stay as they are, which is an error later.
    """
    names = set(regions.names)
    name_of = dict(zip(regions.labels.tolist(), regions.names, strict=True))

    def with_text(column: ValueColumn) -> ValueColumn:
        keys = keys_of(column) if column.numbers is not None else None
        if keys is None or not is_name_title(column.title) or is_label_title(column.title):
            return column
        cells = tuple(map(str, keys))
        pairs = zip(keys, cells, strict=True)
        are_others = any(cell in names and name_of.get(key, cell) != cell for key, cell in pairs)
        are_names = 2 * len(names.intersection(cells)) >= max(1, len(set(cells)))
        if are_others or not are_names:
            return column
        return dataclasses.replace(column, cells=cells, numbers=None)

    return dataclasses.replace(table, columns=tuple(map(with_text, table.columns)))


def _with_titles_as_text(table: ValueTable, regions: RegionTable) -> ValueTable:
    """Return the table with titles as text where they are integers that name more regions so."""
    integers = {c.title for c in table.columns if isinstance(c.title, int)}
    n_labels = len(integers.intersection(regions.labels.tolist()))
    if not n_labels < len(set(regions.names).intersection(map(str, integers))):
        return table
    columns = [dataclasses.replace(column, title=str(column.title)) for column in table.columns]
    return dataclasses.replace(table, columns=tuple(columns))


def _as_spelt(table: ValueTable, identities: Mapping[str, Sequence[Any]]) -> ValueTable:
    """Return the table with its text and titles as in the names of regions; see `as_spelt`."""
    titles = as_spelt(titles_of(table.columns), identities)
    columns = tuple(
        dataclasses.replace(
            c,
            title=title,
            cells=c.cells if c.numbers is not None else tuple(as_spelt(c.cells, identities)),
        )
        for c, title in zip(table.columns, titles, strict=True)
    )
    return dataclasses.replace(table, columns=columns)


def _with_hemispheres(table: ValueTable, key: Key | None, regions: RegionTable) -> ValueTable:
    """Return the table with the hemispheres that one of its columns gives before its keys.

    Rows of which it gives none, as those of the brain stem, keep their keys, and so do those
    whose keys name a region of this hemisphere by themselves.
    """
    given = _hemisphere_column(table)
    n_rows = len(table.columns[0].cells)
    sides = [None] * n_rows if given is None else [side_of_word(cell) for cell in given.cells]
    # Hemispheres may share labels, so these need not be distinct to be labels.
    columns = tuple(
        _prefixed(c, sides, regions)
        if c is not given
        and (c.numbers is None or c.title == key or (is_label_title(c.title) and keys_of(c)))
        else c
        for c in table.columns
    )
    return dataclasses.replace(table, columns=columns)


def _hemisphere_column(table: ValueTable) -> ValueColumn | None:
    for column in table.columns:
        if is_hemisphere_title(column.title) and any(map(side_of_word, column.cells)):
            return column
    return None


def _prefixed(
    column: ValueColumn, sides: Sequence[str | None], regions: RegionTable
) -> ValueColumn:
    identities = identities_of(regions)
    with_prefix = {*identities[QUALIFIED_NAME], *identities[QUALIFIED_LABEL]}
    keys = column.cells if column.numbers is None else keys_of(column) or column.cells
    side_of = _hemispheres_by_key(keys, regions, identities) if column.numbers is None else {}

    def cell(key: Any, side: str | None) -> str | None:
        if key is None:
            return None
        prefixed = f"{side}:{key}"
        is_whole = prefixed not in with_prefix and side_of.get(key) == side
        return prefixed if side and not is_whole else str(key)

    cells = tuple(map(cell, keys, sides))
    return dataclasses.replace(column, cells=cells, numbers=None)


def _hemispheres_by_key(
    keys: Sequence[Any], regions: RegionTable, identities: Mapping[str, Sequence[Any]]
) -> dict[Any, str]:
    """Return the hemispheres of regions by what most of the keys are."""
    best = max(text_identities(identities), key=lambda t: len(set(keys) & set(identities[t])))
    return dict(zip(identities[best], regions.hemispheres or (), strict=True))


def _without_counting_header(table: ValueTable, regions: RegionTable) -> ValueTable:
    """Return the table without a first row that counts the columns, as pandas writes it."""
    first = table.columns[0]
    leads = first.cells[0] is None or first.numbers is None
    counting = table.columns[1:] if leads else table.columns
    counted = [column.cells[0] for column in counting] == [str(n) for n in range(len(counting))]
    is_row = leads and str(first.cells[0]) in regions.names
    are_few = len(counting) < _COUNTED and first.cells[0] != MAP_TITLE
    if not counted or is_row or are_few or len(first.cells) < 2:
        return table
    lead = (first.below_header(None),) if leads else ()
    below = tuple(column.below_header(number) for number, column in enumerate(counting))
    return ValueTable((*lead, *below), table.source, has_header=False)


def _with_labels_as_header(table: ValueTable, regions: RegionTable, by: str) -> ValueTable:
    """Return the table with its first row as header, where that row lists labels of regions.

    A first row of labels over numbers looks like one more row of numbers, until the regions
    are known.
    """
    if table.has_header is not None:
        return table
    if _may_have_header(table, regions):
        return _with_header_if_told(table, regions, by)
    labels, names = set(regions.labels.tolist()), set(regions.names)
    first = [integer_of(str(column.cells[0])) for column in table.columns]
    given = [label for label in first if label is not None]
    if not labels.issuperset(given) and names.issuperset(map(str, given)):
        labels = set(given)  # names that are numbers
    if (
        len(given) < 2
        or len(table.columns[0].cells) < 2
        or len(set(given)) < len(given)
        or not labels.issuperset(given)
        or any(label is None for label in first[1:])
        or any(names.intersection(map(str, c.cells)) for c in table.columns if c.numbers is None)
    ):
        return table
    if len(given) == len(first) == len(regions) and all(map(_holds_integers, table.columns)):
        raise MatchError(
            f"The first row of {table.source} may be a header of labels, or a row of integers like "
            "the others. Write the numbers with decimal points, or give the regions a header."
        )
    keys = keys_of(table.columns[0]) if _holds_integers(table.columns[0]) else None
    if keys and is_distinct(table.columns[0]) and labels.issuperset(keys):
        if by == "label" or (len(keys) == len(labels) and len(first) != len(regions)):
            return table
        raise MatchError(
            f"The first row of {table.source} ({examples(given)}) may be a header of labels, or a "
            "row of values like the others, after a label. Pass by='label' (--by label) for a "
            "label in each row, or give the columns or the regions a header."
        )
    pairs = zip(table.columns, first, strict=True)
    columns = tuple(column.below_header(label) for column, label in pairs)
    return ValueTable(columns, table.source)


def _with_comment_as_header(table: ValueTable, regions: RegionTable) -> ValueTable:
    """Return the table with the titles that a comment gives, if most of them name regions.

    A comment of a word or two may name one by chance, and so may one that counts the columns.
    """
    known = rows_by_key(identities_of(regions)).keys()
    titles = max(table.comments, key=lambda words: len(known & set(words)))
    n_known = len(known & set(titles))
    is_counted = counts_rows(titles, (0,)) and n_known < len(titles)
    if len(titles) < 2 or 2 * n_known < max(4, len(titles)) or is_counted:
        return table
    pairs = zip(table.columns, titles, strict=True)
    columns = tuple(dataclasses.replace(column, title=title) for column, title in pairs)
    return ValueTable(columns, table.source)


def _may_have_header(table: ValueTable, regions: RegionTable) -> bool:
    """Return whether the first row is as likely labels as values.

    It may be labels where it has whole floats that all are labels, or integers over decimals of
    which some are of no region.
    """
    first = [_whole(column.cells[0]) for column in table.columns]
    is_text = any(column.numbers is None for column in table.columns)
    if is_text or None in first or len(set(first)) < len(first) or len(first) < 2:
        return False
    if len(table.columns[0].cells) < 2 or counts_rows(first, (0,)):  # type: ignore[arg-type]
        return False
    labels, keys = set(regions.labels.tolist()), keys_of(table.columns[0])
    if keys and is_distinct(table.columns[0]) and len(first) != len(regions):
        return False
    if all(map(_holds_integers, table.columns)):
        has_keys = is_distinct(table.columns[0]) and labels.issuperset(keys or [])
        return not has_keys and 2 * _n_regions_among(first, regions) >= len(first)
    if any(_WHOLE.fullmatch(str(column.cells[0])) for column in table.columns):
        return labels.issuperset(first)
    return not labels.issuperset(first) and not keys and any(map(_has_decimals, table.columns))


def _n_regions_among(integers: Sequence[int | None], regions: RegionTable) -> int:
    """Return how many of the integers are labels of regions, or their names."""
    labels, names = set(regions.labels.tolist()), set(regions.names)
    return max(len(labels.intersection(integers)), len(names.intersection(map(str, integers))))


def _whole(cell: Any) -> int | None:
    """Return a cell such as ``3`` or ``3.0`` as an integer, None where it is another."""
    text = str(cell)
    return int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else integer_of(text)


def _has_decimals(column: ValueColumn) -> bool:
    """Return whether a column has numbers below its first that are not written as integers."""
    numbers = () if column.numbers is None else column.numbers.tolist()
    pairs = zip(column.cells[1:], numbers[1:], strict=True)
    return any(np.isfinite(number) and integer_of(str(cell)) is None for cell, number in pairs)


def _with_header_if_told(table: ValueTable, regions: RegionTable, by: str) -> ValueTable:
    """Return the table with its first row as labels or as values, whichever `by` says."""
    first = [column.cells[0] for column in table.columns]
    if by == "position":
        return table
    if by == "auto":
        whole = [_whole(cell) for cell in first]
        are_labels = set(regions.labels.tolist()).issuperset(whole)
        are_names = set(regions.names).issuperset(map(str, whole))
        what = "name" if are_names and not are_labels else "label"
        raise MatchError(
            f"The first row of {table.source} ({examples(first)}) may be a header of {what}s, or a "
            f"row of values like the others. Pass by='{what}' (--by {what}) for a header, or "
            "by='position' (--by position) for values."
        )
    columns = tuple(column.below_header(_whole(column.cells[0])) for column in table.columns)
    return ValueTable(columns, table.source)


def _holds_an_array(table: ValueTable) -> bool:
    """Return whether all columns are numbers without a title, but for the names of the maps."""
    others = [c for c in table.columns if c.title != MAP_TITLE]
    return not table.has_header and not any(
        may_index_regions(c) if c.is_index else c.numbers is None for c in others
    )


def _map_names(columns: Sequence[ValueColumn]) -> list[str] | None:
    """Return the names of the maps that a wide table has in a column of its own, if it has."""
    found = [c for c in columns if c.title == MAP_TITLE and not c.is_index]
    names = [str(cell) for cell in found[0].cells] if found else []
    return None if names in ([], map_titles(len(names))) else names


def _holds_integers(column: ValueColumn) -> bool:
    return column.numbers is not None and column.numbers.dtype.kind in "iu"


def _array_signals(table: ValueTable, regions: RegionTable, by: str, t_r: float | None) -> Signals:
    """Return the signals of a table of numbers without a header: by position or first column."""
    columns = [c for c in table.columns if not c.is_index and c.title != MAP_TITLE]
    if by != "position" and _first_is_key(columns, table, regions, by):
        values = _stacked(columns[1:], table)
        return Signals(values if len(values) > 1 else values[0], keys_of(columns[0]), t_r=t_r)
    values = _stacked(columns, table)
    if len(values) == 1:
        return Signals(values[0], t_r=t_r)
    single = values.shape[1] == 1
    return Signals(values.T, map_names=_map_names(table.columns), t_r=t_r, single=single)


def _has_one_row_per_region(table: ValueTable, regions: RegionTable) -> bool:
    """Return whether a table under a header has as many rows as regions, and nothing but values."""
    values = [c for c in table.columns if not c.is_index]
    known = rows_by_key(identities_of(regions)).keys()
    return len(values[0].cells) == len(regions) != len(values) and not any(
        c.numbers is None or is_label_title(c.title) or c.title in known for c in values
    )


def _by_position(columns: Sequence[ValueColumn], table: ValueTable, t_r: float | None) -> Signals:
    values = _stacked(columns, table)
    names = [str(column.title) for column in columns]
    return Signals(values if len(values) > 1 else values[0], map_names=names, t_r=t_r)


def _first_is_key(
    columns: Sequence[ValueColumn], table: ValueTable, regions: RegionTable, by: str
) -> bool:
    """Return whether the first column of numbers without a header holds labels.

    It does where it has each label of the regions once.  Where it has others, the table must
    not have one column per region.
    """
    keys, labels = keys_of(columns[0]) or [], set(regions.labels.tolist())
    n_labels = len(labels.intersection(keys))
    is_pair, is_all = len(columns) == 2, n_labels == len(labels)
    if len(columns) < 2 or not is_distinct(columns[0]):
        return False
    if len(columns) != len(regions):
        if is_pair:
            return n_labels == len(keys) or _holds_integers(columns[0])
        return (n_labels == len(keys) and is_all) or (
            _holds_integers(columns[0]) and 2 * n_labels >= len(keys) > 1
        )
    differ = _holds_integers(columns[0]) and not all(map(_holds_integers, columns))
    if len(keys) < 2 or n_labels < len(keys) or not (is_pair or is_all or differ):
        return False
    if by == "label":
        return True
    raise MatchError(
        f"{table.subject} is ambiguous: it may have labels in its first column "
        f"({examples(keys)}), or one column for each of {plural(len(regions), 'region')}. Pass "
        "by='label' (--by label) or by='position' (--by position), or give it a header."
    )


def _check_index_is_key(table: ValueTable, regions: RegionTable) -> None:
    """Raise where an index may say who the regions are, and columns be them too.

    Columns without titles may be, and so may columns that R numbered beside the rows.
    """
    index = [c for c in table.columns if c.is_index and c.numbers is not None]
    values = [c for c in table.columns if not c.is_index and c.title != MAP_TITLE]
    untitled = [c for c in index if may_index_regions(c) and not is_label_title(c.title)]
    if table.has_header:
        known = rows_by_key(identities_of(regions)).keys()
        untitled = [
            c
            for c in untitled
            if counts_rows(keys_of(c) or []) and known.isdisjoint(titles_of(values))
        ]
    if untitled and len(values) == len(regions) and all(c.numbers is not None for c in values):
        keys = keys_of(untitled[0]) or ()
        raise MatchError(
            f"{table.subject} is ambiguous: its index ({examples(keys)}) may say "
            f"which region each row is, or each of its {len(values):,} columns be a region. "
            "Pass by='label' (--by label) for the first, or leave out the index"
            f"{' and the titles' if table.has_header else ''} for the second."
        )


def _wide_signals(
    table: ValueTable, identities: Mapping[str, Sequence[Any]], t_r: float | None
) -> Signals:
    map_names = _map_names(table.columns)
    columns = [c for c in table.columns if not c.is_index and c.title != MAP_TITLE]
    named = {key for column in identities.values() for key in column}
    text = [c for c in columns if c.numbers is None and c.title in named]
    if text:
        raise _text_error(text[0], table)
    # Text beside the regions is no value, but its title is reported as a key without region.
    n_rows = len(columns[0].cells)
    nothing = np.zeros(n_rows, np.uint8)
    rows = [
        (f"the column {c.title!r}", nothing if c.numbers is None else c.numbers) for c in columns
    ]
    values = one_array(rows).T
    keys = titles_of(columns)
    if any(isinstance(key, str) for key in keys):
        keys = [str(key) for key in keys]  # titles of one table are of one kind
    return Signals(values, keys, map_names=map_names, t_r=t_r, single=n_rows == 1)


def _long_signals(
    table: ValueTable,
    key_column: ValueColumn,
    columns: Key | Sequence[Key] | None,
    regions: RegionTable,
    t_r: float | None,
) -> Signals:
    keys = _complete_keys(key_column, table)
    kinds = [(c, _kind(c, keys, regions)) for c in table.columns if c is not key_column]
    if columns is None:
        _check_no_map_is_lost(kinds, table)
    chosen = _chosen([column for column, kind in kinds if kind == "values"], columns, table)
    if not chosen:
        raise _no_values(table, key_column, kinds)
    _check_once(chosen, table)
    values = _stacked(chosen, table)
    labels = [keys_of(column) for column, kind in kinds if kind == "labels"]
    return Signals(
        values[0] if len(chosen) == 1 else values,
        keys,
        labels=as_integers(labels[0] or []) if labels and isinstance(keys[0], str) else None,
        map_names=[str(column.title) for column in chosen],
        t_r=t_r,
    )


def _chosen(
    values: list[ValueColumn], titles: Key | Sequence[Key] | None, table: ValueTable
) -> list[ValueColumn]:
    """Return the columns of these titles, or all that hold values."""
    if titles is None:
        return values
    return [table.column(t) for t in ([titles] if isinstance(titles, str | int) else titles)]


def _kind(column: ValueColumn, keys: Sequence[Key], regions: RegionTable) -> Kind:
    """Return what a column beside the key holds.

    Labels are told by a title that says nothing else, and by their values: all are integers,
    each once, and those of the regions of their rows.
    """
    if column.is_index:
        return "index"
    if column.numbers is None:
        return "text"
    if not is_exact_label_title(column.title):
        return "values"
    numbers, n_agreeing, n_known = column.numbers.tolist(), 0, 0
    identities = identities_of(regions)
    rows_of = rows_by_key(identities)
    for key, number in zip(keys, numbers, strict=True):
        labels = {identities["label"][row] for row in rows_of.get(key, ())}
        n_agreeing += number in labels
        n_known += bool(labels)
    if not is_distinct(column):
        return "unclear" if n_agreeing and 2 * n_agreeing >= len(numbers) else "values"
    if n_known and n_agreeing == n_known:
        return "labels"
    is_other = counts_rows(numbers) or set(numbers) <= set(identities["label"])
    return "other labels" if is_other else "unclear"


def _check_no_map_is_lost(kinds: Sequence[tuple[ValueColumn, Kind]], table: ValueTable) -> None:
    """Raise where a column may be left out wrongly: unclear labels, and numbers with some text."""
    for column, kind in kinds:
        if kind == "unclear":
            raise SignalsError(
                f"The column {column.title!r} of {table.source} is titled as labels, and is not "
                f"the labels of its regions: {examples(column.cells)}. Pass columns= (--columns) "
                "to name the columns to paint."
            )
        given = [cell for cell in column.cells if cell is not None]
        like_numbers = [cell for cell in given if _is_number(str(cell).replace(",", "."))]
        may_be_map = kind == "text" and not is_exact_label_title(column.title)
        if may_be_map and like_numbers and 2 * len(like_numbers) >= len(given):
            raise _text_error(column, table, "; or pass columns= to paint others")


def _check_once(columns: Sequence[ValueColumn], table: ValueTable) -> None:
    for title, n_columns in Counter(map(str, titles_of(columns))).items():
        if n_columns > 1:
            raise MatchError(
                f"{n_columns} columns {title!r} of {table.source} would be maps of one "
                "name. Name each column once, and rename columns of one title."
            )


def _no_values(
    table: ValueTable, key_column: ValueColumn, kinds: Sequence[tuple[ValueColumn, Kind]]
) -> SignalsError:
    """Return the error for a long table without a column of numbers, with what it has instead."""
    taken = [column.title for column, kind in kinds if kind in ("labels", "other labels")]
    text = [column for column, kind in kinds if kind == "text"]
    held = [cell for column in text[:1] for cell in column.cells if cell is not None]
    hints = ""
    if held:
        hints += f" {text[0].title!r} holds text: {examples(held)}. Values must be numbers."
    if taken:
        hints += f" {examples(taken)} was taken for labels; pass columns= to paint it."
    line = next((str(cell) for cell in key_column.cells if cell is not None), "")
    if len(table.columns) == 1 and len(line.split()) > 1:
        hints += (
            f" A line was read as one cell: {line!r}. Separate cells by tab, comma or semicolon."
        )
    return SignalsError(
        f"{table.subject} has no column of values beside its key column {key_column.title!r}; "
        f"its columns are {examples(titles_of(table.columns))}.{hints}"
    )


def _is_number(text: str) -> bool:
    """Return whether text is a number or says that there is none."""
    try:
        float(text)
    except ValueError:
        return text.strip().lower() in ("na", "n/a")
    return "_" not in text


def _stacked(columns: Sequence[ValueColumn], table: ValueTable) -> NDArray[Any]:
    """Return columns as rows of one array, in a dtype that holds them all."""
    return one_array([(f"the column {c.title!r}", _numbers(c, table)) for c in columns])


def one_array(rows: Sequence[tuple[str, NDArray[Any]]]) -> NDArray[Any]:
    """Return arrays, each with what it is in messages, as rows of one array that holds them all.

    Raises
    ------
    SignalsError
        When an integer would be rounded.
    """
    arrays = [numbers for _, numbers in rows]
    stacked = np.stack(arrays)
    if stacked.dtype.kind == "f" and all(a.dtype.kind in "iu" and a.min() >= 0 for a in arrays):
        # NumPy makes floats of signed and unsigned integers.
        stacked = np.stack([numbers.astype(np.uint64) for numbers in arrays])
    for (what, numbers), row in zip(rows, stacked, strict=True):
        if numbers.dtype.kind in "iu":
            _one_dtype(row, numbers.tolist(), what)
    return stacked


def _one_dtype(numbers: NDArray[Any], cells: Sequence[Any], what: str) -> NDArray[Any]:
    """Return numbers made of cells, if no integer was rounded on the way."""
    if numbers.dtype.kind == "f":
        pairs = zip(numbers.tolist(), map(plain, cells), strict=True)
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
    keys = keys_of(column) if column.numbers is not None else as_keys(column.cells)
    if keys is None:
        raise MatchError(
            f"The key column {column.title!r} of {table.source} holds neither names nor integer "
            f"labels: {examples(column.cells)}."
        )
    return keys


def _numbers(column: ValueColumn, table: ValueTable) -> NDArray[Any]:
    if column.numbers is None:
        raise _text_error(column, table)
    return column.numbers


def _text_error(column: ValueColumn, table: ValueTable, way_out: str = "") -> SignalsError:
    cells = [cell for cell in column.cells if cell is not None]
    text = dict.fromkeys(str(cell) for cell in cells if not _is_number(str(cell)))
    # Text of digits is text too, and numbers beside it are none.
    given = [str(cell) for cell in cells if not is_number_or_gap(cell)]
    if text and all(_is_number(cell.replace(",", ".")) for cell in text):
        way_out = f", and a point for the decimal comma{way_out}"
    elif text and all(_is_number(re.sub("[.,](?=.*[.,])|,", "", cell)) for cell in text):
        way_out = f", and thousands without separators{way_out}"
    return SignalsError(
        f"The column {column.title!r} of {table.source} holds text: {examples(text or given)}. "
        f"Values must be numbers; write n/a where there is none{way_out}."
    )


def plain(cell: Any) -> Any:
    """Return a scalar of NumPy as what it is in Python, anything else as it is."""
    return cell.item() if isinstance(cell, np.generic) else cell


def _counted(n_columns: int) -> str:
    return plural(n_columns, "column") if n_columns else "no column"
