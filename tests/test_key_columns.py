"""No column is taken for the key of a table by luck: it says so itself, or the table is refused."""

from __future__ import annotations

import dataclasses
import os
import unicodedata

import nibabel as nib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import regioncast as rc
from regioncast.errors import MatchError, RegioncastError, SignalsError
from regioncast.tables.values import ValueColumn, ValueTable, _check_once


def atlas_of(labels, names=None):
    image = nib.Nifti1Image(np.array([[[0, *labels]]], np.int32), np.eye(4))
    return rc.load_parcellation(
        image, None if names is None else dict(zip(labels, names, strict=True))
    )


P3 = atlas_of([1, 2, 3])
P4 = atlas_of([1, 2, 3, 4], ["Vis", "Mot", "Aud", "Som"])
P17 = atlas_of([17, 53, 60, 99])


def by_label(values, atlas=P4, **options):
    """Return the numbers of the regions in ascending order of label, one list per map."""
    data = np.asarray(rc.paint(values, atlas, **options).dataobj)[0, 0, 1:]
    return data.T.tolist()


def carriers(frame, folder, **options):
    """Return a DataFrame and the files that pandas writes of it."""
    frame.to_parquet(folder / "v.parquet")
    frame.to_csv(folder / "v.csv", **options)
    frame.to_csv(folder / "v.tsv", sep="\t", **options)
    return [frame, folder / "v.parquet", folder / "v.csv", folder / "v.tsv"]


def write(folder, text, name="v.csv"):
    path = folder / name
    path.write_text(text)
    return path


# --- an index says who ------------------------------------------------------------------------


@given(order=st.permutations([1, 2, 3, 4]), n_maps=st.sampled_from([1, 2, 3, 5]))
@pytest.mark.parametrize("title", [None, "label", "order"])
def test_an_index_of_labels_is_the_key_whatever_the_titles(tmp_path_factory, order, n_maps, title):
    values = np.arange(4.0 * n_maps).reshape(4, n_maps) + 0.5
    frame = pd.DataFrame(values, index=pd.Index(order, name=title)).rename(columns=str)
    expected = values[np.argsort(order)].T.tolist()
    files = carriers(frame, tmp_path_factory.mktemp("index"))
    if title == "order":  # an index all the same in pandas, but a column of numbers in text
        files = files[:2]
    for carrier in files:
        assert by_label(carrier) == (expected if n_maps > 1 else expected[0])


def test_a_series_as_a_frame_or_a_file_is_the_series(tmp_path):
    series = pd.Series([0.5, 0.25, 1.5, 2.5], index=[60, 17, 99, 53])
    for carrier in [series, *carriers(series.to_frame(), tmp_path)[2:], series.to_frame()]:
        assert by_label(carrier, P17) == [0.25, 2.5, 0.5, 1.5]
    series.iloc[:2].to_csv(tmp_path / "v.csv")
    assert by_label(tmp_path / "v.csv", P17, missing="fill") == [0.25, 0, 0.5, 0]


def test_the_order_that_sorting_left_is_no_order_of_regions(tmp_path):
    series = pd.Series([0.3, 0.1, 0.2, 0.4]).sort_values()
    for carrier in [series, series.to_frame(), *carriers(series.to_frame(), tmp_path)[2:]]:
        with pytest.raises(MatchError, match=r"missing  1: .*\nunused   1: "):
            rc.paint(carrier, P4)


@pytest.mark.parametrize("title", [None, "order"])
def test_a_square_frame_with_an_index_is_ambiguous_unless_it_is_titled(tmp_path, title):
    square = np.arange(16.0).reshape(4, 4)
    frame = pd.DataFrame(square, index=pd.Index([1, 2, 3, 4], name=title))
    for carrier in [frame, *(carriers(frame.rename(columns=str), tmp_path) if not title else [])]:
        with pytest.raises(MatchError, match=r"ambiguous: its index \(1, 2, 3, 4\) may say"):
            rc.paint(carrier, P4)
        assert by_label(carrier, by="label") == square.T.tolist()
    assert by_label(frame.rename_axis("label")) == square.T.tolist()
    assert by_label(frame.reset_index(drop=True)) == square.tolist()


