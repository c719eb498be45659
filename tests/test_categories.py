"""Categories: text painted as labels with names and colours, and read again as regions."""

from __future__ import annotations

import subprocess
import unicodedata

import nibabel as nib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_spaces import brain_models, dlabel, labels_gifti
from small_volumes import OBLIQUE, array_of, image_of, small_labels

import regioncast as rc
from regioncast import cli
from regioncast.atlas.choice import categorized, numbered
from regioncast.errors import (
    ArgumentError,
    FileFormatError,
    OutputError,
    OutputExistsError,
    RegioncastError,
    RegionTableWarning,
    SignalsError,
    SignalsTypeError,
)

LABELS = [-2, 3, 7, 7001]
NAMES = ["V1", "V2", "M1", "A1"]
NETWORKS = ["Vis", "net10", None, "net2"]
CODES = [3, 2, 0, 1]  # in natural order: net2, net10, Vis


@pytest.fixture(scope="module")
def atlas():
    table = pd.DataFrame({"index": LABELS, "name": NAMES})
    return rc.load_parcellation(image_of(small_labels()), table)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nib.save(image_of(small_labels()), "atlas.nii.gz")
    pd.DataFrame({"index": LABELS, "name": NAMES}).to_csv("atlas.tsv", sep="\t", index=False)
    frame().to_csv("networks.tsv", sep="\t", index=False, na_rep="n/a")
    return tmp_path


def frame(**columns):
    return pd.DataFrame({"name": NAMES, "network": NETWORKS} | columns)


def painted(codes=CODES, labels=LABELS):
    """What an image of these codes has in each voxel, by the double loop."""
    image = np.zeros(small_labels().shape, np.uint8)
    for label, code in zip(labels, codes, strict=True):
        image[small_labels() == label] = code
    return image


DOORS = {
    "dict": lambda: dict(zip(NAMES, NETWORKS, strict=True)),
    "dict by label": lambda: dict(zip(LABELS, NETWORKS, strict=True)),
    "Series": lambda: pd.Series(NETWORKS, NAMES),
    "Series in order": lambda: pd.Series(NETWORKS),
    "DataFrame": frame,
    "its rows in another order": lambda: frame().iloc[::-1],
    "with an index": lambda: frame().set_index("name"),
    "polars": lambda: pl.from_pandas(frame()),
    "list": lambda: NETWORKS,
    "array": lambda: np.array(NETWORKS, object),
    "chosen": lambda: frame(lobe=list("abcd")),
    "with numbers": lambda: frame(z=[0.5, 1, 2, 3]),
    "with labels": lambda: frame(index=LABELS),
}


@pytest.mark.parametrize("door", DOORS)
def test_text_is_painted_as_labels_the_same_through_every_door(atlas, door):
    options = {"columns": "network"} if door == "chosen" else {}
    image = rc.paint(DOORS[door](), atlas, categories=True, **options)
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(array_of(image), painted())
    table = image.categories
    assert list(table) == [(1, "net2"), (2, "net10"), (3, "Vis")]
    assert len(set(table.columns["color"])) == 3


def test_xarray_is_a_door_where_it_is_installed(atlas):
    xarray = pytest.importorskip("xarray")
    values = np.array(["Vis", "net10", "n/a", "net2"])
    for array in (
        xarray.DataArray(values, {"region": NAMES}, ["region"]),
        xarray.DataArray(values[::-1], {"region": NAMES[::-1]}, ["region"]),
        xarray.DataArray(values, dims=["region"]),
    ):
        image = rc.paint(array, atlas, categories=True)
        np.testing.assert_array_equal(array_of(image), painted())


def test_records_and_affixes_are_a_door_too(atlas):
    rows = [{"name": f"lh_{name}", "network": text} for name, text in frame().to_numpy()]
    by_mapping = {row["name"]: row["network"] for row in rows}
    for values in (rows, by_mapping, pd.DataFrame(rows)):
        image = rc.paint(values, atlas, categories=True, strip="lh_")
        np.testing.assert_array_equal(array_of(image), painted())
    signals = rc.load_signals(frame(), atlas, categories=True)
    assert rc.paint(signals, atlas, strip="lh_").categories.names == ("net2", "net10", "Vis")


def test_hemispheres_beside_categories_are_none_of_their_names():
    table = pd.DataFrame(
        {"index": LABELS, "name": ["V1", "V1", "M1", "M1"], "hemisphere": [*"LRLR"]}
    )
    atlas = rc.load_parcellation(image_of(small_labels()), table)
    order = ["Vis", "net10", "net2"]
    for networks, codes in ((NETWORKS, CODES), (pd.Categorical(NETWORKS, order), [1, 2, 0, 3])):
        values = table.drop(columns="index").assign(network=networks)
        image = rc.paint(values.iloc[::-1], atlas, categories=True)
        assert set(image.categories.names) == {"Vis", "net10", "net2"}
        np.testing.assert_array_equal(array_of(image), painted(codes))
    with pytest.raises(SignalsError, match="holds text: 'Vis', 'net10', 'net2'"):
        rc.paint(values, atlas, columns="network")


