"""What is on record of rules: their last evaluation, and who is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from orchestration.rules.rule import Rule
from orchestration.rules.windows import Moment


@dataclass(frozen=True)
class Record:
    """What became of a rule when it was last looked at; fields as in ``ops.segment_rules``."""

    rule: str
    title: str | None
    description: str | None
    rule_version: str | None
    error: str | None
    borders: tuple[float | None, ...]
    borders_as_of: datetime | None
    moment: Moment

    @classmethod
    def of_evaluated(
        cls, rule: Rule, borders: Sequence[float | None], of: datetime | None, moment: Moment
    ) -> "Record":
        texts = (rule.title, rule.description, rule.version)
        return cls(rule.name, *texts, None, tuple(borders), of, moment)

    @classmethod
    def of_disabled(cls, name: str, error: str, moment: Moment) -> "Record":
        return cls(name, None, None, None, error, (), None, moment)

    def row(self) -> tuple[object, ...]:
        """Its values, in the order of `RECORD_COLUMNS`."""
        moment = self.moment
        texts = (self.rule, self.title, self.description, self.rule_version, self.error)
        borders = (list(self.borders), self.borders_as_of)
        return (*texts, *borders, moment.as_of, moment.batch_id, moment.evaluated_at)


RECORD_COLUMNS = (
    "rule, title, description, rule_version, error, borders, borders_as_of, "
    "as_of, batch_id, evaluated_at"
)
_DEPARTED = """
with known as (
    select customer_key from marts.rule_segment_history
    union
    select customer_key from marts.rule_segments
)
select customer_key
from known
anti join marts.customer_features using (customer_key)
"""
_ERASED = """
select unnest($departed)
except
select identifier_key from intermediate.identity_map
"""
_LOST = """
select customer_key, rule, false as entered
from marts.rule_segments
where not list_contains($evaluated, rule) or list_contains($departed, customer_key)
"""


def read_records(connection: duckdb.DuckDBPyConnection) -> dict[str, Record]:
    """The record of every rule, by name."""
    query = f"select {RECORD_COLUMNS} from ops.segment_rules order by rule"
    rows = connection.execute(query).fetchall()
    records = {}
    for name, title, text, version, error, borders, of, *seen in rows:
        moment = Moment(*seen)
        records[name] = Record(name, title, text, version, error, tuple(borders or ()), of, moment)
    return records


@dataclass(frozen=True)
class Losses:
    """Stays that end for other reasons than a rule's own.

    Attributes
    ----------
    changes
        Members of rules that are not evaluated any more, and those who are nobody any more, as
        rows of ``customer_key``, ``rule`` and ``entered`` (false).
    erased
        Customers of whom no row is left. Whoever was merged into another still has an identity.
    """

    changes: pa.Table
    erased: tuple[str, ...]


def read_losses(connection: duckdb.DuckDBPyConnection, evaluated: Sequence[str]) -> Losses:
    """What has to go although no rule says so."""
    departed = [key for (key,) in connection.execute(_DEPARTED).fetchall()]
    erased: list[tuple[str]] = []
    if departed:
        erased = connection.execute(_ERASED, {"departed": departed}).fetchall()
    values = {"evaluated": list(evaluated), "departed": departed}
    lost = connection.execute(_LOST, values).to_arrow_table()
    return Losses(lost, tuple(key for (key,) in erased))
