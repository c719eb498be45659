"""What OME-Zarr says of labels, ``image-label``: properties and colours, as a region table.

All columns of a region table are properties, so that it is read again as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..atlas.region_table import RegionTable, hex_color
from ..errors import FileFormatError, RegionTableError, capitalized
from ..io.label_files import colors_of
from ..tables.regions import read_region_table

_LABEL = "label-value"
_VERSION = "0.5"
_TRANSPARENT = "#00000000"
_COLOR_TITLES = ("color", "colour")


def table_of(image_label: Mapping[str, Any], name: str) -> RegionTable | None:
    """Return the region table of what is said of labels, None where nothing is.

    Parameters
    ----------
    image_label : mapping
    name : str
        What messages call the image of labels.

    Raises
    ------
    RegionTableError, FileFormatError
        When it is no table of regions.
    """
    properties = list(image_label.get("properties") or [])
    colors = {
        int(entry[_LABEL]): hex_color([part / 255 for part in entry["rgba"]])
        for entry in image_label.get("colors") or []
        if entry.get("rgba")
    }
    if not properties:
        if not colors:
            return None
        return RegionTable(list(colors), None, {"color": list(colors.values())})
    records = [dict(entry) for entry in properties]
    labels = [record.pop(_LABEL, None) for record in records]
    if None in labels:
        raise FileFormatError(
            f"{capitalized(name)} has properties without a {_LABEL}, which says of which label "
            "they are. Correct its metadata, or name a region table."
        )
    titles = dict.fromkeys(title for record in records for title in record)
    columns = {title: [record.get(title) for record in records] for title in titles}
    if colors and not any(title.lower() in _COLOR_TITLES for title in titles):
        columns["color"] = [colors.get(label) for label in labels]
    names: Any = columns.get("name")
    if names is not None and all(isinstance(each, str) for each in names):
        del columns["name"]
        return RegionTable(labels, names, columns)
    try:
        return read_region_table(
            {"index": labels, **columns}, labels=np.unique(np.array(labels, np.int64))
        )
    except RegionTableError as error:
        raise RegionTableError(
            f"The properties of {name} are taken for its region table, but: {error} Name another "
            "by load_parcellation(…, regions=…) (--regions)."
        ) from error


def image_label_of(
    table: RegionTable,
    *,
    values: Mapping[str, Sequence[Any]] | None = None,
    colors: Sequence[str | None] | None = None,
    source: str | None = None,
) -> dict[str, Any]:
    """Return what is said of the labels of regions.

    Parameters
    ----------
    table : RegionTable
    values : mapping of str to sequence, default=None
        Further properties, by their titles, in the order of the regions.
    colors : sequence of str or None, default=None
        Of each region, None for one that is not to be seen; when not given, those of the table, if
        it has some.
    source : str, default=None
        Where the image is that the labels are of.
    """
    columns = {**table.other_columns}
    for title, cells in (values or {}).items():
        # A map may be called as what says which label, or its name.
        columns[f"{title}_value" if title in (_LABEL, "name") else title] = tuple(cells)
    properties = [
        {
            _LABEL: label,
            "name": name,
            **{title: _plain(cells[row]) for title, cells in columns.items()},
        }
        for row, (label, name) in enumerate(table)
    ]
    said: dict[str, Any] = {"version": _VERSION, "properties": properties}
    if colors is None and any(title.lower() in _COLOR_TITLES for title in table.columns):
        colors = colors_of(table)
    if colors is not None:
        # The validators want as many colours as properties.
        said["colors"] = [
            {_LABEL: label, "rgba": _rgba(color or _TRANSPARENT)}
            for label, color in zip(table.labels.tolist(), colors, strict=True)
        ]
    if source is not None:
        said["source"] = {"image": source}
    return said


def _rgba(color: str) -> list[int]:
    digits = color.removeprefix("#").ljust(8, "f")
    return [int(digits[at : at + 2], 16) for at in range(0, 8, 2)]


def _plain(cell: Any) -> Any:
    """Return a cell as JSON has it; what is no finite number is nothing."""
    if isinstance(cell, np.generic):
        cell = cell.item()
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell
