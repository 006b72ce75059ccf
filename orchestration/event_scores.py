"""Writing the scores of a task about events: of messages, of open sessions, of categories."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from ml.reasons import Phrase
from orchestration.champions import Champion, features_gone, load_champion
from orchestration.event_frames import TABLES
from orchestration.event_score_tables import ScoreTable
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.registry import Registry
from orchestration.threads import map_in_threads

BATCH_ROWS = 25_000


def write_event_scores(
    lake: Lake,
    registry: Registry,
    table: ScoreTable,
    phrases: Mapping[str, Phrase],
    now: datetime,
    threads: int,
) -> int | None:
    """Score what is there now, or what is newer than the scores, and drop what no longer holds.

    Where somebody else has scored meanwhile it is done again: older scores replace no newer ones.

    Returns
    -------
    scores : int or None
        None while no model is in force; nothing is written then.

    Raises
    ------
    FeaturesGone
        The champion needs features that are no longer there; nothing is written then.
    """
    champion = load_champion(registry, table.task.name)
    if champion is None:
        return None

    def scored(rows: pd.DataFrame) -> pd.DataFrame:  # a part on each thread
        return score_rows(rows, table, champion, phrases, now, 1)

    while True:
        with (
            lake.reader(latest=True) as connection,
            _telling(connection, table, champion) as known,
        ):
            rows_to_score = _rows_to_score(connection, table, champion)
            if table.may_follow:
                lake.give_way()
            parts = list(map_in_threads(scored, rows_to_score, threads))
        scores = in_order(pd.concat(parts, ignore_index=True), table) if parts else None
        with (
            lake.writer(f"write {table.name}") as connection,
            transaction(connection),
            _telling(connection, table, champion) as known_now,
        ):
            if known_now == known:
                _replace(connection, table, scores)
                return 0 if scores is None else len(scores)


def score_rows(
    rows: pd.DataFrame,
    table: ScoreTable,
    champion: Champion,
    phrases: Mapping[str, Phrase],
    now: datetime,
    threads: int,
) -> pd.DataFrame:
    """Scores and reasons of a batch of rows, in the columns of their table but ``rank``."""
    return rows[list(table.kept)].assign(
        probability=champion.model.predict(rows, threads),
        top_reasons=pd.Series(champion.reasons(rows, phrases, threads), rows.index, dtype=object),
        model_version=champion.version.label,
        scored_at=now,
    )


def in_order(scores: pd.DataFrame, table: ScoreTable) -> pd.DataFrame:
    """Rank the rows of each customer where the table has ranks; see `ScoreTable.is_ranked`."""
    if not table.is_ranked:
        return scores
    customer, name = table.grain
    ordered = scores.sort_values([customer, "probability", name], ascending=[True, False, True])
    rank = ordered.groupby(customer).cumcount() + 1
    return ordered.assign(rank=rank.astype("int32"))


def require_columns(names: Sequence[str], table: ScoreTable, champion: Champion) -> None:
    """Raise `FeaturesGone` where a champion needs more than the columns that there are."""
    lost = [name for name in champion.model.features if name not in names]
    if lost:
        raise features_gone(champion, lost, TABLES[table.task.name].scored)


@contextmanager
def _telling(
    connection: duckdb.DuckDBPyConnection, table: ScoreTable, champion: Champion
) -> Iterator[tuple[Any, ...]]:
    """Set the variables that tell the views what the champion has scored already; gives them."""
    if not table.known_by:
        yield ()
        return
    # rows that an older version of this project wrote without reasons count for nothing
    newest = connection.execute(
        f"select {', '.join(f'max({column})' for column in table.known_by.values())} "
        f"from marts.{table.name} where model_version = ? and top_reasons is not null",
        [champion.version.label],
    ).fetchone()
    assert newest is not None
    for name, value in zip(table.known_by, newest, strict=True):
        connection.execute(f"set variable {name} = ?", [value])
    try:
        yield newest
    finally:
        for name in table.known_by:
            connection.execute(f"reset variable {name}")


def _rows_to_score(
    connection: duckdb.DuckDBPyConnection, table: ScoreTable, champion: Champion
) -> Iterator[pd.DataFrame]:
    """The rows as they are when this is called, however long it takes to go through them."""
    reader = connection.execute(table.scored).fetch_record_batch(BATCH_ROWS)
    require_columns(reader.schema.names, table, champion)
    return (batch.to_pandas() for batch in reader if batch.num_rows)


def _replace(
    connection: duckdb.DuckDBPyConnection, table: ScoreTable, scores: pd.DataFrame | None
) -> None:
    if scores is None:
        fresh = pa.table({name: pa.array([], pa.string()) for name in table.grain})
    else:
        fresh = pa.Table.from_pandas(scores, preserve_index=False)
    connection.register("fresh_rows", fresh)
    connection.execute(f"delete from marts.{table.name} where ({table.gone}) or ({table.replaced})")
    if scores is not None:
        may_have_gone = f" where not coalesce({table.gone}, false)" if table.may_follow else ""
        connection.execute(
            f"insert into marts.{table.name} by name select * from fresh_rows{may_have_gone}"
        )
    connection.unregister("fresh_rows")
