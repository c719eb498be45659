"""Extraction: from maps to one number per region.

A *strategy* is a reduction as data: its name and how the values of a region become one number.
A *grouping* lists the samples of each region.  Maps come in *blocks*, so that a series of any
length is reduced in the memory of a few of them; where a block ends changes no bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import ArgumentError, ImageTypeError, LabelsError, examples
from ._kernels import reduce as kernels
from ._kernels.reduce import Nonfinite, Reduction
from .encoding import flat
from .threads import Workers, shares, threads_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ..progress import Progress
    from .painting import Order

Nan = Literal["omit", "propagate", "zero"]
Function = Callable[["NDArray[Any]"], "ArrayLike"]

# Below this many values a thread of its own, about 0.1 ms, costs more than it saves.
_VALUES_PER_THREAD = 100_000

# Maps whose values lie next to each other are collected so many at a time: 16 floats fill a
# line of the processor's cache, which is then fetched once.
_TILE = 16

_COMPILED = {
    "mean": Reduction.MEAN,
    "median": Reduction.MEDIAN,
    "sum": Reduction.SUM,
    "minimum": Reduction.MINIMUM,
    "maximum": Reduction.MAXIMUM,
    "variance": Reduction.VARIANCE,
    "standard_deviation": Reduction.STANDARD_DEVIATION,
    "count": Reduction.COUNT,
}

_WEIGHTED = (
    Reduction.COUNT,
    Reduction.SUM,
    Reduction.MEAN,
    Reduction.VARIANCE,
    Reduction.STANDARD_DEVIATION,
)

# None: what is not compiled has its function, which may do with complex numbers what it likes.
_OF_COMPLEX = (Reduction.COUNT, Reduction.SUM, Reduction.MEAN, None)

_PERCENTILE = "percentile:"

STRATEGIES = (*_COMPILED, "mode", "percentile:Q", "first_eigenvariate")
"""The names of the strategies; Q is a number from 0 to 100."""


@dataclass(frozen=True)
class Strategy:
    """How the values of a region become one number per map.

    Just one of the first three says how.

    Parameters
    ----------
    name : str
    reduction : Reduction, default=None
        A compiled reduction.
    of_map : callable, default=None
        Takes the values of a region in one map, shape (n_samples,), and returns a number.
    of_series : callable, default=None
        Takes the values of a region in all maps, shape (n_samples, n_maps), and returns one
        number per map.
    percentage : float, default=50
        Of a percentile.
    """

    name: str
    reduction: Reduction | None = None
    of_map: Function | None = None
    of_series: Function | None = None
    percentage: float = 50.0

    @classmethod
    def of(cls, strategy: str | Function) -> Strategy:
        """Return the strategy of a name, or of a function on (n_samples, n_maps).

        Raises `ArgumentError` when there is none of that name.

        Examples
        --------
        >>> Strategy.of("percentile:90").percentage
        90.0
        """
        if callable(strategy):
            name = getattr(strategy, "__name__", type(strategy).__name__)
            return cls(name, of_series=strategy)
        named = cls._named(strategy) if isinstance(strategy, str) else None
        if named is None:
            raise ArgumentError(
                f"'strategy' must be one of {', '.join(STRATEGIES)} (Q from 0 to 100), or a "
                f"function on an array of shape (n_samples, n_maps); it is {strategy!r}."
            )
        return named

    @classmethod
    def all_of(
        cls, strategies: str | Function | list[str | Function] | tuple[str | Function, ...]
    ) -> list[Strategy]:
        """Return the strategies of a list of names and functions, or of one of them.

        Raises `ArgumentError` when there is none, none of such a name, or several of the same.

        Examples
        --------
        >>> [strategy.name for strategy in Strategy.all_of(["mean", "count"])]
        ['mean', 'count']
        """
        listed = strategies if isinstance(strategies, list | tuple) else [strategies]
        if not listed:
            raise ArgumentError("There is no strategy: the list is empty. Give one such as 'mean'.")
        all_of_them = [cls.of(strategy) for strategy in listed]
        names = [strategy.name for strategy in all_of_them]
        if len(set(names)) < len(names):
            raise ArgumentError(
                f"Some strategies share a name: {examples(names)}. "
                "Give each once, and functions names of their own."
            )
        return all_of_them

    @classmethod
    def _named(cls, name: str) -> Strategy | None:
        if name in _COMPILED:
            return cls(name, _COMPILED[name])
        if name == "mode":
            return cls(name, of_map=mode)
        if name == "first_eigenvariate":
            return cls(name, of_series=first_eigenvariate)
        if not name.startswith(_PERCENTILE):
            return None
        try:
            percentage = float(name.removeprefix(_PERCENTILE))
        except ValueError:
            return None
        if not 0 <= percentage <= 100:  # nor NaN
            return None
        return cls(name, Reduction.PERCENTILE, percentage=percentage)

    def check(self, *, weighted: bool, is_complex: bool, n_maps: int) -> None:
        """Raise where the strategy does not apply to such data."""
        if weighted and self.reduction not in _WEIGHTED:
            raise ArgumentError(
                f"weights go with mean, sum, variance and standard_deviation, not with {self.name}."
            )
        if is_complex and self.reduction not in _OF_COMPLEX:
            raise ImageTypeError(
                f"The image holds complex numbers, for which there is no {self.name}. "
                "Use mean or sum, or give an image of magnitudes."
            )
        if self.of_series is not first_eigenvariate:
            return
        if n_maps < 2 or is_complex:
            verb = "is" if n_maps == 1 else "are"
            of_complex = " of complex numbers" if is_complex else ""
            raise ArgumentError(
                "first_eigenvariate is the course of a region over real maps: it needs two or "
                f"more; there {verb} {n_maps:,}{of_complex}."
            )


@dataclass(frozen=True, eq=False)
class Block:
    """Some maps, as they are stored.

    Parameters
    ----------
    stored : array, 1D, contiguous
        In native byte order: map by map, samples in Fortran order (``order="F"``), or sample
        by sample, these in C order (``order="C"``).
    slopes, intercepts : array of float64, shape (n_maps,)
        A value is the stored number times the slope plus the intercept.
    order : {"F", "C"}, default="F"
    """

    stored: NDArray[Any]
    slopes: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    order: Order = "F"

    @classmethod
    def of(
        cls,
        maps: NDArray[Any],
        slopes: NDArray[np.float64] | None = None,
        intercepts: NDArray[np.float64] | None = None,
        *,
        order: Order = "F",
    ) -> Block:
        """Return the block of an array of shape (n_maps, n_samples), of any dtype.

        It lies in memory map by map with the order "F" of samples, else sample by sample.
        """
        # The dtypes that the kernels know.
        if maps.dtype.kind == "b":
            maps = maps.view(np.uint8)
        elif maps.dtype.kind == "f" and maps.dtype.itemsize not in (4, 8):
            maps = maps.astype(np.float64)
        n_maps = len(maps)
        return cls(
            (maps if order == "F" else maps.T).reshape(-1),
            np.ones(n_maps) if slopes is None else slopes,
            np.zeros(n_maps) if intercepts is None else intercepts,
            order,
        )

    def __len__(self) -> int:
        return len(self.slopes)

    @property
    def strides(self) -> tuple[int, int]:
        """Numbers from a map to the next, and from a sample to the next."""
        n_maps = len(self)
        return (self.stored.size // n_maps, 1) if self.order == "F" else (1, n_maps)

    def take(self, samples: NDArray[np.uint32]) -> NDArray[Any]:
        """Return the values of some samples, shape (n_maps, n)."""
        if self.order == "F":
            taken: NDArray[Any] = self.stored.reshape(len(self), -1)[:, samples]
        else:
            taken = self.stored.reshape(-1, len(self))[samples].T
        if (self.slopes == 1).all() and (self.intercepts == 0).all():
            return taken  # in the dtype of the file, in which whole series take less memory
        return taken * self.slopes[:, np.newaxis] + self.intercepts[:, np.newaxis]


@dataclass(frozen=True, eq=False)
class Grouping:
    """The samples of each region.

    Parameters
    ----------
    samples : array of uint32
        Region by region, ascending; in the Fortran order of the codes.
    starts : array of int64, shape (n_regions + 1,)
        Region ``k`` has ``samples[starts[k]:starts[k + 1]]``.
    shape : tuple of int
        That of the codes.
    """

    samples: NDArray[np.uint32]
    starts: NDArray[np.int64]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, codes: NDArray[Any], counts: NDArray[np.int64]) -> Grouping:
        """Return the grouping of codes with so many samples of each region."""
        if codes.size > np.iinfo(np.uint32).max:
            raise LabelsError(
                f"The labels image has {codes.size:,} voxels; up to 2**32 can be extracted from. "
                "Crop it."
            )
        starts = np.concatenate([[0], np.cumsum(counts)])
        samples = np.empty(int(starts[-1]), np.uint32)
        kernels.group(flat(np.asfortranarray(codes)), starts[:-1].copy(), samples)
        return cls(samples, starts, codes.shape)

    @classmethod
    def joined(cls, groupings: Sequence[Grouping]) -> Grouping:
        """Return the regions of several groupings of the same samples, one after the other.

        A sample may then be of several regions.  What a region gives depends on its own samples
        alone, so that it gives the same in one pass for all as in one of its own.
        """
        if len(groupings) == 1:
            return groupings[0]
        n_before = np.cumsum([0, *(len(each.samples) for each in groupings)])
        starts = [each.starts[:-1] + n for each, n in zip(groupings, n_before, strict=False)]
        return cls(
            np.concatenate([each.samples for each in groupings]),
            np.concatenate([*starts, n_before[-1:]]),
            groupings[0].shape,
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    def region(self, number: int) -> slice:
        """Return where a region is in `samples`."""
        return slice(int(self.starts[number]), int(self.starts[number + 1]))

    def places(self, order: Order) -> NDArray[np.uint32]:
        """Return the samples, which come in the same order, as they count in a memory order."""
        if order == "F" or len(self.shape) == 1:
            return self.samples
        return self._places_in_c_order

    @cached_property
    def _places_in_c_order(self) -> NDArray[np.uint32]:
        indices = np.unravel_index(self.samples, self.shape, order="F")
        return np.ravel_multi_index(indices, self.shape).astype(np.uint32)

    @property
    def largest(self) -> int:
        """Number of samples of the largest region."""
        return int(np.diff(self.starts).max(initial=0))


def extract(
    blocks: Iterable[Block],
    grouping: Grouping,
    strategies: Sequence[Strategy],
    *,
    n_maps: int,
    nan: Nan = "omit",
    weights: NDArray[np.float64] | None = None,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """Reduce each region of each map to one number per strategy.

    Parameters
    ----------
    blocks : iterable of Block
        `n_maps` maps in all.
    grouping : Grouping
    strategies : sequence of Strategy
    n_maps : int
    nan : {"omit", "propagate", "zero"}, default="omit"
        What becomes of values that are NaN or infinite.  Functions of whole series are given
        the samples that are finite in every map where they are omitted.
    weights : array of float64, default=None
        One per entry of ``grouping.samples``.
    n_jobs : int, default=None
        Number of threads; all processors when not given, or below 0.
    progress : callable, default=None
        Called with the number of maps done and the number of all maps.

    Returns
    -------
    values : list of arrays of float64 or complex128, shape (n_maps, n_regions)
        One per strategy; NaN where a region has no value to reduce.
    finite : array of int64, shape (n_regions,)
        How many samples of each region are finite, in the map where they are the fewest.
    """
    extraction = _Extraction(grouping, strategies, n_maps=n_maps, nan=nan, weights=weights)
    done = 0
    n_threads = threads_of(n_jobs)
    with Workers(n_threads) as workers:
        for block in blocks:
            extraction.add(block, done, workers, n_threads)
            done += len(block)
            if progress is not None:
                progress(done, n_maps)
    return extraction.values(), extraction.finite


def mode(values: NDArray[Any]) -> Any:
    """Return the most frequent value, the smallest of them when there are several."""
    distinct, counts = np.unique(values, return_counts=True)
    return distinct[np.argmax(counts)]


def first_eigenvariate(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the first principal time course of samples, shape (n_samples, n_maps).

    Each sample is taken about its mean over maps.  The course is scaled, as in SPM, to
    the root of the mean square that it explains per sample, and has the sign with which it
    correlates with the mean of the samples.
    """
    n_samples, n_maps = values.shape
    if not np.isfinite(values).all():
        return np.full(n_maps, np.nan)
    centered = values - values.mean(axis=1, keepdims=True)
    # From the smaller of the two matrices of products; eigenvalues come in ascending order.
    if n_samples <= n_maps:
        course = np.linalg.eigh(centered @ centered.T)[1][:, -1] @ centered
    else:
        variances, courses = np.linalg.eigh(centered.T @ centered)
        course = courses[:, -1] * np.sqrt(max(variances[-1], 0.0))
    sign = -1.0 if course @ centered.mean(axis=0) < 0 else 1.0
    return np.asarray(sign * course / np.sqrt(n_samples))


