"""What customers write, carried through one micro-batch: masked, counted, heard, told at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from ml.text_minilm import is_installed
from orchestration.dbt_increment import Recording
from orchestration.lake import Lake
from orchestration.live.batch import Carried, carry_batch
from orchestration.waiting import waiting_work
from tests.integration.deployment import Deployment

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="needs the extra `text`"),
    pytest.mark.usefixtures("alone"),
]
USUAL = ("The colour is ugly and I do not like it", "Too expensive for what it does, a pity")
BURST = (
    "It broke after a day, terrible quality",
    "Horrible, it fell apart and was useless",
    "The worst I ever bought, it does not work at all",
    "Very disappointed, it came broken and stays broken",
    "Awful, it stopped working and I want my money back",
    "Rubbish: it cracked on the first evening",
    "I am angry, it is defective and nobody helps",
    "Poor quality, it was damaged after one use",
)
OF_TEXTS = "kind in ('complaint_burst', 'topic_burst', 'emerging_complaint')"


@dataclass(frozen=True)
class Room:
    """The demo, a product that people complain about now and then, and an hour it knows well."""

    deployment: Deployment
    increment: Recording
    product: str
    hour: datetime

    def complain(self, name: str, said: tuple[str, ...], hour: datetime) -> Carried:
        """Let complaints about the product arrive in one batch, all of one hour."""
        rows: list[dict[str, object]] = [
            {
                "feedback_ref": f"{name}-{i}",
                "posted_at": (hour + timedelta(minutes=2 + 5 * i)).isoformat() + "Z",
                "body": f"{text}. Another shop does better. Write to {name}.{i}@example.com!",
                "source_type": "review",
                "product_ref": self.product,
            }
            for i, text in enumerate(said)
        ]
        self.deployment.drop(f"{name}.jsonl", rows, "feedback")
        values = self.deployment.values.model_copy(update={"settle_seconds": 0, "threads": 1})
        lake = Lake.from_settings(values)
        with lake.reader(latest=True) as connection:
            files = waiting_work(connection, values, {}).files
        return carry_batch(lake, values, self.increment, files, f"test: {name}", lambda line: None)

    def mentions(self, hour: datetime) -> tuple[int, int]:
        """Texts and complaints of an hour in which another shop is mentioned, as readers see it."""
        ((texts, complaints),) = self.deployment.query(
            "select coalesce(sum(texts), 0)::integer, coalesce(sum(complaints), 0)::integer "
            f"from marts.listening_hours where name = 'another shop' and posted_hour = '{hour}'"
        )
        assert isinstance(texts, int)
        assert isinstance(complaints, int)
        return texts, complaints

    def batch_of(self, table: str, carried: Carried, condition: str = "true") -> list[object]:
        """The subjects in a table that a batch left there, as readers see it."""
        assert carried.snapshot is not None
        assert carried.clock is not None
        rows = self.deployment.query(
            f"select subject from {table} "
            f"where batch_id = {carried.clock.last_batch_id} and {condition}"
        )
        return [subject for (subject,) in rows]


@pytest.fixture
def room(demo: tuple[Deployment, str], increment: Recording) -> Room:
    deployment, _ = demo
    ((product,),) = deployment.query(
        "select product_ref from marts.feedback_complaints where product_ref is not null "
        "group by 1 order by count(*) desc, 1 limit 1"
    )
    ((hour,),) = deployment.query("select date_trunc('hour', as_of) from ops.clock")
    assert isinstance(hour, datetime)
    return Room(deployment, increment, str(product), hour)


def test_complaints_as_usual_are_counted_and_raise_nothing(room: Room) -> None:
    carried = room.complain("usual", USUAL, room.hour - timedelta(hours=8))
    assert carried.heard.texts == len(USUAL)
    assert carried.heard.issues == []
    assert room.batch_of("marts.emerging_issues", carried) == []
    assert room.batch_of("ops.alerts", carried, OF_TEXTS) == []
    assert room.deployment.query(
        "select count(*) from marts.feedback_complaints where feedback_ref like 'usual-%'"
    ) == [(len(USUAL),)]


def test_a_burst_of_complaints_is_heard_and_told_in_its_own_batch(room: Room) -> None:
    hour = room.hour - timedelta(hours=2)
    texts_before, complaints_before = room.mentions(hour)
    carried = room.complain("burst", BURST, hour)
    assert carried.texts.read == carried.texts.masked == len(BURST)
    assert carried.mentions >= len(BURST)
    ((texts, masked),) = room.deployment.query(
        "select count(*), count(*) filter (where contains(body, '[EMAIL]')) "
        "from marts.feedback_signals "
        "where feedback_ref like 'burst-%' and not contains(body, '@') and sentiment = 'negative'"
    )
    assert texts == masked == len(BURST)
    assert room.mentions(hour) == (texts_before + len(BURST), complaints_before + len(BURST))
    assert [(issue.kind, issue.subject) for issue in carried.heard.issues] == [
        ("complaint_burst", room.product)
    ]
    assert room.batch_of("marts.emerging_issues", carried) == [room.product]
    assert room.batch_of("ops.alerts", carried, OF_TEXTS) == [room.product]
