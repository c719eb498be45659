"""What notebooks show of results: who makes it is told from above, since this room is below all.

`regioncast` itself says who, when it is imported; see `regioncast.viewing.notebook`.
"""

from __future__ import annotations

from collections.abc import Callable

Maker = Callable[[object], str | None]
"""Makes HTML of a result, or None where its text is to be shown."""

_makers: list[Maker] = []


class ShownInNotebooks:
    """A result that notebooks show as a picture or a table."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        return _makers[-1](self) if _makers else None


def show_by(maker: Maker) -> None:
    """Let a function make what notebooks show from now on."""
    _makers[:] = [maker]
