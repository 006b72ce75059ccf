"""The evaluation page says what the tables say, and plainly where a baseline is better."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.backtest import PROBABILITY_FIGURES, VALUE_FIGURES, Backtest, judge_predictions
from ml.churn import CHURN
from ml.groups import judge_groups
from ml.inactivity import INACTIVITY
from ml.profit import CostTable
from ml.propensity import PURCHASE
from ml.value import VALUE
from ml.words import MEASURES
from orchestration.definitions import defs
from orchestration.evaluation import Evaluation, TaskEvaluation, cost_table, evaluate
from orchestration.evaluation_page import Report, evaluation_report, findings
from orchestration.evaluation_report import has_dataset, write_evaluation
from orchestration.lake import Lake
from orchestration.pages import Page
from orchestration.settings import Settings

NOW = datetime(2026, 6, 1)


def predictions(seed: int = 0) -> pd.DataFrame:
    """Two origins of 600 customers; "oracle" knows more than the model, "coin" nothing."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0, 1.5, 1_200)
    truth = 1 / (1 + np.exp(-odds))
    return pd.DataFrame(
        {
            "origin": np.repeat(pd.to_datetime(["2026-01-01", "2026-03-01"]), 600),
            "customer_key": np.tile([f"c{i}" for i in range(600)], 2),
            "as_of": np.repeat(pd.to_datetime(["2026-01-01", "2026-03-01"]), 600),
            "label": (rng.random(1_200) < truth).astype(float),
            "model": 1 / (1 + np.exp(-(odds + rng.normal(0, 1, 1_200)))),
            "oracle": truth,
            "coin": rng.random(1_200),
        }
    )


@pytest.fixture(scope="module")
def judged() -> Backtest:
    return judge_predictions(predictions(), 30, "logit", seed=0, rounds=60)


def report(judged: Backtest) -> Report:
    rows = judged.predictions.assign(country=np.tile(["DE", "FR"], 600))
    groups = judge_groups(rows, ["country"], "logit", rounds=40)
    value = judge_predictions(
        predictions().assign(label=lambda t: t["label"] * 50, model=lambda t: t["model"] * 50),
        30, "log", seed=0, rounds=20,
    )  # fmt: skip
    tasks = (
        TaskEvaluation(CHURN, judged, groups),
        TaskEvaluation(PURCHASE, None, None, "3 of 5 as-of dates can be judged, not 4"),
        TaskEvaluation(VALUE, value, None),
    )
    found = Evaluation(NOW, 17, CostTable(1.0, 50.0, 0.1), tasks)
    return evaluation_report(found, "How good <the> models are", NOW)


def test_a_better_baseline_is_named_with_its_margin(judged: Backtest) -> None:
    lines = findings(judged, None)
    assert any(line.startswith("A baseline is better: oracle on ROC AUC, by 0.") for line in lines)
    assert any("Against coin the model is better on ROC AUC" in line for line in lines)
    assert not any("coin on ROC AUC, by" in line for line in lines)


def test_without_a_better_baseline_the_page_says_so(judged: Backtest) -> None:
    alone = judge_predictions(
        judged.predictions.drop(columns="oracle"), 30, "logit", seed=0, rounds=60
    )
    assert "No baseline is better on any measure." in findings(alone, None)


def test_a_flagged_group_is_told_from_one_whose_members_are_alike(judged: Backtest) -> None:
    rows = judged.predictions.assign(near=lambda t: t["oracle"].between(0.35, 0.65))
    bad = rows["customer_key"].str.endswith("7")
    shuffled = rows["model"].where(~bad, rows["model"].sample(frac=1, random_state=0).to_numpy())
    alike = judge_groups(rows.assign(model=rows["oracle"]), ["near"], "logit", rounds=60)
    wrong = judge_groups(
        pd.concat([rows.assign(model=shuffled, wrong=bad)] * 2), ["wrong"], "logit", rounds=60
    )
    said = [line for table in (alike, wrong) for line in findings(judged, table)]
    served = [line for line in said if line.startswith("Served clearly worse (ranking)")]
    assert any("near True" in line and "members are alike" in line for line in served)
    assert any("wrong True" in line and "less than its own" in line for line in served)


