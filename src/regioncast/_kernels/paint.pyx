# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From codes to values: the look-up that painting is.

Values are moved as bit patterns, so a kernel knows item sizes and no dtypes.
"""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

ctypedef fused code_t:
    uint8_t
    uint16_t
    uint32_t

ctypedef fused item_t:
    uint8_t
    uint16_t
    uint32_t
    uint64_t
    double complex


def paint_maps(const code_t[::1] codes, const item_t[:, ::1] table, item_t[:, ::1] out):
    """Set ``out[t, i] = table[t, codes[i]]``: samples vary fastest in memory."""
    cdef Py_ssize_t t, i, n = codes.shape[0]
    cdef const code_t* code = &codes[0]
    cdef const item_t* value
    cdef item_t* target
    with nogil:
        for t in range(table.shape[0]):
            value = &table[t, 0]
            target = &out[t, 0]
            for i in range(n):
                target[i] = value[code[i]]


def paint_series(const code_t[::1] codes, const uint8_t[:, ::1] table, uint8_t[:, ::1] out):
    """Set ``out[i] = table[codes[i]]``, rows of bytes: maps vary fastest in memory."""
    cdef Py_ssize_t i, n_bytes = table.shape[1]
    with nogil:
        for i in range(codes.shape[0]):
            memcpy(&out[i, 0], &table[codes[i], 0], n_bytes)
