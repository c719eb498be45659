"""What painted images of nibabel's classes have in common.

They know their regions, and what became of the array that they handed out: nibabel keeps it, and
whoever edits it means to edit the image.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.dataobj_images import DataobjImage

from ..engine.painting import FileOrder, PaintedArray
from ..errors import times
from ..notebook import ShownInNotebooks

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from ..atlas.parcellation import Parcellation
    from ..atlas.region_table import RegionTable
    from ..identity import Match

_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# An array that was handed out is compared with what it was in pieces of this many bytes.
_PIECE_BYTES = 1 << 25


def as_xml(text: str) -> str:
    """Return text without the characters that no file of XML may hold, as a spreadsheet's may."""
    return _NOT_IN_XML.sub("", text)


class PaintedOnDemand(ShownInNotebooks, DataobjImage):
    """An image whose data are a `PaintedArray`: what its classes for volumes and CIFTI share."""

    match: Match | None = None
    """What went where; None for parts and copies."""

    parcellation: Parcellation | None = None
    """The regions that were painted; None for parts and copies."""

    categories: RegionTable | None = None
    """What the values stand for, where they are the labels of categories."""

    _handed_out: tuple[NDArray[Any], PaintedArray] | None = None
    """The array that `get_fdata` keeps, and what it was painted from."""

    def __repr__(self) -> str:
        data: Any = self.dataobj
        what = f"{type(self).__name__}: {times(self.shape)} {data.dtype}"
        return what if self.match is None else f"{what}, {self.match.brief}"

    def get_fdata(self, caching: Any = "fill", dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Return the values as floats; see `nibabel.Nifti1Image`.

        The array is kept for the next time, and if it is edited, the image is saved as edited.
        """
        data = super().get_fdata(caching, dtype)
        painted: Any = self.dataobj
        # An array that nibabel does not keep is the caller's: to edit it does not edit the image.
        if self._fdata_cache is not data or not isinstance(painted, PaintedArray):
            return data
        if self._handed_out is None or self._handed_out[0] is not data:
            self._handed_out = data, _with_table(painted, painted.table.copy())
        return data

    def uncache(self) -> None:
        """Let go of the array that `get_fdata` keeps."""
        super().uncache()
        self._handed_out = None


def edited(image: object) -> NDArray[Any] | None:
    """Return the array that `get_fdata` has handed out, if it is no longer as it was then."""
    if not isinstance(image, PaintedOnDemand) or image._handed_out is None:  # noqa: SLF001  ours
        return None
    cached: NDArray[Any] | None = image._fdata_cache  # noqa: SLF001  nibabel has no public name
    handed_out, painted = image._handed_out  # noqa: SLF001  ours
    if cached is None or handed_out is not cached:
        return None
    with warnings.catch_warnings(action="ignore"):  # whoever asked for this dtype was warned
        voxels = FileOrder.of(_with_table(painted, painted.table.astype(cached.dtype)))
    # One map after the other, as the pieces are.
    by_map = cached.T if painted.maps_first else cached
    now = np.asfortranarray(by_map).reshape(-1, order="F").view(np.uint8)
    buffer, start = voxels.buffer(_PIECE_BYTES), 0
    for piece in voxels.pieces(_PIECE_BYTES):
        made = voxels.made(piece, buffer)
        if not np.array_equal(made, now[start : start + made.nbytes]):
            return cached
        start += made.nbytes
    return None


def _with_table(painted: PaintedArray, table: NDArray[Any]) -> PaintedArray:
    """Return the array with another table of values."""
    return PaintedArray(painted.codes, table, single=painted.single, maps_first=painted.maps_first)
