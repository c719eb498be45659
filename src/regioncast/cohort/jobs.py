"""Jobs: which images are to be reduced by which atlases, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Job:
    """One image, one atlas, and the strategies by which its regions are reduced: a row of a table.

    It can be sent to another process.

    Parameters
    ----------
    row : int
        Of the table, from 1, for messages.
    image : str
        Path; absolute, as are all others.
    atlas : str
        What `load_parcellation` takes as labels.
    label : str
        What the atlas is called in names of outputs: letters and digits.
    strategies : tuple of str
    of_atlas : mapping
        `regions`, `mask`, `min_coverage`, `resample` and `by`, as far as the row says them: these
        may differ between the jobs of one pass.
    of_pass : mapping
        Other options of `regioncast.extract`, as far as the row says them; jobs of one image with
        the same of these are one pass over it.
    output : str or None
        Template of the table's path inside of the folder of outputs, with ``{strategy}`` where
        there are several; None: the name that BIDS gives.
    """

    row: int
    image: str
    atlas: str
    label: str
    strategies: tuple[str, ...]
    of_atlas: Mapping[str, Any] = field(default_factory=dict)
    of_pass: Mapping[str, Any] = field(default_factory=dict)
    output: str | None = None


@dataclass(frozen=True)
class Pass:
    """The jobs that are done in one pass over an image."""

    image: str
    jobs: tuple[Job, ...]


@dataclass(frozen=True)
class Outputs:
    """The files of one job: a table for each strategy, and one of coverage.

    Parameters
    ----------
    tables : mapping of str to Path
        By strategy.  Beside each lies its sidecar, which says what it was made of.
    coverage : Path or None
        None where the job names its output: the sidecars hold the coverage then.
    """

    tables: Mapping[str, Path]
    coverage: Path | None


def read_jobs(source: Any) -> list[Job]:
    """Return the jobs of a list of rows."""
    jobs = []
    for number, row in enumerate(source, start=1):
        of_atlas = {name: row[name] for name in ("mask", "min_coverage", "resample") if name in row}
        strategies = tuple(row.get("strategy", "mean").split(","))
        atlas = str(row["atlas"])
        jobs.append(Job(number, str(row["image"]), atlas, "a", strategies, of_atlas))
    return jobs


def passes(jobs: list[Job]) -> list[Pass]:
    """Return the jobs by image."""
    by_image: dict[str, list[Job]] = {}
    for job in jobs:
        by_image.setdefault(job.image, []).append(job)
    return [Pass(image, tuple(of_image)) for image, of_image in by_image.items()]
