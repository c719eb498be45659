"""Volumes as streams of maps, block by block.

One image or several, on disk or in memory, are a stream of maps.  A file is read from its
beginning to its end, a few maps at a time into the same memory, by a thread that is one block
ahead of what is being reduced.  A file that ends early, or whose checksum is wrong, is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.arrayproxy import is_proxy
from nibabel.brikhead import AFNIArrayProxy

from ...atlas.spaces import VolumeGrid, check_same
from ...engine.extraction import Block, Grouping
from ...engine.maps import Blocks, Portion, all_at_once, native
from ...engine.threads import Workers
from ...errors import DimensionError, capitalized
from ...files import readable
from ...signals import MapAxis
from ..maps import axis_of_files, check_numbers, each_source, is_list, runs_of, t_r_of
from ..sidecar import axis_beside
from ..stored import PIECE_BYTES, is_stored, opened, skip, skip_rest
from .nifti import Niimg, open_image

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from ...progress import Progress

Niimgs = Niimg | Sequence[Niimg]

# Maps are read in blocks of about this many bytes: large enough that handing them over costs
# nothing, small enough for the processor's last cache.
_BLOCK_BYTES = 4_000_000

# Blocks of an array in memory are views and need none of their own.
_MORE_IN_MEMORY = 16


@dataclass(frozen=True, eq=False)
class MapStream:
    """The maps of one or more images on one grid, in their order.

    Parameters
    ----------
    images : tuple of nibabel images
        3D or 4D; their data are not read yet.
    names : tuple of str
        What each is, for messages.
    axis : MapAxis
        Named by the files, where each holds one map of several.
    """

    images: tuple[SpatialImage, ...]
    names: tuple[str, ...]
    axis: MapAxis

    @property
    def space(self) -> VolumeGrid:
        """The grid of the maps."""
        return VolumeGrid.of(self.images[0])

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return sum(map(_n_maps, self.images))

    @property
    def is_complex(self) -> bool:
        """Whether some map holds complex numbers."""
        return any(_dtype(image).kind == "c" for image in self.images)

    @property
    def runs(self) -> Sequence[int]:
        """Numbers of maps of each image; images of one map each are one series."""
        return runs_of(list(map(_n_maps, self.images)))

    @property
    def signals_dtype(self) -> np.dtype[Any]:
        """Dtype that holds means of the maps: float32 where all are, float64, complex128."""
        if self.is_complex:
            return np.dtype(np.complex128)
        return np.dtype(np.float32 if all(map(_is_float32, self.images)) else np.float64)

    @property
    def is_read_ahead(self) -> bool:
        """Whether a thread is kept busy by reading the maps, beside those that reduce them."""
        return any(is_proxy(image.dataobj) for image in self.images)

    def blocks(self) -> Blocks:
        """Read the maps, one block ahead; a block is valid until the next one is asked for."""
        blocks = self._blocks()
        with Workers(1) as reader:
            try:
                pending = reader.begin(next, blocks, None)
                while (block := pending()) is not None:
                    pending = reader.begin(next, blocks, None)
                    yield block
            finally:
                # By the thread that may still be reading, once it has read.
                reader.begin(blocks.close)()

    def portions(
        self,
        grouping: Grouping,
        progress: Progress | None,  # noqa: ARG002  nothing takes long
    ) -> AbstractContextManager[Sequence[Portion]]:
        """Give all regions at once: a volume lies in its file map by map."""
        return all_at_once(grouping, self.blocks())

    def _blocks(self) -> Blocks:
        for image, name in zip(self.images, self.names, strict=True):
            with readable(name):
                data: Any = image.dataobj
                if is_stored(data) and data.order == "F":
                    yield from _stored_blocks(data, _n_maps(image))
                else:
                    yield from _sliced_blocks(data, _n_maps(image))


def open_maps(source: Niimgs, what: str) -> MapStream:
    """Return the maps of a path, a pattern, an image, or a list of them.

    Raises `InputMissingError`, `FileFormatError`, `ImageTypeError`, `DimensionError`; `SpaceError`
    when the images are not on one grid.

    Parameters
    ----------
    source : path, nibabel image or sequence of them
        A text with ``*``, ``?`` or ``[`` that no file has for its name is a pattern; its files
        come in natural order, in which 9 is before 10.
    what : str
        What the maps are, for messages: ``"the image"``.
    """
    images = tuple(open_image(each, what) for each, _ in each_source(source, what))
    names = tuple(_checked_name(image, what, number) for number, image in enumerate(images))
    first = VolumeGrid.of(images[0], names[0])
    for image, name in zip(images[1:], names[1:], strict=True):
        check_same(first, VolumeGrid.of(image, name), this_name=names[0], other_name=name)
    # A list is a series, even one of one image.
    return MapStream(images, names, _map_axis(images, is_series=is_list(source) or len(images) > 1))


def _map_axis(images: Sequence[SpatialImage], *, is_series: bool) -> MapAxis:
    # What lies beside each file is of its maps; of several the names of the files tell more.
    files, axes = [], []
    for image in images:
        axis = MapAxis(t_r=t_r_of(image), single=_is_single(image) and not is_series)
        files.append(image.get_filename())
        axes.append(axis_beside(axis, files[-1], _n_maps(image)))
    if not is_series:
        return axes[0]
    return axis_of_files(files, axes, list(map(_n_maps, images)))


def _checked_name(image: SpatialImage, what: str, number: int) -> str:
    """Return what messages call an image; raise where it holds no maps of numbers."""
    name, shape = what, image.shape
    if image.get_filename():
        name = f"{what} {image.get_filename()}"
    elif number:
        name = f"{what} number {number + 1}"
    has_more_axes = set(shape[4:]) - {1}
    if len(shape) < 3 or has_more_axes or 0 in shape:
        raise DimensionError(
            f"{capitalized(name)} has the shape {shape}; "
            "extraction needs three dimensions, or four with at least one map."
        )
    check_numbers(_dtype(image), name)
    return name


def _is_single(image: SpatialImage) -> bool:
    return len(image.shape) == 3


def _n_maps(image: SpatialImage) -> int:
    return 1 if _is_single(image) else int(image.shape[3])


def _dtype(image: SpatialImage) -> np.dtype[Any]:
    data: Any = image.dataobj
    return np.dtype(getattr(data, "dtype", None) or image.get_data_dtype())


def _is_float32(image: SpatialImage) -> bool:
    """Tell whether the values are float32; scaled ones are float64, whatever is stored."""
    data: Any = image.dataobj
    if getattr(data, "slope", 1) != 1 or getattr(data, "inter", 0) != 0:
        return False
    # AFNI's factors, one per map.
    if getattr(data, "scaling", None) is not None:
        return False
    return _dtype(image).newbyteorder("=") == np.float32


def _steps(n_maps: int, bytes_per_map: int, block_bytes: int) -> Iterator[slice]:
    step = max(1, block_bytes // max(1, bytes_per_map))
    return (slice(start, min(start + step, n_maps)) for start in range(0, n_maps, step))


def _sliced_blocks(data: Any, n_maps: int) -> Iterator[Block]:
    """Read an array, or whatever can be sliced as one."""
    n_samples = int(np.prod(data.shape[:3]))
    if isinstance(data, np.ndarray) and data.flags.c_contiguous and data.dtype.isnative:
        yield Block.of(np.asarray(data).reshape(n_samples, n_maps).T, order="C")
        return
    dtype = np.dtype(getattr(data, "dtype", np.float64))  # MINC proxies give float64, unsaid
    is_there = isinstance(data, np.ndarray) and data.flags.f_contiguous
    block_bytes = _BLOCK_BYTES * (_MORE_IN_MEMORY if is_there else 1)
    for maps in _steps(n_maps, n_samples * dtype.itemsize, block_bytes):
        part = np.asanyarray(data) if len(data.shape) == 3 else np.asanyarray(data[:, :, :, maps])
        flat = part.reshape((n_samples, -1), order="F").T
        yield Block.of(np.ascontiguousarray(flat, flat.dtype.newbyteorder("=")))


def _stored_blocks(data: Any, n_maps: int) -> Iterator[Block]:
    """Read a file from where its data begin to where it ends."""
    n_samples = int(np.prod(data.shape[:3]))
    slopes, intercepts = _scaling(data, n_maps)
    steps = list(_steps(n_maps, n_samples * data.dtype.itemsize, _BLOCK_BYTES))
    # Two, of which one is being filled while the other is being reduced.
    buffers = [np.empty((steps[0].stop, n_samples), data.dtype) for _ in steps[:2]]
    with opened(data.file_like, ahead=True) as file:
        skip(file, int(data.offset))
        for number, maps in enumerate(steps):
            stored = buffers[number % 2][: maps.stop - maps.start]
            _fill(file, stored, maps, n_maps)
            yield Block.of(native(stored), slopes[maps], intercepts[maps])
        skip_rest(file)


def _scaling(data: Any, n_maps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if isinstance(data, AFNIArrayProxy):
        factors = np.ones(n_maps) if data.scaling is None else np.asarray(data.scaling, float)
        return np.broadcast_to(factors, n_maps).copy(), np.zeros(n_maps)
    return np.full(n_maps, float(data.slope)), np.full(n_maps, float(data.inter))


def _fill(file: Any, stored: NDArray[Any], maps: slice, n_maps: int) -> None:
    left = stored.reshape(-1).view(np.uint8).data
    while left:
        n_read = file.readinto(left[:PIECE_BYTES])
        if not n_read:
            in_map = maps.stop - -(-len(left) * len(stored) // stored.nbytes) + 1
            raise EOFError(f"the file ends early, in map {in_map:,} of {n_maps:,}")
        left = left[n_read:]
