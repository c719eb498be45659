"""Jobs of a derivative of BIDS: which of its images each atlas is for, by their names.

Nothing is asked of a file but its name: a *space* is the value of ``space-``, of an atlas of
TemplateFlow that of ``tpl-``.
"""

from __future__ import annotations

import csv
import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Literal

from ..errors import (
    ArgumentError,
    CohortWarning,
    FileFormatError,
    InputMissingError,
    InputUnreadableError,
    examples,
    plural,
    warn,
)
from ..files import expanded, natural_order, replacing
from ..formats import KindName, format_of, has_use, suffix_of
from ..io.filenames import entities_of, filled, name_of
from ..io.sidecar import files_of
from ..io.surface.names import names_in

if TYPE_CHECKING:
    from ..progress import Progress

# Folders of fMRIPrep and others that have no results in them.
_NOT_LOOKED_INTO = ("figures", "log", "logs", "sourcedata", "code")

_DATASET = "dataset_description.json"

# What images to reduce are described by, where nothing else is asked for: of fMRIPrep and xcp_d.
_DESCRIPTIONS = ("desc-preproc", "desc-denoised")

# What is looked for, as messages say it.
_LOOKED_FOR = {
    "volume": "*_desc-preproc_bold.nii.gz",
    "cifti": "*_bold.dtseries.nii",
    "surface": "*_hemi-?_*_bold.func.gii",
}

# What one image has and not another of the same run; confounds are of the run.
_OF_SAMPLING = ("hemi", "space", "cohort", "res", "den", "desc")

# In what images of an atlas have to agree with it, where both say it.
_OF_GRID = ("cohort", "res", "den")


