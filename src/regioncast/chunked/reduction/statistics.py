"""Statistics of regions in an image that is read in chunks: one number per region and map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine._kernels.reduce import Reduction
from ...engine.extraction import mode
from ...errors import ArgumentError, ImageTypeError, LabelsError, capitalized, examples, plural
from .keys import key_of_infinity, values_of_keys
from .modes import ValueCounts, value_counts
from .ranks import Limits, Owners, Wanted, keys_of_ranks
from .sums import integers, sums_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...engine.extraction import Strategy
    from .blocks import Sources
    from .tasks import Side

_RANKED = (Reduction.PERCENTILE, Reduction.MEDIAN)
_SQUARED = (Reduction.VARIANCE, Reduction.STANDARD_DEVIATION)


@dataclass(frozen=True, eq=False)
class Reduced:
    """One map, reduced.

    Parameters
    ----------
    values : list of array of float64, shape (n_regions,)
        One per strategy; NaN where there is nothing to reduce.
    sums : array of `reduction.SUMS`, shape (n_regions,)
    """

    values: list[NDArray[np.float64]]
    sums: NDArray[Any]


def check_strategies(strategies: Sequence[Strategy], dtype: np.dtype[Any], name: str) -> None:
    """Raise where an image cannot be reduced in chunks by a strategy.

    Parameters
    ----------
    strategies : sequence of Strategy
    dtype : dtype
        Of the image.
    name : str
        What messages call it.
    """
    if dtype.kind not in "buif":
        raise ImageTypeError(
            f"{capitalized(name)} holds {dtype}, and what is read in chunks is reduced where it is "
            "integers or floats. Convert it."
        )
    for strategy in strategies:
        if strategy.of_series is not None:
            raise ArgumentError(
                f"{strategy.name} needs all voxels of a region at once, and {name} is read in "
                "chunks. Use mean, median, percentile:Q, or another of these."
            )
        if strategy.of_map is mode and dtype.kind == "f":
            raise ArgumentError(
                f"The mode of floats would be any of as many values as there are voxels, and "
                f"{name} holds {dtype}. Use the median, or make it integers."
            )


@dataclass(eq=False)
class MapReduction:
    """The reduction of one map in the regions of a table.

    Parameters
    ----------
    sources : Sources
    known : Owners
        All labels that there may be, and the row of each; -1 where it is of no region.
    n_rows : int
    side : Side
    limits : Limits
    """

    sources: Sources
    known: Owners
    n_rows: int
    side: Side
    limits: Limits = field(default_factory=Limits)

    def reduced(self, strategies: Sequence[Strategy]) -> Reduced:
        """Return the values by each strategy.

        Raises `LabelsError` when a label has no row.
        """
        reductions = [strategy.reduction for strategy in strategies]
        with_rest = any(reduction in _SQUARED for reduction in reductions)
        found = sums_of(self.sources, self.side, with_rest=with_rest)
        self._check_known(found.labels, found.sums["voxels"])
        # Regions may be groups of labels, and labels that were dropped are of none.
        rows = self.known.rows[np.searchsorted(self.known.labels, found.labels)]
        is_region = rows >= 0
        owners = Owners(found.labels[is_region], rows[is_region])
        sums = found.take(is_region).by_rows(owners.rows, self.n_rows)
        ranked = [strategy for strategy in strategies if strategy.reduction in _RANKED]
        of_ranks = self._percentiles(ranked, sums, owners) if ranked else []
        by_rank = dict(zip([strategy.name for strategy in ranked], of_ranks, strict=True))
        values = []
        for strategy in strategies:
            if strategy.name in by_rank:
                values.append(by_rank[strategy.name])
            elif strategy.reduction is None:
                values.append(self._modes(owners))
            else:
                values.append(_STATISTICS[strategy.reduction](sums, self.sources.dtype))
        return Reduced(values, sums)

    def _check_known(self, labels: NDArray[np.int64], voxels: NDArray[np.int64]) -> None:
        is_unknown = ~np.isin(labels, self.known.labels)
        if is_unknown.any():
            n_voxels = int(voxels[is_unknown].sum())
            unknown = labels[is_unknown].tolist()
            raise LabelsError(
                f"{plural(len(unknown), 'label')} of {self.sources.labels.name} without a row in "
                f"the region table, in {plural(n_voxels, 'voxel')}: {examples(unknown)}. Complete "
                'the table, or let all labels be found: load_parcellation(…, regions="none") '
                "(--regions none)."
            )

    def _modes(self, owners: Owners) -> NDArray[np.float64]:
        counts = value_counts(self.sources, self.side)
        at = np.searchsorted(owners.labels, counts.labels)
        is_region = np.isin(counts.labels, owners.labels)
        rows = owners.rows[at[is_region]]
        of_rows = ValueCounts(rows, counts.keys[is_region], counts.counts[is_region])
        found, keys = ValueCounts.joined([of_rows]).modes()
        values = np.full(self.n_rows, np.nan)
        values[found] = values_of_keys(keys, self.sources.dtype)
        return values

    def _percentiles(
        self, strategies: Sequence[Strategy], sums: NDArray[Any], owners: Owners
    ) -> list[NDArray[np.float64]]:
        """Return percentiles as the ordinary kernel rounds them."""
        dtype = self.sources.dtype
        n = sums["used"] + sums["positive"] + sums["negative"]
        rows = np.flatnonzero((n > 0) & (sums["nans"] == 0))
        least, largest = sums["least"][rows].copy(), sums["largest"][rows].copy()
        least[sums["negative"][rows] > 0] = key_of_infinity(dtype, positive=False)
        largest[sums["positive"][rows] > 0] = key_of_infinity(dtype, positive=True)
        # A region that is infinite everywhere has no other key.
        least, largest = np.minimum(least, largest), np.maximum(least, largest)
        of_rows = n[rows]
        places = [_place(strategy, of_rows) for strategy in strategies]
        ranks = np.concatenate([ranks for low, high, _ in places for ranks in (low, high)])
        # All ranks of all percentiles are looked for side by side, in as many passes as for one.
        one = Wanted(rows, of_rows, least, largest - least, of_rows)
        every = np.tile(np.arange(len(rows)), 2 * len(strategies))
        wanted = replace(one.take(every), ranks=ranks)
        keys = keys_of_ranks(wanted, owners, self.sources, self.side, self.limits)
        found = values_of_keys(keys, dtype).reshape(len(strategies), 2, len(rows))
        percentiles = []
        for strategy, (low, high), (_, _, shares) in zip(strategies, found, places, strict=True):
            values = np.full(self.n_rows, np.nan)
            is_median = strategy.reduction is Reduction.MEDIAN
            values[rows] = _halfway(low, high) if is_median else _between(low, high, shares)
            percentiles.append(values)
        return percentiles


def _place(
    strategy: Strategy, n: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the ranks between which a percentile is of so many values, and how far it is."""
    if strategy.reduction is Reduction.MEDIAN:
        return (n - 1) // 2, n // 2, np.full(len(n), 0.5)
    places = strategy.percentage / 100 * (n - 1).astype(np.float64)
    low = np.floor(places).astype(np.int64)
    shares = places - low
    return low, np.where(shares == 0, low, low + 1), shares


