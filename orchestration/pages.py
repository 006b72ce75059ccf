"""Pages for people: written once as blocks, kept as one HTML file and as markdown."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em;
       color: #222; background: #fff; }
h1, h2, h3 { line-height: 1.2; margin-top: 1.8em; }
h1 { margin-top: 0; }
h2 { border-top: 2px solid #0072B2; padding-top: .6em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin: 1em 0; }
th, td { border-bottom: 1px solid #ddd; padding: .3em .7em; text-align: right; }
th:first-child, td:first-child { text-align: left; }
th { background: #f4f6f8; }
img { max-width: 48%; }
"""


@dataclass(frozen=True)
class _Block:
    kind: str
    text: str = ""
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    image: bytes = b""


@dataclass
class Page:
    """A title and blocks in order; text is plain, nothing in it is taken for markup."""

    title: str
    _blocks: list[_Block] = field(default_factory=list)

    def heading(self, text: str, level: int = 2) -> None:
        self._blocks.append(_Block(f"h{level}", text))

    def paragraph(self, text: str) -> None:
        self._blocks.append(_Block("p", text))

    def bullets(self, items: Sequence[str]) -> None:
        self._blocks.append(_Block("ul", items=tuple(items)))

    def table(self, table: "pd.DataFrame") -> None:
        """Add a table whose cells are already text or whole numbers."""
        rows = [tuple(str(name) for name in table.columns)]
        rows += [tuple(str(cell) for cell in row) for row in table.itertuples(index=False)]
        self._blocks.append(_Block("table", rows=tuple(rows)))

    def picture(self, name: str, image: bytes) -> None:
        """Add a PNG; ``name`` is that of its file beside the markdown, without ending."""
        self._blocks.append(_Block("img", name, image=image))

    def markdown(self) -> str:
        """The page as markdown; pictures are files beside it."""
        parts = [f"# {self.title}"] + [_markdown(block) for block in self._blocks]
        return "\n\n".join(parts) + "\n"

    def html(self) -> str:
        """The page as one HTML file that needs nothing else."""
        body = "\n".join(_html(block) for block in self._blocks)
        title = html.escape(self.title)
        return (
            f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
            f"<title>{title}</title><style>{STYLE}</style></head>\n"
            f"<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
        )

    def save(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write ``<name>.html``, ``<name>.md`` and its pictures, each whole or not at all."""
        for block in self._blocks:
            if block.kind == "img":
                write_whole(folder / f"{block.text}.png", block.image)
        paths = (folder / f"{name}.html", folder / f"{name}.md")
        for path, text in zip(paths, (self.html(), self.markdown()), strict=True):
            write_whole(path, text.encode())
        return paths


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(content)
    draft.replace(path)


def _markdown(block: _Block) -> str:
    if block.kind == "table":
        rows = [
            "| " + " | ".join(cell.replace("|", "\\|") for cell in r) + " |" for r in block.rows
        ]
        return "\n".join([rows[0], "|---" * len(block.rows[0]) + "|", *rows[1:]])
    if block.kind == "img":
        return f"![{block.text.replace('_', ' ')}]({block.text}.png)"
    if block.kind == "ul":
        return "\n".join(f"- {item}" for item in block.items)
    return f"{'#' * int(block.kind[1])} {block.text}" if block.kind != "p" else block.text


def _html(block: _Block) -> str:
    if block.kind == "table":
        head, *rows = [[html.escape(cell) for cell in row] for row in block.rows]
        lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
        return (
            f'<div class="scroll"><table><thead><tr>{"".join(f"<th>{c}</th>" for c in head)}'
            f"</tr></thead><tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}"
            "</tbody></table></div>"
        )
    if block.kind == "img":
        encoded = base64.b64encode(block.image).decode()
        text = html.escape(block.text.replace("_", " "))
        return f'<img alt="{text}" src="data:image/png;base64,{encoded}">'
    if block.kind == "ul":
        return f"<ul>{''.join(f'<li>{html.escape(item)}</li>' for item in block.items)}</ul>"
    return f"<{block.kind}>{html.escape(block.text)}</{block.kind}>"
