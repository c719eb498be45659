"""Signals and region tables to files: delimited text, Parquet, NumPy arrays.

What is written is read again as the same signals.  So names that a table cannot hold are refused,
and a wide table whose titles look like numbers begins with a column of the names of its maps.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import orjson

from ..errors import (
    FileFormatError,
    RegionTableError,
    SignalsError,
    SignalsTypeError,
    examples,
    plural,
)
from ..files import check_output, open_output, replacing
from ..formats import suffix_of, suffixes
from ..signals import MAP_TITLE, entity_columns, map_titles
from .cells import are_distinct, is_absent, is_missing, is_number
from .files import STANDARD_STREAM, needs_pyarrow
from .regions import read_region_table
from .titles import is_map_title, normal_title

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ..atlas.region_table import Region, RegionTable
    from ..formats import Use
    from ..signals import Long, Signals

_MISSING = "n/a"

# Tables become text by about so many cells, which stay in the cache.
_CELLS_AT_ONCE = 1 << 16

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def write_signals(signals: Signals, path: Path, *, long: Long, overwrite: bool) -> None:
    """Write signals as a table, whole or not at all.

    Parameters
    ----------
    signals : Signals
    path : Path
        ``.tsv`` and ``.csv`` (missing values are ``n/a``), ``.parquet``, or ``.npy`` for the
        values alone; ``-`` for TSV on standard output.
    long : bool or "tidy"
        One row per region rather than one per map, or one per both.
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
        with replacing(path, overwrite=overwrite) as temporary, open_output(temporary) as file:
            np.save(file, values[0] if signals.single else values)
        return
    _check_cells(signals, path, suffix)
    if suffix == ".parquet":
        _write_parquet(_frame(signals, long=long), path, overwrite=overwrite)
        return
    columns = _columns_of_frame(_frame(signals, long=long)) if long else _wide(signals)
    # Columns that are merely counted have no titles, unless integers could be taken for such.
    titles = _titles_of(columns)
    is_titled = bool(long) or signals.keys is not None or MAP_TITLE in titles
    _write_text(columns, path, suffix, header=is_titled, overwrite=overwrite)


def write_regions(table: RegionTable, path: Path, *, overwrite: bool) -> None:
    """Write a table of regions, such as their coverage, whole or not at all."""
    suffix = table_suffix(path, "coverage")
    if suffix == ".parquet":
        _write_parquet(table.to_pandas(), path, overwrite=overwrite)
        return
    columns = [_Columns(["index"], table.labels[:, np.newaxis]), _Columns(["name"], table.names)]
    for title, cells in table.other_columns.items():
        numbers = np.array(cells)
        is_of_numbers = numbers.dtype.kind in "iuf"
        columns.append(_Columns([title], numbers[:, np.newaxis] if is_of_numbers else cells))
    _write_text(columns, path, suffix, header=True, overwrite=overwrite)


