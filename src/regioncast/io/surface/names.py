"""What the names of surface files say: hemisphere, and which two make a pair.

A name may hold words for hemispheres that are not there to say the one the file is of:
``left_vs_right.lh.mgh``, ``pearson_r.mgh``.  So *marks* count before words: BIDS' entity
``hemi-L``, FreeSurfer's beginning ``lh.``, and a word between dots, ``map.L.func.gii``.  Words that
stand alone, ``map_left.mgh``, count before those *glued* to others, ``mapR.npy``, ``LeftMap.npy``.
Of two names of a pair, what they differ in counts before all but marks.
"""

from __future__ import annotations

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING

from ...atlas.hemispheres import HEMISPHERE_NAMES, LEFT, RIGHT, UNKNOWN, side_of_word
from ...errors import FileFormatError, InputMissingError, OutputError, SpaceError, examples, plural
from ...files import expanded, natural_order
from ...formats import family_of, has_use, stem_of, suffixes

if TYPE_CHECKING:
    from ...formats import Use

STRUCTURE = "AnatomicalStructurePrimary"
"""Key of the hemisphere in the metadata of GIFTI, whose values are `STRUCTURES`."""

STRUCTURES = {LEFT: "CortexLeft", RIGHT: "CortexRight"}

# Marks, of which the first that a name has count.
_WORDS = "(l|r|lh|rh|left|right)"
_ENTITY = re.compile(rf"(?<=hemi)[-_]?{_WORDS}(?![a-z0-9])", re.IGNORECASE)
_BEGINNING = re.compile(r"^(lh|rh)(?=\.)", re.IGNORECASE)
_BETWEEN_DOTS = re.compile(rf"(?:(?<=\.)|^){_WORDS}(?=\.)", re.IGNORECASE)

_WORD = re.compile(rf"(?<![a-z0-9]){_WORDS}(?![a-z0-9])", re.IGNORECASE)

# The parts of a name in camel case, numbers, and what stands between.
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]+")

_LETTERS = re.compile(r"[A-Za-z]+")

# Letters at the edge of a part, and words in it, that may mean a hemisphere though nothing sets
# them off.
_EDGE = re.compile(r"^[lr]|[lr](?=h?$)|left|right", re.IGNORECASE)

# How names write the hemispheres, in any case.
_SPELLINGS = (("left", "right"), ("lh", "rh"), ("l", "r"))

# The same where the placeholder {hemi} stands.
_SPELLINGS_IN_PATTERNS = (("L", "R"), *_SPELLINGS)

# A word, what stands in its place in the name of the other hemisphere, and the side that it says.
_EXCHANGES = (
    ("left", "right", LEFT),
    ("right", "left", RIGHT),
    ("lh", "rh", LEFT),
    ("rh", "lh", RIGHT),
    ("l", "r", LEFT),
    ("r", "l", RIGHT),
)

# What stands for a word of a hemisphere in a pattern: ?h and ?.
_QUESTION = re.compile(r"(?<![a-z0-9])\?(h?)(?![a-z0-9?*])", re.IGNORECASE)

_PLACEHOLDER = "{hemi}"


def hemisphere_in_name(path: str | os.PathLike[str]) -> str:
    """Return the hemisphere that a file name says, ``"?"`` where it says none or both.

    Examples
    --------
    >>> hemisphere_in_name("left_vs_right.rh.mgh"), hemisphere_in_name("left_vs_right.mgh")
    ('R', '?')
    >>> hemisphere_in_name("thicknessR.npy")
    'R'
    """
    marked = marked_hemisphere(path)
    if marked != UNKNOWN:
        return marked
    return _the_one(_words(path))


def marked_hemisphere(path: str | os.PathLike[str]) -> str:
    """Return the hemisphere that a file name is marked with, ``"?"`` where it is with none."""
    return _the_one(mark[1] for mark in _marks(Path(path).name))


