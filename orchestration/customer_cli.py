"""``shoal customer``: one customer's page of facts."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as TerminalTable
from rich.text import Text as Words

from orchestration.customer_facts import CustomerFacts, customer_of, read_facts
from orchestration.documents import Block, Bullets, Heading, Picture, Table, Text, to_html
from orchestration.identity import UnknownRef
from orchestration.lake import Lake, LakeNotFound
from orchestration.settings import Settings, settings


def customer(
    ref: Annotated[str, typer.Argument(help="A customer ref as its source writes it, or a key.")],
    html: Annotated[Path | None, typer.Option(help="Write the page to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
    latest: Annotated[
        bool, typer.Option(help="See the live edge, where a batch may be half done.")
    ] = False,
) -> None:
    """Show what is known of one customer: segment, scores with reasons, last steps; nothing raw."""
    values = settings()
    try:
        with Lake.from_settings(values).reader(latest=latest) as connection:
            key = customer_of(connection, ref, values.pseudonym_key())
            facts = read_facts(connection, key)
    except (LakeNotFound, UnknownRef) as problem:
        Console(stderr=True).print(
            str(problem), style="red", markup=False, highlight=False, soft_wrap=True
        )
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(asdict(facts), default=str, indent=1, ensure_ascii=False))
        return
    blocks = page_of(facts, values)
    if html is None:
        print_page(Console(highlight=False), blocks)
        return
    from orchestration.pictures import save_text

    save_text(html, to_html(f"Customer {key}", blocks))
    typer.echo(f"{html}: personal data, keep it where only those may read it who need to")


def page_of(facts: CustomerFacts, values: Settings) -> list[Block]:
    """The page of a customer, with the horizons of the models in force."""
    from ml.tasks import TASKS
    from orchestration.champions import answering, load_champions
    from orchestration.customer_page import customer_page
    from orchestration.phrases import feature_phrases
    from orchestration.registry import Registry

    champions = {} if facts.withheld else load_champions(Registry(values))
    answered = {
        name: champions.get(name) or answering(task, champions) for name, task in TASKS.items()
    }
    horizons = {name: c.model.horizon_days for name, c in answered.items() if c is not None}
    return customer_page(facts, feature_phrases(), horizons)


def print_page(console: Console, blocks: Sequence[Block]) -> None:
    """Print blocks for people at a terminal; nothing in them is taken for markup."""
    for block in blocks:
        match block:
            case Heading(text, 1):
                console.rule(Words(text, style="bold"))
            case Heading(text):
                console.print(Words(f"\n{text}", style="bold"))
            case Text(text):
                console.print(Words(text))
            case Bullets(points):
                for point in points:
                    console.print(Words(f"- {point}"))
            case Table(columns, rows):
                table = TerminalTable(box=SIMPLE_HEAD, show_header=any(columns))
                for name in columns:
                    table.add_column(Words(name))
                for row in rows:
                    table.add_row(*(Words(cell) for cell in row))
                console.print(table)
            case Picture():
                console.print(Words(f"[{block.label}]"))
