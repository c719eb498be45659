"""Oracles of the compiled kernels: the same with plain NumPy, or one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WEIGHTED = ("mean", "sum", "variance", "standard_deviation")


def round_labels(
    values: NDArray[Any], *, tolerance: float, limit: float, hole: int
) -> tuple[NDArray[np.int64], int, int]:
    """Round values to integers, `hole` where a value is none.

    Parameters
    ----------
    values : array of float
    tolerance : float
        How far from an integer a value may be.
    limit : float
        The largest magnitude of an integer.
    hole : int
        Stands for values that are not finite, and for fractional ones.

    Returns
    -------
    rounded : array of int64
    n_holes : int
        How many values are not finite.
    n_fractional : int
        How many finite values are no integers, or beyond `limit`.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([57.9999, 2.5, np.nan, -3.0])
    >>> round_labels(values, tolerance=1e-3, limit=1e9, hole=-1)
    (array([58, -1, -1, -3]), 1, 1)
    """
    exact = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(exact)
    nearest = np.rint(np.where(finite, exact, 0.0))
    fractional = finite & (
        (np.abs(np.where(finite, exact, 0.0) - nearest) > tolerance) | (np.abs(nearest) > limit)
    )
    whole = finite & ~fractional
    rounded = np.where(whole, nearest, 0.0).astype(np.int64)
    rounded[~whole] = hole
    return rounded, int(np.sum(~finite)), int(np.sum(fractional))


def number_labels(
    labels: NDArray[Any], low: int, code_of: NDArray[Any], room: int
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return numbers for labels from a table, new ones in the order in which they are seen.

    Parameters
    ----------
    labels : array of int
    low : int
        The label that the table begins with.
    code_of : array
        The code of each label, the largest value of its dtype where a label has none yet.
    room : int
        How many labels may get a new code.

    Returns
    -------
    codes : array of the dtype of `code_of`
        Short of the end where a label is outside the table, or one too many.
    first_seen : array of int64
        The labels with new codes, in order.

    Examples
    --------
    >>> import numpy as np
    >>> code_of = np.array([0, 255, 255], np.uint8)
    >>> number_labels(np.array([7, 5, 6, 7, 99, 5]), 5, code_of, room=9)
    (array([1, 0, 2, 1], dtype=uint8), array([7, 6]))
    """
    table = dict(enumerate(code_of.tolist(), start=low))
    unknown = np.iinfo(code_of.dtype).max
    codes: list[int] = []
    first_seen: list[int] = []
    for label in labels.tolist():
        if table.get(label) == unknown and len(first_seen) < room:
            first_seen.append(label)
            table[label] = len(first_seen)
        if table.get(label, unknown) == unknown:
            break
        codes.append(table[label])
    return np.array(codes, code_of.dtype), np.array(first_seen, np.int64)


def hash_labels(
    labels: NDArray[Any], none: Sequence[int] = ()
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return numbers for labels, from 1 in the order in which they are first seen.

    Parameters
    ----------
    labels : array of int
    none : sequence of int, default=()
        Labels of no region, whose number is 0.

    Returns
    -------
    codes : array of uint32
    first_seen : array of int64
        The labels with a number, in that order.

    Examples
    --------
    >>> import numpy as np
    >>> hash_labels(np.array([40, 0, 40, -7]), none=[0])
    (array([1, 0, 1, 2], dtype=uint32), array([40, -7]))
    """
    number: dict[int, int] = {}
    codes = [
        0 if label in none else number.setdefault(label, len(number) + 1)
        for label in labels.tolist()
    ]
    return np.array(codes, dtype=np.uint32), np.array(list(number), dtype=np.int64)


def pack(
    labels: NDArray[Any], low: int, *, excess: int, bits: int, first: int = 0
) -> NDArray[np.uint64]:
    """Return labels and their places, one above the other in the bits of an integer each.

    Parameters
    ----------
    labels : array of int64
    low : int
        At most the lowest label.
    excess : int
        How many last bits of the distance from `low` are left out.
    bits : int
        How many bits the places take.
    first : int, default=0
        The place of the first label.

    Examples
    --------
    >>> import numpy as np
    >>> pack(np.array([7, 5, 6]), 5, excess=0, bits=4)
    array([32,  1, 18], dtype=uint64)
    """
    pairs = enumerate(labels.tolist(), first)
    packed = [((label - low) >> excess) * 2**bits + place for place, label in pairs]
    return np.array(packed, np.uint64)


def order_of_places(
    packed: Sequence[int], bits: int, labels: NDArray[np.int64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]] | None:
    """Return the places of labels in ascending order, as far as it is known.

    Parameters
    ----------
    packed : sequence of int
        What `pack` makes of labels, in any order.
    bits : int
        How many bits of it the places take.
    labels : array of int64
        Of all places.

    Returns
    -------
    places : array of int
    is_repeated : array of bool
        Whether the label is that of the place before.  None instead of both where different
        labels are packed as the same.

    Examples
    --------
    >>> import numpy as np
    >>> order_of_places([35, 18, 32, 1], 4, np.array([7, 5, 6, 7]))
    (array([1, 2, 0, 3]), array([False, False, False,  True]))
    """
    pairs = [divmod(int(number), 2**bits) for number in sorted(packed)]
    packed_as: dict[int, set[int]] = {}
    for leading, place in pairs:
        packed_as.setdefault(leading, set()).add(int(labels[place]))
    if any(len(alike) > 1 for alike in packed_as.values()):
        return None
    leadings = [leading for leading, _ in pairs]
    is_repeated = [k > 0 and leadings[k] == leadings[k - 1] for k in range(len(pairs))]
    return np.array([place for _, place in pairs]), np.array(is_repeated)


def rank_by_table(labels: NDArray[np.int64]) -> tuple[int, NDArray[np.uint32]]:
    """Return how many labels are distinct, and each label's number among these, ascending.

    Parameters
    ----------
    labels : array of int64

    Returns
    -------
    n_distinct : int
    ranks : array of uint32
        From 1.

    Examples
    --------
    >>> import numpy as np
    >>> rank_by_table(np.array([7, 5, 9, 7]))
    (3, array([2, 1, 3, 2], dtype=uint32))
    """
    distinct = sorted(set(labels.tolist()))
    ranks = [distinct.index(label) + 1 for label in labels.tolist()]
    return len(distinct), np.array(ranks, np.uint32)


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


def take_columns(columns: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """Return the columns of values, zero for column 0 and the first for column 1.

    Examples
    --------
    >>> import numpy as np
    >>> take_columns(np.array([2, 0]), np.array([[5, 7], [6, 8]]))
    array([[7, 0],
           [8, 0]])
    """
    zero = np.zeros((len(values), 1), values.dtype)
    return np.hstack([zero, values])[:, columns]


def put_columns(
    places: NDArray[Any], is_repeated: NDArray[np.bool_], values: NDArray[Any], n_places: int
) -> NDArray[Any]:
    """Return columns of values in an order of places, zero where none is put.

    Examples
    --------
    >>> import numpy as np
    >>> put_columns(np.array([3, 0, 1]), np.array([False, True, False]), np.array([[5, 7]]), 4)
    array([[5, 7, 0, 5]])
    """
    out = np.zeros((len(values), n_places), values.dtype)
    column = -1
    for place, is_like_before in zip(places, is_repeated, strict=True):
        column += not is_like_before
        out[:, place] = values[:, column]
    return out


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
