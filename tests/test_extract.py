"""``extract``: from images of every kind to one number per region, and how much there was."""

from __future__ import annotations

import warnings

import nibabel as nib
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st

import regioncast as rc
from regioncast import extraction, testing
from regioncast.errors import (
    ArgumentError,
    ImageTypeError,
    LabelsError,
    MaskWarning,
    SignalsError,
    SpaceError,
)
from regioncast.io import map_streams

SEEDS = st.integers(0, 2**32 - 1)

# Rotated about two axes, other voxel sizes on each, off the origin.
OBLIQUE = np.array(
    [[-1.9, 0.3, 0.4, 91.25], [0.2, 2.4, -0.6, -126.5], [0.5, 0.5, 2.9, -72.125], [0, 0, 0, 1]]
)

# Of a region of equal values these are the value itself.
EXACT = ["mean", "median", "minimum", "maximum", "mode"]

OF_SCIPY = {
    "mean": scipy.ndimage.mean,
    "median": scipy.ndimage.median,
    "sum": scipy.ndimage.sum_labels,
    "minimum": scipy.ndimage.minimum,
    "maximum": scipy.ndimage.maximum,
    "variance": scipy.ndimage.variance,
    "standard_deviation": scipy.ndimage.standard_deviation,
}

REGIONS = [-2, 3, 7, 7001]


def image_of(array, affine=OBLIQUE):
    """An image in memory, whatever its header can hold."""
    return nib.Nifti1Image(array, affine, nib.Nifti1Header())


def values_of(shape, dtype, seed):
    """Numbers as a scanner gives them, in any dtype."""
    numbers = 1000 * np.random.default_rng(seed).standard_normal(shape)
    return (np.abs(numbers) % 250 if np.dtype(dtype).kind == "u" else numbers).astype(dtype)


def by_scipy(data, labels, strategy="mean", regions=REGIONS):
    data = np.asarray(data, np.float64).reshape(*labels.shape, -1)
    maps = np.moveaxis(data, -1, 0)
    return np.array([OF_SCIPY[strategy](one, labels, regions) for one in maps])


