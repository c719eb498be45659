"""Parts of volumes in uncompressed files, without the rest of them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engine.maps import native
from ...errors import FileFormatError, capitalized
from ...files import readable
from ...formats import family_of, is_gzipped
from ..stored import is_stored

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FileVoxels:
    """The voxels of a NIfTI file, of which a block is read when it is asked for.

    Never mapped into memory: a file that somebody shortens meanwhile would end the process.

    Parameters
    ----------
    path : str
    offset : int
        Where the numbers begin, in bytes.
    stored : dtype
        Of the numbers in the file.
    shape : tuple of int
        Number of voxels along z, y and x.
    n_maps : int
    slope, intercept : float
        A value is the stored number times the slope plus the intercept.
    name : str
        What messages call it.
    """

    path: str
    offset: int
    stored: np.dtype[Any]
    shape: tuple[int, int, int]
    n_maps: int
    slope: float
    intercept: float
    name: str

    @property
    def is_scaled(self) -> bool:
        """Whether values are other than what is stored."""
        return (self.slope, self.intercept) != (1, 0)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the values, which are float64 where they are scaled."""
        return np.dtype(np.float64) if self.is_scaled else self.stored.newbyteorder("=")

    def read(self, box: tuple[slice, slice, slice], number: int = 0) -> NDArray[Any]:
        """Return the voxels of a block in one map."""
        voxels = np.empty([part.stop - part.start for part in box], self.stored)
        with readable(self.name), Path(self.path).open("rb", buffering=0) as file:
            for place, rows in self._pieces(box, number, voxels):
                self._fill(file.fileno(), place, rows)
        voxels = native(voxels)
        if not self.is_scaled:
            return voxels
        scaled = voxels.astype(np.float64)
        scaled *= self.slope
        scaled += self.intercept
        return scaled

    def _pieces(
        self, box: tuple[slice, slice, slice], number: int, voxels: NDArray[Any]
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield what lies in one piece in the file, with its place there in numbers."""
        n_z, n_y, n_x = self.shape
        z, y, x = box
        first = number * n_z * n_y * n_x
        if voxels.shape[2] == n_x:  # whole rows follow one another
            for plane, k in enumerate(range(z.start, z.stop)):
                yield first + (k * n_y + y.start) * n_x, voxels[plane]
            return
        for plane, k in enumerate(range(z.start, z.stop)):
            for row, j in enumerate(range(y.start, y.stop)):
                yield first + (k * n_y + j) * n_x + x.start, voxels[plane, row]

    def _fill(self, file: int, place: int, numbers: NDArray[Any]) -> None:
        left = numbers.reshape(-1).view(np.uint8).data
        at = self.offset + place * self.stored.itemsize
        while left:
            n_read = os.preadv(file, [left], at)
            if not n_read:
                raise FileFormatError(
                    f"{capitalized(self.name)} ends early, {len(left):,} bytes before those that "
                    f"are read from byte {at:,} on. Get the file again."
                )
            left, at = left[n_read:], at + n_read


def file_voxels(image: SpatialImage, name: str) -> FileVoxels | None:
    """Return the voxels of an image in an uncompressed NIfTI file; None where it is none.

    None, too, where it holds anything but integers and floats.

    Parameters
    ----------
    image : nibabel image
        Of which the file is known to be as long as its header says.
    name : str
        What messages call it.
    """
    data: Any = image.dataobj
    if not is_stored(data) or data.order != "F" or len(data.shape) not in (3, 4):
        return None
    # Scaled numbers are floats here, and complex ones would lose a half.
    if data.dtype.kind not in "iuf":
        return None
    path = data.file_like
    if not isinstance(path, str | os.PathLike):
        return None
    if family_of(Path(path)) != "nifti" or is_gzipped(Path(path)):
        return None
    n_x, n_y, n_z = data.shape[:3]
    return FileVoxels(
        os.fspath(path), int(data.offset), data.dtype, (n_z, n_y, n_x), math.prod(data.shape[3:]),
        float(data.slope), float(data.inter), name,
    )  # fmt: skip
