"""Where the samples of an image are.

A *volume grid* is a box of voxels with an affine, which takes voxel indices (i, j, k) to
millimetres.  Two grids are the same when their shapes agree and no corner of the one is
further than 1 % of a voxel from that of the other.

*Surface vertices* are those of the mesh of one hemisphere, or of the left and then the right
one.  *Grayordinates* are the brain models of a CIFTI file: some vertices of surfaces and some
voxels of a volume, in the order of the file.

Every space is made of *parts*: samples at certain *places* of a *frame*, which is a whole
surface or a whole volume.  Where frames are the same, samples correspond by their places.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import nibabel as nib
import numpy as np

from ..errors import DimensionError, SpaceError, capitalized, plural, times
from .hemispheres import CORTEX, HEMISPHERE_NAMES, LEFT, RIGHT, UNKNOWN

if TYPE_CHECKING:
    from nibabel.cifti2.cifti2_axes import BrainModelAxis
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import DTypeLike, NDArray

VOXELS = "voxels"
"""The part of a space that lies in a volume."""

GRID_TOLERANCE = 0.01
"""How far a corner may move, in voxels, for two grids to be the same."""

# What messages call it.
_CIFTI_VOLUME = "the volume of the CIFTI file"

# Below this, rounding is all that keeps the edges of a voxel from lying in a plane.
_LEAST_VOLUME = 1e-9

# The header fields of NIfTI that say where voxels are, and nothing else.
_GEOMETRY_FIELDS = (
    "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units",
)  # fmt: skip

UNIT_OF_SPACE = 7
"""The bits of NIfTI's ``xyzt_units`` that are the unit of space; others are that of time."""

# A NIfTI-1 header holds dimensions as int16.
_NIFTI1_LARGEST_DIMENSION = np.iinfo(np.int16).max


class Part(NamedTuple):
    """Samples of a space that lie in one surface or volume.

    Parameters
    ----------
    samples : slice or array of int
        Which samples of the space.
    places : slice or array of int
        Where in the frame each is: the number of its vertex, or of its voxel in C order.
    frame : int or VolumeGrid
        The number of vertices of the whole surface, or the whole volume.
    """

    samples: slice | NDArray[Any]
    places: slice | NDArray[Any]
    frame: int | VolumeGrid


class Space(Protocol):
    """Where the samples of an image are, whatever its kind."""

    noun: ClassVar[str]
    """What a sample is called."""

    nouns: ClassVar[str]
    """What several are called."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an array of one map."""

    @property
    def parts(self) -> Mapping[str, Part]:
        """The parts of the space, by structure."""

    @property
    def description(self) -> str:
        """How many samples there are, and of what, in words."""

    @property
    def extent(self) -> dict[str, Any]:
        """What a program may want to know of it, as plain values with their titles."""

    def difference(self, other: Space) -> tuple[str, str] | None:
        """Return how `other` differs, as a general and a particular sentence, or None.

        The particular one lacks its subject, and has ``{this}`` for the name of this space.
        """


