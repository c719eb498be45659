"""Whatever ends a run, what is there is the old file or the new one, whole, and nothing else."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gzip
import hashlib
import os
import pathlib
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import regioncast as rc
from regioncast import files
from regioncast.errors import OutputError, OutputExistsError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is about signals and disks")

# Two paintings that are compressed in the region domain, and the files that hold them.
SETUP = """
import os, random, resource, signal, sys, time
import numpy as np, nibabel as nib
import regioncast as rc

folder = sys.argv[1]
output = os.path.join(folder, "map.nii.gz")
labels = nib.load(os.path.join(folder, "atlas.nii"))
values = np.load(os.path.join(folder, "values.npy"))
old = rc.paint(values[:1], labels)
new = rc.paint(values, labels)
"""
SHAPE = (45, 54, 43)
N_MAPS = 300


@pytest.fixture
def folder(tmp_path):
    """A folder with an atlas and values whose painting takes a while to write."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 99, (9, 9, 9)).repeat(5, 0).repeat(6, 1).repeat(5, 2)[..., :43]
    nib.save(nib.Nifti1Image(labels.astype(np.int16), np.eye(4)), tmp_path / "atlas.nii")
    np.save(tmp_path / "values.npy", rng.normal(size=(N_MAPS, 98)).astype(np.float32))
    return tmp_path


def run(script, folder, **options):
    """Run Python code in a process of its own, after the lines that make two images."""
    return subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(SETUP) + textwrap.dedent(script), folder],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def shell(folder, *arguments, **options):
    command = Path(sys.executable).with_name("regioncast")
    return subprocess.run(
        [command, *arguments], cwd=folder, capture_output=True, text=True, check=False, **options
    )


PAINT = (
    "paint", "values.npy", "atlas.nii", "-o", "map.nii.gz", "--regions", "none", "--no-sidecar",
    "--overwrite",
)  # fmt: skip


def names(folder):
    return sorted(path.name for path in folder.iterdir())


INPUTS = ["atlas.nii", "values.npy"]


# --- killed -------------------------------------------------------------------------------


def test_killed_a_hundred_times_the_file_is_the_old_or_the_new_one(folder):
    """Processes are killed at random moments of a write; each begins where the last one died."""
    done = run(
        """
        random.seed(1)
        start = time.perf_counter()
        rc.save(new, output, sidecar=False)
        seconds = time.perf_counter() - start
        whole = {open(output, "rb").read()}
        rc.save(old, output, overwrite=True, sidecar=False)
        whole.add(open(output, "rb").read())
        assert len(whole) == 2
        found, left = [], 0
        for number in range(100):
            child = os.fork()
            if child == 0:
                while True:  # one write after the other, so that any moment is one of a write
                    image = new if number % 2 else old
                    rc.save(image, output, overwrite=True, sidecar=False)
            time.sleep(random.random() * 2 * seconds)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            assert open(output, "rb").read() in whole
            others = set(os.listdir(folder)) - {"atlas.nii", "values.npy", "map.nii.gz"}
            assert len(others) <= 1, others
            left += len(others)
        rc.save(new, output, overwrite=True, sidecar=False)
        print(left, sorted(os.listdir(folder)))
        """,
        folder,
    )
    assert done.returncode == 0, done.stderr
    left, _, listing = done.stdout.partition(" ")
    assert int(left) > 10  # some were killed while they were writing
    assert listing.strip() == str(["atlas.nii", "map.nii.gz", "values.npy"])


def test_a_killed_command_leaves_nothing_that_the_next_one_does_not_remove(folder):
    writing = subprocess.Popen(
        [Path(sys.executable).with_name("regioncast"), *PAINT], cwd=folder, stdout=subprocess.PIPE
    )
    while names(folder) == INPUTS and writing.poll() is None:
        time.sleep(0.0005)
    writing.kill()
    writing.communicate()
    assert names(folder) != INPUTS
    assert shell(folder, *PAINT).returncode == 0
    assert names(folder) == ["atlas.nii", "map.nii.gz", "values.npy"]
    assert nib.load(folder / "map.nii.gz").shape == (*SHAPE, N_MAPS)


