"""Outputs on disks that are full, half done, or refuse; and what is said of them."""

from __future__ import annotations

import contextlib
import errno
import gzip
import itertools
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path
from threading import Thread

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_spaces import brain_models, dlabel, labels_gifti

import regioncast as rc
from regioncast import cli, files, formats, interrupts, progress
from regioncast.engine import extraction, threads
from regioncast.errors import FileFormatError, InputTooLargeError, OutputError, printable
from regioncast.io.volume import map_streams, painted_gzip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is about disks and signals")

WRITABLE = sorted(
    {
        (suffix, kind, use)
        for entry in formats.FORMATS
        for suffix in entry.suffixes
        for kind in entry.kinds
        for use in ("image", "signals", "coverage")
        if use in entry.uses and (use == "image") != (kind == "table")
        if entry.family != "zarr"  # a folder: tests/test_chunked_painting.py
    }
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def atlas_of(kind, n_samples):
    """Two regions of a volume, a pair of hemispheres or grayordinates, of about so many samples."""
    labels = np.random.default_rng(0).integers(0, 3, n_samples // 6 * 6)
    if kind == "surface":
        return rc.load_parcellation(left=labels[::2], right=labels[1::2])
    if kind == "cifti":
        axis = brain_models()
        keys = np.arange(len(axis)) % 3
        return rc.load_parcellation(dlabel(keys, {0: "???", 1: "a", 2: "b"}, axis))
    return rc.load_parcellation(nib.Nifti1Image(labels.reshape(3, 2, -1).astype(np.int16), None))


def thing_to_write(suffix, kind, use, size):
    """A painting, signals or coverage that take about so many kB."""
    rng = np.random.default_rng(1)
    if use == "coverage":
        return rc.RegionTable(range(1, size * 30))
    if use == "signals":
        return rc.Signals(rng.standard_normal((size * 30, 2)), ["V1", "V2"], labels=[1, 2])
    is_single = suffix in (".curv", ".sulc", ".thickness", ".area")
    atlas = atlas_of(kind, size * 300)
    values = rng.standard_normal(len(atlas) if is_single else (3, len(atlas))).astype(np.float32)
    return rc.paint(values, atlas, t_r=2 if "series" in suffix else None)


@contextlib.contextmanager
def files_limited_to(size):
    """Let no file of this process grow beyond `size` bytes: what a full disk says, says this."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# --- full ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 60])
@pytest.mark.parametrize(("suffix", "kind", "use"), WRITABLE)
def test_a_disk_that_is_full_at_any_stage(tmp_path, monkeypatch, suffix, kind, use, size):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    thing = thing_to_write(suffix, kind, use, size)
    written = rc.save(thing, tmp_path / f"out{suffix}")
    paths = [written] if isinstance(written, Path) else list(written)
    whole = [path.read_bytes() for path in paths]
    longest = max(map(len, whole))
    # One page short is what is left in the buffers of those who write.
    limits = {0, 1, longest // 3, longest - 8193, longest - 4096, longest - 100, longest - 1}
    for path in paths:
        path.write_bytes(b"precious")
    for limit in sorted(limits):
        if limit < 0:
            continue
        with files_limited_to(limit), pytest.raises(OutputError, match="Nothing was changed"):
            rc.save(thing, tmp_path / f"out{suffix}", overwrite=True)
        assert [path.read_bytes() for path in paths] == [b"precious"] * len(paths), limit
        assert len(names(tmp_path)) == len(paths)
    with files_limited_to(longest):
        rc.save(thing, tmp_path / f"out{suffix}", overwrite=True)
    assert [path.stat().st_size for path in paths] == list(map(len, whole))


def test_it_is_a_file_system_that_is_full_too(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs more rights")
    try:
        for suffix, kind, use in WRITABLE:
            thing = thing_to_write(suffix, kind, use, 600)
            for path in ("out", "lh.out", "out.L", "out.R", "rh.out"):
                (disk / f"{path}{suffix}").write_bytes(b"precious")
            before = {path: path.read_bytes() for path in disk.iterdir()}
            try:
                rc.save(thing, disk / f"out{suffix}", overwrite=True)
            except OutputError as error:
                assert error.__cause__.errno == errno.ENOSPC  # noqa: PT017
                assert {path: path.read_bytes() for path in disk.iterdir()} == before
            else:  # what compresses well
                rc.save(thing, tmp_path / f"out{suffix}", overwrite=True)
                for path in disk.iterdir():
                    whole = tmp_path / path.name
                    assert path.read_bytes() == (
                        whole.read_bytes() if whole.exists() else b"precious"
                    )
            for path in disk.iterdir():
                path.unlink()
    finally:
        subprocess.run(["umount", disk], check=True)


# --- refused ---------------------------------------------------------------------------------


@pytest.fixture
def unlinking_refused(monkeypatch):
    """A folder in which new names may be made and none be removed."""
    unlink = Path.unlink

    def refused(path, *arguments, **options):
        if path.name.startswith(".regioncast-"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        unlink(path, *arguments, **options)

    monkeypatch.setattr(Path, "unlink", refused)


SMALL = nib.Nifti1Image(np.arange(6, dtype=np.uint8).reshape(3, 2, 1) % 3, np.eye(4))
PAIR = {"left": np.array([0, 1, 2]), "right": np.array([1, 0])}


def save_pair(folder, value, *, overwrite=True):
    image = rc.paint([value] * 3, rc.load_parcellation(PAIR))
    return rc.save(image, folder / "out.npy", overwrite=overwrite)


def test_a_temporary_file_that_may_not_be_removed(tmp_path, unlinking_refused):
    with pytest.raises(OutputError) as caught:
        rc.save(rc.paint([1.5, 2.5], SMALL), tmp_path / "out.nii")
    (temporary,) = set(names(tmp_path)) - {"out.nii"}
    assert str(caught.value) == (
        f"{tmp_path / 'out.nii'} was written, and is whole. A temporary file stays, which may not "
        f"be removed: {tmp_path / temporary} (Permission denied)."
    )
    assert nib.load(tmp_path / "out.nii").get_fdata().max() == 2.5


def test_a_pair_whose_temporary_files_may_not_be_removed(tmp_path, unlinking_refused):
    with pytest.raises(OutputError) as caught:
        save_pair(tmp_path, 1, overwrite=False)
    assert str(caught.value).count("Permission denied") == 2
    assert f"{tmp_path / 'out.L.npy'}, {tmp_path / 'out.R.npy'} was written" in str(caught.value)


def test_a_full_disk_where_nothing_may_be_removed(tmp_path, unlinking_refused):
    with files_limited_to(100), pytest.raises(OutputError) as caught:
        rc.save(rc.paint([1.5, 2.5], SMALL), tmp_path / "out.nii")
    (temporary,) = names(tmp_path)
    assert "failed: File too large. Nothing was changed. A temporary file" in str(caught.value)
    assert temporary in str(caught.value)


def test_an_interrupt_stays_one_where_nothing_may_be_removed(tmp_path, unlinking_refused):
    with pytest.raises(KeyboardInterrupt), files.replacing(tmp_path / "a", overwrite=True):
        raise KeyboardInterrupt


def test_a_half_that_comes_to_exist_meanwhile(tmp_path, monkeypatch):
    link = os.link

    def late(temporary, target):
        link(temporary, target)
        (tmp_path / "out.R.npy").touch()

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(
        OutputError, match=r"come to exist meanwhile.*out\.L\.npy was written"
    ) as caught:
        save_pair(tmp_path, 1, overwrite=False)
    assert "Write both again" in str(caught.value)
    assert names(tmp_path) == ["out.L.npy", "out.R.npy"]


def test_a_sidecar_that_cannot_take_its_place(tmp_path, monkeypatch):
    replace = Path.replace

    def fail(source, target):
        if target.suffix == ".json":
            raise OSError(errno.EIO, "Input/output error")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", fail)
    folder = tmp_path / "folder"
    folder.mkdir()
    nib.save(SMALL, tmp_path / "atlas.nii")
    image = rc.paint([1.5, 2.5], tmp_path / "atlas.nii")
    monkeypatch.setattr(os, "link", fail)  # so that new names are made by renaming too
    with pytest.raises(OutputError) as caught:
        rc.save(image, folder / "out.nii")
    said = str(caught.value)
    assert said.startswith(f"{folder / 'out.nii'} was written, and what goes beside it not: ")
    assert said.endswith("out.json failed: Input/output error. It has no sidecar now.")
    assert names(folder) == ["out.nii"]


# --- a pair and signals ------------------------------------------------------------------------


class Ended(BaseException):
    """What a handler raises."""


def end(*_):
    raise Ended


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def number(request):
    """A signal that raises `Ended`."""
    before = {other: signal.getsignal(other) for other in interrupts._HELD}
    signal.signal(request.param, end)
    yield request.param
    # Where one came before the others were held or when they were no more, they are handled again.
    for other in {request.param, signal.SIGINT}:
        with pytest.raises((Ended, KeyboardInterrupt)):
            signal.raise_signal(other)
    assert signal.getsignal(request.param) is end
    for other, handler in before.items():
        signal.signal(other, handler)


def signal_at(step, number):
    """Return a profile function that sends a signal at the so manieth call that matters."""
    left = iter(range(step))
    places = {files.__file__, pathlib.__file__, contextlib.__file__, interrupts.__file__}

    def profile(frame, event, _):
        is_place = event in ("call", "c_call", "c_return") and frame.f_code.co_filename in places
        if is_place and next(left, None) is None:
            sys.setprofile(None)
            signal.raise_signal(number)

    return profile


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_signal_at_any_call_leaves_a_pair(tmp_path, monkeypatch, number, overwrite):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    pair = [tmp_path / "out.L.npy", tmp_path / "out.R.npy"]
    old = [b"old"] * 2 if overwrite else [None] * 2
    outcomes = Counter()
    for step in itertools.count(0, 7 if number == signal.SIGINT else 29):
        for path in pair:
            path.write_bytes(b"old") if overwrite else path.unlink(missing_ok=True)
        try:
            sys.setprofile(signal_at(step, number))
            with files.replacing_all(pair, overwrite=overwrite) as temporaries:
                for temporary in temporaries:
                    temporary.write_bytes(b"new")
            break
        except Ended:
            there = [path.read_bytes() if path.exists() else None for path in pair]
            assert there in (old, [b"new"] * 2), step
            outcomes[there == old] += 1
        finally:
            sys.setprofile(None)
        assert set(names(tmp_path)) <= {path.name for path in pair}, step
    assert len(outcomes) == 2
    assert sum(outcomes.values()) > 20


BETWEEN = """
import os, signal, sys
from pathlib import Path
import numpy as np
import regioncast as rc
replace = Path.replace
def then_a_signal(source, target):
    replace(source, target)
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))
Path.replace = then_a_signal
labels = {"left": np.array([0, 1, 2]), "right": np.array([1, 0])}
rc.save(rc.paint([7, 7, 7], labels), "out.npy", overwrite=True)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_that_nobody_handles_ends_the_process_between_pairs_only(tmp_path, name):
    save_pair(tmp_path, 1)
    done = subprocess.run(
        [sys.executable, "-P", "-c", BETWEEN, name], cwd=tmp_path, check=False, capture_output=True
    )
    assert done.returncode == -getattr(signal, name), done.stderr
    assert [np.load(tmp_path / path).max() for path in names(tmp_path)] == [7, 7]


