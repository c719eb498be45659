"""The metadata of OME-Zarr: where voxels are, at which levels, and what labels stand for.

Axes are those of arrays, z, y and x; grids are of (x, y, z), as everywhere else.  OME-Zarr 0.4 and
0.5 know scales and translations alone.  What they cannot say of where voxels are is said by the
orientation of axes (RFC-4), which is read and written, and by a NIfTI header in an array of bytes,
as nifti-zarr has it; of images that are ours, also the affine in full precision.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np

from ..atlas.spaces import VolumeGrid
from ..errors import (
    ArgumentError,
    DimensionError,
    FileFormatError,
    SpaceError,
    SpaceWarning,
    capitalized,
    examples,
    plural,
    warn,
)
from ..files import readable
from .stores import check_dimensions, path_of

if TYPE_CHECKING:
    import zarr
    from numpy.typing import NDArray

OURS = "regioncast"
"""The attribute of a group that says what OME-Zarr has no place for."""

NIFTI = "nifti"
"""The array that holds a NIfTI header."""

# Earlier ones have no transformations, so nobody knows where their voxels are.
_VERSIONS = ("0.4", "0.5")

_MILLIMETRES = {
    "angstrom": 1e-7, "picometer": 1e-9, "nanometer": 1e-6, "micrometer": 1e-3, "millimeter": 1.0,
    "centimeter": 10.0, "decimeter": 100.0, "meter": 1e3, "inch": 25.4,
}  # fmt: skip
_SECONDS = {"microsecond": 1e-6, "millisecond": 1e-3, "second": 1.0, "minute": 60.0}

# Where an axis leads: the world's axis, and whether along or against it.
_DIRECTIONS = {
    "left-to-right": (0, 1), "right-to-left": (0, -1),
    "posterior-to-anterior": (1, 1), "anterior-to-posterior": (1, -1),
    "inferior-to-superior": (2, 1), "superior-to-inferior": (2, -1),
}  # fmt: skip
_NAMES_OF_DIRECTIONS = {direction: name for name, direction in _DIRECTIONS.items()}


@dataclass(frozen=True, eq=False)
class Multiscale:
    """An image of OME-Zarr, or one of labels.

    Parameters
    ----------
    arrays : list of zarr.Array
        From the finest to the coarsest.
    spaces : list of VolumeGrid
        Of each.
    t_r : float or None
        Seconds from one map to the next.
    image_label : mapping
        What is said of labels.
    ours : mapping
        What we said of an image that is ours.
    """

    arrays: Sequence[zarr.Array[Any]]
    spaces: Sequence[VolumeGrid]
    t_r: float | None
    image_label: Mapping[str, Any]
    ours: Mapping[str, Any]


def metadata_of(group: zarr.Group) -> dict[str, Any]:
    """Return what OME-Zarr says in a group, wherever its version says it."""
    attributes = dict(group.attrs.asdict())
    # 0.5 has a place of its own for all of it, 0.4 puts it among other attributes.
    ome = attributes.get("ome")
    return dict(ome) if isinstance(ome, Mapping) else attributes


def read_multiscale(group: zarr.Group, name: str) -> Multiscale:
    """Return the image that a group is; `name` is what messages call it.

    Raises `FileFormatError` where it is none, or not whole; `DimensionError` where its axes are
    others than z, y and x, and maybe some before them.
    """
    ome = metadata_of(group)
    if not ome.get("multiscales"):
        members = sorted(dict(group.members()))
        raise FileFormatError(
            f"{capitalized(name)} is no image of OME-Zarr: its metadata have no multiscales. Name "
            f"an image or an array in it; it has {examples(members) or 'nothing'}."
        )
    with readable(name):
        # Of several, the first is the one to show where nothing else is said.
        first = ome["multiscales"][0]
        _check_version(str(ome.get("version") or first.get("version")), name)
        said: Any = group.attrs.asdict().get(OURS)
        ours = dict(said or {})
        arrays: list[Any] = [group[dataset["path"]] for dataset in first["datasets"]]
        for array in arrays:
            check_dimensions(array.shape, name)
        axes = first["axes"]
        _check_axes(axes, arrays[0].ndim, name)
        _check_whole(group, ours, name)
        transforms = [
            _combined([*dataset["coordinateTransformations"], *_of_all(first)], len(axes), name)
            for dataset in first["datasets"]
        ]
        spaces = _spaces(group, axes, arrays, transforms, ours, name=name)
        t_r = _t_r(axes, transforms[0][0], arrays[0].shape)
        image_label = dict(ome.get("image-label") or {})
    # Outside of what turns all that is raised into damage, as warnings may be.
    if spaces[0].is_placed:
        _say_if_without_unit(axes[-3:], name)
        _say_if_led_elsewhere(axes[-3:], ours, name)
    return Multiscale(arrays, spaces, t_r, image_label, ours)


def _say_if_without_unit(axes: Sequence[Mapping[str, Any]], name: str) -> None:
    without = [axis["name"] for axis in axes if not axis.get("unit")]
    if without:
        warn(
            f"{capitalized(name)} does not say in which unit its voxels are measured along "
            f"{', '.join(without)}, which is taken to be the millimetre.",
            SpaceWarning,
        )


def _say_if_led_elsewhere(
    axes: Sequence[Mapping[str, Any]], ours: Mapping[str, Any], name: str
) -> None:
    said = list(filter(None, _orientations(axes)))
    if said and "affine" not in ours and not _are_directions(said):
        warn(
            f"{capitalized(name)} says of its axes {examples(said)}, which is not one each of left "
            "and right, posterior and anterior, inferior and superior. x is taken to go to the "
            "right, y to the front and z up.",
            SpaceWarning,
        )


def _orientations(axes: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Return where axes are said to lead, None where nothing is said."""
    return [(axis.get("orientation") or {}).get("value") for axis in axes]


