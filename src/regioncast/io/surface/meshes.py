"""The meshes of surfaces: where vertices are, and which of them form triangles.

A mesh comes in as the labels of its vertices do (see `files`): GIFTI and FreeSurfer's geometry, of
one hemisphere or a pair, nilearn's objects, or arrays.  Which hemisphere it is of is told the same
way.  Coordinates are taken as they are written: a transformation beside them in a GIFTI file, to
the space of a template, is not applied, as regions do not depend on it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nibabel as nib
import numpy as np
from nibabel.freesurfer.io import read_geometry
from nibabel.gifti.gifti import GiftiImage

from ...atlas.hemispheres import CORTEX, HEMISPHERE_NAMES, LEFT, RIGHT, UNKNOWN
from ...errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    ImageTypeError,
    MissingPackageError,
    SpaceError,
    examples,
    plural,
)
from ...files import existing_file, expanded, name_of_file, package_file, readable
from .files import sides_of
from .gifti import read_gifti

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...atlas.spaces import Space

FSAVERAGE5 = {"pial": "pial", "inflated": "infl", "white": "white", "sphere": "sphere"}
"""The words for surfaces of fsaverage5, and how nilearn calls them."""

_FSAVERAGE5_VERTICES = 10_242
_FOLDER = "datasets/data/fsaverage5"

# How FreeSurfer's files of triangles begin; the counts come after two ends of a line.
_TRIANGLES_MAGIC = b"\xff\xff\xfe"
_MOST_COMMENT = 1000

# Of a sphere, the area of the surface is 1 times that of a sphere of the same volume; inflated
# cortex has 1.3 times, and folded cortex of people 2.5 times.
_LEAST_FOLDED = 1.5

# In mm.  Brains are nearer, and squares of what is much further have no place in a float.
_FURTHEST = 1e9

# How often each vertex is averaged with its neighbours: small bumps are no sulci.
_N_SMOOTHINGS = 3


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


def read_meshes(mesh: Any, space: Space) -> dict[str, Mesh]:
    """Return the meshes of the surfaces of a space.

    Parameters
    ----------
    mesh : default=None
        - None: the mesh that the labels came with, as nilearn's do; else the pial surface of
          fsaverage5, which an installed nilearn brings, for hemispheres of 10,242 vertices.
        - ``"pial"``, ``"inflated"``, ``"white"`` or ``"sphere"``: that surface of fsaverage5.
        - GIFTI files (``.surf.gii``) or FreeSurfer's (``lh.pial``): one, a pair as a mapping
          (``{"left": …, "right": …}``), as two of them, as two names with a comma between, or as
          one name with a placeholder where the hemisphere stands (``"?h.pial"``).
        - In place of a file: an image of nibabel, a mesh of nilearn, or arrays
          ``(coordinates, faces)``; in place of a pair nilearn's ``PolyMesh`` or ``SurfaceImage``.
    space : SurfaceVertices, Grayordinates or VolumeGrid

    Returns
    -------
    dict of str to Mesh
        By structure, as ``space.parts`` calls it; without surfaces of which no mesh is known.
        Both hemispheres that are one vector have one mesh.

    Raises
    ------
    SpaceError
        When the mesh has another number of vertices than the labels, is of another hemisphere, or
        there is no surface.
    ArgumentError
        When there is no surface of such a word.
    MissingPackageError
        When nilearn, which brings fsaverage5, is not installed.
    InputMissingError, FileFormatError, ImageTypeError, DimensionError
        When there is no such file, no mesh in it, or a damaged one.
    """
    counts = _vertices_of(space)
    if mesh is None:
        mesh = getattr(space, "mesh", None)
        if mesh is None:
            return _fsaverage5_that_fits(counts)
    if not counts:
        raise SpaceError(
            f"A mesh is of a surface, and there is none: the regions are made of {space.nouns}. "
            "Leave it out; a volume gets a mesh from its regions."
        )
    if isinstance(mesh, str) and _is_word(mesh):
        meshes = {side: _fsaverage5(mesh, side) for side in (LEFT, RIGHT)}
    else:
        meshes = {side: _read(content, side) for side, content in _sides(mesh).items()}
        _check_not_swapped(meshes)
    fitting = _fitting(meshes, counts)
    for structure, of_surface in fitting.items():
        _check_count(of_surface, counts[structure], structure)
    return fitting


def _vertices_of(space: Space) -> dict[str, int]:
    """Return the number of vertices of each surface of which there may be a mesh."""
    known = (*CORTEX.values(), UNKNOWN)
    frames = {structure: part.frame for structure, part in space.parts.items()}
    return {
        structure: frame
        for structure, frame in frames.items()
        if structure in known and isinstance(frame, int)
    }


# --- which mesh is of which surface ---------------------------------------------------------


def _sides(mesh: Any) -> dict[str, Any]:
    """Return what is given for each hemisphere; GIFTI files have been read."""
    mesh = getattr(mesh, "mesh", mesh)  # of nilearn's SurfaceImage
    parts = getattr(mesh, "parts", None)  # of its PolyMesh, and a tuple of a Path
    if isinstance(parts, Mapping):
        mesh = parts
    if isinstance(mesh, Mapping):
        return sides_of({side: _file_of(content) for side, content in mesh.items()})
    mesh = _file_of(mesh)
    if _arrays_of(mesh) is not None:
        return {UNKNOWN: mesh}
    if isinstance(mesh, list | tuple):
        return sides_of([_file_of(content) for content in mesh])
    return sides_of(mesh)


def _file_of(mesh: Any) -> Any:
    """Return the path of a mesh that nilearn reads from a file when it is asked."""
    return getattr(mesh, "file_path", mesh)


def _fitting(meshes: Mapping[str, Mesh], counts: Mapping[str, int]) -> dict[str, Mesh]:
    """Return the mesh of each surface, or raise where one is missing or of another hemisphere."""
    if list(counts) == [UNKNOWN]:
        return {UNKNOWN: _of_unknown(meshes, counts[UNKNOWN])}
    wanted = [side for side, structure in CORTEX.items() if structure in counts]
    if list(meshes) == [UNKNOWN] and len(wanted) == 1:
        # Nobody said of which hemisphere it is: it may be the one that there is.
        _check_may_be(meshes[UNKNOWN], wanted[0])
        meshes = dict.fromkeys(wanted, meshes[UNKNOWN])
    _check_complete(meshes, wanted)
    return {CORTEX[side]: meshes[side] for side in wanted}


def _check_may_be(mesh: Mesh, side: str) -> None:
    """Raise where a mesh, of which nothing says its hemisphere, lies all on the other side of 0."""
    x = mesh.coordinates[:, 0]
    if (x > 0 if side == LEFT else x < 0).all():
        name, other = HEMISPHERE_NAMES[side], HEMISPHERE_NAMES[RIGHT if side == LEFT else LEFT]
        raise SpaceError(
            f"The labels are of the {name}, and all of the mesh, {mesh.name}, lies where the "
            f"{other} is: x is {x.min():.1f} to {x.max():.1f} mm. If it is of the {name} all the "
            f"same, say so: {{{name.split()[0]!r}: …}}."
        )


def _check_complete(meshes: Mapping[str, Mesh], wanted: Sequence[str]) -> None:
    missing = [HEMISPHERE_NAMES[side] for side in wanted if side not in meshes]
    if missing:
        names = HEMISPHERE_NAMES | {UNKNOWN: "hemisphere that nobody named"}
        raise SpaceError(
            f"There is no mesh of the {' and the '.join(missing)}, which the labels have; there "
            f"is one of the {' and the '.join(names[side] for side in meshes)}. Give "
            "{'left': …, 'right': …}, or a pattern such as '?h.pial'."
        )


def _of_unknown(meshes: Mapping[str, Mesh], n_vertices: int) -> Mesh:
    """Return the mesh of a surface of which it is not known which hemisphere it is."""
    if len(meshes) == 1:
        return next(iter(meshes.values()))
    left, right = meshes[LEFT], meshes[RIGHT]
    n_left, n_right = len(left.coordinates), len(right.coordinates)
    if n_left + n_right == n_vertices:
        return _joined(left, right)
    raise SpaceError(
        f"Which hemisphere the labels are of is not known, and there are meshes of both: labels of "
        f"{n_vertices:,} vertices, meshes of {n_left:,} (left) and {n_right:,} (right). Give "
        "the labels as {'left': …} or {'right': …}, or one mesh."
    )


def _joined(left: Mesh, right: Mesh) -> Mesh:
    """Return one mesh of both hemispheres, as one vector of both has them."""
    sulci = None
    if left.sulci is not None and right.sulci is not None:
        sulci = np.concatenate([left.sulci, right.sulci])
    return Mesh(
        np.concatenate([left.coordinates, right.coordinates]),
        np.concatenate([left.faces, right.faces + np.int32(len(left.coordinates))]),
        sulci,
        left.name if left.name == right.name else f"{left.name}, {right.name}",
    )


def _check_count(mesh: Mesh, n_vertices: int, structure: str) -> None:
    if len(mesh.coordinates) != n_vertices:
        names = {CORTEX[side]: HEMISPHERE_NAMES[side] for side in CORTEX} | {UNKNOWN: "surface"}
        raise SpaceError(
            f"The mesh, {mesh.name}, has {plural(len(mesh.coordinates), 'vertex')}, and the "
            f"{names[structure]} of the labels has {n_vertices:,}. Give the mesh of the labels."
        )


def _check_not_swapped(meshes: Mapping[str, Mesh]) -> None:
    """Raise where all of the left hemisphere is to the right of the middle of the right one."""
    if LEFT not in meshes or RIGHT not in meshes:
        return
    left, right = (meshes[side].coordinates[:, 0] for side in (LEFT, RIGHT))
    if left.min() > right.mean() and right.max() < left.mean():
        raise SpaceError(
            f"The left hemisphere lies on the right: the mean x is {left.mean():.1f} mm in "
            f"{meshes[LEFT].name}, and {right.mean():.1f} mm in {meshes[RIGHT].name}, which is "
            "given as the right one. x counts to the right. Check which file is which."
        )


# --- one mesh -------------------------------------------------------------------------------


def _read(content: Any, side: str) -> Mesh:
    name = Path(name_of_file(content)).name or "a mesh in memory"
    arrays = _arrays_of(content)
    if arrays is None and isinstance(content, GiftiImage):
        arrays = _arrays_of_gifti(content, name)
    elif arrays is None and isinstance(content, str | os.PathLike):
        arrays = _read_freesurfer(existing_file(content, "the mesh"))
    if arrays is None:
        raise ImageTypeError(
            f"A {type(content).__name__} is no mesh: that is a GIFTI file (.surf.gii) or one of "
            "FreeSurfer (lh.pial), a mesh of nilearn, or two arrays, (coordinates, faces)."
        )
    mesh = _checked(*arrays, name)
    of_template = _fsaverage5_like(mesh, side)
    if of_template is not None:
        return mesh._replace(sulci=of_template.sulci, name=of_template.name)
    return mesh._replace(sulci=deep_vertices(mesh))


def _arrays_of(mesh: Any) -> tuple[Any, Any] | None:
    """Return the coordinates and faces of a mesh in memory; None where it is something else."""
    if hasattr(mesh, "coordinates") and hasattr(mesh, "faces"):
        return mesh.coordinates, mesh.faces
    if isinstance(mesh, list | tuple) and len(mesh) == 2:
        coordinates, faces = mesh
        if isinstance(coordinates, np.ndarray) and isinstance(faces, np.ndarray):
            return coordinates, faces
    return None


def _arrays_of_gifti(image: GiftiImage, name: str) -> tuple[Any, Any]:
    arrays = []
    for intent in ("NIFTI_INTENT_POINTSET", "NIFTI_INTENT_TRIANGLE"):
        of_intent = [array.data for array in image.get_arrays_from_intent(intent)]
        if len(of_intent) != 1 or of_intent[0] is None:
            held = [str(nib.nifti1.intent_codes.niistring[array.intent]) for array in image.darrays]
            raise ImageTypeError(
                f"The mesh, {name}, has not one array of points and one of triangles; it has "
                f"{examples(held) or 'none'}. Give a .surf.gii of one surface."
            )
        arrays.append(of_intent[0])
    return arrays[0], arrays[1]


def _read_freesurfer(path: Path) -> tuple[Any, Any]:
    with readable(f"the mesh {path}"):
        with path.open("rb") as file:
            head = file.read(_MOST_COMMENT)
        if not head.startswith(_TRIANGLES_MAGIC):
            raise ImageTypeError(
                f"The mesh, {path}, is none: it is neither GIFTI (.gii) nor begins as FreeSurfer's "
                "files of triangles do. Give a .surf.gii, or a surface such as lh.pial."
            )
        _check_length(path, head)
        coordinates, faces = read_geometry(path)[:2]
    return coordinates, faces


def _check_length(path: Path, head: bytes) -> None:
    """Raise where a file is shorter than it says, before memory is taken for what it says."""
    start = head.find(b"\n\n") + 2
    n_vertices, n_faces = (
        int.from_bytes(head[at : at + 4], "big", signed=True) for at in (start, start + 4)
    )
    n_bytes = start + 8 + 12 * (n_vertices + n_faces)
    if start < 2 or min(n_vertices, n_faces) < 0 or path.stat().st_size < n_bytes:
        raise FileFormatError(
            f"The mesh {path} is truncated or damaged: it is to have {n_vertices:,} vertices and "
            f"{n_faces:,} faces, {n_bytes:,} bytes, and has {path.stat().st_size:,}. Get the file "
            "again."
        )


def _checked(coordinates: Any, faces: Any, name: str) -> Mesh:
    """Return a mesh whose faces are of vertices that are there, and look outwards."""
    points, triangles = np.asarray(coordinates), np.asarray(faces)
    _check_triples(points, "iuf", f"coordinates of the mesh, {name},")
    _check_triples(triangles, "iu", f"faces of the mesh, {name},")
    points = points.astype(np.float64)
    is_lost = ~(np.abs(points) < _FURTHEST).all(axis=1)
    if is_lost.any():
        raise FileFormatError(
            f"The mesh, {name}, has {plural(int(is_lost.sum()), 'vertex')} of {len(points):,} "
            f"without a place, as their coordinates are no numbers of mm below {_FURTHEST:g}: "
            f"{examples(np.flatnonzero(is_lost).tolist())}. Get the file again."
        )
    lowest, highest = int(triangles.min()), int(triangles.max())
    if lowest < 0 or highest >= len(points):
        is_wrong = ((triangles < 0) | (triangles >= len(points))).any(axis=1)
        advice = "Check that coordinates and faces are of the same mesh."
        if lowest == 1 and highest == len(points):
            advice = "They count from 1: subtract 1."
        raise FileFormatError(
            f"The mesh, {name}, has {plural(int(is_wrong.sum()), 'face')} of {len(triangles):,} "
            f"with a vertex that is not there: it has {plural(len(points), 'vertex')}, and faces "
            f"of {lowest:,} to {highest:,}. {advice}"
        )
    mesh = Mesh(points, np.ascontiguousarray(triangles, np.int32), name=name)
    return mesh if _volume(mesh) >= 0 else mesh._replace(faces=mesh.faces[:, ::-1].copy())


def _check_triples(array: NDArray[Any], kinds: str, what: str) -> None:
    """Raise where an array does not have three numbers of some kinds in each row."""
    has_triples = array.ndim == 2 and array.shape[1] == 3 and len(array) > 0
    if not has_triples or array.dtype.kind not in kinds:
        raise DimensionError(
            f"The {what} have the shape {array.shape} and the dtype {array.dtype}; they are "
            f"{'numbers' if 'f' in kinds else 'integers'} of the shape (n, 3)."
        )


def _normals(mesh: Mesh) -> NDArray[np.float64]:
    """Return a vector per face that looks where its vertices are counter-clockwise.

    Its length is twice the area.
    """
    first, second, third = mesh.coordinates[mesh.faces.T]
    normals: NDArray[np.float64] = np.cross(second - first, third - first)
    return normals


def _volume(mesh: Mesh) -> float:
    """Return the volume in a mesh, mm³, which is negative where faces look inwards."""
    # From the middle, so that a hole adds little.
    corners = mesh.coordinates[mesh.faces[:, 0]] - mesh.coordinates.mean(axis=0)
    return float((corners * _normals(mesh)).sum() / 6)


def deep_vertices(mesh: Mesh) -> NDArray[np.bool_] | None:
    """Return which vertices lie in sulci; None where a surface is not folded.

    Vertices whose neighbours lie further out, that is, where the surface curves inwards.

    Returns
    -------
    array of bool, shape (n_vertices,), or None
    """
    normals, volume = _normals(mesh), abs(_volume(mesh))
    area = np.linalg.norm(normals, axis=1).sum() / 2
    if area < _LEAST_FOLDED * np.cbrt(36 * np.pi * volume**2):
        return None
    n_vertices = len(mesh.coordinates)
    # In a closed mesh each edge is run through once in each direction.
    start = mesh.faces.ravel()
    end = np.roll(mesh.faces, -1, axis=1).ravel()
    n_neighbours = np.maximum(np.bincount(start, minlength=n_vertices), 1)

    def of_neighbours(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(start, values[end], n_vertices) / n_neighbours

    sums = [np.bincount(start, np.repeat(along, 3), n_vertices) for along in normals.T]
    lengths = np.linalg.norm(sums, axis=0)
    # A vertex of no face has no direction.
    outwards = np.array(sums) / np.where(lengths > 0, lengths, 1)
    to_neighbours = np.array([of_neighbours(along) - along for along in mesh.coordinates.T])
    depth: NDArray[np.float64] = (to_neighbours * outwards).sum(0)
    for _ in range(_N_SMOOTHINGS):
        depth = (depth + of_neighbours(depth)) / 2
    is_deep: NDArray[np.bool_] = depth > 0
    return is_deep


# --- fsaverage5 -----------------------------------------------------------------------------


def _is_word(mesh: str) -> bool:
    """Return whether this is a word for a surface of fsaverage5; raise where it is neither."""
    if mesh in FSAVERAGE5:
        return True
    if mesh.isidentifier() and not expanded(mesh).exists():
        raise ArgumentError(
            f"There is no mesh {mesh!r}. Surfaces of fsaverage5 are "
            f"{', '.join(map(repr, FSAVERAGE5))}; others are given as files, for example "
            f"'?h.{mesh}'."
        )
    return False


def _fsaverage5_that_fits(counts: Mapping[str, int]) -> dict[str, Mesh]:
    """Return the pial surface of fsaverage5 where an installed nilearn brings it and it fits."""
    if package_file("nilearn", f"{_FOLDER}/pial_left.gii.gz") is None:
        return {}
    meshes = {
        CORTEX[side]: _fsaverage5("pial", side)
        for side in (LEFT, RIGHT)
        if counts.get(CORTEX[side]) == _FSAVERAGE5_VERTICES
    }
    if counts.get(UNKNOWN) == 2 * _FSAVERAGE5_VERTICES:
        meshes[UNKNOWN] = _joined(_fsaverage5("pial", LEFT), _fsaverage5("pial", RIGHT))
    return meshes


@cache
def _fsaverage5(surface: str, side: str) -> Mesh:
    """Return a hemisphere of fsaverage5, as nilearn brings it, with its sulci."""
    coordinates, faces = _arrays_of_gifti(_gifti_of_nilearn(FSAVERAGE5[surface], side), surface)
    depth = _gifti_of_nilearn("sulc", side).darrays[0].data
    mesh = _checked(coordinates, faces, f"fsaverage5 {surface}")
    return mesh._replace(sulci=np.asarray(depth) > 0)


def _gifti_of_nilearn(name: str, side: str) -> Any:
    word = "left" if side == LEFT else "right"
    path = package_file("nilearn", f"{_FOLDER}/{name}_{word}.gii.gz")
    if path is None:
        raise MissingPackageError(
            "fsaverage5 is a mesh that nilearn brings, and there is none: "
            "pip install 'regioncast[nilearn]'. A mesh of your own needs nothing more."
        )
    with readable(f"the mesh {path}"):
        return read_gifti(path)


def _fsaverage5_like(mesh: Mesh, side: str) -> Mesh | None:
    """Return the surface of fsaverage5 that a mesh is; None where it is another."""
    n_vertices = len(mesh.coordinates)
    is_there = package_file("nilearn", f"{_FOLDER}/pial_left.gii.gz") is not None
    if n_vertices != _FSAVERAGE5_VERTICES or side == UNKNOWN or not is_there:
        return None
    for surface in FSAVERAGE5:
        of_template = _fsaverage5(surface, side)
        if np.allclose(mesh.coordinates, of_template.coordinates, atol=1e-3):
            return of_template
    return None
