"""Each compiled kernel does what its NumPy twin does."""

from __future__ import annotations

import sys
import zlib

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regioncast import testing
from regioncast.chunked.reduction.keys import values_of_keys
from regioncast.chunked.reduction.sums import RegionSums, integers
from regioncast.engine._kernels import crc, deflate, encode, leaves, paint
from regioncast.errors import MissingPackageError

LABEL_DTYPES = [np.dtype(code) for code in "bBhHiIq"]
CODE_DTYPES = [np.dtype(code) for code in "BHI"]
ITEM_DTYPES = [np.dtype(code) for code in ("u1", "u2", "u4", "u8", "c16")]
SEEDS = st.integers(0, 2**32 - 1)

# Kernels look at blocks of 16 and 32 samples, so runs are shorter, as long, and longer.
RUN_LENGTHS = [1, 2, 15, 16, 17, 32, 33, 70]


def in_runs(values, seed, n_runs=12):
    """An array of runs of some of the values."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.choice(values, n_runs), rng.choice(RUN_LENGTHS, n_runs))


@st.composite
def codes(draw):
    """Codes in runs, and how many different ones there may be."""
    n_codes = draw(st.sampled_from([1, 2, 5, 200]))
    dtype = draw(st.sampled_from(CODE_DTYPES))
    return in_runs(np.arange(n_codes, dtype=dtype), draw(SEEDS)), n_codes


@st.composite
def labels(draw, most_apart=300):
    """Labels in runs, at most so far apart, near any place in the range of their dtype."""
    dtype = draw(st.sampled_from(LABEL_DTYPES))
    limits = np.iinfo(dtype)
    low = draw(st.integers(int(limits.min), int(limits.max)))
    high = min(low + draw(st.integers(0, most_apart)), int(limits.max))
    values = draw(st.lists(st.integers(low, high), min_size=1, max_size=9))
    return in_runs(np.array(values, dtype), draw(SEEDS))


# --- encode -------------------------------------------------------------------------------


def assert_places(labels, low, width, dtype=np.uint32):
    """Compare with the oracle; return whether all labels have places."""
    is_there, places = np.zeros(width, np.uint8), np.full(len(labels), 99, dtype)
    are_inside = encode.find_places(labels, low, is_there, places)
    expected = testing.find_places(labels, low, width)
    assert are_inside == (expected is not None)
    if are_inside:
        np.testing.assert_array_equal(places, expected[0])
        np.testing.assert_array_equal(is_there, expected[1])
    return are_inside


@given(
    labels=labels(),
    before=st.integers(0, 40),
    width=st.sampled_from([1, 32, 256, 512]),
    dtype=st.sampled_from(["u2", "u4"]),
)
def test_find_places(labels, before, width, dtype):
    low = max(int(labels.min()) - before, int(np.iinfo(labels.dtype).min))
    assert_places(labels, low, width, dtype)


@pytest.mark.parametrize("far", [2**63 - 1, -(2**63), -(2**62) - 1, 2**62 + 4, 2**62 - 1])
@pytest.mark.parametrize("place", [0, 70, 99])
def test_find_places_stops_at_a_label_so_far_away_that_differences_overflow(far, place):
    labels = 2**62 + np.arange(100) % 4
    assert assert_places(labels, 2**62, 4)
    labels[place] = far
    assert not assert_places(labels, 2**62, 4)


@pytest.mark.parametrize("dtype", ["i4", "u4", "i2", "u1"])
@pytest.mark.parametrize("end", ["min", "max"])
def test_find_places_stops_at_the_ends_of_the_range_of_the_dtype(dtype, end):
    limits = np.iinfo(dtype)
    low = int(limits.min) if end == "max" else 100
    labels = (np.arange(200) % 50 + low).astype(dtype)
    assert assert_places(labels, low, 64)
    labels[130] = getattr(limits, end)
    assert not assert_places(labels, low, 64)


ODD_FLOATS = [0.5, 1e-3, -1e-7, np.nan, np.inf, -np.inf, 2.0**50, 2.0**53, -(2.0**63), 1e30]


@given(
    values=st.lists(st.integers(-100, 1000) | st.just(-0.0), min_size=1, max_size=9),
    odd=st.lists(st.floats(width=32) | st.sampled_from(ODD_FLOATS), max_size=1),
    dtype=st.sampled_from(["f4", "f8"]),
    is_mixed=st.booleans(),
    width=st.sampled_from([64, 2048]),
    seed=SEEDS,
)
def test_find_places_of_floats(values, odd, dtype, is_mixed, width, seed):
    labels = in_runs(np.array([*values, *odd], dtype), seed)
    if is_mixed:
        labels = np.random.default_rng(seed).permutation(labels)
    assert_places(labels, -100, width)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("odd", ODD_FLOATS)
@pytest.mark.parametrize("place", [0, 33, 75, 99])
@pytest.mark.parametrize("length", [1, 32])
def test_floats_that_are_no_integers_or_large_have_no_places(dtype, odd, place, length):
    labels = np.arange(100, dtype=dtype) % 7
    assert assert_places(labels, -9, 16)
    labels[place : place + length] = odd
    assert not assert_places(labels, -9, 16)


def assert_numbers(labels, *, known=(), room=None, dtype=np.uint32):
    """Compare with a table as small as it may be."""
    room = len({*labels.tolist(), *known}) if room is None else room
    seen, numbers = np.full(room, -99, np.int64), np.full(len(labels), 99, dtype)
    seen[: len(known)] = known
    slots = np.full(max(2, 1 << room.bit_length()), 99, np.uint32)
    stopped, n_seen = encode.number_labels(labels, seen, len(known), slots, numbers)
    expected, expected_seen = testing.number_labels(labels, known, room)
    assert (stopped, n_seen) == (len(expected), len(expected_seen))
    np.testing.assert_array_equal(numbers[:stopped], expected)
    np.testing.assert_array_equal(seen[:n_seen], expected_seen)


@given(
    labels=labels() | labels(most_apart=2**64),
    known=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2, unique=True),
    n_known=st.integers(0, 2),
    dtype=st.sampled_from(["u2", "u4"]),
)
def test_number_labels(labels, known, n_known, dtype):
    assert_numbers(labels, known=list({*known, *labels[:n_known].tolist()}), dtype=dtype)


@pytest.mark.parametrize("step", [1, 2**32, 2**40 + 15, -(2**51)])
@pytest.mark.parametrize("dtype", ["u2", "u4"])
def test_number_labels_of_many(step, dtype):
    labels = np.random.default_rng(7).permutation(np.arange(3000) % 1000) * step
    assert_numbers(labels, dtype=dtype)


@given(labels=labels(), missing=st.integers(1, 9))
def test_number_labels_stops_where_there_is_no_room(labels, missing):
    assert_numbers(labels, room=max(1, len(set(labels.tolist())) - missing))


@given(codes=codes(), dtype=st.sampled_from(CODE_DTYPES), seed=SEEDS)
def test_recode(codes, dtype, seed):
    codes, n_codes = codes
    new_code = np.random.default_rng(seed).integers(0, 250, n_codes).astype(dtype)
    out = np.empty(len(codes), dtype)
    encode.recode(codes, new_code, out)
    np.testing.assert_array_equal(out, testing.recode(codes, new_code))


@given(codes=codes(), seed=SEEDS)
def test_recode_in_place(codes, seed):
    codes, n_codes = codes
    new_code = np.random.default_rng(seed).permutation(n_codes).astype(codes.dtype)
    expected = testing.recode(codes, new_code)
    encode.recode(codes, new_code, codes)
    np.testing.assert_array_equal(codes, expected)


@given(codes=codes(), before=st.integers(0, 9))
def test_count_adds_to_what_is_there(codes, before):
    codes, n_codes = codes
    counts = np.full(n_codes + 1, before, np.int64)
    encode.count(codes, counts)
    np.testing.assert_array_equal(counts - before, testing.count(codes, n_codes + 1))


@given(
    shape=testing.volume_shapes(),
    dtype=st.sampled_from(CODE_DTYPES),
    memory=st.sampled_from(["C", "F", "strided", "reversed"]),
    seed=SEEDS,
)
def test_sum_positions(shape, dtype, memory, seed):
    drawn = np.random.default_rng(seed).integers(0, 5, shape).astype(dtype)
    codes = testing.in_memory(drawn, memory)
    sums = np.zeros((6, 3), np.int64)
    encode.sum_positions(codes, sums)
    np.testing.assert_array_equal(sums, testing.sum_positions(codes, 6))


# --- paint --------------------------------------------------------------------------------


def random_bits(shape, dtype, seed):
    """Any bit pattern at all, among them NaN of all kinds."""
    return np.frombuffer(
        np.random.default_rng(seed).bytes(int(np.prod(shape)) * dtype.itemsize), dtype
    ).reshape(shape)


@given(
    codes=codes(),
    n_maps=st.integers(1, 4),
    dtype=st.sampled_from(ITEM_DTYPES),
    seed=SEEDS,
    skip_zero=st.booleans(),
)
def test_paint_maps(codes, n_maps, dtype, seed, skip_zero):
    codes, n_codes = codes
    table = random_bits((n_maps, n_codes), dtype, seed)
    out = np.full((n_maps, len(codes)), 77, dtype)
    if skip_zero:
        out[:] = table[:, :1]
    paint.paint_maps(codes, table, out, skip_zero)
    assert out.tobytes() == testing.paint_maps(codes, table).tobytes()


@given(
    codes=codes(),
    n_bytes=st.sampled_from([1, 2, 3, 8, 40]),
    seed=SEEDS,
    skip_zero=st.booleans(),
)
def test_paint_series(codes, n_bytes, seed, skip_zero):
    codes, n_codes = codes
    table = random_bits((n_codes, n_bytes), np.dtype(np.uint8), seed)
    wider = np.full((len(codes), n_bytes + 5), 77, np.uint8)
    out = wider[:, 2:-3]
    if skip_zero:
        out[:] = table[0]
    paint.paint_series(codes, table, out, skip_zero)
    np.testing.assert_array_equal(out, testing.paint_series(codes, table))
    assert (np.delete(wider, np.s_[2:-3], axis=1) == 77).all()


@given(codes=codes(), dtype=st.sampled_from(ITEM_DTYPES), seed=SEEDS)
def test_skip_zero_leaves_blocks_of_the_first_value_alone(codes, dtype, seed):
    codes, n_codes = codes
    # Other codes with the same value are left alone too.
    table = random_bits((1, 1), dtype, seed).repeat(n_codes, axis=1)
    blocks = codes[:16].repeat(16)
    out = np.full((1, len(blocks)), 77, dtype)
    paint.paint_maps(blocks, table, out, True)
    assert (out == 77).all()


@pytest.mark.parametrize("dtype", ["u4", "c16"])
def test_skip_zero_tells_values_apart_by_their_bits(dtype):
    zero, minus_zero = np.zeros(1, dtype), -np.zeros(1, dtype)
    if dtype == "u4":
        minus_zero = np.array([-0.0], "f4").view("u4")
    out = np.zeros((1, 32), dtype)
    table = np.concatenate([zero, minus_zero])[np.newaxis]
    paint.paint_maps(np.ones(32, np.uint8), table, out, True)
    assert out.tobytes() == minus_zero.tobytes() * 32


# --- deflate and crc ------------------------------------------------------------------------

ITEM_SIZES = [1, 2, 4, 8, 16]


def strings_of(n, seed, longest):
    """Any strings of bits, of 0 to `longest` bits each."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest + 1, n).astype(np.uint64)
    bits = rng.integers(0, 2**63, n, dtype=np.uint64) & ((np.uint64(1) << lengths) - np.uint64(1))
    return bits | lengths << np.uint64(56)


