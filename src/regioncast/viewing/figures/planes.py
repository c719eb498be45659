"""The three planes in which a volume is cut, and where its voxels are in their pictures."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...errors import ArgumentError, examples
from .layout import with_minus

if TYPE_CHECKING:
    from ..volumes import Volume

# A cut is oblique where a voxel further along another axis is this much of a mm off.
_OFF = 1e-3


class Plane(NamedTuple):
    """How cuts across one axis are looked at.

    Parameters
    ----------
    name, letter : str
        Of the plane, and of the coordinate that tells its cuts apart.
    right, up : int
        The axes that go to the right and up.
    ends : tuple of str
        Where the left and the right end of a picture lead to.
    """

    name: str
    letter: str
    right: int
    up: int
    ends: tuple[str, str]


PLANES = (
    Plane("sagittal", "x", 1, 2, ("P", "A")),
    Plane("coronal", "y", 0, 2, ("L", "R")),
    Plane("axial", "z", 0, 1, ("L", "R")),
)


def mm_of(volume: Volume, axis: int, index: float) -> float:
    """Return where a layer of voxels is along its axis, in the middle of the volume."""
    at = (np.array(volume.codes.shape) - 1) / 2
    at[axis] = index
    return float(volume.affine[axis] @ np.append(at, 1.0))


def edge_of(volume: Volume, axis: int, index: float) -> float:
    """Return where a layer of voxels begins along an edge of a picture, in mm.

    Of an oblique volume, the middle of the picture is where it says, and a mm is one mm.
    """
    middle: float = (volume.codes.shape[axis] - 1) / 2
    return mm_of(volume, axis, middle) + (index - 0.5 - middle) * float(volume.zooms[axis])


def caption_of(volume: Volume, axis: int, index: int) -> str:
    """Return what is written below a cut."""
    along_others = np.delete(volume.affine[axis, :3], axis)
    is_oblique = bool(np.abs(along_others).max() > _OFF)
    relation, n_decimals = ("≈", 0) if is_oblique else ("=", 1)
    # Rounding must not leave a negative 0.
    mm = round(mm_of(volume, axis, index), n_decimals) + 0.0
    return f"{PLANES[axis].letter} {relation} {with_minus(f'{mm:g}')}"


def asked_cuts(cuts: object, n_maps: int) -> dict[int, int | list[float] | None]:
    """Return what is asked of each plane that is shown: a number of cuts, or their mm.

    Parameters
    ----------
    cuts : None, int, or mapping of ``"x"``, ``"y"``, ``"z"`` to int or mm
        None, and a number, are of all planes; but of several maps, of the axial one.
    n_maps : int

    Returns
    -------
    dict of int to int, list of float, or None
        By axis; None where no number was said.

    Raises
    ------
    ArgumentError
        When it is something else.
    """
    letters = "".join(plane.letter for plane in PLANES)
    if cuts is None or _is_count(cuts):
        cuts = dict.fromkeys(letters if n_maps == 1 else "z", cuts)
    if not isinstance(cuts, Mapping) or not cuts or not set(cuts) <= set(letters):
        raise ArgumentError(
            "cuts is a number of slices per row, or says for 'x', 'y' and 'z' how many, or at "
            f"which mm: cuts={{'x': [-40, 40], 'z': 5}}; not {cuts!r}."
        )
    return {letters.index(letter): _of_plane(letter, cuts[letter]) for letter in sorted(cuts)}


def _of_plane(letter: str, at: Any) -> int | list[float] | None:
    if at is None or _is_count(at):
        number: int | None = at
        return number
    try:
        listed = [float(at)] if isinstance(at, Real) else [float(mm) for mm in at]
    except (TypeError, ValueError):
        listed = []
    if not listed or not np.isfinite(listed).all():
        raise ArgumentError(
            f"cuts: {letter!r} is a number of slices, or their mm: [-40, 40]; not {at!r}."
        )
    return listed


def _is_count(cuts: object) -> bool:
    if isinstance(cuts, bool) or not isinstance(cuts, int | np.integer):
        return False
    return bool(cuts > 0)


def indices_at(volume: Volume, axis: int, listed: list[float]) -> list[int]:
    """Return which layers are nearest to some mm.

    Raises
    ------
    ArgumentError
        When some are outside the volume.
    """
    first, n_layers = mm_of(volume, axis, 0), volume.codes.shape[axis]
    step = mm_of(volume, axis, 1) - first
    indices: list[int] = np.rint((np.array(listed) - first) / step).astype(int).tolist()
    outside = [mm for mm, index in zip(listed, indices, strict=True) if not 0 <= index < n_layers]
    if outside:
        last = mm_of(volume, axis, n_layers - 1)
        raise ArgumentError(
            f"cuts: {PLANES[axis].letter} = {examples(outside)} is outside what there is to see, "
            f"which is from {first:g} to {last:g} mm."
        )
    return indices
