"""The meshes of surfaces in: of whatever they come, and whose they are."""

from __future__ import annotations

import itertools
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.gifti import GiftiCoordSystem, GiftiDataArray, GiftiImage, GiftiMetaData
from nilearn.datasets import load_fsaverage, load_fsaverage_data
from nilearn.surface import FileMesh, InMemoryMesh, PolyMesh, SurfaceImage
from small_spaces import N_VERTICES, STRUCTURES, brain_models, maps_gifti

import regioncast as rc
from regioncast.atlas.hemispheres import CORTEX
from regioncast.atlas.spaces import Grayordinates, SurfaceVertices
from regioncast.io.surface import meshes
from regioncast.io.surface.meshes import deep_vertices, read_meshes

FSAVERAGE5 = Path(
    meshes.package_file("nilearn", "datasets/data/fsaverage5/pial_left.gii.gz")
).parent
PAIR = SurfaceVertices({"L": 10_242, "R": 10_242})
SMALL = SurfaceVertices(N_VERTICES)
LEFT, RIGHT = CORTEX["L"], CORTEX["R"]


def sphere(n_vertices, middle=(0, 0, 0), radius=30.0):
    """A closed mesh of any number of vertices: two poles and a spiral of points between."""
    from scipy.spatial import ConvexHull

    number = np.arange(n_vertices)
    z = 1 - 2 * (number + 0.5) / n_vertices
    turn = number * np.pi * (3 - np.sqrt(5))
    points = np.stack([np.sqrt(1 - z**2) * np.cos(turn), np.sqrt(1 - z**2) * np.sin(turn), z], 1)
    faces = ConvexHull(points).simplices.astype(np.int32)
    corners = points[faces]
    outwards = (
        np.cross(*(corners[:, 1:] - corners[:, :1]).transpose(1, 0, 2)) * corners[:, 0]
    ).sum(1)
    faces[outwards < 0] = faces[outwards < 0][:, ::-1]
    return radius * points + middle, faces


def hemisphere(side):
    return sphere(N_VERTICES[side], (-32 if side == "L" else 32, -10, 5))


