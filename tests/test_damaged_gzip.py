"""Compressed images that are damaged raise; what the README says that others make of them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from unittest import mock

import nibabel as nib
import numpy as np
import pytest
from isal import igzip
from small_volumes import image_of

import regioncast as rc
from regioncast.errors import FileFormatError

SHAPE = (64, 60, 36, 60)  # so large that indexed_gzip does not meet the end when it opens a file


@pytest.fixture(scope="module")
def content():
    data = np.random.default_rng(0).normal(1000, 50, SHAPE).astype(np.int16)
    return igzip.compress(image_of(data).to_bytes(), 1)


@pytest.fixture(scope="module")
def atlas():
    labels = np.zeros(SHAPE[:3], np.int16)
    labels[2:20, 3:9], labels[30:40, 10:50, 7:] = 4, 9
    return rc.load_parcellation(image_of(labels))


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 16]) + content[place + 1 :]


def damaged(content, what):
    if what == "end":
        return content[: -len(content) // 9]
    if what == "trailer":
        return content[:-8]
    if what == "checksum":
        return flipped(content, len(content) - 8)
    if what == "length":
        return flipped(content, len(content) - 4)
    return flipped(content, int(what * len(content)))


@pytest.mark.parametrize("what", ["end", "trailer", "checksum", "length", 0.1, 0.35, 0.6, 0.85])
def test_what_is_damaged_raises(tmp_path, content, atlas, what):
    path = tmp_path / "x.nii.gz"
    path.write_bytes(damaged(content, what))
    with pytest.raises(FileFormatError, match=r"truncated or damaged: .*\. Get the file again\."):
        rc.extract(path, atlas)
    with pytest.raises(FileFormatError, match=r"truncated or damaged: "):
        rc.extract(path, {"A": atlas, "B": atlas}, strategy=["mean", "median"])


@pytest.mark.parametrize("is_indexed", [True, False])
def test_nibabel_reads_wrong_checksums_and_flipped_bits(tmp_path, content, is_indexed):
    pytest.importorskip("indexed_gzip")
    plainly = mock.patch("nibabel._compression.HAVE_INDEXED_GZIP", new=False)
    sound = voxels_of(tmp_path / "sound.nii.gz", content)
    n_other = 0
    with contextlib.nullcontext() if is_indexed else plainly:
        checksum = voxels_of(tmp_path / "checksum.nii.gz", damaged(content, "checksum"))
        assert np.array_equal(checksum, sound)
        for place in np.linspace(0.1, 0.9, 5):
            # A few bits change how many bytes there are, which it notices.
            with contextlib.suppress(OSError, EOFError):
                read = voxels_of(tmp_path / "flipped.nii.gz", damaged(content, place))
                n_other += not np.array_equal(read, sound)
    assert n_other >= 3


def voxels_of(path: Path, content: bytes):
    path.write_bytes(content)
    return np.asarray(nib.load(path).dataobj)
