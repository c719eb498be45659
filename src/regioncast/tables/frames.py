"""What a DataFrame says beside its cells: its titles, and in pandas its index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def index_levels(frame: Any) -> list[tuple[Any, NDArray[Any]]]:
    """Return the index of a DataFrame, level by level, unless it merely counts the rows.

    A level without a name has the title ``""``: it may be what a selection of rows left behind.
    """
    index = getattr(frame, "index", None)
    if index is None or not hasattr(index, "get_level_values") or counts_rows(index):
        return []
    return [
        ("" if name is None else name, index.get_level_values(level).to_numpy())
        for level, name in enumerate(index.names)
    ]


def counts_rows(index: Any) -> bool:
    """Return whether a pandas index merely counts the rows, from 0."""
    return index.names == [None] and list(index) == list(range(len(index)))


def titles_of_frame(frame: Any) -> list[str]:
    """Return the titles of the columns of a DataFrame of pandas or polars, or a pyarrow table."""
    return [str(title) for title in getattr(frame, "column_names", frame.columns)]
