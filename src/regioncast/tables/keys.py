"""The judge: which column of a table, or its row of titles, names the regions.

Whoever could name regions is a *candidate*: a column, the index, the titles.  Each is tried
against the regions, and `find` decides, for tables of values and for region tables alike:

- The image decides: the candidate that names most regions is it.
- A title decides only between equals.
- Two that name regions and differ are an error that shows them all, and so is none.
- What merely counts rows says nothing, unless it is titled as labels and nothing else names a
  region.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..atlas.identities import LABEL, NAME, Identities, Naming, label_of
from ..atlas.no_region import names_no_region
from ..atlas.region_table import EXACT, RegionTable
from ..errors import MatchError, RegionTableError, examples, plural
from ..identity import may_paint, nearly_named, start_problem
from .cells import are_distinct, is_number
from .titles import (
    is_map_title,
    is_name_title,
    label_rank,
    normal_title,
    says_whose,
    speaks_of_labels,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..signals import Key
    from .table import Column, Table


@dataclass(frozen=True, eq=False)
class Candidate:
    """What may name the regions.

    Parameters
    ----------
    called : str
        What to call it in messages: ``the column 'roi'``, ``the row of titles``.
    naming : Naming
        The regions that its cells name.
    column : Column or None
        None: the titles.
    rank : int
        How much its title says that it holds labels or names; decides between equals.
    """

    called: str
    naming: Naming
    column: Column | None
    rank: int = 0

    @classmethod
    def of_labels(cls, column: Column, identities: Identities, rank: int = 0) -> Candidate:
        """Return a column of integers, whatever its title, as one of labels."""
        keys = keys_of(column, as_labels=True)
        return cls(column.called, identities.naming(keys, LABEL), column, rank)

    @property
    def title(self) -> Key | None:
        """The title of its column; None for the titles themselves."""
        return None if self.column is None else self.column.title

    @property
    def n_regions(self) -> int:
        """Number of regions that it names."""
        return self.naming.n_regions

    @property
    def labels(self) -> list[int]:
        """Its keys that are integers."""
        return [key for key in self.naming.keys if isinstance(key, int)]

    @property
    def names_some(self) -> bool:
        """Whether it names a region, or several by one key."""
        return self.naming.n_regions + self.naming.n_shared > 0

    @property
    def is_distinct(self) -> bool:
        """Whether each key stands once; of titles, each that names a region, as totals may not."""
        if self.column is not None:
            return are_distinct(self.naming.keys)
        pairs = zip(self.naming.keys, self.naming.rows, strict=True)
        return are_distinct([key for key, rows in pairs if rows])

    @property
    def merely_counts(self) -> bool:
        """Whether it counts rows from 0 or from 1, in their order, or columns beside a title."""
        if self.column is not None:
            return counts_rows(self.naming.keys)
        # Titles of other columns, such as those that name the maps, stand beside the numbers.
        pairs = zip(self.naming.keys, self.naming.rows, strict=True)
        return counts_rows([key for key, rows in pairs if rows or isinstance(key, int)])

    @property
    def fit(self) -> tuple[bool, int, int]:
        """How well it fits; keys that stand twice name no region for sure."""
        return self.is_distinct, self.n_regions, self.rank

    @property
    def shown(self) -> str:
        """How many regions it names, for messages."""
        by = f" by {self.naming.by}" if self.n_regions else ""
        return f"{self.called} names {self.n_regions:,}{by} ({examples(self.naming.keys, show=3)})"

    def contradicted(self, other: Candidate) -> list[Key]:
        """Return the keys of rows that mean other regions there."""
        if self.column is None or other.column is None:
            return []
        return self.naming.contradicted(other.naming)

    def differs_from(self, other: Candidate) -> bool:
        """Return whether a row means other regions there, or rows and columns change places."""
        is_turned = (self.column is None) != (other.column is None)
        return is_turned or bool(self.contradicted(other))

    def outdoes(self, other: Candidate, *, or_equals: bool) -> bool:
        """Return whether its keys, each once, name more regions than the other; or as many."""
        n_enough = other.n_regions if or_equals else other.n_regions + 1
        return self.n_regions >= n_enough and self.is_distinct


def counts_rows(keys: Sequence[object]) -> bool:
    """Return whether keys count rows: 0, 1, 2, … or 1, 2, 3, …, in this order.

    Examples
    --------
    >>> counts_rows([1, 2, 3]), counts_rows(["0", "1"]), counts_rows([2, 1])
    (True, True, False)
    """
    integers = [label_of(str(key)) for key in keys]
    n_rows = len(integers)
    return n_rows > 0 and integers in (list(range(n_rows)), list(range(1, n_rows + 1)))


# --- keys of a column ----------------------------------------------------------------------------


def keys_of(column: Column, *, as_labels: bool = False) -> list[Key]:
    """Return cells as keys: as they are written, or as integers; rows without one are ``""``."""
    keys: list[Key] = []
    for text, integer in zip(column.texts, column.integers, strict=True):
        if text is None or integer is None:
            keys.append(text or "")
        elif str(integer) == text or (as_labels and _is_written_as_label(text)):
            keys.append(integer)
        else:
            keys.append(text)
    return keys


def _is_written_as_label(text: str) -> bool:
    """Return whether an integer is written as labels are, or as floats of them: not ``007``."""
    digits, point, _ = text.replace(",", ".").removeprefix("-").partition(".")
    if not digits.isdigit():
        return False
    if point and int(digits) >= EXACT:
        return False  # a float may have rounded it
    return digits == "0" or digits[0] != "0"


def naming_of_cells(column: Column, identities: Identities, by: str) -> Naming:
    """Return what the cells of a column name: as they are written, or as integers.

    Names may look like numbers, and labels may have become floats: ``7.0`` is 7 where nothing is
    called so.
    """
    written = identities.naming(keys_of(column), by)
    has_integers = any(integer is not None for integer in column.integers)
    if by == "text" or not has_integers:
        return written
    keys = keys_of(column, as_labels=True)
    if by != "auto":
        as_labels = identities.naming(keys, by)
        return as_labels if as_labels.n_regions > written.n_regions else written
    labels = identities.naming(keys, LABEL)
    if labels.n_regions > written.n_regions:
        return Naming(labels.by, labels.keys, labels.rows, rivals=[written])
    return Naming(written.by, written.keys, written.rows, rivals=[*written.rivals, labels])


# --- tables of values ----------------------------------------------------------------------------


def find(table: Table, identities: Identities, by: str = "auto") -> Candidate:
    """Return who names the regions in a table of values: a column, or the titles.

    Raises `MatchError` when nothing names a region, or two candidates differ.

    Parameters
    ----------
    table : Table
    identities : Identities
    by : str, default="auto"
        What the keys are to be.
    """
    judge = _Judge(table, identities, by)
    # Each group is asked only where none before it names a region.
    for group in (judge.telling, judge.counting, judge.indexes, judge.integers):
        candidates = group()
        if candidates:
            return judge.best_of(candidates)
    hint = judge.nearly()
    meant = [] if hint else judge.meant()
    if meant:
        return judge.best_of(meant)
    raise judge.nothing_fits(hint)


class _Judge:
    """The candidates of one table of values, and what speaks for and against each."""

    def __init__(self, table: Table, identities: Identities, by: str) -> None:
        self.table = table
        self.identities = identities
        self.by = by
        self.body = [column for column in table.columns if column is not table.map_column]
        self.texts = [column for column in self.body if column.is_text]
        self.candidates = [*self._columns(), *self._titles()]

    def _columns(self) -> list[Candidate]:
        """Return the columns of text, and those of integers that are titled as labels or names."""
        candidates = []
        for column in self.body:
            if _is_bare_index(column):
                # One of several levels says something; one alone may be what selecting rows left.
                if len(self.table.index) > 1 and column.are_integers:
                    candidates.append(Candidate.of_labels(column, self.identities))
                continue
            claim = _claim(column, self.identities)
            if claim is None:
                continue
            by = claim if self.by == "auto" else self.by
            naming = naming_of_cells(column, self.identities, by)
            rank = label_rank(column.title, in_values=True) or 2 * is_name_title(column.title)
            if column.is_text:
                rank = 3  # where a name and a label say the same, the name is shown
            candidates.append(Candidate(column.called, naming, column, rank))
        return candidates

    def _titles(self) -> list[Candidate]:
        """Return the row of titles, if there is one."""
        titles = [column.title for column in self.body if not column.is_index]
        if not self.table.has_header or not titles:
            return []
        naming = self.identities.naming(titles, self.by)
        return [Candidate("the row of titles", naming, None, 1)]

    def _holders(self, columns: Iterable[Column]) -> Iterator[Candidate]:
        """Yield the columns of integers among these, whatever their titles, as labels."""
        for column in columns:
            if column.are_integers:
                yield Candidate.of_labels(column, self.identities)

    # Groups, of which each is asked where those before it name nothing.

    def telling(self) -> list[Candidate]:
        """Return who names regions and does more than count rows."""
        naming = [candidate for candidate in self.candidates if candidate.names_some]
        if self.by != "auto":
            return naming  # it was said what the keys are
        return [candidate for candidate in naming if not candidate.merely_counts]

    def counting(self) -> list[Candidate]:
        """Return what counts rows or columns, and is meant to name the regions all the same.

        A column is if it is titled as labels and there are no names, which may be those of another
        atlas; titles are if they are the labels of all regions, or stand beside the names of maps.
        """
        meant = []
        for candidate in self.candidates:
            if not candidate.names_some:
                continue
            if candidate.column is None:
                is_complete = candidate.n_regions == self.identities.n_present
                is_meant = is_complete or self._names_maps()
            else:
                is_meant = candidate.rank > 1 and not self._has_strange_names()
            if is_meant:
                meant.append(candidate)
        return meant

    def indexes(self) -> list[Candidate]:
        """Return an index of numbers without a title, if it names every region.

        Selecting and sorting rows leave such an index behind, which then says nothing of regions:
        so it counts only where nothing else does, and the image confirms it, or `by` says what it
        holds.
        """
        candidates = []
        for column in filter(_is_bare_index, self.body):
            naming = naming_of_cells(column, self.identities, self.by)
            if naming.n_regions and (self.by != "auto" or self._confirms(naming)):
                candidates.append(Candidate(column.called, naming, column))
        return candidates

    def integers(self) -> list[Candidate]:
        """Return columns of integers of any title, where it was said that they are labels."""
        if self.by != LABEL:
            return []
        return [holder for holder in self._holders(self.body) if holder.names_some]

    def meant(self) -> list[Candidate]:
        """Return who is meant to name regions and names none: the match will show both sides."""
        if self._names_maps():
            return [candidate for candidate in self.candidates if candidate.column is None]
        for candidate in self.candidates:
            is_text = candidate.column is not None and candidate.column.is_text
            if is_text and candidate.is_distinct:
                return [candidate]
        return []

    # Of a group, the best; and what contradicts it.

    def best_of(self, candidates: Sequence[Candidate]) -> Candidate:
        """Return the candidate that fits best; raise where others differ from it."""
        best = max(candidates, key=lambda candidate: candidate.fit)
        rivals = self._differing(best, candidates)
        if self.by in ("auto", LABEL):  # else it was said that labels are not meant
            if best.column is None:
                rivals += self._rows_beside_titles(best)
            else:
                rivals += self._better_labels(best, best.column)
        if self.by == "auto":
            rivals += self._counted_labels(best)
        if rivals:
            raise _several(self.table, self.identities, [best, *rivals])
        return best

    def _differing(self, best: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Return those of a group that differ from the best and are meant to name regions."""
        n_all = self.identities.n_present
        rivals = []
        for other in candidates:
            if not other.differs_from(best):
                continue
            # Groups and seeds say the same in several rows.  They are not meant to name regions,
            # unless their title is that of labels and of nothing else.
            is_titled = other.rank == 2 and other.n_regions > 1
            if not other.is_distinct and not is_titled:
                continue
            # Titles, say, name some regions by chance, as a column names them all.
            is_turned = (other.column is None) != (best.column is None)
            if is_turned and other.n_regions < best.n_regions == n_all:
                continue
            rivals.append(other)
        return rivals

    def _better_labels(self, best: Candidate, titled: Column) -> list[Candidate]:
        """Return columns of integers that hold more labels than the one that is titled so.

        Or as many, where its title says so in part only, as ``old_id`` does.
        """
        if not may_be_labels(titled):
            return []  # but names, which may be numbers
        numbers = [c for c in self.body if c is not titled and not c.is_text]
        if len(numbers) == 1:
            return []  # these can only be the values
        better = []
        for holder in self._holders(numbers):
            may_tie = best.rank != 2 and holder.differs_from(best)
            if holder.outdoes(best, or_equals=may_tie):
                better.append(holder)
        return better

    def _counted_labels(self, best: Candidate) -> list[Candidate]:
        """Return what counts rows, is titled as labels and names a region in each row.

        Beside names it only counts; but other integers, or text of another title, may be anything.
        """
        column = best.column
        if column is None or (column.is_text and is_name_title(column.title)):
            return []
        rivals = []
        for other in self.candidates:
            is_titled = other.rank == 2 and other.column is not None
            if not is_titled or not other.merely_counts:
                continue
            if all(other.naming.rows) and other.differs_from(best):
                rivals.append(other)
        return rivals

    def _rows_beside_titles(self, best: Candidate) -> list[Candidate]:
        """Return columns of integers that hold more labels than titles name regions.

        Or as many, where titles too are integers: then rows may be regions as well as columns.
        """
        if not best.names_some:
            return []
        rivals = []
        for column in self.body:
            if is_map_title(column.title) or not column.are_integers:
                continue
            # The values of a region, in a column that is titled by it, may be anything.
            names_region = self.identities.naming([column.title], self.by).n_regions > 0
            may_tie = best.naming.by == LABEL and not names_region
            holder = Candidate.of_labels(column, self.identities)
            if holder.outdoes(best, or_equals=may_tie):
                rivals.append(holder)
        return rivals

    # What the rest of the table says.

    def _confirms(self, naming: Naming) -> bool:
        """Return whether the image confirms an index, and nothing else could be the regions."""
        named = {row for rows in naming.rows for row in rows}
        is_complete = named.issuperset(np.flatnonzero(self.identities.has_samples).tolist())
        # As many columns as regions may be one for each.
        is_square = len(self.table.body) == len(self.identities.table) > 1
        return is_complete and not is_square and not self._has_strange_names()

    def _names_maps(self) -> bool:
        """Return whether a column says by its title that it names maps."""
        if self.table.map_column is not None:
            return True
        return any(is_map_title(column.title) for column in self.texts)

    def _has_strange_names(self) -> bool:
        """Return whether a column of distinct text is there: names of another atlas, maybe."""
        if not self.identities.table.has_names:
            return False
        return any(are_distinct(column.texts) for column in self.texts)

    # Errors.

    def nearly(self) -> str:
        """Return what to do about keys that are groups of regions, or have something beside names.

        What names maps may look so too, and so do lines that were read as one cell.
        """
        may_be_line = len(self.table.columns) == 1
        for candidate in self.candidates:
            if not is_map_title(candidate.title) and (candidate.column is None or not may_be_line):
                hint = nearly_named(candidate.naming.keys, self.identities, self.finds)
                if hint:
                    return f"In {candidate.called}, {hint}"
        return ""

    def finds(self, identities: Identities) -> bool:
        """Return whether the table names regions, for other keys."""
        try:
            return find(self.table, identities, self.by).names_some
        except MatchError:
            return False

    def nothing_fits(self, hint: str) -> MatchError:
        """Return the error for a table in which nothing names regions, with all that was tried."""
        table, identities = self.table, self.identities
        shown = self._tried()
        opening = f". {hint}. None" if hint else ": none"
        ways = ["key= (--key) to name the column of regions"]
        if any(may_paint(index.naming, identities) for index in self._holders(table.index)):
            ways.append("by='label' (--by label) if the index is the labels")
        if fits_by_position(table, identities):
            ways.append("by='position' (--by position) for values in ascending order of label")
        return MatchError(
            f"{table.subject} has no column of regions{opening} of its columns "
            f"({examples(table.titles)}) holds, and none of them is, a "
            f"name or label for sure. Tried: {'; '.join(shown) or 'nothing to try'}. "
            f"Names: {examples(identities.cells(NAME))}. Labels: "
            f"{examples(identities.cells(LABEL))}. Pass {', or '.join(ways)}."
        )

    def _tried(self) -> list[str]:
        """Return what each candidate names, and what else the table holds that is like labels."""
        shown = [candidate.shown for candidate in self.candidates[:5]]
        present = self.identities.table.labels[self.identities.has_samples].tolist()
        tried = {candidate.column for candidate in self.candidates}
        for candidate in self._holders(self.body):
            if candidate.column in tried:
                problem = start_problem(candidate.labels, present)
                if problem:
                    shown.append(f"{candidate.called} {problem}")
            elif candidate.n_regions:
                shown.append(f"{candidate.shown}, and no title says that it holds labels")
        large = self._large_floats()
        if large:
            shown.append(f"floats do not tell labels from 2**53 on apart: {examples(large)}")
        return shown

    def _large_floats(self) -> list[str]:
        """Return cells titled as labels that a float may have rounded."""
        large = []
        for column in self.body:
            if column.is_text or not label_rank(column.title):
                continue
            for text, integer in zip(column.texts, column.integers, strict=True):
                # As integers, whatever their size, labels are exact.
                if text is None or str(integer) == text:
                    continue
                number = text.replace(",", ".")
                if is_number(number) and abs(float(number)) >= EXACT:
                    large.append(text)
        return large


