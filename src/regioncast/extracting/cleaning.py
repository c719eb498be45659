"""Cleaning: what is taken out of the signals of regions over time, by `nilearn.signal.clean`.

Detrending, filters and the regression of *confounds* are linear, and alike for all voxels.  So what
they do to the mean or the sum of voxels, weighted or not, is the mean or the sum of what they do to
the voxels; of no other strategy is that true.  A *run* is what is cleaned by itself: an image of
several maps, or a list of images of one map each.
"""

from __future__ import annotations

import numbers
import os
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from ..engine._kernels.reduce import Reduction
from ..errors import (
    ArgumentError,
    ArgumentTypeError,
    ConfoundsWarning,
    DimensionError,
    ImageTypeError,
    MissingPackageError,
    NonfiniteWarning,
    SignalsError,
    SignalsTypeError,
    capitalized,
    examples,
    listed,
    plural,
    warn,
)
from ..files import existing_file
from ..io.filenames import entities_of
from ..signals import as_array
from ..tables.files import read_values
from ..tables.table import Column, Table, is_frame, table_of_frame

if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrame
    from numpy.typing import NDArray

    from ..engine.extraction import Strategy
    from ..io.maps import Maps
    from ..signals import Key

Standardize = Literal["zscore_sample", "psc", False] | None

ConfoundTable: TypeAlias = "str | os.PathLike[str] | IntoDataFrame | NDArray[Any]"
Confounds: TypeAlias = "ConfoundTable | Sequence[ConfoundTable]"
"""The confounds of one run, one row per map; or in a list those of each."""

# What tells runs apart in BIDS's names of images and of confounds.
_OF_RUNS = ("sub", "ses", "task", "acq", "run")

_LINEAR = (Reduction.MEAN, Reduction.SUM)


Clean = Callable[["NDArray[Any]", "Sequence[Key]"], "NDArray[Any]"]
"""Takes signals, shape (n_maps, n_regions), and what warnings call the regions."""


def cleaner_of(
    maps: Maps,
    strategies: Sequence[Strategy],
    *,
    confounds: Confounds | None,
    confound_columns: str | Sequence[str] | None,
    standardize: Standardize,
    detrend: bool,
    low_pass: float | None,
    high_pass: float | None,
    t_r: float | None,
) -> Clean:
    """Return what cleans the signals of maps, after a look at all that can be wrong.

    The arguments and the errors are those of `regioncast.extract`, but for `t_r`: that of the maps
    when none is given.
    """
    # True has been several ways to standardize in nilearn, one after the other.
    if standardize not in (None, False, "zscore_sample", "psc"):
        raise ArgumentError(
            "standardize must be 'zscore_sample' (mean 0, standard deviation 1), 'psc' (percent "
            f"of the mean), or None; it is {standardize!r}."
        )
    if not isinstance(detrend, bool | np.bool_):
        raise ArgumentTypeError(f"detrend is True or False, not {detrend!r}.")
    both = {"low_pass": low_pass, "high_pass": high_pass}
    filters = {name: frequency for name, frequency in both.items() if frequency is not None}
    if filters or detrend or confounds is not None:
        _check_linear(strategies)
    elif confound_columns is not None:
        raise ArgumentError("confound_columns chooses columns of confounds; give those too.")
    elif not standardize:
        # Nothing is asked for, and nilearn need not be there.
        return lambda values, _: values
    _check_series(maps)
    _check_filters(filters, t_r)
    _nilearns_clean()  # which is missed before maps are read
    of_runs = _of_runs(confounds, confound_columns, maps.runs)
    options = {"standardize": standardize or None, "detrend": bool(detrend), "t_r": t_r, **filters}

    def clean(values: NDArray[Any], keys: Sequence[Key]) -> NDArray[Any]:
        runs = np.split(values, np.cumsum(maps.runs)[:-1])
        cleaned = []
        for run, confounds_of_run in zip(runs, of_runs, strict=True):
            cleaned.append(_cleaned(run, keys, {**options, "confounds": confounds_of_run}))
        return np.concatenate(cleaned)

    return clean


