"""A parcellation that was saved is loaded as the same, in every space, or not written at all."""

from __future__ import annotations

import subprocess
import warnings

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_spaces import N_VERTICES, brain_models, dlabel, labels_gifti
from small_volumes import OBLIQUE, image_of, small_labels

import regioncast as rc
from regioncast import files
from regioncast.atlas.parcellation import Parcellation
from regioncast.atlas.region_table import RegionTable
from regioncast.atlas.spaces import Grayordinates, SurfaceVertices, VolumeGrid
from regioncast.errors import (
    FileFormatError,
    InputMissingError,
    LabelsError,
    LabelsWarning,
    OutputError,
    OutputExistsError,
    RegionTableError,
    RegionTableWarning,
)

GRID = VolumeGrid.of(image_of(np.zeros((5, 3, 4), np.int16), OBLIQUE))
CIFTI = Grayordinates(brain_models())
# What needs each dtype: the labels between which a region's lies.
RANGES = {
    "uint8": (1, 255),
    "int8": (-128, -1),
    "int16": (-(2**15), -129),
    "uint16": (2**15, 2**16 - 1),
    "int32": (-(2**31), -(2**15) - 1),
    "uint32": (2**31, 2**32 - 1),
    "int64": (2**32, 2**62),
}
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=9)


def atlas_of(space, labels, names=None, columns=None, hemispheres=None):
    """A parcellation in which each region has some samples."""
    table = RegionTable(labels, names, columns, hemispheres)
    codes = np.resize(np.arange(len(table) + 1), space.shape).astype(np.uint16)
    return Parcellation(codes, table, space)


def pair_of(labels, names=None, columns=None):
    parts = {
        side: atlas_of(SurfaceVertices({side: n}), labels, names, columns)
        for side, n in (("L", 31), ("R", 28))
    }
    return Parcellation.joined(parts)


def assert_same(got, expected, columns=()):
    np.testing.assert_array_equal(got.codes, expected.codes)
    assert got.space.difference(expected.space) is None
    assert list(got.table) == list(expected.table)
    assert got.table.hemispheres == expected.table.hemispheres
    for title in columns:
        assert got.table.columns[title] == expected.table.columns[title]


# --- there and back --------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.sampled_from(list(RANGES)), st.data(), st.sampled_from([".nii", ".nii.gz"]))
def test_labels_of_voxels_have_the_smallest_dtype_and_come_back(
    tmp_path_factory, dtype, data, suffix
):
    low, high = RANGES[dtype]
    label = data.draw(st.integers(low, high))
    others = st.integers(max(-128, np.iinfo(dtype).min), 127).filter(bool)
    more = data.draw(st.lists(others, max_size=4, unique=True))
    if dtype == "uint16":
        more = [abs(each) for each in more]
    labels = list(dict.fromkeys([label, *more]))
    atlas = atlas_of(GRID, labels)
    path = tmp_path_factory.mktemp("x") / f"x_dseg{suffix}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert rc.save(atlas, path) == path
    assert [warning.category for warning in caught] == [LabelsWarning] * (dtype == "int64")
    stored = nib.load(path)
    assert stored.get_data_dtype() == dtype
    np.testing.assert_array_equal(
        np.asarray(stored.dataobj), np.array([0, *sorted(labels)])[atlas.codes]
    )
    assert_same(rc.load_parcellation(path), atlas)


@settings(max_examples=25)
@given(st.lists(NAMES, min_size=2, max_size=5), st.data())
def test_names_and_columns_come_back_or_nothing_is_written(tmp_path_factory, names, data):
    cells = st.none() | st.sampled_from(["Vis", "a\tb", 'say "x"', "1;2", "ß, é"])
    columns = {
        "network": data.draw(st.lists(cells, min_size=len(names), max_size=len(names))),
        "size": list(range(len(names))),
        "share": [None, *(0.1 + n for n in range(1, len(names)))],
    }
    atlas = atlas_of(GRID, range(3, 3 + 4 * len(names), 4), names, columns)
    folder = tmp_path_factory.mktemp("x")
    try:
        rc.save(atlas, folder / "x.nii.gz")
    except RegionTableError:
        assert not list(folder.iterdir())
        return
    titles = [*(["network"] if any(columns["network"]) else []), "size", "share"]
    assert_same(rc.load_parcellation(folder / "x.nii.gz"), atlas, titles)