def thirds(shape):
    """Labels 0, 1, 2, 10, 11, … 2222 of the blocks that a volume has when each side is in 3."""
    parts = [np.arange(side) * 3 // side for side in shape]
    return sum(np.ix_(*(part * size for part, size in zip(parts, (1, 10, 1000), strict=True))))


def coverage_of(signals):
    return {title: list(column) for title, column in signals.coverage.columns.items()}


def saved(image, path):
    nib.save(image, path)
    return path


@pytest.fixture
def labels():
    """Labels 0, 3, 7, 7001 and -2 in a small volume that is no cube."""
    volume = np.zeros((6, 5, 4), np.int16)
    volume[0], volume[1:3, 2:], volume[3, :, 1:], volume[5, 4] = 3, 7, 7001, -2
    return volume


@pytest.fixture
def labels_img(labels):
    return image_of(labels)


@pytest.fixture
def data(labels):
    return values_of((*labels.shape, 3), "f8", seed=8)


@pytest.fixture
def image(data):
    return image_of(data)


# --- the round trip -----------------------------------------------------------------------


def expected_of(signals):
    """Signals as they come back: float64 or complex128, missing where not finite."""
    wide = np.atleast_2d(signals).astype(np.complex128 if signals.dtype.kind == "c" else float)
    return np.where(np.isfinite(wide), wide, np.nan)


@given(labels=testing.label_volumes(), drawn=st.data())
def test_what_was_painted_comes_back_and_beyond_2_to_53_the_nearest_float64(labels, drawn):
    n_regions = len(testing.regions_of(labels))
    signals = drawn.draw(testing.region_signals(n_regions))
    is_complex = signals.dtype.kind == "c"
    strategy = "mean" if is_complex else drawn.draw(st.sampled_from(EXACT))
    painted = rc.paint(signals, image_of(labels), regions="none")
    back = rc.extract(painted, image_of(labels), regions="none", strategy=strategy)
    np.testing.assert_array_equal(back.values, expected_of(signals))
    assert back.values.dtype == (np.complex128 if is_complex else np.float64)
    assert back.single == (signals.ndim == 1)
    assert list(back.labels) == testing.regions_of(labels)


@given(labels=testing.label_volumes(), drawn=st.data())
def test_infinite_values_come_back_too_where_they_propagate(labels, drawn):
    n_regions = len(testing.regions_of(labels))
    signals = drawn.draw(testing.region_signals(n_regions, ["f4", "f8"]))
    strategy = drawn.draw(st.sampled_from(EXACT))
    painted = rc.paint(signals, image_of(labels), regions="none")
    with np.errstate(all="ignore"):
        back = rc.extract(
            painted, image_of(labels), regions="none", strategy=strategy, nan="propagate"
        )
    np.testing.assert_array_equal(back.values, np.atleast_2d(signals))


@pytest.mark.parametrize("value", [2**53 + 1, 2**63 - 1, -(2**63), -(2**53) - 3])
@pytest.mark.parametrize("strategy", EXACT)
def test_int64_beyond_2_to_53_comes_back_as_the_nearest_float64(labels_img, value, strategy):
    signals = np.array([[value, 5, -1, 0]])
    back = rc.extract(rc.paint(signals, labels_img), labels_img, strategy=strategy)
    assert back.values.tolist() == [[float(value), 5, -1, 0]]


MGH_DTYPES = ["u1", "i2", "i4", "f4"]
NIFTI_DTYPES = [*MGH_DTYPES, "?", "u2", "u4", "i8", "f8", "c8"]


@pytest.mark.parametrize("ndim", [1, 2])
@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [(suffix, dtype) for suffix in (".nii", ".nii.gz") for dtype in NIFTI_DTYPES]
    + [(".mgz", dtype) for dtype in MGH_DTYPES],
)
def test_what_was_painted_and_saved_comes_back_from_the_file(
    tmp_path, labels_img, suffix, dtype, ndim
):
    signals = values_of((3, 4)[2 - ndim :], dtype, 2)
    path = rc.save(rc.paint(signals, labels_img), tmp_path / f"painted{suffix}")
    strategies = ["mean"] if dtype == "c8" else EXACT
    for back in rc.extract(path, labels_img, strategy=strategies).values():
        np.testing.assert_array_equal(back.values, np.atleast_2d(signals).astype(back.values.dtype))
        assert back.single == (ndim == 1)


def test_one_region_and_one_map_come_back(tmp_path):
    labels = np.full((2, 1, 3), 300, np.uint16)
    for signals in (np.array([2.5]), np.array([[2.5]]), np.array([[2.5], [-1]])):
        painted = rc.paint(signals, image_of(labels))
        for source in (painted, rc.save(painted, tmp_path / "one.nii.gz", overwrite=True)):
            back = rc.extract(source, image_of(labels))
            np.testing.assert_array_equal(back.values, np.atleast_2d(signals))
            assert back.single == (signals.ndim == 1)
            assert back.coverage.columns["fraction"] == (1.0,)


def test_regions_without_a_value_or_without_a_voxel_keep_their_column_as_nan(labels_img):
    table = {-2: "d", 3: "a", 7: "b", 99: "empty", 7001: "c"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        atlas = rc.load_parcellation(labels_img, table)
    values = {"a": [1.5, 2], "c": [3.0, -4]}
    painted = rc.paint(values, atlas, missing="fill", fill=np.nan)
    back = rc.extract(painted, atlas)
    assert back.keys == ("d", "a", "b", "empty", "c")
    assert back.labels == (-2, 3, 7, 99, 7001)
    nan = np.nan
    np.testing.assert_array_equal(back.values, [[nan, 1.5, nan, nan, 3], [nan, 2, nan, nan, -4]])
    columns = coverage_of(back)
    assert columns["voxels"] == [4, 20, 24, 0, 15]
    assert columns["finite"] == [0, 20, 0, 0, 15]
    np.testing.assert_array_equal(columns["fraction"], [0, 1, 0, nan, 1])


def test_extracted_signals_can_be_painted_again_as_they_are(image, labels_img):
    signals = rc.extract(image, labels_img)
    again = rc.extract(rc.paint(signals, labels_img), labels_img)
    np.testing.assert_array_equal(again.values, signals.values)


# --- against scipy and brute force --------------------------------------------------------


@pytest.mark.parametrize("strategy", OF_SCIPY)
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "u2", "f4", "f8", ">i2", ">f8", "i8"])
def test_reductions_are_those_of_scipy(labels, labels_img, strategy, dtype):
    data = values_of((*labels.shape, 5), dtype, 9)
    signals = rc.extract(image_of(data), labels_img, strategy=strategy)
    np.testing.assert_allclose(signals.values, by_scipy(data, labels, strategy), rtol=1e-12)


