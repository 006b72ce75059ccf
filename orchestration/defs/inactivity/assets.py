"""The inactivity model."""

from ml.inactivity import INACTIVITY
from orchestration.model_asset import model_asset

inactivity_model = model_asset(INACTIVITY)
