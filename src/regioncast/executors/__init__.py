"""Work of many tasks, on any executor of `concurrent.futures`: local processes, or Dask's.

Tasks go out a few per worker at a time.  A scheduler keeps about 7 kB and a millisecond for each
that it knows of: of a million at once, that would be 7 GB before the first is done.
"""

from __future__ import annotations

import numbers
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from ..engine.threads import n_cpus
from ..errors import (
    N_EXAMPLES,
    ArgumentError,
    ArgumentTypeError,
    MissingPackageError,
    SchedulerError,
    WorkerDiedError,
)
from ..interrupts import interrupts_held
from .processes import Processes

Item = TypeVar("Item")

_TASKS_PER_WORKER = 4

# Seconds until it is said that no scheduler answers.
_ANSWERS_WITHIN = 10


@dataclass(frozen=True)
class Engine:
    """Where tasks are done.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    """

    executor: Executor

    def __post_init__(self) -> None:
        if not callable(getattr(self.executor, "submit", None)):
            kind = type(self.executor).__name__
            raise ArgumentTypeError(f"executor is one of concurrent.futures or Dask, not {kind}.")

    @property
    def n_workers(self) -> int:
        """How many tasks are done side by side; of a cluster, by the workers it has now."""
        return n_workers_of(self.executor)

    @property
    def n_jobs(self) -> int | None:
        """How many threads a task is to use, as `regioncast.extract` counts them.

        All of them in this process.  One where there are as many workers as processors: an image of
        64×64×36×100 int16 took 69 ms by two workers on two processors, and 116 ms by one with all
        its threads; of 91×109×91×60, 226 and 325 ms.  That a further thread inflates ahead makes
        little difference to two workers (68 and 216 ms without it), and helps the last tasks.
        """
        return None if isinstance(self.executor, Here) else 1


@contextmanager
def opened(*, workers: int | None = None, scheduler: str | None = None) -> Iterator[Engine]:
    """Give an engine, whose workers end with this block; what they still do is given up.

    Parameters
    ----------
    workers : int, default=None
        Number of local processes, as many as processors when not given; with 1, tasks are done in
        this process, each as it is submitted.
    scheduler : str, default=None
        Address of a Dask scheduler, ``tcp://host:8786``, whose workers are used instead.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        When `workers` is no number of processes, or both are said.
    SchedulerError
        When no scheduler answers there, or regioncast is not the same on the cluster.
    MissingPackageError
        When a scheduler is to be used without Dask.
    """
    if scheduler is not None:
        if workers is not None:
            raise ArgumentError(
                f"workers are local processes, and the scheduler at {scheduler} has workers of its "
                "own. Say one of the two."
            )
        with _client(scheduler) as client:
            # Not pure: two tasks of the same arguments are two, and none is done from memory.
            yield Engine(client.get_executor(pure=False))
        return
    n_workers = _checked(workers)
    if n_workers == 1:
        yield Engine(Here())
        return
    processes = Processes(n_workers)
    try:
        yield Engine(processes)
    finally:
        processes.stop()


def _checked(workers: int | None) -> int:
    if workers is None:
        return n_cpus()
    if not isinstance(workers, numbers.Integral):
        raise ArgumentTypeError(
            f"workers is a number of processes; {workers!r} is {type(workers).__name__}."
        )
    if workers < 1:
        raise ArgumentError(f"workers is a number of processes from 1 on; it is {workers}.")
    return int(workers)


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError as error:
        raise MissingPackageError(
            "A scheduler of Dask needs Dask, which is not installed: "
            "pip install 'regioncast[scale]'."
        ) from error
    try:
        client = Client(address, timeout=_ANSWERS_WITHIN, set_as_default=False)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        raise SchedulerError(
            f"No Dask scheduler answers at {address!r} within {_ANSWERS_WITHIN} seconds: {error}. "
            "Give the address that it says when it starts, such as tcp://host:8786, and look "
            "whether it runs and can be reached from this machine."
        ) from error
    with client:
        _check_versions(client, address)
        yield client


def _check_versions(client: Any, address: str) -> None:
    """Raise where regioncast is not the same on the cluster: its results might not be, either.

    The scheduler, too, makes tasks of what it is sent.
    """
    versions = client.get_versions(packages=["regioncast"])
    version = versions["client"]["packages"]["regioncast"]
    theirs = {"the scheduler": versions["scheduler"], **versions["workers"]}
    other = [
        f"{name} {has['packages'].get('regioncast') or 'has none'}"
        for name, has in theirs.items()
        if has["packages"].get("regioncast") != version
    ]
    if other:
        raise SchedulerError(
            f"The cluster at {address} is to have regioncast {version}, as here, on its scheduler "
            f"and all workers; {len(other):,} of {len(theirs):,} do not: "
            f"{', '.join(other[:N_EXAMPLES])}. Install it there."
        )


