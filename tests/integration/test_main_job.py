"""The main job as a newcomer starts it, and what untidy files do to its result."""

import sys

import pytest

from orchestration.lake import Lake
from orchestration.settings import PROJECT_ROOT
from tests.integration.deployment import SHOAL, Deployment


def test_summary_says_what_came_out(demo: tuple[Deployment, str]) -> None:
    _, said = demo
    for part in (
        "received",
        "recency alone",
        "logistic regression",
        "churn:1",
        "passed",
        "reports",
    ):
        assert part in said


def test_every_customer_has_one_row_and_active_ones_a_score(
    demo: tuple[Deployment, str],
) -> None:
    deployment, _ = demo
    ((customers, scores, distinct, churn, reasons),) = deployment.query(
        """
        select
            (select count(*) from marts.customers), count(*), count(distinct customer_key),
            count(churn_probability), min(len(top_reasons))
        from marts.customer_scores
        """
    )
    assert customers == scores == distinct
    assert isinstance(churn, int)
    assert churn > 50
    assert reasons == 1 or reasons == 3
    ((wrong,),) = deployment.query(
        "select count(*) from marts.customer_scores where churn_probability not between 0 and 1"
    )
    assert wrong == 0


def test_rules_have_members_and_are_listed(demo: tuple[Deployment, str]) -> None:
    deployment, said = demo
    rows = deployment.query("select rule, error from ops.segment_rules")
    assert {str(rule) for rule, _ in rows} == {
        path.stem for path in (PROJECT_ROOT / "segments").iterdir()
    }
    assert [error for _, error in rows if error is not None] == []
    members = dict(deployment.query("select rule, count(*) from marts.rule_segments group by 1"))
    assert {"champions", "loyal", "at_risk", "new_customers"} <= members.keys()
    listed = deployment.run(str(SHOAL), "segments", "rules")
    for rule, title in (("champions", "Champions"), ("at_risk", "At risk")):
        assert f"{members[rule]:,}" in listed
        assert title in listed
        assert title in said


def test_no_raw_identifier_leaves_raw(demo: tuple[Deployment, str]) -> None:
    deployment, _ = demo
    columns = deployment.query(
        "select table_schema, table_name, column_name from information_schema.columns "
        "where table_schema in ('staging', 'intermediate', 'marts') and column_name in "
        "('customer_ref', 'anonymous_ref', 'email', 'phone', 'full_name', 'address')"
    )
    assert columns == []


def test_every_body_outside_of_raw_is_a_masked_one(demo: tuple[Deployment, str]) -> None:
    deployment, _ = demo
    tables = deployment.query(
        "select table_schema || '.' || table_name from information_schema.columns where "
        "table_schema in ('staging', 'intermediate', 'marts') and column_name = 'body'"
    )
    assert ("marts.feedback_signals",) in tables
    for (table,) in tables:
        assert deployment.query(
            f"select count(*) filter (where masked.feedback_ref is null), count(*) > 0 "
            f"from {table} as t left join ops.masked_texts as masked "
            "on t.feedback_ref = masked.feedback_ref and t.body = masked.body"
        ) == [(0, True)]


@pytest.mark.usefixtures("alone")
def test_a_file_with_bad_rows_scores_the_good_ones_and_keeps_the_bad(
    demo: tuple[Deployment, str],
) -> None:
    deployment, _ = demo
    rows: list[dict[str, object]] = [
        {
            "event_id": f"untidy-{number}",
            "occurred_at": "2026-09-30T20:00:00Z" if number % 10 else "0001-01-01",
            "event_type": "page_view",
            "customer_ref": f"untidy-customer-{number % 5}",
        }
        for number in range(1, 101)
    ]
    path = deployment.drop("untidy.jsonl", rows)
    deployment.batch_job()
    ledger = "select received, accepted, duplicates, rejected from ops.landed_files where file = "
    assert deployment.query(f"{ledger} 'events/untidy.jsonl'") == [(100, 90, 0, 10)]
    reasons = deployment.query(
        "select distinct reasons from ops.rejected_rows where file = 'events/untidy.jsonl'"
    )
    assert len(reasons) == 1
    assert "occurred_at" in str(reasons[0])
    ((newest,),) = deployment.query(
        "select count(*) from marts.customer_scores "
        "where batch_id = (select max(batch_id) from ops.batches)"
    )
    assert newest == 5

    # the same file again, then its content under another name: no table changes
    before = deployment.fingerprints(), deployment.query("from ops.landed_files order by file")
    path.write_bytes(path.read_bytes())
    (path.parent / "another_name.jsonl").write_bytes(path.read_bytes())
    deployment.batch_job()
    after = deployment.fingerprints(), deployment.query("from ops.landed_files order by file")
    assert after == before


@pytest.mark.parametrize(
    "task",
    [
        "churn",
        *(
            pytest.param(task, marks=pytest.mark.slow)
            for task in ("purchase", "value", "inactivity")
        ),
    ],
)
@pytest.mark.usefixtures("alone")
def test_a_model_is_trained_again_from_its_record(demo: tuple[Deployment, str], task: str) -> None:
    """The same snapshot, code and seed give every byte of the model and every score again."""
    deployment, _ = demo
    said = deployment.run(str(SHOAL), "models", "retrain", task, "--version", "1")
    assert f"{task}:1 retrained from snapshot" in said
    assert "identical, every byte of the model and every score" in said


@pytest.mark.slow
@pytest.mark.parametrize("job", ["daily_job", "training_job", "rebuild_job"])
@pytest.mark.usefixtures("alone")
def test_what_runs_on_a_schedule_scores_everyone_and_carries_waiting_batches_through(
    demo: tuple[Deployment, str], job: str
) -> None:
    deployment, _ = demo
    ((before,),) = deployment.query("select count(*) from marts.customers")
    row = {
        "event_id": f"waits for {job}",
        "occurred_at": "2026-09-30T21:00:00Z",
        "event_type": "page_view",
        "customer_ref": f"waits for {job}",
    }
    deployment.drop(f"{job}.jsonl", [row])
    deployment.ingest_only()
    deployment.run(
        sys.executable, "-c", f"from orchestration.demo import run_job; run_job('{job}')"
    )
    assert isinstance(before, int)
    for table in ("customers", "customer_scores", "customer_features"):
        assert deployment.query(f"select count(*) from marts.{table}") == [(before + 1,)]
    assert deployment.query("select count(*) from ops.batches where snapshot_id is null") == [(0,)]


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_tables_of_an_earlier_version_are_computed_anew(demo: tuple[Deployment, str]) -> None:
    """Set-up finds the columns that a model has by now and its table lacks."""
    deployment, _ = demo

    def steps() -> list[tuple[object, ...]]:
        with Lake.from_settings(deployment.values).reader(latest=True) as connection:
            return connection.execute("from marts.journey_steps order by all").fetchall()

    before = steps()
    with Lake.from_settings(deployment.values).writer("test: an earlier version") as connection:
        connection.execute("alter table intermediate.int_touched_visitors drop column touched_from")
        connection.execute("alter table marts.journey_steps drop column cost")
        connection.execute("create or replace view staging.stg_consents as select 1 as behind")
    (deployment.values.home / "made_from").write_text("an earlier version")
    said = deployment.run(str(SHOAL), "setup")
    assert "int_touched_visitors" in said
    assert "journey_steps" in said
    assert steps() == before
    assert "computed anew" not in deployment.run(str(SHOAL), "setup")
