"""The score tables of the tasks about events: what is scored now, and which rows hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    holders, holder : str
        Relation of those who may have a score, and its column, which the table has too; a row
        where it is null may stay.
    known_by : mapping of str to str
        Variables that tell the query what the table has, so that it gives only what is newer, and
        the column whose newest value each has. Without them the query gives everything.
    replaced : str
        Condition of the rows that a scoring replaces; ``fresh_rows`` are the new ones.
    may_follow : bool
        Whether the scores may be of features a batch older: a run that scores then lets the live
        worker carry batches meanwhile.
    is_ranked : bool
        Whether ``rank`` places the rows of a customer, the likeliest first; equal ones by name.
    """

    name: str
    task: EventTask
    scored: str
    kept: tuple[str, ...]
    grain: tuple[str, ...]
    holders: str
    holder: str = "customer_key"
    known_by: Mapping[str, str] = field(default_factory=dict)
    replaced: str = "true"
    may_follow: bool = False
    is_ranked: bool = False

    @property
    def gone(self) -> str:
        """Condition of the table's rows that nobody may have any more."""
        return (
            f"{self.holder} is not null and {self.holder} not in "
            f"(select {self.holder} from {self.holders})"
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
    holders="intermediate.int_message_recipients",
    known_by={"shoal_newer_than": "as_of", "shoal_after_batch": "batch_id"},
    replaced="customer_key in (select customer_key from fresh_rows)",
    may_follow=True,
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
    holders="marts.open_sessions",
    holder="session_id",
    known_by={"shoal_scored_at": "as_of"},
    # an order in it leaves a session without a score
    replaced="session_id in (select session_id from marts.open_sessions where is_due)",
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
    holders="marts.customer_features",
    may_follow=True,
    is_ranked=True,
)
SCORE_TABLES: Mapping[str, ScoreTable] = {
    table.name: table for table in (RESPONSE_SCORES, SESSION_INTENT, CATEGORY_SCORES)
}
