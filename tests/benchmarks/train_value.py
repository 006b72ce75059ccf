"""Train the value model of this deployment as its asset does, and say on how many rows."""

import json
import logging

from ml.tasks import TASKS
from orchestration.lake import Lake
from orchestration.settings import settings
from orchestration.training import train_task

if __name__ == "__main__":
    trained, _ = train_task(
        TASKS["value"], Lake.from_settings(settings()), logging.getLogger("benchmark")
    )
    assert trained is not None
    print(json.dumps({"rows": trained.rows, "rounds": trained.rounds}))
