"""Extraction from many images, the results of which come as they are done."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ArgumentError
from ..executors import Engine, each_done, opened
from .jobs import Job, Jobs, Pass, passes, read_jobs
from .work import extract_pass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor, Future

    from ..signals import Signals


@dataclass(frozen=True, eq=False)
class Extracted:
    """What came of one job.

    Parameters
    ----------
    job : Job
        Row, image, atlas and options, as they were read.
    signals : dict of str to Signals, or None
        By strategy, without their parcellation.
    error : Exception or None
        Why there are no signals.
    """

    job: Job
    signals: Mapping[str, Signals] | None = None
    error: Exception | None = None


def extract_all(
    jobs: Jobs,
    executor: Executor | None = None,
    on_error: Literal["collect", "raise"] = "collect",
) -> Generator[Extracted, None, None]:
    """Extract region signals from many images, and give the results as they come.

    Parameters
    ----------
    jobs : path, DataFrame, list of dict, or dict of lists
        A row per image and atlas: ``image`` and ``atlas``, and where wanted ``strategy``, ``mask``,
        ``regions`` and other options of `extract`.  Rows of one image with the same options are one
        pass over it.  Files are ``.tsv``, ``.csv`` and ``.parquet``.
    executor : concurrent.futures.Executor, default=None
        Where the work is done: processes, threads, or ``dask.distributed.Client.get_executor()``;
        it is left open.  When not given, a local process per processor.
    on_error : {"collect", "raise"}, default="collect"
        Whether the error of a job is in its result, and the others go on; or the first is raised.

    Returns
    -------
    generator of Extracted
        One per job, in the order in which they are done, with ``job``, ``signals`` (a dict by
        strategy) and ``error``; one of the last two is None.  Values have the same bits whatever
        the executor.  Signals have no ``parcellation``, which would have to be sent with each:
        give the atlas again to `view` or `plot`.  Close the generator to stop early.

    Raises
    ------
    ArgumentError
        When there is no such `on_error`.
    WorkerDiedError
        As the error of a job: when the process that worked on it was killed, and another one, too.
    RegioncastError
        When `jobs` cannot be read; and with ``"raise"`` what `extract` raises.

    See Also
    --------
    regioncast.extract : One image.

    Notes
    -----
    Four tasks per worker are sent at a time, whatever the number of jobs.  No
    ``if __name__ == "__main__":`` is needed around this.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> row = {"image": demo.statistic, "atlas": demo.atlas, "resample": "labels"}
    >>> for extracted in rc.extract_all([row]):
    ...     print(extracted.job.row, extracted.signals["mean"])
    1 Signals: single map, 100 regions, float64, keyed by '7Networks_LH_Vis_1', ...
    """
    if on_error not in ("collect", "raise"):
        raise ArgumentError(f"on_error must be 'collect' or 'raise', not {on_error!r}.")
    # Here, not in the generator: what is wrong with the table is said before anything is asked for.
    tasks = passes(read_jobs(jobs))
    return _each_extracted(tasks, executor, is_raised=on_error == "raise")


def _each_extracted(
    tasks: list[Pass], executor: Executor | None, *, is_raised: bool
) -> Generator[Extracted, None, None]:
    if executor is None:
        with opened() as engine, closing(_by(engine, tasks, is_raised=is_raised)) as results:
            yield from results
    else:
        yield from _by(Engine(executor), tasks, is_raised=is_raised)


def _by(engine: Engine, tasks: list[Pass], *, is_raised: bool) -> Generator[Extracted, None, None]:
    # Closed, so that whoever stops early leaves no task behind.
    work = partial(_outcomes, n_jobs=engine.n_jobs)
    with closing(each_done(engine.executor, work, tasks)) as done:
        for task, future in done:
            for extracted in _results(task, future):
                if is_raised and extracted.error is not None:
                    raise extracted.error
                yield extracted


def _results(task: Pass, future: Future[Any]) -> list[Extracted]:
    # An error of the task itself, such as a worker that died, is that of each job of the pass.
    error = future.exception()
    if error is None:
        outcomes = future.result()
    elif isinstance(error, Exception):
        outcomes = [error] * len(task.jobs)
    else:
        raise error
    return [
        Extracted(job, error=outcome)
        if isinstance(outcome, Exception)
        else Extracted(job, signals=outcome)
        for job, outcome in zip(task.jobs, outcomes, strict=True)
    ]


def _outcomes(task: Pass, n_jobs: int | None) -> list[dict[str, Signals] | Exception]:
    """Return what comes of each job of a pass: signals by strategy, or an error."""
    outcomes = extract_pass(task, n_jobs=n_jobs)
    return [
        outcome
        if isinstance(outcome, Exception)
        # The regions would be many times as large as the values.
        else {name: signals.changed(parcellation=None) for name, signals in outcome.items()}
        for outcome in outcomes
    ]
