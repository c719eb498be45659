"""Images of codes: slices, and meshes as a camera sees them.  Left is left in all of them."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
import small_spaces as small
from hypothesis import given
from hypothesis import strategies as st
from small_volumes import OBLIQUE, small_labels

import regioncast as rc
from regioncast.io.surface.meshes import Mesh
from regioncast.viewing import meshes, views
from regioncast.viewing.scene import scene_of
from regioncast.viewing.volumes import Volume, sides_of_regions, volume_of

SEEDS = st.integers(0, 2**32 - 1)

CORTEX = {"L": "CIFTI_STRUCTURE_CORTEX_LEFT", "R": "CIFTI_STRUCTURE_CORTEX_RIGHT"}

# Voxels in any orientation: to the left and down; from back to front first; oblique.
AFFINES = {
    "RAS": np.diag([2.0, 2.5, 3.0, 1.0]),
    "left-handed": np.array([[-2.0, 0, 0, 9], [0, 2.5, 0, -8], [0, 0, 3, -4], [0, 0, 0, 1]]),
    "other axes": np.array([[0, 0, 2.0, -5], [-2.5, 0, 0, 8], [0, 3, 0, -4], [0, 0, 0, 1]]),
    "oblique": OBLIQUE,
}


def scene_of_labels(labels, affine, hemispheres=None):
    """The scene of an atlas of a few voxels."""
    image = nib.Nifti1Image(np.asarray(labels, np.int16), affine)
    regions = None
    if hemispheres is not None:
        regions = {
            "label": list(range(1, 1 + len(hemispheres))),
            "name": [f"r{n}" for n in range(len(hemispheres))],
            "hemisphere": hemispheres,
        }
    return scene_of(rc.load_parcellation(image, regions))


def random_labels(shape, seed, n_labels=4, share=0.5):
    rng = np.random.default_rng(seed)
    labels = rng.integers(1, n_labels + 1, shape) * (rng.random(shape) < share)
    labels.flat[:n_labels] = range(1, n_labels + 1)
    return labels


# ------------------------------------------------------------------------- slices


# What is to the right and at the top of each slice, as axes of space.
SLICES = {0: (1, 2), 1: (0, 2), 2: (0, 1)}


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@pytest.mark.parametrize("axis", SLICES)
def test_each_pixel_of_a_slice_has_the_code_of_the_voxel_there(affine, axis):
    labels = random_labels((5, 4, 6), seed=3)
    scene = scene_of_labels(labels, affine)
    volume = volume_of(scene.atlas)
    right, up = SLICES[axis]
    of_space = np.linalg.inv(affine)
    for index in range(volume.codes.shape[axis]):
        image = views.slice_of(volume, axis, index)
        height, width = image.codes.shape
        assert image.codes.dtype == np.uint32
        assert image.shade is None
        for row, column in itertools.product(range(height), range(width)):
            voxel = np.empty(3)
            voxel[axis], voxel[right], voxel[up] = index, column, height - 1 - row
            place = nib.affines.apply_affine(volume.affine, voxel)
            i, j, k = np.rint(nib.affines.apply_affine(of_space, place)).astype(int)
            is_inside = all(0 <= n < size for n, size in zip((i, j, k), labels.shape, strict=True))
            assert image.codes[row, column] == (labels[i, j, k] if is_inside else 0)


@pytest.mark.parametrize(
    ("axis", "corner"), [(0, (1, 4, 2)), (1, (3, 1, 2)), (2, (3, 4, 1))], ids=["x", "y", "z"]
)
def test_right_anterior_and_superior_are_right_and_at_the_top(axis, corner):
    labels = np.zeros((5, 6, 4), int)
    labels[1:4, 1:5, 1:3] = 1
    labels[corner] = 2
    volume = volume_of(scene_of_labels(labels, np.eye(4)).atlas)
    codes = views.slice_of(volume, axis, 1).codes
    rows, columns = np.nonzero(codes == 2)
    assert (rows, columns) == (1, codes.shape[1] - 2)


# ------------------------------------------------------------------------- cameras

# By hand: what is to the right, up, and towards the eye of each camera, as axes of space.
X, Y, Z = np.eye(3)
DIRECTIONS = {
    "left": (-Y, Z, -X),
    "right": (Y, Z, X),
    "superior": (X, Y, Z),
    "inferior": (X, -Y, -Z),
    "anterior": (-X, Z, Y),
    "posterior": (X, Z, -Y),
}


def octahedron(place, code, radius=1.5, side=0):
    """A small mesh around a place."""
    signs = itertools.product((1, -1), repeat=3)
    faces = [
        [0 if x > 0 else 1, 2 if y > 0 else 3, 4 if z > 0 else 5][:: 1 if x * y * z > 0 else -1]
        for x, y, z in signs
    ]
    corners = np.array([X, -X, Y, -Y, Z, -Z]) * radius + place
    return meshes.DrawnMesh(corners, np.array(faces, np.int32), np.full(6, code, np.uint32), side)


def look(things, view, width, height, factor=1):
    """What a camera sees of meshes that fill a picture."""
    camera = views.camera_of(view)
    frame = views.Frame.around(camera, *views.extent_of(things, camera), width, height)
    return views.drawn(things, frame, factor=factor)


PLACES = np.array(
    [(-40.0, 3, 2), (31, -60, 7), (5, 52, -11), (-8, -9, 47), (12, 20, -38), (-22, 33, 25)]
)


@pytest.mark.parametrize("view", DIRECTIONS)
@pytest.mark.parametrize("factor", [1, 2])
def test_what_is_at_known_places_is_at_the_right_pixels(view, factor):
    things = [octahedron(place, 1 + n) for n, place in enumerate(PLACES)]
    image = look(things, view, 300, 280, factor=factor)
    right, up, near = (PLACES @ direction for direction in DIRECTIONS[view])
    assert image.codes.shape[1] == 300 * factor
    seen = [np.argwhere(image.codes == code).mean(0) for code in range(1, 7)]
    rows, columns = np.array(seen).T
    # Where pixels are is mm times a scale: the same for both directions, rows downwards.
    scale = np.ptp(columns) / np.ptp(right)
    np.testing.assert_allclose(columns - columns.mean(), scale * (right - right.mean()), atol=1)
    np.testing.assert_allclose(rows - rows.mean(), -scale * (up - up.mean()), atol=1)
    # What is in front hides what is behind.
    front, back = octahedron(100 * DIRECTIONS[view][2], 8), octahedron([0, 0, 0], 9, radius=1)
    for pair in ([front, back], [back, front]):
        assert set(np.unique(look(pair, view, 50, 50).codes)) == {0, 8}
    assert len(near) == len(PLACES)


@pytest.mark.parametrize("view", DIRECTIONS)
def test_frames_say_where_points_are(view):
    things = [octahedron(place, 1 + n) for n, place in enumerate(PLACES)]
    camera = views.camera_of(view)
    frame = views.Frame.around(camera, *views.extent_of(things, camera), 321, 200)
    image = views.drawn(things, frame, factor=3)
    for code, (x, y, _) in enumerate(frame.pixels(PLACES), 1):
        assert image.codes[int(3 * y), int(3 * x)] == code


@pytest.mark.parametrize(
    ("view", "side", "name"),
    [
        ("lateral", -1, "left"),
        ("medial", -1, "right"),
        ("lateral", 1, "right"),
        ("medial", 1, "left"),
        ("superior", 1, "superior"),
    ],
)
def test_lateral_and_medial_are_views_of_a_side(view, side, name):
    assert views.camera_of(view, side) == views.CAMERAS[name]


@given(azimuth=st.floats(-360, 360), elevation=st.floats(-90, 90))
def test_the_axes_of_a_camera_are_at_right_angles_and_not_mirrored(azimuth, elevation):
    axes = views.Camera(azimuth, elevation).axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.cross(axes[0], axes[1]), axes[2], atol=1e-12)


# ------------------------------------------------------------------------- frames and shades


@pytest.mark.parametrize("view", DIRECTIONS)
@pytest.mark.parametrize("height", [90, 700])
def test_a_mesh_fills_the_picture_in_one_direction(view, height):
    things = [octahedron(place, 1, radius=9) for place in PLACES]
    image = look(things, view, 240, height, factor=2)
    assert (image.codes.shape, image.factor) == ((2 * height, 480), 2)
    rows, columns = np.nonzero(image.codes)
    left_out = 2 * height - (np.ptp(rows) + 1), 480 - (np.ptp(columns) + 1)
    assert min(left_out) <= 4
    # What is left over is as wide on both sides.
    assert abs(rows.min() + rows.max() - (2 * height - 1)) <= 4
    assert abs(columns.min() + columns.max() - 479) <= 4


def test_what_is_flat_or_a_point_is_looked_at_all_the_same():
    corners = np.array([[0, 0, 0], [0, 50, 0], [0, 0, 50.0]])
    flat = meshes.DrawnMesh(corners, np.array([[0, 1, 2]], np.int32), np.ones(3, np.uint32), 0)
    assert look([flat], "right", 100, 100).codes[60, 40] == 1
    assert look([flat], "posterior", 100, 100).codes.sum() <= 100
    point = meshes.DrawnMesh(corners[:1], np.zeros((0, 3), np.int32), np.ones(1, np.uint32), 0)
    assert not look([point], "left", 100, 100).codes.any()


def test_a_shade_of_0_is_where_nothing_is():
    # An octahedron without a region behind one with one.
    things = [octahedron([0, 0, 0], 0, radius=9), octahedron([-20, 0, 0], 4)]
    image = look(things, "left", 60, 50)
    assert (image.shade[image.codes == 4] > 0).all()
    assert ((image.shade > 0) & (image.codes == 0)).any()
    assert image.shade[0, 0] == 0


def test_what_faces_the_eye_is_bright_and_sulci_are_dark():
    ball = mesh_of(np.pad(np.ones((9, 9, 9), int), 1))
    image = look([ball], "left", 90, 90)
    assert image.shade[45, 45] > 240
    assert image.shade[image.shade > 0].min() > 60
    deep = np.ones(len(ball.coordinates), bool)
    bare = np.zeros_like(ball.codes)
    shades = [
        look([mesh], "left", 90, 90).shade[45, 45]
        for mesh in (
            meshes.DrawnMesh(ball.coordinates, ball.faces, bare, 0, ~deep),
            meshes.DrawnMesh(ball.coordinates, ball.faces, bare, 0, deep),
        )
    ]
    assert shades[0] > 1.2 * shades[1]


# ------------------------------------------------------------------------- meshes of voxels


def mesh_of(labels, affine=None):
    """The mesh of an array of codes with empty outermost layers."""
    affine = np.eye(4) if affine is None else affine
    volume = Volume(np.asarray(labels, np.uint16), affine)
    return meshes.mesh_of_voxels(volume, volume.codes, 0)


def edges_of(faces):
    """How many triangles each edge is in, by direction."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    return Counter(map(tuple, sides.tolist()))


