"""Parcellations on other spaces, where that is a matter of bookkeeping.

The vertices of a surface are among the grayordinates of a CIFTI file of the same mesh, and so
are the voxels of a volume.  Each sample of the new space gets the region of the sample that is
at its place, if there is one.  What would need resampling is an error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ResamplingWarning, SpaceError, capitalized, examples, plural, warn
from .hemispheres import UNKNOWN
from .spaces import (
    VOXELS,
    Grayordinates,
    SurfaceVertices,
    VolumeGrid,
    came_as_one_vector,
    divided,
    same_frame,
    structure_name,
    vector_needed,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .parcellation import Parcellation
    from .spaces import Part, Space


def transferred(parcellation: Parcellation, space: Space, *, name: str) -> Parcellation:
    """Return the parcellation on another space.

    Raises `SpaceError` when surfaces have other meshes, volumes other grids, or nothing is shared.

    Parameters
    ----------
    parcellation : Parcellation
    space : VolumeGrid, SurfaceVertices or Grayordinates
    name : str
        What is on that space, for messages: ``"the image"``.
    """
    parcellation, space = beside(parcellation, space)
    source = parcellation.space
    are_surfaces = isinstance(source, SurfaceVertices) and isinstance(space, SurfaceVertices)
    # Parts correspond by the names of their hemispheres.  Where one has none, the vertices do all
    # the same, and the name of the other holds.
    is_side_unknown = UNKNOWN in {*source.parts, *space.parts}
    if are_surfaces and is_side_unknown and not source.difference(space):
        known = source if UNKNOWN in space.parts else space
        return replace(parcellation, space=known)
    codes = moved(parcellation.codes, source, space, what="the labels image", name=name)
    if came_as_one_vector(source) and isinstance(space, SurfaceVertices | Grayordinates):
        space = replace(space, is_one_vector=True)
    moved_atlas = replace(parcellation, codes=codes, space=space)
    _warn_of_vanished(parcellation, moved_atlas, name)
    return moved_atlas


def beside(parcellation: Parcellation, space: Space) -> tuple[Parcellation, Space]:
    """Return a parcellation and a space; one that is one vector, as the hemispheres of the other.

    See `divided`.
    """
    space = divided(space, parcellation.space)
    source = divided(parcellation.space, space)
    if source is not parcellation.space:
        parcellation = replace(parcellation, space=source)
    return parcellation, space


def moved(
    values: NDArray[Any], space: Space, target: Space, *, what: str, name: str, missing: float = 0
) -> NDArray[Any]:
    """Return values of the samples of one space for those of another.

    Raises `SpaceError` as `transferred`.

    Parameters
    ----------
    values : array, shape of `space`
    space, target : VolumeGrid, SurfaceVertices or Grayordinates
    what, name : str
        What is on the one and the other, for messages: ``"the labels image"``, ``"the image"``.
    missing : number, default=0
        For samples that the one space has not.
    """
    sources, targets = space.parts, target.parts
    shared = [part for part in targets if part in sources]
    if not shared:
        vector = vector_needed(target if UNKNOWN in sources else space)
        raise _nothing_shared(sources, targets, what, name, vector)
    for part in shared:
        difference = same_frame(sources[part].frame, targets[part].frame)
        if difference is not None:
            problem, detail = difference
            raise SpaceError(
                f"{problem} Of {structure_name(part)}, {name} {detail.format(this=what)} "
                "The one would have to be resampled to the other first."
            )
    out = np.full(target.shape, missing, values.dtype)
    old, new = values.reshape(-1), out.reshape(-1)
    for part in shared:
        source, wanted = sources[part], targets[part]
        new[wanted.samples] = _at_places(old[source.samples], source, wanted, missing)
    return out


def _at_places(values: NDArray[Any], source: Part, wanted: Part, missing: float) -> NDArray[Any]:
    """Return the values of the samples of one part for those of another part of its frame."""
    if isinstance(source.places, slice):  # all of the frame
        return values[wanted.places]
    frame = source.frame
    if isinstance(wanted.places, slice):
        size = math.prod(frame.shape) if isinstance(frame, VolumeGrid) else frame
        whole = np.full(size, missing, values.dtype)
        whole[source.places] = values
        return whole
    # Neither has all of the frame, which is as large as files say: samples they have to hold.
    _, in_source, in_wanted = np.intersect1d(
        source.places, wanted.places, assume_unique=True, return_indices=True
    )
    picked = np.full(len(wanted.places), missing, values.dtype)
    picked[in_wanted] = values[in_source]
    return picked


def _nothing_shared(
    sources: Mapping[str, Part], targets: Mapping[str, Part], what: str, name: str, vector: str
) -> SpaceError:
    known = targets if UNKNOWN in sources else sources
    if UNKNOWN in {*sources, *targets} and set(known) != {VOXELS}:
        return SpaceError(
            f"The hemisphere of {what if UNKNOWN in sources else name} is unknown. "
            "Begin the name of the file with lh. or rh., or give it as left= or right=."
            f"{vector}"
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


def _listed(parts: Mapping[str, Part]) -> str:
    """Return what a space is made of, in words."""
    surfaces = [structure_name(part) for part in parts if part != VOXELS]
    kinds = []
    if surfaces:
        kinds.append(f"of surfaces ({', '.join(surfaces)})")
    if VOXELS in parts:
        kinds.append("of a volume")
    return " and ".join(kinds)
