"""Evaluating the rules of a folder on the lake: only for customers who can have changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.clock import Clock, read_clock
from orchestration.ingestion.sql import at_one_moment, first_line
from orchestration.lake import Lake
from orchestration.rules.compiler import Query, compile_borders, compile_changes
from orchestration.rules.conditions import Rank
from orchestration.rules.loading import load_rules
from orchestration.rules.records import (
    Record,
    read_losses,
    read_records,
)
from orchestration.rules.rule import Rule
from orchestration.rules.stays import write_changes
from orchestration.rules.tables import Columns, read_catalog
from orchestration.rules.windows import Moment

OWN_FAULTS = (duckdb.DataError, duckdb.ProgrammingError, duckdb.NotSupportedError)
"""Errors that a rule makes, such as a text that is no number; others are the lake's."""


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation came to: a row per customer and rule entered or left, and the records."""

    changes: pa.Table
    records: Mapping[str, Record]

    @property
    def errors(self) -> dict[str, str]:
        """Why rules are disabled, by name."""
        return {name: each.error for name, each in self.records.items() if each.error is not None}

    @property
    def entered(self) -> int:
        return sum(self.changes["entered"].to_pylist())

    @property
    def left(self) -> int:
        return len(self.changes) - self.entered


def evaluate_rules(lake: Lake, folder: Path, now: datetime) -> Evaluation:
    """Bring ``marts.rule_segments`` and its history to the clock's instant.

    Looked at are the customers whose features or scores are newer than the last evaluation, and
    those of whom a row came into or dropped out of a window since: the others would come out as
    before. Everyone is looked at for a rule that is new or changed or had failed, for a rule with
    ranks when all features are newer than its borders, when a run carries the whole history, and
    when the clock went back. A rule with an error has no members, and keeps no other from being
    evaluated.

    Parameters
    ----------
    now
        The wall clock, against which the next evaluation finds newer scores.

    Raises
    ------
    RuleError
        When there is no such folder.
    """
    with lake.reader(latest=True) as connection, at_one_moment(connection):
        clock = read_clock(connection)
        moment = Moment(clock.as_of, clock.last_batch_id, now)
        catalog = read_catalog(connection)
        book = load_rules(folder, catalog)
        evaluator = _Evaluator(connection, catalog.facts, moment)
        before = read_records(connection)
        complete_since = _all_features_since(connection)
        for rules, since in _scopes(book.rules, before, clock, complete_since):
            if since is None:
                evaluator.set_borders(rules)
            else:
                evaluator.keep_borders(rules, before)
            evaluator.evaluate(rules, since)
        records = evaluator.records | {
            name: Record.of_disabled(name, error, moment) for name, error in book.errors.items()
        }
        evaluated = [name for name, record in records.items() if record.error is None]
        losses = read_losses(connection, evaluated)
        changes = pa.concat_tables([*evaluator.changes, losses.changes])
    with lake.writer("evaluate rules") as connection:
        write_changes(connection, changes, before, records, losses.erased, clock)
    return Evaluation(changes, dict(sorted(records.items())))


def _scopes(
    rules: Mapping[str, Rule],
    before: Mapping[str, Record],
    clock: Clock,
    complete_since: datetime | None,
) -> Iterator[tuple[list[Rule], Moment | None]]:
    """The rules to evaluate for everyone (None), and those for whom changed since a moment."""
    groups: dict[Moment | None, list[Rule]] = {}
    for name, rule in rules.items():
        known = before.get(name)
        anew = (
            known is None
            or known.rule_version != rule.version
            or known.moment.as_of > clock.as_of
            or clock.first_batch_id <= 1
            or (
                known.borders_as_of is not None
                and complete_since is not None
                and complete_since > known.borders_as_of
            )
        )
        groups.setdefault(None if anew or known is None else known.moment, []).append(rule)
    for since, group in groups.items():
        yield group, since


class _Evaluator:
    """Changes and records of rules, group by group."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, facts: Columns, moment: Moment
    ) -> None:
        self.connection = connection
        self.facts = facts
        self.moment = moment
        self.changes: list[pa.Table] = []
        self.records: dict[str, Record] = {}
        self.borders: dict[str, tuple[tuple[float | None, ...], datetime | None]] = {}

    def keep_borders(self, rules: Sequence[Rule], before: Mapping[str, Record]) -> None:
        for rule in rules:
            self.borders[rule.name] = (before[rule.name].borders, before[rule.name].borders_as_of)

    def set_borders(self, rules: Sequence[Rule]) -> None:
        """Compute the borders of ranks; rules in which that fails are disabled."""

        def compiled(some: Sequence[Rule]) -> Query:
            return compile_borders(some, self.facts)

        ranked = [rule for rule in rules if any(isinstance(each, Rank) for each in rule.leaves)]
        for some, found in self._results(ranked, compiled):
            values = iter([column[0].as_py() for column in found.columns])
            for rule in some:
                ranks = sum(isinstance(each, Rank) for each in rule.leaves)
                borders = tuple(next(values) for _ in range(ranks))
                self.borders[rule.name] = (borders, self.moment.as_of)

    def evaluate(self, rules: Sequence[Rule], since: Moment | None) -> None:
        """Find who enters and leaves; rules that fail are disabled."""

        def compiled(some: Sequence[Rule]) -> Query:
            borders = {name: values for name, (values, _) in self.borders.items()}
            return compile_changes(some, borders, self.facts, self.moment.as_of, since)

        sound = [rule for rule in rules if rule.name not in self.records]
        for some, found in self._results(sound, compiled):
            self.changes.append(found)
            for rule in some:
                borders, of = self.borders.get(rule.name, ((), None))
                self.records[rule.name] = Record.of_evaluated(rule, borders, of, self.moment)

    def _results(
        self, rules: Sequence[Rule], compiled: Callable[[Sequence[Rule]], Query]
    ) -> list[tuple[Sequence[Rule], pa.Table]]:
        """The result for all rules at once; where that fails, for halves without the failing."""
        if not rules:
            return []
        query = compiled(rules)
        try:
            found = self.connection.execute(query.text, dict(query.values)).to_arrow_table()
        except OWN_FAULTS as error:
            self.connection.execute("rollback; begin")  # the error has ended the transaction
            if len(rules) > 1:
                half = len(rules) // 2
                return self._results(rules[:half], compiled) + self._results(rules[half:], compiled)
            (rule,) = rules
            message = f"{rule.file}: {first_line(error)}"
            self.records[rule.name] = Record.of_disabled(rule.name, message, self.moment)
            return []
        return [(rules, found)]


def _all_features_since(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """The instant since which everyone's features have been computed."""
    row = connection.execute("select min(as_of) from marts.customer_features").fetchone()
    return None if row is None else row[0]
