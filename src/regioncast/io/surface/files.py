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
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.freesurfer.io import read_morph_data
from nibabel.freesurfer.mghformat import MGHHeader
from nibabel.gifti.gifti import GiftiDataArray, GiftiImage

from ...atlas.hemispheres import HEMISPHERE_NAMES, LEFT, RIGHT, UNKNOWN, side_of_word
from ...atlas.no_region import no_region_labels
from ...atlas.region_table import RegionTable, hex_color
from ...atlas.spaces import SurfaceVertices
from ...errors import (
    DimensionError,
    FileFormatError,
    ImageTypeError,
    InputMissingError,
    LabelsError,
    LabelsWarning,
    SpaceError,
    capitalized,
    examples,
    plural,
    times,
    warn,
)
from ...files import existing_file, expanded, name_of_file, read_npy, readable
from ...formats import Family, family_of, format_of, suffixes
from ...signals import MapAxis
from ..maps import Source, t_r_of
from ..sidecar import axis_beside
from ..stored import check_stored, check_unmasked, open_mgh, opened, read_stored
from .annotations import read_annotation
from .gifti import read_gifti
from .names import (
    STRUCTURE,
    each_found,
    files_found,
    hemisphere_in_name,
    hemispheres_in_names,
    is_pair_pattern,
    names_in,
    order_is_unclear,
    pair_beside,
    pair_found,
    pattern_of,
    without_hemisphere,
)
from .painted import LONGEST_T_R, PaintedSurface

if TYPE_CHECKING:
    from numpy.typing import NDArray


# fsaverage3, the coarsest mesh that FreeSurfer has an average subject of.  A volume of one
# column of so many voxels does not exist; one of a few does, in tests.
_FEWEST_VERTICES = 642

# How morphometry files begin whose count of vertices comes next; older ones begin with the count.
_NEW_MORPHOMETRY = b"\xff\xff\xff"

# Bytes before the values: these three, and the counts of vertices, of faces, and of values each.
_MORPHOMETRY_HEAD = 15

# In older ones, the counts of vertices and of faces in three bytes each.
_OLD_MORPHOMETRY_HEAD = 6

_NODE_INDEX = "NIFTI_INTENT_NODE_INDEX"

# Arrays of meshes and of numbers of vertices, beside which a file may have values.
_NO_VALUES = frozenset([
    _NODE_INDEX,
    "NIFTI_INTENT_POINTSET",
    "NIFTI_INTENT_TRIANGLE",
    "NIFTI_INTENT_VECTOR",
])  # fmt: skip


# --- which hemisphere ------------------------------------------------------------------------


def is_surface(source: object) -> bool:
    """Return whether this is a surface, or a pair of them, rather than a volume.

    A file is one by its ending, an ``.mgh`` or ``.mgz`` when its shape is (n, 1, 1) or
    (n, 1, 1, n_maps) with n of 642 or more.  Any mapping with a hemisphere is, whatever else is in
    it, and an array of one number or row per vertex.
    """
    if isinstance(source, str | os.PathLike):
        return _is_surface_path(source)
    if isinstance(source, nib.MGHImage):
        return _is_vector(source.shape)
    if isinstance(source, np.ndarray):
        return source.ndim in (1, 2)
    if isinstance(source, Mapping):
        return any(side_of_word(key) for key in source)
    if isinstance(source, list | tuple):
        return len(source) == 2 and all(map(is_surface, source))
    return isinstance(source, GiftiImage | PaintedSurface) or _is_surface_image(source)


def each_surface(source: Any) -> list[Source]:
    """Return the surfaces and pairs of a list or of a pattern; else the one that this is.

    Two sides are a pair unless both are of one hemisphere.
    """
    if isinstance(source, list | tuple):
        if _is_pair(source):
            return [_pair_of(source, source)]
        return list(chain.from_iterable(map(each_surface, source)))
    if not isinstance(source, str | os.PathLike):
        return [Source.of(source)]
    names = names_in(source)
    if len(names) == 2:
        return [_pair_of(source, names)]
    if not is_pair_pattern(source):
        return [Source.of(source)]
    pair = pair_found(names[0])
    images = [pair] if len(pair) == 2 else each_found(names[0])
    # Without any, whoever reads it says what is missing.
    return [_pair_of(sides, list(sides.values())) for sides in images] or [Source.of(source)]


