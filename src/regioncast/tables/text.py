"""Delimited text to a rectangle of cells, with a header or without one.

A *cell* is a string without white space at its ends.  A *text table* is a rectangle of cells,
kept by column, with or without a *header* (one *title* per column).  What separates the cells
(tab, comma, semicolon or runs of white space) and how the text is encoded are found from the
content, because suffixes do not tell: many a ``.csv`` holds semicolons, and many a ``.txt`` tabs.

The first row is the header if it holds no number, or begins with a known title or with nothing.
Numbers may have decimal commas between semicolons, and between tabs where the table says so.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileFormatError, examples, plural
from ..files import existing_file, readable
from .cells import are_distinct, are_flags, is_missing, is_number
from .titles import is_known_title

WHITE_SPACE = " "

# The first rows tell the format; a table of time series can have very many.
_SAMPLE_LINES = 100

# The unit separator: a cell cannot hold it, because control characters mark binary files.
_NO_DELIMITER = "\x1f"

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
LINE_END = re.compile(r"\r\n|\r|\n")
# What Excel reads and writes in the first line to say what separates the cells.
_DECLARED = re.compile(r"sep=([\t,;])", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+", re.ASCII)
# What FreeSurfer writes before the titles of its statistics.
MARK_OF_TITLES = "ColHeaders "
_WORD = re.compile(r'"((?:[^"]|"")*)"(?=\s|$)|(\S+)')

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
    decimal_comma : bool, default=False
        Whether ``0,5`` is a half.

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
    decimal_comma: bool = False

    @property
    def n_rows(self) -> int:
        """The number of rows below the header."""
        return len(self.columns[0]) if self.columns else 0

    @property
    def titles(self) -> tuple[str, ...]:
        """A title for each column: those of the header, or ``column 1`` where there is none."""
        header = self.header or ("",) * len(self.columns)
        return tuple(title or f"column {number}" for number, title in enumerate(header, start=1))


def parse_delimited(text: str, *, source: str) -> TextTable:
    r"""Return delimited text as a table.

    Comment lines (``#``) before the first row are skipped.  Where the first row is no header, the
    last comment line is, provided that it has one word per column.  A header that has no title for
    the first column, as R writes it over the names of rows, gets an empty one.

    Raises `FileFormatError` when there are no rows, or a row has more or fewer cells than the
    first.

    Parameters
    ----------
    text : str
    source : str
        The name to use in messages.

    Examples
    --------
    >>> parse_delimited("# id name\n 7 V1\n20 V2\n", source="atlas.txt").header
    ('id', 'name')
    """
    head, lines = split_head(LINE_END.split(text))
    declared = _DECLARED.fullmatch(next(iter(lines), ""))
    if declared is None:
        delimiter = _find_delimiter(lines[:_SAMPLE_LINES])
    else:
        delimiter = declared[1]
        head.append(lines.pop(0))
    numbered_rows = list(_rows(lines, delimiter, len(head), source))
    if not any(any(cells) for _, cells in numbered_rows):
        raise FileFormatError(f"{source} is empty: it has no line other than blanks and comments.")
    rows = _rectangle(numbered_rows, delimiter, source)
    header = _commented_header(head, rows, delimiter)
    decimal_comma = _have_decimal_commas(rows, delimiter)
    if _first_row_is_header(rows[: _SAMPLE_LINES + 1], delimiter, decimal_comma=decimal_comma):
        header = rows.pop(0)
        if not rows:
            raise FileFormatError(
                f"{source} has a header ({examples(header)}) and no rows below it."
            )
    return TextTable(
        header=None if header is None else tuple(header),
        columns=tuple(zip(*rows, strict=True)),
        source=source,
        delimiter=delimiter,
        decimal_comma=decimal_comma,
    )


def read_text(path: Path) -> str:
    """Return the text of a file: UTF-8, UTF-16 with its mark, else that of Windows or Latin-1.

    Raises `InputMissingError`, `InputUnreadableError` when there is no such file, or it may not be
    read; `FileFormatError` when the file is not text.
    """
    return decode(read_bytes(path), source=str(path))


def read_bytes(path: Path) -> bytes:
    """Return what is in a file or comes from a pipe, of which it is read once; see `read_text`."""
    file = existing_file(path, "the table", may_be_pipe=True)
    with readable(f"the table {path}"):
        return file.read_bytes()


def decode(data: bytes, *, source: str) -> str:
    """Return bytes as text: UTF-8, UTF-16 with its mark, else that of Windows or Latin-1.

    Raises `FileFormatError` when they are not text.
    """
    # Windows' has quotes and dashes where Latin-1 has control characters.  Every byte is a
    # character in Latin-1, so that is right or at least readable.
    encodings = ["utf-8", "cp1252", "latin-1"]
    for mark, marked_encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            encodings = [marked_encoding]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text) is None:
            return text
        break
    raise FileFormatError(
        f"{source} is not text: it looks binary. "
        "Save the table as text (TSV or CSV, not compressed, not a spreadsheet)."
    )


def split_head(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the blank and comment lines at the head, and the others without blanks at the end."""
    start, stop = 0, len(lines)
    while start < stop and not is_content(lines[start]):
        start += 1
    while stop > start and not lines[stop - 1].strip():
        stop -= 1
    return list(lines[:start]), list(lines[start:stop])


def is_content(line: str) -> bool:
    """Return whether a line is neither blank nor a comment."""
    text = line.strip()
    return text != "" and not text.startswith("#")


# --- rows ----------------------------------------------------------------------------------------


def _find_delimiter(lines: Sequence[str]) -> str | None:
    """Return what separates the cells.

    A tab or a semicolon is hardly ever part of a name, a comma often is: hence the order.
    A delimiter that gives all rows one number of cells is right; else the one that is in the
    first line and in most lines is meant, and the caller will find the row that is at fault.
    """
    rules: list[tuple[Callable[[Sequence[str], str], bool], str]] = [
        (_is_common, "\t"),
        (_makes_columns, ";,"),
        (_is_common, ",;"),
        # A title too few keeps these rows from one number of cells.
        (_leaves_a_title_out, "\t;, "),
        (_is_between_cells, WHITE_SPACE),
    ]
    for is_meant, delimiters in rules:
        for delimiter in delimiters:
            if is_meant(lines, delimiter):
                return delimiter
    return None


def _sample(lines: Sequence[str], delimiter: str | None) -> list[list[str]]:
    """Return the cells of lines; none where their quotes do not pair up with this delimiter."""
    try:
        return [cells for _, cells in _rows(lines, delimiter, 0, "")]
    except FileFormatError:
        return []


def _is_common(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether a delimiter is in the first line and in most lines."""
    n_lines = sum(delimiter in line.strip(" ") for line in lines)
    return 2 * n_lines > len(lines) and delimiter in lines[0]


def _makes_columns(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether a delimiter gives all rows one number of cells, and more than one."""
    widths = set(map(len, _sample(lines, delimiter)))
    return len(widths) == 1 and widths != {1}


def _leaves_a_title_out(lines: Sequence[str], delimiter: str) -> bool:
    rows = _sample(lines, delimiter)
    return bool(rows) and _has_row_names(rows, delimiter)


def _is_between_cells(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether white space separates cells, and not only the words of a name.

    It does where one word of each row is a number in one place; a rectangle of words alone
    may as well be a list of names such as ``Left Frontal Pole``.
    """
    rows = _sample(lines, delimiter)
    below = rows[1:] or rows
    widths = set(map(len, rows))
    if len(widths) == 1:
        return widths != {1} and any(map(_are_numbers, zip(*below, strict=True)))
    return all(map(_are_numbers, below)) and max(map(len, below), default=0) > 1


def _rows(lines: Sequence[str], delimiter: str | None, n_before: int, source: str) -> Iterator[Row]:
    """Yield the rows with their line numbers, blank lines left out unless they are cells."""
    if delimiter == WHITE_SPACE:
        yield from _rows_of_words(lines, n_before)
        return
    reader = csv.reader(
        (line + "\n" for line in lines),
        delimiter=delimiter or _NO_DELIMITER,
        skipinitialspace=True,
        strict=True,
    )
    try:
        for row in reader:
            cells = [cell.strip() for cell in row] or [""]
            # In a column that is alone, a blank line is a missing value.
            if cells != [""] or delimiter is None:
                yield n_before + reader.line_num, cells
    except csv.Error as error:
        raise FileFormatError(
            f"{source}, line {n_before + reader.line_num}: the quotes do not pair up ({error}). "
            "Quote whole cells, and double the quotes inside them."
        ) from None


def _rows_of_words(lines: Sequence[str], n_before: int) -> Iterator[Row]:
    # `csv` knows delimiters of one character, and here any run of spaces and tabs is one.
    for number, line in enumerate(lines, start=n_before + 1):
        words = _WORD.findall(line)
        if words:
            yield number, [word or quoted.replace('""', '"').strip() for quoted, word in words]


def _rectangle(rows: Sequence[Row], delimiter: str | None, source: str) -> list[list[str]]:
    """Return the rows, all as long as the first; empty cells beyond that are dropped."""
    if _has_row_names([cells for _, cells in rows], delimiter):
        rows[0][1].insert(0, "")
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


def _have_decimal_commas(rows: Sequence[Sequence[str]], delimiter: str | None) -> bool:
    """Return whether numbers have decimal commas, as Excel writes them between tabs too.

    A comma may as well separate thousands, and beside points nobody knows.  A first row may be one
    of names.
    """
    if delimiter != "\t":
        return delimiter == ";"
    cells = [cell for row in rows[1:] for cell in row]
    with_comma = [cell for cell in cells if "," in cell]
    if all(map(_THOUSANDS.fullmatch, filter(_DECIMAL_COMMA.fullmatch, with_comma))):
        return False
    return not any("." in cell and is_number(cell) for cell in cells)


# --- the header ----------------------------------------------------------------------------------


def _has_row_names(rows: Sequence[Sequence[str]], delimiter: str | None) -> bool:
    """Return whether the first row has titles for all columns but the first, as R writes it.

    A header that begins with a known title begins with the first column, unless the rows are
    merely counted; what is then wrong is the number of cells.  With commas one title over two
    cells may as well be a decimal comma.
    """
    header, below = rows[0], rows[1:]
    if set(map(len, below)) != {len(header) + 1}:
        return False
    if not all(header) or any(map(is_number, header)):
        return False
    names = next(zip(*below, strict=True))
    is_spaced = delimiter in ("\t", WHITE_SPACE)
    if is_known_title(header[0]):
        counted = tuple(map(str, range(1, len(names) + 1)))
        return is_spaced and len(header) > 1 and names == counted
    if len(header) == 1 and not is_spaced:
        return False
    return are_distinct(names) and not any(map(is_missing, names))


def _first_row_is_header(
    rows: Sequence[Sequence[str]], delimiter: str | None, *, decimal_comma: bool
) -> bool:
    if decimal_comma:
        rows = [[cell.replace(",", ".") for cell in row] for row in rows]
    first, below = rows[0], rows[1:]
    if len(first) == 1:
        return _is_text_over_numbers(first, below)
    if not first[0] and all(first[1:]) and below:
        return True  # as pandas and R write it over the names of rows
    if is_known_title(first[0]):
        # "Area 3", "Area 1", … begin with a title and have no header.
        firsts = next(zip(*below, strict=True), ())
        return delimiter != WHITE_SPACE or first[0] not in firsts
    return _is_text_over_numbers(first, below)


def _is_text_over_numbers(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a row holds no number and stands over some, or is all of distinct text."""
    if any(map(is_number, first)):
        return False
    over_numbers = []
    for title, cells in zip(first, zip(*below, strict=True), strict=False):
        if are_flags([title]) and are_flags(cells):
            return False
        if _are_numbers(cells):
            over_numbers.append(title)
    if over_numbers:
        # "n/a" over nothing but numbers is one more number that is missing.
        is_a_number = all(over_numbers) and all(map(is_missing, over_numbers))
        return not is_a_number
    return len(first) > 1 and are_distinct(first)


def _are_numbers(cells: Sequence[str]) -> bool:
    """Return whether cells are numbers, or true or false, of which some may be missing."""
    if not any(map(is_number, cells)):
        return are_flags(cells)
    return all(is_number(cell) or is_missing(cell) for cell in cells)


def _commented_header(
    head: Sequence[str], rows: Sequence[Sequence[str]], delimiter: str | None
) -> list[str] | None:
    """Return the titles in the last comment line, if there is one for each column."""
    if not head or not head[-1].strip() or len(rows[0]) < 2:
        return None
    comment = head[-1].strip()
    # First without its sign (``# id name``), then with it (``#  name`` under a title "#").
    for line in (comment.lstrip("#").strip().removeprefix(MARK_OF_TITLES).strip(), comment):
        for cells in _sample([line], delimiter):
            if len(cells) == len(rows[0]) and all(cells) and are_distinct(cells):
                return cells
    return None
