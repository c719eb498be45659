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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..atlas.no_region import names_no_region
from ..atlas.region_table import EXACT, RegionTable
from ..errors import MatchError, RegionTableError, examples, plural
from ..identity import LABEL, NAME, Identities, Naming, label_of, start_problem
from .titles import is_map_title, is_name_title, label_rank, normal_title

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
        What to call it in messages: ``the column 'roi'``, ``the titles``.
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

    @property
    def n_regions(self) -> int:
        """Number of regions that it names."""
        return self.naming.n_regions

    @property
    def is_distinct(self) -> bool:
        """Whether each key stands once."""
        return len(set(self.naming.keys)) == len(self.naming.keys)

    @property
    def merely_counts(self) -> bool:
        """Whether it counts rows from 0 or from 1, in their order, or columns beside a title."""
        keys = self.naming.keys
        if self.column is None:
            keys = [key for key, rows in zip(keys, self.naming.rows, strict=True)
                    if rows or isinstance(key, int)]  # fmt: skip
        return counts_rows(keys)

    @property
    def shown(self) -> str:
        """How many regions it names, for messages."""
        by = "" if not self.n_regions else f" by {self.naming.by}"
        return f"{self.called} names {self.n_regions:,}{by} ({examples(self.naming.keys, show=3)})"

    def disagreement(self, other: Candidate) -> str:
        """Return in how many rows another means other regions, for messages."""
        if self.column is None or other.column is None:
            return ""
        keys = self.naming.contradicted(other.naming)
        return f"; they differ in {plural(len(keys), 'row')}: {examples(keys)}" if keys else ""

    def differs_from(self, other: Candidate) -> bool:
        """Return whether some row means different regions here and there."""
        if self.column is None or other.column is None:
            return self.column is not other.column
        return bool(self.naming.contradicted(other.naming))


def counts_rows(keys: Sequence[object]) -> bool:
    """Return whether keys count rows: 0, 1, 2, … or 1, 2, 3, …, in this order.

    Examples
    --------
    >>> counts_rows([1, 2, 3]), counts_rows(["0", "1"]), counts_rows([2, 1])
    (True, True, False)
    """
    integers = [label_of(str(key)) for key in keys]
    start = integers[0] if integers else None
    return start in (0, 1) and integers == list(range(start, start + len(integers)))


# --- tables of values ----------------------------------------------------------------------------


def find(table: Table, identities: Identities, by: str = "auto") -> Candidate:
    """Return who names the regions in a table of values: a column, or the titles.

    Parameters
    ----------
    table : Table
        With a header.
    identities : Identities
    by : str, default="auto"
        What the keys are to be.

    Raises
    ------
    MatchError
        When nothing names a region, or two candidates differ.
    """
    candidates = candidates_of(table, identities, by)
    fitting = [c for c in candidates if c.n_regions or c.naming.n_shared]
    telling = [candidate for candidate in fitting if by != "auto" or not candidate.merely_counts]
    if not telling:
        telling = [candidate for candidate in fitting if _may_count(candidate, table, identities)]
    if not telling:
        telling = _untitled_index(table, identities, by)
    if not telling and by == LABEL:
        telling = _untitled_integers(table, identities)
    if not telling:
        telling = _meant_to_name(candidates, table)
    if not telling:
        raise _nothing_fits(table, candidates, identities)
    best = max(telling, key=_fit)
    rivals = [other for other in telling if other.differs_from(best) and _is_rival(other)]
    rivals += _better_integers(best, table, identities)
    if rivals:
        raise _several(table, [best, *rivals])
    return best


def _fit(candidate: Candidate) -> tuple[bool, int, int]:
    """Return how well a candidate fits: keys that stand twice name no region for sure."""
    return candidate.is_distinct, candidate.n_regions, candidate.rank


def _is_rival(candidate: Candidate) -> bool:
    """Return whether a candidate that differs is meant to name the regions too.

    Not where it says the same in several rows, as groups and seeds do, unless its title is that of
    labels and of nothing else.
    """
    return candidate.is_distinct or (candidate.rank == 2 and candidate.n_regions > 1)


def _meant_to_name(candidates: Sequence[Candidate], table: Table) -> list[Candidate]:
    """Return who is meant to name regions and names none: the match will show both sides."""
    if _names_maps(table):
        return [candidate for candidate in candidates if candidate.column is None]
    return [
        candidate
        for candidate in candidates
        if candidate.column is not None and candidate.column.is_text and candidate.is_distinct
    ][:1]


