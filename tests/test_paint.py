"""Painting: every voxel of a region has the region's value, made when it is asked for."""

from __future__ import annotations

import gzip
import pickle

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import regioncast as rc
from regioncast.engine import painting
from regioncast.errors import LabelsError, MaskWarning, MatchError, SignalsError, SpaceError

SHAPE = (5, 3, 4)
AFFINE = np.array([[-2, 0.3, 0, 8], [0.3, 0.2, -1.5, 4], [0, 3, 0.1, -9], [0, 0, 0, 1.0]])
LABELS = [3, 20, 1007, -8]
NAMES = ["V1", "V2", "MT", "V4"]
TABLE = pd.DataFrame({"index": LABELS, "name": NAMES, "code": list("abcd")})
ASCENDING = sorted(LABELS)

LABEL_DTYPES = [np.int16, np.int32, np.int64, np.float32, np.float64]
VALUE_DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
                "float16", "float32", "float64", "complex64", "complex128"]  # fmt: skip
STORED = {"bool": "uint8", "float16": "float32"}


def labels_image(dtype=np.int16, seed=0, labels=LABELS, order="F"):
    voxels = np.resize([0, *labels], np.prod(SHAPE)).astype(dtype)
    data = np.random.default_rng(seed).permutation(voxels).reshape(SHAPE)
    return nib.Nifti1Image(np.asarray(data, order=order), AFFINE, dtype=dtype)


LABELS_IMAGE = labels_image()
DATA = np.asarray(LABELS_IMAGE.dataobj)
ATLAS = rc.load_parcellation(LABELS_IMAGE, TABLE)


def array(image):
    return np.asarray(image.dataobj)


def loop(labels, values, fill, dtype):
    """Paint voxel by voxel; `values` are one row per map, in ascending order of label."""
    out = np.empty((*labels.shape, len(values)), dtype)
    for at in np.ndindex(labels.shape):
        known = labels[at] in ASCENDING
        out[at] = values[:, ASCENDING.index(labels[at])] if known else fill
    return out


def some_values(dtype, n_maps, seed=0):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2 if dtype == "bool" else 120, (n_maps, 4)).astype(dtype)
    if np.dtype(dtype).kind in "fc":
        values[0, :3] = [np.nan, np.inf, -np.inf]
        values[-1, 3] = 1e4
    return values


# --- against the loop ------------------------------------------------------------------------


@given(
    label_dtype=st.sampled_from(LABEL_DTYPES),
    order=st.sampled_from("CF"),
    seed=st.integers(0, 999),
    n_maps=st.integers(1, 4),
    fill=st.sampled_from([0, 1]),
    with_mask=st.booleans(),
)
@pytest.mark.parametrize("dtype", VALUE_DTYPES)
def test_painting_is_the_loop_over_voxels(dtype, label_dtype, order, seed, n_maps, fill, with_mask):
    image = labels_image(label_dtype, seed, order=order)
    values = some_values(dtype, n_maps, seed)
    labels, options = np.asarray(image.dataobj), {"fill": fill}
    if with_mask:
        inside = np.random.default_rng(seed).random(SHAPE) < 0.8
        options["mask"] = nib.Nifti1Image(inside.astype(np.uint8), AFFINE)
        labels = np.where(inside, labels, 0)
    painted = rc.paint(values, image, **options)
    expected = loop(labels, values, fill, STORED.get(dtype, dtype))
    assert array(painted).dtype == painted.get_data_dtype() == expected.dtype
    np.testing.assert_array_equal(array(painted), expected)


@given(dtype=st.sampled_from(VALUE_DTYPES), single=st.booleans(), seed=st.integers(0, 99))
def test_arrays_are_painted_as_the_drop_in_paints_them(dtype, single, seed):
    values = some_values(dtype, 3, seed)
    values = values[0] if single else values
    ours, drop_in = rc.paint(values, LABELS_IMAGE), rc.signals_to_img_labels(values, LABELS_IMAGE)
    assert ours.get_data_dtype() == drop_in.get_data_dtype()
    np.testing.assert_array_equal(array(ours), array(drop_in))
    np.testing.assert_array_equal(ours.affine, drop_in.affine)
    assert ours.header == drop_in.header


