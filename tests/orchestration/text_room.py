"""A lake with feedback in raw, without dbt, and the models that read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.settings import Settings
from orchestration.texts.stage import Taken, mask_and_embed, read_new_texts, take_fresh_texts

NOON = datetime(2026, 6, 1, 12)


@dataclass
class TextRoom:
    """One lake; batches of feedback go in, readings come out.

    Attributes
    ----------
    said : list of str
        What the stage logged.
    """

    values: Settings
    lake: Lake
    said: list[str] = field(default_factory=list)
    batches: int = 0

    def land(self, bodies: Sequence[str], **columns: object) -> None:
        """One more batch of feedback, not carried through yet."""
        self.batches += 1
        frame = pd.DataFrame({"body": list(bodies)}).assign(**columns)
        frame["feedback_ref"] = [f"{self.batches}-{row}" for row in range(len(frame))]
        frame["posted_at"] = [NOON + timedelta(minutes=row) for row in range(len(frame))]
        frame["batch_id"] = self.batches
        with self.lake.writer("test: land") as connection:
            connection.execute("insert into raw.feedback by name select * from frame")
            connection.execute(
                "insert into ops.batches select ?, 'hour', 'run', ?, ?, 0, 0, ?, null, null",
                [self.batches, len(frame), len(frame), NOON],
            )
            connection.execute(
                "insert into ops.landed_files select 'hash', 'file', 'feedback', 'hour', 1, 1, "
                "'jsonl', ?, ?, 0, 0, [], ?, ?",
                [len(frame), len(frame), self.batches, NOON],
            )

    def publish(self) -> None:
        """All batches are carried through."""
        self.execute("update ops.batches set snapshot_id = 1, published_at = ingested_at")

    def take(self) -> Taken:
        """What the assets of a run do."""
        masked = mask_and_embed(self.lake, self.values, self.said.append)
        read = read_new_texts(self.lake, self.values, self.said.append)
        return Taken(masked.masked, masked.embedded, read.read, read.unread, read.models)

    def take_fresh(self) -> Taken:
        """What the live worker does."""
        return take_fresh_texts(self.lake, self.values, self.said.append)

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> None:
        with self.lake.writer("test: change") as connection:
            connection.execute(statement, list(parameters))

    def table(self, query: str) -> pd.DataFrame:
        with self.lake.reader(latest=True) as connection:
            return connection.execute(query).df()


def text_room(folder: Path, models: Path | None = None) -> TextRoom:
    """A room with a lake of its own below a folder; with a folder of the language model or none."""
    values = Settings(  # type: ignore[call-arg]
        home=folder / "home", catalog=None, data_path=None, threads=1, texts=folder / "texts",
        _env_file=None,
    )  # fmt: skip
    values.root.mkdir(parents=True)
    if models is not None:
        values.language_models.symlink_to(models)
    lake = Lake.from_settings(values)
    with lake.writer("test: set up") as connection:
        create_tables(connection)
    return TextRoom(values, lake)
