"""Answers to check fast code against, found the slow and obvious way, and inputs to try.

An *oracle* computes with plain NumPy, or voxel by voxel, what a compiled kernel or a whole
function computes fast.  A *strategy* is a Hypothesis strategy of inputs as they occur and as
they hurt: volumes that are never cubes, labels of every dtype with gaps, negative or beyond
2**40, arrays in any memory layout, signals with NaN, infinities and outliers.

Nothing here uses the code that it judges.  The strategies need Hypothesis, the oracles do not.

Examples
--------
>>> import numpy as np
>>> labels = np.array([[[0, 2001, 2001], [9170, 0, 9170]]], dtype=np.uint16)
>>> brute_force_paint(np.array([0.5, -1.5]), labels)
array([[[ 0. ,  0.5,  0.5],
        [-1.5,  0. , -1.5]]])
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import MissingPackageError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from numpy.typing import DTypeLike, NDArray

INTEGER_LABEL_DTYPES = tuple(np.dtype(code) for code in "bBhHiIqQ")
"""Every integer dtype of labels: int8 to int64 and uint8 to uint64."""

FLOAT_LABEL_DTYPES = tuple(np.dtype(code) for code in "efd")
"""Float dtypes in which labels are stored."""

LABEL_DTYPES = INTEGER_LABEL_DTYPES + FLOAT_LABEL_DTYPES
"""Every dtype of labels."""

SIGNAL_DTYPES = tuple(np.dtype(code) for code in "?bBhHiIqQefdFD")
"""Every dtype of signals that an image can hold, directly or widened (bool and float16)."""

LAYOUTS = ("slabs", "noise", "supervoxels")
"""How labels lie in a volume: in thick slices, voxel by voxel, or in blocks of 2×2×2."""

MEMORIES = ("C", "F", "strided", "reversed", "big-endian")
"""How an array lies in memory."""

_WEIGHTED = ("mean", "sum", "variance", "standard_deviation")

# How far from an integer a label may be to stand for it (files scaled by scl_slope).
_LABEL_TOLERANCE = 1e-3

# The longest and the shortest match of deflate, in bytes (RFC 1951, section 3.2.5).
_LONGEST_MATCH, _SHORTEST_MATCH = 258, 3

_LARGEST_SIDE = 7
_MOST_REGIONS = 12
_MOST_MAPS = 4


# --- oracles of the kernels -------------------------------------------------------------


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


def pack(labels: NDArray[Any], low: int, *, excess: int, bits: int) -> NDArray[np.uint64]:
    """Return labels and their positions, one above the other in the bits of an integer each.

    Parameters
    ----------
    labels : array of int64
    low : int
        At most the lowest label.
    excess : int
        How many last bits of the distance from `low` are left out.
    bits : int
        How many bits the positions take.

    Examples
    --------
    >>> import numpy as np
    >>> pack(np.array([7, 5, 6]), 5, excess=0, bits=4)
    array([32,  1, 18], dtype=uint64)
    """
    pairs = enumerate(labels.tolist())
    packed = [((label - low) >> excess) * 2**bits + position for position, label in pairs]
    return np.array(packed, np.uint64)


def rank_packed(
    packed: NDArray[Any], bits: int, labels: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint32]] | None:
    """Return the distinct labels in the order of `packed`, and each label's number among them.

    Parameters
    ----------
    packed : array of uint64
        What `pack` makes of `labels`, sorted.
    bits : int
        How many bits of it the positions take.
    labels : array of int64

    Returns
    -------
    distinct : array of int64
    ranks : array of uint32
        From 1.  None instead of both where different labels are packed as the same.

    Examples
    --------
    >>> import numpy as np
    >>> rank_packed(np.array([1, 18, 32, 35], np.uint64), 4, np.array([7, 5, 6, 7]))
    (array([5, 6, 7]), array([3, 1, 2, 3], dtype=uint32))
    """
    pairs = [divmod(number, 2**bits) for number in packed.tolist()]
    packed_as: dict[int, set[int]] = {}
    for leading, position in pairs:
        packed_as.setdefault(leading, set()).add(int(labels[position]))
    if any(len(alike) > 1 for alike in packed_as.values()):
        return None
    distinct = [label for alike in packed_as.values() for label in alike]
    ranks = [distinct.index(label) + 1 for label in labels.tolist()]
    return np.array(distinct, np.int64), np.array(ranks, np.uint32)


def rank_by_table(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return the distinct labels, ascending, and each label's number among them.

    Parameters
    ----------
    labels : array of int64

    Returns
    -------
    distinct : array of int64
    ranks : array of uint32
        From 1.

    Examples
    --------
    >>> import numpy as np
    >>> rank_by_table(np.array([7, 5, 9, 7]))
    (array([5, 7, 9]), array([2, 1, 3, 2], dtype=uint32))
    """
    distinct = sorted(set(labels.tolist()))
    ranks = [distinct.index(label) + 1 for label in labels.tolist()]
    return np.array(distinct, np.int64), np.array(ranks, np.uint32)


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