def _cleaned(values: NDArray[Any], keys: Sequence[Key], options: Mapping[str, Any]) -> NDArray[Any]:
    """Return the signals of a run cleaned; regions that are missing stay NaN."""
    is_whole = np.isfinite(values).all(axis=0)
    is_broken = ~is_whole & ~np.isnan(values).all(axis=0)
    if is_broken.any():
        broken = [keys[region] for region in np.flatnonzero(is_broken).tolist()]
        warn(
            f"{plural(len(broken), 'region')} without a finite value in some of the maps, and "
            f"so missing once cleaned: {examples(broken)}.",
            NonfiniteWarning,
        )
    cleaned = np.full(values.shape, np.nan)
    if is_whole.any():
        try:
            # Of a mean of 0, of which there is no percent, nilearn itself warns.
            with np.errstate(divide="ignore", invalid="ignore"):
                cleaned[:, is_whole] = _nilearns_clean()(values[:, is_whole], **options)
        except ValueError as error:
            raise SignalsError(
                f"{plural(len(values), 'map')} cannot be cleaned like this: {error}"
            ) from error
    return cleaned


def _nilearns_clean() -> Callable[..., NDArray[Any]]:
    try:
        from nilearn.signal import clean  # type: ignore[import-untyped]  # ships no types
    except ImportError:
        raise MissingPackageError(
            "Signals are cleaned by nilearn, which is not installed: "
            "pip install 'regioncast[nilearn]'."
        ) from None
    function: Callable[..., NDArray[Any]] = clean
    return function


def _check_linear(strategies: Sequence[Strategy]) -> None:
    others = [strategy.name for strategy in strategies if strategy.reduction not in _LINEAR]
    if others:
        raise ArgumentError(
            f"Confounds, detrend and filters go with mean and sum, not with {', '.join(others)}: "
            "of others, signals that are cleaned are not those of voxels that are cleaned. Clean "
            "the image first (nilearn.image.clean_img), and extract from that."
        )


def _check_series(maps: Maps) -> None:
    if maps.is_complex:
        raise ImageTypeError(
            "The image holds complex numbers, and only real ones can be cleaned or standardized. "
            "Give an image of magnitudes."
        )
    if min(maps.runs) < 2:
        which = "the image has one" if len(maps.runs) == 1 else "some of the images have one"
        raise DimensionError(
            "Confounds, standardize, detrend and filters are for series of two or more maps; "
            f"{which}. Leave them out, or give 4D images, or images of one map each in a list."
        )


def _check_filters(filters: Mapping[str, float], t_r: float | None) -> None:
    if not filters:
        return
    if t_r is None:
        raise ArgumentError(
            f"{' and '.join(filters)}: frequencies need the seconds from one map to the next, "
            "which the image does not say, or several images differ. Pass t_r= (--t-r)."
        )
    highest = 0.5 / t_r
    for name, frequency in filters.items():
        if not isinstance(frequency, numbers.Real) or not 0 < float(frequency) < highest:
            raise ArgumentError(
                f"{name} is a frequency in Hz, above 0 and below {highest:g}, half the sampling "
                f"rate of one map in {t_r:g} s; it is {frequency!r}."
            )
    if len(filters) == 2 and filters["high_pass"] >= filters["low_pass"]:
        raise ArgumentError(
            f"Nothing is above high_pass={filters['high_pass']!r} and below "
            f"low_pass={filters['low_pass']!r}: what is slower than the one or faster than the "
            "other is taken out."
        )


# --- confounds -----------------------------------------------------------------------------------


def _of_runs(
    confounds: Confounds | None, columns: str | Sequence[str] | None, runs: Sequence[int]
) -> list[NDArray[np.float64] | None]:
    if confounds is None:
        return [None] * len(runs)
    listed: Sequence[Any] = confounds if isinstance(confounds, list | tuple) else [confounds]
    if len(listed) != len(runs):
        raise ArgumentError(
            f"Confounds of {plural(len(listed), 'image')} for {plural(len(runs), 'image')}, each "
            "of which is cleaned by itself. Give a table of one row per map for each, in a list in "
            "the order of the images."
        )
    of_runs: list[NDArray[np.float64] | None] = []
    for number, (source, n_maps) in enumerate(zip(listed, runs, strict=True), start=1):
        what = f"confounds of image number {number}" if len(runs) > 1 else "confounds"
        table = _table(source, what)
        chosen = table.body if columns is None else _chosen(table, columns)
        matrix = np.column_stack([_numbers(column, table) for column in chosen])
        if len(matrix) != n_maps:
            raise SignalsError(
                f"{table.subject}: {plural(len(matrix), 'row')} for {plural(n_maps, 'map')}. "
                "Confounds have one row per map."
            )
        _check_complete(matrix, chosen, table)
        of_runs.append(matrix)
    return of_runs


