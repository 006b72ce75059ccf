"""dbt inside this process: no second start of Python, results as Dagster events."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any

import dagster as dg

from orchestration.settings import PROJECT_ROOT

DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
MANIFEST = DBT_PROJECT_DIR / "target" / "manifest.json"

FAILED = frozenset({"error", "fail", "skipped"})
OTHER_COLUMNS = "schemas on this incremental model are out of sync"
"""What dbt says, among advice for a project that it does not know."""
UPGRADED = "Columns have changed with an upgrade: `make setup` computes these tables anew."

DbtEvent = dg.MaterializeResult[Any] | dg.AssetCheckResult


class DbtError(RuntimeError):
    """dbt could not start, or one of its nodes failed."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one model or test."""

    unique_id: str
    name: str
    resource_type: str
    status: str
    message: str
    seconds: float
    failures: int | None


def run_dbt(
    command: str,
    select: Sequence[str],
    *,
    full_refresh: bool = False,
    tests: bool = True,
    log: Any = None,
    on_statement: Callable[[str, str], None] | None = None,
    around_node: Callable[[], AbstractContextManager[None]] | None = None,
) -> list[NodeResult]:
    """Run ``dbt <command>`` over the named nodes and return what became of each.

    Parameters
    ----------
    command
        ``run``, ``build`` or ``test``.
    select
        Names of models and tests.
    full_refresh
        Rebuild incremental models from their whole history.
    tests
        Whether ``build`` runs data tests.
    log
        Logger for dbt's own progress lines.
    on_statement
        Told the name of the node and the text of every SQL statement before it runs.
    around_node
        Entered before each node and left after it, where dbt has one thread. If it fails, so
        does the node.

    Raises
    ------
    DbtError
        When dbt fails before it runs a node, such as on a project that does not parse.
    """
    from dbt.cli.main import dbtRunner  # heavy: only where dbt runs

    arguments = [
        command,
        "--project-dir", str(DBT_PROJECT_DIR),
        "--profiles-dir", str(DBT_PROJECT_DIR),
        "--no-write-json",
        "--log-level", "none",
        "--log-level-file", "none",
        "--select", *select,
    ]  # fmt: skip
    if command == "build":
        arguments += ["--exclude-resource-type", "unit_test"]  # they test code, not data
        if not tests:
            arguments += ["--exclude-resource-type", "test"]
    if full_refresh:
        arguments.append("--full-refresh")
    around = ExitStack()

    def forward(event: Any) -> None:
        # not NodeStart: dbt would wait for ever for a node that fails before it compiles
        if around_node is not None and event.info.name == "NodeCompiling":
            around.enter_context(around_node())
        if event.info.name == "NodeFinished":
            around.close()
        if log is not None and event.info.name in {
            "LogModelResult",
            "LogSeedResult",
            "LogTestResult",
        }:
            log.info(event.info.msg)
        if on_statement is not None and event.info.name == "SQLQuery":
            on_statement(event.data.node_info.node_name, event.data.sql)

    with around:
        outcome = dbtRunner(callbacks=[forward]).invoke(arguments)
    nodes = getattr(outcome.result, "results", None)
    if nodes is None:
        raise DbtError(f"dbt {command} did not start: {outcome.exception}")
    return [
        NodeResult(
            unique_id=node.node.unique_id,
            name=node.node.name,
            resource_type=str(node.node.resource_type),
            status=str(node.status),
            message=str(node.message or ""),
            seconds=float(node.execution_time),
            failures=node.failures,
        )
        for node in nodes
    ]


def dagster_events(
    results: Iterable[NodeResult],
    asset_keys: dict[str, dg.AssetKey],
    check_keys: dict[str, dg.AssetCheckKey],
    metadata_of: Callable[[str], Mapping[str, Any]] = lambda model: {},
) -> Iterator[DbtEvent]:
    """Turn node results into materializations and check results, then raise if any node failed.

    Parameters
    ----------
    asset_keys
        Model name to the asset that it is.
    check_keys
        Test name to the asset check that it is; other tests report nothing.
    metadata_of
        More metadata of a model's materialization.

    Raises
    ------
    DbtError
        After all events, naming every failed model and why.
    """
    errors: list[str] = []
    for result in results:
        if result.resource_type in {"model", "seed"}:
            if result.status == "success" and result.name in asset_keys:
                yield dg.MaterializeResult(
                    asset_key=asset_keys[result.name],
                    metadata={"seconds": round(result.seconds, 3), **metadata_of(result.name)},
                )
            elif result.status == "error":
                errors.append(f"{result.name}: {result.message.strip()}")
            elif result.status == "skipped":
                errors.append(f"{result.name}: skipped, a model before it failed")
        elif result.status == "fail":
            errors.append(f"{result.name}: {result.message.strip()}")
        if result.resource_type == "test" and result.name in check_keys:
            key = check_keys[result.name]
            yield dg.AssetCheckResult(
                asset_key=key.asset_key,
                check_name=key.name,
                passed=result.status == "pass",
                severity=(
                    dg.AssetCheckSeverity.WARN
                    if result.status == "warn"
                    else dg.AssetCheckSeverity.ERROR
                ),
                metadata={"failing_rows": result.failures or 0, "message": result.message},
            )
    if any(OTHER_COLUMNS in error for error in errors):
        errors.append(UPGRADED)
    if errors:
        raise DbtError("dbt failed:\n" + "\n".join(errors))
