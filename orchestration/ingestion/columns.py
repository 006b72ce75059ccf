"""Which column of a file is which canonical column."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestration.ingestion.entities import Entity
from orchestration.ingestion.reserved import RESERVED

MOST_NAMES = 50


@dataclass(frozen=True)
class ColumnMatch:
    """How a file's columns serve an entity.

    Attributes
    ----------
    found
        Canonical column -> column of the file.
    reserved
        Columns that a writer of ours adds: the source's row number, the source row, its errors
        and when it was received.
    problems
        Why no row of the file can be taken; empty when it can.
    notes
        What is worth telling once: optional columns that lack, columns that are left out.
    """

    found: Mapping[str, str]
    reserved: frozenset[str]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def match_columns(entity: Entity, available: Mapping[str, str]) -> ColumnMatch:
    """Match a file's columns, whose case and spaces may differ, to an entity's.

    Parameters
    ----------
    available
        Name in the file -> DuckDB type.
    """
    reserved = frozenset(name for name in RESERVED if available.get(name) == RESERVED[name])
    names = [name for name in available if name not in reserved]
    variants: dict[str, list[str]] = {}
    for name in names:
        variants.setdefault(normalised(name), []).append(name)
    found: dict[str, str] = {}
    problems, notes = [], []
    for column in entity.columns:
        candidates = variants.get(column.name, [])
        if column.name in names:
            found[column.name] = column.name
        elif len(candidates) == 1:
            found[column.name] = candidates[0]
        elif candidates:
            problems.append(f'"{column.name}" may be any of {_listed(candidates)}; keep one')
    extra = [name for name in names if name not in found.values()]
    for column in entity.columns:
        if column.name in found or column.name in variants:
            continue
        text = f'no column "{column.name}"'
        close = difflib.get_close_matches(column.name, [normalised(name) for name in extra], 1)
        guess = "" if not close else f'; did you mean "{variants[close[0]][0]}"?'
        if column.required:
            problems.append(f"{text} (has: {_listed(names, quote='')}{guess})")
        else:
            notes.append(f"{text}{guess}")
    notes.extend(
        f'column "{name}" is none of {entity.name}; left out' for name in extra[:MOST_NAMES]
    )
    if len(extra) > MOST_NAMES:
        notes.append(f"{len(extra) - MOST_NAMES} more columns left out")
    return ColumnMatch(found, reserved, tuple(problems), tuple(notes))


def normalised(name: str) -> str:
    """A column name without regard to case and to spaces or dashes between its words."""
    return re.sub(r"[\s\-_]+", "_", name.strip().casefold()).strip("_")


def _listed(names: Sequence[str], quote: str = '"') -> str:
    shown = ", ".join(f"{quote}{name}{quote}" for name in names[:MOST_NAMES])
    return f"{shown}, …" if len(names) > MOST_NAMES else shown
