"""Claims about masked texts and their readings."""

import dagster as dg
import duckdb

SAMPLE = 2_000
LOOKED_FOR = frozenset({"email", "phone", "card", "iban"})
"""What has a pattern that is the same before and after masking; names depend on their company."""
MOST_UNDETERMINED = 0.3
LEAST_TEXTS = 50


def check_every_feedback_is_masked(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Every feedback of raw has exactly one masked text."""
    missing, more = _row(
        connection,
        """
        select
            count(*) filter (where masked.feedback_ref is null),
            count(*) - count(distinct feedback.feedback_ref)
        from raw.feedback as feedback
        left join ops.masked_texts as masked
            on
                feedback.feedback_ref = masked.feedback_ref
                and feedback.batch_id = masked.batch_id
        """,
    )
    return dg.AssetCheckResult(
        passed=not missing and not more,
        description=f"{missing} feedbacks without a masked text, {more} with more than one",
        metadata={"not_masked": missing, "masked_twice": more},
    )


def check_masked_texts_hold_no_personal_data(
    connection: duckdb.DuckDBPyConnection,
) -> dg.AssetCheckResult:
    """No e-mail, telephone, card or IBAN is left in a sample of masked texts, the newest first."""
    from ml.text_pii import find

    rows = connection.execute(
        "select feedback_ref, body from ops.masked_texts where kind = 'text' "
        "order by batch_id desc, feedback_ref limit ?",
        [SAMPLE],
    ).fetchall()
    leaks = [ref for ref, body in rows if any(f.kind in LOOKED_FOR for f in find(body))]
    return dg.AssetCheckResult(
        passed=not leaks,
        description=(
            f"{len(leaks)} of {len(rows)} masked texts hold personal data: feedback "
            f"{', '.join(leaks[:5])}. Change what finds it (ml/text_pii*.py) and its version "
            "(MASKER), which masks every text anew"
            if leaks
            else f"none in {len(rows)} texts"
        ),
        metadata={"looked_at": len(rows), "with_personal_data": len(leaks)},
    )


def check_every_text_is_read(
    connection: duckdb.DuckDBPyConnection, *, is_on: bool
) -> dg.AssetCheckResult:
    """Every masked text has a reading, which has a mood or says why not."""
    texts, waiting, reasonless = _row(
        connection,
        """
        select
            count(*),
            count(*) filter (where readings.content_hash is null),
            count(*) filter (
                where (readings.sentiment is null) = (readings.unread_reason is null)
                and readings.content_hash is not null
            )
        from ops.masked_texts as masked
        left join ops.text_readings as readings using (content_hash)
        """,
    )
    reasons = connection.execute(
        "select unread_reason, count(*) from ops.text_readings "
        "where unread_reason is not null group by 1 order by 1"
    ).fetchall()
    return dg.AssetCheckResult(
        passed=not reasonless and (not waiting or not is_on),
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            f"{waiting} of {texts} feedbacks are not read yet; the log of text_readings says why"
            if is_on
            else "texts are not read: SHOAL_READ_TEXTS is false"
        ),
        metadata={
            "feedbacks": texts,
            "not_read_yet": waiting,
            "without_reason": reasonless,
            **dict(reasons),
        },
    )


def check_languages_are_told(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """The language of most texts in words is clear; else they are very short, or not texts."""
    texts, undetermined = _row(
        connection,
        """
        select count(*), count(*) filter (where readings.language = 'und')
        from (select distinct content_hash from ops.masked_texts where kind = 'text') as masked
        inner join ops.text_readings as readings using (content_hash)
        where readings.unread_reason is distinct from 'not_installed'
        """,
    )
    share = undetermined / texts if texts else 0.0
    return dg.AssetCheckResult(
        passed=texts < LEAST_TEXTS or share <= MOST_UNDETERMINED,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{share:.0%} of {texts} texts are in no language that is clear",
        metadata={"texts": texts, "share_undetermined": share},
    )


def _row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(int(value) for value in row)
