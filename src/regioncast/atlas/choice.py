"""Which regions of a table are meant, and which of them belong together.

Regions are chosen by keys, which are names or labels, by a mask over the rows of their table, or
by a function of a row.  A *group* is all regions with the same cell in a column of the table.  A
*category* is what values say that regions are of; its *code* is its label in an image, an integer
from 1 on, and 0 for none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..errors import (
    ArgumentError,
    ArgumentTypeError,
    RegionTableError,
    RegionTableWarning,
    SignalsError,
    examples,
    plural,
    warn,
)
from ..files import natural_order
from .identities import ASKED, LABEL, NAME, Identities, composed, label_of, near_misses
from .region_table import Region, RegionTable, is_inexact, is_whole, new_color

if TYPE_CHECKING:
    from narwhals.typing import IntoSeries
    from numpy.typing import NDArray

Chosen: TypeAlias = (
    "str | int | Region | Sequence[str | int | bool | Region] | AbstractSet[str | int]"
    " | NDArray[Any] | IntoSeries | Callable[[dict[str, Any]], object]"
)
"""Names or labels, a mask over the rows of a region table, or a function of a row."""

N_MEMBERS_TITLE = "regions"
"""Title of the column that says how many regions a group has."""

# Cells, in lower case, of regions that belong to no group.
_NO_GROUP = frozenset(["", "n/a", "nan", "none", "<na>"])


# --- chosen regions ------------------------------------------------------------------------------


def is_chosen(regions: Any, identities: Identities) -> NDArray[np.bool_]:
    """Return which rows of a region table are chosen; see `Parcellation.select`."""
    if callable(regions):
        return _rows_that_meet(regions, identities.table)
    items = _listed(regions)
    truths = [isinstance(item, bool | np.bool_) for item in items]
    if any(truths):
        return _masked(items, truths, regions, len(identities.table))
    mask = np.zeros(len(identities.table), bool)
    mask[_rows_of(items, identities)] = True
    return mask


def _rows_that_meet(
    condition: Callable[[dict[str, Any]], object], table: RegionTable
) -> NDArray[np.bool_]:
    try:
        answers = [condition(record) for record in table.to_records()]
    except KeyError as error:
        titles = [LABEL, NAME, *table.other_columns]
        raise ArgumentError(
            f"The function asks for {error}, and the region table has no such column; it has "
            f"{examples(titles, show=len(titles))}."
        ) from error
    wrong = [answer for answer in answers if not isinstance(answer, bool | np.bool_)]
    if wrong:
        raise ArgumentTypeError(
            f"The function is to answer True or False for each region; it answers "
            f"{examples(wrong)}."
        )
    return np.array(answers, bool)


def _listed(regions: Any) -> list[Any]:
    """Return what chooses regions as a list of keys, or of True and False."""
    if isinstance(regions, str | int | np.integer | Region) and not isinstance(regions, bool):
        return [regions]
    is_flat = getattr(regions, "ndim", 1) == 1 and not isinstance(regions, Mapping)
    if not is_flat or not hasattr(regions, "__iter__"):
        raise ArgumentTypeError(
            "Regions are chosen by names or labels, a mask with True or False for each region, or "
            f"a function of a row; this is {type(regions).__name__}."
        )
    return list(regions)


def _masked(
    items: Sequence[object], truths: Sequence[bool], regions: Any, n_regions: int
) -> NDArray[np.bool_]:
    """Return a mask over the rows of the table."""
    if not all(truths):
        wrong = [item for item, is_truth in zip(items, truths, strict=True) if not is_truth]
        raise ArgumentTypeError(
            f"{len(wrong):,} of {plural(len(items), 'entry')} of the mask are neither True nor "
            f"False: {examples(wrong)}. Say which they are, as by .fillna(False)."
        )
    if len(items) != n_regions:
        raise ArgumentError(
            f"The mask has {plural(len(items), 'entry')}, the parcellation has "
            f"{plural(n_regions, 'region')}. Give one per region, in ascending order of label."
        )
    index = getattr(regions, "index", None)
    # The index of a list is a method.
    if index is not None and not callable(index) and list(index) != list(range(n_regions)):
        raise ArgumentError(
            "The mask is a Series with an index of its own, whose rows may be in another order. "
            "Give one of atlas.to_pandas() as it is, or the array of a mask in ascending order of "
            "label (.to_numpy())."
        )
    return np.array(items, bool)


def _rows_of(keys: Sequence[object], identities: Identities) -> list[int]:
    """Return the row of each key."""
    table = identities.table
    rows = [_rows_of_key(key, identities) for key in keys]
    unknown = [key for key, of_key in zip(keys, rows, strict=True) if not of_key]
    if unknown:
        near = near_misses(list(map(str, unknown)), table.unique_names)
        hints = "".join(f" Did you mean {name!r} for {key!r}?" for key, name in near.items())
        raise ArgumentError(
            f"No region is called {examples(unknown)}.{hints} There are "
            f"{plural(len(table), 'region')}: {examples(table.unique_names)}."
        )
    for key, of_key in zip(keys, rows, strict=True):
        if len(of_key) > 1:
            several = [f"{table.unique_names[row]} (label {table.labels[row]})" for row in of_key]
            raise ArgumentError(
                f"{examples([key])} stands for {plural(len(of_key), 'region')}: "
                f"{examples(several)}. Give a name or a label (an integer) that only the one has, "
                "with its hemisphere where both have it; or a mask."
            )
    return [row for (row,) in rows]


def _rows_of_key(key: object, identities: Identities) -> list[int]:
    """Return the rows of the regions that are called so: integers are labels, text is a name.

    Text that is no name is a label, as in the shell; text that is the one of this region and the
    other of that stands for both.
    """
    if isinstance(key, Region):
        return [row for row, region in enumerate(identities.table) if region == key]
    if isinstance(key, int | np.integer):
        return identities.rows_of(int(key), LABEL)
    if not isinstance(key, str):
        raise ArgumentTypeError(
            f"Regions are chosen by names (text) or labels (integers); {key!r} is "
            f"{type(key).__name__}."
        )
    rows = [*identities.rows_of(key, NAME), *identities.rows_of(key, LABEL)]
    return list(dict.fromkeys(rows))


# --- groups --------------------------------------------------------------------------------------


def grouped(table: RegionTable, column: str) -> tuple[RegionTable, list[int | None]]:
    """Return the table of the groups of a column, and of each row the label of its group.

    See `Parcellation.group`.
    """
    cells = _cells(table, column)
    members: dict[str, list[int]] = {}
    outside = []
    for row, cell in enumerate(cells):
        group = _group_of(cell)
        if group is None:
            outside.append(table.unique_names[row])
        else:
            members.setdefault(group, []).append(row)
    if not members:
        raise RegionTableError(
            f"The column {column!r} is empty for each of {plural(len(table), 'region')}. Group by "
            "another."
        )
    if outside:
        warn(
            f"{plural(len(outside), 'region')} of {len(table):,} "
            f"{'is' if len(outside) == 1 else 'are'} of no group of {column!r}, as nothing stands "
            f"there: {examples(outside)}. They become no region.",
            RegionTableWarning,
        )
    rows = list(members.values())
    columns = _shared_columns(table, rows)
    columns[N_MEMBERS_TITLE] = list(map(len, rows))
    if column not in (NAME, LABEL):
        # By its cells values find their groups, whatever the title.
        columns[column] = [_plain(cells[first]) for first, *_ in rows]
    labels = _group_labels(list(members))
    label_of: dict[str | None, int] = dict(zip(members, labels, strict=True))
    label_of_row = list(map(label_of.get, map(_group_of, cells)))
    return RegionTable(labels, list(members), columns), label_of_row


def tells_apart(column: str, identities: Identities, *, with_sides: bool) -> bool:
    """Return whether no two regions with samples share a cell; or none of the same hemisphere."""
    table = identities.table
    if column in ASKED or column not in table.other_columns:
        return True
    cells, sides = table.other_columns[column], table.sides if with_sides else None
    seen = set()
    for row in np.flatnonzero(identities.has_samples).tolist():
        key = (_group_of(cells[row]), sides and sides[row])
        if key in seen:
            return False
        if key[0] is not None:
            seen.add(key)
    return True


def _group_of(cell: Any) -> str | None:
    """Return what the group of a cell is called, None where nothing stands there."""
    text = composed(_plain(cell))
    return None if text.strip().lower() in _NO_GROUP else text


def _cells(table: RegionTable, column: str) -> Sequence[Any]:
    columns: dict[str, Sequence[Any]] = {NAME: table.names, LABEL: table.labels.tolist()}
    columns |= table.other_columns
    if not isinstance(column, str) or column not in columns:
        raise RegionTableError(
            f"The region table has no column {column!r} to group by; it has "
            f"{examples(columns, show=len(columns))}."
        )
    return columns[column]


def _plain(cell: Any) -> Any:
    """Return a whole number as an integer, which a gap in the column may have made a float."""
    return int(cell) if is_whole(cell) else cell


def _shared_columns(table: RegionTable, groups: Sequence[Sequence[int]]) -> dict[str, list[Any]]:
    """Return the columns in which all members of each group have the same cell."""
    columns = {}
    for title, cells in table.other_columns.items():
        firsts = [cells[first] for first, *_ in groups]
        pairs = zip(firsts, groups, strict=True)
        if all(cells[row] == first for first, rows in pairs for row in rows):
            columns[title] = firsts
    return columns


def _group_labels(texts: Sequence[str]) -> list[int]:
    """Return the integers that all groups are called, from 1 on; else the numbers of the groups.

    Those below 1 get labels above all others: 0 is the background of labels images.
    """
    integers = [label for text in texts if (label := label_of(text)) is not None]
    if len(integers) < len(texts):
        return list(range(1, len(texts) + 1))
    highest = max(0, *integers)
    labels = []
    for label in integers:
        highest += label < 1
        labels.append(label if label >= 1 else highest)
    return labels


# --- categories ----------------------------------------------------------------------------------


def categorized(
    cells: Sequence[str | None], levels: Sequence[str] | None = None
) -> tuple[NDArray[Any], RegionTable]:
    """Return the code of each cell, and the categories.

    Raises `SignalsError` when there is no category.

    Parameters
    ----------
    cells : sequence of str or None
        None: of no category.
    levels : sequence of str, default=None
        All categories, in the order of their codes 1, 2, …; in natural order when not given,
        whatever that of the cells, so that "n2" comes before "n10" and a before B.

    Returns
    -------
    codes : array of the smallest unsigned integers
    categories : RegionTable
        With a column ``color``: a colour for each that follows from its code.

    Examples
    --------
    >>> codes, categories = categorized(["Vis", "n10", None, "n2"])
    >>> codes, categories.names
    (array([3, 2, 0, 1], dtype=uint8), ('n2', 'n10', 'Vis'))
    """
    # What looks the same is the same, however it is written in Unicode.
    cells = [None if cell is None else composed(cell) for cell in cells]
    levels = None if levels is None else list(dict.fromkeys(map(composed, levels)))
    if levels is None:
        names = {cell for cell in cells if cell is not None}
        levels = sorted(names, key=lambda name: (natural_order(name.casefold()), name))
    code_of: dict[str | None, int] = {name: code for code, name in enumerate(levels, start=1)}
    code_of[None] = 0
    codes = [code_of[cell] for cell in cells]
    return _with_names(codes, dict(enumerate(levels, start=1)))


def numbered(values: NDArray[Any]) -> tuple[NDArray[Any], RegionTable]:
    """Return integers as codes that are their own categories; see `categorized`.

    Raises `SignalsError` when one is no such integer.

    Parameters
    ----------
    values : array, shape (n_regions,)
        From 1 on; 0 and NaN are no category.
    """
    listed = (values.astype(np.uint8) if values.dtype.kind == "b" else values).tolist()
    numbers = [0 if number != number else number for number in listed]  # noqa: PLR0124  NaN
    wrong = [number for number in numbers if not _is_code(number)]
    if wrong:
        raise SignalsError(
            "Categories are text, or integers from 1 on (0 is none); "
            f"{plural(len(wrong), 'value')} of {len(numbers):,} neither: {examples(wrong)}. Paint "
            "numbers as such, or name the categories."
        )
    codes = list(map(int, numbers))
    return _with_names(codes, {code: str(code) for code in sorted(set(codes)) if code})


def _is_code(number: object) -> bool:
    return is_whole(number) and not is_inexact(number) and number >= 0


def _with_names(codes: Sequence[int], names: Mapping[int, str]) -> tuple[NDArray[Any], RegionTable]:
    if not any(codes):
        raise SignalsError(
            f"None of {plural(len(codes), 'value')} is a category: all are missing. Check the "
            "column, or choose another (columns=, --columns)."
        )
    table = RegionTable(list(names), list(names.values()), {"color": list(map(new_color, names))})
    return np.array(codes, np.min_scalar_type(max(codes))), table
