"""Identity against the truth of the simulated market, and decisions as a steward makes them."""

import pytest

from orchestration.ingestion.pseudonyms import keyed_hash
from orchestration.lake import Lake
from tests.integration.deployment import SHOAL, Deployment

PAIRS = """
with truth as (
    select distinct
        person_id,
        kind,
        case kind when 'customer_ref' then {customer} else {device} end as identifier_key
    from read_parquet('{folder}/identity_truth/*.parquet')
),

known as (
    select identifier_key, customer_key
    from intermediate.identity_map
    where identifier_kind in ('customer', 'device') and customer_key is not null
),

true_pairs as (
    select distinct a.identifier_key as first_key, b.identifier_key as second_key
    from truth as a
    inner join truth as b on a.person_id = b.person_id and a.identifier_key < b.identifier_key
    where a.identifier_key in (select identifier_key from intermediate.identity_map)
        and b.identifier_key in (select identifier_key from intermediate.identity_map)
),

found_pairs as (
    select distinct a.identifier_key as first_key, b.identifier_key as second_key
    from known as a
    inner join known as b
        on a.customer_key = b.customer_key and a.identifier_key < b.identifier_key
    where a.identifier_key in (select identifier_key from truth)
        and b.identifier_key in (select identifier_key from truth)
)

select
    (select count(*) from true_pairs),
    (select count(*) from found_pairs),
    (select count(*) from true_pairs semi join found_pairs using (first_key, second_key)),
    (
        select count(*)
        from found_pairs
        where
            first_key in (select identifier_key from truth where kind = 'fraud')
            or second_key in (select identifier_key from truth where kind = 'fraud')
    )
"""


def test_pairs_of_identifiers_are_those_of_the_truth(demo: tuple[Deployment, str]) -> None:
    """Over refs and devices that any row names with another: a silent browser tells nothing.

    A fraudster's device that got into an account is the one thing that counts for nobody in the
    truth and for the account's owner here; such pairs are few, and all that may be wrong.
    """
    deployment, _ = demo
    values = deployment.values
    query = PAIRS.format(
        customer=keyed_hash("customer_key", "ref"),
        device=keyed_hash("anonymous_key", "ref"),
        folder=values.root / "truth",
    )
    with Lake.from_settings(values).reader() as connection:
        row = connection.execute(query, {"pseudonym_key": values.pseudonym_key()}).fetchone()
    assert row is not None
    true, found, both, found_with_fraudsters = row
    assert true > 1_000
    assert both / (found - found_with_fraudsters) >= 0.999
    assert found_with_fraudsters / found <= 0.003
    assert both / true >= 0.97


@pytest.mark.slow
@pytest.mark.usefixtures("alone")
def test_a_steward_splits_and_restores(demo: tuple[Deployment, str]) -> None:
    deployment, _ = demo
    ((ref, key),) = deployment.query(
        """
        select profiles.customer_ref, identities.customer_key
        from intermediate.identity_map as identities
        inner join raw.customers as profiles
            on identities.identifier_key = profiles.customer_key
        where identities.identifier_kind = 'customer'
            and identities.customer_key <> identities.identifier_key
        order by all
        limit 1
        """
    )
    refs = f"select count(*) from intermediate.identity_map where customer_key = '{key}'"
    before = deployment.query(refs), deployment.query("select count(*) from marts.customer_scores")
    said = deployment.run(str(SHOAL), "identity", "explain", str(ref))
    assert str(key) in said
    assert "evidence path" in said

    said = deployment.run(str(SHOAL), "identity", "split", str(ref), "--reason", "two people")
    assert "batch" in said
    deployment.batch_job()
    scores = deployment.query("select count(*) from marts.customer_scores")
    assert scores[0][0] == int(str(before[1][0][0])) + 1
    said = deployment.run(str(SHOAL), "identity", "explain", str(ref))
    assert "apart from all others (two people)" in said
    assert str(key) not in said.splitlines()[0]

    deployment.run(str(SHOAL), "identity", "restore", str(ref), "--reason", "one after all")
    deployment.batch_job()
    assert (
        deployment.query(refs),
        deployment.query("select count(*) from marts.customer_scores"),
    ) == before
