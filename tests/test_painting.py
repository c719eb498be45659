"""A painted array is the eager one, whatever part of it is asked for and by whom."""

from __future__ import annotations

import copy
import io
import pickle

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from nibabel.tests.test_proxy_api import _TestProxyAPI

import regioncast as rc
from regioncast import testing
from regioncast.engine import dtypes, painting, threads
from regioncast.engine.painting import PaintedArray

CODE_DTYPES = ["u1", "u2", "u4"]
SEEDS = st.integers(0, 2**32 - 1)
AFFINE = np.array([[-2.0, 0.1, 0, 40], [0.1, 2.5, 0, -7], [0, 0, 3, 5], [0, 0, 0, 1]])


def some_codes(shape, n_regions, *, seed=0, dtype="u1", memory="F"):
    codes = np.random.default_rng(seed).integers(0, n_regions + 1, shape).astype(dtype)
    return testing.in_memory(codes, memory)


def eager(array):
    """What the painted array stands for, made by NumPy."""
    if array.maps_first:
        return array.table[:, array.codes]
    maps = np.moveaxis(array.table[:, array.codes], 0, -1)
    return maps[..., 0] if array.single else maps


def assert_same(got, expected):
    got = np.asarray(got)
    assert (got.shape, got.dtype) == (expected.shape, expected.dtype)
    assert got.tobytes() == expected.tobytes()


@st.composite
def painted_arrays(draw, signal_dtypes=testing.SIGNAL_DTYPES):
    """Voxels; vertices; and grayordinates, whose maps are the first axis."""
    n_regions = draw(st.integers(1, 5))
    table = draw(testing.region_signals(n_regions + 1, signal_dtypes))
    is_volume = draw(st.booleans())
    codes = some_codes(
        draw(testing.volume_shapes() if is_volume else st.tuples(st.integers(1, 40))),
        n_regions,
        seed=draw(SEEDS),
        dtype=draw(st.sampled_from(CODE_DTYPES)),
        memory=draw(st.sampled_from(["C", "F"])),
    )
    maps_first = not is_volume and draw(st.booleans())
    return PaintedArray(codes, np.atleast_2d(table), single=table.ndim == 1, maps_first=maps_first)


@pytest.fixture
def labels_img():
    labels = np.zeros((5, 7, 4), np.int16)
    labels[:2], labels[3:, 2:5], labels[2, :, 1:] = 300, -4, 12
    return nib.Nifti1Image(labels, AFFINE)


@pytest.fixture
def series(labels_img):
    return rc.paint(np.random.default_rng(3).normal(size=(6, 3)), labels_img)


# --- parts --------------------------------------------------------------------------------


@given(array=painted_arrays(), data=st.data())
def test_any_basic_part_is_that_part_of_the_eager_array(array, data):
    index = data.draw(arrays.basic_indices(array.shape, allow_newaxis=True, max_dims=7))
    assert_same(array[index], np.asarray(eager(array)[index]))


@given(array=painted_arrays(), data=st.data())
def test_index_arrays_and_boolean_masks_give_that_part_of_the_eager_array(array, data):
    mask = np.random.default_rng(data.draw(SEEDS)).random(array.shape) < 0.5
    indices = [
        data.draw(arrays.integer_array_indices(array.shape)),
        mask,
        mask[..., 0] if array.ndim > 1 else mask,
        (slice(None), mask[0]) if array.ndim > 1 else mask,
        ([0, -1], Ellipsis),
        True,
    ]
    for index in indices:
        assert_same(array[index], eager(array)[index])


@pytest.mark.parametrize(
    "index",
    [
        np.s_[::-1],
        np.s_[:, ::-2, 1],
        np.s_[..., ::-1],
        np.s_[None, 1, ..., None, -1],
        np.s_[4, 6, 3, 5],
        np.s_[()],
        np.s_[...],
        np.s_[np.int8(2), np.uint64(1) : np.int16(5)],
        np.s_[3:3],
        np.s_[..., 9:],
        np.s_[-9:2, 100:],
    ],
)
def test_parts_with_steps_ellipsis_new_axes_and_nothing_in_them(series, index):
    assert_same(series.dataobj[index], np.asarray(eager(series.dataobj)[index]))


@pytest.mark.parametrize("single", [True, False])
@pytest.mark.parametrize(
    "index", [7, (0, -6), (0, 0, 0, 0, 0), (..., ...), np.s_[:, :, :, :, 0], (0, 0, 4)]
)
def test_an_index_that_does_not_fit_is_an_index_error(single, index):
    codes = some_codes((7, 5, 4), 2)
    table = np.arange(3.0)[np.newaxis] if single else np.arange(6.0).reshape(2, 3)
    array = PaintedArray(codes, table, single=single)
    with pytest.raises(IndexError):
        eager(array)[index]
    with pytest.raises(IndexError):
        array[index]


