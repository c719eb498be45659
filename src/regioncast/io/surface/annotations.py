"""FreeSurfer's annotations, to the letter of their format.

nibabel reads them too, but returns the names in the order of the file and the colours in that of
the numbers of entries, and it returns neither those numbers nor those of the vertices.  So a
colour table whose entries are in another order, or that has gaps, would give regions the names of
others.

All numbers are big-endian int32 [1]_:

- the count of vertices, and for each its number and its colour (red + green·2⁸ + blue·2¹⁶);
- 1, where a colour table follows, else 0 or nothing;
- the count of its entries (the old form), or -2 and one more than the highest number of an entry
  (the new one); then the length of a file name and the name; in the new form, the count of entries;
- for each entry its number (in the new form; else they count from 0), the length of its name, the
  name, and red, green, blue and transparency.

References
----------
.. [1] FreeSurfer, ``MRISreadAnnotation`` (utils/mrisurf_io.cpp) and ``CTABreadFromBinary``
   (utils/colortab.cpp).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import FileFormatError, LabelsError, capitalized, examples, plural

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMBER = np.dtype(">i4")

_HAS_COLORS = 1
_NEW_FORM = -2


class Entry(NamedTuple):
    """An entry of a colour table."""

    number: int
    name: str
    color: tuple[int, int, int]

    @property
    def packed(self) -> int:
        """The colour as vertices have it."""
        red, green, blue = self.color
        return red + (green << 8) + (blue << 16)


@dataclass(frozen=True, eq=False)
class Annotation:
    """What an annotation holds.

    Parameters
    ----------
    colors : array of int, shape (n_vertices,)
        The colour of each vertex, as a number.
    entries : tuple of Entry
        In the order of the file.
    """

    colors: NDArray[np.int64]
    entries: tuple[Entry, ...]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The number of the entry of each vertex, shape (n_vertices,); -1 where it has none.

        As in FreeSurfer, a vertex of colour 0 is one that nobody has labelled, whatever entry has
        this colour.
        """
        packed = np.array([entry.packed for entry in self.entries])
        numbers = np.array([entry.number for entry in self.entries])
        order = np.argsort(packed, kind="stable")
        places = np.minimum(np.searchsorted(packed[order], self.colors), len(order) - 1)
        is_known = (packed[order][places] == self.colors) & (self.colors != 0)
        return np.where(is_known, numbers[order][places], -1)


def read_annotation(path: Path, what: str) -> Annotation:
    """Return what is in an annotation.

    Raises `FileFormatError` when the file ends too early, or its numbers cannot be those of an
    annotation; `LabelsError` when it has no colour table, or vertices of a colour that several
    entries have.

    Parameters
    ----------
    path : Path
    what : str
        What it is, for messages: ``"the labels image"``.
    """
    name = f"{capitalized(what)} {path}"
    content = _Content(path.read_bytes(), name)
    numbers, colors = content.numbers(2 * content.count("vertices")).reshape(-1, 2).T
    missing = np.setdiff1d(np.arange(len(numbers)), numbers).tolist()
    if missing:
        raise FileFormatError(
            f"{name} has {plural(len(numbers), 'vertex')} with numbers from {numbers.min():,} to "
            f"{numbers.max():,}; {plural(len(missing), 'number')} from 0 to {len(numbers) - 1:,} "
            f"{'is' if len(missing) == 1 else 'are'} not among them: {examples(missing)}. Give an "
            "annotation of the whole surface."
        )
    has_colors = not content.is_at_end and content.number() == _HAS_COLORS
    entries = _entries(content) if has_colors else ()
    if not entries:
        raise LabelsError(
            f"{name} has no colour table, so its labels have no names. "
            "Make the annotation again with one (for example mris_seg2annot --ctab)."
        )
    _check_told_apart(colors, entries, name)
    # Vertices may stand in any order, and maps of the surface are in that of their numbers.
    return Annotation(colors[np.argsort(numbers)], entries)


def _check_told_apart(colors: NDArray[np.int64], entries: Sequence[Entry], name: str) -> None:
    """Raise where vertices have a colour that entries of several names have."""
    names_of: dict[int, list[str]] = {}
    for entry in entries:
        if entry.packed and entry.name not in names_of.setdefault(entry.packed, []):
            names_of[entry.packed].append(entry.name)
    shared = [packed for packed, names in names_of.items() if len(names) > 1]
    n_vertices = int(np.count_nonzero(np.isin(colors, shared)))
    if n_vertices:
        alike = [" = ".join(names_of[packed]) for packed in shared if packed in colors]
        raise LabelsError(
            f"{name} has {plural(len(alike), 'colour')} of several regions: {examples(alike)}. "
            f"Vertices have colours and no names, so {plural(n_vertices, 'vertex')} of these "
            "cannot be told apart. Make the annotation again with a colour for each region."
        )


class _Content:
    """The bytes of a file, read from the beginning; an error where they end too early."""

    def __init__(self, content: bytes, name: str) -> None:
        self.name = name
        self._content, self._place = content, 0

    @property
    def is_at_end(self) -> bool:
        return self._place == len(self._content)

    def raw(self, n_bytes: int) -> bytes:
        left = len(self._content) - self._place
        if not 0 <= n_bytes <= left:
            raise FileFormatError(
                f"{self.name} is truncated or damaged: {n_bytes:,} bytes are to follow the first "
                f"{self._place:,}, and {left:,} do. Get the file again."
            )
        self._place += n_bytes
        return self._content[self._place - n_bytes : self._place]

    def numbers(self, count: int) -> NDArray[np.int64]:
        return np.frombuffer(self.raw(count * _NUMBER.itemsize), _NUMBER).astype(np.int64)

    def number(self) -> int:
        return int(self.numbers(1)[0])

    def count(self, of_what: str) -> int:
        count = self.number()
        if count <= 0:
            raise FileFormatError(
                f"{self.name} is damaged, or no annotation: it has {count:,} {of_what}. Get the "
                "file again."
            )
        return count

    def text(self) -> str:
        """Return text with its length before it; it may end with zero bytes."""
        return self.raw(self.number()).partition(b"\0")[0].decode(errors="replace").strip()


def _entries(content: _Content) -> tuple[Entry, ...]:
    form = content.number()
    is_new = form == _NEW_FORM
    if is_new:
        content.number()  # one more than the highest number of an entry
    elif form <= 0:
        raise FileFormatError(
            f"{content.name} has a colour table of version {-form}; 2 and tables without a version "
            "can be read. Make the annotation again."
        )
    content.text()  # the file that the table was read from
    count = content.number() if is_new else form
    entries = []
    for place in range(count):
        number = content.number() if is_new else place
        name = content.text()
        red, green, blue, _ = content.numbers(4).tolist()
        entries.append(Entry(number, name, (red & 255, green & 255, blue & 255)))
    return tuple(entries)
