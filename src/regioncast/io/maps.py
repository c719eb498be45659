"""Maps of a space: what is known of those that can be extracted from, and those in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import nibabel as nib
import numpy as np

from ..engine.extraction import Block, Grouping
from ..engine.maps import MapSource, Portion, all_at_once
from ..errors import ArgumentError, DimensionError, capitalized

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from ..atlas.spaces import Space
    from ..progress import Progress
    from ..signals import MapAxis


SECONDS = 8
"""NIfTI's code of seconds."""

# NIfTI's units of time, and the bits of their codes.  nibabel knows no others, and raises.
_IN_SECONDS = {SECONDS: 1.0, 16: 1e-3, 24: 1e-6}
_TIME_BITS = 0b111000


class Maps(MapSource, Protocol):
    """Maps of one space that can be extracted from."""

    @property
    def space(self) -> Space:
        """Where their samples are."""

    @property
    def axis(self) -> MapAxis:
        """What is known of the maps."""

    @property
    def is_complex(self) -> bool:
        """Whether some map holds complex numbers."""

    @property
    def runs(self) -> Sequence[int]:
        """Numbers of maps of the series that they are; maps of one image each are one series."""


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

    @property
    def runs(self) -> Sequence[int]:
        """Number of maps of the one series that they are."""
        return (self.n_maps,)

    def portions(
        self,
        grouping: Grouping,
        progress: Progress | None,  # noqa: ARG002  nothing takes long
    ) -> AbstractContextManager[Sequence[Portion]]:
        """Give all regions and maps at once."""
        values = np.ascontiguousarray(self.values, self.values.dtype.newbyteorder("="))
        return all_at_once(grouping, (block for block in [Block.of(values)]))


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
        unit = 1e-3
    elif isinstance(image.header, nib.Nifti1Header):
        unit = _IN_SECONDS.get(int(image.header["xyzt_units"]) & _TIME_BITS, 0.0)
    else:
        return None
    seconds = float(image.header.get_zooms()[3]) * unit
    return seconds if 0 < seconds < math.inf else None
