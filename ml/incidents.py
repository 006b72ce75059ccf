"""Incidents: one per cause, however often it is found.

A finding belongs to the incident of its kind and subject that it touches, or that ended at most a
cool-down before it: the incident then grows. Anything else is a new incident. Finding the same
again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from ml.anomalies import Finding

SEVERITIES = ("medium", "high", "critical")
COOL_DOWN = pd.Timedelta(hours=24)


@dataclass(frozen=True)
class Incident:
    """What was found of one cause.

    Attributes
    ----------
    alert_id : str
        The same for the same first finding, whoever finds it and how often.
    finding : Finding
        From the beginning to the newest row, as severe and as unusual as it ever was.
    """

    alert_id: str
    finding: Finding


def merge(
    known: Sequence[Incident], findings: Iterable[Finding], cool_down: pd.Timedelta = COOL_DOWN
) -> list[Incident]:
    """Incidents that are new or that the findings changed, in order of their beginning.

    Parameters
    ----------
    known : sequence of Incident
        Of the kinds and subjects of the findings; others do no harm.
    """
    before = {incident.alert_id: incident for incident in known}
    now = dict(before)
    of_cause: dict[tuple[str, str], set[str]] = {}
    for incident in known:
        of_cause.setdefault(_cause(incident.finding), set()).add(incident.alert_id)
    for finding in sorted(findings, key=lambda one: (one.since, *_cause(one))):
        ids = of_cause.setdefault(_cause(finding), set())
        touched = [
            now[alert_id]
            for alert_id in sorted(ids)
            if finding.since <= now[alert_id].finding.last_seen_at + cool_down
            and now[alert_id].finding.since <= finding.last_seen_at + cool_down
        ]
        if touched:
            incident = min(touched, key=lambda one: abs(one.finding.since - finding.since))
            now[incident.alert_id] = replace(incident, finding=_grown(incident.finding, finding))
        else:
            alert_id = alert_id_of(finding)
            now[alert_id] = Incident(alert_id, finding)
            ids.add(alert_id)
    changed = [incident for name, incident in now.items() if before.get(name) != incident]
    return sorted(changed, key=lambda incident: (incident.finding.since, incident.alert_id))


def alert_id_of(finding: Finding) -> str:
    """Twelve hexadecimal digits of what, whose and when."""
    text = f"{finding.kind}\0{finding.subject}\0{finding.detected_at.isoformat()}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def severity_rank(severity: str) -> int:
    """0 for the least."""
    return SEVERITIES.index(severity)


def _cause(finding: Finding) -> tuple[str, str]:
    return finding.kind, finding.subject


def _grown(old: Finding, new: Finding) -> Finding:
    """Both in one: the words and rows of the more severe, then more unusual, of the two."""
    graver = max(old, new, key=lambda one: (severity_rank(one.severity), one.score))
    return replace(
        graver,
        score=max(old.score, new.score),
        since=min(old.since, new.since),
        detected_at=min(old.detected_at, new.detected_at),
        last_seen_at=max(old.last_seen_at, new.last_seen_at),
        rows=graver.rows or old.rows,
    )
