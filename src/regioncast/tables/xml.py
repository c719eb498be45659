"""Regions one by one, from XML: atlases of FSL and SPM, label tables of Connectome Workbench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..atlas.region_table import hex_color
from ..errors import FileFormatError, RegionTableError, examples
from .cells import is_number, parse_integer
from .colour_tables import Record, renamed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def xml_records(xml: bytes, source: str) -> list[Record]:
    """Return the records of an atlas of FSL or SPM, or of a label table of Workbench.

    Raises `RegionTableError`, `FileFormatError` when it is neither, or no XML.

    Notes
    -----
    FSL counts the volumes of a probabilistic atlas from 0, and its images of the most probable
    region hold that number plus one.  A file whose type is ``Probabilistic`` says that it counts
    volumes; any other holds labels as they are.
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
        kind = root.findtext(".//type", "").strip().lower()
        first_label = 1 if kind == "probabilistic" else 0
        return [_fsl_record(element, source, first_label) for element in elements]
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


def _parsed(xml: bytes | str, source: str) -> Element:
    from xml.etree import ElementTree as ET

    # Extensions of headers are padded with zero bytes.
    text = xml.rstrip(b"\0 \r\n\t") if isinstance(xml, bytes) else xml.rstrip("\0 \r\n\t")
    try:
        # Expat fetches nothing from outside and stops when entities multiply.
        return ET.fromstring(text)  # noqa: S314  see above
    except (ET.ParseError, LookupError, ValueError) as error:
        raise FileFormatError(f"{source} is not valid XML: {error}.") from None


def _fsl_record(element: Element, source: str, first_label: int) -> Record:
    columns = dict(element.attrib)
    index = _label(columns.pop("index"), source) + first_label
    return {"index": index, "name": _text(element), **renamed(columns)}


def _spm_record(element: Element, source: str) -> Record:
    cells = {child.tag: _text(child) for child in element}
    if not {"index", "name"} <= set(cells):
        raise RegionTableError(
            f"{source} has a label element without index and name; its parts are: "
            f"{examples(cells) or 'none'}."
        )
    return {**cells, "index": _label(cells["index"], source)}


def _label_table_rows(table: Element) -> list[Record]:
    rows = []
    for element in table.iter("Label"):
        label = _label(element.get("Key", element.get("Index", "")), "The label table")
        # Colours are given from 0 to 1; those that are no numbers are none.
        parts = [element.get(channel, "") for channel in ("Red", "Green", "Blue")]
        color = hex_color(list(map(float, parts))) if all(map(is_number, parts)) else None
        rows.append({"index": label, "name": _text(element), "color": color})
    return rows


def _label(text: str, source: str) -> int:
    label = parse_integer(text)
    if label is None:
        raise RegionTableError(f"{source} has the label {text!r}, which is not an integer.")
    return label


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())