def test_files_are_a_door_too(folder, atlas):
    for path in ("networks.tsv", "networks.csv"):
        frame().to_csv("networks.csv", index=False)
        image = rc.paint(path, atlas, categories=True)
        np.testing.assert_array_equal(array_of(image), painted())
    by_position = rc.paint("networks.tsv", atlas, by="position", columns="network", categories=True)
    np.testing.assert_array_equal(array_of(by_position), painted())


def test_a_categorical_keeps_its_order_and_colours_follow_the_code(atlas):
    order = ["Vis", "unused", "net10", "net2"]
    plain = rc.paint(frame(), atlas, categories=True)
    for values in (
        frame(network=pd.Categorical(NETWORKS, order)),
        pd.Series(pd.Categorical(NETWORKS, order), NAMES),
        pl.from_pandas(frame()).with_columns(pl.col("network").cast(pl.Enum(order))),
        pd.Categorical(NETWORKS, order),
    ):
        image = rc.paint(values, atlas, categories=True)
        np.testing.assert_array_equal(array_of(image), painted([1, 3, 0, 4]))
        # What no region has is not in the table, and moves nothing.
        assert list(image.categories) == [(1, "Vis"), (3, "net10"), (4, "net2")]
        assert image.categories.columns["color"][1] == plain.categories.columns["color"][2]


def test_integers_are_labels_themselves(atlas):
    for values in (
        dict(zip(NAMES, [300, 2, 0, 2], strict=True)),
        dict(zip(NAMES, ["300", "2", "0", "2"], strict=True)),
        frame(network=[300.0, 2.0, np.nan, 2.0]),
        np.array([300, 2, 0, 2]),
        rc.Signals([300, 2, 0, 2], NAMES),
    ):
        image = rc.paint(values, atlas, categories=True)
        assert image.get_data_dtype() == np.uint16
        assert list(image.categories) == [(2, "2"), (300, "300")]
        assert image.dataobj.table.tolist() == [[0, 300, 2, 0, 2]]


def test_truth_is_a_number(atlas, folder):
    frame(network=[True, False, True, True]).to_csv("truth.csv", index=False)
    for values in (
        "truth.csv",
        frame(network=[True, False, True, True]),
        [True, False, True, True],
    ):
        image = rc.paint(values, atlas, categories=True)
        assert list(image.categories) == [(1, "1")]
        np.testing.assert_array_equal(array_of(image), painted([1, 0, 1, 1]))


@given(st.lists(st.one_of(st.none(), st.text(min_size=1)), min_size=1, max_size=30))
def test_codes_follow_from_the_names_alone(cells):
    if not any(cells):
        with pytest.raises(SignalsError, match="is a category: all are missing"):
            categorized(cells)
        return
    codes, table = categorized(cells)
    again, same = categorized(cells[::-1])
    assert codes[::-1].tolist() == again.tolist()
    assert (table.names, table.columns) == (same.names, same.columns)
    names = {0: None} | dict(zip(table.labels.tolist(), table.names, strict=True))
    composed = [cell and unicodedata.normalize("NFC", cell) for cell in cells]
    assert [names[code] for code in codes.tolist()] == composed
    assert table.labels.tolist() == list(range(1, len(set(composed) - {None}) + 1))


def test_colours_are_distinct():
    _, table = numbered(np.arange(1, 1001))
    assert len(set(table.columns["color"])) == 1000


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (
            frame(lobe=list("abcd")),
            {},
            r"the DataFrame has 2: 'network', 'lobe'.*columns=",
        ),
        (
            frame(lobe=list("abcd")),
            {"columns": ["network", "lobe"]},
            "and the DataFrame is asked for 2",
        ),
        (frame(network=[0.5, 1, 2, -3]), {}, "2 values of 4 neither: 0.5, -3.0"),
        (frame(network=1, z=2), {}, r"Categories are one map, and there are 2: 'network', 'z'"),
        (np.ones((2, 4)), {}, "Categories are one map, and there are 2"),
        (dict.fromkeys(NAMES), {}, "None of 4 values is a category"),
        (pd.DataFrame([NETWORKS], columns=NAMES), {}, "come in a column with a row per region"),
    ],
)
def test_what_is_not_one_column_of_categories_is_refused(atlas, values, options, message):
    with pytest.raises(SignalsError, match=message):
        rc.paint(values, atlas, categories=True, **options)


