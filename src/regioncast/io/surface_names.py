"""What the names of surface files say: format, hemisphere, and which two make a pair."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import (
    FileFormatError,
    InputMissingError,
    OutputError,
    SpaceError,
    examples,
    plural,
)
from ..region_table import hemisphere_in_words
from ..spaces import HEMISPHERE_NAMES, LEFT, RIGHT, UNKNOWN
from . import suffix_of, suffixes
from .files import expanded

STRUCTURE = "AnatomicalStructurePrimary"
"""Key of the hemisphere in the metadata of GIFTI, whose values are `STRUCTURES`."""

STRUCTURES = {LEFT: "CortexLeft", RIGHT: "CortexRight"}

# Of one name, what says the hemisphere: BIDS' entity before FreeSurfer's beginning before the rest.
_IN_NAME = (
    re.compile(r"hemi-(l|r|lh|rh|left|right)(?![a-z0-9])"),
    re.compile(r"^(lh|rh)(?=\.)"),
    re.compile(r"(?<![a-z0-9])(l|r|lh|rh|left|right)(?![a-z0-9])"),
)

# How names write the hemispheres where the placeholder {hemi} stands.
_SPELLINGS = (("L", "R"), ("lh", "rh"), ("left", "right"), ("l", "r"))

_PLACEHOLDER = "{hemi}"

# Endings by which formats are known.
GIFTI = re.compile(r"(\.(label|shape|func|surf|annot))?\.gii(\.gz)?$", re.IGNORECASE)
MGH = re.compile(r"\.(mgh|mgz|mgh\.gz)$", re.IGNORECASE)
ANNOTATION = re.compile(r"\.annot$", re.IGNORECASE)
TEXT = re.compile(r"\.(txt|csv)$", re.IGNORECASE)
NUMPY = re.compile(r"\.npy$", re.IGNORECASE)

# FreeSurfer's names of values per vertex, as lh.thickness or lh.area.pial.
MORPHOMETRY = re.compile(
    r"\.(avg_curv|curv|sulc|thickness|area|volume|jacobian_white|pial_lgi|crv)"
    r"(\.(pial|mid|white))?$",
    re.IGNORECASE,
)

BY_NAME = (GIFTI, ANNOTATION, MORPHOMETRY, TEXT)

# Beginnings of endings that promise more than values of vertices.
_NO_OUTPUT = (".surf", ".annot")


def hemisphere_in_name(path: str | os.PathLike[str]) -> str:
    """Return the hemisphere that a file name says, ``"?"`` where it says none or both."""
    name = Path(path).name.lower()
    for pattern in _IN_NAME:
        found = {hemisphere_in_words(match[1]) or UNKNOWN for match in pattern.finditer(name)}
        if len(found) == 1:
            return found.pop()
    return UNKNOWN


def names_in(source: str | os.PathLike[str]) -> list[str]:
    """Return the two names with a comma between, or the one name that this is."""
    name = os.fspath(source)
    names = name.split(",")
    return names if len(names) == 2 and all(names) and not _exists(name) else [name]


def is_pattern(source: str | os.PathLike[str]) -> bool:
    """Return whether this is a pattern, and not the name of a file."""
    name = os.fspath(source)
    return (_PLACEHOLDER in name or "?" in name or "*" in name) and not _exists(name)


def _exists(name: str) -> bool:
    try:
        return expanded(name).exists()
    except (OSError, ValueError):  # too long, or with a zero byte
        return False


def files_found(pattern: str) -> dict[str, str]:
    """Return the left and the right file that a pattern finds, or raise."""
    found = pair_found(pattern)
    if len(found) == 2:
        return found
    files = _files(pattern)
    if not files:
        raise InputMissingError(f"No file has a name like {pattern}. Check the name.")
    missing = [HEMISPHERE_NAMES[side] for side in (LEFT, RIGHT) if side not in found]
    raise SpaceError(
        f"{pattern} finds no pair of a left and a right surface: just one "
        f"{' and just one '.join(missing)} is needed, and it finds {plural(len(files), 'file')}: "
        f"{examples(files)}. Name the two, with a comma between."
    )


def pair_found(pattern: str) -> dict[str, str]:
    """Return the hemispheres of which a pattern finds just one file."""
    if _PLACEHOLDER in pattern:
        found = {
            hemisphere: {
                file
                for pair in _SPELLINGS
                for file in _glob(pattern.replace(_PLACEHOLDER, pair[side]))
            }
            for side, hemisphere in enumerate((LEFT, RIGHT))
        }
    else:
        files = _glob(pattern)
        found = {
            side: {file for file in files if hemisphere_in_name(file) == side}
            for side in (LEFT, RIGHT)
        }
    return {side: files.pop() for side, files in found.items() if len(files) == 1}


def _files(pattern: str) -> list[str]:
    return _glob(pattern.replace(_PLACEHOLDER, "*"))


def _glob(pattern: str) -> list[str]:
    return sorted(glob.glob(str(expanded(pattern))))  # noqa: PTH207  of a whole path


def output_paths(path: str | os.PathLike[str], sides: Sequence[str]) -> list[Path]:
    """Return the files that an output is written to, one per hemisphere.

    Parameters
    ----------
    path : path
        ``left.func.gii,right.func.gii``, in the order that the names say, and in this one where
        neither says any; a pattern with one ``?`` or ``{hemi}`` where the hemisphere stands
        (``?h`` is ``lh`` and ``rh``, else ``L`` and ``R``); or one name.  Where there are two
        hemispheres, each takes the place of the one in that name, or else comes before the
        ending.
    sides : sequence of str
        The hemispheres, left first.

    Raises
    ------
    FileFormatError
        When the ending is none that values of vertices are written to.
    OutputError
        When there is not one name per hemisphere, or a name says the other one.

    Examples
    --------
    >>> [str(path) for path in output_paths("out.func.gii", ["L", "R"])]
    ['out.L.func.gii', 'out.R.func.gii']
    >>> [str(path) for path in output_paths("?h.out.mgh", ["L", "R"])]
    ['lh.out.mgh', 'rh.out.mgh']
    >>> [str(path) for path in output_paths("lh.out.mgh", ["L", "R"])]
    ['lh.out.mgh', 'rh.out.mgh']
    """
    name = os.fspath(path)
    names = name.split(",")
    if len(names) == 1 or not all(map(_ending_in, names)):
        names = [_output_name(name, side, n_sides=len(sides)) for side in sides]
    if len(set(names)) != len(sides) or len(names) != len(sides):
        raise OutputError(
            f"{name} names {plural(len(set(names)), 'file')}, and {len(sides)} "
            f"{'is' if len(sides) == 1 else 'are'} written: the "
            f"{' and the '.join(HEMISPHERE_NAMES[side] for side in sides)}. Name one for each."
        )
    for one in names:
        ending_of(one)
    if list(map(hemisphere_in_name, names)) == list(reversed(sides)) == [RIGHT, LEFT]:
        names.reverse()
    for one, side in zip(names, sides, strict=True):
        _check_side(one, side)
    return [expanded(one) for one in names]


def _check_side(name: str, side: str) -> None:
    """Raise where the name of an output says another hemisphere than it is for."""
    said = hemisphere_in_name(name)
    if UNKNOWN not in (said, side) and said != side:
        raise OutputError(
            f"The {HEMISPHERE_NAMES[side]} would be written to {Path(name).name}, whose name says "
            f"the {HEMISPHERE_NAMES[said]}. Choose another name."
        )


def _output_name(name: str, side: str, *, n_sides: int) -> str:
    if "?" in name or _PLACEHOLDER in name:
        if side == UNKNOWN:
            raise OutputError(
                f"Which hemisphere is to stand in {name} is not known. Give the labels as a "
                "mapping, {'left': …} or {'right': …}, or an output without a placeholder."
            )
        letters = re.sub(r"(\?|\{hemi\})(?=h(?![a-z]))", side.lower(), name)
        return re.sub(r"\?|\{hemi\}", side, letters)
    if n_sides == 1:
        return name
    ending = ending_of(name)
    if hemisphere_in_name(name) != UNKNOWN:
        return _with_side(name, side)
    return f"{name.removesuffix(ending)}.{side}{ending}"


def _with_side(name: str, side: str) -> str:
    """Return a name that says a hemisphere with another one, written the same way."""
    folder, last = os.path.split(name)
    pattern = next(one for one in _IN_NAME if one.search(last.lower()))

    def other(match: re.Match[str]) -> str:
        before, word = match[0][: -len(match[1])], match[1]
        pair = next(pair for pair in _SPELLINGS if word.lower() in map(str.lower, pair))
        new = pair[side == RIGHT].lower()
        cased = new.upper() if word.isupper() else new.title() if word.istitle() else new
        return f"{before}{cased}"

    return os.path.join(folder, re.sub(pattern.pattern, other, last, flags=re.IGNORECASE))  # noqa: PTH118


def ending_of(name: str) -> str:
    """Return the ending of an output; raise where values of vertices are not written so."""
    ending = _ending_in(name)
    if ending is None:
        raise FileFormatError(
            f"Cannot write values of vertices to {Path(name).name!r}: a surface is written as "
            f"{', '.join(suffixes('image', 'surface'))}."
        )
    return ending


def _ending_in(name: str) -> str | None:
    for pattern in (GIFTI, MGH, MORPHOMETRY, NUMPY):
        found = pattern.search(name)
        if found and not found[0].lower().startswith(_NO_OUTPUT):
            is_written = suffix_of(Path(f"x{found[0]}")) in suffixes("image", "surface")
            return found[0] if is_written else None
    return None
