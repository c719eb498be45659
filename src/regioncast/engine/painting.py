"""Painting: from codes and values to the array of an image.

A painted array is a *table of values*, one row per map with the fill value first and then one
value per region, looked up at every code: ``array[..., t] = table[t, codes]``.  Nothing else
is kept; voxels are made when they are asked for, and only those.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..errors import ArgumentTypeError, SignalsError, examples, times
from . import encoding
from ._kernels import paint as kernels
from .dtypes import cast, storage_dtype
from .memory import BIT_PATTERNS, bits
from .threads import in_threads, n_cpus, shares

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

Order = Literal["C", "F"]

# Maps are painted side by side in threads from this many bytes of output per thread on: a
# thread costs about 0.1 ms to start, and 8 MB take several times that to fill.
_BYTES_PER_THREAD = 8_000_000

# A table is made for some maps at a time if it has more bytes than this.
_TABLE_BYTES = 1 << 20

# Samples in a slab: its codes stay in the cache until they are used.
_SLAB = 1 << 15

# From this many bytes on memory comes fresh from the system (the largest of the thresholds in
# glibc's malloc): it is zero already, and what is not touched costs nothing.
_FRESH_BYTES = 1 << 25


class PaintedArray:
    """The array of a painted image, made on demand.

    It follows nibabel's array-proxy protocol: it has a shape and a dtype, `numpy.asarray`
    makes all of it, and a slice makes just that part.  It pickles to its codes and values.

    Parameters
    ----------
    codes : array of uint8, uint16 or uint32, contiguous
        0 for no region, else the column of `table`; 3D for voxels, 1D for vertices and
        grayordinates.
    table : array, shape (n_maps, 1 + n_regions)
        For each map the value of no region and then that of each region.
    single : bool
        Whether the array is one map, of the shape of the codes, rather than a series.
    maps_first : bool, default=False
        Whether the maps are the first axis, as in CIFTI, rather than the last; such an array
        has that axis always.

    Examples
    --------
    >>> codes = np.array([[[0, 1], [2, 2]]], dtype=np.uint8)
    >>> painted = PaintedArray(codes, np.array([[0.0, 2.5, -1.0]]), single=True)
    >>> painted.shape
    (1, 2, 2)
    >>> painted[0, 1]
    array([-1., -1.])
    """

    order: Order = "F"
    one_of: tuple[PaintedArray, int] | None = None
    """The array of several maps of which this is one, and which, where it is written by itself."""
    # Of the protocol for arrays in files: values are not scaled.
    slope = 1.0
    inter = 0.0

    def __init__(
        self, codes: NDArray[Any], table: NDArray[Any], *, single: bool, maps_first: bool = False
    ) -> None:
        self.codes = codes
        self.table = table
        self.single = single and not maps_first
        self.maps_first = maps_first

    def __repr__(self) -> str:
        return f"PaintedArray: {times(self.shape)} {self.dtype}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array: that of the codes, and the number of maps in a series."""
        codes_shape: tuple[int, ...] = self.codes.shape
        if self.maps_first:
            return (len(self.table), *codes_shape)
        return codes_shape if self.single else (*codes_shape, len(self.table))

    @property
    def is_proxy(self) -> bool:
        """True, by which nibabel knows that data are made on demand."""
        return True

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the values."""
        dtype: np.dtype[Any] = self.table.dtype
        return dtype

    def __array__(
        self,
        dtype: DTypeLike | None = None,
        copy: bool | None = None,  # noqa: FBT001  NumPy's protocol
    ) -> NDArray[Any]:
        """Return the whole array; in memory its maps follow one another."""
        if copy is False:
            raise ValueError("A painted array is made on demand, so it cannot be had uncopied.")
        wanted = self.dtype if dtype is None else np.dtype(dtype)
        if wanted.kind not in "biufc" or wanted.itemsize not in BIT_PATTERNS:
            return np.asarray(self).astype(wanted)
        # The table is cast and not the array, which most often is many times larger.
        table = self.table.astype(wanted)
        if self.maps_first:
            return paint(self.codes.T, table, single=False, order="F").T
        return paint(self.codes, table, single=self.single, order=self.order)

    def get_scaled(self, dtype: DTypeLike | None = None) -> NDArray[Any]:
        """Return the whole array, in a dtype that holds both its own and `dtype`."""
        wanted = self.dtype if dtype is None else np.promote_types(self.dtype, dtype)
        return self.__array__(wanted)

    def get_unscaled(self) -> NDArray[Any]:
        """Return the whole array; there is no scaling."""
        return self.get_scaled()

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Return a part of the array, making that part only.

        Integers, slices, ``...`` and ``None`` make a part; an index array makes all first.
        """
        parts = index if isinstance(index, tuple) else (index,)
        part: NDArray[Any]
        if not all(map(_is_basic, parts)):
            part = np.asarray(self)[index]
            return part
        axes: list[Any] = []
        axes_left: list[Any] = []  # of the part: those of integers are gone, those of None are new
        for each in _full_index(parts, self.ndim):
            if each is not None:
                axes.append(each)
            if not _is_integer(each):
                axes_left.append(None if each is None else slice(None))
        # Integers are looked up as the caller wrote them and in the order of axes, so that errors
        # are NumPy's.  One of maps gives a row instead of rows.
        if self.maps_first:
            rows = self.table[axes.pop(0)]
            codes = np.asarray(self.codes[tuple(axes)])
            made = paint(codes.T, np.atleast_2d(rows), single=rows.ndim == 1, order="F").T
        else:
            maps = 0 if self.single else axes.pop()
            codes = np.asarray(self.codes[tuple(axes)])
            rows = self.table[maps]
            made = paint(codes, np.atleast_2d(rows), single=rows.ndim == 1, order=self.order)
        part = made[tuple(axes_left)]
        return part


