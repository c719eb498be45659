"""nilearn's own tests of signals by labels and of the label maskers pass while it is patched.

They are run from the installed nilearn, in a process per module, with a plugin that patches
nilearn once its tests are loaded and counts the calls of our functions.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import textwrap

import pytest

EXTRACTION = "nilearn.regions.tests.test_signal_extraction"
MASKER = "nilearn.maskers.tests.test_nifti_labels_masker"
MULTI_MASKER = "nilearn.maskers.tests.test_multi_nifti_labels_masker"

# All tests of that module that call one of our functions, and how many calls each makes with
# all its parameters: first of img_to_signals_labels, then of signals_to_img_labels.  In the
# tests of errors a call is one that raises.
EXPECTED_CALLS = {
    "test_errors_3d": (1, 0),
    "test_errors_4d_labels": (1, 1),
    "test_errors_4d_masks": (1, 1),
    "test_img_to_signals_labels_bad_labels_input": (2, 0),
    "test_img_to_signals_labels_bad_mask_input": (2, 0),
    "test_img_to_signals_labels_error_strategy": (1, 0),
    "test_signals_to_img_labels_bad_label_input": (0, 2),
    "test_signals_to_img_labels_bad_mask_input": (0, 2),
    "test_signals_extraction_with_labels_without_mask": (2, 1),
    "test_masked_atlas_keeps_the_label_values": (2, 0),
    "test_signals_extraction_with_labels_without_mask_return_masked_atlas": (1, 1),
    "test_signals_extraction_with_labels_with_mask": (1, 2),
    "test_signals_extraction_with_labels_with_mask_return_masked_atlas": (1, 1),
    "test_signal_extraction_with_maps_and_labels": (2, 1),
    "test_img_to_signals_labels_warnings": (3, 0),
    "test_signal_extraction_nans_in_regions_are_replaced_with_zeros": (1, 0),
    "test_img_to_signals_labels_parallel_extraction": (2, 0),
}

# Tests that ask for something that docs/nilearn.md lists as a difference: part of their names,
# and why.  They run, and have to fail.
DIFFERENCES = {
    "test_errors_3d": "a 3D image, which nilearn refuses, is one map",
    "check_img_estimator_dtypes_inverse_transform": (
        "asks for the warning that nilearn turned int64 signals into int32; they stay int64"
    ),
}

PLUGIN = """
import collections, functools, json, os
import pytest
import regioncast.nilearn.regions

calls = {"img_to_signals_labels": collections.Counter(),
         "signals_to_img_labels": collections.Counter()}
outcomes, current = {}, None
DIFFERENCES = json.loads(os.environ["DIFFERENCES"])

def counting(name):
    ours = getattr(regioncast.nilearn.regions, name)

    @functools.wraps(ours)
    def counted(*args, **kwargs):
        calls[name][current] += 1
        return ours(*args, **kwargs)

    setattr(regioncast.nilearn.regions, name, counted)

for name in calls:
    counting(name)
from regioncast import patch_nilearn  # takes the functions that count

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    patch_nilearn()
    for item in items:
        for part, reason in DIFFERENCES.items():
            if part in item.name:
                item.add_marker(pytest.mark.xfail(strict=True, reason=reason))

def pytest_runtest_logstart(nodeid, location):
    global current
    current = nodeid.rpartition("::")[2].partition("[")[0]

def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        reason = getattr(report, "wasxfail", None)
        outcomes[report.nodeid.rpartition("::")[2]] = reason or report.outcome

def pytest_sessionfinish():
    with open(os.environ["REPORT"], "w") as file:
        json.dump({"calls": calls, "outcomes": outcomes}, file)
"""

SETTINGS = """
[pytest]
markers =
    thread_unsafe
filterwarnings =
    # From nilearn's reports under a pandas that is newer than it; they fail on any warning.
    ignore:Passing a DataFrame to DataFrame.from_dict
"""


@pytest.fixture
def run(tmp_path):
    """Run a module of nilearn's tests; the calls of our functions and the outcomes."""
    pytest.importorskip("nilearn")
    (tmp_path / "patch.py").write_text(textwrap.dedent(PLUGIN))
    (tmp_path / "pytest.ini").write_text(SETTINGS)

    def run(module):
        environment = {
            **os.environ,
            "PYTHONPATH": str(tmp_path),
            "REPORT": str(tmp_path / "report.json"),
            "DIFFERENCES": json.dumps(DIFFERENCES),
        }
        environment.pop("PYTEST_ADDOPTS", None)
        plugins = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "patch"]
        command = [sys.executable, "-P", "-m", "pytest", "-c", tmp_path / "pytest.ini", *plugins]
        done = subprocess.run(
            [*command, "--pyargs", module],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return json.loads((tmp_path / "report.json").read_text())

    return run


def passed(outcomes):
    return {name for name, outcome in outcomes.items() if outcome == "passed"}


def differing(outcomes):
    """The tests that failed because they ask for what we do not do."""
    return {name for name, outcome in outcomes.items() if outcome in DIFFERENCES.values()}


def test_it_is_the_nilearn_that_we_mirror():
    assert importlib.metadata.version("nilearn").startswith("0.14.")


def test_nilearns_tests_of_the_functions_pass_with_ours(run):
    report = run(EXTRACTION)
    outcomes = report["outcomes"]
    assert differing(outcomes) == {"test_errors_3d"}
    assert set(outcomes) - passed(outcomes) == differing(outcomes), outcomes
    calls = {
        test: tuple(counts.get(test, 0) for counts in report["calls"].values())
        for test in set().union(*report["calls"].values())
    }
    assert calls == EXPECTED_CALLS


# The modules have 175 and 241 tests, of which nilearn marks 33 of scikit-learn's as bound to fail
# and skips one.
@pytest.mark.parametrize("module", [MASKER, MULTI_MASKER], ids=["one", "multi"])
def test_nilearns_tests_of_the_label_maskers_pass_with_our_functions(run, module):
    pytest.importorskip("numpydoc", reason="nilearn's tests of its maskers import it")
    report = run(module)
    outcomes = report["outcomes"]
    assert "failed" not in outcomes.values()
    assert len(passed(outcomes)) > 130
    assert {name.partition("[")[0] for name in differing(outcomes)} == {
        "test_check_estimator_nilearn"
    }
    assert len(differing(outcomes)) == 2  # for two maskers
    assert sum(report["calls"]["img_to_signals_labels"].values()) > 300
    assert sum(report["calls"]["signals_to_img_labels"].values()) > 80
