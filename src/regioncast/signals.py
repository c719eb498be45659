"""Region signals: one value, or one per map or time point, for each region.

*Values* have shape (n_maps, n_regions).  A *key* says which region a column of values is
for: a name or a label.  The *map axis* is a time axis with a repetition time, or a list of
map names, or a single map.
"""

from __future__ import annotations

import math
import numbers
import re
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from .atlas.identities import near_misses
from .atlas.region_table import is_inexact, is_whole
from .engine.dtypes import storable
from .errors import MatchError, MissingPackageError, SignalsError, UnknownKeyError, examples, plural
from .notebook import ShownInNotebooks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    import xarray
    from numpy.typing import ArrayLike, DTypeLike, NDArray

    from .atlas.parcellation import Parcellation
    from .atlas.region_table import RegionTable

Key = str | int

Long = bool | Literal["tidy"]
"""How tables of signals are long: not, a row per region, or a row per map and region."""

MAP_TITLE = "map"
"""Title of the column of map names in a wide table, or of what is no entity in them."""

ENTITY = re.compile(r"([A-Za-z]+)-([^_]+)")
"""An entity of BIDS in a name: ``key-value``, with ``_`` between them."""


class Series(NamedTuple):
    """Where the points of a series lie: ``start``, ``start + step``, … in a unit of CIFTI."""

    start: float
    step: float
    unit: str


@dataclass(frozen=True)
class Origin:
    """What values were made from, and how.

    Parameters
    ----------
    files : tuple of Path, default=()
        The files that they were read or extracted from.
    strategy : str, default=None
        What became of the samples of a region: ``"mean"`` and the like.
    cleaning : mapping, default=None
        What was taken out of the signals, by the names of arguments of `regioncast.extract`.
    """

    files: tuple[Path, ...] = ()
    strategy: str | None = None
    cleaning: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class MapAxis:
    """What is known of maps beside their values.

    Parameters
    ----------
    names : sequence of str, shape (n_maps,), default=None
        Kept as a tuple.
    t_r : float, default=None
        Repetition time in seconds, where the maps are time points.
    series : Series, default=None
        Start, step and unit of a series of CIFTI, which may be other than seconds from 0.
    single : bool, default=False
        Whether this is a single map rather than a series of length one.

    Raises
    ------
    SignalsError
        When `t_r` is no time, or this is a single map.
    """

    names: tuple[str, ...] | None
    t_r: float | None
    series: Series | None
    single: bool

    def __init__(
        self,
        names: Sequence[str] | None = None,
        t_r: float | None = None,
        series: Series | None = None,
        *,
        single: bool = False,
    ) -> None:
        if t_r is not None:
            if not isinstance(t_r, numbers.Real) or not math.isfinite(t_r) or t_r <= 0:
                raise SignalsError(f"t_r is a number of seconds above 0, not {t_r!r}.")
            if single:
                raise SignalsError("t_r goes with time series; these values are a single map.")
            t_r = float(t_r)
        object.__setattr__(self, "names", None if names is None else tuple(map(str, names)))
        object.__setattr__(self, "t_r", t_r)
        object.__setattr__(self, "series", series)
        object.__setattr__(self, "single", single)

    @classmethod
    def shared(cls, axes: Sequence[MapAxis]) -> MapAxis:
        """Return what several axes of the same maps all say; what they differ in is unknown."""
        first = axes[0]
        return cls(
            names=first.names if all(axis.names == first.names for axis in axes) else None,
            t_r=first.t_r if all(axis.t_r == first.t_r for axis in axes) else None,
            series=first.series if all(axis.series == first.series for axis in axes) else None,
            single=all(axis.single for axis in axes),
        )

    def with_t_r(self, t_r: float | None) -> MapAxis:
        """Return the axis of the same maps as time points, which begin when these did.

        None is no other repetition time than these have.
        """
        if t_r is None:
            return self
        series = self.series
        if series is not None:
            series = Series(series.start if series.unit == "SECOND" else 0.0, t_r, "SECOND")
        return MapAxis(self.names, t_r, series, single=self.single)

    def take(self, rows: Sequence[int]) -> MapAxis:
        """Return the axis of some of the maps, which are no series any more."""
        names = None if self.names is None else [self.names[row] for row in rows]
        return MapAxis(names, single=len(rows) == 1)

    def as_series(self) -> Series | None:
        """Return where the points of a series lie, None where these are none."""
        if self.series is None and self.t_r is not None:
            return Series(0.0, self.t_r, "SECOND")
        return self.series

    def titles(self, n_maps: int) -> list[str]:
        """Return the names, or titles for so many maps that have none."""
        if self.names is not None:
            return list(self.names)
        return ["value"] if self.single else map_titles(n_maps)