def test_what_does_not_go_with_categories(atlas):
    for fill in (1, float("nan")):
        with pytest.raises(ArgumentError, match="Of categories, 0 is none"):
            rc.paint(frame(), atlas, categories=True, fill=fill)
    for door in ("dict", "DataFrame", "list"):
        with pytest.raises(SignalsError, match="these values are a single map"):
            rc.paint(DOORS[door](), atlas, categories=True, t_r=2.0)


def test_codes_that_were_read_stay_categories(atlas):
    signals = rc.load_signals(frame(), atlas, categories=True)
    assert signals.values.tolist() == [CODES]
    assert rc.paint(signals, atlas).categories.names == ("net2", "net10", "Vis")
    with pytest.raises(ArgumentError, match="Of categories, 0 is none"):
        rc.paint(signals, atlas, fill=5)
    assert rc.match(frame(), atlas, categories=True).n_matched == 4


def test_without_being_asked_text_is_an_error_that_says_how(atlas, folder):
    for values in (frame(), "networks.tsv", DOORS["dict"](), DOORS["Series"]()):
        with pytest.raises((SignalsError, SignalsTypeError)) as caught:
            rc.paint(values, atlas)
        assert "categories=True (--categories)" in str(caught.value)


def test_regions_that_are_missing_are_no_category(atlas):
    with pytest.raises(RegioncastError, match="missing"):
        rc.paint({"V1": "a"}, atlas, categories=True)
    image = rc.paint({"V1": "a"}, atlas, categories=True, missing="fill")
    np.testing.assert_array_equal(array_of(image), painted([1, 0, 0, 0]))


def test_groups_have_categories(folder):
    table = pd.DataFrame({"index": LABELS, "name": NAMES, "lobe": ["a", "a", "b", "b"]})
    atlas = rc.load_parcellation("atlas.nii.gz", table)
    image = rc.paint({"a": "front", "b": "back"}, atlas, by="lobe", categories=True)
    np.testing.assert_array_equal(array_of(image), painted([2, 2, 1, 1]))


# --- to files and back -----------------------------------------------------------------------


def test_a_volume_is_read_again_as_a_parcellation(folder, atlas):
    image = rc.paint(frame(), atlas, categories=True)
    assert rc.save(image, "x_dseg.nii.gz").name == "x_dseg.nii.gz"
    written = pd.read_csv("x_dseg.tsv", sep="\t")
    assert list(written.columns) == ["index", "name", "color"]
    again = rc.load_parcellation("x_dseg.nii.gz", strict=True)
    assert list(again) == list(image.categories)
    assert again.table.columns["color"] == image.categories.columns["color"]
    np.testing.assert_array_equal(array_of(nib.load("x_dseg.nii.gz")), painted())
    np.testing.assert_array_equal(again.codes, painted())


@pytest.mark.parametrize("there", ["x_dseg.nii.gz", "x_dseg.tsv"])
def test_image_and_table_are_written_both_or_not_at_all(folder, atlas, there):
    (folder / there).write_text("mine")
    image = rc.paint(frame(), atlas, categories=True)
    with pytest.raises(OutputExistsError, match=there):
        rc.save(image, "x_dseg.nii.gz")
    assert (folder / there).read_text() == "mine"
    assert len(list(folder.glob("x_dseg*"))) == 1
    rc.save(image, "x_dseg.nii.gz", overwrite=True)
    assert len(rc.load_parcellation("x_dseg.nii.gz", strict=True)) == 3


def surface_atlas():
    return rc.load_parcellation({"left": labels_gifti("L"), "right": labels_gifti("R")})


def test_a_pair_of_surfaces_is_read_again(tmp_path, program):
    atlas = surface_atlas()
    networks = dict(zip(atlas.table.unique_keys, ["a", "b", "c", "a", "b", None], strict=True))
    image = rc.paint(networks, atlas, categories=True)
    files = rc.save(image, tmp_path / "x.label.gii")
    assert [file.name for file in files] == ["x.L.label.gii", "x.R.label.gii"]
    for file, side in zip(files, "LR", strict=True):
        again = rc.load_parcellation(file)
        names = np.array(["", *again.table.names])[again.codes]
        expected = np.array(["", *image.categories.names])[image.part(side)]
        np.testing.assert_array_equal(names, expected)
        information = call(program("wb_command"), "-file-information", file)
        assert "Label" in information
    with pytest.warns(RegionTableWarning, match="gets labels of 3 categories without their names"):
        rc.save(image, tmp_path / "x.func.gii")
    back = rc.extract(tmp_path / "x.?.func.gii", atlas)
    assert back.values.astype(int).tolist() == [[1, 2, 3, 1, 2, 0]]


