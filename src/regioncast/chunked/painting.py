"""Painted images whose voxels are made block by block, from labels that are read when needed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ..atlas.spaces import VolumeGrid
from ..engine.painting import paint
from ..errors import ArgumentError, FileFormatError, ImageTypeError, times
from ..io.label_files import labels_image
from ..io.maps import t_r_of
from ..io.painted import edited
from .parcellation import ChunkedParcellation, Level
from .voxels import InMemory

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..atlas.parcellation import Parcellation
    from ..atlas.region_table import RegionTable
    from ..identity import Match
    from ..io.kinds import Painted
    from ..signals import MapAxis
    from .voxels import Box

# Levels are made until none of their edges is longer.
_COARSEST = 64


@dataclass(frozen=True, eq=False)
class PaintedChunks:
    """A painted image of which only the values are in memory; it is read a block at a time.

    Made by `regioncast.paint` of labels in chunks, and written by `regioncast.save` as
    ``.ome.zarr``.

    Parameters
    ----------
    parcellation : ChunkedParcellation
        The regions that were painted.
    table : array, shape (n_maps, 1 + n_regions)
        For each map the value of no region and then that of each region.
    axis : MapAxis
    match : Match, default=None
        What went where.
    categories : RegionTable, default=None
        What the values stand for, where they are the labels of categories.
    """

    parcellation: ChunkedParcellation
    table: NDArray[Any]
    axis: MapAxis
    match: Match | None = None
    categories: RegionTable | None = field(default=None)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along z, y and x."""
        return self.parcellation.levels[0].labels.shape

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return len(self.table)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the values."""
        dtype: np.dtype[Any] = self.table.dtype
        return dtype

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"the painting of {self.parcellation.levels[0].labels.name}"

    def __repr__(self) -> str:
        what = f"PaintedChunks: {times(self.shape)} (z, y, x) {self.dtype}"
        return what if self.match is None else f"{what}, {self.match.brief}"

    def read(self, box: Box, number: int = 0) -> NDArray[Any]:
        """Paint a block of one map.

        Parameters
        ----------
        box : tuple of three slice
            Along z, y and x.
        number : int, default=0
            Of the map.

        Returns
        -------
        array, C-contiguous
        """
        return paint(
            self.parcellation.read_codes(box), self.table[[number]], single=True, order="C"
        )

    def __array__(self, *_: object, **__: object) -> NoReturn:
        """Refuse: it may not fit into memory."""
        raise ImageTypeError(
            f"An image in chunks ({times(self.shape)} voxels) is not made whole. Read a block, "
            "image.read((slice(0, 64), slice(0, 64), slice(0, 64))); save it, "
            'save(image, "map.ome.zarr"); or paint onto what fits, a coarser level where there is '
            "one: load_parcellation(…, level=…).load()."
        )


def in_chunks(atlas: Parcellation) -> ChunkedParcellation:
    """Return a parcellation of voxels in memory as one in chunks, with coarser levels.

    Each has every second voxel of the one before, in each direction.  Its labels are in the
    smallest dtype that holds all.

    Raises `LabelsError` where 0 is the label of a region, `FileFormatError` where it has no voxels.
    """
    if not isinstance(atlas.space, VolumeGrid):
        raise FileFormatError(
            f"OME-Zarr is written of voxels; these regions are of {atlas.space.description}."
        )
    labels = labels_image(atlas, "OME-Zarr holds").T
    levels = []
    step = 1
    # Every second voxel, and no mean or mode: a level holds labels that are there, and its first
    # voxel stays where it is.
    while True:
        part = labels[::step, ::step, ::step]
        levels.append(Level(InMemory(part, "the labels"), _every(atlas.space, step)))
        if max(part.shape) <= _COARSEST:
            return ChunkedParcellation(levels, atlas.table, 0, atlas.files)
        step *= 2


def _every(grid: VolumeGrid, step: int) -> VolumeGrid:
    """Return the grid of every so manieth voxel."""
    if step == 1:
        return grid
    n_i, n_j, n_k = (-(-n // step) for n in grid.shape)
    return VolumeGrid.from_affine((n_i, n_j, n_k), grid.affine @ np.diag([step, step, step, 1.0]))


def painting_in_chunks(image: Painted) -> PaintedChunks:
    """Return a painted image of nibabel's as one in chunks.

    Raises `FileFormatError` where it is none of voxels, or no longer what was painted.
    """
    atlas: Any = image.parcellation
    if atlas is None or not isinstance(atlas.space, VolumeGrid):
        raise FileFormatError(
            "OME-Zarr is written of voxels, from what paint returns; this "
            f"{type(image).__name__} is none, or no longer knows its regions."
        )
    if edited(image) is not None:
        raise FileFormatError(
            "OME-Zarr is written with the labels of regions, and the array of this image was "
            "edited since it was painted. Save it as .nii.gz."
        )
    match = image.match
    assert match is not None, "what knows its regions knows what went where"
    # As in other files, where it lies and when its volumes are is what the image says by now.
    now: Any = image
    if not np.array_equal(now.affine, atlas.space.affine):
        atlas = replace(atlas, space=VolumeGrid.of(now))
    axis = match.signals.axis.with_t_r(t_r_of(now))
    return PaintedChunks(in_chunks(atlas), now.dataobj.table, axis, match, image.categories)


def refuse_chunks(thing: object) -> None:
    """Raise `ArgumentError` where this is in chunks, and all voxels are needed at once."""
    if isinstance(thing, ChunkedParcellation | PaintedChunks):
        parcellation = thing if isinstance(thing, ChunkedParcellation) else thing.parcellation
        # Where there is no coarser one, its number would lead to the next error.
        level = len(parcellation.levels) - 1
        coarser = f"a coarser level into memory: load_parcellation(…, level={level}).load()"
        advice = coarser if level else "them into memory, if they fit: load_parcellation(…).load()"
        raise ArgumentError(
            f"All voxels are needed here, and those of {parcellation.levels[0].labels.name} "
            f"({times(parcellation.space.shape)}) are read in chunks. Crop them, or load {advice}."
        )
