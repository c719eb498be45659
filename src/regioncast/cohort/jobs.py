"""Jobs: which images are to be reduced by which atlases, and how."""

from __future__ import annotations

import csv
import difflib
import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..engine.extraction import Strategy
from ..errors import N_EXAMPLES, JobsError, RegioncastError, examples, plural
from ..files import expanded, without_up
from ..formats import family_of, stem_of, suffix_of
from ..io.filenames import entities_of
from ..io.kinds import NO_REGIONS
from ..io.surface.names import names_in, without_hemisphere
from ..tables.cells import is_absent
from ..tables.files import read_values
from ..tables.table import Table, are_mappings, is_frame, table_of_frame, table_of_records
from ..tables.text import read_text

if TYPE_CHECKING:
    from narwhals.typing import IntoDataFrame

_DELIMITERS = {".tsv": "\t", ".csv": ","}

_LABELLED = re.compile(r"([A-Za-z0-9]+)=(.+)", re.DOTALL)
_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9]")
_FIELD_OF_STRATEGY = "{strategy}"

# The parts of a name by which BIDS says which atlas it is, the best first.
_ENTITIES_OF_ATLASES = ("atlas", "seg", "parc")

_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True)
class Job:
    """One image, one atlas, and the strategies by which its regions are reduced: a row of a table.

    It can be sent to another process.

    Parameters
    ----------
    row : int
        Of the table, from 1, for messages.
    image : str
        Path; absolute, as are all others.
    atlas : str
        What `load_parcellation` takes as labels.
    label : str
        What the atlas is called in names of outputs: letters and digits.
    strategies : tuple of str
    of_atlas : mapping
        `regions`, `mask`, `min_coverage`, `resample` and `by`, as far as the row says them: these
        may differ between the jobs of one pass.
    of_pass : mapping
        Other options of `regioncast.extract`, as far as the row says them; jobs of one image with
        the same of these are one pass over it.
    output : str or None
        Template of the table's path inside of the folder of outputs, with ``{strategy}`` where
        there are several; None: the name that BIDS gives.
    image_in_table : str
        The image as the table has it, by which shards are told: it is the same wherever the table
        and the images are copied to.
    is_labelled : bool
        Whether the label was said, and not made of a name that says none.
    """

    row: int
    image: str
    atlas: str
    label: str
    strategies: tuple[str, ...]
    of_atlas: Mapping[str, Any] = field(default_factory=dict)
    of_pass: Mapping[str, Any] = field(default_factory=dict)
    output: str | None = None
    image_in_table: str = ""
    is_labelled: bool = True


Jobs: TypeAlias = (
    "str | os.PathLike[str] | IntoDataFrame | Sequence[Mapping[str, object]]"
    " | Mapping[str, Sequence[object]] | Sequence[Job]"
)
"""A table with a row per image and atlas: a file, or in memory."""


@dataclass(frozen=True)
class Pass:
    """The jobs that are done in one pass over an image."""

    image: str
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Outputs:
    """The files of one job: a table for each strategy, and one of coverage.

    Parameters
    ----------
    tables : mapping of str to Path
        By strategy.  Beside each lies its sidecar, which says what it was made of.
    coverage : Path or None
        None where the job names its output: the sidecars hold the coverage then.
    """

    tables: Mapping[str, Path]
    coverage: Path | None

    @property
    def all(self) -> list[Path]:
        """The tables and the coverage."""
        return [*self.tables.values(), *([] if self.coverage is None else [self.coverage])]


# --- what becomes of them ------------------------------------------------------------------------


def passes(jobs: Sequence[Job]) -> list[Pass]:
    """Return the passes over images that jobs are, in the order of the first job of each image.

    Jobs of one image with the same options of the pass are one.
    """
    of_images: dict[str, list[list[Job]]] = {}
    for job in jobs:
        groups = of_images.setdefault(job.image, [])
        for group in groups:
            if group[0].of_pass == job.of_pass:
                group.append(job)
                break
        else:
            groups.append([job])
    return [Pass(image, tuple(group)) for image, groups in of_images.items() for group in groups]


