"""What is fuzzed: files that the code itself makes, and what is done with one of them changed.

Whatever stands in a file, what is done with it ends in a `RegioncastError` or in a result; labels
that are read are those that nibabel reads; and no small file takes much memory.
"""

from __future__ import annotations

import functools
import io
import logging
import resource
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.cifti2.cifti2_axes import (
    BrainModelAxis,
    LabelAxis,
    ParcelsAxis,
    ScalarAxis,
    SeriesAxis,
)
from nibabel.freesurfer.io import write_annot, write_morph_data

import regioncast as rc
from regioncast.errors import RegioncastError

SHAPE = (5, 4, 6)
AFFINE = np.array([[-2, 0.3, 0, 8], [0.3, 0, -1.5, 4], [0, 3, 0.1, -9], [0, 0, 0, 1.0]])
LABELS = [3, 20, 1007]
NAMES = ["V1", "V2", "MT"]
VALUES = [0.5, -1.5, 2.25]
N_VERTICES = 700

MOST_BYTES = 100_000_000
"""What a file may take until it is read or refused."""

# Labels that are close to an integer are that integer.
_TOLERANCE = 1e-3

# What Linux counts peaks of memory in; macOS counts in bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Target:
    """Files of one sort, and what is done with a file.

    Parameters
    ----------
    seeds : callable
        Returns the contents of good files.
    use : callable
        Does what people do with a file of such contents in a folder; returns how many results that
        had, rather than errors that are meant.
    """

    seeds: Callable[[], list[bytes]]
    use: Callable[[bytes, Path], int]

    def check(self, content: bytes, folder: Path) -> int:
        """Raise what is a finding: an error that is not meant, a wrong result, much memory.

        Returns the number of results.
        """
        before = _peak()
        logging.disable(logging.CRITICAL)  # nibabel remarks on every header that it mends
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                n_results = self.use(content, folder)
        finally:
            logging.disable(logging.NOTSET)
        taken = _peak() - before
        assert taken < MOST_BYTES, f"{len(content):,} bytes took {taken:,} bytes of memory"
        return n_results


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT


def _is_done(verb: Callable[..., object], *arguments: Any, **options: Any) -> bool:
    """Do something; return whether it had a result, rather than an error that is meant."""
    try:
        verb(*arguments, **options)
    except RegioncastError:
        return False
    return True


@functools.cache
def _atlas() -> rc.Parcellation:
    table = rc.RegionTable(LABELS, NAMES)
    return rc.load_parcellation(nib.Nifti1Image(_labels(np.int16), AFFINE), table)


def _labels(dtype: Any, shape: tuple[int, ...] = SHAPE) -> Any:
    return np.resize(np.array([0, *LABELS], dtype), shape)


def _as_labels(path: Path, **options: Any) -> rc.Parcellation | None:
    """Read labels, paint on them, and look at them; return them unless they are refused."""
    try:
        atlas = rc.load_parcellation(path, **options)
        image = rc.paint(np.arange(1.0, len(atlas) + 1), atlas)
    except RegioncastError:
        return None
    assert np.asarray(image.dataobj).size >= atlas.codes.size
    assert repr(atlas)
    assert len(atlas.table.to_records()) == len(atlas)
    return atlas


def _as_data(path: Path, atlas: rc.Parcellation) -> int:
    """Extract from a file, and use it as mask and weights, as far as it is one of these."""
    return sum([
        _is_done(rc.extract, path, atlas),
        _is_done(rc.extract, path, atlas, weights=path),
        _is_done(rc.paint, np.arange(len(atlas)), atlas, mask=path),
        _is_done(rc.paint, np.arange(len(atlas)), atlas, onto=path),
    ])  # fmt: skip


def _check_labels(atlas: rc.Parcellation, data: Any) -> None:
    """Check that labels are those of an array; where that has none, it is background."""
    expected = np.asarray(data, np.float64).reshape(atlas.codes.shape)
    labels = np.array([0, *atlas.table.labels.tolist()], np.float64)[atlas.codes]
    of_region = atlas.codes > 0
    assert np.all(np.abs(labels - expected)[of_region] <= _TOLERANCE), "other labels than nibabel"
    rest = expected[~of_region]
    is_none = ~np.isfinite(rest) | (np.abs(rest) <= _TOLERANCE)
    assert np.all(is_none), "labels that nibabel has are no region"


# --- volumes ---------------------------------------------------------------------------------