def volume_within(mesh):
    """The signed volume of a closed mesh, by the divergence theorem."""
    first, second, third = (mesh.coordinates[corner] for corner in mesh.faces.T)
    return np.einsum("ij,ij", first, np.cross(second, third)) / 6


# The voxels of a cube, the first axis fastest, and the pairs of them that are its edges.
CORNERS = [np.array([i, j, k]) for k in (0, 1) for j in (0, 1) for i in (0, 1)]
EDGES = [
    (one, other)
    for one, other in itertools.combinations(range(8), 2)
    if np.abs(CORNERS[one] - CORNERS[other]).sum() == 1
]


def vertices_cube_by_cube(codes):
    """By the first voxel of a cube: where its vertex is before smoothing, and its code."""
    vertices = {}
    for k, j, i in itertools.product(*(range(n - 1) for n in codes.shape[::-1])):
        first = np.array([i, j, k])
        around = [int(codes[tuple(first + corner)]) for corner in CORNERS]
        cut = [
            (CORNERS[one] + CORNERS[other]) / 2
            for one, other in EDGES
            if (around[one] > 0) != (around[other] > 0)
        ]
        if cut:
            ((code, _),) = Counter(code for code in around if code).most_common(1)
            vertices[i, j, k] = first + np.mean(cut, 0), code
    return vertices


