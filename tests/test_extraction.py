"""The engine of extraction: strategies, groupings, and kernels against their NumPy twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regioncast import testing
from regioncast.engine import extraction
from regioncast.engine._kernels import reduce as kernels
from regioncast.engine.extraction import Block, Grouping, Strategy
from regioncast.errors import ArgumentError, ImageTypeError

SEEDS = st.integers(0, 2**32 - 1)
CODE_DTYPES = [np.dtype(code) for code in "BHI"]
VALUE_DTYPES = [np.dtype(code) for code in "?bBhHiIqQefd"]
WEIGHTED = ["sum", "mean", "variance", "standard_deviation"]
EXACT = ["count", "minimum", "maximum", "mode"]
PERCENTILES = ["median", "percentile:0", "percentile:90", "percentile:33.3", "percentile:100"]
STRATEGIES = [*WEIGHTED, *EXACT, *PERCENTILES]
POLICIES = ["omit", "propagate", "zero"]


def random_codes(seed, n_regions, dtype="B", size=130):
    return np.random.default_rng(seed).integers(0, n_regions + 1, size).astype(dtype)


def grouping_of(codes, n_regions):
    counts = np.bincount(codes, minlength=n_regions + 1)[1:].astype(np.int64)
    return Grouping.of(codes.reshape(-1, 1, 1), counts)


def random_maps(shape, dtype, seed, share=0.0):
    """Numbers with ties, some of them not finite."""
    rng = np.random.default_rng(seed)
    values = np.abs(np.round(rng.normal(0, 20, shape), 1))
    if np.dtype(dtype).kind not in "uB?":
        values = values - 10
    values = values.astype(dtype)
    if values.dtype.kind == "f":
        odd = rng.random(shape) < share
        values[odd] = rng.choice([np.nan, np.inf, -np.inf], int(odd.sum()))
    return values


def reduced(maps, codes, n_regions, strategies, weights=None, **options):
    grouping = grouping_of(codes, n_regions)
    found, finite = extraction.extract(
        [Block.of(maps)],
        grouping,
        [Strategy.of(one) for one in strategies],
        n_maps=len(maps),
        weights=None if weights is None else weights[grouping.samples],
        **options,
    )
    return dict(zip(strategies, found, strict=True)), finite


def reduced_by_hand(maps, codes, n_regions, strategy, nan, weights=None):
    return np.array(
        [
            [
                testing.reduce_region(
                    values[codes == code],
                    strategy,
                    nan=nan,
                    weights=None if weights is None else weights[codes == code],
                )
                for code in range(1, n_regions + 1)
            ]
            for values in maps
        ]
    )


# --- kernels and their twins --------------------------------------------------------------


@given(
    seed=SEEDS,
    n_regions=st.sampled_from([1, 3, 90, 200]),
    dtype=st.sampled_from(CODE_DTYPES),
    size=st.sampled_from([1, 5, 130]),
)
def test_group(seed, n_regions, dtype, size):
    codes = random_codes(seed, n_regions, dtype, size)
    expected, starts = testing.group(codes, n_regions)
    samples, places = np.empty(len(expected), np.uint32), starts[:-1].astype(np.int64)
    kernels.group(codes, places, samples)
    np.testing.assert_array_equal(samples, expected)
    np.testing.assert_array_equal(places, starts[1:])


@given(
    seed=SEEDS,
    n_regions=st.sampled_from([1, 3, 40]),
    dtype=st.sampled_from(VALUE_DTYPES),
    n_maps=st.integers(1, 3),
    share=st.sampled_from([0.0, 0.3, 1.0]),
    nan=st.sampled_from(POLICIES),
)
def test_reductions_are_those_of_the_twin(seed, n_regions, dtype, n_maps, share, nan):
    codes = random_codes(seed, n_regions)
    maps = random_maps((n_maps, len(codes)), dtype, seed, share)
    found, finite = reduced(maps, codes, n_regions, STRATEGIES, nan=nan)
    for strategy in STRATEGIES:
        expected = reduced_by_hand(maps, codes, n_regions, strategy, nan)
        if strategy in WEIGHTED:
            np.testing.assert_allclose(found[strategy], expected, rtol=1e-11, atol=1e-11)
        elif np.isfinite(expected).all() or strategy in EXACT:
            np.testing.assert_array_equal(found[strategy], expected, strategy)
    n_finite = [
        min(int(np.isfinite(values[codes == code]).sum()) for values in maps)
        for code in range(1, n_regions + 1)
    ]
    assert finite.tolist() == n_finite


@given(
    seed=SEEDS,
    dtype=st.sampled_from(VALUE_DTYPES),
    share=st.sampled_from([0.0, 0.3]),
    nan=st.sampled_from(POLICIES),
    some_zero=st.booleans(),
)
def test_weighted_reductions_are_those_of_the_twin(seed, dtype, share, nan, some_zero):
    codes, rng = random_codes(seed, 7), np.random.default_rng(seed)
    maps = random_maps((2, len(codes)), dtype, seed, share)
    weights = rng.random(len(codes)) * (rng.random(len(codes)) < 0.5 if some_zero else 1)
    if nan == "propagate":
        weights += 0.25  # what zero times infinity is, is not the point
    found, _ = reduced(maps, codes, 7, WEIGHTED, nan=nan, weights=weights)
    for strategy in WEIGHTED:
        expected = reduced_by_hand(maps, codes, 7, strategy, nan, weights)
        np.testing.assert_allclose(found[strategy], expected, rtol=1e-11, atol=1e-11)


@given(
    values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60),
    percentage=st.floats(0, 100) | st.sampled_from([12.5, 25.0, 50.0, 75.0, 90.0]),
)
def test_percentiles_are_those_of_numpy_to_the_last_bit(values, percentage):
    values = np.array(values)
    codes = np.ones(len(values), np.uint8)
    found, _ = reduced(values[np.newaxis], codes, 1, [f"percentile:{percentage!r}", "median"])
    by_name = {name: table.item() for name, table in found.items()}
    assert by_name.popitem() == ("median", np.median(values))
    assert by_name.popitem()[1] == np.percentile(values, percentage)


@pytest.mark.parametrize("percentage", [0, 12.5, 25, 33.3, 50, 75, 90])
def test_percentiles_halfway_between_two_values_round_as_numpys_do(percentage):
    rng = np.random.default_rng(12)
    for n in rng.integers(2, 9, 300).tolist():
        values = rng.normal(0, 1, n) * 10.0 ** rng.integers(-3, 4, n)
        codes = np.ones(n, np.uint8)
        name = f"percentile:{percentage}"
        found, _ = reduced(values[np.newaxis].copy(), codes, 1, [name, "median"])
        assert found[name].item() == np.percentile(values, percentage)
        assert found["median"].item() == np.median(values)


def test_the_median_of_numbers_whose_sum_overflows_is_finite():
    maps = np.array([[1.7e308, 1.5e308]])
    found, _ = reduced(maps, np.ones(2, "B"), 1, ["median"])
    np.testing.assert_allclose(found["median"], 1.6e308, rtol=1e-15)


@pytest.mark.parametrize("percentage", [0, 5, 12.5, 25, 50, 62.5, 75, 95, 100])
@pytest.mark.parametrize("order", ["random", "ascending", "descending", "equal", "organ pipes"])
def test_percentiles_of_any_order_of_values_are_those_of_numpy(percentage, order):
    values = np.random.default_rng(4).normal(0, 1, 1001)[: 1001 - (order == "random")]
    values = {
        "random": values,
        "ascending": np.sort(values),
        "descending": np.sort(values)[::-1],
        "equal": np.full(77, 0.1),
        "organ pipes": np.concatenate([np.sort(values)[::2], np.sort(values)[::-2]]),
    }[order]
    codes = np.full(len(values), 1, np.uint16)
    name = f"percentile:{percentage}"
    found, _ = reduced(values[np.newaxis].copy(), codes, 1, [name])
    assert found[name].item() == np.percentile(values, percentage)


def test_the_mean_of_equal_values_is_that_value_to_the_last_bit():
    values = [0.1, 1e300, np.finfo(float).max, -np.finfo(float).smallest_subnormal, 1 / 3]
    for value in values:
        for n in (1, 3, 10, 1001):
            found, _ = reduced(np.full((1, n), value), np.ones(n, "B"), 1, ["mean"])
            assert found["mean"].item() == value


def test_the_mean_of_numbers_whose_sum_overflows_is_finite():
    largest = np.finfo(float).max
    maps = np.array([[largest, -largest, largest, largest]])
    found, _ = reduced(maps, np.ones(4, "B"), 1, ["mean"])
    np.testing.assert_allclose(found["mean"], largest / 2, rtol=1e-15)


def test_the_variance_of_large_numbers_that_differ_little_is_right():
    values = 1e9 + np.random.default_rng(0).integers(0, 3, 4001).astype(float)
    maps, codes = values[np.newaxis], np.ones(len(values), "B")
    found, _ = reduced(maps, codes, 1, ["variance", "standard_deviation"])
    np.testing.assert_allclose(found["variance"], np.var(values - 1e9), rtol=1e-12)
    np.testing.assert_allclose(found["standard_deviation"], np.std(values - 1e9), rtol=1e-12)


def test_the_mode_is_the_smallest_of_the_most_frequent_values():
    assert extraction.mode(np.array([5, -2, 7, 5, -2, 9])) == -2
    assert extraction.mode(np.array([3.5])) == 3.5


@given(seed=SEEDS, n_samples=st.integers(2, 40), n_maps=st.integers(2, 40))
def test_the_first_eigenvariate_is_the_first_right_singular_vector(seed, n_samples, n_maps):
    rng = np.random.default_rng(seed)
    common = np.outer(rng.random(n_samples) + 0.5, rng.normal(0, 3, n_maps))
    values = common + rng.normal(0, 0.5, (n_samples, n_maps)) + 100 * rng.random((n_samples, 1))
    expected = testing.first_eigenvariate(values)
    found = extraction.first_eigenvariate(values)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * scale)


def test_the_first_eigenvariate_of_what_does_not_vary_is_zero():
    np.testing.assert_array_equal(extraction.first_eigenvariate(np.full((3, 5), 7.0)), np.zeros(5))
    np.testing.assert_array_equal(extraction.first_eigenvariate(np.full((5, 3), 7.0)), np.zeros(3))


# --- strategies ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mean", "mode", "percentile:2.5", "first_eigenvariate"])
def test_a_strategy_has_the_name_it_was_asked_by(name):
    assert Strategy.of(name).name == name


def test_a_function_is_a_strategy_by_its_own_name():
    class Rank:
        def __call__(self, values):
            return values.max(axis=0)

    assert Strategy.of(np.ptp).name == "ptp"
    assert Strategy.of(Rank()).name == "Rank"


@pytest.mark.parametrize(
    "name",
    ["average", "", "Mean", "percentile", "percentile:", "percentile:101", "percentile:-1",
     "percentile:nan", "percentile:x", None, 3],
)  # fmt: skip
def test_a_strategy_that_is_none_is_refused_with_the_list_of_those_there_are(name):
    with pytest.raises(ArgumentError, match=r"'strategy' must be one of mean, median, .*; it is "):
        Strategy.of(name)


def test_weights_go_with_some_strategies_only():
    for name in [*WEIGHTED, "count"]:
        Strategy.of(name).check(weighted=True, is_complex=False, n_maps=1)
    for name in ("median", "minimum", "mode", "first_eigenvariate", "percentile:10"):
        with pytest.raises(ArgumentError, match=rf"weights go with mean, .* not with {name}\."):
            Strategy.of(name).check(weighted=True, is_complex=False, n_maps=9)


def test_complex_numbers_have_a_mean_and_a_sum_only():
    for name in ("mean", "sum", "count"):
        Strategy.of(name).check(weighted=False, is_complex=True, n_maps=1)
    for name in ("median", "minimum", "variance"):
        with pytest.raises(ImageTypeError, match=f"complex numbers, for which there is no {name}"):
            Strategy.of(name).check(weighted=False, is_complex=True, n_maps=1)


# --- groupings and passes -----------------------------------------------------------------


def test_a_grouping_lists_samples_in_fortran_order_whatever_the_memory_of_codes():
    codes = random_codes(1, 3, size=60).reshape(3, 4, 5)
    counts = np.bincount(codes.ravel(), minlength=4)[1:].astype(np.int64)
    expected, starts = testing.group(codes.reshape(-1, order="F"), 3)
    for memory in ("C", "F", "strided", "reversed"):
        grouping = Grouping.of(testing.in_memory(codes, memory), counts)
        np.testing.assert_array_equal(grouping.samples, expected)
        np.testing.assert_array_equal(grouping.starts, starts)
        assert len(grouping) == 3
        assert grouping.largest == counts.max()


@pytest.mark.parametrize("strategy", ["mean", "median", "sum", "variance", "mode"])
def test_any_division_into_blocks_and_threads_gives_the_same_bits(monkeypatch, strategy):
    monkeypatch.setattr(extraction, "_VALUES_PER_THREAD", 1)
    codes = random_codes(3, 11)
    maps = random_maps((9, len(codes)), "f8", 3, 0.1)
    grouping = grouping_of(codes, 11)

    def bits(step, n_jobs):
        (found,), finite = extraction.extract(
            (Block.of(maps[start : start + step]) for start in range(0, 9, step)),
            grouping,
            [Strategy.of(strategy)],
            n_maps=9,
            n_jobs=n_jobs,
        )
        return found.tobytes(), finite.tobytes()

    once = bits(9, 1)
    assert all(bits(step, n_jobs) == once for step in (1, 2, 4, 9) for n_jobs in (1, 2, 3, 40, -1))


def test_a_number_of_threads_that_is_zero_is_refused():
    with pytest.raises(ArgumentError, match=r"n_jobs is a number of threads, or -1 .* it is 0"):
        reduced(np.ones((1, 4)), np.ones(4, "B"), 1, ["mean"], n_jobs=0)


def test_the_mean_of_ten_million_float32_values_near_a_million_is_right():
    rng = np.random.default_rng(5)
    maps = (1e6 + rng.normal(0, 300, (1, 10**7))).astype(np.float32)
    found, _ = reduced(maps, np.ones(10**7, "B"), 1, ["mean"])
    # In pieces: a list of all the numbers is 320 MB.
    exact = math.fsum(value for part in maps.reshape(100, -1) for value in part.tolist()) / 10**7
    assert abs(found["mean"].item() - exact) <= 1e-9 * exact
