"""Alerts through the tables: found once, recorded, told, acknowledged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

from ml.anomalies_habit import RATES
from orchestration import alerts_cli
from orchestration.alert_delivery import NotSent, service
from orchestration.alert_records import UnknownAlert, acknowledge, find_alert, list_alerts
from orchestration.alerts import AlertRun, run_alerts
from orchestration.defs.alerts.assets import alerts_were_delivered
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.settings import Settings
from tests.ml.test_anomalies import CARDS, START, TAKEOVER

NOW = datetime(2026, 5, 2)
METRICS, GRAINS = ("orders", "revenue"), ("minute", "hour")
EVENTS = """
create table intermediate.int_events (
    event_id varchar, visitor_key varchar, customer_key varchar, ref_key varchar,
    anonymous_key varchar, occurred_at timestamp, event_type varchar, event_value double,
    country varchar, batch_id bigint
);
create view staging.stg_events as
select * exclude (visitor_key, customer_key) from intermediate.int_events;
create table intermediate.identity_map (
    identifier_key varchar, customer_key varchar, is_owner boolean, linked_at timestamp,
    owned_until timestamp
);
create table marts.orders (ordered_at timestamp, net_amount double, status varchar);
create table marts.customers (customer_key varchar, signed_up_at timestamp);
"""
WRITTEN = (
    "intermediate.int_events",
    "marts.orders",
    "ops.alerts",
    "ops.clock",
    "ops.habit_models",
    "ops.metric_states",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake with the tables that alerts read, all of them empty."""
    home = tmp_path_factory.mktemp("alerts") / "home"
    lake = Lake.from_settings(Settings(home=home, _env_file=None))  # type: ignore[call-arg]
    rates = ", ".join(f"{rate} double" for rate in RATES)
    with lake.writer("test tables") as connection:
        create_tables(connection)
        connection.execute(EVENTS)
        connection.execute(
            "create table intermediate.int_customer_days (customer_key varchar, "
            f"activity_date date, first_at timestamp, last_at timestamp, {rates})"
        )
    return lake


@pytest.fixture
def shop(made: Lake) -> Lake:
    """The lake with nothing in it."""
    with made.writer("test: begin anew") as connection:
        for table in WRITTEN:
            connection.execute(f"delete from {table}")
    return made


@pytest.fixture
def busy_shop(shop: Lake) -> Lake:
    """The lake with a month of twelve orders an hour."""
    with shop.writer("test: orders") as connection:
        connection.execute(
            "insert into marts.orders select ordered_at, 80, 'completed' from range("
            "timestamp '2026-04-01', timestamp '2026-05-02', interval 5 minute) as _(ordered_at)"
        )
    return shop


def arrive(lake: Lake, events: pd.DataFrame, batch: int, as_of: datetime) -> None:
    """Add events as a batch, and let the next run work as of an instant."""
    with lake.writer("test batch") as connection:
        rows = events.assign(ref_key=events["customer_key"], batch_id=batch)
        connection.register("rows", rows.astype({"country": "string"}))
        connection.execute("insert into intermediate.int_events by name select * from rows")
        connection.execute("delete from ops.clock")
        connection.execute(
            "insert into ops.clock values (?, 'history', ?, ?)", [as_of, batch, batch]
        )


def run(lake: Lake, values: Settings) -> AlertRun:
    return run_alerts(lake, values, NOW, lambda line: None)


def recorded(lake: Lake) -> list[dict[str, Any]]:
    with lake.reader(latest=True) as connection:
        return list_alerts(connection)


def told(values: Settings) -> list[dict[str, Any]]:
    if not values.alert_file.exists():
        return []
    return [json.loads(line) for line in values.alert_file.read_text().splitlines()]


AS_OF = (START + pd.Timedelta(hours=2)).to_pydatetime()


