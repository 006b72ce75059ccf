"""How things stand, for a person at a terminal."""

from datetime import UTC, datetime

from rich.console import Console

from orchestration.lake import Lake, LakeNotFound
from orchestration.settings import Settings
from orchestration.waiting import waiting_work


def print_status(lake: Lake, values: Settings) -> None:
    """Print landed rows, backlog, publication, lease and disk."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"home        {values.root}")
    try:
        with lake.reader(latest=True) as connection:
            waiting = waiting_work(connection, values, {})
            batches = connection.execute(
                """
                select
                    count(*), count(*) filter (where snapshot_id is null),
                    max(snapshot_id), max(published_at), max(ingested_at),
                    coalesce(sum(received), 0), coalesce(sum(accepted), 0),
                    coalesce(sum(duplicates), 0), coalesce(sum(rejected), 0)
                from ops.batches
                """
            ).fetchone()
            clock = connection.execute("select as_of, mode from ops.clock").fetchone()
    except LakeNotFound as missing:
        console.print(f"lake        {missing}")
        return
    assert batches is not None
    total, unpublished, snapshot, published, ingested, *rows = batches
    received, accepted, duplicates, rejected = rows
    console.print(
        f"landing     {len(waiting.files)} files waiting, {waiting.unsettled} being written"
    )
    if waiting.stalled is not None:
        console.print(f"stalled     batch {waiting.stalled.batch_id}: a run left it half done")
    for problem in waiting.problems:
        console.print(f"            {problem}", style="yellow", markup=False)
    console.print(f"batches     {total}, of which {unpublished} not yet carried through to scores")
    console.print(
        f"rows        {received:,} received = {accepted:,} accepted + {duplicates:,} duplicates "
        f"+ {rejected:,} rejected"
    )
    if ingested is not None:
        console.print(f"ingested    last {_ago(ingested)}")
    if published is None:
        console.print("published   nothing yet")
    else:
        console.print(f"published   snapshot {snapshot}, last batch {_ago(published)}")
    if clock is not None and total:
        console.print(f"clock       {clock[0]:%Y-%m-%d %H:%M:%S} ({clock[1]})")
    console.print(f"lease       {lake.lease_holder()}")
    console.print(f"disk        {_megabytes(values):,.0f} MB under {values.root}")


def _ago(instant: datetime) -> str:
    seconds = (datetime.now(UTC).replace(tzinfo=None) - instant).total_seconds()
    unit, size = next(
        (u, s)
        for u, s in (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
        if abs(seconds) >= s or s == 1
    )
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC, {seconds / size:.0f} {unit} ago"


def _megabytes(values: Settings) -> float:
    return (
        sum(f.stat().st_size for f in values.root.rglob("*") if f.is_file() and not f.is_symlink())
        / 1e6
    )
