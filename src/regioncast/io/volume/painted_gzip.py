"""Painted arrays as gzip, compressed without making their voxels.

A map is its codes with every code replaced by the bytes of its value.  So a *match* between
codes, some samples that repeat others before them, is a match between bytes in every map,
whatever the values: deflate's *tokens* (matches, and *literals* between them) are found once, in
the codes.  What a map adds are the bytes of its literals.  The bits between two literals are
prepared once, and the CRC of a map is a sum over its values.  A map then costs its compressed
size, not its voxels.

For a single map, and where labels are very fine, that does not pay: blocks of voxels are made and
compressed by ISA-L instead.  Either way the parts are made side by side in threads, and their
bounds do not depend on how many there are; the file is one ordinary gzip member (RFC 1952).

Maps that are written to a file each have the same codes, so their tokens are found once for all.
The code of the blocks is then one for all of them too, and the bytes of each file depend on which
maps are written together; its voxels do not.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from isal import isal_zlib

from ...engine._kernels import crc as crc_kernels
from ...engine._kernels import deflate as kernels
from ...engine.painting import FileOrder
from ...engine.threads import Workers, n_cpus
from .huffman import END_OF_BLOCK, LONGEST_CODE, LONGEST_MATCH, WINDOW, BlockCode, n_bits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...engine.painting import PaintedArray
    from ...progress import Progress

# RFC 1952: deflate, no name, no time, nothing said of level and system.
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

# An empty last block with fixed codes ends the deflate stream.
_LAST_BLOCK = b"\x03\x00"

# Compressed maps are handed over in parts of about this many bytes, which stay in the cache.
_PART_BYTES = 1 << 20

# Voxels, where they are made, are compressed in blocks of this many bytes.
_BLOCK_BYTES = 1 << 22

# ISA-L's levels go from 0 to 3; 2 is its default.
_ISAL_LEVEL = 2

# The first bytes of each block are stored uncompressed, and ISA-L is given them as the history of
# the rest: without a history its output would depend on memory addresses.
_STORED = 16

# What the two ways cost, in nanoseconds, fitted to label images from 400 regions to one region
# per voxel on two processors of 2.6 GHz (`python -m benchmarks`, "finest labels").
_START = 1e6
_PER_SAMPLE, _PER_CODE, _PER_TOKEN = 2.5, 200, 20  # once
_PER_CODE_IN_MAP, _PER_MATCH_IN_MAP, _PER_LITERAL_IN_MAP = 9, 0.7, 5  # for every map
_ISAL_PER_SAMPLE, _ISAL_PER_BYTE = 1, 0.5  # for every map

# Brains of 400 to 1,000 regions have 0.03 to 0.05 tokens per sample; no image has many fewer.
_FEWEST_TOKENS = 0.02

# The shortest match of deflate, in bytes, and how many bytes a word of literals holds.
_SHORTEST_MATCH = 3
_BYTES_PER_WORD = 4

# Words are copied by eight at once, the last of them beyond the end.
_CHUNK = 8
_SLACK = 8 * (_CHUNK + 1)

# Before every place that a match may come from.
_NEVER = -(1 << 62)


class Part(NamedTuple):
    """Some maps, or a piece of one, compressed, ending at a whole byte."""

    data: memoryview | bytes
    crc: int
    n_bytes: int  # before compression
    n_maps: int  # maps done with this part


class Compressor(Protocol):
    """What makes the parts of a member; several threads may ask at once."""

    n_parts: int

    def buffer(self) -> Any:
        """Return memory for one part at a time."""

    def part(self, index: int, buffer: Any) -> Part:
        """Return a part; it is valid until the buffer is used again."""


def write(
    stream: BinaryIO, head: bytes, array: PaintedArray, *, progress: Progress | None = None
) -> None:
    """Write one gzip member with some bytes and then the voxels of a painted array.

    Parameters
    ----------
    stream : binary file
    head : bytes
        What stands before the voxels: a NIfTI header with its extensions.
    array : PaintedArray
    progress : callable, default=None
        Called with the number of maps written and the number of all maps.
    """
    made_by = _by_tokens_of_all(array) or compressor(FileOrder.of(array))
    n_done = 0
    with closing(_member(stream, head, made_by)) as parts:
        for part in parts:
            n_done += part.n_maps
            if progress is not None and part.n_maps:
                progress(n_done, len(array.table))


def write_plain(stream: BinaryIO, head: bytes, data: memoryview) -> None:
    """Write one gzip member with some bytes and then others, which are no painting."""
    with closing(_member(stream, head, PlainBlocks(data))) as parts:
        for _ in parts:
            pass


def _member(stream: BinaryIO, head: bytes, made_by: Compressor) -> Generator[Part, None, None]:
    """Write a gzip member and yield each of its parts once it is written."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream.write(_GZIP_HEAD)
    # Flushed to a whole byte, at which all parts begin and end.
    stream.write(deflate.compress(head) + deflate.flush(zlib.Z_SYNC_FLUSH))
    crc, n_bytes = zlib.crc32(head), len(head)
    # Closed here, so that no thread works on where the disk is full.
    with closing(side_by_side(made_by)) as parts:
        for part in parts:
            stream.write(part.data)
            crc = crc_kernels.combine(crc, part.crc, part.n_bytes)
            n_bytes += part.n_bytes
            yield part
    stream.write(_LAST_BLOCK)
    stream.write(crc.to_bytes(4, "little") + (n_bytes % (1 << 32)).to_bytes(4, "little"))


