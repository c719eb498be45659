"""Regions one by one, from text that is no table: colour tables and lists.

A *record* is a region as a mapping of titles to values; ``index`` (the label) and ``name`` are
always there.  Each reader takes the lines of a file and returns its records, or None where the
lines are of another kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..atlas.region_table import KNOWN_TITLES, NO_ID, hex_color, id_rank, normal_title
from .text import (
    WHITE_SPACE,
    TextTable,
    is_number,
    parse_integer_column,
    parse_number_column,
    split_head,
)

Record = dict[str, Any]

# Headings of a list of names, whatever stands in it.
_LIST_TITLES = frozenset(
    [*KNOWN_TITLES, "names", "labels", "regions", "rois", "parcels", "structures"]
)
# RegionTable itself has columns with these titles.
_OWN_TITLES = frozenset(["index", "name"])

# id, then a name after white space or punctuation.
_ID_AND_NAME = re.compile(r"\s*(-?\d+)\s*(?:[\t :;,=]|[.)]\s)\s*(.*\S)\s*")
# The same with nothing but spaces between, and the other way round: names are words, then.
_ID_SPACE_NAME = re.compile(r" *(-?\d+) +([^\s,;:=].*?) *")
_NAME_SPACE_ID = re.compile(r" *([^\s\d,;][^,;]*?) +(-?\d+) *")
_BEGINS_WITH_ID = re.compile(r"\s*-?\d+(?:[\s,;:=]|[.)]\s)")
_COMMENT = re.compile(r"\s#.*")
# id R G B A VIS MSH "name"
_ITK_SNAP = re.compile(
    r"\s*(-?\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+[\d.]+\s+[01]\s+[01]\s+[\"“](.*)[\"”]\s*"
)
# id name R G B A, where names may hold spaces; and the same with a tissue class at the end.
_FREESURFER = re.compile(r"\s*(\d+)\s+(\S.*?)\s+(\d+)\s+(\d+)\s+(\d+)\s+\d+\s*")
_BYTE = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
_FREESURFER_OPAQUE = re.compile(
    r"\s*(\d+)\s+(\S.*?)\s+"
    rf"{_BYTE}\s+{_BYTE}\s+{_BYTE}\s*"
)
_FREESURFER_TISSUE = re.compile(r"\s*(\d+)\s+(\S+)\s+(\d+)\s+(\d+)\s+(\d+)\s+\d+\s+(-?\d)\s*")
_MARKED = re.compile(r"\w[_.-]\w")
# id R G B name, with colours up to 1
_FRACTION = r"([01](?:\.\d*)?|\.\d+)"
_FSLEYES = re.compile(rf"\s*(\d+)\s+{_FRACTION}\s+{_FRACTION}\s+{_FRACTION}\s+(\S.*?)\s*")
_WORKBENCH_KEY = re.compile(r"\s*(-?\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+\d+\s*")


def _matched(
    lines: Iterable[str],
    patterns: Sequence[re.Pattern[str]],
    record: Callable[[re.Match[str]], Record],
) -> list[Record] | None:
    """Return a record per line that is no comment, or None if one does not fit the patterns."""
    records = []
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = next(filter(None, (pattern.fullmatch(line) for pattern in patterns)), None)
        if match is None:
            return None
        records.append(record(match))
    return records


def itk_snap_records(lines: Iterable[str]) -> list[Record] | None:
    """Return the records of label descriptions of ITK-SNAP."""
    return _matched(
        lines,
        [_ITK_SNAP],
        lambda m: {"index": int(m[1]), "name": m[5].strip(), "color": _color(m[2], m[3], m[4])},
    )


def freesurfer_records(lines: Sequence[str]) -> list[Record] | None:
    """Return the records of FreeSurfer's colour table, with tissue classes in all lines or in none.

    The transparency may be left out, also of all lines.  A line does not tell a tissue class from a
    name that ends in a number.
    """
    plain = [_COMMENT.sub("", line) for line in lines]
    classed = _matched(plain, [_FREESURFER_TISSUE], lambda m: {"name": m[2], "class": int(m[6])})
    if classed and len({row["name"] for row in classed}) == len(classed):
        has_classes = any(row["class"] for row in classed)
    else:
        has_classes = False
    pattern = _FREESURFER_TISSUE if has_classes else _FREESURFER
    # A name that ends in a number looks like one before a colour with transparency.
    if 2 * sum(map(bool, map(pattern.fullmatch, plain))) < sum(map(bool, map(str.strip, plain))):
        pattern = _FREESURFER_OPAQUE
    records = _matched(
        plain,
        [pattern],
        lambda m: {"index": int(m[1]), "name": m[2], "color": _color(m[3], m[4], m[5])},
    )
    return None if records is None else _with_short_names(records)


def _with_short_names(records: list[Record]) -> list[Record]:
    """Return records with the first of two words as a column, as MRtrix writes it.

    Words that stand in two rows belong to a name, as ``Left`` does, and full names of one word
    mostly have marks within, as ``Precentral_L`` has.
    """
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


def fsleyes_records(lines: Sequence[str]) -> list[Record] | None:
    """Return the records of a lookup table of FSLeyes: ``id R G B name``, colours up to 1."""
    if not any("." in word for line in lines for word in line.split()[1:4]):
        return None
    return _matched(
        lines,
        [_FSLEYES],
        lambda m: {
            "index": int(m[1]),
            "name": m[5],
            "color": hex_color([float(channel) for channel in (m[2], m[3], m[4])]),
        },
    )


def workbench_records(lines: Iterable[str]) -> list[Record] | None:
    """Return the records of lines in pairs: a name, then ``key R G B A``."""
    filled = [line for line in lines if line.strip()]
    keys = [_WORKBENCH_KEY.fullmatch(line) for line in filled[1::2]]
    if len(filled) % 2 or not all(keys):
        return None
    return [
        {"index": int(key[1]), "name": name.strip(), "color": _color(key[2], key[3], key[4])}
        for name, key in zip(filled[::2], keys, strict=True)
        if key is not None
    ]


def listed_records(lines: Sequence[str]) -> list[Record] | None:
    """Return the records of lines with a label and a name, perhaps under a line of titles."""
    rows = split_head(lines)[1]
    has_titles = _ID_AND_NAME.fullmatch(rows[0]) is None and starts_with_title(rows[0].split())
    return _matched(
        rows[1:] if has_titles else rows,
        [_ID_AND_NAME],
        lambda m: {"index": int(m[1]), "name": m[2].strip('"')},
    )


def _color(*channels: str) -> str:
    """Return red, green and blue, each up to 255, as ``#rrggbb``."""
    return hex_color([int(channel) / 255 for channel in channels])


