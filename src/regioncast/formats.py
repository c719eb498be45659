"""Files in and out: images, region tables, tables of values.

`FORMATS` is the one table of what is read and written, by the ending of file names.

Modules import only from those that stand before them here: `files`, `delimited`; `huffman`,
`painted_gzip`, `painted`, `nifti`; `maps`, `map_streams`; `cifti_matrix`, `cifti_maps`,
`cifti_parcellations`, `cifti`; `surface_names`, `painted_surface`, `annotations`, `surface_files`,
`surface`; `region_tables`, `value_files`; and, whatever the format, `parcellations`, `values`,
`images`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

Use = Literal["labels", "data", "image", "regions", "values", "signals", "coverage"]
"""What a file is for: labels (in), data to extract from, mask or weights (in), painted image
(out), region table (in), values to paint (in), signals (out), coverage (out)."""

Kind = Literal["volume", "surface", "cifti", "table"]
"""What a file holds."""


class Format(NamedTuple):
    """The ending of a file name, what it stands for, and what such files are used for."""

    suffix: str
    title: str
    kinds: tuple[Kind, ...]
    uses: tuple[Use, ...]


# fmt: off
FORMATS = (
    Format(".nii.gz", "NIfTI-1 and 2, compressed", ("volume",), ("labels", "data", "image")),
    Format(".nii", "NIfTI-1 and 2", ("volume",), ("labels", "data", "image")),
    Format(".img", "NIfTI pairs, Analyze, SPM", ("volume",), ("labels", "data")),
    Format(".hdr", "NIfTI pairs, Analyze, SPM", ("volume",), ("labels", "data")),
    Format(".mgz", "FreeSurfer, compressed", ("volume", "surface"), ("labels", "data", "image")),
    Format(".mgh", "FreeSurfer", ("volume", "surface"), ("labels", "data", "image")),
    Format(".HEAD", "AFNI", ("volume",), ("labels", "data")),
    Format(".label.gii", "GIFTI labels (also .gz)", ("surface",), ("labels",)),
    Format(".func.gii", "GIFTI series (also .gz)", ("surface",), ("labels", "data", "image")),
    Format(".shape.gii", "GIFTI maps (also .gz)", ("surface",), ("labels", "data", "image")),
    Format(".gii", "GIFTI (also .gz)", ("surface",), ("labels", "data")),
    Format(".annot", "FreeSurfer annotations", ("surface",), ("labels",)),
    Format(".curv", "FreeSurfer morphometry", ("surface",), ("data", "image")),
    Format(".sulc", "FreeSurfer morphometry", ("surface",), ("data", "image")),
    Format(".thickness", "FreeSurfer morphometry", ("surface",), ("data", "image")),
    Format(".area", "FreeSurfer morphometry", ("surface",), ("data", "image")),
    Format(".dlabel.nii", "CIFTI-2 labels", ("cifti",), ("labels",)),
    Format(".dscalar.nii", "CIFTI-2 maps", ("cifti",), ("data", "image")),
    Format(".dtseries.nii", "CIFTI-2 series", ("cifti",), ("data", "image")),
    Format(".pscalar.nii", "CIFTI-2 maps of parcels", ("cifti",),
           ("labels", "image", "values", "signals")),
    Format(".ptseries.nii", "CIFTI-2 series of parcels", ("cifti",),
           ("labels", "image", "values", "signals")),
    Format(".tsv", "tables, BIDS dseg.tsv", ("table",),
           ("regions", "values", "signals", "coverage")),
    Format(".csv", "tables; one integer per vertex", ("table", "surface"),
           ("labels", "regions", "values", "signals", "coverage")),
    Format(".txt", "tables, colour tables, lists; one integer per vertex", ("table", "surface"),
           ("labels", "regions", "values")),
    Format(".1D", "AFNI's numbers", ("table",), ("values",)),
    Format(".npy", "NumPy arrays; one row per vertex", ("table", "surface"),
           ("labels", "data", "image", "values", "signals")),
    Format(".parquet", "Parquet tables (needs pyarrow)", ("table",),
           ("values", "signals", "coverage")),
    Format(".xml", "atlases of FSL, SPM and Workbench", ("table",), ("regions",)),
)
# fmt: on

_OUT = ("image", "signals", "coverage")

# Longest first: .dscalar.nii is no .nii.
_KNOWN = sorted((entry.suffix.lower() for entry in FORMATS), key=len, reverse=True)


def suffixes(use: Use, kind: Kind | None = None) -> tuple[str, ...]:
    """Return the endings of the files with this use, and of this kind where one is given.

    Examples
    --------
    >>> suffixes("image", "volume")
    ('.nii.gz', '.nii', '.mgz', '.mgh')
    """
    return tuple(
        entry.suffix
        for entry in FORMATS
        if use in entry.uses and (kind is None or kind in entry.kinds)
    )


def format_table() -> str:
    """Return `FORMATS` as the table of the README."""
    rows = ["| ending | what | in | out |", "|---|---|---|---|"]
    for entry in FORMATS:
        ways = [[use for use in entry.uses if (use in _OUT) is out] for out in (False, True)]
        cells = [f"`{entry.suffix}`", entry.title, *map(", ".join, ways)]
        rows.append(f"| {' | '.join(cells)} |".replace("|  |", "| |"))
    return "\n".join(rows)


def suffix_of(path: Path) -> str:
    """Return the ending of a file name, in lower case: one that is known, or the last.

    That of a compressed GIFTI file is that of the file inside.

    Examples
    --------
    >>> suffix_of(Path("sub-01.Map.DSCALAR.nii")), suffix_of(Path("lh.func.gii.gz"))
    ('.dscalar.nii', '.func.gii')
    """
    name = path.name.lower()
    if name.endswith(".gii.gz"):
        name = name.removesuffix(".gz")
    for suffix in _KNOWN:
        if name.endswith(suffix) and name != suffix:
            return suffix
    endings = [suffix.lower() for suffix in path.suffixes]
    return "".join(endings[-2:]) if endings[-1:] == [".gz"] else "".join(endings[-1:])
