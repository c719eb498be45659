"""A file may say that it holds anything: what it does not hold takes no memory and no time."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import itertools
import json
import re
import subprocess
import sys
import zlib

import nibabel as nib
import numpy as np
import pytest
from nibabel.cifti2.cifti2_axes import (
    BrainModelAxis,
    LabelAxis,
    ParcelsAxis,
    ScalarAxis,
    SeriesAxis,
)
from nibabel.freesurfer.mghformat import MGHHeader
from nibabel.nifti1 import Nifti1PairHeader

import regioncast as rc
from regioncast.errors import FileFormatError, LabelsError, RegioncastError, SpaceError

SHAPE = (5, 4, 6)
AFFINE = np.diag([2.0, 2, 3, 1])
LABELS = [3, 20, 1007]
HUGE = (1300, 1300, 1300)
ROLES = ["labels", "mask", "weights", "onto", "data", "resampled"]

# Uses each file in each role, after a good file, which imports what is needed; says by how much
# memory grew in all, and what was said.
USE = """
import json, resource, sys
import regioncast as rc
unit = 1 if sys.platform == "darwin" else 1024
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
good, *files = sys.argv[2:]
verbs = {
    "labels": lambda file: rc.load_parcellation(file),
    "mask": lambda file: rc.paint([1.0, 2, 3], good, mask=file),
    "weights": lambda file: rc.extract(good, good, weights=file),
    "onto": lambda file: rc.paint([1.0, 2, 3], good, onto=file),
    "data": lambda file: rc.extract(file, good),
    "resampled": lambda file: rc.extract(file, good, resample="labels"),
}
roles = json.loads(sys.argv[1])
for role in roles:
    verbs[role](good)
before, said = peak(), []
for file in files:
    for role in roles:
        try:
            verbs[role](file)
            said.append("")
        except rc.errors.RegioncastError as error:
            said.append(str(error))
