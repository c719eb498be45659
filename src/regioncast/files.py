"""Inputs that exist and can be read; outputs that are either whole or not there.

An output is written under a temporary name in its own folder, brought to the disk, and then
renamed.  Whatever happens on the way, the old file stays as it was and the temporary one
goes.  A process that is killed cannot remove it; the next one that writes the same output does.
Temporary names follow from that of the output, and who writes holds a lock, which the system
takes back when a process ends: a temporary file without a lock is a dead one's.

An output that is a folder is written to a temporary folder, beside a file for its lock.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import hashlib
import importlib.util
import io
import math
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.lib import format as npy

from .errors import (
    ArgumentTypeError,
    FileFormatError,
    InputMissingError,
    InputTooLargeError,
    InputUnreadableError,
    OutputError,
    OutputExistsError,
    RegioncastError,
    capitalized,
    times,
)
from .formats import has_use, suffix_of, suffixes
from .interrupts import interrupts_held

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from numpy.lib.npyio import NpzFile
    from numpy.typing import NDArray

# A file goes to the disk in steps of at least this many bytes: enough to be written in one go.
_FLOW_BYTES = 1 << 20

# What the system says of names that no file has.
_NO_SUCH_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)

_DIGITS = re.compile(r"(\d+)")
# What is wrong with the system and not with a file.
_OF_THE_SYSTEM = (errno.EIO, errno.EMFILE, errno.ENFILE)

# Numbers that take no bytes may be as many as a header says, and lists of them are long.
_MOST_OF_NOTHING = 1 << 20

# How the file is called that holds the lock of a temporary folder, which has the name before that;
# and how the folder that was replaced is called for the moment in which neither is in its place.
_LOCK, _REPLACED = ".lock", ".replaced"

# How often, and after how many seconds again, a temporary folder is removed.
_TRIES, _PAUSE = 20, 0.05

# Temporary names for one output, so many can write it at the same time.
_MOST_WRITERS = 16


def existing_file(path: str | os.PathLike[str], what: str, *, may_be_pipe: bool = False) -> Path:
    """Return the path of an input file, which is a name and never a pattern.

    With `may_be_pipe`, what is read once, from its beginning to its end, may come from a pipe.

    Raises `InputMissingError` when there is no such file, or when it is a folder;
    `InputUnreadableError` when it may not or cannot be read; `FileFormatError` when it is a device,
    or a pipe where none will do.
    """
    file = expanded(path)
    try:
        mode = file.stat().st_mode
        # Not opened: a pipe waits for its writer, who is gone once it is closed again.
        if may_be_pipe and stat.S_ISFIFO(mode):
            return file
        _refuse_device(file, mode, what)
        with file.open("rb"):
            return file
    except FileFormatError:
        raise
    except IsADirectoryError:
        raise InputMissingError(
            f"{capitalized(what)} is a folder: {file}. Name the file in it."
        ) from None
    except PermissionError:
        raise InputUnreadableError(
            f"{capitalized(what)} may not be read (permission denied): {file}. "
            "Ask its owner, or copy it to where it may."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        if isinstance(error, OSError) and error.errno not in _NO_SUCH_FILE:
            raise InputUnreadableError(
                f"{capitalized(what)} cannot be read ({error.strerror}): {file}."
            ) from error
        advice = "Check the name."
        if not file.parent.exists():
            advice = f"Its folder does not exist either: {file.parent}."
        raise InputMissingError(f"{capitalized(what)} does not exist: {file}. {advice}") from None


def _refuse_device(file: Path, mode: int, what: str) -> None:
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        kind = "a pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
        raise FileFormatError(
            f"{capitalized(what)} is {kind}: {file}. Write what comes from there to a file, "
            "and give that."
        )


def folders_of_dataset(file: Path) -> list[Path]:
    """Return the folder of a file and those above, up to that of its BIDS dataset, if it is one."""
    # Not resolved: files of datasets are often links into a store.
    folders = list(file.absolute().parents)
    for number, folder in enumerate(folders, start=1):
        if os.path.isfile(folder / "dataset_description.json"):  # noqa: PTH113  False if forbidden
            return folders[:number]
    return folders[:1]


@contextlib.contextmanager
def readable(what: str) -> Iterator[None]:
    """Turn what readers raise for bad files into one clear error."""
    try:
        yield
    except RegioncastError:
        raise
    except ImageFileError as error:
        raise FileFormatError(
            f"{capitalized(what)} is not an image that nibabel can read: {error}"
        ) from error
    except Exception as error:  # damaged headers lead readers to raise anything
        reason = _reason(error)
        number = error.errno if isinstance(error, OSError) else None
        if isinstance(error, MemoryError) or number == errno.ENOMEM:
            raise InputTooLargeError(
                f"{capitalized(what)} needs more memory than there is: {reason}. Free some, or get "
                "the file again if it is not to be that large."
            ) from error
        if number in _OF_THE_SYSTEM:
            raise InputUnreadableError(f"{capitalized(what)} cannot be read: {reason}.") from error
        raise FileFormatError(
            f"{capitalized(what)} is truncated or damaged: {reason}. Get the file again."
        ) from error


def _reason(error: Exception) -> str:
    """Return in a few words, never none, what went wrong."""
    said = error.strerror if isinstance(error, OSError) else None
    return (said or str(error)).partition("\n")[0].rstrip(".:") or type(error).__name__


def read_npy(path: Path) -> NDArray[Any] | NpzFile:
    """Return the array of a NumPy file, or what NumPy gives for a file of several.

    Raises `ValueError` when there is none, or it is shorter than it says: before memory is taken
    for it.
    """
    with path.open("rb") as file:
        if file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
            file.seek(0)
            # Later versions differ only in the letters that titles may have.
            is_first = npy.read_magic(file) == (1, 0)
            read_header = npy.read_array_header_1_0 if is_first else npy.read_array_header_2_0
            try:
                shape, _, dtype = read_header(file)
            except Exception as error:  # it is read as Python, which raises what it likes
                raise ValueError(f"its header cannot be read: {error}") from error
            n_bytes, left = math.prod(shape) * dtype.itemsize, path.stat().st_size - file.tell()
            if not n_bytes and math.prod(filter(None, shape)) > left + _MOST_OF_NOTHING:
                raise ValueError(f"it is to hold {times(shape)} of {dtype}, which is nothing")
            if not dtype.hasobject and (min(shape, default=0) < 0 or n_bytes > left):
                raise ValueError(
                    f"it is to hold {times(shape)} numbers of {dtype}, which are {n_bytes:,} "
                    f"bytes, and has {left:,}"
                )
    read: NDArray[Any] | NpzFile = np.load(path, allow_pickle=False)
    return read


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with its home folder written out, where it begins with one."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # "~name" is a file, not somebody's home
        return Path(path)


def without_up(path: str | os.PathLike[str]) -> Path:
    """Return a path as an absolute one without "..", for whoever goes by what paths say."""
    whole = expanded(path).absolute()
    above, up, below = f"{whole}/".rpartition("/../")
    if not up:
        return whole
    plain, real = os.path.normpath(above + up), os.path.realpath(above + up)
    # Behind a link, ".." leads to what is above the target of the link.
    return Path(plain if os.path.realpath(plain) == real else real, below)


def output_path(path: object) -> Path:
    """Return the path of a file to be written; raise where it is no name."""
    if not isinstance(path, str | os.PathLike):
        raise ArgumentTypeError(f"path is the name of a file; {path!r} is {type(path).__name__}.")
    return expanded(path)


def name_of_file(source: Any) -> str:
    """Return the name of the file that a source is, or that an image is in; ``""`` without one."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = source.get_filename() if hasattr(source, "get_filename") else None
    return str(name or "")


