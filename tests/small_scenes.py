"""Small scenes that pages and figures are made of: volumes of every orientation, surfaces, both."""

from __future__ import annotations

from dataclasses import replace

import nibabel as nib
import numpy as np
from nibabel import cifti2
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

import regioncast as rc
from regioncast.atlas.parcellation import Parcellation
from regioncast.io.surface.meshes import Mesh
from regioncast.viewing.page import View
from regioncast.viewing.scene import Scene, scene_of

LABELS = (3, 7, 20, 400, 7001)
NAMES = ("left back", "left front", "right back", "right front", "middle")
# From here x = 0 lies between the third axis of voxels: two regions are left and two are right.
UPRIGHT = np.array([[2.0, 0, 0, -13], [0, 3, 0, -20], [0, 0, 2.5, -8], [0, 0, 0, 1]])


def small_volume() -> np.ndarray:
    """Five regions in a box that is no cube, none of which is where another is mirrored."""
    volume = np.zeros((14, 17, 11), np.int16)
    volume[2:6, 2:9, 2:5] = 3
    volume[2:6, 9:15, 2:8] = 7
    volume[8:12, 2:9, 3:9] = 20
    volume[8:13, 9:14, 2:5] = 400
    volume[6:8, 6:9, 6:9] = 7001
    return volume


def turned(volume: np.ndarray, affine: np.ndarray, axes: str) -> nib.Nifti1Image:
    """The same brain, its voxels stored along other axes: "LAS", "PSR"."""
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(axes))
    return nib.Nifti1Image(
        apply_orientation(volume, turn), affine @ inv_ornt_aff(turn, volume.shape)
    )


def rotated(affine: np.ndarray) -> np.ndarray:
    """Lying askew, about two axes."""
    about_z, about_x = np.deg2rad(20), np.deg2rad(-15)
    z = [[np.cos(about_z), -np.sin(about_z), 0], [np.sin(about_z), np.cos(about_z), 0], [0, 0, 1]]
    x = [[1, 0, 0], [0, np.cos(about_x), -np.sin(about_x)], [0, np.sin(about_x), np.cos(about_x)]]
    askew = affine.copy()
    askew[:3] = np.array(z) @ np.array(x) @ affine[:3]
    return askew


def one_voxel() -> nib.Nifti1Image:
    return nib.Nifti1Image(np.full((1, 1, 1), 3, np.int16), np.diag([2.0, 2, 2, 1]))


def one_slice() -> nib.Nifti1Image:
    return turned(small_volume()[:, :, 4:5], UPRIGHT, "LPS")


def many_regions(n_regions: int = 5000) -> nib.Nifti1Image:
    """So many regions that codes need 16 bits, of two voxels each."""
    volume = np.zeros((25, 21, 20), np.int32)
    volume.reshape(-1)[: 2 * n_regions] = np.repeat(np.arange(1, n_regions + 1), 2)
    return nib.Nifti1Image(
        volume, np.array([[-2, 0, 0, 24], [0, 2, 0, -20], [0, 0, 2, 0], [0, 0, 0, 1.0]])
    )


IMAGES = {
    "RAS": lambda: turned(small_volume(), UPRIGHT, "RAS"),
    "LAS": lambda: turned(small_volume(), UPRIGHT, "LAS"),
    "PSR": lambda: turned(small_volume(), UPRIGHT, "PSR"),
    "oblique": lambda: turned(small_volume(), rotated(UPRIGHT), "RAS"),
    "oblique LPI": lambda: turned(small_volume(), rotated(UPRIGHT), "LPI"),
    "anisotropic": lambda: turned(
        small_volume(),
        np.array([[1.0, 0, 0, -6.5], [0, 4, 0, -30], [0, 0, 7, 0], [0, 0, 0, 1]]),
        "ARS",
    ),
    "one voxel": one_voxel,
    "one slice": one_slice,
    "many regions": many_regions,
}


def atlas_of(image: nib.Nifti1Image, names: tuple[str, ...] = NAMES) -> Parcellation:
    """The parcellation of a volume; names only where there are as many regions."""
    labels = np.unique(np.asarray(image.dataobj))
    labels = labels[labels != 0]
    if len(labels) > len(names):
        return rc.load_parcellation(image)
    return rc.load_parcellation(image, dict(zip(labels.tolist(), names, strict=False)))


def scene_of_image(name: str = "RAS", values: np.ndarray | None = None, **options: object) -> Scene:
    """What is seen of values painted onto one of `IMAGES`."""
    atlas = atlas_of(IMAGES[name]())
    if values is None:
        values = some_values(len(atlas))
    return scene_of_values(atlas, values, **options)


def some_values(n_regions: int, n_maps: int = 3) -> np.ndarray:
    """Signed values, shape (n_maps, n_regions), with one that is n/a and one that is 0."""
    values = np.random.default_rng(n_regions).normal(0, 2, (n_maps, n_regions))
    if n_regions > 2:
        values[0, 1], values[-1, 2], values[0, 2] = np.nan, np.inf, 0
    return values


