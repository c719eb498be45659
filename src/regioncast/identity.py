"""Where signals meet regions.

A value reaches its region by identity: by the region's name, its label, or another column
of the region table that tells regions apart.  Only signals without keys are matched by
position, in ascending order of label, and then the counts must agree.  Nothing else in this
package pairs values with regions.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .atlas.hemispheres import HEMISPHERE_TITLE
from .atlas.no_region import names_no_region
from .errors import N_EXAMPLES, MatchError, examples, plural
from .signals import Key, Signals

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .atlas.region_table import RegionTable

Missing = Literal["raise", "fill"]
Extra = Literal["raise", "ignore"]

# How alike (difflib's ratio) a key and a name must be for "did you mean".
_NEAR = 0.75

# How people write the hemisphere before or after a name.
_SIDES = (("L", "R"), ("lh", "rh"), ("LH", "RH"), ("left", "right"), ("Left", "Right"))
_JOINTS = (":", "_", "-", ".", " ")
_FREESURFER = ("ctx-{side}-{name}", "ctx_{side}_{name}")

QUALIFIED_NAME, QUALIFIED_LABEL = "hemisphere:name", "hemisphere:label"
"""What identifies a region where hemispheres share names or labels: ``L:V1`` and ``L:5``."""

# No label has more digits; Python itself reads no integer of more than 4,300.
_MAX_DIGITS = 1000

# So many keys at most are compared with all names letter by letter, and so many comparisons of
# a key with a name are made, each of which takes some microseconds.
_COMPARED_KEYS = 20
_COMPARISONS = 20_000


@dataclass(frozen=True, eq=False)
class Match:
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
    problem : str
        Why no painting is possible whatever is missing or unused; ``""`` where it is.
    has_voxels : array of bool, shape (n_regions,)
        A region without voxels misses nothing.
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
        """Number of regions that get values."""
        return int(np.count_nonzero(self.columns >= 0))

    @property
    def brief(self) -> str:
        """How many regions get values, and by what, in a few words."""
        return f"{self.n_matched:,} of {len(self.table):,} regions by {self.by}"

    @cached_property
    def missing(self) -> list[str | int]:
        """Regions that have voxels and get no value, as names, or as labels."""
        if self.problem:
            return []
        rows = np.flatnonzero((self.columns < 0) & self.has_voxels)
        return [self._identity(row) for row in rows.tolist()]

    @cached_property
    def unused(self) -> list[Key]:
        """Keys of the signals that no region has."""
        if self.signals.keys is None or self.problem:
            return []
        used = set(self.columns.tolist())
        return [key for column, key in enumerate(self.signals.keys) if column not in used]

    @cached_property
    def near_misses(self) -> dict[str, str]:
        """For unused keys, the region without a value that is named most alike, each once."""
        names = [str(region) for region in self.missing]
        keys = [str(key) for key in self.unused]
        if self.by == "label":
            return {}
        by_folded = {_folded(name): name for name in names}
        same = [key for key in keys if _folded(key) in by_folded]
        found = {key: by_folded.pop(_folded(key)) for key in same if _folded(key) in by_folded}
        n_compared = min(_COMPARED_KEYS, _COMPARISONS // max(1, len(by_folded)))
        for key in [key for key in keys if key not in found][:n_compared]:
            near = difflib.get_close_matches(_folded(key), by_folded, n=1, cutoff=_NEAR)
            if near:
                found[key] = by_folded.pop(near[0])
        return found

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
            map_names=self.signals.map_names,
            t_r=self.signals.t_r,
            series=self.signals.series,
            single=self.signals.single,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        return {
            "matched_by": self.by if self.n_matched else None,
            "n_regions": len(self.table),
            "n_columns": self.signals.n_regions,
            "n_maps": self.signals.n_maps,
            "n_matched": self.n_matched,
            "missing": self.missing,
            "unused": self.unused,
            "near_misses": self.near_misses,
            "problem": self.problem or None,
        }

    def __str__(self) -> str:
        return "\n".join([*(self._failure() if self.problem else self._report()), *self._hints()])

    __repr__ = __str__

    @cached_property
    def _identities(self) -> dict[str, Sequence[Hashable]]:
        return identities_of(self.table)

    def _identity(self, row: int) -> str | int:
        if self.by == "label" and self.table.hemispheres is None:
            return int(self.table.labels[row])
        if self.by in ("name", "label", "position"):
            return self.table.unique_names[row]
        return str(self._identities[self.by][row])

    def _nothing_matched(self) -> str:
        """Return why no region has a value: no key is known, or the keys are of another kind.

        That is the case where they are names, say, and were asked to be labels.
        """
        given = self.signals.keys or ()
        keys = [*given, *(as_integers(given) or [])]
        for by in ("name", "label"):
            n_found = _n_found(keys, self._identities[by])
            if by != self.by and n_found:
                return (
                    f"no key is the {self.by} of a region, but {n_found:,} of them "
                    f"{'is' if n_found == 1 else 'are'} the {by}. Pass by={by!r} (--by {by})"
                )
        nothing = "no key is the name or label of a region"
        if self.signals.n_maps == len(self.table) != self.signals.n_regions:
            return (
                f"{nothing}, but each of the {plural(self.signals.n_regions, 'key')} has "
                f"{plural(self.signals.n_maps, 'value')}, one per region, so that they look like "
                "maps. Give pandas.DataFrame(values, index=names), with the names of the regions"
            )
        return nothing

    def _failure(self) -> list[str]:
        counts = (
            f"{plural(self.signals.n_regions, 'column')} of values, "
            f"{plural(len(self.table), 'region')}, {plural(self.signals.n_maps, 'map')}"
        )
        return [f"matched  nothing: {counts}", f"problem  {self.problem}"]

    def _report(self) -> list[str]:
        counts = f"{self.n_matched:,} of {plural(len(self.table), 'region')}"
        lines = [f"matched  {counts} by {self.by}, {plural(self.signals.n_maps, 'map')}"]
        if self.missing:
            lines.append(f"missing  {len(self.missing):,}: {examples(self.missing)}")
        if self.unused:
            lines.append(f"unused   {len(self.unused):,}: {examples(self.unused)}")
        if not self.has_voxels.all():
            absent = int(np.count_nonzero(~self.has_voxels))
            lines.append(f"absent   {plural(absent, 'region')} without a {self.noun}")
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


def match(
    signals: Signals,
    table: RegionTable,
    *,
    by: str = "auto",
    has_voxels: NDArray[np.bool_] | None = None,
    noun: str = "voxel",
) -> Match:
    """Find for each region the column of `signals` that is its own.

    Never raises for values that do not match: see `Match.check`.

    Parameters
    ----------
    signals : Signals
    table : RegionTable
    by : str, default="auto"
        ``"name"``, ``"label"``, ``"position"`` or the title of a column of `table`;
        ``"auto"``: by position where signals have no keys; by label where keys are integers,
        or text that are integers and no names; else by name, or by the column of `table`
        that has more of the keys.
    has_voxels : array of bool, shape (n_regions,), default=None
        All have when not given.
    noun : str, default="voxel"
        What a sample of a region is called.

    Returns
    -------
    Match

    Examples
    --------
    >>> from regioncast.atlas.region_table import RegionTable
    >>> table = RegionTable([3, 7], ["V1", "V2"])
    >>> print(match(Signals([1.0, 2.0], keys=["V2", "v1"]), table))
    matched  1 of 2 regions by name, 1 map
    missing  1: 'V1'
    unused   1: 'v1'
             did you mean 'V1' for 'v1'?
    """
    if has_voxels is None:
        has_voxels = np.ones(len(table), bool)
    if by == "position" or (by == "auto" and signals.keys is None):
        problem = _position_problem(signals, table, has_voxels)
        by, columns = "position", np.arange(len(table))
    else:
        by, columns, problem = _match_keys(signals.keys, table, by, has_voxels)
    if problem:
        columns = np.full(len(table), -1)
    return Match(signals, table, by, columns, has_voxels, problem, noun)


def _match_keys(
    keys: Sequence[Key] | None, table: RegionTable, by: str, has_voxels: NDArray[np.bool_]
) -> tuple[str, NDArray[np.intp], str]:
    """Return what identifies the regions, the column of each, and what makes that impossible."""
    identities = identities_of(table)
    keys = keys and _of_one_kind(as_spelt(keys, identities), identities)
    asked = by
    problem = _key_problem(keys, by, identities)
    if problem or keys is None:
        return by, np.empty(0, np.intp), problem
    by, chosen = _choose(keys, identities, by)
    column_of: dict[Hashable, int] = {key: column for column, key in enumerate(chosen)}
    columns = np.array([column_of.get(identity, -1) for identity in identities[by]], np.intp)
    problem = _mixed_problem(chosen, by, identities)
    if not problem and asked == "auto":
        problem = _other_names_problem(chosen, by, identities)
    problem = problem or _shared_problem(chosen, by, identities, has_voxels)
    if not problem and asked == "auto":
        problem = _contrary_problem(keys, table)
    return by, columns, problem


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


def _position_problem(signals: Signals, table: RegionTable, has_voxels: NDArray[np.bool_]) -> str:
    shape = signals.values.shape[1:] if signals.single else signals.values.shape
    problem = count_problem(shape, len(table), plural(len(table), "region"))
    n_present = int(np.count_nonzero(has_voxels))
    if problem and shape[-1] == n_present:
        problem += "; it is the count of regions that have voxels, and the others need one too"
    if problem:
        problem += (
            ". Give one per region in ascending order of label "
            f"({table.labels.min()} … {table.labels.max()}), or key the values by name or label"
        )
    return problem


def _key_problem(
    keys: Sequence[Key] | None, by: str, identities: Mapping[str, Sequence[Hashable]]
) -> str:
    if keys is None:
        return f"by={by!r} needs keys, and these values have none"
    if not keys:
        return "there are no values"
    if by != "auto" and by not in identities:
        return f"the region table has no column {by!r}; it has {examples(identities)}"
    twice = [key for key, times in Counter(keys).items() if times > 1]
    if twice:
        return (
            f"{plural(len(twice), 'key')} given more than once: {examples(twice)}. Give each "
            "region once; of a table with a better column of keys, pass key= (--key)"
        )
    text = [key for key in keys if isinstance(key, str)]
    numbers = [key for key in keys if not isinstance(key, str)]
    return _two_kinds(text, numbers) if text and numbers else ""


def _of_one_kind(keys: Sequence[Key], identities: Mapping[str, Sequence[Hashable]]) -> list[Key]:
    """Return keys with integers among names as names, where that is what their region is called."""
    pairs = set(zip(identities["name"], identities["label"], strict=True))
    is_mixed = any(isinstance(key, str) for key in keys)
    return [
        str(key) if is_mixed and isinstance(key, int) and (str(key), key) in pairs else key
        for key in keys
    ]


def _mixed_problem(
    keys: Sequence[Key], by: str, identities: Mapping[str, Sequence[Hashable]]
) -> str:
    """Return what is wrong where keys that are no names are labels written as text."""
    known, labels = set(identities[by]), set(identities["label"])
    others = [key for key in keys if key not in known]
    written = [key for key in others if isinstance(key, str) and integer_of(key) in labels]
    if not written or len(others) == len(keys):
        return ""
    return _two_kinds([key for key in keys if key in known], written)


def _other_names_problem(
    keys: Sequence[Key], by: str, identities: Mapping[str, Sequence[Hashable]]
) -> str:
    """Return what is wrong where keys of another column are also names, of other regions."""
    if by in ("name", "label"):
        return ""
    row_of = {identity: row for row, identity in enumerate(identities[by])}
    rows_of_name: dict[Hashable, set[int]] = {}
    for row, name in enumerate(identities["name"]):
        rows_of_name.setdefault(name, set()).add(row)
    other = [
        key
        for key in keys
        if key in row_of and row_of[key] not in rows_of_name.get(key, {row_of[key]})
    ]
    if not other:
        return ""
    return (
        f"keys stand for one region by name and for another by {by}: {examples(other)}. "
        f"Pass by='name' or by={by!r} (--by)"
    )


def _contrary_problem(keys: Sequence[Key], table: RegionTable) -> str:
    """Return what is wrong where integers are labels and names too, of different regions.

    A file does not say which they are; text from elsewhere is names.
    """
    numbers = [key for key in keys if isinstance(key, int)]
    label_of = dict(zip(table.names, table.labels.tolist(), strict=True))
    if not all(str(number) in label_of for number in numbers):
        return ""
    other = [number for number in numbers if label_of[str(number)] != number]
    if not other:
        return ""
    return (
        f"keys are names and labels, of different regions: {examples(other)}. "
        "Pass by='name' or by='label'"
    )


def _two_kinds(names: Sequence[Key], labels: Sequence[Key]) -> str:
    return (
        f"keys are partly names ({examples(names)}) and partly labels ({examples(labels)}): "
        "use one kind"
    )


def identities_of(table: RegionTable) -> dict[str, Sequence[Hashable]]:
    """Return the columns that may tell regions apart, best first."""
    columns: dict[str, Sequence[Hashable]] = {
        "name": table.names,
        "label": table.labels.tolist(),
    }
    for title, column in table.columns.items():
        if title not in columns and all(isinstance(cell, str | int | None) for cell in column):
            columns[title] = column
    if table.hemispheres is not None:
        columns |= _with_hemisphere(table, table.hemispheres)
    return columns


def _with_hemisphere(
    table: RegionTable, hemispheres: Sequence[str]
) -> dict[str, Sequence[Hashable]]:
    """Return the names with their hemispheres, as people write them."""
    patterns = [f"{{side}}{joint}{{name}}" for joint in _JOINTS]
    patterns += [f"{{name}}{joint}{{side}}" for joint in _JOINTS]
    found: dict[str, Sequence[Hashable]] = {"unique name": table.unique_names}
    for sides in _SIDES:
        side_of = dict(zip(("L", "R"), sides, strict=True))
        for pattern in [*patterns, *(_FREESURFER if sides == ("lh", "rh") else ())]:
            pairs = zip(hemispheres, table.names, strict=True)
            is_first = sides == ("L", "R") and pattern == patterns[0]
            title = QUALIFIED_NAME if is_first else pattern.format(side=sides[0], name="name")
            found[title] = [pattern.format(side=side_of[side], name=name) for side, name in pairs]
    for sides in _SIDES:
        side_of = dict(zip(("L", "R"), sides, strict=True))
        labels = zip(hemispheres, table.labels.tolist(), strict=True)
        title = QUALIFIED_LABEL if sides == ("L", "R") else f"{sides[0]}:label"
        found[title] = [f"{side_of[side]}:{label}" for side, label in labels]
    return found


def _choose(
    keys: Sequence[Key], identities: Mapping[str, Sequence[Hashable]], by: str
) -> tuple[str, Sequence[Key]]:
    """Return the column that has most of the keys, and the keys in its type."""
    as_labels = as_integers(keys)
    if by == "auto":
        candidates = ["label"] if isinstance(keys[0], int) else text_identities(identities)
    else:
        candidates = [by]
    found = {title: _n_found(keys, identities[title]) for title in candidates}
    best = max(candidates, key=found.__getitem__)
    if as_labels is not None and (best == "label" or (by == "auto" and not found[best])):
        return "label", as_labels
    labels = _among_text(keys, identities) if by in ("auto", "label") else None
    if labels is not None and (
        not found[best] or _are_rather_labels(keys, labels, found[best], identities)
    ):
        return "label", labels
    if by != "auto" and not found[best]:
        if as_labels is not None and _n_found(as_labels, identities[best]):
            return best, as_labels
        # Files and shells do not tell names that are numbers from numbers.
        return best, [str(key) for key in keys]
    return best, keys


def _are_rather_labels(
    keys: Sequence[Key],
    labels: Sequence[Key],
    n_names: int,
    identities: Mapping[str, Sequence[Hashable]],
) -> bool:
    """Return whether keys are labels of which some are names too, each of the region it labels.

    A region that no row names is called by its label.
    """
    pairs = set(zip(identities["name"], identities["label"], strict=True))
    names = set(identities["name"])
    agree = all(
        key not in names or (key, label) in pairs for key, label in zip(keys, labels, strict=True)
    )
    return agree and _n_found(labels, identities["label"]) > n_names


def _among_text(
    keys: Sequence[Key], identities: Mapping[str, Sequence[Hashable]]
) -> list[Key] | None:
    """Return keys of which most are labels written as text, beside "Total" or the like."""
    written = [(key, key if isinstance(key, int) else integer_of(key)) for key in keys]
    known = {label for _, label in written}.intersection(identities["label"])
    if 2 * len(known) < len(keys):
        return None
    return [key if label is None else label for key, label in written]


def as_spelt(
    keys: Sequence[Hashable], identities: Mapping[str, Sequence[Hashable]]
) -> Sequence[Any]:
    """Return keys with their accents as in the names of regions.

    A letter and its accent may be one character or two (macOS writes two), and look the same.
    """
    if all(not isinstance(key, str) or key.isascii() for key in keys):
        return keys
    known = {cell for title in text_identities(identities) for cell in identities[title]}
    names = [name for name in known if isinstance(name, str) and not name.isascii()]
    times = Counter(map(_composed, names))
    by_form = {_composed(name): name for name in names if times[_composed(name)] == 1}
    return [
        by_form.get(_composed(key), key) if isinstance(key, str) and key not in known else key
        for key in keys
    ]


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def text_identities(identities: Mapping[str, Sequence[Hashable]]) -> list[str]:
    """Return "name" and the other columns whose cells are all different."""
    return [
        title
        for title, column in identities.items()
        if title == "name" or (title != "label" and len(set(column)) == len(column))
    ]


def _n_found(keys: Sequence[Key], column: Sequence[Hashable]) -> int:
    return len(set(keys).intersection(column))


def as_integers(keys: Sequence[Key]) -> list[int] | None:
    """Return keys as integers where all are integers, or text like "7" (not "07"), else None."""
    numbers = [key if isinstance(key, int) else integer_of(key) for key in keys]
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(keys) else None


def integer_of(text: str) -> int | None:
    """Return text as an integer where it is written like one: "7" and "-3", not "07" or "7.0"."""
    digits = text.removeprefix("-")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS
    plain = is_number and (digits == "0" or digits[0] != "0")
    return int(text) if plain else None


def _shared_problem(
    keys: Sequence[Key],
    by: str,
    identities: Mapping[str, Sequence[Hashable]],
    has_voxels: NDArray[np.bool_],
) -> str:
    """Return what is wrong where a key stands for several regions that have voxels."""
    identified = zip(identities[by], has_voxels.tolist(), strict=True)
    times = Counter(identity for identity, has in identified if has)
    shared = [key for key in keys if times[key] > 1]
    if not shared:
        return ""
    told_apart = identities.get(QUALIFIED_NAME, identities["label"])
    pairs = zip(identities[by], told_apart, strict=True)
    regions = [region for identity, region in pairs if identity == shared[0]]
    what = "" if QUALIFIED_NAME in identities else "labels "
    advice = (
        f"Write the hemisphere before it ({regions[0]}), or give the table of values a column "
        f"{HEMISPHERE_TITLE!r}"
        if QUALIFIED_NAME in identities
        else "Key the values by label, or by a column that tells regions apart"
    )
    if len(set(regions)) < len(regions):  # regions of one hemisphere have this name
        pairs = zip(identities[by], identities[QUALIFIED_LABEL], strict=True)
        regions = [region for identity, region in pairs if identity == shared[0]]
        advice = f"Key the values by label ({regions[0]})"
    return (
        f"{plural(len(shared), by)} {'stands' if len(shared) == 1 else 'stand'} for more than "
        f"one region: {examples(shared)} ({shared[0]!r} for {what}{examples(regions)}). {advice}"
    )


def _folded(text: str) -> str:
    """Return text without case, accents, blanks and punctuation, which people vary."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isalnum()) or text
