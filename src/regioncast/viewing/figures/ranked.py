"""The regions with the highest and the lowest values, as bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...errors import ArgumentError
from ..colours import ABSENT
from .keys import numbers_as_text, round_ticks, shortened
from .layout import LABEL, MARGIN, SMALL, Box, text_width, title_height, with_minus

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..scene import Scene
    from .layout import Place
    from .painting import Painter

# Inches: from bar to bar, between names and bars, from bars to their numbers, and the axis below.
_STEP, _PAD, _TO_NUMBER, _AXIS = 0.185, 0.08, 0.05, 0.42
# Inches that a number at a tick may need.
_TICK = 0.4
# Of a step, what the bar takes.
_BAR = 0.73
# Inches: what bars and their numbers need, what they get by themselves and beside others, between
# rankings, and the title of a map.
_LEAST_WIDTH, _ALONE, _BESIDE, _BETWEEN, _MAP_TITLE = 0.9, 2.8, 1.7, 0.25, 0.25

# Regions of a ranking, where there may be as many as there should; and rankings of a figure.
_N_REGIONS, _MOST_MAPS = 20, 4
# Characters of a name, where there is room, and where there is less and less.
_LONGEST_NAMES = (44, 30, 20, 14)

# Digits before the point of numbers that are written out; below 0 they are zeros after it.
_FEW_DIGITS, _MANY_DIGITS = -2, 7

_WITHOUT = {"atlas": "an atlas has none", "categories": "categories have no order"}


class _Axis(NamedTuple):
    """Where values are along the bars.

    Parameters
    ----------
    low, high : float
        The values at both ends.
    left, width : float
        In inches.
    """

    low: float
    high: float
    left: float
    width: float

    def x(self, value: float) -> float:
        """Return where a value is, in inches."""
        return self.left + self.width * (value - self.low) / (self.high - self.low)


class Ranking:
    """The regions of one map with the highest and the lowest values.

    Parameters
    ----------
    painter : Painter
        Of a scene with values.
    number : int
        Of the map.
    n_most : int
        How many regions there may be.
    longest : int
        How many characters a name may have.
    """

    def __init__(self, painter: Painter, number: int, n_most: int, longest: int) -> None:
        scene = painter.scene
        assert scene.values is not None, "regions are ranked by their values"
        self.painter = painter
        self.number = number
        rows = np.flatnonzero(painter.colours(number).kinds[1:] != ABSENT)
        values = scene.values[number].astype(np.float64)
        # Of equals, the first in the table is above.
        rows = rows[np.argsort(-values[rows], kind="stable")]
        self.n_between = max(0, len(rows) - n_most)
        n_high = (n_most + 1) // 2
        if self.n_between:
            rows = np.delete(rows, np.s_[n_high : n_high + self.n_between])
        self.rows = rows
        self.values = values[rows]
        # A line stands for those that are left out.
        lines = np.arange(len(rows))
        self.lines = np.where(lines < n_high, lines, lines + (self.n_between > 0))
        names = scene.atlas.table.unique_names
        self.names = [shortened(names[row], longest) for row in rows.tolist()]

    @property
    def n_lines(self) -> int:
        """Number of lines that it needs."""
        return max(1, len(self.rows)) + (self.n_between > 0)

    @property
    def names_width(self) -> float:
        """Inches that the names need."""
        return max((text_width(name, SMALL) for name in self.names), default=0.0)

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest of its values and 0."""
        finite = self.values[np.isfinite(self.values)]
        return float(finite.min(initial=0)), float(finite.max(initial=0))

    def draw(self, place: Place, box: Box, title: str, ends: tuple[float, float]) -> None:
        """Draw names, bars and values into a box, between the values at the ends of the axis."""
        numbers = rounded(self.values)
        axis = self._axis(box, numbers, *ends)
        if title:
            place.text(axis.left, box.top - 0.12, title, fontsize=LABEL, weight="bold")
        bars = Box(axis.left, box.top, axis.width, box.height - _AXIS)
        tips = np.clip(self.values, axis.low, axis.high)
        dim = self.painter.theme.dim
        ax = place.axes(bars)
        palette = self.painter.palette(self.number)[1 + self.rows] / 255
        ax.barh(self.lines, tips, height=_BAR, color=palette, edgecolor=dim, linewidth=0.4)
        ax.set_xlim(axis.low, axis.high)
        ax.set_ylim(self.n_lines - 0.5, -0.5)
        step = bars.height / self.n_lines
        right = box.left + self.names_width
        each = zip(self.lines.tolist(), self.names, tips.tolist(), numbers, strict=True)
        for line, name, tip, number in each:
            y = bars.top + (line + 0.5) * step
            place.text(right, y, name, ha="right")
            if tip < 0:
                place.text(axis.x(tip) - _TO_NUMBER, y, number, ha="right", color=dim)
            else:
                place.text(axis.x(tip) + _TO_NUMBER, y, number, color=dim)
        if not len(self.rows):
            middle = axis.left + axis.width / 2, bars.top + step / 2
            place.text(*middle, "No region has a value.", ha="center", color=dim)
        if self.n_between:
            line = int(np.setdiff1d(np.arange(self.n_lines), self.lines)[0])
            y = bars.top + (line + 0.5) * step
            place.text(right, y, f"{self.n_between:,} more between", ha="right", color=dim)
        self._draw_axis(place, axis, bars)

    def _axis(self, box: Box, numbers: list[str], low: float, high: float) -> _Axis:
        """Return where values are: 0 always, and room for the numbers beyond the bars."""
        if low == high:
            high = 1.0
        room = max((text_width(number, SMALL) for number in numbers), default=0) + _TO_NUMBER
        left = box.left + self.names_width + _PAD + room * (low < 0)
        return _Axis(low, high, left, box.left + box.width - left - room * (high > 0))

    def _draw_axis(self, place: Place, axis: _Axis, bars: Box) -> None:
        bottom = bars.top + bars.height + 0.04
        place.line(axis.left, bottom, axis.left + axis.width, bottom)
        place.line(axis.x(0), bars.top, axis.x(0), bottom)
        ticks = round_ticks(axis.low, axis.high, int(np.clip(axis.width / _TICK, 2, 7)))
        for tick, text in zip(ticks, numbers_as_text(ticks), strict=True):
            place.line(axis.x(tick), bottom, axis.x(tick), bottom + 0.04)
            place.text(axis.x(tick), bottom + 0.12, text, ha="center")
        middle = axis.left + axis.width / 2
        place.text(middle, bottom + 0.3, self.painter.scene.unit, ha="center", fontsize=LABEL)


