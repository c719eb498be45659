"""Tables of whatever they were read from: columns of cells under titles.

A `Column` keeps its cells as they came, text from files and values from DataFrames, and says on
demand how they are written, which integers they are and which numbers.  So a name that looks
like a number is told from one only where somebody needs it, and a file says the same as the
DataFrame that was written to it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MatchError, SignalsError, capitalized, examples, plural
from ..signals import Signals
from .cells import (
    are_flags,
    integer_of,
    is_absent,
    is_missing,
    is_number,
    is_number_or_gap,
    numbers_of_objects,
    numbers_of_text,
    one_array,
    text_of,
)
from .text import decode
from .titles import normal_title, says_whose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .text import TextTable

Title = str | int

AS_CATEGORIES = "; or paint text as categories: categories=True (--categories)"
"""What to do with text in tables of a row per region."""

# How numbers are written that are none here: what to replace by what, and what to do instead.
_SLIPS = [
    (re.compile(r"(?<=\d),(?=\d{3}(?:,\d{3})*$)"), "",
     "thousands without separators, decimals with a point"),
    (re.compile(","), ".", "a point for the decimal comma"),
    # All separators but the last one, and that too where it is a comma.
    (re.compile("[.,](?=.*[.,])|,"), "", "thousands without separators"),
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a table.

    Parameters
    ----------
    title : str or int
        ``""`` where there is none.
    cells : sequence
        Text from files, values from elsewhere.
    is_index : bool, default=False
        Whether it is the index of a DataFrame, or the column without a title that a file begins
        with: it may say who the regions are, and is never a value.
    array : array, default=None
        The cells as numbers, where they came as an array of such.
    decimal_comma : bool, default=False
        Whether ``0,5`` is a half.
    levels : sequence, default=None
        All categories in their order, where the cells are some of them.
    plain : Column, default=None
        The column as it came, where its cells were given their hemispheres to be keys.
    """

    title: Title
    cells: Sequence[object]
    is_index: bool = False
    array: NDArray[Any] | None = None
    decimal_comma: bool = False
    levels: Sequence[object] | None = None
    plain: Column | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.cells)

    @property
    def called(self) -> str:
        """What to call it in messages."""
        if self.is_index and self.title == "":
            return "the index"
        return f"the column {self.title!r}"

    @cached_property
    def texts(self) -> list[str | None]:
        """How the cells are written, as names would be; None where there is nothing."""
        return [text_of(cell) for cell in self.cells]

    @cached_property
    def integers(self) -> list[int | None]:
        """The cells as integers; None where one is none."""
        return list(map(integer_of, self._pointed if self.decimal_comma else self.cells))

    @cached_property
    def is_text(self) -> bool:
        """Whether some cell is there that is no number."""
        if self.array is not None:
            return False
        if all(isinstance(cell, str) for cell in self.cells):
            texts = list(self._pointed)
            return not (all(map(is_like_number, texts)) or are_flags(texts))
        return not all(map(is_number_or_gap, self.cells))

    @property
    def _pointed(self) -> Iterator[str]:
        """The cells as text, with a point where decimals have a comma."""
        texts = map(str, self.cells)
        return (text.replace(",", ".") for text in texts) if self.decimal_comma else texts

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is nothing in any row."""
        return all(map(is_missing, self.cells))

    @cached_property
    def numbers(self) -> NDArray[Any] | None:
        """The cells as numbers, NaN where there is nothing; None for text."""
        if self.array is not None or self.is_text:
            return self.array
        what = f"the column {self.title!r}"
        strings = [cell for cell in self.cells if isinstance(cell, str)]
        if len(strings) == len(self.cells):
            return numbers_of_text(strings, what, decimal_comma=self.decimal_comma)
        return numbers_of_objects(self.cells, what)

    @cached_property
    def are_integers(self) -> bool:
        """Whether all cells that are there are integers, and some are there."""
        are_integers = False
        for integer, cell in zip(self.integers, self.cells, strict=True):
            if integer is not None:
                are_integers = True
            elif not is_missing(cell):
                return False
        return are_integers

    def without_first(self, *, title: Title | None = None, as_label: bool = False) -> Column:
        """Return the column below its first row, which becomes its title unless one is given."""
        if title is None and as_label:
            title = self.integers[0]
        if title is None:
            title = title_of(self.cells[0]) if text_of(self.cells[0]) else ""
        array = None if self.array is None else self.array[1:]
        return Column(title, self.cells[1:], array=array, decimal_comma=self.decimal_comma)


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one length, and what to call them in messages.

    Parameters
    ----------
    columns : sequence of Column
    source : str
        The name of the file, or ``the DataFrame``.
    has_header : bool, default=True
        Whether the columns have titles.
    may_have_header : bool, default=False
        Whether the first row may be a header all the same, as it may in text of numbers alone.
    comments : sequence of sequences of str, default=()
        Words of comments, which are the titles if they name regions.
    """

    columns: Sequence[Column]
    source: str
    has_header: bool = True
    may_have_header: bool = False
    comments: Sequence[Sequence[str]] = ()

    @property
    def subject(self) -> str:
        """The name of the table at the beginning of a sentence; files keep theirs."""
        return self.source if self.is_file else capitalized(self.source)

    @property
    def is_file(self) -> bool:
        """Whether it was read from a file, whose name its source is."""
        return not self.source.startswith(("the ", "standard "))

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.columns[0]) if self.columns else 0

    @cached_property
    def titles(self) -> list[Title]:
        """The titles of all columns."""
        return [column.title for column in self.columns]

    @cached_property
    def index(self) -> list[Column]:
        """The columns that are an index."""
        return [column for column in self.columns if column.is_index]

    @cached_property
    def body(self) -> list[Column]:
        """The columns that are no index."""
        return [column for column in self.columns if not column.is_index]

    @cached_property
    def map_column(self) -> Column | None:
        """The column called `map`, which names maps; in it names may be numbers."""
        for column in self.body:
            if normal_title(column.title) == "map":
                return column
        return None

    def names_rows(self, column: Column) -> bool:
        """Return whether a column names maps where each row is one: text, or numbers of subjects.

        That of `map` does too, whatever is in it.
        """
        if column.is_text or column is self.map_column:
            return True
        return column.are_integers and says_whose(column.title)

    def column(self, title: Title) -> Column:
        """Return the column of this title; raise `MatchError` listing those there are."""
        # A shell knows text only.
        titled = [column for column in self.columns if str(column.title) == str(title)]
        if len(titled) != 1:
            n_columns = plural(len(titled), "column") if titled else "no column"
            raise MatchError(
                f"{self.subject} has {n_columns} {title!r}; "
                f"its columns are {examples(self.titles, show=20)}."
            )
        return titled[0]


