"""Every code block of the pages that people read runs, or says why it does not.

A *page* is a Markdown file; a *block* is a fenced part of it.  What happens to a block
depends on its language:

``python``
    runs, or is compared as a doctest when it has prompts; the blocks of a page share one
    namespace;
``bash``
    runs with ``bash -e``;
``console``
    lines after ``$ `` run; the lines shown below them, if any, are what they must print
    (``...`` stands for anything);
``text``
    is shown, not run.

All blocks of a page run in order in one temporary folder, which starts with the embedded data
under plain names (fixture ``demo_folder``).  A block that cannot run carries its reason in
the line above its fence::

    <!-- not run: needs the network -->
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
import textwrap
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import regioncast
from regioncast.formats import format_table

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    + list((ROOT / "docs").glob("**/*.md")),
)
OPENING = re.compile(r"^(?P<indent>\s*)(?P<fence>`{3,}|~{3,})\s*(?P<language>[^\s`]*)[^`]*$")
MARKER = re.compile(r"^\s*<!-- not run: (?P<reason>\S.*?) -->\s*$")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
BLOCK_SECONDS = 120  # far above what any block needs; ends a block that waits for input


@dataclass(frozen=True)
class Block:
    """One fenced block: its text and where its first line of code stands."""

    page: Path
    line: int
    language: str
    code: str
    not_run: str | None

    @property
    def where(self) -> str:
        return f"{self.page.name}:{self.line}"


class BlockError(AssertionError):
    """A block failed; the message starts with the file and the line."""


def blocks_of(page: Path, text: str) -> Iterator[Block]:
    """All fenced blocks of a page, in order."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        opening = OPENING.match(lines[number])
        if opening is None:
            number += 1
            continue
        marker = MARKER.match(lines[number - 1]) if number else None
        end = closing_line(lines, number, opening["fence"])
        if end is None:
            raise BlockError(f"{page.name}:{number + 1}: this fence is never closed")
        yield Block(
            page=page,
            line=number + 2,
            language=opening["language"],
            code=textwrap.dedent("\n".join(lines[number + 1 : end]) + "\n"),
            not_run=marker["reason"] if marker else None,
        )
        number = end + 1


def closing_line(lines: list[str], opening: int, fence: str) -> int | None:
    """Number of the line that closes the fence opened in line ``opening``."""
    closing = re.compile(rf"^\s*{re.escape(fence[0])}{{{len(fence)},}}\s*$")
    return next(
        (number for number in range(opening + 1, len(lines)) if closing.match(lines[number])),
        None,
    )


def run_python(block: Block, namespace: dict[str, Any]) -> None:
    """Run a block, or compare it when it is a session with prompts."""
    if ">>>" in block.code:
        compare_session(block, namespace)
        return
    # Empty lines before the code make every traceback show the page's own line numbers.
    source = "\n" * (block.line - 1) + block.code
    try:
        exec(compile(source, str(block.page), "exec"), namespace)
    except BaseException as error:
        raise BlockError(f"{place_of(error, block)}\n{traceback.format_exc()}") from None


def place_of(error: BaseException, block: Block) -> str:
    """File and line of the statement of the page that raised."""
    if isinstance(error, SyntaxError) and error.filename == str(block.page):
        return f"{block.page.name}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(block.page)]
    return f"{block.page.name}:{lines[0]}" if lines else block.where


def compare_session(block: Block, namespace: dict[str, Any]) -> None:
    """Run the ``>>>`` lines of a block and compare what they print."""
    session = doctest.DocTestParser().get_doctest(
        block.code, namespace, block.where, str(block.page), block.line - 1
    )
    session.globs = namespace  # the parser copied it; later blocks need what this one defines
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    failures = runner.run(session, out=report.write, clear_globs=False).failed
    if failures:
        raise BlockError(f"{block.where}\n{report.getvalue()}")


def run_bash(block: Block, namespace: dict[str, Any]) -> None:
    """Run a block of shell commands; the first that fails ends it."""
    del namespace
    shell(block.code, block.where)


