"""Headless Chromium, in which tests look at a page as people do.

Debian's ``chromium`` and ``chromium-driver``, by explicit paths: selenium then downloads nothing.
One browser serves all tests of a process; each test opens pages of its own in it.

A *page* is a string of HTML.  It is loaded from a file, without a server, and ready when it says
so in ``window.regioncast.ready``, or when it shows an error.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

CHROMIUM = shutil.which("chromium")
CHROMEDRIVER = shutil.which("chromedriver")
IS_THERE = CHROMIUM is not None and CHROMEDRIVER is not None

SECONDS = 15  # a busy machine may need long; whoever waits longer waits for what never comes

# No profile, no GPU, and nothing that a browser asks of the network by itself.
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--window-size=1280,900",
)

# What the page holds is read as bytes: numbers as JSON would lose NaN, -0 and the dtype.
_BYTES_OF = """
  function textOf(array) {
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    let text = '';
    for (let start = 0; start < bytes.length; start += 32768) {
      text += String.fromCharCode(...bytes.subarray(start, start + 32768));
    }
    return btoa(text);
  }
  const array = %s;
  if (array === undefined || array === null) return null;
  const name = array.constructor.name;
  // Images of codes are large, and mostly runs of equal ones.
  if (array.length < 65536 || !['Uint16Array', 'Uint32Array'].includes(name)) {
    return [name, textOf(array), null];
  }
  const starts = [0];
  for (let at = 1; at < array.length; at++) if (array[at] !== array[at - 1]) starts.push(at);
  const lengths = starts.map((start, run) => (starts[run + 1] ?? array.length) - start);
  const values = array.constructor.from(starts, start => array[start]);
  return [name, textOf(values), textOf(Uint32Array.from(lengths))];
"""

_DTYPES = {
    "Uint8Array": np.uint8, "Uint8ClampedArray": np.uint8, "Int8Array": np.int8,
    "Uint16Array": np.uint16, "Int16Array": np.int16, "Uint32Array": np.uint32,
    "Int32Array": np.int32, "Float32Array": np.float32, "Float64Array": np.float64,
    "BigInt64Array": np.int64, "BigUint64Array": np.uint64,
}  # fmt: skip


class Browser:
    """A Chromium of our own.

    Parameters
    ----------
    folder : Path
        Where pages and downloads go.
    """

    def __init__(self, folder: Path) -> None:
        options = Options()
        options.binary_location = str(CHROMIUM)
        for option in _OPTIONS:
            options.add_argument(option)
        # What pages say, and what they ask of any network.
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        options.add_experimental_option(
            "perfLoggingPrefs", {"enableNetwork": True, "enablePage": False}
        )
        self.driver = webdriver.Chrome(options=options, service=Service(str(CHROMEDRIVER)))
        self.folder = folder
        self.downloads = folder / "downloads"
        self.downloads.mkdir()
        self.driver.set_script_timeout(SECONDS)
        self.command(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(self.downloads)
        )
        self._n_pages = 0

    def command(self, name: str, /, **arguments: object) -> Any:
        """Send a command of Chromium's own protocol."""
        return self.driver.execute_cdp_cmd(name, arguments)

    def quit(self) -> None:
        self.driver.quit()

    def resize(self, width: int, height: int, *, ratio: float = 1) -> None:
        """Set the size of the viewport, which may be smaller than a window can be.

        `ratio` is how many pixels of the screen a pixel of the page has along each edge.
        """
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=ratio,
            mobile=False,
        )

    def prefer(self, theme: str) -> None:
        """Let the browser ask pages for a theme, ``"light"`` or ``"dark"``."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.command("Emulation.setEmulatedMedia", features=features)

    def load(self, html: str) -> None:
        """Load a page, and forget what the one before said."""
        self.driver.switch_to.default_content()
        self.messages()
        self.requests()
        self._n_pages += 1
        path = self.folder / f"page{self._n_pages}.html"
        path.write_text(html, encoding="utf-8")
        self.driver.get(path.as_uri())

    def open(
        self,
        html: str,
        *,
        theme: str = "light",
        size: tuple[int, int] = (1200, 900),
        ratio: float = 1,
        before: str = "",
        may_fail: bool = False,
    ) -> Page:
        """Open a page and wait until it is ready; or shows an error, where that is expected.

        Parameters
        ----------
        html : str
        theme : {"light", "dark"}
        size : tuple of int
            Width and height of the viewport, pixels.
        ratio : float
            Pixels of the screen to a pixel of the page.
        before : str
            A script that runs before any of the page, to take something away from it.
        may_fail : bool
            Whether the page may show an error.
        """
        self.resize(*size, ratio=ratio)
        self.prefer(theme)
        script = None
        if before:
            script = self.command("Page.addScriptToEvaluateOnNewDocument", source=before)
        try:
            self.load(html)
            page = Page(self)
            page.wait_until_settled()
            assert may_fail or page.is_ready, page.error
        finally:
            if script is not None:
                self.command("Page.removeScriptToEvaluateOnNewDocument", **script)
        return page

    def messages(self) -> list[str]:
        """Return what the console was told since last asked: warnings and worse."""
        return [
            f"{message['level']}: {message['message']}"
            for message in self.driver.get_log("browser")
            if message["level"] in {"SEVERE", "WARNING"}
        ]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since last asked, but for pages of our own."""
        entries = (json.loads(entry["message"]) for entry in self.driver.get_log("performance"))
        asked = [
            entry["message"]["params"]["request"]["url"]
            for entry in entries
            if entry["message"]["method"] == "Network.requestWillBeSent"
        ]
        within = (self.folder.as_uri(), "data:", "blob:", "about:")
        return [url for url in asked if not url.startswith(within)]


