"""Tables of values in and out: delimited text, Parquet, NumPy files and DataFrames."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.region_table import EXACT
from ..errors import (
    FileFormatError,
    MatchError,
    MissingPackageError,
    SignalsError,
    SignalsTypeError,
    examples,
    plural,
)
from ..files import check_output, existing_file, replacing
from ..formats import suffix_of, suffixes
from ..identity import as_integers, integer_of
from ..signals import MAP_TITLE, as_array, map_titles
from .frames import index_levels, titles_of_frame
from .keys import is_null
from .text import (
    TextTable,
    decode,
    is_missing,
    parse_delimited,
    parse_integer,
    parse_number_column,
    read_delimited,
    read_text,
)
from .values import (
    ValueColumn,
    ValueTable,
    is_number_or_gap,
    numbers_with_gaps,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ..atlas.region_table import RegionTable
    from ..formats import Use
    from ..signals import Key, Signals

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")

STANDARD_STREAM = "-"
"""The name that stands for standard input."""


def read_values(path: str | Path) -> ValueTable | NDArray[Any]:
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
        return _table(parse_delimited(_standard_input(), source="standard input"))
    file = existing_file(path, "the file of values")
    suffix = suffix_of(file)
    if file.is_fifo():  # the output of another program, as a shell's <(…) hands it over
        return _table(read_delimited(file))
    if suffix == ".npy":
        return _npy(file)
    if suffix == ".parquet":
        return table_of_frame(_parquet(file), str(file))
    if suffix not in map(str.lower, suffixes("values", "table")):
        raise FileFormatError(
            f"Values cannot be read from {file.name!r}: they come from "
            f"{', '.join(suffixes('values', 'table'))}."
        )
    if suffix == ".1d":
        # AFNI writes comments behind numbers too, and XML around them.
        text = read_text(file)
        numbers = parse_delimited(re.sub(r"#.*", "", text), source=str(file))
        return _with_comments(_numbers_alone(_table(numbers)), text)
    return _table(read_delimited(file))


def table_of_frame(frame: Any, source: str = "the DataFrame") -> ValueTable:
    """Return the columns of a DataFrame of pandas, polars or pyarrow.

    The index of a pandas DataFrame is a column too, unless it merely counts the rows.

    Raises
    ------
    SignalsError
        When it is no DataFrame.
    """
    import narwhals as nw
    from narwhals.exceptions import DuplicateError

    try:
        columns = nw.from_native(frame, eager_only=True, pass_through=True)
    except DuplicateError:
        raise _duplicate_titles(frame) from None
    if not isinstance(columns, nw.DataFrame):
        raise not_values(frame)
    given = [
        _frame_column(_title(title), _array_of(columns.get_column(title)))
        for title in columns.columns
    ]
    has_header = not _are_counted(columns.columns)
    index = [_frame_column(title, cells, is_index=True) for title, cells in index_levels(frame)]
    return ValueTable((*index, *given), source, has_header=has_header)


def _are_counted(titles: Iterable[object]) -> bool:
    """Return whether columns are merely counted, and so have no titles, but for that of maps."""
    others = [str(title) for title in titles if title != MAP_TITLE]
    return others == [str(number) for number in range(len(others))]


def array_of_series(values: Any) -> NDArray[Any]:
    """Return a Series or an array as numbers, NaN where it says that there is none.

    Raises
    ------
    SignalsError
        When an integer would be rounded, or the rows differ in length.
    SignalsTypeError
        When it holds anything but numbers.
    """
    if isinstance(values, list | tuple | np.ndarray):
        return as_array(values)
    cells = next(
        (getattr(values, way)() for way in ("to_pylist", "to_list") if hasattr(values, way)), None
    )
    array = as_array(values)
    if array.ndim == 0 and array.dtype == object:
        raise not_values(values)
    # Integers with gaps became floats.
    is_made = array.dtype.kind == "f" and any(isinstance(cell, int) for cell in cells or ())
    if cells is None or not (array.dtype == object or is_made):
        return array
    numbers = _numbers_of_objects(cells, "the values")
    return array if numbers is None else numbers


def _duplicate_titles(frame: Any) -> MatchError:
    times = Counter(titles_of_frame(frame))
    twice = sorted(title for title, n_columns in times.items() if n_columns > 1)
    return MatchError(
        f"{plural(len(twice), 'column title')} of the DataFrame given more than once: "
        f"{examples(twice)}. Rename the columns."
    )


def not_values(values: object) -> SignalsTypeError:
    """Return the error for what holds no values."""
    return SignalsTypeError(
        f"Values cannot be read from a {type(values).__name__}. Give a dict, a Series, a "
        "DataFrame, an array, Signals or a path."
    )


def write_signals(signals: Signals, path: Path, *, long: bool, overwrite: bool) -> None:
    """Write signals as a table, whole or not at all.

    Parameters
    ----------
    signals : Signals
    path : Path
        ``.tsv`` and ``.csv`` (missing values are ``n/a``), ``.parquet``, or ``.npy`` for the
        values alone; ``-`` for TSV on standard output.
    long : bool
        One row per region rather than one per map.
    overwrite : bool
    """
    suffix = table_suffix(path)
    if long and signals.keys is None and suffix != ".npy":
        raise SignalsError(
            "A long table says which region each row is, and these signals have no keys. "
            "Write a wide one."
        )
    if suffix == ".npy":
        values = _by_position(signals, path)
        with replacing(path, overwrite=overwrite) as temporary:
            np.save(temporary, values[0] if signals.single else values)
        return
    frame = _frame(signals, long=long)
    # Columns that are merely counted have no titles.
    is_titled = long or signals.keys is not None or MAP_TITLE in frame
    _write_frame(frame, path, suffix, header=is_titled, overwrite=overwrite)


def _by_position(signals: Signals, path: Path) -> NDArray[Any]:
    """Return the values in the order in which they are read again: by ascending label."""
    integers = [key for key in signals.keys or () if isinstance(key, int)]
    labels = signals.labels or (integers if len(integers) == signals.n_regions else None)
    if signals.keys is None or signals.parcellation is not None:
        return signals.values  # whose regions are in order
    # Labels that stand twice are those of two hemispheres.
    if labels is None or len(set(labels)) < len(labels):
        raise SignalsError(
            f"{path.name} would hold values without their regions, of which only the names are "
            f"known ({examples(signals.keys)}) and not their order. Write a table (.tsv, .csv, "
            ".parquet), or values with labels: Signals(…, labels=…)."
        )
    return signals.values[:, np.argsort(labels, kind="stable")]


def write_regions(table: RegionTable, path: Path, *, overwrite: bool) -> None:
    """Write a table of regions, such as their coverage, whole or not at all."""
    _write_frame(table.to_pandas(), path, table_suffix(path, "coverage"), overwrite=overwrite)


def check_table_output(path: Path, use: Use = "signals", *, overwrite: bool) -> None:
    """Raise where a table cannot be written under this name, before it is made."""
    suffix = table_suffix(path, use)
    if suffix == ".parquet":
        _needs_pyarrow()
    if str(path) != STANDARD_STREAM:
        check_output(path, overwrite=overwrite)


def table_suffix(path: Path, use: Use = "signals") -> str:
    """Return the ending that says how to write a table; raise where it is not known."""
    if str(path) == STANDARD_STREAM:
        return ".tsv"
    suffix = suffix_of(path)
    if suffix not in suffixes(use, "table"):
        raise FileFormatError(
            f"Tables of {use} cannot be written as {path.name!r}: they end in "
            f"{', '.join(suffixes(use))}."
        )
    return suffix


def _write_frame(
    frame: pd.DataFrame, path: Path, suffix: str, *, header: bool = True, overwrite: bool
) -> None:
    separator = "," if suffix == ".csv" else "\t"
    if str(path) == STANDARD_STREAM:
        frame.to_csv(sys.stdout, sep=separator, index=False, header=header, na_rep="n/a")
        return
    with replacing(path, overwrite=overwrite) as temporary:
        if suffix == ".parquet":
            _needs_pyarrow()
            frame.to_parquet(temporary, index=False)
        else:
            frame.to_csv(temporary, sep=separator, index=False, header=header, na_rep="n/a")


def _frame(signals: Signals, *, long: bool) -> pd.DataFrame:
    """Return signals as the table to write, titles as text."""
    if signals.values.dtype.kind == "c":
        raise SignalsTypeError(
            "Tables hold no complex numbers. Write .npy, or magnitude and phase one by one."
        )
    frame = signals.to_pandas(long=long)
    if not long and (signals.map_names is not None or _has_labels(signals)):
        frame.insert(0, MAP_TITLE, list(signals.map_names or map_titles(signals.n_maps)))
    frame.columns = frame.columns.map(str)
    return frame


def _has_labels(signals: Signals) -> bool:
    """Return whether titles will be labels, which look like values without text beside them."""
    return signals.keys is not None and as_integers(signals.keys) is not None


def _numbers_alone(table: ValueTable) -> ValueTable:
    """Return a table of AFNI's, which has numbers and never a header."""
    if table.has_header or any(column.numbers is None for column in table.columns):
        raise FileFormatError(
            f"{table.source} holds text; a .1D file holds numbers only. Name a table .tsv."
        )
    return dataclasses.replace(table, has_header=False)


