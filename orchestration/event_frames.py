"""Labelled rows of the tasks about messages, instants of sessions, and categories."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from ml.category import CATEGORY
from ml.event_task import EventTask
from ml.intent import INTENT
from ml.response import RESPONSE

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class EventTables:
    """Where the rows of one task are.

    Attributes
    ----------
    learnt_from : str
        Query of the past rows with their features, in an order that two reads share; ``{at}`` is
        where the snapshot of a table is named.
    scored : tuple of str
        Tables and views that hold the features of what is scored now.
    phrases : tuple of str
        dbt models whose columns say how to speak of the features, beside those of customers.
    """

    learnt_from: str
    scored: tuple[str, ...]
    phrases: tuple[str, ...]


TABLES: Mapping[str, EventTables] = {
    RESPONSE.name: EventTables(
        """
        select messages.*, customers.* exclude (customer_key, as_of)
        from marts.message_feature_history as messages {at}
        inner join marts.message_customer_history as customers {at}
            on
                messages.customer_key = customers.customer_key
                and messages.features_as_of = customers.as_of
        order by messages.customer_key, messages.sent_at, messages.message_ref
        """,
        ("message_features", "customer_features"),
        ("message_feature_history", "message_customer_history"),
    ),
    INTENT.name: EventTables(
        """
        select sessions.*
        from marts.session_feature_history as sessions {at}
        order by sessions.visitor_key, sessions.observed_at, sessions.point_id
        """,
        ("session_features",),
        ("session_feature_history",),
    ),
    CATEGORY.name: EventTables(
        """
        select categories.*, customers.* exclude (customer_key, as_of)
        from marts.category_feature_history as categories {at}
        inner join marts.customer_feature_history as customers {at}
            on
                categories.customer_key = customers.customer_key
                and categories.as_of = customers.as_of
        order by categories.customer_key, categories.as_of, categories.category
        """,
        ("category_features", "customer_features"),
        ("category_feature_history",),
    ),
}


def read_event_frame(
    connection: duckdb.DuckDBPyConnection, task: EventTask, snapshot: int
) -> tuple["pd.DataFrame", int]:
    """Labelled rows of a task about events, at a snapshot of the lake.

    Returns
    -------
    frame : DataFrame
        ``customer_key``, ``as_of``, ``label`` and features; always in the same order.
    horizon_days : int
        Days from an ``as_of`` until its labels are known.

    Raises
    ------
    NotEnoughHistory
        The source has no such events, or too few; or the tables are older than the task.
    """
    import pandas as pd

    from ml.splits import NotEnoughHistory

    at = f"at (version => {snapshot:d})"
    clock = connection.execute(f"select as_of from ops.clock {at}").fetchone()
    assert clock is not None
    try:
        rows = connection.execute(TABLES[task.name].learnt_from.format(at=at)).df()
    except duckdb.CatalogException as problem:
        raise NotEnoughHistory(
            f"the lake has no rows of {task.name} yet: run main_job, which makes their tables"
        ) from problem
    return task.label(rows, pd.Timestamp(clock[0]))
