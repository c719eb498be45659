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


def stripped(key: str | int, affixes: Sequence[str]) -> str | int:
    """Return a key without the affixes at its beginning and end, each cut once.

    Integers stay, and so does what would be nothing without one.

    Examples
    --------
    >>> stripped("lh_V1_thickness", ["lh_", "_thickness"]), stripped("eTIV", ["eTIV"])
    ('V1', 'eTIV')
    """
    if isinstance(key, str):
        for affix in affixes:
            key = key.removeprefix(affix).removesuffix(affix) or key
    return key


def shared_affixes(keys: Sequence[str]) -> list[tuple[str, ...]]:
    """Return what several keys begin with, end with, or both; the shortest first.

    Examples
    --------
    >>> shared_affixes(["lh_V1_area", "lh_MT_area"])
    [('lh_',), ('_area',), ('lh_', '_area')]
    """
    starts: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for key in keys:
        words = list(_WORD.finditer(key))
        starts.update(key[: word.start()] for word in words[1 : 1 + _MOST_WORDS])
        ends.update(key[word.end() :] for word in words[-1 - _MOST_WORDS : -1])
    tried = []
    for affixes in (starts, ends):
        frequent = [affix for affix, n_keys in affixes.most_common(_MOST_TRIED) if n_keys > 1]
        tried.append(["", *frequent])
    pairs = [tuple(filter(None, pair)) for pair in product(*tried)]
    return sorted(filter(None, pairs), key=lambda pair: len("".join(pair)))