def _is_bare_index(column: Column) -> bool:
    """Return whether this is an index of numbers without a title, as selecting rows leaves one."""
    return column.is_index and column.title == "" and not column.is_text


def _claim(column: Column, identities: Identities) -> str | None:
    """Return what a column says that it holds: text, labels, either, or nothing that names."""
    is_labels = label_rank(column.title, in_values=True) > 0
    if column.is_text or is_name_title(column.title):
        if not any(column.texts):
            return None  # but "NA" may be the name of a nucleus
        # ``label`` and ``region`` may stand over names and over labels, other titles may not; but
        # what is left of text where something was cut may be labels.
        return "auto" if is_labels or identities.strip else "text"
    return LABEL if is_labels and column.are_integers else None


def may_be_map(column: Column) -> bool:
    """Return whether a column may be a map: no text, and not titled as labels or names.

    Labels may also be those of another atlas or of networks: ``index_17network``, ``network_id``;
    and numbers of subjects and sessions are no values either.
    """
    is_numbered = speaks_of_labels(column.title) or says_whose(column.title)
    if column.is_text or (column.are_integers and is_numbered):
        return False
    return not normal_title(column.title).endswith("name")


def holds_labels(column: Column) -> bool:
    """Return whether a column holds integers that its title says are labels, and nothing else."""
    return column.are_integers and label_rank(column.title, in_values=True) == 2


