"""A parcellation whose labels stay where they are, to be read a block at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..atlas.parcellation import Files
    from ..atlas.region_table import RegionTable
    from ..atlas.spaces import VolumeGrid
    from .voxels import Voxels


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
class ChunkedParcellation:
    """Regions, of which the table is in memory and the voxels are not.

    Made by `regioncast.load_parcellation` of OME-Zarr, Zarr and Dask arrays.

    Parameters
    ----------
    levels : sequence of Level
        From the finest that was asked for to the coarsest.  What is reduced is the first; what is
        painted is each, from the labels of that level.
    table : RegionTable
        One row per region.  Where a table was given or lies in the store, no voxel was read: which
        of its regions have voxels is not known, and a label without a row is an error when it
        comes.
    background : int
        The label of no region.
    files : Files
    """

    levels: Sequence[Level]
    table: RegionTable
    background: int
    files: Files

    def __len__(self) -> int:
        return len(self.table)

    @property
    def space(self) -> VolumeGrid:
        """The grid of the first level."""
        return self.levels[0].space
