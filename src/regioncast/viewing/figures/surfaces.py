"""Meshes as cameras see them, as panels: drawn at the size at which they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import allow_rasterization
from matplotlib.transforms import Affine2D
from scipy import ndimage  # type: ignore[import-untyped]

from ...errors import ArgumentError, examples, listed
from ..meshes import meshes_of
from ..outlines import traced
from ..svg import BORDER_WIDTH, ParcelImage, draws_paths, group, path_around, pixels_of
from ..views import Frame, camera_of, drawn, extent_of
from .layout import MESHES, Panel, Strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.path import Path
    from numpy.typing import NDArray

    from ..meshes import DrawnMesh
    from ..views import Camera, CodeImage
    from .painting import Painter

OF_HEMISPHERES = ("lateral", "medial")
VIEWS = (*OF_HEMISPHERES, "superior", "inferior", "anterior", "posterior")
_SIDES = {-1: "left", 1: "right"}

# Samples along each edge of a pixel.
_FACTOR = 2
# Stripes, in points; samples per mm of what is traced, and how paths are evened out.
_STRIPE = 0.7
_TRACED_SCALE, _PASSES, _TOLERANCE = 4.0, 5, 0.3
# How bright what is seen is, by its shade.  Slopes are a little brighter than they would be, so
# that colours on them are still those of the bar.
_LIGHT = ((np.arange(256) / 255) ** 0.7).astype(np.float32)
# How bright lines between regions are, of what they would be.
_OF_LINES = 0.5


@dataclass(frozen=True, eq=False)
class MeshView:
    """Meshes as one camera sees them.

    Parameters
    ----------
    painter : Painter
    meshes : sequence of DrawnMesh
    camera : Camera
    name : str
        Of the view, for ids.
    """

    painter: Painter
    meshes: Sequence[DrawnMesh]
    camera: Camera
    name: str
    _drawn: dict[tuple[int, int, int], CodeImage] = field(default_factory=dict, init=False)

    @cached_property
    def extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The low and the high corner of what is seen, in mm, as the camera sees them."""
        return extent_of(self.meshes, self.camera)

    @property
    def ends(self) -> tuple[str, str]:
        """Where the left and the right end of the picture lead to."""
        right = self.camera.axes[0]
        low, high = ("L", "R") if abs(right[0]) > abs(right[1]) else ("P", "A")
        return (low, high) if right[:2].sum() > 0 else (high, low)

    def panel(self, caption: str) -> Panel:
        """Return its panel."""
        (left, bottom, _), (right, top, _) = (corner.tolist() for corner in self.extent)
        return Panel((left, bottom), (right, top), caption, self.ends, self._draw)

    def codes(self, width: int, height: int, factor: int = _FACTOR) -> CodeImage:
        """Return what is seen, in a picture of as many pixels; the same one when asked again."""
        # Maps of several rows are seen alike, and PDF and SVG ask twice.
        if (width, height, factor) not in self._drawn:
            frame = Frame.around(self.camera, *self.extent, width, height)
            self._drawn[width, height, factor] = drawn(self.meshes, frame, factor=factor)
        return self._drawn[width, height, factor]

    @cached_property
    def paths(self) -> dict[int, Path]:
        """What is around each region that is seen, in mm; 0 is what is no region."""
        low, high = self.extent
        edges = (high - low)[:2]
        width, height = np.ceil(edges * _TRACED_SCALE).astype(int).tolist()
        codes, shade, _ = self.codes(width, height, factor=1)
        assert shade is not None, "a mesh has light and shade"
        # Tracing leaves 0 out; here that is what is beside the mesh, and no region is 1.
        around = traced(np.where(shade > 0, codes + 1, 0), passes=_PASSES, tolerance=_TOLERANCE)
        steps = np.array([edges[0], -edges[1]]) / [width, height]
        corner = np.array([low[0], high[1]])
        return {
            code - 1: path_around([ring * steps + corner for ring in rings])
            for code, rings in around.items()
        }

    def _draw(self, ax: Axes, number: int) -> None:
        ax.add_image(MeshImage(ax, self, number))


