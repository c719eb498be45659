"""The friendly layer: from whatever people have to what the package works with, and back.

What people may give in several forms becomes one form here, by functions of `io` where it may be a
file.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    Protocol,
    TypeAlias,
    TypedDict,
    Unpack,
    cast,
    overload,
)

import numpy as np

from .atlas.choice import tells_apart
from .atlas.identities import LABEL, Identities
from .atlas.merging import merged
from .atlas.parcellation import Parcellation
from .atlas.region_table import RegionTable
from .atlas.transfer import transferred
from .chunked.extraction import extract_each as extract_in_chunks
from .chunked.extraction import is_in_chunks
from .chunked.painting import PaintedChunks, refuse_chunks
from .chunked.parcellation import ChunkedParcellation
from .chunked.properties import Properties, save_properties
from .chunked.reading import load as load_in_chunks
from .chunked.stores import is_chunked
from .chunked.writing import save as save_in_chunks
from .engine.extraction import Strategy
from .engine.painting import value_table
from .errors import ArgumentError, ArgumentTypeError, about_atlas, examples, listed, plural
from .extracting import Wanted, extract_each
from .files import output_path
from .formats import family_of, stem_of
from .identity import matched
from .io.atlas_objects import is_mapping_of_atlases
from .io.filenames import check_fields, is_template
from .io.kinds import (
    Painted,
    inside,
    is_image,
    painted,
    read_parcellation,
    read_signals,
    save_image,
    save_parcellation,
    save_signals,
    space_of,
)
from .io.many import save_each
from .signals import Key, Long, Signals, map_titles
from .tables import write
from .tables.arrays import Asked
from .viewing.backdrops import backdrop
from .viewing.colours import SHOWN, coloured, scale_of
from .viewing.page import View
from .viewing.scene import alone, scene_of, with_meshes

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from narwhals.typing import IntoDataFrame, IntoSeries
    from nibabel.cifti2.cifti2 import Cifti2Image
    from nibabel.filebasedimages import FileBasedImage
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .atlas.merging import Overlap
    from .engine.extraction import Function, Nan
    from .extracting.cleaning import Confounds, Standardize
    from .identity import Extra, Match, Missing
    from .io.surface.painted import PaintedSurface
    from .progress import Progress
    from .viewing.scene import Scene

FileName: TypeAlias = "str | os.PathLike[str]"

Atlas: TypeAlias = "Parcellation | ChunkedParcellation"


class SurfaceImage(Protocol):
    """An image as nilearn has it of surfaces: data on a mesh."""

    @property
    def mesh(self) -> object:
        """The mesh of each hemisphere."""

    @property
    def data(self) -> object:
        """The numbers of each hemisphere."""


Side: TypeAlias = "FileName | FileBasedImage | NDArray[Any]"
"""Labels or data of one hemisphere; an array has one number per vertex."""

Image: TypeAlias = (
    "FileName | FileBasedImage | PaintedSurface | SurfaceImage | ChunkedArray | NDArray[Any] | "
    "Mapping[str, Side] | Sequence[Side]"
)
"""Voxels, grayordinates, or vertices of one hemisphere or both: in a file, or as nibabel has it.

Or voxels in an array of Zarr or Dask, z, y and x."""


class LabelsMasker(Protocol):
    """A label masker of nilearn."""

    @property
    def labels_img(self) -> object:
        """The labels image."""


class ChunkedArray(Protocol):
    """An array of Dask or Zarr: z, y, x."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of voxels along z, y and x."""

    @property
    def chunks(self) -> tuple[Any, ...]:
        """How it is divided."""


Labels: TypeAlias = (
    "Parcellation | ChunkedParcellation | ChunkedArray | Image | LabelsMasker"
    " | Mapping[str, object]"
)
"""Regions, an image of their labels with its table beside it, or an object that holds both."""

Regions: TypeAlias = (
    "FileName | RegionTable | IntoDataFrame | IntoSeries | Sequence[str]"
    " | Mapping[int, str] | Mapping[str, int] | Mapping[str, Sequence[object]]"
    " | Sequence[tuple[int, str]] | Sequence[Mapping[str, object]]"
    " | Mapping[int, Mapping[str, object]]"
)
"""A region table: labels with names, or titles with columns, or names alone."""

Values: TypeAlias = (
    "FileName | Signals | IntoDataFrame | IntoSeries | FileBasedImage | ArrayLike"
    " | Mapping[str, ArrayLike] | Mapping[int, ArrayLike]"
    " | Sequence[Mapping[str, object]] | Mapping[str, Mapping[str, object]]"
)
"""What is painted: numbers with names or labels of regions, or an array of them in order."""


ColourMap: TypeAlias = "str | Sequence[str] | Colormap"
"""Colours from low to high: a name, the colours, or a colour map of matplotlib."""

Mesh: TypeAlias = "FileName | FileBasedImage | SurfaceImage | Mapping[str, object]"
"""The geometry of surfaces: its files, or as nibabel and nilearn have it."""

# What is meant where nothing is said of how values find their regions; of what is not here, None.
_AS_USUAL = {"by": "auto", "missing": "raise", "extra": "raise", "categories": False}


# Options of `extract` that images in chunks have, too.
_IN_CHUNKS = ("nan", "t_r", "n_jobs", "progress")


