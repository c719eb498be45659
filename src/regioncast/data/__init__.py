"""The embedded demo data: an atlas, its table, values for its regions, and a real map.

See ``README.md`` in this folder for sources and licences.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent
_ATLAS = "schaefer2018_100Parcels7Networks_space-MNI152NLin6Asym_res-02_dseg"


class DemoData(NamedTuple):
    """Paths of the embedded files.

    Parameters
    ----------
    atlas : Path
        Schaefer's parcellation of the cortex into 100 regions, 2 mm, labels 1 to 100.
    regions : Path
        Its region table, BIDS ``dseg.tsv``.
    values : Path
        A long table, one value per region: the mean of `statistic` in it.
    statistic : Path
        A group map, left against right finger movement, on a 3 mm grid of its own.
    """

    atlas: Path
    regions: Path
    values: Path
    statistic: Path


def demo_data() -> DemoData:
    """Return the paths of the embedded demo data.

    Examples
    --------
    >>> demo_data().values.name
    'motor_left-vs-right_schaefer100.tsv'
    """
    return DemoData(
        atlas=_FOLDER / f"{_ATLAS}.nii.gz",
        regions=_FOLDER / f"{_ATLAS}.tsv",
        values=_FOLDER / "motor_left-vs-right_schaefer100.tsv",
        statistic=_FOLDER / "neurovault_image_10426.nii.gz",
    )
