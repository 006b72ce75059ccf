"""Who is in a rule segment, since when, and what an error in a rule does."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest

from orchestration.defs.segments import rules
from orchestration.defs.segments.rules import check_rules_are_valid
from tests.orchestration.rule_room import HIGH_INTENT, NOON, RuleRoom, rule_room

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BIG = """
title: Big spenders
description: Spent more than 100 within a year.
where: revenue_365d > 100
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> RuleRoom:
    return rule_room(tmp_path_factory.mktemp("rules"))


@pytest.fixture
def room(shared: RuleRoom) -> RuleRoom:
    shared.clear()
    return shared


def browse(room: RuleRoom, customer: str, minutes_ago: int = 10, views: int = 2) -> None:
    """Look at products and put one into the cart, the last of it so many minutes ago."""
    last = room.as_of - minutes_ago * MINUTE
    looks = [(customer, "product_view", last - MINUTE * n) for n in range(1, views + 1)]
    room.events(*looks, (customer, "add_to_cart", last))


def test_two_views_and_a_cart_are_high_intent_and_less_is_not(room: RuleRoom) -> None:
    room.rule("high_intent", HIGH_INTENT)
    room.customers("keen", "looking", "carting", "idle")
    browse(room, "keen")
    browse(room, "looking", views=1)
    room.events(("carting", "add_to_cart", NOON - MINUTE))
    assert room.evaluate().errors == {}
    assert room.members("high_intent") == {"keen": NOON}


@pytest.mark.parametrize("told_by", ["order", "event"])
def test_an_order_ends_high_intent(room: RuleRoom, told_by: str) -> None:
    room.rule("high_intent", HIGH_INTENT)
    room.customers("a", "b")
    for key in ("a", "b"):
        browse(room, key)
    room.evaluate()
    room.next_batch(5 * MINUTE)
    if told_by == "order":
        room.orders(("a", room.as_of - MINUTE))
    else:
        room.events(("a", "order_completed", room.as_of - MINUTE))
    room.touch("a")
    room.evaluate()
    assert room.members("high_intent") == {"b": NOON}
    assert room.stays("a") == [("high_intent", NOON, NOON + 5 * MINUTE)]
    assert room.stays("b") == [("high_intent", NOON, None)]


def test_the_hour_ends_high_intent_although_nothing_happens(room: RuleRoom) -> None:
    room.rule("high_intent", HIGH_INTENT)
    room.customers("a")
    browse(room, "a")  # views 11 and 12 minutes ago
    room.evaluate()
    room.next_batch(48 * MINUTE)
    assert room.evaluate().left == 0, "a row is in the window when it is just as old as that"
    room.next_batch(MINUTE)
    assert room.evaluate().left == 1
    assert room.members("high_intent") == {}


def test_a_rule_that_waits_is_entered_by_time_alone(room: RuleRoom) -> None:
    room.rule(
        "abandoned_cart",
        "title: t\ndescription: d\nall:\n"
        "  - {events: add_to_cart, within: 1 day, until: 1 hour}\n"
        "  - {events: any, at_most: 0, within: 1 hour}\n",
    )
    room.customers("a")
    room.events(("a", "add_to_cart", NOON - 30 * MINUTE))
    room.evaluate()
    assert room.members("abandoned_cart") == {}
    room.next_batch(HOUR)
    room.evaluate()
    assert room.members("abandoned_cart") == {"a": NOON + HOUR}
    room.next_batch(DAY)
    room.evaluate()
    assert room.members("abandoned_cart") == {}
    assert room.stays("a") == [("abandoned_cart", NOON + HOUR, NOON + HOUR + DAY)]


def test_entry_time_stays_while_membership_lasts(room: RuleRoom) -> None:
    room.rule("big", BIG)
    room.customers("a", revenue_365d=200.0)
    room.evaluate()
    for _ in range(2):
        room.next_batch(HOUR)
        room.touch("a")
        assert room.evaluate().changes.num_rows == 0
    room.rule("big", BIG.replace("100", "150"))
    room.next_batch(HOUR)
    room.evaluate()
    assert room.members("big") == {"a": NOON}, "a changed rule that still holds is no new stay"
    assert room.stays("a") == [("big", NOON, None)]
    versions = room.rows("select rule_version, as_of, batch_id from marts.rule_segments")
    assert versions == [(room.records()["big"].rule_version, room.as_of, room.batch)]


