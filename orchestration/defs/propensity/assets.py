"""The purchase model."""

from ml.propensity import PURCHASE
from orchestration.model_asset import model_asset

purchase_model = model_asset(PURCHASE)
