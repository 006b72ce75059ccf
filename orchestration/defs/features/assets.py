"""Control tables: the instant a run works as of, and the past instants models learn from."""

from typing import Any

import dagster as dg

from orchestration.clock import read_clock, set_clock
from orchestration.horizons import read_horizons
from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.partitions import newest
from orchestration.settings import settings
from orchestration.training_dates import set_as_of_dates

OWNERS = ["team:data"]


class ClockConfig(dg.Config):
    """Which batches a run carries through: those not yet published, or all of them."""

    whole_history: bool = False


@dg.asset(
    key=["ops", "clock"],
    deps=[
        *(newest("raw", name) for name in ENTITIES),
        # a changed decision on a pair is a batch, which the clock has to see
        dg.AssetKey(["intermediate", "identity_matches"]),
        # texts wait for nothing else, so that one run of dbt makes all tables after them
        dg.AssetKey(["ops", "text_readings"]),
    ],
    group_name="control",
    kinds={"ducklake"},
    owners=OWNERS,
)
def clock(config: ClockConfig, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row: the instant the run works as of, and the batches that it carries through."""
    with lake.writer("set the clock") as connection:
        create_tables(connection)
        now = set_clock(connection, settings(), whole_history=config.whole_history)
    return dg.MaterializeResult(
        metadata={
            "as_of": now.as_of.isoformat(sep=" "),
            "mode": now.mode,
            "first_batch_id": now.first_batch_id,
            "last_batch_id": now.last_batch_id,
        }
    )


@dg.asset(
    key=["ops", "as_of_dates"],
    deps=[dg.AssetKey(["intermediate", "int_customer_days"])],
    group_name="features",
    kinds={"ducklake"},
    owners=OWNERS,
)
def training_dates(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per task and past instant, with the horizon that its labels look ahead."""
    values = settings()
    with lake.writer("set the training dates") as connection:
        horizons = read_horizons(connection, values)
        rows, skipped = set_as_of_dates(
            connection,
            horizons,
            newest=read_clock(connection).as_of,
            step_days=values.as_of_step_days,
            count=values.as_of_count,
            top_categories=values.top_categories,
        )
    for each in skipped:
        log = context.log.info if each.is_expected else context.log.warning
        log(f"{each.task} is not trained: {each.reason}")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            **{f"{name}_horizon_days": days for name, days in horizons.days.items()},
            **{f"{each.task}_skipped": each.reason for each in skipped},
        }
    )
