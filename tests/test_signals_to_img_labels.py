"""``signals_to_img_labels``: what nilearn documents, and every point that it leaves open."""

from __future__ import annotations

import gc
import gzip
import tracemalloc
import warnings
from pathlib import Path

import nibabel as nib
import nilearn.regions
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from small_volumes import (
    OBLIQUE,
    array_of,
    assert_bits,
    assert_same_signature,
    columns_of,
    image_of,
    small_labels,
)

import regioncast
from regioncast import testing
from regioncast.errors import (
    DimensionError,
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    LabelsError,
    LabelsWarning,
    MaskWarning,
    RegioncastError,
    SignalsError,
    SignalsTypeError,
    SpaceError,
)
from regioncast.nilearn.regions import signals_to_img_labels

ORDERS = st.sampled_from(["C", "F"])
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture
def labels():
    return small_labels()


@pytest.fixture
def labels_img(labels):
    return nib.Nifti1Image(labels, OBLIQUE)


@pytest.fixture
def signals():
    """Values of the labels -2, 3, 7, 7001."""
    return np.array([-2.5, 0.3, 7e-5, 1e30])


@pytest.fixture
def expected(signals, labels):
    return testing.brute_force_paint(signals, labels)


# --- the function -------------------------------------------------------------------------


def test_the_signature_is_nilearns():
    assert_same_signature(signals_to_img_labels, nilearn.regions.signals_to_img_labels)


def test_it_has_one_home_and_two_doors():
    assert regioncast.signals_to_img_labels is regioncast.nilearn.regions.signals_to_img_labels


@given(
    labels=testing.label_volumes(),
    background=st.sampled_from([0, -1, 3, 7.0, np.nan, 2.5, 2**40]),
    order=ORDERS,
    data=st.data(),
)
def test_painting_is_the_double_loop_over_voxels(labels, background, order, data):
    n_regions = columns_of(labels, background)
    assume(n_regions)
    signals = data.draw(testing.region_signals(n_regions))
    image = signals_to_img_labels(signals, image_of(labels), None, background, order)
    assert_bits(array_of(image), testing.brute_force_paint(signals, labels, background))


@given(labels=testing.label_volumes(), order=ORDERS, full=st.booleans(), data=st.data())
def test_painting_inside_a_mask_is_the_double_loop_over_voxels(labels, order, full, data):
    mask = data.draw(testing.masks(labels.shape))
    n_inside = columns_of(labels, mask=mask)
    assume(n_inside)
    signals = data.draw(
        testing.region_signals(columns_of(labels) if full else n_inside, ["f8", "u1"])
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaskWarning)
        image = signals_to_img_labels(signals, image_of(labels), image_of(mask), order=order)
    assert_bits(array_of(image), testing.brute_force_paint(signals, labels, mask=mask))


@given(labels=testing.label_volumes(background=False), seed=SEEDS, data=st.data())
def test_renumbering_labels_and_columns_alike_changes_nothing(labels, seed, data):
    regions = testing.regions_of(labels, np.nan)
    signals = data.draw(testing.region_signals(len(regions)))
    rng = np.random.default_rng(seed)
    numbers = rng.choice(np.arange(-500, 500) * 2**41 + 1, len(regions), replace=False)
    renumbered = numbers[np.searchsorted(np.array(regions), labels.astype(object))]
    image = signals_to_img_labels(signals, image_of(labels), background_label=np.nan)
    again = signals_to_img_labels(signals[..., np.argsort(numbers)], image_of(renumbered))
    assert_bits(array_of(again), array_of(image))


@given(labels=testing.label_volumes(), data=st.data())
def test_each_row_of_2d_signals_is_painted_as_alone(labels, data):
    signals = data.draw(testing.region_signals(columns_of(labels), n_maps=3))
    together = array_of(signals_to_img_labels(signals, image_of(labels)))
    for t, row in enumerate(signals):
        alone = array_of(signals_to_img_labels(row, image_of(labels)))
        np.testing.assert_array_equal(together[..., t], alone)


@given(
    labels=testing.label_volumes(["u1", "i1", "i2", "u2", "i4"], memories=["C", "F"]),
    order=ORDERS,
    data=st.data(),
)
def test_it_equals_nilearn_where_nilearn_is_right(labels, order, data):
    signals = data.draw(testing.region_signals(columns_of(labels), ["f4", "f8", "i4", "u1"]))
    image = image_of(labels, np.diag([2.0, 3, 4, 1]))
    with np.errstate(over="ignore"):  # cal_max in their header
        theirs = nilearn.regions.signals_to_img_labels(signals, image, order=order)
    ours = signals_to_img_labels(signals, image, order=order)
    assert_bits(array_of(ours), array_of(theirs))
    np.testing.assert_array_equal(ours.affine, theirs.affine)


@given(labels=testing.label_volumes(["u1", "i2", "i4"], memories=["C", "F"]), seed=SEEDS)
def test_it_equals_nilearn_where_a_mask_leaves_some_of_each_region(labels, seed):
    inside = np.random.default_rng(seed).random(labels.shape) < 0.7
    assume(columns_of(labels, mask=inside) == columns_of(labels))
    signals = np.arange(1.0, columns_of(labels) + 1)
    image = image_of(labels, np.diag([2.0, 3, 4, 1]))
    mask_img = image_of(inside.astype(np.uint8), image.affine)
    theirs = nilearn.regions.signals_to_img_labels(signals, image, mask_img)
    ours = signals_to_img_labels(signals, image, mask_img)
    np.testing.assert_array_equal(array_of(ours), array_of(theirs))


# --- where we differ from nilearn ---------------------------------------------------------


@pytest.fixture
def both():
    return nilearn.regions.signals_to_img_labels, signals_to_img_labels


