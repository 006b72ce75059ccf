"""The card of a version says what it is, to people, in one file."""

import re
from dataclasses import replace

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from ml.groups import is_large
from orchestration.defs.churn.assets import churn_model
from orchestration.defs.value.assets import value_model
from orchestration.documents import Bullets, Heading, Picture, Table, Text, to_html, to_markdown
from orchestration.model_card import group_table, metrics_table
from tests.orchestration.model_room import ModelRoom, market_frame


@pytest.mark.slow
def test_each_version_has_a_card_in_the_reports_and_with_its_files(room: ModelRoom) -> None:
    frame = market_frame(250)
    room.hold(frame.assign(order_days_total=frame["order_days_30d"] + 1))
    result = dg.materialize([churn_model, value_model], resources={"lake": room.lake})
    reports = room.values.reports / "models"
    for task, measure in (("churn", "ROC AUC"), ("value", "Spearman")):
        version = room.registry.version(task, 1)
        page = (reports / f"{task}_1_card.html").read_text()
        text = (reports / f"{task}_1_card.md").read_text()
        assert (version.folder / f"{task}_1_card.html").read_text() == page
        assert (version.folder / f"{task}_1_card.md").read_text() == text
        for part in (
            f"Model card: {task}, version 1",
            "in the 28 days from the as-of date on" if task == "churn" else "within the 28 days",
            measure,
            "promoted",
            version.tags["lake_snapshot"],
            version.tags["code_version"],
            version.tags["libraries"],
            "as of 2024-01-01 to 2024-04-22, labels until 2024-05-20",
            "order days 2 to 4",
            "days_since_last_order",
            "This model and the one judged: the importances of 2 models of different times",
            f"shoal models retrain {task} --version 1",
        ):
            assert part in page, part
            assert part in text, part
        figure = re.search(rf"<td>{measure}</td><td>([\d.]+) \(([\d.]+) to ([\d.]+)\)", page)
        assert figure is not None
        assert float(figure[2]) <= float(figure[1]) <= float(figure[3])
        assert page.count('<img src="data:image/png;base64,') == (3 if task == "churn" else 1)
        assert "http" not in page, "the page needs no other"
    checks = result.get_asset_check_evaluations()
    cards = [
        check.metadata["model_card"].value for check in checks if "model_card" in check.metadata
    ]
    assert sorted(cards) == sorted(str(reports / f"{t}_1_card.html") for t in ("churn", "value"))


def test_texts_are_escaped_and_pictures_lie_within() -> None:
    blocks = (
        Heading("<b>"),
        Text("a & b"),
        Bullets(("<i>",)),
        Table(("a|b",), (("<td>|",),)),
        Table(("empty",), ()),
        Picture("p", b"png"),
    )
    page, text = to_html("<t>", blocks), to_markdown(blocks)
    for raw in ("<b>", "<i>", "<td>|", "<t>"):
        assert raw not in page
    assert "&lt;b&gt;" in page
    assert "a &amp; b" in page
    assert 'src="data:image/png;base64,cG5n"' in page
    assert "| a\\|b |" in text
    assert "![p](data:image/png;base64,cG5n)" in text
    assert page.count("nothing to show") == text.count("nothing to show") == 1


def test_a_measure_of_the_model_alone_leaves_its_baselines_blank(sound: ModelRoom) -> None:
    model = sound.champion().trained()
    own = pd.DataFrame([("model", "own", 0.5, 0.4, 0.6)], columns=list(model.metrics.columns))
    table = metrics_table(replace(model, metrics=pd.concat([model.metrics, own])), None)
    assert table.columns[:2] == ("measure", "this model")
    assert table.rows[-1] == ("own", "0.500 (0.400 to 0.600)", *[""] * (len(table.columns) - 2))
    assert all(table.rows[0])
    assert table.columns[2:] == ("logistic regression", "recency alone", "what it says")
    assert table.rows[0][0] == "ROC AUC"
    assert "ranked above" in table.rows[0][-1]


def test_a_small_group_has_its_rows_and_means_but_no_judgement(sound: ModelRoom) -> None:
    model = sound.champion().trained()
    tested = model.test_predictions
    rows = tested[["customer_key", "label"]].assign(
        days_since_first_order=np.where(np.arange(len(tested)) < 5, 400.0, 10.0)
    )
    few, many = sorted(group_table(model, rows, None).rows, key=lambda row: int(row[1]))
    assert few[:2] == ("tenure 365 days or more", "5")
    assert few[4:6] == ("too small", "too small")
    assert many[0] == "tenure under 90 days"
    assert ("too small" in many) == (not is_large(tested["label"].to_numpy()[5:], "logit"))
