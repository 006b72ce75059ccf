"""Response on real households: the reference's protocol on Shoal's own tables and models.

Reference (a notebook's logistic regression, the best of its rows): AUC .843, average precision .565
on 1,877 messages of campaigns that started after August and ended in 2017, learnt from those that
started from February to August. Like it, the labels of the last training campaigns run into the
first weeks of the test; periods with a gap, as the product keeps them, learn from less.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import pandas as pd
import pytest

from ml.classifier import train
from ml.response import RESPONSE
from orchestration.event_frames import TABLES
from orchestration.ingestion.ingest import ingest_batch
from orchestration.ingestion.land import land_source
from orchestration.ingestion.landing import scan
from orchestration.ingestion.packaged import PackageMissing, complete_journey_files
from orchestration.settings import PROJECT_ROOT
from tests.dbt.dbt_lake import DbtLake

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
TESTED = ("14", "16", "17", "18", "19")
AUC, AVERAGE_PRECISION = 0.843, 0.565


@pytest.fixture(scope="module")
def messages(
    new_lake: Callable[[], DbtLake], tmp_path_factory: pytest.TempPathFactory
) -> pd.DataFrame:
    """Every message with its features, after the reference's roles."""
    try:
        files = complete_journey_files(tmp_path_factory.mktemp("packaged"))
    except PackageMissing as problem:
        pytest.skip(str(problem))
    lake = new_lake()
    landing = lake.settings.landing
    land_source("complete_journey", files, PROJECT_ROOT / "sources", landing, NOW)
    found, problems = scan(landing)
    assert problems == []
    with lake.lake.writer("test: ingest") as connection:
        ingest_batch(connection, found, "2024-06-01T12", "run", NOW, "test key")
    lake.set_clock(datetime(2018, 1, 1, 4), 1, 1)
    lake.dbt("run", "--select", "+message_customer_history")
    with lake.lake.reader(latest=True) as connection:
        rows = connection.execute(TABLES["response"].learnt_from.format(at="")).df()
    learnt = rows["sent_at"].between("2017-02-01", "2017-08-31")
    tested = rows["campaign_ref"].isin(TESTED)
    rows["label"] = rows["reaction_days"].notna().astype(float)
    rows["as_of"] = rows["sent_at"].dt.to_period("M").dt.start_time
    rows.loc[tested, "as_of"] = pd.Timestamp("2017-11-01")
    dropped = ["message_ref", "campaign_ref", "sent_at", "channel", "variant", "features_as_of"]
    return rows[learnt | tested].drop(columns=[*dropped, "reaction_days"])


@pytest.mark.slow
def test_response_is_as_good_as_the_reference(messages: pd.DataFrame) -> None:
    trained = train(messages, RESPONSE, horizon_days=60, seed=7, num_threads=1)
    figures = trained.metrics[trained.metrics["model"] == "model"].set_index("metric")
    assert len(trained.test_predictions) == 1_877
    assert trained.trained_on[-2] == "2017-08-01"
    assert figures.loc["roc_auc", "value"] > AUC - 0.003
    assert figures.loc["average_precision", "low"] < AVERAGE_PRECISION
    assert figures.loc["average_precision", "high"] > AVERAGE_PRECISION
    assert all(verdict.difference.verdict != "worse" for verdict in trained.verdicts)