def in_shard(image: str, number: int, count: int) -> bool:
    """Return whether an image is of a shard, by a hash of its name: a new row moves no other.

    Parameters
    ----------
    image : str
        As the table has it.
    number : int
        Of the shard, from 1.
    count : int
        How many shards there are.

    Examples
    --------
    >>> [in_shard("sub-01_bold.nii.gz", number, 3) for number in (1, 2, 3)].count(True)
    1
    """
    digest = hashlib.sha256(os.fsencode(image)).digest()
    return int.from_bytes(digest[:8], "big") % count == number - 1


# --- reading -------------------------------------------------------------------------------------


def read_jobs(source: Jobs, *, strategies: Sequence[str] = ("mean",)) -> list[Job]:
    """Return the jobs of a table, a row each.

    Parameters
    ----------
    source : path, DataFrame, list of dict, or dict of lists
        Files are ``.tsv``, ``.csv`` and ``.parquet``, and paths in them are relative to their
        folder; paths in objects to the working folder.  Columns ``image`` and ``atlas``, and where
        wanted `mask`, `regions`, `resample`, `min_coverage`, `strategy`, `weights` and other
        options of `extract`, and ``output``.  Cells that are empty or ``n/a`` say nothing; several
        strategies in a cell have commas between them.  An atlas is a path, or ``LABEL=PATH``; one
        label may be of a file for each image, as of each subject.
    strategies : sequence of str, default=("mean",)
        Those of rows that say none.

    Returns
    -------
    list of Job

    Raises
    ------
    JobsError
        When the table lacks a column or has one that is not known, when a cell cannot be what it
        is titled, or when two atlases have one label; the message lists the rows.
    ArgumentError
        When there is no such strategy.
    InputMissingError, FileFormatError
        When there is no such file, or it is no table.

    Examples
    --------
    >>> jobs = read_jobs({"image": ["a.nii", "b.nii"], "atlas": ["A=a_dseg.nii"] * 2})
    >>> len(jobs), jobs[1].label, jobs[1].strategies
    (2, 'A', ('mean',))
    """
    if isinstance(source, list) and {type(each) for each in source} == {Job}:
        return [*source]
    usual = tuple(strategy.name for strategy in Strategy.all_of(list(strategies)))
    table, folder = _table(source)
    _check_columns(table)
    jobs, wrong = [], []
    for row, said in enumerate(_rows(table), start=1):
        try:
            jobs.append(_job(row, said, folder, usual))
        except (ValueError, RegioncastError) as error:
            wrong.append(f"row {row:,}: {error}")
    if wrong:
        raise JobsError(
            f"{table.subject}: {plural(len(wrong), 'row')} of {table.n_rows:,} cannot be read: "
            f"{several(wrong)}. Correct the table."
        )
    if not jobs:
        raise JobsError(f"{table.subject} has no rows. Give one per image and atlas.")
    _check_labels(jobs, table)
    return jobs


def _rows(table: Table) -> Iterator[dict[str, Any]]:
    """Give for each row what its cells say; those that say nothing are left out."""
    columns = {str(column.title): column.cells for column in table.body}
    for number in range(table.n_rows):
        cells = {title: column[number] for title, column in columns.items()}
        yield {title: cell for title, cell in cells.items() if not is_absent(cell)}


def several(texts: Sequence[str]) -> str:
    """Return the first of some clauses as a phrase that says how many there are more."""
    shown = "; ".join(text.rstrip(".") for text in texts[:N_EXAMPLES])
    n_more = len(texts) - N_EXAMPLES
    return shown if n_more <= 0 else f"{shown}; and {n_more:,} more"


