"""``make bench``: measure, print a table, write ``$SHOAL_HOME/bench/results.json``."""

import signal
import sys
from typing import Annotated

import typer
from rich.console import Console

from tests.benchmarks import (
    definitions_load,
    drops,
    growth,
    live,
    main_job,
    models,
    push_entry,
    queries,
    race,
    segments,
)
from tests.benchmarks.figures import Figure, load, print_table, write
from tests.benchmarks.home import BenchFailed, BenchHome


def bench(
    customers: Annotated[int, typer.Option(help="Customers of the simulated market.")] = 20_000,
    events: Annotated[int, typer.Option(help="Events of the simulated market.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="Runs of main job and bare script, in turn.")] = 2,
    drop_count: Annotated[int, typer.Option("--drops", help="Files to drop; 0: none.")] = 20,
    threads: Annotated[
        int | None, typer.Option(help="Threads of every contestant; default: the deployment's.")
    ] = None,
    history: Annotated[
        int, typer.Option(help="Events of the long history of the growth benchmark; 0: none.")
    ] = 10_000_000,
    model_customers: Annotated[
        int, typer.Option(help="Customers of the history that a model is trained on; 0: none.")
    ] = 200_000,
    segment_customers: Annotated[
        int, typer.Option(help="Customers that are segmented by 20 features; 0: none.")
    ] = 1_000_000,
    skip_definitions: Annotated[bool, typer.Option(help="Leave out the definitions.")] = False,
    skip_race: Annotated[
        bool, typer.Option(help="Keep the lake of the last benchmark; no main job, no bare script.")
    ] = False,
    skip_queries: Annotated[bool, typer.Option(help="Leave out the queries.")] = False,
    live_drops: Annotated[
        int, typer.Option(help="Files to drop before the live worker, one by one; 0: none.")
    ] = 100,
    live_rate: Annotated[
        int, typer.Option(help="Events a second of the stream to the live worker; 0: none.")
    ] = 5_000,
    live_minutes: Annotated[float, typer.Option(help="How long the stream lasts.")] = 10,
    collector_rate: Annotated[
        float, typer.Option(help="Requests a second to the collector; 0: none.")
    ] = push_entry.RATE,
) -> None:
    """Measure main job, bare script, queries, models and file drops, in a home of its own."""
    console = Console(highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    figures = [Figure("machine.load_before", load(), "processes")]
    try:
        home = BenchHome.of_deployment(threads)
        with home.alone():
            if not skip_race:
                home.clear()
                console.print(f"… simulating {customers:,} customers, {events:,} events")
                usage = main_job.simulate_market(home, customers, events)
                figures.append(Figure("simulation.total", usage.seconds, "s"))
            elif not home.deployment.exists():
                raise BenchFailed(f"--skip-race: no earlier benchmark left a lake in {home.root}")
            if not skip_definitions:
                console.print("… loading the definitions")
                figures += definitions_load.measure(home)
            if not skip_race:
                console.print("… main job and bare script, in turn")
                figures += race.measure(home, rounds, console)
            if not skip_queries:
                console.print("… queries")
                figures += queries.measure(home)
            if model_customers:
                console.print(f"… models: {models.DATES} dates of {model_customers:,} customers")
                figures += models.measure(home, model_customers)
            if segment_customers:
                console.print(f"… segments of {segment_customers:,} customers")
                figures += segments.measure(home, segment_customers)
            if drop_count:
                console.print(f"… dropping {drop_count} files under a running daemon")
                figures += drops.measure(home, drop_count, customers, events, console)
            if live_drops or live_rate:
                console.print(f"… the live worker: {live_drops} drops, {live_rate:,} events/s")
                figures += live.measure(
                    home, live_drops, live_rate, live_minutes, customers, events, console
                )
            if collector_rate:
                console.print(f"… the collector at {collector_rate:,.0f} requests a second")
                figures += push_entry.measure(home, collector_rate)
            if history:
                console.print("… the same batch on a short and on a long history")
                figures += growth.measure(home, (history // 10, history), console)
            results = home.root / "results.json"
            write(figures, results)
    except BenchFailed as problem:
        Console(stderr=True).print(str(problem), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    finally:
        print_table(figures, console)
    console.print(f"results in {results}")


if __name__ == "__main__":
    typer.run(bench)