def scene_of_values(atlas: Parcellation, values: np.ndarray, **options: object) -> Scene:
    return scene_of(rc.paint(values, atlas), **options)


def icosphere(n_times: int = 2, radius: float = 40, centre: tuple[float, ...] = (0, 0, 0)) -> Mesh:
    """A sphere of triangles that are seen counter-clockwise from outside."""
    golden = (1 + 5**0.5) / 2
    corners = [(-1, golden), (1, golden), (-1, -golden), (1, -golden)]
    points = [(a, b, 0) for a, b in corners] + [(0, a, b) for a, b in corners]
    points += [(b, 0, a) for a, b in corners]
    coordinates = np.array(points, float)
    distance = np.linalg.norm(coordinates[:, None] - coordinates, axis=2)
    near = np.isclose(distance, 2)
    faces = [
        (a, b, c)
        for a in range(12)
        for b in range(a + 1, 12)
        for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]
    for _ in range(n_times):
        coordinates, faces = _halved(coordinates, faces)
    triangles = np.array(faces, np.int32)
    coordinates = coordinates / np.linalg.norm(coordinates, axis=1, keepdims=True)
    a, b, c = (coordinates[triangles[:, corner]] for corner in range(3))
    is_inside_out = (np.cross(b - a, c - a) * (a + b + c)).sum(1) < 0
    triangles[is_inside_out] = triangles[is_inside_out][:, ::-1]
    return Mesh(radius * coordinates + np.array(centre), triangles, name="icosphere")


def _halved(coordinates: np.ndarray, faces: list[tuple[int, int, int]]):
    """Every triangle made four."""
    points, middle = coordinates.tolist(), {}

    def between(a: int, b: int) -> int:
        edge = (min(a, b), max(a, b))
        if edge not in middle:
            middle[edge] = len(points)
            points.append(((coordinates[a] + coordinates[b]) / 2).tolist())
        return middle[edge]

    smaller = []
    for a, b, c in faces:
        ab, bc, ca = between(a, b), between(b, c), between(c, a)
        smaller += [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    return np.array(points), smaller


LEFT_MESH = icosphere(centre=(-45, 0, 0))
RIGHT_MESH = icosphere(n_times=3, centre=(45, 0, 5))


def vertex_labels(mesh: Mesh) -> np.ndarray:
    """Three regions: the front, the upper part of the back, the lower; a bare pole below."""
    height = mesh.coordinates[:, 2] - mesh.coordinates[:, 2].mean()
    labels = np.where(mesh.coordinates[:, 1] > 5, 9, np.where(height > 0, 4, 2))
    return np.where(height < -30, 0, labels).astype(np.int32)


SURFACE_NAMES = {2: "lower back", 4: "upper back", 9: "front"}


def surface_scene(*, is_pair: bool = True, **options: object) -> Scene:
    """Both hemispheres, whose meshes differ, or the left one."""
    sides = {"left": vertex_labels(LEFT_MESH)}
    meshes = {"CIFTI_STRUCTURE_CORTEX_LEFT": LEFT_MESH}
    if is_pair:
        sides["right"] = vertex_labels(RIGHT_MESH)
        meshes["CIFTI_STRUCTURE_CORTEX_RIGHT"] = RIGHT_MESH
    atlas = rc.load_parcellation(regions=SURFACE_NAMES, **sides)
    scene = scene_of_values(atlas, some_values(len(atlas)), **options)
    return replace(scene, meshes=meshes)


def cifti_atlas() -> Parcellation:
    """The cortex of both hemispheres and some voxels of the small volume."""
    labels_of = {"LEFT": vertex_labels(LEFT_MESH), "RIGHT": vertex_labels(RIGHT_MESH)}
    models = [
        cifti2.BrainModelAxis.from_surface(np.flatnonzero(labels), len(labels), f"CORTEX_{side}")
        for side, labels in labels_of.items()
    ]
    volume = np.where(np.isin(small_volume(), (3, 20)), small_volume(), 0)
    axis = models[0] + models[1]
    axis += cifti2.BrainModelAxis.from_mask(volume != 0, affine=UPRIGHT, name="THALAMUS_LEFT")
    keys = [labels[labels != 0] for labels in labels_of.values()]
    names = SURFACE_NAMES | {3: "left back", 20: "right back", 0: "???"}
    table = {key: (name, (0.5, 0.25, 1.0, 1.0)) for key, name in names.items()}
    grayordinates = np.concatenate([*keys, volume[volume != 0]])[None].astype(np.float32)
    image = nib.Cifti2Image(grayordinates, (cifti2.LabelAxis(["labels"], [table]), axis))
    return rc.load_parcellation(image)


def cifti_scene(**options: object) -> Scene:
    atlas = cifti_atlas()
    meshes = {
        "CIFTI_STRUCTURE_CORTEX_LEFT": LEFT_MESH,
        "CIFTI_STRUCTURE_CORTEX_RIGHT": RIGHT_MESH,
    }
    scene = scene_of_values(atlas, some_values(len(atlas)), **options)
    return replace(scene, meshes=meshes)


def html_of(scene: Scene) -> str:
    """The page of a scene."""
    return View(scene).html
