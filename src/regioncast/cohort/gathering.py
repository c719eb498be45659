"""One tidy table of all tables of a batch: a row per image, atlas, strategy, map and region.

Only what is done is gathered: tables whose records say that their inputs are as they were.
The folder is walked twice, first for the columns and then for the rows, so that no more than one
table is in memory, however many there are.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..atlas.hemispheres import HEMISPHERE_TITLE
from ..errors import (
    FileFormatError,
    InputMissingError,
    OutputError,
    RegioncastError,
    examples,
    plural,
)
from ..files import natural_order, output_path, read_npy, replacing, sha256_of, without_up
from ..formats import has_use, suffix_of
from ..io.filenames import entities_of, name_of
from ..io.kinds import NO_REGIONS
from ..io.sidecar import coverage_in, files_beside, own_sidecar
from ..io.surface.names import without_hemisphere
from ..signals import map_titles
from ..tables.files import needs_pyarrow
from ..tables.regions import find_region_table
from .naming import COVERAGE, FAILED, folders_of, is_ours
from .records import RECORD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..atlas.region_table import RegionTable
    from ..progress import Progress

_DELIMITERS = {".tsv": "\t", ".csv": ","}
_TABLES = (*_DELIMITERS, ".parquet", ".npy")

# In the order in which BIDS has them in names; others follow by their letters.
_ORDER = (
    "sub", "tpl", "ses", "cohort", "sample", "task", "tracksys", "acq", "nuc", "voi", "ce", "trc",
    "stain", "rec", "dir", "run", "mod", "echo", "flip", "inv", "mt", "part", "proc", "hemi",
    "space", "split", "recording", "chunk", "seg", "scale", "res", "den", "label", "stat", "desc",
)  # fmt: skip

# Tables of BIDS that are not ours, and that somebody may have put into the folder.
_OF_BIDS = ("participants.tsv", "sessions.tsv", "scans.tsv")

# Titles of what is no entity.
_OF_ROWS = (
    "image", "atlas", "strategy", "table", "map", "volume", "index", "name", HEMISPHERE_TITLE,
    "value",
)  # fmt: skip

_MISSING = "n/a"

_OTHER_REGIONS = "its regions are not those that its sidecar says"

# Of so many files it is remembered, during a walk, when they were changed.
_KEPT_STAMPS = 1024

# Rows that are written at once.
_ROWS = 1 << 18


@dataclass
class Gathered:
    """What was gathered.

    Parameters
    ----------
    output : Path
    n_tables : int
    n_rows : int
    left_out : dict of str to str
        Tables that were not, from the folder, and why.
    versions : set of str
        Of regioncast, by which the tables were made.
    has_alike : bool
        Whether several tables are of one image, atlas and strategy, by different options.
    """

    output: Path
    n_tables: int = 0
    n_rows: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    versions: set[str] = field(default_factory=set)
    has_alike: bool = False


class _LeftOutError(Exception):
    """Why a table is left out."""


@dataclass(frozen=True)
class _Table:
    """A table of a batch, with what its sidecar says."""

    path: Path
    entities: Mapping[str, str]
    origin: Mapping[str, str]  # cells that all of its rows have
    record: Mapping[str, Any]
    regions: RegionTable


def gather(
    folder: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    coverage: bool = False,
    unchecked: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    looking: Progress | None = None,
) -> Gathered:
    """Write one tidy table of all tables in a folder of outputs that are done.

    Parameters
    ----------
    folder : path
        Of the outputs of `batch`.
    output : path
        ``.parquet``, ``.tsv`` or ``.csv``, outside of the folder.
    coverage : bool, default=False
        Gather the coverage of regions, a row per image, atlas and region, and not the values.
    unchecked : bool, default=False
        Do not look at the inputs, which may be elsewhere: what records say counts.
    overwrite : bool, default=False
    progress : callable, default=None
        Called with the number of tables read, and of all.
    looking : callable, default=None
        Called with the number of tables looked at, twice.

    Returns
    -------
    Gathered
        Tables are left out that have no record, whose inputs are not as they were when they were
        made, or that cannot be read.

    Raises
    ------
    InputMissingError
        When the folder is none of ours, or nothing in it is done.
    OutputError
        When the output cannot be written, or is in the folder.
    FileFormatError
        When the name of the output is that of no table.
    MissingPackageError
        When Parquet is asked for without pyarrow.

    Notes
    -----
    Columns are the entities of the names of the images, each cell as it is written (``sub-01``);
    ``image``, their names, of an image of several files what all share; ``atlas`` and ``strategy``;
    ``table``, its path in the folder, where tables are alike in all of these, as by different
    options; ``map``, where maps have names, and ``volume``, the number of the map from 0; ``index``
    and ``name`` of the region, and ``hemisphere`` where atlases tell it; and ``value``.  Of
    coverage, the numbers of samples instead.  The same tables in the same folder give the same
    bytes.

    Examples
    --------
    >>> import regioncast as rc
    >>> from regioncast.cohort import batch, gather
    >>> demo = rc.demo_data()
    >>> row = {"image": demo.statistic, "atlas": f"A={demo.atlas}", "resample": "labels"}
    >>> _ = batch([row], "tables", workers=1)
    >>> gather("tables", "all.tsv").n_rows
    100
    """
    root, target = _checked(folder, output)
    gathered = Gathered(target)
    layout: _Values | _Coverage = _Coverage() if coverage else _Values()
    # Twice through all records: which columns there are is known after the first time, and no table
    # of a million need be in memory for it.
    n_found = 0
    for table in _done(root, gathered, looking, unchecked=unchecked):
        n_found += 1
        layout.note(table)
    if not n_found:
        raise InputMissingError(_nothing_done(root, gathered))
    gathered.has_alike = layout.has_alike
    with (
        replacing(target, overwrite=overwrite) as temporary,
        _writer(temporary, suffix_of(target), layout.columns()) as write,
    ):
        for number, table in enumerate(_done(root, gathered, unchecked=unchecked), start=1):
            try:
                if not layout.entities.issuperset(table.entities):
                    raise _LeftOutError("it was written while tables were gathered")
                rows = layout.rows(table)
            except _LeftOutError as reason:
                gathered.left_out[table.path.relative_to(root).as_posix()] = str(reason)
                continue
            if rows:
                write(rows)
                gathered.n_tables += 1
                gathered.n_rows += len(rows["name"])
                gathered.versions.add(str(table.record.get("Version")))
            if progress is not None:
                progress(min(number, n_found), n_found)
    return gathered


def _nothing_done(root: Path, gathered: Gathered) -> str:
    reasons = sorted(set(gathered.left_out.values()))
    why = f" ({plural(len(gathered.left_out), 'table')}: {examples(reasons)})" if reasons else ""
    return (
        f"No table in {root} is done{why}. Run regioncast batch first; where the inputs are "
        "elsewhere now, ask for unchecked (--unchecked)."
    )


def _checked(folder: str | os.PathLike[str], output: str | os.PathLike[str]) -> tuple[Path, Path]:
    root = without_up(folder)
    if not is_ours(root):
        what = "has none of its tables" if root.is_dir() else "is no folder"
        raise InputMissingError(f"{root} {what}. Name the folder that regioncast batch wrote to.")
    target = output_path(output)
    if suffix_of(target) not in (*_DELIMITERS, ".parquet"):
        raise FileFormatError(
            f"Tables are gathered as .parquet, .tsv or .csv, not as {target.name!r}."
        )
    if suffix_of(target) == ".parquet":
        needs_pyarrow()
    if Path(os.path.normpath(target.absolute())).is_relative_to(root):
        raise OutputError(
            f"The output is in the folder whose tables are gathered: {target}. Choose another "
            "folder."
        )
    return root, target


# --- what is done --------------------------------------------------------------------------------


def _done(
    root: Path, gathered: Gathered, looking: Progress | None = None, *, unchecked: bool
) -> Iterator[_Table]:
    """Give the tables that are done, in natural order; note why others are not."""
    look = _never_changed if unchecked else _Inputs(root).difference
    seen: set[bytes] = set()
    for number, path in enumerate(_tables_in(root), start=1):
        if looking is not None:
            looking(number, number)
        try:
            table = _table(path, root, look)
            _check_first(table, seen)
            yield table
        except _LeftOutError as reason:
            gathered.left_out[path.relative_to(root).as_posix()] = str(reason)


def _check_first(table: _Table, seen: set[bytes]) -> None:
    """Leave out what would be there twice: as .tsv and .parquet, or in a copy of a folder."""
    # Not by the name of the table, which may be in a copy of a folder with another.
    digest = _digest([table.record["Inputs"], table.record["Options"]])
    if digest in seen:
        raise _LeftOutError("another table is of the same inputs and options")
    seen.add(digest)


def _tables_in(folder: Path, *, is_root: bool = True) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: natural_order(entry.name))
    for entry in listed:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _tables_in(folder / entry.name, is_root=False)
        elif suffix_of(Path(entry.name)) in _TABLES and not _is_beside(entry.name, is_root=is_root):
            yield folder / entry.name


def _is_beside(name: str, *, is_root: bool) -> bool:
    """Return whether a table is none of values: coverage is in the sidecars, too."""
    return (
        f"_stat-{COVERAGE}_" in name
        or name.endswith(_OF_BIDS)
        or (is_root and name.startswith(FAILED))
    )


def _table(path: Path, root: Path, look: Callable[[Mapping[str, Any]], str]) -> _Table:
    """Return a table that is done, or raise why it is not."""
    own = own_sidecar(path)
    record = None if own is None else own[1].get(RECORD)
    if own is None or not isinstance(record, dict):
        raise _LeftOutError("there is no record that it is done")
    try:
        is_same = path.stat().st_size == record["Size"]
        reason = look(record) or ("" if is_same else "it was changed since")
        options = record["Options"]
        label, strategy = str(options["label"]), str(options["strategy"])
        name, entities = _shared(_images_of(record, root))
    except (KeyError, TypeError, IndexError, AttributeError, ValueError):
        raise _LeftOutError("its record cannot be read") from None
    regions = coverage_in(own[1])
    if reason or regions is None:
        raise _LeftOutError(reason or "its sidecar does not say which regions it is of")
    about = {"image": name, "atlas": label, "strategy": strategy}
    about["table"] = path.relative_to(root).as_posix()
    return _Table(path, entities, {**entities, **about}, record, regions)


def _entities(image: str) -> dict[str, str]:
    """Return what the path of an image says, but for titles that no entity can have."""
    said = {**entities_of(folders_of(image) / "_"), **entities_of(PurePath(image).name)}
    return {key: said[key] for key in said.keys() - _OF_ROWS}


def _images_of(record: Mapping[str, Any], root: Path) -> list[str]:
    """Return the paths of the files of the image, without what tells hemispheres apart."""
    images = [os.path.normpath(root / image["Path"]) for image in record["Inputs"]["image"]]
    return images if len(images) == 1 else list(map(without_hemisphere, images))


def _shared(images: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return what the files of an image are called, and their entities, as far as all agree."""
    # What one of them says would be said of the maps of all, such as whose they are.
    first, *others = images
    parts, entities = name_of(first).split("_"), _entities(first)
    for other in others:
        parts = [part for part in parts if part in name_of(other).split("_")]
        entities = dict(entities.items() & _entities(other).items())
    return "_".join(parts), entities


