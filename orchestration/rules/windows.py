"""The conditions on rows within a window, as SQL: one reading of each table for all rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestration.ingestion.expressions import Expression
from orchestration.rules.conditions import Rows
from orchestration.rules.rule import Rule
from orchestration.rules.tables import RowTable


@dataclass(frozen=True)
class Moment:
    """What an evaluation saw: the clock's instant and batch, and when it looked (wall clock)."""

    as_of: datetime
    batch_id: int
    evaluated_at: datetime


@dataclass
class Values:
    """Values to bind, each under a name of its own."""

    bound: dict[str, object] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        name = f"v{len(self.bound)}"
        self.bound[name] = value
        return f"${name}"


class RowSet:
    """The conditions of all rules on one table of rows, read once."""

    def __init__(
        self,
        name: str,
        table: RowTable,
        rules: Sequence[Rule],
        as_of: datetime,
        since: Moment | None,
        values: Values,
    ) -> None:
        self.name = name
        self.table = table
        self.as_of = as_of
        self.since = None if since is None else since.as_of
        self.values = values
        self.conditions = [
            leaf
            for rule in rules
            for leaf in rule.leaves
            if isinstance(leaf, Rows) and leaf.table is table
        ]

    def visible(self) -> str:
        """A CTE of the rows that can matter, and for which condition each counts.

        Of the touched only, where not everyone is: these are packed into one row and unpacked
        again, since DuckDB takes a row for one and a union for any number.
        """
        source = self.table.name
        if self.since is not None:
            touched = "(select unnest(list(customer_key)) as customer_key from touched)"
            source = f"({self.table.of(touched)})"
        first = self.as_of - max(condition.within for condition in self.conditions)
        flags, wanted = [], []
        for number, condition in enumerate(self.conditions):
            flags.append(f"{self._counts(condition)} as counts_{number}")
            types = f" and {self._is(condition.types)}" if condition.types else ""
            recent = f"{self.table.time} >= {self.values.bind(self.as_of - condition.within)}"
            wanted.append(f"({recent}{types})")
        return (
            f"{self.name}_rows as (\n    select customer_key, "
            f"{self.table.time} as happened_at,\n        "
            + ",\n        ".join(flags)
            + f"\n    from {source}\n    where customer_key is not null"
            f"\n    and {self.table.time} >= {self.values.bind(first)}"
            f" and {self.table.time} < {self.values.bind(self.as_of)}"
            f"\n    and (" + "\n        or ".join(wanted) + ")\n)"
        )

    def crossing(self) -> str:
        """Whose rows came into a window, or dropped out of it, since the evaluation before."""
        assert self.since is not None
        crossed = []
        for condition in self.conditions:
            ends = [
                f"{self.table.time} >= {self.values.bind(self.since - age)} "
                f"and {self.table.time} < {self.values.bind(self.as_of - age)}"
                for age in (condition.until, condition.within)
            ]
            crossed.append(f"({self._counts(condition)} and ({' or '.join(ends)}))")
        first = self.since - max(condition.within for condition in self.conditions)
        return (
            f"select customer_key from {self.table.name}\n    where customer_key is not null "
            f"and {self.table.time} >= {self.values.bind(first)} "
            f"and {self.table.time} < {self.values.bind(self.as_of)}\n    and ("
            + "\n        or ".join(crossed)
            + ")"
        )

    def counted(self) -> str:
        """A CTE of how many rows each touched customer has in each window."""
        columns = []
        for number, condition in enumerate(self.conditions):
            columns.append(
                f"count(*) filter (where counts_{number} "
                f"and happened_at >= {self.values.bind(self.as_of - condition.within)} "
                f"and happened_at < {self.values.bind(self.as_of - condition.until)}) "
                f"as counted_{self.name}_{number}"
            )
        return (
            f"{self.name}_counts as (\n    select customer_key,\n        "
            + ",\n        ".join(columns)
            + f"\n    from {self.name}_rows\n    group by customer_key\n)"
        )

    def counts(self) -> Iterator[tuple[Rows, str]]:
        """Each condition with the count that it is about."""
        for number, condition in enumerate(self.conditions):
            yield condition, f"coalesce(counted_{self.name}_{number}, 0)"

    def _counts(self, condition: Rows) -> str:
        types = self._is(condition.types) if condition.types else "true"
        if condition.where is None:
            return types
        # a case and no conjunction: the expression must not meet rows of other types
        return f"coalesce(case when {types} then {spliced(condition.where)} end, false)"

    def _is(self, types: Sequence[str]) -> str:
        return f"{self.table.type} in ({', '.join(map(self.values.bind, types))})"


def spliced(expression: Expression) -> str:
    """An expression as part of another: on lines of its own, since it may end in a comment."""
    return f"(\n{expression.text}\n)"