def surf_gifti(coordinates, faces, side=None):
    """A GIFTI of a mesh, with a transform to another space that nobody asks for."""
    to_space = GiftiCoordSystem(xform=np.diag([2.0, 2, 2, 1]))
    meta = GiftiMetaData({"AnatomicalStructurePrimary": STRUCTURES[side]} if side else {})
    points = GiftiDataArray(
        coordinates.astype(np.float32), intent="NIFTI_INTENT_POINTSET", coordsys=to_space, meta=meta
    )
    triangles = GiftiDataArray(faces.astype(np.int32), intent="NIFTI_INTENT_TRIANGLE")
    return GiftiImage(darrays=[points, triangles])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Both hemispheres as FreeSurfer, GIFTI and compressed GIFTI write them."""
    monkeypatch.chdir(tmp_path)
    for side in "LR":
        coordinates, faces = hemisphere(side)
        nib.freesurfer.write_geometry(f"{side.lower()}h.pial", coordinates, faces)
        image = surf_gifti(coordinates, faces, side)
        nib.save(image, f"sub-1_hemi-{side}_midthickness.surf.gii")
        nib.save(surf_gifti(coordinates, faces), f"plain.{side}.surf.gii.gz")
    return tmp_path


def in_memory(side):
    return InMemoryMesh(*hemisphere(side))


PAIRS = {
    "FreeSurfer": lambda: "?h.pial",
    "two names": lambda: "lh.pial,rh.pial",
    "two names, right first": lambda: ["rh.pial", Path("lh.pial")],
    "GIFTI": lambda: "sub-1_hemi-?_midthickness.surf.gii",
    "compressed": lambda: "plain.{hemi}.surf.gii.gz",
    "two kinds": lambda: {"rh": Path("sub-1_hemi-R_midthickness.surf.gii"), "lh": "lh.pial"},
    "images": lambda: {side: surf_gifti(*hemisphere(side), side) for side in "RL"},
    "images that say who they are": lambda: [surf_gifti(*hemisphere(side), side) for side in "RL"],
    "arrays": lambda: {"left": hemisphere("L"), "right": hemisphere("R")},
    "arrays in order": lambda: (hemisphere("L"), hemisphere("R")),
    "nilearn": lambda: PolyMesh(in_memory("L"), in_memory("R")),
    "nilearn's files": lambda: [FileMesh(f"plain.{side}.surf.gii.gz") for side in "RL"],
    "a surface image of nilearn": lambda: SurfaceImage(
        PolyMesh(in_memory("L"), in_memory("R")),
        {"left": np.zeros(N_VERTICES["L"]), "right": np.zeros(N_VERTICES["R"])},
    ),
    "ours": lambda: {side: meshes.Mesh(*hemisphere(side)) for side in "LR"},
}


@pytest.mark.parametrize("given_as", PAIRS)
def test_a_pair_is_the_same_however_it_comes(folder, given_as):
    got = read_meshes(PAIRS[given_as](), SMALL)
    assert list(got) == [LEFT, RIGHT]
    for side in "LR":
        coordinates, faces = hemisphere(side)
        mesh = got[CORTEX[side]]
        assert (mesh.coordinates.dtype, mesh.faces.dtype) == (np.float64, np.int32)
        np.testing.assert_allclose(mesh.coordinates, coordinates, atol=1e-4)
        np.testing.assert_array_equal(mesh.faces, faces)
        assert mesh.sulci is None  # a sphere has none


ONE = {
    "FreeSurfer": lambda: "rh.pial",
    "GIFTI": lambda: Path("sub-1_hemi-R_midthickness.surf.gii"),
    "arrays": lambda: hemisphere("R"),
    "a list of arrays": lambda: list(hemisphere("R")),
    "nilearn": lambda: in_memory("R"),
    "a file of nilearn": lambda: FileMesh("plain.R.surf.gii.gz"),
    "an image": lambda: surf_gifti(*hemisphere("R")),
    "a mapping": lambda: {"right": "rh.pial"},
    "a pair": lambda: "?h.pial",
}


@pytest.mark.parametrize("given_as", ONE)
def test_one_hemisphere_is_the_same_however_it_comes(folder, given_as):
    got = read_meshes(ONE[given_as](), SurfaceVertices({"R": N_VERTICES["R"]}))
    assert list(got) == [RIGHT]
    np.testing.assert_allclose(got[RIGHT].coordinates, hemisphere("R")[0], atol=1e-4)


def test_a_surface_of_which_nobody_knows_the_hemisphere_takes_the_mesh_that_there_is(folder):
    space = SurfaceVertices({"?": N_VERTICES["R"]})
    assert list(read_meshes("rh.pial", space)) == list(read_meshes(hemisphere("R"), space)) == ["?"]
    with pytest.raises(rc.errors.SpaceError, match=r"680 vertices, meshes of 701 \(left\) and 680"):
        read_meshes("?h.pial", space)


def test_both_hemispheres_in_one_vector_have_one_mesh(folder):
    n_left, n_right = N_VERTICES["L"], N_VERTICES["R"]
    mesh = read_meshes("?h.pial", SurfaceVertices({"?": n_left + n_right}))["?"]
    (left, of_left), (right, of_right) = hemisphere("L"), hemisphere("R")
    np.testing.assert_allclose(mesh.coordinates, np.concatenate([left, right]), atol=1e-4)
    np.testing.assert_array_equal(mesh.faces, np.concatenate([of_left, of_right + n_left]))
    assert mesh.name == "lh.pial, rh.pial"


def test_grayordinates_have_meshes_of_whole_surfaces(folder):
    got = read_meshes("?h.pial", Grayordinates(brain_models()))
    assert [len(mesh.coordinates) for mesh in got.values()] == list(N_VERTICES.values())
    assert list(got) == [LEFT, RIGHT]


def test_names_are_those_of_files(folder):
    assert read_meshes("?h.pial", SMALL)[RIGHT].name == "rh.pial"
    assert read_meshes((hemisphere("L"), hemisphere("R")), SMALL)[LEFT].name == "a mesh in memory"


@given(st.permutations(range(3)), st.booleans())
def test_faces_look_outwards(order, are_mirrored):
    coordinates, faces = sphere(50)
    if are_mirrored:
        coordinates = coordinates * [-1, 1, 1]
    mesh = read_meshes((coordinates + 7, faces[:, order]), SurfaceVertices({"?": 50}))["?"]
    first, second, third = (mesh.coordinates[mesh.faces[:, corner]] for corner in range(3))
    outwards = np.cross(second - first, third - first) * (first - 7)
    assert (outwards.sum(axis=1) > 0).all()
    assert {frozenset(face) for face in mesh.faces.tolist()} == {
        frozenset(face) for face in faces.tolist()
    }


# --- fsaverage5 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "file"),
    [
        ("pial", "pial"),
        ("inflated", "infl"),
        ("white", "white"),
        ("sphere", "sphere"),
        (None, "pial"),
    ],
)
def test_fsaverage5_is_nilearns(word, file):
    got = read_meshes(word, PAIR)
    for side, name in (("L", "left"), ("R", "right")):
        points, triangles = (
            array.data for array in nib.load(FSAVERAGE5 / f"{file}_{name}.gii.gz").darrays
        )
        depth = nib.load(FSAVERAGE5 / f"sulc_{name}.gii.gz").darrays[0].data
        mesh = got[CORTEX[side]]
        np.testing.assert_array_equal(mesh.coordinates, points)
        np.testing.assert_array_equal(mesh.faces, triangles)
        np.testing.assert_array_equal(mesh.sulci, depth > 0)
        assert mesh.name == f"fsaverage5 {word or 'pial'}"


def test_the_mesh_of_the_labels_comes_first():
    image = load_fsaverage_data(mesh_type="inflated")
    space = SurfaceVertices({"L": 10_242, "R": 10_242}, image.mesh)
    inflated = read_meshes("inflated", PAIR)
    for got in (read_meshes(None, space), read_meshes(image, PAIR)):
        for structure, mesh in got.items():
            np.testing.assert_array_equal(mesh.coordinates, inflated[structure].coordinates)
            np.testing.assert_array_equal(mesh.sulci, inflated[structure].sulci)
            assert mesh.name == "fsaverage5 inflated"
    # What is asked for counts more.
    assert read_meshes("white", space)[LEFT].name == "fsaverage5 white"


def test_labels_of_nilearn_bring_their_mesh():
    mesh = PolyMesh(in_memory("L"), in_memory("R"))
    labels = {
        name: np.repeat([0, 1, 2], [3, 7, N_VERTICES[side] - 10])
        for side, name in (("L", "left"), ("R", "right"))
    }
    atlas = rc.load_parcellation(SurfaceImage(mesh, labels))
    got = read_meshes(None, atlas.space)
    np.testing.assert_array_equal(got[LEFT].coordinates, hemisphere("L")[0])


def test_where_no_mesh_fits_there_is_none(monkeypatch):
    assert read_meshes(None, SMALL) == {}
    assert read_meshes(None, SurfaceVertices({"?": 10_242})) == {}
    assert list(read_meshes(None, SurfaceVertices({"R": 10_242}))) == [RIGHT]
    both = read_meshes(None, SurfaceVertices({"?": 20_484}))["?"]
    assert both.name == "fsaverage5 pial"
    assert both.coordinates[:10_242, 0].mean() < 0 < both.coordinates[10_242:, 0].mean()
    volume = rc.load_parcellation(rc.demo_data().atlas)
    assert read_meshes(None, volume.space) == {}
    monkeypatch.setattr(meshes, "package_file", lambda package, name: None)
    assert read_meshes(None, PAIR) == {}
    meshes._fsaverage5.cache_clear()
    with pytest.raises(rc.errors.MissingPackageError, match=r"pip install 'regioncast\[nilearn\]'"):
        read_meshes("pial", PAIR)


# --- sulci ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", "LR")
def test_sulci_are_where_freesurfer_has_them(side):
    name = "left" if side == "L" else "right"
    curvature = nib.load(FSAVERAGE5 / f"curv_{name}.gii.gz").darrays[0].data
    white, pial = (read_meshes(word, PAIR)[CORTEX[side]] for word in ("white", "pial"))
    # FreeSurfer's curvature is that of the white surface.
    assert np.mean(deep_vertices(white) == (curvature > 0)) > 0.88
    assert np.mean(deep_vertices(pial) == (curvature > 0)) > 0.85
    assert np.mean(deep_vertices(pial) == white.sulci) > 0.75


@pytest.mark.parametrize("word", ["inflated", "sphere"])
def test_what_is_not_folded_has_no_sulci(word):
    assert deep_vertices(read_meshes(word, PAIR)[LEFT]) is None


def test_the_mesh_of_somebody_else_has_its_own_sulci():
    white = read_meshes("white", PAIR)[LEFT]
    moved = white.coordinates * 1.1 + [-3, 2, 1]
    got = read_meshes({"left": (moved, white.faces)}, SurfaceVertices({"L": 10_242}))[LEFT]
    assert got.name == "a mesh in memory"
    np.testing.assert_array_equal(got.sulci, deep_vertices(white))
    # Whichever way the faces were wound.
    wound = read_meshes({"left": (moved, white.faces[:, ::-1])}, SurfaceVertices({"L": 10_242}))
    np.testing.assert_array_equal(wound[LEFT].sulci, got.sulci)


# --- what is wrong -------------------------------------------------------------------------------


def test_left_is_left(folder):
    left, right = hemisphere("L"), hemisphere("R")
    says = {"left": surf_gifti(*right, "R"), "right": surf_gifti(*left, "L")}
    with pytest.raises(rc.errors.SpaceError, match=r"left hemisphere, and says itself .* right"):
        read_meshes(says, SMALL)
    with pytest.raises(rc.errors.SpaceError, match=r"left hemisphere, and its name says"):
        read_meshes({"left": "rh.pial", "right": "lh.pial"}, SMALL)
    with pytest.raises(rc.errors.SpaceError, match=r"lies on the right: the mean x is 32\.0 mm"):
        read_meshes({"left": right, "right": left}, SurfaceVertices({"L": 680, "R": 701}))
    mirrored = [(points * [-1, 1, 1], faces) for points, faces in (left, right)]
    with pytest.raises(rc.errors.SpaceError, match="lies on the right"):
        read_meshes(mirrored, SMALL)
    with pytest.raises(rc.errors.SpaceError, match="no mesh of the right hemisphere"):
        read_meshes("lh.pial", SurfaceVertices({"R": N_VERTICES["L"]}))
    with pytest.raises(rc.errors.SpaceError, match=r"no mesh of the right .* one of the left"):
        read_meshes("lh.pial", SMALL)
    with pytest.raises(rc.errors.SpaceError, match=r"left hemisphere and the right hemisphere"):
        read_meshes(left, SMALL)


@pytest.mark.parametrize("side", ["L", "R"])
def test_a_mesh_that_nobody_named_may_not_lie_on_the_other_side(side):
    other = "R" if side == "L" else "L"
    points, faces = hemisphere(other)
    space = SurfaceVertices({side: len(points)})
    with pytest.raises(rc.errors.SpaceError, match=r"lies where the (left|right) hemisphere is"):
        read_meshes((points, faces), space)
    word = "left" if side == "L" else "right"
    assert len(read_meshes({word: (points, faces)}, space)) == 1
    # Inflated ones lie on both sides.
    centred = points - points.mean(axis=0)
    assert len(read_meshes((centred, faces), space)) == 1


def test_counts_of_vertices_have_to_agree(folder):
    with pytest.raises(rc.errors.SpaceError, match=r"rh\.pial, has 680 .* right .* has 701\."):
        read_meshes("rh.pial", SurfaceVertices({"R": 701}))
    with pytest.raises(rc.errors.SpaceError, match=r"fsaverage5 pial, has 10,242 .* left .* 701\."):
        read_meshes("pial", SMALL)


def test_a_volume_has_no_mesh_of_others(folder):
    atlas = rc.load_parcellation(rc.demo_data().atlas)
    for mesh in ("pial", "?h.pial"):
        with pytest.raises(rc.errors.SpaceError, match="regions are made of voxels"):
            read_meshes(mesh, atlas.space)


def broken(what):
    coordinates, faces = hemisphere("L")
    coordinates, faces = coordinates.copy(), faces.copy()
    if what == "faces beyond":
        faces[3, 1] = 701
    elif what == "faces from 1":
        faces += 1
    elif what == "negative faces":
        faces[5] = -1
    elif what == "nowhere":
        coordinates[[7, 9]] = np.nan
    elif what == "far away":
        coordinates[8, 1] = 3e38
    elif what == "flat":
        coordinates = coordinates[:, :2]
    elif what == "numbers":
        faces = faces.astype(float)
    elif what == "empty":
        faces = faces[:0]
    return coordinates, faces


@pytest.mark.parametrize(
    ("what", "error", "message"),
    [
        ("faces beyond", rc.errors.FileFormatError, r"1 face of .* 701 vertices, .* 0 to 701\."),
        ("faces from 1", rc.errors.FileFormatError, r"They count from 1: subtract 1\."),
        ("negative faces", rc.errors.FileFormatError, r"faces of -1 to 700\."),
        ("nowhere", rc.errors.FileFormatError, r"2 vertices of 701 without a place.*: 7, 9\."),
        ("far away", rc.errors.FileFormatError, r"1 vertex of 701 without a place.*: 8\."),
        ("flat", rc.errors.DimensionError, r"coordinates .* shape \(701, 2\)"),
        ("numbers", rc.errors.DimensionError, r"faces .* float64; they are integers"),
        ("empty", rc.errors.DimensionError, r"faces .* shape \(0, 3\)"),
    ],
)
def test_damaged_meshes_are_refused(what, error, message):
    with pytest.raises(error, match=message):
        read_meshes(broken(what), SurfaceVertices({"?": N_VERTICES["L"]}))


def test_what_is_no_mesh_is_refused(folder):
    space = SurfaceVertices({"L": N_VERTICES["L"]})
    nib.save(maps_gifti("L", [np.zeros(701, np.float32)]), "lh.map.shape.gii")
    with pytest.raises(rc.errors.ImageTypeError, match=r"one of triangles; it has .*SHAPE"):
        read_meshes("lh.map.shape.gii", space)
    nib.freesurfer.write_morph_data("lh.thickness", np.ones(701))
    with pytest.raises(rc.errors.ImageTypeError, match=r"lh\.thickness, is none: it is neither"):
        read_meshes("lh.thickness", space)
    with pytest.raises(rc.errors.ImageTypeError, match="A int is no mesh"):
        read_meshes(7, space)
    with pytest.raises(rc.errors.ArgumentError, match=r"no mesh 'midthickness'.*'inflated'"):
        read_meshes("midthickness", space)
    with pytest.raises(rc.errors.InputMissingError, match="does not exist"):
        read_meshes("lh.white", space)
    with pytest.raises(rc.errors.InputMissingError, match=r"like \?h\.white"):
        read_meshes("?h.white", space)


@pytest.mark.parametrize("n_bytes", [2, 40, 200, 5000, -1])
def test_files_that_are_cut_off_are_refused(folder, n_bytes):
    path = folder / "lh.pial"
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises((rc.errors.FileFormatError, rc.errors.ImageTypeError)):
        read_meshes("lh.pial", SurfaceVertices({"L": N_VERTICES["L"]}))


def test_files_that_say_more_than_they_have_take_no_memory(folder):
    content = bytearray((folder / "lh.pial").read_bytes())
    at = content.index(b"\n\n") + 2
    for start, count in itertools.product((at, at + 4), (2**31 - 1, -5)):
        damaged = bytearray(content)
        damaged[start : start + 4] = count.to_bytes(4, "big", signed=True)
        (folder / "lh.pial").write_bytes(damaged)
        with pytest.raises(rc.errors.FileFormatError, match="truncated or damaged"):
            read_meshes("lh.pial", SurfaceVertices({"L": N_VERTICES["L"]}))


def test_nilearns_own_meshes_fit():
    for name, mesh in load_fsaverage().items():
        if name in ("pial", "white_matter", "inflated", "sphere"):
            got = read_meshes(mesh, PAIR)
            assert got[LEFT].name.startswith("fsaverage5 ")