def hemispheres_in_names(first: str, second: str) -> list[str]:
    """Return the hemispheres of two files by their marks, else by what their names differ in.

    ``"?"`` where neither says.

    Examples
    --------
    >>> hemispheres_in_names("left_vs_right_rh.mgh", "left_vs_right_lh.mgh")
    ['R', 'L']
    >>> hemispheres_in_names("Rthickness.npy", "Lthickness.npy")
    ['R', 'L']
    """
    marked = [marked_hemisphere(first), marked_hemisphere(second)]
    different = _told_apart(first, second)
    if UNKNOWN not in marked or different is None:
        return marked
    # One name is marked; what they differ in may be words of a title that contradict the mark.
    agree = all(mark in (UNKNOWN, side) for mark, side in zip(marked, different, strict=True))
    return list(different) if agree else marked


def order_is_unclear(first: str, second: str) -> bool:
    """Return whether two names that do not say their hemispheres may be right before left.

    That is so where both have words for hemispheres, and where what only one of them has could be
    read so, as in ``Rmap_v2.npy`` and ``Lmap.npy``.
    """
    if _words(first) and _words(second):
        return True
    stems = stem_of(Path(first)), stem_of(Path(second))
    # Also as if nothing were camel case.
    parts_of_first = Counter(_parts(first) + _LETTERS.findall(stems[0]))
    parts_of_second = Counter(_parts(second) + _LETTERS.findall(stems[1]))
    only_first, only_second = parts_of_first - parts_of_second, parts_of_second - parts_of_first
    if RIGHT in _sides_meant(only_first) and LEFT in _sides_meant(only_second):
        return True
    # Also letters inside of words, if they are all that differs: "prhmap" and "plhmap".
    pairs = [*product(only_first, only_second), stems]
    return any(_side_by_letters(*pair)[0] == RIGHT for pair in pairs)


def _told_apart(first: str, second: str) -> tuple[str, str] | None:
    """Return the hemispheres by what two names differ in, None where that says none.

    Folders count where they say more than names.
    """
    # They may be all that differs, as in rh/x.mgh, or contradict the names, and then do not count.
    for paths in ((first, second), (Path(first).name, Path(second).name)):
        parts = _parts(paths[0]), _parts(paths[1])
        if len(parts[0]) != len(parts[1]):
            continue
        said = set(map(_sides_of_parts, *parts)) - {None}
        if len(said) == 1:
            return said.pop()
    return None


def _sides_of_parts(part: str, opposite: str) -> tuple[str, str] | None:
    """Return the hemispheres that parts in the same place of two names say, None where none."""
    sides = side_of_word(part), side_of_word(opposite)
    if sides in ((LEFT, RIGHT), (RIGHT, LEFT)):
        return sides
    side, is_at_edge = _side_by_letters(part, opposite)
    # Inside of a word, as in "plane" and "prane", letters may be letters.
    if side is None or not is_at_edge:
        return None
    return (LEFT, RIGHT) if side == LEFT else (RIGHT, LEFT)


def _side_by_letters(part: str, opposite: str) -> tuple[str | None, bool]:
    """Return the hemisphere of the first of two parts that differ in nothing but its word.

    And whether that word stands at an edge.
    """
    part, opposite = part.lower(), opposite.lower()
    for word, exchanged, side in _EXCHANGES:
        for match in re.finditer(word, part):
            before, after = part[: match.start()], part[match.end() :]
            if opposite == f"{before}{exchanged}{after}":
                return side, not (before and after)
    return None, False


def _sides_meant(parts: Iterable[str]) -> set[str]:
    """Return the hemispheres that parts of names could mean."""
    sides = set()
    for part in parts:
        for letters in _EDGE.findall(part):
            sides.add(LEFT if letters[0] in "lL" else RIGHT)
    return sides


def _parts(path: str) -> list[str]:
    """Return the words, numbers and separators of a file name, and of its folders if it has some.

    Of the ending, which says the format, there are none.
    """
    return _PART.findall(path[: len(path) - len(_ending(path))])


def _ending(name: str) -> str:
    path = Path(name)
    return path.name[len(stem_of(path)) :]


def _words(path: str | os.PathLike[str]) -> list[str]:
    """Return the words for hemispheres that stand alone in a file name.

    Where none does, those that only camel case sets off.
    """
    name = Path(path).name
    words: list[str] = _WORD.findall(name)
    if words:
        return words
    for part, following in pairwise([*_parts(name), ""]):
        # A letter alone is a capital there, and not that of "R2" or of "fsLRmap".
        means_other = part.islower() or re.match(r"[LR\d]", following)
        if side_of_word(part) and not (len(part) == 1 and means_other):
            words.append(part)
    return words


