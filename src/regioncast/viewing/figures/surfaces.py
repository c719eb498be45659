"""Meshes as cameras see them, as panels: drawn at the size at which they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import allow_rasterization
from matplotlib.transforms import Affine2D
from scipy import ndimage  # type: ignore[import-untyped]

from ...errors import ArgumentError, examples, listed
from ..meshes import meshes_of
from ..outlines import traced
from ..svg import BORDER_WIDTH, ParcelImage, draws_paths, group, path_around, pixels_of
from ..views import Frame, camera_of, drawn
from .layout import MESHES, Panel, Strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
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
# In mm: a flat map has no extent when seen from its edge, and a picture has.
_LEAST_EXTENT = 1.0
# How bright lines between regions are, of what they would be.
_OF_LINES = 0.5
# Hemispheres that overlap by more than this many mm are inflated, and drawn this far apart.
_OVERLAP, _APART = 8.0, 6.0
# They overlap by no more than this, of the width of the wider one.
_SAME_PLACE = 1.2


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

    def __init__(
        self, painter: Painter, meshes: Sequence[DrawnMesh], camera: Camera, name: str
    ) -> None:
        self.painter = painter
        self.meshes = meshes
        self.camera = camera
        self.name = name
        points = np.concatenate([mesh.coordinates for mesh in meshes]) @ camera.axes.T
        low, high = points.min(0), points.max(0)
        middle, reach = (low + high) / 2, np.maximum(high - low, _LEAST_EXTENT) / 2
        self.low, self.high = middle - reach, middle + reach
        self._drawn: dict[tuple[int, int], CodeImage] = {}
        self._paths: dict[int, Any] | None = None

    @property
    def ends(self) -> tuple[str, str]:
        """Where the left and the right end of the picture lead to."""
        right = self.camera.axes[0]
        low, high = ("L", "R") if abs(right[0]) > abs(right[1]) else ("P", "A")
        return (low, high) if right[:2].sum() > 0 else (high, low)

    def panel(self, caption: str) -> Panel:
        """Return its panel."""
        low, high = self.low[:2].tolist(), self.high[:2].tolist()
        return Panel((low[0], low[1]), (high[0], high[1]), caption, self.ends, self._draw)

    def codes(self, width: int, height: int, factor: int = _FACTOR) -> CodeImage:
        """Return what is seen, in a picture of as many pixels; the same one when asked again."""
        if (width, height) not in self._drawn:
            edges = np.maximum(self.high - self.low, 1e-3)[:2]
            scale = float((np.array([width, height]) / edges).min())
            centre = (self.low + self.high) / 2 @ self.camera.axes
            frame = Frame(self.camera, centre, scale, width, height)
            self._drawn[width, height] = drawn(self.meshes, frame, factor=factor)
        return self._drawn[width, height]

    def paths(self) -> dict[int, Any]:
        """Return what is around each region that is seen, in mm; 0 is what is no region."""
        if self._paths is None:
            edges = (self.high - self.low)[:2]
            width, height = np.ceil(edges * _TRACED_SCALE).astype(int).tolist()
            codes, shade, _ = self.codes(width, height, factor=1)
            assert shade is not None, "a mesh has light and shade"
            # No region is what is traced as 0; here it is beside the mesh.
            ones = traced(np.where(shade > 0, codes + 1, 0), passes=_PASSES, tolerance=_TOLERANCE)
            steps = np.array([edges[0], -edges[1]]) / [width, height]
            corner = np.array([self.low[0], self.high[1]])
            self._paths = {
                code - 1: path_around([ring * steps + corner for ring in rings])
                for code, rings in ones.items()
            }
        return self._paths

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
        theme = view.painter.theme
        super().__init__(
            ax,
            np.zeros((1, 1, 4), np.uint8),
            parcels=lambda: view.painter.parcels(view.paths(), number, theme.bare),
            panel=f"map{number + 1}.{view.name}",
            edge=view.painter.line,
            extent=(view.low[0], view.high[0], view.low[1], view.high[1]),
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
    asked = _asked_views(views)
    meshes = meshes_of(painter.scene)
    if not meshes:
        raise ArgumentError(
            "There is no mesh to draw these regions on. Give the meshes of the surfaces, as "
            "mesh=; or pass kind='ranked'."
        )
    sides = {mesh.side for mesh in meshes}
    panels = []
    for side, letter in ((-1, "L"), (1, "R")):
        if sides == {0} or side in sides:
            of_side = [view for view in asked if view in OF_HEMISPHERES]
            # From the left one sees the left hemisphere from outside; then both from inside.
            for view in of_side if side == -1 else of_side[::-1]:
                panels += _of_hemisphere(painter, meshes, side, letter, view)
    whole = _moved_apart(meshes)
    for view in asked:
        if view not in OF_HEMISPHERES:
            panels.append(MeshView(painter, whole, camera_of(view), view).panel(view))
    if not panels:
        raise ArgumentError(
            f"views: {examples(asked)} is of one hemisphere, and this brain is not divided into "
            f"hemispheres. Ask for some of {examples(VIEWS, show=len(VIEWS))}."
        )
    return [Strip(panels, MESHES)]


def _asked_views(views: object) -> list[str]:
    if views is None:
        return list(OF_HEMISPHERES)
    asked = list(dict.fromkeys(listed(views, "views", "names of views")))
    unknown = [view for view in asked if view not in VIEWS]
    if unknown or not asked:
        problem = f"there is no view {examples(unknown)}" if asked else "none is chosen"
        raise ArgumentError(f"views: {problem}. Views are {examples(VIEWS, show=len(VIEWS))}.")
    return asked


def _of_hemisphere(
    painter: Painter, meshes: list[DrawnMesh], side: int, letter: str, view: str
) -> list[Panel]:
    """Return the panel of one hemisphere; none of the inside of what is not divided."""
    of_side = [mesh for mesh in meshes if mesh.side == side]
    if view == "lateral":
        # What is in the middle hides the inside of a hemisphere, and nothing of its outside.
        of_side += [mesh for mesh in meshes if mesh.side == 0]
    if not of_side:
        return []
    seen = MeshView(painter, of_side, camera_of(view, side), f"{_SIDES[side]}.{view}")
    return [seen.panel(f"{letter} {view}")]


def _moved_apart(meshes: list[DrawnMesh]) -> list[DrawnMesh]:
    """Return meshes of which inflated hemispheres do not go through each other."""
    left, right = ([mesh for mesh in meshes if mesh.side == side] for side in (-1, 1))
    if not left or not right:
        return meshes
    inner = max(mesh.coordinates[:, 0].max() for mesh in left)
    overlap = float(inner - min(mesh.coordinates[:, 0].min() for mesh in right))
    widest = max(float(np.ptp(mesh.coordinates[:, 0])) for mesh in meshes)
    # Meshes that overlap by more are not the two hemispheres of one brain.
    if not _OVERLAP < overlap < _SAME_PLACE * widest:
        return meshes
    step = np.array([(overlap + _APART) / 2, 0, 0])
    return [replace(mesh, coordinates=mesh.coordinates + mesh.side * step) for mesh in meshes]
