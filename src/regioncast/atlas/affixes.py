"""Affixes: what many keys begin or end with beside the name of a region.

FreeSurfer's tables have columns such as ``lh_bankssts_thickness``, those of AFNI ``Mean_17``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import product

_WORD = re.compile(r"[^\W\d_]+|\d+")
# So many beginnings, and so many ends, are tried at most: the most frequent ones.
_MOST_TRIED = 4
# Names of regions may have many words, an affix has few.
_MOST_WORDS = 3


def stripped(keys: Sequence[str | int], affixes: Sequence[str]) -> list[str | int]:
    """Return keys without the affixes at their beginning and end, each cut once.

    Integers stay, and so does what would be nothing without one.

    Examples
    --------
    >>> stripped(["lh_V1_area", "eTIV", 7], ["lh_", "_area", "eTIV"])
    ['V1', 'eTIV', 7]
    """
    rest = list(keys)
    for affix in affixes:
        for place, key in enumerate(rest):
            if isinstance(key, str):
                rest[place] = key.removeprefix(affix).removesuffix(affix) or key
    return rest


def shared_affixes(keys: Sequence[str | int]) -> list[tuple[str, ...]]:
    """Return what several keys begin with, end with, or both; the shortest first.

    Examples
    --------
    >>> shared_affixes(["lh_V1_area", "lh_MT_area"])
    [('lh_',), ('_area',), ('lh_', '_area')]
    """
    starts: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for text in (key for key in keys if isinstance(key, str)):
        words = list(_WORD.finditer(text))
        starts.update(text[: word.start()] for word in words[1 : 1 + _MOST_WORDS])
        ends.update(text[word.end() :] for word in words[-1 - _MOST_WORDS : -1])
    tried = []
    for affixes in (starts, ends):
        frequent = [affix for affix, n_keys in affixes.most_common(_MOST_TRIED) if n_keys > 1]
        tried.append(["", *frequent])
    pairs = [tuple(filter(None, pair)) for pair in product(*tried)]
    return sorted(filter(None, pairs), key=lambda pair: len("".join(pair)))
