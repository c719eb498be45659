"""From values to colours: limits, ramps, and the look-up that painting is, with colours for values.

A *ramp* is 256 colours from low to high.  A value becomes one of them; or it has none, because it
is below the threshold, or is not there.  Page, PNG and SVG have their colours from here; the page
looks them up by the same arithmetic, which a test holds it to.
"""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..errors import ArgumentError, examples

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_COLOURS = 256

# Colours at even steps, of even lightness; between them, channels are interpolated.
_ANCHORS = {
    "diverging": (
        "#0a2a5e", "#2166ac", "#6fa8d6", "#c6dcec", "#f4f4f4",
        "#f6cfc0", "#e08a72", "#b2303a", "#5f0a1e",
    ),
    "sequential": (
        "#f4f1e6", "#f3d69b", "#eea765", "#db6f52", "#b03a58", "#74185a", "#2f0a3f",
    ),
    "grey": ("#222222", "#f5f5f5"),
}  # fmt: skip

RAMPS = tuple(_ANCHORS)
"""The names of our own ramps."""

NO_REGION, SHOWN, BELOW, ABSENT = range(4)
"""What a sample is: of no region, of a value that is shown, below the threshold, or n/a."""


class Theme(NamedTuple):
    """Colours of what has no value, as ``#rrggbb``.

    Parameters
    ----------
    paper, ink, dim : str
        Of the background, of text, and of text of less weight.
    below : str
        Of regions below the threshold.
    absent, stripe : str
        Of regions without a value, and of the stripes across them.
    bare : str
        Of what a mesh shows where there is no region.
    """

    paper: str
    ink: str
    dim: str
    below: str
    absent: str
    stripe: str
    bare: str


ThemeName = Literal["light", "dark"]

THEMES: dict[ThemeName, Theme] = {
    "light": Theme("#ffffff", "#1b1f24", "#5c6670", "#d6d6d6", "#c6c6c6", "#9a9a9a", "#cdcdcd"),
    "dark": Theme("#14171a", "#e6e8eb", "#9aa4b0", "#4a4e54", "#6f6f6f", "#9a9a9a", "#7d7d7d"),
}


class Scale(NamedTuple):
    """How values become colours.

    Parameters
    ----------
    name : str
        Of the ramp.
    ramp : array of uint8, shape (256, 3)
        Red, green and blue, from low to high.
    low, high : float
        The values at the ends of the ramp; those beyond get the colours of the ends.
    threshold : float
        Values nearer to 0 than this are not shown.
    """

    name: str
    ramp: NDArray[np.uint8]
    low: float
    high: float
    threshold: float = 0.0


class Colours(NamedTuple):
    """What each region looks like in one map, and first what is no region.

    Parameters
    ----------
    kinds : array of uint8, shape (1 + n_regions,)
        `NO_REGION`, `SHOWN`, `BELOW` or `ABSENT`.
    rgb : array of uint8, shape (1 + n_regions, 3)
        Of those that are shown; 0 elsewhere.
    """

    kinds: NDArray[np.uint8]
    rgb: NDArray[np.uint8]


def rgb_of(color: str) -> tuple[int, int, int]:
    """Return the channels of ``#rrggbb``.

    Examples
    --------
    >>> rgb_of("#ff8000")
    (255, 128, 0)
    """
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def interpolated(anchors: Sequence[str]) -> NDArray[np.uint8]:
    """Return 256 colours through those of some even steps.

    Examples
    --------
    >>> interpolated(["#000000", "#ffffff"])[[0, 1, 255]].tolist()
    [[0, 0, 0], [1, 1, 1], [255, 255, 255]]
    """
    channels = np.array([rgb_of(anchor) for anchor in anchors], np.float64)
    at = np.linspace(0, len(anchors) - 1, N_COLOURS)
    columns = [np.interp(at, np.arange(len(anchors)), channel) for channel in channels.T]
    colours: NDArray[np.uint8] = np.rint(np.stack(columns, 1)).astype(np.uint8)
    return colours


def ramp_of(cmap: object) -> tuple[str, NDArray[np.uint8]]:
    """Return the name and the colours of a ramp.

    Parameters
    ----------
    cmap : str, sequence of str, or colour map of matplotlib
        One of `RAMPS`; colours ``#rrggbb`` at even steps, low to high; or, where matplotlib is
        installed, names of its colours, one of its colour maps or the name of one.

    Raises
    ------
    ArgumentError
        When there is no such ramp.
    """
    if isinstance(cmap, str) and cmap in _ANCHORS:
        return cmap, interpolated(_ANCHORS[cmap])
    if isinstance(cmap, list | tuple):
        colors = [_written_as_hex(str(color)) for color in cmap]
        wrong = [str(color) for color, known in zip(cmap, colors, strict=True) if not known]
        if wrong or len(cmap) < 2:
            raise ArgumentError(
                "The colours of a ramp are two or more, each written #rrggbb or, with matplotlib "
                "installed, a name of one that it knows"
                + (f"; not {examples(wrong)}." if wrong else ".")
            )
        return "own", interpolated(colors)
    return _of_matplotlib(cmap)


def _written_as_hex(color: str) -> str:
    """Return a colour as ``#rrggbb``; nothing where it is none."""
    if re.fullmatch("#[0-9a-fA-F]{6}", color):
        return color
    if importlib.util.find_spec("matplotlib") is None:
        return ""
    from matplotlib.colors import is_color_like, to_hex

    return str(to_hex(color)) if is_color_like(color) else ""