def test_a_pair_is_written_by_another_thread(tmp_path):
    writers = [Thread(target=save_pair, args=(tmp_path, value)) for value in (1, 2, 3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert names(tmp_path) == ["out.L.npy", "out.R.npy"]


def test_what_is_ignored_stays_ignored_and_handlers_come_back(monkeypatch):
    got = []
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr(interrupts, "_HELD", (signal.SIGHUP, signal.SIGTERM))
        handler = signal.signal(signal.SIGTERM, lambda *_: got.append(True))
        with interrupts.interrupts_held():
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)
            assert got == []
        assert got == [True]
        assert signal.signal(signal.SIGTERM, handler) is not handler
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


# --- interrupted while extracting -----------------------------------------------------------------


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    """A folder with a compressed series and an atlas of its voxels."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("series")
    maps = rng.standard_normal((6, 5, 4, 9), np.float32)
    nib.save(nib.Nifti1Image(maps, np.eye(4)), folder / "bold.nii.gz")
    labels = rng.integers(0, 5, (6, 5, 4)).astype(np.int16)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), folder / "atlas.nii.gz")
    return folder


LINES = """
import contextlib, gc, itertools, os, queue, signal, sys, threading, time
import numpy as np, nibabel as nib
import regioncast as rc
from regioncast import files, interrupts
from regioncast.engine import extraction, maps, painting, threads
from regioncast.io import stored
from regioncast.io.volume import map_streams, painted_gzip
from isal import igzip_threaded

map_streams._BLOCK_BYTES, map_streams.PIECE_BYTES, stored.PIECE_BYTES = 2_000, 500, 50
extraction._VALUES_PER_THREAD = 10
painted_gzip._BLOCK_BYTES = 1000
modules = (
    threading, contextlib, interrupts, maps, map_streams, extraction, threads, painting,
    painted_gzip, files, stored, queue, igzip_threaded,
)
places = {module.__file__ for module in modules}

class Ended(BaseException):
    pass

def end(*_):
    raise Ended

def signal_at_line(step):
    left = iter(range(step))
    def at_line(frame, event, _):
        if event == "line" and next(left, None) is None:
            sys.settrace(None)
            signal.raise_signal(signal.SIGTERM)
        return at_line
    return lambda frame, *_: at_line if frame.f_code.co_filename in places else None

signal.signal(signal.SIGTERM, end)
os.fsync = lambda _: None
atlas = rc.load_parcellation("atlas.nii.gz")
values = rc.extract("bold.nii.gz", atlas).values
n_files = len(os.listdir("/proc/self/fd"))

def extracting():
    rc.extract("bold.nii.gz", "atlas.nii.gz", n_jobs=2)

def saving():
    rc.save(rc.paint(values, atlas), "out.nii.gz", overwrite=True)

def painting():
    np.asarray(rc.paint(values, atlas).dataobj)

for work in (extracting, saving, painting):
    for step in itertools.count(0, 4):
        try:
            sys.settrace(signal_at_line(step))
            work()
            break
        except Ended:
            pass
        finally:
            sys.settrace(None)
    print(step)
# Threads that were left to themselves end once what they know of is forgotten.
for _ in range(100):
    gc.collect()
    if threading.active_count() == 1:
        break
    time.sleep(0.02)
print(threading.active_count(), len(os.listdir("/proc/self/fd")) - n_files)
"""


def test_a_signal_at_any_line_is_one(series):
    """At lines of what waits for threads, where one may have begun and not be known yet."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", LINES],
        cwd=series, check=True, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    extracting, saving, painting, *left = map(int, done.stdout.split())
    # None was lost, after which the work would have come to its end.
    assert (extracting > 900, saving > 900, painting > 50) == (True, True, True)
    assert left == [1, 0]
    assert set(names(series)) <= {"atlas.nii.gz", "bold.nii.gz", "out.json", "out.nii.gz"}


