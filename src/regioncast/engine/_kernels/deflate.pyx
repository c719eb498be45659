# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""From codes to the deflate stream of any map painted from them.

*Tokens* stand for codes as LZ77 has it (RFC 1951): a token is a pair ``(distance, length)``, which
repeats the `length` samples that begin `distance` samples before, or ``(0, code)``, a *literal*,
which is one sample.  A token is the same for every map, whatever the values; between two
literals, so are the bits.  A *word* here is 64 bits; bits fill words from the least significant on.

A string of at most 56 bits is one number with its length in the highest byte.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from .codes cimport code_t


# The longest match of deflate and the shortest one, in bytes (RFC 1951, section 3.2.5).
cdef enum:
    LONGEST = 258
    SHORTEST = 3

# A token's length has 32 bits.
cdef enum:
    MOST_SAMPLES = 0x40000000

# Two literals of four bytes, at most 15 bits each, are the most that fits a word.
cdef enum:
    BYTES_PER_WORD = 4

# Words between literals are copied by so many at once: more than most literals have after them,
# and cheaper than to mispredict how many there are.
cdef enum:
    CHUNK = 8

cdef extern from *:
    """
    #define TRAILING_ZEROS(number) __builtin_ctzll(number)
    """
    int TRAILING_ZEROS(uint64_t) noexcept nogil


cdef inline Py_ssize_t _n_same(const code_t* a, const code_t* b, Py_ssize_t n) noexcept nogil:
    """Return how many of the first `n` samples are the same, comparing eight bytes at once."""
    cdef Py_ssize_t i = 0, step = 8 // sizeof(code_t)
    cdef uint64_t of_a, of_b
    while i + step <= n:
        memcpy(&of_a, a + i, 8)
        memcpy(&of_b, b + i, 8)
        if of_a != of_b:
            return i + TRAILING_ZEROS(of_a ^ of_b) // (8 * sizeof(code_t))
        i += step
    while i < n and a[i] == b[i]:
        i += 1
    return i


def parse(
    const code_t[::1] codes,
    const int64_t[::1] distances,
    int64_t window,
    Py_ssize_t shortest,
    double match_cost,
    double literal_cost,
    double budget,
    int64_t[::1] last,
    uint32_t[:, ::1] tokens,
):
    """Parse codes into tokens, greedily: at every place the longest match is taken.

    Parameters
    ----------
    codes : array
    distances : array of int64
        Where to look for a match, in samples; of equally long ones the first is taken.
    window : int
        How far back a match may begin, in samples; beside `distances`, the last place with the
        same code is tried.
    shortest : int
        The shortest match, in samples.
    match_cost, literal_cost, budget : float
        What tokens cost, and how much they may cost in all.
    last : array of int64
        Scratch, one per code: the last place with the code, before -`window` at the start.
    tokens : array of uint32, shape (n, 2)

    Returns
    -------
    n_parsed, n_tokens : int
        `n_parsed` is short of the end when `tokens` is full or the budget is spent.
    """
    cdef Py_ssize_t i = 0, j, k, n = codes.shape[0], n_tokens = 0, room = tokens.shape[0]
    cdef Py_ssize_t length, best, most
    cdef int64_t distance, found
    cdef double spent = 0
    cdef const code_t* code = &codes[0]
    with nogil:
        while i < n and n_tokens < room and spent <= budget:
            best = found = 0
            most = min(n - i, <Py_ssize_t>MOST_SAMPLES)
            for k in range(distances.shape[0] + 1):
                distance = distances[k] if k < distances.shape[0] else i - last[code[i]]
                if distance > i or distance > window or code[i] != code[i - distance]:
                    continue
                length = _n_same(code + i, code + i - distance, most)
                if length > best:
                    best, found = length, distance
            if best < shortest:
                tokens[n_tokens, 0] = 0
                tokens[n_tokens, 1] = code[i]
                best = 1
                spent += literal_cost
            else:
                tokens[n_tokens, 0] = <uint32_t>found
                tokens[n_tokens, 1] = <uint32_t>best
                spent += match_cost
            n_tokens += 1
            if found == 1:
                last[code[i]] = i + best - 1
            else:
                for j in range(i, i + best):
                    last[code[j]] = j
            i += best
    return i, n_tokens


cdef inline int64_t _cut(int64_t n_bytes) noexcept nogil:
    """Return the length of the next match of what is left of a long one.

    Cut at any byte, and so that never less than the shortest match is left.
    """
    if n_bytes <= LONGEST:
        return n_bytes
    return LONGEST if n_bytes - LONGEST >= SHORTEST else n_bytes - SHORTEST


