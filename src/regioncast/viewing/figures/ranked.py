"""The regions with the highest and the lowest values, as bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ArgumentError
from ..colours import ABSENT
from .keys import numbers_as_text, shortened, ticks_of
from .layout import LABEL, MARGIN, SMALL, Box, text_width, title_height

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .layout import Place
    from .painting import Painter

# Inches: from bar to bar, of a bar, between names and bars, and below the bars for the axis.
_STEP, _BAR, _PAD, _AXIS = 0.185, 0.135, 0.08, 0.42
# Inches: what bars and their numbers need, what they get, between rankings, of a map's title.
_LEAST_WIDTH, _USUAL_WIDTH, _BETWEEN, _MAP_TITLE = 1.2, 2.8, 0.25, 0.25
N_MOST = 20
# Digits before the point (less than 0: zeros after it) of numbers that are written out.
_FEW_DIGITS, _MANY_DIGITS = -2, 7
_MOST_MAPS = 4
_WITHOUT = {"atlas": "an atlas has none", "categories": "categories have no order"}


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
    """

    def __init__(self, painter: Painter, number: int, n_most: int) -> None:
        scene = painter.scene
        assert scene.values is not None, "regions are ranked by their values"
        self.painter = painter
        self.number = number
        rows = np.flatnonzero(painter.colours(number).kinds[1:] != ABSENT)
        values = scene.values[number]
        # Of equals, the first in the table is above.
        order = rows[np.argsort(-values[rows].astype(np.float64), kind="stable")]
        self.n_between = max(0, len(order) - n_most)
        n_high = (n_most + 1) // 2
        if self.n_between:
            order = np.concatenate([order[:n_high], order[len(order) - n_most + n_high :]])
        self.n_high = n_high
        self.rows: NDArray[Any] = order
        self.values = values[order].astype(np.float64)
        names = scene.atlas.table.unique_names
        self.names = [shortened(names[row], 44) for row in order.tolist()]

    @property
    def n_lines(self) -> int:
        """Number of lines that it needs."""
        return max(1, len(self.rows)) + (self.n_between > 0)

    @property
    def names_width(self) -> float:
        """Inches that the names need."""
        return max((text_width(name, SMALL) for name in self.names), default=0.0)

    def draw(self, place: Place, box: Box, title: str) -> None:
        """Draw names, bars and values into a box."""
        painter, scene = self.painter, self.painter.scene
        assert scene.scale is not None, "values have a scale"
        texts = rounded(self.values)
        room = max((text_width(text, SMALL) for text in texts), default=0.0) + 0.06
        finite = self.values[np.isfinite(self.values)]
        low = min(0.0, float(finite.min(initial=0)))
        high = max(0.0, float(finite.max(initial=0)))
        if low == high:
            high = 1.0
        # Values are written beyond the ends of bars: to the left of those below 0.
        before, after = (room if low < 0 else 0.0), (room if high > 0 else 0.0)
        inner = Box(
            box.left + self.names_width + _PAD + before,
            box.top,
            max(0.2, box.width - self.names_width - _PAD - before - after),
            box.height - _AXIS,
        )
        if title:
            place.text(inner.left, box.top - 0.12, title, fontsize=LABEL, weight="bold")
        step = inner.height / self.n_lines
        lines = np.arange(len(self.rows)) + (np.arange(len(self.rows)) >= self.n_high) * (
            self.n_between > 0
        )
        ax = place.axes(inner)
        ax.set_xlim(low, high)
        ax.set_ylim(self.n_lines - 0.5, -0.5)
        ends = np.clip(self.values, low, high)
        palette = painter.palette(self.number)[1 + self.rows] / 255
        ax.barh(
            lines,
            ends,
            height=_BAR / _STEP,
            color=palette,
            edgecolor=painter.theme.dim,
            linewidth=0.4,
        )
        for line, name, end, text in zip(
            lines.tolist(), self.names, ends.tolist(), texts, strict=True
        ):
            y = inner.top + (line + 0.5) * step
            x = inner.left + inner.width * (end - low) / (high - low)
            place.text(box.left + self.names_width, y, name, ha="right")
            is_left = end < 0
            place.text(
                x + (-0.05 if is_left else 0.05),
                y,
                text,
                ha="right" if is_left else "left",
                color=painter.theme.dim,
            )
        if self.n_between:
            y = inner.top + (self.n_high + 0.5) * step
            told = f"{self.n_between:,} more between"
            place.text(box.left + self.names_width, y, told, ha="right", color=painter.theme.dim)
        self._draw_axis(place, inner, low, high)

    def _draw_axis(self, place: Place, inner: Box, low: float, high: float) -> None:
        scale = self.painter.scene.scale
        assert scale is not None, "values have a scale"
        bottom = inner.top + inner.height + 0.04
        ticks = ticks_of(scale._replace(low=low, high=high))
        place.line(inner.left, bottom, inner.left + inner.width, bottom)
        zero = inner.left + inner.width * (0 - low) / (high - low)
        place.line(zero, inner.top, zero, bottom)
        for tick, text in zip(ticks, numbers_as_text(ticks), strict=True):
            x = inner.left + inner.width * (tick - low) / (high - low)
            place.line(x, bottom, x, bottom + 0.04)
            place.text(x, bottom + 0.12, text, ha="center")
        unit = self.painter.scene.unit
        if unit:
            place.text(
                inner.left + inner.width / 2, bottom + 0.3, unit, ha="center", fontsize=LABEL
            )


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
        scene = painter.scene
        if scene.show != "values":
            raise ArgumentError(
                f"Regions are ranked by their values, and {_WITHOUT[scene.show]}. "
                "Pass kind='slices' or kind='surface'."
            )
        if len(numbers) > _MOST_MAPS:
            raise ArgumentError(
                f"{len(numbers)} rankings do not fit beside each other. Choose up to {_MOST_MAPS} "
                "maps: maps=[0, 1]."
            )
        self.titles = [""]
        if len(numbers) > 1:
            self.titles = [shortened(scene.map_titles[number]) for number in numbers]
        self.top = MARGIN + title_height(scene.title) + (_MAP_TITLE if self.titles[0] else 0)
        n_most = N_MOST
        if height is not None:
            n_most = max(1, int((height - self.top - MARGIN - _AXIS) / _STEP) - 1)
        self.rankings = [Ranking(painter, number, n_most) for number in numbers]
        names = sum(ranking.names_width + _PAD for ranking in self.rankings)
        gaps = 2 * MARGIN + _BETWEEN * (len(numbers) - 1)
        if width is None:
            usual = _USUAL_WIDTH if len(numbers) == 1 else 0.6 * _USUAL_WIDTH
            width = names + gaps + usual * len(numbers)
        self.width = width
        self.bars_width = (width - names - gaps) / len(numbers)
        if self.bars_width < _LEAST_WIDTH:
            raise ArgumentError(
                f"Names and bars do not fit into {width:.1f} inches. Pass a size= of at least "
                f"{names + gaps + _LEAST_WIDTH * len(numbers):.1f}, or choose fewer maps=."
            )
        n_lines = max(ranking.n_lines for ranking in self.rankings)
        self.height = height or self.top + n_lines * _STEP + _AXIS + MARGIN

    def draw(self, place: Place) -> None:
        """Draw all of it."""
        left = MARGIN
        for ranking, title in zip(self.rankings, self.titles, strict=True):
            width = ranking.names_width + _PAD + self.bars_width
            box = Box(left, self.top, width, self.height - self.top - MARGIN)
            ranking.draw(place, box, title)
            left += width + _BETWEEN


