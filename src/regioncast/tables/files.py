"""Files of values, as tables or arrays: delimited text, AFNI's numbers, Parquet, NumPy."""

from __future__ import annotations

import dataclasses
import re
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.hemispheres import HEMISPHERE_TITLE
from ..errors import FileFormatError, MissingPackageError, SignalsError, examples, plural
from ..files import existing_file, read_npy
from ..formats import suffix_of, suffixes
from .table import Column, Table, table_of_frame, table_of_text
from .text import MARK_OF_TITLES, TextTable, decode, parse_delimited, read_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

STANDARD_STREAM = "-"
"""The name that stands for standard input."""

# A run of equal cells is a few bytes in Parquet, and of any length.
_MOST_CELLS = 1 << 19
_MOST_CELLS_PER_BYTE = 1000

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
# In "0[#0]" it is part of what AFNI calls a map.
_BESIDE_NUMBERS = re.compile(r"(?<!\[)#.*|^[ \t]+", re.MULTILINE)
_HEMISPHERE = re.compile(r"^# hemi +([lr]h)\s*$", re.MULTILINE)
_COLUMN_LABELS = re.compile(r"[# \t]*(?:ColumnLabels *= *)?")


def read_values(path: str | Path) -> Table | NDArray[Any]:
    """Return what a file of values holds: a table, or an array that has no keys.

    Raises `InputMissingError`, `FileFormatError`; `MissingPackageError` for Parquet without
    pyarrow.

    Parameters
    ----------
    path : path
        ``.tsv``, ``.csv``, ``.txt``, ``.1D``, ``.parquet`` or ``.npy``; ``-`` for delimited
        text from standard input.
    """
    if str(path) == STANDARD_STREAM:
        text = decode(sys.stdin.buffer.read(), source="standard input")
        return _table(parse_delimited(text, source="standard input"))
    file = existing_file(path, "the file of values", may_be_pipe=True)
    # A pipe is the output of another program, as a shell's <(…) hands it over.
    suffix = ".tsv" if file.is_fifo() else suffix_of(file)
    if suffix == ".npy":
        return _npy(file)
    if suffix == ".parquet":
        return table_of_frame(_parquet(file), str(file))
    if suffix not in map(str.lower, suffixes("values", "table")):
        raise FileFormatError(
            f"Values cannot be read from {file.name!r}: they come from "
            f"{', '.join(suffixes('values', 'table'))}."
        )
    text = read_text(file)
    if suffix == ".1d":
        return _table_of_afni(text, str(file))
    table = _table(parse_delimited(text, source=str(file)))
    side = _HEMISPHERE.search(text)
    if side is None or f"# {MARK_OF_TITLES}" not in text:
        return table
    # FreeSurfer's statistics say once of which hemisphere they are.
    of_rows = Column(HEMISPHERE_TITLE, [side[1]] * table.n_rows)
    return dataclasses.replace(table, columns=[*table.columns, of_rows])


def _table(text: TextTable) -> Table:
    if text.decimal_comma:
        _check_points(text)
    return table_of_text(text)


def _check_points(text: TextTable) -> None:
    """Raise where points may separate thousands, as they do beside decimal commas."""
    if not any(map(_DECIMAL_COMMA.fullmatch, chain.from_iterable(text.columns))):
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
    """Return a table of AFNI's, which mostly has numbers and no header.

    Comments stand behind numbers too, and XML around them.  Those of as many words as there are
    columns may be the titles: AFNI writes ``#  ColumnLabels = "V1 ; V2"``.
    """
    numbers = parse_delimited(_BESIDE_NUMBERS.sub("", text), source=source)
    table = table_of_text(numbers)
    if table.has_header or any(column.is_text for column in table.columns):
        return _table(parse_delimited(text, source=source))
    comments = []
    for line in text.splitlines():
        if not line.lstrip().startswith("#"):
            continue
        comment = _COLUMN_LABELS.sub("", line, count=1)
        words = [word for word in re.split(r"[,;\s\"']+", comment) if word]
        if len(words) == len(table.columns):
            comments.append(words)
    return dataclasses.replace(table, comments=comments, may_have_header=False)


def _npy(file: Path) -> NDArray[Any]:
    try:
        array = read_npy(file)
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
        metadata = pq.read_metadata(file)
        n_cells, n_bytes = metadata.num_rows * metadata.num_columns, file.stat().st_size
        if n_cells > max(_MOST_CELLS, _MOST_CELLS_PER_BYTE * n_bytes):
            raise ValueError(
                f"it is to hold {metadata.num_rows:,} rows of {metadata.num_columns:,} columns in "
                f"{n_bytes:,} bytes"
            )
        # pandas would make floats of integers with gaps, and round them.
        return pq.read_table(file).to_pandas(integer_object_nulls=True)
    except MemoryError:
        raise
    except Exception as error:  # what is said of an index may be anything
        reason = str(error).partition("\n")[0].rstrip(".")
        raise FileFormatError(
            f"{file} is no readable Parquet file: {reason or type(error).__name__}. Write it again."
        ) from error


def needs_pyarrow() -> None:
    """Raise `MissingPackageError` where pyarrow is not there."""
    try:
        import pyarrow as pa  # noqa: F401  only whether it is there
    except ImportError:
        raise MissingPackageError(
            "Parquet needs pyarrow: pip install 'regioncast[parquet]'."
        ) from None