@pytest.mark.parametrize("title", ["X", "V"])
def test_a_square_matrix_of_r_beside_the_numbers_of_its_rows_is_ambiguous(tmp_path, title):
    square = np.arange(16.0).reshape(4, 4) + 0.5
    frame = pd.DataFrame(square, index=range(1, 5), columns=[f"{title}{n}" for n in range(1, 5)])
    for carrier in carriers(frame, tmp_path):
        with pytest.raises(MatchError, match=r"\(1, 2, 3, 4\) may say .* leave out .* the titles"):
            rc.paint(carrier, P4)
        assert by_label(carrier, by="label") == square.T.tolist()
    by_title = frame.set_axis(["Vis", "Mot", "Aud", "Som"], axis=1)
    assert by_label(by_title) == square.tolist()


@pytest.mark.parametrize("title", ["name", "Region", "label_name"])
def test_rows_counted_beside_the_names_of_another_atlas_raise(title):
    frame = pd.DataFrame({"index": [1, 2, 3, 4], title: list("abcd"), "t": [0.5, 1.5, 2.5, 3.5]})
    with pytest.raises(MatchError, match=rf"None of the 4 cells in the column '{title}' .*'Vis'"):
        rc.paint(frame, P4)
    for options in ({"by": "label"}, {"key": "index"}, {"atlas": atlas_of([1, 2, 3, 4])}):
        assert by_label(frame, **options) == frame["t"].tolist()
    assert by_label(frame.rename(columns={title: "abbreviation"})) == frame["t"].tolist()
    assert by_label(frame.iloc[::-1]) == frame["t"].tolist()


@pytest.mark.parametrize("title", ["community_label", "network_id"])
def test_a_column_of_groups_is_no_rival_of_the_index(title):
    frame = pd.DataFrame({"index": [3, 1, 2, 4], title: [1, 1, 2, 2], "z": [0.5, 1.5, 2.5, 3.5]})
    assert by_label(frame, columns="z") == [1.5, 2.5, 0.5, 3.5]
    with pytest.raises(MatchError, match=f"'{title}' .* cannot be the key"):
        rc.paint(frame.drop(columns="index"), P4)


@pytest.mark.parametrize("labels", [[10, 11, 12, 17], [2, 3, 4, 10]])
def test_an_index_that_counts_rows_is_no_rival_of_all_labels(labels):
    frame = pd.DataFrame({"Index": [1, 2, 3, 4], "SegId": labels[::-1], "Volume_mm3": [5, 6, 7, 8]})
    assert by_label(frame, atlas_of(labels), columns="Volume_mm3") == [8, 7, 6, 5]
    with pytest.raises(MatchError, match="could be the labels: 'Index', 'SegId'"):
        rc.paint(frame.assign(SegId=[2, 1, 4, 3]), P4)


@pytest.mark.parametrize("text", ["Vis;1.234;0,5\nMot;2.500;1", "Vis;1.234;1\nMot;0,5;2"])
def test_points_beside_decimal_commas_may_be_thousands(tmp_path, text):
    path = write(tmp_path, f"name;z;p\n{text}\nAud;7;2\nSom;8;3\n")
    with pytest.raises(SignalsError, match=r"'z' of .* may be thousands or decimals: '1\.234'"):
        rc.paint(path, P4)


@pytest.mark.parametrize("cell", ["1.234,5", "1.234.567", "1,234.5", "1,234,567"])
def test_separators_of_thousands_are_named(tmp_path, cell):
    path = write(tmp_path, f"name\tz\nVis\t{cell}\nMot\t{cell}\nAud\t7\nSom\t8\n", "v.tsv")
    with pytest.raises(SignalsError, match="thousands without separators"):
        rc.paint(path, P4)


def test_a_line_that_is_one_cell_is_shown(tmp_path):
    path = write(tmp_path, "name z\nVis left 0.5\nMot 1.5\n", "v.txt")
    with pytest.raises(SignalsError, match=r"one cell: 'name z'\. Separate cells by tab, comma"):
        rc.paint(path, P4)


@pytest.mark.parametrize("index", [[0.5, 1.0, 1.5], pd.date_range("2020", periods=3)])
def test_an_index_of_times_is_no_key(index):
    frame = pd.DataFrame(np.arange(12.0).reshape(3, 4), index=index)
    assert by_label(frame) == frame.to_numpy().tolist()


# --- files without a header ---------------------------------------------------------------------