def rounded(values: NDArray[np.float64]) -> list[str]:
    """Return numbers with as many decimals as the largest needs to have three digits.

    Examples
    --------
    >>> rounded(np.array([6.654, -4.8, 0.0]))
    ['6.65', '−4.80', '0.00']
    """
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max(initial=0.0))
    n_before = math.floor(math.log10(largest)) + 1 if largest else 1
    if not _FEW_DIGITS <= n_before <= _MANY_DIGITS:
        return [f"{value:.3g}".replace("-", "−") for value in values.tolist()]
    n_decimals = 0 if (finite % 1 == 0).all() else max(0, 3 - n_before)
    return [f"{value:,.{n_decimals}f}".replace("-", "−") for value in values.tolist()]


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
        scene = painter.scene
        if scene.show != "values":
            raise ArgumentError(
                f"Regions are ranked by their values, and {_WITHOUT[scene.show]}. "
                "Pass kind='slices' or kind='surface'."
            )
        if len(numbers) > _MOST_MAPS:
            raise ArgumentError(
                f"{len(numbers)} rankings do not fit beside each other. Choose up to {_MOST_MAPS} "
                "maps: maps=[0, 1]."
            )
        self.titles = [""]
        if len(numbers) > 1:
            self.titles = [shortened(scene.map_titles[number]) for number in numbers]
        self.top = MARGIN + title_height(scene.title) + (_MAP_TITLE if self.titles[0] else 0)
        n_most = N_MOST
        if height is not None:
            n_most = max(1, int((height - self.top - MARGIN - _AXIS) / _STEP) - 1)
        self.rankings = [Ranking(painter, number, n_most) for number in numbers]
        names = sum(ranking.names_width + _PAD for ranking in self.rankings)
        gaps = 2 * MARGIN + _BETWEEN * (len(numbers) - 1)
        if width is None:
            usual = _USUAL_WIDTH if len(numbers) == 1 else 0.6 * _USUAL_WIDTH
            width = names + gaps + usual * len(numbers)
        self.width = width
        self.bars_width = (width - names - gaps) / len(numbers)
        if self.bars_width < _LEAST_WIDTH:
            raise ArgumentError(
                f"Names and bars do not fit into {width:.1f} inches. Pass a size= of at least "
                f"{names + gaps + _LEAST_WIDTH * len(numbers):.1f}, or choose fewer maps=."
            )
        n_lines = max(ranking.n_lines for ranking in self.rankings)
        self.height = height or self.top + n_lines * _STEP + _AXIS + MARGIN

    def draw(self, place: Place) -> None:
        """Draw all of it."""
        left = MARGIN
        for ranking, title in zip(self.rankings, self.titles, strict=True):
            width = ranking.names_width + _PAD + self.bars_width
            box = Box(left, self.top, width, self.height - self.top - MARGIN)
            ranking.draw(place, box, title)
            left += width + _BETWEEN


def _short(text: str) -> str:
    """Return a number with three digits, as it stands beside a bar."""
    try:
        number = float(text)
    except ValueError:
        return text
    return f"{number:.3g}".replace("-", "−")
