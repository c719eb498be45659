"""Labels of any format, with the region table that goes with them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.parcellation import Parcellation, encode_integers
from ..atlas.region_table import RegionTable
from ..errors import (
    FileFormatError,
    RegionTableError,
    examples,
    plural,
)
from ..files import existing_file, expanded
from ..tables import regions as region_tables
from .cifti import parcels as cifti_parcellations
from .cifti.matrix import is_cifti
from .surface import surfaces as surface
from .volume import nifti

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .volume.nifti import Niimg


NO_REGIONS = "none"
"""As `regions`: no region table, even if one lies beside the image."""


def read_parcellation(
    source: Any,
    regions: Any,
    background: float | None,
    *,
    label_map: str | int | None,
    strict: bool,
) -> Parcellation:
    """Return the parcellation of a labels image of any kind.

    Parameters
    ----------
    source : path, image, or surfaces of hemispheres
    regions : anything that `region_tables.read_region_table` reads, None or `NO_REGIONS`
        None: the table beside the image or inside it.
    background : number or None
        None: 0 in volumes; on surfaces and in CIFTI files what their names say.
    label_map : str, int or None
        Of a CIFTI file or a surface with several maps of labels.
    strict : bool
        Raise where table and labels do not list the same regions, instead of warning.
    """
    listed = source if isinstance(source, list | tuple) else []
    if surface.is_surface(source) or any(map(surface.is_surface, listed)):
        return _surface_parcellation(
            source, regions, background, strict=strict, label_map=label_map
        )
    if is_cifti(source):
        return _cifti_parcellation(source, regions, background, strict=strict, label_map=label_map)
    return _volume_parcellation(
        source, regions, 0 if background is None else background, strict=strict
    )


def _volume_parcellation(
    labels: Niimg, regions: Any, background: float, *, strict: bool
) -> Parcellation:
    data, grid = nifti.read_volume(labels, "the labels image")
    encoded = encode_integers(data, background)
    table = _region_table(labels, regions, encoded.labels)
    _check_labels_suffice(table)
    return Parcellation.of(encoded, grid, table=table, background=background, strict=strict)


def _surface_parcellation(
    source: Any,
    regions: Any,
    background: float | None,
    *,
    strict: bool,
    label_map: str | int | None,
) -> Parcellation:
    labels = surface.read_labels(source, label_map=label_map)
    if regions is not None:
        table = _given_table(regions, labels.of_regions(background))
    else:
        table = None if labels.are_named else _table_beside_surface(source, labels, background)
    return surface.parcellation_of(labels, regions=table, background=background, strict=strict)


def _table_beside_surface(
    source: Any, labels: surface.SurfaceLabels, background: float | None
) -> RegionTable | None:
    """Return the table that lies beside the file of a surface, one alone, if there is one.

    Only ``.tsv``: text and CSV may as well be labels of vertices.
    """
    if isinstance(source, Mapping):
        (source, *_) = source.values()
    if len(labels.sides) != 1 or not isinstance(source, str | os.PathLike):
        return None
    beside = region_tables.find_region_table(expanded(source), suffixes=(".tsv",))
    return None if beside is None else _table_beside(beside, labels.of_regions(background))


def _cifti_parcellation(
    labels: Any,
    regions: Any,
    background: float | None,
    *,
    strict: bool,
    label_map: str | int | None,
) -> Parcellation:
    found = cifti_parcellations.read_labels(labels, label_map=label_map, background=background)
    table = _given_table(regions, found.of_regions)
    _check_labels_suffice(table)
    return found.parcellation(table, strict=strict)


def _check_labels_suffice(table: RegionTable | None) -> None:
    """Raise where only the hemisphere tells regions of a table apart."""
    if table is None or table.hemispheres is None:
        return
    labels, counts = np.unique(table.labels, return_counts=True)
    raise RegionTableError(
        f"{plural(int((counts > 1).sum()), 'label')} in the region table stand for a region of "
        f"each hemisphere: {examples(labels[counts > 1].tolist())}. That is for the surfaces of "
        "the hemispheres; in this labels image, each region needs a label of its own."
    )


def _given_table(regions: Any, labels: NDArray[np.int64]) -> RegionTable | None:
    """Return the region table that was given, None where none was."""
    if regions is None:
        return None
    if isinstance(regions, str) and regions == NO_REGIONS:
        return RegionTable(labels)
    if isinstance(regions, str | os.PathLike):
        regions = existing_file(regions, "the region table")
    return region_tables.read_region_table(regions, labels=labels)


def _region_table(labels: Niimg, regions: Any, in_image: NDArray[np.int64]) -> RegionTable | None:
    """Return the region table that was given, that lies beside the image, or is inside it."""
    if regions is not None:
        is_none = isinstance(regions, str) and regions == NO_REGIONS
        return None if is_none else _given_table(regions, in_image)
    beside = None
    if isinstance(labels, str | os.PathLike):
        beside = region_tables.find_region_table(expanded(labels))
    if beside is not None:
        return _table_beside(beside, in_image)
    inside = nifti.label_table_extension(labels)
    if inside is None:
        return None
    return region_tables.region_table_from_label_table(
        inside, source="the label table inside the labels image"
    )


def _table_beside(path: Path, in_image: NDArray[np.int64]) -> RegionTable:
    try:
        return region_tables.read_region_table(path, labels=in_image, may_be_list=False)
    except (RegionTableError, FileFormatError) as error:
        raise RegionTableError(
            f"{path.name} lies beside the labels image and is named as its region table, but: "
            f"{error} Name another by load_parcellation(…, regions=…) (--regions), or "
            f"{NO_REGIONS!r} to do without."
        ) from error
