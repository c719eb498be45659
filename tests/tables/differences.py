"""Doors through which a table is not yet what it is through the others, by the names of cases.

"error": refused, where other doors paint.  "maps" or "regions": other maps or regions than the
case has, or some where it is an error.
"""

from __future__ import annotations

# Doors that are closed to all region tables.
CLOSED = frozenset(["pairs"])

VALUES: dict[str, dict[str, str]] = {
    "names without a header": {"decimal commas": "error"},
    "a first row with a gap is no header": {"decimal commas": "error"},
    "a map that is empty [fill]": {"spaces": "error"},
    "integers that may be a header or a map": {"pandas": "maps"},
    "whole floats over decimals may be a header": {"pandas": "maps"},
    "whole floats over decimals may be a header [by=label]": {
        "decimal commas": "error",
        "pandas": "error",
    },
    "whole floats over decimals may be a header [by=position]": {"decimal commas": "error"},
    "integers over decimals of which some are no labels": {"pandas": "maps"},
    "integers of another atlas over decimals": {"pandas": "maps"},
    "integers under integers that are names": {"pandas": "maps"},
    "integers under integers that are names [by=name]": {"pandas": "error"},
    "integers under integers, half of which are labels": {"pandas": "maps"},
    "integers under integers, half of which are labels [by=label, fill, ignore]": {
        "pandas": "error"
    },
    "names that are numbers under a title of names": {"series": "error", "dict": "error"},
}

REGIONS: dict[str, dict[str, str]] = {
    "labels that became floats": {"decimal commas": "error"},
    "no header, labels first": {"pandas": "error"},
    "no header, names first": {"pandas": "error"},
    "no header, and a column of numbers": {
        "decimal commas": "error",
        "spaces": "regions",
        "pandas": "error",
    },
    "a column without title that holds fewer labels [10 20 30]": {"pandas": "error"},
    "names that are digits [1 2]": {"lines": "regions"},
}
