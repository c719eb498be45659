"""Voxels in Zarr and Dask arrays."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    MissingPackageError,
    capitalized,
    plural,
    times,
)
from ..files import expanded, readable
from ..formats import family_of
from .shards import Shards

if TYPE_CHECKING:
    import zarr
    from numpy.typing import NDArray

    from .voxels import Box, Voxels

# Files by which a folder is known as a store of Zarr 3 or 2.
_MARKS = ("zarr.json", ".zgroup", ".zarray")

# Arrays of so many stores are open at once.
_MOST_OPEN = 64


def needs_zarr() -> None:
    """Raise `MissingPackageError` where Zarr is not installed."""
    try:
        import zarr  # noqa: F401
    except ImportError as error:
        raise MissingPackageError(
            "Zarr arrays need the zarr package: pip install 'regioncast[scale]'."
        ) from error


def is_store(path: Path) -> bool:
    """Return whether this is a folder that Zarr has written."""
    return any(os.path.isfile(path / mark) for mark in _MARKS)  # noqa: PTH113  never raises


def is_chunked(source: object) -> bool:
    """Return whether this is read in chunks: a store, or an array of Zarr or Dask.

    Neither package is imported to tell.
    """
    if isinstance(source, str | os.PathLike):
        path = expanded(source)
        return family_of(path) == "zarr" or is_store(path)
    return is_of_zarr(source) or _is_of_dask(source)


def is_of_zarr(source: object) -> bool:
    """Return whether this is an array or a group of Zarr in memory."""
    return type(source).__module__.partition(".")[0] == "zarr"


def _is_of_dask(source: object) -> bool:
    is_dasks = type(source).__module__.partition(".")[0] == "dask"
    return is_dasks and hasattr(source, "dask") and hasattr(source, "chunks")


def open_node(source: Any, what: str) -> zarr.Array[Any] | zarr.Group:
    """Return what a path leads to, a group or an array of Zarr; what is one already as it is.

    Raises `InputMissingError`, `FileFormatError`.

    Parameters
    ----------
    source : path, zarr.Array or zarr.Group
    what : str
        What messages call it: ``"the labels image"``.
    """
    needs_zarr()
    import zarr

    if isinstance(source, zarr.Array | zarr.Group):
        return source
    if not isinstance(source, str | os.PathLike):
        raise ImageTypeError(
            f"{capitalized(what)} is {type(source).__name__}; give a path, zarr.Array or "
            "zarr.Group."
        )
    if "://" in str(source):
        raise ArgumentError(
            f"{capitalized(what)} is a URL, and paths are opened: {source}. Open it with Zarr, and "
            "give what is opened: zarr.open(url, mode='r')."
        )
    path = expanded(source)
    # Said here, as Zarr says of a folder that is none just that no node is there.
    if not path.exists():
        raise InputMissingError(f"{capitalized(what)} does not exist: {path}. Check the name.")
    if not is_store(path):
        raise FileFormatError(
            f"{capitalized(what)} is no Zarr store: {path} has none of {', '.join(_MARKS)}. It may "
            "be written only in part; get or write it again."
        )
    with readable(f"{what} {path}"):
        # Consolidated metadata are a copy, which may be older than what it is of.
        return zarr.open(str(path), mode="r", use_consolidated=False)


@dataclass(frozen=True, eq=False)
class ZarrVoxels:
    """An array of Zarr, which each process opens once.

    Made by `zarr_voxels`.

    Parameters
    ----------
    store : str or zarr.Array
        The path of the array; or what is no file of ours, as the array itself.
    shape : tuple of int
        Number of voxels along z, y and x.
    leading : tuple of int
        Number of maps along each axis before these.
    dtype : dtype
    chunks : tuple of int
        Along z, y and x, what is read at once.
    name : str
    stamp : int, default=None
        When the metadata of an array in a file were written; None where that is not known.
    """

    store: Any
    shape: tuple[int, int, int]
    leading: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, int, int]
    name: str
    stamp: int | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Elsewhere the file may be a copy, of another time.
        return {**self.__dict__, "stamp": None}

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return math.prod(self.leading)

    def read(self, box: Box, number: int = 0, into: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return the voxels of a block in one map, in other memory where it is given."""
        # Time and channels, in this order: whatever is before z counts maps.
        at = np.unravel_index(number, self.leading) if self.leading else ()
        leading = tuple(map(int, at))
        with readable(self.name):
            array, shards = self._opened()
            if shards is not None:
                return np.ascontiguousarray(shards.read(box, leading, into))
            return np.ascontiguousarray(array[(*leading, *box)], self.dtype)

    def _opened(self) -> tuple[Any, Shards | None]:
        """Return the array, and its shards where we read them ourselves."""
        if not isinstance(self.store, str):
            return self.store, None
        check_unchanged(self)
        array, shards = _opened(self.store, _stamp(self.store))
        # Of a copy of the file, in another process, the form alone is known.
        form = (*self.leading, *self.shape), self.chunks, self.dtype
        if (array.shape, array.chunks[-3:], array.dtype.newbyteorder("=")) != form:
            raise FileFormatError(
                f"{capitalized(self.name)} has been written anew since it was opened: it was "
                f"{times(form[0])} of {self.dtype} in chunks of {times(self.chunks)}, and is "
                f"{times(array.shape)} of {array.dtype} in chunks of {times(array.chunks[-3:])}. "
                "Load it again."
            )
        return array, shards

    def alone(self, edge: int, number: int) -> Voxels | None:
        """Return what reads blocks of this edge one by one as fast as all at once, if it can."""
        if not isinstance(self.store, str) or self.chunks != (edge,) * 3:
            return None
        with readable(self.name):
            _, shards = self._opened()
        return None if shards is None else _OneByOne(self, number, shards)


