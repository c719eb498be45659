"""An image divided into nodes and leaves, and these as they are read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...engine import encoding
from ...engine._kernels.reduce import Nonfinite
from ...io.volume.nifti import is_inside
from ..voxels import InMemory, Window, near, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...engine.extraction import Nan
    from ..voxels import Box, Voxels


@dataclass(frozen=True)
class Blocks:
    """How an image is divided.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels along z, y and x.
    leaf : int, default=64
        Voxels along an edge of a leaf.
    node : int, default=256
        Voxels along an edge of a node.
    """

    shape: tuple[int, int, int]
    leaf: int = 64
    node: int = 256

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return math.prod(self._nodes)

    @property
    def _nodes(self) -> tuple[int, ...]:
        return tuple(-(-n // self.node) for n in self.shape)

    def box(self, number: int) -> Box:
        """Return where a node is; they are numbered in C order."""
        z, y, x = (
            slice(int(at) * self.node, min((int(at) + 1) * self.node, n))
            for at, n in zip(np.unravel_index(number, self._nodes), self.shape, strict=True)
        )
        return z, y, x

    def leaves(self, box: Box) -> Iterator[Box]:
        """Return where leaves are in a node, in C order."""
        yield from parts(box, self.leaf)


@dataclass(frozen=True, eq=False)
class Sources:
    """What is reduced: one map in the regions of labels.

    Parameters
    ----------
    labels : Voxels
    background : number
        The label of no region; NaN: there is none.
    image : Voxels
    nan : {"omit", "propagate", "zero"}
    mask : Voxels, default=None
        Voxels where it is zero are of no region.
    number : int, default=0
        Of the map.
    blocks : Blocks
    """

    labels: Voxels
    background: float
    image: Voxels
    nan: Nan
    mask: Voxels | None
    blocks: Blocks
    number: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype in which values are reduced."""
        return _known(np.empty(0, self.image.dtype)).dtype

    @property
    def nonfinite(self) -> int:
        """What becomes of values that are not finite, as kernels have it."""
        return Nonfinite[self.nan.upper()]

    @property
    def is_in_memory(self) -> bool:
        """Whether some of it is an array in memory."""
        return any(isinstance(each, InMemory) for each in (self.labels, self.image, self.mask))

    def in_node(self, node: int) -> Sources:
        """Return the sources with no more of arrays in memory than a node needs."""
        box = self.blocks.box(node)

        def part(voxels: Any, number: int = 0) -> Any:
            if not isinstance(voxels, InMemory):
                return voxels
            start = (box[0].start, box[1].start, box[2].start)
            return Window(voxels.read(box, number), start, voxels.shape, voxels.name)

        return replace(
            self,
            labels=part(self.labels),
            image=part(self.image, self.number),
            mask=part(self.mask),
        )

    def leaves(self, node: int) -> Iterator[Leaf]:
        """Read a node, and return the leaves in which there are regions."""
        box, edge = self.blocks.box(node), self.blocks.leaf
        labels = near(self.labels, box, edge)
        image: Voxels | None = None
        mask: Voxels | None = None
        for leaf in self.blocks.leaves(box):
            encoded = encoding.encode(labels.read(leaf), self.background)
            if not len(encoded.labels):
                continue
            codes = encoded.codes
            voxels = None
            # Where there is no region, nothing else is read.
            if self.mask is not None:
                voxels = encoding.count(codes, len(encoded.labels) + 1)[1:]
                mask = mask or near(self.mask, box, edge)
                codes = encoding.masked(codes, is_inside(mask.read(leaf)))
            image = image or near(self.image, box, edge, self.number)
            values = _known(image.read(leaf))
            yield Leaf(encoded.labels, voxels, codes.reshape(-1), values.reshape(-1))


class Leaf(NamedTuple):
    """The voxels of a leaf: their codes, and what the labels are for which these stand.

    How many voxels of each label there are is known where a mask leaves out some of them.
    """

    labels: NDArray[np.int64]
    voxels: NDArray[np.int64] | None
    codes: NDArray[Any]
    values: NDArray[Any]


def _known(values: NDArray[Any]) -> NDArray[Any]:
    """Return values in a dtype that the kernels know."""
    if values.dtype.kind == "b":
        return values.view(np.uint8)
    # Halves become doubles exactly; long doubles are rounded, as in files they are read by nibabel.
    if values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8):
        return values.astype(np.float64)
    return values
