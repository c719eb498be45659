"""The command ``regioncast``, also as ``python -m regioncast``."""

from __future__ import annotations

import sys

# As shells count: 128 and the number of the signal.
_INTERRUPTED = 130


def main() -> int:
    """Run the command; return its exit code."""
    try:
        from .cli import main as run  # takes a moment, in which Ctrl-C may come
    except KeyboardInterrupt:
        print("regioncast: interrupted", file=sys.stderr)  # noqa: T201  the shell's face
        return _INTERRUPTED
    return run()


if __name__ == "__main__":
    sys.exit(main())