def may_be_labels(column: Column) -> bool:
    """Return whether a column holds integers, and is an index or its title speaks of labels."""
    is_titled = column.is_index or label_rank(column.title, in_values=True) > 0
    return is_titled and column.are_integers


def data_columns(table: Table) -> list[Column]:
    """Return the columns but for the index and that of the names of maps."""
    return [column for column in table.body if column is not table.map_column]


def maps_by_position(table: Table) -> list[Column]:
    """Return the columns that are values where no keys are asked for."""
    return list(filter(may_be_map, data_columns(table)))


def rows_are_regions(table: Table, columns: Sequence[Column], identities: Identities) -> bool:
    """Return whether rows, and not columns, are as many as regions.

    Titles that name regions say that each column is one; a table is not turned against them.
    """
    n_regions = len(identities.table)
    if table.n_rows != n_regions or len(columns) == n_regions:
        return False
    names_regions = identities.naming([column.title for column in columns]).n_regions > 0
    return len(columns) == 1 or (table.has_header and not names_regions)


def fits_by_position(table: Table, identities: Identities) -> bool:
    """Return whether a table has one column or one row for each region."""
    columns = maps_by_position(table)
    return len(columns) == len(identities.table) or rows_are_regions(table, columns, identities)


def _several(table: Table, identities: Identities, candidates: Sequence[Candidate]) -> MatchError:
    ways, flawed, turned = [], [], ""
    for candidate in candidates:
        column = candidate.column
        if column is None:
            turned = " for one row per region; for one column per region, leave those columns out"
        elif not may_paint(candidate.naming, identities):
            flawed.append(candidate.called)
        elif table.titles.count(column.title) == 1:
            ways.append(f"key={column.title!r}")
    advice = f"Pass {' or '.join(ways)} (--key)" if ways else "Leave out what is not meant"
    if flawed:
        advice = f"Correct the keys of {' and '.join(flawed)}, or {advice[0].lower()}{advice[1:]}"
    shown = "; ".join(candidate.shown for candidate in candidates)
    contradicted = candidates[0].contradicted(candidates[1])
    if contradicted:
        n_rows = plural(len(contradicted), "row")
        shown += f"; they differ in {n_rows}: {examples(contradicted)}"
    return MatchError(
        f"{table.subject} names regions in {len(candidates)} ways that differ: {shown}. "
        f"{advice}{turned}."
    )


