"""Measured figures: a name, a value, a unit, and the target that it should stay within."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes
    ----------
    target : float or None
        Largest value that counts as reached; a larger one is marked and fails nothing.
    """

    name: str
    value: float
    unit: str
    target: float | None = None

    @property
    def is_missed(self) -> bool:
        """Whether there is a target, and the value lies above it."""
        return self.target is not None and self.value > self.target


def median(values: Sequence[float]) -> float:
    """Median of some measurements."""
    return float(np.median(values))


def quantiles(name: str, seconds: Sequence[float], target: float | None = None) -> list[Figure]:
    """Median, 95th percentile (to which ``target`` applies) and maximum, in seconds."""
    return [
        Figure(f"{name}.p50", median(seconds), "s"),
        Figure(f"{name}.p95", float(np.percentile(seconds, 95)), "s", target),
        Figure(f"{name}.max", float(np.max(seconds)), "s"),
    ]


def load() -> float:
    """Mean number of processes that wanted a processor during the last minute."""
    return os.getloadavg()[0]


def write(figures: Iterable[Figure], path: Path) -> None:
    """Write the figures as a JSON list of name, value and unit."""
    rows = [
        {"name": figure.name, "value": round(figure.value, 4), "unit": figure.unit}
        for figure in figures
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def print_table(figures: Iterable[Figure], console: Console) -> None:
    """Print the figures, with a mark on those that miss their target."""
    table = Table("figure", "value", "unit", "target")
    table.columns[0].overflow = "fold"
    table.columns[1].justify = table.columns[3].justify = "right"
    for figure in figures:
        target = "" if figure.target is None else f"{figure.target:,g}"
        style = None
        if figure.target is not None:
            style = "red" if figure.is_missed else "green"
            target += " missed" if figure.is_missed else " ok"
        table.add_row(figure.name, _number(figure.value), figure.unit, target, style=style)
    console.print(table)


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3f}"