def load_parcellation(
    labels: Labels | None = None,
    regions: Regions | None = None,
    *,
    mask: Image | None = None,
    background: float | None = None,
    strict: bool = False,
    label_map: str | int | None = None,
    level: int = 0,
    left: Side | None = None,
    right: Side | None = None,
    progress: Progress | None = None,
) -> Parcellation:
    """Load a labels image and the table of its regions.

    Parameters
    ----------
    labels : path, nibabel image, array, Parcellation, or what holds one
        - A volume, one integer per voxel: NIfTI-1 and 2, single or pair, MGH, Analyze, AFNI and
          every other that nibabel reads.
        - A surface, one integer per vertex: GIFTI, FreeSurfer's annotations, MGH, NumPy, text; or
          both hemispheres, ``"lh.annot,rh.annot"``, ``"?h.annot"``, ``{"left": …, "right": …}``,
          or nilearn's SurfaceImage.  Arrays are of shape (n_vertices,).  One vector of both, left
          first, is taken apart beside data of both that have as many vertices, and the other way
          round.
        - CIFTI-2: ``.dlabel.nii``, or the parcels of ``.pscalar.nii`` and its like.
        - An atlas as nilearn fetches it: a mapping with ``maps``, and ``lut`` or ``labels``.
        - Labels that need not fit into memory: OME-Zarr (0.4, 0.5; an image with ``labels``, or
          such labels), and arrays of Zarr and Dask, which are z, y, x and lie nobody knows where.
          They stay where they are: what is returned is a `ChunkedParcellation`.
        - A label masker of nilearn: its labels image, names, background label and mask; of a
          fitted one, those that it was fitted to.
    regions : path, DataFrame, mapping, records or sequence of str, default=None
        The region table: BIDS ``dseg.tsv``, CSV, a FreeSurfer colour table, an ITK-SNAP label
        file, FSL, SPM or Workbench XML, plain text; see `regioncast.tables.regions`.  When
        not given, a table beside the image by its name (``atlas_dseg.nii.gz`` →
        ``atlas_dseg.tsv``), else the label table that Connectome Workbench keeps in a volume; for
        a surface, the names in its file, else a ``.tsv`` beside it; in OME-Zarr the properties
        or colours of the labels, else a ``.tsv`` beside it, else one pass finds all labels;
        without either, or with ``"none"``, regions are named by their labels.
    mask : path or nibabel image, default=None
        Voxels where it is zero are no region.  A region that it empties keeps its row.
    background : number, default=None
        The label of no region; NaN: there is none.  When not given it is 0; on surfaces and in
        CIFTI also every label whose name says so, as "unknown" or "medial wall", and 0 is a
        region where its name is that of one.
    strict : bool, default=False
        Raise where the table and the image do not list the same regions, instead of warning.
    label_map : str or int, default=None
        Name or number, from 0, of the map of a ``.dlabel.nii`` or ``.label.gii`` that has several,
        or of the labels of an OME-Zarr image that has.
    level : int, default=0
        Of OME-Zarr, the resolution: 0 is the finest.  Coarser ones come along, and are painted.
    left, right : path or nibabel image, default=None
        The surfaces of the hemispheres, instead of `labels`.
    progress : callable, default=None
        Called with the number of blocks done and of all, where the labels of OME-Zarr and other
        arrays in chunks have to be found, as no table lists them.

    Returns
    -------
    Parcellation
        Of labels in chunks a `ChunkedParcellation`, whose `load` gives a `Parcellation` in memory.

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
    source = _one_source(labels, left, right)
    if is_chunked(source):
        _refuse(["mask"] if mask is not None else [], "labels in memory; these are in chunks")
        # Whoever names a file with such labels knows what is returned; no annotation tells.
        chunked: Any = load_in_chunks(
            source, regions, background=background, strict=strict, label_map=label_map,
            level=level, progress=progress,
        )  # fmt: skip
        return chunked  # type: ignore[no-any-return]
    if level != 0:
        _refuse(["level"], "OME-Zarr; these labels have one resolution")
    if not isinstance(source, Parcellation | ChunkedParcellation):
        parcellation = read_parcellation(
            source, regions, background, label_map=label_map, strict=strict
        )
    elif strict or any(option is not None for option in (regions, background, label_map)):
        # To leave them unheard would paint by other names than were asked for.
        raise ArgumentError(
            "regions, background, label_map and strict are for a path or an image; a Parcellation "
            "has its regions already. Leave them out, or load it again from its path."
        )
    else:
        parcellation = cast("Parcellation", source)
    if mask is not None:
        refuse_chunks(parcellation)
        parcellation = parcellation.masked(inside(mask, parcellation.space))
    return parcellation


def merge(*atlases: Labels | Mapping[str, Labels], overlap: Overlap = "raise") -> Parcellation:
    """Return one atlas with the regions of several on the same grid, mesh or grayordinates.

    Parameters
    ----------
    *atlases : Parcellation, path or nibabel image
        Two or more; or one mapping of what they are called to them, where else they are called by
        the names of their files, or "atlas 1", "atlas 2", ….
    overlap : {"raise", "first", "last"}, default="raise"
        What becomes of samples that several atlases have: an error that lists the regions, or
        they go to the first or the last of these atlases, and one warning lists them.

    Returns
    -------
    Parcellation
        A label that an earlier atlas has, too, is replaced by one above all labels; names stay as
        they are, but for regions that are called by their labels.  Columns ``source`` and
        ``source_index`` say which atlas a region came from, and its label there; others are
        ``None`` for regions of atlases that lack them.

    Raises
    ------
    LabelsError
        When regions overlap, and `overlap` is ``"raise"``.
    SpaceError
        When the atlases are on different grids, meshes or grayordinates.
    ArgumentError
        When there are fewer than two atlases, or there is no such `overlap`.
    RegioncastError
        What `load_parcellation` raises.

    Examples
    --------
    >>> import regioncast as rc
    >>> atlas = rc.load_parcellation(rc.demo_data().atlas)
    >>> left = atlas.group("hemisphere").select("L")
    >>> rc.merge({"whole": left, "parcels": atlas.drop(range(1, 51))}).table
    RegionTable: 51 regions
    index  name                     hemisphere  regions  color    network   source   source_index
        1  L                        L           50       None     None      whole    1
       51  7Networks_RH_Vis_1       R           None     #781286  Vis       parcels  51
    ...
    """
    named: dict[str, Any]
    if len(atlases) == 1 and isinstance(atlases[0], Mapping):
        named = dict(atlases[0])
    else:
        stems = [
            stem_of(Path(labels)) if isinstance(labels, str | os.PathLike) else ""
            for labels in atlases
        ]
        if "" in stems or len(set(stems)) < len(stems):
            stems = [f"atlas {number}" for number in range(1, len(atlases) + 1)]
        named = dict(zip(stems, atlases, strict=True))
    loaded = {name: load_parcellation(labels) for name, labels in named.items()}
    for atlas in loaded.values():
        refuse_chunks(atlas)
    return merged(loaded, overlap)


def load_signals(
    values: Values,
    parcellation: Labels,
    *,
    by: str = "auto",
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    strip: str | Sequence[str] | None = None,
    t_r: float | None = None,
    categories: bool = False,
) -> Signals:
    """Read region signals from any kind of values, without painting them.

    Parameters
    ----------
    values : dict, Series, DataFrame, array, Signals or path
        As in `paint`.
    parcellation : Parcellation, path or nibabel image
        The regions by whose names and labels the key column of a table is found.
    by, key, columns, strip, t_r, categories
        As in `paint`; a table that is read by position has no keys.

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
    atlas = load_parcellation(parcellation)
    asked = _asked(by, key, columns, strip, t_r, categories=categories)
    return _match(values, atlas, asked)[0].signals


