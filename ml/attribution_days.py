"""From what a channel is credited with in all to what each day and campaign is credited with."""

from __future__ import annotations

import pandas as pd

MEASURES = ("conversions", "value")


def spread_over_days(credits: pd.DataFrame, touches: pd.DataFrame) -> pd.DataFrame:
    """Spread each channel's credit over days and campaigns as its linear credit lies.

    Models that judge channels by all journeys together say nothing about a single day. So a
    channel's total is what they say, and its days are those on which it was touched on the way to
    a conversion.

    Parameters
    ----------
    credits : DataFrame
        ``model``, ``channel``, ``conversions``, ``value``: as `ml.attribution.attribute` gives it.
    touches : DataFrame
        Linear credit: ``conversion_date``, ``channel``, ``campaign_ref``, ``conversions``,
        ``value``.

    Returns
    -------
    DataFrame
        ``model``, ``conversion_date``, ``channel``, ``campaign_ref``, ``conversions``, ``value``.
        Per model and channel the sums are those of ``credits``, to the last bits of a float.

    Raises
    ------
    ValueError
        A channel has credit, but no day on which it was touched.
    """
    totals = touches.groupby("channel")[list(MEASURES)].transform("sum")
    shares = touches.copy()
    for measure in MEASURES:
        # a channel whose orders are worth nothing has its days all the same
        by_value = touches[measure] / totals[measure].where(totals[measure] != 0)
        shares[measure] = by_value.fillna(touches["conversions"] / totals["conversions"])
    spread = credits.merge(shares, on="channel", suffixes=("", "_share"))
    lost = set(credits.loc[credits["conversions"] > 0, "channel"]) - set(spread["channel"])
    if lost:
        raise ValueError(f"credited, but touched on no day: {', '.join(sorted(lost))}")
    for measure in MEASURES:
        spread[measure] = spread[measure] * spread[f"{measure}_share"]
    return spread[
        ["model", "conversion_date", "channel", "campaign_ref", "conversions", "value"]
    ].reset_index(drop=True)