def cubes_around(voxel, axis):
    """The four cubes around the line from a voxel to the next, counter-clockwise from its end."""
    second, third = np.eye(3, dtype=int)[[(axis + 1) % 3, (axis + 2) % 3]]
    return [tuple(np.array(voxel) + by) for by in (-second - third, -third, 0 * third, -second)]


def quads_voxel_by_voxel(codes):
    """Four cubes for every two neighbours of which one is in, counter-clockwise from outside."""
    quads = []
    for voxel in itertools.product(*(range(n - 1) for n in codes.shape)):
        for axis in range(3):
            beside = tuple(np.array(voxel) + np.eye(3, dtype=int)[axis])
            if (codes[voxel] > 0) != (codes[beside] > 0):
                quads.append(cubes_around(voxel, axis)[:: 1 if codes[voxel] else -1])
    return quads


def smoothed_edge_by_edge(points, quads):
    """Taubin's steps; an edge pulls once in each quadrangle that it is part of."""
    now = points
    for step in (0.52, -0.5) * 4:
        sums, counts = np.zeros_like(now), np.zeros((len(now), 1))
        for quad in quads:
            for one, other in zip(quad, quad[1:] + quad[:1], strict=True):
                sums[one] += now[other]
                sums[other] += now[one]
                counts[[one, other]] += 1
        now = np.clip(now + step * (sums / counts - now), points - 1, points + 1)
    return now