# --- oracles of the region domain -------------------------------------------------------


def parse(
    codes: NDArray[Any], distances: Sequence[int], *, window: int, shortest: int
) -> NDArray[np.uint32]:
    """Return the tokens of codes: ``(distance, length)``, or ``(0, code)`` of a literal.

    Parameters
    ----------
    codes : array of uint
    distances : sequence of int
        Where to look for a match, in samples, beside the last place with the same code; of
        equally long matches the first is taken.
    window : int
        How far back a match may begin, in samples.
    shortest : int
        The shortest match, in samples.

    Examples
    --------
    >>> import numpy as np
    >>> parse(np.array([7, 7, 7, 8, 7, 8], np.uint8), [1], window=9, shortest=1).tolist()
    [[0, 7], [1, 2], [0, 8], [2, 2]]
    """
    sequence = codes.tolist()
    last: dict[int, int] = {}
    tokens = []
    at = 0
    while at < len(sequence):
        tried = [*distances, at - last.get(sequence[at], -window)]
        found = [
            (_n_same(sequence, at, distance), distance)
            for distance in tried
            if distance <= min(at, window)
        ]
        length, distance = max(found, key=lambda match: match[0], default=(0, 0))
        if length < shortest:
            length, distance = 1, 0
        tokens.append((distance, length if distance else sequence[at]))
        last.update((code, at + n) for n, code in enumerate(sequence[at : at + length]))
        at += length
    return np.array(tokens, np.uint32).reshape(-1, 2)


def unparse(tokens: NDArray[Any]) -> NDArray[np.uint32]:
    """Return the codes that tokens stand for.

    Examples
    --------
    >>> import numpy as np
    >>> unparse(np.array([[0, 7], [1, 2], [0, 8], [2, 2]])).tolist()
    [7, 7, 7, 8, 7, 8]
    """
    codes: list[int] = []
    for distance, length in tokens.tolist():
        if not distance:
            codes.append(length)
        for _ in range(length if distance else 0):
            codes.append(codes[-distance])
    return np.array(codes, np.uint32)


