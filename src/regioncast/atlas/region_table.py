"""The region table: who the regions of a parcellation are.

A *label* is the integer that stands for a region in a labels image; a *name* is what people
call it.  A region table has one row per region, in ascending order of label, and may have
any other column (BIDS ``dseg.tsv`` has ``index``, ``name``, ``abbreviation``, ``color`` and
``mapping``).  Labels are unique; names need not be.

The surfaces of the two hemispheres often share labels and names.  So each row of a pair has a
*hemisphere*, and a region is a label of a hemisphere; text names it by a prefix, ``L:V1``.
"""

from __future__ import annotations

import colorsys
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np

from ..errors import RegionTableError, UnknownKeyError, examples, plural, printable
from ..notebook import ShownInNotebooks
from .hemispheres import HEMISPHERE_TITLE, is_hemisphere_title, says_no_side, side_of_word

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


_LOWEST, _HIGHEST = -(2**63), 2**63 - 1  # of labels, which are int64 here and in images

# From here on a float does not hold every integer.
EXACT = 2.0**53


class Region(NamedTuple):
    """One row of a region table."""

    label: int
    name: str


@dataclass(frozen=True, eq=False)
class RegionTable(ShownInNotebooks):
    """Labels, names and other columns of regions, in ascending order of label.

    Rows given in another order are sorted.

    Parameters
    ----------
    labels : sequence of int, shape (n_regions,)
        Unique.
    names : sequence of str, shape (n_regions,), default=None
        The labels as text when not given.
    columns : mapping of str to sequence, default=None
        Other columns, each of shape (n_regions,).
    hemispheres : sequence of str, shape (n_regions,), default=None
        ``"L"`` or ``"R"``, where the hemispheres have labels of their own.  Where they share
        some, the rows of the left hemisphere come before those of the right.

    Raises
    ------
    RegionTableError
        When a label stands twice, or lengths differ.

    Examples
    --------
    >>> table = RegionTable([20, 7], ["V2", "V1"], {"hemisphere": ["L", "R"]})
    >>> list(table)
    [Region(label=7, name='V1'), Region(label=20, name='V2')]
    >>> table.columns["hemisphere"]
    ('R', 'L')
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]
    columns: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    hemispheres: tuple[str, ...] | None = None

    def __init__(
        self,
        labels: Sequence[int] | NDArray[Any],
        names: Sequence[str] | None = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
        hemispheres: Sequence[str] | None = None,
    ) -> None:
        ids = _integers(labels)
        names = list(map(str, ids.tolist())) if names is None else list(names)
        columns = {} if columns is None else dict(columns)
        of_sides = {} if hemispheres is None else {HEMISPHERE_TITLE: hemispheres}
        for title, column in [("name", names), *columns.items(), *of_sides.items()]:
            if len(column) != len(ids):
                raise RegionTableError(
                    f"The column {title!r} has {plural(len(column), 'row')}, "
                    f"the labels have {len(ids):,}."
                )
        sides = None if hemispheres is None else np.array(hemispheres, str)
        order = _ascending(ids, sides).tolist()
        sorted_ids = ids[order]
        sorted_ids.flags.writeable = False
        in_order = {title: tuple(cells[row] for row in order) for title, cells in columns.items()}
        object.__setattr__(self, "labels", sorted_ids)
        object.__setattr__(self, "names", tuple(names[row] for row in order))
        object.__setattr__(self, "columns", in_order)
        object.__setattr__(
            self, "hemispheres", None if sides is None else tuple(sides[order].tolist())
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.labels.flags.writeable = False  # arrays that were pickled are writeable

    @classmethod
    def joined(cls, tables: Mapping[str, RegionTable]) -> RegionTable:
        """Return one table of the tables of the hemispheres.

        Parameters
        ----------
        tables : mapping of str to RegionTable
            Of ``"L"`` and ``"R"``, in this order.

        Returns
        -------
        RegionTable
            With the hemisphere of each row, and the columns of either table; ``None`` where a
            table has no such column.
        """
        titles = dict.fromkeys(title for table in tables.values() for title in table.columns)
        # The side of each surface is known better than by what its own table says of it.
        titles.pop(HEMISPHERE_TITLE, None)
        names: list[str] = []
        sides: list[str] = []
        columns: dict[str, list[Any]] = {title: [] for title in titles}
        for side, table in tables.items():
            names.extend(table.names)
            sides.extend([side] * len(table))
            for title, cells in columns.items():
                cells.extend(table.columns.get(title, [None] * len(table)))
        labels = np.concatenate([table.labels for table in tables.values()])
        return cls(labels, names, columns, sides)

    @cached_property
    def sides(self) -> tuple[str | None, ...] | None:
        """The hemisphere of each region, where a column says it; None for one of neither alone.

        None where no column says it.  Names may say it too: see `hemispheres.side_of`.
        """
        if self.hemispheres is not None:
            return self.hemispheres
        for title, cells in self.columns.items():
            if not is_hemisphere_title(title):
                continue
            sides = tuple(map(side_of_word, cells))
            unclear = [cell for cell, side in zip(cells, sides, strict=True) if side is None]
            # "side" and "structure" are titles of other things too: every cell has to fit.
            if any(sides) and all(map(says_no_side, unclear)):
                return sides
        return None

    @cached_property
    def has_names(self) -> bool:
        """Whether a region is called by anything else than its label."""
        return self.names != tuple(map(str, self.labels.tolist()))

    @cached_property
    def unique_names(self) -> tuple[str, ...]:
        """The names, with the prefix of their hemisphere where both hemispheres have them."""
        if self.sides is None:
            return self.names
        # A name that only one hemisphere has says enough, and is what the atlas calls it.
        times = Counter(self.names)
        return tuple(
            f"{side}:{name}" if side and times[name] > 1 else name
            for side, name in zip(self.sides, self.names, strict=True)
        )

    @cached_property
    def unique_keys(self) -> tuple[str, ...] | tuple[int, ...]:
        """What tells the regions apart: their names, or else their labels."""
        names = self.unique_names
        if len(set(names)) == len(names):
            return names
        # What is extracted is called by these, and has to be painted again: all of one kind.
        if self.hemispheres is None:
            return tuple(self.labels.tolist())
        pairs = zip(self.hemispheres, self.labels.tolist(), strict=True)
        return tuple(f"{side}:{label}" for side, label in pairs)

    @property
    def ids(self) -> list[tuple[str, int]]:
        """The hemisphere, where labels are those of one, and the label: no two regions share it."""
        sides = self.hemispheres or [""] * len(self)
        return list(zip(sides, self.labels.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Region]:
        return map(Region, self.labels.tolist(), self.names)

    def __getitem__(self, title: str) -> NDArray[Any]:
        """Return a column: ``"index"`` (labels), ``"name"`` or another title.

        Returns
        -------
        array, shape (n_regions,)
            Of numbers, or of objects where there is text.

        Raises
        ------
        UnknownKeyError
            A `KeyError`; it lists the titles that there are.
        """
        columns = {"index": self.labels, "name": self.names, **self.other_columns}
        if title not in columns:
            raise UnknownKeyError(
                f"The region table has no column {title!r}; its columns are "
                f"{examples(columns, show=20)}. A row is to_records()[n]."
            )
        array = np.array(columns[title])
        return array if array.dtype.kind in "biuf" else np.array(columns[title], object)

    def __repr__(self) -> str:
        """Return the table, without rows in the middle where there are many."""
        further = self.other_columns
        rows = zip(self.labels.tolist(), self.names, *further.values(), strict=True)
        cells = [("index", "name", *further), *(tuple(map(str, row)) for row in rows)]
        lines = text_table(cells, max_rows=SHOWN_ROWS)
        return "\n".join([f"RegionTable: {plural(len(self), 'region')}", *lines])

    def without(self, label: float) -> RegionTable:
        """Return the table without the row of a label.

        Parameters
        ----------
        label : number
            Whose row is left out; the table is the same where it has none.

        Returns
        -------
        RegionTable
        """
        return self.take(np.flatnonzero(self.labels != label))

    def take(self, rows: NDArray[np.intp]) -> RegionTable:
        """Return the table of some rows.

        Parameters
        ----------
        rows : array of int
            Their numbers, from 0.

        Returns
        -------
        RegionTable
        """
        return RegionTable(
            self.labels[rows],
            [self.names[row] for row in rows],
            {title: [column[row] for row in rows] for title, column in self.columns.items()},
            None if self.hemispheres is None else [self.hemispheres[row] for row in rows],
        )

    def with_labels(self, labels: NDArray[np.int64]) -> RegionTable:
        """Return the table with a row for each further label.

        Parameters
        ----------
        labels : array of int64
            Those that have no row get one, named by the label; other columns are ``None`` there.

        Returns
        -------
        RegionTable
        """
        new = np.setdiff1d(labels, self.labels)
        if not len(new):
            return self
        return RegionTable(
            np.concatenate([self.labels, new]),
            [*self.names, *(str(label) for label in new.tolist())],
            {title: [*column, *[None] * len(new)] for title, column in self.columns.items()},
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the columns ``index``, ``name`` and the others, as in a BIDS ``dseg.tsv``."""
        import pandas as pd

        further = self.other_columns
        return pd.DataFrame({"index": self.labels, "name": list(self.names), **further})

    def to_records(self) -> list[dict[str, Any]]:
        """Return one mapping per region: ``label``, ``name`` and the other columns."""
        further = self.other_columns
        rows = zip(self.labels.tolist(), self.names, *further.values(), strict=True)
        return [dict(zip(("label", "name", *further), row, strict=True)) for row in rows]

    @property
    def other_columns(self) -> dict[str, tuple[Any, ...]]:
        """The columns beside labels and names, with that of the hemispheres, by their titles."""
        sides = {} if self.hemispheres is None else {HEMISPHERE_TITLE: self.hemispheres}
        return {**sides, **self.columns}


