"""Maps that can be extracted from, whatever holds them, and their extraction.

Maps come in *portions*, which are some regions in all maps, and these in blocks of maps.  Who
reads a file says how it is best divided: a volume lies in its file map by map and is one portion, a
dense CIFTI file lies there grayordinate by grayordinate and makes many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import nibabel as nib
import numpy as np

from ..engine.extraction import Block, Grouping, Nan, Strategy, extract
from ..engine.threads import each_in_turn, threads_of
from ..errors import ArgumentError, DimensionError, capitalized

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from ..atlas.spaces import Space
    from ..progress import Progress
    from ..signals import MapAxis

# Portions are in memory so many at a time at most; more threads than that share them.
_MOST_AT_ONCE = 8

# NIfTI's units of time.
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}

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


class Maps(Protocol):
    """Maps of one space that can be extracted from."""

    @property
    def space(self) -> Space:
        """Where their samples are."""

    @property
    def n_maps(self) -> int:
        """Number of maps."""

    @property
    def axis(self) -> MapAxis:
        """What is known of the maps."""

    @property
    def is_complex(self) -> bool:
        """Whether some map holds complex numbers."""

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


@dataclass(frozen=True, eq=False)
class MapsInMemory:
    """Maps of surfaces or grayordinates as an array.

    Parameters
    ----------
    values : array, shape (n_maps, n_samples)
    space : SurfaceVertices or Grayordinates
    axis : MapAxis
    """

    values: NDArray[Any]
    space: Space
    axis: MapAxis
    is_read_ahead: bool = False

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return len(self.values)

    @property
    def is_complex(self) -> bool:
        """Whether the maps hold complex numbers."""
        return self.values.dtype.kind == "c"

    def portions(
        self,
        grouping: Grouping,
        progress: Progress | None,  # noqa: ARG002  nothing takes long
    ) -> AbstractContextManager[Sequence[Portion]]:
        """Give all regions and maps at once."""
        values = np.ascontiguousarray(self.values, self.values.dtype.newbyteorder("="))
        return all_at_once(grouping, (block for block in [Block.of(values)]))


def all_at_once(grouping: Grouping, blocks: Blocks) -> AbstractContextManager[Sequence[Portion]]:
    """Give all regions as one portion."""
    return nullcontext([Portion(slice(0, len(grouping)), lambda: (grouping, blocks))])


def the_one_map(maps: Maps, what: str) -> tuple[NDArray[Any], Space]:
    """Return the only map as an array of the samples, and where they are.

    Raises
    ------
    DimensionError
        When there are several.
    """
    if maps.n_maps != 1:
        raise DimensionError(f"{capitalized(what)} has {maps.n_maps:,} maps; give one.")
    n_samples = math.prod(maps.space.shape)
    everything = Grouping(
        np.arange(n_samples, dtype=np.uint32), np.array([0, n_samples]), maps.space.shape
    )
    with maps.portions(everything, None) as (portion,):
        part, (block,) = portion.open()
        return block.take(part.samples)[0], maps.space


def one_at_a_time(problem: str) -> ArgumentError:
    """Return the error for several images where there can be one."""
    return ArgumentError(
        f"{problem}; of surfaces and CIFTI files, one at a time can be extracted from. Extract "
        "from each by itself."
    )


def t_r_of(image: SpatialImage) -> float | None:
    """Return the repetition time of a series in seconds, where its header says so."""
    if len(image.shape) != 4:
        return None
    if isinstance(image, nib.MGHImage):
        unit = "msec"
    elif isinstance(image.header, nib.Nifti1Header):
        unit = image.header.get_xyzt_units()[1]
    else:
        return None
    seconds = float(image.header.get_zooms()[3]) * _SECONDS.get(unit, 0.0)
    return seconds if 0 < seconds < math.inf else None


def extract_maps(
    maps: Maps,
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
    maps : Maps
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
        reductions = []
        # Closed, so that no thread works on where `progress` raises.
        with closing(each_in_turn(reduced, portions, n_at_once)) as results:
            for portion, result in zip(portions, results, strict=True):
                reductions.append(result)
                tell(portion.regions.stop, len(grouping))
    values, finite = zip(*reductions, strict=True)
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
