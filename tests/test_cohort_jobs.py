"""Tables of jobs: the same through every door; what is wrong with them; passes and shards."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regioncast.cohort import batch
from regioncast.cohort.jobs import Job, in_shard, passes, read_jobs
from regioncast.errors import ArgumentError, InputMissingError, JobsError

ROWS = [
    {"image": "sub-1/bold.nii.gz", "atlas": "A=atlases/a_dseg.nii.gz", "strategy": "mean,median",
     "mask": "mask.nii", "min_coverage": 0.5, "resample": "labels", "detrend": True, "t_r": 2,
     "confounds": "c.tsv", "confound_columns": "rot_?, trans_x", "output": "{strategy}.tsv"},
    {"image": "sub-1/bold.nii.gz", "atlas": "b, c/atlas-Schaefer_seg-7n_dseg.nii.gz",
     "regions": "none", "by": "network", "nan": "zero", "standardize": "psc"},
    {"image": "sub 2/bold.nii.gz", "atlas": "lh.aparc.annot,rh.aparc.annot", "weights": "w.nii",
     "low_pass": 0.1, "high_pass": 1e-3, "detrend": False},
]  # fmt: skip
TITLES = list(dict.fromkeys(title for row in ROWS for title in row))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with a table of jobs in it as text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b, c").mkdir()
    (tmp_path / "b, c" / "atlas-Schaefer_seg-7n_dseg.nii.gz").touch()
    return tmp_path


def as_tsv(rows, nothing=""):
    lines = [TITLES, *([str(row.get(title, nothing)) for title in TITLES] for row in rows)]
    return "\n".join("\t".join(line) for line in lines) + "\n"


def columns_of(rows):
    return {title: [row.get(title) for row in rows] for title in TITLES}


def frame_of(rows):
    return pd.DataFrame(columns_of(rows))


def test_what_a_table_says(folder):
    first, second, third = read_jobs(ROWS)
    assert first == Job(
        1, f"{folder}/sub-1/bold.nii.gz", f"{folder}/atlases/a_dseg.nii.gz", "A",
        ("mean", "median"),
        {"mask": f"{folder}/mask.nii", "min_coverage": 0.5, "resample": "labels"},
        {"confounds": f"{folder}/c.tsv", "confound_columns": ["rot_?", "trans_x"],
         "detrend": True, "t_r": 2.0},
        "{strategy}.tsv", "sub-1/bold.nii.gz",
    )  # fmt: skip
    assert (second.label, second.strategies) == ("Schaefer", ("mean",))
    assert second.atlas == f"{folder}/b, c/atlas-Schaefer_seg-7n_dseg.nii.gz"
    assert second.of_atlas == {"regions": "none", "by": "network"}
    assert second.of_pass == {"nan": "zero", "standardize": "psc"}
    assert third.atlas == f"{folder}/lh.aparc.annot,{folder}/rh.aparc.annot"
    assert third.label == "aparc"
    assert third.of_pass == {
        "weights": f"{folder}/w.nii", "detrend": False, "low_pass": 0.1, "high_pass": 1e-3,
    }  # fmt: skip
    assert pickle.loads(pickle.dumps(first)) == first


@pytest.mark.parametrize("nothing", ["", "n/a"])
def test_every_door_gives_the_same_jobs(folder, nothing):
    frame = frame_of(ROWS)
    (folder / "jobs.tsv").write_text(as_tsv(ROWS, nothing))
    (folder / "windows.tsv").write_bytes(
        b"\xef\xbb\xbf" + as_tsv(ROWS, nothing).replace("\n", "\r\n").encode()
    )
    frame.to_csv("jobs.csv", index=False, na_rep=nothing)
    frame.to_parquet("jobs.parquet")
    doors = [
        ROWS, columns_of(ROWS), frame, frame.set_index(pd.Index([5, 6, 7])),
        pl.DataFrame(columns_of(ROWS), strict=False), pd.read_csv("jobs.csv"),
        pd.read_csv("jobs.tsv", sep="\t"), "jobs.tsv", Path("jobs.csv"), "jobs.parquet",
        folder / "windows.tsv", [{**row, "image": Path(row["image"])} for row in ROWS],
        [{**row, "strategy": row.get("strategy", "mean").split(",")} for row in ROWS],
    ]  # fmt: skip
    expected = read_jobs(ROWS)
    for door in doors:
        assert read_jobs(door) == expected
    assert read_jobs(expected) == expected


def test_paths_are_relative_to_the_table(folder, monkeypatch):
    there = folder / "there"
    there.mkdir()
    (there / "jobs.tsv").write_text("image\tatlas\nx.nii\t../a.nii\n~/y.nii\t/b.nii\n")
    one, other = read_jobs("there/jobs.tsv")
    assert (one.image, one.atlas) == (f"{there}/x.nii", f"{folder}/a.nii")
    assert (other.image, other.atlas) == (str(Path.home() / "y.nii"), "/b.nii")
    assert one.image_in_table == "x.nii"


def test_what_is_above_a_link_is_above_what_it_leads_to(folder):
    inner = folder / "elsewhere" / "inner"
    inner.mkdir(parents=True)
    for path in (folder, folder / "elsewhere"):
        (path / "a.nii").write_text(str(path))
    (folder / "link").symlink_to(inner)
    row = {"image": "../a.nii", "atlas": "A=../a.nii", "regions": "../a.nii", "mask": "../a.nii"}
    row["confounds"] = "../a.nii, ../../a.nii"
    table = folder / "link" / "jobs.tsv"
    pd.DataFrame([row]).to_csv(table, sep="\t", index=False)
    (job,) = read_jobs(table)
    # What the system opens, by a name without "..", which needs no link to be known.
    above = str(folder / "elsewhere" / "a.nii")
    assert Path(table.parent / "../a.nii").read_text() == str(folder / "elsewhere")
    assert {job.image, job.atlas, job.of_atlas["regions"], job.of_atlas["mask"]} == {above}
    assert job.of_pass["confounds"] == [above, str(folder / "a.nii")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"image": "a", "atlas": "b", "masks": "c"}],
         r"1 column that jobs do not have: 'masks'. Did you mean 'mask' for 'masks'\? Columns"),
        ([{"image": "a"}], "has no column 'atlas'; its columns are 'image'"),
        ([], "The list of jobs is empty"),
        ({"image": [], "atlas": []}, "has no rows"),
        ({"image": "a", "atlas": ["b"]}, "The column 'image' is 'a'. Give a list"),
        ({"image": ["a", "b"], "atlas": ["b"]}, "2 in 'image', 1 in 'atlas'"),
        (3, "not int"),
        ([{"image": "a", "atlas": "b", "min_coverage": 2}],
         r"1 row of 1 cannot be read: row 1: min_coverage is a fraction from 0 to 1, not 2\."),
        ([{"image": "a", "atlas": "b", "t_r": "x"}], "t_r is a number, not 'x'"),
        ([{"image": "a", "atlas": "b", "detrend": "maybe"}], "detrend is true or false"),
        ([{"image": "a", "atlas": "b", "nan": "drop"}], "nan is 'omit' or 'propagate' or 'zero'"),
        ([{"image": "a", "atlas": "b", "strategy": "meen"}], "row 1: 'strategy' must be one of"),
        ([{"image": "a", "atlas": "b", "strategy": "mean,sum", "output": "x"}],
         "2 strategies and one output"),
        ([{"image": "a", "atlas": "b"}, {"image": "n/a", "atlas": "b"}],
         "1 row of 2 cannot be read: row 2: there is nothing in the column 'image'. Correct"),
        ([{"image": 3, "atlas": "b"}], "row 1: image is the path of a file, not int"),
        ([{"image": "a", "atlas": np.zeros(2)}], "atlas is the path of a file, not ndarray"),
        ([{"image": "a", "atlas": "b", "output": 3}], "row 1: output is text, not 3"),
        ([{"image": "a", "atlas": "b", "strategy": np.mean}], "strategy is text or a list of text"),
        ([{"image": "a", "atlas": "b", "confounds": pd.DataFrame({"x": [1.0]})}],
         "confounds is text or a list of texts, not DataFrame"),
        ([{"image": "a.ome.zarr", "atlas": "b"}], "image 'a.ome.zarr' is a Zarr, and no file"),
        ([{"image": "a", "atlas": "B=c/b.zarr"}], "atlas 'B=c/b.zarr' is a Zarr"),
        ([{"image": "a", "atlas": "脳.nii"}], "write LABEL=PATH"),
        ([{"image": "a", "atlas": "A=b"}, {"image": "a", "atlas": "A=c"}],
         r"1 label of more than one .*: A of \S*/b \(row 1\) and \S*/c \(row 2\). Write LABEL"),
        # Names that say no label are of one atlas each.
        ([{"image": "a", "atlas": "1/x.nii"}, {"image": "b", "atlas": "2/x.nii"}],
         r"x of \S*/1/x.nii \(row 1\) and \S*/2/x.nii \(row 2\)"),
        ([{"image": "a", "atlas": "x=1/x.nii"}, {"image": "b", "atlas": "2/x.nii"}], "1 label"),
        # The third is not of the image of the first, and is of that of the second.
        ([{"image": "a", "atlas": "A=1.nii"}, {"image": "b", "atlas": "A=2.nii"},
          {"image": "b", "atlas": "A=1.nii"}], r"2\.nii \(row 2\) and .*1\.nii \(row 3\)"),
        ([{"image": "a", "atlas": "A=1.nii", "by": "x"}, {"image": "b", "atlas": "A=2.nii"}],
         "different regions= or by="),
        ([{"image": "a", "atlas": "A=1.nii", "regions": "x.tsv"},
          {"image": "b", "atlas": "A=1.nii", "regions": "y.tsv"}], "different regions= or by="),
        ([{"image": "a", "atlas": "b"}, {"image": "a", "atlas": "b", "by": "network"}],
         "different regions= or by="),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table(folder, rows, message):
    with pytest.raises(JobsError, match=message):
        read_jobs(rows)


def test_one_label_may_be_of_an_atlas_of_each_subject(folder):
    for said in ("aparc={}/labels.nii", "{}/{}_seg-aparc_dseg.nii"):
        rows = [
            {"image": f"{sub}_run-{run}.nii", "atlas": said.format(sub, sub)}
            for sub in ("sub-1", "sub-2")
            for run in (1, 2)
        ]
        jobs = read_jobs(rows)
        assert {job.label for job in jobs} == {"aparc"}
        assert len({job.atlas for job in jobs}) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image\tatlas\na\tb\tc\n", "1 row with another number of cells than there are titles"),
        ("image\tatlas\timage\na\tb\tc\n", "columns that are there more than once: 'image'"),
        ("", "has no rows"),
        ("image\tatlas\n\n", "has no rows"),
        ("image;atlas\na;b\n", "has one column, 'image;atlas'. Save it with tabs"),
        ("image,atlas\na,b\n", "has one column, 'image,atlas'"),
        ("image\tatlas\t\na\tb\tc\n", "1 column that jobs do not have: ''"),
    ],
)
def test_what_is_wrong_with_a_file(folder, text, message):
    (folder / "jobs.tsv").write_text(text)
    with pytest.raises(JobsError, match=message):
        read_jobs("jobs.tsv")


def test_columns_of_a_spreadsheet_in_which_there_is_nothing_say_nothing(folder):
    (folder / "jobs.csv").write_text("image,atlas,,\r\na,B=b,,\r\n,,,\r\nc,B=b, ,\r\n")
    assert read_jobs("jobs.csv") == read_jobs({"image": ["a", "c"], "atlas": ["B=b", "B=b"]})


def test_a_table_that_is_not_there(folder):
    with pytest.raises(InputMissingError):
        read_jobs("jobs.tsv")
    with pytest.raises(ArgumentError, match="strategy"):
        read_jobs(ROWS, strategies=["nothing"])


def test_two_rows_with_one_output_are_refused_before_anything_runs(folder):
    rows = [{"image": f"{n % 8}.nii", "atlas": "A=a.nii"} for n in range(16)]
    with pytest.raises(JobsError, match=r"16 outputs would be .* of rows 1 and 9;.*; and 11 more"):
        batch(rows, "out")
    rows = [
        {"image": "1.nii", "atlas": "A=a.nii", "output": "x.tsv"},
        {"image": "2.nii", "atlas": "A=a.nii", "output": "y/../x.csv"},
    ]
    with pytest.raises(JobsError, match=r"1 output would be .* x.csv of rows 1 and 2"):
        batch(rows, "out")
    rows = [{"image": "1.nii", "atlas": "A=a.nii", "confounds": "out/x.tsv", "output": "x.tsv"}]
    with pytest.raises(JobsError, match="which is an input"):
        batch(rows, "out")
    assert not (folder / "out").exists()


def test_rows_of_one_image_are_one_pass(folder):
    rows = [
        {"image": "1.nii", "atlas": "A=a.nii"},
        {"image": "2.nii", "atlas": "A=a.nii"},
        {"image": "1.nii", "atlas": "B=b.nii", "mask": "m.nii", "strategy": "sum"},
        {"image": "1.nii", "atlas": "C=c.nii", "t_r": 2},
    ]
    rows_of = [[job.row for job in each.jobs] for each in passes(read_jobs(rows))]
    assert rows_of == [[1, 3], [4], [2]]


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 50))
def test_every_image_is_of_one_shard(images, count):
    for image in images:
        try:
            os.fsencode(image)
        except UnicodeEncodeError:
            continue
        assert sum(in_shard(image, number, count) for number in range(1, count + 1)) == 1


def test_shards_stay_as_they_are():
    """Else a run of an earlier version would be divided otherwise; and they are of one size."""
    shard = [next(n for n in range(1, 8) if in_shard(f"{k}.nii", n, 7)) for k in range(700)]
    assert shard[:6] == [4, 5, 4, 5, 2, 6]
    counts = [shard.count(number) for number in range(1, 8)]
    assert min(counts) > 70
    assert max(counts) < 130
