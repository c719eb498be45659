"""What a page holds, read from its text as a browser would: elements, META and arrays."""

from __future__ import annotations

import base64
import gzip
import json
from html.parser import HTMLParser

import numpy as np

# By the names of JavaScript's typed arrays.
DTYPES = {
    "Uint8Array": "<u1", "Int8Array": "<i1", "Uint16Array": "<u2", "Int16Array": "<i2",
    "Uint32Array": "<u4", "Int32Array": "<i4", "Float32Array": "<f4", "Float64Array": "<f8",
    "BigInt64Array": "<i8", "BigUint64Array": "<u8",
}  # fmt: skip


class Elements(HTMLParser):
    """The elements of a page in their order: tag, attributes, and text directly in them."""

    def __init__(self, page):
        super().__init__()
        self.all = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.all.append([tag, dict(attrs), ""])

    def handle_data(self, data):
        if self.all:
            self.all[-1][2] += data

    def text_of(self, name):
        (text,) = [text for _, attrs, text in self.all if attrs.get("id") == name]
        return text

    def tags(self):
        return [tag for tag, *_ in self.all]


def unpacked(text):
    return gzip.decompress(base64.b64decode(text))


def contents(view):
    """META of a view, and its arrays by name; values have a row per map."""
    elements = Elements(view.html)
    meta = json.loads(unpacked(elements.text_of("meta-data")))
    arrays = {
        name: np.frombuffer(unpacked(elements.text_of(f"{name}-data")), DTYPES[kind])
        for name, kind in meta["arrays"].items()
    }
    if "runs" in arrays:
        arrays["codes"] = np.repeat(arrays["codes"], arrays.pop("runs"))
    if "ramps" in arrays:
        arrays["ramps"] = arrays["ramps"].reshape(-1, 256, 3).cumsum(1, dtype=np.uint8)
    if "values" in arrays:
        arrays["values"] = arrays["values"].reshape(-1, len(meta["regions"]["names"]))
    return meta, arrays
