"""The friendly layer: from whatever people have to what the package works with, and back.

Arguments are coerced here and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from . import extraction, matching
from .errors import (
    ArgumentError,
    FileFormatError,
    ImageTypeError,
    LabelsError,
    MaskWarning,
    RegionTableError,
    SignalsError,
    SpaceError,
    examples,
    plural,
    warn,
)
from .extraction import Grouping, Strategy
from .io import nifti, region_tables, value_files
from .io.files import check_output, existing_file, expanded
from .io.map_streams import open_maps
from .painting import PaintedArray, value_table
from .parcellation import Parcellation, encode_integers
from .region_table import RegionTable
from .resampling import resampled, voxels_outside
from .signals import Key, Signals, as_array, as_keys
from .spaces import check_same
from .threads import n_cpus
from .value_tables import ValueTable, numbers_with_gaps, signals_of

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import DTypeLike, NDArray

    from .extraction import Function, Nan
    from .io import Use
    from .io.map_streams import MapStream, Niimgs
    from .io.nifti import Niimg, PaintedImage
    from .matching import Extra, Match, Missing
    from .progress import Progress
    from .spaces import VolumeGrid

NO_REGIONS = "none"
"""As `regions`: no region table, even if one lies beside the image."""

Values = Any
"""A dict, a Series, a DataFrame, an array, `Signals` or a path."""


def load_parcellation(
    labels: Niimg | Parcellation,
    regions: Any = None,
    mask: Niimg | None = None,
    background: float = 0,
    *,
    strict: bool = False,
) -> Parcellation:
    """Load a labels image and the table of its regions.

    Parameters
    ----------
    labels : path, nibabel image or Parcellation
        One integer per voxel.  NIfTI-1 and 2, single or pair, MGH, Analyze, AFNI and every
        other volume that nibabel reads.
    regions : path, DataFrame, mapping or sequence of str, default=None
        The region table: BIDS ``dseg.tsv``, CSV, a FreeSurfer colour table, an ITK-SNAP label
        file, FSL, SPM or Workbench XML, plain text; see `regioncast.io.region_tables`.  When
        not given, a table beside the image by its name (``atlas_dseg.nii.gz`` →
        ``atlas_dseg.tsv``), else the label table that Connectome Workbench keeps in a volume;
        without either, or with ``"none"``, regions are named by their labels.
    mask : path or nibabel image, default=None
        Voxels where it is zero are no region.  A region that it empties keeps its row.
    background : number, default=0
        The label of no region; NaN: there is none.
    strict : bool, default=False
        Raise where the table and the image do not list the same regions, instead of warning.

    Returns
    -------
    Parcellation

    Raises
    ------
    LabelsError
        When there is no region, or labels are no integers.
    RegionTableError
        When the table cannot be read, or has a label twice.
    SpaceError
        When the mask is on another grid.
    InputMissingError, FileFormatError, ImageTypeError, DimensionError
        When an image cannot be read, or is no volume.

    Examples
    --------
    >>> import regioncast as rc
    >>> atlas = rc.load_parcellation(rc.demo_data().atlas)
    >>> len(atlas), atlas[1].name
    (100, '7Networks_LH_Vis_1')
    """
    if isinstance(labels, Parcellation):
        if regions is not None or background != 0 or strict:
            raise ArgumentError(
                "regions, background and strict are for a path or an image; a Parcellation has "
                "its regions already. Pass them to load_parcellation, or leave them out."
            )
        parcellation = labels
    else:
        data, grid = nifti.read_volume(labels, "the labels image")
        encoded = encode_integers(data, background)
        table = _region_table(labels, regions, encoded.labels)
        parcellation = Parcellation.of(
            encoded, grid, table=table, background=background, strict=strict
        )
    return parcellation if mask is None else _masked(parcellation, mask)


def load_signals(
    values: Values,
    parcellation: Parcellation | Niimg,
    *,
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    t_r: float | None = None,
) -> Signals:
    """Read region signals from any kind of values, without painting them.

    Parameters
    ----------
    values : dict, Series, DataFrame, array, Signals or path
        As in `paint`.
    parcellation : Parcellation, path or nibabel image
        The regions by whose names and labels the key column of a table is found.
    key, columns, t_r
        As in `paint`.

    Returns
    -------
    Signals
        With the keys that `values` have, in their order.

    Raises
    ------
    MatchError
        When a table has no column or titles that name regions.
    SignalsError, SignalsTypeError
        As in `paint`.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> rc.load_signals(demo.values, demo.atlas)
    Signals: single map, 100 regions, float64, keyed by '7Networks_LH_Vis_1', ...
    """
    return _signals(values, load_parcellation(parcellation).table, key, columns, t_r)


def match(
    values: Values,
    parcellation: Parcellation | Niimg,
    *,
    by: str = "auto",
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    regions: Any = None,
    background: float = 0,
) -> Match:
    """Find what would go where, without painting it; print the result to see it.

    Parameters
    ----------
    values : dict, Series, DataFrame, array, Signals or path
        As in `paint`.
    parcellation : Parcellation, path or nibabel image
        The regions.
    by, key, columns, regions, background
        As in `paint`.

    Returns
    -------
    Match
        Its text says by what the values matched, how many, and lists regions without a value,
        keys without a region and near misses.  `Match.check` raises what `paint` would.

    Raises
    ------
    MatchError, SignalsError, SignalsTypeError
        When values cannot be read at all.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> print(rc.match({"7Networks_LH_Vis_1": 1.5, "7networks_lh_vis_2": 2.0}, demo.atlas))
    matched  1 of 100 regions by name, 1 map
    missing  99: '7Networks_LH_Vis_2', '7Networks_LH_Vis_3', ... and 94 more
    unused   1: '7networks_lh_vis_2'
             did you mean '7Networks_LH_Vis_2' for '7networks_lh_vis_2'?
    """
    atlas = load_parcellation(parcellation, regions, background=background)
    return _match(values, atlas, by=by, key=key, columns=columns, t_r=None)


def paint(
    values: Values,
    parcellation: Parcellation | Niimg,
    *,
    by: str = "auto",
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    missing: Missing = "raise",
    extra: Extra = "raise",
    fill: complex = 0,
    dtype: DTypeLike | None = None,
    mask: Niimg | None = None,
    t_r: float | None = None,
    regions: Any = None,
    background: float = 0,
) -> PaintedImage:
    """Paint region values into an image: every voxel of a region gets the region's value.

    Parameters
    ----------
    values : dict, Series, DataFrame, array, Signals or path
        - A mapping of names or labels to a number, or to one number per map.
        - A pandas Series, whose index names the regions.
        - A DataFrame of pandas, polars or pyarrow, or the path of a ``.tsv``, ``.csv``,
          ``.txt``, ``.1D`` or ``.parquet`` table: *long*, one row per region, with a column of
          names or labels and one column of numbers per map; or *wide*, one column per region,
          titled by its name or label, and one row per map.
        - An array, shape (n_regions,) or (n_maps, n_regions), or the path of a ``.npy`` file:
          the regions in ascending order of label.
    parcellation : Parcellation, path or nibabel image
        The regions.  A path or an image goes through `load_parcellation`.
    by : str, default="auto"
        What identifies a region: ``"name"``, ``"label"``, ``"position"``, or the title of a
        column of the region table.  ``"auto"`` finds it from the keys.
    key : str or int, default=None
        Title of the key column of a long table; found by its content when not given.
    columns : str, int or sequence of them, default=None
        Titles of the columns of a long table to paint; all columns of numbers when not given.
    missing : {"raise", "fill"}, default="raise"
        What to do with a region that has voxels and no value.
    extra : {"raise", "ignore"}, default="raise"
        What to do with a value that has no region.
    fill : number, default=0
        The value where there is no region; NaN for floats.
    dtype : dtype, default=None
        Dtype of the image; that of the values when not given.
    mask : path or nibabel image, default=None
        Voxels where it is zero get `fill`.
    t_r : float, default=None
        Repetition time in seconds, for values that are time series (4D).
    regions : path, DataFrame, mapping or sequence of str, default=None
        The region table, where `parcellation` is a path or an image.
    background : number, default=0
        The label of no region, where `parcellation` is a path or an image.

    Returns
    -------
    PaintedImage
        A `nibabel.Nifti1Image`, 3D for a single map, else 4D, whose voxels are made when they
        are asked for.  Dtype of the values; saved and loaded again, the values are the same.

    Raises
    ------
    MatchError
        When values and regions do not match; the message shows both sides.
    SignalsError, SignalsTypeError
        When values have the wrong shape, or are no numbers that an image can hold.
    RegioncastError
        What `load_parcellation` raises.

    See Also
    --------
    regioncast.match : Look at what would go where first.
    regioncast.save : Write the image to a file.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> img = rc.paint(demo.values, demo.atlas)
    >>> img.shape, img.dataobj.dtype
    ((91, 109, 91), dtype('float64'))
    >>> img.dataobj[18, 40, 38]
    np.float64(0.452259)
    """
    if missing not in ("raise", "fill") or extra not in ("raise", "ignore"):
        raise ArgumentError(
            "missing must be 'raise' or 'fill', and extra 'raise' or 'ignore'; "
            f"they are {missing!r} and {extra!r}."
        )
    atlas = load_parcellation(parcellation, regions, background=background)
    found = _match(values, atlas, by=by, key=key, columns=columns, t_r=t_r)
    found.check(missing, extra)
    table = value_table(found, fill=fill, dtype=dtype)
    if mask is not None:
        atlas = _masked(atlas, mask)
    array = PaintedArray(atlas.codes, table, single=found.signals.single)
    image = nifti.painted_image(array, atlas.space, t_r=found.signals.t_r)
    image.match = found
    return image


@overload
def extract(
    image: Niimgs,
    parcellation: Parcellation | Niimg,
    *,
    strategy: str | Function = ...,
    nan: Nan = ...,
    mask: Niimg | None = ...,
    weights: Niimg | None = ...,
    min_coverage: float | None = ...,
    resample: Literal["labels"] | None = ...,
    n_jobs: int | None = ...,
    regions: Any = ...,
    background: float = ...,
    progress: Progress | None = ...,
) -> Signals: ...
@overload
def extract(
    image: Niimgs,
    parcellation: Parcellation | Niimg,
    *,
    strategy: list[str | Function] | tuple[str | Function, ...],
    nan: Nan = ...,
    mask: Niimg | None = ...,
    weights: Niimg | None = ...,
    min_coverage: float | None = ...,
    resample: Literal["labels"] | None = ...,
    n_jobs: int | None = ...,
    regions: Any = ...,
    background: float = ...,
    progress: Progress | None = ...,
) -> dict[str, Signals]: ...
def extract(
    image: Niimgs,
    parcellation: Parcellation | Niimg,
    *,
    strategy: str | Function | list[str | Function] | tuple[str | Function, ...] = "mean",
    nan: Nan = "omit",
    mask: Niimg | None = None,
    weights: Niimg | None = None,
    min_coverage: float | None = None,
    resample: Literal["labels"] | None = None,
    n_jobs: int | None = None,
    regions: Any = None,
    background: float = 0,
    progress: Progress | None = None,
) -> Signals | dict[str, Signals]:
    """Extract region signals from an image: one number per region and map.

    Parameters
    ----------
    image : path, nibabel image, or sequence of them
        3D, one map, or 4D.  A list of images, or a path with ``*`` in it, is one series in
        the order of the list, or in natural order.  Whatever its size, a file is read a few
        maps at a time.
    parcellation : Parcellation, path or nibabel image
        The regions, on the grid of the image.  A path or an image goes through
        `load_parcellation`.
    strategy : str, callable, or list of them, default="mean"
        - ``"mean"``, ``"median"``, ``"sum"``, ``"minimum"``, ``"maximum"``, ``"count"``;
          ``"variance"`` and ``"standard_deviation"``, which divide by the number of voxels.
        - ``"mode"``: the most frequent value, the smallest of them when there are several.
        - ``"percentile:90"``, or any other from 0 to 100, interpolated linearly.
        - ``"first_eigenvariate"``: the first principal time course of a region's voxels,
          demeaned and scaled as by SPM, with the sign with which it correlates with their
          mean.
        - A function of an array, shape (n_samples, n_maps), that returns one number per map.
          It gets all maps at once, and the voxels that are finite in each (`nan`).
    nan : {"omit", "propagate", "zero"}, default="omit"
        What becomes of voxels that are NaN or infinite: left out, reduced as they are, or
        taken as 0.
    mask : path or nibabel image, default=None
        On the grid of the image.  Voxels where it is zero are no region.
    weights : path or nibabel image, default=None
        On the grid of the image.  Weights of the voxels for mean, sum, variance and standard
        deviation; finite, not negative.
    min_coverage : float, default=None
        Regions with data in less than this fraction of their voxels are missing.
    resample : {None, "labels"}, default=None
        ``"labels"`` brings the regions to the grid of the image, by nearest neighbour, where
        the grids differ.
    n_jobs : int, default=None
        Number of threads that reduce; when not given, one per processor, but for the one that
        reads a file.  -1: one per processor.
    regions : path, DataFrame, mapping or sequence of str, default=None
        The region table, where `parcellation` is a path or an image.
    background : number, default=0
        The label of no region, where `parcellation` is a path or an image.
    progress : callable, default=None
        Called with the number of maps done and the number of all maps.

    Returns
    -------
    Signals, or dict of str to Signals for a list of strategies
        One column per region of the parcellation, keyed by name, or by label where names are
        not unique; NaN where a region is missing.  float64; complex128 from complex images.
        `Signals.coverage` says how much of each region there were data for.

    Raises
    ------
    SpaceError
        When image, parcellation, mask or weights are on different grids.
    ArgumentError
        When there is no such strategy, or it does not go with the data.
    LabelsError
        When a mask or another grid leaves no region.
    FileFormatError
        When a file is damaged or ends early.
    RegioncastError
        What `load_parcellation` raises.

    See Also
    --------
    regioncast.paint : The way back.

    Examples
    --------
    >>> import numpy as np
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> signals = rc.extract(demo.statistic, demo.atlas, resample="labels")
    >>> signals
    Signals: single map, 100 regions, float64, keyed by '7Networks_LH_Vis_1', ...
    >>> signals.keys[np.argmax(signals.values)]
    '7Networks_RH_SomMot_7'
    """
    if nan not in ("omit", "propagate", "zero"):
        raise ArgumentError(f"nan must be 'omit', 'propagate' or 'zero', not {nan!r}.")
    if min_coverage is not None and not 0 <= min_coverage <= 1:
        raise ArgumentError(f"min_coverage is a fraction from 0 to 1, not {min_coverage}.")
    wanted = list(strategy) if isinstance(strategy, list | tuple) else [strategy]
    strategies = [Strategy.of(one) for one in wanted]
    if not strategies:
        raise ArgumentError("There is no strategy: the list is empty. Give one such as 'mean'.")
    if len({one.name for one in strategies}) < len(strategies):
        raise ArgumentError(
            f"Some strategies share a name: {examples([one.name for one in strategies])}. "
            "Give each once, and functions names of their own."
        )
    maps = open_maps(image, "the image")
    for one in strategies:
        one.check(weighted=weights is not None, is_complex=maps.is_complex, n_maps=maps.n_maps)
    whole = load_parcellation(parcellation, regions, background=background)
    atlas, voxels = _on_grid(whole, maps.space, resample)
    if mask is not None:
        atlas = _masked(atlas, mask)
    grouping = Grouping.of(atlas.codes, atlas.counts)
    values, finite = extraction.extract(
        maps.blocks(),
        grouping,
        strategies,
        n_maps=maps.n_maps,
        nan=nan,
        weights=None if weights is None else _weights(weights, maps.space, grouping),
        n_jobs=_n_jobs(n_jobs, maps),
        progress=progress,
    )
    coverage = _coverage(atlas, voxels, finite)
    signals = {
        one.name: _extracted(table, coverage, maps, min_coverage)
        for one, table in zip(strategies, values, strict=True)
    }
    return signals if isinstance(strategy, list | tuple) else signals[strategies[0].name]


def save(
    thing: SpatialImage | Signals | RegionTable,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    long: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write an image, signals or a table of regions to a file, whole or not at all.

    Parameters
    ----------
    thing : nibabel image, Signals or RegionTable
    path : path
        ``.nii``, ``.nii.gz``, ``.mgz`` or ``.mgh`` for an image; ``.tsv``, ``.csv``,
        ``.parquet`` or ``.npy`` for signals, or ``-`` for TSV on standard output; ``.tsv``,
        ``.csv`` or ``.parquet`` for regions, such as `Signals.coverage`.
    overwrite : bool, default=False
        Whether an existing file may be replaced.
    long : bool, default=False
        Write signals with one row per region instead of one per map.
    progress : callable, default=None
        Called with the number of maps written and the number of all maps.

    Returns
    -------
    Path
        That of the file.

    Raises
    ------
    OutputExistsError
        When the file exists and `overwrite` is false.
    OutputError
        When the file cannot be written; then nothing is.
    FileFormatError
        When the suffix is not known.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> rc.save(rc.paint(demo.values, demo.atlas), "motor.nii.gz").name
    'motor.nii.gz'
    """
    output = expanded(path)
    if isinstance(thing, Signals):
        value_files.write_signals(thing, output, long=long, overwrite=overwrite)
    elif isinstance(thing, RegionTable):
        value_files.write_regions(thing, output, overwrite=overwrite)
    elif not hasattr(thing, "dataobj"):
        raise ImageTypeError(
            f"An image, Signals or a RegionTable can be saved; this is {type(thing).__name__}. "
            "Paint it first, or make a nibabel image of it."
        )
    else:
        nifti.save_volume(thing, output, overwrite=overwrite, progress=progress)
    return output