STRATEGIES = [*OF_SCIPY, "count", "mode", "percentile:10", "percentile:75"]


@given(
    labels=testing.label_volumes(),
    seed=SEEDS,
    strategy=st.sampled_from(STRATEGIES),
    nan=st.sampled_from(["omit", "propagate", "zero"]),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    dtype=st.sampled_from(["f4", ">f4", "f8", "i2", "f2"]),
    memory=st.sampled_from(testing.MEMORIES),
    masked=st.booleans(),
    weighted=st.booleans(),
)
def test_every_option_does_what_brute_force_does(
    labels, seed, strategy, nan, share, dtype, memory, masked, weighted
):
    rng = np.random.default_rng(seed)
    data = np.round(rng.normal(0, 9, (*labels.shape, 2)))
    if np.dtype(dtype).kind == "f":
        odd = rng.random(data.shape) < share
        data[odd] = rng.choice([np.nan, np.inf, -np.inf], int(odd.sum()))
    data = testing.in_memory(data.astype(dtype), memory)
    regions = testing.regions_of(labels)
    inside = rng.random(labels.shape) < 0.7
    inside[tuple(np.argwhere(labels == regions[0])[0])] = True
    inside |= not masked
    weighted &= strategy in ("mean", "sum", "variance", "standard_deviation")
    weights = rng.random(labels.shape) + 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MaskWarning)
        signals = rc.extract(
            image_of(data),
            image_of(labels),
            strategy=strategy,
            nan=nan,
            mask=image_of(inside.astype("u1")) if masked else None,
            weights=image_of(weights) if weighted else None,
        )
    for column, label in enumerate(regions):
        chosen = (labels == label) & inside
        for number in range(2):
            expected = testing.reduce_region(
                data[..., number][chosen],
                strategy,
                nan=nan,
                weights=weights[chosen] if weighted else None,
            )
            np.testing.assert_allclose(
                signals.values[number, column], expected, rtol=1e-11, atol=1e-11
            )
        table = signals.coverage.columns
        finite = np.isfinite(data[chosen]).sum(axis=0).min()
        assert table["voxels"][column] == (labels == label).sum()
        assert table["in_mask"][column] == chosen.sum()
        assert table["finite"][column] == finite
        assert table["fraction"][column] == finite / (labels == label).sum()