def _are_directions(values: Sequence[str | None]) -> bool:
    """Return whether axes lead along three axes of the world."""
    return sorted(_DIRECTIONS.get(str(value), (-1, 0))[0] for value in values) == [0, 1, 2]


def level_of(image: Multiscale, level: int, name: str) -> int:
    """Return the number of a level; raise `ArgumentError` where there is none."""
    if isinstance(level, bool) or not isinstance(level, int | np.integer):
        raise ArgumentError(f"level is the number of a level, from 0, not {level!r}.")
    if not 0 <= level < len(image.arrays):
        shapes = ", ".join(f"{n}: {s.description}" for n, s in enumerate(image.spaces))
        raise ArgumentError(
            f"{capitalized(name)} has no level {level}: it has "
            f"{plural(len(image.arrays), 'level')} ({shapes})."
        )
    return int(level)


def _check_version(version: str, name: str) -> None:
    if not version.startswith(_VERSIONS):
        raise FileFormatError(
            f"{capitalized(name)} is OME-Zarr of version {version}; versions "
            f"{' and '.join(_VERSIONS)} are read. Convert it to one of these."
        )


def _check_axes(axes: Sequence[Mapping[str, Any]], n_dimensions: int, name: str) -> None:
    names = [str(axis["name"]) for axis in axes]
    kinds = [axis.get("type") for axis in axes]
    if len(axes) != n_dimensions:
        raise FileFormatError(
            f"{capitalized(name)} contradicts itself: its metadata name {len(axes)} axes "
            f"({', '.join(names)}), and its array has {n_dimensions}."
        )
    if names[-3:] != ["z", "y", "x"] or kinds[-3:] != ["space"] * 3 or "space" in kinds[:-3]:
        said = ", ".join(f"{axis} ({kind})" for axis, kind in zip(names, kinds, strict=True))
        raise DimensionError(
            f"{capitalized(name)} has the axes {said}; they have to be z, y, x of the type space, "
            "after time or channels. Write it again with its axes in this order."
        )


