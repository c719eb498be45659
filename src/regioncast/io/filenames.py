"""What the names of files say of the maps in them, and names that are made of that.

BIDS makes a name of *entities*, ``key-value`` with ``_`` between them, and a suffix:
``sub-01_task-rest_bold``.  A *template* is the name of an output with *fields* in it, which what is
written fills in: ``out/{sub}_{name}.tsv``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import ArgumentError, OutputError, examples, plural
from ..formats import family_of, stem_of
from ..signals import ENTITY

HEMISPHERE_FIELD = "hemi"
"""The field that surfaces fill in themselves, when they are written."""

_FIELD = re.compile(r"\{([A-Za-z]+)\}")
# What a name of a map may not bring into the name of a file.
_NOT_IN_NAMES = re.compile(r"[/\\?*{}\x00-\x1f]")


# --- what names say ------------------------------------------------------------------------------


def name_of(path: str | os.PathLike[str]) -> str:
    """Return the name of a file without its ending, unless the ending says what is in it.

    Examples
    --------
    >>> name_of("sub-01/stat.v2.nii.gz"), name_of("surf/lh.thickness")
    ('stat.v2', 'lh.thickness')
    """
    file = Path(path)
    return file.name if family_of(file) == "morphometry" else stem_of(file)


def entities_of(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the entities of a file, each as it is written; the name counts before the folders.

    Examples
    --------
    >>> entities_of("sub-01/ses-2/func/sub-01_task-rest_bold.nii.gz")
    {'sub': 'sub-01', 'ses': 'ses-2', 'task': 'task-rest'}
    """
    parts = [*Path(path).parts[:-1], *name_of(path).split("_")]
    matches = filter(None, map(ENTITY.fullmatch, parts))
    return {match[1]: match[0] for match in matches}


def names_of_files(files: Sequence[str | None]) -> list[str] | None:
    """Return names that tell files apart, with folders where they need them.

    None where one is no file, or stands twice.

    Examples
    --------
    >>> names_of_files(["sub-1/ses-1/stat.nii", "sub-2/ses-1/stat.nii"])
    ['sub-1_stat', 'sub-2_stat']
    """
    paths = [Path(file).absolute() for file in files if file]
    names = list(map(name_of, paths))
    if len(names) < len(files):
        return None
    if len(set(names)) < len(names):
        shared = set(paths[0].parts).intersection(*(path.parts for path in paths))
        for number, path in enumerate(paths):
            # An entity that the name has already says nothing new.
            said = shared.union(names[number].split("_"))
            folders = [part for part in path.parts[:-1] if part not in said]
            names[number] = "_".join([*folders, names[number]])
    return names if len(set(names)) == len(names) else None


def names_of_maps(
    files: Sequence[str | None], parts: Sequence[Sequence[str]]
) -> Sequence[str] | None:
    """Return the names of the maps of several files: those of the files, and the parts of each.

    Examples
    --------
    >>> names_of_maps(["sub-1_bold.nii", "sub-2_bold.nii"], [["volume-0", "volume-1"], ["a"]])
    ['sub-1_bold_volume-0', 'sub-1_bold_volume-1', 'sub-2_bold_a']
    """
    names = names_of_files(files)
    if names is None or all(len(of_file) == 1 for of_file in parts):
        return names
    pairs = zip(names, parts, strict=True)
    of_maps = [f"{name}_{part}" for name, of_file in pairs for part in of_file]
    return of_maps if len(set(of_maps)) == len(of_maps) else None


# --- templates -----------------------------------------------------------------------------------


def fields_of(template: Path) -> list[str]:
    """Return the fields in the name of an output."""
    return list(dict.fromkeys(_FIELD.findall(str(template))))


def is_template(output: Path) -> bool:
    """Return whether the name of an output has fields, beside that of the hemisphere."""
    return any(field != HEMISPHERE_FIELD for field in fields_of(output))


def check_fields(template: Path, known: Iterable[str], of_what: str = "") -> None:
    """Raise `ArgumentError` where a template has fields that nothing fills in."""
    there_are = sorted(set(known))
    unknown = [field for field in fields_of(template) if field not in there_are]
    if unknown:
        listed = ", ".join(f"{{{field}}}" for field in there_are) or "none"
        raise ArgumentError(
            f"Nothing fills in {', '.join(f'{{{field}}}' for field in unknown)} in the name "
            f"{str(template)!r}{of_what}. Fields that there are: {listed}."
        )


def filled(template: Path, values: Mapping[str, str]) -> Path:
    """Return a template with its fields filled in.

    An entity is ``sub-01`` and stands as such for ``{sub}`` and for ``sub-{sub}``.

    Fields without a value stay.

    Raises `OutputError` when a value cannot be part of the name of a file.

    Examples
    --------
    >>> filled(Path("out/sub-{sub}_{name}.tsv"), {"sub": "sub-01", "name": "stat"}).as_posix()
    'out/sub-01_stat.tsv'
    """
    name = str(template)
    for field in fields_of(template):
        if field not in values:
            continue
        value = values[field]
        if value in ("", ".", "..") or _NOT_IN_NAMES.search(value):
            raise OutputError(
                f"{value!r} cannot stand for {{{field}}} in the name of a file: it is empty, or "
                r"has one of / \ ? * { } or a control character in it. Rename it, or write one "
                "file of all."
            )
        # The longer form first: else sub-{sub} would become sub-sub-01.
        name = name.replace(f"{field}-{{{field}}}", value).replace(f"{{{field}}}", value)
    return Path(name)


def check_apart(outputs: Sequence[Path], of_what: Sequence[str], way: str) -> None:
    """Raise `OutputError` where two things would be one file; `way` says what to do about it."""
    first: dict[Path, str] = {}
    clashes: dict[Path, str] = {}
    for output, what in zip(outputs, of_what, strict=True):
        if output in first:
            clashes.setdefault(output, f"{output} of {first[output]} and {what}")
        first.setdefault(output, what)
    if clashes:
        raise OutputError(
            f"{plural(len(clashes), 'output')} would be written more than once: "
            f"{examples(clashes.values()).replace(chr(39), '')}. {way}"
        )
