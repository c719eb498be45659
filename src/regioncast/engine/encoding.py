"""Labels to codes.

A *label* is the number that a labels image holds at a sample.  A *code* is 0 where there is
no region and ``k`` where the region is the ``k``-th of the distinct labels, ascending.  Codes are
small unsigned integers; whatever the labels are, everything after this module sees codes only.

There are two ways to them.  Where all labels are whole and lie close together, a table has a place
for each of them.  Otherwise a hash table numbers the labels as they come, and what the numbers
stand for is brought into order afterwards.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentTypeError, LabelsError, examples, plural
from ._kernels import encode as kernels
from .memory import passing
from .threads import in_threads, n_cpus, shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Files scaled by scl_slope hold 57.99999999 where 58 was meant.
LABEL_TOLERANCE = 1e-3

# A table of so many places, a byte or a code each, still fits in the processor's caches.
_WIDEST_TABLE = 1 << 20

# So many labels, evenly spread, tell how far apart all are.  More of them would take a while, for
# the processor waits for each.
_SAMPLE = 64

# The first guess at how many labels there are: a hash table with so many stays in the cache.
_FEW_LABELS = 1 << 12

# Dtypes that the kernels do not know, as those that they know: bool, float16, long double.
_KNOWN_AS = {"?": np.uint8, "e": np.float32, "g": np.float64}

# The numbers that a hash table gives to labels fit in two bytes each, most often.
_NUMBERS = (np.uint16, np.uint32)

# With fewer samples, to start a thread takes about as long as it saves.  Each has a table of
# its own, so many threads would take memory of note.
_SAMPLES_PER_THREAD = 1 << 20
_MOST_THREADS = 8


@dataclass(frozen=True, eq=False)
class Encoded:
    """Codes and the labels that they stand for.

    Parameters
    ----------
    codes : array of uint8, uint16 or uint32
        0 for no region, else ``k`` for ``labels[k - 1]``; shape and memory order of the labels.
    labels : array of int64, or float64 when some label is fractional
        The labels of the regions, distinct and ascending, without the background.
    n_nonfinite : int
        Samples whose label was NaN or infinite; they are no region.
    """

    codes: NDArray[Any]
    labels: NDArray[Any]
    n_nonfinite: int = 0

    @property
    def has_fractions(self) -> bool:
        """Whether some label is further than `LABEL_TOLERANCE` from an integer."""
        return self.labels.dtype.kind == "f"


def code_dtype(n_regions: int) -> np.dtype[Any]:
    """Return the smallest unsigned dtype that holds the codes 0 to `n_regions`."""
    return np.min_scalar_type(n_regions)


def flat(array: NDArray[Any]) -> NDArray[Any]:
    """Return a one-dimensional view of a contiguous array, in memory order."""
    return array.reshape(-1, order="F" if array.flags.f_contiguous else "C")


def encode(labels: NDArray[Any], background: float = 0) -> Encoded:
    """Return the codes of an array of labels.

    Raises `LabelsError` when labels are not numbers, beyond the range of int64, or floats so large
    that their dtype does not tell integers apart.

    Parameters
    ----------
    labels : array of bool, int or float, 1D to 3D
    background : number, default=0
        The label that stands for no region; NaN: there is none.

    Examples
    --------
    >>> encoded = encode(np.array([[0, 9170], [9170, 2001]], dtype=np.uint16))
    >>> encoded.labels
    array([2001, 9170])
    >>> encoded.codes
    array([[0, 2],
           [2, 1]], dtype=uint8)
    """
    check_background(background)
    background = _as_stored(background, labels.dtype)
    prepared = _prepared(labels)
    if prepared.size == 0:
        return Encoded(np.zeros(prepared.shape, np.uint8), np.empty(0, np.int64))
    encoded = _encode_by_table(prepared, background)
    if encoded is None and prepared.dtype.kind == "f":
        encoded = _encode_floats(prepared, background)
    if encoded is None:
        encoded = _encode_by_hash(prepared, background)
    if labels.dtype.kind == "f":
        _check_told_apart(encoded.labels, labels.dtype)
    return encoded


def check_background(background: float) -> None:
    """Raise `ArgumentTypeError` or `LabelsError` for a background that no label can be."""
    if not isinstance(background, numbers.Real):
        raise ArgumentTypeError(
            f"The background (background_label) must be a number; "
            f"{background!r} is {type(background).__name__}."
        )
    try:
        float(background)
    except OverflowError:
        raise LabelsError(f"No label is as large as background_label={background}.") from None


def count(codes: NDArray[Any], n_codes: int) -> NDArray[np.int64]:
    """Return how many samples have each of the codes 0 to ``n_codes - 1``."""
    counts = np.zeros(n_codes, np.int64)
    if codes.size:
        kernels.count(flat(codes), counts)
    return counts


def recoded(codes: NDArray[Any], new_code: NDArray[Any], *, in_place: bool = False) -> NDArray[Any]:
    """Return ``new_code[codes]`` in the memory order of `codes`.

    With `in_place` it takes their memory where the dtypes agree: a second array of as many samples
    is memory of note.
    """
    takes_theirs = in_place and codes.dtype == new_code.dtype
    out = codes if takes_theirs else np.empty_like(codes, new_code.dtype)
    source, target = flat(codes), flat(out)

    def recode(part: slice) -> None:
        kernels.recode(source[part], new_code, target[part])

    in_threads(recode, _small_parts(codes.size))
    return out


def masked(codes: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[Any]:
    """Return `codes` with 0 where not `inside`, in the memory order of `codes`."""
    out = np.empty_like(codes)
    np.multiply(codes, inside, out=out)
    return out


def clear_outside(codes: NDArray[Any], inside: NDArray[np.bool_]) -> None:
    """Set codes to that of no region where not `inside`, in place."""
    np.multiply(codes, inside, out=codes)


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


def _prepared(labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels as the kernels know them: contiguous, in a dtype and byte order of theirs."""
    dtype = labels.dtype
    if dtype.kind not in "buif":
        raise LabelsError(
            f"Labels must be numbers; these are {dtype}. Give an image with one integer per voxel."
        )
    prepared = labels.astype(_KNOWN_AS.get(dtype.char, dtype.newbyteorder("=")), copy=False)
    if not prepared.flags.forc:  # contiguous in neither order
        prepared = np.asfortranarray(prepared)
    if prepared.dtype != np.uint64:
        return prepared
    too_large = prepared[prepared > np.uint64(np.iinfo(np.int64).max)]
    if too_large.size:
        raise LabelsError(
            "Labels up to 2**63 - 1 are supported; found "
            f"{examples(np.unique(too_large).tolist())}. Renumber the labels image."
        )
    return prepared.view(np.int64)


