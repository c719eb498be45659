"""Values of any kind to signals: tables, Series, mappings and arrays.

A *long* table has one row per region, a *key column* that says which, and one column of
numbers per map.  A *wide* table has one column per region, titled by its key, and one row per
map or time point.  Which it is, the judge in `keys` says, who knows the regions; numbers without
any title are an array, whose columns are the regions in ascending order of label.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.affixes import stripped
from ..atlas.choice import categorized, numbered
from ..atlas.hemispheres import is_hemisphere_title, side_of_word
from ..atlas.identities import ASKED, LABEL, Identities, Naming
from ..errors import MatchError, SignalsError, SignalsTypeError, examples, plural
from ..identity import by_problem
from ..signals import Key, Signals, as_array, as_keys, wrong_dimensions
from .arrays import (
    Asked,
    holds_numbers_alone,
    maps_in_columns,
    maps_in_rows,
    no_numbers,
    signals_by_position,
    signals_of_numbers,
    with_header,
)
from .cells import (
    are_distinct,
    check_exact,
    integer_of,
    is_missing,
    is_number_or_gap,
    numbers_with_gaps,
    text_of,
)
from .files import read_values
from .keys import (
    counts_rows,
    data_columns,
    find,
    holds_labels,
    keys_of,
    may_be_labels,
    may_be_map,
    naming_of_cells,
)
from .table import (
    AS_CATEGORIES,
    Column,
    Table,
    absent_rows,
    decoded,
    is_like_number,
    is_series,
    levels_of,
    table_of_series,
    text_error,
    titled_table,
    with_rows_keyed,
)
from .titles import is_map_title, label_rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..atlas.region_table import RegionTable

# Of text under the title of a region.
_NOT_WIDE = "; categories (categories=True, --categories) come in a column with a row per region"


def read(values: object, identities: Identities, asked: Asked) -> Signals:
    """Return the signals of values of any kind but CIFTI.

    Raises `MatchError` when no column and no header names regions, when two could, or when a key is
    missing; `SignalsError`, `SignalsTypeError` when there are no rows, no numbers, or text where
    numbers are needed.

    Parameters
    ----------
    values : dict, Series, DataFrame, array, Signals or path
    identities : Identities
        Of the regions by whose names and labels the keys of a table are found.
    asked : Asked
    """
    if isinstance(values, str | os.PathLike):
        values = read_values(os.fspath(values))
    elif is_labelled_array(values):
        asked = dataclasses.replace(asked, t_r=asked.t_r or step_of_time(values))
        values = unlabelled(values)
    elif asked.by != "position":
        values = with_rows_keyed(values)
    table = _table_of(values, asked.by)
    if table is not None:
        return signals_of(table, identities.stripping(asked.strip), asked)
    if asked.key is not None or asked.columns is not None:
        raise SignalsError(
            f"key= and columns= choose columns of a table; a {type(values).__name__} has none."
        )
    return asked_of(with_own_sides(_without_table(values), identities), asked, identities)


def _without_table(values: object) -> Signals:
    """Return the signals of what has no columns, and no index that says something."""
    if isinstance(values, Signals):
        return values
    if isinstance(values, Mapping):
        return _signals_of_mapping(values)
    # A Series is called by something also where its index says nothing.
    name = getattr(values, "name", None) if is_series(values) else None
    return Signals(array_of(values), map_names=[name] if isinstance(name, str) and name else None)


def asked_of(signals: Signals, asked: Asked, identities: Identities) -> Signals:
    """Return signals of no table with the repetition time and the keys that were asked for."""
    if asked.strip and signals.keys is not None:
        signals = signals.with_keys(identities.cut(signals.keys, asked.strip))
    return signals if asked.t_r is None else signals.with_t_r(asked.t_r)


def with_own_sides(signals: Signals, identities: Identities) -> Signals:
    """Return signals of which their regions, or the coverage beside a file, say the hemisphere."""
    regions = signals.coverage if signals.parcellation is None else signals.parcellation.table
    sides = None if regions is None else regions.sides
    return signals if sides is None else with_sides(signals, sides, identities)


def with_sides(
    signals: Signals, sides_of_keys: Sequence[str | None], identities: Identities
) -> Signals:
    """Return signals whose keys say their hemisphere where those alone may go to another one."""
    # Where no column says the hemispheres of regions, their names do, which keys are compared with.
    of_regions = identities.table.sides
    if signals.keys is None or of_regions is None:
        return signals
    keys: list[Key] = []
    rows_of_keys = identities.naming(signals.keys).rows
    for key, side, rows in zip(signals.keys, sides_of_keys, rows_of_keys, strict=True):
        sides = {of_regions[row] for row in rows}
        keys.append(f"{side}:{key}" if side and not sides <= {side, None} else key)
    return signals.with_keys(keys)


def _table_of(values: object, by: str) -> Table | None:
    """Return what has columns, or an index that says something, as a table; None for the rest."""
    if isinstance(values, Table):
        return values
    table = titled_table(values)
    if table is not None:
        return table
    if by == "position" or not is_series(values):
        return None
    table = table_of_series(values)
    # Of text, what is said of values that are no numbers is said of the array.
    is_keyed = bool(table.index) and not table.body[0].is_text
    return table if is_keyed else None


def signals_of(table: Table, identities: Identities, asked: Asked) -> Signals:
    """Return the signals that a table holds; see `read`."""
    if not table.body or not table.n_rows:
        raise SignalsError(f"{table.subject} is empty: it has no row or no column of values.")
    table = with_header(table, identities, asked.by)
    if asked.by == "position":
        return _by_position(table, identities, asked)
    problem = by_problem(asked.by, identities)
    if problem:
        raise MatchError(f"by={asked.by!r} (--by): {problem}.")
    may_be_array = asked.key is None and not table.has_header
    if may_be_array and holds_numbers_alone(table, identities):
        if not data_columns(table):
            raise no_numbers(table)
        return signals_of_numbers(table, identities, asked)
    table = _with_hemispheres(table, identities, asked.key)
    column, naming = _key_column(table, identities, asked)
    if column is None:
        return _wide_signals(table, identities, asked)
    return _long_signals(table, column, naming, identities, asked)


def _key_column(table: Table, identities: Identities, asked: Asked) -> tuple[Column | None, Naming]:
    """Return the column of keys, None for the titles, and which regions the keys name."""
    key = asked.key
    if key is None and asked.by in table.titles and asked.by not in ASKED:
        key = asked.by  # the column of that title holds what the regions are called by
    if key is None:
        best = find(table, identities, asked.by)
        return best.column, best.naming
    column = table.column(key)
    return column, naming_of_cells(column, identities, asked.by)


# --- categories ----------------------------------------------------------------------------------


def read_categories(values: Any, identities: Identities, asked: Asked) -> Signals:
    """Return values of any kind as the codes of categories, which the signals name; see `read`.

    A table has one column of text for them, or else one of integers, which are their own codes.
    """
    if isinstance(values, str | os.PathLike):
        values = read_values(os.fspath(values))
    values = _without_xarray(values)
    table = titled_table(values)
    if table is None and is_series(values) and asked.by != "position":
        # Text is a column of its table too, unlike where numbers are read.
        series = table_of_series(values)
        table = series if series.index else None
    column = None if table is not None else _column_of(values)
    if column is None:
        return as_categories(read(values if table is None else table, identities, asked))
    codes, categories = _coded(column)
    keys = as_keys(values) if isinstance(values, Mapping) else None
    return asked_of(Signals(codes, keys), asked, identities).changed(categories=categories)


def _without_xarray(values: Any) -> Any:
    """Return a DataArray of one dimension as a Series or an array, anything else as it is."""
    if is_labelled_array(values):
        values = one_variable(values)
    if not is_labelled_array(values) or values.ndim != 1:
        return values
    return values.to_series() if values.dims[0] in values.coords else values.to_numpy()


def _column_of(values: Any) -> Column | None:
    """Return cells without titles as a column, None where these are none."""
    is_mapping = isinstance(values, Mapping)
    is_list = isinstance(values, list | tuple) or len(getattr(values, "shape", ())) == 1
    if not (is_mapping or is_list):
        return None
    cells = list(values.values() if is_mapping else values)
    are_several = any(isinstance(cell, list | tuple | np.ndarray) for cell in cells)
    return None if are_several else Column("", cells, levels=levels_of(values))


def as_categories(signals: Signals) -> Signals:
    """Return signals whose values are integers as codes of categories.

    Raises `SignalsError` when there are several maps, or values are no codes.
    """
    if signals.categories is not None:
        return signals
    if signals.n_maps > 1:
        raise SignalsError(
            f"Categories are one map, and there are {signals.n_maps:,}: "
            f"{examples(signals.axis.titles(signals.n_maps))}. Choose one by columns= (--columns)."
        )
    codes, categories = numbered(signals.values[0])
    return signals.changed(
        values=codes[np.newaxis], categories=categories, coverage=None, parcellation=None
    )


def _by_position(table: Table, identities: Identities, asked: Asked) -> Signals:
    """Return values or categories in ascending order of label."""
    column = _category_column(table, None, asked)
    if column is None:
        return signals_by_position(table, identities, asked)
    return _in_column(column, table, asked)


def _category_column(table: Table, key_column: Column | None, asked: Asked) -> Column | None:
    """Return the column of categories where one is asked for; None where numbers are to say it."""
    if not asked.categories:
        return None
    if asked.columns is None:
        chosen = [column for column in table.body if column is not key_column]
        chosen = list(filter(_may_be_categories, chosen))
    else:
        chosen = [table.column(title) for title in asked.columns]
    if len(chosen) > 1:
        what = "has" if asked.columns is None else "is asked for"
        raise SignalsError(
            f"Categories are one column of text, and {table.source} {what} {len(chosen):,}: "
            f"{examples([column.title for column in chosen])}. Choose one: columns= (--columns)."
        )
    return chosen[0] if chosen else None


def _in_column(
    column: Column,
    table: Table,
    asked: Asked,
    keys: Sequence[Key] | None = None,
    labels: Sequence[int] | None = None,
) -> Signals:
    """Return a column of categories as their codes; rows are regions."""
    codes, categories = _coded(column)
    coded = Column(column.title, codes.tolist(), array=codes)
    return maps_in_columns([coded], table, asked, keys, labels).changed(categories=categories)


def _may_be_categories(column: Column) -> bool:
    """Return whether a column is of text, other than that of the hemispheres."""
    return column.is_text and not is_hemisphere_title(column.title)


def _coded(column: Column) -> tuple[NDArray[Any], RegionTable]:
    """Return the codes of a column, and their categories."""
    column = column.plain or column
    if not column.is_text:
        return numbered(np.asarray(column.numbers))
    texts = [None if is_missing(cell) else text_of(cell) for cell in column.cells]
    levels = None if column.levels is None else list(map(str, column.levels))
    return categorized(texts, levels)


# --- labelled arrays -----------------------------------------------------------------------------


def is_labelled_array(values: object) -> bool:
    """Return whether this is a DataArray of xarray, told by what it has."""
    return all(hasattr(values, name) for name in ("dims", "coords", "swap_dims", "to_pandas"))


def one_variable(array: Any) -> Any:
    """Return the variable of a Dataset of xarray, and a DataArray as it is.

    Raises
    ------
    SignalsError
        When it has several, or none.
    """
    variables = getattr(array, "data_vars", None)
    if variables is None:
        return array
    titles = list(variables)
    if len(titles) != 1:
        way = f". Choose one: values[{titles[0]!r}]" if titles else ""
        raise SignalsError(
            f"A Dataset of one variable is needed, and this one has {len(titles):,}: "
            f"{examples(titles) or 'none'}{way}."
        )
    return array[titles[0]]


def unlabelled(array: Any) -> Any:
    """Return a DataArray as what it is without xarray: a DataFrame or an array."""
    array = one_variable(array)
    if array.ndim not in (1, 2):
        raise wrong_dimensions(array.shape)
    for dimension in sorted(set(array.dims) - set(array.coords)):
        along = [str(title) for title, c in array.coords.items() if c.dims == (dimension,)]
        if along:
            raise SignalsError(
                f"The dimension {dimension!r} of the DataArray has no index; coordinates along it "
                f"are {examples(along)}. Choose one: values.swap_dims({dimension}={along[0]!r})."
            )
    dimensions = set(array.dims)
    of_maps = dimensions & {"time", "map"}
    indexed = sorted(dimensions.intersection(array.coords) - of_maps)
    if not indexed:
        return array.transpose(*of_maps, ...).to_numpy()
    # What has an index are titles, in one row too; of two indices either may name the regions.
    if array.ndim == 1:
        array = array.expand_dims(map=1 if array.name is None else [str(array.name)])
    table = array.transpose(..., indexed[-1]).to_pandas()
    # What merely counts is no index, and must not be called as one.
    return table if set(array.dims) <= set(array.coords) else table.rename_axis(index=None)


def step_of_time(array: Any) -> float | None:
    """Return the seconds from one point of a dimension ``time`` to the next, None if unknown."""
    time = array.coords.get("time")
    if time is None or time.dims != ("time",) or time.attrs.get("units") != "s":
        return None
    steps = np.diff(time.to_numpy())
    is_even = len(steps) > 0 and steps[0] > 0 and np.allclose(steps, steps[0])
    return float(steps[0]) if is_even else None


# --- what has no columns -------------------------------------------------------------------------


def array_of(values: Any) -> NDArray[Any]:
    """Return an array, a list or a Series as numbers, NaN where it says that there is none.

    Raises `SignalsError` when an integer would be rounded, or the rows differ in length;
    `SignalsTypeError` when it holds anything but numbers.
    """
    array = as_array(values)
    if isinstance(values, list | tuple | np.ndarray):
        return array  # what is wrong with it, the signals say
    if array.ndim == 0 and array.dtype == object:
        raise SignalsTypeError(
            f"Values cannot be read from a {type(values).__name__}. Give a dict, a Series, a "
            "DataFrame, an array, Signals or a path."
        )
    return _with_gaps(values, array)


def _with_gaps(series: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Return the array of a Series of any library, exact also where it has gaps.

    NumPy makes objects of numbers with gaps, or floats of integers, which may round them; the
    cells are what they were.
    """
    to_list = getattr(series, "to_pylist", None) or getattr(series, "to_list", None)
    if to_list is None or array.dtype.kind not in "fO":
        return array
    cells = to_list()
    if array.dtype.kind == "f" and not any(isinstance(cell, int) for cell in cells):
        return array
    return numbers_with_gaps(cells, "the values") if all(map(is_number_or_gap, cells)) else array


