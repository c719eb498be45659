"""Doors through which a table is not yet what it is through the others, by the names of cases.

"error": refused, where other doors paint.  "maps" or "regions": other maps or regions than the
case has, or some where it is an error.
"""

from __future__ import annotations

VALUES: dict[str, dict[str, str]] = {
    "names without a header": {"decimal commas": "error"},
    "a first row with a gap is no header": {"decimal commas": "error"},
    "a map that is empty": {"spaces": "error"},
    "integers that may be a header or a map": {"pandas": "maps"},
    "whole floats over decimals may be a header": {"pandas": "maps"},
    "whole floats over decimals, by label": {"decimal commas": "error", "pandas": "error"},
    "whole floats over decimals, by position": {"decimal commas": "error"},
    "integers over decimals of which some are no labels": {"pandas": "maps"},
    "integers of another atlas over decimals": {"pandas": "maps"},
    "integers under integers that are names": {"pandas": "maps"},
    "integers under integers that are names, by name": {"pandas": "error"},
    "integers under integers, half of which are labels": {"pandas": "maps"},
    "integers under integers, half of which are labels, by label": {"pandas": "error"},
    "names that are numbers under a title of names": {"series": "error", "dict": "error"},
}

REGIONS: dict[str, dict[str, str]] = {}
