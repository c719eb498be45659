"""A calm outline around all regions of a volume, so that one sees where in the brain they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from contourpy import FillType, contour_generator
from scipy import ndimage  # type: ignore[import-untyped]
from scipy.spatial import ConvexHull  # type: ignore[import-untyped]

from ..svg import path_around
from .planes import PLANES, edge_of

if TYPE_CHECKING:
    from matplotlib.path import Path
    from numpy.typing import NDArray

    from ..volumes import Volume

# Blocks of voxels along the longest edge; gaps that are closed, as a share of it; and how much the
# outline is smoothed, in blocks.
_N_BLOCKS, _CLOSED, _SMOOTHED = 48, 0.1, 0.8
# What is around sparse regions is less than this share of the box that holds them; an ellipsoid
# would be half of it.
_SPARSE = 0.3


class Silhouette:
    """What is around all regions, without the gaps between them.

    Gaps are closed that are up to a fifth of the longest edge wide, whatever the species: all is
    inside that is as near to a region as that, but for what is as near to what is further away.
    Regions that are too sparse for that have their convex hull around them.

    Parameters
    ----------
    volume : Volume
    """

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        edges = np.array(volume.codes.shape) * volume.zooms
        longest = float(edges.max())
        self.steps = np.maximum(1, np.rint(longest / _N_BLOCKS / volume.zooms)).astype(int)
        sizes = self.steps * volume.zooms
        radius = _CLOSED * longest
        self.margins = np.ceil(2 * radius / sizes).astype(int)
        is_region = np.pad(
            _in_blocks(volume.codes > 0, self.steps), [(n, n) for n in self.margins.tolist()]
        )
        is_near = ndimage.distance_transform_edt(~is_region, sizes) <= radius
        # How far inside blocks are, in mm, and negative outside.
        depths = ndimage.distance_transform_edt(is_near, sizes) - radius
        # What regions enclose in an axial layer is brain: openings below lead into other planes.
        is_inside = np.stack(
            [ndimage.binary_fill_holes(layer > 0) for layer in np.moveaxis(depths, 2, 0)], 2
        )
        depths[is_inside] = np.maximum(depths[is_inside], sizes.min())
        if is_inside.sum() < _SPARSE * np.prod(np.ptp(np.argwhere(is_region), axis=0) + 1):
            depths = _depths_in_hull(is_region, sizes) + radius / 3
        self.depths: NDArray[np.float64] = ndimage.gaussian_filter(depths, _SMOOTHED)

    def at(self, axis: int, index: int) -> Path | None:
        """Return the outline in one cut, in mm of its picture; None where none is."""
        layer = (index - (self.steps[axis] - 1) / 2) / self.steps[axis] + self.margins[axis]
        before = int(np.clip(np.floor(layer), 0, self.depths.shape[axis] - 2))
        share = float(np.clip(layer - before, 0, 1))
        pair = self.depths.take([before, before + 1], axis)
        depths = (1 - share) * pair.take(0, axis) + share * pair.take(1, axis)
        plane = PLANES[axis]
        x, y = self._middles(plane.right), self._middles(plane.up)
        contours = contour_generator(x, y, depths.T, fill_type=FillType.OuterOffset)
        # Of each piece the line around it, which is the first; what is inside is brain.
        rings = [
            points[: ends[1] - 1]
            for points, ends in zip(*contours.filled(0.0, np.inf), strict=True)
        ]
        return path_around(rings) if rings else None

    def _middles(self, axis: int) -> list[float]:
        """Return where blocks are along an edge of a picture, in mm."""
        blocks = np.arange(self.depths.shape[axis]) - self.margins[axis] + 0.5
        return [edge_of(self.volume, axis, at) for at in (blocks * self.steps[axis]).tolist()]


def _depths_in_hull(
    is_region: NDArray[np.bool_], sizes: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far blocks are inside the convex hull of regions, in mm, and negative outside."""
    blocks = np.argwhere(is_region)
    corners = np.stack(np.meshgrid(*[(-0.5, 0.5)] * 3), -1).reshape(-1, 1, 3)
    faces = ConvexHull((blocks + corners).reshape(-1, 3) * sizes).equations
    i, j, k = np.ogrid[tuple(map(slice, is_region.shape))]
    depths = np.full(is_region.shape, np.inf)
    for across_i, across_j, across_k, offset in faces * [*sizes, 1]:
        beyond = across_i * i + across_j * j + across_k * k + offset
        depths = np.minimum(depths, -beyond)
    return depths


def _in_blocks(is_in: NDArray[np.bool_], steps: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Return which blocks of voxels have one that is in."""
    missing = (-np.array(is_in.shape) % steps).tolist()
    whole = np.pad(is_in, [(0, n) for n in missing])
    n_i, n_j, n_k = (np.array(whole.shape) // steps).tolist()
    blocks = whole.reshape(n_i, steps[0], n_j, steps[1], n_k, steps[2])
    return np.asarray(blocks.any(axis=(1, 3, 5)))
