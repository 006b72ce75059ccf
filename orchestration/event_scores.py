"""Scores of what happens next: the reaction to a message sent now, the order of an open session."""

from datetime import datetime

import pyarrow as pa

from ml.event_task import EventTask
from ml.intent import INTENT
from ml.response import RESPONSE
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.models import Champion, load_champion, require_features
from orchestration.registry import Registry

_SCORED = """
select max(as_of), max(batch_id)
from marts.response_scores
where model_version = ?
"""
_MESSAGES = """
select messages.*, features.* exclude (customer_key, as_of, batch_id)
from marts.message_features as messages
inner join marts.customer_features as features
    on messages.customer_key = features.customer_key
"""
_NOT_ANY_MORE = """
from marts.response_scores
where customer_key not in (select customer_key from intermediate.int_message_recipients)
"""
_SESSIONS = "select * from marts.session_features order by session_id"


def champion_of(task: EventTask, lake: Lake) -> Champion | None:
    """The model that scores a task, or None; `FeaturesGone` if it cannot."""
    champion = load_champion(Registry(), task.name)
    if champion is not None:
        require_features(lake, {task.name: champion})
    return champion


def write_response_scores(lake: Lake, now: datetime, threads: int) -> int | None:
    """Score a message of each channel to everyone whose features, or the model, changed.

    Returns
    -------
    scores : int or None
        None while no model is in force.

    Raises
    ------
    FeaturesGone
        The champion needs features that are no longer there; nothing is written then.
    """
    champion = champion_of(RESPONSE, lake)
    if champion is None:
        return None
    version = champion.version.label
    with lake.reader(latest=True) as connection:
        as_of, batch_id = connection.execute(_SCORED, [version]).fetchone() or (None, None)
        # the view computes those only whose features are newer
        connection.execute("set variable shoal_newer_than = ?", [as_of])
        connection.execute("set variable shoal_after_batch = ?", [batch_id])
        messages = connection.execute(_MESSAGES).df()
        row = connection.execute(f"select count(*) {_NOT_ANY_MORE}").fetchone()
    gone = 0 if row is None else int(row[0])
    if messages.empty and not gone:
        return 0
    columns = ["customer_key", "channel", "variant", "as_of", "batch_id"]
    scores = messages[columns].assign(
        probability=champion.model.predict(messages, threads) if len(messages) else 0.0,
        model_version=version,
        scored_at=now,
    )
    rows = pa.Table.from_pandas(scores, preserve_index=False)
    with lake.writer("write response scores") as connection, transaction(connection):
        connection.register("fresh_rows", rows)
        connection.execute(f"delete {_NOT_ANY_MORE}")
        connection.execute(
            "delete from marts.response_scores where customer_key in "
            "(select customer_key from fresh_rows)"
        )
        connection.execute("insert into marts.response_scores by name select * from fresh_rows")
    return len(scores)


def write_session_intent(lake: Lake, now: datetime, threads: int) -> int | None:
    """Score every session that is open at the clock; the table holds no other.

    Returns
    -------
    scores : int or None
        None while no model is in force.

    Raises
    ------
    FeaturesGone
        The champion needs features that are no longer there; nothing is written then.
    """
    champion = champion_of(INTENT, lake)
    if champion is None:
        return None
    with lake.reader(latest=True) as connection:
        sessions = connection.execute(_SESSIONS).df()
        row = connection.execute("select count(*) from marts.session_intent").fetchone()
    if sessions.empty and row == (0,):
        return 0
    columns = ["session_id", "visitor_key", "customer_key", "started_at", "as_of"]
    scores = sessions[columns].assign(
        events=sessions["session_events"].astype("int64"),
        probability=champion.model.predict(sessions, threads) if len(sessions) else 0.0,
        model_version=champion.version.label,
        scored_at=now,
    )
    rows = pa.Table.from_pandas(scores, preserve_index=False)
    with lake.writer("write session intent") as connection, transaction(connection):
        connection.register("fresh_rows", rows)
        connection.execute("delete from marts.session_intent")
        connection.execute("insert into marts.session_intent by name select * from fresh_rows")
    return len(scores)