MANY = """
import os, random, signal, sys, time
from regioncast.io.volume import map_streams
from regioncast import cli, __main__
map_streams._BLOCK_BYTES = 2_000
random.seed(0)
number, words = int(sys.argv.pop(1)), sys.argv[1:]
sys.stdout = open(os.devnull, "w")
for _ in range(2):  # the first time, packages are loaded
    start = time.perf_counter()
    cli.main(words)
    seconds = time.perf_counter() - start
codes = []
for _ in range(15):
    child = os.fork()
    if child == 0:
        try:
            os._exit(__main__.main())
        except SystemExit as error:
            os._exit(error.code)
    time.sleep(0.005 + random.random() * seconds)
    os.kill(child, number)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(*codes, file=sys.stderr)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_commands_end_with_the_code_of_the_signal(tmp_path, number, code):
    labels = np.random.default_rng(0).integers(0, 5, (16, 15, 14)).astype(np.int16)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "atlas.nii")
    rng = np.random.default_rng(1)
    maps = nib.Nifti1Image(rng.standard_normal((16, 15, 14, 200), np.float32), np.eye(4))
    nib.save(maps, tmp_path / "bold.nii.gz")
    words = ["extract", "bold.nii.gz", "atlas.nii", "-o", "out.tsv", "--overwrite"]
    words += ["--regions=none"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", MANY, str(int(number)), *words],
        cwd=tmp_path, check=True, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    *said, codes = done.stderr.strip().split("\n")
    counts = Counter(map(int, codes.split()))
    assert set(counts) <= {0, code}, done.stderr
    assert counts[code] > 5, counts
    assert set(said) <= {"regioncast: interrupted"}
    # One that comes between table and sidecar leaves the new table without the old sidecar.
    assert {*names(tmp_path)} - {"out.json"} == {"atlas.nii", "bold.nii.gz", "out.tsv"}


IGNORED = """
import signal, sys, time
import regioncast as rc
from regioncast import __main__, cli
name = sys.argv.pop()
class Careless:
    def __del__(self):
        signal.raise_signal(getattr(signal, name))