def tokens_of(
    codes, n_codes, *, distances=(1, 7, 8), window=100, shortest=1, room=None, costs=(1, 1, np.inf)
):
    tokens = np.empty((len(codes) if room is None else room, 2), np.uint32)
    last = np.full(n_codes, -(2**62))
    distances = np.array(distances, np.int64)
    n_parsed, n_tokens = deflate.parse(codes, distances, window, shortest, *costs, last, tokens)
    return n_parsed, tokens[:n_tokens]


@given(
    codes=codes(),
    distances=st.lists(st.integers(1, 60), max_size=4),
    window=st.integers(1, 60),
    shortest=st.integers(1, 3),
)
def test_parse(codes, distances, window, shortest):
    codes, n_codes = codes
    n_parsed, tokens = tokens_of(
        codes, n_codes, distances=distances, window=window, shortest=shortest
    )
    expected = testing.parse(codes, distances, window=window, shortest=shortest)
    assert n_parsed == len(codes)
    np.testing.assert_array_equal(tokens, expected)
    np.testing.assert_array_equal(testing.unparse(tokens), codes)


@given(codes=codes(), room=st.integers(0, 20))
def test_parse_stops_when_there_is_no_room(codes, room):
    codes, n_codes = codes
    everything = tokens_of(codes, n_codes)[1]
    n_parsed, tokens = tokens_of(codes, n_codes, room=room)
    np.testing.assert_array_equal(tokens, everything[:room])
    assert n_parsed == len(testing.unparse(tokens))


