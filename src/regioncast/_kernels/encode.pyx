# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From labels to codes.

A *label* is the number that a labels image holds at a sample; a *code* is 0 where there is
no region and ``k`` where the region is number ``k`` (from 1) of a table.
"""
from libc.math cimport fabs, isfinite, rint
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)
from libc.string cimport memcmp

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define PREFETCH(address) __builtin_prefetch(address)
    #else
    #define PREFETCH(address) ((void)0)
    #endif
    """
    void PREFETCH(const void*) noexcept nogil

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

ctypedef fused code_t:
    uint8_t
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


def mark_present(const integer_t[::1] labels, int64_t low, uint8_t[::1] present):
    """Set ``present[label - low]`` to 1 for every label."""
    cdef Py_ssize_t i
    cdef integer_t label, last = labels[0]
    with nogil:
        present[<int64_t>last - low] = 1
        for i in range(labels.shape[0]):
            label = labels[i]
            if label != last:
                present[<int64_t>label - low] = 1
                last = label


def look_up(const integer_t[::1] labels, int64_t low, const code_t[::1] code_of, code_t[::1] codes):
    """Set ``codes[i] = code_of[labels[i] - low]``."""
    cdef Py_ssize_t i, n = labels.shape[0]
    cdef const integer_t* label = &labels[0]
    cdef const code_t* of = &code_of[0]
    cdef code_t* code = &codes[0]
    with nogil:
        for i in range(n):
            code[i] = of[<int64_t>label[i] - low]


# One entry of the hash table: a label and its code, side by side in one cache line.
cdef struct Slot:
    int64_t label
    int64_t code


cdef inline uint64_t _home(int64_t label, int shift) noexcept nogil:
    # Fibonacci hashing (Knuth, The Art of Computer Programming 3, section 6.4).
    return (<uint64_t>label * <uint64_t>0x9E3779B97F4A7C15) >> shift


cdef inline Slot* _find(Slot* slots, uint64_t last, int shift, int64_t label) noexcept nogil:
    """Return the entry of `label`, or the free one (code 0) where it belongs."""
    cdef uint64_t at = _home(label, shift)
    while slots[at].code != 0 and slots[at].label != label:
        at = (at + 1) & last
    return &slots[at]


cdef int _shift(Py_ssize_t n_slots) noexcept nogil:
    cdef int bits = 0
    while (<Py_ssize_t>1 << bits) < n_slots:
        bits += 1
    return 64 - bits


# Voxels compared at once with those one row or one slab before; 32 labels of 8 bytes are
# four cache lines.
cdef enum:
    CHUNK = 32

# How many labels ahead their slots are fetched, to cover the time memory takes.
cdef enum:
    AHEAD = 16


def hash_labels(
    const integer_t[::1] labels,
    Py_ssize_t start,
    Py_ssize_t row,
    Py_ssize_t slab,
    uint32_t[::1] codes,
    int64_t[:, ::1] table,
    int64_t[::1] first_seen,
    Py_ssize_t n_seen,
):
    """Number labels from 1 in the order in which they are first seen.

    Neighbouring voxels mostly share their label, so the voxels before, one `row` before and
    one `slab` before are asked first; then a hash table with linear probing.

    Parameters
    ----------
    labels : array
    start : int
        The sample to begin with: 0, or what the last call returned.
    row, slab : int
        Distances, in samples, to the neighbours on the second and third axis.
    codes : array of uint32
        Filled from `start` on.
    table : array of int64, shape (n_slots, 2)
        The hash table, (label, code) per slot, code 0 where free; `n_slots` is a power of two.
    first_seen : array of int64
        Label number ``k`` is written to ``first_seen[k - 1]``.
    n_seen : int
        How many labels are in the table.

    Returns
    -------
    stopped, n_seen : int
        The first sample that is not encoded, short of the end when the table is half full,
        and the new `n_seen`.
    """
    cdef Py_ssize_t i = start, j, n = labels.shape[0], stop, room = table.shape[0] // 2
    cdef const integer_t* label = &labels[0]
    cdef uint32_t* code = &codes[0]
    cdef Slot* slots = <Slot*>&table[0, 0]
    cdef Slot* slot
    cdef uint64_t last = table.shape[0] - 1
    cdef int shift = _shift(table.shape[0])
    cdef bint full = False
    with nogil:
        while i < n and not full:
            stop = min(i + CHUNK, n)
            if i >= row and memcmp(label + i, label + i - row, (stop - i) * sizeof(integer_t)) == 0:
                for i in range(i, stop):
                    code[i] = code[i - row]
                i = stop
                continue
            if i >= slab and memcmp(label + i, label + i - slab, (stop - i) * sizeof(integer_t)) == 0:
                for i in range(i, stop):
                    code[i] = code[i - slab]
                i = stop
                continue
            for j in range(max(i, slab), stop):
                if label[j] != label[j - 1] and label[j] != label[j - row] and label[j] != label[j - slab]:
                    PREFETCH(&slots[_home(label[j], shift)])
            while i < stop:
                if i > 0 and label[i] == label[i - 1]:
                    code[i] = code[i - 1]
                elif i >= row and label[i] == label[i - row]:
                    code[i] = code[i - row]
                elif i >= slab and label[i] == label[i - slab]:
                    code[i] = code[i - slab]
                else:
                    slot = _find(slots, last, shift, label[i])
                    if slot.code == 0:
                        if n_seen == room:
                            full = True
                            break
                        first_seen[n_seen] = label[i]
                        n_seen += 1
                        slot.label = label[i]
                        slot.code = n_seen
                    code[i] = <uint32_t>slot.code
                i += 1
    return i, n_seen


def fill_table(const int64_t[::1] first_seen, int64_t[:, ::1] table):
    """Put the labels of `first_seen`, numbered from 1, into an empty hash table."""
    cdef Py_ssize_t k, n = first_seen.shape[0]
    cdef Slot* slots = <Slot*>&table[0, 0]
    cdef Slot* slot
    cdef uint64_t last = table.shape[0] - 1
    cdef int shift = _shift(table.shape[0])
    with nogil:
        for k in range(n):
            if k + AHEAD < n:
                PREFETCH(&slots[_home(first_seen[k + AHEAD], shift)])
            slot = _find(slots, last, shift, first_seen[k])
            slot.label = first_seen[k]
            slot.code = k + 1


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