@dataclass(frozen=True, eq=False)
class Signals(ShownInNotebooks):
    """Values of regions, with the keys of the regions where they are known.

    Parameters
    ----------
    values : array, shape (n_regions,) or (n_maps, n_regions)
        Kept with two dimensions.  One-dimensional values are a single map, which is painted
        as a 3D image; two-dimensional ones are painted as a 4D image.
    keys : sequence of str or int, shape (n_regions,), default=None
        Names or labels of the regions; None: the columns are the regions in ascending order
        of label.
    labels : sequence of int, shape (n_regions,), default=None
        Labels of the regions; the keys themselves when no others are given.
    map_names : sequence of str, shape (n_maps,), default=None
    t_r : float, default=None
        Repetition time in seconds, where the maps are time points.
    single : bool, default=None
        Whether this is a single map rather than a series of length one; by default, whether
        `values` have one dimension.
    coverage : RegionTable, default=None
        How much of each region there were data for, where `regioncast.extract` made the
        signals: the columns ``voxels`` (of the region on the grid of the image), ``in_mask``,
        ``finite`` (those with a finite value, in the map where they are the fewest) and
        ``fraction`` (finite of all).
    series : Series, default=None
        Start, step and unit of a series of CIFTI, which may be other than seconds from 0.
    parcellation : Parcellation, default=None
        The regions that the columns are of, in this order, where `regioncast.extract` made the
        signals; files of parcels (``.pscalar.nii``, ``.ptseries.nii``) are written with them.
    origin : Origin, default=None
        The files that the values were read or extracted from, and how; sidecars say so.
    categories : RegionTable, default=None
        What the values stand for, where they are the labels of categories.

    Attributes
    ----------
    axis : MapAxis
        `map_names`, `t_r`, `series` and `single` as one.

    Raises
    ------
    SignalsError
        When a shape or a count is wrong, there are no values, or `t_r` is no time.
    MatchError
        When a key is neither a name nor an integer label.
    SignalsTypeError
        When values are not numbers that an image can hold.

    Notes
    -----
    Signals are a mapping in so far as their length is the number of regions, iterating gives the
    keys, and indexing by a key, or by a label, the values of that region.  To NumPy they are the
    array of their values, of shape (n_regions,) for a single map.

    Examples
    --------
    >>> signals = Signals([[0.5, 1.5], [2.0, 4.0]], keys=["V1", "V2"], t_r=2.0)
    >>> signals.n_maps, signals.n_regions
    (2, 2)
    >>> signals.to_pandas()
        V1   V2
    0  0.5  1.5
    1  2.0  4.0
    >>> list(signals), signals["V2"], np.asarray(signals).shape
    (['V1', 'V2'], array([1.5, 4. ]), (2, 2))
    """

    values: NDArray[Any]
    keys: tuple[Key, ...] | None
    labels: tuple[int, ...] | None
    axis: MapAxis
    coverage: RegionTable | None
    parcellation: Parcellation | None
    origin: Origin
    categories: RegionTable | None = None

    def __init__(
        self,
        values: ArrayLike,
        keys: Sequence[Key] | None = None,
        *,
        labels: Sequence[int] | None = None,
        map_names: Sequence[str] | None = None,
        t_r: float | None = None,
        single: bool | None = None,
        coverage: RegionTable | None = None,
        series: Series | None = None,
        parcellation: Parcellation | None = None,
        origin: Origin | None = None,
    ) -> None:
        array = storable(as_array(values))
        keys = labels if keys is None else keys
        if array.ndim not in (1, 2):
            raise wrong_dimensions(array.shape)
        # A copy: Signals never change, and the array may be somebody's who goes on writing to it.
        table = np.atleast_2d(array).copy()
        table.flags.writeable = False
        if not table.size:
            raise SignalsError(f"There are no values: their shape is {array.shape}.")
        n_maps, n_regions = table.shape
        _check_count("key", keys, n_regions, table.shape)
        _check_count("label", labels, n_regions, table.shape)
        _check_count("map name", map_names, n_maps, table.shape)
        is_single = array.ndim == 1 if single is None else single
        axis = MapAxis(map_names, t_r, series, single=is_single)
        for name, value in (
            ("values", table),
            ("keys", None if keys is None else tuple(as_keys(keys))),
            ("labels", None if labels is None else tuple(labels)),
            ("axis", axis),
            ("coverage", coverage),
            ("parcellation", parcellation),
            ("origin", origin or Origin()),
        ):
            object.__setattr__(self, name, value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.values.flags.writeable = False  # arrays that were pickled are writeable

    @property
    def map_names(self) -> tuple[str, ...] | None:
        """Names of the maps, where they have some."""
        return self.axis.names

    @property
    def t_r(self) -> float | None:
        """Repetition time in seconds, where the maps are time points."""
        return self.axis.t_r

    @property
    def entities(self) -> dict[str, Sequence[str | None]]:
        """Parts of the names of the maps by BIDS: for each key those of all maps, in their order.

        ``{"sub": ["sub-01", "sub-02"], "task": ["task-rest", None]}``; what is none of these, such
        as the suffix, is called ``map``.  Empty where maps have no names.
        """
        return {} if self.map_names is None else entity_columns(self.map_names)

    @property
    def series(self) -> Series | None:
        """Start, step and unit of a series of CIFTI."""
        return self.axis.series

    @property
    def single(self) -> bool:
        """Whether this is a single map rather than a series of length one."""
        return self.axis.single

    @property
    def n_maps(self) -> int:
        """Number of maps or time points."""
        return int(self.values.shape[0])

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return int(self.values.shape[1])

    def with_t_r(self, t_r: float) -> Signals:
        """Return the same values as time points.

        Parameters
        ----------
        t_r : float
            Seconds from one to the next.

        Returns
        -------
        Signals
            They begin when these did; keys, names and all else are the same.

        Raises
        ------
        SignalsError
            When `t_r` is no time, or these are a single map.
        """
        return self.changed(axis=self.axis.with_t_r(t_r))

    def take(self, rows: Sequence[int]) -> Signals:
        """Return the signals of some of the maps, which are no series any more.

        Parameters
        ----------
        rows : sequence of int
            Their numbers, from 0; one is a single map.
        """
        # Coverage is that of all maps.
        axis, values = self.axis.take(rows), self.values[list(rows)]
        return self.changed(axis=axis, values=values, coverage=None)

    def with_keys(self, keys: Sequence[Key]) -> Signals:
        """Return the same values under other keys."""
        return self.changed(keys=tuple(as_keys(keys)))

    def changed(self, **changes: object) -> Signals:
        """Return these signals with other attributes, which are taken as they are."""
        changed = copy(self)
        # What was worked out from the keys is not that of others.
        vars(changed).pop("_columns_by_key", None)
        for name, value in changes.items():
            object.__setattr__(changed, name, value)
        changed.values.flags.writeable = False
        return changed

    def to_pandas(self, *, long: Long = False) -> pd.DataFrame:
        """Return the values as a table.

        Parameters
        ----------
        long : bool or "tidy", default=False
            False: a row per map and a column per region, titled by its key; the labels are
            in ``attrs["labels"]``.  True: a row per region, with the columns ``index``
            (label) and ``name``, as far as they are known, and one column per map.
            ``"tidy"``: a row per map and region, with a column for each of `entities`, such as
            ``sub`` and ``volume``, and the column ``value``.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        if not long:
            frame = pd.DataFrame(self.values, index=self.map_names, columns=self.keys)
            frame.attrs["labels"] = self.labels
            return frame
        if long == "tidy":
            of_maps = self.entities or {MAP_TITLE: self.axis.titles(self.n_maps)}
            columns: dict[str, Any] = {
                title: np.repeat(np.array(cells, object), self.n_regions)
                for title, cells in of_maps.items()
            }
            for title, keys in self.region_columns().items():
                columns[title] = list(keys) * self.n_maps
            return pd.DataFrame({**columns, "value": self.values.ravel()})
        frame = pd.DataFrame(self.values.T, columns=self.axis.titles(self.n_maps))
        of_regions = self.region_columns()
        taken = [title for title in of_regions if title in frame]
        if taken:
            raise SignalsError(
                f"{plural(len(taken), 'map')} called {examples(taken)}, as the column of the "
                "regions in a long table is. Rename them, or make a wide table."
            )
        # Each goes before all others, so the last comes first.
        for title, column in reversed(of_regions.items()):
            frame.insert(0, title, column)
        return frame

    def region_columns(self) -> dict[str, tuple[Key, ...]]:
        """Return what is known of the regions: ``index`` for labels, ``name`` for names."""
        if self.keys is None:
            return {}
        if not isinstance(self.keys[0], str):
            return {"index": self.keys}
        if self.labels is None:
            return {"name": self.keys}
        return {"index": self.labels, "name": self.keys}

    def __repr__(self) -> str:
        maps = "single map" if self.single else plural(self.n_maps, "map")
        text = f"Signals: {maps}, {plural(self.n_regions, 'region')}, {self.values.dtype}"
        if self.keys is None:
            return text
        more = " …" if len(self.keys) > 3 else ""
        return f"{text}, keyed by {', '.join(map(repr, self.keys[:3]))}{more}"

    def __len__(self) -> int:
        return self.n_regions

    def __iter__(self) -> Iterator[Key]:
        if self.keys is None:
            raise SignalsError("These signals have no keys to go through; see their values.")
        return iter(self.keys)

    def __contains__(self, key: object) -> bool:
        return bool(self._columns_of(key))

    def __getitem__(self, key: Key) -> NDArray[Any]:
        """Return the values of the region of a name or label; never those of a position.

        Returns
        -------
        array, shape (n_maps,)
            Of a single map the value alone.

        Raises
        ------
        UnknownKeyError
            A `KeyError`, where no region or more than one is called so.
        """
        columns = self._columns_of(key)
        if len(columns) != 1:
            # Labels have no near ones: 17 is no misspelling of 18.
            names = [key] if isinstance(key, str) else []
            near = near_misses(names, map(str, self.keys or ())).values()
            advice = "".join(f" Did you mean {name!r}?" for name in near)
            raise UnknownKeyError(
                f"{len(columns) or 'None'} of {plural(self.n_regions, 'region')} "
                f"{'are' if columns else 'is'} called {key!r}; the keys are "
                f"{examples(self.keys) if self.keys else 'not known'}.{advice}"
            )
        return np.asarray(np.asarray(self)[..., columns[0]])

    def _columns_of(self, key: object) -> list[int]:
        """Return the columns of a name or a label."""
        # True is 1 and 7.0 is 7 to Python; neither is meant for a label.
        is_key = isinstance(key, str | int | np.integer) and not isinstance(key, bool)
        return self._columns_by_key.get(key, []) if is_key else []

    @cached_property
    def _columns_by_key(self) -> dict[object, list[int]]:
        columns: dict[object, list[int]] = {}
        # Keys may be the labels themselves.
        for called in {self.keys, self.labels} - {None}:
            for column, key in enumerate(called or ()):
                columns.setdefault(key, []).append(column)
        return columns

    def __array__(
        self, dtype: DTypeLike | None = None, *, copy: bool | None = None
    ) -> NDArray[Any]:
        """Return the values: shape (n_regions,) of a single map, else (n_maps, n_regions)."""
        return np.array(self.values[0] if self.single else self.values, dtype, copy=copy)

    def to_xarray(self) -> xarray.DataArray:
        """Return the values with coordinates.

        Returns
        -------
        xarray.DataArray
            With the dimension ``region``, and before it ``time``, or ``map`` where these are no
            time points, unless this is a single map, whose name it has.  Coordinates, as far as
            they are known: ``region``, the keys, and ``label`` beside names; ``map``, names;
            ``time``, seconds.

        Raises
        ------
        MissingPackageError
            When xarray is not installed.
        """
        try:
            import xarray
        except ImportError as error:
            raise MissingPackageError(
                "to_xarray needs xarray, which is not installed: pip install xarray."
            ) from error
        coordinates: dict[str, Any] = {}
        if self.keys is not None:
            coordinates["region"] = list(self.keys)
        if self.labels is not None and self.labels != self.keys:
            coordinates["label"] = ("region", list(self.labels))
        if self.single:
            name = None if self.map_names is None else self.map_names[0]
            return xarray.DataArray(self.values[0], coordinates, ["region"], name)
        rows, series = "map", self.axis.as_series()
        if series is not None and series.unit == "SECOND":
            rows, seconds = "time", series.start + series.step * np.arange(self.n_maps)
            coordinates["time"] = ("time", seconds, {"units": "s"})
        if self.map_names is not None:
            coordinates["map"] = (rows, list(self.map_names))
        return xarray.DataArray(self.values, coordinates, [rows, "region"])


def _check_count(
    what: str, listed: Sequence[object] | None, expected: int, shape: tuple[int, ...]
) -> None:
    if listed is not None and len(listed) != expected:
        raise SignalsError(
            f"Values of shape {shape} (maps, regions) need {plural(expected, what)}; "
            f"{len(listed):,} were given."
        )


def entity_columns(names: Sequence[str]) -> dict[str, Sequence[str | None]]:
    """Return the parts of names as columns: one per entity, and ``map`` for what is none.

    The cells of a row, joined by ``_``, are the name again.  Where that cannot be, or no name has
    an entity, the names are the one column.

    Examples
    --------
    >>> entity_columns(["sub-1_task-rest_bold", "sub-2_bold"])
    {'sub': ['sub-1', 'sub-2'], 'task': ['task-rest', None], 'map': ['bold', 'bold']}
    """
    rows = list(map(_parts_of, names))
    # The name with most parts says in which order they stand.
    longest = sorted(rows, key=len, reverse=True)
    titles = list(dict.fromkeys(title for row in longest for title in row))
    columns: dict[str, Sequence[str | None]] = {
        title: [row.get(title) for row in rows] for title in titles
    }
    joined = ["_".join(filter(None, cells)) for cells in zip(*columns.values(), strict=True)]
    return columns if joined == list(names) else {MAP_TITLE: list(names)}


def _parts_of(name: str) -> dict[str, str]:
    """Return the entities of a name, and all else as one part."""
    parts: dict[str, str] = {}
    for part in name.split("_"):
        entity = ENTITY.fullmatch(part)
        title = entity[1] if entity else MAP_TITLE
        parts[title] = f"{parts[title]}_{part}" if title in parts else part
    return parts


def map_titles(n_maps: int) -> list[str]:
    """Return titles for maps that have no names."""
    return [f"map_{number}" for number in range(n_maps)]


def as_keys(keys: Iterable[object]) -> list[Key]:
    """Return keys as text and Python integers.

    Raises
    ------
    MatchError
        When a key is neither, as a tuple or 1.5.

    Examples
    --------
    >>> as_keys(["V1", np.uint8(7), 20.0])
    ['V1', 7, 20]
    """
    plain: list[Key] = []
    wrong: list[object] = []
    for key in keys:
        if isinstance(key, str):
            plain.append(str(key))
        elif is_whole(key) and not is_inexact(key):
            plain.append(int(key))
        else:
            wrong.append(key)
    if wrong:
        remedy = "Key the values by the names or the labels of the regions."
        if all(map(is_inexact, wrong)):
            remedy += " Floats do not tell labels from 2**53 on apart; give integers or text."
        if all(isinstance(key, tuple) for key in wrong):
            remedy += " Keys of several levels are read from a Series: pandas.Series(values)."
        raise MatchError(
            f"{plural(len(wrong), 'key')} neither a name nor an integer label: {examples(wrong)}. "
            f"{remedy}"
        )
    return plain


def as_array(values: ArrayLike, row: str = "map") -> NDArray[Any]:
    """Return values as an array.

    Raises
    ------
    SignalsError
        When its rows differ in length, or when values are masked.
    """
    if np.ma.is_masked(values):
        raise SignalsError(
            "Some of the values are masked, and an image has no masked voxels. "
            "Say what they are: values.filled(np.nan), for example."
        )
    try:
        return np.asarray(values)
    except ValueError as error:
        raise SignalsError(
            f"The values do not form an array: every {row} needs as many numbers as the others."
        ) from error


def wrong_dimensions(shape: tuple[int, ...]) -> SignalsError:
    """Return the error for signals that are neither 1D nor 2D."""
    return SignalsError(
        f"Signals must be 1D (regions) or 2D (maps or time points, regions); "
        f"these are {len(shape)}D, of shape {shape}. Reshape them first."
    )
