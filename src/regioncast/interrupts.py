"""Interrupts, from the keyboard or by those who end a process, that wait for a moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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
    handlers = {number: signal.getsignal(number) for number in _HELD}
    arrived: set[int] = set()
    held = [True]

    def release(number: int) -> None:
        signal.signal(number, handlers[signal.Signals(number)])
        if number in arrived:
            signal.raise_signal(number)

    def note(number: int, _: object) -> None:
        arrived.add(number)
        if not held:  # another one led past the release
            release(number)

    try:
        # All handlers come back, even where one of those that did raises.
        with ExitStack() as stack:
            for number, handler in handlers.items():
                # None: what another program, in which Python is embedded, does.
                if handler not in (None, signal.SIG_IGN):
                    stack.callback(release, number)
                    signal.signal(number, note)
            yield
    finally:
        held.clear()
