"""Painted surfaces: values of vertices, made on demand, and written to files."""

from __future__ import annotations

import dataclasses
import gzip
import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.freesurfer.io import write_morph_data
from nibabel.gifti.gifti import (
    GiftiDataArray,
    GiftiImage,
    GiftiLabel,
    GiftiLabelTable,
    GiftiMetaData,
)

from ...atlas.hemispheres import LEFT, RIGHT, UNKNOWN
from ...atlas.no_region import names_no_region
from ...atlas.spaces import SurfaceVertices
from ...engine.dtypes import storable, storage_dtype
from ...engine.painting import PaintedArray, paint
from ...errors import ArgumentError, DimensionError, MissingPackageError, SignalsTypeError, times
from ...files import check_output, open_output, replacing_all
from ...formats import Family, family_of, is_gzipped
from ...notebook import ShownInNotebooks
from ..label_files import NO_REGION_NAME, Entry, entries_of, labels_image, unused_label
from ..painted import as_xml
from .names import STRUCTURE, STRUCTURES, output_paths

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from ...atlas.parcellation import Parcellation
    from ...atlas.region_table import RegionTable
    from ...identity import Match
    from ...signals import MapAxis


LONGEST_T_R = 30.0
"""FreeSurfer writes GIFTI's TimeStep in milliseconds, others in seconds; a number above this is in
milliseconds.  We write it as FreeSurfer does where it is above."""

# What the files of each family hold bit for bit, and what they are called; NumPy's hold everything.
_DTYPES: dict[Family | None, tuple[str, tuple[str, ...]]] = {
    "gifti": ("GIFTI files hold", ("uint8", "int32", "float32")),
    "mgh": ("MGH files hold", ("uint8", "int16", "int32", "float32")),
    "morphometry": ("FreeSurfer's morphometry files hold", ("float32",)),
}