def test_page_has_every_task_in_both_forms(judged: Backtest) -> None:
    made = report(judged)
    text, page = made.page.markdown(), made.page.html()
    for each in (text, page):
        assert "lake snapshot 17" in each
        assert "Not judged: 3 of 5 as-of dates" in each
        assert "2026-01-01, 2026-03-01" in each
        assert "calibration slope" in each
        assert "country: DE" in each
        assert "By decile of the prediction" in each
    for name in (*PROBABILITY_FIGURES, *VALUE_FIGURES):
        assert f"| {MEASURES[name].words} | {MEASURES[name].meaning} |" in text
    assert "How good &lt;the&gt; models are" in page
    assert "http" not in page
    assert page.count("data:image/png;base64,") == text.count(".png)") == 5
    assert made.decisions["churn"].threshold == pytest.approx(0.2)
    assert set(made.tables) >= {"churn_by_origin", "churn_groups", "value_deciles"}


def test_without_a_worth_of_a_customer_the_page_gives_no_threshold(judged: Backtest) -> None:
    tasks = (
        TaskEvaluation(CHURN, None, None, "no completed order with a customer has landed"),
        TaskEvaluation(INACTIVITY, judged, None),
    )
    made = evaluation_report(Evaluation(NOW, 17, None, tasks), "Clicks", NOW)
    text = made.page.markdown()
    assert "Inactivity: no event and no order within 30 days" in text
    assert "Not judged: no completed order" in text
    assert "set SHOAL_VALUE_KEPT" in text
    assert made.decisions == {}


def test_page_is_saved_with_its_pictures(tmp_path: Path) -> None:
    page = Page("Title")
    page.picture("plot", b"png")
    page.table(pd.DataFrame({"a|b": ["x|y"]}))
    page.save(tmp_path / "new", "page")
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["page.html", "page.md", "plot.png"]
    assert "| x\\|y |" in (tmp_path / "new" / "page.md").read_text()


def test_evaluation_has_a_job_of_its_own() -> None:
    keys = {
        name: {
            key.to_user_string()
            for key in defs().resolve_job_def(name).asset_layer.executable_asset_keys
        }
        for name in ("main_job", "training_job", "evaluation_job")
    }
    assert keys["evaluation_job"] == {"model_evaluation"}
    assert "model_evaluation" not in keys["main_job"] | keys["training_job"]


def test_a_data_set_is_known_by_its_files(values: Settings, lake: Lake) -> None:
    assert not has_dataset(Lake.from_settings(values.model_copy(update={"home": Path("/no")})), "x")
    with lake.writer("test") as connection:
        connection.execute(
            "insert into ops.landed_files by name select 'h' as file_hash, 'orders' as entity, "
            "'orders/arrived=2026-01-01T00/online_retail-orders-0123.parquet' as file, "
            "'2026-01-01T00' as partition_key, 1 as bytes, 1 as modified_ns, 1 as received, "
            "1 as accepted, 0 as duplicates, 0 as rejected, [] as notes, 1 as batch_id, "
            "now()::timestamp as ingested_at"
        )
    assert has_dataset(lake, "online-retail")
    assert not has_dataset(lake, "retail")
    assert not has_dataset(lake, "simulated")