def test_unlike_nilearn_p_values_on_a_uint8_atlas_survive_saving(both, tmp_path):
    labels_img = nib.Nifti1Image(np.arange(4, dtype=np.uint8).reshape(4, 1, 1), np.eye(4))
    signals = np.array([1e-4, 0.02, np.nan])
    reloaded = []
    for paint in both:
        with np.errstate(invalid="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nib.save(paint(signals, labels_img), tmp_path / "p.nii")
        reloaded.append(nib.load(tmp_path / "p.nii").get_fdata()[1:, 0, 0])
    theirs, ours = reloaded
    assert not np.array_equal(theirs, signals, equal_nan=True)
    assert_bits(np.ascontiguousarray(ours), signals)


def test_unlike_nilearn_int64_signals_stay_int64(both):
    labels_img = nib.Nifti1Image(np.array([[[1, 2, 0]]], np.int16), np.eye(4))
    theirs, ours = both
    with pytest.warns(UserWarning, match="converted to int32"):
        assert array_of(theirs(np.array([5, 6]), labels_img)).dtype == np.int32
    assert_bits(array_of(ours(np.array([5, 2**60]), labels_img)), np.array([[[5, 2**60, 0]]]))


def test_unlike_nilearn_a_mask_that_empties_a_region_shifts_no_value(both):
    labels_img = nib.Nifti1Image(np.array([[[1, 2, 3, 4]]], np.int16), np.eye(4))
    mask_img = nib.Nifti1Image(np.array([[[1, 0, 1, 1]]], np.int16), np.eye(4))
    theirs, ours = both
    values = np.array([10.0, 20, 30, 40])
    with pytest.warns(UserWarning, match="labels were removed"):
        image = theirs(values, labels_img, mask_img)
    assert array_of(image).ravel().tolist() == [10, 0, 20, 30]
    with pytest.warns(MaskWarning, match="no voxel of 1 region"):
        image = ours(values, labels_img, mask_img)
    assert array_of(image).ravel().tolist() == [10, 0, 30, 40]


def test_unlike_nilearn_extra_columns_and_transposed_signals_are_refused(both):
    labels_img = nib.Nifti1Image(np.array([[[1, 2, 0]]], np.int16), np.eye(4))
    theirs, ours = both
    for signals in (np.ones(3), np.ones((2, 9))):
        theirs(signals, labels_img)
        with pytest.raises(SignalsError):
            ours(signals, labels_img)


def test_unlike_nilearn_the_result_is_nifti_whatever_the_class_of_the_labels(both):
    labels_img = nib.MGHImage(np.array([[[1, 2, 0]]], np.int32), np.eye(4))
    theirs, ours = both
    assert type(theirs(np.ones(2), labels_img)) is nib.MGHImage
    assert type(ours(np.ones(2), labels_img)) is nib.Nifti1Image


def test_unlike_nilearn_values_near_an_integer_are_that_label(both):
    labels_img = nib.Nifti1Image(np.array([[[58, 57.99999999, 0]]]), np.eye(4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = array_of(both[0](np.array([1.0, 2.0]), labels_img))
    assert len(np.unique(theirs)) == 3
    assert array_of(both[1](np.array([1.0]), labels_img)).ravel().tolist() == [1, 1, 0]


# --- dtype, header and memory order -------------------------------------------------------


@pytest.mark.parametrize("label_dtype", testing.LABEL_DTYPES, ids=str)
@pytest.mark.parametrize("signal_dtype", testing.SIGNAL_DTYPES, ids=str)
def test_saved_and_loaded_the_values_are_the_painted_ones(tmp_path, label_dtype, signal_dtype):
    labels = np.random.default_rng(5).integers(0, 90, (5, 7, 6)).astype(label_dtype)
    n_regions = columns_of(labels)
    special = testing.special_values(signal_dtype)
    signals = np.stack([np.resize(special, n_regions), np.resize(special[::-1], n_regions)])
    for shown in (signals, signals[0]):
        image = signals_to_img_labels(shown, image_of(labels))
        painted = array_of(image)
        assert_bits(painted, testing.brute_force_paint(shown, labels))
        assert image.get_data_dtype() == painted.dtype
        for name in ("map.nii", "map.nii.gz"):
            nib.save(image, tmp_path / name)
            loaded = nib.load(tmp_path / name)
            assert (loaded.dataobj.slope, loaded.dataobj.inter) == (1, 0)
            assert_bits(array_of(loaded), painted)


@pytest.mark.parametrize(("dtype", "bits"), [("f4", "u4"), ("f8", "u8")])
def test_even_the_bits_inside_a_nan_are_saved(tmp_path, labels_img, dtype, bits):
    signals = np.full(4, np.nan, dtype)
    signals.view(bits)[:] += np.array([0, 1, 77, 12345], bits)
    nib.save(signals_to_img_labels(signals, labels_img), tmp_path / "nan.nii.gz")
    loaded = array_of(nib.load(tmp_path / "nan.nii.gz"))
    found = set(np.unique(np.ascontiguousarray(loaded).view(bits)).tolist())
    assert found == {0, *signals.view(bits).tolist()}


@pytest.mark.parametrize(
    ("given_dtype", "dtype"),
    [("?", "u1"), ("f2", "f4"), (">f8", "f8"), (">i2", "i2"), (">c8", "c8"), ("i8", "i8")],
)
def test_dtypes_that_nifti_lacks_are_widened_and_others_kept(labels_img, given_dtype, dtype):
    image = signals_to_img_labels(np.array([0, 1, 1, 0]).astype(given_dtype), labels_img)
    assert array_of(image).dtype == np.dtype(dtype)
    assert image.get_data_dtype() == np.dtype(dtype)
    assert np.unique(array_of(image)).tolist() == [0, 1]


def test_signals_may_be_lists_and_series(labels_img, expected, signals):
    pandas = pytest.importorskip("pandas")
    for values in (signals.tolist(), tuple(signals), pandas.Series(signals)):
        np.testing.assert_array_equal(array_of(signals_to_img_labels(values, labels_img)), expected)


@given(labels=testing.label_volumes(), order=ORDERS, data=st.data())
def test_the_memory_order_is_the_one_asked_for(labels, order, data):
    signals = data.draw(testing.region_signals(columns_of(labels), ["f4"]))
    image = signals_to_img_labels(signals, image_of(labels), order=order)
    assert image.dataobj.flags[f"{order}_CONTIGUOUS"]
    assert image.dataobj.flags.writeable


def test_the_default_order_is_fortran(labels_img, signals):
    assert signals_to_img_labels(signals, labels_img).dataobj.flags.f_contiguous


@pytest.mark.parametrize("order", ["A", "K", "f", None, 0])
def test_another_order_is_refused(labels_img, signals, order):
    with pytest.raises(ValueError, match=r"order must be 'C' or 'F', not "):
        signals_to_img_labels(signals, labels_img, order=order)


def test_the_array_is_the_callers_own(labels_img, signals):
    first, second = (signals_to_img_labels(signals, labels_img) for _ in range(2))
    first.dataobj[:] = 5
    np.testing.assert_array_equal(
        array_of(second), testing.brute_force_paint(signals, array_of(labels_img))
    )


# --- the background -----------------------------------------------------------------------


@given(labels=testing.label_volumes(), data=st.data())
def test_any_label_can_be_the_background(labels, data):
    present = np.unique(labels).tolist()
    assume(len(present) > 1)
    background = data.draw(st.sampled_from(present))
    signals = np.arange(1.0, columns_of(labels, background) + 1)
    image = signals_to_img_labels(signals, image_of(labels), background_label=background)
    np.testing.assert_array_equal(array_of(image) == 0, labels == background)


@pytest.mark.parametrize("background", [np.nan, 99, -(10**30), 2**64, 3.5, np.inf, np.uint8(1)])
def test_with_a_background_that_is_no_label_zero_is_a_region(labels, labels_img, background):
    signals = np.arange(1, 6)
    image = signals_to_img_labels(signals, labels_img, background_label=background)
    np.testing.assert_array_equal(
        array_of(image), testing.brute_force_paint(signals, labels, background)
    )
    assert array_of(image).all()


@pytest.mark.parametrize("background", ["0", None, [0], 1j])
def test_a_background_that_is_no_number_is_refused(labels_img, signals, background):
    with pytest.raises(TypeError, match=r"background_label\) must be a number"):
        signals_to_img_labels(signals, labels_img, background_label=background)


# --- masks --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u1", "i2", ">i4", "i8", "u8", "f4", "f8", ">f8", "?", "c8"])
def test_a_mask_may_be_of_any_dtype(labels, labels_img, dtype):
    inside = np.zeros(labels.shape, bool)
    inside[:, 1:4, ::2] = True
    inside[5, 4, 0] = True
    signals = np.arange(1.0, 5)
    mask_img = image_of(inside.astype(dtype))
    np.testing.assert_array_equal(
        array_of(signals_to_img_labels(signals, labels_img, mask_img)),
        testing.brute_force_paint(signals, labels, mask=inside),
    )


def test_a_mask_is_inside_where_it_is_neither_zero_nor_nan_nor_infinite(labels, labels_img):
    mask = np.resize([0.0, -0.0, np.nan, np.inf, -np.inf, -1.0, 1e-30], labels.shape)
    signals = np.arange(1.0, 5)
    image = signals_to_img_labels(signals, labels_img, image_of(mask))
    inside = np.isin(mask, [-1.0, 1e-30])
    np.testing.assert_array_equal(
        array_of(image), testing.brute_force_paint(signals, np.where(inside, labels, 0))
    )


def test_a_mask_may_be_a_path(tmp_path, labels, labels_img, signals):
    mask = np.ones(labels.shape, np.uint8)
    mask[:, 0] = 0
    path = tmp_path / "mask[1]*.nii.gz"
    nib.save(nib.Nifti1Image(mask, OBLIQUE), path)
    for source in (path, str(path)):
        np.testing.assert_array_equal(
            array_of(signals_to_img_labels(signals, labels_img, source)),
            testing.brute_force_paint(signals, labels, mask=mask),
        )


@pytest.fixture
def emptying_mask(labels):
    """Leaves the labels 3 and 7001, empties -2 and 7."""
    return image_of(np.isin(labels, [3, 7001, 0]).astype(np.uint8))


def test_one_value_per_region_of_the_image_stays_with_its_region(
    labels, labels_img, signals, emptying_mask
):
    with pytest.warns(MaskWarning) as caught:
        image = signals_to_img_labels(signals, labels_img, emptying_mask)
    expected = testing.brute_force_paint(signals, labels)
    np.testing.assert_array_equal(
        array_of(image), np.where(np.isin(labels, [3, 7001]), expected, 0)
    )
    assert [str(warning.message) for warning in caught] == [
        "The mask leaves no voxel of 2 regions, whose signals go nowhere: -2, 7."
    ]
    assert caught[0].filename == __file__


def test_one_value_per_region_inside_the_mask_goes_to_those_regions(
    labels, labels_img, emptying_mask
):
    image = signals_to_img_labels(np.array([5, 6]), labels_img, emptying_mask)
    np.testing.assert_array_equal(
        array_of(image), np.select([labels == 3, labels == 7001], [5, 6], 0)
    )


@given(labels=testing.label_volumes(["i2", "i8", "f8"]), data=st.data())
def test_what_nilearn_extracts_inside_a_mask_is_painted_back_there(labels, data):
    labels = np.remainder(labels, 30).astype(np.int32)
    inside = data.draw(testing.masks(labels.shape)) > 0
    assume(columns_of(labels, mask=inside))
    signals = np.arange(1.0, columns_of(labels, mask=inside) + 1)
    images = [image_of(array, np.eye(4)) for array in (labels, inside.astype(np.uint8))]
    painted = signals_to_img_labels(signals[np.newaxis], *images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back, *_ = nilearn.regions.img_to_signals_labels(painted, *images)
    np.testing.assert_allclose(back[0], signals)


@pytest.mark.parametrize("shape", [(1,), (3,), (5,), (4, 1), (9, 3)])
def test_any_other_count_names_both_numbers(labels_img, emptying_mask, shape):
    with pytest.raises(SignalsError) as caught:
        signals_to_img_labels(np.ones(shape), labels_img, emptying_mask)
    message = str(caught.value)
    noun = "value" if len(shape) == 1 else "column"
    count = f"{shape[-1]} {noun}{'' if shape[-1] == 1 else 's'}"
    assert f"values of shape {shape} have {count} for the 4 regions" in message
    assert "of which 2 are inside the mask" in message


def test_a_mask_that_leaves_no_region_is_refused(labels, labels_img, signals):
    for mask in (np.zeros(labels.shape, "u1"), (labels == 0).astype("i2"), labels * np.nan):
        with pytest.raises(LabelsError, match=r"none of 4 regions has a voxel inside it"):
            signals_to_img_labels(signals, labels_img, image_of(mask))


# --- sources ------------------------------------------------------------------------------

FILES = {
    "NIfTI-1": (nib.Nifti1Image, "labels.nii", "labels.nii"),
    "NIfTI-1 compressed": (nib.Nifti1Image, "labels.nii.gz", "labels.nii.gz"),
    "NIfTI-1 pair by image": (nib.Nifti1Pair, "labels.img", "labels.img"),
    "NIfTI-1 pair by header": (nib.Nifti1Pair, "labels.img", "labels.hdr"),
    "NIfTI-1 compressed pair by image": (nib.Nifti1Pair, "labels.img.gz", "labels.img.gz"),
    "NIfTI-1 compressed pair by header": (nib.Nifti1Pair, "labels.img.gz", "labels.hdr.gz"),
    "NIfTI-2": (nib.Nifti2Image, "labels.nii", "labels.nii"),
    "NIfTI-2 compressed": (nib.Nifti2Image, "labels.nii.gz", "labels.nii.gz"),
    "NIfTI-2 pair": (nib.Nifti2Pair, "labels.img", "labels.hdr"),
    "MGH": (nib.MGHImage, "labels.mgh", "labels.mgh"),
    "MGZ": (nib.MGHImage, "labels.mgz", "labels.mgz"),
    "Analyze": (nib.AnalyzeImage, "labels.img", "labels.hdr"),
    "SPM2": (nib.Spm2AnalyzeImage, "labels.img", "labels.img"),
}


# nibabel leaves MGH files to the garbage collector, which warns.
MGH_UNCLOSED = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)


@MGH_UNCLOSED
@pytest.mark.parametrize(("cls", "written", "named"), FILES.values(), ids=FILES)
def test_labels_may_be_in_any_file_of_a_volume(tmp_path, labels, signals, cls, written, named):
    image = cls(labels, np.diag([2.0, 3, 4, 1]))
    nib.save(image, tmp_path / written)
    expected = testing.brute_force_paint(signals, labels)
    path = tmp_path / named
    loaded = nib.load(path)
    for source in (path, str(path), loaded, image):
        result = signals_to_img_labels(signals, source)
        assert type(result) is nib.Nifti1Image
        assert_bits(array_of(result), expected)
        affine = source.affine if source in (loaded, image) else loaded.affine
        np.testing.assert_array_equal(result.affine, affine)


@pytest.mark.parametrize(
    ("cls", "ones"),
    [
        (nib.Nifti1Image, (1,)),
        (nib.Nifti1Image, (1, 1)),
        (nib.Nifti2Image, (1,)),
        (nib.Nifti2Image, (1, 1, 1)),
        (nib.MGHImage, (1,)),
    ],
)
def test_one_volume_in_four_or_five_dimensions_is_a_volume(
    tmp_path, labels, signals, expected, cls, ones
):
    shape = labels.shape + ones
    image = cls(labels.reshape(shape), OBLIQUE)
    sources = [image]
    if cls is not nib.MGHImage:  # which are saved as the volume that they are
        nib.save(image, tmp_path / "one.nii.gz")
        sources.append(tmp_path / "one.nii.gz")
    for source in sources:
        result = signals_to_img_labels(signals, source, image_of(np.ones(shape, np.uint8)))
        assert_bits(array_of(result), expected)


@pytest.mark.parametrize("cls", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("dtype", ["i2", "i4", "u2", "f4", "f8", "i8"])
def test_big_endian_files_are_read(tmp_path, labels, signals, expected, cls, dtype):
    volume = np.where(labels == -2, 2, labels)  # the dtypes include an unsigned one
    image = cls(volume, OBLIQUE, cls.header_class(endianness=">"), dtype=dtype)
    nib.save(image, tmp_path / "big.nii.gz")
    assert nib.load(tmp_path / "big.nii.gz").header.endianness == ">"
    result = signals_to_img_labels(signals, tmp_path / "big.nii.gz")
    assert_bits(array_of(result), expected)
    assert result.header.endianness == nib.Nifti1Header().endianness


@pytest.mark.parametrize(("slope", "inter"), [(0.1, 0), (1 / 3, 0), (0.02, -2), (2, 0), (1e-3, 5)])
def test_scaled_files_hold_the_labels_that_were_meant(tmp_path, slope, inter):
    meant = 2 * np.random.default_rng(1).integers(0, 12, (4, 6, 5))
    stored = np.rint((meant - inter) / slope).astype(np.int16)
    image = nib.Nifti1Image(stored, OBLIQUE)
    image.header.set_slope_inter(slope, inter)
    nib.save(image, tmp_path / "scaled.nii.gz")
    assert nib.load(tmp_path / "scaled.nii.gz").dataobj.slope == np.float32(slope)
    signals = np.arange(1.0, 12)
    result = signals_to_img_labels(signals, tmp_path / "scaled.nii.gz")
    assert_bits(array_of(result), testing.brute_force_paint(signals, meant))


@pytest.mark.parametrize("name", ["atlas[1].nii.gz", "atlas*.nii", "atlas?.nii", "a b'ü%$~.nii"])
def test_a_name_with_special_characters_is_a_name(
    tmp_path, monkeypatch, labels_img, signals, expected, name
):
    decoy = nib.Nifti1Image(np.ones((2, 3, 4), np.uint8), np.eye(4))
    for other in ("atlas1.nii.gz", "atlasX.nii", "atlas1.nii"):
        nib.save(decoy, tmp_path / other)
    nib.save(labels_img, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for source in (name, Path(name), tmp_path / name):
        assert_bits(array_of(signals_to_img_labels(signals, source)), expected)


def test_a_pattern_that_is_no_name_is_a_missing_file(tmp_path, labels_img, signals):
    nib.save(labels_img, tmp_path / "atlas1.nii")
    with pytest.raises(InputMissingError, match=r"does not exist: .*atlas\*\.nii"):
        signals_to_img_labels(signals, tmp_path / "atlas*.nii")


@MGH_UNCLOSED
@pytest.mark.parametrize(
    "name",
    [
        "nibabel/tests/data/scaled+tlrc.HEAD",
        "nibabel/tests/data/scaled+tlrc.BRIK",
        "nibabel/tests/data/anatomical.nii",
        "nibabel/tests/data/functional.nii",
        "nibabel/tests/data/test.mgz",
    ],
)
def test_real_files_of_others(real_file, name):
    path = real_file(name)
    image = nib.load(path)
    source = path if len(image.shape) == 3 else image.slicer[..., 0]
    volume = np.asarray(nib.load(path).dataobj)
    volume = volume if source is path else volume[..., 0]
    signals = np.arange(1, columns_of(volume, np.nan) + 1)
    result = signals_to_img_labels(signals, source, background_label=np.nan)
    assert_bits(array_of(result), testing.brute_force_paint(signals, volume, np.nan))
    np.testing.assert_allclose(result.affine, image.affine)


# --- geometry -----------------------------------------------------------------------------


def full_header(cls):
    """A header with something in every field that may not or must be passed on."""
    header = cls()
    header.set_data_dtype(np.int16)
    header.set_data_shape((6, 5, 4))
    header.set_qform(OBLIQUE @ np.diag([1.0, 1, 1, 1]), code=2, strip_shears=True)
    header.set_sform(OBLIQUE, code=4)
    header.set_xyzt_units("micron", "msec")
    header.set_dim_info(0, 1, 2)
    header.set_intent("label", (), name="areas")
    header["descrip"], header["aux_file"] = b"atlas", b"colours"
    header["cal_max"], header["cal_min"], header["toffset"] = 7, 1, 3.5
    header["slice_start"], header["slice_end"], header["slice_code"] = 1, 3, 1
    header["slice_duration"] = 0.05
    header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"made by hand"))
    return header


GEOMETRY = {
    "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y",
    "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units",
}  # fmt: skip
STORAGE = {"dim", "datatype", "bitpix", "pixdim", "scl_slope", "scl_inter"}


@pytest.mark.parametrize("header_class", [nib.Nifti1Header, nib.Nifti2Header])
@pytest.mark.parametrize("n_maps", [0, 3])
def test_geometry_is_kept_and_nothing_else(labels, header_class, n_maps):
    header = full_header(header_class)
    cls = nib.Nifti1Image if header_class is nib.Nifti1Header else nib.Nifti2Image
    labels_img = cls(labels, OBLIQUE, header)
    result = signals_to_img_labels(np.ones((n_maps, 4)) if n_maps else np.ones(4), labels_img)
    plain = nib.Nifti1Header()
    for name in plain:
        if name == "xyzt_units" and n_maps:
            # Nobody said how far the volumes are apart: neither a time nor its unit is invented.
            assert result.header[name] == header[name] & 7
        elif name in GEOMETRY:
            np.testing.assert_allclose(result.header[name], header[name], rtol=1e-6)
        elif name not in STORAGE:
            assert result.header[name] == plain[name], name
    assert not result.header.extensions
    np.testing.assert_allclose(result.get_qform(), labels_img.get_qform(), atol=1e-5)
    np.testing.assert_allclose(result.get_sform(), labels_img.get_sform(), atol=1e-5)
    assert (result.header["qform_code"], result.header["sform_code"]) == (2, 4)
    assert result.header.get_xyzt_units() == ("micron", "unknown" if n_maps else "msec")
    np.testing.assert_array_equal(result.affine, labels_img.affine)
    np.testing.assert_allclose(result.header.get_zooms()[:3], header.get_zooms())
    assert result.header.get_zooms()[3:] == (0.0,) * (n_maps > 0)


@pytest.mark.parametrize(("qform", "sform"), [(0, 0), (0, 1), (1, 0), (3, 2)])
def test_codes_of_qform_and_sform_are_kept(tmp_path, labels, signals, qform, sform):
    labels_img = nib.Nifti1Image(labels, np.diag([-2.0, 3, 4, 1]))
    labels_img.set_qform(np.diag([-2.0, 3, 4, 1]), code=qform)
    labels_img.set_sform(np.diag([-2.0, 3, 4, 1]), code=sform)
    nib.save(labels_img, tmp_path / "labels.nii")
    loaded = nib.load(tmp_path / "labels.nii")
    result = signals_to_img_labels(signals, loaded)
    assert (int(result.header["qform_code"]), int(result.header["sform_code"])) == (qform, sform)
    np.testing.assert_array_equal(result.affine, loaded.affine)
    nib.save(result, tmp_path / "map.nii")
    np.testing.assert_array_equal(nib.load(tmp_path / "map.nii").affine, loaded.affine)


@given(
    seed=SEEDS,
    cls=st.sampled_from([nib.Nifti1Image, nib.Nifti2Image, nib.MGHImage, nib.Nifti1Pair]),
)
def test_the_affine_is_the_one_of_the_labels(seed, cls):
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = nib.affines.from_matvec(rotation * rng.uniform(0.3, 5, 3), rng.uniform(-100, 100, 3))
    labels_img = cls(np.ones((2, 3, 4), np.int16), affine)
    result = signals_to_img_labels([2.0], labels_img)
    np.testing.assert_array_equal(result.affine, affine)
    np.testing.assert_allclose(result.header.get_best_affine(), affine, atol=1e-4)
    assert not np.shares_memory(result.affine, labels_img.affine)


def test_a_nifti2_image_comes_back_as_nifti1(labels, signals):
    result = signals_to_img_labels(signals, nib.Nifti2Image(labels, OBLIQUE))
    assert type(result) is nib.Nifti1Image


@pytest.mark.parametrize("shape", [(32768, 1, 2), (1, 40000, 1), (2, 1, 33000)])
def test_above_32767_in_a_dimension_the_result_is_nifti2(tmp_path, shape):
    labels = np.resize(np.array([0, 5, 9], np.int16), shape)
    labels_img = nib.Nifti2Image(labels, OBLIQUE)
    labels_img.set_sform(OBLIQUE, code=3)
    signals = np.array([1.5, 2.5])
    result = signals_to_img_labels(signals, labels_img)
    assert type(result) is nib.Nifti2Image
    nib.save(result, tmp_path / "long.nii")
    loaded = nib.load(tmp_path / "long.nii")
    assert_bits(array_of(loaded), testing.brute_force_paint(signals, labels))
    np.testing.assert_array_equal(loaded.affine, OBLIQUE)
    assert loaded.header["sform_code"] == 3


def test_at_32767_the_result_is_nifti1_and_many_maps_make_it_nifti2(labels_img):
    small = nib.Nifti1Image(np.ones((1, 2, 3), np.uint8), OBLIQUE)
    assert type(signals_to_img_labels(np.ones((32767, 1), "u1"), small)) is nib.Nifti1Image
    assert type(signals_to_img_labels(np.ones((32768, 1), "u1"), small)) is nib.Nifti2Image


# --- inputs stay as they are --------------------------------------------------------------


@pytest.mark.parametrize("memory", testing.MEMORIES)
def test_inputs_are_not_modified(labels, memory):
    labels = testing.in_memory(labels, memory)
    labels_img = nib.Nifti1Image(labels, OBLIQUE, full_header(nib.Nifti1Header))
    mask_img = image_of(testing.in_memory(np.ones(labels.shape), memory))
    signals = testing.in_memory(np.arange(8.0).reshape(2, 4), memory)

    def state():
        arrays = [labels, mask_img.dataobj, signals, labels_img.affine, mask_img.affine]
        headers = [labels_img.header, mask_img.header]
        return [array.tobytes() for array in arrays] + [header.binaryblock for header in headers]

    before = state()
    extensions = len(labels_img.header.extensions)
    result = signals_to_img_labels(signals, labels_img, mask_img)
    result.dataobj[:] = 1
    result.affine[:] = 1
    result.header["descrip"] = b"changed"
    assert state() == before
    assert len(labels_img.header.extensions) == extensions


def test_read_only_inputs_are_enough(labels, signals, expected):
    labels.flags.writeable = signals.flags.writeable = False
    assert_bits(array_of(signals_to_img_labels(signals, image_of(labels))), expected)


@MGH_UNCLOSED
@pytest.mark.parametrize("name", ["labels.nii", "labels.nii.gz", "labels.mgz"])
def test_files_are_not_modified_and_none_is_added(tmp_path, labels, signals, name):
    nib.save(nib.Nifti1Image(labels, OBLIQUE), tmp_path / name)
    before = (tmp_path / name).read_bytes()
    result = signals_to_img_labels(signals, tmp_path / name, tmp_path / name)
    result.dataobj[:] = 1
    assert (tmp_path / name).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_image_on_disk_is_not_loaded_into_its_cache(tmp_path, labels_img, signals):
    nib.save(labels_img, tmp_path / "labels.nii.gz")
    loaded = nib.load(tmp_path / "labels.nii.gz")
    signals_to_img_labels(signals, loaded)
    assert not loaded.in_memory


# --- grids that differ --------------------------------------------------------------------


def moved(affine, by):
    """The affine with its origin moved by so many voxels of the smallest side."""
    shifted = affine.copy()
    shifted[:3, 3] += by * np.linalg.norm(affine[:3, :3], axis=0).min() * np.array([0.6, 0, 0.8])
    return shifted


@pytest.mark.parametrize("affine", [OBLIQUE, OBLIQUE * 1e-3, np.diag([-0.7, 0.7, 3, 1])])
def test_a_mask_may_be_off_by_a_hundredth_of_a_voxel(labels, labels_img, signals, affine):
    labels_img = image_of(labels, affine)
    mask = np.ones(labels.shape, np.uint8)
    for by in (1e-9, 1e-4, 0.0099):
        signals_to_img_labels(signals, labels_img, image_of(mask, moved(affine, by)))
    for by in (0.0101, 0.5, 3):
        with pytest.raises(SpaceError, match=r"Images have different affine matrices\."):
            signals_to_img_labels(signals, labels_img, image_of(mask, moved(affine, by)))


@pytest.mark.parametrize("corner_moves", [0.0099, 0.0101])
def test_the_far_corner_decides_where_voxel_sizes_differ(labels, signals, corner_moves):
    affine = np.diag([2.0, 2, 2, 1])
    other = affine.copy()
    other[0, 0] += 2 * corner_moves / (labels.shape[0] - 1)
    images = image_of(labels, affine), image_of(np.ones(labels.shape, "u1"), other)
    if corner_moves < 0.01:
        signals_to_img_labels(signals, *images)
        return
    with pytest.raises(SpaceError, match=r"most at voxel \(5, \d, \d\)"):
        signals_to_img_labels(signals, *images)


def test_the_error_says_which_image_is_off_by_how_much_and_where(labels, signals):
    affine = np.diag([2.0, 3, 4, 1])
    other = np.diag([2.0, 3, 4.5, 1])
    with pytest.raises(SpaceError) as caught:
        signals_to_img_labels(
            signals, image_of(labels, affine), image_of(np.ones(labels.shape, "u1"), other)
        )
    message = str(caught.value)
    assert "The mask image lies up to 1.5 mm (0.75 voxels) away from the labels image" in message
    assert ", 3)" in message  # the last slice
    assert isinstance(caught.value, ValueError)


def test_the_error_gives_both_shapes(labels_img, signals):
    mask_img = image_of(np.ones((6, 5, 3), np.uint8))
    with pytest.raises(SpaceError, match=r"incompatible shapes\..*6×5×3 voxels.*6×5×4") as caught:
        signals_to_img_labels(signals, labels_img, mask_img)
    assert "The mask image" in str(caught.value)


def test_an_affine_with_nan_is_another(labels_img, labels, signals):
    affine = OBLIQUE.copy()
    affine[1, 3] = np.nan
    mask_img = nib.Nifti1Image(np.ones(labels.shape, np.uint8), OBLIQUE)
    mask_img.affine[:] = affine
    with pytest.raises(SpaceError):
        signals_to_img_labels(signals, labels_img, mask_img)


# --- labels that are not finite -----------------------------------------------------------


@pytest.mark.parametrize("background", [0, np.nan, np.inf])
def test_labels_that_are_not_finite_are_no_region_with_a_warning(background):
    labels = np.array([[[0.0, 3, np.nan], [np.inf, 7, -np.inf]]])
    n_regions = columns_of(labels, background)
    with pytest.warns(LabelsWarning) as caught:
        image = signals_to_img_labels(
            np.arange(1.0, n_regions + 1), image_of(labels), background_label=background
        )
    assert not array_of(image)[~np.isfinite(labels)].any()
    assert "3 voxels of the labels image are NaN or infinite" in str(caught[0].message)
    assert len(caught) == 1
    assert caught[0].filename == __file__


# --- labels that their dtype does not tell apart ------------------------------------------


@pytest.mark.parametrize(("dtype", "largest"), [(np.float32, 2**24), (np.float64, 2**53)])
@pytest.mark.parametrize("suffix", [None, ".nii", ".nii.gz", ".mgz"])
def test_labels_that_may_have_merged_when_they_were_stored_are_refused(
    tmp_path, dtype, largest, suffix
):
    if suffix == ".mgz" and dtype == np.float64:
        return  # which it cannot hold
    meant = np.array([[[0, largest + 3, 7], [largest + 5, 12, largest - 1]]])
    labels = image_of(meant.astype(dtype))
    if suffix is not None:
        image_class = nib.MGHImage if suffix == ".mgz" else nib.Nifti1Image
        image_class(np.asarray(labels.dataobj), OBLIQUE).to_filename(tmp_path / f"labels{suffix}")
        labels = tmp_path / f"labels{suffix}"
    with pytest.raises(LabelsError) as caught:
        signals_to_img_labels(np.arange(1.0, 5), labels)
    message = str(caught.value)
    assert message.startswith(f"1 label of the labels image is beyond {largest:,}: {largest + 4}. ")
    assert f"{np.dtype(dtype)}, which tells no integers above {largest:,} apart" in message


def test_what_lies_outside_the_brain_may_be_any_large_float():
    labels = np.array([[[-3e38, 3, 7], [np.float32(-3e38), 7, 2**24]]], np.float32)
    image = signals_to_img_labels(
        np.array([1.5, 2.5, 3.5]), image_of(labels), background_label=-3e38
    )
    np.testing.assert_array_equal(array_of(image), [[[0, 1.5, 2.5], [0, 2.5, 3.5]]])


# --- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3,), (5,), (2, 3), (7, 5)])
def test_a_wrong_count_names_both_numbers(labels_img, shape):
    with pytest.raises(SignalsError) as caught:
        signals_to_img_labels(np.ones(shape), labels_img)
    assert isinstance(caught.value, ValueError)
    assert f"values of shape {shape} have {shape[-1]} " in str(caught.value)
    assert "for the 4 regions of the labels image" in str(caught.value)
    assert "transposed" not in str(caught.value)


@pytest.mark.parametrize("shape", [(0,), (1, 0), (0, 4), (0, 0)])
def test_no_values_are_refused(labels_img, shape):
    with pytest.raises(SignalsError, match=r"There are no signals: their shape is \(") as caught:
        signals_to_img_labels(np.ones(shape), labels_img)
    assert str(shape) in str(caught.value)


@pytest.mark.parametrize("n_maps", [1, 3, 200])
def test_a_transposed_matrix_is_called_so(labels_img, n_maps):
    with pytest.raises(SignalsError, match=r"they look transposed: turn them \(values\.T\)"):
        signals_to_img_labels(np.ones((4, n_maps)), labels_img)


@pytest.mark.parametrize("shape", [(), (2, 2, 4), (1, 1, 1, 4)])
def test_signals_of_other_dimensions_are_refused(labels_img, shape):
    with pytest.raises(
        SignalsError, match=rf"Signals must be 1D .* or 2D .* these are {len(shape)}D"
    ):
        signals_to_img_labels(np.ones(shape), labels_img)


@pytest.mark.parametrize(
    "signals",
    [
        np.array([1, None, 2, 3]),
        np.array(["1", "2", "3", "4"]),
        np.array([b"a"] * 4),
        np.arange(4).astype("M8[s]"),
        np.zeros(4, "f8,i4"),
        np.zeros(4, np.longdouble),
        [None] * 4,
    ],
    ids=lambda signals: str(np.asarray(signals).dtype),
)
def test_signals_that_no_image_holds_are_refused(labels_img, signals):
    with pytest.raises(SignalsTypeError, match=r"cannot be painted: an image holds") as caught:
        signals_to_img_labels(signals, labels_img)
    assert isinstance(caught.value, TypeError)
    assert str(np.asarray(signals).dtype) in str(caught.value)


def test_ragged_signals_are_refused(labels_img):
    with pytest.raises(SignalsError, match="do not form an array"):
        signals_to_img_labels([[1, 2], [3]], labels_img)


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 4, 2), (6, 5, 4, 1, 3)])
@pytest.mark.parametrize("which", ["labels", "mask"])
def test_images_of_other_dimensions_are_refused(labels_img, signals, shape, which):
    wrong = image_of(np.ones(shape, np.uint8))
    images = (wrong,) if which == "labels" else (labels_img, wrong)
    with pytest.raises(DimensionError) as caught:
        signals_to_img_labels(signals, *images)
    message = str(caught.value)
    assert f"Expected dimension is 3D and you provided a {len(shape)}D image" in message
    assert f"The {which} image has the shape {shape}" in message
    assert isinstance(caught.value, TypeError)
    from nilearn.exceptions import DimensionError as NilearnDimensionError

    assert isinstance(caught.value, NilearnDimensionError)


