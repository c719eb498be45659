"""A cohort: what is done is done once, what changed again, what is broken is listed."""

from __future__ import annotations

import errno
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from test_outputs import files_limited_to

import regioncast as rc
from regioncast import cli
from regioncast.cohort import batch, gather, records
from regioncast.errors import ArgumentError, JobsError, OutputError
from regioncast.io.kinds import save_signals

SHAPE = (7, 6, 5)
AFFINE = np.diag([2.0, 2.5, 3.0, 1.0])
LABELS = {"A": (3, 10, 500), "B": (1, 7)}
NAMES = {"A": ["V1", "lh_MT", "cingulum"], "B": ["V2", "rest"]}


def save_image(path, data):
    nib.save(nib.Nifti1Image(data, AFFINE), path)


def atlas_data(label):
    rng = np.random.default_rng(ord(label))
    return rng.choice([0, *LABELS[label]], SHAPE).astype(np.int16)


def image_data(number, n_maps=3):
    rng = np.random.default_rng(number)
    return rng.standard_normal((*SHAPE, n_maps)).astype(np.float32)


def means(data, label):
    labels = atlas_data(label)
    return np.array([data[labels == one].mean(0, dtype=float) for one in LABELS[label]]).T


def cohort(folder, n_images, *, atlases="AB", **options):
    """A folder of images and atlases; returns the rows of jobs."""
    rows = []
    for label, labels in LABELS.items():
        save_image(folder / f"{label}_dseg.nii.gz", atlas_data(label))
        table = pd.DataFrame({"index": labels, "name": NAMES[label]})
        table.to_csv(folder / f"{label}_dseg.tsv", sep="\t", index=False)
    for number in range(n_images):
        name = f"sub-{number:03}_task-rest_bold.nii.gz"
        save_image(folder / name, image_data(number))
        rows += [{"image": name, "atlas": f"{a}={a}_dseg.nii.gz", **options} for a in atlases]
    return rows


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_fsync(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)


def run(rows, **options):
    return batch(rows, "out", **{"workers": 1, **options})


def counts(summary):
    return summary.n_done, summary.n_before, len(summary.failed)


def table_of(number, label, strategy="mean"):
    name = f"sub-{number:03}_task-rest_atlas-{label}_stat-{strategy}_timeseries.tsv"
    return Path("out") / f"sub-{number:03}" / "func" / name


def tables(folder="out"):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in Path(folder).rglob("*_stat-*.tsv")
    }


def check_table(number, label, data=None):
    data = image_data(number) if data is None else data
    titles, *rows = table_of(number, label).read_text(encoding="utf-8").splitlines()
    assert titles.split("\t") == NAMES[label]
    found = np.array([row.split("\t") for row in rows], float)
    np.testing.assert_allclose(found, means(data, label), rtol=1e-12)


def later(path):
    """Change the time of a file, and nothing else."""
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))


# --- done, and again -----------------------------------------------------------------------------


