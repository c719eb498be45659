"""The end of ``make test``: what pytest counted, why it skipped, what was not compared against.

Usage: ``python tests/report.py PYTEST_JUNIT_XML``.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import other_programs


def main(results: Path) -> None:
    suite = ET.parse(results).getroot().find("testsuite")
    assert suite is not None, f"{results} is not a pytest report"
    total, failed = int(suite.attrib["tests"]), int(suite.attrib["failures"])
    errors, skipped = int(suite.attrib["errors"]), int(suite.attrib["skipped"])
    passed = total - failed - errors - skipped
    reasons = Counter(node.attrib.get("message", "") for node in suite.iter("skipped"))

    for reason, count in reasons.most_common():
        print(f"skipped {count}: {reason}")
    print("\n".join(other_programs.report()))
    print(f"pytest: {passed} passed, {skipped} skipped, {failed} failed, {errors} errors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
