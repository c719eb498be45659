"""Codes of voxels as they are looked at: axes to the right, to the front, and up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

from ..atlas.hemispheres import CORTEX, HEMISPHERE_TITLE, LEFT, RIGHT, side_of_word
from ..atlas.spaces import VOXELS, VolumeGrid
from ..engine._kernels import encode as kernels
from ..engine.encoding import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..atlas.parcellation import Parcellation

# A region with more than this share of its voxels on either side of the middle is of both.
_SHARE_OF_BOTH = 0.1


class Volume(NamedTuple):
    """Codes of voxels, with the axes that are closest to right, front and up in this order.

    Parameters
    ----------
    codes : array of uint8, uint16 or uint32, shape (n_i, n_j, n_k)
        Cropped to the regions and what is behind them, with a layer of no region around it.
    affine : array of float64, shape (4, 4)
        From indices of `codes` to mm.
    greys : array of uint8, shape (n_i, n_j, n_k), default=None
        What is behind the same voxels; see `regioncast.viewing.scene.Background`.
    """

    codes: NDArray[Any]
    affine: NDArray[np.float64]
    greys: NDArray[np.uint8] | None = None

    @property
    def zooms(self) -> NDArray[np.float64]:
        """Edges of a voxel, mm."""
        return np.asarray(nib.affines.voxel_sizes(self.affine))


def volume_of(atlas: Parcellation, greys: NDArray[np.uint8] | None = None) -> Volume | None:
    """Return the voxels of a parcellation; None where it has none.

    Parameters
    ----------
    atlas : Parcellation
    greys : array of uint8, shape of the volume of the atlas, default=None
        What is behind the regions; 0 where there is nothing.
    """
    grid = grid_of(atlas)
    if grid is None:
        return None
    turn = io_orientation(grid.affine)
    codes = apply_orientation(codes_in(atlas, VOXELS), turn)
    is_kept = codes > 0
    if greys is not None:
        greys = apply_orientation(greys, turn)
        is_kept |= greys > 0
    if not is_kept.any():
        return None
    start, end = _bounds(is_kept)
    box = tuple(slice(*ends) for ends in zip(start, end, strict=True))
    affine = grid.affine @ inv_ornt_aff(turn, grid.shape)
    # One layer before the box is where the volume begins.
    affine[:3, 3] += affine[:3, :3] @ (np.array(start) - 1)
    behind = None if greys is None else np.pad(greys[box], 1)
    return Volume(np.pad(codes[box], 1), affine, behind)


def grid_of(atlas: Parcellation) -> VolumeGrid | None:
    """Return the grid of the voxels of a parcellation; None where it has none."""
    part = atlas.space.parts.get(VOXELS)
    if part is None:
        return None
    assert isinstance(part.frame, VolumeGrid), "voxels lie in a volume"
    return part.frame


def codes_in(atlas: Parcellation, structure: str) -> NDArray[Any]:
    """Return the codes of a whole volume or surface, 0 where the space has none of its samples.

    Parameters
    ----------
    atlas : Parcellation
    structure : str
        A key of ``atlas.space.parts``.
    """
    part = atlas.space.parts[structure]
    shape = (part.frame,) if isinstance(part.frame, int) else part.frame.shape
    # Most atlases are whole, and a copy of a volume would take its time and memory.
    if atlas.codes.shape == shape:
        return atlas.codes
    codes = np.zeros(shape, atlas.codes.dtype)
    codes.reshape(-1)[part.places] = atlas.codes.reshape(-1)[part.samples]
    return codes


def _bounds(is_kept: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Return the first index along each axis at which something is, and the one after the last."""
    start, end = [], []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(is_kept.any(axis=others))
        start.append(int(inside[0]))
        end.append(int(inside[-1]) + 1)
    return start, end


