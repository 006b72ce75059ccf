"""The Fellegi-Sunter model of two profiles: its comparisons, its training and its scores."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ml.matching_comparisons import Compared, documented

if TYPE_CHECKING:
    import duckdb
    from splink import Linker

FEW = 30
"""With fewer certain pairs than this nothing is learnt: the documented parameters are used."""
SAMPLED_PAIRS = 1e6
TRAINING_PAIRS = 1e6
ITERATIONS = 30
MOST_UNLIKE = 0.5
"""A comparison in which more pairs of one person than this disagree was not learnt from such."""
SAMPLED_FROM = 500
"""With fewer profiles not even chance agreement and frequencies of values are measured."""
RECALL = 0.6
"""Share of all pairs of one person that the deterministic rules are taken to find."""
HOUSEHOLD_ODDS = 1 / 5
"""Pairs of one person for each pair of two people of a household, where they cannot be counted."""
ODDS_LIMIT = 100
HOUSEHOLD_COLUMNS = {"street", "phone"}
"""Without any of these nothing tells a household, and the explanation is left out."""
DOUBTFUL = 2.0
"""Highest weight (log2 odds, 0.8 as a probability) of a pair that agrees on names only, or whose
birth dates have nothing in common and that shares neither home, contact nor identifier."""
SETTLING = {"address", "email", "phone"}
LOWEST_PRIOR, HIGHEST_PRIOR = 1e-8, 1e-2

logger = logging.getLogger(__name__)


def usable(connection: duckdb.DuckDBPyConnection, compared: Sequence[Compared]) -> list[Compared]:
    """Comparisons of columns that have two different values, with the levels that can occur."""
    names = sorted({column for one in compared for column in one.columns})
    counts = ", ".join(f"count(distinct {name})" for name in names)
    row = connection.execute(f"select {counts} from profiles").fetchone()
    assert row is not None
    distinct = dict(zip(names, row, strict=True))
    kept = []
    for one in compared:
        columns = tuple(name for name in one.columns if distinct[name])
        only_value = one.name == "country" and distinct["country"] < 2
        if not columns or only_value:
            continue
        levels = tuple(
            level for level in one.levels if all(distinct.get(name, 1) for name in level.needs)
        )
        kept.append(Compared(one.name, columns, levels))
    return kept


def score(
    connection: duckdb.DuckDBPyConnection,
    compared: Sequence[Compared],
    blocks: Sequence[str],
    *,
    seed: int,
    lowest: float,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Learn what can be learnt and score every candidate pair.

    Returns
    -------
    pairs : DataFrame
        ``left``, ``right`` (positions of keys), ``weight`` (log2 of the odds that they are of one
        person) and ``probability``, of at least the lowest.
    parameters : dict of str to str
        Per comparison ``learnt`` or why its documented parameters are used.
    """
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.getLogger("splink").setLevel(logging.ERROR)
    api = DuckDBAPI(connection)
    rows = api.register("profiles")
    total = _one(connection, "select count(*) from profiles")
    certain = _certain_pairs(connection, compared)
    sampling = total >= SAMPLED_FROM

    def linker(parameters: Mapping[str, Any], prior: float) -> Linker:
        settings = SettingsCreator(
            link_type="dedupe_only",
            comparisons=[
                _splink_comparison(one, parameters.get(one.name), frequencies=sampling)
                for one in compared
            ],
            blocking_rules_to_generate_predictions=[block_on(name) for name in blocks],
            probability_two_random_records_match=prior,
            retain_matching_columns=True,
            retain_intermediate_calculation_columns=False,
            max_iterations=ITERATIONS,
        )
        return Linker(rows, settings, log_level=None, validate_settings=False)

    possible = total * (total - 1) / 2
    highest = HIGHEST_PRIOR if certain >= FEW else 1 / max(total, 1000)
    prior = min(max(certain / RECALL / possible, LOWEST_PRIOR), highest)
    learnt: dict[str, Any] = {}
    states = dict.fromkeys((one.name for one in compared), f"documented: only {total} profiles")
    if sampling:
        learnt, states = _train(connection, linker({}, prior), compared, seed, prior, certain)
    model = linker(learnt, prior)
    predicted = model.inference.predict(
        threshold_match_probability=lowest, warning_mode="never"
    ).as_duckdbpyrelation()
    odds = _household_odds(connection, certain) if certain >= FEW else HOUSEHOLD_ODDS
    return _weighed(predicted.df(), compared, learnt, odds, lowest), states