def test_who_comes_back_has_a_second_stay(room: RuleRoom) -> None:
    room.rule("big", BIG)
    room.customers("a", revenue_365d=200.0)
    room.evaluate()
    for hours, spend in ((1, 50.0), (2, 300.0)):
        room.next_batch(HOUR)
        room.execute("update marts.customer_features set revenue_365d = ?", [spend])
        room.touch("a")
        room.evaluate()
        assert len(room.members("big")) == hours - 1
    assert room.stays("a") == [("big", NOON, NOON + HOUR), ("big", NOON + 2 * HOUR, None)]


def test_only_touched_customers_are_looked_at(room: RuleRoom) -> None:
    room.rule("big", BIG)
    room.customers("a", "b", revenue_365d=50.0)
    room.evaluate()
    room.next_batch(HOUR)
    room.execute("update marts.customer_features set revenue_365d = 200")
    room.touch("a")
    room.evaluate()
    assert set(room.members("big")) == {"a"}
    room.set_clock(first_batch_id=0)  # a rebuild looks at everyone
    room.evaluate()
    assert set(room.members("big")) == {"a", "b"}


def test_a_new_score_alone_is_looked_at(room: RuleRoom) -> None:
    room.rule("leaving", "title: t\ndescription: d\nwhere: churn_probability > 0.5\n")
    room.customers("a", "b")
    room.evaluate()
    scores = {"as_of": NOON, "model_versions": "churn:2", "batch_id": 1}
    later = NOON + (room.evaluations + 0.5) * DAY
    for key, churn in (("a", 0.9), ("b", 0.1)):
        row = {"customer_key": key, "churn_probability": churn, "scored_at": later, **scores}
        room.insert("marts.customer_scores", row)
    room.evaluate()
    assert set(room.members("leaving")) == {"a"}


def test_a_customer_is_in_many_rules(room: RuleRoom) -> None:
    room.rule("big", BIG)
    room.rule("bigger", BIG.replace("> 100", "> 150"))
    room.customers("a", revenue_365d=200.0)
    room.customers("b", revenue_365d=120.0)
    room.evaluate()
    assert set(room.members("big")) == {"a", "b"}
    assert set(room.members("bigger")) == {"a"}


def test_a_rule_without_its_file_has_no_members(room: RuleRoom) -> None:
    path = room.rule("big", BIG)
    room.customers("a", revenue_365d=200.0)
    room.evaluate()
    path.unlink()
    room.next_batch(HOUR)
    room.evaluate()
    assert room.members("big") == {}
    assert room.records() == {}
    assert room.stays("a") == [("big", NOON, NOON + HOUR)]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("title: [", "segments/bad.yml: is no YAML"),
        ("title: t\ndescription: d\nwhere: revenue > > 1", "segments/bad.yml: where: does not pa"),
        ("title: t\ndescription: d\nwhere: revnue_365d > 1", 'no column "revnue_365d" in marts'),
        (
            "title: t\ndescription: d\nwhere: cast(customer_key as integer) > 1",
            "segments/bad.yml: Conversion Error: Could not convert string 'a' to INT32",
        ),
        (
            "title: t\ndescription: d\nall: [{top: 20 %, by: cast(customer_key as integer)}]",
            "segments/bad.yml: Conversion Error: Could not convert string 'a' to",
        ),
    ],
)
def test_an_error_disables_its_own_rule_only(room: RuleRoom, broken: str, message: str) -> None:
    room.rule("bad", BIG)
    for name in ("big", "also", "third"):
        room.rule(name, BIG)
    room.customers("a", revenue_365d=200.0)
    room.evaluate()
    room.rule("bad", broken)
    room.next_batch(HOUR)
    found = room.evaluate()
    assert set(found.errors) == {"bad"}
    assert message in found.errors["bad"]
    assert room.members("bad") == {}, "nobody can say who is in it"
    assert room.stays("a")[-1][0] == "third"
    assert {rule for rule, _, end in room.stays("a") if end is None} == {"big", "also", "third"}
    with room.lake.reader(latest=True) as connection:
        verdict = check_rules_are_valid(connection)
    assert not verdict.passed
    assert verdict.severity.value == "WARN"
    assert verdict.description == found.errors["bad"]

    room.rule("bad", BIG)
    room.next_batch(HOUR)
    room.evaluate()
    assert room.members("bad") == {"a": NOON + 2 * HOUR}, "mended, it holds for everyone at once"
    with room.lake.reader(latest=True) as connection:
        assert check_rules_are_valid(connection).passed


