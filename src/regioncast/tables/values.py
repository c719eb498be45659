"""Values of any kind to signals: tables, Series, mappings and arrays.

A *long* table has one row per region, a *key column* that says which, and one column of
numbers per map.  A *wide* table has one column per region, titled by its key, and one row per
map or time point.  Which it is, the judge in `keys` says, who knows the regions; numbers without
any title are an array, whose columns are the regions in ascending order of label.
"""

from __future__ import annotations

import dataclasses
import os
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.hemispheres import is_hemisphere_title, side_of_word
from ..errors import (
    FileFormatError,
    MatchError,
    MissingPackageError,
    SignalsError,
    SignalsTypeError,
    examples,
    plural,
)
from ..files import existing_file
from ..formats import suffix_of, suffixes
from ..identity import LABEL, NAME, Identities, Naming
from ..signals import Key, Signals, as_array, as_keys, map_titles
from .cells import (
    check_exact,
    integer_of,
    is_missing,
    is_number,
    is_number_or_gap,
    numbers_with_gaps,
    one_array,
)
from .keys import counts_rows, find, keys_of, naming_of_cells
from .table import (
    Column,
    Table,
    absent_rows,
    are_counted,
    is_frame,
    is_series,
    table_of_frame,
    table_of_series,
    table_of_text,
    title_of,
)
from .text import TextTable, decode, parse_delimited, read_text
from .titles import label_rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

STANDARD_STREAM = "-"
"""The name that stands for standard input."""

# A first row 0, 1, 2, … that is this long counts columns; a shorter one may well be values.
_COUNTED = 3