def load(*_, **__):
    Careless()
    time.sleep(20)
cli.api.load_parcellation = load
sys.exit(__main__.main())
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_that_comes_where_errors_are_ignored(tmp_path, name, code):
    words = [sys.executable, "-P", "-c", IGNORED, "info", "a.nii", name]
    done = subprocess.run(words, cwd=tmp_path, check=False, capture_output=True, timeout=15)
    assert done.returncode == code, done.stderr
    assert done.stderr in (b"", b"regioncast: interrupted\n")


# --- neither threads nor memory ------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", [0, 1, 2])
def test_without_threads_all_is_done_all_the_same(tmp_path, monkeypatch, series, n_threads):
    monkeypatch.setattr(map_streams, "_BLOCK_BYTES", 2_000)
    monkeypatch.setattr(extraction, "_VALUES_PER_THREAD", 10)
    monkeypatch.setattr(painted_gzip, "_BLOCK_BYTES", 100)
    path, atlas = series / "bold.nii.gz", rc.load_parcellation(series / "atlas.nii.gz")
    expected = rc.extract(path, atlas).values
    rc.save(rc.paint(expected, atlas), tmp_path / "expected.nii.gz")
    start, left = Thread.start, iter(range(n_threads))

    def start_if_there_is_one(thread):
        if next(left, None) is None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(Thread, "start", start_if_there_is_one)
    np.testing.assert_array_equal(rc.extract(path, atlas, n_jobs=2).values, expected)
    rc.save(rc.paint(expected, atlas), tmp_path / "out.nii.gz")
    assert list(threads.each_in_turn(str, range(9), 3)) == list("012345678")
    monkeypatch.undo()
    whole = (tmp_path / "expected.nii.gz").read_bytes()
    assert gzip.decompress((tmp_path / "out.nii.gz").read_bytes()) == gzip.decompress(whole)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (MemoryError(), InputTooLargeError, "needs more memory than there is: MemoryError. Free"),
        (MemoryError("Unable to get 3 TiB"), InputTooLargeError, "there is: Unable to get 3 TiB. "),
        (OSError(errno.ENOMEM, "Cannot get memory"), MemoryError, "more memory than there is: Can"),
        (OSError(errno.EMFILE, "Too many open files"), PermissionError, "be read: Too many open f"),
        (EOFError(), FileFormatError, "truncated or damaged: EOFError. Get"),
        (EOFError("the end\nof it"), FileFormatError, "truncated or damaged: the end. Get"),
    ],
)  # fmt: skip
def test_what_a_reader_lacks_is_called_by_its_name(error, kind, said):
    with pytest.raises(kind, match=f"The image a.nii .*{said}"), files.readable("the image a.nii"):
        raise error


