"""The page that says what every feature means and what it is worth."""

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from ml.tasks import QUESTIONS
from orchestration.feature_sources import SOURCES
from orchestration.lake import Lake
from orchestration.model_asset import model_name
from orchestration.pictures import save_text
from orchestration.registry import Registry
from orchestration.settings import settings


@dg.asset(
    deps=[*(["marts", source.table] for source in SOURCES), *map(model_name, QUESTIONS)],
    group_name="monitoring",
    kinds={"html"},
    owners=["team:data-science"],
)
def feature_catalogue(lake: Lake) -> dg.MaterializeResult[Any]:
    """Every feature: meaning, unit, values, importance in each champion."""
    from orchestration.champions import load_champions, load_event_champions
    from orchestration.feature_catalogue import as_html, as_markdown, read_section
    from orchestration.phrases import feature_columns

    values = settings()
    registry = Registry(values)
    champions = load_champions(registry) | load_event_champions(registry)
    importance = {}
    for task, champion in champions.items():
        table = champion.model.importance()
        importance[task] = dict(zip(table["feature"], table["gain"], strict=True))
    labels = {task: champion.version.label for task, champion in champions.items()}
    with lake.reader(latest=True) as connection:
        catalogue = [
            read_section(connection, source, feature_columns(source.model), importance, labels)
            for source in SOURCES
        ]
    folder = values.reports / "features"
    markdown = as_markdown(catalogue)
    save_text(folder / "catalogue.html", as_html(catalogue))
    save_text(folder / "catalogue.md", markdown)
    return dg.MaterializeResult(
        metadata={
            "features": sum(len(section.features) for section in catalogue),
            "unknown_of_all": _names(section.unknown_of_all for section in catalogue),
            "used_by_none": _names(section.used_by_none for section in catalogue),
            "report": dg.MetadataValue.path(folder / "catalogue.html"),
            "catalogue": dg.MetadataValue.md(markdown),
        }
    )


def _names(found: Iterable[Sequence[str]]) -> str:
    return ", ".join(name for names in found for name in names) or "none"
