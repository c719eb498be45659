"""What regions are called by: names, labels, cells of other columns.

A *key* is text or a number that is to stand for a region.  `Identities` says which regions a key
stands for, `Naming` which regions many keys do, `near_misses` what was meant by one that stands
for none.  Names match exactly, in Unicode's composed form (NFC).  A hemisphere may stand before
or after a name in any usual spelling, in a key and in the region table; what it is,
`hemispheres.side_of` says.
"""

from __future__ import annotations

import copy
import difflib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import examples
from .affixes import stripped
from .hemispheres import LEFT, RIGHT, side_of, sides_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .region_table import RegionTable

NAME, LABEL = "name", "label"
"""What identifies a region, beside the titles of other columns of the region table."""

ASKED = frozenset(["auto", NAME, LABEL, "position"])
"""What may be said of keys that is no column of the region table."""

# How alike (difflib's ratio) a key and a name must be for "did you mean".
_NEAR = 0.75

# Comparing a key with a name takes a time that grows with the product of their lengths.  So many
# keys, and so many letters with letters, are compared at most: some tenths of a second.
_COMPARED_KEYS = 20
_COMPARED_LETTERS = 1_000_000

# How labels are written.  None has more digits; Python itself reads no integer of more than 4,300.
_LABEL = re.compile(r"-?(0|[1-9][0-9]{0,999})")


class Identities:
    """What the regions of a table are called by.

    Parameters
    ----------
    table : RegionTable
    has_samples : array of bool, shape (n_regions,), default=None
        Which regions have voxels, vertices or grayordinates; all when not given.
    noun : str, default="voxel"
        What a sample of a region is called.

    Examples
    --------
    >>> from regioncast.atlas.region_table import RegionTable
    >>> table = RegionTable([3, 7], ["V1", "V1"], {"hemisphere": ["L", "R"]})
    >>> identities = Identities(table)
    >>> identities.rows_of("rh_V1", "name"), identities.rows_of("V1", "name")
    ([1], [0, 1])
    """

    def __init__(
        self,
        table: RegionTable,
        has_samples: NDArray[np.bool_] | None = None,
        noun: str = "voxel",
    ) -> None:
        self.table = table
        self.strip: Sequence[str] = ()  # what is cut from keys before they are compared
        self.has_samples = np.ones(len(table), bool) if has_samples is None else has_samples
        self.noun = noun
        self._rows_by_text: dict[str, dict[str, list[int]]] = {}
        self._rows_by_side: dict[str, dict[tuple[str, str], list[int]]] = {}

    @cached_property
    def _text_columns(self) -> list[str]:
        """Titles of the columns of distinct text, in which keys are looked for unasked."""
        return [
            title
            for title, cells in self.table.columns.items()
            if title not in (NAME, LABEL) and _are_distinct_texts(cells)
        ]

    @property
    def n_present(self) -> int:
        """Number of regions that have samples."""
        return int(np.count_nonzero(self.has_samples))

    @cached_property
    def are_labels_unique(self) -> bool:
        """Whether no two regions share a label, as those of two surfaces may."""
        return len(set(self.cells(LABEL))) == len(self.table)

    def cells(self, by: str) -> Sequence[Any]:
        """Return what the regions are called by: names, labels, or the cells of a column."""
        if by == NAME:
            return self.table.names
        if by == LABEL:
            labels: list[int] = self.table.labels.tolist()
            return labels
        return self.table.columns[by]

    def knows(self, by: str) -> bool:
        """Return whether regions can be called by this."""
        return by in (NAME, LABEL) or by in self.table.columns

    def rows_of(self, key: str | int, by: str) -> list[int]:
        """Return the rows of the regions that a key stands for, of those that have samples first.

        Parameters
        ----------
        key : str or int
        by : str
            ``"name"``, ``"label"`` or the title of a column.
        """
        if by not in self._rows_by_text:
            self._index(by)
        text = composed(key)
        rows = self._rows_by_text[by].get(text) or []
        if not rows and isinstance(key, str):
            # Hemispheres are spelt in many ways: "lh_V1" may be "V1" of the left one, or "V1_L".
            side, rest = side_of(text)
            if side is not None:
                _, base = _taken_apart(rest, side)
                rows = self._rows_by_side[by].get((side, base), [])
        if len(rows) < 2:
            return rows
        # A region without samples makes no key ambiguous: no value could reach it.
        return [row for row in rows if self.has_samples[row]] or rows

    def side(self, row: int) -> str | None:
        """Return the hemisphere of a region, by a column of the region table or by its name."""
        if self.table.sides is not None and self.table.sides[row] is not None:
            return self.table.sides[row]
        # A name with words for both, as "left_vs_right", says neither.
        words = sides_within(self.table.names[row])
        return words.pop() if len(words) == 1 else None

    def keep_sides(self, keys: Sequence[str | int], rows_of_keys: Sequence[list[int]]) -> bool:
        """Return whether no key of a hemisphere has a region of the other one."""
        for key, rows in zip(keys, rows_of_keys, strict=True):
            if {LEFT, RIGHT} <= {side_of(composed(key))[0], *map(self.side, rows[:1])}:
                return False
        return True

    def naming(self, keys: Sequence[str | int], by: str = "auto") -> Naming:
        """Return the regions that keys stand for, and by what.

        Parameters
        ----------
        keys : sequence of str or int
        by : str, default="auto"
            ``"auto"``: by whatever names most regions, names before labels before columns.
            ``"text"``: the same, but not by labels.
        """
        keys = self.cut(keys, self.strip)
        # What has no names is called by its labels.
        by_name = [NAME] if self.table.has_names else []
        titles = {
            "auto": [*by_name, LABEL, *self._text_columns],
            "text": [NAME, *self._text_columns],
        }.get(by, [by])
        namings = {
            title: Naming(title, keys, [self.rows_of(key, title) for key in keys])
            for title in titles
        }
        # Of equals the first counts, so names go before labels, and both before columns.
        best = max(namings.values(), key=lambda naming: (naming.n_regions, naming.n_shared))
        if by == "auto" and not best.n_regions and all(isinstance(key, int) for key in keys):
            best = namings[LABEL]  # integers are labels, also of other regions
        # Names are what people mean; a column of abbreviations may hold the name of another region.
        del namings[best.by]
        rivals = [namings[title] for title in (NAME, LABEL) if title in namings]
        return Naming(best.by, keys, best.rows, rivals)

    def cut(self, keys: Sequence[str | int], affixes: Sequence[str]) -> list[str | int]:
        """Return keys without these affixes, which keep the hemisphere that only they said.

        Where no region is of one, that is text like any other.
        """
        rests = stripped(keys, affixes)
        if not affixes or self.table.sides is None:
            return rests
        for place, (key, rest) in enumerate(zip(keys, rests, strict=True)):
            side = side_of(composed(key))[0]
            if side is not None and side_of(composed(rest))[0] is None:
                rests[place] = f"{side}:{rest}"
        return rests

    def stripping(self, affixes: Sequence[str]) -> Identities:
        """Return the same, for keys without these affixes too."""
        other = copy.copy(self)  # which shares what was indexed
        other.strip = [*self.strip, *affixes]
        return other

    def _index(self, by: str) -> None:
        """Note which regions each text stands for, and each text of a hemisphere."""
        by_text: dict[str, list[int]] = {}
        by_side: dict[tuple[str, str], list[int]] = {}
        sides = self.table.sides or [None] * len(self.table)
        for row, cell in enumerate(self.cells(by)):
            if cell is None:
                continue
            text = composed(cell)
            by_text.setdefault(text, []).append(row)
            side, base = _taken_apart(text, sides[row])
            if side is not None:
                by_side.setdefault((side, base), []).append(row)
        self._rows_by_text[by] = by_text
        self._rows_by_side[by] = by_side