def _signals_of_mapping(values: Mapping[Any, Any]) -> Signals:
    """Return the signals of a mapping of keys to a number, or to one number per map."""
    rows = list(values.values())
    if rows and all(map(is_number_or_gap, rows)):
        array = numbers_with_gaps(rows, "the mapping")
    else:
        array = as_array(rows, row="region")
        # An integer may have been rounded when rows became one array.
        for made, (key, row) in zip(array, values.items(), strict=True):
            if getattr(row, "dtype", np.dtype(object)).kind != "f":
                cells = np.ravel(np.array(row, object)).tolist()
                check_exact(np.ravel(made), cells, f"the values of {key!r}")
    if array.ndim > 2:
        raise SignalsError(
            "Each region of a mapping needs one number, or one number per map; the values have "
            f"the shape {array.shape[1:]}."
        )
    return Signals(array.T, as_keys(map(decoded, values)))


# --- hemispheres ---------------------------------------------------------------------------------


def _with_hemispheres(table: Table, identities: Identities, key: Key | None) -> Table:
    """Return the table with the hemispheres that one of its columns gives before its keys.

    Keys that name a region of this hemisphere by themselves stay as they are, and so do all where
    the atlas does not know of hemispheres, and in rows of none, as those of the brain stem.
    """
    column_of_sides = _column_of_sides(table, identities)
    if column_of_sides is None:
        return table
    sides = list(map(side_of_word, column_of_sides.cells))
    labels = list(filter(may_be_labels, table.columns))
    to_be_sided = {column for column in table.columns if column.is_text}.union(labels)
    if key is not None:
        to_be_sided.add(table.column(key))
    elif identities.are_labels_unique:
        # Such labels need no hemisphere; but they must not be those of the other.
        for column in labels:
            _check_sides(table, column, column_of_sides, sides, identities)
        to_be_sided.difference_update(labels)
    to_be_sided.discard(column_of_sides)
    columns = [_sided(c, sides, identities) if c in to_be_sided else c for c in table.columns]
    return dataclasses.replace(table, columns=columns)