def places_of_regions(volume: Volume, n_regions: int) -> list[list[int] | None]:
    """Return a voxel of each region to go to: that nearest to its centroid.

    Returns
    -------
    list of lists of three int
        Indices (i, j, k); None for a region without a voxel.
    """
    codes = volume.codes
    sums = np.zeros((n_regions + 1, 3), np.int64)
    kernels.sum_positions(codes, sums)
    counts = count(codes, n_regions + 1)
    is_there = counts > 0
    is_there[0] = False
    centroids = sums / np.maximum(counts, 1)[:, np.newaxis]
    places = np.rint(centroids).astype(np.intp)
    # Most regions are where their centroid is; of others, all voxels are looked at.
    is_elsewhere = is_there & (codes[tuple(places.T)] != np.arange(n_regions + 1))
    voxels = np.argwhere(is_elsewhere[codes])
    of_voxels = codes[tuple(voxels.T)]
    distances = (((voxels - centroids[of_voxels]) * volume.zooms) ** 2).sum(axis=1)
    nearest = np.full(n_regions + 1, np.inf)
    np.minimum.at(nearest, of_voxels, distances)
    is_nearest = distances == nearest[of_voxels]
    places[of_voxels[is_nearest]] = voxels[is_nearest]
    listed = zip(places[1:].tolist(), is_there[1:].tolist(), strict=True)
    return [place if there else None for place, there in listed]


def sides_of_regions(atlas: Parcellation, volume: Volume) -> NDArray[np.int8]:
    """Return on which side of the brain the voxels of each region are.

    Returns
    -------
    array of int8, shape (n_regions,)
        -1 left, 1 right, 0 both: each voxel is on its own side of x = 0.  All 0 where neither the
        table nor x = 0 divides the regions.
    """
    said = sides_said(atlas)
    x_of = volume.affine[0]
    i, j, k = np.ogrid[tuple(map(slice, volume.codes.shape))]
    is_left = x_of[0] * i + x_of[1] * j + x_of[3] < -x_of[2] * k
    n_codes = len(atlas) + 1
    all_voxels = count(volume.codes, n_codes)[1:]
    left = count(volume.codes[is_left], n_codes)[1:]
    with np.errstate(invalid="ignore"):
        share = left / all_voxels
    sides = np.where(share > 1 - _SHARE_OF_BOTH, -1, np.where(share < _SHARE_OF_BOTH, 1, 0))
    sides = np.where(said != 0, said, sides).astype(np.int8)
    # With all of them on one side of 0, x may be counted from the edge of the image.
    if not said.any() and not is_divided(left.sum(), all_voxels.sum()):
        sides[:] = 0
    return sides


def is_divided(n_left: int, n_voxels: int) -> bool:
    """Return whether x = 0 divides voxels, so that it may be the middle of a brain."""
    return _SHARE_OF_BOTH * n_voxels < n_left < (1 - _SHARE_OF_BOTH) * n_voxels


def sides_said(atlas: Parcellation) -> NDArray[np.int8]:
    """Return the sides of regions that need no voxel to be known.

    Returns
    -------
    array of int8, shape (n_regions,)
        -1 left, 1 right, as the region table says; where it has no hemispheres, of regions that are
        on the surface of one hemisphere alone.  0 where neither says one.
    """
    cells = atlas.table.hemispheres or atlas.table.columns.get(HEMISPHERE_TITLE)
    if cells is None:
        return _sides_of_surfaces(atlas)
    number = {LEFT: -1, RIGHT: 1}
    return np.array([number.get(side_of_word(cell) or "", 0) for cell in cells], np.int8)


def _sides_of_surfaces(atlas: Parcellation) -> NDArray[np.int8]:
    """Return the sides of regions that are on the surface of one hemisphere, and nowhere else."""
    is_on = {}
    for structure, part in atlas.space.parts.items():
        codes = np.ascontiguousarray(atlas.codes.reshape(-1)[part.samples])
        is_on[structure] = count(codes, len(atlas) + 1)[1:] > 0
    n_parts = np.sum([*is_on.values()], axis=0)
    sides = np.zeros(len(atlas), np.int8)
    for side, number in ((LEFT, -1), (RIGHT, 1)):
        if CORTEX[side] in is_on:
            sides[is_on[CORTEX[side]] & (n_parts == 1)] = number
    return sides
