"""Who is who: the evidence behind a customer, and what people decided against the evidence."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from orchestration.ingestion.landing import ARRIVAL_FORMAT
from orchestration.ingestion.ledger import open_batch
from orchestration.ingestion.pseudonyms import keyed_hash
from orchestration.ingestion.sql import transaction
from orchestration.rows import read_rows


class UnknownRef(LookupError):
    """No row names this customer ref."""


@dataclass(frozen=True)
class Step:
    """One step of an evidence path: from a ref over a piece of evidence to the next ref."""

    ref_key: str
    kind: str
    evidence_key: str
    other_key: str


@dataclass(frozen=True)
class Explanation:
    """What is known of the customer behind a ref.

    Attributes
    ----------
    refs : list of dict
        Every ref of the customer: ``ref_key``, ``customer_ref``, ``linked_at``.
    identifiers : list of dict
        ``kind``, ``identifier_key``, ``linked_at``, ``is_owner``, ``owned_until``.
    path : list of Step
        From the asked ref to the oldest one; empty when it is that one.
    cuts : list of dict
        Identifiers of these refs that a guardrail keeps from joining: ``kind``,
        ``identifier_key``, ``reason``.
    decisions, log : list of dict
        What people decided on these refs, and every merge and split of theirs, oldest first.
    """

    ref_key: str
    customer_key: str
    refs: list[dict[str, Any]]
    identifiers: list[dict[str, Any]]
    path: list[Step]
    cuts: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    log: list[dict[str, Any]]


def ref_key_of(connection: duckdb.DuckDBPyConnection, customer_ref: str, pseudonym_key: str) -> str:
    """The keyed hash of a customer ref; a key is taken as it is.

    Raises
    ------
    UnknownRef
        When ``identity_map`` has neither.
    """
    row = connection.execute(
        f"""
        select identifier_key
        from intermediate.identity_map
        where
            identifier_kind = 'customer'
            and identifier_key in ($customer_ref, {keyed_hash("customer_key", "$customer_ref")})
        """,
        {"customer_ref": customer_ref, "pseudonym_key": pseudonym_key},
    ).fetchone()
    if row is None:
        raise UnknownRef(
            f"no customer {customer_ref!r} in the rows that were carried through; refs are matched "
            "exactly as the source writes them"
        )
    return str(row[0])


def explain(connection: duckdb.DuckDBPyConnection, ref_key: str) -> Explanation:
    """Collect the evidence behind the customer of a ref."""
    customer_key = str(
        _one(
            connection,
            "select customer_key from intermediate.identity_map "
            "where identifier_kind = 'customer' and identifier_key = ?",
            [ref_key],
        )
    )
    refs = read_rows(
        connection,
        """
        select
            identities.identifier_key as ref_key,
            min(profiles.customer_ref) as customer_ref,
            identities.linked_at
        from intermediate.identity_map as identities
        left join raw.customers as profiles on identities.identifier_key = profiles.customer_key
        where identities.identifier_kind = 'customer' and identities.customer_key = ?
        group by all
        order by identities.linked_at, ref_key
        """,
        [customer_key],
    )
    keys = [row["ref_key"] for row in refs]
    return Explanation(
        ref_key=ref_key,
        customer_key=customer_key,
        refs=refs,
        identifiers=read_rows(
            connection,
            """
            select identifier_kind as kind, identifier_key, linked_at, is_owner, owned_until
            from intermediate.identity_map
            where identifier_kind <> 'customer' and customer_key = ?
            order by kind, linked_at, identifier_key
            """,
            [customer_key],
        ),
        path=_path(_links(connection, keys), ref_key, customer_key),
        cuts=read_rows(
            connection,
            """
            select distinct cuts.identifier_kind as kind, cuts.identifier_key, cuts.reason
            from intermediate.identity_cuts as cuts
            inner join intermediate.int_identity_edges as edges
                on cuts.identifier_key = edges.identifier_key
            where edges.ref_key in (select unnest(?::varchar[]))
            order by all
            """,
            [keys],
        ),
        decisions=read_rows(
            connection,
            """
            select ref_key, group_key, decided_at, decided_by, reason
            from ops.identity_decisions
            where ref_key in (select unnest(?::varchar[]))
            order by batch_id, decided_at, ref_key
            """,
            [keys],
        ),
        log=read_rows(
            connection,
            """
            select identifier_key, change, from_customer_key, to_customer_key,
                evidence_kind, evidence_key, as_of, batch_id
            from intermediate.identity_log
            where identifier_kind = 'customer' and identifier_key in (select unnest(?::varchar[]))
            order by batch_id, entry_number, identifier_key
            """,
            [keys],
        ),
    )


def decide(
    connection: duckdb.DuckDBPyConnection,
    ref_keys: Sequence[str],
    *,
    apart: bool,
    decided_by: str,
    reason: str,
    run_id: str,
    now: datetime,
) -> int:
    """Record that refs are one customer apart from all others, or that evidence decides again.

    The decision is a batch of its own, without files: the next run carries it through to the
    scores, and publishes it, like any other.

    Parameters
    ----------
    now
        UTC instant of the decision.

    Returns
    -------
    int
        The batch that the decision is.
    """
    group_key = min(ref_keys) if apart else None
    with transaction(connection):
        batch_id = open_batch(connection, now.strftime(ARRIVAL_FORMAT), run_id, now)
        connection.executemany(
            "insert into ops.identity_decisions values (?, ?, ?, ?, ?, ?)",
            [[key, group_key, now, decided_by, reason, batch_id] for key in ref_keys],
        )
    return batch_id


def _links(connection: duckdb.DuckDBPyConnection, keys: Sequence[str]) -> list[Step]:
    """Every piece of evidence between two of the refs that joins people."""
    rows = connection.execute(
        """
        with births as (
            select
                ref_key,
                max_by(birth_year, (updated_at, birth_year)) as birth_year
            from staging.stg_customers
            where ref_key in (select unnest($keys::varchar[]))
            group by ref_key
        ),
        edges as (
            select distinct
                edges.ref_key,
                edges.identifier_kind,
                edges.identifier_key,
                case when rules.needs_same_birth_year then births.birth_year end as birth_year
            from intermediate.int_identity_edges as edges
            inner join ops.identity_guardrails as rules
                on edges.identifier_kind = rules.identifier_kind
            left join births on edges.ref_key = births.ref_key
            anti join intermediate.identity_cuts as cuts
                on edges.identifier_key = cuts.identifier_key
            where rules.joins_people and edges.ref_key in (select unnest($keys::varchar[]))
        )
        select
            edges.ref_key, edges.identifier_kind, edges.identifier_key, others.ref_key
        from edges
        inner join edges as others
            on edges.identifier_key = others.identifier_key and edges.ref_key <> others.ref_key
                and coalesce(edges.birth_year = others.birth_year, true)
        union all
        select left_key, 'match', format('{:.4f}', probability), right_key
        from intermediate.identity_matches
        where decision = 'same' and left_key in (select unnest($keys::varchar[]))
            and right_key in (select unnest($keys::varchar[]))
        order by all
        """,
        {"keys": list(keys)},
    ).fetchall()
    steps = [Step(*row) for row in rows]
    return steps + [
        Step(step.other_key, step.kind, step.evidence_key, step.ref_key)
        for step in steps
        if step.kind == "match"
    ]


def _path(links: Sequence[Step], start: str, goal: str) -> list[Step]:
    """A shortest way from one ref to another; empty when there is none, or none is needed."""
    came_by: dict[str, Step] = {}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for link in links:
            if link.ref_key == here and link.other_key not in came_by and link.other_key != start:
                came_by[link.other_key] = link
                queue.append(link.other_key)
    path: list[Step] = []
    here = goal
    while here != start and here in came_by:
        path.append(came_by[here])
        here = came_by[here].ref_key
    return path[::-1]


def _one(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any]) -> Any:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]
