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

import os
import re
from pathlib import Path, PurePath

from ..errors import OutputError, examples, plural
from ..formats import has_use
from ..io.filenames import check_fields, entities_of, filled, name_of
from ..io.surface.names import names_in, without_hemisphere
from ..signals import ENTITY
from .jobs import Job, Outputs

COVERAGE = "coverage"
"""What `stat-` says of tables of coverage."""

# What a name of BIDS may have after ``atlas-``.
_AFTER_ATLAS = ("seg", "scale", "res", "den", "label", "desc")

# Suffixes of images whose maps are time points; of others the name says nothing, and stays.
_SERIES = ("bold", "cbv", "asl", "pet", "timeseries")

FAILED = "jobs.failed"
"""How the names of lists of jobs that failed begin."""

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
    image = image_name(job.image)
    if job.output is None:
        stem = folder / _folders_of(image)
        tables = {
            strategy: stem / f"{_name_of_table(image, job.label, _plain(strategy))}{suffix}"
            for strategy in job.strategies
        }
        coverage = stem / f"{_name_of_table(image, job.label, COVERAGE)}{suffix}"
        _check_distinct(job, tables)
        return Outputs(tables, coverage)
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
    """Return the name of an image; of the surfaces of both hemispheres, what they share."""
    names = names_in(image)
    if len(names) == 1 and not any(sign in image for sign in ("?", "{hemi}")):
        return names[0]
    return without_hemisphere(names[0].replace("{hemi}", "L").replace("?h", "lh").replace("?", "L"))


def _folders_of(image: str) -> PurePath:
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


def _name_of_table(image: str, label: str, statistic: str) -> str:
    """Return the name of a table without its ending."""
    *parts, suffix = name_of(image).split("_")
    said = [ENTITY.fullmatch(part) for part in parts]
    keys = [match[1] if match else "" for match in said]
    is_bids = (
        "sub" in keys and "" not in keys and _SUFFIX_OF_BIDS.fullmatch(suffix)
        # What has a statistic or an atlas already keeps it, whole.
        and not {"atlas", "stat"}.intersection(keys)
    )  # fmt: skip
    if not is_bids:
        # Folders say of whom it is, where the name does not.
        of_whom = entities_of(PurePath(*_folders_of(image).parts, "_"))
        before = [of_whom[key] for key in ("sub", "ses") if key in of_whom and key not in keys]
        return "_".join([*before, *parts, suffix, f"atlas-{label}", f"stat-{statistic}", _SUFFIX])
    after = next((at for at, key in enumerate(keys) if key in _AFTER_ATLAS), len(keys))
    parts.insert(after, f"atlas-{label}")
    at_end = len(parts) - (keys[-1] == "desc")
    parts.insert(at_end, f"stat-{statistic}")
    is_series = suffix in _SERIES and statistic != COVERAGE
    return "_".join([*parts, _SUFFIX if is_series else suffix])


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