def write_table_of_labels(table: RegionTable, file: Path, path: Path) -> None:
    """Write the table of the regions of a labels image as TSV, to what will be called `path`.

    It is read at once: where labels or names would be others, it is a `RegionTableError`.
    """
    rows = [("index", "name", *table.other_columns)]
    rows += zip(table.labels.tolist(), table.names, *table.other_columns.values(), strict=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        # "NA" abbreviates a nucleus, and is written as it is.
        writer.writerows([["n/a" if is_absent(c) else c for c in row] for row in rows])
    try:
        again: set[Region] = set(read_region_table(file, labels=table.labels))
    except (RegionTableError, FileFormatError) as error:
        raise RegionTableError(
            f"{path.name} would not be read again: {str(error).replace(str(file), path.name)}"
        ) from error
    changed = [region.name for region in table if region not in again]
    if changed:
        raise RegionTableError(
            f"{plural(len(changed), 'name')} that {path.name} cannot hold: {examples(changed)}; "
            "they would be read as something else. Rename them."
        )


def check_table_output(path: Path, use: Use = "signals", *, overwrite: bool) -> None:
    """Raise where a table cannot be written under this name, before it is made."""
    suffix = table_suffix(path, use)
    if suffix == ".parquet":
        needs_pyarrow()
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


def _by_position(signals: Signals, path: Path) -> NDArray[Any]:
    """Return the values in the order in which they are read again: by ascending label."""
    if signals.keys is None or signals.parcellation is not None:
        return signals.values  # whose regions are in order
    integers = [key for key in signals.keys if isinstance(key, int)]
    labels: Sequence[int] | None = signals.labels
    if not labels and len(integers) == signals.n_regions:
        labels = integers
    # Labels that stand twice are those of two hemispheres.
    if labels is None or not are_distinct(labels):
        raise SignalsError(
            f"{path.name} would hold values without their regions, of which only the names are "
            f"known ({examples(signals.keys)}) and not their order. Write a table (.tsv, .csv, "
            ".parquet), or values with labels: Signals(…, labels=…)."
        )
    return signals.values[:, np.argsort(labels, kind="stable")]


def _check_cells(signals: Signals, path: Path, suffix: str) -> None:
    """Raise where numbers or names would not be read again as what they are."""
    if signals.values.dtype.kind == "c":
        raise SignalsTypeError(
            "Tables hold no complex numbers. Write .npy, or magnitude and phase one by one."
        )
    names = [*map(str, signals.keys or ()), *(signals.map_names or ())]
    wrong = []
    for name in names:
        # Text loses blanks at the ends of cells, and control characters say that it is binary.
        is_changed = name != name.strip() or _CONTROL.search(name) is not None
        if is_absent(name) or (is_changed and suffix != ".parquet"):
            wrong.append(name)
    if wrong:
        raise SignalsError(
            f"{plural(len(wrong), 'name')} that {path.name} cannot hold: {examples(wrong)}; they "
            "say nothing, or have control characters, or blanks at their ends. Rename them."
        )


class _Columns(NamedTuple):
    """Columns that are written alike.

    Parameters
    ----------
    titles : sequence of str
    cells : array of numbers, shape (n_rows, n_titles), or sequence
        Or what is in one column of anything, None and NaN where nothing is.
    """

    titles: Sequence[str]
    cells: NDArray[Any] | Sequence[object]


def _write_parquet(frame: pd.DataFrame, path: Path, *, overwrite: bool) -> None:
    needs_pyarrow()
    with replacing(path, overwrite=overwrite) as temporary, open_output(temporary) as file:
        frame.to_parquet(file, index=False)


def _write_text(
    columns: Sequence[_Columns], path: Path, suffix: str, *, header: bool, overwrite: bool
) -> None:
    has_semicolon = any(";" in title for title in _titles_of(columns))
    text = _text_of(
        columns,
        header=header,
        delimiter="," if suffix == ".csv" else "\t",
        # In quotes, no other delimiter is taken for the one that separates the cells.
        is_quoted=suffix == ".csv" and has_semicolon,
    )
    if str(path) == STANDARD_STREAM:
        sys.stdout.writelines(text)
        return
    with replacing(path, overwrite=overwrite) as temporary, open_output(temporary) as file:
        file.writelines(block.encode() for block in text)


def _text_of(
    columns: Sequence[_Columns], *, header: bool, delimiter: str, is_quoted: bool
) -> Iterator[str]:
    """Yield a table as delimited text, some rows at a time."""
    written: list[str] = []
    # It writes a row by one call.
    writer = csv.writer(
        SimpleNamespace(write=written.append),
        delimiter=delimiter,
        lineterminator="\n",
        quoting=csv.QUOTE_NONNUMERIC if is_quoted else csv.QUOTE_MINIMAL,
    )
    titles = _titles_of(columns)
    if header:
        writer.writerow(titles)
        yield written.pop()

    def as_text(cell: object) -> str:
        # With another after it, as csv quotes an empty cell that is alone.
        writer.writerow((cell, 0))
        return written.pop()[:-3]

    missing = as_text(_MISSING)
    all_cells: list[NDArray[Any] | list[str]] = []
    for _, each in columns:
        all_cells.append(each if isinstance(each, np.ndarray) else _texts(each, as_text))
    n_rows = 1 + _CELLS_AT_ONCE // (1 + len(titles))
    for first in range(0, len(all_cells[0]), n_rows):
        rows = slice(first, first + n_rows)
        lines = [_lines_of(cells[rows], delimiter, missing) for cells in all_cells]
        yield "\n".join(map(delimiter.join, zip(*lines, strict=True))) + "\n"


def _titles_of(columns: Sequence[_Columns]) -> list[str]:
    return list(chain.from_iterable(part.titles for part in columns))


def _texts(cells: Sequence[object], as_text: Callable[[object], str]) -> list[str]:
    """Return the cells of a column as text."""
    # What is not a number is not even equal to itself.
    shown = [_MISSING if cell is None or cell != cell else cell for cell in cells]  # noqa: PLR0124
    if set(map(type, shown)) != {str}:
        return [as_text(cell) for cell in shown]
    # The same few names stand in many rows.
    known = {cell: as_text(cell) for cell in set(shown)}
    return [known[cell] for cell in shown]


def _lines_of(values: NDArray[Any] | list[str], delimiter: str, missing: str) -> list[str]:
    """Return each row of numbers as the shortest text that is read as the same numbers.

    What is text already is returned as it is.
    """
    if isinstance(values, list):
        return values
    # What has more bits than float64, as on some processors, is read as float64.
    dtype = values.dtype.newbyteorder("=") if values.dtype.itemsize <= 8 else np.float64
    numbers = np.ascontiguousarray(values, dtype)
    text = orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY).decode()[2:-2]
    others = numbers[~np.isfinite(numbers)]
    if others.size:
        # All of these are "null" in JSON.
        words = np.where(np.isnan(others), missing, others.astype(str))
        text = text.replace("null", "%s") % tuple(words.tolist())
    return text.replace("],[", "\n").replace(",", delimiter).split("\n")


