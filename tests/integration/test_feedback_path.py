"""Feedback from a file to the marts: personal data stays in raw, odd bodies harm nothing."""

from pathlib import Path

import pytest

from ml.text_minilm import is_installed
from orchestration.lake import Lake
from tests.integration.deployment import Deployment

POSTED = "2026-09-29T12:00:00Z"
PLANTED = (
    "jane.planted@example.com",
    "+49 170 7654321",
    "4111 1111 1111 1111",
    "DE89370400440532013000",
)
ODD = (
    "\u200b",
    "😡😡😡",
    "<p>Great <b>service</b>, thank you!</p>",
    "הטלוויזיה הגיעה שבורה",
    "late " * 20_000,
)
ANGRY = "The lamp broke after a day, terrible. I want my money back."


def _ticket(name: str, body: str, ref: str | None = None) -> dict[str, object]:
    return {
        "feedback_ref": name,
        "posted_at": POSTED,
        "body": body,
        "source_type": "ticket",
        "customer_ref": ref,
    }


def _holding(deployment: Deployment, text: str) -> list[str]:
    """Tables of the live edge in which a text stands, whatever the column."""
    with Lake.from_settings(deployment.values).reader(latest=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where database_name = 'lake'"
        ).fetchall()
        tables += [("staging.stg_feedback",), ("intermediate.int_feedback",)]
        return [
            name
            for (name,) in tables
            if connection.execute(
                f"select 1 from {name} as t where contains(t::varchar, ?) limit 1", [text]
            ).fetchone()
        ]


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_feedback_is_masked_read_and_counted(demo: tuple[Deployment, str], tmp_path: Path) -> None:
    deployment, _ = demo
    ((ref,),) = deployment.query(
        "select min(customer_ref) from raw.orders where customer_ref is not null"
    )
    rows = [_ticket(f"odd-{i}", body) for i, body in enumerate(ODD)]
    rows += [_ticket(f"pii-{i}", f"Reach me: {each}, please") for i, each in enumerate(PLANTED)]
    rows.append(_ticket("none", ""))
    path = deployment.drop("tickets.jsonl", [*rows, _ticket("angry", ANGRY, str(ref))], "feedback")
    with path.open("ab") as file:
        file.write(
            b'{"feedback_ref": "bytes", "posted_at": "2026-09-29T12:00:00Z", '
            b'"body": "a\xff\xfeb"}\n'
        )
    deployment.batch_job()
    signals = {
        str(name): (body, mood, reason)
        for name, body, mood, reason in deployment.query(
            "select feedback_ref, body, sentiment, unread_reason from marts.feedback_signals "
            f"where posted_at = '{POSTED[:-1]}'"
        )
    }
    taken = {str(name) for (name,) in deployment.query("select feedback_ref from raw.feedback")}
    assert signals.keys() == {str(row["feedback_ref"]) for row in rows} - {"none"} | {
        "angry",
        "bytes",
    }
    assert signals.keys() <= taken
    (reasons,) = deployment.query(
        "select reasons from ops.rejected_rows where contains(payload, '\"none\"')"
    )
    assert reasons == (["body: missing"],)
    assert signals["pii-0"][0] == "Reach me: [EMAIL], please"
    assert signals["odd-0"][2] == "empty"
    for planted in PLANTED:
        assert _holding(deployment, planted) == ["raw.feedback"]
        reports = deployment.values.reports.rglob("*")
        found = [
            file for file in reports if file.is_file() and planted.encode() in file.read_bytes()
        ]
        assert found == []
    if is_installed():
        assert signals["angry"][1] == "negative"
        ((key,),) = deployment.query(
            "select customer_key from marts.feedback_signals where feedback_ref = 'angry'"
        )
        ((complaints,),) = deployment.query(
            f"select complaints_30d from marts.customer_features where customer_key = '{key}'"
        )
        assert float(str(complaints)) >= 1
        ((members,),) = deployment.query(
            f"select count(*) from marts.rule_segments where rule = 'frustrated' "
            f"and customer_key = '{key}'"
        )
        assert members == 1
