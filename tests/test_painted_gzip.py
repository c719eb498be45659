"""What is compressed in the region domain is a plain gzip file of the painted voxels."""

from __future__ import annotations

import copy
import gzip
import io
import struct
import subprocess
import zlib
from pickle import dumps, loads

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip, isal_zlib

import regioncast as rc
from regioncast import testing
from regioncast.engine import painting
from regioncast.engine.painting import FileOrder, PaintedArray
from regioncast.io.volume import huffman, painted_gzip

zlib_ng = pytest.importorskip("zlib_ng.zlib_ng")
gzip_ng = pytest.importorskip("zlib_ng.gzip_ng")

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "u8", "i8", "f8", "c8", "c16"]
SEEDS = st.integers(0, 2**32 - 1)
AFFINE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.1, -0.2, 0.3) @ np.diag([-2, 2.5, 3]), [40, -7, 5]
)
WAYS = {"region domain": painted_gzip.RegionDomain, "blocks": painted_gzip.Blocks}

# nibabel leaves some files to the garbage collector, which warns.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


# --- label images -------------------------------------------------------------------------


def slabs(shape, rng):
    return np.broadcast_to(rng.integers(0, 4, shape[2]), shape)


def noise(shape, rng):
    return rng.integers(0, rng.choice([2, 5, 60]), shape)


