"""The meshes of surfaces: where vertices are, and which of them form triangles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Mesh(NamedTuple):
    """The mesh of one hemisphere.

    Parameters
    ----------
    coordinates : array of float64, shape (n_vertices, 3)
        In mm: right, anterior, superior.
    faces : array of int32, shape (n_faces, 3)
        The vertices of each triangle, counter-clockwise as seen from outside.
    sulci : array of bool, shape (n_vertices,), default=None
        Where the surface lies deep, to be drawn darker, where it is known.
    name : str, default=""
        What it is, for people: ``"fsaverage5 pial"``, or the name of a file.
    """

    coordinates: NDArray[Any]
    faces: NDArray[Any]
    sulci: NDArray[Any] | None = None
    name: str = ""