@pytest.mark.parametrize("dtype", ["u1", "f8"])
def test_an_atlas_without_regions_is_refused(dtype):
    with pytest.raises(LabelsError, match=r"no region: every voxel is background \(label 0\)"):
        signals_to_img_labels(np.ones(1), image_of(np.zeros((2, 3, 4), dtype)))
    with pytest.raises(LabelsError, match=r"\(label -7\)"):
        signals_to_img_labels([1], image_of(np.full((2, 3, 4), -7)), background_label=-7)


@pytest.mark.filterwarnings("ignore::regioncast.errors.LabelsWarning")
def test_an_atlas_of_nan_has_no_regions():
    with pytest.raises(LabelsError, match="no region"):
        signals_to_img_labels([1.0], image_of(np.full((2, 3, 4), np.nan)))


def test_complex_labels_are_refused(signals, labels):
    with pytest.raises(LabelsError, match="Labels must be numbers; these are complex64"):
        signals_to_img_labels(signals, image_of(labels.astype(np.complex64)))


def surface():
    mesh = [
        nib.gifti.GiftiDataArray(np.ones((5, 3), "f4"), "NIFTI_INTENT_POINTSET"),
        nib.gifti.GiftiDataArray(np.zeros((2, 3), "i4"), "NIFTI_INTENT_TRIANGLE"),
    ]
    return nib.GiftiImage(darrays=mesh)


