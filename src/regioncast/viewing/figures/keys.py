"""What tells what colours mean: a bar for values, a list for categories and for a few regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import MaxNLocator

from ..colours import ABSENT, SHOWN, rgb_of
from .layout import LABEL, SMALL, Box, text_width, with_minus
from .painting import kinds_shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..colours import Scale
    from .layout import Place
    from .painting import Painter

# Inches.
_BAR_WIDTH, _BAR_HEIGHT, _LEAST_BAR, _TICK = 0.13, 2.0, 0.4, 0.04
_SWATCH, _LINE, _BEFORE, _TO_TEXT, _ARROW = 0.13, 0.2, 0.22, 0.05, 0.1
# A unit that is no longer than this stands above the bar.
_SHORT_UNIT = 0.6
# A list has no more entries than this; an atlas of more regions has none, since they are not told
# apart by colours.
_MOST_ENTRIES, _MOST_REGIONS = 30, 12
_LONGEST_NAME = 32
# Ticks nearer to each other than this share of the bar are one.
_TOO_NEAR = 0.07
# Numbers of other sizes are written with powers of ten.
_LEAST_PLAIN, _MOST_PLAIN = 1e-4, 1e6


def key_of(painter: Painter, numbers: Sequence[int]) -> ColourBar | Legend:
    """Return what explains the colours of some maps, in a column at the right."""
    scene = painter.scene
    if scene.show == "values":
        return ColourBar(painter, numbers)
    entries: list[tuple[str, str]] = []
    if scene.show == "categories":
        assert scene.values is not None, "categories are values"
        assert scene.categories is not None, "and known"
        shown = np.unique(scene.values[list(numbers)][:, scene.is_there])
        labels = scene.categories.labels.tolist()
        rows = zip(labels, scene.categories.names, scene.category_colors, strict=True)
        entries = [(color, name) for label, name, color in rows if label in shown]
    elif len(scene.atlas) <= _MOST_REGIONS:
        entries = list(zip(scene.region_colors, scene.atlas.table.unique_names, strict=True))
    return Legend(painter, entries, has_absent=ABSENT in kinds_shown(painter, numbers))


class Legend:
    """A list of colours and what they stand for.

    Parameters
    ----------
    painter : Painter
    entries : sequence of (color, name)
    has_absent : bool
        Whether some regions have no value.
    """

    def __init__(
        self, painter: Painter, entries: Sequence[tuple[str, str]], *, has_absent: bool
    ) -> None:
        self.painter = painter
        self.n_more = max(0, len(entries) - _MOST_ENTRIES)
        self.entries = [(color, shortened(name)) for color, name in entries[:_MOST_ENTRIES]]
        self.has_absent = has_absent

    @property
    def width(self) -> float:
        """Inches that it needs, with what is before it; 0 where there is nothing to say."""
        if not self.height:
            return 0.0
        names = [name for _, name in self.entries] + ["n/a"]
        return _BEFORE + _SWATCH + 0.08 + max(text_width(name, SMALL) for name in names)

    @property
    def height(self) -> float:
        """Inches that it has to have."""
        return _LINE * (len(self.entries) + bool(self.n_more) + self.has_absent)

    def draw(self, place: Place, box: Box) -> None:
        """Draw it in the middle of a column."""
        if not self.height:
            return
        line = min(_LINE, box.height / (self.height / _LINE))
        left = box.left + _BEFORE
        middle = box.top + (box.height - line * self.height / _LINE + line) / 2
        for color, name in self.entries:
            ax = _swatch(place, left, middle, name)
            ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes, fc=color, ec="none"))
            middle += line
        if self.n_more:
            text = f"and {self.n_more:,} more"
            place.text(left, middle, text, color=self.painter.theme.dim)
            middle += line
        if self.has_absent:
            _absent_swatch(place, left, middle)


class ColourBar:
    """Colours for values, with the numbers beside them.

    Parameters
    ----------
    painter : Painter
        Of a scene with a scale.
    numbers : sequence of int
        The maps that are shown.
    """

    def __init__(self, painter: Painter, numbers: Sequence[int]) -> None:
        scene = painter.scene
        assert scene.scale is not None, "values have a scale"
        self.painter = painter
        self.scale: Scale = scene.scale
        self.ticks = ticks_of(self.scale)
        self.texts = numbers_as_text(self.ticks)
        self.has_absent = ABSENT in kinds_shown(painter, numbers)
        self.is_below, self.is_above = _beyond(painter, numbers)

    @property
    def width(self) -> float:
        """Inches that it needs, with what is before it."""
        numbers = max(text_width(text, SMALL) for text in self.texts)
        width = _BAR_WIDTH + _TICK + _TO_TEXT + numbers
        if self.is_unit_above:
            return _BEFORE + max(width, text_width(self.unit, LABEL))
        return _BEFORE + width + _LINE

    @property
    def height(self) -> float:
        """Inches that it has to have."""
        return self._above + _LEAST_BAR + self._below

    @property
    def _above(self) -> float:
        """Inches above the bar."""
        return _LINE * bool(self.unit and self.is_unit_above) + _ARROW * self.is_above

    @property
    def _below(self) -> float:
        """Inches below it."""
        return 1.2 * _LINE * self.has_absent + _ARROW * self.is_below

    @property
    def unit(self) -> str:
        """Of the values."""
        return self.painter.scene.unit

    @property
    def is_unit_above(self) -> bool:
        """Whether the unit stands above the bar; a long one stands along it."""
        return text_width(self.unit, LABEL) <= _SHORT_UNIT

    def draw(self, place: Place, box: Box) -> None:
        """Draw it in the middle of a column."""
        above, below = self._above, self._below
        height = min(_BAR_HEIGHT, 0.94 * max(0.01, box.height - above - below))
        top = box.top + (box.height - above - height - below) / 2 + above
        left = box.left + _BEFORE
        bar = Box(left, top, _BAR_WIDTH, height)
        self._draw_bar(place.axes(bar), height)
        share = (np.array(self.ticks) - self.scale.low) / (self.scale.high - self.scale.low)
        right = left + _BAR_WIDTH
        for text, at in zip(self.texts, share.tolist(), strict=True):
            y = top + height * (1 - at)
            place.line(right, y, right + _TICK, y)
            place.text(right + _TICK + _TO_TEXT, y, text)
        if self.unit and self.is_unit_above:
            place.text(left, top - above + 0.06, self.unit, fontsize=LABEL)
        elif self.unit:
            x, y = box.left + self.width - 0.06, top + height / 2
            place.text(x, y, self.unit, rotation=90, fontsize=LABEL, ha="center", va="center")
        if self.has_absent:
            _absent_swatch(place, left, top + height + below - _SWATCH / 2)

    def _draw_bar(self, ax: Axes, height: float) -> None:
        scale, theme = self.scale, self.painter.theme
        # From 0 to 1 across, and in values along.
        extent, ramp = (0, 1, scale.low, scale.high), scale.ramp[:, None]
        ax.imshow(ramp, extent=extent, origin="lower", aspect="auto", interpolation="nearest")
        low, high = max(scale.low, -scale.threshold), min(scale.high, scale.threshold)
        if low < high:
            ax.add_patch(Rectangle((0, low), 1, high - low, color=theme.below, lw=0))
        whole: dict[str, Any] = {
            "transform": ax.transAxes, "clip_on": False, "ec": theme.dim, "lw": 0.5,
        }  # fmt: skip
        ax.add_patch(Rectangle((0, 0), 1, 1, fill=False, **whole))
        # Arrows where values lie beyond the ends.
        arrow = _ARROW / height
        if self.is_below:
            corners = [(0, 0), (1, 0), (0.5, -arrow)]
            ax.add_patch(Polygon(corners, fc=scale.ramp[0] / 255, **whole))
        if self.is_above:
            corners = [(0, 1), (1, 1), (0.5, 1 + arrow)]
            ax.add_patch(Polygon(corners, fc=scale.ramp[-1] / 255, **whole))
        ax.set_xlim(0, 1)
        ax.set_ylim(scale.low, scale.high)


def ticks_of(scale: Scale) -> list[float]:
    """Return which numbers stand beside a bar: round ones, and the threshold."""
    low, high, threshold = scale.low, scale.high, scale.threshold
    ticks = round_ticks(low, high)
    if threshold > 0:
        marks = [mark for mark in (-threshold, threshold) if low <= mark <= high]
        near = _TOO_NEAR * (high - low)
        ticks = [tick for tick in ticks if all(abs(tick - mark) > near for mark in marks)]
        ticks = sorted(ticks + marks)
    return ticks


def round_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return some round numbers between two, of which there are no more than `most`."""
    ticks = MaxNLocator(most - 1, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    # What is beyond by rounding alone is not beyond.
    off = 1e-9 * (high - low)
    return [float(tick) for tick in ticks if low - off <= tick <= high + off]


def numbers_as_text(numbers: Sequence[float]) -> list[str]:
    """Return numbers with as many digits as they need, and true minus signs.

    Examples
    --------
    >>> numbers_as_text([0.0, 0.1 + 0.2, 2500])
    ['0', '0.3', '2,500']
    """
    # Ten digits tell ticks apart, and leave out what rounding did to the last ones.
    texts = []
    for number in numbers:
        is_plain = number == 0 or _LEAST_PLAIN <= abs(number) < _MOST_PLAIN
        texts.append(with_minus(format(number, ",.10g" if is_plain else ".6g")))
    return texts


def shortened(name: str, longest: int = _LONGEST_NAME) -> str:
    """Return a name, without its middle where it is too long.

    Examples
    --------
    >>> shortened("abcdefghij", 7)
    'abc…hij'
    """
    if len(name) <= longest:
        return name
    half = (longest - 1) // 2
    return f"{name[: longest - 1 - half]}…{name[-half:]}"


def _beyond(painter: Painter, numbers: Sequence[int]) -> tuple[bool, bool]:
    """Return whether values that are shown lie below or above the ends of the bar."""
    values, scale = painter.scene.values, painter.scene.scale
    assert values is not None, "there are values"
    assert scale is not None, "and what they look like"
    shown = [values[number][painter.colours(number).kinds[1:] == SHOWN] for number in numbers]
    all_shown = np.concatenate(shown)
    return bool((all_shown < scale.low).any()), bool((all_shown > scale.high).any())


def _swatch(place: Place, left: float, middle: float, name: str) -> Axes:
    """Return axes for a square of a colour, after writing beside it what it stands for."""
    place.text(left + _SWATCH + 0.08, middle, name)
    return place.axes(Box(left, middle - _SWATCH / 2, _SWATCH, _SWATCH))


def _absent_swatch(place: Place, left: float, middle: float) -> None:
    theme = place.theme
    y, x = np.ogrid[:12, :12]
    is_stripe = (x + y) % 4 == 0
    colours = np.where(is_stripe[..., None], rgb_of(theme.stripe), rgb_of(theme.absent))
    ax = _swatch(place, left, middle, "n/a")
    ax.imshow(colours.astype(np.uint8), interpolation="nearest", aspect="auto")