@settings(max_examples=25)
@given(st.lists(NAMES, min_size=2, max_size=4, unique=True), st.booleans(), st.booleans())
def test_surfaces_and_grayordinates_come_back_or_nothing_is_written(
    tmp_path_factory, names, zero, is_pair
):
    # Where 0 is the label of a region, another is that of none.
    labels = [0 if zero else 7, *range(14474380, 14474380 + len(names) - 1)]
    colors = {"color": [f"#0102{n:02x}" for n in range(len(names))]}
    folder = tmp_path_factory.mktemp("x")
    surface = pair_of(labels, names, colors)
    if not is_pair:
        surface = atlas_of(SurfaceVertices({"?": 40}), labels, names, colors)
    for atlas, name in [
        (surface, "x.label.gii"),
        (atlas_of(CIFTI, labels, names, colors), "x.dlabel.nii"),
    ]:
        try:
            saved = rc.save(atlas, folder / name)
        except RegionTableError:
            assert not list(folder.glob(f"*{name[1:]}"))
            continue
        assert_same(rc.load_parcellation(saved), atlas, ["color"])


def test_negative_labels_and_a_region_without_samples_come_back(tmp_path):
    for atlas, name in [
        (pair_of([-3, 5, 9], ["a", "b", "c"]), "x.label.gii"),
        (atlas_of(SurfaceVertices({"?": 40}), [-3, 5, 9], ["a", "b", "c"]), "y.label.gii"),
        (atlas_of(CIFTI, [-3, 5, 9], ["a", "b", "c"]), "x.dlabel.nii"),
    ]:
        codes = np.where(atlas.codes == 2, 0, atlas.codes)
        lacking = Parcellation(codes, atlas.table, atlas.space)
        saved = rc.save(lacking, tmp_path / name)
        with pytest.warns(RegionTableWarning, match="without a"):
            assert_same(rc.load_parcellation(saved), lacking)


def test_one_hemisphere_is_of_that_hemisphere_again(tmp_path):
    left = rc.load_parcellation(left=labels_gifti("L"))
    saved = rc.save(left, tmp_path / "x.label.gii.gz")
    assert_same(rc.load_parcellation(saved), left, ["color"])
    assert nib.load(saved).meta["AnatomicalStructurePrimary"] == "CortexLeft"


def test_a_group_of_both_hemispheres_is_a_region_of_each_again(tmp_path):
    pair = rc.load_parcellation({"left": labels_gifti("L"), "right": labels_gifti("R")})
    both = pair.group("name")
    with pytest.warns(RegionTableWarning, match="not 1 column of the region table: 'regions'"):
        saved = rc.save(both, tmp_path / "x.label.gii")
    again = rc.load_parcellation(saved)
    names = [np.array(["", *atlas.table.names])[atlas.codes].tolist() for atlas in (both, again)]
    assert names[0] == names[1]
    assert again.table.ids == [("L", 1), ("L", 2), ("L", 3), ("R", 1), ("R", 3), ("R", 4)]