def cifti():
    mask = np.ones((2, 3, 4), bool)
    axes = (
        nib.cifti2.ScalarAxis(["map"]),
        nib.cifti2.BrainModelAxis.from_mask(mask, "thalamus_left", np.eye(4)),
    )
    return nib.Cifti2Image(np.ones((1, 24), "f4"), axes)


@pytest.mark.parametrize(
    ("make", "name", "kind"),
    [(surface, "labels.label.gii", "a surface"), (cifti, "labels.dscalar.nii", "CIFTI")],
)
def test_surfaces_and_cifti_are_refused_where_a_volume_is_needed(
    tmp_path, labels_img, signals, make, name, kind
):
    nib.save(make(), tmp_path / name)
    for source in (make(), tmp_path / name, str(tmp_path / name)):
        for images in ((source,), (labels_img, source)):
            with pytest.raises(ImageTypeError, match=f"is {kind}.*; a volume is needed") as caught:
                signals_to_img_labels(signals, *images)
            assert isinstance(caught.value, TypeError)


def test_a_surface_image_of_nilearn_is_refused(signals):
    surface = pytest.importorskip("nilearn.surface")
    mesh = surface.InMemoryMesh(np.eye(4, 3), np.array([[0, 1, 2], [1, 2, 3]]))
    pair = {"left": mesh, "right": mesh}
    data = {"left": np.arange(4), "right": np.arange(4)}
    with pytest.raises(ImageTypeError, match=r"a surface \(SurfaceImage\); a volume is needed"):
        signals_to_img_labels(signals, surface.SurfaceImage(pair, data))


