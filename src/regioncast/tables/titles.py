"""Titles of columns, as people write them: what they say of the cells below.

A title is a hint and no proof: ``label`` stands over numbers in one table and over names in the
next, and ``index`` over the numbers of rows.  The image decides; titles break ties, and tell
whether a first row is a header.
"""

from __future__ import annotations

import re

from ..atlas.hemispheres import is_hemisphere_title

# fmt: off
# Titles of columns of labels, without case, spaces and punctuation; BIDS' own comes first.
LABEL_TITLES = frozenset([
    "index", "label", "labelid", "labelindex", "labelvalue", "labelnumber", "labelno",
    "id", "idx", "roi", "roiid", "roiindex", "roiidx", "roinumber",
    "region", "regionid", "regionindex", "regionnumber", "structureid",
    "parcel", "parcelid", "parcelindex", "parcelnumber", "key", "no", "nr", "segid",
])
# Of labels in region tables; in tables of values they mostly stand over values.
_VALUE_TITLES = frozenset([
    "value", "intensity", "grayvalue", "greyvalue", "number", "num", "code",
])
# Titles of columns of names; best first.
NAME_TITLES = [
    "name", "fullname", "labelname", "regionname", "roiname", "parcelname", "structurename",
    "areaname", "label", "region", "structure", "roi", "parcel", "area", "anatomicalname",
    "longname", "description", "shortname", "abbreviation", "abbr", "roiabbr", "acronym",
]
# Titles of columns that name maps, and of those that a table of time series begins with.
MAP_TITLES = frozenset([
    "map", "subject", "subjectid", "sub", "subid", "participant", "participantid", "session",
    "sessionid", "ses", "run", "task", "contrast", "condition", "group", "time", "timepoint",
    "frame", "scan", "file", "filename", "subbrick",
])
_KNOWN_TITLES = LABEL_TITLES.union(_VALUE_TITLES, NAME_TITLES, MAP_TITLES)
_LABEL_WORDS = {"id", "ids", "idx", "label", "labels"}
# Words of titles that number something else than regions, unless a word for those is there too.
_OTHER_WORDS = {
    "row", "rows", "line", "entry", "item", "serial", "sl", "sr", "unnamed", "case", "record",
    "obs", "observation", "subject", "participant", "patient", "session", "run", "trial", "scan",
    "visit", "sample", "sort", "sorted", "rank", "ranked", "order", "sub", "ses", "cluster", "peak",
    "site", "family", "donor",
}
_REGION_WORDS = {
    "label", "labels", "roi", "rois", "region", "regions", "parcel", "parcels", "area", "areas",
    "structure", "node",
}
# fmt: on
# Words of titles of whom and when maps are of, whose cells may be numbers.
_WHOSE_WORDS = {"subject", "subj", "sub", "participant", "patient", "session", "ses", "visit"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def normal_title(title: object) -> str:
    """Return a title without case, spaces and punctuation."""
    return "".join(filter(str.isalnum, str(title).lower()))


def label_rank(title: object, *, in_values: bool = False) -> int:
    """Return how much a title says that a column holds labels: 2 wholly, 1 partly, 0 not at all.

    Parameters
    ----------
    title : str or int
    in_values : bool, default=False
        Whether it is the title of a table of values, where ``value`` says the opposite.

    Examples
    --------
    >>> label_rank("index"), label_rank("Network ID"), label_rank("subject_id"), label_rank("z")
    (2, 1, 0, 0)
    """
    normal = normal_title(title)
    if normal in LABEL_TITLES or (normal in _VALUE_TITLES and not in_values):
        return 2
    words = [word.lower() for word in _WORD.findall(str(title))]
    if _OTHER_WORDS.intersection(words) and not _REGION_WORDS.intersection(words):
        return 0
    # "Label of region", but not "id of subject".
    is_partly = "label" in words or not _LABEL_WORDS.isdisjoint(words[-1:])
    return int(is_partly)


def speaks_of_labels(title: object) -> bool:
    """Return whether a title says that integers are labels of regions, or of something else.

    Examples
    --------
    >>> speaks_of_labels("index_17network"), speaks_of_labels("laterality_index")
    (True, False)
    """
    rank = label_rank(title, in_values=True)
    words = [word.lower() for word in _WORD.findall(str(title))]
    # But a "label_count" is none.
    is_last = not _LABEL_WORDS.isdisjoint(words[-1:])
    return rank + is_last > 1 or words[:1] == ["index"]


def is_name_title(title: object) -> bool:
    """Return whether a title says that a column holds names."""
    normal = normal_title(title)
    return normal.endswith("name") or normal in NAME_TITLES


def is_map_title(title: object) -> bool:
    """Return whether a title says that a column names maps, or the points of a series."""
    return normal_title(title) in MAP_TITLES


def says_whose(title: object) -> bool:
    """Return whether a title says that a column tells subjects or sessions apart.

    Examples
    --------
    >>> says_whose("participant_id"), says_whose("SubjID"), says_whose("id"), says_whose("age")
    (True, True, False, False)
    """
    words = {word.lower() for word in _WORD.findall(str(title))} - {"id"}
    return bool(words) and words <= _WHOSE_WORDS


def is_known_title(title: str) -> bool:
    """Return whether a title is one that tables begin with: of labels, names, sides or maps."""
    return normal_title(title) in _KNOWN_TITLES or is_hemisphere_title(title)