def check_image_output(path: Path, *, overwrite: bool) -> None:
    """Raise where an image cannot be written under this name, before it is made."""
    output = expanded(path)
    nifti.volume_suffix(output)
    check_output(output, overwrite=overwrite)


def check_table_output(path: Path, use: Use = "signals", *, overwrite: bool) -> None:
    """Raise where signals or coverage cannot be written under this name, before they are made."""
    value_files.check_table_output(expanded(path), use, overwrite=overwrite)


def _region_table(labels: Niimg, regions: Any, in_image: NDArray[np.int64]) -> RegionTable | None:
    """Return the region table that was given, that lies beside the image, or is inside it."""
    if isinstance(regions, str) and regions == NO_REGIONS:
        return None
    if regions is not None:
        if isinstance(regions, str | os.PathLike):
            regions = existing_file(regions, "the region table")
        return region_tables.read_region_table(regions, labels=in_image)
    beside = None
    if isinstance(labels, str | os.PathLike):
        beside = region_tables.find_region_table(expanded(labels))
    if beside is not None:
        return _table_beside(beside, in_image)
    inside = nifti.label_table_extension(labels)
    if inside is None:
        return None
    return region_tables.region_table_from_label_table(
        inside, source="the label table inside the labels image"
    )


def _table_beside(path: Path, in_image: NDArray[np.int64]) -> RegionTable:
    try:
        return region_tables.read_region_table(path, labels=in_image, may_be_list=False)
    except (RegionTableError, FileFormatError) as error:
        raise RegionTableError(
            f"{path.name} lies beside the labels image and is named as its region table, but: "
            f"{error} Pass regions= to name another, or regions={NO_REGIONS!r} to do without."
        ) from error