def _pair_of(image: Any, sides: Sequence[Any]) -> Source:
    """Return a pair or a side; what a pair is of, its names say without the hemispheres."""
    file = Source.of(sides[0]).file
    return Source(image, file if file is None or len(sides) == 1 else without_hemisphere(file))


def _is_pair(listed: Sequence[Any]) -> bool:
    """Return whether these are two sides, and not both of the same hemisphere."""
    if len(listed) != 2 or not all(map(_is_side, listed)):
        return False
    return len(set(_hemispheres_of_two(list(map(_opened, listed))))) == 2


def _is_side(source: object) -> bool:
    """Return whether this is of one hemisphere by its form."""
    if isinstance(source, str | os.PathLike):
        return len(names_in(source)) == 1 and not is_pair_pattern(source)
    return isinstance(source, GiftiImage | nib.MGHImage | np.ndarray)


def hemisphere_of(source: Any) -> str:
    """Return ``"L"``, ``"R"``, or ``"?"`` where neither the file nor its name says."""
    source = _opened(source)
    return _said_hemisphere(source) or hemisphere_in_name(name_of_file(source))


def sides_of(source: Any) -> dict[str, Any]:
    """Return what is given for each hemisphere, left first.

    Raises `SpaceError` when a hemisphere of a pair is missing or there twice; `InputMissingError`
    when there is no such file.

    Returns
    -------
    dict of str to path, nibabel image or array
        With the keys ``"L"`` and ``"R"``, or one of them, or ``"?"``.  GIFTI files have been
        read.
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
        name, names = os.fspath(source), names_in(source)
        if len(names) == 2:
            return _of_two(names)
        if is_pair_pattern(name):
            return _of_keys(files_found(name))
        # A pair was written under a name that no file has: each hemisphere got its own.
        beside = pair_beside(name)
        if beside:
            raise InputMissingError(
                f"{name} does not exist, but there are {' and '.join(beside)}. Pass "
                f"{pattern_of(name)} for both hemispheres, or one of them."
            )
    side = _opened(source)
    return {hemisphere_of(side): side}


def _of_keys(by_key: Mapping[str, Any]) -> dict[str, Any]:
    sides: dict[str, Any] = {}
    for key, side in by_key.items():
        hemisphere = side_of_word(key)
        if hemisphere is None or hemisphere in sides:
            raise SpaceError(
                f"A pair of surfaces has one left and one right; {examples(by_key)} were given."
            )
        opened = _opened(side)
        said = hemisphere_of(opened)
        if said not in (UNKNOWN, hemisphere):
            who = "its name says" if _said_hemisphere(opened) is None else "says itself"
            raise SpaceError(
                f"{_called(opened)} was given for the {HEMISPHERE_NAMES[hemisphere]}, "
                f"and {who} that it is of the {HEMISPHERE_NAMES[said]}. Check which file is which."
            )
        sides[hemisphere] = opened
    return _left_first(sides)


def _of_two(listed: Sequence[Any]) -> dict[str, Any]:
    """Return two sides by what they say of themselves, else by their order."""
    if len(listed) != 2:
        raise SpaceError(
            f"A pair of surfaces is one left and one right; {len(listed):,} were given. Name the "
            "two, or pass one as it is."
        )
    sides = [_opened(side) for side in listed]
    hemispheres = _hemispheres_of_two(sides)
    if hemispheres[0] == hemispheres[1]:
        missing = LEFT if hemispheres[0] == RIGHT else RIGHT
        raise SpaceError(
            f"Both surfaces are of the {HEMISPHERE_NAMES[hemispheres[0]]}: "
            f"{', '.join(map(_called, sides))}. The {HEMISPHERE_NAMES[missing]} is missing."
        )
    return _left_first(dict(zip(hemispheres, sides, strict=True)))


def _hemispheres_of_two(sides: Sequence[Any]) -> list[str]:
    """Return the hemispheres of two sides: what they or their names say, else left and right.

    Raises where that is contradictory or unclear.
    """
    names = list(map(name_of_file, sides))
    marked = _marked_hemispheres(sides, names)
    said = [
        hemisphere_in_name(name) if side == UNKNOWN else side
        for side, name in zip(marked, names, strict=True)
    ]
    if UNKNOWN not in said:
        return said
    is_right_first = said[0] == RIGHT or said[1] == LEFT
    # A file that says itself or is marked tells of the other one, even against their order.  A
    # mere word in its name does not: it may mean something else.
    if marked == [UNKNOWN, UNKNOWN]:
        nothing_said = said == [UNKNOWN, UNKNOWN]
        is_unclear = order_is_unclear(*names) if nothing_said else is_right_first
        if is_unclear:
            raise SpaceError(
                f"Which of {' and '.join(map(_called, sides))} is of which hemisphere is not "
                "known: both names have words for hemispheres, or letters that may mean one. Give "
                "them as left= and right= or as a mapping, {'left': …, 'right': …}."
            )
    return [RIGHT, LEFT] if is_right_first else [LEFT, RIGHT]


def _marked_hemispheres(sides: Sequence[Any], names: Sequence[str]) -> list[str]:
    """Return what two files say themselves, else what their names are marked with or differ in."""
    marked = hemispheres_in_names(*names)
    for number, side in enumerate(sides):
        in_file = _said_hemisphere(side)
        if in_file is None:
            continue
        if marked[number] not in (UNKNOWN, in_file):
            raise SpaceError(
                f"{_called(side)} says itself that it is of the {HEMISPHERE_NAMES[in_file]}, and "
                f"its name that it is of the {HEMISPHERE_NAMES[marked[number]]}. Check which file "
                "is which."
            )
        marked[number] = in_file
    return marked


def _left_first(sides: dict[str, Any]) -> dict[str, Any]:
    return {side: sides[side] for side in (LEFT, RIGHT, UNKNOWN) if side in sides}


def _said_hemisphere(side: object) -> str | None:
    """Return the hemisphere in the metadata of a GIFTI image."""
    if not isinstance(side, GiftiImage):
        return None
    # Workbench writes it for the file, other programs for each array.
    for part in [side, *side.darrays]:
        hemisphere = side_of_word(part.meta.get(STRUCTURE))
        if hemisphere is not None:
            return hemisphere
    return None


def _is_surface_image(source: object) -> bool:
    """Return whether this is nilearn's; by its name, as nilearn may not be installed."""
    return type(source).__name__ == "SurfaceImage" and hasattr(source, "mesh")


