"""Scores of what happens next: the reaction to a message sent now, the order of an open session."""

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from ml.intent import INTENT
from ml.intervals import Array
from ml.response import RESPONSE
from orchestration.champions import Champion, features_gone, load_champion
from orchestration.event_frames import TABLES
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
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
_NOT_ANY_MORE = "customer_key not in (select customer_key from intermediate.int_message_recipients)"
_SESSIONS = "select * from marts.session_features order by session_id"


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
    champion = load_champion(Registry(), RESPONSE.name)
    if champion is None:
        return None
    version = champion.version.label
    with lake.reader(latest=True) as connection:
        as_of, batch_id = connection.execute(_SCORED, [version]).fetchone() or (None, None)
        # the view computes those only whose features are newer
        connection.execute("set variable shoal_newer_than = ?", [as_of])
        connection.execute("set variable shoal_after_batch = ?", [batch_id])
        messages = connection.execute(_MESSAGES).df()
        if messages.empty:
            found = connection.execute(
                f"select 1 from marts.response_scores where {_NOT_ANY_MORE} limit 1"
            ).fetchone()
            if found is None:
                return 0
    columns = ["customer_key", "channel", "variant", "as_of", "batch_id"]
    scores = messages[columns].assign(
        probability=_probabilities(champion, messages, threads),
        model_version=version,
        scored_at=now,
    )
    rows = pa.Table.from_pandas(scores, preserve_index=False)
    with lake.writer("write response scores") as connection, transaction(connection):
        connection.register("fresh_rows", rows)
        connection.execute(
            "delete from marts.response_scores where customer_key in "
            f"(select customer_key from fresh_rows) or {_NOT_ANY_MORE}"
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
    champion = load_champion(Registry(), INTENT.name)
    if champion is None:
        return None
    with lake.reader(latest=True) as connection:
        sessions = connection.execute(_SESSIONS).df()
        if sessions.empty:
            row = connection.execute("select count(*) from marts.session_intent").fetchone()
            if row == (0,):
                return 0
    columns = ["session_id", "visitor_key", "customer_key", "started_at", "as_of"]
    scores = sessions[columns].assign(
        events=sessions["session_events"].astype("int64"),
        probability=_probabilities(champion, sessions, threads),
        model_version=champion.version.label,
        scored_at=now,
    )
    rows = pa.Table.from_pandas(scores, preserve_index=False)
    with lake.writer("write session intent") as connection, transaction(connection):
        connection.register("fresh_rows", rows)
        connection.execute("delete from marts.session_intent")
        connection.execute("insert into marts.session_intent by name select * from fresh_rows")
    return len(scores)


def _probabilities(champion: Champion, rows: pd.DataFrame, threads: int) -> Array:
    lost = [name for name in champion.model.features if name not in rows]
    if lost:
        raise features_gone(champion, lost, TABLES[champion.version.task].scored)
    return champion.model.predict(rows, threads) if len(rows) else np.empty(0)
