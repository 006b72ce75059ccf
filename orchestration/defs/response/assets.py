"""The response model, and what it says of a message sent now."""

from ml.response import RESPONSE
from orchestration.event_score_tables import RESPONSE_SCORES
from orchestration.model_asset import model_asset
from orchestration.score_asset import score_asset

response_model = model_asset(RESPONSE, ("message_feature_history", "message_customer_history"))

response_scores = score_asset(
    RESPONSE_SCORES,
    beneath=(("marts", "message_features"), ("marts", "customer_features"), ("marts", "customers")),
    description=(
        "One row per customer who may be written to and channel: the chance of a reaction now."
    ),
)
