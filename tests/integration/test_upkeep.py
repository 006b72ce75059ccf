"""Upkeep of a whole home, by its job and commands; and a short soak."""

import json
import sys

import pytest

from orchestration.live.heartbeat import heartbeat_path
from tests.integration.deployment import SHOAL, Deployment


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_upkeep_of_a_whole_home_changes_no_table(demo: tuple[Deployment, str]) -> None:
    deployment, _ = demo
    before = deployment.fingerprints()
    run = "from orchestration.demo import run_job; run_job('maintenance_job')"
    deployment.run(sys.executable, "-c", run)
    assert deployment.fingerprints() == before
    heartbeat_path(deployment.values).unlink(missing_ok=True)  # of one whom another test killed
    found = json.loads(deployment.run(str(SHOAL), "status", "--check", "--json"))
    assert found["verdict"] == "healthy"
    assert {"ingest", "published", "tables", "scores", "maintenance"} <= found[
        "last_success"
    ].keys()
    assert found["unpublished"] == 0
    deployment.batch_job()  # a batch without files: the home goes on


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_a_model_trains_again_after_upkeep(demo: tuple[Deployment, str]) -> None:
    """The snapshot that a version learnt from outlives every age of the settings."""
    deployment, _ = demo
    upkeep = (
        "import dagster as dg; from datetime import UTC, datetime, timedelta;"
        "from orchestration.lake import Lake; from orchestration.maintenance import maintain;"
        "from orchestration.settings import settings;"
        "maintain(Lake.from_settings(), settings(), dg.DagsterInstance.ephemeral(),"
        "datetime.now(UTC) + timedelta(days=99))"
    )
    deployment.run(sys.executable, "-c", upkeep)
    said = deployment.run(str(SHOAL), "models", "retrain", "churn", "--version", "1")
    assert "identical" in said