class _Extraction:
    """One pass over the maps: what has been reduced so far."""

    def __init__(
        self,
        grouping: Grouping,
        strategies: Sequence[Strategy],
        *,
        n_maps: int,
        nan: Nan,
        weights: NDArray[np.float64] | None,
    ) -> None:
        self._grouping = grouping
        self._strategies = strategies
        self._n_maps = n_maps
        self._nan = nan
        self._weights = np.empty(0) if weights is None else weights
        compiled = []
        self._of_map: dict[Strategy, NDArray[Any]] = {}
        self._keeps_series = False
        for strategy in strategies:
            if strategy.of_series is not None:
                self._keeps_series = True
            elif strategy.of_map is not None:
                # Whether maps are complex is only known when they come.
                shape = n_maps, len(grouping)
                self._of_map[strategy] = np.full(shape, np.nan, np.complex128)
            else:
                compiled.append(strategy)
        # Percentile and median reorder the buffer, so they go last.  Without any compiled
        # strategy, count alone: the kernel also counts finite values.
        reordering = (Reduction.PERCENTILE, Reduction.MEDIAN)
        compiled.sort(key=lambda strategy: strategy.reduction in reordering)
        self._compiled = compiled or [Strategy("count", Reduction.COUNT)]
        self._parts = [np.full((len(self._compiled), n_maps, len(grouping)), np.nan)]
        self._series: list[NDArray[Any]] = []
        self.finite = np.diff(grouping.starts)

    def add(self, block: Block, start: int, workers: Workers, n_threads: int) -> None:
        """Reduce maps, the first of which is number `start`."""
        maps = slice(start, start + len(block))
        for number, part in enumerate(_parts(block)):
            if number == len(self._parts):
                self._parts.append(np.full_like(self._parts[0], np.nan))
            self._reduce(part, self._parts[number][:, maps], workers, n_threads)
        for strategy, values in self._of_map.items():
            assert strategy.of_map is not None, "a strategy of single maps has its function"
            self._reduce_maps(strategy.of_map, block, values[maps])
        if self._keeps_series:
            self._series.append(block.take(self._grouping.places(block.order)))

    def values(self) -> list[NDArray[Any]]:
        """Return the values of each strategy."""
        is_complex = len(self._parts) > 1
        of_all = []
        for strategy in self._strategies:
            if strategy.of_series is not None:
                values = self._reduce_series(strategy.of_series, strategy.name)
            elif strategy.of_map is not None:
                values = self._of_map[strategy]
                if not is_complex:
                    values = values.real.copy()
            else:
                place = self._compiled.index(strategy)
                values = self._parts[0][place]
                # Both parts have the same count: a number is finite whole or not at all.
                if is_complex and strategy.reduction is not Reduction.COUNT:
                    values = values + 1j * self._parts[1][place]
            of_all.append(values)
        return of_all

    def _reduce(
        self, block: Block, out: NDArray[np.float64], workers: Workers, n_threads: int
    ) -> None:
        """Reduce maps with the kernel, each thread its own maps or its own regions."""
        n_values = len(block) * len(self._grouping.samples)
        n_shares = max(1, min(n_threads, n_values // _VALUES_PER_THREAD))
        everything = slice(None)
        if len(block) >= n_shares:
            jobs = [(maps, everything) for maps in shares(len(block), n_shares)]
        else:
            jobs = [(everything, regions) for regions in self._region_shares(n_shares)]
        if len(jobs) == 1:
            self.finite = np.minimum(self.finite, self._kernel(block, out, *jobs[0]))
            return
        pending = [workers.begin(self._kernel, block, out, *job) for job in jobs]
        for finite, (_, regions) in zip(pending, jobs, strict=True):
            self.finite[regions] = np.minimum(self.finite[regions], finite())

    def _kernel(
        self, block: Block, out: NDArray[np.float64], maps: slice, regions: slice
    ) -> NDArray[np.int64]:
        """Reduce some regions of some maps; return their least number of finite samples."""
        first_map, last_map, _ = maps.indices(len(block))
        first, last, _ = regions.indices(len(self._grouping))
        finite = np.diff(self._grouping.starts[first : last + 1])
        largest = max(1, self._grouping.largest)
        if len(self._grouping.samples) and first_map < last_map:
            kernels.reduce_maps(
                block.stored,
                first_map,
                *block.strides,
                block.slopes[maps],
                block.intercepts[maps],
                self._grouping.places(block.order),
                self._grouping.starts[first : last + 1],
                self._weights,
                Nonfinite[self._nan.upper()],
                np.array([strategy.reduction for strategy in self._compiled], np.int32),
                np.array([strategy.percentage for strategy in self._compiled]),
                np.empty((1 if block.order == "F" else _TILE, largest), block.stored.dtype),
                np.empty((2, largest)),
                out[:, maps, regions],
                finite,
            )
        return finite

    def _region_shares(self, n_shares: int) -> list[slice]:
        """Divide the regions so that each share has about as many samples."""
        ends = [share.stop for share in shares(len(self._grouping.samples), n_shares)]
        inner = np.searchsorted(self._grouping.starts, ends[:-1]).tolist()
        bounds = pairwise([0, *inner, len(self._grouping)])
        # A region that is larger than a share leaves the next ones empty.
        return [slice(first, last) for first, last in bounds if first < last]

    def _reduce_maps(self, function: Function, block: Block, out: NDArray[Any]) -> None:
        places = self._grouping.places(block.order)
        for region in range(len(self._grouping)):
            taken = block.take(places[self._grouping.region(region)])
            for number, values in enumerate(taken):
                left = self._without_nonfinite(values)
                if left.size and not np.isnan(left).any():
                    out[number, region] = function(left)

    def _reduce_series(self, function: Function, name: str) -> NDArray[Any]:
        dtype = np.complex128 if len(self._parts) > 1 else np.float64
        out = np.full((self._n_maps, len(self._grouping)), np.nan, dtype)
        for region in range(len(self._grouping)):
            place = self._grouping.region(region)
            series = np.concatenate([block[:, place] for block in self._series])
            # In one order: that in which blocks lie in memory would change how sums round.
            left = self._without_nonfinite(series.T.astype(out.dtype, order="C"))
            if left.size:
                out[:, region] = _checked(name, function(left), self._n_maps, out.dtype)
        return out

    def _without_nonfinite(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return samples (first axis) after the rule for values that are not finite."""
        finite = np.isfinite(values)
        if self._nan == "propagate" or finite.all():
            return values
        if self._nan == "zero":
            return np.where(finite, values, 0)
        left: NDArray[Any] = values[finite if values.ndim == 1 else finite.all(axis=1)]
        return left


def _parts(block: Block) -> list[Block]:
    """Return a block, or the real and the imaginary part of one of complex numbers."""
    if block.stored.dtype.kind != "c":
        return [block]
    # A number with a part that is not finite is omitted whole.
    values = block.take(np.arange(block.stored.size // len(block), dtype=np.uint32))
    values[~np.isfinite(values)] = complex(np.nan, np.nan)
    return [Block.of(part.copy(), order=block.order) for part in (values.real, values.imag)]


def _checked(name: str, result: ArrayLike, n_maps: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return what a function made of a region, which must be numbers that `dtype` can hold."""
    values = np.asarray(result)
    problem = f"The strategy {name} must return one number per map, shape ({n_maps},); "
    if values.shape != (n_maps,) or values.dtype.kind not in "biufc":
        raise ArgumentError(
            f"{problem}it returned {values.dtype} of shape {values.shape}. "
            "Reduce the first axis only, to numbers."
        )
    if values.dtype.kind == "c" and dtype.kind != "c":
        raise ArgumentError(
            f"{problem}of real maps these are real, and it returned {values.dtype}. Return the "
            "real part or the magnitude, or make the image complex."
        )
    return values
