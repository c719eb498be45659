"""GIFTI files as nibabel reads them, with arrays that are no larger than they say."""

from __future__ import annotations

import base64
import math
import re
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.gifti.parse_gifti_fast import GiftiImageParser
from nibabel.gifti.util import array_index_order_codes, gifti_encoding_codes, gifti_endian_codes
from nibabel.nifti1 import data_type_codes

from ...errors import FileFormatError
from ...files import existing_file
from ..stored import opened, skip_rest

if TYPE_CHECKING:
    from nibabel.gifti.gifti import GiftiDataArray, GiftiImage

# nibabel's name of data that are compressed and written as text.
_COMPRESSED = "B64GZ"
# And of those that are in a file of their own.
_EXTERNAL = "External"

# How sizes of arrays are titled; "Dimensionality" is how many there are.
_SIZE = re.compile(r"Dim\d+")


def read_gifti(path: Path) -> GiftiImage | None:
    """Return the image in a file, None where the file is XML of another sort.

    Raises `ValueError` when an array has not the size that it says; nibabel and the parser of XML
    raise others.
    """
    parser = _Parser(mmap=False)
    with opened(path) as file:
        # By the name, others are found beside it.
        parser.parse(fptr=SimpleNamespace(read=file.read, name=str(path)))
        skip_rest(file)
    image: GiftiImage | None = parser.img
    return image


class _Parser(GiftiImageParser):
    """nibabel's parser, which takes no more memory than arrays say that they have."""

    def StartElementHandler(self, name: str, attrs: dict[str, str]) -> None:  # noqa: N802  expat
        if name == "DataArray":
            sizes = [int(attrs[title]) for title in attrs if _SIZE.fullmatch(title)]
            n_dimensions = int(attrs.get("Dimensionality", 0))
            if n_dimensions > len(sizes) or min(sizes, default=0) < 0:
                raise ValueError(f"an array of {n_dimensions:,} dimensions has the sizes {sizes}")
        super().StartElementHandler(name, attrs)
        array: Any = self.da
        if name == "Data" and gifti_encoding_codes.label[array.encoding] == _EXTERNAL:
            _check_external(array, Path(str(self.fname)))

    def flush_chardata(self) -> None:
        array: Any = self.da
        if self.write_to != "Data" or array is None:
            super().flush_chardata()
            return
        text = "".join(self._char_blocks or ())
        encoding = gifti_encoding_codes.label[array.encoding]
        if text and encoding == _COMPRESSED:
            inflate(array, text)
            self._char_blocks = None
        elif text or encoding == _EXTERNAL:  # whose element is empty
            super().flush_chardata()


def _check_external(array: Any, gifti: Path) -> None:
    """Look at a file of values beside a GIFTI file before it is read: CAT12 and SPM write some."""
    dtype = np.dtype(str(data_type_codes.dtype[array.datatype]))
    # A file that somebody sent is not to choose what is read of this machine.
    if not array.ext_fname or Path(array.ext_fname).name != array.ext_fname:
        raise FileFormatError(
            f"The values of {gifti.name} are to be in {array.ext_fname!r}, and only a file beside "
            "it is read. Bring that file here, and name it so in the GIFTI file."
        )
    file = existing_file(gifti.parent / array.ext_fname, f"the file of values of {gifti.name}")
    n_bytes = array.ext_offset + math.prod(array.dims) * dtype.itemsize
    missing = n_bytes - file.stat().st_size
    if missing > 0:
        raise FileFormatError(
            f"The values of {gifti.name} are in {file}, which is truncated or damaged: "
            f"{missing:,} bytes are missing. Get both files again."
        )


def inflate(array: GiftiDataArray, text: str) -> None:
    """Set the data of an array from compressed text, as many as it is to have."""
    byte_order = gifti_endian_codes.byteorder[array.endian]
    native: Any = data_type_codes.dtype[array.datatype]
    dtype = native.newbyteorder(byte_order)
    n_bytes = math.prod(array.dims) * dtype.itemsize
    inflater = zlib.decompressobj()
    # One byte more shows that there are more; the rest stays compressed.
    content = bytearray(inflater.decompress(base64.b64decode(text), n_bytes + 1))
    if len(content) != n_bytes:
        held = "more" if len(content) > n_bytes else f"{len(content):,}"
        raise ValueError(f"an array of {n_bytes:,} bytes has {held}")
    if not inflater.eof:
        raise ValueError("the compressed data of an array are cut off")
    order: Any = array_index_order_codes.npcode[array.ind_ord]
    array.data = np.frombuffer(content, dtype).reshape(tuple(array.dims), order=order)