@dataclass(frozen=True, eq=False)
class Naming:
    """Which regions keys stand for.

    Parameters
    ----------
    by : str
        ``"name"``, ``"label"`` or the title of a column of the region table.
    keys : sequence of str or int
    rows : list of lists of int
        For each key the rows of its regions: none, one, or several that share it.
    rivals : sequence of Naming
        By what else they stand for regions.
    """

    by: str
    keys: Sequence[str | int]
    rows: list[list[int]]
    rivals: Sequence[Naming] = ()

    @cached_property
    def n_regions(self) -> int:
        """Number of regions that have a key of their own."""
        return len({rows[0] for rows in self.rows if len(rows) == 1})

    @cached_property
    def n_shared(self) -> int:
        """Number of keys that several regions share."""
        return sum(len(rows) > 1 for rows in self.rows)

    def contradicted(self, other: Naming) -> list[str | int]:
        """Return the keys that stand for other regions in another naming of the same length."""
        if self.rows == other.rows:
            return []
        both = zip(self.keys, self.rows, other.rows, strict=True)
        known = [(key, set(mine), theirs) for key, mine, theirs in both if mine and theirs]
        return [key for key, mine, theirs in known if mine.isdisjoint(theirs)]

    @cached_property
    def twice(self) -> list[str | int]:
        """Keys of regions that stand twice; what no region is called may, as totals do."""
        known = [key for key, rows in zip(self.keys, self.rows, strict=True) if rows]
        # As they are compared with names: the two spellings of an accent are one key.
        times = Counter(map(composed, known))
        return [key for key in dict.fromkeys(known) if times[composed(key)] > 1]

    @cached_property
    def problem(self) -> str:
        """What makes these keys name nothing for sure, or ``""``."""
        for rival in self.rivals:
            contradicted = self.contradicted(rival)
            if contradicted:
                if {self.by, rival.by} == {NAME, LABEL}:
                    return (
                        "keys are names and labels, of different regions: "
                        f"{examples(contradicted)}. Pass by='name' or by='label' (--by)"
                    )
                return (
                    f"keys stand for one region by {rival.by} and for another by {self.by}: "
                    f"{examples(contradicted)}. Pass by={rival.by!r} or by={self.by!r} (--by)"
                )
            # Only names and labels are two kinds; a column may well have the names of some regions.
            if self.by not in (NAME, LABEL):
                continue
            known, elsewhere = [], []
            for key, mine, theirs in zip(self.keys, self.rows, rival.rows, strict=True):
                if mine:
                    known.append(key)
                elif theirs:
                    elsewhere.append(key)
            if elsewhere:
                names, labels = (known, elsewhere) if self.by == NAME else (elsewhere, known)
                return (
                    f"keys are partly names ({examples(names)}) and partly labels "
                    f"({examples(labels)}): use one kind"
                )
        return ""


