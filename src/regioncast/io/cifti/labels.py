"""CIFTI-2 in: parcellations, the spaces of dense files, and values per parcel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from nibabel.cifti2.cifti2_axes import (
    BrainModelAxis,
    LabelAxis,
    ParcelsAxis,
    ScalarAxis,
    SeriesAxis,
)

from ...atlas.hemispheres import CORTEX
from ...atlas.no_region import names_no_region
from ...atlas.parcellation import (
    NOT_LABELLED,
    Parcellation,
    check_not_labelled,
    encode_integers,
    map_number,
)
from ...atlas.region_table import RegionTable, hex_color
from ...atlas.spaces import Grayordinates, SurfaceVertices, VolumeGrid
from ...errors import (
    ArgumentError,
    LabelsError,
    SignalsError,
    SpaceError,
    capitalized,
    examples,
    plural,
)
from ...files import readable
from ...signals import Signals
from ..label_files import NO_REGION_NAME
from .matrix import Image, are_axes, array_of, described, map_axis_of, open_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...engine.encoding import Encoded

# The vertices of a parcel on a surface where it has none.
_NO_PLACES = np.empty(0, np.int64)

# The structure of voxels of which it is not said to which they belong.
_OTHER = "CIFTI_STRUCTURE_OTHER"


# --- parcellations ---------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class CiftiLabels:
    """Labels of grayordinates, with the names that their file gives them.

    Parameters
    ----------
    encoded : Encoded
    space : Grayordinates
    table : RegionTable
        That of the file.
    background : set of float
        The labels of no region.
    is_said : bool
        Whether the labels of no region were said, rather than told from names.
    """

    encoded: Encoded
    space: Grayordinates
    table: RegionTable
    background: set[float]
    is_said: bool
    file = None  # it needs no table beside it

    @property
    def of_regions(self) -> NDArray[np.int64]:
        """The labels of the table and of the grayordinates, ascending, without the background."""
        labels = np.union1d(self.table.labels, self.encoded.labels)
        none = set(self.background)
        # A list of names is for the labels of regions, and this may be none.
        if not self.is_said and NOT_LABELLED not in self.table.labels:
            none.add(NOT_LABELLED)
        return labels[~np.isin(labels, list(none))]

    def table_beside(self) -> None:
        """Return None: CIFTI files say themselves who their regions are."""

    def parcellation(self, regions: RegionTable | None, *, strict: bool) -> Parcellation:
        """Return the parcellation of the labels.

        Parameters
        ----------
        regions : RegionTable or None
            In place of that of the file.
        strict : bool
            Raise where table and labels do not list the same regions, instead of warning.
        """
        if not self.is_said:
            check_not_labelled(self.encoded.labels, [self.table, regions], "the labels image")
        table = self.table if regions is None else regions
        for label in self.background:
            table = table.without(label)
        lowest = min(self.background, default=math.nan)
        return Parcellation.of(
            self.encoded, self.space, table=table, background=lowest, strict=strict
        )


def read_labels(
    source: Image, *, label_map: str | int | None, background: float | None
) -> CiftiLabels:
    """Return the labels of a ``.dlabel.nii`` file, or the parcels of a ``.p*.nii``.

    Raises `LabelsError` when the file holds no labels and no parcels, or parcels share a sample;
    `ArgumentError` when the map is not said or does not exist, or a file of parcels is asked for
    one; `InputMissingError`, `FileFormatError`, `ImageTypeError`, `RegionTableError`.

    Parameters
    ----------
    source : path or nibabel.Cifti2Image
    label_map : str or int, optional
        Which map of labels, by its name or its number, counted from 0; needed where there are
        several.
    background : number, optional
        The label of no region.  By default, as in Connectome Workbench, labels named ``"???"``,
        and 0 unless it has the name of a region; parcels are all regions.

    Returns
    -------
    CiftiLabels
        Parcels have the labels 1, 2, … in the order of the file.
    """
    data, axes = open_matrix(source, "the labels image")
    # Of two axes of parcels, as a .pconn.nii has them, the first counts.
    parcels = [axis for axis in axes if isinstance(axis, ParcelsAxis)]
    none = set() if background is None else {background}
    if parcels:
        if label_map is not None:
            raise ArgumentError(
                f"label_map={label_map!r} chooses a map of a .dlabel.nii file; this labels image "
                f"has {described(parcels[:1])}. Leave it out."
            )
        keys, space = _samples_of_parcels(parcels[0])
        table = RegionTable(range(1, len(parcels[0]) + 1), parcels[0].name.tolist())
    elif are_axes(axes, LabelAxis, BrainModelAxis):
        number = map_number(axes[0].name.tolist(), label_map)
        with readable(f"the labels image {getattr(data, 'file_like', 'in memory')}"):
            keys = np.array(data[number])
        labels = axes[0].label[number]
        colors = [hex_color(color) for _, color in labels.values()]
        table = RegionTable(list(labels), [name for name, _ in labels.values()], {"color": colors})
        space = Grayordinates(axes[1])
        if background is None:
            none = _background_labels(table)
    else:
        raise LabelsError(
            f"The labels image holds neither labels nor parcels, but {described(axes)}. Give a "
            ".dlabel.nii file (wb_command -cifti-label-import makes one of maps of numbers), or "
            "a file of parcels, .p*.nii."
        )
    encoded = encode_integers(keys, sorted(none), Grayordinates.noun)
    is_said = background is not None
    return CiftiLabels(encoded, space, table, none, is_said)


def _background_labels(table: RegionTable) -> set[float]:
    """Return the labels of a ``.dlabel.nii`` of which Workbench, too, makes no parcel."""
    names = {0: ""} | dict(zip(table.labels.tolist(), table.names, strict=True))
    return {label for label, name in names.items() if is_background(label, name)}


def is_background(label: int, name: str) -> bool:
    """Return whether a label of this name is that of no region."""
    return name == NO_REGION_NAME or (label == 0 and names_no_region(name))


def _samples_of_parcels(axis: ParcelsAxis) -> tuple[NDArray[np.int64], Grayordinates]:
    """Return the samples of all parcels as grayordinates, with the number of their parcel."""
    keys, names, vertices, voxels = [], [], [], []
    for structure, n_vertices in axis.nvertices.items():
        owned = [parcel.get(structure, _NO_PLACES) for parcel in axis.vertices]
        places, owners = _owners(owned, n_vertices, axis.name.tolist(), SurfaceVertices)
        keys.append(owners)
        names.append(np.full(len(places), structure))
        vertices.append(places)
        voxels.append(np.full((len(places), 3), -1))
    if axis.volume_shape is not None:
        shape = tuple(axis.volume_shape)
        owned = [_flat_voxels(parcel, shape) for parcel in axis.voxels]
        places, owners = _owners(owned, math.prod(shape), axis.name.tolist(), VolumeGrid)
        keys.append(owners)
        names.append(np.full(len(places), _OTHER))
        vertices.append(np.full(len(places), -1))
        voxels.append(np.column_stack(np.unravel_index(places, shape, order="F")))
    if not sum(map(len, keys)):
        raise LabelsError("The labels image has no parcel with a vertex or a voxel.")
    # Surfaces come first, as in the dense files that parcels are made of.
    brain = BrainModelAxis(
        np.concatenate(names),
        np.concatenate(voxels),
        np.concatenate(vertices),
        axis.affine,
        axis.volume_shape,
        axis.nvertices,
    )
    return np.concatenate(keys), Grayordinates(brain)


def _flat_voxels(voxels: Any, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return voxels as numbers, the first index varying fastest; -1 for those outside."""
    indices = np.asarray(voxels, np.int64).reshape(-1, 3)
    inside = ((indices >= 0) & (indices < shape)).all(axis=1)
    flat = np.full(len(indices), -1)
    flat[inside] = np.ravel_multi_index(tuple(indices[inside].T), shape, order="F")
    return flat


