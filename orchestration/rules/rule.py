"""One rule: what its file says."""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from orchestration.ingestion.mapping_values import Strict
from orchestration.rules.conditions import AllOf, AnyOf, Condition, Fact, Leaf, RowSql


class Rule(Strict):
    """One rule segment: who is in it now.

    Attributes
    ----------
    name
        The file's name without ``.yml``.
    where, all, any
        What holds for its members; of those given, each.
    """

    path: Path
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = Field(min_length=1)
    description: str = Field(min_length=1)
    where: RowSql | None = None
    all: tuple[Condition, ...] | None = Field(default=None, min_length=1)
    any: tuple[Condition, ...] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _check(self) -> "Rule":
        if self.where is None and self.all is None and self.any is None:
            raise ValueError("give where, all or any: a rule without conditions holds for everyone")
        return self

    @property
    def file(self) -> str:
        """The rule's file as messages name it: ``segments/high_intent.yml``."""
        return f"{self.path.parent.name}/{self.path.name}"

    @cached_property
    def condition(self) -> AllOf:
        """All that the rule says, as one condition."""
        parts: list[Condition] = [] if self.where is None else [Fact(where=self.where)]
        if self.all is not None:
            parts.append(AllOf.model_construct(all=self.all))
        if self.any is not None:
            parts.append(AnyOf.model_construct(any=self.any))
        return AllOf.model_construct(all=tuple(parts))

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Its single conditions, in the order of the file."""
        return tuple(leaf for _, leaf in self.places())

    def places(self) -> Iterator[tuple[str, Leaf]]:
        """Its single conditions with where they stand: ``all.2``, or nothing for its own where."""
        if self.where is not None:
            yield "", Fact(where=self.where)
        for name in ("all", "any"):
            yield from _places(name, getattr(self, name) or ())

    @cached_property
    def version(self) -> str:
        """A hash of all that the rule says."""
        text = repr((self.title, self.description, self.condition))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _places(prefix: str, conditions: tuple[Any, ...]) -> Iterator[tuple[str, Leaf]]:
    for number, condition in enumerate(conditions, 1):
        place = f"{prefix}.{number}"
        if isinstance(condition, AllOf):
            yield from _places(f"{place}.all", condition.all)
        elif isinstance(condition, AnyOf):
            yield from _places(f"{place}.any", condition.any)
        else:
            yield place, condition
