"""Writing who is in which segment now, who moved and why, and which segments there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from ml.reasons import Phrase
from ml.segment_model import APART, APART_COLOUR
from ml.segment_moves import BEHAVIOUR, Held, follow_customers
from ml.segments import SegmentModel
from orchestration.champions import segments_by_label
from orchestration.customer_rows import append, replace_customers, stale_features, to_arrow
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.registry import Registry, Version

HELD = (
    "segments.segment_id, segments.segment_name, segments.feature_values, segments.first_as_of, "
    "segments.model_version as held_version"
)


@dataclass(frozen=True)
class Assigned:
    """How many customers were assigned, and how many of them moved by their own behaviour."""

    customers: int = 0
    moves: int = 0
    moves_of_behaviour: int = 0


def assign_segments(
    lake: Lake,
    registry: Registry,
    version: Version,
    model: SegmentModel,
    phrases: Mapping[str, Phrase],
    now: datetime,
) -> Assigned:
    """Assign every customer whose features, or whose segmentation, changed.

    Segments, moves and the list of segments are written in one transaction.
    """
    earlier: dict[str, SegmentModel] = {}
    assigned, moves = [], []
    for features in stale_features(lake, "customer_segments", "model_version", version.label, HELD):
        earlier |= segments_by_label(
            registry, set(features["held_version"].dropna()) - {version.label, *earlier}
        )
        rows, moved = _follow(features, version, model, earlier, phrases, now)
        assigned.append(rows)
        moves.append(moved)
    fresh, moved_rows = to_arrow(assigned), to_arrow(moves)
    with lake.writer("assign segments") as connection, transaction(connection):
        replace_customers(connection, "customer_segments", fresh)
        append(connection, "segment_moves", moved_rows)
        keep_list_of_segments(connection, version, model)
    causes = [cause for part in moves for cause in part["cause"]]
    return Assigned(
        customers=0 if fresh is None else fresh.num_rows,
        moves=len(causes),
        moves_of_behaviour=causes.count(BEHAVIOUR),
    )


def _follow(
    features: pd.DataFrame,
    version: Version,
    model: SegmentModel,
    earlier: Mapping[str, SegmentModel],
    phrases: Mapping[str, Phrase],
    now: datetime,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of ``customer_segments`` and of ``segment_moves``."""
    held = Held(
        segment_id=features["segment_id"].fillna(-1).to_numpy(dtype=np.int64),
        version=[None if pd.isna(label) else label for label in features["held_version"]],
        values=features["feature_values"].tolist(),
    )
    followed = follow_customers(model, version.label, features, held, earlier, phrases)
    rows = followed.assigned.astype({"segment_id": "int32", "second_id": "int32"})
    for name in ("customer_key", "as_of", "batch_id"):
        rows[name] = features[name]
    rows["first_as_of"] = features["first_as_of"].fillna(features["as_of"])
    rows["model_version"], rows["assigned_at"] = version.label, now
    at = followed.moves["row"].to_numpy()
    before, after = features.iloc[at], rows.iloc[at]
    moves = pd.DataFrame(
        {
            "customer_key": after["customer_key"],
            "from_segment_id": before["segment_id"].astype("int32"),
            "from_segment_name": before["segment_name"],
            "to_segment_id": after["segment_id"],
            "to_segment_name": after["segment_name"],
            "moved_at": after["as_of"],
            "cause": followed.moves["cause"].to_numpy(),
            "why": followed.moves["why"].to_numpy(),
            "model_version": version.label,
            "assigned_at": now,
            "batch_id": after["batch_id"],
        }
    )
    return rows, moves


def keep_list_of_segments(
    connection: duckdb.DuckDBPyConnection, version: Version, model: SegmentModel
) -> None:
    """Bring ``marts.segments`` to what is in force: repeating it, or going back, is safe.

    A segment that is new is born as of the newest features; one that is no longer in force is
    retired as of them, and a retired one that is in force again (after a rollback) lives on.
    """
    typical = model.space.unlogged(model.centroids)
    rows = pa.table(
        {
            "segment_id": pa.array([APART, *model.ids], pa.int32()),
            "segment_name": [model.apart_name, *model.names],
            "colour": [APART_COLOUR, *model.colours],
            "typical": pa.array(
                [None, *(list(zip(model.space.columns, row, strict=True)) for row in typical)],
                pa.map_(pa.string(), pa.float64()),
            ),
            "model_version": [version.label] * (model.k + 1),
        }
    )
    connection.register("segments_in_force", rows)
    connection.execute(
        """
        create or replace temporary table all_segments as
        with instant as (
            select coalesce(max(as_of), (select max(as_of) from ops.clock)) as as_of
            from marts.customer_features
        )
        select
            coalesce(present.segment_id, known.segment_id) as segment_id,
            coalesce(present.segment_name, known.segment_name) as segment_name,
            coalesce(present.colour, known.colour) as colour,
            case when present.segment_id is null then known.typical else present.typical end
                as typical,
            coalesce(known.born_at, instant.as_of) as born_at,
            case when present.segment_id is null then coalesce(known.retired_at, instant.as_of) end
                as retired_at,
            coalesce(present.model_version, known.model_version) as model_version
        from segments_in_force as present
        full join marts.segments as known on present.segment_id = known.segment_id
        cross join instant
        """
    )
    changed = connection.execute(
        "select count(*) from (from all_segments except from marts.segments)"
    ).fetchone()
    if changed is not None and changed[0]:
        connection.execute("delete from marts.segments")
        connection.execute("insert into marts.segments by name from all_segments")
    connection.execute("drop table all_segments")
