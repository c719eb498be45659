"""The oracle of what of a mesh is seen: pixel by pixel, each of which asks all triangles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rasterise(
    corners: NDArray[Any],
    corner_codes: NDArray[Any],
    triangles: NDArray[Any],
    shape: tuple[int, int],
) -> tuple[NDArray[np.uint32], NDArray[np.float64], NDArray[np.uint8]]:
    """Return images of codes, of depths and of shades of triangles that face the eye.

    Where coordinates are multiples of a not too small power of two, all that is compared is exact.

    Parameters
    ----------
    corners : array, shape (n, 4)
        x, y, depth and shade of each vertex.
    corner_codes : array of uint32, shape (n,)
    triangles : array of int, shape (m, 3)
        Those of vertices that there are not are left out.
    shape : tuple of two int
        Height and width.

    Examples
    --------
    >>> import numpy as np
    >>> corners = np.array([[0, 0, 0, 9], [0, 4, 0, 9], [4, 0, 0, 9]])
    >>> rasterise(corners, np.array([1, 2, 3], np.uint32), np.array([[0, 1, 2]]), (4, 4))[0]
    array([[1, 1, 3, 3],
           [1, 2, 3, 0],
           [2, 2, 0, 0],
           [2, 0, 0, 0]], dtype=uint32)
    """
    height, width = shape
    codes, shade = np.zeros(shape, np.uint32), np.zeros(shape, np.uint8)
    depth = np.full(shape, -np.inf)
    are_there = ((triangles >= 0) & (triangles < len(corners))).all(1)
    triangles = triangles[are_there]
    first, second, third = (corners[corner, :2].astype(float) for corner in triangles.T)
    areas = _area(first, second, third)
    depths, shades = (corners[:, column].astype(float)[triangles] for column in (2, 3))
    for row in range(height):
        for column in range(width):
            point = np.broadcast_to([column + 0.5, row + 0.5], first.shape)
            parts = (point, second, third), (first, point, third), (first, second, point)
            weights = np.stack([_area(*part) for part in parts], 1)
            hits = np.flatnonzero((areas < 0) & (weights <= 0).all(1))
            if not len(hits):
                continue
            near = (weights * depths).sum(1)[hits] / areas[hits]
            seen = hits[near.argmax()]
            depth[row, column] = near.max()
            shade[row, column] = int((weights * shades).sum(1)[seen] / areas[seen])
            codes[row, column] = _code_of(corner_codes[triangles[seen]], -weights[seen])
    return codes, depth, shade


def _area(first: NDArray[Any], second: NDArray[Any], third: NDArray[Any]) -> NDArray[np.float64]:
    """Return twice the areas of triangles, by the shoelace formula."""
    (ax, ay), (bx, by), (cx, cy) = first.T, second.T, third.T
    area: NDArray[np.float64] = ax * (by - cy) + bx * (cy - ay) + cx * (ay - by)
    return area


def _code_of(codes: NDArray[Any], weights: NDArray[np.float64]) -> int:
    """Return the code with the largest weight; of equals that of more corners, then the first."""
    totals: dict[int, tuple[float, int]] = {}
    for code in codes.tolist():
        is_of_code = codes == code
        totals[code] = (float(weights[is_of_code].sum()), int(is_of_code.sum()))
    return max(totals, key=totals.__getitem__)
