"""``shoal customer`` on a market: everything that is known, nothing that is raw."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import duckdb
import pytest

from orchestration.customer_cli import page_of
from orchestration.customer_facts import CustomerFacts, customer_of, read_facts
from orchestration.customer_page import customer_page
from orchestration.documents import to_html
from orchestration.identity import UnknownRef
from orchestration.lake import Lake
from orchestration.phrases import feature_phrases
from tests.integration.deployment import SHOAL, Deployment

RAW = ("customer_ref", "email", "phone", "full_name", "address", "postcode", "birth_date")
SECTIONS = ("Profile", "Consent", "Buying and behaviour", "Segment", "Rule segments", "Scores",
            "Reasons", "Response to a message", "Next category", "Last steps")  # fmt: skip
SCORED = """
select scores.customer_key
from marts.customer_scores as scores
inner join marts.customers as customers on scores.customer_key = customers.customer_key
where
    scores.churn_probability is not null and coalesce(customers.consents_analytics, true)
order by 1
limit 1
"""
REFUSED = """
select customer_key
from marts.customers
where consents_analytics = false and orders > 0
order by 1
limit 1
"""


@contextmanager
def reading(deployment: Deployment) -> Iterator[duckdb.DuckDBPyConnection]:
    with Lake.from_settings(deployment.values).reader() as connection:
        yield connection


def facts_of(deployment: Deployment, query: str) -> CustomerFacts:
    ((key,),) = deployment.query(query)
    with reading(deployment) as connection:
        return read_facts(connection, str(key))


@pytest.fixture(scope="module")
def scored(demo: tuple[Deployment, str]) -> CustomerFacts:
    """A customer with scores who did not refuse analytics."""
    return facts_of(demo[0], SCORED)


def test_a_scored_customer_has_every_section(
    demo: tuple[Deployment, str], scored: CustomerFacts
) -> None:
    deployment, facts = demo[0], scored
    said = to_html("Customer", page_of(facts, deployment.values))
    for section in SECTIONS:
        assert section in said
    ((churn, segment, reasons),) = deployment.query(
        "select churn_probability, segment_name, top_reasons from marts.customer_scores "
        f"where customer_key = '{facts.customer_key}'"
    )
    assert next(row["value"] for row in facts.scores if row["task"] == "churn") == churn
    assert facts.segment is not None
    assert facts.segment["segment_name"] == segment == facts.segment_history[0]["segment_name"]
    assert facts.scored is not None
    assert facts.scored["top_reasons"] == reasons
    value = next(row for row in facts.scores if row["task"] == "value")
    assert value["low"] <= value["high"]
    assert facts.steps == sorted(facts.steps, key=lambda row: row["occurred_at"], reverse=True)


def test_shares_below_are_those_of_all_customers(
    demo: tuple[Deployment, str], scored: CustomerFacts
) -> None:
    deployment, _ = demo
    shown = next(row for row in scored.features if row["feature"] == "revenue_total")
    ((below, median),) = deployment.query(
        f"select avg(case when revenue_total < {shown['value']!r} then 1 else 0 end), "
        "median(revenue_total) from marts.customer_features where revenue_total is not null"
    )
    assert shown["share_below"] == pytest.approx(below)
    assert shown["median"] == pytest.approx(median)


def test_no_output_holds_anything_raw(demo: tuple[Deployment, str]) -> None:
    """Of four profiles: no ref, name, mailbox, number, address, postcode or birthday."""
    deployment, _ = demo
    with reading(deployment) as connection:
        profiles = connection.execute(
            f"select customer_key, {', '.join(RAW)} from raw.customers order by 1, 2 limit 4"
        ).fetchall()
        seen, phrases = 0, feature_phrases()
        for ref_key, *raw in profiles:
            facts = read_facts(connection, customer_of(connection, ref_key, "not needed"))
            written = json.dumps(asdict(facts), default=str) + to_html(
                "Customer", customer_page(facts, phrases, {})
            )
            for value in map(str, filter(None, raw)):
                # a postcode can be the inside of a longer number or of a key by chance
                pattern = rf"(?<![\w.]){value}(?!\w)" if value.isdigit() else re.escape(value)
                assert re.search(pattern, written) is None, value
                seen += 1
            assert facts.customer_key in written
    assert seen > 20


def test_refused_analytics_leaves_what_analytics_made_out(
    demo: tuple[Deployment, str], scored: CustomerFacts
) -> None:
    facts = facts_of(demo[0], REFUSED)
    assert facts.withheld
    assert facts.segment is None
    assert facts.scored is None
    assert not any((facts.features, facts.scores, facts.score_history, facts.moves, facts.rules))
    assert not {"first_seen_at", "last_seen_at"} & set(facts.profile)
    assert facts.steps
    assert all(row["step"].startswith("order_") for row in facts.steps)
    assert not scored.withheld


def test_every_ref_of_a_person_leads_to_one_page(demo: tuple[Deployment, str]) -> None:
    deployment, _ = demo
    rows = deployment.query(
        """
        select distinct profiles.customer_ref, identities.customer_key
        from intermediate.identity_map as identities
        inner join raw.customers as profiles
            on identities.identifier_key = profiles.customer_key
        where identities.identifier_kind = 'customer'
        qualify count(*) over (partition by identities.customer_key) > 1
        order by 2, 1
        limit 4
        """
    )
    secret = deployment.values.pseudonym_key()
    with reading(deployment) as connection:
        for ref, key in rows:
            assert customer_of(connection, str(ref), secret) == key
            assert customer_of(connection, str(key), secret) == key
            with pytest.raises(UnknownRef, match="exactly as the source writes them"):
                customer_of(connection, f"{ref} ", secret)
    assert len(rows) == 4


@pytest.mark.slow
def test_the_command_prints_and_refuses(demo: tuple[Deployment, str]) -> None:
    deployment, _ = demo
    ((ref, key),) = deployment.query(
        """
        select min(profiles.customer_ref), identities.customer_key
        from intermediate.identity_map as identities
        inner join raw.customers as profiles
            on identities.identifier_key = profiles.customer_key
        where identities.identifier_kind = 'customer'
        group by 2
        order by 2
        limit 1
        """
    )
    printed = json.loads(deployment.run(str(SHOAL), "customer", str(ref), "--json"))
    assert printed["customer_key"] == key
    refused = deployment.refused(str(SHOAL), "customer", "nobody at all")
    assert "no customer 'nobody at all'" in refused
