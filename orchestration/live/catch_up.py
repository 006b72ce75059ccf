"""What may follow a batch minutes later: how customers would answer a message.

A campaign is not sent within seconds, and the answer's features look at all messages of all
customers. So the live worker scores everyone whose features are newer in one go between two
batches, every ten minutes at most and, while files come without a pause, every hour: it takes a
minute from them. A run of batch_job or daily_job does it with its own batches.
"""

from datetime import UTC, datetime

from orchestration.clock import read_clock
from orchestration.event_score_tables import RESPONSE_SCORES
from orchestration.event_scores import write_event_scores
from orchestration.ingestion.sql import scalar
from orchestration.lake import Lake
from orchestration.live.guard import require_sound
from orchestration.phrases import feature_phrases
from orchestration.publication import publish
from orchestration.registry import Registry
from orchestration.score_checks import check_scores
from orchestration.settings import Settings

PAUSE_SECONDS = 600.0
PAUSE_WHILE_FILES_COME_SECONDS = 3600.0
TABLES = (RESPONSE_SCORES,)
UNPUBLISHED = "select count(*) from ops.batches where snapshot_id is null"


def is_time(seconds: float, *, files_wait: bool) -> bool:
    """Whether to catch up, so many seconds after the last time."""
    return seconds >= (PAUSE_WHILE_FILES_COME_SECONDS if files_wait else PAUSE_SECONDS)


def catch_up(lake: Lake, values: Settings, run_id: str) -> tuple[int, dict[str, int]]:
    """Score what the last batches left, check and publish it.

    Returns
    -------
    batch_id : int
        The batch up to which scores have caught up.
    scored : dict of str to int
        Rows by table; empty while a batch is half done, since readers would see it so.

    Raises
    ------
    FeaturesGone, UnsoundScores
        Nothing is written.
    """
    scored: dict[str, int] = {}
    with lake.turn(f"catch up, run {run_id}"):
        with lake.together(f"catch up, run {run_id}") as one:
            with one.reader(latest=True) as connection:
                batch_id = read_clock(connection).last_batch_id
                if scalar(connection, UNPUBLISHED):
                    return batch_id, {}
            for table in TABLES:
                phrases = feature_phrases(table.task.name)
                rows = write_event_scores(
                    one, Registry(values), table, phrases, _now(), values.live_threads
                )
                scored[table.name] = rows or 0
            with one.reader(latest=True) as connection:
                require_sound(
                    (table.name, str(result.check_name), result)
                    for table in TABLES
                    for result in check_scores(connection, table)
                )
        with lake.writer("publish") as connection:
            publish(connection, _now())
    return batch_id, scored


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