def _weighed(
    predicted: pd.DataFrame,
    compared: Sequence[Compared],
    learnt: Mapping[str, Any],
    household_odds: float,
    lowest: float,
) -> pd.DataFrame:
    """Weigh the explanation "one person" against both others: strangers, and a household.

    Surname, address and telephone agree within a household, so for Fellegi and Sunter, who know
    strangers only, a couple is nearly one person. Only what differs within a household counts
    against the household.
    """
    strangers = predicted["match_weight"].to_numpy(dtype=float)
    shared = {name for one in compared for name in one.columns} & HOUSEHOLD_COLUMNS
    household = np.full(len(predicted), np.log2(household_odds) if shared else np.inf)
    anchored, settled, contradicted = np.zeros((3, len(predicted)), dtype=bool)
    for one in compared:
        parameters = learnt.get(one.name) or documented(one)
        # who shares a home agrees at least as often as strangers do
        home = [max(level.home, u) for level, (_, u) in zip(one.levels, parameters, strict=True)]
        home[-1] = one.levels[-1].home
        ratios = [m * sum(home) / h for (m, _), h in zip(parameters, home, strict=True)]
        # levels are numbered from the weakest, 0; null is -1
        by_level = np.log2([*reversed(ratios), 1.0])
        level = predicted[f"gamma_{one.name}"].to_numpy(dtype=int)
        household += by_level[level]
        anchored |= np.array([*reversed([each.anchor for each in one.levels]), False])[level]
        if one.name == "birth_date":
            contradicted = level == 0
        elif one.name in SETTLING or one.name.startswith("identifier_"):
            settled |= level == len(one.levels) - 1
    weight = -np.logaddexp2(-strangers, -household)
    doubtful = ~anchored | (contradicted & ~settled)
    weight = np.where(doubtful, np.minimum(weight, DOUBTFUL), weight)
    pairs = pd.DataFrame(
        {
            "left": predicted["unique_id_l"],
            "right": predicted["unique_id_r"],
            "weight": weight,
            "probability": 1 / (1 + np.exp2(-weight)),
        }
    )
    return pairs[pairs["probability"] >= lowest]