def _is_vector(shape: Sequence[int]) -> bool:
    return shape[0] >= _FEWEST_VERTICES and tuple(shape[1:3]) == (1, 1)


def _is_surface_path(source: str | os.PathLike[str]) -> bool:
    names = names_in(source)
    if len(names) == 2:
        # One of a pair that does not exist is missed with its own name.
        names = [name for name in names if not _shape_tells(name) or expanded(name).exists()]
    return bool(names) and all(map(_is_surface_name, names))


def _is_surface_name(name: str) -> bool:
    entry = format_of(Path(name))
    if entry is not None and entry.family == "mesh":
        entry = None  # lh.area.white holds the areas of a mesh, so only the content tells
    if entry is not None and not _shape_tells(name):
        return "surface" in entry.kinds
    # The name does not say it, so the file has to.
    if is_pair_pattern(name):
        pair = pair_found(name)
        return bool(pair) and all(map(_is_surface_name, pair.values()))
    if entry is None:
        return _is_morphometry(expanded(name))
    return _is_mgh_vector(expanded(name)) or bool(pair_beside(name))


def _is_mgh_vector(path: Path) -> bool:
    if not path.is_file():  # a pipe would wait
        return False
    try:
        with opened(path) as file:
            return _is_vector(MGHHeader.from_fileobj(file).get_data_shape())
    except Exception:  # noqa: BLE001  whoever reads it will say what is wrong with it
        return False


def _shape_tells(name: str) -> bool:
    """Return whether files of this name hold voxels or vertices, as their shapes say."""
    return family_of(Path(name)) == "mgh"


