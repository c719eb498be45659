"""Which regions surfaces have, and of which hemisphere, by label tables and region tables."""

from __future__ import annotations

import warnings

import nibabel as nib
import numpy as np
import pytest
from small_spaces import N_VERTICES, labels_gifti, maps_gifti, vertex_labels

import regioncast as rc
from regioncast.errors import (
    ArgumentError,
    MatchError,
    RegionTableError,
    RegionTableWarning,
    SpaceError,
)

LISTED = {0: "???", 3: "V1", 7: "V2", 9: "M1"}


@pytest.fixture
def pair():
    return rc.load_parcellation(left=labels_gifti("L"), right=labels_gifti("R"))


def sparse_labels(side, *labels):
    """Labels of a hemisphere that has these, and no others."""
    values = np.zeros(N_VERTICES[side], np.int32)
    for place, label in enumerate(labels):
        values[10 * place : 10 * place + 5] = label
    return labels_gifti(side, values, names=LISTED)


def both(left, right):
    return {"left": sparse_labels("L", *left), "right": sparse_labels("R", *right)}


def test_a_region_that_one_hemisphere_lacks_keeps_its_row():
    surfaces = both([3, 7], [3, 7, 9])
    with pytest.warns(RegionTableWarning, match="1 row of the region table without a vertex: 9"):
        atlas = rc.load_parcellation(surfaces)
    assert atlas.table.unique_names == ("L:V1", "L:V2", "L:M1", "R:V1", "R:V2", "R:M1")
    assert atlas.counts.tolist() == [5, 5, 0, 5, 5, 5]
    assert np.isnan(rc.extract(rc.paint(np.ones(6), atlas), atlas).values[0]).tolist() == [
        False, False, True, False, False, False,
    ]  # fmt: skip
    with pytest.raises(RegionTableError, match="without a vertex: 9"):
        rc.load_parcellation(surfaces, strict=True)


@pytest.mark.parametrize("background", [None, 0])
def test_a_table_of_the_whole_brain_in_both_files_gives_each_region_to_its_hemisphere(background):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        atlas = rc.load_parcellation(both([3, 7], [9]), background=background)
    rows = [
        (side, name) for side, (_, name) in zip(atlas.table.hemispheres, atlas.table, strict=True)
        if name != "???"
    ]  # fmt: skip
    assert rows == [("L", "V1"), ("L", "V2"), ("R", "M1")]


@pytest.mark.parametrize("title", ["hemisphere", "Hemi", "side", "structure"])
@pytest.mark.parametrize("words", [("L", "R"), ("Left Hemisphere", "right hemisphere")])
def test_a_column_of_hemispheres_counts_whatever_its_usual_title(tmp_path, title, words):
    table = tmp_path / "regions.tsv"
    rows = [("index", "name", title), (3, "V1", words[0]), (9, "M1", words[1])]
    table.write_text("\n".join("\t".join(map(str, row)) for row in rows))
    atlas = rc.load_parcellation(both([3], [9]), regions=table, strict=True)
    assert (atlas.table.hemispheres, atlas.table.names) == (("L", "R"), ("V1", "M1"))
    assert title not in atlas.table.columns
    # The column counts, and not only the labels: there is no 9 on the left.
    with pytest.warns(RegionTableWarning, match="1 label of the image without a row"):
        crossed = rc.load_parcellation(both([3], [3]), regions=table)
    assert crossed.table.names == ("V1", "3", "M1")


def test_a_column_of_structures_that_are_no_hemispheres_is_a_column_like_any():
    regions = rc.RegionTable([3, 9], ["V1", "M1"], {"structure": ["cortex", "cortex"]})
    atlas = rc.load_parcellation(both([3], [9]), regions=regions)
    assert atlas.table.columns["structure"] == ("cortex", "cortex")


# --- tables of values ------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["{S}_{name}", "{fs}_{name}", "ctx-{fs}-{name}", "{S}:{name}"])
def test_names_with_a_prefix_beside_a_column_of_hemispheres(pair, spelling):
    pd = pytest.importorskip("pandas")
    sides = pair.table.hemispheres
    names = [
        spelling.format(S=side, fs={"L": "lh", "R": "rh"}[side], name=name)
        for side, name in zip(sides, pair.table.names, strict=True)
    ]
    frame = pd.DataFrame({"name": names, "hemisphere": sides, "value": np.arange(6.0)})
    painted = rc.paint(frame.sample(frac=1, random_state=3), pair)
    np.testing.assert_array_equal(np.asarray(painted), np.asarray(rc.paint(np.arange(6.0), pair)))
    more = pd.DataFrame({"name": ["stem"], "hemisphere": ["B"], "value": [9.0]})
    rc.paint(pd.concat([frame, more]), pair, extra="ignore")
    frame["hemisphere"] = ["R", *sides[1:]]  # contradicts the first name
    with pytest.raises(MatchError, match=r"1 region without a value; 1 key that no region has"):
        rc.paint(frame, pair)


# --- tables beside surfaces ------------------------------------------------------------------


def write_labels(path):
    labels = vertex_labels("L")
    if path.name.endswith(".label.gii"):
        labels_gifti("L", labels, names={}).to_filename(path)
    elif path.suffix == ".gii":
        maps_gifti("L", labels[np.newaxis]).to_filename(path)
    elif path.suffix == ".mgh":
        nib.MGHImage(labels[:, np.newaxis, np.newaxis], np.eye(4)).to_filename(path)
    elif path.suffix == ".npy":
        np.save(path, labels)
    else:
        np.savetxt(path, labels, fmt="%d")