def _train(
    connection: duckdb.DuckDBPyConnection,
    linker: Linker,
    compared: Sequence[Compared],
    seed: int,
    prior: float,
    certain: int,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Estimate u by sampling and m by expectation maximisation over several kinds of block.

    Where m cannot be learnt, the documented one is used beside the u that was sampled.
    """
    from splink.internals.exceptions import SplinkException

    linker.training.estimate_u_using_random_sampling(
        max_pairs=SAMPLED_PAIRS, seed=seed, min_count_per_level=None, num_chunks=1
    )
    sampled = _parameters(linker, "u_probability")
    trained: dict[str, list[float | None]] = {}
    converged: set[str] = set()
    problem = f"only {certain} certain pairs"
    if certain >= FEW:
        problem = "no training block converged"
        try:
            converged = _maximise(connection, linker, compared)
            trained = _parameters(linker, "m_probability")
        except (SplinkException, ValueError, ZeroDivisionError) as error:
            converged = set()
            problem = f"training broke off: {error}"
            logger.warning("documented parameters: %s", problem)
    learnt: dict[str, Any] = {}
    states: dict[str, str] = {}
    for one in compared:
        standard = [m for m, _ in documented(one)]
        states[one.name] = f"documented: {problem}"
        if one.name in converged:
            learnt[one.name] = _completed(one, trained[one.name], sampled[one.name], prior)
            if _plausible(learnt[one.name]):
                states[one.name] = "learnt"
                continue
            states[one.name] = "documented: what was learnt contradicts itself"
        parameters = _completed(one, standard, sampled[one.name], prior)
        if not _plausible(parameters):  # nearly everyone agrees: it tells nobody apart
            parameters = [(u, u) for _, u in parameters]
            states[one.name] = "left out: nearly all profiles agree"
        learnt[one.name] = parameters
    return learnt, states


def _maximise(
    connection: duckdb.DuckDBPyConnection, linker: Linker, compared: Sequence[Compared]
) -> set[str]:
    """Run expectation maximisation per kind of block; the comparisons for which one converged."""
    names = {column for one in compared for column in one.columns}
    converged: set[str] = set()
    for rule, columns in _training_rules(names):
        if not columns < names or _pairs(connection, rule) < FEW:
            continue
        session = linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True
        )
        history = session._core_model_settings_history
        if len(history) <= ITERATIONS:
            converged |= {one.output_column_name for one in history[-1].comparisons}
    return converged


def _parameters(linker: Linker, name: str) -> dict[str, list[float | None]]:
    """The m or u of every comparison as they stand, strongest level first."""
    return {
        one["output_column_name"]: [
            level.get(name) for level in one["comparison_levels"] if not level.get("is_null_level")
        ]
        for one in linker.misc.save_model_to_json()["comparisons"]
    }


def _training_rules(names: set[str]) -> list[tuple[str, set[str]]]:
    """Blocks to learn from, each with the columns that it leaves out of the learning."""
    # not by street or phone: most pairs that share those are two people of a household
    rules = [
        ("block_birth", {"birth_date"}),
        ("block_name", {"given_name", "surname"}),
        ("block_email", {"email"}),
        *((f"block_{name}", {name}) for name in sorted(names) if name.startswith("identifier_")),
    ]
    return [
        (" and ".join(f"l.{name} = r.{name}" for name in (block, *sorted(columns))), columns)
        for block, columns in rules
    ]


def _completed(
    one: Compared, m: Sequence[float | None], u: Sequence[float | None], prior: float
) -> list[tuple[float, float]]:
    """Learnt m and u, the latter without the pairs of one person that random pairs contain.

    A level that was not observed is rarer than what the sample could show.
    """
    standard = documented(one)
    filled = [
        (
            learnt_m if learnt_m else min(standard_m, 0.001),
            max((learnt_u or 0.0) - prior * (learnt_m or 0.0), min(standard_u, 1 / SAMPLED_PAIRS)),
        )
        for learnt_m, learnt_u, (standard_m, standard_u) in zip(m, u, standard, strict=True)
    ]
    total_m, total_u = sum(m for m, _ in filled), sum(u for _, u in filled)
    return [(m / total_m, u / total_u) for m, u in filled]


def _plausible(parameters: Sequence[tuple[float, float]]) -> bool:
    """Whether the strongest agreement speaks for one person, and disagreement against."""
    (first_m, first_u), (last_m, last_u) = parameters[0], parameters[-1]
    return first_m > 2 * first_u and last_m < last_u and first_m > 0.05 and last_m < MOST_UNLIKE


def _splink_comparison(
    one: Compared, parameters: Sequence[tuple[float, float]] | None, *, frequencies: bool
) -> dict[str, Any]:
    null = " and ".join(f"({name}_l is null or {name}_r is null)" for name in one.columns)
    levels: list[dict[str, Any]] = [
        {"sql_condition": null, "label_for_charts": "null", "is_null_level": True}
    ]
    for level, (m, u) in zip(one.levels, parameters or documented(one), strict=True):
        described: dict[str, Any] = {
            "sql_condition": level.condition,
            "label_for_charts": level.condition,
            "m_probability": m,
            "u_probability": u,
        }
        if level.term and frequencies:
            described["tf_adjustment_column"] = level.term
        levels.append(described)
    return {"output_column_name": one.name, "comparison_levels": levels}


def _certain_pairs(connection: duckdb.DuckDBPyConnection, compared: Sequence[Compared]) -> int:
    """How many pairs the deterministic rules find."""
    identifiers = [one.name for one in compared if one.name.startswith("identifier_")]
    rules = [
        ("block_name_birth", "l.given_name = r.given_name and l.surname = r.surname"),
        ("block_street", "l.given_name = r.given_name and l.surname = r.surname"),
        ("block_email", "l.given_name = r.given_name"),
        ("block_phone", "l.given_name = r.given_name"),
        *(
            (f"block_{name}", "(l.given_name = r.given_name or l.surname = r.surname)")
            for name in identifiers
        ),
    ]
    pairs = " union ".join(
        "select l.unique_id as left_id, r.unique_id as right_id from profiles as l "
        f"inner join profiles as r on l.{block} = r.{block} and l.unique_id < r.unique_id "
        f"where {condition}"
        for block, condition in rules
    )
    return _one(connection, f"select count(*) from ({pairs})")


def _pairs(connection: duckdb.DuckDBPyConnection, rule: str) -> int:
    return _one(
        connection,
        "select count(*) from profiles as l inner join profiles as r "
        f"on {rule} and l.unique_id < r.unique_id",
    )


def _household_odds(connection: duckdb.DuckDBPyConnection, certain: int) -> float:
    """Pairs of one person for each pair of two people who share an address or a telephone."""
    shared = " union ".join(
        "select l.unique_id as left_id, r.unique_id as right_id from profiles as l "
        f"inner join profiles as r on l.{block} = r.{block} and l.unique_id < r.unique_id "
        "where jaro_winkler_similarity(l.given_name, r.given_name) < 0.8 "
        "and coalesce(damerau_levenshtein(l.birth_date, r.birth_date) > 1, true) "
        "and l.given_name <> r.surname"
        for block in ("block_street", "block_phone")
    )
    people = _one(connection, f"select count(*) from ({shared})")
    odds = certain / RECALL / (people + 1)
    return min(max(odds, 1 / ODDS_LIMIT), ODDS_LIMIT)


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
