"""Where the tables of jobs are written: BIDS names in a folder that is a derivative of its own.

A name of BIDS keeps its entities in their order, gets ``atlas-`` before what may follow it and
``stat-`` before ``desc-``, which is always last::

    sub-1/func/sub-1_task-rest_space-X_res-2_desc-preproc_bold.nii.gz
    sub-1/func/sub-1_task-rest_space-X_atlas-A_res-2_stat-mean_desc-preproc_timeseries.tsv
    sub-1/func/sub-1_task-rest_space-X_atlas-A_res-2_stat-coverage_desc-preproc_bold.tsv

``stat-`` and ``timeseries`` are drafts of BIDS (BEP012, BEP017), so validators are told to leave
tables out, by ``.bidsignore``.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from ..errors import OutputError, examples, plural
from ..files import folders_of_dataset, make_folder, natural_order, replacing
from ..formats import has_use
from ..io.filenames import check_fields, entities_of, filled, name_of
from ..io.sidecar import files_of
from ..io.surface.names import names_in, without_hemisphere
from ..signals import ENTITY
from .jobs import Job, Outputs

COVERAGE = "coverage"
"""What `stat-` says of tables of coverage."""

FAILED = "jobs.failed"
"""How the names of lists of jobs that failed begin."""

DESCRIPTION = "dataset_description.json"
"""What says of a folder that it is a data set of BIDS, and who made it."""

# That whose names these are.
_BIDS_VERSION = "1.11.1"

# What is in the folder and not in BIDS, or only in its drafts.
# Descriptions of atlases are of BIDS, but to validators they are sidecars of what they leave out.
_IGNORED = ("*_stat-*", "atlas-*_description.json", f"{FAILED}*", "*.parquet")

# What a name of BIDS may have after ``atlas-``.
_AFTER_ATLAS = ("seg", "scale", "res", "den", "label", "desc")

# Suffixes of images whose maps are time points; of others the name says nothing, and stays.
_SERIES = ("bold", "cbv", "asl", "pet", "timeseries")

_NO_LICENSE = "Not said by the files of the atlas."

# Of names that are none of BIDS, which say nothing of their maps.
_SUFFIX = "timeseries"

_SUFFIX_OF_BIDS = re.compile(r"[A-Za-z0-9]+")


def outputs_of(job: Job, folder: Path, suffix: str) -> Outputs:
    """Return the tables that a job writes into the folder of outputs; nothing is looked up.

    Parameters
    ----------
    job : Job
    folder : Path
    suffix : str
        ``".tsv"`` or ``".parquet"``; of outputs that the job names, where they have none.

    Raises
    ------
    OutputError
        When the output that the job names is outside of the folder or cannot be a table of it, or
        when two of its strategies would be one table.
    ArgumentError
        When nothing fills in a field of that name.

    Examples
    --------
    >>> image = "/data/sub-1/func/sub-1_task-rest_space-T1w_desc-preproc_bold.nii.gz"
    >>> job = Job(1, image, "/atlases/a_dseg.nii.gz", "A", ("mean",))
    >>> outputs_of(job, Path("out"), ".tsv").tables["mean"].as_posix()
    'out/sub-1/func/sub-1_task-rest_space-T1w_atlas-A_stat-mean_desc-preproc_timeseries.tsv'
    """
    if job.output is None:
        folders, name, parts = _parts_of(job.image)
        inside = folder / folders
        tables = {
            strategy: inside / f"{_name_of_table(name, parts, job.label, _plain(strategy))}{suffix}"
            for strategy in job.strategies
        }
        coverage = inside / f"{_name_of_table(name, parts, job.label, COVERAGE)}{suffix}"
        _check_distinct(job, tables)
        return Outputs(tables, coverage)
    image = image_name(job.image)
    _check_fields(job, image)
    # Labels and strategies stand for themselves: they are no entities of the image.
    name = job.output.replace("{atlas}", job.label)
    template = Path(name if has_use(Path(name), "signals", "table") else f"{name}{suffix}")
    values = entities_of(image) | {"name": name_of(image)}
    tables = {
        strategy: _inside(
            folder, filled(Path(str(template).replace("{strategy}", _plain(strategy))), values), job
        )
        for strategy in job.strategies
    }
    _check_distinct(job, tables)
    return Outputs(tables, None)


def image_name(image: str) -> str:
    """Return the path of an image; of the surfaces of both hemispheres, what they share."""
    # Without "..": the folders before it are not those of the image, and say not of whom it is.
    names = [os.path.normpath(name) for name in names_in(image)]
    if len(names) == 1 and not any(sign in image for sign in ("?", "{hemi}")):
        return names[0]
    return without_hemisphere(names[0].replace("{hemi}", "L").replace("?h", "lh").replace("?", "L"))


def folders_of(image: str) -> PurePath:
    """Return the folders of a subject that an image is in, or would be in by its name."""
    folders = PurePath(image).parts[:-1]
    of_subject = [at for at, part in enumerate(folders) if _is_entity(part, "sub")]
    if of_subject:
        return PurePath(*folders[of_subject[-1] :])
    entities = entities_of(PurePath(image).name)
    if "sub" not in entities:
        return PurePath()
    datatype = "func" if name_of(image).split("_")[-1] in _SERIES else ""
    return PurePath(entities["sub"], entities.get("ses", ""), datatype)


@lru_cache(64)  # rows of one image stand together
def _parts_of(image: str) -> tuple[PurePath, str, tuple[str, ...]]:
    """Return where the tables of an image go, how their names begin, and what comes after that.

    These are the parts of a name of BIDS, between which an atlas and a statistic have their places;
    none where it is none.
    """
    image = image_name(image)
    folders, name = folders_of(image), name_of(image)
    *parts, suffix = name.split("_")
    if _is_of_bids(parts, suffix):
        return folders, "", (*parts, suffix)
    # Folders say of whom it is, where the name does not.
    of_whom = entities_of(folders / "_")
    said = entities_of(PurePath(name).name)
    before = [of_whom[key] for key in ("sub", "ses") if key in of_whom.keys() - said.keys()]
    return folders, "_".join([*before, name]), ()


def _name_of_table(name: str, of_bids: Sequence[str], label: str, statistic: str) -> str:
    """Return the name of a table without its ending."""
    atlas, statistic_of = f"atlas-{label}", f"stat-{statistic}"
    if not of_bids:
        return f"{name}_{atlas}_{statistic_of}_{_SUFFIX}"
    *parts, suffix = of_bids
    first = [at for at, part in enumerate(parts) if part.partition("-")[0] in _AFTER_ATLAS]
    parts.insert(min(first, default=len(parts)), atlas)
    parts.insert(len(parts) - parts[-1].startswith("desc-"), statistic_of)
    is_series = suffix in _SERIES and statistic != COVERAGE
    return "_".join([*parts, _SUFFIX if is_series else suffix])


def _is_of_bids(parts: Sequence[str], suffix: str) -> bool:
    """Return whether a name is one of BIDS that can say an atlas and a statistic, too."""
    entities = [ENTITY.fullmatch(part) for part in parts]
    keys = {match[1] for match in entities if match}
    if len(keys) < len(parts) or not _SUFFIX_OF_BIDS.fullmatch(suffix):
        return False
    return "sub" in keys and keys.isdisjoint({"atlas", "stat"})


def _plain(strategy: str) -> str:
    """Return a strategy as the value of an entity: letters and digits.

    >>> _plain("percentile:2.5"), _plain("standard_deviation")
    ('percentile2p5', 'standarddeviation')
    """
    return re.sub(r"[^A-Za-z0-9]", "", strategy.replace(".", "p"))


def _is_entity(part: str, key: str) -> bool:
    match = ENTITY.fullmatch(part)
    return match is not None and match[1] == key


def _check_fields(job: Job, image: str) -> None:
    """Raise where nothing fills in a field of an output."""
    known = {**entities_of(image), "name": "", "atlas": "", "strategy": ""}
    assert job.output is not None, "only outputs with a name have fields"
    check_fields(Path(job.output), known, f" of the output of row {job.row:,}")


def _inside(folder: Path, output: Path, job: Job) -> Path:
    """Return an output in the folder of outputs; raise where it is not, or could not be found."""
    # By the names alone: a link inside of the folder is somebody's wish.
    relative = os.path.relpath(folder / output, folder)
    parts = PurePath(relative).parts
    if parts[:1] == ("..",) or not parts:
        raise OutputError(
            f"The output of row {job.row:,} is outside of the folder of outputs, {folder}: "
            f"{job.output!r}. Give a path inside of it."
        )
    if any(part.startswith(".") for part in parts) or parts[0].startswith(FAILED):
        raise OutputError(
            f"The output of row {job.row:,} has a name that is kept for other files: {relative!r}. "
            f"Names that begin with a point, and {FAILED}…, are no tables. Choose another."
        )
    return folder / relative


def _check_distinct(job: Job, tables: dict[str, Path]) -> None:
    if len(set(tables.values())) < len(tables):
        raise OutputError(
            f"{plural(len(tables), 'strategy', 'strategies')} of row {job.row:,} would be written "
            f"to {examples({str(path) for path in tables.values()})}. Put {{strategy}} into its "
            "output, and give no strategy twice."
        )


# --- the folder ----------------------------------------------------------------------------------


def prepare_folder(folder: Path, jobs: Sequence[Job]) -> None:
    """Make the folder of outputs a derivative of BIDS: say who makes it, of what, by which atlases.

    What others added to these files stays.  Several processes may do so at the same time.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    jobs : sequence of Job
        All of the table, whichever of them are done here.

    Raises
    ------
    OutputError
        When the folder has files and is none of ours, or cannot be made or written.
    """
    description = _description_there(folder)
    make_folder(folder)
    images = [_first_file(job.image) for job in _one_of_each(jobs, "image")]
    datasets = list(dict.fromkeys(filter(None, map(_dataset_of, images))))
    # First: it says to others that the folder is ours.
    _write(folder / DESCRIPTION, _description(folder, datasets, description))
    _write_ignored(folder / ".bidsignore", jobs)
    # Of one label there may be a file for each subject.
    counts = Counter(label for label, _ in {(job.label, job.atlas) for job in jobs})
    for job in _one_of_each(jobs, "label"):
        path = folder / f"atlas-{job.label}_description.json"
        there = _read(path)
        if there is None or _is_ours(there):
            n_files = counts[job.label]
            _write(path, _description_of_atlas(folder, job) if n_files == 1 else _common(job))


def check_folder(folder: Path) -> None:
    """Raise `OutputError` where a folder is not one for outputs: it has files, and is not ours."""
    _description_there(folder)


def is_ours(folder: Path) -> bool:
    """Return whether a folder is one of outputs of ours."""
    return _is_ours(_read(folder / DESCRIPTION))


def _description_there(folder: Path) -> dict[str, Any]:
    """Return what the folder says of itself, empty where it is new; raise where it is none of ours.

    Names that begin with a point are of other programs, as of version control, or half written.
    """
    try:
        is_used = any(not path.name.startswith(".") for path in folder.iterdir())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise OutputError(
            f"The folder of outputs cannot be used: {folder} ({error.strerror}). Choose another."
        ) from error
    description = _read(folder / DESCRIPTION)
    if not is_used:
        return {}
    if description is None or not _is_ours(description):
        raise OutputError(
            f"The folder of outputs has files that are not of regioncast: {folder}, whose "
            f"{DESCRIPTION} {'is not there' if description is None else 'is of another program'}. "
            "Choose a new folder."
        )
    return description


def _description(
    folder: Path, datasets: Sequence[Path], description: dict[str, Any]
) -> dict[str, Any]:
    """Return what is to be said of the folder of outputs, all that is said already included."""
    others = [each for each in description.get("GeneratedBy", []) if not _is_ours_by(each)]
    links = dict(description.get("DatasetLinks", {}))
    sources = list(description.get("SourceDatasets", []))
    known = {source.get("URL") for source in sources}
    for dataset in datasets:
        url = _from(folder, dataset)
        if url not in links.values():
            links[_free_name(dataset, links)] = url
        if url not in known:
            sources.append({"URL": url, **_identity(dataset)})
    said = {
        "Name": "Values of brain regions",
        "DatasetType": "derivative",
        **description,
        "BIDSVersion": _BIDS_VERSION,
        "GeneratedBy": [{"Name": "regioncast", "Version": version("regioncast")}, *others],
    }
    listed = {"SourceDatasets": sources, "DatasetLinks": links}
    return said | {title: each for title, each in listed.items() if each}


def _free_name(dataset: Path, links: dict[str, str]) -> str:
    """Return a name for links to a data set: that of its folder, with a number where taken."""
    name = re.sub(r"[^A-Za-z0-9._-]", "", dataset.name) or "source"
    number = 1
    while name in links:
        number += 1
        name = f"{name.partition('.')[0]}.{number}"
    return name


def _identity(dataset: Path) -> dict[str, str]:
    """Return how a data set is called everywhere, as far as it says so."""
    said = _read(dataset / DESCRIPTION) or {}
    identity = {"DOI": said.get("DatasetDOI")}
    return {title: text for title, text in identity.items() if isinstance(text, str)}


def _description_of_atlas(folder: Path, job: Job) -> dict[str, Any]:
    """Return what is to be said of an atlas, with what its own data set says of it."""
    files = files_of(job.atlas)
    said = {} if not files else _said_of_atlas(files[0], job.label)
    regions = job.of_atlas.get("regions")
    if isinstance(regions, str) and os.path.exists(regions):  # noqa: PTH110  "none" is no file
        files = (*files, Path(regions))
    return {
        "Name": job.label,
        "License": _NO_LICENSE,
        **said,
        "GeneratedBy": [{"Name": "regioncast", "Version": version("regioncast")}],
        "Sources": [_from(folder, file) for file in files],
    }


def _common(job: Job) -> dict[str, Any]:
    """Return what is to be said of an atlas that is another file for each subject."""
    return {
        "Name": job.label,
        "Description": "A file for each subject or image: the Sources of each table name it.",
        "License": _NO_LICENSE,
        "GeneratedBy": [{"Name": "regioncast", "Version": version("regioncast")}],
    }


def _said_of_atlas(file: Path, label: str) -> dict[str, Any]:
    """Return the description of an atlas in the data set of its labels image."""
    entity = entities_of(file.name).get("atlas", f"atlas-{label}")
    there = (_read(above / f"{entity}_description.json") for above in folders_of_dataset(file))
    return next(filter(None, there), {})


def _write_ignored(path: Path, jobs: Sequence[Job]) -> None:
    """Write what validators are to leave out; lines of others stay."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    wanted = list(_IGNORED)
    if any(job.output is not None for job in jobs):
        # Names that somebody chose may be any, also those of folders.
        wanted.append("*")
    missing = [line for line in wanted if line not in lines]
    if missing:
        with replacing(path, overwrite=True) as temporary:
            temporary.write_text("\n".join([*lines, *missing, ""]), encoding="utf-8")


