"""Who is who: what joins refs, what keeps them apart, and what follows in the marts."""

import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from orchestration.identity import Explanation, decide, explain
from orchestration.identity_cli import print_explanation
from tests.dbt.dbt_lake import DbtLake, Row, assert_same_tables

AS_OF = datetime(2024, 3, 12, 12)
START = datetime(2024, 3, 1, 9)
NewLake = Callable[[], DbtLake]


def profile(ref: str, batch: int = 1, *, day: int = 0, **values: Any) -> Row:
    when = START + timedelta(days=day)
    return (
        "customers",
        {
            "customer_ref": ref,
            "updated_at": when,
            "signed_up_at": when,
            **values,
            "batch_id": batch,
        },
    )


def order(ref: str, customer: str, batch: int = 1, *, day: int = 1) -> Row:
    return (
        "orders",
        {
            "order_ref": ref,
            "customer_ref": customer,
            "ordered_at": START + timedelta(days=day),
            "status": "completed",
            "batch_id": batch,
        },
    )


def event(name: str, batch: int = 1, *, hour: int = 30, **values: Any) -> Row:
    return (
        "events",
        {
            "event_id": name,
            "occurred_at": START + timedelta(hours=hour),
            "event_type": "page_view",
            **values,
            "batch_id": batch,
        },
    )


def login(name: str, customer: str, device: str, batch: int = 1, *, hour: int = 31) -> Row:
    values = {"event_type": "login", "customer_ref": customer, "anonymous_ref": device}
    return event(name, batch, hour=hour, **values)


def built(grown_lake: NewLake, *batches: list[Row]) -> DbtLake:
    lake = grown_lake()
    for number, rows in enumerate(batches, 1):
        lake.load(rows)
        lake.replay(AS_OF, number, number)
    return lake


def owners(lake: DbtLake, kind: str = "customer") -> dict[str, str]:
    table = lake.table("intermediate.identity_map")
    table = table[(table["identifier_kind"] == kind) & table["is_owner"]]
    return dict(zip(table["identifier_key"], table["customer_key"], strict=True))


def owned(lake: DbtLake, identifier: str) -> tuple[str, datetime | None]:
    """To whom an identifier belongs, and until when."""
    table = lake.table("intermediate.identity_map")
    ((customer, until),) = table[(table["identifier_key"] == identifier) & table["is_owner"]][
        ["customer_key", "owned_until"]
    ].to_numpy()
    return customer, None if pd.isna(until) else pd.Timestamp(until).to_pydatetime()


def log(lake: DbtLake) -> list[tuple[str, str, str | None, str | None]]:
    table = lake.table("intermediate.identity_log", ["batch_id", "identifier_key", "entry_number"])
    table = table.astype(object).where(table.notna(), None)
    names = ["identifier_key", "change", "from_customer_key", "to_customer_key"]
    return [tuple(row) for row in table[names].itertuples(index=False)]


def explained(lake: DbtLake, ref: str) -> Explanation:
    with lake.lake.reader(latest=True) as connection:
        return explain(connection, ref)


def decided(lake: DbtLake, refs: list[str], *, apart: bool) -> None:
    with lake.lake.writer("test: decide") as connection:
        batch = decide(
            connection,
            refs,
            apart=apart,
            decided_by="steward",
            reason="known in person",
            run_id="test",
            now=AS_OF,
        )
        batch_rows = connection.execute("select max(batch_id) from ops.batches").fetchone()
    assert batch_rows == (batch,)
    lake.replay(AS_OF, batch, batch)


def counts_batches_from(lake: DbtLake, batch: int) -> None:
    """Tests load rows without ingestion: let the next decision come after them."""
    lake.execute(
        "insert into ops.batches (batch_id, partition_key, run_id, received, accepted, duplicates, "
        "rejected, ingested_at) values (?, '2024-03-01T00', 'test', 0, 0, 0, 0, ?)",
        [batch, AS_OF],
    )


COUPLE = [
    profile("old", email="mail"),
    profile("young", day=2, email="mail"),
    order("o1", "old"),
    order("o2", "young", day=3),
    event("e1", customer_ref="young", hour=80),
]
TRIO = [profile(name, day=day, email="trio") for day, name in enumerate("abc")]