def _wide(signals: Signals) -> list[_Columns]:
    """Return signals as columns with a row per map."""
    columns: list[_Columns] = []
    for title, cells in _columns_before(signals).items():
        columns.append(_Columns([title], cells))
    keys = range(signals.n_regions) if signals.keys is None else signals.keys
    titles = list(map(str, keys))
    if signals.values.dtype.kind in "iuf":
        return [*columns, _Columns(titles, signals.values)]
    for number, title in enumerate(titles):
        columns.append(_Columns([title], signals.values[:, number].tolist()))
    return columns


def _columns_before(signals: Signals) -> dict[str, Sequence[str | None]]:
    """Return the columns that name the maps of a wide table, where it needs them."""
    is_needed = signals.map_names is not None or _need_map_names(signals)
    return _columns_of_maps(signals) if is_needed else {}


def _frame(signals: Signals, *, long: Long) -> pd.DataFrame:
    """Return signals as a table of pandas, titles as text."""
    frame = signals.to_pandas(long=long)
    frame.columns = frame.columns.map(str)
    if not long:
        # Each goes before all others, so the last comes first.
        for title, cells in reversed(_columns_before(signals).items()):
            frame.insert(0, title, cells, allow_duplicates=True)
    return frame


def _columns_of_frame(frame: pd.DataFrame) -> list[_Columns]:
    """Return numbers as arrays of columns side by side that have one dtype, all else one by one."""
    titles, dtypes = list(frame.columns), list(frame.dtypes)
    frame = frame.set_axis(range(len(dtypes)), axis=1)  # titles are slow to take apart
    starts = [c for c in range(len(dtypes)) if c == 0 or dtypes[c] != dtypes[c - 1]]
    columns: list[_Columns] = []
    for start, stop in pairwise([*starts, len(dtypes)]):
        if isinstance(dtypes[start], np.dtype) and dtypes[start].kind in "iuf":
            columns.append(_Columns(titles[start:stop], frame.iloc[:, start:stop].to_numpy()))
            continue
        for number in range(start, stop):
            column = frame.iloc[:, number]
            cells = column.astype(object).where(column.notna(), None).tolist()
            columns.append(_Columns([titles[number]], cells))
    return columns


def _columns_of_maps(signals: Signals) -> dict[str, Sequence[str | None]]:
    """Return the columns that name maps: the entities of their names, or else the whole names.

    Joined, they are the names again.
    """
    names = signals.map_names or map_titles(signals.n_maps)
    columns = entity_columns(names)
    # A table that begins with a title of maps is known by it; and no region may have such a title.
    is_known = signals.keys is not None and is_map_title(next(iter(columns)))
    regions = set(map(normal_title, signals.keys or ()))
    is_clear = is_known and regions.isdisjoint(map(normal_title, columns))
    parts = filter(None, chain.from_iterable(columns.values()))
    are_whole = not any(is_absent(part) or part != part.strip() for part in parts)
    return columns if is_clear and are_whole else {MAP_TITLE: names}


def _need_map_names(signals: Signals) -> bool:
    """Return whether titles need text before them to be read as what they are."""
    if signals.keys is None:
        # Integers in the first row or column could be labels.
        whole = np.rint(signals.values) == signals.values
        return bool(whole[0].all() or whole[:, 0].all())
    titles = list(map(str, signals.keys))
    # A comment, the mark of an encoding, what Excel says of the delimiter.
    if titles[0].startswith(("#", "\ufeff", "sep=")):
        return True
    # One title of several words would be several titles.
    if len(titles) == 1 and " " in titles[0]:
        return True
    # A first row with a number or nothing in it is no header, and a column "map" names maps.
    looks_otherwise = [is_number(title) or is_missing(title) for title in titles]
    return any(looks_otherwise) or MAP_TITLE in map(normal_title, titles)
