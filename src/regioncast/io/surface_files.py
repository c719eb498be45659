"""Files of surfaces in: one value or label per vertex.

A *side* is what is given for one hemisphere: a file or an object in memory.  One hemisphere
alone is one side, a pair is two.  A pair comes as a mapping (``left=…, right=…``), as two of
them, as a nilearn ``SurfaceImage``, as two names with a comma between, or as one name with a
placeholder where the hemisphere stands: ``?h.aparc.annot``, ``hemi-?_dseg.label.gii``,
``atlas.{hemi}.label.gii``.

Which hemisphere a side is of, a GIFTI file says itself; of other files, their names do.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.freesurfer.io import read_annot, read_morph_data
from nibabel.freesurfer.mghformat import MGHHeader
from nibabel.gifti.gifti import GiftiDataArray, GiftiImage
from nibabel.openers import ImageOpener

from ..errors import (
    DimensionError,
    FileFormatError,
    ImageTypeError,
    LabelsError,
    SpaceError,
    capitalized,
    examples,
    plural,
    times,
)
from ..no_region import no_region_labels
from ..region_table import RegionTable, hemisphere_in_words, hex_color
from ..spaces import HEMISPHERE_NAMES, LEFT, RIGHT, UNKNOWN, SurfaceVertices
from .files import existing_file, expanded, readable
from .nifti import t_r_of
from .painted_surface import LONGEST_T_R, PaintedSurface
from .surface_names import (
    ANNOTATION,
    BY_NAME,
    GIFTI,
    MGH,
    MORPHOMETRY,
    STRUCTURE,
    TEXT,
    files_found,
    hemisphere_in_name,
    is_pattern,
    names_in,
    pair_found,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


# fsaverage3, the coarsest mesh that FreeSurfer has an average subject of.  A volume of one
# column of so many voxels does not exist; one of a few does, in tests.
_FEWEST_VERTICES = 642

_COORDINATES = ("NIFTI_INTENT_POINTSET", "NIFTI_INTENT_TRIANGLE", "NIFTI_INTENT_VECTOR")


# --- which hemisphere ------------------------------------------------------------------------


def is_surface(source: object) -> bool:
    """Return whether this is a surface, or a pair of them, rather than a volume.

    A file is one by its ending, an ``.mgh`` or ``.mgz`` when its shape is (n, 1, 1) or
    (n, 1, 1, n_maps) with n of 642 or more.  Any mapping of hemispheres is, whatever the files in
    it are.
    """
    if isinstance(source, str | os.PathLike):
        return _is_surface_path(source)
    if isinstance(source, nib.MGHImage):
        return _is_vector(source.shape)
    if isinstance(source, Mapping):
        return bool(source) and all(hemisphere_in_words(key) for key in source)
    if isinstance(source, list | tuple):
        return len(source) == 2 and all(map(is_surface, source))
    return isinstance(source, GiftiImage | PaintedSurface) or _is_surface_image(source)


def hemisphere_of(source: Any) -> str:
    """Return ``"L"``, ``"R"``, or ``"?"`` where neither the file nor its name says."""
    if isinstance(source, str | os.PathLike) and GIFTI.search(os.fspath(source)):
        source = _load_gifti(source, "the surface")
    if isinstance(source, GiftiImage):
        said = _said_hemisphere(source)
        if said is not None:
            return said
        source = source.get_filename() or ""
    elif isinstance(source, nib.MGHImage):
        source = source.get_filename() or ""
    return hemisphere_in_name(source) if isinstance(source, str | os.PathLike) else UNKNOWN


def sides_of(source: Any) -> dict[str, Any]:
    """Return what is given for each hemisphere, left first.

    Returns
    -------
    dict of str to path, nibabel image or array
        With the keys ``"L"`` and ``"R"``, or one of them, or ``"?"``.  GIFTI files have been
        read.

    Raises
    ------
    SpaceError
        When a hemisphere of a pair is missing or there twice.
    InputMissingError
        When there is no such file.
    """
    if isinstance(source, PaintedSurface):
        return dict(source.parts)
    if _is_surface_image(source):
        return _of_keys(source.data.parts)
    if isinstance(source, Mapping):
        return _of_keys(source)
    if isinstance(source, list | tuple):
        return _of_two(source)
    if isinstance(source, str | os.PathLike):
        names = names_in(source)
        if len(names) == 2:
            return _of_two(names)
        if is_pattern(source):
            return _of_keys(files_found(os.fspath(source)))
    side = _opened(source)
    return {hemisphere_of(side): side}


def _of_keys(given: Mapping[str, Any]) -> dict[str, Any]:
    sides: dict[str, Any] = {}
    for key, side in given.items():
        hemisphere = hemisphere_in_words(key)
        if hemisphere is None or hemisphere in sides:
            raise SpaceError(
                f"A pair of surfaces has one left and one right; {examples(given)} were given."
            )
        sides[hemisphere] = _opened(side)
        said = hemisphere_of(sides[hemisphere])
        if said not in (UNKNOWN, hemisphere):
            who = "its name says" if _said_hemisphere(sides[hemisphere]) is None else "says itself"
            raise SpaceError(
                f"{_called(sides[hemisphere])} was given for the {HEMISPHERE_NAMES[hemisphere]}, "
                f"and {who} that it is of the {HEMISPHERE_NAMES[said]}. Check which file is which."
            )
    return _left_first(sides)


def _of_two(given: Sequence[Any]) -> dict[str, Any]:
    """Return two sides by what they say of themselves, else by their order."""
    sides = [_opened(side) for side in given]
    hemispheres = [hemisphere_of(side) for side in sides]
    if hemispheres in ([UNKNOWN, UNKNOWN], [LEFT, UNKNOWN], [UNKNOWN, RIGHT]):
        hemispheres = [LEFT, RIGHT]
    elif UNKNOWN in hemispheres:
        hemispheres = [RIGHT, LEFT]
    if hemispheres[0] == hemispheres[1]:
        missing = LEFT if hemispheres[0] == RIGHT else RIGHT
        raise SpaceError(
            f"Both surfaces are of the {HEMISPHERE_NAMES[hemispheres[0]]}: "
            f"{', '.join(map(_called, sides))}. The {HEMISPHERE_NAMES[missing]} is missing."
        )
    return _left_first(dict(zip(hemispheres, sides, strict=True)))


def _left_first(sides: dict[str, Any]) -> dict[str, Any]:
    return {side: sides[side] for side in (LEFT, RIGHT, UNKNOWN) if side in sides}


def _said_hemisphere(side: object) -> str | None:
    """Return the hemisphere in the metadata of a GIFTI image."""
    if not isinstance(side, GiftiImage):
        return None
    metadata = [side.meta, *(array.meta for array in side.darrays)]
    said = [hemisphere_in_words(meta.get(STRUCTURE)) for meta in metadata]
    return next((hemisphere for hemisphere in said if hemisphere), None)


def _is_surface_image(source: object) -> bool:
    """Return whether this is nilearn's; by its name, as nilearn may not be installed."""
    return type(source).__name__ == "SurfaceImage" and hasattr(source, "mesh")


