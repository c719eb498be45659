"""Values as properties of labels: painting that reads no voxel and takes no space.

Viewers that show labels colour them by these: as ``image-label`` in the metadata of the labels
themselves (OME-Zarr), or as ``segment_properties`` beside them (neuroglancer).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.dtypes import first_that_holds
from ..errors import FileFormatError, LabelsError, OutputExistsError, SignalsError, examples, plural
from ..files import check_output, expanded, readable, replacing, replacing_all
from ..formats import family_of
from .image_label import image_label_of, table_of
from .ome import read_multiscale
from .reading import group_of_labels
from .stores import is_store, open_node, path_of

if TYPE_CHECKING:
    import zarr
    from numpy.typing import NDArray

    from ..atlas.region_table import RegionTable

_NEUROGLANCER = "neuroglancer_segment_properties"
# What neuroglancer has of integers; of other numbers it has float32.
_INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32")


@dataclass(frozen=True, eq=False)
class Properties:
    """Values of regions, as properties.

    Parameters
    ----------
    regions : RegionTable
    values : dict of str to array, shape (n_regions,)
        Of each map, by its name.
    has_value : array of bool, shape (n_regions,)
        False where a region has none.
    colors : sequence of str or None
        Of each region.
    """

    regions: RegionTable
    values: dict[str, NDArray[Any]]
    has_value: NDArray[np.bool_]
    colors: Sequence[str | None]


def check_properties_output(path: Path, *, overwrite: bool) -> None:
    """Raise where properties cannot be written under this name."""
    output = expanded(path)
    if _is_of_store(output):
        if not is_store(output):
            raise FileFormatError(
                f"Properties are written into the labels of an OME-Zarr that is there: {output} is "
                "none. Name that of the labels."
            )
        if not overwrite:
            raise OutputExistsError(
                f"The labels in {output} exist, and their metadata would be changed. Ask for "
                "overwriting (overwrite=True, --overwrite)."
            )
        return
    if output.name != "info" and output.suffix.lower() != ".json":
        raise FileFormatError(
            f"Properties cannot be written as {output.name!r}: into an OME-Zarr of labels "
            "(x.ome.zarr), or for neuroglancer as a file info or .json."
        )
    check_output(output, overwrite=overwrite)


def save_properties(properties: Properties, output: Path, *, overwrite: bool) -> Path:
    """Write properties into an OME-Zarr of labels, or as a file for neuroglancer.

    Raises
    ------
    OutputExistsError, OutputError, FileFormatError
        As `check_properties_output`, and when writing fails.
    LabelsError
        When the labels in the store are of other regions, or are none that a viewer knows.
    SignalsError
        When a value is no number that the file can hold.
    """
    output = expanded(output)
    check_properties_output(output, overwrite=overwrite)
    if _is_of_store(output):
        _write_into(output, properties)
    else:
        text = json.dumps(_segment_properties(properties), allow_nan=False, ensure_ascii=False)
        with replacing(output, overwrite=overwrite) as temporary:
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
    return output


def _is_of_store(output: Path) -> bool:
    return family_of(output) == "zarr" or is_store(output)


def _write_into(store: Path, properties: Properties) -> None:
    """Replace the file with the metadata of the labels in a store."""
    what = "the labels image"
    node: Any = open_node(store, what)
    if not hasattr(node, "members"):
        raise FileFormatError(f"{store} is an array and no OME-Zarr. Name the OME-Zarr.")
    group: zarr.Group = group_of_labels(node, None)
    folder = path_of(group)
    assert folder is not None, "a path leads to a folder"
    name = f"{what} {folder}"
    image = read_multiscale(group, name)
    _check_same_regions(table_of(image.image_label, name), properties.regions, name)
    values = {
        title: [
            v if is_there else None
            for v, is_there in zip(row.tolist(), properties.has_value, strict=True)
        ]
        for title, row in properties.values.items()
    }
    said = image_label_of(properties.regions, values=values, colors=properties.colors)
    if "source" in image.image_label:
        said["source"] = image.image_label["source"]
    is_new = (folder / "zarr.json").exists()
    said["version"] = image.image_label.get("version", "0.5" if is_new else "0.4")
    texts = _texts_with(said, folder, folder / ("zarr.json" if is_new else ".zattrs"), name)
    # No voxel is touched, and files are replaced by a rename: a reader finds old or new values.
    with replacing_all(list(texts), overwrite=True) as temporaries:
        for temporary, text in zip(temporaries, texts.values(), strict=True):
            temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def _texts_with(said: dict[str, Any], group: Path, file: Path, name: str) -> dict[Path, str]:
    """Return what files are to hold: that of a group, and copies in those of groups above."""
    # Readers believe such copies, consolidated metadata, before the group itself.
    above = [folder / each for folder in group.parents for each in ("zarr.json", ".zmetadata")]
    texts = {}
    for each in (file, *filter(Path.exists, above)):
        with readable(name):
            content = json.loads(each.read_text(encoding="utf-8"))
            holder = _said_in(content, each, group)
        if holder is not None:
            holder["image-label"] = said
            # With the NaN that others have written.
            texts[each] = json.dumps(content, ensure_ascii=False, indent=1, default=str)
    return texts


def _said_in(content: Any, file: Path, group: Path) -> Any:
    """Return what a file says of a group in or below its folder, None where it says nothing."""
    if file.name == ".zattrs":
        return content
    if file.parent != group:
        path = group.relative_to(file.parent).as_posix()
        copies = (content.get("consolidated_metadata") or content).get("metadata") or {}
        content = copies.get(path, {"attributes": copies.get(f"{path}/.zattrs")})
    attributes = content["attributes"]
    return attributes and attributes.get("ome", attributes)


def _check_same_regions(there: RegionTable | None, painted: RegionTable, name: str) -> None:
    """Raise where labels in a store are said to be of other regions than those painted."""
    if there is None:
        return
    labels = there.labels[there.labels != 0]
    other = np.setxor1d(labels, painted.labels).tolist()
    if other:
        raise LabelsError(
            f"{name} has other regions than those painted: {plural(len(other), 'label')} of one "
            f"alone: {examples(other)}. Paint these labels, or write to those that were painted."
        )


def _segment_properties(properties: Properties) -> dict[str, Any]:
    """Return what neuroglancer reads; regions without a value are not in it."""
    regions = properties.regions
    numbers = {title: np.asarray(row) for title, row in properties.values.items()}
    is_listed = properties.has_value.copy()
    if numbers:
        # What has no number in any map is as what has no value.
        is_listed &= np.any([np.isfinite(row) for row in numbers.values()], axis=0)
    rows = np.flatnonzero(is_listed).tolist()
    # Segments are unsigned integers of 64 bits, as text.
    negative = regions.labels[regions.labels < 0].tolist()
    if negative:
        raise LabelsError(
            f"neuroglancer has no labels below 0: {examples(negative)}. Renumber the regions."
        )
    told: list[dict[str, Any]] = [
        {"id": "label", "type": "label", "values": [regions.names[row] for row in rows]}
    ]
    told += [_number(title, row[rows]) for title, row in numbers.items()]
    ids = [str(regions.labels[row]) for row in rows]
    return {"@type": _NEUROGLANCER, "inline": {"ids": ids, "properties": told}}


def _number(title: str, values: NDArray[Any]) -> dict[str, Any]:
    """Return a property of segments that is a number."""
    dtype: Any = np.dtype("float32")
    if values.dtype.kind in "biu":
        dtype = first_that_holds([0, *values.tolist()], _INTEGERS) or dtype
    with np.errstate(over="ignore"):
        held = values.astype(dtype)
    # Floats are rounded, integers are not.
    is_lost = ~np.isfinite(held)
    if values.dtype.kind in "iu":
        is_lost = held.astype(object) != values.astype(object)
    if is_lost.any():
        raise SignalsError(
            f"{plural(int(is_lost.sum()), 'value')} of {title!r} that neuroglancer cannot hold: "
            "NaN, beyond float32, or integers of more than 32 bits. Leave them out."
        )
    # Names of segments are a property, too.
    name = "label_value" if title == "label" else title
    of_type = {"type": "number", "data_type": dtype.name}
    return {"id": name, **of_type, "values": held.tolist()}
