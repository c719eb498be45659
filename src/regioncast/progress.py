"""A progress bar for what takes long, where somebody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import rich.progress

Progress = Callable[[int, int], None]
"""What is told how much is done, and of how much."""

# Seconds after which a bar is worth its line.
_PATIENCE = 1.0


class ProgressBar:
    """Counts work done; shows a bar on stderr after a second, if that is a terminal.

    Call it with the amounts done and to do.

    Parameters
    ----------
    title : str
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._start = time.monotonic()
        self._bar: rich.progress.Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __call__(self, done: int, total: int) -> None:
        """Note that `done` of `total` is done."""
        if self._bar is None and sys.stderr.isatty():
            if time.monotonic() - self._start < _PATIENCE:
                return
            self._bar = _bar(self._title, total)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, total=total)

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
        TimeRemainingColumn,
    )
    from rich.text import Text

    class RateColumn(ProgressColumn):
        """Amount per second, once that is known."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    bar = Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task(title, total=total)
    bar.start()
    return bar