def _marks(name: str) -> list[re.Match[str]]:
    """Return the marks of a name, which all say the same hemisphere; empty where it has none."""
    dotted = list(_BETWEEN_DOTS.finditer(name))
    # The last of them, as in left.vs.right.L.mgh, unless it is written as others are.
    like_last = [mark for mark in dotted if _spelling(mark[1]) == _spelling(dotted[-1][1])]
    entities, beginnings = list(_ENTITY.finditer(name)), list(_BEGINNING.finditer(name))
    for marks in (entities, beginnings, like_last, dotted):
        if _the_one(mark[1] for mark in marks) != UNKNOWN:
            return marks
    return []


def _the_one(words: Iterable[str]) -> str:
    """Return the hemisphere that all words say, ``"?"`` where they say none or both."""
    said = {side_of_word(word) or UNKNOWN for word in words}
    return said.pop() if len(said) == 1 else UNKNOWN


def _spelling(word: str) -> tuple[str, str]:
    """Return the words for left and right of which this is one, whatever its case."""
    return next(pair for pair in _SPELLINGS if word.lower() in pair)


def names_in(source: str | os.PathLike[str]) -> list[str]:
    """Return the two names with a comma between, or the one name that this is."""
    name = os.fspath(source)
    names = name.split(",")
    is_pair = len(names) == 2 and all(names)
    # A file may have a comma in its name.
    return names if is_pair and not _exists(name) else [name]


def is_pair_pattern(source: str | os.PathLike[str]) -> bool:
    """Return whether this is a pattern, and not the name of a file."""
    name = os.fspath(source)
    return any(sign in name for sign in (_PLACEHOLDER, "?", "*")) and not _exists(name)


def _exists(name: str) -> bool:
    try:
        return expanded(name).exists()
    except (OSError, ValueError):  # too long, or with a zero byte
        return False


def files_found(pattern: str) -> dict[str, str]:
    """Return the left and the right file that a pattern finds, or raise."""
    pair = pair_found(pattern)
    if len(pair) == 2:
        return pair
    files = _glob(pattern.replace(_PLACEHOLDER, "*"))
    if not files:
        raise InputMissingError(f"No file has a name like {pattern}. Check the name.")
    missing = [HEMISPHERE_NAMES[side] for side in (LEFT, RIGHT) if side not in pair]
    raise SpaceError(
        f"{pattern} finds no pair of a left and a right surface: just one "
        f"{' and just one '.join(missing)} is needed, and it finds {plural(len(files), 'file')}: "
        f"{examples(files)}. Name the two, with a comma between."
    )


def pair_found(pattern: str) -> dict[str, str]:
    """Return the hemispheres of which a pattern finds just one file."""
    if _PLACEHOLDER in pattern:
        files_of: dict[str, set[str]] = {LEFT: set(), RIGHT: set()}
        # Whatever the word where it stands.
        for left, right in _SPELLINGS_IN_PATTERNS:
            files_of[LEFT] |= set(_glob(pattern.replace(_PLACEHOLDER, left)))
            files_of[RIGHT] |= set(_glob(pattern.replace(_PLACEHOLDER, right)))
    else:
        files_of = _by_question_mark(pattern)
        if not all(files_of.values()):
            # The ? and * stand for something else, so the names have to say it.
            files = _glob(pattern)
            for side in files_of:
                files_of[side] = {file for file in files if hemisphere_in_name(file) == side}
    return {side: files.pop() for side, files in files_of.items() if len(files) == 1}


def each_found(pattern: str) -> list[dict[str, str]]:
    """Return the surfaces of several images that a pattern finds: of each its file or its pair.

    Empty where names are not marked with hemispheres, or some lack one that others have or that the
    pattern asks for.
    """
    by_name: dict[str, dict[str, str]] = {}
    for file in sorted(_glob(pattern.replace(_PLACEHOLDER, "*")), key=natural_order):
        sides = by_name.setdefault(_with_side(file, LEFT), {})
        if sides.setdefault(marked_hemisphere(file), file) != file:
            return []
    first = next(iter(by_name.values()), {}).keys()
    if UNKNOWN in first or any(sides.keys() != first for sides in by_name.values()):
        return []
    asks_for_both = _PLACEHOLDER in pattern or _QUESTION.search(pattern) is not None
    return [] if asks_for_both and len(first) < 2 else list(by_name.values())


