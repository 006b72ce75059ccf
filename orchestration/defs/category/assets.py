"""The model of category propensity, and what it says of each customer now."""

from ml.category import CATEGORY
from orchestration.event_score_tables import CATEGORY_SCORES
from orchestration.model_asset import model_asset
from orchestration.score_asset import score_asset

category_model = model_asset(CATEGORY, ("category_feature_history", "customer_feature_history"))

category_scores = score_asset(
    CATEGORY_SCORES,
    beneath=(("marts", "category_features"), ("marts", "customer_features")),
    description=(
        "One row per customer who bought lately and category: the chance of a purchase in 30 days."
    ),
)
