"""CIFTI-2 files as matrices, with nibabel's axes.

A CIFTI file is a matrix whose *axes* say what its rows and columns are: maps, time points,
*parcels*, or the grayordinates of a *brain model*.  *Dense* files have a value per grayordinate
and map, *parcellated* ones a value per parcel.
"""

from __future__ import annotations

import logging
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import nibabel as nib
import numpy as np
from nibabel.cifti2.cifti2 import (
    Cifti2BrainModel,
    Cifti2Header,
    Cifti2MatrixIndicesMap,
    Cifti2VertexIndices,
    Cifti2VoxelIndicesIJK,
)
from nibabel.cifti2.cifti2_axes import (
    Axis,
    BrainModelAxis,
    LabelAxis,
    ParcelsAxis,
    ScalarAxis,
    SeriesAxis,
    from_index_mapping,
)
from nibabel.cifti2.parse_cifti2 import Cifti2Extension, Cifti2Parser

from ...engine.dtypes import storable
from ...errors import FileFormatError, ImageTypeError, capitalized, plural, times
from ...files import existing_file, readable
from ...formats import family_of
from ...signals import MapAxis, Series
from ..stored import check_stored, read_stored

if TYPE_CHECKING:
    from numpy.typing import NDArray


# CIFTI counts in powers of ten of a metre, nibabel in millimetres.
_MILLIMETRES = -3

_VERSION = re.compile(r"found version (\S+)")

Image = str | os.PathLike[str] | nib.Cifti2Image


def is_cifti(source: object) -> bool:
    """Tell whether a source is a CIFTI image, or a path whose ending says so.

    Examples
    --------
    >>> is_cifti("sub-01_bold.dtseries.nii"), is_cifti("sub-01_bold.nii")
    (True, False)
    """
    if not isinstance(source, str | os.PathLike):
        return isinstance(source, nib.Cifti2Image)
    path = Path(source)
    if path.suffix.lower() == ".gz":
        # Compressed ones cannot be read, but are meant as CIFTI.
        path = path.with_suffix("")
    return family_of(path) == "cifti"


def is_of_parcels(image: nib.Cifti2Image) -> bool:
    """Return whether the columns of a CIFTI image are parcels, each with one number per map."""
    mapping = image.header.matrix.get_index_map(len(image.shape) - 1)
    return bool(mapping.indices_map_to_data_type == "CIFTI_INDEX_TYPE_PARCELS")


class Matrix(NamedTuple):
    """The numbers of a CIFTI image, which need not be read yet, and its axes."""

    data: Any
    axes: list[Any]


def open_matrix(source: Image, what: str) -> Matrix:
    """Return the matrix of a path or an image.

    Raises `InputMissingError`; `FileFormatError` when the file is not CIFTI-2, or is damaged;
    `ImageTypeError`.

    Parameters
    ----------
    source : path or nibabel.Cifti2Image
    what : str
        What the image is, for messages: ``"the image"``.
    """
    if isinstance(source, nib.Cifti2Image):
        check_stored(source.dataobj, what)
        with readable(what):
            return Matrix(source.dataobj, axes_of(source.header, source.ndim))
    if not isinstance(source, str | os.PathLike):
        raise ImageTypeError(
            f"{capitalized(what)} must be a path or a nibabel.Cifti2Image; this is "
            f"{type(source).__name__}."
        )
    path = existing_file(source, what)
    if family_of(path) != "cifti" and is_cifti(path):
        raise FileFormatError(
            f"{capitalized(what)} is a compressed CIFTI file: {path}. CIFTI files are read in no "
            "order, which compressed ones cannot be; decompress it: gunzip --keep "
            f"{path.name}"
        )
    with readable(f"{what} {path}"), _quiet():
        volume, axes = _loaded(path, what)
        data: Any = volume.dataobj
        check_stored(data, what)
        # The first four dimensions of NIfTI are not used.
        shape, expected = data.shape[4:], tuple(map(len, axes))
        if shape != expected:
            raise FileFormatError(
                f"{capitalized(what)} contradicts itself: {path} holds {times(shape)} numbers, "
                f"its axes are for {times(expected)}. Get the file again."
            )
        return Matrix(data.reshape(shape), axes)


