"""How well segments recover the personas of a simulated market, beside a model told the truth.

``python -m tests.benchmarks.segment_personas <customers> <events>`` simulates a market in a home
of its own, carries it through the tables of the batch, and clusters the customers' habits by every
family. The bound is a classifier that learns the personas themselves, cross-validated.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer
from rich.console import Console
from rich.table import Table
from sklearn.metrics import adjusted_rand_score

from ml.matrix import feature_matrix
from ml.segment_choice import Protocol
from ml.segment_columns import NoSegments
from ml.segment_families import FAMILIES
from ml.segments import HABITS, fit_segments
from orchestration.ingestion.pseudonyms import keyed_hash
from orchestration.lake import Lake
from tests.integration.deployment import SHOAL, Deployment

PERSONAS = """
with profiles as (
    select person_id, persona, unnest(customer_refs) as customer_ref
    from read_parquet('{folder}/customers_truth/*.parquet')
)

select distinct on (features.customer_key)
    features.*,
    profiles.persona
from profiles
inner join intermediate.identity_map as identities
    on {key} = identities.identifier_key
inner join marts.customer_features as features
    on identities.customer_key = features.customer_key
where identities.identifier_kind = 'customer'
order by features.customer_key, profiles.person_id
"""
LEAST_ORDER_DAYS = (3, 5)
NOT_FEATURES = {"customer_key", "as_of", "batch_id", "persona"}


def best_f1(persona: npt.ArrayLike, segment: npt.ArrayLike) -> dict[str, float]:
    """F1 of the segment that recovers each persona best."""
    table = pd.crosstab(np.asarray(persona), np.asarray(segment))
    sizes = table.sum(axis=1).to_numpy()[:, None] + table.sum(axis=0).to_numpy()[None, :]
    return dict(zip(table.index, (2 * table.to_numpy() / sizes).max(axis=1), strict=True))


def bound(frame: pd.DataFrame) -> npt.NDArray[np.str_]:
    """Personas as a classifier says that has learnt them on other customers."""
    from lightgbm import LGBMClassifier
    from sklearn.model_selection import cross_val_predict

    names = [name for name in frame.columns if name not in NOT_FEATURES]
    model = LGBMClassifier(n_estimators=150, learning_rate=0.05, verbose=-1, n_jobs=1)
    return np.asarray(
        cross_val_predict(model, feature_matrix(frame, names), frame["persona"], cv=3)
    )


def measure(frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Adjusted Rand index and best F1 of each persona, by least number of order days and family."""
    protocols = {"the protocol's choice": Protocol()}
    protocols |= {f"{name}, 4 groups": Protocol(pinned=name, pinned_k=4) for name in FAMILIES}
    found = []
    for least in LEAST_ORDER_DAYS:
        members = frame[frame["order_days_total"] >= least]
        said = {"a classifier told the personas": bound(members)}
        for name, protocol in protocols.items():
            try:
                model = fit_segments(members, HABITS, protocol, seed=seed)
            except NoSegments:
                continue
            said[name] = model.assign(members)["segment_id"].to_numpy()
        for name, groups in said.items():
            index = adjusted_rand_score(members["persona"], groups)
            found.append((least, len(members), name, index, best_f1(members["persona"], groups)))
    return pd.DataFrame(found, columns=["order_days", "customers", "by", "rand_index", "f1"])


def read_personas(lake: Lake, truth: Path, pseudonym_key: str) -> pd.DataFrame:
    """Features of every customer with the persona of the person."""
    query = PERSONAS.format(folder=truth, key=keyed_hash("customer_key", "customer_ref"))
    with lake.reader(latest=True) as connection:
        return connection.execute(query, {"pseudonym_key": pseudonym_key}).df()


def main(
    customers: Annotated[int, typer.Argument()] = 20_000,
    events: Annotated[int, typer.Argument()] = 1_000_000,
) -> None:
    """Simulate, build, cluster, compare."""
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder) / "home")
        deployment.run(str(SHOAL), "demo", "--customers", str(customers), "--events", str(events))
        values = deployment.values
        frame = read_personas(
            Lake.from_settings(values), values.root / "truth", values.pseudonym_key()
        )
    show(measure(frame))


def show(figures: pd.DataFrame) -> None:
    """Print the table."""
    personas = sorted(figures["f1"].iloc[0])
    table = Table("order days", "customers", "by", "adjusted Rand index", *personas)
    for least, customers, by, index, f1 in figures.to_numpy().tolist():
        scores = [f"{f1[name]:.2f}" for name in personas]
        table.add_row(f"{least}+", f"{customers:,}", by, f"{index:.2f}", *scores)
    Console(width=160).print(table)


if __name__ == "__main__":
    typer.run(main)
