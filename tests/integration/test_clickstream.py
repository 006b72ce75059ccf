"""A source of clicks alone, from its first file to its scores."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from orchestration.registry import Registry
from tests.integration.deployment import SHOAL, Deployment

START = datetime(2026, 1, 1)
DAYS = 150


def clicks(visitors: int = 400, seed: int = 0) -> list[dict[str, object]]:
    """Visitors with a rhythm of their own, who leave for good at some time."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for visitor in range(visitors):
        gap, leaves = rng.uniform(1, 6), rng.exponential(120)
        day = rng.uniform(0, 20)
        while day < min(leaves, DAYS):
            rows.append(
                {
                    "event_id": f"{visitor}-{len(rows)}",
                    "occurred_at": (START + timedelta(days=day)).isoformat() + "Z",
                    "event_type": str(rng.choice(["page_view", "product_view", "search"])),
                    "customer_ref": f"v{visitor}",
                }
            )
            day += rng.exponential(gap)
    return rows


@pytest.mark.slow
def test_clicks_alone_go_through_the_main_job(tmp_path: Path) -> None:
    """Everything of orders is skipped in words, and inactivity is trained and scored."""
    deployment = Deployment(tmp_path / "home")
    deployment.run(str(SHOAL), "setup")
    rows = clicks()
    deployment.drop("clicks.jsonl", rows)
    deployment.job("main_job")
    assert dict(
        deployment.query("select task, is_expected from ops.skipped_tasks")
    ) == dict.fromkeys(("churn", "purchase", "value", "purchase_7d", "purchase_30d"), True)
    ((everyone, silent, others),) = deployment.query(
        "select count(*), count(inactivity_probability), "
        "count(coalesce(churn_probability, purchase_probability, expected_value)) "
        "from marts.customer_scores"
    )
    assert everyone == len({row["customer_ref"] for row in rows})
    assert isinstance(silent, int)
    assert silent > 100
    assert others == 0
    model = Registry(deployment.values).champion("inactivity")
    assert model is not None