class MeshImage(ParcelImage):
    """The picture of a view in the colours of one map, drawn when it is known how large it is.

    In SVG and PDF regions are paths, and light and shade are an image above them.

    Parameters
    ----------
    ax : Axes
    view : MeshView
    number : int
        Of the map.
    """

    def __init__(self, ax: Axes, view: MeshView, number: int) -> None:
        theme, (low, high) = view.painter.theme, view.extent
        super().__init__(
            ax,
            np.zeros((1, 1, 4), np.uint8),
            parcels=lambda: view.painter.parcels(view.paths, number, theme.bare),
            panel=f"map{number + 1}.{view.name}",
            edge=view.painter.line,
            extent=(low[0], high[0], low[1], high[1]),
        )
        self.view = view
        self.number = number

    @allow_rasterization  # type: ignore[untyped-decorator]
    def draw(self, renderer: RendererBase) -> None:
        """Draw pixels; or paths, with light and shade above them."""
        super().draw(renderer)
        if not self.get_visible() or not draws_paths(renderer):
            return
        x, y, image = self._seen(renderer.get_image_magnification())
        assert image.shade is not None, "a mesh has light and shade"
        # Black, the less opaque the brighter it is.
        darkness = 255 * (1 - _LIGHT[image.shade]) * (image.shade > 0)
        opacity = np.mean(list(_subsamples(darkness, image.factor)), axis=0)
        shadow = np.zeros((*opacity.shape, 4), np.uint8)
        shadow[..., 3] = np.rint(opacity)
        gc = renderer.new_gc()
        gc.set_gid(f"{self.panel}.light")  # type: ignore[arg-type]  # an id is text
        # The mouse reaches what is below.
        with group(renderer, **{"pointer-events": "none"}):
            renderer.draw_image(gc, x, y, np.ascontiguousarray(shadow[::-1]))
        gc.restore()

    def make_image(
        self,
        renderer: RendererBase,
        magnification: float = 1.0,
        unsampled: bool = False,  # noqa: ARG002, FBT001, FBT002  as AxesImage has it
    ) -> tuple[NDArray[np.uint8], float, float, Affine2D]:
        """Return the pixels for just the place where they are shown."""
        x, y, (codes, shade, factor) = self._seen(magnification)
        assert shade is not None, "a mesh has light and shade"
        samples_per_point = factor * magnification * pixels_of(renderer, 1.0)
        light = _LIGHT[shade]
        light[_is_line(codes, max(1, round(BORDER_WIDTH * samples_per_point)))] *= _OF_LINES
        painter = self.view.painter
        rows = painter.striped(codes, self.number, max(1, round(_STRIPE * samples_per_point)))
        palette = painter.palette(self.number, painter.theme.bare).astype(np.float32)
        pixels = _mixed(palette, rows, light, shade > 0, factor)
        # Renderers take the lowest row first.
        return np.ascontiguousarray(pixels[::-1]), x, y, Affine2D()

    def _seen(self, magnification: float) -> tuple[float, float, CodeImage]:
        """Return the lower left corner of what is drawn, and the codes to fill its pixels."""
        left, right, bottom, top = self.get_extent()
        low, high = self.get_transform().transform([(left, bottom), (right, top)])
        size = np.maximum(1, np.rint((high - low) * magnification)).astype(int)
        return float(low[0]), float(low[1]), self.view.codes(*size.tolist())


def _is_line(codes: NDArray[np.uint32], width: int) -> NDArray[np.bool_]:
    """Return which samples are drawn darker, since they are next to another region."""
    differs = np.zeros(codes.shape, np.uint8)
    differs[1:] |= codes[1:] != codes[:-1]
    differs[:, 1:] |= codes[:, 1:] != codes[:, :-1]
    is_line: NDArray[np.bool_] = ndimage.maximum_filter(differs, width) > 0
    return is_line