def candidates_of(table: Table, identities: Identities, by: str) -> list[Candidate]:
    """Return all that may name regions: text, integers titled as labels or names, and the titles.

    With ``by="label"``, integers of any title.
    """
    candidates = []
    for column in table.columns:
        if column is table.map_column:
            continue  # whatever its cells are, they name maps
        if _says_nothing(column, table):
            continue
        naming = _naming_of(column, identities, by)
        if naming is not None:
            # Where a name and a label say the same, the name is shown.
            rank = label_rank(column.title, in_values=True)
            rank = 3 if column.is_text else rank or is_name_title(column.title)
            candidates.append(Candidate(column.called, naming, column, rank))
    titles = [column.title for column in table.body if column is not table.map_column]
    if table.has_header and titles:
        naming = identities.naming(titles, by)
        candidates.append(Candidate("the row of titles", naming, None, 1))
    return candidates


def _says_nothing(column: Column, table: Table) -> bool:
    """Return whether a column is empty, or an index that selecting rows may have left behind."""
    is_alone = column.is_index and column.title == "" and len(table.index) == 1
    # "NA" may be the name of a nucleus.
    is_empty = column.is_empty and not (is_name_title(column.title) and any(column.texts))
    return is_empty or (is_alone and not column.is_text)


def _naming_of(column: Column, identities: Identities, by: str) -> Naming | None:
    """Return what a column names, None where it does not claim to name anything."""
    rank = label_rank(column.title, in_values=True)
    is_level = column.is_index and column.title == ""
    if is_level and column.are_integers:
        return identities.naming(keys_of(column, as_labels=True), LABEL)
    if column.is_text or is_name_title(column.title) or (rank and column.are_integers):
        is_named = column.is_text or is_name_title(column.title)
        if by == "auto" and not (rank and is_named):
            # ``label`` and ``region`` may stand over names and over labels, other titles may not.
            by = "text" if is_named else LABEL
        return naming_of_cells(column, identities, by)
    return None


def naming_of_cells(column: Column, identities: Identities, by: str) -> Naming:
    """Return what the cells of a column name: as they are written, or as integers.

    Names may look like numbers, and labels may have become floats: ``7.0`` is 7 where nothing is
    called so.
    """
    written = identities.naming(keys_of(column), by)
    if by == "text" or not any(integer is not None for integer in column.integers):
        return written
    labels = identities.naming(keys_of(column, as_labels=True), LABEL if by == "auto" else by)
    if labels.n_regions <= written.n_regions:
        rivals = [*written.rivals, labels] if by == "auto" else []
        return Naming(written.by, written.keys, written.rows, rivals)
    return Naming(labels.by, labels.keys, labels.rows, [written] if by == "auto" else [])


def _is_plain(text: str | None) -> bool:
    """Return whether text that is an integer is written as labels are, or as floats of them."""
    digits, point, _ = (text or "").replace(",", ".").removeprefix("-").partition(".")
    if point and digits.isdigit() and int(digits) >= EXACT:
        return False  # which a float may have rounded
    return digits.isdigit() and (digits == "0" or digits[0] != "0")


def _may_count(candidate: Candidate, table: Table, identities: Identities) -> bool:
    """Return whether what counts names the regions all the same, as nothing else names one.

    A column does if it is titled as labels and there are no names, which may be those of another
    atlas; titles do if they are the labels of all regions, or stand beside the names of maps.
    """
    if candidate.column is None:
        return candidate.n_regions == identities.n_present or _names_maps(table)
    return candidate.rank > 0 and not _has_strange_names(table, identities)


def _names_maps(table: Table) -> bool:
    """Return whether a table has a column whose title says that it names maps."""
    titles = [column.title for column in table.columns if column.is_text]
    return table.map_column is not None or any(map(is_map_title, titles))


def keys_of(column: Column, *, as_labels: bool = False) -> list[Key]:
    """Return cells as keys: as they are written, or as integers; rows without one are ``""``."""
    keys: list[Key] = []
    for text, integer in zip(column.texts, column.integers, strict=True):
        if integer is not None and (str(integer) == text or (as_labels and _is_plain(text))):
            keys.append(integer)
        else:
            keys.append("" if text is None else text)
    return keys


def _has_strange_names(table: Table, identities: Identities) -> bool:
    """Return whether a column of distinct text is there: names of another atlas, maybe."""
    numbered = [str(label) for label in identities.cells(LABEL)]
    if list(identities.cells(NAME)) == numbered:
        return False  # this atlas has no names
    texts = [
        column.texts
        for column in table.columns
        if column.is_text and column is not table.map_column
    ]
    return any(len(set(cells)) == len(cells) for cells in texts)


