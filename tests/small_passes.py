"""Passes over images for other processes, which import them from here."""

from __future__ import annotations

import small_tasks

from regioncast.cohort import results


def outcomes_or_death(task, n_jobs):
    """Do a pass over an image, unless it is called as one that kills."""
    if "killing" in task.image:
        small_tasks.die()
    return results._outcomes(task, n_jobs)
