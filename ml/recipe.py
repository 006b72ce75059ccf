"""What is chosen on the validation date, and the model made of it.

The probe fits on the older dates and chooses rounds, penalty and the slope of the calibration on
the validation date (`TimeSplit.probe_fit` keeps the two apart). The model then learns from more
dates with what the probe found, and sets its level on the newest of them (see `ml.calibration`).
A value is two such models, of the purchase and of the amount (see `ml.hurdle`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ml import baselines, calibration, linear, trees
from ml.blend import BlendModel, Link, blend, inverse_link
from ml.hurdle import HurdleModel, Scorer
from ml.labelled_rows import Dates, LabelledRows, take
from ml.parameters import Learner

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
FEWEST_PER_SIDE = 50
"""Buyers, and customers who do not buy, that a value model in two steps needs to fit and check."""
ROUNDS_WITHOUT_PURGE = 80
"""Rounds where the history is too short to keep validation labels out of the fit dates."""


@dataclass(frozen=True)
class Recipe:
    """What the probe found: everything needed to learn from more dates.

    `predicted` is what was said, in the unit of the label, of the rows that calibrated. The level
    of log-odds is set on the newest dates that a model learns from, and by `level` only with the
    weight `level_weight`. A value model in two steps has a recipe for the purchase and in it one
    for the `amount`.
    """

    rounds: int
    penalty: float
    slope: float
    level: float
    predicted: Array
    level_weight: float = 0.0
    amount: Recipe | None = None


def probe(rows: LabelledRows, link: Link, learner: Learner) -> Recipe:
    """Learn from the older dates and choose on the validation date.

    Parameters
    ----------
    rows : LabelledRows
    link : {"logit", "log"}
        Probability, or value (in two steps where enough buy and enough do not).
    learner : Learner

    Returns
    -------
    Recipe
    """
    matrix, label, split = rows.matrix, rows.label, rows.split
    fit_rows = rows.at(*split.probe_fit)
    if len(np.unique(label[fit_rows] > 0)) < 2:
        fit_rows = rows.at(*split.fit)
    check = rows.at(split.validation)

    def part(label: Array, link: Link, members: Mask) -> Recipe:
        found = _probe_part(matrix, label, fit_rows & members, check, members, link, learner)
        if split.is_purged:
            return found
        return replace(found, rounds=min(found.rounds, ROUNDS_WITHOUT_PURGE))

    everyone = np.ones(len(label), dtype=bool)
    bought = label > 0
    if link == "logit" or not _has_two_sides(bought, fit_rows, check):
        found = part(label, link, everyone)
    else:
        buys, amount = part(bought.astype(float), "logit", everyone), part(label, "log", bought)
        found = replace(buys, predicted=buys.predicted * amount.predicted, amount=amount)
    return found if split.calibration is None else _calibrate(rows, found, learner)


def _calibrate(rows: LabelledRows, recipe: Recipe, learner: Learner) -> Recipe:
    """Calibrate by what a model gets wrong on a date of which it knows nothing."""
    date = rows.split.calibrating
    model = learn(rows, rows.split.before(date), recipe, "logit", learner)
    assert isinstance(model, BlendModel)
    members = rows.at(date)
    label = rows.label[members]
    raw = model.calibrated(1.0, 0.0).raw(rows.matrix[members], learner.num_threads)
    slope = calibration.platt_slope(raw, label)
    level = calibration.level_logit(slope * raw, label)
    return replace(
        recipe,
        slope=slope,
        level=level,
        level_weight=calibration.level_weight(rows.split.horizon_days),
        predicted=inverse_link(slope * raw + level, "logit"),
    )


def learn(rows: LabelledRows, dates: Dates, recipe: Recipe, link: Link, learner: Learner) -> Scorer:
    """Learn from some dates with a recipe; the newest of them set the level.

    Parameters
    ----------
    rows : LabelledRows
    dates : tuple of Timestamp
        Ascending.
    recipe : Recipe
    link : {"logit", "log"}
    learner : Learner

    Returns
    -------
    BlendModel or HurdleModel
    """
    members = rows.at(*dates)
    newest = rows.at(*dates[-calibration.RECENT_DATES :])[members]
    matrix, label, names = take(rows.matrix, members), rows.label[members], rows.features
    if recipe.amount is None:
        return _learn_part(matrix, label, newest, names, recipe, link, learner)
    bought = label > 0
    buyers = (matrix[bought], label[bought], newest[bought])
    return HurdleModel(
        _learn_part(matrix, bought.astype(float), newest, names, recipe, "logit", learner),
        _learn_part(*buyers, names, recipe.amount, "log", learner),
    )


def learn_known(rows: LabelledRows, link: Link, learner: Learner) -> tuple[Recipe, Scorer]:
    """Probe, then learn from every date whose label was known at the test cutoff."""
    recipe = probe(rows, link, learner)
    return recipe, learn(rows, rows.split.training, recipe, link, learner)


def _probe_part(
    matrix: Array,
    label: Array,
    fit_rows: Mask,
    check: Mask,
    members: Mask,
    link: Link,
    learner: Learner,
) -> Recipe:
    """Learn from the fit rows, check on the members among the check rows, predict all of them."""
    scale = _unit(label[fit_rows], link)
    fit = (take(matrix, fit_rows), label[fit_rows] / scale)
    validation = (take(matrix, check & members), label[check & members] / scale)
    choose = baselines.choose_logistic if link == "logit" else baselines.choose_tweedie
    penalty, straight = choose(fit, validation, learner.signs)
    objective = "binary" if link == "logit" else "tweedie"
    rounds, raw = trees.find_rounds(fit, validation, objective, take(matrix, check), learner)
    mixed = blend(raw, straight.raw(take(matrix, check)), learner.parameters.tree_share)
    checked = mixed[members[check]]
    if link == "logit":
        slope = calibration.platt_slope(checked, validation[1])
        return Recipe(rounds, penalty, slope, 0.0, inverse_link(slope * mixed, link))
    level = calibration.level_log(inverse_link(checked, link), validation[1])
    return Recipe(rounds, penalty, 1.0, level, inverse_link(mixed + level, link) * scale)


def _has_two_sides(bought: Mask, fit_rows: Mask, check: Mask) -> bool:
    counts = [int((bought[rows] == side).sum()) for rows in (fit_rows, check) for side in (0, 1)]
    return min(counts) >= FEWEST_PER_SIDE


def _learn_part(
    matrix: Array,
    label: Array,
    newest: Mask,
    names: tuple[str, ...],
    recipe: Recipe,
    link: Link,
    learner: Learner,
) -> BlendModel:
    scale = _unit(label, link)
    objective = "binary" if link == "logit" else "tweedie"
    fit_linear = linear.fit_logistic if link == "logit" else linear.fit_tweedie
    model = BlendModel(
        features=names,
        trees=trees.fit_trees(matrix, label / scale, objective, recipe.rounds, learner),
        linear=fit_linear(matrix, label / scale, recipe.penalty, learner.signs),
        tree_share=learner.parameters.tree_share,
        link=link,
        slope=recipe.slope,
    )
    if link == "log":
        return model.calibrated(recipe.slope, recipe.level + float(np.log(scale)))
    newest_level = calibration.level_logit(
        model.raw(take(matrix, newest), learner.num_threads), label[newest]
    )
    level = (1 - recipe.level_weight) * newest_level + recipe.level_weight * recipe.level
    return model.calibrated(recipe.slope, level)


def _unit(label: Array, link: Link) -> float:
    """Return the mean value, so that the unit of money changes nothing; 1 for labels."""
    return float(label.mean()) if link == "log" else 1.0
