"""One micro-batch from files to published scores, in a process that is warm already.

Every stage is the function that its Dagster asset calls; only dbt's part is replayed.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestration.alert_delivery import deliver
from orchestration.alerts import AlertRun, record_alerts
from orchestration.champions import load_champions, load_segments
from orchestration.clock import Clock, set_clock
from orchestration.dbt_increment import Recording
from orchestration.event_score_tables import SESSION_INTENT
from orchestration.event_scores import write_event_scores
from orchestration.ingestion.arrivals import take_files
from orchestration.ingestion.files import LandedFile
from orchestration.ingestion.reports import BatchReport
from orchestration.lake import Lake
from orchestration.listening.issues import Heard, hear_issues
from orchestration.listening.mentions import search_mentions
from orchestration.live.guard import require_conserved, require_sound_scores
from orchestration.phrases import feature_phrases
from orchestration.publication import publish
from orchestration.registry import Registry
from orchestration.rules.evaluation import Evaluation, evaluate_rules
from orchestration.score_tables import model_versions, write_scores
from orchestration.segment_tables import Assigned, assign_segments
from orchestration.settings import Settings
from orchestration.texts.stage import Taken, take_fresh_texts

EVENT_SCORES = (SESSION_INTENT,)
"""The others follow, see `orchestration.live.catch_up`."""
LARGE_BATCH_ROWS = 20_000
"""From so many rows on a batch is given `Settings.threads`."""
WAITED_SECONDS = 1.0
"""Whoever waited for the turn for longer takes what came meanwhile, too."""


@dataclass
class Carried:
    """What became of a batch.

    Attributes
    ----------
    files
        What it was given, and what came while it waited for the turn.
    snapshot
        The lake snapshot from which on readers see it; None when a decision or a file came in
        between, which the next batch publishes too.
    seconds
        How long each stage took; ``whole`` is the transaction with its stages and its commit.
    """

    files: Sequence[LandedFile] = ()
    report: BatchReport = field(default_factory=lambda: BatchReport(None))
    texts: Taken = field(default_factory=Taken)
    mentions: int = 0
    heard: Heard = field(default_factory=Heard)
    clock: Clock | None = None
    assigned: Assigned = field(default_factory=Assigned)
    scored: int = 0
    event_scores: dict[str, int] = field(default_factory=dict)
    models: str = ""
    rules: Evaluation | None = None
    alerts: AlertRun | None = None
    snapshot: int | None = None
    published_at: datetime | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)


def carry_batch(
    lake: Lake,
    values: Settings,
    increment: Recording,
    files: Sequence[LandedFile],
    run_id: str,
    log: Callable[[str], None],
    look_again: Callable[[], Sequence[LandedFile]] = tuple,
) -> Carried:
    """Ingest files and carry all that waits through to the scores, while nobody else does.

    From the clock to the alerts a batch is one commit of the lake. Rules come after it: one that
    fails on a row is disabled and holds up no other, which a transaction would not survive.

    Raises
    ------
    IncrementFailed, FeaturesGone, UnsoundScores, NotConserved
        The batch stays unpublished, and is carried through by whoever comes next.
    """
    done, asked = Carried(files), time.monotonic()
    with lake.turn(f"live batch of {len(files)} files, run {run_id}"):
        if time.monotonic() - asked >= WAITED_SECONDS:
            done.files = _newest([*files, *look_again()])
        with done.stage("ingest"):
            done.report = _ingest(lake, values, done.files, run_id)
        threads = threads_for(done.report.received, values)
        lake.use_threads(threads)
        with done.stage("whole"), lake.together(f"live batch, run {run_id}") as one:
            with done.stage("texts"):
                done.texts = take_fresh_texts(one, values, log)
                done.mentions = search_mentions(one, values, fresh_only=True).mentions
            if not _tables(one, values, increment, done).has_new_batches:
                return done
            _score(one, values, threads, done)
            with done.stage("listening"):
                done.heard = hear_issues(one, values)
            with done.stage("alerts"):
                events, recorded = record_alerts(one, values, _now())
            with done.stage("checks"), one.reader(latest=True) as connection:
                require_sound_scores(connection, EVENT_SCORES)
            with done.stage("conservation"), one.reader(latest=True) as connection:
                require_conserved(connection, values.landing)
        with done.stage("rules"):
            done.rules = evaluate_rules(lake, values.segments, _now())
        with done.stage("publish"), lake.writer("publish") as connection:
            done.snapshot = publish(connection, _now())
        done.published_at = _now()
    with done.stage("telling"):
        delivered = deliver(lake, values, _now(), recorded.historic, log)
    done.alerts = AlertRun(events, recorded, delivered)
    return done


def threads_for(rows: int, values: Settings) -> int:
    """Threads for a batch: a small one waits for the catalog, which no second makes faster."""
    return values.threads if rows >= LARGE_BATCH_ROWS else values.live_threads


def _newest(files: Sequence[LandedFile]) -> list[LandedFile]:
    """Every file once, as it was seen last."""
    return list({file.path: file for file in files}.values())


def _tables(lake: Lake, values: Settings, increment: Recording, done: Carried) -> Clock:
    with lake.writer("set the clock") as connection:
        with done.stage("clock"):
            done.clock = set_clock(connection, values)
        if done.clock.has_new_batches:
            with done.stage("tables"):
                increment.replay(connection)
    return done.clock


def _ingest(lake: Lake, values: Settings, files: Sequence[LandedFile], run_id: str) -> BatchReport:
    by_hour: dict[str, list[LandedFile]] = {}
    for file in files:
        by_hour.setdefault(file.partition_key, []).append(file)
    report = BatchReport(None)
    with lake.writer(f"ingest, run {run_id}") as connection:
        for hour, arrived in sorted(by_hour.items()):
            taken = take_files(connection, arrived, hour, run_id, values.pseudonym_key())
            report = report.and_then(taken)
    return report


def _score(lake: Lake, values: Settings, threads: int, done: Carried) -> None:
    registry = Registry(values)
    with done.stage("segments"):
        segments = load_segments(registry)
        if segments is not None:
            done.assigned = assign_segments(lake, registry, *segments, feature_phrases(), _now())
    with done.stage("scores"):
        champions = load_champions(registry)
        done.models = model_versions(champions)
        done.scored = write_scores(lake, champions, feature_phrases(), _now(), threads)
    for table in EVENT_SCORES:
        with done.stage(table.name):
            phrases = feature_phrases(table.task.name)
            scored = write_event_scores(lake, registry, table, phrases, _now(), threads)
            done.event_scores[table.name] = scored or 0


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
