"""The score tables of the tasks about events: what is scored now, and which rows hold."""

from collections.abc import Mapping
from dataclasses import dataclass

from ml.category import CATEGORY
from ml.event_task import EventTask
from ml.intent import INTENT
from ml.response import RESPONSE


@dataclass(frozen=True, kw_only=True)
class ScoreTable:
    """One table of the schema marts with the probabilities of one task.

    Attributes
    ----------
    name : str
    task : EventTask
    scored : str
        Query of the rows to score: every feature, and the columns of `kept`.
    kept : tuple of str
        Columns of the query that the table has too.
    grain : tuple of str
        Columns that tell the table's rows apart.
    customers : str
        Relation of the customers who may have a score, by ``customer_key``; a row without a
        customer may stay.
    is_incremental : bool
        Whether the query gives only rows of customers whose features are newer; the others keep
        theirs for as long as they may have a score. Otherwise the table is written anew.
    is_ranked : bool
        Whether ``rank`` places the rows of a customer, the likeliest first; equal ones by name.
    """

    name: str
    task: EventTask
    scored: str
    kept: tuple[str, ...]
    grain: tuple[str, ...]
    customers: str
    is_incremental: bool = False
    is_ranked: bool = False

    @property
    def gone(self) -> str:
        """Condition of the table's rows whose customer may not have a score any more."""
        return (
            f"customer_key is not null and customer_key not in "
            f"(select customer_key from {self.customers})"
        )


RESPONSE_SCORES = ScoreTable(
    name="response_scores",
    task=RESPONSE,
    scored="""
    select messages.*, features.* exclude (customer_key, as_of, batch_id)
    from marts.message_features as messages
    inner join marts.customer_features as features
        on messages.customer_key = features.customer_key
    """,
    kept=("customer_key", "channel", "variant", "as_of", "batch_id"),
    grain=("customer_key", "channel"),
    customers="intermediate.int_message_recipients",
    is_incremental=True,
)
SESSION_INTENT = ScoreTable(
    name="session_intent",
    task=INTENT,
    scored="""
    select *, cast(session_events as bigint) as events
    from marts.session_features
    order by session_id
    """,
    kept=("session_id", "visitor_key", "customer_key", "started_at", "events", "as_of"),
    grain=("session_id",),
    customers="marts.customers",
)
CATEGORY_SCORES = ScoreTable(
    name="category_scores",
    task=CATEGORY,
    scored="""
    select categories.*, customers.* exclude (customer_key, as_of, batch_id)
    from marts.category_features as categories
    inner join marts.customer_features as customers
        on categories.customer_key = customers.customer_key
    order by categories.customer_key, categories.category
    """,
    kept=("customer_key", "category", "as_of"),
    grain=("customer_key", "category"),
    customers="marts.customer_features",
    is_ranked=True,
)
SCORE_TABLES: Mapping[str, ScoreTable] = {
    table.name: table for table in (RESPONSE_SCORES, SESSION_INTENT, CATEGORY_SCORES)
}
