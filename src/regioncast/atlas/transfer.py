"""Parcellations on other spaces, where that is a matter of bookkeeping.

The vertices of a surface are among the grayordinates of a CIFTI file of the same mesh, and so
are the voxels of a volume.  Each sample of the new space gets the region of the sample that is
at its place, if there is one.  What would need resampling is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ResamplingWarning, SpaceError, capitalized, examples, plural, warn
from .hemispheres import UNKNOWN
from .parcellation import Parcellation
from .spaces import VOXELS, SurfaceVertices, VolumeGrid, same_frame, structure_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .spaces import Part, Space


def transferred(parcellation: Parcellation, space: Space, *, name: str) -> Parcellation:
    """Return the parcellation on another space.

    Parameters
    ----------
    parcellation : Parcellation
    space : VolumeGrid, SurfaceVertices or Grayordinates
    name : str
        What is on that space, for messages: ``"the image"``.

    Raises
    ------
    SpaceError
        When surfaces have other meshes, volumes other grids, or nothing is shared.
    """
    if _may_be_same_surface(parcellation.space, space):
        known = parcellation.space if UNKNOWN in space.parts else space
        return Parcellation(parcellation.codes, parcellation.table, known)
    what = "the labels image"
    codes = moved(parcellation.codes, parcellation.space, space, what=what, name=name)
    moved_atlas = Parcellation(codes, parcellation.table, space)
    _warn_of_vanished(parcellation, moved_atlas, name)
    return moved_atlas


def _may_be_same_surface(space: Space, other: Space) -> bool:
    """Return whether these are surfaces of one mesh, and of one the hemisphere is not known."""
    is_surface = isinstance(space, SurfaceVertices) and isinstance(other, SurfaceVertices)
    return is_surface and UNKNOWN in {*space.parts, *other.parts} and not space.difference(other)


def moved(
    values: NDArray[Any], space: Space, target: Space, *, what: str, name: str, missing: float = 0
) -> NDArray[Any]:
    """Return values of the samples of one space for those of another.

    Parameters
    ----------
    values : array, shape of `space`
    space, target : VolumeGrid, SurfaceVertices or Grayordinates
    what, name : str
        What is on the one and the other, for messages: ``"the labels image"``, ``"the image"``.
    missing : number, default=0
        For samples that the one space has not.

    Raises
    ------
    SpaceError
        As `transferred`.
    """
    sources, targets = space.parts, target.parts
    shared = [part for part in targets if part in sources]
    if not shared:
        raise _nothing_shared(sources, targets, what, name)
    out = np.full(target.shape, missing, values.dtype)
    old, new = values.reshape(-1), out.reshape(-1)
    for part in shared:
        _check_frames(sources[part], targets[part], part, what=what, name=name)
        whole = np.full(_size(sources[part]), missing, values.dtype)
        whole[sources[part].places] = old[sources[part].samples]
        new[targets[part].samples] = whole[targets[part].places]
    return out


def _nothing_shared(
    sources: Mapping[str, Part], targets: Mapping[str, Part], what: str, name: str
) -> SpaceError:
    if UNKNOWN in sources or UNKNOWN in targets:
        return SpaceError(
            f"The hemisphere of {what if UNKNOWN in sources else name} is unknown. "
            "Begin the name of the file with lh. or rh., or give it as left= or right=."
        )
    are = "are" if what.endswith("s") else "is"
    return SpaceError(
        f"{capitalized(name)} is {_listed(targets)}, {what} {are} {_listed(sources)}. From the one "
        f"to the other it would take resampling; give {what} for what {name} is of."
    )


def _warn_of_vanished(before: Parcellation, after: Parcellation, name: str) -> None:
    rows = np.flatnonzero((after.counts == 0) & (before.counts > 0)).tolist()
    if rows:
        names = [after.table.unique_names[row] for row in rows]
        warn(
            f"{plural(len(rows), 'region')} of {len(after):,} "
            f"{'has' if len(rows) == 1 else 'have'} no {after.space.noun} of {name}: "
            f"{examples(names)}.",
            ResamplingWarning,
        )


def _check_frames(source: Part, target: Part, part: str, *, what: str, name: str) -> None:
    difference = same_frame(source.frame, target.frame)
    if difference is not None:
        problem, detail = difference
        raise SpaceError(
            f"{problem} Of {structure_name(part)}, {name} {detail.format(this=what)} "
            "The one would have to be resampled to the other first."
        )


def _size(part: Part) -> int:
    return int(np.prod(part.frame.shape)) if isinstance(part.frame, VolumeGrid) else part.frame


def _listed(parts: Mapping[str, Part]) -> str:
    """Return what a space is made of, in words."""
    surfaces = [structure_name(part) for part in parts if part != VOXELS]
    kinds = [f"of surfaces ({', '.join(surfaces)})"] if surfaces else []
    return " and ".join([*kinds, *["of a volume"] * (VOXELS in parts)])