def _is_morphometry(path: Path) -> bool:
    """Return whether a file of any name is one of FreeSurfer's values per vertex.

    As ``lh.thickness.fsaverage``: it begins like one, and is as long as it says.
    """
    try:
        if not path.is_file():  # what comes through a pipe can be read only once
            return False
        n_bytes = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_MORPHOMETRY_HEAD)
    except (OSError, ValueError):
        return False
    n_vertices = int.from_bytes(head[3:7], "big")
    return head.startswith(_NEW_MORPHOMETRY) and n_bytes == _MORPHOMETRY_HEAD + 4 * n_vertices


def _called(side: Any) -> str:
    """Return what to call a side in messages."""
    return name_of_file(side) or f"a {type(side).__name__} in memory"


# --- one side --------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """What was read of one hemisphere.

    Parameters
    ----------
    values : array, shape (n_maps, n_vertices)
    axis : MapAxis
    table : RegionTable, default=None
        The regions that the file itself lists.
    none : frozenset of int
        Labels that stand for no region by the format.
    is_label_file : bool, default=False
        Whether this is a file of labels by its format, which should list them.
    """

    values: NDArray[Any]
    axis: MapAxis
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
    if not isinstance(side, str | os.PathLike) or family_of(Path(side)) != "gifti":
        return side
    file = existing_file(side, "the surface")
    with readable(f"the surface {file}"):
        image = read_gifti(file)
    if not isinstance(image, GiftiImage):  # nibabel returns what it found of one
        raise FileFormatError(
            f"The surface {file} is XML, but no GIFTI file: it has no element GIFTI. Give "
            "a .label.gii, .shape.gii or .func.gii."
        )
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
    if not isinstance(side, str | os.PathLike):
        raise _not_a_surface(f"{what} ({type(side).__name__})")
    path = existing_file(side, what)
    read = _reader_of(path)
    if read is None:
        raise _not_a_surface(f"{what} {path}")
    with readable(f"{what} {path}"):
        of_file = read(path, what)
        axis = axis_beside(of_file.axis, path, len(of_file.values))
        return dataclasses.replace(of_file, axis=axis)


def _not_a_surface(what: str) -> ImageTypeError:
    endings = dict.fromkeys([*suffixes("labels", "surface"), *suffixes("data", "surface")])
    return ImageTypeError(
        f"{capitalized(what)} is no surface: values or labels of vertices are read from "
        f"{', '.join(endings)}. Give a volume on its own, and not as a hemisphere."
    )


def _from_gifti(image: GiftiImage, what: str) -> Side:
    name = f"{capitalized(what)} {_called(image)}"
    arrays = _arrays_of_values(image, name)
    # An array may have a column per map instead of being one of many.
    n_vertices = len(_upright(np.asarray(arrays[0].data)))
    columns = [_columns(_upright(np.asarray(array.data)), name) for array in arrays]
    values = np.concatenate(columns, axis=1).T
    order = _order_of_vertices(image, n_vertices, name)
    if order is not None:
        values = values[:, order]
    intents = set(map(_intent, arrays))
    single = len(values) == 1 and "NIFTI_INTENT_TIME_SERIES" not in intents
    # An array of several columns has one name for all of them.
    names = [str(array.meta.get("Name") or "") for array in arrays]
    are_named = all(names) and len(names) == len(values)
    t_r = None if single else _gifti_t_r(arrays)
    axis = MapAxis(names if are_named else None, t_r, single=single)
    # nibabel gives a label without a name no attribute.
    rows = [
        (label.key, getattr(label, "label", None), label.rgba) for label in image.labeltable.labels
    ]
    return Side(
        values, axis, table=_region_table(rows), is_label_file="NIFTI_INTENT_LABEL" in intents
    )


def _arrays_of_values(image: GiftiImage, name: str) -> list[GiftiDataArray]:
    """Return the arrays that have a row per vertex; `name` is what messages call the file."""
    empty = [n for n, array in enumerate(image.darrays) if array.data is None]
    if empty:
        raise FileFormatError(
            f"{name} is truncated or damaged: "
            f"{plural(len(empty), 'data array')} of {len(image.darrays):,} without data: "
            f"{examples(empty)}. Get the file again."
        )
    arrays = [array for array in image.darrays if _intent(array) not in _NO_VALUES]
    if not arrays:
        held = ", ".join(dict.fromkeys(map(_intent, image.darrays))) or "nothing"
        raise ImageTypeError(
            f"{name} has no values of vertices; it holds {held}. "
            "Give a .label.gii, .shape.gii or .func.gii, not the mesh."
        )
    sizes = sorted({len(_upright(np.asarray(array.data))) for array in arrays})
    if len(sizes) > 1:
        raise DimensionError(
            f"{name} has maps of {examples(sizes)} vertices. All maps of a surface need the same."
        )
    return arrays


def _order_of_vertices(image: GiftiImage, n_values: int, name: str) -> NDArray[np.intp] | None:
    """Return which value is that of each vertex, None where they are in order.

    GIFTI may list the vertices that the values are of, all or some of them.
    """
    lists = [array.data for array in image.darrays if _intent(array) == _NODE_INDEX]
    if not lists:
        return None
    listed = np.concatenate([np.ravel(part) for part in lists])
    if not np.array_equal(np.sort(listed), np.arange(n_values)):
        raise FileFormatError(
            f"{name} lists {plural(len(listed), 'vertex')} "
            f"({len(np.unique(listed)):,} different, {listed.min():,} to {listed.max():,}) for "
            f"{plural(n_values, 'value')}. Each vertex of the surface needs a value, and to be "
            "listed once."
        )
    return np.argsort(listed)


def _intent(array: GiftiDataArray) -> str:
    return str(nib.nifti1.intent_codes.niistring[array.intent])


def _gifti_t_r(arrays: Sequence[GiftiDataArray]) -> float | None:
    """Return the time from an array to the next in seconds, where all say the same."""
    steps = {array.meta.get("TimeStep") for array in arrays}
    if len(steps) > 1:
        return None
    text = str(steps.pop() or 0)
    try:
        step = float(text)
    except ValueError:
        return None
    if not 0 < step < np.inf:
        return None
    return step if step <= LONGEST_T_R else float(Decimal(text) / 1000)


def _region_table(rows: Iterable[tuple[int, str | None, Sequence[Any]]]) -> RegionTable | None:
    """Return the table of labels, names and colours (from 0 to 1) as a file lists them.

    Labels without a name are called by their number; not 0, which without a name is no region.
    """
    labels, names, colors = [], [], []
    for label, said, color in rows:
        name = (said or "").strip()
        if name or label != 0:
            labels.append(label)
            names.append(name or str(label))
            colors.append(hex_color(color[:3]))
    if not labels:
        return None
    return RegionTable(labels, names, {"color": colors} if any(colors) else None)


def _from_mgh(source: Path | nib.MGHImage, what: str) -> Side:
    image = source if isinstance(source, nib.MGHImage) else open_mgh(source)
    check_stored(image.dataobj, what)
    if tuple(image.shape[1:3]) != (1, 1):
        raise ImageTypeError(
            f"{capitalized(what)} {_called(image)} is a volume of {times(image.shape)} voxels; "
            "values of vertices have the shape (n, 1, 1). Give a surface."
        )
    # Maps are the fourth dimension of a volume that is one column of voxels.
    values = read_stored(image.dataobj).reshape((image.shape[0], -1), order="F").T
    return Side(values, MapAxis(t_r=t_r_of(image), single=len(image.shape) == 3))


def _from_array(array: NDArray[Any], what: str) -> Side:
    check_unmasked(array, what)
    array = _upright(array)
    if array.ndim not in (1, 2):
        raise DimensionError(
            f"{capitalized(what)} has the shape {array.shape}; values of vertices have "
            "(n_vertices,) or (n_vertices, n_maps)."
        )
    return Side(_columns(array, capitalized(what)).T, MapAxis(single=array.ndim == 1))


def _columns(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Return values with a row per vertex and a column per map; `name` begins messages."""
    if not len(array):
        raise DimensionError(f"{name} has no vertices: its shape is {array.shape}.")
    if array.dtype.kind not in "biufcmMOSU":  # as of numbers of a size that this machine lacks
        raise FileFormatError(
            f"{name} holds {array.dtype}, and numbers are needed. Save it as float32 or int32."
        )
    return array.reshape(len(array), -1)