def test_an_index_of_another_type_is_an_index_error(series):
    for index in ("a", 1.5, (0, "b")):
        with pytest.raises(IndexError):
            series.dataobj[index]


def test_one_map_of_a_series_costs_one_map(series, monkeypatch):
    painted = []
    monkeypatch.setattr(
        painting, "paint", lambda codes, table, **kw: painted.append((codes.shape, table.shape))
    )
    with pytest.raises(TypeError):  # there is nothing to index
        series.dataobj[1:3, ..., 2]
    assert painted == [((2, 7, 4), (1, 4))]


# --- all of it ----------------------------------------------------------------------------


@given(array=painted_arrays())
def test_the_whole_array_is_the_eager_one_map_by_map_in_memory(array):
    whole = np.asarray(array)
    assert_same(whole, eager(array))
    assert (whole.T if array.maps_first else whole).flags.f_contiguous
    assert (array.shape, array.ndim, array.dtype) == (whole.shape, whole.ndim, whole.dtype)


@given(
    codes_memory=st.sampled_from(["C", "F"]),
    order=st.sampled_from(["C", "F"]),
    shape=testing.volume_shapes(),
    table=testing.region_signals(4),
    seed=SEEDS,
)
def test_painting_is_a_look_up_in_the_order_asked_for(codes_memory, order, shape, table, seed):
    codes = some_codes(shape, 3, seed=seed, memory=codes_memory)
    maps = np.atleast_2d(table).astype(dtypes.storage_dtype(table.dtype))
    out = painting.paint(codes, maps, single=table.ndim == 1, order=order)
    assert out.flags[f"{order}_CONTIGUOUS"]
    assert_same(out, eager(PaintedArray(codes, maps, single=table.ndim == 1)))


@given(
    codes_memory=st.sampled_from(["C", "F", "strided"]),
    order=st.sampled_from(["C", "F"]),
    shape=testing.volume_shapes(),
    signals=testing.region_signals(3),
    table_bytes=st.sampled_from([1, 100, 1 << 20]),
    fresh_bytes=st.sampled_from([0, 1 << 25]),
    seed=SEEDS,
)
def test_signals_are_painted_in_any_number_of_maps_at_a_time(
    codes_memory, order, shape, signals, table_bytes, fresh_bytes, seed
):
    codes = some_codes(shape, 3, seed=seed, memory=codes_memory)
    maps = signals.astype(dtypes.storage_dtype(signals.dtype))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(painting, "_TABLE_BYTES", table_bytes)
        patch.setattr(painting, "_FRESH_BYTES", fresh_bytes)
        out = painting.paint_signals(codes, maps, order=order)
    assert out.flags[f"{order}_CONTIGUOUS"]
    table = np.zeros((len(np.atleast_2d(maps)), 4), maps.dtype)
    table[:, 1:] = maps
    assert_same(out, eager(PaintedArray(codes, table, single=signals.ndim == 1)))


@given(array=painted_arrays(["f8", "i4", "u1", "f4"]), dtype=st.sampled_from(["f4", "f8", "c16"]))
def test_numpy_gets_the_dtype_that_it_asks_for(array, dtype):
    with np.errstate(over="ignore"):
        expected = eager(array).astype(dtype)
        for make in (np.array, np.asarray, np.asanyarray):
            assert_same(make(array, dtype=dtype), expected)


def test_a_copy_is_made_and_none_cannot_be_had(series):
    first, second = np.array(series.dataobj, copy=True), np.asarray(series.dataobj)
    assert not np.shares_memory(first, second)
    with pytest.raises(ValueError, match="made on demand"):
        np.array(series.dataobj, copy=False)


@given(
    array=painted_arrays(["u1", "f4", "f8", "c16"]),
    order=st.sampled_from(["C", "F"]),
    n_cpus=st.integers(1, 6),
    bytes_per_thread=st.sampled_from([1, 64, 10**9]),
    fresh_bytes=st.sampled_from([0, 10**9]),
    slab=st.sampled_from([1, 20, 10**9]),
    fill=st.sampled_from([0, 3]),
)
def test_threads_slabs_and_fresh_memory_give_the_same_bytes(
    array, order, n_cpus, bytes_per_thread, fresh_bytes, slab, fill
):
    table = array.table.copy()
    table[:, 0] = fill
    expected = eager(PaintedArray(array.codes, table, single=array.single))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(painting, "n_cpus", lambda: n_cpus)
        patch.setattr(threads, "n_cpus", lambda: n_cpus)
        patch.setattr(painting, "_BYTES_PER_THREAD", bytes_per_thread)
        patch.setattr(painting, "_FRESH_BYTES", fresh_bytes)
        patch.setattr(painting, "_SLAB", slab)
        assert_same(painting.paint(array.codes, table, single=array.single, order=order), expected)


