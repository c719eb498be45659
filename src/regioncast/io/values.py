"""Signals: from values of any kind, and to files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import (
    ArgumentError,
    FileFormatError,
    SignalsError,
    examples,
    plural,
)
from ..files import check_output, expanded
from ..formats import suffix_of, suffixes
from ..signals import Key, Signals, as_array, as_keys
from ..tables import value_files
from ..tables.frames import counts_rows
from ..tables.values import (
    ValueTable,
    check_exact,
    is_number_or_gap,
    numbers_with_gaps,
    signals_of,
)
from .cifti import painted as cifti
from .cifti import parcels as cifti_parcellations
from .cifti.matrix import is_cifti

if TYPE_CHECKING:
    from ..atlas.parcellation import Parcellation
    from ..atlas.region_table import RegionTable
    from ..formats import Use


Values = Any
"""A dict, a Series, a DataFrame, an array, `Signals` or a path."""


def read_signals(
    values: Values,
    regions: RegionTable,
    *,
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    t_r: float | None = None,
    by: str = "auto",
) -> Signals:
    """Return the signals of values of any kind.

    Parameters
    ----------
    values : dict, Series, DataFrame, array, Signals or path
    regions : RegionTable
        By whose names and labels the key column of a table is found.
    key, columns : str or int, or several, optional
        Columns of a table.
    t_r : float, optional
        Repetition time in seconds, instead of what the values say.
    by : str, default="auto"
        What keys are to be, as in `matching.match`.
    """
    if is_cifti(values):
        found = _maps_of_parcels(values, key, columns)
        return found if t_r is None else found.with_t_r(t_r)
    if isinstance(values, str | os.PathLike):
        values = value_files.read_values(os.fspath(values))
    elif _is_frame(values):
        values = value_files.table_of_frame(values)
    if isinstance(values, ValueTable):
        return signals_of(values, regions, key=key, columns=columns, by=by, t_r=t_r)
    if key is not None or columns is not None:
        raise SignalsError(
            f"key= and columns= choose columns of a table; a {type(values).__name__} has none."
        )
    if isinstance(values, Signals):
        return values if t_r is None else values.with_t_r(t_r)
    if isinstance(values, Mapping):
        return _signals_of_mapping(values, t_r)
    array = value_files.array_of_series(values)
    if _is_keyed_series(values):
        return Signals(array, as_keys(values.index), t_r=t_r)
    return Signals(array, t_r=t_r)


def _maps_of_parcels(values: Any, key: Key | None, columns: Key | Sequence[Key] | None) -> Signals:
    """Return the signals of a file of parcels, or the maps of these names."""
    found = cifti_parcellations.read_parcel_signals(values)
    if key is not None:
        raise SignalsError("key= is for tables; the names of parcels are the keys of this file.")
    if columns is None:
        return found
    wanted = [columns] if isinstance(columns, str | int) else list(columns)
    names = found.map_names or ()
    unknown = [name for name in wanted if name not in names]
    if unknown or not wanted:
        raise SignalsError(
            f"There is no map {examples(unknown) or ''} among the {plural(found.n_maps, 'map')} of "
            f"the file: {examples(names) if names else 'they have no names'}."
        )
    rows = [names.index(str(name)) for name in wanted]
    return Signals(
        found.values[rows],
        found.keys,
        map_names=[names[row] for row in rows],
        single=len(rows) == 1,
    )


def _signals_of_mapping(values: Mapping[Any, Any], t_r: float | None) -> Signals:
    listed = list(values.values())
    if listed and all(is_number_or_gap(value) for value in listed):
        array = numbers_with_gaps(listed, "the mapping")
    else:
        array = as_array(listed, row="region")
        for key, value in values.items():
            check_exact(array.dtype, value, f"the values of {key!r}")
    if array.ndim > 2:
        raise SignalsError(
            "Each region of a mapping needs one number, or one number per map; the values have "
            f"the shape {array.shape[1:]}."
        )
    return Signals(array.T, as_keys(values), t_r=t_r)


def _is_frame(values: object) -> bool:
    """Return whether this is a DataFrame of pandas or polars, or a pyarrow table."""
    kind = type(values)
    if kind.__name__ == "LazyFrame":
        raise SignalsError("A LazyFrame has no values yet: call its collect() first.")
    return hasattr(kind, "columns") and hasattr(kind, "shape")


def _is_keyed_series(values: object) -> bool:
    """Return whether this is a pandas Series with an index that does more than count."""
    index = getattr(values, "index", None)
    if not hasattr(values, "to_numpy") or not hasattr(index, "get_level_values"):
        return False
    return not counts_rows(index)


def save_signals(signals: Signals, output: Path, *, long: bool, overwrite: bool) -> None:
    """Write signals as a table, or with the vertices and voxels of their regions as CIFTI."""
    _check_not_long(output, long=long)
    if suffix_of(output) in suffixes("signals", "cifti"):
        cifti.save_parcels(signals, _parcellation_of(signals), output, overwrite=overwrite)
    else:
        value_files.write_signals(signals, output, long=long, overwrite=overwrite)


def _check_not_long(output: Path, *, long: bool) -> None:
    if long and suffix_of(output) in (".npy", *suffixes("signals", "cifti")):
        raise ArgumentError(
            f"long=True (--long) is for tables, and {output.name!r} is none. Leave it out."
        )


def check_table_output(
    path: Path, use: Use = "signals", *, overwrite: bool, long: bool = False
) -> None:
    """Raise where signals or coverage cannot be written under this name, before they are made."""
    _check_not_long(expanded(path), long=long)
    if use == "signals" and suffix_of(expanded(path)) in suffixes("signals", "cifti"):
        check_output(expanded(path), overwrite=overwrite)
        return
    value_files.check_table_output(expanded(path), use, overwrite=overwrite)


def _parcellation_of(signals: Signals) -> Parcellation:
    if signals.parcellation is None:
        raise FileFormatError(
            f"Files of parcels ({', '.join(suffixes('signals', 'cifti'))}) hold the vertices and "
            "voxels of each region, and these signals do not know theirs. Save what extract "
            "returns, or paint the values and save the painting under this name."
        )
    return signals.parcellation
