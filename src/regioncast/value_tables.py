"""Tables of values, as people keep them, to signals.

A *long* table has one row per region, a *key column* that says which, and one column of
numbers per map.  A *wide* table has one column per region, titled by its key, and one row per
map or time point.  Which it is, and which column is the key, is found by looking for the
regions' names and labels, so it is decided here, where the regions are known.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import MatchError, SignalsError, capitalized, examples, plural
from .matching import (
    QUALIFIED_LABEL,
    QUALIFIED_NAME,
    as_integers,
    identities_of,
    integer_of,
    text_identities,
)
from .region_table import NO_ID, hemisphere_in_words, id_rank, is_hemisphere_title, normal_title
from .signals import MAP_TITLE, Key, Signals, as_keys, map_titles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from .region_table import RegionTable

# A first row 0, 1, 2, … that is this long counts columns; a shorter one may well be values.
_COUNTED = 3

# Titles of labels in region tables that in tables of values mostly stand for values.
_VALUE_TITLES = frozenset(["value", "intensity", "grayvalue", "greyvalue", "number", "num", "code"])


@dataclass(frozen=True, eq=False)
class ValueColumn:
    """One column of a table of values.

    Parameters
    ----------
    title : str or int
    cells : tuple
        As they are in the table; None where there is nothing.
    numbers : array or None
        The cells as numbers, NaN where there is nothing; None for text.
    is_index : bool, default=False
        Whether it is the index of a DataFrame, which may be a key and is never a value.
    """

    title: Key
    cells: tuple[Any, ...]
    numbers: NDArray[Any] | None
    is_index: bool = False

    def below_header(self, label: int | None) -> ValueColumn:
        """Return the column whose first cell is its title: a label, other text, or nothing."""
        first = self.cells[0]
        title = label if label is not None else "index" if first is None else str(first)
        numbers = None if self.numbers is None else self.numbers[1:]
        return ValueColumn(title, self.cells[1:], numbers, is_index=first is None)


@dataclass(frozen=True, eq=False)
class ValueTable:
    """Columns of one length, and the name of the table for messages.

    Parameters
    ----------
    columns : tuple of ValueColumn
    source : str
    has_header : bool or None, default=True
        None where the first row may be a header of numbers.
    """

    columns: tuple[ValueColumn, ...]
    source: str
    has_header: bool | None = True

    @property
    def subject(self) -> str:
        """The name of the table at the beginning of a sentence; files keep theirs."""
        is_file = not self.source.startswith(("the ", "standard "))
        return self.source if is_file else capitalized(self.source)

    def column(self, title: Key) -> ValueColumn:
        """Return the column of this title; raise `MatchError` listing those there are."""
        found = [column for column in self.columns if column.title == title]
        if len(found) != 1:
            raise MatchError(
                f"{self.subject} has {_counted(len(found))} {title!r}; "
                f"its columns are {examples(_titles(self.columns), show=20)}."
            )
        return found[0]


def numbers_with_gaps(cells: Sequence[Any], what: str) -> NDArray[Any]:
    """Return Python numbers as an array, NaN for None.

    Raises
    ------
    SignalsError
        When a gap makes floats of integers that a float cannot hold.

    Examples
    --------
    >>> numbers_with_gaps([1, None, 3], "the column 'n'")
    array([ 1., nan,  3.])
    """
    numbers = np.array([np.nan if cell is None else cell for cell in cells])
    if numbers.dtype == object:
        large = [cell for cell in cells if cell is not None and abs(cell) > np.iinfo(np.int64).max]
        raise SignalsError(
            f"{plural(len(large), 'integer')} in {what} beyond 64 bits: {examples(large)}. "
            "Rescale the values."
        )
    return _one_dtype(numbers, cells, what)


def signals_of(
    table: ValueTable,
    regions: RegionTable,
    *,
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    t_r: float | None = None,
) -> Signals:
    """Return the signals that a table holds.

    Parameters
    ----------
    table : ValueTable
    regions : RegionTable
        The regions that keys are looked for in.
    key : str or int, default=None
        Title of the key column, which makes the table a long one; found when not given.
    columns : str, int or sequence of them, default=None
        Titles of the columns of a long table that become maps; all columns of numbers, other
        than labels, when not given.
    t_r : float, default=None
        Repetition time in seconds, where the maps are time points.

    Raises
    ------
    MatchError
        When no column and no header names regions, when two could, or when a key is missing.
    SignalsError
        When there are no rows, no numbers, or text where numbers are needed.
    """
    if not table.columns or not len(table.columns[0].cells):
        raise SignalsError(f"{table.subject} is empty: it has no row of values.")
    if table.has_header is None:
        table = _with_labels_as_header(_without_counting_header(table, regions), regions)
    if key is None and not table.has_header and _holds_an_array(table):
        return _array_signals(table, regions, t_r)
    if regions.hemispheres is not None:
        table = _with_hemispheres(table, key, regions)
    key_column = _key_column(table, regions) if key is None else table.column(key)
    if key_column is None:
        if columns is not None:
            raise SignalsError(
                f"columns= chooses the maps of a table with one row per region; {table.source} "
                "has one column per region."
            )
        return _wide_signals(table, identities_of(regions), t_r)
    return _long_signals(table, key_column, columns, t_r)


def _with_hemispheres(table: ValueTable, key: Key | None, regions: RegionTable) -> ValueTable:
    """Return the table with the hemispheres that one of its columns gives before its keys.

    Rows of which it gives none, as those of the brain stem, keep their keys, and so do those
    whose keys name a region of this hemisphere by themselves.
    """
    given = _hemisphere_column(table)
    n_rows = len(table.columns[0].cells)
    sides = (
        [None] * n_rows if given is None else [hemisphere_in_words(cell) for cell in given.cells]
    )
    # Hemispheres may share labels, so these need not be distinct to be labels.
    columns = tuple(
        _prefixed(c, sides, regions)
        if c is not given
        and (c.numbers is None or c.title == key or (_is_label_title(c.title) and _keys(c)))
        else c
        for c in table.columns
    )
    return dataclasses.replace(table, columns=columns)


def _hemisphere_column(table: ValueTable) -> ValueColumn | None:
    for column in table.columns:
        if is_hemisphere_title(column.title) and any(map(hemisphere_in_words, column.cells)):
            return column
    return None


def _prefixed(
    column: ValueColumn, sides: Sequence[str | None], regions: RegionTable
) -> ValueColumn:
    identities = identities_of(regions)
    with_prefix = {*identities[QUALIFIED_NAME], *identities[QUALIFIED_LABEL]}
    keys = column.cells if column.numbers is None else _keys(column) or column.cells
    side_of = _hemispheres_by_key(keys, regions, identities) if column.numbers is None else {}

    def cell(key: Any, side: str | None) -> str | None:
        if key is None:
            return None
        prefixed = f"{side}:{key}"
        is_whole = prefixed not in with_prefix and side_of.get(key) == side
        return prefixed if side and not is_whole else str(key)

    cells = tuple(map(cell, keys, sides))
    return dataclasses.replace(column, cells=cells, numbers=None)


def _hemispheres_by_key(
    keys: Sequence[Any], regions: RegionTable, identities: Mapping[str, Sequence[Any]]
) -> dict[Any, str]:
    """Return the hemispheres of regions by what most of the keys are."""
    best = max(text_identities(identities), key=lambda t: len(set(keys) & set(identities[t])))
    return dict(zip(identities[best], regions.hemispheres or (), strict=True))


def _without_counting_header(table: ValueTable, regions: RegionTable) -> ValueTable:
    """Return the table without a first row that counts the columns, as pandas writes it."""
    first = table.columns[0]
    leads = first.cells[0] is None or first.numbers is None
    counting = table.columns[1:] if leads else table.columns
    counted = [column.cells[0] for column in counting] == [str(n) for n in range(len(counting))]
    is_row = leads and str(first.cells[0]) in regions.names
    are_few = len(counting) < _COUNTED and first.cells[0] != MAP_TITLE
    if not counted or is_row or are_few or len(first.cells) < 2:
        return table
    lead = (first.below_header(None),) if leads else ()
    below = tuple(column.below_header(number) for number, column in enumerate(counting))
    return ValueTable((*lead, *below), table.source, has_header=False)


def _with_labels_as_header(table: ValueTable, regions: RegionTable) -> ValueTable:
    """Return the table with its first row as header, where that row lists labels of regions.

    A first row of labels over numbers looks like one more row of numbers, until the regions
    are known.
    """
    if not table.has_header and table.has_header is not None:
        return table
    labels = set(regions.labels.tolist())
    first = [integer_of(str(column.cells[0])) for column in table.columns]
    given = [label for label in first if label is not None]
    names = set(regions.names)
    if (
        len(given) < 2
        or len(table.columns[0].cells) < 2
        or len(set(given)) < len(given)
        or not labels.issuperset(given)
        or any(names.intersection(map(str, c.cells)) for c in table.columns if c.numbers is None)
    ):
        return table
    if len(given) == len(first) == len(regions) and all(map(_holds_integers, table.columns)):
        raise MatchError(
            f"The first row of {table.source} may be a header of labels, or a row of integers like "
            "the others. Write the numbers with decimal points, or give the regions a header."
        )
    pairs = zip(table.columns, first, strict=True)
    columns = tuple(column.below_header(label) for column, label in pairs)
    return ValueTable(columns, table.source)


def _holds_an_array(table: ValueTable) -> bool:
    """Return whether all columns are numbers, but for the names of the maps."""
    return all(c.numbers is not None or c.title == MAP_TITLE for c in table.columns)


def _map_names(columns: Sequence[ValueColumn]) -> list[str] | None:
    """Return the names of the maps that a wide table has in a column of its own, if it has."""
    found = [c for c in columns if c.title == MAP_TITLE and c.numbers is None]
    names = [str(cell) for cell in found[0].cells] if found else []
    return None if names in ([], map_titles(len(names))) else names


def _holds_integers(column: ValueColumn) -> bool:
    return column.numbers is not None and column.numbers.dtype.kind in "iu"


def _array_signals(table: ValueTable, regions: RegionTable, t_r: float | None) -> Signals:
    """Return the signals of a table of numbers without a header: by position, or (label, value)."""
    columns = [c for c in table.columns if not c.is_index and c.numbers is not None]
    numbers = [column.numbers for column in columns if column.numbers is not None]
    labels = _keys(columns[0])
    if len(numbers) == 2 and labels and set(labels) <= set(regions.labels.tolist()):
        if len(regions) == 2:
            raise MatchError(
                f"{table.subject} may hold labels and values, or one column for each "
                "of 2 regions. Give it a header."
            )
        return Signals(numbers[1], labels, t_r=t_r)
    values = np.column_stack(numbers)
    if values.shape[1] == 1:
        return Signals(values[:, 0], t_r=t_r)
    single = len(values) == 1
    return Signals(values, map_names=_map_names(table.columns), t_r=t_r, single=single)


def _key_column(table: ValueTable, regions: RegionTable) -> ValueColumn | None:
    """Return the column that names regions, or None where the titles do.

    Names come before labels, and labels count only where a title says that they are some, or
    where nothing else could be the key: any ranks or counts look like labels.
    """
    identities = identities_of(regions)
    text = [c for c in table.columns if c.numbers is None]
    numbered = [c for c in table.columns if _is_label_column(c)]
    by_name, by_label = _most_hits(text, identities), _most_hits(numbered, identities)
    titles = [c.title for c in table.columns if not c.is_index and table.has_header]
    are_names = _n_named([title for title in titles if integer_of(str(title)) is None], identities)
    are_labels = _n_named([t for t in titles if integer_of(str(t)) is not None], identities)
    if (are_names and by_name) or (are_labels and by_label and not by_name):
        raise _both_ways(table, by_name or by_label)
    if by_name is not None:
        _check_names_agree(by_name, text, table, identities)
        return _agreeing(by_name, by_label, table, regions)
    if are_names or are_labels:
        return None
    if by_label is not None:
        _check_labels_agree(by_label, numbered, table, identities)
        return by_label
    return _only_candidate(table, identities)


def _most_hits(
    columns: Sequence[ValueColumn], identities: Mapping[str, Sequence[Any]]
) -> ValueColumn | None:
    """Return the column that names most regions, one of different cells before others."""
    found = [(c, _n_named(_keys(c), identities)) for c in columns]
    hits = [(_is_distinct(c), count, c) for c, count in found if count]
    return max(hits, key=lambda hit: hit[:2])[2] if hits else None


def _check_names_agree(
    chosen: ValueColumn,
    columns: Sequence[ValueColumn],
    table: ValueTable,
    identities: Mapping[str, Sequence[Any]],
) -> None:
    """Raise where another column names other regions, as one of neighbours or homologues does.

    Not where it names the same one in all rows, as a seed is: that cannot be the key.
    """
    others = [c for c in columns if c is not chosen and _n_named(_keys(c), identities) > 1]
    if not others:
        return
    regions_of: dict[Any, set[int]] = {}
    for title in text_identities(identities):
        for row, cell in enumerate(identities[title]):
            regions_of.setdefault(cell, set()).add(row)
    for other in others:
        contradicted = [
            key
            for key, also in zip(chosen.cells, other.cells, strict=True)
            if {key, also} <= regions_of.keys() and regions_of[key].isdisjoint(regions_of[also])
        ]
        if contradicted:
            raise _contradiction(chosen, other, contradicted, table)


def _check_labels_agree(
    chosen: ValueColumn,
    columns: Sequence[ValueColumn],
    table: ValueTable,
    identities: Mapping[str, Sequence[Any]],
) -> None:
    """Raise where another column could be the labels too, as a sorted index that was reset."""
    from_zero = list(range(len(chosen.cells)))  # counts rows: no labels begin with the background
    others = [
        c
        for c in columns
        if _keys(c) not in (_keys(chosen), from_zero) and _n_named(_keys(c), identities)
    ]
    if others:
        raise _several_labels([chosen, *others], table)


def _contradiction(
    chosen: ValueColumn, other: ValueColumn, keys: Sequence[Any], table: ValueTable
) -> MatchError:
    return MatchError(
        f"The columns {chosen.title!r} and {other.title!r} of {table.source} mean different "
        f"regions in {plural(len(keys), 'row')}: {examples(keys)}. "
        "Pass key= to name the one to go by."
    )


def _several_labels(columns: Sequence[ValueColumn], table: ValueTable) -> MatchError:
    return MatchError(
        f"{plural(len(columns), 'column')} of {table.source} could be the labels: "
        f"{examples(_titles(columns))}. Pass key= to name the right one."
    )


def _agreeing(
    names: ValueColumn, labels: ValueColumn | None, table: ValueTable, regions: RegionTable
) -> ValueColumn:
    """Return the better of a column of names and one of labels; raise where they disagree."""
    numbers = _keys(labels) if labels is not None else None
    keys = names.cells
    if labels is None or numbers is None or _counts_rows(numbers):
        return names
    label_of = dict(zip(regions.names, regions.labels.tolist(), strict=True))
    pairs = list(zip(keys, numbers, strict=True))
    contradicted = [key for key, number in pairs if label_of.get(key, number) != number]
    if contradicted and len(label_of) == len(regions):
        raise _contradiction(names, labels, contradicted, table)
    n_known = sum(key in label_of for key in keys)
    n_numbered = len(set(numbers).intersection(regions.labels.tolist()))
    return labels if n_numbered > n_known and len(label_of) == len(regions) else names


def _only_candidate(table: ValueTable, identities: Mapping[str, Sequence[Any]]) -> ValueColumn:
    """Return the one column that could be the key where no name or title says so."""
    text = [c for c in table.columns if c.numbers is None and _is_distinct(c)]
    if text:
        return text[0]
    numbers = [c for c in table.columns if c.numbers is not None and _is_distinct(c)]
    candidates = [c for c in numbers if _n_named(_keys(c), identities)]
    if len(candidates) == 1:
        return candidates[0]
    titles = examples(_titles(candidates or table.columns))
    if candidates:
        raise _several_labels(candidates, table)
    raise MatchError(
        f"{table.subject} has no column of regions: none of its columns ({titles}) "
        "holds, and none of them is, a name or label. "
        f"Names: {examples(identities['name'])}. Labels: "
        f"{examples(identities['label'])}. Pass key= to name the column."
    )


def _both_ways(table: ValueTable, column: ValueColumn | None) -> MatchError:
    title = "" if column is None else column.title
    what = f"its column {title!r}" if title else "its index"
    return MatchError(
        f"Both the titles of {table.source} and {what} name regions, so it may have one row or one "
        f"column per region. Pass key={title!r} for one row per region; for one column per region, "
        f"drop {what}."
    )


def _n_named(keys: Sequence[Key] | None, identities: Mapping[str, Sequence[Any]]) -> int:
    """Return how many regions these keys name, in the column that has most of them."""
    if not keys:
        return 0
    integers = as_integers(keys)
    columns = [identities["label"]] if integers else []
    if any(isinstance(key, str) for key in keys):
        columns += [identities[title] for title in text_identities(identities)]
    wanted = {*keys, *(integers or [])}
    return max((len(wanted.intersection(column)) for column in columns), default=0)


def _is_distinct(column: ValueColumn) -> bool:
    keys = _keys(column)
    return keys is not None and len(set(keys)) == len(keys) == len(column.cells)


def _is_label_column(column: ValueColumn) -> bool:
    return column.numbers is not None and _is_label_title(column.title) and _is_distinct(column)


def _counts_rows(numbers: Sequence[Key]) -> bool:
    """Return whether numbers count rows, from 0 or from 1, and so say nothing of regions."""
    return list(numbers) in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))


def _wide_signals(
    table: ValueTable, identities: Mapping[str, Sequence[Any]], t_r: float | None
) -> Signals:
    map_names = _map_names(table.columns)
    is_names = [c.title == MAP_TITLE and c.numbers is None for c in table.columns]
    pairs = zip(table.columns, is_names, strict=True)
    columns = [column for column, names_maps in pairs if not (column.is_index or names_maps)]
    named = {key for column in identities.values() for key in column}
    text = [c for c in columns if c.numbers is None and c.title in named]
    if text:
        raise _text_error(text[0], table)
    # Text beside the regions is no value, but its title is reported as a key without region.
    n_rows = len(columns[0].cells)
    nothing = np.zeros(n_rows, np.uint8)
    values = _stacked([(c.title, nothing if c.numbers is None else c.numbers) for c in columns]).T
    return Signals(values, _titles(columns), map_names=map_names, t_r=t_r, single=n_rows == 1)


def _long_signals(
    table: ValueTable,
    key_column: ValueColumn,
    columns: Key | Sequence[Key] | None,
    t_r: float | None,
) -> Signals:
    keys = _complete_keys(key_column, table)
    if columns is None:
        chosen = [c for c in table.columns if _is_value(c, key_column)]
        _check_no_map_is_lost(table, key_column)
    else:
        titles = [columns] if isinstance(columns, str | int) else list(columns)
        chosen = [table.column(title) for title in titles]
    if not chosen:
        labels = _titles(c for c in table.columns if _is_label_column(c) and c is not key_column)
        taken = f" {examples(labels)} was taken for labels; pass columns= to paint it." * bool(
            labels
        )
        text = [c for c in table.columns if c.numbers is None and c is not key_column]
        shown = [cell for c in text[:1] for cell in c.cells if cell is not None]
        held = f" {text[0].title!r} holds text: {examples(shown)}." * bool(shown)
        raise SignalsError(
            f"{table.subject} has no column of values beside its key column {key_column.title!r}; "
            f"its columns are {examples(_titles(table.columns))}.{held}{taken}"
        )
    values = _stacked([(column.title, _numbers(column, table)) for column in chosen])
    numbered = [c for c in table.columns if _is_label_column(c) and c is not key_column]
    numbers = _keys(numbered[0]) if numbered and isinstance(keys[0], str) else None
    return Signals(
        values[0] if len(chosen) == 1 else values,
        keys,
        labels=as_integers(numbers) if numbers else None,
        map_names=[str(column.title) for column in chosen],
        t_r=t_r,
    )


def _check_no_map_is_lost(table: ValueTable, key_column: ValueColumn) -> None:
    """Raise where a column would be left out as text that is numbers but for some cells."""
    for column in table.columns:
        if column is key_column or column.numbers is not None or _is_label_title(column.title):
            continue
        given = [cell for cell in column.cells if cell is not None]
        like_numbers = [cell for cell in given if _is_number(str(cell).replace(",", "."))]
        if like_numbers and not column.is_index and 2 * len(like_numbers) >= len(given):
            raise _text_error(column, table, "; or pass columns= to paint others")


def _is_number(text: str) -> bool:
    """Return whether text is a number or says that there is none."""
    try:
        float(text)
    except ValueError:
        return text.strip().lower() in ("na", "n/a")
    return "_" not in text


def _is_value(column: ValueColumn, key_column: ValueColumn) -> bool:
    """Return whether a column of a long table holds values, rather than says who regions are."""
    if column is key_column or column.is_index or column.numbers is None:
        return False
    # By its title alone: values may happen to be labels.
    return not _is_label_column(column)


def _stacked(columns: Sequence[tuple[Key, NDArray[Any]]]) -> NDArray[Any]:
    """Return columns as rows of one array, in a dtype that holds them all."""
    stacked = np.stack([numbers for _, numbers in columns])
    for (title, numbers), row in zip(columns, stacked, strict=True):
        if numbers.dtype.kind in "iu":
            _one_dtype(row, numbers.tolist(), f"the column {title!r}")
    return stacked


def _one_dtype(numbers: NDArray[Any], cells: Sequence[Any], what: str) -> NDArray[Any]:
    """Return numbers made of cells, if no integer was rounded on the way."""
    if numbers.dtype.kind == "f":
        pairs = zip(numbers.tolist(), cells, strict=True)
        rounded = [cell for made, cell in pairs if isinstance(cell, int) and made != cell]
        if rounded:
            raise SignalsError(
                f"{plural(len(rounded), 'integer')} in {what} cannot be held by "
                f"{numbers.dtype}, which gaps or other values need: {examples(rounded)}. "
                "Fill the gaps, or give the columns one by one."
            )
    return numbers


def _complete_keys(column: ValueColumn, table: ValueTable) -> list[Key]:
    empty = [row for row, cell in enumerate(column.cells, start=1) if cell in (None, "")]
    if empty:
        raise MatchError(
            f"{plural(len(empty), 'row')} of {table.source} without a key in the column "
            f"{column.title!r}: {examples(empty)}. Fill in the region, or remove the row."
        )
    keys = _keys(column) if column.numbers is not None else as_keys(column.cells)
    if keys is None:
        raise MatchError(
            f"The key column {column.title!r} of {table.source} holds neither names nor integer "
            f"labels: {examples(column.cells)}."
        )
    return keys


def _keys(column: ValueColumn) -> list[Key] | None:
    """Return the cells as keys: text, or integers; None where they are neither."""
    if column.numbers is None:
        return [cell for cell in column.cells if isinstance(cell, str) and cell]
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(column.numbers) & (column.numbers == np.rint(column.numbers))
    if column.numbers.dtype.kind not in "iuf" or not whole.all():
        return None
    return [int(number) for number in column.numbers.tolist()]


def _numbers(column: ValueColumn, table: ValueTable) -> NDArray[Any]:
    if column.numbers is None:
        raise _text_error(column, table)
    return column.numbers


def _text_error(column: ValueColumn, table: ValueTable, way_out: str = "") -> SignalsError:
    given = [str(cell) for cell in column.cells if cell is not None]
    text = dict.fromkeys(cell for cell in given if not _is_number(cell))
    return SignalsError(
        f"The column {column.title!r} of {table.source} holds text: {examples(text or given)}. "
        f"Values must be numbers; write n/a where there is none{way_out}."
    )


def _counted(n_columns: int) -> str:
    return plural(n_columns, "column") if n_columns else "no column"


def _is_label_title(title: Key) -> bool:
    return id_rank(str(title)) < NO_ID and normal_title(str(title)) not in _VALUE_TITLES


def _titles(columns: Iterable[ValueColumn]) -> list[Key]:
    return [column.title for column in columns]
