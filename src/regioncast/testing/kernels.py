"""Oracles of the compiled kernels: the same with plain NumPy, or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEIGHTED = ("mean", "sum", "variance", "standard_deviation")


def find_places(
    labels: NDArray[Any], low: int, width: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint8]] | None:
    """Return the places of labels in a table, and for each place whether its label is there.

    Parameters
    ----------
    labels : array of int or float
    low : int
        The label of the first place.
    width : int
        How many places there are.

    Returns
    -------
    places : array of uint32
    is_there : array of uint8, shape (width,)
        None instead of both where a label has no place.

    Examples
    --------
    >>> import numpy as np
    >>> find_places(np.array([7, 5, 7]), 5, 4)
    (array([2, 0, 2], dtype=uint32), array([1, 0, 1, 0], dtype=uint8))
    >>> find_places(np.array([7, 9]), 5, 4), find_places(np.array([7, 6.5]), 5, 4)
    (None, None)
    """
    place_of = {low + place: place for place in range(width)}
    if any(label not in place_of for label in labels.tolist()):
        return None
    places = np.array([place_of[label] for label in labels.tolist()], np.uint32)
    return places, np.isin(np.arange(width), places).astype(np.uint8)


def number_labels(
    labels: NDArray[Any], seen: Sequence[int], room: int
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return numbers for labels, from 0 in the order in which they are first seen.

    Parameters
    ----------
    labels : array of int
    seen : sequence of int
        The labels that have a number already.
    room : int
        How many there may be; numbers end before the label that is one too many.

    Returns
    -------
    numbers : array of uint32
    seen : array of int64
        The labels with a number, in that order.

    Examples
    --------
    >>> import numpy as np
    >>> number_labels(np.array([40, 0, 40, -7, 0]), [0], room=2)
    (array([1, 0, 1], dtype=uint32), array([ 0, 40]))
    """
    number_of = {label: number for number, label in enumerate(seen)}
    numbers = []
    for label in labels.tolist():
        if label not in number_of and len(number_of) == room:
            break
        numbers.append(number_of.setdefault(label, len(number_of)))
    return np.array(numbers, np.uint32), np.array(list(number_of), np.int64)


def recode(codes: NDArray[Any], new_code: NDArray[Any]) -> NDArray[Any]:
    """Return ``new_code[code]`` for each code.

    Examples
    --------
    >>> import numpy as np
    >>> recode(np.array([0, 2, 1]), np.array([0, 20, 10]))
    array([ 0, 10, 20])
    """
    return np.take(new_code, codes)


def count(codes: NDArray[Any], n_codes: int) -> NDArray[np.int64]:
    """Return how often each of the codes 0 to ``n_codes - 1`` occurs.

    Examples
    --------
    >>> import numpy as np
    >>> count(np.array([0, 2, 2]), 4)
    array([1, 0, 2, 0])
    """
    return np.bincount(codes, minlength=n_codes).astype(np.int64)


def sum_positions(codes: NDArray[Any], n_codes: int) -> NDArray[np.int64]:
    """Return the sum of the voxel indices (i, j, k) of each code, shape (n_codes, 3).

    Examples
    --------
    >>> import numpy as np
    >>> sum_positions(np.array([[[0, 1, 1]]]), 2)
    array([[0, 0, 0],
           [0, 0, 3]])
    """
    indices = [np.argwhere(codes == code) for code in range(n_codes)]
    return np.array([where.sum(axis=0) for where in indices], dtype=np.int64)