def test_an_attack_is_recorded_and_told_once_however_often_its_batch_runs(
    shop: Lake, values: Settings
) -> None:
    arrive(shop, TAKEOVER, 1, AS_OF)
    first = run(shop, values)
    assert (first.recorded.opened, first.delivered) == (1, 1)
    (alert,) = recorded(shop)
    assert alert["kind"] == "account_takeover"
    assert (alert["subject"], alert["severity"]) == ("anna", "critical")
    assert (alert["status"], alert["delivery"], alert["batch_id"]) == ("open", "delivered", 1)
    again = run(shop, values)
    assert (again.recorded.opened, again.recorded.grown, again.delivered) == (0, 0, 0)
    assert recorded(shop) == [alert]
    (line,) = told(values)
    assert line["alert_id"] == alert["alert_id"]
    assert line["event_ids"] == alert["event_ids"]


def test_an_attack_over_two_batches_is_one_incident_told_again_when_it_gets_worse(
    shop: Lake, values: Settings
) -> None:
    until_login = TAKEOVER["event_type"] != "order_completed"
    arrive(shop, TAKEOVER[until_login], 1, AS_OF)
    run(shop, values)
    arrive(shop, TAKEOVER[~until_login], 2, AS_OF)
    second = run(shop, values)
    assert (second.recorded.opened, second.recorded.grown, second.delivered) == (0, 1, 1)
    (alert,) = recorded(shop)
    assert alert["severity"] == "critical"
    assert [line["severity"] for line in told(values)] == ["high", "critical"]


def test_history_is_recorded_and_summed_up_but_not_told_one_by_one(
    shop: Lake, values: Settings
) -> None:
    arrive(shop, CARDS, 1, AS_OF + timedelta(days=20))
    lines: list[str] = []
    done = run_alerts(shop, values, NOW, lines.append)
    assert done.recorded.historic >= 1
    assert {alert["delivery"] for alert in recorded(shop)} == {"historic"}
    assert told(values) == []
    assert any("of the past" in line for line in lines)


def test_what_is_older_than_the_history_looked_at_is_left_out(shop: Lake, values: Settings) -> None:
    arrive(shop, CARDS, 1, AS_OF + timedelta(days=200))
    assert run(shop, values).events == 0


def test_orders_that_stop_are_told_within_hours(busy_shop: Lake, values: Settings) -> None:
    nobody = TAKEOVER.head(0)
    arrive(busy_shop, nobody, 1, datetime(2026, 4, 25))
    assert run(busy_shop, values).recorded.opened == 0
    with busy_shop.writer("test: the shop is down") as connection:
        connection.execute("delete from marts.orders where ordered_at >= timestamp '2026-04-25'")
        connection.execute(
            "insert into marts.orders values (timestamp '2026-04-26', 80, 'completed')"
        )
    arrive(busy_shop, nobody, 2, datetime(2026, 4, 25, 8))
    assert run(busy_shop, values).recorded.opened >= 1
    kinds = {alert["kind"] for alert in recorded(busy_shop)}
    assert {"orders_per_hour"} <= kinds <= {f"{m}_per_{g}" for m in METRICS for g in GRAINS}
    (orders,) = (alert for alert in recorded(busy_shop) if alert["kind"] == "orders_per_hour")
    assert orders["since"] < datetime(2026, 4, 25, 8)
    assert "below the usual" in orders["message"]
    before = recorded(busy_shop)
    run(busy_shop, values)
    assert recorded(busy_shop) == before


def test_runs_in_between_do_not_change_what_metrics_tell(busy_shop: Lake, values: Settings) -> None:
    with busy_shop.writer("test: a rush") as connection:
        connection.execute(
            "insert into marts.orders select timestamp '2026-05-01 07:00', 80, 'completed' "
            "from range(60)"
        )
    for hour in (0, 8, 12):
        arrive(busy_shop, TAKEOVER.head(0), hour + 1, datetime(2026, 5, 1, hour))
        run(busy_shop, values)
    columns = ("alert_id", "score", "since", "message")
    stepwise = sorted(tuple(alert[name] for name in columns) for alert in recorded(busy_shop))
    assert stepwise
    with busy_shop.writer("test: begin anew") as connection:
        connection.execute("delete from ops.alerts")
        connection.execute("delete from ops.metric_states")
    arrive(busy_shop, TAKEOVER.head(0), 1, datetime(2026, 5, 1))
    run(busy_shop, values)
    arrive(busy_shop, TAKEOVER.head(0), 20, datetime(2026, 5, 1, 12))
    run(busy_shop, values)
    assert (
        sorted(tuple(alert[name] for name in columns) for alert in recorded(busy_shop)) == stepwise
    )