def composed(key: object) -> str:
    """Return a key as text in composed Unicode: a letter and its accent may be one or two."""
    text = str(key)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def label_of(text: str) -> int | None:
    """Return text as an integer where it is written like a label: "7" and "-3", not "07".

    Examples
    --------
    >>> label_of("7"), label_of("-3"), label_of("07"), label_of("7.0")
    (7, -3, None, None)
    """
    return int(text) if _LABEL.fullmatch(text) else None


def _are_distinct_texts(cells: Sequence[object]) -> bool:
    """Return whether a column names regions: text, each once, of which some may lack one."""
    texts = [cell for cell in cells if cell is not None]
    return all(isinstance(cell, str) for cell in texts) and 0 < len(set(texts)) == len(texts)


def _taken_apart(text: str, side: str | None) -> tuple[str | None, str]:
    """Return the hemisphere of a name and the rest, which does not say this hemisphere again."""
    said, base = side_of(text)
    # Where a column says the one hemisphere, a name that says the other is only a name.
    if said is None or side not in (None, said):
        return side, text
    return said, _taken_apart(base, said)[1]


# --- near misses ---------------------------------------------------------------------------------


def near_misses(keys: Sequence[str], names: Iterable[str]) -> dict[str, str]:
    """Return for keys the name most alike, each name once.

    First the same but for case and punctuation, then names that begin or end with the whole key,
    then those of like letters.
    """
    left = {_folded(name): name for name in names}
    sided = Counter(base for side, base in map(side_of, left.values()) if side is not None)
    near: dict[str, str] = {}
    # All of these go first, lest a key of like letters takes the name that another one spells.
    for key in keys:
        folded = _folded(key)
        if folded in left:
            near[key] = left.pop(folded)
    for key in _affordable([key for key in keys if key not in near], left):
        closest = _closest(key, left, sided)
        if closest is not None:
            near[key] = left.pop(closest)
    return near


def _affordable(keys: Sequence[str], names: Mapping[str, str]) -> Iterator[str]:
    """Yield keys for as long as there is time to compare them with all names that are left."""
    budget = _COMPARED_LETTERS
    for key in keys[:_COMPARED_KEYS]:
        budget -= len(_folded(key)) * sum(map(len, names))
        if budget < 0:
            return
        yield key


def _closest(key: str, names: Mapping[str, str], sided: Mapping[str, int]) -> str | None:
    """Return, of folded names, that most like a key which says no hemisphere for it.

    That is the shortest that begins or ends with the whole key, or that of most like letters.
    """
    folded = _folded(key)
    candidates = [other for other, name in names.items() if _guesses_no_side(key, name, sided)]
    # A letter stands at either end of anything.
    if len(folded) > 1:
        whole = [c for c in candidates if c.startswith(folded) or c.endswith(folded)]
        if whole:
            return min(whole, key=len)
    close = difflib.get_close_matches(folded, candidates, n=1, cutoff=_NEAR)
    return close[0] if close else None


def _guesses_no_side(key: str, name: str, sided: Mapping[str, int]) -> bool:
    """Return whether a key and a name say the same hemisphere, or there is only one to be meant."""
    # A hint that moves a value to the other hemisphere would be followed without a look.
    of_key, of_name = sides_within(key), sides_within(name)
    if of_key and of_name:
        return of_key == of_name
    return bool(of_key) or sided[side_of(name)[1]] < 2


def _folded(text: str) -> str:
    """Return text without case, accents, blanks and punctuation, which people vary."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isalnum()) or text
