"""Homes that are put back to where they were before the next kill, and compared as a whole."""

import csv
import json
import random
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from orchestration import lake
from orchestration.conservation import assert_conserved
from orchestration.lake import Lake
from orchestration.settings import Settings
from tests.crash.fork_server import ForkServer

HOUR = "arrived=2026-01-01T12"
START = datetime(2024, 5, 1)
EXPORT_COLUMNS = (
    *("InvoiceNo", "StockCode", "Description", "Quantity"),
    *("InvoiceDate", "UnitPrice", "CustomerID", "Country"),
)
WHEN = {
    "assigned_at",
    "deliveries",
    "detected_at",
    "evaluated_at",
    "fitted_at",
    "ingested_at",
    "modified_ns",
    "published_at",
    "recorded_at",
    "rejected_at",
    "run_id",
    "scored_at",
    "snapshot_id",
}
"""Columns that say when, or by which run, something was written: no two runs agree on them."""


def settings_of(home: Path) -> Settings:
    return Settings(home=home, settle_seconds=0, threads=1, _env_file=None)  # type: ignore[call-arg]


def put_back(template: Path, home: Path) -> None:
    """Make a home what a template was, in one place: the catalog knows where its data lies.

    This process forgets the catalog that it looked into before. An attachment is known by its
    file's inode, which the copy may get again, and then it would answer from what it remembers.
    """
    for attached in lake._ATTACHED.values():
        attached.close()
    lake._ATTACHED.clear()
    if home.exists():
        shutil.rmtree(home)
    shutil.copytree(template, home, symlinks=True)


def fingerprint(home: Path) -> dict[str, tuple[Any, ...]]:
    """Rows and one hash per table of the lake, whatever the order of the rows.

    Tables that were never written to are left out: the first look at an empty one is slow.
    """
    found: dict[str, tuple[Any, ...]] = {}
    with Lake.from_settings(settings_of(home)).reader(latest=True) as connection:
        columns = connection.execute(
            "select columns.schema_name || '.' || columns.table_name, "
            "list(columns.column_name order by columns.column_name) "
            "from duckdb_columns() as columns inner join duckdb_tables() as tables "
            "using (database_name, schema_name, table_name) "
            "where columns.database_name = 'lake' and tables.estimated_size > 0 "
            "group by 1 order by 1"
        ).fetchall()
        for table, names in columns:
            chosen = ", ".join(f'"{name}"' for name in names if name not in WHEN)
            row = connection.execute(
                f"select count(*), bit_xor(hash({chosen})) from {table}"
            ).fetchone()
            assert row is not None
            if row[0]:
                found[table] = row
    return found


def assert_whole(home: Path, expected: dict[str, tuple[Any, ...]]) -> None:
    """Nothing lost, nothing twice, and every table as in a home where nothing was killed."""
    values = settings_of(home)
    assert_conserved(Lake.from_settings(values), values.landing)
    found = fingerprint(home)
    assert {name: found[name] for name in found if found[name] != expected[name]} == {}
    assert found.keys() == expected.keys()


def write_history(home: Path, seed: int, first: int, events: int, name: str) -> None:
    """Land a small shop: events, orders with lines, profiles, messages; some bad, some twice."""
    chance = random.Random(seed)
    rows: dict[str, list[dict[str, Any]]] = {"events": [], "orders": [], "order_lines": []}
    people = max(events // 20, 5)
    for number in range(first, first + events):
        at = START + timedelta(minutes=10 * number / events * 60, seconds=chance.randrange(40_000))
        person = chance.randrange(people)
        known = chance.random() < 0.6
        rows["events"].append(
            {
                "event_id": f"e{number if chance.random() > 0.02 else max(number - 1, 0)}",
                "occurred_at": at.isoformat() if chance.random() > 0.01 else "never",
                "event_type": chance.choice(["page_view", "product_view", "login", "add_to_cart"]),
                "anonymous_ref": f"device {person}",
                "customer_ref": f"customer {person}" if known else None,
            }
        )
        if number % 10 == 0:
            order = {
                "order_ref": f"o{number}",
                "ordered_at": at.isoformat(),
                "customer_ref": f"customer {person}",
            }
            rows["orders"].append({**order, "status": "completed"})
            for line in range(1 + number % 3):
                rows["order_lines"].append(
                    {
                        "order_ref": f"o{number}",
                        "line_number": line,
                        "product_ref": f"p{chance.randrange(20)}",
                        "quantity": 1 + line,
                        "unit_price": chance.randrange(1, 100) / 4,
                    }
                )
    for entity, written in rows.items():
        folder = home / "landing" / entity / HOUR
        folder.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(row) + "\n" for row in written)
        (folder / f"{name}.jsonl").write_text(lines)


def write_export(path: Path, seed: int, lines: int) -> None:
    """A shop's export of invoice lines, as the mapping online_retail reads it."""
    chance = random.Random(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(EXPORT_COLUMNS)
        for number in range(lines):
            invoice = number // 5
            code, units = 10_000 + chance.randrange(500), chance.randrange(1, 9)
            at = (START + timedelta(minutes=invoice)).isoformat(sep=" ")
            price, customer = chance.randrange(1, 900) / 100, 12_000 + invoice % 300
            row = (500_000 + invoice, code, "a thing", units, at, price, customer, "Norway")
            writer.writerow(row)


def make(server: ForkServer, work: str, home: Path) -> None:
    """Let a process make a home."""
    home.mkdir(parents=True, exist_ok=True)
    server.spawn(work).wait()
