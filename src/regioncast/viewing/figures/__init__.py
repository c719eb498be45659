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
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...atlas.spaces import VOXELS
from ...errors import (
    ArgumentError,
    ArgumentTypeError,
    MissingPackageError,
    examples,
    listed,
    plural,
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

from .layout import MARGIN, TITLE, Place
from .painting import Painter
from .pictures import USUAL_WIDTH, Pictures
from .ranked import Rankings
from .slices import Slices
from .surfaces import strips_of

if TYPE_CHECKING:
    from ..scene import Scene
    from .layout import Strip

Kind = Literal["auto", "slices", "surface", "ranked"]
KINDS = ("auto", "slices", "surface", "ranked")

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
    ax: Axes | None = None,
    cuts: object = None,
    views: str | Sequence[str] | None = None,
) -> Figure:
    """Return a figure of a scene.

    Parameters
    ----------
    scene : Scene
    kind : {"auto", "slices", "surface", "ranked"}, default="auto"
        Slices of the voxels; meshes, or those made of voxels; or the regions with the highest and
        lowest values, as bars.  ``"auto"``: surfaces where there are meshes, below them slices of
        voxels where there are some; else slices.
    maps : int, str, or sequence of these, default=None
        Which maps, by title, or by number from 0; all when not given.
    theme : {"light", "dark"}, default="light"
    size : float or tuple of two float, default=None
        Width, or width and height, in inches; what is not given follows from what is shown.
    transparent : bool, default=False
        Whether nothing is behind.
    ax : Axes, default=None
        Of a figure of one's own, to be drawn into.
    cuts : int, or dict of ``"x"``, ``"y"``, ``"z"`` to int or mm, default=None
        How many slices a row has; or which rows there are, and how many slices they have or at
        which mm: ``{"x": [-40, 40], "z": 5}``.
    views : str or sequence of str, default=None
        Of ``"lateral"``, ``"medial"``, ``"superior"``, ``"inferior"``, ``"anterior"``,
        ``"posterior"``; lateral and medial when not given.

    Returns
    -------
    Figure
        A new one, or that of `ax`.

    Raises
    ------
    ArgumentError
        When there is no such kind, map, theme, cut or view, or no room.
    ArgumentTypeError
        When `ax` is no axes, or a size no number.
    """
    _check_choice("kind", kind, KINDS)
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
        drawing = Pictures(painter, numbers, strips, width, height)
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
        strips += Slices(painter).strips(cuts, n_maps, width)
    return strips


def _numbers(scene: Scene, maps: int | str | Sequence[int | str] | None) -> list[int]:
    """Return the numbers of the maps that are asked for."""
    titles = scene.map_titles
    if maps is None:
        numbers = list(range(scene.n_maps))
        chosen = "maps=[0, 1, 2]" + (f" or maps={titles[:2]}" if scene.axis.names else "")
        how = f"Choose some: {chosen}"
    else:
        asked = listed(maps, "maps", "numbers or titles of maps")
        unknown = [which for which in asked if _number(which, titles) is None]
        if unknown or not asked:
            problem = f"there is no map {examples(unknown)}" if asked else "none is chosen"
            raise ArgumentError(
                f"maps: {problem}. There are "
                f"{plural(len(titles), 'map')}, by number from 0 to {len(titles) - 1}"
                + (f", or by title: {examples(titles)}." if titles[0] else ".")
            )
        shared = [which for which in asked if titles.count(which) > 1]
        if shared:
            raise ArgumentError(
                f"maps: several maps are called {examples(shared)}. Choose them by number, from 0 "
                f"to {len(titles) - 1}."
            )
        numbers = [number for which in asked if (number := _number(which, titles)) is not None]
        how = "Choose fewer"
    if len(numbers) > _MOST_MAPS:
        raise ArgumentError(
            f"{len(numbers):,} maps are too many for one figure, which has room for {_MOST_MAPS}. "
            f"{how}."
        )
    return numbers


def _number(which: object, titles: list[str]) -> int | None:
    """Return the number of one map, counted from 0; None where there is no such map.

    Text is a title first: maps may be called by numbers, ``"01"``.
    """
    if which in titles:
        return titles.index(which)
    if isinstance(which, str) and re.fullmatch("-?[0-9]+", which):
        which = int(which)
    if isinstance(which, bool) or not isinstance(which, int | np.integer):
        return None
    number = int(which)
    return number % len(titles) if -len(titles) <= number < len(titles) else None


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
        return Place(figure, width, height, painter.theme.ink, painter.theme.dim)
    ax.set_axis_off()
    ax.add_patch(
        Rectangle(
            (0, 0), 1, 1, transform=ax.transAxes, facecolor=paper, edgecolor="none", zorder=-1
        )
    )
    return Place(ax, width, height, painter.theme.ink, painter.theme.dim)


def _check_choice(name: str, choice: object, choices: Sequence[str]) -> None:
    if choice not in choices:
        raise ArgumentError(f"{name} is one of {examples(choices)}; not {choice!r}.")
