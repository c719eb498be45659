"""What is behind the slices: a grey image, on the voxels of the regions.

An image of the user, or the template of the brain that an installed nilearn brings.  It is brought
to the grid of the regions, never the regions to its own, and becomes 21 greys: a page holds it in
few bytes, and nobody reads numbers from it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.spaces import VOXELS
from ..errors import ImageTypeError, MissingPackageError, SpaceError
from ..files import name_of_file, package_file
from ..io.volume.nifti import read_volume
from .scene import Background
from .volumes import codes_in, grid_of

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from ..atlas.parcellation import Parcellation
    from ..atlas.spaces import VolumeGrid

MNI152 = "mni152"
"""The word for the template that nilearn brings."""

# ICBM 2009a, nonlinear and symmetric, 1 mm: T1 of the brain alone, 0 outside.
_TEMPLATE = "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
_TEMPLATE_NAME = "MNI152 (2009, T1)"

# The greys of what is there: 8, 20, … 248.  The noise of an image is what takes bytes: 31 greys, in
# steps of 8, take a fifth more, and look the same.
_DARK, _STEP, _N_GREYS = 8, 12, 21

# Between these percentiles of what is there, dark becomes bright: a few voxels of vessels or of
# metal do not count.
_DARKEST, _BRIGHTEST = 1, 99

# Air is not quite 0 in images of a scanner.  Below this share of the brightest, there is nothing.
_AIR = 0.05


def backdrop(
    background: str | os.PathLike[str] | SpatialImage | None, atlas: Parcellation
) -> Background | None:
    """Return the greys behind the slices of a parcellation.

    Parameters
    ----------
    background : path, nibabel image or "mni152", default=None
        One volume, in the space of the parcellation; its grid may be another.  ``"mni152"`` is the
        template of ICBM (2009a, symmetric), T1 of the brain, which an installed nilearn brings.
    atlas : Parcellation

    Returns
    -------
    Background or None
        On the whole grid of the parcellation, interpolated linearly; None where none is asked for.

    Raises
    ------
    SpaceError
        When the parcellation has no voxels, or none where the image has something.
    DimensionError
        When the image is no single volume.
    MissingPackageError
        When nilearn, of which ``"mni152"`` is, is not installed.
    InputMissingError, FileFormatError, ImageTypeError
        When there is no such file, or no volume in it.
    """
    if background is None:
        return None
    grid = grid_of(atlas)
    if grid is None:
        raise SpaceError(
            f"A background is behind slices, and there are none: the regions are made of "
            f"{atlas.space.nouns}. Leave it out."
        )
    if isinstance(background, str) and background.lower() == MNI152:
        background, name = _template(), _TEMPLATE_NAME
    else:
        name = Path(name_of_file(background)).name or "image in memory"
    values, frame = read_volume(background, "the background")
    if values.dtype.kind == "c":
        raise ImageTypeError(
            f"The background, {name}, is complex, and greys are not. Give its magnitude."
        )
    if not np.nan_to_num(values, posinf=0, neginf=0).any():
        raise ImageTypeError(
            f"The background, {name}, has nothing to show: all its voxels are 0, NaN or infinite."
        )
    greys = _greys(_on_grid(values, frame, grid))
    if not greys[codes_in(atlas, VOXELS) > 0].any():
        raise SpaceError(
            f"The background, {name}, has nothing where the regions are: it reaches from "
            f"{_corners(frame)}, and the labels image from {_corners(grid)}. Both have to be in "
            "the same space."
        )
    return Background(greys, name)


def _template() -> Path:
    template = package_file("nilearn", _TEMPLATE)
    if template is None:
        raise MissingPackageError(
            f'background="{MNI152}" is an image that nilearn brings, and there is none: '
            "pip install 'regioncast[nilearn]'. An image of your own needs nothing more."
        )
    return template


def _on_grid(values: NDArray[Any], frame: VolumeGrid, grid: VolumeGrid) -> NDArray[np.float32]:
    """Return an image on another grid, 0 where it does not reach; what is not finite is 0 too."""
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            values = np.nan_to_num(values.astype(np.float32), posinf=0, neginf=0)
    to_image = np.linalg.inv(frame.affine) @ grid.affine
    steps, start = to_image.diagonal()[:3], to_image[:3, 3]
    if not np.array_equal(to_image[:3, :3], np.diag(steps)):
        return _interpolated(values, to_image, grid.shape)
    # Axes go the same way, as those of templates do: one after the other is several times as fast.
    for axis in range(3):
        places = start[axis] + steps[axis] * np.arange(grid.shape[axis])
        values = _interpolated_along(axis, values, places)
    return values


def _interpolated(
    values: NDArray[Any], to_image: NDArray[np.float64], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    from scipy.ndimage import affine_transform  # type: ignore[import-untyped]  # ships no types

    # "grid-constant": a place that rounding puts just outside keeps its value.
    moved: NDArray[np.float32] = affine_transform(
        values, to_image[:3, :3], to_image[:3, 3], shape, np.float32, order=1, mode="grid-constant"
    )
    return moved


def _interpolated_along(
    axis: int, values: NDArray[Any], places: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the values at places along an axis, counted in voxels; 0 beyond the first and last."""
    n_voxels = values.shape[axis]
    before = np.floor(places)
    to_next = np.expand_dims((places - before).astype(np.float32), tuple({0, 1, 2} - {axis}))
    # A layer of zeros on either side stands for all that is beyond.
    padded = np.pad(values, [(1, 1) if other == axis else (0, 0) for other in range(3)])
    lower, upper = (np.clip(before + n, 0, n_voxels + 1).astype(np.intp) for n in (1, 2))
    between = padded.take(lower, axis) * (1 - to_next) + padded.take(upper, axis) * to_next
    numbers: NDArray[np.float32] = between.astype(np.float32, copy=False)
    return numbers


def _greys(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the greys of an image, 0 where it has nothing."""
    is_there = values != 0
    greys = np.zeros(values.shape, np.uint8)
    if not is_there.any():
        return greys
    darkest, brightest = np.percentile(values[is_there], [_DARKEST, _BRIGHTEST])
    if darkest >= 0:
        is_there &= values > _AIR * brightest
        darkest = np.percentile(values[is_there], _DARKEST)
    reach = brightest - darkest
    # An image of one value, as a mask is, is bright.
    shares = (values[is_there] - darkest) / reach if reach > 0 else 1
    steps = np.rint(np.clip(shares, 0, 1) * (_N_GREYS - 1))
    greys[is_there] = _DARK + _STEP * steps
    return greys


def _corners(grid: VolumeGrid) -> str:
    """Return where the first and the last voxel of a grid are, in mm."""
    last = grid.affine[:3, :3] @ (np.array(grid.shape) - 1) + grid.affine[:3, 3]
    first, last = (
        f"({', '.join(f'{x:.0f}' for x in corner)})" for corner in (grid.affine[:3, 3], last)
    )
    return f"{first} to {last} mm"
