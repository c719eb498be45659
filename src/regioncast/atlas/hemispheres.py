"""Hemispheres, as people write them: the one place that reads them.

A *side* is ``"L"``, ``"R"`` or, of a surface alone, ``"?"``.  It stands in a cell or a key of its
own (``Left``, ``rh``), before or after the name of a region (``ctx-lh-x``, ``x_R``), in the
title of a column, or in the name of a file, which `regioncast.io.surface.names` takes apart.
"""

from __future__ import annotations

import re

LEFT, RIGHT, UNKNOWN = "L", "R", "?"
"""Hemispheres; of a surface alone it may be unknown which it is."""

HEMISPHERE_NAMES = {LEFT: "left hemisphere", RIGHT: "right hemisphere", UNKNOWN: "surface"}

HEMISPHERE_TITLE = "hemisphere"
"""Title of the column of hemispheres."""

CORTEX = {LEFT: "CIFTI_STRUCTURE_CORTEX_LEFT", RIGHT: "CIFTI_STRUCTURE_CORTEX_RIGHT"}
"""What CIFTI calls the surfaces of the hemispheres."""

_TITLES = frozenset(["hemisphere", "hemi", "side", "structure"])

_SIDE_OF_WORD = {
    "l": LEFT, "lh": LEFT, "left": LEFT, "left hemisphere": LEFT,
    "cortex_left": LEFT, "cortexleft": LEFT, "cifti_structure_cortex_left": LEFT,
    "r": RIGHT, "rh": RIGHT, "right": RIGHT, "right hemisphere": RIGHT,
    "cortex_right": RIGHT, "cortexright": RIGHT, "cifti_structure_cortex_right": RIGHT,
}  # fmt: skip

# Cells of a column of hemispheres that say of neither, or of both.
_NO_SIDE = frozenset(["", "n/a", "na", "none", "b", "both", "bilateral", "m", "mid", "midline"])

# A joint is one of the characters that people put between a hemisphere and a name.
_JOINT = r"[-_:. ]"
_BEFORE = re.compile(rf"(?:ctx{_JOINT})?(l|lh|left|r|rh|right){_JOINT}+(.+)", re.IGNORECASE)
_AFTER = re.compile(rf"(.+?){_JOINT}+(l|lh|left|r|rh|right)", re.IGNORECASE)

# Words within a name, also where only capitals part them: "RightThickness", "7Networks_LH_Vis".
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def side_of_word(cell: object) -> str | None:
    """Return ``"L"`` or ``"R"`` where a cell says so, in any of the usual words, else None.

    Examples
    --------
    >>> side_of_word("lh"), side_of_word("Right"), side_of_word("both")
    ('L', 'R', None)
    """
    return _SIDE_OF_WORD.get(str(cell).strip().lower())


def says_no_side(cell: object) -> bool:
    """Return whether a cell of a column of hemispheres says that its row is of neither alone."""
    return cell is None or str(cell).strip().lower() in _NO_SIDE


def is_hemisphere_title(title: object) -> bool:
    """Return whether a column of this title may say of which hemisphere each row is.

    Examples
    --------
    >>> is_hemisphere_title("Hemi"), is_hemisphere_title("side"), is_hemisphere_title("name")
    (True, True, False)
    """
    return isinstance(title, str) and title.strip().lower() in _TITLES


def side_of(name: str) -> tuple[str | None, str]:
    """Return the hemisphere that a name has before or after it, if it has one, and the rest.

    Examples
    --------
    >>> side_of("ctx-lh-bankssts"), side_of("bankssts_R"), side_of("Brain-Stem")
    (('L', 'bankssts'), ('R', 'bankssts'), (None, 'Brain-Stem'))
    """
    # A hemisphere by itself is no name with one: both patterns want something beside the joint.
    before = _BEFORE.fullmatch(name)
    if before is not None:
        return side_of_word(before[1]), before[2]
    after = _AFTER.fullmatch(name)
    if after is not None:
        return side_of_word(after[2]), after[1]
    return None, name


def sides_within(name: str) -> set[str]:
    """Return the hemispheres that any word of a name says, wherever it stands.

    Examples
    --------
    >>> sides_within("7Networks_LH_Vis_1"), sides_within("RightThickness"), sides_within("Pole")
    ({'L'}, {'R'}, set())
    """
    sides = {side_of_word(word) for word in _CAMEL.findall(name)}
    return {side for side in sides if side is not None}
