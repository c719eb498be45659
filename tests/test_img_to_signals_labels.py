"""``img_to_signals_labels``: what nilearn documents, and every point that it leaves open."""

from __future__ import annotations

import gzip
import tracemalloc
import warnings

import nibabel as nib
import nilearn.exceptions
import nilearn.image
import nilearn.regions
import nilearn.surface
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
    values_of,
)

import regioncast
from regioncast import testing
from regioncast.engine import encoding
from regioncast.errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    LabelsError,
    LabelsWarning,
    MaskWarning,
    NonfiniteWarning,
    SpaceError,
)
from regioncast.nilearn.regions import img_to_signals_labels, signals_to_img_labels

ORDERS = st.sampled_from(["C", "F"])
SEEDS = st.integers(0, 2**32 - 1)

BY_HAND = {
    "mean": np.mean,
    "median": np.median,
    "sum": np.sum,
    "minimum": np.min,
    "maximum": np.max,
    "variance": np.var,
    "standard_deviation": np.std,
}

# For constant regions these are the constant itself.
EXACT = ["mean", "median", "minimum", "maximum"]


def extract_by_hand(data, labels, strategy, background=0, mask=None):
    """Regions and signals, voxel by voxel."""
    regions = testing.regions_of(labels, background, mask)
    inside = np.ones(labels.shape, bool) if mask is None else np.isfinite(mask) & (mask != 0)
    voxels = {label: [] for label in regions}
    for voxel in np.ndindex(labels.shape):
        label = testing.label_of(labels[voxel].item())
        if inside[voxel] and label in voxels:
            voxels[label].append(np.nan_to_num(data[voxel].astype(float), posinf=0, neginf=0))
    return regions, np.stack([BY_HAND[strategy](voxels[label], axis=0) for label in regions], 1)


@pytest.fixture
def labels():
    return small_labels()


@pytest.fixture
def labels_img(labels):
    return image_of(labels)


@pytest.fixture
def data(labels):
    return values_of((*labels.shape, 3), "f8", seed=8)


@pytest.fixture
def image(data):
    return nib.Nifti1Image(data, OBLIQUE)


@pytest.fixture
def expected(data, labels):
    return extract_by_hand(data, labels, "mean")[1]


@pytest.fixture
def emptying_mask(labels):
    """Leaves the labels 3 and 7001, empties -2 and 7."""
    return image_of(np.isin(labels, [3, 7001, 0]).astype(np.uint8))


# --- the function -------------------------------------------------------------------------


def test_the_signature_is_nilearns():
    assert_same_signature(img_to_signals_labels, nilearn.regions.img_to_signals_labels)


def test_it_has_one_home_and_two_doors():
    assert regioncast.img_to_signals_labels is regioncast.nilearn.regions.img_to_signals_labels


@given(
    labels=testing.label_volumes(),
    background=st.sampled_from([0, -1, 3, 7.0, np.nan, 2.5, 2**40]),
    dtype=st.sampled_from(["u1", "i2", ">i4", "f2", "f4", "f8", ">f8"]),
    strategy=st.sampled_from(sorted(BY_HAND)),
    n_maps=st.integers(1, 4),
    seed=SEEDS,
)
def test_signals_are_what_the_loop_over_voxels_gives(
    labels, background, dtype, strategy, n_maps, seed
):
    assume(columns_of(labels, background))
    data = values_of((*labels.shape, n_maps), dtype, seed)
    signals, found, _ = img_to_signals_labels(
        image_of(data), image_of(labels), background_label=background, strategy=strategy
    )
    regions, expected = extract_by_hand(data, labels, strategy, background)
    assert found == regions
    np.testing.assert_allclose(signals, expected, rtol=1e-5, atol=1e-3 if dtype == "f4" else 1e-9)