def test_a_cohort_is_done_once(folder):
    *rows, last, very_last = cohort(folder, 4)
    assert counts(run(rows, strategy=["mean", "count"])) == (6, 0, 0)
    for number in range(3):
        for label in LABELS:
            check_table(number, label)
            assert table_of(number, label, "count").is_file()
    before = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")}
    assert counts(run(rows, strategy=["mean", "count"])) == (0, 6, 0)
    # One strategy of those that are there.
    assert counts(run(rows)) == (0, 6, 0)
    assert {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")} == before
    assert counts(run([*rows, last, very_last])) == (2, 6, 0)
    signals = rc.load_signals(table_of(3, "A"), "A_dseg.nii.gz")
    assert signals.coverage.columns["fraction"] == (1.0, 1.0, 1.0)


def touched_image(rows):
    later(Path(rows[0]["image"]))


def other_image(rows):
    save_image(rows[0]["image"], image_data(9))


def sidecar_of_image(rows):
    Path("sub-000_task-rest_bold.json").write_text('{"RepetitionTime": 2}')


def region_table(rows):
    Path("A_dseg.tsv").write_text("index\tname\n3\tx\n10\ty\n500\tzz\n")


def no_region_table(rows):
    Path("A_dseg.tsv").unlink()


def other_mask(rows):
    mask = np.ones(SHAPE, np.uint8)
    mask[0] = 0
    save_image("mask.nii.gz", mask)


def other_option(rows):
    rows[0]["min_coverage"] = 0.5


def cleaned(rows):
    rows[0]["standardize"] = "psc"


def without_table(rows):
    table_of(0, "A").unlink()


def without_coverage(rows):
    Path(str(table_of(0, "A", "coverage")).replace("timeseries", "bold")).unlink()


def edited_table(rows):
    with table_of(0, "A").open("a") as file:
        file.write("1\t2\t3\n")


def without_record(rows):
    table_of(0, "A").with_suffix(".json").unlink()


def half_a_record(rows):
    sidecar = table_of(0, "A").with_suffix(".json")
    sidecar.write_text(sidecar.read_text()[:200])


def of_another_version(rows):
    sidecar = table_of(0, "A").with_suffix(".json")
    content = json.loads(sidecar.read_text())
    content["Record"]["Version"] = "0.0.1"
    sidecar.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "n_again", "reason"),
    [
        (touched_image, 2, "the image changed"),
        (other_image, 2, "the image changed"),
        (sidecar_of_image, 2, "the sidecar changed"),
        (region_table, 2, "the atlas changed"),
        (no_region_table, 2, "the atlas changed"),
        (other_mask, 1, "the mask changed"),
        (other_option, 1, "options changed"),
        (cleaned, 1, "options changed"),
        (without_table, 1, "sub-000_task-rest_atlas-A_stat-mean_timeseries.tsv is not there"),
        (without_coverage, 1, "sub-000_task-rest_atlas-A_stat-coverage_bold.tsv is not there"),
        (edited_table, 1, "sub-000_task-rest_atlas-A_stat-mean_timeseries.tsv was changed"),
        (without_record, 1, "there is no record of it"),
        (half_a_record, 1, "there is no record of it"),
        (of_another_version, 1, "it was made by version 0.0.1"),
    ],
)
def test_what_changed_is_done_again(folder, no_fsync, change, n_again, reason):
    rows = cohort(folder, 2)
    save_image("mask.nii.gz", np.ones(SHAPE, np.uint8))
    rows[0]["mask"] = "mask.nii.gz"
    run(rows)
    change(rows)
    there = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")}
    planned = run(rows, dry_run=True)
    assert {each.state.reason for each in planned.to_do} == {reason}
    assert {path: path.stat().st_mtime_ns for path in Path("out").rglob("*")} == there
    assert counts(run(rows)) == (n_again, 4 - n_again, 0)
    assert counts(run(rows)) == (0, 4, 0)
    # What stands there now is what a run from the beginning would write.
    again = tables()
    shutil.rmtree("out")
    run(rows)
    assert tables() == again


def test_with_checksums_a_time_is_no_change_and_the_content_is(folder):
    rows = cohort(folder, 1)
    run(rows)
    # Those records have none.
    assert counts(run(rows, checksum=True)) == (2, 0, 0)
    image = Path(rows[0]["image"])
    later(image)
    assert counts(run(rows, checksum=True)) == (0, 2, 0)
    status = image.stat()
    data = bytearray(image.read_bytes())
    data[4] ^= 1  # a time in the header of gzip
    image.write_bytes(data)
    os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert counts(run(rows)) == (2, 0, 0)  # since it was touched before
    run(rows, checksum=True)
    data[4] ^= 1
    image.write_bytes(data)
    os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert counts(run(rows, dry_run=True)) == (0, 2, 0)
    assert len(run(rows, checksum=True, dry_run=True).to_do) == 2


def test_all_may_be_moved_together(folder, monkeypatch):
    there = folder / "here"
    there.mkdir()
    monkeypatch.chdir(there)
    rows = cohort(there, 1)
    run(rows)
    there.rename(folder / "elsewhere")
    monkeypatch.chdir(folder / "elsewhere")
    assert counts(run(rows)) == (0, 2, 0)


def test_a_folder_of_others_is_refused(folder):
    rows = cohort(folder, 1)
    Path("out").mkdir()
    Path("out/thesis.txt").write_text("precious")
    with pytest.raises(OutputError, match="Choose a new folder"):
        run(rows)
    assert [path.name for path in Path("out").iterdir()] == ["thesis.txt"]


def test_options_that_cannot_be(folder):
    rows = cohort(folder, 1)
    for shard in ("0/3", "4/3", "x", "1/0", (1, 0), "1/2/3"):
        with pytest.raises(ArgumentError, match="as in 3/200"):
            run(rows, shard=shard)
    with pytest.raises(ArgumentError, match="format"):
        run(rows, format="csv")
    with pytest.raises(ArgumentError, match="one of executor"):
        batch(rows, "out", executor=object(), workers=2)
    assert not Path("out").exists()


