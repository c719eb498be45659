"""Extraction, from the files of an image to the signals of regions, of several atlases at once."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..atlas.placement import Placement
from ..atlas.spaces import structure_name
from ..engine.extraction import Grouping
from ..engine.maps import extract_maps
from ..errors import (
    ArgumentError,
    RegioncastError,
    SignalsError,
    SpaceError,
    about_atlas,
    examples,
    plural,
)
from ..io.kinds import inside, one_map, open_maps, space_of
from ..io.sidecar import files_of
from ..signals import Origin, Signals
from .cleaning import check_whose, cleaner_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..atlas.parcellation import Parcellation
    from ..atlas.region_table import RegionTable
    from ..atlas.spaces import Space
    from ..engine.extraction import Nan, Strategy
    from ..progress import Progress
    from .cleaning import Confounds, Standardize


@dataclass(frozen=True, eq=False)
class Wanted:
    """Regions of one atlas among those that are reduced in a pass over an image.

    Parameters
    ----------
    parcellation : Parcellation
        The regions, or the groups of a column of them.
    mask, min_coverage, resample
        As in `regioncast.extract`, of this atlas alone.
    """

    parcellation: Parcellation
    mask: Any = None
    min_coverage: float | None = None
    resample: Literal["labels"] | None = None

    def __post_init__(self) -> None:
        if self.min_coverage is None:
            return
        is_number = isinstance(self.min_coverage, numbers.Real)
        if not is_number or not 0 <= self.min_coverage <= 1:
            raise ArgumentError(
                f"min_coverage is a fraction from 0 to 1, not {self.min_coverage!r}."
            )


def extract_each(
    image: Any,
    wanted: Mapping[str, Wanted],
    strategies: Sequence[Strategy],
    *,
    nan: Nan = "omit",
    weights: Any = None,
    confounds: Confounds | None = None,
    confound_columns: str | Sequence[str] | None = None,
    standardize: Standardize = None,
    detrend: bool = False,
    low_pass: float | None = None,
    high_pass: float | None = None,
    t_r: float | None = None,
    n_jobs: int | None = None,
    progress: Progress | None = None,
    failed: dict[str, RegioncastError] | None = None,
) -> dict[str, dict[str, Signals]]:
    """Return the signals of each atlas by each strategy, in one pass over an image.

    All but `wanted`, `strategies` and `failed` is as in `extract`, which also says what is raised.
    Where `failed` is given, it gets the errors of atlases that do not fit the image, and the others
    are reduced without them.
    """
    if nan not in ("omit", "propagate", "zero"):
        raise ArgumentError(f"nan must be 'omit', 'propagate' or 'zero', not {nan!r}.")
    maps = open_maps(image, "the image")
    for strategy in strategies:
        strategy.check(weighted=weights is not None, is_complex=maps.is_complex, n_maps=maps.n_maps)
    axis = maps.axis.with_t_r(t_r)
    if confounds is not None:
        check_whose(files_of(image), confounds)
    cleaning: dict[str, Any] = {
        "confound_columns": confound_columns, "standardize": standardize, "detrend": detrend,
        "low_pass": low_pass, "high_pass": high_pass,
    }  # fmt: skip
    clean = cleaner_of(maps, strategies, confounds=confounds, t_r=axis.t_r, **cleaning)
    # All atlases are brought to the image before it is read: what does not fit is known at once.
    placements = _placements(wanted, maps.space, failed)
    if not placements:
        return {}
    atlases = [placement.parcellation for placement in placements.values()]
    groupings = [Grouping.of(atlas.codes, atlas.counts) for atlas in atlases]
    # To read and inflate an image takes most of the time, so all atlases share one pass over it.
    everything = Grouping.joined(groupings)
    tables, finite = extract_maps(
        maps,
        everything,
        strategies,
        nan=nan,
        weights=None if weights is None else _weights(weights, maps.space, everything),
        n_jobs=n_jobs,
        progress=progress,
    )
    files = *files_of(image), *files_of(confounds)
    extracted: dict[str, dict[str, Signals]] = {}
    first = 0
    for name, placement in placements.items():
        atlas, least = placement.parcellation, wanted[name].min_coverage
        regions = slice(first, first + len(atlas))
        first = regions.stop
        coverage = placement.coverage(finite[regions])
        extracted[name] = {}
        for strategy, table in zip(strategies, tables, strict=True):
            # A copy: the columns of one atlas are not to keep those of all others in memory.
            values = _covered(table[:, regions].copy(), coverage, least)
            extracted[name][strategy.name] = Signals(
                clean(values, atlas.table.unique_keys),
                atlas.table.unique_keys,
                labels=coverage.labels.tolist(),
                coverage=coverage,
                parcellation=atlas,
                origin=Origin(files, strategy.name, cleaning),
            ).changed(axis=axis)
    return extracted


def _covered(values: NDArray[Any], coverage: RegionTable, least: float | None) -> NDArray[Any]:
    """Return values in which regions with data in too few of their samples are made missing."""
    if least is not None:
        # Not `<`: a region without samples has the fraction NaN, and is missing.
        is_covered = np.array(coverage.columns["fraction"]) >= least
        values[:, ~is_covered] = np.nan
    return values


def _placements(
    wanted: Mapping[str, Wanted], space: Space, failed: dict[str, RegioncastError] | None
) -> dict[str, Placement]:
    """Return where each atlas is, all of them unless there is a place for errors."""
    placements = {}
    for name, each in wanted.items():
        try:
            with about_atlas("" if failed is not None else name):
                placements[name] = _placement(each, space)
        except RegioncastError as error:
            if failed is None:
                raise
            failed[name] = error
    return placements


def _placement(wanted: Wanted, space: Space) -> Placement:
    """Return where the regions of an atlas are on the space of an image."""
    placement = Placement.on(wanted.parcellation, space, wanted.resample)
    if wanted.mask is None:
        return placement
    return placement.masked(inside(wanted.mask, placement.parcellation.space))


def _weights(weights: Any, space: Space, grouping: Grouping) -> NDArray[np.float64]:
    """Return the weight of each sample of the regions."""
    data = one_map(weights, "the weights image", space, "the image", missing=np.nan)
    of_samples = data.reshape(-1, order="F")[grouping.samples].astype(np.float64)
    bad = of_samples[~(np.isfinite(of_samples) & (of_samples >= 0))]
    if np.isnan(bad).any():
        # NaN is also what stands where the weights have no sample at all.
        _check_covered(weights, space, grouping)
    if bad.size:
        raise SignalsError(
            f"{plural(bad.size, space.noun)} in regions with a weight that is negative, NaN or "
            f"infinite: {examples(np.unique(bad).tolist())}. Set them to 0 to leave them out."
        )
    return of_samples


def _check_covered(weights: Any, space: Space, grouping: Grouping) -> None:
    """Raise where regions lie in parts of a space, such as its voxels, that weights are not of."""
    lacking = space.parts.keys() - space_of(weights, "the weights image").parts.keys()
    is_wanted = np.zeros(space.shape, bool)
    is_wanted.reshape(-1)[grouping.samples] = True
    counts = {
        structure_name(name): int(np.count_nonzero(is_wanted[space.parts[name].samples]))
        for name in sorted(lacking)
    }
    if any(counts.values()):
        raise SpaceError(
            f"The weights image has no weights for {plural(sum(counts.values()), space.noun)} of "
            f"regions in {', '.join(counts)}. Give weights of all of them, such as the areas of "
            "vertices and the volumes of voxels in one .dscalar.nii, or a mask without these."
        )