_STANDARD = frozenset(["auto", NAME, LABEL, "position"])
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


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
    """

    by: str = "auto"
    key: Key | None = None
    columns: Sequence[Key] | None = None
    t_r: float | None = None


def read(values: object, identities: Identities, asked: Asked) -> Signals:
    """Return the signals of values of any kind but CIFTI.

    Parameters
    ----------
    values : dict, Series, DataFrame, array, Signals or path
    identities : Identities
        Of the regions by whose names and labels the keys of a table are found.
    asked : Asked

    Raises
    ------
    MatchError
        When no column and no header names regions, when two could, or when a key is missing.
    SignalsError, SignalsTypeError
        When there are no rows, no numbers, or text where numbers are needed.
    """
    if isinstance(values, str | os.PathLike):
        values = read_values(os.fspath(values))
    elif is_frame(values):
        values = table_of_frame(values)
    elif is_series(values) and asked.by != "position":
        values = _keyed_table(values)
    if isinstance(values, Table):
        return signals_of(values, identities, asked)
    if asked.key is not None or asked.columns is not None:
        raise SignalsError(
            f"key= and columns= choose columns of a table; a {type(values).__name__} has none."
        )
    if isinstance(values, Signals):
        return values if asked.t_r is None else values.with_t_r(asked.t_r)
    if isinstance(values, Mapping):
        return _signals_of_mapping(values, asked.t_r)
    return Signals(array_of(values), t_r=asked.t_r)


def signals_of(table: Table, identities: Identities, asked: Asked) -> Signals:
    """Return the signals that a table holds; see `read`."""
    if not table.body or not table.n_rows:
        raise SignalsError(f"{table.subject} is empty: it has no row or no column of values.")
    table = _with_comment_as_header(table, identities, asked)
    table = _with_first_row_as_header(table, identities, asked)
    if asked.by == "position":
        return _by_position(table, identities, asked)
    if asked.by not in _STANDARD and not identities.knows(asked.by):
        columns = [NAME, LABEL, *identities.table.columns]
        raise MatchError(
            f"by={asked.by!r} (--by): the region table has no column {asked.by!r}; it has "
            f"{examples(columns)}."
        )
    if not table.has_header and _holds_numbers_alone(table, identities) and asked.key is None:
        return _array_signals(table, identities, asked)
    table = _with_hemispheres(table, identities, asked.key)
    key = asked.key
    if key is None and asked.by in [c.title for c in table.columns if asked.by not in _STANDARD]:
        key = asked.by
    if key is not None:
        key_column = table.column(key)
        naming = naming_of_cells(key_column, identities, asked.by)
        return _long_signals(table, key_column, naming, identities, asked)
    best = find(table, identities, asked.by)
    if best.column is None:
        return _wide_signals(table, identities, asked)
    return _long_signals(table, best.column, best.naming, identities, asked)


# --- files ---------------------------------------------------------------------------------------


def read_values(path: str | Path) -> Table | NDArray[Any]:
    """Return what a file of values holds: a table, or an array that has no keys.

    Parameters
    ----------
    path : path
        ``.tsv``, ``.csv``, ``.txt``, ``.1D``, ``.parquet`` or ``.npy``; ``-`` for delimited
        text from standard input.

    Raises
    ------
    InputMissingError, FileFormatError
    MissingPackageError
        For Parquet without pyarrow.
    """
    if str(path) == STANDARD_STREAM:
        text = decode(sys.stdin.buffer.read(), source="standard input")
        return _table(parse_delimited(text, source="standard input"))
    file = existing_file(path, "the file of values")
    suffix = suffix_of(file)
    if file.is_fifo():  # the output of another program, as a shell's <(…) hands it over
        suffix = ".tsv"
    if suffix == ".npy":
        return _npy(file)
    if suffix == ".parquet":
        return table_of_frame(_parquet(file), str(file))
    if suffix not in map(str.lower, suffixes("values", "table")) and not file.is_fifo():
        raise FileFormatError(
            f"Values cannot be read from {file.name!r}: they come from "
            f"{', '.join(suffixes('values', 'table'))}."
        )
    text = read_text(file)
    if suffix == ".1d":
        return _table_of_afni(text, str(file))
    return _table(parse_delimited(text, source=str(file)))


def _table(text: TextTable) -> Table:
    if text.delimiter == ";":
        _check_points(text)
    return table_of_text(text)


def _check_points(text: TextTable) -> None:
    """Raise where points may separate thousands, as they do beside decimal commas."""
    if not any(_DECIMAL_COMMA.fullmatch(cell) for column in text.columns for cell in column):
        return
    for title, column in zip(text.titles, text.columns, strict=True):
        points = [cell for cell in column if "." in cell]
        if points and all(map(_THOUSANDS.fullmatch, points)):
            raise SignalsError(
                f"{plural(len(points), 'cell')} in the column {title!r} of {text.source} may be "
                f"thousands or decimals: {examples(points)}; the table has decimal commas. Write "
                "thousands without separators, and all decimals with the same sign."
            )


def _table_of_afni(text: str, source: str) -> Table:
    """Return a table of AFNI's, which has numbers and never a header.

    Comments stand behind numbers too, and XML around them.  Those of as many words as there are
    columns may be the titles: AFNI writes ``#  ColumnLabels = "V1 ; V2"``.
    """
    numbers = parse_delimited(re.sub(r"#.*", "", text), source=source)
    table = table_of_text(numbers)
    if table.has_header or any(column.is_text for column in table.columns):
        raise FileFormatError(
            f"{source} holds text; a .1D file holds numbers only. Name a table .tsv."
        )
    comments = []
    for line in text.splitlines():
        comment = re.sub(r"^[# \t]*(?:ColumnLabels *= *)?", "", line) if "#" in line[:80] else ""
        words = [word for word in re.split(r"[,;\s\"']+", comment) if word]
        if line.lstrip().startswith("#") and len(words) == len(table.columns):
            comments.append(words)
    return dataclasses.replace(table, comments=comments, may_have_header=False)


def _npy(file: Path) -> NDArray[Any]:
    try:
        array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FileFormatError(
            f"{file} is no NumPy file of numbers: {str(error).rstrip('.')}. "
            "Save numbers, with numpy.save."
        ) from error
    if not isinstance(array, np.ndarray):
        array.close()
        raise FileFormatError(
            f"{file} holds several arrays ({examples(array.files)}), as numpy.savez writes them. "
            "Save one, with numpy.save."
        )
    return array


def _parquet(file: Path) -> Any:
    needs_pyarrow()
    import pyarrow.parquet as pq

    try:
        # pandas would make floats of integers with gaps, and round them.
        return pq.read_table(file).to_pandas(integer_object_nulls=True)
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{file} is no readable Parquet file: {error}") from error


def needs_pyarrow() -> None:
    """Raise `MissingPackageError` where pyarrow is not there."""
    try:
        import pyarrow as pa  # noqa: F401  only whether it is there
    except ImportError:
        raise MissingPackageError(
            "Parquet needs pyarrow: pip install 'regioncast[parquet]'."
        ) from None


# --- what has no columns -------------------------------------------------------------------------


def _keyed_table(series: Any) -> Table | Any:
    """Return a Series as a table of its index and its values, or as it is if its index counts."""
    table = table_of_series(series)
    # Of text, what is said of values that are no numbers is said of the array.
    return table if table.index and not table.body[0].is_text else series


def array_of(values: Any) -> NDArray[Any]:
    """Return an array, a list or a Series as numbers, NaN where it says that there is none.

    Raises
    ------
    SignalsError
        When an integer would be rounded, or the rows differ in length.
    SignalsTypeError
        When it holds anything but numbers.
    """
    array = as_array(values)
    if isinstance(values, list | tuple | np.ndarray):
        return array
    if array.ndim == 0 and array.dtype == object:
        raise SignalsTypeError(
            f"Values cannot be read from a {type(values).__name__}. Give a dict, a Series, a "
            "DataFrame, an array, Signals or a path."
        )
    ways = [way for way in ("to_pylist", "to_list") if hasattr(values, way)]
    cells = getattr(values, ways[0])() if ways else []
    # Integers with gaps became floats.
    is_made = array.dtype.kind == "f" and any(isinstance(cell, int) for cell in cells)
    if ways and (array.dtype == object or is_made) and all(map(is_number_or_gap, cells)):
        return numbers_with_gaps(cells, "the values")
    return array


def _signals_of_mapping(values: Mapping[Any, Any], t_r: float | None) -> Signals:
    """Return the signals of a mapping of keys to a number, or to one number per map."""
    listed = list(values.values())
    if listed and all(isinstance(value, Mapping) for value in listed):
        raise SignalsTypeError(
            "A mapping of mappings does not say which of the two are the regions. Give "
            "pandas.DataFrame(values), with the names of the regions as its index."
        )
    if listed and all(is_number_or_gap(value) for value in listed):
        array = numbers_with_gaps(listed, "the mapping")
    else:
        array = as_array(listed, row="region")
        array = _exact_rows(array, listed, list(values))
    if array.ndim > 2:
        raise SignalsError(
            "Each region of a mapping needs one number, or one number per map; the values have "
            f"the shape {array.shape[1:]}."
        )
    return Signals(array.T, as_keys(values), t_r=t_r)


# --- the header ----------------------------------------------------------------------------------


def _with_comment_as_header(table: Table, identities: Identities, asked: Asked) -> Table:
    """Return the table with the titles that a comment gives, if most of them name regions.

    A comment of a word or two may name one by chance, and so may one that counts the columns.
    """
    if not table.comments or asked.by == "position":
        return table
    namings = [identities.naming([title_of(word) for word in words]) for words in table.comments]
    best = max(namings, key=lambda naming: naming.n_regions)
    n_words = len(best.keys)
    is_counted = counts_rows(best.keys) and best.n_regions < n_words
    if n_words < 2 or 2 * best.n_regions < max(4, n_words) or is_counted:
        return table
    columns = [
        dataclasses.replace(column, title=title)
        for column, title in zip(table.columns, best.keys, strict=True)
    ]
    return Table(columns, table.source)


def _with_first_row_as_header(table: Table, identities: Identities, asked: Asked) -> Table:
    """Return text of numbers alone with its first row as header, where it is or may be one.

    A first row 0, 1, 2, … counts the columns, as pandas writes it, and is left out.  One of other
    integers, as many different ones as there are columns, may be the labels of regions: it is an
    error unless `by` says what it is.
    """
    if not table.may_have_header or table.n_rows < 2 or not _holds_numbers_alone(table, identities):
        return table
    columns = [column for column in table.body if column is not table.map_column]
    integers = [column.integers[0] for column in columns]
    # Over integers, or titles that count already, it may as well be a row of values.
    is_above = not are_counted(c.title for c in columns) and not all(
        c.are_integers for c in columns
    )
    if is_above and len(columns) >= _COUNTED and integers == list(range(len(columns))):
        below = [dataclasses.replace(c.without_first(), title=c.title) for c in table.columns]
        return dataclasses.replace(table, columns=below, may_have_header=False)
    if asked.by == "position":
        return table
    first = [title_of(column.cells[0]) for column in columns]
    naming = identities.naming(first, asked.by)
    are_distinct = len(first) > 1 and None not in integers and len(set(integers)) == len(first)
    if not are_distinct and not 2 * naming.n_regions > len(first) > 1:
        return table
    if asked.by != "auto":
        in_column = naming_of_cells(table.body[0], identities, asked.by).n_regions
        is_key = _may_be_labels(table.body[0], table, identities) and in_column >= naming.n_regions
        return table if is_key else table.below_first_row(as_labels=asked.by == LABEL)
    by = naming.by if naming.n_regions else LABEL
    raise MatchError(
        f"The first row of {table.source} ({examples(first)}) may be a header of {by}s, or a row "
        f"of values like the others. Pass by={by!r} (--by {by}) for a header, or by='position' "
        "(--by position) for values; or give the table titles."
    )


def _may_be_labels(column: Column, table: Table, identities: Identities) -> bool:
    """Return whether a column without a title could be labels: as many integers as there are rows.

    Or most of its cells are names of regions, which may look like numbers.
    """
    if len(table.body) < 2 or table.n_rows < 2:
        return False
    is_whole = column.are_integers and None not in column.integers
    if is_whole and len(set(column.integers)) == table.n_rows:
        return True
    return 2 * identities.naming(keys_of(column), "text").n_regions > table.n_rows


def _holds_numbers_alone(table: Table, identities: Identities) -> bool:
    """Return whether all columns are numbers, but for names of maps: `map`, or an index of text."""
    if any(column.is_text for column in table.body if column is not table.map_column):
        return False
    return not any(
        label_rank(column.title)
        or (column.is_text and identities.naming(keys_of(column)).n_regions)
        for column in table.index
    )


# --- numbers alone -------------------------------------------------------------------------------


def _array_signals(table: Table, identities: Identities, asked: Asked) -> Signals:
    """Return the signals of numbers without titles: rows are maps, columns regions.

    It is an error where the index or the first column could be labels, unless `by` says so.
    """
    index = [column for column in table.index if column.are_integers and _is_new(column)]
    is_key = _may_be_labels(table.body[0], table, identities)
    keys = index or [table.body[0]] * is_key
    if keys and asked.by in (NAME, LABEL):
        others = [column for column in table.body if column is not keys[0]]
        naming = naming_of_cells(keys[0], identities, asked.by)
        return _long(table, keys[0], list(naming.keys), others, asked)
    if keys and not (
        index and _is_complete(index[0], identities) and not _is_wide(table, identities)
    ):
        what = "its index" if index else "its first column"
        raise MatchError(
            f"{table.subject} is ambiguous: {what} ({examples(keys_of(keys[0]))}) may be the "
            f"labels of regions, or each column be a region. Pass by='label' (--by label) for "
            "labels, or by='position' (--by position) for values alone; or give it titles."
        )
    if index:
        return _long(table, index[0], keys_of(index[0], as_labels=True), table.body, asked)
    return _rows_as_maps([c for c in table.body if c is not table.map_column], table, asked)


def _is_new(column: Column) -> bool:
    """Return whether an index of integers does more than count rows from 0."""
    return column.integers != list(range(len(column)))


def _is_complete(column: Column, identities: Identities) -> bool:
    naming = identities.naming(keys_of(column, as_labels=True), LABEL)
    return naming.n_regions == identities.n_present


def _is_wide(table: Table, identities: Identities) -> bool:
    return len(table.body) == len(identities.table)


def _by_position(table: Table, identities: Identities, asked: Asked) -> Signals:
    """Return values in ascending order of label, one column or one row per region."""
    if asked.columns is None:
        columns = [c for c in table.body if not c.is_text and c is not table.map_column]
    else:
        columns = [table.column(title) for title in asked.columns]
    if not columns:
        raise SignalsError(f"{table.subject} has no column of numbers.")
    n_regions = len(identities.table)
    is_titled = table.has_header and not identities.naming([c.title for c in columns]).n_regions
    if is_titled and table.n_rows == n_regions != len(columns):
        return _maps_in_columns(columns, table, None, None, asked)
    return _rows_as_maps(columns, table, asked)


def _rows_as_maps(columns: Sequence[Column], table: Table, asked: Asked) -> Signals:
    values = _stacked(columns, table)
    if len(values) == 1 and not table.has_header:
        return Signals(values[0], t_r=asked.t_r)
    single = values.shape[1] == 1
    names = _map_names(table)
    return Signals(values.T, map_names=names, t_r=asked.t_r, single=single)


# --- hemispheres ---------------------------------------------------------------------------------


def _with_hemispheres(table: Table, identities: Identities, key: Key | None) -> Table:
    """Return the table with the hemispheres that one of its columns gives before its keys.

    Keys that name a region of this hemisphere by themselves stay as they are, and so do all where
    the atlas does not know of hemispheres, and in rows of none, as those of the brain stem.
    """
    is_known = any(map(identities.side, range(len(identities.table))))
    column_of_sides = _column_of_sides(table)
    if column_of_sides is None or not is_known:
        return table
    sides = [side_of_word(cell) for cell in column_of_sides.cells]
    columns = []
    for column in table.columns:
        is_titled = label_rank(column.title, in_values=True) or column.is_index
        is_labels = column.are_integers and is_titled
        is_key = key is not None and str(column.title) == str(key)
        if column.is_text or is_labels or is_key:
            columns.append(
                column if column is column_of_sides else _sided(column, sides, identities)
            )
        else:
            columns.append(column)
    return dataclasses.replace(table, columns=columns)


def _column_of_sides(table: Table) -> Column | None:
    """Return the column of hemispheres: by its title, or a level of an index that holds them."""
    for column in table.columns:
        if is_hemisphere_title(column.title) and any(map(side_of_word, column.cells)):
            return column
    levels = [column for column in table.index if all(map(side_of_word, column.cells))]
    return levels[0] if levels and len(table.index) > 1 else None


def _sided(column: Column, sides: Sequence[str | None], identities: Identities) -> Column:
    """Return a column of keys with their hemispheres before them, where they do not say them."""
    keys = keys_of(column, as_labels=column.are_integers)
    rows_of_keys = identities.naming(keys).rows
    cells = []
    for key, side, rows in zip(keys, sides, rows_of_keys, strict=True):
        says_it = len(rows) == 1 and identities.side(rows[0]) == side
        cells.append(key if side is None or key == "" or says_it else f"{side}:{key}")
    return Column(column.title, cells, column.is_index)


# --- tables with titles --------------------------------------------------------------------------


def _wide_signals(table: Table, identities: Identities, asked: Asked) -> Signals:
    if asked.columns is not None:
        raise SignalsError(
            f"columns= chooses the maps of a table with one row per region; {table.source} "
            "has one column per region."
        )
    columns = [c for c in table.body if c is not table.map_column]
    naming = identities.naming([column.title for column in columns], asked.by)
    for column, rows in zip(columns, naming.rows, strict=True):
        if rows and column.is_text:
            raise _text_error(column, table)
    # Text beside the regions names the maps; numbers beside them are keys without a region.
    kept = [column for column in columns if not column.is_text]
    values = _stacked(kept, table).T
    keys: list[Key] = [column.title for column in kept]
    if any(isinstance(key, str) for key in keys):
        keys = [str(key) for key in keys]  # titles of one table are of one kind
    names = _map_names(table)
    return Signals(values, keys, map_names=names, t_r=asked.t_r, single=table.n_rows == 1)


def _map_names(table: Table) -> list[str] | None:
    """Return the names of the maps of a wide table: its columns of text, joined, or its index."""
    columns = [column for column in table.columns if column.is_text or column is table.map_column]
    if not columns:
        return None
    rows = zip(*[column.texts for column in columns], strict=True)
    names = ["_".join(text for text in row if text is not None) for row in rows]
    return None if names == map_titles(len(names)) else names


def _long_signals(
    table: Table, key_column: Column, naming: Naming, identities: Identities, asked: Asked
) -> Signals:
    empty = absent_rows(key_column.cells)
    if empty:
        raise MatchError(
            f"{plural(len(empty), 'row')} of {table.source} without a key in the column "
            f"{key_column.title!r}: {examples(empty)}. Fill in the region, or remove the row."
        )
    as_keys(filter(_is_odd, key_column.cells))  # which raises
    keys = list(naming.keys)
    _check_rows(key_column, keys, table)
    if asked.columns is None:
        numbers = [
            column
            for column in table.body
            if column not in (key_column, table.map_column) and _is_map(column)
        ]
        maps = numbers
        if not table.has_header:
            # Labels and numbers of rows need no title; one that is alone can only be values.
            maps = [c for c in numbers if not _is_of_rows(c, naming.rows, identities)]
            maps = maps or numbers[:1]
        _check_no_map_is_lost(table, key_column)
    else:
        maps = [table.column(title) for title in asked.columns]
    if not maps:
        raise _no_values(table, key_column)
    return _long(table, key_column, keys, maps, asked)


def _long(
    table: Table, key_column: Column, keys: list[Key], maps: Sequence[Column], asked: Asked
) -> Signals:
    labels = None
    if isinstance(keys[0], str):
        others = [c for c in table.columns if c is not key_column and _holds_labels(c)]
        labels = [n for n in others[0].integers if n is not None] if others else None
    return _maps_in_columns(maps, table, keys, labels, asked)


def _maps_in_columns(
    maps: Sequence[Column],
    table: Table,
    keys: Sequence[Key] | None,
    labels: Sequence[int] | None,
    asked: Asked,
) -> Signals:
    names = [str(column.title) for column in maps]
    for title, n_columns in Counter(names).items():
        if n_columns > 1:
            raise MatchError(
                f"{n_columns} columns {title!r} of {table.source} would be maps of one "
                "name. Name each column once, and rename columns of one title."
            )
    values = _stacked(maps, table)
    return Signals(
        values[0] if len(maps) == 1 else values,
        keys,
        labels=labels,
        map_names=names if table.has_header and any(names) else None,
        t_r=asked.t_r,
    )


def _is_map(column: Column) -> bool:
    """Return whether a column is a map: numbers, not titled as labels, in some row."""
    return not (column.is_text or column.is_empty or _holds_labels(column))


def _is_of_rows(column: Column, rows: Sequence[list[int]], identities: Identities) -> bool:
    """Return whether a column without a title counts the rows, or copies the labels of regions."""
    if counts_rows(column.integers):
        return True
    labels = identities.table.labels
    pairs = zip(column.integers, rows, strict=True)
    return all(number == labels[regions[0]] for number, regions in pairs if regions)


def _holds_labels(column: Column) -> bool:
    """Return whether a column says by its title that it holds labels, and holds integers once."""
    is_titled = label_rank(column.title, in_values=True) == 2
    return is_titled and column.are_integers and len(set(column.integers)) == len(column)


def _is_odd(cell: object) -> bool:
    """Return whether a cell is neither text nor an integer, as a date is."""
    return not isinstance(cell, str) and integer_of(cell) is None


def _check_rows(column: Column, keys: list[Key], table: Table) -> None:
    """Raise where most regions have several rows, which another column tells apart."""
    times = Counter(keys)
    n_twice = sum(count > 1 for count in times.values())
    texts = [c for c in table.columns if c is not column and c.is_text]
    if n_twice > len(times) // 2 and texts:
        key, count = times.most_common(1)[0]
        numbers = [c.title for c in table.body if c is not column and _is_map(c)]
        values = numbers[0] if numbers else ""
        way = f"frame.pivot(index={column.title!r}, columns={texts[0].title!r}, values={values!r})"
        if texts[0] in table.index:
            way = f"values.unstack({table.index.index(texts[0])})"
        raise MatchError(
            f"{table.subject} has {count} rows per region: so often {key!r} stands in "
            f"{column.called}, and {texts[0].called} tells its rows apart "
            f"({examples(dict.fromkeys(texts[0].texts))}). Make each a map: {way}; or keep the "
            "rows of one."
        )


def _check_no_map_is_lost(table: Table, key_column: Column) -> None:
    """Raise where a column of text is mostly numbers, and so rather a map with a slip."""
    for column in table.body:
        if column is key_column or not column.is_text or label_rank(column.title) == 2:
            continue
        cells = [text for text in column.texts if text is not None]
        like_numbers = [text for text in cells if _is_like_number(text.replace(",", "."))]
        if like_numbers and 2 * len(like_numbers) >= len(cells):
            raise _text_error(column, table, "; or pass columns= to paint others")


def _no_values(table: Table, key_column: Column) -> SignalsError:
    """Return the error for a long table without a column of numbers, with what it has instead."""
    others = [column for column in table.body if column is not key_column]
    taken = [column.title for column in others if column.are_integers and not column.is_text]
    text = [column for column in others if column.is_text]
    hints = ""
    if text:
        cells = [cell for cell in text[0].texts if cell is not None]
        hints += f" {text[0].title!r} holds text: {examples(cells)}. Values must be numbers."
    if taken:
        hints += f" {examples(taken)} was taken for labels; pass columns= to paint it."
    line = next((cell for cell in key_column.texts if cell is not None), "")
    if len(table.columns) == 1 and len(line.split()) > 1:
        hints += (
            f" A line was read as one cell: {line!r}. Separate cells by tab, comma or semicolon."
        )
    return SignalsError(
        f"{table.subject} has no column of values beside its key column {key_column.title!r}; "
        f"its columns are {examples([column.title for column in table.columns])}.{hints}"
    )


# --- numbers -------------------------------------------------------------------------------------


def _stacked(columns: Sequence[Column], table: Table) -> NDArray[Any]:
    """Return columns as rows of one array, in a dtype that holds them all."""
    rows = []
    for column in columns:
        if column.numbers is None:
            raise _text_error(column, table)
        rows.append((f"the column {column.title!r}", column.numbers))
    return one_array(rows)


def _exact_rows(array: NDArray[Any], rows: Sequence[Any], keys: Sequence[Any]) -> NDArray[Any]:
    """Return an array made of rows; raise where an integer among them was rounded."""
    for made, row, key in zip(array, rows, keys, strict=True):
        if getattr(row, "dtype", np.dtype(object)).kind != "f":
            check_exact(
                np.ravel(made), np.ravel(np.array(row, object)).tolist(), f"the values of {key!r}"
            )
    return array


def _is_like_number(text: str) -> bool:
    return is_number(text) or is_missing(text)


def _text_error(column: Column, table: Table, way_out: str = "") -> SignalsError:
    texts = [str(cell) for cell in column.cells if not is_number_or_gap(cell)]
    wrong = list(dict.fromkeys(text for text in texts if not _is_like_number(text)))
    if wrong and all(_is_like_number(text.replace(",", ".")) for text in wrong):
        way_out = f", and a point for the decimal comma{way_out}"
    elif wrong and all(_is_like_number(re.sub("[.,](?=.*[.,])|,", "", t)) for t in wrong):
        way_out = f", and thousands without separators{way_out}"
    return SignalsError(
        f"The column {column.title!r} of {table.source} holds text: {examples(wrong or texts)}. "
        f"Values must be numbers; write n/a where there is none{way_out}."
    )