@given(
    labels=testing.label_volumes(["u1", "i1", "i2", "u2", "i4"], memories=["C", "F"]),
    any_background=st.booleans(),
    dtype=st.sampled_from(["u1", "i2", "i4", "f4", "f8"]),
    strategy=st.sampled_from(sorted(BY_HAND)),
    order=ORDERS,
    keep=st.booleans(),
    seed=SEEDS,
    drawn=st.data(),
)
def test_it_equals_nilearn_where_nilearn_is_right(
    labels, any_background, dtype, strategy, order, keep, seed, drawn
):
    background = drawn.draw(st.sampled_from(np.unique(labels).tolist())) if any_background else 0
    mask = drawn.draw(st.none() | testing.masks(labels.shape))
    assume(columns_of(labels, background) and (keep or columns_of(labels, background, mask)))
    # SciPy, below nilearn, counts one and two above the largest label in the dtype of the labels.
    assume(int(labels.max()) + 2 <= np.iinfo(labels.dtype).max)
    data = values_of((*labels.shape, 3), dtype, seed)
    arguments = {
        "imgs": image_of(data),
        "labels_img": image_of(labels),
        "mask_img": None if mask is None else image_of(mask.astype(np.float32)),
        "background_label": background,
        "order": order,
        "strategy": strategy,
        "keep_masked_labels": keep,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signals, found, atlas = img_to_signals_labels(**arguments)
        their_signals, their_labels, their_atlas = nilearn.regions.img_to_signals_labels(
            **arguments
        )
    assert signals.dtype == their_signals.dtype
    assert signals.flags[f"{order}_CONTIGUOUS"]
    np.testing.assert_allclose(signals, their_signals, rtol=1e-5, atol=1e-7)
    assert found == their_labels
    assert_bits(array_of(atlas), array_of(their_atlas))
    np.testing.assert_array_equal(atlas.affine, their_atlas.affine)


@given(labels=testing.label_volumes(), seed=SEEDS)
def test_renumbering_labels_permutes_columns(labels, seed):
    regions = testing.regions_of(labels, np.nan)
    rng = np.random.default_rng(seed)
    numbers = rng.choice(np.arange(-500, 500) * 2**41 + 1, len(regions), replace=False)
    assume(np.isfinite(labels.astype(float)).all())
    meant = np.vectorize(testing.label_of, otypes=[object])(labels.astype(object))
    renumbered = numbers[np.searchsorted(np.array(regions, object), meant)]
    image = image_of(values_of((*labels.shape, 2), "f8", seed))
    signals, *_ = img_to_signals_labels(image, image_of(labels), background_label=np.nan)
    again, found, _ = img_to_signals_labels(image, image_of(renumbered))
    assert_bits(again, np.asfortranarray(signals[:, np.argsort(numbers)]))
    assert found == sorted(numbers.tolist())


def test_a_3d_image_is_one_map_which_nilearn_refuses(data, labels_img):
    theirs = nilearn.regions.img_to_signals_labels
    with pytest.raises(nilearn.exceptions.DimensionError):
        theirs(image_of(data[..., 0]), labels_img)
    signals, *_ = img_to_signals_labels(image_of(data[..., 0]), labels_img)
    assert_bits(signals, img_to_signals_labels(image_of(data[..., :1]), labels_img)[0])
    assert signals.shape == (1, 4)


# --- the round trip -----------------------------------------------------------------------


@given(
    labels=testing.label_volumes(),
    strategy=st.sampled_from(EXACT),
    single=st.booleans(),
    dtype=st.sampled_from(["f4", "f8", "i4"]),
    order=ORDERS,
    seed=SEEDS,
)
def test_what_is_painted_is_extracted_to_the_last_bit(labels, strategy, single, dtype, order, seed):
    n_regions = columns_of(labels)
    signals = values_of((1 if single else 3, n_regions), dtype, seed)
    painted = signals_to_img_labels(signals[0] if single else signals, image_of(labels))
    back, found, _ = img_to_signals_labels(
        painted, image_of(labels), strategy=strategy, order=order
    )
    kind = np.float32 if dtype == "f4" else np.float64
    assert_bits(back, np.asarray(signals, kind, order=order))
    assert found == testing.regions_of(labels)


@given(labels=testing.label_volumes(), keep=st.booleans(), seed=SEEDS, drawn=st.data())
def test_inside_a_mask_too(labels, keep, seed, drawn):
    mask = drawn.draw(testing.masks(labels.shape))
    inside = testing.regions_of(labels, mask=mask)
    assume(inside)
    images = image_of(labels), image_of(mask)
    signals = values_of((2, len(inside)), "f8", seed)
    painted = signals_to_img_labels(signals, *images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back, found, atlas = img_to_signals_labels(painted, *images, keep_masked_labels=keep)
    every = testing.regions_of(labels) if keep else inside
    assert found == every
    columns = [every.index(label) for label in inside]
    assert_bits(np.ascontiguousarray(back[:, columns]), signals)
    assert not np.delete(back, columns, axis=1).any()
    assert testing.regions_of(array_of(atlas)) == inside


def test_complex_signals_go_there_and_back(labels_img):
    signals = np.array([[1 + 2j, -3.5, 1e-7j, 8]])
    back, *_ = img_to_signals_labels(signals_to_img_labels(signals, labels_img), labels_img)
    assert_bits(back, np.asfortranarray(signals))
    with pytest.raises(ImageTypeError, match=r"complex numbers, for which there is no median"):
        img_to_signals_labels(
            signals_to_img_labels(signals, labels_img), labels_img, strategy="median"
        )


# --- many regions -------------------------------------------------------------------------


@given(n_threads=st.integers(1, 5), masked=st.booleans(), seed=SEEDS)
def test_scattered_labels_that_are_numbered_in_threads(n_threads, masked, seed):
    rng = np.random.default_rng(seed)
    choices = np.append(rng.integers(-(2**62), 2**62, 30), 0)
    labels = rng.choice(choices, (5, 4, 7))
    data = values_of((5, 4, 7, 2), "f8", seed)
    mask = (rng.random(labels.shape) < 0.5).astype(np.uint8) if masked else None
    regions, expected = extract_by_hand(data, labels, "median", mask=mask)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", MaskWarning)
        patch.setattr(encoding, "n_cpus", lambda: n_threads)
        patch.setattr(encoding, "_SAMPLES_PER_THREAD", 1)
        signals, found, atlas = img_to_signals_labels(
            nib.Nifti1Image(data, OBLIQUE),
            nib.Nifti1Image(labels, OBLIQUE, dtype=np.int64),
            None if mask is None else image_of(mask),
            strategy="median",
        )
    assert found == sorted(found) == regions
    np.testing.assert_array_equal(signals, expected)
    np.testing.assert_array_equal(array_of(atlas), labels if mask is None else labels * mask)


# --- dtype, memory order, threads ---------------------------------------------------------


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    ("dtype", "slope", "expected_dtype"),
    [("f4", 1, "f4"), (">f4", 1, "f4"), ("f4", 2, "f8"), ("i2", 1, "f8"), ("u1", 0.5, "f8"),
     ("f8", 1, "f8")],
)  # fmt: skip
def test_images_of_float32_give_float32(tmp_path, labels_img, dtype, slope, expected_dtype, suffix):
    stored = values_of((*labels_img.shape, 2), dtype, seed=2)
    header = nib.Nifti1Header(endianness=">" if dtype[0] == ">" else "<")
    header.set_data_dtype(dtype)
    image = nib.Nifti1Image(stored, OBLIQUE, header)
    image.header.set_slope_inter(slope, 0)
    nib.save(image, tmp_path / f"maps{suffix}")
    loaded = nib.load(tmp_path / f"maps{suffix}")
    assert loaded.dataobj.slope == slope
    signals, *_ = img_to_signals_labels(loaded, labels_img)
    assert signals.dtype == np.dtype(expected_dtype)
    _, by_hand = extract_by_hand(slope * stored.astype(float), array_of(labels_img), "mean")
    np.testing.assert_allclose(signals, by_hand, rtol=1e-5)


def test_one_image_of_float64_makes_a_list_float64(data, labels_img):
    both = [image_of(data[..., 0].astype("f4")), image_of(data[..., 1])]
    assert img_to_signals_labels(both, labels_img)[0].dtype == np.float64
    assert img_to_signals_labels(both[:1], labels_img)[0].dtype == np.float32


def test_a_sum_too_large_for_float32_is_infinite(labels_img):
    image = image_of(np.full((*labels_img.shape, 1), 3e38, np.float32))
    signals, *_ = img_to_signals_labels(image, labels_img, strategy="sum")
    assert np.isposinf(signals).all()


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_memory_order_is_the_one_asked_for(image, labels_img, expected, order):
    signals, *_ = img_to_signals_labels(image, labels_img, order=order)
    assert signals.flags[f"{order}_CONTIGUOUS"]
    assert signals.flags.writeable
    np.testing.assert_allclose(signals, expected)


def test_another_order_is_refused(image, labels_img):
    with pytest.raises(ValueError, match=r"order must be 'C' or 'F', not 'A'"):
        img_to_signals_labels(image, labels_img, order="A")


@pytest.mark.parametrize("strategy", sorted(BY_HAND))
def test_any_number_of_threads_gives_the_same_bits(strategy):
    labels = np.random.default_rng(1).integers(0, 9, (61, 53, 47)).astype("i2") * 700
    image = image_of(values_of((*labels.shape, 5), "f4", seed=3))
    one, *others = (
        img_to_signals_labels(image, image_of(labels), strategy=strategy, n_jobs=n_jobs)[0]
        for n_jobs in (1, 2, -1, None)
    )
    for other in others:
        assert_bits(other, one)


def test_no_threads_are_refused(image, labels_img):
    with pytest.raises(ValueError, match=r"n_jobs is a number of threads.* it is 0"):
        img_to_signals_labels(image, labels_img, n_jobs=0)


@pytest.mark.parametrize("strategy", ["foo", "count", "percentile:90", np.mean, ["mean"], None])
def test_another_strategy_is_refused(image, labels_img, strategy):
    with pytest.raises(ArgumentError, match=r"'strategy' must be one of mean, median, .*; it is "):
        img_to_signals_labels(image, labels_img, strategy=strategy)


# --- labels and the masked atlas ----------------------------------------------------------


def test_labels_are_plain_numbers(image, labels, labels_img):
    for given_labels in (labels, labels.astype("f4"), labels.astype(">i8")):
        _, found, _ = img_to_signals_labels(image, image_of(given_labels))
        assert found == [-2, 3, 7, 7001]
        assert {type(label) for label in found} == {int}
    _, found, _ = img_to_signals_labels(image, image_of(labels + 0.5), background_label=0.5)
    assert found == [-1.5, 3.5, 7.5, 7001.5]


def test_the_masked_atlas_holds_the_labels_inside_the_mask(
    image, labels, labels_img, emptying_mask
):
    with pytest.warns(MaskWarning):
        signals, found, atlas = img_to_signals_labels(image, labels_img, emptying_mask)
    assert found == [3, 7001]
    assert_bits(array_of(atlas), np.where(np.isin(labels, found), labels, 0).astype(np.int32))
    assert array_of(atlas).flags.f_contiguous
    again, *_ = img_to_signals_labels(image, atlas)
    assert_bits(again, signals)


def test_the_masked_atlas_holds_the_background_label_elsewhere(image, labels, labels_img):
    mask = np.ones(labels.shape, np.uint8)
    mask[0], mask[5] = 0, 0
    with pytest.warns(MaskWarning):
        _, found, atlas = img_to_signals_labels(
            image, labels_img, image_of(mask), background_label=7
        )
    assert found == [0, 7001]
    assert_bits(array_of(atlas), np.where(mask, labels, 7).astype(np.int32))


def test_the_masked_atlas_has_the_geometry_of_the_labels(image, labels):
    labels_img = image_of(labels)
    labels_img.set_qform(OBLIQUE, code=2)
    labels_img.set_sform(OBLIQUE, code=4)
    labels_img.header.set_xyzt_units("mm", "sec")
    *_, atlas = img_to_signals_labels(image, labels_img)
    assert type(atlas) is nib.Nifti1Image
    np.testing.assert_array_equal(atlas.affine, labels_img.affine)
    assert (int(atlas.header["qform_code"]), int(atlas.header["sform_code"])) == (2, 4)
    assert atlas.header.get_xyzt_units()[0] == "mm"


def test_the_masked_atlas_saves_and_loads_exactly(tmp_path, image, labels):
    wide = labels.astype(np.int64) * 2**51
    *_, atlas = img_to_signals_labels(image, image_of(wide))
    nib.save(atlas, tmp_path / "atlas.nii.gz")
    assert_bits(array_of(nib.load(tmp_path / "atlas.nii.gz")), np.asfortranarray(wide))


def test_unlike_nilearn_labels_above_int32_stay_what_they_are(image, labels):
    wide = labels.astype(np.int64) * 2**34
    *_, theirs = nilearn.regions.img_to_signals_labels(image, image_of(wide))
    assert not array_of(theirs).any()
    _, found, ours = img_to_signals_labels(image, image_of(wide))
    assert found == [label * 2**34 for label in (-2, 3, 7, 7001)]
    np.testing.assert_array_equal(array_of(ours), wide)
    assert array_of(ours).dtype == np.int64


def test_unlike_nilearn_fractional_labels_stay_apart(image, labels):
    halves = labels / 2
    *_, theirs = nilearn.regions.img_to_signals_labels(image, image_of(halves))
    assert len(np.unique(array_of(theirs))) == 5
    assert 3.5 not in array_of(theirs)
    _, found, ours = img_to_signals_labels(image, image_of(halves))
    assert found == [-1, 1.5, 3.5, 3500.5]
    np.testing.assert_array_equal(array_of(ours), halves)


@pytest.mark.parametrize(
    ("background", "dtype"), [(-1, np.int32), (2**40, np.int64), (0.5, np.float64),
                              (np.nan, np.float64), (2**70, np.float64)],
)  # fmt: skip
def test_unlike_nilearn_the_background_may_be_any_number(image, labels, background, dtype):
    tall = np.where(labels == -2, 200, labels % 256).astype(np.uint8)
    mask = np.ones(labels.shape, np.uint8)
    mask[..., 0] = 0
    _, found, atlas = img_to_signals_labels(
        image, image_of(tall), image_of(mask), background_label=background
    )
    assert found == [0, 3, 7, 89, 200]
    assert array_of(atlas).dtype == dtype
    np.testing.assert_array_equal(array_of(atlas), np.where(mask, tall, dtype(background)))


def test_a_background_that_no_voxel_has_changes_no_dtype(image, labels_img):
    *_, atlas = img_to_signals_labels(image, labels_img, background_label=np.nan)
    assert_bits(array_of(atlas), array_of(labels_img).astype(np.int32))


def test_unlike_nilearn_values_near_an_integer_are_that_label(image, labels):
    near = labels + np.where(labels == 7, 1e-8, 0)
    near[2] += 1e-8
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, theirs, _ = nilearn.regions.img_to_signals_labels(image, image_of(near))
    assert len(theirs) > 4
    assert img_to_signals_labels(image, image_of(near))[1] == [-2, 3, 7, 7001]


def test_labels_that_are_nan_or_infinite_are_no_region(image, labels, expected):
    odd = labels.astype(np.float32)
    odd[4, 0], odd[4, 1] = np.nan, np.inf
    with pytest.warns(LabelsWarning, match=r"Non-finite values detected: 8 voxels of the labels"):
        signals, found, atlas = img_to_signals_labels(image, image_of(odd))
    assert found == [-2, 3, 7, 7001]
    np.testing.assert_allclose(signals, expected)
    assert_bits(array_of(atlas), labels.astype(np.int32))


def test_unlike_nilearn_no_region_at_all_is_an_error(image, labels):
    nothing = image_of(np.zeros_like(labels))
    assert nilearn.regions.img_to_signals_labels(image, nothing)[0].shape == (3, 0)
    with pytest.raises(LabelsError, match=r"The labels image has no region"):
        img_to_signals_labels(image, nothing)


# --- masks --------------------------------------------------------------------------------


def test_regions_that_a_mask_empties_have_no_column(image, data, labels, emptying_mask):
    with pytest.warns(MaskWarning) as caught:
        signals, found, _ = img_to_signals_labels(image, image_of(labels), emptying_mask)
    assert found == [3, 7001]
    _, by_hand = extract_by_hand(data, labels, "mean", mask=array_of(emptying_mask))
    np.testing.assert_allclose(signals, by_hand)
    (warning,) = caught
    assert str(warning.message) == (
        "After applying mask to the labels image, the following labels were removed: {-2, 7}. "
        "Out of 5 labels, the masked labels image only contains 3 labels (including background)."
    )
    assert warning.filename == __file__


def test_unlike_nilearn_five_of_many_labels_are_listed_and_the_background_counts():
    many = np.arange(1, 2 * 4 * 30 + 1, dtype=np.int16).reshape(2, 4, 30)
    mask = (many > 200).astype(np.uint8)
    images = image_of(values_of((*many.shape, 1), "f4", 1)), image_of(many), image_of(mask)
    with pytest.warns(UserWarning, match=r"\{1, 2, .*200\}\. Out of 240 labels, .* 41 labels"):
        nilearn.regions.img_to_signals_labels(*images)
    with pytest.warns(MaskWarning, match=r"\{1, 2, 3, 4, 5 and 195 more\}\. Out of 241 .* 41 "):
        img_to_signals_labels(*images)


def test_or_one_of_zeros_where_they_are_kept(image, labels, emptying_mask, expected):
    with pytest.warns(FutureWarning) as caught:
        signals, found, _ = img_to_signals_labels(
            image, image_of(labels), emptying_mask, keep_masked_labels=True
        )
    assert found == [-2, 3, 7, 7001]
    np.testing.assert_allclose(signals, np.where(np.isin(found, [3, 7001]), expected, 0))
    assert [str(warning.message) for warning in caught] == [
        'In version 0.15.0, "keep_masked_labels" parameter will be removed.'
    ]
    assert caught[0].filename == __file__


def test_a_mask_that_leaves_no_region_is_refused(image, labels, labels_img):
    outside = image_of((labels == 0).astype(np.uint8))
    with pytest.raises(LabelsError, match=r"^No label left after applying mask to the labels im"):
        img_to_signals_labels(image, labels_img, outside)
    with pytest.warns(FutureWarning):
        signals, found, atlas = img_to_signals_labels(
            image, labels_img, outside, keep_masked_labels=True
        )
    assert len(found) == 4
    assert not signals.any()
    assert not array_of(atlas).any()


def test_without_the_masked_atlas_two_things_are_returned(image, labels_img, expected):
    with pytest.warns(FutureWarning, match='"return_masked_atlas" parameter will be removed'):
        signals, found = img_to_signals_labels(image, labels_img, return_masked_atlas=False)
    np.testing.assert_allclose(signals, expected)
    assert found == [-2, 3, 7, 7001]


# --- voxels that are not finite -----------------------------------------------------------


@pytest.mark.parametrize("strategy", sorted(BY_HAND))
def test_voxels_that_are_nan_or_infinite_are_zero_with_a_warning(data, labels, strategy):
    data[1, 2, 3], data[2, 3, 3, 1], data[3, 1, 2, 2] = np.nan, np.inf, -np.inf
    with pytest.warns(NonfiniteWarning) as caught:
        signals, *_ = img_to_signals_labels(image_of(data), image_of(labels), strategy=strategy)
    np.testing.assert_allclose(signals, extract_by_hand(data, labels, strategy)[1])
    (warning,) = caught
    assert str(warning.message) == (
        "Non-finite values detected: voxels that are NaN or infinite are taken as 0 in 2 regions, "
        "labels 7, 7001. regioncast.extract leaves them out."
    )
    with pytest.warns(UserWarning, match="Non-finite values detected"):
        theirs, *_ = nilearn.regions.img_to_signals_labels(
            image_of(data.copy()), image_of(labels), strategy=strategy
        )
    np.testing.assert_allclose(signals, theirs)


def test_unlike_nilearn_they_warn_only_where_they_count(data, labels_img):
    data[4] = np.nan
    with pytest.warns(UserWarning, match="Non-finite values detected"):
        nilearn.regions.img_to_signals_labels(image_of(data.copy()), labels_img)
    img_to_signals_labels(image_of(data), labels_img)


def test_unlike_nilearn_the_callers_arrays_stay_as_they_are(data, labels):
    data[:2] = np.nan
    odd, mask = labels.astype(np.float64), np.ones(labels.shape)
    odd[4], mask[3, 0] = np.inf, np.nan

    def changed(extract):
        arrays = data.copy(), odd.copy(), mask.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            extract(*map(image_of, arrays))
        return [
            not np.array_equal(array, was, equal_nan=True)
            for array, was in zip(arrays, (data, odd, mask), strict=True)
        ]

    assert changed(nilearn.regions.img_to_signals_labels) == [True, True, True]
    assert changed(img_to_signals_labels) == [False, False, False]


@given(labels=testing.label_volumes(), seed=SEEDS, drawn=st.data())
def test_whatever_comes_in_is_left_as_it_was(labels, seed, drawn):
    mask = drawn.draw(testing.masks(labels.shape))
    assume(columns_of(labels, mask=mask))
    data = values_of((*labels.shape, 2), ">f4", seed)
    arrays = data, labels, mask
    before = [array.tobytes() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        *_, atlas = img_to_signals_labels(*map(image_of, arrays))
    assert [array.tobytes() for array in arrays] == before
    assert not any(np.shares_memory(array_of(atlas), array) for array in arrays)


# --- sources ------------------------------------------------------------------------------


def test_images_may_be_files_patterns_and_lists(tmp_path, data, image, labels_img, expected):
    nib.save(image, tmp_path / "series.nii.gz")
    for number in range(3):  # in natural order: 9, 10, 11
        volume = nib.Nifti1Image(data[..., number], OBLIQUE)
        nib.save(volume, tmp_path / f"vol{number + 9}.nii")
    volumes = [tmp_path / f"vol{number}.nii" for number in (9, 10, 11)]
    for source in (
        tmp_path / "series.nii.gz",
        str(tmp_path / "series.nii.gz"),
        nib.load(tmp_path / "series.nii.gz"),
        str(tmp_path / "vol*.nii"),
        volumes,
        tuple(map(str, volumes)),
        [volumes[0], image_of(data[..., 1]), nib.load(volumes[2])],
        [image],
    ):
        signals, *_ = img_to_signals_labels(source, labels_img)
        np.testing.assert_allclose(signals, expected)


def test_painted_images_are_extracted_too(labels_img):
    values = np.array([[0.25, -1, 1e9, 3], [4, 5, 6, 7]])
    painted = regioncast.paint(values, regioncast.load_parcellation(labels_img, "none"))
    back, *_ = img_to_signals_labels(painted, labels_img)
    assert_bits(back, np.asfortranarray(values))


def test_unlike_nilearn_a_list_of_4d_images_is_one_series(image, labels_img, expected):
    theirs = nilearn.regions.img_to_signals_labels
    with pytest.raises(nilearn.exceptions.DimensionError):
        theirs([image, image], labels_img)
    signals, *_ = img_to_signals_labels([image, image], labels_img)
    np.testing.assert_allclose(signals, np.concatenate([expected, expected]))


def test_labels_and_mask_may_be_files(tmp_path, image, labels_img, expected):
    nib.save(labels_img, tmp_path / "atlas.nii.gz")
    nib.save(image_of(np.ones(labels_img.shape, "u1")), tmp_path / "mask.nii")
    signals, *_ = img_to_signals_labels(image, tmp_path / "atlas.nii.gz", tmp_path / "mask.nii")
    np.testing.assert_allclose(signals, expected)


def test_unlike_nilearn_a_file_is_read_and_not_the_cache_of_its_image(
    tmp_path, image, labels_img, expected
):
    nib.save(image, tmp_path / "series.nii")
    loaded = nib.load(tmp_path / "series.nii")
    nilearn.image.get_data(loaded)[:] = 0
    assert not nilearn.regions.img_to_signals_labels(loaded, labels_img)[0].any()
    np.testing.assert_allclose(img_to_signals_labels(loaded, labels_img)[0], expected)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_an_image_is_what_its_array_is_wherever_it_was_saved_since(
    tmp_path, labels, labels_img, suffix
):
    stored = values_of((*labels.shape, 3), "i2", seed=6)
    nib.save(nib.Nifti1Image(stored, OBLIQUE), tmp_path / f"first{suffix}")
    _, expected = extract_by_hand(stored, labels, "mean")

    def same(change):
        image = nib.load(tmp_path / f"first{suffix}")
        signals, *_ = img_to_signals_labels(change(image) or image, labels_img)
        np.testing.assert_allclose(signals, expected)

    def saved_as_float32(image):
        image.set_data_dtype(np.float32)
        nib.save(image, tmp_path / "second.nii")

    same(saved_as_float32)
    same(lambda image: image.set_filename(str(tmp_path / "not yet saved.nii")))
    same(lambda image: nib.Nifti1Image(image.dataobj, image.affine, image.header))
    same(nib.Nifti2Image.from_image)


@pytest.mark.parametrize(
    "name",
    [
        "nibabel/tests/data/functional.nii",
        "nibabel/tests/data/example4d.nii.gz",
        "nibabel/tests/data/scaled+tlrc.HEAD",
        "nibabel/tests/data/example4d+orig.HEAD",
    ],
)
def test_real_files_of_others_give_what_nilearn_makes_of_them(real_file, name):
    image = nib.load(real_file(name))
    shape = image.shape[:3]
    labels = (np.indices(shape) * 3 // np.reshape(shape, (3, 1, 1, 1))).T @ [1, 10, 1000]
    labels_img = image_of(labels.T.astype(np.int16), image.affine)
    whole = nib.Nifti1Image(np.atleast_3d(image.dataobj).reshape(*shape, -1), image.affine)
    theirs, found, _ = nilearn.regions.img_to_signals_labels(whole, labels_img)
    ours, labels, _ = img_to_signals_labels(real_file(name), labels_img)
    assert labels == found
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_series_is_never_held_as_a_whole(tmp_path, suffix):
    labels = np.zeros((71, 66, 58), np.int16)
    labels[:35], labels[35:, 10:] = 3, 9000
    path = tmp_path / f"series{suffix}"
    data = np.zeros((*labels.shape, 120), np.int16)
    data[:35], data[35:] = np.arange(120), 7
    nib.save(image_of(data), path)
    held = data.nbytes
    del data
    tracemalloc.start()
    try:
        signals, *_ = img_to_signals_labels(path, image_of(labels))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(signals[:, 0], np.arange(120))
    assert peak < 30_000_000 < held / 2


# --- errors -------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["labels", "mask"])
def test_grids_that_differ_are_refused(image, labels_img, what):
    def refused(other, message):
        images = (other, None) if what == "labels" else (labels_img, other)
        with pytest.raises(SpaceError, match=message):
            img_to_signals_labels(image, *images)

    refused(image_of(np.zeros((6, 5, 3), "u1")), r"^Images have incompatible shapes\. The ")
    moved = image_of(np.zeros((6, 5, 4), "u1"), OBLIQUE + np.eye(4)[3] * [[1], [0], [0], [0]])
    refused(moved, r"^Images have different affine matrices\. The ")


def test_unlike_nilearn_grids_may_differ_by_a_hundredth_of_a_voxel(image, labels, expected):
    moved = image_of(labels, OBLIQUE + np.eye(4)[:, :1] * [0, 0, 0, 1e-3])
    with pytest.raises(ValueError, match="different affine matrices"):
        nilearn.regions.img_to_signals_labels(image, moved)
    signals, *_ = img_to_signals_labels(image, moved)
    np.testing.assert_allclose(signals, expected)


def test_images_of_a_wrong_dimension_are_refused_as_nilearn_does(image, labels_img, data):
    flat, five = image_of(data[..., 0, 0]), image_of(data[..., np.newaxis, :])
    for images in ((flat, labels_img), (five, labels_img), (image, image)):
        with pytest.raises(DimensionError) as caught:
            img_to_signals_labels(*images)
        assert isinstance(caught.value, nilearn.exceptions.DimensionError)
        assert isinstance(caught.value, TypeError)


def test_what_is_no_volume_is_refused(image, labels_img, data):
    mesh = nilearn.surface.InMemoryMesh(np.eye(4, 3), np.array([[0, 1, 2], [1, 2, 3]]))
    surface = nilearn.surface.SurfaceImage(
        {"left": mesh, "right": mesh}, {"left": np.arange(4), "right": np.arange(4)}
    )
    for imgs in (surface, [surface]):
        with pytest.raises(ImageTypeError, match=r"The image is a surface \(SurfaceImage\)"):
            img_to_signals_labels(imgs, labels_img)
    with pytest.raises(ImageTypeError, match=r"The labels image is a surface \(SurfaceImage\)"):
        img_to_signals_labels(image, surface)
    with pytest.raises(ImageTypeError, match=r"The image must be a path or a nibabel image"):
        img_to_signals_labels(data, labels_img)


def test_files_that_are_missing_or_damaged_are_refused(tmp_path, image, labels_img):
    for name in ("absent.nii", "absent*.nii"):
        with pytest.raises(InputMissingError):
            img_to_signals_labels(str(tmp_path / name), labels_img)
    nib.save(image, tmp_path / "whole.nii")
    content = (tmp_path / "whole.nii").read_bytes()
    (tmp_path / "short.nii").write_bytes(content[:-100])
    (tmp_path / "short.nii.gz").write_bytes(gzip.compress(content)[:-20])
    for name in ("short.nii", "short.nii.gz"):
        with pytest.raises(FileFormatError, match=r"truncated or damaged"):
            img_to_signals_labels(tmp_path / name, labels_img)


@pytest.mark.parametrize(("dtype", "largest"), [(np.float32, 2**24), (np.float64, 2**53)])
def test_labels_that_may_have_merged_when_they_were_stored_are_refused(
    image, labels, dtype, largest
):
    large = labels.astype(np.int64)
    large[labels == labels.max()] = largest + 5
    message = (
        rf"^1 label of the labels image is beyond {largest:,}: {largest + 4}\. They are stored"
    )
    with pytest.raises(LabelsError, match=message):
        img_to_signals_labels(image, image_of(large.astype(dtype)))


@pytest.mark.parametrize("background", ["0", None, [0]])
def test_a_background_that_is_no_number_is_refused(image, labels_img, background):
    with pytest.raises(TypeError, match=r"background_label\) must be a number"):
        img_to_signals_labels(image, labels_img, background_label=background)
