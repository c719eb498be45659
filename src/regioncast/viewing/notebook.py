"""What notebooks show of a result by itself: a page of it where that is small, else text.

`regioncast.notebook` asks for it.  Nothing here raises what the result has done wrong: the text of
a result can always be shown.
"""

from __future__ import annotations

import html
import math
import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..atlas.parcellation import Parcellation
from ..atlas.region_table import RegionTable
from ..errors import RegioncastError, RegioncastWarning, plural
from ..identity import Match
from ..io.kinds import Painted
from ..signals import Signals
from .page import View
from .scene import scene_of, with_meshes

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Beyond these no page is tried: it would take long, and come out too large.
_MOST_SAMPLES = 30_000_000
_MOST_VALUES = 4 << 20  # bytes

# A notebook keeps every page that it shows.
_LARGEST_PAGE = 2_000_000  # characters

# Rows of a table beyond which those in the middle are left out, and columns of maps that are shown.
_MOST_ROWS, _MOST_MAPS = 20, 6

_TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums"
_CELL = "padding:2px 10px;text-align:"


def html_of(thing: object) -> str | None:
    """Return HTML of a result, None where its text is to be shown.

    Parameters
    ----------
    thing : painted image, Parcellation, Signals, Match or RegionTable

    Returns
    -------
    str or None
        A frame with the page that `regioncast.view` makes, or text that says how to get that where
        it is large; tables of what has no place in a brain.
    """
    if isinstance(thing, Match):
        return _of_match(thing)
    if isinstance(thing, RegionTable):
        return _of_regions(thing)
    if isinstance(thing, Signals) and thing.parcellation is None:
        return _of_signals(thing)
    if isinstance(thing, Parcellation | Signals | Painted):
        return _page_of(thing)
    return None


def _page_of(thing: Parcellation | Signals | Painted) -> str | None:
    atlas = thing if isinstance(thing, Parcellation) else thing.parcellation
    if atlas is None:  # a part or a copy of what was painted
        return None
    values = _values_of(thing)
    if atlas.codes.size > _MOST_SAMPLES or values.nbytes > _MOST_VALUES:
        return _too_large(thing)
    try:
        # Nobody asked for it here, and the page says what a warning would.
        with warnings.catch_warnings(action="ignore", category=RegioncastWarning):
            view = View(with_meshes(scene_of(thing)))
    except RegioncastError:
        return None
    return view.get_iframe() if len(view.html) <= _LARGEST_PAGE else _too_large(thing)


def _values_of(thing: Parcellation | Signals | Painted) -> NDArray[np.generic]:
    if isinstance(thing, Signals):
        return thing.values
    if isinstance(thing, Parcellation):
        return np.empty(0)
    table: NDArray[np.generic] = thing.dataobj.table
    return table


def _too_large(thing: object) -> str:
    advice = (
        'Large to be kept in a notebook. A page of it: regioncast.view(…).save_as_html("map.html")'
    )
    return f"<pre>{html.escape(f'{thing!r}')}</pre><p>{html.escape(advice)}</p>"


def _of_match(match: Match) -> str:
    """Return what a match says, and a row per region: which value it gets."""
    report = f"<pre>{html.escape(str(match))}</pre>"
    if match.problem:
        return report
    table, signals = match.table, match.signals
    titles = signals.axis.titles(signals.n_maps)[:_MOST_MAPS]
    keys = signals.keys or [f"column {number}" for number in range(1, signals.n_regions + 1)]
    rows: list[list[object]] = []
    for row in _shown_rows(len(table)):
        column = int(match.columns[row])
        cells = [int(table.labels[row]), table.unique_names[row]]
        if column < 0:
            rows.append([*cells, *[None] * (1 + len(titles))])
        else:
            values = signals.values[: len(titles), column].tolist()
            rows.append([*cells, keys[column], *values])
    return report + _table(["label", "region", "value of", *titles], rows, len(table))


def _of_regions(table: RegionTable) -> str:
    """Return a region table, without rows in the middle where there are many."""
    further = table.other_columns
    rows = [
        [int(table.labels[row]), table.names[row], *(cells[row] for cells in further.values())]
        for row in _shown_rows(len(table))
    ]
    return _table(["index", "name", *further], rows, len(table))


def _of_signals(signals: Signals) -> str:
    """Return values that do not know their regions, a row for each."""
    titles = signals.axis.titles(signals.n_maps)[:_MOST_MAPS]
    of_regions = signals.region_columns()
    shown = _shown_rows(signals.n_regions)
    values = signals.values[: len(titles), shown].T.tolist()
    rows = [
        [*(cells[row] for cells in of_regions.values()), *numbers]
        for row, numbers in zip(shown, values, strict=True)
    ]
    n_more = signals.n_maps - len(titles)
    more = f", of which the first {len(titles)} are shown" if n_more else ""
    title = f"<p>{plural(signals.n_maps, 'map')}{more}</p>"
    return title + _table([*of_regions, *titles], rows, signals.n_regions)


def _shown_rows(n_rows: int) -> list[int]:
    """Return which rows of a table are shown: the first and the last."""
    if n_rows <= _MOST_ROWS:
        return list(range(n_rows))
    half = _MOST_ROWS // 2
    return [*range(half), *range(n_rows - half, n_rows)]


def _table(titles: Sequence[str], rows: Sequence[Sequence[object]], n_rows: int) -> str:
    """Return a table of rows, and in their middle how many are left out."""
    head = _row([f'<th style="{_CELL}left">{html.escape(title)}</th>' for title in titles])
    body = [_row(map(_cell, cells)) for cells in rows]
    n_left_out = n_rows - len(rows)
    if n_left_out:
        line = f'<td colspan="{len(titles)}" style="{_CELL}center">… {n_left_out:,} more …</td>'
        body.insert(len(rows) // 2, _row([line]))
    lines = "".join(body)
    return f'<table style="{_TABLE}"><thead>{head}</thead><tbody>{lines}</tbody></table>'


def _row(cells: Iterable[str]) -> str:
    return f"<tr>{''.join(cells)}</tr>"


def _cell(cell: object) -> str:
    side = "right" if isinstance(cell, int | float) else "left"
    is_missing = cell is None or (isinstance(cell, float) and math.isnan(cell))
    text = "n/a" if is_missing else str(cell)
    return f'<td style="{_CELL}{side}">{html.escape(text)}</td>'