def _mixed(
    palette: NDArray[np.float32],
    rows: NDArray[Any],
    light: NDArray[np.float32],
    is_there: NDArray[np.bool_],
    factor: int,
) -> NDArray[np.uint8]:
    """Return pixels made of samples: those at the rim are transparent as far as they are empty.

    Parameters
    ----------
    palette : array of float32, shape (n, 4)
    rows, light, is_there : array, shape (factor * height, factor * width)
        Of each sample, its row of the palette, how bright it is, and whether it is of the mesh.
    factor : int
        How many samples are along each edge of a pixel.

    Returns
    -------
    array of uint8, shape (height, width, 4)
    """
    height, width = (np.array(rows.shape) // factor).tolist()
    total = np.zeros((height, width, 3), np.float32)
    n_there = np.zeros((height, width, 1), np.float32)
    each = zip(*(_subsamples(image, factor) for image in (rows, light, is_there)), strict=True)
    for of_rows, of_light, of_mesh in each:
        total += palette[of_rows, :3] * (of_light * of_mesh)[..., None]
        n_there += of_mesh[..., None]
    # Colours are those of what is there, and not mixed with emptiness.
    pixels = np.concatenate([total / np.maximum(n_there, 1), n_there * (255 / factor**2)], 2)
    return np.asarray(np.rint(pixels), np.uint8)


def _subsamples(image: NDArray[Any], factor: int) -> Iterator[NDArray[Any]]:
    """Yield the first sample of each pixel, the second, and so on."""
    for down in range(factor):
        for right in range(factor):
            yield image[down::factor, right::factor]


def strips_of(painter: Painter, views: object) -> list[Strip]:
    """Return the row of the views that are asked for.

    Parameters
    ----------
    painter : Painter
    views : None, str or sequence of str
        Of `VIEWS`.

    Raises
    ------
    ArgumentError
        When there is no such view, or no mesh.
    """
    meshes = meshes_of(painter.scene)
    asked = _asked_views(views, meshes)
    if not meshes:
        raise ArgumentError(
            "There is no mesh to draw these regions on. Give the meshes of the surfaces, as "
            "mesh=; or pass kind='ranked'."
        )
    of_hemispheres = [view for view in asked if view in OF_HEMISPHERES]
    panels = _of_hemisphere(painter, meshes, -1, of_hemispheres)
    # From the left one sees the left hemisphere from outside; then both from inside.
    panels += _of_hemisphere(painter, meshes, 1, of_hemispheres[::-1])
    for view in asked:
        if view not in OF_HEMISPHERES:
            panels.append(MeshView(painter, meshes, camera_of(view), view).panel(view))
    if not panels:
        raise ArgumentError(
            f"views: {examples(asked)} is of one hemisphere, and this brain is not divided into "
            f"hemispheres. Ask for some of {examples(VIEWS, show=len(VIEWS))}."
        )
    return [Strip(panels, MESHES)]


def _asked_views(views: object, meshes: list[DrawnMesh]) -> list[str]:
    if views is None:
        # Flat maps are seen from above; from the side they are lines.
        is_flat = all(np.ptp(mesh.coordinates[:, 2]) == 0 for mesh in meshes)
        return ["superior"] if is_flat else list(OF_HEMISPHERES)
    asked = list(dict.fromkeys(listed(views, "views", "names of views")))
    unknown = [view for view in asked if view not in VIEWS]
    if unknown or not asked:
        problem = f"there is no view {examples(unknown)}" if asked else "none is chosen"
        raise ArgumentError(f"views: {problem}. Views are {examples(VIEWS, show=len(VIEWS))}.")
    return asked


def _of_hemisphere(
    painter: Painter, meshes: list[DrawnMesh], side: int, views: list[str]
) -> list[Panel]:
    """Return panels of one hemisphere, if there is such a one.

    What is not divided is seen from both sides, and has no inside.
    """
    sides, name = {mesh.side for mesh in meshes}, _SIDES[side]
    if side not in sides and sides != {0}:
        return []
    panels = []
    for view in views:
        # What is in the middle hides the inside of a hemisphere, and nothing of its outside.
        shown = (side,) if view == "medial" else (side, 0)
        seen = [mesh for mesh in meshes if mesh.side in shown]
        if seen:
            of_view = MeshView(painter, seen, camera_of(view, side), f"{name}.{view}")
            panels.append(of_view.panel(f"{name[0].upper()} {view}"))
    return panels