def _check_sides(
    table: Table, labels: Column, of_sides: Column, sides: Sequence[str | None], to: Identities
) -> None:
    """Raise where labels are those of regions of the other hemisphere."""
    texts = {column for column in table.columns if column.is_text} - {of_sides}
    if texts and counts_rows(labels.integers):
        return  # numbers of rows say nothing beside names
    rows_of_labels = to.naming(keys_of(labels, as_labels=True), LABEL).rows
    contradicted = []
    for label, side, rows in zip(labels.integers, sides, rows_of_labels, strict=True):
        side_of_region = to.side(rows[0]) if rows else None
        if None not in (side, side_of_region) and side != side_of_region:
            contradicted.append(f"{label}: {side}, but the region is {side_of_region}")
    if contradicted:
        raise MatchError(
            f"{table.subject} has labels in {labels.called} that its column {of_sides.title!r} "
            f"says are of the other hemisphere, in {plural(len(contradicted), 'row')}: "
            f"{examples(contradicted)}. Correct one of the two, or pass key= (--key)."
        )


def _column_of_sides(table: Table, identities: Identities) -> Column | None:
    """Return the column of hemispheres: by its title, or a level of an index that holds them.

    None where the regions are of none.
    """
    if not any(map(identities.side, range(len(identities.table)))):
        return None
    for column in table.columns:
        if is_hemisphere_title(column.title) and any(map(side_of_word, column.cells)):
            return column
    # A level alone is that of the regions, even if their names are words for hemispheres.
    levels = [column for column in table.index if all(map(side_of_word, column.cells))]
    return levels[0] if levels and len(table.index) > 1 else None