def _upright(array: NDArray[Any]) -> NDArray[Any]:
    """Return a row of values as what it is: no surface has one vertex."""
    return array[0] if array.ndim == 2 and len(array) == 1 < array.size else array


def _from_morphometry(path: Path, what: str) -> Side:
    # nibabel reads the values that are there; the file says how many there are to be.
    with path.open("rb") as file:
        head = file.read(7)
    is_new = head.startswith(_NEW_MORPHOMETRY)
    n_vertices = int.from_bytes(head[3:] if is_new else head[:3], "big")
    head_bytes, value_bytes = (_MORPHOMETRY_HEAD, 4) if is_new else (_OLD_MORPHOMETRY_HEAD, 2)
    n_values = (path.stat().st_size - head_bytes) // value_bytes
    if n_values < n_vertices:
        raise FileFormatError(
            f"{capitalized(what)} {path} is truncated or damaged: it is to have "
            f"{n_vertices:,} vertices, and there are values of {max(0, n_values):,}. Get the file "
            "again."
        )
    values = read_morph_data(path)
    return Side(np.atleast_2d(values), MapAxis(single=True))


def _from_text(path: Path, what: str) -> Side:
    delimiter = "," if path.suffix.lower() == ".csv" else None
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()  # with a byte order mark or not
        # NumPy only warns of a file without a number.
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
    return Side(numbers.reshape(1, -1), MapAxis(single=True))


