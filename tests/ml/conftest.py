"""One small market and one churn model, shared by all tests of ml."""

from __future__ import annotations

import pandas as pd
import pytest
from known_market import HORIZON, market

from ml.churn import CHURN
from ml.classifier import train
from ml.trained import TrainedModel


@pytest.fixture(scope="session")
def frame() -> pd.DataFrame:
    return market()


@pytest.fixture(scope="session")
def trained(frame: pd.DataFrame) -> TrainedModel:
    return train(frame, CHURN, horizon_days=HORIZON)
