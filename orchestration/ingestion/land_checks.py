"""Whether a file has the columns that a mapping's expressions name."""

import difflib
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Columns

from orchestration.ingestion.expressions import SOURCE_ROW, Expression
from orchestration.ingestion.mappings import EntityMapping, Mapping, MappingError


def check_columns(
    mapping: Mapping,
    entity: str,
    file: str,
    available: Iterable[str],
    joined: Columns[str, Iterable[str]],
) -> None:
    """Make sure that every column that an entity's expressions name exists.

    Raises
    ------
    MappingError
        Naming mapping, entity, column, file and the columns that exist.
    """
    names = list(available)
    known = {name.lower() for name in [*names, *mapping.columns, SOURCE_ROW]}
    structs = {name.lower(): {c.lower() for c in inner} for name, inner in joined.items()}
    places = {f"columns.{name}": expression for name, expression in mapping.columns.items()}
    places |= {f"{entity}.{place}": text for place, text in expressions(mapping.entities[entity])}
    for place, expression in places.items():
        for path in expression.columns:
            first = path[0].lower()
            if first in known:
                continue
            if first in structs:
                if len(path) == 1 or path[1].lower() in structs[first]:
                    continue
                missing, has = path[1], sorted(structs[first])
                where = f"{first} (joined to {file})"
            else:
                missing, has, where = path[0], names, file
            close = difflib.get_close_matches(missing.lower(), [n.lower() for n in has], 1)
            guess = next((n for n in has if close and n.lower() == close[0]), None)
            hint = f'; did you mean "{guess}"?' if guess else ""
            raise MappingError(
                f'{mapping.title}: {place}: no column "{missing}" in {where} '
                f"(has: {', '.join(has)}{hint})"
            )


def expressions(rule: EntityMapping) -> Iterator[tuple[str, Expression]]:
    """Every expression of an entity, with its place."""
    if rule.where:
        yield "where", rule.where
    for expression in rule.one_per:
        yield "one_per", expression
    yield from rule.columns.items()
