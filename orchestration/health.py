"""Is the pipeline well? A verdict from facts, by thresholds that the settings name."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from orchestration.settings import Settings

Level = Literal["healthy", "degraded", "failing"]
EXIT_CODES: dict[Level, int] = {"healthy": 0, "degraded": 1, "failing": 2}


@dataclass(frozen=True)
class Backlog:
    """Landed files that are not taken yet.

    Attributes
    ----------
    oldest_seconds
        How long the oldest one has waited; None without any.
    unsettled
        Files that may still be being written.
    """

    files: int
    bytes: int
    oldest_seconds: float | None
    unsettled: int


@dataclass(frozen=True)
class Lag:
    """Seconds from the arrival of a batch's newest file until readers saw it.

    Attributes
    ----------
    last, p50, p95
        Of the newest batch with files, and over the last 100 such batches.
    """

    last: float
    p50: float
    p95: float
    batches: int


@dataclass(frozen=True)
class Collecting:
    """The collector's journals, which are not in landing yet.

    Attributes
    ----------
    oldest_seconds
        Since when the oldest journal has taken rows; None without any.
    """

    is_running: bool
    journals: int
    bytes: int
    oldest_seconds: float | None


@dataclass(frozen=True)
class Working:
    """The live worker, by its heartbeat; one that ended as it should is none."""

    pid: int
    is_alive: bool
    seconds_ago: float
    batch_id: int | None
    batches: int
    lag_seconds: float | None
    version: str


@dataclass(frozen=True)
class Disk:
    """Bytes free on the file system of the home, and used by each of its parts."""

    free: int
    total: int
    used: dict[str, int]


@dataclass(frozen=True)
class Facts:
    """How things stand.

    Attributes
    ----------
    problem
        Why the lake cannot be read; then only lease and disk are known.
    unpublished_seconds
        How long the oldest batch that readers do not see yet has waited.
    last_success
        Stage to seconds since it last succeeded.
    failed_runs
        Runs since the last success, of each job whose last run failed.
    """

    lease: str
    disk: Disk
    collector: Collecting
    live: Working | None
    problem: str | None = None
    backlog: Backlog | None = None
    lag: Lag | None = None
    batches: int = 0
    unpublished: int = 0
    unpublished_seconds: float | None = None
    last_success: dict[str, float] = field(default_factory=dict)
    failed_runs: dict[str, int] = field(default_factory=dict)
    backup_seconds: float | None = None
    daemon_seconds: float | None = None


@dataclass(frozen=True)
class Health:
    """A verdict, with every reason that it has."""

    verdict: Level
    reasons: tuple[str, ...]
    facts: Facts

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]

    def to_dict(self) -> dict[str, Any]:
        """Verdict, reasons and facts, as JSON has them."""
        return {"verdict": self.verdict, "reasons": list(self.reasons), **asdict(self.facts)}

    def __str__(self) -> str:
        return f"{self.verdict}: {'; '.join(self.reasons)}" if self.reasons else self.verdict


def judge(facts: Facts, values: Settings) -> Health:
    """Failing: readers get no news, or rows are about to be refused. Degraded: it is getting there.

    A home that has nothing to do is healthy, however long it has been so.
    """
    found = list(_findings(facts, values))
    verdict: Level = "healthy"
    for level, _ in found:
        if EXIT_CODES[level] > EXIT_CODES[verdict]:
            verdict = level
    found.sort(key=lambda one: -EXIT_CODES[one[0]])
    return Health(verdict, tuple(reason for _, reason in found), facts)


def _findings(facts: Facts, values: Settings) -> Iterator[tuple[Level, str]]:
    if facts.problem is not None:
        yield "failing", facts.problem
    free = facts.disk.free / 1e6
    if free < values.health_free_mb:
        yield "failing", f"{free:,.0f} MB free on the disk, at least {values.health_free_mb:,.0f}"
    elif free < 2 * values.health_free_mb:
        yield "degraded", f"{free:,.0f} MB free on the disk"
    waits = {
        "the oldest landed file waits": (
            None if facts.backlog is None else facts.backlog.oldest_seconds
        ),
        "a batch is not published for": facts.unpublished_seconds,
    }
    for what, seconds in waits.items():
        if seconds is None:
            continue
        if seconds > values.health_failing_minutes * 60:
            yield "failing", f"{what} {_minutes(seconds)}"
        elif seconds > values.health_degraded_minutes * 60:
            yield "degraded", f"{what} {_minutes(seconds)}"
    for job, runs in sorted(facts.failed_runs.items()):
        yield "degraded", f"{job} failed {runs} times since it last succeeded"
    if facts.live is not None and not facts.live.is_alive:
        ago = _minutes(facts.live.seconds_ago)
        yield "degraded", f"the live worker gave no sign of life for {ago}"
    collector = facts.collector
    if collector.oldest_seconds is not None and not collector.is_running:
        yield "degraded", f"{collector.journals} journals of a collector that does not run"
    hours = values.health_backup_hours
    if hours is not None and (facts.backup_seconds is None or facts.backup_seconds > hours * 3600):
        age = "none" if facts.backup_seconds is None else _minutes(facts.backup_seconds)
        yield "degraded", f"the newest backup: {age}, at most {hours:g} hours old"


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min" if seconds < 48 * 3600 else f"{seconds / 86400:,.0f} days"
