"""The parcellation: which sample belongs to which region.

A parcellation is *codes* (one small integer per voxel, vertex or grayordinate: 0 for no region,
``k`` for row ``k`` of the table, counted from 1), a *region table* and the *space* where the
samples are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..engine import encoding
from ..engine._kernels import encode as kernels
from ..engine.encoding import code_dtype
from ..errors import (
    ArgumentError,
    LabelsError,
    LabelsWarning,
    MaskWarning,
    RegionTableError,
    RegionTableWarning,
    examples,
    plural,
    times,
    warn,
)
from ..notebook import ShownInNotebooks
from .choice import grouped, is_chosen
from .identities import Identities
from .region_table import SHOWN_ROWS, Region, RegionTable, text_table
from .spaces import SurfaceVertices, VolumeGrid

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from .choice import Chosen
    from .spaces import Space


# How many maps of labels an error lists, for one to be chosen.
_MAPS_SHOWN = 20


class Files(NamedTuple):
    """The files that a parcellation was read from, as far as they are known."""

    labels: tuple[Path, ...] = ()
    regions: Path | None = None


NO_FILES = Files()
"""Of a parcellation that was made in memory."""


@dataclass(frozen=True, eq=False)
class Parcellation(ShownInNotebooks):
    """Regions and the voxels, vertices or grayordinates that belong to each.

    Made by `regioncast.load_parcellation`.  Its length is the number of regions, iterating
    gives their labels and names, and indexing by a label or a name gives one of them.

    Parameters
    ----------
    codes : array of uint8, uint16 or uint32, shape of `space`
        0 for no region, ``k`` for row ``k`` of `table`, counted from 1.
    table : RegionTable
        One row per region, in ascending order of label.
    space : VolumeGrid, SurfaceVertices or Grayordinates
    files : Files, default=NO_FILES
        Where the labels and the table were read from.
    """

    codes: NDArray[Any]
    table: RegionTable
    space: Space
    files: Files = NO_FILES

    def __post_init__(self) -> None:
        codes = self.codes.view()  # the array itself may be somebody's who goes on writing to it
        codes.flags.writeable = False
        object.__setattr__(self, "codes", codes)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # arrays that were pickled are writeable

    @classmethod
    def of(
        cls,
        encoded: encoding.Encoded,
        space: Space,
        *,
        table: RegionTable | None = None,
        background: float = 0,
        strict: bool = False,
    ) -> Parcellation:
        """Return the parcellation of encoded labels.

        Parameters
        ----------
        encoded : Encoded
            From `encode_integers`.
        space : VolumeGrid, SurfaceVertices or Grayordinates
        table : RegionTable, default=None
            Rows for labels that it lacks are added; a row of the background is left out.
        background : number, default=0
            The label of no region; NaN: there is none.
        strict : bool, default=False
            Raise where table and image do not list the same regions, instead of warning.

        Returns
        -------
        Parcellation

        Raises
        ------
        LabelsError
            When no label is that of a region.
        RegionTableError
            When table and image differ and `strict` is true.
        """
        if table is None:
            full = RegionTable(encoded.labels)
        else:
            # Many tables list the background, which is no region that the image could lack.
            table = table.without(background)
            _check_labels_suffice(table)
            compare_labels(encoded.labels, table.labels, space, strict=strict)
            full = table.with_labels(encoded.labels)
        if not len(encoded.labels):
            raise no_region(encoded, background, space.noun)
        # The rows of the table are the labels of the image and maybe more, both in ascending
        # order: equal counts are equal labels, and codes are row numbers already.
        if len(full) == len(encoded.labels):
            return cls(encoded.codes, full, space)
        row = np.zeros(len(encoded.labels) + 1, code_dtype(len(full)))
        row[1:] = np.searchsorted(full.labels, encoded.labels) + 1
        return cls(encoding.recoded(encoded.codes, row), full, space)

    @classmethod
    def joined(cls, parts: Mapping[str, Parcellation]) -> Parcellation:
        """Return one parcellation of those of the hemispheres.

        Parameters
        ----------
        parts : mapping of str to Parcellation
            Of ``"L"`` and ``"R"``, in this order.

        Returns
        -------
        Parcellation
        """
        table = RegionTable.joined({side: part.table for side, part in parts.items()})
        codes = np.empty(sum(part.codes.size for part in parts.values()), code_dtype(len(table)))
        space = SurfaceVertices({side: part.codes.size for side, part in parts.items()})
        for side, part in parts.items():
            # Regions of one hemisphere are in the same order in both tables.
            row = np.zeros(len(part) + 1, codes.dtype)
            row[1:] = np.flatnonzero(np.array(table.hemispheres) == side) + 1
            codes[space.of_hemisphere(side)] = row[part.codes]
        return cls(codes, table, space)

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[Region]:
        return iter(self.table)

    def __getitem__(self, key: int | str) -> Region:
        """Return the region of a label or a name; `KeyError` where there is not just one."""
        regions = self._regions_of(key)
        if len(regions) != 1:
            raise KeyError(f"{len(regions) or 'no'} regions have {key!r}")
        return regions[0]

    def __contains__(self, key: object) -> bool:
        return bool(self._regions_of(key))

    def _regions_of(self, key: object) -> list[Region]:
        """Return the regions with a label or a name, or that are this one."""
        # True is 1 and 7.0 is 7 to Python; neither is meant for a label.
        if isinstance(key, bool) or not isinstance(key, Region | str | int | np.integer):
            return []
        if isinstance(key, np.integer):
            key = int(key)
        # A name may be given with or without the prefix of its hemisphere.
        names = zip(self, self.table.unique_names, strict=True)
        return [
            region for region, name in names if key in (region.label, region.name, name, region)
        ]

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Number of voxels, vertices or grayordinates of each region, shape (n_regions,)."""
        return encoding.count(self.codes, len(self) + 1)[1:]

    @cached_property
    def centroids(self) -> NDArray[np.float64]:
        """Mean position of each region in mm, shape (n_regions, 3); NaN without voxels.

        Of volumes only.
        """
        if not isinstance(self.space, VolumeGrid):
            return np.full((len(self), 3), np.nan)
        # Sums of whole indices are exact, whatever the number of voxels.
        sums = np.zeros((len(self) + 1, 3), np.int64)
        kernels.sum_positions(self.codes, sums)
        with np.errstate(invalid="ignore"):
            indices = sums[1:] / self.counts[:, np.newaxis]
        return indices @ self.space.affine[:3, :3].T + self.space.affine[:3, 3]

    def masked(self, inside: NDArray[np.bool_]) -> Parcellation:
        """Return the parcellation without the samples that are not inside a mask.

        Parameters
        ----------
        inside : array of bool, shape of the codes

        Returns
        -------
        Parcellation
            With the same table, so each region keeps its place; one warning names those that
            have no sample any more.

        Raises
        ------
        LabelsError
            When no region is left.
        """
        masked = replace(self, codes=encoding.masked(self.codes, inside))
        if not masked.counts.any():
            raise LabelsError(
                f"The mask leaves no region: none of {plural(len(masked), 'region')} has a "
                f"{masked.space.noun} inside it. Check that mask and labels overlap."
            )
        # Regions that had no sample before either are none of the mask's.
        emptied = np.flatnonzero((masked.counts == 0) & (self.counts > 0)).tolist()
        if emptied:
            warn(
                f"The mask leaves no {masked.space.noun} of {plural(len(emptied), 'region')}: "
                f"{examples([self.table.names[row] for row in emptied])}.",
                MaskWarning,
            )
        return masked

    def select(self, regions: Chosen) -> Parcellation:
        """Return the parcellation of some regions; all other samples are no region.

        Parameters
        ----------
        regions : str, int, sequence of them, mask or callable
            - Names (text) or labels (integers), as they are matched everywhere: exactly, and with
              the hemisphere before or after them where both have it (``"L:V1"``).
            - A mask with True or False for each region, in ascending order of label; or a Series
              of pandas, such as ``atlas.to_pandas()["network"] == "Vis"``.
            - A function of a row of the region table, a dict of ``label``, ``name`` and the other
              columns, that returns True or False.

        Returns
        -------
        Parcellation
            With the labels, names and columns as they were, on the same space.

        Raises
        ------
        ArgumentError
            When a name or label is that of no region, or of several, or the mask has another
            length.
        ArgumentTypeError
            When `regions` are something else.
        LabelsError
            When no region is left.

        Examples
        --------
        >>> import regioncast as rc
        >>> atlas = rc.load_parcellation(rc.demo_data().atlas)
        >>> visual = atlas.select(lambda region: region["network"] == "Vis")
        >>> len(visual), len(atlas.select(["7Networks_LH_Vis_1", 51])), len(atlas.drop([1, 2]))
        (17, 2, 98)
        """
        return self._of_rows(is_chosen(regions, self._identities))

    def drop(self, regions: Chosen) -> Parcellation:
        """Return the parcellation without some regions, whose samples become no region.

        Parameters
        ----------
        regions : str, int, sequence of them, mask or callable
            As in `select`, which also says what is raised.

        Returns
        -------
        Parcellation
        """
        return self._of_rows(~is_chosen(regions, self._identities))

    def group(self, column: str) -> Parcellation:
        """Return the parcellation whose regions are the groups of a column of the region table.

        Parameters
        ----------
        column : str
            Its title; regions with the same cell are one group.  A group may have regions of both
            hemispheres.

        Returns
        -------
        Parcellation
            The name of a group is the cell.  Its label is the cell where all are integers (those
            below 1 get labels above all others); else the groups are numbered from 1, in the
            order of the lowest label of each.  Columns stay in which all regions of each group
            agree, and ``regions`` says how many these are.  Regions without a cell (``n/a``)
            are of no group, and become no region; one warning names them.

        Raises
        ------
        RegionTableError
            When there is no such column, or nothing in it.
        LabelsError
            When no group has a sample.

        Examples
        --------
        >>> import regioncast as rc
        >>> atlas = rc.load_parcellation(rc.demo_data().atlas)
        >>> networks = atlas.group("network")
        >>> networks.table
        RegionTable: 7 regions
        index  name         color    network      regions
            1  Vis          #781286  Vis          17
            2  SomMot       #4682b4  SomMot       14
        ...
        """
        table, label_of_row = grouped(self.table, column)
        code_of = dict(zip(table.labels.tolist(), range(1, len(table) + 1), strict=True))
        return self._with_codes(table, [code_of.get(label, 0) for label in label_of_row])

    @property
    def _identities(self) -> Identities:
        return Identities(self.table, self.counts > 0, self.space.noun)

    def _of_rows(self, is_kept: NDArray[np.bool_]) -> Parcellation:
        # Rows may have another order where no two regions of the hemispheres share a label now.
        table = self.table.take(np.flatnonzero(is_kept))
        code_of = dict(zip(table.ids, range(1, len(table) + 1), strict=True))
        return self._with_codes(table, [code_of.get(key, 0) for key in self.table.ids])

    def _with_codes(self, table: RegionTable, code_of_row: Sequence[int]) -> Parcellation:
        """Return the regions of another table, of which each row of this has a code, or 0."""
        new_code = np.array([0, *code_of_row], code_dtype(len(table)))
        changed = Parcellation(encoding.recoded(self.codes, new_code), table, self.space)
        if not changed.counts.any():
            raise LabelsError(
                f"No region is left: of {plural(len(self), 'region')}, {len(table):,} would be "
                f"kept, and none of them has a {self.space.noun}. Choose others."
            )
        return changed

    def to_pandas(self) -> pd.DataFrame:
        """Return the region table with voxels, volume (mm³) and centroid (mm) per region.

        Returns
        -------
        pandas.DataFrame
            Columns ``index`` (label), ``name``, the further columns of the region table,
            ``voxels``, ``volume_mm3``, ``x``, ``y``, ``z``.  On surfaces ``vertices``, in CIFTI
            ``grayordinates``, and no more.  A further column of the region table with such a
            title gets ``_in_table`` after it.
        """
        measured: dict[str, Any] = {self.space.nouns: self.counts}
        if isinstance(self.space, VolumeGrid):
            measured["volume_mm3"] = self.counts * self.space.voxel_volume
            measured |= dict(zip("xyz", self.centroids.T, strict=True))
        frame = self.table.to_pandas()
        # A table may have a column "x" or "voxels" of its own; what is measured has the title.
        return frame.rename(columns={title: f"{title}_in_table" for title in measured}).assign(
            **measured
        )

    def to_text(self, max_rows: int | None = None) -> str:
        """Return the parcellation as a table for people to read.

        Parameters
        ----------
        max_rows : int, default=None
            Leave out rows in the middle beyond this many; all are shown when not given.
        """
        space, counts = self.space, self.counts.tolist()
        columns: dict[str, Sequence[str]] = {
            "label": list(map(str, self.table.labels.tolist())),
            "name": self.table.names,
        }
        if self.table.hemispheres:
            columns["hemisphere"] = self.table.hemispheres
        columns[space.nouns] = [f"{n_samples:,}" for n_samples in counts]
        if isinstance(space, VolumeGrid):
            volume = space.voxel_volume
            columns["mm³"] = [f"{n_samples * volume:,.0f}" for n_samples in counts]
            columns["centroid (mm)"] = [
                f"({x:.1f}, {y:.1f}, {z:.1f})" if n_samples else ""
                for n_samples, (x, y, z) in zip(counts, self.centroids, strict=True)
            ]
        right = [n for n, title in enumerate(columns) if title in ("label", space.nouns, "mm³")]
        cells = [tuple(columns), *zip(*columns.values(), strict=True)]
        lines = text_table(cells, max_rows=max_rows or len(self), right=right)
        head = f"Parcellation: {plural(len(self), 'region')}, {space.description}"
        return "\n".join([head, *lines])

    def __repr__(self) -> str:
        return self.to_text(max_rows=SHOWN_ROWS)