def test_labels_in_the_first_column_or_one_column_per_region(tmp_path):
    three = write(tmp_path, "2 0.5 7\n1 1.5 8\n3 2.5 9\n", "v.txt")
    with pytest.raises(MatchError, match=r"ambiguous: .* first column \(2, 1, 3\)"):
        rc.paint(three, P3)
    assert by_label(three, P3, by="label") == [[1.5, 0.5, 2.5], [8, 7, 9]]
    assert by_label(three, P3, by="position")[0] == [2, 0.5, 7]
    four = write(tmp_path, "2 0.5 7\n1 1.5 8\n3 2.5 9\n4 3.5 6\n", "v.txt")
    assert by_label(four) == [[1.5, 0.5, 2.5, 3.5], [8, 7, 9, 6]]


def test_labels_and_values_of_afni(tmp_path):
    rows = "17 0.5\n99 2.5\n53 1.5\n60 3.5\n"
    assert by_label(write(tmp_path, rows, "v.1D"), P17) == [0.5, 1.5, 3.5, 2.5]
    with pytest.raises(MatchError, match="ambiguous"):
        rc.paint(write(tmp_path, "1 0.5\n2 2.5\n", "v.1D"), atlas_of([1, 2]))


def test_a_label_that_is_none_is_named_and_nothing_turned(tmp_path):
    path = write(tmp_path, "1,0.5\n2,1.5\n3,2.5\n4,3.5\n9,4.5\n")
    with pytest.raises(MatchError, match="unused   1: 9"):
        rc.paint(path, P4)


@pytest.mark.parametrize(
    "rows", [[(1, 2), (2, 9), (3, 4), (4, 5)], [(2, 1), (1, 9), (4, 4), (3, 5)]]
)
def test_a_first_row_of_a_label_and_a_value_that_is_one(tmp_path, rows):
    path = write(tmp_path, "".join(f"{label}\t{value}\n" for label, value in rows), "v.tsv")
    assert by_label(path) == [dict(rows)[label] for label in (1, 2, 3, 4)]
    path = write(tmp_path, "1\t2\n2\t3\n", "v.tsv")
    with pytest.raises(MatchError, match=r"The first row of .* \(1, 2\) may be a header of labels"):
        rc.paint(path, P4)
    assert by_label(path, by="label", missing="fill") == [2, 3, 0, 0]


# --- titles -------------------------------------------------------------------------------------

FLAWED = {
    "1 label more than once: 2": [1, 2, 2, 4],
    "1 row without one: 3": [1, 2, None, 4],
    r"1 cell no integer: 2\.5": [1, 2.5, 3, 4],
    "1 cell no integer: 'Total'": ["1", "2", "3", "Total"],
    "none of 100, 101, 102, 103 is a label of 1, 2, 3, 4": [100, 101, 102, 103],
}


@pytest.mark.parametrize("fault", FLAWED)
@pytest.mark.parametrize("other", ["rank", "order", "count", "area", "n_voxels", "rank_index"])
@pytest.mark.parametrize("title", ["label", "index", "roi_id", "Label ID"])
def test_no_other_integers_stand_in_for_flawed_labels(tmp_path, fault, other, title):
    frame = pd.DataFrame({title: FLAWED[fault], other: [4, 3, 1, 2], "z": [0.5, 1.5, 2.5, 3.5]})
    for carrier in [*carriers(frame, tmp_path, index=False), frame.iloc[:, ::-1]]:
        with pytest.raises(MatchError, match=f"'{title}' .* titled as labels and cannot .*{fault}"):
            rc.paint(carrier, P4)


@pytest.mark.parametrize("title", ["rank", "order", "volume", "count", "n_voxels", "area", "size"])
def test_integers_of_any_title_are_no_key_unless_named(tmp_path, title):
    frame = pd.DataFrame({title: [4, 3, 1, 2], "z": [0.5, 1.5, 2.5, 3.5]})
    for carrier in carriers(frame, tmp_path, index=False):
        with pytest.raises(
            MatchError, match=f"1 column .* could be the labels: '{title}'. Pass key="
        ):
            rc.paint(carrier, P4)
        assert by_label(carrier, key=title) == [2.5, 3.5, 1.5, 0.5]


def test_numbers_of_subjects_do_not_hide_the_labels():
    frame = pd.DataFrame({"id": 7, "subject_id": 1, "label": [4, 3, 2, 1], "z": [1.5, 2, 3, 4]})
    assert by_label(frame, columns="z") == [4, 3, 2, 1.5]


# --- by -----------------------------------------------------------------------------------------


