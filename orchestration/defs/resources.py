"""What assets share."""

import dagster as dg

from orchestration.lake import Lake


@dg.definitions
def resources() -> dg.Definitions:
    return dg.Definitions(
        resources={"lake": Lake.from_settings()},
        executor=dg.in_process_executor,
    )
