"""The landing files keep the laws of the canonical entities."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from simulated_market import Market

from simulation.schemas import SCHEMAS


def test_every_entity_lands_with_its_columns_under_its_hour(market: Market) -> None:
    assert set(market.summary.rows) == set(SCHEMAS)
    for path in market.summary.files:
        entity = path.relative_to(market.landing).parts[0]
        assert path.parent.name == "arrived=2026-11-22T03"
        assert pq.read_schema(path).equals(SCHEMAS[entity])


def test_event_count_is_within_a_tenth(market: Market) -> None:
    count = market.one("select count(*) from events")
    assert count == market.summary.rows["events"]
    assert count == pytest.approx(market.config.events, rel=0.10)


@pytest.mark.parametrize(
    ("entity", "key"),
    [
        ("events", "event_id"),
        ("orders", "order_ref"),
        ("order_lines", "(order_ref, line_number)"),
        ("messages", "message_ref"),
        ("feedback", "feedback_ref"),
        ("products", "(product_ref, updated_at)"),
        ("customers", "(customer_ref, updated_at)"),
    ],
)
def test_keys_are_unique(market: Market, entity: str, key: str) -> None:
    assert market.one(f"select count(*) - count(distinct {key}) from {entity}") == 0


@pytest.mark.parametrize(
    ("child", "parent", "key"),
    [
        ("order_lines", "orders", "order_ref"),
        ("orders", "order_lines", "order_ref"),
        ("order_lines", "products", "product_ref"),
        ("events", "customers", "customer_ref"),
        ("orders", "customers", "customer_ref"),
        ("messages", "customers", "customer_ref"),
        ("feedback", "customers", "customer_ref"),
        ("customers", "consents", "customer_ref"),
    ],
)
def test_refs_lead_somewhere(market: Market, child: str, parent: str, key: str) -> None:
    orphans = f"select count(*) from {child} anti join {parent} using ({key}) where {key} not null"
    assert market.one(orphans) == 0


def test_order_completed_carries_the_value_of_its_order(market: Market) -> None:
    told = """
        select properties ->> 'order_ref' as order_ref, value, occurred_at, customer_ref
        from events where event_type = 'order_completed'
    """
    placed = "select * from orders where status <> 'returned'"
    assert market.one(f"select count(*) from ({placed}) anti join ({told}) using (order_ref)") == 0
    assert market.one(f"select count(*) from ({told}) anti join ({placed}) using (order_ref)") == 0
    differing = f"""
        select count(*) from ({told}) t join orders o using (order_ref)
        join order_values v using (order_ref)
        where abs(t.value - v.value) > 0.001 or t.occurred_at <> o.ordered_at
           or t.customer_ref <> o.customer_ref
    """
    assert market.one(differing) == 0


def test_returns_and_cancellations_exist_with_positive_lines(market: Market) -> None:
    shares = dict(
        market.rows("select status, count(*) / sum(count(*)) over () from orders group by 1")
    )
    assert 0.02 < shares["returned"] < 0.15
    assert 0.01 < shares["cancelled"] < 0.06
    assert market.one("select min(quantity) from order_lines") >= 1
    assert market.one("select min(value) from order_values") >= 0


def test_logins_carry_both_refs_and_visits_begin_anonymous(market: Market) -> None:
    incomplete = "anonymous_ref is null or customer_ref is null"
    assert (
        market.one(f"select count(*) from events where event_type='login' and ({incomplete})") == 0
    )
    known = "select avg((customer_ref is not null)::int) from events where event_type="
    assert market.one(known + "'page_view'") < 0.6
    assert market.one(known + "'checkout_started'") > 0.9


def test_all_happens_inside_the_period(market: Market) -> None:
    start, finish = (f"make_timestamp({at})" for at in (market.config.start, market.config.finish))
    for entity, column in (
        ("events", "occurred_at"), ("orders", "ordered_at"), ("messages", "sent_at"),
        ("feedback", "posted_at"),
    ):  # fmt: skip
        outside = f"{column} < {start} or {column} >= {finish}"
        assert market.one(f"select count(*) from {entity} where {outside}") == 0
    late = f"select count(*) from customers where updated_at >= {finish}"
    assert market.one(late) == 0


def test_no_file_is_left_half_written(market: Market) -> None:
    assert not [path for path in market.landing.rglob("*") if path.name.startswith(".")]


def test_contacts_can_reach_nobody(market: Market) -> None:
    strange = "email not similar to '.*@(.*[.])?example[.](com|org)'"
    assert market.one(f"select count(*) from customers where {strange}") == 0
    strange = r"phone is not null and not regexp_matches(phone, '^\+[0-9]{1,2}00[0-9]{8}$')"
    assert market.one(f"select count(*) from customers where {strange}") == 0
