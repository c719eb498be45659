"""Arrays of voxels that are read a block at a time, wherever they are.

All arrays here are in the order of OME-Zarr, (z, y, x), with maps first where there are several:
the transpose of what nibabel has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[slice, slice, slice]
"""A block of voxels: where it is along z, y and x."""


class Voxels(Protocol):
    """Voxels of one map or several, which are read a block at a time.

    They can be pickled, to be sent to other processes: what holds an open file opens it again.
    """

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along z, y and x."""

    @property
    def n_maps(self) -> int:
        """Number of maps."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of what is read."""

    @property
    def name(self) -> str:
        """What messages call it: ``"the labels image atlas.ome.zarr"``."""

    def read(self, box: Box, number: int = 0) -> NDArray[Any]:
        """Return the voxels of a block in one map, C-contiguous, in native byte order.

        Raises `FileFormatError` where they cannot be read.
        """


@dataclass(frozen=True, eq=False)
class InMemory:
    """An array in memory.

    Parameters
    ----------
    array : array, shape (n_z, n_y, n_x) or (n_maps, n_z, n_y, n_x)
    name : str
    """

    array: NDArray[Any]
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
        return self.array.dtype.newbyteorder("=")

    def read(self, box: Box, number: int = 0) -> NDArray[Any]:
        """Return the voxels of a block in one map."""
        array = self.array[number] if self.array.ndim == 4 else self.array
        return np.ascontiguousarray(array[box], self.dtype)


@dataclass(frozen=True, eq=False)
class Window:
    """What a task needs of an array in memory.

    Parameters
    ----------
    array : array
        The voxels of a block, in one map.
    start : tuple of int
        Where the block begins.
    shape : tuple of int
        Of all voxels.
    name : str
    n_maps : int, default=1
        Of which this is the only one that can be read.
    """

    array: NDArray[Any]
    start: tuple[int, int, int]
    shape: tuple[int, int, int]
    name: str
    n_maps: int = 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of what is read."""
        return self.array.dtype

    def read(self, box: Box, number: int = 0) -> NDArray[Any]:  # noqa: ARG002  Voxels
        """Return the voxels of a block in the one map."""
        z, y, x = (
            slice(part.start - first, part.stop - first)
            for part, first in zip(box, self.start, strict=True)
        )
        return np.ascontiguousarray(self.array[z, y, x])


def near(voxels: Voxels, box: Box, edge: int, number: int = 0) -> Voxels:
    """Return one map, of which small blocks within a large one can be read, each once.

    What it reads may lie where the block before was.

    Parameters
    ----------
    voxels : Voxels
    box : Box
        The large block.
    edge : int
        Of the small ones, which are aligned at the origin.
    number : int, default=0
        Of the map.
    """
    # Where small blocks are what is stored, each goes from the file through the cache by itself.
    # Of anything else the large one is read at once: no part of a chunk is read without the rest.
    alone: Voxels | None = None
    if hasattr(voxels, "alone"):
        alone = voxels.alone(edge, number)
    if alone is not None:
        return alone
    start = (box[0].start, box[1].start, box[2].start)
    return Window(voxels.read(box, number), start, voxels.shape, voxels.name)


def parts(box: Box, edge: int) -> Iterator[Box]:
    """Yield the blocks of this edge that a block is made of, in C order."""
    edges = [
        [slice(start, min(start + edge, side.stop)) for start in range(side.start, side.stop, edge)]
        for side in box
    ]
    yield from product(*edges)
