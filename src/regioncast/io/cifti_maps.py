"""Maps of dense CIFTI files, read some regions at a time.

In the file all maps of a grayordinate follow one another, so that the samples of a few regions
can be read without the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.cifti2.cifti2_axes import (
    BrainModelAxis,
    LabelAxis,
    ScalarAxis,
    SeriesAxis,
)

from .._kernels.read import read_runs
from ..errors import (
    DimensionError,
    ImageTypeError,
    capitalized,
)
from ..extraction import Block, Grouping
from ..painting import PaintedArray
from ..spaces import Grayordinates
from .cifti_matrix import Image, described, is_single, names_of, open_matrix, series_of, t_r_of
from .map_streams import MapsInMemory, Portion
from .nifti import readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..signals import Series


# Regions are read so many bytes at a time by each thread: few enough to stay in the processor's
# last cache until they are reduced.
_PORTION_BYTES = 12_000_000

# Reading over so many bytes costs less than another call.
_GAP_BYTES = 4096


def open_cifti_maps(source: Image, what: str) -> CiftiMaps:
    """Return the maps of a ``.dscalar.nii`` or ``.dtseries.nii`` file, or of an image.

    Parameters
    ----------
    source : path or nibabel.Cifti2Image
    what : str
        What the maps are, for messages: ``"the image"``.

    Raises
    ------
    DimensionError
        When it is not maps × grayordinates.
    InputMissingError, FileFormatError, ImageTypeError
    """
    data, axes = open_matrix(source, what)
    if not (
        len(axes) == 2
        and isinstance(axes[0], ScalarAxis | SeriesAxis | LabelAxis)
        and isinstance(axes[1], BrainModelAxis)
    ):
        raise DimensionError(
            f"{capitalized(what)} must have maps or time points × grayordinates, and has "
            f"{described(axes)}. Give a .dscalar.nii or .dtseries.nii file."
        )
    if 0 in data.shape:
        raise DimensionError(f"{capitalized(what)} has no map: its shape is {data.shape}.")
    if not isinstance(data, ArrayProxy | PaintedArray):
        data = np.asanyarray(data)
    if data.dtype.kind not in "biufc":
        raise ImageTypeError(
            f"{capitalized(what)} holds {data.dtype}, and numbers are needed. "
            "Give an image with one number per grayordinate."
        )
    file = getattr(data, "file_like", "in memory")
    return CiftiMaps(data, axes[0], Grayordinates(axes[1]), f"{what} {file}")


@dataclass(frozen=True, eq=False)
class CiftiMaps:
    """The maps of a dense CIFTI image.

    Parameters
    ----------
    data : array, PaintedArray or nibabel.arrayproxy.ArrayProxy, shape (n_maps, n_grayordinates)
    axis : ScalarAxis, SeriesAxis or LabelAxis
        Of the maps.
    space : Grayordinates
    name : str
        What it is, for messages.
    """

    data: Any
    axis: Any
    space: Grayordinates
    name: str

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return len(self.axis)

    @property
    def single(self) -> bool:
        """Whether this is one map rather than a series."""
        return is_single(self.axis)

    @property
    def is_complex(self) -> bool:
        """Whether the maps hold complex numbers."""
        return bool(self.data.dtype.kind == "c")

    @property
    def map_names(self) -> tuple[str, ...] | None:
        """Names of the maps, of which time points have none."""
        return names_of(self.axis)

    @property
    def t_r(self) -> float | None:
        """Repetition time in seconds, where the maps are time points."""
        return t_r_of(self.axis)

    @property
    def series(self) -> Series | None:
        """Start, step and unit, where the maps are a series."""
        return series_of(self.axis)

    @property
    def is_read_ahead(self) -> bool:
        """False: each thread reads what it reduces."""
        return False

    @contextmanager
    def portions(self, grouping: Grouping) -> Iterator[Sequence[Portion]]:
        """Open a file, in which the samples of some regions are read after those of others.

        The samples of a portion's grouping are those of the regions in the given one, in the
        same order, as they count in its block.
        """
        if not _is_read_by_rows(self.data):
            with readable(self.name):
                values = np.asanyarray(self.data)
            with MapsInMemory(values, self.space, self.single).portions(grouping) as portions:
                yield portions
            return
        bytes_per_row = self.n_maps * self.data.dtype.itemsize
        gap = _GAP_BYTES // bytes_per_row
        parts = list(_divided(grouping, _PORTION_BYTES // bytes_per_row)) or [slice(0, 0)]
        # All that is read for a part: its samples, and gaps between them.
        most = (1 + gap) * max(grouping.starts[p.stop] - grouping.starts[p.start] for p in parts)
        buffers = _Buffers((min(most, self.space.shape[0]), self.n_maps), self.data.dtype)

        def portion(regions: slice) -> Portion:
            def opened() -> tuple[Grouping, Iterator[Block]]:
                plan = _plan(grouping, regions, gap)
                return plan.grouping, self._block(file.fileno(), plan, buffers)

            return Portion(regions, opened)

        with ExitStack() as stack:
            with readable(self.name):
                file = stack.enter_context(Path(self.data.file_like).open("rb", buffering=0))
            yield list(map(portion, parts))

    def _block(self, file: int, plan: _Plan, buffers: _Buffers) -> Iterator[Block]:
        """Read the rows of some regions when asked for them."""
        slopes, intercepts = np.full((2, self.n_maps), [[self.data.slope], [self.data.inter]])
        with readable(self.name), buffers.rows(plan.n_rows) as stored:
            _read_rows(file, int(self.data.offset), plan, stored)
            yield Block.of(_native(stored).T, slopes, intercepts, order="C")


class _Buffers:
    """Memory to read rows to, as much as is in use at a time.

    Memory that has been used before takes half as long to fill as fresh memory.
    """

    def __init__(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        self._shape = shape
        self._dtype = dtype
        self._free: list[NDArray[Any]] = []

    @contextmanager
    def rows(self, n_rows: int) -> Iterator[NDArray[Any]]:
        """Give rows that nobody else uses meanwhile."""
        try:
            buffer = self._free.pop()
        except IndexError:
            buffer = np.empty(self._shape, self._dtype)
        try:
            yield buffer[:n_rows]
        finally:
            self._free.append(buffer)


class _Plan(NamedTuple):
    """Which rows to read for some regions, and the samples of these in what is read.

    Run ``k`` of rows begins at ``first_rows[k]`` and becomes ``starts[k]`` to ``starts[k + 1]``.
    """

    regions: slice
    grouping: Grouping
    first_rows: NDArray[np.int64]
    starts: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Number of rows that are read."""
        return int(self.starts[-1])