def without_hemisphere(path: str) -> str:
    """Return the path of a file without what marks the hemisphere in its name.

    Examples
    --------
    >>> without_hemisphere("sub-1/lh.area.mgh"), without_hemisphere("a_hemi-L_x.shape.gii")
    ('sub-1/area.mgh', 'a_x.shape.gii')
    """
    folder, name = os.path.split(path)
    for mark in reversed(_marks(name)):
        before = name[: mark.start()].removesuffix("hemi").rstrip("._-")
        after = name[mark.end() :]
        name = before + after if before else after.lstrip("._-")
    return os.path.join(folder, name)  # noqa: PTH118


def _by_question_mark(pattern: str) -> dict[str, set[str]]:
    """Return the files of each hemisphere by the letter where the ``?`` stands."""
    question = _QUESTION
    if not _QUESTION.search(pattern):
        if pattern.count("?") != 1:
            return {LEFT: set(), RIGHT: set()}
        question = re.compile(r"\?()")  # the only one, as in map?.npy
    return {
        side: set(_glob(question.sub(rf"[{side}{side.lower()}]\1", pattern)))
        for side in (LEFT, RIGHT)
    }


def pair_beside(name: str) -> list[str]:
    """Return the files of both hemispheres that an output of this name was written to, if any."""
    if _ending_in(name) is None:
        return []
    if _exists(name) or is_pair_pattern(name):
        return []
    files = [_output_name(name, side, n_sides=2) for side in (LEFT, RIGHT)]
    return files if all(map(_exists, files)) else []


def pattern_of(name: str) -> str:
    """Return the pattern for the files of both hemispheres of an output of this name."""
    return _output_name(name, UNKNOWN, n_sides=2)


def _glob(pattern: str) -> list[str]:
    files = glob.glob(str(expanded(pattern)), recursive=True)  # noqa: PTH207  of a whole path
    return sorted(set(files))


def output_paths(
    path: str | os.PathLike[str], sides: Sequence[str], use: Use = "image"
) -> list[Path]:
    """Return the files that an output is written to, one per hemisphere.

    Raises `FileFormatError` when the ending is none of files for this use; `OutputError` when there
    is not one name per hemisphere, or a name says the other one.

    Parameters
    ----------
    path : path
        ``left.func.gii,right.func.gii``, in the order that the names say, and in this one where
        neither says any; a pattern with one ``?`` or ``{hemi}`` where the hemisphere stands
        (``?h`` is ``lh`` and ``rh``, else ``L`` and ``R``); or one name.  Where there are two
        hemispheres, each takes the place of the one that this name is marked with, or else comes
        before the ending.
    sides : sequence of str
        The hemispheres, left first.
    use : {"image", "atlas"}, default="image"
        What is written: values of vertices, or labels.

    Examples
    --------
    >>> [str(path) for path in output_paths("out.func.gii", ["L", "R"])]
    ['out.L.func.gii', 'out.R.func.gii']
    >>> [str(path) for path in output_paths("?h.out.mgh", ["L", "R"])]
    ['lh.out.mgh', 'rh.out.mgh']
    >>> [str(path) for path in output_paths("lh.out.mgh", ["L", "R"])]
    ['lh.out.mgh', 'rh.out.mgh']
    """
    names = _output_names(os.fspath(path), sides, use)
    said = _said_by_outputs(names)
    if said == list(reversed(sides)) == [RIGHT, LEFT]:
        names.reverse()
        said.reverse()
    for each, of_name, side in zip(names, said, sides, strict=True):
        if UNKNOWN not in (of_name, side) and of_name != side:
            raise OutputError(
                f"The {HEMISPHERE_NAMES[side]} would be written to {Path(each).name}, whose name "
                f"says the {HEMISPHERE_NAMES[of_name]}. Choose another name."
            )
    return [expanded(each) for each in names]


