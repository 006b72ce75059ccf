"""Who is mentioned in the texts: each text is searched once, and again when the terms change."""

from dataclasses import dataclass

import duckdb

from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.listening.terms import TermBook, load_terms, read_term_book, write_term_book
from orchestration.settings import Settings
from orchestration.texts.slices import unpublished

BATCH_TEXTS = 20_000
_TEXTS = """
select content_hash, any_value(body)
from ops.masked_texts
where body <> '' and ({anew} or changed_batch_id >= ?)
group by 1
having {anew} or content_hash not in (select content_hash from ops.text_mentions)
order by 1
"""


@dataclass(frozen=True)
class Search:
    """What a search came to.

    Attributes
    ----------
    book
        What was listened for.
    texts, mentions
        Different texts that were searched, and their mentions of a name.
    is_anew
        Whether every text was searched, since the terms are others.
    """

    book: TermBook
    texts: int = 0
    mentions: int = 0
    is_anew: bool = False


def search_mentions(lake: Lake, values: Settings, *, fresh_only: bool = False) -> Search:
    """Search the masked texts that no run has carried through yet, or all after a change of terms.

    Parameters
    ----------
    fresh_only : bool
        Go by the terms as they were last loaded; a change of the file is for another run.
    """
    with lake.reader(latest=True) as connection:
        first_batch_id, _ = unpublished(connection)
        before = read_term_book(connection)
        book = before if fresh_only else load_terms(values.listening, before)
        is_anew = book.version != before.version
        if fresh_only and not _has_fresh(connection, first_batch_id):
            return Search(book)
        searched, rows = _search(connection, book, first_batch_id, is_anew)
    if not rows and not is_anew and book == before:
        return Search(book, searched)
    with lake.writer("write mentions") as connection, transaction(connection):
        if is_anew:
            connection.execute("delete from ops.text_mentions")
        if book != before:
            write_term_book(connection, book)
        _insert(connection, rows, book.version, first_batch_id)
    return Search(book, searched, len(rows), is_anew)


def _has_fresh(connection: duckdb.DuckDBPyConnection, first_batch_id: int) -> bool:
    found = connection.execute(
        "select 1 from ops.masked_texts where changed_batch_id >= ? limit 1", [first_batch_id]
    )
    return found.fetchone() is not None


Row = tuple[str, str, str, str, int]


def _search(
    connection: duckdb.DuckDBPyConnection, book: TermBook, first_batch_id: int, is_anew: bool
) -> tuple[int, list[Row]]:
    from ml.text_mentions import find_mentions

    query = _TEXTS.format(anew="true" if is_anew else "false")
    cursor = connection.execute(query, [first_batch_id])
    rows: list[Row] = []
    searched = 0
    terms = book.terms
    while found := cursor.fetchmany(BATCH_TEXTS):
        searched += len(found)
        mentions = find_mentions([body for _, body in found], terms)
        rows += [
            (found[row][0], str(group), str(name), str(term), int(count))
            for row, group, name, term, count in mentions.itertuples(index=False)
        ]
    return searched, rows


def _insert(
    connection: duckdb.DuckDBPyConnection, rows: list[Row], version: str, first_batch_id: int
) -> None:
    if not rows:
        return
    import pyarrow as pa

    names = ("content_hash", "term_group", "name", "term", "mentions")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    connection.register("fresh_rows", pa.table(columns))
    connection.execute(
        "insert into ops.text_mentions by name select *, ? as terms_version, "
        "? as changed_batch_id from fresh_rows",
        [version, first_batch_id],
    )
    connection.unregister("fresh_rows")
