"""CIFTI as a kind of images: one sample per grayordinate; and its files of parcels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib

from ...atlas.spaces import Grayordinates
from ...engine.painting import PaintedArray
from ...errors import SignalsError, examples, plural
from ...files import check_output
from ..maps import SeveralMaps, Source, each_source, is_list, the_one_map
from .labels import CiftiLabels, read_labels, read_parcel_signals, space_of
from .maps import CiftiMaps, open_cifti_maps
from .matrix import is_cifti
from .painted import PaintedCifti, painted_cifti, save_cifti, save_labels, save_parcels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...atlas.parcellation import Parcellation
    from ...atlas.spaces import Space
    from ...formats import KindName
    from ...progress import Progress
    from ...signals import Key, MapAxis, Signals


class CiftiParcels:
    """``.pscalar.nii`` and ``.ptseries.nii``; see `regioncast.io.kinds.ParcelFiles`."""

    def read_signals(
        self, source: Any, key: Key | None, columns: Key | Sequence[Key] | None
    ) -> tuple[Signals, list[str | None]]:
        """Return the values of parcels, or of them the maps of these names, and hemispheres."""
        if key is not None:
            raise SignalsError(
                "key= is for tables; the names of parcels are the keys of this file."
            )
        signals, sides = read_parcel_signals(source)
        return signals if columns is None else _chosen(signals, columns), sides

    def save_signals(
        self, signals: Signals, atlas: Parcellation, output: Path, *, overwrite: bool
    ) -> None:
        """Write signals with the vertices and voxels of their regions."""
        save_parcels(signals, atlas, output, overwrite=overwrite)


def _chosen(signals: Signals, columns: Key | Sequence[Key]) -> Signals:
    """Return the maps of these names, in the order of the names, as of columns of tables."""
    wanted = [columns] if isinstance(columns, str | int) else list(columns)
    names = signals.map_names or ()
    unknown = [name for name in wanted if name not in names]
    if unknown or not wanted:
        there_are = examples(names) if names else "they have no names"
        raise SignalsError(
            f"There is no map {examples(unknown)} among the {plural(signals.n_maps, 'map')} of "
            f"the file: {there_are}."
        )
    rows = [names.index(str(name)) for name in wanted]
    return signals.take(rows)


class Cifti:
    """Images of grayordinates; see `regioncast.io.kinds.Kind`."""

    name: KindName = "cifti"
    space = Grayordinates
    parcels = CiftiParcels()

    def holds(self, source: object) -> bool:
        """Return whether this is a CIFTI image or its path, or a list with one."""
        listed = source if isinstance(source, list | tuple) else []
        return is_cifti(source) or any(map(is_cifti, listed))

    def read_labels(
        self, source: Any, *, label_map: str | int | None, background: float | None
    ) -> CiftiLabels:
        """Return the labels of the grayordinates, or their parcels."""
        return read_labels(source, label_map=label_map, background=background)

    def each(self, source: Any, what: str) -> list[Source]:
        """Return the images of a list or a pattern."""
        return each_source(source, what)

    def open_maps(self, source: Any, what: str) -> CiftiMaps | SeveralMaps:
        """Return the maps of a dense file, or of several."""
        images, files = zip(*self.each(source, what), strict=True)
        maps = [open_cifti_maps(image, what) for image in images]
        return SeveralMaps.of(maps, files, what) if is_list(source) or maps[1:] else maps[0]

    def read_map(self, source: Any, what: str) -> tuple[NDArray[Any], Space]:
        """Return the only map, and the grayordinates."""
        return the_one_map(self.open_maps(source, what), what)

    def space_of(self, source: Any, what: str) -> Grayordinates:
        """Return the grayordinates, of files of labels too."""
        return space_of(source, what)

    def painted(self, atlas: Parcellation, table: NDArray[Any], axis: MapAxis) -> PaintedCifti:
        """Return the lazy image of values."""
        assert isinstance(atlas.space, Grayordinates), "a kind paints on its own space"
        array = PaintedArray(atlas.codes, table, single=axis.single, maps_first=True)
        return painted_cifti(array, atlas.space, axis)

    def saves(self, image: object) -> bool:
        """Return whether this is a CIFTI image."""
        return isinstance(image, nib.Cifti2Image)

    def check_output(self, output: Path, *, overwrite: bool) -> None:
        """Raise where a file cannot be written under this name."""
        check_output(output, overwrite=overwrite)

    def outputs(self, image: object, output: Path) -> list[Path]:  # noqa: ARG002  Kind
        """Return the one file."""
        return [output]

    def save(
        self, image: nib.Cifti2Image, output: Path, *, overwrite: bool, progress: Progress | None
    ) -> list[Path]:
        """Write a dense image."""
        save_cifti(image, output, overwrite=overwrite, progress=progress)
        return [output]

    def save_labels(self, atlas: Parcellation, output: Path, *, overwrite: bool) -> list[Path]:
        """Write the labels of the grayordinates."""
        save_labels(atlas, output, overwrite=overwrite)
        return [output]
