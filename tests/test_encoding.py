"""Codes and labels together are the labels, whichever way they were found."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from regioncast import testing
from regioncast.engine import encoding
from regioncast.errors import LabelsError

BACKGROUNDS = [0, -3, 7, 2.5, np.nan, np.inf, -(2**63), 2**63, 2**70, 3.0]


def decoded(encoded, background=0):
    """The labels again, `background` where there is no region."""
    table = np.concatenate([[background], encoded.labels.astype(object)])
    return table[encoded.codes]


def expected_labels(labels, background):
    """Labels as Python numbers, 0 where there is no region."""
    regions = set(testing.regions_of(labels, background))
    found = [testing.label_of(value) for value in labels.ravel().tolist()]
    found = [label if label in regions else 0 for label in found]
    return np.array(found, dtype=object).reshape(labels.shape)


def assert_encodes(encoded, labels, background):
    regions = testing.regions_of(labels, background)
    assert encoded.codes.shape == labels.shape
    assert encoded.codes.dtype == encoding.code_dtype(len(regions))
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
    np.testing.assert_array_equal(encoded.codes == 0, labels == background)


@given(labels=testing.label_volumes(testing.INTEGER_LABEL_DTYPES))
def test_the_table_and_the_hash_table_agree(labels):
    whole = labels.astype(np.int64)
    small = np.asfortranarray(whole % 1000)  # near each other, as the table needs it
    by_table = encoding._encode_by_table(small, 0)
    by_hash = encoding._encode_by_hash(small, 0)
    np.testing.assert_array_equal(by_table.labels, by_hash.labels)
    np.testing.assert_array_equal(by_table.codes, by_hash.codes)
    assert by_table.codes.dtype == by_hash.codes.dtype


def windows():
    """Give labels as far apart as a table is wide and farther, up to the ends of their range."""
    spans = (2**12, 2**20 - 2, 2**20, 2**20 + 2, 2**27)
    for dtype, span in product(("i4", "u4", "i8", "u8"), spans):
        limits = np.iinfo(dtype)
        lowest, highest = int(limits.min), min(int(limits.max), 2**63 - 1)
        for low in sorted({lowest, lowest + 1, 0, 5, highest - span - 1, highest - span}):
            yield dtype, low, span


@pytest.mark.parametrize(("dtype", "low", "span"), list(windows()))
def test_labels_as_far_apart_as_a_table_is_wide_and_farther(dtype, low, span):
    offsets = np.array([0, span, 1, span - 1, span // 2, span])
    labels = np.array([low + int(offset) for offset in offsets], dtype)
    encoded = encoding.encode(np.resize(labels, (5, 7, 40)), np.nan)
    assert encoded.labels.tolist() == sorted(set(labels.tolist()))
    expected = [1, 5, 2, 4, 3, 5]
    np.testing.assert_array_equal(encoded.codes, np.resize(expected, (5, 7, 40)))


@given(labels=testing.label_volumes(["i8"]), far=st.integers(-(2**62), 2**62))
def test_labels_outside_a_sample_that_looks_dense_are_found(labels, far):
    dense = np.zeros((50, 60, 3), np.int64)
    dense[:, ::2] = 5
    dense[1, 1, 1] = far  # the sample takes each 140th voxel, this one not
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
    encoding.encode(labels)
    assert labels.tobytes() == before


@pytest.mark.parametrize("dtype", testing.LABEL_DTYPES, ids=str)
def test_every_label_dtype_gives_the_same_codes(dtype):
    labels = np.array([[[0, 3, 3], [1, 0, 90]]])
    encoded = encoding.encode(labels.astype(dtype))
    np.testing.assert_array_equal(encoded.codes, [[[0, 2, 2], [1, 0, 3]]])
    assert encoded.labels.dtype == np.int64


def test_bool_labels_are_one_region():
    encoded = encoding.encode(np.array([True, False, True]))
    assert encoded.labels.tolist() == [1]
    np.testing.assert_array_equal(encoded.codes, [1, 0, 1])


def test_longdouble_labels_are_read():
    encoded = encoding.encode(np.array([0, 2**40, 7], np.longdouble))
    assert encoded.labels.tolist() == [7, 2**40]
    with pytest.raises(LabelsError, match=r"stored as float64, which tells no integers above 9,00"):
        encoding.encode(np.array([0, 2**60, 7], np.longdouble))


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
    np.testing.assert_array_equal(encoded.codes, np.arange(n_regions + 1))
    assert encoded.codes.dtype == dtype


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
    np.testing.assert_array_equal(encoded.codes, codes.reshape(volume.shape) + 1)


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


@given(
    labels=testing.label_volumes(testing.INTEGER_LABEL_DTYPES),
    background=st.sampled_from([0, -3, 2.5, np.nan, 2**70]),
)
def test_the_hash_table_tells_any_integers_apart(labels, background):
    native = encoding._prepared(labels)
    assert_encodes(encoding._encode_by_hash(native, background), labels, background)


@pytest.mark.parametrize("n_labels", [65_535, 65_536, 65_537, 200_000])
def test_so_many_labels_that_their_numbers_need_more_than_two_bytes(n_labels):
    labels = np.arange(n_labels).reshape(-1, 1)[::-1] * 2**33 + 5
    encoded = encoding.encode(labels)
    np.testing.assert_array_equal(encoded.codes, np.arange(n_labels, 0, -1).reshape(-1, 1))


def test_too_many_labels_are_an_error(monkeypatch):
    monkeypatch.setattr(encoding, "_NUMBERS", (np.uint16,))
    with pytest.raises(LabelsError, match=r"More than 65,535 labels are not supported"):
        encoding.encode(np.arange(70_000) * 2**33)


# --- threads ------------------------------------------------------------------------------


@given(
    labels=testing.label_volumes(thin=True),
    n_threads=st.integers(2, 9),
    background=st.sampled_from([0, -3, 2.5, np.nan, 2**70]),
    seed=st.integers(0, 99),
)
def test_any_number_of_threads_in_any_order_gives_the_same_codes(
    labels, n_threads, background, seed
):
    whole = encoding.encode(labels, background)

    def shuffled(work, items):
        results = {k: work(items[k]) for k in np.random.default_rng(seed).permutation(len(items))}
        return [results[k] for k in range(len(items))]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "n_cpus", lambda: n_threads)
        patch.setattr(encoding, "_SAMPLES_PER_THREAD", 1)
        patch.setattr(encoding, "in_threads", shuffled)
        parts = encoding.encode(labels, background)
    np.testing.assert_array_equal(parts.labels, whole.labels)
    np.testing.assert_array_equal(parts.codes, whole.codes)
    assert parts.codes.dtype == whole.codes.dtype
    assert parts.codes.strides == whole.codes.strides
    assert parts.n_nonfinite == whole.n_nonfinite


@pytest.mark.parametrize("step", [1, 2**33])
@pytest.mark.parametrize("dtype", ["i8", "f8"])
def test_volumes_that_pay_for_threads(step, dtype, monkeypatch):
    monkeypatch.setattr(encoding, "n_cpus", lambda: 3)
    labels = np.random.default_rng(1).integers(-9, 2000, (97, 91, 101))
    labels[50:] = 0
    encoded = encoding.encode(np.asfortranarray(labels * step, dtype))
    distinct, codes = np.unique(labels, return_inverse=True)
    np.testing.assert_array_equal(encoded.labels, distinct[distinct != 0] * step)
    rank = np.cumsum(distinct != 0) * (distinct != 0)
    np.testing.assert_array_equal(encoded.codes, rank[codes.reshape(labels.shape)])


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
    assert not shifted.has_fractions


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_the_tolerance_is_a_thousandth_on_either_side(dtype):
    near = np.array([5.0009, 4.9991, 7], dtype)
    assert encoding.encode(near).labels.tolist() == [5, 7]
    far = np.array([5.0011, 4.9989, 7], dtype)
    encoded = encoding.encode(far)
    assert encoded.has_fractions
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
    assert encoded.has_fractions == any(label != round(label) for label in encoded.labels.tolist())
    assert encoded.labels.dtype == (np.float64 if encoded.has_fractions else np.int64)


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


def test_minus_zero_is_zero():
    for labels in ([-0.0, 0.0, 4.0], [-0.0, 0.5, 0.0]):
        encoded = encoding.encode(np.array(labels), np.nan)
        assert np.signbit(encoded.labels).sum() == 0
        assert encoded.codes[0] == encoded.codes[-1 if labels[-1] == 0 else 1] == 1
        assert (encoding.encode(np.array(labels)).codes == 0).sum() == 2


@pytest.mark.parametrize(
    ("dtype", "largest"), [("f2", 2**11), ("f4", 2**24), (">f4", 2**24), ("f8", 2**53)]
)
@pytest.mark.parametrize("sign", [1, -1])
def test_labels_up_to_the_largest_that_a_float_tells_apart_are_labels(dtype, largest, sign):
    labels = sign * np.array([0, largest, largest - 1, 3, largest - 1], dtype)
    encoded = encoding.encode(labels)
    assert encoded.labels.tolist() == sorted([sign * 3, sign * (largest - 1), sign * largest])
    np.testing.assert_array_equal(decoded(encoded).astype(float), labels.astype(float))


@pytest.mark.parametrize(
    ("dtype", "largest", "shown"),
    [("f4", 2**24, "16,777,216"), (">f4", 2**24, "16,777,216"),
     ("f8", 2**53, "9,007,199,254,740,992"), ("f2", 2**11, "2,048")],
)  # fmt: skip
@pytest.mark.parametrize("sign", [1, -1])
def test_labels_beyond_what_a_float_tells_apart_are_refused(dtype, largest, shown, sign):
    labels = sign * np.array([0, 2 * largest, 7, largest + 4, largest + 4, np.nan], dtype)
    with pytest.raises(LabelsError) as caught:
        encoding.encode(labels)
    message = str(caught.value)
    beyond = sorted([sign * 2 * largest, sign * (largest + 4)])
    assert message.startswith(f"2 labels of the labels image are beyond {shown}: {beyond[0]}, ")
    assert f", {beyond[1]}. " in message
    name = np.dtype(dtype).newbyteorder("=").name
    assert f"stored as {name}, which tells no integers above {shown} apart" in message
    assert "Write the labels as integers (int32, int64)" in message


@pytest.mark.parametrize("large", [1e18, 2.0**62, 2.0**63, 1e30, -1e30])
def test_a_background_may_be_any_large_float(large):
    encoded = encoding.encode(np.array([3, large, 5, large]), large)
    assert encoded.labels.tolist() == [3, 5]
    assert encoded.codes.tolist() == [1, 0, 2, 0]
    with pytest.raises(LabelsError, match=r"1 label of the labels image is beyond 9,007"):
        encoding.encode(np.array([3, large, 5, large]))


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
    n_codes = 1 + len(encoded.labels)
    counts = encoding.count(encoded.codes, n_codes)
    assert counts.tolist() == [(encoded.codes == code).sum() for code in range(n_codes)]


@given(labels=testing.label_volumes(), seed=st.integers(0, 99))
def test_recoded_codes_lie_in_memory_as_the_codes(labels, seed):
    encoded = encoding.encode(labels)
    new_code = np.random.default_rng(seed).integers(0, 300, 1 + len(encoded.labels), np.uint16)
    recoded = encoding.recoded(encoded.codes, new_code)
    np.testing.assert_array_equal(recoded, new_code[encoded.codes])
    assert recoded.strides == np.empty_like(encoded.codes, np.uint16).strides


@given(labels=testing.label_volumes(), data=st.data())
def test_codes_outside_of_a_mask_are_cleared_in_place(labels, data):
    codes = encoding.encode(labels).codes
    expected = codes.copy()
    inside = data.draw(testing.masks(labels.shape)) > 0
    encoding.clear_outside(codes, inside)
    np.testing.assert_array_equal(codes, np.where(inside, expected, 0))


def test_counting_and_recoding_nothing_gives_nothing():
    nothing = np.empty((0, 3), np.uint8)
    assert encoding.count(nothing, 2).tolist() == [0, 0]
    assert encoding.recoded(nothing, np.arange(3, dtype=np.uint16)).shape == (0, 3)
