"""CIFTI-2 out: painted images and signals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.cifti2.cifti2 import Cifti2Header
from nibabel.cifti2.cifti2_axes import (
    Axis,
    BrainModelAxis,
    LabelAxis,
    ParcelsAxis,
    ScalarAxis,
    SeriesAxis,
)
from nibabel.cifti2.parse_cifti2 import Cifti2Extension

from ...atlas.hemispheres import CORTEX
from ...atlas.spaces import Grayordinates, VolumeGrid
from ...engine._kernels import paint as kernels
from ...engine.painting import PaintedArray
from ...errors import (
    DimensionError,
    FileFormatError,
    SignalsError,
    SignalsTypeError,
    SpaceError,
    plural,
)
from ...files import expanded, open_output, replacing
from ...formats import family_of, suffix_of
from ..label_files import NO_REGION_NAME, entries_of, labels_image, unused_label
from ..painted import PaintedOnDemand, as_xml, edited
from .labels import is_background
from .matrix import are_axes, array_of, axes_of, described, map_axis_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...atlas.parcellation import Parcellation
    from ...atlas.spaces import Part
    from ...progress import Progress
    from ...signals import MapAxis, Series, Signals

DENSE, PARCELLATED = (".dscalar.nii", ".dtseries.nii"), (".pscalar.nii", ".ptseries.nii")
"""What is written: maps, and time series."""

# Intents of NIfTI headers, by the ending of files.
_INTENTS = {
    ".dlabel.nii": "ConnDenseLabel",
    ".dscalar.nii": "ConnDenseScalar",
    ".dtseries.nii": "ConnDenseSeries",
    ".pscalar.nii": "ConnParcelScalr",
    ".ptseries.nii": "ConnParcelSries",
}

# What is painted goes to the file in pieces of this many bytes.
_PIECE_BYTES = 1 << 20


# --- painted images --------------------------------------------------------------------------


class PaintedCifti(PaintedOnDemand, nib.Cifti2Image):
    """A dense CIFTI image whose data are made from codes and values when they are asked for.

    Made by `regioncast.paint`; used as any `nibabel.Cifti2Image`.  ``img.dataobj[3]`` paints
    that map only; ``np.asarray(img.dataobj)`` and ``img.get_fdata()`` paint all.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy has the data as they were edited, as a file has.
        return type(self), (_data_to_write(self), self.header, self.nifti_header)

    def to_filename(self, filename: str | os.PathLike[str], **kwargs: Any) -> None:
        """Write the image, streaming it; the old file stays until the new one is whole.

        As with every nibabel image, an existing file is replaced; `regioncast.save` asks first.
        """
        path = expanded(filename)
        # Options and names that are nibabel's own are left to nibabel.
        if kwargs or family_of(path) != "cifti":
            super().to_filename(filename, **kwargs)
        else:
            save_cifti(self, path, overwrite=True)
            self.file_map["image"].filename = os.fspath(filename)

    def to_file_map(self, file_map: Any = None, dtype: Any = None, **kwargs: Any) -> None:
        """Write the image to the file of a map as nibabel does, with the data as they were edited.

        In their own dtype, unless `dtype` says another.
        """
        data = _data_to_write(self)
        plain = nib.Cifti2Image(data, self.header, self.nifti_header)
        plain.set_data_dtype(data.dtype)
        plain.to_file_map(self.file_map if file_map is None else file_map, dtype, **kwargs)


def painted_cifti(array: PaintedArray, space: Grayordinates, axis: MapAxis) -> PaintedCifti:
    """Return the lazy image of a painted array on grayordinates.

    Parameters
    ----------
    array : PaintedArray, shape (n_maps, n_grayordinates)
    space : Grayordinates
    axis : MapAxis
        Maps without names are called ``"value"`` or ``"map_0"``, ….
    """
    series = axis.as_series()
    maps = _axis_of_maps(len(array.table), axis, series)
    header = Cifti2Header.from_axes((maps, space.axis))
    suffix = DENSE[series is not None]
    return PaintedCifti(array, header, _nifti_header(array, suffix))


def _axis_of_maps(n_maps: int, axis: MapAxis, series: Series | None) -> ScalarAxis | SeriesAxis:
    """Return CIFTI's axis of the points of a series, or of named maps where there is none."""
    if series is None:
        return ScalarAxis(axis.titles(n_maps))
    return SeriesAxis(series.start, series.step, n_maps, series.unit)


def _nifti_header(data: Any, suffix: str) -> nib.Nifti2Header:
    """Return the NIfTI header of a file of this ending.

    Raises `SignalsTypeError` for complex numbers.
    """
    if data.dtype.kind == "c":
        raise SignalsTypeError(
            f"CIFTI files hold integers and floats; these values are {data.dtype}. "
            "Give their magnitudes, for example, or use a volume."
        )
    header = nib.Nifti2Header()
    header.set_data_dtype(data.dtype)
    header.set_data_shape((1, 1, 1, 1, *data.shape))
    header.set_intent(_INTENTS[suffix], name=_INTENTS[suffix])
    header.set_slope_inter(1, 0)
    return header


