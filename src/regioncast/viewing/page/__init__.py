"""A page that shows a painted map: one file, which asks for nothing else.

The scripts beside this module draw it.  They are put into the page one after the other, in one
scope, gzipped; `contents` says what they read.
"""

from __future__ import annotations

import html
import json
import re
import secrets
import threading
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ...errors import ArgumentError, OutputError, plural
from ...files import check_output_of, output_path, replacing
from .contents import as_json, contents_of, embedded, packed, zipped

if TYPE_CHECKING:
    import os

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

_PLACE = re.compile("@([A-Z]+)@")

# Lines that are comments, whole, and the indentation of others: nobody reads the page's source.
_COMMENTS = re.compile(r"^[ \t]*(?://.*|/\*[\s\S]*?\*/[ \t]*)$", re.MULTILINE)
_MARGINS = re.compile(r"^\s+", re.MULTILINE)

# Until the style is unpacked with the scripts, nothing is seen but an error that prevents it.
_UNSTYLED = "header,main,aside{visibility:hidden}[hidden]{display:none!important}"
_STYLED = "header,main,aside{visibility:visible}\n"

# As wide as what it stands in, and as high as slices, list and time course need.
_WIDTH, _HEIGHT = "100%", 640
_LENGTH = re.compile(r"\d+(\.\d+)?(px|%|em|vh|vw)?")

# A page in a notebook runs its scripts, saves pictures and copies values, and does nothing else: it
# cannot reach the notebook around it.
_MAY = 'sandbox="allow-scripts allow-downloads" allow="clipboard-write; fullscreen"'

# How long a browser that was started may take to ask for the page, in seconds.
_PATIENCE = 20.0


