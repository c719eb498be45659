"""What is saved is what was painted; a file is whole or not there."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import regioncast as rc
from regioncast import testing
from regioncast.errors import (
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    OutputError,
    OutputExistsError,
    SignalsTypeError,
)
from regioncast.io.volume import nifti, painted_gzip

# Oblique, and without shears, which ITK cannot read.
AFFINE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.1, -0.2, 0.3) @ np.diag([-2, 2.5, 3]), [40, -7, 5]
)
SUFFIXES = (".nii", ".nii.gz", ".mgh", ".mgz")
MGH_DTYPES = [np.dtype(code) for code in ("u1", "i2", "i4", "f4")]

LINUX = sys.platform == "linux"

# nibabel leaves MGH files to the garbage collector, which warns.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


def with_nibabel(image, path):
    nib.save(image, path)


def with_to_filename(image, path):
    image.to_filename(path)


def with_save(image, path):
    rc.save(image, path, overwrite=True)


WAYS = [with_nibabel, with_to_filename, with_save]


def in_mgh(dtype):
    """The dtype of an array that MGH files hold, or None."""
    stored = {"?": "u1", "e": "f4"}.get(np.dtype(dtype).char, np.dtype(dtype))
    return np.dtype(stored) if stored in MGH_DTYPES else None


def labels_of(dtype, shape=(5, 7, 6)):
    return np.random.default_rng(5).integers(0, 90, shape).astype(dtype)


N_REGIONS = len(testing.regions_of(labels_of("i2")))


def painted(signal_dtype="f8", label_dtype="i2", n_maps=2, shape=(5, 7, 6)):
    """A painting with all values that are easily lost."""
    labels = labels_of(label_dtype, shape)
    n_regions = len(testing.regions_of(labels))
    special = testing.special_values(signal_dtype)
    signals = np.resize(special, (max(n_maps, 1), n_regions))
    header = nib.Nifti1Image(np.zeros((1, 1, 1), "u1"), AFFINE).header
    labels_img = nib.Nifti1Image(labels, AFFINE, header)
    return rc.paint(signals if n_maps else signals[0], labels_img)


def assert_holds(path, image):
    loaded = nib.load(path)
    saved, made = np.asarray(loaded.dataobj), np.asarray(image.dataobj)
    native = saved.astype(saved.dtype.newbyteorder("="), copy=False)
    assert (native.shape, native.dtype) == (made.shape, made.dtype)
    assert native.tobytes() == made.tobytes()
    np.testing.assert_allclose(loaded.affine, image.affine, atol=1e-5)


def listing(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def small_blocks(monkeypatch, n_bytes):
    """Let files be written in blocks of at most so many bytes."""
    monkeypatch.setattr(nifti, "_BLOCK_BYTES", n_bytes)
    monkeypatch.setattr(painted_gzip, "_BLOCK_BYTES", n_bytes)


@pytest.fixture
def image():
    return painted()


def name_of(descriptor):
    """The path of an open file."""
    return str(Path(f"/proc/self/fd/{descriptor}").readlink()) if LINUX else descriptor


@pytest.fixture(autouse=True)
def brought_to_disk(monkeypatch):
    """Spare the tests the waiting for the disk; what would have been waited for, in order."""
    waited_for = []
    monkeypatch.setattr(os, "fsync", lambda file: waited_for.append(name_of(file)))
    return waited_for


# --- exact --------------------------------------------------------------------------------


@pytest.mark.parametrize("label_dtype", testing.LABEL_DTYPES, ids=str)
@pytest.mark.parametrize("signal_dtype", testing.SIGNAL_DTYPES, ids=str)
def test_every_way_of_saving_nifti_is_exact(tmp_path, label_dtype, signal_dtype):
    for n_maps in (0, 3):
        image = painted(signal_dtype, label_dtype, n_maps)
        expected = testing.brute_force_paint(
            image.match.signals.values[0] if not n_maps else image.match.signals.values,
            labels_of(label_dtype),
        )
        assert np.asarray(image.dataobj).tobytes() == expected.tobytes()
        for save in WAYS:
            for name in ("map.nii", "map.nii.gz"):
                save(image, tmp_path / name)
                assert_holds(tmp_path / name, image)


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
@pytest.mark.parametrize("signal_dtype", testing.SIGNAL_DTYPES, ids=str)
@pytest.mark.parametrize("save", WAYS)
def test_mgh_is_exact_or_refused(tmp_path, suffix, signal_dtype, save):
    image = painted(signal_dtype)
    path = tmp_path / f"map{suffix}"
    if in_mgh(signal_dtype):
        save(image, path)
        assert_holds(path, image)
        return
    with pytest.raises(SignalsTypeError, match=r"MGH files hold uint8, int16, int32 and float32"):
        save(image, path)
    assert not listing(tmp_path)


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
@pytest.mark.parametrize("t_r", [None, 0.72])
@pytest.mark.parametrize("save", WAYS)
def test_a_series_of_one_volume_is_a_volume_in_mgh(tmp_path, suffix, t_r, save):
    values = np.ones((1, N_REGIONS), np.float32)
    image = rc.paint(values, nib.Nifti1Image(labels_of("i2"), AFFINE), t_r=t_r)
    save(image, tmp_path / f"map{suffix}")
    loaded = nib.load(tmp_path / f"map{suffix}")
    np.testing.assert_array_equal(loaded.dataobj, image.dataobj[..., 0])


@pytest.mark.parametrize("save", WAYS)
def test_what_was_edited_is_saved_as_edited_in_mgh_or_refused(tmp_path, save):
    image = painted("f4")
    image.get_fdata(dtype="f4")[2] = 7
    save(image, tmp_path / "map.mgz")
    assert (nib.load(tmp_path / "map.mgz").dataobj[2] == 7).all()
    image.get_fdata()[3] = 7  # of float64, which MGH files do not hold
    with pytest.raises(SignalsTypeError, match="this image is float64"):
        save(image, tmp_path / "map.mgz")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_the_header_in_the_file_is_that_of_the_values(tmp_path, suffix):
    image = rc.paint(np.ones((4, N_REGIONS)), nib.Nifti1Image(labels_of("i2"), AFFINE), t_r=1.25)
    rc.save(image, tmp_path / f"map{suffix}")
    with (gzip.open if suffix.endswith("gz") else open)(tmp_path / f"map{suffix}", "rb") as file:
        header = nib.Nifti1Header.from_fileobj(file)
    assert header.get_data_dtype() == np.float64
    assert (header["scl_slope"], header["scl_inter"]) == (1, 0)
    assert header.get_zooms()[3] == 1.25
    assert header.get_xyzt_units()[1] == "sec"
    assert header["magic"] == b"n+1"
    assert header.get_intent()[0] == "none"


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("wrong", ["u1", "i2", "f4", "c16"])
def test_a_header_that_contradicts_the_values_does_not_spoil_them(tmp_path, save, wrong):
    image = painted("f8")
    image.set_data_dtype(wrong)
    image.header.set_slope_inter(3, 7)
    save(image, tmp_path / "map.nii.gz")
    assert_holds(tmp_path / "map.nii.gz", image)


@pytest.mark.parametrize(("save", "plain"), [*((way, False) for way in WAYS), (with_save, True)])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_affine_that_was_changed_is_the_one_that_is_saved(tmp_path, save, suffix, plain):
    image = painted("f4")
    if plain:
        image = nib.Nifti1Image(np.asarray(image.dataobj), image.affine, image.header)
    image.affine[:3, 3] += [10, -20, 0.5]
    image.affine[:3, 0] *= 1.25
    save(image, tmp_path / f"map{suffix}")
    assert_holds(tmp_path / f"map{suffix}", image)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_an_affine_that_was_not_changed_leaves_the_codes_alone(tmp_path, suffix):
    source = nib.Nifti1Image(labels_of("i2"), AFFINE)
    source.set_sform(AFFINE, code="mni")
    source.set_qform(AFFINE, code="scanner")
    rc.save(rc.paint(np.ones(N_REGIONS), source), tmp_path / f"map{suffix}")
    header = nib.load(tmp_path / f"map{suffix}").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (4, 1)


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("offset", [352, 1024, 4096])
def test_where_the_data_begin_is_found_anew(tmp_path, save, offset):
    image = painted("f4")
    image.header.set_data_offset(offset)
    save(image, tmp_path / "map.nii")
    assert_holds(tmp_path / "map.nii", image)


@pytest.mark.parametrize("endianness", "<>")
def test_what_stands_beside_the_header_is_kept_in_any_byte_order(tmp_path, endianness):
    header = nib.Nifti1Header(endianness=endianness)
    image = nib.Nifti1Image(np.arange(24, dtype="f4").reshape(2, 3, 4), AFFINE, header)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"of its scanner"))
    rc.save(image, tmp_path / "map.nii")
    loaded = nib.load(tmp_path / "map.nii")
    assert [e.get_content() for e in loaded.header.extensions] == [b"of its scanner"]
    np.testing.assert_array_equal(np.asarray(loaded.dataobj), np.asarray(image.dataobj))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_an_input_that_ends_early_is_what_is_blamed(tmp_path, suffix):
    source = tmp_path / f"bold{suffix}"
    nib.save(nib.Nifti1Image(VALUES, AFFINE), source)
    source.write_bytes(source.read_bytes()[:-100])
    image = nib.load(source)
    with pytest.raises(FileFormatError, match=f"The image .*bold{suffix} is truncated or damaged"):
        rc.save(image, tmp_path / "out.nii")
    assert sorted(tmp_path.iterdir()) == [source]


def test_an_affine_that_is_no_number_is_saved_as_it_is(tmp_path):
    image = nib.Nifti1Image(VALUES, AFFINE)
    image.header["srow_x"][1] = np.nan
    image.affine[0, 1] = np.nan
    rc.save(image, tmp_path / "map.nii")
    np.testing.assert_array_equal(nib.load(tmp_path / "map.nii").get_fdata(), VALUES)


def series_with(kind, t_r, unit):
    image = kind(np.zeros((2, 3, 4, 5), np.float32), AFFINE)
    image.header.set_zooms((*image.header.get_zooms()[:3], t_r))
    if unit is not None:
        image.header.set_xyzt_units("mm", unit)
    return image


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("kind", "t_r", "unit"),
    [
        (None, 2.5, None),
        (nib.Nifti1Image, 2.5, "sec"),
        (nib.Nifti1Image, 2500, "msec"),
        (nib.Nifti1Pair, 2.5, "sec"),
        (nib.Nifti2Image, 2.5, "sec"),
        (nib.MGHImage, 2500, None),
    ],
)
def test_the_repetition_time_is_kept(tmp_path, suffix, kind, t_r, unit):
    if kind is None:
        labels = nib.Nifti1Image(labels_of("i2"), AFFINE)
        image = rc.paint(np.ones((3, N_REGIONS), np.float32), labels, t_r=t_r)
    else:
        image = series_with(kind, t_r, unit)
    path = rc.save(image, tmp_path / f"map{suffix}")
    header = nib.load(path).header
    if "mg" in suffix:
        seconds = header.get_zooms()[3] / 1000
    else:
        units = {"sec": 1, "msec": 1000}
        seconds = header.get_zooms()[3] / units[header.get_xyzt_units()[1]]
    assert seconds == pytest.approx(2.5)


def test_an_image_too_long_for_nifti1_is_saved_as_nifti2(tmp_path):
    labels = np.resize(np.array([0, 3, 7], np.int16), (1, 33000, 2))
    image = rc.paint([1.5, -2.5], nib.Nifti2Image(labels, AFFINE))
    for save in WAYS:
        save(image, tmp_path / "long.nii.gz")
        assert isinstance(nib.load(tmp_path / "long.nii.gz"), nib.Nifti2Image)
        assert_holds(tmp_path / "long.nii.gz", image)


# --- images of others ---------------------------------------------------------------------


def on_disk(folder, image):
    nib.save(image, folder / "source.nii.gz")
    return nib.load(folder / "source.nii.gz")


def scaled(folder):
    image = nib.Nifti1Image(np.arange(60, dtype=np.uint8).reshape(3, 4, 5), AFFINE)
    image.header.set_slope_inter(0.01, -3)
    return on_disk(folder, image)


VALUES = np.random.default_rng(0).normal(size=(3, 4, 5))
OTHERS = {
    "plain": lambda folder: nib.Nifti1Image(VALUES, AFFINE),
    "scaled on disk": scaled,
    "big-endian array": lambda folder: nib.Nifti1Image(VALUES.astype(">f4"), AFFINE),
    "big-endian on disk": lambda folder: on_disk(
        folder, nib.Nifti1Image(VALUES, AFFINE, nib.Nifti1Header(endianness=">"))
    ),
    "strided": lambda folder: nib.Nifti1Image(VALUES[::-1, ::2], AFFINE),
    "C order": lambda folder: nib.Nifti1Image(np.ascontiguousarray(VALUES), AFFINE),
    "series": lambda folder: nib.Nifti1Image(VALUES[..., np.newaxis] * [1, 2], AFFINE),
    "one volume in 4D": lambda folder: nib.Nifti1Image(VALUES[..., np.newaxis], AFFINE),
    "NIfTI-2": lambda folder: nib.Nifti2Image(VALUES, AFFINE),
    "pair": lambda folder: nib.Nifti1Pair(VALUES, AFFINE),
    "MGH": lambda folder: nib.MGHImage(VALUES.astype(np.float32), AFFINE),
    "Analyze": lambda folder: nib.Spm2AnalyzeImage(VALUES.astype(np.float32), AFFINE),
    "drop-in": lambda folder: rc.signals_to_img_labels(
        np.array([np.nan, 1e30]), nib.Nifti1Image(np.arange(3, dtype="u1")[:, None, None], AFFINE)
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_any_volume_is_saved_as_its_values(tmp_path, kind, suffix):
    image = OTHERS[kind](tmp_path)
    values = np.asarray(image.dataobj)
    rc.save(image, tmp_path / f"map{suffix}")
    saved = np.asarray(nib.load(tmp_path / f"map{suffix}").dataobj)
    assert saved.dtype.newbyteorder("=") == values.dtype.newbyteorder("=")
    np.testing.assert_array_equal(saved, values)
    np.testing.assert_allclose(nib.load(tmp_path / f"map{suffix}").affine, AFFINE, atol=1e-5)


def test_a_header_for_integers_does_not_round_floats(tmp_path):
    image = nib.Nifti1Image(VALUES, AFFINE)
    image.set_data_dtype(np.int16)
    rc.save(image, tmp_path / "map.nii")
    np.testing.assert_array_equal(nib.load(tmp_path / "map.nii").get_fdata(), VALUES)


@pytest.mark.parametrize("name", ["map.nii", "map.nii.gz"])
def test_a_file_may_be_saved_over_itself(tmp_path, image, name):
    rc.save(image, tmp_path / name)
    rc.save(nib.load(tmp_path / name), tmp_path / name, overwrite=True)
    assert_holds(tmp_path / name, image)


# --- the same bytes -----------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_saving_twice_gives_the_same_bytes_whatever_name_and_time(tmp_path, monkeypatch, suffix):
    image = painted("f4")
    first = rc.save(image, tmp_path / f"a{suffix}").read_bytes()
    monkeypatch.setattr(time, "time", lambda: 2e9)
    assert rc.save(image, tmp_path / f"another{suffix}").read_bytes() == first
    assert rc.save(painted("f4"), tmp_path / f"a{suffix}", overwrite=True).read_bytes() == first


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("block_bytes", [1, 2000, 5000])
def test_the_size_of_blocks_does_not_matter(tmp_path, monkeypatch, suffix, block_bytes):
    image = painted("f8", n_maps=7)
    whole = rc.save(image, tmp_path / f"whole{suffix}")
    small_blocks(monkeypatch, block_bytes)
    parts = rc.save(image, tmp_path / f"parts{suffix}")
    opened = gzip.decompress if suffix.endswith("gz") else bytes
    assert opened(whole.read_bytes()) == opened(parts.read_bytes())


def test_progress_is_told_up_to_the_last_map(tmp_path, monkeypatch):
    small_blocks(monkeypatch, 3000)
    told = []
    rc.save(painted(n_maps=7), tmp_path / "map.nii", progress=lambda *done: told.append(done))
    assert told == sorted(set(told))
    assert told[-1] == (7, 7)
    assert len(told) > 2


# --- names --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["sub-01.run.1.nii.gz", "MAP.NII.GZ", "a b'ü[1]*.nii", "Map.Mgz", "x" * 248 + ".nii.gz"],
)
def test_any_name_with_a_known_suffix_will_do(tmp_path, name):
    image = painted("f4")
    assert rc.save(image, str(tmp_path / name)) == tmp_path / name
    assert list(listing(tmp_path)) == [name]
    content = (tmp_path / name).read_bytes()
    assert (content[:2] == b"\x1f\x8b") == name.lower().endswith(("gz",))
    plain = tmp_path / name.lower()[-20:]
    plain.write_bytes(content)
    assert_holds(plain, image)


def test_the_file_may_be_read_by_whom_the_umask_allows(tmp_path, image):
    path = rc.save(image, tmp_path / "map.nii.gz")
    (tmp_path / "other").write_bytes(b"")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
@pytest.mark.parametrize("name", ["map.nii.gz", "signals.tsv"])
def test_a_file_that_is_replaced_keeps_who_may_read_it(tmp_path, image, mode, name):
    path = tmp_path / name
    path.write_bytes(b"private")
    path.chmod(mode)
    rc.save(image if "nii" in name else image.match.signals, path, overwrite=True)
    assert path.read_bytes() != b"private"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("save", WAYS)
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_link_goes_on_pointing_where_it_did(tmp_path, save, suffix):
    image = painted("f4")
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / f"target{suffix}", tmp_path / f"link{suffix}"
    target.write_bytes(b"old")
    link.symlink_to(target)
    save(image, link)
    assert link.is_symlink()
    assert not target.is_symlink()
    assert_holds(target, image)
    assert [file.name for file in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_link_to_nothing_is_replaced_only_when_asked(tmp_path, suffix):
    image = painted("f4")
    target, link = tmp_path / f"target{suffix}", tmp_path / f"link{suffix}"
    link.symlink_to(target)
    with pytest.raises(OutputExistsError, match="The output exists"):
        rc.save(image, link)
    assert link.is_symlink()
    assert not target.exists()
    rc.save(image, link, overwrite=True)
    assert link.is_symlink()
    assert_holds(target, image)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_what_came_there_meanwhile_is_not_replaced(tmp_path, image, suffix):
    path = tmp_path / f"map{suffix}"
    with pytest.raises(OutputExistsError, match="has come to exist meanwhile"):
        rc.save(image, path, progress=lambda *_: path.write_bytes(b"of another"))
    assert listing(tmp_path) == {path.name: b"of another"}
    rc.save(image, path, overwrite=True, progress=lambda *_: path.write_bytes(b"of a third"))
    assert_holds(path, image)


def test_where_there_are_no_hard_links_files_are_renamed(tmp_path, image, monkeypatch):
    def no_links(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    assert_holds(rc.save(image, tmp_path / "map.nii"), image)
    with pytest.raises(OutputExistsError):
        rc.save(image, tmp_path / "map.nii")
    assert list(listing(tmp_path)) == ["map.nii"]


@pytest.mark.parametrize("name", ["~foo.nii.gz", "~foo.nii"])
def test_a_name_that_begins_like_a_home_is_a_name(tmp_path, monkeypatch, image, name):
    monkeypatch.chdir(tmp_path)
    rc.save(image, name)
    assert_holds(tmp_path / name, image)
    labels = nib.Nifti1Image(labels_of("i2"), AFFINE)
    nib.save(labels, tmp_path / f"~labels{name}")
    assert len(rc.load_parcellation(f"~labels{name}")) == N_REGIONS


def test_the_home_folder_is_found_by_every_way(tmp_path, monkeypatch, image):
    monkeypatch.setenv("HOME", str(tmp_path))
    for save in (with_to_filename, with_save):
        save(image, "~/map.nii.gz")
        assert_holds(tmp_path / "map.nii.gz", image)
        (tmp_path / "map.nii.gz").unlink()


@pytest.mark.parametrize("thing", ["text", None, np.ones((2, 2, 2)), [1.0]])
def test_what_is_neither_image_nor_signals_is_not_saved(tmp_path, thing):
    for name in ("map.nii", "map.tsv"):
        with pytest.raises(ImageTypeError, match=f"this is {type(thing).__name__}"):
            rc.save(thing, tmp_path / name)
    assert not listing(tmp_path)


@pytest.mark.parametrize("name", ["a" * 300 + ".nii", "zero\0byte.nii"])
def test_names_that_no_file_can_have(tmp_path, image, name):
    with pytest.raises(OutputError, match="cannot be written"):
        rc.save(image, tmp_path / name)
    with pytest.raises(InputMissingError):
        rc.load_parcellation(tmp_path / name)


@pytest.mark.parametrize("name", ["map", "map.gz", "map.nii.bz2", "map.img", "map.png", ".nii"])
def test_an_unknown_suffix_is_refused(tmp_path, image, name):
    with pytest.raises(FileFormatError, match=r"as \.nii\.gz, \.nii, \.mgz, \.mgh") as caught:
        rc.save(image, tmp_path / name)
    assert repr(name) in str(caught.value)
    assert not listing(tmp_path)


# --- whole or not at all ------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_existing_file_is_replaced_only_when_asked(tmp_path, suffix):
    path = tmp_path / f"map{suffix}"
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError, match=r"The output exists: .*overwrite=True") as caught:
        rc.save(painted("f4"), path)
    assert isinstance(caught.value, FileExistsError)
    assert listing(tmp_path) == {path.name: b"precious"}
    rc.save(painted("f4"), path, overwrite=True)
    assert_holds(path, painted("f4"))
    assert list(listing(tmp_path)) == [path.name]


FAILURES = [OSError(errno.ENOSPC, "No space"), KeyboardInterrupt(), MemoryError(), ValueError()]


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("old", [None, b"precious"])
def test_when_writing_fails_the_old_file_stays_and_nothing_else(
    tmp_path, monkeypatch, failure, suffix, old
):
    path = tmp_path / f"map{suffix}"
    if old is not None:
        path.write_bytes(old)
    before = listing(tmp_path)
    small_blocks(monkeypatch, 2000)
    states = []

    def fail(done, total):
        states.append(len(listing(tmp_path)))
        if done >= 2:
            raise failure

    expected = OutputError if isinstance(failure, OSError) else type(failure)
    with pytest.raises(expected):
        rc.save(painted(n_maps=5), path, overwrite=True, progress=fail)
    assert states[-1] == len(before) + 1  # a temporary file was there
    assert listing(tmp_path) == before


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
def test_when_nibabels_writer_fails_the_old_file_stays(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"map{suffix}"
    path.write_bytes(b"precious")

    def fail(self, name, **kwargs):
        with open(name, "wb") as file:  # noqa: PTH123 - as nibabel does
            file.write(b"half")
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(nib.MGHImage, "to_filename", fail)
    with pytest.raises(OutputError, match=r"Writing .*map.* failed: Input/output error"):
        rc.save(painted("f4"), path, overwrite=True)
    assert listing(tmp_path) == {path.name: b"precious"}


SCRIPT = """
import os, resource, signal, sys
import nibabel as nib, numpy as np
import regioncast as rc

