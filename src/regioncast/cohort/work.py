"""The work of one pass over an image."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..api import load_parcellation
from ..engine.extraction import Strategy
from ..extracting import Wanted, extract_each

if TYPE_CHECKING:
    from ..atlas.parcellation import Parcellation
    from ..signals import Signals
    from .jobs import Pass


def extract_pass(task: Pass, *, n_jobs: int | None) -> list[dict[str, Signals] | Exception]:
    """Return the signals of each job by strategy, or its error."""
    try:
        wanted = {
            str(number): Wanted(_atlas(job.atlas), **job.of_atlas)
            for number, job in enumerate(task.jobs)
        }
        strategies = Strategy.all_of(
            list(dict.fromkeys(name for job in task.jobs for name in job.strategies))
        )
        options = task.jobs[0].of_pass
        extracted = extract_each(task.image, wanted, strategies, n_jobs=n_jobs, **options)
    except Exception as error:  # noqa: BLE001
        return [error] * len(task.jobs)
    return [
        {name: extracted[str(number)][name] for name in job.strategies}
        for number, job in enumerate(task.jobs)
    ]


@lru_cache(8)
def _atlas(path: str) -> Parcellation:
    return load_parcellation(path)
