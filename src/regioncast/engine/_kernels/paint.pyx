# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From codes to values: the look-up that painting is.

Values are moved as bit patterns, so a kernel knows item sizes and no dtypes.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from .codes cimport code_t
from .places cimport is_repeated, place_of
from .prefetch cimport BYTES_AHEAD, CACHE_LINE, PREFETCH_TO_WRITE

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
    const code_t[::1] codes, const uint8_t[:, ::1] table, uint8_t[:, ::1] out, bint skip_zero
):
    """Set ``out[i] = table[codes[i]]``, rows of bytes: maps vary fastest in memory.

    With `skip_zero`, `out` holds ``table[0]`` already, and samples of code 0 are not touched.
    """
    cdef Py_ssize_t i, n_bytes = table.shape[1]
    with nogil:
        for i in range(codes.shape[0]):
            if codes[i] != 0 or not skip_zero:
                memcpy(&out[i, 0], &table[codes[i], 0], n_bytes)


def take_columns(const uint32_t[::1] columns, const item_t[:, :] values, item_t[:, :] out):
    """Set ``out[t, i] = values[t, columns[i] - 1]``, and to zero where the column is 0.

    Items of a row lie next to each other in `values` and `out`; rows may lie apart.
    """
    cdef Py_ssize_t t, i
    cdef const item_t* value
    cdef item_t* target
    with nogil:
        for t in range(values.shape[0]):
            value = &values[t, 0]
            target = &out[t, 0]
            for i in range(columns.shape[0]):
                target[i] = value[columns[i] - 1] if columns[i] else 0


# How many places ahead memory is fetched, to cover the time that takes.
cdef enum:
    AHEAD = 16


def put_columns(
    const uint32_t[::1] places, Py_ssize_t before, const item_t[:, :] values, item_t[:, :] out
):
    """Set columns of `out` to those of `values` from number `before` on, in an order of places.

    A place that is like the one before gets the same column.  Items of a row lie next to each
    other in `values` and `out`; rows may lie apart.
    """
    cdef Py_ssize_t t, i, column, n = places.shape[0]
    cdef const item_t* value
    cdef item_t* target
    with nogil:
        for t in range(values.shape[0]):
            value = &values[t, 0]
            target = &out[t, 0]
            column = before - 1
            for i in range(n):
                if i + AHEAD < n:
                    PREFETCH_TO_WRITE(target + place_of(places[i + AHEAD]))
                column += not is_repeated(places[i])
                target[place_of(places[i])] = value[column]
