"""Several parcellations of one space as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from ..engine import encoding
from ..engine.encoding import code_dtype
from ..errors import (
    ArgumentError,
    LabelsError,
    LabelsWarning,
    SpaceError,
    capitalized,
    examples,
    plural,
    warn,
)
from .hemispheres import CORTEX
from .parcellation import Parcellation
from .region_table import RegionTable
from .spaces import SurfaceVertices, check_same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .spaces import Space

Overlap = Literal["raise", "first", "last"]
"""Whose a sample is that several atlases have: an error, that of the first, or of the last."""

SOURCE_TITLES = ("source", "source_index")
"""Titles of the columns that say which atlas a region came from, and its label there."""


class _Origin(NamedTuple):
    """A region, as messages call it."""

    region: str
    atlas: str

    def __str__(self) -> str:
        return f"{self.region!r} of {self.atlas}"


class _Shared(NamedTuple):
    """How many samples two regions share."""

    samples: str
    first: _Origin
    second: _Origin

    def __str__(self) -> str:
        return f"{self.first} and {self.second} share {self.samples}"


def merged(atlases: Mapping[str, Parcellation], overlap: Overlap) -> Parcellation:
    """Return one parcellation with the regions of several; see `regioncast.merge`.

    Parameters
    ----------
    atlases : mapping of str to Parcellation
        By what they are called.
    overlap : {"raise", "first", "last"}

    Raises
    ------
    ArgumentError
        When there are fewer than two, or there is no such `overlap`.
    SpaceError
        When they are of different spaces.
    LabelsError
        When regions overlap and are not to.
    """
    if overlap not in get_args(Overlap):
        raise ArgumentError(f"overlap must be 'raise', 'first' or 'last', not {overlap!r}.")
    if len(atlases) < 2:
        raise ArgumentError(
            f"Two atlases or more are merged; this is {plural(len(atlases), 'atlas', 'atlases')}."
        )
    parts = list(atlases.values())
    _check_spaces(atlases)
    table, codes_of = _merged_table(atlases)
    # What messages call the region of each code.
    origins = [_Origin("", "")] * (len(table) + 1)
    for (name, part), part_codes in zip(atlases.items(), codes_of, strict=True):
        for code, region in zip(part_codes, part.table.unique_names, strict=True):
            origins[code] = _Origin(region, name)
    codes = np.zeros_like(parts[0].codes, code_dtype(len(table)))
    overlaps: list[tuple[int, int, int]] = []
    for part, part_codes in zip(parts, codes_of, strict=True):
        new = encoding.recoded(part.codes, np.array([0, *part_codes], codes.dtype))
        is_shared = (codes > 0) & (new > 0)
        overlaps += _counted(codes[is_shared], new[is_shared], len(origins))
        is_new = new > 0 if overlap == "last" else (new > 0) & ~is_shared
        codes[is_new] = new[is_new]
    whole = Parcellation(codes, table, parts[0].space)
    if overlaps:
        had_samples = np.zeros(len(table), bool)
        for part, part_codes in zip(parts, codes_of, strict=True):
            had_samples[np.array(part_codes, int) - 1] = part.counts > 0
        vanished = np.flatnonzero(had_samples & (whole.counts == 0)).tolist()
        _report(overlaps, [origins[row + 1] for row in vanished], origins, overlap, whole.space)
    return whole


def _check_spaces(atlases: Mapping[str, Parcellation]) -> None:
    """Raise where atlases are of different spaces."""
    (first_name, first), *rest = [(name, atlas.space) for name, atlas in atlases.items()]
    for name, space in rest:
        if type(first) is not type(space):
            raise SpaceError(
                f"{capitalized(first_name)} is made of {first.nouns}, {name} of {space.nouns}, and "
                "one atlas is of one kind. For cortex on surfaces and subcortex in a volume, make "
                "a .dlabel.nii of both (wb_command -cifti-create-label), and load that."
            )
        are_surfaces = isinstance(first, SurfaceVertices) and isinstance(space, SurfaceVertices)
        if are_surfaces and sorted([*first.parts, *space.parts]) == sorted(CORTEX.values()):
            raise SpaceError(
                f"{capitalized(first_name)} and {name} are the two hemispheres, and what is merged "
                "has the same vertices. Load both as one: load_parcellation(left=…, right=…), "
                '"left.label.gii,right.label.gii".'
            )
        check_same(first, space, this_name=first_name, other_name=name)


def _merged_table(atlases: Mapping[str, Parcellation]) -> tuple[RegionTable, list[list[int]]]:
    """Return the rows of all atlases in one table, and the new codes of the rows of each."""
    tables = [atlas.table for atlas in atlases.values()]
    # Regions of both hemispheres, as groups may be, are told apart by their labels alone.
    are_sided = all(table.hemispheres is not None for table in tables)
    ids = _new_ids([key if are_sided else ("", key[1]) for table in tables for key in table.ids])
    columns = _merged_columns(tables, sided=are_sided)
    origins = [
        (name, label) for name, atlas in atlases.items() for label in atlas.table.labels.tolist()
    ]
    columns |= dict(zip(SOURCE_TITLES, zip(*origins, strict=True), strict=True))
    whole = RegionTable(
        [label for _, label in ids],
        [name for table in tables for name in table.names],
        columns,
        [side for side, _ in ids] if are_sided else None,
    )
    code_of = dict(zip(whole.ids, range(1, len(whole) + 1), strict=True))
    codes = iter([code_of[key] for key in ids])
    return whole, [list(islice(codes, len(table))) for table in tables]


def _new_ids(ids: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return hemispheres and labels, with labels above all others where one stands again."""
    highest = max(label for _, label in ids)
    new: dict[tuple[str, int], None] = {}
    for key in ids:
        highest += key in new
        new[(key[0], highest) if key in new else key] = None
    return list(new)


