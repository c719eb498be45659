"""Delimited text, read in one place.

A *cell* is a string without white space at its ends.  A *text table* is a rectangle of cells,
kept by column, with or without a *header* (one *title* per column).  What separates the cells
(tab, comma, semicolon or runs of white space), how the text is encoded and whether there is a
header are found from the content, because suffixes do not tell: many a ``.csv`` holds
semicolons, and many a ``.txt`` tabs.

A cell is *missing* when it is empty, ``n/a``, ``NA`` or ``NaN``, in any case of letters.
Cells stay text here; the functions that parse them leave it to the caller which columns are
numbers, since ``NA`` is also the abbreviation of a nucleus.
"""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..atlas.region_table import EXACT, KNOWN_TITLES, NAME_TITLES, normal_title
from ..errors import FileFormatError, examples, plural
from ..files import existing_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING = frozenset({"", "n/a", "na", "nan"})
WHITE_SPACE = " "

# Titles and the first rows tell the format; a table of time series can have very many rows.
_SAMPLE_LINES = 100

# The unit separator: a cell cannot hold it, because control characters mark binary files.
_NO_DELIMITER = "\x1f"

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_LINE_END = re.compile(r"\r\n|\r|\n")
# What Excel reads and writes in the first line to say what separates the cells.
_DECLARED = re.compile(r"sep=([\t,;])", re.IGNORECASE)
_WORD = re.compile(r'"((?:[^"]|"")*)"(?=\s|$)|(\S+)')
_FLAGS = re.ASCII | re.IGNORECASE
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?", _FLAGS)
_WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?", re.ASCII)
_INT64 = np.iinfo(np.int64)
# Longer ones are no numbers; Python itself reads no integer of more than 4,300 digits.
_MAX_DIGITS = 1000

Row = tuple[int, list[str]]  # line number, cells


@dataclass(frozen=True)
class TextTable:
    r"""Cells by column, with the titles if there are any.

    Parameters
    ----------
    header : tuple of str or None
        One title per column, as given.
    columns : tuple of tuple of str
        All of one length, stripped.
    source : str
        The name to use in messages.
    delimiter : str or None, default=None
        ``"\t"``, ``","``, ``";"``, ``" "`` for runs of white space; `None` for one column.

    Examples
    --------
    >>> table = parse_delimited("index,name\n1,V1\n2,V2\n", source="atlas.csv")
    >>> table.n_rows, table.columns[1]
    (2, ('V1', 'V2'))
    """

    header: tuple[str, ...] | None
    columns: tuple[tuple[str, ...], ...]
    source: str
    delimiter: str | None = None

    @property
    def n_rows(self) -> int:
        """The number of rows below the header."""
        return len(self.columns[0]) if self.columns else 0

    @property
    def titles(self) -> tuple[str, ...]:
        """A title for each column: those of the header, or ``column 1`` where there is none."""
        given = self.header or ("",) * len(self.columns)
        return tuple(title or f"column {number}" for number, title in enumerate(given, start=1))


def read_delimited(path: Path) -> TextTable:
    """Read a file of delimited text; see `parse_delimited`."""
    return parse_delimited(read_text(path), source=str(path))


def parse_delimited(text: str, *, source: str) -> TextTable:
    r"""Return delimited text as a table.

    Comment lines (``#``) before the first row are skipped.  The first row is the header when
    it has text over a column of numbers, or when all of two or more columns are text; if it is
    not, the last comment line is, provided that it has one word per column.  A header that has
    no title for the first column, as R writes it over the names of rows, gets an empty one.

    Parameters
    ----------
    text : str
    source : str
        The name to use in messages.

    Returns
    -------
    TextTable

    Raises
    ------
    FileFormatError
        When there are no rows, or a row has more or fewer cells than the first.

    Examples
    --------
    >>> parse_delimited("# id name\n 7 V1\n20 V2\n", source="atlas.txt").header
    ('id', 'name')
    """
    head, lines = split_head(_LINE_END.split(text))
    declared = _DECLARED.fullmatch(lines[0]) if lines else None
    if declared is not None:
        head, lines = [*head, lines[0]], lines[1:]
    if not lines:
        raise FileFormatError(f"{source} is empty: it has no line other than blanks and comments.")
    delimiter = declared[1] if declared else _find_delimiter(lines[:_SAMPLE_LINES])
    given = list(_rows(lines, delimiter, len(head), source))
    if _has_row_names([cells for _, cells in given], delimiter):
        given[0][1].insert(0, "")
    rows = _rectangle(given, source)
    header = rows.pop(0) if _first_row_is_header(rows) else _commented_header(head, rows, delimiter)
    if not rows:
        raise FileFormatError(
            f"{source} has a header ({examples(header or ())}) and no rows below it."
        )
    return TextTable(
        header=None if header is None else tuple(header),
        columns=tuple(zip(*rows, strict=True)),
        source=source,
        delimiter=delimiter,
    )


