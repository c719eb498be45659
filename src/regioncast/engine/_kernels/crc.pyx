# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The CRC-32 of painted maps, from their values.

A CRC is a remainder of polynomials over GF(2), so it is linear: the CRC of a map is the sum over
the codes of value times *weight*, where the weight of a code is the sum of the powers of x that
stand for its places.  A polynomial is 32 bits with that of x^0 first (0x80000000), as in zlib.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from .codes cimport code_t

# The polynomial of gzip's CRC-32 (RFC 1952, section 8) without its highest power.
cdef enum:
    POLYNOMIAL = 0xEDB88320

cdef enum:
    ONE = 0x80000000

# Powers are multiplied one after the other, so several shares of the samples take turns and no
# multiplication waits for the last one.
cdef enum:
    SHARES = 4


cdef inline uint32_t _times_x(uint32_t a) noexcept nogil:
    return (a >> 1) ^ (<uint32_t>POLYNOMIAL & -(a & 1))


cdef uint32_t _times(uint32_t a, uint32_t b) noexcept nogil:
    cdef uint32_t product = 0
    while a:
        if a & <uint32_t>ONE:
            product ^= b
        a <<= 1
        b = _times_x(b)
    return product


cdef uint32_t _power(uint64_t exponent) noexcept nogil:
    """Return x to a power, by squaring."""
    cdef uint32_t result = <uint32_t>ONE, square = <uint32_t>ONE >> 1
    while exponent:
        if exponent & 1:
            result = _times(result, square)
        square = _times(square, square)
        exponent >>= 1
    return result


def combine(uint32_t first, uint32_t second, uint64_t n_bytes):
    """Return the CRC of two pieces one after the other; `n_bytes` is the length of the second."""
    return _times(first, _power(8 * n_bytes)) ^ second


def add_weights(const code_t[::1] codes, int64_t item_size, uint32_t[:, ::1] weights):
    """Add to ``weights[:, code]`` the powers of x for the places of a code: 0 bits for the last.

    `weights` has four rows, the sum of which is meant.
    """
    cdef Py_ssize_t i, j, share = codes.shape[0] // SHARES, rest = codes.shape[0] - SHARES * share
    cdef const code_t* code = &codes[0]
    cdef uint32_t[4][256] times_step  # the product of each byte of a power with that of a step
    cdef uint32_t[SHARES] power
    cdef uint32_t step = _power(8 * item_size)
    with nogil:
        for j in range(4):
            for i in range(256):
                times_step[j][i] = _times(<uint32_t>i << 8 * j, step)
        for j in range(SHARES):
            power[j] = _power(8 * item_size * share * <uint64_t>(SHARES - 1 - j))
        for i in range(share - 1, -1, -1):
            for j in range(SHARES):
                weights[j, code[rest + j * share + i]] ^= power[j]
                power[j] = _next(power[j], times_step)
        for i in range(rest - 1, -1, -1):
            weights[0, code[i]] ^= power[0]
            power[0] = _next(power[0], times_step)


cdef inline uint32_t _next(uint32_t power, uint32_t[256]* times_step) noexcept nogil:
    return (
        times_step[0][power & 0xFF] ^ times_step[1][power >> 8 & 0xFF]
        ^ times_step[2][power >> 16 & 0xFF] ^ times_step[3][power >> 24]
    )


def spread(const uint32_t[::1] weights, Py_ssize_t item_size, uint32_t[:, ::1] out):
    """Set `out` to what each bit of each value adds to the CRC, one row per 32 bits of a value.

    A value of one or two bytes has a row as well; what its other bits add is 0.
    """
    cdef Py_ssize_t k, row, bit, n_rows = max(1, item_size // 4), n_bits = 8 * min(4, item_size)
    cdef uint32_t term, shift = _power(32)
    with nogil:
        for k in range(weights.shape[0]):
            term = _times(weights[k], shift)
            for row in range((k + 1) * n_rows - 1, k * n_rows - 1, -1):
                for bit in range(31, -1, -1):
                    out[row, bit] = term if bit < n_bits else 0
                    if bit < n_bits:
                        term = _times_x(term)


def of_maps(const uint32_t[:, ::1] values, const uint32_t[:, ::1] terms, uint64_t n_bytes):
    """Return the CRC of maps one after the other.

    Parameters
    ----------
    values : array of uint32, shape (n_maps, n)
        The values, cut into 32 bits, the first byte lowest.
    terms : array of uint32, shape (n, 32)
        As `spread` makes them.
    n_bytes : int
        The length of a map.
    """
    cdef Py_ssize_t t, i, bit
    cdef uint32_t[32] one, sums
    cdef const uint32_t* term
    cdef uint32_t value, crc = 0xFFFFFFFF, shift = _power(8 * n_bytes)
    with nogil:
        for bit in range(32):
            one[bit] = <uint32_t>1 << bit
        for t in range(values.shape[0]):
            for bit in range(32):
                sums[bit] = 0
            for i in range(values.shape[1]):
                value, term = values[t, i], &terms[i, 0]
                # All bits without a branch, in a form that becomes vector instructions.
                for bit in range(32):
                    sums[bit] ^= term[bit] & -<uint32_t>((value & one[bit]) != 0)
            crc = _times(crc, shift)
            for bit in range(32):
                crc ^= sums[bit]
    return crc ^ <uint32_t>0xFFFFFFFF
