"""Files in and out: images, region tables, tables of values.

`FORMATS` is the one table of what is read and written, by the ending of file names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

Use = Literal["labels", "image", "regions", "values", "signals", "coverage"]
"""What a file is for: labels image, mask or image to extract from (in), painted image (out),
region table (in), values to paint (in), signals as a table (out), coverage (out)."""


class Format(NamedTuple):
    """The ending of a file name, what it stands for, and what such files are used for."""

    suffix: str
    title: str
    uses: tuple[Use, ...]


FORMATS = (
    Format(".nii.gz", "NIfTI-1 and 2, compressed", ("labels", "image")),
    Format(".nii", "NIfTI-1 and 2", ("labels", "image")),
    Format(".img", "NIfTI pairs, Analyze, SPM", ("labels",)),
    Format(".hdr", "NIfTI pairs, Analyze, SPM", ("labels",)),
    Format(".mgz", "FreeSurfer, compressed", ("labels", "image")),
    Format(".mgh", "FreeSurfer", ("labels", "image")),
    Format(".HEAD", "AFNI", ("labels",)),
    Format(".tsv", "tables, BIDS dseg.tsv", ("regions", "values", "signals", "coverage")),
    Format(".csv", "tables", ("regions", "values", "signals", "coverage")),
    Format(".txt", "tables, colour tables, plain lists", ("regions", "values")),
    Format(".1D", "AFNI's numbers", ("values",)),
    Format(".npy", "NumPy arrays", ("values", "signals")),
    Format(".parquet", "Parquet tables (needs pyarrow)", ("values", "signals", "coverage")),
    Format(".xml", "atlases of FSL, SPM and Workbench", ("regions",)),
)


def suffixes(use: Use) -> tuple[str, ...]:
    """Return the endings of the files with this use.

    Examples
    --------
    >>> suffixes("image")
    ('.nii.gz', '.nii', '.mgz', '.mgh')
    """
    return tuple(entry.suffix for entry in FORMATS if use in entry.uses)


def suffix_of(path: Path) -> str:
    """Return the ending of a file name, ``.nii.gz`` and its like as one, in lower case."""
    endings = [suffix.lower() for suffix in path.suffixes]
    return "".join(endings[-2:]) if endings[-1:] == [".gz"] else "".join(endings[-1:])