@dataclasses.dataclass(eq=False, repr=False)
class PaintedSurface(ShownInNotebooks):
    """Values of vertices, made from codes and values when they are asked for.

    Made by `regioncast.paint`.  `numpy.asarray` gives all vertices, left before right; `parts`
    the hemispheres apart.

    Parameters
    ----------
    array : PaintedArray
        Shape (n_vertices,) or (n_vertices, n_maps).
    space : SurfaceVertices
    axis : MapAxis
        What is known of the maps.
    parcellation : Parcellation, default=None
    match : Match, default=None
        What went where.
    categories : RegionTable, default=None
        What the values stand for, where they are the labels of categories.
    """

    array: PaintedArray
    space: SurfaceVertices
    axis: MapAxis
    parcellation: Parcellation | None = None
    match: Match | None = None
    categories: RegionTable | None = None

    @property
    def map_names(self) -> tuple[str, ...] | None:
        """Names of the maps, where they have some."""
        return self.axis.names

    @property
    def t_r(self) -> float | None:
        """Repetition time in seconds, where the maps are time points."""
        return self.axis.t_r

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the values: vertices, and maps in a series."""
        return self.array.shape

    @property
    def dataobj(self) -> PaintedArray:
        """The array, by nibabel's name for it."""
        return self.array

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the values."""
        return self.array.dtype

    def __array__(
        self,
        dtype: DTypeLike | None = None,
        copy: bool | None = None,  # noqa: FBT001  NumPy's protocol
    ) -> NDArray[Any]:
        """Return the values of all vertices."""
        return self.array.__array__(dtype, copy)

    def __repr__(self) -> str:
        what = f"{type(self).__name__}: {self.space.description}, {times(self.shape)} {self.dtype}"
        return what if self.match is None else f"{what}, {self.match.brief}"

    @property
    def parts(self) -> dict[str, NDArray[Any]]:
        """The values of each hemisphere: shape (n_vertices,) or (n_vertices, n_maps)."""
        return {side: self.part(side) for side in self.space.hemispheres}

    def part(self, side: str) -> NDArray[Any]:
        """Return the values of one hemisphere: ``"L"``, ``"R"`` or ``"?"``."""
        codes = self.array.codes[self.space.of_hemisphere(side)]
        return paint(codes, self.array.table, single=self.array.single)

    def to_gifti(self) -> dict[str, GiftiImage]:
        """Return a GIFTI image of each hemisphere, one data array per map.

        Raises
        ------
        SignalsTypeError
            When GIFTI cannot hold the dtype.
        """
        _check_dtype(self.dtype, "gifti")
        return {side: _gifti_of(self, side) for side in self.space.hemispheres}

    def to_surface_image(self, mesh: Any = None) -> Any:
        """Return nilearn's ``SurfaceImage`` of the values.

        Parameters
        ----------
        mesh : nilearn PolyMesh or mapping, default=None
            That of the labels, where they came with one.

        Raises
        ------
        MissingPackageError
            When nilearn is not installed.
        ArgumentError
            When there is no mesh, or it is not known which hemisphere this is.
        """
        try:
            from nilearn.surface import SurfaceImage  # type: ignore[import-untyped]  # ships no types
        except ImportError as error:
            raise MissingPackageError(
                "A SurfaceImage needs nilearn, 0.11 or newer: pip install nilearn."
            ) from error
        if mesh is None and self.space.mesh is None:
            raise ArgumentError(
                "nilearn's SurfaceImage needs a mesh, and the labels came without one. Pass "
                "mesh=, for example nilearn.datasets.load_fsaverage()['pial']."
            )
        if UNKNOWN in self.space.hemispheres:
            raise ArgumentError(
                "nilearn's SurfaceImage needs to know which hemisphere this is. Give the labels "
                "as a mapping: {'left': …} or {'right': …}."
            )
        names = {LEFT: "left", RIGHT: "right"}
        data = {names[side]: values for side, values in self.parts.items()}
        return SurfaceImage(self.space.mesh if mesh is None else mesh, data)

    def to_filename(self, path: str | os.PathLike[str]) -> None:
        """Write the surface, replacing existing files; `regioncast.save` asks first."""
        save_surface(self, path, overwrite=True)


def _gifti_of(image: PaintedSurface, side: str) -> GiftiImage:
    structure = {STRUCTURE: STRUCTURES[side]} if side in STRUCTURES else {}
    maps = storable(image.part(side).reshape(image.space.counts[side], -1).T)
    intent, timing = "NIFTI_INTENT_SHAPE", {}
    if image.t_r is not None:
        # A decimal is read back to the last bit; a float times 1000 is rounded.
        seconds = Decimal(repr(float(image.t_r)))
        step = seconds * 1000 if seconds * 1000 > LONGEST_T_R else seconds
        intent, timing = "NIFTI_INTENT_TIME_SERIES", {"TimeStep": str(step)}
    arrays = []
    for number, values in enumerate(maps):
        named = {} if image.map_names is None else {"Name": as_xml(image.map_names[number])}
        meta = GiftiMetaData(named | timing)
        arrays.append(GiftiDataArray(values, intent=intent, datatype=values.dtype, meta=meta))
    return GiftiImage(meta=GiftiMetaData(structure), darrays=arrays)


def save_surface(
    image: PaintedSurface, path: str | os.PathLike[str], *, overwrite: bool
) -> list[Path]:
    """Write a painted surface, a pair as two files.

    Neither is put in its place before both are whole.  Should that then fail for one of them, the
    error says which file was written.

    Raises `FileFormatError` when the ending is not known; `SignalsTypeError` when the format cannot
    hold the dtype; `DimensionError` when it holds one map, and there are several;
    `OutputExistsError`, `OutputError`.

    Parameters
    ----------
    image : PaintedSurface
    path : path
        See `output_paths`.
    overwrite : bool
        Whether existing files may be replaced.

    Returns
    -------
    list of Path
        The files.
    """
    paths = output_paths(path, image.space.hemispheres)
    for output in paths:
        check_output(output, overwrite=overwrite)
        family = family_of(output)
        _check_dtype(image.dtype, family)
        if family == "morphometry" and len(image.array.table) > 1:
            raise DimensionError(
                "FreeSurfer's morphometry files hold one map; there are "
                f"{len(image.array.table):,} for {output.name}. Write .mgh or .func.gii."
            )
    with replacing_all(paths, overwrite=overwrite) as temporaries:
        for side, temporary in zip(image.space.hemispheres, temporaries, strict=True):
            _write(image, side, temporary)
    return paths


def _check_dtype(dtype: np.dtype[Any], family: Family | None) -> None:
    """Raise where files of a family would change values of this dtype."""
    if family not in _DTYPES:
        return
    title, dtypes = _DTYPES[family]
    stored = storage_dtype(dtype)
    if stored.name in dtypes:
        return
    advice = "Write .npy."
    if stored.kind != "c":
        may_be_int32 = stored.kind in "iu" and "int32" in dtypes
        fitting = "int32" if may_be_int32 else "float32"
        advice = f"Paint it with dtype={fitting!r} (--dtype {fitting}), or write .npy."
    raise SignalsTypeError(f"{title} {', '.join(dtypes)}; this image is {dtype}. {advice}")


def _write(image: PaintedSurface, side: str, path: Path) -> None:
    """Write one hemisphere to a file of a format that can hold it."""
    family = family_of(path)
    if family == "gifti":
        _write_gifti(_gifti_of(image, side), path)
        return
    values = storable(image.part(side))
    # What else there is holds an array as it is.
    if family == "mgh":
        _write_mgh(values, path, image.t_r)
    elif family == "numpy":
        with open_output(path) as file:
            np.save(file, values, allow_pickle=False)
    else:
        write_morph_data(path, values.reshape(-1))


def _write_gifti(image: GiftiImage, path: Path) -> None:
    """Write a GIFTI image, compressed where the name says so."""
    content = image.to_bytes()
    # Without name and time the same image gives the same bytes.
    path.write_bytes(gzip.compress(content, mtime=0) if is_gzipped(path) else content)


def _write_mgh(values: NDArray[Any], path: Path, t_r: float | None) -> None:
    # nibabel writes no fourth dimension of length one.
    n_maps = [] if values.size == len(values) else [values.shape[1]]
    image = nib.MGHImage(values.reshape((len(values), 1, 1, *n_maps)), np.eye(4))
    image.header.set_data_dtype(values.dtype)
    if t_r is not None and n_maps:
        image.header.set_zooms((1, 1, 1, t_r * 1000))  # milliseconds
    image.to_filename(path)


# --- labels ----------------------------------------------------------------------------------


def save_labels(atlas: Parcellation, path: Path, *, overwrite: bool) -> list[Path]:
    """Write the labels of a surface, with names and colours; a pair as two files."""
    space = atlas.space
    assert isinstance(space, SurfaceVertices), "a kind writes its own space"
    paths = output_paths(path, space.hemispheres, "atlas")
    none = Entry(unused_label(atlas.table), NO_REGION_NAME, (0.0, 0.0, 0.0, 0.0))
    entries = entries_of(atlas.table, paths[0], lambda entry: names_no_region(entry.name))
    labels = labels_image(atlas, "GIFTI files hold", ["int32"], none=none.label)
    with replacing_all(paths, overwrite=overwrite) as temporaries:
        for side, temporary in zip(space.hemispheres, temporaries, strict=True):
            samples = space.of_hemisphere(side)
            # Of which hemisphere a region is, its vertices tell where the table does not.
            is_here = np.isin(np.arange(len(atlas)) + 1, atlas.codes[samples]) | (atlas.counts == 0)
            if atlas.table.hemispheres is not None:
                is_here = np.array([of_row == side for of_row in atlas.table.hemispheres])
            rows = [entry for entry, is_in in zip(entries, is_here, strict=True) if is_in]
            _write_gifti(_gifti_of_labels(labels[samples], [none, *rows], side), temporary)
    return paths


def _gifti_of_labels(labels: NDArray[Any], entries: list[Entry], side: str) -> GiftiImage:
    table = GiftiLabelTable()
    for entry in entries:
        label: Any = GiftiLabel(entry.label, *entry.color)
        label.label = entry.name  # an attribute that nibabel makes when it reads one
        table.labels.append(label)
    structure = {STRUCTURE: STRUCTURES[side]} if side in STRUCTURES else {}
    array = GiftiDataArray(labels, intent="NIFTI_INTENT_LABEL", datatype="NIFTI_TYPE_INT32")
    return GiftiImage(meta=GiftiMetaData(structure), labeltable=table, darrays=[array])
