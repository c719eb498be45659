"""Oracles of compression in the region domain: parsing, tokens, bits and checksums."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The longest and the shortest match of deflate, in bytes (RFC 1951, section 3.2.5).
_LONGEST_MATCH, _SHORTEST_MATCH = 258, 3


def parse(
    codes: NDArray[Any], distances: Sequence[int], *, window: int, shortest: int
) -> NDArray[np.uint32]:
    """Return the tokens of codes: ``(distance, length)``, or ``(0, code)`` of a literal.

    Parameters
    ----------
    codes : array of uint
    distances : sequence of int
        Where to look for a match, in samples, beside the last place with the same code; of
        equally long matches the first is taken.
    window : int
        How far back a match may begin, in samples.
    shortest : int
        The shortest match, in samples.

    Examples
    --------
    >>> import numpy as np
    >>> parse(np.array([7, 7, 7, 8, 7, 8], np.uint8), [1], window=9, shortest=1).tolist()
    [[0, 7], [1, 2], [0, 8], [2, 2]]
    """
    sequence = codes.tolist()
    last: dict[int, int] = {}
    tokens = []
    at = 0
    while at < len(sequence):
        tried = [*distances, at - last.get(sequence[at], -window)]
        found = [
            (_n_same(sequence, at, distance), distance)
            for distance in tried
            if distance <= min(at, window)
        ]
        length, distance = max(found, key=lambda match: match[0], default=(0, 0))
        if length < shortest:
            length, distance = 1, 0
        tokens.append((distance, length if distance else sequence[at]))
        last.update((code, at + n) for n, code in enumerate(sequence[at : at + length]))
        at += length
    return np.array(tokens, np.uint32).reshape(-1, 2)


def unparse(tokens: NDArray[Any]) -> NDArray[np.uint32]:
    """Return the codes that tokens stand for.

    Examples
    --------
    >>> import numpy as np
    >>> unparse(np.array([[0, 7], [1, 2], [0, 8], [2, 2]])).tolist()
    [7, 7, 7, 8, 7, 8]
    """
    codes: list[int] = []
    for distance, length in tokens.tolist():
        if not distance:
            codes.append(length)
        for _ in range(length if distance else 0):
            codes.append(codes[-distance])
    return np.array(codes, np.uint32)


def count_tokens(
    tokens: NDArray[Any], item_size: int, n_codes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return how often each length and distance in bytes occurs, and each code as a literal.

    Examples
    --------
    >>> import numpy as np
    >>> lengths, distances, literals = count_tokens(np.array([[0, 1], [1, 65]]), 4, 2)
    >>> np.flatnonzero(lengths), np.flatnonzero(distances), literals
    (array([  3, 257]), array([4]), array([0, 1]))
    """
    cut = [
        match
        for distance, length in tokens.tolist()
        for match in _matches(distance, length, item_size)
    ]
    literals = [code for distance, code in tokens.tolist() if not distance]
    return (
        np.bincount([length for _, length in cut], minlength=_LONGEST_MATCH + 1),
        np.bincount([distance for distance, _ in cut], minlength=2**15 + 1),
        np.bincount(literals, minlength=n_codes),
    )


def count_bytes(rows: NDArray[np.uint8], literals: NDArray[Any]) -> NDArray[np.int64]:
    """Return how often each byte is a literal, where rows hold the bytes of a value per code.

    Examples
    --------
    >>> import numpy as np
    >>> np.flatnonzero(count_bytes(np.array([[5, 6, 7, 8]], np.uint8), np.array([0, 3])))
    array([7, 8])
    """
    by_code = rows.reshape(len(rows), len(literals), -1)
    repeats = np.broadcast_to(literals[:, np.newaxis], by_code.shape)
    return np.bincount(np.repeat(by_code.ravel(), repeats.ravel()), minlength=256)


def prepare(
    tokens: NDArray[Any],
    item_size: int,
    length_strings: NDArray[np.uint64],
    distance_strings: NDArray[np.uint64],
) -> tuple[list[int], list[str]]:
    """Return the codes of literals, and the bits that follow each, in order, as text.

    A string is at most 56 bits, the first one lowest, with their number in the highest byte.

    Examples
    --------
    >>> import numpy as np
    >>> strings = np.full(300, (2 << 56) + 0b01, np.uint64)
    >>> prepare(np.array([[0, 7], [1, 5], [0, 9]]), 1, strings, strings)
    ([7, 9], ['1010', ''])
    """
    literals: list[int] = []
    between: list[str] = []
    for distance, length in tokens.tolist():
        if not distance:
            literals.append(length)
            between.append("")
        for far, long in _matches(distance, length, item_size):
            between[-1] += _text(length_strings[long]) + _text(distance_strings[far])
    return literals, between


