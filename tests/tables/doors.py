"""The doors through which the same table comes: files of every dialect, and objects."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import polars as pl
import pyarrow as pa
from tables.case import Case, RegionCase, Table, typed

# --- files -----------------------------------------------------------------------------------

_POINT = re.compile(r"(-?\d*)\.(\d+)")
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")


def _delimited(table: Table, path: Path, delimiter: str, **dialect: Any) -> Path:
    text = io.StringIO()
    dialect = {"lineterminator": "\n"} | dialect
    csv.writer(text, delimiter=delimiter, **dialect).writerows(table.rows)
    path.write_bytes(text.getvalue().encode())
    return path


def _windows(table: Table, path: Path) -> Path:
    """As Excel writes it: a byte-order mark, and lines that end in two characters."""
    _delimited(table, path, ",", lineterminator="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    return path


def _with_commas(table: Table, as_text: str) -> Table | None:
    """As a spreadsheet of a country with decimal commas has it."""
    columns = table.columns
    numbers = [
        title not in as_text.split() and any(isinstance(cell, float) for cell in typed(cells))
        for title, cells in zip(table.titles, columns, strict=True)
    ]
    if (
        len(numbers) < 2
        or not any(numbers)
        or any("," in cell or ";" in cell for row in table.rows for cell in row)
    ):
        return None
    body = [
        [_POINT.sub(r"\1,\2", cell) if number else cell
         for cell, number in zip(row, numbers, strict=True)]
        for row in table.body
    ]  # fmt: skip
    return Table([table.rows[0], *body] if table.header else body, table.header)


def _decimal_commas(table: Table, path: Path, as_text: str) -> Path | None:
    commas = _with_commas(table, as_text)
    return None if commas is None else _delimited(commas, path, ";")


def _unicode_text(table: Table, path: Path, as_text: str) -> Path | None:
    """As Excel writes what it calls Unicode text, where commas are not those of thousands."""
    commas = _with_commas(table, as_text)
    if commas is None:
        return None
    cells = [cell for row in table.rows[1:] for cell in row]
    decimals = [cell for cell in cells if _POINT.fullmatch(cell)]
    kept = [cell for row in commas.rows[1:] for cell in row if "." in cell]
    if any(map(_POINT.fullmatch, kept)) or all(map(_THOUSANDS.fullmatch, decimals)):
        return None
    _delimited(commas, path, "\t", lineterminator="\r\n")
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))
    return path


def _spaces(table: Table, path: Path) -> Path | None:
    cells = [cell for row in table.rows for cell in row]
    if any(not cell or set(cell) & set(" \"'#,;") for cell in cells):
        return None
    path.write_text("".join("  ".join(row) + "\n" for row in table.rows), encoding="utf-8")
    return path


def _one_delimiter(table: Table, path: Path, delimiter: str, **dialect: Any) -> Path | None:
    """Cells that hold what separates others are told apart by quotes, which has cases of its own.

    Through this door go tables that need none.
    """
    if any(set(cell) & set(',;\t"') for row in table.rows for cell in row):
        return None
    if all(len(row) == 1 for row in table.rows) and delimiter != "\t":
        return None
    return _delimited(table, path, delimiter, **dialect)


def file_doors(table: Table, folder: Path, as_text: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the doors of text, each with its file, but for those that cannot hold the table."""
    doors = {
        "tab": _delimited(table, folder / "tab.tsv", "\t"),
        "comma": _one_delimiter(table, folder / "comma.csv", ","),
        "semicolon": _one_delimiter(table, folder / "semicolon.csv", ";"),
        "decimal commas": _decimal_commas(table, folder / "decimals.csv", as_text),
        "unicode text": _unicode_text(table, folder / "unicode.txt", as_text),
        "windows": _windows(table, folder / "windows.csv"),
        "spaces": _spaces(table, folder / "spaces.txt"),
    }
    yield from ((door, path) for door, path in doors.items() if path is not None)


# --- objects ---------------------------------------------------------------------------------


def frame_of(table: Table, as_text: str = "", *, index: bool = False) -> pd.DataFrame:
    """The DataFrame of pandas that holds a table."""
    columns = {
        place: pd.Series(_pandas(typed(cells, as_text=title in as_text.split())))
        for place, (title, cells) in enumerate(zip(table.titles, table.columns, strict=True))
    }
    frame = pd.DataFrame(columns)
    if table.header:
        frame.columns = pd.Index(_titles(table.titles))
    if index or table.titles[0] == "":
        frame = frame.set_index(frame.columns[0])
        frame.index.name = table.titles[0] or None
        if all(isinstance(title, int) for title in frame.columns):
            frame.columns = pd.Index(list(frame.columns), dtype="int64")
    return frame


def _titles(titles: list[str]) -> list[Any]:
    """Titles as they come in a DataFrame: integers where all but an index are."""
    others = titles[1:] if titles[0] == "" else titles
    if others and all(re.fullmatch(r"0|-?[1-9]\d*", title) for title in others):
        return [int(title) if title else "" for title in titles]
    return titles


def _pandas(cells: list[Any]) -> Any:
    given = [cell for cell in cells if cell is not None]
    if given and len(given) < len(cells) and all(isinstance(cell, int) for cell in given):
        return pd.array(cells, "Int64")
    return cells


