"""Slices of a volume as panels: exact borders, where each is, and which side is which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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

    from ..svg import Parcel
    from .painting import Painter

    Points = NDArray[np.float64]

# Slices of a row, and inches for each of them.
_N_CUTS, _CUT_WIDTH = 7, 1.25
# Of the extent of the regions, what is left out at each end: the first slices show next to nothing.
_LEFT_OUT = 0.1

# Of lines between regions; and how much the silhouette is like what is bare on a mesh.
_BORDER_OPACITY, _BARE_SHARE = 0.55, 0.5


class Slices:
    """A volume, and how its slices are drawn.

    Parameters
    ----------
    painter : Painter
        Of a scene with voxels.

    Raises
    ------
    ArgumentError
        When it has none.
    """

    def __init__(self, painter: Painter) -> None:
        self.painter = painter
        scene = painter.scene
        background = scene.background
        volume = volume_of(scene.atlas, None if background is None else background.greys)
        if volume is None:
            raise ArgumentError(
                "There are no voxels to be cut into slices; pass kind='surface' or kind='ranked'."
            )
        self.volume = volume
        self.greys = volume.greys

    @cached_property
    def _silhouette(self) -> Silhouette:
        return Silhouette(self.volume)

    def strips(self, cuts: object, n_maps: int, width: float) -> list[Strip]:
        """Return a row of slices for each plane that is asked for.

        Parameters
        ----------
        cuts, n_maps
            As of `asked_cuts`.
        width : float
            Of the figure, in inches: a narrow one has fewer slices where no number is asked for.
        """
        n_cuts = int(np.clip(round(width / _CUT_WIDTH), 1, _N_CUTS))
        strips = []
        for axis, asked in asked_cuts(cuts, n_maps).items():
            if isinstance(asked, list):
                indices = indices_at(self.volume, axis, asked)
            else:
                indices = self._spread(axis, asked or self._n_cuts(axis, n_cuts))
            strips.append(Strip(_aligned([self._panel(axis, index) for index in indices]), SLICES))
        return strips

    def _n_cuts(self, axis: int, n_coronal: int) -> int:
        """Return how many slices of a plane make a row as wide as some coronal ones."""
        if axis != 0:
            return n_coronal
        x, y, _ = (np.array(self.volume.codes.shape) * self.volume.zooms).tolist()
        # An even number, so that there is none between the hemispheres; and no more of what is
        # wider than long, since captions need room.
        return max(2, 2 * round(n_coronal * min(1.0, float(x / y)) / 2))

    def _spread(self, axis: int, n_cuts: int) -> list[int]:
        """Return some layers, evenly spread over the regions."""
        is_region = self.volume.codes.any(axis=tuple({0, 1, 2} - {axis}))
        first, last = np.flatnonzero(is_region)[[0, -1]].tolist()
        margin = max(_LEFT_OUT, 0.5 / n_cuts) * (last - first)
        at = np.linspace(first + margin, last - margin, n_cuts)
        return sorted(set(np.rint(at).astype(int).tolist()))

    def _panel(self, axis: int, index: int) -> Panel:
        plane = PLANES[axis]
        silhouette = None if self.greys is not None else self._silhouette.at(axis, index)
        content = self.volume.codes if self.greys is None else self.greys
        is_content = np.take(content, index, axis) > 0
        if not is_content.any():
            is_content = (content > 0).any(axis)
        corners = np.empty((0, 2)) if silhouette is None else np.asarray(silhouette.vertices)
        for end in (0, -1):
            columns, rows = np.flatnonzero(is_content.any(1)), np.flatnonzero(is_content.any(0))
            x = edge_of(self.volume, plane.right, int(columns[end]) - end)
            y = edge_of(self.volume, plane.up, int(rows[end]) - end)
            corners = np.vstack([corners, [x, y]])
        (left, bottom), (right, top) = corners.min(0).tolist(), corners.max(0).tolist()
        caption = caption_of(self.volume, axis, index)

        def draw(ax: Axes, number: int) -> None:
            self._draw(ax, axis, index, silhouette)
            self._draw_regions(ax, axis, index, number)

        return Panel((left, bottom), (right, top), caption, plane.ends, draw)

    def _extent(self, axis: int) -> tuple[float, float, float, float]:
        """Return where the left, right, lower and upper end of a whole slice are, in mm."""
        plane, shape = PLANES[axis], self.volume.codes.shape
        left, right = (edge_of(self.volume, plane.right, n) for n in (0, shape[plane.right]))
        bottom, top = (edge_of(self.volume, plane.up, n) for n in (0, shape[plane.up]))
        return left, right, bottom, top

    def _draw(self, ax: Axes, axis: int, index: int, silhouette: Path | None) -> None:
        """Draw what is behind the regions."""
        theme = self.painter.theme
        if silhouette is not None:
            color = mixed(theme.paper, theme.bare, _BARE_SHARE)
            ax.add_artist(
                PathPatch(silhouette, facecolor=color, linewidth=0, zorder=0, clip_on=False)
            )
        if self.greys is not None:
            greys = np.take(self.greys, index, axis).T[::-1]
            rgba = np.stack([greys, greys, greys, np.where(greys > 0, 255, 0)], 2)
            image = AxesImage(
                ax, extent=self._extent(axis), interpolation="bilinear", origin="upper", zorder=0
            )
            image.set_data(rgba.astype(np.uint8))
            ax.add_image(image)

    def _draw_regions(self, ax: Axes, axis: int, index: int, number: int) -> None:
        """Draw the regions in the colours of one map, and lines between them."""
        painter, plane = self.painter, PLANES[axis]
        codes = slice_of(self.volume, axis, index).codes
        # An image behind is seen wherever there is no value to show.
        is_clear = self.greys is not None
        left, right, bottom, top = extent = self._extent(axis)
        height, width = codes.shape
        pixel = np.array([(right - left) / width, (bottom - top) / height])

        def in_mm(points: Points) -> Points:
            moved: Points = points * pixel + np.array([left, top])
            return moved

        def parcels() -> list[Parcel]:
            around = traced(codes).items()
            paths = {code: path_around([in_mm(ring) for ring in rings]) for code, rings in around}
            return painter.parcels(paths, number, is_clear=is_clear)

        image = ParcelImage(
            ax,
            painter.painted(codes, number, is_clear=is_clear),
            parcels=parcels,
            panel=f"map{number + 1}.{plane.name}.{mm_of(self.volume, axis, index):g}",
            extent=extent,
            interpolation="nearest",
            zorder=2,
        )
        ax.add_image(image)
        # As one path: where lines meet, they are not drawn twice.
        borders = Path.make_compound_path(*(Path(in_mm(arc.points)) for arc in arcs(codes)))
        lines = PathPatch(
            borders,
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


def _aligned(panels: Sequence[Panel]) -> list[Panel]:
    """Return panels of one row with the same lower and upper end."""
    low = min(panel.low[1] for panel in panels)
    high = max(panel.high[1] for panel in panels)
    return [replace(panel, low=(panel.low[0], low), high=(panel.high[0], high)) for panel in panels]