def _file(suffix: str, write: Callable[[str], object]) -> bytes:
    """Return what is in a file that is written by its name."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"lh.seed{suffix}")
        write(str(path))
        return path.read_bytes()


def _nifti_seeds() -> list[bytes]:
    series = np.arange(2.0 * np.prod(SHAPE), dtype=np.float32).reshape((*SHAPE, 2))
    scaled = nib.Nifti1Image(_labels(np.int16), AFFINE)
    scaled.header.set_slope_inter(2, -3)
    timed = nib.Nifti1Image(series, AFFINE)
    timed.header.set_xyzt_units("mm", "sec")
    images = [
        nib.Nifti1Image(_labels(np.int32), AFFINE),
        nib.Nifti2Image(_labels(np.uint16), AFFINE),
        nib.Nifti1Image(_labels(np.float64), AFFINE),
        scaled,
        timed,
    ]
    return [image.to_bytes() for image in images]


def _use_nifti(content: bytes, folder: Path) -> int:
    path = _written(content, folder, "x.nii")
    atlas = _as_labels(path, regions="none")
    if atlas is not None:
        _check_labels(atlas, np.asarray(nib.load(path).dataobj))
    is_resampled = _is_done(rc.extract, path, _atlas(), resample="labels")
    return (atlas is not None) + is_resampled + _as_data(path, _atlas())


def _mgh_seeds() -> list[bytes]:
    volume = nib.MGHImage(_labels(np.int32), AFFINE)
    vertices = nib.MGHImage(_labels(np.float32, (N_VERTICES, 1, 1)), np.eye(4))
    series = nib.MGHImage(np.ones((*SHAPE, 3), np.float32), AFFINE)
    return [image.to_bytes() for image in (volume, vertices, series)]


def _use_mgh(content: bytes, folder: Path) -> int:
    path = _written(content, folder, "lh.x.mgh")
    atlas = _as_labels(path, regions="none")
    if atlas is not None:
        _check_labels(atlas, np.asarray(nib.MGHImage.from_bytes(content).dataobj))
    return (atlas is not None) + _as_data(path, _atlas())


def _written(content: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


# --- surfaces --------------------------------------------------------------------------------


def _gifti_seeds() -> list[bytes]:
    table = nib.gifti.GiftiLabelTable()
    for key, name in zip([0, *LABELS], ["???", *NAMES], strict=True):
        label = nib.gifti.GiftiLabel(key, 0.5, 0.25, 1, 1)
        label.label = name
        table.labels.append(label)
    contents = []
    for encoding in ("ASCII", "B64BIN", "B64GZ"):
        for values, intent in (
            (_labels(np.int32, (30,)), "label"),
            (np.arange(30, dtype=np.float32), "shape"),
        ):
            array = nib.gifti.GiftiDataArray(values, f"NIFTI_INTENT_{intent.upper()}")
            array.encoding = nib.gifti.util.gifti_encoding_codes.code[encoding]
            contents.append(nib.GiftiImage(darrays=[array], labeltable=table).to_bytes())
    return contents


def _use_gifti(content: bytes, folder: Path) -> int:
    atlas = _as_labels(_written(content, folder, "lh.x.label.gii"))
    if atlas is None:
        return 0
    arrays = nib.GiftiImage.from_bytes(content).darrays
    if len(arrays) == 1:
        # Names say which labels are no region, so nothing is said of the others.
        _check_labels(atlas, np.where(atlas.codes > 0, np.ravel(arrays[0].data), 0))
    return 1 + _as_data(_written(content, folder, "lh.x.func.gii"), atlas)


def _annotation_seeds() -> list[bytes]:
    colors = np.array([[25, 5, 25, 0, 0], [100, 25, 0, 0, 0], [10, 20, 30, 0, 0]])
    labels = np.resize([0, 1, 2], 40)
    names = ["unknown", "V1", "V2"]
    return [_file(".annot", lambda path: write_annot(path, labels, colors, names))]


def _use_annotation(content: bytes, folder: Path) -> int:
    return _as_labels(_written(content, folder, "lh.x.annot")) is not None


def _morphometry_seeds() -> list[bytes]:
    values = np.arange(40, dtype=np.float32)
    # The old form: counts of vertices and faces in three bytes, hundredths in two.
    old = b"\0\0\x28\0\0\x4c" + (100 * values).astype(">i2").tobytes()
    return [_file(".thickness", lambda path: write_morph_data(path, values)), old]


def _use_morphometry(content: bytes, folder: Path) -> int:
    path = _written(content, folder, "lh.x.thickness")
    return _as_data(path, rc.load_parcellation({"left": _labels(np.int16, (40,))}))


# --- CIFTI -----------------------------------------------------------------------------------


@functools.cache
def _cifti_seeds() -> list[bytes]:
    mask = np.ones((2, 2, 3), bool)
    voxels = BrainModelAxis.from_mask(mask, affine=AFFINE, name="thalamus_left")
    brain = BrainModelAxis.from_surface(np.arange(0, 20, 2), 30, "cortex_left") + voxels
    keys = {0: ("???", (0, 0, 0, 0)), 1: ("V1", (1, 0, 0, 1)), 2: ("V2", (0, 1, 0, 1))}
    parcels = ParcelsAxis.from_brain_models([("V1", brain[:6]), ("V2", brain[6:])])
    n = len(brain)
    series = np.arange(2 * n, dtype=np.float32).reshape(2, n)
    images = [
        nib.Cifti2Image(_labels(np.float32, (1, n)) % 3, (LabelAxis(["a"], [keys]), brain)),
        nib.Cifti2Image(series, (SeriesAxis(0, 0.72, 2), brain)),
        nib.Cifti2Image(series[:, :2], (ScalarAxis(["a", "b"]), parcels)),
    ]
    return [_file(".nii", image.to_filename) for image in images]


def _use_cifti(content: bytes, folder: Path) -> int:
    """Use a file as what its description says that it is."""
    kinds = {b"_PARCELS": ".pscalar.nii", b"_LABELS": ".dlabel.nii", b"_SERIES": ".dtseries.nii"}
    suffix = next((kinds[word] for word in kinds if word in content), ".dscalar.nii")
    path = _written(content, folder, f"x{suffix}")
    is_read = _as_labels(path) is not None
    is_painted = _is_done(rc.paint, path, _brain_atlas())
    return is_read + is_painted + _as_data(path, _brain_atlas())


@functools.cache
def _brain_atlas() -> rc.Parcellation:
    with tempfile.TemporaryDirectory() as folder:
        return rc.load_parcellation(_written(_cifti_seeds()[0], Path(folder), "x.dlabel.nii"))


def _description_seeds() -> list[bytes]:
    """Return the descriptions of axes, without the files around them."""
    return [content[_DESCRIPTION : _end(content)].rstrip(b"\0") for content in _cifti_seeds()]


def _use_description(content: bytes, folder: Path) -> int:
    """Put a description of axes into the files that have such."""
    padded, n_results = content + bytes(-(len(content) + 8) % 16), 0
    for seed in _cifti_seeds():
        head = bytearray(seed[:_DESCRIPTION])
        head[168:176] = (_DESCRIPTION + len(padded)).to_bytes(8, "little")
        head[544:548] = (len(padded) + 8).to_bytes(4, "little")
        n_results += _use_cifti(bytes(head) + padded + seed[_end(seed) :], folder)
    return n_results


# Behind the header, the four bytes of whether there are extensions, the length and the code.
_DESCRIPTION = 552


def _end(content: bytes) -> int:
    return int.from_bytes(content[168:176], "little")


# --- tables and arrays -----------------------------------------------------------------------


def _table_seeds() -> list[bytes]:
    pairs = list(zip(LABELS, NAMES, strict=True))
    texts = [
        "name\tz\n" + "".join(f"{name}\t{label / 8}\n" for label, name in pairs),
        "index,name,z,t\n" + "".join(f"{label},{name},1,2.5\n" for label, name in pairs),
        "V1;V2;MT\n1,5;2,5;n/a\n",
        '"name","z"\r\n' + "".join(f'"{name}","{label}"\r\n' for label, name in pairs),
        "".join(f"{label}   {name}   10 20 30 0\n" for label, name in pairs),
        "".join(f'{label} 10 20 30 1 1 1 "{name}"\n' for label, name in pairs),
        "".join(f"{name}\n{label} 10 20 30 255\n" for label, name in pairs),
        "".join(f"{label}: {name}\n" for label, name in pairs),
        "0.5 1.5 2.5\n4.5 5.5 6.5\n# a comment\n",
        '<?xml version="1.0"?><atlas><data>'
        + "".join(
            f'<label index="{label}" x="1" y="2" z="3">{name}</label>' for label, name in pairs
        )
        + "</data></atlas>",
    ]
    return [text.encode() for text in texts]


def _use_table(content: bytes, folder: Path) -> int:
    n_results = 0
    labels = nib.Nifti1Image(_labels(np.int16), AFFINE)
    for suffix in (".tsv", ".csv", ".txt", ".1D"):
        n_results += _is_done(rc.paint, _written(content, folder, f"v{suffix}"), _atlas())
    for suffix in (".tsv", ".csv", ".txt", ".xml"):
        regions = _written(content, folder, f"r{suffix}")
        n_results += _is_done(rc.load_parcellation, labels, regions)
    for suffix in (".csv", ".txt"):
        n_results += _as_labels(_written(content, folder, f"lh.x{suffix}")) is not None
    return n_results


def _array_seeds() -> list[bytes]:
    arrays = [
        np.array(VALUES),
        np.ones((2, 3), np.int16),
        np.asfortranarray(np.ones((2, 3), ">f4")),
    ]
    contents = []
    for array in arrays:
        file = io.BytesIO()
        np.save(file, array)
        contents.append(file.getvalue())
    return contents


def _use_array(content: bytes, folder: Path) -> int:
    path = _written(content, folder, "lh.x.npy")
    return _is_done(rc.paint, path, _atlas()) + (_as_labels(path) is not None)


TARGETS = {
    "nifti": Target(_nifti_seeds, _use_nifti),
    "mgh": Target(_mgh_seeds, _use_mgh),
    "gifti": Target(_gifti_seeds, _use_gifti),
    "annotation": Target(_annotation_seeds, _use_annotation),
    "morphometry": Target(_morphometry_seeds, _use_morphometry),
    "cifti": Target(_cifti_seeds, _use_cifti),
    "cifti-axes": Target(_description_seeds, _use_description),
    "tables": Target(_table_seeds, _use_table),
    "arrays": Target(_array_seeds, _use_array),
}
"""All targets, by the names that ``python -m fuzz`` takes."""
