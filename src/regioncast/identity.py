"""Where signals meet regions.

A value reaches its region by identity: by the region's name, its label, or another column
of the region table that tells regions apart.  Only signals without keys are matched by
position, in ascending order of label, and then the counts must agree.  Nothing else in this
package pairs values with regions.

A *key* is what a value is called by.  Which regions it stands for, `atlas.identities` says; `Match`
says what goes where and what does not.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .atlas.affixes import shared_affixes
from .atlas.hemispheres import LEFT, RIGHT, side_of
from .atlas.identities import LABEL, NAME, Identities, Naming, label_of, near_misses
from .atlas.no_region import names_background, names_no_region
from .errors import N_EXAMPLES, MatchError, examples, plural
from .notebook import ShownInNotebooks
from .signals import Key, Signals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .atlas.region_table import RegionTable

Missing = Literal["raise", "fill"]
Extra = Literal["raise", "ignore"]

# So many keys are tried without what they have in common.
_TRIED_KEYS = 500

# --- from keys to columns ------------------------------------------------------------------------


def matched(signals: Signals, identities: Identities, by: str = "auto") -> Match:
    """Find for each region the column of signals that holds its values.

    Parameters
    ----------
    signals : Signals
    identities : Identities
    by : str, default="auto"
        ``"name"``, ``"label"``, ``"position"``, or the title of a column of the region table.
        ``"auto"`` is ``"position"`` where signals have no keys, else what names most regions.

    Examples
    --------
    >>> from regioncast.atlas.region_table import RegionTable
    >>> identities = Identities(RegionTable([3, 7], ["V1", "V2"]))
    >>> print(matched(Signals([1.0, 2.0], keys=["V2", "v1"]), identities))
    matched  1 of 2 regions by name, 1 map
    missing  1: 'V1'
    unused   1: 'v1'
             did you mean 'V1' for 'v1'?
    """
    table = identities.table
    columns = np.full(len(table), -1)
    if by == "auto" and signals.keys is None:
        by = "position"
    if by == "position":
        problem = _position_problem(signals, identities)
        if not problem:
            columns = np.arange(len(table))
    elif signals.keys is None:
        problem = f"by={by!r} needs keys, and these values have none"
    else:
        problem = by_problem(by, identities)
        if not problem:
            naming = identities.naming(signals.keys, by)
            by = naming.by
            problem = _naming_problem(naming, identities)
            # What names nothing for sure goes nowhere, also where only some keys are in doubt.
            if not problem:
                for column, rows in enumerate(naming.rows):
                    columns[rows] = column
    return Match(signals, table, by, columns, identities.has_samples, problem, identities.noun)


def may_paint(naming: Naming, identities: Identities) -> bool:
    """Return whether keys name a region, and none is empty, stands twice or is in doubt."""
    if not naming.n_regions or "" in naming.keys:
        return False
    by = naming.by if identities.knows(naming.by) else "auto"
    return not (by_problem(by, identities) or _naming_problem(naming, identities))


def count_problem(shape: tuple[int, ...], n_expected: int, expected: str) -> str:
    """Return what is wrong with values of `shape` for `n_expected` regions, or ``""``.

    Examples
    --------
    >>> count_problem((7,), 3, "3 regions")
    'values of shape (7,) have 7 values for 3 regions'
    """
    if shape[-1] == n_expected:
        return ""
    noun = "value" if len(shape) == 1 else "column"
    problem = f"values of shape {shape} have {plural(shape[-1], noun)} for {expected}"
    if len(shape) == 2 and shape[0] == n_expected:
        problem += "; they look transposed: turn them (values.T)"
    return problem


def _position_problem(signals: Signals, identities: Identities) -> str:
    # The shape as it was given: a single map has one dimension, and is kept with two.
    shape = signals.values.shape[1:] if signals.single else signals.values.shape
    labels = identities.table.labels
    problem = count_problem(shape, len(labels), plural(len(labels), "region"))
    if not problem:
        return ""
    if shape[-1] == identities.n_present:
        problem += "; it is the count of regions that have voxels, and the others need one too"
    elif shape[-1] == labels.max() and labels.min() > 0:
        n = f"{shape[-1]:,}"
        return (
            f"{problem}; {n} is the highest label, so there seems to be one for each number from "
            f"1, and of these only {examples(labels.tolist())} are regions. Give those alone: "
            "values[..., parcellation.table.labels - 1]; or, in text, write the numbers from 1 to "
            f"{n} in a row above them and say that (--by label --extra ignore)"
        )
    return (
        f"{problem}. Give one per region in ascending order of label "
        f"({labels.min()} … {labels.max()}), or key the values by name or label"
    )


def by_problem(by: str, identities: Identities) -> str:
    """Return what is wrong with what regions are to be called by, or ``""``."""
    if by == "auto" or identities.knows(by):
        return ""
    columns = [NAME, LABEL, *identities.table.columns]
    return f"the region table has no column {by!r}; it has {examples(columns)}"


def _naming_problem(naming: Naming, identities: Identities) -> str:
    if naming.twice:
        return (
            f"{plural(len(naming.twice), 'key')} given more than once: {examples(naming.twice)}. "
            "Give each region once; of a table with a better column of keys, pass key= (--key)"
        )
    return (
        naming.problem or _shared_problem(naming, identities) or _start_problem(naming, identities)
    )


def _shared_problem(naming: Naming, identities: Identities) -> str:
    """Return what is wrong where a key stands for several regions, or several keys for one."""
    shared = {
        key: rows
        for key, rows in zip(naming.keys, naming.rows, strict=True)
        if len(rows) > 1 and identities.has_samples[rows].any()
    }
    if shared:
        return _shared_by_regions(shared, naming.by, identities.table)
    # Two spellings, as "lh_V1" and "V1_L", are two keys of one region.
    first_key: dict[int, Key] = {}
    for key, rows in zip(naming.keys, naming.rows, strict=True):
        for row in rows:
            if row in first_key:
                return (
                    f"the keys {first_key[row]!r} and {key!r} both stand for the region "
                    f"{identities.table.unique_names[row]!r}. Give each region once"
                )
            first_key[row] = key
    return ""


def _shared_by_regions(shared: Mapping[Key, list[int]], by: str, table: RegionTable) -> str:
    key, rows = next(iter(shared.items()))
    names = [table.unique_names[row] for row in rows]
    labels = list(map(str, table.labels[rows].tolist()))
    if table.hemispheres is not None:
        labels = [f"{table.hemispheres[row]}:{table.labels[row]}" for row in rows]
    sides = table.sides or [None] * len(table)
    are_sided = {sides[row] for row in rows} == {LEFT, RIGHT}
    # What they are called with their hemispheres, by which they may be told apart.
    sided = {NAME: names, LABEL: labels}
    if are_sided and by in sided and len(set(names)) == len(names):
        told_apart = examples(names)
        advice = (
            f"Write the hemisphere before it ({sided[by][0]}), or give the table of values a "
            "column 'hemisphere'"
        )
    else:
        told_apart = f"labels {examples(labels)}".replace("'", "")
        advice = f"Key the values by label ({labels[0]}), or by a column that tells regions apart"
    return (
        f"{plural(len(shared), by)} {'stands' if len(shared) == 1 else 'stand'} for more than "
        f"one region: {examples(shared)} ({key!r} for {told_apart}). {advice}"
    )


def _start_problem(naming: Naming, identities: Identities) -> str:
    """Return what is wrong where labels count from 0 and those of the image from 1, or the like."""
    # Only labels are counted, and those of two hemispheres begin twice.
    if naming.by != LABEL or identities.table.hemispheres is not None:
        return ""
    labels = [label for key in naming.keys if (label := label_of(str(key))) is not None]
    present = identities.table.labels[identities.has_samples]
    problem = start_problem(labels, present.tolist(), zero_is_region=None)
    background = "; if 0 is the background, remove it" if 0 in labels else ""
    return problem and (
        f"the table of values {problem}. Add the difference to its labels, or leave them out: "
        f"values alone go to the regions in ascending order of label{background}"
    )


def start_problem(
    given: Sequence[int], labels: Sequence[int], *, zero_is_region: bool | None = False
) -> str:
    """Return what is wrong where labels of a table miss those of the image by a constant.

    Parameters
    ----------
    given : sequence of int
        Labels of a table.
    labels : sequence of int
        Those of the image, without the background.
    zero_is_region : bool or None, default=False
        Whether the row of 0 is called a region, which the image does not have; None: nobody knows.

    Examples
    --------
    >>> print(start_problem([0, 1, 2], [1, 2, 3]))
    counts from 0 and the image from 1: 1 row without a label of the image (0), 1 label ...
    """
    if not given or not labels:
        return ""
    in_image, in_table = set(labels), set(given)
    shift = min(in_image) - min(in_table)
    if not shift:
        return ""
    n_fitting = len(in_image & in_table)
    n_shifted = len(in_image & {label + shift for label in in_table})
    # A single label is some constant away from any other, which says nothing.
    is_missed = n_fitting < n_shifted == len(in_image) > 1
    # A row of 0 is lost beside labels from 1.  If it is called a region, as many fits by the shift
    # as without are enough to doubt the table.  If nobody knows, it may be the background above
    # a table that is right, so it takes more.
    n_suspicious = {True: n_fitting, None: n_fitting + 1, False: math.inf}[zero_is_region]
    is_swallowed = shift == 1 and 0 in in_table and n_shifted >= n_suspicious
    if not is_missed and not is_swallowed:
        return ""
    lost, unnamed = sorted(in_table - in_image), sorted(in_image - in_table)
    return (
        f"counts from {min(in_table)} and the image from {min(in_image)}: "
        f"{plural(len(lost), 'row')} without a label of the image ({examples(lost)}), "
        f"{plural(len(unnamed), 'label')} of the image without a row ({examples(unnamed) or '-'})"
    )


# --- what goes where -----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Match(ShownInNotebooks):
    """What goes where, and what does not: the result of matching signals to regions.

    Parameters
    ----------
    signals : Signals
    table : RegionTable
        The regions of the parcellation.
    by : str
        ``"name"``, ``"label"``, ``"position"``, or the title of the column of the region
        table that identified the regions; ``""`` where nothing could.
    columns : array of int, shape (n_regions,)
        For each region the column of `signals` with its values; -1 where there is none.
    has_voxels : array of bool, shape (n_regions,)
        A region without voxels misses nothing, and no value reaches it.
    problem : str
        Why no painting is possible whatever is missing or unused; ``""`` where it is.
    noun : str, default="voxel"
        What a sample of a region is called.
    """

    signals: Signals
    table: RegionTable
    by: str
    columns: NDArray[np.intp]
    has_voxels: NDArray[np.bool_]
    problem: str = ""
    noun: str = "voxel"

    @property
    def n_matched(self) -> int:
        """Number of regions that have voxels and get a value."""
        return int(np.count_nonzero((self.columns >= 0) & self.has_voxels))

    @property
    def n_regions(self) -> int:
        """Number of regions that have voxels."""
        return int(np.count_nonzero(self.has_voxels))

    @property
    def n_values(self) -> int:
        """Number of values of a map that reach a voxel."""
        used = self.columns[(self.columns >= 0) & self.has_voxels]
        return len(np.unique(used))

    @property
    def brief(self) -> str:
        """How many values reach how many regions, and by what, in a few words."""
        return (
            f"{plural(self.n_values, 'value')} in {self.n_matched:,} of {self.n_regions:,} regions "
            f"by {self.by}"
        )

    @cached_property
    def missing(self) -> list[str | int]:
        """Regions that have voxels and get no value, as names, or as labels."""
        if self.problem:
            return []
        rows = np.flatnonzero((self.columns < 0) & self.has_voxels)
        return [self._identity(row) for row in rows.tolist()]

    @cached_property
    def unused(self) -> list[Key]:
        """Keys of the signals that no region has, but for those of the background."""
        if self.signals.keys is None or self.problem:
            return []
        used = set(self.columns.tolist())
        return [
            key
            for column, key in enumerate(self.signals.keys)
            if column not in used and not self._is_background(key)
        ]

    def _is_background(self, key: Key) -> bool:
        """Return whether a key is called as the background is, or is 0 beside all labels.

        Labels that count from 0 have 0 too, and then lack another.
        """
        if isinstance(key, str) and key != "0":
            return names_background(key)
        return self.by == LABEL and str(key) == "0" and not self.missing

    @cached_property
    def unreached(self) -> list[Key]:
        """Keys of the signals whose region has no voxel."""
        if self.signals.keys is None or self.problem:
            return []
        # Several regions may share a key.
        columns = np.unique(self.columns[(self.columns >= 0) & ~self.has_voxels])
        return [self.signals.keys[column] for column in columns.tolist()]

    @cached_property
    def near_misses(self) -> dict[str, str]:
        """For keys that reach nothing, the region without a value that is named most alike.

        Each region once, and never one of the other hemisphere.
        """
        # Labels have no near ones: 17 is no misspelling of 18.
        if self.by in (LABEL, "position"):
            return {}
        keys = [str(key) for key in [*self.unused, *self.unreached]]
        names = [str(region) for region in self.missing]
        # Of one hemisphere alone, the names do not say which it is.
        rows = np.flatnonzero((self.columns < 0) & self.has_voxels).tolist()
        of_rows = self.table.sides or [None] * len(self.table)
        sides = {name: of_rows[row] for name, row in zip(names, rows, strict=False)}
        near = near_misses(keys, names)
        return {
            k: name for k, name in near.items() if {side_of(k)[0], sides[name]} != {LEFT, RIGHT}
        }

    def check(self, missing: Missing = "raise", extra: Extra = "raise") -> None:
        """Raise where something does not match and is not allowed to.

        Parameters
        ----------
        missing : {"raise", "fill"}, default="raise"
            Whether regions that have voxels may be without a value.
        extra : {"raise", "ignore"}, default="raise"
            Whether there may be keys that no region has.

        Raises
        ------
        MatchError
            Its message shows both sides, and its `match` is this one.
        """
        if self.problem:
            raise MatchError(f"Values do not match the regions.\n{self}", self)
        # An image without any value is an error, whatever may be missing or extra.
        if not self.n_matched:
            raise MatchError(
                f"Values do not match the regions: {self._nothing_matched()}.\n"
                f"{self}\nlabels   {examples(self.table.labels.tolist())}",
                self,
            )
        complaints, ways = [], []
        if self.missing and missing == "raise":
            complaints.append(f"{plural(len(self.missing), 'region')} without a value")
            ways.append("missing='fill' (--missing fill) to give such regions the fill value")
        if self.unused and extra == "raise":
            complaints.append(f"{plural(len(self.unused), 'key')} that no region has")
            ways.append("extra='ignore' (--extra ignore) to leave such keys out")
        if complaints:
            raise MatchError(
                f"Values do not match the regions: {'; '.join(complaints)}.\n{self}\n"
                f"Correct the keys, or pass {' and '.join(ways)}.",
                self,
            )

    def take(self) -> Signals:
        """Return the signals of the matched regions in the order of the region table."""
        rows = np.flatnonzero(self.columns >= 0)
        return Signals(
            self.signals.values[:, self.columns[rows]],
            [self.table.unique_names[row] for row in rows.tolist()],
            labels=self.table.labels[rows].tolist(),
        ).changed(axis=self.signals.axis)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        return {
            "matched_by": self.by if self.n_matched else None,
            "n_regions": len(self.table),
            "n_columns": self.signals.n_regions,
            "n_maps": self.signals.n_maps,
            "map_names": list(self.signals.map_names or ()) or None,
            "n_values": self.n_values,
            "n_matched": self.n_matched,
            "missing": self.missing,
            "unused": self.unused,
            "unreached": self.unreached,
            "near_misses": self.near_misses,
            "problem": self.problem or None,
        }

    def __str__(self) -> str:
        if self.problem:
            counts = (
                f"{plural(self.signals.n_regions, 'column')} of values, "
                f"{plural(len(self.table), 'region')}, {plural(self.signals.n_maps, 'map')}"
            )
            return f"matched  nothing: {counts}\nproblem  {self.problem}"
        return "\n".join([*self._report(), *self._hints()])

    __repr__ = __str__

    def _identity(self, row: int) -> str | int:
        if self.by == LABEL and self.table.hemispheres is None:
            return int(self.table.labels[row])
        if self.by in self.table.columns and self.table.columns[self.by][row] is not None:
            return str(self.table.columns[self.by][row])
        return self.table.unique_names[row]

    def _nothing_matched(self) -> str:
        """Return why no value is painted: no key is known, keys are of another kind, or no voxel.

        Keys are of another kind where they are names, say, and were asked to be labels.
        """
        if self.unreached:
            return (
                f"no value reaches a {self.noun}: the regions of {examples(self.unreached)} "
                f"have none in the labels image"
            )
        identities = Identities(self.table)
        keys = self.signals.keys or ()
        for by in (NAME, LABEL):
            naming = identities.naming(keys, by)
            if by != self.by and naming.n_regions:
                n_found = naming.n_regions
                return (
                    f"no key is the {self.by} of a region, but {n_found:,} of them "
                    f"{'is' if n_found == 1 else 'are'} the {by}. Pass by={by!r} (--by {by})"
                )
        return f"no key is the name or label of a region{self._what_keys_look_like(identities)}"

    def _what_keys_look_like(self, identities: Identities) -> str:
        """Return what keys that name nothing may be, and what to do then."""
        keys = self.signals.keys or ()
        hint = nearly_named(keys, identities)
        if hint:
            return f"; {hint}"
        if self.signals.n_maps != len(self.table):
            if list(keys) != list(range(1, len(self.table) + 1)):
                return ""
            return (
                f", but they count from 1 to {len(keys):,}, the number of regions. If these are in "
                "ascending order of label, pass by='position' (--by position)"
            )
        if self.signals.n_regions == len(self.table):
            return ""
        return (
            f", but each of the {plural(self.signals.n_regions, 'key')} has "
            f"{plural(self.signals.n_maps, 'value')}, one per region, so that they look like "
            "maps. Give pandas.DataFrame(values, index=names), with the names of the regions"
        )

    def _report(self) -> list[str]:
        counts = f"{self.n_matched:,} of {plural(self.n_regions, 'region')}"
        maps = plural(self.signals.n_maps, "map")
        if self.signals.map_names is not None:
            maps += f": {examples(self.signals.map_names, show=3)}"
        lines = [f"matched  {counts} by {self.by}, {maps}"]
        if self.missing:
            lines.append(f"missing  {len(self.missing):,}: {examples(self.missing)}")
        if self.unused:
            lines.append(f"unused   {len(self.unused):,}: {examples(self.unused)}")
        if self.unreached:
            lines.append(
                f"lost     {len(self.unreached):,}: {examples(self.unreached)}; the labels image "
                f"has no {self.noun} of {'it' if len(self.unreached) == 1 else 'them'}"
            )
        n_absent = len(self.table) - self.n_regions
        if n_absent:
            lines.append(f"absent   {plural(n_absent, 'region')} without a {self.noun}")
        return lines

    def _hints(self) -> list[str]:
        pairs = list(self.near_misses.items())[:N_EXAMPLES]
        lines = [f"         did you mean {name!r} for {key!r}?" for key, name in pairs]
        of_none = [key for key in self.unused if isinstance(key, str) and names_no_region(key)]
        if of_none:
            lines.append(
                f"         {examples(of_none)}: by this name background, unless "
                "load_parcellation(…, background=…) (--background) says which label is"
            )
        return lines


# --- keys that nearly name regions ---------------------------------------------------------------


def nearly_named(
    keys: Sequence[Key],
    identities: Identities,
    finds: Callable[[Identities], bool] = lambda _: True,
) -> str:
    """Return what to do about keys that name nothing, where they nearly do, or ``""``.

    They may be groups: cells of a column that repeats itself.  Or they share something beside the
    names, without which others find regions, as `finds` tells.
    """
    for title in identities.table.columns:
        naming = identities.naming(keys, title)
        if keys and all(naming.rows) and naming.n_shared:
            return (
                f"all {plural(len(keys), 'key')} are cells of the column {title!r} of the region "
                "table, where one cell stands for several regions; to paint all regions of each, "
                f"pass by={title!r} (--by {shlex.quote(title)})"
            )
    ways = list(filter(finds, best_affixes(keys[:_TRIED_KEYS], identities)))
    if not ways:
        return ""
    naming = ways[0].naming(keys)
    passed = []
    for way in ways[:N_EXAMPLES]:
        strip = repr(way.strip[0] if len(way.strip) == 1 else list(way.strip))
        in_shell = " ".join(f"--strip={shlex.quote(affix)}" for affix in way.strip)
        passed.append(f"strip={strip} ({in_shell})")
    return (
        f"{naming.n_regions:,} of {plural(len(keys), 'key')} name regions by {naming.by} without "
        f"{examples(ways[0].strip)}; pass {', or '.join(passed)}"
    )


def best_affixes(keys: Sequence[Key], identities: Identities) -> list[Identities]:
    """Return the same regions for keys without what they share, where most of these name one.

    Of several ways those that cut less; none where keys would not paint all the same, or go to the
    other hemisphere.
    """
    n_named: dict[tuple[str, ...], int] = {}
    for affixes in shared_affixes(keys):
        naming = identities.stripping(affixes).naming(keys)
        shorter = [n_named[other] for other in n_named if set(other) <= set(affixes)]
        is_more = naming.n_regions > max([1, *shorter])
        if is_more and may_paint(naming, identities) and identities.keep_sides(keys, naming.rows):
            n_named[affixes] = naming.n_regions
    most = max(n_named.values(), default=0)
    return [identities.stripping(affixes) for affixes, n in n_named.items() if n == most]
