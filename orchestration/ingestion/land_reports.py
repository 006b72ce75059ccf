"""What landing a source did."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class LandedOutput:
    """One landing file that was written: its rows, and how many of them have errors."""

    path: Path
    entity: str
    source: str
    rows: int
    failed: int


@dataclass
class LandReport:
    """What a mapping made of some files."""

    mapping: str
    outputs: list[LandedOutput] = field(default_factory=list)
    known: list[Path] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report as text, one line per output."""
        lines = [
            f"{output.source}: {output.rows:,} {output.entity}"
            + (f", {output.failed:,} of them for quarantine" if output.failed else "")
            + f" -> {output.path}"
            for output in self.outputs
        ]
        lines += [f"{path}: has this content already" for path in self.known]
        lines += [f"{text}: no rows" for text in self.empty]
        return lines