def test_a_table_of_values_has_the_fill_value_and_then_one_column_per_region():
    values = np.array([[0.5, 1.5], [np.nan, -2.5]], np.float32)
    table = painting.value_table(values, np.array([1, -1, 0]), fill=-1)
    assert_same(table, np.array([[-1, 1.5, -1, 0.5], [-1, -2.5, -1, np.nan]], np.float32))
    wider = painting.value_table(values, np.array([1, -1, 0]), fill=-1, dtype="f8")
    assert_same(wider, table.astype("f8"))


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 5)])
@pytest.mark.parametrize("n_maps", [0, 1, 3])
@pytest.mark.parametrize("order", ["C", "F"])
def test_nothing_is_painted_as_nothing(shape, n_maps, order):
    out = painting.paint(
        np.zeros(shape, "u1"), np.zeros((n_maps, 2), "f4"), single=False, order=order
    )
    assert (out.shape, out.dtype) == ((*shape, n_maps), np.dtype("f4"))


# --- nibabel ------------------------------------------------------------------------------


class TestArrayProxyProtocol(_TestProxyAPI):
    """nibabel's own test of what an array proxy must do."""

    def obj_params(self):
        for dtype, single in [("f8", True), ("f4", False), ("i2", False), ("c8", True)]:
            array = PaintedArray(
                some_codes((7, 3, 5), 4, dtype="u2"),
                np.arange(5 if single else 15).reshape(-1, 5).astype(dtype),
                single=single,
            )
            whole = eager(array)
            header = nib.Nifti1Image(array, np.eye(4)).header
            params = {"arr_out": whole, "dtype_out": whole.dtype, "shape": whole.shape}
            yield (lambda array=array, header=header: (array, "", header)), params


@pytest.mark.parametrize("own", ["u1", "i4", "f4", "f8", "c8"])
@pytest.mark.parametrize("least", [None, "u1", "f4", "f8", "c16"])
def test_get_scaled_gives_at_least_the_precision_asked_for(own, least):
    array = PaintedArray(some_codes((4, 3, 2), 2), np.array([[0, 1, 3]], own), single=True)
    scaled = array.get_scaled() if least is None else array.get_scaled(least)
    wanted = np.dtype(own) if least is None else np.promote_types(own, least)
    assert_same(scaled, eager(array).astype(wanted))
    assert_same(array.get_unscaled(), eager(array))


def test_the_image_is_a_nifti_image_with_lazy_data(series, labels_img):
    assert isinstance(series, nib.Nifti1Image)
    assert nib.is_proxy(series.dataobj)
    assert not series.in_memory
    np.testing.assert_array_equal(series.affine, labels_img.affine)
    assert series.get_data_dtype() == series.dataobj.dtype


def test_get_fdata_is_cached_and_of_the_dtype_asked_for(series):
    data = series.get_fdata()
    assert data is series.get_fdata()
    assert_same(data, eager(series.dataobj))
    series.uncache()
    assert_same(series.get_fdata(dtype=np.float32), eager(series.dataobj).astype("f4"))


def test_the_slicer_cuts_data_and_moves_the_affine(series):
    cut = series.slicer[1:4, ::2, :, 2:5]
    assert_same(cut.dataobj, eager(series.dataobj)[1:4, ::2, :, 2:5])
    plain = nib.Nifti1Image(eager(series.dataobj), series.affine).slicer[1:4, ::2]
    np.testing.assert_array_equal(cut.affine, plain.affine)