def are_counted(titles: Iterable[object]) -> bool:
    """Return whether columns are merely counted from 0, and so have no titles."""
    written = [str(title) for title in titles]
    return written == [str(number) for number in range(len(written))]


# --- from text -----------------------------------------------------------------------------------


def table_of_text(text: TextTable) -> Table:
    """Return delimited text as a table.

    A first column without a title is an index, and so is one that pandas wrote as ``Unnamed: 0``.
    """
    header = text.header or text.titles
    titles = text.titles
    columns = []
    for number, cells in enumerate(text.columns):
        is_index = len(header) > 1 and _is_untitled(header[number])
        if number > 0 and not header[number]:
            is_index = False
            if not any(cells):
                continue  # rows may all end in a delimiter
        title = "" if is_index else title_of(titles[number])
        columns.append(Column(title, cells, is_index, decimal_comma=text.decimal_comma))
    has_header = text.header is not None and not _are_titles_counted(columns)
    return Table(columns, text.source, has_header, may_have_header=text.header is None)


def _are_titles_counted(columns: Sequence[Column]) -> bool:
    """Return whether the titles beside an index, or the names of maps, merely count columns.

    pandas writes such titles over columns that have none.
    """
    is_beside = columns[0].is_index or columns[0].title == "map"
    return is_beside and len(columns) > 1 and are_counted(column.title for column in columns[1:])