def _is_vector(shape: Sequence[int]) -> bool:
    return shape[0] >= _FEWEST_VERTICES and tuple(shape[1:3]) == (1, 1)


def _is_surface_path(source: str | os.PathLike[str]) -> bool:
    names = names_in(source)
    if len(names) == 2:
        return all(map(_is_surface_path, names))
    name = os.fspath(source)
    if any(pattern.search(name) for pattern in BY_NAME):
        return True
    if is_pattern(name):
        found = pair_found(name)
        return len(found) == 2 and all(map(_is_surface_path, found.values()))
    return bool(MGH.search(name)) and _is_mgh_vector(expanded(name))


def _is_mgh_vector(path: Path) -> bool:
    try:
        with ImageOpener(str(path)) as file:
            return _is_vector(MGHHeader.from_fileobj(file).get_data_shape())
    except Exception:  # noqa: BLE001  whoever reads it will say what is wrong with it
        return False


def _called(side: Any) -> str:
    """Return what to call a side in messages."""
    if isinstance(side, str | os.PathLike):
        return os.fspath(side)
    name = side.get_filename() if hasattr(side, "get_filename") else None
    return str(name) if name else f"a {type(side).__name__} in memory"


# --- one side --------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """What was read of one hemisphere.

    Parameters
    ----------
    values : array, shape (n_maps, n_vertices)
    single : bool
        Whether this is one map rather than a series of length one.
    map_names : tuple of str, default=None
    t_r : float, default=None
    table : RegionTable, default=None
        The regions that the file itself lists.
    none : frozenset of int
        Labels that stand for no region by the format.
    is_label_file : bool, default=False
        Whether this is a file of labels by its format, which should list them.
    """

    values: NDArray[Any]
    single: bool = True
    map_names: tuple[str, ...] | None = None
    t_r: float | None = None
    table: RegionTable | None = None
    none: frozenset[int] = frozenset()
    is_label_file: bool = False

    @property
    def own_table(self) -> RegionTable | None:
        """The table, but for one of nothing but background in a file that is not of labels."""
        if self.table is None or self.is_label_file:
            return self.table
        names = {row.label: row.name for row in self.table}
        return None if len(no_region_labels(names)) == len(names) else self.table

    @property
    def n_vertices(self) -> int:
        """Number of vertices."""
        return int(self.values.shape[1])


def _opened(side: Any) -> Any:
    """Return a GIFTI file as an image, and everything else as it is."""
    if isinstance(side, str | os.PathLike) and GIFTI.search(os.fspath(side)):
        return _load_gifti(side, "the surface")
    return side


def _load_gifti(path: str | os.PathLike[str], what: str) -> GiftiImage:
    file = existing_file(path, what)
    with readable(f"{what} {file}"):
        image: GiftiImage = GiftiImage.from_filename(file.absolute())
    # nibabel does not keep it, and it may say the hemisphere.
    image.file_map["image"].filename = str(file)
    return image


def _read(side: Any, what: str) -> Side:
    """Return what is in a side."""
    if isinstance(side, GiftiImage):
        return _from_gifti(side, what)
    if isinstance(side, nib.MGHImage):
        return _from_mgh(side, what)
    if isinstance(side, np.ndarray):
        return _from_array(side, what)
    if isinstance(side, str | os.PathLike):
        path = existing_file(side, what)
        reader = next((read for name, read in _READERS if name.search(path.name)), None)
        if reader is None:
            raise _not_a_surface(f"{what} {path}")
        with readable(f"{what} {path}"):
            return reader(path, what)
    raise _not_a_surface(f"{what} ({type(side).__name__})")


def _not_a_surface(what: str) -> ImageTypeError:
    return ImageTypeError(
        f"{capitalized(what)} is no surface: values or labels of vertices are read from .gii, "
        ".annot, .mgh, .mgz, .txt, .csv and FreeSurfer's .curv, .sulc, .thickness, .area. "
        "Give a volume on its own, and not as a hemisphere."
    )


def _from_gifti(image: GiftiImage, what: str) -> Side:
    arrays = [array for array in image.darrays if _intent(array) not in _COORDINATES]
    if not arrays:
        held = ", ".join(dict.fromkeys(map(_intent, image.darrays))) or "nothing"
        raise ImageTypeError(
            f"{capitalized(what)} {_called(image)} has no values of vertices; it holds {held}. "
            "Give a .label.gii, .shape.gii or .func.gii, not the mesh."
        )
    sizes = sorted({len(array.data) for array in arrays})
    if len(sizes) > 1:
        raise DimensionError(
            f"{capitalized(what)} {_called(image)} has maps of {examples(sizes)} vertices. "
            "All maps of a surface need the same."
        )
    columns = [np.asarray(array.data).reshape(sizes[0], -1) for array in arrays]
    names = [array.meta.get("Name") for array in arrays]
    values = np.concatenate(columns, axis=1).T
    named = all(names) and len(names) == len(values)
    intents = list(map(_intent, arrays))
    return Side(
        values,
        single=len(values) == 1 and "NIFTI_INTENT_TIME_SERIES" not in intents,
        map_names=tuple(map(str, names)) if named else None,
        t_r=_gifti_t_r(arrays),
        table=_label_table(image),
        is_label_file="NIFTI_INTENT_LABEL" in intents,
    )


def _intent(array: GiftiDataArray) -> str:
    return str(nib.nifti1.intent_codes.niistring[array.intent])


def _gifti_t_r(arrays: Sequence[GiftiDataArray]) -> float | None:
    """Return the time from an array to the next in seconds, where all say the same."""
    steps = {array.meta.get("TimeStep") for array in arrays}
    said = steps.pop() if len(steps) == 1 else None
    try:
        step = float(said or 0)
    except ValueError:
        return None
    if not 0 < step < np.inf:
        return None
    return step if step <= LONGEST_T_R else float(Decimal(str(said)) / 1000)


def _label_table(image: GiftiImage) -> RegionTable | None:
    labels = image.labeltable.labels
    if not labels:
        return None
    colors = [_color(label.rgba) for label in labels]
    return RegionTable(
        [label.key for label in labels],
        [str(label.label or label.key).strip() for label in labels],
        {"color": colors} if any(colors) else None,
    )


def _color(rgba: Sequence[float | None]) -> str | None:
    parts = [part for part in rgba[:3] if part is not None]
    return hex_color(parts) if len(parts) == 3 else None


def _from_mgh(source: Path | nib.MGHImage, what: str) -> Side:
    image = source if isinstance(source, nib.MGHImage) else _load_mgh(source)
    if tuple(image.shape[1:3]) != (1, 1):
        raise ImageTypeError(
            f"{capitalized(what)} {_called(image)} is a volume of {times(image.shape)} voxels; "
            "values of vertices have the shape (n, 1, 1). Give a surface."
        )
    values = np.asarray(image.dataobj).reshape((image.shape[0], -1), order="F").T
    return Side(values, single=len(image.shape) == 3, t_r=t_r_of(image))


def _load_mgh(path: Path) -> nib.MGHImage:
    """Read a file to its end, where the checksum of a compressed one is."""
    with ImageOpener(str(path)) as file:
        image = nib.MGHImage.from_stream(BytesIO(file.read()))
    image.file_map["image"].filename = str(path)
    return image


def _from_array(array: NDArray[Any], what: str) -> Side:
    if array.ndim not in (1, 2):
        raise DimensionError(
            f"{capitalized(what)} has the shape {array.shape}; values of vertices have "
            "(n_vertices,) or (n_vertices, n_maps)."
        )
    return Side(array.reshape(len(array), -1).T, single=array.ndim == 1)


def _from_morphometry(path: Path, what: str) -> Side:  # noqa: ARG001  as the others
    return Side(np.atleast_2d(read_morph_data(path)))


def _from_text(path: Path, what: str) -> Side:
    delimiter = "," if path.suffix.lower() == ".csv" else None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()  # with a byte order mark or not
        if not any(line.partition("#")[0].strip() for line in lines):
            raise ValueError("it has no number")
        numbers = np.loadtxt(lines, delimiter=delimiter, ndmin=2)
    except ValueError as error:
        raise FileFormatError(
            f"{capitalized(what)} {path} is not text of one number per vertex: "
            f"{str(error).rstrip('.')}. "
            "A surface as text is one integer per vertex, no header; lines may be comments (#)."
        ) from error
    if 1 not in numbers.shape:
        raise DimensionError(
            f"{capitalized(what)} {path} has {plural(numbers.shape[0], 'line')} of "
            f"{plural(numbers.shape[1], 'number')}; one number per vertex is needed."
        )
    return Side(numbers.reshape(1, -1))


def _from_annotation(path: Path, what: str) -> Side:
    """Read an annotation, whose labels are rows of its colour table.

    The file holds colours.  That nibabel turns them to rows relies on each being in the table.
    """
    try:
        packed, table, names = read_annot(path, orig_ids=True)
    except Exception as error:
        if "Color table" not in str(error) and not _ends_after_vertices(path):
            raise
        raise LabelsError(
            f"{capitalized(what)} {path} has no colour table, so its labels have no names. "
            "Make the annotation again with one (for example mris_seg2annot --ctab)."
        ) from error
    rows = _annotation_rows(table, len(names), f"{what} {path}")
    order = np.argsort(table[rows, 4], kind="stable")
    known = table[rows, 4][order]
    places = np.minimum(np.searchsorted(known, packed), len(known) - 1)
    # As in FreeSurfer, 0 is a vertex that nobody has labelled.
    is_known = (known[places] == packed) & (packed != 0)
    labels = np.where(is_known, rows[order[places]], -1)
    colors = ["#" + "".join(f"{level:02x}" for level in table[row, :3]) for row in rows]
    regions = RegionTable(rows, [_decoded(name) for name in names], {"color": colors})
    return Side(labels[np.newaxis], table=regions, none=frozenset([-1]), is_label_file=True)


def _ends_after_vertices(path: Path) -> bool:
    """Return whether an annotation has nothing after its vertices, each a number and a colour."""
    with path.open("rb") as file:
        n_vertices = int.from_bytes(file.read(4), "big")
    return n_vertices > 0 and path.stat().st_size == 4 + 8 * n_vertices


def _annotation_rows(table: NDArray[Any], n_names: int, what: str) -> NDArray[np.int64]:
    """Return the rows of the colour table that the names are of; tables may have gaps."""
    rows = np.arange(len(table))
    if n_names < len(table):
        rows = rows[table.any(axis=1)]
    if not n_names or len(rows) != n_names:
        raise LabelsError(
            f"{capitalized(what)} has {plural(n_names, 'name')} and {plural(len(rows), 'colour')} "
            "in its colour table, so which is whose is open. Make the annotation again."
        )
    return rows.astype(np.int64)


def _decoded(name: bytes | str) -> str:
    text = name.decode(errors="replace") if isinstance(name, bytes) else name
    return text.rstrip("\0").strip()


_READERS: tuple[tuple[re.Pattern[str], Callable[[Path, str], Side]], ...] = (
    (MGH, _from_mgh),
    (ANNOTATION, _from_annotation),
    (MORPHOMETRY, _from_morphometry),
    (TEXT, _from_text),
)


def read_sides(source: Any, what: str) -> tuple[dict[str, Side], SurfaceVertices]:
    """Return what is in each side, and where its vertices are."""
    sides = {
        side: _read(given, what if side == UNKNOWN else f"{what} ({HEMISPHERE_NAMES[side]})")
        for side, given in sides_of(source).items()
    }
    mesh = getattr(source, "mesh", None) if _is_surface_image(source) else None
    return sides, SurfaceVertices({side: one.n_vertices for side, one in sides.items()}, mesh)