def frame_doors(table: Table, folder: Path, as_text: str, *, index: bool) -> Iterator[Any]:
    """Yield DataFrames of each library, and a Parquet file."""
    frame = frame_of(table, as_text, index=index)
    yield "pandas", frame
    if not table.header or len(set(table.titles)) < len(table.titles):
        return
    path = folder / "table.parquet"
    with contextlib.suppress(OverflowError):  # integers that Parquet does not hold
        frame.rename(columns=str).to_parquet(path)
        yield "parquet", path
    if index or "" in table.titles:
        return
    data = {
        title: typed(cells, as_text=title in as_text.split())
        for title, cells in zip(table.titles, table.columns, strict=True)
    }
    with contextlib.suppress(OverflowError, TypeError):
        yield "polars", pl.DataFrame({title: _polars(cells) for title, cells in data.items()})
        yield "pyarrow", pa.table({title: _arrow(cells) for title, cells in data.items()})


def _is_unsigned(cells: list[Any]) -> bool:
    given = [cell for cell in cells if cell is not None]
    return bool(given) and all(isinstance(n, int) and n >= 0 for n in given) and max(given) >= 2**63


def _polars(cells: list[Any]) -> Any:
    return pl.Series(cells, dtype=pl.UInt64) if _is_unsigned(cells) else pl.Series(cells)


def _arrow(cells: list[Any]) -> Any:
    return pa.array(cells, pa.uint64() if _is_unsigned(cells) else None)


# Titles of a first column that says who the regions are.
_KEYS = frozenset(["", "name", "label", "region", "index", "id", "roi", "ROI"])


def keyed_doors(table: Table, as_text: str) -> Iterator[tuple[str, Any]]:
    """Yield a dict and a Series, for tables of keys and one map."""
    if not table.header or len(table.titles) != 2 or table.titles[0] not in _KEYS:
        return
    keys, values = (
        typed(cells, as_text=title in as_text.split())
        for title, cells in zip(table.titles, table.columns, strict=True)
    )
    if None in keys or None in values:
        return
    yield "titled series", pd.Series(values, pd.Index(keys, name=table.titles[0] or None))
    if keys != list(range(len(keys))):  # which are no keys
        yield "series", pd.Series(values, keys, name=table.titles[1])
    if len(set(keys)) == len(keys):
        yield "dict", dict(zip(keys, values, strict=True))


def value_doors(case: Case, folder: Path) -> dict[str, Any]:
    """Return all doors through which the table of a case can go, each with the values."""
    table = case.parsed
    doors = dict(file_doors(table, folder, case.as_text))
    doors |= dict(frame_doors(table, folder, case.as_text, index=case.index))
    if not {"key", "columns"} & set(case.options):
        doors |= dict(keyed_doors(table, case.as_text))
    return _doors_of(case, doors)


FRAMES = frozenset(["pandas", "parquet", "polars", "pyarrow"])


def _doors_of(case: Case | RegionCase, doors: dict[str, Any]) -> dict[str, Any]:
    """Return the doors that the answer of a case is of."""

    def are_of(words: Collection[str]) -> set[str]:
        return set(words) | (set(FRAMES) if "frames" in words else set())

    wanted = are_of([case.through]) if case.through else set(doors) - are_of(case.elsewhere)
    assert wanted & set(doors), case.name
    return {door: source for door, source in doors.items() if door in wanted}


# Doors whose values have no titles of maps.
NAMELESS = frozenset(["dict", "series", "titled series"])


# --- region tables ---------------------------------------------------------------------------


def _xml_of_workbench(pairs: list[tuple[Any, str]]) -> str:
    rows = "".join(f'<Label Key="{label}">{escape(name)}</Label>' for label, name in pairs)
    return f"<CaretExtension><LabelTable>{rows}</LabelTable></CaretExtension>"


def _xml_of_spm(pairs: list[tuple[Any, str]]) -> str:
    rows = "".join(
        f"<label><index>{label}</index><name>{escape(name)}</name></label>" for label, name in pairs
    )
    return f"<atlas><data>{rows}</data></atlas>"


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def pair_doors(table: Table, folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield what says labels and names and no more: the first two columns of a table."""
    labels, names = typed(table.columns[0]), table.columns[1]
    pairs = list(zip(labels, names, strict=True))
    lines = [f"{label} {name}\n" for label, name in pairs]
    yield "lines", _written(folder / "lines.txt", "".join(lines))
    yield "workbench", _written(folder / "workbench.xml", _xml_of_workbench(pairs))
    yield "spm", _written(folder / "spm.xml", _xml_of_spm(pairs))
    if labels != list(range(len(labels))):  # which is a list of names
        yield "series", pd.Series(names, labels)
    yield "pairs", pairs
    if len(set(labels)) == len(labels):
        yield "dict", dict(pairs)
    if len(set(names)) == len(names):
        yield "backward", dict(zip(names, labels, strict=True))


def region_doors(case: RegionCase, folder: Path) -> dict[str, Any]:
    """Return all doors through which the region table of a case can go."""
    table = case.parsed
    doors: dict[str, Any] = dict(file_doors(table, folder, case.as_text))
    doors |= dict(frame_doors(table, folder, case.as_text, index=False))
    doors.pop("parquet", None)  # no region table comes in one
    if table.header and len(set(table.titles)) == len(table.titles) and "" not in table.titles:
        doors["columns"] = {
            title: typed(cells, as_text=title in case.as_text.split())
            for title, cells in zip(table.titles, table.columns, strict=True)
        }
    if case.pairs:
        doors |= dict(pair_doors(table, folder))
    return _doors_of(case, doors)
