# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From codes to values: the look-up that painting is.

Values are moved as bit patterns, so a kernel knows item sizes and no dtypes.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from .codes cimport code_t
from .prefetch cimport CACHE_LINE, PREFETCH_TO_WRITE

# How far ahead memory is fetched, which pays where it is gone through in order.
cdef enum:
    BYTES_AHEAD = 2048


ctypedef fused item_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t
    double complex


# Codes mostly come in runs, above all outside the brain, so loops look at a block of them
# first: the compiler turns the test for a block of one code into a few vector instructions.
cdef enum:
    BLOCK = 16


cdef inline bint _is_uniform(const code_t* codes) noexcept nogil:
    cdef Py_ssize_t j
    cdef code_t difference = 0
    for j in range(BLOCK):
        difference |= codes[j] ^ codes[0]
    return difference == 0


cdef inline void _fetch_ahead(item_t* target) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(<Py_ssize_t>(BLOCK * sizeof(item_t)) // CACHE_LINE):
        PREFETCH_TO_WRITE(<char*>target + BYTES_AHEAD + j * CACHE_LINE)


def paint_maps(
    const code_t[::1] codes, const item_t[:, :] table, item_t[:, :] out, bint skip_zero
):
    """Set ``out[t, i] = table[t, codes[i]]``: samples vary fastest in memory.

    Items of a row lie next to each other in `table` and `out`; rows may lie apart.  With
    `skip_zero`, `out` holds ``table[t, 0]`` already, and blocks of that value are not touched.
    """
    cdef Py_ssize_t t, i, j, n = codes.shape[0]
    cdef const code_t* code = &codes[0]
    cdef const item_t* value
    cdef item_t* target
    cdef item_t one
    with nogil:
        for t in range(table.shape[0]):
            value = &table[t, 0]
            target = &out[t, 0]
            i = 0
            while i + BLOCK <= n:
                if not skip_zero:
                    _fetch_ahead(target + i)
                if not _is_uniform(code + i):
                    for j in range(BLOCK):
                        target[i + j] = value[code[i + j]]
                elif not skip_zero or memcmp(&value[code[i]], value, sizeof(item_t)) != 0:
                    one = value[code[i]]
                    for j in range(BLOCK):
                        target[i + j] = one
                i += BLOCK
            for i in range(i, n):
                target[i] = value[code[i]]


def paint_series(
    const code_t[::1] codes, const uint8_t[:, ::1] table, uint8_t[:, :] out, bint skip_zero
):
    """Set ``out[i] = table[codes[i]]``, rows of bytes: maps vary fastest in memory.

    Bytes of a row lie next to each other in `out`; rows may lie apart, for other maps.  With `skip_zero`, `out` holds ``table[0]`` already, and samples of code 0 are not touched.
    """
    cdef Py_ssize_t i, n_bytes = table.shape[1]
    with nogil:
        for i in range(codes.shape[0]):
            if codes[i] != 0 or not skip_zero:
                memcpy(&out[i, 0], &table[codes[i], 0], n_bytes)
