"""Slices of a volume as panels: exact borders, where each is, and which side is which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.image import AxesImage
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ...errors import ArgumentError
from ..outlines import arcs, traced
from ..svg import BORDER_WIDTH, ParcelImage, path_around
from ..views import slice_of
from ..volumes import volume_of
from .layout import SLICES, Panel, Strip
from .painting import mixed
from .planes import PLANES, asked_cuts, caption_of, edge_of, indices_at, mm_of
from .silhouettes import Silhouette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ..volumes import Volume
    from .painting import Painter

    Points = NDArray[np.float64]

# Slices of a row, and inches for each of them.
_N_CUTS, _CUT_WIDTH = 7, 1.25
# Of the extent of the regions, what is left out at each end: the first slices show next to nothing.
_LEFT_OUT = 0.1

# Of lines between regions; and how much the silhouette is like what is bare on a mesh.
_BORDER_OPACITY, _BARE_SHARE = 0.55, 0.5


def rows_of_slices(painter: Painter, cuts: object, n_maps: int, width: float) -> list[Strip]:
    """Return a row of slices for each plane that is asked for.

    Parameters
    ----------
    painter : Painter
    cuts, n_maps
        As of `asked_cuts`.
    width : float
        Of the figure, in inches: a narrow one has fewer slices where no number is asked for.

    Raises
    ------
    ArgumentError
        When there are no voxels, or no such cuts.
    """
    background = painter.scene.background
    volume = volume_of(painter.scene.atlas, None if background is None else background.greys)
    if volume is None:
        raise ArgumentError(
            "There are no voxels to be cut into slices; pass kind='surface' or kind='ranked'."
        )
    n_usual = int(np.clip(round(width / _CUT_WIDTH), 1, _N_CUTS))
    # An image shows by itself where in the brain regions are.
    silhouette = Silhouette(volume) if volume.greys is None else None
    strips = []
    for axis, asked in asked_cuts(cuts, n_maps).items():
        if isinstance(asked, list):
            indices = indices_at(volume, axis, asked)
        else:
            indices = _spread(volume, axis, asked or _n_cuts(volume, axis, n_usual))
        panels = []
        for index in indices:
            around = silhouette.at(axis, index) if silhouette else None
            panels.append(Cut(painter, volume, axis, index, around).panel())
        strips.append(Strip(_aligned(panels), SLICES))
    return strips


def _n_cuts(volume: Volume, axis: int, n_coronal: int) -> int:
    """Return how many slices of a plane make a row as wide as some coronal ones."""
    if axis != 0:
        return n_coronal
    x, y, _ = (np.array(volume.codes.shape) * volume.zooms).tolist()
    # An even number, so that there is none between the hemispheres; and no more of what is wider
    # than long, since captions need room.
    return max(2, 2 * round(n_coronal * min(1.0, float(x / y)) / 2))


def _spread(volume: Volume, axis: int, n_cuts: int) -> list[int]:
    """Return some layers, evenly spread over the regions."""
    is_region = volume.codes.any(axis=tuple({0, 1, 2} - {axis}))
    first, last = np.flatnonzero(is_region)[[0, -1]].tolist()
    margin = max(_LEFT_OUT, 0.5 / n_cuts) * (last - first)
    at = np.linspace(first + margin, last - margin, n_cuts)
    return sorted(set(np.rint(at).astype(int).tolist()))


@dataclass(frozen=True, eq=False)
class Cut:
    """One slice of a volume, for all maps.

    Parameters
    ----------
    painter : Painter
    volume : Volume
    axis, index : int
        The axis that it is across, and which layer along it.
    silhouette : Path, default=None
        What is around all regions here, in mm; drawn where there is no image behind them.
    """

    painter: Painter
    volume: Volume
    axis: int
    index: int
    silhouette: Path | None = None

    @cached_property
    def codes(self) -> NDArray[np.uint32]:
        """An image of the codes of its voxels."""
        return slice_of(self.volume, self.axis, self.index).codes

    def panel(self) -> Panel:
        """Return its panel, which just holds what there is to see."""
        content = self.volume.codes if self.volume.greys is None else self.volume.greys
        is_content = np.take(content, self.index, self.axis) > 0
        if not is_content.any():
            is_content = (content > 0).any(self.axis)
        columns, rows = np.flatnonzero(is_content.any(1)), np.flatnonzero(is_content.any(0))
        plane, volume = PLANES[self.axis], self.volume
        corners = [
            [edge_of(volume, plane.right, column), edge_of(volume, plane.up, row)]
            for column, row in ((columns[0], rows[0]), (columns[-1] + 1, rows[-1] + 1))
        ]
        if self.silhouette is not None:
            corners += np.asarray(self.silhouette.vertices).tolist()
        (left, bottom), (right, top) = np.min(corners, 0).tolist(), np.max(corners, 0).tolist()
        caption = caption_of(volume, self.axis, self.index)
        return Panel((left, bottom), (right, top), caption, plane.ends, self.draw)

    @cached_property
    def extent(self) -> tuple[float, float, float, float]:
        """Where the left, right, lower and upper end of the whole slice are, in mm."""
        plane = PLANES[self.axis]
        height, width = self.codes.shape
        left, right = (edge_of(self.volume, plane.right, n) for n in (0, width))
        bottom, top = (edge_of(self.volume, plane.up, n) for n in (0, height))
        return left, right, bottom, top

    @cached_property
    def paths(self) -> dict[int, Path]:
        """What is around each region, in mm."""
        around = traced(self.codes).items()
        return {code: path_around([self._in_mm(ring) for ring in rings]) for code, rings in around}

    @cached_property
    def borders(self) -> Path:
        """The lines between regions, in mm.  One path: where they meet, none is drawn twice."""
        return Path.make_compound_path(*(Path(self._in_mm(arc.points)) for arc in arcs(self.codes)))

    def _in_mm(self, points: Points) -> Points:
        """Return where points are that count pixels from the upper left corner."""
        left, right, bottom, top = self.extent
        height, width = self.codes.shape
        pixel = np.array([(right - left) / width, (bottom - top) / height])
        moved: Points = points * pixel + np.array([left, top])
        return moved

    def draw(self, ax: Axes, number: int) -> None:
        """Draw the regions in the colours of one map, what is behind them, and lines between."""
        self._draw_behind(ax)
        painter = self.painter
        plane, mm = PLANES[self.axis].name, mm_of(self.volume, self.axis, self.index)
        # An image behind is seen wherever there is no value to show.
        is_clear = self.volume.greys is not None
        image = ParcelImage(
            ax,
            painter.painted(self.codes, number, is_clear=is_clear),
            parcels=lambda: painter.parcels(self.paths, number, is_clear=is_clear),
            panel=f"map{number + 1}.{plane}.{mm:g}",
            extent=self.extent,
            interpolation="nearest",
            zorder=2,
        )
        ax.add_image(image)
        lines = PathPatch(
            self.borders,
            fill=False,
            edgecolor=painter.line,
            alpha=_BORDER_OPACITY,
            linewidth=BORDER_WIDTH,
            joinstyle="miter",
            capstyle="projecting",
            snap=True,
            clip_on=False,
            zorder=3,
        )
        ax.add_artist(lines)

    def _draw_behind(self, ax: Axes) -> None:
        theme = self.painter.theme
        if self.silhouette is not None:
            color = mixed(theme.paper, theme.bare, _BARE_SHARE)
            shape = PathPatch(self.silhouette, fc=color, linewidth=0, zorder=0, clip_on=False)
            ax.add_artist(shape)
        if self.volume.greys is not None:
            greys = np.take(self.volume.greys, self.index, self.axis).T[::-1]
            rgba = np.stack([greys, greys, greys, np.where(greys > 0, 255, 0)], 2)
            image = AxesImage(ax, extent=self.extent, origin="upper", interpolation="bilinear")
            image.set_zorder(0)
            image.set_data(rgba.astype(np.uint8))
            ax.add_image(image)


def _aligned(panels: Sequence[Panel]) -> list[Panel]:
    """Return panels of one row with the same lower and upper end."""
    low = min(panel.low[1] for panel in panels)
    high = max(panel.high[1] for panel in panels)
    return [replace(panel, low=(panel.low[0], low), high=(panel.high[0], high)) for panel in panels]
