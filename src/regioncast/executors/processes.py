"""Local processes that do tasks, and of which any may die at any time.

An executor of the standard library is broken as a whole when the system kills one of its processes,
which is what Linux does where memory runs out.  Here each process has a thread of its own in
this one, which knows what task it worked on, does it once more in a new process, and by itself: the
memory that it lacked may have been that of the others.

They import no script, so it needs no ``if __name__ == "__main__":``; and they end with
this process, however it ends.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from threading import Lock, Semaphore
from typing import Any, NoReturn

from ..engine.threads import Workers
from ..errors import WorkerDiedError

# Seconds for a process to take away what it has half written, before it is killed.
_TO_CLEAN_UP = 2.0

# Seconds between looks at whether a process is there that says nothing.
_LOOK_EVERY = 1.0

# As many processes as processors, so one thread each for the libraries of linear algebra, unless
# the user says otherwise.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


class Processes(Executor):
    """So many processes at most, each started when there is a task for it.

    Parameters
    ----------
    n_workers : int
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._threads = Workers(n_workers)
        self._processes: list[_Process] = []
        self._idle: deque[_Process] = deque()
        self._turns = _Turns(n_workers)
        self._is_stopped = False

    def submit(self, work: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        """Have a process do a task; what is no function of a module can be sent to none.

        The future has a `WorkerDiedError` where the process died twice.
        """
        if self._is_stopped:
            raise RuntimeError("These processes are stopped, and take no more tasks.")
        future: Future[Any] = Future()
        self._threads.begin(self._do, future, (work, args, options))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  as in the standard library
        """End the processes; here, what they still do is not waited for.

        Those who have futures out wait for them before.
        """
        del wait, cancel_futures
        self.stop()

    def stop(self) -> None:
        """End the processes, and give up what they do and what has not begun."""
        self._is_stopped = True
        # They are asked all at once, and each may take its time.
        for process in list(self._processes):
            process.ask_to_end()
        for process in list(self._processes):
            process.end()
        # Those that wait for an answer see now that none comes.
        self._threads.__exit__()
        for process in self._processes:
            process.disconnect()

    def _do(self, future: Future[Any], task: Any) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = self._answer(pickle.dumps(task, pickle.HIGHEST_PROTOCOL))
        except Exception as error:  # noqa: BLE001  raised where the result is asked for
            future.set_exception(error)
        else:
            future.set_result(result)

    def _answer(self, task: bytes) -> Any:
        with suppress(_DiedError), self._turns.beside_others():
            return self._done(task)
        if self._is_stopped:
            raise WorkerDiedError("This task was given up: its processes were stopped.")
        try:
            with self._turns.alone():
                return self._done(task)
        except _DiedError as died:
            raise WorkerDiedError(
                "Two workers that did this task died, the second one with no other at work beside "
                f"it: {died}."
            ) from None

    def _done(self, task: bytes) -> Any:
        try:
            process = self._idle.pop()
        except IndexError:
            process = self._started()
        try:
            answer = process.ask(task)
        except _DiedError:
            self._processes.remove(process)
            raise
        self._idle.append(process)
        result, error = pickle.loads(answer)  # noqa: S301  of our own process
        if error is not None:
            raise error
        return result

    def _started(self) -> _Process:
        if self._is_stopped:
            raise _DiedError("it was stopped")
        process = _Process()
        self._processes.append(process)
        if self._is_stopped:  # meanwhile, and `stop` may not have seen it
            process.ask_to_end()
        return process


class _DiedError(Exception):
    """A process died; the message says how."""


class _Process:
    """A process, and the way to it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        # The path first, so that regioncast is found where it was found here.
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; from regioncast.executors.worker import "
            f"work_for; work_for({os.getpid()}, {theirs.fileno()})"
        )
        options = [f"-W{option}" for option in sys.warnoptions]
        with theirs, _interrupts_not_inherited():
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [sys.executable, "-P", *options, "-c", program],
                env=_ONE_THREAD | os.environ,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())

    def ask(self, task: bytes) -> bytes:
        """Return the answer to a task; raise `_DiedError` where none comes."""
        try:
            self._connection.send_bytes(task)
            # Its end of the connection may be open in a copy of this process that somebody made.
            while not self._connection.poll(_LOOK_EVERY):
                if self._process.poll() is not None:
                    self._raise_died()
            return self._connection.recv_bytes()
        except (EOFError, OSError):
            self._raise_died()

    def _raise_died(self) -> NoReturn:
        self.end()
        self.disconnect()
        code = self._process.returncode
        if code == -signal.SIGKILL:
            raise _DiedError(
                "it was killed by SIGKILL, as systems do where memory runs out. Use fewer workers, "
                "or a machine with more memory"
            )
        how = f"ended with exit code {code}" if code >= 0 else f"was killed by signal {-code}"
        raise _DiedError(f"it {how}. What it wrote before may say more; tell us how it came")

    def ask_to_end(self) -> None:
        """Have it take away what it has half written, and end."""
        self._process.terminate()

    def end(self) -> None:
        """Wait until it has ended, or else kill it."""
        try:
            self._process.wait(_TO_CLEAN_UP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def disconnect(self) -> None:
        """Close the way to it."""
        self._connection.close()


@contextmanager
def _interrupts_not_inherited() -> Iterator[None]:
    """Start a process whose keyboard interrupts wait for ever: they are the business of this one.

    The terminal sends them to both, even before the other one can say that it ignores them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Turns:
    """Lets so many tasks be done side by side, or one alone."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._places = Semaphore(most)
        # Whoever waits for a place waits here before; so none comes in while one wants them all.
        self._door = Lock()

    @contextmanager
    def beside_others(self) -> Iterator[None]:
        with self._places_taken(1):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._places_taken(self._most):
            yield

    @contextmanager
    def _places_taken(self, number: int) -> Iterator[None]:
        with self._door:
            for _ in range(number):
                self._places.acquire()
        try:
            yield
        finally:
            self._places.release(number)