class _OneByOne:
    """Chunks of an array, each of which is read into the place of the one before.

    Dask has the C library give memory back at once, and to get it again takes as long as
    decoding.
    """

    def __init__(self, voxels: ZarrVoxels, number: int, shards: Shards) -> None:
        self.shards = shards
        self._voxels = voxels
        self._number = number
        self._place = np.empty(voxels.chunks, voxels.dtype)
        self.shape, self.n_maps = voxels.shape, 1
        self.dtype, self.name = voxels.dtype, voxels.name

    def read(self, box: Box, number: int = 0) -> NDArray[Any]:  # noqa: ARG002  Voxels
        """Return the voxels of a block in the one map, which the next call overwrites."""
        return self._voxels.read(box, self._number, self._place)


@lru_cache(_MOST_OPEN)
def _opened(path: str, _: int) -> tuple[Any, Shards | None]:
    import zarr

    array = zarr.open_array(path, mode="r")
    return array, Shards.of(array, Path(path))


def _stamp(array: str) -> int:
    """Return when the metadata of an array in a folder were written."""
    # Asked for each block, so without `Path`; Zarr 2 has another file.
    for mark in ("zarr.json", ".zarray"):
        with suppress(FileNotFoundError):
            return os.stat(f"{array}/{mark}").st_mtime_ns  # noqa: PTH116
    raise FileNotFoundError("its metadata are gone")


def zarr_voxels(array: zarr.Array[Any], what: str) -> ZarrVoxels:
    """Return the voxels of an array of Zarr.

    Raises `DimensionError` where it has fewer than three dimensions.
    """
    file = path_of(array)
    name = f"{what} {file or array.path or 'in memory'}"
    check_dimensions(array.shape, name)
    (n_z, n_y, n_x), (c_z, c_y, c_x) = array.shape[-3:], array.chunks[-3:]
    return ZarrVoxels(
        # A path is a few bytes in a task, and is opened once by each process, wherever it works.
        array if file is None else str(file.absolute()),
        (n_z, n_y, n_x),
        tuple(array.shape[:-3]),
        np.dtype(array.dtype).newbyteorder("="),
        (c_z, c_y, c_x),
        name,
        None if file is None else _stamp(str(file)),
    )


