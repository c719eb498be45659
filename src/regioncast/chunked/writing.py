"""OME-Zarr 0.5 out: a painted map with the labels that it was painted from, or labels alone.

A task writes one shard of each array at one level, so that no two write the same file.  What they
write lies in a temporary folder, gets the metadata that make it an OME-Zarr when all is there, and
is then renamed.
"""

from __future__ import annotations

import json
import pickle
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas.parcellation import Parcellation
from ..engine.dtypes import first_that_holds
from ..engine.painting import paint
from ..engine.threads import each_in_turn, n_cpus
from ..errors import FileFormatError, LabelsError, OutputError, SignalsTypeError, WorkerDiedError
from ..executors import each_done
from ..files import check_folder_output, expanded, replacing_folder
from ..formats import family_of, stem_of
from ..io.kinds import Painted
from .image_label import image_label_of
from .ome import NIFTI, OURS, axes_of, count_files, header_bytes, transforms_of
from .painting import PaintedChunks, in_chunks, painting_in_chunks
from .parcellation import ChunkedParcellation
from .reading import NODE, boxes
from .shards import Shards
from .stores import check_unchanged, is_store, needs_zarr
from .voxels import near, parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..progress import Progress
    from .voxels import Box, Voxels

_LABELS = "labels/atlas"
_LABEL_DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64")
# zstd at its first level, with a checksum: a flipped bit is an error and no other value.
_ZSTD = {"level": 1, "checksum": True}

# What is pickled for other processes, in the temporary folder.
_PLAN = "plan-{}.pickle"

Task = tuple[int, "Box"]
"""A level and a block of it."""

_Leaf = tuple["Box", "NDArray[Any]", "NDArray[np.int64]"]
"""A chunk: where it is, its codes, and what they are in the table."""


@dataclass(frozen=True)
class Layout:
    """How arrays are divided.

    Parameters
    ----------
    chunk, shard : int
        Voxels along each axis of what is compressed at once, and of what is in one file.
    """

    chunk: int = 64
    shard: int = NODE


