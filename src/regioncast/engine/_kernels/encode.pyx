# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From labels to codes.

A *label* is the number that a labels image holds at a sample; a *code* is 0 where there is
no region and ``k`` where the region is number ``k`` (from 1) of a table.
"""
from libc.math cimport fabs, isfinite, rint
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)
from libc.string cimport memcmp, memcpy, memset

from .codes cimport code_t
from .places cimport repeated
from .prefetch cimport BYTES_AHEAD, CACHE_LINE, PREFETCH

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

ctypedef fused rounded_t:
    int32_t
    int64_t

ctypedef fused wide_code_t:
    uint16_t
    uint32_t

ctypedef fused new_code_t:
    uint8_t
    uint16_t
    uint32_t


def round_labels(const real_t[::1] values, double tolerance, double limit, int64_t hole, rounded_t[::1] out):
    """Round each value to its integer in `out`; `hole` where it is not finite.

    Returns
    -------
    n_holes, n_fractional : int
        How many values are not finite; how many are further than `tolerance` from an
        integer or beyond `limit` in magnitude (their entry in `out` means nothing).
    """
    cdef Py_ssize_t i, n_holes = 0, n_fractional = 0
    cdef double value, nearest
    with nogil:
        for i in range(values.shape[0]):
            value = values[i]
            if not isfinite(value):
                n_holes += 1
                out[i] = <rounded_t>hole
                continue
            nearest = rint(value)
            if fabs(value - nearest) > tolerance or fabs(nearest) > limit:
                n_fractional += 1
                out[i] = <rounded_t>hole
                continue
            out[i] = <rounded_t>nearest
    return n_holes, n_fractional


cdef inline void _fetch_ahead(const integer_t* label, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(<Py_ssize_t>(n * sizeof(integer_t)) // CACHE_LINE):
        PREFETCH(<const char*>label + BYTES_AHEAD + j * CACHE_LINE)


# Labels looked up at once, in loops without branches, which the compiler turns into vector
# instructions, except the look-up itself.
cdef enum:
    RUN = 64


cdef inline bint _may_be_outside(const integer_t* label, int64_t low, uint64_t size) noexcept nogil:
    """Return whether some label of a run may be outside the table, for sure where one is."""
    cdef Py_ssize_t j
    cdef uint32_t places = 0
    cdef uint64_t wide_places = 0
    # As unsigned numbers, labels below `low` are beyond the end; any bit that one of them has
    # beyond those of `size - 1` is still there when they are all joined.
    if sizeof(integer_t) == 8:
        for j in range(RUN):
            wide_places |= <uint64_t>label[j] - <uint64_t>low
        return wide_places >= size
    for j in range(RUN):
        places |= <uint32_t>label[j] - <uint32_t>low
    return places >= size


cdef inline bint _look_up(
    const integer_t* label, int64_t low, const code_t* code_of, code_t* code
) noexcept nogil:
    """Set the codes of a run, all in the table; return whether a label has none yet."""
    cdef Py_ssize_t j
    cdef code_t unknown = 0
    for j in range(0, RUN, 4):  # four at once, which the compiler does not do by itself
        code[j] = code_of[<int64_t>label[j] - low]
        code[j + 1] = code_of[<int64_t>label[j + 1] - low]
        code[j + 2] = code_of[<int64_t>label[j + 2] - low]
        code[j + 3] = code_of[<int64_t>label[j + 3] - low]
    for j in range(RUN):
        unknown |= code[j] == <code_t>-1
    return unknown != 0


def number_labels(
    const integer_t[::1] labels,
    int64_t low,
    code_t[::1] code_of,
    code_t[::1] codes,
    int64_t[::1] first_seen,
):
    """Number labels from 1 in the order in which they are first seen, by a table.

    Parameters
    ----------
    labels : array
    low : int
        The label that the table begins with.  Labels of up to 32 bits are at most ``2**31`` below
        and less than ``2**32`` above it.
    code_of : array
        The code of each label; its dtype's largest value where a label has none yet.
    codes : array
        Filled with ``code_of[labels[i] - low]``.
    first_seen : array of int64
        Label number ``k`` is written to ``first_seen[k - 1]``.

    Returns
    -------
    stopped, n_seen : int
        The first sample that is not encoded, short of the end when its label is outside the
        table or `first_seen` is full, and the number of labels seen.
    """
    cdef Py_ssize_t i = 0, stop, n = labels.shape[0], n_seen = 0, room = first_seen.shape[0]
    cdef uint64_t place, size = code_of.shape[0]
    cdef const integer_t* label = &labels[0]
    cdef code_t* of = &code_of[0]
    cdef code_t* code = &codes[0]
    cdef code_t one, none = <code_t>-1
    with nogil:
        while i < n:
            stop = min(i + RUN, n)
            if stop - i == RUN and not _may_be_outside(label + i, low, size):
                _fetch_ahead(label + i, RUN)
                if not _look_up(label + i, low, of, code + i):
                    i = stop
                    continue
            for i in range(i, stop):
                place = <uint64_t><int64_t>label[i] - <uint64_t>low
                if place >= size:
                    n = i
                    break
                one = of[place]
                if one == none:
                    if n_seen == room:
                        n = i
                        break
                    first_seen[n_seen] = label[i]
                    n_seen += 1
                    one = <code_t>n_seen
                    of[place] = one
                code[i] = one
            else:
                i = stop
    return n, n_seen


cdef inline uint64_t _home(int64_t label, int shift) noexcept nogil:
    # Fibonacci hashing (Knuth, The Art of Computer Programming 3, section 6.4).
    return (<uint64_t>label * <uint64_t>0x9E3779B97F4A7C15) >> shift


cdef int _shift(Py_ssize_t n_slots) noexcept nogil:
    cdef int bits = 0
    while (<Py_ssize_t>1 << bits) < n_slots:
        bits += 1
    return 64 - bits


# Voxels compared at once with those one row or one slab before: at most so many, and as many as
# are in a row; where these are fewer than the least, as many as are in a slab.
cdef enum:
    CHUNK = 128
    LEAST = 16


cdef inline uint64_t _place(
    const wide_code_t* slots, uint64_t last, int shift, const int64_t* seen, int64_t label
) noexcept nogil:
    """Return the place of the slot with the number of `label`, or of the free one for it."""
    cdef uint64_t at = _home(label, shift)
    while slots[at] != 0 and seen[slots[at] - 1] != label:
        at = (at + 1) & last
    return at


cdef inline bint _is_one_of(int64_t label, const int64_t* labels, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if label == labels[i]:
            return True
    return False


cdef inline Py_ssize_t _same_before(
    const integer_t* label, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t row, Py_ssize_t slab
) noexcept nogil:
    """Return how far before a stretch the same labels are, one row or one slab; 0 if at neither."""
    cdef size_t n_bytes = (stop - start) * sizeof(integer_t)
    if start >= row and memcmp(label + start, label + start - row, n_bytes) == 0:
        return row
    if start >= slab and memcmp(label + start, label + start - slab, n_bytes) == 0:
        return slab
    return 0


cdef inline Py_ssize_t _hash_stretch(
    const integer_t* label,
    Py_ssize_t start,
    Py_ssize_t stop,
    const int64_t* none,
    Py_ssize_t n_none,
    wide_code_t* slot,
    uint64_t last,
    int shift,
    int64_t* seen,
    Py_ssize_t room,
    Py_ssize_t n_seen,
    wide_code_t* code,
) noexcept nogil:
    """Number the labels of a stretch; return how many are seen then, -1 if there is no room."""
    cdef Py_ssize_t i
    cdef uint64_t at
    cdef wide_code_t one = 0
    for i in range(start, stop):
        if i > start and label[i] == label[i - 1]:
            code[i] = one
            continue
        if _is_one_of(label[i], none, n_none):
            code[i] = one = 0
            continue
        at = _place(slot, last, shift, seen, label[i])
        if slot[at] == 0:
            if n_seen == room:
                return -1
            seen[n_seen] = label[i]
            n_seen += 1
            slot[at] = <wide_code_t>n_seen
        code[i] = one = slot[at]
    return n_seen


def hash_labels(
    const integer_t[::1] labels,
    Py_ssize_t row,
    Py_ssize_t slab,
    const int64_t[::1] none,
    wide_code_t[::1] slots,
    int64_t[::1] first_seen,
    wide_code_t[::1] codes,
):
    """Number labels from 1 in the order in which they are first seen, whatever they are.

    Stretches that are the same as one `row` or one `slab` before are copied; a hash table with
    linear probing knows the others.

    Parameters
    ----------
    labels : array
    row, slab : int
        Distances, in samples, to the neighbours on the second and third axis.
    none : array of int64
        The labels of no region, few; their number is 0.
    slots : array
        Scratch for the hash table, longer than `first_seen`: a power of two, at least 2.
    first_seen : array of int64, no longer than the dtype of `codes` has numbers
        Label number ``k`` is written to ``first_seen[k - 1]``.
    codes : array
        The number of each label.

    Returns
    -------
    n_seen : int
        How many labels there are, -1 where they are more than `first_seen` has places.
    """
    cdef Py_ssize_t i = 0, stop, back, n = labels.shape[0]
    cdef Py_ssize_t n_seen = 0, room = first_seen.shape[0]
    if row < LEAST:
        row = slab = slab if slab >= LEAST else n
    cdef Py_ssize_t row_stop = min(row, n)
    cdef const integer_t* label = &labels[0]
    cdef const int64_t* no_region = &none[0] if none.shape[0] else NULL
    cdef wide_code_t* code = &codes[0]
    cdef int64_t* seen = &first_seen[0] if room else NULL
    cdef wide_code_t* slot = &slots[0]
    cdef uint64_t last = slots.shape[0] - 1
    cdef int shift = _shift(slots.shape[0])
    with nogil:
        memset(slot, 0, slots.shape[0] * sizeof(wide_code_t))  # free
        while i < n and n_seen >= 0:
            stop = min(i + CHUNK, row_stop)
            _fetch_ahead(label + i, stop - i)
            back = _same_before(label, i, stop, row, slab)
            if back:
                memcpy(code + i, code + i - back, (stop - i) * sizeof(wide_code_t))
            else:
                n_seen = _hash_stretch(
                    label, i, stop, no_region, none.shape[0],
                    slot, last, shift, seen, room, n_seen, code,
                )
            i = stop
            if i == row_stop:
                row_stop = min(i + row, n)
    return n_seen


def limits(const int64_t[::1] labels):
    """Return the lowest and the highest label."""
    cdef Py_ssize_t i
    cdef int64_t low = labels[0], high = labels[0]
    with nogil:
        for i in range(labels.shape[0]):
            low = min(low, labels[i])
            high = max(high, labels[i])
    return low, high


def pack(
    const int64_t[::1] labels, Py_ssize_t first, int64_t low, int excess, int bits, uint64_t[::1] out
):
    """Pack each label above `low`, without its `excess` last bits, with its place below.

    Parameters
    ----------
    labels : array of int64
    first : int
        The place of the first of them.
    low : int
        The lowest label, or less.
    excess : int
        How many of the last bits of a label are left out.
    bits : int
        How many bits the place takes.
    out : array of uint64
    """
    cdef Py_ssize_t i
    cdef uint64_t above
    with nogil:
        for i in range(labels.shape[0]):
            above = (<uint64_t>labels[i] - <uint64_t>low) >> excess
            out[i] = above << bits | <uint64_t>(first + i)


def merge(
    const uint64_t[::1] some,
    const uint64_t[::1] others,
    uint64_t last,
    int bits,
    const int64_t[::1] labels,
    uint32_t[::1] places,
):
    """Return the order of the places of labels that are packed and sorted in two runs.

    Parameters
    ----------
    some, others : array of uint64
        The runs, or parts of them: what `pack` made of `labels`, ascending.
    last : int
        The highest of what is below them, or, where that is nothing, any with other leading bits.
    bits : int
        How many bits of them the place takes; no place has all of these set.
    labels : array of int64
        Of all places.
    places : array of uint32, as long as `some` and `others`
        Filled with the places in ascending order of labels, those marked that have the label of
        the place before.

    Returns
    -------
    n_distinct : int
        How many places are not marked; -1 where different labels share their leading bits, so that
        their order is not known.
    """
    cdef Py_ssize_t i = 0, j = 0, k, n = some.shape[0], m = others.shape[0], n_distinct = 0
    cdef uint64_t one, other, packed, place, mask = (<uint64_t>1 << bits) - 1
    cdef bint is_one, is_repeated
    with nogil:
        for k in range(n + m):
            one = some[i] if i < n else <uint64_t>-1  # which no place has all bits of
            other = others[j] if j < m else <uint64_t>-1
            is_one = one < other
            packed = one if is_one else other
            i += is_one
            j += not is_one
            place = packed & mask
            is_repeated = packed >> bits == last >> bits
            if is_repeated and labels[place] != labels[last & mask]:
                n_distinct = -1
                break
            places[k] = repeated(<uint32_t>place) if is_repeated else <uint32_t>place
            n_distinct += not is_repeated
            last = packed
    return n_distinct


# Labels of a table that are counted together: numbers among so few fit in a byte, so the table of
# a million labels fits in the cache.
cdef enum:
    BLOCK = 256


cdef inline void _number_block(uint8_t* table, Py_ssize_t n, uint32_t* before) noexcept nogil:
    """Put for each label of a block, in place of 1 or 0, how many are before it; go on counting."""
    cdef Py_ssize_t i
    cdef uint8_t is_there
    cdef uint32_t within = 0
    for i in range(n):
        is_there = table[i]
        table[i] = <uint8_t>within
        within += is_there
    before[1] = before[0] + within


def rank_by_table(
    const int64_t[::1] labels,
    int64_t low,
    uint8_t[::1] table,
    uint32_t[::1] before,
    uint32_t[::1] ranks,
):
    """Rank labels by a table of all that they may be.

    Parameters
    ----------
    labels : array of int64
    low : int
        The label that the table begins with.
    table : array of uint8
        Zeros.
    before : array of uint32
        Scratch: one for each block of 256 in the table, the last one too, and one more.
    ranks : array of uint32
        Filled with the number, from 1, of each label among the distinct ones.

    Returns
    -------
    n_distinct : int
    """
    cdef Py_ssize_t i, k, n = labels.shape[0], size = table.shape[0]
    cdef Py_ssize_t n_blocks = (size + BLOCK - 1) // BLOCK
    cdef uint64_t place
    with nogil:
        for i in range(n):
            table[<uint64_t>labels[i] - <uint64_t>low] = 1
        before[0] = 0
        for k in range(n_blocks):
            _number_block(&table[k * BLOCK], min(size - k * BLOCK, BLOCK), &before[k])
        for i in range(n):
            place = <uint64_t>labels[i] - <uint64_t>low
            ranks[i] = before[place // BLOCK] + table[place] + 1
    return before[n_blocks]


def recode(const code_t[::1] codes, const new_code_t[::1] new_code, new_code_t[::1] out):
    """Set ``out[i] = new_code[codes[i]]``; `out` may be `codes` itself."""
    cdef Py_ssize_t i, n = codes.shape[0]
    cdef const code_t* code = &codes[0]
    cdef const new_code_t* of = &new_code[0]
    cdef new_code_t* target = &out[0]
    with nogil:
        for i in range(n):
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
