"""The live worker as a run: long, warm, and seen in the UI."""

import dagster as dg

from orchestration.defs.dbt.assets import dbt_tables
from orchestration.lake import Lake
from orchestration.settings import settings


@dg.op(
    description=(
        "Watches landing and carries every micro-batch through to published scores, within "
        "seconds; leaves when a successor is ready."
    )
)
def watch_landing(context: dg.OpExecutionContext, lake: Lake) -> str:
    """Work as the live worker, and report what every batch changed."""
    from orchestration.dbt_increment import batch_models
    from orchestration.live.batch import Carried
    from orchestration.live.events import caught_up, materializations
    from orchestration.live.worker import LiveWorker

    values = settings()
    names = set(batch_models())
    models = {key.path[-1]: key for key in dbt_tables.keys if key.path[-1] in names}

    def report(carried: Carried) -> None:
        for event in materializations(carried, models):
            context.log_event(event)

    def report_caught_up(batch_id: int, scored: dict[str, int]) -> None:
        for event in caught_up(batch_id, scored):
            context.log_event(event)

    ended = LiveWorker(
        lake.model_copy(update={"threads": values.live_threads}),
        values,
        context.run_id,
        report,
        report_caught_up,
        context.log.info,
    ).run()
    context.log.info(ended)
    return ended


@dg.job(
    name="live_rescoring",
    description=(
        "The live worker: one long run that scores what comes into landing within seconds. "
        "live_sensor keeps it alive; what it misses batch_job takes."
    ),
    tags={"dagster/max_retries": "0", "shoal/live": "worker"},
)
def live_rescoring() -> None:
    watch_landing()
