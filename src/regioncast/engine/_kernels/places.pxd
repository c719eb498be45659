# cython: language_level=3
"""Entries of an order of places: a place, and whether it is like the one before."""
from libc.stdint cimport uint32_t


cdef inline uint32_t place_of(uint32_t entry) noexcept nogil:
    return entry & <uint32_t>0x7FFFFFFF


cdef inline bint is_repeated(uint32_t entry) noexcept nogil:
    return entry >> 31


cdef inline uint32_t repeated(uint32_t place) noexcept nogil:
    return place | <uint32_t>0x80000000
