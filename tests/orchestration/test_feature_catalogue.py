"""The catalogue of features: complete in words, right in numbers, safe as a page."""

from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from string import Formatter

import duckdb
import pytest

from ml.reasons import Phrase
from orchestration.feature_catalogue import Catalogue, as_html, as_markdown, read_catalogue
from orchestration.phrases import FEATURE_MODEL, FeatureColumn, feature_columns

HISTORY_MODEL = "model.shoal.customer_feature_history"
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
def catalogue(connection: duckdb.DuckDBPyConnection) -> Catalogue:
    return read_catalogue(connection, COLUMNS, IMPORTANCE, MODELS)


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


def test_a_feature_has_the_same_words_now_and_in_the_past() -> None:
    assert feature_columns(FEATURE_MODEL) == feature_columns(HISTORY_MODEL)


def test_numbers_are_those_of_the_customers(catalogue: Catalogue) -> None:
    spend, orders, never = catalogue.features
    assert (spend.column.name, orders.column.name, never.column.name) == (
        "spend",
        "orders",
        "never",
    )
    assert (spend.null_share, spend.smallest, spend.largest) == (0.5, 10.5, 1234.0)
    assert (orders.null_share, orders.median) == (0.0, 3.0)
    assert (never.null_share, never.smallest, never.median) == (1.0, None, None)
    assert catalogue.customers == 4
    assert catalogue.as_of == datetime(2024, 2, 1)
    assert catalogue.unknown_of_all == ["never"]
    assert catalogue.used_by_none == ["never"]


def test_a_model_that_does_not_know_a_feature_says_nothing_of_it(catalogue: Catalogue) -> None:
    shown = _Cells()
    shown.feed(as_html(catalogue))
    assert shown.rows[0][-2:] == ["churn", "value"]
    assert shown.rows[1][-2:] == ["75.0%", ""]
    assert shown.rows[2][-2:] == ["25.0%", "10.0%"]
    assert shown.rows[3][-2:] == ["", ""]


def test_words_cannot_break_the_page(catalogue: Catalogue) -> None:
    shown = _Cells()
    page = as_html(catalogue)
    shown.feed(page)
    assert "b" not in shown.tags
    assert shown.rows[1][1] == "Spend <b>so far</b>."
    table = [line for line in as_markdown(catalogue).splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {len(shown.rows[0]) + 1}


def test_without_customers_or_models_the_words_remain(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute("delete from marts.customer_features")
    empty = read_catalogue(connection, COLUMNS, {}, {})
    assert [one.column.name for one in empty.features] == ["orders", "spend", "never"]
    assert "no model yet" in as_markdown(empty)
    assert {one.null_share for one in empty.features} == {None}
    assert "Nobody has it." in as_html(empty)
