"""Source mappings: how the files of a foreign export become canonical entities."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.mapping_values import Join, Names, ReadOptions, Sql, SqlList, Strict
from orchestration.ingestion.yaml_files import explained, read_yaml


class MappingError(ValueError):
    """A mapping that cannot be used: the file, the place in it and the reason."""


class EntityMapping(Strict):
    """How one entity comes out of a file.

    Attributes
    ----------
    where
        Which rows count.
    one_per
        Of those, the first row of each combination of these values.
    """

    files: Names | None = None
    where: Sql | None = None
    one_per: SqlList = ()
    join: dict[str, Join] = Field(default_factory=dict)
    columns: dict[str, Sql]

    @model_validator(mode="before")
    @classmethod
    def _gather_columns(cls, value: Any) -> Any:
        """What is no setting is a canonical column."""
        if not isinstance(value, dict) or "columns" in value:
            return value
        settings = {"files", "where", "one_per", "join"}
        columns = {name: text for name, text in value.items() if name not in settings}
        return {**{name: value[name] for name in settings & value.keys()}, "columns": columns}


class Mapping(Strict):
    """One source.

    Attributes
    ----------
    path, text
        The mapping's file and what it holds.
    files
        Wildcards for the names of its files, unless an entity has its own.
    columns
        Further columns, computed for every row before the entities.
    """

    path: Path
    text: str
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    description: str = ""
    files: Names
    options: ReadOptions = ReadOptions()
    columns: dict[str, Sql] = Field(default_factory=dict)
    entities: dict[str, EntityMapping] = Field(min_length=1)

    @property
    def title(self) -> str:
        """The mapping as messages name it: ``sources/shop.yml``."""
        return f"{self.path.parent.name}/{self.path.name}"

    @model_validator(mode="after")
    def _check_entities(self) -> "Mapping":
        problems = []
        for name, mapping in self.entities.items():
            entity = ENTITIES.get(name)
            if entity is None:
                problems.append(f"{name}: no such entity (has: {', '.join(ENTITIES)})")
                continue
            known = set(entity.column_names)
            problems += [
                f'{name}.{column}: {name} has no column "{column}" '
                f"(has: {', '.join(entity.column_names)})"
                for column in mapping.columns
                if column not in known
            ]
            problems += [
                f"{name}.{column.name}: is required and missing"
                for column in entity.columns
                if column.required and column.name not in mapping.columns
            ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


def load_mapping(path: Path) -> Mapping:
    """Read and check one mapping.

    Raises
    ------
    MappingError
        Naming the file, the place and the reason.
    """
    title = f"{path.parent.name}/{path.name}"
    try:
        content = read_yaml(path)
    except FileNotFoundError:
        raise MappingError(f"{title}: there is no such mapping") from None
    except ValueError as error:
        raise MappingError(f"{title}: {error}") from error
    if not isinstance(content, dict):
        raise MappingError(f"{title}: has to hold name, files and entities")
    try:
        return Mapping.model_validate({**content, "path": path, "text": path.read_text("utf-8")})
    except ValidationError as error:
        raise MappingError("\n".join(explained(title, error, _place))) from None


def load_mappings(folder: Path) -> dict[str, Mapping]:
    """Read every mapping of a folder, by name.

    Raises
    ------
    MappingError
        Also when two have the same name.
    """
    mappings: dict[str, Mapping] = {}
    for path in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        mapping = load_mapping(path)
        if mapping.name in mappings:
            other = mappings[mapping.name].title
            raise MappingError(f'{mapping.title}: the name "{mapping.name}" is also in {other}')
        mappings[mapping.name] = mapping
    return mappings


def _place(location: tuple[int | str, ...]) -> list[str]:
    parts = [str(part) for part in location]
    if parts[:1] == ["entities"]:
        parts = [part for part in parts[1:] if part != "columns"]
    return parts
