"""Codes and labels together are the labels, whichever way they were found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regioncast import testing
from regioncast.engine import encoding, hashing, painting, ranking
from regioncast.errors import LabelsError

BACKGROUNDS = [0, -3, 7, 2.5, np.nan, np.inf, -(2**63), 2**63, 2**70, 3.0]


def decoded(encoded, background=0):
    """The labels again, `background` where there is no region."""
    table = np.concatenate([[background], encoded.labels.astype(object)])
    return table[encoded.regions()]


def expected_labels(labels, background):
    """Labels as Python numbers, 0 where there is no region."""
    regions = set(testing.regions_of(labels, background))
    found = [testing.label_of(value) for value in labels.ravel().tolist()]
    found = [label if label in regions else 0 for label in found]
    return np.array(found, dtype=object).reshape(labels.shape)


def assert_encodes(encoded, labels, background):
    regions = testing.regions_of(labels, background)
    assert encoded.codes.shape == encoded.regions().shape == labels.shape
    assert encoded.labels.tolist() == regions
    np.testing.assert_array_equal(decoded(encoded), expected_labels(labels, background))


@given(labels=testing.label_volumes(), background=st.sampled_from(BACKGROUNDS))
def test_codes_stand_for_the_labels(labels, background):
    assert_encodes(encoding.encode(labels, background), labels, background)


@given(labels=testing.label_volumes(), data=st.data())
def test_any_label_can_be_the_background(labels, data):
    background = data.draw(st.sampled_from(np.unique(labels).tolist()))
    encoded = encoding.encode(labels, background)
    assert_encodes(encoded, labels, background)
    np.testing.assert_array_equal(encoded.regions() == 0, labels == background)


@given(labels=testing.label_volumes())
def test_regions_count_in_ascending_order_of_label_and_lie_as_the_codes(labels):
    encoded = encoding.encode(labels, np.nan)
    regions = encoded.regions()
    np.testing.assert_array_equal(encoded.region_of[encoded.codes], regions)
    assert regions.dtype == encoding.code_dtype(len(encoded.labels))
    assert regions.strides == np.empty_like(encoded.codes, regions.dtype).strides


@given(labels=testing.label_volumes(testing.INTEGER_LABEL_DTYPES))
def test_the_direct_and_the_hash_path_agree(labels):
    whole = labels.astype(np.int64)
    small = whole % 1000  # near each other, as the direct path needs it
    direct = encoding.encode(small)
    by_hash = encoding._encode_by_hash(np.asfortranarray(small), {0})
    np.testing.assert_array_equal(direct.labels, by_hash.labels)
    np.testing.assert_array_equal(direct.regions(), by_hash.regions())


@given(labels=testing.label_volumes(["i8"]), far=st.integers(-(2**62), 2**62))
def test_labels_outside_a_sample_that_looks_dense_are_found(labels, far):
    dense = np.zeros((50, 60, 3), np.int64)
    dense[:, ::2] = 5
    dense[1, 1, 1] = far  # the sample takes each ninth voxel, this one not
    dense[: labels.shape[0], -1, 2] = labels[:, 0, 0]
    assert_encodes(encoding.encode(dense), dense, 0)


@given(labels=testing.label_volumes())
def test_the_memory_order_of_contiguous_labels_is_kept(labels):
    encoded = encoding.encode(labels)
    if labels.flags.c_contiguous != labels.flags.f_contiguous:
        assert encoded.codes.flags.c_contiguous == labels.flags.c_contiguous
    assert encoded.codes.flags.c_contiguous or encoded.codes.flags.f_contiguous


@given(labels=testing.label_volumes())
def test_labels_are_not_modified(labels):
    before = labels.tobytes()
    labels.flags.writeable = False
    encoding.encode(labels).regions()
    assert labels.tobytes() == before


@pytest.mark.parametrize("dtype", testing.LABEL_DTYPES, ids=str)
def test_every_label_dtype_gives_the_same_codes(dtype):
    labels = np.array([[[0, 3, 3], [1, 0, 90]]])
    encoded = encoding.encode(labels.astype(dtype))
    np.testing.assert_array_equal(encoded.regions(), [[[0, 2, 2], [1, 0, 3]]])
    assert encoded.labels.dtype == np.int64


def test_bool_labels_are_one_region():
    encoded = encoding.encode(np.array([True, False, True]))
    assert encoded.labels.tolist() == [1]
    np.testing.assert_array_equal(encoded.codes, [1, 0, 1])


def test_longdouble_labels_are_read():
    encoded = encoding.encode(np.array([0, 2**40, 7], np.longdouble))
    assert encoded.labels.tolist() == [7, 2**40]


@pytest.mark.parametrize(
    ("n_regions", "dtype"),
    [(1, "u1"), (254, "u1"), (255, "u1"), (256, "u2"), (65534, "u2"), (65535, "u2"), (65536, "u4")],
)
@pytest.mark.parametrize("step", [1, 2**40])
def test_any_number_of_labels_is_encoded(n_regions, dtype, step):
    assert encoding.code_dtype(n_regions) == dtype
    labels = np.arange(n_regions + 1) * step
    encoded = encoding.encode(labels)
    np.testing.assert_array_equal(encoded.labels, labels[1:])
    np.testing.assert_array_equal(encoded.regions(), np.arange(n_regions + 1))


# --- the hash table -----------------------------------------------------------------------


@pytest.mark.parametrize("n_labels", [511, 512, 513, 5_000, 60_000])
@pytest.mark.parametrize("dtype", ["i8", "i4", "u4", "u8"])
def test_the_hash_table_grows_through_several_sizes(n_labels, dtype):
    rng = np.random.default_rng(n_labels)
    step = 2**45 + 7 if dtype[1] == "8" else 2**15 + 7
    labels = rng.permutation(np.arange(1, n_labels + 1)).astype(dtype) * np.array(step, dtype)
    volume = np.resize(labels, (31, 29, n_labels // 899 + 2))
    encoded = encoding.encode(volume)
    found, codes = np.unique(volume, return_inverse=True)
    np.testing.assert_array_equal(encoded.labels, found.astype(np.int64))
    np.testing.assert_array_equal(encoded.regions(), codes.reshape(volume.shape) + 1)


@given(
    ndim=st.integers(1, 3),
    n=st.integers(1, 12),
    memory=st.sampled_from(["C", "F"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_scattered_labels_in_one_to_three_dimensions(ndim, n, memory, seed):
    rng = np.random.default_rng(seed)
    choices = rng.integers(-(2**63), 2**63 - 1, n)
    labels = testing.in_memory(rng.choice(choices, (2, 33, 5)[:ndim]), memory)
    assert_encodes(encoding.encode(labels), labels, 0)


# --- pieces -------------------------------------------------------------------------------


@given(
    labels=testing.label_volumes(testing.INTEGER_LABEL_DTYPES, thin=True),
    piece=st.sampled_from([1, 20, 60]),
    slab=st.sampled_from([1, 30, 1000]),
    no_region=st.sets(st.sampled_from([0, -3, 2.5, np.nan, 2**70]), max_size=2),
    seed=st.integers(0, 2**32 - 1),
)
def test_codes_in_pieces_are_codes_at_once(labels, piece, slab, no_region, seed):
    native = encoding._contiguous(encoding._native(labels))
    whole = encoding._encode_by_hash(native, no_region)
    inside = np.random.default_rng(seed).random(labels.shape) < 0.5
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "_PIECE", piece)
        patch.setattr(encoding, "SLAB", slab)
        split = encoding._encode_by_hash(native, no_region)
        assert split.codes.shape == labels.shape
        np.testing.assert_array_equal(split.labels, whole.labels)
        np.testing.assert_array_equal(split.regions(), whole.regions())
        assert split.regions().strides == whole.regions().strides
        counts = encoding.count(split.codes, len(split.region_of))
        np.testing.assert_array_equal(
            np.bincount(split.region_of, counts), np.bincount(whole.regions().ravel())
        )
        encoding.clear_outside(split.codes, inside)
        np.testing.assert_array_equal(split.regions(), np.where(inside, whole.regions(), 0))


@given(labels=testing.label_volumes(["i8", "u2"], thin=True), seed=st.integers(0, 99))
def test_pieces_may_be_numbered_in_any_order(labels, seed):
    native = encoding._contiguous(encoding._native(labels))
    whole = encoding._encode_by_hash(native, {0})

    def shuffled(work, items, most):
        results = {k: work(items[k]) for k in np.random.default_rng(seed).permutation(len(items))}
        return [results[k] for k in range(len(items))]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "_PIECE", 1)
        patch.setattr(hashing, "in_threads", shuffled)
        split = encoding._encode_by_hash(native, {0})
    np.testing.assert_array_equal(split.regions(), whole.regions())
    signals = np.arange(1.0, 1 + len(whole.labels))[np.newaxis]
    for order in ("C", "F"):
        painted = painting.paint(
            split.codes, painting.LazyTable(signals, split.ranking), single=True, order=order
        )
        np.testing.assert_array_equal(painted, whole.regions())


@given(
    labels=testing.label_volumes(["i8"], memories=["C", "F"], thin=True), start=st.integers(0, 3)
)
def test_split_codes_are_indexed_and_transposed_as_arrays(labels, start):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "_PIECE", 1)
        codes = encoding._encode_by_hash(labels, {0}).codes
    whole = codes[:]
    assert codes.T.shape == whole.T.shape
    np.testing.assert_array_equal(codes.T[:], whole.T)
    np.testing.assert_array_equal(codes[start:], whole[start:])
    if isinstance(codes, encoding.SplitCodes):
        in_c_order = codes if codes.has_pieces else codes.T
        assert in_c_order.has_pieces
        assert not in_c_order.T.has_pieces
        for rows, part in in_c_order.pieces():
            found = in_c_order[rows]
            np.testing.assert_array_equal(found, in_c_order.numbers[rows] + np.uint32(part.start))
            assert part.stop is None or found.max() < part.stop


@pytest.mark.parametrize(("n_labels", "dtype"), [(65535, "u2"), (65536, "u4"), (200_000, "u4")])
def test_a_piece_with_more_labels_than_uint16_takes_uint32(n_labels, dtype):
    labels = np.arange(n_labels).reshape(-1, 1)[::-1] * 2**33 + 5
    encoded = encoding.encode(labels)
    assert encoded.codes.dtype == dtype
    np.testing.assert_array_equal(encoded.regions(), np.arange(n_labels, 0, -1).reshape(-1, 1))


# --- order --------------------------------------------------------------------------------

INT64 = st.integers(-(2**63), 2**63 - 1)


def assert_ranks(labels, *, none=(), by_one=1 << 15):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "n_cpus", lambda: 3)
        patch.setattr(ranking, "_SORTED_BY_ONE", by_one)
        patch.setattr(ranking, "_MOVED_BY_ONE", by_one)
        found = ranking.ranked(labels, none)
        values = np.random.default_rng(0).integers(1, 99, (2, found.n_distinct)).astype(np.uint8)
        table = np.full((2, len(labels)), 99, np.uint8)
        found.put(values, table)
        numbers, distinct = found.numbers(), found.distinct(labels)
    expected, places = np.unique(labels, return_inverse=True)
    has_label = ~np.isin(np.arange(len(labels)), none)
    np.testing.assert_array_equal(distinct, expected)
    np.testing.assert_array_equal(numbers, (places + 1) * has_label)
    np.testing.assert_array_equal(table, values[:, places] * has_label)
    assert (found.n_places, found.n_distinct) == (len(labels), len(expected))


@given(
    labels=st.lists(INT64, max_size=300),
    n_twice=st.integers(0, 300),
    n_none=st.integers(0, 3),
    by_one=st.sampled_from([1, 7, 1 << 15]),
)
@example(labels=[2**63 - 1, -(2**63)], n_twice=1, n_none=0, by_one=1)
@example(labels=[2**63 - 1, 2**63 - 2, -(2**63), -(2**63) + 1, 0], n_twice=2, n_none=1, by_one=1)
def test_ranked_numbers_labels_in_ascending_order(labels, n_twice, n_none, by_one):
    twice = labels[:n_twice]
    none = range(min(n_none, len(twice)))
    assert_ranks(np.array(twice + labels, np.int64), none=none, by_one=by_one)


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(2, 2000),
    base=st.sampled_from([0, 2**62, -(2**63)]),
    far=st.booleans(),
    by_one=st.sampled_from([1, 1 << 15]),
)
def test_ranked_numbers_labels_that_share_their_leading_bits(seed, n, base, far, by_one):
    labels = np.random.default_rng(seed).integers(0, n, n) + base
    if far:
        labels[0] = 2**63 - 1 if base <= 0 else -(2**63)  # shifts the small differences away
    assert_ranks(labels, by_one=by_one)


@pytest.mark.parametrize("n_twice", [0, 1, 20_000])
def test_ranked_numbers_so_many_labels_that_two_threads_sort_them(n_twice):
    labels = np.random.default_rng(1).integers(-(2**62), 2**62, 70_000)
    assert_ranks(np.concatenate([labels, labels[:n_twice]]))


def test_ranked_says_that_labels_are_too_many(monkeypatch):
    monkeypatch.setattr(ranking, "_REPEATED", 3)
    with pytest.raises(LabelsError, match="More than 3 labels"):
        ranking.ranked(np.array([5, 2**40, -7, 2**50]))


# --- floats -------------------------------------------------------------------------------


@given(
    labels=testing.label_volumes(["f4", "f8", "i2"]),
    offset=st.sampled_from([0.0, 9e-4, -9e-4, 1e-8]),
)
def test_labels_near_an_integer_are_that_integer(labels, offset):
    small = np.remainder(labels.astype(np.float64), 97)
    small = np.floor(small)
    shifted = encoding.encode(small + offset)
    exact = encoding.encode(small)
    np.testing.assert_array_equal(shifted.codes, exact.codes)
    np.testing.assert_array_equal(shifted.labels, exact.labels)
    assert not shifted.has_floats


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_tolerance_is_a_thousandth_on_either_side(dtype):
    near = np.array([5.0009, 4.9991, 7], dtype)
    assert encoding.encode(near).labels.tolist() == [5, 7]
    far = np.array([5.0011, 4.9989, 7], dtype)
    encoded = encoding.encode(far)
    assert encoded.has_floats
    assert len(encoded.labels) == 3


@given(
    values=st.lists(st.floats(-50, 50, width=32), min_size=1),
    dtype=st.sampled_from(["f4", "f8"]),
    background=st.sampled_from([0, 0.5, -1, np.nan]),
)
@example(values=[0.5, 0.25, -1.0, 3.0], dtype="f4", background=0.5)
@example(values=[0.0, 0.5], dtype="f4", background=0.5)
@example(values=[0.5], dtype="f8", background=0.5)
def test_fractional_labels_are_labels_of_their_own(values, dtype, background):
    labels = np.array(values, dtype)
    encoded = encoding.encode(labels, background)
    assert_encodes(encoded, labels, background)
    assert encoded.has_floats == any(label != round(label) for label in encoded.labels.tolist())
    assert encoded.labels.dtype == (np.float64 if encoded.has_floats else np.int64)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("value", [0.1, 2.7, 57.9999])
def test_a_background_is_the_label_as_it_is_stored(dtype, value):
    labels = np.array([value, 12.3, 12.3, value], dtype)
    encoded = encoding.encode(labels, value)
    assert len(encoded.labels) == 1
    np.testing.assert_array_equal(encoded.codes, [0, 1, 1, 0])


@given(
    labels=testing.label_volumes(testing.FLOAT_LABEL_DTYPES),
    seed=st.integers(0, 2**32 - 1),
    fraction=st.booleans(),
    background=st.sampled_from([0, 3, np.nan, np.inf]),
)
def test_labels_that_are_not_finite_are_no_region_and_counted(labels, seed, fraction, background):
    rng = np.random.default_rng(seed)
    labels = labels.copy()
    labels[0, 0, 0] = 2.5 if fraction else 2
    holes = rng.random(labels.shape) < 0.4
    holes[0, 0, 0] = False
    labels[holes] = rng.choice([np.nan, np.inf, -np.inf], int(holes.sum()))
    encoded = encoding.encode(labels, background)
    assert encoded.n_nonfinite == holes.sum()
    assert not encoded.codes[holes].any()
    assert_encodes(encoded, labels, background)


@pytest.mark.parametrize("large", [1e18, 2.0**62, 2.0**63, 1e30, -1e30])
def test_large_float_labels_are_regions(large):
    labels = np.array([0, large, 3, large])
    encoded = encoding.encode(labels)
    assert encoded.labels.tolist() == sorted([large, 3])
    np.testing.assert_array_equal(decoded(encoded).astype(float), labels)


# --- what cannot be -----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(0,), (0, 3, 4), (2, 0, 5)])
@pytest.mark.parametrize("dtype", ["i4", "f8", "u8"])
def test_no_samples_have_no_labels(shape, dtype):
    encoded = encoding.encode(np.zeros(shape, dtype))
    assert encoded.codes.shape == shape
    assert len(encoded.labels) == 0


@pytest.mark.parametrize("dtype", ["u8", ">u8"])
def test_labels_beyond_int64_are_named(dtype):
    labels = np.array([0, 2**63 - 1, 2**63, 2**64 - 1, 2**63], dtype)
    with pytest.raises(LabelsError) as caught:
        encoding.encode(labels)
    message = str(caught.value)
    assert "2**63 - 1" in message
    assert f"found {2**63}, {2**64 - 1}." in message


def test_the_largest_label_of_int64_is_one():
    encoded = encoding.encode(np.array([0, 2**63 - 1], np.uint64))
    assert encoded.labels.tolist() == [2**63 - 1]


@pytest.mark.parametrize(
    "labels", [np.array([1j]), np.array(["a"]), np.array([None]), np.array([(1,)], "i4,")]
)
def test_labels_that_are_no_numbers_are_refused(labels):
    with pytest.raises(LabelsError, match=r"Labels must be numbers; these are "):
        encoding.encode(labels)


# --- what is done with codes --------------------------------------------------------------


@given(labels=testing.label_volumes(), data=st.data())
def test_masked_codes_are_zero_outside_of_the_mask(labels, data):
    encoded = encoding.encode(labels)
    inside = data.draw(testing.masks(labels.shape)) > 0
    masked = encoding.masked(encoded.codes, inside)
    np.testing.assert_array_equal(masked, np.where(inside, encoded.codes, 0))
    assert masked.dtype == encoded.codes.dtype


@given(labels=testing.label_volumes())
def test_counts_are_the_voxels_of_each_code(labels):
    encoded = encoding.encode(labels)
    counts = encoding.count(encoded.codes, len(encoded.region_of))
    assert counts.tolist() == [(encoded.codes == k).sum() for k in range(len(encoded.region_of))]


def test_counting_and_recoding_nothing_gives_nothing():
    nothing = np.empty((0, 3), np.uint8)
    assert encoding.count(nothing, 2).tolist() == [0, 0]
    assert encoding.recoded(nothing, np.arange(3, dtype=np.uint16)).shape == (0, 3)