def count_tokens(
    const uint32_t[:, ::1] tokens,
    int64_t item_size,
    int64_t[::1] lengths,
    int64_t[::1] distances,
    int64_t[::1] literals,
):
    """Count matches by length and by distance, both in bytes, and literals by code."""
    cdef Py_ssize_t t
    cdef int64_t left, length, distance
    with nogil:
        for t in range(tokens.shape[0]):
            distance = tokens[t, 0] * item_size
            if distance == 0:
                literals[tokens[t, 1]] += 1
                continue
            left = tokens[t, 1] * item_size
            while left:
                length = _cut(left)
                left -= length
                lengths[length] += 1
                distances[distance] += 1


def count_bytes(const uint8_t[:, ::1] rows, const int64_t[::1] literals, int64_t[::1] counts):
    """Add to `counts` how often each byte is a literal, over all rows.

    A row holds the bytes of one value per code; `literals` says how often each code is one.
    """
    cdef Py_ssize_t t, k, j, item_size = rows.shape[1] // literals.shape[0]
    cdef const uint8_t* value
    with nogil:
        for t in range(rows.shape[0]):
            value = &rows[t, 0]
            for k in range(literals.shape[0]):
                for j in range(item_size):
                    counts[value[j]] += literals[k]
                value += item_size


cdef struct Writer:
    uint8_t* next  # where the next word goes
    uint64_t word  # what of it is there already
    uint64_t n_bits  # less than 64


cdef inline void _put(Writer* writer, uint64_t bits, uint64_t n_bits) noexcept nogil:
    """Append at most 63 bits, without a branch: which word they end in is as good as random."""
    cdef uint64_t n = writer.n_bits + n_bits, word = writer.word | bits << writer.n_bits
    cdef uint64_t rest = (bits >> 1) >> (63 - writer.n_bits)
    memcpy(writer.next, &word, 8)
    writer.next += n >> 6 << 3
    writer.word = rest if n >> 6 else word
    writer.n_bits = n & 63


cdef inline void _put_words(Writer* writer, const uint64_t* words, uint64_t n_bits) noexcept nogil:
    """Append the first bits of some words; more words are read and written than these fill."""
    cdef Py_ssize_t j
    cdef uint64_t shift = writer.n_bits, word = 0, before, n
    while True:
        before = writer.word
        for j in range(CHUNK):
            word = words[j] << shift | before
            before = (words[j] >> 1) >> (63 - shift)
            memcpy(writer.next + 8 * j, &word, 8)
        if n_bits <= 64 * (CHUNK - 1):
            break
        # One word less, so that the last one is among those that were just written.
        n_bits -= 64 * (CHUNK - 1)
        words += CHUNK - 1
        writer.next += 8 * (CHUNK - 1)
        writer.word = (words[-1] >> 1) >> (63 - shift)
    n = shift + n_bits
    writer.next += n >> 6 << 3
    writer.n_bits = n & 63
    memcpy(&word, writer.next, 8)
    writer.word = word & ((<uint64_t>1 << writer.n_bits) - 1)


cdef inline uint64_t _bits(uint64_t string) noexcept nogil:
    return string << 8 >> 8


cdef inline void _put_string(Writer* writer, uint64_t string) noexcept nogil:
    _put(writer, _bits(string), string >> 56)


def prepare(
    const uint32_t[:, ::1] tokens,
    int64_t item_size,
    const uint64_t[::1] length_strings,
    const uint64_t[::1] distance_strings,
    uint32_t[::1] literals,
    int64_t[::1] n_bits,
    uint64_t[::1] words,
):
    """Prepare what is the same for every map: the bits that follow each literal.

    Parameters
    ----------
    tokens : array of uint32, shape (n, 2)
        The first is a literal.
    item_size : int
        Bytes per sample.
    length_strings, distance_strings : array of uint64
        The bits for each length and each distance in bytes.
    literals : array of uint32
        The codes of the literals in order.
    n_bits : array of int64
        How many bits follow each literal.
    words : array of uint64
        Those bits; for each literal they begin in a new word.  Eight words longer than needed.

    Returns
    -------
    n_words : int
    """
    cdef Py_ssize_t t, n_literals = 0
    cdef int64_t left, length, distance
    cdef uint64_t string
    cdef uint8_t* start = <uint8_t*>&words[0]
    cdef Writer writer = Writer(start, 0, 0)
    with nogil:
        for t in range(tokens.shape[0]):
            distance = tokens[t, 0] * item_size
            if distance == 0:
                _end_gap(&writer, &start, n_bits, n_literals)
                literals[n_literals] = tokens[t, 1]
                n_literals += 1
                continue
            left = tokens[t, 1] * item_size
            while left:
                length = _cut(left)
                left -= length
                string = distance_strings[distance]
                _put_string(&writer, length_strings[length])
                _put_string(&writer, string)
        _end_gap(&writer, &start, n_bits, n_literals)
    return (start - <uint8_t*>&words[0]) // 8