def test_by_has_a_say_in_which_column_is_the_key():
    frame = pd.DataFrame({"name": list("wxyz"), "label": [4, 3, 2, 1], "z": [1.5, 2, 3, 4]})
    assert by_label(frame, by="label") == [4, 3, 2, 1.5]
    frame["name"] = ["Som", "Aud", "Mot", "Vis"]
    for by in ("label", "name", "auto"):
        assert by_label(frame, by=by) == [4, 3, 2, 1.5]


def test_labels_are_the_key_where_regions_share_names():
    atlas = atlas_of([1, 2, 3, 4], ["V1", "V2", "V1", "V2"])
    frame = atlas.table.to_pandas().assign(z=[0.5, 1.5, 2.5, 3.5])
    assert by_label(frame, atlas) == [0.5, 1.5, 2.5, 3.5]
    with pytest.raises(MatchError, match=r"2 keys given more than once: 'V1', 'V2'.* pass key="):
        rc.paint(frame.drop(columns="index"), atlas)


def test_a_row_that_is_no_region_is_named_among_labels_as_text(tmp_path):
    rows = "".join(f"{label},{label}.5\n" for label in [*range(1, 5), "Total"])
    path = write(tmp_path, f"who,z\n{rows}".replace("Total.5", "10.5"))
    with pytest.raises(MatchError, match="unused   1: 'Total'"):
        rc.paint(path, P4)
    assert by_label(path, extra="ignore") == [1.5, 2.5, 3.5, 4.5]


@pytest.mark.parametrize("title", ["ROInum", "node", "Schaefer100"])
def test_rows_that_r_counts_are_no_key_beside_a_column_of_labels(tmp_path, title):
    rows = "".join(f'"{row}",{5 - row},{5 - row}.5\n' for row in range(1, 5))
    path = write(tmp_path, f'"","{title}","z"\n{rows}')
    frame = pd.DataFrame({title: [4, 3, 2, 1], "z": [4.5, 3.5, 2.5, 1.5]}, index=range(1, 5))
    for values, index in ((path, "column 1"), (frame, "")):
        for columns in (None, "z"):
            with pytest.raises(MatchError, match=f"could be the labels: '{index}', '{title}'"):
                rc.paint(values, P4, columns=columns)
        assert by_label(values, key=title, columns="z") == [1.5, 2.5, 3.5, 4.5]
    # A column that is alone can only be values.
    assert by_label(frame[[title]]) == [4, 3, 2, 1]


@pytest.mark.parametrize(
    "title",
    ["row_nr", "RowID", "sort_index", "rank_index", "Case_Number", "CaseNo", "subject_id", "S.No"],
)
def test_titles_that_number_something_else_say_nothing_of_labels(title):
    frame = pd.DataFrame({title: [1, 2, 3, 4], "z": [0.5, 1.5, 2.5, 3.5]})
    with pytest.raises(MatchError, match=f"1 column .* could be the labels: '{title}'. Pass key="):
        rc.paint(frame, P4)
    beside = frame.assign(label=[4, 3, 2, 1])
    assert by_label(beside) == [[4, 3, 2, 1], [3.5, 2.5, 1.5, 0.5]]
    frame["region_row_id"] = [4, 3, 2, 1]
    assert by_label(frame[["region_row_id", "z"]]) == [3.5, 2.5, 1.5, 0.5]


def test_a_column_that_by_names_is_the_key():
    regions = {"index": [1, 2, 3, 4], "mapping": [40, 30, 20, 10]}
    atlas = rc.load_parcellation(
        nib.Nifti1Image(np.array([[[0, 1, 2, 3, 4]]], np.int32), np.eye(4)), regions
    )
    frame = pd.DataFrame({"mapping": [10, 20, 30, 40], "size": [4, 3, 2, 1]})
    assert by_label(frame, atlas, by="mapping") == [1, 2, 3, 4]
    text = {str(key): float(key) for key in frame["mapping"]}
    assert by_label(text, atlas, by="mapping") == [40, 30, 20, 10]


@pytest.mark.parametrize("text", ["z\n0.5\n1.5\n2.5\n3.5\n", ",z\n0,0.5\n1,1.5\n2,2.5\n3,3.5\n"])
def test_a_table_of_values_alone_goes_by_position_if_told_so(tmp_path, text):
    path = write(tmp_path, text)
    with pytest.raises(MatchError, match="no column of regions"):
        rc.paint(path, P4)
    assert by_label(path, by="position") == [0.5, 1.5, 2.5, 3.5]
    wider = write(tmp_path, "z,p\n" + "".join(f"{n}.5,0.{n}\n" for n in range(4)))
    assert by_label(wider, by="position", columns="p") == [0, 0.1, 0.2, 0.3]
    assert by_label(wider, by="position") == [[0.5, 1.5, 2.5, 3.5], [0, 0.1, 0.2, 0.3]]


