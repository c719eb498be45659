"""Several parcellations of one space as one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ..engine import encoding
from ..engine.encoding import code_dtype
from ..errors import (
    N_EXAMPLES,
    ArgumentError,
    LabelsError,
    LabelsWarning,
    SpaceError,
    capitalized,
    plural,
    warn,
)
from .hemispheres import CORTEX, HEMISPHERE_TITLE
from .parcellation import Parcellation
from .region_table import RegionTable
from .spaces import check_same

if TYPE_CHECKING:
    from numpy.typing import NDArray

Overlap = Literal["raise", "first", "last"]
"""Whose a sample is that several atlases have: an error, that of the first, or of the last."""

SOURCE_TITLES = ("source", "source_index")
"""Titles of the columns that say which atlas a region came from, and its label there."""


def merged(atlases: Mapping[str, Parcellation], overlap: Overlap) -> Parcellation:
    """Return one parcellation with the regions of several; see `regioncast.merge`.

    Parameters
    ----------
    atlases : mapping of str to Parcellation
        By what they are called.
    overlap : {"raise", "first", "last"}
    """
    if overlap not in get_args(Overlap):
        raise ArgumentError(f"overlap must be 'raise', 'first' or 'last', not {overlap!r}.")
    if len(atlases) < 2:
        raise ArgumentError(
            f"Two atlases or more are merged; this is {plural(len(atlases), 'atlas', 'atlases')}."
        )
    _check_spaces(atlases)
    table, codes_of = _merged_table({name: atlas.table for name, atlas in atlases.items()})
    (first, *_), n_codes = atlases.values(), len(table) + 1
    codes = np.zeros_like(first.codes, code_dtype(len(table)))
    counts, overlaps = np.zeros(n_codes, np.int64), []
    for atlas, new_codes in zip(atlases.values(), codes_of, strict=True):
        new = encoding.recoded(atlas.codes, np.insert(new_codes, 0, 0))
        counts += encoding.count(new, n_codes)
        is_shared = (codes > 0) & (new > 0)
        overlaps += _counted(codes[is_shared], new[is_shared], n_codes)
        is_new = new > 0 if overlap == "last" else (new > 0) & ~is_shared
        codes[is_new] = new[is_new]
    whole = Parcellation(codes, table, first.space)
    # A region is lost where another has all of its samples; some have none to begin with.
    if overlaps:
        _report(overlaps, (counts[1:] > 0) & (whole.counts == 0), whole, overlap)
    return whole


def _check_spaces(atlases: Mapping[str, Parcellation]) -> None:
    """Raise where atlases are of different spaces."""
    (name, first), *rest = [(name, atlas.space) for name, atlas in atlases.items()]
    for other_name, space in rest:
        if type(first) is not type(space):
            raise SpaceError(
                f"{capitalized(name)} is made of {first.nouns}, {other_name} of {space.nouns}, and "
                "one atlas is of one kind. For cortex on surfaces and subcortex in a volume, make "
                "a .dlabel.nii of both (wb_command -cifti-create-label), and load that."
            )
        sides = set(first.parts), set(space.parts)
        if sides[0] != sides[1] and sides[0] | sides[1] == set(CORTEX.values()):
            raise SpaceError(
                f"{capitalized(name)} and {other_name} are of different hemispheres, and atlases "
                "of the same vertices are merged. Load a pair as one: load_parcellation(left=…, "
                'right=…), "left.label.gii,right.label.gii".'
            )
        check_same(first, space, this_name=name, other_name=other_name)


def _merged_table(tables: Mapping[str, RegionTable]) -> tuple[RegionTable, list[NDArray[Any]]]:
    """Return the rows of all tables in one, and the new codes of the rows of each."""
    records: list[dict[str, Any]] = []
    for name, table in tables.items():
        records.extend(_records(table, name))
    columns: dict[str, list[Any]] = {}
    for title in dict.fromkeys(chain.from_iterable(records)):
        columns[title] = [record.get(title) for record in records]
    origins = {title: columns.pop(title) for title in SOURCE_TITLES}
    labels, names, sides = columns.pop("label"), columns.pop("name"), None
    # Regions of both hemispheres, as groups may be, are told apart by their labels alone.
    if all(table.hemispheres is not None for table in tables.values()):
        sides = columns.pop(HEMISPHERE_TITLE)
    ids = _new_ids(sides or [""] * len(labels), labels)
    new_labels = [label for _, label in ids]
    names = list(map(_new_name, names, labels, new_labels))
    whole = RegionTable(new_labels, names, columns | origins, sides)
    code_of = dict(zip(whole.ids, range(1, len(whole) + 1), strict=True))
    codes = np.array([code_of[key] for key in ids], code_dtype(len(whole)))
    return whole, np.split(codes, np.cumsum(list(map(len, tables.values())))[:-1])


def _new_name(name: str, label: int, new_label: int) -> str:
    """Return the name of a region; one without a name is called by its label."""
    return str(new_label) if name == str(label) else name


def _records(table: RegionTable, source: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table with their origin; that of an earlier merge makes room for it."""
    for record in table.to_records():
        row = {f"{t}_in_table" if t in SOURCE_TITLES else t: c for t, c in record.items()}
        yield row | dict(zip(SOURCE_TITLES, (source, record["label"]), strict=True))


