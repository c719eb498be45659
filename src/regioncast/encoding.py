"""Labels to codes.

A *label* is the number that a labels image holds at a sample.  A *code* is 0 where there is
no region and ``k`` where the region is the ``k``-th of a list of labels.  Codes are small
unsigned integers; whatever the labels are, everything after this module sees codes only.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ._kernels import encode as kernels
from .errors import ArgumentTypeError, LabelsError, examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Files scaled by scl_slope hold 57.99999999 where 58 was meant.
LABEL_TOLERANCE = 1e-3

# Up to this many labels, or this share of the samples, between the smallest and the largest
# label, a table indexed by label is faster than a hash table and smaller than the codes.
_DIRECT_WIDTH = 1 << 16
_DIRECT_SHARE = 4

# So many labels, evenly spread, tell most images with scattered labels at once.
_SAMPLE = 1000


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
        return self.labels.dtype.kind == "f" and len(self.labels) > 0

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
    >>> encoded = encode(np.array([[0, 9170], [9170, 2001]], dtype=np.uint16))
    >>> encoded.codes
    array([[0, 1],
           [1, 2]], dtype=uint16)
    >>> encoded.labels, encoded.sorted().labels
    (array([9170, 2001]), array([2001, 9170]))
    """
    if not isinstance(background, numbers.Real):
        raise ArgumentTypeError(
            f"The background (background_label) must be a number; "
            f"{background!r} is {type(background).__name__}."
        )
    try:
        background = _as_stored(background, labels.dtype)
    except OverflowError:
        raise LabelsError(f"No label is as large as background_label={background}.") from None
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
    low, high = int(labels.min()), int(labels.max())
    bits = len(labels).bit_length()
    packed = np.empty(len(labels), np.uint64)
    kernels.pack(labels, low, max(0, (high - low).bit_length() + bits - 64), bits, packed)
    packed.sort()
    n_ties = kernels.unpack(packed, bits)
    order: NDArray[np.intp] = np.argsort(labels) if n_ties else packed.view(np.intp)
    return order


def _as_stored(background: float, dtype: np.dtype[Any]) -> float:
    """Return the background as the label that it is in the image.

    That is, in the precision of the labels, in which 0.1 may be another number, and rounded.
    """
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            background = float(dtype.type(background))
    if not math.isfinite(background):
        return background
    nearest = round(background)
    return nearest if abs(background - nearest) <= LABEL_TOLERANCE else background


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
    width = max(_DIRECT_WIDTH, labels.size // _DIRECT_SHARE)
    sample = flat(labels)[:: max(1, labels.size // _SAMPLE)]
    lowest, highest = int(sample.min()), int(sample.max())
    if highest - lowest >= width:
        return _encode_by_hash(labels, no_region)
    # The sample may have missed the smallest label, which mostly is 0, the background.
    encoded = _encode_by_table(labels, min(lowest, 0), width, no_region)
    if encoded is None:
        encoded = _encode_by_table(labels, int(labels.min()), width, no_region)
    return _encode_by_hash(labels, no_region) if encoded is None else encoded


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


def _encode_by_table(
    labels: NDArray[Any], low: int, width: int, no_region: set[float]
) -> Encoded | None:
    """Encode labels from `low` to ``low + width``; None where there are others."""
    for dtype in (np.uint8, np.uint16, np.uint32)[min(labels.dtype.itemsize, 2) - 1 :]:
        unknown = np.iinfo(dtype).max
        code_of = np.full(width, unknown, dtype)
        for label in no_region:
            if low <= label < low + width and label == int(label):
                code_of[int(label) - low] = 0
        codes = np.empty_like(labels, dtype=dtype)
        first_seen = np.empty(min(width, unknown - 1), np.int64)
        done, n_seen = kernels.number_labels(flat(labels), low, code_of, flat(codes), first_seen)
        if done == labels.size:
            first_seen.resize(n_seen, refcheck=False)
            return _seen(codes, first_seen)
        if n_seen < len(first_seen):
            break
    return None


def _seen(codes: NDArray[Any], labels: NDArray[np.int64]) -> Encoded:
    # Labels in no order show it soon.
    is_ascending = _is_ascending(labels[:_SAMPLE]) and _is_ascending(labels)
    return Encoded(codes, labels, ascending=is_ascending)


def _is_ascending(labels: NDArray[np.int64]) -> bool:
    return bool((labels[1:] > labels[:-1]).all())


def _is_kept(labels: NDArray[np.int64], no_region: set[float]) -> NDArray[np.bool_]:
    kept = np.ones(len(labels), bool)
    for label in no_region:
        kept &= labels != label
    return kept


def _encode_by_hash(labels: NDArray[Any], no_region: set[float]) -> Encoded:
    codes = np.empty_like(labels, dtype=np.uint32)
    found = _hash(labels, codes)
    if not any((found == label).any() for label in no_region):
        return _seen(codes, found)
    kept = _is_kept(found, no_region)
    new_code = np.zeros(len(found) + 1, np.uint32)
    new_code[1:][kept] = np.arange(1, np.count_nonzero(kept) + 1)
    kernels.recode(flat(codes), new_code, flat(codes))
    return _seen(codes, found[kept])


def _hash(labels: NDArray[Any], codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Fill `codes` and return the labels in the order in which they are first seen."""
    n_slots = 1 << max(10, (labels.size // 16).bit_length())
    slots, first_seen = np.zeros(n_slots, np.uint32), np.empty(n_slots // 2, np.int64)
    row, slab = _neighbour_distances(labels)
    done = n_seen = 0
    while True:
        done, n_seen = kernels.hash_labels(
            flat(labels), done, row, slab, flat(codes), slots, first_seen, n_seen
        )
        if done == labels.size:
            first_seen.resize(n_seen, refcheck=False)
            return first_seen
        n_slots *= 4
        slots, seen = np.zeros(n_slots, np.uint32), first_seen[:n_seen]
        first_seen = np.empty(n_slots // 2, np.int64)
        first_seen[:n_seen] = seen
        kernels.fill_slots(seen, slots)


def _neighbour_distances(labels: NDArray[Any]) -> tuple[int, int]:
    shape = labels.shape if labels.flags.f_contiguous else labels.shape[::-1]
    row = shape[0]
    return row, row * (shape[1] if len(shape) > 1 else 1)


def _encode_fractional(labels: NDArray[Any], background: float) -> Encoded:
    """Encode labels some of which are fractional, each distinct value a label of its own."""
    values = labels.astype(np.float64)
    nearest = np.rint(values)
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        near = np.abs(values - nearest) <= LABEL_TOLERANCE
    values = np.where(near, nearest, values)
    found, inverse = np.unique(values[finite], return_inverse=True)
    kept = found != background
    new_code = np.zeros(len(found), code_dtype(len(found)))
    new_code[kept] = np.arange(1, np.count_nonzero(kept) + 1)
    codes = np.zeros_like(values, dtype=new_code.dtype)
    codes[finite] = new_code[inverse]
    return Encoded(codes, found[kept], n_nonfinite=int(np.count_nonzero(~finite)))