def title_of(title: object) -> Title:
    """Return a title as text, or as an integer where it is written like a label.

    Examples
    --------
    >>> title_of("z"), title_of("7"), title_of("007"), title_of(7.0)
    ('z', 7, '007', 7)
    """
    title = decoded(title)
    integer = integer_of(title)
    if isinstance(title, str):
        return integer if integer is not None and str(integer) == title else title
    return str(title) if integer is None else integer


def _is_untitled(title: str) -> bool:
    """Return whether a title is none, or what pandas calls an index that it wrote and read."""
    return not title or title.startswith(("Unnamed: ", "__index_level_"))


# --- from objects --------------------------------------------------------------------------------


def is_frame(values: object) -> bool:
    """Return whether this is a DataFrame of pandas or polars, or a pyarrow table."""
    kind = type(values)
    if kind.__name__ == "LazyFrame":
        raise SignalsError("A LazyFrame has no values yet: call its collect() first.")
    return hasattr(kind, "columns") and hasattr(kind, "shape")


def is_series(values: object) -> bool:
    """Return whether this is a pandas Series, whose index goes with its values."""
    index = getattr(values, "index", None)
    return hasattr(index, "get_level_values") and not hasattr(values, "columns")


def table_of_frame(frame: Any, source: str = "the DataFrame") -> Table:
    """Return the columns of a DataFrame of pandas, polars or pyarrow.

    The index of a pandas DataFrame is a column too, level by level, unless it merely counts rows.

    Raises `MatchError` when two columns have one title.
    """
    import narwhals as nw
    from narwhals.exceptions import DuplicateError

    try:
        columns = nw.from_native(frame, eager_only=True)
    except DuplicateError:
        raise _duplicate_titles(frame) from None
    body = []
    for name in columns.columns:
        # What pandas reads of a file that holds an index has it as a column of its own.
        title = title_of(name)
        is_index = len(columns.columns) > 1 and _is_untitled(str(title))
        array = _array_of(columns.get_column(name))
        column = _column_of_array("" if is_index else title, array, is_index=is_index)
        body.append(replace(column, levels=levels_of(columns.get_column(name).to_native())))
    titles = [column.title for column in body if not column.is_index]
    # Maps that are named say that the first row is none of titles.
    is_counted = are_counted(titles)
    has_header = not is_counted and not (titles[:1] == ["map"] and are_counted(titles[1:]))
    return Table([*_index_of(frame), *body], source, has_header, may_have_header=is_counted)


def table_of_series(series: Any, source: str = "the Series") -> Table:
    """Return a pandas Series as a table of its index and one column of values."""
    # NumPy would make floats of integers with gaps, and round them.
    is_numpy = isinstance(series.dtype, np.dtype)
    array = series.to_numpy() if is_numpy else np.array(series.to_list(), object)
    values = _column_of_array("" if series.name is None else str(series.name), array)
    return Table([*_index_of(series), replace(values, levels=levels_of(series))], source)


def table_of_mapping(values: Mapping[Any, Sequence[Any]], source: str = "the mapping") -> Table:
    """Return a mapping of titles to columns as a table."""
    columns = [Column(title_of(t), list(map(decoded, cells))) for t, cells in values.items()]
    return Table(columns, source)


def table_of_records(records: Sequence[Mapping[Any, Any]], source: str = "the records") -> Table:
    """Return rows, each a mapping of titles to cells, as a table; what a row lacks is missing."""
    titles = dict.fromkeys(title for record in records for title in record)
    return table_of_mapping({t: [record.get(t) for record in records] for t in titles}, source)


def table_of_nested(
    values: Mapping[Any, Mapping[Any, Any]], title: Title = "", source: str = "the mapping"
) -> Table:
    """Return a mapping of keys to rows as a table, whose first column are the keys.

    Without a title they are an index.
    """
    rows = table_of_records(list(values.values()), source)
    keys = Column(title, list(map(decoded, values)), is_index=title == "")
    return Table([keys, *rows.columns], source)


def are_mappings(values: Collection[object]) -> bool:
    """Return whether all of some values are mappings."""
    return bool(values) and all(isinstance(value, Mapping) for value in values)


