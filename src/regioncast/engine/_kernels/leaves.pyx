# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From the voxels of a leaf to what is known of each region in it, and from two of these to one.

A *leaf* is a small block of an image of any size.  What is known of a region in it takes the same
few bytes however many voxels there are, and can be added up, always in the same order of leaves.
Runs of voxels of one region are summed up in registers.

A *key* stands for a value and sorts as it does: an unsigned integer of 64 bits.
"""
from libc.math cimport INFINITY, isfinite, isnan
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)
from libc.string cimport memcpy

from .codes cimport code_t

ctypedef fused integer_t:
    int8_t
    uint8_t
    int16_t
    uint16_t
    int32_t
    uint32_t
    int64_t
    uint64_t

ctypedef fused real_t:
    float
    double

ctypedef fused value_t:
    int8_t
    uint8_t
    int16_t
    uint16_t
    int32_t
    uint32_t
    int64_t
    uint64_t
    float
    double

cdef enum:
    OMIT = 0
    PROPAGATE = 1
    ZERO = 2

# `SUMS` of `regioncast.chunked.reduction.sums` is the same to NumPy, and says what each is.
cdef struct Sums:
    int64_t voxels
    int64_t in_mask
    int64_t finite
    int64_t used
    int64_t nans
    int64_t positive
    int64_t negative
    uint64_t least
    uint64_t largest
    uint64_t sum_low
    uint64_t sum_high
    uint64_t squares_low
    uint64_t squares_high
    double total
    double mean
    double rest


cdef inline uint64_t _key(value_t value) noexcept nogil:
    """Return the key of a value, which is the same for both zeros."""
    cdef uint64_t bits
    cdef uint32_t few_bits
    cdef value_t unsigned_zero
    if value_t is double:
        unsigned_zero = value + 0.0  # -0.0 becomes 0.0
        memcpy(&bits, &unsigned_zero, 8)
        return ~bits if bits >> 63 else bits | <uint64_t>1 << 63
    elif value_t is float:
        unsigned_zero = value + <float>0.0
        memcpy(&few_bits, &unsigned_zero, 4)
        return <uint32_t>~few_bits if few_bits >> 31 else few_bits | <uint32_t>1 << 31
    elif value_t is uint8_t or value_t is uint16_t or value_t is uint32_t or value_t is uint64_t:
        return <uint64_t>value
    else:
        return <uint64_t><int64_t>value ^ <uint64_t>1 << 63


cdef inline void _add(uint64_t* low, uint64_t* high, uint64_t more, uint64_t more_high) noexcept nogil:
    """Add a number of two words, in two's complement where it is negative."""
    low[0] += more
    high[0] += more_high + (low[0] < more)


cdef inline Py_ssize_t _run_end(const code_t* code, Py_ssize_t i, Py_ssize_t n) noexcept nogil:
    """Return where the run of samples with the code of sample `i` ends."""
    cdef code_t first = code[i]
    while i < n and code[i] == first:
        i += 1
    return i


def sum_leaf(
    const code_t[::1] codes,
    const value_t[::1] values,
    int nonfinite,
    bint with_rest,
    Sums[::1] sums,
):
    """Sum up the values of each region.

    Parameters
    ----------
    codes, values : array
        Of the voxels of a leaf, up to 2**30 of them.
    nonfinite : int
        `reduce.Nonfinite`.  What is propagated is counted here, and nothing else.
    with_rest : bool
        Whether `rest` is needed: what is left of the squares about the mean.
    sums : array of Sums, shape (n_regions,)
        Of no voxel yet.
    """
    cdef Py_ssize_t n = codes.shape[0]
    if n == 0 or sums.shape[0] == 0:
        return
    with nogil:
        if value_t is float or value_t is double:
            _sum_reals(&codes[0], &values[0], n, nonfinite, with_rest, sums)
        else:
            _sum_integers(&codes[0], &values[0], n, with_rest, sums)


