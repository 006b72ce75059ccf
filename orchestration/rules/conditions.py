"""What a rule file may say: conditions on facts, on rows within a window, and on ranks."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from orchestration.ingestion.expressions import Expression
from orchestration.ingestion.mapping_values import Names, Sql, Strict
from orchestration.rules.tables import ROWS, RowTable

_DURATION = re.compile(r"(\d{1,5}) (minute|hour|day|week)s?")
_SHARE = re.compile(r"(\d{1,2}(?:\.\d+)?) ?%")


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    found = _DURATION.fullmatch(str(value).strip())
    if not found or int(found[1]) == 0:
        raise ValueError(f'give a duration such as "30 minutes", "1 hour" or "7 days" ({value})')
    return timedelta(**{f"{found[2]}s": int(found[1])})


def _share(value: object) -> float:
    if isinstance(value, float):
        return value
    found = _SHARE.fullmatch(str(value).strip())
    if not found or float(found[1]) == 0:
        raise ValueError(f'give a share of the customers such as "20 %" ({value})')
    return float(found[1]) / 100


def _of_one_row(value: Expression) -> Expression:
    if value.windowed:
        raise ValueError(f"over (…) looks at other rows; rank with top or bottom ({value.text})")
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Share = Annotated[float, BeforeValidator(_share)]
RowSql = Annotated[Sql, AfterValidator(_of_one_row)]
Count = Annotated[int, Field(ge=0, strict=True)]


class Fact(Strict):
    """What is known of the customer: an expression over the columns of `tables.FACTS`."""

    where: RowSql

    def expressions(self) -> dict[str, Expression]:
        return {"where": self.where}


class Rows(Strict):
    """How many rows of one table and type the customer has in a window that ends at the clock.

    A row counts when it is at most ``within`` and more than ``until`` old; a row of the clock's
    very instant is not visible yet.
    """

    events: Names | None = None
    orders: Names | None = None
    feedback: Names | None = None
    messages: Names | None = None
    at_least: Count | None = None
    at_most: Count | None = None
    within: Duration
    until: Duration = timedelta(0)
    where: RowSql | None = None

    @property
    def source(self) -> str:
        """Which of `tables.ROWS` it counts."""
        return next(name for name in ROWS if getattr(self, name) is not None)

    @property
    def table(self) -> RowTable:
        return ROWS[self.source]

    @property
    def types(self) -> tuple[str, ...]:
        """Types in lower case; empty for any."""
        names: tuple[str, ...] = getattr(self, self.source)
        return () if names == ("any",) else tuple(name.lower() for name in names)

    def expressions(self) -> dict[str, Expression]:
        return {} if self.where is None else {"where": self.where}

    @model_validator(mode="after")
    def _check(self) -> "Rows":
        if sum(getattr(self, name) is not None for name in ROWS) > 1:
            raise ValueError(f"give one of {', '.join(ROWS)}; list conditions under all or any")
        if not getattr(self, self.source):
            raise ValueError(f"{self.source}: name a type, or any")
        if self.until >= self.within:
            raise ValueError("until has to be shorter than within: nothing lies between")
        if self.at_most is not None and (self.at_least or 0) > self.at_most:
            raise ValueError(f"no count is at least {self.at_least} and at most {self.at_most}")
        return self


class Rank(Strict):
    """Who has more (top) or less (bottom) of something than the rest of those it is ranked among.

    The border is fixed for everyone when all customers' features are computed anew.
    """

    top: Share | None = None
    bottom: Share | None = None
    by: RowSql
    among: RowSql | None = None

    @property
    def quantile(self) -> float:
        """Where the border lies among the values, from 0 to 1."""
        return 1 - self.top if self.top is not None else self.bottom or 0.0

    def expressions(self) -> dict[str, Expression]:
        return {"by": self.by} if self.among is None else {"by": self.by, "among": self.among}

    @model_validator(mode="after")
    def _check(self) -> "Rank":
        if self.top is not None and self.bottom is not None:
            raise ValueError("give top or bottom; list conditions under all or any")
        return self


class AllOf(Strict):
    """Every one of some conditions."""

    all: tuple["Condition", ...] = Field(min_length=1)


class AnyOf(Strict):
    """At least one of some conditions."""

    any: tuple["Condition", ...] = Field(min_length=1)


KINDS: dict[str, tuple[str, ...]] = {
    "rows": tuple(ROWS),
    "rank": ("top", "bottom"),
    "all": ("all",),
    "any": ("any",),
    "fact": ("where",),
}
"""Kinds of conditions, and the settings that tell them apart; the first one found counts."""


def _kind(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    return next((kind for kind, names in KINDS.items() if value.keys() & set(names)), None)


Condition = Annotated[
    Annotated[Rows, Tag("rows")]
    | Annotated[Rank, Tag("rank")]
    | Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Fact, Tag("fact")],
    Discriminator(
        _kind,
        custom_error_type="condition",
        custom_error_message=f"give one of {', '.join(sum(KINDS.values(), ()))}",
    ),
]
Leaf = Fact | Rows | Rank