def _of_all(multiscale: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the transformations that hold for all levels, and come last."""
    return multiscale.get("coordinateTransformations") or []


def _combined(
    transforms: Sequence[Mapping[str, Any]], n_axes: int, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scale and the translation of transformations that follow each other."""
    scale, translation = np.ones(n_axes), np.zeros(n_axes)
    for transform in transforms:
        kind = transform["type"]
        # Each may also be a path to an array of numbers, which nobody writes.
        if kind == "identity":
            continue
        if kind not in ("scale", "translation") or kind not in transform:
            raise FileFormatError(
                f"{capitalized(name)} has a transformation that is no scale and no translation: "
                f"{kind!r}. Write it again with these."
            )
        numbers = np.array(transform[kind], np.float64)
        # A single one would do for all axes, and nobody says that it is for all.
        if numbers.shape != (n_axes,):
            raise FileFormatError(
                f"{capitalized(name)} has a {kind} of {plural(numbers.size, 'number')} for "
                f"{n_axes} axes. Correct its metadata."
            )
        if kind == "scale":
            scale, translation = scale * numbers, translation * numbers
        else:
            translation = translation + numbers
    return scale, translation


def _t_r(
    axes: Sequence[Mapping[str, Any]], scale: NDArray[np.float64], shape: Sequence[int]
) -> float | None:
    for axis, step, n in zip(axes, scale.tolist(), shape, strict=True):
        if axis.get("type") == "time" and axis.get("unit") in _SECONDS:
            # Between the channels of one moment no time goes by.
            return float(step * _SECONDS[axis["unit"]]) if n == math.prod(shape[:-3]) else None
    return None


def _spaces(
    group: zarr.Group,
    axes: Sequence[Mapping[str, Any]],
    arrays: Sequence[zarr.Array[Any]],
    transforms: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    ours: Mapping[str, Any],
    *,
    name: str,
) -> list[VolumeGrid]:
    """Return the grid of each level."""
    shapes = [(s[-1], s[-2], s[-3]) for s in (array.shape for array in arrays)]
    # All of this in the order of grids.
    spatial = list(axes[-3:])[::-1]
    scales, translations = ([transform[n][-3:][::-1] for transform in transforms] for n in range(2))
    # Of arrays that lie nobody knows where, scales are 1 and mean nothing.
    if ours.get("placed") is False:
        return [_unplaced(shape) for shape in shapes]
    factors = _factors(spatial, name)
    if "affine" in ours:
        finest = _finest_of_ours(group, shapes[0], np.array(ours["affine"], np.float64))
        # Who has rescaled or cropped the image since knew nothing of our affine.
        steps = transforms_of(finest, is_series=False, t_r=None)
        said = scales[0] * factors, translations[0] * factors
        sizes, corner = (np.array(step[step["type"]][::-1]) for step in steps)
        if not np.allclose(said, (sizes, corner), rtol=1e-4, atol=1e-3 * sizes.min()):
            raise FileFormatError(
                f"{capitalized(name)} contradicts itself: its voxels have edges of {sizes} mm and "
                f"begin at {corner} by its affine, and of {said[0]} mm at {said[1]} by its scale "
                "and translation. Write it again."
            )
    else:
        affine = _affine(spatial, scales[0] * factors, translations[0] * factors)
        finest = VolumeGrid.from_affine(shapes[0], affine)
    spaces = [finest]
    for shape, scale, translation in list(zip(shapes, scales, translations, strict=True))[1:]:
        # From the indices of this level to those of the finest.
        step = np.diag([*(scale / scales[0]), 1.0])
        step[:3, 3] = (translation - translations[0]) / scales[0]
        spaces.append(VolumeGrid.from_affine(shape, finest.affine @ step))
    return spaces


def unplaced_grid(array_shape: Sequence[int]) -> VolumeGrid:
    """Return the grid of an array of which it is not known where its voxels are."""
    n_z, n_y, n_x = array_shape[-3:]
    return _unplaced((n_x, n_y, n_z))


def _unplaced(shape: tuple[int, int, int]) -> VolumeGrid:
    grid = VolumeGrid.from_affine(shape, np.eye(4))
    return VolumeGrid(grid.shape, grid.affine, grid.geometry, is_placed=False)


def _finest_of_ours(
    group: zarr.Group, shape: tuple[int, int, int], affine: NDArray[np.float64]
) -> VolumeGrid:
    """Return the grid of an affine, with what the NIfTI header says of it."""
    if NIFTI not in group:
        return VolumeGrid.from_affine(shape, affine)
    content: Any = group[NIFTI]
    header = nib.Nifti2Header(np.asarray(content[:]).tobytes(), check=False)
    # Of a file that is lost, Zarr makes zeros.
    if header["sizeof_hdr"] != header.sizeof_hdr:
        raise FileFormatError(
            f"The NIfTI header of {path_of(group)} is not whole. Get or write it again."
        )
    image: Any = SimpleNamespace(shape=shape, affine=affine, header=header)
    return VolumeGrid.of(image)


def _factors(axes: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    """Return how many millimetres a unit of each axis is."""
    units = [axis.get("unit") for axis in axes]
    unknown = [unit for unit in units if unit is not None and unit not in _MILLIMETRES]
    if unknown:
        raise SpaceError(
            f"{capitalized(name)} measures its voxels in {examples(unknown)}; units are "
            f"{', '.join(_MILLIMETRES)}. Correct its metadata."
        )
    return np.array([_MILLIMETRES[unit or "millimeter"] for unit in units])


def _affine(
    axes: Sequence[Mapping[str, Any]],
    scale: NDArray[np.float64],
    translation: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the affine of scales and translations along axes that may have an orientation."""
    said = _orientations(axes)
    # Without an orientation, or with one of other words, axes are those of the world as far as
    # anybody knows: two images of one store still lie where they lie to each other.
    directions = [(0, 1), (1, 1), (2, 1)]
    if _are_directions(said):
        directions = [_DIRECTIONS[str(value)] for value in said]
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, (world, sign) in enumerate(directions):
        affine[world, axis] = sign * scale[axis]
        affine[world, 3] = sign * translation[axis]
    return affine


def _check_whole(group: zarr.Group, ours: Mapping[str, Any], name: str) -> None:
    """Raise where files are missing of an image that is ours: what is not there reads as fill."""
    folder = path_of(group)
    if folder is None:
        return
    for path, n_files in (ours.get("files") or {}).items():
        n_there = count_files(folder / path)
        if n_there != n_files:
            raise FileFormatError(
                f"{capitalized(name)} is not whole: of array {path} {n_there:,} of "
                f"{plural(n_files, 'file')} are there. Get or write it again."
            )


def count_files(array: Path) -> int:
    """Return how many files the chunks of an array are in."""
    # Zarr keeps nothing else in that folder.
    return sum(len(names) for _, _, names in os.walk(array / "c"))


# --- out -----------------------------------------------------------------------------------------


def axes_of(space: VolumeGrid, *, is_series: bool, t_r: float | None) -> list[dict[str, Any]]:
    """Return the axes of arrays on a grid."""
    axes: list[dict[str, Any]] = []
    if is_series:
        axes.append({"name": "t", "type": "time"} | ({} if t_r is None else {"unit": "second"}))
    for axis in (2, 1, 0):
        entry: dict[str, Any] = {"name": "xyz"[axis], "type": "space"}
        if space.is_placed:
            value = _NAMES_OF_DIRECTIONS[_direction(space.affine, axis)]
            entry |= {
                "unit": "millimeter",
                "orientation": {"type": "anatomical", "value": value},
            }
        axes.append(entry)
    return axes


def _direction(affine: NDArray[np.float64], axis: int) -> tuple[int, int]:
    """Return which axis of the world an axis of voxels is closest to, and whether along it."""
    world, sign = nib.io_orientation(affine)[axis].tolist()
    return int(world), int(sign)


def transforms_of(space: VolumeGrid, *, is_series: bool, t_r: float | None) -> list[dict[str, Any]]:
    """Return the scale and the translation of arrays on a grid."""
    scale = np.linalg.norm(space.affine[:3, :3], axis=0).tolist()
    translation = []
    for axis in range(3):
        # Along the axis as it leads: from right to left, 90 mm on the right are -90.
        world, sign = _direction(space.affine, axis)
        translation.append(sign * float(space.affine[world, 3]))
    first_scale, first_translation = ([t_r or 1.0], [0.0]) if is_series else ([], [])
    return [
        {"type": "scale", "scale": [*first_scale, *scale[::-1]]},
        {"type": "translation", "translation": [*first_translation, *translation[::-1]]},
    ]


def header_bytes(space: VolumeGrid) -> NDArray[np.uint8]:
    """Return a NIfTI-2 header of a grid, as an array."""
    return np.frombuffer(space.geometry.binaryblock, np.uint8)