def compressor(voxels: FileOrder) -> Compressor:
    """Return what compresses these voxels fastest."""
    tokens = parse(voxels, _budget_of(voxels))
    return Blocks(voxels) if tokens is None else RegionDomain(voxels, tokens)


def _by_tokens_of_all(array: PaintedArray) -> Compressor | None:
    """Return what compresses one of several maps that are written one by one.

    None where this is no such map, or where tokens do not pay.
    """
    if array.one_of is None:
        return None
    everything, row = array.one_of
    if everything not in _OF_ALL:
        voxels = FileOrder.of(everything)
        tokens = parse(voxels, _budget_of(voxels))
        _OF_ALL[everything] = None if tokens is None else RegionDomain(voxels, tokens, 1)
    of_all = _OF_ALL[everything]
    return None if of_all is None else OneMap(of_all, row)


class Budget(NamedTuple):
    """What tokens may cost in all, and what a match and a literal cost, in nanoseconds."""

    total: float
    match: float
    literal: float


def parse(voxels: FileOrder, budget: Budget) -> NDArray[np.uint32] | None:
    """Return the tokens of the codes, or None if they cost more than they may."""
    if not budget.total or sys.byteorder != "little":  # words are stored as bytes
        return None
    codes, item_size = voxels.codes, voxels.table.dtype.itemsize
    window = WINDOW // item_size
    row, slab = voxels.shape[0], voxels.shape[0] * voxels.shape[1]
    nearby = dict.fromkeys((1, row, row - 1, row + 1, slab))
    distances = np.array([d for d in nearby if 0 < d <= window], np.int64)
    shortest = -(-_SHORTEST_MATCH // item_size)
    last = np.full(voxels.table.shape[1], _NEVER)
    room = int(min(codes.size, budget.total / budget.match)) + 1
    tokens = np.empty((room, 2), np.uint32)
    n_parsed, n_tokens = kernels.parse(
        codes, distances, window, shortest, budget.match, budget.literal, budget.total, last, tokens
    )
    return tokens[:n_tokens] if n_parsed == codes.size else None


class RegionDomain:
    """Compresses maps by the tokens of their codes.

    Parameters
    ----------
    voxels : FileOrder
    tokens : array of uint32, shape (n_tokens, 2)
        As the kernel `parse` finds them.
    maps_per_part : int, default=None
        As many as fit when not given.
    """

    def __init__(
        self, voxels: FileOrder, tokens: NDArray[np.uint32], maps_per_part: int | None = None
    ) -> None:
        table = voxels.table
        item_size = table.dtype.itemsize
        self._rows = table.view(np.uint8)
        self._item_size = item_size
        self._map_bytes = voxels.codes.size * item_size
        self._values = _words(table)
        self._terms = _crc_terms(voxels.codes, table.shape[1], item_size)
        # What occurs how often in the codes, once for all maps, gives the code of all blocks.
        lengths = np.zeros(LONGEST_MATCH + 1, np.int64)
        distances = np.zeros(WINDOW + 1, np.int64)
        literals = np.zeros(table.shape[1], np.int64)
        kernels.count_tokens(tokens, item_size, lengths, distances, literals)
        literal_bytes = np.zeros(END_OF_BLOCK, np.int64)
        kernels.count_bytes(self._rows, literals, literal_bytes)
        code = BlockCode.of(literal_bytes, lengths * len(table), distances * len(table))
        n_literals = int(literals.sum())
        matches_bits = int(lengths @ n_bits(code.lengths) + distances @ n_bits(code.distances))
        # Each literal begins a new word.
        words = np.zeros(matches_bits // 64 + n_literals + _CHUNK, np.uint64)
        self._gap_literals = np.empty(n_literals, np.uint32)
        self._gap_bits = np.empty(n_literals, np.int64)
        kernels.prepare(
            tokens, item_size, code.lengths, code.distances,
            self._gap_literals, self._gap_bits, words,
        )  # fmt: skip
        self._code, self._words = code, words
        n_literal_bytes = n_literals * item_size
        self._most_bytes = (matches_bits + n_literal_bytes * LONGEST_CODE) // 8 + 1
        mean_bytes = matches_bits // 8 + n_literal_bytes + 1
        self._maps_per_part = maps_per_part or max(1, _PART_BYTES // mean_bytes)
        self.n_parts = -(-len(table) // self._maps_per_part)

    def buffer(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """Return memory for a part, and for the strings of the values of one map."""
        n_head = 8 * len(self._code.head)
        out = np.empty(n_head + self._maps_per_part * self._most_bytes + _SLACK, np.uint8)
        n_strings = self._rows.shape[1] // min(self._item_size, _BYTES_PER_WORD)
        return out, np.empty(2 * n_strings, np.uint64)

    def part(self, index: int, buffer: tuple[NDArray[np.uint8], NDArray[np.uint64]]) -> Part:
        """Return some maps."""
        maps = slice(index * self._maps_per_part, (index + 1) * self._maps_per_part)
        out, scratch = buffer
        rows = self._rows[maps]
        n_written = kernels.emit(
            rows, self._item_size, self._code.literals, self._gap_literals, self._gap_bits,
            self._words, self._code.head, int(self._code.literals[END_OF_BLOCK]), scratch, out,
        )  # fmt: skip
        crc = crc_kernels.of_maps(self._values[maps], self._terms, self._map_bytes)
        return Part(out[:n_written].data, crc, len(rows) * self._map_bytes, len(rows))


class OneMap:
    """Compresses one of the maps whose tokens are known."""

    n_parts = 1

    def __init__(self, of_all: RegionDomain, row: int) -> None:
        self._of_all, self._row = of_all, row

    def buffer(self) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """Return memory for a map."""
        return self._of_all.buffer()

    def part(self, index: int, buffer: tuple[NDArray[np.uint8], NDArray[np.uint64]]) -> Part:  # noqa: ARG002  there is one
        """Return the map."""
        return self._of_all.part(self._row, buffer)


_OF_ALL: WeakKeyDictionary[PaintedArray, RegionDomain | None] = WeakKeyDictionary()
"""What compresses each of the maps of an array, while they are written one by one."""


class Blocks:
    """Compresses blocks of voxels by ISA-L, whatever they are."""

    def __init__(self, voxels: FileOrder) -> None:
        self._voxels = voxels
        self._pieces = list(voxels.pieces(_BLOCK_BYTES))
        self.n_parts = len(self._pieces)

    def buffer(self) -> NDArray[np.uint8]:
        """Return memory for the voxels of a block."""
        return self._voxels.buffer(_BLOCK_BYTES)

    def part(self, index: int, buffer: NDArray[np.uint8]) -> Part:
        """Return a block."""
        piece = self._pieces[index]
        block = self._voxels.made(piece, buffer)
        is_end = piece.samples.stop == self._voxels.codes.size
        return _by_isal(block.data, piece.maps.stop - piece.maps.start if is_end else 0)


class PlainBlocks:
    """Compresses blocks of any bytes by ISA-L."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self.n_parts = -(-len(data) // _BLOCK_BYTES)

    def buffer(self) -> None:
        """Return nothing: all bytes are there already."""

    def part(self, index: int, buffer: None) -> Part:  # noqa: ARG002  as all compressors
        """Return a block."""
        start = index * _BLOCK_BYTES
        return _by_isal(self._data[start : start + _BLOCK_BYTES], 0)


def _by_isal(block: memoryview, n_maps: int) -> Part:
    """Compress a block of bytes, so that the same bytes give the same part.

    ISA-L enters the third byte of a stream without history into its table at a place that
    depends on where in memory the stream is (`.write_first_byte` in its `igzip_icf_body_h1_gr_bt`
    hashes a register that holds an address).  Where that is the place of the first byte too, a
    match is missed.  So the first bytes are stored, and are the history of the others.
    """
    first, rest = bytes(block[:_STORED]), block[_STORED:]
    length = len(first)
    # A stored block: its type, its length, and the length's complement (RFC 1951, 3.2.4).
    pieces = [struct.pack("<BHH", 0, length, length ^ 0xFFFF), first]
    if rest:
        deflate = isal_zlib.compressobj(_ISAL_LEVEL, isal_zlib.DEFLATED, -15, zdict=first)
        pieces += [deflate.compress(rest), deflate.flush(isal_zlib.Z_SYNC_FLUSH)]
    return Part(b"".join(pieces), isal_zlib.crc32(block), len(block), n_maps)


def _budget_of(voxels: FileOrder) -> Budget:
    n_maps, n_codes = voxels.table.shape
    return _budget(n_maps, n_codes, voxels.codes.size, voxels.table.dtype.itemsize)


def _budget(n_maps: int, n_codes: int, n_samples: int, item_size: int) -> Budget:
    """Return what tokens may cost to be faster than ISA-L; 0 where it is not worth to find them.

    The bytes of a file must not depend on the machine, so neither does this.

    Examples
    --------
    >>> _budget(1, 401, 91 * 109 * 91, 4).total
    0.0
    >>> _budget(200, 401, 91 * 109 * 91, 4)
    Budget(total=537518827.5, match=160.0, literal=1020)
    """
    prepared = _START + _PER_SAMPLE * n_samples + _PER_CODE * n_codes
    values = _PER_CODE_IN_MAP * n_codes * n_maps
    isal = (_ISAL_PER_SAMPLE + _ISAL_PER_BYTE * item_size) * n_samples * n_maps
    left = isal - prepared - values
    match = _PER_TOKEN + _PER_MATCH_IN_MAP * n_maps
    is_enough = left > match * _FEWEST_TOKENS * n_samples
    return Budget(left if is_enough else 0.0, match, _PER_TOKEN + _PER_LITERAL_IN_MAP * n_maps)


def _words(table: NDArray[Any]) -> NDArray[np.uint32]:
    """Return values cut into 32 bits; smaller ones are widened."""
    if table.dtype.itemsize >= 4:
        return table.view(np.uint32)
    return table.view(f"u{table.dtype.itemsize}").astype(np.uint32)


def _crc_terms(codes: NDArray[Any], n_codes: int, item_size: int) -> NDArray[np.uint32]:
    weights = np.zeros((4, n_codes), np.uint32)
    crc_kernels.add_weights(codes, item_size, weights)
    terms = np.empty((n_codes * max(1, item_size // 4), 32), np.uint32)
    crc_kernels.spread(np.bitwise_xor.reduce(weights), item_size, terms)
    return terms


def side_by_side(made_by: Compressor) -> Generator[Part, None, None]:
    """Yield all parts in order, made by as many threads as there are processors."""
    n_threads = min(n_cpus(), made_by.n_parts)
    if n_threads < 2:
        buffer = made_by.buffer()
        for index in range(made_by.n_parts):
            yield made_by.part(index, buffer)
        return
    buffers = [made_by.buffer() for _ in range(n_threads)]
    pending: deque[Callable[[], Part]] = deque()
    with Workers(n_threads) as workers:
        for index in range(made_by.n_parts):
            if len(pending) == n_threads:
                yield pending.popleft()()
            pending.append(workers.begin(made_by.part, index, buffers[index % n_threads]))
        while pending:
            yield pending.popleft()()
