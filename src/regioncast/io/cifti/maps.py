"""Maps of dense CIFTI files, read some regions at a time.

In the file all maps of a grayordinate follow one another, so that the samples of a few regions
can be read without the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.arrayproxy import ArrayProxy
from nibabel.cifti2.cifti2_axes import BrainModelAxis, LabelAxis, ScalarAxis, SeriesAxis

from ...atlas.spaces import Grayordinates
from ...engine._kernels.read import read_rows
from ...engine.extraction import Block, Grouping
from ...engine.maps import Blocks, Portion, all_at_once, native
from ...engine.painting import PaintedArray
from ...errors import DimensionError, capitalized
from ...files import readable
from ..maps import MapsInMemory, check_numbers
from .matrix import Image, are_axes, described, map_axis_of, open_matrix

if TYPE_CHECKING:
    from io import FileIO

    from numpy.typing import NDArray

    from ...progress import Progress
    from ...signals import MapAxis

# Regions are read so many bytes at a time by each thread: few enough to stay in the processor's
# last cache until they are reduced.  Of a region that has more, some maps are read at a time.
_PORTION_BYTES = 12_000_000

# Rows shorter than this are read together with all others: a call for each would take longer.
_SHORTEST_ROW = 512

# Of longer rows, parts of at least this many bytes are read: of half as many, a region of all
# grayordinates takes almost twice as long.
_SHORTEST_PART = 1024

# Files are brought into memory in pieces of this size, unless only a small part of the samples is
# needed, or they are so large that they might not stay there.
_PIECE_BYTES = 4_000_000
_LEAST_BROUGHT_IN = 0.2
_MOST_BROUGHT_IN = 4_000_000_000

# So many bytes tell whether a file is in memory.
_PROBES = 16


def open_cifti_maps(source: Image, what: str) -> CiftiMaps:
    """Return the maps of a ``.dscalar.nii`` or ``.dtseries.nii`` file, or of an image.

    Raises `DimensionError` when it is not maps × grayordinates; `InputMissingError`,
    `FileFormatError`, `ImageTypeError`.

    Parameters
    ----------
    source : path or nibabel.Cifti2Image
    what : str
        What the maps are, for messages: ``"the image"``.
    """
    data, axes = open_matrix(source, what)
    if not are_axes(axes, ScalarAxis | SeriesAxis | LabelAxis, BrainModelAxis):
        raise DimensionError(
            f"{capitalized(what)} must have maps or time points × grayordinates, and has "
            f"{described(axes)}. Give a .dscalar.nii or .dtseries.nii file."
        )
    if 0 in data.shape:
        raise DimensionError(f"{capitalized(what)} has no map: its shape is {data.shape}.")
    if not isinstance(data, ArrayProxy | PaintedArray):
        data = np.asanyarray(data)
    check_numbers(data.dtype, what, Grayordinates.noun)
    file = getattr(data, "file_like", "in memory")
    return CiftiMaps(data, map_axis_of(axes[0]), Grayordinates(axes[1]), f"{what} {file}")


@dataclass(frozen=True, eq=False)
class CiftiMaps:
    """The maps of a dense CIFTI image.

    Parameters
    ----------
    data : array, PaintedArray or nibabel.arrayproxy.ArrayProxy, shape (n_maps, n_grayordinates)
    axis : MapAxis
    space : Grayordinates
    name : str
        What it is, for messages.
    """

    data: Any
    axis: MapAxis
    space: Grayordinates
    name: str

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return int(self.data.shape[0])

    @property
    def is_complex(self) -> bool:
        """Whether the maps hold complex numbers."""
        return bool(self.data.dtype.kind == "c")

    @property
    def runs(self) -> Sequence[int]:
        """Number of maps of the one series that they are."""
        return (self.n_maps,)

    @property
    def is_read_ahead(self) -> bool:
        """False: each thread reads what it reduces."""
        return False

    @contextmanager
    def portions(
        self, grouping: Grouping, progress: Progress | None
    ) -> Iterator[Sequence[Portion]]:
        """Open a file, in which the samples of some regions are read after those of others."""
        if not _is_read_by_rows(self.data):
            with readable(self.name):
                values = np.asanyarray(self.data)
            maps = MapsInMemory(values, self.space, self.axis)
            with maps.portions(grouping, progress) as portions:
                yield portions
            return
        bytes_per_row = self.n_maps * self.data.dtype.itemsize
        with ExitStack() as stack:
            with readable(self.name):
                file = stack.enter_context(Path(self.data.file_like).open("rb", buffering=0))
            if bytes_per_row < _SHORTEST_ROW:
                everything = np.arange(self.space.shape[0], dtype=np.uint32)
                blocks = self._blocks(file.fileno(), everything, self._buffers(len(everything)))
                with all_at_once(grouping, blocks) as portions:
                    yield portions
                return
            if len(grouping.samples) > _LEAST_BROUGHT_IN * self.space.shape[0]:
                for done in _brought_in(file, self.name):
                    if progress is not None:
                        progress(*done)
            yield self._portions(file.fileno(), grouping, _PORTION_BYTES // bytes_per_row)

    def _portions(self, file: int, grouping: Grouping, at_once: int) -> list[Portion]:
        """Divide the regions; what is read for them are their samples and no others."""
        # Without a region there is a portion all the same: one of nothing.
        parts = list(_divided(grouping.starts, at_once)) or [(slice(0, 0), slice(0, 0))]
        sizes = [samples.stop - samples.start for _, samples in parts]
        places = np.arange(max(sizes), dtype=np.uint32)
        buffers = self._buffers(*sizes)

        def portion(regions: slice, samples: slice) -> Portion:
            read = grouping.samples[samples]
            starts = grouping.starts[regions.start : regions.stop + 1] - samples.start
            part = Grouping(places[: len(read)], starts, (len(read),))
            return Portion(regions, lambda: (part, self._blocks(file, read, buffers)))

        return [portion(*part) for part in parts]

    def _buffers(self, *sizes: int) -> _Buffers:
        """Return memory for what is read at a time of any of these numbers of samples."""
        return _Buffers(max(n_rows * self._at_once(n_rows) for n_rows in sizes), self.data.dtype)

    def _at_once(self, n_rows: int) -> int:
        """Return how many maps of so many samples are read at a time."""
        item_size: int = self.data.dtype.itemsize
        as_many_as_fit = _PORTION_BYTES // max(1, n_rows * item_size)
        return min(self.n_maps, max(1, as_many_as_fit, -(-_SHORTEST_PART // item_size)))

    def _blocks(self, file: int, samples: NDArray[np.uint32], buffers: _Buffers) -> Blocks:
        """Read the rows of samples when asked for them, or some maps of them after the others."""
        at_once = self._at_once(len(samples))
        with readable(self.name), buffers.of_one() as buffer:
            for start in range(0, self.n_maps, at_once):
                n_maps = min(at_once, self.n_maps - start)
                stored = buffer[: len(samples) * n_maps].reshape(len(samples), n_maps)
                self._read(file, samples, start, stored)
                slopes, intercepts = np.full((2, n_maps), [[self.data.slope], [self.data.inter]])
                yield Block.of(native(stored).T, slopes, intercepts, order="C")

    def _read(
        self, file: int, samples: NDArray[np.uint32], first: int, stored: NDArray[Any]
    ) -> None:
        """Fill an array with the rows of samples, from the map `first` on."""
        item_size, n_maps = self.data.dtype.itemsize, stored.shape[1]
        missing = read_rows(
            file,
            int(self.data.offset) + first * item_size,
            self.n_maps * item_size,
            n_maps * item_size,
            samples,
            stored.reshape(-1).view(np.uint8),
        )
        if missing:
            raise EOFError(f"the file ends early: {missing:,} bytes or more are missing")


class _Buffers:
    """Memory for some numbers at a time, as often as it is in use at once.

    Memory that has been used before takes half as long to fill as fresh memory.
    """

    def __init__(self, size: int, dtype: np.dtype[Any]) -> None:
        self._size = size
        self._dtype = dtype
        self._free: list[NDArray[Any]] = []

    @contextmanager
    def of_one(self) -> Iterator[NDArray[Any]]:
        """Give memory that nobody else uses meanwhile."""
        try:
            buffer = self._free.pop()
        except IndexError:
            buffer = np.empty(self._size, self._dtype)
        try:
            yield buffer
        finally:
            self._free.append(buffer)


def _brought_in(file: FileIO, name: str) -> Iterator[tuple[int, int]]:
    """Read a file once in the order in which it lies on the disk, if it is not in memory yet.

    In the order of regions, a disk would be several times as long about it.  Yields how many
    bytes are read, and of how many.
    """
    with readable(name):
        n_bytes = os.fstat(file.fileno()).st_size
        if n_bytes > _MOST_BROUGHT_IN or _is_cached(file, n_bytes):
            return
        buffer, done = bytearray(_PIECE_BYTES), 0
        while n_read := file.readinto(buffer):
            done += n_read
            yield done, n_bytes


def _is_cached(file: FileIO, n_bytes: int) -> bool:
    """Tell whether the system has a file in memory, as far as some bytes of it tell."""
    if not hasattr(os, "RWF_NOWAIT"):
        return False
    byte = bytearray(1)
    try:
        for place in range(0, n_bytes, max(1, n_bytes // _PROBES)):
            os.preadv(file.fileno(), [byte], place, os.RWF_NOWAIT)
    except OSError:  # it would have to wait, or the file system cannot tell
        return False
    return True


def _divided(starts: NDArray[np.int64], at_once: int) -> Iterator[tuple[slice, slice]]:
    """Divide regions so that each part has about so many samples, or is one region.

    Each comes with the slice of the samples that it has.
    """
    n_regions, first = len(starts) - 1, 0
    while first < n_regions:
        # One region with samples at least, and those without that follow.
        with_samples = min(int(np.searchsorted(starts, starts[first], "right")), n_regions)
        end = max(starts[first] + at_once, starts[with_samples])
        last = int(np.searchsorted(starts, end, "right")) - 1
        yield slice(first, last), slice(int(starts[first]), int(starts[last]))
        first = last


def _is_read_by_rows(data: Any) -> bool:
    """Tell whether data are in a plain file, as those of CIFTI files are."""
    if type(data) is not ArrayProxy:
        return False
    return data.order == "F" and isinstance(data.file_like, str)
