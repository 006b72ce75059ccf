"""A seeded market with known truth: canonical files to feed the pipeline and to judge it by."""

from simulation.config import MarketConfig
from simulation.follow import follow
from simulation.live import LiveFeed
from simulation.market import MarketSummary, simulate

__all__ = ["LiveFeed", "MarketConfig", "MarketSummary", "follow", "simulate"]