rng = np.random.default_rng(0)
labels = rng.integers(0, 5000, (30, 29, 31)).astype(np.int32)
n_regions = len(np.unique(labels)) - 1
image = rc.paint(rng.normal(size=(3, n_regions)).astype(np.float32), nib.Nifti1Image(labels, None))
path = sys.argv[1]
"""


def run(script, *arguments, **options):
    """Run Python code in a process of its own, after the lines that make an image."""
    code = textwrap.dedent(SCRIPT) + textwrap.dedent(script)
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_on_a_full_disk_the_old_file_stays_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"map{suffix}"
    path.write_bytes(b"precious")
    done = run(
        """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that writing fails as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        try:
            rc.save(image, path, overwrite=True)
        except OSError as error:
            print(type(error).__name__, error)
        """,
        path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"OutputError Writing {path} failed: File too large"), done
    assert "Nothing was changed" in done.stdout
    assert listing(tmp_path) == {path.name: b"precious"}


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_when_the_process_is_killed_the_old_file_stays(tmp_path, suffix):
    path = tmp_path / f"map{suffix}"
    path.write_bytes(b"precious")
    done = run(
        """
        from regioncast.io.volume import nifti, painted_gzip
        nifti._BLOCK_BYTES = painted_gzip._BLOCK_BYTES = 1
        rc.save(image, path, overwrite=True,
                progress=lambda *done: os.kill(os.getpid(), signal.SIGKILL))
        """,
        path,
    )
    assert done.returncode == -9, done.stderr
    assert path.read_bytes() == b"precious"
    others = [name for name in listing(tmp_path) if name != path.name]
    assert all(name.startswith(".") for name in others)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_when_the_command_is_ended_nothing_is_left(tmp_path, number):
    path = tmp_path / "map.nii.gz"
    nib.save(nib.Nifti1Image(labels_of("i2"), AFFINE), tmp_path / "atlas.nii")
    np.save(tmp_path / "values.npy", np.ones((50, N_REGIONS)))
    before = listing(tmp_path)
    done = run(
        f"""
        from regioncast import api, cli
        from regioncast.io.volume import nifti, painted_gzip
        nifti._BLOCK_BYTES = painted_gzip._BLOCK_BYTES = 1
        save = api.save
        def ended(*arguments, progress=None, **options):
            def end(*_):
                os.kill(os.getpid(), {int(number)})
            return save(*arguments, progress=end, **options)
        api.save = ended
        folder = os.path.dirname(path)
        sys.exit(cli.main(["paint", folder + "/values.npy", folder + "/atlas.nii", "-o", path]))
        """,
        path,
    )
    assert done.returncode == 128 + number, done
    assert listing(tmp_path) == before
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_is_no_output(tmp_path, suffix):
    (tmp_path / f"map{suffix}").mkdir()
    with pytest.raises(OutputError, match=r"The output is a folder: .*map.*Name a file in it"):
        rc.save(painted("f4"), tmp_path / f"map{suffix}", overwrite=True)
    assert not listing(tmp_path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_folder_is_named(tmp_path, suffix):
    with pytest.raises(OutputError, match=r"folder of the output does not exist: .*nowhere"):
        rc.save(painted("f4"), tmp_path / "nowhere" / f"map{suffix}")
    assert not list(tmp_path.iterdir())


def test_a_file_is_no_folder(tmp_path, image):
    (tmp_path / "file").write_bytes(b"precious")
    with pytest.raises(OutputError):
        rc.save(image, tmp_path / "file" / "map.nii")
    assert listing(tmp_path) == {"file": b"precious"}


# Someone with no rights: "nobody" on Linux, when the tests run as root.
DROP_RIGHTS = """
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