def table_of_structured(array: NDArray[Any], source: str = "the structured array") -> Table:
    """Return a structured array of NumPy, whose fields are its columns, as a table."""
    columns = [_column_of_array(title_of(t), array[t].ravel()) for t in array.dtype.names or ()]
    return Table(columns, source)


def titled_table(values: Any) -> Table | None:
    """Return an object whose columns have titles as a table, None for everything else."""
    if is_frame(values):
        return table_of_frame(values)
    if isinstance(values, np.ndarray):
        return table_of_structured(values) if values.dtype.names else None
    if isinstance(values, Mapping):
        # Which of the two are the regions, the judge of tables says.
        return table_of_nested(values) if are_mappings(values.values()) else None
    if isinstance(values, list | tuple):
        return table_of_records(values) if are_mappings(values) else None
    return None


def decoded(cell: Any) -> Any:
    """Return bytes, as HDF5 and older packages hold names, as text; anything else as it is."""
    return decode(cell, source=f"The name {cell!r}") if isinstance(cell, bytes) else cell


def levels_of(series: Any) -> list[object] | None:
    """Return the categories of a Categorical of pandas or an Enum of polars, in their order."""
    categories: Any = getattr(getattr(series, "dtype", None), "categories", None)
    return list(categories.to_list()) if hasattr(categories, "to_list") else None


def _index_of(frame: Any) -> list[Column]:
    """Return the index of a DataFrame or Series, unless it merely counts the rows from 0."""
    index = getattr(frame, "index", None)
    if index is None or not hasattr(index, "get_level_values"):
        return []
    if index.names == [None] and list(index) == list(range(len(index))):
        return []
    columns = []
    for level, name in enumerate(index.names):
        title = "" if name is None else title_of(name)
        array = index.get_level_values(level).to_numpy()
        columns.append(_column_of_array(title, array, is_index=True))
    return columns


def _column_of_array(title: Title, array: NDArray[Any], *, is_index: bool = False) -> Column:
    # NumPy would list dates in nanoseconds as integers.
    listed = list(array) if array.dtype.kind in "mM" else array.tolist()
    if array.dtype.kind in "SO":
        listed = list(map(decoded, listed))
    cells = [None if not isinstance(cell, str) and is_missing(cell) else cell for cell in listed]
    numbers = array if array.dtype.kind in "biufc" else None
    return Column(title, cells, is_index, numbers)


def _array_of(series: Any) -> NDArray[Any]:
    """Return a column of a DataFrame as an array, integers with gaps or of 128 bits as objects."""
    is_wide = str(series.dtype) in ("Int128", "UInt128")
    if series.dtype.is_integer() and (is_wide or series.null_count()):
        return np.array(series.to_list(), object)
    return np.asarray(series.to_numpy())


def _duplicate_titles(frame: Any) -> MatchError:
    titles = [str(title) for title in getattr(frame, "column_names", frame.columns)]
    twice = sorted(title for title, times in Counter(titles).items() if times > 1)
    return MatchError(
        f"{plural(len(twice), 'column title')} of the DataFrame given more than once: "
        f"{examples(twice)}. Rename the columns."
    )


def absent_rows(cells: Sequence[object]) -> list[int]:
    """Return the numbers of rows, from 1, that have nothing where a region should be."""
    return [row for row, cell in enumerate(cells, start=1) if is_absent(cell)]


# --- rows that bring keys of their own, as they come out of loops -------------------------------


def with_rows_keyed(values: Any) -> Any:
    """Return a list or a mapping of rows with mappings for rows, where rows have keys of their own.

    A Series has its index, a DataArray its coordinate, a named tuple its fields and `Signals` their
    keys.  NumPy would drop them, and cells would meet regions by the luck of their order.  All else
    is returned as it is.

    Raises
    ------
    MatchError
        When a row has a key twice.
    SignalsError
        When some rows have keys and others have not.

    Examples
    --------
    >>> from typing import NamedTuple
    >>> Row = NamedTuple("Row", [("V2", float), ("V1", float)])
    >>> with_rows_keyed([Row(0.5, 1.5)])
    [{'V2': 0.5, 'V1': 1.5}]
    """
    if hasattr(values, "_asdict"):
        return values._asdict()
    is_mapping = isinstance(values, Mapping) and not isinstance(values, Signals)
    rows = list(values.values()) if is_mapping else values
    keyed = _rows_keyed(rows) if isinstance(rows, list | tuple) else None
    if keyed is None:
        return values
    if is_mapping:
        # The same points of time, say, in every row need no keys.
        orders = set(map(tuple, keyed))
        is_told = len(orders) > 1 or str in map(type, orders.pop())
        return dict(zip(values, keyed, strict=True)) if is_told else values
    names = dict.fromkeys(getattr(row, "name", None) for row in rows)
    are_names = len(names) == len(keyed) and set(map(type, names)) == {str}
    return dict(zip(names, keyed, strict=True)) if are_names else keyed