# --- out -------------------------------------------------------------------------------------


def save_cifti(
    image: nib.Cifti2Image, path: Path, *, overwrite: bool, progress: Progress | None = None
) -> None:
    """Write a dense image whole or not at all, in the dtype of its values.

    Raises `FileFormatError` when the ending is another; `SignalsError` when a series is to be
    written, and its repetition time is unknown; `DimensionError`, `SignalsTypeError`,
    `OutputExistsError`, `OutputError`.

    Parameters
    ----------
    image : nibabel.Cifti2Image
        Of shape (n_maps, n_grayordinates).
    path : Path
        The ending says what the maps are: ``.dscalar.nii`` with a name for each, or
        ``.dtseries.nii`` at regular times.
    overwrite : bool
        Whether an existing file may be replaced.
    progress : callable, optional
        Called with the number of grayordinates written and the number of all.
    """
    suffix = _writable(
        path, DENSE, "a dense CIFTI image", f", and a painting as {' or '.join(PARCELLATED)} too"
    )
    axes = axes_of(image.header, image.ndim)
    if not are_axes(axes, Axis, BrainModelAxis):
        raise DimensionError(
            f"A file {suffix} holds maps × grayordinates; this image has {described(axes)}."
        )
    data = _data_to_write(image)
    wanted = SeriesAxis if suffix == DENSE[1] else ScalarAxis
    header = image.header
    # The ending says what the maps are; the image may have been made for the other.
    if not isinstance(axes[0], wanted):
        if wanted is SeriesAxis:
            raise _no_steps(path, DENSE[0])
        # What was painted may have names for the points of a series.
        match = image.match if isinstance(image, PaintedCifti) else None
        points = map_axis_of(axes[0]) if match is None else match.signals.axis
        maps = ScalarAxis(points.titles(len(axes[0])))
        header = Cifti2Header.from_axes((maps, axes[1]))
        header.matrix.metadata = image.header.matrix.metadata
    _write(data, header, path, suffix, overwrite=overwrite, progress=progress)


def _no_steps(path: Path, maps: str) -> SignalsError:
    """Return the error for maps of which nobody said how far they are apart in time."""
    return SignalsError(
        f"{path.name} is a series, and says how far its maps are apart; that of these is unknown. "
        f"Paint them with t_r= (--t-r), in seconds, or write {maps}."
    )


def _data_to_write(image: nib.Cifti2Image) -> NDArray[Any] | PaintedArray:
    """Return what is painted as such, and everything else as an array."""
    data: Any = image.dataobj
    if not isinstance(data, PaintedArray):
        return array_of(data, "the CIFTI image")
    now = edited(image)
    return data if now is None else now


def _writable(path: Path, allowed: tuple[str, ...], what: str, also: str = "") -> str:
    suffix = suffix_of(path)
    if suffix not in allowed:
        raise FileFormatError(
            f"Cannot write {path.name!r}: {what} is written as {' (maps) or '.join(allowed)} "
            f"(time series){also}."
        )
    return suffix


def _write(
    data: NDArray[Any] | PaintedArray,
    header: Cifti2Header,
    path: Path,
    suffix: str,
    *,
    overwrite: bool,
    progress: Progress | None = None,
) -> None:
    """Write a matrix of maps × samples in the order of files: all maps of the first sample."""
    nifti_header = _nifti_header(data, suffix)
    xml = as_xml(header.to_xml().decode()).encode()
    nifti_header.extensions.append(Cifti2Extension.from_bytes(xml))
    n_samples = data.shape[1]
    with replacing(path, overwrite=overwrite) as temporary, open_output(temporary) as file:
        nifti_header.write_to(file)
        done = 0
        for rows in _rows_in_pieces(data):
            file.write(rows.reshape(-1).view(np.uint8).data)
            done += len(rows)
            if progress is not None:
                progress(done, n_samples)


