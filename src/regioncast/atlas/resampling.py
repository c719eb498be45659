"""Labels on another grid, by nearest neighbour.

Labels are brought to the grid of an image, never the image to theirs: each voxel of the image
keeps its value, and belongs to the region that its centre is in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np

from ..engine.encoding import count
from ..errors import LabelsError, ResamplingWarning, examples, plural, warn
from .spaces import VolumeGrid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .parcellation import Parcellation


def resampled(parcellation: Parcellation, grid: VolumeGrid) -> Parcellation:
    """Return the parcellation on another grid; one warning lists the regions that vanish.

    Raises `LabelsError` when no region is left.
    """
    from nibabel.processing import resample_from_to

    assert isinstance(parcellation.space, VolumeGrid), "surfaces are not resampled"
    source = nib.Nifti1Image(parcellation.codes, parcellation.space.affine)
    # "grid-constant": a voxel reaches to its border, not only to its centre.
    moved = resample_from_to(source, (grid.shape, grid.affine), order=0, mode="grid-constant")
    codes = np.asfortranarray(moved.dataobj, dtype=parcellation.codes.dtype)
    on_grid = replace(parcellation, codes=codes, space=grid)
    vanished = np.flatnonzero((on_grid.counts == 0) & (parcellation.counts > 0)).tolist()
    if not on_grid.counts.any():
        raise LabelsError(
            f"No region of {len(on_grid):,} has a voxel on the grid of the image: they do not "
            "overlap. Check that both are in the same space."
        )
    if vanished:
        warn(
            f"{plural(len(vanished), 'region')} of {len(on_grid):,} "
            f"{'has' if len(vanished) == 1 else 'have'} no voxel on the grid of the image and "
            f"{'is' if len(vanished) == 1 else 'are'} missing: "
            f"{examples([parcellation.table.names[row] for row in vanished])}.",
            ResamplingWarning,
        )
    return on_grid


def voxels_outside(parcellation: Parcellation, grid: VolumeGrid) -> NDArray[np.int64]:
    """Return how many voxels of each region are outside a grid, in voxels of that grid."""
    assert isinstance(parcellation.space, VolumeGrid), "surfaces are not resampled"
    voxels = np.argwhere(parcellation.codes)
    to_grid = np.linalg.inv(grid.affine) @ parcellation.space.affine
    places = np.rint(voxels @ to_grid[:3, :3].T + to_grid[:3, 3])
    outside = ((places < 0) | (places >= grid.shape)).any(axis=1)
    codes = parcellation.codes[tuple(voxels[outside].T)]
    counts = count(codes, len(parcellation) + 1)[1:]
    # They are added to counts on the grid, whose voxels may be larger or smaller.
    ratio = parcellation.space.voxel_volume / grid.voxel_volume
    n_voxels: NDArray[np.int64] = np.rint(counts * ratio).astype(np.int64)
    return n_voxels
