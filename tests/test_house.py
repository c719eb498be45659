"""The code stays as plain as it is: what is measured of it, and the most (or least) there may be.

The figures are a thermometer.  Where good code is above one, the limit is moved, with the reason;
code that is split or hidden to please a figure is worse than what it was.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from radon.complexity import cc_visit

import regioncast as rc
from regioncast import cohort

HOUSE = Path(__file__).resolve().parent.parent / "src" / "regioncast"
COMPLEX, TOO_COMPLEX = 10, 15
# Words that point at something and do not say what it is.
POINTING = {"found", "given", "one", "others", "own"}

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Of the lines, a quarter are docstrings, which say shapes, units, dtypes and errors.  They are more
# than the 17,600 of before, since the package does more: what stays beside files, regions chosen,
# grouped, merged and saved, categories, many images and outputs of one call, objects and files of
# other programs, cleaning, a transformer of scikit-learn, files that claim what they do not hold;
# and 6,400 for what is looked at: pages, figures, meshes, notebooks; and 9,700 for many images and
# arrays that do not fit: tables of jobs, records, executors, OME-Zarr, reductions in chunks, 400 of
# them what is refused of stores and tables that change, or are others' or otherwise than they say.
# The branches are those of reading tables: what is told apart there, the ten rules tell apart.
AT_MOST = {
    "lines": 39_150,
    "modules in a folder": 12,
    "complex functions": 6,
    "functions that are too complex": 0,
    "branches per 100 lines": 39.5,
    "and, or per 100 lines": 7.8,
    "comprehensions per 100 lines": 6.6,
    "percent of private functions used once": 55,
    "percent of assignments to words that only point": 0.5,
}
LEAST_COMMENTS = 2.5  # percent of the lines


def sources(house: Path = HOUSE) -> Iterator[tuple[Path, str]]:
    """Every module but the oracles, which are written for something else, with its text."""
    for path in sorted(house.rglob("*.py")):
        if "testing" not in path.relative_to(house).parts:
            yield path, path.read_text(encoding="utf-8")


def statement_lines(function: Function, lines: list[str]) -> set[int]:
    """The numbers of the lines in a function, without docstring, blank lines and comments."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return set()
    numbers = range(body[0].lineno, (body[-1].end_lineno or 0) + 1)
    return {n for n in numbers if lines[n - 1].strip() and lines[n - 1].strip()[0] != "#"}


def complexities(source: str) -> list[int]:
    """How many ways lead through each function; `and`, `or` and comprehensions are forks too."""
    blocks = [block for block in cc_visit(source) if block.letter in "FM"]
    closures = [closure for block in blocks for closure in block.closures]
    return [block.complexity for block in [*blocks, *closures]]


def counts(source: str) -> Counter[str]:
    """What is counted of one module; names that are defined and used have a prefix."""
    lines, tree = source.splitlines(), ast.parse(source)
    count = Counter(lines=len(lines), comments=sum(line.lstrip()[:1] == "#" for line in lines))
    in_functions: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                in_functions |= statement_lines(node, lines)
                if re.match(r"_[^_]", node.name):
                    count[f"defined {node.name}"] += 1
            case ast.BoolOp():
                count["booleans"] += len(node.values) - 1
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                count["comprehensions"] += 1
            case ast.Attribute():
                count[f"used {node.attr}"] += 1
            case ast.Name(ctx=ast.Load()):
                count[f"used {node.id}"] += 1
            case ast.Name(ctx=ast.Store()):
                count["assignments"] += 1
                count["pointing"] += node.id in POINTING
    for complexity in complexities(source):
        count["branches"] += complexity - 1
        count["complex"] += complexity > COMPLEX
        count["too complex"] += complexity > TOO_COMPLEX
    count["in functions"] = len(in_functions)
    return count


