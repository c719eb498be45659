"""The work of one pass over an image, in whatever process: from its files to tables on the disk."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api import load_parcellation
from ..chunked.painting import refuse_chunks
from ..engine.extraction import Strategy
from ..errors import (
    DimensionError,
    FileFormatError,
    InputMissingError,
    InputUnreadableError,
    OutputError,
    RegioncastError,
    warnings_kept,
)
from ..extracting import Wanted, extract_each
from ..files import make_folder
from ..io.kinds import beside_signals, save_signals
from ..io.sidecar import COMMAND
from ..tables.write import write_regions
from .records import Stamps, record_of, write_record

if TYPE_CHECKING:
    from ..atlas.parcellation import Parcellation
    from ..signals import Signals
    from .jobs import Job, Outputs, Pass

# Errors that are those of all atlases and strategies: the image is not read once more for each.
_OF_THE_IMAGE = (
    DimensionError, FileFormatError, InputMissingError, InputUnreadableError, MemoryError,
)  # fmt: skip

# What the system says where there is no room for any output, or none may be written.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

# Atlases that a process keeps: those of a cohort, and not all that a worker of Dask ever saw.
_KEPT_ATLASES = 8


@dataclass(frozen=True)
class Task:
    """What a worker is sent: a pass over an image, and where its tables go.

    Parameters
    ----------
    work : Pass
    outputs : tuple of Outputs
        Of each of its jobs.
    folder : Path
        Of all outputs; absolute.
    checksum : bool
        Whether records have the checksums of inputs.
    n_jobs : int or None
        Threads of this task.
    command : tuple of str
        What the sidecars say was run.
    """

    work: Pass
    outputs: tuple[Outputs, ...]
    folder: Path
    checksum: bool
    n_jobs: int | None
    command: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Parameters
    ----------
    errors : tuple of str
        Of each of its jobs, why there is no table of it; ``""`` where there is.
    warnings : tuple of str
    is_disk_full : bool
        Whether nothing more can be written, whatever the job.
    """

    errors: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    is_disk_full: bool = False


def do(task: Task) -> Outcome:
    """Write the tables of a pass over an image; whatever is wrong with its data is in the outcome.

    Records are written last, so that none is there without all tables of its job.
    """
    COMMAND.set(task.command)
    with warnings_kept() as kept:
        errors = _errors(task)
    return Outcome(
        tuple("" if error is None else reason_of(error) for error in errors),
        tuple(dict.fromkeys(kept)),
        any(map(_is_of_full_disk, errors)),
    )


def reason_of(error: BaseException) -> str:
    """Return in a line why a job failed."""
    said = " ".join(str(error).split())
    if isinstance(error, RegioncastError):
        return said
    if isinstance(error, MemoryError):
        return "There is not enough memory. Use fewer workers, or a machine with more."
    return f"unexpected {type(error).__name__}: {said}"


def _is_of_full_disk(error: Exception | None) -> bool:
    cause = None if error is None else error.__cause__
    return isinstance(error, OutputError) and getattr(cause, "errno", None) in _FULL


def _errors(task: Task) -> list[Exception | None]:
    stamps = Stamps(task.folder, checksum=task.checksum)
    # What the files are before they are read: what is changed meanwhile will be found changed.
    records: list[dict[str, Any] | Exception] = []
    for job in task.work.jobs:
        try:
            records.append({name: record_of(job, name, stamps) for name in job.strategies})
        except OSError as error:
            records.append(error)
    # Nothing is written before all of the image is read: its end may be where it is damaged.
    outcomes = extract_pass(task.work, n_jobs=task.n_jobs)
    errors: list[Exception | None] = []
    for outputs, record, outcome in zip(task.outputs, records, outcomes, strict=True):
        try:
            errors.append(None)
            _write(outputs, _right(outcome), _right(record))
        except Exception as error:  # noqa: BLE001  one job does not stop the others
            errors[-1] = error
    return errors