class Piece(NamedTuple):
    """Some maps, or some samples of one map."""

    maps: slice
    samples: slice


@dataclass(frozen=True, eq=False)
class FileOrder:
    """The samples of a painted array in the order in which files hold them, made by pieces.

    Parameters
    ----------
    codes : array of uint8, uint16 or uint32, 1D
        Those of a map, the first axis varying fastest.
    table : array, shape (n_maps, 1 + n_regions)
        In C order and the byte order of this machine.
    shape : tuple of int
        That of a map.
    """

    codes: NDArray[Any]
    table: NDArray[Any]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, array: PaintedArray) -> FileOrder:
        """Return the samples of an array; codes in another order are copied."""
        codes = encoding.flat(np.asfortranarray(array.codes))
        table = np.ascontiguousarray(array.table, array.table.dtype.newbyteorder("="))
        return cls(codes, table, array.codes.shape)

    def pieces(self, n_bytes: int) -> Iterator[Piece]:
        """Yield pieces of at most this many bytes, but at least a sample, in order."""
        n_maps, n_samples = len(self.table), self.codes.size
        at_once = max(1, n_bytes // self.table.dtype.itemsize)
        step = max(1, at_once // max(1, n_samples))
        for first in range(0, n_maps, step):
            maps = slice(first, min(first + step, n_maps))
            for start in range(0, n_samples, at_once):
                yield Piece(maps, slice(start, min(start + at_once, n_samples)))

    def buffer(self, n_bytes: int) -> NDArray[np.uint8]:
        """Return memory for one piece of at most this many bytes, but at least a sample."""
        item_size = self.table.dtype.itemsize
        everything = self.codes.size * len(self.table) * item_size
        return np.empty(max(min(n_bytes, everything), item_size), np.uint8)

    def made(self, piece: Piece, buffer: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the bytes of a piece, which lie in the buffer."""
        codes, table = self.codes[piece.samples], self.table[piece.maps]
        out = buffer[: codes.size * table[:, 0].nbytes]
        target = out.view(table.dtype).reshape(len(table), codes.size)
        _paint_maps(codes, table, target, skip_zero=False)
        return out


def paint(
    codes: NDArray[Any], table: NDArray[Any], *, single: bool, order: Order = "F"
) -> NDArray[Any]:
    """Look up each row of `table` at every code.

    Parameters
    ----------
    codes : array of uint8, uint16 or uint32, any shape
    table : array, shape (n_maps, n_codes)
    single : bool
        Whether to leave out the last axis, which must then have length one.
    order : {"C", "F"}, default="F"
        Memory order of the result.

    Returns
    -------
    array of the dtype of `table`, shape of `codes` and then (n_maps,) unless `single`

    Examples
    --------
    >>> paint(np.array([0, 2, 1], np.uint8), np.array([[0, 5, 7], [0, 6, 8]]), single=False)
    array([[0, 0],
           [7, 8],
           [5, 6]])
    """
    table = np.ascontiguousarray(table)
    # All bits of the value of no region, which are not all zero in -0.0.
    fills_with_zero = not np.ascontiguousarray(table[:, :1]).view(np.uint8).any()
    out = _Output.of((*codes.shape, len(table)), table.dtype, order, is_zero=fills_with_zero)
    out.paint(codes, table, slice(None))
    return out.array[..., 0] if single else out.array


def paint_signals(
    codes: NDArray[Any], signals: NDArray[Any], *, order: Order = "F"
) -> NDArray[Any]:
    """Give every sample the signals of its region, and 0 where there is none.

    The table of values is made for some maps at a time, because where regions are many it has
    about as many values as the image.

    Parameters
    ----------
    codes : array of uint8, uint16 or uint32, any shape
    signals : array, shape (n_regions,) or (n_maps, n_regions)
        In a dtype that images can hold.
    order : {"C", "F"}, default="F"
        Memory order of the result.

    Returns
    -------
    array of the dtype of `signals`, shape of `codes` and then (n_maps,) for 2D signals

    Examples
    --------
    >>> paint_signals(np.array([0, 2, 1], np.uint8), np.array([5.0, 7.0]))
    array([0., 7., 5.])
    """
    maps = np.atleast_2d(signals)
    n_maps, n_regions = maps.shape
    out = _Output.of((*codes.shape, n_maps), maps.dtype, order, is_zero=True)
    at_once = max(1, _TABLE_BYTES // ((1 + n_regions) * maps.dtype.itemsize))
    for first in range(0, n_maps, at_once):
        some = slice(first, min(first + at_once, n_maps))
        table = np.zeros((some.stop - first, 1 + n_regions), maps.dtype)
        table[:, 1:] = maps[some]
        out.paint(codes, table, some)
    return out.array[..., 0] if signals.ndim == 1 else out.array


@dataclass(frozen=True, eq=False)
class _Output:
    """An array of maps to be painted.

    Parameters
    ----------
    array : array, shape of the codes and then (n_maps,)
    order : {"C", "F"}
        Its memory order.
    is_zero : bool
        Whether it is zero already, and zero is the value of no region.
    """

    array: NDArray[Any]
    order: Order
    is_zero: bool

    @classmethod
    def of(
        cls, shape: tuple[int, ...], dtype: np.dtype[Any], order: Order, *, is_zero: bool
    ) -> _Output:
        is_zero = is_zero and math.prod(shape) * dtype.itemsize >= _FRESH_BYTES
        return cls((np.zeros if is_zero else np.empty)(shape, dtype, order=order), order, is_zero)

    def paint(self, codes: NDArray[Any], table: NDArray[Any], maps: slice) -> None:
        """Look up each row of a table, one of each of some maps, at every code."""
        if not self.array.size:
            return
        n_maps = self.array.shape[-1]
        # Both sides as they lie in memory: the last axis varies fastest.
        view = codes.T if self.order == "F" else codes
        by_map = self.order == "F" or n_maps == 1
        samples = encoding.flat(self.array)
        if by_map:
            target = samples.reshape(n_maps, -1)[maps]
        else:
            target = samples.reshape(-1, n_maps)[:, maps]
        if view.flags.c_contiguous:
            paint_whole = _paint_maps if by_map else _paint_series
            paint_whole(view.reshape(-1), table, target, skip_zero=self.is_zero)
        else:
            _paint_slabs(view, table, target, by_map=by_map, skip_zero=self.is_zero)


def value_table(
    values: NDArray[Any],
    columns: NDArray[Any],
    *,
    fill: complex,
    dtype: DTypeLike | None = None,
) -> NDArray[Any]:
    """Return a table of values: the fill value, then one value per region.

    Raises `SignalsError` when the fill value or a value does not fit the dtype; `SignalsTypeError`
    when no image can hold the dtype; `ArgumentTypeError` when the fill value is no number.

    Parameters
    ----------
    values : array, shape (n_maps, n_columns)
    columns : array of int, shape (n_regions,)
        The column of each region; regions with -1 get `fill`.
    fill : number
        The value where there is no region.
    dtype : dtype, default=None
        That of the values when not given.

    Returns
    -------
    array, shape (n_maps, 1 + n_regions)

    Examples
    --------
    >>> value_table(np.array([[5, 7]]), np.array([1, -1, 0]), fill=-9)
    array([[-9,  7, -9,  5]])
    """
    wanted = values.dtype if dtype is None else storage_dtype(dtype)
    table = np.empty((len(values), 1 + len(columns)), wanted)
    table[:] = _fill(fill, wanted)
    has_column = np.flatnonzero(columns >= 0)
    # Only what is painted has to fit the dtype.
    table[:, 1 + has_column] = cast(values[:, columns[has_column]], wanted)
    return table


def _fill(fill: complex, dtype: np.dtype[Any]) -> NDArray[Any]:
    if not isinstance(fill, numbers.Number) or isinstance(fill, np.timedelta64):
        raise ArgumentTypeError(f"fill must be a number; {fill!r} is {type(fill).__name__}.")
    try:
        return cast(_as_number(fill, dtype), dtype)
    except (SignalsError, OverflowError):
        raise SignalsError(
            f"The fill value {examples([fill])} cannot be held by {dtype}, the dtype of the image. "
            "Pass dtype='float32' or 'float64', or another fill value."
        ) from None


def _as_number(fill: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a number as NumPy's: one of another kind (`Decimal`) as an integer, or a float.

    Raises `OverflowError` when it is finite and beyond the range of float64, or `dtype` is of
    integers and would need it rounded to a float first.
    """
    value = np.asarray(fill)
    if value.dtype != object:
        return value
    number = float(fill)
    if math.isinf(number) and abs(fill) != math.inf:
        raise OverflowError  # which a Decimal does not do
    if not math.isfinite(number):
        return np.asarray(number)
    whole = np.asarray(int(fill))
    # NumPy keeps an integer that is too large for its own as an object.
    if whole.dtype != object and whole == fill:
        return whole
    if dtype.kind in "iu":
        raise OverflowError
    return np.asarray(number)


def _paint_slabs(
    codes: NDArray[Any],
    table: NDArray[Any],
    out: NDArray[Any],
    *,
    by_map: bool,
    skip_zero: bool,
) -> None:
    """Paint codes that do not lie in memory as the output does, slab by slab.

    Slabs, so that they are not all in memory a second time.
    """
    n_per_row = math.prod(codes.shape[1:])
    table, out = bits(table), bits(out)

    def paint_slab(rows: slice) -> None:
        slab = np.ascontiguousarray(codes[rows]).reshape(-1)
        samples = slice(rows.start * n_per_row, rows.stop * n_per_row)
        if by_map:
            kernels.paint_maps(slab, table, out[:, samples], skip_zero)
        else:
            _paint_series(slab, table, out[samples], skip_zero=skip_zero)

    step = max(1, _SLAB // max(1, n_per_row))
    slabs = [slice(start, min(start + step, len(codes))) for start in range(0, len(codes), step)]
    in_threads(paint_slab, slabs, None if by_map else 1)


def _paint_maps(
    codes: NDArray[Any], table: NDArray[Any], out: NDArray[Any], *, skip_zero: bool
) -> None:
    """Paint maps that lie in memory one after the other, in threads where that pays.

    A thread gets maps of its own, which keeps it to memory of its own, or a share of the only
    one.
    """
    rows, target = bits(table), bits(out)

    def paint_share(share: tuple[slice, slice]) -> None:
        maps, samples = share
        kernels.paint_maps(codes[samples], rows[maps], target[maps, samples], skip_zero)

    everything = slice(None)
    # As many as pay; the system is asked for its CPUs only where that is several.
    n_threads = out.nbytes // _BYTES_PER_THREAD
    if n_threads > 1:
        n_threads = min(n_cpus(), n_threads)
    if n_threads < 2:
        jobs = [(everything, everything)]
    elif len(rows) > 1:
        jobs = [(maps, everything) for maps in shares(len(rows), min(4 * n_threads, len(rows)))]
    else:
        jobs = [(everything, samples) for samples in shares(len(codes), 4 * n_threads)]
    in_threads(paint_share, jobs, n_threads)


def _paint_series(
    codes: NDArray[Any], table: NDArray[Any], out: NDArray[Any], *, skip_zero: bool
) -> None:
    """Paint a series that lies in memory voxel by voxel."""
    rows: NDArray[Any] = np.ascontiguousarray(table.T).view(np.uint8)
    kernels.paint_series(codes, rows, out.view(np.uint8), skip_zero)


def _is_integer(part: Any) -> bool:
    # To NumPy a bool is a mask, though Python calls it an integer.
    return isinstance(part, int | np.integer) and not isinstance(part, bool)


def _is_basic(part: Any) -> bool:
    return isinstance(part, slice | EllipsisType | None) or _is_integer(part)


def _full_index(parts: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """Return an index with ``...`` and what is left out at the end written as slices."""
    left_out = ndim - (len(parts) - parts.count(None) - parts.count(Ellipsis))
    if left_out < 0 or parts.count(Ellipsis) > 1:
        raise IndexError(f"The index {parts} does not fit an array of {ndim} dimensions.")
    at = parts.index(Ellipsis) if Ellipsis in parts else len(parts)
    return (*parts[:at], *[slice(None)] * left_out, *parts[at + 1 :])
