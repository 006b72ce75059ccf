"""The page that says what every feature means and what it is worth."""

from typing import Any

import dagster as dg

from ml.tasks import TASKS
from orchestration.lake import Lake
from orchestration.model_asset import model_name
from orchestration.pictures import save_text
from orchestration.registry import Registry
from orchestration.settings import settings


@dg.asset(
    deps=[["marts", "customer_features"], *map(model_name, TASKS)],
    group_name="monitoring",
    kinds={"html"},
    owners=["team:data-science"],
)
def feature_catalogue(lake: Lake) -> dg.MaterializeResult[Any]:
    """Every feature: meaning, unit, values now, importance in each champion."""
    from orchestration.champions import load_champions
    from orchestration.feature_catalogue import as_html, as_markdown, read_catalogue
    from orchestration.phrases import feature_columns

    values = settings()
    champions = load_champions(Registry(values))
    importance = {}
    for task, champion in champions.items():
        table = champion.model.importance()
        importance[task] = dict(zip(table["feature"], table["gain"], strict=True))
    with lake.reader(latest=True) as connection:
        catalogue = read_catalogue(
            connection,
            feature_columns(),
            importance,
            {task: champion.version.label for task, champion in champions.items()},
        )
    folder = values.reports / "features"
    markdown = as_markdown(catalogue)
    save_text(folder / "catalogue.html", as_html(catalogue))
    save_text(folder / "catalogue.md", markdown)
    return dg.MaterializeResult(
        metadata={
            "features": len(catalogue.features),
            "unknown_of_all": ", ".join(catalogue.unknown_of_all) or "none",
            "used_by_none": ", ".join(catalogue.used_by_none) or "none",
            "report": dg.MetadataValue.path(folder / "catalogue.html"),
            "catalogue": dg.MetadataValue.md(markdown),
        }
    )
