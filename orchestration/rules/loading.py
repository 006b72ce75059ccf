"""Reading rules from their files; one that is wrong is left out, with the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from orchestration.ingestion.expressions import ExpressionError
from orchestration.ingestion.yaml_files import explained, read_yaml
from orchestration.rules.conditions import KINDS, Rank, Rows
from orchestration.rules.rule import Rule
from orchestration.rules.tables import Catalog


class RuleError(ValueError):
    """A rule that cannot be used: the file, the place in it and the reason, a line each."""


@dataclass(frozen=True)
class RuleBook:
    """The rules of a folder.

    Attributes
    ----------
    rules
        Those that can be evaluated, by name.
    errors
        Why the others are disabled, by name.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def load_rules(folder: Path, catalog: Catalog) -> RuleBook:
    """Read and check every rule of a folder; an error disables its own rule only.

    Raises
    ------
    RuleError
        When there is no such folder: nobody is in no segment because of a wrong setting.
    """
    if not folder.is_dir():
        raise RuleError(f"no folder {folder}: set SHOAL_SEGMENTS to where the rules are")
    rules: dict[str, Rule] = {}
    errors: dict[str, str] = {}
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        try:
            if path.stem in rules or path.stem in errors:
                raise RuleError(f"{_file(path)}: there is a {path.stem}.yaml and a {path.stem}.yml")
            rules[path.stem] = load_rule(path, catalog)
        except RuleError as error:
            rules.pop(path.stem, None)
            errors[path.stem] = str(error)
    return RuleBook(rules, errors)


def load_rule(path: Path, catalog: Catalog) -> Rule:
    """Read one rule and check it against the columns that there are.

    Raises
    ------
    RuleError
        Naming the file, the place and the reason.
    """
    try:
        content = read_yaml(path)
    except ValueError as error:
        raise RuleError(f"{_file(path)}: {error}") from error
    if not isinstance(content, dict):
        raise RuleError(f"{_file(path)}: has to hold title, description and conditions")
    try:
        rule = Rule.model_validate({**content, "path": path, "name": path.stem})
    except ValidationError as error:
        raise RuleError("\n".join(explained(_file(path), error, _place))) from None
    problems = list(_binding_problems(rule, catalog))
    if problems:
        raise RuleError("\n".join(problems))
    return rule


def _binding_problems(rule: Rule, catalog: Catalog) -> Iterator[str]:
    for place, leaf in rule.places():
        columns = catalog.rows[leaf.table.name] if isinstance(leaf, Rows) else catalog.facts
        for name, expression in leaf.expressions().items():
            try:
                if isinstance(leaf, Rank) and name == "by":
                    columns.require_number(expression)
                else:
                    columns.require_boolean(expression)
            except ExpressionError as error:
                key = f"{place}.{name}" if place else name
                yield f"{rule.file}: {key}: {error}"


def _place(location: tuple[int | str, ...]) -> list[str]:
    """A place as people count, from 1, without the kinds of conditions that pydantic adds."""
    parts: list[str] = []
    after_number = False
    for part in location:
        if isinstance(part, int):
            parts.append(str(part + 1))
        elif not (after_number and part in KINDS):
            parts.append(part)
        after_number = isinstance(part, int)
    return parts


def _file(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