@pytest.fixture(scope="module")
def worlds(grown_lake: NewLake) -> DbtLake:
    """Cases that have nothing to do with each other, in three batches of one lake."""
    born = {"mother": 1960, "child": 1990, "again": 1990}
    first = [
        login("l1", "ann", "tablet"),
        login("l2", "ann", "phone"),
        event("quiet", anonymous_ref="tablet", hour=32),
        event("own", anonymous_ref="phone", hour=40),
        login("l4", "ann", "lent", hour=28),
        *(login(f"k{ref}", f"only {ref}", "hall", hour=31 + ref) for ref in range(5)),
        login("p1", "pat", "till", hour=31),
        event("p2", customer_ref="pat", anonymous_ref="till", user_agent="Kiosk", hour=33),
        *(event(f"hall {hour}", anonymous_ref="hall", hour=hour) for hour in (31, 32)),
        *(event(f"till {hour}", anonymous_ref="till", hour=hour) for hour in (32, 33)),
        event("try", customer_ref="ann", anonymous_ref="stranger", event_type="login_failed"),
        *(
            profile(name, day=day, phone="home", birth_date=date(year, 1, 1))
            for day, (name, year) in enumerate(born.items())
        ),
        profile("chain a", email="one"),
        profile("chain b", day=1, email="one", phone="two"),
        profile("chain c", day=2, phone="two"),
        profile("kin a", email="x", phone="kin", birth_date=date(1960, 1, 1)),
        profile("kin b", day=1, email="y", phone="kin", birth_date=date(1990, 1, 1)),
        profile("kin c", day=2, email="x"),
        profile("kin c", day=3, email="y"),
        profile("later", day=3, email="late mail"),
        *(profile(f"four {number}", day=number, email="four") for number in range(3)),
        *(profile(f"five {number}", day=number, email="five") for number in range(4)),
    ]
    second = [
        login("l3", "bob", "tablet", 2, hour=60),
        event("whose", 2, anonymous_ref="tablet", hour=60),
        login("l5", "bob", "lent", 2, hour=28),
        profile("sooner", 2, day=0, email="late mail"),
        profile("four 3", 2, email="four"),
        profile("five 4", 2, email="five"),
    ]
    third = [login("l6", "bob", "lent", 3, hour=20)]
    return built(grown_lake, first, second, third)


def customers_of(lake: DbtLake, prefix: str) -> list[str]:
    return sorted({owner for ref, owner in owners(lake).items() if ref.startswith(prefix)})


def test_an_address_of_many_refs_joins_them(worlds: DbtLake) -> None:
    assert customers_of(worlds, "four") == ["four 0"]


def test_one_ref_more_than_can_be_one_person_takes_all_apart(worlds: DbtLake) -> None:
    assert customers_of(worlds, "five") == [f"five {number}" for number in range(5)]
    cuts = worlds.table("intermediate.identity_cuts")
    cuts = cuts[cuts["identifier_kind"] == "email"]
    assert cuts[["identifier_key", "reason"]].to_numpy().tolist() == [
        ["five", "a shared mailbox: 5 refs, at most 4 count"]
    ]
    assert [cut["identifier_key"] for cut in explained(worlds, "five 0").cuts] == ["five"]
    changes = [entry[:2] for entry in log(worlds) if entry[0] == "five 1"]
    assert changes == [("five 1", "merge"), ("five 1", "split")]


def test_a_device_is_its_first_customers_until_a_second_one_comes(worlds: DbtLake) -> None:
    """And joins nobody. What happens when the second one comes is nobody's."""
    assert customers_of(worlds, "ann") == ["ann"]
    assert customers_of(worlds, "bob") == ["bob"]
    assert owned(worlds, "phone") == ("ann", None)
    assert owned(worlds, "tablet") == ("ann", START + timedelta(hours=60))
    events = worlds.table("marts.sessions").groupby("visitor_key")["events"].sum()
    assert (events["ann"], events["bob"], events["tablet"]) == (6, 3, 1)
    assert ("tablet", "share", "ann", "ann") in log(worlds)
    page = Console(width=200, record=True, file=io.StringIO())
    print_explanation(page, explained(worlds, "ann"))
    assert "until 2024-03-03 21:00" in page.export_text()


def test_a_device_of_two_at_once_is_nobodys(worlds: DbtLake) -> None:
    """Until a late row tells that one of them was there before."""
    assert owned(worlds, "lent") == ("bob", START + timedelta(hours=28))
    assert [entry[1:] for entry in log(worlds) if entry[0] == "lent"] == [
        ("link", None, "ann"),
        ("unlink", "ann", None),
        ("share", None, "bob"),
    ]


def test_a_guardrail_takes_a_device_from_the_instant_on_at_which_it_cuts(worlds: DbtLake) -> None:
    assert owned(worlds, "hall") == ("only 0", START + timedelta(hours=32))
    assert owned(worlds, "till") == ("pat", START + timedelta(hours=33))
    events = worlds.table("marts.sessions").groupby("visitor_key")["events"].sum()
    assert (events["only 0"], events["hall"], events["pat"], events["till"]) == (2, 1, 3, 1)
    table = worlds.table("intermediate.identity_map")
    hall = table[table["identifier_key"] == "hall"]
    assert len(hall) == 2
    assert set(hall["evidence_kind"]) == {"guardrail"}


def test_a_telephone_joins_only_one_birth_year(worlds: DbtLake) -> None:
    who = owners(worlds)
    assert (who["mother"], who["child"], who["again"]) == ("mother", "child", "child")


