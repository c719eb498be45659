"""Files changed at random are read as nibabel reads them or refused; nothing is unexpected.

The same targets as those of ``make fuzz``, which goes on for as long as one likes and is guided by
the code that it reaches.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.targets import TARGETS

ROOT = Path(__file__).parents[1]
N_CHANGED = 40

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
NUMBERS = [b"-1", b"0", b"1e400", b"nan", b"inf", b"999999999999", b"9" * 30, b"", b"0.5", b"x"]


def with_byte(content, chance):
    at = chance.randrange(len(content))
    byte = chance.choice([0, 255, chance.randrange(256), content[at] ^ 1 << chance.randrange(8)])
    return content[:at] + bytes([byte]) + content[at + 1 :]


def with_head(content, chance):
    """Change what stands early, which mostly says what the rest is."""
    return with_byte(content[:352], chance) + content[352:]


def with_number(content, chance):
    places = [match.span() for match in NUMBER.finditer(content)]
    if not places:
        return with_byte(content, chance)
    start, end = chance.choice(places)
    return content[:start] + chance.choice(NUMBERS) + content[end:]


def without_some(content, chance):
    start, end = sorted(chance.randrange(len(content)) for _ in range(2))
    return content[:start] + content[end:]


def with_some_twice(content, chance):
    start, end = sorted(chance.randrange(len(content)) for _ in range(2))
    return content[:end] + content[start:]


CHANGES = [with_byte, with_head, with_head, with_number, with_number, without_some, with_some_twice]


def changed(content, chance):
    for _ in range(chance.choice([1, 1, 2, 4])):
        content = chance.choice(CHANGES)(content, chance) or b"\0"
    return content


@pytest.mark.parametrize("name", TARGETS)
def test_good_files_have_results(tmp_path, name):
    for content in TARGETS[name].seeds():
        assert TARGETS[name].check(content, tmp_path) > 0


@pytest.mark.parametrize("name", TARGETS)
def test_changed_files_are_refused_or_read_as_they_are(tmp_path, name):
    chance, seeds = random.Random(0), TARGETS[name].seeds()
    for number in range(N_CHANGED):
        content = changed(seeds[number % len(seeds)], chance)
        try:
            TARGETS[name].check(content, tmp_path)
        except BaseException:
            print(f"the finding: {content!r}")
            raise


def test_without_atheris_it_is_said_what_is_missing():
    code = (
        "import runpy, sys; sys.modules['atheris'] = None; "
        "runpy.run_module('fuzz', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("fuzzing needs atheris")
    assert done.stderr.rstrip().endswith("pip install --group fuzz")
