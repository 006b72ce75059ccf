"""YAML whose repeated keys are errors; plain YAML keeps the last one silently."""

from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key that occurs twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'"{key}" occurs twice', key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Read one YAML document.

    Raises
    ------
    ValueError
        With the line, when it is no YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: {error}") from error
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        raise ValueError(f"is no YAML{line}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValueError(f"is no YAML: {error}") from error


def explained(
    title: str, error: ValidationError, place_of: Callable[[tuple[int | str, ...]], list[str]]
) -> list[str]:
    """What pydantic found wrong in a file, a line each: ``<title>: <place>: <reason>``.

    Parameters
    ----------
    place_of
        Turns pydantic's location into the names that stand in the file.
    """
    lines: list[str] = []
    for problem in error.errors():
        place = ".".join(place_of(problem["loc"]))
        message = problem["msg"].removeprefix("Value error, ")
        lines.extend(
            f"{title}: {place}: {message}" if place else f"{title}: {part}"
            for part in ([message] if place else message.split("; "))
        )
    return lines
