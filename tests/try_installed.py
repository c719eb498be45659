"""Try an installed regioncast, given the path of the repository that must be out of reach.

Run by ``check_wheel.py`` in a fresh environment that has no pytest.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from pathlib import Path

# Needed for tables, extras or figures only: loading them would make every start slow.
LAZY = (
    "pandas", "dask", "matplotlib", "nilearn", "sklearn", "pyarrow", "polars", "narwhals",
    "cyclopts",
)  # fmt: skip


def main(repository: Path) -> None:
    import regioncast

    package = Path(regioncast.__file__).resolve().parent
    source = (repository / "src").resolve()
    assert source not in package.parents, f"regioncast was imported from {source}"
    assert source not in [Path(entry).resolve() for entry in sys.path], f"{source} is on the path"

    loaded = [name for name in LAZY if name in sys.modules]
    assert not loaded, f"`import regioncast` loads {', '.join(loaded)}"

    version = importlib.metadata.version("regioncast")
    assert regioncast.__version__ == version, (regioncast.__version__, version)
    assert (package / "py.typed").is_file(), "py.typed is missing"

    lost = [name for name in regioncast.__all__ if not hasattr(regioncast, name)]
    assert not lost, f"regioncast.__all__ names {', '.join(lost)}, which cannot be had"
    unlisted = set(regioncast.__all__) - set(dir(regioncast))
    assert not unlisted, f"dir(regioncast) does not show {', '.join(sorted(unlisted))}"

    # A page takes files that are no modules, and nothing but what is always there.
    demo = regioncast.demo_data()
    page = regioncast.view(demo.values, demo.atlas)
    assert page.html.startswith("<!doctype html>"), page.html[:80]

    assert importlib.util.find_spec("matplotlib") is None, "this environment is not a fresh one"
    advice = ""
    try:
        regioncast.plot(demo.values, demo.atlas)
    except regioncast.RegioncastError as error:
        advice = str(error)
    assert "regioncast[plot]" in advice, f"a figure without matplotlib: {advice!r}"
    assert importlib.util.find_spec("pytest") is None, "this environment is not a fresh one"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
