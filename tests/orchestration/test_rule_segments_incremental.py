"""Looking only at those who can have changed gives what looking at everyone gives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.orchestration.rule_room import NOON, RuleRoom, rule_room

CUSTOMERS = ("a", "b", "c")
TYPES = ("view", "cart", "buy")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Window:
    """A condition on events, as a rule file has it and in plain Python."""

    type: str
    within: int
    until: int = 0
    at_least: int = 1
    at_most: int | None = None

    def yaml(self) -> str:
        most = "" if self.at_most is None else f", at_most: {self.at_most}"
        until = f", until: {self.until} minutes" if self.until else ""
        return (
            f"{{events: {self.type}, within: {self.within} minutes{until}, "
            f"at_least: {self.at_least}{most}}}"
        )

    def holds(self, events: list[tuple[str, str, datetime]], customer: str, now: datetime) -> bool:
        begin, end = now - self.within * MINUTE, now - self.until * MINUTE
        found = sum(
            key == customer and self.type in (type_, "any") and begin <= at < end
            for key, type_, at in events
        )
        return self.at_least <= found <= (len(events) if self.at_most is None else self.at_most)


ALL = {
    "keen": (Window("view", 60, at_least=2), Window("buy", 60, at_least=0, at_most=0)),
    "left_it": (Window("cart", 90, until=30), Window("any", 30, at_least=0, at_most=0)),
    "gone": (Window("any", 120, at_least=0, at_most=0),),
}
ANY = {"busy": (Window("view", 20, at_least=2, at_most=3), Window("cart", 45, until=15))}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> RuleRoom:
    return rule_room(tmp_path_factory.mktemp("incremental"))


events_of_a_batch = st.lists(
    st.tuples(
        st.sampled_from(CUSTOMERS), st.sampled_from(TYPES), st.integers(min_value=-5, max_value=130)
    ),
    max_size=6,
)
batches = st.lists(
    st.tuples(st.sampled_from([0, 1, 7, 15, 30, 61]), events_of_a_batch), min_size=2, max_size=5
)


def check_increments(room: RuleRoom, history: list[tuple[int, list[tuple[str, str, int]]]]) -> None:
    """Carry batches through; each has minutes to wait, and events that came late by minutes.

    Negative ones are still to come: at the clock they are not visible yet. Of several batches at
    one instant the last one counts: who is back by then never left.
    """
    room.clear()
    for name, windows in (ALL | ANY).items():
        conditions = "".join(f"\n  - {window.yaml()}" for window in windows)
        kind = "all" if name in ALL else "any"
        room.rule(name, f"title: {name}\ndescription: d\n{kind}:{conditions}\n")
    room.customers(*CUSTOMERS)
    room.evaluate()
    known: list[tuple[str, str, datetime]] = []
    before = {name: room.members(name) for name in ALL | ANY}
    for wait, fresh in history:
        if wait:
            before = {name: room.members(name) for name in ALL | ANY}
        room.next_batch(wait * MINUTE)
        rows = [(key, type_, room.as_of - late * MINUTE) for key, type_, late in fresh]
        if rows:
            room.events(*rows)
            room.touch(*{key for key, *_ in rows})
        known += rows
        room.evaluate()
        for name, windows in (ALL | ANY).items():
            of = all if name in ALL else any
            expected = {
                key
                for key in CUSTOMERS
                if of(window.holds(known, key, room.as_of) for window in windows)
            }
            members = room.members(name)
            assert set(members) == expected, f"{name} at {room.as_of}"
            for key, since in members.items():
                assert since == before[name].get(key, room.as_of)
    room.execute("delete from ops.segment_rules")
    assert room.evaluate().changes.num_rows == 0, "a rule without a record is for everyone"


def test_a_dense_history(room: RuleRoom) -> None:
    check_increments(
        room,
        [
            (7, [("a", "view", 0), ("a", "view", 3), ("b", "cart", 31), ("c", "view", -5)]),
            (30, [("b", "buy", 130), ("c", "cart", 16)]),
            (30, []),
            (0, [("a", "buy", 61), ("c", "view", 59)]),
            (61, []),
        ],
    )


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=batches)
@example(history=[(0, [("c", "cart", 21)]), (61, []), (0, [("c", "cart", 21)])])
def test_any_history(room: RuleRoom, history: list[tuple[int, list[tuple[str, str, int]]]]) -> None:
    check_increments(room, history)


def test_a_clock_that_goes_back_looks_at_everyone(room: RuleRoom) -> None:
    room.clear()
    room.rule("keen", "title: t\ndescription: d\nall: [{events: view, within: 1 hour}]")
    room.customers("a", "b")
    room.events(("a", "view", NOON - 80 * MINUTE), ("b", "view", NOON - 10 * MINUTE))
    room.evaluate()
    assert set(room.members("keen")) == {"b"}
    room.next_batch(-30 * MINUTE)
    room.evaluate()
    assert set(room.members("keen")) == {"a"}