def _divided(grouping: Grouping, at_once: int) -> Iterator[slice]:
    """Divide regions so that each part has about so many samples, or is one region."""
    starts, first = grouping.starts, 0
    while first < len(grouping):
        # One region with samples at least, and those without that follow.
        with_samples = min(int(np.searchsorted(starts, starts[first], "right")), len(grouping))
        end = max(starts[first] + at_once, starts[with_samples])
        last = int(np.searchsorted(starts, end, "right")) - 1
        yield slice(first, last)
        first = last


def _plan(grouping: Grouping, regions: slice, largest_gap: int) -> _Plan:
    starts = grouping.starts[regions.start : regions.stop + 1]
    samples = grouping.samples[starts[0] : starts[-1]].astype(np.int64)
    rows = np.sort(samples)
    if not len(rows):
        nothing = Grouping(grouping.samples[:0], starts - starts[0], (0,))
        return _Plan(regions, nothing, rows, np.zeros(1, np.int64))
    ends = np.flatnonzero(np.diff(rows) > 1 + largest_gap)
    first = rows[np.concatenate([[0], ends + 1])]
    sizes = rows[np.append(ends, len(rows) - 1)] + 1 - first
    run_starts = np.concatenate([[0], np.cumsum(sizes)])
    # A row of the file is so much further than in what is read.
    shifts = first - run_starts[:-1]
    compact = samples - shifts[np.searchsorted(first, samples, side="right") - 1]
    part = Grouping(compact.astype(np.uint32), starts - starts[0], (int(run_starts[-1]),))
    return _Plan(regions, part, first, run_starts)


def _is_read_by_rows(data: Any) -> bool:
    """Tell whether data are in a plain file, as those of CIFTI files are."""
    return type(data) is ArrayProxy and data.order == "F" and isinstance(data.file_like, str)


def _read_rows(file: int, offset: int, plan: _Plan, out: NDArray[Any]) -> None:
    bytes_per_row = out.strides[0]
    missing = read_runs(
        file,
        plan.first_rows * bytes_per_row + offset,
        plan.starts * bytes_per_row,
        out.reshape(-1).view(np.uint8),
    )
    if missing:
        raise EOFError(f"the file ends early, {missing:,} bytes or more too early")


def _native(stored: NDArray[Any]) -> NDArray[Any]:
    """Return numbers in the byte order of this machine, changing them in place."""
    if stored.dtype.isnative:
        return stored
    return stored.byteswap(inplace=True).view(stored.dtype.newbyteorder("="))