def _loaded(path: Path, what: str) -> tuple[nib.Nifti2Image, list[Any]]:
    """Return the NIfTI-2 file that a CIFTI-2 file is, and the axes that its extension tells of."""
    name = path.absolute()  # nibabel would expand a name that begins with ~
    volume: Any
    try:
        if nib.Nifti2Image.path_maybe_image(name)[0]:
            volume = nib.Nifti2Image.from_filename(name)
            told = [e for e in volume.header.extensions if isinstance(e, Cifti2Extension)]
            if told and volume.ndim > 4:
                return volume, list(_axes_of_text(told[0].content, volume.ndim - 4))
        else:
            volume = nib.load(name)
    except ValueError as error:
        version = _VERSION.search(str(error))
        if version is None:
            raise
        raise FileFormatError(
            f"{capitalized(what)} is a CIFTI-{version[1]} file: {path}. CIFTI-2 is needed; convert "
            f"it: wb_command -file-convert -cifti-version-convert {path.name} 2 OUTPUT"
        ) from error
    raise FileFormatError(
        f"{capitalized(what)} is named like a CIFTI file but is none: {path} is "
        f"{type(volume).__name__} of shape {volume.shape}, without CIFTI's description of its "
        "axes. If it is a volume, give it a name that ends in just .nii."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep nibabel from remarking on header fields that mean nothing in CIFTI."""
    logger = logging.getLogger("nibabel.global")

    def is_of_use(record: logging.LogRecord) -> bool:
        return "pixdim" not in record.getMessage()

    logger.addFilter(is_of_use)
    try:
        yield
    finally:
        logger.removeFilter(is_of_use)


class _Indices:
    """Indices as the array that they are parsed to; they can be read, not changed.

    nibabel would append them one by one, which takes longer than reading a long series.
    """

    values: NDArray[Any] = np.empty(0, np.int64)

    def extend(self, values: Iterable[Any]) -> None:
        self.values = np.asarray(values)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __array__(
        self, dtype: np.dtype[Any] | None = None, *, copy: bool | None = None
    ) -> NDArray[Any]:
        return np.array(self.values, dtype, copy=copy)


class _VertexIndices(_Indices, Cifti2VertexIndices):
    pass


class _VoxelIndices(_Indices, Cifti2VoxelIndicesIJK):
    pass


class _Parser(Cifti2Parser):
    """nibabel's parser, which leaves the indices of brain models in arrays.

    And which does not take the last of labels with the same key for all of them.
    """

    def StartElementHandler(self, name: str, attrs: dict[str, str]) -> None:  # noqa: N802  expat
        if name == "Label" and int(attrs["Key"]) in self.struct_state[-1]:
            raise ValueError(f"its label table has the key {attrs['Key']} more than once")
        super().StartElementHandler(name, attrs)
        if name == "VertexIndices":
            self.struct_state[-1] = self.struct_state[-2].vertex_indices = _VertexIndices()
        elif name == "VoxelIndicesIJK":
            self.struct_state[-1].voxel_indices_ijk = _VoxelIndices()


# The runs and the subjects of a study mostly share all of it.
@lru_cache(maxsize=4)
def _axes_of_text(text: bytes, n_dimensions: int) -> tuple[Any, ...]:
    parser = _Parser()
    parser.parse(string=text)
    if parser.header is None:
        raise ValueError("its extension describes no axes")
    return tuple(axes_of(cast("Cifti2Header", parser.header), n_dimensions))


def axes_of(header: Cifti2Header, n_dimensions: int) -> list[Any]:
    """Return the axes of a matrix: of its rows, then its columns, and of a third dimension."""
    axes: list[Any] = []
    for number in range(n_dimensions):
        mapping = header.matrix.get_index_map(number)
        _check_frames(mapping)
        _check_exponent(mapping)
        if mapping.indices_map_to_data_type == "CIFTI_INDEX_TYPE_BRAIN_MODELS":
            axes.append(_brain_model_axis(_BrainModels(tuple(_contents(mapping)), mapping)))
        else:
            axes.append(from_index_mapping(mapping))
    return axes


def _check_frames(mapping: Cifti2MatrixIndicesMap) -> None:
    """Raise where a surface or a volume cannot be as large as the file says."""
    surfaces = chain(mapping.brain_models, mapping.surfaces)
    counts = [surface.surface_number_of_vertices for surface in surfaces]
    shapes: list[tuple[int, ...]] = [(count,) for count in counts if count is not None]
    if mapping.volume is not None:
        shapes.append(tuple(map(int, mapping.volume.volume_dimensions)))
    for shape in shapes:
        if min(shape) < 0 or math.prod(shape) > np.iinfo(np.int64).max:
            raise ValueError(f"no surface or volume has {times(shape)} places")


def _check_exponent(mapping: Cifti2MatrixIndicesMap) -> None:
    """Raise where the steps of a series are of no size that a number has."""
    exponent = mapping.series_exponent
    if exponent is not None and abs(exponent) > sys.float_info.max_10_exp:
        raise ValueError(f"its series has steps of 10**{exponent}")


def _check_samples(mapping: Cifti2MatrixIndicesMap) -> None:
    """Raise unless each sample is at a place of its own, in a frame that has such a place."""
    volume = mapping.volume
    if volume is not None:
        exponent = volume.transformation_matrix_voxel_indices_ijk_to_xyz.meter_exponent
        if exponent != _MILLIMETRES:
            raise ValueError(f"its voxels are measured in units of 10**{exponent} m, not in mm")
    of_frame: dict[str, list[NDArray[np.int64]]] = {}
    for model in mapping.brain_models:
        shape: tuple[int, ...]
        if model.model_type == "CIFTI_MODEL_TYPE_SURFACE":
            frame, shape = model.brain_structure, (model.surface_number_of_vertices,)
        elif volume is None:
            raise ValueError("it has voxels and does not say of which volume")
        else:
            frame, shape = "the volume", tuple(map(int, volume.volume_dimensions))
        of_frame.setdefault(frame, []).append(_places(model, shape))
    # One structure may come as several brain models, and all voxels share the volume.
    for frame, places in of_frame.items():
        together = np.concatenate(places)
        n_twice = len(together) - len(np.unique(together))
        if n_twice:
            raise ValueError(f"{plural(n_twice, 'place')} of {frame} stands in it more than once")


def _places(model: Cifti2BrainModel, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the samples of a brain model as numbers of vertices or voxels.

    Each sample needs its own index: nibabel would give a single one to all of them.
    """
    listed = model.vertex_indices if len(shape) == 1 else model.voxel_indices_ijk
    indices = np.asarray([] if listed is None else listed, np.int64).reshape(-1, len(shape))
    if len(indices) != model.index_count:
        raise ValueError(
            f"{model.brain_structure} has {model.index_count:,} samples and indices for "
            f"{len(indices):,}"
        )
    outside = indices[((indices < 0) | (indices >= shape)).any(axis=1)]
    if len(outside):
        noun = "vertex" if len(shape) == 1 else "voxel"
        shown = ", ".join(map(str, outside[0].tolist()))
        raise ValueError(
            f"{model.brain_structure} has a {noun} {shown} of {times(shape)}, counted from 0"
        )
    return np.asarray(np.ravel_multi_index(tuple(indices.T), shape))


@dataclass(frozen=True)
class _BrainModels:
    """The brain models of a file, equal where the samples are the same."""

    contents: tuple[object, ...]
    mapping: Cifti2MatrixIndicesMap = field(compare=False)


def _contents(mapping: Cifti2MatrixIndicesMap) -> Iterator[object]:
    """Yield all that makes a difference."""
    if mapping.volume is not None:
        transform = mapping.volume.transformation_matrix_voxel_indices_ijk_to_xyz
        yield tuple(mapping.volume.volume_dimensions)
        yield np.asarray(transform.matrix, float).tobytes(), transform.meter_exponent
    for model in mapping.brain_models:
        yield model.brain_structure, model.model_type, model.index_offset, model.index_count
        yield model.surface_number_of_vertices
        yield from (
            None if indices is None else np.asarray(indices, np.int64).tobytes()
            for indices in (model.vertex_indices, model.voxel_indices_ijk)
        )


# nibabel takes some 50 ms for an axis, and a parcellation and its data share one.
@lru_cache(maxsize=2)
def _brain_model_axis(models: _BrainModels) -> BrainModelAxis:
    _check_samples(models.mapping)
    axis: BrainModelAxis = BrainModelAxis.from_index_mapping(models.mapping)
    return axis


def are_axes(axes: Sequence[Axis], rows: type | UnionType, columns: type[Axis]) -> bool:
    """Return whether a matrix has two axes, and these are of the types."""
    if len(axes) != 2:
        return False
    return isinstance(axes[0], rows) and isinstance(axes[1], columns)


def described(axes: Sequence[Axis]) -> str:
    """Say in words what a matrix is made of."""
    return " × ".join(plural(len(axis), *_NOUNS[type(axis)]) for axis in axes)


_NOUNS = {
    BrainModelAxis: ("grayordinate", "grayordinates"),
    LabelAxis: ("map of labels", "maps of labels"),
    ParcelsAxis: ("parcel", "parcels"),
    ScalarAxis: ("map", "maps"),
    SeriesAxis: ("point of a series", "points of a series"),
}


def map_axis_of(maps: Any) -> MapAxis:
    """Return what an axis says of maps: their names, or where the points of a series lie."""
    if not isinstance(maps, SeriesAxis):
        return MapAxis(tuple(maps.name.tolist()), single=len(maps) == 1)
    series = Series(float(maps.start), float(maps.step), str(maps.unit))
    is_time = series.unit == "SECOND" and 0 < series.step < math.inf
    return MapAxis(t_r=series.step if is_time else None, series=series)


def array_of(data: Any, what: str) -> NDArray[Any]:
    """Return numbers, read where they are not yet, in a dtype that a file can hold."""
    with readable(f"{what} {getattr(data, 'file_like', 'in memory')}"):
        return storable(read_stored(data))