cdef void _sum_integers(
    const code_t* codes, const integer_t* values, Py_ssize_t n, bint with_rest, Sums[::1] sums
) noexcept nogil:
    cdef Py_ssize_t start, stop = 0, i
    cdef integer_t value, least, largest
    cdef int64_t total, total_high
    cdef uint64_t squares, squares_high, square
    cdef Sums* region
    cdef double deviation
    while stop < n:
        start = stop
        stop = _run_end(codes, start, n)
        if codes[start] == 0:
            continue
        region = &sums[codes[start] - 1]
        least = largest = values[start]
        total = total_high = 0
        squares = squares_high = 0
        for i in range(start, stop):
            value = values[i]
            if value < least:
                least = value
            if value > largest:
                largest = value
            if integer_t is int64_t or integer_t is uint64_t:
                total += <int64_t>(<uint64_t>value & <uint64_t>0xFFFFFFFF)
                total_high += <int64_t>(value >> 32)
            else:
                total += <int64_t>value
            if (
                integer_t is int8_t or integer_t is uint8_t
                or integer_t is int16_t or integer_t is uint16_t
            ):
                squares += <uint64_t>(<int64_t>value * <int64_t>value)
            elif integer_t is int32_t or integer_t is uint32_t:
                # Halves, so that 2**30 of them fit in a word.
                square = <uint64_t><int64_t>value * <uint64_t><int64_t>value
                squares += square & <uint64_t>0xFFFFFFFF
                squares_high += square >> 32
        region.in_mask += stop - start
        region.least = min(region.least, _key(least))
        region.largest = max(region.largest, _key(largest))
        _add(&region.sum_low, &region.sum_high, <uint64_t>total, <uint64_t>(total >> 63))
        _add(
            &region.sum_low, &region.sum_high,
            <uint64_t>total_high << 32, <uint64_t>(total_high >> 32),
        )
        _add(&region.squares_low, &region.squares_high, squares, 0)
        _add(&region.squares_low, &region.squares_high, squares_high << 32, squares_high >> 32)
    for i in range(sums.shape[0]):
        region = &sums[i]
        region.finite = region.used = region.in_mask
    if sizeof(integer_t) < 8 or not with_rest:
        return
    for i in range(sums.shape[0]):
        region = &sums[i]
        if region.used:
            # A word that is half full, times 2**64, is less than the largest number.
            region.mean = (
                <double><int64_t>region.sum_high * 18446744073709551616.0 + <double>region.sum_low
            ) / <double>region.used
    for i in range(n):
        if codes[i]:
            region = &sums[codes[i] - 1]
            deviation = <double>values[i] - region.mean
            region.rest += deviation * deviation


cdef void _sum_reals(
    const code_t* codes, const real_t* values, Py_ssize_t n, int nonfinite, bint with_rest,
    Sums[::1] sums,
) noexcept nogil:
    cdef Py_ssize_t start, stop = 0, i
    cdef int64_t finite, used
    cdef real_t least, largest
    cdef double value, first, above, total
    cdef Sums* region
    cdef bint is_large = False
    while stop < n:
        start = stop
        stop = _run_end(codes, start, n)
        if codes[start] == 0:
            continue
        region = &sums[codes[start] - 1]
        least = <real_t>INFINITY
        largest = <real_t>-INFINITY
        finite = 0
        used = region.used
        # About the first value: the mean of equal values is that value to the last bit.
        first = region.mean
        above = region.rest
        total = region.total
        for i in range(start, stop):
            value = <double>values[i]
            if isfinite(value):
                finite += 1
            elif nonfinite == ZERO:
                value = 0
            else:
                if nonfinite == PROPAGATE:
                    region.nans += isnan(value)
                    region.positive += value > 0
                    region.negative += value < 0
                continue
            if used == 0:
                first = value
            used += 1
            above += value - first
            total += value
            if value < least:
                least = <real_t>value
            if value > largest:
                largest = <real_t>value
        region.in_mask += stop - start
        region.finite += finite
        if used > region.used:
            region.least = min(region.least, _key(least))
            region.largest = max(region.largest, _key(largest))
        region.used = used
        region.mean = first
        region.rest = above
        region.total = total
    for i in range(sums.shape[0]):
        region = &sums[i]
        if region.used == 0:
            continue
        if isfinite(region.rest):
            region.mean += region.rest / <double>region.used
            region.rest = 0
        else:  # the difference of two values was too large
            region.mean = 0
            is_large = True
    if is_large:
        for i in range(n):
            if codes[i] and not isfinite(sums[codes[i] - 1].rest) and isfinite(<double>values[i]):
                region = &sums[codes[i] - 1]
                region.mean += <double>values[i] / <double>region.used
        for i in range(sums.shape[0]):
            if not isfinite(sums[i].rest):
                sums[i].rest = 0
    if with_rest:
        _sum_squares(codes, values, n, nonfinite, sums)


cdef void _sum_squares(
    const code_t* codes, const real_t* values, Py_ssize_t n, int nonfinite, Sums[::1] sums
) noexcept nogil:
    """Sum the squares of what values are above the mean of their region."""
    cdef Py_ssize_t start, stop = 0, i
    cdef double value, mean, rest
    while stop < n:
        start = stop
        stop = _run_end(codes, start, n)
        if codes[start] == 0:
            continue
        mean = sums[codes[start] - 1].mean
        rest = sums[codes[start] - 1].rest
        for i in range(start, stop):
            value = <double>values[i]
            if not isfinite(value):
                if nonfinite != ZERO:
                    continue
                value = 0
            rest += (value - mean) * (value - mean)
        sums[codes[start] - 1].rest = rest