@given(codes=codes(), budget=st.integers(0, 60))
def test_parse_stops_when_the_budget_is_spent(codes, budget):
    codes, n_codes = codes
    everything = tokens_of(codes, n_codes)[1]
    n_parsed, tokens = tokens_of(codes, n_codes, costs=(2, 5, budget))
    spent = np.cumsum(np.where(everything[:, 0] == 0, 5, 2))
    n_within = int(np.count_nonzero(spent <= budget))
    np.testing.assert_array_equal(tokens, everything[: n_within + 1])
    assert n_parsed == len(testing.unparse(tokens))


@given(codes=codes(), item_size=st.sampled_from(ITEM_SIZES))
def test_count_tokens(codes, item_size):
    codes, n_codes = codes
    tokens = tokens_of(codes, n_codes, shortest=-(-3 // item_size))[1]
    lengths, distances = np.zeros(259, np.int64), np.zeros(32769, np.int64)
    literals = np.zeros(n_codes, np.int64)
    deflate.count_tokens(tokens, item_size, lengths, distances, literals)
    expected = testing.count_tokens(tokens, item_size, n_codes)
    for got, wanted in zip((lengths, distances, literals), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


@given(
    n_codes=st.integers(1, 9), item_size=st.sampled_from(ITEM_SIZES), n_maps=st.integers(1, 3),
    seed=SEEDS,
)  # fmt: skip
def test_count_bytes_adds_to_what_is_there(n_codes, item_size, n_maps, seed):
    rows = random_bits((n_maps, n_codes * item_size), np.dtype("u1"), seed)
    literals = np.random.default_rng(seed).integers(0, 4, n_codes)
    counts = np.full(256, 5)
    deflate.count_bytes(rows, literals, counts)
    np.testing.assert_array_equal(counts - 5, testing.count_bytes(rows, literals))


@given(codes=codes(), item_size=st.sampled_from(ITEM_SIZES), n_maps=st.integers(1, 3), seed=SEEDS)
def test_prepare_and_emit(codes, item_size, n_maps, seed):
    codes, n_codes = codes
    tokens = tokens_of(codes, n_codes, shortest=-(-3 // item_size))[1]
    length_strings, distance_strings = strings_of(259, seed, 20), strings_of(1601, seed + 1, 28)
    literals = np.empty(len(tokens), np.uint32)
    n_bits = np.empty(len(tokens), np.int64)
    words = np.zeros(len(codes) * item_size + 8, np.uint64)
    n_words = deflate.prepare(
        tokens, item_size, length_strings, distance_strings, literals, n_bits, words
    )
    expected, between = testing.prepare(tokens, item_size, length_strings, distance_strings)
    n_bits = n_bits[: len(expected)]
    np.testing.assert_array_equal(literals[: len(expected)], expected)
    assert n_bits.tolist() == [len(bits) for bits in between]
    assert n_words == sum(-(-len(bits) // 64) for bits in between)

    rows = random_bits((n_maps, n_codes * item_size), np.dtype("u1"), seed)
    byte_strings, head = strings_of(256, seed + 2, 15), strings_of(9, seed + 3, 13)
    out = np.empty(n_maps * (len(codes) * item_size * 8 + 8 * n_words) + 200, np.uint8)
    end = int(strings_of(1, seed + 4, 15)[0])
    scratch = np.empty(2 * n_codes * max(1, item_size // 4), np.uint64)
    n_bytes = deflate.emit(
        rows, item_size, byte_strings, literals[: len(expected)], n_bits, words, head, end,
        scratch, out,
    )  # fmt: skip
    by_code = rows.reshape(n_maps, n_codes, item_size)
    assert out[:n_bytes].tobytes() == testing.emit(
        by_code, byte_strings, expected, between, head=head, end=end
    )


@given(codes=codes(), item_size=st.sampled_from(ITEM_SIZES))
def test_add_weights_and_spread(codes, item_size):
    codes, n_codes = codes
    codes = codes[:150]
    weights = np.zeros((4, n_codes), np.uint32)
    crc.add_weights(codes, item_size, weights)
    weights = np.bitwise_xor.reduce(weights)
    expected = testing.add_weights(codes, item_size, n_codes)
    assert weights.tolist() == expected
    terms = np.empty((n_codes * max(1, item_size // 4), 32), np.uint32)
    crc.spread(weights, item_size, terms)
    np.testing.assert_array_equal(terms, testing.spread(expected, item_size))


@given(codes=codes(), dtype=st.sampled_from(ITEM_DTYPES), n_maps=st.integers(0, 3), seed=SEEDS)
def test_the_crc_of_maps_is_that_of_their_bytes(codes, dtype, n_maps, seed):
    codes, n_codes = codes
    table = random_bits((n_maps, n_codes), dtype, seed)
    weights = testing.add_weights(codes, dtype.itemsize, n_codes)
    terms = testing.spread(weights, dtype.itemsize)
    wide = table.view("u4") if dtype.itemsize >= 4 else table.astype("u4")
    got = crc.of_maps(wide, terms, len(codes) * dtype.itemsize)
    assert got == zlib.crc32(b"".join(row[codes].tobytes() for row in table))


@given(first=st.binary(), second=st.binary())
def test_combine(first, second):
    got = crc.combine(zlib.crc32(first), zlib.crc32(second), len(second))
    assert got == zlib.crc32(first + second)


@pytest.mark.parametrize("n_bytes", [2**31, 2**32, 2**32 + 5, 2**40, 2**61 - 1])
def test_combine_with_more_bytes_than_32_bits_count(n_bytes):
    # x^(2^32 - 1) is 1, so the powers of x come again.
    again = n_bytes % (2**32 - 1)
    assert crc.combine(0x12345678, 99, n_bytes) == crc.combine(0x12345678, 99, again)


# --- what the twins are tried with --------------------------------------------------------


def is_cube(volume):
    return len(set(volume.shape)) < 3


@pytest.mark.parametrize(
    "trait",
    [
        lambda volume: volume.min() < 0,
        lambda volume: float(volume.max()) > 2.0**40,
        lambda volume: volume.dtype == np.uint64 and volume.max() == 2**63 - 1,
        lambda volume: volume.dtype.kind == "f",
        lambda volume: not volume.dtype.isnative,
        lambda volume: not (volume.flags.c_contiguous or volume.flags.f_contiguous),
        lambda volume: 0 not in volume,
        lambda volume: len(np.unique(volume)) > 6,
    ],
)
def test_volumes_have_every_trait_that_matters(trait):
    # Any one will do, so it is not made small.
    settings = hypothesis.settings(max_examples=5000, phases=[hypothesis.Phase.generate])
    volume = hypothesis.find(testing.label_volumes(), trait, settings=settings)
    assert trait(volume)
    assert not is_cube(volume)


@given(dtype=st.sampled_from(testing.SIGNAL_DTYPES), data=st.data())
def test_signals_keep_shape_and_dtype(dtype, data):
    signals = data.draw(testing.region_signals(5, [dtype], n_maps=3))
    assert (signals.shape, signals.dtype) == ((3, 5), dtype)


@pytest.mark.parametrize("dtype", ["f4", "f8", "c8", "c16"])
def test_special_values_are_special(dtype):
    values = testing.special_values(dtype)
    assert np.isnan(values).any()
    assert np.isin([np.inf, -np.inf], values.real).all()
    assert (np.abs(values[np.isfinite(values)]) >= 1e30).any()


@pytest.mark.parametrize(
    "make",
    [
        testing.volume_shapes,
        testing.label_volumes,
        lambda: testing.region_labels("u1"),
        lambda: testing.region_signals(3),
        lambda: testing.masks((2, 3, 4)),
    ],
)
def test_without_hypothesis_the_error_names_it(monkeypatch, make):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(MissingPackageError, match="pip install hypothesis"):
        make()


def test_brute_force_refuses_a_count_that_fits_nothing():
    with pytest.raises(ValueError, match="3 columns for 2 or 1 regions"):
        testing.brute_force_paint(np.ones(3), np.array([[[1, 2]]]), mask=np.array([[[1, 0]]]))


# --- leaves -------------------------------------------------------------------------------


def assert_sums(codes, values, n_codes):
    """Compare what is known of a leaf, and of it twice, with Python's integers."""
    part, whole = (RegionSums.of_none(np.arange(n_codes - 1)) for _ in range(2))
    leaves.sum_leaf(codes, values, 0, False, part.sums)
    for _ in range(2):
        leaves.add_sums(whole.sums, np.arange(n_codes - 1), part.sums)
    expected = testing.sum_leaf(codes, values, n_codes - 1)
    for times, sums in ((1, part.sums), (2, whole.sums)):
        extremes = [values_of_keys(sums[name], values.dtype) for name in ("least", "largest")]
        totals = integers(sums["sum_low"], sums["sum_high"])
        squares = integers(sums["squares_low"], sums["squares_high"])
        for k, (n, least, largest, total, square) in enumerate(expected):
            assert sums["used"][k] == sums["in_mask"][k] == sums["finite"][k] == times * n
            assert totals[k] == times * total
            if n:
                assert [each[k] for each in extremes] == [float(least), float(largest)]
            if values.dtype.itemsize < 8:
                assert squares[k] == times * square


@given(codes(), st.sampled_from("bBhHiIqQ"), SEEDS)
def test_sums_of_a_leaf_are_those_of_pythons_integers(codes, kind, seed):
    codes, n_codes = codes
    limits = np.iinfo(kind)
    rng = np.random.default_rng(seed)
    values = rng.integers(limits.min, limits.max, len(codes), kind, endpoint=True)
    extremes = np.array([limits.min, limits.max, 0], kind)
    is_extreme = rng.random(len(codes)) < 0.5
    values[is_extreme] = rng.choice(extremes, is_extreme.sum())
    assert_sums(codes, values, n_codes)


@pytest.mark.parametrize("kind", "bBhHiIqQ")
@pytest.mark.parametrize("is_largest", [True, False])
def test_sums_of_squares_of_extremes_lose_nothing(kind, is_largest):
    # A leaf of 64³ voxels; with 32 bits their squares take more than 64.
    limits = np.iinfo(kind)
    values = np.full(64**3, limits.max if is_largest else limits.min, kind)
    assert_sums(np.ones(64**3, np.uint8), values, 2)
