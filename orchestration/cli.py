"""The ``shoal`` command: look into the lake, land files, see how things stand."""

import os
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import duckdb
import typer
import typer.core
from rich.console import Console

from orchestration.alerts_cli import app as alerts_app
from orchestration.backup_cli import backup, restore
from orchestration.customer_cli import customer
from orchestration.identity_cli import app as identity_app
from orchestration.lake import Lake, LakeDamaged, LakeNotFound
from orchestration.models_cli import app as models_app
from orchestration.segments_cli import app as segments_app
from orchestration.settings import settings

errors = Console(stderr=True)


class Commands(typer.core.TyperGroup):
    """All commands; a damaged lake is told the same way by whichever meets it."""

    def invoke(self, *arguments: Any, **named: Any) -> Any:
        try:
            return super().invoke(*arguments, **named)
        except LakeDamaged as problem:
            fail(str(problem))


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=__doc__,
)
app.add_typer(alerts_app, name="alerts")
app.add_typer(identity_app, name="identity")
app.add_typer(models_app, name="models")
app.command("customer")(customer)
app.add_typer(segments_app, name="segments")
app.command("backup")(backup)
app.command("restore")(restore)

DataSet = Annotated[
    str, typer.Option(help="simulated, complete-journey, online-retail, or a mapping.")
]
DataFolder = Annotated[
    Path | None, typer.Option(help="Folder with files of your own, for that mapping.")
]
MarketCustomers = Annotated[int, typer.Option(help="Customers of the simulated market.")]
MarketEvents = Annotated[int, typer.Option(help="Events of the simulated market.")]


class Format(StrEnum):
    """How a query's result is printed."""

    table = "table"
    csv = "csv"
    json = "json"


def fail(message: str) -> NoReturn:
    """Print what went wrong and end with exit code 1."""
    errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SQL statement, in DuckDB's dialect.")],
    output: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.table,
    latest: Annotated[
        bool, typer.Option(help="See the live edge, where a batch may be half done.")
    ] = False,
    rows: Annotated[int, typer.Option(help="Rows that a table shows.")] = 100,
) -> None:
    """Run a query on the lake as of the last published batch; writes are refused."""
    from orchestration.query import print_result

    try:
        with Lake.from_settings().reader(latest=latest) as connection:
            print_result(connection, query, str(output), rows)
    except (LakeNotFound, duckdb.Error) as problem:
        fail(str(problem))


@app.command()
def land(
    mapping: Annotated[str, typer.Argument(help="Name of a mapping in sources/, or its path.")],
    files: Annotated[list[Path], typer.Argument(help="Files of the source, or a folder.")],
) -> None:
    """Turn a source's files into canonical landing files, by its mapping."""
    from orchestration.ingestion.land import LandError, land_source
    from orchestration.ingestion.mappings import MappingError

    values = settings()
    try:
        report = land_source(mapping, files, values.sources, values.landing, datetime.now(UTC))
    except (LandError, MappingError) as problem:
        fail(str(problem))
        return
    for line in report.lines():
        typer.echo(line)


@app.command()
def replay(
    file: Annotated[str, typer.Argument(help="The file as ops.landed_files names it.")],
) -> None:
    """Forget what is known of a file, so that the next run takes it again after a fix."""
    from orchestration.ingestion.ledger import forget_file

    with Lake.from_settings().writer(f"replay {file}") as connection:
        if not forget_file(connection, file):
            fail(f"no file {file!r} in ops.landed_files: see `shoal sql 'from ops.landed_files'`")
    typer.echo(f"{file}: will be taken again; rows accepted before count as duplicates")


@app.command()
def status(
    check: Annotated[
        bool, typer.Option("--check", help="End with 1 when degraded, with 2 when failing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
) -> None:
    """Say what is landed, waiting, published and failing, and whether that is well."""
    import json

    from orchestration.health_facts import health
    from orchestration.status import print_status

    lake = Lake.from_settings()
    found = health(lake, settings(), datetime.now(UTC))
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=1))
    else:
        print_status(lake, settings(), found)
    if check:
        raise typer.Exit(found.exit_code)


@app.command("health")
def serve_health(
    port: Annotated[int | None, typer.Option(help="Port; SHOAL_HEALTH_PORT by default.")] = None,
) -> None:
    """Answer GET /health with the verdict of `shoal status`: 200, or 503 when failing."""
    from orchestration.health_server import health_server

    values = settings()
    if port is not None:
        values = values.model_copy(update={"health_port": port})
    try:
        server = health_server(Lake.from_settings(values), values)
    except OSError as problem:
        fail(f"{values.health_host}:{values.health_port}: {problem}")
    with server:
        typer.echo(f"http://{values.health_host}:{server.server_address[1]}/health")
        server.serve_forever()


@app.command()
def setup() -> None:
    """Prepare everything that is written at run time: folders, Dagster's home, dbt's manifest."""
    from orchestration.setup_home import prepare

    prepare(settings())


@app.command()
def dev(port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000) -> None:
    """Start the Dagster UI and daemon, with sensors on."""
    from orchestration.setup_home import start_dagster

    start_dagster(settings(), port)


@app.command()
def collect() -> None:
    """Take events over HTTP, from Segment libraries or as plain JSON, into landing."""
    # in place of this process, which has loaded far more than a collector needs
    os.execv(sys.executable, [sys.executable, "-m", "collector"])


@app.command()
def demo(
    dataset: DataSet = "simulated",
    data: DataFolder = None,
    customers: MarketCustomers = 20_000,
    events: MarketEvents = 1_000_000,
) -> None:
    """Land a data set, run the main job on it and print what came out."""
    from orchestration.demo import DemoFailed, run_demo

    try:
        run_demo(settings(), dataset, data, customers=customers, events=events)
    except DemoFailed as problem:
        fail(str(problem))


@app.command()
def evaluate(
    dataset: DataSet = "simulated",
    data: DataFolder = None,
    customers: MarketCustomers = 20_000,
    events: MarketEvents = 1_000_000,
) -> None:
    """Judge the models at several past instants and write a page; runs the demo first if needed."""
    from orchestration.demo import DemoFailed
    from orchestration.evaluation_report import run_evaluation
    from orchestration.setup_home import prepare

    prepare(settings())
    try:
        run_evaluation(settings(), dataset, data, customers=customers, events=events)
    except DemoFailed as problem:
        fail(str(problem))


if __name__ == "__main__":
    sys.exit(app())