def _sided(column: Column, sides: Sequence[str | None], identities: Identities) -> Column:
    """Return a column of keys with their hemispheres before them, where they do not say them."""
    keys = stripped(keys_of(column, as_labels=column.are_integers), identities.strip)
    rows_of_keys = identities.naming(keys).rows
    cells = []
    for key, side, rows in zip(keys, sides, rows_of_keys, strict=True):
        says_it = len(rows) == 1 and identities.side(rows[0]) == side
        cells.append(key if side is None or key == "" or says_it else f"{side}:{key}")
    return Column(column.title, cells, column.is_index, plain=column)


# --- tables with titles --------------------------------------------------------------------------


def _wide_signals(table: Table, identities: Identities, asked: Asked) -> Signals:
    if asked.columns is not None:
        raise SignalsError(
            f"columns= chooses the maps of a table with one row per region; {table.source} "
            "has one column per region."
        )
    columns = data_columns(table)
    naming = identities.naming([column.title for column in columns], asked.by)
    # Text and numbers of subjects beside the regions name the maps; other numbers beside them are
    # keys without a region.
    kept = []
    keys: list[Key] = []
    for column, key, rows in zip(columns, naming.keys, naming.rows, strict=True):
        if not table.names_rows(column) or (rows and not column.is_text):
            kept.append(column)
            keys.append(key)
        elif rows:
            raise text_error(column, table, _NOT_WIDE)
    if not kept:
        raise no_numbers(table)
    if any(isinstance(key, str) for key in keys):
        keys = [str(key) for key in keys]  # titles of one table are of one kind
    return maps_in_rows(kept, table, asked, keys)


