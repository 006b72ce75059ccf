"""Partitions: the UTC hour in which a file arrived."""

from datetime import UTC, datetime

import dagster as dg

from orchestration.ingestion.landing import ARRIVAL_FORMAT

FIRST_HOUR = "2026-01-01T00"

arrival_hours = dg.HourlyPartitionsDefinition(
    start_date=FIRST_HOUR, fmt=ARRIVAL_FORMAT, timezone="UTC", end_offset=1
)


def newest(*path: str) -> dg.AssetDep:
    """How a table of all hours depends on one of each: on its newest hour.

    For a dependency on all of them every run lists the hours since the first, once for each.
    """
    return dg.AssetDep(dg.AssetKey(path), partition_mapping=dg.LastPartitionMapping())


def known_hour(hour: str, now: datetime) -> str:
    """The partition of files that say they arrived in an hour.

    A folder can name an hour that is none of the partitions: one long ago, or one to come, because
    the clock of whoever wrote it was ahead. Such files are taken with the first or the current one.
    """
    return max(FIRST_HOUR, min(hour, now.astimezone(UTC).strftime(ARRIVAL_FORMAT)))
