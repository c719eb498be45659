"""Images of any format, in and out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from ..atlas.parcellation import Parcellation
from ..atlas.spaces import Grayordinates, SurfaceVertices, VolumeGrid, check_same
from ..atlas.transfer import moved
from ..engine.extraction import Grouping
from ..engine.painting import PaintedArray
from ..errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    ImageTypeError,
    OutputError,
    capitalized,
)
from ..files import check_output, expanded
from ..formats import suffix_of, suffixes
from ..signals import Signals
from .cifti import painted as cifti
from .cifti import parcels as cifti_parcellations
from .cifti.maps import open_cifti_maps
from .cifti.matrix import is_cifti
from .painted import edited
from .surface import surfaces as surface
from .values import save_signals
from .volume import nifti
from .volume.map_streams import is_pattern, open_maps

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

    from ..atlas.spaces import Space
    from ..progress import Progress
    from .maps import Maps


Painted = nifti.PaintedImage | surface.PaintedSurface | cifti.PaintedCifti


def open_any_maps(source: Any, what: str) -> Maps:
    """Return the maps of whatever can be extracted from."""
    if surface.is_surface(source):
        return surface.open_surface_maps(source, what)
    if is_cifti(source):
        if is_pattern(source):
            raise _one_at_a_time(f"{capitalized(what)} is a pattern, {os.fspath(source)}")
        return open_cifti_maps(source, what)
    listed = source if isinstance(source, list | tuple) else []
    if any(surface.is_surface(one) or is_cifti(one) for one in listed):
        raise _one_at_a_time(f"{capitalized(what)} is a list of {len(listed):,}")
    return open_maps(source, what)


def _one_at_a_time(problem: str) -> ArgumentError:
    return ArgumentError(
        f"{problem}; of surfaces and CIFTI files, one at a time can be extracted from. Extract "
        "from each by itself."
    )


def one_map(source: Any, what: str, space: Space, name: str, missing: float = 0) -> NDArray[Any]:
    """Return the one map of an image of any kind on a space, which is that of `name`."""
    data, own = _read_map(source, what)
    is_other = type(own) is not type(space) or isinstance(space, Grayordinates)
    if is_other and space.difference(own) is not None:
        if not isinstance(missing, int) and data.dtype.kind != "f":
            data = data.astype(np.float64)
        return moved(data, own, space, what=what, name=name, missing=missing)
    check_same(space, own, this_name=name, other_name=what)
    return data


def _read_map(source: Any, what: str) -> tuple[NDArray[Any], Space]:
    if not surface.is_surface(source) and not is_cifti(source):
        return nifti.read_volume(source, what)
    maps = open_any_maps(source, what)
    if maps.n_maps != 1:
        raise DimensionError(f"{capitalized(what)} has {maps.n_maps:,} maps; give one.")
    everything = Grouping(
        np.arange(maps.space.shape[0], dtype=np.uint32),
        np.array([0, maps.space.shape[0]]),
        maps.space.shape,
    )
    with maps.portions(everything, None) as (portion,):
        part, (block,) = portion.open()
        return block.take(part.samples)[0], maps.space


def space_of(source: Any, what: str) -> Space:
    """Return where the samples of an image are."""
    if isinstance(source, Parcellation):
        return source.space
    if is_cifti(source):
        return cifti_parcellations.space_of(source, what)
    if surface.is_surface(source):
        return surface.open_surface_maps(source, what).space
    return VolumeGrid.of(nifti.open_image(source, what, whole=False), what)


def painted(atlas: Parcellation, table: NDArray[Any], signals: Signals) -> Painted:
    """Return the lazy image of values on whatever the parcellation is of."""
    space, t_r, names = atlas.space, signals.t_r, signals.map_names
    if isinstance(space, VolumeGrid):
        array = PaintedArray(atlas.codes, table, single=signals.single)
        return nifti.painted_image(array, space, t_r=t_r)
    if isinstance(space, SurfaceVertices):
        array = PaintedArray(atlas.codes, table, single=signals.single)
        return surface.painted_surface(array, space, map_names=names, t_r=t_r, parcellation=atlas)
    array = PaintedArray(atlas.codes, table, single=signals.single, maps_first=True)
    return cifti.painted_cifti(
        array, space, map_names=names, t_r=t_r, series=signals.series, parcellation=atlas
    )


def save_image(
    image: SpatialImage | nib.Cifti2Image | Painted,
    output: Path,
    *,
    overwrite: bool,
    progress: Progress | None,
) -> Path | tuple[Path, ...]:
    """Write an image in the format that the name says; return the path or paths."""
    if not hasattr(image, "dataobj"):
        raise ImageTypeError(
            f"An image, Signals or a RegionTable can be saved; this is {type(image).__name__}. "
            "Paint it first, or make a nibabel image of it."
        )
    _check_image_suffix(output)
    if isinstance(image, Painted) and suffix_of(output) in suffixes("signals", "cifti"):
        save_signals(_signals_of_painting(image), output, long=False, overwrite=overwrite)
        return output
    if isinstance(image, surface.PaintedSurface):
        written = surface.save_surface(image, output, overwrite=overwrite)
        return written[0] if len(written) == 1 else tuple(written)
    if isinstance(image, nib.Cifti2Image):
        cifti.save_cifti(image, output, overwrite=overwrite, progress=progress)
    else:
        nifti.save_volume(image, output, overwrite=overwrite, progress=progress)
    return output


def check_image_output(path: Path, *, overwrite: bool) -> None:
    """Raise where an image cannot be written under this name, before it is made.

    That of a surface may be for two files, which are looked at when the hemispheres are known.
    """
    output = expanded(path)
    _check_image_suffix(output)
    if suffix_of(output) not in suffixes("image", "surface"):
        check_output(output, overwrite=overwrite)


def _check_image_suffix(output: Path) -> None:
    if os.path.isdir(output):  # noqa: PTH112  False for names that no file can have
        raise OutputError(f"The output is a folder: {output}. Name a file in it.")
    if suffix_of(output) not in suffixes("image"):
        raise FileFormatError(
            f"An image cannot be written as {output.name!r}. Volumes are written as "
            f"{', '.join(suffixes('image', 'volume'))}; surfaces as "
            f"{', '.join(suffixes('image', 'surface'))}; CIFTI as "
            f"{', '.join(suffixes('image', 'cifti'))}."
        )


def _signals_of_painting(image: Painted) -> Signals:
    """Return what was painted, one column per region."""
    atlas, found, data = image.parcellation, image.match, image.dataobj
    if atlas is None or found is None or not isinstance(data, PaintedArray):
        raise FileFormatError(
            f"Files of parcels ({', '.join(suffixes('signals', 'cifti'))}) are written from what "
            "paint or extract returns; this image no longer knows its regions."
        )
    if edited(image) is not None:
        raise FileFormatError(
            f"Files of parcels ({', '.join(suffixes('signals', 'cifti'))}) hold one value per "
            "region, and the array of this image was edited since it was painted. Save it as "
            "what it is painted on, or extract from it first."
        )
    return Signals(
        data.table[:, 1:],
        atlas.table.unique_keys,
        labels=atlas.table.labels.tolist(),
        map_names=found.signals.map_names,
        t_r=found.signals.t_r,
        series=found.signals.series,
        single=found.signals.single,
        parcellation=atlas,
    )