@pytest.mark.parametrize("protocol", range(4, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_image_is_small_lazy_and_equal(labels_img, protocol):
    signals = np.random.default_rng(0).normal(size=(500, 3))
    image = rc.paint(signals, labels_img, t_r=1.5)
    pickled = pickle.dumps(image, protocol)
    parts = image.dataobj.codes.nbytes + image.dataobj.table.nbytes
    assert len(pickled) < parts + 3000 < eager(image.dataobj).nbytes / 10
    again = pickle.loads(pickled)
    assert type(again) is type(image)
    assert nib.is_proxy(again.dataobj)
    assert_same(again.dataobj, eager(image.dataobj))
    assert again.header == image.header
    np.testing.assert_array_equal(again.affine, image.affine)


def test_parts_and_copies_pickle_too(series):
    for image in (series.slicer[1:], series.__class__(series.get_fdata(), series.affine)):
        again = pickle.loads(pickle.dumps(image))
        assert_same(again.dataobj, np.asarray(image.dataobj))
        np.testing.assert_array_equal(again.affine, image.affine)


def test_a_deep_copy_is_equal_and_independent(series):
    expected = eager(series.dataobj)
    twin = copy.deepcopy(series)
    twin.dataobj.table[:] = 0
    twin.dataobj.codes[:] = 0
    twin.header["descrip"] = b"changed"
    assert_same(series.dataobj, expected)
    assert series.header["descrip"] == b""
    assert_same(copy.copy(series).dataobj, expected)


def test_bytes_and_streams_hold_the_image(series):
    again = nib.Nifti1Image.from_bytes(series.to_bytes())
    assert_same(again.dataobj, eager(series.dataobj))
    stream = io.BytesIO()
    series.to_stream(stream)
    assert_same(nib.Nifti1Image.from_bytes(stream.getvalue()).dataobj, eager(series.dataobj))


def test_other_image_classes_are_made_from_it(series):
    for other in (nib.Nifti2Image, nib.Nifti1Pair):
        assert_same(other.from_image(series).dataobj, eager(series.dataobj))


def test_it_is_reoriented_as_any_image(series):
    plain = nib.Nifti1Image(eager(series.dataobj), series.affine)
    ours, theirs = nib.as_closest_canonical(series), nib.as_closest_canonical(plain)
    assert_same(ours.dataobj, np.asarray(theirs.dataobj))
    np.testing.assert_array_equal(ours.affine, theirs.affine)


def test_volumes_are_split_off_and_joined(series):
    volumes = nib.four_to_three(series)
    assert len(volumes) == 6
    np.testing.assert_array_equal(nib.concat_images(volumes).get_fdata(), eager(series.dataobj))


# --- nilearn ------------------------------------------------------------------------------


def test_nilearn_plots_it(tmp_path):
    plotting = pytest.importorskip("nilearn.plotting")
    demo = rc.demo_data()
    image = rc.paint(demo.values, demo.atlas)
    output = tmp_path / "motor.png"
    plotting.plot_stat_map(image, output_file=output, display_mode="z", cut_coords=[50])
    assert output.read_bytes().startswith(b"\x89PNG")


def test_nilearn_selects_means_and_smooths_it(series):
    image = pytest.importorskip("nilearn.image")
    plain = nib.Nifti1Image(eager(series.dataobj), series.affine)
    for work in (
        lambda img: image.index_img(img, 2),
        lambda img: image.index_img(img, slice(1, 4)),
        image.mean_img,
        lambda img: image.smooth_img(img, fwhm=5),
        lambda img: image.math_img("2 * img", img=img),
        lambda img: image.concat_imgs([img, img]),
    ):
        ours, theirs = work(series), work(plain)
        np.testing.assert_array_equal(ours.affine, theirs.affine)
        np.testing.assert_array_equal(ours.get_fdata(), theirs.get_fdata())
    assert nib.is_proxy(series.dataobj)


def test_nilearn_makes_new_images_like_it(series, tmp_path):
    new_img_like = pytest.importorskip("nilearn.image").new_img_like
    data = np.random.default_rng(1).normal(size=series.shape[:3])
    for copy_header in (False, True):
        new = new_img_like(series, data, copy_header=copy_header)
        np.testing.assert_array_equal(new.get_fdata(), data)
        new.to_filename(tmp_path / "new.nii")
        np.testing.assert_array_equal(nib.load(tmp_path / "new.nii").get_fdata(), data)


def test_new_images_like_a_painting_of_integers_are_saved_exactly(labels_img, tmp_path):
    new_img_like = pytest.importorskip("nilearn.image").new_img_like
    painted = rc.paint(np.array([1, 2, 3], np.uint8), labels_img)
    data = np.random.default_rng(1).normal(size=painted.shape)
    new = new_img_like(painted, data, copy_header=True)
    new.to_filename(tmp_path / "new.nii")
    np.testing.assert_array_equal(nib.load(tmp_path / "new.nii").get_fdata(), data)


def test_nilearns_maskers_read_it(series, labels_img):
    maskers = pytest.importorskip("nilearn.maskers")
    labels = np.asarray(labels_img.dataobj)
    mask_img = nib.Nifti1Image((labels != 0).astype(np.uint8), labels_img.affine)
    voxels = maskers.NiftiMasker(mask_img, standardize=None).fit_transform(series)
    np.testing.assert_allclose(voxels, eager(series.dataobj)[labels != 0].T)
    masker = maskers.NiftiLabelsMasker(labels_img, standardize=None)
    np.testing.assert_allclose(masker.fit_transform(series), series.dataobj.table[:, 1:])
