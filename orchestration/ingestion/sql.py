"""The one place where a name or a text becomes part of a SQL statement."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

NUL_SIGN = "␀"


def identifier(name: str) -> str:
    """Quote a name (of a table or a column) for SQL."""
    _refuse_nul(name)
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL, where a bound parameter is not possible."""
    _refuse_nul(text)
    return "'" + text.replace("'", "''") + "'"


def columns(names: tuple[str, ...] | list[str], prefix: str = "") -> str:
    """Quoted names as a comma list, each with the same prefix."""
    return ", ".join(f"{prefix}{identifier(name)}" for name in names)


def without_nul(text: str) -> str:
    """A text with a sign for every NUL, which the lake's catalog cannot store."""
    return text.replace("\0", NUL_SIGN)


_IN_TRANSACTION: set[int] = set()


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All that is written inside, or nothing; within another one it is a part of that."""
    if id(connection) in _IN_TRANSACTION:
        yield
        return
    connection.execute("begin")
    _IN_TRANSACTION.add(id(connection))
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(duckdb.TransactionException):  # a commit that failed has rolled back
            connection.execute("rollback")
        raise
    finally:
        _IN_TRANSACTION.discard(id(connection))


def first_line(error: BaseException) -> str:
    """What an error says, without the hints and traces that follow its first line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def at_one_moment(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let every query see the same snapshot, whatever a writer commits meanwhile.

    For many small queries it saves time, too: to begin a transaction costs as much as one of them.
    """
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("rollback")


def scalar(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list[object] | None = None
) -> int:
    """The one integer that a query returns."""
    row = connection.execute(query, parameters or []).fetchone()
    assert row is not None
    return int(row[0])


def _refuse_nul(text: str) -> None:
    if "\0" in text:
        raise ValueError(f"a NUL character in the name {text[:80]!r}")
