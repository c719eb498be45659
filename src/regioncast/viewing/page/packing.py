"""Meshes of surfaces in few bytes.

A page holds of each mesh where its vertices are, in steps so small that nobody sees them, its
triangles, the code of a region per vertex, and in bits where the surface lies deep.  Vertices and
triangles stay in their order.  In that order neighbours in the list are near each other in space,
so differences between them are small; ``meshes.js`` sums them up again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..meshes import SIDE_OF
from ..volumes import codes_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...io.surface.meshes import Mesh
    from ..scene import Scene

# Of the longest edge of the box around a mesh: 0.04 mm for a human brain.
N_STEPS = 2**12 - 1


def packed_meshes(scene: Scene) -> tuple[list[dict[str, Any]], dict[str, NDArray[Any]]]:
    """Return what a page says of the meshes of a scene, and their arrays by name.

    Each entry names the arrays of its mesh.  Meshes with the same triangles, as the two hemispheres
    of most templates have them, share one array of these.

    Parameters
    ----------
    scene : Scene
        Of its meshes, those are packed that are of a part of its atlas.
    """
    entries: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for structure, mesh in scene.meshes.items():
        if structure not in scene.atlas.space.parts:
            continue
        entry, of_mesh = packed_mesh(mesh, codes_in(scene.atlas, structure))
        entry["side"] = SIDE_OF.get(structure, 0)
        for title, array in of_mesh.items():
            entry[title] = _name_of(array, arrays, f"mesh{len(entries)}-{title}")
        entries.append(entry)
    return entries, arrays


def _name_of(array: NDArray[Any], arrays: dict[str, NDArray[Any]], name: str) -> str:
    """Return by which name an array is among others, after adding it where it is not."""
    for other_name, other in arrays.items():
        if np.array_equal(array, other) and array.dtype == other.dtype:
            return other_name
    arrays[name] = array
    return name


def packed_mesh(mesh: Mesh, codes: NDArray[Any]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what a page says of a mesh, and its arrays.

    A coordinate is ``origin + step * number``, and so at most half a step from where it was.

    Parameters
    ----------
    mesh : Mesh
    codes : array of unsigned int, shape (n_vertices,)

    Returns
    -------
    entry : dict
        The name of the mesh, numbers of vertices and faces, origin and step.
    arrays : dict
        ``coordinates`` and ``faces``, arrays of uint8 as `differences` returns them; ``codes``;
        and ``sulci``, eight vertices to a byte, where they are known.
    """
    coordinates = np.asarray(mesh.coordinates, np.float64)
    origin = coordinates.min(0)
    # A mesh that is but a point has no extent, and needs a step all the same.
    step = float((coordinates.max(0) - origin).max()) / N_STEPS or 1.0
    entry = {
        "name": mesh.name,
        "nVertices": len(coordinates),
        "nFaces": len(mesh.faces),
        "origin": origin.tolist(),
        "step": step,
    }
    arrays = {
        "coordinates": differences(np.rint((coordinates - origin) / step)),
        "faces": differences(mesh.faces),
        "codes": codes,
    }
    if mesh.sulci is not None:
        arrays["sulci"] = np.packbits(mesh.sulci)
    return entry, arrays


def differences(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Return rows of integers as the differences between each and the one before, in bytes.

    The differences of the first column come first.  One of d is written as 2d, or as -2d - 1 where
    it is negative, so that small ones have small numbers; and of all numbers the lowest bytes come
    first, since those above are mostly 0 and pack well.

    Parameters
    ----------
    rows : array of integral values, shape (n, m)

    Returns
    -------
    array of uint8, shape (n_bytes * n * m,)

    Examples
    --------
    >>> differences(np.array([[5, 300], [4, 300]])).tolist()
    [10, 1, 88, 0, 0, 0, 2, 0]
    """
    steps = np.diff(rows.astype(np.int64), axis=0, prepend=0).T
    numbers = np.where(steps < 0, -2 * steps - 1, 2 * steps).astype(np.uint32).reshape(-1)
    n_bytes = max(1, (int(numbers.max(initial=0)).bit_length() + 7) // 8)
    planes = numbers[None] >> (8 * np.arange(n_bytes, dtype=np.uint32)[:, None]) & 255
    packed: NDArray[np.uint8] = planes.astype(np.uint8).reshape(-1)
    return packed
