"""From the files of a foreign export to canonical landing files, by a mapping."""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.ingestion.formats import Unreadable
from orchestration.ingestion.land_checks import check_columns
from orchestration.ingestion.land_inputs import candidate_files, matching_files, output_name
from orchestration.ingestion.land_reports import LandedOutput, LandReport
from orchestration.ingestion.land_sql import distinct_join_rows, entity_query
from orchestration.ingestion.land_staging import LandError, stage_join, stage_source
from orchestration.ingestion.landing import arrival_folder
from orchestration.ingestion.mappings import Mapping, MappingError, load_mapping, load_mappings
from orchestration.ingestion.sql import first_line, literal, scalar
from orchestration.processes import is_alive

__all__ = ["LandError", "LandReport", "LandedOutput", "land", "land_source"]
MEMORY_LIMIT = "2GB"


def land_source(
    mapping: str, files: Sequence[Path], sources: Path, landing: Path, arrived: datetime
) -> LandReport:
    """Land files by a mapping's name in ``sources``, or by the path of a mapping.

    Raises
    ------
    MappingError, LandError
        With what is wrong, and where.
    """
    path = Path(mapping)
    if path.suffix in (".yml", ".yaml"):
        return land(load_mapping(path), files, landing, arrived)
    mappings = load_mappings(sources)
    if mapping not in mappings:
        raise MappingError(f'no mapping "{mapping}" in {sources} (has: {", ".join(mappings)})')
    return land(mappings[mapping], files, landing, arrived)


def land(
    mapping: Mapping,
    files: Sequence[Path],
    landing: Path,
    arrived: datetime,
    progress: Callable[[str], None] = lambda message: None,
) -> LandReport:
    """Write canonical landing files; a source that was landed before, by content, adds nothing.

    Parameters
    ----------
    files
        Files, or folders whose files count.
    arrived
        Instant of arrival; its hour names the landing folder.

    Raises
    ------
    MappingError, LandError
        With what is wrong, and where. Nothing has been written then for the file in question.
    """
    candidates = candidate_files(files)
    report = LandReport(mapping.name)
    hashes: dict[Path, str] = {}
    by_source: dict[Path, list[str]] = {}
    for entity, rule in mapping.entities.items():
        found = matching_files(mapping, entity, rule.files or mapping.files, candidates)
        for path in found:
            by_source.setdefault(path, []).append(entity)
    for source, entities in by_source.items():
        progress(f"{mapping.title}: reading {source.name}")
        _land_file(mapping, source, entities, candidates, landing, arrived, hashes, report)
    return report


def _land_file(
    mapping: Mapping,
    source: Path,
    entities: list[str],
    candidates: list[Path],
    landing: Path,
    arrived: datetime,
    hashes: dict[Path, str],
    report: LandReport,
) -> None:
    targets: dict[str, Path] = {}
    for entity in entities:
        joins = [
            path
            for join in mapping.entities[entity].join.values()
            for path in matching_files(mapping, entity, join.files, candidates)
        ]
        name = output_name(mapping, entity, [source, *joins], hashes)
        earlier = sorted((landing / entity).glob(f"arrived=*/{name}"))
        if earlier:
            report.known.append(earlier[0])
        else:
            targets[entity] = arrival_folder(landing, entity, arrived) / name
    if not targets:
        return
    drafts: dict[str, Path] = {}
    counts: dict[str, tuple[int, int]] = {}
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = {literal(MEMORY_LIMIT)}")
        connection.execute("set TimeZone = 'UTC'")
        # it takes what two expressions share out of their try(), so that a failure ends the query
        connection.execute("set disabled_optimizers = 'common_subexpressions'")
        try:
            available = stage_source(connection, mapping, source)
            for entity, target in targets.items():
                query = _query(mapping, entity, source, entities, candidates, available, connection)
                target.parent.mkdir(parents=True, exist_ok=True)
                _remove_drafts_of_the_dead(target)
                drafts[entity] = target.with_name(f".{target.name}.{os.getpid()}.tmp")
                counts[entity] = _write(connection, query, drafts[entity])
            for entity, draft in drafts.items():
                rows, failed = counts[entity]
                if rows:
                    _publish(draft, targets[entity])
                    report.outputs.append(
                        LandedOutput(targets[entity], entity, source.name, rows, failed)
                    )
                else:
                    report.empty.append(f"{source.name}: {entity}")
        except Unreadable as error:
            raise LandError(f"{source}: cannot be read: {error}") from error
        except (OSError, duckdb.IOException) as error:
            raise LandError(f"{landing}: cannot be written: {first_line(error)}") from error
        except duckdb.Error as error:
            raise MappingError(f"{mapping.title}: {source.name}: {first_line(error)}") from error
        finally:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)


def _query(
    mapping: Mapping,
    entity: str,
    source: Path,
    entities: list[str],
    candidates: list[Path],
    available: list[str],
    connection: duckdb.DuckDBPyConnection,
) -> str:
    joined: dict[str, list[str]] = {}
    for name, join in mapping.entities[entity].join.items():
        paths = matching_files(mapping, entity, join.files, candidates)
        joined[name], query = stage_join(connection, mapping, name, paths)
        for column in join.using:
            if column not in joined[name] or column not in available:
                raise MappingError(
                    f'{mapping.title}: {entity}.join.{name}: no column "{column}" in both '
                    f"{source.name} (has: {', '.join(available)}) and "
                    f"{', '.join(path.name for path in paths)} (has: {', '.join(joined[name])})"
                )
        connection.execute(distinct_join_rows(name, join.using, query))
    check_columns(mapping, entity, source.name, available, joined)
    query = entity_query(mapping, entity, with_unread=entity == entities[0])
    try:
        connection.execute(f"explain {query}")
    except duckdb.Error as error:
        raise MappingError(f"{mapping.title}: {entity}: {first_line(error)}") from error
    return query


def _write(connection: duckdb.DuckDBPyConnection, query: str, draft: Path) -> tuple[int, int]:
    """Write a query's rows to a hidden file; gives how many, and how many have errors."""
    connection.execute(f"create or replace temp table output as {query}")
    rows = scalar(connection, "select count(*) from output")
    failed = scalar(connection, "select count(*) from output where len(_errors) > 0")
    connection.execute(
        f"copy (from output) to {literal(str(draft))} (format parquet, compression zstd)"
    )
    connection.execute("drop table output")
    with draft.open("rb") as stream:
        os.fsync(stream.fileno())
    return rows, failed


def _remove_drafts_of_the_dead(target: Path) -> None:
    """Take away what processes left of this file that were killed while they wrote it."""
    for draft in target.parent.parent.glob(f"*/.{target.name}.*.tmp"):
        pid = draft.suffixes[-2].removeprefix(".")
        if pid.isdigit() and not is_alive(int(pid), draft.stat().st_mtime):
            draft.unlink(missing_ok=True)


def _publish(draft: Path, target: Path) -> None:
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
