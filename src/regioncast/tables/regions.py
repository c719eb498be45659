"""Region tables of every kind, read as `RegionTable`.

Atlases tell who their regions are in many ways: BIDS ``dseg.tsv`` and other tables with a
column of labels, FreeSurfer colour tables, ITK-SNAP label descriptions, label lists and label
tables of Connectome Workbench, XML of FSL and SPM, plain lists of names.  Which of these a
file is, its content decides; its suffix only says what may be guessed.

An *id column* holds the labels.  Titles alone do not tell which column that is (``label`` is
the number in one table and the name in the next), so its values must confirm it: integers,
each once.  Nor do values alone: ranks and volumes are integers too.  Where this leaves a
choice, the labels that the image holds make it; where they do not, it is an error and not a
guess.  Label 0 takes no part in such comparisons, as it is
nearly always the background, which some tables list and others do not.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..atlas.hemispheres import is_hemisphere_title, side_of_word
from ..atlas.no_region import names_background, names_no_region
from ..atlas.region_table import (
    EXACT,
    NAME_TITLES,
    RegionTable,
    id_rank,
    normal_title,
    numbers_other_things,
    range_problem,
)
from ..errors import RegionTableError, examples, plural
from ..formats import stem_of
from .colour_tables import (
    Record,
    freesurfer_records,
    fsleyes_records,
    have_numbers,
    itk_snap_records,
    listed_records,
    may_be_names_alone,
    renamed,
    spaced_records,
    starts_with_title,
    workbench_records,
)
from .frames import index_levels, titles_of_frame
from .keys import is_null
from .text import (
    WHITE_SPACE,
    is_number,
    parse_delimited,
    parse_integer,
    parse_integer_column,
    parse_number_column,
    read_text,
    split_head,
)
from .xml import label_table_records, n_covered, xml_records

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.int64]

Columns = list[tuple[str, list[Any]]]  # titles and cells, in the order of the file

# fmt: off
# Titles without case, spaces and punctuation.
_NEVER_NAMES = {
    "color", "colour", "hemi", "hemisphere", "side", "xyz", "mapping", "comment",
}
# fmt: on
# A column without a title, here and as pandas calls one.
_UNTITLED = re.compile(r"|column \d+|Unnamed: \d+")

_HEX_COLOR = re.compile(r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?")
_LEADING_ZERO = re.compile(r"[+-]?0\d+")
# SPM and CAT12 put an XML of the same name beside the image.
_TABLE_SUFFIXES = (".tsv", ".csv", ".txt", ".xml")
_NEEDED = (
    "A region table needs a column of integers, each once, with a title such as 'index', "
    "'label' or 'id'."
)


def read_region_table(
    source: object, *, labels: Labels | None = None, may_be_list: bool = True
) -> RegionTable:
    """Return a region table from a file, a mapping, a DataFrame or a list of names.

    All rows are kept, that of the background included.

    Parameters
    ----------
    source : path, mapping, DataFrame, sequence of str or RegionTable
        - A file: BIDS ``dseg.tsv``, CSV or TSV with a column of labels; a FreeSurfer colour
          table; an ITK-SNAP label description; a Workbench label list; XML of FSL, SPM or
          Workbench; or plain text with one name, or one label and name, a line.
        - A mapping of labels to names or of names to labels: integers are the labels.  Or of
          titles to columns.  Or a pandas Series, as a mapping, or as a list if its index counts.
        - A DataFrame of pandas, polars or pyarrow.
        - Names alone belong to the labels 1, 2, … (0, 1, … if the first is like ``Background``)
          or, if the image has other labels, but as many, to those in ascending order; a first
          name like ``Background`` is that of 0 in any case.
        - A `RegionTable`, which is returned as it is.
    labels : array of int64, shape (n_labels,), default=None
        The labels in the image, ascending; they decide what is otherwise open.
    may_be_list : bool, default=True
        Whether a file of text without labels is a list of names.

    Returns
    -------
    RegionTable
        With the other columns under their titles: numbers where all cells are numbers, else
        text; what is empty or ``n/a`` is `None`.  A column besides those of labels and names
        that is called ``index`` or ``name`` gets ``_in_table`` after its title.  Colours given
        as red, green and blue are one column ``color``, ``#rrggbb``.

    Raises
    ------
    RegionTableError
        When there is no column of labels, more than one, a label in two rows, or no row.
    FileFormatError
        When a file is empty, not text, or its rows differ in length.
    InputMissingError
        When there is no such file.

    Notes
    -----
    FSL counts the regions of a probabilistic atlas from 0, while its images of the most
    probable region hold that number plus one.  The numbering that covers more of `labels` is
    taken; if both cover as many, the number plus one, unless the file says that its type is
    ``Label``, whose numbers are those in the image.

    Examples
    --------
    >>> list(read_region_table({20: "V2", 7: "V1"}))
    [Region(label=7, name='V1'), Region(label=20, name='V2')]
    >>> read_region_table(["Background", "V1"]).labels
    array([0, 1])
    """
    if isinstance(source, RegionTable):
        return source
    if isinstance(source, str | os.PathLike):
        return _read_file(Path(source), labels, may_be_list=may_be_list)
    if isinstance(source, Mapping):
        return _from_mapping(source, labels)
    if isinstance(source, np.ndarray | list | tuple):
        return _from_sequence(source, labels)
    if isinstance(source, Iterable) and _is_series(source):
        index = [_value(cell) for cell in getattr(source, "index", ())]
        return _from_pairs(index, [_value(cell) for cell in source], labels, "Series")
    return _from_data_frame(source, labels)


def find_region_table(
    image_path: str | os.PathLike[str], *, suffixes: Sequence[str] = _TABLE_SUFFIXES
) -> Path | None:
    """Return the region table beside an image, if there is one.

    That is a file with the name of the image but one of `suffixes`, in their order; or else, by
    the inheritance of BIDS, the ``.tsv`` with the same suffix (such as ``dseg``) whose entities
    are all among those of the image, and most of them.

    Parameters
    ----------
    image_path : path
    suffixes : sequence of str, default=(".tsv", ".csv", ".txt", ".xml")

    Returns
    -------
    Path or None

    Raises
    ------
    RegionTableError
        When two tables are equally close.

    Examples
    --------
    >>> find_region_table("no/such/atlas_dseg.nii.gz") is None
    True
    """
    image = Path(image_path)
    stem = stem_of(image).removesuffix(".dseg")
    for suffix in suffixes:
        table = image.with_name(stem + suffix)
        if table.is_file():
            return table
    return _inherited_table(image, stem)


def region_table_from_label_table(xml: bytes | str, *, source: str = "label table") -> RegionTable:
    """Return the ``LabelTable`` of Connectome Workbench as a region table.

    A labels volume made by Workbench carries one in the header extension with code 30, whose
    bytes are ``extension.content`` in nibabel; GIFTI and CIFTI hold the same element.

    Parameters
    ----------
    xml : bytes or str
        May end with zero bytes.
    source : str, default="label table"
        The name to use in messages.

    Returns
    -------
    RegionTable
        With the column ``color``.

    Raises
    ------
    RegionTableError
        When there is no label table, or several that differ.
    FileFormatError
        When it is not XML.

    Examples
    --------
    >>> xml = '<LabelTable><Label Key="8" Red="1" Green="0.5" Blue="0">V1</Label></LabelTable>'
    >>> table = region_table_from_label_table(xml)
    >>> list(table), table.columns["color"]
    ([Region(label=8, name='V1')], ('#ff8000',))
    """
    return _from_records(label_table_records(xml, source), source)


# --- files -----------------------------------------------------------------------------------


def _read_file(path: Path, labels: Labels | None, *, may_be_list: bool) -> RegionTable:
    text = read_text(path)
    source = str(path)
    if text.lstrip().startswith("<"):
        # The bytes, because the XML declaration names their encoding.
        return _from_records(xml_records(path.read_bytes(), source, labels), source)
    lines = re.split(r"\r\n|\r|\n", text)
    for records_of in (itk_snap_records, freesurfer_records, workbench_records, fsleyes_records):
        records = records_of(lines)
        if records:
            return _from_records(records, source)
    may_be_list = may_be_list and path.suffix.lower() not in {".csv", ".tsv"}
    return _from_text(text, lines, source, labels, may_be_list=may_be_list)


def _from_text(
    text: str, lines: list[str], source: str, labels: Labels | None, *, may_be_list: bool
) -> RegionTable:
    """Read a table, or a list: of labels and names, or, if that may be, of names alone.

    A name of several words looks like several cells, so lists come first where nothing but
    white space separates.
    """
    records = spaced_records(split_head(lines)[1])
    if records:
        return _from_records(records, source)
    table = parse_delimited(text, source=source)
    is_titled = table.header is not None and len(table.columns) > 2
    is_plain = table.delimiter in {None, WHITE_SPACE} and not is_titled
    if is_plain and not have_numbers(table.columns[1:]):
        records = listed_records(lines)
        if records:
            return _from_records(records, source)
    columns: Columns = [
        (title, list(cells)) for title, cells in zip(table.titles, table.columns, strict=True)
    ]
    if may_be_list and may_be_names_alone(table, lines):
        if table.delimiter is None and starts_with_title(lines):
            return _from_names(columns[0][1][1:], source, labels)
        if not starts_with_title(lines):
            return _from_names([line.strip() for line in split_head(lines)[1]], source, labels)
    return _from_columns(columns, source, labels, has_header=table.header is not None)


def _from_records(records: Sequence[Record], source: str) -> RegionTable:
    """Return the table of records; a title that some lack is missing there."""
    if not records:
        raise RegionTableError(f"{source} lists no region.")
    titles = dict.fromkeys(title for record in records for title in record)
    columns = {title: [record.get(title) for record in records] for title in titles}
    ids = columns.pop("index")
    _check_range(ids, source)
    labels = np.array(ids, dtype=np.int64)
    names = _named(columns.pop("name"), labels)
    return _checked(source, labels, names, {t: _parsed(cells) for t, cells in columns.items()})


# --- Python objects --------------------------------------------------------------------------


def _from_mapping(source: Mapping[Any, Any], labels: Labels | None) -> RegionTable:
    if not source:
        raise RegionTableError("The mapping of labels and names is empty.")
    keys, values = list(source), list(source.values())
    if all(isinstance(value, list | tuple | np.ndarray) for value in values):
        columns = [(str(title), list(cells)) for title, cells in source.items()]
        return _from_columns(columns, "The mapping", labels)
    return _from_pairs(keys, values, labels, "mapping")


def _is_series(source: object) -> bool:
    """Return whether this is a pandas Series, whose index goes with its values."""
    index = getattr(source, "index", None)
    return hasattr(index, "get_level_values") and not hasattr(source, "columns")


def _from_pairs(
    keys: Sequence[Any], values: Sequence[Any], labels: Labels | None, kind: str
) -> RegionTable:
    key_labels, value_labels = _integers(keys), _integers(values)
    if all(map(_is_integer, keys)) and all(isinstance(value, str) for value in values):
        value_labels = None  # text of digits is a name beside integers
    elif all(map(_is_integer, values)) and all(isinstance(key, str) for key in keys):
        key_labels = None
    if kind == "Series" and value_labels is None and keys == list(range(len(keys))):
        return _from_sequence(values, labels)
    if key_labels is not None and value_labels is None:
        return _checked(f"The {kind}", key_labels, _named(values, key_labels), {})
    if value_labels is not None and key_labels is None:
        return _checked(f"The {kind}", value_labels, _named(keys, value_labels), {})
    for side in (keys, values):
        _check_range(_exact_integers(side), f"The {kind}")
    which = "Neither side" if key_labels is None else "Each side"
    raise RegionTableError(
        f"{which} of the {kind} is all integers: keys {examples(keys)}; values "
        f"{examples(values)}. Give labels (integers) on one side and names (text) on the other."
    )


def _from_sequence(source: Sequence[Any] | NDArray[Any], labels: Labels | None) -> RegionTable:
    names = list(source)
    if not all(isinstance(name, str) for name in names):
        other = next(name for name in names if not isinstance(name, str))
        raise RegionTableError(
            f"A list as a region table holds names; this one has {other!r} "
            f"({type(other).__name__}). Give a mapping of labels to names."
        )
    return _from_names([name.strip() for name in names], "The list of names", labels)


def _from_data_frame(source: Any, labels: Labels | None) -> RegionTable:
    import narwhals as nw
    from narwhals.exceptions import DuplicateError

    try:
        frame = nw.from_native(source, eager_only=True, pass_through=True)
    except DuplicateError:
        raise _several_of_a_title(titles_of_frame(source), "The DataFrame") from None
    if not isinstance(frame, nw.DataFrame):
        raise RegionTableError(
            f"This {type(source).__name__} is no region table. "
            "Give a path, a mapping, a DataFrame or a list of names."
        )
    columns: Columns = [
        (str(title), [_value(cell) for cell in frame.get_column(title).to_list()])
        for title in frame.columns
    ]
    return _from_columns(_index_columns(source, columns) + columns, "The DataFrame", labels)


def _index_columns(source: Any, columns: Columns) -> Columns:
    """Return the index of a pandas DataFrame as columns, if it can be what names the rows.

    It can if it has a name, or if no column could; an index of integers without a name is otherwise
    what a selection of rows left behind.
    """
    levels = [
        (str(title), [_value(cell) for cell in cells.tolist()])
        for title, cells in index_levels(source)
    ]
    has_labels = any(_integers(cells) is not None for _, cells in columns)
    has_names = any(isinstance(cell, str) for _, cells in columns for cell in cells)
    is_text = all(isinstance(cell, str) for _, cells in levels for cell in cells)
    is_untitled = [title for title, _ in levels] == [""]
    return [] if is_untitled and has_labels and (has_names or not is_text) else levels


def _from_names(names: Sequence[str], source: str, labels: Labels | None) -> RegionTable:
    """Return a table of names, whose labels follow from their number alone."""
    if not names:
        raise RegionTableError(f"{source} lists no region: it is empty.")
    empty = [row for row, name in enumerate(names, start=1) if not name]
    if empty:
        raise RegionTableError(
            f"{source} has no name in {plural(len(empty), 'row')}: {examples(empty)}. "
            "Names alone are numbered by their rows, so each row needs one."
        )
    start = 0 if names_background(names[0]) else 1
    counted = np.arange(start, start + len(names), dtype=np.int64)
    if start and labels is not None and np.array_equal(labels[labels != 0], counted[:-1]):
        raise RegionTableError(
            f"{source} has {plural(len(names), 'name')}, one more than the image has labels: "
            f"either the first, {names[0]!r}, is the background, or a region has no voxel. "
            "Give labels with the names."
        )
    if labels is None or n_covered(counted, labels) == np.count_nonzero(labels):
        return _checked(source, counted, names, {})
    regions = labels[labels != 0]
    # The name of the background is never that of a region.
    possible = (labels, regions) if start else (np.append(np.int64(0), regions),)
    for others in possible:
        if len(others) == len(names):
            return _checked(source, others, names, {})
    beside = "" if start else f", beside {names[0]!r}"
    raise RegionTableError(
        f"{source} has {plural(len(names), 'name')} and no labels; the image has "
        f"{plural(int(np.count_nonzero(labels)), 'region')} ({examples(labels.tolist())}). "
        f"Names alone must be as many as the regions{beside}; give labels with them."
    )


# --- which column is what --------------------------------------------------------------------


def _from_columns(
    columns: Columns, source: str, labels: Labels | None, *, has_header: bool = True
) -> RegionTable:
    if not columns or not columns[0][1]:
        raise RegionTableError(f"{source} lists no region: it has no rows.")
    _check_titles(columns, source)
    ids = _id_column(columns, source, labels, has_header=has_header)
    numbers = _integers(columns[ids][1])
    assert numbers is not None  # what makes it the column of labels
    column = _name_column(columns, ids)
    names = None if column is None else _named(columns[column][1], numbers)
    others = {
        title: _parsed(cells)
        for number, (title, cells) in enumerate(columns)
        if number not in (ids, column)
    }
    return _checked(source, numbers, names, renamed(others))


def _check_titles(columns: Columns, source: str) -> None:
    titles = [title for title, _ in columns]
    if len(set(titles)) < len(titles):
        raise _several_of_a_title(titles, source)


def _several_of_a_title(titles: Sequence[str], source: str) -> RegionTableError:
    twice = [title for title, times in Counter(titles).items() if times > 1]
    return RegionTableError(
        f"{source} has {plural(len(twice), 'title')} over more than one column: "
        f"{examples(twice)}. Rename or remove the others."
    )


def _id_column(columns: Columns, source: str, labels: Labels | None, *, has_header: bool) -> int:
    """Return the position of the column of labels.

    Under a header, only a title that says labels makes a column one, or none at all, as that of an
    index.  Of several, the one with the most labels of the image is meant; where that leaves
    two that differ, ``index``, the title of BIDS.  Without a header, the first column of integers
    is meant.

    Values that stand twice do not rule out a title such as ``index``: the error about labels
    that stand twice says more than one about a missing column.
    """
    integers = {
        n: found for n, (_, cells) in enumerate(columns) if (found := _integers(cells)) is not None
    }
    unique = {n for n, found in integers.items() if _is_unique(found)}
    ranks = {n: id_rank(columns[n][0]) if has_header else 0 for n in integers}
    covered = {n: n_covered(found, labels) for n, found in integers.items()}
    pool = [n for n, rank in ranks.items() if rank < 2 or (rank == 2 and n in unique)]
    if has_header:
        pool = [n for n in pool if not _is_surpassed(n, integers, covered, columns)]
        pool = _without_counters(pool, integers, covered, columns)
    pool = pool or _untitled(columns, integers, labels, source)
    if not pool:
        _raise_no_ids(columns, source)
    best = min((-covered[n], ranks[n], n not in unique) for n in pool)
    chosen = next(n for n in pool if (-covered[n], ranks[n], n not in unique) == best)
    # Without labels of the image, titles alone decide.
    rivals = [n for n in pool if covered[n] == covered[chosen] and n in unique]
    if not covered[chosen]:
        rivals = [n for n in rivals if ranks[n] == ranks[chosen]]
    if not ranks[chosen]:  # "index", the title of BIDS, says more than others that end in it
        rivals = [n for n in rivals if ranks[n] < 2]
    is_complete = labels is not None and covered[chosen] == _n_labels(labels)
    if (has_header or is_complete) and any(
        not np.array_equal(integers[n], integers[chosen]) for n in rivals
    ):
        raise _several_ids(
            [columns[n][0] for n in sorted({chosen, *rivals})], source, has_header=has_header
        )
    return chosen


def _several_ids(titles: Sequence[str], source: str, *, has_header: bool) -> RegionTableError:
    has_index = any(not id_rank(title) for title in titles)
    advice = (
        "Give the columns titles, that of the labels 'index'."
        if not has_header
        else "Remove or rename the others."
        if has_index
        else "Rename the right one to 'index', and remove the others or rename them."
    )
    return RegionTableError(
        f"{source} has {len(titles)} columns that may hold the labels: {examples(titles)}. {advice}"
    )


def _is_surpassed(
    n: int, integers: Mapping[int, Labels], covered: Mapping[int, int], columns: Columns
) -> bool:
    """Return whether a column that numbers rows or the like has as few labels as another."""
    return numbers_other_things(columns[n][0]) and any(
        covered[other] >= covered[n]
        and _is_unique(found)
        and not np.array_equal(found, integers[n])
        for other, found in integers.items()
        if other != n
    )


def _without_counters(
    pool: Sequence[int],
    integers: Mapping[int, Labels],
    covered: Mapping[int, int],
    columns: Columns,
) -> list[int]:
    """Return columns of labels without those that number the rows, if others hold as many."""
    telling = [n for n in pool if covered[n] or id_rank(columns[n][0]) < 2]
    others = [
        n for n in telling if _is_unique(integers[n]) and not _counts_rows(integers[n], n, columns)
    ]
    most = max((covered[n] for n in others), default=-1)
    return [
        n
        for n in pool
        if n in others or covered[n] > most or not _counts_rows(integers[n], n, columns)
    ]


def _counts_rows(found: Labels, position: int, columns: Columns) -> bool:
    """Return whether integers number the rows from 0, in any order, and 0 is no background."""
    counted = np.array_equal(np.sort(found), np.arange(len(found)))
    return counted and not _has_background(found, position, columns)


def _has_background(found: Labels, position: int, columns: Columns) -> bool:
    """Return whether the row with label 0 is named as background."""
    rows = np.flatnonzero(found == 0).tolist()
    cells = [cells[row] for row in rows for n, (_, cells) in enumerate(columns) if n != position]
    return any(_names_background(cell) for cell in cells if isinstance(cell, str))


def _names_background(cell: str) -> bool:
    is_named = any(character.isalnum() or character == "?" for character in cell)
    return is_named and names_no_region(cell)


def _untitled(
    columns: Columns, integers: Mapping[int, Labels], labels: Labels | None, source: str
) -> list[int]:
    """Return the columns without a title that may hold labels, as an index of pandas does.

    They do not where rows are numbered or were selected, which leaves a 0 that is no background,
    nor where another column says that it holds labels.  It is an error where another column holds
    as many, beside numbers of rows from 1.
    """
    if any(id_rank(title) < 2 for title, _ in columns):
        return []
    half = 0 if labels is None else max(1, (_n_labels(labels) + 1) // 2)
    untitled = [n for n in integers if _UNTITLED.fullmatch(columns[n][0])]
    found = [
        n
        for n in untitled
        if _is_unique(integers[n])
        and n_covered(integers[n], labels) >= half
        and (0 not in integers[n] or _has_background(integers[n], n, columns))
    ]
    rivals = [
        other
        for n in found
        for other in integers.keys() - set(untitled)
        if np.array_equal(integers[n], np.arange(1, 1 + len(integers[n])))
        and _is_unique(integers[other])
        and n_covered(integers[other], labels) >= n_covered(integers[n], labels)
        and not np.array_equal(integers[other], integers[n])
    ]
    if rivals:
        raise _several_ids(
            [columns[n][0] for n in sorted({*found, *rivals})], source, has_header=True
        )
    return found


def _raise_no_ids(columns: Columns, source: str) -> NoReturn:
    shown = "; ".join(f"{title!r} ({str(cells[0])[:20]}, …)" for title, cells in columns[:8])
    more = f" and {len(columns) - 8} more" if len(columns) > 8 else ""
    titled = [(title, cells) for title, cells in columns if id_rank(title) < 2]
    for title, cells in titled:
        _check_range(_exact_integers(cells), f"The column {title!r} of {source}")
    flawed = next((column for column in titled if _flaws(column[1])), None)
    if flawed is not None:
        flaws = _flaws(flawed[1])
        raise RegionTableError(
            f"The column {flawed[0]!r} of {source} is titled as labels, and no integer is in "
            f"{plural(len(flaws), 'row')} of {len(flawed[1]):,}: {'; '.join(flaws[:5])}. "
            "Correct them."
        )
    raise RegionTableError(
        f"{source} has no column of labels. It has {plural(len(columns), 'column')}: "
        f"{shown}{more}. {_NEEDED}"
    )


def _flaws(cells: Sequence[Any]) -> list[str]:
    """Return rows without an integer in a column that is mostly of integers."""
    rows = [row for row, cell in enumerate(cells) if _integers([cell]) is None]
    return [f"row {row + 1} {cells[row]!r}" for row in rows] if 2 * len(rows) < len(cells) else []


def _name_column(columns: Columns, ids: int) -> int | None:
    """Return the position of the column of names: the best title, then the most varied text.

    Of titled columns, those that say the same of many regions (``region`` may be a lobe) come
    after those that do not.
    """
    ranks: dict[int, tuple[bool, bool, int, int]] = {}
    for n, (title, cells) in enumerate(columns):
        normal = normal_title(title)
        if (
            n == ids
            or normal in _NEVER_NAMES
            or not _may_be_names(cells, is_named=normal == "name")
        ):
            continue
        n_distinct = len(set(cells))
        repeats = 2 * n_distinct <= len(cells)
        if normal in NAME_TITLES:
            ranks[n] = (False, repeats, NAME_TITLES.index(normal), n)
        elif not repeats:
            ranks[n] = (True, repeats, -n_distinct, n)
    return min(ranks, key=lambda n: ranks[n]) if ranks else None


def _may_be_names(cells: Sequence[Any], *, is_named: bool) -> bool:
    texts = [cell for cell in cells if isinstance(cell, str) and not _is_absent(cell)]
    if is_named:
        return True
    return bool(texts) and not all(is_number(t) or _HEX_COLOR.fullmatch(t) for t in texts)


def _checked(
    source: str,
    labels: Sequence[int] | Labels,
    names: Sequence[str] | None,
    columns: Mapping[str, Sequence[Any]],
) -> RegionTable:
    """Return the table; errors name the source."""
    others = dict(columns)
    sides = _hemispheres(labels, others)
    if sides is not None:
        others = {title: cells for title, cells in others.items() if title != sides[0]}
    try:
        return RegionTable(labels, names, others, None if sides is None else sides[1])
    except (RegionTableError, OverflowError) as error:
        raise RegionTableError(f"{source}: {error}") from None


def _hemispheres(
    labels: Sequence[int] | Labels, columns: Mapping[str, Sequence[Any]]
) -> tuple[str, list[str]] | None:
    """Return the title and the cells of a column of hemispheres, where labels stand for two."""
    if len(set(map(int, labels))) == len(labels):
        return None
    for title, cells in columns.items():
        sides = [side for cell in cells if (side := side_of_word(cell))]
        if is_hemisphere_title(title) and len(sides) == len(cells):
            return title, sides
    return None


# --- cells -----------------------------------------------------------------------------------


def _integers(cells: Sequence[Any]) -> Labels | None:
    """Return cells of any type as integers, or None if they are not all integers."""
    if any(cell is None or isinstance(cell, bool | np.bool_) for cell in cells):
        return None
    if any(isinstance(cell, float | np.floating) and abs(float(cell)) >= EXACT for cell in cells):
        return None  # which may be rounded
    return parse_integer_column(str(cell) for cell in cells)


def _exact_integers(cells: Sequence[Any]) -> list[int]:
    """Return the integers among cells that mostly are, of any size; else none."""
    found = [parse_integer(str(c)) for c in cells if not isinstance(c, bool | np.bool_ | None)]
    integers = [integer for integer in found if integer is not None]
    return integers if 2 * len(integers) > len(cells) else []


def _check_range(labels: Iterable[int | None], source: str) -> None:
    """Raise where integers are none that a label can be."""
    problem = range_problem(labels)
    if problem:
        raise RegionTableError(f"{source} has {problem}")


def _is_integer(cell: Any) -> bool:
    return isinstance(cell, int | np.integer) and not isinstance(cell, bool)


def _named(cells: Sequence[Any], labels: Labels) -> list[str]:
    """Return names as text; a region without one is called by its label."""
    return [
        str(label) if cell is None or _is_absent(cell) else str(cell).strip()
        for cell, label in zip(cells, labels.tolist(), strict=True)
    ]


def _parsed(cells: Sequence[Any]) -> tuple[Any, ...]:
    """Return the cells as numbers where all are, else as they are; absent ones as None."""
    texts = [
        "" if cell is None else cell for cell in cells if cell is None or isinstance(cell, str)
    ]
    if len(texts) == len(cells) and not any(map(_LEADING_ZERO.fullmatch, texts)):
        numbers = parse_number_column(texts)
        if numbers is not None:
            return numbers
    return tuple(None if _is_absent(cell) else cell for cell in cells)


def _is_absent(cell: Any) -> bool:
    """Return whether a cell of text is absent: not ``NA``, which also abbreviates a nucleus."""
    return isinstance(cell, str) and cell.strip().lower() in {"", "n/a"}


def _value(cell: Any) -> Any:
    """Return a cell of a DataFrame as a plain Python value; what is missing there as None."""
    plain = cell.item() if isinstance(cell, np.generic) else cell
    if isinstance(plain, str):
        return plain.strip()
    return None if is_null(plain) else plain


def _is_unique(labels: Labels) -> bool:
    return len(np.unique(labels)) == len(labels)


def _n_labels(labels: Labels | None) -> int:
    return 0 if labels is None else int(np.count_nonzero(labels))


# --- tables beside images --------------------------------------------------------------------


def _inherited_table(image: Path, stem: str) -> Path | None:
    *entities, suffix = stem.split("_")
    if not entities or not image.parent.is_dir():
        return None
    close: dict[int, list[Path]] = {}
    for table in sorted(image.parent.glob("*.tsv")):
        *others, other_suffix = table.stem.split("_")
        if other_suffix == suffix and others and set(others) <= set(entities):
            close.setdefault(len(others), []).append(table)
    if not close:
        return None
    best = close[max(close)]
    if len(best) > 1:
        raise RegionTableError(
            f"{plural(len(best), 'region table')} are equally close to {image.name}: "
            f"{examples(table.name for table in best)}. Name the one to use."
        )
    return best[0]
