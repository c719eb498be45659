"""The meshes that are drawn: those of surfaces, or made from the codes of voxels themselves.

A volume needs no template.  Where voxels of regions meet those of none is a surface, and *surface
nets* (Gibson 1998) find it: a vertex in every cube of eight voxels that are not all in or all out,
a quadrangle for every two neighbours of which one is in.  Taubin's (1995) steps make it smooth and
keep its size.  The page does the same in ``meshes.js``, and vertices have the same order in both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from nibabel.affines import apply_affine

from ..atlas.hemispheres import CORTEX, LEFT, RIGHT
from .volumes import Volume, codes_in, is_divided, sides_of_regions, volume_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..io.surface.meshes import Mesh
    from .scene import Scene

# Taubin's two steps, in turn: the first smooths and shrinks, the second grows back.
_STEPS = (0.52, -0.5) * 4

# How far smoothing may move a vertex along each axis, in voxels.
_FURTHEST = 1.0

# How often the normals of a mesh of voxels are averaged with those around.
_SOFTENINGS = 3

# How much darker hollows of a surface are than usual, and ridges brighter; they are found by so
# many rounds of smoothing.
_RELIEF = 0.1
_RELIEF_ROUNDS = 6

# Of the width of a hemisphere: hemispheres that lie in each other by more than this were not meant
# to be seen in one space, as inflated ones; and how far apart they are moved.
_MOST_OVERLAP = 0.3
_GAP = 0.15

SIDE_OF = {CORTEX[LEFT]: -1, CORTEX[RIGHT]: 1}
"""The sides of hemispheres, by structure."""


@dataclass(frozen=True, eq=False)
class DrawnMesh:
    """A mesh with the code of a region at each vertex.

    Parameters
    ----------
    coordinates : array of float64, shape (n_vertices, 3)
        In mm: right, anterior, superior.
    faces : array of int32, shape (n_faces, 3)
        The vertices of each triangle, counter-clockwise as seen from outside.
    codes : array of uint32, shape (n_vertices,)
        0 where there is no region.
    side : int
        -1 left, 1 right, 0 neither alone.
    sulci : array of bool, shape (n_vertices,), default=None
        Where the surface lies deep, to be drawn darker, where it is known.
    kind : str, default="surface"
        ``"voxels"``: made from them.
    """

    coordinates: NDArray[np.float64]
    faces: NDArray[np.int32]
    codes: NDArray[np.uint32]
    side: int
    sulci: NDArray[np.bool_] | None = None
    kind: Literal["surface", "voxels"] = "surface"

    @cached_property
    def normals(self) -> NDArray[np.float64]:
        """Directions of length 1 away from the surface at its vertices, shape (n_vertices, 3).

        Large triangles count more; 0 at vertices without triangles.  Those of voxels are softened,
        or the steps from one layer of voxels to the next would be seen as terraces.
        """
        first, second, third = (self.coordinates[corner] for corner in self.faces.T)
        normals = _of_length_1(self._sums(np.cross(second - first, third - first)))
        for _ in range(_SOFTENINGS if self.kind == "voxels" else 0):
            normals = _of_length_1(self._sums(normals[self.faces].sum(1)))
        return normals

    @cached_property
    def relief(self) -> NDArray[np.float64]:
        """How bright vertices are for their place: in hollows less than 1, on ridges more.

        A hollow is where the surface, made smooth, lies further out.  Of voxels, 1 throughout.
        """
        if self.kind == "voxels":
            return np.ones(len(self.coordinates))
        counts = self._sums(np.full((len(self.faces), 3), 3.0))
        smooth = self.coordinates
        for _ in range(_RELIEF_ROUNDS):
            smooth = self._sums(smooth[self.faces].sum(1)) / np.maximum(counts, 1)
        moved = smooth - self.coordinates
        hollows = (moved * self.normals).sum(1)
        # Of flat maps vertices move along the surface, so what little they move off it is nothing.
        usual = np.sqrt((moved**2).sum(1).mean()) or 1.0
        relief: NDArray[np.float64] = 1 - _RELIEF * np.clip(hollows / usual, -1, 2)
        return relief

    def _sums(self, of_faces: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum, at each vertex, of vectors of the triangles that it is a corner of."""
        sums = np.zeros_like(self.coordinates)
        for corner in self.faces.T:
            for axis in range(3):
                sums[:, axis] += np.bincount(corner, of_faces[:, axis], len(sums))
        return sums


