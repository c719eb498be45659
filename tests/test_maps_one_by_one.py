"""Maps to a file each, compressed by tokens that are found once for all of them."""

from __future__ import annotations

import gzip
import zlib

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from small_volumes import assert_bits, image_of, small_labels

import regioncast as rc
from regioncast.engine.painting import PaintedArray
from regioncast.errors import OutputError, OutputExistsError
from regioncast.io.volume import painted_gzip

DTYPES = ["i1", "u1", "i2", "i4", "i8", "u8", "f4", "f8", "c8"]


@pytest.fixture(autouse=True)
def tokens_always(monkeypatch):
    """Small as these volumes are, tokens would not pay."""
    monkeypatch.setattr(
        painted_gzip, "_budget_of", lambda _: painted_gzip.Budget(float("inf"), 1, 1)
    )


def paint(values):
    atlas = rc.load_parcellation(image_of(small_labels()))
    return rc.paint(values, atlas)


def save_each(values, folder):
    return rc.save(paint(values), folder / "maps" / "{map}_stat.nii.gz", sidecar=False)


@st.composite
def tables(draw):
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    return draw(npst.arrays(dtype, (draw(st.integers(2, 6)), 4), elements=npst.from_dtype(dtype)))


@given(values=tables())
def test_each_file_has_its_map_exactly(tmp_path_factory, values):
    files = save_each(values, tmp_path_factory.mktemp("maps"))
    assert len(files) == len(values)
    for file, row in zip(files, values, strict=True):
        got, painted = nib.load(file), paint(row)
        assert_bits(np.asarray(got.dataobj), np.asarray(painted.dataobj))
        assert np.allclose(got.affine, painted.affine)
        member = zlib.decompressobj(31)  # which checks the checksum and the length
        assert member.decompress(file.read_bytes()) == gzip.decompress(file.read_bytes())
        assert member.eof
        assert not member.unused_data


def test_tokens_are_found_once(tmp_path, monkeypatch):
    found = []
    parse = painted_gzip.parse
    monkeypatch.setattr(painted_gzip, "parse", lambda *given: found.append(1) or parse(*given))
    save_each(np.random.default_rng(0).standard_normal((7, 4)), tmp_path)
    assert len(found) == 1
    assert not painted_gzip._OF_ALL  # nor kept when all are written


def test_bytes_are_the_same_again_and_on_any_number_of_processors(tmp_path, monkeypatch):
    values = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)
    contents = []
    for n_cpus in (1, 2, 7):
        monkeypatch.setattr(painted_gzip, "n_cpus", lambda n=n_cpus: n)
        contents.append([file.read_bytes() for file in save_each(values, tmp_path / str(n_cpus))])
    assert contents[0] == contents[1] == contents[2]


def test_where_tokens_do_not_pay_each_file_is_that_of_its_map_alone(tmp_path, monkeypatch):
    monkeypatch.undo()
    values = np.random.default_rng(1).standard_normal((3, 4))
    for file, row in zip(save_each(values, tmp_path), values, strict=True):
        alone = rc.save(paint(row), tmp_path / "alone.nii.gz", overwrite=True, sidecar=False)
        assert file.read_bytes() == alone.read_bytes()


def test_maps_of_another_dtype_than_painted_are_written_in_that(tmp_path):
    image = paint(np.array([[1.0, 2, 3, 4], [5, 6, 7, 8]]))
    image.set_data_dtype(np.int16)
    files = rc.save(image, tmp_path / "{map}.nii.gz", sidecar=False)
    for number, file in enumerate(files):
        got = np.asarray(nib.load(file).dataobj)
        assert np.array_equal(got, np.asarray(image.dataobj)[..., number])


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_an_existing_file_is_asked_for_before_any_is_written(tmp_path, suffix):
    (tmp_path / f"map_2{suffix}").write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        rc.save(paint(np.ones((4, 4))), tmp_path / f"{{map}}{suffix}")
    assert [file.name for file in tmp_path.iterdir()] == [f"map_2{suffix}"]


def test_what_fails_midway_leaves_whole_files_and_nothing_else(tmp_path, monkeypatch):
    values = np.random.default_rng(2).standard_normal((4, 4))
    part = painted_gzip.OneMap.part

    def full(self, index, buffer):
        if self._row == 2:
            raise OSError(28, "No space left on device")
        return part(self, index, buffer)

    monkeypatch.setattr(painted_gzip.OneMap, "part", full)
    with pytest.raises(OutputError, match="No space left"):
        save_each(values, tmp_path)
    written = sorted(path.name for path in (tmp_path / "maps").iterdir())
    assert written == ["map_0_stat.nii.gz", "map_1_stat.nii.gz"]
    for name, row in zip(written, values, strict=False):
        got = np.asarray(nib.load(tmp_path / "maps" / name).dataobj)
        assert_bits(got, np.asarray(paint(row).dataobj))


def test_an_array_by_itself_is_one_of_none():
    array = PaintedArray(small_labels().astype(np.uint8), np.zeros((1, 256)), single=True)
    assert array.one_of is None