def _right(outcome: dict[str, Any] | Exception) -> dict[str, Any]:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _write(outputs: Outputs, signals: dict[str, Signals], records: dict[str, Any]) -> None:
    for path in outputs.all:
        make_folder(path.parent)
    for strategy, table in outputs.tables.items():
        save_signals(signals[strategy], table, long=False, overwrite=True, sidecar=False)
    if outputs.coverage is not None:
        coverage = next(iter(signals.values())).coverage
        assert coverage is not None, "freshly extracted signals know their coverage"
        write_regions(coverage, outputs.coverage, overwrite=True)
    for strategy, table in outputs.tables.items():
        write_record(table, beside_signals(signals[strategy], table), records[strategy])


# --- signals -------------------------------------------------------------------------------------


def extract_pass(task: Pass, *, n_jobs: int | None) -> list[dict[str, Signals] | Exception]:
    """Return for each job of a pass its signals by strategy, or what is wrong with it alone."""
    outcomes: dict[int, dict[str, Signals] | Exception] = {}
    wanted: dict[int, Wanted] = {}
    for number, job in enumerate(task.jobs):
        try:
            wanted[number] = _wanted(job)
        except Exception as error:  # noqa: BLE001  whatever it is, it is not the others'
            outcomes[number] = error
    outcomes |= _extracted(task, wanted, n_jobs)
    return [outcomes[number] for number in range(len(task.jobs))]


def _extracted(
    task: Pass, wanted: dict[int, Wanted], n_jobs: int | None
) -> dict[int, dict[str, Signals] | Exception]:
    jobs = [task.jobs[number] for number in wanted]
    failed: dict[str, RegioncastError] = {}
    try:
        extracted = extract_each(
            task.image,
            {str(number): each for number, each in wanted.items()},
            _strategies_of(jobs),
            n_jobs=n_jobs,
            failed=failed,
            **task.jobs[0].of_pass,
        )
    except Exception as error:  # noqa: BLE001  damaged files lead readers to raise anything
        if len(wanted) == 1 or isinstance(error, _OF_THE_IMAGE):
            return dict.fromkeys(wanted, error)
        return _each_alone(task, wanted, n_jobs)
    return {
        number: failed.get(str(number)) or _chosen(extracted[str(number)], job)
        for number, job in zip(wanted, jobs, strict=True)
    }


def _each_alone(
    task: Pass, wanted: dict[int, Wanted], n_jobs: int | None
) -> dict[int, dict[str, Signals] | Exception]:
    """Extract of each atlas by itself, which tells whose strategy or weights it was."""
    outcomes: dict[int, dict[str, Signals] | Exception] = {}
    for number, each in wanted.items():
        outcomes |= _extracted(task, {number: each}, n_jobs)
    return outcomes


def _strategies_of(jobs: Sequence[Job]) -> list[Strategy]:
    """Return all strategies that any of some jobs asks for: they are one pass."""
    names = dict.fromkeys(name for job in jobs for name in job.strategies)
    return [Strategy.of(name) for name in names]


def _chosen(signals: dict[str, Signals], job: Job) -> dict[str, Signals]:
    return {strategy: signals[strategy] for strategy in job.strategies}


def _wanted(job: Job) -> Wanted:
    options = dict(job.of_atlas)
    regions, by = options.pop("regions", None), options.pop("by", None)
    files = Stamps(Path(), checksum=False).files_of_atlas(job.atlas, regions)
    stamps = tuple((file, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return Wanted(_atlas(job.atlas, regions, by, stamps), **options)


@lru_cache(_KEPT_ATLASES)
def _atlas(
    labels: str,
    regions: str | None,
    by: str | None,
    stamps: Sequence[tuple[Path, int, int]],  # noqa: ARG001  by which the files are the same
) -> Parcellation:
    atlas = load_parcellation(labels, regions)
    refuse_chunks(atlas)
    return atlas if by is None else atlas.group(by)
