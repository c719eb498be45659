"""Maps of a space: what is known of those that can be extracted from, and those in memory."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..engine.extraction import Block, Grouping
from ..engine.maps import MapSource, Portion, all_at_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..atlas.spaces import Space
    from ..progress import Progress
    from ..signals import Series


class Maps(MapSource, Protocol):
    """Maps of one space that can be extracted from."""

    @property
    def space(self) -> Space:
        """Where their samples are."""

    @property
    def single(self) -> bool:
        """Whether this is one map rather than a series."""

    @property
    def is_complex(self) -> bool:
        """Whether some map holds complex numbers."""

    @property
    def map_names(self) -> tuple[str, ...] | None:
        """Names of the maps, where they have some."""

    @property
    def t_r(self) -> float | None:
        """Repetition time in seconds, where it is known."""

    @property
    def series(self) -> Series | None:
        """Start, step and unit, where a file says them."""


@dataclass(frozen=True, eq=False)
class MapsInMemory:
    """Maps of surfaces or grayordinates as an array.

    Parameters
    ----------
    values : array, shape (n_maps, n_samples)
    space : SurfaceVertices or Grayordinates
    single : bool
        Whether this is one map rather than a series.
    map_names : tuple of str, default=None
    t_r : float, default=None
        Repetition time in seconds.
    series : Series, default=None
        Start, step and unit, where a file says them.
    """

    values: NDArray[Any]
    space: Space
    single: bool
    map_names: tuple[str, ...] | None = None
    t_r: float | None = None
    series: Series | None = None
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
