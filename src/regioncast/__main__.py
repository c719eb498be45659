"""The command ``regioncast``, also as ``python -m regioncast``."""

from __future__ import annotations

import signal
import sys
from typing import Any

# As shells count: 128 and the number of the signal.
_INTERRUPTED = 130


# Until what ignored an interrupt is over, in seconds.
_SOON = 0.001


def main() -> int:
    """Run the command; return its exit code."""
    sys.unraisablehook = _interrupted_again
    try:
        from .cli import main as run  # takes a moment, in which Ctrl-C may come
    except KeyboardInterrupt:
        print("regioncast: interrupted", file=sys.stderr)  # noqa: T201  the shell's face
        return _INTERRUPTED
    return run()


def _interrupted_again(ignored: Any) -> None:
    """Interrupt once more where that was in a ``__del__``, out of which no error leads."""
    error = ignored.exc_value
    if not isinstance(error, KeyboardInterrupt | SystemExit):
        sys.__unraisablehook__(ignored)
        return

    def interrupt(*_: object) -> None:
        raise error

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, _SOON)


if __name__ == "__main__":
    sys.exit(main())
