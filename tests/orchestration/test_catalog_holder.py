"""Between two transactions the catalog's log stays, and so nobody has to make it anew."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from orchestration.catalog_holder import CatalogHolder
from orchestration.lake import Lake

PAGES, PAGE_BYTES = 1_000, 4_096
"""After so many SQLite writes its log back, at the next commit."""
PARENT = """
import sys, time
from pathlib import Path
from orchestration.catalog_holder import CatalogHolder
holder = CatalogHolder()
holder.hold(Path(sys.argv[1]))
print(holder.wait(), holder.process_id, flush=True)
time.sleep(600)
"""


def log_of(lake: Lake) -> Path:
    return Path(f"{lake.catalog.removeprefix('sqlite:')}-wal")


def change(lake: Lake) -> None:
    with lake.writer("test") as connection:
        connection.execute("create or replace table ops.made as select 1 as value")


@contextmanager
def held(catalog: Path) -> Iterator[CatalogHolder]:
    holder = CatalogHolder()
    holder.hold(catalog)
    try:
        yield holder
    finally:
        holder.release()


def test_the_log_stays_while_somebody_has_the_catalog_open(lake: Lake) -> None:
    catalog = Path(lake.catalog.removeprefix("sqlite:"))
    change(lake)
    assert not log_of(lake).exists()
    with held(catalog) as holder:
        assert holder.wait()
        change(lake)
        assert log_of(lake).stat().st_size > 0
        inode = log_of(lake).stat().st_ino
        change(lake)
        assert log_of(lake).stat().st_ino == inode
    change(lake)
    assert not log_of(lake).exists()


@pytest.mark.slow
def test_the_log_does_not_grow_without_end(lake: Lake) -> None:
    with held(Path(lake.catalog.removeprefix("sqlite:"))) as holder:
        assert holder.wait()
        written = 0
        with lake.writer("test") as connection:
            for number in range(150):
                connection.execute(f"create table ops.made_{number} as select {number} as value")
                written = max(written, log_of(lake).stat().st_size)
    assert PAGES * PAGE_BYTES < written < 2 * PAGES * PAGE_BYTES


def test_it_ends_with_its_process_however_that_ends(lake: Lake) -> None:
    catalog = lake.catalog.removeprefix("sqlite:")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, catalog], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    opened, number = parent.stdout.readline().split()
    assert opened == "True"
    holder = os.pidfd_open(int(number))
    try:
        assert select.select([holder], [], [], 0)[0] == []
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        assert select.select([holder], [], [], 30)[0] == [holder], "it outlived its process"
    finally:
        os.close(holder)


@pytest.mark.parametrize("content", [None, b"no database" * 1_000])
def test_a_catalog_that_cannot_be_opened_is_left_to_others(
    tmp_path: Path, content: bytes | None
) -> None:
    catalog = tmp_path / "catalog.sqlite"
    if content is not None:
        catalog.write_bytes(content)
    with held(catalog) as holder:
        assert not holder.wait()
    assert catalog.exists() == (content is not None)


def test_a_run_has_it_open_from_its_first_step_to_its_last(lake: Lake) -> None:
    @dg.op(required_resource_keys={"lake"})
    def write(context: dg.OpExecutionContext) -> bool:
        assert context.resources.lake._holder.wait()
        change(context.resources.lake)
        return log_of(lake).exists()

    @dg.job
    def one_step() -> None:
        write()

    with dg.instance_for_test() as instance:
        done = one_step.execute_in_process(instance=instance, resources={"lake": lake})
    assert done.output_for_node("write") is True
    change(lake)
    assert not log_of(lake).exists()