def spaced_records(rows: Sequence[str]) -> list[Record] | None:
    """Return the records of lines of a label, spaces and a name, or the other way round.

    Names may hold commas and numbers.  Lines with cells of other numbers are a table.
    """
    has_titles = bool(rows) and starts_with_title(rows[0].split())
    body = [row for row in rows[has_titles:] if row.strip() and not row.lstrip().startswith("#")]
    if not body or any(mark in row for row in rows for mark in '\t"'):
        return None
    if has_titles and (len(rows[0].split()) != 2 or _have_row_names(rows[0], body)):
        return None
    listed = _matched(body, [_ID_SPACE_NAME], lambda m: {"index": int(m[1]), "name": m[2]})
    if listed is None and not has_titles:
        listed = _matched(body, [_NAME_SPACE_ID], lambda m: {"index": int(m[2]), "name": m[1]})
        if listed and not tell_apart(listed):
            return None
    return None if listed is None or _have_cells(listed) else listed


def _have_row_names(titles: str, lines: Sequence[str]) -> bool:
    """Return whether lines have one word more than titles, and integers where these say labels.

    So does R write tables without quotes, with the names of the rows before them.
    """
    words = [line.split() for line in lines]
    if any(len(row) != 1 + len(titles.split()) for row in words):
        return False
    columns = zip(titles.split(), list(zip(*words, strict=True))[1:], strict=True)
    return any(
        id_rank(title) < NO_ID and parse_integer_column(cells) is not None
        for title, cells in columns
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
    n_numbered = sum(_BEGINS_WITH_ID.match(row) is not None for row in rows)
    if 2 * n_numbered > len(rows):
        return False
    if table.delimiter == WHITE_SPACE and table.header is None:
        ends = _matched(rows, [_NAME_SPACE_ID], lambda m: {"index": int(m[2]), "name": m[1]})
        if ends is not None and not tell_apart(ends):
            return True
    return not have_numbers(table.columns)


def have_numbers(columns: Sequence[Sequence[str]]) -> bool:
    """Return whether any of these columns are numbers."""
    return any(parse_number_column(column) is not None for column in columns)


def starts_with_title(lines: Iterable[str]) -> bool:
    """Return whether the first line begins with a title of names or labels, not with a region."""
    first = split_head(list(lines))[1][0]
    return any(normal_title(cell) in _LIST_TITLES for cell in re.split(r"[\t,;]", first))


def renamed(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return other columns under titles that those of labels and names do not have."""
    return {f"{t}_in_table" if t in _OWN_TITLES else t: cells for t, cells in columns.items()}