_DEFAULT = Layout()


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is written, for all who write parts of it.

    Parameters
    ----------
    folder : str
        The temporary store.
    atlas : ChunkedParcellation
    labels : str
        The path of the group of labels in it.
    label_of_code : array
        In the dtype of labels.
    values : array or None
        A row per map, with the value of each code.
    is_series : bool
    arrays : list of (Shards, Shards or None)
        Of labels and image, level by level.
    """

    folder: str
    atlas: ChunkedParcellation
    labels: str
    label_of_code: NDArray[Any]
    values: NDArray[Any] | None
    is_series: bool
    arrays: list[tuple[Shards, Shards | None]] = field(default_factory=list)

    @property
    def keeps_labels(self) -> bool:
        """Whether labels are written as they are read: none is left out, and 0 stays no region."""
        return self.atlas.known is None and self.atlas.background == 0


def check_store_output(path: Path, *, overwrite: bool) -> None:
    """Raise where an OME-Zarr cannot be written under this name, before any work is done."""
    needs_zarr()
    if family_of(path) != "zarr":
        raise FileFormatError(
            f"Labels and images in chunks are written as .ome.zarr, not as {path.name!r}. What "
            "fits into memory is written as NIfTI, too: load_parcellation(…, level=…).load()."
        )
    check_folder_output(path, overwrite=overwrite, may_replace=is_store)


def save_chunks(
    thing: PaintedChunks | ChunkedParcellation,
    output: Path,
    *,
    overwrite: bool,
    executor: Executor | None = None,
    progress: Progress | None = None,
    layout: Layout = _DEFAULT,
) -> Path:
    """Write a painted image with its labels, or labels alone, whole or not at all; see `save`."""
    image = thing if isinstance(thing, PaintedChunks) else None
    atlas = thing.parcellation if isinstance(thing, PaintedChunks) else thing
    output = expanded(output)
    check_store_output(output, overwrite=overwrite)
    _check_sources(atlas, output)
    with replacing_folder(output, overwrite=overwrite, may_replace=is_store) as folder:
        plan = _Plan(
            str(folder),
            atlas,
            "" if image is None else _LABELS,
            _label_of_code(atlas),
            None if image is None else np.ascontiguousarray(image.table),
            is_series=image is not None and not image.axis.single,
        )
        _make_arrays(plan, layout)
        tasks = [
            (number, box)
            for number, level in enumerate(atlas.levels)
            for box in boxes(level.labels.shape, layout.shard)
        ]
        _write_all(plan, tasks, executor, progress)
        _write_metadata(plan, image, stem_of(output))
    return output


def _check_sources(atlas: ChunkedParcellation, output: Path) -> None:
    """Raise where labels are others than when they were opened, or would be replaced."""
    for level in atlas.levels:
        check_unchanged(level.labels)
        source = getattr(level.labels, "store", None)
        # What else is in there would be lost: an image, finer levels, other labels.
        if isinstance(source, str) and Path(source).resolve().is_relative_to(output.resolve()):
            raise OutputError(
                f"The labels are read from the output: {output}. Choose another name; values "
                "without voxels are written there by as_='properties' (--as properties)."
            )


def _label_of_code(atlas: ChunkedParcellation) -> NDArray[Any]:
    """Return the label of each code, in the dtype that labels have, or else one that holds all."""
    # Viewers take 0 for no region, whatever it was in the labels that are read.
    labels = np.concatenate([[0], atlas.table.labels])
    if 0 in labels[1:]:
        raise LabelsError(
            "0 is the label of a region, and what is no region has it in OME-Zarr. Renumber that "
            "region."
        )
    limits = [int(labels.min()), int(labels.max())]
    stored = atlas.levels[0].labels.dtype.name
    dtype = first_that_holds(limits, [stored, *_LABEL_DTYPES])
    assert dtype is not None, "labels are integers of 64 bits"
    return labels.astype(dtype)


# --- arrays --------------------------------------------------------------------------------------


def _make_arrays(plan: _Plan, layout: Layout) -> None:
    for number, level in enumerate(plan.atlas.levels):
        name = f"{plan.labels}/{number}".removeprefix("/")
        shape = level.labels.shape
        zero = plan.label_of_code.dtype.type(0)
        labels = _make_array(plan.folder, name, shape, zero, layout)
        image = None
        if plan.values is not None:
            leading = (len(plan.values),) if plan.is_series else ()
            fill = plan.values[0, 0]
            image = _make_array(plan.folder, str(number), (*leading, *shape), fill, layout)
        plan.arrays.append((labels, image))


def _make_array(
    folder: str, name: str, shape: tuple[int, ...], fill: np.generic, layout: Layout
) -> Shards:
    import zarr
    from zarr.codecs import ZstdCodec

    leading = (1,) * (len(shape) - 3)
    array = zarr.create_array(
        folder,
        name=name,
        shape=shape,
        chunks=(*leading, *[layout.chunk] * 3),
        shards=(*leading, *[layout.shard] * 3),
        dtype=fill.dtype,
        compressors=ZstdCodec(**_ZSTD),  # type: ignore[arg-type]  # of a dict of ours
        fill_value=fill,
        # OME-Zarr 0.5 has the axes in the array, too.
        dimension_names=["t", "z", "y", "x"][-len(shape) :],
    )
    shards = Shards.of(array, Path(folder, name))
    if shards is None:
        raise SignalsTypeError(f"OME-Zarr holds integers and floats, and these are {fill.dtype}.")
    return shards


def _write_all(
    plan: _Plan, tasks: list[Task], executor: Executor | None, progress: Progress | None
) -> None:
    """Do all tasks, in threads or by an executor; raise the error of the first that fails."""
    try:
        for n_done, _ in enumerate(_each(plan, tasks, executor), start=1):
            if progress is not None:
                progress(n_done, len(tasks))
    except WorkerDiedError as error:
        raise OutputError(
            f"A process that wrote a part ended early ({error}); it may have had too little memory."
            " Nothing was changed. Run it again with fewer processes."
        ) from error


def _each(plan: _Plan, tasks: list[Task], executor: Executor | None) -> Iterator[None]:
    if executor is None:
        yield from each_in_turn(partial(_write_part, plan), tasks, n_cpus())
        return
    # Labels and values go to other processes by the disk, once, and not with every task.
    # Never under the name of an earlier one, which workers keep.
    file = Path(plan.folder, _PLAN.format(secrets.token_hex(8)))
    file.write_bytes(pickle.dumps(plan))
    failed: list[BaseException] = []
    # After an error no further task goes out, and those that are out are waited for: they would
    # write into a folder that is being removed.
    until_failed = (task for task in tasks if not failed)
    work = partial(_write_part_of, str(file))
    for _, future in each_done(executor, work, until_failed):
        error = future.exception()
        if error is not None:
            failed.append(error)
        yield
    if failed:
        raise failed[0]
    file.unlink()


def _write_part_of(file: str, task: Task) -> None:
    _write_part(_read_plan(file), task)


@lru_cache(1)
def _read_plan(file: str) -> _Plan:
    plan: _Plan = pickle.loads(Path(file).read_bytes())  # noqa: S301  written by us, for us
    return plan


def _write_part(plan: _Plan, task: Task) -> None:
    """Read the labels of a block, and write them and what is painted on them."""
    number, box = task
    labels, image = plan.arrays[number]
    edge = labels.chunk[-1]
    source = near(plan.atlas.levels[number].labels, box, edge)
    leaves = []
    for leaf in parts(box, edge):
        codes, of_regions = plan.atlas.encoded(source, leaf)
        # What is not there reads as fill, and its files are not made.
        if of_regions.any():
            leaves.append((leaf, codes, of_regions))
    # A shard is written at once, and nobody else writes to it: two writers of one shard lose what
    # the first has written, without an error.
    if leaves:
        _write_labels(plan, labels, box, source, leaves)
    if image is None or plan.values is None:
        return
    for at, row in enumerate(plan.values):
        _write_shard(image, (at,) if plan.is_series else (), leaves, row)


def _write_labels(
    plan: _Plan, labels: Shards, box: Box, source: Voxels, leaves: Sequence[_Leaf]
) -> None:
    """Write a shard of labels, copied where it is one already."""
    stored = getattr(source, "shards", None)
    if stored is None or not (plan.keeps_labels and labels.can_copy(stored)):
        _write_shard(labels, (), leaves, plan.label_of_code)
        return
    # All of it has been read, so its checksums are right; to encode it again takes long.
    shard = [part.start // n for part, n in zip(box, labels.shard, strict=True)]
    labels.copy(shard, stored)


def _write_shard(
    shards: Shards,
    leading: tuple[int, ...],
    leaves: Sequence[_Leaf],
    values: NDArray[Any],
) -> None:
    """Write what is painted with the value of each code."""
    if not leaves:
        return
    corner = [part.start for part in leaves[0][0]]
    shard = [at // n for at, n in zip(corner, shards.shard[-3:], strict=True)]
    first = [at * n for at, n in zip(shard, shards.shard[-3:], strict=True)]
    # By their bits: NaN is one, and -0.0 is not 0.0.
    is_fill = (values[:, np.newaxis].view(np.uint8) == values[:1].view(np.uint8)).all(axis=1)
    # Within a region all chunks are the same, and large regions have many: each is compressed once.
    of_one: dict[int, bytes] = {}

    def pieces() -> Iterator[tuple[tuple[int, ...], bytes]]:
        for leaf, codes, of_regions in leaves:
            if is_fill[of_regions].all():
                continue
            number = [
                (part.start - start) // n
                for part, start, n in zip(leaf, first, shards.chunk[-3:], strict=True)
            ]
            at = (*[0] * len(leading), *number)
            one = _only(codes)
            if one is None or codes.shape != shards.chunk[-3:]:
                block = paint(codes, values[of_regions][np.newaxis], single=True, order="C")
                yield at, shards.compressed(block)
                continue
            code = int(of_regions[one])
            if code not in of_one:
                of_one[code] = shards.compressed(np.full(codes.shape, values[code]))
            yield at, of_one[code]

    shards.write((*leading, *shard), pieces())


def _only(codes: NDArray[Any]) -> int | None:
    """Return the code that all voxels have, None where there are several."""
    least = int(codes.min())
    return least if least == int(codes.max()) else None


# --- metadata ------------------------------------------------------------------------------------


def _write_metadata(plan: _Plan, image: PaintedChunks | None, name: str) -> None:
    """Write what makes a folder of arrays an OME-Zarr; that of its root is the last."""
    root = Path(plan.folder)
    table = plan.atlas.table
    if image is None:
        said = {"image-label": image_label_of(table)}
        _write_group(root, _multiscale(plan, root, name, axis=None) | said)
        return
    # From the inside to the outside: without that of the root there is no image.
    labels = root / plan.labels
    said = {"image-label": image_label_of(table, source="../../")}
    content = _multiscale(plan, labels, "atlas", axis=None) | said
    _write_group(labels, content)
    _write_json(labels.parent, {"ome": {"version": "0.5", "labels": [labels.name]}})
    content = _multiscale(plan, root, name, axis=image.axis)
    _write_group(root, content)


def _multiscale(plan: _Plan, group: Path, name: str, *, axis: Any) -> dict[str, Any]:
    """Return what is said of an image: under OURS what OME-Zarr has no place for."""
    finest = plan.atlas.space
    is_series = axis is not None and plan.is_series
    t_r = None if axis is None else axis.t_r
    datasets = [
        {
            "path": str(number),
            "coordinateTransformations": transforms_of(level.space, is_series=is_series, t_r=t_r),
        }
        for number, level in enumerate(plan.atlas.levels)
    ]
    axes = axes_of(finest, is_series=is_series, t_r=t_r)
    files = {entry["path"]: count_files(group / str(entry["path"])) for entry in datasets}
    ours: dict[str, Any] = {"files": files, "placed": finest.is_placed}
    if finest.is_placed:
        ours["affine"] = finest.affine.tolist()
        _write_header(group, header_bytes(finest))
    if axis is not None and axis.names is not None:
        ours["maps"] = list(axis.names)
    multiscale = {"name": name, "axes": axes, "datasets": datasets}
    return {"version": "0.5", "multiscales": [multiscale], OURS: ours}


def _write_header(group: Path, header: NDArray[np.uint8]) -> None:
    import zarr

    zarr.create_array(
        str(group), name=NIFTI, shape=header.shape, chunks=header.shape, dtype="uint8",
        compressors=None, fill_value=0,
    )[:] = header  # fmt: skip


def _write_group(group: Path, ome: dict[str, Any]) -> None:
    ours = ome.pop(OURS)
    _write_json(group, {"ome": ome, OURS: ours})


def _write_json(group: Path, attributes: dict[str, Any]) -> None:
    content = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1, default=str)
    # What is no Unicode, as of names of files, is escaped as JSON does it.
    (group / "zarr.json").write_text(text, encoding="utf-8", errors="backslashreplace")


def labels_of_categories(image: PaintedChunks) -> ChunkedParcellation:
    """Return the labels whose regions are the categories that an image shows."""
    assert image.categories is not None, "asked of an image of categories"
    categories = image.categories
    of_regions = image.table[0, 1:].astype(np.int64)
    rows = np.searchsorted(categories.labels, of_regions) + 1
    rows[of_regions == 0] = 0
    return image.parcellation.with_rows(categories, rows.tolist())


def save(
    thing: object,
    output: Path,
    *,
    overwrite: bool,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a painted image or labels, in chunks or in memory, as OME-Zarr.

    Raises
    ------
    FileFormatError
        When this is something else, or the name is not that of an OME-Zarr.
    OutputExistsError, OutputError
        When the folder exists, or cannot be written.
    LabelsError
        When a label has no row in the region table, or 0 is that of a region.
    """
    check_store_output(expanded(output), overwrite=overwrite)
    if isinstance(thing, Parcellation):
        thing = in_chunks(thing)
    elif isinstance(thing, Painted):
        thing = painting_in_chunks(thing)
    if isinstance(thing, PaintedChunks) and thing.categories is not None:
        thing = labels_of_categories(thing)
    if isinstance(thing, PaintedChunks | ChunkedParcellation):
        return save_chunks(thing, output, overwrite=overwrite, executor=executor, progress=progress)
    raise FileFormatError(
        "OME-Zarr is written of labels, or of what paint returns, with its labels; this is "
        f"{type(thing).__name__}."
    )
