"""A rule file with an error says file, place and reason; the project's own rules hold."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

import orchestration.segments_cli as segments_cli
from orchestration.cli import app
from orchestration.rules.loading import RuleError, load_rule, load_rules
from orchestration.rules.tables import Catalog, read_catalog
from orchestration.settings import PROJECT_ROOT
from tests.orchestration.rule_room import NOON, RuleRoom, rule_room

GOOD = "title: t\ndescription: d\n"
SHIPPED = PROJECT_ROOT / "segments"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> RuleRoom:
    return rule_room(tmp_path_factory.mktemp("rule-files"))


@pytest.fixture(scope="module")
def catalog(shared: RuleRoom) -> Catalog:
    with shared.lake.reader(latest=True) as connection:
        return read_catalog(connection)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD, "segments/r.yml: give where, all or any: a rule without conditions holds for every"),
        ("description: d\nwhere: 1 = 1", "segments/r.yml: title: Field required"),
        (GOOD + "when: x", "segments/r.yml: when: Extra inputs are not permitted"),
        (GOOD + "where: a\nwhere: b", 'segments/r.yml: is no YAML, line 4: "where" occurs twice'),
        (GOOD + "where: revenue_365d", "where: is DOUBLE, has to be true or false (revenue_365d)"),
        (GOOD + "where: city > 5 days", "segments/r.yml: where: does not parse: syntax error"),
        (GOOD + "where: true; drop table x", "segments/r.yml: where: does not parse"),
        (GOOD + "where: 1 = 1) or (1 = 1", "segments/r.yml: where: does not parse"),
        (GOOD + "where: (select true)", "segments/r.yml: where: a subquery is not allowed"),
        (GOOD + "where: now() > as_of", "segments/r.yml: where: now() differs from run to run"),
        (GOOD + "where: sum(orders) > 1", "segments/r.yml: where: sum() spans many rows"),
        (GOOD + "where: rank() over () = 1", "where: over (…) looks at other rows; rank with top"),
        (
            GOOD + "where: revenue_360d > 1",
            'segments/r.yml: where: no column "revenue_360d" in marts.customer_features or '
            "marts.customer_scores or marts.customers (has: revenue_30d, ",
        ),
        (GOOD + "where: len(orders) > 1", "segments/r.yml: where: Binder Error: No function match"),
        (GOOD + "all: []", "segments/r.yml: all: Tuple should have at least 1 item"),
        (GOOD + "all: [{evnts: any}]", "segments/r.yml: all.1: give one of events, orders, feed"),
        (
            GOOD + "all:\n- where: orders > 1\n- any:\n  - {events: any, within: 3 fortnights}",
            'segments/r.yml: all.2.any.1.within: give a duration such as "30 minutes", "1 hour"',
        ),
        (GOOD + "any: [{events: any}]", "segments/r.yml: any.1.within: Field required"),
        (
            GOOD + "all: [{events: any, within: 1 day, where: rating < 3}]",
            'segments/r.yml: all.1.where: no column "rating" in intermediate.int_events (has: ',
        ),
        (
            GOOD + "all: [{events: any, orders: any, within: 1 day}]",
            "segments/r.yml: all.1: give one of events, orders, feedback, messages",
        ),
        (
            GOOD + "all: [{events: any, within: 1 day, until: 24 hours}]",
            "segments/r.yml: all.1: until has to be shorter than within",
        ),
        (
            GOOD + "all: [{events: any, within: 1 day, at_least: 2, at_most: 1}]",
            "segments/r.yml: all.1: no count is at least 2 and at most 1",
        ),
        (
            GOOD + "all: [{events: any, within: 1 day, at_least: -1}]",
            "segments/r.yml: all.1.at_least: Input should be greater than or equal to 0",
        ),
        (GOOD + "all: [{top: 120 %, by: orders}]", "all.1.top: give a share of the customers such"),
        (GOOD + "all: [{top: 20 %, by: city}]", "all.1.by: is VARCHAR, has to be a number (city)"),
        (GOOD + "all: [{top: 20 %}]", "segments/r.yml: all.1.by: Field required"),
    ],
)
def test_a_bad_rule_says_where_and_why(
    catalog: Catalog, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "segments" / "r.yml"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(RuleError) as refusal:
        load_rule(path, catalog)
    assert message in str(refusal.value)


def test_every_error_of_a_rule_is_told_at_once(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "r.yml"
    path.write_text(GOOD + "where: no_such > 1\nall: [{events: any, within: 1 day, where: page}]")
    with pytest.raises(RuleError) as refusal:
        load_rule(path, catalog)
    assert [line.split(": ")[1] for line in str(refusal.value).splitlines()] == [
        "where",
        "all.1.where",
    ]


def test_two_files_of_one_name_are_an_error(catalog: Catalog, tmp_path: Path) -> None:
    for ending in ("yml", "yaml"):
        (tmp_path / f"r.{ending}").write_text(GOOD + "where: orders > 1")
    book = load_rules(tmp_path, catalog)
    assert book.rules == {}
    assert "there is a r.yaml and a r.yml" in book.errors["r"]


def test_a_folder_that_is_not_there_is_an_error_of_the_run(
    catalog: Catalog, tmp_path: Path
) -> None:
    with pytest.raises(RuleError, match="SHOAL_SEGMENTS"):
        load_rules(tmp_path / "none", catalog)


def test_the_projects_rules_are_valid_and_each_finds_whom_it_means(
    shared: RuleRoom, catalog: Catalog
) -> None:
    assert load_rules(SHIPPED, catalog).errors == {}
    shared.clear()
    for path in SHIPPED.iterdir():
        shared.rule(path.stem, path.read_text())
    for number in range(20):  # ordinary buyers, among whom the others are ranked
        shared.customers(
            f"buyer{number}",
            **_buys(40.0 + number, revenue=50.0 + number),
        )
    shared.customers("best", **_buys(2.0, 12.0, 900.0, overdue=0.2))
    shared.customers("late", **_buys(60.0, 5.0, 800.0, overdue=2.5))
    shared.customers("lapsed", **_buys(300.0, 5.0, 2_000.0, overdue=9.0))
    shared.customers("new", **_buys(5.0, 1.0, 40.0), days_since_first_order=5.0)
    shared.customers("keen", "left_cart", "angry", "calm", "cross", "over_it", "poster")
    shared.insert(
        "marts.customer_scores",
        {
            "customer_key": "late",
            "as_of": NOON,
            "churn_probability": 0.8,
            "model_versions": "churn:1",
            "scored_at": NOON,
            "batch_id": 1,
        },
    )
    for key, hours in (("keen", 0.5), ("left_cart", 3)):
        shared.events(*((key, "product_view", NOON - (hours + 0.1) * HOUR) for _ in range(2)))
        shared.events((key, "add_to_cart", NOON - hours * HOUR))
    shared.feedback(("angry", "review", NOON - HOUR, 1.0), ("calm", "review", NOON - HOUR, 5.0))
    shared.feedback(
        ("cross", "ticket", NOON - HOUR, None), ("over_it", "ticket", NOON - 8 * 24 * HOUR, None),
        ("poster", "post", NOON - HOUR, None), mood="negative",
    )  # fmt: skip
    shared.feedback(("calm", "ticket", NOON - 2 * HOUR, None), mood="positive")
    shared.evaluate()
    expected = {
        "champions": {"best"},
        "loyal": {"best"},
        "at_risk": {"late", "lapsed"},
        "lapsed_big_spenders": {"lapsed"},
        "new_customers": {"new"},
        "valuable_and_leaving": {"late"},
        "high_intent": {"keen"},
        "abandoned_cart": {"left_cart"},
        "frustrated": {"angry", "cross"},
    }
    assert {name: set(shared.members(name)) for name in expected} == expected
    assert set(expected) == {path.stem for path in SHIPPED.iterdir()}


def _buys(
    days_since_last_order: float,
    order_days: float = 2.0,
    revenue: float = 50.0,
    overdue: float = 1.0,
) -> dict[str, float]:
    return {
        "days_since_last_order": days_since_last_order,
        "order_days_365d": order_days,
        "order_days_total": order_days,
        "orders_total": order_days,
        "revenue_365d": revenue,
        "revenue_total": revenue,
        "overdue_ratio": overdue,
    }


@pytest.fixture
def deployment(shared: RuleRoom, monkeypatch: pytest.MonkeyPatch) -> RuleRoom:
    """A published room that the command line finds."""
    shared.clear()
    home = Path(shared.lake.root)
    values = segments_cli.settings().model_copy(
        update={"home": home, "segments": shared.folder, "catalog": None, "data_path": None}
    )
    monkeypatch.setattr(segments_cli, "settings", lambda: values)
    monkeypatch.setattr(segments_cli.Lake, "from_settings", classmethod(lambda cls: shared.lake))
    return shared


def test_the_command_line_checks_rules_before_they_run(deployment: RuleRoom) -> None:
    deployment.rule("big", GOOD + "where: revenue_365d > 100")
    sound = CliRunner().invoke(app, ["segments", "check"])
    assert sound.exit_code == 0, sound.output
    assert "1 valid, 0 with errors" in sound.output
    deployment.rule("bad", GOOD + "where: revenue > > 100")
    refused = CliRunner().invoke(app, ["segments", "check"])
    assert refused.exit_code == 1
    assert "segments/bad.yml: where: does not parse" in refused.output
    assert "1 valid, 1 with errors" in refused.output


def test_the_command_line_notes_types_that_nobody_has_met(deployment: RuleRoom) -> None:
    deployment.rule("r", GOOD + "all: [{events: [Page_View, prodct_view], within: 1 day}]")
    deployment.events(("a", "page_view", NOON))
    checked = CliRunner().invoke(app, ["segments", "check"])
    assert checked.exit_code == 0, "it may still come"
    notes = [line for line in checked.output.splitlines() if line.startswith("note")]
    assert notes == [
        'note: segments/r.yml: all.1.events: there is no row of type "prodct_view" so far'
    ]


def test_the_command_line_lists_members_and_errors(deployment: RuleRoom) -> None:
    deployment.rule("big", GOOD + "where: revenue_365d > 100")
    deployment.rule("bad", GOOD + "where: revenue > > 100")
    deployment.customers("a", "b", revenue_365d=200.0)
    deployment.evaluate()
    deployment.next_batch(30 * HOUR)
    deployment.execute("update marts.customer_features set revenue_365d = 0 where customer_key='b'")
    deployment.touch("b")
    deployment.evaluate()
    deployment.execute(
        "insert into ops.batches by name select 1 as batch_id, 'p' as partition_key, "
        "'r' as run_id, 0 as received, 0 as accepted, 0 as duplicates, 0 as rejected, "
        "current_timestamp as ingested_at, "
        "(select max(snapshot_id) from ducklake_snapshots('lake')) as snapshot_id"
    )
    listed = CliRunner().invoke(app, ["segments", "rules"])
    assert listed.exit_code == 0, listed.output
    (row,) = [line.split() for line in listed.output.splitlines() if line.split()[:1] == ["big"]]
    assert row == ["big", "t", "1", "0", "1"]
    assert "disabled" in listed.output
    assert "segments/bad.yml: where: does not parse" in listed.output