def _rows_in_pieces(data: NDArray[Any] | PaintedArray) -> Iterator[NDArray[Any]]:
    """Yield the samples, each with all its maps; valid until the next are asked for."""
    n_maps, n_samples = data.shape
    step = max(1, _PIECE_BYTES // max(1, n_maps * data.dtype.itemsize))
    if not isinstance(data, PaintedArray):
        for start in range(0, n_samples, step):
            yield np.ascontiguousarray(data[:, start : start + step].T)
        return
    # What is painted never is in memory all at once: samples are painted into one buffer.
    dtype = data.dtype.newbyteorder("=")
    rows = np.ascontiguousarray(data.table.T, dtype).view(np.uint8)
    codes = np.ascontiguousarray(data.codes)
    buffer = np.empty((min(step, n_samples), n_maps), dtype)
    for start in range(0, n_samples, step):
        out = buffer[: min(step, n_samples - start)]
        kernels.paint_series(codes[start : start + step], rows, out.view(np.uint8), skip_zero=False)
        yield out


def save_labels(atlas: Parcellation, path: Path, *, overwrite: bool) -> None:
    """Write a parcellation of grayordinates as ``.dlabel.nii``, with names and colours."""
    space, table = atlas.space, atlas.table
    assert isinstance(space, Grayordinates), "a kind writes its own space"
    none = unused_label(table)
    entries = entries_of(table, path, lambda entry: is_background(entry.label, entry.name))
    labels = labels_image(atlas, "CIFTI files hold", ["int32"], none=none)
    keys = {none: (NO_REGION_NAME, (0.0, 0.0, 0.0, 0.0))}
    keys |= {entry.label: (entry.name, entry.color) for entry in entries}
    header = Cifti2Header.from_axes((LabelAxis(["regions"], [keys]), space.axis))
    _write(labels[np.newaxis], header, path, ".dlabel.nii", overwrite=overwrite)


def save_parcels(
    signals: Signals, parcellation: Parcellation, path: Path, *, overwrite: bool
) -> None:
    """Write signals with the vertices and voxels of their regions.

    Raises `FileFormatError` when the ending is another; `SpaceError` when it is not known of which
    hemisphere the vertices are; `SignalsError` when there is not one column per region, or the
    repetition time of a series is unknown; `OutputExistsError`, `OutputError`.

    Parameters
    ----------
    signals : Signals
        With a column per region, in the order of the parcellation's table.
    parcellation : Parcellation
    path : Path
        ``.pscalar.nii`` for maps, ``.ptseries.nii`` for time series, whose points are one second
        apart where that is not known.
    overwrite : bool
        Whether an existing file may be replaced.
    """
    suffix = _writable(path, PARCELLATED, "a parcellated CIFTI file")
    if signals.n_regions != len(parcellation):
        raise SignalsError(
            f"There are signals of {plural(signals.n_regions, 'region')}, the parcellation has "
            f"{len(parcellation):,}. Give one column per region."
        )
    series = signals.axis.as_series() if suffix == PARCELLATED[1] else None
    if series is None and suffix == PARCELLATED[1]:
        raise _no_steps(path, PARCELLATED[0])
    maps = _axis_of_maps(signals.n_maps, signals.axis, series)
    header = Cifti2Header.from_axes((maps, _parcels(parcellation)))
    _write(signals.values, header, path, suffix, overwrite=overwrite)


def _parcels(parcellation: Parcellation) -> ParcelsAxis:
    """Return the regions with their vertices and voxels; a region without any stays, empty."""
    n_regions = len(parcellation)
    codes = parcellation.codes.reshape(-1)
    vertices: list[dict[str, NDArray[np.int64]]] = [{} for _ in range(n_regions)]
    voxels = [np.empty((0, 3), np.int64)] * n_regions
    counts, grid = {}, None
    for structure, part in parcellation.space.parts.items():
        by_region = _places_by_region(codes[part.samples], part, n_regions)
        if isinstance(part.frame, VolumeGrid):
            grid, voxels = part.frame, by_region
            continue
        # A surface alone of which the hemisphere is unknown is the part "?".
        if not structure.startswith("CIFTI_STRUCTURE_"):
            raise SpaceError(
                "CIFTI files name the hemisphere of their vertices; that of these labels is "
                "unknown. Begin the name of their file with lh. or rh., or say it: left=… or "
                f"right=… ({', '.join(CORTEX.values())})."
            )
        counts[structure] = part.frame
        for region, places in zip(vertices, by_region, strict=True):
            if len(places):
                region[structure] = places
    return ParcelsAxis(
        list(map(str, parcellation.table.unique_keys)),
        voxels,
        vertices,
        None if grid is None else grid.affine,
        None if grid is None else tuple(map(int, grid.shape)),
        counts,
    )


def _places_by_region(codes: NDArray[Any], part: Part, n_regions: int) -> list[NDArray[np.int64]]:
    """Return the vertices or voxels of a part that each region has, in the order of Workbench.

    Voxels ascend with the first index varying fastest.
    """
    places = np.arange(len(codes)) if isinstance(part.places, slice) else part.places
    indices: tuple[NDArray[np.int64], ...] = (places,)
    if isinstance(part.frame, VolumeGrid):
        indices = np.unravel_index(places, part.frame.shape)
        places = np.column_stack(indices)
    # Of the keys the last counts most: first the region, then the last index.
    order = np.lexsort((*indices, codes))
    ends = np.searchsorted(codes[order], np.arange(1, n_regions + 1))
    return np.split(places[order], ends)[1:]
