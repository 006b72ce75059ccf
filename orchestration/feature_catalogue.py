"""The feature catalogue: what each feature means, what it looks like now and which models use it.

Words come from the dbt project, numbers from ``marts.customer_features``, importance from the
champions.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from orchestration.phrases import FeatureColumn

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #1f2933; }
h1 { font-size: 1.4rem; margin: 0; }
table { border-collapse: collapse; margin-top: 1rem; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid #e4e7eb; vertical-align: top; }
th { position: sticky; top: 0; background: #fff; text-align: left; vertical-align: bottom; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.meaning { min-width: 22rem; }
code { font-size: 13px; }
small, td.none { color: #616e7c; }
"""


@dataclass(frozen=True)
class CataloguedFeature:
    """One feature as the catalogue shows it.

    Attributes
    ----------
    null_share : float or None
        Share of the customers without a value; None without customers.
    smallest, median, largest : float or None
        Over the customers with a value; None where nobody has one.
    importance : mapping of task to float
        Share of the gain in the champion's trees; a model that does not know the feature is
        left out.
    """

    column: FeatureColumn
    null_share: float | None
    smallest: float | None
    median: float | None
    largest: float | None
    importance: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """Every feature, the most important first, with what was looked at."""

    features: Sequence[CataloguedFeature]
    customers: int
    as_of: datetime | None
    models: Mapping[str, str]
    """Label of the champion by task."""

    @property
    def unknown_of_all(self) -> list[str]:
        """Features that no customer has a value of."""
        return [one.column.name for one in self.features if one.smallest is None]

    @property
    def used_by_none(self) -> list[str]:
        """Features that split no tree of any champion."""
        return [one.column.name for one in self.features if not any(one.importance.values())]


def read_catalogue(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[FeatureColumn],
    importance: Mapping[str, Mapping[str, float]],
    models: Mapping[str, str],
) -> Catalogue:
    """Look at every feature once.

    Parameters
    ----------
    columns
        Of the dbt model ``customer_features``.
    importance
        Task to feature to share of the gain.
    models
        Task to label of its champion.
    """
    numbers = ", ".join(
        f'count("{one.name}"), min("{one.name}"), median("{one.name}"), max("{one.name}")'
        for one in columns
    )
    row = connection.execute(
        f"select count(*), max(as_of), {numbers} from marts.customer_features"
    ).fetchone()
    assert row is not None
    customers, as_of = int(row[0]), row[1]
    features = [
        CataloguedFeature(
            column=one,
            null_share=1 - row[start] / customers if customers else None,
            smallest=row[start + 1],
            median=row[start + 2],
            largest=row[start + 3],
            importance={
                task: shares[one.name] for task, shares in importance.items() if one.name in shares
            },
        )
        for one, start in zip(columns, range(2, len(row), 4), strict=True)
    ]
    features.sort(key=lambda one: -max(one.importance.values(), default=0.0))
    return Catalogue(features, customers, as_of, models)


def as_markdown(catalogue: Catalogue) -> str:
    """The catalogue as a markdown page."""
    titles = _titles(catalogue)
    lines = ["# Feature catalogue", "", _summary(catalogue), ""]
    lines += ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for one in catalogue.features:
        words = [f"`{one.column.name}`", one.column.description, one.column.unit]
        cells = [*(text.replace("|", "\\|") for text in words), *_numbers(one, catalogue)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def as_html(catalogue: Catalogue) -> str:
    """The catalogue as a page of its own, with a bar behind each importance."""
    titles = "".join(
        f'<th class="{"number" if place > 2 else "word"}">{html.escape(title)}</th>'
        for place, title in enumerate(_titles(catalogue))
    )
    rows = "\n".join(_html_row(one, catalogue) for one in catalogue.features)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Feature catalogue</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>Feature catalogue</h1>\n<p>{html.escape(_summary(catalogue))}</p>\n"
        f"<table><thead><tr>{titles}</tr></thead><tbody>\n{rows}\n</tbody></table>\n"
        "</body></html>\n"
    )


def _titles(catalogue: Catalogue) -> list[str]:
    return ["feature", "meaning", "unit", "null", "min", "median", "max", *catalogue.models]


def _summary(catalogue: Catalogue) -> str:
    models = ", ".join(catalogue.models.values()) or "no model yet"
    when = "nobody yet" if catalogue.as_of is None else f"as of {catalogue.as_of:%Y-%m-%d %H:%M}"
    return (
        f"{len(catalogue.features)} features of {catalogue.customers:,} customers, {when}. "
        f"Importance is the share of the gain in the trees of the champion: {models}."
    )


def _numbers(one: CataloguedFeature, catalogue: Catalogue) -> list[str]:
    null = "" if one.null_share is None else f"{one.null_share:.0%}"
    values = [_number(value) for value in (one.smallest, one.median, one.largest)]
    shares = [one.importance.get(task) for task in catalogue.models]
    return [null, *values, *("" if share is None else f"{share:.1%}" for share in shares)]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"


def _html_row(one: CataloguedFeature, catalogue: Catalogue) -> str:
    column = one.column
    null, smallest, median, largest, *shares = _numbers(one, catalogue)
    cells = [
        f"<td><code>{html.escape(column.name)}</code>"
        f"<br><small>{html.escape(column.phrase.label)}</small></td>",
        f'<td class="meaning">{html.escape(column.description)}</td>',
        f"<td>{html.escape(column.unit)}</td>",
        *(f'<td class="number">{text}</td>' for text in (null, smallest, median, largest)),
    ]
    for task, text in zip(catalogue.models, shares, strict=True):
        width = min(100.0, 400 * one.importance.get(task, 0.0))
        bar = f"linear-gradient(to left, #b3d4fc {width:.0f}%, transparent {width:.0f}%)"
        cells.append(f'<td class="number" style="background:{bar}">{text}</td>')
    return f"<tr>{''.join(cells)}</tr>"