def _never_changed(record: Mapping[str, Any]) -> str:  # noqa: ARG001  as `_Inputs.difference`
    return ""


class _Inputs:
    """What the inputs of tables are now; of neighbours, many are the same."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stamp = lru_cache(_KEPT_STAMPS)(_stamp)
        self._table_beside = lru_cache(_KEPT_STAMPS)(find_region_table)
        self._sidecars_beside = lru_cache(_KEPT_STAMPS)(files_beside)

    def difference(self, record: Mapping[str, Any]) -> str:
        """Return what is not as a record says; ``""`` where all is."""
        inputs = record["Inputs"]
        reasons = (self._changed(what, then) for what, stamps in inputs.items() for then in stamps)
        return next(filter(None, reasons), "") or self._appeared(inputs, record["Options"])

    def _changed(self, what: str, then: Mapping[str, Any]) -> str:
        # As it was written: where the folder is behind a link, ".." leads elsewhere.
        file = os.path.normpath(self._root / then["Path"])
        size, modified = self._stamp(file)
        if size is None:
            return f"the {what} is not there any more"
        is_same = size == then["Size"] and modified == then["Modified"]
        # Who asked for checksums copies files, which get other times.
        is_same = is_same or _has_content(Path(file), then.get("sha256"))
        return "" if is_same else f"the {what} changed since"

    def _appeared(self, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> str:
        """Return which files were not there that would be read now."""
        images, sidecars, atlas = (
            [Path(os.path.normpath(self._root / then["Path"])) for then in inputs[what]]
            for what in ("image", "sidecar", "atlas")
        )
        if any(file not in sidecars for image in images for file in self._sidecars_beside(image)):
            return "the image has a sidecar since"
        # Other files than labels are region tables: those that were said, or were found beside.
        is_alone = all(has_use(file, "labels") for file in atlas)
        is_named = options.get("regions") == NO_REGIONS or not is_alone
        if not is_named and any(map(self._table_beside, atlas)):
            return "the atlas has a region table since"
        return ""


def _has_content(file: Path, checksum: str | None) -> bool:
    return checksum is not None and sha256_of(file) == checksum


def _stamp(file: str) -> tuple[int | None, int]:
    try:
        status = os.stat(file)  # noqa: PTH116  a hot path
    except OSError:
        return None, 0
    return status.st_size, status.st_mtime_ns


# --- rows ----------------------------------------------------------------------------------------

_Kind = Literal["text", "int", "float"]

_Write = Callable[[Mapping[str, Any]], None]
"""Takes the rows of a table: of each column the cells, or the one cell that all rows have."""


@dataclass
class _Alike:
    """Whether tables of different jobs say the same of themselves, as of one image by two options.

    Their rows could not be told apart: each then says which table it is of.
    """

    jobs: dict[bytes, bytes] = field(default_factory=dict)
    has_alike: bool = False

    def note_job(self, table: _Table, *, without: Collection[str]) -> None:
        """Take up the job of a table, and what tells its rows from those of others."""
        about = [cell for cell in table.origin.items() if cell[0] not in without]
        job = _digest_of_job(table)
        self.has_alike |= self.jobs.setdefault(_digest(sorted(about)), job) != job

    def title(self) -> dict[str, _Kind]:
        """Return the column that is needed then."""
        return {"table": "text"} if self.has_alike else {}


def _digest_of_job(table: _Table) -> bytes:
    """Return what is the same of the tables of all strategies of a job, and of no others."""
    options = {**table.record["Options"], "strategy": None}
    return _digest([table.record["Inputs"], options])


def _digest(content: Any) -> bytes:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()


@dataclass
class _Values(_Alike):
    """The rows of values: one per map and region."""

    entities: set[str] = field(default_factory=set)
    has_hemispheres: bool = False
    has_names: bool = False

    def note(self, table: _Table) -> None:
        """Take up the columns of a table."""
        self.entities.update(table.entities)
        self.has_hemispheres |= table.regions.hemispheres is not None
        self.has_names = self.has_names or _has_names(table)
        self.note_job(table, without=("table",))

    def columns(self) -> dict[str, _Kind]:
        """Return the titles of all columns."""
        maps: dict[str, _Kind] = {"map": "text"} if self.has_names else {}
        return {
            **dict.fromkeys([*_in_order(self.entities), "image", "atlas", "strategy"], "text"),
            **self.title(),
            **maps,
            "volume": "int",
            **_columns_of_regions(self.has_hemispheres),
            "value": "float",
        }

    def rows(self, table: _Table) -> dict[str, Any]:
        """Return the rows of a table, or raise why there are none."""
        names, values = _read(table)
        n_maps, n_regions = values.shape
        of_regions = {title: cells * n_maps for title, cells in _cells_of_regions(table).items()}
        return {
            **table.origin,
            "map": None if names is None else np.repeat(np.array(names, object), n_regions),
            "volume": np.repeat(np.arange(n_maps), n_regions),
            **of_regions,
            "value": values.ravel(),
        }


@dataclass
class _Coverage(_Alike):
    """The rows of coverage: one per region, whatever the strategies."""

    entities: set[str] = field(default_factory=set)
    has_hemispheres: bool = False
    numbers: dict[str, _Kind] = field(default_factory=dict)
    seen: set[bytes] = field(default_factory=set)

    def note(self, table: _Table) -> None:
        """Take up the columns of a table."""
        self.entities.update(table.entities)
        self.has_hemispheres |= table.regions.hemispheres is not None
        for title, cells in table.regions.columns.items():
            is_whole = all(cell != cell or cell == int(cell) for cell in cells)  # noqa: PLR0124
            kind: _Kind = "int" if is_whole and title != "fraction" else "float"
            self.numbers[title] = "float" if "float" in (kind, self.numbers.get(title)) else kind
        self.note_job(table, without=("table", "strategy"))

    def columns(self) -> dict[str, _Kind]:
        """Return the titles of all columns."""
        return {
            **dict.fromkeys([*_in_order(self.entities), "image", "atlas"], "text"),
            **self.title(),
            **_columns_of_regions(self.has_hemispheres),
            **self.numbers,
        }

    def rows(self, table: _Table) -> dict[str, Any]:
        """Return the rows of a table; none where they were written for another strategy."""
        digest = _digest_of_job(table)
        if digest in self.seen:
            return {}
        self.seen.add(digest)
        return {**table.origin, **_cells_of_regions(table), **table.regions.columns}


def _in_order(entities: set[str]) -> list[str]:
    return [*filter(entities.__contains__, _ORDER), *sorted(entities.difference(_ORDER))]


def _columns_of_regions(has_hemispheres: bool) -> dict[str, _Kind]:  # noqa: FBT001
    sides: dict[str, _Kind] = {HEMISPHERE_TITLE: "text"} if has_hemispheres else {}
    return {"index": "int", "name": "text", **sides}


def _cells_of_regions(table: _Table) -> dict[str, list[Any]]:
    regions = table.regions
    sides = regions.hemispheres or [None] * len(regions)
    return {
        "index": regions.labels.tolist(),
        "name": list(regions.names),
        HEMISPHERE_TITLE: list(sides),
    }


# --- reading -------------------------------------------------------------------------------------


def _has_names(table: _Table) -> bool:
    """Return whether the maps of a table have names."""
    try:
        # Of others no more than the titles is read.
        return len(_titles(table.path)) > len(table.regions) and _read(table)[0] is not None
    except (_LeftOutError, OSError, ValueError, RegioncastError):
        return False  # what is wrong is said when it is gathered


def _titles(path: Path) -> list[str]:
    suffix = suffix_of(path)
    if suffix == ".npy":
        return []
    if suffix == ".parquet":
        needs_pyarrow()
        import pyarrow.parquet

        return list(pyarrow.parquet.read_schema(path).names)
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file, delimiter=_DELIMITERS[suffix]), [])


def _read(table: _Table) -> tuple[list[str] | None, NDArray[np.float64]]:
    """Return the names of the maps of a table, where they have some, and its values."""
    try:
        names, values = _names_and_values(table)
        is_whole = values.ndim == 2 and values.shape[1] == len(table.regions)
    except (OSError, ValueError, EOFError, RegioncastError) as error:
        raise _LeftOutError("it cannot be read") from error
    if values.dtype.kind == "c":
        raise _LeftOutError("its numbers are complex")
    if not is_whole:
        raise _LeftOutError(_OTHER_REGIONS)
    # A title for a map that has no name is none.
    is_named = names is not None and names != map_titles(len(names))
    return names if is_named else None, values.astype(np.float64)


def _names_and_values(table: _Table) -> tuple[list[str] | None, NDArray[Any]]:
    """Return what a file holds, whose regions have to be those of its sidecar."""
    if suffix_of(table.path) == ".npy":
        return None, np.atleast_2d(np.asarray(read_npy(table.path)))
    titles = _titles(table.path)
    n_before = len(titles) - len(table.regions)
    if n_before < 0 or titles[n_before:] != list(map(str, table.regions.unique_keys)):
        raise _LeftOutError(_OTHER_REGIONS)
    return _cells(table.path, n_before)


def _cells(path: Path, n_before: int) -> tuple[list[str] | None, NDArray[Any]]:
    """Return the names of maps, joined of the first columns, and the values in all others."""
    suffix = suffix_of(path)
    if suffix == ".parquet":
        import pandas as pd

        frame = pd.read_parquet(path)
        values = frame.iloc[:, n_before:].to_numpy(np.float64)
        rows = frame.iloc[:, :n_before].to_numpy(object).tolist()
    else:
        with path.open(encoding="utf-8", newline="") as file:
            _, *lines = csv.reader(file, delimiter=_DELIMITERS[suffix])
        values = np.array(
            [["nan" if cell == _MISSING else cell for cell in line[n_before:]] for line in lines],
            np.float64,
        )
        rows = [line[:n_before] for line in lines]
    if not n_before:
        return None, values
    return [_joined(row) for row in rows], values


def _joined(cells: Sequence[Any]) -> str:
    return "_".join(cell for cell in cells if isinstance(cell, str) and cell != _MISSING)


# --- writing -------------------------------------------------------------------------------------


@contextmanager
def _writer(path: Path, suffix: str, columns: Mapping[str, _Kind]) -> Iterator[_Write]:
    """Give what writes rows to a new file."""
    if suffix == ".parquet":
        with _parquet(path, columns) as write:
            yield write
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=_DELIMITERS[suffix], lineterminator="\n")
        writer.writerow(columns)

        def write_text(rows: Mapping[str, Any]) -> None:
            cells = [_as_text(rows.get(title), kind) for title, kind in columns.items()]
            n_rows = len(rows["name"])
            writer.writerows(
                zip(*(repeat(c, n_rows) if isinstance(c, str) else c for c in cells), strict=True)
            )

        yield write_text


def _as_text(cells: Any, kind: _Kind) -> str | list[Any]:
    """Return cells as they are written: numbers by as few digits as tell them."""
    if cells is None or isinstance(cells, str):
        return cells or _MISSING
    listed = cells.tolist() if isinstance(cells, np.ndarray) else cells
    written = {"text": str, "int": int, "float": float}[kind]
    # What is not equal to itself is NaN.
    return [_MISSING if cell is None or cell != cell else written(cell) for cell in listed]  # noqa: PLR0124


@contextmanager
def _parquet(path: Path, columns: Mapping[str, _Kind]) -> Iterator[_Write]:
    import pyarrow as pa
    from pyarrow import parquet

    types = {"text": pa.string(), "int": pa.int64(), "float": pa.float64()}
    schema = pa.schema([(title, types[kind]) for title, kind in columns.items()])
    waiting: list[pa.Table] = []

    with parquet.ParquetWriter(path, schema) as writer:

        def write(rows: Mapping[str, Any]) -> None:
            n_rows = len(rows["name"])
            arrays = []
            for title, kind in columns.items():
                cells = rows.get(title)
                if cells is None or isinstance(cells, str):
                    arrays.append(pa.repeat(pa.scalar(cells or None, types[kind]), n_rows))
                else:
                    arrays.append(pa.array(cells, types[kind], from_pandas=True))
            waiting.append(pa.Table.from_arrays(arrays, schema=schema))
            if sum(table.num_rows for table in waiting) >= _ROWS:
                writer.write_table(pa.concat_tables(waiting))
                waiting.clear()

        yield write
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
