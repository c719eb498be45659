"""Labels to codes.

A *label* is the number that a labels image holds at a sample.  A *code* is 0 where there is
no region and ``k`` where the region is the ``k``-th of a list of labels.  Codes are small
unsigned integers; whatever the labels are, everything after this module sees codes only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._kernels import encode as kernels
from .errors import LabelsError, examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Files scaled by scl_slope hold 57.99999999 where 58 was meant.
LABEL_TOLERANCE = 1e-3

# Up to this many labels, or this share of the samples, between the smallest and the largest
# label, a table indexed by label is faster than a hash table and smaller than the codes.
_DIRECT_RANGE = 1 << 16
_DIRECT_SHARE = 4


@dataclass(frozen=True, eq=False)
class Encoded:
    """Codes and the labels that they stand for.

    Parameters
    ----------
    codes : array of uint8, uint16 or uint32
        Shape and memory order of the labels; 0 for no region, else ``k`` for ``labels[k - 1]``.
    labels : array of int64, or float64 when some label is fractional
        Distinct, without the background; ascending unless `ascending` is false.
    ascending : bool
    n_nonfinite : int
        Samples whose label was NaN or infinite; their code is 0.
    """

    codes: NDArray[Any]
    labels: NDArray[Any]
    ascending: bool = True
    n_nonfinite: int = 0

    @property
    def fractional(self) -> bool:
        """Whether some label is further than `LABEL_TOLERANCE` from an integer."""
        return self.labels.dtype.kind == "f"

    def sorted(self) -> Encoded:
        """Return the same with labels in ascending order."""
        if self.ascending:
            return self
        order = argsort_distinct(self.labels)
        rank = np.zeros(len(order) + 1, code_dtype(len(order)))
        rank[1:][order] = np.arange(1, len(order) + 1)
        codes = recoded(self.codes, rank)
        return Encoded(codes, self.labels[order], n_nonfinite=self.n_nonfinite)


def code_dtype(n_regions: int) -> np.dtype[Any]:
    """Return the smallest unsigned dtype that holds the codes 0 to `n_regions`."""
    return np.min_scalar_type(n_regions)


def flat(array: NDArray[Any]) -> NDArray[Any]:
    """Return a one-dimensional view of a contiguous array, in memory order."""
    return array.reshape(-1, order="F" if array.flags.f_contiguous else "C")


def encode(labels: NDArray[Any], background: float = 0) -> Encoded:
    """Return the codes of an array of labels.

    Parameters
    ----------
    labels : array of bool, int or float, 1D to 3D
    background : number, default=0
        The label that stands for no region; NaN: there is none.

    Returns
    -------
    Encoded
        Not necessarily in ascending order of label: see `Encoded.sorted`.

    Raises
    ------
    LabelsError
        When labels are not numbers, or beyond the range of int64.

    Examples
    --------
    >>> encoded = encode(np.array([[0, 2001], [2001, 9170]], dtype=np.uint16))
    >>> encoded.codes
    array([[0, 1],
           [1, 2]], dtype=uint8)
    >>> encoded.labels
    array([2001, 9170])
    """
    native = _contiguous(_native(labels))
    if native.size == 0:
        return Encoded(np.zeros(native.shape, np.uint8), np.empty(0, np.int64))
    if native.dtype.kind == "f":
        return _encode_floats(native, background)
    return _encode_integers(native, {background})


def count(codes: NDArray[Any], n_regions: int) -> NDArray[np.int64]:
    """Return how many samples have each of the codes 1 to `n_regions`."""
    counts = np.zeros(n_regions + 1, np.int64)
    if codes.size:
        kernels.count(flat(codes), counts)
    return counts[1:]


def recoded(codes: NDArray[Any], new_code: NDArray[Any]) -> NDArray[Any]:
    """Return ``new_code[codes]`` in the memory order of `codes`."""
    out = np.empty_like(codes, dtype=new_code.dtype)
    if codes.size:
        kernels.recode(flat(codes), new_code, flat(out))
    return out


def masked(codes: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[Any]:
    """Return `codes` with 0 where not `inside`, in the memory order of `codes`."""
    out = np.empty_like(codes)
    np.multiply(codes, inside, out=out)
    return out


def argsort_distinct(labels: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the order that sorts distinct labels.

    A plain sort is several times faster than `numpy.argsort`, so the leading bits of the
    labels are sorted with the positions packed in the bits below; should two labels share
    their leading bits, the slow way decides.
    """
    if len(labels) < 2:
        return np.arange(len(labels))
    low = labels.min()
    position_bits = len(labels).bit_length()
    excess = (int(labels.max()) - int(low)).bit_length() + position_bits - 64
    packed = (labels - low).view(np.uint64) >> np.uint64(max(excess, 0))
    packed <<= np.uint64(position_bits)
    packed |= np.arange(len(labels), dtype=np.uint64)
    packed.sort()
    packed &= np.uint64((1 << position_bits) - 1)
    order = packed.view(np.int64)
    ascending = labels[order]
    return order if (ascending[1:] > ascending[:-1]).all() else np.argsort(labels)


