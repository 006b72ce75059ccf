"""Which profiles are of one person, where no identifier says so.

Fellegi and Sunter's model, by splink, over names, birth date, address, contacts and any further
identifier. Pairs are looked for in blocks of at most 100 profiles that share a key (20 above
200,000 profiles), so the number of candidate pairs grows with the number of profiles and not with
its square; profiles that share nothing but frequent values are not compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

SAME = 0.90
"""From this probability on two profiles count as one person."""
REVIEW = 0.60
"""From this probability on a pair is listed for people to decide; it is never merged."""
COLUMNS = ("left_key", "right_key", "probability", "decision")
DIGITS = 6


def match_profiles(
    profiles: pd.DataFrame,
    *,
    seed: int,
    key: str = "customer_key",
    identifiers: Sequence[str] = (),
    same: float = SAME,
    review: float = REVIEW,
    threads: int = 1,
) -> pd.DataFrame:
    """List the pairs of profiles that are, or may be, of one person.

    Parameters are learnt from the profiles themselves where at least 30 pairs agree beyond doubt;
    otherwise, and for every comparison whose estimate contradicts itself, the documented ones of
    ``ml.matching_comparisons`` are used.

    Parameters
    ----------
    profiles : DataFrame, shape (n_profiles, n_columns)
        Any of ``given_name``, ``surname``, ``full_name`` (split where the other two are missing),
        ``birth_date``, ``street``, ``city``, ``postcode``, ``country``, ``email``, ``phone``; a
        column may be absent or null throughout.
    seed
        Of the random pairs among which chance agreement is measured.
    key
        Column that names a profile; unique and never null.
    identifiers
        Further columns of which an equal value nearly settles the question, such as a social
        security number.
    same, review
        Lowest probability of the two decisions.
    threads
        Of DuckDB. The same rows give the same result with one thread, whatever their order.

    Returns
    -------
    DataFrame
        One row per pair with ``left_key`` < ``right_key``, ``probability`` (of this pair alone)
        and ``decision``: ``same`` where both profiles fall into one group, which is why a pair
        within a group may have a lower probability, otherwise ``review``. Sorted by the keys.
        ``attrs["parameters"]`` says per comparison whether its parameters were ``learnt``, or why
        the documented ones are used.

    Raises
    ------
    ValueError
        A profile without a key, a key that is not unique, or thresholds out of order.
    """
    if not 0 < review <= same <= 1:
        raise ValueError(f"0 < review <= same <= 1 does not hold: {review}, {same}")
    if len(profiles) < 2:
        return _no_pairs("fewer than two profiles")

    import duckdb

    from ml.matching_comparisons import COMPARISONS, identifier_comparison
    from ml.matching_groups import in_one_group
    from ml.matching_model import score, usable
    from ml.matching_rows import prepare

    with duckdb.connect() as connection:
        connection.execute(f"set threads = {int(threads)}")
        keys, blocks, extra = prepare(connection, profiles, key, identifiers)
        compared = usable(connection, [*COMPARISONS, *map(identifier_comparison, extra)])
        if not blocks or not compared:
            return _no_pairs("no two profiles have anything in common")
        pairs, parameters = score(connection, compared, blocks, seed=seed, lowest=review)
    pairs = pairs.sort_values(["left", "right"], ignore_index=True)
    joined = in_one_group(pairs, same)
    result = pd.DataFrame(
        {
            "left_key": keys.take(pairs["left"].to_numpy()).to_numpy(dtype=object),
            "right_key": keys.take(pairs["right"].to_numpy()).to_numpy(dtype=object),
            "probability": pairs["probability"].round(DIGITS),
            "decision": joined.map({True: "same", False: "review"}).astype(object),
        },
        columns=list(COLUMNS),
    )
    result.attrs["parameters"] = parameters
    return result


def _no_pairs(reason: str) -> pd.DataFrame:
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})
    empty["probability"] = empty["probability"].astype(float)
    empty.attrs["parameters"] = {"all": f"documented: {reason}"}
    return empty