def _new_ids(sides: Sequence[str], labels: Sequence[int]) -> list[tuple[str, int]]:
    """Return hemispheres and labels, with labels above all others where one stands again."""
    # 0 is what no region has in files of labels.
    highest = max(0, *labels)
    new: dict[tuple[str, int], None] = {}
    for side, label in zip(sides, labels, strict=True):
        is_taken = (side, label) in new
        highest += is_taken
        new[(side, highest if is_taken else label)] = None
    return list(new)


def _counted(first: NDArray[Any], second: NDArray[Any], n_codes: int) -> list[tuple[int, int, int]]:
    """Return how often each pair of codes stands in two arrays: the count, and both codes."""
    pairs, counts = np.unique(first.astype(np.int64) * n_codes + second, return_counts=True)
    return list(zip(counts.tolist(), *np.array(divmod(pairs, n_codes)).tolist(), strict=True))


def _report(
    overlaps: Sequence[tuple[int, int, int]],
    is_lost: NDArray[np.bool_],
    whole: Parcellation,
    overlap: Overlap,
) -> None:
    """Raise, or warn, with the regions that overlap, those that do in most samples first."""
    table, noun = whole.table, whole.space.noun
    # The atlas tells regions of one name apart, unless both hemispheres have it.
    names = table.names if table.hemispheres is None else table.unique_names
    pairs = zip(names, table.columns[SOURCE_TITLES[0]], strict=True)
    called = [f"{name!r} of {source}" for name, source in pairs]
    listed = [
        f"{called[code - 1]} and {called[other - 1]} share {plural(count, noun)}"
        for count, code, other in sorted(overlaps, key=lambda counted: -counted[0])
    ]
    n_samples = sum(count for count, *_ in overlaps)
    message = (
        f"The atlases overlap in {plural(n_samples, noun)}, {plural(len(listed), 'pair')} of "
        f"regions: {_first_of(listed)}."
    )
    if overlap == "raise":
        raise LabelsError(
            f"{message} Pass overlap='first' or overlap='last' (--overlap) to give what they share "
            "to the first or to the last of them."
        )
    message += f" The {overlap} has what they share."
    lost = [called[row] for row in np.flatnonzero(is_lost)]
    if lost:
        message += f" Nothing is left of {plural(len(lost), 'region')}: {_first_of(lost)}."
    warn(message, LabelsWarning)


def _first_of(phrases: Sequence[str]) -> str:
    """Return the first few of phrases, which have quotes in them, and how many more there are."""
    n_more = len(phrases) - N_EXAMPLES
    return "; ".join(phrases[:N_EXAMPLES]) + (f" and {n_more:,} more" if n_more > 0 else "")
