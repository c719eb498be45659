# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Rows of a file into memory, many at once.

A call per row from Python would take as long as reading it, and threads would wait for each
other in between.
"""
from libc.errno cimport EINTR, errno
from libc.stdint cimport int64_t, uint8_t, uint32_t
from posix.unistd cimport pread


# Some systems refuse to read 2 GiB or more in one go.
cdef int64_t MOST_AT_ONCE = 1 << 30


def read_rows(
    int file,
    int64_t offset,
    Py_ssize_t row_bytes,
    Py_ssize_t n_bytes,
    const uint32_t[::1] rows,
    uint8_t[::1] out,
):
    """Read some of the rows that a file consists of, or a part of each, one by one to `out`.

    Parameters
    ----------
    file : int
        Descriptor of an open file.
    offset : int
        Where what is wanted of the first row of the file begins.
    row_bytes : int
        Length of a row.
    n_bytes : int
        Length of what is wanted of each row.
    rows : array of uint32
        Whole rows next to each other are read in one go.
    out : array of uint8, shape (n_bytes * len(rows),)

    Returns
    -------
    int
        0, or the number of bytes by which the file is too short.

    Raises
    ------
    OSError
        When reading fails.
    """
    cdef Py_ssize_t k = 0, n = rows.shape[0], n_run, n_read
    cdef int64_t place, left, missing = 0
    cdef uint8_t* target = &out[0] if n else NULL
    cdef int error = 0
    with nogil:
        while k < n:
            n_run = 1
            while n_bytes == row_bytes and k + n_run < n and rows[k + n_run] == rows[k] + n_run:
                n_run += 1
            place, left = offset + rows[k] * <int64_t>row_bytes, n_run * <int64_t>n_bytes
            k += n_run
            while left > 0:
                n_read = pread(file, target, min(left, MOST_AT_ONCE), place)
                if n_read < 0 and errno == EINTR:
                    continue
                if n_read <= 0:
                    break
                target += n_read
                place += n_read
                left -= n_read
            if left > 0:
                error, missing = errno if n_read < 0 else 0, left
                break
    if error:
        raise OSError(error, "the file cannot be read")
    return missing