def range_problem(labels: Iterable[int | None]) -> str:
    """Return what is wrong where integers are none that a label can be, or ``""``.

    Examples
    --------
    >>> range_problem([7, None, -(2**63)])
    ''
    >>> range_problem([7, 2**63]).partition(".")[0]
    '1 label beyond 64 bits: 9223372036854775808'
    """
    beyond = [label for label in labels if label is not None and not _LOWEST <= label <= _HIGHEST]
    if not beyond:
        return ""
    return (
        f"{plural(len(beyond), 'label')} beyond 64 bits: {examples(beyond)}. "
        "Labels go from -2**63 to 2**63 - 1: renumber the regions, here and in the labels image."
    )


def _integers(labels: Sequence[int] | NDArray[Any]) -> NDArray[np.int64]:
    array = np.array(labels).reshape(-1)
    if array.dtype.kind == "i":
        return array.astype(np.int64)
    # As they were given: NumPy makes floats of integers on both sides of 2**63.
    listed = np.array(labels, object).reshape(-1).tolist()
    wrong = [label for label in listed if not is_whole(label)]
    if wrong:
        raise RegionTableError(
            f"Labels must be integers; {plural(len(wrong), 'value')} no integer: {examples(wrong)}."
        )
    large = list(filter(is_inexact, listed))
    if large:
        raise RegionTableError(
            "Floats do not tell labels from 2**53 on apart; give integers instead of "
            f"{examples(large)}."
        )
    integers = list(map(int, listed))
    problem = range_problem(integers)
    if problem:
        raise RegionTableError(f"The region table has {problem}")
    return np.array(integers, np.int64)


def is_whole(label: object) -> TypeGuard[int]:
    """Return whether this is an integer, or a float without a fraction.

    Examples
    --------
    >>> is_whole(7), is_whole(7.0), is_whole(7.5), is_whole(True), is_whole("7")
    (True, True, False, False, False)
    """
    if isinstance(label, float | np.floating):
        return float(label).is_integer()
    # To Python and NumPy truth and spans of time are integers; as labels they are mistakes.
    return isinstance(label, int | np.integer) and not isinstance(label, bool | np.timedelta64)


def is_inexact(label: object) -> bool:
    """Return whether this is a float so large that it does not tell integers apart."""
    return isinstance(label, float | np.floating) and abs(float(label)) >= EXACT


def _ascending(ids: NDArray[np.int64], sides: NDArray[np.str_] | None) -> NDArray[np.intp]:
    """Return the rows by ascending label, and by hemisphere first where these share labels.

    Raises `RegionTableError` when a label stands twice in one hemisphere.
    """
    if sides is None:
        _check_unique(ids)
        return np.argsort(ids, kind="stable")
    for side in np.unique(sides):
        _check_unique(ids[sides == side])
    # Where no label is shared, this is a table as any other.  Where some are, the hemispheres
    # follow each other, as their vertices do.
    is_shared = len(np.unique(ids)) < len(ids)
    return np.lexsort((ids, sides) if is_shared else (ids,))