@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3)),
    seed=SEEDS,
    share=st.sampled_from([0.2, 0.6, 1.0]),
)
def test_a_mesh_of_voxels_is_what_the_definition_says(shape, seed, share):
    labels = random_labels((*shape[:2], shape[2] + 3), seed, share=share)
    codes = np.pad(labels, 1).astype(np.uint16)
    mesh = mesh_of(codes)
    vertices = vertices_cube_by_cube(codes)
    number_of = {cube: number for number, cube in enumerate(vertices)}
    quads = [[number_of[cube] for cube in quad] for quad in quads_voxel_by_voxel(codes)]
    points = smoothed_edge_by_edge(np.array([point for point, _ in vertices.values()]), quads)
    np.testing.assert_allclose(mesh.coordinates, points, atol=1e-9)
    np.testing.assert_array_equal(mesh.codes, [code for _, code in vertices.values()])
    assert mesh.codes.dtype == np.uint32
    one, other = np.split(mesh.faces, 2)
    np.testing.assert_array_equal(one[:, [0, 2]], other[:, [0, 1]])
    drawn = np.column_stack([one, other[:, 2]]).tolist()
    assert Counter(map(turned, drawn)) == Counter(map(turned, quads))


def turned(quad):
    """The corners of a quadrangle in their order, the least first."""
    start = quad.index(min(quad))
    return (*quad[start:], *quad[:start])


@given(
    shape=st.tuples(st.integers(2, 5), st.integers(2, 6), st.integers(2, 4)),
    seed=SEEDS,
    affine=st.sampled_from(list(AFFINES.values())),
)
def test_meshes_of_voxels_are_closed_and_face_outwards(shape, seed, affine):
    mesh = mesh_of(np.pad(random_labels(shape, seed, share=0.7), 1), affine)
    edges = edges_of(mesh.faces)
    assert all(edges[b, a] == count for (a, b), count in edges.items())
    assert volume_within(mesh) > 0


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_the_mesh_of_a_solid_thing(affine):
    i, j, k = np.indices((24, 20, 22))
    ball = ((i - 11) / 9) ** 2 + ((j - 9) / 7) ** 2 + ((k - 10) / 8) ** 2 < 1
    mesh = mesh_of(ball, affine)
    edges = edges_of(mesh.faces)
    assert set(edges.values()) == {1}  # in each direction: two triangles
    assert len(mesh.coordinates) - len(edges) / 2 + len(mesh.faces) == 2  # a sphere, says Euler
    expected = ball.sum() * abs(np.linalg.det(affine))
    assert volume_within(mesh) == pytest.approx(expected, rel=0.03)
    lengths = np.linalg.norm(mesh.normals, axis=1)
    np.testing.assert_allclose(lengths, 1)
    middle = mesh.coordinates.mean(0)
    outwards = np.einsum("ij,ij->i", mesh.coordinates - middle, mesh.normals)
    assert (outwards > 0).all()


def test_hemispheres_that_touch_are_not_joined():
    labels = np.zeros((8, 5, 6), int)
    labels[1:4, 1:4, 1:5], labels[4:7, 1:4, 1:5] = 1, 2
    affine = np.diag([2.0, 3.0, 2.5, 1.0])
    affine[0, 3] = -7
    left, right = meshes.meshes_of(scene_of_labels(labels, affine))
    assert (left.side, right.side) == (-1, 1)
    assert (left.kind, right.kind) == ("voxels", "voxels")
    assert set(left.codes) == {1}
    assert set(right.codes) == {2}
    for mesh in (left, right):
        assert volume_within(mesh) == pytest.approx(36 * 15, rel=0.3)
        assert set(edges_of(mesh.faces).values()) == {1}
    assert left.coordinates[:, 0].mean() < 0 < right.coordinates[:, 0].mean()


