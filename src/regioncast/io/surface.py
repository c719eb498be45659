"""Surfaces: parcellations and maps of one hemisphere or both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import (
    DimensionError,
    LabelsError,
    RegionTableError,
    RegionTableWarning,
    capitalized,
    examples,
    plural,
    warn,
)
from ..no_region import no_region_labels
from ..parcellation import Parcellation, encode_integers
from ..region_table import HEMISPHERE_TITLE, RegionTable, hemisphere_in_words, normal_title
from ..spaces import HEMISPHERE_NAMES, LEFT, RIGHT, UNKNOWN, SurfaceVertices
from .maps import MapsInMemory
from .painted_surface import PaintedSurface, painted_surface, save_surface
from .surface_files import Side, hemisphere_of, is_surface, read_sides, sides_of
from .surface_names import (
    output_paths,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..encoding import Encoded

# What other modules need of surfaces, in one place.
__all__ = [
    "PaintedSurface",
    "hemisphere_of",
    "is_surface",
    "open_surface_maps",
    "output_paths",
    "painted_surface",
    "read_parcellation",
    "save_surface",
    "sides_of",
]


# --- labels in -------------------------------------------------------------------------------


def read_parcellation(
    source: Any, *, regions: RegionTable | None, background: float | None, strict: bool
) -> Parcellation:
    """Return the regions of a surface or a pair.

    Parameters
    ----------
    source : path, mapping, pair or image
        See `sides_of`.
    regions : RegionTable or None
        Instead of the label table or colour table of the files.  Where it says of which
        hemisphere a row is, the row goes there; else to each that has its label.
    background : number or None
        The label of no region.  None: those whose names say so, and 0 where it has no name.
    strict : bool
        Raise where table and files do not list the same regions, instead of warning.

    Raises
    ------
    LabelsError, RegionTableError, SpaceError, FileFormatError, ImageTypeError
    """
    sides, space = read_sides(source, "the labels image")
    labels = {side: _labels(one) for side, one in sides.items()}
    _check_named(sides, regions)
    tables = _tables(sides, labels, regions, strict=strict)
    none = {side: _no_region(one, tables[side], background) for side, one in sides.items()}
    encoded = {side: _encoded(labels[side], none[side], side) for side in sides}
    some = any(len(one.labels) for one in encoded.values())
    parts = {
        side: _one_parcellation(one, tables[side], none[side], strict=strict, may_be_empty=some)
        for side, one in encoded.items()
    }
    # Of one hemisphere too, so that its regions know which it is.
    joined = parts[UNKNOWN] if UNKNOWN in parts else Parcellation.joined(parts)
    return dataclasses.replace(joined, space=space)


def _labels(side: Side) -> NDArray[Any]:
    if len(side.values) != 1:
        raise DimensionError(
            f"The labels have {plural(len(side.values), 'map')}"
            f"{f' ({examples(side.map_names)})' if side.map_names else ''}, and one is needed. "
            "Give a file with one label per vertex."
        )
    return np.ascontiguousarray(side.values[0])


def _check_named(sides: Mapping[str, Side], regions: RegionTable | None) -> None:
    """Raise where a file of labels lists no regions, and nothing else does."""
    unnamed = [
        HEMISPHERE_NAMES[side]
        for side, one in sides.items()
        if one.is_label_file and one.table is None
    ]
    if unnamed and regions is None:
        raise LabelsError(
            f"The GIFTI file of labels of the {' and the '.join(unnamed)} has an empty label "
            "table, so its labels have no names. Pass a region table."
        )


def _no_region(side: Side, table: RegionTable | None, background: float | None) -> list[float]:
    """Return the labels of a side that are no region."""
    if background is not None:
        return [label for label in (background, *sorted(side.none)) if not np.isnan(label)]
    names = {row.label: row.name for one in (side.table, table) for row in one or ()}
    by_name = no_region_labels(names)
    if 0 not in names:
        by_name |= {0}
    return sorted(by_name | side.none)


def _encoded(labels: NDArray[Any], none: Sequence[float], side: str) -> Encoded:
    is_none = np.isin(labels, none)
    background = np.nan
    if is_none.any():
        # One that is there, and so one that the dtype holds.
        background = labels[is_none][0].item()
        labels = np.where(is_none, background, labels).astype(labels.dtype)
    try:
        return encode_integers(labels, background, SurfaceVertices.noun)
    except LabelsError as error:
        raise LabelsError(f"In the {HEMISPHERE_NAMES[side]}: {error}") from None


def _one_parcellation(
    encoded: Encoded,
    table: RegionTable | None,
    none: Sequence[float],
    *,
    strict: bool,
    may_be_empty: bool,
) -> Parcellation:
    """Return the regions of one side, of which one of two may have none."""
    if table is not None:
        table = table.take(np.flatnonzero(~np.isin(table.labels, none)))
    space = SurfaceVertices({UNKNOWN: encoded.codes.shape[0]})
    if may_be_empty and not len(encoded.labels):
        empty = np.zeros(space.shape, np.uint8)
        return Parcellation(empty, RegionTable([]) if table is None else table, space)
    background = none[0] if none else np.nan
    return Parcellation.of(encoded, space, table=table, background=background, strict=strict)


def _tables(
    sides: Mapping[str, Side],
    labels: Mapping[str, NDArray[Any]],
    regions: RegionTable | None,
    *,
    strict: bool,
) -> dict[str, RegionTable | None]:
    """Return the region table of each side."""
    present = {side: np.unique(values) for side, values in labels.items()}
    if regions is None:
        return {side: _own_table(side, sides, present) for side in sides}
    of_rows = _row_hemispheres(regions)
    _check_tells_apart(regions, of_rows, tuple(sides))
    keep = {}
    for side in sides:
        of_side = np.array([hemisphere == side for hemisphere in of_rows], bool)
        is_open = [hemisphere is None or side == UNKNOWN for hemisphere in of_rows]
        has = np.isin(regions.labels, present[side]) | (len(sides) == 1)
        keep[side] = of_side | (np.array(is_open, bool) & has)
    kept = np.any(list(keep.values()), axis=0)
    elsewhere = np.array([hemisphere is not None for hemisphere in of_rows], bool)
    _warn_of_left_out(regions, kept | elsewhere, strict=strict)
    return {side: _of_one_side(regions, np.flatnonzero(rows)) for side, rows in keep.items()}


def _own_table(
    side: str, sides: Mapping[str, Side], present: Mapping[str, NDArray[Any]]
) -> RegionTable | None:
    """Return the table in a file, without what is of the other hemisphere.

    The two files of a pair may both list the regions of both.
    """
    table = sides[side].own_table
    others = [other for other in sides if other != side]
    if table is None or not others:
        return table
    theirs = sides[others[0]].own_table
    shared = set() if theirs is None else set(table) & set(theirs)
    elsewhere = set(present[others[0]].tolist()) - set(present[side].tolist())
    rows = [n for n, row in enumerate(table) if row not in shared or row.label not in elsewhere]
    return table.take(np.array(rows, np.intp))


def _row_hemispheres(regions: RegionTable) -> tuple[str | None, ...]:
    """Return the hemisphere of each row, None where the table does not say."""
    column: Sequence[Any] | None = regions.hemispheres
    for title in regions.columns if column is None else ():
        if normal_title(title) in (HEMISPHERE_TITLE, "hemi"):
            column = regions.columns[title]
    return tuple(map(hemisphere_in_words, column)) if column is not None else (None,) * len(regions)


def _check_tells_apart(
    regions: RegionTable, of_rows: Sequence[str | None], sides: tuple[str, ...]
) -> None:
    """Raise where labels mean two regions, and the hemisphere of the surface is not known."""
    labels, counts = np.unique(regions.labels, return_counts=True)
    if UNKNOWN in sides and len({LEFT, RIGHT} & set(of_rows)) == 2 and (counts > 1).any():
        raise RegionTableError(
            f"The region table has {plural(int((counts > 1).sum()), 'label')} in both "
            f"hemispheres ({examples(labels[counts > 1].tolist())}), and nothing says of which "
            "the surface is. Give it as a mapping: {'left': …} or {'right': …}."
        )


def _warn_of_left_out(regions: RegionTable, is_fine: NDArray[np.bool_], *, strict: bool) -> None:
    """Warn of rows that name neither a hemisphere nor a label of one; that of 0 may."""
    left_out = regions.labels[~is_fine & (regions.labels != 0)].tolist()
    if not left_out:
        return
    message = (
        f"The region table and the labels differ: {plural(len(left_out), 'row')} of the region "
        f"table without a vertex: {examples(left_out)}."
    )
    if strict:
        raise RegionTableError(f"{message} Correct the table, or do not ask for strict.")
    warn(f"{message} They are left out.", RegionTableWarning)


def _of_one_side(regions: RegionTable, rows: NDArray[np.intp]) -> RegionTable:
    """Return some rows, without the column that says of which hemisphere they are."""
    columns = {
        title: [column[row] for row in rows]
        for title, column in regions.columns.items()
        if normal_title(title) not in (HEMISPHERE_TITLE, "hemi")
    }
    return RegionTable(regions.labels[rows], [regions.names[row] for row in rows], columns)


# --- maps in ---------------------------------------------------------------------------------


def open_surface_maps(source: Any, what: str) -> MapsInMemory:
    """Return the maps of a surface or a pair.

    Parameters
    ----------
    source : path, mapping, pair or image
        See `sides_of`.
    what : str
        What they are, for messages: ``"the image"``.

    Raises
    ------
    DimensionError
        When the hemispheres differ in their number of maps.
    SpaceError, FileFormatError, ImageTypeError, InputMissingError
    """
    if isinstance(source, PaintedSurface):
        values = source.array.__array__().reshape(source.space.shape[0], -1).T
        single = source.array.single
        return MapsInMemory(values, source.space, single, source.map_names, source.t_r)
    sides, space = read_sides(source, what)
    counts = {side: len(one.values) for side, one in sides.items()}
    if len(set(counts.values())) > 1:
        raise DimensionError(
            f"{capitalized(what)} has {counts[LEFT]:,} maps of the left hemisphere and "
            f"{counts[RIGHT]:,} of the right. Give the same maps of both."
        )
    every = tuple(sides.values())
    return MapsInMemory(
        np.concatenate([one.values for one in every], axis=1),
        space,
        single=all(one.single for one in every),
        map_names=_shared(one.map_names for one in every),
        t_r=_shared(one.t_r for one in every),
    )


def _shared(given: Iterator[Any]) -> Any:
    """Return what all sides say, or None where they differ."""
    found = set(given)
    return found.pop() if len(found) == 1 else None