@pytest.mark.parametrize("separator", [" ", ", ", "\t"])
@pytest.mark.parametrize("kind", ["names", "labels"])
def test_a_comment_that_names_regions_is_the_header_of_a_1d_file(tmp_path, separator, kind):
    titles = {"names": ["Som", "Aud", "Mot", "Vis"], "labels": ["4", "3", "2", "1"]}[kind]
    path = tmp_path / "values.1D"
    path.write_text(f"# 3dROIstats 2\n# {separator.join(titles)}\n4.5 3.5 2.5 1.5\n")
    assert by_label(path) == [1.5, 2.5, 3.5, 4.5]
    assert by_label(path, by="position") == [4.5, 3.5, 2.5, 1.5]
    path.write_text(f"# {' '.join(titles)}\n# mm mm mm mm\n4.5 3.5 2.5 1.5\n")
    assert by_label(path) == [1.5, 2.5, 3.5, 4.5]
    path.write_text(f'#  ColumnLabels = "{" ; ".join(titles)}"\n4.5 3.5 2.5 1.5\n')
    assert by_label(path) == [1.5, 2.5, 3.5, 4.5]


@pytest.mark.parametrize("comment", ["one two three four", "run 3 mean x", "0 1 2 3", "Vis"])
def test_a_comment_that_names_no_regions_or_one_by_chance_is_none(tmp_path, comment):
    path = tmp_path / "values.1D"
    path.write_text(f"# {comment}\n4.5 3.5 2.5 1.5\n")
    assert by_label(path) == [4.5, 3.5, 2.5, 1.5]
    path.write_text("# 2\n4.5\n3.5\n2.5\n1.5\n")
    assert by_label(path) == [4.5, 3.5, 2.5, 1.5]


def test_a_wide_table_is_not_turned_round_by_position(tmp_path):
    titles, row = ["time", "Som", "Aud", "Mot", "Vis"], "0,40,30,20,10\n"
    path = write(tmp_path, ",".join(titles) + "\n" + 4 * row)
    with pytest.raises(MatchError, match="5 columns for 4 regions"):
        rc.paint(path, P4, by="position")


@pytest.mark.parametrize("by", ["name", "label"])
def test_by_a_standard_word_is_no_title(by):
    keys = {"name": ["Mot", "Vis", "Som", "Aud"], "label": [2, 1, 4, 3]}[by]
    title = {"name": "roi", "label": "roi_id"}[by]
    frame = pd.DataFrame({by: ["a", "b", "c", "d"], title: keys, "z": [2.0, 1.0, 4.0, 3.0]})
    assert by_label(frame, by=by) == [1, 2, 3, 4]


# --- what is no map -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "cells"),
    [
        ("folding_index", [10, 20, 30, 40]),
        ("laterality_index", [-1, 0, 5, 7]),
        ("gyrification_index", [4, 3, 1, 2]),
    ],
)
@pytest.mark.parametrize("key", ["name", "label"])
def test_a_map_is_not_lost_for_its_title(title, cells, key):
    keys = {"name": ["Vis", "Mot", "Aud", "Som"], "label": [1, 2, 3, 4]}[key]
    frame = pd.DataFrame({key: keys, title: cells, "z": [0.5, 1.5, 2.5, 3.5]})
    if key == "label" and set(cells) & {1, 2, 3, 4}:
        with pytest.raises(MatchError, match="could be the labels"):
            rc.paint(frame, P4)
    assert by_label(frame, key=key) == [cells, [0.5, 1.5, 2.5, 3.5]]


@pytest.mark.parametrize("title", ["index", "label", "id"])
def test_labels_of_other_regions_beside_names_are_left_out_by_no_guess(title):
    frame = pd.DataFrame({"name": ["Vis", "Mot", "Aud", "Som"], title: [10, 20, 30, 40], "z": 1.5})
    with pytest.raises(
        SignalsError, match=f"'{title}' .* is not the labels of its regions: 10, 20"
    ):
        rc.paint(frame, P4)
    assert by_label(frame, columns="z") == [1.5] * 4
    assert by_label(frame, columns=title) == [10, 20, 30, 40]
    frame[title] = [1, 2, 3, 3]
    with pytest.raises(SignalsError, match="is not the labels of its regions"):
        rc.paint(frame, P4)


