"""Interrupts, from the keyboard or by those who end a process, that wait for a moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP wait until the end of this block.

    Python lets the main thread alone handle them, so nothing is to be held in others.  To block
    them by a mask would be of no use: the system then gives them to a thread that does not.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: set[int] = set()
    # All handlers come back, even where one of those that did raises.
    with ExitStack() as stack:
        for number in _HELD:
            handler = signal.getsignal(number)
            # None: what another program, in which Python is embedded, does.
            if handler not in (None, signal.SIG_IGN):
                stack.callback(_release, number, handler, arrived)
                signal.signal(number, lambda number, _: arrived.add(number))
        yield


def _release(number: signal.Signals, handler: Any, arrived: set[int]) -> None:
    signal.signal(number, handler)
    if number in arrived:
        signal.raise_signal(number)
