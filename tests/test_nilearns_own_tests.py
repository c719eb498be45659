"""nilearn's own tests of ``signals_to_img_labels`` pass with our function in its place.

They are run from the installed nilearn, in a process of their own, with a plugin that replaces
the function where those tests found it, and counts its calls.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import textwrap

import pytest

MODULE = "nilearn.regions.tests.test_signal_extraction"

# All tests of that module that call the function, and how many calls each makes with all its
# parameters.  In the tests of errors a call is one that raises.
EXPECTED_CALLS = {
    "test_errors_4d_labels": 1,
    "test_errors_4d_masks": 1,
    "test_signals_to_img_labels_bad_label_input": 2,
    "test_signals_to_img_labels_bad_mask_input": 2,
    "test_signals_extraction_with_labels_without_mask": 1,
    "test_signals_extraction_with_labels_without_mask_return_masked_atlas": 1,
    "test_signals_extraction_with_labels_with_mask": 2,
    "test_signals_extraction_with_labels_with_mask_return_masked_atlas": 1,
    "test_signal_extraction_with_maps_and_labels": 1,
}

PLUGIN = f'''
import collections, importlib, json, os
import pytest
from regioncast.regions import signals_to_img_labels as ours

calls, outcomes, current = collections.Counter(), {{}}, None

def counted(*args, **kwargs):
    calls[current] += 1
    return ours(*args, **kwargs)

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    module = importlib.import_module("{MODULE}")
    assert module.signals_to_img_labels.__module__.startswith("nilearn.")
    module.signals_to_img_labels = counted

def pytest_runtest_logstart(nodeid, location):
    global current
    current = nodeid.rpartition("::")[2].partition("[")[0]

def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.nodeid] = report.outcome

def pytest_sessionfinish():
    with open(os.environ["REPORT"], "w") as file:
        json.dump({{"calls": calls, "outcomes": outcomes}}, file)
'''


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The calls of our function per test, and the outcome of each test."""
    pytest.importorskip("nilearn")
    folder = tmp_path_factory.mktemp("nilearn")
    (folder / "replace_function.py").write_text(textwrap.dedent(PLUGIN))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    thread_unsafe\n")
    environment = {**os.environ, "PYTHONPATH": str(folder), "REPORT": str(folder / "report.json")}
    environment.pop("PYTEST_ADDOPTS", None)
    plugins = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "replace_function"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", folder / "pytest.ini", *plugins, "--pyargs", MODULE],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    return json.loads((folder / "report.json").read_text())


def test_it_is_the_nilearn_that_we_mirror():
    assert importlib.metadata.version("nilearn").startswith("0.14.")


def test_all_of_nilearns_tests_pass_with_our_function(report):
    outcomes = report["outcomes"]
    assert set(outcomes.values()) == {"passed"}, outcomes
    passed = {node.rpartition("::")[2].partition("[")[0] for node in outcomes}
    assert set(EXPECTED_CALLS) <= passed


def test_nilearns_tests_really_call_our_function(report):
    assert report["calls"] == EXPECTED_CALLS