@dataclass
class _Found:
    """What there is in a derivative: images by their paths, and what was passed over."""

    root: Path
    match: str | None
    images: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def find_jobs(
    folder: str | os.PathLike[str],
    atlases: Mapping[str, str | os.PathLike[str]],
    *,
    match: str | None = None,
    mask: str | None = None,
    confounds: bool = False,
    confound_columns: Sequence[str] | None = None,
    resample: Literal["labels"] | None = None,
    relative_to: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> list[dict[str, str]]:
    """Return a row of a table of jobs for each image of a derivative of BIDS and each atlas for it.

    An atlas is for the images of its kind (volumes, surfaces, CIFTI); of its space, where its name
    has ``space-`` or ``tpl-``; and of its resolution or density, where both names have one.

    Parameters
    ----------
    folder : path
        Of fMRIPrep's outputs, or the like.  Folders in it that are data sets of their own are not
        looked into, nor are hidden ones, ``figures``, ``logs`` and ``sourcedata``.
    atlases : mapping of str to path
        Labels images by what they are called in names of outputs: letters and digits.  Where each
        subject has its own, ``{sub}``, ``{ses}`` and other entities in a path are those of the
        image.
    match : str, default=None
        Pattern of paths in the folder, in which ``*`` stands for anything, folders too.  When not
        given, ``*_desc-preproc_bold`` and ``*_desc-denoised_bold`` of volumes, and these and
        ``*_bold`` of surfaces and CIFTI.
    mask : str, default=None
        ``"brain"``: the mask of volumes is ``desc-brain_mask`` beside the image.
    confounds : bool, default=False
        Whether ``desc-confounds_timeseries.tsv`` beside the image is to be taken out.
    confound_columns : sequence of str, default=None
        Which of its columns.
    resample : {"labels"}, default=None
        Bring the atlas to the grid of each image, by nearest neighbour.
    relative_to : path, default=None
        Folder of the table: paths are as they lie from there, where they were given relative.
        Otherwise, all are absolute.
    progress : callable, default=None
        Called with the number of folders looked into, and of those known.

    Returns
    -------
    list of dict of str to str
        Columns by titles: ``image``, ``atlas``, and ``mask``, ``confounds``,
        ``confound_columns`` and ``resample`` where they are asked for.  Images in natural order,
        atlases as given.

    Raises
    ------
    InputMissingError
        When there is no such folder or atlas, no image for an atlas, or no mask or confounds or
        other hemisphere of one.
    ArgumentError
        When something is called in a way that it cannot be; or an atlas says no space, and the
        images that it may be for are in several.

    Warns
    -----
    CohortWarning
        Where images are links to files that are not there, which are left out.

    Examples
    --------
    >>> from pathlib import Path
    >>> func = Path("fmriprep/sub-1/func")
    >>> func.mkdir(parents=True)
    >>> (func / "sub-1_task-rest_space-T1w_desc-preproc_bold.nii.gz").touch()
    >>> Path("a_dseg.nii.gz").touch()
    >>> (row,) = find_jobs("fmriprep", {"A": "a_dseg.nii.gz"}, relative_to=".")
    >>> row["image"]
    'fmriprep/sub-1/func/sub-1_task-rest_space-T1w_desc-preproc_bold.nii.gz'
    >>> row["atlas"]
    'A=a_dseg.nii.gz'
    """
    root = _folder(folder)
    _check(atlases, mask)
    if confound_columns and not confounds:
        raise ArgumentError("confound_columns are of confounds. Ask for these too.")
    there = _look_into(root, match, progress)
    images = _pairs_of(there.images, root)
    shown = _as_shown(root, folder, relative_to)
    images_of = {label: _images_of(label, atlas, images, there) for label, atlas in atlases.items()}
    for chosen in images_of.values():
        _check_are_plain(chosen, root)
    cell_of = cache(partial(_cell_of_atlas, relative_to=relative_to))
    always = _in_all_rows(confound_columns, resample)
    rows: list[dict[str, str]] = []
    needed: dict[str, None] = {}
    for image in images:
        beside = _beside(image, mask, confounds=confounds)
        for label in filter(lambda label: image in images_of[label], atlases):
            cell = cell_of(label, images_of[label][image])
            needed |= dict.fromkeys(filter(None, beside.values()))
            files = {title: str(shown / name) if name else "" for title, name in beside.items()}
            rows.append({"image": str(shown / image), "atlas": cell, **files, **always})
    # After what is not there, which may be why a name says nothing.
    for label, chosen in images_of.items():
        _check_one_space(label, chosen)
    _check_there(needed, root)
    return rows


def _in_all_rows(confound_columns: Sequence[str] | None, resample: str | None) -> dict[str, str]:
    """Return the cells that are the same in all rows."""
    cells: dict[str, str] = {}
    if confound_columns:
        cells["confound_columns"] = ",".join(confound_columns)
    if resample:
        cells["resample"] = resample
    return cells


def write_jobs(rows: Sequence[Mapping[str, str]], path: Path, *, overwrite: bool) -> None:
    """Write rows as a table, ``.tsv`` or ``.csv``, whole or not at all.

    Parameters
    ----------
    rows : sequence of mapping
        As `find_jobs` gives them; empty cells are written as ``n/a``.
    path : Path
    overwrite : bool

    Raises
    ------
    FileFormatError
        When the name is that of no table.
    OutputExistsError, OutputError
        As `regioncast.save`.
    """
    delimiter = {".tsv": "\t", ".csv": ","}.get(suffix_of(path))
    if delimiter is None:
        raise FileFormatError(f"Tables of jobs end in .tsv or .csv, not as {path.name!r} does.")
    with (
        replacing(path, overwrite=overwrite) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows({title: cell or "n/a" for title, cell in row.items()} for row in rows)


def _check_there(files: Iterable[str], root: Path) -> None:
    """Raise where what images need is not there."""
    missing = [file for file in files if not (root / file).is_file()]
    if missing:
        raise InputMissingError(
            f"{plural(len(missing), 'file')} that the images in {root} need "
            f"{'is' if len(missing) == 1 else 'are'} not there: {examples(missing)}. Choose images "
            "that have them with match (--match), or leave out mask and confounds."
        )


# --- looking -------------------------------------------------------------------------------------


def _look_into(root: Path, match: str | None, progress: Progress | None) -> _Found:
    """Return the images in a folder and those in it; each folder once, whatever links to it."""
    there = _Found(root, match)
    folders = [""]
    seen: set[tuple[int, int]] = set()
    for number, folder in enumerate(folders, start=1):  # which grow meanwhile: nearest first
        for name, entry in _entries(root / folder, seen):
            path = f"{folder}{name}"
            if entry.is_dir():
                if _is_looked_into(there, path):
                    folders.append(f"{path}/")
            elif has_use(Path(name), "data") and _is_wanted(path, match):
                (there.images if entry.is_file() else there.absent).append(path)
        if progress is not None:
            progress(number, len(folders))
    absent = sorted(there.absent, key=natural_order)
    if absent:
        warn(
            f"{plural(len(absent), 'image')} in {root} are links to files that are not "
            f"there, and left out: {examples(absent)}. Get the "
            "files, as by datalad get, and look again.",
            CohortWarning,
        )
    return there


def _is_looked_into(there: _Found, folder: str) -> bool:
    """Return whether a folder may have results; data sets of their own are noted."""
    name = PurePath(folder).name
    if name in _NOT_LOOKED_INTO or name.startswith("."):
        return False
    is_dataset = (there.root / folder / _DATASET).is_file()
    if is_dataset:
        there.datasets.append(folder)
    return not is_dataset


def _entries(folder: Path, seen: set[tuple[int, int]]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Give what is in a folder, real files and folders first; nothing of one that was seen."""
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            listed = list(entries)
    except OSError as error:
        raise InputUnreadableError(
            f"The folder {folder} cannot be looked into ({error.strerror}). Ask its owner."
        ) from error
    for entry in sorted(listed, key=lambda entry: (entry.is_symlink(), natural_order(entry.name))):
        yield entry.name, entry


def _is_wanted(path: str, match: str | None) -> bool:
    if match is not None:
        return fnmatchcase(path, match)
    name = PurePath(path).name
    if name_of(name).rpartition("_")[2] != "bold":
        return False
    description = entities_of(name).get("desc")
    return description in _DESCRIPTIONS or (description is None and _kind_of(name) != "volume")


def _kind_of(name: str) -> KindName:
    entry = format_of(Path(name))
    return "volume" if entry is None else entry.kinds[0]


def _pairs_of(images: Sequence[str], root: Path) -> list[str]:
    """Return the images in natural order, the surfaces of two hemispheres as one pattern."""
    sides: dict[str, set[str]] = {}
    others = []
    for image in images:
        name = PurePath(image).name
        side = entities_of(name).get("hemi")
        if side in ("hemi-L", "hemi-R") and _kind_of(name) == "surface":
            pattern = str(PurePath(image).with_name(name.replace(f"_{side}_", "_hemi-?_")))
            sides.setdefault(pattern, set()).add(side)
        else:
            others.append(image)
    alone = [pattern for pattern, found in sides.items() if len(found) == 1]
    if alone:
        raise InputMissingError(
            f"{plural(len(alone), 'surface')} in {root} without that of the other hemisphere: "
            f"{examples(alone)}. Choose images that have both with match (--match)."
        )
    return sorted([*sides, *others], key=natural_order)


def _images_of(
    label: str,
    atlas: str | os.PathLike[str],
    images: Sequence[str],
    there: _Found,
) -> dict[str, str]:
    """Return the images that an atlas is for, each with its file; raise where there are none."""
    name = os.fspath(atlas)
    kind = _kind_of(PurePath(names_in(name)[0]).name)
    of_kind = [image for image in images if _kind_of(image) == kind]
    files = {image: str(filled(Path(name), entities_of(image))) for image in of_kind}
    chosen = {
        image: file
        for image, file in files.items()
        if _is_on(_grid_of(PurePath(image).name), _grid_of_atlas(file))
    }
    if not chosen:
        asked = there.match or _LOOKED_FOR.get(kind, "")
        where = "".join(f" {key}-{value}" for key, value in _grid_of_atlas(name).items())
        raise InputMissingError(
            f"No image in {there.root} is for the atlas {label} ({PurePath(name).name}): looked "
            f"for {asked!r}{' with' if where else ''}{where}{_what_there_is(of_kind, there)}. "
            "Name another folder, atlas or pattern (--match)."
        )
    return chosen


def _check_are_plain(images: Iterable[str], root: Path) -> None:
    """Raise where the pattern of a pair of surfaces may stand for files of other folders."""
    wild = []
    for image in images:
        plain = str(root / image).replace("_hemi-?_", "_")
        # Of what is no pair, the name is no pattern.
        if "_hemi-?_" in image and glob.escape(plain) != plain:
            wild.append(image)
    if wild:
        raise ArgumentError(
            f"{plural(len(wild), 'pair')} of surfaces in {root} whose paths have *, ? or [, by "
            f"which other files may be found, too: {examples(wild)}. Rename the folder or files."
        )


def _grid_of_atlas(atlas: str) -> dict[str, str]:
    return _grid_of(PurePath(names_in(atlas)[0]).name)


def _check_one_space(label: str, chosen: Mapping[str, str]) -> None:
    """Raise where an atlas does not say which of several spaces it is in."""
    unsaid = [image for image, file in chosen.items() if "space" not in _grid_of_atlas(file)]
    spaces = _spaces_of(unsaid)
    if len(spaces) > 1:
        raise ArgumentError(
            f"The name of the atlas {label} ({PurePath(chosen[unsaid[0]]).name}) says no space, "
            f"and the images of its kind are in several: {_listed(spaces)}. Choose those of one "
            "space with match (--match), as by '*_space-T1w_*', or put space- into its name."
        )


def _spaces_of(images: Sequence[str]) -> Counter[str]:
    return Counter(_grid_of(PurePath(image).name).get("space", "none") for image in images)


def _listed(spaces: Counter[str]) -> str:
    return ", ".join(f"{space} ({count:,})" for space, count in spaces.most_common())


def _what_there_is(images: Sequence[str], there: _Found) -> str:
    said = ""
    if images:
        said += f"; the images of its kind are in these spaces: {_listed(_spaces_of(images))}"
    if there.datasets:
        said += f". Not looked into, as data sets of their own: {examples(there.datasets)}"
    return said


def _grid_of(name: str) -> dict[str, str]:
    """Return what a name says of where its samples are."""
    entities = entities_of(name)
    entities.setdefault("space", entities.get("tpl", ""))
    said = {key: entities.get(key, "").partition("-")[2] for key in ("space", *_OF_GRID)}
    # Both res-2 and res-02 are written.
    return {key: value.lstrip("0") or value for key, value in said.items() if value}


def _is_on(image: Mapping[str, str], atlas: Mapping[str, str]) -> bool:
    if "space" not in atlas:
        return True
    agrees = all(image.get(key, atlas[key]) == atlas[key] for key in _OF_GRID if key in atlas)
    return agrees and image.get("space") == atlas["space"]


# --- rows ----------------------------------------------------------------------------------------


def _beside(image: str, mask: str | None, *, confounds: bool) -> dict[str, str]:
    """Return the files that go with an image, by their columns; empty where none applies."""
    path = PurePath(image)
    entities = [part for part in name_of(path.name).split("_")[:-1] if "-" in part]
    files = {}
    if mask is not None:
        without = [part for part in entities if not part.startswith("desc-")]
        name = "_".join([*without, f"desc-{mask}", f"mask{suffix_of(Path(path.name))}"])
        # Grayordinates and vertices are of the brain.
        files["mask"] = str(path.with_name(name)) if _kind_of(path.name) == "volume" else ""
    if confounds:
        of_run = [part for part in entities if part.partition("-")[0] not in _OF_SAMPLING]
        name = "_".join([*of_run, "desc-confounds", "timeseries.tsv"])
        files["confounds"] = str(path.with_name(name))
    return files


def _cell_of_atlas(label: str, atlas: str, *, relative_to: str | os.PathLike[str] | None) -> str:
    files = files_of(atlas)
    if not files:
        raise InputMissingError(f"The atlas {label} does not exist: {atlas}. Check the name.")
    if len(files) > 1 and _kind_of(PurePath(atlas).name) != "surface":
        raise ArgumentError(
            f"The atlas {label} is a pattern of {plural(len(files), 'file')}: {atlas}. Name one; "
            "or that of each subject with {sub} in its path, in quotes."
        )
    names = names_in(atlas)
    paths = [_as_shown(expanded(name).absolute(), name, relative_to) for name in names]
    # The folder of the table goes before the first of two, and not before the second.
    paths = paths if len(paths) == 1 else [expanded(name).absolute() for name in names]
    return f"{label}={','.join(map(str, paths))}"


def _as_shown(
    path: Path, given: str | os.PathLike[str], relative_to: str | os.PathLike[str] | None
) -> Path:
    """Return a path as it lies from the folder of the table, or absolute."""
    if relative_to is None or expanded(given).is_absolute():
        return path
    folder = expanded(relative_to).absolute()
    relative = Path(os.path.relpath(path, folder))
    # Behind a link, .. leads to where the link leads.
    there = folder / relative
    is_same = there.exists() and path.exists() and there.samefile(path)
    return relative if is_same or "?" in path.name else path


def _folder(folder: str | os.PathLike[str]) -> Path:
    root = expanded(folder).absolute()
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise InputMissingError(f"The folder of images {what}: {root}. Check the name.")
    return Path(os.path.normpath(root))


def _check(atlases: Mapping[str, str | os.PathLike[str]], mask: str | None) -> None:
    if not atlases:
        raise ArgumentError("Jobs need an atlas or several: {'A': 'A_dseg.nii.gz'}.")
    wrong = [label for label in atlases if not (label.isascii() and label.isalnum())]
    if wrong:
        raise ArgumentError(
            f"{plural(len(wrong), 'label')} of atlases with other signs than letters and digits, "
            f"which names of BIDS cannot hold: {examples(wrong)}. Choose others."
        )
    if mask is not None and not (mask.isascii() and mask.isalnum()):
        raise ArgumentError(f"mask is what stands in desc-…_mask, such as brain, not {mask!r}.")
