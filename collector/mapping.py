"""The table that says how messages become canonical rows: ``segment.yml``, read and checked."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from collector.values import Unusable, Value, convert, is_missing
from orchestration.ingestion.entities import ENTITIES, Column, Entity
from orchestration.ingestion.yaml_files import read_yaml

Path_ = tuple[str, ...]
Devices = tuple[tuple[re.Pattern[str], str], ...]
DEFAULT = Path(__file__).with_name("segment.yml")
AGENT_CHARACTERS = 500
SECTIONS = (
    *("context_left_out", "events", "customers", "event_types", "call_types"),
    *("channels", "devices", "consents"),
)


class MappingError(ValueError):
    """The table cannot be used; the message names the file, the place and what is wrong."""


@lru_cache(maxsize=4_096)
def plain_name(name: str) -> str:
    """A name in lower case with underscores, whatever stood between and within its words."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[\s\-_]+", "_", parted).strip("_").lower()


def at(message: object, path: Path_) -> object:
    """What stands at a path, None where there is nothing."""
    for name in path:
        if not isinstance(message, dict):
            return None
        message = message.get(name)
    return message


@dataclass(frozen=True)
class Rule:
    """Where one column comes from: choices in order, each of one or several paths."""

    column: Column
    choices: tuple[tuple[Path_, ...], ...]

    def value(self, message: object, received: datetime) -> tuple[Value, tuple[Path_, ...]]:
        """Give the first usable value and the paths it is from; None and no path without one."""
        for paths in self.choices:
            found = at(message, paths[0])
            if is_missing(found) and len(paths) == 1:
                continue
            try:
                if len(paths) > 1:
                    found = self._together([at(message, path) for path in paths], received)
                value = convert(self.column, found, received)
            except Unusable:
                continue
            if value is not None:
                return value, paths
        return None, ()

    def _together(self, parts: Sequence[object], received: datetime) -> Value:
        values = [convert(self.column, part, received) for part in parts]
        if self.column.type != "double":
            return " ".join(str(value) for value in values if value is not None)
        if values[0] is None:
            return None
        product = 1.0
        for value in values:
            product *= 1.0 if value is None else float(value)
        return round(product, 6)


@dataclass(frozen=True)
class SpecMapping:
    """``segment.yml`` as it is used.

    Attributes
    ----------
    event_types
        Plain name of an event -> canonical type.
    devices
        Patterns over a text in lower case, with the device that each says.
    """

    events: tuple[Rule, ...]
    customers: tuple[Rule, ...]
    event_types: Mapping[str, str]
    call_types: Mapping[str, str]
    channels: Mapping[str, str]
    devices: Devices
    context_left_out: tuple[Path_, ...]
    consent_event: str
    purposes: Mapping[str, str]

    @classmethod
    def load(cls, path: Path = DEFAULT) -> Self:
        """Read the table.

        Raises
        ------
        MappingError
            When a section, a column or a pattern is not as it has to be.
        """
        try:
            table = read_yaml(path)
        except (OSError, ValueError) as error:
            raise MappingError(f"{path}: {error}") from error
        if not isinstance(table, dict) or set(table) != set(SECTIONS):
            raise MappingError(f"{path}: has to have exactly {', '.join(SECTIONS)}")
        try:
            consents = table["consents"]
            return cls(
                events=_rules(ENTITIES["events"], table["events"]),
                customers=_rules(ENTITIES["customers"], table["customers"]),
                event_types={plain_name(k): str(v) for k, v in table["event_types"].items()},
                call_types={str(k): str(v) for k, v in table["call_types"].items()},
                channels={k.lower(): str(v) for k, v in table["channels"].items()},
                devices=tuple((re.compile(p), str(name)) for p, name in table["devices"]),
                context_left_out=tuple(_path(text) for text in table["context_left_out"]),
                consent_event=plain_name(consents["event"]),
                purposes={k.lower(): str(v) for k, v in consents["purposes"].items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError, re.error) as error:
            raise MappingError(f"{path}: {error}") from error

    def event_type(self, name: str) -> str:
        """Canonical type of a tracked event."""
        plain = plain_name(name)
        return self.event_types.get(plain, plain or name)

    def channel(self, message: Mapping[str, Any]) -> str | None:
        """Channel by what the message, or else its library, calls itself; a screen is an app's."""
        for path in (("channel",), ("context", "channel"), ("context", "library", "name")):
            name = at(message, path)
            if isinstance(name, str) and name.lower() in self.channels:
                return self.channels[name.lower()]
        return "app" if message.get("type") == "screen" else None

    def device(self, message: Mapping[str, Any]) -> str | None:
        """Kind of device by what the message says of it, or else by its user agent."""
        for path in (("context", "device", "type"), ("context", "userAgent")):
            text = at(message, path)
            if (
                isinstance(text, str)
                and (device := _device(self.devices, text[:AGENT_CHARACTERS])) is not None
            ):
                return device
        return None


@lru_cache(maxsize=4_096)
def _device(patterns: Devices, text: str) -> str | None:
    lowered = text.lower()
    return next((device for pattern, device in patterns if pattern.search(lowered)), None)


def _rules(entity: Entity, table: Mapping[str, Any]) -> tuple[Rule, ...]:
    columns = {column.name: column for column in entity.columns}
    rules = []
    for name, choices in table.items():
        if name not in columns:
            known = ", ".join(columns)
            raise ValueError(f'{entity.name}: no column "{name}" (has: {known})')
        if not isinstance(choices, list) or not choices:
            raise ValueError(f"{entity.name}.{name}: is no list of paths")
        several = [choice if isinstance(choice, list) else [choice] for choice in choices]
        paths = tuple(tuple(_path(text) for text in choice) for choice in several)
        rules.append(Rule(columns[name], paths))
    return tuple(rules)


def _path(text: object) -> Path_:
    if not isinstance(text, str) or not text:
        raise ValueError(f"{text!r} is no path")
    return tuple(text.split("."))
