"""The names that are listened for: read from their file, recorded with what is wrong in it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from ml.text_mentions import Terms


@dataclass(frozen=True)
class TermBook:
    """The names of a file.

    Attributes
    ----------
    names
        Spellings by group and name.
    errors
        Why others are not listened for, by group and name; the name is empty where a whole group
        is wrong, the group too where the whole file is.
    """

    names: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    errors: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def terms(self) -> "Terms":
        from ml.text_mentions import Terms

        return Terms(dict(self.names))

    @property
    def version(self) -> str:
        """Twelve hexadecimal digits of all names and spellings."""
        listed = sorted((group, name, list(terms)) for (group, name), terms in self.names.items())
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:12]


def load_terms(path: Path, before: TermBook | None = None) -> TermBook:
    """Read the names of a file; what is wrong in it disables itself only.

    Parameters
    ----------
    before : TermBook, optional
        What goes on being listened for while the file as a whole cannot be read.
    """
    from ml.text_mentions import TermsError, read_terms

    where = f"{path.parent.name}/{path.name}"
    try:
        terms, errors = read_terms(path.read_text(encoding="utf-8"), where)
    except FileNotFoundError:
        problem = f"no file {path}: set SHOAL_LISTENING to where the terms are"
    except (OSError, UnicodeDecodeError) as error:
        problem = f"{where}: cannot be read: {error}"
    except TermsError as error:
        problem = str(error)
    else:
        return TermBook(terms.names, errors)
    return TermBook({} if before is None else before.names, {("", ""): problem})


def read_term_book(connection: duckdb.DuckDBPyConnection) -> TermBook:
    """The names as they were last loaded."""
    rows = connection.execute(
        "select term_group, name, spellings, error from ops.listening_terms order by all"
    ).fetchall()
    return TermBook(
        {(group, name): tuple(terms) for group, name, terms, error in rows if error is None},
        {(group, name): error for group, name, _, error in rows if error is not None},
    )


def write_term_book(connection: duckdb.DuckDBPyConnection, book: TermBook) -> None:
    """Record the names in place of those before."""
    connection.execute("delete from ops.listening_terms")
    rows = [
        *((*key, list(terms), None, book.version) for key, terms in sorted(book.names.items())),
        *((*key, [], error, book.version) for key, error in sorted(book.errors.items())),
    ]
    if rows:
        connection.executemany("insert into ops.listening_terms values (?, ?, ?, ?, ?)", rows)