print(json.dumps([peak() - before, said]))
"""


def used(good, files, roles):
    """Return the memory that files took, in bytes, and what was said of each in each role."""
    command = [sys.executable, "-P", "-W", "ignore", "-c", USE, json.dumps(roles), good, *files]
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    n_bytes, said = json.loads(done.stdout)
    return n_bytes, said


def labels_image():
    return nib.Nifti1Image(np.resize(np.int16([0, *LABELS]), SHAPE), AFFINE)


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.nii.gz"
    nib.save(labels_image(), path)
    return path


# --- volumes ---------------------------------------------------------------------------------


def nifti(shape, header_class=nib.Nifti1Header, dtype=np.int16):
    """A header and nothing else."""
    header = header_class()
    header.set_data_dtype(dtype)
    header.set_data_shape(shape)
    header.set_sform(AFFINE, 1)
    out = io.BytesIO()
    header.write_to(out)
    return out.getvalue() + bytes(4)


def mgh(shape, n_bytes=0):
    head = bytearray(MGHHeader().binaryblock)
    head[4:20] = np.array([*shape, 1], ">i4").tobytes()
    return bytes(head).ljust(284, b"\0") + bytes(n_bytes)


def pair(suffix):
    """The header of a pair, beside an image of a few voxels."""

    def write(path):
        pack = gzip.compress if suffix else bytes
        head = nifti(HUGE, Nifti1PairHeader)
        path.with_name(f"x.hdr{suffix}").write_bytes(pack(head))
        path.write_bytes(pack(bytes(1000)))

    return write


UNTRUE = {
    "x.nii": nifti(HUGE),
    "far.nii": nifti((10**6,) * 3, nib.Nifti2Header),
    "x.nii.gz": gzip.compress(nifti(HUGE)),
    "far.nii.gz": gzip.compress(nifti((10**6,) * 3, nib.Nifti2Header)),
    "series.nii.gz": gzip.compress(nifti((*SHAPE, 30_000))),
    "x.nii.bz2": bz2.compress(nifti(HUGE)),
    "x.mgh": mgh(HUGE),
    "x.mgz": gzip.compress(mgh(HUGE)),
    "vertices.mgz": gzip.compress(mgh((10**9, 1, 1))),
    "negative.mgh": mgh((-5, 4, 6), 1000),
    "twice.mgh": mgh((-5, -4, 6), 1000),
    "flipped.mgh": mgh([size << 24 for size in SHAPE], 1000),
    "flipped1.mgh": mgh((5 << 24, 1, 1), 1000),
    "x.img": pair(""),
    "x.img.gz": pair(".gz"),
}


DAMAGED = re.compile("is truncated or damaged: (by its header|its sizes are)")


def untrue(folder, name):
    path, content = folder / name, UNTRUE[name]
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    return path


def test_headers_of_volumes_that_claim_more_than_is_there(tmp_path, good):
    files = [untrue(tmp_path, name) for name in UNTRUE]
    assert all(file.stat().st_size < 3000 for file in files)
    n_bytes, said = used(good, files, ROLES)
    assert n_bytes < 60_000_000
    assert len(said) == len(ROLES) * len(files)
    assert list(itertools.filterfalse(DAMAGED.search, said)) == []


@pytest.mark.parametrize("name", UNTRUE)
def test_what_is_said_of_a_header_that_claims_more(tmp_path, name):
    path = untrue(tmp_path, name)
    with pytest.raises(FileFormatError) as caught:
        rc.load_parcellation(path)
    message = str(caught.value)
    assert str(path) in message
    assert DAMAGED.search(message)
    if "negative" in name or "twice" in name:
        assert "its sizes are -5×" in message
    else:
        assert f"{path.stat().st_size:,} bytes" in message
    assert message.endswith("Get the file again.")
    if name == "x.nii":
        assert "has 1300×1300×1300 numbers of 2 bytes from byte 352 on" in message


def test_an_image_that_is_opened_already_is_checked_too(tmp_path, good):
    image = nib.load(untrue(tmp_path, "x.nii"))
    for verb in (
        lambda: rc.load_parcellation(image),
        lambda: rc.extract(image, good, resample="labels"),
        lambda: rc.paint([1.0, 2, 3], good, mask=image),
    ):
        with pytest.raises(FileFormatError, match="1300×1300×1300 numbers"):
            verb()


def test_a_file_that_shrinks_after_it_was_opened(tmp_path):
    path = tmp_path / "x.nii"
    nib.save(labels_image(), path)
    image = nib.load(path)
    np.asarray(image.dataobj[0])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileFormatError, match="truncated or damaged"):
        rc.load_parcellation(image)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nii.bz2"])
def test_a_file_that_is_gone_after_it_was_opened(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    nib.save(labels_image(), path)
    image = nib.load(path)
    path.unlink()
    with pytest.raises(FileFormatError, match="No such file"):
        rc.load_parcellation(image)


ZEROS = gzip.compress(bytes(1 << 24), 1)


@pytest.mark.parametrize("n_members", [1, 10])
def test_what_follows_the_voxels_is_read_and_not_kept(tmp_path, good, n_members):
    files = []
    for suffix, image in [
        (".nii.gz", labels_image()),
        (".mgz", nib.MGHImage(np.asarray(labels_image().dataobj, np.int32), AFFINE)),
    ]:
        path = tmp_path / f"long{suffix}"
        content = image.to_bytes()
        if n_members == 1:
            path.write_bytes(gzip.compress(content + bytes(150_000_000), 1))
        else:
            path.write_bytes(gzip.compress(content) + n_members * ZEROS)
        files.append(path)
    n_bytes, said = used(good, files, ROLES)
    assert said == [""] * (len(ROLES) * len(files))
    assert n_bytes < 60_000_000
    # To the end, where the checksum is.
    damaged = bytearray(files[0].read_bytes())
    damaged[-6] ^= 1
    files[0].write_bytes(damaged)
    with pytest.raises(FileFormatError, match="truncated or damaged"):
        rc.load_parcellation(files[0])


def test_what_is_needed_whole_is_never_mapped(tmp_path, monkeypatch):
    """Whoever maps a file that somebody shortens is ended by the system."""
    for name, image in [
        ("x.nii", labels_image()),
        ("x.mgh", nib.MGHImage(np.asarray(labels_image().dataobj, np.int32), AFFINE)),
        ("lh.x.mgh", nib.MGHImage(np.resize(np.int32([0, *LABELS]), (700, 1, 1)), np.eye(4))),
    ]:
        nib.save(image, tmp_path / name)
    np.save(tmp_path / "lh.x.npy", np.resize(np.int32([0, *LABELS]), 700))
    pair_image = nib.Nifti1Pair(np.asarray(labels_image().dataobj), AFFINE)
    nib.save(pair_image, tmp_path / "x.img")
    parcels = saved_parcels(tmp_path / "x.pscalar.nii")

    def mapped(*arguments, **options):
        raise AssertionError("a file was mapped")

    monkeypatch.setattr(np, "memmap", mapped)
    for name in ("x.nii", "x.mgh", "x.img"):
        atlas = rc.load_parcellation(tmp_path / name)
        rc.paint([1.0, 2, 3], atlas, mask=tmp_path / name)
        rc.extract(atlas_data(), atlas, weights=tmp_path / name)
    rc.load_parcellation(nib.load(tmp_path / "x.nii"))
    for name in ("lh.x.mgh", "lh.x.npy"):
        atlas = rc.load_parcellation(tmp_path / name)
        rc.paint([1.0, 2, 3], atlas, mask=tmp_path / name)
    rc.paint(parcels, rc.load_parcellation(parcels))
    dense = saved_labels(tmp_path / "x.dlabel.nii")
    for labels in (dense, nib.load(dense)):
        atlas = rc.load_parcellation(labels)
        rc.extract(rc.paint([1.0], atlas, mask=labels), atlas, weights=labels)


def atlas_data():
    return nib.Nifti1Image(np.ones(SHAPE, np.float32), AFFINE)


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i2", ">f4", "<f8"])
@pytest.mark.parametrize("scaling", [(1, 0), (2, 0), (0.5, -3)])
def test_what_is_read_is_what_nibabel_reads(tmp_path, dtype, scaling):
    path = tmp_path / "x.nii.gz"
    data = np.arange(np.prod(SHAPE)).reshape(SHAPE).astype(dtype)
    header = nib.Nifti1Header(endianness=">" if dtype[0] == ">" else "<")
    image = nib.Nifti1Image(data, AFFINE, header)
    image.header.set_data_dtype(dtype)
    image.header.set_slope_inter(*scaling)
    image.to_filename(path)
    from regioncast.io.stored import read_stored

    expected = np.asarray(nib.load(path).dataobj)
    got = read_stored(nib.load(path).dataobj)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


# --- surfaces --------------------------------------------------------------------------------


def gifti(sizes, text, *, dimensionality=None, encoding="GZipBase64Binary"):
    given = "".join(f' Dim{n}="{size}"' for n, size in enumerate(sizes))
    n_dimensions = len(sizes) if dimensionality is None else dimensionality
    return (
        '<?xml version="1.0"?><GIFTI Version="1.0" NumberOfDataArrays="1"><MetaData/><LabelTable>'
        '<Label Key="0" Red="nan" Green="1" Blue="0" Alpha="1">???</Label>'
        '<Label Key="3" Red="nan" Green="1" Blue="0" Alpha="1">V1</Label></LabelTable>'
        '<DataArray Intent="NIFTI_INTENT_LABEL" DataType="NIFTI_TYPE_INT32" '
        f'ArrayIndexingOrder="RowMajorOrder" Dimensionality="{n_dimensions}"{given} '
        f'Encoding="{encoding}" Endian="LittleEndian" ExternalFileName="" ExternalFileOffset="">'
        f"<MetaData/><Data>{text}</Data></DataArray></GIFTI>"
    )


def deflated(n_bytes):
    deflater, zeros = zlib.compressobj(1), bytes(1 << 20)
    pieces = [deflater.compress(zeros) for _ in range(n_bytes >> 20)]
    return base64.b64encode(b"".join([*pieces, deflater.flush()])).decode()


TEN = base64.b64encode(zlib.compress(np.int32([0, 3] * 5).tobytes())).decode()

UNTRUE_GIFTI = {
    "inflates": (gifti([1000], deflated(200 << 20)), "an array of 4,000 bytes has more"),
    "size": (gifti([10**12], TEN), "an array of 4,000,000,000,000 bytes has 40"),
    "dimensions": (gifti([10], TEN, dimensionality=10**12), r"1,000,000,000,000 dimensions has"),
    "columns": (gifti([10, 10**12], TEN), "an array of 40,000,000,000,000 bytes has 40"),
    "negative": (gifti([-10], TEN), r"dimensions has the sizes \[-10\]"),
    "text": (gifti([10**12], "1 2 3", encoding="ASCII"), "array of size 3"),
    "cut": (gifti([10], TEN[:-8]), "cut off"),
}


def test_surfaces_that_claim_more_than_is_there(tmp_path, good):
    files = []
    for name, (content, _) in UNTRUE_GIFTI.items():
        files.append(tmp_path / f"lh.{name}.label.gii")
        files[-1].write_text(content)
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        array, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    )
    files += [tmp_path / "lh.x.npy", tmp_path / "x.thickness"]
    files[-2].write_bytes(array.getvalue() + bytes(100))
    files[-1].write_bytes(b"\xff\xff\xff" + (2**31 - 1).to_bytes(4, "big") + bytes(100))
    # What follows the end of the XML is no part of it.
    files.append(tmp_path / "lh.long.label.gii.gz")
    files[-1].write_bytes(gzip.compress(gifti([10], TEN).encode()) + 10 * ZEROS)
    n_bytes, said = used(good, files, ["labels", "mask", "data"])
    assert n_bytes < 60_000_000
    assert "" not in said


def test_a_surface_never_reads_files_that_are_not_beside_it(tmp_path):
    (tmp_path / "secret").write_bytes(np.int32([0, 3] * 5).tobytes())
    (tmp_path / "here").mkdir()
    path = tmp_path / "here" / "lh.x.label.gii"
    content = gifti([10], "", encoding="ExternalFileBinary")
    for name in ("../secret", str(tmp_path / "secret"), "", ".."):
        path.write_text(content.replace('ExternalFileName=""', f'ExternalFileName="{name}"'))
        with pytest.raises(rc.RegioncastError, match=r"only a file beside it|is a folder"):
            rc.load_parcellation(path)


@pytest.mark.parametrize("name", UNTRUE_GIFTI)
def test_what_is_said_of_an_array_that_is_not_as_large_as_it_says(tmp_path, name):
    content, said = UNTRUE_GIFTI[name]
    path = tmp_path / "lh.x.label.gii"
    path.write_text(content)
    with pytest.raises(FileFormatError, match=f"truncated or damaged: .*{said}.* Get the file"):
        rc.load_parcellation(path)


def test_a_colour_that_is_no_number_is_none(tmp_path):
    path = tmp_path / "lh.x.label.gii"
    path.write_text(gifti([10], TEN))
    assert rc.load_parcellation(path).table.names == ("V1",)


@pytest.mark.parametrize(
    ("shape", "said"), [((10**12,), "are 8,000,000,000,000 bytes"), ((-3,), "to hold -3 numbers")]
)
def test_an_array_file_that_claims_more_than_is_there(tmp_path, good, shape, said):
    path, file = tmp_path / "x.npy", io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    path.write_bytes(file.getvalue() + bytes(100))
    with pytest.raises(FileFormatError, match=f"{said}.*has 100"):
        rc.paint(path, good)
    with pytest.raises(FileFormatError, match=f"{said}.*has 100"):
        rc.load_parcellation(path)


@pytest.mark.parametrize(
    ("dtype", "shape"), [("<f8", (0, 10**11)), ("|V0", (10**11,)), ("<U0", (10**9, 3))]
)
def test_an_array_file_of_any_number_of_nothing(tmp_path, good, dtype, shape):
    with (tmp_path / "x.npy").open("wb") as file:
        header = {"descr": dtype, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(FileFormatError, match="nothing"):
        rc.paint(tmp_path / "x.npy", good)


def test_a_parquet_table_that_claims_more_than_its_bytes_are_for(tmp_path, good, monkeypatch):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    # As pyarrow writes it, it is less than what is refused of others.
    monkeypatch.setattr("regioncast.tables.files._MOST_CELLS_PER_BYTE", 100)
    cells = pa.DictionaryArray.from_arrays(np.zeros(2_000_000, np.int8), ["V1"])
    parquet.write_table(pa.table({"name": cells}), tmp_path / "x.parquet")
    with pytest.raises(FileFormatError, match=r"2,000,000 rows of 1 columns"):
        rc.paint(tmp_path / "x.parquet", good)


def test_a_surface_without_a_vertex(tmp_path):
    np.save(tmp_path / "lh.x.npy", np.zeros((0, 3)))
    with pytest.raises(RegioncastError, match="no vertices"):
        rc.load_parcellation(tmp_path / "lh.x.npy")


@pytest.mark.parametrize(("old", "new"), [(b"}", b"{"), (b"<f8", b",f8"), (b"False", b"Falsy")])
def test_an_array_file_whose_header_is_no_text(tmp_path, good, old, new):
    path = tmp_path / "x.npy"
    np.save(path, np.ones(3))
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(FileFormatError, match="is no NumPy file of numbers: its header"):
        rc.paint(path, good)


# --- CIFTI -----------------------------------------------------------------------------------

LEFT = "CIFTI_STRUCTURE_CORTEX_LEFT"


def brain(n_vertices=100, shape=(2, 2, 2)):
    surface = BrainModelAxis.from_surface(np.arange(10), 100, "cortex_left")
    voxels = BrainModelAxis.from_mask(np.ones((2, 2, 2)), affine=AFFINE, name="thalamus_left")
    axis = surface + voxels
    axis.nvertices = {LEFT: n_vertices}
    axis.volume_shape = shape
    return axis


def saved_parcels(path, **frames):
    axis = brain()
    parcels = ParcelsAxis.from_brain_models([("a", axis[:5]), ("b", axis[5:10]), ("v", axis[10:])])
    if frames:
        whole = brain(**frames)
        parcels.nvertices, parcels.volume_shape = whole.nvertices, whole.volume_shape
    image = nib.Cifti2Image(np.float32([[1, 2, 3]]), (ScalarAxis(["m"]), parcels))
    nib.save(image, path)
    return path


def saved_labels(path, **frames):
    axis = LabelAxis(["m"], [{0: ("???", (0, 0, 0, 0)), 1: ("A", (np.nan, 0, 0, 1))}])
    nib.save(nib.Cifti2Image(np.ones((1, 18), np.float32), (axis, brain(**frames))), path)
    return path


FRAMES = [{"n_vertices": 10**12}, {"shape": (10**5,) * 3}]


@pytest.mark.parametrize("frames", FRAMES, ids=str)
def test_frames_of_grayordinates_take_no_memory(tmp_path, frames):
    """Of a surface or a volume, a file lists the samples that it has."""
    atlas = rc.load_parcellation(saved_labels(tmp_path / "a.dlabel.nii", **frames))
    assert atlas.counts.tolist() == [18]
    # The other way round, on the same surface and volume.
    turned = tmp_path / "b.dscalar.nii"
    axis = brain(**frames)[::-1]
    nib.save(nib.Cifti2Image(np.ones((1, 18), np.float32), (ScalarAxis(["m"]), axis)), turned)
    image = rc.paint([2.5], atlas, onto=turned)
    np.testing.assert_array_equal(np.asarray(image.dataobj), np.full((1, 18), 2.5))
    parcels = rc.load_parcellation(saved_parcels(tmp_path / "x.pscalar.nii", **frames))
    assert parcels.counts.tolist() == [5, 5, 8]


@pytest.mark.parametrize(
    "frames", [{"n_vertices": -100}, {"shape": (-2, 2, 2)}, {"shape": (10**8,) * 3}], ids=str
)
def test_frames_that_cannot_be(tmp_path, frames):
    for path in (
        saved_labels(tmp_path / "a.dlabel.nii", **frames),
        saved_parcels(tmp_path / "x.pscalar.nii", **frames),
    ):
        with pytest.raises(FileFormatError, match=r"no surface or volume has .* places"):
            rc.load_parcellation(path)


def test_steps_of_a_series_that_no_number_is_for(tmp_path, good):
    path = tmp_path / "x.dtseries.nii"
    axes = (SeriesAxis(12345678, 1, 2), brain())
    nib.save(nib.Cifti2Image(np.ones((2, 18), np.float32), axes), path)
    # As many bytes as before, so that the data stay where they are.
    content = path.read_bytes().replace(b'Exponent="0"', b'Exponent="99999999"')
    path.write_bytes(content.replace(b'SeriesStart="12345678"', b'SeriesStart="1"'))
    with pytest.raises(FileFormatError, match=r"steps of 10\*\*"):
        rc.extract(path, saved_labels(tmp_path / "a.dlabel.nii"))


def test_a_surface_for_a_frame_of_another_size_is_refused(tmp_path):
    atlas = rc.load_parcellation(saved_labels(tmp_path / "a.dlabel.nii", n_vertices=10**12))
    mask = nib.GiftiImage(darrays=[nib.gifti.GiftiDataArray(np.ones(100, np.float32))])
    with pytest.raises(SpaceError, match="1,000,000,000,000 vertices, not 100"):
        rc.paint([1.0], atlas, mask={"left": mask})


def test_a_series_of_grayordinates_that_claims_more_than_is_there(tmp_path):
    path = saved_labels(tmp_path / "a.dlabel.nii")
    content = bytearray(path.read_bytes())
    content[48:56] = (10**12).to_bytes(8, "little")  # dim[4], of which CIFTI makes no use
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="by its header"):
        rc.load_parcellation(path)


def test_parcels_that_share_or_repeat_samples(tmp_path):
    path = saved_parcels(tmp_path / "x.pscalar.nii")
    content = path.read_bytes()
    for old, new, said in [
        (b">0 1 2 3 4<", b">0 1 2 3 3<", "'a' of the labels image lists 1 vertex more than once"),
        (b">0 1 2 3 4<", b">0 1 2 8 7<", "'a' and 'b' of the labels image share 2 vertices: 7, 8"),
    ]:
        assert old in content
        path.write_bytes(content.replace(old, new))
        with pytest.raises(LabelsError, match=said):
            rc.load_parcellation(path)


# --- headers that mean nothing ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "t_r"),
    [(10, 2.0), (18, 0.002), (26, 2e-6), (8 + 64, 2.0), (5, None), (32, None), (255, None)],
)
def test_units_that_nobody_defined(tmp_path, good, code, t_r):
    path = tmp_path / "series.nii"
    image = nib.Nifti1Image(np.ones((*SHAPE, 2), np.float32), AFFINE)
    image.header["pixdim"][4] = 2
    image.header["xyzt_units"] = code
    path.write_bytes(image.to_bytes())
    assert rc.extract(path, good).t_r == (None if t_r is None else pytest.approx(t_r))
    labels = labels_image()
    labels.header["xyzt_units"] = code
    labels_path = tmp_path / "labels.nii"
    labels_path.write_bytes(labels.to_bytes())
    painted = rc.paint(rc.Signals(np.ones((2, 3)), LABELS, t_r=2.0), labels_path)
    assert rc.extract(painted, good).t_r == 2.0


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_an_affine_that_no_file_holds(tmp_path, scale):
    image = nib.Nifti2Image(np.resize(np.int16([0, *LABELS]), SHAPE), np.eye(4))
    content = bytearray(image.to_bytes())
    content[400:408] = np.float64(scale).tobytes()  # srow_x
    path = tmp_path / "x.nii"
    path.write_bytes(content)
    with pytest.raises(SpaceError, match="too small or too large for an image"):
        rc.load_parcellation(path)


def test_a_grid_of_one_dimension(tmp_path, good):
    path = tmp_path / "line.nii"
    nib.save(nib.Nifti1Image(np.ones(7, np.float32), AFFINE), path)
    for verb in (
        lambda: rc.paint([1.0, 2, 3], good, onto=path),
        lambda: rc.extract(path, good),
        lambda: rc.load_parcellation(path),
    ):
        with pytest.raises(RegioncastError, match=r"\(7,\)"):
            verb()


def test_an_affine_of_grayordinates_that_is_none(tmp_path):
    path = saved_labels(tmp_path / "a.dlabel.nii")
    content = path.read_bytes()
    old = b"\n0.0000000000 2.0000000000"
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, b"\n0.0000000000 nan         "))
    with pytest.raises(SpaceError, match="The volume of the CIFTI file does not say where"):
        rc.load_parcellation(path)