def read_text(path: Path) -> str:
    """Return the text of a file: UTF-8, UTF-16 with its mark, else that of Windows or Latin-1.

    Raises
    ------
    InputMissingError, InputUnreadableError
        When there is no such file, or it may not be read.
    FileFormatError
        When the file is not text.
    """
    return decode(existing_file(path, "the table").read_bytes(), source=str(path))


def decode(data: bytes, *, source: str) -> str:
    """Return bytes as text: UTF-8, UTF-16 with its mark, else that of Windows or Latin-1.

    Raises
    ------
    FileFormatError
        When they are not text.
    """
    text = _decoded(data)
    control = None if text is None else _CONTROL.search(text)
    if text is None or control is not None:
        raise FileFormatError(
            f"{source} is not text: it looks binary. "
            "Save the table as text (TSV or CSV, not compressed, not a spreadsheet)."
        )
    return text


def split_head(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the blank and comment lines at the head, and the others without blanks at the end."""
    start = next((n for n, line in enumerate(lines) if _is_content(line)), len(lines))
    stop = len(lines)
    while stop > start and not lines[stop - 1].strip():
        stop -= 1
    return list(lines[:start]), list(lines[start:stop])


def is_missing(cell: str) -> bool:
    """Return whether a cell says that there is no value."""
    return cell.strip().lower() in MISSING


def is_number(cell: str) -> bool:
    """Return whether a cell is a number: decimal, in powers of ten, or infinite."""
    return len(cell) <= _MAX_DIGITS and _NUMBER.fullmatch(cell.strip()) is not None


def parse_number(cell: str, *, decimal_comma: bool = False) -> int | float | None:
    """Return a cell as a number, `None` when it is missing.

    Parameters
    ----------
    cell : str
    decimal_comma : bool, default=False
        Whether ``0,5`` is a half, as in tables separated by semicolons.

    Raises
    ------
    FileFormatError
        When it is neither.

    Examples
    --------
    >>> parse_number("9007199254740993"), parse_number("3.0"), parse_number("n/a")
    (9007199254740993, 3.0, None)
    """
    text = cell.strip()
    if decimal_comma and text.count(",") == 1:
        text = text.replace(",", ".")
    if is_missing(text):
        return None
    if not is_number(text):
        raise FileFormatError(f"{cell!r} is not a number.")
    # Through int() first: a float cannot hold integers beyond 2**53.
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def parse_number_column(
    cells: Iterable[str], *, decimal_comma: bool = False
) -> tuple[int | float | None, ...] | None:
    """Return the cells as numbers, or `None` when they are not all numbers.

    All are integers or all are floats; missing cells are `None`.  Cells that are all missing
    are no numbers.
    """
    try:
        numbers = [parse_number(cell, decimal_comma=decimal_comma) for cell in cells]
    except FileFormatError:
        return None
    if all(number is None for number in numbers):
        return None
    if any(isinstance(number, float) for number in numbers):
        return tuple(None if number is None else float(number) for number in numbers)
    return tuple(numbers)


def parse_integer(cell: str) -> int | None:
    """Return a cell as an integer, exact at any size, or `None` when it is none.

    >>> parse_integer(" 3.0 "), parse_integer("9007199254740993"), parse_integer("3.5")
    (3, 9007199254740993, None)
    """
    text = cell.strip()
    whole = _WHOLE.fullmatch(text)
    if whole is not None and len(text) <= _MAX_DIGITS:
        return int(whole[1])
    number = float(text) if is_number(text) else math.nan
    # Digits of larger numbers may have been lost before they were written like this.
    return int(number) if number.is_integer() and abs(number) < EXACT else None


def parse_integer_column(cells: Iterable[str]) -> NDArray[np.int64] | None:
    """Return the cells as integers, or `None` when one is missing, fractional or not a number."""
    integers = [parse_integer(cell) for cell in cells]
    # A second list, because a comprehension tells the type checker what `all` cannot.
    fitting = [n for n in integers if n is not None and _INT64.min <= n <= _INT64.max]
    if not fitting or len(fitting) < len(integers):
        return None
    return np.array(fitting, dtype=np.int64)


def _decoded(data: bytes) -> str | None:
    mark = next((mark for mark in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    # Windows' has quotes and dashes where Latin-1 has control characters.  Every byte is a
    # character in Latin-1, so that is right or at least readable.
    encodings = ("utf-8", "cp1252", "latin-1") if mark is None else (_BYTE_ORDER_MARKS[mark],)
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _is_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _find_delimiter(lines: Sequence[str]) -> str | None:
    """Return what separates the cells.

    A tab or a semicolon is hardly ever part of a name, a comma often is: hence the order.
    A delimiter that gives all rows one number of cells is right; else the one that is in the
    first line and in most lines is meant, and the caller will find the row that is at fault.
    """
    if _is_common("\t", lines):
        return "\t"
    for delimiter in ";,":
        if _is_regular(lines, delimiter):
            return delimiter
    for delimiter in ",;":
        if _is_common(delimiter, lines):
            return delimiter
    for delimiter in ("\t", ";", ",", WHITE_SPACE):
        if _lack_a_title(lines, delimiter):
            return delimiter
    return WHITE_SPACE if _is_spaced(lines) else None


def _lack_a_title(lines: Sequence[str], delimiter: str) -> bool:
    try:
        return _has_row_names([cells for _, cells in _rows(lines, delimiter, 0, "")], delimiter)
    except FileFormatError:
        return False


def _has_row_names(rows: Sequence[Sequence[str]], delimiter: str | None) -> bool:
    """Return whether the first row has titles for all columns but the first, as R writes it.

    The first column then has to count the rows, or to stand before nothing but numbers: other
    rows may hold a name of two words, or lack the last title.
    """
    header, below = rows[0], rows[1:]
    if not below or any(len(row) != len(header) + 1 for row in below):
        return False
    names, *columns = zip(*below, strict=True)
    is_wrong = any(not title or is_number(title) for title in header) or not any(columns[-1])
    if is_wrong or len(set(names)) < len(names) or not all(map(_may_be_titled, header, columns)):
        return False
    counts = len(header) > 1 and names == tuple(map(str, range(1, len(names) + 1)))
    are_numbers = all(map(_are_numbers, columns)) and not any(map(is_missing, names))
    return counts or are_numbers or (delimiter == "\t" and len(header) > 1)


def _may_be_titled(title: str, cells: Sequence[str]) -> bool:
    """Return whether cells may be what a title such as ``index`` or ``name`` says."""
    normal = normal_title(title)
    if normal in NAME_TITLES:
        return parse_integer_column(cells) is not None or not _are_numbers(cells)
    return normal not in KNOWN_TITLES or _are_numbers(cells)


def _is_common(delimiter: str, lines: Sequence[str]) -> bool:
    n_lines = sum(delimiter in line.strip(" ") for line in lines)
    return delimiter in lines[0] and 2 * n_lines > len(lines)


def _is_regular(lines: Sequence[str], delimiter: str) -> bool:
    try:
        counts = {len(cells) for _, cells in _rows(lines, delimiter, 0, "")}
    except FileFormatError:
        return False
    return len(counts) == 1 and counts != {1}


def _is_spaced(lines: Sequence[str]) -> bool:
    """Return whether white space separates cells, and not only the words of a name.

    It does where one word of each row is a number in one place; a rectangle of words alone
    may as well be a list of names such as ``Left Frontal Pole``.
    """
    rows = [cells for _, cells in _rows(lines, WHITE_SPACE, 0, "")]
    below = rows[1:] or rows
    if len({len(row) for row in rows}) == 1:
        return len(rows[0]) > 1 and any(_are_numbers(c) for c in zip(*below, strict=True))
    return all(_are_numbers(row) for row in below) and any(len(row) > 1 for row in below)


def _rows(lines: Sequence[str], delimiter: str | None, n_before: int, source: str) -> Iterator[Row]:
    """Yield the rows with their line numbers, blank lines left out unless they are cells."""
    if delimiter == WHITE_SPACE:
        yield from _spaced_rows(lines, n_before)
        return
    reader = csv.reader(
        (line + "\n" for line in lines),
        delimiter=delimiter or _NO_DELIMITER,
        skipinitialspace=True,
        strict=True,
    )
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped) or len(stripped) > 1:
                yield n_before + reader.line_num, stripped
            elif delimiter is None:  # the missing value of a column that is alone
                yield n_before + reader.line_num, [""]
    except csv.Error as error:
        raise FileFormatError(
            f"{source}, line {n_before + reader.line_num}: the quotes do not pair up ({error}). "
            "Quote whole cells, and double the quotes inside them."
        ) from None


def _spaced_rows(lines: Sequence[str], n_before: int) -> Iterator[Row]:
    for number, line in enumerate(lines, start=n_before + 1):
        words = _words(line)
        if words:
            yield number, words


def _words(line: str) -> list[str]:
    found = _WORD.finditer(line)
    return [
        match[2] if match[1] is None else match[1].replace('""', '"').strip() for match in found
    ]


def _rectangle(rows: Iterable[Row], source: str) -> list[list[str]]:
    """Return the rows, all as long as the first; empty cells beyond that are dropped."""
    table: list[list[str]] = []
    for number, cells in rows:
        width = len(table[0]) if table else len(cells)
        if len(cells) < width or any(cells[width:]):
            raise FileFormatError(
                f"{source}, line {number}: {plural(len(cells), 'cell')} where the first row "
                f"has {width:,} ({examples(cells)}). "
                "Give every row as many cells, and quote cells that hold the delimiter."
            )
        table.append(cells[:width])
    # Spreadsheets write rows that were emptied; a column that is alone ends in missing values.
    while table and len(table[-1]) > 1 and not any(table[-1]):
        table.pop()
    return table


def _first_row_is_header(rows: Sequence[Sequence[str]]) -> bool:
    first, below = rows[0], rows[1 : _SAMPLE_LINES + 1]
    if _is_header_of_index(first, rows[1:]) or _begins_with_title(first, below):
        return True
    if any(is_number(cell) for cell in first):
        return _is_mixed_header(first, below)
    columns = zip(first, zip(*below, strict=True), strict=False)
    over_numbers = [title for title, column in columns if _are_numbers(column)]
    if over_numbers:
        # "n/a" over nothing but numbers is one more number that is missing.
        return not all(title and is_missing(title) for title in over_numbers)
    return len(first) > 1 and len(set(first)) == len(first)


def _is_header_of_index(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a row is a header as pandas writes it: nothing over names or integers."""
    if len(first) < 2 or first[0] or not all(first[1:]) or not below:
        return False
    return not any(is_missing(row[0]) for row in below) and all(
        parse_integer(row[0]) is not None or not is_number(row[0]) for row in below
    )


def _begins_with_title(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a row begins with a title of names or labels, over numbers or not.

    ``Area 3``, ``Area 1``, … have no header.
    """
    is_title = len(first) > 1 and normal_title(first[0]) in KNOWN_TITLES
    return is_title and not any(row[0] == first[0] for row in below)


def _is_mixed_header(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a row with a number is a header: text stands over numbers in it.

    Such are wide tables whose regions are called by their labels, beside a named column.
    """
    columns = zip(first, zip(*below, strict=True), strict=False)
    return any(
        not is_number(title) and not is_missing(title) and _are_numbers(column)
        for title, column in columns
    )


def _are_numbers(cells: Sequence[str]) -> bool:
    return any(is_number(cell) for cell in cells) and all(
        is_number(cell) or is_missing(cell) for cell in cells
    )


def _commented_header(
    head: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str | None
) -> list[str] | None:
    """Return the titles in the last comment line, if there is one for each column."""
    if not head or not head[-1].strip() or len(rows[0]) < 2:
        return None
    comment = head[-1].strip()
    # First without its sign (``# id name``), then with it (``#  name`` under a title "#").
    for line in (comment.lstrip("#").strip(), comment):
        for _, cells in _rows([line], delimiter, 0, ""):
            if len(cells) == len(rows[0]) and all(cells) and len(set(cells)) == len(cells):
                return cells
    return None
