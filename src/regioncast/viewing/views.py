"""Images of codes: slices of a volume, and meshes as a camera sees them.

Every view is an array with the code of a region in each pixel.  Painted with colours for values it
is a picture; where its codes differ are the borders of regions; and the code under the mouse says
whose name and value to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..engine._kernels import raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .meshes import DrawnMesh
    from .volumes import Volume

# How bright a surface is that is seen from its edge, how much brighter where it faces the eye, and
# how much light comes from above.
_AMBIENT, _FACING, _FROM_ABOVE = 0.5, 0.48, 0.06

# How bright a surface is where it lies deep, of what it would be: with a region, and without.
_SULCUS, _BARE_SULCUS = 0.9, 0.7

# In mm: a flat map has no extent when seen from its edge, and a picture has.
_LEAST_EXTENT = 1.0


class CodeImage(NamedTuple):
    """An image with the code of a region in each sample, the top row first.

    Parameters
    ----------
    codes : array of uint32, shape (height, width)
        0 where there is no region.
    shade : array of uint8, shape (height, width), default=None
        Of a mesh, how bright it is, 1 to 255; 0 beside it.  None for a slice.
    factor : int, default=1
        How many samples there are along each edge of a pixel of the picture.
    """

    codes: NDArray[np.uint32]
    shade: NDArray[np.uint8] | None = None
    factor: int = 1


class Camera(NamedTuple):
    """From where a mesh is seen, far away.

    Parameters
    ----------
    azimuth : float
        Degrees around the vertical axis: 0 from behind, 90 from the right, 180 from the front,
        -90 from the left.
    elevation : float
        Degrees above the horizon: 90 from above, -90 from below.
    """

    azimuth: float
    elevation: float

    @property
    def axes(self) -> NDArray[np.float64]:
        """Directions of the picture in space, a row each: right, up, and towards the eye."""
        azimuth, elevation = np.radians([self.azimuth, self.elevation])
        ca, sa = np.cos(azimuth), np.sin(azimuth)
        ce, se = np.cos(elevation), np.sin(elevation)
        return np.array([[ca, sa, 0], [-sa * se, ca * se, ce], [sa * ce, -ca * ce, se]])

    def turned(self, vectors: NDArray[Any]) -> NDArray[np.float64]:
        """Return the parts of vectors, shape (n, 3), to the right, up, and towards the eye.

        An array of shape (3, n).
        """
        # A product of matrices as small as this one, given to all processors, takes longer.
        parts: NDArray[np.float64] = np.einsum("ij,nj->in", self.axes, vectors)
        return parts


CAMERAS = {
    "left": Camera(-90, 0),
    "right": Camera(90, 0),
    "superior": Camera(0, 90),
    "inferior": Camera(0, -90),
    "anterior": Camera(180, 0),
    "posterior": Camera(0, 0),
}
"""Cameras by where they are.

From above, below and behind, the left of the brain is on the left of the picture.  A camera in
front of a brain sees its left on the right, as one does of whom one faces.
"""


def camera_of(view: str, side: int = 0) -> Camera:
    """Return a camera by its name.

    Parameters
    ----------
    view : str
        One of `CAMERAS`; or, of one hemisphere, ``"lateral"`` or ``"medial"``.
    side : int, default=0
        Of the hemisphere, for these two: -1 left, 1 right.

    Examples
    --------
    >>> camera_of("lateral", -1) == camera_of("left"), camera_of("medial", 1) == camera_of("left")
    (True, True)
    """
    if view in CAMERAS:
        return CAMERAS[view]
    is_from_left = (side < 0) == (view == "lateral")
    return CAMERAS["left" if is_from_left else "right"]


class Frame(NamedTuple):
    """What part of space a picture shows, and how large.

    Parameters
    ----------
    camera : Camera
    centre : array of float64, shape (3,)
        In mm: what is in the middle of the picture.
    scale : float
        Pixels per mm.
    width, height : int
        In pixels.
    """

    camera: Camera
    centre: NDArray[np.float64]
    scale: float
    width: int
    height: int

    @classmethod
    def around(
        cls,
        camera: Camera,
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        width: int,
        height: int,
    ) -> Frame:
        """Return the frame that what lies between two corners fills; see `extent_of`."""
        scale = float((np.array([width, height]) / (high - low)[:2]).min())
        return cls(camera, (low + high) / 2 @ camera.axes, scale, width, height)

    def pixels(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Return where points in mm are in the picture.

        Parameters
        ----------
        points : array, shape (n, 3)

        Returns
        -------
        array of float64, shape (n, 3)
            To the right and down, in pixels from the upper left corner; and towards the eye, in mm
            from the centre.
        """
        right, up, near = self.camera.turned(points - self.centre)
        middle = np.array([self.width, self.height]) / 2
        return np.stack([middle[0] + self.scale * right, middle[1] - self.scale * up, near], 1)


def slice_of(volume: Volume, axis: int, index: int) -> CodeImage:
    """Return one slice of a volume: a sample per voxel.

    Parameters
    ----------
    volume : Volume
    axis : int
        0 sagittal, with anterior on the right; 1 coronal and 2 axial, with left on the left.
        Superior, or anterior in an axial one, is at the top.
    index : int
        The layer along `axis`, from 0.
    """
    # Rows of an image go down; the second axis of a layer goes up.
    layer = volume.codes.take(index, axis)
    return CodeImage(np.ascontiguousarray(layer.T[::-1], np.uint32))


def extent_of(
    meshes: Sequence[DrawnMesh], camera: Camera
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the low and the high corner of what holds meshes, as a camera sees them, in mm."""
    points = camera.turned(np.concatenate([mesh.coordinates for mesh in meshes]))
    low, high = points.min(1), points.max(1)
    middle, reach = (low + high) / 2, np.maximum(high - low, _LEAST_EXTENT) / 2
    return middle - reach, middle + reach


def drawn(meshes: Sequence[DrawnMesh], frame: Frame, *, factor: int = 1) -> CodeImage:
    """Return what is seen of meshes in a frame, the nearest where one hides another.

    Parameters
    ----------
    meshes : sequence of DrawnMesh
    frame : Frame
    factor : int, default=1
        Samples along each edge of a pixel: the image has ``factor * frame.width`` columns.
    """
    shape = (factor * frame.height, factor * frame.width)
    codes, shade = np.zeros(shape, np.uint32), np.zeros(shape, np.uint8)
    depth = np.full(shape, -np.inf)
    for mesh in meshes:
        corners = np.empty((len(mesh.coordinates), 4), np.float32)
        corners[:, :3] = frame.pixels(mesh.coordinates)
        corners[:, :2] *= factor
        corners[:, 3] = _shades(mesh, frame.camera)
        raster.fill(corners, mesh.codes, mesh.faces, codes, depth, shade)
    return CodeImage(codes, shade, factor)


def _shades(mesh: DrawnMesh, camera: Camera) -> NDArray[np.float64]:
    """Return how bright each vertex is, 0 to 255: light comes from the eye, and some from above."""
    _, up, near = camera.turned(mesh.normals)
    light = _AMBIENT + _FACING * np.maximum(near, 0) + _FROM_ABOVE * np.maximum(up, 0)
    light *= mesh.relief
    if mesh.sulci is not None:
        light[mesh.sulci] *= np.where(mesh.codes[mesh.sulci] > 0, _SULCUS, _BARE_SULCUS)
    shades: NDArray[np.float64] = 255 * np.minimum(light, 1)
    return shades