class Rankings:
    """Rankings of some maps beside each other: everything but the title of the figure.

    Parameters
    ----------
    painter : Painter
    numbers : sequence of int
        The maps that are shown.
    width, height : float, default=None
        In inches.  None: as many as it needs.

    Raises
    ------
    ArgumentError
        When there are no values, more maps than fit, or no room.
    """

    def __init__(
        self,
        painter: Painter,
        numbers: Sequence[int],
        width: float | None,
        height: float | None,
    ) -> None:
        _check_ranked(painter.scene, len(numbers))
        self.titles, bars_width = [""], _ALONE
        self.top = MARGIN + title_height(painter.scene.title)
        if len(numbers) > 1:
            titles = painter.scene.map_titles
            self.titles, bars_width = [shortened(titles[n]) for n in numbers], _BESIDE
            self.top += _MAP_TITLE
        n_regions = self._n_regions_in(height)
        for longest in _LONGEST_NAMES:
            self.rankings = [Ranking(painter, n, n_regions, longest) for n in numbers]
            self.width = width or self._beside_bars + len(numbers) * bars_width
            self.bars_width = (self.width - self._beside_bars) / len(numbers)
            if self.bars_width >= _LEAST_WIDTH:
                break
        else:
            raise ArgumentError(
                f"Names and bars do not fit into {self.width:.1f} inches. Give them a width of "
                f"{self._beside_bars + _LEAST_WIDTH * len(numbers):.1f}, or choose fewer maps=."
            )
        n_lines = max(ranking.n_lines for ranking in self.rankings)
        self.height = height or self.top + n_lines * _STEP + _AXIS + MARGIN

    def _n_regions_in(self, height: float | None) -> int:
        """Return how many regions a height has room for; as many as are usual where it is None."""
        if height is None:
            return _N_REGIONS
        n_lines = int((height - self.top - MARGIN - _AXIS) / _STEP)
        if n_lines < 1:
            least = self.top + _STEP + _AXIS + MARGIN
            raise ArgumentError(
                f"Bars do not fit into a height of {height:.1f} inches. Give them at least "
                f"{least:.1f}."
            )
        # One of the lines is that of the regions that are left out.
        return max(1, n_lines - 1)

    @property
    def _beside_bars(self) -> float:
        """Inches that no bars are in: names, gaps and margins."""
        names = sum(ranking.names_width + _PAD for ranking in self.rankings)
        return names + 2 * MARGIN + _BETWEEN * (len(self.rankings) - 1)

    def draw(self, place: Place) -> None:
        """Draw all of it."""
        left = MARGIN
        # Bars of one length are one value, in whichever map.
        lows, highs = zip(*(ranking.ends for ranking in self.rankings), strict=True)
        ends = min(lows), max(highs)
        for ranking, title in zip(self.rankings, self.titles, strict=True):
            width = ranking.names_width + _PAD + self.bars_width
            box = Box(left, self.top, width, self.height - self.top - MARGIN)
            ranking.draw(place, box, title, ends)
            left += width + _BETWEEN


def _check_ranked(scene: Scene, n_maps: int) -> None:
    if scene.show != "values":
        raise ArgumentError(
            f"Regions are ranked by their values, and {_WITHOUT[scene.show]}. "
            "Pass kind='slices' or kind='surface'."
        )
    if n_maps > _MOST_MAPS:
        raise ArgumentError(
            f"{n_maps} rankings do not fit beside each other. Choose up to {_MOST_MAPS} "
            "maps: maps=[0, 1]."
        )


def rounded(values: NDArray[np.float64]) -> list[str]:
    """Return numbers with as many decimals as the largest needs to have three digits.

    Examples
    --------
    >>> rounded(np.array([6.654, 4.8, 0.0]))
    ['6.65', '4.80', '0.00']
    """
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0))
    n_digits = math.floor(math.log10(largest)) + 1 if largest else 1
    if not _FEW_DIGITS <= n_digits <= _MANY_DIGITS:
        how = ".3g"
    elif (finite % 1 == 0).all():
        how = ",.0f"
    else:
        how = f",.{max(0, 3 - n_digits)}f"
    return [with_minus(format(value, how)) for value in values.tolist()]