def _from_annotation(path: Path, what: str) -> Side:
    """Read an annotation, whose labels are the numbers of the entries of its colour table."""
    annotation = read_annotation(path, what)
    if not any(entry.name for entry in annotation.entries):
        raise LabelsError(
            f"{capitalized(what)} {path} has no names: its colour table has "
            f"{plural(len(annotation.entries), 'entry')}, none with one. Pass a region table."
        )
    unknown = int(np.count_nonzero((annotation.labels == -1) & (annotation.colors != 0)))
    if unknown:
        warn(
            f"{capitalized(what)} {path} has {plural(unknown, 'vertex')} of a colour that its "
            f"colour table lacks; taken as no region.",
            LabelsWarning,
        )
    return Side(
        annotation.labels[np.newaxis],
        MapAxis(single=True),
        table=_region_table(
            (entry.number, entry.name, [part / 255 for part in entry.color])
            for entry in annotation.entries
        ),
        none=frozenset([-1]),
        is_label_file=True,
    )


def _from_numpy(path: Path, what: str) -> Side:
    # NumPy opens an .npz of any name, too.
    array = read_npy(path)
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biufc":
        raise FileFormatError(
            f"{capitalized(what)} {path} holds no array of numbers but "
            f"{getattr(array, 'dtype', type(array).__name__)}. Save the values of the vertices, "
            "shape (n_vertices,) or (n_vertices, n_maps)."
        )
    return _from_array(array, f"{what} {path}")


_READERS: dict[Family, Callable[[Path, str], Side]] = {
    "mgh": _from_mgh,
    "annotation": _from_annotation,
    "morphometry": _from_morphometry,
    "numpy": _from_numpy,
    "text": _from_text,
}


def _reader_of(path: Path) -> Callable[[Path, str], Side] | None:
    entry = format_of(path)
    if entry is None or entry.family == "mesh":
        return _from_morphometry if _is_morphometry(path) else None
    return _READERS.get(entry.family) if "surface" in entry.kinds else None


def read_sides(source: Any, what: str) -> tuple[dict[str, Side], SurfaceVertices]:
    """Return what is in each side, and where its vertices are."""
    sides = {
        side: _read(content, what if side == UNKNOWN else f"{what} ({HEMISPHERE_NAMES[side]})")
        for side, content in sides_of(source).items()
    }
    mesh = getattr(source, "mesh", None) if _is_surface_image(source) else None
    return sides, SurfaceVertices({name: side.n_vertices for name, side in sides.items()}, mesh)
