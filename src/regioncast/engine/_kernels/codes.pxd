# cython: language_level=3
"""The dtypes of codes."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t

ctypedef fused code_t:
    uint8_t
    uint16_t
    uint32_t
