"""Upkeep of the registry: old versions go, and with them the snapshots they keep alive."""

from collections.abc import Collection, Iterable, Sequence

from orchestration.model_card import card_paths
from orchestration.registry import NoSuchVersion, Registry, champions_in_force
from orchestration.settings import Settings

ROLLBACKS = 3
"""So many champions before the present one stay, for `shoal models rollback`."""


def keep_models(values: Settings, registry: Registry) -> int:
    """Delete versions that are neither among the newest of their task nor wanted for scoring.

    Returns
    -------
    int
        How many.
    """
    forgotten = 0
    for task in registry.tasks():
        versions = {version.number: version for version in registry.versions(task)}
        for number in versions_to_forget(
            versions, registry.aliases(task), _champions(registry, task), values.keep_versions
        ):
            registry.forget(versions[number])
            for page in card_paths(values.reports / "models", versions[number]):
                page.unlink(missing_ok=True)
            forgotten += 1
    return forgotten


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
