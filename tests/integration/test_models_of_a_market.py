"""Models and segments against the hidden truth of a simulated market."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.backtest import Backtest, backtest
from ml.intervals import rank_auc
from ml.tasks import TASKS
from orchestration.ingestion.pseudonyms import keyed_hash
from orchestration.lake import Lake
from orchestration.training_frame import read_training_frame
from tests.benchmarks.segment_personas import measure, read_personas
from tests.integration.deployment import SHOAL, Deployment

pytestmark = pytest.mark.slow
AUC_GAP = 0.035
"""The aim is 0.02; measured 0.025 with 5,000 people and 0.029 with 20,000. See docs/figures.md."""
OFTEN_BUYING = ("bargain hunter", "devoted", "family planner", "store regular")
POOLED_VALUE_GAP = 0.10
"""The aim of 0.05 is held on the newest origin; older ones have few dates to learn from."""
HAZARDS = """
with profiles as (
    select person_id, hazard_from, weekly_hazard, unnest(customer_refs) as customer_ref
    from read_parquet('{folder}/customers_truth/*.parquet')
)

select distinct on (identities.customer_key)
    identities.customer_key,
    profiles.hazard_from,
    profiles.weekly_hazard
from profiles
inner join intermediate.identity_map as identities
    on {key} = identities.identifier_key
where identities.identifier_kind = 'customer' and identities.customer_key is not null
order by identities.customer_key, profiles.person_id
"""


@dataclass(frozen=True)
class KnownMarket:
    """A lake of a simulated market, with hazard of leaving and persona of every customer."""

    lake: Lake
    hazards: pd.DataFrame
    personas: pd.DataFrame

    @classmethod
    def read(cls, deployment: Deployment) -> "KnownMarket":
        values = deployment.values
        query = HAZARDS.format(
            folder=values.root / "truth", key=keyed_hash("customer_key", "customer_ref")
        )
        lake = Lake.from_settings(values)
        with lake.reader() as connection:
            hazards = connection.execute(query, {"pseudonym_key": values.pseudonym_key()}).df()
        personas = read_personas(lake, values.root / "truth", values.pseudonym_key())
        return cls(lake, hazards, personas)

    def judged(self, task: str) -> Backtest:
        frame, horizon_days, _ = read_training_frame(self.lake, task)
        assert horizon_days is not None
        return backtest(frame, TASKS[task], horizon_days=horizon_days, num_threads=1, seed=7)

    def hazard_auc(self, predictions: pd.DataFrame) -> float:
        """AUC on the labels of the true hazard in the week of the origin.

        What anyone could know at the origin who saw the customer's mind: not the path that the
        hazard takes afterwards, and not the purchases that fail to come although nobody left.
        """
        rows = predictions.merge(self.hazards, on="customer_key")
        assert len(rows) == len(predictions)
        weeks = ((rows["origin"] - rows["hazard_from"]).dt.days // 7).to_numpy()
        hazard = np.stack(rows["weekly_hazard"].to_list())[np.arange(len(rows)), weeks]
        return rank_auc(rows["label"].to_numpy(), hazard)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> KnownMarket:
    home: Path = tmp_path_factory.mktemp("market") / "home"
    deployment = Deployment(home)
    deployment.run(str(SHOAL), "demo", "--customers", "5000", "--events", "250000")
    return KnownMarket.read(deployment)


def pooled(found: Backtest, metric: str) -> float:
    row = found.pooled.query("model == 'model' and metric == @metric")
    return float(row["value"].item())


def test_churn_is_foreseen_nearly_as_well_as_the_hazard_allows(market: KnownMarket) -> None:
    found = market.judged("churn")
    reached = market.hazard_auc(found.predictions)
    assert reached > 0.75
    assert pooled(found, "roc_auc") > reached - AUC_GAP


def test_churn_probabilities_are_neither_too_bold_nor_too_timid(market: KnownMarket) -> None:
    assert 0.9 < pooled(market.judged("churn"), "calibration_slope") < 1.1


def test_expected_value_adds_up(market: KnownMarket) -> None:
    found = market.judged("value")
    newest = found.by_origin[found.by_origin["origin"] == found.origins[-1]]
    ratio = newest.query("model == 'model' and metric == 'aggregate_ratio'")["value"].item()
    assert abs(ratio - 1) < 0.05
    assert abs(pooled(found, "aggregate_ratio") - 1) < POOLED_VALUE_GAP


def test_habits_recover_the_personas_of_those_who_buy_often(market: KnownMarket) -> None:
    found = measure(market.personas).set_index(["order_days", "by"])
    told, mixture = "a classifier told the personas", "mixture, 4 groups"
    assert found["rand_index"][5, mixture] > 0.6
    # on few customers the classifier is no strict bound: it learns from two thirds of them
    assert found["rand_index"][5, mixture] < found["rand_index"][5, told] + 0.05
    assert all(found["f1"][5, mixture][persona] > 0.7 for persona in OFTEN_BUYING)