@given(
    names=st.lists(
        st.sampled_from(["rank_index", "b", "1", "2", "2019", "map"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    by_name=st.booleans(),
    suffix=st.sampled_from([".tsv", ".csv", ".parquet"]),
    long=st.booleans(),
)
def test_signals_come_back_from_files_whatever_the_maps_are_called(
    tmp_path_factory, names, by_name, suffix, long
):
    assume(by_name or not long or "rank_index" not in names)  # two columns could be the labels
    path = tmp_path_factory.mktemp("maps") / f"signals{suffix}"
    keys = ["Som", "Vis", "Mot", "Aud"] if by_name else [4, 1, 2, 3]
    values = np.array([[4, 1, 3, 2], [1, 2, 3, 4], [9, 8, 7, 6]])[: len(names)]
    rc.save(rc.Signals(values, keys, map_names=names), path, long=long)
    assert (
        np.array(by_label(path)).reshape(len(names), 4).tolist() == values[:, [1, 2, 3, 0]].tolist()
    )


def test_a_column_called_map_names_maps(tmp_path):
    frame = pd.DataFrame(np.eye(4), columns=["Vis", "Mot", "Aud", "Som"])
    for names in (["Vis", "Mot", "Aud", "Som"], [1, 2, 3, 4], list("abcd")):
        frame["map"] = names
        for carrier in carriers(frame, tmp_path, index=False):
            image = rc.paint(carrier, P4)
            assert image.match.signals.map_names == tuple(map(str, names))
            assert by_label(carrier) == np.eye(4).tolist()
    misspelt = frame.rename(columns={"Vis": "Viz", "Mot": "Mto", "Aud": "A", "Som": "S"})
    with pytest.raises(MatchError, match="unused   4: 'Viz', 'Mto', 'A', 'S'"):
        rc.paint(misspelt, P4)


@pytest.mark.parametrize("titles", [["2019", "2020"], ["1", "2"], ["0", "1"]])
@pytest.mark.parametrize("first", ["name", "label", "ROI"])
def test_a_title_makes_a_header_over_numbers(tmp_path, titles, first):
    keys = ["Vis", "Mot", "Aud", "Som"] if first != "label" else [1, 2, 3, 4]
    rows = [[first, *titles], *([key, n + 0.5, n] for n, key in enumerate(keys))]
    path = write(tmp_path, "".join(",".join(map(str, row)) + "\n" for row in rows))
    assert by_label(path) == [[0.5, 1.5, 2.5, 3.5], [0, 1, 2, 3]]
    assert by_label(path, columns=titles[0]) == [0.5, 1.5, 2.5, 3.5]


# --- columns that are not there -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("name,network\nVis,a\nMot,a\n", "'network' holds text: 'a', 'a'"),
        ("name,x\nVis,\nMot,\n", "has no column of values"),
        ("index,name\n1,Vis\n2,Mot\n", "'index' was taken for labels; pass columns= to paint it"),
        ("Vis\nMot\n", "has no column of values"),
        ("<html>\n<table>\n</table>\n", "has no column of values"),
    ],
)
def test_a_table_without_values_says_what_it_has(tmp_path, text, shown):
    path = write(tmp_path, text)
    if text.startswith("name,x"):
        assert np.isnan(by_label(path, missing="fill")[0])
        return
    with pytest.raises(SignalsError, match=shown):
        rc.paint(path, P4, missing="fill")


def test_no_columns_are_no_values():
    frame = pd.DataFrame({"name": ["Vis", "Mot", "Aud", "Som"], "z": 1.5})
    with pytest.raises(SignalsError, match="has no column of values beside its key column 'name'"):
        rc.paint(frame, P4, columns=[])
    with pytest.raises(
        MatchError, match="2 columns 'z' of the DataFrame would be maps of one name"
    ):
        rc.paint(frame, P4, columns=["z", "z"])


def test_a_single_column_with_a_header_is_told_how_to_go_by_position(tmp_path):
    for rows in ("z\n0.5\n1.5\n2.5\n3.5\n", "z\n4\n3\n2\n1\n"):
        with pytest.raises(MatchError, match="goes by position if it has no header"):
            rc.paint(write(tmp_path, rows), P4)


def test_a_column_beside_columns_of_labels_is_a_key_without_region(tmp_path):
    path = write(tmp_path, "time,1,2,3,4\n0,.5,.6,.7,.8\n2,5,6,7,8\n")
    with pytest.raises(MatchError, match="unused   1: 'time'"):
        rc.paint(path, P4)
    assert by_label(path, extra="ignore") == [[0.5, 0.6, 0.7, 0.8], [5, 6, 7, 8]]


# --- numbers of every kind ----------------------------------------------------------------------

LARGE = 2**53 + 1


def series_of(kind, cells):
    if kind == "dict":
        return {n + 1: cell for n, cell in enumerate(cells)}
    if kind == "NumPy in a dict":
        return {n + 1: cell if cell is None else np.array(cell)[()] for n, cell in enumerate(cells)}
    if kind == "arrays in a dict":
        return {n + 1: np.array([np.nan if cell is None else cell]) for n, cell in enumerate(cells)}
    if kind == "polars":
        return pl.Series(cells, strict=False)
    if kind == "pyarrow":
        return pa.array(cells)
    dtype = {"object": object, "Int64": "Int64"}[kind]
    return pd.Series(cells, dtype=dtype, index=[1, 2, 3, 4])


KINDS = ["dict", "NumPy in a dict", "arrays in a dict", "polars", "pyarrow", "object", "Int64"]


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_are_nan_and_no_integer_is_rounded(kind):
    shown = by_label(series_of(kind, [7, None, 3, 4]))
    np.testing.assert_array_equal(np.ravel(shown), [7, np.nan, 3, 4])
    with pytest.raises(SignalsError, match=str(LARGE)):
        rc.paint(series_of(kind, [LARGE, None, 3, 4]), P4)
    assert np.ravel(by_label(series_of(kind, [LARGE, 1, 3, 4]))).tolist() == [LARGE, 1, 3, 4]


@pytest.mark.parametrize("gap", [None, 0.5])
def test_parquet_does_not_round_integers(tmp_path, gap):
    table = pa.table({"name": ["Vis", "Mot", "Aud"], "n": pa.array([LARGE, None, 3])})
    pa.parquet.write_table(table, tmp_path / "v.parquet")
    with pytest.raises(SignalsError, match=str(LARGE)):
        rc.paint(tmp_path / "v.parquet", P4, missing="fill")


def test_objects_that_are_numbers_are_numbers():
    row = pd.DataFrame({"sub": ["a"], "Vis": [1.5], "Mot": [2], "Aud": [3.5], "Som": [4]}).iloc[0]
    assert by_label(row.drop("sub")) == [1.5, 2, 3.5, 4]
    flags = pd.Series([True, None, False, True], ["Vis", "Mot", "Aud", "Som"], dtype="boolean")
    np.testing.assert_array_equal(by_label(flags), [1, np.nan, 0, 1])
    cells = [np.float32(1.5), np.int64(2), None, np.float64(4)]
    frame = pd.DataFrame({"label": [1, 2, 3, 4], "z": np.array(cells, object)})
    np.testing.assert_array_equal(by_label(frame), [1.5, 2, np.nan, 4])
    with pytest.raises(RegioncastError, match="1 of 4 values is no number: 'x'"):
        rc.paint(pd.Series(["x", 1, 2, 3], [1, 2, 3, 4], dtype=object), P4)


def test_integers_on_both_sides_of_the_signed_ones_come_back(tmp_path):
    signals = rc.Signals(np.array([1, 2**63 + 5, 3, 2**64 - 1], np.uint64), [1, 2, 3, 4])
    for name in ("v.tsv", "v.csv", "v.parquet", "v.npy"):
        image = rc.paint(rc.save(signals, tmp_path / name), P4)
        assert image.get_data_dtype() == np.uint64
        assert np.asarray(image.dataobj).ravel().tolist() == [0, 1, 2**63 + 5, 3, 2**64 - 1]
    cells = pl.Series([1, 2, 3, 4], dtype=pl.Int128)
    large = pl.Series([2**70, 2, 3, 4], dtype=pl.Int128)
    assert by_label(pl.DataFrame({"label": [1, 2, 3, 4], "n": cells})) == [1, 2, 3, 4]
    with pytest.raises(SignalsError, match=r"1 integer in .* beyond 64 bits"):
        rc.paint(pl.DataFrame({"label": [1, 2, 3, 4], "n": large}), P4)


# --- carriers as they come ----------------------------------------------------------------------


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("in_atlas", ["NFC", "NFD"])
def test_names_that_look_the_same_are_the_same(tmp_path, form, in_atlas):
    atlas = atlas_of([1, 2], [unicodedata.normalize(in_atlas, name) for name in ("Área", "Pôle")])
    names = [unicodedata.normalize(form, name) for name in ("Pôle", "Área")]
    frame = pd.DataFrame({"name": names, "z": [2.5, 1.5]})
    wide = pd.DataFrame([[2.5, 1.5]], columns=names)
    series = frame.set_index("name")["z"]
    for carrier in [series.to_dict(), series, *carriers(frame, tmp_path, index=False)]:
        assert by_label(carrier, atlas) == [1.5, 2.5]
    for carrier in carriers(wide, tmp_path, index=False):
        assert np.ravel(by_label(carrier, atlas)).tolist() == [1.5, 2.5]


def test_decimal_commas_are_pointed_at(tmp_path):
    path = write(tmp_path, "name\tz\nVis\t0,5\nMot\t1,5\n", "v.tsv")
    with pytest.raises(SignalsError, match="a point for the decimal comma"):
        rc.paint(path, P4)


def test_comments_of_afni_are_no_values(tmp_path):
    text = "# <matrix\n# >\n 1.5 # Vis\n 2.5\n 3.5\n 4.5\n# </matrix>\n"
    assert by_label(write(tmp_path, text, "v.1D")) == [1.5, 2.5, 3.5, 4.5]


def test_an_integer_of_thousands_of_digits_is_no_label_and_no_value(tmp_path):
    for rows in ("{}\t1\n", "1\t{}\n"):
        path = write(tmp_path, "label\tz\n" + rows.format("9" * 5000), "v.tsv")
        with pytest.raises(RegioncastError, match=r"no key is|holds text"):
            rc.paint(path, P4, missing="fill")


def test_several_arrays_under_the_name_of_one(tmp_path):
    np.savez(tmp_path / "v.npz", a=np.arange(4), b=np.arange(4))
    path = (tmp_path / "v.npz").rename(tmp_path / "v.npy")
    with pytest.raises(RegioncastError, match="holds several arrays \\('a', 'b'\\)"):
        rc.paint(path, P4)


def test_the_output_of_another_program_is_a_table():
    reader, writer = os.pipe()
    os.write(writer, b"label\tz\n1\t1.5\n2\t2.5\n4\t4.5\n3\t3.5\n")
    os.close(writer)
    assert by_label(f"/dev/fd/{reader}") == [1.5, 2.5, 3.5, 4.5]
    os.close(reader)


def test_titles_given_twice_are_named():
    for frame in (
        pa.table([["Vis"], [1], [2]], names=["name", "z", "z"]),
        pd.DataFrame([["Vis", 1, 2]], columns=["name", "z", "z"]),
    ):
        with pytest.raises(MatchError, match=r"1 column title .* more than once: 'z'"):
            rc.paint(frame, P4)


def test_what_stands_twice_is_found_in_large_tables():
    # In a time that grows with their square, each of these would take minutes.
    n_rows, n_maps = 200_000, 100_000
    long = pd.DataFrame({"label": [*range(1, n_rows), 5], "z": 0.5})
    titles = [*(f"map {n}" for n in range(n_maps)), "map 7"]
    wide = pd.DataFrame(np.zeros((4, 1 + n_maps)), columns=titles)
    with pytest.raises(MatchError, match="1 label more than once: 5"):
        rc.paint(long, P4)
    with pytest.raises(MatchError, match=r"1 column title .* more than once: 'map 7'"):
        rc.paint(wide, P4)
    column = ValueColumn("z", (1.0,), np.ones(1))
    columns = [dataclasses.replace(column, title=title) for title in titles]
    with pytest.raises(MatchError, match="2 columns 'map 7' of t would be maps of one name"):
        _check_once(columns, ValueTable(tuple(columns), "t"))


def test_a_map_called_as_a_column_of_regions_is_named():
    signals = rc.Signals([[1.0, 2.0], [3.0, 4.0]], [1, 2], map_names=["index", "b"])
    with pytest.raises(SignalsError, match="1 map called 'index', as the column of the regions"):
        signals.to_pandas(long=True)
    assert list(signals.to_pandas().index) == ["index", "b"]


def test_a_frame_of_an_index_alone_is_empty():
    with pytest.raises(SignalsError, match="is empty"):
        rc.paint(pd.DataFrame(index=[1, 2, 3, 4]), P4)