def _untitled_index(table: Table, identities: Identities, by: str) -> list[Candidate]:
    """Return an index of numbers without a title, if it names every region.

    Selecting and sorting rows leave such an index behind, which then says nothing of regions: so
    it counts only where nothing else does, and the image confirms it, or `by` says what it holds.
    """
    candidates = []
    for column in table.index:
        if column.title == "" and not column.is_text:
            naming = naming_of_cells(column, identities, by)
            rows = {row for rows in naming.rows for row in rows}
            is_complete = rows.issuperset(np.flatnonzero(identities.has_samples).tolist())
            has_names = _has_strange_names(table, identities)
            is_alone = not has_names and not _is_square(table, identities)
            if naming.n_regions and (by != "auto" or (is_complete and is_alone)):
                candidates.append(Candidate(column.called, naming, column))
    return candidates


def _untitled_integers(table: Table, identities: Identities) -> list[Candidate]:
    """Return columns of integers of any title, where it was said that they are labels."""
    candidates = [
        Candidate(c.called, identities.naming(keys_of(c, as_labels=True), LABEL), c)
        for c in table.columns
        if c.are_integers
    ]
    return [candidate for candidate in candidates if candidate.n_regions]


def _is_square(table: Table, identities: Identities) -> bool:
    """Return whether each column beside the index may as well be a region."""
    return len(table.body) == len(identities.table) > 1


def _better_integers(best: Candidate, table: Table, identities: Identities) -> list[Candidate]:
    """Return columns of integers that hold more labels than the one that is titled so.

    Or as many, where its title says so in part only, as ``old_id`` does.
    """
    if best.column is None or not best.column.are_integers:
        return []
    is_titled = best.rank == 2
    better = []
    for column in table.columns:
        if column is best.column or not column.are_integers:
            continue
        candidate = Candidate(
            column.called, identities.naming(keys_of(column, as_labels=True), LABEL), column
        )
        if not candidate.is_distinct:
            continue  # groups, of several rows each
        is_equal = candidate.n_regions == best.n_regions and candidate.differs_from(best)
        if candidate.n_regions > best.n_regions or (is_equal and not is_titled):
            better.append(candidate)
    return better


def _several(table: Table, candidates: Sequence[Candidate]) -> MatchError:
    columns = [candidate.column for candidate in candidates if candidate.column is not None]
    advice = f"Pass {' or '.join(f'key={column.title!r}' for column in columns)} (--key)"
    if len(columns) < len(candidates):
        advice += " for one row per region; for one column per region, leave those columns out"
    return MatchError(
        f"{table.subject} names regions in {len(candidates)} ways that differ: "
        f"{'; '.join(candidate.shown for candidate in candidates)}"
        f"{candidates[0].disagreement(candidates[1])}. {advice}."
    )


def _nothing_fits(
    table: Table, candidates: Sequence[Candidate], identities: Identities
) -> MatchError:
    titles = [column.title for column in table.columns]
    known = [candidate.column for candidate in candidates]
    integers = [
        Candidate(c.called, identities.naming(keys_of(c, as_labels=True), LABEL), c)
        for c in table.columns
        if c.are_integers and c not in known
    ]
    untitled = [candidate for candidate in integers if candidate.n_regions]
    shown = [candidate.shown for candidate in candidates[:5]]
    shown += [f"{c.shown}, and no title says that it holds labels" for c in untitled[:5]]
    tried = "; ".join(shown) or "nothing to try"
    ways = ["key= (--key) to name the column of regions"]
    large = [cell for column in table.columns for cell in column.cells
             if isinstance(cell, float) and abs(cell) >= EXACT]  # fmt: skip
    if large:
        tried += f". Floats do not tell labels from 2**53 on apart: {examples(large)}"
    index = [column for column in table.index if column.title == "" and column.are_integers]
    if index:
        ways.append("by='label' (--by label) if the index is the labels")
    n_regions = len(identities.table)
    if n_regions in (table.n_rows, sum(not column.is_text for column in table.body)):
        ways.append("by='position' (--by position) for values in ascending order of label")
    return MatchError(
        f"{table.subject} has no column of regions: none of its columns ({examples(titles)}) "
        f"holds, and none of them is, a name or label for sure. Tried: {tried}. "
        f"Names: {examples(identities.cells(NAME))}. Labels: "
        f"{examples(identities.cells(LABEL))}. Pass {', or '.join(ways)}."
    )


# --- region tables -------------------------------------------------------------------------------


