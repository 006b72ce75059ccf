"""The churn model."""

from ml.churn import CHURN
from orchestration.model_asset import model_asset

churn_model = model_asset(CHURN)