def _output_names(name: str, sides: Sequence[str], use: Use) -> list[str]:
    """Return a name for each hemisphere, in the order that they stand in."""
    names = name.split(",")
    # A comma that is not between two names of files is in the one name.
    if len(names) == 1 or not all(map(_ending_in, names)):
        _check_ending(name, use)
        names = [_output_name(name, side, n_sides=len(sides)) for side in sides]
    if {len(names), len(set(names))} != {len(sides)}:
        raise OutputError(
            f"{name} names {plural(len(set(names)), 'file')}, and {len(sides)} "
            f"{'is' if len(sides) == 1 else 'are'} written: the "
            f"{' and the '.join(HEMISPHERE_NAMES[side] for side in sides)}. Name one for each."
        )
    for each in names:
        _check_ending(each, use)
    return names


def _said_by_outputs(names: Sequence[str]) -> list[str]:
    """Return the hemispheres that files of these names will say."""
    # GIFTI files say it themselves, so that words in their names may mean something else.
    said = [
        marked_hemisphere(name) if family_of(Path(name)) == "gifti" else hemisphere_in_name(name)
        for name in names
    ]
    if len(names) != 2:
        return said
    apart = hemispheres_in_names(*names)
    said = [
        of_name if of_pair == UNKNOWN else of_pair
        for of_pair, of_name in zip(apart, said, strict=True)
    ]
    if said == [UNKNOWN, UNKNOWN] and order_is_unclear(*names):
        raise OutputError(
            f"Which of {' and '.join(names)} is of which hemisphere is not known: both names have "
            "words for hemispheres, or letters that may mean one. Begin them with lh. and rh."
        )
    return said


def _output_name(name: str, side: str, *, n_sides: int) -> str:
    if "?" in name and not _QUESTION.search(name):
        raise OutputError(
            f"The ? in {name} stands beside other letters, where a hemisphere is easily "
            "overlooked. Write .?. or ?h., or {hemi}."
        )
    if "?" in name or _PLACEHOLDER in name:
        if side == UNKNOWN:
            raise OutputError(
                f"Which hemisphere is to stand in {name} is not known. Give the labels as a "
                "mapping, {'left': …} or {'right': …}, or an output without a placeholder."
            )
        # FreeSurfer's lh and rh are lower case, other single letters capitals.
        letters = re.sub(r"(\?|\{hemi\})(?=h(?![a-z]))", side.lower(), name)
        return re.sub(r"\?|\{hemi\}", side, letters)
    if n_sides == 1:
        return name
    ending = _ending_in(name) or ""
    if marked_hemisphere(name) != UNKNOWN:
        return _with_side(name, side)
    return f"{name.removesuffix(ending)}.{side}{ending}"


def _with_side(name: str, side: str) -> str:
    """Return a name that is marked with a hemisphere with another one, written the same way."""
    folder, last = os.path.split(name)
    # From the last one on, as a longer word moves all that follows.
    for mark in reversed(_marks(last)):
        word = mark[1]
        new = _spelling(word)[side == RIGHT]
        if word.isupper():
            new = new.upper()
        elif word.istitle():
            new = new.title()
        last = last[: mark.start(1)] + new + last[mark.end(1) :]
    return os.path.join(folder, last)  # noqa: PTH118


def _check_ending(name: str, use: Use) -> None:
    """Raise where what is written of vertices for this use is not written so."""
    if not has_use(Path(name), use, "surface"):
        what = "labels" if use == "atlas" else "values"
        raise FileFormatError(
            f"Cannot write {what} of vertices to {Path(name).name!r}: a surface is written as "
            f"{', '.join(suffixes(use, 'surface'))}, and by its regions as "
            f"{', '.join(suffixes('signals', 'cifti'))}. On grayordinates or voxels, paint onto "
            "them (onto=, --onto)."
        )


def _ending_in(name: str) -> str | None:
    """Return the ending of an output of vertices; None where it is none."""
    uses: tuple[Use, ...] = ("image", "atlas")
    return _ending(name) if any(has_use(Path(name), use, "surface") for use in uses) else None
