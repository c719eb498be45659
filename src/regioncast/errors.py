"""Every error and warning of regioncast.

Each error is also the builtin that a caller would catch.  Its message says what was wrong
with the values and counts, gives up to five examples, and ends with what to do.
"""

from __future__ import annotations

import os
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol

N_EXAMPLES = 5
# Characters of one of them: a name may be long, and a page of text be taken for one.
_SHOWN = 200

_IRREGULAR = {"vertex": "vertices", "entry": "entries", "category": "categories"}

# They are not printable, and words of many scripts are not written without them.
_JOINERS = "\u200c\u200d"

# How messages begin.
_ABOUT: ContextVar[str] = ContextVar("_ABOUT", default="")
_KEPT: ContextVar[list[str] | None] = ContextVar("_KEPT", default=None)

_PACKAGE = f"{Path(__file__).parent}{os.sep}"


class RegioncastError(Exception):
    """Base of all errors raised on purpose."""


class SignalsError(RegioncastError, ValueError):
    """Values have the wrong shape, count or content."""


class SignalsTypeError(RegioncastError, TypeError):
    """Values have a dtype or a type that no image can hold."""


class DimensionError(RegioncastError, TypeError):
    """An image has the wrong number of dimensions."""


class SpaceError(RegioncastError, ValueError):
    """Two images do not share their grid, or an affine is none."""


class LabelsError(RegioncastError, ValueError):
    """A labels image cannot serve as a parcellation."""


class RegionTableError(RegioncastError, ValueError):
    """A region table cannot be read or contradicts itself."""


class MatchReport(Protocol):
    """What a caller who catches a `MatchError` may ask its match, which is an `identity.Match`.

    Said here once more, so that this module imports nothing.
    """

    @property
    def problem(self) -> str:
        """Why no painting is possible whatever is missing or unused; ``""`` where it is."""

    @property
    def missing(self) -> list[str | int]:
        """Regions that have voxels and get no value."""

    @property
    def unused(self) -> list[str | int]:
        """Keys that no region has."""

    @property
    def near_misses(self) -> dict[str, str]:
        """For unused keys, the region without a value that is named most alike."""

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""


class MatchError(RegioncastError, ValueError):
    """Values and regions do not match.

    Parameters
    ----------
    message : str
    match : Match, default=None
        What would go where, as `regioncast.match` returns it, where it came so far.
    """

    def __init__(self, message: str, match: MatchReport | None = None) -> None:
        super().__init__(message)
        self.match = match


class UnknownKeyError(RegioncastError, KeyError):
    """Nothing is called so."""

    def __str__(self) -> str:
        return str(self.args[0])  # a KeyError would show it in quotes


class FileFormatError(RegioncastError, ValueError):
    """A file is not what its name or its use promises."""


class ImageTypeError(RegioncastError, TypeError):
    """An object is not an image, or not of the kind that is needed."""


class InputMissingError(RegioncastError, FileNotFoundError):
    """An input file does not exist."""


class InputUnreadableError(RegioncastError, PermissionError):
    """An input file may not be read."""


class InputTooLargeError(RegioncastError, MemoryError):
    """An input needs more memory than there is."""

    # That of MemoryError is found otherwise, refuses this class, and is what Dask calls to make
    # the error again that a worker raised.
    __new__ = RegioncastError.__new__  # type: ignore[assignment]  # as it is of any error


class OutputExistsError(RegioncastError, FileExistsError):
    """An output exists, and overwriting was not asked for."""


class OutputError(RegioncastError, OSError):
    """An output cannot be written."""


class WorkerDiedError(RegioncastError, RuntimeError):
    """A process died that worked on a task."""


class SchedulerError(RegioncastError, ConnectionError):
    """The scheduler of a cluster does not answer."""


class MissingPackageError(RegioncastError, ImportError):
    """An optional package is needed and not installed."""


class PackageVersionError(RegioncastError, ImportError):
    """An optional package is installed in a version that will not do."""


class JobsError(RegioncastError, ValueError):
    """A table of jobs cannot be read, or its jobs do not go together."""


class ArgumentError(RegioncastError, ValueError):
    """An argument has a value that it cannot have."""