def test_missing_memory_is_no_unexpected_error(monkeypatch, capsys):
    def load(*_, **__):
        np.empty(1 << 50, np.uint8)

    monkeypatch.setattr(cli.api, "load_parcellation", load)
    assert cli.main(["info", "a.nii"]) == 1
    assert re.fullmatch(
        r"regioncast: There is not enough memory \(Unable to allocate 1\.00 PiB [^\n]+\)\. .*\n",
        capsys.readouterr().err,
    )


# --- names that steer a terminal -----------------------------------------------------------------

EVIL = "V1\x1b[31m\x1b]0;title\x07\x9b2J\u202eevil\r\n\u2028"
ESCAPED = r"V1\x1b[31m\x1b]0;title\x07\x9b2J\u202eevil\r\n\u2028"
KIND = ["été", "Größe ß", "脳　葉", "мозг", "مخ", "قشر\u200cمغز", "मस्तिष्क\u200d", "a b", "V1ᴸ"]


def assert_harmless(text):
    assert not [char for char in text if ord(char) < 32 and char != "\n"]
    assert not re.search("[\x7f-\x9f\u2028-\u202e]", text)


@pytest.fixture
def evil_files(tmp_path, monkeypatch):
    """Regions and files of names that are evil, and of others that look unusual."""
    monkeypatch.chdir(tmp_path)
    labels = np.arange(12, dtype=np.int16).reshape(3, 2, 2) % (2 + len(KIND))
    atlas = f"atlas{EVIL[:-2]}.nii".replace("/", "")
    nib.save(nib.Nifti1Image(labels, np.eye(4)), atlas)
    rows = [f"{label}\t{name}" for label, name in enumerate(KIND, 2)]
    Path("regions.tsv").write_text("\n".join(["index\tname", "1\tV1\u202e", *rows]))
    colours = np.arange(20).reshape(4, 5)
    names = ["unknown", EVIL.rstrip(), "V2", "V3"]
    nib.freesurfer.write_annot("lh.annot", np.arange(20) % 4, colours, names, fill_ctab=True)
    gifti = labels_gifti("L", names={0: "none", 3: "V1\u202e", 7: "V2", 14474380: "\x9b1m"})
    nib.save(gifti, "lh.label.gii")
    return atlas