# --- region tables -------------------------------------------------------------------------------


def find_labels(table: Table, labels: NDArray[np.int64] | None) -> Column:
    """Return the column of a region table that holds the labels, whatever its title.

    Raises `RegionTableError` when there is none, or several hold as many and differ.

    Parameters
    ----------
    table : Table
    labels : array of int64 or None
        Those of the image; None where they are not known, so that titles decide.
    """
    known = np.empty(0, np.int64) if labels is None else labels
    candidates = _holders_of_integers(table, Identities(RegionTable(known)))
    if not candidates:
        raise _names_no_region(table, known, [])
    best = _by_image(candidates, table, known) if len(known) else _by_title(candidates, table)
    assert best.column is not None  # titles are no candidates here
    return best.column


def _holders_of_integers(table: Table, identities: Identities) -> list[Candidate]:
    """Return the columns of integers, ranked by what their titles say of labels."""
    candidates = []
    for column in table.columns:
        rank = label_rank(column.title) if table.has_header else 0
        has_gaps = None in column.integers
        # Gaps in what is titled as labels are an error later; other columns with gaps are none.
        if not column.are_integers or (has_gaps and rank < 2):
            continue
        keys: list[Key] = ["" if label is None else label for label in column.integers]
        # Numbers of rows are labels only where nothing better is.
        rank = 2 * rank - counts_from_zero(column, table)
        candidates.append(Candidate(column.called, identities.naming(keys, LABEL), column, rank))
    return candidates


