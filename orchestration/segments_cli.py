"""``shoal segments``: who is in which rule segment; check rules before they run."""

import duckdb
import typer
from rich.console import Console

from orchestration.lake import Lake, LakeNotFound
from orchestration.settings import settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command()
def rules() -> None:
    """List the rules: members, who entered and left within a day, or why one is disabled."""
    from orchestration.rules.report import print_report, read_report

    console = Console(highlight=False, soft_wrap=True)
    try:
        with Lake.from_settings().reader() as connection:
            report = read_report(connection)
    except (LakeNotFound, duckdb.CatalogException) as problem:
        _fail(f"no rule has been evaluated yet: {problem}")
        return
    if not report:
        console.print(f"no rules: add a file to {settings().segments}", markup=False)
        return
    print_report(console, report)


@app.command()
def check() -> None:
    """Check every rule against the tables that there are, without running any; exit 1 if wrong."""
    from orchestration.rules.loading import RuleError, load_rules
    from orchestration.rules.report import unseen_types
    from orchestration.rules.tables import read_catalog

    try:
        with Lake.from_settings().reader(latest=True) as connection:
            book = load_rules(settings().segments, read_catalog(connection))
            notes = unseen_types(connection, book.rules.values())
    except (LakeNotFound, RuleError, duckdb.CatalogException) as problem:
        _fail(str(problem))
        return
    for rule in book.rules.values():
        typer.echo(f"{rule.file}: {rule.title}")
    for note in notes:
        typer.echo(f"note: {note}")
    for error in book.errors.values():
        Console(stderr=True).print(
            error, style="red", markup=False, highlight=False, soft_wrap=True
        )
    typer.echo(f"{len(book.rules)} valid, {len(book.errors)} with errors")
    if book.errors:
        raise typer.Exit(1)


def _fail(message: str) -> None:
    Console(stderr=True).print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)