def _of_length_1(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def meshes_of(scene: Scene) -> list[DrawnMesh]:
    """Return what is drawn of a scene: its surfaces as far as it has meshes, else its voxels."""
    return surfaces_of(scene) or voxels_of(scene)


def surfaces_of(scene: Scene) -> list[DrawnMesh]:
    """Return the surfaces that a scene has meshes of, left before right.

    Hemispheres that lie in each other, as inflated ones do, are moved apart.
    """
    surfaces = [
        _of_surface(scene, structure, mesh)
        for structure, mesh in scene.meshes.items()
        if structure in scene.atlas.space.parts
    ]
    return moved_apart(sorted(surfaces, key=lambda mesh: mesh.side))


def voxels_of(scene: Scene) -> list[DrawnMesh]:
    """Return the surfaces around the voxels of a scene, left before right.

    Each side of the brain is a mesh by itself, so hemispheres that touch are not joined.
    """
    volume = volume_of(scene.atlas)
    if volume is None:
        return []
    sides = sides_of_voxels(volume, sides_of_regions(scene.atlas, volume))
    codes = {side: np.where(sides == side, volume.codes, 0) for side in (-1, 0, 1)}
    return [
        mesh_of_voxels(volume, of_side, side) for side, of_side in codes.items() if of_side.any()
    ]


def moved_apart(meshes: list[DrawnMesh]) -> list[DrawnMesh]:
    """Return meshes, those of the left and the right side moved apart where they overlap."""
    x_of = {mesh.side: mesh.coordinates[:, 0] for mesh in meshes}
    if -1 not in x_of or 1 not in x_of:
        return meshes
    overlap, width = x_of[-1].max() - x_of[1].min(), np.ptp(x_of[1])
    if overlap < _MOST_OVERLAP * width:
        return meshes
    outwards = np.array([(overlap + _GAP * width) / 2, 0, 0])
    return [replace(mesh, coordinates=mesh.coordinates + mesh.side * outwards) for mesh in meshes]


def _of_surface(scene: Scene, structure: str, mesh: Mesh) -> DrawnMesh:
    return DrawnMesh(
        np.ascontiguousarray(mesh.coordinates, np.float64),
        np.ascontiguousarray(mesh.faces, np.int32),
        codes_in(scene.atlas, structure).astype(np.uint32),
        SIDE_OF.get(structure, 0),
        mesh.sulci,
    )


def sides_of_voxels(volume: Volume, sides: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return on which side of the brain each voxel is drawn: that of its region.

    Of a region of both sides each voxel is on its own side of x = 0; but all are of no side where
    that is not the middle of the brain.

    Parameters
    ----------
    volume : Volume
    sides : array of int8, shape (n_regions,)
        As `sides_of_regions` tells them.

    Returns
    -------
    array of int8, shape of the volume
        -1 left, 1 right, 0 neither; of voxels of no region, anything.
    """
    of_codes: NDArray[np.int8] = np.concatenate([np.zeros(1, np.int8), sides])[volume.codes]
    i, j, k = np.ogrid[tuple(map(slice, volume.codes.shape))]
    x_of_i, x_of_j, x_of_k, x_of_origin = volume.affine[0].tolist()
    is_left = x_of_i * i + x_of_j * j + x_of_k * k + x_of_origin < 0
    is_region = volume.codes > 0
    n_left, n_voxels = int((is_left & is_region).sum()), int(is_region.sum())
    if sides.any() or is_divided(n_left, n_voxels):
        is_of_both = of_codes == 0
        of_codes[is_of_both] = np.where(is_left[is_of_both], -1, 1)
    return of_codes


def mesh_of_voxels(volume: Volume, codes: NDArray[Any], side: int) -> DrawnMesh:
    """Return the surface around voxels that are of any region.

    It is closed: every edge is in as many triangles in the one direction as in the other, which is
    one each, but where voxels touch in nothing but an edge.

    Parameters
    ----------
    volume : Volume
        Where the voxels are.
    codes : array of unsigned int, shape of the volume
        0 in the outermost layers.
    side : int
        As of `DrawnMesh`.
    """
    net = _net_of(codes)
    faces = _triangles(net)
    if np.linalg.det(volume.affine[:3, :3]) < 0:
        faces = faces[:, ::-1]
    coordinates = apply_affine(volume.affine, _smoothed(net))
    return DrawnMesh(coordinates, np.ascontiguousarray(faces), _codes_of(net), side, kind="voxels")


class _Net(NamedTuple):
    """Cubes of eight voxels that a surface goes through, each a vertex of it.

    Voxels, and cubes by their first voxel, are numbered with the first axis fastest.

    Parameters
    ----------
    codes : array of unsigned int, shape (n_voxels,)
    steps : array of int, shape (3,)
        From a voxel to the next along each axis.
    cubes : array of int, shape (n_vertices,)
    kinds : array of uint8, shape (n_vertices,)
        Which voxels of the cube are in: bit 0 is the first, bit 7 the last.
    vertices : array of int32, shape (n_voxels,)
        The vertex of each cube; -1 where there is none.
    """

    codes: NDArray[Any]
    steps: NDArray[np.intp]
    cubes: NDArray[np.intp]
    kinds: NDArray[np.uint8]
    vertices: NDArray[np.int32]


# Where the voxels of a cube are, the first axis fastest, and which of them form its edges.
_CORNERS = np.array([(i, j, k) for k in (0, 1) for j in (0, 1) for i in (0, 1)])
_EDGES = np.array(
    [(a, b) for a in range(8) for b in range(a) if np.abs(_CORNERS[a] - _CORNERS[b]).sum() == 1]
)

# Of each of the 256 kinds of cubes, which of its edges the surface goes through.
_IS_IN = (np.arange(256)[:, None] >> np.arange(8) & 1).astype(bool)
_IS_CUT = _IS_IN[:, _EDGES[:, 0]] != _IS_IN[:, _EDGES[:, 1]]


def _net_of(codes: NDArray[Any]) -> _Net:
    flat = codes.ravel("F")
    is_in = flat > 0
    steps = np.cumprod([1, *codes.shape[:2]])
    # Outermost voxels are of no region, so sums over the end of a row are sums of nothing.
    n_in = is_in.view(np.uint8)
    for step in steps:
        n_in = n_in[:-step] + n_in[step:]
    cubes = np.flatnonzero((n_in > 0) & (n_in < len(_CORNERS)))
    kinds = np.zeros(len(cubes), np.uint8)
    for bit, corner in enumerate(_CORNERS @ steps):
        kinds |= is_in[cubes + corner].view(np.uint8) << np.uint8(bit)
    vertices = np.full(len(flat), -1, np.int32)
    vertices[cubes] = np.arange(len(cubes), dtype=np.int32)
    return _Net(flat, steps, cubes, kinds, vertices)


def _codes_of(net: _Net) -> NDArray[np.uint32]:
    """Return of each cube the code that most of its voxels have, the first of equals; never 0."""
    voxels = net.codes[net.cubes + (_CORNERS @ net.steps)[:, None]]
    codes = np.zeros(len(net.cubes), np.uint32)
    most = np.zeros(len(net.cubes), np.uint8)
    for of_corner in voxels:
        n_equal = (voxels == of_corner).sum(0, dtype=np.uint8)
        is_better = (n_equal > most) & (of_corner > 0)
        codes[is_better] = of_corner[is_better]
        most[is_better] = n_equal[is_better]
    return codes


def _triangles(net: _Net) -> NDArray[np.int32]:
    """Return two triangles for every two neighbours of which one is in, to be seen from outside."""
    is_in = net.codes > 0
    quadrangles = []
    for axis in range(3):
        step, second, third = net.steps[[axis, axis - 2, axis - 1]]
        voxels = np.flatnonzero(is_in[:-step] != is_in[step:])
        # The cubes around the line from one to the other, counter-clockwise as seen from its end.
        around = np.array([-second - third, -third, 0, -second])
        corners = net.vertices[voxels[:, None] + around]
        is_backward = ~is_in[voxels]
        corners[is_backward] = corners[is_backward][:, [0, 3, 2, 1]]
        quadrangles.append(corners)
    corners = np.concatenate(quadrangles)
    return np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])


def _smoothed(net: _Net) -> NDArray[np.float64]:
    """Return where the vertices are, in voxels: amid the cut edges of cubes, and then smoothed."""
    middles = _CORNERS[_EDGES].mean(1)
    n_cut = np.maximum(_IS_CUT.sum(1, keepdims=True), 1)
    within = _IS_CUT @ middles / n_cut
    _, n_i, n_ij = net.steps.tolist()
    of_cubes = np.stack([net.cubes % n_i, net.cubes % n_ij // n_i, net.cubes // n_ij], 1)
    first = of_cubes + within[net.kinds]
    neighbours, weights = _neighbours(net)
    points: NDArray[np.float64] = first
    for step in _STEPS:
        mean = np.zeros_like(points)
        for neighbour, weight in zip(neighbours, weights, strict=True):
            mean += weight * points[neighbour]
        points = np.clip(points + step * (mean - points), first - _FURTHEST, first + _FURTHEST)
    return points


def _neighbours(net: _Net) -> tuple[list[NDArray[np.int32]], list[NDArray[np.float64]]]:
    """Return the vertex on each side of each cube, and its share in the mean of its neighbours.

    Two cubes are neighbours where the surface goes through the face between them, in as many
    quadrangles as it cuts edges of that face: two or four.
    """
    neighbours, n_shared = [], []
    for axis in range(3):
        for end in (0, 1):
            is_of_face = (_CORNERS[_EDGES][:, :, axis] == end).all(1)
            n_shared.append(_IS_CUT[:, is_of_face].sum(1)[net.kinds])
            beside = net.vertices[net.cubes + (2 * end - 1) * net.steps[axis]]
            neighbours.append(np.maximum(beside, 0))
    total = np.sum(n_shared, 0)
    return neighbours, [(n / total)[:, None] for n in n_shared]