def blobs(shape, rng):
    coarse = rng.integers(0, 9, [-(-side // 4) for side in shape])
    fine = coarse.repeat(4, axis=0).repeat(4, axis=1).repeat(4, axis=2)
    return fine[: shape[0], : shape[1], : shape[2]]


def checkerboard(shape, rng):
    return np.indices(shape).sum(axis=0) % 2


def one_region(shape, rng):
    return np.ones(shape, int)


def nothing(shape, rng):
    return np.zeros(shape, int)


def region_per_voxel(shape, rng):
    return rng.permutation(int(np.prod(shape))).reshape(shape)


def repeating(shape, rng):
    period = rng.integers(1, 1 + int(np.prod(shape)))
    return (np.arange(int(np.prod(shape))) % period).reshape(shape, order="F")


LAYOUTS = [slabs, noise, blobs, checkerboard, one_region, nothing, region_per_voxel, repeating]


@st.composite
def painted_arrays(draw, layouts=tuple(LAYOUTS), dtypes=tuple(DTYPES)):
    """A painted array of any layout and dtype, with any bits as values."""
    rng = np.random.default_rng(draw(SEEDS))
    sides = st.sampled_from([1, 2, 3, 7, 16, 31, 70])
    shape = draw(st.tuples(sides, sides, sides).filter(lambda found: len(set(found)) == 3))
    shape = tuple(min(side, 20) for side in shape) if np.prod(shape) > 40_000 else shape
    labels = draw(st.sampled_from(layouts))(shape, rng)
    n_codes = int(labels.max()) + 1
    code_dtype = draw(st.sampled_from([code for code in "BHI" if np.iinfo(code).max >= n_codes]))
    codes = testing.in_memory(labels.astype(code_dtype), draw(st.sampled_from(["C", "F"])))
    n_maps = draw(st.sampled_from([1, 2, 5]))
    return PaintedArray(codes, values(n_maps, n_codes, draw(st.sampled_from(dtypes)), rng),
                        single=n_maps == 1 and draw(st.booleans()))  # fmt: skip


def values(n_maps, n_codes, dtype, rng):
    """Any bits, with many or few different bytes, the fill value 0 or not."""
    n_bytes = n_maps * n_codes * np.dtype(dtype).itemsize
    different = rng.choice([1, 3, 256])
    table = rng.integers(0, different, n_bytes).astype("u1").view(dtype).reshape(n_maps, n_codes)
    if rng.random() < 0.5:
        table[:, 0] = 0
    return table


def eager(array):
    """The bytes of the voxels as files have them, made by NumPy."""
    return b"".join(row[array.codes].tobytes(order="F") for row in array.table)


def compress(array, way=None, head=b"head"):
    """Compress with the way that is chosen, or with this one."""
    stream = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        if way is not None:
            total = np.inf if way == "region domain" and array.codes.size else 0
            budget = painted_gzip.Budget(total, 1, 1)
            patch.setattr(painted_gzip, "_budget", lambda *_: budget)
        painted_gzip.write(stream, head, array)
    return stream.getvalue()


# --- a plain file ---------------------------------------------------------------------------

READERS = {
    "gzip": gzip.decompress,
    "zlib": lambda content: zlib.decompress(content, wbits=31),
    "isal, gzip": igzip.decompress,
    "isal, zlib": lambda content: isal_zlib.decompress(content, wbits=31),
    "zlib-ng, gzip": gzip_ng.decompress,
    "zlib-ng, zlib": lambda content: zlib_ng.decompress(content, wbits=31),
}


@pytest.mark.parametrize("way", WAYS)
@given(array=painted_arrays(), head=st.binary(max_size=400))
def test_every_library_reads_the_voxels(way, array, head):
    content = compress(array, way, head)
    expected = head + eager(array)
    for name, read in READERS.items():
        assert read(content) == expected, name


@given(array=painted_arrays())
def test_it_is_one_member_without_name_and_time(array):
    content = compress(array, "region domain")
    assert content[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    member = zlib.decompressobj(wbits=31)
    everything = member.decompress(content)
    assert member.eof
    assert member.unused_data == b""
    assert struct.unpack("<II", content[-8:]) == (zlib.crc32(everything), len(everything))


@given(
    array=painted_arrays(),
    n_cpus=st.integers(2, 5),
    n_bytes=st.sampled_from([1, 300, 5000]),
    way=st.sampled_from(list(WAYS)),
)
def test_the_bytes_do_not_depend_on_the_number_of_threads(array, n_cpus, n_bytes, way):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(painted_gzip, "_PART_BYTES", n_bytes)
        patch.setattr(painted_gzip, "_BLOCK_BYTES", n_bytes if array.codes.size < 5000 else 5000)
        patch.setattr(painted_gzip, "n_cpus", lambda: 1)
        alone = compress(array, way)
        patch.setattr(painted_gzip, "n_cpus", lambda: n_cpus)
        assert compress(array, way) == alone
    assert gzip.decompress(alone) == b"head" + eager(array)


def nested(n):
    """Codes that come twice each, at every odd distance from 1 to 2n - 1."""
    return np.concatenate([np.arange(n)[::-1], np.arange(n)])


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8", "c16"])
@pytest.mark.parametrize("between", [0, 1])
def test_labels_repeat_at_every_distance_inside_and_beyond_the_window(dtype, between):
    item_size = np.dtype(dtype).itemsize
    n = 17_000 // item_size + 50
    # A code between the halves makes all distances even; matches of bytes need three of them.
    codes = np.insert(nested(n), n, [n] * between).repeat(3 if item_size < 4 else 1)
    table = np.random.default_rng(n).integers(0, 256, (1, n + 1)).astype(dtype)
    array = PaintedArray(codes.astype("u4")[:, None, None], table, single=True)
    assert gzip.decompress(compress(array, "region domain", b"")) == eager(array)


def test_matches_are_as_far_as_deflate_reaches_and_no_farther():
    codes = np.arange(20_000) % 8192  # 32,768 bytes of float32 are 8,192 samples
    for shift, is_match in ((0, True), (1, False)):
        array = PaintedArray(
            np.insert(codes, 8192, [9000] * shift).astype("u2")[:, None, None],
            np.random.default_rng(0).normal(size=(1, 9001)).astype("f4"), single=True,
        )  # fmt: skip
        content = compress(array, "region domain", b"")
        assert gzip.decompress(content) == eager(array)
        assert (len(content) < 50_000) == is_match


@pytest.mark.parametrize("n", [1, 2, 3, 64, 65, 66, 128, 129, 130, 258, 259, 260, 261, 262, 517])
@pytest.mark.parametrize("dtype", DTYPES)
def test_runs_of_any_length_are_cut_into_matches(n, dtype):
    for at in (0, 1):
        codes = np.repeat([0, 1, 2], [at, n, 2]).astype("u1")[:, None, None]
        table = np.array([[0, 77, 5], [3, 1, 2]]).astype(dtype)
        array = PaintedArray(codes, table, single=False)
        assert gzip.decompress(compress(array, "region domain", b"")) == eager(array)


def test_a_map_of_more_than_4_gib():
    codes = np.zeros((1030, 511, 513), np.uint8, order="F")
    codes[300:700, 100:400, 510:] = np.random.default_rng(0).integers(0, 200, (400, 300, 3))
    table = np.random.default_rng(1).normal(size=(1, 256)) * (1 + 2j)
    array = PaintedArray(codes, table, single=True)
    content = compress(array)
    voxels = FileOrder.of(array)
    assert isinstance(painted_gzip.compressor(voxels), painted_gzip.RegionDomain)
    n_bytes = 4 + codes.size * 16
    assert n_bytes > 2**32
    assert struct.unpack("<I", content[-4:])[0] == n_bytes % 2**32
    buffer = np.empty(1 << 24, np.uint8)
    with igzip.open(io.BytesIO(content), "rb") as stream:
        assert stream.read(4) == b"head"
        for piece in voxels.pieces(buffer.nbytes):
            read = stream.read((piece.samples.stop - piece.samples.start) * 16)
            # Reading checks the CRC of all; here are the places with labels.
            if piece.samples.stop > codes.size - 3 * 1030 * 511:
                assert np.array_equal(np.frombuffer(read, np.uint8), voxels.made(piece, buffer))
        assert stream.read() == b""


def test_huffman_codes_are_complete_and_no_longer_than_allowed():
    fibonacci = [1, 1]
    while len(fibonacci) < 40:
        fibonacci.append(sum(fibonacci[-2:]))
    for counts in (fibonacci, [1, 0], [0, 0, 5], [7] * 286, [0, 0]):
        for longest in (9, 15):
            lengths = huffman.code_lengths(counts, longest)
            assert max(lengths) <= longest
            assert sum(2.0**-n for n in lengths if n) == 1
            assert all(length for length, n in zip(lengths, counts, strict=False) if n)


# --- which way ------------------------------------------------------------------------------


def brain_like(shape=(45, 54, 43), n_regions=60):
    """Cells of random points in an ellipsoid: regions that border on each other."""
    rng = np.random.default_rng(n_regions)
    grid = np.moveaxis(np.indices(shape), 0, -1)
    seeds = rng.uniform(0.2, 0.8, (n_regions, 3)) * shape
    nearest = np.argmin([((grid - seed) ** 2).sum(axis=-1) for seed in seeds], axis=0) + 1
    middle = np.array(shape) / 2
    inside = (((grid - middle) / (0.8 * middle)) ** 2).sum(axis=-1) <= 1
    return (nearest * inside).astype(np.int16)


def way_of(labels, n_maps, dtype="f4"):
    codes = np.asfortranarray(labels).astype("u4")
    table = np.ones((n_maps, int(labels.max()) + 1), dtype)
    voxels = FileOrder.of(PaintedArray(codes, table, single=False))
    return type(painted_gzip.compressor(voxels)).__name__


SHAPE = (45, 54, 43)


@pytest.mark.parametrize(
    ("labels", "n_maps", "dtype", "way"),
    [
        (brain_like(), 100, "f4", "RegionDomain"),
        (brain_like(), 100, "u1", "RegionDomain"),
        (brain_like(), 10, "c16", "RegionDomain"),
        (np.zeros(SHAPE, int), 20, "f4", "RegionDomain"),
        (np.random.default_rng(0).integers(0, 10, SHAPE), 100, "f4", "RegionDomain"),
        (np.random.default_rng(0).integers(0, 10, SHAPE), 100, "u1", "Blocks"),
        (brain_like(), 1, "f4", "Blocks"),
        (region_per_voxel(SHAPE, np.random.default_rng(0)), 100, "f4", "Blocks"),
        (np.random.default_rng(0).integers(0, 50_000, SHAPE), 100, "f4", "Blocks"),
        (np.zeros((2, 3, 4), int), 1, "f4", "Blocks"),
    ],
)  # fmt: skip
def test_the_way_is_chosen_by_what_it_costs(labels, n_maps, dtype, way):
    assert way_of(labels, n_maps, dtype) == way


def test_more_maps_speak_for_the_region_domain_and_more_regions_against_it():
    def most_literals(n_maps, n_codes):
        budget = painted_gzip._budget(n_maps, n_codes, 10**6, 4)
        return budget.total / budget.literal

    of_maps = [most_literals(n, 401) for n in (1, 2, 5, 10, 100, 10**5)]
    assert of_maps == sorted(of_maps)
    assert of_maps[0] == 0 < of_maps[-1]
    of_regions = [most_literals(100, n) for n in (10, 10**4, 10**5, 10**6)]
    assert of_regions == sorted(of_regions, reverse=True)
    assert of_regions[-1] == 0


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 5)])
def test_an_image_without_voxels_is_its_header(shape):
    array = PaintedArray(np.zeros(shape, "u1"), np.ones((3, 2), "f4"), single=False)
    assert gzip.decompress(compress(array)) == b"head"


# --- any bytes ----------------------------------------------------------------------------


@given(
    seed=SEEDS,
    n_bytes=st.integers(0, 5000),
    n_values=st.integers(1, 9),
    block_bytes=st.sampled_from([1, 7, 16, 17, 100, 1 << 22]),
)
def test_any_bytes_are_one_gzip_member(seed, n_bytes, n_values, block_bytes):
    rng = np.random.default_rng(seed)
    content = bytes(rng.integers(0, 256, n_values, np.uint8)[rng.integers(0, n_values, n_bytes)])
    stream = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(painted_gzip, "_BLOCK_BYTES", block_bytes)
        painted_gzip.write_plain(stream, b"head", memoryview(content))
    for read in (gzip.decompress, igzip.decompress, gzip_ng.decompress):
        assert read(stream.getvalue()) == b"head" + content


def test_the_bytes_of_a_block_do_not_depend_on_where_in_memory_it_is_compressed():
    """ISA-L alone compresses one of some 10,000 such blocks differently at another address."""
    rng = np.random.default_rng(0)
    for _ in range(100_000):
        block = memoryview(rng.bytes(4) * 10)
        here = painted_gzip._by_isal(block, 0)
        elsewhere = isal_zlib.compressobj()  # takes the memory that was used just now
        assert painted_gzip._by_isal(block, 0) == here
        del elsewhere


# --- NIfTI files --------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["f4", "f8", "i2", "u1"])
def saved(request, tmp_path_factory):
    """A painting of ordinary values, and the file that it was saved to."""
    labels = nib.Nifti1Image(brain_like(), AFFINE)
    maps = np.random.default_rng(0).normal(50, 20, (25, 60)).astype(request.param)
    image = rc.paint(maps, labels, fill=3)
    assert way_of(brain_like(), 25, request.param) == "RegionDomain"
    return image, rc.save(image, tmp_path_factory.mktemp("saved") / "map.nii.gz")


def assert_same(got, expected):
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    assert got.tobytes() == expected.tobytes()


@pytest.mark.parametrize("indexed", [False, True])
def test_nibabel_reads_the_whole_and_any_slice(saved, monkeypatch, indexed):
    pytest.importorskip("indexed_gzip")
    monkeypatch.setattr("nibabel._compression.HAVE_INDEXED_GZIP", indexed)
    image, path = saved
    expected = np.asarray(image.dataobj)
    for keep_open in (False, True):
        loaded = nib.load(path, keep_file_open=keep_open)
        assert_same(np.asarray(loaded.dataobj), expected)
        for part in (np.s_[..., 13], np.s_[5, :, 7:20:3, ::-4], np.s_[:, 3], np.s_[1, 2, 3, 4]):
            assert_same(np.asarray(loaded.dataobj[part]), np.asarray(expected[part]))


def test_itk_reads_the_same_values(saved):
    itk = pytest.importorskip("SimpleITK")
    image, path = saved
    read = itk.GetArrayFromImage(itk.ReadImage(str(path)))
    assert_same(np.ascontiguousarray(read.T), np.ascontiguousarray(image.dataobj))


def call(*command):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["gzip", "pigz"])
def test_the_file_is_sound(saved, program, name):
    call(program(name), "-t", saved[1])


