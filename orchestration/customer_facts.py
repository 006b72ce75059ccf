"""What the published tables know of one customer; nothing of it is raw.

Without consent to analytics only what a shop needs to serve its customer is read: profile,
consents and orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from ml.tasks import TASKS
from ml.value import VALUE
from orchestration import customer_queries as queries
from orchestration.identity import UnknownRef, ref_key_of
from orchestration.rows import Row, first_row, has_table, read_rows

KEY_FEATURES = (
    "days_since_last_order",
    "orders_total",
    "order_days_365d",
    "revenue_365d",
    "revenue_total",
    "average_order_value",
    "order_gap_mean",
    "products_total",
    "discount_share",
    "return_rate",
    "store_order_share",
    "days_since_last_event",
    "active_days_30d",
    "carts_added_30d",
    "message_open_rate_90d",
    "support_contacts_90d",
    "rating_mean",
)
"""Recency, frequency and money first, then what else tells customers apart."""
WATCHED = ("first_seen_at", "last_seen_at")
"""What a profile knows from watching its customer."""
NO_INTERVAL = {"low": None, "high": None}


@dataclass(frozen=True)
class CustomerFacts:
    """One customer, as of the clock.

    Attributes
    ----------
    withheld : bool
        Whether the customer refused analytics; then whatever analytics made is left empty.
    profile : dict
        Columns of ``marts.customers``, ``currency`` (of the last order) and ``refs`` (how many
        customer refs of the sources are this customer).
    consents : dict
        Purpose to decision; None where there is none.
    features : list of dict
        ``feature``, ``value``, ``median`` (of all customers), ``share_below`` (of the customers
        with a value who have a lower one).
    segment : dict or None
    segment_history : list of dict
        ``since``, ``segment_id``, ``segment_name``, newest first.
    moves, rules : list of dict or None
        Moves between segments with their reasons, and the rule segments the customer is in; None
        where the deployment has no such table.
    scores : list of dict
        ``task``, ``value``, ``median``, ``share_below``, and ``low`` and ``high`` of the expected
        value; only tasks with a score.
    scored : dict or None
        ``as_of``, ``model_versions``, ``top_reasons``; None before the first scoring.
    score_history, responses, categories, steps : list of dict
    """

    customer_key: str
    as_of: datetime
    withheld: bool
    profile: Row
    consents: Row
    features: list[Row]
    segment: Row | None
    segment_history: list[Row]
    moves: list[Row] | None
    rules: list[Row] | None
    scores: list[Row]
    scored: Row | None
    score_history: list[Row]
    responses: list[Row]
    categories: list[Row]
    steps: list[Row]


def customer_of(connection: duckdb.DuckDBPyConnection, ref_or_key: str, pseudonym_key: str) -> str:
    """The key of the customer behind a ref, as its source writes it, or behind a key.

    Raises
    ------
    UnknownRef
        Nobody is known by it, or it stands for nobody.
    """
    ref_key = ref_key_of(connection, ref_or_key, pseudonym_key)
    row = connection.execute(
        "select max(customer_key) from intermediate.identity_map "
        "where identifier_kind = 'customer' and identifier_key = ?",
        [ref_key],
    ).fetchone()
    if row is None or row[0] is None:
        raise UnknownRef(f"{ref_or_key!r} is nobody's: a guardrail keeps it from being a customer")
    return str(row[0])


def read_facts(connection: duckdb.DuckDBPyConnection, customer_key: str) -> CustomerFacts:
    """Collect what there is on a customer.

    Raises
    ------
    UnknownRef
        ``marts.customers`` has no such customer.
    """
    key = {"key": customer_key}
    profile = first_row(connection, queries.CUSTOMER, key)
    if profile is None:
        raise UnknownRef(f"marts.customers has no customer {customer_key}")
    consents = first_row(connection, queries.CONSENTS, key) or {}
    withheld = consents["analytics"] is False
    clock = first_row(connection, "select as_of from ops.clock")
    assert clock is not None

    def rows(query: str) -> list[Row]:
        return [] if withheld else read_rows(connection, query, key)

    def optional_rows(table: str, query: str) -> list[Row] | None:
        return rows(query) if has_table(connection, "marts", table) else None

    return CustomerFacts(
        customer_key=customer_key,
        as_of=clock["as_of"],
        withheld=withheld,
        profile={name: profile[name] for name in profile if not (withheld and name in WATCHED)},
        consents=consents,
        features=[] if withheld else _features(connection, customer_key),
        segment=next(iter(rows(queries.SEGMENT)), None),
        segment_history=rows(queries.SEGMENT_HISTORY),
        moves=optional_rows("segment_moves", queries.LAST_MOVES),
        rules=optional_rows("rule_segments", queries.RULES),
        scores=[] if withheld else _scores(connection, customer_key),
        scored=next(iter(rows(queries.SCORED)), None),
        score_history=rows(queries.SCORE_HISTORY),
        responses=rows(queries.RESPONSES),
        categories=rows(queries.CATEGORIES),
        steps=read_rows(connection, queries.LAST_STEPS, {**key, "everything": not withheld}),
    )


def _features(connection: duckdb.DuckDBPyConnection, customer_key: str) -> list[Row]:
    compared = _compared(connection, "customer_features", KEY_FEATURES, customer_key)
    return [{"feature": name, **row} for name, row in compared.items()]


def _scores(connection: duckdb.DuckDBPyConnection, customer_key: str) -> list[Row]:
    columns = {task.name: task.score_column for task in TASKS.values()}
    compared = _compared(connection, "customer_scores", tuple(columns.values()), customer_key)
    interval = first_row(connection, queries.VALUE_INTERVAL, {"key": customer_key})
    return [
        {
            "task": task,
            **compared[column],
            **(interval if interval and column == VALUE.score_column else NO_INTERVAL),
        }
        for task, column in columns.items()
        if compared[column]["value"] is not None
    ]


def _compared(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], customer_key: str
) -> dict[str, Row]:
    """A customer's figures beside everybody's: column to value, median and share below."""
    figures = ", ".join(
        f"any_value(own.{name}), median(others.{name}), "
        f"avg(case when others.{name} is not null then cast(others.{name} < own.{name} as int) end)"
        for name in columns
    )
    row = connection.execute(
        f"select {figures} from marts.{table} as others "
        f"cross join (select * from marts.{table} where customer_key = ?) as own",
        [customer_key],
    ).fetchone()
    assert row is not None
    return {
        name: dict(zip(("value", "median", "share_below"), row[3 * i : 3 * i + 3], strict=True))
        for i, name in enumerate(columns)
    }