class Inbox(BaseHTTPRequestHandler):
    """A service that takes, or refuses, what is posted to it."""

    taken: list[dict[str, Any]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.status == 200:
            self.taken.append(json.loads(body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def inbox() -> Iterator[tuple[str, type[Inbox]]]:
    handler = type("OneInbox", (Inbox,), {"taken": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"json://127.0.0.1:{server.server_port}/", handler
    server.shutdown()
    server.server_close()


def test_what_a_service_refuses_is_tried_again_and_the_check_says_so(
    shop: Lake, values: Settings, inbox: tuple[str, type[Inbox]]
) -> None:
    url, service_ = inbox
    values = values.model_copy(update={"alert_urls": url})
    service_.status = 500
    arrive(shop, TAKEOVER, 1, AS_OF)
    assert run(shop, values).delivered == 0
    (alert,) = recorded(shop)
    assert (alert["delivery"], alert["delivery_attempts"]) == ("failed", 1)
    assert "did not take" in alert["delivery_error"]
    checked = alerts_were_delivered(shop)
    assert not checked.passed  # type: ignore[union-attr]
    service_.status = 200
    assert run(shop, values).delivered == 1
    (alert,) = recorded(shop)
    assert (alert["delivery"], alert["delivery_error"]) == ("delivered", None)
    assert alerts_were_delivered(shop).passed  # type: ignore[union-attr]
    (message,) = service_.taken
    assert "account_takeover" in message["title"]
    assert alert["alert_id"] in message["message"]


def test_a_url_that_nobody_understands_is_named_by_its_setting() -> None:
    with pytest.raises(NotSent, match="SHOAL_ALERT_URLS"):
        service("nonsense")("title", "text")


def test_an_acknowledged_alert_closes_when_it_is_over(shop: Lake, values: Settings) -> None:
    arrive(shop, TAKEOVER, 1, AS_OF)
    run(shop, values)
    (alert,) = recorded(shop)
    with shop.writer("test") as connection:
        acknowledge(connection, alert["alert_id"], by="anna", note="it was me", now=NOW)
        assert find_alert(connection, alert["alert_id"])["status"] == "acknowledged"
        with pytest.raises(UnknownAlert, match="shoal alerts"):
            acknowledge(connection, "nothing", by="anna", note=None, now=NOW)
    run(shop, values)
    assert recorded(shop)[0]["status"] == "acknowledged"
    arrive(shop, TAKEOVER.head(0), 2, AS_OF + timedelta(days=3))
    run(shop, values)
    (closed,) = (found for found in recorded(shop) if found["alert_id"] == alert["alert_id"])
    assert (closed["status"], closed["note"]) == ("closed", "it was me")


def test_the_command_lists_shows_and_acknowledges(
    shop: Lake, values: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts_cli.Lake, "from_settings", lambda: shop)
    arrive(shop, TAKEOVER, 1, AS_OF)
    run(shop, values)
    (alert,) = recorded(shop)
    shell = CliRunner(env={"COLUMNS": "240"})
    listed = shell.invoke(alerts_cli.app, [])
    assert alert["alert_id"] in listed.output
    shown = shell.invoke(alerts_cli.app, ["show", alert["alert_id"]])
    assert "e007" in shown.output
    assert shell.invoke(alerts_cli.app, ["ack", alert["alert_id"], "--note", "seen"]).exit_code == 0
    assert alert["alert_id"] not in shell.invoke(alerts_cli.app, []).output
    assert alert["alert_id"] in shell.invoke(alerts_cli.app, ["--all"]).output
    refused = shell.invoke(alerts_cli.app, ["show", "nothing"])
    assert refused.exit_code == 1


def test_a_run_that_dies_in_its_transaction_leaves_nothing(
    shop: Lake, values: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(shop, TAKEOVER, 1, AS_OF)

    def die(*_: object) -> None:
        raise duckdb.Error("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("orchestration.alerts.write_states", die)
        with pytest.raises(duckdb.Error, match="disk is full"):
            run(shop, values)
    assert recorded(shop) == []
    assert run(shop, values).recorded.opened == 1
