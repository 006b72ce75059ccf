"""Segments found anew and matched to those in force, between the lake, ``ml`` and the registry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from ml.segment_identity import Identity, keep_identity
from ml.segment_model import SegmentModel
from ml.segment_store import UnknownFormat, save
from ml.segments import SPACES, Protocol, fit_segments
from orchestration.champions import SEGMENTS, load_segments
from orchestration.lake import Lake, current_snapshot
from orchestration.registry import Registry, Version, code_version, scratch_folder
from orchestration.settings import Settings

MONTH_DAYS = 30
LEAST_DAYS = 14
NEXT_ID = "next_segment_id"
AS_OF = "as_of"


@dataclass(frozen=True)
class Material:
    """What segments are found from.

    Attributes
    ----------
    features : DataFrame
        Customers now.
    earlier : DataFrame or None
        The same about a month before.
    outcomes : DataFrame or None
        Features at a past date, with ``next_spend`` and ``churned`` of the time after it.
    names_ever : tuple of str
        Of all segments that there were.
    next_id : int
        Above the id of every segment that there was.
    snapshot : int
        Of the lake.
    """

    features: pd.DataFrame
    earlier: pd.DataFrame | None
    outcomes: pd.DataFrame | None
    names_ever: tuple[str, ...]
    next_id: int
    snapshot: int

    @property
    def as_of(self) -> datetime:
        """Newest instant of the features."""
        instant: datetime = self.features["as_of"].max().to_pydatetime()
        return instant


@dataclass(frozen=True)
class Found:
    """Segments found anew, and what became of those before."""

    model: SegmentModel
    identity: Identity
    before: Version | None


def read_material(lake: Lake) -> Material:
    """Read everything that segments are found from, at the live edge."""
    with lake.reader(latest=True) as connection:
        features = connection.execute("from marts.customer_features order by customer_key").df()
        return Material(
            features=features,
            earlier=_earlier(connection),
            outcomes=_outcomes(connection),
            names_ever=tuple(
                name
                for (name,) in connection.execute(
                    "select segment_name from marts.segments order by segment_id"
                ).fetchall()
            ),
            next_id=_one(
                connection,
                "select 1 + coalesce(max(segment_id), 0) from (select segment_id from "
                "marts.segments union all select segment_id from marts.customer_segments)",
            ),
            snapshot=current_snapshot(connection),
        )


def find_segments(material: Material, registry: Registry, values: Settings, log: Any) -> Found:
    """Find segments by the protocol, and give those that were there their identity back.

    Raises
    ------
    NoSegments
        The customers do not fall into groups.
    """
    before = old = None
    try:
        before, old = load_segments(registry) or (None, None)
    except UnknownFormat as problem:
        log.warning(f"every segment gets a new id: {problem}")
    fitted = fit_segments(
        material.features,
        SPACES[values.segment_features],
        Protocol(pinned=values.segment_family, pinned_k=values.segment_count),
        earlier=material.earlier,
        outcomes=material.outcomes,
        incumbent=old if old and old.space.spec.name == values.segment_features else None,
        seed=values.seed,
    )
    newest = registry.newest(SEGMENTS)
    registered = 1 if newest is None else int(newest.tags.get(NEXT_ID, 1))
    model, identity = keep_identity(
        fitted,
        old,
        material.features,
        next_id=max(material.next_id, registered),
        names_ever=material.names_ever,
    )
    return Found(model, identity, before)


def register_segments(
    registry: Registry,
    found: Found,
    material: Material,
    values: Settings,
    pictures: Mapping[str, bytes],
) -> Version:
    """Keep segments as the next version, and put them in force."""
    model, identity = found.model, found.identity
    with scratch_folder() as name:
        folder = Path(name)
        save(model, folder)
        for title, image in pictures.items():
            (folder / f"{title}.png").write_bytes(image)
        version = registry.register(
            SEGMENTS,
            folder,
            metrics={"silhouette": model.at_fit.silhouette, "segments": model.k},
            parameters={
                "seed": values.seed,
                "customers": len(material.features),
                "family": model.family,
                "space": model.space.spec.name,
            },
            tags={
                "lake_snapshot": str(material.snapshot),
                "code_version": code_version(),
                AS_OF: material.as_of.isoformat(),
                NEXT_ID: str(model.next_id),
                "matched_to": "" if found.before is None else found.before.label,
                "kept": json.dumps([each.segment_id for each in identity.kept]),
                "born": json.dumps([number for number, _ in identity.born]),
                "retired": json.dumps([number for number, _ in identity.retired]),
            },
        )
    registry.promote(version, "; ".join(identity.notices()))
    return version


def _earlier(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame | None:
    """Features nearest to a month before the newest, at least two weeks before it."""
    frame = connection.execute(
        """
        with newest as (
            select max(as_of) as as_of from marts.customer_features
        ),
        chosen as (
            select arg_min(
                history.as_of,
                abs(date_diff('hour', history.as_of, newest.as_of - to_days($month)))
            ) as as_of
            from (select distinct as_of from marts.customer_feature_history) as history
            cross join newest
            where history.as_of <= newest.as_of - to_days($least)
        )
        select history.*
        from marts.customer_feature_history as history
        inner join chosen on history.as_of = chosen.as_of
        order by history.customer_key
        """,
        {"month": MONTH_DAYS, "least": LEAST_DAYS},
    ).df()
    return None if frame.empty else frame


def _outcomes(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame | None:
    """Features at the newest date whose spend and churn afterwards are known."""
    frame = connection.execute(
        """
        with outcomes as (
            select
                customer_key,
                as_of,
                max(label) filter (where task = 'value') as next_spend,
                max(label) filter (where task = 'churn') as churned
            from marts.customer_labels
            where task in ('value', 'churn')
            group by 1, 2
            having count(distinct task) = 2
        )
        select features.*, outcomes.next_spend, outcomes.churned
        from marts.customer_feature_history as features
        inner join outcomes
            on
                features.customer_key = outcomes.customer_key
                and features.as_of = outcomes.as_of
        where outcomes.as_of = (select max(as_of) from outcomes)
        order by features.customer_key
        """
    ).df()
    return None if frame.empty else frame


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])
