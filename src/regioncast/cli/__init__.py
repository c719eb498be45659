"""The command ``regioncast``: the verbs of the package, from the shell.

Translating only: every verb hands its arguments to the function of the same name.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from cyclopts import App, CycloptsError, Parameter, Token, UnusedCliTokensError

from .. import api
from ..atlas.parcellation import Parcellation
from ..atlas.spaces import VolumeGrid, came_as_one_vector
from ..chunked.painting import PaintedChunks
from ..chunked.parcellation import ChunkedParcellation
from ..chunked.properties import check_properties_output
from ..chunked.writing import check_store_output
from ..engine.painting import PaintedArray
from ..errors import (
    ArgumentError,
    JobsError,
    MatchError,
    RegioncastError,
    examples,
    plural,
    times,
)
from ..files import check_output_of, make_folder, replacing
from ..formats import family_of
from ..io.filenames import is_template
from ..io.kinds import check_image_output, check_table_output
from ..io.many import jobs
from ..io.sidecar import COMMAND
from ..progress import ProgressBar
from ..tables.files import STANDARD_STREAM
from ..tables.regions import table_path
from ..viewing.page import open_file
from ..viewing.scene import alone
from . import cohort, gathering  # noqa: F401  they add their verbs
from .shell import FAILED, INTERRUPTED, OK, USAGE, NewPath, app, complain, executor_of, say

if TYPE_CHECKING:
    from ..atlas.choice import Chosen
    from ..io.kinds import Painted
    from ..signals import Long, Signals
    from ..viewing.scene import Scene

# The line that says what was painted names so many maps.
_SHOWN_MAPS = 3

atlas_app = App(name="atlas", help="Choose, group and merge the regions of atlases.")
app.command(atlas_app)


def _check_is_no_option(_: object, value: str) -> None:
    """Blame an option that nobody knows, rather than the arguments after it."""
    is_option = value.removeprefix("-") not in (value, "")
    if is_option and not os.path.exists(value):  # noqa: PTH110  False for names no file can have
        raise ValueError("There is no such option, and no file of this name.")


# What several verbs take is described here once; the rest is in their docstrings.
Values = Annotated[
    str,
    Parameter(
        allow_leading_hyphen=True,  # "-" looks like an option and is none
        validator=_check_is_no_option,
        help="Table of values (.tsv, .csv, .txt, .1D, .stats, .parquet, .npy), or - for standard "
        "input.",
    ),
]
Atlas = Annotated[
    str,
    Parameter(
        help=(
            "Labels image: one integer per voxel, vertex or grayordinate. The two hemispheres of a "
            'surface are "lh.annot,rh.annot", or "?h.annot".'
        )
    ),
]
Seen = Annotated[
    str,
    Parameter(
        name="values",
        allow_leading_hyphen=True,
        validator=_check_is_no_option,
        help="Table of values as paint takes it; or an image, of which the mean of each region is "
        "shown; or a labels image alone, whose regions are shown in their own colours.",
    ),
]
AtlasOfSeen = Annotated[str | None, Parameter(help="Labels image, as paint takes it.")]
By = Annotated[
    str,
    Parameter(
        help="What identifies a region: auto, name, label, position, or a column of the region "
        "table; where regions share a cell of it, a value goes to all of them."
    ),
]
KeyColumn = Annotated[
    str | None,
    Parameter(help="Title of the column of VALUES that names the regions; found when not given."),
]
Columns = Annotated[
    list[str] | None,
    Parameter(
        help="Title of a column of VALUES to paint; give it once per column. When not given, all "
        "of numbers, other than labels."
    ),
]

Strip = Annotated[
    list[str] | None,
    Parameter(
        help="What to cut from the beginning and end of keys and titles, such as _thickness; give "
        "it once per text."
    ),
]


def _number(_: object, tokens: Sequence[Token]) -> float:
    """Return an argument as an integer where it is one: floats end at 2**53."""
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        return float(text)


def _label(_: object, tokens: Sequence[Token]) -> float:
    """Return a label; who means an image is told of the option for that."""
    try:
        return _number(_, tokens)
    except ValueError:
        raise ValueError(
            "The label of no region is a number. The image behind slices is --backdrop."
        ) from None


NoSidecar = Annotated[
    bool,
    Parameter(
        name="--no-sidecar",
        help="Write no JSON beside the output: repetition time, names of maps, sources, atlas.",
    ),
]


def _size(_: object, tokens: Sequence[Token]) -> float | tuple[float, ...]:
    """Return a width, or width and height."""
    edges = tuple(map(float, tokens[0].value.split(",")))
    return edges if len(edges) > 1 else edges[0]


_SIZE = Parameter(converter=_size)

Number = Annotated[float, Parameter(converter=_number)]
Output = Annotated[NewPath, Parameter(name=["--output", "-o"])]
TableOutput = Annotated[NewPath, Parameter(name=["--output", "-o"], allow_leading_hyphen=True)]
AtlasOutput = Annotated[
    NewPath,
    Parameter(
        name=["--output", "-o"],
        help="Labels image to write, with the table of its regions: .nii.gz or .nii and .tsv; of "
        "vertices .label.gii, one file per hemisphere; of grayordinates .dlabel.nii.",
    ),
]
Where = Annotated[
    list[str] | None,
    Parameter(
        help="COLUMN=VALUE: regions with this cell in a column of the region table, instead of "
        "their names. Given several times, all have to hold."
    ),
]
Overwrite = Annotated[bool, Parameter(help="Replace outputs that exist.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Reading:
    """How the labels of ATLAS are read: options of every verb, in Python of `load_parcellation`.

    Parameters
    ----------
    regions
        Region table, or none; the one beside or inside ATLAS when not given.
    background
        Label of no region in ATLAS, nan when there is none; 0 when not given, and on surfaces
        and in CIFTI what is named so.
    label_map
        Name or number, from 0, of the map of a .dlabel.nii or .label.gii with several, or of the
        labels of an OME-Zarr image.
    level
        Resolution of an OME-Zarr: 0 is the finest.
    """

    regions: str | None = None
    background: Annotated[float | None, Parameter(converter=_label)] = None
    label_map: str | None = None
    level: int = 0

    def of(self, atlas: str, *, mask: str | None = None, strict: bool = False) -> Parcellation:
        """Return the parcellation of a labels image, and say where its regions have no names."""
        with ProgressBar("finding labels") as progress:
            parcellation = api.load_parcellation(
                atlas,
                self.regions,
                mask=mask,
                background=self.background,
                strict=strict,
                label_map=self.label_map,
                level=self.level,
                progress=progress,
            )
        if self.regions is None and not parcellation.table.has_names:
            complain(
                f"note: no names of regions were found in {atlas} or beside it, so they are called "
                "by their labels; --regions TABLE names them, --regions none says that this is "
                "meant"
            )
        return parcellation


_AS_USUAL = Reading()


@Parameter(name="*")
@dataclass(frozen=True)
class Looking:
    """What is shown and how: options of `view` and `plot`, with the names that Python has for them.

    Parameters
    ----------
    by
        What identifies a region in VALUES: auto, name, label, position, or a column of the region
        table; where regions share a cell of it, a value goes to all of them.
    key, columns, strip
        As in paint.
    missing
        What to do with a region that has voxels and no value; fill shows it as n/a.
    extra
        What to do with a value that has no region.
    categories
        Whether values are text, shown as categories.
    t_r
        Repetition time in seconds, for time series.
    resample
        Bring the labels to the grid of IMAGE, by nearest neighbour.
    backdrop
        Image to show behind the regions in slices, such as a T1; or mni152, the template that comes
        with nilearn. In Python: background.
    mesh
        Geometry of surfaces, "lh.pial,rh.pial" or "?h.surf.gii"; or pial, inflated, white or
        sphere of fsaverage5, which comes with nilearn.
    title
        Title; the name of the file when not given.
    unit
        Unit of the values, such as z.
    cmap
        diverging, sequential or grey; colours from low to high, "#ffffff,#b2303a"; or a colour map
        of matplotlib.
    vmin
        Value at the low end of the colours.
    vmax
        Value at the high end.
    threshold
        Values nearer to 0 are shown as below the threshold.
    """

    by: By = "auto"
    key: KeyColumn = None
    columns: Columns = None
    strip: Strip = None
    missing: Literal["raise", "fill"] = "raise"
    extra: Literal["raise", "ignore"] = "raise"
    categories: bool = False
    t_r: float | None = None
    resample: Literal["labels"] | None = None
    backdrop: str | None = None
    mesh: str | None = None
    title: str | None = None
    unit: str = ""
    cmap: str | None = None
    vmin: Number | None = None
    vmax: Number | None = None
    threshold: Number | None = None

    def options(self) -> dict[str, Any]:
        """Return the arguments of the function in Python."""
        said = vars(self) | {"background": self.backdrop}
        del said["backdrop"]
        if self.cmap is not None and "," in self.cmap:
            said["cmap"] = self.cmap.split(",")
        return said


_PLAINLY = Looking()


@app.command
def paint(
    values: Values,
    atlas: Atlas,
    /,
    *,
    output: Output,
    by: By = "auto",
    key: KeyColumn = None,
    columns: Columns = None,
    strip: Strip = None,
    missing: Literal["raise", "fill"] = "raise",
    extra: Literal["raise", "ignore"] = "raise",
    fill: Number = 0,
    dtype: str | None = None,
    mask: str | None = None,
    t_r: float | None = None,
    reading: Reading = _AS_USUAL,
    onto: str | None = None,
    categories: bool = False,
    as_: Annotated[Literal["voxels", "properties"], Parameter(name="--as")] = "voxels",
    no_sidecar: NoSidecar = False,
    overwrite: Overwrite = False,
) -> int:
    """Paint region values into an image: every voxel of a region gets the region's value.

    For example:

    regioncast paint values.tsv atlas_dseg.nii.gz -o map.nii.gz

    regioncast paint series.csv atlas.nii.gz -o bold.nii.gz --t-r 2

    regioncast paint group.tsv atlas.nii.gz -o 'maps/{map}.nii.gz'

    regioncast paint values.tsv atlas.ome.zarr -o map.ome.zarr

    cut -f 1,3 stats.tsv | regioncast paint - atlas.nii.gz -o map.nii.gz

    Parameters
    ----------
    output
        Image to write. Of voxels: .nii.gz, .nii, .mgz, .mgh (these two with --dtype float32). Of
        vertices: .func.gii, .shape.gii, .mgh, .npy and others, one file per hemisphere. Of
        voxels that need not fit into memory: .ome.zarr, with the labels. Of
        grayordinates: .dscalar.nii, .dtseries.nii. Of parcels: .pscalar.nii, .ptseries.nii. With
        {map} in it, one for each map, called by its name, in a folder that is made.
    missing
        What to do with a region that has voxels and no value.
    extra
        What to do with a value that has no region.
    fill
        Value where there is no region; nan for floats.
    dtype
        Dtype of the image, such as float32; that of the values when not given.
    mask
        Image; voxels where it is zero get the fill value.
    t_r
        Repetition time in seconds, for time series.
    onto
        Image whose grayordinates, vertices or voxels to paint, where they are not ATLAS's own:
        a CIFTI file with the same meshes.
    categories
        Paint text as the labels of categories, whose names and colours are written to the .tsv
        beside .nii.gz, to .label.gii or to .dlabel.nii.
    as_
        properties: write no voxel, but the values as properties and colours of the labels: into
        the .ome.zarr that has them (with --overwrite), or for neuroglancer to info or .json.
    """
    start = time.perf_counter()
    _check_painting(output, as_, overwrite=overwrite, categories=categories)
    image = api.paint(
        values, reading.of(atlas), by=by, key=key, columns=columns, strip=strip,
        missing=missing, extra=extra, fill=fill, dtype=dtype, mask=mask, t_r=t_r, onto=onto,
        categories=categories,
    )  # fmt: skip
    with ProgressBar(f"writing {output.name}") as progress:
        saved = api.save(
            image, output, overwrite=overwrite, sidecar=not no_sidecar, as_=as_,
            progress=progress,
        )  # fmt: skip
    seconds = time.perf_counter() - start
    written = (saved,) if isinstance(saved, Path) else saved
    names = str(output) if len(written) > 2 else ", ".join(map(str, written))
    say(f"{names}: {_summary(image)}, {_bytes(*written)}, {seconds:.2f} s")
    return OK


def _check_painting(output: Path, as_: str, *, overwrite: bool, categories: bool) -> None:
    """Raise where what is painted cannot be written under this name."""
    if as_ == "properties":
        check_properties_output(output, overwrite=overwrite)
    elif family_of(output) == "zarr" and not is_template(output):
        check_store_output(output, overwrite=overwrite)
    else:
        check_image_output(output, overwrite=overwrite, categories=categories)


@app.command(usage="Usage: regioncast extract IMAGE... ATLAS --output PATH [OPTIONS]")
def extract(
    *inputs: str,
    output: TableOutput,
    strategy: str = "mean",
    nan: Literal["omit", "propagate", "zero"] = "omit",
    mask: str | None = None,
    weights: str | None = None,
    min_coverage: float | None = None,
    resample: Literal["labels"] | None = None,
    by: str | None = None,
    confounds: list[str] | None = None,
    confound_columns: list[str] | None = None,
    standardize: Literal["zscore_sample", "psc"] | None = None,
    detrend: bool = False,
    low_pass: float | None = None,
    high_pass: float | None = None,
    t_r: float | None = None,
    n_jobs: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    reading: Reading = _AS_USUAL,
    coverage: NewPath | None = None,
    long: bool = False,
    tidy: bool = False,
    no_sidecar: NoSidecar = False,
    overwrite: Overwrite = False,
) -> int:
    """Extract region signals from images: one number per region and map.

    For example:

    regioncast extract bold.nii.gz atlas_dseg.nii.gz -o signals.tsv --coverage coverage.tsv

    regioncast extract 'sub-*/stat.nii.gz' atlas.nii.gz -o subjects.csv --strategy median

    regioncast extract 'sub-*/**/bold.nii.gz' atlas.nii.gz -o 'out/{sub}_{name}.tsv'

    regioncast extract map.nii.gz atlas.nii.gz -o - | regioncast paint - atlas.nii.gz -o mean.nii.gz

    regioncast extract bold.nii.gz atlas.nii.gz -o clean.tsv --confounds confounds.tsv
    --confound-columns 'trans_?' --confound-columns 'rot_?' --high-pass 0.008 --detrend

    regioncast extract brain.ome.zarr brain.ome.zarr -o means.tsv --level 1 --workers 8

    Parameters
    ----------
    inputs
        IMAGE... ATLAS: images, 3D or 4D, surfaces or CIFTI files, or patterns with * in quotes
        (** for any folders), all one series; and last the labels image.
    output
        Table to write: .tsv, .csv, .npy or .parquet; - for TSV on standard output; .pscalar.nii
        or .ptseries.nii of surfaces and CIFTI. With fields, one for each image, in folders that
        are made: {name} is its name without the ending, {sub}, {ses}, {task}, ... are sub-01,
        ses-1, ... of its name and folders.
    strategy
        mean, median, sum, minimum, maximum, variance, standard_deviation, count, mode,
        percentile:Q, or first_eigenvariate.
    nan
        What becomes of voxels that are NaN or infinite: left out, kept, or taken as 0.
    mask
        Image; voxels where it is zero are no region.
    weights
        Image of weights of the voxels, for mean, sum, variance and standard_deviation.
    min_coverage
        Regions with data in less than this fraction of their voxels are missing.
    resample
        Bring the labels to the grid of the image, by nearest neighbour.
    by
        A column of the region table, such as network: regions with the same cell are one.
    confounds
        Table with a column per confound and a row per map, to take out of mean or sum (needs
        nilearn, as do the next five); give it once per 4D image.
    confound_columns
        Title of a confound to take out, or a pattern with * or ?; give it once per column. When
        not given, all.
    standardize
        Signals with mean 0 and standard deviation 1, or in percent of their mean.
    detrend
        Take out linear trends.
    low_pass
        Frequency in Hz, above which all is taken out.
    high_pass
        Frequency in Hz, below which all is taken out.
    t_r
        Repetition time in seconds; that of the image when not given.
    n_jobs
        Number of threads; all processors when not given, or -1.
    workers
        Number of processes for one image in chunks (OME-Zarr, Zarr, large .nii), instead of
        threads. For many images there is batch.
    scheduler
        Address of a Dask scheduler, tcp://HOST:8786, whose workers do the same.
    coverage
        Table to write with the voxels and data of each region: .tsv, .csv or .parquet.
    long
        Write one row per region instead of one per map.
    tidy
        Write one row per map and region, with columns of who and when (sub, task, volume).
    """
    start = time.perf_counter()
    if len(inputs) < 2:
        complain("extract needs IMAGE... and ATLAS; see extract --help")
        return USAGE
    *images, atlas = inputs
    templates = list(filter(None, [output, coverage]))
    # A list is a series, even of one image, which by itself may be none.
    runs = jobs(images[0] if len(images) == 1 else images, templates)
    layout: Long = "tidy" if tidy else long
    for run in runs:
        _check_extraction(*run.outputs, overwrite=overwrite, long=layout)
    confounds_of_runs = _confounds_of(confounds, len(runs))
    parcellation = reading.of(atlas)
    lines = []
    try:
        with executor_of(workers, scheduler) as executor, ProgressBar("extracting") as progress:
            for number, run in enumerate(runs, start=1):
                signals = api.extract(
                    run.source, parcellation, strategy=strategy, nan=nan, mask=mask,
                    weights=weights, min_coverage=min_coverage, resample=resample, by=by,
                    confounds=confounds_of_runs[number - 1], confound_columns=confound_columns,
                    standardize=standardize, detrend=detrend, low_pass=low_pass,
                    high_pass=high_pass, t_r=t_r, n_jobs=n_jobs,
                    executor=executor,
                    progress=progress if len(runs) == 1 else None,
                )  # fmt: skip
                _save_extracted(
                    signals, *run.outputs, overwrite=overwrite, long=layout, sidecar=not no_sidecar
                )
                if len(runs) > 1:
                    progress(number, len(runs))
                if str(output) != STANDARD_STREAM:
                    seconds = time.perf_counter() - start
                    lines.append(_summary_of_signals(signals, run.outputs[0], strategy, seconds))
                start = time.perf_counter()
    finally:
        # Not before the progress bar is gone; and of what was written before an error, too.
        for line in lines:
            say(line)
    return OK


def _confounds_of(confounds: list[str] | None, n_runs: int) -> list[list[str] | None]:
    """Return the confounds of each run: all of the only one, else those of its image."""
    if confounds is None or n_runs == 1:
        return [confounds] * n_runs
    if len(confounds) != n_runs:
        raise ArgumentError(
            f"Each image needs its own confounds, and --confounds gives {len(confounds):,} for "
            f"{plural(n_runs, 'image')}. Give it once for each, in their order."
        )
    return [[path] for path in confounds]


def _save_extracted(
    signals: Signals,
    output: Path,
    coverage: Path | None = None,
    *,
    overwrite: bool,
    long: Long,
    sidecar: bool,
) -> None:
    """Save signals, and their coverage where it is asked for."""
    api.save(signals, output, overwrite=overwrite, long=long, sidecar=sidecar)
    if coverage is not None:
        assert signals.coverage is not None, "freshly extracted signals know their coverage"
        api.save(signals.coverage, coverage, overwrite=overwrite)


def _check_extraction(
    output: Path, coverage: Path | None = None, *, overwrite: bool, long: Long
) -> None:
    """Raise where what is extracted cannot be written under these names."""
    check_table_output(output, overwrite=overwrite, long=long)
    if coverage is None:
        return
    check_table_output(coverage, "coverage", overwrite=overwrite)
    if str(output) != STANDARD_STREAM and output.resolve() == coverage.resolve():
        raise ArgumentError(
            f"Signals and coverage cannot both be written to {output}. Give --coverage another "
            "name."
        )


@app.command
def match(
    values: Values,
    atlas: Atlas,
    /,
    *,
    by: By = "auto",
    key: KeyColumn = None,
    columns: Columns = None,
    strip: Strip = None,
    missing: Literal["raise", "fill"] = "raise",
    extra: Literal["raise", "ignore"] = "raise",
    categories: bool = False,
    reading: Reading = _AS_USUAL,
    json: bool = False,
) -> int:
    """Show what would go where, without painting. Exits with 1 where paint would refuse.

    For example:

    regioncast match values.tsv atlas_dseg.nii.gz

    regioncast match values.tsv atlas_dseg.nii.gz --json

    Parameters
    ----------
    missing
        Whether a region that has voxels and no value is a failure.
    extra
        Whether a value that has no region is a failure.
    categories
        Whether values are text, painted as the labels of categories.
    json
        Print JSON.
    """
    report = api.match(
        values, reading.of(atlas), by=by, key=key, columns=columns, strip=strip,
        categories=categories,
    )  # fmt: skip
    _print_json(report.to_dict()) if json else say(report)
    try:
        report.check(missing, extra)
    except MatchError:  # whose message is what was printed
        return FAILED
    return OK


@app.command(
    usage=(
        "Usage: regioncast view VALUES|IMAGE ATLAS --output PATH [OPTIONS]\n"
        "       regioncast view ATLAS --output PATH [OPTIONS]"
    )
)
def view(
    values: Seen,
    atlas: AtlasOfSeen = None,
    /,
    *,
    output: Output,
    looking: Looking = _PLAINLY,
    reading: Reading = _AS_USUAL,
    open_it: Annotated[bool, Parameter(name="--open")] = False,
    overwrite: Overwrite = False,
) -> int:
    """Show regions and their values in a page for a browser: one file, which needs no network.

    For example:

    regioncast view values.tsv atlas_dseg.nii.gz -o map.html --unit z --open

    regioncast view stat_map.nii.gz atlas_dseg.nii.gz -o means.html --resample labels

    regioncast view atlas_dseg.nii.gz -o atlas.html

    Parameters
    ----------
    output
        Page to write: .html.
    open_it
        Open the page in the browser.
    """
    start = time.perf_counter()
    check_output_of(output, "page", overwrite=overwrite)
    page = api.view(*_seen(values, atlas, reading), **looking.options())
    page.save_as_html(output, overwrite=overwrite)
    seconds = time.perf_counter() - start
    say(f"{output}: {_summary_of_scene(page.scene)}, {_bytes(output)}, {seconds:.2f} s")
    if open_it:
        open_file(output)
    return OK


# Along an edge of a figure: two metres in print, and as much memory as a computer has.
_MOST_PIXELS = 25_000


@app.command(
    usage=(
        "Usage: regioncast plot VALUES|IMAGE ATLAS --output PATH [OPTIONS]\n"
        "       regioncast plot ATLAS --output PATH [OPTIONS]"
    )
)
def plot(
    values: Seen,
    atlas: AtlasOfSeen = None,
    /,
    *,
    output: Output,
    kind: Literal["auto", "slices", "surface", "ranked"] = "auto",
    maps: Annotated[list[str] | None, Parameter(name="--map")] = None,
    cuts: list[str] | None = None,
    views: list[str] | None = None,
    looking: Looking = _PLAINLY,
    theme: Literal["light", "dark"] = "light",
    size: Annotated[float | tuple[float, float] | None, _SIZE] = None,
    dpi: float = 200,
    transparent: bool = False,
    no_colorbar: bool = False,
    reading: Reading = _AS_USUAL,
    overwrite: Overwrite = False,
) -> int:
    """Show regions and their values in a figure: slices, surfaces, or bars of the extremes.

    For example:

    regioncast plot values.tsv atlas_dseg.nii.gz -o map.png --unit z

    regioncast plot group.tsv atlas_dseg.nii.gz -o map.svg --map sub-01 --cuts z=-10,5,20

    Parameters
    ----------
    output
        Figure to write: .png, .svg or .pdf. Needs matplotlib.
    kind
        Slices of voxels, meshes of surfaces or of voxels, or the highest and lowest values as bars.
    maps
        Name or number, from 0, of a map to show; give it once per map. When not given, all.
    cuts
        Number of slices; or x=, y= or z= with a number of slices, or with several mm: z=-10,5,20.
        Give it once per direction.
    views
        lateral, medial, superior, inferior, anterior or posterior; give it once per view.
    theme
        Colours of background and text.
    size
        Width, or width and height, in inches: 7 or 7,4.
    dpi
        Dots per inch.
    transparent
        Leave out what is behind.
    no_colorbar
        Leave out the bar or the list that tells what colours mean.
    """
    start = time.perf_counter()
    if not 0 < dpi < math.inf:
        raise ArgumentError(f"--dpi is a number of dots per inch, above 0, not {dpi:g}.")
    check_output_of(output, "figure", overwrite=overwrite)
    figure = api.plot(
        *_seen(values, atlas, reading), **looking.options(), kind=kind, maps=maps,
        cuts=_cuts(cuts), views=views, theme=theme, size=size, transparent=transparent,
        colorbar=not no_colorbar,
    )  # fmt: skip
    width, height = figure.get_size_inches()
    if not 1 <= min(width, height) * dpi <= max(width, height) * dpi <= _MOST_PIXELS:
        raise ArgumentError(
            f"A figure of {width:.3g}×{height:.3g} inches with {dpi:g} dots per inch has "
            f"{width * dpi:,.0f}×{height * dpi:,.0f} dots; it may have 1 to {_MOST_PIXELS:,} along "
            "an edge. Choose another --size or --dpi."
        )
    with replacing(output, overwrite=overwrite) as temporary:
        figure.savefig(temporary, dpi=dpi)
    seconds = time.perf_counter() - start
    say(f"{output}: {width:.3g}×{height:.3g} inches, {_bytes(output)}, {seconds:.2f} s")
    return OK


def _cuts(texts: Sequence[str] | None) -> int | dict[str, int | list[float]] | None:
    """Return how many slices there are, or by direction how many or at which mm."""
    cuts: dict[str, int | list[float]] = {}
    for text in texts or ():
        letter, _, at = text.rpartition("=")
        try:
            cuts[letter] = int(at) if at.isdecimal() else [float(mm) for mm in at.split(",")]
        except ValueError:
            raise ArgumentError(
                f"--cuts {text}: give a number of slices, 5 or z=5, or some mm, z=-10,5,20."
            ) from None
    count = cuts.get("")
    return count if isinstance(count, int) and len(cuts) == 1 else cuts or None


def _seen(values: str, atlas: str | None, reading: Reading) -> tuple[Any, ...]:
    """Return what is shown: values or an image with their regions, or an atlas alone."""
    if atlas is not None:
        return values, reading.of(atlas)
    with alone():
        return (reading.of(values),)


def _summary_of_scene(scene: Scene) -> str:
    """Return in how many regions there are values, of how many maps; or which atlas it is."""
    if scene.show == "atlas":
        return scene.about[0]
    return f"{scene.about[0]}, {plural(scene.n_maps, 'map')}"


@app.command
def info(
    atlas: Atlas,
    /,
    *,
    reading: Reading = _AS_USUAL,
    mask: str | None = None,
    strict: bool = False,
    json: bool = False,
) -> int:
    """Show the regions of an atlas: label, name, voxels, volume and centroid.

    For example:

    regioncast info atlas_dseg.nii.gz

    regioncast info aparc+aseg.mgz --regions FreeSurferColorLUT.txt --json

    Parameters
    ----------
    mask
        Image; voxels where it is zero are no region.
    strict
        Fail where region table and image do not list the same regions.
    json
        Print JSON.
    """
    parcellation = reading.of(atlas, mask=mask, strict=strict)
    _print_json(_description(parcellation)) if json else say(parcellation.to_text())
    return OK


@atlas_app.command
def select(
    atlas: Atlas,
    /,
    *regions: str,
    output: AtlasOutput,
    where: Where = None,
    reading: Reading = _AS_USUAL,
    overwrite: Overwrite = False,
) -> int:
    """Keep some regions of an atlas; everything else becomes no region.

    For example:

    regioncast atlas select atlas_dseg.nii.gz --where network=Vis -o visual_dseg.nii.gz

    regioncast atlas select aseg.mgz 10 49 -o thalamus.nii.gz

    Parameters
    ----------
    regions
        Names or labels.
    """
    parcellation = reading.of(atlas)
    chosen = parcellation.select(_chosen(parcellation, regions, where))
    return _save_atlas(chosen, output, overwrite=overwrite)


@atlas_app.command
def drop(
    atlas: Atlas,
    /,
    *regions: str,
    output: AtlasOutput,
    where: Where = None,
    reading: Reading = _AS_USUAL,
    overwrite: Overwrite = False,
) -> int:
    """Leave out some regions of an atlas, which become no region.

    Parameters
    ----------
    regions
        Names or labels.
    """
    parcellation = reading.of(atlas)
    rest = parcellation.drop(_chosen(parcellation, regions, where))
    return _save_atlas(rest, output, overwrite=overwrite)


@atlas_app.command
def group(
    atlas: Atlas,
    column: str,
    /,
    *,
    output: AtlasOutput,
    reading: Reading = _AS_USUAL,
    overwrite: Overwrite = False,
) -> int:
    """Make one region of all that have the same cell in a column of the region table.

    For example:

    regioncast atlas group atlas_dseg.nii.gz network -o networks_dseg.nii.gz

    Parameters
    ----------
    column
        Title of the column, such as network or hemisphere.
    """
    return _save_atlas(reading.of(atlas).group(column), output, overwrite=overwrite)


@atlas_app.command(usage="Usage: regioncast atlas merge ATLAS ATLAS... --output PATH [OPTIONS]")
def merge(
    *atlases: str,
    output: AtlasOutput,
    overlap: Literal["raise", "first", "last"] = "raise",
    overwrite: Overwrite = False,
) -> int:
    """Make one atlas of several on the same grid, mesh or grayordinates.

    For example:

    regioncast atlas merge cortex_dseg.nii.gz subcortex_dseg.nii.gz -o both_dseg.nii.gz

    Parameters
    ----------
    atlases
        Labels images, two or more. A label that an earlier one has, too, becomes a new one.
    overlap
        What becomes of voxels that several have: an error, or they go to the first or the last.
    """
    return _save_atlas(api.merge(*atlases, overlap=overlap), output, overwrite=overwrite)


@app.command
def demo(folder: NewPath = Path("regioncast-demo"), /, *, overwrite: bool = False) -> int:
    """Put the files of the documentation into a folder, and do the main job on them.

    For example:

    regioncast demo my-folder

    Parameters
    ----------
    folder
        Where to write; made if it does not exist. README.md and docs/ work on its files.
    overwrite
        Replace files of the same names.
    """
    from ..data.examples import write_examples  # which takes long, and is for this verb alone

    make_folder(folder)
    output, table = folder / "motor_left-vs-right.nii.gz", folder / "motor_left-vs-right.tsv"
    page = folder / "motor_left-vs-right.html"
    # Before the examples are written, which takes longer than to say no.
    check_image_output(output, overwrite=overwrite)
    check_table_output(table, overwrite=overwrite)
    check_output_of(page, "page", overwrite=overwrite)
    files = write_examples(folder, overwrite=overwrite)
    start = time.perf_counter()
    atlas = folder / "atlas_dseg.nii.gz"
    image = api.paint(folder / "values.tsv", atlas)
    api.save(image, output, overwrite=overwrite)
    seconds = time.perf_counter() - start
    assert image.match is not None, "a freshly painted image knows its match"
    say("Left against right finger movement (z), painted onto the Schaefer atlas of 100 regions")
    say(image.match)
    say("\n".join(_extremes(image.match.take())))
    say(f"wrote    {output}, {_bytes(output)}, {seconds:.2f} s")
    start = time.perf_counter()
    signals = api.extract(folder / "stat_map.nii.gz", atlas, resample="labels")
    api.save(signals, table, overwrite=overwrite, long=True)
    seconds = time.perf_counter() - start
    say("\nThe same regions' mean in the statistic map, on its own grid of 3 mm")
    say("\n".join(_extremes(signals)))
    say(f"wrote    {_summary_of_signals(signals, table, 'mean', seconds)}")
    title = "Left against right finger movement"
    api.view(image, title=title, unit="z").save_as_html(page, overwrite=overwrite)
    say(f"\nFor the blocks of README.md and docs/: cd {folder} ({plural(len(files), 'file')})")
    say(f"\nThe painted map, to be looked at in a browser: {page}")
    return OK


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 done, 1 failed, 2 wrong usage.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Those of the process when not given.
    """
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    # What comes after -- is no option: a file may have that name.
    options = tokens[: tokens.index("--")] if "--" in tokens else tokens
    COMMAND.set(["regioncast", *tokens])
    debug = "--debug" in options
    if debug:
        tokens.remove("--debug")
    _prepare_streams()
    _prepare_signals()
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: complain(f"warning: {message}")
        try:
            code = int(app(tokens, exit_on_error=False, print_error=False) or OK)
            sys.stdout.flush()
        except CycloptsError as error:
            complain(f"{str(error).rstrip('.')}. See --help.")
            _say_what_is_left(error, options)
            return USAGE
        except BrokenPipeError:  # the reader of our output left, as head does
            _drop_output()
            return FAILED
        except KeyboardInterrupt:
            complain("interrupted")
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001  nobody above would say it
            _report(error, debug=debug)
            # Of a cohort, 1 says that all others were done.
            return USAGE if isinstance(error, JobsError) else FAILED
        return code


