"""Region tables of every kind, read as `RegionTable`.

Atlases tell who their regions are in many ways: BIDS ``dseg.tsv`` and other tables with a
column of labels, FreeSurfer colour tables, ITK-SNAP label descriptions, label lists and label
tables of Connectome Workbench, XML of FSL and SPM, plain lists of names.  Which of these a
file is, its content decides; its suffix only says what may be guessed.

The column of integers that holds most labels of the image holds the labels, whatever its title:
see `keys.find_labels`.  Whatever the kind, a table that misses the image by a constant is refused.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.hemispheres import is_hemisphere_title, side_of_word
from ..atlas.no_region import names_background, names_no_region
from ..atlas.region_table import HEX_COLOR, RegionTable, range_problem
from ..errors import MatchError, RegionTableError, examples, plural
from ..files import folders_of_dataset
from ..formats import stem_of
from ..identity import start_problem
from .cells import are_distinct, is_missing, is_number, parse_number_column, plain
from .colour_tables import (
    Record,
    color_records,
    have_numbers,
    listed_records,
    may_be_names_alone,
    renamed,
    spaced_records,
    starts_with_title,
)
from .keys import find_labels, lacks_labels
from .table import (
    Column,
    Table,
    are_mappings,
    decoded,
    is_frame,
    is_series,
    table_of_frame,
    table_of_mapping,
    table_of_nested,
    table_of_records,
    table_of_structured,
    table_of_text,
)
from .text import LINE_END, WHITE_SPACE, TextTable, decode, parse_delimited, read_bytes, split_head
from .titles import NAME_TITLES, normal_title
from .xml import label_table_records, xml_records

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Labels = NDArray[np.int64]

# Titles of columns of text that are never names, without case, spaces and punctuation.
_NEVER_NAMES = frozenset(
    ["color", "colour", "hemi", "hemisphere", "side", "xyz", "mapping", "comment"]
)
_LEADING_ZERO = re.compile(r"[+-]?0\d+")
# SPM and CAT12 put an XML of the same name beside the image.
_TABLE_SUFFIXES = (".tsv", ".csv", ".txt", ".xml")


def read_region_table(
    source: object, *, labels: Labels | None = None, may_be_list: bool = True
) -> RegionTable:
    """Return a region table from a file, a mapping, a DataFrame or a list of names.

    All rows are kept, that of the background included; only of a colour table those that the image
    lacks are left out, as it lists all regions of a program.

    Parameters
    ----------
    source : path, mapping, DataFrame, sequence or RegionTable
        - A file: BIDS ``dseg.tsv``, CSV or TSV with a column of labels; a FreeSurfer colour
          table; an ITK-SNAP label description; a Workbench label list; XML of FSL, SPM or
          Workbench; or plain text with one name, or one label and name, a line.
        - A mapping of labels to names or of names to labels: integers are the labels.  Or of
          titles to columns, or of either to a mapping of titles to cells.  Or a pandas Series, as
          a mapping, or as a list if its index counts.
        - A DataFrame of pandas, polars or pyarrow, a structured array of NumPy, or records: a list
          of mappings of titles to cells.
        - Pairs of a label and a name.
        - Names alone belong to the labels of the image in ascending order; a first name like
          ``Background`` is that of 0.
        - A `RegionTable`, which is returned as it is.

        In all of them names may be bytes.
    labels : array of int64, shape (n_labels,), default=None
        The labels in the image, ascending; they decide what is otherwise open.
    may_be_list : bool, default=True
        Whether names without labels, in a file of text or a sequence, are a table.

    Returns
    -------
    RegionTable
        With the other columns under their titles: numbers where all cells are numbers, else
        text; what is empty or ``n/a`` is `None`.  A column besides those of labels and names
        that is called ``index``, ``label`` or ``name`` gets ``_in_table`` after it.  Colours given
        as red, green and blue are one column ``color``, ``#rrggbb``.

    Raises
    ------
    RegionTableError
        When there is no column of labels, more than one, a label in two rows, or no row; or when
        the table names no region of the image, or misses it by a constant.
    FileFormatError
        When a file is empty, not text, or its rows differ in length.
    InputMissingError
        When there is no such file.

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
    if isinstance(source, np.ndarray) and source.dtype.names:
        return _from_table(table_of_structured(source, "The structured array"), labels)
    if isinstance(source, np.ndarray | list | tuple):
        return _from_sequence(list(source), labels, may_be_list=may_be_list)
    if is_series(source):
        return _from_series(source, labels, may_be_list=may_be_list)
    if is_frame(source):
        return _from_frame(source, labels)
    raise RegionTableError(
        f"This {type(source).__name__} is no region table. "
        "Give a path, a mapping, a DataFrame or a list of names."
    )


