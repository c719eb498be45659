# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Parts of a file into memory, many at once.

A call per part from Python would take as long as reading it, and threads would wait for each
other in between.
"""
from libc.errno cimport EINTR, errno
from libc.stdint cimport int64_t, uint8_t
from posix.unistd cimport pread


def read_runs(
    int file, const int64_t[::1] offsets, const int64_t[::1] starts, uint8_t[::1] out
):
    """Read run ``k`` to ``out[starts[k]:starts[k + 1]]``.

    Parameters
    ----------
    file : int
        Descriptor of an open file.
    offsets : array of int64, shape (n_runs,)
        Where each begins in the file.
    starts : array of int64, shape (n_runs + 1,)
    out : array of uint8

    Returns
    -------
    int
        0, or the number of bytes that a run is longer than the file.

    Raises
    ------
    OSError
        When reading fails.
    """
    cdef Py_ssize_t k, n_read
    cdef int64_t start, offset, missing = 0
    cdef int error = 0
    with nogil:
        for k in range(offsets.shape[0]):
            start, offset = starts[k], offsets[k]
            while start < starts[k + 1]:
                n_read = pread(file, &out[start], starts[k + 1] - start, offset)
                if n_read < 0:
                    if errno == EINTR:
                        continue
                    error = errno
                    break
                if n_read == 0:
                    missing = starts[k + 1] - start
                    break
                start += n_read
                offset += n_read
            if error or missing:
                break
    if error:
        raise OSError(error, "the file cannot be read")
    return missing