def match(
    values: Values,
    parcellation: Labels,
    *,
    by: str = "auto",
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    strip: str | Sequence[str] | None = None,
    categories: bool = False,
) -> Match:
    """Find what would go where, without painting it; print the result to see it.

    Parameters
    ----------
    values : dict, Series, DataFrame, array, Signals or path
        As in `paint`.
    parcellation : Parcellation, path or nibabel image
        As in `paint`.
    by, key, columns, strip, categories
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
    atlas = load_parcellation(parcellation)
    return _match(values, atlas, _asked(by, key, columns, strip, None, categories=categories))[0]


def paint(
    values: Values,
    parcellation: Labels,
    *,
    by: str = "auto",
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    strip: str | Sequence[str] | None = None,
    missing: Missing = "raise",
    extra: Extra = "raise",
    fill: complex = 0,
    dtype: DTypeLike | None = None,
    mask: Image | None = None,
    t_r: float | None = None,
    onto: Labels | None = None,
    categories: bool = False,
) -> Painted:
    """Paint region values into an image: every voxel of a region gets the region's value.

    Or every vertex of a surface, or every grayordinate of a CIFTI file.

    Parameters
    ----------
    values : dict, Series, DataFrame, array, Signals or path
        - A mapping of names or labels to a number, or to one number per map.
        - A pandas Series, whose index names the regions.
        - A DataFrame of pandas, polars or pyarrow, or the path of a ``.tsv``, ``.csv``,
          ``.txt``, ``.1D``, ``.stats`` or ``.parquet`` table: *long*, one row per region, with a
          column of names or labels and one column of numbers per map; or *wide*, one column per
          region, titled by its name or label, and one row per map.
          So are a mapping of mappings, records (a list of mappings of titles to cells), a
          structured array, and a DataArray of xarray.
        - An array, shape (n_regions,) or (n_maps, n_regions), or the path of a ``.npy`` file:
          the regions in ascending order of label.
        - The path of a ``.pscalar.nii`` or ``.ptseries.nii`` file, or such an image.
    parcellation : Parcellation, path or nibabel image
        The regions.  A path or an image goes through `load_parcellation`, which has more to say:
        which table names the regions, which label is background.
    by : str, default="auto"
        What identifies a region: ``"name"``, ``"label"``, ``"position"``, or the title of a
        column of the region table.  Where regions share a cell of it, as they do that of their
        network, a value goes to all of them.  ``"auto"`` finds it from the keys; see Notes.
    key : str or int, default=None
        Title of the column of a long table that names the regions; found when not given.
    columns : str, int or sequence of them, default=None
        Titles of the columns of a long table to paint; all columns of numbers, other than
        labels, when not given.
    strip : str or sequence of str, default=None
        What to cut from the beginning and the end of keys and titles before they are compared, each
        once: ``["lh_", "_thickness"]`` makes ``V1`` of ``lh_V1_thickness``.
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
    onto : path or image, default=None
        The grayordinates, vertices or voxels to paint, where they are not those of the labels:
        a CIFTI file, say, whose surfaces are those of the labels.  Nothing is resampled.
    categories : bool, default=False
        Paint the one column of text, or of a Series or a mapping the text, as labels of categories:
        1, 2, … in the order of a Categorical, else in natural order of the names; 0 where there is
        none.  Integers from 1 on are labels themselves.  The image, of the smallest unsigned dtype,
        knows its ``categories``, a table of labels, names and colours, which `save` writes too:
        in ``x_dseg.tsv`` beside ``x_dseg.nii.gz``, ``.label.gii`` and ``.dlabel.nii``.

    Returns
    -------
    PaintedImage, PaintedSurface or PaintedCifti
        On volumes a `nibabel.Nifti1Image`, 3D for a single map, else 4D; in CIFTI a
        `nibabel.Cifti2Image`; of labels in chunks a `PaintedChunks`, to be saved as ``.ome.zarr``.
        Values are made when they are asked for.  Dtype of the values;
        saved and loaded again, the values are the same.

    Raises
    ------
    MatchError
        When values and regions do not match; the message shows both sides.
    SignalsError, SignalsTypeError
        When values have the wrong shape, or are no numbers that an image can hold.
    ArgumentError
        When an option has a value that it cannot have.
    SpaceError
        When `mask` or `onto` is on another grid or mesh.
    RegioncastError
        What `load_parcellation` raises.

    See Also
    --------
    regioncast.match : Look at what would go where first.
    regioncast.save : Write the image to a file.

    Notes
    -----
    The image decides, titles only break ties, and where two answers differ nobody guesses.  These
    rules hold for all values and for region tables, whatever they come from.

    1. ``key=`` names the column of regions; ``by=`` says what it holds: ``name``, ``label``, a
       column of the region table, or ``position``.  What is said is done; where regions share a
       cell of the column, as that of their network, the value of the cell goes to all of them.
    2. Otherwise every column, the index, and the row of titles are tried against the regions.  What
       fits is text that names regions, by name or by a column that tells them apart, and integers
       titled as labels (``index``, ``label``, ``id``, ``roi``, ``…_id``, but not those of subjects,
       clusters and the like).  An index without a title fits if it holds every label.
    3. Titles that name regions, by name or label: one column per region.  Columns of text before
       them (``subject``, ``session``) name the maps, and so do numbers of subjects and sessions.
    4. Nothing fits, or two that mean different regions: an error that lists each candidate, how
       many regions it names, and what to pass.
    5. What merely counts rows, from 0 or from 1, says nothing, unless it is titled as labels and
       nothing else names a region.  Titled so, and a label in every row, it still contradicts a
       column that means other regions (rule 4), unless that one is titled as names.
    6. The first row is the header if it holds no number, or begins with a known title or with
       nothing; else titles are told by `by=`.
    7. Numbers alone, without titles, are an array: columns by ascending label.  If in text or a
       DataFrame a first row, a first column or an index could be labels (as many different integers
       as there are columns or rows), it is an error that asks for ``by=``; a first row 0, 1, 2, …
       counts columns.  Arrays and lists have no keys; those of a dict are its keys, and those of a
       Series its index, unless that is untitled and 0, 1, 2, …; rows of a list that have keys, as
       Series and named tuples, go by them.
    8. The other columns of numbers are maps, and the output says their names.  What is titled as
       labels or names, also of another atlas (``index_17network``), and what is empty in every row
       beside others, is none; without titles, copies of labels and counts of rows are none either.
       ``columns=`` chooses.
    9. Region tables: the column of integers, whatever its title, that holds the most labels of the
       image; a title decides only between equals; equals that differ are an error.  A table that
       misses the image by a constant (it counts from 0, the image from 1) is an error that says so,
       whoever reads it: TSV, text, XML, DataFrame, dict, Series.  Names alone, in a list or a line
       each, go to the labels in ascending order.
    10. Names match exactly (in Unicode NFC), whatever the spelling of the hemisphere.  Near misses
        are shown, never used; a name of the other hemisphere is no near miss; and following a hint
        works.

    Hemispheres are part of identity, in volumes too: a column ``hemisphere`` of the table, or
    ``lh_V1``, ``V1_L``, ``ctx-lh-V1`` and other usual spellings.  What is painted is what reaches
    voxels: a value whose region has none is named, and if no value reaches any, it is an error.  A
    row or column that table and image both call background needs no ``extra="ignore"``.

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
    atlas: Any = load_parcellation(parcellation)
    asked = _asked(by, key, columns, strip, t_r, categories=categories)
    matching, atlas = _match(values, atlas, asked)
    matching.check(missing, extra)
    known = matching.signals.categories
    if known is not None and fill != 0:
        raise ArgumentError("Of categories, 0 is none: leave out fill (--fill).")
    table = value_table(matching.signals.values, matching.columns, fill=fill, dtype=dtype)
    if mask is not None or onto is not None:
        refuse_chunks(atlas)
    if isinstance(atlas, ChunkedParcellation):
        shown = _shown_categories(known, table, atlas)
        lazy: Any = PaintedChunks(atlas, table, matching.signals.axis, matching, shown)
        return cast("Painted", lazy)  # which is no image of nibabel's
    if onto is not None:
        place = "the image to paint onto"
        atlas = transferred(atlas, space_of(onto, place), name=place)
    # After matching, so that whether values fit does not depend on the mask.
    if mask is not None:
        atlas = atlas.masked(inside(mask, atlas.space))
    image = painted(atlas, table, matching.signals)
    image.match, image.parcellation = matching, atlas
    image.categories = _shown_categories(known, table, atlas)
    return image