def _halfway(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    # The sum of two large floats may be infinite, and their mean is not.
    with np.errstate(over="ignore", invalid="ignore"):
        together = low + high
        middle = np.where(np.isfinite(together), together / 2, low / 2 + high / 2)
    return np.where(low == high, low, middle)


def _between(
    low: NDArray[np.float64], high: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    # From the nearer end, as NumPy does, so that it never leaves what it is between.
    with np.errstate(over="ignore", invalid="ignore"):
        above = high - low
        from_high, from_low = high - above * (1 - shares), low + above * shares
    return np.where(low == high, low, np.where(shares >= 0.5, from_high, from_low))


# --- of sums ---------------------------------------------------------------------------------


def _count(sums: NDArray[Any], _: np.dtype[Any]) -> NDArray[np.float64]:
    n = sums["used"] + sums["nans"] + sums["positive"] + sums["negative"]
    return np.asarray(n, np.float64)


def _with_nonfinite(values: NDArray[np.float64], sums: NDArray[Any]) -> NDArray[np.float64]:
    """Return sums or means with what is propagated: infinities of both signs make NaN."""
    positive, negative = sums["positive"] > 0, sums["negative"] > 0
    is_nan = (sums["nans"] > 0) | (positive & negative) | (_count(sums, sums.dtype) == 0)
    choices = [np.full(len(values), value) for value in (np.nan, np.inf, -np.inf)]
    return np.select([is_nan, positive, negative], choices, values)


def _sum(sums: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    if dtype.kind == "f":
        return _with_nonfinite(sums["total"], sums)
    exact = np.array([float(total) for total in integers(sums["sum_low"], sums["sum_high"])])
    return np.where(sums["used"] > 0, exact, np.nan)


def _mean(sums: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    if dtype.kind == "f":
        return _with_nonfinite(sums["mean"], sums)
    totals = integers(sums["sum_low"], sums["sum_high"])
    # Python's division of integers rounds once.
    means = [
        total / n if n else np.nan for total, n in zip(totals, sums["used"].tolist(), strict=True)
    ]
    return np.array(means)


def _variance(sums: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    if dtype.kind == "f" or dtype.itemsize == 8:
        has_nonfinite = sums["nans"] + sums["positive"] + sums["negative"] > 0
        is_known = (sums["used"] > 0) & ~has_nonfinite
        return np.where(is_known, sums["rest"] / np.maximum(sums["used"], 1), np.nan)
    totals = integers(sums["sum_low"], sums["sum_high"])
    squares = integers(sums["squares_low"], sums["squares_high"])
    # Of whole numbers until the one division, so nothing cancels and it is rounded once.
    of_all = zip(totals, squares, sums["used"].tolist(), strict=True)
    return np.array(
        [(n * square - total**2) / n**2 if n else np.nan for total, square, n in of_all]
    )


def _standard_deviation(sums: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    return np.sqrt(_variance(sums, dtype))


def _minimum(sums: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    return _extreme(sums, dtype, positive=False)


def _maximum(sums: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    return _extreme(sums, dtype, positive=True)


def _extreme(sums: NDArray[Any], dtype: np.dtype[Any], *, positive: bool) -> NDArray[np.float64]:
    own, other = ("positive", "negative") if positive else ("negative", "positive")
    infinite = np.inf if positive else -np.inf
    values = values_of_keys(sums["largest" if positive else "least"], dtype)
    # Of what is infinite in the other direction everywhere, that is the extreme.
    values = np.where(sums["used"] > 0, values, np.where(sums[other] > 0, -infinite, np.nan))
    values = np.where(sums[own] > 0, infinite, values)
    return np.where(sums["nans"] > 0, np.nan, values)


_STATISTICS: dict[Reduction, Callable[[NDArray[Any], np.dtype[Any]], NDArray[np.float64]]] = {
    Reduction.COUNT: _count,
    Reduction.SUM: _sum,
    Reduction.MEAN: _mean,
    Reduction.MINIMUM: _minimum,
    Reduction.MAXIMUM: _maximum,
    Reduction.VARIANCE: _variance,
    Reduction.STANDARD_DEVIATION: _standard_deviation,
}
