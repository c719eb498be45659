"""Labels and images in chunks, from what people have of them: paths, Zarr and Dask arrays."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.parcellation import Files, compare_labels, map_number
from ..atlas.region_table import RegionTable
from ..engine.encoding import check_background, encode
from ..engine.threads import each_in_turn, threads_of
from ..errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    LabelsError,
    RegionTableError,
    capitalized,
    examples,
)
from ..files import existing_file, readable
from ..io.kinds import NO_REGIONS
from ..signals import MapAxis
from ..tables import regions as region_tables
from . import image_label
from .ome import Multiscale, level_of, metadata_of, read_multiscale, unplaced_grid
from .parcellation import ChunkedParcellation, Level, checked_table
from .stores import dask_voxels, is_of_zarr, open_node, path_of, zarr_voxels

if TYPE_CHECKING:
    import zarr
    from numpy.typing import NDArray

    from ..atlas.spaces import VolumeGrid
    from ..progress import Progress
    from .voxels import Box, Voxels

_WHAT = "the labels image"

NODE = 256
"""Along each axis, voxels of a task: those of a shard of what we write."""


@dataclass(frozen=True, eq=False)
class ChunkedImage:
    """An image in chunks, at one level.

    Parameters
    ----------
    voxels : Voxels
    space : VolumeGrid
    axis : MapAxis
    """

    voxels: Voxels
    space: VolumeGrid
    axis: MapAxis


def boxes(shape: Sequence[int], edge: int = NODE) -> Iterator[Box]:
    """Yield the blocks of this edge that an array is made of, aligned at the origin."""
    parts = [[slice(start, min(start + edge, n)) for start in range(0, n, edge)] for n in shape]
    every: Iterator[Any] = itertools.product(*parts)
    yield from every


def open_image(source: Any, what: str, level: int = 0) -> ChunkedImage:
    """Return an image in chunks.

    Raises what `load` does.

    Parameters
    ----------
    source : path, zarr.Array, zarr.Group or dask.array.Array
    what : str
        What messages call it: ``"the image"``.
    level : int, default=0
        Of an OME-Zarr.
    """
    if not is_of_zarr(source) and not isinstance(source, str | os.PathLike):
        _refuse_level(level, what)
        return _unplaced_image(dask_voxels(source, what))
    node: Any = open_node(source, what)
    if _is_array(node):
        _refuse_level(level, what)
        _check_named_axes(node, what)
        return _unplaced_image(zarr_voxels(node, what))
    name = f"{what} {path_of(node) or 'in memory'}"
    image = read_multiscale(node, name)
    number = level_of(image, level, name)
    voxels = zarr_voxels(image.arrays[number], what)
    # One axis before those of space, of length one or not, makes a series.
    is_single = not voxels.leading
    maps = image.ours.get("maps")
    axis = MapAxis(maps, None if is_single else image.t_r, single=is_single)
    return ChunkedImage(voxels, image.spaces[number], axis)


def _unplaced_image(voxels: Any) -> ChunkedImage:
    return ChunkedImage(voxels, unplaced_grid(voxels.shape), MapAxis(single=voxels.n_maps == 1))


def load(
    source: Any,
    regions: Any = None,
    *,
    background: float | None = None,
    strict: bool = False,
    label_map: str | int | None = None,
    level: int = 0,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> ChunkedParcellation:
    """Return the regions of labels in chunks; see `regioncast.load_parcellation`.

    Parameters
    ----------
    source : path, zarr.Array, zarr.Group or dask.array.Array
    regions, background, strict, label_map, level, n_jobs, progress
        As there.
    """
    background = 0 if background is None else background
    check_background(background)
    levels, said, file = _levels(source, label_map, level)
    for each in levels:
        _check_labels(each.labels)
    # A given table spares the pass over all voxels, which may take hours.
    table, table_file = _given_table(regions, said, file, levels[0].labels.name)
    if table is not None and background == 0:
        _check_start(table)
    if table is None or strict:
        found = find_labels(levels[0].labels, background, n_jobs=n_jobs, progress=progress)
        if not len(found):
            raise LabelsError(
                f"{capitalized(levels[0].labels.name)} has no region: every voxel is background "
                f"(label {background:g}). Check it, or pass another background label."
            )
        if table is None:
            table = RegionTable(found)
        else:
            table = table.without(background)
            compare_labels(found, table.labels, levels[0].space, strict=True)
    files = Files(() if file is None else (file,), table_file)
    return ChunkedParcellation(levels, checked_table(table, background), background, files)


def find_labels(
    labels: Voxels,
    background: float,
    *,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> NDArray[np.int64]:
    """Return the labels that there are, ascending, in one pass over all voxels."""
    all_boxes = list(boxes(labels.shape))
    found = np.empty(0, np.int64)

    def labels_in(box: Box) -> NDArray[np.int64]:
        return encode(labels.read(box), background).labels

    in_turn = each_in_turn(labels_in, all_boxes, threads_of(n_jobs))
    for n_done, of_box in enumerate(in_turn, start=1):
        found = np.union1d(found, of_box)
        if progress is not None:
            progress(n_done, len(all_boxes))
    return found


def _levels(
    source: Any, label_map: str | int | None, level: int
) -> tuple[list[Level], Mapping[str, Any], Any]:
    """Return levels of labels from one on, what is said of labels there, and where they are."""
    if not is_of_zarr(source) and not isinstance(source, str | os.PathLike):
        _refuse_level(level, _WHAT)
        _refuse_label_map(label_map)
        voxels = dask_voxels(source, _WHAT)
        return [Level(voxels, unplaced_grid(voxels.shape))], {}, None
    node: Any = open_node(source, _WHAT)
    file = path_of(node)
    if _is_array(node):
        _refuse_level(level, _WHAT)
        _refuse_label_map(label_map)
        _check_named_axes(node, _WHAT)
        found = zarr_voxels(node, _WHAT)
        return [Level(found, unplaced_grid(found.shape))], {}, file
    group = group_of_labels(node, label_map)
    name = f"{_WHAT} {path_of(group) or 'in memory'}"
    image: Multiscale = read_multiscale(group, name)
    first = level_of(image, level, name)
    levels = [
        Level(zarr_voxels(array, _WHAT), space)
        for array, space in zip(image.arrays[first:], image.spaces[first:], strict=True)
    ]
    return levels, image.image_label, file


def group_of_labels(group: zarr.Group, label_map: str | int | None) -> zarr.Group:
    """Return the group of one labels image: of those of an image, or the group itself."""
    # The folder of an image, that of all its labels, or that of some labels themselves.
    holder: Any = group
    if "labels" in group and _is_group(group["labels"]):
        holder = group["labels"]
    names = list(metadata_of(holder).get("labels") or ())
    # Not the image itself, of which each intensity would be a region.
    if not names and holder is not group:
        raise FileFormatError(
            f"{capitalized(_WHAT)} {path_of(group) or 'in memory'} has a group labels that lists "
            f"none of its {examples(sorted(dict(holder.members()))) or 'no members'}. Give the "
            "path of one, or of the array that is meant."
        )
    if not names:
        _refuse_label_map(label_map)
        return group
    return _member_of_labels(holder, names[map_number(list(map(str, names)), label_map)])


def _member_of_labels(holder: zarr.Group, name: str) -> zarr.Group:
    with readable(f"{_WHAT} {path_of(holder) or 'in memory'}"):
        labels: Any = holder[name]
    if not _is_group(labels):
        raise FileFormatError(
            f"{capitalized(_WHAT)} {path_of(labels) or name} is listed among labels, and is an "
            "array and no OME-Zarr. Name it by its own path."
        )
    return labels  # type: ignore[no-any-return]


def _given_table(
    regions: Any, said: Mapping[str, Any], file: Any, name: str
) -> tuple[RegionTable | None, Any]:
    """Return the region table that was given, lies in the store or beside it, and its file."""
    if isinstance(regions, str) and regions == NO_REGIONS:
        return None, None
    if isinstance(regions, str | os.PathLike):
        path = existing_file(regions, "the region table", may_be_pipe=True)
        return region_tables.read_region_table(path, may_be_list=False), path
    if regions is not None:
        # Names alone would be of all labels, which takes all voxels to know.
        return region_tables.read_region_table(regions, may_be_list=False), None
    with readable(name):
        table = image_label.table_of(said, name)
    if table is not None or file is None:
        return table, None
    beside = region_tables.find_region_table(file.absolute())
    if beside is None:
        return None, None
    return region_tables.read_region_table(beside, may_be_list=False), beside


def _check_start(table: RegionTable) -> None:
    """Raise where a table numbers its regions from 0: of labels from 1, each would be another."""
    counts = np.array_equal(table.labels, np.arange(len(table)))
    if counts and region_tables.calls_zero_a_region(table):
        raise RegionTableError(
            f"The region table counts from 0, which it calls {table.names[0]!r}, and 0 is the "
            "background. Add 1 to its labels if those of the image count from 1; call 0 "
            "'background' if it is; or pass another background label."
        )


def _check_labels(labels: Voxels) -> None:
    if labels.dtype.kind not in "iu":
        raise LabelsError(
            f"{capitalized(labels.name)} holds {labels.dtype}; labels in chunks are integers. "
            "Convert them, for example array.astype('int32')."
        )
    if labels.n_maps != 1:
        raise DimensionError(
            f"{capitalized(labels.name)} has {labels.n_maps:,} maps; labels are one. Choose one, "
            "array[0] for example."
        )
    if 0 in labels.shape:
        raise LabelsError(f"{capitalized(labels.name)} has no voxel: its shape is {labels.shape}.")


def _check_named_axes(array: Any, what: str) -> None:
    """Raise where an array says that its axes are others than z, y and x."""
    # Zarr 3 has a place for names of axes; in Zarr 2 xarray writes them as an attribute.
    names = getattr(array.metadata, "dimension_names", None)
    names = names or array.attrs.asdict().get("_ARRAY_DIMENSIONS") or ()
    last = [None if name is None else str(name).lower() for name in names][-3:]
    if any(name is not None for name in last) and last != ["z", "y", "x"]:
        raise DimensionError(
            f"{capitalized(what)} has the axes {examples(names)}; the last three have to be z, y, "
            "x. Write it again in this order."
        )


def _refuse_level(level: int, what: str) -> None:
    if level != 0:
        raise ArgumentError(
            f"level={level!r} (--level) chooses a resolution of an OME-Zarr, and {what} is an "
            "array, which has one. Leave it out."
        )


def _refuse_label_map(label_map: str | int | None) -> None:
    if label_map is not None:
        raise ArgumentError(
            f"label_map={label_map!r} chooses among several images of labels; here is one. Leave "
            "it out."
        )


def _is_group(node: Any) -> bool:
    import zarr

    return isinstance(node, zarr.Group)


def _is_array(node: Any) -> bool:
    import zarr

    return isinstance(node, zarr.Array)