def run_console(block: Block, namespace: dict[str, Any]) -> None:
    """Run the ``$ `` lines of a block and compare what is shown below them."""
    del namespace
    for line, command, shown in console_commands(block):
        where = f"{block.page.name}:{line}"
        printed = shell(command, where)
        if shown.strip() and not doctest.OutputChecker().check_output(shown, printed, FLAGS):
            raise BlockError(f"{where}: $ {command}\nshown:\n{shown}\nprinted:\n{printed}")


def console_commands(block: Block) -> Iterator[tuple[int, str, str]]:
    """Line, command and shown output for each command of a console block.

    A command goes on in the next line after a backslash.
    """
    lines = block.code.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    if not starts or starts[0] != 0:
        raise BlockError(f"{block.where}: a console block starts with a command after '$ '")
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        end = start + 1
        while end < stop and lines[end - 1].endswith("\\"):
            end += 1
        command = "\n".join([lines[start].removeprefix("$ "), *lines[start + 1 : end]])
        yield block.line + start, command, "\n".join(lines[end:stop]) + "\n"


def shell(commands: str, where: str) -> str:
    """Standard output and error of ``commands``, run with this environment's programs."""
    done = subprocess.run(
        ["bash", "-e", "-u", "-o", "pipefail", "-c", commands],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BLOCK_SECONDS,
        check=False,
    )
    if done.returncode:
        raise BlockError(f"{where}: exit {done.returncode}\n$ {commands}\n{done.stdout}")
    return done.stdout


def show_only(block: Block, namespace: dict[str, Any]) -> None:
    """Leave a block of plain text alone."""
    del block, namespace


RUNNERS: dict[str, Callable[[Block, dict[str, Any]], None]] = {
    "python": run_python,
    "bash": run_bash,
    "console": run_console,
    "text": show_only,
}


def run_page(page: Path, text: str) -> int:
    """Run the blocks of a page and return how many were run."""
    namespace: dict[str, Any] = {"__name__": "__page__"}
    count = 0
    for block in blocks_of(page, text):
        if block.not_run is not None:
            continue
        if block.language not in RUNNERS:
            raise BlockError(
                f"{block.where}: language {block.language!r} is none of {', '.join(RUNNERS)}; "
                "name one, or write '<!-- not run: reason -->' in the line above the fence"
            )
        RUNNERS[block.language](block, namespace)
        count += block.language != "text"
    return count


@pytest.mark.usefixtures("demo_folder")
@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_blocks_of_page_run(page: Path) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        run_page(page, page.read_text(encoding="utf-8"))


def test_readme_runs_python_and_shell() -> None:
    """The first page shows both faces, and neither example is switched off."""
    page = ROOT / "README.md"
    run = {
        block.language
        for block in blocks_of(page, page.read_text(encoding="utf-8"))
        if block.not_run is None
    }
    assert "python" in run
    assert run & {"bash", "console"}


LINKED_PAGES = [*PAGES, ROOT / "src" / "regioncast" / "data" / "README.md"]
LINK = re.compile(
    r"\[[^\]]*\]\((?P<inline>[^)\s]+)(?:\s+\"[^\"]*\")?\)"
    r"|^\[[^\]]+\]:\s*(?P<below>\S+)",
    re.MULTILINE,
)


def links_of(text: str) -> list[str]:
    """All targets of links and pictures, without those in blocks and code."""
    prose = re.sub(
        r"^(`{3,}|~{3,}).*?^\1`*\s*$|`[^`\n]*`", "", text, flags=re.DOTALL | re.MULTILINE
    )
    return [found["inline"] or found["below"] for found in LINK.finditer(prose)]