def _table(source: Any) -> tuple[Table, Path]:
    """Return a table of cells, and the folder that paths in it are relative to."""
    if isinstance(source, str | os.PathLike):
        file = expanded(source)
        table = _table_of_text(file) if suffix_of(file) in _DELIMITERS else read_values(file)
        if not isinstance(table, Table):
            raise JobsError(f"{file} holds numbers alone. Give a table of jobs: .tsv, .csv.")
        return table, file.absolute().parent
    if is_frame(source):
        table = table_of_frame(source)
    elif isinstance(source, Mapping):
        table = _table_of_columns(source)
    elif isinstance(source, list | tuple) and not source:
        raise JobsError("The list of jobs is empty. Give a dict per image and atlas.")
    elif isinstance(source, list | tuple) and are_mappings(source):
        table = table_of_records(source, "the list of jobs")
    else:
        raise JobsError(
            f"Jobs are a table: its path, a DataFrame, a list of dicts, or a dict of lists; not "
            f"{type(source).__name__}."
        )
    return table, Path.cwd()


def _table_of_columns(columns: Mapping[Any, Any]) -> Table:
    lengths = {}
    for title, cells in columns.items():
        if isinstance(cells, str | os.PathLike) or not hasattr(cells, "__len__"):
            raise JobsError(f"The column {title!r} is {cells!r}. Give a list with a cell per job.")
        lengths[title] = len(cells)
    if len(set(lengths.values())) > 1:
        numbers = ", ".join(f"{length:,} in {title!r}" for title, length in lengths.items())
        raise JobsError(f"Columns of jobs have different numbers of rows: {numbers}.")
    rows = zip(*columns.values(), strict=True)
    records = [dict(zip(columns, cells, strict=True)) for cells in rows]
    return table_of_records(records, "the dict of jobs")


def _table_of_text(file: Path) -> Table:
    """Return a file of text as a table, of which nothing is guessed: paths may be anything."""
    lines = csv.reader(read_text(file).splitlines(), delimiter=_DELIMITERS[suffix_of(file)])
    rows = [[cell.strip() for cell in line] for line in lines]
    titles, *body = [row for row in rows if any(row)] or [[]]
    _check_rectangle(file, titles, body)
    # Spreadsheets write columns in which there is nothing, not even a title.
    records = [dict(filter(any, zip(titles, row, strict=True))) for row in body]
    return table_of_records(records, str(file))


