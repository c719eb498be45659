"""Many images: what comes of each job is what `extract` gives, wherever it is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import small_passes
from small_volumes import OBLIQUE

import regioncast as rc
from regioncast.cohort import results as results_of_jobs
from regioncast.errors import (
    ArgumentError,
    FileFormatError,
    InputMissingError,
    JobsError,
    WorkerDiedError,
)
from regioncast.executors import opened

SHAPE, N_MAPS, N_IMAGES = (7, 6, 5), 4, 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Images of random numbers, and two atlases on their grid with tables beside them."""
    folder = tmp_path_factory.mktemp("cohort")
    rng = np.random.default_rng(7)
    for name, n_labels in (("A", 9), ("B", 4)):
        labels = (3 * rng.integers(0, n_labels, SHAPE)).astype(np.uint8)
        nib.save(nib.Nifti1Image(labels, OBLIQUE), folder / f"{name}_dseg.nii.gz")
        rows = [f"{label}\t{name}{label}\n" for label in np.unique(labels) if label]
        (folder / f"{name}_dseg.tsv").write_text("index\tname\n" + "".join(rows))
    for number in range(N_IMAGES):
        data = rng.normal(100, 20, (*SHAPE, N_MAPS)).astype(np.float32)
        nib.save(nib.Nifti1Image(data, OBLIQUE), folder / f"sub-{number}_bold.nii.gz")
    return folder


@pytest.fixture
def rows(folder):
    """A row per image and atlas, of which some say another strategy or a coverage."""
    return [
        {
            "image": str(folder / f"sub-{number}_bold.nii.gz"),
            "atlas": str(folder / f"{atlas}_dseg.nii.gz"),
            "strategy": strategy,
        }
        for number in range(N_IMAGES)
        for atlas, strategy in (("A", "mean,median"), ("B", "first_eigenvariate"))
    ]


@pytest.fixture(params=["processes", "here", "threads", "Dask"])
def executor(request):
    """What `extract_all` takes: nothing, threads, or an executor of two processes of Dask."""
    if request.param == "processes":
        yield None
    elif request.param == "here":
        with opened(workers=1) as engine:
            yield engine.executor
    elif request.param == "threads":
        with ThreadPoolExecutor(2) as threads:
            yield threads
    else:
        distributed = pytest.importorskip("distributed")
        cluster = request.getfixturevalue("cluster")
        with distributed.Client(cluster.scheduler_address) as client:
            yield client.get_executor()


def by_row(results):
    return {extracted.job.row: extracted for extracted in results}


def test_whatever_the_executor_results_are_those_of_extract_bit_for_bit(rows, executor):
    done = by_row(rc.extract_all(rows, executor))
    assert sorted(done) == list(range(1, len(rows) + 1))
    for number, row in enumerate(rows, start=1):
        strategies = row["strategy"].split(",")
        expected = rc.extract(row["image"], row["atlas"], strategy=strategies)
        extracted = done[number]
        assert extracted.error is None
        assert (extracted.job.image, extracted.job.atlas) == (row["image"], row["atlas"])
        assert list(extracted.signals) == strategies
        for name, signals in extracted.signals.items():
            assert signals.values.tobytes() == expected[name].values.tobytes()
            assert signals.values.dtype == expected[name].values.dtype
            assert signals.keys == expected[name].keys
            assert signals.labels == expected[name].labels
            assert signals.axis == expected[name].axis
            assert signals.coverage.columns == expected[name].coverage.columns
            assert signals.origin == expected[name].origin
            assert signals.parcellation is None
            assert not signals.values.flags.writeable


def test_a_job_that_fails_is_in_its_results_and_the_others_go_on(rows, executor, tmp_path):
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(Path(rows[0]["image"]).read_bytes()[:-40])
    rows[2]["image"] = rows[3]["image"] = str(tmp_path / "none.nii.gz")
    rows[6]["image"] = str(broken)
    done = by_row(rc.extract_all(rows, executor))
    errors = {number: type(each.error) for number, each in done.items() if each.error}
    assert errors == {3: InputMissingError, 4: InputMissingError, 7: FileFormatError}
    assert str(broken) in str(done[7].error)
    assert all((each.signals is None) == (each.error is not None) for each in done.values())


def test_an_atlas_in_chunks_fails_its_own_jobs_with_the_reason(rows, tmp_path):
    pytest.importorskip("zarr")
    store = rc.save(rc.load_parcellation(rows[0]["atlas"]), tmp_path / "A.ome.zarr")
    # Of one by its name, the table of jobs is refused.
    rows[0]["atlas"] = f"A={store.rename(tmp_path / 'A')}"
    done = by_row(rc.extract_all(rows[:3]))
    assert [number for number, each in done.items() if each.error] == [1]
    assert isinstance(done[1].error, ArgumentError)
    assert "All voxels are needed here" in str(done[1].error)


@pytest.mark.parametrize("executor", [2, "threads"])
def test_what_is_no_executor_is_refused(rows, executor):
    with pytest.raises(rc.errors.ArgumentTypeError, match=r"executor is one of .* not (int|str)"):
        list(rc.extract_all(rows, executor))


