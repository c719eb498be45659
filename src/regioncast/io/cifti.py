"""CIFTI-2: parcellations and values per parcel in, painted images and signals out."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.cifti2.cifti2 import (
    Cifti2Header,
)
from nibabel.cifti2.cifti2_axes import (
    Axis,
    BrainModelAxis,
    LabelAxis,
    ParcelsAxis,
    ScalarAxis,
    SeriesAxis,
)
from nibabel.cifti2.parse_cifti2 import Cifti2Extension

from .._kernels import paint as kernels
from ..errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    LabelsError,
    SignalsError,
    SignalsTypeError,
    SpaceError,
    capitalized,
    examples,
    plural,
)
from ..no_region import no_region_labels
from ..painting import PaintedArray
from ..parcellation import Parcellation, encode_integers, map_number
from ..region_table import RegionTable, hex_color
from ..signals import Series, Signals, map_titles, storable
from ..spaces import CORTEX, Grayordinates, SurfaceVertices, VolumeGrid
from .cifti_matrix import (
    SUFFIXES,
    Image,
    axes_of,
    cifti_suffix,
    described,
    is_single,
    names_of,
    open_matrix,
    series_of,
    t_r_of,
)
from .files import expanded, open_output, readable, replacing
from .painted import PaintedOnDemand, edited

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..encoding import Encoded
    from ..progress import Progress
    from ..spaces import Part

DENSE, PARCELLATED = (".dscalar.nii", ".dtseries.nii"), (".pscalar.nii", ".ptseries.nii")
"""What is written: maps, and time series."""

# Intents of NIfTI headers, by the ending of files.
_INTENTS = {
    ".dscalar.nii": "ConnDenseScalar",
    ".dtseries.nii": "ConnDenseSeries",
    ".pscalar.nii": "ConnParcelScalr",
    ".ptseries.nii": "ConnParcelSries",
}

# Series of unknown repetition time have one time point per second.
_UNKNOWN_STEP = 1.0

# What is painted goes to the file in pieces of this many bytes.
_PIECE_BYTES = 1 << 20

# What Workbench calls the label of no region.
_UNASSIGNED = "???"

# The structure of voxels of which it is not said to which they belong.
_OTHER = "CIFTI_STRUCTURE_OTHER"


# --- parcellations ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class CiftiLabels:
    """Labels of grayordinates, with the names that their file gives them.

    Parameters
    ----------
    encoded : Encoded
    space : Grayordinates
    table : RegionTable
        That of the file.
    background : set of float
        The labels of no region.
    """

    encoded: Encoded
    space: Grayordinates
    table: RegionTable
    background: set[float]

    @property
    def of_regions(self) -> NDArray[np.int64]:
        """The labels of the table and of the grayordinates, ascending, without the background."""
        labels = np.union1d(self.table.labels, self.encoded.labels)
        return labels[~np.isin(labels, list(self.background))]

    def parcellation(self, regions: RegionTable | None, *, strict: bool) -> Parcellation:
        """Return the parcellation of the labels.

        Parameters
        ----------
        regions : RegionTable or None
            In place of that of the file.
        strict : bool
            Raise where table and labels do not list the same regions, instead of warning.
        """
        table = self.table if regions is None else regions
        for label in self.background:
            table = table.without(label)
        one = min(self.background, default=math.nan)
        return Parcellation.of(self.encoded, self.space, table=table, background=one, strict=strict)


def read_labels(
    source: Image, *, label_map: str | int | None, background: float | None
) -> CiftiLabels:
    """Return the labels of a ``.dlabel.nii`` file, or the parcels of a ``.p*.nii``.

    Parameters
    ----------
    source : path or nibabel.Cifti2Image
    label_map : str or int, optional
        Which map of labels, by its name or its number, counted from 0; needed where there are
        several.
    background : number, optional
        The label of no region.  By default, as in Connectome Workbench, labels named ``"???"``,
        and 0 unless it has the name of a region; parcels are all regions.

    Returns
    -------
    CiftiLabels
        Parcels have the labels 1, 2, … in the order of the file.

    Raises
    ------
    LabelsError
        When the file holds no labels and no parcels, or parcels share a sample.
    ArgumentError
        When the map is not said or does not exist, or a file of parcels is asked for one.
    InputMissingError, FileFormatError, ImageTypeError, RegionTableError
    """
    data, axes = open_matrix(source, "the labels image")
    parcels = next((axis for axis in axes if isinstance(axis, ParcelsAxis)), None)
    none = set() if background is None else {background}
    if parcels is not None:
        if label_map is not None:
            raise ArgumentError(
                f"label_map={label_map!r} chooses a map of a .dlabel.nii file; this labels image "
                f"has {described([parcels])}. Leave it out."
            )
        keys, space = _samples_of_parcels(parcels)
        table = RegionTable(range(1, len(parcels) + 1), parcels.name.tolist())
    elif [type(axis) for axis in axes] == [LabelAxis, BrainModelAxis]:
        number = map_number(axes[0].name.tolist(), label_map)
        with readable(f"the labels image {getattr(data, 'file_like', 'in memory')}"):
            keys = np.array(data[number])
        table, space = _label_table(axes[0].label[number]), Grayordinates(axes[1])
        none = none or _background_labels(table)
    else:
        raise LabelsError(
            f"The labels image holds neither labels nor parcels, but {described(axes)}. Give a "
            ".dlabel.nii file (wb_command -cifti-label-import makes one of maps of numbers), or "
            "a file of parcels, .p*.nii."
        )
    return CiftiLabels(_encoded(keys, none), space, table, none)


def _encoded(keys: NDArray[Any], none: set[float]) -> Encoded:
    """Return the codes of labels, some of which are no region."""
    one = min(none, default=math.nan)
    if len(none) > 1:
        keys[np.isin(keys, list(none))] = one
    return encode_integers(keys, one, Grayordinates.noun)


def _background_labels(table: RegionTable) -> set[float]:
    """Return the labels of a ``.dlabel.nii`` of which Workbench, too, makes no parcel."""
    names = {0: ""} | dict(zip(table.labels.tolist(), table.names, strict=True))
    return {label for label in no_region_labels(names) if label == 0 or names[label] == _UNASSIGNED}


def _label_table(labels: Mapping[int, tuple[str, Sequence[float]]]) -> RegionTable:
    return RegionTable(
        list(labels),
        [name for name, _ in labels.values()],
        {"color": [hex_color(color) for _, color in labels.values()]},
    )


def _samples_of_parcels(axis: ParcelsAxis) -> tuple[NDArray[np.int64], Grayordinates]:
    """Return the samples of all parcels as grayordinates, with the number of their parcel."""
    keys, names, vertices, voxels = [], [], [], []
    for structure, n_vertices in axis.nvertices.items():
        owned = [parcel.get(structure, _NO_PLACES) for parcel in axis.vertices]
        places, owners = _owners(owned, n_vertices, axis.name.tolist(), SurfaceVertices)
        keys.append(owners)
        names.append(np.full(len(places), structure))
        vertices.append(places)
        voxels.append(np.full((len(places), 3), -1))
    if axis.volume_shape is not None:
        shape = tuple(axis.volume_shape)
        owned = [_flat_voxels(parcel, shape) for parcel in axis.voxels]
        places, owners = _owners(owned, math.prod(shape), axis.name.tolist(), VolumeGrid)
        keys.append(owners)
        names.append(np.full(len(places), _OTHER))
        vertices.append(np.full(len(places), -1))
        voxels.append(np.column_stack(np.unravel_index(places, shape, order="F")))
    if not sum(map(len, keys)):
        raise LabelsError("The labels image has no parcel with a vertex or a voxel.")
    brain = BrainModelAxis(
        np.concatenate(names),
        np.concatenate(voxels),
        np.concatenate(vertices),
        axis.affine,
        axis.volume_shape,
        axis.nvertices,
    )
    return np.concatenate(keys), Grayordinates(brain)


_NO_PLACES = np.empty(0, np.int64)


def _flat_voxels(voxels: Any, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return voxels as numbers, the first index varying fastest; -1 for those outside."""
    indices = np.asarray(voxels, np.int64).reshape(-1, 3)
    inside = ((indices >= 0) & (indices < shape)).all(axis=1)
    flat = np.full(len(indices), -1)
    flat[inside] = np.ravel_multi_index(tuple(indices[inside].T), shape, order="F")
    return flat