@pytest.mark.parametrize("wrong", [np.ones((2, 3, 4)), 5, ["labels.nii"], b"labels.nii", None])
def test_what_is_no_image_is_refused(signals, wrong):
    with pytest.raises(
        ImageTypeError, match=rf"The labels image must be .* {type(wrong).__name__}"
    ):
        signals_to_img_labels(signals, wrong)


@pytest.fixture
def bad_folder(tmp_path, labels_img):
    """A folder that must look afterwards as it did before."""
    nib.save(labels_img, tmp_path / "labels.nii.gz")
    (tmp_path / "folder.nii").mkdir()
    return tmp_path


def assert_refused(signals, labels_img, path, error, pattern):
    before = sorted((file.name, file.stat().st_mtime_ns) for file in path.parent.iterdir())
    for what, images in (("labels", (path,)), ("mask", (labels_img, str(path)))):
        with pytest.raises(error, match=pattern) as caught:
            signals_to_img_labels(signals, *images)
        assert f"{what} image" in str(caught.value)
        assert str(path) in str(caught.value)
    assert before == sorted((file.name, file.stat().st_mtime_ns) for file in path.parent.iterdir())


def test_a_missing_file_is_named(bad_folder, labels_img, signals):
    for path in (bad_folder / "labels.nii", bad_folder / "nowhere" / "labels.nii.gz"):
        assert_refused_missing = (InputMissingError, "does not exist")
        with pytest.raises(assert_refused_missing[0], match=assert_refused_missing[1]) as caught:
            signals_to_img_labels(signals, path)
        assert isinstance(caught.value, FileNotFoundError)
        assert str(path) in str(caught.value)
        assert ("folder does not exist either" in str(caught.value)) == ("nowhere" in str(path))


