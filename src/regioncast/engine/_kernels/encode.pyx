# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From labels to codes.

A *label* is the number that a labels image holds at a sample; a *code* is 0 where there is
no region and ``k`` where the region is number ``k`` (from 1) of a table.
"""
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)
from libc.string cimport memcpy, memset

from .codes cimport code_t
from .prefetch cimport CACHE_LINE, PREFETCH

ctypedef fused integer_t:
    int8_t
    uint8_t
    int16_t
    uint16_t
    int32_t
    uint32_t
    int64_t

ctypedef fused real_t:
    float
    double

ctypedef fused label_t:
    int8_t
    uint8_t
    int16_t
    uint16_t
    int32_t
    uint32_t
    int64_t
    float
    double

ctypedef fused wide_code_t:
    uint16_t
    uint32_t

ctypedef fused new_code_t:
    uint8_t
    uint16_t
    uint32_t

# Labels come in runs, above all outside the brain, so loops look at so many samples first: the
# compiler turns the test for a run of one label into a few vector instructions.
cdef enum:
    RUN = 32


# How far ahead memory is fetched: labels that have left the cache take half as long again without.
cdef enum:
    BYTES_AHEAD = 4096


cdef inline void _fetch_ahead(const label_t* sample) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(max(1, <Py_ssize_t>(RUN * sizeof(label_t)) // CACHE_LINE)):
        PREFETCH(<const char*>sample + BYTES_AHEAD + j * CACHE_LINE)


cdef inline bint _is_run(const label_t* sample) noexcept nogil:
    cdef Py_ssize_t j
    cdef label_t difference = 0
    if sample[0] != sample[RUN - 1]:  # which is most often so where there is none
        return False
    if label_t is float:
        return _is_run(<const int32_t*>sample)
    elif label_t is double:
        return _is_run(<const int64_t*>sample)
    else:
        for j in range(RUN):
            difference |= sample[j] ^ sample[0]
        return difference == 0


# 1.5 * 2**52: what is added to it is rounded to an integer, which its last 51 bits then hold.
cdef double SHIFT = 6755399441055744.0

# Floats below this in magnitude are told apart, and converted without overflow.
cdef double LARGEST = 1 << 50


cdef inline bint _to_integers(const real_t* value, int64_t* integer) noexcept nogil:
    """Convert RUN values, and return whether all were integers below 2**50 in magnitude."""
    cdef Py_ssize_t j
    cdef double shift = SHIFT
    cdef double shifted[RUN]
    cdef double rest[RUN]
    cdef uint64_t bits[RUN]
    cdef uint64_t shift_bits, fractional = 0, large = 0
    # Bits and numbers by turns, in loops that the compiler turns into vector instructions.
    memcpy(&shift_bits, &shift, sizeof(shift))
    for j in range(RUN):
        shifted[j] = value[j] + shift
    for j in range(RUN):
        rest[j] = value[j] - (shifted[j] - shift)
    memcpy(bits, shifted, sizeof(shifted))
    for j in range(RUN):
        integer[j] = <int64_t>(bits[j] - shift_bits)
        large |= bits[j] - shift_bits + (<uint64_t>1 << 50)
    memcpy(bits, rest, sizeof(rest))  # NaN of NaN and infinities
    for j in range(RUN):
        fractional |= bits[j]
    return fractional << 1 == 0 and large >> 51 == 0


cdef inline bint _is_any_outside(
    const integer_t* label, int64_t low, uint64_t width
) noexcept nogil:
    """Return whether some of RUN labels is outside of a table as wide as a power of two."""
    cdef Py_ssize_t j
    cdef uint32_t joined = 0
    cdef uint64_t wide_joined = 0
    # As unsigned numbers, labels below `low` are beyond the end; a bit that one of them has beyond
    # those of the last place is still there when they are all joined.
    if sizeof(integer_t) == 8:
        for j in range(RUN):
            wide_joined |= <uint64_t>label[j] - <uint64_t>low
        return wide_joined >= width
    for j in range(RUN):
        joined |= <uint32_t>label[j] - <uint32_t>low
    return joined >= width


cdef inline void _set_places(
    const integer_t* label, int64_t low, uint8_t* table, wide_code_t* place
) noexcept nogil:
    """Set the places of RUN labels, all in the table, and mark them."""
    cdef Py_ssize_t j
    cdef int64_t first, second, third, fourth
    for j in range(0, RUN, 4):  # four at once, which the compiler does not do by itself
        first = <int64_t>label[j] - low
        second = <int64_t>label[j + 1] - low
        third = <int64_t>label[j + 2] - low
        fourth = <int64_t>label[j + 3] - low
        place[j] = <wide_code_t>first
        place[j + 1] = <wide_code_t>second
        place[j + 2] = <wide_code_t>third
        place[j + 3] = <wide_code_t>fourth
        table[first] = 1
        table[second] = 1
        table[third] = 1
        table[fourth] = 1


cdef inline bint _set_place(
    label_t label, int64_t low, uint64_t width, uint8_t* table, wide_code_t* place
) noexcept nogil:
    """Set the place of a label and mark it; return whether it is an integer in the table."""
    cdef uint64_t found
    if label_t is float or label_t is double:
        if not -LARGEST < label < LARGEST:  # nor NaN
            return False
        if <int64_t>label != label:
            return False
    found = <uint64_t><int64_t>label - <uint64_t>low
    if found >= width:
        return False
    table[found] = 1
    place[0] = <wide_code_t>found
    return True


def find_places(
    const label_t[::1] labels, int64_t low, uint8_t[::1] is_there, wide_code_t[::1] places
):
    """Set ``places[i] = labels[i] - low``, and mark the places, up to a label that has none.

    Parameters
    ----------
    labels : array of int or float
    low : int
        The label of the first place of a table.  All of the table is in the range of the labels'
        dtype, or all of that range in the table.
    is_there : array
        Set to 1 in the places of labels; as long as the table is wide, a power of two.
    places : array
        Of a dtype that holds all places.

    Returns
    -------
    bool
        Whether all labels are integers in the table.
    """
    cdef Py_ssize_t i = 0, j, n = labels.shape[0]
    cdef const label_t* label = &labels[0]
    cdef uint8_t* table = &is_there[0]
    cdef wide_code_t* place = &places[0]
    cdef uint64_t width = is_there.shape[0]
    cdef int64_t integer[RUN]
    cdef bint are_inside = True
    with nogil:
        while i + RUN <= n and are_inside:
            _fetch_ahead(label + i)
            if _is_run(label + i):
                are_inside = _set_place(label[i], low, width, table, place + i)
                if are_inside:
                    for j in range(i + 1, i + RUN):
                        place[j] = place[i]
            elif label_t is float or label_t is double:
                are_inside = _to_integers(label + i, integer) and not _is_any_outside(
                    <const int64_t*>integer, low, width
                )
                if are_inside:
                    _set_places(<const int64_t*>integer, low, table, place + i)
            else:
                are_inside = not _is_any_outside(label + i, low, width)
                if are_inside:
                    _set_places(label + i, low, table, place + i)
            i += RUN
        while i < n and are_inside:
            are_inside = _set_place(label[i], low, width, table, place + i)
            i += 1
    return are_inside


cdef inline uint64_t _home(int64_t label, int shift) noexcept nogil:
    # Fibonacci hashing (Knuth, The Art of Computer Programming 3, section 6.4).
    return (<uint64_t>label * <uint64_t>0x9E3779B97F4A7C15) >> shift


cdef inline uint64_t _place(
    const uint32_t* slots, uint64_t last, int shift, const int64_t* seen, int64_t label
) noexcept nogil:
    """Return the place of the slot with the number of `label`, or of the free one for it."""
    cdef uint64_t at = _home(label, shift)
    while slots[at] != 0 and seen[slots[at] - 1] != label:
        at = (at + 1) & last
    return at


def number_labels(
    const integer_t[::1] labels,
    int64_t[::1] seen,
    Py_ssize_t n_seen,
    uint32_t[::1] slots,
    wide_code_t[::1] numbers,
):
    """Number labels from 0 in the order in which they are first seen, by a hash table.

    Parameters
    ----------
    labels : array
    seen : array of int64
        Begins with the labels that have a number already; those that get one are written behind.
    n_seen : int
        How many have one already.
    slots : array of uint32
        Scratch for the hash table, which probes linearly: longer than `seen`, a power of two, at
        least 2.
    numbers : array
        The number of each label.

    Returns
    -------
    stopped, n_seen : int
        The first sample that has no number because `seen` is full, or else the number of samples;
        and the number of labels seen.
    """
    cdef Py_ssize_t i = 0, j, stop, n = labels.shape[0], room = seen.shape[0]
    cdef const integer_t* label = &labels[0]
    cdef int64_t* known = &seen[0]
    cdef uint32_t* slot = &slots[0]
    cdef wide_code_t* number = &numbers[0]
    cdef uint64_t at, last = slots.shape[0] - 1
    cdef int shift = 64
    cdef bint is_run
    while (<uint64_t>1 << (64 - shift)) <= last:
        shift -= 1
    with nogil:
        memset(slot, 0, slots.shape[0] * sizeof(uint32_t))  # free
        for i in range(n_seen):
            slot[_place(slot, last, shift, known, known[i])] = <uint32_t>(i + 1)
        i = 0
        while i < n:
            stop = min(i + RUN, n)
            _fetch_ahead(label + i)
            is_run = stop - i == RUN and _is_run(label + i)
            if is_run:
                stop = i + 1
            for j in range(i, stop):
                at = _place(slot, last, shift, known, label[j])
                if slot[at] == 0:
                    if n_seen == room:
                        n = j  # there is no more to do
                        break
                    known[n_seen] = label[j]
                    n_seen += 1
                    slot[at] = <uint32_t>n_seen
                number[j] = <wide_code_t>(slot[at] - 1)
            if is_run and n > i:
                for j in range(i + 1, i + RUN):
                    number[j] = number[i]
                stop = i + RUN
            i = stop
    return n, n_seen


def recode(const code_t[::1] codes, const new_code_t[::1] new_code, new_code_t[::1] out):
    """Set ``out[i] = new_code[codes[i]]``; `out` may be `codes` itself."""
    cdef Py_ssize_t i = 0, j, n = codes.shape[0]
    cdef const code_t* code = &codes[0]
    cdef const new_code_t* of = &new_code[0]
    cdef new_code_t* target = &out[0]
    cdef new_code_t first, second, third, fourth
    with nogil:
        while i + RUN <= n:
            _fetch_ahead(code + i)
            if _is_run(code + i):
                first = of[code[i]]
                for j in range(i, i + RUN):
                    target[j] = first
            else:
                for j in range(i, i + RUN, 4):  # first read, then written, for they may be the same
                    first = of[code[j]]
                    second = of[code[j + 1]]
                    third = of[code[j + 2]]
                    fourth = of[code[j + 3]]
                    target[j] = first
                    target[j + 1] = second
                    target[j + 2] = third
                    target[j + 3] = fourth
            i += RUN
        for i in range(i, n):
            target[i] = of[code[i]]


def count(const code_t[::1] codes, int64_t[::1] counts):
    """Add the number of samples with each code to ``counts[code]``."""
    cdef Py_ssize_t i, start = 0, n = codes.shape[0]
    cdef const code_t* code = &codes[0]
    with nogil:
        # Run by run: adding 1 to the same place again and again would wait for each store.
        for i in range(1, n):
            if code[i] != code[i - 1]:
                counts[code[start]] += i - start
                start = i
        counts[code[start]] += n - start


def sum_positions(const code_t[:, :, :] codes, int64_t[:, ::1] sums):
    """Add each voxel's indices (i, j, k) to ``sums[code]``."""
    cdef Py_ssize_t i, j, k
    cdef code_t code
    with nogil:
        for k in range(codes.shape[2]):
            for j in range(codes.shape[1]):
                for i in range(codes.shape[0]):
                    code = codes[i, j, k]
                    sums[code, 0] += i
                    sums[code, 1] += j
                    sums[code, 2] += k