class Here(Executor):
    """Does tasks in this process and thread, each when it is submitted."""

    n_workers = 1

    def submit(self, work: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Do a task; an error is that of its future, but for an interrupt."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*args, **options))
        except Exception as error:  # noqa: BLE001  raised where the result is asked for
            future.set_exception(error)
        return future


def n_workers_of(executor: Executor) -> int:
    """Return how many tasks an executor does side by side, as far as it tells."""
    # None of these is promised: those of the standard library, of Dask, of MPI and of others.
    for name in ("n_workers", "num_workers", "_max_workers"):
        if isinstance(number := getattr(executor, name, None), int):
            return max(1, number)
    client: Any = getattr(executor, "_client", None)
    if hasattr(client, "nthreads"):
        # A cluster that grows as there are tasks may have none yet.
        n_threads: int = sum(client.nthreads().values())
        return max(1, n_threads)
    return n_cpus()


def each_done(
    executor: Executor,
    work: Callable[[Item], Any],
    items: Iterable[Item],
    *,
    n_workers: int | None = None,
) -> Generator[tuple[Item, Future[Any]], None, None]:
    """Yield each item, as soon as it is worked on, with the future that has its result or error.

    Closed early, it cancels what has not begun.  Tasks that Dask gives up since their workers died
    are done once more at the end, one at a time: then it is known whose doing it was.

    Parameters
    ----------
    executor : concurrent.futures.Executor
    work : callable
        A function of a module and one argument; what is not can be sent to no other process.
    items : iterable
    n_workers : int, default=None
        How many work side by side; four times as many tasks are out at once.  When not given, as
        many as the executor has at that time.

    Raises
    ------
    WorkerDiedError
        When the executor takes no more tasks.  The error of a future is this one where the worker
        died, and `SchedulerError` where the scheduler did.
    """
    out: dict[Future[Any], Item] = {}
    # Not `concurrent.futures.wait`: an interrupt that comes while it holds the conditions of the
    # futures would hold up for ever those who set their results.
    done: SimpleQueue[Future[Any]] = SimpleQueue()
    # Dask blames all tasks that a worker had when it died, done or not begun.
    suspects: list[Item] = []

    def begin(item: Item) -> None:
        future = _submitted(executor, work, item)
        out[future] = item
        with interrupts_held():
            future.add_done_callback(done.put)

    def ended() -> Iterator[tuple[Item, Future[Any]]]:
        future = done.get()
        item = out.pop(future)
        if _is_blamed(future):
            suspects.append(item)
        else:
            yield item, _told(future)

    try:
        for item in items:
            begin(item)
            # What is done comes before more is begun: it may have been done by `submit` itself.
            while not done.empty() or _is_full(len(out), n_workers, executor):
                yield from ended()
        while out:
            yield from ended()
        for item in suspects:
            begin(item)
            future = done.get()
            del out[future]
            yield item, _told(future)
    finally:
        with interrupts_held():
            for future in out:
                future.cancel()


def _is_full(n_out: int, n_workers: int | None, executor: Executor) -> bool:
    # The executor is asked only where it matters: it may have to ask a scheduler.
    if n_out < _TASKS_PER_WORKER * (n_workers or 1):
        return False
    return n_out >= _TASKS_PER_WORKER * (n_workers or n_workers_of(executor))


def _submitted(executor: Executor, work: Callable[[Item], Any], item: Item) -> Future[Any]:
    try:
        return executor.submit(work, item)
    except BrokenExecutor as error:
        raise WorkerDiedError(
            f"The executor takes no more tasks: {error} Use fewer workers, or more memory; without "
            "an executor, local processes are started that go on when one of them dies."
        ) from error


def _told(future: Future[Any]) -> Future[Any]:
    """Return a future that has our error where that of another library says who died."""
    error: Exception
    if future.cancelled():  # not by us: ours are waited for no more
        error = SchedulerError(
            "The scheduler is gone, or has dropped the task. Look at its log, and run the same "
            "again."
        )
    elif _is_blamed(future) or isinstance(future.exception(), BrokenExecutor):
        cause = future.exception()
        error = WorkerDiedError(f"Its workers died: {cause} Use fewer workers, or more memory.")
        error.__cause__ = cause
    else:
        return future
    told: Future[Any] = Future()
    told.set_exception(error)
    return told


def _is_blamed(future: Future[Any]) -> bool:
    """Return whether a task has an error of Dask's since its workers died."""
    dask = sys.modules.get("distributed")  # which raised it, or else is not loaded
    if dask is None or future.cancelled():
        return False
    return isinstance(future.exception(), dask.KilledWorker)
