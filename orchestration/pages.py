"""A page that grows block by block and is kept as HTML and markdown with its pictures beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.documents import (
    Block,
    Bullets,
    Heading,
    Picture,
    Table,
    Text,
    to_html,
    to_markdown,
)
from orchestration.pictures import save_file, save_text

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Page:
    """A title and blocks in order; text is plain, nothing in it is taken for markup."""

    title: str
    _blocks: list[Block] = field(default_factory=list)

    def heading(self, text: str, level: int = 2) -> None:
        self._blocks.append(Heading(text, level))

    def paragraph(self, text: str) -> None:
        self._blocks.append(Text(text))

    def bullets(self, items: Sequence[str]) -> None:
        self._blocks.append(Bullets(tuple(items)))

    def table(self, table: "pd.DataFrame") -> None:
        """Add a table whose cells are already text or whole numbers."""
        rows = [tuple(str(cell) for cell in row) for row in table.itertuples(index=False)]
        self._blocks.append(Table(tuple(str(name) for name in table.columns), tuple(rows)))

    def picture(self, name: str, image: bytes) -> None:
        """Add a PNG; ``name`` is that of its file beside the markdown, without ending."""
        self._blocks.append(Picture(name, image))

    def markdown(self) -> str:
        """The page as markdown; pictures are files beside it."""
        return to_markdown(self._whole, lambda picture: f"{picture.title}.png")

    def html(self) -> str:
        """The page as one HTML file that needs nothing else."""
        return to_html(self.title, self._whole)

    def save(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write ``<name>.html``, ``<name>.md`` and its pictures, each whole or not at all."""
        for block in self._blocks:
            if isinstance(block, Picture):
                save_file(folder / f"{block.title}.png", block.image)
        paths = (folder / f"{name}.html", folder / f"{name}.md")
        for path, text in zip(paths, (self.html(), self.markdown()), strict=True):
            save_text(path, text)
        return paths

    @property
    def _whole(self) -> list[Block]:
        return [Heading(self.title, 1), *self._blocks]