def package_file(package: str, name: str) -> Path | None:
    """Return a file that an installed package brings, which is not imported; None where none is.

    Parameters
    ----------
    package : str
        Its name, as it is imported.
    name : str
        The path of the file inside the package.
    """
    spec = importlib.util.find_spec(package)
    folders = () if spec is None else spec.submodule_search_locations or ()
    files = (Path(folder) / name for folder in folders)
    return next((file for file in files if file.is_file()), None)


def is_pattern(source: object) -> bool:
    """Tell whether this is a path of which no file is there, but a pattern of files."""
    if not isinstance(source, str | os.PathLike):
        return False
    path = str(expanded(source))
    return glob.has_magic(path) and not os.path.exists(path)  # noqa: PTH110  never raises


def files_matching(pattern: str | os.PathLike[str], what: str) -> list[str]:
    """Return the files of a pattern in natural order, in which 9 is before 10.

    ``**`` stands for any number of folders.

    Raises `InputMissingError` when there is none.
    """
    files = found(pattern)
    if not files:
        raise InputMissingError(
            f"No file matches the pattern of {what}: {expanded(pattern)}. Check it."
        )
    return files


def found(pattern: str | os.PathLike[str]) -> list[str]:
    """Return the files of a pattern, as `files_matching`, or none."""
    path = expanded(pattern)
    files = set(glob.glob(str(path), recursive=True))  # noqa: PTH207  absolute patterns too
    if "**" in path.parts:
        # A link to a folder above leads to the same files again and again.
        nearest: dict[str, str] = {}
        for file in sorted(files, key=len):
            folder, name = os.path.split(file)
            nearest.setdefault(os.path.join(os.path.realpath(folder), name), file)  # noqa: PTH118
        files = set(nearest.values())
    return sorted(files, key=natural_order)


