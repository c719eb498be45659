"""Names by which files say that a label is no region.

Files of surfaces give every vertex a label, so those outside the cortex have one too: it is
called after the medial wall, or after not being known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORD = re.compile(r"[^\W_]+")

# What may stand beside such a name to say whose it is, as in "ctx-lh-unknown" and "L_???".
_SIDES = frozenset(["ctx", "cortex", "hemi", "l", "r", "lh", "rh", "left", "right"])

# All without case, sides, spaces and punctuation.
_BACKGROUND = frozenset([
    "background",
    "clearlabel",  # ITK-SNAP
    "exterior",
    "nolabel",
    "none",
    "outside",
    "unassigned",
    "unknown",
    "unlabeled",
    "unlabelled",
])  # fmt: skip
_OUTSIDE_CORTEX = frozenset([
    "backgroundfreesurferdefinedmedialwall",  # Schaefer
    "corpuscallosum",  # Desikan-Killiany, whose regions are of the cortex
    "freesurferdefinedmedialwall",  # Yeo
    "medialwall",
])  # fmt: skip


def no_region_labels(names: Mapping[int, str]) -> set[int]:
    """Return the labels whose names say that they are no region.

    Parameters
    ----------
    names : mapping of int to str
        The name of each label.

    Examples
    --------
    >>> names = {0: "???", 1: "ctx-lh-unknown", 2: "V1", 3: "Medial_Wall"}
    >>> sorted(no_region_labels(names))
    [0, 1, 3]
    """
    return {label for label, name in names.items() if names_no_region(name)}


def names_no_region(name: str) -> bool:
    """Tell whether the name of a label of vertices or grayordinates says that it is no region."""
    return _is_called(name, _BACKGROUND | _OUTSIDE_CORTEX)


def names_background(name: str) -> bool:
    """Tell whether a name says that its label is no region, wherever that is.

    Of the brain, a corpus callosum is a region; of the cortex it is none.

    Examples
    --------
    >>> names_background("Clear Label"), names_background("Corpus callosum")
    (True, False)
    """
    return _is_called(name, _BACKGROUND)


def _is_called(name: str, names: frozenset[str]) -> bool:
    words = _WORD.findall(name.lower())
    rest = "".join(word for word in words if word not in _SIDES)
    if rest:
        return rest in names
    # A region may be called just "L" or "+"; question marks or nothing at all name none.
    return "?" in name or not name.strip()
