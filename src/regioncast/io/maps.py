"""Maps of a space: what is known of those that can be extracted from, and those in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import nibabel as nib
import numpy as np

from ..atlas.spaces import check_same
from ..engine.extraction import Block, Grouping
from ..engine.maps import Blocks, MapSource, Portion, all_at_once
from ..errors import (
    DimensionError,
    ImageTypeError,
    SidecarWarning,
    SignalsError,
    capitalized,
    examples,
    warn,
)
from ..files import files_matching, is_pattern, name_of_file
from ..signals import MapAxis
from .filenames import names_of_maps

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from ..atlas.spaces import Space
    from ..progress import Progress


# The bits and codes of NIfTI's units; nibabel raises where nobody has defined them.
_TIME_BITS = 0b111000
SECONDS = 8
_IN_SECONDS = {SECONDS: 1.0, 16: 1e-3, 24: 1e-6}


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


@dataclass(frozen=True, eq=False)
class SeveralMaps:
    """The maps of several surfaces or CIFTI files, one after the other, on one space.

    Parameters
    ----------
    sources : tuple of Maps
        Of a file some maps are in memory at a time.
    axis : MapAxis
    """

    sources: tuple[Maps, ...]
    axis: MapAxis
    is_read_ahead: bool = False

    @classmethod
    def of(cls, maps: Sequence[Maps], files: Sequence[str | None], what: str) -> Self:
        """Return the maps of all, whose names begin with those of their files.

        Raises `SpaceError` when they are not on one space.
        """
        called = [f"{what} {file or number}" for number, file in enumerate(files, start=1)]
        for each, name in zip(maps[1:], called[1:], strict=True):
            check_same(maps[0].space, each.space, this_name=called[0], other_name=name)
        axes = [each.axis for each in maps]
        return cls(tuple(maps), axis_of_files(files, axes, [each.n_maps for each in maps]))

    @property
    def space(self) -> Space:
        """Where the samples of all are."""
        return self.sources[0].space

    @property
    def n_maps(self) -> int:
        """Number of maps of all."""
        return sum(maps.n_maps for maps in self.sources)

    @property
    def runs(self) -> Sequence[int]:
        """Numbers of maps of each image; images of one map each are one series."""
        return runs_of([maps.n_maps for maps in self.sources])

    @property
    def is_complex(self) -> bool:
        """Whether some map holds complex numbers."""
        return any(maps.is_complex for maps in self.sources)

    def portions(
        self,
        grouping: Grouping,
        progress: Progress | None,  # noqa: ARG002  maps are told when they are reduced
    ) -> AbstractContextManager[Sequence[Portion]]:
        """Give all regions at once: only so can maps of several files follow one another."""
        return all_at_once(grouping, self._blocks())

    def _blocks(self) -> Blocks:
        for maps in self.sources:
            with maps.portions(_everything(maps.space), None) as (portion,):
                _, blocks = portion.open()
                with closing(blocks):
                    yield from blocks


def runs_of(counts: Sequence[int]) -> Sequence[int]:
    """Return the numbers of maps of the series that images with so many maps are."""
    return counts if max(counts) > 1 else (len(counts),)


def axis_of_files(
    files: Sequence[str | None], axes: Sequence[MapAxis], counts: Sequence[int]
) -> MapAxis:
    """Return what is known of the maps of several files, of which each has so many."""
    parts = []
    for axis, count in zip(axes, counts, strict=True):
        parts.append(axis.names or [f"volume-{number}" for number in range(count)])
    # A time or a series is known where all say the same.
    shared = MapAxis.shared(axes)
    times = sorted({axis.t_r for axis in axes if axis.t_r is not None})
    if len(times) > 1:
        warn(
            f"The images have different repetition times ({examples(times)} s), so that of their "
            "maps is not known. Extract from each by itself to keep it.",
            SidecarWarning,
        )
    return MapAxis(names_of_maps(files, parts), shared.t_r, shared.series)


def _everything(space: Space) -> Grouping:
    """Return one region of all samples."""
    n_samples = math.prod(space.shape)
    return Grouping(np.arange(n_samples, dtype=np.uint32), np.array([0, n_samples]), space.shape)


class Source(NamedTuple):
    """One image of a list or of a pattern.

    Parameters
    ----------
    image : path or image
    file : str or None
        The file that it is in, whose name says what it is of.
    """

    image: Any
    file: str | None

    @classmethod
    def of(cls, image: Any) -> Self:
        """Return an image or a path with the name of its file."""
        return cls(image, name_of_file(image) or None)


def each_source(source: Any, what: str) -> list[Source]:
    """Return the images of a list, with the files of each pattern in it; or of one by itself.

    Raises `InputMissingError` when a pattern has no file; `SignalsError` when a list is empty.
    """
    sources: list[Any] = []
    for item in source if is_list(source) else [source]:
        sources += files_matching(item, what) if is_pattern(item) else [item]
    if not sources:
        raise SignalsError(f"There is no image to extract from: {source!r} is empty.")
    return list(map(Source.of, sources))


def is_list(source: object) -> bool:
    """Return whether images are listed, and are a series also where there is one."""
    return isinstance(source, Sequence) and not isinstance(source, str)


def the_one_map(maps: Maps, what: str) -> tuple[NDArray[Any], Space]:
    """Return the only map as an array of the samples, and where they are.

    Raises `DimensionError` when there are several.
    """
    if maps.n_maps != 1:
        raise DimensionError(f"{capitalized(what)} has {maps.n_maps:,} maps; give one.")
    with maps.portions(_everything(maps.space), None) as (portion,):
        part, (block,) = portion.open()
        return block.take(part.samples)[0], maps.space


def check_numbers(dtype: np.dtype[Any], what: str, noun: str = "voxel") -> None:
    """Raise `ImageTypeError` where an image holds something else than numbers."""
    if dtype.kind not in "biufc":
        raise ImageTypeError(
            f"{capitalized(what)} holds {dtype} (colours?), and numbers are needed. Give an image "
            f"with one number per {noun}."
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
    # Headers have float32: 0.72 is meant, and not 0.7200000286102295.
    seconds = float(str(image.header.get_zooms()[3])) * unit
    return seconds if 0 < seconds < math.inf else None
