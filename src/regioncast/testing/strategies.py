"""Hypothesis strategies: volumes of labels, masks, signals, and how they lie in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingPackageError

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

_LARGEST_SIDE = 7
_MOST_REGIONS = 12
_MOST_MAPS = 4


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
    thin: bool = False,
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
    thin : bool, default=False
        Whether some are rows of voxels along one axis, which are contiguous both ways.

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
            shape=volume_shapes() | rows if thin else volume_shapes(),
            layout=st.sampled_from(LAYOUTS),
            memory=st.sampled_from(memories),
            seed=_seeds(),
        )

    rows = st.integers(2, _LARGEST_SIDE).flatmap(lambda n: st.permutations([n, 1, 1])).map(tuple)
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
