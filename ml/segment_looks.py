"""How each segment looks in every picture: one colour, one marker, one label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
NO_COLOUR = "#767676"
"""Of customers without a segment of their own, such as those without orders, and noise."""


@dataclass(frozen=True)
class Look:
    """The look of one segment; colour and marker say the same twice, for colour-blind readers."""

    segment_id: int
    name: str
    colour: str
    marker: str

    @property
    def label(self) -> str:
        return f"{self.segment_id}: {self.name}"

    @property
    def ink(self) -> str:
        """Black or white, whichever is read better on the colour (WCAG 2 relative luminance)."""
        channels = [int(self.colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        luminance = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
        return "white" if luminance < 0.179 else "black"


def looks(names: Mapping[int, str], colours: Mapping[int, str]) -> dict[int, Look]:
    """Look of each segment, in the order of the ids.

    Parameters
    ----------
    names : mapping of segment id to str
    colours : mapping of segment id to str
        As ``#rrggbb``; a segment without one is grey.
    """
    return {
        i: Look(i, names[i], colours.get(i, NO_COLOUR), MARKERS[place % len(MARKERS)])
        for place, i in enumerate(sorted(names))
    }