def _long_signals(
    table: Table, key_column: Column, naming: Naming, identities: Identities, asked: Asked
) -> Signals:
    empty = absent_rows(key_column.cells)
    if empty:
        raise MatchError(
            f"{plural(len(empty), 'row')} of {table.source} without a key in the column "
            f"{key_column.title!r}: {examples(empty)}. Fill in the region, or remove the row."
        )
    # Dates and the like have been written as text by now, and would pass for names.
    cells = key_column.cells
    as_keys([cell for cell in cells if not isinstance(cell, str) and integer_of(cell) is None])
    keys = list(naming.keys)
    _check_rows(key_column, keys, table)
    labels = _labels_beside(table, key_column) if isinstance(keys[0], str) else None
    column = _category_column(table, key_column, asked)
    if column is not None:
        return _in_column(column, table, asked, keys, labels)
    if asked.columns is None:
        maps = _maps_beside(key_column, table, naming.rows, identities)
        _check_no_map_is_lost(table, key_column)
    else:
        maps = [table.column(title) for title in asked.columns]
    if not maps:
        raise _no_values(table, key_column)
    return maps_in_columns(maps, table, asked, keys, labels)


def _maps_beside(
    key_column: Column, table: Table, rows: Sequence[list[int]], identities: Identities
) -> list[Column]:
    """Return the columns of values; one that is alone can only be that, whatever is in it."""
    beside_keys = [column for column in table.body if column is not key_column]
    maps = list(filter(may_be_map, beside_keys))
    if len(maps) > 1:
        maps = [column for column in maps if not column.is_empty]
    if not table.has_header:
        # Labels and numbers of rows need no title.
        maps = [c for c in maps if not _is_of_rows(c, rows, identities)] or maps[:1]
    return maps