class Page:
    """A page that is open in a browser."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.driver = browser.driver

    def run(self, script: str, *arguments: object) -> Any:
        """Run a script; `return` gives something back.  ``r`` is ``window.regioncast``."""
        return self.driver.execute_script(f"const r = window.regioncast;\n{script}", *arguments)

    def array(self, expression: str) -> np.ndarray:
        """Return a typed array of the page, in one dimension, bit for bit."""
        answer = self.run(_BYTES_OF % expression)
        assert answer is not None, f"the page has no {expression}"
        name, text, lengths = answer
        array = np.frombuffer(base64.b64decode(text), _DTYPES[name])
        if lengths is None:
            return array
        return np.repeat(array, np.frombuffer(base64.b64decode(lengths), np.uint32))

    def wait_for(self, condition: Callable[[], object], what: str) -> Any:
        """Return what a condition gives as soon as it is true."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            answer = condition()
            if answer:
                return answer
            time.sleep(0.02)
        said = self.browser.messages()
        raise AssertionError(f"waited {SECONDS} s in vain for {what}; the console says {said}")

    def wait_until_settled(self) -> None:
        """Wait until the page is ready or shows an error."""
        self.wait_for(lambda: self.is_ready or self.error, "a page that is ready or says why not")

    @property
    def is_ready(self) -> bool:
        return bool(self.run("return Boolean(r && r.ready)"))

    @property
    def error(self) -> str:
        """The error that is to be seen; nothing where there is none."""
        script = """
          const error = document.getElementById('error');
          return error && error.checkVisibility() ? error.textContent : '';
        """
        return str(self.run(script))

    def element(self, css: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def elements(self, css: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css: str) -> str:
        """The text of an element, whether it is to be seen or not."""
        return str(self.run("return document.querySelector(arguments[0]).textContent", css))

    def settle(self) -> None:
        """Let the page do what it left for its next frames."""
        script = "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))"
        self.driver.execute_async_script(script)

    def point_at(self, x: float, y: float) -> ActionChains:
        """Return actions that move a real pointer to a place in the viewport."""
        actions = ActionChains(self.driver, duration=0)
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        return actions

    def press(self, *keys: str) -> None:
        """Press keys one after the other, wherever the focus is."""
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()
        self.settle()

    def assert_quiet(self) -> None:
        """Nothing was said on the console, nothing was asked of any network, nothing got in."""
        resources = "return performance.getEntriesByType('resource').map(entry => entry.name)"
        complaints = {
            "the console says": self.browser.messages(),
            "the page asked for": [*self.browser.requests(), *self.run(resources)],
            "a script was injected": self.run("return window.broken"),
        }
        complaints = {what: them for what, them in complaints.items() if them}
        assert not complaints, complaints

    def downloaded(self, what: Callable[[], object]) -> Path:
        """Return the file that comes of doing something."""
        for path in self.browser.downloads.iterdir():
            path.unlink()
        what()

        def whole_files() -> list[Path]:
            files = list(self.browser.downloads.iterdir())
            return [] if any(path.suffix == ".crdownload" for path in files) else files

        (path,) = self.wait_for(whole_files, "a download")
        return path


_BLOB = re.compile(r'(<script type="text/plain"[^>]*>)([A-Za-z0-9+/=\s]+)(</script>)')


def with_script(html: str, change: Callable[[str], str]) -> str:
    """Return a page whose scripts were changed; they are the one blob that is text."""

    def changed(blob: re.Match[str]) -> str:
        content = gzip.decompress(base64.b64decode(blob[2]))
        if b"window.regioncast" not in content:
            return blob[0]
        text = change(content.decode()).encode()
        return blob[1] + base64.b64encode(gzip.compress(text, 1)).decode() + blob[3]

    page = _BLOB.sub(changed, html)
    assert page != html, "there is no script in the page, or nothing was changed"
    return page


def mutant(html: str, faults: dict[str, str]) -> str:
    """Return a page with a fault: what is right in its scripts, each of it once, made wrong."""

    def change(script: str) -> str:
        for right, wrong in faults.items():
            count = script.count(right)
            assert count == 1, f"{count} places of the scripts, not one, are {right!r}"
            script = script.replace(right, wrong)
        return script

    return with_script(html, change)
