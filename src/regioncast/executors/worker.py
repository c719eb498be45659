"""The other side of `processes`: a process that does tasks for the one that started it."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import time
import traceback
from multiprocessing.connection import Connection
from threading import Thread
from typing import NoReturn

from ..errors import RegioncastError

# Seconds between looks at whether the other process lives, and then to take away what is half done.
_LOOK_EVERY = 0.5
_TO_CLEAN_UP = 2.0


def work_for(parent: int, handle: int) -> None:
    """Do the tasks that come through a connection, until it or the process behind it ends."""
    signal.signal(signal.SIGTERM, _end)
    Thread(target=_end_with, args=(parent,), daemon=True).start()
    with Connection(handle) as connection:
        try:
            while True:
                connection.send_bytes(_answer(connection.recv_bytes()))
        except (EOFError, OSError):
            return


def _end(*_: object) -> NoReturn:
    # An exception: files that are half written are taken away on its way.
    sys.exit()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, which may be killed and say nothing.

    Its end of the connection tells less: it may be open in another process, and is read between
    tasks alone.
    """
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_TO_CLEAN_UP)
    os._exit(1)


def _answer(task: bytes) -> bytes:
    try:
        work, args, options = pickle.loads(task)  # noqa: S301  of the process that started this
        return pickle.dumps((work(*args, **options), None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001  raised where the result is asked for
        return _answer_of(error)


def _answer_of(error: Exception) -> bytes:
    where = "".join(traceback.format_exception(error))
    if not isinstance(error, RegioncastError):  # ours say what was wrong
        error.add_note(f"In a worker:\n{where}")
    try:
        answer = pickle.dumps((None, error))
        # Looked at here, where the error is, and not where nobody knows what it was.
        pickle.loads(answer)  # noqa: S301  some errors cannot be made again of what they keep
    except Exception:  # noqa: BLE001  whatever it is
        return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}\n{where}")))
    return answer