def _on_grid(
    parcellation: Parcellation, grid: VolumeGrid, resample: str | None
) -> tuple[Parcellation, NDArray[np.int64]]:
    """Return the parcellation on the grid of an image, and the voxels of each region there.

    Those that would be outside the image are among them.
    """
    if resample not in (None, "labels"):
        raise ArgumentError(f"resample must be None or 'labels', not {resample!r}.")
    difference = parcellation.space.difference(grid)
    if difference is None:
        return parcellation, parcellation.counts
    if resample is None:
        problem, detail = difference
        raise SpaceError(
            f"{problem} The image {detail.format(this='the labels image')} Pass "
            "resample='labels' (--resample labels) to bring the labels to the grid of the image, "
            "or resample the image first."
        )
    moved = resampled(parcellation, grid)
    return moved, moved.counts + voxels_outside(parcellation, grid)


def _n_jobs(n_jobs: int | None, maps: MapStream) -> int | None:
    """Leave a processor to the thread that reads, unless told how many to use."""
    return max(1, n_cpus() - 1) if n_jobs is None and maps.is_made else n_jobs


def _weights(weights: Niimg, grid: VolumeGrid, grouping: Grouping) -> NDArray[np.float64]:
    """Return weights in Fortran order, which are good ones where there are regions."""
    data, other = nifti.read_volume(weights, "the weights image")
    check_same(grid, other, this_name="the image", other_name="the weights image")
    flat = data.reshape(-1, order="F").astype(np.float64)
    bad = flat[grouping.samples]
    bad = bad[~(np.isfinite(bad) & (bad >= 0))]
    if bad.size:
        raise SignalsError(
            f"{plural(bad.size, 'voxel')} in regions with a weight that is negative, NaN or "
            f"infinite: {examples(np.unique(bad).tolist())}. Set them to 0 to leave them out."
        )
    return flat


