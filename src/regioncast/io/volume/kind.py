"""Volumes as a kind of images: one sample per voxel of a grid."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...atlas.parcellation import Parcellation, encode_integers
from ...atlas.spaces import VolumeGrid
from ...engine.painting import PaintedArray
from ...errors import ArgumentError, LabelsError
from ...files import check_output, expanded
from ...tables import regions as region_tables
from . import nifti
from .map_streams import MapStream, open_maps

if TYPE_CHECKING:
    import numpy as np
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from ...atlas.region_table import RegionTable
    from ...engine.encoding import Encoded
    from ...formats import KindName
    from ...progress import Progress
    from ...signals import MapAxis


@dataclass(frozen=True, eq=False)
class VolumeLabels:
    """Labels of voxels; see `regioncast.io.kinds.Labels`.

    Parameters
    ----------
    encoded : Encoded
    space : VolumeGrid
    background : number
        The label of no region; NaN: there is none.
    file : Path or None
        Where they came from, if that is a file.
    inside : bytes or None
        The label table that the image brings, as Connectome Workbench writes it.
    """

    encoded: Encoded
    space: VolumeGrid
    background: float
    file: Path | None
    inside: bytes | None

    @property
    def of_regions(self) -> NDArray[np.int64]:
        """The labels of regions, ascending."""
        return self.encoded.labels

    def table_beside(self) -> Path | None:
        """Return the region table that lies beside the image, if there is one."""
        return None if self.file is None else region_tables.find_region_table(self.file)

    def parcellation(self, regions: RegionTable | None, *, strict: bool) -> Parcellation:
        """Return the regions, named by the table in the image where no other is given."""
        if regions is None and self.inside is not None:
            regions = region_tables.region_table_from_label_table(
                self.inside, source="the label table inside the labels image"
            )
        return Parcellation.of(
            self.encoded, self.space, table=regions, background=self.background, strict=strict
        )


class Volumes:
    """Images of voxels, and whatever no other kind holds; see `regioncast.io.kinds.Kind`."""

    name: KindName = "volume"
    space = VolumeGrid
    parcels = None

    def holds(self, source: object) -> bool:  # noqa: ARG002  Kind
        """Return True: whoever reads what is no volume says what it is."""
        return True

    def read_labels(
        self, source: Any, *, label_map: str | int | None, background: float | None
    ) -> VolumeLabels:
        """Return the labels of the voxels."""
        if label_map is not None:
            raise ArgumentError(
                f"label_map={label_map!r} chooses a map of a .dlabel.nii or .label.gii file; these "
                "labels are voxels. Leave it out."
            )
        background = 0 if background is None else background
        image = nifti.open_image(source, "the labels image")
        data, grid = nifti.voxels_of(image, "the labels image")
        file = expanded(source) if isinstance(source, str | os.PathLike) else None
        inside = nifti.label_table_extension(image)
        try:
            encoded = encode_integers(data, [background])
        except LabelsError as error:
            raise LabelsError(f"{error}{nifti.scaling_of(image)}") from None
        return VolumeLabels(encoded, grid, background, file, inside)

    def open_maps(self, source: Any, what: str) -> MapStream:
        """Return the maps of one image or several."""
        return open_maps(source, what)

    def read_map(self, source: Any, what: str) -> tuple[NDArray[Any], VolumeGrid]:
        """Return the only map, and the voxels."""
        return nifti.read_volume(source, what)

    def space_of(self, source: Any, what: str) -> VolumeGrid:
        """Return the voxels."""
        return VolumeGrid.of(nifti.open_image(source, what), what)

    def painted(
        self, atlas: Parcellation, table: NDArray[Any], axis: MapAxis
    ) -> nifti.PaintedImage:
        """Return the lazy image of values."""
        assert isinstance(atlas.space, VolumeGrid), "a kind paints on its own space"
        array = PaintedArray(atlas.codes, table, single=axis.single)
        return nifti.painted_image(array, atlas.space, axis)

    def saves(self, image: object) -> bool:
        """Return whether this has voxels, as every image of nibabel that is no other kind."""
        return hasattr(image, "dataobj")

    def check_output(self, output: Path, *, overwrite: bool) -> None:
        """Raise where a file cannot be written under this name."""
        check_output(output, overwrite=overwrite)

    def outputs(self, image: object, output: Path) -> list[Path]:  # noqa: ARG002  Kind
        """Return the one file."""
        return [output]

    def save(
        self, image: SpatialImage, output: Path, *, overwrite: bool, progress: Progress | None
    ) -> list[Path]:
        """Write a volume."""
        nifti.save_volume(image, output, overwrite=overwrite, progress=progress)
        return [output]

    def save_labels(self, atlas: Parcellation, output: Path, *, overwrite: bool) -> list[Path]:
        """Write the labels of the voxels, and their table beside them."""
        table = region_tables.table_path(output)
        nifti.save_labels(atlas, output, table, overwrite=overwrite)
        return [output]
