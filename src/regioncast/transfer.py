"""Parcellations on other spaces, where that is a matter of bookkeeping.

The vertices of a surface are among the grayordinates of a CIFTI file of the same mesh, and so
are the voxels of a volume.  Each sample of the new space gets the region of the sample that is
at its place, if there is one.  What would need resampling is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .errors import ResamplingWarning, SpaceError, capitalized, examples, plural, warn
from .parcellation import Parcellation
from .spaces import VolumeGrid, same_frame, structure_name

if TYPE_CHECKING:
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
    source, target = parcellation.space.parts, space.parts
    shared = [part for part in target if part in source]
    if not shared:
        raise SpaceError(
            f"{capitalized(name)} has no surface or volume of the labels: it has "
            f"{_listed(target)}, the labels have {_listed(source)}. From the one to the other "
            "they would need resampling; give labels for what the image has."
        )
    codes = np.zeros(space.shape, parcellation.codes.dtype)
    given, wanted = parcellation.codes.reshape(-1), codes.reshape(-1)
    for part in shared:
        _check_frames(source[part], target[part], part, name)
        whole = np.zeros(_size(source[part]), codes.dtype)
        whole[source[part].places] = given[source[part].samples]
        wanted[target[part].samples] = whole[target[part].places]
    moved = Parcellation(codes, parcellation.table, space)
    _warn_of_vanished(parcellation, moved, name)
    return moved


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


def _check_frames(source: Part, target: Part, part: str, name: str) -> None:
    difference = same_frame(source.frame, target.frame)
    if difference is not None:
        problem, detail = difference
        raise SpaceError(
            f"{problem} In {structure_name(part)}, {name} {detail.format(this='the labels image')} "
            "The one would have to be resampled to the other first."
        )


def _size(part: Part) -> int:
    return int(np.prod(part.frame.shape)) if isinstance(part.frame, VolumeGrid) else part.frame


def _listed(parts: dict[str, Part]) -> str:
    return ", ".join(map(structure_name, parts))
