"""The Huffman codes of a deflate block, and its head (RFC 1951, sections 3.2.2 to 3.2.7).

A *string* is up to 56 bits as deflate writes them, the first bit lowest, with their number in the
highest byte: the form in which the kernels take bits.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

END_OF_BLOCK = 256
WINDOW = 32768
LONGEST_MATCH = 258

# Where the length of a string stands in it.
_LENGTH_SHIFT = np.uint64(56)

# The longest codes, of literals, lengths and distances, and of code lengths.
LONGEST_CODE = 15
_LONGEST_OF_LENGTHS = 7

# The order in which code lengths of code lengths are written.
_ORDER_OF_LENGTHS = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

# Symbols for runs of code lengths, with the shortest and longest run and the extra bits: of what
# came before, and of zeros.  Those of longer runs come first.
_RUNS_OF_LENGTHS = ((16, 3, 6, 2),)
_RUNS_OF_ZEROS = ((18, 11, 138, 7), (17, 3, 10, 3))


class _Alphabet(NamedTuple):
    """Symbols that stand for a range of numbers each, with extra bits for the number in it.

    Parameters
    ----------
    n_symbols : int
    symbols, offsets, extra : array of int64
        For each number: its symbol, its place in the symbol's range, and the symbol's extra bits.
    """

    n_symbols: int
    symbols: NDArray[np.int64]
    offsets: NDArray[np.int64]
    extra: NDArray[np.int64]

    @classmethod
    def of(cls, extra: list[int], first: int, *, taken: int = 0) -> _Alphabet:
        """Return the alphabet of symbols with these extra bits, for the numbers from `first` on.

        The last symbol takes `taken` numbers over from the end of the range before it.
        """
        sizes = 1 << np.array(extra)
        sizes[-2] -= taken
        starts = np.cumsum(sizes) - sizes
        symbols = np.repeat(np.arange(len(extra)), sizes)
        offsets = np.arange(len(symbols)) - starts[symbols]
        of_number = symbols, offsets, np.array(extra)[symbols]
        symbols, offsets, n_extra = (np.pad(numbers, (first, 0)) for numbers in of_number)
        return cls(len(extra), symbols, offsets, n_extra)

    def counted(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often each symbol occurs, from how often each number does."""
        sums = np.zeros(self.n_symbols, np.int64)
        np.add.at(sums, self.symbols, counts)
        return sums

    def strings(self, of_symbol: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the string of each number, from those of the symbols."""
        of_number = of_symbol[self.symbols]
        extra_bits = self.offsets.astype(np.uint64) << (of_number >> _LENGTH_SHIFT)
        return (of_number | extra_bits) + (self.extra.astype(np.uint64) << _LENGTH_SHIFT)


@cache
def _alphabets() -> tuple[_Alphabet, _Alphabet]:
    """Return the alphabets of lengths and of distances."""
    # The longest length, 258, has a symbol of its own, though the one before could say it.
    of_lengths = [0] * 8 + [n for n in range(1, 6) for _ in range(4)] + [0]
    of_distances = [0, 0] + [n for n in range(14) for _ in range(2)]
    return _Alphabet.of(of_lengths, 3, taken=1), _Alphabet.of(of_distances, 1)


class BlockCode(NamedTuple):
    """The two Huffman codes of a dynamic block, as strings.

    Parameters
    ----------
    literals : array of uint64, shape (257,)
        For each byte, and for the end of the block.
    lengths : array of uint64, shape (259,)
        For each length of a match in bytes.
    distances : array of uint64, shape (32769,)
        For each distance in bytes.
    head : array of uint64
        What the block begins with.
    """

    literals: NDArray[np.uint64]
    lengths: NDArray[np.uint64]
    distances: NDArray[np.uint64]
    head: NDArray[np.uint64]

    @classmethod
    def of(
        cls,
        literals: NDArray[np.int64],
        lengths: NDArray[np.int64],
        distances: NDArray[np.int64],
    ) -> BlockCode:
        """Return the code for how often each byte, length and distance occurs.

        What does not occur may have no string.
        """
        of_lengths, of_distances = _alphabets()
        symbol_counts = [*literals.tolist(), 1, *of_lengths.counted(lengths).tolist()]
        first = code_lengths(symbol_counts, LONGEST_CODE)
        second = code_lengths(of_distances.counted(distances).tolist(), LONGEST_CODE)
        of_symbol = strings(first)
        return cls(
            literals=of_symbol[: END_OF_BLOCK + 1],
            lengths=of_lengths.strings(of_symbol[END_OF_BLOCK + 1 :]),
            distances=of_distances.strings(strings(second)),
            head=np.array(list(_head(first, second)), np.uint64),
        )


def n_bits(string: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the lengths of strings."""
    return (string >> _LENGTH_SHIFT).astype(np.int64)


def code_lengths(counts: Sequence[int], longest: int) -> list[int]:
    """Return the length of the Huffman code of each symbol, 0 for one that does not occur.

    At least two symbols get a code, as some readers want; codes longer than `longest` are
    avoided by making the counts more alike.

    Examples
    --------
    >>> code_lengths([4, 0, 1, 1, 9], 15)
    [2, 0, 3, 3, 1]
    """
    used = list(counts)
    for symbol in range(2):
        if np.count_nonzero(used) < 2:
            used[symbol] = max(used[symbol], 1)
    while True:
        lengths = _unlimited(used)
        if max(lengths) <= longest:
            return lengths
        used = [(n + 1) // 2 for n in used]


def _unlimited(counts: Sequence[int]) -> list[int]:
    """Return the lengths of Huffman codes: the two rarest become one, again and again."""
    # Symbols are leaves of a tree and have their own numbers; what is joined has higher ones.
    heap = [(n, symbol) for symbol, n in enumerate(counts) if n]
    leaves = [symbol for _, symbol in heap]
    heapq.heapify(heap)
    parent: dict[int, int] = {}
    joined = len(counts)
    while len(heap) > 1:
        n, rarest = heapq.heappop(heap)
        m, next_rarest = heap[0]
        parent[rarest] = parent[next_rarest] = joined
        heapq.heapreplace(heap, (n + m, joined))
        joined += 1
    depth = {heap[0][1]: 0}
    for node in sorted(parent, reverse=True):  # a parent has the higher number
        depth[node] = depth[parent[node]] + 1
    lengths = [0] * len(counts)
    for leaf in leaves:
        lengths[leaf] = depth[leaf]
    return lengths


def strings(lengths: Sequence[int]) -> NDArray[np.uint64]:
    """Return the canonical Huffman code of these lengths, as strings.

    Examples
    --------
    >>> [f"{int(string) & 0xFF:b} of {int(string) >> 56}" for string in strings([2, 1, 2])]
    ['1 of 2', '0 of 1', '11 of 2']
    """
    codes = [0] * len(lengths)
    code = before = 0
    for length, symbol in sorted((n, symbol) for symbol, n in enumerate(lengths) if n):
        code <<= length - before
        before = length
        # Huffman codes are written from their highest bit on.
        codes[symbol] = _string(int(f"{code:0{length}b}"[::-1], 2), length)
        code += 1
    return np.array(codes, np.uint64)


def _string(bits: int, length: int) -> int:
    return bits | length << 56


def _head(literals: list[int], distances: list[int]) -> Iterator[int]:
    """Yield the strings of the head of a dynamic block: how long its codes are."""
    runs = list(_runs(literals + distances))
    counts = [0] * len(_ORDER_OF_LENGTHS)
    for symbol, _, _ in runs:
        counts[symbol] += 1
    lengths = code_lengths(counts, _LONGEST_OF_LENGTHS)
    of_length = strings(lengths).tolist()
    yield _string(0b100, 3)  # not the last block, with codes of its own
    yield _string(len(literals) - 257, 5)
    yield _string(len(distances) - 1, 5)
    yield _string(len(_ORDER_OF_LENGTHS) - 4, 4)
    for length in _ORDER_OF_LENGTHS:
        yield _string(lengths[length], 3)
    for symbol, extra, n_extra in runs:
        yield of_length[symbol]
        yield _string(extra, n_extra)


def _runs(lengths: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yield the symbols that stand for a list of code lengths, with their extra bits."""
    for length, same in groupby(lengths):
        left = len(list(same))
        if length:
            yield length, 0, 0
            left -= 1
        for symbol, shortest, longest, n_extra in _RUNS_OF_LENGTHS if length else _RUNS_OF_ZEROS:
            while left >= shortest:
                run = min(left, longest)
                yield symbol, run - shortest, n_extra
                left -= run
        for _ in range(left):  # too few for a run
            yield length, 0, 0
