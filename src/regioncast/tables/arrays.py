"""Columns of numbers as signals, and numbers without titles.

Without titles, rows are maps and columns the regions in ascending order of label.  Where a first
row, a first column or an index could be labels, nobody guesses: `by` says what they are.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from ..atlas.identities import LABEL, NAME, Identities, Naming
from ..errors import MatchError, SignalsError, examples
from ..identity import may_paint
from ..signals import Key, Signals, map_titles
from .cells import are_distinct
from .keys import (
    counts_rows,
    data_columns,
    fits_by_position,
    keys_of,
    maps_by_position,
    naming_of_cells,
    rows_are_regions,
)
from .table import Column, Table, are_counted, stacked, title_of
from .titles import label_rank

# A first row 0, 1, 2, … that is this long counts columns; a shorter one may well be values.
_COUNTED = 3


@dataclasses.dataclass(frozen=True)
class Asked:
    """What was said about values, instead of being found.

    Parameters
    ----------
    by : str, default="auto"
        What keys are: a name, a label, a column of the region table, or ``"position"``.
    key : str or int, default=None
        Title of the column of keys.
    columns : sequence of str or int, default=None
        Titles of the columns that become maps.
    t_r : float, default=None
        Repetition time in seconds, instead of what the values say.
    strip : sequence of str, default=()
        What is cut from the beginning and end of keys.
    categories : bool, default=False
        Whether they are categories: text, or integers that stand for something.
    """

    by: str = "auto"
    key: Key | None = None
    columns: Sequence[Key] | None = None
    t_r: float | None = None
    strip: Sequence[str] = ()
    categories: bool = False


# --- columns to signals --------------------------------------------------------------------------


def maps_in_columns(
    maps: Sequence[Column],
    table: Table,
    asked: Asked,
    keys: Sequence[Key] | None = None,
    labels: Sequence[int] | None = None,
) -> Signals:
    """Return columns as maps, whose names are their titles; rows are regions.

    Raises `MatchError` when two maps would have one name.
    """
    names = [str(column.title) for column in maps]
    for title, n_columns in Counter(names).items():
        if n_columns > 1:
            raise MatchError(
                f"{n_columns} columns {title!r} of {table.source} would be maps of one "
                "name. Name each column once, and rename columns of one title."
            )
    values = stacked(maps, table)
    has_names = table.has_header and any(names) and names != map_titles(len(names))
    return Signals(
        values[0] if len(maps) == 1 else values,
        keys,
        labels=labels,
        map_names=names if has_names else None,
        t_r=asked.t_r,
    )


def maps_in_rows(
    columns: Sequence[Column], table: Table, asked: Asked, keys: Sequence[Key] | None = None
) -> Signals:
    """Return rows as maps, which the columns of text name; columns are regions."""
    values = stacked(columns, table)
    is_alone = len(values) == 1 and keys is None and table.map_column is None
    if is_alone and not table.has_header:
        return Signals(values[0], t_r=asked.t_r)  # one column of numbers is a map
    single = values.shape[1] == 1
    return Signals(values.T, keys, map_names=_names_of_rows(table), t_r=asked.t_r, single=single)


def _names_of_rows(table: Table) -> list[str] | None:
    """Return the names of the maps of a wide table: its columns of them, joined, or its index."""
    columns = list(filter(table.names_rows, table.columns))
    if not columns:
        return None
    rows = zip(*[column.texts for column in columns], strict=True)
    names = ["_".join(text for text in row if text is not None) for row in rows]
    return None if names == map_titles(len(names)) else names


# --- a header of numbers -------------------------------------------------------------------------


def with_header(table: Table, identities: Identities, by: str) -> Table:
    """Return a table with a comment or its first row as header, where one is or is said to be.

    Raises `MatchError` when the first row may be a header as well as one of values.
    """
    if by != "position" and table.comments:
        table = _with_comment(table, identities)
    may_have_header = table.may_have_header and table.n_rows > 1
    if not may_have_header or not holds_numbers_alone(table, identities):
        return table
    columns = data_columns(table)
    if _counts_columns(columns):
        below = [column.without_first(title=column.title) for column in table.columns]
        return dataclasses.replace(table, columns=below, may_have_header=False)
    if by == "position" or len(columns) < 2:
        return table
    return _with_first_row(table, columns, identities, by)


def _with_first_row(
    table: Table, columns: Sequence[Column], identities: Identities, by: str
) -> Table:
    """Return a table under its first row, where that could be titles and `by` says what of."""
    first = [title_of(column.cells[0]) for column in columns]
    naming = identities.naming(first, by)
    integers = [column.integers[0] for column in columns]
    if not _are_distinct_integers(integers) and 2 * naming.n_regions <= len(first):
        return table
    if by == "auto":
        what = naming.by if naming.n_regions else LABEL
        raise MatchError(
            f"The first row of {table.source} ({examples(first)}) may be a header of {what}s, or a "
            f"row of values like the others. {_ways(table, naming, identities, 'a header')}"
        )
    # What `by` says may also be in the first column, which then is that of the keys.
    in_column = naming_of_cells(columns[0], identities, by)
    if in_column.n_regions >= naming.n_regions and _may_be_keys(columns[0], table, identities):
        return table
    titled = [column.without_first(as_label=by == LABEL) for column in table.columns]
    return Table(titled, table.source)


def _with_comment(table: Table, identities: Identities) -> Table:
    """Return the table with the titles that a comment gives, if most of them name regions.

    A comment of a word or two may name one by chance, and so may one that counts the columns.
    """
    rows = [[title_of(word) for word in words] for words in table.comments]
    titles = max(rows, key=lambda row: identities.naming(row).n_regions)
    best = identities.naming(titles)
    n_words = len(titles)
    if n_words < 2 or 2 * best.n_regions < max(4, n_words):
        return table
    if counts_rows(best.keys) and best.n_regions < n_words:
        return table
    pairs = zip(table.columns, titles, strict=True)
    columns = [dataclasses.replace(column, title=title) for column, title in pairs]
    return Table(columns, table.source)


def _counts_columns(columns: Sequence[Column]) -> bool:
    """Return whether the first row counts columns: 0, 1, 2, … over decimals.

    Over integers, or under titles that count already, it may as well be a row of values.
    """
    first = [column.integers[0] for column in columns]
    if len(columns) < _COUNTED or first != list(range(len(columns))):
        return False
    has_decimals = not all(column.are_integers for column in columns)
    return has_decimals and not are_counted(column.title for column in columns)


def _are_distinct_integers(integers: Sequence[int | None]) -> bool:
    return None not in integers and are_distinct(integers)


def _ways(table: Table, naming: Naming, identities: Identities, what: str) -> str:
    """Return what to pass for what may be keys, of that which leads to a map."""
    ways = []
    meant: list[list[list[int]]] = []
    # Names may look like labels of other regions: then the keys may be either.
    for by in dict.fromkeys([naming.by, NAME, LABEL]):
        said = identities.naming(naming.keys, by)
        if may_paint(said, identities) and said.rows not in meant:
            meant.append(said.rows)
            ways.append(f"by={by!r} (--by {by}) for {what}")
    if fits_by_position(table, identities):
        ways.append("by='position' (--by position) for values alone")
    return f"Pass {', or '.join(ways)}; or give it titles." if ways else "Give it titles."


def _may_be_keys(column: Column, table: Table, identities: Identities) -> bool:
    """Return whether a column without a title could be labels: as many integers as there are rows.

    Or most of its cells are names of regions, which may look like numbers.
    """
    if len(data_columns(table)) < 2 or table.n_rows < 2:
        return False
    if _are_distinct_integers(column.integers):
        return True
    return 2 * identities.naming(keys_of(column), "text").n_regions > table.n_rows


# --- numbers alone -------------------------------------------------------------------------------


def holds_numbers_alone(table: Table, identities: Identities) -> bool:
    """Return whether all columns are numbers, but for names of maps: `map`, or an index of text."""
    if any(column.is_text for column in data_columns(table)):
        return False
    for column in table.index:
        if label_rank(column.title) > 0:
            return False
        if column.is_text and identities.naming(keys_of(column)).n_regions:
            return False
    return True


def signals_of_numbers(table: Table, identities: Identities, asked: Asked) -> Signals:
    """Return the signals of numbers without titles: rows are maps, columns regions.

    Raises `MatchError` when the index or the first column could be labels, and `by` does not say
    so.
    """
    columns = data_columns(table)
    # Numbers of rows in an index say nothing, and neither do decimals.
    counted = list(range(table.n_rows))
    index = [c for c in table.index if c.are_integers and c.integers != counted]
    if index:
        key_column, what, maps = index[0], "its index", columns
    elif _may_be_keys(columns[0], table, identities):
        key_column, what, maps = columns[0], "its first column", columns[1:]
    else:
        return maps_in_rows(columns, table, asked)
    naming = naming_of_cells(key_column, identities, asked.by)
    # Where an index holds all labels, it is that of the regions: unless each column may be one.
    is_complete = naming.n_regions == identities.n_present
    is_confirmed = is_complete and len(columns) != len(identities.table)
    if asked.by in (NAME, LABEL) or (index and is_confirmed):
        return maps_in_columns(maps, table, asked, naming.keys)
    ways = _ways(table, naming, identities, "keys")
    raise MatchError(
        f"{table.subject} is ambiguous: {what} ({examples(keys_of(key_column))}) may be the "
        f"labels of regions, or each column be a region. {ways}"
    )


def no_numbers(table: Table) -> SignalsError:
    """Return the error for a table without a column that could be values."""
    return SignalsError(
        f"{table.subject} has no column of numbers beside what names maps or regions; its columns "
        f"are {examples(table.titles)}."
    )


def signals_by_position(table: Table, identities: Identities, asked: Asked) -> Signals:
    """Return values in ascending order of label, one column or one row per region."""
    if asked.columns is None:
        columns = maps_by_position(table)
    else:
        columns = [table.column(title) for title in asked.columns]
    if not columns:
        raise no_numbers(table)
    if rows_are_regions(table, columns, identities):
        return maps_in_columns(columns, table, asked)
    return maps_in_rows(columns, table, asked)