def test_the_table_beside_the_labels_is_that_of_bids(tmp_path):
    atlas = rc.load_parcellation(rc.demo_data().atlas)
    rc.save(atlas.group("network"), tmp_path / "x_dseg.nii.gz")
    lines = (tmp_path / "x_dseg.tsv").read_text().splitlines()
    assert lines[:2] == ["index\tname\tcolor\tnetwork\tregions", "1\tVis\t#781286\tVis\t17"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x_dseg.nii.gz", "x_dseg.tsv"]
    rc.save(atlas, tmp_path / "y.nii")
    columns = ("color", "hemisphere", "network")
    assert_same(rc.load_parcellation(tmp_path / "y.nii"), atlas, columns)


def test_names_that_say_nothing_elsewhere_are_names(tmp_path):
    atlas = atlas_of(GRID, [3, 5, 9, 11], ["NA", "nan", "7", "unknown"])
    assert_same(rc.load_parcellation(rc.save(atlas, tmp_path / "x.nii")), atlas)


# --- colours ---------------------------------------------------------------------------------


def test_regions_without_a_colour_get_one_of_their_own_always_the_same(tmp_path):
    n_regions = 900
    colors = [None] * n_regions
    colors[3], colors[7] = "#FF8000", "#01020380"
    atlas = atlas_of(CIFTI, range(1, n_regions + 1), None, {"colour": colors})
    found = [
        rc.load_parcellation(rc.save(atlas, tmp_path / f"{n}.dlabel.nii")).table.columns["color"]
        for n in range(2)
    ]
    assert found[0] == found[1]
    assert len(set(found[0])) == n_regions
    assert (found[0][3], found[0][7]) == ("#ff8000", "#01020380")


def test_workbench_reads_what_is_written(tmp_path, program):
    axis = brain_models()
    keys = np.resize([0, 3, -7, 99], len(axis))
    atlas = rc.load_parcellation(dlabel(keys, {3: "V1", -7: 'a "b" & <c>', 99: "thalamus"}, axis))
    rc.save(atlas, tmp_path / "x.dlabel.nii")
    rc.save(rc.load_parcellation(right=labels_gifti("R")), tmp_path / "x.label.gii")

    def information(name):
        command = [program("wb_command"), "-file-information", str(tmp_path / name)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    words = [line.split() for line in information("x.dlabel.nii").splitlines()]
    for row in (
        "Type: CIFTI - Dense Label",
        "1 regions",
        "0 ??? 0.000 0.000 0.000 0.000",
        "3 V1 0.502 0.251 1.000 1.000",
        '-7 a "b" & <c> 0.502 0.251 1.000 1.000',
        f"CortexLeft: {N_VERTICES['L'] - 10} out of {N_VERTICES['L']} vertices",
    ):
        assert row.split() in words
    words = [line.split() for line in information("x.label.gii").splitlines()]
    assert ["Structure:", "CortexRight"] in words
    assert ["9", "M1", "0.502", "0.251", "1.000", "1.000"] in words


# --- refused ---------------------------------------------------------------------------------


def test_label_0_is_no_region_of_voxels(tmp_path):
    names = {-2: "stem", 0: "brain", 3: "x", 7001: "y"}
    atlas = rc.load_parcellation(image_of(small_labels()), names, background=7)
    with pytest.raises(LabelsError, match="0 is the label of 'brain'"):
        rc.save(atlas, tmp_path / "x.nii.gz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["unknown", "Medial_Wall", "a\nb", " x", "", "a\x00"])
def test_names_that_would_be_read_as_others_are_refused(tmp_path, name):
    for atlas, path in [
        (pair_of([3, 5], ["V1", name]), "x.label.gii"),
        (atlas_of(CIFTI, [3, 5], ["V1", name]), "x.dlabel.nii"),
        (atlas_of(GRID, [3, 5], ["V1", name]), "x.nii"),
    ]:
        is_read = path == "x.nii" if name == "a\nb" else name in ("unknown", "Medial_Wall")
        if is_read and path != "x.label.gii":
            assert_same(rc.load_parcellation(rc.save(atlas, tmp_path / path)), atlas)
            continue
        with pytest.raises(RegionTableError, match=r"cannot hold|would not be read again"):
            rc.save(atlas, tmp_path / path)
        assert not list(tmp_path.glob(f"*{path[1:]}"))


def test_a_table_that_would_name_other_regions_is_refused(tmp_path):
    # The column of names would be that which tells regions apart.
    columns = {"region": ["frontal", "parietal", "insula", "cuneus"]}
    atlas = atlas_of(GRID, [1, 2, 3, 4], ["a", "a", "b", "b"], columns)
    with pytest.raises(RegionTableError, match=r"4 names that x.tsv cannot hold: 'a', 'a', 'b'"):
        rc.save(atlas, tmp_path / "x.nii")
    assert not list(tmp_path.iterdir())


def test_labels_beyond_what_a_format_holds_are_refused(tmp_path):
    for atlas, name in [
        (pair_of([1, 2**31]), "x.label.gii"),
        (atlas_of(CIFTI, [1, 2**31]), "x.dlabel.nii"),
    ]:
        with pytest.raises(LabelsError, match="hold int32; labels from 0 to 2147483648 are beyond"):
            rc.save(atlas, tmp_path / name)


def test_another_ending_is_refused_with_those_that_are_written(tmp_path):
    volume, pair = atlas_of(GRID, [1, 2]), pair_of([1, 2])
    for atlas, name, words in [
        (volume, "x.mgz", r"parcellation of voxels .* as .nii.gz, .nii"),
        (volume, "x.dlabel.nii", r"written as .nii.gz, .nii"),
        (volume, "x", r"written as .nii.gz, .nii"),
        (pair, "lh.x.annot", r"parcellation of vertices .* as .label.gii, .label.gii.gz"),
        (pair, "x.func.gii", r"parcellation of vertices"),
        (atlas_of(CIFTI, [1]), "x.nii", r"grayordinates .* as .dlabel.nii"),
    ]:
        with pytest.raises(FileFormatError, match=words):
            rc.save(atlas, tmp_path / name)
    # And what is painted is no labels.
    with pytest.raises(FileFormatError, match=r"An image cannot be written as 'x\.label\.gii'"):
        rc.save(
            rc.paint({1: 1.0, 2: 2.0}, atlas_of(SurfaceVertices({"L": 9}), [1, 2])), "x.label.gii"
        )


def test_columns_that_a_file_cannot_hold_are_named_and_kept_beside_it(tmp_path):
    atlas = pair_of([3, 5], ["V1", "V2"], {"network": ["Vis", "Mot"]})
    with pytest.warns(RegionTableWarning, match="'network'. Save the table too"):
        saved = rc.save(atlas, tmp_path / "x.label.gii")
    table = rc.save(atlas.table, tmp_path / "regions.tsv")
    assert_same(rc.load_parcellation(saved, table), atlas, ["network"])


# --- both files or none ----------------------------------------------------------------------


def test_neither_file_is_replaced_unless_asked(tmp_path):
    atlas = rc.load_parcellation(image_of(small_labels()))
    (tmp_path / "x.tsv").write_text("mine")
    with pytest.raises(OutputExistsError, match=r"x\.tsv"):
        rc.save(atlas, tmp_path / "x.nii.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["x.tsv"]
    assert (tmp_path / "x.tsv").read_text() == "mine"
    saved = rc.save(atlas, tmp_path / "x.nii.gz", overwrite=True)
    assert_same(rc.load_parcellation(saved), atlas)


def test_a_table_that_cannot_be_written_leaves_no_image(tmp_path):
    (tmp_path / "x.tsv").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        rc.save(rc.load_parcellation(image_of(small_labels())), tmp_path / "x.nii", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["x.tsv"]


def test_where_one_of_two_files_is_not_put_in_place_the_error_says_which_is_new(
    tmp_path, monkeypatch
):
    atlas = rc.load_parcellation(image_of(small_labels()))
    put = files._put_in_place

    def failing(temporary, target, *, overwrite):
        if target.suffix == ".tsv":
            raise OSError(5, "Input/output error")
        put(temporary, target, overwrite=overwrite)

    monkeypatch.setattr(files, "_put_in_place", failing)
    with pytest.raises(OutputError, match=r"x\.nii was written, .* other is as it was"):
        rc.save(atlas, tmp_path / "x.nii")
    assert [path.name for path in tmp_path.iterdir()] == ["x.nii"]


def test_the_name_of_a_pair_leads_to_its_files(tmp_path):
    left, right = rc.save(pair_of([3, 5]), tmp_path / "x.label.gii")
    assert (left.name, right.name) == ("x.L.label.gii", "x.R.label.gii")
    with pytest.raises(InputMissingError, match=r"Pass .*x\.\?\.label\.gii for both"):
        rc.load_parcellation(tmp_path / "x.label.gii")
    assert_same(rc.load_parcellation(tmp_path / "x.?.label.gii"), pair_of([3, 5]))


def test_the_table_of_a_dseg_image_is_written_where_it_is_looked_for(tmp_path):
    frame = pd.DataFrame({"index": [-2, 3, 7, 7001], "name": ["d", "a", "b", "c"]})
    atlas = rc.load_parcellation(image_of(small_labels()), frame)
    saved = rc.save(atlas.drop("d"), tmp_path / "x.dseg.nii.gz")
    assert (tmp_path / "x.tsv").exists()  # as `find_region_table` looks for it
    assert list(rc.load_parcellation(saved).table) == [(3, "a"), (7, "b"), (7001, "c")]
