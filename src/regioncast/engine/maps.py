"""Maps to extract from, whatever holds them, and their extraction.

Maps come in *portions*, which are some regions in all maps, and these in blocks of maps.  Who
reads a file says how it is best divided: a volume lies in its file map by map and is one portion, a
dense CIFTI file lies there grayordinate by grayordinate and makes many.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from .extraction import Block, Grouping, Nan, Strategy, extract
from .threads import each_in_turn, threads_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..progress import Progress

# Portions are in memory so many at a time at most; more threads than that share them.
_MOST_AT_ONCE = 8

Blocks = Generator[Block, None, None]


class Portion(NamedTuple):
    """Some regions, and the maps to reduce them in.

    Parameters
    ----------
    regions : slice
    open : callable
        Returns the grouping of these regions in the samples of the blocks, and the blocks of
        all maps.
    """

    regions: slice
    open: Callable[[], tuple[Grouping, Blocks]]


class MapSource(Protocol):
    """Maps that can be extracted from."""

    @property
    def n_maps(self) -> int:
        """Number of maps."""

    @property
    def is_read_ahead(self) -> bool:
        """Whether a thread is kept busy by reading the maps, beside those that reduce them."""

    def portions(
        self, grouping: Grouping, progress: Progress | None
    ) -> AbstractContextManager[Sequence[Portion]]:
        """Open the maps as far as some regions need them, for some regions at a time.

        Portions may be used side by side in threads.  What takes long before the first one can
        be used is told to `progress`.
        """


def all_at_once(grouping: Grouping, blocks: Blocks) -> AbstractContextManager[Sequence[Portion]]:
    """Give all regions as one portion."""
    return nullcontext([Portion(slice(0, len(grouping)), lambda: (grouping, blocks))])


def extract_maps(
    maps: MapSource,
    grouping: Grouping,
    strategies: Sequence[Strategy],
    *,
    nan: Nan,
    weights: NDArray[np.float64] | None,
    n_jobs: int | None,
    progress: Progress | None,
) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
    """Reduce each region of each map to one number per strategy; see `extraction.extract`.

    Parameters
    ----------
    maps : MapSource
    grouping : Grouping
        On the space of the maps.
    strategies, nan
        As there.
    n_jobs : int, default=None
        Number of threads; when not given, all processors, one of which may read the maps.
    progress : callable, default=None
        Called with the number of maps done and the number of all maps; where they come in
        several portions, with the fraction of the work done, expressed in maps.
    weights : array of float64, default=None
        One per entry of ``grouping.samples``.
    """
    n_threads = threads_of(n_jobs)
    if n_jobs is None and maps.is_read_ahead:
        n_threads = max(1, n_threads - 1)
    told = _Told(progress, maps.n_maps)
    # A dense file may be read once in its own order before, which is told as the first half.
    with maps.portions(grouping, told.up_to(maps.n_maps // 2)) as portions:
        # Functions, which need not be made for threads, are called here, one after the other.
        is_compiled = all(strategy.reduction is not None for strategy in strategies)
        n_at_once = min(n_threads, len(portions), _MOST_AT_ONCE) if is_compiled else 1
        tell = told.up_to(maps.n_maps)

        def reduced(portion: Portion) -> tuple[list[NDArray[Any]], NDArray[np.int64]]:
            part, blocks = portion.open()
            first, last = grouping.starts[[portion.regions.start, portion.regions.stop]]
            with closing(blocks):  # also where `progress` raises
                return extract(
                    blocks,
                    part,
                    strategies,
                    n_maps=maps.n_maps,
                    nan=nan,
                    weights=None if weights is None else weights[first:last],
                    n_jobs=n_threads // n_at_once,
                    progress=tell if len(portions) == 1 else None,
                )

        if len(portions) == 1:
            return reduced(portions[0])
        of_portions = []
        # Closed, so that no thread works on where `progress` raises.
        with closing(each_in_turn(reduced, portions, n_at_once)) as results:
            for portion, result in zip(portions, results, strict=True):
                of_portions.append(result)
                tell(portion.regions.stop, len(grouping))
    values, finite = zip(*of_portions, strict=True)
    whole = [np.concatenate(of_strategy, axis=1) for of_strategy in zip(*values, strict=True)]
    return whole, np.concatenate(finite)


class _Told:
    """How far work has come that is not done map by map, in maps."""

    def __init__(self, progress: Progress | None, n_maps: int) -> None:
        self._progress = progress
        self._n_maps = n_maps
        self._done = 0

    def up_to(self, end: int) -> Progress:
        """Return a callback of the next part of the work, after which so many maps are done."""
        start = self._done

        def tell(done: int, total: int) -> None:
            self._done = start + (end - start) * done // total
            if self._progress is not None:
                self._progress(self._done, self._n_maps)

        return tell


def native(stored: NDArray[Any]) -> NDArray[Any]:
    """Bring numbers to the byte order of this machine, where they are."""
    if stored.dtype.isnative:
        return stored
    stored.byteswap(inplace=True)
    return stored.view(stored.dtype.newbyteorder("="))