def _say_what_is_left(error: CycloptsError, options: Sequence[str]) -> None:
    """Say why an argument is left over, where one may have been meant for the option before it."""
    is_left = isinstance(error, UnusedCliTokensError)
    if is_left and {"--columns", "--strip"}.intersection(options):
        complain(
            "an option takes one value; give --columns and --strip once for each, as in "
            "--columns t --columns p"
        )


def _prepare_streams() -> None:
    """Open what the shell closed (``>&-``), and let the others print whatever comes."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115  for the whole run
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the terminal cannot show is no reason to fail.
        sys.stdout.reconfigure(errors="replace")


def _prepare_signals() -> None:
    """End as an exception does when asked to, so that files half written are removed."""
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # unless under nohup
        signal.signal(signal.SIGHUP, _terminate)


def _report(error: Exception, *, debug: bool) -> None:
    """Say in one message what went wrong, or with `debug` where."""
    if debug:
        say(traceback.format_exc().rstrip(), file=sys.stderr)
        return
    if isinstance(error, RegioncastError):
        message = str(error)
    elif isinstance(error, OSError) and error.filename is None:
        message = f"Writing to standard output failed: {error.strerror}."
    elif isinstance(error, MemoryError):
        reason = f" ({error})" if str(error) else ""
        message = f"There is not enough memory{reason}. Free some, or work on fewer maps at a time."
    else:
        message = (
            f"unexpected {type(error).__name__}: {error}. Run again with --debug and report the "
            "traceback."
        )
    complain(message)
    if isinstance(error, OSError) and not isinstance(error, RegioncastError):
        _drop_output()


def _drop_output() -> None:
    """Forget what could not be printed; at exit, Python would try again and complain."""
    with contextlib.suppress(io.UnsupportedOperation):  # output that is captured
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _terminate(number: int, _: object) -> None:
    sys.exit(128 + number)


def _print_json(content: dict[str, Any]) -> None:
    strict = _without_infinity(content)
    text = json.dumps(strict, indent=2, ensure_ascii=False, default=str, allow_nan=False)
    say(text, json.dumps)  # whose escapes mean the same


def _without_infinity(content: Any) -> Any:
    """Return content with None for floats that JSON does not have."""
    if isinstance(content, dict):
        return {key: _without_infinity(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_infinity(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def _description(parcellation: Parcellation | ChunkedParcellation) -> dict[str, Any]:
    if isinstance(parcellation, ChunkedParcellation):
        return parcellation.to_dict()
    space = parcellation.space
    regions = parcellation.table.to_records()
    counts = parcellation.counts.tolist()
    described = []
    for region, n_samples in zip(regions, counts, strict=True):
        described.append({**region, space.nouns: n_samples})
    if isinstance(space, VolumeGrid):
        for region, centroid in zip(described, parcellation.centroids.tolist(), strict=True):
            region["volume_mm3"] = region[space.nouns] * space.voxel_volume
            region["centroid_mm"] = centroid if np.isfinite(centroid).all() else None
    return {
        "n_regions": len(parcellation),
        "shape": list(space.shape),
        **space.extent,
        "regions": described,
    }


def _summary(image: Painted | PaintedChunks) -> str:
    """Return what was painted: how many values, into how many regions, and which maps."""
    match, atlas = image.match, image.parcellation
    assert match is not None, "a freshly painted image knows its match"
    assert atlas is not None, "and its regions"
    columns = match.columns[match.columns >= 0]
    division = ""
    if isinstance(atlas, Parcellation):
        # What counts is what reached samples: a mask may have emptied a region that has a value.
        columns = match.columns[(match.columns >= 0) & (atlas.counts > 0)]
        division = _division(atlas)
    shape, dtype = _shape_and_dtype(image)
    n_painted = len(np.unique(columns))
    values = plural(match.signals.n_regions, "value")
    if n_painted < match.signals.n_regions:
        values = f"{n_painted:,} of {values}"
    maps = plural(match.signals.n_maps, "map")
    if match.signals.map_names is not None:
        maps += f" ({examples(match.signals.map_names, show=_SHOWN_MAPS)})"
    if image.categories is not None:
        maps = plural(len(image.categories), "category")
        n_without = int(np.count_nonzero(match.signals.values[0][np.unique(columns)] == 0))
        maps += f" ({plural(n_without, 'value')} of none)" if n_without else ""
    return (
        f"{values} painted into {len(columns):,} of {plural(match.n_regions, 'region')} "
        f"by {match.by}, {maps}, {times(shape)} {dtype}{division}"
    )


def _shape_and_dtype(image: Painted | PaintedChunks) -> tuple[tuple[int, ...], Any]:
    """Return the shape of a painted image, x first, with the number of maps; and its dtype."""
    if not isinstance(image, PaintedChunks):
        assert isinstance(image.dataobj, PaintedArray), "what is freshly painted is not made yet"
        return image.shape, image.dataobj.dtype
    space = image.parcellation.space
    return (*space.shape, *([] if image.axis.single else [image.n_maps])), image.dtype


def _summary_of_signals(signals: Signals, output: Path, strategy: str, seconds: float) -> str:
    # A region without a voxel, or with too few, is NaN in every map.
    has_data = ~np.isnan(signals.values).all(axis=0)
    return (
        f"{output}: {strategy} of {np.count_nonzero(has_data)} of {signals.n_regions} regions, "
        f"{plural(signals.n_maps, 'map')}{_division(signals.parcellation)}, {_bytes(output)}, "
        f"{seconds:.2f} s"
    )


def _chosen(
    parcellation: Parcellation, regions: Sequence[str], where: Sequence[str] | None
) -> Chosen:
    """Return the regions that were named, or a function that tells those that were described."""
    if bool(regions) == bool(where):
        raise ArgumentError("Give either names or labels of regions, or --where COLUMN=VALUE.")
    if not where:
        return list(regions)
    table, wanted = parcellation.table, []
    columns = {"label": table.labels.tolist(), "name": table.names, **table.other_columns}
    for condition in where:
        title, _, value = condition.partition("=")
        cells = list(dict.fromkeys(map(str, columns.get(title, ()))))
        if value not in cells:
            there_are = examples(cells) if cells else f"the columns are {examples(columns)}"
            raise ArgumentError(f"No region has --where {condition}; {there_are}.")
        wanted.append((title, value))
    return lambda region: all(str(region[title]) == value for title, value in wanted)


def _save_atlas(atlas: Parcellation, output: Path, *, overwrite: bool) -> int:
    saved = api.save(atlas, output, overwrite=overwrite)
    written = [saved] if isinstance(saved, Path) else list(saved)
    if isinstance(atlas.space, VolumeGrid) and family_of(written[0]) != "zarr":
        written.append(table_path(written[0]))
    names = ", ".join(map(str, written))
    say(f"{names}: {plural(len(atlas), 'region')}, {atlas.space.description}")
    return OK


def _division(atlas: Parcellation | None) -> str:
    """Return that one vector was taken for both hemispheres, where it was."""
    if atlas is None or not came_as_one_vector(atlas.space):
        return ""
    return f", from one vector, left first: {atlas.space.description}"


def _extremes(signals: Signals, show: int = 5) -> list[str]:
    """Return lines with the regions of the highest and the lowest values."""
    values, names = signals.values[0], signals.keys or ()
    order = np.argsort(values)
    highest = [f"{values[at]:10.3f}  {names[at]}" for at in order[::-1][:show]]
    lowest = [f"{values[at]:10.3f}  {names[at]}" for at in order[:show]]
    return ["highest", *highest, "lowest", *lowest]


def _size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if not path.is_dir():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _bytes(*paths: Path) -> str:
    size = sum(map(_size_of, paths))
    if size < 1e3:
        return f"{size} bytes"
    if size < 1e6:
        return f"{size / 1e3:.0f} kB"
    return f"{size / 1e6:.1f} MB"