def test_a_region_of_both_sides_is_divided_at_the_middle():
    labels = np.zeros((8, 5, 6), int)
    labels[1:7, 1:4, 1:5] = 1
    affine = np.eye(4)
    affine[0, 3] = -3.5
    left, right = meshes.meshes_of(scene_of_labels(labels, affine))
    assert (left.side, right.side) == (-1, 1)
    assert left.coordinates[:, 0].max() < 0.8
    assert right.coordinates[:, 0].min() > -0.8


def test_the_table_says_sides_whatever_the_affine_says():
    labels = np.zeros((8, 5, 6), int)
    labels[1:4, 1:4, 1:5], labels[4:7, 1:4, 1:5] = 1, 2
    scene = scene_of_labels(labels, np.eye(4), ["R", "L"])
    left, right = meshes.meshes_of(scene)
    assert set(left.codes) == {2}
    assert set(right.codes) == {1}


def test_what_is_all_on_one_side_of_0_has_no_sides():
    labels = random_labels((5, 4, 6), seed=1)
    scene = scene_of_labels(labels, np.eye(4))
    (mesh,) = meshes.meshes_of(scene)
    assert mesh.side == 0
    volume = volume_of(scene.atlas)
    assert not meshes.sides_of_voxels(volume, sides_of_regions(scene.atlas, volume)).any()


# ------------------------------------------------------------------------- meshes of surfaces


def strip(n_vertices, x):
    """A mesh of so many vertices in a helix around a line some mm to the right."""
    angle = np.arange(n_vertices) * 0.3
    points = np.stack([x + np.cos(angle), np.sin(angle), 0.1 * np.arange(n_vertices)], 1)
    faces = np.stack([np.arange(n_vertices - 2) + n for n in range(3)], 1)
    return Mesh(points, faces.astype(np.int32), np.arange(n_vertices) % 2 == 0)


def surface_scene(*, voxels, sides="LR", x=20):
    """The scene of small grayordinates, with meshes of some sides."""
    axis = small.brain_models(voxels=voxels)
    keys = np.concatenate(
        [small.vertex_labels(side)[small.kept_vertices(side)] for side in small.N_VERTICES]
        + ([small_labels()[small_labels() != 0]] if voxels else [])
    )
    names = {int(key): f"r{key}" for key in np.unique(keys)} | {0: "unknown"}
    scene = scene_of(rc.load_parcellation(small.dlabel(keys, names, axis)))
    places = {"L": -x, "R": x}
    given = {CORTEX[side]: strip(small.N_VERTICES[side], places[side]) for side in sides}
    return replace(scene, meshes=given)


@pytest.mark.parametrize("voxels", [False, True])
def test_vertices_of_surfaces_have_the_codes_of_their_grayordinates(voxels):
    scene = surface_scene(voxels=voxels)
    drawn = meshes.meshes_of(scene)
    assert [(mesh.side, mesh.kind) for mesh in drawn] == [(-1, "surface"), (1, "surface")]
    for mesh, side in zip(drawn, "LR", strict=True):
        expected = np.zeros(small.N_VERTICES[side], int)
        kept = small.kept_vertices(side)
        expected[kept] = small.vertex_labels(side)[kept]
        labels = np.concatenate([[0], scene.atlas.table.labels])
        np.testing.assert_array_equal(labels[mesh.codes], expected)
        given = scene.meshes[CORTEX[side]]
        np.testing.assert_array_equal(mesh.coordinates, given.coordinates)
        np.testing.assert_array_equal(mesh.faces, given.faces)
        np.testing.assert_array_equal(mesh.sulci, given.sulci)


def test_only_surfaces_with_a_mesh_are_drawn_and_else_voxels():
    (mesh,) = meshes.meshes_of(surface_scene(voxels=True, sides="R"))
    assert mesh.side == 1
    without = surface_scene(voxels=True, sides="")
    assert {mesh.kind for mesh in meshes.meshes_of(without)} == {"voxels"}
    assert meshes.meshes_of(surface_scene(voxels=False, sides="")) == []


