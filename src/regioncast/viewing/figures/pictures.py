"""Strips of panels for some maps, one map below the other, with the key to their colours."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import ArgumentError, plural
from .layout import (
    BETWEEN_STRIPS,
    CAPTION,
    LABEL,
    MARGIN,
    MESHES,
    TITLE,
    Box,
    draw_strip,
    planned,
    text_width,
    title_height,
)

if TYPE_CHECKING:
    from .keys import ColourBar, Legend
    from .layout import Place, Plan, Strip
    from .painting import Painter

# Inches: the width of a figure that has room for what is usual, and of its largest pictures.
USUAL_WIDTH, _LARGEST = 9.0, 2.6

_LINE_LENGTH = 16  # characters of a line of a map's title
# Inches: where a figure may be as high as it needs, no mesh is smaller than this in one long row.
_LEAST_WIDTH = 0.9


class Pictures:
    """Everything but the title of the figure.

    Parameters
    ----------
    painter : Painter
    numbers : sequence of int
        The maps that are shown.
    strips : sequence of Strip
        Of each of them.
    key : ColourBar or Legend
        What tells what colours mean.
    width, height : float, default=None
        In inches.  None: a usual width, or less where there is little to show; and as high as it
        has to be.
    """

    def __init__(
        self,
        painter: Painter,
        numbers: Sequence[int],
        strips: Sequence[Strip],
        key: ColourBar | Legend,
        *,
        width: float | None,
        height: float | None,
    ) -> None:
        self.painter = painter
        self.numbers = numbers
        self.key = key
        self.left = MARGIN
        self.titles = [""] * len(numbers)
        if len(numbers) > 1:
            titles = painter.scene.map_titles
            self.titles = [textwrap.fill(titles[n], _LINE_LENGTH) for n in numbers]
            self.left += max(text_width(title, LABEL, "bold") for title in self.titles) + 0.15
        title = painter.scene.title
        self.top = MARGIN + title_height(title)
        beside = self.left + self.key.width + MARGIN
        room = math.inf if height is None else height - self.top - MARGIN
        self.plan = self._best_plan(strips, (width or USUAL_WIDTH) - beside, room, width)
        if self.plan.least_scale <= 0:
            n_rows = len(strips) * len(numbers)
            raise ArgumentError(
                f"There is no room for {plural(n_rows, 'row')} of pictures in a width of "
                f"{width or USUAL_WIDTH:.1f} inches. Pass a larger size=, or fewer cuts=, views= "
                "or maps=."
            )
        if width is None:
            width = max(self.plan.width + beside, text_width(title, TITLE, "bold") + 2 * MARGIN)
        self.width = width
        self.inner_width = width - beside
        self.height = height or self.top + max(self.plan.height, self.key.height) + MARGIN

    def _best_plan(
        self, strips: Sequence[Strip], inner: float, room: float, width: float | None
    ) -> Plan:
        """Return how large everything is: meshes in several rows where they are larger there."""
        n_maps = len(self.numbers)
        if width is None:
            return planned(strips, n_maps, inner, room, _LARGEST)
        plan = planned(strips, n_maps, inner, room)
        if n_maps > 1 or len(strips) > 1 or strips[0].scale != MESHES:
            return plan
        strip = strips[0]
        for n_rows in range(2, len(strip.panels) + 1):
            if math.isinf(room) and plan.least_scale * strip.mean_width > _LEAST_WIDTH:
                break
            in_rows = planned(strip.in_rows(n_rows), 1, inner, room)
            plan = max(plan, in_rows, key=lambda either: either.least_scale)
        return plan

    def draw(self, place: Place) -> None:
        """Draw all of it."""
        room = self.height - self.top - MARGIN
        top = self.top + (room - self.plan.height) / 2
        for row, (number, title) in enumerate(zip(self.numbers, self.titles, strict=True)):
            begin = top
            for strip in self.plan.strips:
                has_captions = not self.plan.are_captions_shared or row == len(self.numbers) - 1
                scale = self.plan.scales[strip.scale]
                height = strip.height * scale
                box = Box(self.left, top, self.inner_width, height)
                draw_strip(place, strip, box, scale, number, has_captions=has_captions)
                top += height + has_captions * CAPTION + BETWEEN_STRIPS
            if title:
                end = top - BETWEEN_STRIPS - has_captions * CAPTION
                place.text(
                    MARGIN, (begin + end) / 2, title, fontsize=LABEL, weight="bold", va="center"
                )
        left = self.width - MARGIN - self.key.width
        self.key.draw(place, Box(left, self.top, self.key.width, room))
