"""Reads the tables and answers of ``values.txt`` and ``regions.txt`` as cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tables.case import Case, RegionCase

from regioncast import errors

FOLDER = Path(__file__).parent

_ANSWER = re.compile(r"(?P<options>.*?)\s*-> (?P<answer>.*)")
_NAMED_MAP = re.compile(r"(?P<name>[^=]+): (?P<values>.*)")
_ERROR = re.compile(r"(?P<error>[A-Z]\w+Error): (?P<said>.*)")
_SHORT = {"fill": ("missing", "fill"), "ignore": ("extra", "ignore")}


@dataclass(frozen=True)
class Block:
    """A table as it is written, with its name, its flags, and the lines of its answers."""

    name: str
    flags: list[str]
    table: str
    answers: list[tuple[str, str]]


def blocks(path: Path) -> Iterator[Block]:
    """Yield what stands between empty lines and begins with a name."""
    for text in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        head, *lines = text.strip("\n").splitlines()
        if not head.startswith("# "):
            continue
        name, _, flags = head[2:].partition(" @ ")
        answers = [(found["options"], found["answer"]) for found in map(_ANSWER.fullmatch, lines)
                   if found]  # fmt: skip
        table = "\n".join(line for line in lines if not _ANSWER.fullmatch(line))
        assert table, name
        assert answers, name
        yield Block(name, flags.split(", ") if flags else [], table, answers)


def _flag(block: Block, title: str) -> str:
    """What a flag such as ``text: a b`` says."""
    said = [flag.partition(": ")[2] for flag in block.flags if flag.startswith(f"{title}: ")]
    return said[0] if said else ""


def _refuses(answer: str) -> tuple[Any, ...]:
    """The error of an answer and the parts of its message; nothing where it is none."""
    found = _ERROR.fullmatch(answer)
    if not found:
        return ()
    return getattr(errors, found["error"]), *map(str.strip, found["said"].split("…"))


# --- values ----------------------------------------------------------------------------------


def value_cases(name: str) -> list[Case]:
    """Return the cases of a file, one for each answer."""
    return [
        _value_case(block, options, answer)
        for block in blocks(FOLDER / name)
        for options, answer in block.answers
    ]


def _through(block: Block, asked: str) -> dict[str, Any]:
    """The door that an answer is of, what else stands before it, and the doors of its siblings."""
    doors = []
    for sibling, _ in block.answers:
        door, rest = _door(sibling)
        if door and rest == _door(asked)[1]:
            doors.append(door)
    door, _ = _door(asked)
    return {"through": door, "elsewhere": () if door else tuple(doors)}


def _door(asked: str) -> tuple[str, str]:
    if not asked.startswith("through="):
        return "", asked
    door, _, rest = asked.removeprefix("through=").partition(", ")
    return door, rest


def _value_case(block: Block, asked: str, answer: str) -> Case:
    is_named = ("no header", "index", "text: ")
    atlases = [flag for flag in block.flags if not flag.startswith(is_named)]
    options = _door(asked)[1]
    refuses = _refuses(answer)
    maps, dtype = (None, "") if refuses else _maps(answer)
    return Case(
        f"{block.name} [{asked}]" if asked else block.name,
        block.table,
        atlas=atlases[0] if atlases else "four",
        header="no header" not in block.flags,
        index="index" in block.flags,
        as_text=_flag(block, "text"),
        maps=maps,
        refuses=refuses,
        dtype=dtype,
        options=dict(map(_option, options.split(", "))) if options else {},
        **_through(block, asked),
    )


def _option(text: str) -> tuple[str, Any]:
    if text in _SHORT:
        return _SHORT[text]
    name, _, value = text.partition("=")
    if name in ("columns", "strip") and ("+" in value or not value):
        return name, value.split("+") if value else []
    return name, value


def _maps(answer: str) -> tuple[Any, str]:
    """The maps of an answer, and the dtype that may stand in parentheses after them."""
    found = re.fullmatch(r"(.*) \((\w+)\)", answer)
    text, dtype = found.groups() if found else (answer, "")
    named = [_NAMED_MAP.fullmatch(part) for part in text.split("; ")]
    if all(named):
        return {part["name"]: _values(part["values"]) for part in named if part}, dtype
    maps = [_values(part) for part in text.split("; ")]
    return (maps[0] if len(maps) == 1 else maps), dtype


def _values(text: str) -> dict[Any, Any]:
    pairs = [pair.split("=") for pair in text.split()]
    return {_region(region): _number(value) for region, value in pairs}


def _region(text: str) -> int | str:
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def _number(text: str) -> int | float:
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


# --- regions ---------------------------------------------------------------------------------


def region_cases(name: str) -> list[RegionCase]:
    """Return the cases of a file, one for each answer."""
    return [
        _region_case(block, asked, answer)
        for block in blocks(FOLDER / name)
        for asked, answer in block.answers
    ]


def _region_case(block: Block, asked: str, answer: str) -> RegionCase:
    refuses = _refuses(answer)
    first, *others = answer.split(" | ")
    columns = dict(part.split(": ", 1) for part in others)
    sides = columns.pop("sides", "")
    return RegionCase(
        f"{block.name} [{asked}]" if asked else block.name,
        block.table,
        labels=[int(label) for label in _door(asked)[1].split()],
        header="no header" not in block.flags,
        as_text=_flag(block, "text"),
        regions=None if refuses else _regions(first),
        columns=None if refuses or not columns else
        {title: [_cell(cell) for cell in cells.split("; ")] for title, cells in columns.items()},
        sides=sides,
        refuses=refuses,
        pairs="pairs" in block.flags,
        **_through(block, asked),
    )  # fmt: skip


def _regions(text: str) -> dict[int, str]:
    pairs = [part.split(" ", 1) for part in text.split("; ")]
    return {int(label): name for label, name in pairs}


def _cell(text: str) -> Any:
    if text == "n/a":
        return None
    try:
        return _number(text)
    except ValueError:
        return text.strip('"')
