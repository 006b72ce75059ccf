"""Texts of feedback without personal data, made before anything but raw sees them."""

import pyarrow as pa

from ml.text_cleaning import clean, content_hash, kind_of
from ml.text_pii import mask
from orchestration.lake import Lake
from orchestration.texts.slices import replace_rows, slices, unpublished

MASKER = "mask-1"
"""Another one where cleaning or masking gives another text: every text is masked anew then."""
READ_CHARACTERS = 200_000


def mask_texts(lake: Lake, *, fresh_only: bool = False) -> int:
    """Mask every text that is not masked yet, or was by another version.

    Parameters
    ----------
    fresh_only : bool
        Look at the batches that no run has carried through yet, and at nothing else.

    Returns
    -------
    int
        Texts masked.
    """
    with lake.reader(latest=True) as connection:
        first, last = unpublished(connection)
        window = f"batch_id between {first} and {last}" if fresh_only else "true"
        missing = connection.execute(
            f"""
            select feedback_ref, batch_id, 4 * least(length(body), {READ_CHARACTERS}) as bytes
            from raw.feedback as feedback
            anti join (
                select feedback_ref from ops.masked_texts where {window} and masker = ?
            ) as masked using (feedback_ref)
            where {window}
            """,
            [MASKER],
        ).to_arrow_table()
    for part in slices(missing):
        _mask_slice(lake, part, first)
    return int(missing.num_rows)


def _mask_slice(lake: Lake, part: pa.Table, first_batch: int) -> None:
    with lake.reader(latest=True) as connection:
        connection.register("wanted", part)
        found = connection.execute(
            f"""
            select
                feedback_ref, batch_id,
                case
                    when length(body) <= {READ_CHARACTERS} then body
                    else left(body, {READ_CHARACTERS * 3 // 4})
                        || ' … ' || right(body, {READ_CHARACTERS // 4})
                end as body
            from raw.feedback semi join wanted using (feedback_ref)
            """
        ).to_arrow_table()
        connection.unregister("wanted")
    known: dict[str, tuple[str, bool]] = {}
    masked = [_masked(body, known) for body in found["body"].to_pylist()]
    texts = [text for text, _ in masked]
    rows = pa.table(
        {
            "feedback_ref": found["feedback_ref"],
            "batch_id": found["batch_id"],
            "content_hash": [content_hash(text) for text in texts],
            "body": texts,
            "kind": [kind_of(text).value for text in texts],
            "is_cut": [is_cut for _, is_cut in masked],
            "masker": [MASKER] * len(texts),
            "changed_batch_id": pa.array([first_batch] * len(texts), pa.int64()),
        }
    )
    replace_rows(lake, "masked_texts", "feedback_ref", rows, f"mask {len(texts)} texts")


def _masked(body: str | None, known: dict[str, tuple[str, bool]]) -> tuple[str, bool]:
    if body is None:
        return "", False
    if body not in known:
        cleaned = clean(body)
        known[body] = mask(cleaned.text), cleaned.is_cut or len(body) > READ_CHARACTERS
    return known[body]
