"""Labels images for benchmarks: like brains, and as fine as they come."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy.spatial import KDTree

MM2 = (91, 109, 91)
MM1 = (182, 218, 182)


def brain(shape: tuple[int, ...], n_regions: int, dtype: DTypeLike = np.int32) -> nib.Nifti1Image:
    """Return an ellipsoid that fills 27 % of the box, cut into the cells of random points.

    As in a real atlas, most voxels are background and regions border on each other.
    """
    rng = np.random.default_rng(n_regions)
    indices = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1).reshape(-1, 3)
    middle = (np.array(shape) - 1) / 2
    inside = (((indices - middle) / (0.4 * np.array(shape))) ** 2).sum(axis=1) <= 1
    voxels = indices[inside]
    seeds = voxels[rng.choice(len(voxels), n_regions, replace=False)]
    labels = np.zeros(len(indices), dtype)
    labels[inside] = KDTree(seeds).query(voxels)[1] + 1
    return image(labels.reshape(shape))


def scattered(labels: nib.Nifti1Image) -> nib.Nifti1Image:
    """Return the same regions with 64-bit labels above 2**40, in no order."""
    data = np.asanyarray(labels.dataobj)
    new_labels = np.random.default_rng(1).choice(2**50, int(data.max()) + 1, replace=False) + 2**41
    new_labels[0] = 0
    return image(new_labels[data])


def supervoxels(shape: tuple[int, ...], side: int, *, scattered: bool) -> nib.Nifti1Image:
    """Return cubes of `side` voxels to a side that fill the box.

    Their labels count up in random order, or are scattered 64-bit numbers above 2**40.
    """
    rng = np.random.default_rng(side)
    n_cubes = [-(-n // side) for n in shape]
    i, j, k = np.meshgrid(*[np.arange(n) // side for n in shape], indexing="ij")
    cubes = i + n_cubes[0] * (j + n_cubes[1] * k)
    n_regions = int(np.prod(n_cubes))
    if scattered:
        labels = rng.choice(2**50, n_regions, replace=False) + 2**41
    else:
        labels = rng.permutation(n_regions).astype(np.int32) + 1
    return image(labels[cubes])


def image(labels: NDArray[np.generic]) -> nib.Nifti1Image:
    """Return a labels image in the memory order of files."""
    return nib.Nifti1Image(np.asfortranarray(labels), np.diag([2.0, 2, 2, 1]), dtype=labels.dtype)


def n_regions_of(labels: nib.Nifti1Image) -> int:
    """Return the number of distinct labels, without 0."""
    return int(np.count_nonzero(np.unique(np.asanyarray(labels.dataobj))))
