"""Claims about what is listened for and what was heard."""

import dagster as dg
import duckdb

from orchestration.lake import Lake

TERMS = dg.AssetKey(["ops", "listening_terms"])
ISSUES = dg.AssetKey(["marts", "emerging_issues"])


@dg.asset_check(asset=TERMS)
def terms_are_valid(lake: Lake) -> dg.AssetCheckResult:
    """No name is left out by an error in the file of terms."""
    with lake.reader(latest=True) as connection:
        return check_terms_are_valid(connection)


@dg.asset_check(asset=ISSUES)
def issues_were_not_foreseen(lake: Lake) -> dg.AssetCheckResult:
    """No issue was noticed before its first text, or by a text later than the run's instant."""
    with lake.reader(latest=True) as connection:
        return check_issues_were_not_foreseen(connection)


def check_terms_are_valid(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Say of each name that is not listened for why it is not."""
    from orchestration.listening.terms import read_term_book

    book = read_term_book(connection)
    return dg.AssetCheckResult(
        passed=not book.errors,
        severity=dg.AssetCheckSeverity.WARN,
        description="\n".join(book.errors.values()) or f"{len(book.names)} names, none left out",
        metadata={"names": len(book.names), "left_out": len(book.errors)},
    )


def check_issues_were_not_foreseen(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Count issues out of their order in time."""
    row = connection.execute(
        """
        select count(*), count(*) filter (
            where noticed_at < started_at or last_seen_at < noticed_at or last_seen_at >= as_of
        )
        from marts.emerging_issues
        """
    ).fetchone()
    assert row is not None
    return dg.AssetCheckResult(
        passed=row[1] == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"issues": row[0], "out_of_order": row[1]},
    )