def map_number(names: Sequence[str], chosen: str | int | None) -> int:
    """Return the number of the chosen map of labels.

    Raises `ArgumentError` when there is not just one such map.

    Parameters
    ----------
    names : sequence of str
        Of all maps.
    chosen : str, int or None
        A name or a number, from 0.
    """
    if chosen is None:
        numbers = list(range(len(names)))
    else:
        # A map may be called "1": a name goes before a number.
        numbers = [n for n, name in enumerate(names) if chosen == name]
        numbers = numbers or [n for n in range(len(names)) if chosen in (n, str(n))]
    if len(numbers) == 1:
        return numbers[0]
    if chosen is None:
        raise ArgumentError(
            f"The labels image has {len(names):,} maps of labels; choose one by its number or "
            f"name: load_parcellation(…, label_map=…) (--label-map); {_listed(names)}."
        )
    problem = "several maps are" if numbers else "no map is"
    raise ArgumentError(f"In the labels image {problem} called {chosen!r}; {_listed(names)}.")


def _listed(names: Sequence[str]) -> str:
    """Return which maps there are to choose from, by number and name."""
    shown = [f"{n} {name!r}" if name else str(n) for n, name in enumerate(names[:_MAPS_SHOWN])]
    n_more = len(names) - len(shown)
    more = f" and {n_more:,} more" if n_more else ""
    return f"there {'is' if len(names) == 1 else 'are'}: {', '.join(shown)}{more}"


