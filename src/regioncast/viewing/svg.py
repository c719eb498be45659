"""Images of codes as artists of matplotlib: pixels on a screen, named paths in SVG and PDF.

In a picture made of pixels, an image of codes is an image.  In one that is made of paths, each
region is a path, and in SVG it stands in a group with an `id` and a `title`, which browsers show
when the mouse is over it.  The artist decides when it is drawn, so that this holds for each figure
that has one, and for every way to save it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.artist import allow_rasterization
from matplotlib.colors import to_rgb
from matplotlib.image import AxesImage
from matplotlib.path import Path

from ..errors import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import GraphicsContextBase, RendererBase
    from matplotlib.transforms import Transform
    from numpy.typing import NDArray

    RGBA = NDArray[np.uint8]

# Points: lines between regions, and the stripes of those without a value.
BORDER_WIDTH = 0.35
_STRIPE_WIDTH = 0.6


class Parcel(NamedTuple):
    """A region as it is drawn with paths.

    Parameters
    ----------
    id : str
        Of its group in SVG, within its panel.
    title : str
        What is said of it: its name, and its value.
    path : Path
        Around it, in the coordinates of the axes.
    color : str
        ``#rrggbb``, of its area; ``""`` where what is behind is seen.
    stripes : str, default=""
        ``#rrggbb``, of stripes across it, where it has some.
    """

    id: str
    title: str
    path: Path
    color: str
    stripes: str = ""


class ParcelImage(AxesImage):
    """A picture of regions.

    Parameters
    ----------
    ax : Axes
    rgba : array of uint8, shape (height, width, 4)
        Its pixels.
    parcels : function that returns a sequence of Parcel
        Called when paths are drawn.
    panel : str
        What is shown in these axes: the ids of its parcels begin with it.
    edge : str
        ``#rrggbb``, of lines around parcels; ``""`` for none.
    **of_image
        As for `matplotlib.image.AxesImage`: `extent`, `interpolation`.
    """

    def __init__(
        self,
        ax: Axes,
        rgba: RGBA,
        *,
        parcels: Callable[[], list[Parcel]],
        panel: str,
        edge: str = "",
        **of_image: Any,
    ) -> None:
        super().__init__(ax, origin="upper", **of_image)
        self.set_data(rgba)
        self.parcels = parcels
        self.panel = panel
        self.edge = edge

    def can_composite(self) -> bool:
        """Return False: merged with other images it would not be drawn by itself."""
        return False

    @allow_rasterization  # type: ignore[untyped-decorator]
    def draw(self, renderer: RendererBase) -> None:
        """Draw pixels, or paths where the renderer makes a file of paths."""
        if not self.get_visible():
            return
        if not draws_paths(renderer):
            super().draw(renderer)
            return
        gc = renderer.new_gc()
        gc.set_clip_rectangle(self.get_clip_box())
        gc.set_joinstyle("round")
        if self.edge:
            gc.set_linewidth(pixels_of(renderer, BORDER_WIDTH))
            gc.set_foreground(self.edge)
        else:
            gc.set_linewidth(0)
        with group(renderer, id=self.panel):
            for parcel in self.parcels():
                with group(renderer, id=f"{self.panel}.{parcel.id}", title=parcel.title):
                    _draw(renderer, gc, parcel, self.get_transform())
        gc.restore()
        self.stale = False


def _draw(
    renderer: RendererBase, gc: GraphicsContextBase, parcel: Parcel, transform: Transform
) -> None:
    if parcel.stripes:
        gc.set_hatch("/////")
        gc.set_hatch_color(parcel.stripes)
        gc.set_hatch_linewidth(_STRIPE_WIDTH)
    else:
        gc.set_hatch(None)
    face: Any = None
    if parcel.color:
        face = to_rgb(parcel.color)
    elif not parcel.stripes:
        # Nothing to see, but the mouse finds it.
        face = (0.0, 0.0, 0.0, 0.0)
    renderer.draw_path(gc, parcel.path, transform, face)


def pixels_of(renderer: RendererBase, points: float) -> float:
    """Return how many pixels some points are."""
    return float(renderer.points_to_pixels(points))  # type: ignore[arg-type]  # of one, one


def draws_paths(renderer: RendererBase) -> bool:
    """Return whether a renderer makes a file of paths; those that draw pixels have a buffer."""
    return not hasattr(renderer, "buffer_rgba")


@contextmanager
def group(renderer: RendererBase, **attributes: str) -> Iterator[None]:
    """Let what is drawn inside be a group of an SVG; `title` is what browsers show of it.

    Other files have no groups.
    """
    writer = getattr(renderer, "writer", None)
    if writer is None:
        yield
        return
    title = attributes.pop("title", "")
    writer.start("g", attrib=attributes)
    if title:
        writer.element("title", text=printable(title))
    yield
    writer.end("g")


def path_around(rings: list[NDArray[np.float64]]) -> Path:
    """Return one path of closed ones."""
    vertices, kinds = [], []
    for ring in rings:
        vertices += [ring, ring[:1]]
        kinds += [Path.MOVETO, *[Path.LINETO] * (len(ring) - 1), Path.CLOSEPOLY]
    return Path(np.concatenate(vertices), kinds)


def slug(text: str) -> str:
    """Return text as it may stand in an id: letters of every script, digits, ``_``, ``-``, ``.``.

    Examples
    --------
    >>> slug("Area 3b (L)")
    'Area_3b_L'
    """
    return re.sub(r"[^\w.-]+", "_", text).strip("_")