def emit(
    rows: NDArray[np.uint8],
    byte_strings: NDArray[np.uint64],
    literals: Sequence[int],
    between: Sequence[str],
    *,
    head: NDArray[np.uint64],
    end: int,
) -> bytes:
    r"""Return maps as one deflate block, and an empty stored block that ends at a whole byte.

    Parameters
    ----------
    rows : array of uint8, shape (n_maps, n_codes, item_size)
        The bytes of the value of each code.
    byte_strings : array of uint64
        The string of each byte.
    literals, between
        As `prepare` returns them.
    head : array of uint64
        Strings that the block begins with.
    end : int
        The string that it ends with.

    Examples
    --------
    >>> import numpy as np
    >>> strings = (np.arange(256) + (8 << 56)).astype(np.uint64)
    >>> rows = np.array([[[65], [66]]], np.uint8)
    >>> emit(rows, strings, [1, 0], ["", ""], head=strings[:1], end=0)
    b'\x00BA\x00\x00\x00\xff\xff'
    """
    bits = "".join(map(_text, head))
    for row in rows:
        for code, gap in zip(literals, between, strict=True):
            bits += "".join(_text(byte_strings[byte]) for byte in row[code].tolist()) + gap
    bits += _text(end) + "000"
    bits += "0" * (-len(bits) % 8)
    return int(bits[::-1], 2).to_bytes(len(bits) // 8, "little") + b"\x00\x00\xff\xff"


def add_weights(codes: NDArray[Any], item_size: int, n_codes: int) -> list[int]:
    """Return for each code the sum of the powers of x that stand for its places in a CRC.

    The last sample is x^0.  A polynomial over GF(2) modulo that of gzip's CRC-32 is a number
    whose highest of 32 bits is x^0, as zlib has it.

    Examples
    --------
    >>> import numpy as np
    >>> [f"{weight:032b}"[:12] for weight in add_weights(np.array([1, 0, 1], np.uint8), 1, 2)]
    ['000000001000', '100000000000']
    """
    weights = [0] * n_codes
    power = 1 << 31
    for code in reversed(codes.tolist()):
        weights[code] ^= power
        for _ in range(8 * item_size):
            power = _times_x(power)
    return weights


def spread(weights: Sequence[int], item_size: int) -> NDArray[np.uint32]:
    """Return what each bit of a code's value adds to the CRC, one row per 32 bits.

    Examples
    --------
    >>> spread([1 << 31], 1)[0, [0, 7, 8]].tolist() == [0x77073096, 0xEDB88320, 0]
    True
    """
    n_bits = 8 * item_size
    rows: list[list[int]] = []
    for weight in weights:
        powers = [weight]
        for _ in range(32 + n_bits - 1):
            powers.append(_times_x(powers[-1]))
        of_bit = powers[:31:-1] + [0] * (-n_bits % 32)
        rows += [of_bit[start : start + 32] for start in range(0, len(of_bit), 32)]
    return np.array(rows, np.uint32)


def _times_x(polynomial: int) -> int:
    reduced = 0xEDB88320 if polynomial & 1 else 0
    return polynomial >> 1 ^ reduced


def _n_same(sequence: Sequence[int], at: int, distance: int) -> int:
    pairs = zip(sequence[at:], itertools.islice(sequence, at - distance, None), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _matches(distance: int, length: int, item_size: int) -> list[tuple[int, int]]:
    """Return the matches in bytes of a token: at most 258, at least 3 long."""
    left = length * item_size if distance else 0
    matches = []
    while left > _LONGEST_MATCH:
        rest = max(left - _LONGEST_MATCH, _SHORTEST_MATCH)
        matches.append((distance * item_size, left - rest))
        left = rest
    return [*matches, (distance * item_size, left)] if left else []


def _text(string: int) -> str:
    """Return the bits of a string in the order in which they are written."""
    length = int(string) >> 56
    return f"{int(string) & ((1 << 56) - 1):0{length}b}"[::-1] if length else ""
