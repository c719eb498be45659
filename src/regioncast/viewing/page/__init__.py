"""A page that shows a painted map: one file, which asks for nothing else.

The scripts beside this module draw it.  They are put into the page one after the other, in one
scope, gzipped; `contents` says what they read.
"""

from __future__ import annotations

import base64
import gzip
import html
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from .contents import as_json, contents_of, packed

if TYPE_CHECKING:
    from ..scene import Scene

_HERE = Path(__file__).parent

# In the order in which they are run.
SCRIPTS = (
    "state",
    "colours",
    "slices",
    "meshes",
    "raster",
    "brain",
    "list",
    "course",
    "controls",
    "main",
)


class View:
    """A page of a scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @cached_property
    def html(self) -> str:
        """The whole page."""
        return page_of(self.scene)


def page_of(scene: Scene) -> str:
    """Return the page of a scene, as HTML."""
    meta, arrays = contents_of(scene)
    blobs = [
        f'<script type="text/plain" id="{name}-data">{packed(array)}</script>'
        for name, array in arrays.items()
    ]
    code = "\n".join((_HERE / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    script = base64.b64encode(gzip.compress(code.encode(), 9, mtime=0)).decode()
    parts = {
        "TITLE": html.escape(scene.title),
        "STYLE": (_HERE / "page.css").read_text("utf-8"),
        "META": as_json(meta),
        "DATA": "\n".join(blobs),
        "SCRIPT": script,
    }
    page = (_HERE / "page.html").read_text("utf-8")
    for name, part in parts.items():
        page = page.replace(f"@{name}@", part)
    return page
