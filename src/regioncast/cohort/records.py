"""What is done, as the disk says it: the record of a table, in the sidecar that is written last.

A *record* says of which files a table was made, by which options, and by which version of
regioncast.  A table is done when the record in its sidecar is the one that it would get now.  Files
are the same by their sizes and times, or by their contents where there are checksums.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OutputError
from ..files import sha256_of
from ..formats import HALVES, family_of, stem_of
from ..io.kinds import NO_REGIONS
from ..io.sidecar import files_beside, files_of, own_sidecar, own_version, write_beside
from ..tables.regions import find_region_table

if TYPE_CHECKING:
    from .jobs import Job, Outputs

RECORD = "Record"
"""The field of sidecars that has it."""

NEW = "new"
"""Why a job is to be done that never was."""

# How the reasons end of inputs that were there once.
_GONE = " is gone, and its table still there"

# Options that name files.
_FILES = ("regions", "mask", "weights", "confounds")


@dataclass(frozen=True)
class State:
    """Whether a job is done.

    Parameters
    ----------
    reason : str
        Why it is to be done; ``""`` where it is done.
    stale : tuple of Path
        Sidecars whose records are no longer true.  Those of inputs that are gone, as into an
        archive, are none: they say still what their tables were made of.
    """

    reason: str
    stale: tuple[Path, ...] = ()


class Stamps:
    """How files are told from what they were: each is asked once.

    Parameters
    ----------
    folder : Path
        Of outputs, from which paths in records go: both may be moved together.
    checksum : bool
        Whether the contents count, and not the times.
    """

    def __init__(self, folder: Path, *, checksum: bool) -> None:
        self.folder = folder
        self.checksum = checksum
        self.of = cache(self._of)
        self.files_of_atlas = cache(_files_of_atlas)

    def _of(self, file: Path) -> dict[str, Any]:
        status = file.stat()
        stamp: dict[str, Any] = {
            "Path": Path(os.path.relpath(file, self.folder)).as_posix(),
            "Size": status.st_size,
            "Modified": status.st_mtime_ns,
        }
        return stamp | ({"sha256": sha256_of(file)} if self.checksum else {})

    def are_same(self, then: Any, now: list[dict[str, Any]]) -> bool:
        """Return whether files are what they were when a record was written."""
        # By checksums, a copy or a clone of a repository is the same, whose times are new.
        names = ("Path", "Size", "sha256" if self.checksum else "Modified")
        if not isinstance(then, list) or len(then) != len(now):
            return False
        for stamp, other in zip(then, now, strict=True):
            if not isinstance(stamp, dict) or any(stamp.get(n) != other[n] for n in names):
                return False
        return True


def inputs_of(job: Job, stamps: Stamps) -> dict[str, list[Path]]:
    """Return the files that a job reads, as far as they are there, by what they are."""
    # What is not there is left out, and so makes another record than what was.
    images = list(files_of(job.image))
    inputs = {
        "image": images,
        "sidecar": [file for image in images for file in files_beside(image)],
        "atlas": list(stamps.files_of_atlas(job.atlas, job.of_atlas.get("regions"))),
    }
    # Beside the images, as names of images are those of what was extracted.
    inputs["sidecar"] += _whole(images)[len(images) :]
    options = {**job.of_atlas, **job.of_pass}
    for name in _FILES[1:]:
        if name in options:
            inputs[name] = _whole(files_of(options[name]))
    return inputs


def _whole(files: Sequence[Path]) -> list[Path]:
    """Return files, and then what they are read with: headers may be apart from voxels."""
    whole = [*files]
    for file in files:
        for suffix in HALVES if family_of(file) in ("pair", "afni") else ():
            half = file.with_name(f"{stem_of(file)}{suffix}")
            if half not in whole and half.is_file():
                whole.append(half)
    return whole


def _files_of_atlas(atlas: str, regions: str | None) -> tuple[Path, ...]:
    """Return the files of the labels and the table that names them, which may be beside them."""
    labels = _whole(files_of(atlas))
    if regions == NO_REGIONS:
        return tuple(labels)
    if regions is not None:
        return (*labels, *files_of(regions))
    beside = dict.fromkeys(filter(None, map(find_region_table, labels)))
    return (*labels, *beside)


def record_of(job: Job, strategy: str, stamps: Stamps) -> dict[str, Any]:
    """Return the record that a table of a job would get now.

    Raises `OSError` when a file has vanished meanwhile.
    """
    # Files count among the inputs, by what they are; that there is to be no table is an option.
    options = {**job.of_atlas, **job.of_pass}
    if options.get("regions") != NO_REGIONS:
        options.pop("regions", None)
    return {
        "Version": own_version(),
        "Options": {
            "label": job.label,
            "strategy": strategy,
            **{name: said for name, said in options.items() if name not in _FILES[1:]},
        },
        "Inputs": {
            what: [stamps.of(file) for file in files]
            for what, files in inputs_of(job, stamps).items()
        },
    }


def write_record(table: Path, said: Mapping[str, Any] | None, record: Mapping[str, Any]) -> None:
    """Write what goes beside a table, and with it that the table is done.

    Raises `OutputError` when that is not possible.
    """
    of_table = {**record, "Size": table.stat().st_size}
    write_beside(table, {"Filename": table.name, **(said or {}), RECORD: of_table})
    if own_sidecar(table) is None:
        raise OutputError(
            f"{table} was written, and what says that it is done not: the names of its sidecar are "
            "those of other files. Choose another output."
        )


def state_of(job: Job, outputs: Outputs, stamps: Stamps) -> State:
    """Return whether a job is done, or why it is not."""
    reasons: list[str] = []
    stale: list[Path] = []
    for strategy, table in outputs.tables.items():
        reason, sidecars = _state_of_table(job, strategy, table, stamps)
        reasons += [reason] if reason else []
        stale += sidecars
    if outputs.coverage is not None and not outputs.coverage.is_file():
        reasons.append(NEW if NEW in reasons else f"{outputs.coverage.name} is not there")
    # That it never was done is the least that can be said.
    reasons.sort(key=lambda reason: reason == NEW)
    return State(next(iter(reasons), ""), tuple(stale))


def _state_of_table(job: Job, strategy: str, table: Path, stamps: Stamps) -> tuple[str, list[Path]]:
    """Return why a table is to be written, and its sidecar where that is no longer true."""
    own = own_sidecar(table)
    if own is None or not isinstance(own[1].get(RECORD), dict):
        return "there is no record of it" if os.path.lexists(table) else NEW, []
    sidecar, content = own
    record = content[RECORD]
    reason = _difference(record, job, strategy, stamps) or _missing(table, record)
    # What is gone may be in an archive: the record is still true, and there will be no other.
    return reason, [sidecar] if reason and not reason.endswith(_GONE) else []


def _missing(table: Path, record: Mapping[str, Any]) -> str:
    """Return that a table is not the one that was written."""
    try:
        size = table.stat().st_size
    except OSError:
        return f"{table.name} is not there"
    return "" if size == record.get("Size") else f"{table.name} was changed"


def _difference(then: Mapping[str, Any], job: Job, strategy: str, stamps: Stamps) -> str:
    """Return what is not as it was when a record was written; ``""`` where all is."""
    try:
        now = record_of(job, strategy, stamps)
    except OSError as error:
        return f"{error.filename} is not there"
    for what, files in now["Inputs"].items():
        if not files and what != "sidecar":
            return f"the {what}{_GONE}"
    inputs = then.get("Inputs")
    of_then: Mapping[str, Any] = inputs if isinstance(inputs, dict) else {}
    for what in dict.fromkeys([*now["Inputs"], *of_then]):
        if not stamps.are_same(of_then.get(what, []), now["Inputs"].get(what, [])):
            return f"the {what} changed"
    if then.get("Options") != now["Options"]:
        return "options changed"
    if then.get("Version") != now["Version"]:
        return f"it was made by version {then.get('Version')}"
    return ""


def remove(sidecars: tuple[Path, ...]) -> None:
    """Remove records that are no longer true: a table without one is not taken for done.

    Raises `OutputError` when that is refused.
    """
    for sidecar in sidecars:
        try:
            with contextlib.suppress(FileNotFoundError):
                sidecar.unlink()
        except OSError as error:
            raise OutputError(
                f"{sidecar} says what is no longer true, and may not be removed: {error.strerror}. "
                "Choose another folder of outputs."
            ) from error
