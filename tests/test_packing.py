"""Meshes in few bytes: what the page sums up again is what was there, or nearer than one sees."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import small_spaces as small
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import regioncast as rc
from regioncast.atlas.hemispheres import CORTEX
from regioncast.io.surface.meshes import Mesh
from regioncast.viewing.page.contents import contents_of, embedded, packed
from regioncast.viewing.page.packing import differences, packed_mesh, packed_meshes
from regioncast.viewing.scene import scene_of

SEEN = 0.05  # mm; a pixel of a brain that fills a screen is more than 0.1


def summed(data, n_rows, n_columns=3):
    """Undo `differences` number by number, as the page does."""
    size = n_rows * n_columns
    n_bytes = len(data) // size if size else 1
    columns = []
    for column in range(n_columns):
        number, numbers = 0, []
        for row in range(n_rows):
            at = column * n_rows + row
            code = sum(int(data[byte * size + at]) << 8 * byte for byte in range(n_bytes))
            number += -(code + 1) // 2 if code % 2 else code // 2
            numbers.append(number)
        columns.append(numbers)
    return np.array(columns, np.int64).T.reshape(n_rows, n_columns)


def unpacked(entry, arrays):
    """Coordinates, faces, codes and sulci of a packed mesh."""
    steps = summed(arrays[entry["coordinates"]], entry["nVertices"])
    coordinates = np.array(entry["origin"]) + entry["step"] * steps
    sulci = None
    if "sulci" in entry:
        bits = arrays[entry["sulci"]].tolist()
        vertices = range(entry["nVertices"])
        sulci = [bool(bits[vertex // 8] >> (7 - vertex % 8) & 1) for vertex in vertices]
    faces = summed(arrays[entry["faces"]], entry["nFaces"])
    return coordinates, faces, arrays[entry["codes"]], sulci


def strip_mesh(n_vertices, seed=0, extent=(70, 180, 130), sulci=True):
    """A mesh of vertices anywhere in a box as large as a hemisphere, each in a triangle."""
    rng = np.random.default_rng(seed)
    coordinates = rng.random((n_vertices, 3)) * extent - (100, 120, 50)
    faces = np.stack([np.arange(n_vertices - 2) + corner for corner in range(3)], 1)
    deep = rng.random(n_vertices) > 0.5 if sulci else None
    return Mesh(coordinates, faces.astype(np.int32), deep, "strip")


def named(entry, arrays):
    """An entry that names its arrays by their titles."""
    return entry | {title: title for title in arrays}


# ----------------------------------------------------------------------------- numbers


@given(
    hnp.arrays(
        np.int64,
        st.tuples(st.integers(0, 12), st.integers(1, 4)),
        elements=st.integers(0, 2**20) | st.sampled_from([0, 127, 128, 32768, 65535, 65536]),
    )
)
def test_differences_can_be_summed_up_again(rows):
    np.testing.assert_array_equal(summed(differences(rows), *rows.shape), rows)


@pytest.mark.parametrize(("largest", "n_bytes"), [(0, 1), (127, 1), (128, 2), (2**17, 3)])
def test_differences_take_as_many_bytes_as_the_largest_needs(largest, n_bytes):
    assert differences(np.array([[0, 0], [0, largest]])).size == 4 * n_bytes


# ----------------------------------------------------------------------------- one mesh


@pytest.mark.parametrize("n_vertices", [3, 8, 17, 1000])
@pytest.mark.parametrize("has_sulci", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_packed_mesh_is_the_mesh(n_vertices, has_sulci, dtype):
    mesh = strip_mesh(n_vertices, sulci=has_sulci)
    codes = (np.arange(n_vertices) % 251).astype(dtype)
    entry, arrays = packed_mesh(mesh, codes)
    coordinates, faces, packed_codes, sulci = unpacked(named(entry, arrays), arrays)
    assert np.abs(coordinates - mesh.coordinates).max() <= entry["step"] / 2 * (1 + 1e-9)
    np.testing.assert_array_equal(faces, mesh.faces)
    np.testing.assert_array_equal(packed_codes, codes)
    assert packed_codes.dtype == dtype
    assert (sulci is None) == (mesh.sulci is None)
    if sulci is not None:
        np.testing.assert_array_equal(sulci, mesh.sulci)
    assert entry["name"] == "strip"


def test_vertices_of_a_brain_stay_where_they_are_seen():
    mesh = strip_mesh(5000, extent=(140, 200, 160))
    entry, arrays = packed_mesh(mesh, np.ones(5000, np.uint8))
    coordinates, *_ = unpacked(named(entry, arrays), arrays)
    assert np.linalg.norm(coordinates - mesh.coordinates, axis=1).max() < SEEN


def test_small_brains_are_as_exact_for_their_size():
    mesh = strip_mesh(500, extent=(0.7, 1.8, 1.3))
    entry, arrays = packed_mesh(mesh, np.ones(500, np.uint8))
    coordinates, *_ = unpacked(named(entry, arrays), arrays)
    assert np.linalg.norm(coordinates - mesh.coordinates, axis=1).max() < SEEN / 100


def test_mesh_of_more_vertices_than_16_bits_count():
    n_vertices = 66_001
    mesh = strip_mesh(n_vertices)
    faces = mesh.faces.copy()
    # From the first vertex to the last: the largest differences there are.
    faces[1::1000, 1] = n_vertices - 1
    codes = np.arange(n_vertices).astype(np.uint32)
    entry, arrays = packed_mesh(mesh._replace(faces=faces), codes)
    _, summed_faces, packed_codes, _ = unpacked(named(entry, arrays), arrays)
    np.testing.assert_array_equal(summed_faces, faces)
    np.testing.assert_array_equal(packed_codes, codes)


@pytest.mark.parametrize("n_vertices", [1, 4])
def test_mesh_without_extent_or_faces(n_vertices):
    mesh = Mesh(np.full((n_vertices, 3), 2.5), np.zeros((0, 3), np.int32))
    entry, arrays = packed_mesh(mesh, np.zeros(n_vertices, np.uint8))
    coordinates, faces, _, sulci = unpacked(named(entry, arrays), arrays)
    np.testing.assert_array_equal(coordinates, mesh.coordinates)
    assert faces.shape == (0, 3)
    assert sulci is None
    assert entry["step"] > 0


# ----------------------------------------------------------------------------- meshes of a scene


def surface_atlas():
    return rc.load_parcellation(tuple(small.labels_gifti(side) for side in "LR"))


def cifti_atlas():
    axis = small.brain_models()
    keys = np.arange(len(axis)) % 5
    names = {key: f"region {key}" for key in range(1, 5)} | {0: "unknown"}
    return rc.load_parcellation(small.dlabel(keys, names, axis))


def scene_with_meshes(atlas, sides="LR", **options):
    meshes = {
        CORTEX[side]: strip_mesh(small.N_VERTICES[side], seed=ord(side), **options)
        for side in sides
    }
    return replace(scene_of(atlas), meshes=meshes)


@pytest.mark.parametrize("atlas_of", [surface_atlas, cifti_atlas])
def test_each_vertex_has_the_code_of_its_sample(atlas_of):
    scene = scene_with_meshes(atlas_of())
    entries, arrays = packed_meshes(scene)
    assert [entry["side"] for entry in entries] == [-1, 1]
    for entry, side in zip(entries, "LR", strict=True):
        part = scene.atlas.space.parts[CORTEX[side]]
        all_vertices = np.arange(small.N_VERTICES[side])
        code_at = dict(
            zip(
                all_vertices[part.places].tolist(),
                scene.atlas.codes.reshape(-1)[part.samples].tolist(),
                strict=True,
            )
        )
        *_, codes, _ = unpacked(entry, arrays)
        assert codes.tolist() == [code_at.get(vertex, 0) for vertex in all_vertices.tolist()]


def test_what_is_no_grayordinate_is_of_no_region():
    scene = scene_with_meshes(cifti_atlas())
    entries, arrays = packed_meshes(scene)
    is_left_out = ~np.isin(np.arange(small.N_VERTICES["R"]), small.kept_vertices("R"))
    assert is_left_out.sum() > 300
    assert not arrays[entries[1]["codes"]][is_left_out].any()


def test_meshes_of_structures_that_the_atlas_has_not_are_left_out():
    atlas = rc.load_parcellation(small.labels_gifti("L"))
    entries, _ = packed_meshes(scene_with_meshes(atlas))
    assert [entry["side"] for entry in entries] == [-1]


def test_surface_of_unknown_hemisphere_is_of_no_side():
    labels = small.labels_gifti("L")
    labels.meta.pop("AnatomicalStructurePrimary")
    atlas = rc.load_parcellation(labels)
    (structure,) = atlas.space.parts
    meshes = {structure: strip_mesh(small.N_VERTICES["L"])}
    entries, _ = packed_meshes(replace(scene_of(atlas), meshes=meshes))
    assert [entry["side"] for entry in entries] == [0]


def test_same_triangles_are_held_once():
    n_vertices = 301
    labels = [
        small.labels_gifti(side, labels=(np.arange(n_vertices) % 3).astype(np.int32), names=names)
        for side, names in (("L", {1: "a", 2: "b"}), ("R", {1: "c", 2: "d"}))
    ]
    scene = scene_of(rc.load_parcellation(tuple(labels)))
    left, right = strip_mesh(n_vertices, 1), strip_mesh(n_vertices, 2)
    for faces, is_shared in ((right.faces, True), (right.faces[:, ::-1], False)):
        right = right._replace(faces=faces)
        meshes = {CORTEX["L"]: left, CORTEX["R"]: right}
        entries, arrays = packed_meshes(replace(scene, meshes=meshes))
        assert (entries[0]["faces"] == entries[1]["faces"]) == is_shared
        for entry, mesh in zip(entries, (left, right), strict=True):
            coordinates, summed_faces, *_ = unpacked(entry, arrays)
            np.testing.assert_array_equal(summed_faces, mesh.faces)
            np.testing.assert_allclose(coordinates, mesh.coordinates, atol=entry["step"])


def test_page_holds_the_meshes():
    meta, arrays = embedded(*contents_of(scene_with_meshes(cifti_atlas())))
    assert len(meta["meshes"]) == 2
    for entry in meta["meshes"]:
        for title in ("coordinates", "faces", "codes", "sulci"):
            assert meta["arrays"][entry[title]] == f"Uint{8 * arrays[entry[title]].itemsize}Array"
    assert meta["volume"]["shape"]


def test_page_without_meshes_speaks_of_none():
    meta, arrays = contents_of(scene_of(surface_atlas()))
    assert "meshes" not in meta
    assert not [name for name in arrays if name.startswith("mesh")]


# ----------------------------------------------------------------------------- bytes


@cache
def fsaverage5():
    """The meshes that come with nilearn."""
    nilearn = pytest.importorskip("nilearn", reason="nilearn has the meshes of fsaverage5")
    folder = Path(nilearn.__file__).parent / "datasets" / "data" / "fsaverage5"
    meshes = []
    for side in ("left", "right"):
        coordinates, faces = (
            array.data for array in nib.load(folder / f"pial_{side}.gii.gz").darrays
        )
        depth = nib.load(folder / f"sulc_{side}.gii.gz").darrays[0].data
        meshes.append(Mesh(coordinates.astype(np.float64), faces, depth > 0))
    return meshes


def test_fsaverage5_takes_few_bytes():
    arrays = {}
    for side, mesh in zip("LR", fsaverage5(), strict=True):
        # Parcels as Desikan and Killiany's: 34 of them, around vertices far from each other.
        seeds = mesh.coordinates[:: len(mesh.coordinates) // 34][:34]
        distance = np.linalg.norm(mesh.coordinates[:, None] - seeds, axis=2)
        codes = (1 + distance.argmin(1) + 34 * (side == "R")).astype(np.uint8)
        _, of_mesh = packed_mesh(mesh, codes)
        arrays |= {("both" if title == "faces" else side, title): array
                   for title, array in of_mesh.items()}  # fmt: skip
    np.testing.assert_array_equal(*[mesh.faces for mesh in fsaverage5()])
    assert sum(len(packed(array)) for array in arrays.values()) < 170_000


def test_fsaverage5_is_where_it_was():
    for mesh in fsaverage5():
        entry, arrays = packed_mesh(mesh, np.zeros(len(mesh.coordinates), np.uint8))
        coordinates, faces, _, sulci = unpacked(named(entry, arrays), arrays)
        assert np.linalg.norm(coordinates - mesh.coordinates, axis=1).max() < SEEN
        np.testing.assert_array_equal(faces, mesh.faces)
        np.testing.assert_array_equal(sulci, mesh.sulci)
