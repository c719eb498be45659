"""Labels of vertices, of one hemisphere or both, and the regions that they are."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...atlas.hemispheres import (
    HEMISPHERE_NAMES,
    LEFT,
    RIGHT,
    UNKNOWN,
    is_hemisphere_title,
    side_of,
    side_of_word,
)
from ...atlas.no_region import no_region_labels
from ...atlas.parcellation import (
    NOT_LABELLED,
    Parcellation,
    check_not_labelled,
    encode_integers,
    map_number,
)
from ...atlas.region_table import RegionTable
from ...atlas.spaces import SurfaceVertices
from ...errors import LabelsError, RegionTableError, RegionTableWarning, examples, plural, warn
from ...files import expanded
from ...tables.regions import find_region_table
from .files import Side, read_sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...atlas.region_table import Region
    from ...engine.encoding import Encoded


@dataclasses.dataclass(frozen=True, eq=False)
class SurfaceLabels:
    """Labels of the vertices of a surface or a pair; see `regioncast.io.kinds.Labels`.

    Parameters
    ----------
    sides : mapping of str to Side
        By hemisphere, left first.
    values : mapping of str to array, shape (n_vertices,)
        The labels of each side.
    space : SurfaceVertices
    background : number or None
        The label of no region.  None: those whose names say so, and 0 where it has no name.
    file : Path or None
        The one file that they came from, if it is one.
    """

    sides: Mapping[str, Side]
    values: Mapping[str, NDArray[Any]]
    space: SurfaceVertices
    background: float | None
    file: Path | None

    @property
    def of_regions(self) -> NDArray[np.int64]:
        """The labels that vertices have, without those of no region, ascending."""
        of_sides = []
        for name, side in self.sides.items():
            none = _no_region(side, None, self.background)
            if self.background is None and NOT_LABELLED not in dict(side.table or ()):
                none.append(NOT_LABELLED)
            of_sides.append(_encoded(self.values[name], none, name).labels)
        return np.unique(np.concatenate(of_sides)).astype(np.int64)

    def used(self, side: str) -> set[float]:
        """Return the labels of regions that vertices of a hemisphere have."""
        none = _no_region(self.sides[side], None, self.background)
        return set(np.unique(self.values[side]).tolist()).difference(none)

    def table_beside(self) -> Path | None:
        """Return the table that lies beside the file of one surface that brings no names.

        Only ``.tsv``: text and CSV may as well be labels of vertices.
        """
        if self.file is None:
            return None
        # One file is one side.
        (side,) = self.sides.values()
        if side.own_table is not None:
            return None
        return find_region_table(self.file, suffixes=(".tsv",))

    def parcellation(self, regions: RegionTable | None, *, strict: bool) -> Parcellation:
        """Return the regions of a surface or a pair.

        Raises `LabelsError` when labels below 0 have no name, and nothing says what they are;
        `RegionTableError`.

        Parameters
        ----------
        regions : RegionTable or None
            Instead of the label table or colour table of the files.  Where it says of which
            hemisphere a row is, the row goes there; else to each that has its label.
        strict : bool
            Raise where table and files do not list the same regions, instead of warning.
        """
        if self.background is None:
            for name, side in self.sides.items():
                # In annotations -1 is none by the format.
                if NOT_LABELLED not in side.none:
                    where = f"the {HEMISPHERE_NAMES[name]}"
                    check_not_labelled(self.values[name], [side.table, regions], where)
            if regions is None:
                _check_named(self.sides)
        if regions is None:
            tables = _tables_of_files(self)
        else:
            tables = _tables_of_sides(self, regions, strict=strict)
        none, encoded = {}, {}
        for name, side in self.sides.items():
            none[name] = _no_region(side, tables[name], self.background)
            encoded[name] = _encoded(self.values[name], none[name], name)
        # One of a pair may have no region, as where a lesion took them; both may not.
        some = any(len(side.labels) for side in encoded.values())
        parts = {
            name: _one_parcellation(
                side, tables[name], none[name], strict=strict, may_be_empty=some
            )
            for name, side in encoded.items()
        }
        # Of one hemisphere too, so that its regions know which it is.
        joined = parts[UNKNOWN] if UNKNOWN in parts else Parcellation.joined(parts)
        return dataclasses.replace(joined, space=self.space)


def read_labels(
    source: Any, *, label_map: str | int | None = None, background: float | None = None
) -> SurfaceLabels:
    """Return the labels of a surface or a pair.

    Raises `ArgumentError` when there are several maps, and which is not said; `SpaceError`,
    `FileFormatError`, `ImageTypeError`, `InputMissingError`.

    Parameters
    ----------
    source : path, mapping, pair or image
        See `sides_of`.
    label_map : str or int, default=None
        Name or number of the map, where there are several.
    background : number, default=None
        The label of no region.
    """
    sides, space = read_sides(source, "the labels image")
    values = {}
    for name, side in sides.items():
        map_names = side.axis.names or ("",) * len(side.values)
        values[name] = np.ascontiguousarray(side.values[map_number(map_names, label_map)])
    # One surface as a mapping is as good as its file.
    if isinstance(source, Mapping) and len(source) == 1:
        (source,) = source.values()
    file = None
    if len(sides) == 1 and isinstance(source, str | os.PathLike):
        file = expanded(source)
    return SurfaceLabels(sides, values, space, background, file)


def _check_named(sides: Mapping[str, Side]) -> None:
    """Raise where a file of labels lists no regions, and nobody says which labels are some."""
    unnamed = [
        HEMISPHERE_NAMES[name]
        for name, side in sides.items()
        if side.is_label_file and side.table is None
    ]
    if unnamed:
        raise LabelsError(
            f"The GIFTI file of labels of the {' and the '.join(unnamed)} has an empty label "
            "table, so its labels have no names. Pass a region table; or the label of no region "
            "(background=), and the others are regions that are called by their labels."
        )


def _no_region(side: Side, table: RegionTable | None, background: float | None) -> list[float]:
    """Return the labels of a side that are no region."""
    # What was said is done, whatever names say; only what the format calls none stays so.
    if background is not None:
        return [background, *sorted(side.none)]
    names: dict[int, str] = {}
    for rows in (side.table, table):
        names.update(rows or ())
    by_name = no_region_labels(names)
    if 0 not in names:
        by_name |= {0}
    return sorted(by_name | side.none)


def _encoded(labels: NDArray[Any], none: Sequence[float], side: str) -> Encoded:
    try:
        return encode_integers(labels, none, SurfaceVertices.noun)
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
    # A row of what is no region would be a region without vertices.
    if table is not None:
        table = table.take(np.flatnonzero(~np.isin(table.labels, none)))
    space = SurfaceVertices({UNKNOWN: encoded.codes.shape[0]})
    if may_be_empty and not len(encoded.labels):
        empty = np.zeros(space.shape, np.uint8)
        return Parcellation(empty, RegionTable([]) if table is None else table, space)
    background = none[0] if none else np.nan
    return Parcellation.of(encoded, space, table=table, background=background, strict=strict)


def _tables_of_sides(
    labels: SurfaceLabels, regions: RegionTable, *, strict: bool
) -> dict[str, RegionTable | None]:
    """Return the rows of a region table that are of each side."""
    title, of_rows = _row_hemispheres(regions)
    if UNKNOWN in labels.sides:
        _check_tells_apart(regions, of_rows)
    is_said = of_rows != ""
    keep = {}
    for side, values in labels.values.items():
        is_here = of_rows == side
        # Of one surface alone, all other rows are its own; of a pair, those whose label it has.
        may_be_here = np.isin(regions.labels, np.unique(values)) | (len(labels.sides) == 1)
        is_open = ~is_said | (side == UNKNOWN)
        keep[side] = is_here | (is_open & may_be_here)
    is_placed = is_said | np.any(list(keep.values()), axis=0)
    # A row of 0 may be there for what is no region.
    left_out = regions.labels[~is_placed & (regions.labels != 0)].tolist()
    if left_out:
        message = (
            f"The region table and the labels differ: {plural(len(left_out), 'row')} of the region "
            f"table without a vertex: {examples(left_out)}."
        )
        if strict:
            raise RegionTableError(f"{message} Correct the table, or do not ask for strict.")
        warn(f"{message} They are left out.", RegionTableWarning)
    return {side: _of_one_side(regions, np.flatnonzero(rows), title) for side, rows in keep.items()}


def _tables_of_files(labels: SurfaceLabels) -> dict[str, RegionTable | None]:
    """Return the tables in the files, without what is of the other hemisphere.

    The two files of a pair may both list the regions of both, as Workbench writes them.  That is
    so where they have no label of a region in common: then a row that both list is of the one
    whose vertices have its label.  Else a region that one hemisphere lacks keeps its row.  One
    that neither has stands once.
    """
    tables = {name: side.own_table for name, side in labels.sides.items()}
    left, right = tables.get(LEFT), tables.get(RIGHT)
    if left is None or right is None:
        return tables
    used_left, used_right = labels.used(LEFT), labels.used(RIGHT)
    used = used_left | used_right
    share_labels = not used_left.isdisjoint(used_right)
    not_left: set[Region] = set()
    not_right: set[Region] = set()
    for row in set(left) & set(right):
        is_right = row.label in used_right
        if row.label not in used:
            # Neither has a vertex of it, so its name has to say; without a word it is of the left.
            is_right = side_of(row.name)[0] == RIGHT
        elif share_labels:
            continue
        (not_left if is_right else not_right).add(row)
    return {LEFT: _without(left, not_left), RIGHT: _without(right, not_right)}


def _without(table: RegionTable, left_out: set[Region]) -> RegionTable:
    return table.take(np.flatnonzero([row not in left_out for row in table]))


def _row_hemispheres(regions: RegionTable) -> tuple[str | None, NDArray[np.str_]]:
    """Return the title of the column of hemispheres, and the hemisphere of each row.

    ``""`` where the table does not say.
    """
    if regions.hemispheres is not None:
        return None, np.array(regions.hemispheres, np.str_)
    for title, cells in regions.columns.items():
        if is_hemisphere_title(title) and any(map(side_of_word, cells)):
            return title, np.array([side_of_word(cell) or "" for cell in cells], np.str_)
    return None, np.full(len(regions), "", np.str_)


def _check_tells_apart(regions: RegionTable, of_rows: NDArray[np.str_]) -> None:
    """Raise where labels mean two regions, one of each hemisphere."""
    labels, counts = np.unique(regions.labels, return_counts=True)
    twice = labels[counts > 1]
    if len(twice) and {LEFT, RIGHT}.issubset(of_rows.tolist()):
        raise RegionTableError(
            f"The region table has {plural(len(twice), 'label')} in both "
            f"hemispheres ({examples(twice.tolist())}), and nothing says of which "
            "the surface is. Give it as a mapping: {'left': …} or {'right': …}; one vector of both "
            "as {'left': vector[:n], 'right': vector[n:]}."
        )


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