def test_the_first_error_is_raised_where_that_is_asked_for(rows, executor, tmp_path):
    rows[3]["image"] = str(tmp_path / "none.nii.gz")
    with pytest.raises(InputMissingError, match=r"none\.nii\.gz"):
        list(rc.extract_all(rows, executor, on_error="raise"))


def test_what_to_do_with_errors_is_one_of_two_words(rows):
    with pytest.raises(ArgumentError, match="'collect' or 'raise', not 'ignore'"):
        rc.extract_all(rows, on_error="ignore")


def test_what_is_wrong_with_the_table_is_said_before_anything_is_done(rows):
    rows[1]["strategie"] = "mean"
    with pytest.raises(JobsError, match="Did you mean 'strategy' for 'strategie'"):
        rc.extract_all(rows)


def test_results_do_not_change(rows):
    [extracted] = rc.extract_all(rows[:1])
    with pytest.raises(FrozenInstanceError):
        extracted.error = ValueError()


def test_rows_of_one_image_are_one_pass(rows, folder, monkeypatch):
    opened_images = []
    extract_pass = results_of_jobs.extract_pass

    def noted(task, **options):
        opened_images.append(task.image)
        return extract_pass(task, **options)

    monkeypatch.setattr(results_of_jobs, "extract_pass", noted)
    with opened(workers=1) as engine:
        list(rc.extract_all(rows, engine.executor))
    assert opened_images == [
        str(folder / f"sub-{number}_bold.nii.gz") for number in range(N_IMAGES)
    ]


def test_a_million_jobs_are_not_sent_at_once(rows, monkeypatch):
    """Sixteen tasks are out for four workers, and the others wait as rows."""

    class Counting(ThreadPoolExecutor):
        n_sent = 0

        def submit(self, *arguments, **options):
            self.n_sent += 1
            return super().submit(*arguments, **options)

    many = [{**rows[0], "image": f"/none/{number}.nii.gz"} for number in range(2000)]
    with Counting(4) as executor:
        results = rc.extract_all(many, executor)
        for n_done in range(1, 50):
            next(results)
            assert executor.n_sent <= n_done + 16
        results.close()


# --- those who die --------------------------------------------------------------------------


def test_a_dask_worker_is_killed_during_a_job_and_results_are_right(rows, cluster, tmp_path):
    distributed = pytest.importorskip("distributed")
    expected = by_row(rc.extract_all(rows, on_error="raise"))
    with distributed.Client(cluster.scheduler_address) as client:
        workers = client.run(os.getpid)
        many = rows * 12
        results = rc.extract_all(many, client.get_executor())
        done = [next(results)]
        os.kill(next(iter(workers.values())), signal.SIGKILL)
        done += list(results)
    assert sorted(each.job.row for each in done) == list(range(1, len(many) + 1))
    for each in done:
        assert each.error is None
        of_row = expected[(each.job.row - 1) % len(rows) + 1]
        for name, signals in each.signals.items():
            assert signals.values.tobytes() == of_row.signals[name].values.tobytes()


def test_jobs_of_an_image_that_kills_its_worker_fail_alone(rows, tmp_path, monkeypatch):
    rows[4]["image"] = rows[5]["image"] = str(tmp_path / "killing.nii.gz")
    monkeypatch.setattr(results_of_jobs, "_outcomes", small_passes.outcomes_or_death)
    done = by_row(rc.extract_all(rows))
    errors = {number: type(each.error) for number, each in done.items() if each.error}
    assert errors == {5: WorkerDiedError, 6: WorkerDiedError}


def test_an_interrupt_ends_the_workers(rows, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("print(extracted.job.row)", "print(os.getpid(), flush=True)"))
    images = [tmp_path / f"sub-{number}_bold.nii.gz" for number in range(300)]
    for image in images:
        os.link(rows[0]["image"], image)
    process = subprocess.Popen(
        [sys.executable, "-P", script, rows[0]["atlas"], *images],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    pid = int(process.stdout.readline())
    of_process = ["ps", "-o", "pid=", "--ppid", str(pid)]
    workers = subprocess.run(of_process, capture_output=True, text=True, check=True).stdout.split()
    assert workers
    process.send_signal(signal.SIGINT)
    said, error = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert error.rstrip().endswith("KeyboardInterrupt")
    assert len(said.split()) < len(images) - 1
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


SCRIPT = """
import os
import sys
import regioncast as rc

rows = [{"image": image, "atlas": sys.argv[1]} for image in sys.argv[2:]]
for extracted in rc.extract_all(rows, on_error="raise"):
    print(extracted.job.row)
"""


def test_a_script_without_a_guard_does_its_jobs_once(rows, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    images = [row["image"] for row in rows[::2]]
    done = subprocess.run(
        [sys.executable, "-P", script, rows[0]["atlas"], *images],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("", 0)
    assert sorted(done.stdout.split()) == [str(number) for number in range(1, len(images) + 1)]
