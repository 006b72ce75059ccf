"""The feature catalogue: what each feature means, what it looks like and which models use it.

Words come from the dbt project, numbers from the tables that hold the features, importance from
the champions.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from orchestration.feature_sources import Source
from orchestration.phrases import FeatureColumn

_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #1f2933; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 0; }
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
        Share of the rows without a value; None without rows.
    smallest, median, largest : float or None
        Over the rows with a value; None where none has one.
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
class Section:
    """Every feature of a source, the most important first, with what was looked at.

    Attributes
    ----------
    models : mapping of task to str
        Label of each champion that knows one of the features.
    """

    source: Source
    features: Sequence[CataloguedFeature]
    rows: int
    as_of: datetime | None
    models: Mapping[str, str]

    @property
    def unknown_of_all(self) -> list[str]:
        """Features that no row has a value of."""
        return [one.column.name for one in self.features if one.smallest is None]

    @property
    def used_by_none(self) -> list[str]:
        """Features that split no tree of any champion."""
        return [one.column.name for one in self.features if not any(one.importance.values())]


def read_section(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    columns: Sequence[FeatureColumn],
    importance: Mapping[str, Mapping[str, float]],
    models: Mapping[str, str],
) -> Section:
    """Look at every feature of a source once.

    Parameters
    ----------
    columns
        Of the source's dbt model.
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
        f"select count(*), max({source.instant}), {numbers} from marts.{source.table}"
    ).fetchone()
    assert row is not None
    rows, as_of = int(row[0]), row[1]
    features = [
        CataloguedFeature(
            column=one,
            null_share=1 - row[start] / rows if rows else None,
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
    known = {
        task: label
        for task, label in models.items()
        if any(task in one.importance for one in features)
    }
    return Section(source, features, rows, as_of, known)


def as_markdown(catalogue: Sequence[Section]) -> str:
    """The catalogue as a markdown page."""
    return "# Feature catalogue\n\n" + "\n".join(map(_markdown_section, catalogue))


def as_html(catalogue: Sequence[Section]) -> str:
    """The catalogue as a page of its own, with a bar behind each importance."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Feature catalogue</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>Feature catalogue</h1>\n{''.join(map(_html_section, catalogue))}</body></html>\n"
    )


def _markdown_section(section: Section) -> str:
    titles = _titles(section)
    lines = [f"## {section.source.title}", "", _summary(section), ""]
    lines += ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    for one in section.features:
        words = [f"`{one.column.name}`", one.column.description, one.column.unit]
        cells = [*(text.replace("|", "\\|") for text in words), *_numbers(one, section)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _html_section(section: Section) -> str:
    titles = "".join(
        f'<th class="{"number" if place > 2 else "word"}">{html.escape(title)}</th>'
        for place, title in enumerate(_titles(section))
    )
    rows = "\n".join(_html_row(one, section) for one in section.features)
    return (
        f"<h2>{html.escape(section.source.title)}</h2>\n<p>{html.escape(_summary(section))}</p>\n"
        f"<table><thead><tr>{titles}</tr></thead><tbody>\n{rows}\n</tbody></table>\n"
    )


def _titles(section: Section) -> list[str]:
    return ["feature", "meaning", "unit", "null", "min", "median", "max", *section.models]


def _summary(section: Section) -> str:
    count, models = len(section.features), ", ".join(section.models.values()) or "no model yet"
    when = "none yet" if section.as_of is None else f"as of {section.as_of:%Y-%m-%d %H:%M}"
    return (
        f"{count} feature{'s' if count > 1 else ''} of {section.rows:,} {section.source.rows} "
        f"(marts.{section.source.table}), {when}. Importance is the share of the gain in the trees "
        f"of the champion: {models}."
    )


def _numbers(one: CataloguedFeature, section: Section) -> list[str]:
    null = "" if one.null_share is None else f"{one.null_share:.0%}"
    values = [_number(value) for value in (one.smallest, one.median, one.largest)]
    shares = [one.importance.get(task) for task in section.models]
    return [null, *values, *("" if share is None else f"{share:.1%}" for share in shares)]


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.2f}"


def _html_row(one: CataloguedFeature, section: Section) -> str:
    column = one.column
    null, smallest, median, largest, *shares = _numbers(one, section)
    cells = [
        f"<td><code>{html.escape(column.name)}</code>"
        f"<br><small>{html.escape(column.phrase.label)}</small></td>",
        f'<td class="meaning">{html.escape(column.description)}</td>',
        f"<td>{html.escape(column.unit)}</td>",
        *(f'<td class="number">{text}</td>' for text in (null, smallest, median, largest)),
    ]
    for task, text in zip(section.models, shares, strict=True):
        width = min(100.0, 400 * one.importance.get(task, 0.0))
        bar = f"linear-gradient(to left, #b3d4fc {width:.0f}%, transparent {width:.0f}%)"
        cells.append(f'<td class="number" style="background:{bar}">{text}</td>')
    return f"<tr>{''.join(cells)}</tr>"