def test_grayordinates_are_read_again(tmp_path, program):
    axis = brain_models()
    keys = np.arange(len(axis)) % 4
    nib.save(dlabel(keys, {0: "???", 1: "V1", 2: "V2", 3: "M1"}, axis), tmp_path / "a.dlabel.nii")
    atlas = rc.load_parcellation(tmp_path / "a.dlabel.nii")
    image = rc.paint({"V1": "b", "V2": "a", "M1": "b"}, atlas, categories=True)
    rc.save(image, tmp_path / "x.dlabel.nii")
    again = rc.load_parcellation(tmp_path / "x.dlabel.nii")
    assert list(again) == [(1, "a"), (2, "b")]
    np.testing.assert_array_equal(again.codes, np.array([0, 2, 1, 2])[keys])
    information = call(program("wb_command"), "-file-information", tmp_path / "x.dlabel.nii")
    assert "CIFTI - Dense Label" in information
    with pytest.warns(RegionTableWarning, match=r"which \.dlabel\.nii of images"):
        rc.save(image, tmp_path / "x.dscalar.nii")
    np.testing.assert_array_equal(array_of(nib.load(tmp_path / "x.dscalar.nii"))[0], again.codes)


def call(*command):
    return subprocess.run(
        list(map(str, command)), check=True, capture_output=True, text=True
    ).stdout


def test_onto_and_mask(tmp_path, atlas):
    inside = image_of((small_labels() != 7001).astype(np.uint8), OBLIQUE)
    with pytest.warns(UserWarning, match="leaves no voxel of 1 region"):
        image = rc.paint(frame(), atlas, categories=True, mask=inside)
    assert image.categories.names == ("net10", "Vis")


def test_an_edited_image_is_written_as_it_is(folder, atlas):
    image = rc.paint(frame(), atlas, categories=True)
    image.get_fdata()[0] = 9
    with pytest.warns(RegionTableWarning, match="that were not edited"):
        rc.save(image, "x_dseg.nii.gz")
    assert not (folder / "x_dseg.tsv").exists()
    assert nib.load("x_dseg.nii.gz").get_fdata().max() == 9


def test_categories_in_the_shell(folder, capsys):
    words = ["paint", "networks.tsv", "atlas.nii.gz"]
    assert cli.main([*words, "-o", "x_dseg.nii.gz"]) == 1
    assert "categories=True (--categories)" in capsys.readouterr().err
    assert cli.main([*words, "-o", "x_dseg.nii.gz", "--categories"]) == 0
    out = capsys.readouterr().out
    assert "4 values painted into 4 of 4 regions by name, 3 categories (1 value of none)" in out
    assert len(rc.load_parcellation("x_dseg.nii.gz", strict=True)) == 3
    assert cli.main([*words, "-o", "x_dseg.nii.gz", "--categories"]) == 1
    assert "The output exists: x_dseg.nii.gz" in capsys.readouterr().err
    assert cli.main([*words, "-o", "maps/{map}_dseg.nii.gz", "--categories"]) == 0
    assert (folder / "maps" / "network_dseg.tsv").exists()


def test_numbers_are_not_written_as_labels(tmp_path):
    values = dict.fromkeys(surface_atlas().table.unique_keys, 1.0)
    with pytest.raises(FileFormatError, match=r"cannot be written as 'x\.label\.gii'"):
        rc.save(rc.paint(values, surface_atlas()), tmp_path / "x.label.gii")


def test_categories_that_look_the_same_are_the_same():
    atlas = rc.load_parcellation({"left": np.arange(3)}, {1: "a", 2: "b"})
    image = rc.paint({"a": "\u00e9", "b": "e\u0301"}, atlas, categories=True)
    assert image.categories.names == ("\u00e9",)


def test_the_table_that_was_painted_is_never_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    atlas = rc.load_parcellation(image_of(small_labels()))
    labels = atlas.table.labels.tolist()
    text = "index\tnetwork\n" + "".join(f"{label}\tVis\n" for label in labels)
    (tmp_path / "networks.tsv").write_text(text)
    image = rc.paint("networks.tsv", atlas, categories=True)
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="was painted"):
            rc.save(image, "networks.nii.gz", overwrite=overwrite)
    assert (tmp_path / "networks.tsv").read_text() == text
    assert not (tmp_path / "networks.nii.gz").exists()


def test_labels_have_no_sidecar_of_the_maps_before(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    atlas = rc.load_parcellation(image_of(small_labels()))
    series = rc.paint(np.ones((3, len(atlas))), atlas, t_r=2.0)
    rc.save(series, "x.nii.gz")
    assert (tmp_path / "x.json").exists()
    rc.save(atlas, "x.nii.gz", overwrite=True)
    assert not (tmp_path / "x.json").exists()
