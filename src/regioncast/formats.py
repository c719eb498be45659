"""The one table of the endings of file names, and what files of each are used for.

Every list of endings, and every question what a file is by its name, is answered from `FORMATS`.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

Use = Literal[
    "labels", "data", "image", "atlas", "regions", "values", "signals", "coverage", "page", "figure"
]
"""What a file is for: labels (in), data to extract from, mask or weights (in), painted image
(out), atlas (out), region table (in), values to paint (in), signals (out), coverage (out), page or
figure that shows them (out)."""

KindName = Literal["volume", "surface", "cifti", "table"]
"""What a file holds; all but tables are the kinds of `regioncast.io.kinds`.  Pages and figures hold
none: nothing is read from them."""

Family = Literal[
    "nifti", "pair", "mgh", "afni",
    "gifti", "annotation", "morphometry", "mesh",
    "cifti",
    "text", "numpy", "parquet", "xml",
    "html", "picture",
    "zarr",
]  # fmt: skip
"""What a file is written by: those of one family have one reader and one writer."""


class Format(NamedTuple):
    """Endings of file names, what they stand for, and what such files are used for.

    Those without a use are known by name only, to say what they are.
    """

    suffixes: tuple[str, ...]
    title: str
    family: Family
    kinds: tuple[KindName, ...]
    uses: tuple[Use, ...] = ()


# fmt: off
FORMATS = (
    Format((".nii.gz",), "NIfTI-1 and 2, compressed", "nifti", ("volume",),
           ("labels", "data", "image", "atlas")),
    Format((".nii",), "NIfTI-1 and 2", "nifti", ("volume",), ("labels", "data", "image", "atlas")),
    Format((".img", ".hdr", ".img.gz", ".hdr.gz"), "NIfTI pairs, Analyze, SPM", "pair",
           ("volume",), ("labels", "data")),
    Format((".mgz",), "FreeSurfer, compressed", "mgh", ("volume", "surface"),
           ("labels", "data", "image")),
    Format((".mgh",), "FreeSurfer", "mgh", ("volume", "surface"), ("labels", "data", "image")),
    Format((".mgh.gz",), "FreeSurfer, compressed", "mgh", ("surface",), ("labels", "data")),
    Format((".HEAD", ".BRIK"), "AFNI", "afni", ("volume",), ("labels", "data")),
    Format((".ome.zarr", ".zarr"), "OME-Zarr, read and written in chunks (needs zarr)", "zarr",
           ("volume",), ("labels", "data", "image", "atlas")),
    Format((".label.gii", ".label.gii.gz"), "GIFTI labels", "gifti", ("surface",),
           ("labels", "atlas")),
    Format((".func.gii", ".func.gii.gz"), "GIFTI series", "gifti", ("surface",),
           ("labels", "data", "image")),
    Format((".shape.gii", ".shape.gii.gz"), "GIFTI maps", "gifti", ("surface",),
           ("labels", "data", "image")),
    Format((".surf.gii", ".surf.gii.gz"), "GIFTI meshes", "gifti", ("surface",)),
    Format((".gii", ".gii.gz"), "GIFTI", "gifti", ("surface",), ("labels", "data")),
    Format((".annot",), "FreeSurfer annotations", "annotation", ("surface",), ("labels",)),
    Format((".curv", ".sulc", ".thickness", ".area"), "FreeSurfer morphometry", "morphometry",
           ("surface",), ("data", "image")),
    Format((".avg_curv", ".curv.pial", ".volume", ".area.mid", ".area.pial", ".jacobian_white",
            ".pial_lgi", ".crv", ".inflated.H", ".inflated.K", ".white.H", ".white.K"),
           "FreeSurfer morphometry", "morphometry", ("surface",), ("data",)),
    Format((".pial", ".white", ".inflated", ".sphere", ".sphere.reg", ".orig", ".smoothwm"),
           "FreeSurfer meshes", "mesh", ("surface",)),
    Format((".dlabel.nii",), "CIFTI-2 labels", "cifti", ("cifti",), ("labels", "atlas")),
    Format((".dscalar.nii",), "CIFTI-2 maps", "cifti", ("cifti",), ("data", "image")),
    Format((".dtseries.nii",), "CIFTI-2 series", "cifti", ("cifti",), ("data", "image")),
    Format((".pscalar.nii",), "CIFTI-2 maps of parcels", "cifti", ("cifti",),
           ("labels", "image", "values", "signals")),
    Format((".ptseries.nii",), "CIFTI-2 series of parcels", "cifti", ("cifti",),
           ("labels", "image", "values", "signals")),
    Format((".plabel.nii", ".pconn.nii", ".pdconn.nii", ".dpconn.nii", ".pconnseries.nii",
            ".pconnscalar.nii"), "CIFTI-2 of parcels", "cifti", ("cifti",), ("labels",)),
    Format((".dconn.nii",), "CIFTI-2 connectivity", "cifti", ("cifti",)),
    Format((".tsv",), "tables, BIDS dseg.tsv", "text", ("table",),
           ("regions", "values", "signals", "coverage")),
    Format((".csv",), "tables; one integer per vertex", "text", ("table", "surface"),
           ("labels", "regions", "values", "signals", "coverage")),
    Format((".txt",), "tables, colour tables, lists; one integer per vertex", "text",
           ("table", "surface"), ("labels", "regions", "values")),
    Format((".1D",), "AFNI's numbers", "text", ("table",), ("values",)),
    Format((".stats",), "FreeSurfer's statistics", "text", ("table",), ("values",)),
    Format((".npy",), "NumPy arrays; one row per vertex", "numpy", ("table", "surface"),
           ("labels", "data", "image", "values", "signals")),
    Format((".parquet",), "Parquet tables (needs pyarrow)", "parquet", ("table",),
           ("values", "signals", "coverage")),
    Format((".xml",), "atlases of FSL, SPM and Workbench", "xml", ("table",), ("regions",)),
    Format((".html", ".htm"), "pages for a browser", "html", (), ("page",)),
    Format((".png", ".svg", ".pdf"), "figures (need matplotlib)", "picture", (), ("figure",)),
)
# fmt: on

GZIPPED = (".gz", ".mgz")
"""How names of files that are compressed with gzip end, in lower case, whatever is in them."""

_OUT = ("image", "atlas", "signals", "coverage", "page", "figure")

HALVES = (".hdr", ".hdr.gz", ".img", ".img.gz", ".HEAD", ".BRIK", ".BRIK.gz")
"""Endings of headers and of voxels where these are two files: either is read with the other."""


def suffixes(use: Use | None = None, kind: KindName | None = None) -> tuple[str, ...]:
    """Return the endings of the files with this use and of this kind, where they are given.

    Examples
    --------
    >>> suffixes("image", "volume")
    ('.nii.gz', '.nii', '.mgz', '.mgh', '.ome.zarr', '.zarr')
    """
    endings: list[str] = []
    for entry in FORMATS:
        is_of_use = use is None or use in entry.uses
        is_of_kind = kind is None or kind in entry.kinds
        if is_of_use and is_of_kind:
            endings.extend(entry.suffixes)
    return tuple(endings)


def format_table() -> str:
    """Return what `FORMATS` has of files that are read or written, as the table of the README."""
    rows = ["| endings | what | in | out |", "|---|---|---|---|"]
    for entry in FORMATS:
        if not entry.uses:
            continue
        endings = ", ".join(f"`{suffix}`" for suffix in entry.suffixes)
        ways_in = ", ".join(use for use in entry.uses if use not in _OUT)
        ways_out = ", ".join(use for use in entry.uses if use in _OUT)
        row = f"| {endings} | {entry.title} | {ways_in} | {ways_out} |"
        rows.append(row.replace("|  |", "| |"))
    return "\n".join(rows)


def format_of(path: Path) -> Format | None:
    """Return the format that the name of a file says, None where its ending is not known.

    Of endings that fit the longest counts: ``.dscalar.nii`` is no ``.nii``.

    Examples
    --------
    >>> format_of(Path("lh.area.pial")).title
    'FreeSurfer morphometry'
    """
    return _format_of(path.name.lower())


@lru_cache(1024)  # it is asked many times of each name
def _format_of(name: str) -> Format | None:
    # What is all ending is a hidden file of that name.
    points = (at for at, sign in enumerate(name) if sign == "." and at > 0)
    endings = _formats_by_suffix()
    # The longest first: it counts.
    return next((endings[name[at:]] for at in points if name[at:] in endings), None)


@cache
def _formats_by_suffix() -> dict[str, Format]:
    # Reversed: of two formats with one ending the first counts.
    entries = reversed(FORMATS)
    return {suffix.lower(): entry for entry in entries for suffix in entry.suffixes}


def has_use(path: Path, use: Use, kind: KindName | None = None) -> bool:
    """Return whether files of this name have a use, as files of this kind where one is given.

    Examples
    --------
    >>> has_use(Path("lh.inflated.H"), "data"), has_use(Path("x.nii"), "image", "surface")
    (True, False)
    """
    entry = format_of(path)
    return entry is not None and use in entry.uses and (kind is None or kind in entry.kinds)


def family_of(path: Path) -> Family | None:
    """Return the family of the format that the name of a file says, None for unknown ones."""
    entry = format_of(path)
    return None if entry is None else entry.family


def suffix_of(path: Path) -> str:
    """Return the ending of a file name, in lower case: one that is known, or the last.

    Examples
    --------
    >>> suffix_of(Path("sub-01.Map.DSCALAR.nii")), suffix_of(Path("x.unknown"))
    ('.dscalar.nii', '.unknown')
    """
    name, entry = path.name.lower(), format_of(path)
    if entry is not None:
        return max(filter(name.endswith, map(str.lower, entry.suffixes)), key=len)
    endings = [suffix.lower() for suffix in path.suffixes]
    # That of the compression alone says little.
    n_last = 2 if endings[-1:] == [".gz"] else 1
    return "".join(endings[-n_last:])


def stem_of(path: Path) -> str:
    """Return the name of a file without its ending, where that is a known one.

    Examples
    --------
    >>> stem_of(Path("lh.atlas.label.gii")), stem_of(Path("atlas.v2"))
    ('lh.atlas', 'atlas.v2')
    """
    return path.name if format_of(path) is None else path.name[: -len(suffix_of(path))]


def is_gzipped(path: Path) -> bool:
    """Return whether the name of a file says that it is compressed with gzip."""
    return path.name.lower().endswith(GZIPPED)