def natural_order(text: str) -> tuple[list[tuple[int, str]], str]:
    """Return a key by which 9 comes before 10."""
    # Every second part is digits, so numbers and texts never meet; of numbers the longer is larger.
    key = []
    for number, part in enumerate(_DIGITS.split(text)):
        digits = part.lstrip("0")
        key.append((len(digits), digits) if number % 2 else (0, part))
    return key, text


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of what is in a file, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_output(path: Path, *, overwrite: bool) -> None:
    """Raise where an output cannot be written, before any work is done for it.

    What processes that are dead left for the same output is removed before, so that it goes even
    where the output exists and stays: a writer may be killed when it has just come to exist.

    Raises `OutputExistsError` when the file exists and `overwrite` is false; `OutputError` when the
    path is a folder or a device, or its folder does not exist or is not writable.
    """
    target = _target_of(path)
    exists = os.path.lexists(path)
    _remove_dead(_temporary_names(target, suffix_of(path)))
    if exists and not overwrite:
        raise OutputExistsError(
            f"The output exists: {path}. Ask for overwriting (overwrite=True, --overwrite), "
            "or choose another name."
        )
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"The folder of the output is not writable: {target.parent}. Choose another folder."
        )
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"The output is write-protected: {path}. Choose another name.")


def check_output_of(path: Path, use: Literal["page", "figure"], *, overwrite: bool) -> None:
    """Raise where a page or a figure cannot be written under this name, before it is made.

    Raises `FileFormatError` when the name is that of something else; else as `check_output`.
    """
    if not has_use(path, use):
        raise FileFormatError(
            f"A {use} cannot be written as {path.name!r}. It is written as "
            f"{', '.join(suffixes(use))}."
        )
    check_output(path, overwrite=overwrite)


def _target_of(path: Path) -> Path:
    """Return where an output really goes, links followed; raise where no file can be there."""
    try:
        target = path.resolve()
        if target.is_dir():
            raise OutputError(f"The output is a folder: {path}. Name a file in it.")
        if not target.parent.is_dir():
            above = next(folder for folder in target.parents if folder.exists())
            if not above.is_dir():
                raise OutputError(
                    f"The folder of the output, {target.parent}, cannot be: {above} is a file."
                )
            raise OutputError(
                f"The folder of the output does not exist: {target.parent}. Make it first."
            )
        if target.exists() and not target.is_file():
            raise OutputError(
                f"The output is no regular file: {path}. A device or a pipe is not replaced; "
                "choose another name."
            )
    except OutputError:
        raise
    # ValueError: a name with a zero byte; RuntimeError: links that form a circle
    except (OSError, ValueError, RuntimeError) as error:
        raise OutputError(f"The output cannot be written: {str(path)!r}: {error}.") from error
    return target