@pytest.fixture
def folder_of_rights():
    """Make a folder, with these rights for everybody, that one without rights can reach."""
    with tempfile.TemporaryDirectory() as parent:
        # pytest's own temporary folders are for nobody else.
        Path(parent).chmod(0o755)
        folder = Path(parent) / "folder"
        folder.mkdir()

        def make(mode):
            folder.chmod(mode)
            return folder

        yield make
        folder.chmod(0o777)


def test_an_unwritable_folder_is_named(folder_of_rights):
    folder = folder_of_rights(0o555)
    done = run(
        DROP_RIGHTS
        + textwrap.dedent(
            """
            try:
                rc.save(image, path)
            except PermissionError as error:
                print("bare", error)
            except OSError as error:
                print(type(error).__name__, error)
            """
        ),
        folder / "map.nii.gz",
    )
    said = f"The folder of the output is not writable: {folder}. Choose another folder."
    assert done.stdout == f"OutputError {said}\n", done


def test_a_folder_that_may_be_written_to_need_not_be_readable(folder_of_rights):
    folder = folder_of_rights(0o333)
    done = run(DROP_RIGHTS + "print(rc.save(image, path))", folder / "map.nii.gz")
    assert done.returncode == 0, done.stderr
    folder.chmod(0o777)
    assert list(listing(folder)) == ["map.nii.gz"]