@pytest.mark.parametrize("block_bytes", [1, 1000, 2500, 10**9])
@pytest.mark.parametrize("suffix", [None, ".nii", ".nii.gz", ".mgz"])
def test_any_size_of_blocks_and_number_of_threads_gives_the_same_bits(
    tmp_path, monkeypatch, labels, labels_img, block_bytes, suffix
):
    data = values_of((*labels.shape, 11), "f4", 4)
    data[0, 0, 0, 5] = np.nan
    image = image_of(data)
    if suffix == ".mgz":
        image = nib.MGHImage(data, OBLIQUE)
        labels_img = image_of(labels, image.affine)
    source = image if suffix is None else saved(image, tmp_path / f"series{suffix}")
    strategies = ["mean", "median", "variance", "mode", "first_eigenvariate"]
    once = rc.extract(source, labels_img, strategy=strategies, n_jobs=1)
    monkeypatch.setattr(map_streams, "_BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(extraction, "_VALUES_PER_THREAD", 1)
    for n_jobs in (1, 3, -1):
        again = rc.extract(source, labels_img, strategy=strategies, n_jobs=n_jobs)
        for name in strategies:
            assert again[name].values.tobytes() == once[name].values.tobytes()
            assert again[name].coverage.columns == once[name].coverage.columns


# --- strategies ---------------------------------------------------------------------------


def test_the_first_eigenvariate_is_that_of_a_singular_value_decomposition(labels, labels_img):
    data = values_of((*labels.shape, 9), "f8", 3) + 50 * np.arange(9)
    signals = rc.extract(image_of(data), labels_img, strategy="first_eigenvariate")
    for column, label in enumerate(REGIONS):
        course = testing.first_eigenvariate(data[labels == label])
        np.testing.assert_allclose(signals.values[:, column], course, rtol=1e-7, atol=1e-6)
        mean = data[labels == label].mean(axis=0)
        assert np.corrcoef(signals.values[:, column], mean)[0, 1] > 0


def test_the_first_eigenvariate_leaves_out_voxels_that_are_not_finite_in_some_map(
    labels, labels_img
):
    data = values_of((*labels.shape, 9), "f8", 3)
    data[0, 1, 2, 5] = np.inf
    signals = rc.extract(image_of(data), labels_img, strategy="first_eigenvariate")
    left = data[(labels == 3) & np.isfinite(data).all(axis=-1)]
    np.testing.assert_allclose(signals.values[:, 1], testing.first_eigenvariate(left), rtol=1e-7)


@pytest.mark.parametrize("n_maps", [None, 1])
def test_the_first_eigenvariate_needs_several_maps(labels, labels_img, n_maps):
    data = values_of(labels.shape if n_maps is None else (*labels.shape, n_maps), "f8", 3)
    with pytest.raises(ArgumentError, match=r"it needs two or more; there is 1\."):
        rc.extract(image_of(data), labels_img, strategy="first_eigenvariate")


def test_a_function_gets_all_maps_of_a_region_at_once(labels, labels_img, data, image):
    shapes = []

    def trimmed(values):
        shapes.append(values.shape)
        return np.sort(values, axis=0)[1:-1].mean(axis=0)

    signals = rc.extract(image, labels_img, strategy=trimmed)
    assert shapes == [(int((labels == label).sum()), 3) for label in REGIONS]
    expected = [np.sort(data[labels == label], axis=0)[1:-1].mean(axis=0) for label in REGIONS]
    np.testing.assert_allclose(signals.values, np.transpose(expected))


def test_a_function_that_gives_anything_but_one_number_per_map_is_refused(labels_img, image):
    for function in (np.mean, lambda values: values.mean(axis=1), lambda values: values):
        with pytest.raises(ArgumentError, match=r"must return one number per map, shape \(3,\); "):
            rc.extract(image, labels_img, strategy=function)


class CountingArray:
    """An array that notes which maps were asked for."""

    is_proxy = True
    ndim = 4

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.asked = array, array.shape, array.dtype, []

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("the whole series was asked for")

    def __getitem__(self, key):
        self.asked += range(*key[-1].indices(self.shape[-1]))
        return self.array[key]


def test_several_strategies_read_the_maps_once(monkeypatch, labels_img, data):
    monkeypatch.setattr(map_streams, "_BLOCK_BYTES", 1)
    counting = CountingArray(data)

    def spread(values):
        return np.ptp(values, axis=0)

    wanted = ["median", "mean", "mode", "percentile:90", spread, "count", "first_eigenvariate"]
    found = rc.extract(image_of(counting), labels_img, strategy=wanted)
    assert counting.asked == [0, 1, 2]
    names = [one if isinstance(one, str) else "spread" for one in wanted]
    assert list(found) == names
    for name, one in zip(names, wanted, strict=True):
        alone = rc.extract(image_of(data), labels_img, strategy=one)
        assert alone.values.tobytes() == found[name].values.tobytes()


def test_several_strategies_open_a_file_once(tmp_path, monkeypatch, image, labels_img):
    path, opened, open_file = saved(image, tmp_path / "series.nii.gz"), [], map_streams.igzip.open
    monkeypatch.setattr(
        map_streams.igzip, "open", lambda *args: opened.append(args[0]) or open_file(*args)
    )
    rc.extract(path, labels_img, strategy=("mean", "median", "mode", "first_eigenvariate"))
    assert opened == [str(path)]


def test_a_list_of_one_strategy_gives_a_dict_of_one(image, labels_img):
    found = rc.extract(image, labels_img, strategy=["sum"])
    assert list(found) == ["sum"]
    assert isinstance(found["sum"], rc.Signals)


def test_no_strategy_or_an_unknown_one_is_refused(image, labels_img):
    with pytest.raises(ArgumentError, match=r"There is no strategy: the list is empty"):
        rc.extract(image, labels_img, strategy=[])
    with pytest.raises(ArgumentError, match=r"'strategy' must be one of .*; it is 'average'"):
        rc.extract(image, labels_img, strategy="average")


def test_complex_images_have_a_complex_mean_and_no_median(labels, labels_img):
    data = values_of((*labels.shape, 2), "f8", 1) + 1j * values_of((*labels.shape, 2), "f8", 2)
    data[0, 0, 0, 1] = complex(np.nan, 7)
    for dtype in ("c8", "c16"):
        signals = rc.extract(image_of(data.astype(dtype)), labels_img)
        expected = [np.nanmean(data[labels == label], axis=0) for label in REGIONS]
        np.testing.assert_allclose(signals.values, np.transpose(expected), rtol=1e-5)
        assert signals.coverage.columns["finite"][1] == 19
    with pytest.raises(ImageTypeError, match="holds complex numbers, for which there is no median"):
        rc.extract(image_of(data), labels_img, strategy="median")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"nan": "skip"}, r"nan must be 'omit', 'propagate' or 'zero', not 'skip'"),
        ({"min_coverage": 1.5}, r"min_coverage is a fraction from 0 to 1, not 1\.5"),
        ({"min_coverage": -0.1}, r"min_coverage is a fraction from 0 to 1, not -0\.1"),
        ({"min_coverage": np.nan}, r"min_coverage is a fraction from 0 to 1, not nan"),
        ({"resample": "data"}, r"resample must be None or 'labels', not 'data'"),
        ({"n_jobs": 0}, r"n_jobs is a number of threads, or -1 for one per processor; it is 0"),
    ],
)
def test_options_that_mean_nothing_are_refused(image, labels_img, option, message):
    with pytest.raises(ArgumentError, match=message):
        rc.extract(image, labels_img, **option)


