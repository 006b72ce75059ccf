"""Is a challenger at least as good as the champion? Both on the challenger's test cutoff.

A model may be scored on a cutoff only if it learnt from no label that was unknown at it: the
label windows of its dates end by the cutoff. A champion in force has usually learnt from labels
of that very time, since it is refitted on every labelled date. Its judged twin has not: the same
recipe, fitted on the dates whose labels were known at its own, earlier test cutoff. Twin and
challenger's judged model then lie as far apart in time as the two production models do, so their
difference estimates that of the models which would score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml import evaluation, intervals
from ml.blend import Link
from ml.groups import is_large, simple_groups
from ml.hurdle import Scorer
from ml.intervals import Difference, Keys
from ml.trained import TrainedModel, Verdict

Array = npt.NDArray[np.float64]
LEVEL = 0.95


class NoFairComparison(ValueError):
    """Champion and challenger cannot be compared; the message says why.

    Attributes
    ----------
    champion_knows_more : bool
        The champion has learnt from labels after the challenger's test cutoff.
    """

    def __init__(self, message: str, *, champion_knows_more: bool = False) -> None:
        super().__init__(message)
        self.champion_knows_more = champion_knows_more


@dataclass(frozen=True)
class GroupVerdict:
    """Challenger against champion within one large group, at a family-wise 95 %."""

    group: str
    rows: int
    difference: Difference

    def __str__(self) -> str:
        """Say it in one line."""
        d = self.difference
        return f"{self.group} ({self.rows:,} rows): {d.value:+.4f} ({d.low:+.4f} to {d.high:+.4f})"


@dataclass(frozen=True)
class Comparison:
    """Challenger against champion on the challenger's test rows.

    Attributes
    ----------
    basis : str
        Which model of the champion was scored, and what it has learnt from.
    scores : float array, shape (n,)
        The champion's, in the order of the challenger's ``test_predictions``.
    metrics : DataFrame
        As `TrainedModel.metrics`, of the model ``champion``.
    verdict : Verdict
        Challenger minus champion on the headline metric, the same customers for both.
    groups : tuple of GroupVerdict
        The same within every large group.
    """

    basis: str
    scores: Array
    metrics: pd.DataFrame
    verdict: Verdict
    groups: tuple[GroupVerdict, ...]

    def metric(self, name: str) -> float:
        """Return one figure of the champion."""
        return float(self.metrics.loc[self.metrics["metric"] == name, "value"].iloc[0])


def compare(
    challenger: TrainedModel,
    champion: TrainedModel,
    rows: pd.DataFrame,
    metric: str,
    *,
    num_threads: int = 2,
) -> Comparison:
    """Score the champion on the challenger's test cutoff and compare.

    Parameters
    ----------
    challenger, champion : TrainedModel
        Two versions of one task.
    rows : DataFrame, n rows
        Features and label at the challenger's test cutoff, one row per customer.
    metric : str
        "roc_auc" or a name of `ml.evaluation.VALUE_METRICS`, higher being better.
    num_threads : int
        Threads of LightGBM.

    Returns
    -------
    Comparison

    Raises
    ------
    NoFairComparison
        Another horizon, features that no longer exist, or a champion that knows the labels.
    ValueError
        The rows are not those that the challenger was judged on.
    """
    tested = challenger.test_predictions
    ordered = in_test_order(rows, challenger)
    label = tested["label"].to_numpy(dtype=float)
    model, basis = fair_model(champion, challenger, rows)
    scores = model.predict(ordered, num_threads)
    ours = tested["model"].to_numpy(dtype=float)
    binary = metric == "roc_auc"
    customers = intervals.clusters_of(tested["customer_key"])
    return Comparison(
        basis=basis,
        scores=scores,
        metrics=evaluation.metrics_table(
            label,
            {"champion": scores},
            evaluation.PROBABILITY_METRICS if binary else evaluation.VALUE_METRICS,
            seed=challenger.seed,
            clusters=customers,
        ),
        verdict=Verdict(
            "champion",
            metric,
            _difference(label, ours, scores, metric, challenger.seed, LEVEL, customers),
        ),
        groups=_group_verdicts(ordered, label, ours, scores, metric, challenger.seed, customers),
    )


def in_test_order(rows: pd.DataFrame, model: TrainedModel) -> pd.DataFrame:
    """Put the rows that a model was judged on in the order of its test predictions.

    Where a customer has several rows, they have to come in the order that the model got them in.

    Raises
    ------
    ValueError
        The rows are not those that the model was judged on.
    """
    tested = model.test_predictions
    ordered = rows.sort_values("customer_key", kind="stable", ignore_index=True)
    same = len(rows) == len(tested) and all(
        np.array_equal(ordered[name].to_numpy(), tested[name].to_numpy())
        for name in ("customer_key", "label")
    )
    if not same:
        raise ValueError(
            f"{len(rows)} rows as of {model.test_date} are not the {len(tested)} that "
            f"{model.kind} was judged on: their customers or labels differ"
        )
    return ordered


def fair_model(
    champion: TrainedModel, challenger: TrainedModel, rows: pd.DataFrame
) -> tuple[Scorer, str]:
    """Return the champion's model that knows no label of the challenger's test cutoff.

    Raises
    ------
    NoFairComparison
    """
    if champion.horizon_days != challenger.horizon_days:
        raise NoFairComparison(
            f"it predicts another thing: the champion looks {champion.horizon_days} days ahead, "
            f"the challenger {challenger.horizon_days}"
        )
    gone = [name for name in champion.features if name not in rows.columns]
    if gone:
        raise NoFairComparison(f"features of the champion no longer exist: {', '.join(gone)}")
    cutoff = pd.Timestamp(challenger.test_date)
    if labels_known_by(champion.trained_on, champion.horizon_days) <= cutoff:
        return champion.model, f"the champion itself, learnt from labels until {cutoff:%Y-%m-%d}"
    known = labels_known_by(champion.judged_dates, champion.horizon_days)
    if known > cutoff:
        raise NoFairComparison(
            f"the champion has learnt from labels until {known:%Y-%m-%d}, after the challenger's "
            f"test cutoff {cutoff:%Y-%m-%d}",
            champion_knows_more=True,
        )
    if champion.judged is None:
        raise NoFairComparison(
            "the champion has learnt from labels after the challenger's test cutoff "
            f"{cutoff:%Y-%m-%d}, and its record keeps no model from before"
        )
    return champion.judged, (
        f"the champion's judged twin, learnt from labels until {known:%Y-%m-%d}: the champion "
        f"itself knows later ones than the test cutoff {cutoff:%Y-%m-%d}"
    )


def labels_known_by(dates: tuple[str, ...], horizon_days: int) -> pd.Timestamp:
    """When the label window of the newest of some as-of dates (ISO) ends."""
    return max(pd.Timestamp(date) for date in dates) + pd.Timedelta(days=horizon_days)


def _group_verdicts(
    rows: pd.DataFrame,
    label: Array,
    ours: Array,
    theirs: Array,
    metric: str,
    seed: int,
    customers: Keys | None,
) -> tuple[GroupVerdict, ...]:
    link: Link = "logit" if metric == "roc_auc" else "log"
    members = {
        name: chosen
        for name, chosen in simple_groups(rows).items()
        if is_large(label[chosen], link)
    }
    level = 1 - (1 - LEVEL) / max(len(members), 1)  # Bonferroni: one family of groups
    return tuple(
        GroupVerdict(
            group,
            int(chosen.sum()),
            _difference(
                label[chosen],
                ours[chosen],
                theirs[chosen],
                metric,
                seed,
                level,
                None if customers is None else customers[chosen],
            ),
        )
        for group, chosen in members.items()
    )


def _difference(
    label: Array,
    ours: Array,
    theirs: Array,
    metric: str,
    seed: int,
    level: float,
    customers: Keys | None,
) -> Difference:
    if metric == "roc_auc":
        return intervals.paired_auc_difference(
            label, ours, theirs, seed=seed, level=level, clusters=customers
        )
    function = evaluation.VALUE_METRICS[metric]
    return intervals.paired_difference(label, ours, theirs, function, seed=seed, level=level)