def check_unchanged(voxels: Voxels) -> None:
    """Raise where an array in a file was written anew, or removed, since it was opened.

    What is known of its regions is of what was there before.  Asked of each block that is read, and
    where work begins that others do.
    """
    if not isinstance(voxels, ZarrVoxels) or voxels.stamp is None:
        return
    is_same = False
    with suppress(FileNotFoundError):
        is_same = _stamp(str(voxels.store)) == voxels.stamp
    if not is_same:
        raise FileFormatError(
            f"{capitalized(voxels.name)} was written anew or removed since it was opened. Load it "
            "again."
        )


def path_of(node: zarr.Array[Any] | zarr.Group) -> Path | None:
    """Return the folder of an array or a group, None where it is in no folder."""
    from zarr.storage import LocalStore

    if not isinstance(node.store, LocalStore):
        return None
    return Path(node.store.root) / node.path


def check_dimensions(shape: Sequence[int], name: str) -> None:
    """Raise `DimensionError` where an array has no three axes of space."""
    if len(shape) < 3:
        raise DimensionError(
            f"{capitalized(name)} has {plural(len(shape), 'dimension')} ({times(shape)}); voxels "
            "have three: z, y and x. Give a volume."
        )


@dataclass(frozen=True, eq=False)
class DaskVoxels:
    """An array of Dask, of which a block is computed when it is read.

    Parameters
    ----------
    array : dask.array.Array, shape (n_z, n_y, n_x) or (n_maps, n_z, n_y, n_x)
    name : str
    """

    array: Any
    name: str

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along z, y and x."""
        n_z, n_y, n_x = self.array.shape[-3:]
        return n_z, n_y, n_x

    @property
    def n_maps(self) -> int:
        """Number of maps."""
        return len(self.array) if self.array.ndim == 4 else 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of what is read."""
        dtype: np.dtype[Any] = np.dtype(self.array.dtype).newbyteorder("=")
        return dtype

    def read(self, box: Box, number: int = 0) -> NDArray[Any]:
        """Return the voxels of a block in one map."""
        array = self.array[number] if self.array.ndim == 4 else self.array
        with readable(self.name):
            # In this thread: who reads works side by side already, and no cluster is to be asked.
            block = array[box].compute(scheduler="synchronous")
            self._check(block, [part.stop - part.start for part in box])
            return np.ascontiguousarray(block, self.dtype)

    def _check(self, block: Any, shape: Sequence[int]) -> None:
        """Raise where a block is not what the array says, which Dask believes and kernels read."""
        dtype = np.dtype(block.dtype).newbyteorder("=")
        if (block.shape, dtype) != (tuple(shape), self.dtype):
            raise ImageTypeError(
                f"{capitalized(self.name)} says that a block is {times(shape)} voxels of "
                f"{self.dtype}, and computes {times(block.shape)} of {dtype}. Correct what makes "
                "it, for example map_blocks(…, dtype=…, chunks=…)."
            )
        if np.ma.is_masked(block):
            raise ImageTypeError(
                f"Some of {self.name}, is masked: {plural(int(block.mask.sum()), 'voxel')} of a "
                "block. Say what they are: dask.array.ma.filled(array, 0), for example."
            )


def dask_voxels(array: Any, what: str) -> DaskVoxels:
    """Return the voxels of an array of Dask; raise `DimensionError` where it has not 3 or 4 axes.

    Its chunks have to be known.
    """
    name = f"{what}, a Dask array"
    check_dimensions(array.shape, name)
    if array.ndim > 4 or any(math.isnan(n) for n in array.shape):
        raise DimensionError(
            f"{capitalized(name)} has the shape {times(array.shape)}; give z, y and x, and maps "
            "before them, in chunks whose sizes are known."
        )
    return DaskVoxels(array, name)
