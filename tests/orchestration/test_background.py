"""Runs that nobody waits for leave the processor to others, and only they do."""

import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.lake import BACKGROUND, Lake
from orchestration.processes import BACKGROUND_NICENESS

HERE = os.getpriority(os.PRIO_PROCESS, 0)


def niceness(root: Path, tags: Mapping[str, str]) -> int:
    """How nice the step of a run is that has these tags."""

    @dg.op(required_resource_keys={"lake"})
    def look() -> int:
        return os.getpriority(os.PRIO_PROCESS, 0)

    @dg.job(tags=tags)
    def one_look() -> None:
        look()

    lake = Lake(catalog=f"sqlite:{root}/catalog.sqlite", data_path=str(root), root=str(root))
    with dg.instance_for_test() as instance:
        done = one_look.execute_in_process(instance=instance, resources={"lake": lake})
    seen = done.output_for_node("look")
    assert isinstance(seen, int)
    return seen


@pytest.mark.parametrize(
    ("tags", "expected"), [({BACKGROUND: "true"}, max(HERE, BACKGROUND_NICENESS)), ({}, HERE)]
)
def test_a_run_in_a_process_of_its_own(
    tmp_path: Path, tags: Mapping[str, str], expected: int
) -> None:
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawning) as pool:
        assert pool.submit(niceness, tmp_path, tags).result() == expected


def test_a_run_in_somebodys_process_leaves_it_as_it_was(tmp_path: Path) -> None:
    assert niceness(tmp_path, {BACKGROUND: "true"}) == HERE


@pytest.mark.parametrize(
    ("job", "waits"),
    [
        ("batch_job", True),
        ("main_job", True),
        ("rebuild_job", True),
        ("live_rescoring", True),
        ("daily_job", False),
        ("training_job", False),
        ("evaluation_job", False),
        ("search_job", False),
        ("maintenance_job", False),
    ],
)
def test_somebody_waits_for_some_jobs(job: str, waits: bool) -> None:
    assert (BACKGROUND not in defs().resolve_job_def(job).tags) == waits