def check_whose(files: Sequence[Path], confounds: Confounds) -> None:
    """Warn where the names of an image and of its confounds say that they are of different runs.

    Parameters
    ----------
    files : sequence of Path
        Of the images.
    confounds : as in `regioncast.extract`
    """
    sources: Sequence[Any] = confounds if isinstance(confounds, list | tuple) else [confounds]
    if len(sources) == len(files):
        for file, source in zip(files, sources, strict=True):
            if isinstance(source, str | os.PathLike):
                _check_run(file, Path(source))


def _check_run(image: Path, confounds: Path) -> None:
    of_image, of_source = entities_of(image), entities_of(confounds)
    both = [entity for entity in _OF_RUNS if entity in of_image and entity in of_source]
    differ = [entity for entity in both if of_image[entity] != of_source[entity]]
    if differ:
        warn(
            f"{image.name} ({', '.join(of_image[e] for e in differ)}) is cleaned of "
            f"{confounds.name} ({', '.join(of_source[e] for e in differ)}). Give confounds "
            "in the order of the images.",
            ConfoundsWarning,
        )


def _table(source: Any, what: str) -> Table:
    """Return the confounds of a run as a table; the columns of an array are numbered."""
    if isinstance(source, str | os.PathLike):
        file = existing_file(source, f"the file of {what}", may_be_pipe=True)
        source, what = read_values(file), str(file)
    else:
        what = f"the {what}"
    if not isinstance(source, Table) and not is_frame(source):
        import pandas as pd

        array = as_array(source)
        if array.ndim not in (1, 2):
            raise SignalsTypeError(
                f"{capitalized(what)} have the shape {array.shape}. Give the path of a table, a "
                "DataFrame, or an array with a row per map."
            )
        source = pd.DataFrame(array)
    table = source if isinstance(source, Table) else table_of_frame(source, what)
    if not table.body:
        raise SignalsError(f"{table.subject}: there is no column. Leave confounds out.")
    return table


def _chosen(table: Table, columns: str | Sequence[str]) -> list[Column]:
    """Return the columns that titles or patterns name, each once."""
    chosen: dict[Column, None] = {}
    for pattern in listed(columns, "confound_columns", "titles of columns"):
        fitting = [column for column in table.body if str(column.title) == str(pattern)]
        fitting = fitting or [c for c in table.body if fnmatchcase(str(c.title), str(pattern))]
        if not fitting:
            raise ArgumentError(
                f"{table.subject}: there is no column {pattern!r}; the columns are "
                f"{examples(table.titles, show=20)}."
            )
        chosen.update(dict.fromkeys(fitting))
    if not chosen:
        raise ArgumentError("confound_columns is empty. Name columns, or leave confounds out.")
    return list(chosen)


def _numbers(column: Column, table: Table) -> NDArray[np.float64]:
    if column.numbers is None or column.numbers.dtype.kind == "c":
        raise SignalsError(
            f"{table.subject}: real numbers are needed, and {column.called} holds "
            f"{examples(column.cells)}. Choose others with confound_columns= (--confound-columns)."
        )
    return column.numbers.astype(np.float64)


def _check_complete(matrix: NDArray[np.float64], columns: Sequence[Column], table: Table) -> None:
    """Raise where there are gaps, or where what is given explains whatever there may be."""
    is_gap = ~np.isfinite(matrix)
    if is_gap.any():
        titles = [columns[number].title for number in np.flatnonzero(is_gap.any(axis=0)).tolist()]
        rows = (1 + np.flatnonzero(is_gap.any(axis=1))).tolist()
        raise SignalsError(
            f"{table.subject}: {plural(len(titles), 'column')} without a number in some row: "
            f"{examples(titles)}; rows {examples(rows)}. fMRIPrep leaves out what the first map "
            "cannot have, and programs fill it in differently. Choose others with confound_columns="
            " (--confound-columns), or pass a DataFrame that is filled in: .bfill() takes the next "
            "row, as nilearn's load_confounds does, .fillna(0) takes 0."
        )
    n_maps, n_confounds = matrix.shape
    if n_confounds >= n_maps - 1:
        rank = np.linalg.matrix_rank(matrix - matrix.mean(axis=0))
        if rank >= n_maps - 1:
            raise SignalsError(
                f"{table.subject}: {plural(n_confounds, 'column')} explain whatever {n_maps:,} "
                "maps hold, and leave nothing. Choose fewer."
            )