def _owners(
    owned: Sequence[NDArray[np.int64]],
    n_places: int,
    names: Sequence[str],
    frame: type[SurfaceVertices | VolumeGrid],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places that parcels own, ascending, and the number of the owner of each."""
    # Files come from anywhere: a place outside, or one of two parcels, would be a wrong map.
    for name, places in zip(names, owned, strict=True):
        if ((places < 0) | (places >= n_places)).any():
            raise LabelsError(
                f"The parcel {name!r} of the labels image has a {frame.noun} that does not exist: "
                f"there are {n_places:,}. Get the file again."
            )
        n_twice = len(places) - len(np.unique(places))
        if n_twice:
            raise LabelsError(
                f"The parcel {name!r} of the labels image lists "
                f"{plural(n_twice, frame.noun, frame.nouns)} more than once. Get the file again."
            )
    numbers = np.repeat(np.arange(1, len(owned) + 1), list(map(len, owned)))
    places = np.concatenate([*owned, _NO_PLACES])
    order = np.argsort(places, kind="stable")
    places, numbers = places[order], numbers[order]
    again = np.flatnonzero(places[1:] == places[:-1])
    if len(again):
        one, other = numbers[again], numbers[again + 1]
        shared = places[again[(one == one[0]) & (other == other[0])]]
        raise LabelsError(
            f"The parcels {names[one[0] - 1]!r} and {names[other[0] - 1]!r} of the labels image "
            f"share {plural(len(shared), frame.noun, frame.nouns)}: "
            f"{examples(shared.tolist())}. A parcellation has one region at a place."
        )
    return places, numbers


def space_of(source: Image, what: str) -> Grayordinates:
    """Return the grayordinates of a dense CIFTI file.

    Raises `SpaceError` when it has none.
    """
    axes = open_matrix(source, what).axes
    models = [axis for axis in axes if isinstance(axis, BrainModelAxis)]
    if not models:
        raise SpaceError(
            f"{capitalized(what)} has no grayordinates, but {described(axes)}. Give a dense "
            "file, such as .dscalar.nii, .dtseries.nii or .dlabel.nii."
        )
    return Grayordinates(models[-1])


# --- parcellated files in --------------------------------------------------------------------


def read_parcel_signals(source: Image) -> tuple[Signals, list[str | None]]:
    """Return the values of a ``.pscalar.nii`` or ``.ptseries.nii`` file, and parcels' hemispheres.

    They are keyed by the names of the parcels.

    Raises `SignalsError` when the file holds something else; `InputMissingError`,
    `FileFormatError`, `ImageTypeError`.
    """
    data, axes = open_matrix(source, "the table of values")
    if not are_axes(axes, ScalarAxis | SeriesAxis, ParcelsAxis):
        raise SignalsError(
            f"The table of values must have maps or time points × parcels, and has "
            f"{described(axes)}. Give a .pscalar.nii or .ptseries.nii file."
        )
    values = array_of(data, "the table of values")
    signals = Signals(values, axes[1].name.tolist()).changed(axis=map_axis_of(axes[0]))
    sides = {frozenset([structure]): side for side, structure in CORTEX.items()}
    # A parcel of both hemispheres, or with voxels, is of none.
    of_parcels = zip(axes[1].vertices, axes[1].voxels, strict=True)
    return signals, [
        None if len(voxels) else sides.get(frozenset(vertices)) for vertices, voxels in of_parcels
    ]