def _by_image(candidates: Sequence[Candidate], table: Table, known: NDArray[np.int64]) -> Candidate:
    """Return the column that holds most labels of the image; a title decides between equals."""
    best = max(candidates, key=lambda candidate: candidate.fit[1:])
    if not best.n_regions:
        raise _names_no_region(table, known, candidates)
    _check_is_no_count(best, table, known)
    rivals = []
    for other in candidates:
        is_equal = other.fit[1:] == best.fit[1:]
        if is_equal and other.naming.rows != best.naming.rows:
            rivals.append(other)
    if rivals:
        raise _several_labels(table, [best, *rivals])
    return best


def _check_is_no_count(best: Candidate, table: Table, known: NDArray[np.int64]) -> None:
    """Raise where a column without a title counts rows, and these are not all labels."""
    is_titled = best.title != "" or not table.has_header
    if is_titled or not best.merely_counts or best.n_regions == len(known):
        return
    is_shifted = bool(start_problem(best.labels, known.tolist()))
    raise _names_no_region(table, known, [best] if is_shifted else [])


# The least rank of a column whose title is that of labels and nothing else; see `label_rank`.
_WHOLLY = 4


def _by_title(candidates: Sequence[Candidate], table: Table) -> Candidate:
    """Return the column of labels where there is no image to ask: by its title, or the only one."""
    heaviest = max(map(_weight, candidates))
    equals = [candidate for candidate in candidates if _weight(candidate) == heaviest]
    best = equals[0]
    # Where no column has a title, the first is that of the labels.
    is_open = best.rank == 0 and table.has_header and len(equals) > 1
    if best.rank < 0 or is_open:
        raise _names_no_region(table, np.empty(0, np.int64), candidates)
    rivals = _rivals(best, candidates)
    if best.rank > 0 and rivals:
        raise _several_labels(table, [best, *rivals])
    return best