def make_folder(folder: Path) -> None:
    """Make a folder for outputs, if it does not exist.

    Raises `OutputError` when that is not possible, as where a file has its name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made: {error.strerror}. Choose another name."
        ) from error


@contextlib.contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary path to write to, and put the file in its place afterwards."""
    with replacing_all([path], overwrite=overwrite) as (temporary,):
        yield temporary


@contextlib.contextmanager
def replacing_all(paths: Sequence[Path], *, overwrite: bool) -> Iterator[list[Path]]:
    """Give temporary paths to write to, and put the files in their places when all are whole.

    No interrupt comes between the first and the last of them.

    Parameters
    ----------
    paths : sequence of Path
        The outputs.  The temporary names end as these, so that writers know the format.
    overwrite : bool
        Whether existing files may be replaced.

    Raises
    ------
    OutputExistsError, OutputError
        As `check_output`; also when writing fails, for example on a full disk, or when a temporary
        file may not be removed.  The message says what is there then.
    """
    for path in paths:
        check_output(path, overwrite=overwrite)
    written: list[Path] = []
    left: list[str] = []  # temporary files that could not be removed
    try:
        with _temporary_files(paths, left) as files:
            yield [temporary for *_, temporary in files]
            for *_, temporary in files:
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
            with interrupts_held():
                for path, target, temporary in files:
                    _put_in_place(temporary, target, overwrite=overwrite)
                    written.append(path)
    except OSError as error:
        if isinstance(error, RegioncastError) and not written:
            raise
        failed = f"Writing {', '.join(map(str, paths))} failed: {_reason(error)}."
        raise OutputError(f"{failed} {_outcome(paths, written, left)}") from error
    if left:
        raise OutputError(_outcome(paths, written, left))
    for path in written:
        _bring_name_to_disk(path.resolve())


def _outcome(paths: Sequence[Path], written: Sequence[Path], left: Sequence[str]) -> str:
    """Return what is there after outputs were not written, or not without a rest."""
    outcome = "Nothing was changed."
    if written:
        outcome = f"{', '.join(map(str, written))} was written, and is whole."
    if 0 < len(written) < len(paths):
        outcome += " The other is as it was. Write both again."
    if left:
        outcome += f" A temporary file stays, which may not be removed: {', '.join(left)}."
    return outcome


@contextlib.contextmanager
def _temporary_files(
    paths: Sequence[Path], left: list[str]
) -> Iterator[list[tuple[Path, Path, Path]]]:
    """Give for each path where it really is, and a temporary file beside that."""
    if not paths:
        yield []
        return
    target = paths[0].resolve()  # a link goes on pointing where it did
    names = _temporary_names(target, suffix_of(paths[0]))
    # One within the other: an `ExitStack` may be interrupted before it enters or leaves.
    with _temporary_file(names, left) as temporary, _temporary_files(paths[1:], left) as others:
        yield [(paths[0], target, temporary), *others]


@contextlib.contextmanager
def _temporary_file(names: list[Path], left: list[str]) -> Iterator[Path]:
    """Make a file of one of these names; it is locked while we are here, and then removed.

    Where that is refused, its name and the reason are appended to `left`.
    """
    try:
        with _first_free(names) as file:
            temporary = Path(os.fsdecode(file.name))
            try:
                yield temporary
            finally:
                # Once it is renamed, its name may be that of another's file.
                try:
                    if _is_open(temporary, file.fileno()):
                        temporary.unlink()
                except OSError as error:
                    left.append(f"{temporary} ({error.strerror})")
    except BaseException:
        # An interrupt may come between any two steps: when there is a file of which we do not
        # know yet, or one that we have just begun to remove.
        _remove_dead(names)
        raise