def _coverage(
    atlas: Parcellation, voxels: NDArray[np.int64], finite: NDArray[np.int64]
) -> RegionTable:
    with np.errstate(invalid="ignore"):
        fraction = finite / voxels
    columns = {"voxels": voxels, "in_mask": atlas.counts, "finite": finite, "fraction": fraction}
    return RegionTable(
        atlas.table.labels,
        atlas.table.names,
        {title: column.tolist() for title, column in columns.items()},
    )


def _extracted(
    values: NDArray[Any], coverage: RegionTable, maps: MapStream, min_coverage: float | None
) -> Signals:
    if min_coverage is not None:
        fractions = np.array(coverage.columns["fraction"])
        values[:, ~(fractions >= min_coverage)] = np.nan
    names, labels = coverage.names, coverage.labels.tolist()
    return Signals(
        values,
        names if len(set(names)) == len(names) else labels,
        labels=labels,
        map_names=maps.map_names,
        t_r=None if maps.single else maps.t_r,
        single=maps.single,
        coverage=coverage,
    )


def _masked(parcellation: Parcellation, mask: Niimg) -> Parcellation:
    inside, grid = nifti.read_mask(mask, "the mask image")
    check_same(parcellation.space, grid, this_name="the labels image", other_name="the mask image")
    masked = parcellation.masked(inside)
    emptied = np.flatnonzero((masked.counts == 0) & (parcellation.counts > 0))
    if not masked.counts.any():
        raise LabelsError(
            f"The mask leaves no region: none of {plural(len(masked), 'region')} has a voxel "
            "inside it. Check that mask and labels overlap."
        )
    if len(emptied):
        names = [masked.table.names[row] for row in emptied.tolist()]
        warn(
            f"The mask leaves no voxel of {plural(len(names), 'region')}: {examples(names)}.",
            MaskWarning,
        )
    return masked


