"""How the text models in force read each masked text: once, by its content."""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from ml.text_reading import Readers, read_texts
from orchestration.lake import Lake
from orchestration.settings import Settings
from orchestration.texts.models import TextModels
from orchestration.texts.slices import replace_rows, slices, unpublished
from orchestration.texts.vectors import LakeVectors

MAPPING = pa.map_(pa.string(), pa.float64())
SCHEMA = pa.schema(
    [
        ("content_hash", pa.string()), ("reader", pa.string()), ("language", pa.string()),
        ("sentiment", pa.string()), ("sentiment_score", pa.float64()),
        ("sentiment_confidence", pa.float64()), ("sentiment_words", MAPPING),
        ("aspects", MAPPING), ("intent", pa.string()), ("intent_confidence", pa.float64()),
        ("urgency", pa.string()), ("threatens_to_leave", pa.bool_()), ("topic_id", pa.int32()),
        ("topic_name", pa.string()), ("taxonomy", pa.list_(pa.string())),
        ("unread_reason", pa.string()), ("changed_batch_id", pa.int64()),
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Read:
    """How many texts were read, and of those how many have no mood."""

    texts: int = 0
    unread: int = 0


def read_masked_texts(
    lake: Lake, models: TextModels, values: Settings, *, fresh_only: bool = False
) -> Read:
    """Read every masked text that these models have not read.

    Parameters
    ----------
    fresh_only : bool
        Look at the batches that no run has carried through yet, and only at texts that no model
        has read: what other models read otherwise is for a run that has the time.
    """
    with lake.reader(latest=True) as connection:
        first, last = unpublished(connection)
        window = f"batch_id between {first} and {last}" if fresh_only else "true"
        same = "true" if fresh_only else "reader = $reader"
        missing = connection.execute(
            f"""
            select content_hash, any_value(feedback_ref) as feedback_ref,
                4 * any_value(length(body)) as bytes
            from ops.masked_texts
            anti join (select content_hash from ops.text_readings where {same})
                using (content_hash)
            where {window}
            group by content_hash
            """,
            {} if fresh_only else {"reader": models.version},
        ).to_arrow_table()
    if not missing.num_rows:
        return Read()
    readers = models.load(lake, values) if models.reads else None
    vectors = (
        LakeVectors(lake, values.language_models, values.live_threads) if models.embeds else None
    )
    unread = 0
    for part in slices(missing):
        with lake.reader(latest=True) as connection:
            connection.register("wanted", part)
            texts = connection.execute(
                "select content_hash, body from ops.masked_texts "
                "semi join wanted using (feedback_ref) order by content_hash"
            ).df()
            connection.unregister("wanted")
        table = _read(texts["body"].tolist(), readers, vectors)
        table["content_hash"], table["reader"] = texts["content_hash"], models.version
        table["changed_batch_id"] = first
        unread += int(table["unread_reason"].notna().sum())
        rows = pa.Table.from_pylist(_records(table), SCHEMA)
        replace_rows(lake, "text_readings", "content_hash", rows, f"read {len(table)} texts")
    return Read(int(missing.num_rows), unread)


def _read(texts: list[str], readers: Readers | None, vectors: LakeVectors | None) -> pd.DataFrame:
    if readers is None:
        reasons = ["not_installed" if text.strip() else "empty" for text in texts]
        return pd.DataFrame({"language": ["und"] * len(texts), "unread_reason": reasons})
    return read_texts(texts, readers, vectors)


def _records(table: pd.DataFrame) -> list[dict[str, object]]:
    records = table.to_dict("records")
    for record in records:
        for name, value in record.items():
            if isinstance(value, dict):
                record[name] = list(value.items())
            elif not isinstance(value, list) and pd.isna(value):
                record[name] = None
    return [{str(name): value for name, value in record.items()} for record in records]