# --- coverage -----------------------------------------------------------------------------


def test_coverage_counts_voxels_those_in_the_mask_and_those_that_are_finite_in_the_poorest_map(
    labels, labels_img, data
):
    data[0, 0, :, 1], data[0, 1, :2, 2], data[3, 0] = np.nan, np.inf, np.nan
    mask = np.ones(labels.shape, "u1")
    mask[1], mask[0, 4] = 0, 0
    signals = rc.extract(image_of(data), labels_img, mask=image_of(mask))
    coverage = signals.coverage
    assert coverage.labels.tolist() == REGIONS
    assert coverage.columns["voxels"] == (4, 20, 24, 15)
    assert coverage.columns["in_mask"] == (4, 16, 12, 15)
    assert coverage.columns["finite"] == (4, 12, 12, 12)
    assert coverage.columns["fraction"] == (1, 0.6, 0.5, 0.8)


@pytest.mark.parametrize(
    ("least", "missing"),
    [(None, []), (0, []), (0.5, []), (0.51, [7]), (0.6, [7]), (0.8, [3, 7]), (1, [3, 7, 7001])],
)
def test_regions_below_the_least_coverage_are_missing_and_those_on_it_are_not(
    labels, labels_img, data, least, missing
):
    data[0, 0, :, 1], data[0, 1:4, 0, 2], data[0, 1, 1, 2], data[3, 0] = (np.nan,) * 4
    data[1] = np.nan
    data[0, :2, :, 0] = np.nan
    signals = rc.extract(image_of(data), labels_img, min_coverage=least)
    assert signals.coverage.columns["fraction"] == (1, 0.6, 0.5, 0.8)
    assert np.isnan(signals.values).all(axis=0).tolist() == [one in missing for one in REGIONS]
    everything = rc.extract(image_of(data), labels_img)
    left = [one not in missing for one in REGIONS]
    np.testing.assert_array_equal(signals.values[:, left], everything.values[:, left])


