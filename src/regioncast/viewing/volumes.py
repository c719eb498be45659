"""Codes of voxels as they are looked at: axes to the right, to the front, and up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

from ..atlas.hemispheres import HEMISPHERE_TITLE, LEFT, RIGHT, side_of_word
from ..atlas.spaces import VOXELS, VolumeGrid

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
        Cropped to the regions, with at least one layer of no region on each side.
    affine : array of float64, shape (4, 4)
        From indices of `codes` to mm.
    """

    codes: NDArray[Any]
    affine: NDArray[np.float64]

    @property
    def zooms(self) -> NDArray[np.float64]:
        """Edges of a voxel, mm."""
        return np.asarray(nib.affines.voxel_sizes(self.affine))


def volume_of(atlas: Parcellation, background: NDArray[Any] | None = None) -> Volume | None:
    """Return the voxels of a parcellation; None where it has none.

    Parameters
    ----------
    atlas : Parcellation
    background : array, shape of the volume of the atlas, default=None
        The volume is cropped to what is not 0 in it, too; see `cropped`.
    """
    part = atlas.space.parts.get(VOXELS)
    if part is None:
        return None
    grid = part.frame
    assert isinstance(grid, VolumeGrid), "voxels lie in a volume"
    codes = np.zeros(grid.shape, atlas.codes.dtype)
    codes.reshape(-1)[part.places] = atlas.codes.reshape(-1)[part.samples]
    is_kept = codes > 0 if background is None else (codes > 0) | (background > 0)
    if not is_kept.any():
        return None
    return cropped(codes, grid.affine, is_kept)


def cropped(
    values: NDArray[Any], affine: NDArray[np.float64], is_kept: NDArray[np.bool_]
) -> Volume:
    """Return an array of voxels turned right, front, up, without the margins that nobody sees.

    Parameters
    ----------
    values : array of three dimensions
        Codes, or whatever is of the same voxels.
    affine : array, shape (4, 4)
    is_kept : array of bool, shape of `values`
        What has to stay; a layer of zeros is around it.
    """
    turn = io_orientation(affine)
    turned = apply_orientation(values, turn)
    is_kept = apply_orientation(is_kept, turn)
    affine = affine @ inv_ornt_aff(turn, values.shape)
    start, end = [], []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        inside = np.flatnonzero(is_kept.any(axis=others))
        start.append(int(inside[0]))
        end.append(int(inside[-1]) + 1)
    box = tuple(slice(*ends) for ends in zip(start, end, strict=True))
    moved = affine.copy()
    moved[:3, 3] += affine[:3, :3] @ (np.array(start) - 1)
    return Volume(np.pad(turned[box], 1), moved)


def sides_of_regions(atlas: Parcellation, volume: Volume) -> NDArray[np.int8]:
    """Return on which side of the brain the voxels of each region are.

    Returns
    -------
    array of int8, shape (n_regions,)
        -1 left, 1 right, 0 both: each voxel is on its own side of x = 0.  All 0 where neither the
        table nor x = 0 divides the regions.
    """
    said = _sides_said(atlas)
    x_of = volume.affine[0, :3]
    i, j, k = np.ogrid[tuple(map(slice, volume.codes.shape))]
    x = x_of[0] * i + x_of[1] * j + x_of[2] * k + volume.affine[0, 3]
    is_left = np.broadcast_to(x < 0, volume.codes.shape)
    n_codes = len(atlas) + 1
    all_voxels = np.bincount(volume.codes.reshape(-1), minlength=n_codes)[1:]
    left = np.bincount(volume.codes[is_left], minlength=n_codes)[1:]
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


def _sides_said(atlas: Parcellation) -> NDArray[np.int8]:
    """Return the sides that the region table says; 0 where it says none."""
    cells = atlas.table.hemispheres or atlas.table.columns.get(HEMISPHERE_TITLE)
    if cells is None:
        return np.zeros(len(atlas), np.int8)
    number = {LEFT: -1, RIGHT: 1}
    return np.array([number.get(side_of_word(cell) or "", 0) for cell in cells], np.int8)
