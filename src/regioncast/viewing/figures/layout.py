"""Where things are in a figure, in inches from its upper left corner.

A *panel* is one picture: a slice, or a mesh as a camera sees it.  A *strip* is a row of panels.
Panels of one scale share millimetres per inch, so that sizes can be compared.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path

from ...errors import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text
    from matplotlib.transforms import Transform

    from ..colours import Theme

# Sizes of text, in points.
TITLE, LABEL, SMALL = 10.0, 8.0, 7.0

# Inches: around everything, between panels, between strips; and what a line of text needs.
MARGIN, BETWEEN_STRIPS = 0.12, 0.1
_GAP, _WIDEST_GAP = 0.12, 0.48
CAPTION, _TITLE_LINE, _BELOW_TITLE = 0.19, 0.2, 0.1

# Names of scales.
SLICES, MESHES = "slices", "meshes"

_POINTS = 72.0  # per inch


class Box(NamedTuple):
    """A rectangle, in inches from the upper left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture.

    Parameters
    ----------
    low, high : tuple of float
        Its left lower and right upper corner, in mm, as its axes have them.
    caption : str
        What it shows: a view, or where a slice is.
    ends : tuple of str
        Where its left and its right end lead to: one of L, R, A, P each.
    draw : function of axes and the number of a map
        Draws it.
    """

    low: tuple[float, float]
    high: tuple[float, float]
    caption: str
    ends: tuple[str, str]
    draw: Callable[[Axes, int], None]

    @property
    def width(self) -> float:
        """In mm."""
        return self.high[0] - self.low[0]

    @property
    def height(self) -> float:
        """In mm."""
        return self.high[1] - self.low[1]

    @cached_property
    def caption_width(self) -> float:
        """Inches that the caption and both letters need."""
        texts = [text for text in (self.caption, *self.ends) if text]
        return sum(text_width(text, SMALL) for text in texts) + 0.07 * len(texts) - 0.07


@dataclass(frozen=True, eq=False)
class Strip:
    """A row of panels.

    Parameters
    ----------
    panels : sequence of Panel
    scale : str
        Strips of the same name have the same scale.
    """

    panels: Sequence[Panel]
    scale: str

    @property
    def height(self) -> float:
        """In mm."""
        return max(panel.height for panel in self.panels)

    @property
    def longest(self) -> float:
        """In mm, the longest edge of a panel."""
        return max(max(panel.width, panel.height) for panel in self.panels)

    @property
    def mean_width(self) -> float:
        """In mm, of a panel."""
        return sum(panel.width for panel in self.panels) / len(self.panels)

    def in_rows(self, n_rows: int) -> list[Strip]:
        """Return it as several rows."""
        ends = np.linspace(0, len(self.panels), n_rows + 1).round().astype(int).tolist()
        pieces = [self.panels[start:end] for start, end in itertools.pairwise(ends)]
        return [Strip(panels, self.scale) for panels in pieces]

    def terse(self) -> Strip:
        """Return it with letters at the ends of its first panel alone."""
        others = [replace(panel, ends=("", "")) for panel in self.panels[1:]]
        return Strip([self.panels[0], *others], self.scale)

    def widths(self, scale: float) -> list[float]:
        """Return the widths of its cells in inches, which have room for the captions."""
        return [max(panel.width * scale, panel.caption_width) for panel in self.panels]

    def fitting(self, width: float) -> float:
        """Return the largest scale at which it is not wider than some inches."""
        available = width - _GAP * (len(self.panels) - 1)
        low, high = 0.0, available / sum(panel.width for panel in self.panels)
        # With room for the captions, width grows with the scale, but not in proportion.
        for _ in range(40):
            middle = (low + high) / 2
            if sum(self.widths(middle)) > available:
                high = middle
            else:
                low = middle
        return low


@dataclass(frozen=True, eq=False)
class Place:
    """What is drawn into: a figure, or axes of somebody's figure.

    Parameters
    ----------
    host : Figure or Axes
    width, height : float
        In inches.
    theme : Theme
        Whose colours text has.
    """

    host: Figure | Axes
    width: float
    height: float
    theme: Theme

    @property
    def figure(self) -> Figure:
        """The figure that is drawn into."""
        figure = self.host.get_figure(root=True)
        assert figure is not None, "axes to be drawn into are of a figure"
        return figure

    @property
    def _transform(self) -> Transform:
        return self.host.transFigure if isinstance(self.host, Figure) else self.host.transAxes

    def axes(self, box: Box) -> Axes:
        """Return new axes in a box, without anything."""
        bounds = (
            box.left / self.width,
            1 - (box.top + box.height) / self.height,
            box.width / self.width,
            box.height / self.height,
        )
        if isinstance(self.host, Figure):
            ax = self.host.add_axes(bounds)
        else:
            ax = self.host.inset_axes(bounds)
        ax.set_axis_off()
        return ax

    def text(self, x: float, y: float, text: str, **how: Any) -> Text:
        """Write text at a point, its middle line there."""
        usual: dict[str, Any] = {
            "color": self.theme.ink,
            "fontsize": SMALL,
            "va": "center_baseline",
        }
        how = usual | {"transform": self._transform} | how
        # Names are names: a dollar sign in them begins no formula.
        text = _in_lines(text)
        return self.host.text(x / self.width, 1 - y / self.height, text, parse_math=False, **how)

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.5) -> None:
        """Draw a straight line."""
        xs, ys = [x0 / self.width, x1 / self.width], [1 - y0 / self.height, 1 - y1 / self.height]
        line = Line2D(xs, ys, transform=self._transform, color=self.theme.ink, lw=width)
        line.set_clip_on(False)
        self.host.add_artist(line)


def with_minus(number: str) -> str:
    """Return a number with a true minus sign."""
    return number.replace("-", "\N{MINUS SIGN}")


def text_width(text: str, size: float, weight: str = "normal") -> float:
    """Return how wide text will be, in inches."""
    font = FontProperties(size=size, weight=weight)
    lines = _in_lines(text).split("\n")
    widths = [
        text_to_path.get_text_width_height_descent(line, font, ismath=False) for line in lines
    ]
    return max(float(width) for width, _, _ in widths) / _POINTS


def _in_lines(text: str) -> str:
    """Return text of which nothing but ends of lines does not show."""
    return "\n".join(printable(line) for line in text.split("\n"))


def title_height(title: str) -> float:
    """Return how many inches the title of a figure needs."""
    return _TITLE_LINE * (1 + title.count("\n")) + _BELOW_TITLE if title else 0.0


class Plan(NamedTuple):
    """How large panels are.

    Parameters
    ----------
    strips : sequence of Strip
        Of each map.
    scales : dict of str to float
        Inches per mm, by the name of the scale; not above 0 where there is no room.
    height : float
        Inches of all strips.
    """

    strips: Sequence[Strip]
    scales: dict[str, float]
    height: float

    @property
    def width(self) -> float:
        """Inches of the widest strip."""
        return max(
            sum(strip.widths(self.scales[strip.scale])) + _GAP * (len(strip.panels) - 1)
            for strip in self.strips
        )

    @property
    def are_captions_shared(self) -> bool:
        """Whether all maps show the same in one row, so that the last one's captions serve all."""
        return len(self.strips) == 1

    @property
    def least_scale(self) -> float:
        """The smallest of its scales."""
        return min(self.scales.values())