cdef inline void _end_gap(
    Writer* writer, uint8_t** start, int64_t[::1] n_bits, Py_ssize_t n_literals
) noexcept nogil:
    """Note how many bits follow the last literal, and begin a new word."""
    if n_literals == 0:
        return
    n_bits[n_literals - 1] = 8 * (writer.next - start[0]) + writer.n_bits
    if writer.n_bits:
        memcpy(writer.next, &writer.word, 8)
        writer.next += 8
    writer.word = writer.n_bits = 0
    start[0] = writer.next


cdef inline void _join_bytes(
    const uint8_t* value, Py_ssize_t n, const uint64_t* byte_strings, uint64_t* out
) noexcept nogil:
    """Set `out` to the bits and their number for the literals of a few bytes."""
    cdef Py_ssize_t j
    cdef uint64_t bits = 0, n_bits = 0, string
    for j in range(n):
        string = byte_strings[value[j]]
        bits |= _bits(string) << n_bits
        n_bits += string >> 56
    out[0], out[1] = bits, n_bits


cdef inline void _put_map(
    Writer* writer,
    const uint64_t* of_code,
    Py_ssize_t n_parts,
    const uint32_t[::1] literals,
    const int64_t[::1] n_bits,
    const uint64_t* word,
) noexcept nogil:
    """Append one map: each literal, then the bits that follow it."""
    cdef Py_ssize_t i, j
    cdef const uint64_t* part
    for i in range(literals.shape[0]):
        part = of_code + 2 * n_parts * <Py_ssize_t>literals[i]
        for j in range(n_parts):
            _put(writer, part[2 * j], part[2 * j + 1])
        _put_words(writer, word, n_bits[i])
        word += (n_bits[i] + 63) >> 6


def emit(
    const uint8_t[:, ::1] rows,
    Py_ssize_t item_size,
    const uint64_t[::1] byte_strings,
    const uint32_t[::1] literals,
    const int64_t[::1] n_bits,
    const uint64_t[::1] words,
    const uint64_t[::1] head,
    uint64_t end,
    uint64_t[::1] of_code,
    uint8_t[::1] out,
):
    """Write maps as one deflate block and an empty stored block, which ends at a whole byte.

    Parameters
    ----------
    rows : array of uint8, shape (n_maps, n_codes * item_size)
        The bytes of the value of each code, for each map.
    item_size : int
        1, 2, or a multiple of 4.
    byte_strings : array of uint64
        The bits for each byte.
    literals, n_bits, words
        As `prepare` sets them.
    head : array of uint64
        Strings with the head of the block.
    end : int
        The string with the end of the block.
    of_code : array of uint64
        Scratch: two for each code, or two for each four bytes of its value.
    out : array of uint8
        At least 72 bytes longer than what is written.

    Returns
    -------
    n_bytes : int
    """
    cdef Py_ssize_t t, k, n_maps = rows.shape[0]
    cdef Py_ssize_t n_in_part = min(item_size, <Py_ssize_t>BYTES_PER_WORD)
    cdef Py_ssize_t n_parts = item_size // n_in_part, n_codes = rows.shape[1] // item_size
    cdef const uint64_t* strings = &byte_strings[0]
    cdef uint64_t* part = &of_code[0]
    cdef Writer writer = Writer(&out[0], 0, 0)
    with nogil:
        for k in range(head.shape[0]):
            _put_string(&writer, head[k])
        for t in range(n_maps):
            for k in range(n_codes * n_parts):
                _join_bytes(&rows[t, k * n_in_part], n_in_part, strings, part + 2 * k)
            if n_parts == 1:  # a constant spares the loop over parts
                _put_map(&writer, part, 1, literals, n_bits, &words[0])
            else:
                _put_map(&writer, part, n_parts, literals, n_bits, &words[0])
        _put_string(&writer, end)
        # An empty stored block: three bits of 0, up to a whole byte, its length and the inverse.
        _put(&writer, 0, 3)
        _put(&writer, 0, (8 - writer.n_bits & 7) & 7)
        _put(&writer, <uint64_t>0xFFFF0000, 32)
        memcpy(writer.next, &writer.word, 8)
    return writer.next - &out[0] + writer.n_bits // 8
