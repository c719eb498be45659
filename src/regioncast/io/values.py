"""Signals: from values of any kind, and to files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, FileFormatError, SignalsError, examples, plural
from ..files import check_output, expanded
from ..formats import suffix_of, suffixes
from ..signals import Key, Signals
from ..tables import write
from ..tables.values import Asked, read
from .cifti import painted as cifti
from .cifti import parcels as cifti_parcellations
from .cifti.matrix import is_cifti

if TYPE_CHECKING:
    from ..atlas.parcellation import Parcellation
    from ..formats import Use
    from ..identity import Identities


Values = Any
"""A dict, a Series, a DataFrame, an array, `Signals` or a path."""


def read_signals(values: Values, identities: Identities, asked: Asked) -> Signals:
    """Return the signals of values of any kind."""
    if is_cifti(values):
        found = _maps_of_parcels(values, asked.key, asked.columns)
        return found if asked.t_r is None else found.with_t_r(asked.t_r)
    return read(values, identities, asked)


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


def save_signals(signals: Signals, output: Path, *, long: bool, overwrite: bool) -> None:
    """Write signals as a table, or with the vertices and voxels of their regions as CIFTI."""
    _check_not_long(output, long=long)
    if suffix_of(output) in suffixes("signals", "cifti"):
        cifti.save_parcels(signals, _parcellation_of(signals), output, overwrite=overwrite)
    else:
        write.write_signals(signals, output, long=long, overwrite=overwrite)


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
    write.check_table_output(expanded(path), use, overwrite=overwrite)


def _parcellation_of(signals: Signals) -> Parcellation:
    if signals.parcellation is None:
        raise FileFormatError(
            f"Files of parcels ({', '.join(suffixes('signals', 'cifti'))}) hold the vertices and "
            "voxels of each region, and these signals do not know theirs. Save what extract "
            "returns, or paint the values and save the painting under this name."
        )
    return signals.parcellation