def _check_rectangle(file: Path, titles: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    if len(titles) == 1 and re.search(r"[\t,;]", titles[0]):
        sign = "tabs" if suffix_of(file) == ".tsv" else "commas"
        raise JobsError(f"{file} has one column, {titles[0]!r}. Save it with {sign} between cells.")
    wrong = [number for number, row in enumerate(body, start=1) if len(row) != len(titles)]
    if wrong:
        raise JobsError(
            f"{file}: {plural(len(wrong), 'row')} with another number of cells than there are "
            f"titles ({len(titles):,}): {examples(wrong)}. Write {file.suffix} with a cell for "
            "each title."
        )
    twice = [title for title, count in Counter(filter(None, titles)).items() if count > 1]
    if twice:
        raise JobsError(
            f"{file}: columns that are there more than once: {examples(twice)}. Keep one of each."
        )


def _check_columns(table: Table) -> None:
    titles = [str(column.title) for column in table.body]
    known = ["image", "atlas", "strategy", "output", *_OF_ATLAS, *_OF_PASS]
    unknown = [title for title in titles if title not in known]
    if unknown:
        raise JobsError(
            f"{table.subject}: {plural(len(unknown), 'column')} that jobs do not have: "
            f"{examples(unknown)}.{_near_misses(unknown, known)} Columns are {', '.join(known)}."
        )
    lacking = {"image", "atlas"}.difference(titles)
    if lacking and table.n_rows:
        raise JobsError(
            f"{table.subject} has no column {' and no column '.join(map(repr, sorted(lacking)))}; "
            f"its columns are {examples(titles, show=20)}."
        )


def _near_misses(titles: Sequence[str], known: Sequence[str]) -> str:
    hints = ""
    for title in titles:
        for close in difflib.get_close_matches(title.lower(), known, n=1):
            hints += f" Did you mean {close!r} for {title!r}?"
    return hints


def _check_labels(jobs: Sequence[Job], table: Table) -> None:
    """Raise where one label stands for two atlases, whose tables would be taken for one.

    One that was said may be of a file for each image, as where every subject has an own one.
    """
    first: dict[Any, Job] = {}
    differing: dict[str, str] = {}
    for job in jobs:
        others = (first.setdefault(key, job) for key in (job.label, (job.label, job.image)))
        for other in others:
            if not _may_share_a_label(other, job):
                of_both = f"{other.atlas} (row {other.row:,}) and {job.atlas} (row {job.row:,})"
                differing.setdefault(job.label, f"{job.label} of {of_both}")
    if differing:
        raise JobsError(
            f"{table.subject}: {plural(len(differing), 'label')} of more than one atlas, or of one "
            f"with different regions= or by=: {several(list(differing.values()))}. "
            "Write LABEL=PATH in the column atlas, with a label for each; the same label for the "
            "files of different images where each subject has an own one."
        )


def _may_share_a_label(job: Job, other: Job) -> bool:
    by, regions = ([each.of_atlas.get(name) for each in (job, other)] for name in ("by", "regions"))
    if job.atlas == other.atlas:
        return by[0] == by[1] and regions[0] == regions[1]
    are_said = job.is_labelled and other.is_labelled
    return are_said and job.image != other.image and by[0] == by[1]


def _job(row: int, said: Mapping[str, Any], folder: Path, usual: tuple[str, ...]) -> Job:
    for title in ("image", "atlas"):
        if title not in said:
            raise ValueError(f"there is nothing in the column {title!r}")
        _check_path(title, said[title])
    cell = _text(said["atlas"], folder)
    match = _LABELLED.fullmatch(cell)
    label, atlas = match.groups() if match else (label_of(cell), cell)
    is_labelled = match is not None or label is not None
    strategies = usual
    if "strategy" in said:
        named = _options(said, {"strategy": _texts}, folder)["strategy"]
        strategies = tuple(strategy.name for strategy in Strategy.all_of(named))
    output = _output(said, strategies, folder)
    return Job(
        row,
        _path(said["image"], folder),
        _path(atlas, folder),
        label or _label_of_stem(cell),
        strategies,
        _options(said, _OF_ATLAS, folder),
        _options(said, _OF_PASS, folder),
        output,
        _text(said["image"], folder),
        is_labelled,
    )


def _check_path(title: str, cell: Any) -> None:
    if not isinstance(cell, str | os.PathLike):
        kind = type(cell).__name__
        raise ValueError(f"{title} is the path of a file, not {kind}")  # noqa: TRY004  as _text
    # Of a folder of files, no time or size says whether they are what they were.
    if family_of(Path(cell)) == "zarr":
        raise ValueError(f"{title} {os.fspath(cell)!r} is a Zarr, and no file: use extract for it")


def _output(said: Mapping[str, Any], strategies: Sequence[str], folder: Path) -> str | None:
    output = _options(said, {"output": _text}, folder).get("output")
    if output is not None and len(strategies) > 1 and _FIELD_OF_STRATEGY not in output:
        raise ValueError(
            f"{len(strategies):,} strategies and one output, {output!r}: put {_FIELD_OF_STRATEGY} "
            "into it"
        )
    return output


def label_of(atlas: str) -> str | None:
    """Return what the name of an atlas says that it is, None where it does not.

    Examples
    --------
    >>> label_of("tpl-MNI152NLin6Asym_atlas-Schaefer2018_res-02_dseg.nii.gz")
    'Schaefer2018'
    """
    entities = entities_of(_name_of_atlas(atlas))
    values = (entities[key].partition("-")[2] for key in _ENTITIES_OF_ATLASES if key in entities)
    return _NOT_IN_LABELS.sub("", next(values, "")) or None


def _label_of_stem(atlas: str) -> str:
    label = _NOT_IN_LABELS.sub("", stem_of(Path(_name_of_atlas(atlas))))
    if not label:
        raise ValueError(f"{atlas!r} has no letter for a label: write LABEL=PATH")
    return label


def _name_of_atlas(atlas: str) -> str:
    names = names_in(atlas)
    return Path(names[0] if len(names) == 1 else without_hemisphere(names[0])).name


def _options(said: Mapping[str, Any], known: Mapping[str, _Cell], folder: Path) -> dict[str, Any]:
    options = {}
    for title in known.keys() & said.keys():
        try:
            options[title] = known[title](said[title], folder)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{title} {error}") from None
    return {title: options[title] for title in known if title in options}


# --- cells ---------------------------------------------------------------------------------------

_Cell = Callable[[Any, Path], Any]
"""Takes what a cell holds, and the folder that paths are relative to."""


def _text(cell: Any, folder: Path) -> str:  # noqa: ARG001  all that read cells take the same
    if not isinstance(cell, str | os.PathLike):
        raise ValueError(f"is text, not {cell!r}")  # noqa: TRY004  what is wrong is the table
    return os.fspath(cell).strip()


def _texts(cell: Any, folder: Path) -> list[str]:
    """Return the texts of a list, or of one that has commas between them."""
    if isinstance(cell, str | os.PathLike):
        return [text for part in _text(cell, folder).split(",") if (text := part.strip())]
    if isinstance(cell, Mapping) or is_frame(cell) or not isinstance(cell, Iterable):
        raise ValueError(f"is text or a list of texts, not {type(cell).__name__}")
    return [_text(part, folder) for part in cell]


def _path(cell: Any, folder: Path) -> str:
    """Return a path, or the two of a pair of surfaces, made absolute."""
    names = names_in(str(folder / expanded(_text(cell, folder))))
    return ",".join(str(without_up(folder / expanded(name))) for name in names)


def _paths(cell: Any, folder: Path) -> str | list[str]:
    """Return the path of one file, or of several in a list."""
    if isinstance(cell, str | os.PathLike) and (folder / expanded(cell)).exists():
        return _path(cell, folder)
    paths = [str(without_up(folder / expanded(text))) for text in _texts(cell, folder)]
    return paths[0] if len(paths) == 1 else paths


def _regions(cell: Any, folder: Path) -> str:
    text = _text(cell, folder)
    return NO_REGIONS if text == NO_REGIONS else str(without_up(folder / expanded(text)))


def _number(cell: Any, folder: Path) -> float:  # noqa: ARG001
    try:
        if isinstance(cell, bool):
            raise ValueError  # noqa: TRY004  as text that is no number
        return float(cell)
    except (ValueError, TypeError):
        raise ValueError(f"is a number, not {cell!r}") from None


def _fraction(cell: Any, folder: Path) -> float:
    number = _number(cell, folder)
    if not 0 <= number <= 1:
        raise ValueError(f"is a fraction from 0 to 1, not {cell!r}")
    return number


def _flag(cell: Any, folder: Path) -> bool:  # noqa: ARG001
    flag = _FLAGS.get(str(cell).strip().lower().removesuffix(".0"))
    if flag is None:
        raise ValueError(f"is true or false, not {cell!r}")
    return flag


def _one_of(*words: str) -> _Cell:
    def word(cell: Any, folder: Path) -> str:
        text = _text(cell, folder)
        if text not in words:
            raise ValueError(f"is {' or '.join(map(repr, words))}, not {cell!r}")
        return text

    return word


_OF_ATLAS: Mapping[str, _Cell] = {
    "regions": _regions,
    "mask": _path,
    "min_coverage": _fraction,
    "resample": _one_of("labels"),
    "by": _text,
}
_OF_PASS: Mapping[str, _Cell] = {
    "weights": _path,
    "nan": _one_of("omit", "propagate", "zero"),
    "confounds": _paths,
    "confound_columns": _texts,
    "standardize": _one_of("zscore_sample", "psc"),
    "detrend": _flag,
    "low_pass": _number,
    "high_pass": _number,
    "t_r": _number,
}
