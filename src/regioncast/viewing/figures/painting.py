"""Colours for values, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..colours import ABSENT, BELOW, NO_REGION, THEMES, ThemeName, rgb_of
from ..svg import Parcel, slug

if TYPE_CHECKING:
    from matplotlib.path import Path
    from numpy.typing import NDArray

    from ..colours import Colours, Theme
    from ..scene import Scene

# Of four diagonals of pixels, one is a stripe.
_STRIPES = 4


class Painter:
    """The colours of a scene in one theme.

    Parameters
    ----------
    scene : Scene
    theme_name : {"light", "dark"}
    """

    def __init__(self, scene: Scene, theme_name: ThemeName) -> None:
        self.scene = scene
        self.theme: Theme = THEMES[theme_name]
        # Lines between regions are dark in both themes: light ones outshine what they part.
        self.line = self.theme.ink if theme_name == "light" else self.theme.paper
        self._colours: dict[int, Colours] = {}

    def colours(self, number: int) -> Colours:
        """Return what regions look like in one map."""
        if number not in self._colours:
            self._colours[number] = self.scene.colours(number)
        return self._colours[number]

    def palette(
        self, number: int, bare: str | None = None, *, is_clear: bool = False
    ) -> NDArray[np.uint8]:
        """Return what each code looks like in one map, stripes aside.

        Parameters
        ----------
        number : int
        bare : str, default=None
            ``#rrggbb``, of what is no region; transparent when not given.
        is_clear : bool, default=False
            Whether regions whose value is not shown are transparent, so that an image behind them
            is seen; stripes stay.

        Returns
        -------
        array of uint8, shape (1 + n_regions + 1, 4)
            The last row is that of stripes.
        """
        kinds, rgb = self.colours(number)
        palette = np.full((len(kinds) + 1, 4), 255, np.uint8)
        palette[-1, :3] = rgb_of(self.theme.stripe)
        of_codes = palette[:-1]
        of_codes[:, :3] = rgb
        of_codes[kinds == BELOW, :3] = rgb_of(self.theme.below)
        of_codes[kinds == ABSENT, :3] = rgb_of(self.theme.absent)
        if is_clear:
            of_codes[(kinds == BELOW) | (kinds == ABSENT), 3] = 0
        # Transparent where nothing else is said, so that what is behind is seen.
        of_codes[kinds == NO_REGION] = (*rgb_of(bare), 255) if bare else 0
        return palette

    def striped(self, codes: NDArray[Any], number: int, pitch: int = 1) -> NDArray[Any]:
        """Return which row of the palette of one map each sample of an image of codes has.

        Parameters
        ----------
        codes : array of unsigned int, shape (height, width)
        number : int
        pitch : int, default=1
            How many samples are as wide as a stripe.

        Returns
        -------
        array of integers, shape (height, width)
        """
        kinds = self.colours(number).kinds
        if ABSENT not in kinds:
            return codes
        y, x = np.ogrid[: codes.shape[0], : codes.shape[1]]
        is_stripe = (x // pitch + y // pitch) % _STRIPES == 0
        return np.where(is_stripe & (kinds == ABSENT)[codes], len(kinds), codes)

    def painted(
        self, codes: NDArray[Any], number: int, *, is_clear: bool = False
    ) -> NDArray[np.uint8]:
        """Return an image of codes in the colours of one map, shape (height, width, 4)."""
        palette = self.palette(number, is_clear=is_clear)
        image: NDArray[np.uint8] = palette[self.striped(codes, number)]
        return image

    def parcels(
        self, paths: dict[int, Path], number: int, bare: str = "", *, is_clear: bool = False
    ) -> list[Parcel]:
        """Return regions as they are drawn with paths.

        Parameters
        ----------
        paths : dict of int to Path
            By code; 0 for what is no region.
        number : int
            Of the map.
        bare : str, default=""
            ``#rrggbb``, of what is no region.
        is_clear : bool, default=False
            As of `palette`.
        """
        palette = self.palette(number, bare or None, is_clear=is_clear)
        kinds = self.colours(number).kinds
        names, labels = self.scene.atlas.table.unique_names, self.scene.atlas.table.labels.tolist()
        parcels = []
        for code, path in paths.items():
            color = "#" + bytes(palette[code, :3].tolist()).hex()
            if code == 0:
                parcels.append(Parcel("no-region", "", path, color))
                continue
            if palette[code, 3] == 0:
                color = ""
            name = names[code - 1]
            parcels.append(
                Parcel(
                    f"{slug(str(labels[code - 1]))}.{slug(name)}",
                    titled(self.scene, number, code - 1),
                    path,
                    color,
                    self.theme.stripe if kinds[code] == ABSENT else "",
                )
            )
        return parcels


def titled(scene: Scene, number: int, row: int) -> str:
    """Return the name of a region, and its value in one map."""
    name = scene.atlas.table.unique_names[row]
    if scene.values is None:
        return name
    value = value_text(scene, number, row)
    unit = f" {scene.unit}" if scene.unit and value != "n/a" else ""
    return f"{name}: {value}{unit}"


def value_text(scene: Scene, number: int, row: int) -> str:
    """Return the value of a region in one map, for people."""
    assert scene.values is not None, "there are values"
    value = scene.values[number, row]
    if not scene.is_there[row] or value != value:  # noqa: PLR0124  NaN of any dtype
        return "n/a"
    if scene.categories is not None:
        names = dict(zip(scene.categories.labels.tolist(), scene.categories.names, strict=True))
        return str(names.get(int(value), "n/a"))
    return f"{value:.6g}" if scene.values.dtype.kind == "f" else str(value)


def mixed(color: str, other: str, share: float) -> str:
    """Return a colour between two.

    Examples
    --------
    >>> mixed("#000000", "#ffffff", 0.2)
    '#333333'
    """
    pairs = zip(rgb_of(color), rgb_of(other), strict=True)
    channels = [round(one + share * (two - one)) for one, two in pairs]
    return "#" + bytes(channels).hex()


def kinds_shown(painter: Painter, numbers: Sequence[int]) -> set[int]:
    """Return what kinds of regions there are in some maps."""
    return {int(kind) for number in numbers for kind in painter.colours(number).kinds[1:]}
