"""The model of high intent, and what it says of the sessions that are open now."""

from ml.intent import INTENT
from orchestration.event_score_tables import SESSION_INTENT
from orchestration.model_asset import model_asset
from orchestration.score_asset import score_asset

intent_model = model_asset(INTENT, ("session_feature_history",))

session_intent = score_asset(
    SESSION_INTENT,
    beneath=(
        ("marts", "session_features"),
        ("marts", "open_sessions"),
        ("intermediate", "int_sessions"),
        ("intermediate", "int_touched_visitors"),
        ("intermediate", "int_customer_days"),
    ),
    description=(
        "One row per session that is open at the clock: the chance that an order follows in it."
    ),
)
