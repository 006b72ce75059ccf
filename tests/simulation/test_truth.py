"""What is written agrees with what is true."""

from __future__ import annotations

import math

import pytest
from simulated_market import Market

from simulation.personas import CAMPAIGN_KINDS, PERSONAS
from simulation.wording import OPENINGS

BOUGHT = """
    (select o.*, t.persona, t.joined_at, t.churn_at, t.person_id from orders o
     join owners w on o.customer_ref = w.ref join customers_truth t using (person_id)
     where status <> 'returned')
"""


def test_every_ref_has_its_person(market: Market) -> None:
    for column in ("customer_ref", "anonymous_ref"):
        unknown = f"""
            select count(*) from events anti join identity_truth on {column} = ref
            where {column} is not null
        """
        assert market.one(unknown) == 0


def test_nobody_buys_before_joining_or_after_leaving(market: Market) -> None:
    assert market.one(f"select count(*) from {BOUGHT} where ordered_at < joined_at") == 0
    assert market.one(f"select count(*) from {BOUGHT} where ordered_at >= churn_at") == 0


def test_leaving_follows_the_hazard(market: Market) -> None:
    start, finish = (f"make_timestamp({at})" for at in (market.config.start, market.config.finish))
    there = f"select * from customers_truth where joined_at = {start}"
    expected = market.one(f"select sum(1 - exp(-list_sum(weekly_hazard))) from ({there})")
    left = market.one(f"select count(churn_at) from ({there}) where churn_at < {finish}")
    assert left == pytest.approx(expected, abs=4 * math.sqrt(expected))


def test_personas_buy_in_the_order_of_their_rates(market: Market) -> None:
    rates = dict(
        market.rows(f"""
            select persona, count(o.order_ref) / count(distinct t.person_id)
            from customers_truth t left join {BOUGHT} o using (persona, person_id) group by 1
        """)
    )
    expected = sorted(PERSONAS, key=lambda persona: -persona.purchases)
    assert sorted(rates, key=lambda name: -rates[name]) == [p.name for p in expected]


def test_controls_get_no_message_and_nobody_is_written_to_without_consent(market: Market) -> None:
    read = """
        select count(*) from messages m join events e using (customer_ref, campaign_ref)
        where m.is_control and e.event_type in ('message_opened', 'message_clicked')
    """
    assert market.one(read) == 0
    assert market.one("select sum(cost) from messages where is_control") == 0
    assert market.one("select avg(is_control::int) from messages") == pytest.approx(0.1, abs=0.02)
    refused = """
        select count(*) from messages m join consents c using (customer_ref)
        where purpose = 'marketing' and not granted and decided_at <= sent_at
    """
    assert market.one(refused) == 0


def test_campaigns_move_purchases_the_way_the_truth_says(market: Market) -> None:
    assert _lift(market, "bargain hunter", "discount") > 1.3
    assert _lift(market, "devoted", "winback") < 0.9
    effects = market.rows("select distinct persona, kind, log_effect from campaigns_truth")
    expected = {
        (persona.name, kind, effect)
        for persona in PERSONAS
        for kind, effect in zip(CAMPAIGN_KINDS, persona.effects, strict=True)
    }
    assert set(effects) == expected


def _lift(market: Market, persona: str, kind: str) -> float:
    """Orders in the two weeks of a campaign per treated person, relative to persons left out."""
    return market.one(f"""
        with windows as (
            select campaign_ref, works_from, works_until from campaigns_truth
            where persona = '{persona}' and kind = '{kind}'),
        present as (
            select w.*, t.person_id, bool_or(m.message_ref is not null) as treated
            from windows w join customers_truth t on t.persona = '{persona}'
                and t.joined_at < w.works_from and coalesce(t.churn_at > w.works_until, true)
            join owners o using (person_id)
            left join messages m on m.customer_ref = o.ref and not m.is_control
                and m.campaign_ref = w.campaign_ref
            group by all),
        counted as (
            select p.treated, p.person_id, p.campaign_ref, count(b.order_ref) as orders
            from present p left join {BOUGHT} b on b.person_id = p.person_id
                and b.ordered_at >= p.works_from and b.ordered_at < p.works_until
            group by all)
        select avg(orders) filter (treated) / avg(orders) filter (not treated) from counted
    """)


def test_wording_and_stars_show_the_true_sentiment(market: Market) -> None:
    bad = [text for texts in OPENINGS[:2] for text in texts]
    good = [text for texts in OPENINGS[3:] for text in texts]
    for words, wrong_side in ((bad, "sentiment >= 0"), (good, "sentiment <= 0")):
        starts = " or ".join(f"starts_with(body, '{text}')" for text in words)
        found = f"from feedback join feedback_truth using (feedback_ref) where ({starts})"
        assert market.one(f"select count(*) {found}") > 50
        assert market.one(f"select count(*) {found} and {wrong_side}") == 0
    agreement = (
        "select corr(rating, sentiment) from feedback join feedback_truth using (feedback_ref)"
    )
    assert market.one(agreement) > 0.7
    assert (
        market.one("select count(*) from feedback where rating is null = (source_type='review')")
        == 0
    )


def test_some_bodies_name_products_and_contacts(market: Market) -> None:
    named = "select avg(contains(body, name)::int) from feedback join products using (product_ref)"
    assert market.one(named) == 1
    share = r"select avg(regexp_matches(body, '@example|\+4900')::int) from feedback"
    assert 0.02 < market.one(share) < 0.15


def test_one_person_in_twenty_has_two_profiles_that_resemble(market: Market) -> None:
    twice = "from customers_truth where len(customer_refs) = 2"
    assert 0.03 < market.one(f"select count(*) / {market.config.customers} {twice}") < 0.07
    alike = f"""
        select avg((a.email = b.email or a.phone = b.phone)::int)
        from (select customer_refs[1] as one, customer_refs[2] as two {twice})
        join customers a on a.customer_ref = one join customers b on b.customer_ref = two
    """
    assert market.one(alike) > 0.9


def test_some_devices_are_shared_by_a_household(market: Market) -> None:
    shared = """
        select count(*) from (select ref from identity_truth where kind = 'anonymous_ref'
        group by ref having count(distinct person_id) = 2)
    """
    assert market.one(shared) > 10


def test_planted_anomalies_are_where_the_truth_says(market: Market) -> None:
    kinds = dict(market.rows("select kind, count(*) from anomalies_truth group by 1"))
    assert set(kinds) == {"account_takeover", "card_testing", "price_scraping"}
    quiet = """
        select count(*) from (
            select a.anonymous_ref, count(e.event_id) as events from anomalies_truth a
            left join events e on e.anonymous_ref = a.anonymous_ref
                and e.occurred_at between a."start" and a."end" group by 1) where events < 14
    """
    assert market.one(quiet) == 0