def test_a_folder_is_no_image(bad_folder, labels_img, signals):
    assert_refused(signals, labels_img, bad_folder / "folder.nii", InputMissingError, "is a folder")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99, -4, -1])
def test_a_truncated_compressed_file_is_refused(bad_folder, labels_img, signals, share):
    path = bad_folder / "labels.nii.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole)) if share > 0 else share])
    assert_refused(signals, labels_img, path, FileFormatError, "truncated or damaged|not an image")


@MGH_UNCLOSED
@pytest.mark.parametrize("name", ["labels.nii", "labels.mgh", "labels.mgz", "labels.img"])
def test_a_truncated_file_is_refused(bad_folder, labels, labels_img, signals, name):
    cls = nib.MGHImage if "mg" in name else nib.Nifti1Pair if "img" in name else nib.Nifti1Image
    nib.save(cls(labels, OBLIQUE), bad_folder / name)
    whole = (bad_folder / name).read_bytes()
    (bad_folder / name).write_bytes(whole[:-60])  # an MGH file ends with 20 bytes of no use
    assert_refused(
        signals, labels_img, bad_folder / name, FileFormatError, "truncated or damaged|not an image"
    )


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_a_damaged_compressed_file_is_refused(bad_folder, labels_img, signals, place):
    path = bad_folder / "labels.nii.gz"
    noise = np.random.default_rng(0).integers(1, 90, (20, 19, 18)).astype(np.int16)
    nib.save(nib.Nifti1Image(noise, OBLIQUE), path)
    damaged = bytearray(path.read_bytes())
    damaged[int(place * len(damaged))] ^= 0x55
    path.write_bytes(damaged)
    assert_refused(signals, labels_img, path, FileFormatError, "truncated or damaged")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.nii", b"1 2 3\n"),
        ("text.nii.gz", b"1 2 3\n"),
        ("text.nii.gz", gzip.compress(b"1 2 3\n" * 200, mtime=0)),
        ("empty.nii", b""),
        ("empty.nii.gz", b""),
        ("empty.mgz", b""),
        ("table.csv", b"label,name\n1,V1\n"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(900)),
        ("nameless", bytes(400)),
    ],
)
def test_a_file_that_is_no_image_is_refused(bad_folder, labels_img, signals, name, content):
    (bad_folder / name).write_bytes(content)
    assert_refused(
        signals,
        labels_img,
        bad_folder / name,
        FileFormatError,
        "not an image that nibabel can read|truncated or damaged|is empty|is not .not a gzip file"
        "|is a table and no image",
    )


