"""A parcellation whose labels stay where they are, to be read a block at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.choice import grouped, is_chosen
from ..atlas.identities import Identities
from ..atlas.parcellation import Parcellation
from ..atlas.region_table import SHOWN_ROWS, text_table
from ..engine import encoding
from ..engine.encoding import code_dtype
from ..errors import LabelsError, RegionTableError, examples, plural

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ..atlas.choice import Chosen
    from ..atlas.parcellation import Files
    from ..atlas.region_table import Region, RegionTable
    from ..atlas.spaces import VolumeGrid
    from .voxels import Box, Voxels


@dataclass(frozen=True, eq=False)
class Level:
    """The labels at one resolution.

    Parameters
    ----------
    labels : Voxels
        One map of integers, as they are stored.
    space : VolumeGrid
        Of shape (x, y, z): the transpose of the array's.
    """

    labels: Voxels
    space: VolumeGrid


@dataclass(frozen=True, eq=False)
class KnownLabels:
    """The labels that an array may hold, and what became of their regions.

    Parameters
    ----------
    labels : array of int64
        Distinct and ascending, without the background.
    codes : array of int64
        Of each label: ``k`` for row ``k`` of the table, counted from 1; 0 where its region was
        left out, and is no region any more.
    """

    labels: NDArray[np.int64]
    codes: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChunkedParcellation:
    """Regions, of which the table is in memory and the voxels are not.

    Made by `regioncast.load_parcellation` of OME-Zarr, Zarr and Dask arrays.  Its length is the
    number of regions, and iterating gives their labels and names.

    Parameters
    ----------
    levels : sequence of Level
        From the finest that was asked for to the coarsest.  What is reduced is the first; what is
        painted is each, from the labels of that level.
    table : RegionTable
        One row per region.  Where a table was given or lies in the store, no voxel was read: which
        of its regions have voxels is not known, and a label without a row is an error when it
        comes.
    background : number
        The label of no region; NaN: there is none.
    files : Files
    known : KnownLabels, default=None
        Of what was selected or grouped; when not given, the labels are those of the table.
    """

    levels: Sequence[Level]
    table: RegionTable
    background: float
    files: Files
    known: KnownLabels | None = None

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Region]:
        return iter(self.table)

    def __repr__(self) -> str:
        return self.to_text(max_rows=SHOWN_ROWS)

    def to_text(self, max_rows: int | None = None) -> str:
        """Return the regions as a table for people to read, of `max_rows` rows where it is said."""
        columns = {"label": self.table.labels.tolist(), "name": self.table.names}
        columns |= self.table.other_columns
        rows = zip(*columns.values(), strict=True)
        cells = [tuple(columns), *(tuple(map(str, row)) for row in rows)]
        lines = text_table(cells, max_rows=max_rows or len(self))
        head = (
            f"ChunkedParcellation: {plural(len(self), 'region')}, {self.space.description}, "
            f"{plural(len(self.levels), 'level')}, read in chunks from {self.levels[0].labels.name}"
        )
        return "\n".join([head, *lines])

    def to_dict(self) -> dict[str, Any]:
        """Return what is known as plain values, without what takes all voxels to know."""
        return {
            "n_regions": len(self),
            "shape": list(self.space.shape),
            **self.space.extent,
            "levels": [list(level.space.shape) for level in self.levels],
            "regions": self.table.to_records(),
        }

    @property
    def space(self) -> VolumeGrid:
        """The grid of the first level."""
        return self.levels[0].space

    @cached_property
    def identities(self) -> Identities:
        """What the regions are called; all of them count as having voxels."""
        return Identities(self.table, np.ones(len(self), bool), self.space.noun)

    def to_pandas(self) -> pd.DataFrame:
        """Return the region table; what takes all voxels to know is not in it."""
        return self.table.to_pandas()

    def read_codes(self, box: Box, level: int = 0) -> NDArray[Any]:
        """Read the labels of a block and return codes: 0 for no region, else the row from 1.

        Parameters
        ----------
        box : tuple of three slice
            Along z, y and x.
        level : int, default=0
            The number of one of `levels`.

        Returns
        -------
        array of uint8, uint16 or uint32, C-contiguous

        Raises
        ------
        LabelsError
            When a label has no row in the table.
        FileFormatError
            When the labels cannot be read.
        """
        codes, of_regions = self.encoded(self.levels[level].labels, box)
        # In the dtype of all regions, whatever is in this block: callers mix blocks.
        new_code = of_regions.astype(code_dtype(len(self)))
        return np.ascontiguousarray(encoding.recoded(codes, new_code))

    def encoded(self, labels: Voxels, box: Box) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Read labels of a block, and return codes of its own, and the code of each in the table.

        Raises what `read_codes` does.

        Parameters
        ----------
        labels : Voxels
            Those of one of `levels`, or a part of them.
        box : tuple of three slice
            Along z, y and x.

        Returns
        -------
        codes : array of uint8, uint16 or uint32, C-contiguous
        of_regions : array of int64
            0 for that of no region, and what codes from 1 on are in the table.
        """
        encoded = encoding.encode(labels.read(box), self.background)
        known, codes_of = self._known
        at = np.searchsorted(known, encoded.labels)
        # One past the end is compared with the last, from which it differs.
        is_known = known[np.minimum(at, len(known) - 1)] == encoded.labels
        if not is_known.all():
            self._refuse(encoded.labels[~is_known].tolist(), box, labels)
        return encoded.codes, np.concatenate([[0], codes_of[at]])

    @cached_property
    def _known(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if self.known is not None:
            return self.known.labels, self.known.codes
        return self.table.labels, np.arange(1, len(self) + 1)

    def _refuse(self, unlisted: list[int], box: Box, labels: Voxels) -> None:
        where = ", ".join(
            f"{axis} {part.start} to {part.stop - 1}" for axis, part in zip("zyx", box, strict=True)
        )
        raise LabelsError(
            f"{plural(len(unlisted), 'label')} of {labels.name} without a row in the region table, "
            f"in the block at {where}: {examples(unlisted)}. Complete the table, or let all labels "
            'be found: load_parcellation(…, regions="none") (--regions none).'
        )

    def select(self, regions: Chosen) -> ChunkedParcellation:
        """Return some regions; all other voxels are no region.  See `Parcellation.select`."""
        return self._of_rows(is_chosen(regions, self.identities))

    def drop(self, regions: Chosen) -> ChunkedParcellation:
        """Return all but some regions, whose voxels become no region."""
        return self._of_rows(~is_chosen(regions, self.identities))

    def group(self, column: str) -> ChunkedParcellation:
        """Return the groups of a column of the region table.  See `Parcellation.group`."""
        table, label_of_row = grouped(self.table, column)
        code_of = dict(zip(table.labels.tolist(), range(1, len(table) + 1), strict=True))
        return self.with_rows(table, [code_of.get(label, 0) for label in label_of_row])

    def _of_rows(self, is_kept: NDArray[np.bool_]) -> ChunkedParcellation:
        if not is_kept.any():
            raise LabelsError(f"No region is left of {plural(len(self), 'region')}. Choose others.")
        rows = np.cumsum(is_kept) * is_kept
        return self.with_rows(self.table.take(np.flatnonzero(is_kept)), rows.tolist())

    def with_rows(self, table: RegionTable, code_of_row: Sequence[int]) -> ChunkedParcellation:
        """Return the regions of another table, of which each row of this has a code, or 0."""
        labels, codes = self._known
        known = KnownLabels(labels, np.array([0, *code_of_row], np.int64)[codes])
        return replace(self, table=table, known=known)

    def load(self) -> Parcellation:
        """Read all voxels of the first level, and return an ordinary parcellation in memory.

        Raises
        ------
        LabelsError
            When a label has no row in the table.
        FileFormatError
            When the labels cannot be read.
        """
        n_z, n_y, n_x = self.levels[0].labels.shape
        codes = self.read_codes((slice(0, n_z), slice(0, n_y), slice(0, n_x)))
        return Parcellation(codes.T, self.table, self.space, self.files)


def checked_table(table: RegionTable, background: float) -> RegionTable:
    """Return a table without the background; raise where labels are not of one region each."""
    table = table.without(background)
    if len(np.unique(table.labels)) < len(table):
        raise RegionTableError(
            "The region table has labels that stand for a region of each hemisphere; voxels need "
            "a label for each region."
        )
    if not len(table):
        raise RegionTableError(
            f"The region table has no region but the background (label {background:g}). Check it, "
            "or pass another background label."
        )
    return table