def _labels_beside(table: Table, names: Column) -> list[int] | None:
    """Return the labels that stand beside names."""
    for column in table.columns:
        if column is not names and holds_labels(column):
            return [label for label in column.integers if label is not None]
    return None


def _is_of_rows(column: Column, rows: Sequence[list[int]], identities: Identities) -> bool:
    """Return whether a column without a title counts the rows, or copies the labels of regions."""
    if len(rows) > 1 and counts_rows(column.integers):
        return True
    labels = identities.table.labels
    pairs = zip(column.integers, rows, strict=True)
    copied = [number == labels[regions[0]] for number, regions in pairs if regions]
    return bool(copied) and all(copied)


def _check_rows(column: Column, keys: list[Key], table: Table) -> None:
    """Raise where most regions have several rows, which another column tells apart."""
    times = Counter(keys)
    n_twice = sum(count > 1 for count in times.values())
    others = [c for c in table.columns if c is not column and (c.is_text or is_map_title(c.title))]
    if n_twice > len(times) // 2 and others:
        key, count = times.most_common(1)[0]
        raise MatchError(
            f"{table.subject} has {count} rows per region: so often {key!r} stands in "
            f"{column.called}{_way_to_one_row(column, keys, others, table)}."
        )


def _way_to_one_row(
    column: Column, keys: Sequence[Key], others: Sequence[Column], table: Table
) -> str:
    """Return what to do about several rows per region, by a column that tells them apart."""
    for other in others:
        # One of networks, say, is the same in all rows of a region.
        if are_distinct(list(zip(keys, other.texts, strict=True))):
            return (
                f", and {other.called} tells its rows apart "
                f"({examples(dict.fromkeys(other.texts))}). Make each a map: "
                f"{_way_to_wide(column, other, table)}; or keep the rows of one"
            )
    return f". Keep one row of each, by {examples(other.title for other in others)}"


def _way_to_wide(column: Column, teller: Column, table: Table) -> str:
    """Return the line that makes a map of each row of a region."""
    beside = [c for c in table.body if c not in (column, teller) and may_be_map(c)]
    values = beside[0].title if beside else ""
    if teller.is_index:
        series = "values" if "Series" in table.source else f"frame[{values!r}]"
        return f"{series}.unstack({table.index.index(teller)})"
    line = f"pivot(index={column.title!r}, columns={teller.title!r}, values={values!r})"
    if not teller.is_text:
        line += f".add_prefix('{teller.title}_')"  # numbers may be labels
    if not table.is_file:
        return f"frame.{line}"
    read = f"pandas.read_csv({table.source!r}, sep=None, engine='python')"
    return f"python -c \"import pandas; {read}.{line}.to_csv('maps.tsv', sep='\\t')\""


def _check_no_map_is_lost(table: Table, key_column: Column) -> None:
    """Raise where a column of text is mostly numbers, and so rather a map with a slip."""
    for column in table.body:
        is_beside = column is not key_column and label_rank(column.title) < 2
        if not is_beside or not column.is_text:
            continue
        cells = [text.replace(",", ".") for text in column.texts if text is not None]
        n_numbers = sum(map(is_like_number, cells))
        if n_numbers and 2 * n_numbers >= len(cells):
            raise text_error(column, table, "; or pass columns= to paint others")


def _no_values(table: Table, key_column: Column) -> SignalsError:
    """Return the error for a long table without a column of numbers, with what it has instead."""
    texts, taken = [], []
    for column in table.body:
        if column is key_column:
            continue
        if column.is_text:
            texts.append(column)
        if column.are_integers:
            taken.append(column.title)
    hints = []
    if texts:
        shown = examples(filter(None, texts[0].texts))
        hints.append(
            f"{texts[0].title!r} holds text: {shown}. Values must be numbers{AS_CATEGORIES}."
        )
    if taken:
        hints.append(
            f"{examples(taken)} was taken for labels or subjects; pass columns= to paint it."
        )
    line = str(key_column.texts[0])
    if len(table.columns) == 1 and " " in line:
        hints.append(f"A line was read as one cell: {line!r}. Separate cells by tab, comma or "
                     "semicolon.")  # fmt: skip
    problem = (
        f"{table.subject} has no column of values beside its key column {key_column.title!r}; "
        f"its columns are {examples(table.titles)}."
    )
    return SignalsError(" ".join([problem, *hints]))