def _shown_categories(
    categories: RegionTable | None, table: NDArray[Any], atlas: Atlas
) -> RegionTable | None:
    """Return the categories that an image shows: not those of which no region has a sample."""
    if categories is None:
        return None
    # Of labels in chunks it is not known which have some.
    labels = table[0, 1:]
    labels = labels[atlas.counts > 0] if isinstance(atlas, Parcellation) else labels
    return categories.take(np.flatnonzero(np.isin(categories.labels, labels)))


class _HowToExtract(TypedDict, total=False):
    """The options of `extract` that do not change what it returns."""

    nan: Nan
    mask: Image | None
    weights: Image | None
    min_coverage: float | None
    resample: Literal["labels"] | None
    by: str | None
    confounds: Confounds | None
    confound_columns: str | Sequence[str] | None
    standardize: Standardize
    detrend: bool
    low_pass: float | None
    high_pass: float | None
    t_r: float | None
    n_jobs: int | None
    executor: Executor | None
    progress: Progress | None


@overload
def extract(  # type: ignore[overload-overlap]  # of hemispheres a mapping holds no Parcellation
    image: Image,
    parcellation: dict[str, Parcellation],
    *,
    strategy: str | Function = ...,
    **how: Unpack[_HowToExtract],
) -> dict[str, Signals]: ...
@overload
def extract(  # type: ignore[overload-overlap]  # of hemispheres a mapping holds no Parcellation
    image: Image,
    parcellation: dict[str, Parcellation],
    *,
    strategy: list[str | Function] | tuple[str | Function, ...],
    **how: Unpack[_HowToExtract],
) -> dict[str, dict[str, Signals]]: ...
@overload
def extract(
    image: Image,
    parcellation: Labels,
    *,
    strategy: str | Function = ...,
    **how: Unpack[_HowToExtract],
) -> Signals: ...
@overload
def extract(
    image: Image,
    parcellation: Labels,
    *,
    strategy: list[str | Function] | tuple[str | Function, ...],
    **how: Unpack[_HowToExtract],
) -> dict[str, Signals]: ...
def extract(
    image: Image,
    parcellation: Labels | Mapping[str, Labels],
    *,
    strategy: str | Function | list[str | Function] | tuple[str | Function, ...] = "mean",
    nan: Nan = "omit",
    mask: Image | None = None,
    weights: Image | None = None,
    min_coverage: float | None = None,
    resample: Literal["labels"] | None = None,
    by: str | None = None,
    confounds: Confounds | None = None,
    confound_columns: str | Sequence[str] | None = None,
    standardize: Standardize = None,
    detrend: bool = False,
    low_pass: float | None = None,
    high_pass: float | None = None,
    t_r: float | None = None,
    n_jobs: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Signals | dict[str, Signals] | dict[str, dict[str, Signals]]:
    """Extract region signals from an image: one number per region and map.

    Parameters
    ----------
    image : path, nibabel image, or sequence of them
        3D, one map, or 4D.  A list of images, or a path with ``*`` in it, is one series in
        the order of the list, or in natural order.  Whatever its size, a file is read a few
        maps at a time.  Or the data of a surface (GIFTI, MGH, NumPy, FreeSurfer's ``lh.thickness``
        and its like; both hemispheres as for labels), or ``.dscalar.nii`` and ``.dtseries.nii``.
        Maps of several files are called by these, ``sub-01_task-rest_bold_volume-0``, and
        `Signals.entities` has the parts of the names.
        OME-Zarr, arrays of Zarr and Dask, and uncompressed NIfTI files with maps of a GiB or more
        are read in chunks, see Notes.
    parcellation : Parcellation, path or nibabel image, or mapping of str to these
        The regions, on the grid of the image.  A path or an image goes through
        `load_parcellation`.  Surfaces and volumes also serve CIFTI files with the same meshes
        and grids, and the other way round.  Of several atlases, ``{"A": a, "B": b}``, regions are
        reduced in one pass over the image, and give the same bits as by themselves.
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
    by : str, default=None
        A column of the region table, such as ``"network"``: the regions with the same cell are
        one, as `Parcellation.group` makes them.
    confounds : path, DataFrame, array of shape (n_maps, n_confounds), or list, default=None
        Taken out of the signals by `nilearn.signal.clean`, as are trend and frequencies: of the
        mean and the sum, weighted or not, where this is the same as cleaning the voxels, if they
        are finite in all maps.  A table has a title per confound and a row per map, such as
        fMRIPrep's ``desc-confounds_timeseries.tsv``; none may be ``n/a``.  Each 4D image of
        several is cleaned by itself, with its own confounds, which are a list then; images of
        one map each are one series.
    confound_columns : str or list of str, default=None
        Titles of the confounds to take out, or patterns such as ``"trans_?"``; all when not given.
    standardize : {None, "zscore_sample", "psc"}, default=None
        Of the signals of each region, whatever the strategy: mean 0 and standard deviation 1
        (of a sample), or percent of the mean.
    detrend : bool, default=False
        Whether linear trends are taken out.
    low_pass, high_pass : float, default=None
        Frequencies in Hz, above and below which all is taken out (Butterworth, order 5).
    t_r : float, default=None
        Repetition time in seconds; that of the image when not given.
    n_jobs : int, default=None
        Number of threads that reduce; when not given, one per processor, but for the one that
        reads a file of volumes.  Below 0: one per processor.  Functions are called by no thread but
        this.
    executor : concurrent.futures.Executor, default=None
        Of an image that is read in chunks, who reads and reduces them, instead of threads: local
        processes, or ``Client.get_executor()`` of Dask.
    progress : callable, default=None
        Called with the number of maps done and the number of all maps; from a CIFTI file, which
        is reduced region by region, with the fraction of the work done, expressed in maps; from an
        image in chunks, with numbers of blocks.

    Returns
    -------
    Signals, or dict of str to Signals for a list of strategies
        One column per region of the parcellation, keyed by name, or by label where names are
        not unique; NaN where a region is missing.  float64; complex128 from complex images.
        `Signals.coverage` says how much of each region there were data for.  For a mapping of
        atlases, a dict with its keys of these.  Errors and warnings that are about one
        of them begin with its name, ``Atlas 'B': …``.

    Raises
    ------
    SpaceError
        When image, parcellation, mask or weights are on different grids.
    ArgumentError
        When there is no such strategy, or it does not go with the data or with cleaning; when
        filters do not go with the repetition time.
    DimensionError
        When a single map is to be cleaned.
    SignalsError, SignalsTypeError
        When confounds have a gap, text, or another number of rows than there are maps.
    MissingPackageError
        When signals are to be cleaned without nilearn.
    LabelsError
        When a mask or another grid leaves no region.
    FileFormatError
        When a file is damaged or ends early.
    RegioncastError
        What `load_parcellation` raises.

    See Also
    --------
    regioncast.paint : The way back.

    Notes
    -----
    Images and labels in chunks are reduced block by block, each in memory for a moment, with the
    same bits however they are chunked and whoever works.  Counts, extremes, median, percentiles,
    and the mode of integers are exact, sums and means of integers too (rounded once), and the
    variance of integers up to 32 bits; sums of floats are added up along a fixed tree of blocks of
    64³ voxels, variances by Chan's formula.  Of an OME-Zarr image that level is read whose grid
    is that of the labels.  Functions, ``"first_eigenvariate"``, modes of floats, weights, cleaning
    and resampling need more than a block at once: they are refused, but of a NIfTI file, which is
    then read as a smaller one.

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
    >>> parcels = rc.load_parcellation(demo.atlas)
    >>> atlases = {"parcels": parcels, "networks": parcels.group("network")}
    >>> signals = rc.extract(demo.statistic, atlases, resample="labels")
    >>> signals["networks"]
    Signals: single map, 7 regions, float64, keyed by 'Vis', ...
    """
    # All that can be wrong is looked at first: to read the maps may take minutes.
    strategies = Strategy.all_of(strategy)
    is_of_several = is_mapping_of_atlases(parcellation)
    wanted: dict[str, Wanted] = {}
    for name, labels in _atlases(parcellation).items():
        with about_atlas(name):
            atlas = load_parcellation(labels)
            groups = atlas if by is None else atlas.group(by)
        wanted[name] = Wanted(groups, mask, min_coverage, resample)
    options: dict[str, Any] = {
        "weights": weights, "confounds": confounds, "confound_columns": confound_columns,
        "standardize": standardize, "detrend": detrend, "low_pass": low_pass,
        "high_pass": high_pass,
    }  # fmt: skip
    usual: dict[str, Any] = {"nan": nan, "t_r": t_r, "n_jobs": n_jobs, "progress": progress}
    extracted = _extracted(image, wanted, strategies, executor, options | usual)
    if isinstance(strategy, list | tuple):
        return extracted if is_of_several else extracted[""]
    by_one = {name: signals[strategies[0].name] for name, signals in extracted.items()}
    return by_one if is_of_several else by_one[""]


def _extracted(
    image: Image,
    wanted: Mapping[str, Wanted],
    strategies: Sequence[Strategy],
    executor: Executor | None,
    options: Mapping[str, Any],
) -> dict[str, dict[str, Signals]]:
    """Return the signals of each atlas by each strategy, in chunks or in one pass."""
    first = next(iter(wanted.values()))  # what is said of all
    atlases = {name: each.parcellation for name, each in wanted.items()}
    others = {name: options[name] for name in options if name not in _IN_CHUNKS}
    others["resample"] = first.resample
    if is_in_chunks(image, list(atlases.values()), strategies, others):
        return extract_in_chunks(
            image, atlases, strategies, mask=first.mask, min_coverage=first.min_coverage,
            executor=executor, resample=first.resample, **options,
        )  # fmt: skip
    if executor is not None:
        raise ArgumentError(
            "executor is for images that are read in chunks: OME-Zarr, arrays of Zarr and Dask, "
            "and large .nii files. Leave it out; many images go to workers by extract_all."
        )
    return extract_each(image, wanted, strategies, **options)


def view(
    values: Values | Image | Painted | Labels,
    parcellation: Labels | None = None,
    *,
    by: str = "auto",
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    strip: str | Sequence[str] | None = None,
    missing: Missing = "raise",
    extra: Extra = "raise",
    t_r: float | None = None,
    categories: bool = False,
    resample: Literal["labels"] | None = None,
    background: FileName | SpatialImage | None = None,
    mesh: Mesh | None = None,
    title: str | None = None,
    unit: str = "",
    cmap: ColourMap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    threshold: float | None = None,
) -> View:
    """Show regions and their values in a page for a browser or a notebook.

    Slices and the brain in three dimensions, the name and the exact value of a region under the
    mouse, a list of all regions; of series the time course, too.  One file, which asks for nothing
    else and needs no network.

    Parameters
    ----------
    values : painted image, Signals, values, image or atlas
        - What `paint` or `extract` returned, without `parcellation`.
        - Values of any kind that `paint` takes, with it.
        - An image, or its path, of voxels, vertices or grayordinates, with it: the mean of each
          region is shown, as `extract` returns it.
        - A Parcellation, or what `load_parcellation` takes, without another: the regions in their
          own colours.
    parcellation : Parcellation, path or nibabel image, default=None
        The regions, where `values` do not know them.
    by, key, columns, strip, missing, extra, categories
        As in `paint`; for values with `parcellation`.  Regions without a value are shown as n/a.
    t_r : float, default=None
        Repetition time in seconds, for values and images that are time series.
    resample : {"labels"}, default=None
        As in `extract`; for an image that is on another grid than the labels.
    background : path, nibabel image or "mni152", default=None
        What is shown behind the regions in slices: an image of the same space, such as a T1, or the
        template of MNI152 that comes with nilearn, where that is installed.
    mesh : path, mapping, pair, nilearn's mesh, or a word, default=None
        The geometry of surfaces: ``"lh.pial,rh.pial"``, ``"?h.inflated"``,
        ``{"left": …, "right": …}``, of GIFTI or FreeSurfer; or ``"pial"``, ``"inflated"``,
        ``"white"`` or ``"sphere"`` of fsaverage5, which comes with nilearn.  When not given, that
        of the labels, or the pial one of fsaverage5 where it fits.  Regions of voxels make their
        own surface.
    title : str, default=None
        The name of the file of values or of the atlas, when not given.
    unit : str, default=""
        Of the values, for people: ``"z"``, ``"mm"``.
    cmap : str, sequence of str, or matplotlib colour map, default=None
        ``"diverging"``, ``"sequential"`` or ``"grey"``; two or more colours ``#rrggbb`` from low to
        high; a colour map of matplotlib or its name.  When not given, limits that are equally
        far from 0 diverge.
    vmin, vmax : float, default=None
        The values at the ends of the colours; when not given, the extremes, as far from 0 where
        values are on both sides of it.  One that is beyond 0 shows those of one side alone.
    threshold : float, default=None
        Values nearer to 0 are shown as below the threshold.  It can be moved in the page, as can
        limits and colours.

    Returns
    -------
    View
        With the methods of nilearn's views: `View.save_as_html`, `View.open_in_browser` and others.
        A notebook shows it.

    Raises
    ------
    ArgumentError
        When an option is not for what is shown, has a value that it cannot have, or regions or
        meshes are lacking.
    ImageTypeError
        When an image no longer knows what was painted into it.
    SignalsTypeError
        When values are complex, or have more digits than a page can hold.
    RegioncastError
        What `paint`, `extract` and `load_parcellation` raise.

    See Also
    --------
    regioncast.plot : The same as a figure.

    Notes
    -----
    The page holds the values in their own dtype, bit for bit.  Left is left until the page is asked
    for the radiological view.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> rc.view(demo.values, demo.atlas, unit="z", title="Left against right finger movement")
    View: 1 map of 100 regions, ... kB, 'Left against right finger movement'
    >>> rc.view(demo.statistic, demo.atlas, resample="labels").save_as_html("means.html").name
    'means.html'
    >>> rc.view(demo.atlas).resize("100%", 500)
    View: an atlas of 100 regions, ...
    """
    reading = {
        "by": by, "key": key, "columns": columns, "strip": strip, "missing": missing,
        "extra": extra, "categories": categories, "t_r": t_r, "resample": resample,
    }  # fmt: skip
    scene = _scene(
        values, parcellation, reading, background=background, mesh=mesh, title=title, unit=unit,
        cmap=cmap, vmin=vmin, vmax=vmax, threshold=threshold,
    )  # fmt: skip
    return View(scene)


def plot(
    values: Values | Image | Painted | Labels,
    parcellation: Labels | None = None,
    *,
    kind: Literal["auto", "slices", "surface", "ranked"] = "auto",
    maps: int | str | Sequence[int | str] | None = None,
    cuts: int | Mapping[str, int | Sequence[float]] | None = None,
    views: str | Sequence[str] | None = None,
    by: str = "auto",
    key: Key | None = None,
    columns: Key | Sequence[Key] | None = None,
    strip: str | Sequence[str] | None = None,
    missing: Missing = "raise",
    extra: Extra = "raise",
    t_r: float | None = None,
    categories: bool = False,
    resample: Literal["labels"] | None = None,
    background: FileName | SpatialImage | None = None,
    mesh: Mesh | None = None,
    title: str | None = None,
    unit: str = "",
    cmap: ColourMap | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    threshold: float | None = None,
    theme: Literal["light", "dark"] = "light",
    size: float | tuple[float, float] | None = None,
    transparent: bool = False,
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """Show regions and their values in a figure: slices, surfaces, or bars of the extremes.

    Needs matplotlib: ``pip install 'regioncast[plot]'``.

    Parameters
    ----------
    values, parcellation
        As in `view`.
    kind : {"auto", "slices", "surface", "ranked"}, default="auto"
        Slices of the voxels; the meshes of surfaces, or those made of voxels; or the regions with
        the highest and lowest values, as bars.  ``"auto"``: surfaces where there are meshes, and
        slices where there are voxels.
    maps : int, str, or sequence of these, default=None
        Which maps, by number from 0 or by name, a row each; all when not given.
    cuts : int, or mapping of ``"x"``, ``"y"``, ``"z"`` to int or mm, default=None
        How many slices a row has; or which rows there are, and how many slices they have or at
        which mm: ``{"x": [-40, 40], "z": 5}``.
    views : str or sequence of str, default=None
        Of surfaces: ``"lateral"``, ``"medial"``, ``"superior"``, ``"inferior"``, ``"anterior"``,
        ``"posterior"``; lateral and medial when not given.
    by, key, columns, strip, missing, extra, t_r, categories, resample, background, mesh, title, \
unit, cmap, vmin, vmax, threshold
        As in `view`.
    theme : {"light", "dark"}, default="light"
    size : float or tuple of two float, default=None
        Width, or width and height, in inches; what is not given follows from what is shown.
    transparent : bool, default=False
        Whether nothing is behind.
    colorbar : bool, default=True
        Whether what colours mean is told, by a bar or a list; False for figures of several that
        share one scale.
    ax : matplotlib Axes, default=None
        Of a figure of your own, to be drawn into.

    Returns
    -------
    matplotlib.figure.Figure
        A new one, which `savefig` writes as PNG, PDF or SVG, where regions have their names as
        titles; or that of `ax`.  It is none of pyplot's: nothing has to be closed.

    Raises
    ------
    MissingPackageError
        When matplotlib is not installed.
    ArgumentError
        As `view`; when there is no such kind, map, cut or view, or no room.
    RegioncastError
        What `view` raises.

    See Also
    --------
    regioncast.view : The same as a page, with every name and value.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> figure = rc.plot(demo.values, demo.atlas, cuts={"z": 4}, unit="z")
    >>> figure.savefig("map.png")
    >>> rc.plot(demo.values, demo.atlas, kind="ranked").savefig("ranked.svg")
    """
    from .viewing.figures import plotted  # or the error that says what to install, before all work

    reading = {
        "by": by, "key": key, "columns": columns, "strip": strip, "missing": missing,
        "extra": extra, "categories": categories, "t_r": t_r, "resample": resample,
    }  # fmt: skip
    scene = _scene(
        values, parcellation, reading, background=background, mesh=mesh, title=title, unit=unit,
        cmap=cmap, vmin=vmin, vmax=vmax, threshold=threshold,
        needs_mesh=kind != "ranked",
    )  # fmt: skip
    return plotted(
        scene, kind=kind, maps=maps, theme=theme, size=size, transparent=transparent,
        colorbar=colorbar, ax=ax, cuts=cuts, views=views,
    )  # fmt: skip


def save(
    thing: (
        SpatialImage | Cifti2Image | Painted | PaintedChunks | Signals | RegionTable | Atlas | View
    ),
    path: FileName,
    *,
    overwrite: bool = False,
    long: Long = False,
    sidecar: bool = True,
    as_: Literal["voxels", "properties"] = "voxels",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Path | tuple[Path, ...]:
    """Write an image, signals, regions, their table or a page to a file, whole or not at all.

    Parameters
    ----------
    thing : nibabel image, painted surface, Signals, Parcellation, RegionTable or View
    path : path
        ``.nii``, ``.nii.gz``, ``.mgz`` or ``.mgh`` for an image of voxels; ``.func.gii``,
        ``.shape.gii``, ``.mgh``, ``.mgz``, ``.npy`` or FreeSurfer's ``.curv`` and its like for
        a surface; ``.dscalar.nii`` or ``.dtseries.nii`` for grayordinates; ``.tsv``, ``.csv``,
        ``.parquet`` or ``.npy`` (values alone, in ascending order of label) for signals, or ``-``
        for TSV on standard output, and
        ``.pscalar.nii`` or ``.ptseries.nii`` where their parcellation is known, as it is in all
        that was extracted or painted; ``.tsv``, ``.csv`` or ``.parquet`` for tables of regions,
        such as `Signals.coverage`.  A parcellation of voxels is written as ``.nii.gz`` or ``.nii``,
        in the smallest dtype of integers that holds its labels, with its table as ``.tsv`` beside
        it: both, or neither; of vertices as ``.label.gii``; of grayordinates as ``.dlabel.nii``.
        The last two hold names and colours; regions without a colour get one.  ``.ome.zarr`` for
        voxels, in chunks or in memory: a painted image is written with its labels, all at the same
        levels, and a parcellation alone as labels; what is in memory gets levels of every second
        voxel.  ``.html`` for what `view` returns.
    overwrite : bool, default=False
        Whether an existing file may be replaced.
    long : bool or "tidy", default=False
        Write signals with one row per region instead of one per map; ``"tidy"``: one per map and
        region, with columns of who and when, for statistics programs and not to be painted.
    sidecar : bool, default=True
        Write ``x.json`` beside ``x.tsv``, ``x.nii.gz`` and other files that cannot say it: the
        repetition time, the names of the maps, sources, atlas, strategy and coverage, under
        BIDS's names where BIDS has some.  `paint`, `extract` and `load_signals` read it again.  A
        file of that name that is not of this output stays as it is, with a warning.
    as_ : {"voxels", "properties"}, default="voxels"
        ``"properties"``: write the values of a painted image, and no voxel: as properties and
        colours of the labels into the OME-Zarr that has them (which needs `overwrite`), or for
        neuroglancer to ``….json`` or ``…/info``.
    executor : concurrent.futures.Executor, default=None
        Who writes ``.ome.zarr``: processes, or a cluster (``Client.get_executor()`` of Dask) that
        reads and writes the same paths; threads when not given.
    progress : callable, default=None
        Called with the number of maps written and the number of all maps; of grayordinates, in
        CIFTI.

    Returns
    -------
    Path, or tuple of Path for several files
        Where it was written, without the table beside labels of voxels.  Of a pair,
        ``out.func.gii`` gives ``out.L.func.gii`` and ``out.R.func.gii``; a ``?`` or ``{hemi}`` says
        where else the hemisphere goes.  ``{map}`` stands for the name of a map,
        ``maps/{map}.nii.gz``: each is written to a file of its own, in a folder that is made.

    Raises
    ------
    OutputExistsError
        When the file, or one of several, exists and `overwrite` is false.
    OutputError
        When the file cannot be written; the message says what is there then.  When two maps would
        be one file.
    FileFormatError
        When the suffix is not known, or cannot hold the result; or when the image to write is
        read from a file that is damaged.
    SignalsTypeError
        When the format cannot hold the dtype.
    SignalsError
        When ``.npy`` would hold values of regions whose order is not known.
    ArgumentTypeError
        When `path` is no name.
    DimensionError
        When the format holds one map, and there are several, or something else than maps.
    ImageTypeError
        When this is nothing that can be saved.
    LabelsError, RegionTableError
        When a file could not be read again as the same parcellation: 0 is the label of a region of
        voxels, or a name says that there is none, as "unknown" in the files of surfaces.
    MissingPackageError
        When ``.parquet`` is written without pyarrow.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> rc.save(rc.paint(demo.values, demo.atlas), "motor.nii.gz").name
    'motor.nii.gz'
    >>> networks = rc.load_parcellation(demo.atlas).group("network")
    >>> rc.load_parcellation(rc.save(networks, "networks_dseg.nii.gz")).table.names[:3]
    ('Vis', 'SomMot', 'DorsAttn')
    """
    output = output_path(path)
    if isinstance(thing, View):
        return thing.save_as_html(output, overwrite=overwrite)
    if as_ != "voxels" or not _is_plain(thing, output):
        return _save_elsewhere(
            thing, output, as_, overwrite=overwrite, executor=executor, progress=progress
        )
    if executor is not None:
        _refuse(["executor"], f"OME-Zarr; {output.name} is written by this process")
    if is_template(output):
        # Each map is saved as it would be alone.
        save_one = partial(save, overwrite=overwrite, long=long, sidecar=sidecar)
        return save_each(thing, output, save_one, overwrite=overwrite, progress=progress)
    if isinstance(thing, Signals):
        save_signals(thing, output, long=long, overwrite=overwrite, sidecar=sidecar)
    elif isinstance(thing, RegionTable):
        write.write_regions(thing, output, overwrite=overwrite)
    elif isinstance(thing, Parcellation):
        return save_parcellation(thing, output, overwrite=overwrite)
    else:
        image: Any = thing
        return save_image(image, output, overwrite=overwrite, sidecar=sidecar, progress=progress)
    return output


def _is_plain(thing: object, output: Path) -> bool:
    """Return whether this is written by one process, as a file or several."""
    if isinstance(thing, PaintedChunks | ChunkedParcellation):
        return False
    return family_of(output) != "zarr" or is_template(output)


def _save_elsewhere(
    thing: object,
    output: Path,
    as_: str,
    *,
    overwrite: bool,
    executor: Executor | None,
    progress: Progress | None,
) -> Path:
    """Write OME-Zarr, or the properties of labels: all maps at once."""
    check_fields(output, (), ", as all maps are written at once")
    if as_ == "voxels":
        return save_in_chunks(
            thing, output, overwrite=overwrite, executor=executor, progress=progress
        )
    if as_ != "properties":
        raise ArgumentError(f"as_ is 'voxels' or 'properties', not {as_!r}.")
    return save_properties(_properties(thing), output, overwrite=overwrite)


def _properties(image: object) -> Properties:
    """Return the values of a painted image, with colours by the first map."""
    if not isinstance(image, Painted | PaintedChunks) or image.match is None:
        raise ArgumentError(
            "as_='properties' (--as properties) is for what paint returns; this is "
            f"{type(image).__name__}."
        )
    atlas, match = image.parcellation, image.match
    assert atlas is not None, "who knows what went where knows the regions"
    table = image.table if isinstance(image, PaintedChunks) else image.dataobj.table
    values, has_value = table[:, 1:], match.columns >= 0
    names = match.signals.map_names or (["value"] if len(values) == 1 else map_titles(len(values)))
    if image.categories is not None:
        raise ArgumentError("Properties are numbers: save categories as .ome.zarr, with names.")
    _check_properties(values[:, has_value], names)
    kinds, rgb = coloured(values[0], has_value, scale_of(values[:1, has_value]))
    colors = [
        f"#{bytes(part).hex()}" if kind == SHOWN else None
        for kind, part in zip(kinds[1:].tolist(), rgb[1:], strict=True)
    ]
    return Properties(atlas.table, dict(zip(names, values, strict=True)), has_value, colors)


def _check_properties(values: NDArray[Any], names: Sequence[str]) -> None:
    """Raise where values cannot be properties, or two maps would be one."""
    wrong = values if values.dtype.kind == "c" else values[np.isinf(values)]
    if wrong.size:
        raise ArgumentError(
            f"{plural(wrong.size, 'value')} that properties cannot hold, which are finite real "
            f"numbers: {examples(wrong.ravel().tolist())}. Leave them out, or write .ome.zarr."
        )
    if len(set(names)) < len(names):
        raise ArgumentError(
            f"Properties are told apart by the names of maps, and {len(names):,} maps have "
            f"{plural(len(set(names)), 'name')}: {examples(names)}. Give each its own."
        )


def _scene(
    values: Any,
    parcellation: Labels | None,
    reading: dict[str, Any],
    *,
    background: FileName | SpatialImage | None,
    mesh: Mesh | None,
    needs_mesh: bool = True,
    **look: Any,
) -> Scene:
    """Return what `view` and `plot` show; `look` is what `scene_of` takes."""
    # What is said is done, or refused: nothing that was said is left unheard.
    usual: dict[str, Any] = dict.fromkeys(reading) | _AS_USUAL
    # Some may be arrays.
    is_usual = {name: np.array_equal(option, usual[name]) for name, option in reading.items()}
    said = {name: option for name, option in reading.items() if not is_usual[name]}
    scene = scene_of(_shown(values, parcellation, said), **look)
    if needs_mesh or mesh is not None:
        scene = with_meshes(scene, mesh)
    return replace(scene, background=backdrop(background, scene.atlas))


def _shown(
    values: Any, parcellation: Labels | None, said: dict[str, Any]
) -> Painted | Signals | Parcellation:
    """Return what is to be seen: values painted, means of an image, or what knows its regions."""
    if parcellation is None:
        _refuse(
            said,
            "values or an image with an atlas; what is shown alone is an atlas, or was painted or "
            "extracted, and knows its regions and times",
        )
        if isinstance(values, Signals | Painted):
            return values
        with alone():
            atlas = load_parcellation(values)
        refuse_chunks(atlas)
        return atlas
    if isinstance(values, Parcellation):
        raise ArgumentError(
            "Values come first and the atlas second, and the first of these is a Parcellation. An "
            "atlas is shown alone: view(atlas), plot(atlas)."
        )
    if is_image(values):
        of_values = [name for name in said if name not in ("t_r", "resample")]
        _refuse(of_values, "values of regions; this is an image, whose means in them are shown")
        means: Signals = extract(values, parcellation, **said)
        return means
    of_images = said.keys() & {"resample"}
    _refuse(of_images, "an image on another grid; these are values of regions")
    image = paint(values, parcellation, **said)
    refuse_chunks(image)
    return image


def _refuse(names: Collection[str], reason: str) -> None:
    """Raise where options were said that are for something else."""
    if names:
        are = "is" if len(names) == 1 else "are"
        raise ArgumentError(f"{', '.join(names)} {are} for {reason}. Leave it out.")


def _one_source(labels: Labels | None, left: Side | None, right: Side | None) -> Labels:
    """Return what the labels are: those given, or the surfaces of hemispheres."""
    both = {"left": left, "right": right}
    sides = {name: side for name, side in both.items() if side is not None}
    if (labels is None) == (not sides):
        which = "both were" if sides else "neither was"
        raise ArgumentError(
            "Give the labels image, or the surfaces of the hemispheres as left= and right=; "
            f"{which} given."
        )
    return sides if labels is None else labels


def _atlases(parcellation: Labels | Mapping[str, Labels]) -> dict[str, Labels]:
    """Return the atlases of a mapping by their names, and by ``""`` what is one alone."""
    if not is_mapping_of_atlases(parcellation):
        return {"": parcellation}
    if not parcellation:
        raise ArgumentError(
            "There is no atlas: the mapping of atlases is empty. Give one or more of them, "
            '{"A": "atlas.nii.gz"}.'
        )
    others = [name for name in parcellation if not isinstance(name, str)]
    if others:
        raise ArgumentTypeError(
            f"Atlases are named by text; {plural(len(others), 'name')} of "
            f"{len(parcellation)} {'is' if len(others) == 1 else 'are'} none: {examples(others)}."
        )
    return dict(parcellation)


def _match(values: Values, atlas: Atlas, asked: Asked) -> tuple[Match, Atlas]:
    """Return what goes where, and the regions: those of the atlas, or the groups of a column."""
    by = asked.by
    regions = _identities(atlas)
    if not tells_apart(by, regions, with_sides=True):
        groups = atlas.group(by)
        return _match_groups(read_signals(values, _identities(groups), asked), groups, by)
    signals = read_signals(values, regions, asked)
    matching = matched(signals, regions, by)
    if matching.problem and not tells_apart(by, regions, with_sides=False):
        # Cells without the hemisphere are those of both.
        return _match_groups(signals, atlas.group(by), by)
    return matching, atlas


def _match_groups(signals: Signals, groups: Atlas, by: str) -> tuple[Match, Atlas]:
    """Return what goes to which group, by the cells of their column or else by their labels."""
    identities = _identities(groups)
    by_cell, by_label = (matched(signals, identities, each) for each in (by, LABEL))
    return (by_cell if by_cell.n_matched or not by_label.n_matched else by_label), groups


def _identities(atlas: Atlas) -> Identities:
    if isinstance(atlas, ChunkedParcellation):
        return atlas.identities
    return Identities(atlas.table, atlas.counts > 0, atlas.space.noun)


def _asked(
    by: str,
    key: Key | None,
    columns: Key | Sequence[Key] | None,
    strip: str | Sequence[str] | None,
    t_r: float | None,
    *,
    categories: bool,
) -> Asked:
    """Return what was said about values; one title or affix may stand alone."""
    affixes = listed([] if strip is None else strip, "strip", "texts to cut from keys")
    if not all(isinstance(affix, str) for affix in affixes):
        raise ArgumentError(
            f"strip holds texts to cut from keys, such as '_thickness'; not {strip!r}."
        )
    titles = None if columns is None else listed(columns, "columns", "titles of columns")
    # Whatever is no text is the title of no column, and the error says which there are.
    return Asked(str(by), key, titles, t_r, affixes, categories)
