"""A parcellation where an image has its samples, and how much of each region the image covers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ArgumentError, SpaceError
from .hemispheres import HEMISPHERE_TITLE
from .region_table import RegionTable
from .resampling import resampled, voxels_outside
from .spaces import Grayordinates, VolumeGrid, came_as_one_vector
from .transfer import beside, transferred

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .parcellation import Parcellation
    from .spaces import Space


@dataclass(frozen=True, eq=False)
class Placement:
    """Regions on the space of an image.

    Parameters
    ----------
    parcellation : Parcellation
        On that space, and without what a mask excludes.
    n_samples : array of int64, shape (n_regions,)
        How many samples each region has, those outside the image or the mask among them.
    """

    parcellation: Parcellation
    n_samples: NDArray[np.int64]

    @classmethod
    def on(cls, parcellation: Parcellation, space: Space, resample: str | None = None) -> Placement:
        """Return where the regions of a parcellation are on the space of an image.

        Raises `SpaceError` when that would take resampling that was not asked for, or is not
        possible; `ArgumentError` when there is no such way to resample.

        Parameters
        ----------
        parcellation : Parcellation
        space : VolumeGrid, SurfaceVertices or Grayordinates
        resample : {None, "labels"}, default=None
            ``"labels"`` brings them to another grid by nearest neighbour.
        """
        if resample not in (None, "labels"):
            raise ArgumentError(f"resample must be None or 'labels', not {resample!r}.")
        parcellation, space = beside(parcellation, space)
        difference = parcellation.space.difference(space)
        if difference is None:
            if came_as_one_vector(space):
                parcellation = replace(parcellation, space=space)
            return cls(parcellation, parcellation.counts)
        # Surfaces and grayordinates share vertices, and two CIFTI files may have some parts in
        # common: what is at the same place needs no resampling.
        if type(parcellation.space) is not type(space) or isinstance(space, Grayordinates):
            there = transferred(parcellation, space, name="the image")
            return cls(there, parcellation.counts)
        if isinstance(space, VolumeGrid) and resample == "labels":
            there = resampled(parcellation, space)
            # What of a region lies outside the image counts as voxels without data.
            return cls(there, there.counts + voxels_outside(parcellation, space))
        problem, detail = difference
        advice = "Give labels and data of the same surfaces."
        if isinstance(space, VolumeGrid):
            advice = (
                "Pass resample='labels' (--resample labels) to bring the labels to the grid of "
                "the image, or resample the image first."
            )
        raise SpaceError(f"{problem} The image {detail.format(this='the labels image')} {advice}")

    def masked(self, inside: NDArray[np.bool_]) -> Placement:
        """Return the placement without the samples that are not inside a mask."""
        return Placement(self.parcellation.masked(inside), self.n_samples)

    def coverage(self, n_finite: NDArray[np.int64]) -> RegionTable:
        """Return how many samples each region has, and how many of them there are data for.

        Parameters
        ----------
        n_finite : array of int64, shape (n_regions,)
            Samples that are finite in all maps.

        Returns
        -------
        RegionTable
            With the columns ``voxels`` (``vertices``, ``grayordinates``), ``in_mask``,
            ``finite`` and ``fraction``, which is NaN for a region without samples.
        """
        atlas = self.parcellation
        return coverage_of(atlas.table, atlas.space.nouns, self.n_samples, atlas.counts, n_finite)


def coverage_of(
    table: RegionTable,
    nouns: str,
    n_samples: NDArray[np.int64],
    n_in_mask: NDArray[np.int64],
    n_finite: NDArray[np.int64],
) -> RegionTable:
    """Return how many samples each region of a table has; see `Placement.coverage`.

    `nouns` is what samples are called, a column too.
    """
    with np.errstate(invalid="ignore"):
        fraction = n_finite / n_samples
    columns: dict[str, Sequence[object]] = {}
    # A pair of surfaces has its hemispheres as such; in a volume only a column tells apart
    # regions of one name.
    if table.hemispheres is None and table.unique_names != table.names:
        columns[HEMISPHERE_TITLE] = table.sides or ()
    columns |= {
        nouns: n_samples.tolist(),
        "in_mask": n_in_mask.tolist(),
        "finite": n_finite.tolist(),
        "fraction": fraction.tolist(),
    }
    return RegionTable(table.labels, table.names, columns, table.hemispheres)