class ArgumentTypeError(RegioncastError, TypeError):
    """An argument has a type that cannot be what is meant."""


class RegioncastWarning(UserWarning):
    """Base of all warnings."""


class LabelsWarning(RegioncastWarning):
    """Some samples of a labels image were read in a way worth knowing."""


class RegionTableWarning(RegioncastWarning):
    """A region table and a labels image do not list the same regions."""


class MaskWarning(RegioncastWarning):
    """A mask empties regions."""


class NonfiniteWarning(RegioncastWarning):
    """Voxels without a finite value were given one."""


class MeshWarning(RegioncastWarning):
    """Surfaces are not shown, since it is not known where their vertices are."""


class ResamplingWarning(RegioncastWarning):
    """Regions vanish on another grid."""


class SpaceWarning(RegioncastWarning):
    """An image does not say where left is."""


class ConfoundsWarning(RegioncastWarning):
    """Confounds are named as those of another image."""


class CohortWarning(RegioncastWarning):
    """Some images or tables of a cohort are left out."""


class SidecarWarning(RegioncastWarning):
    """What belongs to maps cannot stay with them, or is said in two ways."""


def listed(argument: Any, name: str, what: str) -> list[Any]:
    """Return one text or number, or a sequence of them, as a list.

    Raises
    ------
    ArgumentTypeError
        When it is neither.
    """
    if isinstance(argument, str | int):
        return [argument]
    try:
        return list(argument)
    except TypeError:
        raise ArgumentTypeError(f"{name} holds {what}; not {argument!r}.") from None


def warn(message: str, category: type[RegioncastWarning | FutureWarning]) -> None:
    """Warn at the line outside this package that the call came from."""
    message = f"{_ABOUT.get()}{message}"
    kept = _KEPT.get()
    if kept is not None:
        kept.append(message)
        return
    level, frame = 1, sys._getframe()  # noqa: SLF001  what warnings.warn itself counts by
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def warnings_kept() -> Iterator[list[str]]:
    """Give a list that gets what would be warned of in this thread, in others nothing changes.

    What `warnings.catch_warnings` catches is that of all threads.
    """
    kept: list[str] = []
    token = _KEPT.set(kept)
    try:
        yield kept
    finally:
        _KEPT.reset(token)


@contextmanager
def about_atlas(name: str) -> Iterator[None]:
    """Let errors and warnings begin with the atlas that they are about; ``""`` is the only one."""
    token = _ABOUT.set(f"Atlas {name!r}: " if name else "")
    try:
        yield
    except RegioncastError as error:
        error.args = (f"{_ABOUT.get()}{error}", *error.args[1:])
        raise
    finally:
        _ABOUT.reset(token)


def examples(items: Iterable[object], *, show: int = N_EXAMPLES) -> str:
    """Return up to `show` items as a phrase that says how many there are more.

    >>> examples(["V1", "V2"])
    "'V1', 'V2'"
    >>> examples(range(12))
    '0, 1, 2, 3, 4 and 7 more'
    """
    rows = list(items)
    phrase = ", ".join(_shown(row) for row in rows[:show])
    return phrase if len(rows) <= show else f"{phrase} and {len(rows) - show:,} more"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """Return a count with its noun: ``1 region``, ``2 regions``, ``2 vertices``."""
    several = nouns or _IRREGULAR.get(noun) or f"{noun}s"
    return f"{count:,} {noun if count == 1 else several}"


def capitalized(text: str) -> str:
    """Return text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def times(shape: Iterable[int]) -> str:
    """Return a shape as people write it: ``91×109×91``."""
    return "×".join(map(str, shape))


def printable(text: str, escape: Callable[[str], str] = repr) -> str:
    r"""Return text in which all that would steer a terminal is escaped, between the quotes of repr.

    >>> print(printable("V1\x1b[31m\n"), printable("été סוף"))
    V1\x1b[31m\n été סוף
    """
    if text.isprintable():
        return text
    chars = []
    for char in text:
        is_harmless = char.isprintable() or char in _JOINERS or unicodedata.category(char) == "Zs"
        chars.append(char if is_harmless else escape(char)[1:-1])
    return "".join(chars)


def _shown(item: object) -> str:
    text = repr(str(item)) if isinstance(item, str) else str(item)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
