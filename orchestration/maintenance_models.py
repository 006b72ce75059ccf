"""Upkeep of the registry: old versions go, and with them the snapshots they keep alive."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from orchestration.model_card import card_paths
from orchestration.registry import NoSuchVersion, Registry, champions_in_force
from orchestration.settings import Settings

ROLLBACKS = 3
"""So many champions before the present one stay, for `shoal models rollback`."""


@dataclass(frozen=True)
class ModelsUpkeep:
    """What one round did, and which snapshots the remaining records name."""

    forgotten_versions: int
    pinned_snapshots: frozenset[int]


def keep_models(values: Settings, registry: Registry) -> ModelsUpkeep:
    """Delete versions that are neither among the newest of their task nor wanted for scoring."""
    forgotten = 0
    pinned: set[int] = set()
    for task in registry.tasks():
        versions = {version.number: version for version in registry.versions(task)}
        for number in versions_to_forget(
            versions, registry.aliases(task), _champions(registry, task), values.keep_versions
        ):
            version = versions.pop(number)
            registry.forget(version)
            for page in card_paths(values.reports / "models", version):
                page.unlink(missing_ok=True)
            forgotten += 1
        pinned.update(
            int(version.tags["lake_snapshot"])
            for version in versions.values()
            if "lake_snapshot" in version.tags
        )
    return ModelsUpkeep(forgotten, frozenset(pinned))


def versions_to_forget(
    numbers: Iterable[int], aliased: Collection[int], champions: Sequence[int], newest: int
) -> list[int]:
    """Versions that are not among the newest, have no alias, and no rollback goes back to."""
    by_age = sorted(numbers, reverse=True)
    kept = {*by_age[:newest], *aliased, *champions[-(ROLLBACKS + 1) :]}
    return [number for number in by_age if number not in kept]


def _champions(registry: Registry, task: str) -> list[int]:
    try:
        return champions_in_force(registry.reigns(task))
    except NoSuchVersion:
        return []  # what was searched or clustered has no champion of its own
