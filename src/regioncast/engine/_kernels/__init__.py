"""Compiled loops over plain arrays.

A kernel takes contiguous one- or two-dimensional arrays in native byte order, checks
nothing, releases the GIL and allocates nothing large.  Each has a NumPy twin in
:mod:`regioncast.testing`, against which property tests hold it.
"""