def test_the_nifti_reference_tool_reads_the_same_values(saved, program, tmp_path):
    image, path = saved
    checked = call(program("nifti_tool"), "-check_hdr", "-check_nim", "-infiles", path)
    assert "BAD" not in checked.upper()
    copy = tmp_path / "copy.nii"
    call(program("nifti_tool"), "-cbl", "-prefix", copy, "-infiles", f"{path}[0..$]")
    assert_same(np.asarray(nib.load(copy).dataobj), np.asarray(image.dataobj))


def test_mrtrix_reads_the_same_values(saved, program, tmp_path):
    image, path = saved
    assert call(program("mrinfo"), "-size", path).split() == [str(n) for n in image.shape]
    copy = tmp_path / "copy.nii"
    call(program("mrconvert"), "-quiet", path, copy, "-strides", path)
    assert_same(np.asarray(nib.load(copy).dataobj), np.asarray(image.dataobj))


def test_workbench_reads_the_same_values(saved, program, tmp_path):
    image, path = saved
    copy = tmp_path / "copy.nii"
    call(program("wb_command"), "-volume-merge", copy, "-volume", path)
    # Workbench computes in float32 and writes it.
    expected = np.asarray(image.dataobj).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(nib.load(copy).dataobj), expected)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("n_maps", [0, 40])
