"""Labels to codes.

A *label* is the number that a labels image holds at a sample.  A *code* is 0 where there is
no region and ``k`` where the region is the ``k``-th of a list of labels.  Codes are small
unsigned integers; whatever the labels are, everything after this module sees codes only.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentTypeError, LabelsError, examples
from ._kernels import encode as kernels
from .hashing import number_pieces
from .ranking import Ranking, Ranks, ranked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

# Files scaled by scl_slope hold 57.99999999 where 58 was meant.
LABEL_TOLERANCE = 1e-3

# A table of so many labels stays in the cache; it is faster than a hash table.
_DIRECT_WIDTH = 1 << 16

# Samples that are numbered together by a hash table: their codes and the table stay in the
# cache, and few enough of them have a neighbour in another piece.
_PIECE = 1 << 18

# Samples in a slab: its codes stay in the cache until they are used.
SLAB = 1 << 15

# So many labels, evenly spread, tell most images with scattered labels.
_SAMPLE = 1000


@dataclass(frozen=True, eq=False)
class SplitCodes:
    """Codes of many regions in half the memory: small numbers, and where they begin.

    It is enough of an array for those who go through codes piece by piece.

    Parameters
    ----------
    numbers : array of uint16 or uint32
        Codes within a piece of the array.
    offsets : array of uint32, shape of `numbers`
        What to add to them, the same all over a piece and broadcast there.
    """

    numbers: NDArray[Any]
    offsets: NDArray[np.uint32]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the labels."""
        return self.numbers.shape

    @property
    def has_pieces(self) -> bool:
        """Whether the pieces lie in memory one after the other, rows of the first axis each.

        Transposed codes have their pieces along another axis.
        """
        others = zip(self.offsets.shape[1:], self.offsets.strides[1:], strict=True)
        return bool(self.numbers.flags.c_contiguous) and all(
            length == 1 or not stride for length, stride in others
        )

    @property
    def T(self) -> SplitCodes:  # noqa: N802  NumPy's name
        """The same, transposed."""
        return SplitCodes(self.numbers.T, self.offsets.T)

    def pieces(self) -> list[tuple[slice, slice]]:
        """Return the pieces of codes that have them: rows, and the codes that they may have."""
        along_first_axis: Any = (slice(None), *[0] * (self.offsets.ndim - 1))
        begins = self.offsets[along_first_axis]
        bounds = [0, *(np.flatnonzero(np.diff(begins)) + 1).tolist(), len(begins)]
        end_of = dict(pairwise([*np.unique(begins).tolist(), None]))
        starts = [int(begins[row]) for row in bounds[:-1]]
        codes = [slice(start, end_of[start]) for start in starts]
        return [(slice(*rows), part) for rows, part in zip(pairwise(bounds), codes, strict=True)]

    def __getitem__(self, part: slice) -> NDArray[np.uint32]:
        """Return the codes of a part, in C order."""
        codes: NDArray[np.uint32] = np.add(self.numbers[part], self.offsets[part], order="C")
        return codes


@dataclass(frozen=True, eq=False)
class Encoded:
    """Codes and the labels that they stand for.

    Parameters
    ----------
    codes : array of uint8, uint16 or uint32, or SplitCodes
        Shape and memory order of the labels.
    ranking : Ranking
        Of the labels that codes stand for; some stand for no region.
    label_of : array of int64, or float64 when some label is fractional or beyond int64
        The label of each code; any for those of no region.
    n_nonfinite : int
        Samples whose label was NaN or infinite; they are no region.
    """

    codes: NDArray[Any] | SplitCodes
    ranking: Ranking
    label_of: NDArray[Any]
    n_nonfinite: int = 0

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return self.ranking.n_distinct

    @cached_property
    def labels(self) -> NDArray[Any]:
        """The labels of the regions, distinct and ascending, without the background."""
        return self.ranking.distinct(self.label_of)

    @property
    def region_of(self) -> NDArray[np.uint32]:
        """What each code stands for: 0 for no region, else ``k`` for ``labels[k - 1]``."""
        return self.ranking.numbers()

    @property
    def has_floats(self) -> bool:
        """Whether some label is no int64: further than `LABEL_TOLERANCE` from one."""
        return self.label_of.dtype.kind == "f"

    def regions(self) -> NDArray[Any]:
        """Return for each sample the region: 0 for none, else ``k`` for ``labels[k - 1]``."""
        return recoded(self.codes, self.region_of.astype(code_dtype(self.n_regions)))


