"""Extraction from images that are read in chunks."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from ..atlas.placement import coverage_of
from ..atlas.spaces import VolumeGrid, check_same
from ..errors import (
    ArgumentError,
    DimensionError,
    ImageTypeError,
    LabelsError,
    SpaceError,
    capitalized,
    plural,
)
from ..files import expanded
from ..formats import family_of, is_gzipped
from ..io.kinds import inside, open_maps
from ..io.sidecar import files_of
from ..io.volume.boxes import file_voxels
from ..io.volume.map_streams import MapStream
from ..io.volume.nifti import open_image as open_volume
from ..signals import Origin, Signals
from .ome import read_multiscale
from .parcellation import ChunkedParcellation
from .reading import ChunkedImage, open_image
from .reduction.blocks import Blocks, Sources
from .reduction.ranks import Limits, Owners
from .reduction.statistics import MapReduction, check_strategies
from .reduction.tasks import Side
from .stores import check_unchanged, is_chunked, is_of_zarr, open_node, path_of
from .voxels import InMemory

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from ..atlas.parcellation import Parcellation
    from ..atlas.region_table import RegionTable
    from ..engine.extraction import Nan, Strategy
    from ..progress import Progress
    from .reduction.statistics import Reduced
    from .voxels import Voxels

LARGE = 1 << 30
"""Bytes of one map of a ``.nii`` from which on it is read in chunks."""

_WHAT = "the image"

# An image, as messages go on about one.
_IN_CHUNKS = "what is read in chunks (OME-Zarr, Zarr, Dask)"


@dataclass(frozen=True, eq=False)
class Labelled:
    """Labels on the grid of an image, and the table of their regions.

    Parameters
    ----------
    voxels : Voxels
    background : number
        The label of no region.
    owners : Owners
        All labels that there may be, with the row of each; -1 where it is of no region.
    table : RegionTable
    space : VolumeGrid
    parcellation : Parcellation, default=None
        The same in memory, where it is there.
    """

    voxels: Voxels
    background: float
    owners: Owners
    table: RegionTable
    space: VolumeGrid
    parcellation: Parcellation | None = None

    @classmethod
    def of(cls, atlas: Parcellation | ChunkedParcellation) -> Labelled:
        """Return the labels of a parcellation; raise `SpaceError` where it has no voxels."""
        table = atlas.table
        if isinstance(atlas, ChunkedParcellation):
            check_unchanged(atlas.levels[0].labels)
            known = atlas.known
            labels = table.labels if known is None else known.labels
            rows = np.arange(len(table)) if known is None else known.codes - 1
            owners = Owners(labels, rows)
            return cls(atlas.levels[0].labels, atlas.background, owners, table, atlas.space)
        if not isinstance(atlas.space, VolumeGrid):
            raise SpaceError(
                f"The regions are of {atlas.space.description}, and the image is of voxels. Give "
                "labels of voxels."
            )
        owners = Owners(np.arange(1, len(table) + 1), np.arange(len(table)))
        codes = InMemory(atlas.codes.T, "the labels image")
        return cls(codes, 0, owners, table, atlas.space, atlas)


def is_in_chunks(
    image: Any,
    atlases: Sequence[Parcellation | ChunkedParcellation],
    strategies: Sequence[Strategy],
    others: Mapping[str, Any],
) -> bool:
    """Return whether an image or one of some parcellations is to be read in chunks.

    A large file, which can be read as any other, too, is if all that is asked for can be done so.

    Parameters
    ----------
    image, atlases, strategies
        As of `extract_each`.
    others : mapping
        Arguments of `regioncast.extract` that cannot be done in chunks.
    """
    if is_chunked(image) or any(isinstance(atlas, ChunkedParcellation) for atlas in atlases):
        return True
    can_be = all(strategy.reduction is not None for strategy in strategies) and not _said(others)
    return can_be and _is_large(image)


def _is_large(image: Any) -> bool:
    """Return whether one map of an uncompressed NIfTI file is large."""
    opened = _opened(image)
    voxels = None if opened is None else file_voxels(opened, _WHAT)
    if voxels is None:
        return False
    return voxels.stored.itemsize * math.prod(voxels.shape) >= LARGE


def _opened(image: Any) -> nib.Nifti1Image | None:
    """Return an image in a NIfTI file; None where it is none, or the file is small."""
    if isinstance(image, str | os.PathLike):
        path = expanded(image)
        if family_of(path) != "nifti" or is_gzipped(path):
            return None
        # Headers of small files are not looked at twice; what is wrong with a file is said later.
        if not path.is_file() or path.stat().st_size < LARGE:
            return None
        image = open_volume(path, _WHAT)
    return image if isinstance(image, nib.Nifti1Image) else None


def extract_each(
    image: Any,
    atlases: Mapping[str, Parcellation | ChunkedParcellation],
    strategies: Sequence[Strategy],
    *,
    nan: Nan = "omit",
    mask: Any = None,
    min_coverage: float | None = None,
    t_r: float | None = None,
    executor: Executor | None = None,
    n_jobs: int | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    **others: Any,
) -> dict[str, dict[str, Signals]]:
    """Return the signals of each atlas by each strategy.

    Parameters
    ----------
    image : whatever `is_in_chunks` says so of
    atlases : mapping of str to parcellation
        Each takes passes of its own.
    strategies, nan, mask, min_coverage, t_r, executor, n_jobs, progress
        As in `regioncast.extract`.
    limits : Limits, default=None
        Of what is kept for percentiles.
    **others
        Other arguments of `regioncast.extract`, which cannot be done in chunks.
    """
    if nan not in ("omit", "propagate", "zero"):
        raise ArgumentError(f"nan must be 'omit', 'propagate' or 'zero', not {nan!r}.")
    _refuse(others)
    pairs = {name: _Pair.of(image, atlas, mask) for name, atlas in atlases.items()}
    told = _Told(progress, strategies)
    for pair in pairs.values():
        check_strategies(strategies, pair.image.voxels.dtype, pair.image.voxels.name)
        told.expect(pair.blocks.n_nodes, pair.image.voxels.n_maps)
    side, limits = Side(executor, n_jobs, told), limits or Limits()
    files = files_of(image)
    extracted = {}
    for name, pair in pairs.items():
        maps = []
        for number in range(pair.image.voxels.n_maps):
            maps.append(pair.reduction(number, nan, side, limits).reduced(strategies))
            told.map_is_done(pair.blocks.n_nodes)
        axis = pair.image.axis.with_t_r(t_r)
        signals = _signals(maps, pair.labels, strategies, min_coverage, files)
        extracted[name] = {each: of_one.changed(axis=axis) for each, of_one in signals.items()}
    return extracted


@dataclass(frozen=True, eq=False)
class _Pair:
    """An image and the labels of one atlas, on one grid."""

    image: ChunkedImage
    labels: Labelled
    mask: Voxels | None

    @classmethod
    def of(cls, image: Any, atlas: Parcellation | ChunkedParcellation, mask: Any) -> _Pair:
        """Return what is there of both; raise `SpaceError` where the grids differ."""
        labels = Labelled.of(atlas)
        return cls(_open(image, labels.space), labels, _mask(mask, labels.space))

    @property
    def blocks(self) -> Blocks:
        """How both are divided."""
        return Blocks(self.image.voxels.shape)

    def reduction(self, number: int, nan: Nan, side: Side, limits: Limits) -> MapReduction:
        """Return what reduces one map."""
        labels = self.labels
        sources = Sources(
            labels.voxels, labels.background, self.image.voxels, nan, self.mask, self.blocks,
            number,
        )  # fmt: skip
        return MapReduction(sources, labels.owners, len(labels.table), side, limits)


def _signals(
    maps: Sequence[Reduced],
    labels: Labelled,
    strategies: Sequence[Strategy],
    min_coverage: float | None,
    files: tuple[Path, ...],
) -> dict[str, Signals]:
    first = maps[0].sums
    if not first["in_mask"].any() and first["voxels"].any():
        raise LabelsError(
            f"The mask leaves no region: none of {plural(len(labels.table), 'region')} has a "
            "voxel inside it. Check that mask and labels overlap."
        )
    finite = np.min([each.sums["finite"] for each in maps], axis=0)
    coverage = coverage_of(
        labels.table, labels.space.nouns, first["voxels"], first["in_mask"], finite
    )
    is_covered = np.ones(len(labels.table), bool)
    if min_coverage is not None:
        # Not `<`: a region without samples has the fraction NaN, and is missing.
        is_covered = np.array(coverage.columns["fraction"]) >= min_coverage
    signals = {}
    for number, strategy in enumerate(strategies):
        values = np.array([each.values[number] for each in maps])
        values[:, ~is_covered] = np.nan
        signals[strategy.name] = Signals(
            values,
            labels.table.unique_keys,
            labels=coverage.labels.tolist(),
            coverage=coverage,
            parcellation=labels.parcellation,
            origin=Origin(files, strategy.name),
        )
    return signals


class _Told:
    """Tells how many nodes are done, of all maps in all passes that there may be."""

    def __init__(self, progress: Progress | None, strategies: Sequence[Strategy]) -> None:
        self._progress = progress
        is_ranked = any(
            strategy.name.startswith(("median", "percentile")) for strategy in strategies
        )
        is_mode = any(strategy.name == "mode" for strategy in strategies)
        # Percentiles mostly take three passes more, often fewer, rarely another.
        self._n_passes = 1 + 3 * is_ranked + is_mode
        self._total = self._done = self._start = 0

    def expect(self, n_nodes: int, n_maps: int) -> None:
        """Count the nodes of some maps as to be done."""
        self._total += n_nodes * n_maps * self._n_passes

    def __call__(self, n_nodes: int) -> None:
        """Tell that so many nodes are done."""
        self._done += n_nodes
        self._tell(min(self._done, self._total))

    def map_is_done(self, n_nodes: int) -> None:
        """Tell that all passes over a map are done, however many they were."""
        self._start += n_nodes * self._n_passes
        self._done = self._start
        self._tell(self._done)

    def _tell(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, self._total)


# --- what is read ----------------------------------------------------------------------------


def _open(image: Any, space: VolumeGrid) -> ChunkedImage:
    """Return an image on the grid of labels: of an OME-Zarr, the level that has it."""
    opened = _on_grid(image, _WHAT, space) if is_chunked(image) else _from_file(image)
    check_same(space, opened.space, this_name="the labels image", other_name=_WHAT)
    if not opened.voxels.n_maps:
        raise DimensionError(f"{capitalized(opened.voxels.name)} has no map. Give one or more.")
    return opened


def _from_file(image: Any) -> ChunkedImage:
    """Return an image of nibabel's; what is in no file of one piece comes into memory."""
    maps = open_maps(image, _WHAT)
    if not isinstance(maps, MapStream) or len(maps.images) != 1:
        raise ImageTypeError(
            "Labels that are read in chunks go with one image of voxels: OME-Zarr, an array of "
            "Zarr or Dask, or a NIfTI file. Give one of these."
        )
    source, name = maps.images[0], maps.names[0]
    voxels: Any = file_voxels(source, name)
    if voxels is None:
        voxels = InMemory(np.asanyarray(source.dataobj).T, name)
    return ChunkedImage(voxels, maps.space, maps.axis)


