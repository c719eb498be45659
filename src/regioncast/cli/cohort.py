"""The verbs of many images."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..errors import ArgumentError, plural
from ..progress import ProgressBar
from .shell import FAILED, OK, NewPath, app, complain, say

if TYPE_CHECKING:
    from ..cohort.batches import Summary

OutputFolder = Annotated[
    NewPath,
    Parameter(
        name=["--output", "-o"],
        help="Folder of the tables, which is made; one that has files of others is refused.",
    ),
]

# Seconds between lines in a log.
_LOG_EVERY = 60.0

# Lines about what failed; all are in the list that is written.
_SHOWN_REASONS = 5


@app.command
def batch(
    jobs: Path,
    /,
    *,
    output: OutputFolder,
    strategy: list[str] | None = None,
    workers: int | None = None,
    shard: str | None = None,
    scheduler: str | None = None,
    format: Literal["tsv", "parquet"] = "tsv",  # noqa: A002  the option's name
    checksum: bool = False,
    dry_run: bool = False,
    status: bool = False,
) -> int:
    """Extract region signals from many images by many atlases; the same command again goes on.

    For example:

    regioncast batch jobs.tsv -o tables --strategy mean --strategy median

    regioncast batch jobs.tsv -o tables --shard 3/200 --workers 4

    regioncast batch jobs.tsv -o tables --status

    What failed is listed in jobs.failed.tsv in the folder of outputs. Exits with 0 where all is
    done, 1 where jobs failed or an option, a file or the folder is refused, 2 where the command or
    the table of jobs cannot be read, 130 or 143 where it was interrupted. In the log of a cluster,
    it says once a minute how far it is.

    Parameters
    ----------
    jobs
        Table (.tsv, .csv, .parquet) with a row per image and atlas: columns image and atlas (a
        path, or LABEL=PATH, also of the file of each subject), and where wanted mask, regions,
        resample, min_coverage, strategy, weights, output, and other options of extract. Paths are
        relative to its folder.
    strategy
        Of rows that say none, as in extract; give it once per strategy. When not given, mean.
    workers
        Number of processes; as many as processors when not given. With 1, no other is started.
    shard
        Part of the table to do, such as 3/200, the third of 200: for arrays of jobs.
    scheduler
        Address of a Dask scheduler, tcp://HOST:8786, whose workers do the work.
    format
        Of the tables.
    checksum
        Tell whether inputs changed by their contents and not by their times.
    dry_run
        List the tables that would be written, and why; change nothing.
    status
        Say how many jobs are done and why others are not; change nothing.
    """
    from ..cohort.batches import batch as run  # takes a moment, in which other verbs are done

    start = time.perf_counter()
    if dry_run and status:
        raise ArgumentError("--dry-run and --status both change nothing. Give one of the two.")
    with _notes_said(), ProgressBar("looking what is done") as looking, JobsLog() as progress:
        summary = run(
            jobs, output, strategy=strategy or "mean", workers=workers, scheduler=scheduler,
            shard=shard, format=format, checksum=checksum, dry_run=dry_run or status,
            progress=progress, looking=looking,
        )  # fmt: skip
    if dry_run or status:
        _say_what_is_to_do(summary, each=dry_run)
        return OK
    _complain_of(summary)
    say(f"{summary}, {time.perf_counter() - start:.1f} s")
    return FAILED if summary.failed or summary.stopped else OK


class JobsLog(ProgressBar):
    """Counts jobs; where no terminal shows a bar, as in the log of a cluster, says a line at times.

    The first comes after a minute, and then one a minute at most.
    """

    def __init__(self) -> None:
        super().__init__("jobs")
        self._begun = self._said = time.monotonic()
        self._n_before: int | None = None

    def __call__(self, done: int, total: int) -> None:
        """Note that `done` of `total` is done."""
        super().__call__(done, total)
        self._n_before = done if self._n_before is None else self._n_before
        now = time.monotonic()
        if sys.stderr.isatty() or now - self._said < _LOG_EVERY or done == self._n_before:
            return
        self._said = now
        # What was done before took no time, and says nothing of how long the rest takes.
        seconds_each = (now - self._begun) / (done - self._n_before)
        left = timedelta(seconds=round(seconds_each * (total - done)))
        complain(
            f"{done:,} of {plural(total, 'job')} ({done / total:.0%}), {seconds_each:.2f} s each, "
            f"about {left} left"
        )


@contextmanager
def _notes_said() -> Iterator[None]:
    """Say how far it came, where an interrupt or what else ended it."""
    try:
        yield
    except BaseException as error:
        for note in getattr(error, "__notes__", []):
            complain(note)
        raise


def _say_what_is_to_do(summary: Summary, *, each: bool) -> None:
    reasons = Counter(planned.state.reason for planned in summary.to_do)
    if each:
        for planned in summary.to_do:
            for table in planned.outputs.all:
                say(f"{table.relative_to(summary.folder)}: {planned.state.reason}")
    else:
        for reason, count in reasons.most_common():
            say(f"{count:,} to do: {reason}")
    say(
        f"{summary.folder}: {plural(summary.n_jobs, 'job')}, {summary.n_before:,} done, "
        f"{len(summary.to_do):,} to do"
    )


def _complain_of(summary: Summary) -> None:
    """Say what was warned of, and why jobs failed: each reason once."""
    for warning, count in summary.warnings.items():
        of_several = f" ({plural(count, 'image')})" if count > 1 else ""
        complain(f"warning: {warning}{of_several}")
    for failed in summary.failed[:_SHOWN_REASONS]:
        job = failed.planned.job
        stale = " An older table is there, and is stale." if failed.stale else ""
        complain(f"row {job.row:,} ({job.image}, {job.label}): {failed.reason}{stale}")
    n_more = len(summary.failed) - _SHOWN_REASONS
    if n_more > 0:
        complain(f"and {plural(n_more, 'job')} more, listed in {summary.failed_list}")
    if any("(--" in failed.reason for failed in summary.failed):
        complain("note: options that reasons name, such as (--resample), are columns of the table")
    if summary.stopped:
        complain(
            f"stopped, as nothing more can be written to {summary.folder}: {summary.stopped} Make "
            "room, and run the same command again, which goes on"
        )