@given(data=st.data())
def test_whatever_is_wrong_the_error_is_ours(data):
    labels = data.draw(testing.label_volumes())
    shape = data.draw(st.lists(st.integers(0, 4), max_size=3).map(tuple))
    assume(not shape or len(shape) > 2 or shape[-1] != columns_of(labels))
    with pytest.raises(RegioncastError):
        signals_to_img_labels(np.zeros(shape), image_of(labels))


# --- memory -------------------------------------------------------------------------------

# What Python and NumPy need for themselves: headers, small tables.
CONSTANT = 300_000


def peak_beyond_output(signals, *images, order):
    gc.collect()
    signals_to_img_labels(signals, *images, order=order)  # what is imported or cached at first
    tracemalloc.start()
    try:
        image = signals_to_img_labels(signals, *images, order=order)
        return tracemalloc.get_traced_memory()[1] - image.dataobj.nbytes
    finally:
        tracemalloc.stop()


def far_apart(labels):
    """The same regions by labels in no order and far apart."""
    new = np.random.default_rng(0).choice(2**31, labels.max() + 1, replace=False)
    return new.astype(np.int32)[labels]


def blocks(shape, side, step):
    """A labels image of blocks with `side` voxels to a side, their labels `step` apart."""
    i, j, k = (np.arange(n) // side for n in shape)
    numbers = i[:, None, None] + 100 * j[:, None] + 10_000 * k + 1
    _, codes = np.unique(numbers, return_inverse=True)
    return np.asfortranarray((codes.reshape(shape) + 1) * step, dtype=np.int32)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["u1", "f8"])