@pytest.mark.parametrize("label_dtype", [">i2", "<f4", ">f8"])
@pytest.mark.parametrize("value_dtype", [">f4", "<i2", ">c16"])
def test_headers_extensions_and_byte_orders(tmp_path, kind, n_maps, label_dtype, value_dtype):
    labels = brain_like().astype(label_dtype)
    if kind is nib.Nifti2Image:
        labels = np.resize(labels[20:24, 25, :], (33_000, 2, 1)).astype(label_dtype)
    n_regions = np.count_nonzero(np.unique(labels))
    maps = np.random.default_rng(0).normal(0, 9, (max(1, n_maps), n_regions)).astype(value_dtype)
    image = rc.paint(maps if n_maps else maps[0], kind(labels, AFFINE), dtype=value_dtype)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"kept " * 30))
    path = rc.save(image, tmp_path / "map.nii.gz")
    loaded = nib.load(path)
    assert type(loaded) is kind
    assert loaded.header.extensions[0].get_content() == b"kept " * 30
    expected = testing.brute_force_paint(maps[-1].astype(maps.dtype.newbyteorder("=")), labels)
    got = np.asarray(loaded.dataobj)
    np.testing.assert_array_equal(got[..., -1] if n_maps else got, expected)


@given(array=painted_arrays(dtypes=["f4", "i2", "u1", "c16"]))
def test_nifti_and_its_gzip_hold_the_same(array):
    stream = io.BytesIO()
    image = nib.Nifti1Image(np.zeros((1, 1, 1), "u1"), AFFINE)
    made = rc.PaintedImage(array, AFFINE, image.header)
    made.to_stream(stream)
    voxels = stream.getvalue()[352:]
    assert voxels == eager(array)
    assert gzip.decompress(compress(array, "region domain", b"")) == voxels