def _match(
    values: Values,
    atlas: Parcellation,
    *,
    by: str,
    key: Key | None,
    columns: Key | Sequence[Key] | None,
    t_r: float | None,
) -> Match:
    signals = _signals(values, atlas.table, key, columns, t_r)
    return matching.match(signals, atlas.table, by=by, has_voxels=atlas.counts > 0)


def _signals(
    values: Values,
    regions: RegionTable,
    key: Key | None,
    columns: Key | Sequence[Key] | None,
    t_r: float | None,
) -> Signals:
    if isinstance(values, str | os.PathLike):
        values = value_files.read_values(os.fspath(values))
    elif _is_frame(values):
        values = value_files.table_of_frame(values)
    if isinstance(values, ValueTable):
        return signals_of(values, regions, key=key, columns=columns, t_r=t_r)
    if key is not None or columns is not None:
        raise SignalsError(
            f"key= and columns= choose columns of a table; a {type(values).__name__} has none."
        )
    if isinstance(values, Signals):
        return values if t_r is None else values.with_t_r(t_r)
    if isinstance(values, Mapping):
        return _signals_of_mapping(values, t_r)
    if _is_keyed_series(values):
        return Signals(values.to_numpy(), as_keys(values.index), t_r=t_r)
    array = as_array(values)
    if array.dtype == object and array.ndim == 0:
        raise value_files.not_values(values)
    return Signals(array, t_r=t_r)


def _signals_of_mapping(values: Mapping[Any, Any], t_r: float | None) -> Signals:
    listed = list(values.values())
    if listed and all(isinstance(value, int | float) for value in listed):
        array = numbers_with_gaps(listed, "the mapping")
    else:
        array = as_array(listed, row="region")
    if array.ndim > 2:
        raise SignalsError(
            "Each region of a mapping needs one number, or one number per map; the values have "
            f"the shape {array.shape[1:]}."
        )
    return Signals(array.T, as_keys(values), t_r=t_r)


def _is_frame(values: object) -> bool:
    """Return whether this is a DataFrame of pandas or polars, or a pyarrow table."""
    kind = type(values)
    if kind.__name__ == "LazyFrame":
        raise SignalsError("A LazyFrame has no values yet: call its collect() first.")
    return hasattr(kind, "columns") and hasattr(kind, "shape")


def _is_keyed_series(values: object) -> bool:
    """Return whether this is a pandas Series with an index that does more than count."""
    index = getattr(values, "index", None)
    if not hasattr(values, "to_numpy") or not hasattr(index, "get_level_values"):
        return False
    return not value_files.counts_rows(index)
