"""Lakes with all control and raw tables, and nothing in them."""

from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.settings import Settings


def empty_lake(values: Settings) -> Lake:
    lake = Lake.from_settings(values)
    with lake.writer("test set-up") as connection:
        create_tables(connection)
    return lake