@pytest.mark.parametrize("n_bytes", [1, 7, 400, 10**6])
def test_pieces_are_the_whole_in_order(n_bytes):
    array = PaintedArray(
        np.arange(24, dtype="u1").reshape(2, 3, 4), np.random.default_rng(0).normal(size=(5, 24)),
        single=False,
    )  # fmt: skip
    voxels, buffer = FileOrder.of(array), np.empty(10**6, np.uint8)
    pieces = list(voxels.pieces(n_bytes))
    assert b"".join(voxels.made(piece, buffer).tobytes() for piece in pieces) == eager(array)
    assert all(voxels.made(piece, buffer).nbytes <= max(n_bytes, 8) for piece in pieces)


# --- nothing stale ----------------------------------------------------------------------------


def with_nibabel(image, path):
    nib.save(image, path)


def with_to_filename(image, path):
    image.to_filename(path)


def with_save(image, path):
    rc.save(image, path)


def with_file_map(image, path):
    image.to_file_map(image.make_file_map({"image": str(path)}))


def with_bytes(image, path):
    content = image.to_bytes()
    path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)


SAVES = [with_nibabel, with_to_filename, with_save, with_file_map, with_bytes]


def fresh(dtype="f4", n_maps=30):
    maps = np.random.default_rng(0).normal(size=(n_maps, 60)).astype(dtype)
    return rc.paint(maps, nib.Nifti1Image(brain_like(), AFFINE))


def replace_data(image):
    image._dataobj = np.asarray(image.dataobj) * 2
    return image.dataobj