def _rows_keyed(rows: Sequence[Any]) -> list[Mapping[Any, Any]] | None:
    """Return rows as mappings; None where they are such already, or none has keys."""
    if are_mappings(rows):
        return None
    keyed = list(map(_as_mapping, rows))
    made = [row for row in keyed if row is not None]
    if made and None in keyed:
        raise SignalsError(
            f"{len(made):,} of {len(rows):,} rows have keys of their own (an index, fields), and "
            f"the others, such as that at {keyed.index(None)}, have none. Give all of them keys, "
            "or none: numpy.asarray(row)."
        )
    return made or None


def _as_mapping(row: Any) -> Mapping[Any, Any] | None:
    """Return a row that says what its cells are as a mapping, None for one that does not."""
    if isinstance(row, Mapping) and not isinstance(row, Signals):
        return row
    if hasattr(row, "_asdict"):
        fields: Mapping[Any, Any] = row._asdict()
        return fields
    keys = _keys_of_row(row)
    if keys is None:
        return None
    mapping = dict(zip(keys, np.asarray(row), strict=True))
    if len(mapping) < len(keys):
        twice = [key for key in mapping if keys.count(key) > 1]
        raise MatchError(
            f"A {type(row).__name__} in the values has keys more than once: {examples(twice)}. "
            "Give each region once."
        )
    return mapping


def _keys_of_row(row: Any) -> list[Any] | None:
    """Return the keys of Signals of one map, a Series or a DataArray; None where there are none."""
    if isinstance(row, Signals):
        return list(row.keys) if row.keys is not None and row.single else None
    if is_series(row):
        # One that merely counts its cells does not say it.
        return list(row.index) if _index_of(row) else None
    if hasattr(row, "to_series") and len(getattr(row, "dims", ())) == 1:
        keys = row.coords.get(row.dims[0])
        return None if keys is None else list(keys.to_numpy().tolist())
    return None


# --- to arrays -----------------------------------------------------------------------------------


def stacked(columns: Sequence[Column], table: Table) -> NDArray[Any]:
    """Return columns as rows of one array, in a dtype that holds them all.

    Raises `SignalsError` when one holds text, or an integer would be rounded.
    """
    rows = []
    for column in columns:
        if column.numbers is None:
            raise text_error(column, table)
        rows.append((f"the column {column.title!r}", column.numbers))
    return one_array(rows)


def is_like_number(text: str) -> bool:
    """Return whether text is a number or says that there is none."""
    return is_number(text) or is_missing(text)


def text_error(column: Column, table: Table, way_out: str = AS_CATEGORIES) -> SignalsError:
    """Return the error for text where numbers are needed, with what looks like a slip."""
    cells = (column.plain or column).cells
    texts = [str(cell) for cell in cells if not is_number_or_gap(cell)]
    wrong = [text for text in dict.fromkeys(texts) if not is_like_number(text)]
    return SignalsError(
        f"The column {column.title!r} of {table.source} holds text: {examples(wrong or texts)}. "
        f"Values must be numbers; write n/a where there is none{_slip_in(wrong)}{way_out}."
    )


def _slip_in(texts: Sequence[str]) -> str:
    """Return how to write numbers otherwise, where that makes numbers of all texts."""
    for slip, point, advice in _SLIPS:
        if texts and all(is_like_number(slip.sub(point, text)) for text in texts):
            return f", and {advice}"
    return ""