def _with_comments(table: ValueTable, text: str) -> ValueTable:
    """Return a table with its comments of as many words as there are columns.

    AFNI writes ``#  ColumnLabels = "V1 ; V2"``.
    """
    lines = re.findall(r"(?m)^[ \t]*#[# \t]*(?:ColumnLabels *= *)?(\S.*?)\s*$", text)
    comments = [[word for word in re.split(r"[,;\s\"']+", line) if word] for line in lines]
    titles = [
        tuple(map(_title_of_text, words)) for words in comments if len(words) == len(table.columns)
    ]
    return dataclasses.replace(table, comments=tuple(titles))


def _standard_input() -> str:
    return decode(sys.stdin.buffer.read(), source="standard input")


def _with_header_of_maps(text: TextTable) -> TextTable:
    """Return the table with its first row as header where that is `map` and then integers.

    So signals are written whose regions are called by numbers.
    """
    first = [cells[0] for cells in text.columns if cells]
    if text.header is not None or first[:1] != [MAP_TITLE] or len(text.columns[0]) < 2:
        return text
    if any(integer_of(title) is None for title in first[1:]) or _are_counted(first[1:]):
        return text
    columns = tuple(cells[1:] for cells in text.columns)
    return dataclasses.replace(text, header=tuple(first), columns=columns)