def paint_maps(codes: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
    """Return ``table[t, codes]`` for each map, shape (n_maps, n_samples).

    Examples
    --------
    >>> import numpy as np
    >>> paint_maps(np.array([0, 2]), np.array([[0, 5, 7], [0, 6, 8]]))
    array([[0, 7],
           [0, 8]])
    """
    return np.stack([row[codes] for row in table])


def paint_series(codes: NDArray[Any], table: NDArray[Any]) -> NDArray[Any]:
    """Return ``table[code]`` for each sample, shape (n_samples, n_maps).

    Examples
    --------
    >>> import numpy as np
    >>> paint_series(np.array([0, 2]), np.array([[0, 0], [5, 6], [7, 8]]))
    array([[0, 0],
           [7, 8]])
    """
    return np.stack([table[code] for code in codes.tolist()])


def group(codes: NDArray[Any], n_regions: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """List the samples of each region, codes 1, 2, …, one region after the other.

    Returns
    -------
    samples : array of int
        Ascending within a region.
    starts : array of int, shape (n_regions + 1,)
        Where in `samples` each region begins, and where the last one ends.

    Examples
    --------
    >>> import numpy as np
    >>> group(np.array([2, 0, 1, 2]), 2)
    (array([2, 0, 3]), array([0, 1, 3]))
    """
    samples = [np.flatnonzero(codes == code) for code in range(1, n_regions + 1)]
    return np.concatenate(samples), np.cumsum([0, *map(len, samples)])


def reduce_region(
    values: NDArray[Any],
    strategy: str,
    *,
    nan: str = "omit",
    weights: NDArray[Any] | None = None,
) -> float:
    """Reduce the values of a region in one map to a number, NaN where there are none.

    Parameters
    ----------
    values : array, shape (n_samples,)
    strategy : str
        As in `regioncast.extract`, without ``"first_eigenvariate"``.
    nan : {"omit", "propagate", "zero"}, default="omit"
        What becomes of values that are NaN or infinite.
    weights : array, shape (n_samples,), default=None
        Of mean, sum, variance and standard deviation.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([1.0, np.nan, 3.0, 1.0])
    >>> [reduce_region(values, strategy) for strategy in ("sum", "mode", "percentile:75")]
    [5.0, 1.0, 2.0]
    >>> reduce_region(values, "sum", nan="zero", weights=np.array([1, 1, 2, 0]))
    7.0
    """
    values = values.astype(np.float64)
    weights = np.ones(len(values)) if weights is None else weights
    finite = np.isfinite(values)
    if nan == "zero":
        values = np.where(finite, values, 0)
    elif nan == "omit":
        values, weights = values[finite], weights[finite]
    if strategy == "count":
        return len(values)
    if not len(values):
        return np.nan
    if strategy in _WEIGHTED:
        return _reduce_weighted(values, strategy, weights)
    if np.isnan(values).any():
        return np.nan
    if strategy == "mode":
        found: list[float] = values.tolist()
        return min(found, key=lambda value: (-found.count(value), value))
    kind, _, percentage = strategy.partition(":")
    with np.errstate(invalid="ignore"):
        if kind == "percentile":
            return float(np.percentile(values, float(percentage)))
        return float(getattr(np, {"minimum": "min", "maximum": "max"}.get(kind, kind))(values))


def _reduce_weighted(values: NDArray[Any], strategy: str, weights: NDArray[Any]) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        if strategy == "sum":
            return float((weights * values).sum())
        mean = (weights * values).sum() / weights.sum()
        variance = (weights * (values - mean) ** 2).sum() / weights.sum()
        found = {"mean": mean, "variance": variance, "standard_deviation": np.sqrt(variance)}
        return float(found[strategy])


def first_eigenvariate(values: NDArray[Any]) -> NDArray[Any]:
    """Return the first principal time course of samples, from their singular values.

    Parameters
    ----------
    values : array, shape (n_samples, n_maps)

    Examples
    --------
    >>> import numpy as np
    >>> first_eigenvariate(np.array([[1.0, 2, 4], [10, 12, 16]])).round(3)
    array([-2.108, -0.527,  2.635])
    """
    centered = values - values.mean(axis=1, keepdims=True)
    _, singular, courses = np.linalg.svd(centered, full_matrices=False)
    course = courses[0] * singular[0] / np.sqrt(len(values))
    flipped = np.corrcoef(course, values.mean(axis=0))[0, 1] < 0
    return np.asarray(-course if flipped else course)


def sum_leaf(
    codes: NDArray[Any], values: NDArray[Any], n_regions: int
) -> list[tuple[int, int, int, int, int]]:
    """Return what is known of each region in a leaf of integers, as Python's integers.

    Returns
    -------
    list of (number of voxels, least, largest, sum, sum of squares)
        All 0 where a region has no voxel.

    Examples
    --------
    >>> import numpy as np
    >>> sum_leaf(np.array([1, 0, 1]), np.array([-3, 5, 2]), 2)
    [(2, -3, 2, -1, 13), (0, 0, 0, 0, 0)]
    """
    known = []
    for code in range(1, n_regions + 1):
        found: list[int] = values[codes == code].tolist()
        squares = sum(value * value for value in found)
        least, largest = min(found, default=0), max(found, default=0)
        known.append((len(found), least, largest, sum(found), squares))
    return known