def _temporary_names(target: Path, suffix: str) -> list[Path]:
    """Return the names that all who write this output try."""
    digest = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    return [target.with_name(f".regioncast-{digest}-{n}{suffix}") for n in range(_MOST_WRITERS)]


def _first_free(names: list[Path]) -> io.FileIO:
    """Make and lock the first of these files that does not exist.

    Where all do, further names are tried, and appended to these.
    """
    number = 0
    while True:
        if number == len(names):
            # As where there are no locks, by which a dead process's would be told and removed.
            ending = "".join(names[0].suffixes)
            names.append(names[0].with_name(f".regioncast-{secrets.token_hex(8)}{ending}"))
        name = names[number]
        number += 1
        try:
            file = name.open("x+b", buffering=0)
        except FileExistsError:
            continue
        try:
            # Between making and locking it, another process may have taken it for a dead one's.
            if _lock(file.fileno()) is not False and _is_open(name, file.fileno()):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _remove_dead(names: list[Path]) -> None:
    """Remove those of these files that nobody is writing any more."""
    for name in filter(os.path.lexists, names):
        try:
            descriptor = os.open(name, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:  # somebody else's, or gone meanwhile
            continue
        try:
            if _lock(descriptor) and _is_open(name, descriptor):
                with contextlib.suppress(OSError):  # another user's, in a folder that all share
                    if name.suffix == _LOCK:
                        _remove_folder_of(name)
                    name.unlink()
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Lock an open file; return whether nobody else has, None where files have no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_open(name: Path, descriptor: int) -> bool:
    """Return whether the file of this name is the one that is open."""
    try:
        return os.path.samestat(name.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def open_output(path: Path) -> io.BufferedWriter:
    """Open a file that goes to the disk while it is written: little is left to wait for."""
    return io.BufferedWriter(_Flowing(path, "wb"))


class _Flowing(io.FileIO):
    """A file that asks the system, now and then, to begin with what was written."""

    _begun = 0

    def fileno(self) -> int:
        """Refuse: NumPy would write there by C's streams, which lose what a full disk refuses."""
        raise io.UnsupportedOperation("what is written goes through this file")

    def write(self, data: ReadableBuffer, /) -> int:
        written = super().write(data)
        n_bytes = self.tell() - self._begun
        if n_bytes >= _FLOW_BYTES and hasattr(os, "posix_fadvise"):
            # Pages that are still to be written are not dropped; their writing begins.
            os.posix_fadvise(super().fileno(), self._begun, n_bytes, os.POSIX_FADV_DONTNEED)
            self._begun += n_bytes
        return written


def check_folder_output(
    path: Path, *, overwrite: bool, may_replace: Callable[[Path], bool]
) -> None:
    """Raise where a folder cannot be written as an output, before any work is done for it.

    Parameters
    ----------
    path : Path
    overwrite : bool
        Whether an existing folder may be replaced.
    may_replace : callable
        Tells whether a folder is one of those that are written here: no other is replaced.

    Raises
    ------
    OutputExistsError, OutputError
        As `check_output`; also where what exists is no such folder.
    """
    target = path.resolve()
    # What a dead writer had moved aside comes back before it is asked what is there.
    _remove_dead(_names_of_locks(target))
    _remove_without_lock(_names_of_locks(target))
    if not target.is_dir():
        check_output(path, overwrite=overwrite)  # which looks at the folder above, and at files
        if target.exists():
            raise OutputError(
                f"The output is written as a folder, and a file has its name: {path}. Choose "
                "another name."
            )
        return
    if not may_replace(target):
        raise OutputError(
            f"The output is a folder, and none of this kind: {path}. Choose another name."
        )
    if not overwrite:
        raise OutputExistsError(
            f"The output exists: {path}. Ask for overwriting (overwrite=True, --overwrite), "
            "or choose another name."
        )
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise OutputError(
            f"The folder of the output is not writable: {target.parent}. Choose another folder."
        )


@contextlib.contextmanager
def replacing_folder(
    path: Path, *, overwrite: bool, may_replace: Callable[[Path], bool]
) -> Iterator[Path]:
    """Give a temporary folder to write to, and put it in its place afterwards.

    An existing one is moved aside, and removed when the new one is in its place.

    Raises `OutputExistsError`, `OutputError` as `check_folder_output`, and when writing fails.
    """
    check_folder_output(path, overwrite=overwrite, may_replace=may_replace)
    target = path.resolve()
    left: list[str] = []
    is_written = False
    try:
        with _temporary_file(_names_of_locks(target), left) as lock:
            # Never under the name of an earlier one: the processes of a writer that was killed may
            # still write what they were sent.
            outer = lock.with_suffix("")
            folder = outer / secrets.token_hex(8)
            try:
                lock.write_bytes(os.fsencode(target.name))
                folder.mkdir(parents=True)
                yield folder
                _bring_to_disk(folder)
                with interrupts_held():
                    _put_folder_in_place(folder, target, lock.with_suffix(_REPLACED), overwrite)
                is_written = True
            finally:
                _remove_tree(outer)
    except OSError as error:
        if isinstance(error, RegioncastError):
            raise
        written = [path] if is_written else []
        raise OutputError(
            f"Writing {path} failed: {_reason(error)}. {_outcome([path], written, left)}"
        ) from error
    if left:
        raise OutputError(_outcome([path], [path], left))
    _bring_name_to_disk(target)


def _names_of_locks(target: Path) -> list[Path]:
    return _temporary_names(target, _LOCK)


def _put_folder_in_place(folder: Path, target: Path, replaced: Path, overwrite: bool) -> None:  # noqa: FBT001
    if not target.exists():
        folder.rename(target)
        return
    if not overwrite:
        raise OutputExistsError(f"The output has come to exist meanwhile: {target}.")
    # A folder that is not empty is not replaced by a rename: for a moment there is neither.
    target.rename(replaced)
    try:
        folder.rename(target)
    except BaseException:
        replaced.rename(target)
        raise
    shutil.rmtree(replaced, ignore_errors=True)


def _bring_to_disk(folder: Path) -> None:
    for above, _, names in os.walk(folder):
        for name in names:
            with Path(above, name).open("rb") as file:
                os.fsync(file.fileno())


def _remove_folder_of(lock: Path) -> None:
    """Remove the folder that a dead process wrote, and put back what it had moved aside."""
    # It died between two renames: the target's name is in the lock, whose own is a digest of it.
    replaced = lock.with_suffix(_REPLACED)
    if replaced.exists():
        target = lock.with_name(os.fsdecode(lock.read_bytes()))
        if target.exists():
            shutil.rmtree(replaced, ignore_errors=True)
        else:
            replaced.rename(target)
    _remove_tree(lock.with_suffix(""))


def _remove_without_lock(locks: Sequence[Path]) -> None:
    """Remove folders that came to be again when their writer had ended: by other processes."""
    for name in locks:
        if name.with_suffix("").is_dir() and not name.exists():
            # Under its lock, or that of another name if somebody else has it by now.
            with _temporary_file([name], []) as lock:
                _remove_tree(lock.with_suffix(""))


def _remove_tree(folder: Path) -> None:
    """Remove a folder, in which something may still be written for a moment after an error."""
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_PAUSE)


def _put_in_place(temporary: Path, target: Path, *, overwrite: bool) -> None:
    if target.exists():
        temporary.chmod(stat.S_IMODE(target.stat().st_mode))
    if not overwrite:
        # Unlike a rename, a link never replaces what came there while we wrote.
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise OutputExistsError(f"The output has come to exist meanwhile: {target}.") from None
        except OSError:  # a file system without hard links
            check_output(target, overwrite=False)
        else:
            return
    temporary.replace(target)


def _bring_name_to_disk(path: Path) -> None:
    # Held, as nobody else closes a descriptor; and a folder that is writable need not be readable.
    with interrupts_held(), contextlib.suppress(OSError):
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
