"""A table of jobs, done: what is done already is known from the disk, and the rest is run."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ArgumentError, JobsError, OutputError, plural
from ..executors import Engine, each_done, opened
from ..files import output_path, replacing, without_up
from ..formats import suffix_of
from ..io.sidecar import COMMAND
from ..tables.files import needs_pyarrow
from .jobs import Job, Jobs, Outputs, Pass, in_shard, passes, read_jobs, several
from .naming import FAILED, check_folder, outputs_of, prepare_folder
from .records import Stamps, State, remove, state_of
from .work import Outcome, Task, do, reason_of

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from ..progress import Progress

_SHARD = re.compile(r"(\d{1,9})/(\d{1,9})", re.ASCII)

# Warnings that are kept: what thousands of images are warned of is said by the first of them.
_KEPT_WARNINGS = 20


@dataclass(frozen=True)
class Planned:
    """A job, where its tables go, and whether they are there.

    Parameters
    ----------
    job : Job
    outputs : Outputs
    state : State
    """

    job: Job
    outputs: Outputs
    state: State


@dataclass(frozen=True)
class Failed:
    """A job that failed.

    Parameters
    ----------
    planned : Planned
    reason : str
    stale : bool
        Whether a table of it is there, of an earlier run, that is not of what its inputs are now.
    """

    planned: Planned
    reason: str
    stale: bool


@dataclass
class Summary:
    """What came of a table of jobs.

    Parameters
    ----------
    folder : Path
        Of outputs.
    n_jobs : int
        All of the table, or of the shard.
    to_do : list of Planned
        What was not done before.
    n_done : int
        How many of these are done now.
    failed : list of Failed
    failed_list : Path or None
        The table of what failed; None where nothing did.
    warnings : Counter of str
        How many images each is of.
    stopped : str
        Why no more was done, as on a full disk; ``""`` where all was.
    """

    folder: Path
    n_jobs: int
    to_do: list[Planned]
    n_done: int = 0
    failed: list[Failed] = field(default_factory=list)
    failed_list: Path | None = None
    warnings: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    @property
    def n_left(self) -> int:
        """How many jobs are neither done nor failed."""
        return len(self.to_do) - self.n_done - len(self.failed)

    @property
    def n_before(self) -> int:
        """How many jobs were done before."""
        return self.n_jobs - len(self.to_do)

    def __str__(self) -> str:
        counts = f"{self.n_done:,} done now, {self.n_before:,} done before"
        where = "" if self.failed_list is None else f" ({self.failed_list})"
        left = f", {self.n_left:,} not begun or not ended" if self.n_left else ""
        return f"{self.folder}: {counts}, {len(self.failed):,} failed{where}{left}"


def batch(
    jobs: Jobs,
    out: str | os.PathLike[str],
    *,
    strategy: str | Sequence[str] = "mean",
    executor: Executor | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    shard: str | tuple[int, int] | None = None,
    format: Literal["tsv", "parquet"] = "tsv",  # noqa: A002  as everywhere
    checksum: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    looking: Progress | None = None,
) -> Summary:
    """Do the jobs of a table that are not done, and write a table for each atlas and strategy.

    What is done is known from the folder: a table whose sidecar says the same inputs, options and
    version.  So the same call again goes on after whatever happened, and does again what changed.
    One job that fails does not stop the others.

    Parameters
    ----------
    jobs : path, DataFrame, list of dict, or dict of lists
        As `read_jobs` takes them.
    out : path
        Folder of outputs, a derivative of BIDS that is made; tables of ours in it are replaced.
    strategy : str or list of str, default="mean"
        Of rows that say none.
    executor : concurrent.futures.Executor, default=None
        Where the work is done, and left open; instead of `workers` and `scheduler`.
    workers : int, default=None
        Number of local processes, as many as processors when not given; 1: this process.
    scheduler : str, default=None
        Address of a Dask scheduler.
    shard : str or tuple of two int, default=None
        ``"3/200"``: the third of 200 parts of the table, by a hash of the names of images.
    format : {"tsv", "parquet"}, default="tsv"
    checksum : bool, default=False
        Whether inputs are told by their contents, and not by their times.
    dry_run : bool, default=False
        Look what is to be done, and change nothing.
    progress : callable, default=None
        Called with the number of jobs done and the number of all.
    looking : callable, default=None
        Called with the number of jobs looked at, whether they are done, and the number of all.

    Returns
    -------
    Summary
        What was done and what failed; also written to ``jobs.failed.tsv`` in the folder.  Where
        the disk is full, no more is tried.  An interrupt has the summary as a note.

    Raises
    ------
    JobsError
        When the table cannot be read, or two rows have one output.
    ArgumentError
        When an option has a value that it cannot have.
    OutputError
        When the folder is not one of ours, or cannot be written.
    MissingPackageError
        When Parquet is asked for without pyarrow, or a scheduler without Dask.
    SchedulerError, WorkerDiedError
        When the executor takes no more tasks.

    Examples
    --------
    >>> import regioncast as rc
    >>> from regioncast.cohort import batch
    >>> demo = rc.demo_data()
    >>> row = {"image": demo.statistic, "atlas": f"A={demo.atlas}", "resample": "labels"}
    >>> summary = batch([row], "tables", workers=1)
    >>> summary.n_done, summary.n_before, summary.failed
    (1, 0, [])
    >>> batch([row], "tables", workers=1).n_before
    1
    """
    number, count = _shard(shard)
    suffix = _suffix(format)
    folder = without_up(output_path(out))
    listed = read_jobs(jobs, strategies=[strategy] if isinstance(strategy, str) else strategy)
    # All rows are looked at in every shard, as two with one output may be in two of them.
    in_part = [job for job in listed if in_shard(job.image_in_table, number, count)]
    outputs = _outputs(listed, folder, suffix, {job.row for job in in_part})
    _check_one(executor, workers, scheduler)
    if dry_run:
        check_folder(folder)
    else:
        prepare_folder(folder, listed)
    stamps = Stamps(folder, checksum=checksum)
    to_do = _to_do(in_part, outputs, stamps, looking)
    summary = Summary(folder, len(in_part), to_do)
    if dry_run:
        return summary
    # Before anything runs: whatever happens later, nothing stale is taken for done.
    for planned in to_do:
        remove(planned.state.stale)
    name = f"{FAILED}.tsv" if shard is None else f"{FAILED}.{number}of{count}.tsv"
    with _engine(executor, workers, scheduler) as engine:
        try:
            _run(summary, engine, checksum=checksum, progress=progress)
        except BaseException as error:
            # An interrupt, too: schedulers of clusters end what has used up its time.
            _list_failed(summary, folder / name)
            error.add_note(f"{summary}. The same command goes on.")
            raise
    _list_failed(summary, folder / name)
    return summary


def _to_do(
    jobs: Sequence[Job], outputs: Mapping[int, Outputs], stamps: Stamps, looking: Progress | None
) -> list[Planned]:
    """Return the jobs that are not done, each with the reason."""
    to_do = []
    for n_looked_at, job in enumerate(jobs, start=1):
        state = state_of(job, outputs[job.row], stamps)
        if state.reason:
            to_do.append(Planned(job, outputs[job.row], state))
        if looking is not None:
            looking(n_looked_at, len(jobs))
    return to_do


def _shard(shard: str | tuple[int, int] | None) -> tuple[int, int]:
    if shard is None:
        return 1, 1
    match = _SHARD.fullmatch("{}/{}".format(*shard) if isinstance(shard, tuple) else str(shard))
    number, count = map(int, match.groups()) if match else (0, 0)
    if not 1 <= number <= count:
        raise ArgumentError(
            f"shard is a part and the number of parts, as in 3/200, from 1/200 to 200/200; it is "
            f"{shard!r}."
        )
    return number, count


def _check_one(*engines: object) -> None:
    if sum(engine is not None for engine in engines) > 1:
        raise ArgumentError("Say one of executor, workers and scheduler.")


def _suffix(name: str) -> str:
    if name not in ("tsv", "parquet"):
        raise ArgumentError(f"format is 'tsv' or 'parquet', not {name!r}.")
    if name == "parquet":
        needs_pyarrow()
    return f".{name}"


def _outputs(jobs: Sequence[Job], folder: Path, suffix: str, rows: set[int]) -> dict[int, Outputs]:
    """Return the outputs of some rows; raise where two of all are one, or are an input."""
    of_rows: dict[int, Outputs] = {}
    first: dict[str, int] = {}
    clashes: dict[Path, str] = {}
    inputs = {text for job in jobs for text in _paths_in(job)}
    for job in jobs:
        outputs = outputs_of(job, folder, suffix)
        # Of a shard few are kept, of thousands.
        if job.row in rows:
            of_rows[job.row] = outputs
        for path in outputs.all:
            row = first.setdefault(_without_ending(path, suffix), job.row)
            if row != job.row:
                clashes.setdefault(path, f"{path.relative_to(folder)} of rows {row} and {job.row}")
            elif str(path) in inputs:
                clashes.setdefault(path, f"{path} of row {job.row}, which is an input")
    if clashes:
        raise JobsError(
            f"{plural(len(clashes), 'output')} would be written more than once, or over an input: "
            f"{several(list(clashes.values()))}. Take out rows that are there "
            "twice, put several strategies into one cell, give atlases labels of their own, or "
            "name outputs in the column output."
        )
    return of_rows


def _without_ending(path: Path, suffix: str) -> str:
    """Return what tells a table from others: the sidecars of x.tsv and x.csv would be one."""
    text = str(path)
    return text[: -len(suffix if text.endswith(suffix) else suffix_of(path))]


def _paths_in(job: Job) -> Iterator[str]:
    for option in (job.image, job.atlas, *job.of_atlas.values(), *job.of_pass.values()):
        if isinstance(option, str):
            yield option
        elif isinstance(option, list):
            yield from option


@contextmanager
def _engine(
    executor: Executor | None, workers: int | None, scheduler: str | None
) -> Iterator[Engine]:
    if executor is not None:
        yield Engine(executor)
        return
    with opened(workers=workers, scheduler=scheduler) as engine:
        yield engine


def _run(summary: Summary, engine: Engine, *, checksum: bool, progress: Progress | None) -> None:
    """Do what is to be done, and note in the summary what came of it."""
    by_row = {planned.job.row: planned for planned in summary.to_do}
    command = tuple(COMMAND.get())
    n_jobs = engine.n_jobs

    def tasks() -> Iterator[Task]:
        for work in passes([planned.job for planned in summary.to_do]):
            outputs = tuple(by_row[job.row].outputs for job in work.jobs)
            yield Task(work, outputs, summary.folder, checksum, n_jobs, command)

    if progress is not None:
        progress(summary.n_before, summary.n_jobs)
    with closing(each_done(engine.executor, do, tasks())) as done:
        for task, future in done:
            _note(summary, task.work, future, by_row)
            if progress is not None:
                n_over = summary.n_done + len(summary.failed)
                progress(summary.n_before + n_over, summary.n_jobs)
            if summary.stopped:
                return


def _note(summary: Summary, work: Pass, future: Future[Any], by_row: Mapping[int, Planned]) -> None:
    outcome = _outcome(future, len(work.jobs))
    for job, reason in zip(work.jobs, outcome.errors, strict=True):
        if reason:
            tables = by_row[job.row].outputs.tables.values()
            is_stale = any(map(os.path.lexists, tables))
            summary.failed.append(Failed(by_row[job.row], reason, is_stale))
        else:
            summary.n_done += 1
    for warning in outcome.warnings:
        if warning in summary.warnings or len(summary.warnings) < _KEPT_WARNINGS:
            summary.warnings[warning] += 1
    if outcome.is_disk_full:
        # Thousands of other jobs would do their work, and fail as this one.
        summary.stopped = next(filter(None, outcome.errors))


def _outcome(future: Future[Any], n_jobs: int) -> Outcome:
    error = future.exception()
    if error is None:
        outcome: Outcome = future.result()
        return outcome
    if not isinstance(error, Exception):
        raise error
    return Outcome((reason_of(error),) * n_jobs)


def _list_failed(summary: Summary, path: Path) -> None:
    """Write the table of what failed, or remove that of an earlier run."""
    if not summary.failed:
        if summary.n_done == len(summary.to_do):
            path.unlink(missing_ok=True)
        return
    summary.failed.sort(key=lambda failed: failed.planned.job.row)
    rows = [("row", "image", "atlas", "output", "reason", "stale")]
    for failed in summary.failed:
        job, outputs = failed.planned.job, failed.planned.outputs
        tables = (path.relative_to(summary.folder).as_posix() for path in outputs.tables.values())
        stale = "true" if failed.stale else "false"
        rows.append((str(job.row), job.image, job.label, ",".join(tables), failed.reason, stale))
    try:
        with (
            replacing(path, overwrite=True) as temporary,
            temporary.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
        ):
            csv.writer(file, delimiter="\t", lineterminator="\n").writerows(rows)
    except OutputError as error:
        summary.warnings[f"The list of what failed was not written: {error}"] += 1
    else:
        summary.failed_list = path
