"""The dbt models as assets: what dagster_dbt says of them, kept for as long as it is true."""

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster_dbt import dbt_assets

from orchestration.dbt_runner import MANIFEST
from orchestration.dbt_specs import KEPT, OF_THE_LIBRARY, SELECTIONS, DbtSpecs, dbt_specs

OURS = ("shoal/", "dagster/kind/")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """The manifest of this project in a folder in which nothing is kept."""
    path = tmp_path / "manifest.json"
    path.write_bytes(MANIFEST.read_bytes())
    return path


def _said(spec: dg.AssetSpec) -> dict[str, object]:
    return {
        "deps": {dep.asset_key for dep in spec.deps},
        "description": spec.description,
        "code_version": spec.code_version,
        "skippable": spec.skippable,
        "tags": {name: tag for name, tag in spec.tags.items() if not name.startswith(OURS)},
        "metadata": {
            name: value for name, value in spec.metadata.items() if name not in OF_THE_LIBRARY
        },
    }


def _asked(spec: dg.AssetCheckSpec) -> dict[str, object]:
    return {
        "description": spec.description,
        "of": {dep.asset_key for dep in spec.additional_deps},
        "blocking": spec.blocking,
        "metadata": spec.metadata,
    }


@pytest.mark.parametrize("name", SELECTIONS)
def test_assets_and_checks_are_those_of_the_library(name: str) -> None:
    select, exclude = SELECTIONS[name]

    @dbt_assets(manifest=MANIFEST, select=select, exclude=exclude or None, name=name)
    def theirs() -> Iterator[object]:
        yield from ()

    ours = dbt_specs()[name]
    assert {spec.key: _said(spec) for spec in ours.assets} == {
        spec.key: _said(spec) for spec in theirs.specs
    }
    assert {spec.key: _asked(spec) for spec in ours.checks} == {
        spec.key: _asked(spec) for spec in theirs.check_specs
    }


def test_what_is_kept_is_what_was_made(manifest: Path) -> None:
    made = dbt_specs(manifest)
    kept = manifest.with_name(KEPT)
    written = kept.stat().st_mtime_ns
    assert dbt_specs(manifest) == made
    assert kept.stat().st_mtime_ns == written


def test_a_changed_manifest_is_told_anew(manifest: Path) -> None:
    before = _of(dbt_specs(manifest)["dbt_tables"], "customers")
    content = json.loads(manifest.read_text())
    content["nodes"]["model.shoal.customers"]["description"] = "Somebody edited this."
    manifest.write_text(json.dumps(content))
    after = _of(dbt_specs(manifest)["dbt_tables"], "customers")
    assert "Somebody edited this." not in str(before.description)
    assert "Somebody edited this." in str(after.description)


def test_without_a_manifest_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="make setup"):
        dbt_specs(tmp_path / "manifest.json")


def _of(specs: DbtSpecs, name: str) -> dg.AssetSpec:
    return next(spec for spec in specs.assets if spec.key.path[-1] == name)