def anchors_of(text: str) -> set[str]:
    """What headings can be linked by, as on GitHub."""
    headings = re.findall(r"^#+\s+(.+?)\s*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKED_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links_of(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        found = target.exists() and ROOT in target.parents
        if not found or (anchor and anchor not in anchors_of(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", LINKED_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_that_a_page_names_exist(page: Path) -> None:
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", page.read_text(encoding="utf-8")))
    sources = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    assert named <= set(re.findall(r"^def (test_\w+)", "\n".join(sources), re.MULTILINE))


def test_recipes_take_three_lines() -> None:
    """Thirteen tasks; what stands before the first is what all of them begin with."""
    page = ROOT / "docs" / "recipes.md"
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (\d+)\.", text, re.MULTILINE) == [str(n) for n in range(1, 14)]
    tasks = text[text.index("## 1.") :]
    for block in blocks_of(page, tasks):
        lines = [line for line in block.code.splitlines() if line.strip()]
        if ">>>" in block.code:
            lines = [line for line in lines if line.startswith(">>>")]
        if block.language == "console":
            lines = [line for line in lines if line.startswith("$")]
        code = [line for line in lines if not re.match(r"(>>> )?(import|from) ", line)]
        assert len(code) <= 3, block.code


def test_readme_lists_the_formats() -> None:
    """The table of the page is that of the code."""
    assert format_table() in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_rules_are_those_of_the_reference() -> None:
    """How values meet regions is written twice: for the page, and for `paint`."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    rules = page.partition("## How values meet regions")[2].partition("\n## ")[0]
    reference = " ".join((regioncast.paint.__doc__ or "").replace("``", "`").split())
    assert " ".join(rules.split()) in reference


# The rest holds this module itself to what it promises.

FENCE = "`" * 3


def page_text(*blocks: tuple[str, str]) -> str:
    """A page, ``page.md``, whose blocks start in lines 3, 3 + n + 3, …"""
    return "".join(f"Some text.\n{FENCE}{language}\n{code}{FENCE}\n" for language, code in blocks)


def test_blocks_share_a_namespace_and_a_folder(demo_folder: Path) -> None:
    text = page_text(
        ("python", "from pathlib import Path\nn = 2\n"),
        ("python", ">>> n + 1\n3\n>>> m = n * 10\n"),
        ("bash", "test -e values.tsv\necho hello > made.txt\n"),
        ("python", "assert m == 20\nassert Path('made.txt').read_text() == 'hello\\n'\n"),
        ("console", "$ cat made.txt\nhello\n$ printf '%s' \\\n  time=0.4s\ntime=...s\n"),
        ("text", "whatever\n"),
    )
    assert run_page(demo_folder / "page.md", text) == 5


@pytest.mark.usefixtures("demo_folder")
@pytest.mark.parametrize(
    ("language", "code", "message"),
    [
        ("python", "n = 1\nn / 0\n", r"page\.md:4\n(.|\n)*ZeroDivisionError"),
        ("python", "n = 1\nn n\n", r"page\.md:4\n(.|\n)*SyntaxError"),
        ("python", "import sys\nsys.exit(0)\n", r"page\.md:4\n(.|\n)*SystemExit"),
        ("python", ">>> n = 1\n>>> n\n2\n", r'page\.md", line 4(.|\n)*Expected:\s+2\s+Got:\s+1'),
        ("bash", "echo before\nfalse\necho after\n", r"page\.md:3: exit 1(.|\n)*before"),
        ("console", "$ echo a\na\n$ echo b\nc\n", r"page\.md:5: \$ echo b"),
        ("console", "echo a\n", r"page\.md:3: a console block starts with"),
        ("", "n = 1\n", r"page\.md:3: language '' is none of python, bash, console, text"),
        ("sh", "true\n", r"page\.md:3: language 'sh' is none of"),
    ],
)
def test_failing_block_says_where(language: str, code: str, message: str) -> None:
    with pytest.raises(BlockError, match=message):
        run_page(Path("page.md"), page_text((language, code)))


def test_marked_block_is_not_run() -> None:
    text = f"<!-- not run: needs the network -->\n{FENCE}bash\nfalse\n{FENCE}\n"
    assert run_page(Path("page.md"), text) == 0


def test_marker_without_reason_is_no_marker() -> None:
    text = f"<!-- not run:  -->\n{FENCE}bash\nfalse\n{FENCE}\n"
    with pytest.raises(BlockError, match="exit 1"):
        run_page(Path("page.md"), text)


def test_unclosed_fence_is_an_error() -> None:
    with pytest.raises(BlockError, match=r"page\.md:2: this fence is never closed"):
        run_page(Path("page.md"), f"text\n{FENCE}python\nn = 1\n")


def test_indented_block_is_found() -> None:
    text = f"- item\n\n  {FENCE}python\n  n = 1\n  if n:\n      n = 2\n  {FENCE}\n"
    assert run_page(Path("page.md"), text) == 1