def _merged_columns(tables: Sequence[RegionTable], *, sided: bool) -> dict[str, Sequence[Any]]:
    """Return the further columns of all tables, None where a table has not that column."""
    columns: dict[str, list[Any]] = {}
    n_rows = 0
    for table in tables:
        for title, cells in (table.columns if sided else table.other_columns).items():
            # The columns of an earlier merge make room for those of this one.
            new_title = f"{title}_in_table" if title in SOURCE_TITLES else title
            columns.setdefault(new_title, [None] * n_rows).extend(cells)
        n_rows += len(table)
        for column in columns.values():
            column.extend([None] * (n_rows - len(column)))
    return dict(columns)


def _counted(first: NDArray[Any], second: NDArray[Any], n_codes: int) -> list[tuple[int, int, int]]:
    """Return how often each pair of codes stands in two arrays: the count, and both codes."""
    pairs, counts = np.unique(first.astype(np.int64) * n_codes + second, return_counts=True)
    return list(zip(counts.tolist(), *np.array(divmod(pairs, n_codes)).tolist(), strict=True))


def _report(
    overlaps: Sequence[tuple[int, int, int]],
    vanished: Sequence[_Origin],
    origins: Sequence[_Origin],
    overlap: Overlap,
    space: Space,
) -> None:
    """Raise, or warn, with the regions that overlap, those that do in most samples first."""
    listed = [
        _Shared(plural(count, space.noun), origins[first], origins[second])
        for count, first, second in sorted(overlaps, key=lambda counted: -counted[0])
    ]
    n_samples = sum(count for count, *_ in overlaps)
    message = (
        f"The atlases overlap in {plural(n_samples, space.noun)}, "
        f"{plural(len(listed), 'pair')} of regions: {examples(listed)}."
    )
    if overlap == "raise":
        raise LabelsError(
            f"{message} Pass overlap='first' or overlap='last' (--overlap) to give what they share "
            "to the first or to the last of them."
        )
    message += f" The {overlap} has what they share."
    if vanished:
        message += f" Nothing is left of {plural(len(vanished), 'region')}: {examples(vanished)}."
    warn(message, LabelsWarning)