def test_outputs_by_name_and_parquet(folder):
    rows = cohort(folder, 2, atlases="A", output="flat/{sub}_{strategy}.csv")
    assert counts(run(rows, strategy=["mean", "sum"])) == (2, 0, 0)
    assert sorted(path.name for path in Path("out/flat").glob("*.csv")) == [
        "sub-000_mean.csv", "sub-000_sum.csv", "sub-001_mean.csv", "sub-001_sum.csv",
    ]  # fmt: skip
    assert counts(run(rows, strategy=["mean", "sum"])) == (0, 2, 0)
    rows = cohort(folder, 1)
    assert counts(run(rows, format="parquet")) == (2, 0, 0)
    found = pd.read_parquet(table_of(0, "A").with_suffix(".parquet"))
    np.testing.assert_allclose(found.to_numpy(), means(image_data(0), "A"), rtol=1e-12)
    assert counts(run(rows)) == (2, 0, 0)
    assert counts(run(rows, format="parquet")) == (0, 2, 0)


# --- broken --------------------------------------------------------------------------------------


def broken_images(folder, rows):
    """Break an image in each of ten ways, and return how they are called."""
    paths = [folder / row["image"] for row in rows[5:500:50]]
    whole = [path.read_bytes() for path in paths]
    paths[0].write_bytes(whole[0][: len(whole[0]) // 2])
    paths[1].write_bytes(b"this is no gzip, whatever its name says" * 10)
    paths[2].write_bytes(whole[2][:-8] + bytes(4) + whole[2][-4:])
    paths[3].write_bytes(b"")
    paths[4].write_bytes(b"\x1f\x8b\x08")
    nib.save(nib.Nifti1Image(image_data(5), np.diag([3.0, 2.5, 3, 1])), paths[5])
    paths[6].unlink()
    paths[6].mkdir()
    paths[7].unlink()
    nib.save(nib.Nifti1Image(image_data(8).astype(np.complex64), AFFINE), paths[8])
    nib.save(nib.Nifti1Image(image_data(9).reshape(*SHAPE, 1, 3), AFFINE), paths[9])
    return [path.name for path in paths]


def test_ten_of_five_hundred_are_broken_in_ten_ways(folder, no_fsync):
    rows = cohort(folder, 500, atlases="A")
    broken = broken_images(folder, rows)
    summary = run(rows)
    assert counts(summary) == (490, 0, 10)
    listed = pd.read_csv("out/jobs.failed.tsv", sep="\t")
    assert list(listed.columns) == ["row", "image", "atlas", "output", "reason", "stale"]
    assert [Path(image).name for image in listed["image"]] == broken
    assert listed["row"].tolist() == list(range(6, 501, 50))
    reasons = listed["reason"].tolist()
    assert not any(reason.startswith("unexpected") for reason in reasons)
    assert len(set(reasons)) == 10
    assert not listed["stale"].any()
    numbers = set(range(500)) - set(range(5, 500, 50))
    for number in numbers:
        check_table(number, "A")
    assert len(tables()) == 2 * 490
    # Mended, they are done, and the list goes.
    for number in range(5, 500, 50):
        path = folder / rows[number]["image"]
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        save_image(path, image_data(number))
    assert counts(run(rows)) == (10, 490, 0)
    assert not Path("out/jobs.failed.tsv").exists()
    for number in range(5, 500, 50):
        check_table(number, "A")


def test_a_bad_atlas_fails_alone(folder):
    rows = cohort(folder, 2)
    nib.save(nib.Nifti1Image(np.ones((2, 3, 4), np.uint8), AFFINE), "C.nii")
    Path("D.nii").write_bytes(b"nothing")
    empty = np.zeros(SHAPE, np.uint8)
    save_image("empty.nii", empty)
    for number in range(2):
        image = rows[2 * number]["image"]
        rows += [{"image": image, "atlas": atlas} for atlas in ("C.nii", "D.nii", "E.nii")]
        rows += [{"image": image, "atlas": "F=A_dseg.nii.gz", "mask": "empty.nii"}]
    summary = run(rows)
    assert counts(summary) == (4, 0, 8)
    assert [each.planned.job.label for each in summary.failed] == list("CDEF") * 2
    for number in range(2):
        check_table(number, "A")
        check_table(number, "B")


def test_a_strategy_that_does_not_go_fails_its_jobs_alone(folder):
    rows = cohort(folder, 1)
    rows[1]["strategy"] = "median"
    for row in rows:
        row["standardize"], row["detrend"] = "psc", True
    summary = run(rows)
    assert counts(summary) == (1, 0, 1)
    assert "not with median" in summary.failed[0].reason
    assert table_of(0, "A").is_file()


def test_what_is_stale_is_no_longer_said_to_be_done(folder):
    rows = cohort(folder, 2, atlases="A")
    run(rows)
    Path(rows[0]["image"]).write_bytes(b"broken now")
    summary = run(rows)
    assert counts(summary) == (0, 1, 1)
    assert summary.failed[0].stale
    assert pd.read_csv("out/jobs.failed.tsv", sep="\t")["stale"].tolist() == [True]
    assert table_of(0, "A").is_file()
    assert not table_of(0, "A").with_suffix(".json").exists()


def test_stale_records_go_before_anything_runs(folder, monkeypatch):
    rows = cohort(folder, 3, atlases="A")
    run(rows)
    other_image(rows)

    def dies(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("regioncast.cohort.batches._run", dies)
    with pytest.raises(KeyboardInterrupt):
        run(rows)
    assert not table_of(0, "A").with_suffix(".json").exists()
    assert table_of(1, "A").with_suffix(".json").exists()


def test_a_full_disk(folder, no_fsync):
    rows = cohort(folder, 3)
    run(rows[:2])
    save_image(rows[0]["image"], image_data(9, 200))
    save_image(rows[2]["image"], image_data(8, 200))
    for limit in (0, 200, 4096):
        with files_limited_to(limit):
            summary = run(rows)
        assert len(summary.failed) >= 4
        assert all("failed: File too large" in each.reason for each in summary.failed)
        for each in summary.failed:
            for table in each.planned.outputs.tables.values():
                assert not table.with_suffix(".json").exists()
        assert not any(path.name.startswith(".regioncast") for path in Path("out").rglob("*"))
        # An older table stays whole.
        check_table(0, "A")
    run(rows)
    check_table(0, "A", image_data(9, 200))
    check_table(1, "B", image_data(8, 200))
    assert not Path("out/jobs.failed.tsv").exists()


def test_where_nothing_more_can_be_written_it_stops(folder, monkeypatch, capsys):
    rows = cohort(folder, 6, atlases="A")
    Path(rows[0]["image"]).write_bytes(b"broken")
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    written = []

    def full_after_two(*arguments, **options):
        written.append(arguments)
        if len(written) > 2:
            raise OutputError("Writing x failed: No space left.") from OSError(errno.ENOSPC, "")
        save_signals(*arguments, **options)

    monkeypatch.setattr("regioncast.cohort.work.save_signals", full_after_two)
    summary = run(rows)
    assert (counts(summary), summary.n_left) == ((2, 0, 2), 2)
    assert len(written) == 3
    assert len(pd.read_csv("out/jobs.failed.tsv", sep="\t")) == 2
    code, out, error = shell(capsys, "--workers", "1")
    assert code == 1
    assert "regioncast: stopped, as nothing more can be written to" in error
    assert "1 not begun" in out or "2 not begun" in out
    monkeypatch.setattr("regioncast.cohort.work.save_signals", save_signals)
    assert counts(run(rows)) == (3, 2, 1)


def test_a_file_system_without_room(folder, no_fsync):
    disk = Path("disk")
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs more rights")
    try:
        rows = cohort(folder, 40, atlases="A")
        summary = batch(rows, "disk/out", workers=2)
        assert 0 < summary.n_done < 30
        assert len(summary.failed) < 10 < summary.n_left
        assert "No space left on device" in summary.stopped
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_folder_of_others_is_refused_in_a_dry_run(folder):
    rows = cohort(folder, 1)
    Path("out").mkdir()
    Path("out/thesis.txt").touch()
    with pytest.raises(OutputError, match="Choose a new folder"):
        run(rows, dry_run=True)


@pytest.mark.parametrize("gone", ["image", "atlas", "mask", "confounds"])
def test_tables_of_inputs_that_are_gone_keep_their_records(folder, capsys, gone):
    rows = cohort(folder, 2, atlases="A", mask="mask.nii.gz", confounds="c.tsv")
    save_image("mask.nii.gz", np.ones(SHAPE, np.uint8))
    pd.DataFrame({"x": [1, 2, 4]}).to_csv("c.tsv", sep="\t", index=False)
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    run(rows)
    gather("out", "all.tsv")
    Path(rows[0][gone].rpartition("=")[2]).rename("archived")
    n_gone = 1 if gone == "image" else 2
    code, out, _ = shell(capsys, "--status")
    assert (code, out.splitlines()[0]) == (
        0, f"{n_gone} to do: the {gone} is gone, and its table still there",
    )  # fmt: skip
    summary = run(rows)
    assert counts(summary) == (0, 2 - n_gone, n_gone)
    assert summary.failed[0].stale
    if gone == "image":
        assert gather("out", "some.tsv").n_tables == 1
    assert gather("out", "again.tsv", unchecked=True).n_tables == 2
    assert Path("again.tsv").read_bytes() == Path("all.tsv").read_bytes()
    Path("archived").rename(rows[0][gone].rpartition("=")[2])
    assert counts(run(rows)) == (0, 2, 0)


# --- side by side, and killed --------------------------------------------------------------------


def command(*words):
    source = str(Path(rc.__file__).parent.parent)
    return {
        "args": [sys.executable, "-P", "-m", "regioncast", "batch", "jobs.tsv", *words],
        "env": {**os.environ, "PYTHONPATH": source},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
    }


def test_three_shards_at_once(folder):
    rows = cohort(folder, 12)
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    Path(rows[0]["image"]).write_bytes(b"broken")
    shards = [
        subprocess.Popen(**command("-o", "out", "--shard", f"{n}/3", "--workers", "1"))
        for n in (1, 2, 3)
    ]
    said = [shard.communicate() for shard in shards]
    assert sorted(shard.returncode for shard in shards) == [0, 0, 1], said
    n_done = [int(out.split(": ")[-1].split()[0]) for out, _ in said]
    assert sum(n_done) == 22
    assert min(n_done) > 0
    (listed,) = Path("out").glob("jobs.failed*")
    assert listed.name in {f"jobs.failed.{n}of3.tsv" for n in (1, 2, 3)}
    for number in range(1, 12):
        check_table(number, "A")
        check_table(number, "B")
    assert len(run(rows, dry_run=True).to_do) == 2


def test_killed_at_random_moments_and_run_again(folder):
    rows = cohort(folder, 10)
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    batch(rows, "undisturbed", workers=1)
    rng = random.Random(0)
    n_done = 0
    for _ in range(2):
        process = subprocess.Popen(**command("-o", "out", "--workers", "2"))
        start = time.monotonic()
        # Not before it has begun to write, and then at any moment.
        while process.poll() is None and time.monotonic() - start < 20:
            if len(list(Path("out").rglob("*_stat-mean*.json"))) > n_done:
                break
            time.sleep(0.05)
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        process.communicate()
        n_done = len(list(Path("out").rglob("*_stat-mean*.json")))
        whole = tables("undisturbed")
        for name, content in tables().items():
            assert content == whole[name], name
        if n_done == len(rows):
            break
    process = subprocess.Popen(**command("-o", "out", "--workers", "2"))
    out, error = process.communicate()
    assert (process.returncode, error) == (0, "")
    assert "0 failed" in out
    assert tables() == tables("undisturbed")
    assert len(list(Path("out").rglob("*_stat-mean*.json"))) == len(rows)
    assert not list(Path("out").rglob(".regioncast-*"))


# --- the shell -----------------------------------------------------------------------------------


def shell(capsys, *words):
    code = cli.main(["batch", "jobs.tsv", "-o", "out", *words])
    return code, *capsys.readouterr()


def test_the_verb(folder, capsys):
    rows = cohort(folder, 2)
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    code, out, _ = shell(capsys, "--dry-run")
    assert (code, len(out.splitlines())) == (0, 4 * 2 + 1)
    assert out.splitlines()[0].endswith("atlas-A_stat-mean_timeseries.tsv: new")
    assert not Path("out").exists()
    Path(rows[0]["image"]).write_bytes(b"broken")
    code, out, error = shell(capsys, "--workers", "1")
    assert code == 1
    assert out.splitlines()[-1].startswith(
        f"{folder / 'out'}: 2 done now, 0 done before, 2 failed ({folder / 'out/jobs.failed.tsv'})"
    )
    assert error.startswith("regioncast: row 1 (")
    assert shell(capsys, "--status")[:2] == (
        0, f"2 to do: new\n{folder / 'out'}: 4 jobs, 2 done, 2 to do\n"
    )  # fmt: skip
    save_image(rows[0]["image"], image_data(0))
    code, out, error = shell(capsys, "--workers", "1", "--strategy", "mean")
    assert (code, error) == (0, "")
    assert "2 done now, 2 done before, 0 failed, " in out
    (sidecar,) = Path("out/sub-001").rglob("*atlas-A_stat-mean*.json")
    generator = json.loads(sidecar.read_text())["GeneratedBy"][0]
    assert generator["Command"] == "regioncast batch jobs.tsv -o out --workers 1"


def test_what_is_wrong_with_the_table_is_wrong_usage(folder, capsys):
    Path("jobs.tsv").write_text("image\tatlsa\nx.nii\ty.nii\n")
    code, _, error = shell(capsys)
    assert code == 2
    assert "Did you mean 'atlas' for 'atlsa'?" in error
    assert cli.main(["batch", "jobs.tsv"]) == 2


def test_options_in_reasons_are_columns(folder, capsys):
    rows = cohort(folder, 1, atlases="A")
    other = nib.Nifti1Image(np.ones((3, 4, 5), np.uint8), AFFINE)
    nib.save(other, "A_dseg.nii.gz")
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    code, _, error = shell(capsys, "--workers", "1")
    assert code == 1
    assert "such as (--resample), are columns of the table" in error.splitlines()[-1]


def test_warnings_are_said_once(folder, capsys):
    rows = cohort(folder, 3, atlases="A", mask="mask.nii.gz")
    mask = np.ones(SHAPE, np.uint8)
    mask[atlas_data("A") == 3] = 0
    save_image("mask.nii.gz", mask)
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    code, _, error = shell(capsys, "--workers", "1")
    assert code == 0
    assert len(error.splitlines()) == 1
    assert error.endswith("(3 images)\n")


def test_a_log_shows_how_far_it_is(folder, monkeypatch, capsys):
    rows = cohort(folder, 3, atlases="A")
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    monkeypatch.setattr("regioncast.cli.cohort._LOG_EVERY", 0)
    code, _, error = shell(capsys, "--workers", "1")
    assert code == 0
    lines = error.splitlines()
    assert [line.split(" s each, about 0:")[0].rpartition(",")[0] for line in lines] == [
        "regioncast: 1 of 3 jobs (33%)",
        "regioncast: 2 of 3 jobs (67%)",
        "regioncast: 3 of 3 jobs (100%)",
    ]


def test_what_a_cluster_ends_says_how_far_it_came_and_leaves_no_process(folder):
    rows = cohort(folder, 1, atlases="A")
    for number in range(1, 200):
        name = f"sub-{number:03}_task-rest_bold.nii.gz"
        os.link(rows[0]["image"], name)
        rows.append({**rows[0], "image": name})
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    process = subprocess.Popen(**command("-o", "out", "--workers", "2"))
    while not list(Path("out").rglob("*_stat-mean*.json")):
        assert process.poll() is None
        time.sleep(0.01)
    workers = children_of(process.pid)
    assert workers
    process.terminate()
    _, error = process.communicate(timeout=30)
    assert process.returncode == 143, error
    assert " done now, 0 done before, 0 failed, " in error
    assert "not begun or not ended. The same command goes on." in error
    assert "Traceback" not in error
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert not list(Path("out").rglob(".regioncast-*"))


def children_of(pid):
    of_process = ["ps", "-o", "pid=", "--ppid", str(pid)]
    return subprocess.run(of_process, capture_output=True, text=True, check=True).stdout.split()


def test_warnings_of_threads_are_those_of_their_tasks(folder, no_fsync):
    rows = cohort(folder, 24, atlases="A", mask="whole.nii.gz")
    mask = np.ones(SHAPE, np.uint8)
    save_image("whole.nii.gz", mask)
    mask[atlas_data("A") == 3] = 0
    save_image("mask.nii.gz", mask)
    for row in rows[::2]:
        row["mask"] = "mask.nii.gz"
    with ThreadPoolExecutor(4) as executor:
        summary = run(rows, workers=None, executor=executor)
    assert counts(summary) == (24, 0, 0)
    assert list(summary.warnings.values()) == [12]


def test_an_interrupt_lists_what_failed_so_far(folder, monkeypatch, capsys):
    rows = cohort(folder, 4, atlases="A")
    Path(rows[0]["image"]).write_bytes(b"broken")
    pd.DataFrame(rows).to_csv("jobs.tsv", sep="\t", index=False)
    n_done = []

    def interrupted(*arguments):
        n_done.append(arguments)
        if len(n_done) == 3:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("regioncast.cohort.batches._note", _and_then(interrupted))
    code, _, error = shell(capsys, "--workers", "1")
    assert (code, error.splitlines()[1:]) == (130, ["regioncast: interrupted"])
    failed = folder / "out" / "jobs.failed.tsv"
    assert error.startswith(
        f"regioncast: {folder / 'out'}: 2 done now, 0 done before, 1 failed ({failed}), 1 not begun"
    )
    assert len(pd.read_csv("out/jobs.failed.tsv", sep="\t")) == 1
    monkeypatch.undo()


def _and_then(function):
    from regioncast.cohort.batches import _note

    def both(*arguments):
        _note(*arguments)
        function(*arguments)

    return both


@pytest.mark.parametrize("named", ["img", "hdr"])
def test_headers_apart_from_voxels_count_too(folder, named):
    (row,) = cohort(folder, 1, atlases="A")
    nib.save(nib.Nifti1Pair(image_data(0), AFFINE), "i.img")
    nib.save(nib.Nifti1Pair(atlas_data("A"), AFFINE), "a.img")
    nib.save(nib.Nifti1Pair(np.ones(SHAPE, np.uint8), AFFINE), "m.img")
    shutil.copy("A_dseg.tsv", "a.tsv")
    row = {"image": f"i.{named}", "atlas": f"A=a.{named}", "mask": f"m.{named}"}
    assert run([row]).n_done == 1
    gather("out", "all.tsv")
    for name in ("i.img", "i.hdr", "a.img", "a.hdr", "a.tsv", "m.img", "m.hdr"):
        assert run([row]).n_before == 1
        os.utime(name, ns=(0, 0))
        assert len(run([row], dry_run=True).to_do) == 1, name
        with pytest.raises(rc.RegioncastError, match="changed since"):
            gather("out", "all.tsv", overwrite=True)
        assert run([row]).n_done == 1, name
    # One image, though in two files: nothing of its name is lost.
    gather("out", "all.tsv", overwrite=True)
    assert set(pd.read_csv("all.tsv", sep="\t")["image"]) == {"i"}


def test_confounds_that_two_images_share_are_told_from_others(folder):
    for name in ("1", "2", "3"):
        save_image(folder / f"run-{name}_bold.nii.gz", image_data(int(name), 8))
        values = np.random.default_rng(ord(name)).standard_normal(8)
        pd.DataFrame({"x": values}).to_csv(f"{name}.tsv", sep="\t", index=False)
    (row,) = cohort(folder, 1, atlases="A")
    row["image"] = "run-*_bold.nii.gz"
    assert run([{**row, "confounds": "1.tsv,2.tsv,1.tsv"}]).n_done == 1
    assert len(run([{**row, "confounds": "1.tsv,2.tsv,2.tsv"}], dry_run=True).to_do) == 1


def test_nothing_is_said_to_go_on_that_never_began(folder, capsys):
    pd.DataFrame(cohort(folder, 1)).to_csv("jobs.tsv", sep="\t", index=False)
    assert cli.main(["batch", "jobs.tsv", "-o", "out", "--workers", "0"]) == 1
    assert capsys.readouterr().err == (
        "regioncast: workers is a number of processes from 1 on; it is 0.\n"
    )


def test_what_a_record_says(folder):
    rows = cohort(folder, 1, atlases="A", min_coverage=0.25)
    run(rows)
    record = json.loads(table_of(0, "A").with_suffix(".json").read_text())[records.RECORD]
    assert record["Options"] == {"label": "A", "strategy": "mean", "min_coverage": 0.25}
    (image,) = record["Inputs"]["image"]
    path = folder / rows[0]["image"]
    assert image == {
        "Path": f"../{path.name}",
        "Size": path.stat().st_size,
        "Modified": path.stat().st_mtime_ns,
    }
    assert gzip.decompress(path.read_bytes())
    with pytest.raises(JobsError):
        run([{**rows[0], "min_coverage": 7}])