def _table(text: TextTable) -> ValueTable:
    text = _with_header_of_maps(text)
    decimal_comma = text.delimiter == ";"
    if decimal_comma:
        _check_points(text)
    # pandas writes its index without a title.
    has_index = text.header is not None and len(text.header) > 1 and not text.header[0]
    header = text.header or ("untitled",) * len(text.columns)
    columns = tuple(
        ValueColumn(
            _title_of_text(title),
            _cells(cells),
            _numbers(cells, f"the column {title!r} of {text.source}", decimal_comma=decimal_comma),
            is_index=(has_index and number == 0) or _is_unnamed(title),
        )
        for number, (title, cells) in enumerate(zip(text.titles, text.columns, strict=True))
        if header[number] or any(cells)  # rows may all end in a delimiter
    )
    has_header = None if text.header is None else not (has_index and _are_counted(header[1:]))
    return ValueTable(columns, text.source, has_header=has_header)


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


def _title_of_text(title: str) -> Key:
    """Return a title that is written like a label as one."""
    label = integer_of(title)
    return title if label is None else label


def _is_unnamed(title: Key) -> bool:
    """Return whether this is what pandas calls an index that it wrote and read again."""
    return str(title).startswith(("Unnamed: ", "__index_level_"))


def _cells(cells: Sequence[str]) -> tuple[str | None, ...]:
    # "NA" may be the name of a nucleus; only nothing at all, or BIDS' n/a, is no key.
    return tuple(None if cell in ("", "n/a") else cell for cell in cells)


