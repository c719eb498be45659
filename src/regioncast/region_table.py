"""The region table: who the regions of a parcellation are.

A *label* is the integer that stands for a region in a labels image; a *name* is what people
call it.  A region table has one row per region, in ascending order of label, and may have
any other column (BIDS ``dseg.tsv`` has ``index``, ``name``, ``abbreviation``, ``color`` and
``mapping``).  Labels are unique; names need not be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .errors import RegionTableError, examples, plural

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


class Region(NamedTuple):
    """One row of a region table."""

    label: int
    name: str


@dataclass(frozen=True, eq=False)
class RegionTable:
    """Labels, names and other columns of regions, in ascending order of label.

    Rows given in another order are sorted.

    Parameters
    ----------
    labels : sequence of int, shape (n_regions,)
        Unique.
    names : sequence of str, shape (n_regions,), default=None
        The labels as text when not given.
    columns : mapping of str to sequence, default=None
        Other columns, each of shape (n_regions,).

    Raises
    ------
    RegionTableError
        When a label stands twice, or lengths differ.

    Examples
    --------
    >>> table = RegionTable([20, 7], ["V2", "V1"], {"hemisphere": ["L", "R"]})
    >>> list(table)
    [Region(label=7, name='V1'), Region(label=20, name='V2')]
    >>> table.columns["hemisphere"]
    ('R', 'L')
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]
    columns: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)

    def __init__(
        self,
        labels: Sequence[int] | NDArray[Any],
        names: Sequence[str] | None = None,
        columns: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        ids = np.array(labels, dtype=np.int64).reshape(-1)
        named = [str(label) for label in ids.tolist()] if names is None else list(names)
        others = {} if columns is None else dict(columns)
        for title, column in [("name", named), *others.items()]:
            if len(column) != len(ids):
                raise RegionTableError(
                    f"The column {title!r} has {plural(len(column), 'row')}, "
                    f"the labels have {len(ids):,}."
                )
        _check_unique(ids)
        order = np.argsort(ids, kind="stable").tolist()
        ids = ids[order]
        ids.flags.writeable = False
        object.__setattr__(self, "labels", ids)
        object.__setattr__(self, "names", tuple(named[row] for row in order))
        object.__setattr__(
            self,
            "columns",
            {title: tuple(column[row] for row in order) for title, column in others.items()},
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Region]:
        return map(Region, self.labels.tolist(), self.names)

    def without(self, label: float) -> RegionTable:
        """Return the table without the row of `label`, if it has one."""
        return self.take(np.flatnonzero(self.labels != label))

    def take(self, rows: NDArray[np.intp]) -> RegionTable:
        """Return the table of these rows."""
        return RegionTable(
            self.labels[rows],
            [self.names[row] for row in rows],
            {title: [column[row] for row in rows] for title, column in self.columns.items()},
        )

    def with_labels(self, labels: NDArray[np.int64]) -> RegionTable:
        """Return the table with a row for each further label, named by it.

        Other columns are ``None`` there.
        """
        new = np.setdiff1d(labels, self.labels)
        if not len(new):
            return self
        return RegionTable(
            np.concatenate([self.labels, new]),
            [*self.names, *(str(label) for label in new.tolist())],
            {title: [*column, *[None] * len(new)] for title, column in self.columns.items()},
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return the columns ``index``, ``name`` and the others, as in a BIDS ``dseg.tsv``."""
        import pandas as pd

        return pd.DataFrame({"index": self.labels, "name": list(self.names), **self.columns})


def _check_unique(labels: NDArray[np.int64]) -> None:
    found, counts = np.unique(labels, return_counts=True)
    if len(found) < len(labels):
        twice = found[counts > 1]
        raise RegionTableError(
            f"{plural(len(twice), 'label')} in the region table "
            f"{'stands' if len(twice) == 1 else 'stand'} in more than one row: "
            f"{examples(twice.tolist())}. Each region needs one row; remove or renumber the others."
        )
