"""Surfaces as a kind of images: one sample per vertex of one hemisphere, or of both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...atlas.hemispheres import LEFT, RIGHT
from ...atlas.spaces import SurfaceVertices
from ...engine.painting import PaintedArray
from ...errors import DimensionError, capitalized, plural
from ...signals import MapAxis
from ..maps import MapsInMemory, SeveralMaps, Source, is_list, the_one_map
from .files import each_surface, is_surface, read_sides
from .labels import SurfaceLabels, read_labels
from .names import output_paths
from .painted import PaintedSurface, save_labels, save_surface

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...atlas.parcellation import Parcellation
    from ...atlas.spaces import Space
    from ...formats import KindName
    from ...progress import Progress


class Surfaces:
    """Images of vertices; see `regioncast.io.kinds.Kind`."""

    name: KindName = "surface"
    space = SurfaceVertices
    parcels = None

    def holds(self, source: object) -> bool:
        """Return whether this is a surface or a pair, or a list with one."""
        listed = source if isinstance(source, list | tuple) else []
        return is_surface(source) or any(map(is_surface, listed))

    def read_labels(
        self, source: Any, *, label_map: str | int | None, background: float | None
    ) -> SurfaceLabels:
        """Return the labels of the vertices."""
        return read_labels(source, label_map=label_map, background=background)

    def each(self, source: Any, what: str) -> list[Source]:  # noqa: ARG002  Kind
        """Return the surfaces and pairs of a list or a pattern."""
        return each_surface(source)

    def open_maps(self, source: Any, what: str) -> MapsInMemory | SeveralMaps:
        """Return the maps of a surface or a pair, or of several."""
        images, files = zip(*self.each(source, what), strict=True)
        maps = [open_surface_maps(image, what) for image in images]
        if len(maps) == 1 and not (is_list(source) and len(source) == 1):
            return maps[0]
        return SeveralMaps.of(maps, files, what)

    def read_map(self, source: Any, what: str) -> tuple[NDArray[Any], Space]:
        """Return the only map, and the vertices."""
        return the_one_map(self.open_maps(source, what), what)

    def space_of(self, source: Any, what: str) -> Space:
        """Return the vertices."""
        return self.open_maps(source, what).space

    def painted(self, atlas: Parcellation, table: NDArray[Any], axis: MapAxis) -> PaintedSurface:
        """Return the lazy surface of values."""
        assert isinstance(atlas.space, SurfaceVertices), "a kind paints on its own space"
        array = PaintedArray(atlas.codes, table, single=axis.single)
        return PaintedSurface(array, atlas.space, axis)

    def saves(self, image: object) -> bool:
        """Return whether this is what was painted; other images of surfaces save themselves."""
        return isinstance(image, PaintedSurface)

    def check_output(self, output: Path, *, overwrite: bool) -> None:
        """Do nothing: there may be two files, which are known when the hemispheres are."""

    def outputs(self, image: PaintedSurface, output: Path) -> list[Path]:
        """Return the file of each hemisphere."""
        return output_paths(output, image.space.hemispheres)

    def save(
        self,
        image: PaintedSurface,
        output: Path,
        *,
        overwrite: bool,
        progress: Progress | None,  # noqa: ARG002  nothing takes long
    ) -> list[Path]:
        """Write a surface to a file, a pair to two."""
        return save_surface(image, output, overwrite=overwrite)

    def save_labels(self, atlas: Parcellation, output: Path, *, overwrite: bool) -> list[Path]:
        """Write the labels of a surface to a file, of a pair to two."""
        return save_labels(atlas, output, overwrite=overwrite)


def open_surface_maps(source: Any, what: str) -> MapsInMemory:
    """Return the maps of a surface or a pair.

    Raises `DimensionError` when the hemispheres differ in their number of maps; `SpaceError`,
    `FileFormatError`, `ImageTypeError`, `InputMissingError`.

    Parameters
    ----------
    source : path, mapping, pair or image
        See `sides_of`.
    what : str
        What they are, for messages: ``"the image"``.
    """
    if isinstance(source, PaintedSurface):
        values = source.array.__array__().reshape(source.space.shape[0], -1).T
        return MapsInMemory(values, source.space, source.axis)
    sides, space = read_sides(source, what)
    counts = {name: len(side.values) for name, side in sides.items()}
    if len(set(counts.values())) > 1:
        raise DimensionError(
            f"{capitalized(what)} has {plural(counts[LEFT], 'map')} of the left hemisphere and "
            f"{counts[RIGHT]:,} of the right. Give the same maps of both."
        )
    values = np.concatenate([side.values for side in sides.values()], axis=1)
    axis = MapAxis.shared([side.axis for side in sides.values()])
    return MapsInMemory(values, space, axis)
