"""Which column of a table of values says who the regions are: its *key column*.

Columns are asked in this order, and the first that answers is the key:

1. Text that names regions.
2. Titles that name regions: then the table is wide, and has no key column.
3. Integers under a title that says labels, such as ``label`` or ``roi_id``.
4. The index of a DataFrame, in a file the first column if it has no title, unless it counts rows:
   from 0, or from 1 beside another column that has all labels, which is an error.
5. Text that names no region, which is then shown beside the names.

Integers under any other title (``rank``, ``n_voxels``) are never the key: all counts look like
labels.  A column that seems meant and does not serve, such as labels of which one stands twice,
is an error, and so are two columns that mean different regions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.region_table import (
    EXACT,
    NAME_TITLES,
    NO_ID,
    id_rank,
    normal_title,
    numbers_other_things,
)
from ..errors import MatchError, examples, plural
from ..identity import QUALIFIED_LABEL, as_integers, identities_of, integer_of, text_identities
from ..signals import MAP_TITLE, Key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..atlas.region_table import RegionTable
    from .values import ValueColumn, ValueTable

    Identities = Mapping[str, Sequence[Any]]

# Titles of labels in region tables that in tables of values mostly stand for values.
_VALUE_TITLES = frozenset(["value", "intensity", "grayvalue", "greyvalue", "number", "num", "code"])

# Titles of the names that an atlas goes by; it may well lack the abbreviations of a table.
_FULL_NAMES = frozenset(NAME_TITLES).difference(
    ["description", "shortname", "abbreviation", "abbr", "roiabbr", "acronym"]
)


def find_key_column(
    table: ValueTable, regions: RegionTable, by: str = "auto"
) -> ValueColumn | None:
    """Return the column that names regions, or None where the titles do.

    Parameters
    ----------
    table : ValueTable
    regions : RegionTable
    by : str, default="auto"
        What the keys are to be, as in `matching.match`.

    Raises
    ------
    MatchError
        When no column can be the key, or more than one.
    """
    identities = identities_of(regions)
    # A column of this title names the maps, whatever regions they are called by.
    columns = [c for c in table.columns if c.title != MAP_TITLE or c.numbers is not None]
    text = [c for c in columns if c.numbers is None]
    claiming = [c for c in columns if c.numbers is not None and _is_key_title(c.title)]
    usable = [c for c in claiming if is_distinct(c) and _n_named(keys_of(c), identities)]
    by_label = _most_hits(usable, identities)
    by_name = _most_hits(text, _wanted(identities, by))
    if by == "label" and by_label is not None:
        by_name = None
    are_names, n_labels = _titles_that_name(columns, table, identities)
    if are_names and by_name is not None:
        raise _both_ways(table, by_name)
    if are_names or (n_labels and by_name is None):
        key = by_label or _index_key(columns, identities, only_labels=True)
        if are_names or key is None or not _are_labels(key, identities):
            return None
        if n_labels == len(identities["label"]):
            raise _both_ways(table, key)
    if by_name is not None:
        _check_names_agree(by_name, text, table, identities)
        exact = [c for c in usable if is_exact_label_title(c.title)]
        labels = None if by != "auto" else _most_hits(exact, identities)
        return _agreeing(by_name, labels, table, identities)
    _check_claims([*claiming, *text], usable, table, identities)
    if by_label is not None:
        _check_labels_agree(by_label, usable, table, identities)
        if by != "label":
            _check_is_no_other_atlas(by_label, text, table, identities)
        return by_label
    return _other_key(columns, table, identities)


def is_label_title(title: Key) -> bool:
    """Return whether a title says that a column of a table of values holds labels."""
    text = str(title)
    is_label = id_rank(text) < NO_ID and not numbers_other_things(text)
    return is_label and normal_title(text) not in _VALUE_TITLES


def is_name_title(title: Key) -> bool:
    """Return whether a title says that a column holds names."""
    normal = normal_title(str(title))
    return normal.endswith("name") or normal in NAME_TITLES


def _is_key_title(title: Key) -> bool:
    """Return whether a title says labels, or names, which may be integers too."""
    return is_label_title(title) or normal_title(str(title)).endswith("name")


def is_exact_label_title(title: Key) -> bool:
    """Return whether a title says nothing but that: ``index``, and not ``folding_index``."""
    return id_rank(str(title)) <= 1 and is_label_title(title)


def keys_of(column: ValueColumn) -> list[Key] | None:
    """Return the cells as keys: text, or integers; None where they are neither."""
    if column.numbers is None:
        return [cell for cell in column.cells if isinstance(cell, str) and cell]
    if column.numbers.dtype.kind not in "iuf" or not are_whole(column.numbers):
        return None
    return [int(number) for number in column.numbers.tolist()]


def are_whole(numbers: NDArray[Any]) -> bool:
    """Return whether numbers may be labels: integers, and none that floats do not tell apart."""
    if numbers.dtype.kind != "f":
        return True
    return bool(((numbers == np.rint(numbers)) & (np.abs(numbers) < EXACT)).all())


def is_null(cell: Any) -> bool:
    """Return whether a cell of a DataFrame is what says there that nothing is."""
    # By the name of the type: pandas may not be there, and its NA answers neither yes nor no.
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating) and bool(np.isnan(cell))


def is_distinct(column: ValueColumn) -> bool:
    """Return whether a column has a key in each row, each once."""
    keys = keys_of(column)
    return keys is not None and len(set(keys)) == len(keys) == len(column.cells)


def counts_rows(numbers: Sequence[Key], first: Sequence[int] = (0, 1)) -> bool:
    """Return whether numbers count rows, from 0 or from 1, and so say nothing of regions."""
    return any(list(numbers) == list(range(start, start + len(numbers))) for start in first)


def may_index_regions(column: ValueColumn) -> bool:
    """Return whether an index may say who the regions are: it is not time, nor counts rows."""
    if column.numbers is None:
        return any(isinstance(cell, str) for cell in column.cells)
    return is_distinct(column) and not counts_rows(keys_of(column) or [], (0,))


def rows_by_key(identities: Identities) -> dict[Any, set[int]]:
    """Return for names and labels the rows of the regions that they stand for."""
    found: dict[Any, set[int]] = {}
    for title in [*text_identities(identities), "label"]:
        for row, cell in enumerate(identities[title]):
            found.setdefault(cell, set()).add(row)
    return found


def titles_of(columns: Iterable[ValueColumn]) -> list[Key]:
    """Return the titles of columns."""
    return [column.title for column in columns]


# --- who is asked ----------------------------------------------------------------------------


def _wanted(identities: Identities, by: str) -> Identities:
    """Return the identities of regions that keys of text are to be."""
    if by == "label":
        return {t: identities[t] for t in ("label", QUALIFIED_LABEL) if t in identities}
    return {by: identities[by], "label": ()} if by in identities else identities


def _titles_that_name(
    columns: Sequence[ValueColumn], table: ValueTable, identities: Identities
) -> tuple[int, int]:
    """Return how many regions the titles name, and of how many they are the labels."""
    titles = [c.title for c in columns if not c.is_index and table.has_header]
    numbers = [number for title in titles if (number := integer_of(str(title))) is not None]
    if counts_rows(numbers, (0,)) and set(numbers) != set(identities["label"]):
        numbers = []  # columns are merely counted
    names = [title for title in titles if integer_of(str(title)) is None]
    n_named, n_labels = _n_named(names, identities), _n_named(numbers, identities)
    # Names may be numbers.
    n_text = _n_named([title for title in titles if isinstance(title, str)], identities)
    return (n_text if n_text > max(n_named, n_labels) else n_named), n_labels


def _are_labels(column: ValueColumn, identities: Identities) -> bool:
    return set(keys_of(column) or []) <= set(identities["label"])


def _most_hits(columns: Sequence[ValueColumn], identities: Identities) -> ValueColumn | None:
    """Return the column that names most regions, one of different cells before others."""
    found = [(c, _n_named(keys_of(c), identities)) for c in columns]
    hits = [(is_distinct(c), count, c) for c, count in found if count]
    return max(hits, key=lambda hit: hit[:2])[2] if hits else None


def _n_named(keys: Sequence[Key] | None, identities: Identities) -> int:
    """Return how many regions these keys name, in the column that has most of them."""
    if not keys:
        return 0
    integers = as_integers(keys)
    columns = [identities["label"]] if integers else []
    if any(isinstance(key, str) for key in keys):
        columns += [identities[title] for title in text_identities(identities)]
    wanted = {*keys, *(integers or [])}
    return max((len(wanted.intersection(column)) for column in columns), default=0)


def _index_key(
    columns: Sequence[ValueColumn], identities: Identities, *, only_labels: bool
) -> ValueColumn | None:
    """Return an index of integers that does more than count rows."""
    found = [c for c in columns if c.is_index and c.numbers is not None and may_index_regions(c)]
    return next((c for c in found if not only_labels or _are_labels(c, identities)), None)


def _other_key(
    columns: Sequence[ValueColumn], table: ValueTable, identities: Identities
) -> ValueColumn | None:
    """Return the key where no name and no title says which it is; None for wide tables."""
    text = [c for c in columns if c.numbers is None and is_distinct(c)]
    key = text[0] if text else _index_key(columns, identities, only_labels=False)
    numbers = [c for c in columns if not c.is_index and c.numbers is not None and is_distinct(c)]
    if key is not None and key.is_index:
        _check_rows_are_labels(key, numbers, table, identities)
    if key is not None or len(columns) < len(table.columns):
        return key
    candidates = [c for c in numbers if _n_named(keys_of(c), identities)]
    if candidates:
        raise _several_labels(candidates, table)
    raise _no_key(table, identities)


# --- what speaks against it ------------------------------------------------------------------


def _check_claims(
    columns: Sequence[ValueColumn],
    usable: Sequence[ValueColumn],
    table: ValueTable,
    identities: Identities,
) -> None:
    """Raise where a column that is titled as labels is not usable as such, and seems meant.

    It is where most of its cells are labels, or where nothing better is there.
    """
    labels = set(identities["label"])
    complete = [c for c in usable if labels <= set(keys_of(c) or [])]
    claims = [
        c
        for c in columns
        if _is_key_title(c.title) and c not in usable and not _is_beside(c, complete)
    ]
    meant = [c for c in claims if _are_mostly(labels, c)] or [
        c
        for c in sorted(claims, key=lambda c: not is_exact_label_title(c.title))
        if c.numbers is not None and not c.is_index and _is_best(c, columns, usable)
    ]
    if meant:
        raise _flawed_labels(meant[0], table, identities)


def _is_beside(column: ValueColumn, complete: Sequence[ValueColumn]) -> bool:
    """Return whether a column groups or counts the rows that a complete column of labels tells."""
    keys = keys_of(column)
    if not complete or column in complete or column.numbers is None or not keys:
        return False
    is_group = 3 * len(set(keys)) <= 2 * len(keys) and not is_exact_label_title(column.title)
    is_exact = any(is_exact_label_title(c.title) for c in complete)
    return counts_rows(keys) or (is_group and is_exact)


def _is_best(
    column: ValueColumn, columns: Sequence[ValueColumn], usable: Sequence[ValueColumn]
) -> bool:
    """Return whether a column of other numbers is titled better than what could be the key."""
    if usable:
        weak = all(
            counts_rows(keys_of(c) or []) or not is_exact_label_title(c.title) for c in usable
        )
        return weak and is_exact_label_title(column.title) and is_distinct(column)
    return not any(c.numbers is None and is_distinct(c) for c in columns)


def _are_mostly(labels: set[Any], column: ValueColumn) -> bool:
    """Return whether a column has as many labels as half of its rows."""
    return 2 * len(labels.intersection(_integers(column))) >= max(2, len(column.cells))


def _integers(column: ValueColumn) -> list[int | None]:
    if column.numbers is None:
        return [integer_of(cell) if isinstance(cell, str) else None for cell in column.cells]
    numbers = column.numbers.tolist()
    return [int(n) if np.isfinite(n) and n == np.rint(n) else None for n in numbers]


def _flawed_labels(column: ValueColumn, table: ValueTable, identities: Identities) -> MatchError:
    integers = _integers(column)
    shown = column.cells if column.numbers is None else column.numbers.tolist()
    pairs = list(zip(shown, integers, strict=True))
    given = [integer for integer in integers if integer is not None]
    empty = [row for row, (cell, _) in enumerate(pairs, start=1) if is_null(cell)]
    other = [cell for cell, integer in pairs if integer is None and not is_null(cell)]
    twice = sorted(integer for integer, times in Counter(given).items() if times > 1)
    faults = []
    if column.numbers is not None and column.numbers.dtype.kind == "f":
        large = [number for number in given if abs(number) >= EXACT]
        if large:
            faults.append(f"floats do not tell labels from 2**53 on apart: {examples(large)}")
    if twice:
        faults.append(f"{plural(len(twice), 'label')} more than once: {examples(twice)}")
    if empty:
        faults.append(f"{plural(len(empty), 'row')} without one: {examples(empty)}")
    if other:
        faults.append(f"{plural(len(other), 'cell')} no integer: {examples(other)}")
    if not set(given) & set(identities["label"]):
        faults.append(f"none of {examples(given)} is a label of {examples(identities['label'])}")
    return MatchError(
        f"The column {column.title!r} of {table.source} is titled as labels and cannot be "
        f"the key: {'; '.join(faults)}. Correct it, or pass key= (--key) to name another."
    )


def _check_names_agree(
    chosen: ValueColumn,
    columns: Sequence[ValueColumn],
    table: ValueTable,
    identities: Identities,
) -> None:
    """Raise where another column names other regions, as one of neighbours or homologues does.

    Not where it names the same one in all rows, as a seed is: that cannot be the key.
    """
    others = [c for c in columns if c is not chosen and _n_named(keys_of(c), identities) > 1]
    rows_of = rows_by_key(identities) if others else {}
    for other in others:
        contradicted = [
            key
            for key, also in zip(chosen.cells, other.cells, strict=True)
            if {key, also} <= rows_of.keys() and rows_of[key].isdisjoint(rows_of[also])
        ]
        if contradicted:
            raise _contradiction(chosen, other, contradicted, table)


def _check_labels_agree(
    chosen: ValueColumn,
    columns: Sequence[ValueColumn],
    table: ValueTable,
    identities: Identities,
) -> None:
    """Raise where another column could be the labels too, as a sorted index that was reset."""
    complete = [c for c in columns if _has_all(c, identities)]
    others = [
        c
        for c in columns
        if keys_of(c) != keys_of(chosen)
        and not _counts_from_background(c, identities)
        and not _is_beside(c, complete)
    ]
    # Tables begin with who the regions are, whatever that is called.
    first = next(c for c in table.columns if not c.is_index)
    is_rival = first not in columns and is_distinct(first) and _has_all(first, identities)
    is_other = keys_of(first) != keys_of(chosen) and not numbers_other_things(str(first.title))
    if is_rival and is_other and not is_exact_label_title(chosen.title):
        others.append(first)
    if others:
        raise _several_labels([chosen, *others], table)


def _check_rows_are_labels(
    index: ValueColumn, numbers: Sequence[ValueColumn], table: ValueTable, identities: Identities
) -> None:
    """Raise where an index merely counts rows from 1, as R does, and other integers are labels.

    A column that is alone beside it can only be values.
    """
    keys, labels = keys_of(index) or [], set(identities["label"])
    others = [c for c in numbers if keys_of(c) != keys and labels <= set(keys_of(c) or [])]
    n_values = sum(not c.is_index and c.numbers is not None for c in table.columns)
    if others and n_values > 1 and counts_rows(keys, (1,)):
        raise _several_labels([index, *others], table)


def _check_is_no_other_atlas(
    labels: ValueColumn, text: Sequence[ValueColumn], table: ValueTable, identities: Identities
) -> None:
    """Raise where labels merely count rows whose names are all unknown to an atlas with names."""
    names = [c for c in text if normal_title(str(c.title)) in _FULL_NAMES and is_distinct(c)]
    own = [str(label) for label in identities["label"]]
    if names and counts_rows(keys_of(labels) or [], (1,)) and list(identities["name"]) != own:
        raise MatchError(
            f"None of the {plural(len(names[0].cells), 'cell')} in the column {names[0].title!r} "
            f"of {table.source} ({examples(names[0].cells)}) is a name of the regions "
            f"({examples(identities['name'])}), and {labels.title!r} counts the rows from 1: it "
            "may be the table of another atlas. Pass by='label' (--by label) to go by "
            f"{labels.title!r} all the same, or key= (--key) to name another column."
        )


def _has_all(column: ValueColumn, identities: Identities) -> bool:
    """Return whether a column has the labels of all regions."""
    return set(identities["label"]) <= set(keys_of(column) or [])


def _counts_from_background(column: ValueColumn, identities: Identities) -> bool:
    return counts_rows(keys_of(column) or [], (0,)) and 0 not in identities["label"]


def _agreeing(
    names: ValueColumn, labels: ValueColumn | None, table: ValueTable, identities: Identities
) -> ValueColumn:
    """Return the better of a column of names and one of labels; raise where they disagree."""
    numbers = keys_of(labels) if labels is not None else None
    if labels is None or numbers is None:
        return names
    rows_of = rows_by_key(identities)
    label_of = identities["label"]
    contradicted = [
        key
        for key, number in zip(names.cells, numbers, strict=True)
        if number not in {label_of[row] for row in rows_of.get(key, ())} and key in rows_of
    ]
    if counts_rows(numbers) and (contradicted or is_distinct(names)):
        return names
    if contradicted:
        raise _contradiction(names, labels, contradicted, table)
    n_known = sum(key in rows_of for key in names.cells)
    n_numbered = len(set(numbers).intersection(label_of))
    if len(set(label_of)) < len(label_of):  # hemispheres share them
        return names
    return labels if n_numbered > n_known or not is_distinct(names) else names


def _contradiction(
    chosen: ValueColumn, other: ValueColumn, keys: Sequence[Any], table: ValueTable
) -> MatchError:
    return MatchError(
        f"The columns {chosen.title!r} and {other.title!r} of {table.source} mean different "
        f"regions in {plural(len(keys), 'row')}: {examples(keys)}. "
        "Pass key= (--key) to name the one to go by."
    )


def _several_labels(columns: Sequence[ValueColumn], table: ValueTable) -> MatchError:
    one = len(columns) == 1
    index = " ('' is the index)" if any(c.is_index and c.title == "" for c in columns) else ""
    return MatchError(
        f"{plural(len(columns), 'column')} of {table.source} could be the labels: "
        f"{examples(titles_of(columns))}{index}. Pass key= (--key) to name the right one"
        f"{', or call it index: no title says that it holds labels' if one else ''}."
        f"{_alone(table)}"
    )


def _both_ways(table: ValueTable, column: ValueColumn | None) -> MatchError:
    title = "" if column is None else column.title
    what = f"its column {title!r}" if title else "its index"
    return MatchError(
        f"Both the titles of {table.source} and {what} name regions, so it may have one row or one "
        f"column per region. Pass key={title!r} for one row per region; for one column per region, "
        f"drop {what}."
    )


def _alone(table: ValueTable) -> str:
    is_alone = len(table.columns) == 1
    return (
        " A column that is alone goes by position if it has no header, or with by='position' "
        "(--by position)."
    ) * is_alone


def _no_key(table: ValueTable, identities: Identities) -> MatchError:
    return MatchError(
        f"{table.subject} has no column of regions: none of its columns "
        f"({examples(titles_of(table.columns))}) holds, and none of them is, a name or label. "
        f"Names: {examples(identities['name'])}. Labels: "
        f"{examples(identities['label'])}. Pass key= (--key) to name the column.{_alone(table)}"
    )