def _native(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels in a dtype that the kernels know."""
    kind, size = labels.dtype.kind, labels.dtype.itemsize
    if kind not in "buif":
        raise LabelsError(
            f"Labels must be numbers; these are {labels.dtype}. "
            "Give an image with one integer per voxel."
        )
    if kind == "b":
        return labels.view(np.uint8)
    if kind == "f" and size not in (4, 8):
        return labels.astype(np.float32 if size == 2 else np.float64)
    if kind == "u" and size == 8:
        return _as_int64(labels)
    return labels.astype(labels.dtype.newbyteorder("="), copy=False)


def _as_int64(labels: NDArray[Any]) -> NDArray[np.int64]:
    if labels.size and labels.max() > np.uint64(np.iinfo(np.int64).max):
        too_large = np.unique(labels[labels > np.uint64(np.iinfo(np.int64).max)])
        raise LabelsError(
            f"Labels up to 2**63 - 1 are supported; found {examples(too_large.tolist())}. "
            "Renumber the labels image."
        )
    return labels.astype(np.int64)


def _contiguous(labels: NDArray[Any]) -> NDArray[Any]:
    if labels.flags.f_contiguous or labels.flags.c_contiguous:
        return labels
    return np.asfortranarray(labels)


def _encode_integers(labels: NDArray[Any], no_region: set[float]) -> Encoded:
    if labels.dtype.itemsize <= 2:
        limits = np.iinfo(labels.dtype)
        return _encode_directly(labels, int(limits.min), int(limits.max), no_region)
    direct_range = max(_DIRECT_RANGE, labels.size // _DIRECT_SHARE)
    if _range(flat(labels)[:: max(1, labels.size // 1000)]) < direct_range:
        low, high = int(labels.min()), int(labels.max())
        if high - low < direct_range:
            return _encode_directly(labels, low, high, no_region)
    return _encode_by_hash(labels, no_region)


def _encode_floats(labels: NDArray[Any], background: float) -> Encoded:
    """Encode labels stored as floats, as the integers that they are close to."""
    for dtype in (np.int32, np.int64):
        limits = np.iinfo(dtype)
        # Any label that is no region will do for voxels without a finite label.
        is_label = limits.min < background < limits.max and background == round(background)
        hole = round(background) if is_label else limits.min
        rounded = np.empty_like(labels, dtype=dtype)
        n_nonfinite, n_unlike = kernels.round_labels(
            flat(labels), LABEL_TOLERANCE, limits.max / 2, hole, flat(rounded)
        )
        if not n_unlike:
            encoded = _encode_integers(rounded, {background, hole} if n_nonfinite else {background})
            return Encoded(encoded.codes, encoded.labels, encoded.ascending, n_nonfinite)
    return _encode_fractional(labels, background)


def _range(labels: NDArray[Any]) -> int:
    return int(labels.max()) - int(labels.min())


def _encode_directly(labels: NDArray[Any], low: int, high: int, no_region: set[float]) -> Encoded:
    present = np.zeros(high - low + 1, np.uint8)
    kernels.mark_present(flat(labels), low, present)
    for label in no_region:
        if low <= label <= high and label == int(label):
            present[int(label) - low] = 0
    found = np.flatnonzero(present)
    code_of = np.zeros(len(present), code_dtype(len(found)))
    code_of[found] = np.arange(1, len(found) + 1)
    codes = np.empty_like(labels, dtype=code_of.dtype)
    kernels.look_up(flat(labels), low, code_of, flat(codes))
    return Encoded(codes, found + low)


def _encode_by_hash(labels: NDArray[Any], no_region: set[float]) -> Encoded:
    codes = np.empty_like(labels, dtype=np.uint32)
    found = _hash(labels, codes)
    kept = np.ones(len(found), bool)
    for label in no_region:
        kept &= found != label
    if kept.all():
        return Encoded(codes, found, ascending=False)
    new_code = np.zeros(len(found) + 1, np.uint32)
    new_code[1:][kept] = np.arange(1, np.count_nonzero(kept) + 1)
    kernels.recode(flat(codes), new_code, flat(codes))
    return Encoded(codes, found[kept], ascending=False)


def _hash(labels: NDArray[Any], codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Fill `codes` and return the labels in the order in which they are first seen."""
    n_slots = 1 << max(10, (labels.size // 16).bit_length())
    first_seen = np.empty(n_slots // 2, np.int64)
    table = np.zeros((n_slots, 2), np.int64)
    row, slab = _neighbour_distances(labels)
    done = n_seen = 0
    while True:
        done, n_seen = kernels.hash_labels(
            flat(labels), done, row, slab, flat(codes), table, first_seen, n_seen
        )
        if done == labels.size:
            return first_seen[:n_seen].copy()
        n_slots *= 4
        del table
        first_seen = np.resize(first_seen[:n_seen], n_slots // 2)
        table = np.zeros((n_slots, 2), np.int64)
        kernels.fill_table(first_seen[:n_seen], table)


def _neighbour_distances(labels: NDArray[Any]) -> tuple[int, int]:
    shape = labels.shape if labels.flags.f_contiguous else labels.shape[::-1]
    row = shape[0]
    return row, row * (shape[1] if len(shape) > 1 else 1)


def _encode_fractional(labels: NDArray[Any], background: float) -> Encoded:
    """Encode labels some of which are fractional, each distinct value a label of its own."""
    values = labels.astype(np.float64)
    nearest = np.rint(values)
    values = np.where(np.abs(values - nearest) <= LABEL_TOLERANCE, nearest, values)
    finite = np.isfinite(values)
    found, inverse = np.unique(values[finite], return_inverse=True)
    kept = found != background
    new_code = np.zeros(len(found), code_dtype(len(found)))
    new_code[kept] = np.arange(1, np.count_nonzero(kept) + 1)
    codes = np.zeros_like(values, dtype=new_code.dtype)
    codes[finite] = new_code[inverse]
    return Encoded(codes, found[kept], n_nonfinite=int(np.count_nonzero(~finite)))