def count_tokens(
    tokens: NDArray[Any], item_size: int, n_codes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return how often each length and distance in bytes occurs, and each code as a literal.

    Examples
    --------
    >>> import numpy as np
    >>> lengths, distances, literals = count_tokens(np.array([[0, 1], [1, 65]]), 4, 2)
    >>> np.flatnonzero(lengths), np.flatnonzero(distances), literals
    (array([  3, 257]), array([4]), array([0, 1]))
    """
    cut = [
        match
        for distance, length in tokens.tolist()
        for match in _matches(distance, length, item_size)
    ]
    literals = [code for distance, code in tokens.tolist() if not distance]
    return (
        np.bincount([length for _, length in cut], minlength=_LONGEST_MATCH + 1),
        np.bincount([distance for distance, _ in cut], minlength=2**15 + 1),
        np.bincount(literals, minlength=n_codes),
    )


def count_bytes(rows: NDArray[np.uint8], literals: NDArray[Any]) -> NDArray[np.int64]:
    """Return how often each byte is a literal, where rows hold the bytes of a value per code.

    Examples
    --------
    >>> import numpy as np
    >>> np.flatnonzero(count_bytes(np.array([[5, 6, 7, 8]], np.uint8), np.array([0, 3])))
    array([7, 8])
    """
    by_code = rows.reshape(len(rows), len(literals), -1)
    repeats = np.broadcast_to(literals[:, np.newaxis], by_code.shape)
    return np.bincount(np.repeat(by_code.ravel(), repeats.ravel()), minlength=256)


def prepare(
    tokens: NDArray[Any],
    item_size: int,
    length_strings: NDArray[np.uint64],
    distance_strings: NDArray[np.uint64],
) -> tuple[list[int], list[str]]:
    """Return the codes of literals, and the bits that follow each, in order, as text.

    A string is at most 56 bits, the first one lowest, with their number in the highest byte.

    Examples
    --------
    >>> import numpy as np
    >>> strings = np.full(300, (2 << 56) + 0b01, np.uint64)
    >>> prepare(np.array([[0, 7], [1, 5], [0, 9]]), 1, strings, strings)
    ([7, 9], ['1010', ''])
    """
    literals: list[int] = []
    between: list[str] = []
    for distance, length in tokens.tolist():
        if not distance:
            literals.append(length)
            between.append("")
        for far, long in _matches(distance, length, item_size):
            between[-1] += _text(length_strings[long]) + _text(distance_strings[far])
    return literals, between


def emit(
    rows: NDArray[np.uint8],
    byte_strings: NDArray[np.uint64],
    literals: Sequence[int],
    between: Sequence[str],
    *,
    head: NDArray[np.uint64],
    end: int,
) -> bytes:
    r"""Return maps as one deflate block, and an empty stored block that ends at a whole byte.

    Parameters
    ----------
    rows : array of uint8, shape (n_maps, n_codes, item_size)
        The bytes of the value of each code.
    byte_strings : array of uint64
        The string of each byte.
    literals, between
        As `prepare` returns them.
    head : array of uint64
        Strings that the block begins with.
    end : int
        The string that it ends with.

    Examples
    --------
    >>> import numpy as np
    >>> strings = (np.arange(256) + (8 << 56)).astype(np.uint64)
    >>> rows = np.array([[[65], [66]]], np.uint8)
    >>> emit(rows, strings, [1, 0], ["", ""], head=strings[:1], end=0)
    b'\x00BA\x00\x00\x00\xff\xff'
    """
    bits = "".join(map(_text, head))
    for row in rows:
        for code, gap in zip(literals, between, strict=True):
            bits += "".join(_text(byte_strings[byte]) for byte in row[code].tolist()) + gap
    bits += _text(end) + "000"
    bits += "0" * (-len(bits) % 8)
    return int(bits[::-1], 2).to_bytes(len(bits) // 8, "little") + b"\x00\x00\xff\xff"


def add_weights(codes: NDArray[Any], item_size: int, n_codes: int) -> list[int]:
    """Return for each code the sum of the powers of x that stand for its places in a CRC.

    The last sample is x^0.  A polynomial over GF(2) modulo that of gzip's CRC-32 is a number
    whose highest of 32 bits is x^0, as zlib has it.

    Examples
    --------
    >>> import numpy as np
    >>> [f"{weight:032b}"[:12] for weight in add_weights(np.array([1, 0, 1], np.uint8), 1, 2)]
    ['000000001000', '100000000000']
    """
    weights = [0] * n_codes
    power = 1 << 31
    for code in reversed(codes.tolist()):
        weights[code] ^= power
        for _ in range(8 * item_size):
            power = _times_x(power)
    return weights


def spread(weights: Sequence[int], item_size: int) -> NDArray[np.uint32]:
    """Return what each bit of a code's value adds to the CRC, one row per 32 bits.

    Examples
    --------
    >>> spread([1 << 31], 1)[0, [0, 7, 8]].tolist() == [0x77073096, 0xEDB88320, 0]
    True
    """
    n_bits = 8 * item_size
    rows: list[list[int]] = []
    for weight in weights:
        powers = [weight]
        for _ in range(32 + n_bits - 1):
            powers.append(_times_x(powers[-1]))
        of_bit = powers[:31:-1] + [0] * (-n_bits % 32)
        rows += [of_bit[start : start + 32] for start in range(0, len(of_bit), 32)]
    return np.array(rows, np.uint32)


def _times_x(polynomial: int) -> int:
    reduced = 0xEDB88320 if polynomial & 1 else 0
    return polynomial >> 1 ^ reduced


def _n_same(sequence: Sequence[int], at: int, distance: int) -> int:
    pairs = zip(sequence[at:], itertools.islice(sequence, at - distance, None), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _matches(distance: int, length: int, item_size: int) -> list[tuple[int, int]]:
    """Return the matches in bytes of a token: at most 258, at least 3 long."""
    left = length * item_size if distance else 0
    matches = []
    while left > _LONGEST_MATCH:
        rest = max(left - _LONGEST_MATCH, _SHORTEST_MATCH)
        matches.append((distance * item_size, left - rest))
        left = rest
    return [*matches, (distance * item_size, left)] if left else []


def _text(string: int) -> str:
    """Return the bits of a string in the order in which they are written."""
    length = int(string) >> 56
    return f"{int(string) & ((1 << 56) - 1):0{length}b}"[::-1] if length else ""


# --- the oracle of painting -------------------------------------------------------------


def label_of(value: float) -> float | None:
    """Return the label that a voxel's value means, None where it is not finite.

    Examples
    --------
    >>> label_of(57.9999), label_of(2.5), label_of(float("nan"))
    (58, 2.5, None)
    """
    if not np.isfinite(value):
        return None
    nearest = round(value)
    return nearest if abs(value - nearest) <= _LABEL_TOLERANCE else value


def regions_of(
    labels: NDArray[Any], background: float = 0, mask: NDArray[Any] | None = None
) -> list[float]:
    """Return the distinct labels in ascending order, without the background.

    Labels within 0.001 of an integer are that integer; NaN and infinite labels are none.

    Parameters
    ----------
    labels : array of int or float
    background : number, default=0
        Read as the labels are: in their dtype, and rounded.  NaN: there is no background.
    mask : array, shape of `labels`, default=None
        Only labels where it is neither zero, NaN nor infinite.

    Examples
    --------
    >>> import numpy as np
    >>> regions_of(np.array([0.0, 57.9999, 58, -3, np.nan]))
    [-3, 58]
    """
    inside = np.ones(labels.shape, bool) if mask is None else _inside(mask)
    distinct = {label_of(value) for value in labels[inside].tolist()}
    left_out = {None, background, _background_label(background, labels.dtype)}
    return sorted(label for label in distinct if label is not None and label not in left_out)


def brute_force_paint(
    signals: NDArray[Any],
    labels: NDArray[Any],
    background: float = 0,
    mask: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Paint voxel by voxel, as `regioncast.signals_to_img_labels` is documented.

    Parameters
    ----------
    signals : array, shape (n_regions,) or (n_maps, n_regions)
        One column for each region of `labels` in ascending order of label, or for each
        region inside the mask.
    labels : array of int or float, 3D
    background : number, default=0
        The label of no region; NaN: there is none.
    mask : array, shape of `labels`, default=None

    Returns
    -------
    array, shape of `labels` and (n_maps,) for 2D signals
        Of the dtype of `signals`; uint8 for bool and float32 for float16.

    Raises
    ------
    ValueError
        When the number of columns is neither.

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.array([[[3, 0], [-1, 3]]])
    >>> brute_force_paint(np.array([[1, 2], [10, 20]]), labels)[..., 1]
    array([[[20,  0],
            [10, 20]]])
    """
    every = regions_of(labels, background)
    left = regions_of(labels, background, mask)
    n_columns = signals.shape[-1]
    if n_columns not in (len(every), len(left)):
        raise ValueError(f"{n_columns} columns for {len(every)} or {len(left)} regions")
    column = {label: k for k, label in enumerate(every if n_columns == len(every) else left)}
    inside = np.ones(labels.shape, bool) if mask is None else _inside(mask)
    out = np.zeros(labels.shape + signals.shape[:-1], _stored(signals.dtype))
    for voxel in np.ndindex(labels.shape):
        label = label_of(labels[voxel].item())
        if inside[voxel] and label in column:
            out[voxel] = signals[..., column[label]]
    return out


# --- strategies -------------------------------------------------------------------------


def volume_shapes() -> SearchStrategy[tuple[int, int, int]]:
    """Return a strategy of small shapes of volumes, no two sides of the same length.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(volume_shapes())
    ... def check(shape):
    ...     assert len(set(shape)) == 3
    >>> check()
    """
    _check_hypothesis()
    from hypothesis import strategies as st

    sides = st.lists(st.integers(1, _LARGEST_SIDE), min_size=3, max_size=3, unique=True)
    return sides.map(lambda found: (found[0], found[1], found[2]))


def region_labels(dtype: DTypeLike) -> SearchStrategy[list[int]]:
    """Return a strategy of lists of distinct labels that `dtype` holds exactly.

    With gaps, negative where it can, up to the ends of its range (2**63 - 1 for uint64); the
    first is not 0.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(region_labels("uint8"))
    ... def check(labels):
    ...     assert labels[0] != 0 and 0 <= min(labels) and max(labels) <= 255
    >>> check()
    """
    _check_hypothesis()
    from hypothesis import strategies as st

    low, high = _label_range(np.dtype(dtype))
    near = st.integers(max(low, -20), min(high, 20))
    far = st.integers(low, high)
    ends = st.sampled_from([low, high])
    labels = st.lists(near | far | ends, min_size=1, max_size=_MOST_REGIONS, unique=True)
    return labels.filter(lambda found: found[0] != 0)


def label_volumes(
    dtypes: Sequence[DTypeLike] = LABEL_DTYPES,
    *,
    memories: Sequence[str] = MEMORIES,
    background: bool = True,
) -> SearchStrategy[NDArray[Any]]:
    """Return a strategy of volumes of labels, each with a label that is not 0.

    Parameters
    ----------
    dtypes : sequence of dtype, default=LABEL_DTYPES
    memories : sequence of str, default=MEMORIES
        How the array may lie in memory: ``"C"`` and ``"F"`` contiguous, ``"strided"`` and
        ``"reversed"`` views, ``"big-endian"``.
    background : bool, default=True
        Whether 0 may be added to the labels.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(label_volumes())
    ... def check(labels):
    ...     assert labels.ndim == 3 and labels.any()
    >>> check()
    """
    _check_hypothesis()
    from hypothesis import strategies as st

    def volumes_of(dtype: np.dtype[Any]) -> SearchStrategy[NDArray[Any]]:
        return st.builds(
            _volume,
            labels=region_labels(dtype),
            add_zero=st.booleans() if background else st.just(value=False),
            dtype=st.just(dtype),
            shape=volume_shapes(),
            layout=st.sampled_from(LAYOUTS),
            memory=st.sampled_from(memories),
            seed=_seeds(),
        )

    return st.sampled_from([np.dtype(dtype) for dtype in dtypes]).flatmap(volumes_of)


def region_signals(
    n_regions: int,
    dtypes: Sequence[DTypeLike] = SIGNAL_DTYPES,
    *,
    n_maps: int | None = None,
) -> SearchStrategy[NDArray[Any]]:
    """Return a strategy of signals for `n_regions` regions.

    Among ordinary values there are NaN, both infinities, 1e30 and the largest and smallest
    numbers of floats; and the ends of the range of integers, and 2**53 + 1.

    Parameters
    ----------
    n_regions : int
    dtypes : sequence of dtype, default=SIGNAL_DTYPES
    n_maps : int, default=None
        0 for one-dimensional signals; either kind when not given.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(region_signals(5, ["int64"], n_maps=0))
    ... def check(signals):
    ...     assert signals.shape == (5,) and signals.dtype == "int64"
    >>> check()
    """
    _check_hypothesis()
    from hypothesis import strategies as st

    return st.builds(
        _signals,
        dtype=st.sampled_from([np.dtype(dtype) for dtype in dtypes]),
        n_maps=st.integers(0, _MOST_MAPS) if n_maps is None else st.just(n_maps),
        n_regions=st.just(n_regions),
        seed=_seeds(),
    )


def masks(shape: tuple[int, ...]) -> SearchStrategy[NDArray[Any]]:
    """Return a strategy of masks: bool, integer or float, the latter with NaN for outside.

    A mask may be full or empty.

    Examples
    --------
    >>> from hypothesis import given
    >>> @given(masks((2, 3, 4)))
    ... def check(mask):
    ...     assert mask.shape == (2, 3, 4)
    >>> check()
    """
    _check_hypothesis()
    from hypothesis import strategies as st

    return st.builds(
        _mask,
        shape=st.just(shape),
        dtype=st.sampled_from([np.dtype(code) for code in "?Bhifd"]),
        share=st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]),
        seed=_seeds(),
    )