def planned(
    strips: Sequence[Strip],
    n_maps: int,
    width: float,
    height: float = math.inf,
    largest: float = math.inf,
) -> Plan:
    """Return at which scales the strips of some maps fill a width, or a height if less.

    Parameters
    ----------
    strips : sequence of Strip
        Of each map, one above the other.
    n_maps : int
    width : float
        Inches that there are.
    height : float, optional
        Inches that there are; as many as are needed when not given.
    largest : float, optional
        Inches that no panel is wider or higher than.
    """
    scales: dict[str, float] = {}
    # In few inches there is no room for the letters at the ends of each panel.
    strips = [strip if strip.fitting(width) > 0 else strip.terse() for strip in strips]
    for strip in strips:
        fitting = min(strip.fitting(width), largest / strip.longest)
        scales[strip.scale] = min(fitting, scales.get(strip.scale, fitting))
    n_captions = 1 if len(strips) == 1 else len(strips) * n_maps
    fixed = n_captions * CAPTION + (len(strips) * n_maps - 1) * BETWEEN_STRIPS
    needed = n_maps * sum(strip.height * scales[strip.scale] for strip in strips)
    if needed + fixed > height:
        share = max(0.0, height - fixed) / max(needed, 1e-9)
        scales = {name: scale * share for name, scale in scales.items()}
        needed *= share
    return Plan(strips, scales, needed + fixed)


def draw_strip(
    place: Place, strip: Strip, box: Box, scale: float, number: int, *, has_captions: bool
) -> None:
    """Draw a row of panels of one map, evenly spread over a box, and captions below it."""
    widths = strip.widths(scale)
    n_gaps = max(1, len(widths) - 1)
    # What is left over widens the gaps, but does not tear the row apart.
    gap = min((box.width - sum(widths)) / n_gaps, _WIDEST_GAP)
    left = box.left + (box.width - sum(widths) - gap * (len(widths) - 1)) / 2
    for panel, width in zip(strip.panels, widths, strict=True):
        drawn, height = panel.width * scale, panel.height * scale
        top = box.top + (box.height - height) / 2
        ax = place.axes(Box(left + (width - drawn) / 2, top, drawn, height))
        panel.draw(ax, number)
        ax.set_xlim(panel.low[0], panel.high[0])
        ax.set_ylim(panel.low[1], panel.high[1])
        ax.set_aspect("equal")
        if has_captions:
            y = box.top + box.height + 0.6 * CAPTION
            middle, reach = left + width / 2, max(drawn, panel.caption_width) / 2
            place.text(middle, y, panel.caption, ha="center", color=place.theme.dim)
            place.text(middle - reach, y, panel.ends[0], ha="left", weight="bold")
            place.text(middle + reach, y, panel.ends[1], ha="right", weight="bold")
        left += width + gap
