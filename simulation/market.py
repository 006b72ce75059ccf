"""A whole market, written chunk by chunk so that memory does not grow with its size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

from simulation.anomalies import card_testers
from simulation.behaviour import Behaviour, behave, in_time
from simulation.campaigns import Campaigns, plan_campaigns
from simulation.catalogue import Catalogue, build_catalogue
from simulation.complaints import complaint_bursts
from simulation.config import MarketConfig
from simulation.crawlers import bot_runs, crawl
from simulation.people_tables import customer_table, feedback_table
from simulation.profiles import profile_rows, tester_profiles
from simulation.tables import (
    consent_table,
    event_table,
    line_table,
    message_table,
    order_table,
    product_table,
    tester_consents,
)
from simulation.truth import (
    anomalies_truth,
    campaigns_truth,
    complaints_truth,
    customers_truth,
    feedback_truth,
    identity_truth,
    strangers_truth,
)
from simulation.volume import fit_volume, incidents
from simulation.writer import land, write_whole

Tables = dict[str, pa.Table]

_RUNS_PER_CHUNK = 1_000


@dataclass
class MarketSummary:
    """What has been written: rows per entity, and the files in the landing folder."""

    rows: Counter[str] = field(default_factory=Counter)
    files: list[Path] = field(default_factory=list)


def market_chunks(config: MarketConfig) -> Iterator[tuple[Tables, Tables]]:
    """Canonical tables and truth tables, one pair per chunk.

    The chunks are: all persons in order of their number, then bots, then the planted
    anomalies together with what belongs to nobody (products, campaigns, kiosks).
    """
    campaigns, catalogue = plan_campaigns(config), build_catalogue(config)
    volume = fit_volume(config, campaigns, catalogue)
    for first in range(0, config.customers, config.chunk):
        numbers = np.arange(first, min(first + config.chunk, config.customers))
        behaviour = behave(config, campaigns, catalogue, numbers, volume)
        yield _person_tables(config, campaigns, catalogue, behaviour)
    for first in range(0, bot_runs(config), _RUNS_PER_CHUNK):
        runs = np.arange(first, min(first + _RUNS_PER_CHUNK, bot_runs(config)))
        yield {"events": event_table(in_time(crawl(config, runs)), campaigns.refs())}, {}
    yield _common_tables(config, campaigns, catalogue)


def _person_tables(
    config: MarketConfig, campaigns: Campaigns, catalogue: Catalogue, behaviour: Behaviour
) -> tuple[Tables, Tables]:
    persons = behaviour.persons
    canonical = {
        "customers": customer_table(profile_rows(config, persons)),
        "consents": consent_table(persons, behaviour.consents),
        "orders": order_table(behaviour.orders),
        "order_lines": line_table(behaviour.lines),
        "messages": message_table(behaviour.messages, campaigns, persons),
        "feedback": feedback_table(behaviour.feedback, catalogue),
        "events": event_table(behaviour.events, campaigns.refs()),
    }
    truth = {
        "customers_truth": customers_truth(config, behaviour),
        "identity_truth": identity_truth(behaviour),
        "feedback_truth": feedback_truth(behaviour.feedback),
    }
    return canonical, truth


def _common_tables(
    config: MarketConfig, campaigns: Campaigns, catalogue: Catalogue
) -> tuple[Tables, Tables]:
    found = incidents(config, catalogue)
    complaints = complaint_bursts(config)
    canonical = {
        "products": product_table(config, catalogue),
        "customers": customer_table(tester_profiles(config)),
        "consents": tester_consents(card_testers(config), config.start),
        "orders": order_table(np.concatenate([incident.orders for incident in found])),
        "order_lines": line_table(np.concatenate([incident.lines for incident in found])),
        "feedback": feedback_table(in_time(complaints.posts), catalogue),
        "events": event_table(
            in_time(np.concatenate([incident.events for incident in found])), campaigns.refs()
        ),
    }
    truth = {
        "identity_truth": strangers_truth(config, found),
        "anomalies_truth": anomalies_truth(found),
        "campaigns_truth": campaigns_truth(config, campaigns),
        "feedback_truth": feedback_truth(complaints.posts),
        "complaints_truth": complaints_truth(complaints),
    }
    return canonical, truth


def simulate(
    config: MarketConfig,
    landing: Path,
    truth: Path,
    arrived: datetime,
    progress: Callable[[int], None] | None = None,
) -> MarketSummary:
    """Write a market to the landing folder and its truth beside it.

    Parameters
    ----------
    landing : gets `<entity>/arrived=<UTC hour>/simulated-<seed>-<chunk>.parquet`.
    truth : gets `<table>/simulated-<seed>-<chunk>.parquet`; the pipeline never reads it.
    arrived : the hour under which all files land (UTC).
    progress : told after each chunk how many rows of events it wrote.
    """
    summary = MarketSummary()
    for chunk, (canonical, known) in enumerate(market_chunks(config)):
        name = f"simulated-{config.seed}-{chunk:04d}"
        for entity, table in canonical.items():
            path = land(table, landing, entity, arrived, name)
            summary.rows[entity] += table.num_rows
            if path is not None:
                summary.files.append(path)
        for subject, table in known.items():
            if table.num_rows:
                write_whole(table, truth / subject / f"{name}.parquet")
        if progress is not None:
            progress(canonical["events"].num_rows)
    return summary