@pytest.mark.parametrize("suffix", [".label.gii", ".shape.gii", ".mgh", ".txt", ".csv", ".npy"])
@pytest.mark.parametrize("table", ["tpl-x_hemi-L_dseg.tsv", "tpl-x_dseg.tsv"])
def test_the_table_beside_a_surface_without_names(tmp_path, suffix, table):
    path = tmp_path / f"tpl-x_hemi-L_dseg{suffix}"
    write_labels(path)
    (tmp_path / table).write_text("index\tname\n3\tA\n7\tB\n14474380\tC\n")
    for source in (path, str(path), {"left": path}):
        assert rc.load_parcellation(source).table.names == ("A", "B", "C")
    assert rc.load_parcellation(path, regions="none").table.names == ("3", "7", "14474380")
    (tmp_path / table).write_text("nothing\n1.5\n")
    with pytest.raises(RegionTableError, match="lies beside the labels image"):
        rc.load_parcellation(path)


def test_names_in_the_file_count_before_a_table_beside_it(tmp_path):
    path = tmp_path / "lh.atlas.label.gii"
    labels_gifti("L").to_filename(path)
    (tmp_path / "lh.atlas.tsv").write_text("index\tname\n3\tA\n7\tB\n14474380\tC\n")
    assert rc.load_parcellation(path).table.names == ("V1", "V2", "insula")


def test_labels_as_text_beside_a_surface_are_no_region_table(tmp_path):
    for suffix in (".mgh", ".txt", ".csv"):
        write_labels(tmp_path / f"lh.atlas{suffix}")
    for suffix in (".mgh", ".txt", ".csv"):
        atlas = rc.load_parcellation(tmp_path / f"lh.atlas{suffix}")
        assert atlas.table.names == ("3", "7", "14474380")


# --- maps of labels --------------------------------------------------------------------------


def two_maps(side):
    image = labels_gifti(side)
    image.darrays.append(labels_gifti(side, vertex_labels(side)[::-1].copy()).darrays[0])
    for array, name in zip(image.darrays, ["forth", "back"], strict=True):
        array.meta["Name"] = name
    return image


@pytest.mark.parametrize("chosen", ["back", 1, "1"])
def test_a_map_of_labels_of_a_surface_is_chosen_by_name_or_number(chosen):
    surfaces = {"left": two_maps("L"), "right": two_maps("R")}
    atlas = rc.load_parcellation(surfaces, label_map=chosen)
    expected = np.concatenate([vertex_labels(side)[::-1] for side in "LR"])
    assert np.array_equal(np.array([0, *atlas.table.labels])[atlas.codes], expected)
    image = {side: maps_gifti(side, np.ones((1, n), "f4")) for side, n in N_VERTICES.items()}
    assert rc.extract(image, rc.load_parcellation(surfaces, label_map=chosen)).n_regions == 6
    for wrong in (None, "sideways", 2):
        with pytest.raises(ArgumentError, match="there are: 0 'forth', 1 'back'"):
            rc.load_parcellation(surfaces, label_map=wrong)


def test_an_error_about_many_maps_lists_some(tmp_path):
    np.save(tmp_path / "lh.many.npy", np.zeros((701, 1200), int))
    with pytest.raises(ArgumentError, match=r"has 1,200 maps .* 18, 19 and 1,180 more\.$"):
        rc.load_parcellation(tmp_path / "lh.many.npy")


# --- messages and spellings ------------------------------------------------------------------


def test_names_that_one_hemisphere_has_twice_are_told_apart_by_label():
    twice = labels_gifti("L", names={3: "V1", 7: "V1", 14474380: "insula"})
    atlas = rc.load_parcellation(left=twice, right=labels_gifti("R"))
    with pytest.raises(MatchError, match=r"'V1'.*Key the values by label \(L:3\)"):
        rc.paint({"V1": 1.0, "M1": 2.0}, atlas)


@pytest.mark.parametrize("spelling", ["L:{}", "lh:{}", "left:{}", "Left:{}"])
def test_labels_with_a_hemisphere_in_the_usual_spellings(pair, spelling):
    words = {"L": "R", "lh": "rh", "left": "right", "Left": "Right"}
    word = spelling.partition(":")[0]
    keys = [
        spelling.replace(word, {"L": word, "R": words[word]}[side]).format(label)
        for side, (label, _) in zip(pair.table.hemispheres, pair.table, strict=True)
    ]
    painted = rc.paint(dict(zip(keys, np.arange(6.0), strict=True)), pair)
    np.testing.assert_array_equal(np.asarray(painted), np.asarray(rc.paint(np.arange(6.0), pair)))


def test_a_surface_of_unknown_hemisphere_may_be_painted_onto_as_it_may_be_extracted_from(tmp_path):
    atlas = rc.load_parcellation(left=labels_gifti("L"))
    np.save(tmp_path / "plain.npy", np.zeros(N_VERTICES["L"]))
    painted = rc.paint(np.arange(1.0, 4), atlas, onto=tmp_path / "plain.npy")
    assert rc.extract(painted, atlas).values.tolist() == [[1, 2, 3]]
    np.testing.assert_array_equal(painted, rc.paint(np.arange(1.0, 4), atlas))
    np.save(tmp_path / "other.npy", np.zeros(N_VERTICES["L"] + 1))
    with pytest.raises(SpaceError, match="The hemisphere of the image to paint onto is unknown"):
        rc.paint(np.arange(1.0, 4), atlas, onto=tmp_path / "other.npy")