def test_names_do_not_steer_the_terminal(evil_files, capsys):
    atlas = evil_files
    for words, code in (
        (["info", atlas], 0),
        (["info", atlas, "--regions", "regions.tsv"], 0),
        (["info", "lh.label.gii"], 0),
        (["info", "lh.annot"], 0),
        (["info", f"none\x1b[2J{atlas}"], 1),
        (["paint", "values.npy", atlas, "-o", "a\x1b[1m\u202e.nii"], 0),
        (["extract", "a\x1b[1m\u202e.nii", atlas, "-o", "b\x1b[1m.tsv"], 0),
        (["match", "b\x1b[1m.tsv", atlas], 0),
        (["match", "evil.csv", "lh.label.gii"], 1),
        (["--debug", "info", "none\x1b[2J"], 1),
        (["info", "--no\x1b[2J\u202esuch"], 2),
        (["paint", "values.npy", atlas, "-o", "c.nii", "--mask", "mask\x1b.nii"], 0),
    ):
        np.save("values.npy", np.arange(1.0, 2 + len(KIND)))
        nib.save(nib.Nifti1Image((np.arange(12) > 1).reshape(3, 2, 2).astype("u1"), np.eye(4)),
                 "mask\x1b.nii")  # fmt: skip
        Path("evil.csv").write_text("name,value\n\u202eV2,1\nV1\x1b,2\n", encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            assert cli.main(words) == code, words
        out, err = capsys.readouterr()
        assert out or err
        assert_harmless(out + err)


def test_names_are_shown_as_they_are_written(evil_files, capsys):
    assert cli.main(["info", evil_files, "--regions", "regions.tsv"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in KIND)
    assert r"V1\u202e" in shown
    assert printable(EVIL) == ESCAPED
    assert len(shown.splitlines()) == 2 + 1 + len(KIND)
    assert cli.main(["info", "lh.annot"]) == 0
    shown = capsys.readouterr().out
    assert ESCAPED.removesuffix(r"\r\n\u2028") in shown
    assert len(shown.splitlines()) == 2 + 3


def test_json_means_the_names_as_they_are(evil_files, capsys):
    assert cli.main(["info", "lh.label.gii", "--json"]) == 0
    text = capsys.readouterr().out
    assert_harmless(text)
    told = [region["name"] for region in json.loads(text)["regions"]]
    assert told == [rc.load_parcellation("lh.label.gii").table.names[n] for n in range(3)]
    assert told[2] == "\x9b1m"


@given(st.text())
def test_only_what_is_not_harmless_is_escaped(text):
    shown = printable(text)
    assert_harmless(shown.replace("\n", "?"))
    assert "\n" not in shown
    assert (shown == text) == (
        re.sub("[\u200c\u200d]", "", shown) == re.sub("[\u200c\u200d]", "", text)
    )
    if text.isprintable():
        assert shown == text


def test_a_bar_is_titled_by_any_name():
    bar = progress._bar("writing [/x]\x1b[31m", 5)
    with bar.console.capture() as captured:
        bar.console.print(bar.make_tasks_table(bar.tasks))
    bar.stop()
    assert r"[/x]\x1b[31m" in captured.get()


# --- at home -------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home that is not where we are, and files to work with."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    nib.save(SMALL, home / "atlas.nii")
    np.save(home / "values.npy", [1.5, 2.5])
    return home


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.npy", "a.parquet"])
def test_tables_are_written_at_home(home, capsys, name):
    words = ["extract", "~/atlas.nii", "~/atlas.nii", f"--output=~/{name}", "--coverage=~/c.tsv"]
    assert cli.main(words) == 0
    assert capsys.readouterr().out.startswith(f"{home / name}: mean of 2")
    assert {name, "c.tsv"} < set(names(home))
    assert cli.main(words) == 1
    assert f"The output exists: {home / name}." in capsys.readouterr().err


def test_images_and_folders_are_written_at_home(home, capsys):
    assert cli.main(["paint", "~/values.npy", "~/atlas.nii", "-o", "~/map.nii.gz"]) == 0
    assert capsys.readouterr().out.startswith(f"{home / 'map.nii.gz'}: 2 values")
    assert cli.main(["demo", "~/demo"]) == 0
    assert "motor_left-vs-right.tsv" in names(home / "demo")
    assert names(home.parent) == ["home"]


def test_two_outputs_that_are_one_at_home(home, capsys):
    words = ["extract", "~/atlas.nii", "~/atlas.nii", "-o", "~/a.tsv", "--coverage"]
    assert cli.main([*words, str(home / "a.tsv")]) == 1
    assert f"cannot both be written to {home / 'a.tsv'}" in capsys.readouterr().err