def test_meshes_in_any_layout_and_byte_order_are_drawn():
    scene = surface_scene(voxels=False, sides="L")
    ((structure, mesh),) = scene.meshes.items()
    expected = look(meshes.meshes_of(scene), "anterior", 50, 1800)
    foreign = mesh._replace(
        coordinates=np.asfortranarray(mesh.coordinates, ">f8"),
        faces=np.asfortranarray(mesh.faces, ">i8"),
    )
    drawn = meshes.meshes_of(replace(scene, meshes={structure: foreign}))
    image = look(drawn, "anterior", 50, 1800)
    assert expected.codes.any()
    np.testing.assert_array_equal(image.codes, expected.codes)
    np.testing.assert_array_equal(image.shade, expected.shade)


def test_a_surface_of_which_the_side_is_not_known():
    labels = np.array([0, 4, 4, 4, 9, 9])
    scene = replace(scene_of(rc.load_parcellation(labels)), meshes={"?": strip(6, 0)})
    (mesh,) = meshes.meshes_of(scene)
    assert mesh.side == 0
    np.testing.assert_array_equal(mesh.codes, [0, 1, 1, 1, 2, 2])


@pytest.mark.parametrize(("x", "is_moved"), [(20, False), (0.8, False), (0, True)])
def test_hemispheres_that_lie_in_each_other_are_moved_apart(x, is_moved):
    scene = surface_scene(voxels=False, x=x)
    left, right = meshes.meshes_of(scene)
    moved = [
        mesh.coordinates - scene.meshes[CORTEX[side]].coordinates
        for mesh, side in ((left, "L"), (right, "R"))
    ]
    assert np.ptp(moved[0], 0).max() < 1e-9
    np.testing.assert_allclose(moved[0][0], -moved[1][0])
    assert (moved[0][0, 0] < 0) == is_moved
    if is_moved:
        assert left.coordinates[:, 0].max() < right.coordinates[:, 0].min()


def test_ridges_are_brighter_than_hollows():
    x, y = (part.ravel() for part in np.meshgrid(np.arange(40.0), np.arange(20.0)))
    waves = np.stack([x, y, 2 * np.cos(x / 3)], 1)
    numbers = np.arange(800).reshape(20, 40)
    corners = [numbers[:-1, :-1], numbers[:-1, 1:], numbers[1:, 1:], numbers[1:, :-1]]
    one, two, three, four = (corner.ravel() for corner in corners)
    faces = np.concatenate([np.stack([one, two, three], 1), np.stack([one, three, four], 1)])
    mesh = meshes.DrawnMesh(waves, faces.astype(np.int32), np.ones(800, np.uint32), 0)
    assert (mesh.normals[:, 2] > 0).all()
    is_inside = (x > 3) & (x < 36) & (y > 3) & (y < 16)
    ridges, hollows = (
        mesh.relief[is_inside & at] for at in (waves[:, 2] > 1.9, waves[:, 2] < -1.9)
    )
    assert ridges.min() > 1.03
    assert hollows.max() < 0.97


def test_flat_maps_have_no_relief_but_that_of_rounding():
    rng = np.random.default_rng(0)
    x, y = (part.ravel() for part in np.meshgrid(np.arange(30.0), np.arange(20.0)))
    flat = np.stack([x, y, np.zeros(600)], 1) + rng.uniform(-0.3, 0.3, (600, 3)) * [1, 1, 1e-4]
    numbers = np.arange(600).reshape(20, 30)
    one, two, three = (
        part.ravel() for part in (numbers[:-1, :-1], numbers[:-1, 1:], numbers[1:, 1:])
    )
    faces = np.stack([one, two, three], 1).astype(np.int32)
    mesh = meshes.DrawnMesh(flat, faces, np.ones(600, np.uint32), 0)
    np.testing.assert_allclose(mesh.relief, 1, atol=1e-3)


def test_vertices_without_triangles_have_no_normals():
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [9, 9, 9.0]])
    mesh = meshes.DrawnMesh(corners, np.array([[0, 1, 2]], np.int32), np.ones(4, np.uint32), 0)
    np.testing.assert_allclose(mesh.normals, [[0, 0, 1]] * 3 + [[0, 0, 0]])
    assert np.isfinite(mesh.relief).all()
