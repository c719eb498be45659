# cython: language_level=3
"""Fetching memory ahead, which the processor does by itself only up to the end of a page."""

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define PREFETCH(address) __builtin_prefetch(address)
    #define PREFETCH_TO_WRITE(address) __builtin_prefetch(address, 1)
    #else
    #define PREFETCH(address) ((void)0)
    #define PREFETCH_TO_WRITE(address) ((void)0)
    #endif
    """
    void PREFETCH(const void*) noexcept nogil
    void PREFETCH_TO_WRITE(void*) noexcept nogil

cdef enum:
    CACHE_LINE = 64
