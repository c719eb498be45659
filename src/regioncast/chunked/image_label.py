"""What OME-Zarr says of labels, ``image-label``: properties and colours, as a region table.

All columns of a region table are properties, so that it is read again as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from ..atlas.hemispheres import HEMISPHERE_TITLE
from ..atlas.region_table import RegionTable, hex_color, is_whole
from ..errors import FileFormatError, RegionTableError, capitalized, examples
from ..io.label_files import colors_of
from ..tables.colour_tables import renamed
from ..tables.regions import region_table_of_labels

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
    colors = _colors_in(image_label, name)
    if not properties:
        listed = list(colors)
        return RegionTable(listed, None, _color_column(listed, colors)) if listed else None
    labels = _labels_of(properties, "properties", name)
    columns = _columns_of(properties)
    if not _color_title(columns):
        # What viewers are told; where we wrote it, the column itself is among the properties.
        columns |= _color_column(labels, colors)
    names: Any = columns.get("name")
    try:
        if names is not None and all(isinstance(each, str) for each in names):
            del columns["name"]
            return RegionTable(labels, names, renamed(columns))
        # Who writes them has no rule for titles: a region may be called by its acronym.
        return region_table_of_labels(labels, columns, f"what is said of {name}")
    except RegionTableError as error:
        raise RegionTableError(
            f"The properties of {name} are taken for its region table, but: {error} Name another "
            "by load_parcellation(…, regions=…) (--regions)."
        ) from error


def _colors_in(image_label: Mapping[str, Any], name: str) -> dict[int, str | None]:
    """Return the colours of labels, None where one is listed without."""
    entries = list(image_label.get("colors") or [])
    labels = _labels_of(entries, "colors", name)
    parts = [np.divide(entry.get("rgba") or [math.nan], 255).tolist() for entry in entries]
    return dict(zip(labels, map(hex_color, parts), strict=True))


def _color_column(labels: Sequence[Any], colors: Mapping[int, str | None]) -> dict[str, list[Any]]:
    return {"color": [colors.get(label) for label in labels]} if colors else {}


def _columns_of(properties: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the properties but the labels as columns; what a label lacks is None."""
    titles = dict.fromkeys(chain.from_iterable(properties))
    del titles[_LABEL]
    return {title: [entry.get(title) for entry in properties] for title in titles}


def _labels_of(entries: Sequence[Mapping[str, Any]], what: str, name: str) -> list[int]:
    """Return of which label each entry is."""
    labels: list[Any] = [entry.get(_LABEL) for entry in entries]
    wrong = [label for label in labels if not is_whole(label)]
    if wrong:
        raise FileFormatError(
            f"{capitalized(name)} has {what} whose {_LABEL}, which says of which label they are, "
            f"is missing (None) or no integer: {examples(wrong)}. Correct its metadata, or name a "
            "region table."
        )
    return list(map(int, labels))


def _color_title(columns: Mapping[str, Any]) -> str | None:
    return next((title for title in columns if title.lower() in _COLOR_TITLES), None)


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
    said: dict[str, Any] = {"version": _VERSION, "properties": _properties(table, values or {})}
    if colors is None and _color_title(table.columns):
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


def _properties(table: RegionTable, values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return the label, the name, the other columns and the values of each region."""
    columns: dict[str, Sequence[Any]] = {**table.other_columns}
    if _LABEL in columns:
        columns[f"{_LABEL}_value"] = columns.pop(_LABEL)
    # A map may be called as what says which region it is, or as text of the table.  Numbers of its
    # title are those of a map before, and are replaced.
    is_text = {title for title, cells in columns.items() if {*map(type, cells)} & {str}}
    taken = {_LABEL, "name", *is_text, *_COLOR_TITLES, HEMISPHERE_TITLE}
    for title, cells in values.items():
        while title in taken:
            title += "_value"  # noqa: PLW2901  until it is free
        taken.add(title)
        columns[title] = cells
    properties = []
    for row, (label, name) in enumerate(table):
        further = {title: _plain(cells[row]) for title, cells in columns.items()}
        properties.append({_LABEL: label, "name": name, **further})
    return properties


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