def _check_unique(labels: NDArray[np.int64]) -> None:
    distinct, counts = np.unique(labels, return_counts=True)
    twice = distinct[counts > 1]
    if len(twice):
        raise RegionTableError(
            f"{plural(len(twice), 'label')} in the region table "
            f"{'stands' if len(twice) == 1 else 'stand'} in more than one row: "
            f"{examples(twice.tolist())}. Each region needs one row; remove or renumber the others."
        )


SHOWN_ROWS = 10
"""How many rows a repr shows."""


def text_table(
    cells: Sequence[Sequence[str]], *, max_rows: int, right: Sequence[int] = (0,)
) -> list[str]:
    """Return the lines of a table for people, whose first row is the header.

    Parameters
    ----------
    cells : sequence of rows of text
    max_rows : int
        Beyond this many, rows in the middle are left out, and one line says how many.
    right : sequence of int, default=(0,)
        The columns that are aligned to the right.

    Examples
    --------
    >>> for line in text_table([("n", "name"), ("1", "V1"), ("20", "V2")], max_rows=10):
    ...     print(line)
     n  name
     1  V1
    20  V2
    """
    shown: list[Sequence[str]] = list(cells)
    n_left_out = len(cells) - 1 - max_rows
    half = max_rows // 2
    if n_left_out > 0:
        del shown[half + 1 : half + 1 + n_left_out]
    shown = [[printable(cell) for cell in row] for row in shown]
    # Only what is shown counts for the widths: a long name in the middle would widen them all.
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = []
    for row in shown:
        aligned = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(aligned).rstrip())
    if n_left_out > 0:
        lines.insert(half + 1, f"… {n_left_out:,} more …")
    return lines


HEX_COLOR = re.compile(r"#[0-9a-fA-F]{6}(?:[0-9a-fA-F]{2})?")
"""A colour, maybe with its opacity."""


def new_color(number: int) -> str:
    """Return one of a fixed series of colours, ``#rrggbb``, each far from those shortly before."""
    # Steps of the irrational numbers that fill a cube most evenly (Roberts 2018, R3 sequence).
    hue, saturation, value = (number * step % 1 for step in (0.8191725, 0.6710436, 0.5497005))
    color = hex_color(colorsys.hsv_to_rgb(hue, 0.45 + 0.55 * saturation, 0.55 + 0.45 * value))
    assert color is not None, "all parts of it are there"
    return color


def hex_color(parts: Sequence[float | None]) -> str | None:
    """Return red, green, blue and maybe opacity, each from 0 to 1, as ``#rrggbb``.

    Opacity follows where it is not full.  Where one of them is not there, or no number, there is
    no colour.

    Examples
    --------
    >>> hex_color([1.0, 0.5, 0.0]), hex_color([1.0, 0.5, 0.0, 1.0]), hex_color([0, 0, 0, 0])
    ('#ff8000', '#ff8000', '#00000000')
    """
    channels = [math.nan if part is None else float(part) for part in parts]
    if any(map(math.isnan, channels)):
        return None
    # Half up, as graphics programs round.
    numbers = [int(min(max(channel, 0.0), 1.0) * 255 + 0.5) for channel in channels]
    shown = numbers[:3] if numbers[3:] == [255] else numbers
    return "#" + "".join(f"{number:02x}" for number in shown)
