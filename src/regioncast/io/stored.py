"""What the files of images hold: as many numbers as their headers say, or an error.

A header is a few bytes and may say anything.  So nothing is made in the size that it says before
the file is seen to be long enough; and what is needed whole is read from its beginning to its end,
where the checksum of a compressed file is.  It is never mapped into memory: a file that somebody
shortens meanwhile would end the process.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from isal import igzip, igzip_threaded
from nibabel.arrayproxy import ArrayProxy
from nibabel.brikhead import AFNIArrayProxy
from nibabel.freesurfer.mghformat import MGHHeader
from nibabel.openers import ImageOpener
from nibabel.volumeutils import apply_read_scaling

from ..errors import FileFormatError, SignalsError, capitalized, plural, times
from ..files import readable
from ..formats import is_gzipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE_BYTES = 1 << 20
"""Files are read in pieces of this size, which stay in the cache on their way; it is what the
decompressing thread hands over."""

# Deflate writes at most 258 bytes for two bits.
_MOST_INFLATED = 1032


def is_stored(data: object) -> bool:
    """Return whether this is an array that lies in a file in one piece, and is not read yet."""
    # Just these types: what is derived from them may read otherwise.
    return type(data) in (ArrayProxy, AFNIArrayProxy)


def check_unmasked(data: object, what: str) -> None:
    """Raise `SignalsError` where numbers are masked: what is read of them would be the numbers."""
    if np.ma.is_masked(data):
        raise SignalsError(
            f"Some of {what} is masked, and an image has no masked numbers. Say what they are: "
            "array.filled(numpy.nan), for example."
        )


def check_stored(data: Any, what: str) -> None:
    """Raise `FileFormatError` where a file cannot hold the array that its header tells of.

    `what` is what messages call the image.  Arrays in memory are as they are.
    """
    if not is_stored(data) or not isinstance(data.file_like, str | os.PathLike):
        return
    path = Path(data.file_like)
    needed = int(data.offset) + math.prod(map(int, data.shape)) * data.dtype.itemsize
    with readable(f"{what} {path}"):
        size, most = path.stat().st_size, _most_bytes(path, needed)
    if min(*data.shape, data.offset) < 0 or needed > most:
        held = f"{size:,} bytes"
        if is_gzipped(path):
            held += f" compressed, {most:,} at most decompressed"
        raise FileFormatError(
            f"{capitalized(what)} is truncated or damaged: by its header {path} has "
            f"{times(data.shape)} numbers of {plural(data.dtype.itemsize, 'byte')} from byte "
            f"{int(data.offset):,} on, and it has {held}. Get the file again."
        )


def _most_bytes(path: Path, needed: int) -> int:
    """Return how many bytes there can be in a file once it is decompressed.

    Those of bzip2 and the like are counted, up to the number that is needed.
    """
    size = path.stat().st_size
    if is_gzipped(path):
        return size * _MOST_INFLATED
    if path.suffix.lower() not in ImageOpener.compress_ext_map:
        return size
    n_bytes = 0
    with ImageOpener(str(path)) as file:
        while n_bytes < needed and (piece := file.read(PIECE_BYTES)):
            n_bytes += len(piece)
    return n_bytes


def open_mgh(path: Path) -> nib.MGHImage:
    """Return an image of FreeSurfer's, whose data are not read yet.

    nibabel's own way leaves the file open.
    """
    with opened(path) as file:
        sizes = np.frombuffer(file.read(20)[4:], ">i4")
        if min(sizes, default=0) < 0:  # by which the end of the data would be looked for
            raise ValueError(f"its sizes are {times(sizes)}")
        file.seek(0)
        header = MGHHeader.from_fileobj(file)
    image = nib.MGHImage(ArrayProxy(str(path), header), header.get_affine(), header)
    image.file_map["image"].filename = str(path)
    return image


def read_stored(data: Any) -> NDArray[Any]:
    """Return the values of an array, read from its file to the end; any other as NumPy makes it.

    Raises `EOFError` when the file ends early.
    """
    if not is_stored(data):
        return np.asanyarray(data)
    stored = np.empty(math.prod(data.shape), data.dtype)
    with opened(data.file_like) as file:
        skip(file, int(data.offset))
        # Memory is taken from the system where it is written to: for what is there, not more.
        left = stored.view(np.uint8).data
        while left:
            n_read = file.readinto(left[:PIECE_BYTES])
            if not n_read:
                raise EOFError(f"the file ends {len(left):,} bytes early")
            left = left[n_read:]
        skip_rest(file)
    array = stored.reshape(data.shape, order=data.order)
    if isinstance(data, AFNIArrayProxy):
        return array if data.scaling is None else array * data.scaling
    scaled: NDArray[Any] = apply_read_scaling(
        array, np.asanyarray(data.slope), np.asanyarray(data.inter)
    )
    return scaled


def opened(source: Any, *, ahead: bool = False) -> AbstractContextManager[Any]:
    """Open what an array proxy reads: a name or a file.

    Not what the image names: once it is saved, that is another file, of another dtype maybe.
    With `ahead`, a thread inflates what is compressed.  It shares conditions with its reader, which
    is not to be the main thread: interrupted, that may wait for them without an end.
    """
    if not isinstance(source, str | os.PathLike):
        source.seek(0)
        return ImageOpener(source)
    path = str(source)
    if not is_gzipped(Path(path)):
        return ImageOpener(path)
    file: AbstractContextManager[Any] = _inflated_ahead(path) if ahead else igzip.open(path, "rb")
    return file


@contextmanager
def _inflated_ahead(path: str) -> Iterator[Any]:
    with Path(path).open("rb") as file:
        try:
            stream = igzip_threaded.open(file, "rb", threads=1, block_size=PIECE_BYTES)
        except RuntimeError:  # the system has no thread left
            stream = igzip.open(file, "rb")
        with stream:
            yield stream


def skip(file: Any, n_bytes: int) -> None:
    """Read over what comes before the data."""
    while n_bytes > 0:
        n_read = len(file.read(min(n_bytes, PIECE_BYTES)))
        if not n_read:
            raise EOFError("the file ends before its data begin")
        n_bytes -= n_read


def skip_rest(file: Any) -> None:
    """Read on to the end, where the checksum of a compressed file is, without keeping it."""
    while file.read(PIECE_BYTES):
        pass