def encode_integers(
    labels: NDArray[Any], none: Sequence[float], noun: str = "voxel"
) -> encoding.Encoded:
    """Return the codes of labels that must be integers; `noun` is what one sample is called.

    Of the labels that are no region there may be several.

    Raises `LabelsError` when a label is fractional, beyond int64, or a float so large that its
    dtype does not tell integers apart.
    """
    background = none[0] if none else math.nan
    if len(none) > 1:
        # In the precision of the labels, in which 0.1 may be another number.
        stored = np.array(none, labels.dtype) if labels.dtype.kind == "f" else none
        is_none = np.isin(labels, stored)
        # The encoder knows one, which has to be one that the dtype holds: one that is there.
        if is_none.any():
            background = labels[is_none][0].item()
            labels = np.where(is_none, background, labels).astype(labels.dtype)
    encoded = encoding.encode(labels, background)
    warn_of_nonfinite(encoded, "the labels image", noun)
    if encoded.has_fractions:
        fractions = encoded.labels[encoded.labels != np.rint(encoded.labels)]
        shown = examples([f"{label:g}" for label in fractions.tolist()]).replace("'", "")
        raise LabelsError(
            f"{plural(len(fractions), 'label')} of the labels image "
            f"{'is' if len(fractions) == 1 else 'are'} no integer: {shown}. "
            "A parcellation needs integer labels; was the image resampled without "
            "nearest-neighbour interpolation, or is it a statistic map?"
        )
    return encoded


