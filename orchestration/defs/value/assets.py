"""The value model."""

from ml.value import VALUE
from orchestration.model_asset import model_asset

value_model = model_asset(VALUE)