@cache
def figures(house: Path = HOUSE) -> dict[str, float]:
    """What is measured, by the names of `AT_MOST`."""
    count: Counter[str] = Counter()
    in_folder: Counter[Path] = Counter()
    for path, source in sources(house):
        count += counts(source)
        in_folder[path.parent] += path.name != "__init__.py"
    private = [name.partition(" ")[2] for name in count if name.startswith("defined ")]
    n_private = sum(count[f"defined {name}"] for name in private)
    used_once = sum(count[f"used {name}"] == 1 for name in private)
    of_lines = 100 / count["in functions"]
    return {
        "lines": count["lines"],
        "modules in a folder": max(in_folder.values()),
        "complex functions": count["complex"],
        "functions that are too complex": count["too complex"],
        "branches per 100 lines": count["branches"] * of_lines,
        "and, or per 100 lines": count["booleans"] * of_lines,
        "comprehensions per 100 lines": count["comprehensions"] * of_lines,
        "percent of private functions used once": 100 * used_once / max(1, n_private),
        "percent of assignments to words that only point": (
            100 * count["pointing"] / max(1, count["assignments"])
        ),
        "percent of comments": 100 * count["comments"] / count["lines"],
    }


@pytest.mark.parametrize("what", AT_MOST)
def test_the_house_stays_plain(what):
    assert figures()[what] <= AT_MOST[what]


def test_there_are_comments():
    assert figures()["percent of comments"] >= LEAST_COMMENTS


PUBLIC = [
    thing
    for thing in (getattr(room, name) for room in (rc, cohort) for name in room.__all__)
    if inspect.isfunction(thing)
]


@pytest.mark.parametrize("function", dict.fromkeys(PUBLIC), ids=lambda each: each.__name__)
def test_public_functions_say_what_they_take(function):
    """An array of any dtype is `NDArray[Any]`; nothing else is `Any`."""
    for parameter, annotation in inspect.get_annotations(function).items():
        text = spelt_out(annotation, vars(inspect.getmodule(function)))
        assert "Any" not in text.replace("NDArray[Any]", ""), parameter


def spelt_out(annotation: str, names: dict[str, object]) -> str:
    """An annotation with what its aliases stand for, which are text too."""

    def meaning(word: re.Match[str]) -> str:
        alias = names.get(word[0])
        return spelt_out(alias, names) if isinstance(alias, str) else word[0]

    return re.sub(r"\w+", meaning, annotation)


# The rest holds the measures to what they are called.

SAMPLE = '''
def _helper(a, b):
    """Say something.

    At length.
    """
    # A reason.
    if a and b or not a:
        return [x for x in b if x]

    found = _helper(a, b)
    return found


class Thing:
    def method(self):
        def inner():
            return 1 if self else 2
        return inner
'''


def test_what_is_counted(tmp_path):
    (tmp_path / "room").mkdir()
    (tmp_path / "testing").mkdir()
    (tmp_path / "room" / "module.py").write_text(SAMPLE)
    (tmp_path / "room" / "__init__.py").write_text('"""A room."""\n')
    (tmp_path / "testing" / "oracle.py").write_text("x = 1 if 2 and 3 else 4\n" * 99)
    n_lines = 4 + 3  # of `_helper`, of `method` with what is inside
    assert figures(tmp_path) == {
        "lines": len(SAMPLE.splitlines()) + 1,
        "modules in a folder": 1,
        "complex functions": 0,
        "functions that are too complex": 0,
        # `if`, `and`, `or`, `for` and its `if`; and the `if` of `inner`.
        "branches per 100 lines": pytest.approx(100 * 6 / n_lines),
        "and, or per 100 lines": pytest.approx(100 * 2 / n_lines),
        "comprehensions per 100 lines": pytest.approx(100 * 1 / n_lines),
        "percent of private functions used once": 100,
        "percent of assignments to words that only point": 50,
        "percent of comments": pytest.approx(100 / (len(SAMPLE.splitlines()) + 1)),
    }


@pytest.mark.parametrize(
    ("body", "complexity"),
    [
        ("pass", 1),
        ("return a and b or c", 3),
        ("return [x for x in a if x for y in b]", 4),
        ("if a:\n  pass\n elif b:\n  pass", 3),
        ("for x in a:\n  pass", 2),
        ("return a if b else c", 2),
    ],
)
def test_every_fork_counts(body, complexity):
    assert complexities(f"def f():\n {body}\n") == [complexity]
