"""The programs and packages of others that some tests compare against.

None of them is needed to use or to test regioncast: a test that wants one skips itself when
it is absent (fixture ``program`` of ``conftest.py``).  This module says which are absent, so
that a green run never hides what it did not check.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

PROGRAMS = {
    "wb_command": "Connectome Workbench (Debian: connectome-workbench)",
    "mrinfo": "MRtrix3 (Debian: mrtrix3)",
    "nifti_tool": "the NIfTI reference tools (Debian: nifti-bin)",
    "pigz": "a parallel gzip (Debian: pigz)",
    "chromium": "a browser, in which pages are looked at (Debian: chromium)",
    "chromedriver": "what drives it (Debian: chromium-driver)",
    "bids-validator-deno": "the validator of BIDS (PyPI: bids-validator-deno)",
}
PACKAGES = {
    "SimpleITK": "ITK's reader of NIfTI files (PyPI: SimpleITK)",
    "indexed_gzip": "slices of compressed files for nibabel (PyPI: indexed_gzip)",
    "zlib_ng": "another reader of gzip files (PyPI: zlib-ng)",
}


def find(name: str) -> str | None:
    """Path of a program, which may come with the environment that is not on the path."""
    folders = [os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    return shutil.which(name, path=os.pathsep.join(folders))


def absent() -> dict[str, str]:
    """Name and description of each program or package that this machine lacks."""
    programs = {name: what for name, what in PROGRAMS.items() if find(name) is None}
    packages = {
        name: what for name, what in PACKAGES.items() if importlib.util.find_spec(name) is None
    }
    return programs | packages


def report() -> list[str]:
    """Lines that tell a reader what was not compared against."""
    missing = absent()
    if not missing:
        return ["every other program that tests compare against is present"]
    return ["absent, so tests that compare against them were skipped:"] + [
        f"  {name}: {what}" for name, what in missing.items()
    ]