def warn_of_nonfinite(encoded: encoding.Encoded, name: str, noun: str = "voxel") -> None:
    """Warn where samples hold no finite label."""
    if encoded.n_nonfinite:
        warn(
            f"Non-finite values detected: {plural(encoded.n_nonfinite, noun)} of {name} "
            f"{'is' if encoded.n_nonfinite == 1 else 'are'} NaN or infinite "
            "and taken as no region.",
            LabelsWarning,
        )


def no_region(encoded: encoding.Encoded, background: float, noun: str = "voxel") -> LabelsError:
    """Return the error for labels none of which is that of a region."""
    shape = encoded.codes.shape
    n_samples = math.prod(shape)
    if not n_samples:
        return LabelsError(
            f"The labels image has no region: it has {plural(0, noun)} (its shape is "
            f"{times(shape)}). Check the image; was it cropped to nothing?"
        )
    if encoded.n_nonfinite == n_samples:
        return LabelsError(
            f"The labels image has no region: no {noun} has a label that is finite. "
            "Check the image; is it a map of something else, or damaged?"
        )
    those = f"every {noun} with a finite label" if encoded.n_nonfinite else f"every {noun}"
    return LabelsError(
        f"The labels image has no region: {those} is background (label {background:g}). "
        "Check the image, or pass another background label."
    )