def _first_file(image: str) -> Path:
    return Path(os.path.normpath(Path(names_in(image)[0]).absolute()))


def _one_of_each(jobs: Sequence[Job], attribute: str) -> list[Job]:
    """Return a job for each value of an attribute, in natural order of these."""
    first = {getattr(job, attribute): job for job in reversed(jobs)}
    return [first[value] for value in sorted(first, key=natural_order)]


def _dataset_of(file: Path) -> Path | None:
    """Return the folder of the data set that a file is in, None where there is none."""
    folder = folders_of_dataset(file)[-1]
    return folder if (folder / DESCRIPTION).is_file() else None


def _is_ours(content: dict[str, Any] | None) -> bool:
    by = (content or {}).get("GeneratedBy")
    return isinstance(by, list) and any(map(_is_ours_by, by))


def _is_ours_by(generator: Any) -> bool:
    return isinstance(generator, dict) and generator.get("Name") == "regioncast"


def _read(path: Path) -> dict[str, Any] | None:
    """Return the fields of a file of JSON, None where it is none or not there."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write a file of JSON, unless it says the same already."""
    if _read(path) == content:
        return
    with replacing(path, overwrite=True) as temporary:
        temporary.write_text(f"{json.dumps(content, indent=2)}\n", encoding="utf-8")


def _from(folder: Path, file: Path) -> str:
    """Return the path of a file as it lies from a folder."""
    return Path(os.path.relpath(file, folder)).as_posix()
