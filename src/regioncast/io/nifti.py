"""Volumes in and out.

Whatever holds one volume can be read: NIfTI-1 and 2, single files and pairs, MGH, Analyze,
AFNI and every other volume that nibabel knows, on disk or in memory.  Compressed files are
read to their end, so that a truncated or damaged one is an error and never a shorter image.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from isal import igzip
from isal.igzip_lib import IsalError
from nibabel.filebasedimages import FileBasedImage, ImageFileError
from nibabel.fileholders import FileHolder
from nibabel.spatialimages import HeaderDataError, SpatialImage

from ..errors import (
    DimensionError,
    FileFormatError,
    ImageTypeError,
    SignalsTypeError,
)
from ..painting import PaintedArray
from ..spaces import VolumeGrid
from .files import existing_file, replacing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..matching import Match

    Progress = Callable[[int, int], None]

Niimg = str | os.PathLike[str] | SpatialImage

VOLUME_SUFFIXES = (".nii.gz", ".nii", ".mgz", ".mgh")
"""Endings of the volumes that are written."""

_GZIPPED = (".gz", ".mgz")

# ISA-L's levels go from 0 to 3; 2 is its default.
_GZIP_LEVEL = 2

# Maps are painted and written in blocks of about this many bytes.
_BLOCK_BYTES = 64_000_000

# What nibabel and the decompressors raise for files that are damaged.
_DAMAGED: tuple[type[Exception], ...] = (
    EOFError,
    OSError,
    ValueError,
    zlib.error,
    IsalError,
    HeaderDataError,
)


class PaintedImage(nib.Nifti1Image):
    """A NIfTI image whose data are made from codes and values when they are asked for.

    Made by `regioncast.paint`; used as any `nibabel.Nifti1Image`.  ``img.dataobj[..., 3]``
    and ``img.slicer[..., 3:5]`` paint that part only; ``np.asarray(img.dataobj)`` and
    ``img.get_fdata()`` paint all of it.  It pickles to the size of its codes and values.
    """

    match: Match | None = None
    """What went where; None for parts and copies."""

    def __reduce__(self) -> tuple[Any, ...]:
        if not isinstance(self.dataobj, PaintedArray):
            return super().__reduce__()  # type: ignore[return-value]
        return type(self), (self.dataobj, self.affine, self.header)

    def to_filename(self, filename: str | os.PathLike[str], **kwargs: Any) -> None:
        """Write the image, streaming it; the old file stays until the new one is whole.

        As with every nibabel image, an existing file is replaced.  `regioncast.save` asks
        first.
        """
        path = Path(filename)
        if kwargs or suffix_of(path) not in (".nii", ".nii.gz"):
            super().to_filename(filename, **kwargs)
            return
        save_volume(self, path, overwrite=True)
        self.file_map = self.filespec_to_file_map(filename)


class PaintedImage2(PaintedImage, nib.Nifti2Image):
    """The same for images with a dimension that NIfTI-1 cannot hold."""


def painted_image(array: PaintedArray, grid: VolumeGrid, *, t_r: float | None) -> PaintedImage:
    """Return the lazy image of a painted array on a grid."""
    header = grid.header(array.dtype, array.shape)
    if t_r is not None:
        header.set_xyzt_units(xyz=header.get_xyzt_units()[0], t="sec")
        header["pixdim"][4] = t_r
    image_class = PaintedImage2 if isinstance(header, nib.Nifti2Header) else PaintedImage
    return image_class(array, grid.affine, header)


def plain_image(array: NDArray[Any], grid: VolumeGrid) -> nib.Nifti1Image:
    """Return the eager image of an array on a grid."""
    header = grid.header(array.dtype, array.shape)
    image_class = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    return image_class(array, grid.affine, header)


def read_volume(source: Niimg, what: str) -> tuple[NDArray[Any], VolumeGrid]:
    """Return the array and the grid of a three-dimensional image.

    Parameters
    ----------
    source : path or nibabel image
        A path is a name, never a pattern.  One volume in four dimensions is a volume.
    what : str
        What the image is, for messages: ``"the labels image"``.

    Raises
    ------
    InputMissingError, FileFormatError, ImageTypeError, DimensionError
    """
    image = open_image(source, what)
    if len(image.shape) < 3 or any(n != 1 for n in image.shape[3:]):
        raise DimensionError(
            "Input data has incompatible dimensionality: Expected dimension is 3D and you "
            f"provided a {len(image.shape)}D image. {_capitalized(what)} has the shape "
            f"{image.shape}; give one volume."
        )
    with _readable(f"{what} {image.get_filename() or 'in memory'}"):
        data = np.asanyarray(image.dataobj)
    return data.reshape(data.shape[:3]), VolumeGrid.of(image)


def open_image(source: Niimg, what: str) -> SpatialImage:
    """Return a nibabel volume from a path or an image; its data may not be read yet."""
    if isinstance(source, SpatialImage):
        return source
    if isinstance(source, str | os.PathLike):
        path = existing_file(source, what)
        with _readable(f"{what} {path}"):
            return _volume(_load(path), what)
    return _volume(source, what)


def read_mask(source: Niimg, what: str) -> tuple[NDArray[np.bool_], VolumeGrid]:
    """Return where a mask image is neither zero nor NaN nor infinite, and its grid."""
    data, grid = read_volume(source, what)
    inside = data != 0
    return (inside & np.isfinite(data) if data.dtype.kind in "fc" else inside), grid


def label_table_extension(source: Niimg) -> bytes | None:
    """Return the Connectome Workbench label table of a volume (extension code 30), if any."""
    image = open_image(source, "the labels image")
    for extension in getattr(image.header, "extensions", ()):
        if extension.get_code() == _WORKBENCH_CODE:
            return bytes(extension.content)
    return None


def save_volume(
    image: SpatialImage, path: Path, *, overwrite: bool, progress: Progress | None = None
) -> None:
    """Write a volume whole or not at all, in the dtype of its values.

    Parameters
    ----------
    image : nibabel image
    path : Path
        Ending in one of `VOLUME_SUFFIXES`.
    overwrite : bool
        Whether an existing file may be replaced.
    progress : callable, default=None
        Called with the number of maps written and the number of all maps.

    Raises
    ------
    FileFormatError
        When the suffix is not known.
    SignalsTypeError
        When the format cannot hold the dtype.
    OutputExistsError, OutputError
    """
    suffix = volume_suffix(path)
    with replacing(path, suffix, overwrite=overwrite) as temporary:
        if suffix in (".mgz", ".mgh"):
            _write_mgh(image, temporary)
        else:
            _write_nifti(image, temporary, progress or _no_progress)


def volume_suffix(path: Path) -> str:
    """Return the suffix of a volume to write; raise where it is not known."""
    suffix = suffix_of(path)
    if suffix not in VOLUME_SUFFIXES:
        raise FileFormatError(
            f"Cannot tell the format of {path.name!r}: a volume is written as "
            f"{', '.join(VOLUME_SUFFIXES)}."
        )
    return suffix


def suffix_of(path: Path) -> str:
    """Return the ending of a file name, ``.nii.gz`` and its like as one, in lower case."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return "".join(suffixes[-2:]) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