@pytest.mark.parametrize(("side", "step"), [(13, 1), (13, 900_000), (6, 1)])
def test_peak_memory_is_the_output_and_four_bytes_a_voxel(masked, order, dtype, side, step):
    labels = blocks((101, 97, 83), side, step)
    mask = np.random.default_rng(0).random(labels.shape) < 0.9
    images = [nib.Nifti1Image(labels, OBLIQUE)]
    if masked:
        images.append(nib.Nifti1Image(mask.astype(np.uint8), OBLIQUE))
    signals = np.ones(len(np.unique(labels)), dtype)
    peak = peak_beyond_output(signals, *images, order=order)
    assert peak <= 4 * labels.size + CONSTANT, f"{peak / labels.size:.2f} bytes a voxel"


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "f4", "f8"])
@pytest.mark.parametrize("memory", ["C", "F"])
@pytest.mark.parametrize("scattered", [False, True])
def test_peak_memory_is_eight_bytes_a_voxel_with_a_region_for_every_eight(
    masked, order, dtype, memory, scattered
):
    labels = testing.in_memory(blocks((161, 97, 83), 2, 1), memory)
    if scattered:
        labels = testing.in_memory(far_apart(labels), memory)
    images = [nib.Nifti1Image(labels, OBLIQUE)]
    if masked:
        mask = np.ones(labels.shape)
        mask[:, :, 1::2] = 0  # half of each region
        images.append(nib.Nifti1Image(mask.astype(np.uint8), OBLIQUE))
    signals = np.ones(len(np.unique(labels)), dtype)
    peak = peak_beyond_output(signals, *images, order=order)
    assert peak <= 8 * labels.size + CONSTANT, f"{peak / labels.size:.2f} bytes a voxel"


@pytest.mark.parametrize("scattered", [False, True])
def test_peak_memory_of_a_series_is_that_too(scattered):
    labels = blocks((161, 97, 83), 2, 1)
    labels = np.asfortranarray(far_apart(labels)) if scattered else labels
    signals = np.ones((5, len(np.unique(labels))))
    peak = peak_beyond_output(signals, nib.Nifti1Image(labels, OBLIQUE), order="F")
    assert peak <= 8 * labels.size + CONSTANT, f"{peak / labels.size:.2f} bytes a voxel"