def _numbers(cells: Sequence[str], what: str, *, decimal_comma: bool) -> NDArray[Any] | None:
    """Return a column of text as integers or floats, or None where it is neither."""
    if all(map(is_missing, cells)):
        return np.full(len(cells), np.nan)
    numbers = None
    if not decimal_comma and any("." in cell for cell in cells):
        numbers = _floats(cells)
    if numbers is None:
        parsed = parse_number_column(cells, decimal_comma=decimal_comma)
        numbers = None if parsed is None else numbers_with_gaps(parsed, what)
    if numbers is not None and numbers.dtype.kind == "f":
        _check_range(numbers, cells, what)
    return numbers


def _floats(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """Return cells as floats where all are numbers: most tables, read the fastest way."""
    try:
        return np.array([float(cell) for cell in cells if "_" not in cell]).reshape(len(cells))
    except ValueError:
        return None


def _check_range(numbers: NDArray[Any], cells: Sequence[str], what: str) -> None:
    large = np.flatnonzero(np.isfinite(numbers) & (np.abs(numbers) >= EXACT)).tolist()
    whole = [(cells[row], parse_integer(cells[row]), float(numbers[row])) for row in large]
    rounded = [cell for cell, integer, number in whole if integer is not None and integer != number]
    if rounded:
        raise SignalsError(
            f"{plural(len(rounded), 'integer')} in {what} cannot be held by float64, which gaps or "
            f"other values need: {examples(rounded)}. Give the columns one by one, or rescale."
        )
    infinite = [cells[row] for row in np.flatnonzero(np.isinf(numbers)).tolist()]
    too_large = [cell for cell in infinite if "inf" not in cell.lower()]
    if too_large:
        raise SignalsError(
            f"{plural(len(too_large), 'number')} in {what} beyond the range of float64: "
            f"{examples(too_large)}. Rescale the values."
        )


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
    _needs_pyarrow()
    import pyarrow.parquet as pq

    try:
        # pandas would make floats of integers with gaps, and round them.
        return pq.read_table(file).to_pandas(integer_object_nulls=True)
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{file} is no readable Parquet file: {error}") from error


def _needs_pyarrow() -> None:
    try:
        import pyarrow as pa  # noqa: F401  only whether it is there
    except ImportError:
        raise MissingPackageError(
            "Parquet needs pyarrow: pip install 'regioncast[parquet]'."
        ) from None


def _frame_column(title: Key, array: NDArray[Any], *, is_index: bool = False) -> ValueColumn:
    # NumPy would list dates in nanoseconds as integers.
    listed = list(array) if array.dtype.kind in "mM" else array.tolist()
    cells = tuple(None if is_null(cell) else cell for cell in listed)
    what = f"the column {title!r}"
    numbers = array if array.dtype.kind in "biufc" else _numbers_of_objects(cells, what)
    return ValueColumn(title, cells, numbers, is_index or _is_unnamed(title))


def _array_of(series: Any) -> NDArray[Any]:
    """Return a column of a DataFrame as an array, integers with gaps or of 128 bits as objects."""
    is_wide = str(series.dtype) in ("Int128", "UInt128")
    if series.dtype.is_integer() and (is_wide or series.null_count()):
        return np.array(series.to_list(), object)
    return np.asarray(series.to_numpy())


def _numbers_of_objects(cells: Sequence[Any], what: str) -> NDArray[Any] | None:
    """Return Python numbers with gaps as an array, or None where there is anything else."""
    if not all(map(is_number_or_gap, cells)):
        return None
    return numbers_with_gaps(cells, what)


def _title(title: Any) -> Key:
    is_whole = isinstance(title, float | np.floating) and float(title).is_integer()
    return int(title) if is_whole or isinstance(title, int | np.integer) else str(title)