def _owners(
    owned: Sequence[NDArray[np.int64]],
    n_places: int,
    names: Sequence[str],
    frame: type[SurfaceVertices | VolumeGrid],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places that parcels own, ascending, and the number of the owner of each."""
    owner = np.zeros(n_places, np.int64)
    for number, places in enumerate(owned, 1):
        name = names[number - 1]
        if len(places) and (places.min() < 0 or places.max() >= n_places):
            raise LabelsError(
                f"The parcel {name!r} of the labels image has a {frame.noun} that does not exist: "
                f"there are {n_places:,}. Get the file again."
            )
        shared = np.unique(places[owner[places] > 0])
        if len(shared):
            raise LabelsError(
                f"The parcels {names[owner[shared[0]] - 1]!r} and {name!r} of the labels image "
                f"share {plural(len(shared), frame.noun, frame.nouns)}: "
                f"{examples(shared.tolist())}. A parcellation has one region at a place."
            )
        owner[places] = number
    found = np.flatnonzero(owner)
    return found, owner[found]


def space_of(source: Image, what: str) -> Grayordinates:
    """Return the grayordinates of a dense CIFTI file.

    Raises
    ------
    SpaceError
        When it has none.
    """
    axes = open_matrix(source, what).axes
    models = [axis for axis in axes if isinstance(axis, BrainModelAxis)]
    if not models:
        raise SpaceError(
            f"{capitalized(what)} has no grayordinates, but {described(axes)}. Give a dense "
            "file, such as .dscalar.nii, .dtseries.nii or .dlabel.nii."
        )
    return Grayordinates(models[-1])


# --- parcellated files in --------------------------------------------------------------------


def read_parcel_signals(source: Image) -> Signals:
    """Return the values of a ``.pscalar.nii`` or ``.ptseries.nii`` file.

    They are keyed by the names of the parcels.

    Raises
    ------
    SignalsError
        When the file holds something else.
    InputMissingError, FileFormatError, ImageTypeError
    """
    data, axes = open_matrix(source, "the table of values")
    if not (
        len(axes) == 2
        and isinstance(axes[0], ScalarAxis | SeriesAxis)
        and isinstance(axes[1], ParcelsAxis)
    ):
        raise SignalsError(
            f"The table of values must have maps or time points × parcels, and has "
            f"{described(axes)}. Give a .pscalar.nii or .ptseries.nii file."
        )
    maps = axes[0]
    return Signals(
        _array(data, "the table of values"),
        axes[1].name.tolist(),
        map_names=names_of(maps),
        t_r=t_r_of(maps),
        series=series_of(maps),
        single=is_single(maps),
    )


# --- painted images --------------------------------------------------------------------------


class PaintedCifti(PaintedOnDemand, nib.Cifti2Image):
    """A dense CIFTI image whose data are made from codes and values when they are asked for.

    Made by `regioncast.paint`; used as any `nibabel.Cifti2Image`.  ``img.dataobj[3]`` paints
    that map only; ``np.asarray(img.dataobj)`` and ``img.get_fdata()`` paint all.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (_data_to_write(self), self.header, self.nifti_header)

    def to_filename(self, filename: str | os.PathLike[str], **kwargs: Any) -> None:
        """Write the image, streaming it; the old file stays until the new one is whole.

        As with every nibabel image, an existing file is replaced; `regioncast.save` asks first.
        """
        path = expanded(filename)
        if kwargs or cifti_suffix(path) not in SUFFIXES:
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


def painted_cifti(
    array: PaintedArray,
    space: Grayordinates,
    *,
    map_names: Sequence[str] | None,
    t_r: float | None,
    series: Series | None = None,
    parcellation: Parcellation | None,
) -> PaintedCifti:
    """Return the lazy image of a painted array on grayordinates.

    Parameters
    ----------
    array : PaintedArray, shape (n_maps, n_grayordinates)
    space : Grayordinates
    map_names : sequence of str, optional
        ``"value"`` for one map, else ``"map_0"``, … when not given.
    t_r : float, optional
        Repetition time in seconds, of time series.
    series : Series, optional
        Start, step and unit, where they are not seconds from 0.
    parcellation : Parcellation, optional
        What the array was painted from.
    """
    maps = _map_axis(len(array.table), map_names, _series(t_r, series))
    header = Cifti2Header.from_axes((maps, space.axis))
    suffix = DENSE[isinstance(maps, SeriesAxis)]
    image = PaintedCifti(array, header, _nifti_header(array, suffix))
    image.parcellation = parcellation
    return image


def _series(t_r: float | None, series: Series | None) -> Series | None:
    return series if series is not None or t_r is None else Series(0.0, t_r, "SECOND")


def _map_axis(
    n_maps: int, map_names: Sequence[str] | None, series: Series | None
) -> ScalarAxis | SeriesAxis:
    if series is not None:
        return SeriesAxis(series.start, series.step, n_maps, series.unit)
    unnamed = ["value"] if n_maps == 1 else map_titles(n_maps)
    return ScalarAxis(list(map_names or unnamed))


def _nifti_header(data: Any, suffix: str) -> nib.Nifti2Header:
    """Return the NIfTI header of a file of this ending.

    Raises
    ------
    SignalsTypeError
        For complex numbers.
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

    Parameters
    ----------
    image : nibabel.Cifti2Image
        Of shape (n_maps, n_grayordinates).
    path : Path
        The ending says what the maps are: ``.dscalar.nii`` with a name for each, or
        ``.dtseries.nii`` at regular times, one second apart where that is not known.
    overwrite : bool
        Whether an existing file may be replaced.
    progress : callable, optional
        Called with the number of grayordinates written and the number of all.

    Raises
    ------
    FileFormatError
        When the ending is another.
    DimensionError, SignalsTypeError, OutputExistsError, OutputError
    """
    suffix = _writable(
        path, DENSE, "a dense CIFTI image", f", and a painting as {' or '.join(PARCELLATED)} too"
    )
    axes = axes_of(image.header, image.ndim)
    if len(axes) != 2 or not isinstance(axes[1], BrainModelAxis):
        raise DimensionError(
            f"A file {suffix} holds maps × grayordinates; this image has {described(axes)}."
        )
    data = _data_to_write(image)
    wanted = SeriesAxis if suffix == DENSE[1] else ScalarAxis
    header = image.header
    if not isinstance(axes[0], wanted):
        header = Cifti2Header.from_axes((_axis_of(wanted, axes[0]), axes[1]))
        header.matrix.metadata = image.header.matrix.metadata
    _write(data, header, path, suffix, overwrite=overwrite, progress=progress)


def _data_to_write(image: nib.Cifti2Image) -> NDArray[Any] | PaintedArray:
    """Return what is painted as such, and everything else as an array."""
    data: Any = image.dataobj
    if not isinstance(data, PaintedArray):
        return _array(data, "the CIFTI image")
    now = edited(image)
    return data if now is None else now


def _writable(path: Path, allowed: tuple[str, ...], what: str, also: str = "") -> str:
    suffix = cifti_suffix(path)
    if suffix not in allowed:
        raise FileFormatError(
            f"Cannot write {path.name!r}: {what} is written as {' (maps) or '.join(allowed)} "
            f"(time series){also}."
        )
    return suffix


def _axis_of(kind: type[Axis], maps: Axis) -> ScalarAxis | SeriesAxis:
    """Return an axis of time points or of named maps for maps of the other kind."""
    if kind is SeriesAxis:
        return SeriesAxis(0.0, _UNKNOWN_STEP, len(maps))
    names = maps.name.tolist() if isinstance(maps, LabelAxis) else None
    return _map_axis(len(maps), names, None)


def _array(data: Any, what: str) -> NDArray[Any]:
    with readable(f"{what} {getattr(data, 'file_like', 'in memory')}"):
        return storable(np.asanyarray(data))


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
    nifti_header.extensions.append(Cifti2Extension.from_bytes(header.to_xml()))
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
    make = _painter(data, step) if isinstance(data, PaintedArray) else _transposer(data)
    for start in range(0, n_samples, step):
        yield make(slice(start, min(start + step, n_samples)))


def _transposer(data: NDArray[Any]) -> Callable[[slice], NDArray[Any]]:
    return lambda samples: np.ascontiguousarray(data[:, samples].T)


def _painter(data: PaintedArray, step: int) -> Callable[[slice], NDArray[Any]]:
    """Return what paints samples into one buffer."""
    n_maps = len(data.table)
    dtype = data.dtype.newbyteorder("=")
    rows = np.ascontiguousarray(data.table.T, dtype).view(np.uint8)
    codes = np.ascontiguousarray(data.codes)
    buffer = np.empty((min(step, len(codes)), n_maps), dtype)

    def paint(samples: slice) -> NDArray[Any]:
        out = buffer[: samples.stop - samples.start]
        kernels.paint_series(codes[samples], rows, out.view(np.uint8), skip_zero=False)
        return out

    return paint


def save_parcels(
    signals: Signals, parcellation: Parcellation, path: Path, *, overwrite: bool
) -> None:
    """Write signals with the vertices and voxels of their regions.

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

    Raises
    ------
    FileFormatError
        When the ending is another.
    SpaceError
        When it is not known of which hemisphere the vertices are.
    SignalsError
        When there is not one column per region.
    OutputExistsError, OutputError
    """
    suffix = _writable(path, PARCELLATED, "a parcellated CIFTI file")
    if signals.n_regions != len(parcellation):
        raise SignalsError(
            f"There are signals of {plural(signals.n_regions, 'region')}, the parcellation has "
            f"{len(parcellation):,}. Give one column per region."
        )
    if suffix == PARCELLATED[1]:
        known = _series(signals.t_r, signals.series)
        maps = _map_axis(signals.n_maps, None, known or _series(_UNKNOWN_STEP, None))
    else:
        maps = _map_axis(signals.n_maps, signals.map_names, None)
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
            grid = part.frame
            voxels = [_voxels(places, grid.shape) for places in by_region]
            continue
        _check_structure(structure)
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
    """Return the places in the frame of a part that each region has, in the order of Workbench.

    Those of voxels ascend with the first index varying fastest.
    """
    places = np.arange(len(codes)) if isinstance(part.places, slice) else part.places
    if isinstance(part.frame, VolumeGrid):
        places = np.ravel_multi_index(
            np.unravel_index(places, part.frame.shape), part.frame.shape, order="F"
        )
    order = np.lexsort((places, codes))
    ends = np.searchsorted(codes[order], np.arange(1, n_regions + 1))
    return np.split(places[order], ends)[1:]


def _voxels(places: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    return np.column_stack(np.unravel_index(places, shape, order="F"))


def _check_structure(structure: str) -> None:
    if not structure.startswith("CIFTI_STRUCTURE_"):
        raise SpaceError(
            "CIFTI files name the hemisphere of their vertices; that of these labels is unknown. "
            f"Say it: left=… or right=… ({', '.join(CORTEX.values())})."
        )