def looked_up(table: RegionTable, labels: Labels) -> RegionTable:
    """Return the rows of a table that serves many images that one of them has, and that of 0."""
    return table.take(np.flatnonzero(np.isin(table.labels, labels) | (table.labels == 0)))


def find_region_table(
    image_path: str | os.PathLike[str], *, suffixes: Sequence[str] = _TABLE_SUFFIXES
) -> Path | None:
    """Return the region table beside an image, if there is one.

    That is a file with the name of the image but one of `suffixes`, in their order; or else, by
    the inheritance of BIDS, the ``.tsv`` with the same suffix (such as ``dseg``) whose entities
    are all among those of the image, and most of them.  In a dataset it may also be in a folder
    above, up to that of ``dataset_description.json``; the nearest folder with one counts.

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
    for suffix in suffixes:
        table = table_path(image, suffix)
        if table.is_file():
            return table
    stem = table_path(image).stem
    for folder in folders_of_dataset(image):
        table_above = _inherited_table(folder, image, stem)
        if table_above is not None:
            return table_above
    return None


def table_path(image: Path, suffix: str = ".tsv") -> Path:
    """Return where the region table of an image lies, if it is beside it.

    Examples
    --------
    >>> table_path(Path("atlas_dseg.nii.gz")).name
    'atlas_dseg.tsv'
    """
    return image.with_name(stem_of(image).removesuffix(".dseg") + suffix)


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
    return _from_records(label_table_records(xml, source), source, None)


def region_table_of_labels(
    labels: Sequence[int], columns: Mapping[str, Sequence[Any]], source: str
) -> RegionTable:
    """Return the table of labels that are said to be just that; which column names them is not.

    Parameters
    ----------
    labels : sequence of int, shape (n_regions,)
    columns : mapping of str to sequence
        Each of shape (n_regions,).
    source : str
        The name to use in messages.

    Raises
    ------
    RegionTableError
        When a label stands twice, or is beyond 64 bits.
    """
    of_labels = Column("", labels)
    others = [Column(title, list(cells)) for title, cells in columns.items()]
    return _of_labels(Table([of_labels, *others], source), of_labels, None)


# --- files ---------------------------------------------------------------------------------------


def _read_file(path: Path, labels: Labels | None, *, may_be_list: bool) -> RegionTable:
    source = str(path)
    content = read_bytes(path)
    text = decode(content, source=source)
    if text.lstrip().startswith("<"):
        # The bytes, because the XML declaration names their encoding.
        return _from_records(xml_records(content, source), source, labels)
    lines = LINE_END.split(text)
    records = color_records(lines)
    if records:
        table = _from_records(records, source, labels)
        # A program's table lists all its regions, of which an image has some.
        return table if labels is None else looked_up(table, labels)
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
        return _from_records(records, source, labels)
    table = parse_delimited(text, source=source)
    is_titled = table.header is not None and len(table.columns) > 2
    is_plain = table.delimiter in {None, WHITE_SPACE} and not is_titled
    if is_plain and not have_numbers(table.columns[1:]):
        records = listed_records(lines)
        if records:
            return _from_records(records, source, labels)
    names = _names_alone(table, lines) if may_be_list else None
    if names is not None:
        return _from_names(names, source, labels)
    return _from_table(table_of_text(table), labels)


def _names_alone(table: TextTable, lines: Sequence[str]) -> Sequence[str] | None:
    """Return the names of a list, or None where lines hold more than names."""
    if not may_be_names_alone(table, lines):
        return None
    if not starts_with_title(lines):
        return [line.strip() for line in split_head(lines)[1]]
    if table.delimiter is not None:
        return None
    return table.columns[0] if table.header is not None else table.columns[0][1:]


def _from_records(records: Sequence[Record], source: str, labels: Labels | None) -> RegionTable:
    """Return the table of records; a title that some lack is missing there."""
    if not records:
        raise RegionTableError(f"{source} lists no region.")
    titles = dict.fromkeys(title for record in records for title in record)
    columns = {title: [record.get(title) for record in records] for title in titles}
    numbers = columns.pop("index")
    names = columns.pop("name")
    parsed = {title: _parsed(cells) for title, cells in columns.items()}
    return _checked(source, numbers, names, parsed, labels)


# --- Python objects ------------------------------------------------------------------------------


def _from_mapping(source: Mapping[Any, Any], labels: Labels | None) -> RegionTable:
    if not source:
        raise RegionTableError("The mapping of labels and names is empty.")
    if all(isinstance(value, list | tuple | np.ndarray) for value in source.values()):
        return _from_table(table_of_mapping(source, "The mapping"), labels)
    if are_mappings(source.values()):
        return _from_table(table_of_nested(source, "key", "The mapping"), labels)
    keys = list(map(_plain, source))
    return _from_pairs(keys, [*map(_plain, source.values())], labels, "The mapping")


def _from_sequence(items: list[Any], labels: Labels | None, *, may_be_list: bool) -> RegionTable:
    """Read a list of names, of pairs of a label and a name, or of records."""
    if are_mappings(items):
        return _from_table(table_of_records(items, "The list of records"), labels)
    if items and all(isinstance(item, tuple | list) and len(item) == 2 for item in items):
        keys, values = zip(*items, strict=True)
        pairs = [*map(_plain, keys)], [*map(_plain, values)]
        return _from_pairs(*pairs, labels, "The list of pairs")
    items = list(map(_plain, items))
    for name in items:
        if not isinstance(name, str):
            raise RegionTableError(
                f"A list as a region table holds names; this one has {name!r} "
                f"({type(name).__name__}). Give a mapping of labels to names."
            )
    if not may_be_list:
        raise RegionTableError(
            f"The list of {plural(len(items), 'name')} has no labels: names alone are those of the "
            "labels in ascending order, and which there are is not known here. Give a mapping of "
            "labels to names."
        )
    return _from_names([name.strip() for name in items], "The list of names", labels)


def _from_series(series: Any, labels: Labels | None, *, may_be_list: bool) -> RegionTable:
    """Read a Series as a mapping, or as a list of names where its index merely counts."""
    index, names = list(map(_plain, series.index)), list(map(_plain, series))
    if series.index.name is None and index == list(range(len(index))):
        return _from_sequence(names, labels, may_be_list=may_be_list)
    return _from_pairs(index, names, labels, "The Series")


def _from_pairs(
    keys: Sequence[Any], values: Sequence[Any], labels: Labels | None, source: str
) -> RegionTable:
    """Read labels on one side and names on the other; integers are the labels."""
    sides = Column("keys", keys), Column("values", values)
    whole = [column.are_integers and None not in column.integers for column in sides]
    if all(whole):
        # Text of digits is a name beside integers.
        whole = [not any(isinstance(cell, str) for cell in column.cells) for column in sides]
    if whole[0] == whole[1]:
        which = "Each side" if whole[0] else "Neither side"
        noun = source.removeprefix("The ")
        raise RegionTableError(
            f"{which} of the {noun} is all integers: keys {examples(keys)}; values "
            f"{examples(values)}. Give labels (integers) on one side and names (text) on the other."
        )
    numbers, names = sides if whole[0] else sides[::-1]
    return _checked(source, numbers.integers, names.cells, {}, labels)


def _from_frame(source: Any, labels: Labels | None) -> RegionTable:
    try:
        table = table_of_frame(source, "The DataFrame")
    except MatchError:
        titles = [str(title) for title in getattr(source, "column_names", source.columns)]
        raise _several_of_a_title(titles, "The DataFrame") from None
    return _from_table(table, labels)


def _named_rows(table: Table) -> list[Column]:
    """Return the columns of a table, with an index without a title only if it is needed.

    It is where no column could be the labels, or none the names; else it is what a selection of
    rows left behind.
    """
    index = [column for column in table.index if column.title == ""]
    body = [column for column in table.columns if column not in index]
    has_labels = any(column.are_integers for column in body)
    has_names = any(map(_may_name, body))
    holds_names = any(column.is_text for column in index)
    is_needed = not has_labels or (holds_names and not has_names)
    return [*index, *body] if is_needed else body


def _from_names(names: Sequence[str], source: str, labels: Labels | None) -> RegionTable:
    """Return a table of names, whose labels follow from their number alone."""
    _check_names_alone(names, source)
    has_background = names_background(names[0])
    start = 0 if has_background else 1
    counted = np.arange(start, start + len(names), dtype=np.int64)
    if labels is None:
        return RegionTable(counted, list(names))
    regions = labels[labels != 0]
    # An image that counts its regions may lack some, whose names count all the same.
    if np.isin(regions, counted).all():
        if not has_background and np.array_equal(regions, counted[:-1]):
            raise RegionTableError(
                f"{source} has {plural(len(names), 'name')}, one more than the image has labels: "
                f"either the first, {names[0]!r}, is the background, or a region has no voxel. "
                "Give labels with the names."
            )
        return RegionTable(counted, list(names))
    # The name of the background is never that of a region.
    named, beside = [regions, labels], ""
    if has_background:
        named, beside = [np.append(np.int64(0), regions)], f", beside {names[0]!r}"
    for possible in named:
        if len(possible) == len(names):
            return RegionTable(possible, list(names))
    raise RegionTableError(
        f"{source} has {plural(len(names), 'name')} and no labels; the image has "
        f"{plural(len(regions), 'region')} ({examples(labels.tolist())}). "
        f"Names alone must be as many as the regions{beside}; give labels with them."
    )


def _check_names_alone(names: Sequence[str], source: str) -> None:
    if not names:
        raise RegionTableError(f"{source} lists no region: it is empty.")
    empty = [row for row, name in enumerate(names, start=1) if not name]
    if empty:
        raise RegionTableError(
            f"{source} has no name in {plural(len(empty), 'row')}: {examples(empty)}. "
            "Names alone are numbered by their rows, so each row needs one."
        )


# --- columns -------------------------------------------------------------------------------------


def _from_table(table: Table, labels: Labels | None) -> RegionTable:
    if not table.n_rows:
        raise RegionTableError(f"{table.source} lists no region: it has no rows.")
    titles = [str(column.title) for column in table.columns]
    if not are_distinct(titles):
        raise _several_of_a_title(titles, table.source)
    table = dataclasses.replace(table, columns=_named_rows(table))
    of_labels = find_labels(table, labels)
    if None in of_labels.integers:
        raise lacks_labels(of_labels, table)
    return _of_labels(table, of_labels, labels)


def _of_labels(table: Table, of_labels: Column, labels: Labels | None) -> RegionTable:
    of_names = _name_column(table, of_labels)
    columns = {
        str(column.title) or "column 1": _parsed(column.cells)
        for column in table.columns
        if column is not of_labels and column is not of_names
    }
    names = None if of_names is None else of_names.cells
    return _checked(table.source, of_labels.integers, names, renamed(columns), labels)


def _several_of_a_title(titles: Sequence[str], source: str) -> RegionTableError:
    twice = [title for title, times in Counter(titles).items() if times > 1]
    return RegionTableError(
        f"{source} has {plural(len(twice), 'title')} over more than one column: "
        f"{examples(twice)}. Rename or remove the others."
    )


def _name_column(table: Table, of_labels: Column) -> Column | None:
    """Return the column of names: the best title, then the most varied text.

    Of titled columns, those that say the same of many regions (``region`` may be a lobe) come
    after those that do not.
    """
    ranked: list[tuple[tuple[bool, bool, int, int], Column]] = []
    for number, column in enumerate(table.columns):
        normal = normal_title(column.title)
        if column is of_labels or not _may_name(column):
            continue
        n_distinct = len(set(column.texts))
        repeats = 2 * n_distinct <= len(column)
        if normal in NAME_TITLES:
            ranked.append(((False, repeats, NAME_TITLES.index(normal), number), column))
        elif not repeats:
            ranked.append(((True, repeats, -n_distinct, number), column))
    return min(ranked, key=lambda entry: entry[0])[1] if ranked else None


def _may_name(column: Column) -> bool:
    """Return whether a column may hold names: it is titled so, or text and not titled otherwise."""
    normal = normal_title(column.title)
    if normal == "name" or normal in _NEVER_NAMES:
        return normal == "name"
    texts = [cell for cell in column.cells if isinstance(cell, str) and not _is_absent(cell)]
    return bool(texts) and not all(is_number(t) or HEX_COLOR.fullmatch(t) for t in texts)


def _checked(
    source: str,
    numbers: Sequence[Any],
    names: Sequence[Any] | None,
    columns: Mapping[str, Sequence[Any]],
    labels: Labels | None,
) -> RegionTable:
    """Return the table, if it can be one and is that of the image; errors name the source."""
    problem = range_problem(numbers)
    if problem:
        raise RegionTableError(f"{source} has {problem}")
    written = None if names is None else _named(names, numbers)
    hemispheres, columns = _hemispheres_apart(numbers, columns)
    try:
        table = RegionTable(numbers, written, columns, hemispheres)
    except (RegionTableError, OverflowError) as error:
        raise RegionTableError(f"{source}: {error}") from None
    if labels is not None and hemispheres is None:
        _check_start(table, labels, source)
    return table


def calls_zero_a_region(table: RegionTable) -> bool:
    """Return whether a table names 0, and not as what is no region."""
    name_of = dict(zip(table.labels.tolist(), table.names, strict=True))
    return 0 in name_of and name_of[0] != "0" and not names_no_region(name_of[0])


def _check_start(table: RegionTable, labels: Labels, source: str) -> None:
    """Raise where the table counts from another number than the image, or names no region of it."""
    zero_is_region = calls_zero_a_region(table)
    problem = start_problem(table.labels.tolist(), labels.tolist(), zero_is_region=zero_is_region)
    if problem:
        raise RegionTableError(
            f"{source} {problem}. Add the difference to its labels, or give the names alone (a "
            "list, or text with a name a line), which go to the labels in ascending order."
        )
    if len(labels) and not np.isin(labels, table.labels).any():
        raise RegionTableError(
            f"{source} names no region of the image: its labels are "
            f"{examples(table.labels.tolist())}, those of the image {examples(labels.tolist())}. "
            "Give the table of this atlas, or its names alone, in ascending order of label."
        )


def _hemispheres_apart(
    numbers: Sequence[Any], columns: Mapping[str, Sequence[Any]]
) -> tuple[list[str] | None, Mapping[str, Sequence[Any]]]:
    """Return the cells of a column of hemispheres, where labels stand for two, and the others."""
    if are_distinct(numbers):
        return None, columns
    for title, cells in columns.items():
        sides = [side for cell in cells if (side := side_of_word(cell))]
        if is_hemisphere_title(title) and len(sides) == len(cells):
            return sides, {t: c for t, c in columns.items() if t != title}
    return None, columns


# --- cells ---------------------------------------------------------------------------------------


def _is_absent(cell: object) -> bool:
    """Return whether a cell is absent: not ``NA``, which also abbreviates a nucleus."""
    return cell.strip().lower() in ("", "n/a") if isinstance(cell, str) else is_missing(cell)


def _named(cells: Sequence[Any], numbers: Sequence[Any]) -> list[str]:
    """Return names as text; a region without one is called by its label."""
    return [
        str(label) if _is_absent(cell) else str(cell).strip()
        for cell, label in zip(cells, numbers, strict=True)
    ]


def _plain(cell: object) -> Any:
    """Return a cell as Python has it: no scalar of NumPy, and text for bytes."""
    return plain(decoded(cell))


def _parsed(cells: Sequence[Any]) -> tuple[Any, ...]:
    """Return the cells as numbers where all are, else as they are; absent ones as None."""
    values = [plain(cell) for cell in cells]
    texts = ["" if cell is None else cell for cell in values]
    are_texts = all(isinstance(text, str) for text in texts)
    if are_texts and not any(map(_LEADING_ZERO.fullmatch, texts)):
        numbers = parse_number_column(texts)
        if numbers is not None:
            return numbers
    return tuple(None if _is_absent(cell) else cell for cell in values)


# --- tables beside images ------------------------------------------------------------------------


def _inherited_table(folder: Path, image: Path, stem: str) -> Path | None:
    """Return the table in a folder that is of an image and others."""
    *entities, suffix = stem.split("_")
    if not entities or not folder.is_dir():
        return None
    close: dict[int, list[Path]] = {}
    for table in sorted(folder.glob("*.tsv")):
        *of_table, table_suffix = table.stem.split("_")
        is_above = bool(of_table) and set(of_table) <= set(entities)
        if is_above and table_suffix == suffix and table.is_file():
            close.setdefault(len(of_table), []).append(table)
    if not close:
        return None
    best = close[max(close)]
    if len(best) > 1:
        raise RegionTableError(
            f"{plural(len(best), 'region table')} are equally close to {image.name}: "
            f"{examples(table.name for table in best)}. Name the one to use."
        )
    return best[0]