def test_the_least_coverage_holds_for_every_strategy_counts_too(labels_img, data):
    data[1] = np.nan
    found = rc.extract(image_of(data), labels_img, min_coverage=0.6, strategy=["count", "mode"])
    for signals in found.values():
        assert np.isnan(signals.values).any(axis=0).tolist() == [False, False, True, False]


def test_a_region_without_voxels_is_missing_whatever_the_least_coverage(image, labels_img):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        atlas = rc.load_parcellation(labels_img, {-2: "d", 3: "a", 7: "b", 99: "empty", 7001: "c"})
    for least in (None, 0, 1):
        signals = rc.extract(image, atlas, min_coverage=least)
        assert np.isnan(signals.values).all(axis=0).tolist() == [False] * 3 + [True, False]


# --- masks and weights --------------------------------------------------------------------


def test_a_mask_that_empties_regions_warns_and_they_keep_their_columns(
    labels, labels_img, image, data
):
    mask = image_of((labels != 7).astype("f4"))
    with pytest.warns(MaskWarning, match=r"The mask leaves no voxel of 1 region: '7'\.") as caught:
        signals = rc.extract(image, labels_img, mask=mask)
    assert caught[0].filename == __file__
    expected = by_scipy(data, labels)
    expected[:, 2] = np.nan
    np.testing.assert_allclose(signals.values, expected)


def test_a_mask_that_leaves_no_region_is_refused(labels, labels_img, image):
    with pytest.raises(LabelsError, match=r"The mask leaves no region: none of 4 regions"):
        rc.extract(image, labels_img, mask=image_of((labels == 0).astype("u1")))


@pytest.mark.parametrize("what", ["mask", "weights"])
def test_a_mask_and_weights_on_another_grid_are_refused(labels_img, image, what):
    with pytest.raises(SpaceError, match=rf"The {what} image has 6×5×3 voxels, .* has 6×5×4"):
        rc.extract(image, labels_img, **{what: image_of(np.ones((6, 5, 3)))})
    moved = image_of(np.ones((6, 5, 4)), OBLIQUE + np.eye(4)[:, 3:] * [0, 0, 0, 2] - np.eye(4)[3])
    with pytest.raises(SpaceError, match=rf"different affine .* The {what} image lies up to"):
        rc.extract(image, labels_img, **{what: moved})


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_weights_that_are_negative_or_not_finite_are_refused_where_there_are_regions(
    labels, labels_img, image, data, weight
):
    weights = np.ones(labels.shape)
    weights[4] = weight  # of no region
    signals = rc.extract(image, labels_img, weights=image_of(weights))
    np.testing.assert_allclose(signals.values, by_scipy(data, labels))
    weights[0, 0, :2] = weight
    with pytest.raises(SignalsError, match=r"2 voxels in regions with a weight that is negative"):
        rc.extract(image, labels_img, weights=image_of(weights))


def test_weights_of_zero_leave_voxels_out_and_a_region_of_them_has_no_mean(
    labels, labels_img, image, data
):
    weights = np.ones(labels.shape)
    weights[0, 1:], weights[3] = 0, 0
    found = rc.extract(image, labels_img, weights=image_of(weights), strategy=["mean", "sum"])
    np.testing.assert_allclose(found["mean"].values[:, 1], data[0, 0].mean(axis=0))
    assert np.isnan(found["mean"].values[:, 3]).all()
    assert found["sum"].values[:, 3].tolist() == [0, 0, 0]


def test_weights_do_not_go_with_a_median(labels, labels_img, image):
    with pytest.raises(ArgumentError, match=r"weights go with mean, .*, not with median"):
        rc.extract(image, labels_img, weights=image_of(np.ones(labels.shape)), strategy="median")
