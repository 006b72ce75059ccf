"""How things stand, for a person at a terminal."""

from collections.abc import Iterator

from rich.console import Console

from orchestration.health import Facts, Health
from orchestration.lake import Lake, LakeDamaged, LakeNotFound
from orchestration.settings import Settings
from orchestration.waiting import waiting_work

COLOURS = {"healthy": "green", "degraded": "yellow", "failing": "red"}
UNITS = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


def print_status(lake: Lake, values: Settings, health: Health) -> None:
    """Print rows, backlog, lag, publication, last successes, lease, disk and the verdict."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"home        {values.root}", markup=False)
    try:
        _print_rows(console, lake, values)
    except (LakeNotFound, LakeDamaged) as missing:
        console.print(f"lake        {missing}", markup=False)
    for title, text in _lines(health.facts):
        console.print(f"{title:<12}{text}", markup=False)
    console.print(f"{'verdict':<12}{health}", style=COLOURS[health.verdict], markup=False)


def _print_rows(console: Console, lake: Lake, values: Settings) -> None:
    with lake.reader(latest=True) as connection:
        waiting = waiting_work(connection, values, {})
        row = connection.execute(
            """
            select
                max(snapshot_id), coalesce(sum(received), 0), coalesce(sum(accepted), 0),
                coalesce(sum(duplicates), 0), coalesce(sum(rejected), 0)
            from ops.batches
            """
        ).fetchone()
        clock = connection.execute("select as_of, mode from ops.clock").fetchone()
    assert row is not None
    snapshot, received, accepted, duplicates, rejected = row
    if waiting.stalled is not None:
        console.print(f"stalled     batch {waiting.stalled.batch_id}: a run left it half done")
    for problem in waiting.problems:
        console.print(f"            {problem}", style="yellow", markup=False)
    console.print(
        f"rows        {received:,} received = {accepted:,} accepted + {duplicates:,} duplicates "
        f"+ {rejected:,} rejected"
    )
    console.print(f"published   {'nothing yet' if snapshot is None else f'snapshot {snapshot}'}")
    if clock is not None and received:
        console.print(f"clock       {clock[0]:%Y-%m-%d %H:%M:%S} ({clock[1]})")


def _lines(facts: Facts) -> Iterator[tuple[str, str]]:
    if facts.backlog is not None:
        backlog = facts.backlog
        oldest = "" if backlog.oldest_seconds is None else f", oldest {ago(backlog.oldest_seconds)}"
        yield (
            "landing",
            f"{backlog.files} files waiting ({backlog.bytes / 1e6:,.1f} MB{oldest}), "
            f"{backlog.unsettled} being written",
        )
        yield (
            "batches",
            f"{facts.batches}, of which {facts.unpublished} not yet carried through to scores",
        )
    if facts.lag is not None:
        lag = facts.lag
        yield (
            "lag",
            f"{lag.last:,.1f} s from arrival to published; p50 {lag.p50:,.1f} s, p95 "
            f"{lag.p95:,.1f} s over {lag.batches} batches",
        )
    if facts.last_success:
        stages = (f"{stage} {ago(seconds)}" for stage, seconds in facts.last_success.items())
        yield "succeeded", ", ".join(stages)
    for job, runs in facts.failed_runs.items():
        yield "failed", f"{job}: {runs} runs since it last succeeded"
    daemon = facts.daemon_seconds
    yield (
        "dagster",
        "no daemon yet" if daemon is None else f"daemon, last sign of life {ago(daemon)}",
    )
    collector = facts.collector
    if collector.is_running or collector.journals:
        state = "running" if collector.is_running else "not running"
        yield (
            "collector",
            f"{state}, {collector.journals} journals ({collector.bytes / 1e6:,.1f} MB) not in "
            "landing yet",
        )
    if facts.live is not None:
        live = facts.live
        yield (
            "live worker",
            f"process {live.pid}, {live.batches} batches, last sign of life "
            f"{ago(live.seconds_ago)}",
        )
    yield "lease", facts.lease
    backup = facts.backup_seconds
    yield "backup", "none" if backup is None else ago(backup)
    parts = sorted(facts.disk.used.items(), key=lambda part: -part[1])
    used = ", ".join(f"{name} {size / 1e6:,.0f}" for name, size in parts if size >= 5e5)
    yield (
        "disk",
        f"{sum(facts.disk.used.values()) / 1e6:,.0f} MB used ({used}), "
        f"{facts.disk.free / 1e6:,.0f} MB free",
    )


def ago(seconds: float) -> str:
    """A span of time for people."""
    unit, size = next((u, s) for u, s in UNITS if abs(seconds) >= s or s == 1)
    return f"{seconds / size:.0f} {unit} ago"
