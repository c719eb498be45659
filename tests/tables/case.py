"""What a case of a table is: a table and an answer, side by side.

A *table* is written with bars between its cells, as it would be printed::

    name | z
    V1   | 0.5

It says what is in the cells and nothing of how a file separates, quotes or encodes them, so the
same table goes through every door: files of all dialects, DataFrames, dicts and Series.  A case
of a dialect holds the *text* of a file instead, as it is, and a case of an object what makes it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# A region of a map: its label, or side and label where hemispheres share labels: "L:3".
Region = int | str
Map = Mapping[Region, float]


@dataclass(frozen=True)
class Table:
    """Cells as text, row by row; the first row are the titles unless there is no header."""

    rows: list[list[str]]
    header: bool = True

    @property
    def titles(self) -> list[str]:
        return self.rows[0] if self.header else [str(n) for n in range(len(self.rows[0]))]

    @property
    def body(self) -> list[list[str]]:
        return self.rows[1:] if self.header else self.rows

    @property
    def columns(self) -> list[list[str]]:
        return [list(cells) for cells in zip(*self.body, strict=True)]


def parse(text: str, *, header: bool = True) -> Table:
    """Read a table with bars."""
    lines = [line for line in textwrap.dedent(text).splitlines() if line.strip()]
    return Table([[cell.strip() for cell in line.split("|")] for line in lines], header)


@dataclass(frozen=True)
class Case:
    """A table of values, the regions it meets, and what comes of it.

    Parameters
    ----------
    name : str
    table : str
        With bars; empty for cases of text and objects.
    text, file : str or bytes, and str
        What is in a file, and its name.
    make : callable
        Makes the values.
    atlas : str
        A name of `atlases.ATLASES`.
    header : bool
        Whether the first row of a table is one of titles.
    index : bool
        Whether the first column of a table is the index of a DataFrame.
    as_text : str
        Titles of columns, separated by spaces, whose cells are text in a DataFrame though they
        look like numbers.
    maps : mapping of regions to values, of names of maps to such, or a list of such
        The answer: regions that are not listed hold the fill value, 0.  The names of maps are
        checked where they are given.
    refuses : error, then fragments of its message
        The other answer.
    through : str
        The door that this answer is of, where the others have another.
    elsewhere : tuple of str
        Doors that have an answer of their own.
    series : bool
        Whether a single map is painted as a series of one.
    dtype : str
        That of the image, where it matters.
    options : mapping
        Of `paint`.
    """

    name: str
    table: str = ""
    text: str | bytes = ""
    file: str = ""
    make: Callable[[], Any] | None = None
    atlas: str = "four"
    header: bool = True
    index: bool = False
    as_text: str = ""
    maps: Map | Mapping[str, Map] | Sequence[Map] | None = None
    refuses: tuple[Any, ...] = ()
    through: str = ""
    elsewhere: tuple[str, ...] = ()
    series: bool = False
    dtype: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert bool(self.refuses) != (self.maps is not None), self.name
        assert bool(self.table) + bool(self.file) + bool(self.make) == 1, self.name

    @property
    def parsed(self) -> Table:
        return parse(self.table, header=self.header)

    @property
    def list_of_maps(self) -> list[Map]:
        """The maps in order, whether they have names or not."""
        if isinstance(self.maps, Mapping):
            return list(self.maps.values()) if self.map_names else [self.maps]
        return list(self.maps or [])

    @property
    def map_names(self) -> list[str]:
        """The names of the maps, where the case tells them."""
        if isinstance(self.maps, Mapping) and any(
            isinstance(values, Mapping) for values in self.maps.values()
        ):
            return list(map(str, self.maps))
        return []


@dataclass(frozen=True)
class RegionCase:
    """A region table, the labels of the image it meets, and what comes of it.

    Parameters
    ----------
    name, table, text, file, make, header, as_text, refuses, through, elsewhere
        As in `Case`.
    labels : sequence of int
        Those of the image; none: not known.
    regions : mapping of labels to names
        The answer.
    columns : mapping of titles to cells
        The other columns, in ascending order of label; checked where given.
    sides : str
        A letter per region, in ascending order of label; checked where given.
    pairs : bool
        Whether the first two columns are labels and names, so that a dict, pairs, a Series and
        XML can say the same.
    """

    name: str
    table: str = ""
    text: str | bytes = ""
    file: str = ""
    make: Callable[[], Any] | None = None
    labels: Sequence[int] = ()
    header: bool = True
    as_text: str = ""
    regions: Mapping[int, str] | None = None
    columns: Mapping[str, Sequence[Any]] | None = None
    sides: str = ""
    refuses: tuple[Any, ...] = ()
    through: str = ""
    elsewhere: tuple[str, ...] = ()
    pairs: bool = False

    def __post_init__(self) -> None:
        assert bool(self.refuses) != (self.regions is not None), self.name
        assert bool(self.table) + bool(self.file) + bool(self.make) == 1, self.name

    @property
    def parsed(self) -> Table:
        return parse(self.table, header=self.header)


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf")
NOTHING = frozenset(
    ["", "n/a", "N/A", "NA", "nan", "NaN", "-nan", "None", "null", "NULL", "<NA>", "#N/A"]
)
FLAGS = {"True": True, "False": False, "TRUE": True, "FALSE": False}


def typed(cells: Sequence[str], *, as_text: bool = False) -> list[Any]:
    """Return cells as a DataFrame holds them: integers, floats or text; None for nothing.

    Cells such as ``007`` are text: whoever had made numbers of them would have lost something.
    """
    given = [cell for cell in cells if cell not in NOTHING]
    if given and not as_text and set(given) <= FLAGS.keys():
        return [FLAGS.get(cell) for cell in cells]
    if as_text or not given or not all(map(_NUMBER.fullmatch, given)):
        return [None if cell in ("", "n/a") else cell for cell in cells]
    if any(re.match(r"[+-]?0\d|\+", cell) for cell in given):
        return list(cells)
    whole = all(re.fullmatch(r"-?\d+", cell) for cell in given)
    number = int if whole else float
    return [None if cell in NOTHING else number(cell) for cell in cells]