def in_memory(array: NDArray[Any], memory: str) -> NDArray[Any]:
    """Return an equal array that lies in memory as one of `MEMORIES` says.

    Examples
    --------
    >>> import numpy as np
    >>> in_memory(np.arange(6).reshape(2, 3), "F").flags.f_contiguous
    True
    """
    if memory == "strided":
        return np.repeat(array, 2, axis=-1)[..., ::2]
    if memory == "reversed":
        return np.array(array[::-1], order="C")[::-1]
    if memory == "big-endian":
        return array.astype(array.dtype.newbyteorder(">"))
    return np.array(array, order="F" if memory == "F" else "C")


def special_values(dtype: DTypeLike) -> NDArray[Any]:
    """Return the values of a dtype that are easily lost.

    The ends of its range, and 2**53 + 1 for integers; NaN, infinities, 1e30, the smallest
    number and -0.0 for floats, and with those as either part for complex numbers.

    Examples
    --------
    >>> special_values("int16")
    array([-32768,  32767,      0,      1], dtype=int16)
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return np.array([False, True])
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = [int(limits.min), int(limits.max), 0, 1, 2**53 + 1]
        return np.array([value for value in values if value <= int(limits.max)], dtype=dtype)
    finite = np.finfo(dtype)
    outlier = min(1e30, float(finite.max))
    edges = [float(finite.max), float(finite.smallest_subnormal), -0.0]
    reals = np.array([np.nan, np.inf, -np.inf, outlier, -outlier, *edges])
    if dtype.kind == "c":
        both = np.ones(2 * len(reals), dtype)
        both.real[: len(reals)], both.imag[len(reals) :] = reals, reals
        return both
    return reals.astype(dtype)


def _check_hypothesis() -> None:
    try:
        import hypothesis  # noqa: F401  only whether it is there
    except ImportError as error:
        raise MissingPackageError(
            "The strategies of regioncast.testing need Hypothesis, which is not installed. "
            "Install it: pip install hypothesis."
        ) from error


def _seeds() -> SearchStrategy[int]:
    from hypothesis import strategies as st

    return st.integers(0, 2**32 - 1)


def _label_range(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return the smallest and largest integer up to which `dtype` has all integers."""
    if dtype.kind == "f":
        largest = 2 ** (np.finfo(dtype).nmant + 1)
        return -largest, largest
    limits = np.iinfo(dtype)
    return int(limits.min), min(int(limits.max), 2**63 - 1)