NOT_LABELLED = -1
"""What programs write where a vertex has no label, and what may be the label of a region too."""


def check_not_labelled(
    labels: NDArray[Any], tables: Sequence[RegionTable | None], where: str
) -> None:
    """Raise `LabelsError` where labels are -1 and no table says what that is.

    Parameters
    ----------
    labels : array
    tables : sequence of RegionTable or None
        A name that is the label itself says nothing.
    where : str
        What has the labels, for messages: ``"the labels image"``.
    """
    for table in tables:
        for label, name in table or ():
            if label == NOT_LABELLED and name != str(NOT_LABELLED):
                return
    if (labels == NOT_LABELLED).any():
        raise LabelsError(
            f"Labels of {where} are -1, which has no name: it may be that of a region, or what no "
            "region has, as of the medial wall. Pass background=-1 (--background -1) where it is "
            "none; 0 is a region then. Pass background=0 where 0 is none and -1 is a region."
        )


def _check_labels_suffice(table: RegionTable) -> None:
    """Raise where only the hemisphere tells regions of a table apart."""
    labels, counts = np.unique(table.labels, return_counts=True)
    shared = labels[counts > 1].tolist()
    if shared:
        raise RegionTableError(
            f"{plural(len(shared), 'label')} in the region table stand for a region "
            f"of each hemisphere: {examples(shared)}. That is for the "
            "surfaces of the hemispheres; in this labels image, each region needs a label of its "
            "own."
        )


def compare_labels(
    in_image: NDArray[np.int64], in_table: NDArray[np.int64], space: Space, *, strict: bool
) -> None:
    """Warn, or raise, where image and table do not list the same labels."""
    unlisted = np.setdiff1d(in_image, in_table).tolist()
    absent = np.setdiff1d(in_table, in_image).tolist()
    differences = []
    kept = "All are kept"
    if unlisted:
        differences.append(
            f"{plural(len(unlisted), 'label')} of the image without a row in the region table: "
            f"{examples(unlisted)}"
        )
        kept += ", those without a row named by number"
    if absent:
        differences.append(
            f"{plural(len(absent), 'row')} of the region table without a {space.noun}: "
            f"{examples(absent)}"
        )
    if not differences:
        return
    message = f"The region table and the labels image differ: {'; '.join(differences)}."
    if strict:
        raise RegionTableError(f"{message} Correct the table, or do not ask for strict.")
    warn(f"{message} {kept}.", RegionTableWarning)