def edit_data(image):
    image.get_fdata()[3:5, ..., 7] = -1
    return image.get_fdata()


def edit_data_of_another_dtype(image):
    image.get_fdata(dtype="f4")[40, 50, 40, 19] = np.nan
    return image.get_fdata(dtype="f4")


def edit_values(image):
    image.dataobj.table[:, 5] = 99
    return np.asarray(image.dataobj)


def edit_codes(image):
    codes = image.dataobj.codes.copy()
    codes[10:12] = 7
    image.dataobj.codes = codes
    return np.asarray(image.dataobj)


def edit_values_and_data(image):
    edit_values(image)
    return edit_data(image)


EDITS = [
    replace_data, edit_data, edit_data_of_another_dtype, edit_values, edit_codes,
    edit_values_and_data,
]  # fmt: skip


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("save", SAVES)
@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("looked_at", [False, True])
def test_what_was_edited_is_saved_as_it_is_now(tmp_path, save, edit, suffix, looked_at):
    image = fresh(n_maps=20)
    if looked_at:
        image.get_fdata()
    save(image, tmp_path / f"before{suffix}")  # of which nothing is remembered
    before = np.asarray(nib.load(tmp_path / f"before{suffix}").dataobj)
    now = np.array(edit(image))
    save(image, tmp_path / f"after{suffix}")
    after = np.asarray(nib.load(tmp_path / f"after{suffix}").dataobj)
    np.testing.assert_array_equal(after, now)
    assert not np.array_equal(before, now, equal_nan=True)


@pytest.mark.parametrize("save", SAVES)
def test_what_was_only_looked_at_keeps_its_dtype(tmp_path, save):
    image = fresh("i2")
    image.get_fdata()
    save(image, tmp_path / "map.nii.gz")
    assert_same(np.asarray(nib.load(tmp_path / "map.nii.gz").dataobj), np.asarray(image.dataobj))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda img: loads(dumps(img))])
@pytest.mark.parametrize("edit", EDITS)
def test_a_copy_of_what_was_edited_is_saved_as_edited(tmp_path, copied, edit):
    image = fresh()
    now = np.array(edit(image))
    twin = copied(image)
    twin.to_filename(tmp_path / "map.nii.gz")
    assert_same(np.asarray(nib.load(tmp_path / "map.nii.gz").dataobj), now)
    assert_same(np.asarray(twin.dataobj), now)


def test_a_slice_is_saved_as_that_slice(tmp_path):
    image = fresh()
    image.slicer[3:30, ..., 4:20].to_filename(tmp_path / "part.nii.gz")
    got = np.asarray(nib.load(tmp_path / "part.nii.gz").dataobj)
    assert_same(got, np.asarray(image.dataobj)[3:30, ..., 4:20])


def test_nibabel_may_be_asked_for_another_dtype(tmp_path):
    image = fresh("i2")
    nib.save(image, tmp_path / "map.nii.gz", dtype="f8")
    loaded = nib.load(tmp_path / "map.nii.gz")
    assert loaded.get_data_dtype() == np.float64
    np.testing.assert_array_equal(loaded.get_fdata(), image.get_fdata())


def test_a_saved_image_knows_its_file(tmp_path):
    image = fresh()
    image.to_filename(tmp_path / "map.nii.gz")
    assert image.get_filename() == str(tmp_path / "map.nii.gz")
    image.dataobj.table[:] = 4
    image.to_file_map()
    assert (
        nib.load(tmp_path / "map.nii.gz").get_fdata() == 4 * (brain_like() >= 0)[..., None]
    ).all()


def test_nothing_is_painted_to_save_in_the_region_domain(tmp_path, monkeypatch):
    image = fresh()
    for module, name in ((painting, "paint"), (painting, "_paint_maps")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("voxels were made"))
    rc.save(image, tmp_path / "map.nii.gz")


def test_progress_is_told_up_to_the_last_map(tmp_path, monkeypatch):
    monkeypatch.setattr(painted_gzip, "_PART_BYTES", 60_000)
    told = []
    rc.save(fresh(), tmp_path / "map.nii.gz", progress=lambda *done: told.append(done))
    assert told == sorted(set(told))
    assert told[-1] == (30, 30)
    assert len(told) > 2
