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
from .cells import are_distinct, is_number, parse_integer_column, parse_number_column
from .text import WHITE_SPACE, TextTable, is_content, split_head
from .titles import is_known_title, label_rank, normal_title

Record = dict[str, Any]

# Headings of a list of names, whatever stands in it, beside the titles of columns.
_LIST_TITLES = frozenset(["names", "labels", "regions", "rois", "parcels", "structures"])
# RegionTable itself has columns with these titles.
_OWN_TITLES = frozenset(["index", "label", "name"])

# id, then a name after white space or punctuation.
_ID_AND_NAME = re.compile(r"(-?\d+)\s*(?:[\t :;,=]|[.)]\s)\s*(.*)")
_INTEGER = re.compile(r"-?\d+")
_COMMENT = re.compile(r"\s#.*")
_QUOTED = re.compile(r"[\"“](.*)[\"”]")
_MARKED = re.compile(r"\w[_.-]\w")
_MARK_OF_TABLE = re.compile('[\t"]')

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
    for line in filter(is_content, lines):
        record = read_line(line.strip())
        if record is None:
            return None
        records.append(record)
    return records


def _are_digits(words: Iterable[str]) -> bool:
    # Not `isdigit`, which takes "²"; and Python reads no integer of thousands of digits.
    return all(word.isdecimal() and len(word) <= 1000 for word in words)


def _itk_snap(lines: Sequence[str]) -> list[Record] | None:
    """Read ITK-SNAP's label descriptions: ``id R G B A VIS MSH "name"``."""

    def read_line(line: str) -> Record | None:
        words = line.split(None, 7)
        if len(words) < 8 or not _are_digits([words[0].removeprefix("-"), *words[1:4]]):
            return None
        name = _QUOTED.fullmatch(words[7])
        if name is None or words[5] not in "01" or words[6] not in "01":
            return None
        return {"index": int(words[0]), "name": name[1].strip(), "color": _color(words[1:4])}

    return _read(lines, read_line)


def _freesurfer(lines: Sequence[str]) -> list[Record] | None:
    """Read FreeSurfer's colour table, with tissue classes in all lines or in none.

    The transparency may be left out, also of all lines.
    """
    filled = [_COMMENT.sub("", line).strip() for line in lines if is_content(line)]
    records = _classed(filled)
    if records is None:
        # A name that ends in a number looks like one before a colour with transparency.
        n_opaque = sum(_with_transparency(line) is None for line in filled)
        is_opaque = 2 * n_opaque > len(filled)
        records = _read(filled, _opaque if is_opaque else _with_transparency)
    return _with_short_names(records) if records else None


def _classed(lines: Sequence[str]) -> list[Record] | None:
    """Return the records of lines that end in a tissue class, None where these may be others.

    A line does not tell a tissue class from a name that ends in a number.  So the classes may not
    all be 0, as transparencies are, and names have to differ without such a number.
    """
    records = _read(lines, _with_tissue_class) or []
    classes = [record.pop("class") for record in records]
    names = [record["name"] for record in records]
    return records if any(classes) and are_distinct(names) else None


def _with_transparency(line: str) -> Record | None:
    """Read ``id name R G B A``, where the name may hold spaces."""
    words = line.rsplit(None, 4)
    if len(words) < 5 or not _are_digits(words[1:]):
        return None
    return _named_color(words[0], words[1:4])


def _opaque(line: str) -> Record | None:
    """Read ``id name R G B``, where the colours are bytes."""
    words = line.rsplit(None, 3)
    if len(words) < 4 or not _are_digits(words[1:]) or max(map(int, words[1:])) > 255:
        return None
    return _named_color(words[0], words[1:])


def _with_tissue_class(line: str) -> Record | None:
    """Read ``id name R G B A class``, where the name is a word."""
    words = line.split()
    if len(words) != 7 or not _are_digits([*words[2:6], words[6].removeprefix("-")]):
        return None
    record = _named_color(" ".join(words[:2]), words[2:5])
    return None if record is None else {**record, "class": int(words[6])}


def _named_color(id_and_name: str, channels: Sequence[str]) -> Record | None:
    words = id_and_name.split(None, 1)
    if len(words) < 2 or not _are_digits(words[:1]):
        return None
    return {"index": int(words[0]), "name": words[1], "color": _color(channels)}


def _with_short_names(records: list[Record]) -> list[Record]:
    """Return records with the first of two words as a column, as MRtrix writes it.

    Words that stand in two rows belong to a name, as ``Left`` does, and full names of one word
    mostly have marks within, as ``Precentral_L`` has.
    """
    words = [record["name"].split() for record in records]
    if len(words) < 2 or set(map(len, words)) != {2}:
        return records
    short_names, names = zip(*words, strict=True)
    n_marked = sum(map(bool, map(_MARKED.search, names)))
    if not are_distinct(short_names) or not are_distinct(names) or 2 * n_marked < len(names):
        return records
    for record, short_name, name in zip(records, short_names, names, strict=True):
        record.update(name=name, short_name=short_name)
    return records


def _fsleyes(lines: Sequence[str]) -> list[Record] | None:
    """Read a lookup table of FSLeyes: ``id R G B name``, colours up to 1."""

    def read_line(line: str) -> Record | None:
        words = line.split(None, 4)
        if len(words) < 5 or not _are_digits(words[:1]) or not all(map(is_number, words[1:4])):
            return None
        channels = [float(word) for word in words[1:4]]
        if min(channels) < 0 or max(channels) > 1:
            return None
        return {"index": int(words[0]), "name": words[4], "color": hex_color(channels)}

    # Whole numbers alone may be any columns of 0 and 1.
    if not any("." in word for line in lines for word in line.split(None, 4)[1:4]):
        return None
    return _read(lines, read_line)