def market_lake(lake: Lake) -> Lake:
    """Features, labels, orders and customers of 300 people at nine dates."""
    rng = np.random.default_rng(0)
    dates = pd.date_range("2024-01-01", periods=9, freq="14D").to_numpy().astype("datetime64[us]")
    n = 300 * len(dates)
    away = rng.gamma(2, 10, n).round()
    history = pd.DataFrame(
        {
            "customer_key": np.tile([f"c{i}" for i in range(300)], len(dates)),
            "as_of": np.repeat(dates, 300),
            "days_since_last_order": away,
            "days_since_first_order": rng.integers(30, 500, n).astype(float),
            "revenue_90d": rng.gamma(2, 30, n),
        }
    )
    gone = rng.random(n) < 1 / (1 + np.exp(-0.08 * (away - 20)))
    labels = {
        "churn": gone.astype(float),
        "purchase": (~gone).astype(float),
        "value": np.where(gone, 0, history["revenue_90d"] * 0.5),
    }
    rows = pd.concat(
        history[["customer_key", "as_of"]].assign(task=task, label=label, horizon_days=14)
        for task, label in labels.items()
    )
    orders = history.assign(
        ordered_at=history["as_of"] - pd.Timedelta(days=1),
        channel=np.where(np.arange(n) % 300 < 150, "web", "store"),
        status="completed",
    )[["customer_key", "ordered_at", "channel", "status"]]
    people = history[["customer_key"]].drop_duplicates().assign(country="DE")
    tables = {
        "customer_feature_history": history,
        "customer_labels": rows,
        "orders": orders,
        "customers": people,
    }
    with lake.writer("test tables") as connection:
        for name, table in tables.items():
            connection.register("made", table)
            connection.execute(f"create table marts.{name} as from made")
        connection.execute("insert into ops.clock values (timestamp '2024-06-01', 'history', 1, 1)")
    return lake


@pytest.mark.slow
def test_what_is_in_the_lake_is_judged_and_written(values: Settings, lake: Lake) -> None:
    import logging

    market_lake(lake)
    values = values.model_copy(update={"threads": 1})
    metadata = write_evaluation(lake, values, logging.getLogger(__name__))
    folder = values.reports / "evaluation"
    text = (folder / "evaluation.md").read_text()
    assert metadata["churn_roc_auc"] > 0.6
    assert "channel: web" in text
    assert "country: DE" in text
    assert "tenure: 90 to 364 days" in text
    by_origin = pd.read_csv(folder / "churn_by_origin.csv")
    assert by_origin["origin"].nunique() == 4
    assert {"low", "high", "metric", "model"} <= set(by_origin.columns)
    assert (folder / "purchase_profit.png").exists()


def test_value_kept_comes_from_buyers_unless_it_is_set(values: Settings, lake: Lake) -> None:
    market_lake(lake)
    set_value = values.model_copy(update={"value_kept": 12.0})
    with lake.reader(latest=True) as connection:
        spend = connection.execute(
            "select avg(label) from marts.customer_labels where task = 'value' and label > 0"
        ).fetchone()
        found, given = cost_table(connection, values), cost_table(connection, set_value)
        assert found is not None
        assert given is not None
        assert found.value_kept == pytest.approx(spend[0])  # type: ignore[index]
        assert given.value_kept == 12.0
    with lake.writer("test: nobody spends") as connection:
        connection.execute("delete from marts.customer_labels where task = 'value'")
        assert cost_table(connection, values) is None
        assert cost_table(connection, set_value) == given


def test_a_skipped_task_is_said_and_no_labels_at_all_are_refused(
    values: Settings, lake: Lake
) -> None:
    import logging

    market_lake(lake)
    with lake.writer("test: churn is skipped") as connection:
        connection.execute("insert into ops.skipped_tasks values ('churn', 'no order', true)")
    few = values.model_copy(update={"evaluation_origins": 9})
    found = evaluate(lake, few, logging.getLogger(__name__))
    assert found.tasks[0].reason == "no order"
    with lake.writer("test: nothing") as connection:
        connection.execute("delete from marts.customer_labels")
    with pytest.raises(RuntimeError, match="run main_job on data first"):
        evaluate(lake, values, logging.getLogger(__name__))


def test_a_short_history_is_a_reason_and_no_failure(values: Settings, lake: Lake) -> None:
    import logging

    market_lake(lake)
    many = values.model_copy(update={"evaluation_origins": 9})
    found = evaluate(lake, many, logging.getLogger(__name__))
    assert all(task.found is None for task in found.tasks)
    assert "7 of 9 as-of dates can be judged, not 9" in found.tasks[0].reason
