"""``shoal identity``: see why refs are one customer, and decide otherwise."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import duckdb
import typer
from rich.console import Console
from rich.table import Table

from orchestration.identity import (
    Explanation,
    UnknownRef,
    decide,
    explain,
    ref_key_of,
)
from orchestration.lake import Lake, LakeNotFound
from orchestration.settings import settings

app = typer.Typer(no_args_is_help=True, help=__doc__)

Refs = Annotated[list[str], typer.Argument(help="Customer refs as their source writes them.")]
Reason = Annotated[str, typer.Option(help="Why, for whoever asks later.")]


@app.command("explain")
def explain_ref(
    ref: Annotated[str, typer.Argument(help="A customer ref as its source writes it, or its key.")],
) -> None:
    """Show the customer behind a ref, and the evidence that led there."""
    with _refusals(), Lake.from_settings().reader() as connection:
        key = ref_key_of(connection, ref, settings().pseudonym_key())
        print_explanation(Console(highlight=False), explain(connection, key))


@app.command()
def split(refs: Refs, reason: Reason) -> None:
    """Make these refs one customer apart from all others, whatever evidence comes later."""
    _decide(refs, reason, apart=True)


@app.command()
def restore(refs: Refs, reason: Reason) -> None:
    """Take decisions on these refs back: evidence decides again."""
    _decide(refs, reason, apart=False)


def print_explanation(console: Console, found: Explanation) -> None:
    """Print what `explain` found, for people."""
    names = {row["ref_key"]: row["customer_ref"] or row["ref_key"] for row in found.refs}
    console.print(f"customer {found.customer_key}, {len(found.refs)} refs", style="bold")
    refs = Table("ref", "key", "known since")
    for row in found.refs:
        refs.add_row(row["customer_ref"] or "(no profile)", row["ref_key"], _when(row["linked_at"]))
    console.print(refs)
    if found.path:
        console.print("evidence path to the oldest ref:", style="bold")
        for step in found.path:
            console.print(
                f"  {names[step.ref_key]} and {names[step.other_key]}: "
                f"same {step.kind} {step.evidence_key}",
                markup=False,
            )
    elif found.ref_key != found.customer_key:
        console.print("  joined by a decision", markup=False)
    identifiers = Table("identifier", "key", "since", "theirs alone")
    for row in found.identifiers:
        identifiers.add_row(
            row["kind"],
            row["identifier_key"],
            _when(row["linked_at"]),
            _theirs(row),
        )
    console.print(identifiers)
    for cut in found.cuts:
        console.print(
            f"not counted: {cut['kind']} {cut['identifier_key']}: {cut['reason']}", markup=False
        )
    for row in found.decisions:
        what = "apart from all others" if row["group_key"] else "evidence decides"
        console.print(
            f"decided {_when(row['decided_at'])} by {row['decided_by']}: "
            f"{names[row['ref_key']]}: {what} ({row['reason']})",
            markup=False,
        )
    for row in found.log:
        console.print(
            f"batch {row['batch_id']}: {row['change']} of {names[row['identifier_key']]} "
            f"from {row['from_customer_key']} to {row['to_customer_key']}"
            + (f" by {row['evidence_kind']}" if row["evidence_kind"] else ""),
            markup=False,
        )


def _decide(refs: list[str], reason: str, *, apart: bool) -> None:
    lake, values = Lake.from_settings(), settings()
    with _refusals():
        with lake.reader(latest=True) as connection:
            keys = [ref_key_of(connection, ref, values.pseudonym_key()) for ref in refs]
        with lake.writer("decide on identity") as connection:
            batch_id = decide(
                connection,
                sorted(set(keys)),
                apart=apart,
                decided_by=getpass.getuser(),
                reason=reason,
                run_id="shoal identity",
                now=datetime.now(UTC).replace(tzinfo=None),
            )
    typer.echo(f"recorded as batch {batch_id}: the landing sensor's next run carries it through")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (LakeNotFound, UnknownRef, duckdb.Error) as problem:
        Console(stderr=True).print(
            str(problem), style="red", markup=False, highlight=False, soft_wrap=True
        )
        raise typer.Exit(1) from None


def _theirs(identifier: dict[str, Any]) -> str:
    if not identifier["is_owner"]:
        return "no"
    until = identifier["owned_until"]
    return "yes" if until is None else f"until {_when(until)}"


def _when(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M}"
