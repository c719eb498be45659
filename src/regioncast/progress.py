"""A progress bar for what takes long, where somebody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .errors import printable

if TYPE_CHECKING:
    import rich.progress

Progress = Callable[[int, int], None]
"""What is told how much is done, and of how much."""

# Seconds after which a bar is worth its line.
_PATIENCE = 1.0

# Seconds from one picture of it to the next.
_PERIOD = 0.1


class ProgressBar:
    """Counts work done; shows a bar on stderr after a second, if that is a terminal.

    Call it with the amounts done and to do.

    Parameters
    ----------
    title : str
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._start = self._drawn = time.monotonic()
        self._bar: rich.progress.Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Note that `done` of `total` is done."""
        now = time.monotonic()
        if self._bar is None and sys.stderr.isatty():
            if now - self._start < _PATIENCE:
                return
            self._bar = _bar(self._title, total)
        if self._bar is not None:
            is_due = now - self._drawn >= _PERIOD
            self._bar.update(self._bar.task_ids[0], completed=done, total=total, refresh=is_due)
            self._drawn = now if is_due else self._drawn

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def _bar(title: str, total: int) -> rich.progress.Progress:
    # Imported here: most calls are over before a bar is due, and need not wait for rich.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class RateColumn(ProgressColumn):
        """Amount per second, once that is known."""

        def render(self, task: Task) -> Text:
            # Of what takes long, a rate of 0 says nothing.
            places = 0 if (task.speed or 0) >= 10 else 2
            return Text(f"{task.speed:,.{places}f}/s" if task.speed else "")

    bar = Progress(
        TextColumn("{task.description}", markup=False),  # a name in brackets is no style
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,  # by a thread, for which an interrupt may wait without an end
        transient=True,
    )
    bar.add_task(printable(title), total=total)
    bar.start()
    return bar
