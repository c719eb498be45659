"""Outputs that are either whole or not there.

An output is written under a temporary name in its own folder, brought to the disk, and then
renamed.  Whatever happens on the way, the old file stays as it was and the temporary one
goes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputMissingError, OutputError, OutputExistsError


def existing_file(path: str | os.PathLike[str], what: str) -> Path:
    """Return the path of an input file, which is a name and never a pattern.

    Raises
    ------
    InputMissingError
        When there is no such file, or when it is a folder.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        raise InputMissingError(f"{_capitalized(what)} is a folder: {file}. Name the file in it.")
    if not file.exists():
        raise InputMissingError(f"{_capitalized(what)} does not exist: {file}. {_advice(file)}")
    return file


def check_output(path: Path, *, overwrite: bool) -> None:
    """Raise where an output cannot be written, before any work is done for it.

    Raises
    ------
    OutputExistsError
        When the file exists and `overwrite` is false.
    OutputError
        When the path is a folder, or its folder does not exist or is not writable.
    """
    if path.is_dir():
        raise OutputError(f"The output is a folder: {path}. Name a file in it.")
    if not path.parent.is_dir():
        raise OutputError(f"The folder of the output does not exist: {path.parent}. Make it first.")
    if path.exists() and not overwrite:
        raise OutputExistsError(
            f"The output exists: {path}. Ask for overwriting (overwrite=True, --overwrite), "
            "or choose another name."
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise OutputError(f"The folder of the output is not writable: {path.parent}.")


@contextlib.contextmanager
def replacing(path: Path, suffix: str, *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary path to write to, and put the file in its place afterwards.

    Parameters
    ----------
    path : Path
        The output.
    suffix : str
        The ending of the temporary name, by which writers choose their format.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    OutputExistsError, OutputError
        As `check_output`; also when writing fails, for example on a full disk.
    """
    check_output(path, overwrite=overwrite)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp{suffix}")
    try:
        yield temporary
        _bring_to_disk(temporary)
        temporary.replace(path)
        _bring_to_disk(path.parent)
    except OSError as error:
        if isinstance(error, OutputError) or error.errno is None:
            raise
        raise OutputError(
            f"Writing {path} failed: {error.strerror}. Nothing was changed."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _bring_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _advice(file: Path) -> str:
    if not file.parent.exists():
        return f"Its folder does not exist either: {file.parent}."
    return "Check the name."


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
