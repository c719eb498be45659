"""One table of all tables of a batch: what pandas would make of them, and of nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nibabel.gifti import GiftiDataArray, GiftiImage, GiftiMetaData
from small_spaces import N_VERTICES, STRUCTURES, labels_gifti
from small_volumes import image_of, small_labels

import regioncast as rc
from regioncast import cli
from regioncast.cohort import batch, gather
from regioncast.errors import FileFormatError, InputMissingError, OutputError, OutputExistsError

REGIONS = {"index": [-2, 3, 7, 7001], "name": ["insula", "V1", 'V2 a"b', "hippocampus, left"]}
STRATEGIES = ["mean", "percentile:90"]


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Images of several subjects, two atlases of volumes and one of surfaces; no two alike."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(11)
    for subject, ses, run, n_maps in [
        ("10", "", "", 3),
        ("9", "a", "_run-1", 2),
        ("9", "b", "", 1),
    ]:
        folder = Path("data", f"sub-{subject}", f"ses-{ses}" if ses else "", "func")
        folder.mkdir(parents=True)
        between = f"_ses-{ses}" if ses else ""
        values = random.standard_normal((6, 5, 4, n_maps))
        values[0, :, :, 0] = np.nan
        nib.save(image_of(values), folder / f"sub-{subject}{between}_task-rest{run}_bold.nii.gz")
    nib.save(image_of(random.standard_normal((6, 5, 4))), "data/stat.nii.gz")
    for side in "LR":
        maps = [random.standard_normal(N_VERTICES[side]).astype(np.float32) for _ in range(2)]
        arrays = [GiftiDataArray(values, intent="NIFTI_INTENT_SHAPE") for values in maps]
        meta = GiftiMetaData({"AnatomicalStructurePrimary": STRUCTURES[side]})
        name = f"data/sub-9/ses-a/func/sub-9_ses-a_task-rest_hemi-{side}_space-f_bold.func.gii"
        nib.save(GiftiImage(meta=meta, darrays=arrays), name)
        nib.save(labels_gifti(side), f"{side}.label.gii")
    nib.save(image_of(small_labels()), "a_dseg.nii.gz")
    pd.DataFrame(REGIONS).to_csv("a_dseg.tsv", sep="\t", index=False)
    labels = small_labels()
    labels[labels == 3] = 12
    nib.save(image_of(labels), "b_dseg.nii.gz")
    return tmp_path


def jobs():
    volumes = sorted(str(path) for path in Path("data").rglob("*.nii.gz"))
    rows = [
        {"image": image, "atlas": atlas}
        for image in volumes
        for atlas in ("A=a_dseg.nii.gz", "B=b_dseg.nii.gz")
    ]
    surface = "data/sub-9/ses-a/func/sub-9_ses-a_task-rest_hemi-?_space-f_bold.func.gii"
    return [*rows, {"image": surface, "atlas": "S=L.label.gii,R.label.gii"}]


def run_batch(folder="out", rows=None, **options):
    options = {"strategy": STRATEGIES, "workers": 1, **options}
    summary = batch(jobs() if rows is None else rows, folder, **options)
    assert not summary.failed
    return summary


ENTITIES = ["sub", "ses", "task", "run", "space"]
# In natural order of the tables in the folder.
IMAGES = [
    "stat",
    "sub-9_ses-a_task-rest_run-1_bold",
    "sub-9_ses-a_task-rest_space-f_bold",
    "sub-9_ses-b_task-rest_bold",
    "sub-10_task-rest_bold",
]


def oracle():
    """What rc.extract gives for each job, put together by pandas alone."""
    frames = []
    sources = {
        "stat": "data/stat.nii.gz",
        **{p.name.removesuffix(".nii.gz"): str(p) for p in Path("data/").rglob("sub-*.nii.gz")},
        IMAGES[2]: "data/sub-9/ses-a/func/sub-9_ses-a_task-rest_hemi-?_space-f_bold.func.gii",
    }
    for name in IMAGES:
        parts = [part for part in name.split("_") if "-" in part]
        entities = {part.partition("-")[0]: part for part in parts}
        for label in ["S"] if "space-f" in name else ["A", "B"]:
            atlas = {"A": "a_dseg.nii.gz", "B": "b_dseg.nii.gz", "S": "L.label.gii,R.label.gii"}[
                label
            ]
            for strategy in STRATEGIES:
                signals = rc.extract(sources[name], atlas, strategy=strategy)
                regions = signals.coverage
                for volume, row in enumerate(signals.values):
                    frame = pd.DataFrame(
                        {"index": regions.labels, "name": regions.names, "value": row}
                    )
                    frame["hemisphere"] = regions.hemispheres or [None] * len(frame)
                    about = dict(
                        entities, image=name, atlas=label, strategy=strategy, volume=volume
                    )
                    frames.append(frame.assign(**about))
    titles = [
        *ENTITIES,
        "image",
        "atlas",
        "strategy",
        "volume",
        "index",
        "name",
        "hemisphere",
        "value",
    ]
    return pd.concat(frames, ignore_index=True)[titles]


def sort(frame):
    """Rows in an order that does not depend on how they were gathered."""
    keys = ["image", "atlas", "strategy", "volume", "index", "name"]
    keys += ["hemisphere"] if "hemisphere" in frame else []
    return frame.sort_values([key for key in keys if key in frame], ignore_index=True)


def read(path):
    if path.endswith(".parquet"):
        return pd.read_parquet(path)
    sep = "\t" if path.endswith(".tsv") else ","
    texts = dict.fromkeys([*ENTITIES, "image", "atlas", "strategy", "name", "hemisphere"], str)
    return pd.read_csv(
        path, sep=sep, na_values=["n/a"], keep_default_na=False, dtype=texts,
    )  # fmt: skip


def assert_same(got, expected):
    pd.testing.assert_frame_equal(
        got.astype(object).where(got.notna(), None),
        expected.astype(object).where(expected.notna(), None),
        check_dtype=False,
    )
    if "value" in got:
        assert got["value"].to_numpy().tobytes() == expected["value"].to_numpy().tobytes()


@pytest.mark.parametrize("written", ["tsv", "parquet"])
@pytest.mark.parametrize("output", ["all.parquet", "all.tsv", "all.csv"])
def test_it_is_what_pandas_makes_of_all_signals(study, written, output):
    run_batch(format=written)
    gathered = gather("out", output)
    assert (gathered.left_out, gathered.n_tables) == ({}, 18)
    got, expected = read(output), oracle()
    assert list(got.columns) == list(expected.columns)
    assert gathered.n_rows == len(expected)
    assert got["value"].isna().any()
    assert_same(sort(got), sort(expected))
    # Images in natural order, of each the atlases and strategies.
    assert list(dict.fromkeys(got["image"])) == IMAGES


def test_coverage_is_gathered_once_for_all_strategies(study):
    run_batch()
    gathered = gather("out", "coverage.tsv", coverage=True)
    got = read("coverage.tsv")
    frames = []
    for path in Path("out").rglob("*_stat-coverage_*.tsv"):
        name, _, rest = path.name.partition("_atlas-")
        image = name if name == "stat" else f"{name}_bold"
        frames.append(pd.read_csv(path, sep="\t").assign(image=image, atlas=rest[0]))
    expected = pd.concat(frames, ignore_index=True)
    assert gathered.n_rows == len(got) == len(expected)
    titles = ["image", "atlas", "index", "name", "voxels", "in_mask", "finite", "fraction"]
    keys = ["image", "atlas", "index", "name"]
    volumes = got[got["atlas"] != "S"][titles].sort_values(keys, ignore_index=True)
    wanted = expected[expected["atlas"] != "S"]
    wanted = wanted.assign(name=wanted["name"].astype(str))[titles]
    assert_same(volumes, wanted.sort_values(keys, ignore_index=True))
    of_surface = got[got["atlas"] == "S"]
    assert of_surface["hemisphere"].tolist() == ["L"] * 3 + ["R"] * 3
    assert of_surface["name"].tolist()[0] == of_surface["name"].tolist()[3] == "V1"
    gather("out", "coverage.parquet", coverage=True)
    table = pd.read_parquet("coverage.parquet")
    assert table["fraction"].dtype == np.float64
    assert_same(table, got)


@pytest.mark.parametrize("output", ["all.parquet", "all.tsv"])
def test_the_same_tables_give_the_same_bytes(study, output):
    run_batch()
    gather("out", output)
    before = Path(output).read_bytes()
    # Written in another order, some again.
    shutil.rmtree("out")
    run_batch(rows=list(reversed(jobs()))[:4])
    run_batch(rows=list(reversed(jobs())))
    gather("out", output, overwrite=True)
    assert Path(output).read_bytes() == before


def test_names_of_maps_are_gathered(study):
    axis = [f"task-{word}" for word in ("x", "y", "z")]
    signals = rc.extract("data/sub-10/func/sub-10_task-rest_bold.nii.gz", "a_dseg.nii.gz")
    run_batch(rows=jobs()[:2])
    table = next(Path("out").rglob("*_atlas-A_stat-mean_*.tsv"))
    sidecar = table.with_suffix(".json")
    said = json.loads(sidecar.read_text(encoding="utf-8"))
    n_maps = len(pd.read_csv(table, sep="\t"))
    named = rc.Signals(signals.values[:n_maps], signals.keys, map_names=axis[:n_maps])
    rc.save(named, table, overwrite=True, sidecar=False)
    said["Record"]["Size"] = table.stat().st_size
    sidecar.write_text(json.dumps(said), encoding="utf-8")
    gather("out", "all.tsv")
    got = read("all.tsv")
    named_rows = got[(got["atlas"] == "A") & (got["strategy"] == "mean")]
    assert list(dict.fromkeys(named_rows["map"])) == axis[:n_maps]
    assert got.loc[got["atlas"] == "B", "map"].isna().all()


def test_what_is_not_done_is_left_out_and_listed(study, capsys):
    run_batch()
    expected = sort(oracle())
    everything = {path.relative_to("out").as_posix(): path for path in Path("out").rglob("*.tsv")}
    tables = {name: path for name, path in everything.items() if "_stat-coverage_" not in name}

    def table_of(*words):
        (name,) = (name for name in tables if all(word in name for word in words))
        return name, tables[name]

    left_out = {}
    name, path = table_of("sub-10", "atlas-A", "stat-mean")
    path.with_suffix(".json").unlink()
    left_out[name] = "there is no record that it is done"
    name, path = table_of("sub-10", "atlas-B", "stat-percentile90")
    path.write_text(path.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    left_out[name] = "it was changed since"
    name, path = table_of("ses-b", "atlas-B", "stat-mean")
    damaged = path.read_bytes().replace(b".", b"x")
    path.write_bytes(damaged)
    left_out[name] = "it cannot be read"
    name, path = table_of("ses-b", "atlas-A", "stat-mean")
    sidecar = path.with_suffix(".json")
    said = json.loads(sidecar.read_text(encoding="utf-8"))
    del said["Record"]["Inputs"]["image"][0]["Path"]
    sidecar.write_text(json.dumps(said), encoding="utf-8")
    left_out[name] = "its record cannot be read"
    name, path = table_of("ses-b", "atlas-A", "stat-percentile90")
    titles, _, rest = path.read_text(encoding="utf-8").partition("\n")
    path.write_text(titles.replace("insula", "alusni") + "\n" + rest, encoding="utf-8")
    left_out[name] = "its regions are not those that its sidecar says"
    run = "sub-9_ses-a_task-rest_run-1_bold"
    os.utime(f"data/sub-9/ses-a/func/{run}.nii.gz", (1, 1))
    for name in tables:
        if "run-1" in name:
            left_out[name] = "the image changed since"
    gathered = gather("out", "all.parquet")
    assert gathered.left_out == left_out
    assert gathered.n_tables == 18 - len(left_out)
    got = sort(read("all.parquet"))
    merged = expected.merge(got[["image", "atlas", "strategy"]].drop_duplicates())
    # No image that is left has a run.
    assert_same(got, sort(merged).drop(columns=["run"]))
    # The shell says so, and fails.
    assert cli.main(["gather", "out", "-o", "all.tsv"]) == 1
    said = capsys.readouterr()
    assert "left out 4 tables, the image changed since: 'sub-9/ses-a/func/" in said.err
    assert f"{18 - len(left_out)} tables, {len(left_out)} left out" in said.out


def test_inputs_that_are_gone_leave_their_tables_out(study):
    run_batch()
    Path("b_dseg.nii.gz").unlink()
    gathered = gather("out", "all.tsv")
    assert set(gathered.left_out.values()) == {"the atlas is not there any more"}
    assert set(read("all.tsv")["atlas"]) == {"A", "S"}


def test_inputs_that_came_to_be_leave_their_tables_out(study):
    run_batch()
    Path("data/sub-9/ses-a/func/sub-9_ses-a_task-rest_run-1_bold.json").write_text("{}")
    gathered = gather("out", "all.tsv")
    assert set(gathered.left_out.values()) == {"the image has a sidecar since"}
    assert all("run-1" in name for name in gathered.left_out)
    Path("b_dseg.csv").write_text("index,name\n1,x\n")
    gathered = gather("out", "again.tsv")
    reasons = Counter(gathered.left_out.values())
    assert reasons["the atlas has a region table since"] > 0
    assert "B" not in set(read("again.tsv")["atlas"])
    # As the batch itself sees it.
    n_jobs = len({path.partition("_stat-")[0] for path in gathered.left_out})
    assert len(batch(jobs(), "out", strategy=STRATEGIES, dry_run=True).to_do) == n_jobs


def test_what_is_there_twice_is_gathered_once(study):
    run_batch()
    gather("out", "once.tsv")
    shutil.copytree("out/sub-10", "out/backup/sub-10", copy_function=shutil.copy2)
    run_batch(format="parquet")
    gathered = gather("out", "all.tsv")
    reason = "another table is of the same inputs and options"
    assert set(gathered.left_out.values()) == {reason}
    assert len(gathered.left_out) == 18 + 4
    assert_same(sort(read("all.tsv")), sort(read("once.tsv")))


def test_with_checksums_copies_are_the_same(study):
    run_batch(checksum=True)
    for path in Path("data").rglob("*.nii.gz"):
        os.utime(path, (5, 5))
    assert gather("out", "all.tsv").left_out == {}


def test_tables_that_jobs_name_are_gathered_too(study):
    rows = [
        {**row, "output": f"deep/{{name}}_{{atlas}}_{number}_{{strategy}}.csv"}
        for number, row in enumerate(jobs())
    ]
    run_batch(rows=rows)
    gather("out", "all.tsv")
    assert_same(sort(read("all.tsv")), sort(oracle()))


def test_rows_of_jobs_that_differ_in_options_alone_are_told_apart(study, capsys):
    row = jobs()[0]
    rows = [
        {**row, "output": "x_{strategy}.tsv"},
        {**row, "output": "y_{strategy}.tsv", "nan": "zero"},
    ]
    run_batch(rows=rows)
    assert cli.main(["gather", "out", "-o", "all.tsv"]) == 0
    assert "the column 'table'" in capsys.readouterr().err
    got = read("all.tsv")
    for row in rows:
        for strategy in STRATEGIES:
            name = row["output"].replace("{strategy}", strategy.replace(":", ""))
            signals = rc.extract(
                row["image"], "a_dseg.nii.gz", strategy=strategy, nan=row.get("nan", "omit")
            )
            of_table = got[got["table"] == name]
            assert set(of_table["strategy"]) == {strategy}
            np.testing.assert_array_equal(of_table["value"], signals.values.ravel())
    gather("out", "coverage.tsv", coverage=True)
    coverage = read("coverage.tsv")
    assert coverage.groupby("table").size().tolist() == [4, 4]
    assert not coverage.duplicated().any()


def test_tables_of_another_format_and_other_options_are_told_apart(study):
    rows = jobs()[:2]
    run_batch(rows=rows)
    run_batch(rows=[{**row, "nan": "zero"} for row in rows], format="parquet")
    gathered = gather("out", "all.tsv")
    assert gathered.has_alike
    assert not read("all.tsv").duplicated(["table", "volume", "index"]).any()
    assert read("all.tsv")["table"].nunique() == gathered.n_tables == 8


def test_of_an_image_of_several_files_is_said_what_all_of_them_are(study):
    for subject in ("2", "10"):
        folder = Path(f"maps/sub-{subject}/ses-a")
        folder.mkdir(parents=True)
        values = np.full((6, 5, 4), float(subject))
        nib.save(image_of(values), folder / f"sub-{subject}_contrast-z_stat.nii.gz")
    run_batch(rows=[{"image": "maps/sub-*/ses-a/*_stat.nii.gz", "atlas": "A=a_dseg.nii.gz"}])
    gather("out", "all.tsv")
    got = pd.read_csv("all.tsv", sep="\t")
    assert "sub" not in got
    assert set(got["image"]) == {"contrast-z_stat"}
    assert set(got["contrast"] + got["ses"]) == {"contrast-zses-a"}
    of_maps = got[got["strategy"] == "mean"].groupby("map")["value"].unique()
    assert {name.partition("_")[0]: [*values] for name, values in of_maps.items()} == {
        "sub-2": [2.0],
        "sub-10": [10.0],
    }


@pytest.mark.parametrize("folder", ["link", "link/out", "link/../out"])
def test_folders_behind_links_are_gathered_as_others(study, folder):
    Path("deep/down/there").mkdir(parents=True)
    Path("link").symlink_to("deep/down/there")
    run_batch(folder)
    gathered = gather(folder, "all.tsv")
    assert not gathered.left_out
    assert_same(read("all.tsv"), oracle())
    assert not run_batch(folder).to_do


def test_other_tables_in_the_folder_are_not_taken_for_ours(study):
    run_batch(rows=jobs()[:2])
    Path("out/participants.tsv").write_text("participant_id\nsub-9\n", encoding="utf-8")
    Path("out/jobs.failed.tsv").write_text("row\n1\n", encoding="utf-8")
    Path("out/.hidden").mkdir()
    Path("out/.hidden/x.tsv").write_text("a\n1\n", encoding="utf-8")
    Path("out/circle").symlink_to("../out")
    assert gather("out", "all.tsv").left_out == {}
    Path("out/notes.tsv").write_text("a\n1\n", encoding="utf-8")
    assert gather("out", "again.tsv").left_out == {
        "notes.tsv": "there is no record that it is done"
    }
    assert Path("all.tsv").read_bytes() == Path("again.tsv").read_bytes()


def test_what_cannot_be_gathered_is_refused_and_leaves_nothing(study):
    run_batch(rows=jobs()[:1])
    with pytest.raises(InputMissingError, match="data has none of its tables"):
        gather("data", "x.tsv")
    with pytest.raises(InputMissingError, match="nowhere is no folder"):
        gather("nowhere", "x.tsv")
    with pytest.raises(OutputError, match="is in the folder whose tables"):
        gather("out", "out/x.tsv")
    with pytest.raises(FileFormatError, match=r"not as 'x\.npy'"):
        gather("out", "x.npy")
    for path in Path("out").rglob("*stat-mean*.json"):
        path.unlink()
    for path in Path("out").rglob("*stat-percentile90*.json"):
        path.unlink()
    with pytest.raises(InputMissingError, match=r"2 tables: 'there is no record"):
        gather("out", "x.tsv")
    assert not list(Path().glob("x.*"))
    run_batch(rows=jobs()[:1])
    Path("x.tsv").touch()
    with pytest.raises(OutputExistsError):
        gather("out", "x.tsv")
    assert Path("x.tsv").stat().st_size == 0


PEAK = """
import tracemalloc
from regioncast.cohort import gather
gather("out", "all.tsv", overwrite=True)  # imports are no memory of tables
tracemalloc.start()
gather("out", "all.tsv", overwrite=True)
print(tracemalloc.get_traced_memory()[1])
"""


def test_memory_does_not_grow_with_the_number_of_tables(study):
    """Ten times the tables, and never more than a few of them at once."""

    def peak(n_images):
        shutil.rmtree("out", ignore_errors=True)
        rows = []
        for number in range(n_images):
            image = Path(f"many/sub-{number}_task-rest_bold.nii.gz")
            image.parent.mkdir(exist_ok=True)
            nib.save(image_of(np.ones((6, 5, 4, 40), np.float32)), image)
            rows.append({"image": str(image), "atlas": "A=a_dseg.nii.gz"})
        run_batch(rows=rows, strategy="mean")
        # In a process of its own: in this one, threads of other tests take memory meanwhile.
        command = [sys.executable, "-P", "-c", PEAK]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    few, many = peak(2), peak(20)
    assert many < few + 150_000
