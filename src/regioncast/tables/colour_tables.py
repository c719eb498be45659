"""Regions one by one, from text that is no table: colour tables and lists.

A *record* is a region as a mapping of titles to values; ``index`` (the label) and ``name`` are
always there.  Each reader takes the lines of a file and returns its records, or None where the
lines are of another kind.  Lines are taken apart word by word, in a time that grows with their
length.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..atlas.region_table import hex_color
from .cells import is_number, parse_integer_column, parse_number_column
from .text import WHITE_SPACE, TextTable, split_head
from .titles import is_known_title, label_rank, normal_title

Record = dict[str, Any]

# Headings of a list of names, whatever stands in it, beside the titles of columns.
_LIST_TITLES = frozenset(["names", "labels", "regions", "rois", "parcels", "structures"])
# RegionTable itself has columns with these titles.
_OWN_TITLES = frozenset(["index", "name"])

# id, then a name after white space or punctuation.
_ID_AND_NAME = re.compile(r"(-?\d+)\s*(?:[\t :;,=]|[.)]\s)\s*(.*)")
_INTEGER = re.compile(r"-?\d+")
_COMMENT = re.compile(r"\s#.*")
_QUOTED = re.compile(r"[\"“](.*)[\"”]")
_MARKED = re.compile(r"\w[_.-]\w")

LineReader = Callable[[str], Record | None]


def color_records(lines: Sequence[str]) -> list[Record] | None:
    """Return the records of a colour table of any program, or None where this is none."""
    for records_of in (_itk_snap, _freesurfer, _workbench, _fsleyes):
        records = records_of(lines)
        if records:
            return records
    return None


def _read(lines: Iterable[str], read_line: LineReader) -> list[Record] | None:
    """Return a record per line that is no comment, or None if one is of another kind."""
    records = []
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        record = read_line(text)
        if record is None:
            return None
        records.append(record)
    return records


def _itk_snap(lines: Sequence[str]) -> list[Record] | None:
    """Read ITK-SNAP's label descriptions: ``id R G B A VIS MSH "name"``."""

    def read_line(line: str) -> Record | None:
        words = line.split(None, 7)
        if len(words) < 8 or not all(map(str.isdigit, [*words[1:4], words[0].removeprefix("-")])):
            return None
        name = _QUOTED.fullmatch(words[7])
        if name is None or words[5] not in "01" or words[6] not in "01":
            return None
        return {"index": int(words[0]), "name": name[1].strip(), "color": _color(words[1:4])}

    return _read(lines, read_line)


def _freesurfer(lines: Sequence[str]) -> list[Record] | None:
    """Read FreeSurfer's colour table, with tissue classes in all lines or in none.

    The transparency may be left out, also of all lines.  A line does not tell a tissue class from a
    name that ends in a number.
    """
    plain = [_COMMENT.sub("", line) for line in lines]
    classed = _read(plain, _with_tissue_class)
    if classed and any(row["class"] for row in classed):
        names = [row["name"] for row in classed]
        if len(set(names)) == len(names):
            return _with_short_names([{**row, "class": None} for row in classed])
    # A name that ends in a number looks like one before a colour with transparency.
    filled = [line for line in plain if line.strip()]
    n_transparent = sum(_with_transparency(line.strip()) is not None for line in filled)
    read_line = _opaque if 2 * n_transparent < len(filled) else _with_transparency
    records = _read(plain, read_line)
    return None if records is None else _with_short_names(records)


def _with_transparency(line: str) -> Record | None:
    """Read ``id name R G B A``, where the name may hold spaces."""
    words = line.rsplit(None, 4)
    if len(words) < 5 or not all(map(str.isdigit, words[1:])):
        return None
    return _named_color(words[0], words[1:4])


def _opaque(line: str) -> Record | None:
    """Read ``id name R G B``, where the colours are bytes."""
    words = line.rsplit(None, 3)
    if len(words) < 4 or not all(word.isdigit() and int(word) < 256 for word in words[1:]):
        return None
    return _named_color(words[0], words[1:4])