def _n_threads(n_samples: int) -> int:
    most = min(_MOST_THREADS, n_samples // _SAMPLES_PER_THREAD)
    # The system is not asked for its processors where one is enough: small images are many.
    return min(n_cpus(), most) if most > 1 else 1


def _small_parts(n_samples: int) -> list[slice]:
    """Divide samples so that threads which are held up can be helped by the others."""
    n_threads = _n_threads(n_samples)
    return shares(n_samples, 1 if n_threads == 1 else 4 * n_threads)


# --- a table --------------------------------------------------------------------------------


def _encode_by_table(labels: NDArray[Any], background: float) -> Encoded | None:
    """Encode whole labels that lie close together; None where there are others."""
    samples = flat(labels)
    window = _window(samples)
    if window is None:
        return None
    low, width = window
    places = np.empty_like(labels, np.uint16 if width <= 1 << 16 else np.uint32)
    target, is_there, lock = flat(places), np.zeros(width, bool), Lock()

    def find_places(part: slice) -> bool:
        # One table for each part: threads would wait for each other to write to one for all.
        in_part = np.zeros(width, bool)
        are_inside = kernels.find_places(samples[part], low, in_part.view(np.uint8), target[part])
        with lock:
            np.logical_or(is_there, in_part, out=is_there)
        return are_inside

    if not all(in_threads(find_places, _small_parts(samples.size))):
        return None  # there is a label that the few looked at did not let expect
    if low <= background < low + width and background == round(background):
        is_there[round(background) - low] = False
    # The table is mostly several times as wide as labels are apart: only their part is summed up.
    part = slice(int(is_there.argmax()), width - int(is_there[::-1].argmax()))
    code_of = np.zeros(width, code_dtype(int(np.count_nonzero(is_there))))
    np.cumsum(is_there[part], dtype=code_of.dtype, out=code_of[part])
    code_of[part] *= is_there[part]
    distinct = np.flatnonzero(is_there)
    distinct += low
    return Encoded(recoded(places, code_of, in_place=True), distinct)


def _window(samples: NDArray[Any]) -> tuple[int, int] | None:
    """Return where a table of all labels may begin, and its width, a power of two.

    A few labels tell, so it is wider than they are apart.  None where that is too wide.
    """
    few = samples[:: max(1, samples.size // _SAMPLE)].tolist()
    if not all(map(math.isfinite, few)):
        return None
    lowest, highest = math.floor(min(few)), math.floor(max(few))
    span = highest - lowest + 1
    if span > _WIDEST_TABLE:
        return None
    width = min(1 << max(3 * span, _FEW_LABELS).bit_length(), _WIDEST_TABLE)
    # No part of the table is beyond what labels can be, unless it holds all that they can be.
    limits = np.iinfo(np.int64 if samples.dtype.kind == "f" else samples.dtype)
    low = lowest - (width - span) // 2
    return max(min(low, int(limits.max) + 1 - width), int(limits.min)), width


# --- a hash table ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Numbered:
    """Samples in parts, each with numbers of its own for the labels in it.

    Parameters
    ----------
    numbers : array of uint16 or uint32
        Of each sample, from 0 in each part.
    parts : list of slice
        Samples, in memory order.
    labels : array of int64
        What the numbers stand for, part after part, so that some may be there several times.
    bounds : list of int
        Where in `labels` each part begins, and the last one ends.
    """

    numbers: NDArray[Any]
    parts: list[slice]
    labels: NDArray[np.int64]
    bounds: list[int]

    @classmethod
    def of(cls, labels: NDArray[Any]) -> _Numbered:
        samples = flat(labels)
        # One for each thread: where they meet, both have the labels on either side.
        parts = shares(samples.size, _n_threads(samples.size))
        for dtype in _NUMBERS:
            numbers = np.empty_like(labels, dtype)
            target = flat(numbers)

            def number(part: slice, target: NDArray[Any] = target) -> NDArray[np.int64] | None:
                return _number(samples[part], target[part])

            of_parts = [seen for seen in in_threads(number, parts) if seen is not None]
            if len(of_parts) < len(parts):
                continue  # the labels of some part are too many for the dtype
            bounds = np.cumsum([0, *map(len, of_parts)]).tolist()
            distinct = np.concatenate(of_parts, out=passing(bounds[-1], np.int64))
            return cls(numbers, parts, distinct, bounds)
        raise LabelsError(
            f"More than {np.iinfo(_NUMBERS[-1]).max:,} labels are not supported. Crop the image."
        )

    def recoded(self, code_of: NDArray[Any]) -> NDArray[Any]:
        """Return the code of each sample, from that of each of `labels`; numbers may be lost."""
        is_same = code_of.dtype == self.numbers.dtype
        codes = self.numbers if is_same else np.empty_like(self.numbers, code_of.dtype)
        source, target = flat(self.numbers), flat(codes)

        def recode(number: int) -> None:
            part, first, last = self.parts[number], *self.bounds[number : number + 2]
            kernels.recode(source[part], code_of[first:last], target[part])

        in_threads(recode, range(len(self.parts)))
        return codes

    def counts(self) -> NDArray[np.int64]:
        """Return how many samples have each of `labels`."""
        numbers, n_labels = flat(self.numbers), np.diff(self.bounds).tolist()
        parts = zip(self.parts, n_labels, strict=True)
        return np.concatenate([count(numbers[part], n) for part, n in parts])


def _number(labels: NDArray[Any], numbers: NDArray[Any]) -> NDArray[np.int64] | None:
    """Fill `numbers`, and return the label of each number in the order in which they come.

    None where the labels are too many for the dtype of the numbers.
    """
    seen = passing(_FEW_LABELS, np.int64)
    n_seen = start = 0
    while True:
        slots = passing(2 * len(seen), np.uint32)
        done, n_seen = kernels.number_labels(labels[start:], seen, n_seen, slots, numbers[start:])
        start += done
        if start == labels.size:
            return seen[:n_seen]
        if n_seen > np.iinfo(numbers.dtype).max:
            return None
        wider = passing(2 * len(seen), np.int64)
        wider[:n_seen] = seen
        seen = wider


def _encode_by_hash(labels: NDArray[Any], background: float) -> Encoded:
    """Encode integers, however far apart they are."""
    numbered = _Numbered.of(labels)
    distinct, code_of = _ranked(numbered.labels, background)
    return Encoded(numbered.recoded(code_of), distinct)


def _ranked(labels: NDArray[Any], background: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Sort labels, and return the distinct ones, and for each label as they were its code.

    The background and NaN are no region.  What is not needed any more goes before more is made:
    there may be a label for every eight samples.
    """
    order = np.argsort(labels)
    ordered = passing(len(labels), labels.dtype)
    np.take(labels, order, out=ordered, mode="clip")  # other modes copy what is taken
    labels[:] = ordered
    del ordered
    is_region = ~np.isnan(labels)
    is_region &= labels != background
    is_new = is_region.copy()
    is_new[1:] &= labels[1:] != labels[:-1]
    rank = passing(len(labels), code_dtype(int(np.count_nonzero(is_new))))
    np.cumsum(is_new, out=rank)
    rank *= is_region
    codes = passing(len(labels), rank.dtype)
    codes[order] = rank
    del order, rank
    return labels[is_new], codes


# --- floats ---------------------------------------------------------------------------------


def _encode_floats(labels: NDArray[Any], background: float) -> Encoded:
    """Encode any floats: as the integers that they are close to, or as they are.

    The hash table numbers them by their bits, so that only the distinct ones, which are few, are
    looked at as numbers.
    """
    numbered = _Numbered.of(labels.view(np.int32 if labels.itemsize == 4 else np.int64))
    bits = numbered.labels if labels.itemsize == 8 else numbered.labels.astype(np.int32)
    values = bits.view(labels.dtype).astype(np.float64)
    is_finite = np.isfinite(values)
    nearest = np.rint(values)
    with np.errstate(invalid="ignore"):  # of infinities
        is_near = np.abs(values - nearest) <= LABEL_TOLERANCE
    meant = np.where(is_near, nearest, values) + 0.0  # which makes -0.0 the same as 0.0
    meant[~is_finite] = np.nan
    distinct, code_of = _ranked(meant, background)
    if (distinct == np.rint(distinct)).all() and (np.abs(distinct) < 2.0**63).all():
        distinct = distinct.astype(np.int64)
    n_nonfinite = 0 if is_finite.all() else int(numbered.counts()[~is_finite].sum())
    return Encoded(numbered.recoded(code_of), distinct, n_nonfinite)


def _check_told_apart(labels: NDArray[Any], stored: np.dtype[Any]) -> None:
    """Raise where labels are so large that two may have become one when they were stored."""
    # Of long doubles the kernels have seen float64 only.
    dtype = stored.newbyteorder("=") if stored.itemsize < 8 else np.dtype(np.float64)
    most = 2 ** (np.finfo(dtype).nmant + 1)
    beyond = labels[np.abs(labels) > most]
    if len(beyond):
        verb = "is" if len(beyond) == 1 else "are"
        raise LabelsError(
            f"{plural(len(beyond), 'label')} of the labels image {verb} beyond {most:,}: "
            f"{examples([int(label) for label in beyond.tolist()])}. They are stored as {dtype}, "
            f"which tells no integers above {most:,} apart, so that several labels may have become "
            "one. Write the labels as integers (int32, int64) where they are made, or renumber "
            "them there."
        )
