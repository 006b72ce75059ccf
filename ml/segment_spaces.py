"""The named spaces: what customers are worth and when they came, or what their habits are."""

from __future__ import annotations

from dataclasses import replace

from ml.segment_columns import SpaceColumn, SpaceSpec

HABITS_LEAST_ORDERS = 3
DESCRIBED = (
    SpaceColumn("discount_share", "share", evidence="orders_total", role="discount"),
    SpaceColumn("store_order_share", "share", evidence="orders_total", role="store"),
    SpaceColumn(
        "app_event_share_90d", "share", evidence="events_90d", evidence_per=4.0, role="app"
    ),
    SpaceColumn("average_order_value", fill="median", role="basket"),
    SpaceColumn("lines_per_order", evidence="orders_total", unit=1.0, role="breadth"),
    SpaceColumn("product_variety", "plain", fill="median", role="variety"),
    SpaceColumn("message_open_rate_90d", "share", evidence="messages_90d", role="reading"),
    SpaceColumn("return_rate", "share", evidence="orders_total", role="returning"),
    SpaceColumn("rating_mean", "plain", fill="median", role="sentiment"),
)
"""What names and profiles tell of a segment, where the table has it."""


def rfm_space(
    recency: str = "days_since_last_order",
    frequency: str = "order_days_total",
    monetary: str = "revenue_total",
) -> SpaceSpec:
    """Recency (days), frequency (orders or order days) and money count, the rest describes."""
    return SpaceSpec(
        name="rfm",
        columns=(
            SpaceColumn(recency, unit=1.0, fill=None, role="recency"),
            SpaceColumn(frequency, unit=1.0, role="frequency"),
            SpaceColumn(monetary, role="value"),
            *(replace(column, weight=0.0) for column in DESCRIBED),
        ),
        orders=frequency,
    )


def habits_space() -> SpaceSpec:
    """How customers buy, however much: discounts, channels, baskets; the rest describes.

    Measured on the simulated market: volume and rates hide its personas, and with fewer orders
    than `HABITS_LEAST_ORDERS` even a model that is told the truth cannot tell them apart.
    """
    habits = ("discount", "store", "app", "basket", "breadth")
    rfm = rfm_space()
    counting = {
        *(column for column in DESCRIBED if column.role in habits),
        SpaceColumn(
            "discounted_order_share_365d", "share", evidence="orders_total", role="discounted"
        ),
        SpaceColumn("average_order_value", fill="median", per="lines_per_order", role="price"),
    }
    described = {
        replace(c, weight=0.0, fill=c.fill or "median") for c in rfm.columns if c.role not in habits
    }
    return SpaceSpec(
        name="habits",
        columns=(*counting, *described),
        orders="order_days_total",
        least_orders=HABITS_LEAST_ORDERS,
        apart_name="too few orders to tell",
        scaling="standard",
    )


RFM, HABITS = rfm_space(), habits_space()
SPACES = {spec.name: spec for spec in (RFM, HABITS)}
