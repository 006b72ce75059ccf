"""Segments found anew and matched to those in force, between the lake, ``ml`` and the registry."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.segment_identity import Identity, keep_identity
from ml.segment_model import SegmentModel
from ml.segment_store import UnknownFormat, save
from ml.segments import SPACES, Protocol, fit_segments
from orchestration.champions import SEGMENTS, load_segments
from orchestration.registry import Registry, Version, code_version, scratch_folder
from orchestration.segment_material import Material
from orchestration.settings import Settings

NEXT_ID = "next_segment_id"
AS_OF = "as_of"


@dataclass(frozen=True)
class Found:
    """Segments found anew, and what became of those before."""

    model: SegmentModel
    identity: Identity
    before: Version | None


def find_segments(material: Material, registry: Registry, values: Settings, log: Any) -> Found:
    """Find segments by the protocol, and give those that were there their identity back.

    Raises
    ------
    NoSegments
        The customers do not fall into groups.
    """
    before = old = None
    try:
        before, old = load_segments(registry) or (None, None)
    except UnknownFormat as problem:
        log.warning(f"every segment gets a new id: {problem}")
    fitted = fit_segments(
        material.features,
        SPACES[values.segment_features],
        Protocol(pinned=values.segment_family, pinned_k=values.segment_count),
        earlier=material.earlier,
        outcomes=material.outcomes,
        incumbent=old if old and old.space.spec.name == values.segment_features else None,
        seed=values.seed,
    )
    newest = registry.newest(SEGMENTS)
    registered = 1 if newest is None else int(newest.tags.get(NEXT_ID, 1))
    model, identity = keep_identity(
        fitted,
        old,
        material.features,
        next_id=max(material.next_id, registered),
        names_ever=material.names_ever,
    )
    return Found(model, identity, before)


def register_segments(
    registry: Registry,
    found: Found,
    material: Material,
    values: Settings,
    pictures: Mapping[str, bytes],
) -> Version:
    """Keep segments as the next version, and put them in force."""
    model, identity = found.model, found.identity
    with scratch_folder() as name:
        folder = Path(name)
        save(model, folder)
        for title, image in pictures.items():
            (folder / f"{title}.png").write_bytes(image)
        version = registry.register(
            SEGMENTS,
            folder,
            metrics={"silhouette": model.at_fit.silhouette, "segments": model.k},
            parameters={
                "seed": values.seed,
                "customers": len(material.features),
                "family": model.family,
                "space": model.space.spec.name,
            },
            tags={
                "lake_snapshot": str(material.snapshot),
                "code_version": code_version(),
                AS_OF: material.as_of.isoformat(),
                NEXT_ID: str(model.next_id),
                "matched_to": "" if found.before is None else found.before.label,
                "kept": json.dumps([each.segment_id for each in identity.kept]),
                "born": json.dumps([number for number, _ in identity.born]),
                "retired": json.dumps([number for number, _ in identity.retired]),
            },
        )
    registry.promote(version, "; ".join(identity.notices()))
    return version
