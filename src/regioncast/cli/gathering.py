"""Verbs around a batch: the table of its jobs before, and one table of all its tables after."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ..cohort.find import find_jobs, write_jobs
from ..cohort.jobs import label_of
from ..errors import ArgumentError, examples, plural
from ..files import check_output
from ..progress import ProgressBar
from .shell import FAILED, OK, NewPath, app, complain, say


@app.command(usage="Usage: regioncast jobs FOLDER --atlas LABEL=PATH... --output PATH [OPTIONS]")
def jobs(
    folder: str,
    /,
    *,
    atlas: list[str],
    output: Annotated[NewPath, Parameter(name=["--output", "-o"])],
    match: str | None = None,
    mask: str | None = None,
    confounds: bool = False,
    confound_columns: list[str] | None = None,
    resample: Literal["labels"] | None = None,
    overwrite: bool = False,
) -> int:
    """Write the table of jobs of a BIDS derivative for regioncast batch: a row per image and atlas.

    For example:

    regioncast jobs fmriprep --atlas A=A_space-MNI152NLin6Asym_dseg.nii.gz --mask brain -o jobs.tsv

    regioncast jobs xcp_d --atlas G=Glasser.dlabel.nii --match '*_desc-denoised_bold.dtseries.nii'
    -o jobs.tsv

    regioncast jobs fmriprep --atlas aparc='fmriprep/{sub}/anat/{sub}_desc-aparcaseg_dseg.nii.gz'
    --match '*_space-T1w_desc-preproc_bold.nii.gz' -o jobs.tsv

    An atlas goes with the images of its kind; of its space, by space- or tpl- in its name (where it
    says none, those of one space are chosen with --match); and of its resolution or density, where
    both names have one. Nothing but names is looked at. Folders
    that are data sets of their own, hidden ones, figures, logs and sourcedata are passed over.

    Parameters
    ----------
    folder
        Of a BIDS derivative, such as the outputs of fMRIPrep.
    atlas
        LABEL=PATH: a labels image, and what it is called in names of outputs (letters and digits);
        give it once per atlas. A path alone will do where its name says atlas- or seg-. Where each
        subject has its own, write {sub} (and {ses}) into the path, in quotes.
    output
        Table to write: .tsv or .csv. Paths in it are relative to its folder where they are given
        relative.
    match
        Pattern of paths in FOLDER, in quotes; * stands for anything, folders too. When not given,
        preprocessed and denoised BOLD series.
    mask
        brain: the desc-brain_mask beside each volume is its mask.
    confounds
        Take out the desc-confounds_timeseries.tsv beside each image.
    confound_columns
        Title of a confound to take out, or a pattern; give it once per column.
    resample
        labels: bring each atlas to the grid of the image, by nearest neighbour.
    overwrite
        Replace outputs that exist.
    """
    start = time.perf_counter()
    check_output(output, overwrite=overwrite)
    with ProgressBar("looking into folders") as progress:
        rows = find_jobs(
            folder, _atlases(atlas), match=match, mask=mask, confounds=confounds,
            confound_columns=confound_columns, resample=resample, relative_to=output.parent,
            progress=progress,
        )  # fmt: skip
    write_jobs(rows, output, overwrite=overwrite)
    seconds = time.perf_counter() - start
    of_atlases = Counter(row["atlas"].partition("=")[0] for row in rows)
    counts = ", ".join(f"{label} {count:,}" for label, count in of_atlases.items())
    n_images = len({row["image"] for row in rows})
    say(
        f"{output}: {plural(len(rows), 'job')}, {plural(n_images, 'image')}, "
        f"{plural(len(of_atlases), 'atlas', 'atlases')} ({counts}), {seconds:.2f} s"
    )
    return OK


@app.command
def gather(
    folder: str,
    /,
    *,
    output: Annotated[NewPath, Parameter(name=["--output", "-o"])],
    coverage: bool = False,
    unchecked: bool = False,
    overwrite: bool = False,
) -> int:
    """Write one tidy table of all tables that regioncast batch wrote: a row per map and region.

    For example:

    regioncast gather tables -o all.parquet

    regioncast gather tables -o coverage.tsv --coverage

    Only tables are gathered whose records say that they are done and that their inputs are as they
    were. What is left out is listed with the reason, and then the exit code is 1; the table of all
    others is written.

    Parameters
    ----------
    folder
        That batch wrote to.
    output
        Table to write, outside of FOLDER: .parquet, .tsv or .csv. Columns: sub, ses, task and what
        else is in the names of images; image, atlas, strategy, volume, index, name, value.
    coverage
        Gather how many samples of each region had data, and not values.
    unchecked
        Do not look at images and atlases, which may be on another machine or in an archive: what
        the tables' records say counts.
    overwrite
        Replace outputs that exist.
    """
    from ..cohort.gathering import gather as run  # takes a moment, in which other verbs are done

    start = time.perf_counter()
    check_output(output, overwrite=overwrite)
    with ProgressBar("looking what is done") as looking, ProgressBar("gathering") as progress:
        gathered = run(
            folder, output, coverage=coverage, unchecked=unchecked, overwrite=overwrite,
            progress=progress, looking=looking,
        )  # fmt: skip
    # A folder may have thousands of tables that are left out for one reason: it is said once.
    of_reasons: dict[str, list[str]] = {}
    for table, reason in gathered.left_out.items():
        of_reasons.setdefault(reason, []).append(table)
    for reason, tables in of_reasons.items():
        complain(f"left out {plural(len(tables), 'table')}, {reason}: {examples(tables)}")
    if len(gathered.versions) > 1:
        complain(f"note: tables are of several versions: {examples(sorted(gathered.versions))}")
    if gathered.has_alike:
        complain(
            "note: tables of one image, atlas and strategy differ in options or inputs; the column "
            "'table' tells their rows apart"
        )
    seconds = time.perf_counter() - start
    left_out = f", {len(gathered.left_out):,} left out" if gathered.left_out else ""
    say(
        f"{output}: {plural(gathered.n_rows, 'row')} of {plural(gathered.n_tables, 'table')}"
        f"{left_out}, {seconds:.2f} s"
    )
    # The table is written, and scripts are to notice that it is not of all.
    return FAILED if gathered.left_out else OK


def _atlases(words: list[str]) -> dict[str, str]:
    """Return the paths of atlases by their labels, which names may say."""
    atlases: dict[str, str] = {}
    for word in words:
        label, equals, path = word.partition("=")
        if not equals:
            label, path = label_of(word) or "", word
        if not label or not path:
            raise ArgumentError(
                f"--atlas {word}: its name does not say what it is called (atlas-, seg-). Give "
                f"LABEL=PATH, as in --atlas A={Path(word).name}."
            )
        if label in atlases:
            raise ArgumentError(
                f"--atlas {word}: {label} is the label of {atlases[label]}, too. Give LABEL=PATH "
                "with a label for each."
            )
        atlases[label] = path
    return atlases