@given(
    dtype=st.sampled_from(VALUE_DTYPES),
    suffix=st.sampled_from([".nii", ".nii.gz"]),
    n_maps=st.integers(1, 3),
    single=st.booleans(),
)
def test_what_is_saved_is_what_was_painted(tmp_path_factory, dtype, suffix, n_maps, single):
    folder = tmp_path_factory.mktemp("saved")
    values = some_values(dtype, n_maps)
    image = rc.paint(values[0] if single else values, ATLAS)
    rc.save(image, folder / f"a{suffix}")
    image.to_filename(folder / f"b{suffix}")
    nib.save(image, folder / f"c{suffix}")
    for name in "abc":
        loaded = nib.load(folder / f"{name}{suffix}")
        assert (loaded.dataobj.slope, loaded.dataobj.inter) == (1, 0)
        assert loaded.get_data_dtype() == image.get_data_dtype()
        assert array(loaded).tobytes("F") == array(image).tobytes("F")
        np.testing.assert_allclose(loaded.affine, image.affine, atol=1e-6)
    assert sorted(p.name for p in folder.iterdir()) == [f"{n}{suffix}" for n in "abc"]


def test_the_same_map_gives_the_same_bytes(tmp_path):
    written = [
        rc.save(rc.paint(np.ones(4), ATLAS), tmp_path / name) for name in ("a.nii.gz", "b.nii.gz")
    ]
    first, second = (path.read_bytes() for path in written)
    assert first == second
    flags, time = first[3], first[4:8]
    assert (flags, time) == (0, bytes(4))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32"])
@pytest.mark.parametrize("suffix", [".mgz", ".mgh"])
def test_mgh_files_hold_the_same_map(tmp_path, dtype, suffix):
    for values in (some_values(dtype, 1)[0], some_values(dtype, 3)):
        image = rc.paint(values, ATLAS)
        content = rc.save(image, tmp_path / f"map{suffix}", overwrite=True).read_bytes()
        # From bytes, because nibabel leaves files that end in .mgh open.
        loaded = nib.MGHImage.from_bytes(gzip.decompress(content) if suffix == ".mgz" else content)
        assert loaded.get_data_dtype().newbyteorder("=") == dtype
        np.testing.assert_array_equal(array(loaded), array(image))
        np.testing.assert_allclose(loaded.affine, AFFINE, atol=1e-5)


# --- options ---------------------------------------------------------------------------------

VALUES = dict(zip(NAMES, [0.5, -1.5, 2.25, 8.0], strict=True))


def by_hand(values, fill=0.0):
    out = np.full(SHAPE, fill, np.result_type(*values.values(), type(fill)))
    for name, value in values.items():
        label = LABELS[NAMES.index(name)]
        out[label == DATA] = value
    return out


@pytest.mark.parametrize("fill", [0, 7.5, -1, np.nan, np.inf])
def test_fill_is_the_value_of_no_region(fill):
    np.testing.assert_array_equal(array(rc.paint(VALUES, ATLAS, fill=fill)), by_hand(VALUES, fill))


def test_fill_goes_to_regions_without_a_value_too():
    values = {"V1": 0.5, "MT": 2.25}
    image = rc.paint(values, ATLAS, missing="fill", fill=np.nan)
    np.testing.assert_array_equal(array(image), by_hand(values, np.nan))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", np.float32])
def test_dtype_is_that_of_the_image(dtype):
    image = rc.paint(VALUES, ATLAS, dtype=dtype)
    assert image.get_data_dtype() == array(image).dtype == dtype
    np.testing.assert_array_equal(array(image), by_hand(VALUES))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1.0, 2.0, 3.0, 100.0], "int8"),
        ([1, 2, 3, 65535], "uint16"),
        ([2**60, 1, 2, 3], "uint64"),
        ([1 + 0j, 2, 3, 4], "float32"),
        ([True, False, True, True], "int16"),
    ],
)
def test_a_dtype_that_holds_all_values_exactly_is_fine(values, dtype):
    image = rc.paint(values, ATLAS, dtype=dtype)
    assert image.get_data_dtype() == dtype
    expected = rc.paint(values, ATLAS)
    np.testing.assert_array_equal(array(image), array(expected).real.astype(dtype))