def test_an_input_that_may_not_be_read_is_said_so(folder_of_rights, image):
    folder = folder_of_rights(0o755)
    locked = rc.save(image, folder / "locked.nii.gz")
    locked.chmod(0o000)
    done = run(
        DROP_RIGHTS
        + textwrap.dedent(
            """
            try:
                rc.signals_to_img_labels([1.0], path)
            except rc.RegioncastError as error:
                print(error)
            """
        ),
        locked,
    )
    assert done.returncode == 0, done.stderr
    assert str(locked) in done.stdout
    assert "ermission denied" in done.stdout or "not readable" in done.stdout
    assert "damaged" not in done.stdout


# --- other programs -----------------------------------------------------------------------


@pytest.fixture(params=["f4", "f8", "i2", "u1"])
def saved(request, tmp_path):
    """A painting of ordinary values, and the file that it was saved to."""
    labels = labels_of("i2")
    values = np.arange(2 * N_REGIONS).reshape(2, N_REGIONS).astype(request.param)
    image = rc.paint(values, nib.Nifti1Image(labels, AFFINE))
    return image, rc.save(image, tmp_path / "map.nii.gz")


def call(*command):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_gzip_finds_the_file_sound(saved):
    if shutil.which("gzip") is None:
        pytest.skip("gzip is absent")
    call("gzip", "-t", saved[1])


def test_pigz_finds_the_file_sound(saved, program):
    call(program("pigz"), "-t", saved[1])


def test_the_nifti_reference_tool_finds_the_header_sound(saved, program):
    checked = call(program("nifti_tool"), "-check_hdr", "-check_nim", "-infiles", saved[1])
    assert "BAD" not in checked.upper()


def test_mrtrix_reads_the_grid(saved, program):
    image, path = saved
    assert call(program("mrinfo"), "-size", path).split() == [str(n) for n in image.shape]


def test_workbench_reads_the_file(saved, program):
    information = call(program("wb_command"), "-file-information", saved[1])
    assert "Number of Maps" in information
    assert "Volume" in information


def test_itk_reads_the_same_values(saved):
    itk = pytest.importorskip("SimpleITK")
    image, path = saved
    read = itk.GetArrayFromImage(itk.ReadImage(str(path)))
    np.testing.assert_array_equal(read.T, np.asarray(image.dataobj))
