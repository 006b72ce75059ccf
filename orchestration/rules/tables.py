"""The tables that rules look at, and the columns that these have."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from orchestration.ingestion.expressions import Expression, ExpressionError, bound_type
from orchestration.visitor_events import events_of

FACTS = ("marts.customer_features", "marts.customer_scores", "marts.customers")
"""Tables with a row per customer; a name that several have is that of the first."""

EVENTS = "intermediate.int_events"
NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
NAMED = 8
"""So many of the columns that exist are named in a message, the likest first."""


@dataclass(frozen=True)
class RowTable:
    """A table of what customers did: whose, when, and of which type a row is."""

    name: str
    time: str
    type: str

    def of(self, customers: str) -> str:
        """SQL for the rows of the customers of a relation that has each ``customer_key`` once."""
        if self.name == EVENTS:
            return events_of(f"(select customer_key as visitor_key from {customers})")
        chosen = f"(select customer_key from {customers})"
        return f"select * from {self.name} where customer_key in {chosen}"


ROWS = {
    "events": RowTable(EVENTS, "occurred_at", "event_type"),
    "orders": RowTable("marts.orders", "ordered_at", "status"),
    "feedback": RowTable("marts.feedback_signals", "posted_at", "source_type"),
    "messages": RowTable("intermediate.int_messages", "sent_at", "channel"),
}
"""What conditions count, by the name that they have in a rule."""


@dataclass(frozen=True)
class Columns:
    """Columns in lower case with their types, and the tables that a message names for them.

    Attributes
    ----------
    owners
        Which table a column is read from.
    """

    tables: str
    types: Mapping[str, str]
    owners: Mapping[str, str]

    def require_boolean(self, expression: Expression) -> None:
        """Raise `ExpressionError` unless an expression over these columns is true or false."""
        found = self._type_of(expression)
        if found != "BOOLEAN":
            raise ExpressionError(f"is {found}, has to be true or false ({expression.text})")

    def require_number(self, expression: Expression) -> None:
        """Raise `ExpressionError` unless an expression over these columns is a number."""
        found = self._type_of(expression)
        if not found.removeprefix("U").startswith(NUMBERS):
            raise ExpressionError(f"is {found}, has to be a number ({expression.text})")

    def _type_of(self, expression: Expression) -> str:
        for path in expression.columns:
            name = ".".join(path)
            if name.lower() not in self.types:
                raise ExpressionError(
                    f'no column "{name}" in {self.tables} (has: {self._likest(name)})'
                )
        try:
            return bound_type(
                expression.text, {name: self.types[name] for name in column_names(expression)}
            )
        except ExpressionError as error:
            raise ExpressionError(f"{error} ({expression.text})") from None

    def _likest(self, name: str) -> str:
        names = sorted(
            self.types,
            key=lambda known: -difflib.SequenceMatcher(None, name.lower(), known).ratio(),
        )
        more = len(names) - NAMED
        return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Catalog:
    """The columns of all the tables that rules look at."""

    facts: Columns
    rows: Mapping[str, Columns]


def read_catalog(connection: duckdb.DuckDBPyConnection) -> Catalog:
    """Look up the columns in the lake."""
    return Catalog(
        _columns(connection, FACTS),
        {table.name: _columns(connection, [table.name]) for table in ROWS.values()},
    )


def column_names(expression: Expression) -> list[str]:
    """The columns that an expression over one table names, in lower case."""
    return list(dict.fromkeys(path[0].lower() for path in expression.columns))


def _columns(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Columns:
    types: dict[str, str] = {}
    owners: dict[str, str] = {}
    for table in tables:
        for name, type_, *_ in connection.execute(f"describe {table}").fetchall():
            if name.lower() not in types:
                types[name.lower()], owners[name.lower()] = type_, table
    return Columns(" or ".join(tables), types, owners)