@pytest.mark.parametrize(
    ("values", "dtype", "shown"),
    [
        ([1.0, 2.5, 3.0, 4.0], "int16", "1 value cannot be held by int16: 2.5"),
        ([1, 2, 300, -1], "uint8", "2 values cannot be held by uint8: -1, 300"),
        ([1.0, np.nan, 3.0, 4.0], "int32", "1 value cannot be held by int32: nan"),
        ([1.0, 1e39, 3.0, 4.0], "float32", "1 value cannot be held by float32: 1e+39"),
        ([1j, 2, 3, 4], "float64", "1 value cannot be held by float64"),
        ([1.0, 2.0**63, 3.0, 4.0], "int64", "1 value cannot be held by int64: 9.22337e+18"),
        ([2**63, 1, 2, 3], "int64", "1 value cannot be held by int64"),
    ],
)
def test_a_dtype_that_would_change_values_raises(values, dtype, shown):
    with pytest.raises(SignalsError) as caught:
        rc.paint(values, ATLAS, dtype=dtype)
    assert shown in str(caught.value)
    assert f"Pass another dtype, such as {np.asarray(values).dtype}." in str(caught.value)


@pytest.mark.parametrize(("fill", "dtype"), [(np.nan, "int16"), (-1, "uint8"), (0.5, "int64")])
def test_a_fill_value_that_does_not_fit_raises(fill, dtype):
    with pytest.raises(SignalsError, match=f"The fill value {fill} cannot be held by {dtype}"):
        rc.paint(np.arange(4).astype(dtype), ATLAS, fill=fill)


def test_a_mask_gives_the_fill_value_outside():
    inside = np.indices(SHAPE)[0] < 3
    mask = nib.Nifti1Image(inside.astype(np.float32), AFFINE)
    image = rc.paint(VALUES, ATLAS, mask=mask, fill=-9)
    np.testing.assert_array_equal(array(image), np.where(inside, by_hand(VALUES, -9.0), -9))


def test_a_region_that_the_mask_empties_keeps_its_column():
    mask = nib.Nifti1Image((DATA != 20).astype(np.uint8), AFFINE)
    with pytest.warns(MaskWarning, match="The mask leaves no voxel of 1 region: 'V2'"):
        image = rc.paint([1.0, 2.0, 3.0, 4.0], ATLAS, mask=mask)
    expected = rc.paint([1.0, 2.0, 3.0, 4.0], ATLAS)
    np.testing.assert_array_equal(array(image), np.where(DATA == 20, 0, array(expected)))
    with pytest.raises(MatchError, match="have 3 values for 4 regions"):
        rc.paint([1.0, 2.0, 3.0], ATLAS, mask=mask)


def test_a_mask_elsewhere_raises():
    with pytest.raises(SpaceError, match="incompatible shapes"):
        rc.paint(VALUES, ATLAS, mask=nib.Nifti1Image(np.ones((5, 3, 5), np.uint8), AFFINE))
    nowhere = nib.Nifti1Image(np.zeros(SHAPE, np.uint8), AFFINE)
    with pytest.raises(LabelsError, match="The mask leaves no region"):
        rc.paint(VALUES, ATLAS, mask=nowhere)


@pytest.mark.parametrize("t_r", [0.8, 2, 1.25])
def test_t_r_is_in_the_header(tmp_path, t_r):
    image = rc.paint(np.ones((6, 4)), ATLAS, t_r=t_r)
    for one in (image, nib.load(rc.save(image, tmp_path / "map.nii.gz"))):
        assert one.header.get_zooms()[3] == pytest.approx(t_r)
        assert one.header.get_xyzt_units()[1] == "sec"
    np.testing.assert_allclose(image.header.get_zooms()[:3], nib.affines.voxel_sizes(AFFINE))


def test_t_r_of_signals_is_in_the_header_and_may_be_replaced():
    signals = rc.Signals(np.ones((6, 4)), NAMES, t_r=2.0)
    assert rc.paint(signals, ATLAS).header.get_zooms()[3] == 2.0
    assert rc.paint(signals, ATLAS, t_r=1.5).header.get_zooms()[3] == 1.5


@pytest.mark.parametrize(
    ("by", "keys"),
    [("name", NAMES), ("label", LABELS), ("code", list("abcd")), ("position", list("wxyz"))],
)
def test_by(by, keys):
    values = np.array([0.5, -1.5, 2.25, 8.0])
    if by == "position":
        values = values[np.argsort(LABELS)]
    painted = rc.paint(dict(zip(keys, values, strict=True)), ATLAS, by=by)
    np.testing.assert_array_equal(array(painted), by_hand(VALUES))
    assert painted.match.by == by