# NIfTI's code for Connectome Workbench's extension.
_WORKBENCH_CODE = 30


@contextmanager
def _readable(what: str) -> Iterator[None]:
    """Turn what readers raise for bad files into one clear error."""
    try:
        yield
    except ImageFileError as error:
        raise FileFormatError(
            f"{_capitalized(what)} is not an image that nibabel can read: {error}"
        ) from error
    except (ImageTypeError, FileFormatError):
        raise
    except _DAMAGED as error:
        raise FileFormatError(
            f"{_capitalized(what)} is truncated or damaged: {error}. Get the file again."
        ) from error


def _load(path: Path) -> FileBasedImage:
    image = nib.load(path)
    if path.suffix.lower() not in _GZIPPED:
        return image
    with igzip.open(path, "rb") as stream:
        content = BytesIO(stream.read())
    files = dict(image.file_map)
    files["image"] = FileHolder(filename=str(path), fileobj=content)
    return type(image).from_file_map(files)


def _volume(image: object, what: str) -> SpatialImage:
    """Return a volume as it is; raise for everything else, saying what it is."""
    kind = type(image).__name__
    if isinstance(image, nib.Cifti2Image):
        raise ImageTypeError(
            f"{_capitalized(what)} is CIFTI (grayordinates); a volume is needed. "
            "Separate its volume, for example with wb_command -cifti-separate."
        )
    if isinstance(image, nib.GiftiImage) or kind == "SurfaceImage":
        raise ImageTypeError(
            f"{_capitalized(what)} is a surface ({kind}); a volume is needed. "
            "Give a labels image of voxels."
        )
    if not isinstance(image, SpatialImage):
        raise ImageTypeError(
            f"{_capitalized(what)} must be a path or a nibabel image; this is {kind}. "
            "For an array, make nibabel.Nifti1Image(array, affine)."
        )
    return image


def _write_nifti(image: SpatialImage, path: Path, progress: Progress) -> None:
    with path.open("wb") as file:
        if path.suffix != ".gz":
            _stream_nifti(image, file, progress)
            return
        # Without name and time the same image gives the same bytes.
        with igzip.IGzipFile(
            filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=file, mtime=0
        ) as stream:
            _stream_nifti(image, stream, progress)


def _stream_nifti(image: SpatialImage, stream: Any, progress: Progress) -> None:
    """Write header, extensions and data, painting a block of maps at a time."""
    header = image.header.copy()
    header.write_to(stream)
    data: Any = image.dataobj
    if len(data.shape) < 4:
        stream.write(_bytes_of(np.asarray(data)))
        return
    map_bytes = max(1, int(np.prod(data.shape[:3])) * data.dtype.itemsize)
    step = max(1, _BLOCK_BYTES // map_bytes)
    for start in range(0, data.shape[3], step):
        stream.write(_bytes_of(np.asarray(data[..., start : start + step])))
        progress(min(start + step, data.shape[3]), data.shape[3])


def _bytes_of(block: NDArray[Any]) -> memoryview:
    return np.asfortranarray(block).reshape(-1, order="F").view(np.uint8).data


def _no_progress(done: int, total: int) -> None:
    pass


def _write_mgh(image: SpatialImage, path: Path) -> None:
    try:
        converted = nib.MGHImage.from_image(image)
    except HeaderDataError as error:
        raise SignalsTypeError(
            f"MGH files hold uint8, int16, int32 and float32; this image is "
            f"{image.get_data_dtype()}. Pass dtype='float32', or write .nii.gz."
        ) from error
    converted.to_filename(path)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
