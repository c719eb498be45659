"""Surfaces: parcellations and maps of one hemisphere or both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...atlas.hemispheres import (
    HEMISPHERE_NAMES,
    LEFT,
    RIGHT,
    UNKNOWN,
    is_hemisphere_title,
    side_of_word,
)
from ...atlas.no_region import no_region_labels
from ...atlas.parcellation import Parcellation, encode_integers, map_number
from ...atlas.region_table import RegionTable
from ...atlas.spaces import SurfaceVertices
from ...errors import (
    DimensionError,
    LabelsError,
    RegionTableError,
    RegionTableWarning,
    capitalized,
    examples,
    plural,
    warn,
)
from ..maps import MapsInMemory
from .files import Side, hemisphere_of, is_surface, read_sides, sides_of
from .names import (
    output_paths,
)
from .painted import PaintedSurface, painted_surface, save_surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...atlas.region_table import Region
    from ...engine.encoding import Encoded

# What other modules need of surfaces, in one place.
__all__ = [
    "PaintedSurface",
    "hemisphere_of",
    "is_surface",
    "open_surface_maps",
    "output_paths",
    "painted_surface",
    "parcellation_of",
    "read_labels",
    "save_surface",
    "sides_of",
]


# --- labels in -------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False)
class SurfaceLabels:
    """Labels of the vertices of a surface or a pair, of which it is still open who they are.

    Parameters
    ----------
    sides : mapping of str to Side
        By hemisphere, left first.
    values : mapping of str to array, shape (n_vertices,)
        The labels of each side.
    space : SurfaceVertices
    """

    sides: Mapping[str, Side]
    values: Mapping[str, NDArray[Any]]
    space: SurfaceVertices

    @property
    def are_named(self) -> bool:
        """Whether the files themselves say who the regions are."""
        return any(side.own_table is not None for side in self.sides.values())

    def of_regions(self, background: float | None) -> NDArray[np.int64]:
        """Return the labels that vertices have, without those of no region, ascending."""
        found = [
            _encoded(self.values[side], _no_region(one, None, background), side).labels
            for side, one in self.sides.items()
        ]
        return np.unique(np.concatenate(found)).astype(np.int64)


def read_labels(source: Any, *, label_map: str | int | None = None) -> SurfaceLabels:
    """Return the labels of a surface or a pair.

    Parameters
    ----------
    source : path, mapping, pair or image
        See `sides_of`.
    label_map : str or int, default=None
        Name or number of the map, where there are several.

    Raises
    ------
    ArgumentError
        When there are several maps, and which is not said.
    SpaceError, FileFormatError, ImageTypeError, InputMissingError
    """
    sides, space = read_sides(source, "the labels image")
    return SurfaceLabels(
        sides, {side: _labels(one, label_map) for side, one in sides.items()}, space
    )


def parcellation_of(
    labels: SurfaceLabels,
    *,
    regions: RegionTable | None,
    background: float | None,
    strict: bool,
) -> Parcellation:
    """Return the regions of a surface or a pair.

    Parameters
    ----------
    labels : SurfaceLabels
    regions : RegionTable or None
        Instead of the label table or colour table of the files.  Where it says of which
        hemisphere a row is, the row goes there; else to each that has its label.
    background : number or None
        The label of no region.  None: those whose names say so, and 0 where it has no name.
    strict : bool
        Raise where table and files do not list the same regions, instead of warning.

    Raises
    ------
    LabelsError, RegionTableError
    """
    sides = labels.sides
    _check_named(sides, regions)
    tables = (
        _own_tables(labels, background)
        if regions is None
        else _given_tables(labels, regions, strict=strict)
    )
    none = {side: _no_region(one, tables[side], background) for side, one in sides.items()}
    encoded = {side: _encoded(labels.values[side], none[side], side) for side in sides}
    some = any(len(one.labels) for one in encoded.values())
    parts = {
        side: _one_parcellation(one, tables[side], none[side], strict=strict, may_be_empty=some)
        for side, one in encoded.items()
    }
    # Of one hemisphere too, so that its regions know which it is.
    joined = parts[UNKNOWN] if UNKNOWN in parts else Parcellation.joined(parts)
    return dataclasses.replace(joined, space=labels.space)


def _labels(side: Side, label_map: str | int | None) -> NDArray[Any]:
    names = side.map_names or ("",) * len(side.values)
    return np.ascontiguousarray(side.values[map_number(names, label_map)])


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


def _given_tables(
    labels: SurfaceLabels, regions: RegionTable, *, strict: bool
) -> dict[str, RegionTable | None]:
    """Return the rows of a region table that are of each side."""
    title = _hemisphere_title(regions)
    of_rows = _row_hemispheres(regions, title)
    _check_tells_apart(regions, of_rows, tuple(labels.sides))
    keep = {}
    for side, values in labels.values.items():
        of_side = np.array([hemisphere == side for hemisphere in of_rows], bool)
        is_open = [hemisphere is None or side == UNKNOWN for hemisphere in of_rows]
        has = np.isin(regions.labels, np.unique(values)) | (len(labels.sides) == 1)
        keep[side] = of_side | (np.array(is_open, bool) & has)
    kept = np.any(list(keep.values()), axis=0)
    elsewhere = np.array([hemisphere is not None for hemisphere in of_rows], bool)
    _warn_of_left_out(regions, kept | elsewhere, strict=strict)
    return {side: _of_one_side(regions, np.flatnonzero(rows), title) for side, rows in keep.items()}


def _own_tables(labels: SurfaceLabels, background: float | None) -> dict[str, RegionTable | None]:
    """Return the tables in the files, without what is of the other hemisphere.

    The two files of a pair may both list the regions of both, as Workbench writes them.  That is
    so where they have no label of a region in common: then a row that both list is of the one
    whose vertices have its label.  Else a region that one hemisphere lacks keeps its row.
    """
    tables = {side: one.own_table for side, one in labels.sides.items()}
    listed = [set(table or ()) for table in tables.values()]
    used = {
        side: set(np.unique(labels.values[side]).tolist()) - set(_no_region(one, None, background))
        for side, one in labels.sides.items()
    }
    if len(tables) == 1 or not used[LEFT].isdisjoint(used[RIGHT]):
        return tables
    shared = set.intersection(*listed)
    other = {LEFT: used[RIGHT], RIGHT: used[LEFT]}
    return {
        side: None if table is None else _without(table, shared, other[side])
        for side, table in tables.items()
    }


def _without(table: RegionTable, shared: set[Region], elsewhere: set[float]) -> RegionTable:
    """Return the table without rows that both sides have, of labels that are elsewhere."""
    rows = [n for n, row in enumerate(table) if row not in shared or row.label not in elsewhere]
    return table.take(np.array(rows, np.intp))


def _hemisphere_title(regions: RegionTable) -> str | None:
    """Return the title of the column that says of which hemisphere the rows are, if one does."""
    found = [
        title
        for title, cells in regions.columns.items()
        if is_hemisphere_title(title) and any(map(side_of_word, cells))
    ]
    return found[0] if found else None


def _row_hemispheres(regions: RegionTable, title: str | None) -> tuple[str | None, ...]:
    """Return the hemisphere of each row, None where the table does not say."""
    if regions.hemispheres is not None:
        return regions.hemispheres
    if title is None:
        return (None,) * len(regions)
    return tuple(map(side_of_word, regions.columns[title]))


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


def _of_one_side(
    regions: RegionTable, rows: NDArray[np.intp], hemisphere_title: str | None
) -> RegionTable:
    """Return some rows, without the column that says of which hemisphere they are."""
    columns = {
        title: [column[row] for row in rows]
        for title, column in regions.columns.items()
        if title != hemisphere_title
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
            f"{capitalized(what)} has {plural(counts[LEFT], 'map')} of the left hemisphere and "
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