def code_dtype(n_regions: int) -> np.dtype[Any]:
    """Return the smallest unsigned dtype that holds the codes 0 to `n_regions`."""
    return np.min_scalar_type(n_regions)


def flat(array: NDArray[Any]) -> NDArray[Any]:
    """Return a one-dimensional view of a contiguous array, in memory order."""
    return array.reshape(-1, order="F" if array.flags.f_contiguous else "C")


def pieces(shape: tuple[int, ...], n_samples: int) -> list[slice]:
    """Return slices of the first axis with about `n_samples` samples each, at least one row."""
    step = max(1, n_samples // max(1, math.prod(shape[1:])))
    return [slice(start, min(start + step, shape[0])) for start in range(0, shape[0], step)]


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
        Codes are in no order: see `Encoded.region_of` and `Encoded.regions`.

    Raises
    ------
    LabelsError
        When labels are not numbers, or beyond the range of int64.

    Examples
    --------
    >>> encoded = encode(np.array([[0, 9170], [9170, 2001]], dtype=np.uint16))
    >>> encoded.labels
    array([2001, 9170])
    >>> encoded.codes
    array([[0, 1],
           [1, 2]], dtype=uint16)
    >>> encoded.region_of[encoded.codes]
    array([[0, 2],
           [2, 1]], dtype=uint32)
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
        return _numbered(np.zeros(native.shape, np.uint8), np.empty(1, np.int64))
    if native.dtype.kind == "f":
        return _encode_floats(native, background)
    return _encode_integers(native, {background})


def count(codes: NDArray[Any] | SplitCodes, n_codes: int) -> NDArray[np.int64]:
    """Return how many samples have each of the codes 0 to ``n_codes - 1``."""
    counts = np.zeros(n_codes, np.int64)
    for _, piece in _in_pieces(codes):
        kernels.count(piece, counts)
    return counts


def recoded(codes: NDArray[Any] | SplitCodes, new_code: NDArray[Any]) -> NDArray[Any]:
    """Return ``new_code[codes]`` in the memory order of `codes`."""
    numbers = codes.numbers if isinstance(codes, SplitCodes) else codes
    out = np.empty_like(numbers, dtype=new_code.dtype)
    for samples, piece in _in_pieces(codes):
        kernels.recode(piece, new_code, flat(out)[samples])
    return out


def _in_pieces(codes: NDArray[Any] | SplitCodes) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Give codes in their memory order, with the samples that they are."""
    if isinstance(codes, SplitCodes):
        view = codes.T if codes.numbers.flags.f_contiguous else codes
        start = 0
        for part in pieces(view.shape, SLAB):
            piece = view[part].reshape(-1)
            yield slice(start, start + piece.size), piece
            start += piece.size
    elif codes.size:
        yield slice(0, codes.size), flat(codes)


def masked(codes: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[Any]:
    """Return `codes` with 0 where not `inside`, in the memory order of `codes`."""
    out = np.empty_like(codes)
    np.multiply(codes, inside, out=out)
    return out


def clear_outside(codes: NDArray[Any] | SplitCodes, inside: NDArray[np.bool_]) -> None:
    """Set codes to that of no region where not `inside`, in place."""
    numbers = codes.numbers if isinstance(codes, SplitCodes) else codes
    np.multiply(numbers, inside, out=numbers)


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
    encoded = _encode_by_table(labels, 0, no_region)
    if encoded is None and _may_be_dense(labels) and (low := int(labels.min())):
        encoded = _encode_by_table(labels, low, no_region)
    return _encode_by_hash(labels, no_region) if encoded is None else encoded


def _may_be_dense(labels: NDArray[Any]) -> bool:
    """Return whether one table may hold all labels, as far as a sample of them tells."""
    sample = flat(labels)[:: max(1, labels.size // _SAMPLE)]
    return int(sample.max()) - int(sample.min()) < _DIRECT_WIDTH


def _encode_floats(labels: NDArray[Any], background: float) -> Encoded:
    """Encode labels stored as floats, as the integers that they are close to."""
    for dtype in (np.int32, np.int64):
        limits = np.iinfo(dtype)
        # Any label that is no region will do for voxels without a finite label.
        is_label = limits.min < background < limits.max and background == round(background)
        hole = round(background) if is_label else limits.min
        rounded = np.empty_like(labels, dtype=dtype)
        n_nonfinite, n_unlike = kernels.round_labels(
            flat(labels), LABEL_TOLERANCE, _largest_float(dtype), hole, flat(rounded)
        )
        if not n_unlike:
            encoded = _encode_integers(rounded, {background, hole} if n_nonfinite else {background})
            return dataclasses.replace(encoded, n_nonfinite=n_nonfinite)
    return _encode_as_floats(labels, background)


def _largest_float(dtype: type[np.signedinteger[Any]]) -> float:
    """Return the largest float64 that an integer dtype can hold."""
    largest = np.iinfo(dtype).max
    nearest = float(largest)
    return nearest if nearest <= largest else float(np.nextafter(nearest, 0))


def _encode_by_table(labels: NDArray[Any], low: int, no_region: set[float]) -> Encoded | None:
    """Encode labels from `low` to ``low + _DIRECT_WIDTH``; None where there are others."""
    for dtype in (np.uint8, np.uint16)[min(labels.dtype.itemsize, 2) - 1 :]:
        unknown = np.iinfo(dtype).max
        code_of = np.full(_DIRECT_WIDTH, unknown, dtype)
        for label in _integers(no_region):
            if low <= label < low + _DIRECT_WIDTH:
                code_of[label - low] = 0
        codes = np.empty_like(labels, dtype=dtype)
        label_of = np.empty(unknown, np.int64)
        done, n_seen = kernels.number_labels(flat(labels), low, code_of, flat(codes), label_of[1:])
        if done == labels.size:
            return _numbered(codes, label_of[: 1 + n_seen])
        if n_seen < unknown - 1:
            break
    return None


def _integers(labels: set[float]) -> NDArray[np.int64]:
    """Return those that integer labels can be."""
    limits = np.iinfo(np.int64)
    inside = [label for label in labels if limits.min <= label <= limits.max]
    return np.array([int(label) for label in inside if label == int(label)], np.int64)


def _numbered(codes: NDArray[Any], label_of: NDArray[np.int64]) -> Encoded:
    """Return codes of which 0 is no region and the others distinct labels, in any order."""
    if len(label_of) == 1:
        return Encoded(codes, Ranks(np.zeros(1, np.uint32), 0), label_of)
    label_of[0] = label_of[1]
    return Encoded(codes, ranked(label_of, none=[0]), label_of)


def _encode_by_hash(labels: NDArray[Any], no_region: set[float]) -> Encoded:
    view, none = _in_memory_order(labels), _integers(no_region)
    parts = pieces(view.shape, _PIECE)
    for dtype in (np.uint16, np.uint32):
        codes = np.empty_like(labels, dtype=dtype)
        numbered = number_pieces(view, _in_memory_order(codes), parts, none)
        if numbered is not None:
            break
    assert numbered is not None  # no piece has more samples than uint32 has codes
    begins, label_of, limits = numbered
    if len(label_of) == len(begins):
        return _numbered(codes, np.empty(1, np.int64))
    # In each piece code 0 is no region.
    ranking = ranked(label_of, none=begins, limits=limits)
    return Encoded(_split(codes, parts, begins), ranking, label_of)


def _split(
    codes: NDArray[Any], parts: Sequence[slice], begins: NDArray[np.intp]
) -> NDArray[Any] | SplitCodes:
    """Return codes whose pieces begin at other numbers each."""
    if len(parts) == 1:
        return codes
    view = _in_memory_order(codes)
    offsets = np.empty((len(view), *[1] * (view.ndim - 1)), np.uint32)
    for part, begin in zip(parts, begins, strict=True):
        offsets[part] = begin
    split = SplitCodes(view, np.broadcast_to(offsets, view.shape))
    return split if view is codes else split.T


def _in_memory_order(array: NDArray[Any]) -> NDArray[Any]:
    return array if array.flags.c_contiguous else array.T


def _encode_as_floats(labels: NDArray[Any], background: float) -> Encoded:
    """Encode labels some of which are no int64, each distinct value a label of its own."""
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
    distinct = found[kept]
    if _are_int64(distinct):  # only the background was none
        distinct = distinct.astype(np.int64)
    ranks = Ranks(np.arange(1 + len(distinct), dtype=np.uint32), len(distinct))
    label_of = np.concatenate([np.zeros(1, distinct.dtype), distinct])
    return Encoded(codes, ranks, label_of, int(np.count_nonzero(~finite)))


def _are_int64(numbers: NDArray[np.float64]) -> bool:
    return bool(((numbers == np.rint(numbers)) & (np.abs(numbers) < 2.0**63)).all())
