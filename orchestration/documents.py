"""Documents of plain blocks, written as one HTML page and as markdown."""

import base64
import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; max-width: 70rem; margin: 2rem auto;
  padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin-bottom: .25rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #dfe4ea;
  vertical-align: top; }
th { color: #4d5a69; font-weight: 600; }
figure { display: inline-block; margin: .5rem 1rem .5rem 0; } img { max-width: 31rem; width: 100%; }
figure.whole { display: block; margin-right: 0; overflow-x: auto; }
figure.whole img { max-width: 100%; min-width: 44rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }
.cards section { border: 1px solid; border-left-width: .6rem; border-radius: .3rem;
  padding: .6rem .9rem; }
.cards h3 { font-size: 1rem; margin: 0; } .cards ul { margin: .4rem 0 0; padding-left: 1.1rem; }
@media (prefers-color-scheme: dark) { body { background: #14181d; color: #e4e8ec; }
  th { color: #9fb0c0; } th, td { border-color: #303842; } img { background: #fff; } }
"""


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 3."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of points."""

    points: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of texts; every row is as long as the columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A PNG; ``alt`` says to those who do not see it what it shows (default: the title)."""

    title: str
    image: bytes
    alt: str = ""
    is_wide: bool = False

    @property
    def label(self) -> str:
        return self.title.replace("_", " ")

    @property
    def uri(self) -> str:
        return f"data:image/png;base64,{base64.b64encode(self.image).decode()}"


@dataclass(frozen=True)
class Card:
    """A few lines on one thing, with a stripe in its colour (``#rrggbb``)."""

    title: str
    colour: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Cards:
    """Cards side by side, as many as there is room for."""

    cards: tuple[Card, ...]


Block = Heading | Text | Bullets | Table | Picture | Cards


def frame_markdown(table: "pd.DataFrame") -> str:
    """A data frame as a markdown table, numbers to three decimals, NaN as nothing."""
    rows = tuple(tuple(map(_cell, row)) for row in table.itertuples(index=False))
    return to_markdown([Table(tuple(map(str, table.columns)), rows)])


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:,.3f}"
    return str(value)


def to_html(title: str, blocks: Sequence[Block]) -> str:
    """One page that needs no other file; every text is escaped."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def to_markdown(
    blocks: Sequence[Block], address: Callable[[Picture], str] = lambda picture: picture.uri
) -> str:
    """The same as markdown; pictures lie within, or where ``address`` says."""
    return "\n\n".join(_markdown(block, address) for block in blocks) + "\n"


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Text(text):
            return f"<p>{html.escape(text)}</p>"
        case Bullets(points):
            return "<ul>" + "".join(f"<li>{html.escape(p)}</li>" for p in points) + "</ul>"
        case Picture():
            kind = ' class="whole"' if block.is_wide else ""
            label = html.escape(block.alt or block.label)
            return f'<figure{kind}><img src="{block.uri}" alt="{label}"></figure>'
        case Cards(cards):
            return '<div class="cards">' + "\n".join(map(_card, cards)) + "</div>"
        case Table(columns, rows):
            if not rows:
                return "<p>nothing to show</p>"
            head = "".join(f"<th>{html.escape(c)}</th>" for c in columns)
            lines = "".join(
                "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n"
                for row in rows
            )
            return (
                '<div class="wide"><table>'
                + (f"<thead><tr>{head}</tr></thead>" if any(columns) else "")
                + f"<tbody>\n{lines}</tbody></table></div>"
            )


def _card(card: Card) -> str:
    lines = "".join(f"<li>{html.escape(line)}</li>" for line in card.lines)
    return (
        f'<section style="border-color: {html.escape(card.colour)}">'
        f"<h3>{html.escape(card.title)}</h3><ul>{lines}</ul></section>"
    )


def _markdown(block: Block, address: Callable[[Picture], str]) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Text(text):
            return text
        case Bullets(points):
            return "\n".join(f"- {point}" for point in points)
        case Picture():
            return f"![{block.alt or block.label}]({address(block)})"
        case Cards(cards):
            return "\n\n".join(
                "\n".join([f"**{card.title}**", "", *(f"- {line}" for line in card.lines)])
                for card in cards
            )
        case Table(columns, rows):
            if not rows:
                return "nothing to show"
            lines = [columns, ("---",) * len(columns), *rows]
            return "\n".join(
                "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"
                for line in lines
            )