def test_regions_and_background_are_those_of_load_parcellation():
    image = rc.paint(VALUES, rc.load_parcellation(LABELS_IMAGE, TABLE))
    np.testing.assert_array_equal(array(image), by_hand(VALUES))
    others = rc.paint(
        {0: 1.0, 3: 2.0, -8: 4.0, 1007: 5.0}, rc.load_parcellation(LABELS_IMAGE, background=20)
    )
    expected = np.select([DATA == 0, DATA == 3, DATA == -8, DATA == 1007], [1.0, 2, 4, 5], 0)
    np.testing.assert_array_equal(array(others), expected)
    everywhere = rc.paint(np.arange(5.0), rc.load_parcellation(LABELS_IMAGE, background=np.nan))
    np.testing.assert_array_equal(array(everywhere), np.searchsorted(np.sort([0, *LABELS]), DATA))


# --- the image -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((4,), SHAPE), ((1, 4), (*SHAPE, 1)), ((7, 4), (*SHAPE, 7))],
)
def test_a_vector_is_a_volume_and_a_matrix_is_a_series(shape, expected):
    image = rc.paint(np.ones(shape, np.float32), ATLAS)
    assert image.shape == image.dataobj.shape == array(image).shape == expected
    assert isinstance(image, nib.Nifti1Image)
    assert isinstance(image, rc.PaintedImage)


def test_geometry_comes_from_the_labels_image_and_nothing_else_does():
    labels = labels_image()
    labels.set_sform(AFFINE, code="mni")
    labels.set_qform(None, code=0)
    labels.header.set_xyzt_units("mm", "msec")
    labels.header.set_intent("label", name="regions")
    labels.header["descrip"] = b"an atlas"
    labels.header["cal_max"] = 99
    labels.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"comment"))
    image = rc.paint(np.ones(4), labels)
    np.testing.assert_array_equal(image.affine, labels.affine)
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (4, 0)
    assert image.header.get_xyzt_units()[0] == "mm"
    assert image.header.get_intent()[0] == "none"
    assert image.header["descrip"] == b""
    assert image.header["cal_max"] == 0
    assert not image.header.extensions


def test_an_image_remembers_its_match_and_its_parts_do_not():
    image = rc.paint(VALUES, ATLAS)
    assert image.match.n_matched == 4
    assert image.slicer[:2].match is None


# --- made when asked for ---------------------------------------------------------------------


@pytest.fixture
def painted_bytes(monkeypatch):
    """Return the list that grows by the bytes of each painting that is made."""
    made = []
    real = painting.paint

    def counting(*args, **options):
        out = real(*args, **options)
        made.append(out.nbytes)
        return out

    monkeypatch.setattr(painting, "paint", counting)
    return made


SERIES = np.arange(24.0).reshape(6, 4)
VOLUME = int(np.prod(SHAPE)) * 8


def test_nothing_is_painted_until_voxels_are_asked_for(painted_bytes):
    image = rc.paint(SERIES, ATLAS)
    repr(image.header), image.shape, image.affine, image.get_data_dtype(), image.match
    pickle.loads(pickle.dumps(image))
    str(image)
    assert painted_bytes == []
    assert not image.in_memory
    array(image)
    assert painted_bytes == [6 * VOLUME]


@pytest.mark.parametrize(
    ("index", "share"),
    [
        ((..., 3), 1 / 6),
        ((slice(None), slice(None), slice(None), slice(2, 4)), 2 / 6),
        ((0,), 1 / 5),
        ((slice(None), 1, 2, 5), 1 / (3 * 4 * 6)),
        ((1, 2, 3, 4), 1 / (5 * 3 * 4 * 6)),
        ((slice(None, None, -2), ..., -1), 3 / (5 * 6)),
    ],
)
def test_a_slice_paints_that_part_only(painted_bytes, index, share):
    image = rc.paint(SERIES, ATLAS)
    part = image.dataobj[index]
    assert painted_bytes == [round(6 * VOLUME * share)]
    np.testing.assert_array_equal(part, array(image)[index])


def test_a_slicer_paints_nothing_and_then_its_part(painted_bytes):
    image = rc.paint(SERIES, ATLAS)
    part = image.slicer[1:3, :, :, 2:4]
    got = array(part)
    assert sum(painted_bytes) <= 2 * got.nbytes
    np.testing.assert_array_equal(got, array(image)[1:3, :, :, 2:4])
    np.testing.assert_allclose(part.affine[:3, 3], AFFINE[:3, 3] + AFFINE[:3, 0])


def indices(length):
    edge = st.none() | st.integers(-length - 2, length + 2)
    step = st.none() | st.integers(-3, 3).filter(bool)
    return st.integers(-length, length - 1) | st.builds(slice, edge, edge, step)


