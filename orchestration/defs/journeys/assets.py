"""Journeys: which channels earn the orders, and how people move, in pictures."""

from typing import Any

import dagster as dg

from orchestration.journey_report import draw_journeys
from orchestration.lake import Lake
from orchestration.pictures import picture, save_file
from orchestration.settings import settings

OWNERS = ["team:data-science"]


@dg.asset(
    key=["marts", "attribution_models"],
    deps=[["marts", "attribution_paths"], ["intermediate", "int_attribution_rules"]],
    group_name="journeys",
    kinds={"python", "ducklake"},
    tags={"shoal/runs": "daily"},
    owners=OWNERS,
)
def attribution_models(lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per model, day, channel and campaign: Markov removal effect and Shapley value."""
    from orchestration.attribution import MODELS, write_attribution

    credits = write_attribution(lake)
    return dg.MaterializeResult(
        metadata={
            "models": ", ".join(MODELS),
            "conversions_per_model": float(credits["conversions"].sum()) / len(MODELS),
            "channels": int(credits["channel"].nunique()),
        }
    )


@dg.asset(
    deps=[
        ["marts", "journey_transitions"],
        ["marts", "funnels"],
        ["marts", "retention_cohorts"],
        ["marts", "channel_attribution"],
    ],
    group_name="monitoring",
    kinds={"matplotlib"},
    owners=OWNERS,
)
def journey_report(lake: Lake) -> dg.MaterializeResult[Any]:
    """Journey map, funnel, retention and attribution as pictures."""
    with lake.reader(latest=True) as connection:
        pictures = draw_journeys(connection)
    for name, image in pictures.items():
        save_file(settings().reports / "journeys" / f"{name}.png", image)
    return dg.MaterializeResult(
        metadata={name: picture(name, image) for name, image in pictures.items()}
        or {"drawn": "nothing: there is no journey yet"}
    )
