"""The purchase models: within the horizon of the customers' rhythm, 7 days and 30 days."""

from ml.propensity import PURCHASE, PURCHASE_7D, PURCHASE_30D
from orchestration.model_asset import model_asset

purchase_model = model_asset(PURCHASE)
purchase_7d_model = model_asset(PURCHASE_7D)
purchase_30d_model = model_asset(PURCHASE_30D)
