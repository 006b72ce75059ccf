"""Partitions: the UTC hour in which a file arrived."""

import dagster as dg

from orchestration.ingestion.landing import ARRIVAL_FORMAT

arrival_hours = dg.HourlyPartitionsDefinition(
    start_date="2026-01-01T00", fmt=ARRIVAL_FORMAT, timezone="UTC", end_offset=1
)