@pytest.mark.parametrize("how", ["shell", "Python"])
def test_killed_when_the_output_has_just_come_the_next_one_refuses_and_cleans(folder, how):
    """Without overwriting, the output is linked first, and then its temporary name goes."""
    done = run(
        """
        link = os.link
        def last_words(*names):
            link(*names)
            os.kill(os.getpid(), signal.SIGKILL)
        os.link = last_words
        rc.save(new, output)
        """,
        folder,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(names(folder)) == 4
    whole = (folder / "map.nii.gz").read_bytes()
    if how == "shell":
        again = shell(folder, *PAINT[:-1])
        assert (again.returncode, again.stderr.count("The output exists")) == (1, 1)
    else:
        with pytest.raises(OutputExistsError):
            rc.save(small_image(), folder / "map.nii.gz")
    assert names(folder) == ["atlas.nii", "map.nii.gz", "values.npy"]
    assert (folder / "map.nii.gz").read_bytes() == whole
    assert nib.load(folder / "map.nii.gz").shape == (*SHAPE, N_MAPS)


def test_who_refuses_leaves_alone_what_the_living_write(tmp_path):
    dead, alive = (tmp_path / temporary_name("map.nii.gz", n) for n in (0, 1))
    for path in (dead, alive, tmp_path / "map.nii.gz"):
        path.write_bytes(b"half")
    with alive.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OutputExistsError):
            rc.save(small_image(), tmp_path / "map.nii.gz")
    assert names(tmp_path) == sorted([alive.name, "map.nii.gz"])


def temporary_name(target, number):
    digest = hashlib.sha256(target.encode()).hexdigest()[:16]
    return f".regioncast-{digest}-{number}.nii.gz"


def small_image():
    return rc.paint([1.5, 2.5], nib.Nifti1Image(np.arange(3, dtype="u1")[:, None, None], np.eye(4)))


