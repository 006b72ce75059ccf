"""Maths of customer analytics: pure functions and small estimators over frames."""
