"""Volumes in and out.

Whatever holds one volume can be read: NIfTI-1 and 2, single files and pairs, MGH, Analyze,
AFNI and every other volume that nibabel knows, on disk or in memory.  Compressed files are
read to their end, so that a truncated or damaged one is an error and never a shorter image.
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import nibabel as nib
import numpy as np
from nibabel import imageclasses
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import FileBasedImage, ImageFileError
from nibabel.spatialimages import SpatialImage
from nibabel.volumeutils import native_code

from ...atlas.spaces import UNIT_OF_SPACE, VolumeGrid
from ...engine.dtypes import storable, storage_dtype
from ...engine.painting import FileOrder, PaintedArray
from ...errors import DimensionError, FileFormatError, ImageTypeError, SignalsTypeError, capitalized
from ...files import (
    check_output,
    existing_file,
    expanded,
    open_output,
    readable,
    replacing,
    replacing_all,
)
from ...formats import family_of, format_of, is_gzipped, suffix_of, suffixes
from ...tables.write import write_table_of_labels
from ..label_files import labels_image
from ..maps import SECONDS, check_numbers, t_r_of
from ..painted import PaintedOnDemand, edited
from ..stored import check_stored, check_unmasked, open_mgh, opened, read_stored, skip_rest
from . import painted_gzip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...atlas.parcellation import Parcellation
    from ...progress import Progress
    from ...signals import MapAxis

Niimg = str | os.PathLike[str] | SpatialImage

# What is written uncompressed is painted into a buffer of this many bytes.
_BLOCK_BYTES = 1 << 25

# NIfTI's code for Connectome Workbench's extension.
_WORKBENCH_CODE = 30

# How an entry of a label table begins in it.
_LABEL = b"<Label "

# How compressed files begin.
_GZIP_MAGIC = b"\x1f\x8b"

# Of MGH files; NIfTI says its unit.
_MILLISECONDS = 1e3

_MGH_DTYPES = (np.uint8, np.int16, np.int32, np.float32)

# How FreeSurfer's meshes and morphometry files begin.
_SURFACE_MAGIC = (b"\xff\xff\xfe", b"\xff\xff\xff")


class PaintedImage(PaintedOnDemand, nib.Nifti1Image):
    """A NIfTI image whose data are made from codes and values when they are asked for.

    Made by `regioncast.paint`; used as any `nibabel.Nifti1Image`.  ``img.dataobj[..., 3]``
    and ``img.slicer[..., 3:5]`` paint that part only; ``np.asarray(img.dataobj)`` and
    ``img.get_fdata()`` paint all of it.  It pickles to the size of its codes and values.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        if not isinstance(self.dataobj, PaintedArray):
            return super().__reduce__()  # type: ignore[return-value]  # of text, says typeshed
        return type(self), (_data_to_write(self), self.affine, self.header)

    def to_filename(self, filename: str | os.PathLike[str], **kwargs: Any) -> None:
        """Write the image, streaming it; the old file stays until the new one is whole.

        The dtype in the file is that of the values.  As with every nibabel image, an existing
        file is replaced; `regioncast.save` asks first.
        """
        path = expanded(filename)
        if kwargs or not _is_written(path):
            super().to_filename(filename, **kwargs)
        else:
            save_volume(self, path, overwrite=True)
            self.file_map["image"].filename = os.fspath(filename)

    def to_file_map(self, file_map: Any = None, dtype: Any = None, **kwargs: Any) -> None:
        """Write the image to the file of a map, by its name as `to_filename` does.

        With `dtype`, or for other formats, nibabel writes it.
        """
        holder = (self.file_map if file_map is None else file_map)["image"]
        if dtype is not None:
            kwargs["dtype"] = dtype
        if kwargs:
            _as_edited(self).to_file_map(file_map, **kwargs)
        elif holder.fileobj is not None:
            _write_plain(self, holder.get_prepare_fileobj("wb"), _no_progress)
        elif holder.filename is not None and family_of(Path(holder.filename)) == "nifti":
            save_volume(self, Path(holder.filename), overwrite=True)
        else:
            _as_edited(self).to_file_map(file_map)


