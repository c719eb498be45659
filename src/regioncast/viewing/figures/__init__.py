"""Figures of a painted map: slices, surfaces, and the regions with the highest and lowest values.

A figure is one of matplotlib's, which can be saved as PNG, PDF or SVG, and whose axes have mm for
coordinates: what else is drawn into them is where it belongs.  It is no figure of pyplot: nothing
is left open, and no setting changed.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from ...atlas.spaces import VOXELS
from ...errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingPackageError,
    examples,
    listed,
)
from ..colours import THEMES, ThemeName

try:
    import matplotlib as mpl
except ImportError:
    raise MissingPackageError(
        "Figures are drawn by matplotlib, which is not installed: pip install 'regioncast[plot]'."
    ) from None

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .keys import Legend, key_of
from .layout import MARGIN, TITLE, Place
from .painting import Painter
from .pictures import USUAL_WIDTH, Pictures
from .ranked import Rankings
from .slices import rows_of_slices
from .surfaces import strips_of

if TYPE_CHECKING:
    from ..scene import Scene
    from .layout import Strip

Kind = Literal["auto", "slices", "surface", "ranked"]

DPI = 200
_MOST_MAPS = 12

_SETTINGS = threading.Lock()


class BrainFigure(Figure):
    """A figure that shows itself in a notebook, and is the same file whenever it is saved."""

    def savefig(self, fname: Any, **how: Any) -> None:
        """Save it; see `matplotlib.figure.Figure.savefig`.

        What differs from there: nothing of the moment is written into the file.
        """
        dates = {"svg": "Date", "svgz": "Date", "pdf": "CreationDate"}
        ending = how.get("format") or str(getattr(fname, "name", fname)).rpartition(".")[2]
        date = dates.get(str(ending).lower())
        if date is not None:
            how["metadata"] = {date: None} | dict(how.get("metadata") or {})
        # Settings are those of the process: threads would take them away from each other.
        with _SETTINGS, mpl.rc_context({"svg.hashsalt": "regioncast"}):
            super().savefig(fname, **how)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        # As large on the page as a figure of pyplot is, and sharp on a dense screen.
        width, height = (np.rint(self.get_size_inches() * 100)).astype(int).tolist()
        return buffer.getvalue(), {"width": width, "height": height}


def plotted(
    scene: Scene,
    *,
    kind: Kind = "auto",
    maps: int | str | Sequence[int | str] | None = None,
    theme: ThemeName = "light",
    size: float | tuple[float, float] | None = None,
    transparent: bool = False,
    colorbar: bool = True,
    ax: Axes | None = None,
    cuts: object = None,
    views: str | Sequence[str] | None = None,
) -> Figure:
    """Return a figure of a scene: a new one, or that of `ax`.

    `regioncast.plot` says what the arguments are.

    Raises
    ------
    ArgumentError
        When there is no such kind, map, theme, cut or view, or no room.
    ArgumentTypeError
        When `ax` is no axes.
    """
    _check_choice("kind", kind, get_args(Kind))
    _check_choice("theme", theme, tuple(THEMES))
    if ax is not None and not isinstance(ax, Axes):
        raise ArgumentTypeError(f"ax is one axes of matplotlib, not {type(ax).__name__}.")
    painter = Painter(scene, theme)
    numbers = _numbers(scene, maps)
    width, height = _size(size, ax)
    drawing: Pictures | Rankings
    if kind == "ranked":
        drawing = Rankings(painter, numbers, width, height)
    else:
        strips = _strips(
            painter, kind, len(numbers), cuts=cuts, views=views, width=width or USUAL_WIDTH
        )
        key = key_of(painter, numbers) if colorbar else Legend(painter, [], has_absent=False)
        drawing = Pictures(painter, numbers, strips, key, width=width, height=height)
    place = _place(drawing.width, drawing.height, painter, ax, transparent=transparent)
    drawing.draw(place)
    if scene.title:
        place.text(MARGIN, MARGIN + 0.1, scene.title, fontsize=TITLE, weight="bold")
    return place.figure


def _strips(
    painter: Painter, kind: Kind, n_maps: int, *, cuts: object, views: object, width: float
) -> list[Strip]:
    """Return what is shown of each map."""
    has_voxels = VOXELS in painter.scene.atlas.space.parts
    has_meshes = bool(painter.scene.meshes)
    strips: list[Strip] = []
    if kind == "surface" or (kind == "auto" and (has_meshes or not has_voxels)):
        strips += strips_of(painter, views)
    if kind == "slices" or (kind == "auto" and has_voxels):
        if strips and cuts is None:
            # Below the surfaces, what lies below the cortex.
            cuts = {"z": max(2, round(width))}
        strips += rows_of_slices(painter, cuts, n_maps, width)
    return strips


def _numbers(scene: Scene, maps: int | str | Sequence[int | str] | None) -> list[int]:
    """Return the numbers of the maps that are asked for."""
    titles = scene.map_titles
    asked = listed(range(scene.n_maps) if maps is None else maps, "maps", "numbers or titles")
    numbers = [_number(which, titles) for which in asked]
    if not numbers:
        raise ArgumentError("maps: none is chosen. All are shown when nothing is said.")
    if len(numbers) > _MOST_MAPS:
        raise ArgumentError(
            f"{len(numbers):,} maps are too many for one figure, which has room for {_MOST_MAPS}. "
            "Choose fewer, by number or title: maps=[0, 1] (--map 0 --map 1)."
        )
    return numbers


def _number(which: Any, titles: list[str]) -> int:
    """Return the number of one map, counted from 0.

    Text is a title first: maps may be called by numbers, ``"01"``.
    """
    n_maps = len(titles)
    if titles.count(which) > 1:
        raise ArgumentError(
            f"maps: several maps are called {examples([which])}. Choose them by number, from 0 to "
            f"{n_maps - 1}."
        )
    if which in titles:
        return titles.index(which)
    number = int(which) if re.fullmatch("-?[0-9]+", str(which)) else n_maps
    if number in range(-n_maps, n_maps):
        return number % n_maps
    by_title = f", or by title: {examples(titles)}" if titles[0] else ""
    raise ArgumentError(
        f"maps: there is no map {examples([which])}. Maps go by number, from 0 to "
        f"{n_maps - 1}{by_title}."
    )


def _size(size: object, ax: Axes | None) -> tuple[float | None, float | None]:
    """Return width and height in inches, as far as they are said."""
    if ax is not None:
        if size is not None:
            raise ArgumentError("ax has a size already: pass either ax= or size=.")
        figure = ax.get_figure(root=True)
        if figure is None:
            raise ArgumentError("ax was removed from its figure. Pass axes that are in one.")
        extent = ax.get_window_extent()
        return extent.width / figure.dpi, extent.height / figure.dpi
    if size is None:
        return None, None
    try:
        edges = np.atleast_1d(np.asarray(size, np.float64))
    except (TypeError, ValueError):
        edges = np.empty(0)
    if edges.shape not in ((1,), (2,)) or not ((edges > 0) & np.isfinite(edges)).all():
        raise ArgumentError(
            f"size is a width, or a width and a height, in inches: 9 or (9, 4); not {size!r}."
        )
    return float(edges[0]), float(edges[1]) if len(edges) == 2 else None


def _place(
    width: float, height: float, painter: Painter, ax: Axes | None, *, transparent: bool
) -> Place:
    """Return what is drawn into: a new figure, or axes that there are."""
    paper = "none" if transparent else painter.theme.paper
    if ax is None:
        figure = BrainFigure(figsize=(width, height), dpi=DPI, facecolor=paper, edgecolor="none")
        FigureCanvasAgg(figure)
        return Place(figure, width, height, painter.theme)
    ax.set_axis_off()
    behind = Rectangle((0, 0), 1, 1, transform=ax.transAxes, fc=paper, ec="none", zorder=-1)
    ax.add_patch(behind)
    return Place(ax, width, height, painter.theme)


def _check_choice(name: str, choice: object, choices: Sequence[str]) -> None:
    if choice not in choices:
        raise ArgumentError(f"{name} is one of {examples(choices)}; not {choice!r}.")