def test_a_mistake_mended_at_the_same_instant_leaves_no_trace(room: RuleRoom) -> None:
    room.rule("big", BIG)
    room.customers("a", "b", revenue_365d=200.0)
    room.evaluate()
    room.next_batch(HOUR)
    room.customers("c", revenue_365d=200.0)
    room.evaluate()
    for text in (BIG.replace("365d", "365"), BIG):
        room.rule("big", text)
        room.evaluate()
    assert room.members("big") == {"a": NOON, "b": NOON, "c": NOON + HOUR}
    assert room.stays("a") == [("big", NOON, None)]
    assert room.stays("c") == [("big", NOON + HOUR, None)]


def test_erased_customers_vanish_and_merged_ones_leave(room: RuleRoom) -> None:
    room.rule("big", BIG)
    room.customers("a", "erased", "merged", revenue_365d=200.0)
    room.evaluate()
    for key in ("erased", "merged"):
        for table in ("customer_features", "customers"):
            room.execute(f"delete from marts.{table} where customer_key = ?", [key])
    room.execute("delete from intermediate.identity_map where identifier_key = 'erased'")
    room.next_batch(HOUR)
    room.evaluate()
    assert set(room.members("big")) == {"a"}
    assert room.stays("merged") == [("big", NOON, NOON + HOUR)]
    assert room.stays("erased") == []


def test_borders_of_ranks_hold_until_everyone_is_computed_anew(room: RuleRoom) -> None:
    room.rule("top", "title: t\ndescription: d\nall: [{top: 20 %, by: revenue_365d}]\n")
    for number in range(10):
        room.customers(f"c{number}", revenue_365d=float(number))
    room.customers("none")
    room.evaluate()
    assert set(room.members("top")) == {"c8", "c9"}
    room.next_batch(HOUR)
    room.execute("update marts.customer_features set revenue_365d = 100 where customer_key = 'c0'")
    room.touch("c0")
    room.evaluate()
    assert set(room.members("top")) == {"c0", "c8", "c9"}, "nobody else moves in between"
    room.next_batch(HOUR)
    room.touch("none", *(f"c{number}" for number in range(10)))
    room.evaluate()
    assert set(room.members("top")) == {"c0", "c9"}


def test_ranks_are_among_those_who_are_meant(room: RuleRoom) -> None:
    room.rule(
        "seldom",
        "title: t\ndescription: d\n"
        "all: [{bottom: 50 %, by: order_days_365d, among: order_days_365d > 0}]\n",
    )
    for number in range(9):
        room.customers(f"c{number}", order_days_365d=float(max(number - 4, 0)))
    room.evaluate()
    assert set(room.members("seldom")) == {"c5", "c6"}


def test_the_asset_reports_members_and_its_check_warns(
    room: RuleRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.rule("big", BIG)
    room.rule("bad", BIG.replace("revenue", "revnue"))
    room.customers("a", "b", revenue_365d=200.0)
    values = rules.settings().model_copy(update={"segments": room.folder})
    monkeypatch.setattr(rules, "settings", lambda: values)
    result = dg.materialize(
        [rules.rule_segments, rules.rules_are_valid], resources={"lake": room.lake}
    )
    assert result.success, "a broken rule is no failure of the run"
    metadata = result.asset_materializations_for_node("rule_segments")[0].metadata
    assert metadata["dagster/row_count"].value == metadata["entered"].value == 2
    assert metadata["disabled"].value == 1
    table = str(metadata["rules"].value)
    assert "| big | 2 | 2 | 0 |  |" in table
    assert "segments/bad.yml: where: no column" in table
    (verdict,) = result.get_asset_check_evaluations()
    assert not verdict.passed
    assert verdict.severity == dg.AssetCheckSeverity.WARN
    assert set(room.members("big")) == {"a", "b"}
