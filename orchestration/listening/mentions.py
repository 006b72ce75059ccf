"""Who is mentioned in the texts: each text is searched once, and again when the terms change."""

from dataclasses import dataclass

import duckdb

from orchestration.clock import read_clock
from orchestration.ingestion.sql import transaction
from orchestration.lake import Lake
from orchestration.listening.terms import TermBook, load_terms, read_term_book, write_term_book
from orchestration.settings import Settings

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
    texts: int
    mentions: int
    is_anew: bool


def search_mentions(lake: Lake, values: Settings) -> Search:
    """Search the masked texts of the run's batches, or all after a change of the terms."""
    with lake.reader(latest=True) as connection:
        clock = read_clock(connection)
        before = read_term_book(connection)
        book = load_terms(values.listening, before)
        is_anew = book.version != before.version
        searched, rows = _search(connection, book, clock.first_batch_id, is_anew)
    if not rows and not is_anew and book.errors == before.errors and before.names:
        return Search(book, searched, 0, is_anew)
    with lake.writer("write mentions") as connection, transaction(connection):
        if is_anew:
            connection.execute("delete from ops.text_mentions")
        if book != before:
            write_term_book(connection, book)
        _insert(connection, rows, book.version, clock.first_batch_id)
    return Search(book, searched, len(rows), is_anew)


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