def _rivals(best: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the columns of other labels that are titled as well, or titled as labels, too.

    Of the latter, those whose labels would all be found in the best one, as other regions.
    """
    others = [other for other in candidates if other.naming.keys != best.naming.keys]
    rivals = []
    for other in others:
        is_hidden = other.rank >= _WHOLLY and set(other.labels) <= set(best.labels)
        if is_hidden or _weight(other) == _weight(best):
            rivals.append(other)
    return rivals


def _weight(candidate: Candidate) -> tuple[int, bool]:
    """Return how much the title of a column says that it holds the labels; BIDS' comes first."""
    is_counted = candidate.rank % 2 == 1
    return candidate.rank, normal_title(candidate.title) == "index" and not is_counted


def counts_from_zero(column: Column, table: Table) -> bool:
    """Return whether integers number the rows from 0, in any order, and 0 is no background."""
    integers = sorted(integer for integer in column.integers if integer is not None)
    if len(column) < 2 or integers != list(range(len(column))):
        return False
    row = column.integers.index(0)
    cells = [other.texts[row] for other in table.columns if other is not column and other.is_text]
    return not any(cell is not None and names_no_region(cell) for cell in cells)


def _several_labels(table: Table, candidates: Sequence[Candidate]) -> RegionTableError:
    titles = [candidate.title for candidate in candidates]
    held = []
    for candidate in candidates:
        if candidate.n_regions:  # without an image there are no labels to hold
            n_held = f"{candidate.n_regions:,}"
            held.append(f"{candidate.called} holds {n_held} of the labels of the image")
    if "index" in map(normal_title, titles):
        advice = "Remove or rename the others."
    elif table.has_header:
        advice = "Rename the right one to 'index', and remove the others or rename them."
    else:
        advice = "Give the columns titles, that of the labels 'index'."
    shown = f" ({'; '.join(held)})" if held else ""
    return RegionTableError(
        f"{table.source} has {len(titles)} columns that may hold the labels: {examples(titles)}"
        f"{shown}. {advice}"
    )


def lacks_labels(column: Column, table: Table) -> RegionTableError:
    """Return the error for a column of labels with cells that are no integer."""
    rows = [row for row, integer in enumerate(column.integers) if integer is None]
    flaws = [f"row {row + 1} {column.cells[row]!r}" for row in rows[:5]]
    return RegionTableError(
        f"The column {column.title!r} of {table.source} is titled as labels, and no integer is in "
        f"{plural(len(rows), 'row')} of {len(column):,}: {'; '.join(flaws)}. Correct them."
    )


def _names_no_region(
    table: Table, known: NDArray[np.int64], candidates: Sequence[Candidate]
) -> RegionTableError:
    """Return the error for a region table in which no column holds labels of the image."""
    for column in table.columns:
        n_absent = column.integers.count(None)
        if label_rank(column.title) == 2 and 0 < 2 * n_absent < len(column):
            return lacks_labels(column, table)
    if len(known) and candidates:
        best = max(candidates, key=lambda candidate: candidate.rank)
        problem = start_problem(best.labels, known.tolist())
        why = problem or f"holds none of the {plural(len(known), 'label')} of the image"
        return RegionTableError(
            f"{table.source} names no region of the image: {best.called} {why}. Its labels: "
            f"{examples(best.labels)}; those of the image: {examples(known.tolist())}. "
            "Give the table of this atlas, or its names alone, in ascending order of label."
        )
    columns = [f"{c.title!r} ({str(c.cells[0])[:20]}, …)" for c in table.columns[:8]]
    more = f" and {len(table.columns) - 8} more" if len(table.columns) > 8 else ""
    return RegionTableError(
        f"{table.source} has no column of labels. It has "
        f"{plural(len(table.columns), 'column')}: {'; '.join(columns)}{more}. A region table "
        "needs a column of integers, each once, with a title such as 'index', 'label' or 'id'."
    )
