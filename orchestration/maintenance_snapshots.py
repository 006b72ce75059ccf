"""Which snapshots of the lake may go: those that nobody reads, publishes or learnt from."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb

from orchestration.lake import published_snapshot


@dataclass(frozen=True)
class Snapshot:
    """A commit of the lake, and when it was made (UTC, without time zone)."""

    number: int
    made_at: datetime


def all_snapshots(connection: duckdb.DuckDBPyConnection) -> list[Snapshot]:
    """Every snapshot of the attached lake, oldest first."""
    rows = connection.execute(
        "select snapshot_id, (snapshot_time at time zone 'UTC')::timestamp "
        "from ducklake_snapshots('lake') order by 1"
    ).fetchall()
    return [Snapshot(int(number), made_at) for number, made_at in rows]


def publications(connection: duckdb.DuckDBPyConnection) -> set[int]:
    """Snapshots that batches were published by, as the newest state of the lake names them."""
    rows = connection.execute(
        "select distinct snapshot_id from ops.batches where snapshot_id is not null"
    ).fetchall()
    return {int(number) for (number,) in rows}


def published_at(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> int | None:
    """The snapshot that readers saw when another one was the newest; None before the first."""
    return published_snapshot(connection, at=snapshot.number)


def last_before(snapshots: Iterable[Snapshot], instant: datetime) -> Snapshot | None:
    """The newest snapshot that is not younger than an instant."""
    older = [snapshot for snapshot in snapshots if snapshot.made_at <= instant]
    return max(older, key=lambda snapshot: snapshot.number, default=None)


def to_expire(
    snapshots: Collection[Snapshot],
    *,
    published: Collection[int],
    pinned: Collection[int],
    now: datetime,
    keep: timedelta,
    grace: timedelta,
) -> list[int]:
    """Snapshots that may go, oldest first.

    What stays: the newest one; every one younger than ``grace``; ``pinned`` ones; and, for
    ``keep``, the last publication of each hour. A reader that found out within ``grace`` what is
    published and is about to hold it is on one of the first two, or on what was published when
    ``grace`` began, which the caller pins.

    Parameters
    ----------
    published
        Snapshots that batches were published by.
    pinned
        Snapshots that stay whatever their age.
    """
    newest = max((snapshot.number for snapshot in snapshots), default=0)
    kept = {newest, *pinned}
    by_hour: dict[datetime, int] = {}
    for snapshot in sorted(snapshots, key=lambda one: one.number):
        if snapshot.made_at > now - grace:
            kept.add(snapshot.number)
        elif snapshot.number in published and snapshot.made_at > now - keep:
            hour = snapshot.made_at.replace(minute=0, second=0, microsecond=0)
            by_hour[hour] = snapshot.number
    kept.update(by_hour.values())
    return sorted(snapshot.number for snapshot in snapshots if snapshot.number not in kept)