@dataclass(frozen=True, eq=False)
class VolumeGrid:
    """A box of voxels in space.

    Parameters
    ----------
    shape : tuple of three int
    affine : array of float64, shape (4, 4)
        From voxel indices to millimetres.
    geometry : nibabel.Nifti2Header
        A header that carries qform, sform, their codes and the units, and nothing else; of
        NIfTI-2, which holds them in double precision.
    is_placed : bool, default=True
        Whether it is known where the voxels are.  If not, as of an array, grids are the same where
        their shapes are.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    geometry: nib.Nifti2Header
    is_placed: bool = True

    noun: ClassVar[str] = "voxel"
    nouns: ClassVar[str] = "voxels"

    @property
    def parts(self) -> dict[str, Part]:
        """The parts of the space, by structure."""
        return {VOXELS: Part(slice(None), slice(None), self)}

    @classmethod
    def of(cls, image: SpatialImage | _Box, what: str = "the image") -> VolumeGrid:
        """Return the grid of a nibabel image of three or more dimensions.

        Raises `DimensionError` when it has fewer; `SpaceError` when its affine is no place in
        space: not finite, or of voxels without a volume.

        Parameters
        ----------
        image : nibabel image
        what : str, default="the image"
            What it is, for messages.
        """
        if len(image.shape) < 3:
            raise DimensionError(
                f"{capitalized(what)} has the shape {tuple(image.shape)}; a grid has three "
                "dimensions. Give a volume."
            )
        affine = np.eye(4) if image.affine is None else np.array(image.affine, np.float64)
        _check_affine(affine, what)
        n_i, n_j, n_k = image.shape[:3]
        geometry = nib.Nifti2Header()
        geometry.set_data_shape((n_i, n_j, n_k))
        if isinstance(image.header, nib.Nifti1Header):
            _copy_geometry(image.header, geometry)
            geometry["pixdim"][:4] = image.header["pixdim"][:4]
        of_header = geometry.get_best_affine()
        if not np.array_equal(of_header, affine) and not np.allclose(of_header, affine):
            # As nibabel does for an image whose affine did not come from a NIfTI header.
            geometry.set_sform(affine, code="aligned")
            geometry.set_qform(affine, code="unknown")
        return cls((n_i, n_j, n_k), affine, geometry)

    @classmethod
    def from_affine(cls, shape: tuple[int, int, int], affine: NDArray[np.float64]) -> VolumeGrid:
        """Return the grid of an affine; raise `SpaceError` where that is no place in space."""
        _check_affine(affine, "the grid")
        geometry = nib.Nifti2Header()
        geometry.set_data_shape(shape)
        geometry.set_sform(affine, code="aligned")
        geometry["pixdim"][1:4] = np.linalg.norm(affine[:3, :3], axis=0)
        geometry.set_xyzt_units("mm")
        return cls(shape, affine, geometry)

    @property
    def description(self) -> str:
        """Number of voxels along each axis, in words."""
        return f"{times(self.shape)} voxels"

    @property
    def extent(self) -> dict[str, Any]:
        """The affine, and the volume of a voxel."""
        return {"affine": self.affine.tolist(), "voxel_volume_mm3": self.voxel_volume}

    def __repr__(self) -> str:
        if not self.is_placed:
            return f"VolumeGrid: {self.description} of unknown size"
        sizes = " × ".join(f"{size:g}" for size in np.linalg.norm(self.affine[:3, :3], axis=0))
        return f"VolumeGrid: {self.description} of {sizes} mm"

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel in mm³."""
        return float(abs(np.linalg.det(self.affine[:3, :3])))

    def header(self, dtype: DTypeLike, shape: tuple[int, ...]) -> nib.Nifti1Header:
        """Return a NIfTI header of this geometry for data of `dtype` and `shape`.

        NIfTI-2 where a dimension is too large for NIfTI-1.
        """
        large = max(shape, default=0) > _NIFTI1_LARGEST_DIMENSION
        header = nib.Nifti2Header() if large else nib.Nifti1Header()
        _copy_geometry(self.geometry, header)
        header.set_data_dtype(dtype)
        header.set_data_shape(shape)
        header["pixdim"][:4] = self.geometry["pixdim"][:4]
        if len(shape) > 3:
            # A series of which nobody said how far its volumes are apart: no time, and no unit.
            header["pixdim"][4] = 0
            header["xyzt_units"] &= UNIT_OF_SPACE
        # What is written is written as it is, whatever the scaling of the image it comes from.
        header.set_slope_inter(1, 0)
        return header

    def difference(self, other: Space) -> tuple[str, str] | None:
        """Return how `other` differs, as a general and a particular sentence, or None."""
        if not isinstance(other, VolumeGrid):
            return _of_another_kind(self, other)
        if self.shape != other.shape:
            return (
                "Images have incompatible shapes.",
                f"has {times(other.shape)} voxels, {{this}} has {times(self.shape)}.",
            )
        are_placed = self.is_placed and other.is_placed
        if not are_placed or np.array_equal(self.affine, other.affine):
            return None
        # Programs round affines, so they need not be equal.  Two boxes are furthest apart at one
        # of their corners, so no other voxel need be looked at.
        corners = np.array(list(itertools.product(*[(0, n - 1) for n in self.shape])), float)
        change = other.affine - self.affine
        distances = np.linalg.norm(corners @ change[:3, :3].T + change[:3, 3], axis=1)
        voxel_sizes = np.linalg.norm(self.affine[:3, :3], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            in_voxels = distances / voxel_sizes.min()
        worst = int(np.argmax(in_voxels))
        if in_voxels[worst] <= GRID_TOLERANCE:
            return None
        corner = ", ".join(f"{index:.0f}" for index in corners[worst])
        shift = f"{distances[worst]:.4g} mm ({in_voxels[worst]:.3g} voxels)"
        return (
            "Images have different affine matrices.",
            f"lies up to {shift} away from {{this}}, most at voxel ({corner}).",
        )


@dataclass(frozen=True, eq=False)
class SurfaceVertices:
    """The vertices of the surface of one hemisphere, or of the left and then the right one.

    Parameters
    ----------
    counts : mapping of str to int
        Number of vertices of each hemisphere: ``"L"``, ``"R"``, or ``"?"`` for a surface of
        which it is not known.
    mesh : default=None
        nilearn's mesh, where the surface came with one.
    is_one_vector : bool, default=False
        Whether both hemispheres came as one vector, left first; see `divided`.

    Examples
    --------
    >>> space = SurfaceVertices({"L": 10242, "R": 10242})
    >>> space.shape
    (20484,)
    >>> space.of_hemisphere("R")
    slice(10242, 20484, None)
    """

    counts: Mapping[str, int]
    mesh: object = field(default=None, repr=False)
    is_one_vector: bool = False

    noun: ClassVar[str] = "vertex"
    nouns: ClassVar[str] = "vertices"

    @property
    def shape(self) -> tuple[int]:
        """Number of vertices, as a shape."""
        return (sum(self.counts.values()),)

    @property
    def hemispheres(self) -> tuple[str, ...]:
        """The hemispheres, left first."""
        return tuple(self.counts)

    def of_hemisphere(self, hemisphere: str) -> slice:
        """Return which samples are the vertices of a hemisphere."""
        ends = np.cumsum(list(self.counts.values())).tolist()
        end = ends[self.hemispheres.index(hemisphere)]
        return slice(end - self.counts[hemisphere], end)

    @property
    def parts(self) -> dict[str, Part]:
        """The parts of the space, by structure."""
        return {
            CORTEX.get(hemisphere, hemisphere): Part(
                self.of_hemisphere(hemisphere), slice(None), n_vertices
            )
            for hemisphere, n_vertices in self.counts.items()
        }

    def __repr__(self) -> str:
        return f"SurfaceVertices: {self.description}"

    @property
    def description(self) -> str:
        """Vertices by hemisphere, in words."""
        return ", ".join(
            f"{HEMISPHERE_NAMES[hemisphere]} {n_vertices:,} vertices"
            for hemisphere, n_vertices in self.counts.items()
        )

    @property
    def extent(self) -> dict[str, Any]:
        """The number of vertices of each hemisphere."""
        return {"vertices": dict(self.counts)}

    def difference(self, other: Space) -> tuple[str, str] | None:
        """Return how `other` differs, as a general and a particular sentence, or None."""
        if not isinstance(other, SurfaceVertices):
            return _of_another_kind(self, other)
        mine, theirs = dict(self.counts), dict(other.counts)
        if len(mine) == len(theirs) == 1 and UNKNOWN in (*mine, *theirs):
            # Of one of them it was not said which hemisphere it is: it may be that of the other.
            theirs = dict(zip(mine, theirs.values(), strict=True))
        if set(mine) != set(theirs):
            detail = f"has {other.description}; {{this}} has {self.description}."
            if UNKNOWN in (*mine, *theirs):
                detail += vector_needed(self if UNKNOWN in theirs else other)
            return "Surfaces are not of the same hemispheres.", detail
        for hemisphere, n_vertices in mine.items():
            if theirs[hemisphere] != n_vertices:
                where = HEMISPHERE_NAMES[hemisphere]
                detail = f"has {theirs[hemisphere]:,} vertices in the {where}, {{this}} has "
                return "Surfaces have different meshes.", f"{detail}{n_vertices:,}."
        return None


@dataclass(frozen=True, eq=False)
class Grayordinates:
    """The brain models of a CIFTI file.

    Parameters
    ----------
    axis : nibabel.cifti2.BrainModelAxis
    is_one_vector : bool, default=False
        Whether they came as one vector; see `divided`.

    Raises
    ------
    SpaceError
        When it has voxels, and the affine of their volume is no place in space.
    """

    axis: BrainModelAxis
    is_one_vector: bool = False

    noun: ClassVar[str] = "grayordinate"
    nouns: ClassVar[str] = "grayordinates"

    def __post_init__(self) -> None:
        # When the file is read, not when somebody asks where its voxels are.
        if self.axis.volume_mask.any():
            _check_affine(np.array(self.axis.affine, np.float64), _CIFTI_VOLUME)

    @property
    def shape(self) -> tuple[int]:
        """Number of grayordinates, as a shape."""
        return (len(self.axis),)

    @cached_property
    def parts(self) -> dict[str, Part]:
        """The parts of the space: each surface by its structure, and all voxels."""
        parts = {}
        for structure, n_vertices in self.axis.nvertices.items():
            samples = np.flatnonzero((self.axis.name == structure) & self.axis.surface_mask)
            parts[str(structure)] = Part(samples, self.axis.vertex[samples], int(n_vertices))
        samples = np.flatnonzero(self.axis.volume_mask)
        if len(samples):
            grid = VolumeGrid.of(
                _Box(tuple(self.axis.volume_shape), self.axis.affine), _CIFTI_VOLUME
            )
            places = np.ravel_multi_index(tuple(self.axis.voxel[samples].T), grid.shape)
            parts[VOXELS] = Part(samples, places, grid)
        return parts

    def __repr__(self) -> str:
        return f"Grayordinates: {self.description}"

    @property
    def description(self) -> str:
        """Grayordinates by part, in words."""
        sizes = ", ".join(f"{name} {size:,}" for name, size in self.sizes.items())
        return f"{plural(len(self.axis), 'grayordinate')} ({sizes})"

    @property
    def sizes(self) -> dict[str, int]:
        """Number of grayordinates of each surface and of the volume."""
        return {
            structure_name(name): len(np.asarray(part.samples)) for name, part in self.parts.items()
        }

    @property
    def extent(self) -> dict[str, Any]:
        """The number of grayordinates of each surface and of the volume."""
        return {"grayordinates": self.sizes}

    def difference(self, other: Space) -> tuple[str, str] | None:
        """Return how `other` differs, as a general and a particular sentence, or None."""
        if not isinstance(other, Grayordinates):
            return _of_another_kind(self, other)
        if self.axis is other.axis or self._is_same(other):
            return None
        return (
            "CIFTI files have different brain models.",
            f"has {other.description}; {{this}} has {self.description}.",
        )

    def _is_same(self, other: Grayordinates) -> bool:
        # Part by part, so that the volume may differ by as little as any other grid may.
        mine, theirs = self.parts, other.parts
        if len(self.axis) != len(other.axis) or set(mine) != set(theirs):
            return False
        for name, part in mine.items():
            other_part = theirs[name]
            if (
                not np.array_equal(np.asarray(part.samples), np.asarray(other_part.samples))
                or not np.array_equal(np.asarray(part.places), np.asarray(other_part.places))
                or same_frame(part.frame, other_part.frame) is not None
            ):
                return False
        return True


class _Box(NamedTuple):
    """What `VolumeGrid.of` asks of an image."""

    shape: tuple[int, ...]
    affine: NDArray[np.float64]
    header: None = None


def divided(space: Space, other: Space) -> Space:
    """Return what one vector of both hemispheres is of, beside a space that has both.

    A vector of which no hemisphere is known is both of them, left first, where it is as long as
    they are together in `other`: all vertices of the two surfaces, or those that are grayordinates,
    or all grayordinates.  Any other space is returned as it is.

    Examples
    --------
    >>> pair = SurfaceVertices({"L": 10242, "R": 10242})
    >>> divided(SurfaceVertices({"?": 20484}), pair).description
    'left hemisphere 10,242 vertices, right hemisphere 10,242 vertices'
    """
    if isinstance(space, SurfaceVertices) and space.hemispheres == (UNKNOWN,):
        for pair in _vectors_of(other):
            if pair.shape == space.shape:
                return replace(pair, is_one_vector=True)
    return space


def came_as_one_vector(space: Space) -> bool:
    """Return whether both hemispheres came as one vector; see `divided`."""
    return isinstance(space, SurfaceVertices | Grayordinates) and space.is_one_vector


def vector_needed(space: Space) -> str:
    """Return how long one vector of both hemispheres of a space would be, ``""`` if it has not."""
    vectors = _vectors_of(space)
    if not vectors:
        return ""
    whole, *further = [pair.shape[0] for pair in vectors]
    left, right = (vectors[0].parts[CORTEX[side]].frame for side in (LEFT, RIGHT))
    others = "".join(f", or {n_samples:,} grayordinates" for n_samples in further)
    return (
        f" One vector of both hemispheres, left first, has {left:,} + {right:,} = {whole:,} "
        f"vertices{others}."
    )


def _vectors_of(space: Space) -> list[SurfaceVertices | Grayordinates]:
    """Return of what one vector of both hemispheres may be; none where a space lacks one."""
    parts = space.parts
    if not {CORTEX[LEFT], CORTEX[RIGHT]}.issubset(parts):
        return []
    if isinstance(space, SurfaceVertices):
        return [space]
    assert isinstance(space, Grayordinates), "a volume has no cortex"
    whole = SurfaceVertices({side: space.axis.nvertices[CORTEX[side]] for side in (LEFT, RIGHT)})
    left, right = (np.asarray(parts[CORTEX[side]].samples) for side in (LEFT, RIGHT))
    if left.max() > right.min():
        return [whole]  # in a file that lists the right one first, left first is another order
    return [whole, Grayordinates(space.axis[np.concatenate([left, right])]), space]


def check_same(space: Space, other: Space, *, this_name: str, other_name: str) -> None:
    """Raise `SpaceError` where two spaces differ, naming the images and the difference."""
    difference = space.difference(other)
    if difference is not None:
        problem, detail = difference
        advice = f"Give {other_name} on the {space.nouns} of {this_name}."
        if isinstance(space, VolumeGrid) and isinstance(other, VolumeGrid):
            advice = f"Resample {other_name} to the grid of {this_name} first."
        raise SpaceError(
            f"{problem} {capitalized(other_name)} {detail.format(this=this_name)} {advice}"
        )


def structure_name(part: str) -> str:
    """Return the name of a part for people: ``CORTEX_LEFT`` for CIFTI's longer name."""
    return part.removeprefix("CIFTI_STRUCTURE_")


def same_frame(frame: int | VolumeGrid, other: int | VolumeGrid) -> tuple[str, str] | None:
    """Return how two frames of a part differ, as `VolumeGrid.difference` does, or None."""
    if isinstance(frame, VolumeGrid) and isinstance(other, VolumeGrid):
        return frame.difference(other)
    if frame == other:
        return None
    detail = f"has {other:,} vertices, not {frame:,} as in {{this}}."
    return "Surfaces have different meshes.", detail


def _of_another_kind(this: Space, other: Space) -> tuple[str, str]:
    return (
        "Images are of different kinds.",
        f"is made of {other.nouns}, {{this}} of {this.nouns}.",
    )


def _check_affine(affine: NDArray[np.float64], what: str) -> None:
    rows = affine.tolist()
    if not all(map(math.isfinite, itertools.chain(*rows))):
        problem = "has numbers that are NaN or infinite"
    elif _volume_of_unit_edges(rows) < _LEAST_VOLUME:
        problem = "is singular: its voxels have no volume"
    elif not _fits_nifti(rows):
        problem = "has numbers that are too small or too large for an image"
    else:
        return
    shown = "; ".join(" ".join(f"{number:g}" for number in row) for row in rows[:3])
    raise SpaceError(
        f"{capitalized(what)} does not say where its voxels are: its affine {problem} ({shown}). "
        "Correct its header, for example with the affine of an image on the same grid."
    )


def _fits_nifti(affine: list[list[float]]) -> bool:
    """Return whether NIfTI, which has float32, holds an affine and its voxel sizes."""
    limits = np.finfo(np.float32)
    smallest, largest = float(limits.tiny), float(limits.max)
    sizes = [math.hypot(*column) for column in zip(*affine[:3], strict=True)]
    return min(sizes[:3]) >= smallest and max(sizes) <= largest


def _volume_of_unit_edges(affine: list[list[float]]) -> float:
    """Return the volume of a voxel if its edges had the length 1: 0 where they are in a plane."""
    # A determinant would be small for small voxels too, which lie in no plane.
    edges = ([row[axis] for row in affine[:3]] for axis in range(3))
    a, b, c = ([x / (math.hypot(*edge) or 1) for x in edge] for edge in edges)
    return abs(
        a[0] * (b[1] * c[2] - b[2] * c[1])
        + a[1] * (b[2] * c[0] - b[0] * c[2])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
    )


def _copy_geometry(source: nib.Nifti1Header, target: nib.Nifti1Header) -> None:
    for name in _GEOMETRY_FIELDS:
        target[name] = source[name]
