"""The named spaces: recency, frequency and money alone, or how customers behave."""

from __future__ import annotations

from dataclasses import replace

from ml.segment_space import SpaceColumn, SpaceSpec


def rfm_space(
    recency: str = "days_since_last_order",
    frequency: str = "order_days_total",
    monetary: str = "revenue_total",
) -> SpaceSpec:
    """Recency (days), frequency (orders or order days) and money; no order: held apart."""
    return SpaceSpec(
        name="rfm",
        columns=(
            SpaceColumn(recency, unit=1.0, fill=None, role="recency"),
            SpaceColumn(frequency, unit=1.0, role="frequency"),
            SpaceColumn(monetary, role="value"),
        ),
        buyers=frequency,
    )


RFM = rfm_space()
BEHAVIOUR = replace(
    RFM,
    name="behaviour",
    columns=(
        *RFM.columns,
        SpaceColumn("average_order_value", fill="median", role="basket"),
        SpaceColumn("lines_per_order", fill="median", unit=1.0, role="breadth"),
        SpaceColumn("product_variety", log=False, fill="median", role="variety"),
        SpaceColumn("discount_share", log=False, role="discount"),
        SpaceColumn("store_order_share", log=False, role="store"),
        SpaceColumn("app_event_share_90d", log=False, role="app"),
        SpaceColumn("active_days_90d", unit=1.0, per="order_days_90d", role="browsing"),
        SpaceColumn("message_open_rate_90d", log=False, fill="median", role="reading"),
        SpaceColumn("return_rate", log=False, role="returning"),
        SpaceColumn("rating_mean", log=False, fill="median", role="sentiment"),
    ),
)
SPACES = {spec.name: spec for spec in (RFM, BEHAVIOUR)}