def _on_grid(source: Any, what: str, space: VolumeGrid) -> ChunkedImage:
    """Return the first level that is on a grid; where none is, that of its shape, or the finest."""
    levels: list[ChunkedImage] = []
    for number in range(_n_levels(source, what)):
        levels.append(open_image(source, what, number))
        if levels[-1].space.difference(space) is None:
            return levels[-1]
    # What differs from it is said next, and the sizes of another level would say nothing.
    return next((level for level in levels if level.space.shape == space.shape), levels[0])


def _n_levels(source: Any, what: str) -> int:
    if not is_of_zarr(source) and not isinstance(source, str | os.PathLike):
        return 1
    node: Any = open_node(source, what)
    name = f"{what} {path_of(node) or 'in memory'}"
    return 1 if hasattr(node, "shape") else len(read_multiscale(node, name).arrays)


def _mask(mask: Any, space: VolumeGrid) -> Voxels | None:
    if mask is None:
        return None
    if not is_chunked(mask):
        return InMemory(inside(mask, space).T, "the mask image")
    opened = _on_grid(mask, "the mask image", space)
    check_same(space, opened.space, this_name="the labels image", other_name="the mask image")
    if opened.voxels.n_maps != 1:
        raise ArgumentError(
            f"{capitalized(opened.voxels.name)} has {opened.voxels.n_maps:,} maps; give one."
        )
    return opened.voxels


# --- what is refused -------------------------------------------------------------------------

_REASONS = {
    "weights": "each weight would have to be read beside its voxel",
    "resample": "labels are brought to other grids in memory",
    "confounds": "cleaning needs all maps at once",
    "confound_columns": "cleaning needs all maps at once",
    "standardize": "cleaning needs all maps at once",
    "detrend": "cleaning needs all maps at once",
    "low_pass": "cleaning needs all maps at once",
    "high_pass": "cleaning needs all maps at once",
}


def _said(others: Mapping[str, Any]) -> list[str]:
    return [name for name, option in others.items() if option is not None and option is not False]


def _refuse(others: Mapping[str, Any]) -> None:
    """Raise where something is asked for that is not done in chunks."""
    said = _said(others)
    if said:
        reasons = dict.fromkeys(_REASONS[name] for name in said)
        raise ArgumentError(
            f"{', '.join(said)} {'does' if len(said) == 1 else 'do'} not go with {_IN_CHUNKS}: "
            f"{', and '.join(reasons)}. Leave it out; what fits into memory can be extracted from "
            "as a NIfTI image, with ChunkedParcellation.load() for its labels."
        )