class PaintedImage2(PaintedImage, nib.Nifti2Image):
    """The same for images with a dimension that NIfTI-1 cannot hold."""


# nibabel keeps a list, by exact type, of the images whose first axes are known to be spatial,
# and slices and resamples no other 4D image.
imageclasses.KNOWN_SPATIAL_FIRST += (PaintedImage, PaintedImage2)


def painted_image(array: PaintedArray, grid: VolumeGrid, axis: MapAxis) -> PaintedImage:
    """Return the lazy image of a painted array on a grid."""
    header = grid.header(array.dtype, array.shape)
    if axis.t_r is not None:
        _set_t_r(header, axis.t_r)
    image_class = PaintedImage2 if isinstance(header, nib.Nifti2Header) else PaintedImage
    return image_class(array, grid.affine, header)


def plain_image(array: NDArray[Any], grid: VolumeGrid) -> nib.Nifti1Image:
    """Return the eager image of an array on a grid."""
    header = grid.header(array.dtype, array.shape)
    image_class = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    return image_class(array, grid.affine, header)


def read_volume(source: Niimg, what: str) -> tuple[NDArray[Any], VolumeGrid]:
    """Return the array and the grid of a three-dimensional image.

    Raises `InputMissingError`, `FileFormatError`, `ImageTypeError`, `DimensionError`.

    Parameters
    ----------
    source : path or nibabel image
        A path is a name, never a pattern.  One volume in four dimensions is a volume.
    what : str
        What the image is, for messages: ``"the labels image"``.
    """
    return voxels_of(open_image(source, what), what)


def voxels_of(image: SpatialImage, what: str) -> tuple[NDArray[Any], VolumeGrid]:
    """Return the array and the grid of an image that holds one volume; see `read_volume`."""
    if len(image.shape) < 3 or any(n != 1 for n in image.shape[3:]):
        raise DimensionError(
            "Input data has incompatible dimensionality: Expected dimension is 3D and you "
            f"provided a {len(image.shape)}D image. {capitalized(what)} has the shape "
            f"{image.shape}; give one volume."
        )
    name = f"{what} {image.get_filename() or 'in memory'}"
    with readable(name):
        data = read_stored(image.dataobj)
        check_numbers(data.dtype, what)
        return data.reshape(data.shape[:3]), VolumeGrid.of(image, name)


def open_image(source: Niimg, what: str) -> SpatialImage:
    """Return a nibabel volume from a path or an image; its data are there and not read yet."""
    if isinstance(source, str | os.PathLike):
        path = existing_file(source, what)
        with readable(f"{what} {path}"):
            image = _volume(_load(path, what), what)
    else:
        image = _volume(source, what)
    check_stored(image.dataobj, what)
    check_unmasked(image.dataobj, what)
    return image


def read_mask(source: Niimg, what: str) -> tuple[NDArray[np.bool_], VolumeGrid]:
    """Return where a mask image is neither zero nor NaN nor infinite, and its grid."""
    data, grid = read_volume(source, what)
    return is_inside(data), grid


