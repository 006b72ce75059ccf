"""Claims that nothing is lost and nothing is there twice; see `orchestration.conservation`."""

import dagster as dg

from orchestration.conservation import look_at_everything, look_at_run
from orchestration.ingestion.sql import at_one_moment
from orchestration.lake import Lake
from orchestration.settings import settings

SCORES = dg.AssetKey(["marts", "customer_scores"])
BATCHES = dg.AssetKey(["ops", "batches"])


@dg.asset_check(asset=SCORES, blocking=True)
def batch_is_conserved(lake: Lake) -> dg.AssetCheckResult:
    """Every row of the run's batches is in ledger, raw, sessions, orders and days, and once."""
    with lake.reader(latest=True) as connection, at_one_moment(connection):
        return look_at_run(connection, settings().landing).as_check()


@dg.asset_check(asset=BATCHES)
def history_is_conserved(lake: Lake) -> dg.AssetCheckResult:
    """Of all that was ever received every row is in every table that it belongs to, and once."""
    with lake.reader(latest=True) as connection, at_one_moment(connection):
        return look_at_everything(connection).as_check()