class View:
    """A page of regions and their values: in one file, for a browser or a notebook.

    Made by `regioncast.view`.  The last line of a cell of a notebook shows it.  It has the methods
    of nilearn's views.

    Parameters
    ----------
    scene : Scene
        What is to be seen.

    Attributes
    ----------
    html : str
        The whole page.
    width, height : int or str
        Of its frame in a notebook: pixels, or lengths of CSS such as ``"100%"``.

    Examples
    --------
    >>> import regioncast as rc
    >>> demo = rc.demo_data()
    >>> page = rc.view(demo.values, demo.atlas, title="Left against right")
    >>> page.save_as_html("map.html").name
    'map.html'
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.html = page_of(scene)
        self.width: int | str = _WIDTH
        self.height: int | str = _HEIGHT

    def __repr__(self) -> str:
        scene = self.scene
        what = {
            "atlas": "an atlas",
            "categories": "categories",
            "values": plural(scene.n_maps, "map"),
        }[scene.show]
        title = f", {scene.title!r}" if scene.title else ""
        n_bytes = len(self.html.encode())
        return (
            f"View: {what} of {plural(len(scene.atlas), 'region')}, {n_bytes / 1e3:,.0f} kB{title}"
        )

    def get_standalone(self) -> str:
        """Return the whole page, by nilearn's name for it."""
        return self.html

    def save_as_html(self, file_name: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the page to a file, whole or not at all.

        Parameters
        ----------
        file_name : path
            Ends in ``.html`` or ``.htm``.
        overwrite : bool, default=False
            Whether an existing file may be replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputExistsError
            When the file exists and `overwrite` is false.
        OutputError
            When it cannot be written.
        FileFormatError
            When the name is not that of a page.
        """
        output = output_path(file_name)
        check_output_of(output, "page", overwrite=overwrite)
        with replacing(output, overwrite=overwrite) as temporary:
            temporary.write_bytes(self.html.encode())
        return output

    def open_in_browser(
        self, file_name: str | os.PathLike[str] | None = None, *, overwrite: bool = False
    ) -> None:
        """Open the page in the browser.

        Parameters
        ----------
        file_name : path, default=None
            Where the page is saved first.  When not given it is handed over without a file, once: a
            page that was loaded again would not be there any more.
        overwrite : bool, default=False
            Whether an existing file may be replaced.

        Raises
        ------
        OutputError
            When there is no browser, or it does not come for the page.
        OutputExistsError, FileFormatError
            As `save_as_html`.
        """
        if file_name is None:
            _hand_over(self.html.encode())
            return
        open_file(self.save_as_html(file_name, overwrite=overwrite))

    def resize(self, width: int | str, height: int | str) -> Self:
        """Set the size of the frame in a notebook, and return this view.

        Parameters
        ----------
        width, height : int or str
            Pixels, or lengths of CSS such as ``"100%"``.

        Raises
        ------
        ArgumentError
            When one is no length.
        """
        self.width, self.height = _length(width, "width"), _length(height, "height")
        return self

    def get_iframe(self, width: int | str | None = None, height: int | str | None = None) -> str:
        """Return the page in a frame, as HTML to be put into another page.

        Parameters
        ----------
        width, height : int or str, default=None
            Of this frame; `width` and `height` of the view when not given.

        Returns
        -------
        str
            The frame may run the scripts of the page, and reach nothing outside of it.

        Raises
        ------
        ArgumentError
            When one is no length.
        """
        across = _length(self.width if width is None else width, "width")
        down = _length(self.height if height is None else height, "height")
        title = html.escape(_encodable(self.scene.title or "regions of the brain"))
        # The size as style, too: as attributes, only pixels and percent are known.
        return (
            f'<iframe srcdoc="{html.escape(self.html)}" width="{across}" height="{down}" '
            f'style="width:{_of_css(across)};height:{_of_css(down)};border:0" {_MAY} '
            f'title="{title}"></iframe>'
        )

    def _repr_html_(self) -> str:
        return self.get_iframe()


def page_of(scene: Scene) -> str:
    """Return the page of a scene, as HTML."""
    meta, arrays = embedded(*contents_of(scene))
    blobs = [
        f'<script type="text/plain" id="{name}-data">{packed(array)}</script>'
        for name, array in arrays.items()
    ]
    title = _encodable(scene.title or "regioncast")
    parts = {
        "TITLE": html.escape(title),
        "STYLE": _UNSTYLED,
        "META": zipped(_encodable(as_json(meta)).encode()),
        "DATA": "\n".join(blobs),
        "SCRIPT": _script(),
    }
    return filled((_HERE / "page.html").read_text("utf-8"), parts)


def _encodable(text: str) -> str:
    """Return text in which what is none, as names of files may hold, is replaced."""
    return text.encode("utf-8", "replace").decode()


@cache
def _script() -> str:
    """Return what the page runs, which first sets its style, gzipped and in base 64."""
    style = _STYLED + without_comments((_HERE / "page.css").read_text("utf-8"))
    scripts = [without_comments((_HERE / f"{name}.js").read_text("utf-8")) for name in SCRIPTS]
    set_style = (
        "const style = document.createElement('style');"
        f"style.textContent = {json.dumps(style)};document.head.append(style);"
    )
    code = "\n".join(["'use strict';", f"{{{set_style}}}", *scripts])
    return zipped(code.encode())


def without_comments(source: str) -> str:
    r"""Return a script or a style without lines of comments, empty lines and indentation.

    No string in it may go over several lines.

    Examples
    --------
    >>> without_comments("/* What\n * it is. */\nif (a) {\n  // Why.\n  b('//');\n}\n")
    "if (a) {\nb('//');\n}\n"
    """
    return _MARGINS.sub("", _COMMENTS.sub("", source))


def filled(template: str, parts: Mapping[str, str]) -> str:
    """Return a template with parts in their places, ``@NAME@``.

    Parts are put in as they are: one that itself has ``@NAME@`` in it, as a title may, keeps it.

    Examples
    --------
    >>> filled("<b>@TITLE@</b> @DATA@", {"TITLE": "about @DATA@", "DATA": "1 2"})
    '<b>about @DATA@</b> 1 2'
    """
    return _PLACE.sub(lambda place: parts.get(place[1], place[0]), template)


def open_file(file: Path) -> None:
    """Open a file in the browser; raise `OutputError` where there is none."""
    if not webbrowser.open(file.resolve().as_uri()):
        raise OutputError(f"No browser was found to open {file}. Open it by yourself.")


def _length(length: int | str, what: str) -> str:
    """Return a length of CSS; raise where this is none, as it becomes part of a page."""
    if not _LENGTH.fullmatch(str(length)):
        raise ArgumentError(f"{what} is a number of pixels or a length as '100%', not {length!r}.")
    return str(length)


def _of_css(length: str) -> str:
    return length if not length[-1].isdigit() else f"{length}px"


def _hand_over(page: bytes) -> None:
    """Let the browser fetch a page from this process.

    Not from a temporary file: browsers in a box of their own, as Ubuntu's, do not see those.  Only
    programs on this machine can ask, and only who knows the address, which is told to the browser.
    """
    from http import HTTPStatus
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    address = f"/{secrets.token_urlsafe(16)}.html"
    is_fetched = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != address:  # as the icon of the site
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            with suppress(ConnectionError):  # a browser that went away may come again
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)
                is_fetched.set()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    # With threads, as browsers also open connections by which they ask for nothing.
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        # Beside this thread: a browser of the terminal holds it until its user leaves.
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            is_open = webbrowser.open(f"http://127.0.0.1:{server.server_port}{address}")
            is_fetched.wait(_PATIENCE if is_open else 0)
        finally:
            server.shutdown()
    if not is_fetched.is_set():
        raise OutputError(
            "No browser came for the page. Save it and open the file by yourself: "
            "view.save_as_html('map.html')."
        )
