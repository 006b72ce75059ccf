"""The files that a mapping asks for, and the name of what comes out of them."""

import fnmatch
import hashlib
from collections.abc import Sequence
from pathlib import Path

from orchestration.ingestion.files import content_hash
from orchestration.ingestion.land_staging import LandError
from orchestration.ingestion.mappings import Mapping


def output_name(mapping: Mapping, entity: str, inputs: list[Path], hashes: dict[Path, str]) -> str:
    """Name of a landing file, by the contents of what it is made from and by the mapping."""
    digest = hashlib.sha256(mapping.text.encode())
    for path in inputs:
        if path not in hashes:
            hashes[path] = content_hash(path)
        digest.update(hashes[path].encode())
    return f"{mapping.name}-{entity}-{digest.hexdigest()[:12]}.parquet"


def candidate_files(files: Sequence[Path]) -> list[Path]:
    """Give the files, those of folders included, each once.

    Raises
    ------
    LandError
        When one does not exist.
    """
    found: list[Path] = []
    for path in files:
        if path.is_dir():
            found += sorted(
                entry
                for entry in path.iterdir()
                if entry.is_file() and not entry.name.startswith((".", "_"))
            )
        elif path.is_file():
            found.append(path)
        else:
            raise LandError(f"{path}: there is no such file")
    return list(dict.fromkeys(found))


def matching_files(
    mapping: Mapping, entity: str, patterns: Sequence[str], candidates: list[Path]
) -> list[Path]:
    """Give the files whose names fit one of the wildcards.

    Raises
    ------
    LandError
        When there is none, with what is there.
    """
    found = [
        path
        for path in candidates
        if any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns)
    ]
    if not found:
        there = ", ".join(path.name for path in candidates) or "nothing"
        raise LandError(
            f"{mapping.title}: {entity}: no file is named {' or '.join(patterns)} (there: {there})"
        )
    return found