def is_inside(mask: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a mask is neither zero nor NaN nor infinite."""
    inside: NDArray[np.bool_] = mask != 0
    return inside & np.isfinite(mask) if mask.dtype.kind in "fc" else inside


def label_table_extension(image: SpatialImage) -> bytes | None:
    """Return the Connectome Workbench label table of a volume (extension code 30), if any."""
    for extension in getattr(image.header, "extensions", ()):
        if extension.get_code() == _WORKBENCH_CODE:
            content = bytes(extension.content)
            # Volumes of other than labels have the extension too, without a table.
            return content if _LABEL in content else None
    return None


def scaling_of(image: SpatialImage) -> str:
    """Return what is to be said of labels that a header scales, ``""`` where it scales nothing."""
    slope, intercept = getattr(image.dataobj, "slope", 1), getattr(image.dataobj, "inter", 0)
    if (slope, intercept) == (1, 0):
        return ""
    remedy = "Write the labels again from where they came, after img.set_data_dtype('int32')."
    if abs(slope) < 1:
        # What is stored is the nearest step to a label, so less than half a label away from it.
        remedy = (
            "If they were integers before that, round them: nibabel.Nifti1Image(numpy.rint("
            "img.get_fdata()).astype('int32'), img.affine)."
        )
    return (
        f" The header scales what is stored ({image.get_data_dtype()}): times {slope:g} (scl_slope)"
        f" plus {intercept:g} (scl_inter), as when floats are written with the header of an image "
        f"of integers. {remedy}"
    )


def save_volume(
    image: SpatialImage, path: Path, *, overwrite: bool, progress: Progress | None = None
) -> None:
    """Write a volume whole or not at all, in the dtype of its values.

    Raises `FileFormatError` when the suffix is not known; `SignalsTypeError` when the format cannot
    hold the dtype; `OutputExistsError`, `OutputError`.

    Parameters
    ----------
    image : nibabel image
    path : Path
        With an ending that `FORMATS` has for images.
    overwrite : bool
        Whether an existing file may be replaced.
    progress : callable, default=None
        Called with the number of maps written and the number of all maps.
    """
    check_volume_suffix(path)
    # Before the image is painted, which takes longer than to say no.
    if family_of(path) == "mgh":
        check_output(path, overwrite=overwrite)
        _check_mgh_dtype(image.dataobj)
    with replacing(path, overwrite=overwrite) as temporary:
        write_volume(image, temporary, progress or _no_progress)


def write_volume(image: SpatialImage, path: Path, progress: Progress) -> None:
    """Write a volume to a file that nobody reads before it is whole."""
    if family_of(path) == "mgh":
        _write_mgh(image, path)
        return
    with open_output(path) as file:
        write = _write_gzip if is_gzipped(path) else _write_plain
        write(image, file, progress)


def save_labels(atlas: Parcellation, path: Path, table_path: Path, *, overwrite: bool) -> None:
    """Write the labels of voxels, and the table of their regions: both, or neither."""
    assert isinstance(atlas.space, VolumeGrid), "a kind writes its own space"
    labels = labels_image(atlas, "NIfTI files hold")
    with replacing_all([path, table_path], overwrite=overwrite) as (file, table_file):
        write_volume(plain_image(labels, atlas.space), file, _no_progress)
        write_table_of_labels(atlas.table, table_file, table_path)


def check_volume_suffix(path: Path) -> None:
    """Raise where a volume cannot be written under this name."""
    if not _is_written(path):
        raise FileFormatError(
            f"A volume cannot be written as {path.name!r}: it is written as "
            f"{', '.join(suffixes('image', 'volume'))}."
        )


def _is_written(path: Path) -> bool:
    """Return whether a volume is written here under this name; OME-Zarr is of painted ones."""
    return suffix_of(path) in suffixes("image", "volume") and family_of(path) != "zarr"


def _load(path: Path, what: str) -> FileBasedImage:
    with path.open("rb") as file:
        magic = file.read(3)
    _refuse_misnamed(path, magic, what)
    _refuse_surface(path, magic, what)
    if family_of(path) == "mgh":
        return open_mgh(path.absolute())
    _refuse_unwritable_name(path, what)
    image = _compressed_nifti(path.absolute()) if path.name.lower().endswith(".nii.gz") else None
    if image is not None:
        return image
    try:
        return nib.load(path.absolute())  # nibabel would expand a name that begins with ~
    except ImageFileError as error:
        if magic[:2] == _GZIP_MAGIC and not is_gzipped(path):
            raise FileFormatError(
                f"{capitalized(what)} is compressed, and its name does not say so: {path}. Let it "
                "end in .gz, as .nii.gz does, or decompress it."
            ) from error
        if is_gzipped(path):
            with opened(path) as file:
                skip_rest(file)  # says so where the file is damaged
        raise FileFormatError(
            f"{capitalized(what)} {path} is not an image that nibabel can read. Give a NIfTI file, "
            ".nii or .nii.gz, or another image of voxels."
        ) from error


def _compressed_nifti(path: Path) -> nib.Nifti1Image | None:
    """Return a NIfTI-1 image in one compressed file; None where nibabel has to look what it is.

    Where indexed_gzip is installed, nibabel begins with an index of the file, which takes longer
    than to read a small image.
    """
    try:
        with opened(path) as file:
            if not nib.Nifti1Header.may_contain_header(file.read(nib.Nifti1Header.sizeof_hdr)):
                return None
            file.seek(0)
            header = nib.Nifti1Header.from_fileobj(file)
    except Exception:  # noqa: BLE001  damaged headers raise anything, and nibabel says what it is
        return None
    return nib.Nifti1Image(
        ArrayProxy(str(path), header.copy()),
        header.get_best_affine(),
        header,
        file_map=nib.Nifti1Image.filespec_to_file_map(str(path)),
    )


def _refuse_unwritable_name(path: Path, what: str) -> None:
    """Raise where indexed_gzip, by which nibabel may read, would end the process."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        if is_gzipped(path):
            raise FileFormatError(
                f"{capitalized(what)} has a name with bytes that are no text, under which nibabel "
                f"cannot read compressed files: {path}. Rename it, or the folder."
            ) from None


def _refuse_misnamed(path: Path, magic: bytes, what: str) -> None:
    """Raise where the name of a file, and not what is in it, is why it cannot be read."""
    entry = format_of(path)
    if entry is not None and "table" in entry.kinds and "values" in entry.uses:
        raise FileFormatError(
            f"{capitalized(what)} is a table and no image: {path}. Give an image; in the shell, "
            "VALUES come before ATLAS."
        )
    if not magic:
        raise FileFormatError(f"{capitalized(what)} is empty: {path}. Get the file again.")
    if magic[:2] != _GZIP_MAGIC and is_gzipped(path):
        raise FileFormatError(
            f"{capitalized(what)} {path} is named as compressed and is not (not a gzip file). If "
            "it is an uncompressed image, name it so, as .nii or .mgh; else get the file again."
        )


def _refuse_surface(path: Path, magic: bytes, what: str) -> None:
    entry = format_of(path)
    is_volume = entry is not None and "volume" in entry.kinds
    is_freesurfers = family_of(path) in ("annotation", "morphometry", "mesh")
    if is_freesurfers or (magic in _SURFACE_MAGIC and not is_volume):
        holds = "a surface mesh" if magic == _SURFACE_MAGIC[0] else "a surface file"
        raise ImageTypeError(
            f"{capitalized(what)} is {holds} of FreeSurfer: {path}; a volume is needed, or whole "
            "values or labels of vertices, such as lh.thickness or lh.aparc.annot."
        )


def _volume(image: object, what: str) -> SpatialImage:
    """Return a volume as it is; raise for everything else, saying what it is."""
    kind = type(image).__name__
    if isinstance(image, nib.Cifti2Image):
        raise ImageTypeError(
            f"{capitalized(what)} is CIFTI (grayordinates); a volume is needed. If it is meant as "
            "CIFTI, its name must end like .dlabel.nii, .dscalar.nii or .dtseries.nii; else "
            "separate its volume, for example with wb_command -cifti-separate."
        )
    if isinstance(image, nib.GiftiImage) or kind == "SurfaceImage":
        raise ImageTypeError(
            f"{capitalized(what)} is a surface ({kind}); a volume is needed. "
            "Give an image of voxels."
        )
    if not isinstance(image, SpatialImage):
        raise ImageTypeError(
            f"{capitalized(what)} must be a path or a nibabel image; this is {kind}. "
            "For an array, make nibabel.Nifti1Image(array, affine)."
        )
    return image


def _write_plain(image: SpatialImage, file: Any, progress: Progress) -> None:
    data = _data_to_write(image)
    _writing_header(image, data).write_to(file)
    if not isinstance(data, PaintedArray):
        file.write(_bytes_of(data))
        return
    # Voxels are painted through one buffer, so that they never are in memory all at once.
    voxels = FileOrder.of(data)
    buffer = voxels.buffer(_BLOCK_BYTES)
    for piece in voxels.pieces(_BLOCK_BYTES):
        file.write(voxels.made(piece, buffer).data)
        if piece.samples.stop == voxels.codes.size:
            progress(piece.maps.stop, len(voxels.table))


def _write_gzip(image: SpatialImage, file: BinaryIO, progress: Progress) -> None:
    data = _data_to_write(image)
    head = BytesIO()
    _writing_header(image, data).write_to(head)
    if isinstance(data, PaintedArray):
        painted_gzip.write(file, head.getvalue(), data, progress=progress)
    else:
        painted_gzip.write_plain(file, head.getvalue(), _bytes_of(data))


def _data_to_write(image: SpatialImage) -> NDArray[Any] | PaintedArray:
    """Return what is painted as such, and everything else as an array."""
    data = image.dataobj
    if not isinstance(data, PaintedArray):
        with readable(f"the image {image.get_filename() or 'in memory'}"):
            return storable(np.asanyarray(data))
    now = edited(image)
    return data if now is None else now


def _as_edited(image: PaintedImage) -> nib.Nifti1Image:
    """Return an image that nibabel writes, with the data as they were edited, if they were."""
    kind = nib.Nifti2Image if isinstance(image, nib.Nifti2Image) else nib.Nifti1Image
    data = _data_to_write(image)
    plain = kind(data, image.affine, image.header)
    if not isinstance(data, PaintedArray):
        plain.set_data_dtype(data.dtype)
    plain.file_map = image.file_map
    return plain


def _writing_header(image: SpatialImage, array: NDArray[Any] | PaintedArray) -> Any:
    """Return the header to write: what it says of the data is what is true of the array."""
    if not isinstance(image, nib.Nifti1Image):
        # Of another format, or one of a NIfTI pair.
        new = VolumeGrid.of(image).header(array.dtype, array.shape)
        t_r = t_r_of(image)
        if t_r is not None:
            _set_t_r(new, t_r)
        return new
    # Data go out in the byte order of this machine, wherever the header comes from.
    header = image.header.as_byteswapped(native_code)
    header.extensions = image.header.extensions  # which another byte order loses
    if not np.allclose(header.get_best_affine(), image.affine, equal_nan=True):
        # As nibabel does for an affine that was changed.
        header.set_sform(image.affine, code="aligned")
        header.set_qform(image.affine, code="unknown")
    header.set_data_dtype(array.dtype)
    header.set_data_shape(array.shape)
    header.set_slope_inter(1, 0)
    header.set_data_offset(0)  # to be found anew
    return header


def _set_t_r(header: nib.Nifti1Header, t_r: float) -> None:
    header["xyzt_units"] = (header["xyzt_units"] & UNIT_OF_SPACE) | SECONDS
    header["pixdim"][4] = t_r


def _bytes_of(block: NDArray[Any]) -> memoryview:
    return np.asfortranarray(block).reshape(-1, order="F").view(np.uint8).data


def _no_progress(done: int, total: int) -> None:
    pass


def _check_mgh_dtype(data: Any) -> None:
    """Raise where MGH files cannot hold the dtype of an array, also before it is made."""
    if isinstance(data, np.ndarray | PaintedArray) and storage_dtype(data.dtype) not in _MGH_DTYPES:
        raise SignalsTypeError(
            f"MGH files hold uint8, int16, int32 and float32; this image is {data.dtype}. "
            "Paint it with dtype='float32' (--dtype float32), or write .nii.gz."
        )


def _write_mgh(image: SpatialImage, path: Path) -> None:
    data = _data_to_write(image)
    _check_mgh_dtype(data)
    array = np.asanyarray(data)
    if array.shape[3:] == (1,):  # MGH files do not tell a series of one volume from a volume
        array = array[..., 0]
    converted = nib.MGHImage(array, image.affine)
    converted.header.set_data_dtype(array.dtype)
    t_r = t_r_of(image)
    if t_r is not None and array.ndim == 4:
        converted.header.set_zooms((*converted.header.get_zooms()[:3], t_r * _MILLISECONDS))
    converted.to_filename(path)
