"""Evidently on texts, and the page of what customers say."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.lake import Lake
from orchestration.settings import settings

OWNERS = ["team:data-science"]
UNCHANGED = "texts_have_not_drifted"


@dg.asset(
    deps=[["marts", "feedback_signals"], ["ops", "clock"]],
    group_name="monitoring",
    kinds={"evidently"},
    owners=OWNERS,
    check_specs=[dg.AssetCheckSpec(UNCHANGED, asset="text_drift_report")],
)
def text_drift_report(
    context: dg.AssetExecutionContext, lake: Lake
) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
    """Language, length, mood, topics and wording of the last 28 days against the 84 before."""
    from ml.text_drift import LEAST_TEXTS, text_drift
    from orchestration.listening.drift import read_windows

    values = settings()
    with lake.reader(latest=True) as connection:
        windows = read_windows(connection)
    lake.give_way()
    sizes = {"reference_texts": len(windows.reference), "current_texts": len(windows.current)}
    if min(sizes.values()) < LEAST_TEXTS:
        reason = f"fewer than {LEAST_TEXTS} texts in a window"
        yield dg.MaterializeResult(metadata={"compared": False, "reason": reason, **sizes})
        yield texts_unchanged(None, reason)
        return
    result = text_drift(windows.reference, windows.current, seed=values.seed)
    path = values.reports / "text_drift.html"
    result.save_html(path)
    context.log.info(f"drifted: {', '.join(result.drifted) or 'nothing'}")
    yield dg.MaterializeResult(
        metadata={
            "compared": True,
            "drifted": ", ".join(result.drifted) or "none",
            "current_from": windows.begin.isoformat(),
            **sizes,
            "report": dg.MetadataValue.path(path),
        }
    )
    yield texts_unchanged(result.drifted)


def texts_unchanged(drifted: list[str] | None, reason: str = "") -> dg.AssetCheckResult:
    """Pass while nothing that is known of the texts has drifted; None: not compared."""
    said = (
        f"not compared: {reason}"
        if drifted is None
        else f"drifted: {', '.join(drifted)}; what the text models learnt may not hold any more"
        if drifted
        else "texts are as they were"
    )
    return dg.AssetCheckResult(
        check_name=UNCHANGED,
        passed=not drifted,
        severity=dg.AssetCheckSeverity.WARN,
        description=said,
        metadata={"drifted": len(drifted or [])},
    )


@dg.asset(
    deps=[
        ["marts", "feedback_signals"],
        ["marts", "listening_hours"],
        ["marts", "emerging_issues"],
        ["marts", "customer_segments"],
        ["ops", "clock"],
    ],
    group_name="monitoring",
    kinds={"html"},
    owners=OWNERS,
)
def listening_report(lake: Lake) -> dg.MaterializeResult[Any]:
    """What customers say, as one page: mood, topics, emerging issues, share of voice, examples."""
    from orchestration.listening.report import write_listening_report

    return dg.MaterializeResult(metadata=write_listening_report(lake, settings()))