def _volume(
    *,
    labels: list[int],
    add_zero: bool,
    dtype: np.dtype[Any],
    shape: tuple[int, int, int],
    layout: str,
    memory: str,
    seed: int,
) -> NDArray[Any]:
    choices = np.array([*labels, 0] if add_zero else labels, dtype=dtype)
    volume = choices[_pattern(len(choices), shape, layout, np.random.default_rng(seed))]
    if not volume.any():
        volume[0, 0, 0] = choices[0]
    return in_memory(volume, memory)


def _pattern(
    n_choices: int, shape: tuple[int, int, int], layout: str, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return for each voxel which of the choices it gets."""
    if layout == "noise":
        return rng.integers(0, n_choices, shape)
    if layout == "slabs":
        along = np.sort(rng.integers(0, n_choices, shape[2]))
        return np.broadcast_to(along, shape).copy()
    blocks = rng.integers(0, n_choices, [(side + 1) // 2 for side in shape])
    fine = blocks.repeat(2, axis=0).repeat(2, axis=1).repeat(2, axis=2)
    return fine[: shape[0], : shape[1], : shape[2]]


def _signals(*, dtype: np.dtype[Any], n_maps: int, n_regions: int, seed: int) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    shape = (n_maps, n_regions) if n_maps else (n_regions,)
    ordinary = rng.normal(0, 3, shape)
    with np.errstate(invalid="ignore"):  # a negative number as an unsigned integer
        signals = (ordinary > 0) if dtype.kind == "b" else ordinary.astype(dtype)
    special = rng.random(shape) < 0.4
    signals[special] = rng.choice(special_values(dtype), int(special.sum()))
    return np.asarray(signals)


def _mask(*, shape: tuple[int, ...], dtype: np.dtype[Any], share: float, seed: int) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    inside = rng.random(shape) < share
    if dtype.kind == "b":
        return inside
    mask = np.where(inside, rng.integers(1, 5, shape), 0).astype(dtype)
    if dtype.kind == "f":
        mask[inside] -= 0.5
        mask[~inside & (rng.random(shape) < 0.3)] = np.nan
    return mask


def _background_label(background: float, dtype: np.dtype[Any]) -> float | None:
    if dtype.kind != "f":
        return background
    with np.errstate(over="ignore"):  # what is too large for the dtype is no label there
        return label_of(np.asarray(background, dtype).item())


def _inside(mask: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(mask) & (mask != 0))


def _stored(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which NIfTI holds values of `dtype`."""
    widened = {"?": "uint8", "e": "float32"}
    return np.dtype(widened.get(dtype.char, dtype))
