"""Shapley values of channels, exact, from the sets of channels that journeys touched."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.attribution_paths import read_journeys


def shapley(paths: pd.DataFrame) -> pd.DataFrame:
    """Credit channels by the simplified Shapley value of Zhao et al. (2018), unordered.

    The worth of a set of channels is what the journeys converted that touched no channel outside
    it. For this game the Shapley value has a closed form, linear in the paths: every path shares
    its conversions equally among its distinct channels. Order, repeats and journeys that did not
    convert play no part.

    Source: Zhao, Mahboobi and Bagheri (2018), "Shapley Value Methods for Attribution Modeling in
    Online Advertising", arXiv 1804.05327, section 3.

    Parameters
    ----------
    paths : DataFrame
        ``path``, ``conversions``, ``value``, ``nulls``; see `ml.attribution_paths.read_journeys`.

    Returns
    -------
    credits : DataFrame
        ``channel``, ``conversions``, ``value``; one row per channel, sorted by name. The columns
        sum to the totals of `paths`.

    Raises
    ------
    KeyError, ValueError
        See `ml.attribution_paths.read_journeys`.
    """
    journeys = read_journeys(paths)
    pairs = journeys.row * max(len(journeys.channels), 1) + journeys.code
    weight = np.zeros(len(pairs))
    weight[np.unique(pairs, return_index=True)[1]] = 1
    return journeys.credits(weight)
