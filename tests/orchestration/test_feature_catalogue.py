"""The catalogue of features: complete in words, right in numbers, safe as a page."""

import json
from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from string import Formatter

import duckdb
import pytest

from ml.reasons import FLAG, Phrase
from ml.tasks import EVENT_TASKS
from orchestration.dbt_runner import MANIFEST
from orchestration.event_frames import TABLES
from orchestration.feature_catalogue import Section, as_html, as_markdown, read_section
from orchestration.feature_sources import SOURCES
from orchestration.phrases import (
    FEATURE_MODEL,
    FeatureColumn,
    feature_columns,
    feature_phrases,
)

HISTORY_MODEL = "model.shoal.customer_feature_history"
EVENT_MODELS = {
    name: [f"model.shoal.{table}" for table in TABLES[name].phrases] for name in EVENT_TASKS
}
COLUMNS = (
    FeatureColumn("orders", "Orders | so far.", Phrase("orders", unit="count")),
    FeatureColumn("spend", "Spend <b>so far</b>.", Phrase("spend", unit="money")),
    FeatureColumn("never", "Nobody has it.", Phrase("never", unit="days")),
)
IMPORTANCE = {"churn": {"orders": 0.25, "spend": 0.75}, "value": {"orders": 0.1}}
MODELS = {"churn": "churn:3", "value": "value:1"}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.customer_features as select * from (values "
            "(timestamp '2024-01-01', 1.0, 10.5, cast(null as double)), "
            "(timestamp '2024-02-01', 2.0, null, null), "
            "(timestamp '2024-02-01', 9.0, 1234.0, null), "
            "(timestamp '2024-02-01', 4.0, null, null)"
            ") as rows (as_of, orders, spend, never)"
        )
        yield connection


@pytest.fixture
def catalogue(connection: duckdb.DuckDBPyConnection) -> Section:
    return read_section(connection, SOURCES[0], COLUMNS, IMPORTANCE, MODELS)


class _Cells(HTMLParser):
    """The text of every row of a page's table."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: set[str] = set()
        self.is_in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])
        self.is_in_cell = tag in {"td", "th", "code"}
        if tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.is_in_cell and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def test_every_feature_has_its_words() -> None:
    """A reason, a meaning and a unit; and what a sentence names is a feature."""
    features = feature_columns()
    names = {feature.name for feature in features}
    assert len(names) > 60
    lacking = [
        feature.name
        for feature in features
        if not (feature.description and feature.phrase.template and feature.unit)
    ]
    assert lacking == []
    named = {
        part
        for feature in features
        for _, part, _, _ in Formatter().parse(feature.phrase.template)
        if part
    }
    assert named <= names | {"value", "typical"}


@pytest.mark.parametrize("task", EVENT_TASKS)
def test_every_feature_of_an_event_has_its_words(task: str) -> None:
    features = [one for model in EVENT_MODELS[task] for one in feature_columns(model)]
    lacking = [
        one.name
        for one in features
        if not (one.description and one.unit and (one.phrase.template or one.unit == FLAG))
    ]
    assert features
    assert lacking == []
    assert set(EVENT_MODELS[task]) <= {source.model for source in SOURCES}


@pytest.mark.parametrize("task", EVENT_TASKS)
def test_a_sentence_names_only_what_the_scored_rows_have(task: str) -> None:
    nodes = json.loads(MANIFEST.read_text())["nodes"]
    columns = {
        name for table in TABLES[task].scored for name in nodes[f"model.shoal.{table}"]["columns"]
    }
    named = {
        part
        for name, phrase in feature_phrases(task).items()
        if name in columns
        for _, part, _, _ in Formatter().parse(phrase.template)
        if part
    }
    assert named <= columns | {"value", "typical"}


def test_the_page_has_a_section_for_each_source_with_the_models_that_know_it(
    connection: duckdb.DuckDBPyConnection, catalogue: Section
) -> None:
    connection.execute(
        "create table marts.message_feature_history as "
        "select timestamp '2024-03-01' as sent_at, 0.25 as rate from range(3)"
    )
    columns = (FeatureColumn("rate", "Share reacted to.", Phrase("rate", unit="share")),)
    importance = IMPORTANCE | {"response": {"rate": 0.5, "orders": 0.5}}
    messages = read_section(
        connection, SOURCES[1], columns, importance, MODELS | {"response": "response:2"}
    )
    assert messages.models == {"response": "response:2"}
    assert catalogue.models == MODELS
    text = as_markdown([catalogue, messages])
    assert text.index("## Customers\n") < text.index("## Messages\n")
    assert "1 feature of 3 messages of the past (marts.message_feature_history)" in text
    assert "as of 2024-03-01 00:00" in text
    shown = _Cells()
    shown.feed(as_html([catalogue, messages]))
    assert ["rate", "Share reacted to.", "share", "0%", "0.25", "0.25", "0.25", "50.0%"] in [
        [cell.replace("raterate", "rate") for cell in row] for row in shown.rows
    ]


def test_a_feature_has_the_same_words_now_and_in_the_past() -> None:
    assert feature_columns(FEATURE_MODEL) == feature_columns(HISTORY_MODEL)


def test_numbers_are_those_of_the_customers(catalogue: Section) -> None:
    spend, orders, never = catalogue.features
    assert (spend.column.name, orders.column.name, never.column.name) == (
        "spend",
        "orders",
        "never",
    )
    assert (spend.null_share, spend.smallest, spend.largest) == (0.5, 10.5, 1234.0)
    assert (orders.null_share, orders.median) == (0.0, 3.0)
    assert (never.null_share, never.smallest, never.median) == (1.0, None, None)
    assert catalogue.rows == 4
    assert catalogue.as_of == datetime(2024, 2, 1)
    assert catalogue.unknown_of_all == ["never"]
    assert catalogue.used_by_none == ["never"]


def test_a_model_that_does_not_know_a_feature_says_nothing_of_it(catalogue: Section) -> None:
    shown = _Cells()
    shown.feed(as_html([catalogue]))
    assert shown.rows[0][-2:] == ["churn", "value"]
    assert shown.rows[1][-2:] == ["75.0%", ""]
    assert shown.rows[2][-2:] == ["25.0%", "10.0%"]
    assert shown.rows[3][-2:] == ["", ""]


def test_words_cannot_break_the_page(catalogue: Section) -> None:
    shown = _Cells()
    page = as_html([catalogue])
    shown.feed(page)
    assert "b" not in shown.tags
    assert shown.rows[1][1] == "Spend <b>so far</b>."
    table = [line for line in as_markdown([catalogue]).splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {len(shown.rows[0]) + 1}


def test_without_customers_or_models_the_words_remain(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute("delete from marts.customer_features")
    empty = read_section(connection, SOURCES[0], COLUMNS, {}, {})
    assert [one.column.name for one in empty.features] == ["orders", "spend", "never"]
    assert "no model yet" in as_markdown([empty])
    assert {one.null_share for one in empty.features} == {None}
    assert "Nobody has it." in as_html([empty])