def _of_matplotlib(cmap: Any) -> tuple[str, NDArray[np.uint8]]:
    if importlib.util.find_spec("matplotlib") is not None:
        from matplotlib import colormaps
        from matplotlib.colors import Colormap

        if isinstance(cmap, str) and cmap in colormaps:
            cmap = colormaps[cmap]
        if isinstance(cmap, Colormap):
            colours = np.asarray(cmap(np.arange(N_COLOURS) / (N_COLOURS - 1)), np.float64)
            return cmap.name, np.rint(colours[:, :3] * 255).astype(np.uint8)
        others = "a colour map of matplotlib, "
    else:
        others = (
            "with matplotlib installed (pip install 'regioncast[plot]') one of its colour maps, "
        )
    raise ArgumentError(
        f"There is no colour map {cmap!r}. Pass one of {', '.join(map(repr, RAMPS))}, {others}"
        "or a list of colours such as ['#ffffff', '#b2303a'], from low to high."
    )


def scale_of(
    values: NDArray[Any],
    cmap: object = None,
    *,
    vmin: float | None = None,
    vmax: float | None = None,
    threshold: float | None = None,
) -> Scale:
    """Return how values become colours.

    Parameters
    ----------
    values : array
        Of all maps; NaN and infinite ones count for nothing here.
    cmap : optional
        As in `ramp_of`.  When not given, limits that are equally far from 0, as those of values
        on both sides of it are, get the diverging ramp, and others the sequential one.
    vmin, vmax : float, default=None
        Values at the ends of the ramp.  When not given, the lowest and the highest, or where
        values lie on both sides of 0, numbers that are equally far from it.
    threshold : float, default=None
        Values nearer to 0 than this are not shown.

    Raises
    ------
    ArgumentError
        When limits are no numbers or the lower is not below the upper, a threshold is negative,
        or there is no such ramp.
    """
    vmin, vmax = _number("vmin", vmin), _number("vmax", vmax)
    distance = _number("threshold", threshold) or 0.0
    if distance < 0:
        raise ArgumentError(f"threshold is a distance from 0, so it is not negative: {distance}.")
    numbers = np.asarray(values, np.float64)
    numbers = numbers[np.isfinite(numbers)]
    lowest, highest = (numbers.min(), numbers.max()) if numbers.size else (0.0, 1.0)
    low, high = _limits(float(lowest), float(highest), vmin, vmax)
    if not low < high:
        raise ArgumentError(f"vmin has to be below vmax; they are {low:g} and {high:g}.")
    if not np.isfinite(high - low):
        raise ArgumentError(
            f"The limits of the colours, {low:g} and {high:g}, are too far apart for numbers of 64 "
            "bits. Pass vmin and vmax that are closer."
        )
    is_ours = cmap is None
    # The middle of the diverging ramp, where colours change sides, has to be 0.
    fitting = "diverging" if low == -high else "sequential"
    name, ramp = ramp_of(fitting if is_ours else cmap)
    # What is furthest from 0 is darkest.
    if is_ours and high <= 0:
        ramp = ramp[::-1]
    return Scale(name, ramp, low, high, distance)


def _number(what: str, said: object) -> float | None:
    """Return a number of whatever type as Python's, which a page can hold; None as it is."""
    if said is None:
        return None
    try:
        number = float(said) if isinstance(said, Real) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ArgumentError(f"{what} is a number, not {said!r}.")
    return number


def _limits(
    lowest: float, highest: float, vmin: float | None, vmax: float | None
) -> tuple[float, float]:
    """Return the values at the ends of a ramp, from those of the data and what was said."""
    if lowest < 0 < highest:
        lowest, highest = _around_zero(lowest, highest, vmin, vmax)
    elif lowest == highest:
        # All values are equal: the ramp goes from 0 to them, or from 0 to 1.
        lowest, highest = min(lowest, 0.0), max(highest, 0.0)
        if lowest == highest:
            highest = 1.0
    return (lowest if vmin is None else vmin), (highest if vmax is None else vmax)


def _around_zero(
    lowest: float, highest: float, vmin: float | None, vmax: float | None
) -> tuple[float, float]:
    """Return limits equally far from 0, unless what was said leaves out one side of it."""
    reach = vmax if vmin is None else -vmin
    if reach is None:
        reach = max(-lowest, highest)
    # What is said of one end holds for the other.
    return (-reach, reach) if reach > 0 else (lowest, highest)


def coloured(values: NDArray[Any], has_value: NDArray[np.bool_], scale: Scale) -> Colours:
    """Return what the regions of one map look like.

    Parameters
    ----------
    values : array, shape (n_regions,)
    has_value : array of bool, shape (n_regions,)
        False: n/a, whatever `values` say; so is NaN.
    scale : Scale

    Examples
    --------
    >>> values = np.array([-2.0, 0.25, np.nan])
    >>> scale = scale_of(values, ["#0000ff", "#ff0000"], vmax=2, threshold=1)
    >>> kinds, rgb = coloured(values, np.ones(3, bool), scale)
    >>> kinds.tolist(), rgb[1].tolist()
    ([0, 1, 2, 3], [0, 0, 255])
    """
    numbers = np.asarray(values, np.float64)
    is_absent = np.isnan(numbers) | ~has_value
    is_below = ~is_absent & (np.abs(numbers) < scale.threshold)
    is_shown = ~(is_absent | is_below)
    kinds = np.zeros(1 + len(numbers), np.uint8)
    kinds[1:] = np.select([is_absent, is_below], [ABSENT, BELOW], SHOWN)
    # Infinite values, and differences that become so, are at the ends of the ramp.
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.floor((numbers - scale.low) / (scale.high - scale.low) * N_COLOURS)
    rgb = np.zeros((1 + len(numbers), 3), np.uint8)
    # The highest value of all would be one step beyond the last colour.
    rgb[1:][is_shown] = scale.ramp[np.clip(steps[is_shown], 0, N_COLOURS - 1).astype(np.intp)]
    return Colours(kinds, rgb)
