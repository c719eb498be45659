"""Where the samples of an image are.

A *volume grid* is a box of voxels with an affine, which takes voxel indices (i, j, k) to
millimetres.  Two grids are the same when their shapes agree and no corner of the one is
further than 1 % of a voxel from that of the other.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from .errors import SpaceError, capitalized, times

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

GRID_TOLERANCE = 0.01
"""How far a corner may move, in voxels, for two grids to be the same."""

# The header fields of NIfTI that say where voxels are, and nothing else.
_GEOMETRY_FIELDS = (
    "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units",
)  # fmt: skip

# A NIfTI-1 header holds dimensions as int16.
_NIFTI1_LARGEST_DIMENSION = np.iinfo(np.int16).max


@dataclass(frozen=True, eq=False)
class VolumeGrid:
    """A box of voxels in space.

    Parameters
    ----------
    shape : tuple of three int
    affine : array of float64, shape (4, 4)
        From voxel indices to millimetres.
    geometry : nibabel.Nifti2Header
        A header that carries qform, sform, their codes and the units, and nothing else; of
        NIfTI-2, which holds them in double precision.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    geometry: nib.Nifti2Header

    @classmethod
    def of(cls, image: Any) -> VolumeGrid:
        """Return the grid of a nibabel image of three or more dimensions."""
        affine = np.eye(4) if image.affine is None else np.array(image.affine, np.float64)
        return cls(tuple(image.shape[:3]), affine, _geometry(image, affine))

    def __repr__(self) -> str:
        sizes = " × ".join(f"{size:g}" for size in np.linalg.norm(self.affine[:3, :3], axis=0))
        return f"VolumeGrid: {times(self.shape)} voxels of {sizes} mm"

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel in mm³."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def header(self, dtype: DTypeLike, shape: tuple[int, ...]) -> nib.Nifti1Header:
        """Return a NIfTI header of this geometry for data of `dtype` and `shape`.

        NIfTI-2 where a dimension is too large for NIfTI-1.
        """
        large = max(shape, default=0) > _NIFTI1_LARGEST_DIMENSION
        header = nib.Nifti2Header() if large else nib.Nifti1Header()
        _copy_geometry(self.geometry, header)
        header.set_data_dtype(dtype)
        header.set_data_shape(shape)
        header["pixdim"][:4] = self.geometry["pixdim"][:4]
        header.set_slope_inter(1, 0)
        return header

    def check_same(self, other: VolumeGrid, *, this_name: str, other_name: str) -> None:
        """Raise `SpaceError` where the grids differ, naming the images and the difference."""
        difference = self.difference(other)
        if difference is not None:
            problem, detail = difference
            raise SpaceError(
                f"{problem} {capitalized(other_name)} {detail.format(this=this_name)} "
                f"Resample {other_name} to the grid of {this_name} first."
            )

    def difference(self, other: VolumeGrid) -> tuple[str, str] | None:
        """Return how `other` differs, as a general and a particular sentence, or None.

        The particular one lacks its subject, and has ``{this}`` for the name of this grid.
        """
        if self.shape != other.shape:
            return (
                "Images have incompatible shapes.",
                f"has {times(other.shape)} voxels, {{this}} has {times(self.shape)}.",
            )
        return self._shift(other)

    def _shift(self, other: VolumeGrid) -> tuple[str, str] | None:
        if np.array_equal(self.affine, other.affine):
            return None
        corners = np.array(list(itertools.product(*[(0, n - 1) for n in self.shape])), float)
        moved = corners @ (other.affine - self.affine)[:3, :3].T
        moved += (other.affine - self.affine)[:3, 3]
        voxel_sizes = np.linalg.norm(self.affine[:3, :3], axis=0)
        distances = np.linalg.norm(moved, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            in_voxels = distances / voxel_sizes.min()
        worst = int(np.argmax(in_voxels))
        if in_voxels[worst] <= GRID_TOLERANCE:
            return None
        corner = ", ".join(f"{index:.0f}" for index in corners[worst])
        shift = f"{distances[worst]:.4g} mm ({in_voxels[worst]:.3g} voxels)"
        return (
            "Images have different affine matrices.",
            f"lies up to {shift} away from {{this}}, most at voxel ({corner}).",
        )


def _geometry(image: Any, affine: NDArray[np.float64]) -> nib.Nifti2Header:
    geometry = nib.Nifti2Header()
    geometry.set_data_shape(image.shape[:3])
    source = image.header
    if isinstance(source, nib.Nifti1Header):
        _copy_geometry(source, geometry)
        geometry["pixdim"][:4] = source["pixdim"][:4]
    if not np.allclose(geometry.get_best_affine(), affine):
        # As nibabel does for an image whose affine did not come from a NIfTI header.
        geometry.set_sform(affine, code="aligned")
        geometry.set_qform(affine, code="unknown")
    return geometry


def _copy_geometry(source: nib.Nifti1Header, target: nib.Nifti1Header) -> None:
    for name in _GEOMETRY_FIELDS:
        target[name] = source[name]
