"""What each customer is likely to buy of the most bought categories."""

from datetime import datetime

import pandas as pd
import pyarrow as pa

from ml.category import CATEGORY
from orchestration.champions import Champion, features_gone, load_champion
from orchestration.event_frames import TABLES
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.registry import Registry

_CATEGORIES = """
select categories.*, customers.* exclude (customer_key, as_of, batch_id)
from marts.category_features as categories
inner join marts.customer_features as customers
    on categories.customer_key = customers.customer_key
order by categories.customer_key, categories.category
"""


def write_category_scores(lake: Lake, now: datetime, threads: int) -> int | None:
    """Score everyone who bought lately for every category, in place of the scores before.

    Returns
    -------
    scores : int or None
        None while no model is in force; nothing is written then.

    Raises
    ------
    FeaturesGone
        The champion needs features that are no longer there; nothing is written then.
    """
    champion = load_champion(Registry(), CATEGORY.name)
    if champion is None:
        return None
    with lake.reader(latest=True) as connection:
        rows = connection.execute(_CATEGORIES).df()
    scores = score_categories(rows, champion, now, threads)
    with lake.writer("write category scores") as connection, transaction(connection):
        connection.register("fresh_rows", pa.Table.from_pandas(scores, preserve_index=False))
        connection.execute("delete from marts.category_scores")
        connection.execute("insert into marts.category_scores by name select * from fresh_rows")
    return len(scores)


def score_categories(
    rows: pd.DataFrame, champion: Champion, now: datetime, threads: int
) -> pd.DataFrame:
    """Probabilities of customers and categories; the likeliest category of a customer has rank 1.

    Equal probabilities are ranked by the name of the category.
    """
    lost = [name for name in champion.model.features if name not in rows]
    if lost:
        raise features_gone(champion, lost, TABLES[CATEGORY.name].scored)
    scores = rows[["customer_key", "category", "as_of"]].assign(
        probability=champion.model.predict(rows, threads),
        model_version=champion.version.label,
        scored_at=now,
    )
    ordered = scores.sort_values(
        ["customer_key", "probability", "category"], ascending=[True, False, True]
    )
    rank = ordered.groupby("customer_key").cumcount() + 1
    return ordered.assign(rank=rank.astype("int32"))