def find_labels(table: Table, labels: NDArray[np.int64] | None) -> Column:
    """Return the column of a region table that holds the labels, whatever its title.

    Parameters
    ----------
    table : Table
    labels : array of int64 or None
        Those of the image; None where there is no image, so that titles decide.

    Raises
    ------
    RegionTableError
        When there is none, or several hold as many and differ.
    """
    known = np.empty(0, np.int64) if labels is None else labels
    identities = Identities(RegionTable(known))
    candidates = []
    for column in table.columns:
        is_whole = column.are_integers and None not in column.integers
        if is_whole or (column.are_integers and label_rank(column.title) == 2):
            keys: list[Key] = ["" if label is None else label for label in column.integers]
            naming = identities.naming(keys, LABEL)
            # Numbers of rows are labels only where nothing better is.
            rank = 2 * label_rank(column.title) if table.has_header else 0
            is_counted = counts_from_zero(column, table)
            rank -= is_counted
            if not len(known) and not is_counted and normal_title(column.title) == "index":
                rank += 1  # BIDS' title, where no image decides
            candidates.append(Candidate(column.called, naming, column, rank))
    best = max(candidates, key=_weight, default=None)
    if best is None or best.column is None or not _may_hold_labels(best, known, candidates):
        raise _no_labels(table, known, candidates)
    rivals = [
        other
        for other in candidates
        if _weight(other) == _weight(best) and other.naming.rows != best.naming.rows
    ]
    if not len(known):
        rivals = [other for other in candidates if other.rank == best.rank and _differ(other, best)]
    if rivals and (table.has_header or len(known)):
        raise _several_labels(table, [best, *rivals])
    return best.column


def counts_from_zero(column: Column, table: Table) -> bool:
    """Return whether integers number the rows from 0, in any order, and 0 is no background."""
    if len(column) < 2 or sorted(
        integer for integer in column.integers if integer is not None
    ) != list(range(len(column))):
        return False
    row = column.integers.index(0)
    cells = [other.texts[row] for other in table.columns if other is not column and other.is_text]
    return not any(cell is not None and names_no_region(cell) for cell in cells)


def _weight(candidate: Candidate) -> tuple[int, int]:
    return candidate.n_regions, candidate.rank


def _differ(one: Candidate, other: Candidate) -> bool:
    return one.naming.keys != other.naming.keys


def _may_hold_labels(
    best: Candidate, known: NDArray[np.int64], candidates: Sequence[Candidate]
) -> bool:
    """Return whether the best column fits the image, or without one, is titled or alone."""
    if len(known):
        return best.n_regions > 0
    return best.rank > 0 or (best.rank == 0 and len(candidates) == 1)


def _several_labels(table: Table, candidates: Sequence[Candidate]) -> RegionTableError:
    titles = [column.title for c in candidates if (column := c.column) is not None]
    advice = (
        "Rename the right one to 'index', and remove the others or rename them."
        if table.has_header
        else "Give the columns titles, that of the labels 'index'."
    )
    if any(normal_title(title) == "index" for title in titles):
        advice = "Remove or rename the others."
    shown = "; ".join(
        f"{c.called} holds {c.n_regions:,} of the labels of the image" for c in candidates
    )
    return RegionTableError(
        f"{table.source} has {len(titles)} columns that may hold the labels: {examples(titles)} "
        f"({shown}). {advice}"
    )


def _no_labels(
    table: Table, known: NDArray[np.int64], candidates: Sequence[Candidate]
) -> RegionTableError:
    """Return the error for a region table in which no column holds labels of the image."""
    for column in table.columns:
        rows = [row for row, integer in enumerate(column.integers) if integer is None]
        if label_rank(column.title) == 2 and 0 < 2 * len(rows) < len(column):
            flaws = [f"row {row + 1} {column.cells[row]!r}" for row in rows]
            return RegionTableError(
                f"The column {column.title!r} of {table.source} is titled as labels, and no "
                f"integer is in {plural(len(rows), 'row')} of {len(column):,}: "
                f"{'; '.join(flaws[:5])}. Correct them."
            )
    if len(known) and candidates:
        best = max(candidates, key=lambda candidate: candidate.rank)
        keys = [int(key) for key in best.naming.keys if isinstance(key, int)]
        problem = start_problem(keys, known.tolist())
        why = problem or f"holds none of the {plural(len(known), 'label')} of the image"
        return RegionTableError(
            f"{table.source} names no region of the image: {best.called} {why}. Its labels: "
            f"{examples(keys)}; those of the image: {examples(known.tolist())}. "
            "Give the table of this atlas, or its names alone, in ascending order of label."
        )
    columns = [f"{c.title!r} ({str(c.cells[0])[:20]}, …)" for c in table.columns[:8]]
    more = f" and {len(table.columns) - 8} more" if len(table.columns) > 8 else ""
    return RegionTableError(
        f"{table.source} has no column of labels. It has "
        f"{plural(len(table.columns), 'column')}: {'; '.join(columns)}{more}. A region table "
        "needs a column of integers, each once, with a title such as 'index', 'label' or 'id'."
    )