def add_sums(Sums[::1] sums, const int64_t[::1] places, const Sums[::1] others):
    """Add ``others[i]`` to ``sums[places[i]]``; means and squares by the formula of Chan.

    Chan, Golub and LeVeque 1983, https://doi.org/10.1080/00031305.1983.10483115.
    """
    cdef Py_ssize_t i
    cdef Sums* one
    cdef const Sums* other
    with nogil:
        for i in range(places.shape[0]):
            one = &sums[places[i]]
            other = &others[i]
            _add_means(one, other)
            one.voxels += other.voxels
            one.in_mask += other.in_mask
            one.finite += other.finite
            one.used += other.used
            one.nans += other.nans
            one.positive += other.positive
            one.negative += other.negative
            one.least = min(one.least, other.least)
            one.largest = max(one.largest, other.largest)
            _add(&one.sum_low, &one.sum_high, other.sum_low, other.sum_high)
            _add(&one.squares_low, &one.squares_high, other.squares_low, other.squares_high)
            one.total += other.total


cdef inline void _add_means(Sums* one, const Sums* other) noexcept nogil:
    cdef double n = <double>(one.used + other.used)
    cdef double above, share
    if other.used == 0:
        return
    if one.used == 0:
        one.mean = other.mean
        one.rest = other.rest
        return
    share = <double>other.used / n
    above = other.mean - one.mean
    if isfinite(above):
        one.mean += above * share
    else:
        one.mean = one.mean * (<double>one.used / n) + other.mean * share
    one.rest += other.rest + above * above * (<double>one.used * share)


def count_keys(
    const code_t[::1] codes,
    const value_t[::1] values,
    int nonfinite,
    const int64_t[::1] firsts,
    const int64_t[::1] lasts,
    const uint64_t[::1] lows,
    const uint64_t[::1] widths,
    const uint8_t[::1] shifts,
    int64_t[:, ::1] counts,
):
    """Count the keys of regions in the bins of ranges, none of which overlap in a region.

    Parameters
    ----------
    codes, values, nonfinite
        As of `sum_leaf`.  NaN has no key.
    firsts, lasts : array of int64, shape (n_regions,)
        Region ``k`` has the ranges from number ``firsts[k]`` to before ``lasts[k]``.
    lows, widths : array of uint64, shape (n_ranges,)
        The first key of a range, and how far its last one is above that.
    shifts : array of uint8, shape (n_ranges,)
        A bin has so many keys, as a power of two.
    counts : array of int64, shape (n_ranges, n_bins)
        Added to.
    """
    cdef Py_ssize_t i, which
    cdef uint64_t above
    cdef value_t value
    with nogil:
        for i in range(codes.shape[0]):
            if codes[i] == 0:
                continue
            value = values[i]
            if value_t is float or value_t is double:
                if not isfinite(<double>value):
                    if nonfinite == ZERO:
                        value = 0
                    elif nonfinite == OMIT or isnan(<double>value):
                        continue
            for which in range(firsts[codes[i] - 1], lasts[codes[i] - 1]):
                above = _key(value) - lows[which]
                if above <= widths[which]:
                    counts[which, <Py_ssize_t>(above >> shifts[which])] += 1
                    break


def collect_keys(
    const code_t[::1] codes,
    const value_t[::1] values,
    int nonfinite,
    const int64_t[::1] firsts,
    const int64_t[::1] lasts,
    const uint64_t[::1] lows,
    const uint64_t[::1] widths,
    uint32_t[::1] ranges,
    uint64_t[::1] keys,
):
    """Collect the keys in ranges, and the numbers of the ranges; return how many there are.

    Parameters are those of `count_keys`; `ranges` and `keys` have room for each voxel.
    """
    cdef Py_ssize_t i, which, n = 0
    cdef uint64_t key
    cdef value_t value
    with nogil:
        for i in range(codes.shape[0]):
            if codes[i] == 0:
                continue
            value = values[i]
            if value_t is float or value_t is double:
                if not isfinite(<double>value):
                    if nonfinite == ZERO:
                        value = 0
                    elif nonfinite == OMIT or isnan(<double>value):
                        continue
            for which in range(firsts[codes[i] - 1], lasts[codes[i] - 1]):
                key = _key(value)
                if key - lows[which] <= widths[which]:
                    ranges[n] = <uint32_t>which
                    keys[n] = key
                    n += 1
                    break
    return n