def _with_tissue_class(line: str) -> Record | None:
    """Read ``id name R G B A class``, where the name is a word."""
    words = line.split(None, 7)
    if len(words) != 7 or not all(map(str.isdigit, words[2:6])):
        return None
    if not words[6].removeprefix("-").isdigit():
        return None
    record = _named_color(" ".join(words[:2]), words[2:5])
    return None if record is None else {**record, "class": int(words[6])}


def _named_color(id_and_name: str, channels: Sequence[str]) -> Record | None:
    words = id_and_name.split(None, 1)
    if len(words) < 2 or not words[0].isdigit():
        return None
    return {"index": int(words[0]), "name": words[1], "color": _color(channels)}


def _with_short_names(records: list[Record]) -> list[Record]:
    """Return records with the first of two words as a column, as MRtrix writes it.

    Words that stand in two rows belong to a name, as ``Left`` does, and full names of one word
    mostly have marks within, as ``Precentral_L`` has.
    """
    records = [{title: cell for title, cell in row.items() if title != "class"} for row in records]
    words = [row["name"].split() for row in records]
    if len(words) < 2 or any(len(pair) != 2 for pair in words):
        return records
    if any(len(set(column)) < len(column) for column in zip(*words, strict=True)):
        return records
    n_marked = sum(_MARKED.search(name) is not None for _, name in words)
    if 2 * n_marked < len(words):
        return records
    return [
        {**row, "name": name, "short_name": short}
        for row, (short, name) in zip(records, words, strict=True)
    ]


def _fsleyes(lines: Sequence[str]) -> list[Record] | None:
    """Read a lookup table of FSLeyes: ``id R G B name``, colours up to 1."""
    if not any("." in word for line in lines for word in line.split(None, 4)[1:4]):
        return None

    def read_line(line: str) -> Record | None:
        words = line.split(None, 4)
        if len(words) < 5 or not words[0].isdigit() or not all(map(is_number, words[1:4])):
            return None
        channels = [float(word) for word in words[1:4]]
        if not all(0 <= channel <= 1 for channel in channels):
            return None
        return {"index": int(words[0]), "name": words[4], "color": hex_color(channels)}

    return _read(lines, read_line)


def _workbench(lines: Sequence[str]) -> list[Record] | None:
    """Read lines in pairs: a name, then ``key R G B A``."""
    filled = [line.strip() for line in lines if line.strip()]
    if len(filled) % 2:
        return None
    records = []
    for name, key in zip(filled[::2], filled[1::2], strict=True):
        words = key.split()
        if len(words) != 5 or not all(word.removeprefix("-").isdigit() for word in words):
            return None
        records.append({"index": int(words[0]), "name": name, "color": _color(words[1:4])})
    return records


def _color(channels: Sequence[str]) -> str:
    """Return red, green and blue, each up to 255, as ``#rrggbb``."""
    return hex_color([int(channel) / 255 for channel in channels])


# --- lists ---------------------------------------------------------------------------------------


def listed_records(lines: Sequence[str]) -> list[Record] | None:
    """Return the records of lines with a label and a name, perhaps under a line of titles."""
    rows = split_head(lines)[1]
    has_titles = _ID_AND_NAME.fullmatch(rows[0].strip()) is None and starts_with_title(
        rows[0].split()
    )

    def read_line(line: str) -> Record | None:
        parts = _ID_AND_NAME.fullmatch(line)
        return {"index": int(parts[1]), "name": parts[2].strip('"')} if parts and parts[2] else None

    return _read(rows[has_titles:], read_line)


def spaced_records(rows: Sequence[str]) -> list[Record] | None:
    """Return the records of lines of a label, spaces and a name, or the other way round.

    Names may hold commas and numbers.  Lines with cells of other numbers are a table.
    """
    has_titles = bool(rows) and starts_with_title(rows[0].split())
    body = [row for row in rows[has_titles:] if row.strip() and not row.lstrip().startswith("#")]
    if not body or (has_titles and not _are_of_a_list(rows[0], body)):
        return None
    if any(mark in row for row in rows for mark in '\t"'):
        return None
    records = _read(body, _id_and_words)
    if records is None and not has_titles:
        records = _named_first(body)
    return None if records is None or _have_cells(records) else records