def test_a_chain_of_evidence_is_explained_step_by_step(worlds: DbtLake) -> None:
    assert customers_of(worlds, "chain") == ["chain a"]
    found = explained(worlds, "chain c")
    steps = [(step.ref_key, step.kind, step.evidence_key, step.other_key) for step in found.path]
    assert steps == [
        ("chain c", "phone", "two", "chain b"),
        ("chain b", "email", "one", "chain a"),
    ]
    assert [row["ref_key"] for row in found.refs] == ["chain a", "chain b", "chain c"]


def test_a_path_names_no_evidence_that_did_not_count(worlds: DbtLake) -> None:
    """The telephone of two birth years would be the shorter way."""
    assert customers_of(worlds, "kin") == ["kin a"]
    steps = [(step.ref_key, step.kind, step.other_key) for step in explained(worlds, "kin b").path]
    assert steps == [("kin b", "email", "kin c"), ("kin c", "email", "kin a")]


def test_an_older_ref_renames_the_customer_and_the_log_says_so(worlds: DbtLake) -> None:
    assert customers_of(worlds, "later") == ["sooner"]
    assert "later" not in set(worlds.table("marts.customers")["customer_key"])
    assert ("later", "merge", "later", "sooner") in log(worlds)


@pytest.mark.slow
def test_a_merge_that_comes_later_moves_everything_in_the_same_batch(grown_lake: NewLake) -> None:
    apart = [row for row in COUPLE if row[:1] != ("customers",) or row[1]["customer_ref"] == "old"]
    lake = built(grown_lake, apart, [profile("young", 2, day=2, email="mail")])
    assert owners(lake) == {"old": "old", "young": "old"}
    customers = lake.table("marts.customers")
    assert customers["customer_key"].tolist() == ["old"]
    assert customers["orders"].tolist() == [2]
    assert set(lake.table("marts.orders")["customer_key"]) == {"old"}
    assert set(lake.table("marts.sessions")["visitor_key"]) == {"old"}
    assert lake.table("marts.customer_features")["customer_key"].tolist() == ["old"]
    at_once = built(grown_lake, COUPLE)
    assert_same_tables(lake.marts(), at_once.marts(), "merged later")


@pytest.mark.slow
def test_a_decision_overrides_later_evidence_and_restoring_leaves_no_trace(
    grown_lake: NewLake,
) -> None:
    lake = built(grown_lake, COUPLE + TRIO)
    before = lake.marts()
    counts_batches_from(lake, 1)
    decided(lake, ["young", "b", "c"], apart=True)
    assert owners(lake) == {"old": "old", "young": "b", "a": "a", "b": "b", "c": "b"}
    counts_batches_from(lake, 3)
    contact = {"day": 5, "email": "mail", "phone": "phone"}
    lake.load([profile("young", 3, **contact), profile("old", 3, **contact)])
    lake.replay(AS_OF, 3, 3)
    assert owners(lake)["young"] == "b"

    decided(lake, ["young", "b", "c"], apart=False)
    assert owners(lake) == {"old": "old", "young": "old", "a": "a", "b": "a", "c": "a"}
    changes = [entry for entry in log(lake) if entry[0] == "young"]
    assert changes == [
        ("young", "merge", "young", "old"),
        ("young", "move", "old", "b"),
        ("young", "move", "b", "old"),
    ]
    after = lake.marts()
    assert "b" not in set(after["marts.customers"]["customer_key"])
    same = ["marts.orders", "marts.sessions", "intermediate.int_customer_days"]
    assert_same_tables(
        {name: before[name] for name in same}, {name: after[name] for name in same}, "restored"
    )
    found = explained(lake, "young")
    assert [row["reason"] for row in found.decisions if row["ref_key"] == "young"] == [
        "known in person",
        "known in person",
    ]
    assert [(step.ref_key, step.other_key) for step in found.path] == [("young", "old")]


@pytest.mark.slow
def test_a_match_joins_only_when_it_says_same_and_goes_when_it_is_withdrawn(
    grown_lake: NewLake,
) -> None:
    def matched(lake: DbtLake, decision: str, batch: int) -> None:
        lake.execute("delete from intermediate.identity_matches")
        lake.execute(
            "insert into intermediate.identity_matches values ('a', 'b', 0.97, ?, ?)",
            [decision, batch],
        )
        lake.replay(AS_OF, batch, batch)

    lake = built(grown_lake, [profile("a"), profile("b", day=1), order("o", "b")])
    before = lake.marts()
    matched(lake, "review", 2)
    assert owners(lake) == {"a": "a", "b": "b"}
    matched(lake, "same", 3)
    assert owners(lake) == {"a": "a", "b": "a"}
    assert set(lake.table("marts.orders")["customer_key"]) == {"a"}
    matched(lake, "different", 4)
    assert owners(lake) == {"a": "a", "b": "b"}
    assert [entry[1] for entry in log(lake)] == ["merge", "split"]
    assert_same_tables(before, lake.marts(), "withdrawn")
