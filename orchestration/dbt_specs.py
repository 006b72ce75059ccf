"""The dbt models as assets: what dagster_dbt makes of the manifest, kept beside it.

It imports dbt, which is more than half of the time in which a process has its definitions, and
every run is a process. So what it makes is kept, and made anew when the manifest, this file or a
version changes.
"""

import hashlib
import importlib.metadata
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.dbt_runner import MANIFEST
from orchestration.partitions import newest

KEPT = "dagster_specs.json"
OWNERS = ["team:data"]
DAILY = {"journeys", "attribution", "segments"}
SELECTIONS = {
    "dbt_tables": ("fqn:*", "tag:training tag:journeys tag:attribution tag:segments"),
    "dbt_training_tables": ("tag:training", ""),
    "dbt_journey_tables": ("tag:journeys tag:attribution tag:segments", ""),
}
"""Which models and tests each op has: what dbt would select, and exclude."""
KIND = "dagster/kind/"
OF_THE_LIBRARY = ("dagster_dbt/manifest", "dagster_dbt/dagster_dbt_translator")
"""Objects for dagster_dbt's own way to run dbt, which is not ours."""


@dataclass(frozen=True)
class DbtSpecs:
    """The assets and checks of one op."""

    assets: tuple[dg.AssetSpec, ...]
    checks: tuple[dg.AssetCheckSpec, ...]


def dbt_specs(manifest: Path = MANIFEST) -> Mapping[str, DbtSpecs]:
    """The assets and checks of each op of `SELECTIONS`.

    Raises
    ------
    FileNotFoundError
        When dbt has not parsed the project.
    """
    if not manifest.exists():
        raise FileNotFoundError(
            f"{manifest} is missing: run `make setup`, which lets dbt parse the project"
        )
    version, path = _version(manifest), manifest.with_name(KEPT)
    kept = json.loads(path.read_text()) if path.exists() else {}
    if kept.get("version") != version:
        ops = {name: _described(manifest, name, *what) for name, what in SELECTIONS.items()}
        kept = {"version": version, "ops": ops}
        if os.access(path.parent, os.W_OK):
            draft = path.with_name(f".{KEPT}.{os.getpid()}")
            draft.write_text(json.dumps(kept))
            draft.replace(path)
    return {
        name: DbtSpecs(tuple(map(_asset, op["assets"])), tuple(map(_check, op["checks"])))
        for name, op in kept["ops"].items()
    }


def _version(manifest: Path) -> str:
    digest = hashlib.sha256(manifest.read_bytes() + Path(__file__).read_bytes())
    versions = (importlib.metadata.version(name) for name in ("dagster", "dagster-dbt"))
    return " ".join([digest.hexdigest(), *versions])


def _described(manifest: Path, name: str, select: str, exclude: str) -> dict[str, Any]:
    """What dagster_dbt says of one op, as JSON."""
    from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets  # they import dbt

    class ShoalTranslator(DagsterDbtTranslator):
        """Groups by the folder under ``models/`` and adds owners and kinds."""

        def get_asset_spec(
            self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
        ) -> dg.AssetSpec:
            spec = super().get_asset_spec(manifest, unique_id, project)
            if unique_id not in manifest["nodes"]:
                return spec
            node = manifest["nodes"][unique_id]
            is_seed = node["resource_type"] == "seed"
            return spec.replace_attributes(
                group_name="rules" if is_seed else node["fqn"][-2],
                owners=OWNERS,
                kinds={"dbt", "ducklake"},
                tags={
                    **spec.tags,
                    "shoal/materialized": node["config"]["materialized"],
                    "shoal/runs": "daily" if DAILY & set(node["tags"]) else "per-batch",
                },
            )

    @dbt_assets(
        manifest=json.loads(manifest.read_text()),  # by its path it would be read once per process
        select=select,
        exclude=exclude or None,
        dagster_dbt_translator=ShoalTranslator(),
        name=name,
    )
    def described() -> Iterator[Any]:
        yield from ()

    return {
        "assets": [_told_of_asset(spec) for spec in described.specs],
        "checks": [_told_of_check(spec) for spec in described.check_specs],
    }


def _told_of_asset(spec: dg.AssetSpec) -> dict[str, Any]:
    return {
        "key": spec.key.path,
        "deps": [dep.asset_key.path for dep in spec.deps],
        "description": spec.description,
        "group_name": spec.group_name,
        "owners": list(spec.owners),
        "kinds": sorted(spec.kinds),
        "tags": {name: tag for name, tag in spec.tags.items() if not name.startswith(KIND)},
        "code_version": spec.code_version,
        "skippable": spec.skippable,
        "metadata": {
            name: dg.serialize_value(value)
            for name, value in spec.metadata.items()
            if name not in OF_THE_LIBRARY
        },
    }


def _asset(told: Mapping[str, Any]) -> dg.AssetSpec:
    metadata = {name: dg.deserialize_value(value) for name, value in told["metadata"].items()}
    deps = [newest(*path) if path[0] == "raw" else dg.AssetKey(path) for path in told["deps"]]
    key = dg.AssetKey(told["key"])
    return dg.AssetSpec(**{**told, "key": key, "deps": deps, "metadata": metadata})


def _told_of_check(spec: dg.AssetCheckSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "asset": spec.asset_key.path,
        "description": spec.description,
        "additional_deps": [dep.asset_key.path for dep in spec.additional_deps],
        "blocking": spec.blocking,
        "metadata": dict(spec.metadata or {}),
    }


def _check(told: Mapping[str, Any]) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(**{**told, "asset": dg.AssetKey(told["asset"])})
