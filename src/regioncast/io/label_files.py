"""What files of labels share: labels in the smallest dtype, and the entries of a label table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..atlas.region_table import HEX_COLOR, new_color
from ..engine.dtypes import first_that_holds
from ..errors import (
    LabelsError,
    LabelsWarning,
    RegionTableError,
    RegionTableWarning,
    examples,
    plural,
    warn,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..atlas.parcellation import Parcellation
    from ..atlas.region_table import RegionTable

_INTEGERS = ("uint8", "int8", "int16", "uint16", "int32", "uint32", "int64")

NO_REGION_NAME = "???"
"""What Connectome Workbench calls the label of no region."""

_COLOR_TITLES = ("color", "colour")
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Entry(NamedTuple):
    """A row of a label table: colour from 0 to 1, with opacity."""

    label: int
    name: str
    color: tuple[float, float, float, float]


def labels_image(
    atlas: Parcellation, what: str, dtypes: Sequence[str] = _INTEGERS, *, none: int = 0
) -> NDArray[Any]:
    """Return the label of each sample, in the first of these dtypes that holds all.

    `what` holds such dtypes, for messages: ``"GIFTI files hold"``; `none` is the label of no
    region.  `LabelsError` where there is no such dtype, or a region has that label.
    """
    labels = np.concatenate([[none], atlas.table.labels])
    if none in labels[1:]:
        raise LabelsError(
            f"{none} is the label of {atlas[none].name!r}, and what is no region has it in files "
            "of this kind. Renumber that region."
        )
    dtype = first_that_holds([labels.min(), labels.max()], dtypes)
    if dtype is None:
        raise LabelsError(
            f"{what} {', '.join(dtypes)}; labels from {labels.min()} to {labels.max()} are beyond. "
            "Renumber the regions."
        )
    if dtype == np.int64:
        warn(
            f"Labels from {labels.min()} to {labels.max()} need int64, which not all programs "
            "read. Renumber the regions for those that do not.",
            LabelsWarning,
        )
    image: NDArray[Any] = labels.astype(dtype)[atlas.codes]
    return image


def unused_label(table: RegionTable) -> int:
    """Return a label for what is no region: 0, or one above all where 0 is that of a region."""
    return int(table.labels.max()) + 1 if 0 in table.labels else 0


def entries_of(table: RegionTable, path: Path, is_none: Callable[[Entry], bool]) -> list[Entry]:
    """Return the rows of a label table; regions without a colour get one that no other has.

    `is_none` tells whether whoever reads an entry takes it for that of no region.  That, and a name
    that XML does not keep, is a `RegionTableError`; other columns are a warning.
    """
    rows = zip(table, colors_of(table), strict=True)
    entries = [Entry(region.label, region.name, _parts(color)) for region, color in rows]
    wrong = [entry.name for entry in entries if not _is_kept(entry.name) or is_none(entry)]
    if wrong:
        raise RegionTableError(
            f"{plural(len(wrong), 'name')} that {path.name} cannot hold: {examples(wrong)}; they "
            "say that there is no region, or have control characters, or blanks at their ends. "
            "Rename them."
        )
    further = [title for title in table.columns if title.lower() not in _COLOR_TITLES]
    if further:
        warn(
            f"{path.name} holds names and colours, and not {plural(len(further), 'column')} of the "
            f"region table: {examples(further)}. Save the table too, and load both: "
            "save(atlas.table, 'regions.tsv'), load_parcellation(…, 'regions.tsv').",
            RegionTableWarning,
        )
    return entries


def _is_kept(name: str) -> bool:
    """Return whether XML keeps a name as it is."""
    return bool(name) and name == name.strip() and not _NOT_IN_NAMES.search(name)


def colors_of(table: RegionTable) -> list[str]:
    """Return the colour of each region, ``#rrggbb`` or ``#rrggbbaa``."""
    title = next((title for title in table.columns if title.lower() in _COLOR_TITLES), None)
    colors = [str(cell) for cell in table.columns.get(title or "", [""] * len(table))]
    # All that the table gives are taken, lest a new one be that of a later region.
    taken, number = set(map(str.lower, colors)), 0
    for row in range(len(colors)):
        while not HEX_COLOR.fullmatch(colors[row]):
            number += 1
            new = new_color(number)
            colors[row] = "" if new in taken else new
        taken.add(colors[row])
    return colors


def _parts(color: str) -> tuple[float, float, float, float]:
    """Return red, green, blue and opacity, from 0 to 1, of ``#rrggbb`` or ``#rrggbbaa``."""
    # Opacity is full where nothing is said of it.
    digits = color.removeprefix("#").ljust(8, "f")
    red, green, blue, opacity = (int(digits[at : at + 2], 16) / 255 for at in range(0, 8, 2))
    return red, green, blue, opacity