@given(st.data(), st.booleans())
def test_any_slice_of_the_lazy_image_is_that_of_the_whole(data, single):
    image = rc.paint(SERIES[0] if single else SERIES, ATLAS)
    whole = array(image)
    n_axes = data.draw(st.integers(0, whole.ndim))
    index = [data.draw(indices(length)) for length in whole.shape[:n_axes]]
    for place in sorted(data.draw(st.lists(st.integers(0, n_axes), max_size=2)), reverse=True):
        index.insert(place, None)
    if data.draw(st.booleans()) and n_axes < whole.ndim:
        index.append(Ellipsis)
    got, expected = image.dataobj[tuple(index)], whole[tuple(index)]
    assert np.shape(got) == np.shape(expected)
    assert got.dtype == expected.dtype
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("index", [(5,), (0, -4), (0, 0, 4), (0, 0, 0, 6), (0,) * 5, (..., ...)])
def test_an_index_outside_raises_as_numpy_does(index):
    with pytest.raises(IndexError):
        rc.paint(SERIES, ATLAS).dataobj[index]


@pytest.mark.parametrize("index", [[0, 2], np.array([True, False, True, False, True])])
def test_index_arrays_work_too(index):
    image = rc.paint(SERIES, ATLAS)
    np.testing.assert_array_equal(image.dataobj[index], array(image)[index])


def test_an_image_pickles_to_codes_and_values():
    labels = nib.Nifti1Image(np.arange(40 * 30 * 20).reshape(40, 30, 20) % 5, AFFINE, dtype="int16")
    image = rc.paint(np.random.default_rng(0).standard_normal((500, 4)), labels)
    content = pickle.dumps(image)
    codes, values = 40 * 30 * 20, 500 * 5 * 8
    assert len(content) < codes + 2 * values + 20_000 < 500 * codes
    again = pickle.loads(content)
    np.testing.assert_array_equal(array(again), array(image))
    np.testing.assert_array_equal(again.affine, image.affine)
    assert again.header == image.header


@pytest.mark.parametrize(
    ("suffix", "block"), [(".nii", "nifti._BLOCK_BYTES"), (".nii.gz", "painted_gzip._BLOCK_BYTES")]
)
def test_saving_a_series_never_holds_all_of_it(painted_bytes, monkeypatch, tmp_path, suffix, block):
    monkeypatch.setattr(f"regioncast.io.volume.{block}", 2 * VOLUME)
    pieces, progress, made = [], [], painting.FileOrder.made

    def noting(self, piece, buffer):
        pieces.append(made(self, piece, buffer).nbytes)
        return made(self, piece, buffer)

    monkeypatch.setattr(painting.FileOrder, "made", noting)
    image = rc.paint(SERIES, ATLAS)
    path = rc.save(image, tmp_path / f"map{suffix}", progress=lambda *done: progress.append(done))
    assert pieces == [2 * VOLUME] * 3
    assert not painted_bytes
    assert progress == [(2, 6), (4, 6), (6, 6)]
    np.testing.assert_array_equal(array(nib.load(path)), array(image))


# --- in company ------------------------------------------------------------------------------


def test_nibabel_and_nilearn_take_the_image(tmp_path):
    image_of_nilearn = pytest.importorskip("nilearn.image")
    image = rc.paint(SERIES, ATLAS)
    np.testing.assert_array_equal(image.get_fdata(), array(image))
    mean = image_of_nilearn.mean_img(image, copy_header=True)
    np.testing.assert_allclose(mean.get_fdata(), array(image).mean(axis=-1))
    new = image_of_nilearn.new_img_like(image, array(image)[..., 0] * 2)
    np.testing.assert_array_equal(new.get_fdata(), array(image)[..., 0] * 2)
    third = image_of_nilearn.index_img(image, 3)
    np.testing.assert_array_equal(third.get_fdata(), array(image)[..., 3])


def test_painting_leaves_its_inputs_alone():
    values, labels = SERIES.copy(), labels_image()
    before, header = np.asarray(labels.dataobj).copy(), labels.header.copy()
    image = rc.paint(values, labels)
    array(image)[:] = 99
    np.testing.assert_array_equal(values, SERIES)
    np.testing.assert_array_equal(labels.dataobj, before)
    assert labels.header == header


def test_an_image_does_not_change_with_the_values_it_was_made_from():
    values = SERIES.copy()
    image = rc.paint(values, ATLAS)
    expected = array(image)
    values[:] = -1
    np.testing.assert_array_equal(array(image), expected)