def _workbench(lines: Sequence[str]) -> list[Record] | None:
    """Read lines in pairs: a name, then ``key R G B A``."""
    filled = [line.strip() for line in lines if line.strip()]
    if len(filled) % 2:
        return None
    records = []
    for name, key in zip(filled[::2], filled[1::2], strict=True):
        words = key.split()
        if len(words) != 5 or not _are_digits(word.removeprefix("-") for word in words):
            return None
        records.append({"index": int(words[0]), "name": name, "color": _color(words[1:4])})
    return records


def _color(channels: Sequence[str]) -> str | None:
    """Return red, green and blue, each up to 255, as ``#rrggbb``."""
    return hex_color([int(channel) / 255 for channel in channels])


# --- lists ---------------------------------------------------------------------------------------


def listed_records(lines: Sequence[str]) -> list[Record] | None:
    """Return the records of lines with a label and a name, perhaps under a line of titles."""
    rows = split_head(lines)[1]
    first = rows[0].strip()
    has_titles = _listed(first) is None and _is_heading(first.split()[0])
    return _read(rows[has_titles:], _listed)


def _listed(line: str) -> Record | None:
    parts = _ID_AND_NAME.fullmatch(line)
    if parts is None or not parts[2]:
        return None
    return {"index": int(parts[1]), "name": parts[2].strip('"')}


def spaced_records(rows: Sequence[str]) -> list[Record] | None:
    """Return the records of lines of a label, spaces and a name, or the other way round.

    Names may hold commas and numbers.  Lines with cells of other numbers are a table.
    """
    if not rows or any(map(_MARK_OF_TABLE.search, rows)):
        return None
    has_titles = _is_heading(rows[0].split()[0])
    body = list(filter(is_content, rows[has_titles:]))
    if has_titles and not _are_of_a_list(rows[0], body):
        return None
    records = _read(body, _id_and_words)
    if records is None and not has_titles:
        records = _named_first(body)
    if not records or _have_cells(records):
        return None
    return records


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
    if len(words) < 2 or not _INTEGER.fullmatch(words[1]):
        return None
    name = words[0]
    if name[0].isdigit() or "," in name or ";" in name:
        return None
    return {"index": int(words[1]), "name": name}


def _are_of_a_list(titles: str, lines: Sequence[str]) -> bool:
    """Return whether two titles stand over labels and names, though a name may be two words.

    Over three words a line they may as well be R's titles of a table, which leave out the names of
    rows at the front.  Then one that says labels stands over integers, one place further on.
    """
    if len(titles.split()) != 2:
        return False
    words = [line.split() for line in lines]
    if set(map(len, words)) != {3}:
        return True
    _, *columns = zip(*words, strict=True)
    for title, cells in zip(titles.split(), columns, strict=True):
        if label_rank(title) and parse_integer_column(cells) is not None:
            return False
    return True


def tell_apart(records: Sequence[Record]) -> bool:
    """Return whether labels and names are all different; else numbers belong to the names."""
    labels = [record["index"] for record in records]
    names = [record["name"] for record in records]
    return are_distinct(labels) and are_distinct(names)


def _have_cells(records: Sequence[Record]) -> bool:
    """Return whether the names of a list are rather cells of a table: numbers, or none of text."""
    words = [record["name"].split() for record in records]
    columns = list(zip(*words, strict=False))
    if have_numbers(columns[:1]) or _are_names_and_numbers(words):
        return True
    for column in columns:
        # Integers within names, such as "Area 3", are no cells.
        if all(is_number(word) and "." in word for word in column):
            return True
    return not all(any(map(str.isalpha, record["name"])) for record in records)


def _are_names_and_numbers(words: Sequence[Sequence[str]]) -> bool:
    """Return whether rows hold a word and an integer, both different in all, as in AAL's."""
    if len(words) < 2 or set(map(len, words)) != {2}:
        return False
    names, numbers = zip(*words, strict=True)
    integers = parse_integer_column(numbers)
    return integers is not None and are_distinct(names) and are_distinct(integers.tolist())


def may_be_names_alone(table: TextTable, lines: Sequence[str]) -> bool:
    """Return whether lines may be nothing but names, though names may end in numbers."""
    rows = split_head(lines)[1]
    n_numbered = sum(_ID_AND_NAME.match(row.lstrip()) is not None for row in rows)
    if 2 * n_numbered > len(rows):
        return False
    if table.delimiter == WHITE_SPACE and table.header is None:
        records = _read(rows, _words_and_id)
        if records is not None and not tell_apart(records):
            return True
    return not have_numbers(table.columns)


def have_numbers(columns: Sequence[Sequence[str]]) -> bool:
    """Return whether any of these columns are numbers."""
    return any(parse_number_column(column) is not None for column in columns)


def starts_with_title(lines: Iterable[str]) -> bool:
    """Return whether the first line begins with a title of names or labels, not with a region."""
    return _is_heading(split_head(list(lines))[1][0])


def _is_heading(text: str) -> bool:
    cells = re.split(r"[\t,;]", text)
    return any(is_known_title(cell) or normal_title(cell) in _LIST_TITLES for cell in cells)


def renamed(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return other columns under titles that those of labels and names do not have."""
    return {f"{t}_in_table" if t in _OWN_TITLES else t: cells for t, cells in columns.items()}
