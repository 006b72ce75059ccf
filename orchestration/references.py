"""What others reach on the same customers, and where Shoal was judged as they were."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ml.task import Task
from orchestration.ingestion.yaml_files import read_yaml

if TYPE_CHECKING:
    import pandas as pd

    from ml.backtest import Backtest
    from ml.references import AgainstReference
    from ml.task import Question

REFERENCES = Path(__file__).with_name("references.yml")
REPEAT_PURCHASES = "repeat purchases"
CUSTOMERS_MAY_DIFFER = 0.01
"""Share of the customers by which two judgements may differ and still be of the same ones."""
_FILES = "select file from ops.landed_files where accepted > 0"
_PURCHASE_DAYS = """
select
    customer_key,
    cast(activity_date as timestamp) as day,
    revenue as amount,
    units
from intermediate.int_customer_days
where orders > 0
order by customer_key, activity_date
"""


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Figures of others for one data set, outcome, horizon and cutoff; see ``references.yml``."""

    dataset: str
    outcome: str
    horizon_days: int
    cutoff: date
    customers: int
    settings: str
    source: str
    rows: Mapping[str, Mapping[str, float]]
    elsewhere: str = ""

    @property
    def title(self) -> str:
        """What is predicted, from when on and how far."""
        return (
            f"{self.outcome[0].upper()}{self.outcome[1:]} in {self.horizon_days} days, "
            f"cutoff {self.cutoff}"
        )


@dataclass(frozen=True)
class Beside:
    """One reference with Shoal's figures beside it.

    Attributes
    ----------
    figures : DataFrame or None
        ``model``, ``metric``, ``value``, ``low``, ``high`` of the model and its baselines at the
        reference's cutoff; None where it was not judged there.
    customers : int
        How many customers they are of.
    reason : str
        Why there is nothing to compare, and what would give the comparison.
    """

    reference: Reference
    figures: "pd.DataFrame | None"
    customers: int = 0
    reason: str = ""

    def standings(self) -> tuple["AgainstReference", ...]:
        """The model against the best reference, metric by metric."""
        from ml.references import against_best

        if self.figures is None:
            return ()
        own = self.figures[self.figures["model"] == "model"]
        return against_best(own, self.reference.rows)


@lru_cache(maxsize=1)
def read_references() -> tuple[Reference, ...]:
    """Every reference of ``references.yml``."""
    return tuple(Reference(**entry) for entry in read_yaml(REFERENCES))


def references_for(connection: duckdb.DuckDBPyConnection) -> tuple[Reference, ...]:
    """The references of the one data set that is in the lake; none where there are others too."""
    files = [str(row[0]) for row in connection.execute(_FILES).fetchall()]
    return tuple(
        reference
        for reference in read_references()
        if files and all(_is_of(file, reference.dataset) for file in files)
    )


def beside(
    reference: Reference, judged: Sequence[tuple["Question", "Backtest | None", str]]
) -> Beside:
    """Find the figures of the same outcome, horizon and cutoff among those of all tasks.

    Parameters
    ----------
    reference : Reference
    judged : sequence of (task, backtest or None, reason)
        As `orchestration.evaluation.TaskEvaluation` has them.
    """
    if reference.elsewhere:
        return Beside(reference, None, 0, f"Not judged here: {reference.elsewhere} does it.")
    reasons = []
    for task, found, reason in judged:
        if not isinstance(task, Task) or task.outcome != reference.outcome:
            continue
        if found is None:
            reasons.append(f"{task.name} was not judged: {reason}")
        elif found.horizon_days != reference.horizon_days:
            reasons.append(f"{task.name} looks {found.horizon_days} days ahead here")
        elif reference.cutoff not in {origin.date() for origin in found.origins}:
            origins = ", ".join(f"{origin:%Y-%m-%d}" for origin in found.origins)
            reasons.append(f"{task.name} was judged at {origins} here")
        else:
            return _figures_at(reference, found)
    words = "; ".join(reasons) or "nothing of the kind was judged"
    return Beside(reference, None, 0, f"Nothing to compare: {words}. {_advice(reference)}")


def beside_repeat_purchases(
    reference: Reference,
    connection: duckdb.DuckDBPyConnection,
    *,
    seed: int,
    threads: int,
) -> Beside:
    """Predict repeat purchases from the reference's cutoff on, by `ml.repeat_purchases`."""
    import pandas as pd

    from ml.repeat_purchases import predict_repeat_purchases
    from ml.splits import NotEnoughHistory

    days = connection.execute(_PURCHASE_DAYS).df()
    try:
        found = predict_repeat_purchases(
            days,
            pd.Timestamp(reference.cutoff),
            reference.horizon_days,
            seed=seed,
            num_threads=threads,
        )
    except NotEnoughHistory as problem:
        return Beside(reference, None, 0, f"Nothing to compare: {problem}.")
    return _of_the_same_customers(reference, found.figures(seed=seed).table(), len(found.observed))


def _figures_at(reference: Reference, found: "Backtest") -> Beside:
    table = found.by_origin[found.by_origin["origin"].dt.date == reference.cutoff]
    return _of_the_same_customers(reference, table, int(table["rows"].iloc[0]))


def _of_the_same_customers(reference: Reference, table: "pd.DataFrame", customers: int) -> Beside:
    if abs(customers - reference.customers) > CUSTOMERS_MAY_DIFFER * reference.customers:
        words = f"Nothing to compare: {customers:,} customers here, {reference.customers:,} there."
        return Beside(reference, None, customers, words)
    return Beside(reference, table, customers)


def _advice(reference: Reference) -> str:
    return (
        f"{reference.settings} make evaluate DATASET={reference.dataset} in a new SHOAL_HOME gives "
        "the comparison."
    )


def _is_of(file: str, dataset: str) -> bool:
    name = re.escape(dataset.replace("-", "_"))
    return re.search(rf"(^|/){name}-[^/]*$", file) is not None
