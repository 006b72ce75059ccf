"""Lakes with all control and raw tables, and nothing in them."""

from orchestration import lake as lakes
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.settings import Settings


def empty_lake(values: Settings) -> Lake:
    lake = Lake.from_settings(values)
    with lake.writer("test set-up") as connection:
        create_tables(connection)
    return lake


def release(lake: Lake) -> None:
    """Close what this process keeps open of a lake: some megabytes, of hundreds of lakes."""
    for key in [each for each in lakes._ATTACHED if each[0] == lake.catalog]:
        lakes._ATTACHED.pop(key).close()
