"""The values that mappings and rules are made of, each checked when it is read."""

import codecs
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from orchestration.ingestion.csv_dialect import Hints
from orchestration.ingestion.expressions import Expression, ExpressionError, parse_expression


def _expression(value: object) -> Expression:
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool):
        value = str(value).lower()
    if value is None or isinstance(value, (dict, list)) or not str(value).strip():
        raise ValueError("give a DuckDB expression over columns")
    try:
        return parse_expression(str(value).strip())
    except ExpressionError as error:
        raise ValueError(f"{error} ({str(value).strip()[:120]})") from None


def _known_encoding(value: str) -> str:
    try:
        return codecs.lookup(value).name
    except LookupError:
        raise ValueError(f'no encoding "{value}"') from None


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


Sql = Annotated[Expression, BeforeValidator(_expression)]
SqlList = Annotated[tuple[Sql, ...], BeforeValidator(_listed)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Strict(BaseModel):
    """A part of a YAML file, in which an unknown setting is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class ReadOptions(Strict):
    """How to read text files where their content does not tell.

    Attributes
    ----------
    header
        Column names of a CSV file that has none.
    """

    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = None
    header: tuple[str, ...] | None = None

    def hints(self) -> Hints:
        """The options as the readers take them."""
        return Hints(self.delimiter, self.encoding, self.header)


class Join(Strict):
    """Another file of the same export, whose columns are named ``<join>.<column>``.

    Attributes
    ----------
    using
        Columns that both files have; the first matching row counts.
    """

    files: Names
    using: Names
