"""What all verbs of the shell share: the application, exit codes, and how something is said."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

from cyclopts import App, Parameter

from .. import __version__
from ..errors import printable
from ..executors import opened
from ..files import expanded

if TYPE_CHECKING:
    from concurrent.futures import Executor

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

app = App(
    name="regioncast",
    help=(
        "One value or time series per brain region to a brain image.\n\n"
        "Every verb has its own --help. --debug, anywhere, shows the traceback of an error."
    ),
    version=__version__,
    help_format="plaintext",
    result_action="return_value",
    default_parameter=Parameter(negative=()),
    suppress_keyboard_interrupt=False,
)

# All that follows looks at the path of an output, and shells leave some a ``~``.
NewPath = Annotated[Path, Parameter(converter=lambda _, tokens: expanded(tokens[0].value))]


def complain(message: str) -> None:
    """Print a line of the program itself, on standard error."""
    say(f"regioncast: {message}", file=sys.stderr)


def say(text: object, escape: Callable[[str], str] = repr, file: TextIO | None = None) -> None:
    """Print lines, whatever names are in them: none steers the terminal."""
    print("\n".join(printable(line, escape) for line in str(text).split("\n")), file=file)


@contextmanager
def executor_of(workers: int | None, scheduler: str | None) -> Iterator[Executor | None]:
    """Give what --workers and --scheduler ask for; None where neither is said."""
    # Threads of this process share what they read; extract and save take these by themselves.
    if workers is None and scheduler is None:
        yield None
        return
    with opened(workers=workers, scheduler=scheduler) as engine:
        yield engine.executor