def _named_first(lines: Sequence[str]) -> list[Record] | None:
    records = _read(lines, _words_and_id)
    return records if records and tell_apart(records) else None


def _id_and_words(line: str) -> Record | None:
    words = line.split(None, 1)
    if len(words) < 2 or not _INTEGER.fullmatch(words[0]) or words[1][0] in ",;:=":
        return None
    return {"index": int(words[0]), "name": words[1]}


def _words_and_id(line: str) -> Record | None:
    words = line.rsplit(None, 1)
    is_named = len(words) == 2 and not words[0][0].isdigit() and not set(words[0]) & set(",;")
    if not is_named or not _INTEGER.fullmatch(words[1]):
        return None
    return {"index": int(words[1]), "name": words[0]}


def _are_of_a_list(titles: str, lines: Sequence[str]) -> bool:
    return len(titles.split()) == 2 and not _have_row_names(titles, lines)


def _have_row_names(titles: str, lines: Sequence[str]) -> bool:
    """Return whether lines have one word more than titles, and integers where these say labels.

    So does R write tables without quotes, with the names of the rows before them.
    """
    words = [line.split() for line in lines]
    if any(len(row) != 1 + len(titles.split()) for row in words):
        return False
    columns = zip(titles.split(), list(zip(*words, strict=True))[1:], strict=True)
    return any(
        label_rank(title) and parse_integer_column(cells) is not None for title, cells in columns
    )


def tell_apart(records: Sequence[Record]) -> bool:
    """Return whether labels and names are all different; else numbers belong to the names."""
    return all(len({row[title] for row in records}) == len(records) for title in ("index", "name"))


def _have_cells(records: Sequence[Record]) -> bool:
    """Return whether the names of a list are rather cells of a table: numbers, or none of text."""
    words = [row["name"].split() for row in records]
    if _are_names_and_numbers(words):
        return True
    n_words = min(map(len, words))
    columns = [[row[n] for row in words] for n in range(n_words)]
    fractions = [all(is_number(w) and "." in w for w in column) for column in columns]
    return (
        have_numbers(columns[:1])
        or any(fractions)
        or not all(any(map(str.isalpha, row["name"])) for row in records)
    )


def _are_names_and_numbers(words: Sequence[Sequence[str]]) -> bool:
    """Return whether rows hold a word and an integer, both different in all, as in AAL's."""
    if len(words) < 2 or any(len(row) != 2 for row in words):
        return False
    names, numbers = zip(*words, strict=True)
    integers = parse_integer_column(numbers)
    return integers is not None and len(words) == len(set(names)) == len(set(integers.tolist()))


def may_be_names_alone(table: TextTable, lines: Sequence[str]) -> bool:
    """Return whether lines may be nothing but names, though names may end in numbers."""
    rows = split_head(lines)[1]
    n_numbered = sum(_ID_AND_NAME.match(row.lstrip()) is not None for row in rows)
    if 2 * n_numbered > len(rows):
        return False
    if table.delimiter == WHITE_SPACE and table.header is None:
        ends = _read(rows, _words_and_id)
        if ends is not None and not tell_apart(ends):
            return True
    return not have_numbers(table.columns)


def have_numbers(columns: Sequence[Sequence[str]]) -> bool:
    """Return whether any of these columns are numbers."""
    return any(parse_number_column(column) is not None for column in columns)


def starts_with_title(lines: Iterable[str]) -> bool:
    """Return whether the first line begins with a title of names or labels, not with a region."""
    first = split_head(list(lines))[1][0]
    cells = re.split(r"[\t,;]", first)
    return any(is_known_title(cell) or normal_title(cell) in _LIST_TITLES for cell in cells)


def renamed(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return other columns under titles that those of labels and names do not have."""
    return {f"{t}_in_table" if t in _OWN_TITLES else t: cells for t, cells in columns.items()}
