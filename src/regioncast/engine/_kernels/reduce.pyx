# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From voxels to one number per region.

Samples are grouped by region once; then each region of each map is gathered into a small
buffer of float64, where everything is reduced.  What a region gives depends on its own samples
only, so that any division of maps and regions between threads gives the same bits.
"""
from libc.math cimport INFINITY, NAN, floor, isfinite, isnan, sqrt
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)

from .codes cimport code_t

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

# Maps that are summed side by side: four sums of each fit the processor's first cache.
cdef enum:
    WIDTH = 128

# What becomes of values that are NaN or infinite.
cpdef enum Nonfinite:
    OMIT = 0
    PROPAGATE = 1
    ZERO = 2

cpdef enum Reduction:
    COUNT = 0
    SUM = 1
    MEAN = 2
    MINIMUM = 3
    MAXIMUM = 4
    VARIANCE = 5
    STANDARD_DEVIATION = 6
    PERCENTILE = 7
    MEDIAN = 8


def group(const code_t[::1] codes, int64_t[::1] next_place, uint32_t[::1] samples):
    """Write each sample that has a region to its region's part of `samples`, in order.

    Parameters
    ----------
    codes : array
    next_place : array of int64, shape (n_regions,)
        Where the part of each region begins; afterwards, where it ends.
    samples : array of uint32
    """
    cdef Py_ssize_t i
    cdef int64_t* place = &next_place[0]
    cdef code_t code
    with nogil:
        for i in range(codes.shape[0]):
            code = codes[i]
            if code != 0:
                samples[place[code - 1]] = <uint32_t>i
                place[code - 1] += 1


def reduce_maps(
    const value_t[::1] stored,
    Py_ssize_t first_map,
    Py_ssize_t map_stride,
    Py_ssize_t sample_stride,
    const double[::1] slopes,
    const double[::1] intercepts,
    const uint32_t[::1] samples,
    const int64_t[::1] starts,
    const double[::1] weights,
    int nonfinite,
    const int32_t[::1] reductions,
    const double[::1] percentages,
    value_t[:, ::1] tile,
    double[:, ::1] buffer,
    double[:, :, :] out,
    int64_t[::1] least_finite,
):
    """Reduce each region of each map to one number per reduction.

    Parameters
    ----------
    stored : array
        Sample ``i`` of map ``t`` is at ``t * map_stride + i * sample_stride``.
    first_map : int
        The first map to reduce.
    map_stride, sample_stride : int
    slopes, intercepts : array of float64, shape (n_maps,)
        Of the maps to reduce.  A value is the stored number times the slope plus the intercept.
    samples : array of uint32
        From `group`.
    starts : array of int64, shape (n_regions + 1,)
        Where in `samples` the regions to reduce begin, and where the last one ends.
    weights : array of float64
        One per entry of `samples`, or none.
    nonfinite : int
        `Nonfinite`.
    reductions : array of int32, shape (n_reductions,)
        `Reduction`; percentiles and medians last, for they disturb the order of the buffer.
    percentages : array of float64, shape (n_reductions,)
        Of percentiles, from 0 to 100.
    tile : array, shape (n, largest region)
        Space for the stored numbers of a region in `n` maps, where samples are apart.
    buffer : array of float64, shape (2, largest region)
        Space for the values and the weights of a region.
    out : array of float64, shape (n_reductions, n_maps, n_regions)
        Filled; NaN where there is nothing to reduce.
    least_finite : array of int64, shape (n_regions,)
        Lowered to the number of finite values where a map has fewer.
    """
    cdef Py_ssize_t n_maps = slopes.shape[0], first, last, t, region, n
    cdef const value_t* maps = &stored[first_map * map_stride]
    cdef const uint32_t* places = &samples[0]
    cdef double* values = &buffer[0, 0]
    cdef double* kept = &buffer[1, 0] if weights.shape[0] else NULL
    cdef const double* weight = &weights[0] if weights.shape[0] else NULL
    cdef bint is_tiled = sample_stride != 1
    cdef bint is_direct = (
        is_tiled and map_stride == 1 and weight == NULL
        and _are_sums(reductions) and _are_stored(slopes, intercepts)
    )
    if not is_tiled:
        with nogil:
            for t in range(n_maps):
                for region in range(starts.shape[0] - 1):
                    _reduce_one(
                        maps + t * map_stride, places, starts[region], starts[region + 1],
                        slopes[t], intercepts[t], weight, nonfinite, reductions, percentages,
                        values, kept, out, t, region, least_finite,
                    )
        return
    with nogil:
        # Region by region: its samples stay in the cache until all maps are done.
        for region in range(starts.shape[0] - 1):
            n = starts[region + 1] - starts[region]
            first = 0
            while first < n_maps:
                if is_direct:
                    last = min(first + WIDTH, n_maps)
                    if _reduce_side_by_side(
                        maps + first, sample_stride, places + starts[region], n, last - first,
                        reductions, out, first, region,
                    ):
                        first = last
                        continue
                last = min(first + tile.shape[0], n_maps)
                _collect(
                    maps + first * map_stride, map_stride, sample_stride,
                    places + starts[region], n, last - first, &tile[0, 0], tile.shape[1],
                )
                for t in range(first, last):
                    _reduce_one(
                        &tile[t - first, 0], NULL, starts[region], starts[region + 1],
                        slopes[t], intercepts[t], weight, nonfinite, reductions, percentages,
                        values, kept, out, t, region, least_finite,
                    )
                first = last


cdef bint _are_sums(const int32_t[::1] reductions) noexcept:
    """Return whether all are made of sums, and some needs the values."""
    cdef Py_ssize_t which
    cdef bint needs_values = False
    for which in range(reductions.shape[0]):
        if reductions[which] not in (COUNT, SUM, MEAN, VARIANCE, STANDARD_DEVIATION):
            return False
        needs_values = needs_values or reductions[which] != COUNT
    return needs_values


cdef bint _are_stored(const double[::1] slopes, const double[::1] intercepts) noexcept:
    """Return whether the numbers are the values, not scaled."""
    cdef Py_ssize_t t
    for t in range(slopes.shape[0]):
        if slopes[t] != 1 or intercepts[t] != 0:
            return False
    return True


cdef bint _reduce_side_by_side(
    const value_t* maps, Py_ssize_t sample_stride, const uint32_t* places, Py_ssize_t n,
    Py_ssize_t n_maps, const int32_t[::1] reductions, double[:, :, :] out,
    Py_ssize_t first, Py_ssize_t region,
) noexcept nogil:
    """Reduce a region in maps that lie side by side; return whether all values are finite.

    Where some are not, `out` means nothing, and the maps have to be reduced one by one.  The sums
    of each map are added up in the order of `_sum_about` and of `_variance`, so their bits are the
    same.
    """
    cdef double about[WIDTH]
    cdef double sums[WIDTH]
    cdef double means[WIDTH]
    cdef Py_ssize_t t, which
    cdef bint has_means = False
    cdef int reduction
    if n == 0:
        return False
    for which in range(reductions.shape[0]):
        reduction = reductions[which]
        if reduction == COUNT:
            for t in range(n_maps):
                out[which, first + t, region] = <double>n
            continue
        if reduction == SUM:
            for t in range(n_maps):
                about[t] = 0
            _sum_maps(maps, sample_stride, places, n, n_maps, about, sums)
            if not _are_finite(sums, n_maps):
                return False
            for t in range(n_maps):
                out[which, first + t, region] = sums[t]
            continue
        if not has_means:
            for t in range(n_maps):
                about[t] = <double>maps[<Py_ssize_t>places[0] * sample_stride + t]
            _sum_maps(maps, sample_stride, places, n, n_maps, about, sums)
            for t in range(n_maps):
                means[t] = about[t] + sums[t] / <double>n
            if not _are_finite(means, n_maps):
                return False
            has_means = True
        if reduction == MEAN:
            for t in range(n_maps):
                out[which, first + t, region] = means[t]
            continue
        _sum_squares(maps, sample_stride, places, n, n_maps, means, sums)
        for t in range(n_maps):
            sums[t] = sums[t] / <double>n
            out[which, first + t, region] = sums[t] if reduction == VARIANCE else sqrt(sums[t])
    return True


cdef inline void _sum_maps(
    const value_t* maps, Py_ssize_t sample_stride, const uint32_t* places, Py_ssize_t n,
    Py_ssize_t n_maps, const double* about, double* sums,
) noexcept nogil:
    """Sum what the values of each map are above `about`, as `_sum_about` does."""
    cdef double a[WIDTH]
    cdef double b[WIDTH]
    cdef double c[WIDTH]
    cdef double d[WIDTH]
    cdef const value_t* w
    cdef const value_t* x
    cdef const value_t* y
    cdef const value_t* z
    cdef Py_ssize_t i = 0, t
    for t in range(n_maps):
        a[t] = b[t] = c[t] = d[t] = 0
    while i + 4 <= n:
        w = maps + <Py_ssize_t>places[i] * sample_stride
        x = maps + <Py_ssize_t>places[i + 1] * sample_stride
        y = maps + <Py_ssize_t>places[i + 2] * sample_stride
        z = maps + <Py_ssize_t>places[i + 3] * sample_stride
        for t in range(n_maps):
            a[t] += <double>w[t] - about[t]
            b[t] += <double>x[t] - about[t]
            c[t] += <double>y[t] - about[t]
            d[t] += <double>z[t] - about[t]
        i += 4
    for i in range(i, n):
        w = maps + <Py_ssize_t>places[i] * sample_stride
        for t in range(n_maps):
            a[t] += <double>w[t] - about[t]
    for t in range(n_maps):
        sums[t] = (a[t] + b[t]) + (c[t] + d[t])


cdef inline void _sum_squares(
    const value_t* maps, Py_ssize_t sample_stride, const uint32_t* places, Py_ssize_t n,
    Py_ssize_t n_maps, const double* about, double* sums,
) noexcept nogil:
    """Sum the squares of what the values of each map are above `about`, as `_variance` does."""
    cdef const value_t* row
    cdef double deviation
    cdef Py_ssize_t i, t
    for t in range(n_maps):
        sums[t] = 0
    for i in range(n):
        row = maps + <Py_ssize_t>places[i] * sample_stride
        for t in range(n_maps):
            deviation = <double>row[t] - about[t]
            sums[t] += deviation * deviation


cdef inline bint _are_finite(const double* values, Py_ssize_t n) noexcept nogil:
    """Return whether all values are finite.

    A sum that includes a NaN or infinity is never finite, so checking sums suffices.
    """
    cdef Py_ssize_t i
    for i in range(n):
        if not isfinite(values[i]):
            return False
    return True


cdef inline void _reduce_one(
    const value_t* stored, const uint32_t* places, Py_ssize_t start, Py_ssize_t stop,
    double slope, double intercept, const double* weight, int nonfinite,
    const int32_t[::1] reductions, const double[::1] percentages, double* values, double* kept,
    double[:, :, :] out, Py_ssize_t t, Py_ssize_t region, int64_t[::1] least_finite,
) noexcept nogil:
    """Reduce one region of one map."""
    cdef int64_t n_finite = 0
    cdef Py_ssize_t which, n = _gather(
        stored, places, start, stop, slope, intercept, weight, nonfinite, values, kept, &n_finite
    )
    if n_finite < least_finite[region]:
        least_finite[region] = n_finite
    for which in range(reductions.shape[0]):
        out[which, t, region] = _reduced(
            reductions[which], percentages[which], values, kept, n
        )


cdef inline void _collect(
    const value_t* maps, Py_ssize_t map_stride, Py_ssize_t sample_stride,
    const uint32_t* places, Py_ssize_t n, Py_ssize_t n_maps, value_t* tile, Py_ssize_t width,
) noexcept nogil:
    """Bring the samples of a region together, map by map."""
    cdef Py_ssize_t i, t
    cdef const value_t* sample
    for i in range(n):
        sample = maps + <Py_ssize_t>places[i] * sample_stride
        for t in range(n_maps):
            tile[t * width + i] = sample[t * map_stride]


cdef inline Py_ssize_t _gather(
    const value_t* stored, const uint32_t* samples, Py_ssize_t start, Py_ssize_t stop,
    double slope, double intercept, const double* weights, int nonfinite,
    double* values, double* kept, int64_t* n_finite,
) noexcept nogil:
    """Collect the values of a region; return how many, and set how many were finite.

    Without `samples`, they lie side by side in `stored` already.
    """
    cdef Py_ssize_t i, n = 0
    cdef bint is_scaled = slope != 1 or intercept != 0
    cdef int64_t finite = 0
    cdef double value
    for i in range(start, stop):
        value = <double>(stored[i - start] if samples == NULL else stored[samples[i]])
        if is_scaled:
            value = value * slope + intercept
        if isfinite(value):
            finite += 1
        elif nonfinite == OMIT:
            continue
        elif nonfinite == ZERO:
            value = 0
        values[n] = value
        if weights != NULL:
            kept[n] = weights[i]
        n += 1
    n_finite[0] = finite
    return n


cdef double _reduced(
    int reduction, double percentage, double* values, const double* weights, Py_ssize_t n
) noexcept nogil:
    if reduction == COUNT:
        return <double>n
    if n == 0:
        return NAN
    if reduction == SUM:
        return _sum_about(0, values, weights, n)
    if reduction == MEAN:
        return _mean(values, weights, n)
    if reduction == MINIMUM:
        return _least(values, n, 1)
    if reduction == MAXIMUM:
        return -_least(values, n, -1)
    if reduction == VARIANCE:
        return _variance(values, weights, n)
    if reduction == STANDARD_DEVIATION:
        return sqrt(_variance(values, weights, n))
    if _has_nan(values, n):
        return NAN
    if reduction == MEDIAN:
        return _median(values, n)
    return _percentile(values, n, percentage)


cdef double _sum_about(
    double center, const double* values, const double* weights, Py_ssize_t n
) noexcept nogil:
    """Return the weighted sum of what values are above `center`."""
    # Four sums side by side: one would wait for each addition before the next.
    cdef double a = 0, b = 0, c = 0, d = 0
    cdef Py_ssize_t i = 0
    if weights != NULL:
        for i in range(n):
            a += weights[i] * (values[i] - center)
        return a
    while i + 4 <= n:
        a += values[i] - center
        b += values[i + 1] - center
        c += values[i + 2] - center
        d += values[i + 3] - center
        i += 4
    for i in range(i, n):
        a += values[i] - center
    return (a + b) + (c + d)


cdef double _total(const double* weights, Py_ssize_t n) noexcept nogil:
    cdef double total = 0
    cdef Py_ssize_t i
    if weights == NULL:
        return <double>n
    for i in range(n):
        total += weights[i]
    return total


cdef double _mean(const double* values, const double* weights, Py_ssize_t n) noexcept nogil:
    # About the first value: the mean of equal values is that value to the last bit, and large
    # values that differ little lose nothing.
    cdef double total = _total(weights, n)
    cdef double mean
    if total == 0:
        return NAN
    mean = values[0] + _sum_about(values[0], values, weights, n) / total
    if isfinite(mean):
        return mean
    # The difference of two values overflowed, or some value is infinite itself.
    return _sum_of_shares(values, weights, n, total)


cdef double _sum_of_shares(
    const double* values, const double* weights, Py_ssize_t n, double total
) noexcept nogil:
    cdef double mean = 0
    cdef Py_ssize_t i
    for i in range(n):
        mean += values[i] * ((1 if weights == NULL else weights[i]) / total)
    return mean


cdef double _variance(const double* values, const double* weights, Py_ssize_t n) noexcept nogil:
    cdef double center = _mean(values, weights, n)
    cdef double total = 0, deviation
    cdef Py_ssize_t i
    for i in range(n):
        deviation = values[i] - center
        total += deviation * deviation * (1 if weights == NULL else weights[i])
    return total / _total(weights, n)


cdef double _least(const double* values, Py_ssize_t n, double sign) noexcept nogil:
    """Return the least of ``sign * value``, NaN where some value is NaN."""
    cdef double least = INFINITY
    cdef Py_ssize_t i
    for i in range(n):
        if isnan(values[i]):
            return NAN
        if sign * values[i] < least:
            least = sign * values[i]
    return least


cdef bint _has_nan(const double* values, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if isnan(values[i]):
            return True
    return False


cdef double _median(double* values, Py_ssize_t n) noexcept nogil:
    """Return the mean of the two values in the middle, which rounds unlike the percentile."""
    cdef Py_ssize_t rank = (n - 1) // 2
    cdef double low = _select(values, n, rank)
    cdef double high
    if n % 2 == 1:
        return low
    # All that came to lie behind the rank is at least as large.
    high = _least(values + rank + 1, n - rank - 1, 1)
    return (low + high) / 2 if isfinite(low + high) else low / 2 + high / 2


cdef double _percentile(double* values, Py_ssize_t n, double percentage) noexcept nogil:
    """Interpolate linearly between the two nearest ranks, as NumPy does."""
    cdef double place = percentage / 100 * (n - 1)
    cdef Py_ssize_t rank = <Py_ssize_t>floor(place)
    cdef double share = place - rank
    cdef double low, high
    low = _select(values, n, rank)
    if share == 0:
        return low
    high = _least(values + rank + 1, n - rank - 1, 1)
    if low == high:
        return low
    if share >= 0.5:
        return high - (high - low) * (1 - share)
    return low + (high - low) * share


cdef double _select(double* values, Py_ssize_t n, Py_ssize_t rank) noexcept nogil:
    """Return the value that sorting would put at `rank`, with none larger before it."""
    # Quickselect (Hoare 1961).  Pivots from a fixed pseudo-random sequence: no order in which
    # voxels come makes it slow, and it does the same each time.
    cdef Py_ssize_t first = 0, last = n - 1, i, j
    cdef uint64_t state = 0x9E3779B97F4A7C15
    cdef double pivot, value
    while first < last:
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        pivot = values[first + <Py_ssize_t>(state % <uint64_t>(last - first + 1))]
        i, j = first, last
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                value = values[i]
                values[i] = values[j]
                values[j] = value
                i += 1
                j -= 1
        if rank <= j:
            last = j
        elif rank >= i:
            first = i
        else:
            break
    return values[rank]