def test_what_the_dead_left_is_removed_and_what_the_living_write_is_not(tmp_path):
    dead = [tmp_path / temporary_name("map.nii.gz", n) for n in (0, 2, 5)]
    alive, other = (tmp_path / temporary_name(*of) for of in (("map.nii.gz", 1), ("b.nii.gz", 0)))
    for path in (*dead, alive, other):
        path.write_bytes(b"half")
    with alive.open("rb+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        rc.save(small_image(), tmp_path / "map.nii.gz")
    assert names(tmp_path) == sorted([alive.name, other.name, "map.nii.gz"])
    rc.save(small_image(), tmp_path / "map.nii.gz", overwrite=True)
    rc.save(small_image(), tmp_path / "b.nii.gz")
    assert names(tmp_path) == ["b.nii.gz", "map.nii.gz"]


def test_a_name_that_somebody_else_took_is_left_to_them(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"precious")
    link, taken = (tmp_path / temporary_name("map.nii.gz", n) for n in (0, 1))
    link.symlink_to(elsewhere)
    taken.mkdir()
    rc.save(small_image(), tmp_path / "map.nii.gz")
    assert elsewhere.read_bytes() == b"precious"
    assert names(tmp_path) == sorted([link.name, taken.name, "elsewhere", "map.nii.gz"])


def test_what_a_dead_one_left_may_be_another_users(tmp_path, monkeypatch):
    """In a folder that all share, it may be opened by everybody and removed by its owner only."""
    left = tmp_path / temporary_name("map.nii.gz", 0)
    left.write_bytes(b"half")
    real = Path.unlink

    def unlink(path, *arguments):
        if path == left:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        real(path, *arguments)

    monkeypatch.setattr(Path, "unlink", unlink)
    rc.save(small_image(), tmp_path / "map.nii.gz")
    assert names(tmp_path) == [left.name, "map.nii.gz"]


def test_more_writers_than_names_write_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_MOST_WRITERS", 1)
    with (tmp_path / temporary_name("map.nii.gz", 0)).open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        rc.save(small_image(), tmp_path / "map.nii.gz")
    assert len(names(tmp_path)) == 2


def test_an_interrupt_with_more_writers_than_names_leaves_nothing(tmp_path, monkeypatch):
    real, calls = fcntl.flock, []

    def interrupted(descriptor, how):
        calls.append(descriptor)
        if len(calls) == 2:  # the first is for the name that is taken
            raise KeyboardInterrupt
        real(descriptor, how)

    monkeypatch.setattr(files, "_MOST_WRITERS", 1)
    with (tmp_path / temporary_name("map.nii.gz", 0)).open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        monkeypatch.setattr(fcntl, "flock", interrupted)
        with pytest.raises(KeyboardInterrupt):
            rc.save(small_image(), tmp_path / "map.nii.gz")
        assert names(tmp_path) == [temporary_name("map.nii.gz", 0)]


@pytest.mark.parametrize("overwrite", [True, False])
def test_where_files_have_no_locks_nothing_is_removed_and_all_is_written(
    tmp_path, monkeypatch, overwrite
):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    left = tmp_path / temporary_name("map.nii.gz", 0)
    left.write_bytes(b"of another")
    monkeypatch.setattr(fcntl, "flock", no_locks)
    rc.save(small_image(), tmp_path / "map.nii.gz", overwrite=overwrite)
    assert names(tmp_path) == [left.name, "map.nii.gz"]


def test_a_file_that_is_taken_for_a_dead_ones_is_made_anew(tmp_path, monkeypatch):
    """Between making and locking it, another process may lock and remove it."""
    real, n_calls = fcntl.flock, []

    def late(descriptor, how):
        n_calls.append(1)
        if len(n_calls) == 1:
            Path(f"/proc/self/fd/{descriptor}").readlink().unlink()
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    path = rc.save(small_image(), tmp_path / "map.nii.gz")
    assert names(tmp_path) == ["map.nii.gz"]
    assert np.asarray(nib.load(path).dataobj)[1] == 1.5
    assert len(n_calls) == 2


# --- interrupted ---------------------------------------------------------------------------


def test_ctrl_c_is_one_line_and_leaves_nothing(folder):
    np.save(folder / "values.npy", np.ones((4000, 98), np.float32) * np.arange(4000)[:, None])
    n_interrupted = 0
    for _ in range(5):
        writing = subprocess.Popen(
            [Path(sys.executable).with_name("regioncast"), *PAINT], cwd=folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        while names(folder) == INPUTS and writing.poll() is None:
            time.sleep(0.0005)
        time.sleep(random.random() * 0.02)
        writing.send_signal(signal.SIGINT)
        out, err = writing.communicate()
        if out:  # it was done before
            (folder / "map.nii.gz").unlink()
            continue
        n_interrupted += 1
        assert (writing.returncode, err) == (130, "regioncast: interrupted\n")
        assert names(folder) == INPUTS
    assert n_interrupted


def interrupt_at(step):
    """Return a profile function that interrupts the so manieth call that leads into the system.

    That is where an interrupt comes: before a function begins, and after one in C is done.
    """
    left = iter(range(step))
    places = {files.__file__, pathlib.__file__, contextlib.__file__}

    def profile(frame, event, _):
        is_place = event in ("call", "c_call", "c_return") and frame.f_code.co_filename in places
        if is_place and next(left, None) is None:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)

    return profile


# A file of which only the interrupted instruction knew is closed when it is forgotten.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("old", "overwrite"), [(None, False), (None, True), (b"old", True)])
def test_an_interrupt_at_any_call_leaves_nothing(tmp_path, monkeypatch, old, overwrite):
    monkeypatch.setattr(os, "fsync", lambda _: None)  # hundreds of times
    output = tmp_path / "map.nii"
    n_interrupted = 0
    while True:
        output.unlink(missing_ok=True)
        if old is not None:
            output.write_bytes(old)
        try:
            sys.setprofile(interrupt_at(n_interrupted))
            with files.replacing(output, overwrite=overwrite) as temporary:
                temporary.write_bytes(b"new")
            break
        except KeyboardInterrupt:
            n_interrupted += 1
        finally:
            sys.setprofile(None)
        there = output.read_bytes() if output.exists() else None
        assert there in (old, b"new"), n_interrupted
        assert names(tmp_path) == ([] if there is None else ["map.nii"]), n_interrupted
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, n_interrupted
    assert output.read_bytes() == b"new"
    assert n_interrupted > 100


# --- full ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_cpus", [1, 2])
def test_on_a_full_disk_the_old_file_stays(folder, n_cpus):
    (folder / "map.nii.gz").write_bytes(b"precious")
    done = run(
        f"""
        from regioncast.io.volume import painted_gzip
        painted_gzip.n_cpus = lambda: {n_cpus}
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        try:
            rc.save(new, output, overwrite=True)
        except rc.RegioncastError as error:
            print(error)
        """,
        folder,
    )
    assert done.returncode == 0, done.stderr
    assert "failed: File too large. Nothing was changed." in done.stdout, done
    assert names(folder) == ["atlas.nii", "map.nii.gz", "values.npy"]
    assert (folder / "map.nii.gz").read_bytes() == b"precious"


def test_a_file_system_without_room(folder, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs more rights")
    try:
        image = rc.paint(np.load(folder / "values.npy"), folder / "atlas.nii")
        with pytest.raises(OutputError, match="No space left on device"):
            rc.save(image, disk / "map.nii.gz")
        assert names(disk) == []
        rc.save(small_image(), disk / "map.nii.gz")
        with pytest.raises(OutputError, match="No space left on device"):
            rc.save(image, disk / "map.nii.gz", overwrite=True)
        assert names(disk) == ["map.nii.gz"]
        assert nib.load(disk / "map.nii.gz").get_fdata().max() == 2.5
    finally:
        subprocess.run(["umount", disk], check=True)


# --- side by side ------------------------------------------------------------------------------


def test_processes_that_write_the_same_output_leave_one_whole_file(folder):
    script = SETUP + textwrap.dedent(
        """
        for _ in range(10):
            image = new if sys.argv[2] == "new" else old
            rc.save(image, output, overwrite=True, sidecar=False)
        """
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-P", "-c", script, folder, which], stderr=subprocess.PIPE, text=True
        )
        for which in ("new", "old", "new")
    ]
    whole = {(*SHAPE, N_MAPS), (*SHAPE, 1)}
    while any(writer.poll() is None for writer in writers):
        if (folder / "map.nii.gz").exists():
            # At once: what is there under this name is soon another file.
            content = gzip.decompress((folder / "map.nii.gz").read_bytes())
            image = nib.Nifti1Image.from_bytes(content)
            assert image.shape in whole
            np.asarray(image.dataobj)
    assert [(writer.communicate()[1], writer.returncode) for writer in writers] == [("", 0)] * 3
    assert names(folder) == ["atlas.nii", "map.nii.gz", "values.npy"]


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_the_output_may_replace_the_file_that_is_read(folder, suffix):
    atlas = nib.load(folder / "atlas.nii")
    nib.save(atlas, folder / f"map{suffix}")
    expected = np.asarray(rc.paint(np.load(folder / "values.npy"), atlas).dataobj)
    done = shell(folder, "paint", "values.npy", f"map{suffix}", "-o", f"map{suffix}", "--overwrite")
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(np.asarray(nib.load(folder / f"map{suffix}").dataobj), expected)
