"""Regions one by one, from XML: atlases of FSL and SPM, label tables of Connectome Workbench."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..atlas.region_table import hex_color, range_problem
from ..errors import FileFormatError, RegionTableError, examples
from .colour_tables import Record, renamed
from .text import is_number, parse_integer

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    Labels = NDArray[np.int64]


def _parsed(xml: bytes | str, source: str) -> Element:
    from xml.etree import ElementTree as ET

    text = xml.rstrip(b"\0 \r\n\t") if isinstance(xml, bytes) else xml.rstrip("\0 \r\n\t")
    try:
        # Expat fetches nothing from outside and stops when entities multiply.
        return ET.fromstring(text)  # noqa: S314  see above
    except (ET.ParseError, LookupError, ValueError) as error:
        raise FileFormatError(f"{source} is not valid XML: {error}.") from None


def xml_records(xml: bytes, source: str, labels: Labels | None) -> list[Record]:
    """Return the records of an atlas of FSL or SPM, or of a label table of Workbench.

    Raises
    ------
    RegionTableError, FileFormatError
        When it is neither, or no XML.
    """
    root = _parsed(xml, source)
    if root.find(".//LabelTable") is not None or root.tag == "LabelTable":
        return label_table_records(xml, source)
    elements = list(root.iter("label"))
    if not elements:
        raise RegionTableError(
            f"{source} has no label elements. "
            "The XML of FSL and SPM atlases and Workbench label tables can be read."
        )
    if all("index" in element.attrib for element in elements):
        return _fsl_records(root, elements, source, labels)
    return [_spm_record(element, source) for element in elements]


def label_table_records(xml: bytes | str, source: str) -> list[Record]:
    """Return the records of the label table of Workbench; raise where there are several."""
    tables = [_label_table_rows(table) for table in _parsed(xml, source).iter("LabelTable")]
    if not tables:
        raise RegionTableError(f"{source} has no LabelTable element.")
    if any(rows != tables[0] for rows in tables):
        raise RegionTableError(
            f"{source} has {len(tables)} label tables that differ. "
            "Give the table of one map as a file."
        )
    return tables[0]


def _fsl_records(
    root: Element, elements: Sequence[Element], source: str, labels: Labels | None
) -> list[Record]:
    records = []
    for element in elements:
        others = {key: text for key, text in element.attrib.items() if key != "index"}
        index = _label(element.attrib["index"], source)
        records.append({"index": index, "name": _text(element), **renamed(others)})
    problem = range_problem(record["index"] for record in records)
    if problem:
        raise RegionTableError(f"{source} has {problem}")
    indices = np.array([record["index"] for record in records], dtype=np.int64)
    shift = _fsl_shift(indices, (root.findtext(".//type") or "").strip().lower(), labels)
    return [{**row, "index": row["index"] + shift} for row in records]


def _fsl_shift(indices: Labels, kind: str, labels: Labels | None) -> int:
    """Return what to add to FSL's index to get the label in the image: 0 or 1."""
    as_given, plus_one = n_covered(indices, labels), n_covered(indices + 1, labels)
    if as_given != plus_one:
        return int(plus_one > as_given)
    return int(kind != "label")


def _spm_record(element: Element, source: str) -> Record:
    cells = {child.tag: _text(child) for child in element}
    if not {"index", "name"} <= set(cells):
        raise RegionTableError(
            f"{source} has a label element without index and name; its parts are: "
            f"{examples(cells) or 'none'}."
        )
    return {**cells, "index": _label(cells["index"], source)}


def _label_table_rows(table: Element) -> list[Record]:
    return [
        {
            "index": _label(element.get("Key", element.get("Index", "")), "The label table"),
            "name": _text(element),
            "color": _unit_color(element),
        }
        for element in table.iter("Label")
    ]


def _unit_color(element: Element) -> str | None:
    """Return the colour whose parts are given from 0 to 1."""
    parts = [element.get(channel, "") for channel in ("Red", "Green", "Blue")]
    return hex_color(list(map(float, parts))) if all(map(is_number, parts)) else None


def _label(text: str, source: str) -> int:
    label = parse_integer(text)
    if label is None:
        raise RegionTableError(f"{source} has the label {text!r}, which is not an integer.")
    return label


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def n_covered(found: Labels, labels: Labels | None) -> int:
    """Return how many labels of the image, 0 apart, are among those found."""
    return 0 if labels is None else int(np.count_nonzero(np.isin(labels[labels != 0], found)))
